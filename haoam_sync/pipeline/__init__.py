"""The flow: git -> trust -> desired -> live -> plan -> authorize -> apply, with the audit log around it.

One function a verb. Each opens what it needs (`opening`), calls the stages in order, and returns a value for the
command line to print. Nothing here decides: the stages do.
"""

from haoam_sync.pipeline.applying import apply
from haoam_sync.pipeline.doctor import doctor
from haoam_sync.pipeline.examining import Examined, Explained, explain_trust, verify_trust
from haoam_sync.pipeline.import_files import Imported, Target
from haoam_sync.pipeline.importing import Endpoint, adopt, import_file, import_instance
from haoam_sync.pipeline.linting import Linted, lint_trust
from haoam_sync.pipeline.offline import Validation, render, validate
from haoam_sync.pipeline.planning import Drift, Planned, drift, plan
from haoam_sync.pipeline.remembering import Beginning, Remembered, begin, beginning, remembered
from haoam_sync.pipeline.reviewing import Reviewable, review, reviewable
from haoam_sync.pipeline.rooting import Rooting, Word, rooting
from haoam_sync.pipeline.rotating import rotate
from haoam_sync.pipeline.trusting import Made, init_trust

__all__ = [
    "Beginning",
    "Drift",
    "Endpoint",
    "Examined",
    "Explained",
    "Imported",
    "Linted",
    "Made",
    "Planned",
    "Remembered",
    "Reviewable",
    "Rooting",
    "Target",
    "Validation",
    "Word",
    "adopt",
    "apply",
    "begin",
    "beginning",
    "doctor",
    "drift",
    "explain_trust",
    "import_file",
    "import_instance",
    "init_trust",
    "lint_trust",
    "plan",
    "remembered",
    "render",
    "review",
    "reviewable",
    "rooting",
    "rotate",
    "validate",
    "verify_trust",
]

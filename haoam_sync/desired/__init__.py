"""Stage: the files of a commit to what git says every instance should be. Pure: no I/O, no clock.

In the order of the checks:

1. Every file is YAML that all readers read alike (`documents`).
2. haoam.yaml names the fleet: clusters, endpoints that may be talked to, limits.
3. Every document of haproxy/ has an envelope of a known kind; of access/,
   change policies only.
4. Selectors name clusters that are there; `external` and `ignore` name what can be named.
5. Secrets are references, in secret-typed fields only; `${cluster...}` and `${instance...}` are known.
6. Every field is known, of its type, in its bounds, in the API version meant, and leaves a trace in haproxy.cfg.
7. Nothing is declared twice for a cluster; what sections refer to is declared, or said to be there.
8. Only then, and only for a trusted commit, secrets are resolved.

All problems of 1 to 7 are reported at once, each with file, line and column.
"""

from haoam_sync.desired.change import change, change_digest
from haoam_sync.desired.loading import load, load_fleet
from haoam_sync.desired.naming import named_by_any
from haoam_sync.desired.pre_approved import pre_approved
from haoam_sync.desired.recalled import Made
from haoam_sync.desired.resolution import resolve
from haoam_sync.desired.schema import schemas

__all__ = [
    "Made",
    "change",
    "change_digest",
    "load",
    "load_fleet",
    "named_by_any",
    "pre_approved",
    "resolve",
    "schemas",
]

"""Stage: a commit id becomes a TrustedCommit, or is refused.

`verify` is the decision; `core.py` lists the rules it follows. Everything that makes a TrustedCommit lies in here.
"""

from haoam_sync.trust.account import Watch, accepted
from haoam_sync.trust.case import Case
from haoam_sync.trust.compromises import Rests
from haoam_sync.trust.in_force import denied_keys, policy_at
from haoam_sync.trust.init import Member, certificates, first_policy, init_policy, init_root, member, owner_of
from haoam_sync.trust.lint import Subject, lint
from haoam_sync.trust.memories import LocalMemory, Memory, memory
from haoam_sync.trust.memory import Accepted, TrustState
from haoam_sync.trust.plan_reviews import PlanInQuestion, require_plans
from haoam_sync.trust.policy import LoadedPolicy
from haoam_sync.trust.powers import Powers
from haoam_sync.trust.programs import require_gpgv, require_ssh_keygen
from haoam_sync.trust.recorded import RecordedMemory
from haoam_sync.trust.review import needed, reviewer, sign_review, under_review
from haoam_sync.trust.root import read_denylist, read_root
from haoam_sync.trust.root_word import RootWord, root_word
from haoam_sync.trust.rotate import Change, Rotation, rotation
from haoam_sync.trust.running import ChangeDigest, Questioned
from haoam_sync.trust.signing import SigningKey, signing_key
from haoam_sync.trust.span import Revision, Span, holds, line_between, not_in_history
from haoam_sync.trust.state import history, load_state, store_state
from haoam_sync.trust.steps import Steps
from haoam_sync.trust.verify import Grounds, advance, believed, kept, propose, questioned, reading, verify

__all__ = [
    "Accepted",
    "Case",
    "Change",
    "ChangeDigest",
    "Grounds",
    "LoadedPolicy",
    "LocalMemory",
    "Member",
    "Memory",
    "PlanInQuestion",
    "Powers",
    "Questioned",
    "RecordedMemory",
    "Rests",
    "Revision",
    "RootWord",
    "Rotation",
    "SigningKey",
    "Span",
    "Steps",
    "Subject",
    "TrustState",
    "Watch",
    "accepted",
    "advance",
    "believed",
    "certificates",
    "denied_keys",
    "first_policy",
    "history",
    "holds",
    "init_policy",
    "init_root",
    "kept",
    "line_between",
    "lint",
    "load_state",
    "member",
    "memory",
    "needed",
    "not_in_history",
    "owner_of",
    "policy_at",
    "propose",
    "questioned",
    "read_denylist",
    "read_root",
    "reading",
    "require_gpgv",
    "require_plans",
    "require_ssh_keygen",
    "reviewer",
    "root_word",
    "rotation",
    "sign_review",
    "signing_key",
    "store_state",
    "under_review",
    "verify",
]

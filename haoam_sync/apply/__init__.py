"""Stage: an AuthorizedPlan becomes an Outcome: written, proven in the worker, or put back.

``apply.run(authorized, connect, replan, read=..., fleet=..., journal=...)`` does all of it. The steps for one instance,
with what happens after a failure, a conflict, Ctrl-C or a kill, stand in `instance.py`.
"""

from haoam_sync.apply.interrupt import Interrupted
from haoam_sync.apply.journal import FileJournal, Journal
from haoam_sync.apply.waves import run
from haoam_sync.apply.worker_drift import drifted

__all__ = ["FileJournal", "Interrupted", "Journal", "drifted", "run"]

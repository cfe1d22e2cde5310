"""Adapter: git. Commits, trees and blobs by id, never the working tree."""

from haoam_sync.repository.login import Login
from haoam_sync.repository.process import require_git
from haoam_sync.repository.source import Source, parse_ref, parse_source
from haoam_sync.repository.store import ATTESTATIONS, Repository
from haoam_sync.repository.worktree import commit_signed

__all__ = [
    "ATTESTATIONS",
    "Login",
    "Repository",
    "Source",
    "commit_signed",
    "parse_ref",
    "parse_source",
    "require_git",
]

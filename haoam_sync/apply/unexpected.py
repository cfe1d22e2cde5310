"""A defect as an error of ours, so that one instance's defect is that instance's outcome."""

from __future__ import annotations

from haoam_sync.errors import HaoamError


def unexpected(error: BaseException) -> HaoamError:
    """What stopped us, by its class alone: its words may hold a part of an answer."""
    return HaoamError(
        f"was stopped by an unexpected {type(error).__name__}",
        code="E_UNEXPECTED",
        hint="this is a defect of haoam-sync; run again with HAOAM_DEBUG=1 and report what it prints",
    )

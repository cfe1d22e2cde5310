"""The text of a secret reference, as a document writes it."""

from __future__ import annotations

from haoam_sync.model.secret import SecretReference

LATER = frozenset({"command", "sops"})
"""Schemes that are designed, and refused until they are built: a review should not pass what no apply can do."""
HINT = "write env/NAME or file/PATH"
LITERAL_HINT = "write {secret: env/NAME} or {secret: file/PATH}"


def refusal(text: str) -> str | None:
    """Why a text is no reference that can be resolved; None when it is one. Never repeats the text."""
    try:
        reference = SecretReference.parse(text)
    except ValueError:
        return "this is no secret reference"
    return (
        f"{reference.scheme}/ references are not supported yet by this version" if reference.scheme in LATER else None
    )

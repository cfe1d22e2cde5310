"""What a forge answered, as bytes, and who fetches it. Judged by `trust/forge.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haoam_sync.errors import ForgeDownError, NotTrustedError
from haoam_sync.model.json import digest, digest_bytes

GITHUB_API = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, as it came.

    Attributes:
        asked: path below the API's base URL, with its query.
        body: its bytes: JSON, not believed yet.
    """

    asked: str
    body: bytes = field(repr=False)


def digest_of(pages: Sequence[Page]) -> str:
    """What a decision keeps of the answers that it rests on: a digest of what was asked and of each answer's digest."""
    return digest([[page.asked, digest_bytes(page.body)] for page in pages])


class Forge(Protocol):
    """Fetches answers of one forge.

    Attributes:
        repository: numeric id of the repository; names can be taken over, ids can not.
    """

    @property
    def repository(self) -> int:
        """See the class."""

    def read(self, path: str, query: Sequence[tuple[str, str]] = (), *, listed: bool) -> tuple[Page, ...]:
        """The answer to a GET of `path`: one page, or every page of a list, none missing.

        Raises:
            ForgeDownError: E_FORGE_UNKNOWN, there is no answer.
            NotTrustedError: E_FORGE_UNKNOWN, there is not the whole of it.
        """

    def keep(self, pages: Sequence[Page]) -> None:
        """Keep answers that a decision rests on, under their digest, so that it can be examined again."""


def unknown(why: str, *, where: str, hint: str = "", down: bool = False) -> NotTrustedError:
    """The refusal of whatever can not be learned: what is not known is not good; `down` when there is no answer."""
    return (ForgeDownError if down else NotTrustedError)(
        f"what GitHub knows of this change can not be learned: {why}",
        code="E_FORGE_UNKNOWN",
        where=where,
        hint=hint or "nothing changes until it can be; try again later, and see whether the token may read it",
    )

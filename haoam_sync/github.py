"""Adapter: GitHub's REST API, read as bytes, every page or none. What the answers mean is judged in `trust/forge.py`.

A is what must hold of an answer before anybody looks into it; anything else is E_FORGE_UNKNOWN, and the commit is held:

A1  It comes from the base URL of the host root file. No redirect is followed, and the token goes nowhere else.
A2  Its status is 200; or 304 to a conditional request, whose answer of this very run then still is the newest.
A3  It is whole, bounded JSON, read strictly.
A4  Of a list every page is there: `Link` names the next one, on the same host and path. A full page without a next one
    is not believed to be the last: the page behind it is asked for, and must be empty.

Answers are remembered within a run, for conditional requests, which GitHub does not count; never from run to run.

https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import base64
import gzip
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.http import Bounds, Call, Http, Peer, Reply
from haoam_sync.model.forge import Page, digest_of, unknown
from haoam_sync.model.json import canonical_json
from haoam_sync.model.strict_json import json_of

_HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
_BOUNDS = Bounds(connect_s=10, silence_s=30, whole_s=90, answer_bytes=16 << 20)
_LINK = re.compile(r'<([^<>\s]{1,2000})>((?:\s*;\s*[a-z]+="[^"]*")+)\s*(?:,|$)\s*')
_REL = re.compile(r';\s*rel="([^"]*)"')
_PER_PAGE: Final = 100
_MOST_PAGES: Final = 50
"""5,000 reviews or events of one pull request; more is refused."""
_CURSORED: Final = ("/activity",)
"""Lists without page numbers: behind their last page there is nothing that could be asked for."""
_KEPT: Final = 256
_OK, _NOT_MODIFIED, _SERVER_ERROR = 200, 304, 500
_NO_ANSWER = frozenset({"E_UNREACHABLE", "E_TIMEOUT"})

_Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    etag: str
    body: bytes
    link: str


class GitHub:
    """One repository on GitHub or a GitHub Enterprise server.

    Attributes:
        repository: its numeric id.
    """

    def __init__(self, transport: Http, base: str, repository: int, kept: Path | None = None) -> None:
        """`base` is the base URL that the transport asks; `kept` the directory for `keep`, None for none."""
        self._transport = transport
        self._base = base.rstrip("/")
        self._repository = repository
        self._directory = kept
        self._kept: OrderedDict[tuple[str, _Query], _Kept] = OrderedDict()

    @property
    def repository(self) -> int:
        """See the class."""
        return self._repository

    def read(self, path: str, query: Sequence[tuple[str, str]] = (), *, listed: bool) -> tuple[Page, ...]:
        """See `Forge`."""
        if not listed:
            return (self._page(path, tuple(query))[0],)
        pages: list[Page] = []
        asked: _Query = (*query, ("per_page", str(_PER_PAGE)))
        seen: set[_Query] = set()
        most = 1
        while True:
            if asked in seen or len(pages) >= _MOST_PAGES:
                raise self._unknown(path, f"its pages have no end, or are more than {_MOST_PAGES}")
            seen.add(asked)
            page, link = self._page(path, asked)
            pages.append(page)
            links = self._links(path, link)
            most = max(most, _number(links.get("last", ())))
            following = links.get("next")
            entries = _entries(self, page)
            if following is None and len(entries) == _PER_PAGE and not path.endswith(_CURSORED):
                following = _page_after(asked)
            if following is None:
                break
            asked = following
        if len(pages) < most:
            raise self._unknown(path, f"{len(pages)} pages came of {most}")
        return tuple(pages)

    def keep(self, pages: Sequence[Page]) -> None:
        """See `Forge`: KEPT/DIGEST.json.gz, a JSON list of what was asked and each answer's bytes in base64.

        Raises:
            UsageError: E_STATE, it cannot be written.
        """
        if self._directory is None:
            return
        file = self._directory / f"{digest_of(pages).removeprefix('sha256:')}.json.gz"
        if file.exists():
            return
        whole = canonical_json([[page.asked, base64.b64encode(page.body).decode("ascii")] for page in pages])
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as new:  # mode 0600
                new.write(gzip.compress(whole, mtime=0))
                new.flush()
                os.fsync(new.fileno())
            Path(new.name).rename(file)
        except OSError as error:
            raise UsageError(
                f"the forge's answers cannot be kept: {error.strerror}",
                code="E_STATE",
                where=str(self._directory),
                hint="name a directory of your own with --state or HAOAM_STATE",
            ) from error

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def _page(self, path: str, query: _Query) -> tuple[Page, str]:
        kept = self._kept.get((path, query))
        conditional = (("If-None-Match", kept.etag),) if kept is not None else ()
        reply = self._transport.send(Call("GET", path, query, headers=(*_HEADERS, *conditional)))
        if reply.status == _NOT_MODIFIED and kept is not None:
            body, link = kept.body, kept.link
        elif reply.status == _OK:
            body, link = self._whole(path, reply), reply.headers.get("link", "")
        else:
            raise self._unknown(path, _why(reply), down=_is_down(reply))
        etag = reply.headers.get("etag", "")
        if reply.status == _OK and re.fullmatch(r'(?:W/)?"[!#-~]{0,200}"', etag):
            self._kept[path, query] = _Kept(etag, body, link)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return Page(f"{path}?{urlencode(query)}" if query else path, body), link

    def _whole(self, path: str, reply: Reply) -> bytes:
        """A3."""
        if not reply.headers.get("content-type", "").startswith("application/json"):
            raise self._unknown(path, "the answer is no JSON")
        try:
            json_of(reply.body)
        except ValueError as error:
            raise self._unknown(path, "the answer is no whole JSON") from error
        return reply.body

    def _links(self, path: str, header: str) -> dict[str, _Query]:
        """A4: where the other pages are, by relation."""
        found: dict[str, _Query] = {}
        place = 0
        while place < len(header):
            link = _LINK.match(header, place)
            if link is None:
                raise self._unknown(path, "its Link header can not be read")
            place = link.end()
            relation = _REL.search(link[2])
            if relation is None:
                continue
            try:
                target, base = urlsplit(link[1]), urlsplit(self._base)
                there = (target.scheme, target.hostname, target.port or _port(target.scheme), target.path)
                here = (base.scheme, base.hostname, base.port or _port(base.scheme), base.path + path)
                query = tuple(parse_qsl(target.query, strict_parsing=True, max_num_fields=16))
            except ValueError as error:
                raise self._unknown(path, "its Link header can not be read") from error
            if there != here or target.username is not None:
                raise self._unknown(path, "its next page is said to be elsewhere")
            if relation[1] in found:
                raise self._unknown(path, "its Link header can be read in two ways")
            found[relation[1]] = query
        return found

    def _unknown(self, path: str, why: str, *, down: bool = False) -> NotTrustedError:
        return unknown(f"GET {path}: {why}", where=self._base, down=down)


def connect(
    base: str, repository: int, *, token: str = "", ca: bytes | None = None, kept: Path | None = None
) -> GitHub:
    """The repository with this numeric id.

    Args:
        base: base URL of the API: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise server.
        repository: numeric id.
        token: that may read it; "" for none. Secret.
        ca: PEM of the only authorities to believe; None for the system's.
        kept: directory for the answers that decisions rest on; None to keep none.

    Raises:
        NotTrustedError: E_FORGE_UNKNOWN, `ca` is no PEM. Nothing is sent yet.
    """
    peer = Peer(
        base,
        _error,
        url="`api` in the host root file is https://api.github.com, or https://HOST/api/v3",
        up="check the network, and `api` in the host root file",
        quick="try again later",
        tls="check `ca` in the host root file, and the name in the server's certificate",
        right="check `api` in the host root file",
    )
    return GitHub(Http(base, peer=peer, bearer=token, ca=ca, bounds=_BOUNDS), base, repository, kept)


def _error(message: str, *, code: str, where: str, hint: str) -> NotTrustedError:
    return unknown(message, where=where, hint=hint, down=code in _NO_ANSWER)


def _why(reply: Reply) -> str:
    """A status in words. Nothing of the answer's body is shown: it may be anything."""
    match reply.status:
        case 401:
            return "the token is not accepted"
        case 403 | 429 if _is_limited(reply):
            return "the rate limit of the token is used up"
        case 403 | 404:
            return f"it is not there, or the token may not read it ({reply.status})"
        case status if status in {301, 302, 303, 307, 308}:
            return f"it is said to be elsewhere ({status}); no redirect is followed"
        case status:
            return f"the answer is {status}"


def _is_down(reply: Reply) -> bool:
    """Whether the server says that it can not answer now."""
    return reply.status >= _SERVER_ERROR or (reply.status in {403, 429} and _is_limited(reply))


def _is_limited(reply: Reply) -> bool:
    return reply.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in reply.headers


def _entries(forge: GitHub, page: Page) -> Sequence[object]:
    document = json_of(page.body)
    if not isinstance(document, list):
        raise forge._unknown(page.asked, "the answer is no list")  # noqa: SLF001  # of this module
    return document


def _page_after(query: _Query) -> _Query:
    """The page behind one that is full and names no next one."""
    number = _number(query) + 1
    return (*((name, value) for name, value in query if name != "page"), ("page", str(number)))


def _number(query: _Query) -> int:
    """The number of a page; 1 when it has none."""
    text = dict(query).get("page", "1")
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80

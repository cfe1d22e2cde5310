"""The GitHub adapter: conditional requests, and where the token goes. Its answers are judged in `test_forge.py`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_github import TOKEN, Answer, FakeGitHub, serving

from haoam_sync import github
from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.http import Call, Reply
from haoam_sync.model.forge import Page, digest_of

REVIEWS = "/repositories/4711/pulls/12/reviews"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """A GitHub with one pull request that two people reviewed."""
    with serving(FakeGitHub(now=datetime(2027, 3, 1, tzinfo=UTC))) as found:
        found.open(12, ["a" * 40], 1)
        found.review(12, 2)
        found.review(12, 3)
        yield found


def connect(fake: FakeGitHub, token: str = TOKEN) -> github.GitHub:
    """A session, as a run has one."""
    return github.connect(fake.url, fake.repository, token=token)


def test_what_has_not_changed_is_not_sent_again(fake: FakeGitHub) -> None:
    """Within a run the second reading is a conditional request for each page, and gives the same bytes."""
    fake.page = 1
    forge = connect(fake)
    first = forge.read(REVIEWS, listed=True)
    assert (len(first), fake.not_modified) == (2, 0)
    assert forge.read(REVIEWS, listed=True) == first
    assert (len(fake.asked), fake.not_modified) == (4, 2)


def test_what_has_changed_is_read(fake: FakeGitHub) -> None:
    """A change between two readings shows in the second."""
    forge = connect(fake)
    first = forge.read(REVIEWS, listed=True)
    fake.review(12, 4, "CHANGES_REQUESTED")
    second = forge.read(REVIEWS, listed=True)
    assert b"CHANGES_REQUESTED" in second[0].body
    assert digest_of(first) != digest_of(second)
    assert fake.not_modified == 0


def test_nothing_is_remembered_from_run_to_run(fake: FakeGitHub) -> None:
    """A run begins without any answer: it asks unconditionally."""
    connect(fake).read(REVIEWS, listed=True)
    connect(fake).read(REVIEWS, listed=True)
    assert fake.not_modified == 0


def test_a_full_last_page_costs_one_request_more(fake: FakeGitHub) -> None:
    """A hundred entries without a next page: the page behind them is asked for, and is empty."""
    for _ in range(98):
        fake.review(12, 5, "COMMENTED")
    pages = connect(fake).read(REVIEWS, listed=True)
    assert [page.body == b"[]" for page in pages] == [False, True]


def test_the_token_is_sent_and_never_shown(fake: FakeGitHub) -> None:
    """The token is in every request, and in no error."""
    connect(fake).read(REVIEWS, listed=True)
    assert set(fake.tokens) == {f"Bearer {TOKEN}"}
    fake.wrong = lambda _path, _query: Answer(401, f'{{"message":"bad token {TOKEN}"}}'.encode())
    with pytest.raises(NotTrustedError, match="the token is not accepted") as caught:
        connect(fake).read(REVIEWS, listed=True)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value.__cause__)


def test_without_a_token_nothing_is_claimed(fake: FakeGitHub) -> None:
    """A repository that everybody may read needs no token; one that is closed is not there."""
    with pytest.raises(NotTrustedError, match=r"may not read it \(404\)"):
        connect(fake, "").read(REVIEWS, listed=True)
    assert fake.tokens == [""]


def test_the_rate_limit_is_said(fake: FakeGitHub) -> None:
    """A used up rate limit is another thing than a token that may not read."""
    fake.wrong = lambda _path, _query: Answer(403, b"{}", {"X-RateLimit-Remaining": "0"})
    with pytest.raises(NotTrustedError, match="rate limit") as caught:
        connect(fake).read(REVIEWS, listed=True)
    assert caught.value.code == "E_FORGE_UNKNOWN"


def test_a_server_that_is_not_there() -> None:
    """No connection is no answer, and says where."""
    forge = github.connect("http://127.0.0.1:9/api/v3", 1, token=TOKEN)
    with pytest.raises(NotTrustedError) as caught:
        forge.read(REVIEWS, listed=False)
    assert caught.value.code == "E_FORGE_UNKNOWN"
    assert TOKEN not in str(caught.value)


def test_the_digest_covers_what_was_asked() -> None:
    """The same bytes as the answer to something else are another digest."""
    assert digest_of([Page("/a", b"[]")]) != digest_of([Page("/b", b"[]")])
    assert digest_of([Page("/a", b"[]")]) != digest_of([Page("/a", b"[ ]")])


def test_answers_are_kept_once_each(fake: FakeGitHub, tmp_path: Path) -> None:
    """Under their digest, readable by this account alone; the same answers take no second file."""
    forge = github.connect(fake.url, fake.repository, token=TOKEN, kept=tmp_path / "forge")
    pages = forge.read(REVIEWS, listed=True)
    forge.keep(pages)
    forge.keep(pages)
    (file,) = (tmp_path / "forge").iterdir()
    assert file.name == digest_of(pages).removeprefix("sha256:") + ".json.gz"
    assert json.loads(gzip.decompress(file.read_bytes()))[0][0].startswith(REVIEWS)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    forge.close()


def test_a_directory_that_can_not_be_written(fake: FakeGitHub, tmp_path: Path) -> None:
    """Answers that cannot be kept are an error: a decision must be able to be examined again."""
    (tmp_path / "forge").write_bytes(b"a file")
    forge = github.connect(fake.url, fake.repository, token=TOKEN, kept=tmp_path / "forge")
    with pytest.raises(UsageError) as caught:
        forge.keep(forge.read(REVIEWS, listed=True))
    assert caught.value.code == "E_STATE"
    forge.close()


class Peer:
    """Answers every request alike, and remembers what was asked."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = {"content-type": "application/json", **headers}
        self.calls: list[Call] = []

    def send(self, call: Call) -> Reply:
        """See `Transport`."""
        self.calls.append(call)
        return Reply(200, self.headers, b"[]")


def _read(headers: dict[str, str]) -> Peer:
    peer = Peer(headers)
    forge = github.GitHub(peer, "https://api.example.com", 4711)  # type: ignore[arg-type]  # what it needs of a session
    for _ in range(2):
        forge.read(REVIEWS, listed=True)
    return peer


@pytest.mark.parametrize(
    ("etag", "kept"), [('"a"', True), ('W/"a"', True), ("a", False), ('"a b"', False), ('"\xe9"', False), ('"a', False)]
)
def test_an_etag_is_sent_back_as_it_may_be_written(etag: str, kept: bool) -> None:  # noqa: FBT001  # pytest's parametrize
    """What is no entity tag is not put into a header of ours: the next reading is unconditional."""
    asked = [dict(call.headers).get("If-None-Match") for call in _read({"etag": etag}).calls]
    assert asked == [None, etag if kept else None]


@pytest.mark.parametrize(
    "target",
    [
        "https://api.example.com.evil.example",
        "https://api.example.com@evil.example",
        "https://x@api.example.com",
        "http://api.example.com",
        "https://api.example.com:444",
        "https://api.example.com/more",
    ],
)
def test_a_next_page_that_only_looks_like_ours(target: str) -> None:
    """Another host, scheme, port, path or login in a `Link` is not followed; nothing more is asked."""
    peer = Peer({"link": f'<{target}{REVIEWS}?page=2>; rel="next"'})
    with pytest.raises(NotTrustedError, match="said to be elsewhere"):
        github.GitHub(peer, "https://api.example.com", 4711).read(REVIEWS, listed=True)  # type: ignore[arg-type]
    assert len(peer.calls) == 1


def test_two_next_pages() -> None:
    """A header that names two next pages could be read in two ways, and is read in none."""
    here = f"https://api.example.com{REVIEWS}"
    peer = Peer({"link": f'<{here}?page=2>; rel="next", <{here}?page=3>; rel="next"'})
    with pytest.raises(NotTrustedError, match="in two ways"):
        github.GitHub(peer, "https://api.example.com", 4711).read(REVIEWS, listed=True)  # type: ignore[arg-type]
    assert len(peer.calls) == 1

"""A GitHub on loopback: the answers that its REST API documents, and ways to make each of them wrong.

Written from https://docs.github.com/rest: pull requests of a commit, a pull request, its reviews, the timeline and the
events of an issue, the activity of a repository; by numeric repository id, in pages with `Link`, with `ETag` and 304,
and 404 for who may not read.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Json = Any
TOKEN = "t0ken-of-the-forge"
BASE = "/api/v3"


@dataclass(frozen=True)
class Answer:
    """What the server says instead."""

    status: int = 200
    body: bytes = b"[]"
    headers: Mapping[str, str] = field(default_factory=dict)


Wrong = Callable[[str, Mapping[str, str]], "Answer | None"]
"""Given path and query, another answer; None for the right one."""


class FakeGitHub:
    """What the server knows.

    Attributes:
        repository: numeric id of the repository.
        branch: name of the policy's branch.
        asked: every request, as `PATH?QUERY`.
        tokens: every Authorization header.
        not_modified: how many answers were 304.
        wrong: asked before each answer.
    """

    def __init__(self, *, now: datetime, repository: int = 4711, branch: str = "main", base: str = "") -> None:
        self.repository = repository
        self.branch = branch
        self.url = base
        self.now = now
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.not_modified = 0
        self.wrong: Wrong = lambda _path, _query: None
        self.page = 100
        self.pulls: dict[int, dict[str, Json]] = {}
        self.of_commit: dict[str, list[int]] = {}
        self.reviews: dict[int, list[dict[str, Json]]] = {}
        self.timeline: dict[int, list[dict[str, Json]]] = {}
        self.events: dict[int, list[dict[str, Json]]] = {}
        self.activity: dict[int, list[dict[str, Json]]] = {}
        self._ids = iter(range(1_000_000, 2_000_000))
        self._clock = now - timedelta(hours=3)

    # --- what people do ------------------------------------------------------------------------------------------

    def tick(self) -> str:
        """A moment later, as GitHub writes it."""
        self._clock += timedelta(seconds=10)
        return self._clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, account: int, kind: str = "User", login: str = "") -> dict[str, Json]:
        """A simple user."""
        login = login or f"user-{account}"
        return {"login": login, "id": account, "node_id": f"U_{account}", "type": kind, "site_admin": False}

    def open(
        self,
        number: int,
        commits: Sequence[str],
        author: int,
        *,
        fork: int = 0,
        ref: str = "topic",
        base: str = "",
        kind: str = "User",
    ) -> int:
        """A pull request of `commits`, the last one its head, pushed by its author."""
        home = fork or self.repository
        self.pulls[number] = {
            "id": next(self._ids),
            "number": number,
            "state": "open",
            "locked": False,
            "title": "A change",
            "user": self.user(author, kind),
            "body": None,
            "created_at": self.tick(),
            "merged_at": None,
            "merge_commit_sha": None,
            "merged": False,
            "head": {
                "ref": ref,
                "sha": "",
                "repo": {"id": home, "name": "lb", "fork": bool(fork)},
            },
            "base": {
                "ref": base or self.branch,
                "sha": "0" * 40,
                "repo": {"id": self.repository},
            },
            "draft": False,
        }
        self.reviews[number], self.timeline[number], self.events[number] = [], [], []
        self.push(number, commits, author)
        return number

    def push(self, number: int, commits: Sequence[str], who: int, *, force: bool = False) -> None:
        """More commits on the branch; with `force`, in place of those that were there."""
        pull = self.pulls[number]
        before = pull["head"]["sha"] or "0" * 40
        pull["head"]["sha"] = commits[-1]
        if force:
            self.timeline[number] = [e for e in self.timeline[number] if e["event"] != "committed"]
        # GitHub places commits by dates that their makers chose: a forced one may stand before everything else
        committed = [self.committed(sha) for sha in commits]
        self.timeline[number] = [*committed, *self.timeline[number]] if force else [*self.timeline[number], *committed]
        when = self.tick()
        if force:
            self.event(number, "head_ref_force_pushed", who, commit_id=commits[-1], created_at=when)
        self.activity.setdefault(pull["head"]["repo"]["id"], []).insert(
            0,
            {
                "id": next(self._ids),
                "before": before,
                "after": commits[-1],
                "ref": f"refs/heads/{pull['head']['ref']}",
                "timestamp": when,
                "activity_type": "force_push" if force else "push",
                "actor": self.user(who),
            },
        )

    def committed(self, sha: str) -> dict[str, Json]:
        """A timeline event without an actor, and without a time of GitHub's."""
        person = {"name": "Somebody", "email": "somebody@example.com", "date": "2026-01-01T00:00:00Z"}
        return {
            "event": "committed",
            "sha": sha,
            "author": person,
            "committer": person,
            "message": "change",
            "parents": [],
        }

    def event(self, number: int, name: str, who: int, *, timeline: bool = True, **more: Json) -> dict[str, Json]:
        """Something that happened, in the events and (for most kinds) in the timeline."""
        found = {
            "id": next(self._ids),
            "event": name,
            "actor": self.user(who),
            "commit_id": None,
            "created_at": more.pop("created_at", None) or self.tick(),
            **more,
        }
        self.events[number].append(found)
        if timeline:
            self.timeline[number].append(found)
        return found

    def review(
        self,
        number: int,
        account: int,
        state: str = "APPROVED",
        commit: str = "",
        *,
        kind: str = "User",
        login: str = "",
    ) -> dict[str, Json]:
        """A review of what is the head now."""
        found = {
            "id": next(self._ids),
            "user": self.user(account, kind, login),
            "body": "",
            "state": state,
            "commit_id": commit or self.pulls[number]["head"]["sha"],
            "submitted_at": self.tick(),
            "author_association": "MEMBER",
        }
        self.reviews[number].append(found)
        self.timeline[number].append({**found, "event": "reviewed", "state": state.lower()})
        return found

    def dismiss(self, number: int, review: dict[str, Json], who: int) -> None:
        """A review is dismissed: its state changes, in both places."""
        before = review["state"].lower()
        review["state"] = "DISMISSED"
        for event in self.timeline[number]:
            if event["event"] == "reviewed" and event["id"] == review["id"]:
                event["state"] = "dismissed"
        self.event(number, "review_dismissed", who, dismissed_review={"review_id": review["id"], "state": before})

    def merge(self, number: int, commit: str, who: int) -> str:
        """The button; gives back the commit."""
        pull = self.pulls[number]
        pull |= {"merged": True, "state": "closed", "merge_commit_sha": commit, "merged_at": self.tick()}
        self.event(number, "merged", who, commit_id=commit)
        self.event(number, "closed", who)
        commits = [event["sha"] for event in self.timeline[number] if event["event"] == "committed"]
        for sha in dict.fromkeys([commit, *commits]):
            self.of_commit.setdefault(sha, []).append(number)
        return commit

    # --- what is answered ----------------------------------------------------------------------------------------

    def document(self, path: str, query: Mapping[str, str]) -> Json:
        """The whole answer, before it is cut into pages; None when there is nothing."""
        found = re.fullmatch(r"/repositories/([0-9]+)(/.*)?", path)
        if found is None:
            return None
        repository, rest = int(found[1]), found[2] or ""
        if rest == "/activity":
            return [a for a in self.activity.get(repository, []) if query.get("ref") in {None, a["ref"]}]
        if repository != self.repository:
            return None
        if one := re.fullmatch(r"/commits/([0-9a-f]{40})/pulls", rest):
            listed = (self.pulls[number] for number in self.of_commit.get(one[1], []))
            return [{k: v for k, v in pull.items() if k != "merged"} for pull in listed]
        if one := re.fullmatch(r"/(pulls|issues)/([0-9]+)(/reviews|/timeline|/events|)", rest):
            number = int(one[2])
            if number not in self.pulls:
                return None
            kinds = {"/reviews": self.reviews, "/timeline": self.timeline, "/events": self.events}
            return kinds[one[3]][number] if one[3] else self.pulls[number]
        return None

    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """What a request gets."""
        self.asked.append(f"{path}?{urlencode(query)}" if query else path)
        self.tokens.append(headers.get("Authorization", ""))
        wrong = self.wrong(path, query)
        if wrong is not None:
            return wrong
        document = self.document(path, query) if headers.get("Authorization") == f"Bearer {TOKEN}" else None
        if document is None:
            return Answer(404, b'{"message":"Not Found","status":"404"}')
        more: dict[str, str] = {}
        if isinstance(document, list):
            document, more = self._cut(document, path, query)
        body = json.dumps(document).encode()
        etag = f'W/"{hashlib.sha256(body + repr(more).encode()).hexdigest()}"'
        if headers.get("If-None-Match") == etag:
            self.not_modified += 1
            return Answer(304, b"", {"ETag": etag})
        return Answer(200, body, {"ETag": etag, **more})

    def _cut(self, document: list[Json], path: str, query: Mapping[str, str]) -> tuple[list[Json], dict[str, str]]:
        size = min(int(query.get("per_page", "30")), self.page)
        page = int(query.get("page", "1"))
        last = max(1, -(-len(document) // size))
        links = []
        if page < last:
            links = [(page + 1, "next"), (last, "last")]
        if page > 1:
            links += [(page - 1, "prev"), (1, "first")]
        said = ", ".join(
            f'<{self.url}{path}?{urlencode({**query, "page": number})}>; rel="{relation}"' for number, relation in links
        )
        return document[(page - 1) * size : page * size], {"Link": said} if said else {}


@contextmanager
def serving(fake: FakeGitHub) -> Iterator[FakeGitHub]:
    """The fake, on a free port of loopback; its `url` is the API's base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix(BASE)
            said = fake.answer(path, dict(parse_qsl(parts.query)), dict(self.headers))
            self.send_response(said.status)
            headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(said.body))}
            for name, value in {**headers, **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        fake.url = f"http://127.0.0.1:{server.server_address[1]}{BASE}"
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


def at(moment: datetime) -> str:
    """A time as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What the lab keeps apart: memory, file and worker; and what many clients at once do to it."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

SERVER = {"name": "s1", "address": "127.0.0.1", "port": 8080, "weight": 10}
WEB = {"name": "web", "mode": "http", "servers": {"s1": SERVER}}


def _with_backend(lab: Any) -> None:
    made = lab("POST", f"/configuration/backends?full_section=true&force_reload=true&version={lab.version()}", WEB)
    assert made.status == 201


def _weight_in_worker(lab: Any) -> int:
    stats = lab("GET", "/stats/native?type=server&parent=web&name=s1").body["stats"]
    return int(stats[0]["stats"]["weight"])


def test_the_checksum_is_of_the_text_after_its_first_line(lab: Any) -> None:
    """`Configuration-Checksum` and the file's first line are the MD5 of everything after that line."""
    said = lab("GET", "/configuration/raw")
    first, _, rest = said.body.partition("\n")
    checksum = hashlib.md5(rest.encode(), usedforsecurity=False).hexdigest()
    assert first == f"# _md5hash={checksum}"
    assert said.headers["configuration-checksum"] == checksum
    assert (lab.directory / "haproxy.cfg").read_text() == said.body


def test_a_weight_reaches_the_worker_without_a_reload(lab: Any) -> None:
    """Outside a transaction a weight is changed in the running worker: 200, no reload id."""
    _with_backend(lab)
    said = lab("PUT", f"/configuration/backends/web/servers/s1?version={lab.version()}", {**SERVER, "weight": 77})
    assert said.status == 200
    assert "reload-id" not in said.headers
    assert _weight_in_worker(lab) == 77


def test_a_weight_that_the_file_has_already_is_not_written_to_the_worker(lab: Any) -> None:
    """The file says 10 and the worker 7: a PUT of 10 answers 200, and the worker keeps 7."""
    _with_backend(lab)
    text = lab("GET", "/configuration/raw").body
    lab(
        "POST",
        f"/configuration/raw?skip_reload=true&version={lab.version()}",
        text=text,
        **{"X-Runtime-Actions": "SetServerWeight web s1 7"},
    )
    said = lab("PUT", f"/configuration/backends/web/servers/s1?version={lab.version()}", SERVER)
    assert (said.status, _weight_in_worker(lab)) == (200, 7)


def test_a_list_of_a_frontend_changes_the_file_and_not_the_worker(lab: Any) -> None:
    """A frontend replaced with other ACLs answers 200 without a reload: the trap is the server's own."""
    frontend: dict[str, Any] = {"name": "fe", "mode": "http"}
    path = "/configuration/frontends"
    lab("POST", f"{path}?full_section=true&force_reload=true&version={lab.version()}", frontend)
    changed = {**frontend, "acl_list": [{"acl_name": "a", "criterion": "path", "value": "/"}]}
    said = lab("PUT", f"{path}/fe?full_section=true&version={lab.version()}", changed)
    assert (said.status, said.headers.get("reload-id")) == (200, None)
    assert "acl a path /" in (lab.directory / "haproxy.cfg").read_text()


def test_a_commit_outdates_the_other_transactions(lab: Any) -> None:
    """Of two transactions from one version the first commit wins; the other can be deleted and nothing else."""
    first, second = lab.begun(), lab.begun()
    for transaction in (first, second):
        lab("POST", f"/configuration/backends?transaction_id={transaction}", {"name": f"b-{transaction[:8]}"})
    assert lab("PUT", f"/transactions/{first}?force_reload=true").status == 200
    assert lab("GET", f"/transactions/{second}").body["status"] == "outdated"
    assert lab("PUT", f"/transactions/{second}").status == 406
    assert lab("DELETE", f"/transactions/{second}").status == 204
    assert [b["name"] for b in lab("GET", "/configuration/backends").body] == [f"b-{first[:8]}"]


def test_writers_side_by_side_each_get_a_version_of_their_own(lab: Any) -> None:
    """Eight clients that write under the version they read: every accepted write raises it by one, none is lost."""

    def write(number: int) -> int:
        for _ in range(200):
            said = lab("POST", f"/configuration/backends?version={lab.version()}", {"name": f"b{number}"})
            if said.status == 202:
                return int(said.headers["configuration-version"])
            assert said.status == 409
        raise AssertionError("never got its turn")

    before = lab.version()
    with ThreadPoolExecutor(8) as pool:
        versions = sorted(pool.map(write, range(8)))
    assert versions == list(range(before + 1, before + 9))
    assert len(lab("GET", "/configuration/backends").body) == 8


def test_commits_within_the_delay_share_a_reload(lab: Any) -> None:
    """A pending reload is shared, told by its id, and done soon after."""
    made = [lab("POST", f"/configuration/backends?version={lab.version()}", {"name": name}) for name in ("a", "b")]
    ids = {said.headers["reload-id"] for said in made}
    deadline = time.monotonic() + 10
    while lab("GET", f"/reloads/{min(ids)}").body["status"] == "in_progress" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert lab("GET", f"/reloads/{max(ids)}").body["status"] == "succeeded"


def test_a_haproxy_that_was_killed_is_started_again(lab: Any) -> None:
    """The lab outlives its HAProxy: the next reload or question starts it anew."""
    _with_backend(lab)
    pid = int(lab("GET", "/runtime/info").body["info"]["pid"])
    parent = int(Path(f"/proc/{pid}/stat").read_text().split()[3])
    os.kill(parent, signal.SIGKILL)
    time.sleep(0.3)
    assert int(lab("GET", "/runtime/info").body["info"]["pid"]) != pid
    assert _weight_in_worker(lab) == 10

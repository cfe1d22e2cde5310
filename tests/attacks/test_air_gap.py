"""The air gap: a bundle carried by hand to a machine without a network, where the command line judges it.

The command runs in a network namespace of its own, without a single interface up, where the kernel allows one; in any
case each attempt to connect or to look up a name ends the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flow_attack import Site
from flow_cli import COMMAND, environment
from trust_world import closed_api, git, policy_document

_NO_NETWORK = """\
import os, sys
def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        os.write(2, f"NETWORK {event} {arguments}\\n".encode())
        os._exit(99)
sys.addaudithook(refuse)
"""
_LOOKS_UP = "import socket; socket.getaddrinfo('localhost', 80)"


@cache
def _apart() -> tuple[str, ...]:
    """What runs a command in a network namespace of its own: nothing where the kernel forbids that."""
    for command in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return ()


@pytest.fixture
def carried(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """Two changes, each with its review, and a machine that has never seen them."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(_NO_NETWORK)
    with closed_api() as api:
        site = Site(tmp_path, keys, policy_document(publics), gate=api)
        base = site.introduction
        for milliseconds in (1, 2):
            head = site.move(site.commit(site.with_timeout(milliseconds), [base]))
            site.review("bob", base, head)
            base = head
        yield site
        assert api.connections == 0


def _run(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = environment(
        {
            "HAOAM_REPO": str(site.place / "carried.bundle"),
            "HAOAM_ROOT": str(site.place / "root.yaml"),
            "HAOAM_STATE": str(site.host),
        }
    )
    variables["PYTHONPATH"] = os.pathsep.join([str(site.place / "without"), *sys.path])
    return subprocess.run([*_apart(), *arguments], env=variables, capture_output=True, text=True, check=False)


def _verified(site: Site, code: int) -> Any:
    ran = _run(site, *COMMAND, "trust", "verify", "--output", "json")
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout)


def _bundle(site: Site, *refs: str) -> None:
    git(site.repo, "bundle", "create", "-q", str(site.place / "carried.bundle"), *refs)


def test_control_everything_in_a_bundle_without_a_network(carried: Site) -> None:
    """A new machine without a network accepts the whole history from a bundle; the guard itself is in force."""
    assert _run(carried, sys.executable, "-c", _LOOKS_UP).returncode == 99
    _bundle(carried, "refs/heads/main", "refs/heads/haoam/attestations")
    head = git(carried.repo, "rev-parse", "refs/heads/main").decode().strip()
    assert _verified(carried, 0)["accepted"]["commit"] == head


@pytest.mark.attack("E_THRESHOLD")
def test_a_bundle_that_lacks_one_review(carried: Site) -> None:
    """The same bundle without the last review is refused, without a network too."""
    git(carried.repo, "update-ref", "refs/heads/haoam/attestations", "refs/heads/haoam/attestations~1")
    _bundle(carried, "refs/heads/main", "refs/heads/haoam/attestations")
    refusal = _verified(carried, 4)
    assert (refusal["exit"], refusal["code"]) == (4, "E_THRESHOLD")

"""What the next write of anybody would break: named before it, with what to do."""

from __future__ import annotations

import pytest

from haoam_sync.haproxycfg import unwritable
from haoam_sync.model.api_version import NEWEST, ApiVersion

OLD = ApiVersion(3, 2)
EXPERIMENTAL = "global\n  expose-experimental-directives\n  tune.fd.edge-triggered on\n"


@pytest.mark.parametrize(
    ("text", "heading", "reason"),
    [
        ("program p\n  command x\n", "program p", "API 3.4 knows no program sections"),
        ("frontend f\n  stats auth a:b:c\n", "frontend f", "cuts the password of `stats auth a:<secret>` off"),
        ("backend f\n  stats auth 'a:b c:d'\n", "backend f", "cuts the password"),
        ("defaults\n  stats auth a:b:c # x\n", "defaults", "cuts the password"),
        ("global\n  maxconn 5\ndefaults d\nglobal\n  maxconn 7\n", "global", "of `maxconn 5` and `maxconn 7`"),
        (EXPERIMENTAL, "global", "in front of `expose-experimental-directives`"),
        ("backend b\n  option httpchk\n  option tcp-check\n", "backend b", "writes `option httpchk` behind"),
        ("backend b\n  server s 10.0.0.1:1\n  default-server inter 9s\n", "backend b", "default-server stands below s"),
    ],
)
def test_what_a_write_would_break(text: str, heading: str, reason: str) -> None:
    """Each is named by its section, with what the server would do and what to do about it."""
    (found,) = unwritable(text, NEWEST)
    assert found.heading == heading
    assert reason in found.reason
    assert found.instead


@pytest.mark.parametrize(
    "text",
    [
        "frontend f\n  stats auth a:b\n  stats auth c:d\n",
        "listen l\n  stats auth a:b:c\n  server s 10.0.0.1:1\n  default-server inter 9s\n",
        "global\n  maxconn 5\n  maxconn 5\n  log-tag a\n  log-tag b\n  lua-load /a\n  lua-load /b\n  setenv A a\n",
        "global\n  setenv A a\n  setenv B b\n  cpu-map 1 1\n  cpu-map 2 2\n  log a local0\n  log b local0\n",
        "global\n  tune.maxrewrite 9\n  expose-experimental-directives\n",
        "backend b\n  option tcp-check\n  option httpchk\n  # option tcp-check\n",
        "backend b\n  option httpchk GET /a\n  option httpchk GET /b\n",
        "backend b\n  default-server inter 9s\n  server s 10.0.0.1:1\n",
        "frontend f\n  log-format a\n  log-format b\n  timeout client 1s\n  timeout client 2s\n",
    ],
)
def test_what_a_write_leaves_as_it_is(text: str) -> None:
    """The same keywords where a write does no harm: `listen` is not touched, lists stay lists, the last stays last."""
    assert unwritable(text, NEWEST) == ()


def test_programs_survive_older_servers() -> None:
    """Up to API 3.3 a program section stays where it is."""
    assert unwritable("program p\n  command x\n", OLD) == ()

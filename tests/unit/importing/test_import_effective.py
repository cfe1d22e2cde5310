"""The proof that proxies keep their defaults, and what is said of haoam.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_case import Case

from haoam_sync.haproxycfg import normal_form, with_explicit_defaults
from haoam_sync.importing import fleet_document, moved_defaults
from haoam_sync.model.api_version import NEWEST

TWO = """\
frontend early
  mode tcp
defaults
  mode http
  timeout client 30s
frontend web
  bind 127.0.0.1:1
defaults
  mode tcp
listen raw
  bind 127.0.0.1:2
defaults base
  retries 5
defaults more from base
  timeout client 1m
frontend up from more
  bind 127.0.0.1:3
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Imports into a directory of this test's own."""
    return Case(tmp_path)


def test_normal_form_alone_moves_defaults() -> None:
    """Regrouped without `from`, proxies by position get other defaults: each that does is named, and no other."""
    assert moved_defaults(TWO, normal_form(TWO, NEWEST), NEWEST) == ("frontend early", "frontend web")


def test_with_explicit_defaults_nothing_moves() -> None:
    """With an explicit `from` first, every proxy keeps what it has, in whatever unit it is written."""
    after = normal_form(with_explicit_defaults(TWO), NEWEST).replace("timeout client 30s", "timeout client 30000")
    assert moved_defaults(TWO, after, NEWEST) == ()


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ("retries 5", "retries 6", ("frontend up",)),
        ("mode tcp\nlisten", "mode http\nlisten", ("listen raw",)),
        ("  timeout client 30s\n", "", ("frontend web",)),
        ("defaults more from base", "defaults more", ("frontend up",)),
        ("frontend up from more", "frontend up from base", ("frontend up",)),
        ("  retries 5\n", "  retries 5\n  some-new-keyword\n", ("frontend up",)),
    ],
)
def test_each_change_of_defaults_is_seen(old: str, new: str, moved: tuple[str, ...]) -> None:
    """A line more, less or other in any section of a proxy's chain of defaults moves that proxy, and no other."""
    assert old in TWO
    assert moved_defaults(TWO, TWO.replace(old, new), NEWEST) == moved


@pytest.mark.parametrize(
    ("cluster", "words"),
    [("eu", None), ("us", "declares no cluster eu"), ("U S", "has to be put right")],
)
def test_fleet_that_is_there(case: Case, cluster: str, words: str | None) -> None:
    """An import says whether the haoam.yaml that is there fits its documents, and leaves it as it is."""
    text = fleet_document(cluster, "lb1", "http://127.0.0.1:5555/v3", "admin", "PASSWORD", "")
    case.tree.mkdir()
    (case.tree / "haoam.yaml").write_text(text, encoding="utf-8")
    warnings = case.imported("backend web\n  mode http\n").warnings
    assert [words in warning for warning in warnings] == ([True] if words else [])
    assert (case.tree / "haoam.yaml").read_text(encoding="utf-8") == text

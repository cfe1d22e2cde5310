"""What a changed path counts as, when documents name it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from haoam_sync import desired
from haoam_sync.desired.naming import Reads
from haoam_sync.model.trust_policy import Rule
from haoam_sync.trust.case import Case
from haoam_sync.trust.weights import meant, weigh

FLEET = frozenset({"haoam.yaml"})


def case(**named: Mapping[str, frozenset[str]]) -> Case:
    """A case of which only one function is asked."""

    def asked(commit: str) -> Mapping[str, frozenset[str]]:
        assert commit in named, "nobody asks about this commit"
        return named[commit]

    return cast("Case", SimpleNamespace(named=asked))


@pytest.mark.parametrize("side", ["base", "head"])
def test_each_side_counts(side: str) -> None:
    """A file weighs what a document that names it weighs, before the change or after it."""
    named: dict[str, Mapping[str, frozenset[str]]] = {"base": {}, "head": {}, side: {"docs/ca.pem": FLEET}}
    found = weigh(case(**named), "base", "head", ["docs/a.md", "docs/ca.pem"])
    assert found == {"docs/a.md": {"docs/a.md"}, "docs/ca.pem": {"docs/ca.pem", "haoam.yaml"}}
    assert meant(Rule(paths=("haoam.yaml",), require={"reviewer": 2}), found) == ("docs/ca.pem",)


def test_trust_files_are_for_the_roots() -> None:
    """Where only trust files change, nobody asks what documents name."""
    assert weigh(case(), "base", "head", ["keys/a.asc", "trust.yaml"]) == {
        "keys/a.asc": {"keys/a.asc"},
        "trust.yaml": {"trust.yaml"},
    }


def test_documents_that_cannot_be_read() -> None:
    """Then each other file may be named by every one of them."""
    paths = ["access/a.yaml", "docs/a.md", "haoam.yaml", "haproxy/b.yaml"]
    assert desired.named_by_any(paths) == {"docs/a.md": {"access/a.yaml", "haoam.yaml", "haproxy/b.yaml"}}


def test_every_way_to_read_a_file_is_noted() -> None:
    """Whether a document asks for it, looks whether it is there, or finds nothing: it named it."""
    reads = Reads({"a": b"1", "haoam.yaml": b"2"})
    files: Any = reads.of("haoam.yaml")
    assert (files.get("a"), files["haoam.yaml"], "b" in files, dict(reads.of("x.yaml"))["a"]) == (
        b"1",
        b"2",
        False,
        b"1",
    )
    assert reads.named == {"a": {"haoam.yaml", "x.yaml"}, "b": {"haoam.yaml"}, "haoam.yaml": {"x.yaml"}}

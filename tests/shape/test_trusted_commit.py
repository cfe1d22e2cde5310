"""Nothing is called trusted that the trust stage did not make; and its core does no I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import haoam_sync

PACKAGE = Path(haoam_sync.__file__).parent
CORE = (
    "account",
    "case",
    "certificate",
    "claims",
    "compromises",
    "core",
    "forge",
    "forge_events",
    "forge_reviews",
    "grammar",
    "graph",
    "lint",
    "merges",
    "packets",
    "pgpsig",
    "places",
    "policy",
    "powers",
    "reviews",
    "signatures",
    "sshsig",
    "standing",
    "statements",
    "structure",
    "thresholds",
    "trees",
    "weights",
    "words",
)
_OUTSIDE = frozenset({"os", "pathlib", "subprocess", "time", "tempfile", "socket", "secrets", "random", "io"})


def makers(tree: ast.AST) -> Iterator[int]:
    """Lines at which a TrustedCommit is made, or its class handed on to something that could make one."""
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
        for inner in ast.walk(annotation)
    }
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name == "TrustedCommit" and id(node) not in annotations:
            yield getattr(node, "lineno", 0)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "replace":
            yield from (node.lineno for keyword in node.keywords if keyword.arg in {"reviews", "signers"})


def test_only_trust_makes_one() -> None:
    """Outside the trust stage the class stands in annotations only, and nobody copies one with other reviews."""
    found = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if list(makers(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == {"trust"}


def test_the_test_sees_a_maker() -> None:
    """A call, an alias, a reference and a doctored copy are each found; an annotation is not."""
    assert list(makers(ast.parse("TrustedCommit(id)"))) == [1]
    assert list(makers(ast.parse("make = commit.TrustedCommit"))) == [1]
    assert list(makers(ast.parse("adapter(TrustedCommit)"))) == [1]
    assert list(makers(ast.parse("dataclasses.replace(commit, reviews=())"))) == [1]
    assert list(makers(ast.parse("def f(c: TrustedCommit) -> TrustedCommit | None: ..."))) == []


def test_only_verified_steps_become_one() -> None:
    """Within the trust stage two functions make them; the state file and rows of steps read back what they made."""
    found = {
        path.name: len(list(makers(ast.parse(path.read_text(encoding="utf-8")))))
        for path in (PACKAGE / "trust").glob("*.py")
    }
    assert {name: count for name, count in found.items() if count} == {"core.py": 2, "steps.py": 2}


def test_the_core_does_no_input_or_output() -> None:
    """The modules that decide import neither files, processes, clocks nor randomness."""
    for name in CORE:
        tree = ast.parse((PACKAGE / "trust" / f"{name}.py").read_text(encoding="utf-8"))
        imported = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in ([ast.alias(node.module or "")] if isinstance(node, ast.ImportFrom) else node.names)
        }
        assert imported.isdisjoint(_OUTSIDE), name
        inside = {
            node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("haoam_sync.trust.")
        }
        assert {module.rpartition(".")[2] for module in inside} <= set(CORE), name
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not {call for call in calls if call.endswith((".now", ".today", ".utcnow")) or call == "open"}, name

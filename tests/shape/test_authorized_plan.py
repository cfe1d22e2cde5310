"""Nothing reaches an instance's configuration without a plan that was authorized."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import haoam_sync
from haoam_sync import apply
from haoam_sync.model.authorized import AuthorizedPlan

PACKAGE = Path(haoam_sync.__file__).parent


def makers(tree: ast.AST) -> Iterator[int]:
    """Lines at which an AuthorizedPlan is made, or its class handed on to something that could make one."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
        for inner in ast.walk(annotation)
    }
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name == "AuthorizedPlan" and (id(node) in called or id(node) not in annotations):
            yield node.lineno  # type: ignore[attr-defined]


def test_only_authorize_makes_one() -> None:
    """No module but authorize.py calls the class or passes it on; annotations are no use of it."""
    found = {
        str(path.relative_to(PACKAGE)): lines
        for path in PACKAGE.rglob("*.py")
        if (lines := list(makers(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert list(found) == ["authorize.py"]


def test_the_test_sees_a_maker() -> None:
    """A call, an alias and a reference handed to another function are each found; an annotation is not."""
    assert list(makers(ast.parse("AuthorizedPlan(plan, commit)"))) == [1]
    assert list(makers(ast.parse("make = model.AuthorizedPlan"))) == [1]
    assert list(makers(ast.parse("build(AuthorizedPlan, x)"))) == [1]
    assert list(makers(ast.parse("def run(plan: AuthorizedPlan) -> AuthorizedPlan | None: ..."))) == []


def test_apply_takes_nothing_else() -> None:
    """The first argument of apply.run is an AuthorizedPlan, and nothing else can be applied."""
    assert get_type_hints(apply.run)["authorized"] is AuthorizedPlan
    assert next(iter(inspect.signature(apply.run).parameters)) == "authorized"


def test_only_apply_writes() -> None:
    """Outside the apply stage and the adapter itself no module calls a method of the client that writes."""
    writing = {
        "write_raw",
        "transaction",
        "upload_certificate",
        "delete_certificate",
        "set_admin_state",
        "delete_transaction",
    }
    found = sorted(
        {
            str(path.relative_to(PACKAGE))
            for path in PACKAGE.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in writing
        }
    )
    assert [path for path in found if not path.startswith(("apply/", "dataplane/", "lab/"))] == []
    assert any(path.startswith("apply/") for path in found)

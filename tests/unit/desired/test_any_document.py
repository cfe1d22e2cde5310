"""Whatever stands in a document: it is loaded, or refused with positions."""

from __future__ import annotations

import json

from desired_commits import blobs
from hypothesis import given, settings
from hypothesis import strategies as st

from haoam_sync import desired
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.section import MANAGED_KINDS, SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.structure import fields

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.sampled_from(
        ["", "x", "a b", "${cluster.name}", "${instance.vars.port}", "${cluster.x", "%[x]", "\n", "env/X", "enabled"]
    ),
    st.sampled_from(["{ http_auth_group(x) y }", "http_auth(x)", "#", '"', "\\", "\u202e"]),
)
_NAMES = st.sampled_from(["x", "s1", "name", "secret", "metadata", "type", "cond", "${cluster.name}", "a.b"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of a kind that can be managed, with some of its fields, holding anything."""
    kind: SectionKind = draw(st.sampled_from(MANAGED_KINDS))
    names = st.sampled_from(list(fields(section_model(kind))))
    spec = draw(st.dictionaries(st.one_of(names, _NAMES), _VALUES, max_size=4))
    metadata = {"name": "web", **draw(st.dictionaries(st.sampled_from(["clusters", "ignore", "external"]), _VALUES))}
    envelope = {"apiVersion": "haoam/v1", "kind": kind.document_kind, "metadata": metadata, "spec": spec}
    return json.dumps(envelope, indent=1)


@settings(max_examples=300, deadline=None)
@given(documents())
def test_any_document_is_loaded_or_refused_in_its_place(text: str) -> None:
    """Nothing in a document raises anything else; every problem has a line of that document."""
    state, problems = None, ()
    try:
        state = desired.load("c", blobs({"haproxy/f.yaml": text}), None)
    except InvalidDesiredError as error:
        problems = error.problems
    assert (state is None) == bool(problems)
    assert all(problem.file == "haproxy/f.yaml" for problem in problems)
    assert all(0 < problem.line <= text.count("\n") + 1 for problem in problems)
    if state is not None:
        assert all("sections" in parts for parts in desired.change(None, state)["instances"].values())  # type: ignore[union-attr, operator]

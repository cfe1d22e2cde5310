"""Canonical JSON: the fast way gives the bytes of the slow one, or leaves the value to it."""

from __future__ import annotations

from types import MappingProxyType
from typing import cast

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.model.json import Json, canonical_json

_TEXTS = st.text(max_size=8) | st.sampled_from(
    ['"', "\\", '\\"1.5', "\x7f", "\x00\x1f", "NaN", "1e3", "\U0001f600", "\ue000"]
)
_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
_VALUES = st.recursive(
    _SCALARS | _TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4)
)


@given(_VALUES)
def test_the_fast_way_gives_the_bytes_of_the_slow_one(value: Json) -> None:
    """Any JSON value is written as RFC 8785 says, whichever way was taken."""
    assert canonical_json(value) == rfc8785.dumps(cast("dict[str, object]", value))


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), float("inf"), {"a": [10**20]}])
def test_what_has_no_canonical_form_is_refused(value: Json) -> None:
    """A number that RFC 8785 does not know is refused, as before, and not written in some way of Python's."""
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json(value)


def test_numbers_are_written_as_javascript_does() -> None:
    """A fraction is written in its shortest form, a whole float as an integer."""
    assert canonical_json([1.0, 1e21, 0.5, -0.0]) == b"[1,1e+21,0.5,0]"


def test_any_mapping_can_be_written() -> None:
    """A read-only mapping is an object like any other, or refused as the slow way does."""
    value = MappingProxyType({"a": 1})
    try:
        expected = rfc8785.dumps(cast("dict[str, object]", value))
    except rfc8785.CanonicalizationError:
        with pytest.raises(rfc8785.CanonicalizationError):
            canonical_json(value)
    else:
        assert canonical_json(value) == expected

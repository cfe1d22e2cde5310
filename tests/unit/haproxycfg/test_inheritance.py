"""`defaults` that are made from others: the order that servers give them, and that HAProxy needs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from haoam_sync.haproxycfg import ConfigFile, normal_form
from haoam_sync.haproxycfg.inheritance import parents_first, source_of
from haoam_sync.model.api_version import ApiVersion

# What 3.2.15 and 3.4.2 wrote for defaults with these names, each made from the other.
MEASURED = [
    ({"m": "", "z": "", "a": "z", "b": "m", "c": "a", "n": "m", "base": ""}, "base m b n z a c"),
    ({"b": "c", "c": "d", "d": "", "a": "b", "base": ""}, "base d c b a"),
    ({"a": "", "b": "a", "c": "", "d": "c", "aa": "d", "base": ""}, "a b base c d aa"),
    ({"x": "y", "y": "", "a": "", "z": "x", "w": "z", "base": ""}, "a base y x z w"),
    ({"a": "c", "b": "c", "c": "", "zz": "base", "base": ""}, "base c b a zz"),
    ({"e": "g", "f": "e", "g": "", "h": "", "d": "h", "i": "d", "base": ""}, "base g e f h d i"),
    ({"i": "", "a": "i", "h": "", "g": "h", "l": "g", "f": "", "base": ""}, "base f h g i a l"),
    ({"g": "", "a": "", "c": "g", "h": "a", "b": "a", "f": "c", "e": "b", "base": ""}, "a b base e g c f h"),
    ({"l": "", "b": "", "k": "b", "c": "k", "e": "", "f": "l", "base": ""}, "b base e k c l f"),
]


@pytest.mark.parametrize(("sources", "order"), MEASURED, ids=[order for _, order in MEASURED])
def test_the_order_of_servers(sources: dict[str, str], order: str) -> None:
    """By name, and each that stands in front of the one it is made from goes right behind that one."""
    assert parents_first(sorted(sources), sources) == order.split()


@pytest.mark.parametrize("sources", [{"a": "b", "b": "a", "c": ""}, {"a": "a"}, {"a": "elsewhere", "b": ""}], ids=str)
def test_what_has_no_end_stays(sources: dict[str, str]) -> None:
    """A circle, or a source that is not there, moves nothing, and ends."""
    assert parents_first(sorted(sources), sources) == sorted(sources)


def test_a_long_chain_keeps_every_name() -> None:
    """Of a chain of two hundred, in the worst order, each name comes once and behind the one it is made from."""
    names = [f"{number:03}" for number in range(200)]
    assert parents_first(names, dict(pairwise(names))) == names[::-1]


def test_the_normal_form_puts_them_so() -> None:
    """The normal form has `defaults` where the server writes them, and is its own normal form."""
    text = "defaults shop\n  mode http\n\ndefaults edge from shop\n  retries 2\n\ndefaults base\n  mode tcp\n"
    normal = normal_form(text, ApiVersion(3, 4))
    assert [section.name for section in ConfigFile.parse(normal)] == ["base", "shop", "edge"]
    assert normal_form(normal, ApiVersion(3, 4)) == normal


def test_the_source_is_in_the_first_line_only() -> None:
    """A comment, or a line of the section, that says `from` names nothing."""
    assert source_of("defaults a # from b\n  email-alert from c") == ""
    assert source_of("defaults a from b\n  mode tcp") == "b"

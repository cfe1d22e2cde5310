"""Values deep inside JSON."""

from __future__ import annotations

import pytest

from haoam_sync.desired.paths import Path, matching
from haoam_sync.model.json import Json

BODY: Json = {
    "servers": {"b": {"address": "x"}, "a": {"address": "y", "port": 80}, "c": "text"},
    "rules": [{"name": "r0"}, {"other": "o"}, {"name": "r2"}],
    "*": {"name": "star"},
}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("servers.*.address", [(("servers", "b", "address"), "x"), (("servers", "a", "address"), "y")]),
        ("servers.*.port", []),
        ("servers.*", [(("servers", "c"), "text")]),
        ("rules.*.name", [(("rules", 0, "name"), "r0"), (("rules", 2, "name"), "r2")]),
        ("rules.name", []),
        ("missing.*.name", []),
        ("servers.c.name", []),
    ],
)
def test_every_text_at_a_pattern_in_the_order_of_the_document(pattern: str, found: list[tuple[Path, str]]) -> None:
    """`*` is every key and every index, anything that is no text is passed over, and the document's order stays."""
    assert list(matching(BODY, tuple(pattern.split(".")))) == found

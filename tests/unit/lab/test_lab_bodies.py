"""How the lab judges bodies, next to what the server says of the same ones."""

from __future__ import annotations

import json

import pytest

from haoam_sync.lab.bodies import read_list, read_object
from haoam_sync.lab.refusal import Refusal
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections import section_model
from haoam_sync.model.sections.servers import Server
from haoam_sync.model.sections.switching import Acl

V32, V34 = ApiVersion(3, 2), ApiVersion(3, 4)
BACKEND = section_model(SectionKind.BACKEND)


def _refused(body: object, api: ApiVersion = V32) -> Refusal:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with pytest.raises(Refusal) as caught:
        read_object(raw, Server, api)
    return caught.value


def test_unknown_fields_are_dropped_and_case_does_not_matter() -> None:
    """Keys match in any case of letters, the last one wins, and what nobody knows is gone."""
    body = read_object(b'{"NAME":"z","Address":"127.0.0.1","port":80,"Port":81,"typo":1,"weight":null}', Server, V32)
    assert body == {"name": "z", "address": "127.0.0.1", "port": 81}


def test_what_is_empty_is_absent_but_a_weight_of_zero_is_one() -> None:
    """Empty strings, false and empty maps vanish; whether a zero does depends on the field."""
    body = read_object(
        b'{"name":"b","mode":"","disabled":false,"servers":{},"balance":{"algorithm":"uri","uri_depth":0}}',
        BACKEND,
        V32,
    )
    assert body == {"name": "b", "balance": {"algorithm": "uri"}}
    server = read_object(b'{"name":"s","address":"a","weight":0,"error_limit":0}', Server, V32)
    assert server == {"name": "s", "address": "a", "weight": 0}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"name": "z", "port": 1}, 602, "address in body is required"),
        ({"name": "z z", "address": "a"}, 605, "name in body should match '^[^\\s]+$'"),
        ({"name": "z", "address": "a", "check": "yes"}, 606, "check in body should be one of [enabled disabled]"),
        ({"name": "z", "address": "a", "port": 99999}, 608, "port in body should be less than or equal to 65535"),
        ({"name": "z", "address": "a", "port": 0}, 609, "port in body should be greater than or equal to 1"),
    ],
)
def test_3_2_numbers_the_rule_that_is_broken(body: dict[str, object], code: int, message: str) -> None:
    """API 3.2 names the first broken rule, with the number of its kind."""
    refusal = _refused(body)
    assert (refusal.status, refusal.code, refusal.message) == (422, code, message)


def test_3_4_names_all_rules_that_are_broken() -> None:
    """API 3.4 names every broken rule, one a line, in the order in which they are judged."""
    refusal = _refused({"name": "z z", "address": "a", "port": 99999}, V34)
    assert (refusal.status, refusal.code) == (422, 422)
    assert refusal.message.splitlines() == [
        "name in body should match '^[^\\s]+$'",
        "port in body should be less than or equal to 65535",
    ]


def test_a_value_of_another_type_is_400_and_shows_where() -> None:
    """A number where a word belongs: 400, with the field and the bytes in front of the end."""
    refusal = _refused({"name": "z", "address": "127.0.0.1", "port": "80"})
    assert refusal.status == 400
    assert "cannot unmarshal string into Go struct field .port of type int64" in refusal.message
    assert '...|rt": "80"}|...' in refusal.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", 'ReadObjectCB: expect " after {, but found \0, error found in #1 byte of ...|{|'),
        ('{"name"', "ReadObject: expect : after object field, but found \0, error found in #7 byte of"),
        ('{"name":}', "Skip: do not know how to skip: 125, error found in #9 byte of"),
        ('{"name":"z",}', 'ReadString: expects " or n, but found }, error found in #10 byte of ...|ame":"z",}|'),
        ("nul", "skipThreeBytes: expect ull, error found in #3 byte of"),
    ],
)
def test_no_json_is_400_and_says_at_which_byte(body: str, message: str) -> None:
    """Where reading stops is said as the server says it."""
    refusal = _refused(body)
    assert refusal.status == 400
    assert message in refusal.message


def test_a_list_counts_its_elements() -> None:
    """In an array the path of a broken rule begins with the element's index."""
    with pytest.raises(Refusal) as caught:
        read_list(b'[{"acl_name":"a","criterion":"path"},{"acl_name":"x y","criterion":"src"}]', Acl, V32)
    assert caught.value.message == "1.acl_name in body should match '^[^\\s]+$'"

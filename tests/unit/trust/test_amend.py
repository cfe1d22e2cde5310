"""Edits of trust.yaml: what is meant changes, every other character stays."""

from __future__ import annotations

import difflib

import pytest

from haoam_sync import documents
from haoam_sync.trust.amend import Amendment

BLOCK = b"""\
# who may what
apiVersion: haoam/v1
spec:
  serial: 9  # one more each time
  principals:

    alice:       # the first
      kind: human
      keys:
        # on the token
        - {id: a1, type: ssh, status: active}   # until 2027
        - id: a2
          type: ssh
      # end of alice
    bob: {kind: human, keys: [{id: b1}]}
    carol:
      keys: []
    robot: {kind: bot}
"""
AS_JSON = b"""{
 "spec": {
  "serial": 9,
  "principals": {
   "alice": {
    "keys": [
     {
      "id": "a1",
      "status": "active"
     }
    ]
   }
  }
 }
}
"""


def lines(before: bytes, after: bytes) -> list[str]:
    """What differs, sign by sign."""
    found = difflib.ndiff(before.decode().splitlines(), after.decode().splitlines())
    return [line for line in found if line[0] in "+-"]


def test_scalars_in_block_style() -> None:
    """A value is replaced where it stands, a missing key comes behind the one named; comments stay where they are."""
    edit = Amendment(BLOCK, "trust.yaml")
    edit.put(("spec", "serial"), 10)
    edit.put(("spec", "previous"), "sha256:ab", after="serial")
    assert lines(BLOCK, edit.result()) == [
        "-   serial: 9  # one more each time",
        "+   serial: 10  # one more each time",
        "+   previous: sha256:ab",
    ]


def test_keys_of_both_styles() -> None:
    """A status is exchanged or added in brackets and out of them."""
    edit = Amendment(BLOCK, "trust.yaml")
    keys = ("spec", "principals", "alice", "keys")
    edit.put((*keys, 0, "status"), "retired")
    edit.put((*keys, 1, "status"), "retired")
    edit.put(("spec", "principals", "bob", "keys", 0, "status"), "retired")
    assert lines(BLOCK, edit.result()) == [
        "-         - {id: a1, type: ssh, status: active}   # until 2027",
        "+         - {id: a1, type: ssh, status: retired}   # until 2027",
        "+           status: retired",
        "-     bob: {kind: human, keys: [{id: b1}]}",
        "+     bob: {kind: human, keys: [{id: b1, status: retired}]}",
    ]


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("alice", ['+         - {id: x1, at: "2027-11-01"}']),
        ("bob", ["-     bob: {kind: human, keys: [{id: b1}]}",
                 '+     bob: {kind: human, keys: [{id: b1}, {id: x1, at: "2027-11-01"}]}']),
        ("carol", ["-       keys: []", '+       keys: [{id: x1, at: "2027-11-01"}]']),
        ("robot", ["-     robot: {kind: bot}", '+     robot: {kind: bot, keys: [{id: x1, at: "2027-11-01"}]}']),
    ],
)  # fmt: skip
def test_one_more_key(name: str, added: list[str]) -> None:
    """It comes last, in the style of the list that is there; where there is none, one is made."""
    edit = Amendment(BLOCK, "trust.yaml")
    edit.append(("spec", "principals", name, "keys"), {"id": "x1", "at": "2027-11-01"})
    assert lines(BLOCK, edit.result()) == added


def test_a_policy_written_as_json_stays_json() -> None:
    """Names and texts are quoted there."""
    edit = Amendment(AS_JSON, "trust.yaml")
    keys = ("spec", "principals", "alice", "keys")
    edit.put(("spec", "previous"), "sha256:ab", after="serial")
    edit.put((*keys, 0, "status"), "retired")
    edit.append(keys, {"id": "n"})
    assert lines(AS_JSON, edit.result()) == [
        '-   "serial": 9,',
        '+   "serial": 9, "previous": "sha256:ab",',
        '-       "status": "active"',
        '+       "status": "retired"',
        "-      }",
        '+      }, {"id": "n"}',
    ]


def test_other_ends_of_lines() -> None:
    """A file with carriage returns keeps them, on new lines, too."""
    data = BLOCK.replace(b"\n", b"\r\n")
    edit = Amendment(data, "trust.yaml")
    edit.put(("spec", "previous"), "sha256:ab", after="serial")
    assert edit.result() == data.replace(b"each time\r\n", b"each time\r\n  previous: sha256:ab\r\n")


@pytest.mark.parametrize("text", ["no", "1e3", "0x1", "2027-01-01", "a b", "12:30", 'a"b', "ä", "plain-1", "1.5"])
def test_texts_stay_texts(text: str) -> None:
    """What YAML would take for something else is quoted."""
    edit = Amendment(BLOCK, "trust.yaml")
    edit.append(("spec", "principals", "bob", "keys"), {"id": text})
    value = documents.load(edit.result(), "trust.yaml")[0].value
    assert value["spec"]["principals"]["bob"]["keys"][1] == {"id": text}  # type: ignore[call-overload, index]

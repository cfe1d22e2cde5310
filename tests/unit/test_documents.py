"""Reading YAML: what is accepted, what is refused, and where."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML, YAMLError

from haoam_sync import documents
from haoam_sync.documents import Bounds
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.position import Position

_NO_TOKEN = "this is not YAML: while scanning for the next token found character that cannot start any token"
_MERGE = "some readers take this for a merge key, and those are not allowed"
_NO_BRACKET = (
    "this is not YAML: while parsing a flow sequence did not find expected ',' or ']' "
    "(look at the indentation and the quotes here and in the line before)"
)


def refusals(data: bytes | str, bounds: Bounds = documents.DEFAULT_BOUNDS) -> list[str]:
    """Each problem as one line, as the command line prints it."""
    with pytest.raises(InvalidDesiredError) as caught:
        documents.load(data.encode() if isinstance(data, str) else data, "f.yaml", bounds)
    assert {problem.code for problem in caught.value.problems} == {"E_YAML"}
    assert caught.value.code == "E_YAML"
    return [str(problem) for problem in caught.value.problems]


def value(text: str) -> object:
    """The one document of a text."""
    (document,) = documents.load(text.encode(), "f.yaml")
    return document.value


def test_plain_values() -> None:
    """Every scalar that all readers read alike becomes the value they read."""
    text = """
    text: word
    sentence: two words
    quoted: "no"
    single: '0755'
    block: |
      line one
      line two
    folded: >-
      line one
      line two
    address: 10.0.0.11
    endpoint: 10.0.0.1:8080
    time: 30s
    integer: 8080
    negative: -5
    zero: 0
    fraction: 1.5
    tiny: 1.5e-3
    yes_it_is: true
    no_it_is: false
    nothing: null
    tilde: ~
    list: [1, two, {three: 3}]
    empty_list: []
    empty_object: {}
    """
    assert value("\n".join(line[4:] for line in text.splitlines())) == {
        "text": "word",
        "sentence": "two words",
        "quoted": "no",
        "single": "0755",
        "block": "line one\nline two\n",
        "folded": "line one line two",
        "address": "10.0.0.11",
        "endpoint": "10.0.0.1:8080",
        "time": "30s",
        "integer": 8080,
        "negative": -5,
        "zero": 0,
        "fraction": 1.5,
        "tiny": 0.0015,
        "yes_it_is": True,
        "no_it_is": False,
        "nothing": None,
        "tilde": None,
        "list": [1, "two", {"three": 3}],
        "empty_list": [],
        "empty_object": {},
    }


@pytest.mark.parametrize(
    ("scalar", "why"),
    [
        ("no", "some readers take this for a boolean, others for text"),
        ("Yes", "some readers take this for a boolean, others for text"),
        ("on", "some readers take this for a boolean, others for text"),
        ("OFF", "some readers take this for a boolean, others for text"),
        ("y", "some readers take this for a boolean, others for text"),
        ("0755", "some readers take this for an octal number, others do not"),
        ("00", "some readers take this for an octal number, others do not"),
        ("0o17", "some readers take this for an octal number, others do not"),
        ("0x1F", "numbers are written in base 10"),
        ("0b11", "numbers are written in base 10"),
        ("12:30", "some readers take this for a number of base 60"),
        ("1:02:03", "some readers take this for a number of base 60"),
        ("2027-01-01", "some readers take this for a date"),
        ("2027-01-01T10:00:00Z", "some readers take this for a date"),
        ("1_000", "some readers take this for a number, others do not"),
        ("-_1", "some readers take this for a number, others do not"),
        ("+5", "some readers take this for a number, others do not"),
        ("1e3", "some readers take this for a number, others do not"),
        ("1.5e3", "some readers take this for a number, others do not"),
        (".5", "some readers take this for a number, others do not"),
        ("5.", "some readers take this for a number, others do not"),
        ("-0", "some readers take this for a number, others do not"),
        (".inf", "infinity and not-a-number are no values here"),
        ("-.Inf", "infinity and not-a-number are no values here"),
        (".nan", "infinity and not-a-number are no values here"),
        ("1.0e+999", "this number is too large"),
        ("9007199254740993", "this number is too large to be kept exactly"),
        ("=", "some readers take this for a tag"),
        ("<<", _MERGE),
    ],
)
def test_two_meanings_of_a_scalar_are_refused(scalar: str, why: str) -> None:
    """An unquoted scalar that two readers read as two things is an error that says why and how to write it."""
    assert refusals(f"a:\n  b: {scalar}\n") == [f'unquoted `{scalar}`: {why} (quote it: "{scalar}") f.yaml:2:6']
    assert value(f'a: "{scalar}"\n') == {"a": scalar}


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("a: 1\nb: 2\na: 3\n", "key `a` is given twice (keep one of them; the first one is in line 1) f.yaml:3:1"),
        (
            "x:\n- {}\n- a: 1\n  b: 2\n  a: 3\n",
            "key `a` is given twice (keep one of them; the first one is in line 3) f.yaml:5:3",
        ),
        ("a: {b: 1, b: 2}\n", "key `b` is given twice (keep one of them; the first one is in line 1) f.yaml:1:11"),
        ("a: &x 1\n", "anchor &x: anchors are not allowed (delete it) f.yaml:1:4"),
        ("a: &x {}\n", "anchor &x: anchors are not allowed (delete it) f.yaml:1:4"),
        ("a: !!str 1\n", "tags are not allowed (delete it; quote the value where text is meant) f.yaml:1:4"),
        ("a: !foo [1]\n", "tags are not allowed (delete it; quote the value where text is meant) f.yaml:1:4"),
        ("a: ! 12\n", "tags are not allowed (delete it; quote the value where text is meant) f.yaml:1:4"),
        ('a: ! "12"\n', "tags are not allowed (delete it; quote the value where text is meant) f.yaml:1:4"),
        ("!!map\na: 1\n", "tags are not allowed (delete it; quote the value where text is meant) f.yaml:1:1"),
        ("<<: {a: 1}\n", f'unquoted `<<`: {_MERGE} (quote it: "<<") f.yaml:1:1'),
        ("a:\n  8080: x\n", 'key `8080` is not text (quote it: "8080") f.yaml:2:3'),
        ("true: x\n", 'key `true` is not text (quote it: "true") f.yaml:1:1'),
        ("~: x\n", 'key `~` is not text (quote it: "~") f.yaml:1:1'),
        ("? [a]\n: x\n", "a key must be text, not a collection f.yaml:1:3"),
        ("%YAML 1.1\n---\na: 1\n", "directives (%YAML, %TAG) are not allowed (delete the line) f.yaml:1:1"),
        ('a: "\\0"\n', "the text holds a character that does not show (delete the escape) f.yaml:1:4"),
        ('a: "x\\u202ey"\n', "the text holds a character that does not show (delete the escape) f.yaml:1:4"),
        ("a:\n\tc: d\n", f"{_NO_TOKEN} (indent with spaces, not with tabs) f.yaml:2:1"),
        ("a: @b\n", f"{_NO_TOKEN} (quote text that begins with @) f.yaml:1:4"),
        (
            "a: b: c\n",
            'this is not YAML: mapping values are not allowed in this context (quote text that holds ": ") f.yaml:1:5',
        ),
        (
            "a: {url: http://b}\n",
            (
                "this is not YAML: while scanning a plain scalar found unexpected ':' "
                "(quote text that holds : inside { } or [ ]) f.yaml:1:14"
            ),
        ),
        ("a: [1, 2\nb: 3\n", f"{_NO_BRACKET} f.yaml:2:2"),
    ],
)
def test_refused_with_position(text: str, refusal: str) -> None:
    """What a strict reader refuses comes with file, line, column, and what to do."""
    assert refusals(text) == [refusal]


def test_ambiguous_key_is_refused() -> None:
    """A key is held to the same rules as any scalar: GitHub's famous `on:` among them."""
    assert refusals("on: x\n") == [
        'unquoted `on`: some readers take this for a boolean, others for text (quote it: "on") f.yaml:1:1'
    ]


def test_alias_is_refused() -> None:
    """An alias is refused, and so is the anchor it needs."""
    assert refusals("a: &x 1\nb: *x\n") == [
        "anchor &x: anchors are not allowed (delete it) f.yaml:1:4",
        "alias *x: aliases are not allowed (write the value out) f.yaml:2:4",
    ]


def test_all_problems_of_a_file_at_once() -> None:
    """Reading goes on after a problem that leaves the structure clear."""
    found = refusals("a: no\nb: 012\n---\nc: !x 1\nc: 2\n")
    assert [line.rsplit(" ", 1)[1] for line in found] == ["f.yaml:1:4", "f.yaml:2:4", "f.yaml:4:4", "f.yaml:5:1"]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"\xef\xbb\xbfa: 1\n", "the file begins with a byte order mark (save it as UTF-8 without one) f.yaml:1:1"),
        ("a: 1\n".encode("utf-16"), "the file begins with a byte order mark (save it as UTF-8 without one) f.yaml:1:1"),
        (b"a: b\nc: \xc3\xa9\xff\n", "byte 0xff is not UTF-8 (save the file as UTF-8) f.yaml:2:5"),
        (b"a: b\x00c\n", "character U+0000 does not show, or shows as another (delete it) f.yaml:1:5"),
        (b"a: b\n# x\x1b[2J\n", "character U+001B does not show, or shows as another (delete it) f.yaml:2:4"),
        ("# \u202e\n".encode(), "character U+202E does not show, or shows as another (delete it) f.yaml:1:3"),
        ("a: x\u200by\n".encode(), "character U+200B does not show, or shows as another (delete it) f.yaml:1:5"),
        ("a: b\u2028c: d\n".encode(), "character U+2028 does not show, or shows as another (delete it) f.yaml:1:5"),
        ("a: b\u0085c: d\n".encode(), "character U+0085 does not show, or shows as another (delete it) f.yaml:1:5"),
        (b"a: b\rc: d\n", "character U+000D does not show, or shows as another (delete it) f.yaml:1:5"),
    ],
)
def test_bytes_that_hide_are_refused(data: bytes, refusal: str) -> None:
    """A file shows everything it holds to whoever reviews it, comments included."""
    assert refusals(data) == [refusal]


def test_windows_line_ends_are_line_ends() -> None:
    """CRLF ends a line for every reader, so it is accepted."""
    assert value("a: b\r\nc: d\r\n") == {"a": "b", "c": "d"}


def test_documents_of_a_file() -> None:
    """A file holds any number of documents; those that say nothing are left out."""
    found = documents.load(b"# comment\n---\n# only this\n---\na: 1\n---\nb: 2\n...\n", "f.yaml")
    assert [document.value for document in found] == [{"a": 1}, {"b": 2}]
    assert [str(document.start) for document in found] == ["f.yaml:5:1", "f.yaml:7:1"]
    assert documents.load(b"", "f.yaml") == ()


def test_positions() -> None:
    """Positions are those of the value, or of its key; a path that leads nowhere gives what encloses it."""
    text = "---\nx: 1\n---\na:\n  b:\n    - c\n    - {d: e}\n"
    _, document = documents.load(text.encode(), "dir/f.yaml")
    assert document.position(("a", "b", 1, "d")) == Position("dir/f.yaml", 7, 11)
    assert document.key_position(("a", "b", 1, "d")) == Position("dir/f.yaml", 7, 8)
    assert document.key_position(("a", "b")) == Position("dir/f.yaml", 5, 3)
    assert document.position(("a", "b")) == Position("dir/f.yaml", 6, 5)
    assert document.key_position(("a", "b", 0)) == Position("dir/f.yaml", 6, 7)
    assert document.position(("a", "nothing", "here")) == Position("dir/f.yaml", 5, 3)
    assert document.position() == Position("dir/f.yaml", 4, 1)


def test_columns_count_characters() -> None:
    """A column is a character, not a byte."""
    (document,) = documents.load("é: {ü: x}\n".encode(), "f.yaml")
    assert document.position(("é", "ü")) == Position("f.yaml", 1, 8)


@pytest.mark.parametrize(
    ("name", "code", "refusal"),
    [
        (
            "alias bomb",
            "b'a: &a [x]\\n' + b''.join(b'%c: &%c [*%c,*%c,*%c]\\n' % (i+1,i+1,i,i,i) for i in range(97, 120))",
            "anchor &a",
        ),
        ("50 MB", "b'a: b\\n' * 10_000_000", "the file has 50000000 bytes, more than 1048576"),
        ("deep flow", "b'[' * 10_000", "collections stand more than 32 deep inside each other"),
        ("deep maps", "b'{a: ' * 10_000", "collections stand more than 32 deep inside each other"),
        ("deep block", "b'- ' * 10_000", "collections stand more than 32 deep inside each other"),
        ("many values", "b'[' + b'1,' * 500_000 + b']'", "the file holds more than 100000 values"),
        ("many values after a duplicate", "b'a: 1\\na: 2\\nb: [' + b'1,' * 500_000 + b']'", "key `a` is given twice"),
        ("many problems", "b'- no\\n' * 170_000", "unquoted `no`"),
        ("long number", "b'a: ' + b'9' * 1_000_000", "this number is too large to be kept exactly"),
        ("complex keys", "b'? ' * 500_000", "a key must be text, not a collection"),
    ],
)
def test_hostile_file_is_cheap(name: str, code: str, refusal: str) -> None:
    """A hostile file is refused within a second, below 100 MB, whatever it is made of."""
    script = f"""
import resource, sys, time
from haoam_sync import documents
from haoam_sync.errors import InvalidDesiredError
data = {code}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    documents.load(data, "f.yaml")
except InvalidDesiredError as error:
    print(*error.problems, sep="\\n")
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *found, cost = run.stdout.splitlines()
    seconds, kilobytes = (float(part) for part in cost.split())
    assert any(refusal in line for line in found), name
    assert seconds < 1
    assert kilobytes < 100_000


def test_bounds_are_exact() -> None:
    """What is just within the bounds is read."""
    assert value("[" * 32 + "]" * 32)
    assert "more than 32 deep" in refusals("[" * 33 + "]" * 33)[0]
    bounds = Bounds(size=20, depth=2, nodes=4)
    assert documents.load(b"a: [1]", "f.yaml", bounds)[0].value == {"a": [1]}
    assert "more than 4 values" in refusals("a: [1, 2]", bounds)[0]
    assert "has 21 bytes, more than 20" in refusals("a: " + "x" * 18, bounds)[0]


_SCALARS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    st.sampled_from(
        ["no", "0755", "12:30", "null", "true", "1.5", "10.0.0.1", "2027-01-01", "0x1f", "1e3", "-1", "=", "<<"]
    ),
)


@given(_SCALARS)
def test_accepted_scalars_mean_the_same_to_another_reader(scalar: str) -> None:
    """What is accepted, ruamel.yaml's own reader does not read as anything else, by YAML 1.1 or by YAML 1.2.

    It may refuse what libyaml takes (`>#`): whoever sees an error is not deceived.
    """
    text = f"key: {scalar}\n"
    try:
        (document,) = documents.load(text.encode(), "f.yaml")
    except InvalidDesiredError:
        return
    for version in ((1, 1), (1, 2)):
        reader = YAML(typ="safe", pure=True)
        reader.version = version
        try:
            other = reader.load(text)
        except YAMLError:
            continue
        assert other == document.value


def test_memory_is_measured_in_kilobytes() -> None:
    """The test of hostile files measures what it says: on this system maxrss counts kilobytes."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 10_000

"""The codec and the file as laws: for sections of every kind, whatever their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from codec_bodies import MODELS, bodies
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from haoam_sync.haproxycfg import (
    ConfigFile,
    canonical,
    lost,
    normal,
    normal_form,
    parse,
    refused,
    render,
    with_explicit_defaults,
)
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.section import SectionKind

VERSIONS = ("3.2", "3.4")
_every_section = pytest.mark.parametrize(
    ("kind", "version"), [(kind, version) for kind in MODELS for version in VERSIONS], ids=str
)
_settings = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@_every_section
@_settings
@given(data=st.data())
def test_what_was_read_back_stays(kind: SectionKind, version: str, data: st.DataObject) -> None:
    """Whatever a server loses or changes, it does so once: what was read back and written again never changes more."""
    api = ApiVersion.parse(version)
    body = data.draw(bodies(kind, version))
    assume(not refused(kind, body, api))
    first = render(kind, body, api)
    assume("tls-tickets" not in first)  # API 3.2 reads it the wrong way round each time
    assume("tcp-response content set-var" not in first)  # it is read without its type, and could not be sent again
    text = render(kind, parse(first, api).body, api)
    assert render(kind, parse(text, api).body, api) == text


@_every_section
@_settings
@given(data=st.data())
def test_what_is_accepted_makes_its_own_lines_again(kind: SectionKind, version: str, data: st.DataObject) -> None:
    """What is neither refused nor lost is read back as what makes the same lines: no setting turns into another."""
    api = ApiVersion.parse(version)
    body = data.draw(bodies(kind, version))
    assume(not refused(kind, body, api))
    if kind is SectionKind.GLOBAL:
        del body["name"]
    back = canonical(kind, body, api)
    assume(not lost(kind, body, api))
    assert _lines(render(kind, back, api, complete=True)) == _lines(render(kind, body, api, complete=True))


def _lines(text: str) -> list[str]:
    return [" ".join(split(line)[0]).replace("no-sslv3 no-sslv3", "no-sslv3") for line in text.split("\n")]


@_every_section
@_settings
@given(data=st.data())
def test_losses_are_settings(kind: SectionKind, version: str, data: st.DataObject) -> None:
    """Every loss names a setting that is there in the object, by the path that the user wrote, and says why."""
    api = ApiVersion.parse(version)
    body = data.draw(bodies(kind, version))
    assume(not refused(kind, body, api))
    for item in lost(kind, body, api):
        value: Any = body
        for step in item.path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert value is not None
        assert value is not False
        assert value != ""
        assert item.reason


@_every_section
@_settings
@given(data=st.data())
def test_regrouping_changes_no_meaning(kind: SectionKind, version: str, data: st.DataObject) -> None:
    """Whatever the order of a section's lines, its normal form reads the same, and is its own normal form."""
    api = ApiVersion.parse(version)
    text = render(kind, data.draw(bodies(kind, version)), api)
    header, *lines = text.split("\n")
    shuffled = "\n".join([header, *data.draw(st.permutations(lines))]) + "\n"
    once = normal_form(shuffled, api)
    assert normal_form(once, api) == once
    assert parse(once.rstrip("\n"), api) == parse(shuffled, api)


@_every_section
@_settings
@given(data=st.data())
def test_what_is_taken_for_normal_is(kind: SectionKind, version: str, data: st.DataObject) -> None:
    """A section that a short look takes for its own normal form is the one that the long way makes of it."""
    api = ApiVersion.parse(version)
    header, *lines = render(kind, data.draw(bodies(kind, version)), api).split("\n")
    odd = data.draw(
        st.lists(st.sampled_from(("  mode  http", "  mode http ", "   mode tcp", "  # x", "  nobody knows")))
    )
    lines = data.draw(st.permutations([*lines, *odd])) if data.draw(st.booleans()) else lines
    text = "\n".join([header, *lines]) + "\n"
    short = normal_form(text, api)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normal, "_is_normal", lambda _text, _known: False)
        assert normal_form(text, api) == short


_names = st.sampled_from(["a", "b", "c", "d"])
_proxies = st.tuples(st.sampled_from(["frontend", "backend", "listen"]), st.sampled_from(["p", "q", "r", "s"]))


@st.composite
def files(draw: st.DrawFn) -> str:
    """Files of defaults, named or not, and proxies between them, some with a `from`."""
    names = draw(st.lists(_names, unique=True, max_size=3))
    sections = [("defaults", name) for name in names] + [("defaults", "")] * draw(st.integers(0, 3))
    sections += draw(st.lists(_proxies, unique=True, max_size=6))
    parts = []
    for place, (keyword, name) in enumerate(draw(st.permutations(sections))):
        lead = draw(st.sampled_from(["", "\n", "# about it\n", "\n# one\n\n# two\n"]))
        source = (
            f" from {draw(st.sampled_from(names))}" if keyword != "defaults" and names and draw(st.booleans()) else ""
        )
        body = f"  timeout queue {place}s\n" if keyword == "defaults" else "  # inside\n  mode tcp\n"
        parts.append(f"{lead}{keyword}{f' {name}' if name else ''}{source}\n{body}")
    return "".join(parts)


@settings(deadline=None)
@given(files())
def test_files_are_kept(text: str) -> None:
    """A file that was read is written byte for byte, and its normal form is its own normal form."""
    assert ConfigFile.parse(text).text() == text
    assert normal_form(normal_form(text, NEWEST), NEWEST) == normal_form(text, NEWEST)


@settings(deadline=None)
@given(files())
def test_no_proxy_changes_its_defaults(text: str) -> None:
    """With explicit defaults, the server's first write leaves every proxy the defaults that it had."""
    assert _in_force(normal_form(with_explicit_defaults(text), NEWEST)) == _in_force(text)


def _in_force(text: str) -> Mapping[tuple[str, str], str]:
    """What HAProxy applies to each proxy: the settings of the defaults it names, or else of the last above it."""
    sections = [section.text.split("\n") for section in ConfigFile.parse(text)]
    settings_of = {
        words[1]: lines[1:] for lines in sections if len(words := lines[0].split()) > 1 and words[0] == "defaults"
    }
    last: list[str] = []
    found = {}
    for lines in sections:
        words = lines[0].split()
        if words[0] == "defaults":
            last = lines[1:]
        else:
            used = settings_of[words[words.index("from") + 1]] if "from" in words else last
            found[words[0], words[1]] = "\n".join(line for line in used if line.strip().startswith("timeout"))
    return found

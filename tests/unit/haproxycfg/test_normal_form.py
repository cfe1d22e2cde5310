"""What the server's first write makes of a file, and how proxies keep their defaults through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codec_samples import VERSIONS

from haoam_sync.haproxycfg import CodecError, ConfigFile, normal_form, with_explicit_defaults
from haoam_sync.model.api_version import NEWEST, ApiVersion

CONTRACT = Path(__file__).parents[2] / "contract"
BEFORE = """\
global
  daemon

defaults
  mode http

backend zeta
  # a comment
  server s10   127.0.0.1:1
  frobnicate 1
  server s2 127.0.0.1:2
  balance roundrobin
  # the last

listen web
  # one
  bind :1   name x
  # two
  mode http

defaults
  mode tcp

# about alpha
backend alpha # trailing
  server s1 127.0.0.1:3

frontend in
  default_backend zeta
  bind :2
"""
AFTER = """\
global
  daemon

defaults unnamed_defaults_1
  mode http

defaults unnamed_defaults_2
  mode tcp

frontend in
  bind :2
  default_backend zeta

# about alpha
backend alpha # trailing
  server s1 127.0.0.1:3

backend zeta
  balance roundrobin
  # a comment
  server s10 127.0.0.1:1
  server s2 127.0.0.1:2
  frobnicate 1
  # the last

listen web
  # one
  # two
  bind :1   name x
  mode http
"""


def test_sections_and_lines_are_regrouped() -> None:
    """Sections are sorted by kind and name, lines by keyword; comments and unknown lines are kept."""
    assert normal_form(BEFORE, NEWEST) == AFTER


@pytest.mark.parametrize(
    ("lines", "normal_lines"),
    [
        ("  mode http \n  balance first", "  mode http\n  balance first"),
        ("  mode http\n  balance first ", "  mode http\n  balance first"),
        ("  mode http\n   balance first", "  mode http\n  balance first"),
        ("  mode http\n\n  balance first", "  mode http\n  balance first"),
        ("  mode  http\n  balance first", "  mode http\n  balance first"),
        ("  mode\thttp\n  balance first", "  mode http\n  balance first"),
        ("  balance first\n  mode http", "  mode http\n  balance first"),
        ("  mode http\n  balance first #x", "  mode http\n  balance first # x"),
        ("  frobnicate\n  balance first", "  balance first\n  frobnicate"),
    ],
)
def test_small_oddities(lines: str, normal_lines: str) -> None:
    """A section that is all but normal is made so: white space, order, comments and lines that nobody knows."""
    assert normal_form(f"backend b\n{lines}\n", NEWEST) == f"backend b\n{normal_lines}\n"
    assert normal_form(f"backend  b\n{normal_lines}\n", NEWEST) == f"backend b\n{normal_lines}\n"


def test_it_is_its_own_normal_form() -> None:
    """A second write changes nothing more."""
    assert normal_form(AFTER, NEWEST) == AFTER


@pytest.mark.parametrize("version", VERSIONS)
def test_files_that_the_server_wrote(version: str) -> None:
    """Every file that the real server wrote is its own normal form, and is read and written byte for byte."""
    written = [
        body
        for path in sorted((CONTRACT / version).glob("*.json"))
        for step in json.loads(path.read_text(encoding="utf-8"))["steps"]
        if isinstance(body := step.get("response", {}).get("body"), str) and body.startswith("# _md5hash")
    ]
    assert len(written) > 10
    for text in written:
        assert ConfigFile.parse(text).text() == text
        if not ConfigFile.parse(text).holds_conditionals:
            assert normal_form(text, ApiVersion.parse(version)) == text


@pytest.mark.parametrize("version", VERSIONS)
def test_measured_first_write(version: str) -> None:
    """The measured file of an instance makes exactly what the server's first write made of it."""
    (path,) = (CONTRACT / version).glob("29-*.json")
    scenario = json.loads(path.read_text(encoding="utf-8"))
    first = next(step["response"]["body"] for step in scenario["steps"] if step["request"]["path"].endswith("/raw"))
    assert first == "# _md5hash=*\n# _version=*\n\n" + normal_form(scenario["config"], ApiVersion.parse(version))


def test_comments_at_the_ends_of_the_file() -> None:
    """The comment block that heads a file stays there; one at its end becomes a line of the last section."""
    assert normal_form("# top\nglobal\n  daemon\n# end\n", NEWEST) == "# top\n\nglobal\n  daemon\n  # end\n"


def test_several_global_sections_become_one() -> None:
    """HAProxy reads several `global` sections as one, and the server writes one."""
    assert normal_form("global\n  daemon\n\nbackend b\n\nglobal\n  maxconn 5\n", NEWEST) == (
        "global\n  daemon\n  maxconn 5\n\nbackend b\n"
    )


def test_proxies_say_which_defaults_they_mean() -> None:
    """Every proxy gets the defaults in force at its place, by the name that an unnamed section will have."""
    text = with_explicit_defaults(BEFORE)
    assert "backend zeta from unnamed_defaults_1\n" in text
    assert "listen web from unnamed_defaults_1\n" in text
    assert "backend alpha from unnamed_defaults_2 # trailing\n" in text
    assert "frontend in from unnamed_defaults_2\n" in text
    assert text.replace(" from unnamed_defaults_1", "").replace(" from unnamed_defaults_2", "") == BEFORE.replace(
        "defaults\n  mode http", "defaults unnamed_defaults_1\n  mode http"
    ).replace("defaults\n  mode tcp", "defaults unnamed_defaults_2\n  mode tcp")


def test_a_from_that_is_there_is_kept() -> None:
    """A proxy that says its defaults is not touched."""
    text = "defaults a\n\ndefaults b\n\nbackend x from a\n  mode tcp\n"
    assert with_explicit_defaults(text) == text


def test_a_proxy_in_front_of_every_defaults() -> None:
    """A proxy that had no defaults at all is sent to an empty section instead of one that came later."""
    text = with_explicit_defaults("backend x\n\ndefaults a\n  mode http\n")
    assert "defaults no_defaults\n" in text
    assert "backend x from no_defaults\n" in text


def test_without_any_defaults_nothing_changes() -> None:
    """A file that has no defaults needs no `from`."""
    assert with_explicit_defaults("backend x\n\nlisten y\n") == "backend x\n\nlisten y\n"


def test_two_defaults_of_one_name() -> None:
    """Two defaults of one name cannot be told apart by `from`, which is an error."""
    with pytest.raises(CodecError, match="two defaults sections"):
        with_explicit_defaults("defaults a\n\ndefaults a\n\nbackend x\n")


def test_words_of_redirections_and_cookies() -> None:
    """The server writes the words of a redirection and of a cookie in an order of its own, and loses none of them."""
    text = (
        "backend b\n  cookie SRV insert indirect nocache httponly secure\n"
        "  http-request redirect code 302 prefix /x if A\n"
    )
    assert normal_form(text, NEWEST) == (
        "backend b\n  http-request redirect prefix /x code 302 if A\n"
        "  cookie SRV httponly indirect nocache insert secure\n"
    )
    odd = "backend b\n  http-request redirect prefix /x code 302 one two three if A\n"
    assert normal_form(odd, NEWEST) == odd


@pytest.mark.parametrize(("version", "end"), [("3.2", " "), ("3.4", "")])
def test_an_acl_without_a_value(version: str, end: str) -> None:
    """API 3.2 writes the space in front of a value that is not there; 3.4 does not."""
    text = f"backend b\n  acl a always_true{end}\n  http-request deny if a\n"
    assert normal_form("backend b\n http-request  deny if a\n acl a always_true\n", ApiVersion.parse(version)) == text

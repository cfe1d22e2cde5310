"""A whole haproxy.cfg as sections."""

from __future__ import annotations

import pytest

from haoam_sync.haproxycfg import CodecError, ConfigFile
from haoam_sync.model.section import SectionId, SectionKind

TEXT = """\
# _md5hash=0123
# _version=7

global
  daemon
  # kept in global

# in front of web
backend web # {"comment":"x"}
  mode http

listen stats
  bind :9000

program sleeper
  command sleep 5

backend Alpha from base
  mode tcp
# end
"""


def test_text_is_kept_byte_for_byte() -> None:
    """What was read is written again as it was, whatever the spacing."""
    for text in (TEXT, TEXT + "\n\n", TEXT.rstrip("\n"), "", "# only a comment\n", "\n\nglobal\n\tdaemon\n"):
        assert ConfigFile.parse(text).text() == text


def test_missing_last_newline() -> None:
    """The newline that a last line lacks is added."""
    assert ConfigFile.parse("global\n  daemon").text() == "global\n  daemon\n"


def test_sections_and_header() -> None:
    """The server's own lines are split off; sections come in order with their kind, name and comments."""
    file = ConfigFile.parse(TEXT)
    assert file.header == ("# _md5hash=0123", "# _version=7")
    assert file.version == 7
    assert [(section.keyword, section.name) for section in file] == [
        ("global", ""),
        ("backend", "web"),
        ("listen", "stats"),
        ("program", "sleeper"),
        ("backend", "Alpha"),
    ]
    web = file.find(SectionKind.BACKEND, "web")
    assert web is not None
    assert web.comments == ("# in front of web",)
    assert web.text == 'backend web # {"comment":"x"}\n  mode http'
    assert web.id == SectionId(SectionKind.BACKEND, "web")
    assert file.sections[2].id is None
    assert file.tail == "# end\n"


def test_indented_comment_belongs_to_the_section_it_stands_in() -> None:
    """An indented comment at the end of a section is its own, one at the margin is the next section's."""
    assert ConfigFile.parse(TEXT).sections[0].text == "global\n  daemon\n  # kept in global"


def test_replacing_keeps_the_rest() -> None:
    """Replacing a section changes nothing else, the comments in front of it included."""
    file = ConfigFile.parse(TEXT)
    file.replace(SectionKind.BACKEND, "web", "backend web\n  mode tcp")
    assert file.text() == TEXT.replace('backend web # {"comment":"x"}\n  mode http', "backend web\n  mode tcp")


def test_inserting_goes_where_the_server_would_write() -> None:
    """New sections stand by kind, then by name as text."""
    file = ConfigFile.parse("global\n  daemon\n\nbackend b\n\nbackend d\n\nlisten x\n")
    file.insert(SectionKind.BACKEND, "c", "backend c")
    file.insert(SectionKind.BACKEND, "e", "backend e")
    file.insert(SectionKind.DEFAULTS, "base", "defaults base")
    names = ["", "base", "b", "c", "d", "e", "x"]
    assert [section.name for section in file] == names
    assert [section.name for section in ConfigFile.parse(file.text())] == names


def test_removing_takes_the_comments_along() -> None:
    """A removed section leaves nothing, not even the comment in front of it."""
    file = ConfigFile.parse(TEXT)
    file.remove(SectionKind.BACKEND, "web")
    assert "web" not in file.text()
    assert file.find(SectionKind.BACKEND, "web") is None


def test_what_is_not_there_and_what_is_there_twice() -> None:
    """Replacing or removing what is not there and inserting what is there are errors."""
    file = ConfigFile.parse(TEXT)
    with pytest.raises(CodecError, match="no such section"):
        file.replace(SectionKind.BACKEND, "none", "backend none")
    with pytest.raises(CodecError, match="no such section"):
        file.remove(SectionKind.FRONTEND, "web")
    with pytest.raises(CodecError, match="exists already"):
        file.insert(SectionKind.BACKEND, "web", "backend web")


def test_lines_in_front_of_the_first_section() -> None:
    """A line that stands in no section is an error that says which line it is."""
    with pytest.raises(CodecError, match="line 2"):
        ConfigFile.parse("# comment\nmode http\n")


@pytest.mark.parametrize("text", ["global\n.if defined(X)\n  daemon\n.endif\n", "  .notice hello\nglobal\n"])
def test_conditionals_are_found(text: str) -> None:
    """Blocks of `.if` and its like are found wherever they stand, since the server's first write breaks them."""
    assert ConfigFile.parse(text).holds_conditionals


def test_dots_elsewhere_are_no_conditionals() -> None:
    """A dot inside a line makes no conditional."""
    assert not ConfigFile.parse("backend b\n  server .if 10.0.0.1:80\n# .if\n").holds_conditionals


def test_ten_thousand_backends_are_split() -> None:
    """A file with 10,000 backends of five servers is so many sections (how long it takes, `make bench` says)."""
    text = "global\n" + "".join(
        f"\nbackend b{number}\n" + "".join(f"  server s{server} 10.0.0.{server}:80 check\n" for server in range(5))
        for number in range(10_000)
    )
    file = ConfigFile.parse(text)
    assert len(file.sections) == 10_001

"""What the command line is for other programs: help, colours, pipes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flow_attack import Site
from flow_cli import COMMAND, environment, run

from haoam_sync import __version__
from haoam_sync.cli import haoam_sync

README = Path(__file__).parents[3] / "README.md"


def _commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from _commands(command, (*path, name))


@pytest.mark.parametrize("command", list(_commands(haoam_sync)), ids=" ".join)
def test_every_command_helps(tmp_path: Path, command: tuple[str, ...]) -> None:
    """`--help` says what a command does, at exit 0, and needs none of the places."""
    ran = run(environment(), tmp_path, *command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: haoam-sync")
    assert len(ran.out.splitlines()) > 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("group", [(), ("trust",)], ids=" ".join)
def test_a_group_without_a_command(tmp_path: Path, group: tuple[str, ...]) -> None:
    """The help, readable, and the exit code of wrong usage."""
    ran = run(environment(), tmp_path, *group)
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.startswith("Usage: haoam-sync")
    assert len(ran.err.splitlines()) > 3


def test_the_version(tmp_path: Path) -> None:
    """`--version` is the package's."""
    assert run(environment(), tmp_path, "--version").out.strip().endswith(__version__)


def test_the_commands_of_the_readme() -> None:
    """Its table names every command there is, and what it shows in examples can be typed."""
    text = README.read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `([a-z-]+)` +\|", text, re.MULTILINE))
    assert table == set(haoam_sync.commands)
    paths = set(_commands(haoam_sync))
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            found = re.match(r"haoam-sync ([a-z]+)(?: ([a-z]+))?", line)
            if found is None:
                continue
            first, second = found[1], found[2]
            command = haoam_sync.commands[first]
            if isinstance(command, click.Group):
                assert (first, second) in paths, line
                command = command.commands[second]
            options = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", line.partition("#")[0])) <= options, line


@pytest.mark.parametrize("variables", [{}, {"TERM": "xterm-256color"}], ids=str)
def test_no_terminal_no_escape_codes(site: Site, variables: dict[str, str]) -> None:
    """Into a pipe, nothing but text."""
    for arguments in (("trust", "verify"), ("plan", "nowhere")):
        done = _piped(site, arguments, variables)
        assert b"\x1b" not in done.stdout + done.stderr
        assert done.stdout + done.stderr


@pytest.mark.parametrize("variables", [{"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}], ids=str)
def test_colour_on_a_terminal(site: Site, variables: dict[str, str]) -> None:
    """On a terminal there is colour, unless NO_COLOR says otherwise."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        command = [*COMMAND, "trust", "verify"]
        process = subprocess.Popen(command, env=_environment(site, variables), stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while data := terminal.read(4096):
                said += data
        except OSError:  # Linux: the other side is closed
            pass
        assert process.wait(60) == 0
    assert b"is trusted" in said
    assert (b"\x1b[3" in said) is ("NO_COLOR" not in variables)


def test_a_closed_pipe(site: Site) -> None:
    """`haoam-sync ... | head -1`: no traceback, no complaint."""
    process = subprocess.Popen(
        [*COMMAND, "trust", "verify", "--output", "json"],
        env=_environment(site, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 130


def test_the_answer_no(site: Site) -> None:
    """A reviewer who says no signs nothing, and is told so."""
    head = site.move(site.commit(site.with_timeout(5), [site.introduction]))
    places = _environment(site, {})
    ran = run(places, site.place, "review", head, f"--key={site.keys['bob']}", "--offline", stdin="n\n")
    assert ran.code == 130
    assert "E_INTERRUPTED" in ran.err
    assert "change digest sha256:" in ran.out
    site.must(4, "trust", "verify")


def _environment(site: Site, variables: dict[str, str]) -> dict[str, str]:
    places = {
        "HAOAM_REPO": str(site.source),
        "HAOAM_ROOT": str(site.place / "root.yaml"),
        "HAOAM_STATE": str(site.host),
        "HAOAM_AUDIT": str(site.place / "audit"),
    }
    kept = {name: value for name, value in environment(places).items() if name not in {"NO_COLOR", "TERM"}}
    return kept | variables


def _piped(site: Site, arguments: tuple[str, ...], variables: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, env=_environment(site, variables), capture_output=True, timeout=60, check=False)


def test_what_stays_foreign_in_an_import_does_not_move_the_cursor(tmp_path: Path) -> None:
    """The headings are words of an instance: what a terminal would obey is shown, not sent."""
    text = "global\n  maxconn 10\n\nprogram x\x1b]0;title\x07\n  command /bin/true\n\nbackend ok\n  mode http\n"
    (tmp_path / "haproxy.cfg").write_text(text, encoding="utf-8")
    arguments = ("--file", "haproxy.cfg", "--cluster", "eu", "--directory", ".")
    ran = run(environment({"XDG_STATE_HOME": str(tmp_path / "state")}), tmp_path, "import", *arguments)
    assert ran.code == 0, ran.said
    assert "program x\\u001b]0;title\\u0007" in ran.out
    assert not {"\x1b", "\x07"} & set(ran.said)

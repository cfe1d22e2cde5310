"""What the documents tell people to type exists, and takes the arguments that they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from haoam_sync.cli import haoam_sync

TOP = Path(__file__).parents[2]
PAGES = sorted([TOP / "README.md", TOP / "example-repo" / "README.md", *(TOP / "docs").glob("*.md")])
_BLOCK = re.compile(r"```(?:sh|bash|console)\n(.*?)```", re.DOTALL)


def shown() -> list[tuple[str, list[str]]]:
    """Page and words of each command of ours in a block of shell."""
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|;|\|", line.partition(" #")[0]):
                    words = shlex.split(part)
                    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                        words = words[1:]
                    if words[:1] == ["haoam-sync"]:
                        found.append((page.name, words[1:]))
    return found


@pytest.mark.parametrize(
    ("page", "words"), shown(), ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_a_shown_command_exists(page: str, words: list[str]) -> None:
    """Verb, options and the number of arguments are those of the command line."""
    command: click.Command = haoam_sync
    while isinstance(command, click.Group):
        assert words, page
        assert words[0] in command.commands, (page, words)
        command = command.commands[words[0]]
        words = words[1:]
    options = {
        name: one
        for one in command.params
        if isinstance(one, click.Option)
        for name in (*one.opts, *one.secondary_opts)
    }
    given = []
    while words:
        word, words = words[0], words[1:]
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            assert name in options, (page, word)
            words = words if equals or options[name].is_flag else words[1:]
        else:
            given.append(word)
    taken = [one for one in command.params if isinstance(one, click.Argument)]
    assert len(given) >= sum(one.required for one in taken)
    assert len(given) <= len(taken) or any(one.nargs == -1 for one in taken), (page, given)
    if command.name == "apply":
        assert given[0] == "PLAN_DIGEST" or given[0].startswith("sha256:"), page


def test_no_plan_is_chained_to_what_follows() -> None:
    """`plan` exits with 2 when something would change: what stands behind `&&` would not be done then."""
    chained = re.compile(r"haoam-sync (?:plan|drift)[^\n#]*&&")
    assert [page.name for page in PAGES if chained.search(page.read_text(encoding="utf-8"))] == []

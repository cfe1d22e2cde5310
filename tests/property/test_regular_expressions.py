"""No regular expression of the package can be made slow by the text that it is given.

What git, an HTTP answer or a haproxy.cfg holds is written by people who may mean harm, and Python's `re` goes back and
forth. Each expression is taken apart, and from each of its repetitions texts are made that nearly match, again and
again. A text of eight times the length may then need not much more than eight times the work: the square would be 64.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
import re._constants as sre
import re._parser as sre_parser
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import haoam_sync
from haoam_sync import secrets
from haoam_sync.model.change_class import ChangeClass
from haoam_sync.model.section import SectionKind
from haoam_sync.model.trust_policy import Rule

TOP = Path(haoam_sync.__file__).parent
_WHOLE = {"search", "finditer", "findall", "sub", "subn", "split"}
_ASKED = r"\b{}\.(match|fullmatch|search|finditer|findall|subn?|split)\b"
_CATEGORIES = {
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_SHORT = 2000
_TIMES = 8
_TOO_MUCH = 24
"""Between 8 (in proportion) and 64 (the square): far from both, so that a busy machine decides nothing."""
_NOTHING = 0.02
"""Seconds of processor time below which nothing can be told; the square of 16,000 is far above it."""


@dataclass(frozen=True)
class Use:
    """An expression, and how the package asks it."""

    where: str
    pattern: str
    flags: int
    method: str
    binary: bool

    def __str__(self) -> str:
        return f"{self.where} {self.method}"


def uses() -> list[Use]:
    """Every compiled expression of every module, and every one that is written where it is used."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(TOP.rglob("*.py"))}
    everything = "\n".join(sources.values())
    found: dict[tuple[str, int, str], Use] = {}
    for module in pkgutil.walk_packages([str(TOP)], "haoam_sync."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                where = Path(str(importlib.import_module(module.name).__file__)).read_text(encoding="utf-8")
                asked = set(re.findall(_ASKED.format(re.escape(name)), where if name[0] == "_" else everything))
                for method in asked or {"search"}:
                    _add(found, f"{module.name}.{name}", value.pattern, value.flags, method)
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).startswith("re.")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str | bytes)
            ):
                flags = next((eval(ast.unparse(k.value), {"re": re}) for k in node.keywords if k.arg == "flags"), 0)  # noqa: S307 - our own source
                method = ast.unparse(node.func).removeprefix("re.")
                if method not in {"compile", "escape"}:
                    _add(found, f"{path.relative_to(TOP)}:{node.lineno}", node.args[0].value, int(flags), method)
    return sorted(found.values(), key=str)


def _add(found: dict[tuple[str, int, str], Use], where: str, pattern: str | bytes, flags: int, method: str) -> None:
    binary = isinstance(pattern, bytes)
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    kind = "finditer" if method in _WHOLE else method
    found.setdefault((text, flags, kind), Use(where, text, flags & ~re.UNICODE.value, kind, binary))


def adversaries(pattern: str, flags: int) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Texts of any length that nearly match: what stands before a repetition, what it repeats, and a wrong end."""
    heads = {("", "")}
    for before, inside in _repetitions(sre_parser.parse(pattern, flags), ""):
        heads.add((before, inside))
    for before, inside in sorted(heads):
        for end in ("", "\x01", "\n", '"'):
            if inside:
                yield f"{before!r}+{inside!r}*n+{end!r}", functools.partial(_filled, before, inside, end)
            if before:
                yield f"({before!r}+{inside!r})*n+{end!r}", functools.partial(_filled, "", before + inside, end)
                yield f"({before!r})*n+{inside!r}*n+{end!r}", functools.partial(_halves, before, inside, end)


def _filled(before: str, inside: str, end: str, length: int) -> str:
    return before + inside * (length // len(inside)) + end


def _halves(before: str, inside: str, end: str, length: int) -> str:
    return before * (length // 2 // len(before)) + (inside * (length // 2 // len(inside)) if inside else "") + end


def _repetitions(parsed: object, before: str) -> Iterator[tuple[str, str]]:
    """For each repetition without a small bound: a text that leads to it, and one turn of it (several, for a set)."""
    for operator, argument in parsed:
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = argument
            if most > 1000:
                for turn in _samples(body):
                    if turn:
                        yield before, turn
            yield from _repetitions(body, before)
        elif operator is sre.SUBPATTERN:
            yield from _repetitions(argument[3], before)
        elif operator is sre.BRANCH:
            for branch in argument[1]:
                yield from _repetitions(branch, before)
        elif operator is sre.ATOMIC_GROUP:
            yield from _repetitions(argument, before)
        before += next(iter(_samples([(operator, argument)])), "")


def _samples(parsed: object) -> list[str]:
    """A few texts that a part matches."""
    texts = [""]
    for operator, argument in parsed:
        texts = [text + more for text in texts for more in _of(operator, argument)][:4] or texts
    return texts


def _of(operator: object, argument: object) -> list[str]:
    if operator is sre.LITERAL:
        return [chr(argument)]
    if operator is sre.NOT_LITERAL:
        return [c for c in "a 0" if c != chr(argument)][:2]
    if operator is sre.ANY:
        return ["a", " "]
    if operator is sre.IN:
        return _members(argument)
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _, body = argument
        return [text * max(least, 1) for text in _samples(body)]
    if operator is sre.SUBPATTERN:
        return _samples(argument[3])
    if operator is sre.ATOMIC_GROUP:
        return _samples(argument)
    if operator is sre.BRANCH:
        return [text for branch in argument[1] for text in _samples(branch)[:2]]
    return [""]


def _members(items: object) -> list[str]:
    """Characters of a set: among others the blanks and those that the rest of an expression often begins with."""
    expression = re.compile("".join(["[", "".join(_class(item) for item in items), "]"]))
    return [c for c in " a0.-/:;=\t\"'\\A_\n" if expression.fullmatch(c)][:5] or [
        c for c in map(chr, range(32, 127)) if expression.fullmatch(c)
    ][:2]


def _class(item: tuple[object, object]) -> str:
    operator, argument = item
    if operator is sre.NEGATE:
        return "^"
    if operator is sre.LITERAL:
        return re.escape(chr(argument))
    if operator is sre.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return _CATEGORIES[argument]


def work(ask: Callable[[], object]) -> float:
    """Processor time of this thread, the least of three."""
    least = float("inf")
    for _ in range(3):
        began = time.thread_time()
        ask()
        least = min(least, time.thread_time() - began)
        if least < _NOTHING / 10 or least > 10 * _NOTHING:  # nothing that a busy machine would have made
            break
    return least


def slow(asked: Callable[[str], object], text: Callable[[int], str]) -> bool:
    """Whether a text of eight times the length needs much more than eight times the work."""
    for length in (16, 20, 24, 32, 64, 128, 256):  # what doubles with every turn is seen before it would never end
        if work(functools.partial(_asked, asked, text(length))) > _NOTHING:
            return True
    long = text(_SHORT * _TIMES)
    before = work(lambda: asked(text(_SHORT)))
    if before > 2 * _NOTHING:  # 20 microseconds a letter
        return True
    after = work(lambda: asked(long))
    return after > _NOTHING and after > _TOO_MUCH * before


def _asked(ask: Callable[[str], object], text: str) -> object:
    return ask(text)


@pytest.mark.parametrize("use", uses(), ids=str)
def test_work_grows_with_the_text(use: Use) -> None:
    """Eight times the text is about eight times the work, for every text that nearly matches."""
    flags = use.flags
    pattern: re.Pattern[str] | re.Pattern[bytes]
    pattern = re.compile(use.pattern.encode("latin-1"), flags) if use.binary else re.compile(use.pattern, flags)

    def asked(text: str) -> object:
        given = text.encode("latin-1", "replace") if use.binary else text
        if use.method == "finditer":
            return sum(1 for _ in pattern.finditer(given))
        return getattr(pattern, use.method)(given)

    assert next((name for name, text in adversaries(use.pattern, flags) if slow(asked, text)), None) is None


@pytest.mark.parametrize(
    ("pattern", "turn"),
    [("*a" * 8 + "b", "a"), ("x*" * 8 + "b", "x"), ("**/a/" * 8 + "b", "a/"), ("**/*a/" * 8 + "b", "a/")],
)
def test_patterns_that_a_commit_brings(pattern: str, turn: str) -> None:
    """Patterns of paths, names and secrets cost little on texts that nearly match, whatever their number of `*`."""
    rule = Rule(paths=(pattern,), require={"reviewer": 1})
    one = ChangeClass("A", frozenset({SectionKind.BACKEND}), (pattern,), frozenset(), (), 0)
    questions: tuple[Callable[[str], object], ...] = (
        rule.matches,
        lambda text: one.may_change(SectionKind.BACKEND, text),
        lambda text: secrets._matches(pattern, text),
    )
    for question in questions:
        assert not slow(question, functools.partial(_filled, "", turn, "!"))


_NAMES = st.text("ab", min_size=1, max_size=4)


@given(
    parts=st.lists(
        st.one_of(st.just("**"), st.text("ab*", min_size=1, max_size=4).filter(lambda t: "**" not in t)),
        min_size=1,
        max_size=5,
    ),
    names=st.lists(_NAMES, min_size=1, max_size=6),
)
def test_patterns_mean_what_they_say(parts: list[str], names: list[str]) -> None:
    """A path pattern matches what a plain walk over its parts says: `*` within a name, `**` for any number of names."""

    def name_matches(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(name_matches(pattern[1:], name[i:]) for i in range(len(name) + 1))
        return name[:1] == pattern[0] and name_matches(pattern[1:], name[1:])

    def walk(parts: list[str], names: list[str]) -> bool:
        if parts == ["**"]:
            return bool(names)  # at the end at least one name
        if not parts or not names:
            return not parts and not names
        if parts[0] == "**":
            return any(walk(parts[1:], names[i:]) for i in range(len(names) + 1))
        return name_matches(parts[0], names[0]) and walk(parts[1:], names[1:])

    rule = Rule(paths=("/".join(parts),), require={"reviewer": 1})
    assert rule.matches("/".join(names)) == walk(parts, names)
    one = ChangeClass("A", frozenset({SectionKind.BACKEND}), (parts[0],), frozenset(), (), 0)
    assert one.may_change(SectionKind.BACKEND, names[0]) == name_matches(parts[0], names[0])


@pytest.mark.parametrize(
    ("pattern", "method"), [(r"f\(\s*([^()\s]*)\s*\)", "finditer"), (r"(?:a+)+b", "match"), (r"\s+$", "finditer")]
)
def test_slow_ones_are_seen(pattern: str, method: str) -> None:
    """The test knows the square and the power when it meets them."""
    compiled = re.compile(pattern)

    def asked(text: str) -> object:
        return sum(1 for _ in compiled.finditer(text)) if method == "finditer" else compiled.match(text)

    assert any(slow(asked, text) for _, text in adversaries(pattern, 0))

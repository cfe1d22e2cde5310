"""What stands in a spec besides plain values: variables, secrets, and what may not stand there at all."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from haoam_sync.desired import explain, variables
from haoam_sync.desired.paths import dotted
from haoam_sync.desired.problems import Problems
from haoam_sync.desired.variables import Reference
from haoam_sync.documents import Document, Path, Value
from haoam_sync.model.stored import PLACEHOLDER

_REMARKABLE = re.compile(r'\\[bfnru]|\x7f|\$\{|"secret"|"metadata"|_dir/|null')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SPEC: Path = ("spec",)
PLACEHOLDER_PROBLEM = "`@ssl_certs_dir/`, `@general_dir/` and `@maps_dir/` are not for documents"
"""They stand for files that git declares, under names that are made of their contents."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a spec holds.

    Attributes:
        variables: every reference to a variable.
        secrets: every `{secret: ...}`, by its path below the spec, with the text of the reference.
    """

    variables: list[Reference] = field(default_factory=list)
    secrets: dict[Path, str] = field(default_factory=dict)


def scan(
    document: Document, spec: dict[str, Value], named: Collection[str], problems: Problems, *, lines: bool = True
) -> Findings:
    """Look through a spec once; what may not stand in any spec is noted.

    Args:
        document: for positions.
        spec: its spec.
        named: fields of the spec whose keys are names that users give.
        problems: where to note.
        lines: whether each text becomes part of a line of haproxy.cfg.
    """
    if not _remarkable(spec):
        return Findings()
    scanner = _Scanner(document, named, problems, lines=lines)
    scanner.walk(spec, ())
    return scanner.findings


def _remarkable(value: Value) -> bool:
    """Whether there may be anything to look at: most specs hold nothing of the kind, and paths cost time.

    Searched as JSON, which an encoder in C writes: there every control character but DEL is an escape.
    """
    return _REMARKABLE.search(json.dumps(value)) is not None


class _Scanner:
    """One walk through one spec."""

    def __init__(self, document: Document, named: Collection[str], problems: Problems, *, lines: bool) -> None:
        self._lines = lines
        self.findings = Findings()
        self._document = document
        self._named = named
        self._problems = problems

    def walk(self, value: Value, path: Path) -> None:
        at = (*SPEC, *path)
        if value is None:
            message = f"{dotted(at)}: null is no value"
            self._problems.value(self._document, at, message, explain.NULL_HINT)
        elif isinstance(value, str):
            self._text(value, at)
        elif isinstance(value, dict):
            if isinstance(value.get("secret"), str):
                self._secret(value, path)
                return
            is_names = len(path) == 1 and path[0] in self._named
            for key, item in value.items():
                self._key(key, (*at, key), is_name=is_names)
                self.walk(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.walk(item, (*path, index))

    def _text(self, text: str, at: Path) -> None:
        if self._lines and _CONTROL.search(text):
            message = f"{dotted(at)}: a line break or control character would end the line in haproxy.cfg"
            self._problems.value(self._document, at, message, "write it on one line")
        if PLACEHOLDER.search(text):
            hint = "name the document of the file, or the whole path of a file that git does not declare"
            self._problems.value(self._document, at, f"{dotted(at)}: {PLACEHOLDER_PROBLEM}", hint)
        for reference in variables.references(text, at):
            if isinstance(reference, Reference):
                self.findings.variables.append(reference)
            else:
                self._problems.value(self._document, at, reference)

    def _key(self, key: str, at: Path, *, is_name: bool) -> None:
        if PLACEHOLDER.search(key):
            self._problems.key(self._document, at, f"{dotted(at)}: {PLACEHOLDER_PROBLEM}")
        if variables.OURS.search(key):
            self._problems.key(self._document, at, f"`{key}`: variables stand in values, not in names")
        if key == "metadata" and not is_name:
            hint = "our mark of ownership lives there; say it in the document's metadata, or in a comment"
            self._problems.key(self._document, at, f"{dotted(at)} is not for documents", hint)

    def _secret(self, value: dict[str, Value], path: Path) -> None:
        at = (*SPEC, *path)
        for key in value:
            if key != "secret":
                self._problems.key(self._document, (*at, key), f"unknown field `{key}` beside `secret`", "delete it")
        text = str(value["secret"])
        self._text(text, (*at, "secret"))
        self.findings.secrets[path] = text

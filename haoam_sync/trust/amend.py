"""Edits of one YAML file that leave its comments, order and layout alone: only the characters that are meant change."""

from __future__ import annotations

import json
from collections.abc import Mapping

from haoam_sync import documents
from haoam_sync.documents import Path
from haoam_sync.errors import UsageError
from haoam_sync.model.scalar import unquoted


class Amendment:
    """A file of one document, and what is to be changed in it. Paths are those of the file as it was."""

    def __init__(self, data: bytes, file: str) -> None:
        """See the class.

        Raises:
            InvalidDesiredError: it can not be read.
            UsageError: it does not hold exactly one document, a mapping.
        """
        found = documents.load(data, file)
        if len(found) != 1 or not isinstance(found[0].value, dict):
            raise UsageError("the file does not hold exactly one document", where=file, hint="edit it by hand")
        self._document = found[0]
        self._text = data.decode()
        self._newline = "\r\n" if "\r\n" in self._text else "\n"
        self._as_json = self._text.lstrip().startswith("{")
        self._edits: list[tuple[int, int, str]] = []

    def put(self, path: Path, value: str | int, *, after: str = "") -> None:
        """Write a scalar into a mapping: in place of the one that is there, else behind the key `after`, or last."""
        *above, key = path
        mapping = self._at(tuple(above))
        if isinstance(mapping, dict) and key in mapping:
            span = self._document.span(path)
            self._edits.append((span.start, span.end, self.scalar(value)))
            return
        self._add(tuple(above), str(key), self.scalar(value), after)

    def append(self, path: Path, item: Mapping[str, str]) -> None:
        """Put a mapping of texts at the end of a list, in one line; where there is no such list, it is made."""
        text = "{" + ", ".join(f"{self.key(name)}: {self.scalar(value)}" for name, value in item.items()) + "}"
        items = self._at(path)
        if not isinstance(items, list):
            self._add(path[:-1], str(path[-1]), f"[{text}]", "")
            return
        whole = self._document.span(path)
        if not items:
            self._edits.append((whole.start + 1, whole.start + 1, text))
            return
        last = self._document.span((*path, len(items) - 1))
        if whole.flow:
            self._edits.append((last.end, last.end, f", {text}"))
            return
        line = self._text.rfind("\n", 0, last.start) + 1
        dash = self._text.rindex("-", line, last.start)
        end = self._line_end(last.end)
        self._edits.append((end, end, f"{self._newline}{' ' * (dash - line)}- {text}"))

    def result(self) -> bytes:
        """The file with the changes in it."""
        text = self._text
        for start, end, new in sorted(self._edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text.encode()

    def scalar(self, value: str | int) -> str:
        """A scalar as YAML, in quotes only where it needs them."""
        if isinstance(value, int):
            return str(value)
        plain = value.isascii() and value.replace("-", "").replace(":", "").replace(".", "").isalnum()
        return value if plain and not self._as_json and unquoted(value) == value else json.dumps(value)

    def key(self, name: str) -> str:
        """A key, as the file writes them."""
        return json.dumps(name) if self._as_json else name

    def _add(self, path: Path, key: str, text: str, after: str) -> None:
        mapping = self._at(path)
        if not isinstance(mapping, dict) or not mapping:
            raise UsageError(f"there is nothing to put {key} into", where=self._document.file, hint="edit it by hand")
        names = list(mapping)
        end = self._document.span((*path, after if after in names else names[-1])).end
        if self._document.span(path).flow:
            self._edits.append((end, end, f", {self.key(key)}: {text}"))
            return
        end = self._line_end(end)
        column = self._document.key_position((*path, names[0])).column - 1
        self._edits.append((end, end, f"{self._newline}{' ' * column}{key}: {text}"))

    def _at(self, path: Path) -> documents.Value:
        value = self._document.value
        for part in path:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def _line_end(self, index: int) -> int:
        found = self._text.find("\n", index)
        end = len(self._text) if found < 0 else found
        return end - 1 if self._text[end - 1 : end] == "\r" else end

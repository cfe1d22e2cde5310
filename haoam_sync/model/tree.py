"""The grammar of git's tree objects."""

from __future__ import annotations

from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError

PLAIN = "100644"
DIRECTORY = "40000"
_MODES = frozenset({PLAIN, DIRECTORY, "100755", "120000", "160000"})


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree.

    Attributes:
        mode: as git writes it, `100644` for a plain file, `40000` for a directory.
        name: without any `/`.
        oid: 40 hex digits.
    """

    mode: str
    name: str
    oid: str

    @property
    def is_tree(self) -> bool:
        """Whether it is a directory."""
        return self.mode == DIRECTORY

    @property
    def is_plain(self) -> bool:
        """Whether it is a plain file, not executable, no link."""
        return self.mode == PLAIN


def parse_tree(data: bytes, *, where: str) -> tuple[TreeEntry, ...]:
    """The entries of a tree object's content, in git's order.

    Raises:
        NotTrustedError: E_TREE_ENTRY, it is not exactly what git writes (modes, order, names given once); E_PATH, a
            name is not UTF-8, is empty, `.`, `..`, or holds a slash.
    """
    entries: list[TreeEntry] = []
    position, previous = 0, b""
    names: set[bytes] = set()
    while position < len(data):
        space = data.find(b" ", position, position + 7)
        end = data.find(b"\0", space) if space > 0 else -1
        if space < 0 or end < 0 or len(data) < end + 21:
            raise NotTrustedError("a tree object is cut short", code="E_TREE_ENTRY", where=where)
        mode, name = data[position:space].decode("ascii", "replace"), data[space + 1 : end]
        if mode not in _MODES:
            raise NotTrustedError(f"an entry has the mode {mode!r}", code="E_TREE_ENTRY", where=where)
        key = name + b"/" if mode == DIRECTORY else name
        if key <= previous or name in names:
            raise NotTrustedError(
                f"a tree object is not in order, or names {name!r} twice", code="E_TREE_ENTRY", where=where
            )
        entries.append(TreeEntry(mode, _name(name, where), data[end + 1 : end + 21].hex()))
        names.add(name)
        previous, position = key, end + 21
    return tuple(entries)


def _name(name: bytes, where: str) -> str:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotTrustedError(f"the name {name!r} is not UTF-8", code="E_PATH", where=where) from error
    if text in {"", ".", ".."} or "/" in text or text.casefold() == ".git":
        raise NotTrustedError(f"{text!r} is no name for a file", code="E_PATH", where=where)
    return text

"""Which files a section refers to by the names of their documents: in fields, in converters, after `-f`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from haoam_sync.desired.paths import Patterns, at, matching, put_in, texts, written
from haoam_sync.documents import Path
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.stored import FileKind

_CA_FIELDS = ("ssl_cafile", "ca_verify_file", "crl_file")
_FIELDS = Patterns(
    *(
        (FileKind.CA_FILE, f"{owner}.{field}")
        for owner in ("binds.*", "default_bind", "servers.*", "server_templates.*", "default_server")
        for field in _CA_FIELDS
    ),
    (FileKind.CA_FILE, "ssl_front_use_list.*.ca_file"),
    (FileKind.CA_FILE, "ssl_front_use_list.*.crl_file"),
    (FileKind.CA_FILE, "http_client_options.ssl_ca_file"),
    (FileKind.CRT_LIST, "binds.*.crt_list"),
    (FileKind.CRT_LIST, "default_bind.crt_list"),
    (FileKind.MAP, "http_request_rule_list.*.map_file"),
    (FileKind.MAP, "http_response_rule_list.*.map_file"),
    (FileKind.MAP, "http_after_response_rule_list.*.map_file"),
    (FileKind.FILE, "http_request_rule_list.*.acl_file"),
    (FileKind.FILE, "http_response_rule_list.*.acl_file"),
    (FileKind.FILE, "http_after_response_rule_list.*.acl_file"),
    (FileKind.FILE, "error_files.*.file"),
    (FileKind.FILE, "lua_options.loads.*.file"),
    (FileKind.FILE, "lua_options.load_per_thread"),
    (FileKind.FILE, "ssl_options.dh_param_file"),
    (FileKind.FILE, "filter_list.*.spoe_config"),
)
"""Fields that hold a file: the name of a document, or, with a `/` in it, a path on the instance."""
_PATHS_ONLY = Patterns((FileKind.FILE, "h1_case_adjust_file"))
"""Fields that hold a path, and never a document's name."""
_RETURNING = ("http_request_rule_list", "http_response_rule_list", "http_error_rule_list")
_RETURNED_FILES = frozenset({"file", "lf-file", "errorfile"})
"""Values of `return_content_format` with which `return_content` is a file."""


@dataclass(frozen=True, slots=True)
class _Words:
    """How a file may be written.

    Attributes:
        alone: the whole of a field.
        converter: in `map(FILE)`, `map_str_int(FILE,0)`, ... (HAProxy manual, 7.3.1).
        flag: in `-f FILE` among the flags of an ACL (HAProxy manual, 7.1.1).
    """

    alone: re.Pattern[str]
    converter: re.Pattern[str]
    flag: re.Pattern[str]

    @classmethod
    def of(cls, word: str) -> _Words:
        """From the regular expression of one."""
        return cls(
            re.compile(word),
            re.compile(rf"(?<![\w.-])map(?:_[a-z0-9]+){{0,3}}\(\s*({word})\s*(?=[,)])"),
            re.compile(rf"(?:^|(?<=\s))-f\s+({word})(?=\s|$)"),
        )


_NAMES = _Words.of(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""Of documents. Anything else is a path, or one of HAProxy's own words (`@system-ca`, `virt@routes`)."""
_PATHS = _Words.of(r"/[A-Za-z0-9_./-]+")
"""On an instance."""
_WHATEVER = _Words.of(r"(?s:.*)")
_BRACES = re.compile(r"\{[^{}]*\}")
_PROSE = frozenset({"description", "return_content", "auth_realm", "realm"})


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file that is referred to by its document's name.

    Attributes:
        kind: of document.
        name: of it.
        path: where in the body.
        or_kind: another kind that the document may have.
    """

    kind: FileKind
    name: str
    path: Path
    or_kind: FileKind | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A reference, and the place of the name in its text."""

    reference: FileReference
    start: int
    end: int


def files(body: JsonObject) -> Iterator[FileReference]:
    """Every file that `body` refers to by a name."""
    return (found.reference for found in _all(body, _NAMES))


def paths(body: JsonObject) -> Iterator[FileReference]:
    """Every file that `body` refers to by its path on the instance, which stands in `FileReference.name`."""
    return (found.reference for found in _all(body, _PATHS))


def held(body: JsonObject) -> Iterator[str]:
    """What stands in each field that holds a file, whatever it looks like; not what expressions name."""
    for fields in (_FIELDS, _PATHS_ONLY):
        yield from (text for _, _, text in fields.found(body))
    for field in _RETURNING:
        if field in body:
            yield from (found.reference.name for found in _returned(body, field, _WHATEVER))


def with_paths(body: JsonObject, path_of: Callable[[FileReference], str | None]) -> JsonObject:
    """`body` with each name replaced by what `path_of` says; names for which it says None stay."""
    return _replaced(body, _NAMES, path_of)


def with_names(body: JsonObject, name_of: Callable[[FileReference], str | None]) -> JsonObject:
    """The way back: `body` with paths replaced by what `name_of` says."""
    return _replaced(body, _PATHS, name_of)


def _replaced(body: JsonObject, words: _Words, path_of: Callable[[FileReference], str | None]) -> JsonObject:
    by_place: dict[Path, list[tuple[_Found, str]]] = {}
    for found in _all(body, words):
        path = path_of(found.reference)
        if path is not None:
            by_place.setdefault(found.reference.path, []).append((found, path))
    for place, changes in by_place.items():
        text = str(at(body, place))
        for found, path in sorted(changes, key=lambda change: change[0].start, reverse=True):
            text = text[: found.start] + path + text[found.end :]
        body = put_in(body, place, text)
    return body


def _all(body: JsonObject, words: _Words) -> Iterator[_Found]:
    yield from _in_fields(body, words)
    for field in _RETURNING:
        if field in body:
            yield from _returned(body, field, words)
    said = written(body)
    if "map" in said:
        yield from _converters(body, words)
    if "-f" in said:
        yield from _pattern_files(body, words)


def _in_fields(body: JsonObject, words: _Words) -> Iterator[_Found]:
    for kind, path, text in _FIELDS.found(body):
        if words.alone.fullmatch(text):
            yield _Found(FileReference(kind, text, path), 0, len(text))


def _converters(body: JsonObject, words: _Words) -> Iterator[_Found]:
    for path, text in texts(body):
        if path[-1] not in _PROSE:
            for found in words.converter.finditer(text):
                yield _Found(FileReference(FileKind.MAP, found[1], path), *found.span(1))


def _returned(body: JsonObject, field: str, words: _Words) -> Iterator[_Found]:
    for path, form in matching(body, (field, "*", "return_content_format")):
        place = (*path[:-1], "return_content")
        name = at(body, place)
        if form in _RETURNED_FILES and isinstance(name, str) and words.alone.fullmatch(name):
            yield _Found(FileReference(FileKind.FILE, name, place), 0, len(name))


def _pattern_files(body: JsonObject, words: _Words) -> Iterator[_Found]:
    """In the patterns of ACLs, and of anonymous ones in conditions."""
    for path, text in texts(body):
        if path[-1] == "value" and path[0] == "acl_list":
            yield from _after_flag(path, text, 0, words)
        elif isinstance(path[-1], str) and path[-1].endswith("cond_test"):
            for inside in _BRACES.finditer(text):
                yield from _after_flag(path, inside[0], inside.start(), words)


def _after_flag(path: Path, text: str, offset: int, words: _Words) -> Iterator[_Found]:
    """With `-M` the file is a map."""
    first, other = FileKind.FILE, FileKind.MAP
    if re.search(r"(?:^|\s)-M(?:\s|$)", text):
        first, other = FileKind.MAP, FileKind.FILE
    for found in words.flag.finditer(text):
        if found[1] != "--":
            start, end = found.span(1)
            yield _Found(FileReference(first, found[1], path, other), start + offset, end + offset)


def crt_loads(body: JsonObject) -> tuple[str, ...]:
    """Certificates of a crt-store without a directory of its own, by the names of their documents."""
    loads = body.get("crt_loads")
    if "crt_base" in body or not isinstance(loads, Mapping):
        return ()
    return tuple(name for name in loads if _NAMES.alone.fullmatch(name))


def with_loads(body: JsonObject, paths: Mapping[str, str]) -> JsonObject:
    """`body` with these certificates of a crt-store, key and value, replaced by their paths."""
    loads = body.get("crt_loads")
    if not paths or not isinstance(loads, Mapping):
        return body
    renamed: dict[str, Json] = {}
    for name, load in loads.items():
        path = paths.get(name)
        if path is not None and isinstance(load, Mapping):
            renamed[path] = {**load, "certificate": path}
        else:
            renamed[name] = load
    return {**body, "crt_loads": renamed}

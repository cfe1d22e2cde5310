"""A haproxy.cfg, sorted into sections that documents can declare and sections that stay foreign (rules I1 to I5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg.file import LISTEN, ConfigFile, FileSection
from haoam_sync.haproxycfg.words import split
from haoam_sync.importing import order
from haoam_sync.importing.remarks import remarks
from haoam_sync.importing.values import Candidate, Foreign, Reading
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.section import MANAGED_KINDS, SectionId, SectionKind

_NAME = re.compile(r"[A-Za-z0-9\-_.:]+")
_OPENS, _CLOSES = ".if", ".endif"
_API_USERLIST = re.compile(r"data-?plane|dpapi", re.IGNORECASE)
_SECRET_NAME = re.compile(r"authorization|api-?key|token|secret|passw", re.IGNORECASE)
_LITERAL_HEADER = re.compile(r"(?:set|add)-header|send")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for.

    Attributes:
        only: these sections and no others; None for all.
        with_global: own `global` too.
        user: the user that logs in to the Data Plane API; "" when it is not known.
    """

    only: Collection[SectionId] | None = None
    with_global: bool = False
    user: str = ""


def read(text: str, api: ApiVersion, choice: Choice) -> Reading:
    """Sort the sections of a file.

    Args:
        text: haproxy.cfg, with or without the server's own lines at the top.
        api: version of the instance's Data Plane API.
        choice: what is asked for.

    Raises:
        CodecError: `text` is no haproxy.cfg, or holds two `defaults` of one name.
    """
    explicit = haproxycfg.with_explicit_defaults(text)
    file = ConfigFile.parse(explicit)
    sorter = _Sorter(file, api, choice)
    candidates: list[Candidate] = []
    foreign: list[Foreign] = []
    for section in file:
        found = sorter.sort(section)
        if isinstance(found, Candidate):
            candidates.append(found)
        elif found is not None:
            foreign.append(found)
    candidates.sort(key=lambda one: one.id)
    return Reading(explicit, tuple(candidates), tuple(foreign), tuple(_warnings(file, api)))


class _Sorter:
    """One pass over the sections of a file, in order."""

    def __init__(self, file: ConfigFile, api: ApiVersion, choice: Choice) -> None:
        self._api = api
        self._choice = choice
        self._counted = Counter((section.keyword, section.name) for section in file)
        self._defaults = {section.name for section in file if section.kind is SectionKind.DEFAULTS}
        self._balance = order.algorithms(file, api)
        self._text = file.text()
        self._depth = 0

    def sort(self, section: FileSection) -> Candidate | Foreign | None:
        """What becomes of a section; None when it was not asked for."""
        conditional = self._conditional(section)
        identity = section.id
        only = self._choice.only
        if only is not None and (identity is None or identity not in only):
            return None
        heading = f"{section.keyword} {section.name}".strip()
        if identity is None:
            return Foreign(heading, _unknown_kind(section.keyword))
        reason = conditional or self._kept(section, identity)
        return Foreign(heading, reason) if reason else self._candidate(section, identity, heading)

    def _conditional(self, section: FileSection) -> str:
        """I1: why the section may not be there at all."""
        inside = self._depth > 0
        for line in section.text.split("\n"):
            word = next(iter(line.split(None, 1)), "")
            if not word.startswith("."):
                continue
            if word == _OPENS:
                self._depth += 1
            elif word == _CLOSES:
                self._depth = max(0, self._depth - 1)
            inside = True
        return "it stands in, or holds, an .if block, which the server's first write would break" if inside else ""

    def _kept(self, section: FileSection, identity: SectionId) -> str:
        """I1 and I2: why a section of a known kind stays foreign; "" when it need not."""
        if identity.kind not in MANAGED_KINDS:
            return f"{identity.kind.value} sections cannot be owned by this version"
        if identity.kind is not SectionKind.GLOBAL and self._counted[section.keyword, section.name] > 1:
            return "there are several of this name"
        if identity.kind is SectionKind.GLOBAL:
            if self._counted[section.keyword, ""] > 1:
                return "there are several; the server's first write makes one of them"
            if not self._choice.with_global and self._choice.only is None:
                return (
                    "it holds what the instance needs for itself, such as its stats socket and master-worker; "
                    "--with-global takes it in"
                )
        elif not _NAME.fullmatch(identity.name):
            return "it has no name that a document could have"
        if identity.kind is SectionKind.USERLIST and self._choice.only is None:
            return self._login(section)
        return ""

    def _login(self, section: FileSection) -> str:
        """I2 for userlists."""
        users = {words[1] for line in section.text.split("\n") if (words := split(line)[0])[:1] == ["user"]}
        if self._choice.user and self._choice.user in users:
            return f"it says who may log in to the Data Plane API, {self._choice.user} among them"
        used = re.search(rf"http_auth(?:_group)?\(\s*{re.escape(section.name)}\s*\)", self._text) is not None
        if not used and not self._choice.user and _API_USERLIST.search(section.name):
            return "by its name it says who may log in to the Data Plane API; name that user with --user if it does not"
        return ""

    def _candidate(self, section: FileSection, identity: SectionId, heading: str) -> Candidate | Foreign:
        """I4 and I5."""
        lines = section.text.split("\n")
        try:
            body = _without_zeros(without_metadata(haproxycfg.parse(section.text, self._api, complete=True).body))
            lost = [f"{one.path}: {one.reason}" for one in haproxycfg.lost(identity.kind, body, self._api)]
            refused = haproxycfg.refused(identity.kind, body, self._api, defaults=self._defaults)
            changed = list(haproxycfg.differences(identity.kind, lines, body, self._api))
        except haproxycfg.CodecError as error:
            return Foreign(heading, error.message)
        reasons = [*changed, *(f"{one.path}: {one.message}" for one in refused), *lost]
        if reasons:
            return Foreign(heading, "; ".join(reasons))
        warnings = [*order.warnings(identity, body, lines, self._balance), *_clear_secrets(identity, lines)]
        return Candidate(identity, body, remarks(section.comments, lines, self._api), tuple(warnings))


def without_metadata(body: JsonObject) -> dict[str, Json]:
    """`body` without comments and marks, and without the nulls that the server writes for nothing."""

    def clean(value: Json) -> Json:
        if isinstance(value, Mapping):
            return {key: clean(item) for key, item in value.items() if key != "metadata" and item is not None}
        if isinstance(value, list):
            return [clean(item) for item in value]
        return value

    return {key: clean(item) for key, item in body.items() if key != "metadata" and item is not None}


def _without_zeros(body: dict[str, Json]) -> dict[str, Json]:
    """`body` without the port 0 that API 3.2 shows for a server template without one, and that no document may have."""
    templates = body.get("server_templates")
    if not isinstance(templates, Mapping):
        return body
    plain = {
        name: {key: value for key, value in one.items() if key != "port" or value != 0}
        if isinstance(one, Mapping)
        else one
        for name, one in templates.items()
    }
    return {**body, "server_templates": plain}


def _unknown_kind(keyword: str) -> str:
    if keyword == LISTEN:
        return "the Data Plane API has no listen sections; make a frontend and a backend of it to own it"
    return f"this tool knows no {keyword} sections"


def _clear_secrets(identity: SectionId, lines: list[str]) -> Iterator[str]:
    """Lines that look like a secret in clear, in fields that cannot be references."""
    for line in lines:
        words, _ = split(line)
        if any(_LITERAL_HEADER.fullmatch(word) for word in words) and "${" not in line and "%[" not in line:
            named = next((word for word in words[1:] if _SECRET_NAME.search(word)), None)
            if named is not None:
                yield (
                    f"{identity}: {named} looks like a secret, and this field takes no reference: its value stands in "
                    'the document; put it into HAProxy\'s environment and write "${NAME}" before you commit it'
                )


def _warnings(file: ConfigFile, api: ApiVersion) -> Iterator[str]:
    if file.holds_conditionals:
        yield "the file holds .if blocks: nothing can be applied to this instance until they are gone (E_CONDITIONALS)"
    for one in haproxycfg.unwritable(file.text(), api):
        yield (
            f"{one.heading}: {one.reason}: nothing can be applied to this instance before that is put right "
            f"(E_UNWRITABLE): {one.instead}"
        )

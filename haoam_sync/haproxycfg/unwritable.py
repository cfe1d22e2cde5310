"""What a server's next write would break, whoever writes what: it writes the whole file, in its own words.

Measured on 3.2.15 and 3.4.2 in front of HAProxy 2.8:

U1  API 3.4 knows no `program` section: its lines become the end of the section before, or are gone.
U2  The password of `stats auth USER:PASSWORD` is cut off at its next colon.
U3  Of two lines for one setting of `global` the server keeps the last, HAProxy obeys the first (`maxconn`) or the last.
U4  `expose-experimental-directives` is written behind directives that need it in front of them.
U5  Options of which HAProxy obeys the last one (`option httpchk`, `option tcp-check`; `option httplog`, `log-format`)
    are written in the server's order.
U6  `default-server` is written in front of all servers, and reaches those that stood above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from haoam_sync.haproxycfg.file import ConfigFile, FileSection
from haoam_sync.haproxycfg.normal import normal_form
from haoam_sync.haproxycfg.rows import Composite, Line, Present, Toggle
from haoam_sync.haproxycfg.secrets import masked
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.section import SectionKind

_NO_PROGRAMS = ApiVersion(3, 4)
PROXIES = frozenset({SectionKind.DEFAULTS, SectionKind.FRONTEND, SectionKind.BACKEND})
"""The kinds of proxies that a server reads; it leaves `listen` as it is."""
_EXPOSE = "expose-experimental-directives"
_EXPERIMENTAL = frozenset({"tune.fd.edge-triggered", "force-cfg-parser-pause"})
"""Directives of `global` that HAProxy takes behind `expose-experimental-directives` only (manual, section 3)."""
_LAST_COUNTS = tuple(
    (hints, re.compile(rf"^[ \t]*((?:{words})(?=[ \t\r]|$))", re.MULTILINE))
    for hints, words in (
        (
            ("chk", "-check"),
            r"option[ \t]+(?:httpchk|smtpchk|ssl-hello-chk|(?:tcp|mysql|pgsql|redis|ldap|spop|external)-check)",
        ),
        (("log",), r"option[ \t]+(?:httplog|tcplog|httpslog)|log-format"),
        (("close", "keep-alive"), r"option[ \t]+(?:httpclose|http-server-close|http-keep-alive)"),
    )
)
"""The lines of each family, and texts of which each such line holds one."""
ONE_SETTING = (Line, Present, Toggle, Composite)
"""Rows of which one line is left when there are several."""


@dataclass(frozen=True, slots=True, order=True)
class Unwritable:
    """A line, or a whole section, that would not be afterwards what it was.

    Attributes:
        heading: of the section, as haproxy.cfg has it.
        reason: what the server would do, one clause; without secrets.
        instead: what to do on the instance before.
    """

    heading: str
    reason: str
    instead: str


def unwritable(text: str, api: ApiVersion) -> tuple[Unwritable, ...]:
    """Everything in a haproxy.cfg that the next write of anybody would break, in the order of the file.

    Raises:
        CodecError: `text` is no haproxy.cfg.
    """
    file = ConfigFile.parse(text)
    return tuple(one for section in file for one in _section(section, api)) + tuple(_global(file, api))


def _section(section: FileSection, api: ApiVersion) -> Iterator[Unwritable]:
    heading = f"{section.keyword} {section.name}".strip()
    if section.keyword == "program" and api >= _NO_PROGRAMS:
        yield Unwritable(
            heading,
            f"API {api} knows no program sections, and loses them",
            "start the program by other means (HAProxy 3.3 has no such sections either)",
        )
    if section.kind in PROXIES:
        yield from _passwords(section, heading)
        yield from _last_ones(section, heading, api)
        yield from _late_default_server(section, heading)


def _passwords(section: FileSection, heading: str) -> Iterator[Unwritable]:
    """U2. The server looks at the line before it thinks of quotes."""
    if "auth" not in section.text:
        return
    for line in section.text.split("\n")[1:]:
        words, _ = split(line)
        if words[:2] == ["stats", "auth"] and " ".join(words[2:]).count(":") > 1:
            yield Unwritable(
                heading,
                f"the server cuts the password of `{masked(' '.join(words))}` off at its colon",
                "give that user a password without a colon",
            )


def _last_ones(section: FileSection, heading: str, api: ApiVersion) -> Iterator[Unwritable]:
    """U5."""
    for hints, family in _LAST_COUNTS:
        if not any(hint in section.text for hint in hints):
            continue  # looking for a text takes a hundredth of matching every line
        found = family.findall(section.text)
        if len(found) < 2 or len(set(found)) < 2:  # noqa: PLR2004 - one of them cannot change places
            continue
        after = family.findall(normal_form(f"{section.text}\n", api))
        if after and " ".join(after[-1].split()) != " ".join(found[-1].split()):
            yield Unwritable(
                heading,
                f"the server writes `{after[-1]}` behind `{found[-1]}`, and HAProxy obeys the last of them",
                f"leave the one that counts, `{found[-1]}`",
            )


def _late_default_server(section: FileSection, heading: str) -> Iterator[Unwritable]:
    """U6."""
    if "default-server" not in section.text:
        return
    above: list[str] = []
    for line in section.text.split("\n")[1:]:
        words, _ = split(line)
        if words[:1] == ["default-server"] and above:
            yield Unwritable(
                heading,
                f"default-server stands below {', '.join(above)}, which it does not reach there; the server puts it in "
                "front of them",
                "write its settings on the servers below it",
            )
            return
        if words and words[0] in {"server", "server-template"} and len(words) > 1:
            above.append(words[1])


def _global(file: ConfigFile, api: ApiVersion) -> Iterator[Unwritable]:
    """U3 and U4, over all `global` sections of a file."""
    known = table(SectionKind.GLOBAL, api)
    lines = [
        words
        for section in file
        if section.kind is SectionKind.GLOBAL
        for line in section.text.split("\n")[1:]
        if (words := split(line)[0])
    ]
    seen: dict[int, list[str]] = {}
    for words in lines:
        row = known.row(words)
        if isinstance(row, ONE_SETTING):
            other = seen.setdefault(id(row), words)
            if other != words:
                yield Unwritable(
                    "global",
                    f"of `{masked(' '.join(other))}` and `{masked(' '.join(words))}` the server keeps the last only, "
                    "whichever HAProxy obeys",
                    "leave one of them",
                )
    expose = known.rank([_EXPOSE])
    for words in lines:
        rank = known.rank(words)
        if words[0] in _EXPERIMENTAL and rank is not None and expose is not None and rank < expose:
            yield Unwritable(
                "global",
                f"the server writes `{words[0]}` in front of `{_EXPOSE}`, which it needs in front of it",
                f"do without `{words[0]}`",
            )

"""Statistics options of proxies: `stats ...` (manual, section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.actions import Action, Actions
from haoam_sync.haproxycfg.arguments import Arguments
from haoam_sync.haproxycfg.parts import CONDITION, Rest
from haoam_sync.haproxycfg.rows import Items, Line, Present, Row
from haoam_sync.haproxycfg.tables.options import Known, Unread
from haoam_sync.haproxycfg.tables.single import number, time
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class Marked:
    """A row of the statistics options: whatever is read, a node name of null stands beside it (measured)."""

    row: Row

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return self.row.keys

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return self.row.paths

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return self.row.roots

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        self.row.write(body, out)

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        self.row.read(words, comment, body)
        body.setdefault("stats_options", {}).setdefault("stats_show_node_name", None)


@dataclass(frozen=True, slots=True)
class StatsAdmin:
    """`stats admin if TEST`."""

    keys: tuple[str, ...] = ("stats admin",)
    paths: tuple[str, ...] = (
        "stats_options.stats_admin",
        "stats_options.stats_admin_cond",
        "stats_options.stats_admin_cond_test",
    )
    roots: tuple[str, ...] = ("stats_options",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        options = body["stats_options"]
        if options.get("stats_admin"):
            words = ["stats admin"]
            if options.get("stats_admin_cond"):
                words += [options["stats_admin_cond"], options.get("stats_admin_cond_test") or ""]
            out.append(" ".join(words))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        options = body.setdefault("stats_options", {})
        options["stats_admin"] = True
        if len(words) > len(("stats", "admin")):
            options["stats_admin_cond"] = words[2]
            options["stats_admin_cond_test"] = " ".join(words[3:])


@dataclass(frozen=True, slots=True)
class StatsRealm:
    """`stats realm REALM`: a switch and a text in JSON; the server breaks on the switch alone (measured)."""

    keys: tuple[str, ...] = ("stats realm",)
    paths: tuple[str, ...] = ("stats_options.stats_realm", "stats_options.stats_realm_realm")
    roots: tuple[str, ...] = ("stats_options",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        options = body["stats_options"]
        if options.get("stats_realm") and options.get("stats_realm_realm"):
            out.append(f"stats realm {options['stats_realm_realm']}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        options = body.setdefault("stats_options", {})
        options["stats_realm"] = True
        options["stats_realm_realm"] = " ".join(words[2:])


@dataclass(frozen=True, slots=True)
class StatsNode:
    """`stats show-node [NAME]`."""

    keys: tuple[str, ...] = ("stats show-node",)
    paths: tuple[str, ...] = ("stats_options.stats_show_node_name",)
    roots: tuple[str, ...] = ("stats_options",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        name = body["stats_options"].get("stats_show_node_name")
        if name is not None:
            out.append(f"stats show-node {name}".rstrip())

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body.setdefault("stats_options", {})["stats_show_node_name"] = " ".join(words[2:])


@dataclass(frozen=True, slots=True)
class UserAndPassword:
    """`USER:PASSWORD`."""

    lead: bool = True
    fields: tuple[str, ...] = ("user", "passwd")
    starts: tuple[str, ...] = ()

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        out.append(f"{obj.get('user') or ''}:{obj.get('passwd') or ''}")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        obj["user"], obj["passwd"] = words[at].split(":")[:2]
        return at + 1


STATS_AUTH = Arguments(UserAndPassword())
STATS_HTTP_REQUEST = Actions(
    "type",
    Action("allow", Arguments(CONDITION)),
    Action("deny", Arguments(CONDITION)),
    Action("auth", Arguments(Rest("realm", "realm"), CONDITION)),
)


def rows(*, backend: bool) -> tuple[Row, ...]:
    """The `stats` rows; only a backend reads `stats http-request` back (measured)."""
    group = "stats_options."
    requests: Row = Items(f"{group}stats_http_requests", "stats http-request", arguments=STATS_HTTP_REQUEST)
    if not backend:
        requests = Unread(requests)
    rows: tuple[Row, ...] = (
        Present(f"{group}stats_enable", "stats enable"),
        StatsAdmin(),
        Items(f"{group}stats_auths", "stats auth", arguments=STATS_AUTH),
        Present(f"{group}stats_hide_version", "stats hide-version"),
        requests,
        number(f"{group}stats_maxconn", "stats maxconn"),
        StatsRealm(),
        time(f"{group}stats_refresh_delay", "stats refresh"),
        Line(f"{group}stats_show_desc", "stats show-desc"),
        Present(f"{group}stats_show_legends", "stats show-legends"),
        Present(f"{group}stats_show_modules", "stats show-modules"),
        StatsNode(),
        Present(f"{group}stats_show_version", "stats show-version"),
        Line(f"{group}stats_uri_prefix", "stats uri"),
        Known("stats scope"),
    )
    return tuple(Marked(row) for row in rows)

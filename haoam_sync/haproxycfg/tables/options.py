"""Rows of proxies whose lines and JSON do not match one to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments, LineShape
from haoam_sync.haproxycfg.parts import CONDITION
from haoam_sync.haproxycfg.rows import Row
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class EnabledOption:
    """`option KEY ...` for an object with `enabled`; `no option KEY` where it can be disabled.

    Attributes:
        path: JSON field of the object.
        key: the option.
        arguments: the other fields of the object.
        disables: there is a `no` form.
        bare: the `no` form is written without the arguments (measured).
    """

    path: str
    key: str
    arguments: LineShape
    disables: bool = False
    bare: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key, f"no {self.key}") if self.disables else (self.key,)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return (f"{self.path}.enabled", *(f"{self.path}.{name}" for name in sorted(self.arguments.fields)))

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return (self.path,)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        value = body.get(self.path)
        if not value:
            return
        enabled = value.get("enabled")
        if enabled == "enabled" or (self.disables and enabled == "disabled"):
            words = [self.key if enabled == "enabled" else f"no {self.key}"]
            if enabled == "enabled" or not self.bare:
                self.arguments.write(value, words)
            out.append(" ".join(words))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        start = len(self.key.split())
        value: Obj = {"enabled": "enabled"}
        if words[0] == "no":
            value["enabled"] = "disabled"
            start += 1
        self.arguments.read(words, start, value)
        body[self.path] = value


@dataclass(frozen=True, slots=True)
class Check:
    """`option httpchk ...` and its like: a kind of health check, with its parameters in a field of their own.

    The parameters are lost without the kind, and `pgsql-check` is refused without a user (measured).

    Attributes:
        kind: value of `adv_check`, and the option.
        holder: JSON field of the parameters, "" when the kind has none.
        arguments: the parameters.
    """

    kind: str
    holder: str = ""
    arguments: LineShape = field(default_factory=Arguments)

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (f"option {self.kind}",)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return ("adv_check", *(f"{self.holder}.{name}" for name in sorted(self.arguments.fields)))

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return ("adv_check",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        if body.get("adv_check") == self.kind:
            words = [f"option {self.kind}"]
            self.arguments.write(body.get(self.holder) or {}, words)
            out.append(" ".join(words))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        before = body.get("adv_check")
        if before is not None:
            if _CHECKS.index(before) < _CHECKS.index(self.kind):
                return
            for holder in ("httpchk_params", "mysql_check_params", "pgsql_check_params", "smtpchk_params"):
                body.pop(holder, None)
        body["adv_check"] = self.kind
        if self.holder:
            value: Obj = {}
            self.arguments.read(words, 2, value)
            body[self.holder] = value


_CHECKS = (
    "ssl-hello-chk",
    "smtpchk",
    "ldap-check",
    "mysql-check",
    "pgsql-check",
    "tcp-check",
    "redis-check",
    "httpchk",
)
"""Of several kinds in one section the server reads the first of these (measured)."""


@dataclass(frozen=True, slots=True)
class ValueLine:
    """A line that stands for one value of a field: `option httpclose`.

    Attributes:
        path: the field.
        value: its value.
        values: all of them; of several lines in one section the server reads the first of these (measured).
    """

    path: str
    value: str
    values: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (f"option {self.value}",)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return (self.path,)

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return (self.path,)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        if body.get(self.path) == self.value:
            out.append(f"option {self.value}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        before = body.get(self.path)
        if before is None or self.values.index(self.value) < self.values.index(before):
            body[self.path] = self.value


@dataclass(frozen=True, slots=True)
class LogFormatOptions:
    """`option httplog` and `option httplog clf`, booleans both; of the two, the first wins (measured)."""

    keys: tuple[str, ...] = ("option httplog",)
    paths: tuple[str, ...] = ("httplog", "clflog")
    roots: tuple[str, ...] = ("httplog", "clflog")

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        if body.get("httplog"):
            out.append("option httplog")
        elif body.get("clflog"):
            out.append("option httplog clf")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        body.pop("httplog", None)
        body.pop("clflog", None)
        body["clflog" if words[2:3] == ["clf"] else "httplog"] = True


@dataclass(frozen=True, slots=True)
class Conditions:
    """`force-persist if ...`: an array, and its first element once more in an older field.

    Attributes:
        first: the older field; the array's name has `_list` behind it.
        key: the keyword.
        single: the server reads a condition of one word only (measured on `ignore-persist`).
    """

    first: str
    key: str
    single: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key,)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        many = f"{self.first}_list"
        return (f"{self.first}.cond", f"{self.first}.cond_test", f"{many}.*.cond", f"{many}.*.cond_test")

    @property
    def roots(self) -> tuple[str, ...]:
        """See Row."""
        return (self.first, f"{self.first}_list")

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        first = body.get(self.first)
        for item in body.get(f"{self.first}_list") or ([first] if first else ()):
            words = [self.key]
            CONDITION.write(item, words)
            out.append(" ".join(words))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        if words[1] not in CONDITION.starts or (self.single and len(words) > len(("key", "if", "test"))):
            raise ValueError("no condition")
        item: Obj = {}
        CONDITION.read(words, 1, item)
        body.setdefault(self.first, item)
        body.setdefault(f"{self.first}_list", []).append(dict(item))


@dataclass(frozen=True, slots=True)
class PersistRule:
    """`persist rdp-cookie(NAME)`."""

    keys: tuple[str, ...] = ("persist",)
    paths: tuple[str, ...] = ("persist_rule.type", "persist_rule.rdp_cookie_name")
    roots: tuple[str, ...] = ("persist_rule",)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        rule = body.get("persist_rule")
        if rule:
            name = rule.get("rdp_cookie_name")
            out.append(f"persist {rule['type']}({name})" if name else f"persist {rule['type']}")

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:  # noqa: ARG002 - Row
        """See Row."""
        kind, _, name = words[1].partition("(")
        if kind != "rdp-cookie":
            raise ValueError(f"unknown persistence {kind!r}")
        rule: Obj = {"type": kind}
        if name.removesuffix(")"):
            rule["rdp_cookie_name"] = name.removesuffix(")")
        body["persist_rule"] = rule


@dataclass(frozen=True, slots=True)
class EmailAlert:
    """One `email-alert` line; whatever is read, what is missing of the three needed ones stands as null (measured)."""

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
        for field_name in ("from", "mailers", "to"):
            body["email_alert"].setdefault(field_name, None)


@dataclass(frozen=True, slots=True)
class Known:
    """A line that the server knows and that stands for no field."""

    key: str
    paths: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """See Row."""
        return (self.key,)

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A row whose lines the server writes and never reads back (measured)."""

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


@dataclass(frozen=True, slots=True)
class LostFields:
    """Fields that the server accepts and never writes.

    Attributes:
        paths: the fields, dotted.
        instead: the setting that works, "" when there is none.
    """

    paths: tuple[str, ...]
    instead: str = ""
    keys: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""

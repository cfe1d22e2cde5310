"""Settings that the server writes, and no longer shows once it has read its file: after a raw write, or a restart.

Right after the write it shows them, from memory. So they are gone from every later read, nobody could see them drift,
and a write that is compared with what was wanted finds them missing. Measured on 3.2.15 and 3.4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haoam_sync.model.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Unread:
    """Such a setting.

    Attributes:
        path: dotted, from the section's body down; numbers for places in an array.
        reason: what becomes of it, one clause.
        instead: the setting that works.
    """

    path: str
    reason: str
    instead: str


_STATUS: Mapping[str, str] = {"deny": "deny_status", "return": "return_status_code"}
_ANSWERING = ("http_request_rule_list", "http_response_rule_list")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "errorfiles_from_http_errors": ("name",),
    "pass_headers": ("name",),
    "set_params": ("name", "format"),
}
"""Entries whose line without these words is read as another."""


def unread(body: JsonObject) -> Iterator[Unread]:
    """Every setting of a section that is there in no read of the file."""
    for field in _ANSWERING:
        for place, rule in _entries(body, field):
            status = _STATUS.get(str(rule.get("type")))
            if status and rule.get("return_content_format") == "default-errorfiles" and rule.get(status) is None:
                reason = "it comes back as nothing: without a status the server does not read it from its file"
                yield Unread(f"{field}.{place}.return_content_format", reason, f"{status}, beside it")
    for place, rule in _entries(body, "tcp_response_rule_list"):
        if rule.get("action") == "send-spoe-group" and not (rule.get("spoe_engine") and rule.get("spoe_group")):
            reason = "it comes back as nothing: the server does not read it from its file without engine and group"
            yield Unread(f"tcp_response_rule_list.{place}.action", reason, "spoe_engine and spoe_group, beside it")
    for field, names in _NEEDED.items():
        for place, entry in _entries(body, field):
            if missing := [name for name in names if not entry.get(name)]:
                words = " and ".join(missing)
                reason = f"it comes back as another: its line without {words} says something else"
                yield Unread(f"{field}.{place}", reason, f"{words} in it")


def _entries(body: JsonObject, field: str) -> Iterator[tuple[int, Mapping[str, Json]]]:
    entries = body.get(field)
    for place, entry in enumerate(entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ()):
        if isinstance(entry, Mapping):
            yield place, entry

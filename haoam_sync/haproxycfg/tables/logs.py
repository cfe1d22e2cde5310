"""Log targets: `log ...` of every section, `log-stderr ...` of FastCGI applications (manual, section 4.2 "log")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.parts import Part
from haoam_sync.haproxycfg.words import Obj, ended, read_metadata

_FACILITIES = frozenset(
    {
        *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp"),
        *("audit", "alert", "cron2"),
        *(f"local{number}" for number in range(8)),
    }
)
_LEVELS = frozenset({"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"})


class LogTarget:
    """`log global`, or `log ADDRESS [len N] [format F] [sample RANGE:SIZE] [profile P] FACILITY [LEVEL [MINLEVEL]]`."""

    def __init__(self, length: str, *, nested: bool) -> None:
        self._length = length
        self._nested = nested
        self.parts: tuple[Part, ...] = ()
        sample = {"sample"} if nested else {"sample_range", "sample_size", "nolog", "profile"}
        self.fields = frozenset({"global", "address", length, "format", "facility", "level", "minlevel"} | sample)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`."""
        if obj.get("global"):
            out.append("global")
            return
        out.append(obj.get("address") or "")
        for field, keyword in ((self._length, "len"), ("format", "format")):
            if obj.get(field):
                out += [keyword, str(obj[field])]
        sample = obj.get("sample") if self._nested else None
        ranges, size = (
            (sample.get("ranges"), sample.get("size")) if sample else (obj.get("sample_range"), obj.get("sample_size"))
        )
        if ranges and size:
            out += ["sample", f"{ranges}:{size}"]
        if obj.get("profile"):
            out += ["profile", obj["profile"]]
        if self._nested:
            out += [obj[field] for field in ("facility", "level", "minlevel") if obj.get(field)]
            return
        out.append(obj.get("facility") or "")
        if obj.get("level"):
            out += [obj[field] for field in ("level", "minlevel") if obj.get(field)]

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`."""
        if at == len(words):
            return
        if words[at] == "global":
            obj["global"] = True
            return
        if not self._is_end(words[at], words[at + 1 :]):
            obj["address"] = words[at]
            at += 1
        while at < len(words):
            if words[at] in {"len", "format", "sample", "profile"}:
                self._read_option(words[at], words[at + 1], obj)
                at += 2
            else:
                self._read_end(words[at:], obj)
                return

    def _read_option(self, keyword: str, value: str, obj: Obj) -> None:
        if keyword == "len":
            obj[self._length] = int(value)
        elif keyword == "sample":
            ranges, _, size = value.rpartition(":")
            if self._nested:
                obj["sample"] = {"ranges": ranges, "size": int(size)}
            else:
                obj["sample_range"] = ranges
                obj["sample_size"] = int(size)
        else:
            obj[keyword] = value

    @staticmethod
    def _is_end(word: str, following: Sequence[str]) -> bool:
        """Whether `word` cannot be an address: the server writes lines without one too."""
        if not following:
            return word in _FACILITIES or word in _LEVELS
        return word in {"len", "format", "sample", "profile"}

    @staticmethod
    def _read_end(words: Sequence[str], obj: Obj) -> None:
        names = ["facility", "level", "minlevel"]
        if words[0] not in _FACILITIES and words[0] in _LEVELS:
            names.pop(0)
        obj.update(zip(names, words, strict=False))


LOG_TARGET = LogTarget("length", nested=False)
LOG_STDERR = LogTarget("len", nested=True)


@dataclass(frozen=True, slots=True)
class LogTargets:
    """The log targets of a section: `log ...` for each, and `no log`, which is a target of its own in JSON."""

    keys: tuple[str, ...] = ("log", "no log")
    roots: tuple[str, ...] = ("log_target_list",)

    @property
    def paths(self) -> tuple[str, ...]:
        """See Row."""
        return tuple(f"log_target_list.*.{field}" for field in sorted(LOG_TARGET.fields | {"metadata"}))

    def write(self, body: Mapping[str, Any], out: list[str]) -> None:
        """See Row."""
        for target in body.get("log_target_list") or ():
            words = ["log"]
            if target.get("nolog") and not target.get("global"):
                words.insert(0, "no")
            else:
                LOG_TARGET.write(target, words)
            out.append(ended(words, target.get("metadata")))

    def read(self, words: Sequence[str], comment: str | None, body: Obj) -> None:
        """See Row."""
        target: Obj = {}
        if words[0] == "no":
            target["nolog"] = True
        else:
            LOG_TARGET.read(words, 1, target)
        if comment is not None:
            target["metadata"] = read_metadata(comment)
        body.setdefault("log_target_list", []).append(target)

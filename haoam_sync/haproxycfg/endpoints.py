"""Addresses of servers and binds: `127.0.0.1:80`, `:8080-8089`, `[::1]:443`, `/run/x.sock`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.words import Obj


def write_endpoint(address: str, port: int | None, port_end: int | None = None) -> str:
    """The word for an address, with its port or range of ports."""
    if port is None:
        return address
    if ":" in address and "[" not in address and "@" not in address and "," not in address:
        address = f"[{address}]"
    if port_end is None:
        return f"{address}:{port}"
    return f"{address}:{port}-{port_end}"


def read_endpoint(word: str) -> tuple[str, int | None, int | None]:
    """Address ("" for none), port, and last port of a range, of the word for an address.

    Of several addresses all but the last port belong to the address (FACTS.md, "Reading").
    """
    address, colon, ports = word.rpartition(":")
    if not colon:
        return word, None, None
    first, dash, last = ports.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        return word, None, None
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    return address, int(first), int(last) if dash else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a line, always at its fixed place.

    Attributes:
        address: the JSON field of the address.
        ranged: whether a range of ports may stand there.
        names: the whole word is the entry's name until a `name` says otherwise (FACTS.md, "Reading").
        lead: see Part.
    """

    address: str = "address"
    ranged: bool = False
    names: bool = False
    lead: bool = True
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.address, "port", "port-range-end") if self.ranged else (self.address, "port")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        last = obj.get("port-range-end") if self.ranged else None
        out.append(write_endpoint(obj.get(self.address) or "", obj.get("port"), last))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if self.names:
            obj["name"] = words[at]
        address, port, last = read_endpoint(words[at])
        if address:
            obj[self.address] = address
        if port is not None:
            obj["port"] = port
        if last is not None and self.ranged:
            obj["port-range-end"] = last
        return at + 1

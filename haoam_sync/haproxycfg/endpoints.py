"""Addresses of servers and binds: `127.0.0.1:80`, `:8080-8089`, `[::1]:443`, `/run/x.sock`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

from haoam_sync.haproxycfg.words import Obj

_COLONS_OF_IPV6 = 2
"""No IPv6 address has fewer."""
_WITHOUT_PORT = ("/", "unix@", "fd@", "sockpair@")
"""How the address of a bind begins that has no port; the server does not read others without one (measured)."""


def bracketed(address: str) -> str:
    """An IPv6 address in brackets, behind its family prefix if it has one; anything else as it is."""
    family, at, bare = address.rpartition("@")
    if bare.count(":") < _COLONS_OF_IPV6:
        return address
    try:
        IPv6Address(bare)
    except ValueError:
        return address
    return f"{family}{at}[{bare}]"


def write_endpoint(address: str, port: int | None, port_end: int | None = None) -> str:
    """The word for an address, with its port or range of ports."""
    if not port:
        return address
    if port_end is None:
        return f"{address}:{port}"
    return f"{address}:{port}-{port_end}"


def unbracketed(address: str) -> str:
    """An address without the brackets of IPv6."""
    if address.endswith("]"):
        family, bracket, bare = address.rpartition("[")
        if bracket and (not family or family.endswith("@")):
            return f"{family}{bare[:-1]}"
    return address


def read_endpoint(word: str) -> tuple[str, int | None, int | None]:
    """Address ("" for none), port, and last port of a range, of the word for an address.

    Of several addresses all but the last port belong to the address (FACTS.md, "Reading"). What stands behind the last
    colon and is no number is dropped (measured).
    """
    address, colon, ports = word.rpartition(":")
    if not colon or "/" in ports:
        return word, None, None
    first, dash, last = ports.partition("-")
    return address, _port(first), _port(last) if dash else None


def _port(digits: str) -> int | None:
    bare = digits.removeprefix("+")
    return int(bare) if bare.isdigit() else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a line, always at its fixed place.

    Attributes:
        address: the JSON field of the address.
        brackets: whether the server puts IPv6 addresses into brackets here (measured).
        ranged: whether a range of ports may stand there.
        forgets: the end of the range is written and not read back (measured on datagram binds).
        names: the whole word is the entry's name until a `name` says otherwise (FACTS.md, "Reading").
        lead: see Part.
    """

    address: str = "address"
    brackets: bool = False
    ranged: bool = False
    forgets: bool = False
    names: bool = False
    lead: bool = True
    starts: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.address, "port", "port-range-end") if self.ranged else (self.address, "port")

    def _strips(self, address: str) -> bool:
        """A server keeps the brackets behind a family prefix when it is read, a bind does not (measured)."""
        return self.names or address.startswith("[")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        last = obj.get("port-range-end") if self.ranged else None
        address = obj.get(self.address) or ""
        out.append(write_endpoint(bracketed(address) if self.brackets else address, obj.get("port"), last))

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if self.names:
            obj["name"] = words[at]
        word = words[at]
        address, port, last = read_endpoint(word)
        if self.names and address == word and not word.startswith(_WITHOUT_PORT):
            raise ValueError(f"no port: {word!r}")
        if address:
            obj[self.address] = unbracketed(address) if self.brackets and self._strips(address) else address
        if port is not None and (self.ranged or "-" not in word.rpartition(":")[2]):
            obj["port"] = port
        if last is not None and last != port and self.ranged and not self.forgets:  # one port is no range (measured)
            obj["port-range-end"] = last
        return at + 1

"""Words for TLS versions and session tickets, which several JSON fields name at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haoam_sync.haproxycfg.values import read_size
from haoam_sync.haproxycfg.words import Obj


def _show_kilobytes(number: int) -> str:
    """A number of kilobytes with the largest unit that divides it: 10 is `10k`, 2048 is `2m`."""
    for unit in ("k", "m"):
        if number % 1024 or not number:
            return f"{number}{unit}"
        number //= 1024
    return f"{number}g"


VERSIONS = ("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13")


@dataclass(frozen=True, slots=True)
class ServerTlsVersion:
    """`force-tlsv10` and `no-tlsv10` of a server: `tlsv10` and, in older words, `force_tlsv10`.

    `no_sslv3` works and is written beside what it means; its sisters `no_tlsv1*` are lost (measured).
    """

    version: str
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        own = (self.version, f"force_{self.version}")
        return (*own, "no_sslv3") if self.version == "sslv3" else own

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (f"force-{self.version}", f"no-{self.version}")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        version = self.version
        state = obj.get(version) or obj.get(f"force_{version}")
        if state == "enabled":
            out.append(f"force-{version}")
        if version == "sslv3" and obj.get("no_sslv3") == "enabled":
            out += ["no-sslv3", "no-sslv3"]
        elif state == "disabled":
            out.append(f"no-{version}")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        version = self.version
        state = "enabled" if words[at].startswith("force") else "disabled"
        obj[version] = state
        obj[f"force_{version}"] = state
        if state == "disabled" and version == "sslv3":
            obj["no_sslv3"] = "enabled"
        return at + 1


@dataclass(frozen=True, slots=True)
class BindTlsVersion:
    """`force-tlsv10` and `no-tlsv10` of a bind: `tlsv10` and, in older words, `force_tlsv10` and `no_tlsv10`."""

    version: str
    lead: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        return (self.version, f"force_{self.version}", f"no_{self.version}")

    @property
    def starts(self) -> tuple[str, ...]:
        """See Part."""
        return (f"force-{self.version}", f"no-{self.version}")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        version = self.version
        state = obj.get(version)
        if state == "enabled" or obj.get(f"force_{version}"):
            out.append(f"force-{version}")
        if state == "disabled" or obj.get(f"no_{version}"):
            out.append(f"no-{version}")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        version = self.version
        if words[at].startswith("force"):
            obj[version] = "enabled"
            obj[f"force_{version}"] = True
        else:
            obj[version] = "disabled"
            obj[f"no_{version}"] = True
        return at + 1


@dataclass(frozen=True, slots=True)
class BindTickets:
    """`tls-tickets` and `no-tls-tickets` of a bind.

    Up to API 3.3 the server writes `tls-tickets` behind `no-tls-tickets`, and nothing for `enabled` (measured).
    """

    inverted: bool
    lead: bool = False
    fields: tuple[str, ...] = ("tls_tickets", "no_tls_tickets")
    starts: tuple[str, ...] = ("tls-tickets", "no-tls-tickets")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        state = obj.get("tls_tickets")
        refused = bool(obj.get("no_tls_tickets"))
        if state == "disabled" or refused:
            out.append("no-tls-tickets")
        if state == ("disabled" if self.inverted else "enabled"):
            out.append("tls-tickets")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at] == "tls-tickets":
            obj["tls_tickets"] = "enabled"
        else:
            obj["tls_tickets"] = "disabled"
            obj["no_tls_tickets"] = True
        return at + 1


@dataclass(frozen=True, slots=True)
class BindStrictSni:
    """`strict-sni` and `no-strict-sni` of a bind, each under two names."""

    lead: bool = False
    fields: tuple[str, ...] = ("strict_sni", "force_strict_sni", "no_strict_sni")
    starts: tuple[str, ...] = ("strict-sni", "no-strict-sni")

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        state = obj.get("force_strict_sni")
        if state == "enabled" or obj.get("strict_sni"):
            out.append("strict-sni")
        if state == "disabled" or obj.get("no_strict_sni"):
            out.append("no-strict-sni")

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        if words[at] == "strict-sni":
            obj["force_strict_sni"] = "enabled"
            obj["strict_sni"] = True
        else:
            obj["force_strict_sni"] = "disabled"
            obj["no_strict_sni"] = True
        return at + 1


@dataclass(frozen=True, slots=True)
class QuicCongestion:
    """`quic-cc-algo cubic`, with the largest window and the burst size in parentheses (manual, section 5.1).

    The window is in kilobytes; the numbers are lost without an algorithm (measured).
    """

    burst: bool
    lead: bool = False
    starts: tuple[str, ...] = ("quic-cc-algo",)

    @property
    def fields(self) -> tuple[str, ...]:
        """See Part."""
        own = ("quic-cc-algo", "quic_cc_algo_max_window")
        return (*own, "quic_cc_algo_burst_size") if self.burst else own

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """See Part."""
        algorithm = obj.get("quic-cc-algo")
        if not algorithm:
            return
        window = obj.get("quic_cc_algo_max_window")
        burst = obj.get("quic_cc_algo_burst_size") if self.burst else None
        if window is not None or burst is not None:
            limits = "" if window is None else _show_kilobytes(window)
            algorithm = f"{algorithm}({limits})" if burst is None else f"{algorithm}({limits},{burst})"
        out.append("quic-cc-algo")
        out.append(algorithm)

    def read(self, words: Sequence[str], at: int, obj: Obj, stops: frozenset[str]) -> int:  # noqa: ARG002 - Part
        """See Part."""
        algorithm, _, limits = words[at + 1].partition("(")
        obj["quic-cc-algo"] = algorithm
        window, _, burst = limits.rstrip(")").partition(",")
        if window:
            obj["quic_cc_algo_max_window"] = read_size(window) // 1024
        if burst and self.burst:
            obj["quic_cc_algo_burst_size"] = int(burst)
        return at + 2

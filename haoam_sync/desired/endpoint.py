"""Where an instance's Data Plane API may be: judged from the text alone, before any name is looked up."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[A-Za-z0-9._~-]+)*)"
)
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MOST_PORT = 65535
_DEFAULT_PORTS = {"http": 80, "https": 443}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class EndpointError(Exception):
    """Why an endpoint, or a management network, is refused, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Networks:
    """Where endpoints may lie.

    Attributes:
        networks: that hold them, where endpoints are addresses.
        hosts: names, `*.example.com` among them, where endpoints have names.
    """

    networks: tuple[_Network, ...]
    hosts: tuple[str, ...]

    @classmethod
    def parse(cls, texts: tuple[str, ...]) -> Networks:
        """Read a list such as `10.0.0.0/8`, `lb-1.example.com`, `*.mgmt.example.com`.

        Raises:
            EndpointError: one of them is neither a network nor a name.
        """
        networks: list[_Network] = []
        hosts: list[str] = []
        for text in texts:
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError as error:
                if "/" in text or _address(text) is not None or not _HOST.fullmatch(text):
                    hint = "write 10.0.0.0/8, with no bits beyond the prefix, or the name of a host"
                    raise EndpointError(f"`{text}` is no network: {error}", hint) from error
                hosts.append(text.lower())
        return cls(tuple(networks), tuple(hosts))

    def hold(self, host: str) -> bool:
        """Whether an endpoint on `host` lies in one of them."""
        address = _address(host)
        if address is not None:
            return any(address in network for network in self.networks)
        name = host.lower()
        return any(name == known or (known[0] == "*" and name.endswith(known[1:])) for known in self.hosts)


def check(url: str, networks: Networks | None) -> str:
    """What identifies the endpoint: two URLs with one identity reach the same API.

    Args:
        url: of the API.
        networks: where it may lie; None for anywhere.

    Raises:
        EndpointError: the URL is not one that we talk to.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise EndpointError(f"`{url}` is no endpoint", "write https://HOST:PORT/v3, without user, query or fragment")
    scheme, host = found["scheme"], found["host"].strip("[]")
    address = _address(host)
    if found["host"].startswith("[") and address is None:
        raise EndpointError(f"`{host}` is no address")
    if address is None and re.fullmatch(r"[0-9.]+|0[xX][0-9A-Fa-f.xX]+", host):
        raise EndpointError(f"`{host}` is no address", "write all four numbers")
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= _MOST_PORT:
        raise EndpointError(f"port {port} is out of range, expected 1 to {_MOST_PORT}")
    segments = found["path"].split("/")
    if segments[-1] != "v3" or "." in segments or ".." in segments:
        raise EndpointError(f"the path of `{url}` does not end with /v3", "write https://HOST:PORT/v3")
    loopback = address.is_loopback if address is not None else host.lower() == "localhost"
    if scheme == "http" and not loopback:
        raise EndpointError(
            f"`{url}` would send the password in clear over a network", "write https://, or reach it on loopback"
        )
    if networks is not None and not networks.hold(host):
        raise EndpointError(f"`{host}` lies in none of the management networks", "add it there, or correct the url")
    return f"{str(address) if address is not None else host.lower()}:{port}{found['path']}"


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

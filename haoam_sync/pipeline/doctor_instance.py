"""What is wrong with one instance, by what its API shows. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from haoam_sync.dataplane import Outside
from haoam_sync.model.finding import Finding
from haoam_sync.model.fleet import Instance


def judged(instance: Instance, outside: Outside) -> Iterator[Finding]:
    """By its URL, and by what it shows to strangers."""
    where = str(instance.id)
    url = urlsplit(instance.url)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        yield Finding(
            "warning",
            "D_PLAIN_HTTP",
            where,
            f"{instance.url} is not encrypted",
            "everybody on the way reads the password, and can then do everything",
            "give the API a certificate (`tls-certificate`, `tls-key` in dataplaneapi.yml), and write https",
        )
    if outside.is_open:
        yield Finding(
            "warning",
            "D_OPEN_API",
            where,
            "its API answers without credentials",
            "everybody who reaches the port can change everything",
            "turn the `http` scheme off where a client CA is set (`scheme: [https]`), and give it a userlist",
        )
    elif not outside.is_closed:
        yield Finding(
            "warning",
            "D_STRANGE_API",
            where,
            f"without credentials its API answers {outside.status}, not 401",
            "something else may stand in front of it",
            "see what answers at that URL",
        )
    for path in outside.documents:
        yield Finding(
            "warning",
            "D_OPEN_DOCUMENTS",
            where,
            f"{path} is open to everybody",
            "it tells which version runs here, and every request that it takes",
            "let only the management network reach the port, or refuse the path in front of it",
        )


def judged_text(instance: Instance, text: str) -> Iterator[Finding]:
    """By its haproxy.cfg. No value of it leaves this function: it may be a password."""
    where = str(instance.id)
    section = ("", "")
    in_global: set[str] = set()
    plain: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not line[0].isspace():
            section = (words[0], words[1] if len(words) > 1 else "")
        elif section[0] == "global":
            in_global.add(" ".join(words[:2]) if words[0] == "stats" else words[0])
        elif section[0] == "userlist" and words[0] == "user" and "insecure-password" in words[2:]:
            plain[section[1]] = plain.get(section[1], 0) + 1
    for name, count in sorted(plain.items()):
        yield Finding(
            "warning",
            "D_PLAIN_PASSWORD",
            where,
            f"userlist {name} holds {count} password{'' if count == 1 else 's'} in clear",
            "whoever can log in, or read the file or a backup of it, has them all",
            "use `password` with a $6$ hash (mkpasswd -m sha-512), and change the passwords",
        )
    if "stats socket" not in in_global:
        yield Finding(
            "fault",
            "D_NO_SOCKET",
            where,
            "global has no stats socket",
            "what the worker runs cannot be proven, and no weight changed without a reload",
            "add `stats socket PATH mode 600 level admin expose-fd listeners` to global",
        )
    if "master-worker" not in in_global:
        yield Finding(
            "warning",
            "D_NO_MASTER",
            where,
            "global has no master-worker line",
            "a reload keeps the old worker only in master-worker mode; -W on the command line does as well",
            "add `master-worker` to global, or see that HAProxy is started with -W or -Ws",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""What one lab instance is started with."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.errors import UsageError
from haoam_sync.lab.login import Login
from haoam_sync.model.api_version import ApiVersion

USER_VARIABLE, PASSWORD_VARIABLE = "HAOAM_LAB_USER", "HAOAM_LAB_PASSWORD"
KNOWN_VERSIONS = (ApiVersion(3, 2), ApiVersion(3, 4))
RELOAD_DELAY_SECONDS = 0.3
_PLAIN = re.compile(r"[A-Za-z0-9_.:@%+=,/$-]+")


@dataclass(frozen=True, slots=True)
class LabSettings:
    """One instance.

    Attributes:
        host: loopback address to listen on.
        port: 0 for a free one.
        directory: where everything of the instance is; absolute.
        login: the one user.
        api: which version to answer as.
        config: haproxy.cfg to begin with, `${DIR}` in it stands for the directory; "" for a small one.
        request_log: file for one JSON line a request, None for none.
        reload_delay: seconds between a change that needs a reload and the reload.
    """

    host: str
    port: int
    directory: Path
    login: Login
    api: ApiVersion = KNOWN_VERSIONS[0]
    config: str = ""
    request_log: Path | None = None
    reload_delay: float = RELOAD_DELAY_SECONDS


def login_of_environment() -> Login:
    """User and password: `admin` and `adminpwd` unless the environment says otherwise."""
    return Login(os.environ.get(USER_VARIABLE) or "admin", os.environ.get(PASSWORD_VARIABLE) or "adminpwd")


def loopback(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`.

    Raises:
        UsageError: that is not its form, or the host is not this machine's own loopback.
    """
    host, separator, port = listen.rpartition(":")
    host = host.strip("[]")
    if not separator or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the greatest port there is
        raise UsageError(f"{listen!r} is not HOST:PORT", hint="for example 127.0.0.1:0, for any free port")
    if host == "localhost":
        return "127.0.0.1", int(port)
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise UsageError(
            f"a lab listens on loopback only, not on {host}",
            code="E_NOT_LOOPBACK",
            hint="it is no production server: use 127.0.0.1",
        )
    return host, int(port)


def api_version(text: str) -> ApiVersion:
    """The version to answer as.

    Raises:
        UsageError: the lab cannot.
    """
    known = {str(version): version for version in KNOWN_VERSIONS}
    if text not in known:
        raise UsageError(f"the lab answers as {' or '.join(known)}, not as {text}")
    return known[text]


def initial_config(settings: LabSettings) -> str:
    """The haproxy.cfg to begin with."""
    text = settings.config or _small(settings.login)
    return text.replace("${DIR}", str(settings.directory))


def _small(login: Login) -> str:
    return f"""global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user {_quoted(login.user)} insecure-password {_quoted(login.password)}
"""


def _quoted(word: str) -> str:
    """A word of haproxy.cfg (HAProxy manual, 2.2 "Quoting and escaping")."""
    if _PLAIN.fullmatch(word) and "$" not in word:
        return word
    return "'" + word.replace("'", "'\\''") + "'"

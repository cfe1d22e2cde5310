"""Adapter: references to secrets to their values, as far as this host allows it.

A repository says where it wants a secret from; the host decides. Rules, in the order of the checks:

R1  The host lists the reference for this kind of document, this field and this cluster. None listed: none allowed; and
    what the host keeps for itself (the token of its forge) is never resolved for a document, whatever is listed.
R2  `env/NAME` is a variable of the environment handed in. `file/PATH` lies below the directory that the operator named,
    with no `..` in it, and still does when links are followed; it is a plain file of bounded size. `command/` and
    `sops/` are not supported yet.
R3  The value is text, not empty, and on one line, unless it is the content of a file: a line break would be a line of
    haproxy.cfg that nobody reviewed. A newline at the end is not part of it.

No message carries a value, nor says more of it than what is wrong.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model import glob
from haoam_sync.model.host_root import SecretRule
from haoam_sync.model.secret import SecretReference, SecretUse

__all__ = ["MOST_BYTES", "Revealer", "SecretRule"]

_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
MOST_BYTES: Final = 65_536
"""A file with more is no secret."""
_ANY = "*"
_MULTILINE_KINDS = frozenset({"Certificate", "CAFile", "Map", "File"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Revealer:
    """Resolves what the host allows; hand `reveal` to `desired.load`.

    Attributes:
        warnings: what an operator should put right, such as a secret that everybody may read; sorted.
    """

    def __init__(
        self,
        rules: tuple[SecretRule, ...],
        environment: Mapping[str, str],
        directory: Path | None,
        reserved: Collection[SecretReference] = (),
    ) -> None:
        """Take what the host decides.

        Args:
            rules: what may be resolved.
            environment: for `env/`.
            directory: where `file/` lies; None when there is no such place.
            reserved: what the host keeps for itself.
        """
        self._reserved = frozenset(reserved)
        self._rules = rules
        self._environment = environment
        self._directory = directory
        self._warnings: set[str] = set()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed so far."""
        return tuple(sorted(self._warnings))

    def reveal(self, use: SecretUse) -> str:
        """The value of a secret.

        Raises:
            NotTrustedError: E_SECRET_REFERENCE, the host does not allow this use, or the path leads elsewhere.
            UsageError: E_SECRET_MISSING or E_SECRET_VALUE, the host has no such secret, or it is none that can be used.
        """
        where = f"{use.reference} for {use.kind} {use.field} on {use.cluster}"
        if use.reference in self._reserved or not any(_allows(rule, use) for rule in self._rules):
            raise NotTrustedError(
                f"this host does not allow {use.reference} for {use.kind} {use.field} on cluster {use.cluster}",
                code="E_SECRET_REFERENCE",
                where=where,
                hint=self._how_to_allow(use),
            )
        match use.reference.scheme:
            case "env":
                value = self._variable(use.reference.locator, where)
            case "file":
                value = self._file(use.reference.locator, where)
            case scheme:
                raise NotTrustedError(
                    f"{scheme}/ references are not supported yet by this version",
                    code="E_SECRET_REFERENCE",
                    where=where,
                    hint="use env/NAME or file/PATH",
                )
        return _checked(value, use, where)

    def own(self, reference: SecretReference, what: str) -> str:
        """The value of a secret of the host itself, which the host root file names: no document can have it resolved.

        Args:
            reference: where it is.
            what: what it is for, in words.

        Raises:
            NotTrustedError: E_SECRET_REFERENCE, the path leads elsewhere.
            UsageError: E_SECRET_MISSING or E_SECRET_VALUE.
        """
        use = SecretUse(reference, "HostRoot", what, "this host")
        rule = SecretRule(str(reference), (use.kind,), (what,), (use.cluster,))
        return Revealer((rule,), self._environment, self._directory).reveal(use)

    def _how_to_allow(self, use: SecretUse) -> str:
        """The line that would allow this use, and no other, for the operator to judge."""
        if use.reference in self._reserved:
            return "the host root file names it for the host's own use; give the repository a secret of its own"
        if not _PLAIN.fullmatch(use.reference.locator):  # pasted into a rule, it could mean more than itself
            return "the operator of this host decides which references it resolves; this one has odd characters"
        rule = f'reference: {use.reference}, kinds: [{use.kind}], fields: ["{use.field}"], clusters: [{use.cluster}]'
        return f"if it may, add to `secrets` of the host root file: - {{{rule}}}"

    def _variable(self, name: str, where: str) -> str:
        if not _VARIABLE.fullmatch(name):
            raise NotTrustedError(f"`{name}` is no name of a variable", code="E_SECRET_REFERENCE", where=where)
        value = self._environment.get(name)
        if value is None:
            raise UsageError(
                f"the environment has no variable {name}",
                code="E_SECRET_MISSING",
                where=where,
                hint="set it, and run again",
            )
        return value

    def _file(self, path: str, where: str) -> str:
        if self._directory is None:
            raise NotTrustedError(
                "this host has no directory for file/ secrets",
                code="E_SECRET_REFERENCE",
                where=where,
                hint="the operator of this host names one",
            )
        if any(part in {".", ".."} or not _SEGMENT.fullmatch(part) for part in path.split("/")):
            raise NotTrustedError(f"`{path}` is no path below a directory", code="E_SECRET_REFERENCE", where=where)
        try:
            data = self._read(self._directory, path, where)
        except OSError as error:
            message = f"the secret file cannot be read: {error.strerror}"
            raise UsageError(
                message, code="E_SECRET_MISSING", where=where, hint="put it there, and run again"
            ) from error
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError("the secret file is not UTF-8 text", code="E_SECRET_VALUE", where=where) from error

    def _read(self, directory: Path, path: str, where: str) -> bytes:
        """The bytes of a plain file below `directory`. Links are followed as long as they stay there."""
        real = (directory / path).resolve(strict=True)
        if not real.is_relative_to(directory.resolve(strict=True)):
            raise NotTrustedError(
                f"`{path}` leads out of the directory for file/ secrets", code="E_SECRET_REFERENCE", where=where
            )
        # not blocking, so that a pipe in its place cannot hold us up
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError("the secret is no plain file", code="E_SECRET_VALUE", where=where)
            if status.st_mode & stat.S_IROTH:
                self._warnings.add(f"file/{path} can be read by everybody on this host")
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(f"the secret file has more than {MOST_BYTES} bytes", code="E_SECRET_VALUE", where=where)
        return data


def _checked(value: str, use: SecretUse, where: str) -> str:
    value = value.rstrip("\r\n")
    if not value:
        hint = "give it a value, and run again"
        raise UsageError("the secret is empty", code="E_SECRET_VALUE", where=where, hint=hint)
    if use.kind in _MULTILINE_KINDS:
        if _CONTROL_BUT_LINES.search(value):
            raise UsageError("the secret holds control characters", code="E_SECRET_VALUE", where=where)
    elif _CONTROL.search(value):
        message = "the secret holds a line break or a control character"
        raise UsageError(message, code="E_SECRET_VALUE", where=where, hint="it must be one line of text")
    return value


def _allows(rule: SecretRule, use: SecretUse) -> bool:
    """R1: whether this rule covers the use of a secret."""
    return (
        _matches(rule.reference, str(use.reference))
        and (_ANY in rule.kinds or use.kind in rule.kinds)
        and (_ANY in rule.fields or use.field in rule.fields)
        and any(_matches(pattern, use.cluster) for pattern in rule.clusters)
    )


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(glob.expression(pattern, "[^/]"), text) is not None

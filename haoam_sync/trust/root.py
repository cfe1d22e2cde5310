"""Reading the host root file, and the denylist beside it.

A file that somebody else may write decides nothing: neither it, nor a directory above it, nor a link that leads to it,
nor a directory above that may be others' or writable by them (E_ROOT_FILE).
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from haoam_sync import documents
from haoam_sync.errors import InvalidDesiredError, NotTrustedError, UsageError
from haoam_sync.model.evidence import CommitText, DigestText, RefText
from haoam_sync.model.forge import GITHUB_API
from haoam_sync.model.host_root import GitHubAccess, HostRoot, SecretRule, SourceAccess
from haoam_sync.model.json import canonical_json
from haoam_sync.model.secret import SecretReference
from haoam_sync.trust.sshsig import FormatError, parse_public

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_BYTES = 1 << 20
_MOST_LINKS = 40
"""As the kernel has it."""
_DENIED = re.compile(r"SHA256:[A-Za-z0-9+/]{43}|[0-9A-F]{40}|[a-z0-9][a-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_API = (
    r"^(?:https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|http://(?:127\.0\.0\.1|localhost|\[::1\]))"
    r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9_.~-]+)*/?$"
)
"""https, but for a server on this machine; no user, no password."""
_Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class _Secret(_Strict):
    reference: _Text
    kinds: tuple[_Text, ...]
    fields: tuple[_Text, ...]
    clusters: tuple[_Text, ...]


class _GitHub(_Strict):
    api: Annotated[str, StringConstraints(pattern=_API)] = GITHUB_API
    repository: Annotated[int, Field(ge=1, le=2**53 - 1)]
    token: _Text | None = None
    ca: _Text | None = None


class _Forge(_Strict):
    github: _GitHub


_Public = Annotated[str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$", max_length=2048)]


class _Source(_Strict):
    token: _Text
    user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "x-access-token"
    ca: _Text | None = None


class _Spec(_Strict):
    introduction: CommitText
    policy: DigestText
    ref: RefText
    remotes: tuple[_Text, ...] = ()
    smallest_serial: Annotated[int, Field(ge=1)] = 1
    solo: bool = False
    secrets: tuple[_Secret, ...] = ()
    secret_files: _Text | None = None
    denylist: _Text | None = None
    forge: _Forge | None = None
    source: _Source | None = None
    runners: tuple[_Public, ...] = ()


class _Document(_Strict):
    apiVersion: Literal["haoam/v1"]  # noqa: N815  # the envelope's own spelling
    kind: Literal["HostRoot"]
    spec: _Spec


def read_root(path: Path) -> HostRoot:
    """The host root file. Relative paths in it are relative to its directory.

    Raises:
        UsageError: it is not there, or is malformed.
        NotTrustedError: E_ROOT_FILE, others may write it.
    """
    data = read_protected(path, "the host root file", "name it with --root or HAOAM_ROOT, or make it: trust init")
    try:
        found = documents.load(data, str(path))
        value = found[0].value if len(found) == 1 else None
        spec = _Document.model_validate_json(canonical_json(value)).spec
    except InvalidDesiredError as error:
        raise _malformed(path, str(error.problems[0])) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _malformed(path, f"{'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}") from error
    if spec.source is not None and not spec.remotes:
        raise _malformed(path, "`source` needs `remotes`: its token is sent to these and to no other")
    folder = path.resolve().parent
    return HostRoot(
        introduction=spec.introduction,
        policy=spec.policy,
        ref=spec.ref,
        remotes=spec.remotes,
        smallest_serial=spec.smallest_serial,
        solo=spec.solo,
        secrets=tuple(SecretRule(s.reference, s.kinds, s.fields, s.clusters) for s in spec.secrets),
        secret_files=folder / spec.secret_files if spec.secret_files is not None else None,
        denylist=folder / spec.denylist if spec.denylist is not None else None,
        github=_github(spec.forge.github, path) if spec.forge is not None else None,
        source=_source(spec.source, path) if spec.source is not None else None,
        runners=tuple(_runner(public, path) for public in spec.runners),
    )


def _runner(public: str, path: Path) -> str:
    try:
        parse_public(public)
    except FormatError as error:
        raise _malformed(path, f"runners: {error}") from error
    return public


def _source(found: _Source, path: Path) -> SourceAccess:
    ca = path.resolve().parent / found.ca if found.ca is not None else None
    if ca is not None:
        read_protected(ca, "the source's authority", "see `source.ca` in the host root file")
    return SourceAccess(_token(found.token, path), found.user, ca)


def _github(found: _GitHub, path: Path) -> GitHubAccess:
    ca = path.resolve().parent / found.ca if found.ca is not None else None
    return GitHubAccess(
        api=found.api.rstrip("/"),
        repository=found.repository,
        token=_token(found.token, path) if found.token is not None else None,
        ca=read_protected(ca, "the forge's authority", "see `forge.github.ca` in the host root file") if ca else None,
    )


def _token(text: str, path: Path) -> SecretReference:
    """A reference; its text is not shown when it is none, for it may be the token itself."""
    try:
        return SecretReference.parse(text)
    except ValueError:
        why = "a token is named by reference, as env/NAME or file/NAME, and never written here"
        raise _malformed(path, why) from None  # the cause shows the text


def read_denylist(root: HostRoot) -> frozenset[str]:
    """Keys that this host calls compromised.

    Raises:
        NotTrustedError: E_REVOCATION_UNAVAILABLE, the list is named and can not be read or understood; E_ROOT_FILE.
    """
    if root.denylist is None:
        return frozenset()
    try:
        data = read_protected(root.denylist, "the denylist", "")
        lines = [line.partition("#")[0].strip() for line in data.decode("utf-8").splitlines()]
    except (UsageError, UnicodeDecodeError) as error:
        raise _no_denylist(root.denylist, str(error)) from error
    entries = frozenset(line for line in lines if line)
    strange = sorted(entry for entry in entries if _DENIED.fullmatch(entry) is None)
    if strange:
        raise _no_denylist(root.denylist, f"{strange[0]!r} is neither a fingerprint nor PRINCIPAL/KEY")
    return entries


def read_protected(path: Path, what: str, hint: str) -> bytes:
    """The content of a file that nobody else may write, nor exchange.

    Raises:
        UsageError: it is not there.
        NotTrustedError: E_ROOT_FILE.
    """
    try:
        real = _followed(path, what)
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _require_mine(os.fstat(file.fileno()), real, what)
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{what} can not be read: {error.strerror}", code="E_ROOT_FILE", where=str(path), hint=hint
        ) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{what} has more than {_MOST_BYTES} bytes", code="E_ROOT_FILE", where=str(path))
    return data


def _followed(path: Path, what: str) -> Path:
    """Where `path` leads, one name after the other: every directory and every link on the way must be ours.

    Checking the target's directories alone is not enough: whoever may write where a link lies can point it elsewhere.

    Raises:
        NotTrustedError: E_ROOT_FILE.
        OSError: it is not there, or its links have no end.
    """
    here = Path("/")
    _require_mine(here.lstat(), here, what)
    names = list(reversed(path.absolute().parts[1:]))
    links = 0
    while names:
        name = names.pop()
        if name in {"..", "."}:
            here = here.parent if name == ".." else here
            continue
        step = here / name
        status = step.lstat()
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            _require_mine(status, step, what)
            target = step.readlink()
            here = Path("/") if target.is_absolute() else here
            names += [part for part in reversed(target.parts) if part != "/"]
            continue
        if names:
            _require_mine(status, step, what)
        here = step
    return here


def _require_mine(status: os.stat_result, path: Path, what: str) -> None:
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX  # /tmp: others can not exchange files
    writable = status.st_mode & _OTHERS_WRITE and not sticky and not stat.S_ISLNK(status.st_mode)  # a link has no mode
    if status.st_uid not in {os.geteuid(), 0} or writable:
        raise NotTrustedError(
            f"others may write {what}",
            code="E_ROOT_FILE",
            where=str(path),
            hint=f"chmod go-w {path}, and make it your own or root's",
        )


def _no_denylist(path: Path, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"the denylist can not be read, so nothing is believed: {why}",
        code="E_REVOCATION_UNAVAILABLE",
        where=str(path),
        hint="put it back (it may be empty), or take `denylist` out of the host root file",
    )


def _malformed(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the host root file is malformed: {why}",
        code="E_ROOT_FILE",
        where=str(path),
        hint="haoam-sync trust init writes one; docs/trust.md describes it",
    )

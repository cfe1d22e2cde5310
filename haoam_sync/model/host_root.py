"""The host root file: who is trusted to begin with. Decided outside of git."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from haoam_sync.model.secret import SecretReference


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One kind of secret that may be resolved on this host.

    Attributes:
        reference: text of a secret reference, `*` standing for any characters but `/` (`env/EDGE_*`).
        kinds: document kinds that may use it (`Userlist`, `Certificate`, `Fleet`); `*` alone for every kind.
        fields: dotted fields, as `SecretUse.field` names them; `*` alone for every field.
        clusters: patterns of names of clusters; `*` alone for every cluster.
    """

    reference: str
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GitHubAccess:
    """Where pull requests and their reviews are read.

    Attributes:
        api: base URL, `https://api.github.com` or `https://HOST/api/v3`.
        repository: numeric id of the repository.
        token: reference to a token that may read it, resolved for this alone; None for none.
        ca: PEM of the only authorities to believe; None for the system's.
    """

    api: str
    repository: int
    token: SecretReference | None = None
    ca: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """With what a repository over https is read and written.

    Attributes:
        token: reference to a token, resolved for this alone.
        user: whose token it is; of a token on GitHub, any name.
        ca: file with the PEM of the only authorities to believe; None for the system's.
    """

    token: SecretReference
    user: str = "x-access-token"
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class HostRoot:
    """What a host believes before it has read anything.

    Attributes:
        introduction: id of the commit where history begins, and the repository's identity.
        policy: digest of that commit's `trust.yaml`.
        ref: the branch that is applied, in full.
        remotes: where the repository may be read from; empty for anywhere.
        smallest_serial: no policy older than this is believed.
        solo: one person works alone, and nobody reviews. Every plan and record says so.
        secrets: which secrets may be resolved, for what.
        secret_files: directory below which `file/` references lie; None when there are none.
        denylist: file of keys that are compromised, one fingerprint or PRINCIPAL/KEY a line; None when there is none.
            One that can not be read holds everything.
        github: where pull requests are read; None when reviews on a forge count for nothing here.
        source: with what an https source is read and written; None for nothing.
        runners: SSH public keys whose records of what was accepted are believed; empty when this host keeps its memory
            on its own disk.
    """

    introduction: str
    policy: str
    ref: str
    remotes: tuple[str, ...] = ()
    smallest_serial: int = 1
    solo: bool = False
    secrets: tuple[SecretRule, ...] = ()
    secret_files: Path | None = None
    denylist: Path | None = None
    github: GitHubAccess | None = None
    source: SourceAccess | None = None
    runners: tuple[str, ...] = ()

    @property
    def own_secrets(self) -> tuple[SecretReference, ...]:
        """What is resolved for the host itself, and for no document."""
        found = (one.token for one in (self.github, self.source) if one is not None)
        return tuple(reference for reference in found if reference is not None)

"""Setting up trust: the first policy, and the host root file. Text only; who commits it signs it with his own key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.trust_policy import KEY_DIRECTORY
from haoam_sync.repository import Repository, parse_ref
from haoam_sync.trust.certificate import Certificate, parse_certificate
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.policy import AUTHOR, MERGER, REVIEWER, ROOT, LoadedPolicy, load_policy
from haoam_sync.trust.signing import OpenpgpSigningKey, SigningKey, SshSigningKey
from haoam_sync.trust.ssh import public_of
from haoam_sync.trust.sshsig import FormatError, parse_public

ALL_ROLES = (ROOT, AUTHOR, REVIEWER, MERGER)

_RULES: tuple[tuple[tuple[str, ...], int], ...] = (
    (("access/**",), 2),
    (("haoam.yaml", ".github/**"), 2),
    (("haproxy/**", "certificates/**", "certs/**", "files/**"), 1),
    (("docs/**", "*.md", "LICENSE", ".gitignore", ".editorconfig"), 1),
)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the first policy.

    Attributes:
        name: as in `principals`.
        publics: SSH public keys, `TYPE BASE64`.
        roles: from `ALL_ROLES`.
        certificates: of OpenPGP keys.
    """

    name: str
    publics: tuple[str, ...]
    roles: tuple[str, ...] = ALL_ROLES
    certificates: tuple[Certificate, ...] = ()

    def certificate_file(self, number: int) -> str:
        """Where the certificate with this number (from 1) lies beside the policy."""
        return f"{KEY_DIRECTORY}{self.name}{f'-{number}' if number > 1 else ''}.asc"


def member(text: str) -> Member:
    """Read `NAME=KEYFILE` or `NAME=KEYFILE:role,role`, as the command line takes it.

    Raises:
        UsageError: it is neither, or the file holds no usable public key.
    """
    name, _, rest = text.partition("=")
    file, _, roles = rest.partition(":")
    chosen = tuple(roles.split(",")) if roles else ALL_ROLES
    if not name or not file or set(chosen) - set(ALL_ROLES):
        raise UsageError(
            f"{text!r} names nobody",
            hint=f"write NAME=KEYFILE or NAME=KEYFILE:role,role, with roles from {', '.join(ALL_ROLES)}",
        )
    found = key_file(Path(file).expanduser())
    if isinstance(found, Certificate):
        return Member(name, (), chosen, (found,))
    return Member(name, (found,), chosen)


def key_file(path: Path) -> str | Certificate:
    """What a file holds that somebody is to be known by: an SSH key as `TYPE BASE64`, or an OpenPGP certificate.

    Raises:
        UsageError: E_SIGN, it holds no public key that may be used.
    """
    try:
        if _is_openpgp(path):
            return parse_certificate(path.read_bytes())
        public = public_of(path)
        parse_public(public)
    except FormatError as error:
        hint = "make one: ssh-keygen -t ed25519, or gpg --armor --export-options export-minimal --export FINGERPRINT"
        raise UsageError(str(error), code="E_SIGN", where=str(path), hint=hint) from error
    return public


def _is_openpgp(path: Path) -> bool:
    try:
        return b"-----BEGIN PGP " in path.read_bytes()[:4096]
    except OSError:
        return False  # the reader of SSH keys says what is wrong


def certificates(members: Sequence[Member]) -> Mapping[str, bytes]:
    """The files that lie beside the first policy."""
    return {
        one.certificate_file(number): certificate.armor
        for one in members
        for number, certificate in enumerate(one.certificates, start=1)
    }


def owner_of(members: Sequence[Member], key: SigningKey) -> str:
    """The name of the member whose key this is.

    Raises:
        UsageError: it is nobody's.
    """
    for one in members:
        match key:
            case SshSigningKey():
                mine = key.public in one.publics
            case OpenpgpSigningKey():
                mine = any(certificate.holds(key.fingerprint) for certificate in one.certificates)
        if mine:
            return one.name
    raise UsageError(
        "the key is no member's", code="E_SIGN", where=key.fingerprint, hint="name a key of one of the members"
    )


def init_policy(members: Sequence[Member], *, ref: str = "refs/heads/main", solo: bool = False) -> bytes:
    """The first `trust.yaml`.

    Args:
        members: everybody; three people or more, or one when `solo`.
        ref: the branch that is applied.
        solo: one person works alone; needs `solo: true` in the host root file too.

    Raises:
        NotTrustedError: E_POLICY_INVARIANT, these people can not make a policy that holds together; E_REF_NAME.
    """
    in_role = {role: [m.name for m in members if role in m.roles] for role in ALL_ROLES}
    reviewers, authors = set(in_role[REVIEWER]), set(in_role[AUTHOR])
    most = min((len(reviewers - {author}) for author in authors), default=0)
    threshold = 1 if solo else 2
    lines = [
        "# Who may author, review and merge what. Changing this file needs a quorum of the roots: docs/trust.md.",
        "apiVersion: haoam/v1",
        "kind: TrustPolicy",
        "spec:",
        "  serial: 1",
        f"  ref: {parse_ref(ref)}",
        "  principals:",
        *(line for m in members for line in _principal(m)),
        "  roles:",
        *(_role(role, in_role[role], threshold) for role in ALL_ROLES),
        "  rules:",
        f'    - {{paths: [trust.yaml, "keys/**"], require: {{root: {threshold}}}, evidence: signed}}',
    ]
    for paths, count in _RULES:
        listed = ", ".join(json.dumps(path) for path in paths)
        needed = 1 if solo else max(1, min(count, most))
        lines.append(f"    - {{paths: [{listed}], require: {{reviewer: {needed}}}, evidence: signed}}")
    lines += [
        "  merge: {methods: [fast-forward, merge], up_to_date: disjoint}",
        "  review: {max_age: P7D, bind: change}",
        "  limits: {commits: 200, file_bytes: 1048576, tree_bytes: 8388608}",
    ]
    data = ("\n".join(lines) + "\n").encode()
    load_policy(data, ref=ref, may_be_solo=solo, where="trust.yaml", read=certificates(members).get)
    return data


def init_root(repository: Repository, introduction: str, *, remotes: Sequence[str] = (), solo: bool = False) -> bytes:
    """The host root file for the repository whose first trusted commit is `introduction`.

    Write it where only its owner may write, mode 0644 or stricter, and have the others compare what it says with their
    own copies: everything rests on it.

    Args:
        repository: where the commit is.
        introduction: a commit that holds `trust.yaml`, signed by one of its authors.
        remotes: where the repository may be read from; empty for anywhere.
        solo: one person works alone.

    Raises:
        NotTrustedError: the commit can not be an introduction commit.
    """
    graph = Graph(repository, introduction)
    commit = graph.commit(introduction)
    commit.require_signature()
    policy, digest = first_policy(repository, introduction, solo=solo)
    if solo and not policy.solo:
        raise NotTrustedError(
            "`solo` is for a policy that names one person",
            code="E_POLICY_INVARIANT",
            where=introduction,
            hint="leave `solo` out: these people review each other",
        )
    lines = [
        "# Who is trusted to begin with. Only its owner may write this file; docs/trust.md describes it.",
        "apiVersion: haoam/v1",
        "kind: HostRoot",
        "spec:",
        f'  introduction: "{introduction}"',
        f"  policy: {digest}",
        f"  ref: {policy.spec.ref}",
        f"  remotes: [{', '.join(json.dumps(remote) for remote in remotes)}]",
        f"  smallest_serial: {policy.spec.serial}",
        f"  solo: {'true' if solo else 'false'}",
        "  secrets: []",
    ]
    return ("\n".join(lines) + "\n").encode()


def first_policy(repository: Repository, commit: str, *, solo: bool) -> tuple[LoadedPolicy, str]:
    """The policy of a commit that is to be the introduction, and its digest.

    Raises:
        NotTrustedError: E_TRUST_MISSING, E_YAML, E_POLICY_INVARIANT.
    """
    graph = Graph(repository, commit)
    entry = graph.entry(graph.commit(commit).tree, "trust.yaml", commit)
    if entry is None or not entry.is_plain:
        raise NotTrustedError(
            "the commit has no trust.yaml", code="E_TRUST_MISSING", where=commit, hint="haoam-sync trust init writes it"
        )
    data = graph.blobs([entry.oid])[0]
    policy = load_policy(
        data, ref=repository.ref, may_be_solo=solo, where=commit, read=lambda path: graph.file(commit, path)
    )
    return policy, digest_bytes(data)


def _principal(person: Member) -> Iterable[str]:
    yield f"    {person.name}:"
    yield "      kind: human"
    yield "      keys:"
    for number, public in enumerate(person.publics, start=1):
        key = f"{person.name}-{number}"
        yield f'        - {{id: {key}, type: ssh, public: "{public}", status: active}}'
    for number, certificate in enumerate(person.certificates, start=1):
        key, file = f"{person.name}-pgp-{number}", person.certificate_file(number)
        what = f'type: openpgp, fingerprint: "{certificate.fingerprint}", certificate: {file}'
        yield f"        - {{id: {key}, {what}, status: active}}"


def _role(role: str, names: Sequence[str], threshold: int) -> str:
    extra = f", threshold: {threshold}" if role == ROOT else ""
    return f"    {role}: {{members: [{', '.join(names)}]{extra}}}"

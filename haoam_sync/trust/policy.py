"""A trust policy: read from a file's bytes, and what must hold of every policy. Pure.

I1  There is something: principals, keys, and a rule for `trust.yaml` and everything below `keys/` that asks for roots.
    No rule that matches these takes reviews from a forge: a forge must not be able to change who is trusted.
I2  Roles name principals that exist; rules ask for roles that exist; bots name operators who are people.
I3  No key and no forge account belongs to two principals; no key stands there twice. Every key is of an allowed kind.
    The certificate of an OpenPGP key lies beside the policy (`certificate.py`), is that key's, holds no secret key and,
    as long as the key is active, no revocation of it.
I4  At least two human roots, and a threshold of two or more that survives losing one of them.
I5  Bots are neither root nor reviewer.
I6  Every threshold can be reached without the author: of each author's changes, by people who can give the evidence
    that the rule takes (a key for `signed`, a forge account for `github`, both for `both`).
I7  The branch is the one of the host root file. Where reviews bind the plan there are reviews: nobody works solo, no
    rule waives them, and the people of every rule have keys, since only a statement can name a plan.

When the host root file says `solo` and the policy names exactly one person, I4 and I6 do not apply; then bots are no
authors either, since nobody would review what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from pydantic import ValidationError

from haoam_sync import documents
from haoam_sync.errors import InvalidDesiredError, NotTrustedError
from haoam_sync.model.json import canonical_json, digest_bytes
from haoam_sync.model.trust_policy import (
    KEY_DIRECTORY,
    TRUST_FILE,
    Key,
    OpenpgpKey,
    Principal,
    Rule,
    SshKey,
    TrustPolicy,
    is_trust_file,
)
from haoam_sync.trust.certificate import Certificate, SigningKey, parse_certificate
from haoam_sync.trust.claims import Claim
from haoam_sync.trust.sshsig import FormatError, SshClaim, fingerprint, parse_public

ROOT, AUTHOR, REVIEWER, MERGER = "root", "author", "reviewer", "merger"
_API_VERSION, _KIND = "haoam/v1", "TrustPolicy"
_FEWEST_ROOTS = 2
_BOUND = {"signed": "signed", "any": "signed", "github": "both", "both": "both"}
"""What people must be able to give where a statement is needed, too, for the plan."""
_WITH = {"signed": "", "any": "", "github": " on GitHub", "both": " with a key and on GitHub"}


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key of the policy and whose it is.

    Attributes:
        principal: name; "" for a forge's own key.
        key: as the policy lists it.
        certificate: of an OpenPGP key; None for SSH keys.
        signer: the one of the certificate's keys that is meant; None for SSH keys.
    """

    principal: str
    key: Key
    certificate: Certificate | None = None
    signer: SigningKey | None = None

    @property
    def revoked(self) -> bool:
        """Whether the certificate itself says that it is over."""
        return self.signer is not None and self.signer.revoked

    @property
    def names(self) -> frozenset[str]:
        """Everything that a denylist may call it."""
        own = fingerprint(self.key.public) if isinstance(self.key, SshKey) else self.key.fingerprint
        used = {self.signer.public.fingerprint} if self.signer is not None else set()
        return frozenset({own, *used, f"{self.principal}/{self.key.id}"})


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy that holds together.

    Attributes:
        spec: what the file says.
        digest: `sha256:` digest of the file's bytes.
        solo: whether one person works alone, by the word of the host root file.
        certificates: of its OpenPGP keys, by primary fingerprint.
    """

    spec: TrustPolicy
    digest: str
    solo: bool
    certificates: Mapping[str, Certificate] = field(default_factory=dict)

    def key_of(self, claim: Claim) -> KeyUse | None:
        """Whose key should have made a signature; None when it is nobody's."""
        if isinstance(claim, SshClaim):
            return self.ssh_key(claim.signature.public)
        found = []
        for use in _uses(self.spec):
            if isinstance(use.key, SshKey) or claim.named not in {"", use.key.fingerprint}:
                continue
            certificate = self.certificates[use.key.fingerprint]
            signer = certificate.signer(claim.signature)
            if signer is not None:
                found.append(KeyUse(use.principal, use.key, certificate, signer))
        return found[0] if len(found) == 1 else None

    def ssh_key(self, public: str) -> KeyUse | None:
        """Whose SSH key `TYPE BASE64` is; None when it is nobody's."""
        for use in _uses(self.spec):
            if isinstance(use.key, SshKey) and use.key.public == public:
                return use
        return None

    def openpgp_key(self, fingerprint: str) -> KeyUse | None:
        """Whose OpenPGP key has this fingerprint, of its primary key or a subkey; None when it is nobody's."""
        for use in _uses(self.spec):
            if isinstance(use.key, SshKey):
                continue
            certificate = self.certificates[use.key.fingerprint]
            if certificate.holds(fingerprint):
                return KeyUse(use.principal, use.key, certificate)
        return None

    @property
    def deciders(self) -> frozenset[str]:
        """Everybody whose approval of some change may count."""
        roles = {ROOT, REVIEWER, *(role for rule in self.spec.rules for role in rule.require)}
        return frozenset().union(*(self.spec.members(role) for role in roles))

    @property
    def uses(self) -> tuple[KeyUse, ...]:
        """Every key that it lists, the forge's last; OpenPGP keys with their certificates, but no one signer."""
        return tuple(
            use
            if isinstance(use.key, SshKey)
            else KeyUse(use.principal, use.key, self.certificates[use.key.fingerprint])
            for use in _uses(self.spec)
        )

    def names_of(self, principal: str, key: str) -> frozenset[str]:
        """Everything that a denylist may call a principal's key; nothing when there is no such key.

        Of an OpenPGP key every subkey that may sign, too: which of them it was, nobody noted.
        """
        found: set[str] = set()
        for use in _uses(self.spec):
            if (use.principal, use.key.id) == (principal, key):
                found |= use.names
                if not isinstance(use.key, SshKey):
                    found |= {one.public.fingerprint for one in self.certificates[use.key.fingerprint].signing}
        return frozenset(found)

    def require_usable(self, use: KeyUse, at: datetime, where: str) -> None:
        """Refuse a key that may not make anything new at the time `at`.

        Raises:
            NotTrustedError: E_KEY_RETIRED, E_KEY_EXPIRED, E_KEY_REVOKED.
        """
        name = f"key {use.key.id} of {use.principal or 'the forge'}"
        match use.key.status:
            case "retired":
                raise _unusable("E_KEY_RETIRED", f"{name} is retired: it makes nothing new", where)
            case "compromised":
                raise _unusable("E_KEY_REVOKED", f"{name} is compromised", where)
            case "active":
                pass
        if use.key.not_after is not None and at >= end_of(use.key.not_after):
            raise _unusable("E_KEY_EXPIRED", f"{name} ended on {use.key.not_after}", where)


def _no_file(_path: str) -> bytes | None:
    return None


def load_policy(
    data: bytes, *, ref: str, may_be_solo: bool, where: str, read: Callable[[str], bytes | None] = _no_file
) -> LoadedPolicy:
    """Read `trust.yaml` and require that it holds together.

    Args:
        data: the file's bytes.
        ref: the branch of the host root file.
        may_be_solo: whether the host root file says `solo`.
        where: the commit, for messages.
        read: gives a certificate file of the same tree; None when it is not there, or no plain file.

    Raises:
        NotTrustedError: E_YAML, it is no YAML that can be read in one way only; E_POLICY_INVARIANT.
    """
    try:
        found = documents.load(data, TRUST_FILE)
    except InvalidDesiredError as error:
        raise NotTrustedError(
            "trust.yaml can not be read: " + "; ".join(str(problem) for problem in error.problems[:3]),
            code="E_YAML",
            where=where,
            hint="mend the file; haoam-sync validate shows every problem",
        ) from error
    value = found[0].value if len(found) == 1 else None
    if not isinstance(value, dict) or set(value) - {"metadata"} != {"apiVersion", "kind", "spec"}:
        raise _broken(where, "trust.yaml holds exactly one document, with apiVersion, kind and spec")
    if value["apiVersion"] != _API_VERSION or value["kind"] != _KIND:
        raise _broken(where, f"trust.yaml is of apiVersion {_API_VERSION} and kind {_KIND}")
    try:
        spec = TrustPolicy.model_validate_json(canonical_json(value["spec"]))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ("spec", *first["loc"])
        raise _broken(where, f"{'.'.join(map(str, path))}: {first['msg']} {found[0].position(path)}") from error
    solo = may_be_solo and sum(principal.kind == "human" for principal in spec.principals.values()) == 1
    for problem in invariants(spec, ref=ref, solo=solo):
        raise _broken(where, problem)
    return LoadedPolicy(spec, digest_bytes(data), solo, _certificates(spec, read, where))


def invariants(policy: TrustPolicy, *, ref: str, solo: bool) -> Iterator[str]:
    """What does not hold of a policy, one sentence each, in the order of this module's docstring."""
    yield from _something(policy)
    yield from _names(policy)
    yield from _keys(policy)
    if not solo:
        yield from _roots(policy)
    yield from _bots(policy, (ROOT, REVIEWER, AUTHOR) if solo else (ROOT, REVIEWER))
    if not solo:
        yield from _reachable(policy)
    if policy.ref != ref:
        yield f"its branch is {policy.ref}, the host root file's is {ref}"  # I7
    if policy.review.bind == "plan":
        yield from _plans(policy, solo=solo)


def _plans(policy: TrustPolicy, *, solo: bool) -> Iterator[str]:
    """I7."""
    if solo:
        yield "`bind: plan` asks for reviews of plans, and nobody reviews where one works alone"
    if any(rule.waive for rule in policy.rules):
        yield "`bind: plan` asks for reviews of plans, and a rule waives reviews for a class of changes"


def _something(policy: TrustPolicy) -> Iterator[str]:
    """I1."""
    if not any(principal.keys for principal in policy.principals.values()):
        yield "it names no key"
    for role in (ROOT, AUTHOR):
        if not policy.members(role):
            yield f"nobody has the role {role}"
    for path in (TRUST_FILE, KEY_DIRECTORY + "any"):
        if not any(ROOT in rule.require for rule in policy.rules_for(path)):
            yield f"no rule asks for roots where {path} changes"
        if any(rule.evidence != "signed" for rule in policy.rules_for(path)):
            yield f"a rule for {path} takes reviews from a forge: the trust policy changes by signed ones only"
    for rule in policy.rules:
        if rule.waive and any(map(is_trust_file, rule.paths)):
            yield "reviews of the trust policy can not be waived"


def _names(policy: TrustPolicy) -> Iterator[str]:
    """I2."""
    for name, role in policy.roles.items():
        unknown = [member for member in role.members if member not in policy.principals]
        yield from (f"role {name} names {member}, who is no principal" for member in unknown)
        if len(set(role.members)) != len(role.members):
            yield f"role {name} names somebody twice"
    for rule in policy.rules:
        yield from (
            f"the rule for {', '.join(rule.paths)} requires the role {name}, which there is not"
            for name in rule.require
            if name not in policy.roles
        )
    for name, principal in policy.principals.items():
        for operator in principal.operators:
            person = policy.principals.get(operator)
            if principal.kind != "bot" or person is None or person.kind != "human":
                yield f"{name} names the operator {operator}: only bots have operators, and those are people"


def _keys(policy: TrustPolicy) -> Iterator[str]:
    """I3."""
    owners: dict[str, str] = {}
    ids: set[tuple[str, str]] = set()
    for use in _uses(policy):
        identity = use.key.public if isinstance(use.key, SshKey) else use.key.fingerprint
        owner = owners.setdefault(identity, use.principal)
        if owner != use.principal:
            yield f"{owner or 'the forge'} and {use.principal or 'the forge'} have the same key {use.key.id}"
        elif (use.principal, use.key.id) in ids or list(_identities(policy)).count(identity) > 1:
            yield f"{use.principal or 'the forge'} has the key {use.key.id} twice"
        ids.add((use.principal, use.key.id))
        if isinstance(use.key, SshKey):
            try:
                parse_public(use.key.public)
            except FormatError as error:
                yield f"key {use.key.id} of {use.principal or 'the forge'}: {error}"
    accounts: dict[int, str] = {}
    for name, principal in policy.principals.items():
        if principal.forge is not None and accounts.setdefault(principal.forge.github, name) != name:
            yield f"{accounts[principal.forge.github]} and {name} have the same account {principal.forge.github}"


def _certificates(policy: TrustPolicy, read: Callable[[str], bytes | None], where: str) -> Mapping[str, Certificate]:
    """I3, of OpenPGP keys."""
    found: dict[str, Certificate] = {}
    owners: dict[str, str] = {}
    for use in _uses(policy):
        if not isinstance(use.key, OpenpgpKey):
            continue
        certificate = _certificate(use.key, read, where)
        found[certificate.fingerprint] = certificate
        for one in certificate.signing:
            owner = owners.setdefault(one.public.fingerprint, use.key.certificate)
            if owner != use.key.certificate:
                raise _broken(where, f"{owner} and {use.key.certificate} hold the same key {one.public.fingerprint}")
    return found


def _certificate(key: OpenpgpKey, read: Callable[[str], bytes | None], where: str) -> Certificate:
    data = read(key.certificate)
    if data is None:
        raise _broken(where, f"key {key.id} has no certificate: {key.certificate} is not there")
    try:
        certificate = parse_certificate(data)
    except FormatError as error:
        raise _broken(where, f"{key.certificate}: {error}") from error
    if certificate.fingerprint != key.fingerprint:
        raise _broken(
            where, f"{key.certificate} is the certificate of {certificate.fingerprint}, not {key.fingerprint}"
        )
    if certificate.revoked and key.status == "active":
        raise _broken(where, f"{key.certificate} is revoked: key {key.id} is retired or compromised, not active")
    return certificate


def _roots(policy: TrustPolicy) -> Iterator[str]:
    """I4."""
    threshold = policy.roles[ROOT].threshold if ROOT in policy.roles else 0
    people = _people(policy, ROOT)
    if threshold < _FEWEST_ROOTS:
        yield f"the threshold of roots is {threshold}, at least {_FEWEST_ROOTS} are needed"
    if len(people) <= threshold:
        yield (
            f"there are {len(people)} human roots for a threshold of {threshold}: losing one must not lock everybody "
            "out (a team of two adds an offline root)"
        )


def _bots(policy: TrustPolicy, roles: Iterable[str]) -> Iterator[str]:
    """I5."""
    for role in roles:
        for name in sorted(policy.members(role) & _bot_names(policy)):
            yield f"{name} is a bot and can not be {role}"


def _reachable(policy: TrustPolicy) -> Iterator[str]:
    """I6."""
    for author in sorted(policy.members(AUTHOR)):
        out = {author, *_operators(policy, author)}
        for rule in policy.rules:
            trust = all(map(is_trust_file, rule.paths))  # there the author counts: S6
            for role, count in rule.require.items():
                evidence = evidence_of(policy, rule)
                able = len(_people(policy, role, evidence) - (set() if trust else out))
                if able < count:
                    what = f"the rule for {', '.join(rule.paths)} requires {count} of the role {role}"
                    yield f"{what}, but only {able} can review what {author} signs{_WITH[evidence]}"


def evidence_of(policy: TrustPolicy, rule: Rule) -> str:
    """What people must be able to give to be counted by a rule."""
    return _BOUND[rule.evidence] if policy.review.bind == "plan" else rule.evidence


def _uses(policy: TrustPolicy) -> Iterator[KeyUse]:
    for name, principal in policy.principals.items():
        yield from (KeyUse(name, key) for key in principal.keys)
    yield from (KeyUse("", key) for key in policy.merge.forge_keys)


def _identities(policy: TrustPolicy) -> Iterator[str]:
    for use in _uses(policy):
        yield use.key.public if isinstance(use.key, SshKey) else use.key.fingerprint


def _people(policy: TrustPolicy, role: str, evidence: str = "signed") -> set[str]:
    """People in a role who can give this kind of evidence."""
    return {name for name in policy.members(role) if _able(policy.principals.get(name), evidence)}


def _able(principal: Principal | None, evidence: str) -> bool:
    if principal is None or principal.kind != "human":
        return False
    key = any(key.status == "active" for key in principal.keys)
    return gives(evidence, key=key, account=principal.forge is not None)


def gives(evidence: str, *, key: bool, account: bool) -> bool:
    """Whether somebody who has a key, or an account on the forge, can give this kind of evidence."""
    match evidence:
        case "github":
            return account
        case "any":
            return key or account
        case "both":
            return key and account
        case _:
            return key


def _bot_names(policy: TrustPolicy) -> set[str]:
    return {name for name, principal in policy.principals.items() if principal.kind == "bot"}


def _operators(policy: TrustPolicy, name: str) -> tuple[str, ...]:
    principal = policy.principals.get(name)
    return principal.operators if principal is not None else ()


def end_of(not_after: str) -> datetime:
    """The key still counts on that day, in UTC."""
    return datetime.combine(date.fromisoformat(not_after), time(), tzinfo=UTC) + timedelta(days=1)


def _unusable(code: str, message: str, where: str) -> NotTrustedError:
    return NotTrustedError(
        message, code=code, where=where, hint="sign with an active key of trust.yaml (haoam-sync trust rotate adds one)"
    )


def _broken(where: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"the trust policy does not hold together: {why}",
        code="E_POLICY_INVARIANT",
        where=where,
        hint="mend trust.yaml in a change of its own; docs/trust.md says what must hold",
    )

"""Replacing a key of somebody in the policy: the next `trust.yaml`, as a proposal that the roots then agree to.

Nothing is signed and nothing is believed here: the new policy is judged like any other, by the quorum (S6 of
`core.py`). What would not hold together is refused before anybody spends time on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.trust_policy import (
    KEY_DIRECTORY,
    TRUST_FILE,
    Key,
    OpenpgpKey,
    Principal,
    SshKey,
    TrustPolicy,
)
from haoam_sync.repository import Repository
from haoam_sync.trust.amend import Amendment
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.in_force import denied_keys
from haoam_sync.trust.init import key_file
from haoam_sync.trust.policy import ROOT, LoadedPolicy, load_policy
from haoam_sync.trust.sshsig import fingerprint


@dataclass(frozen=True)
class Change:
    """What is to become of somebody's keys.

    Attributes:
        principal: whose keys.
        file: public SSH key, or armored OpenPGP certificate, of the new key; "" for none.
        key_id: what the policy is to call it; "" for the next free name.
        not_after: the day after which it ends, `YYYY-MM-DD`; "" for none.
        retire: ids of keys to retire.
        keep: retire none.
    """

    principal: str
    file: str = ""
    key_id: str = ""
    not_after: str = ""
    retire: tuple[str, ...] = ()
    keep: bool = False


@dataclass(frozen=True)
class Rotation:
    """The next policy.

    Attributes:
        before: the policy in force.
        after: the next one; it holds together.
        principal: whose keys change.
        added: id of the new key; "" for none.
        fingerprint: of the new key.
        retired: ids of the keys that are retired.
        files: what is to be written, by path: `trust.yaml`, and a certificate where the new key has one.
    """

    before: LoadedPolicy
    after: LoadedPolicy
    principal: str
    added: str
    fingerprint: str
    retired: tuple[str, ...]
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def needed(self) -> int:
        """How many roots of the policy in force must agree."""
        spec = self.before.spec
        rules = (rule for rule in spec.rules if any(map(rule.matches, self.files)))
        return max([spec.roles[ROOT].threshold, *(rule.require.get(ROOT, 0) for rule in rules)])

    @property
    def needed_after(self) -> int:
        """How many roots of the new policy must agree, with keys that it has."""
        return self.after.spec.roles[ROOT].threshold


def rotation(
    repository: Repository,
    root: HostRoot,
    accepted: str,
    change: Change,
    here: Callable[[str], bytes | None],
    now: datetime,
) -> Rotation:
    """The policy after a change of somebody's keys.

    Args:
        repository: where the commit accepted last is.
        root: who is trusted to begin with.
        accepted: that commit: its policy is the one in force.
        change: what is to become of the keys.
        here: content of a file of the work tree; None when it is not there.
        now: the one reading of the clock.

    Raises:
        UsageError: nobody has that name, or that key; the work tree holds another policy; the new key can not be used.
        NotTrustedError: E_POLICY_INVARIANT, the new policy would not hold together; E_KEY_REVOKED, the new key is one
            that was called compromised.
    """
    graph = Graph(repository, root.introduction)
    data = graph.file(accepted, TRUST_FILE)
    if data is None or here(TRUST_FILE) != data:
        raise UsageError(
            "trust.yaml in the work tree is not the one of the commit accepted last",
            code="E_WORK_TREE",
            where=TRUST_FILE,
            hint=f"take your changes back (git restore trust.yaml), or go to the newest commit ({accepted})",
        )
    before = _load(data, root, accepted, lambda path: graph.file(accepted, path))
    person = before.spec.principals.get(change.principal)
    if person is None:
        raise UsageError(
            f"the policy (serial {before.spec.serial}) names nobody {change.principal!a}",
            hint=f"it names {', '.join(sorted(before.spec.principals))}",
        )
    retired = _retired(person, change)
    new = _new_key(before, person, change, here)
    if new is None and not retired:
        raise UsageError("nothing would change", hint="name the file of a new key, or --retire KEY_ID")
    if new is not None:
        _require_clean(repository, root, accepted, new, now)
    text = _amended(data, before, change, retired, new)
    files = {TRUST_FILE: text, **(new.file if new is not None else {})}
    after = _load(text, root, TRUST_FILE, lambda path: files.get(path) or graph.file(accepted, path))
    if after.spec != _expected(before, change.principal, retired, new):
        raise UsageError(
            "trust.yaml is laid out in a way that can not be edited here", where=TRUST_FILE, hint="edit it by hand"
        )
    print_of, added = (new.fingerprint, new.key.id) if new is not None else ("", "")
    return Rotation(before, after, change.principal, added, print_of, retired, files)


@dataclass(frozen=True)
class _New:
    key: Key
    fingerprint: str
    names: frozenset[str]
    file: Mapping[str, bytes]


def _retired(person: Principal, change: Change) -> tuple[str, ...]:
    active = [key.id for key in person.keys if key.status == "active"]
    if change.keep:
        if change.retire:
            raise UsageError("--keep and --retire are two different things", hint="give one of them")
        return ()
    unknown = [one for one in change.retire if one not in active]
    if unknown:
        raise UsageError(
            f"{change.principal} has no active key {unknown[0]!a}", hint=f"active are {', '.join(active) or 'none'}"
        )
    if change.retire or not change.file:
        return tuple(dict.fromkeys(change.retire))
    if len(active) > 1:
        raise UsageError(
            f"{change.principal} has {len(active)} active keys",
            hint=f"say which one the new key replaces: --retire {active[0]}; or --keep for none of {', '.join(active)}",
        )
    return tuple(active)


def _new_key(
    before: LoadedPolicy, person: Principal, change: Change, here: Callable[[str], bytes | None]
) -> _New | None:
    if not change.file:
        return None
    found = key_file(Path(change.file).expanduser())
    kind = "pgp-" if isinstance(found, Certificate) else ""
    taken = {key.id for key in person.keys}
    names = (f"{change.principal}-{kind}{number}" for number in count(1))
    said = {"id": change.key_id or next(name for name in names if name not in taken)}
    if change.not_after:
        said["not_after"] = change.not_after
    try:
        if isinstance(found, Certificate):
            file = _free_file(before, change.principal, here)
            said |= {"type": "openpgp", "fingerprint": found.fingerprint, "certificate": file}
            prints = frozenset({found.fingerprint, *(one.public.fingerprint for one in found.signing)})
            return _New(OpenpgpKey.model_validate(said), found.fingerprint, prints, {file: found.armor})
        key = SshKey.model_validate({**said, "type": "ssh", "public": found})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UsageError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint='an id holds letters, digits and . _ -; a date is written "2027-11-01"',
        ) from error
    return _New(key, fingerprint(found), frozenset({fingerprint(found)}), {})


def _free_file(before: LoadedPolicy, principal: str, here: Callable[[str], bytes | None]) -> str:
    """A name below keys/ that no certificate has."""
    keys = (key for person in before.spec.principals.values() for key in (*person.keys, *before.spec.merge.forge_keys))
    taken = {key.certificate for key in keys if isinstance(key, OpenpgpKey)}
    names = (f"{KEY_DIRECTORY}{principal}{f'-{number}' if number > 1 else ''}.asc" for number in count(1))
    return next(name for name in names if name not in taken and here(name) is None)


def _require_clean(repository: Repository, root: HostRoot, accepted: str, new: _New, now: datetime) -> None:
    """Refuse a key that the host or a root called compromised: it would sign nothing that counts.

    Raises:
        NotTrustedError: E_KEY_REVOKED, E_REVOCATION_UNAVAILABLE.
    """
    if not new.names.isdisjoint(denied_keys(repository, root, accepted, now)):
        raise NotTrustedError(
            f"the key {new.fingerprint} was called compromised: nothing that it signs counts",
            code="E_KEY_REVOKED",
            where=new.key.id,
            hint="make a new key",
        )


def _amended(data: bytes, before: LoadedPolicy, change: Change, retired: Collection[str], new: _New | None) -> bytes:
    """The file with the next serial, the digest of the one before, and the keys; all else as it was."""
    amendment = Amendment(data, TRUST_FILE)
    amendment.put(("spec", "serial"), before.spec.serial + 1)
    amendment.put(("spec", "previous"), before.digest, after="serial")
    keys = ("spec", "principals", change.principal, "keys")
    for place, key in enumerate(before.spec.principals[change.principal].keys):
        if key.id in retired:
            amendment.put((*keys, place, "status"), "retired")
    if new is not None:
        said = new.key.model_dump(mode="json", exclude_none=True)
        amendment.append(keys, said)
    return amendment.result()


def _expected(before: LoadedPolicy, principal: str, retired: Collection[str], new: _New | None) -> TrustPolicy:
    """What the new file must say: a change of the text that means anything else is not written."""
    spec = before.spec
    person = spec.principals[principal]
    keys = [key.model_copy(update={"status": "retired"}) if key.id in retired else key for key in person.keys]
    changed = person.model_copy(update={"keys": (*keys, *([new.key] if new is not None else []))})
    principals = {**spec.principals, principal: changed}
    return spec.model_copy(
        update={"serial": spec.serial + 1, "previous": before.digest, "principals": principals},
    )


def _load(data: bytes, root: HostRoot, where: str, read: Callable[[str], bytes | None]) -> LoadedPolicy:
    return load_policy(data, ref=root.ref, may_be_solo=root.solo, where=where, read=read)

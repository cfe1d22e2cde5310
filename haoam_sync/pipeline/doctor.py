"""`doctor`: whether this machine, its four places, the policy and the instances are as they should be.

Reads only. Credentials go to the instances of the accepted fleet and nowhere else, as in a plan.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from haoam_sync import dataplane, trust
from haoam_sync.errors import HaoamError, UsageError
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.model.exchange import Unrecorded
from haoam_sync.model.finding import MEND, Finding, fault, note, ordered
from haoam_sync.model.fleet import Instance
from haoam_sync.pipeline import connecting
from haoam_sync.pipeline.doctor_instance import judged, judged_text
from haoam_sync.pipeline.opening import Opened, now, opened
from haoam_sync.repository import require_git
from haoam_sync.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SKEW = timedelta(minutes=5)


def doctor(settings: Settings) -> tuple[Finding, ...]:
    """Everything that is worth a word, the gravest first. What cannot be looked at is a finding too."""
    found = [*_programs(), *_places(settings)]
    try:
        with opened(settings) as here:
            found.append(note("D_SOURCE", settings.repo, f"readable, {here.root.ref} is at {here.repository.tip[:12]}"))
            found += _accepted(here)
    except HaoamError as error:
        if all(one.code != error.code for one in found):
            found.append(fault(error, settings.repo, "nothing can be planned or applied"))
    return ordered(found)


def _programs() -> Iterator[Finding]:
    """git, ssh-keygen and HAProxy; gpgv where the policy has a use for it."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (("git", require_git), ("ssh-keygen", _ssh_version))
    for name, check in checks:
        try:
            yield note("D_PROGRAM", name, check())
        except UsageError as error:
            yield fault(error, name, "no commit can be verified")
    try:
        yield note("D_PROGRAM", "haproxy", _first_line([str(find_haproxy()), "-v"]))
    except UsageError as error:
        yield note("D_PROGRAM", "haproxy", f"{error.message}: validate asks none, and there is no lab")


def _ssh_version() -> str:
    trust.require_ssh_keygen()
    return _first_line(["ssh", "-V"]) if shutil.which("ssh") else "8.9 or newer"


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer: {type(error).__name__}"
    return done.stdout.decode("utf-8", "replace").partition("\n")[0].strip()


def _places(settings: Settings) -> Iterator[Finding]:
    """The host root file with its denylist, and the directories that only this account may read."""
    why = "whoever may write it decides whom this host believes"
    try:
        root = trust.read_root(settings.root)
        yield note("D_PLACE", str(settings.root), "the host root file: only its owner may write it")
        if not root.remotes:
            yield Finding(
                "warning",
                "D_REMOTES",
                str(settings.root),
                "it names no remotes: the repository may be read from anywhere",
                "a wrong --repo can then not add commits, but withhold new ones",
                "list the repository's URL in `remotes`",
            )
        trust.read_denylist(root)
        if root.denylist is None:
            yield note("D_DENYLIST", str(settings.root), "it names no denylist (of stolen keys)")
    except HaoamError as error:
        yield fault(error, str(settings.root), why)
    for path, what in ((settings.state, "the state directory"), (settings.audit, "the directory of the audit log")):
        yield from _directory(path, what)
    key = settings.state / "audit.key"
    if key.exists() and key.stat().st_mode & _OTHERS:
        yield _too_open(key, "the key of the audit log's digests", "with it, passwords can be tried against the log")


def _directory(path: Path, what: str) -> Iterator[Finding]:
    if not path.exists():
        yield note("D_PLACE", str(path), f"{what} is not there yet: the first run makes it")
        return
    if path.stat().st_mode & _OTHERS & ~(stat.S_IRGRP | stat.S_IXGRP):
        yield _too_open(path, what, "it holds earlier configurations, and what this host has accepted")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "fault",
            "D_PLACE",
            str(path),
            f"{what} cannot be written",
            "nothing can be applied",
            "give it to this account",
        )


def _too_open(path: Path, what: str, why: str) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    return Finding("warning", "D_PLACE_OPEN", str(path), f"{what} has mode {mode:04o}", why, f"chmod go-rwx {path}")


def _accepted(here: Opened) -> Iterator[Finding]:
    """The policy, what it accepts, and every instance of the accepted fleet."""
    try:
        accepted = here.advance()
    except HaoamError as error:
        yield fault(error, here.root.ref, "nothing can be planned or applied")
        return
    commit = accepted.commit
    yield note("D_TRUST", commit.id, f"accepted; policy serial {commit.policy_serial}")
    if commit.solo:
        yield Finding(
            "warning",
            "D_SOLO",
            commit.id,
            "one person works alone",
            "nobody reviews what is applied",
            "add two more people to trust.yaml, and take `solo` out of the host root file",
        )
    if accepted.refusal is not None:
        yield fault(accepted.refusal, here.root.ref, f"what came after {commit.id[:12]} is not applied")
    try:
        policy, _ = trust.first_policy(here.repository, commit.id, solo=here.root.solo)
        if policy.certificates:
            yield note("D_PROGRAM", "gpgv", trust.require_gpgv())
    except HaoamError as error:
        yield fault(error, "gpgv", "the policy lists OpenPGP keys: what they sign cannot be verified")
    try:
        fleet = here.fleet(commit)
    except HaoamError as error:
        yield fault(error, commit.id, "there are no instances to look at")
        return
    results, failures = connecting.tried(fleet.instances(), lambda one: _instance(here, one))
    for findings in results.values():
        yield from findings
    for identity, failure in failures.items():
        yield fault(failure, str(identity), "it can be neither compared nor changed")


def _instance(here: Opened, instance: Instance) -> tuple[Finding, ...]:
    outside = dataplane.look(instance)
    found = [*judged(instance, outside)]
    if outside.clock is not None and abs(outside.clock - now()) > _SKEW:
        found.append(
            Finding(
                "warning",
                "D_CLOCK",
                str(instance.id),
                f"its clock says {outside.clock:%Y-%m-%dT%H:%M:%SZ}, ours {now():%Y-%m-%dT%H:%M:%SZ}",
                "certificates and grants end by the clock, and records cannot be put in order",
                "let both follow NTP",
                MEND,
            )
        )
    try:
        with connecting.client(instance, here.reveal, Unrecorded()) as api:
            info, raw = api.info(), api.raw()
    except HaoamError as error:
        return (*found, fault(error, str(instance.id), "it can be neither compared nor changed"))
    if info.warning:
        found.append(
            Finding(
                "warning",
                "D_API_VERSION",
                str(instance.id),
                info.warning,
                "it may lose or rename fields",
                "see docs/FACTS.md",
            )
        )
    found += judged_text(instance, raw.text)
    found.append(note("D_INSTANCE", str(instance.id), f"Data Plane API {info.version} answers"))
    return tuple(found)

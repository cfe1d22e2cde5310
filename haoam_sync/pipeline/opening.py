"""Opening the four places, and what every verb does with them first."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from haoam_sync import __version__, audit, desired, github, trust
from haoam_sync.errors import HaoamError, InvalidDesiredError, NotTrustedError, UsageError
from haoam_sync.model.account import Refused
from haoam_sync.model.commit import ProposedCommit, TrustedCommit
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import Cluster, Fleet, Limits
from haoam_sync.model.host_root import HostRoot
from haoam_sync.model.record import Runner
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.remembered import Reading, Remembered
from haoam_sync.repository import Login, Repository
from haoam_sync.secrets import Revealer
from haoam_sync.settings import Settings
from haoam_sync.state import Applied, StateDirectory

_DEFAULT_REF = "refs/heads/main"


def now() -> datetime:
    """The one reading of the clock of a run."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Opened:
    """The four places, open, and the moment of this run.

    Attributes:
        settings: where they are.
        root: who is trusted to begin with.
        repository: our own copy of the source, fetched just now.
        state: what this runner remembers of applies.
        now: the clock, read once.
    """

    settings: Settings
    root: HostRoot
    repository: Repository
    state: StateDirectory
    now: datetime

    @cached_property
    def memory(self) -> trust.Memory:
        """Where accepted commits are remembered: on this host's disk, or in signed records in the source."""
        return trust.memory(self.settings.state, self.root, self.repository, self.settings.state_key, self.now)

    @cached_property
    def change_digest(self) -> Callable[[str, str], str]:
        """Computes the change digest of base and head, each pair once while it is of use."""
        return lru_cache(maxsize=64)(  # for the steps that are judged now: history is long
            lambda base, head: desired.change_digest(self.base_of_change(base), self.unresolved(head))
        )

    def pre_approved(self, reviewed: str, base: str, head: str) -> frozenset[str]:
        """Classes of the commit `base` that hold everything that differs between `reviewed` and `head`."""
        known, before = self.base_of_change(base), self.base_of_change(reviewed)
        if known is None or before is None or not known.classes:
            return frozenset()
        return desired.pre_approved(known.classes, before, self.unresolved(head))

    def named(self, commit: str) -> Mapping[str, frozenset[str]]:
        """The files that the documents of a commit name; all by all of them when they cannot be read."""
        try:
            return self.unresolved(commit).named
        except InvalidDesiredError:
            return desired.named_by_any(self.repository.blobs(commit))

    def verify(self, revision: str, watch: trust.Watch | None = None) -> trust.Accepted:
        """Trust stage: the commit that `revision` names, signed and reviewed, or a refusal; `watch` is told why.

        Raises:
            NotTrustedError: E_...
            UsageError: there is no such commit.
        """
        return self._verified(self.memory.load(), revision, watch)

    def told(self, commit: str) -> tuple[trust.Watch, Refused | None]:
        """What a host that remembers nothing would say of a commit of the past: to be told, never to be applied."""
        watch, nothing = trust.Watch(), trust.TrustState(self.root.introduction, self.root.ref)
        try:
            self._verified(nothing, commit, watch, known=())
        except (NotTrustedError, InvalidDesiredError) as error:
            return watch, error
        return watch, None

    def reading(self, remembered: trust.TrustState | None = None) -> trust.Case:
        """What steps that were accepted before are told with; `remembered` where the memory was read just now."""
        return trust.reading(self._grounds(self.memory.load() if remembered is None else remembered))

    def verify_from_nothing(self, revision: str) -> trust.Accepted:
        """Trust stage, as if nothing were remembered: from the introduction commit on.

        Raises:
            NotTrustedError: E_...
            UsageError: there is no such commit.
        """
        nothing = trust.TrustState(self.root.introduction, self.root.ref)
        return self._verified(nothing, revision, known=self._known(nothing, self.memory.applied_before()))

    def _verified(
        self,
        remembered: trust.TrustState,
        revision: str,
        watch: trust.Watch | None = None,
        known: tuple[str, ...] | None = None,
    ) -> trust.Accepted:
        known = self._known(remembered, self.memory.all_applied()) if known is None else known
        return trust.verify(self._grounds(remembered, known), self.repository.resolve(revision), watch)

    def _grounds(self, remembered: trust.TrustState, known: tuple[str, ...] = ()) -> trust.Grounds:
        """What every judgement of this run rests on, from what is remembered on."""
        return trust.Grounds(
            self.repository,
            self.root,
            remembered,
            now=self.now,
            change_digest=self.change_digest,
            known=known,
            past=self.memory.history,
            pre_approved=self.pre_approved,
            named=self.named,
            forge=self.forge,
        )

    def _known(self, remembered: trust.TrustState, applied: Mapping[str, Applied]) -> tuple[str, ...]:
        """Commits that were applied or accepted here before; on a first start, or after a loss, the audit log's too."""
        commits = sorted({seen.commit for record in applied.values() for seen in record.instances.values()})
        last = audit.last_accepted(self.settings.audit, self.root.introduction) if remembered.commit is None else ""
        return (*commits, *([last] if last else []))

    def advance(self, *, though_frozen: bool = False) -> trust.Accepted:
        """Trust stage: as much of the policy's branch as can be trusted; `though_frozen` only to know who is a root.

        Raises:
            NotTrustedError: not even what was accepted last can be kept.
        """
        remembered = self.memory.load()
        known = self._known(remembered, self.memory.all_applied()) if remembered.commit is None else ()
        return trust.advance(self._grounds(remembered, known), though_frozen=though_frozen)

    def accepted(self) -> TrustedCommit:
        """The commit accepted last, without a look at what came after it.

        Raises:
            NotTrustedError: the state does not hold, or nothing can be accepted; E_KEY_REVOKED, it rests on a key that
                is compromised: then its endpoints may be somebody else's.
        """
        remembered = self.memory.load()
        if remembered.commit is None:
            return self.advance().commit
        return trust.kept(self._grounds(remembered)).commit

    def held(self) -> NotTrustedError | None:
        """Why what was accepted last is not to be rested on any more; None while it is.

        Raises:
            NotTrustedError: the state does not hold.
        """
        try:
            self.accepted()
        except NotTrustedError as error:
            if error.code != "E_KEY_REVOKED":
                raise
            return error
        return None

    def speaking(self) -> tuple[str, ...]:
        """Commits whose policies say who is a root, the newest first, also one that rests on a compromised key.

        Nothing else is taken from them: what a root says of such a commit is how it gets put right. A machine that
        remembers nothing cannot know what was accepted elsewhere before the key was known to be stolen. So it takes
        what could be accepted if roots affirmed it, then what can be accepted now: whether a word counts says each
        host by its own memory, whatever the machine took it for.

        Raises:
            NotTrustedError: the state does not hold, or nothing can be accepted.
        """
        remembered = self.memory.load()
        try:
            found = self.advance(though_frozen=remembered.commit is None)
        except NotTrustedError as error:
            if remembered.commit is None or error.code != "E_KEY_REVOKED":
                raise
            return (remembered.accepted,)
        if remembered.commit is not None or found.refusal is None:
            return (found.commit.id,)
        return tuple(dict.fromkeys((trust.believed(self._grounds(remembered)), found.commit.id)))

    def questioned(self, revision: str) -> trust.Questioned:
        """A commit as it would be when roots affirm it, and where it rests on compromised keys.

        Raises:
            NotTrustedError: it could not be accepted, whoever affirms it.
            UsageError: there is no such commit.
        """
        return trust.questioned(self._grounds(self.memory.load()), self.repository.resolve(revision))

    def applied(self, commit: str) -> Desired:
        """Desired state of a commit that was applied before, secrets resolved.

        Raises:
            NotTrustedError: E_STATE_ROLLBACK, this host never accepted it.
        """
        if all(known.id != commit for known in self.memory.history()):
            raise NotTrustedError(
                "the record of what was applied names a commit that this host never accepted",
                code="E_STATE_ROLLBACK",
                where=commit,
                hint=f"somebody changed {self.settings.state}: find out who, and restore it from a backup",
            )
        return self._trusted(commit)

    def outside(self, head: str, commits: Collection[str]) -> frozenset[str]:
        """Those of `commits` (any text) that are not in the history of a trusted commit."""
        left = set(commits)
        for known in self.memory.history() if left else ():
            left.discard(known.id)
        return trust.not_in_history(self.repository, self.root, head, left)

    def wanted(self, commit: TrustedCommit) -> Desired:
        """Desired state of a trusted commit, secrets resolved."""
        return self._trusted(commit.id)

    @lru_cache(maxsize=8)  # noqa: B019 - an Opened lives as long as its run
    def _trusted(self, commit: str) -> Desired:
        """Secrets resolved; what it holds is remembered, which nothing of a commit that is only proposed is.

        To prove a commit, its desired state was read already, and is read once.
        """
        found = desired.resolve(self.unresolved(commit), self.reveal)
        self._read.keep(commit)
        return found

    @cached_property
    def _read(self) -> Reading:
        """What was read before, by earlier runs and by this one."""
        return Reading(Remembered(self.settings.state / "cache", lambda: audit.load_key(self.settings.state).secret))

    @cached_property
    def _made(self) -> desired.Made:
        """What this run made of files that several commits hold."""
        return desired.Made()

    def proposed(self, commit: ProposedCommit, fleet: Fleet) -> Desired:
        """Desired state of a proposed commit: endpoints as accepted, no secret resolved."""
        return desired.load(
            commit.id,
            self.repository.blobs(commit.id),
            None,
            fleet=fleet,
            memory=self._read.of(commit.id),
            made=self._made,
        )

    def fleet(self, commit: TrustedCommit) -> Fleet:
        """Clusters and instances of a trusted commit."""
        return desired.load_fleet(self.repository.blobs(commit.id))

    def limits(self, commit: TrustedCommit) -> Limits:
        """The limits in force before a trusted commit: those of the commit that it builds on.

        Raises:
            InvalidDesiredError: neither that one nor the commit itself has a valid fleet.
        """
        try:
            return desired.load_fleet(self.repository.blobs(commit.base)).limits
        except InvalidDesiredError:
            return self.fleet(commit).limits

    def reveal(self, use: SecretUse) -> str:
        """The value of a secret, if host settings allow this use of it."""
        return self._revealer(use)

    def close(self) -> None:
        """End the session with the forge, if there was one."""
        if self.__dict__.get("forge") is not None and self.forge is not None:
            self.forge.close()

    @cached_property
    def forge(self) -> github.GitHub | None:
        """Where pull requests are read; None when the host root file names no forge.

        Raises:
            NotTrustedError: E_FORGE_UNKNOWN, its authority is no PEM.
            UsageError: its token is not there.
        """
        found = self.root.github
        if found is None:
            return None
        token = own_secret(self.root, found.token, "forge.github.token") if found.token is not None else ""
        kept = self.settings.state / "forge"
        return github.connect(found.api, found.repository, token=token, ca=found.ca, kept=kept)

    @cached_property
    def _revealer(self) -> Callable[[SecretUse], str]:
        root = self.root
        return lru_cache(maxsize=None)(
            Revealer(root.secrets, os.environ, root.secret_files, reserved=root.own_secrets).reveal
        )

    def base_of_change(self, commit: str) -> Desired | None:
        """Desired state of a commit that a change builds on; None when it has none that is valid.

        An accepted commit that this version cannot read any more must not keep everybody from repairing it: then the
        change is everything that comes after, and its digest says so.
        """
        try:
            return self.unresolved(commit)
        except InvalidDesiredError:
            return None

    @lru_cache(maxsize=8)  # noqa: B019 - an Opened lives as long as its run
    def unresolved(self, commit: str) -> Desired:
        """Desired state of a commit with its own fleet, no secret resolved."""
        memory = self._read.of(commit)
        return desired.load(commit, self.repository.blobs(commit), None, memory=memory, keep=True, made=self._made)


def login(root: HostRoot) -> Login | None:
    """With what the host reads and writes an https source; None when it names nothing.

    Raises:
        UsageError: the token is not there.
    """
    if root.source is None:
        return None
    return Login(root.source.user, own_secret(root, root.source.token, "source.token"), root.source.ca)


def own_secret(root: HostRoot, reference: SecretReference, what: str) -> str:
    """A secret that the host root file names for the host itself.

    Raises:
        UsageError: it is not there.
    """
    return Revealer((), os.environ, root.secret_files).own(reference, what)


@contextmanager
def opened(settings: Settings) -> Iterator[Opened]:
    """Open the places, read the clock, fetch the source; close it again at the end.

    Raises:
        NotTrustedError: the host root file or the repository cannot be believed.
        UsageError: one of the places is not there; git or ssh-keygen is missing or too old.
    """
    trust.require_ssh_keygen()
    root = trust.read_root(settings.root)
    state = StateDirectory(settings.state)
    with closing(
        Repository.open(settings.state, settings.repo, root.ref, remotes=root.remotes, login=login(root))
    ) as repository:
        here = Opened(settings, root, repository, state, now())
        try:
            yield here
        finally:
            here.close()


@contextmanager
def repository_alone(settings: Settings) -> Iterator[Repository]:
    """The repository without the host root file, for what needs no trust.

    Raises:
        UsageError: there is no repository.
    """
    try:
        ref = trust.read_root(settings.root).ref if settings.root.exists() else _DEFAULT_REF
    except HaoamError:
        ref = _DEFAULT_REF
    StateDirectory(settings.state)
    with closing(Repository.open(settings.state, settings.repo, ref, branch_needed=False)) as repository:
        yield repository


def audit_log(settings: Settings) -> audit.AuditLog:
    """The audit log, open for writing, its start recorded.

    Raises:
        AuditError: it cannot be written.
    """
    log = audit.open_log(settings.audit, clock=now, key=audit.load_key(settings.state))
    log.start(
        Runner(
            host=settings.runner,
            user=_account(),
            version=__version__,
            job=os.environ.get("HAOAM_JOB", ""),
        )
    )
    return log


def runner(settings: Settings) -> Runner:
    """Who runs this, for audit records."""
    return Runner(settings.runner, _account(), __version__, os.environ.get("HAOAM_JOB", ""))


def chosen(fleet: Fleet, names: tuple[str, ...]) -> Mapping[str, Cluster]:
    """The clusters of these names; all of them when there are no names.

    Raises:
        UsageError: one of them is not in the fleet.
    """
    unknown = [name for name in names if name not in fleet.clusters]
    if unknown:
        raise UsageError(
            f"there is no cluster {unknown[0]!r}",
            code="E_NO_CLUSTER",
            hint=f"the accepted fleet has {', '.join(sorted(fleet.clusters))}",
        )
    return {name: cluster for name, cluster in sorted(fleet.clusters.items()) if not names or name in names}


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())

"""A small world for the apply stage: instances in memory, a planner, a journal, and one call that applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from instance_peer import API, Body, InstancePeer

from haoam_sync import apply, live
from haoam_sync.dataplane import Client
from haoam_sync.errors import HaoamError
from haoam_sync.haproxycfg import canonical, normal_form, with_explicit_defaults
from haoam_sync.http import Call, Reply
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.exchange import Answer, Request
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.json import JsonObject, digest
from haoam_sync.model.live import Live
from haoam_sync.model.outcome import InstanceOutcome, Outcome
from haoam_sync.model.plan import (
    Action,
    CertificateChange,
    Change,
    Cost,
    FieldChange,
    Guard,
    InstancePlan,
    Plan,
    Reason,
)
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FileStore, in_directories

LB1 = InstanceId("eu", "lb1")
BASE = SectionId(SectionKind.DEFAULTS, "base")
WEB = SectionId(SectionKind.BACKEND, "web")
API_BACKEND = SectionId(SectionKind.BACKEND, "api")
FE = SectionId(SectionKind.FRONTEND, "fe")
PEOPLE = SectionId(SectionKind.USERLIST, "people")
GLOBAL = SectionId(SectionKind.GLOBAL, "")
AT = Position("haproxy/x.yaml", 1, 1)


def server(name: str, port: int, **more: object) -> Body:
    """A server on loopback."""
    return {"name": name, "address": "127.0.0.1", "port": port, **more}


def backend(name: str, *servers: Body, **more: object) -> Body:
    """A backend."""
    return {"name": name, "from": "base", "mode": "http", **more, "servers": {one["name"]: one for one in servers}}


def start() -> dict[SectionId, Body]:
    """What an instance runs when a test begins."""
    return {
        GLOBAL: {"master-worker": True},
        BASE: {"name": "base", "mode": "http", "connect_timeout": 5000, "client_timeout": 1000, "server_timeout": 1000},
        PEOPLE: {"name": "people", "users": {"bob": {"username": "bob", "password": "pw12", "secure_password": False}}},
        FE: {
            "name": "fe",
            "from": "base",
            "mode": "http",
            "default_backend": "web",
            "binds": {"http": {"name": "http", "address": "127.0.0.1", "port": 18080}},
        },
        WEB: backend("web", server("s1", 18081, weight=100), server("s2", 18082)),
    }


@dataclass
class Wanted:
    """What a planner wants of an instance.

    Attributes:
        sections: bodies as git would write them; None for one to delete.
        certificates: content by name.
        unused: certificates to delete.
        normal_form: the text to write first, worked out from the live one.
    """

    sections: Mapping[SectionId, JsonObject | None] = field(default_factory=dict)
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    normal_form: Callable[[Live], str | None] = lambda _: None

    def plan(self, found: Live) -> InstancePlan:
        """Compare with what is there: the plan stage in a few lines."""
        changes = [self._change(section, body, found) for section, body in self.sections.items()]
        kept = tuple(change for change in changes if change is not None)
        certificates = tuple(
            CertificateChange(Action.CREATE, name, Reason.GIT, AT, content)
            for name, content in self.certificates.items()
            if name not in found.certificates
        ) + tuple(
            CertificateChange(Action.DELETE, name, Reason.GIT, None, None)
            for name in self.unused
            if name in found.certificates
        )
        normal = self.normal_form(found) if kept or certificates else None
        owned = {s: digest(found.sections[s].body) for s in self.sections if s in found.sections}
        return InstancePlan(
            found.id, kept, certificates, normal, "", found.phantom, owned, (), Guard(found.version, found.checksum)
        )

    @staticmethod
    def _change(section: SectionId, body: JsonObject | None, found: Live) -> Change | None:
        there = found.sections.get(section)
        if body is None:
            if there is None:
                return None
            return Change(Action.DELETE, section, Reason.GIT, (), None, Cost(), None)
        target = _in_directory(canonical(section.kind, body, API), found.certificate_dir)
        if there is not None and there.body == target:
            return None
        action = Action.CREATE if there is None else Action.UPDATE
        fields = (FieldChange("*", None if there is None else digest(there.body), digest(target)),)
        written = dict(target)
        if section.kind in (SectionKind.BACKEND, SectionKind.FRONTEND):
            written["metadata"] = {"haoam": {"file": "haproxy/x.yaml", "digest": "sha256:00"}}
        return Change(action, section, Reason.GIT, fields, AT, Cost(), written)


def _in_directory(body: JsonObject, directory: str | None) -> JsonObject:
    return body if directory is None else in_directories(body, {FileStore.CERTIFICATES: directory})


@dataclass
class Log:
    """A recorder that keeps what it is told, and can refuse.

    Attributes:
        requests: announced writes.
        refuse: asked before each write; an error it gives is raised.
    """

    requests: list[Request] = field(default_factory=list)
    refuse: Callable[[Request], HaoamError | None] = lambda _: None

    def announce(self, request: Request) -> None:
        """Keep it, or refuse."""
        error = self.refuse(request)
        if error is not None:
            raise error
        self.requests.append(request)

    def answered(self, request: Request, answer: Answer) -> None:
        """Nothing to keep."""


@dataclass
class World:
    """Instances, what is wanted of them, and the memory between runs."""

    journal_directory: Path
    peers: dict[InstanceId, InstancePeer]
    wanted: dict[InstanceId, Wanted]
    fleet: Fleet
    log: Log = field(default_factory=Log)
    sleeps: list[float] = field(default_factory=list)
    during_sleep: Callable[[], None] = lambda: None

    @property
    def journal(self) -> apply.FileJournal:
        """The journal, opened anew as each run does."""
        return apply.FileJournal(self.journal_directory)

    def plan(self) -> AuthorizedPlan:
        """Read all instances and plan for them, as `plan` and `authorize` would."""
        plans = tuple(self.wanted[i].plan(live.read(self.connect(i), i)) for i in sorted(self.peers))
        for peer in self.peers.values():
            peer.asked.clear()
            peer.calls.clear()
        return AuthorizedPlan(Plan("c" * 40, {}, "", plans), trusted())

    def connect(self, instance: InstanceId) -> Client:
        """A client of an instance."""
        return Client(self.peers[instance], instance, self.log, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Do not wait."""
        self.sleeps.append(seconds)
        self.during_sleep()

    def run(self, authorized: AuthorizedPlan) -> Outcome:
        """Apply."""
        return apply.run(
            authorized,
            self.connect,
            lambda found: self.wanted[found.id].plan(found),
            read=live.read,
            fleet=self.fleet,
            journal=self.journal,
            sleep=self.sleep,
            random=lambda: 0.5,
        )


def world_of(directory: Path, wanted: Wanted, peer: InstancePeer | None = None) -> tuple[World, InstancePeer]:
    """One instance in one cluster."""
    peer = peer or InstancePeer(start())
    fleet = Fleet("f", {"eu": cluster("eu", 1, "lb1")})
    return World(directory / "journal", {LB1: peer}, {LB1: wanted}, fleet), peer


def cluster(name: str, wave: int, *instances: str) -> Cluster:
    """A cluster with these instances, in this order."""
    members = tuple(
        Instance(InstanceId(name, i), "http://127.0.0.1:1/v3", "admin", SecretReference("env", "X"), None, {}, AT)
        for i in instances
    )
    return Cluster(name, {}, {}, wave, members, AT)


def apply_one(world: World) -> InstanceOutcome:
    """Plan, and apply to the only instance."""
    (outcome,) = world.run(world.plan()).instances
    return outcome


def bring_into_normal_form(found: Live) -> str | None:
    """The text in the server's normal form, None when it is in it already."""
    normal = normal_form(with_explicit_defaults(found.text), found.api)
    return None if normal == found.text else normal


def as_by_hand(peer: InstancePeer) -> None:
    """The file is as somebody wrote it: nothing else in it, but not in the server's normal form."""
    peer.text = peer.text.replace("\n  ", "\n      ")


def once(matches: str, do: Callable[[], Reply | None]) -> Callable[[Call], Reply | None]:
    """A `before` for a peer: do something at the first request whose `METHOD PATH` contains `matches`."""
    done: list[str] = []

    def before(call: Call) -> Reply | None:
        if matches in f"{call.method} {call.path}" and not done:
            done.append(matches)
            return do()
        return None

    return before


def trusted() -> TrustedCommit:
    """A commit that the trust stage would have made."""
    return TrustedCommit(
        id="c" * 40,
        base="b" * 40,
        tree="d" * 40,
        tree_sha256="e" * 64,
        ref="refs/heads/main",
        introduction="a" * 40,
        policy_serial=1,
        policy_digest="sha256:00",
        author="ann",
        committer="ann",
        signers=(),
        reviews=(),
        change_digest="sha256:00",
        decided_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

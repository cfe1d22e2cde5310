"""A repository that declares one section of every kind: applied, changed, and taken away again, on a real HAProxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apply_lab import AT, LB1, LabInstance, free_port, lab

from haoam_sync import apply, desired, live
from haoam_sync import plan as plans
from haoam_sync.apply import writer
from haoam_sync.apply.writer import Writer
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.fleet import Cluster, Fleet, Instance
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import InstanceOutcome, Result
from haoam_sync.model.plan import Action, InstancePlan, Plan
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import MARKED_KINDS, SectionKind

pytestmark = pytest.mark.e2e

FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec: {clusters: {eu: {instances: {lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/X}}}}}}
"""
KINDS = frozenset(SectionKind) - {SectionKind.GLOBAL, SectionKind.CRT_STORE}
"""HAProxy 2.8 has no crt-store; `global` is the instance's own and cannot go away."""


def documents(port: Callable[[str], int], page: Path, *, changed: bool) -> str:
    """One document of each kind, each with another value when `changed`."""

    def pick(first: object, second: object) -> object:
        return second if changed else first

    def document(kind: str, name: str, spec: str) -> str:
        return f"---\napiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"

    return "".join(
        (
            document("Resolvers", "dns", f"{{hold_valid: {pick(5000, 6000)}, nameservers: "
                     f"{{{pick('ns1', 'ns2')}: {{address: 127.0.0.1, port: 53}}}}}}"),
            document("Peers", "mesh", f"{{peer_entries: {{lb1: {{address: 127.0.0.1, port: {port('peer')}}}, "
                     f"{pick('lb2', 'lb3')}: {{address: 127.0.0.1, port: {port('other peer')}}}}}, "
                     f"tables: {{seen: {{type: ip, size: {pick('1m', '2m')}, expire: 10s}}}}}}"),
            document("Mailers", "mail", f"{{timeout: {pick(5000, 6000)}, "
                     f"mailer_entries: {{{pick('m1', 'm2')}: {{address: 127.0.0.1, port: 25}}}}}}"),
            document("Cache", "small", f"{{total_max_size: 4, max_age: {pick(60, 61)}}}"),
            document("Ring", "logs", f"{{format: {pick('iso', 'raw')}, maxlen: 1200, size: 32764, "
                     "timeout_connect: 5000, timeout_server: 5000, "
                     f"servers: {{s1: {{address: 127.0.0.1, port: {port('ring')}}}}}}}"),
            document("LogForward", "collect", f"{{maxconn: {pick(10, 11)}, "
                     f"dgram_binds: {{d1: {{address: 127.0.0.1, port: {port('datagrams')}}}}}, "
                     "log_target_list: [{address: ring@logs, facility: local0}]}"),
            document("HTTPErrors", "pages", f"{{error_files: [{{code: {pick(503, 502)}, file: {page}}}]}}"),
            document("FCGIApp", "php", f"{{docroot: /var/www, index: {pick('index.php', 'main.php')}, max_reqs: 1}}"),
            document("Userlist", "people", f"{{groups: {{{pick('ops', 'dev')}: {{}}}}}}"),
            document("Defaults", "plain", f"{{mode: http, connect_timeout: {pick(5000, 6000)}, "
                     "client_timeout: 5000, server_timeout: 5000}"),
            document("Backend", "web", "{from: plain, mode: http, "
                     f"servers: {{s1: {{address: 127.0.0.1, port: {port('server')}, resolvers: dns, "
                     f"weight: {pick(10, 11)}}}}}, "
                     "email_alert: {mailers: mail, from: a@example.com, to: b@example.com}, "
                     "stick_table: {type: ip, size: 1024, peers: mesh}, "
                     "http_request_rule_list: [{type: cache-use, cache_name: small}], "
                     "http_response_rule_list: [{type: cache-store, cache_name: small}], "
                     "errorfiles_from_http_errors: [{name: pages}]}"),
            document("Backend", "php", "{from: plain, mode: http, use_fcgi_app: php, "
                     f"servers: {{s1: {{address: 127.0.0.1, port: {port('server')}, proto: fcgi}}}}}}"),
            document("Frontend", "fe", f"{{from: plain, mode: http, maxconn: {pick(100, 101)}, default_backend: web, "
                     f"binds: {{main: {{address: 127.0.0.1, port: {port('frontend')}}}}}, "
                     "log_target_list: [{address: ring@logs, facility: local0}], "
                     "tcp_request_rule_list: [{type: connection, action: track-sc, track_stick_counter: 0, "
                     "track_key: src, track_table: mesh/seen}]}"),
        )
    )  # fmt: skip


class World:
    """A lab instance and the commit applied last."""

    def __init__(self, instance: LabInstance, state: Path) -> None:
        self.lab = instance
        self.journal = apply.FileJournal(state / "journal")
        self.applied: DesiredInstance | None = None
        self.wanted = DesiredInstance(LB1, {}, {})
        self.page = state / "503.http"
        self.page.write_text("HTTP/1.0 503 Service Unavailable\r\n\r\n", encoding="utf-8")
        self._ports: dict[str, int] = {}

    def port(self, name: str) -> int:
        """The same port for the same name."""
        return self._ports.setdefault(name, free_port())

    def commit(self, text: str) -> None:
        """What git says from now on."""
        blobs = {"haoam.yaml": FLEET.encode(), "haproxy/all.yaml": text.encode()}
        self.wanted = desired.load("c0ffee", blobs, None, api=self.lab.read().api).instances[LB1]

    def replan(self, found: Live) -> InstancePlan:
        """The real plan stage."""
        return plans.compute_instance(self.wanted, found, self.applied, Owner("a" * 40, "c" * 40))

    def plan(self) -> InstancePlan:
        """What an apply would do now."""
        return self.replan(self.lab.read())

    def apply(self) -> InstanceOutcome:
        """Plan and apply."""
        plan = Plan("c" * 40, {}, "", (self.plan(),))
        instance = Instance(LB1, self.lab.url, "admin", SecretReference("env", "X"), None, {}, AT)
        outcome = apply.run(
            AuthorizedPlan(plan, _trusted()),
            lambda _: self.lab.client(),
            self.replan,
            read=live.read,
            fleet=Fleet("f", {"eu": Cluster("eu", {}, {}, 1, (instance,), AT)}),
            journal=self.journal,
        ).instances[0]
        if outcome.result is Result.APPLIED:
            self.applied = self.wanted
        return outcome


@pytest.fixture(params=["3.2", "3.4"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A lab of either API version whose HAProxy is peer lb1."""
    config = (
        "global\n  localpeer lb1\n  master-worker\n"
        f"  stats socket {tmp_path}/lab/admin.sock mode 600 level admin expose-fd listeners\n"
        "\nuserlist controller\n  user admin insecure-password adminpwd\n"
    )
    with lab(tmp_path / "lab", config, api=request.param) as instance:
        yield World(instance, tmp_path)


def _actions(plan: InstancePlan) -> Mapping[SectionKind, set[Action]]:
    found: dict[SectionKind, set[Action]] = {}
    for change in plan.changes:
        found.setdefault(change.section.kind, set()).add(change.action)
    return found


@pytest.mark.parametrize("way", [Writer.TRANSACTION, Writer.BULK])
def test_one_of_every_kind(world: World, way: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Created, in sync, changed, in sync, taken out of git and gone, by both writers; nothing else is touched."""
    monkeypatch.setattr(writer, "by_cost", lambda _writes, _backends: way)
    foreign = "userlist controller\n  user admin insecure-password adminpwd"

    world.commit(documents(world.port, world.page, changed=False))
    assert _actions(world.plan()) == {kind: {Action.CREATE} for kind in KINDS}
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.plan().empty
    assert {"frontend/fe", "backend/web", "backend/php"} <= world.lab.proxies()
    for line in ("nameserver ns1 127.0.0.1:53", "peer lb2 127.0.0.1", "mailer m1 127.0.0.1:25", "format iso"):
        assert f"\n  {line}" in world.lab.file
    assert {s.id.kind for s in world.lab.read().sections.values() if s.mark} == KINDS & MARKED_KINDS

    world.commit(documents(world.port, world.page, changed=True))
    assert _actions(world.plan()) == {kind: {Action.UPDATE} for kind in KINDS}
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.plan().empty
    for line in ("nameserver ns2 127.0.0.1:53", "peer lb3 127.0.0.1", "mailer m2 127.0.0.1:25", "format raw"):
        assert f"\n  {line}" in world.lab.file
    assert foreign in world.lab.file

    world.commit("---\napiVersion: haoam/v1\nkind: Cache\nmetadata: {name: kept}\nspec: {total_max_size: 4}\n")
    plan = world.plan()
    assert {kind for kind, actions in _actions(plan).items() if Action.DELETE in actions} == KINDS
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.plan().empty
    assert sorted(str(section) for section in world.lab.read().sections) == [
        "cache/kept",
        "global",
        "userlist/controller",
    ]
    assert foreign in world.lab.file


def _trusted() -> TrustedCommit:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return TrustedCommit(
        "c" * 40,
        "b" * 40,
        "d" * 40,
        "e" * 64,
        "refs/heads/main",
        "a" * 40,
        1,
        "sha256:00",
        "ann",
        "ann",
        (),
        (),
        "",
        now,
    )

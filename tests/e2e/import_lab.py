"""An instance with somebody's haproxy.cfg, its import, and applies of what was imported."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flow_cli
from apply_lab import AT, LabInstance, free_port, lab
from flow_certificate import self_signed

from haoam_sync import apply, desired, live
from haoam_sync import plan as plans
from haoam_sync.dataplane import Client
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import InstanceOutcome
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.stored import KnownFiles
from haoam_sync.pipeline import files

IMPORTS = Path(__file__).parents[1] / "data" / "imports"
CONFIGURATIONS = sorted(file.stem for file in IMPORTS.glob("*.cfg"))
LB1 = InstanceId("eu", "lb1")


_LUA = """\
core.register_action("hello", {"http-req"}, function() end)
core.register_service("svc", "http", function(applet) applet:set_status(200) applet:start_response() end)
"""
_SPOE = """\
[reputation]
spoe-agent reputation
    groups ask
    option var-prefix rep
    timeout hello 1s
    timeout idle 30s
    timeout processing 100ms
    use-backend reputation-agents
spoe-message ip
    args ip=src
spoe-group ask
    messages ip
"""


def configuration(name: str) -> str:
    """One of the sample configurations, each `@name@` a port of its own that is free."""
    ports: dict[str, int] = {}

    def port(found: re.Match[str]) -> str:
        while found[1] not in ports:
            one = free_port()
            if one not in ports.values():
                ports[found[1]] = one
        return str(ports[found[1]])

    text = (IMPORTS / f"{name}.cfg").read_bytes().decode()  # the ends of its lines are part of it
    return re.sub(r"@([a-z]+)@", port, text)


def files_beside(directory: Path) -> None:
    """What the sample configurations refer to."""
    for folder in ("errors", "maps", "ssl"):
        (directory / folder).mkdir(parents=True)
    (directory / "errors" / "503.http").write_text("HTTP/1.0 503 Service Unavailable\r\n\r\n", encoding="utf-8")
    (directory / "trusted.lst").write_text("10.0.0.1\n", encoding="utf-8")
    for name in ("hosts", "limits", "redirects"):
        (directory / "maps" / f"{name}.map").write_text("example.com 1\n", encoding="utf-8")
    certificate, key = self_signed("edge")
    (directory / "ssl" / "site.pem").write_bytes(certificate + key)
    (directory / "ssl" / "ca.pem").write_bytes(certificate)
    for name in ("shops", "partners"):
        (directory / "ssl" / f"{name}.list").write_text(f"{directory}/ssl/site.pem\n", encoding="utf-8")
    (directory / "hello.lua").write_text(_LUA, encoding="utf-8")
    (directory / "spoe.conf").write_text(_SPOE, encoding="utf-8")


@dataclass
class Adopted:
    """An instance, and the tree that was imported from it.

    Attributes:
        lab: the instance.
        tree: top of the imported repository.
        secrets: the file with the values of secrets.
        before: haproxy.cfg before anything was written.
        state: of applies.
        applied: what was applied last.
    """

    lab: LabInstance
    tree: Path
    secrets: Path
    before: str
    state: Path
    applied: DesiredInstance | None = field(default=None)

    def imported(self, *more: str) -> Any:
        """`haoam-sync import --url`; its result."""
        env = flow_cli.environment({"API_PASSWORD": "adminpwd"})
        where = ("--url", self.lab.url, "--user", "admin", "--password-env", "API_PASSWORD")
        named = ("--cluster", "eu", "--instance", "lb1", "--directory", str(self.tree), "--secrets", str(self.secrets))
        ran = flow_cli.run(env, self.state, "import", *where, *named, "--output", "json", *more)
        assert ran.code == 0, ran.said
        return ran.json

    def imported_file(self, source: Path, tree: Path) -> Any:
        """`haoam-sync import --file`; its result."""
        named = ("--cluster", "eu", "--directory", str(tree), "--secrets", f"{self.secrets}.2")
        ran = flow_cli.run(
            flow_cli.environment(), self.state, "import", "--file", str(source), *named, "--output", "json"
        )
        assert ran.code == 0, ran.said
        return ran.json

    def wanted(self) -> DesiredInstance:
        """What the tree says, secrets resolved."""
        blobs = {str(file.relative_to(self.tree)): file.read_bytes() for file in self.tree.rglob("*") if file.is_file()}
        values = self.values()

        def reveal(use: SecretUse) -> str:
            return values.get(use.reference.locator, "adminpwd")

        return desired.load("c" * 40, blobs, reveal).instances[LB1]

    def values(self) -> Mapping[str, str]:
        """The secrets, as a shell would read them."""
        if not self.secrets.exists():
            return {}
        words = (shlex.split(line) for line in self.secrets.read_text(encoding="utf-8").splitlines())
        return dict(word[0].split("=", 1) for word in words)

    def plan(self) -> InstancePlan:
        """What an apply would do now."""
        return plans.compute_instance(self.wanted(), self.read(), self.applied, Owner("a" * 40, "c" * 40), KnownFiles())

    def read(self) -> Live:
        """The instance, with what is wanted of its files."""
        client = self.lab.client()
        try:
            return self._read(client, LB1)
        finally:
            client.close()

    def _read(self, client: Client, instance: InstanceId) -> Live:
        return live.read(client, instance, files.asked(self.wanted(), self.applied, KnownFiles()))

    def apply(self) -> InstanceOutcome:
        """Plan and apply."""
        wanted = self.wanted()

        def replan(found: Live) -> InstancePlan:
            return plans.compute_instance(wanted, found, self.applied, Owner("a" * 40, "c" * 40), KnownFiles())

        authorized = AuthorizedPlan(Plan("c" * 40, {}, "", (replan(self.read()),)), _trusted())
        instance = Instance(LB1, self.lab.url, "admin", SecretReference("env", "X"), None, {}, AT)
        outcome = apply.run(
            authorized,
            lambda _: self.lab.client(),
            replan,
            read=self._read,
            fleet=Fleet("f", {"eu": Cluster("eu", {}, {}, 1, (instance,), AT)}),
            journal=apply.FileJournal(self.state / "journal"),
        )
        self.applied = wanted
        return outcome.instances[0]


def _trusted() -> TrustedCommit:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ids = ("c" * 40, "b" * 40, "d" * 40, "e" * 64, "refs/heads/main", "a" * 40)
    return TrustedCommit(*ids, 1, "sha256:00", "ann", "ann", (), (), "", now)


@contextmanager
def adopted(directory: Path, state: Path, config: str) -> Iterator[Adopted]:
    """An instance that runs `config`, and nothing imported yet."""
    files_beside(directory)
    with lab(directory, config, api="3.4") as instance:
        before = config.replace("${DIR}", str(directory))
        yield Adopted(instance, state / "tree", state / "secrets.env", before, state)

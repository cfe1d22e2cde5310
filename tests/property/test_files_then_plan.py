"""Files on an instance, whatever documents come, change and go: as declared after each apply, nobody else's touched."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from apply_lab import AT, LB1, LabInstance, free_port, lab
from flow_certificate import self_signed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from haoam_sync import apply, desired, live
from haoam_sync import plan as plans
from haoam_sync.dataplane import Client
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.fleet import Cluster, Fleet, Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.stored import FileId, FileKind, FileStore
from haoam_sync.pipeline import files

pytestmark = pytest.mark.e2e

FLEET = b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: f}
spec: {clusters: {eu: {instances: {lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/X}}}}}}
"""
_OWNER = Owner("a" * 40, "c" * 40)
_TRUSTED = TrustedCommit(
    "c" * 40, "b" * 40, "d" * 40, "e" * 64, "refs/heads/main", "a" * 40, 1, "sha256:00", "ann", "ann", (), (), "",
    datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip
_FOLDERS = {FileStore.MAPS: "maps", FileStore.GENERAL: "general", FileStore.CERTIFICATES: "ssl"}
_PEMS = [b"".join(self_signed(name)).decode() for name in ("one", "two")]
_AUTHORITIES = [pem.partition("-----BEGIN PRIVATE")[0] for pem in _PEMS]
_MAPS = ["a 1\n", "a 2\nb 3\n"]
_PAGES = [f"HTTP/1.0 503 No\n\n{words}\n" for words in ("sorry", "closed")]
_SECRETS = {f"env/MAP_{number}": text.rstrip("\n") for number, text in enumerate(_MAPS)}
_SECRETS |= {f"env/PEM_{number}": text for number, text in enumerate(_PEMS)}
PORT = free_port()
Documents = Mapping[tuple[str, str], Mapping[str, Any]]

CONFIG = """\
global
  master-worker
  stats socket ${DIR}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password adminpwd
"""
FOREIGN = {
    ("maps", FileId(FileKind.MAP, "m1").storage_name(_MAPS[0].encode())): _MAPS[0],
    ("general", FileId(FileKind.FILE, "p1.http").storage_name(_PAGES[0].encode())): _PAGES[0],
    ("maps", f"m1-{0:032x}.map"): "x y\n",
    ("ssl", f"site-{0:032x}.pem"): _PEMS[0],
}
"""Files of another fleet: two are what ours would be as well, two look as if they were earlier ones of ours."""


@st.composite
def documents(draw: st.DrawFn) -> Documents:
    """Files, and sections that name some of them."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    secret = {"secret": draw(st.sampled_from(["env/MAP_0", "env/MAP_1"]))}
    for name in draw(st.sets(st.sampled_from(["m1", "m2"]))):
        found["Map", name] = {"content": draw(st.sampled_from([*_MAPS, secret]))}
    for name in draw(st.sets(st.sampled_from(["p1.http", "p.2.http", "page"]))):
        found["File", name] = {"content": draw(st.sampled_from(_PAGES))}
    if draw(st.booleans()):
        found["CAFile", "clients"] = {"content": draw(st.sampled_from(_AUTHORITIES))}
    if draw(st.booleans()):
        found["Certificate", "site"] = {"pem": {"secret": draw(st.sampled_from(["env/PEM_0", "env/PEM_1"]))}}
        if draw(st.booleans()):
            options = {"options": "ca-file clients verify optional"} if ("CAFile", "clients") in found else {}
            found["CrtList", "edge"] = {"entries": [{"certificate": "site", **options}]}
    for name in draw(st.sets(st.sampled_from(["web", "api"]))):
        found["Backend", name] = _backend(draw, [name for kind, name in found if kind == "Map"], found)
    if ("CrtList", "edge") in found and draw(st.booleans()):
        bind = {"address": "127.0.0.1", "port": PORT, "ssl": True, "crt_list": "edge"}
        found["Frontend", "tls"] = {"from": "base", "mode": "http", "client_timeout": 1, "binds": {"b": bind}}
    return found


def _backend(draw: st.DrawFn, maps: list[str], found: Documents) -> dict[str, Any]:
    spec: dict[str, Any] = {"from": "base", "mode": "http"}
    rules = [
        {"type": "set-header", "hdr_name": f"X-{name}", "hdr_format": f"%[req.hdr(host),map({name})]"}
        for name in maps
        if draw(st.booleans())
    ]
    pages = [name for kind, name in found if kind == "File"]
    if rules:
        spec["http_request_rule_list"] = rules
    if pages and draw(st.booleans()):
        spec["error_files"] = [{"code": 503, "file": draw(st.sampled_from(pages))}]
    if ("CAFile", "clients") in found and draw(st.booleans()):
        spec["servers"] = {
            "s1": {"address": "127.0.0.1", "port": 9, "ssl": "enabled", "ssl_cafile": "clients", "verify": "required"}
        }
    return spec


class Reconciler:
    """Everything behind trust, with the record of files.

    Attributes:
        lab: the instance.
    """

    def __init__(self, instance: LabInstance, state: Path) -> None:
        self.lab = instance
        self._journal = apply.FileJournal(state / "journal")
        self._applied: DesiredInstance | None = None
        self._files: tuple[str, ...] = ()
        self._found: tuple[str, ...] = ()

    @staticmethod
    def load(wanted: Documents) -> DesiredInstance:
        """The stage that reads a commit."""
        texts = [
            json.dumps(
                {"apiVersion": "haoam/v1", "kind": kind, "metadata": _metadata(kind, name), "spec": spec}
            ).encode()
            for (kind, name), spec in wanted.items()
        ]
        blobs = {"haoam.yaml": FLEET, **({"haproxy/all.yaml": b"\n---\n".join(texts)} if texts else {})}
        return desired.load("c" * 40, blobs, _reveal).instances[LB1]

    def plan(self, wanted: DesiredInstance, found: Live | None = None) -> InstancePlan:
        """What an apply would do."""
        if found is None:
            client = self.lab.client()
            try:
                found = self._read(wanted)(client, LB1)
            finally:
                client.close()
        return plans.compute_instance(wanted, found, self._applied, _OWNER, files.known(self._files, self._found))

    def apply(self, wanted: DesiredInstance) -> None:
        """Do it; what HAProxy does not take is an error of the test."""
        instance = Instance(LB1, self.lab.url, "admin", SecretReference("env", "X"), None, {}, AT)
        planned = self.plan(wanted)
        (outcome,) = apply.run(
            AuthorizedPlan(Plan("c" * 40, {}, "", (planned,)), _TRUSTED),
            lambda _: self.lab.client(),
            lambda found: self.plan(wanted, found),
            read=self._read(wanted),
            fleet=Fleet("f", {"eu": Cluster("eu", {}, {}, 1, (instance,), AT)}),
            journal=self._journal,
        ).instances
        assert outcome.result in {Result.APPLIED, Result.UNCHANGED}, outcome.error
        self._files, self._found = files.remembered(self._files, planned, wanted, outcome)
        self._journal.recorded(LB1)
        self._applied = wanted

    def _read(self, wanted: DesiredInstance) -> Any:
        asked = files.asked(wanted, self._applied, files.known(self._files, self._found))

        def read(client: Client, instance: InstanceId) -> Live:
            return live.read(client, instance, asked)

        return read

    def stored(self) -> dict[tuple[str, str], str]:
        """Every file on its disk."""
        return {
            (folder, path.name): path.read_text()
            for folder in _FOLDERS.values()
            for path in (self.lab.directory / folder).iterdir()
        }


def _metadata(kind: str, name: str) -> dict[str, Any]:
    return {"name": name, **({"external": ["defaults/base"]} if kind in {"Backend", "Frontend"} else {})}


def _reveal(use: SecretUse) -> str:
    return _SECRETS.get(str(use.reference), "any")


@pytest.fixture(scope="module", params=["3.2", "3.4"])
def reconciler(request: pytest.FixtureRequest) -> Iterator[Reconciler]:
    """One instance for all examples, with files of another fleet: each example begins where the one before ended."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path / "lb1", CONFIG, api=request.param) as instance:
        for (folder, name), text in FOREIGN.items():
            (instance.directory / folder / name).write_text(text)
        yield Reconciler(instance, path)
    shutil.rmtree(path, ignore_errors=True)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller example would cost hundreds of applies
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_files_are_as_declared_and_nobody_elses_touched(reconciler: Reconciler, data: st.DataObject) -> None:
    """After an apply nothing is left to do; there is what is wanted, and what was another fleet's, and nothing else."""
    wanted = reconciler.load(data.draw(documents()))
    reconciler.apply(wanted)
    again = reconciler.plan(wanted)
    assert again.empty, (again.changes, again.files, again.certificates)
    names = {(_FOLDERS[store], name) for store, name in files.keys(wanted)}
    there = reconciler.stored()
    assert set(there) == names | set(FOREIGN)
    assert {key: there[key] for key in FOREIGN} == FOREIGN

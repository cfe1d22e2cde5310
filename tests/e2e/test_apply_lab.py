"""Apply against a Data Plane API in front of a real HAProxy; results are read back by HAProxy's own socket."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from apply_lab import AT, LB1, LabInstance, free_port, lab
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync import apply, live
from haoam_sync import plan as plans
from haoam_sync.haproxycfg import normal_form
from haoam_sync.model.authorized import AuthorizedPlan
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.model.desired import DesiredCertificate, DesiredInstance, DesiredSection
from haoam_sync.model.exchange import Request
from haoam_sync.model.fleet import Cluster, Fleet, Instance
from haoam_sync.model.json import JsonObject, digest
from haoam_sync.model.live import Live
from haoam_sync.model.mark import Owner
from haoam_sync.model.outcome import InstanceOutcome, Result
from haoam_sync.model.plan import InstancePlan, Plan
from haoam_sync.model.secret import SecretReference
from haoam_sync.model.section import SectionId, SectionKind

pytestmark = pytest.mark.e2e

WEB = SectionId(SectionKind.BACKEND, "web")
FE = SectionId(SectionKind.FRONTEND, "fe")
API_BACKEND = SectionId(SectionKind.BACKEND, "api")


class World:
    """One lab instance, what git wants of it, and an apply."""

    def __init__(self, instance: LabInstance, state: Path, port: int) -> None:
        self.lab = instance
        self.port = port
        self.journal = apply.FileJournal(state / "journal")
        self.applied: DesiredInstance | None = None
        self.wanted = DesiredInstance(LB1, {}, {})

    def want(self, sections: Mapping[SectionId, JsonObject], *certificates: DesiredCertificate) -> None:
        """Set what git says."""
        self.wanted = DesiredInstance(
            LB1,
            {
                section: DesiredSection(section, body, AT, digest(json.loads(json.dumps(body))))
                for section, body in sections.items()
            },
            {certificate.name: certificate for certificate in certificates},
        )

    def replan(self, found: Live) -> InstancePlan:
        """The real plan stage."""
        return plans.compute_instance(self.wanted, found, self.applied, Owner("a" * 40, "c" * 40))

    def plan(self) -> AuthorizedPlan:
        """Plan, and say yes to it."""
        plan = Plan("c" * 40, {}, "", (self.replan(self.lab.read()),))
        return AuthorizedPlan(plan, _trusted())

    def run(self, authorized: AuthorizedPlan) -> InstanceOutcome:
        """Apply."""
        instance = Instance(LB1, self.lab.url, "admin", SecretReference("env", "X"), None, {}, AT)
        fleet = Fleet("f", {"eu": Cluster("eu", {}, {}, 1, (instance,), AT)})
        outcome = apply.run(
            authorized,
            lambda _: self.lab.client(),
            self.replan,
            read=live.read,
            fleet=fleet,
            journal=self.journal,
        )
        return outcome.instances[0]

    def apply(self) -> InstanceOutcome:
        """Plan and apply; on success git's word is the one applied last."""
        outcome = self.run(self.plan())
        if outcome.result in (Result.APPLIED, Result.UNCHANGED):
            self.applied = self.wanted
        return outcome


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


def config(port: int) -> str:
    """A haproxy.cfg as somebody wrote it: nothing in it is ours yet, and it is not in the server's normal form."""
    return f"""global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password adminpwd

backend theirs from base
  # not ours
  server t1 127.0.0.1:1

frontend fe from base
  mode http
  bind 127.0.0.1:{port} name http
  default_backend web

backend web from base
  mode http
  balance roundrobin
  server s1 127.0.0.1:2 weight 100
  server s2 127.0.0.1:3
"""


def server(name: str, port: int, **more: object) -> dict[str, object]:
    """A server on loopback."""
    return {"name": name, "address": "127.0.0.1", "port": port, **more}


def backend(name: str, *servers: dict[str, object]) -> JsonObject:
    """A backend with these servers."""
    return {"name": name, "from": "base", "mode": "http", "servers": {str(one["name"]): one for one in servers}}  # type: ignore[dict-item]


def frontend(port: int, default_backend: str = "web", address: str = "127.0.0.1", **more: object) -> JsonObject:
    """A frontend with one bind."""
    bind: dict[str, object] = {"name": "http", "address": address, "port": port, **more}
    return {
        "name": "fe",
        "from": "base",
        "mode": "http",
        "default_backend": default_backend,
        "binds": {"http": bind},  # type: ignore[dict-item]
    }


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path is short enough for a unix socket."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(params=["3.2", "3.4"])
def world(request: pytest.FixtureRequest, short_path: Path) -> Iterator[World]:
    """An instance of each API version."""
    port = free_port()
    with lab(short_path / "lb1", config(port), api=request.param) as instance:
        yield World(instance, short_path, port)


@pytest.fixture
def upstream() -> Iterator[int]:
    """A web server that answers `hello`; gives its port."""

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Say hello."""
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing else."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield http.server_address[1]
        http.shutdown()
        thread.join()


def test_first_apply_reaches_the_traffic(world: World, upstream: int) -> None:
    """From a file that is not ours: normal form, changes, marks; a request then comes back from the new server."""
    world.want({WEB: backend("web", server("s1", upstream)), FE: frontend(world.port)})
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert outcome.updated == ("backend/web", "frontend/fe")
    with urlopen(f"http://127.0.0.1:{world.port}/", timeout=5) as answer:
        assert answer.read() == b"hello"
    assert world.lab.proxies() >= {"frontend/fe", "backend/web", "server/web/s1=in", "server/theirs/t1=in"}
    assert "server/web/s2=in" not in world.lab.proxies()
    assert "  # not ours\n" in world.lab.file
    assert normal_form(world.lab.file, world.lab.read().api) == world.lab.file


def test_apply_then_plan_is_empty(world: World) -> None:
    """After an apply the plan is empty, and a second apply writes nothing."""
    web = backend("web", server("s1", 2, weight=7), server("s2", 3))
    world.want({WEB: web, API_BACKEND: backend("api", server("a", 4))})
    assert world.apply().result is Result.APPLIED
    world.lab.recorder.writes.clear()
    plan = world.plan().plan
    assert plan.empty, plan.instances[0].changes
    outcome = world.run(world.plan())
    assert (outcome.result, outcome.requests, world.lab.recorder.writes) == (Result.UNCHANGED, 8, [])


def test_a_section_taken_out_of_git(world: World) -> None:
    """What was ours and is not declared any more goes away; what is not ours stays byte for byte."""
    world.want({WEB: backend("web", server("s1", 2)), API_BACKEND: backend("api", server("a", 4))})
    assert world.apply().result is Result.APPLIED
    theirs = world.lab.file[world.lab.file.index("backend theirs") : world.lab.file.index("backend web")]
    world.want({WEB: backend("web", server("s1", 2))})
    outcome = world.apply()
    assert (outcome.result, outcome.deleted) == (Result.APPLIED, ("backend/api",))
    assert "backend/api" not in world.lab.proxies()
    assert theirs in world.lab.file


def test_haproxy_refuses(world: World) -> None:
    """A frontend whose backend does not exist: HAProxy's own words, and everything as it was."""
    world.want({WEB: backend("web", server("s1", 2)), FE: frontend(world.port)})
    assert world.apply().result is Result.APPLIED
    before, proxies = world.lab.file.split("\n", 1)[1], world.lab.proxies()
    world.want({WEB: backend("web", server("s1", 2)), FE: frontend(world.port, "missing")})
    outcome = world.apply()
    assert (outcome.result, outcome.exit, outcome.error_code) == (Result.RESTORED, 8, "E_REFUSED")
    assert "missing" in outcome.error
    assert (world.lab.file.split("\n", 1)[1], world.lab.proxies()) == (before, proxies)
    assert world.lab.ask("GET", "/transactions") == []


def test_a_bind_that_cannot_be_had(world: World) -> None:
    """The reload fails after validation: the API would show it as live; the earlier text is back and proven."""
    world.want({WEB: backend("web", server("s1", 2)), FE: frontend(world.port)})
    assert world.apply().result is Result.APPLIED
    before, proxies = world.lab.read(), world.lab.proxies()
    world.want({WEB: backend("web", server("s1", 2, weight=3)), FE: frontend(world.port, address="203.0.113.77")})
    outcome = world.apply()
    assert (outcome.result, outcome.exit, outcome.reload) == (Result.RESTORED, 8, "failed")
    assert "203.0.113.77" in outcome.error
    after = world.lab.read()
    assert (after.text, after.phantom, after.sections) == (before.text, False, before.sections)
    assert world.lab.proxies() == proxies
    assert world.lab.ask("GET", "/transactions") == []


def test_a_phantom_left_by_somebody_else(world: World) -> None:
    """An instance whose API shows what cannot be loaded is repaired before anything is written."""
    # A real server reads a file without a version line again by itself, and the phantom is gone (measured); a file that
    # was written through the API has one, and there the phantom stays.
    world.want({WEB: backend("web", server("s1", 1))})
    assert world.apply().result is Result.APPLIED
    version = world.lab.ask("GET", "/configuration/version")
    transaction = world.lab.ask("POST", f"/transactions?version={version}")
    assert isinstance(transaction, dict)
    clash = {"name": "clash", "mode": "http", "binds": {"b": {"name": "b", "address": "203.0.113.77", "port": 1}}}
    world.lab.ask("POST", f"/configuration/frontends?full_section=true&transaction_id={transaction['id']}", clash)
    with pytest.raises(OSError, match="400"):
        world.lab.ask("PUT", f"/transactions/{transaction['id']}?force_reload=true")
    assert world.lab.read().phantom
    world.want({WEB: backend("web", server("s1", 2))})
    plan = world.plan()
    assert plan.plan.instances[0].repair
    outcome = world.run(plan)
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    found = world.lab.read()
    assert (found.phantom, SectionId(SectionKind.FRONTEND, "clash") in found.sections) == (False, False)
    assert "clash" not in world.lab.file


def test_a_drain_outlives_the_reload(world: World) -> None:
    """Servers that an operator has drained or put into maintenance, in sections of ours and of others, stay so."""
    world.lab.worker("set server web/s2 state drain")
    world.lab.worker("set server theirs/t1 state maint")
    world.want({WEB: backend("web", server("s1", 2), server("s2", 3))})
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.lab.proxies() >= {"server/web/s1=in", "server/web/s2=DRAIN", "server/theirs/t1=MAINT"}
    assert len([note for note in outcome.notes if "put back" in note]) == 2


def test_somebody_else_writes_in_between(world: World) -> None:
    """A foreign write between our reading and our commit: planned again, both are there."""
    world.want({WEB: backend("web", server("s1", 2))})
    assert world.apply().result is Result.APPLIED
    world.want({WEB: backend("web", server("s1", 2, weight=9))})
    done: list[bool] = []

    def elsewhere(request: Request) -> None:
        if request.method == "PUT" and "/transactions/" in request.path and not done:
            done.append(True)
            version = world.lab.ask("GET", "/configuration/version")
            more = {"name": "more", "from": "base"}
            world.lab.ask("POST", f"/configuration/backends?version={version}&force_reload=true", more)

    world.lab.recorder.before = elsewhere
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.lab.proxies() >= {"backend/more", "backend/web"}
    assert "weight 9" in world.lab.file
    assert world.lab.ask("GET", "/transactions") == []


def test_killed_in_the_middle(world: World, short_path: Path) -> None:
    """Kill -9 with the transaction open: the next run deletes it and finishes."""
    world.want({WEB: backend("web", server("s1", 2))})
    script = Path(__file__).with_name("apply_and_die.py")
    process = subprocess.run(
        [sys.executable, str(script), world.lab.url, str(short_path)],
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.returncode == -signal.SIGKILL
    assert len(list((short_path / "journal").iterdir())) == 1
    assert isinstance(left := world.lab.ask("GET", "/transactions"), list)
    assert len(left) == 1
    outcome = world.apply()
    assert (outcome.result, outcome.error) == (Result.APPLIED, "")
    assert world.lab.ask("GET", "/transactions") == []
    assert list((short_path / "journal").iterdir()) == []


def test_tls_from_a_certificate_in_git(world: World, upstream: int) -> None:
    """A certificate is uploaded, named by the instance's own path, served, exchanged, and the old one deleted."""
    for number in (1, 2):
        pem = _certificate(number)
        certificate = DesiredCertificate("site", f"site-{number:032x}.pem", pem, None, AT)
        bind = {"ssl": True, "ssl_certificate": f"@ssl_certs_dir/{certificate.storage_name}"}
        world.want({WEB: backend("web", server("s1", upstream)), FE: frontend(world.port, **bind)}, certificate)
        outcome = world.apply()
        assert (outcome.result, outcome.error) == (Result.APPLIED, "")
        assert _served(world.port) == x509.load_pem_x509_certificate(pem).serial_number
        stored = world.lab.ask("GET", "/storage/ssl_certificates")
        assert isinstance(stored, list)
        assert [entry["storage_name"] for entry in stored] == [certificate.storage_name]


def _certificate(number: int) -> bytes:
    """PEM of a certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"site{number}.example.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _served(port: int) -> int:
    """Serial number of the certificate that answers on a port."""
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode()).serial_number


def test_what_a_running_worker_takes(world: World) -> None:
    """Weight, address, port, maintenance and a limit change without a reload, and the worker has them."""
    limited = {**frontend(world.port), "maxconn": 100}
    world.want({WEB: backend("web", server("s1", 18081, weight=100), server("s2", 18082)), FE: limited})
    assert world.apply().result is Result.APPLIED
    process = _process(world)
    world.lab.recorder.writes.clear()
    world.want(
        {
            WEB: backend("web", server("s1", 18091, weight=7), server("s2", 18082, maintenance="enabled")),
            FE: {**limited, "maxconn": 50},
        }
    )
    authorized = world.plan()
    assert [change.cost.reload for change in authorized.plan.instances[0].changes] == [False, False]
    outcome = world.run(authorized)
    assert (outcome.result, outcome.reload, outcome.error) == (Result.APPLIED, "none needed", "")
    assert [dict(request.query).get("skip_reload") for request in world.lab.recorder.writes] == ["true"]
    assert _process(world) == process
    assert {"server/web/s1=in", "server/web/s2=MAINT"} <= world.lab.proxies()
    assert " 18091 " in world.lab.worker("show servers state web")
    assert world.lab.worker("get weight web/s1").startswith("7 ")
    world.applied = world.wanted
    assert world.plan().plan.empty


def _process(world: World) -> str:
    """The worker's process: another one after each reload."""
    return next(line for line in world.lab.worker("show info").splitlines() if line.startswith("Pid:"))


def test_a_weight_set_by_hand_is_healed_without_a_reload(world: World) -> None:
    """The worker has another weight than the file: the new one reaches it, and a drain is left alone."""
    world.want({WEB: backend("web", server("s1", 18081, weight=100), server("s2", 18082))})
    world.apply()
    world.lab.worker("set server web/s1 weight 50")
    world.lab.worker("set server web/s2 state drain")
    world.want({WEB: backend("web", server("s1", 18081, weight=50), server("s2", 18082))})
    outcome = world.apply()
    assert (outcome.result, outcome.reload, outcome.error) == (Result.APPLIED, "none needed", "")
    assert world.lab.worker("get weight web/s1").startswith("50 ")
    assert "server/web/s2=DRAIN" in world.lab.proxies()


def test_many_sections_are_one_text(world: World) -> None:
    """A hundred backends are judged, written and loaded by two requests; foreign sections stay byte for byte."""
    many = {SectionId(SectionKind.BACKEND, f"m{n}"): backend(f"m{n}", server("s1", 18081)) for n in range(100)}
    world.want({WEB: backend("web", server("s1", 18081)), FE: frontend(world.port)})
    assert world.apply().result is Result.APPLIED
    foreign = world.lab.file.partition("backend theirs")[2].partition("\n\n")[0]
    world.lab.recorder.writes.clear()
    world.want({**many, WEB: backend("web", server("s1", 18082)), FE: frontend(world.port)})
    outcome = world.apply()
    assert (outcome.result, outcome.error, len(outcome.created)) == (Result.APPLIED, "", 100)
    assert [sorted(dict(request.query)) for request in world.lab.recorder.writes] == [
        ["only_validate", "version"],
        ["force_reload", "version"],
    ]
    assert world.lab.file.partition("backend theirs")[2].partition("\n\n")[0] == foreign
    assert {f"backend/m{n}" for n in range(100)} < world.lab.proxies()
    assert world.plan().plan.empty
    world.want({FE: frontend(world.port, "theirs")})
    assert (world.apply().result, len(world.lab.read().sections)) == (Result.APPLIED, 5)


def test_many_sections_that_haproxy_refuses(world: World) -> None:
    """A text that HAProxy refuses is never written: the file is as it was."""
    world.want({WEB: backend("web", server("s1", 18081)), FE: frontend(world.port)})
    world.apply()
    was = world.lab.file
    many = {SectionId(SectionKind.BACKEND, f"m{n}"): backend(f"m{n}", server("s1", 18081)) for n in range(100)}
    world.want({**many, WEB: backend("web", server("s1", 18081)), FE: frontend(world.port, "nowhere")})
    outcome = world.run(world.plan())
    assert outcome.result in (Result.FAILED, Result.RESTORED)
    assert "nowhere" in outcome.error
    assert world.lab.file == was

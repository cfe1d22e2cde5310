"""When something goes wrong in the middle of the flow: what HAProxy runs afterwards, and what the tool says of it."""

from __future__ import annotations

import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flow_certificate import self_signed, serial_number
from flow_edge import FRONTEND, WEB, Edge, Node, edge

pytestmark = pytest.mark.e2e

NOWHERE = "203.0.113.77"  # TEST-NET-3 (RFC 5737): an address that no machine has
HEAVIER = {"haproxy/web.yaml": WEB.replace("weight: 100", "weight: 70").replace("roundrobin", "leastconn")}
"""Needs a transaction and a reload."""
CLASH = FRONTEND.replace("name: fe}", "name: clash}").replace("address: 127.0.0.1", f"address: {NOWHERE}")
TLS = FRONTEND.replace("name: fe}", "name: tls}").replace(
    'port: "${instance.vars.port}"', 'port: "${instance.vars.tls_port}", ssl: true, ssl_certificate: site'
)
SITE = """\
apiVersion: haoam/v1
kind: Certificate
metadata: {name: site}
spec: {pem: {secret: file/site.pem}}
"""


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, people: Mapping[str, Path]) -> Iterator[Edge]:
    """One instance, applied to."""
    with edge(tmp_path_factory.mktemp("edge"), people, "eu/lb1", limits="{delete_frontends: true}") as world:
        world.review()
        world.must(0, "apply", world.plan_digest())
        yield world


@pytest.fixture
def world(applied: Edge) -> Edge:
    """The same, in sync."""
    applied.settle()
    return applied


def _is_as_it_was(world: Edge, text: str, proxies: set[str]) -> None:
    """By the file, the worker, the traffic, and the API's list of transactions."""
    node = world.node
    assert node.text == text
    assert node.lab.proxies() == proxies
    assert node.get("/api/") == ("lb1", "api-1")
    assert node.lab.ask("GET", "/transactions") == []


def test_a_reload_that_fails(world: Edge) -> None:
    """Valid for HAProxy, but an address that is not there: exit 8, everything is as it was, and drift finds nothing."""
    node = world.node
    text, proxies = node.text, node.lab.proxies()
    digest = world.land({"haproxy/clash.yaml": CLASH, **HEAVIER})
    outcome = world.must(8, "apply", digest, "--output", "json").json
    assert outcome["exit"] == 8
    [instance] = outcome["instances"]
    assert (instance["result"], instance["reload"]) == ("restored", "failed")
    assert NOWHERE in instance["error"]["message"]
    _is_as_it_was(world, text, proxies)
    world.must(0, "drift")
    ran = world.must(8, "apply", world.plan_digest())
    assert "eu/lb1: restored" in ran.out
    assert NOWHERE in ran.out


def test_what_haproxy_refuses(world: Edge) -> None:
    """A configuration that does not load: HAProxy's own words, exit 8, everything as it was."""
    node = world.node
    text, proxies = node.text, node.lab.proxies()
    wrong = WEB.replace("  servers:", "  acl_list: [{acl_name: a, criterion: no_such_fetch, value: x}]\n  servers:")
    digest = world.land({"haproxy/web.yaml": wrong})
    ran = world.must(8, "apply", digest)
    assert "no_such_fetch" in ran.out
    assert "E_REFUSED" in ran.out
    _is_as_it_was(world, text, proxies)
    said = world.must(3, "validate").err
    assert "no_such_fetch" in said


def _commit(request: str) -> bool:
    return request.startswith("PUT ") and "/transactions/" in request


@pytest.mark.parametrize("when", ["before", "answering"])
def test_killed_at_the_commit(world: Edge, when: str) -> None:
    """Kill -9 before the commit is sent, or before its answer comes: the next run finds it, tidies up and finishes."""
    node = world.node
    digest = world.land(HEAVIER)
    process_at = threading.Event()
    dead = threading.Event()

    def hold(request: str) -> bool:
        if not _commit(request):
            return True
        process_at.set()
        dead.wait(30)
        return False

    setattr(node.gate, when, hold)
    with world.running("apply", digest) as process:
        assert process_at.wait(60)
        process.kill()
        process.wait(30)
        dead.set()
    setattr(node.gate, when, lambda _: True)
    journal = world.work / "state" / "journal"
    assert len(list(journal.iterdir())) == 1
    assert world.must(2, "audit", "verify", "--output", "json").json["unfinished"]
    committed = when == "answering"
    assert node.weight("web", "web-1") == (70 if committed else 100)
    outcome = world.must(0, "apply", world.plan_digest(0 if committed else 2), "--output", "json").json
    assert outcome["instances"][0]["result"] == ("unchanged" if committed else "applied")
    assert (node.weight("web", "web-1"), node.weight("web", "web-2")) == (70, 70)
    assert node.lab.ask("GET", "/transactions") == []
    assert list(journal.iterdir()) == []
    world.must(0, "drift")
    world.must(0, "audit", "verify")  # what was cut off has its outcome now


@pytest.mark.parametrize(("number", "output"), [(signal.SIGINT, "text"), (signal.SIGTERM, "json")])
def test_interrupted_at_the_commit(world: Edge, number: signal.Signals, output: str) -> None:
    """Ctrl-C, or a runner that ends its job: the earlier state is put back and proven before the process ends."""
    node = world.node
    text, proxies = node.text, node.lab.proxies()
    digest = world.land(HEAVIER)
    sent = threading.Event()

    def interrupt(request: str) -> bool:
        if _commit(request) and not sent.is_set():
            process.send_signal(number)
            sent.set()
        return True

    node.gate.answering = interrupt
    with world.running("apply", digest, "--output", output) as process:
        out, err = process.communicate(timeout=60)
    assert sent.is_set()
    assert process.returncode == 8, out + err
    assert "restored" in out
    assert "Traceback" not in err
    _is_as_it_was(world, text, proxies)
    assert list((world.work / "state" / "journal").iterdir()) == []
    world.must(0, "drift")
    world.must(0, "apply", world.plan_digest())
    assert node.weight("web", "web-1") == 70


def _phantom(node: Node) -> None:
    """What somebody leaves behind who forces a reload that cannot succeed, and goes home."""
    transaction = node.lab.ask("POST", f"/transactions?version={node.version()}")
    assert isinstance(transaction, dict)
    clash = {"name": "clash", "mode": "http", "binds": {"b": {"name": "b", "address": NOWHERE, "port": 1}}}
    node.lab.ask("POST", f"/configuration/frontends?full_section=true&transaction_id={transaction['id']}", clash)
    with pytest.raises(OSError, match="400"):
        node.lab.ask("PUT", f"/transactions/{transaction['id']}?force_reload=true")


def test_a_phantom_is_found_and_repaired(world: Edge) -> None:
    """The API shows what the file does not hold: drift says so, and apply repairs it before anything else."""
    node = world.node
    text, proxies = node.text, node.lab.proxies()
    _phantom(node)
    assert "phantom" in world.must(2, "drift").out
    plan = world.must(2, "plan", "--output", "json").json
    assert plan["instances"][0]["repair"] is True
    world.must(0, "apply", plan["plan_digest"])
    assert "frontend/clash" not in {str(one) for one in world.must(0, "plan", "--output", "json").json["instances"]}
    assert (node.text, node.lab.proxies()) == (text, proxies)
    shown = node.lab.ask("GET", "/configuration/frontends")
    assert isinstance(shown, list)
    assert "clash" not in {one["name"] for one in shown}
    world.must(0, "drift")


def test_a_certificate_is_exchanged(world: Edge) -> None:
    """The new one is served, the old file is gone; nothing was ever overwritten."""
    node = world.node
    names = []
    for number in (1, 2):
        certificate, key = self_signed(f"site {number}")
        file = world.files / "site.pem"
        file.write_bytes(certificate + key)
        file.chmod(0o600)
        digest = world.land({"haproxy/site.yaml": SITE, "haproxy/tls.yaml": TLS})
        world.must(0, "apply", digest)
        trusted = ssl.create_default_context(cadata=certificate.decode())
        assert node.get("/api/", tls=trusted) == ("lb1", "api-1")
        served = ssl.get_server_certificate(("127.0.0.1", node.tls_port)).encode()
        assert serial_number(served) == serial_number(certificate)
        stored = node.lab.ask("GET", "/storage/ssl_certificates")
        assert isinstance(stored, list)
        names += [one["storage_name"] for one in stored]
        world.must(0, "plan")
    assert len(names) == len(set(names)) == 2


def _refuse(node: Node) -> None:
    node.gate.refusing = True


def _hang_up(node: Node) -> None:
    node.gate.before = lambda _: False


@pytest.mark.parametrize("how", [_refuse, _hang_up])
def test_an_instance_that_does_not_answer(world: Edge, how: Callable[[Node], None]) -> None:
    """Exit 7, naming the instance; nothing changes."""
    digest = world.land(HEAVIER)
    node = world.node
    text = node.text
    how(node)
    for command in (("plan",), ("apply", digest), ("drift",)):
        ran = world.must(7, *command)
        assert "[eu/lb1]" in ran.err or "eu/lb1: not compared: E_" in ran.out
    assert node.text == text

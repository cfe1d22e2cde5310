"""Secrets: only those that the host allows, only where they belong, and never in anything that is said or kept."""

from __future__ import annotations

import base64
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import PASSWORD, Site, document
from flow_certificate import self_signed
from flow_cli import Ran
from flow_gate import Gate
from trust_world import policy_document

pytestmark = pytest.mark.e2e

OPERATOR = "Op3rator+secret+from+the+environment"
DRIFTED = "Dr1fted+secret+set+by+hand"
LEGACY = "Legacy+plain+password"
SPACED = "Quoted secret with spaces"
STATS = "Stats+page+password"
COOKIE = "Dynamic+cookie+key"

CONFIG = f"""\
global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist legacy
  user old insecure-password {LEGACY}
  user older insecure-password "{SPACED}"

backend statistics
  stats enable
  stats auth boss:{STATS}
  dynamic-cookie-key {COOKIE}

userlist controller
  user admin insecure-password {PASSWORD}
"""
_ALLOWED = """\
    - {reference: env/OPERATOR_PASSWORD, kinds: [Userlist], fields: [users.*.password], clusters: [eu]}
    - {reference: file/site.pem, kinds: [Certificate], fields: ["*"], clusters: [eu]}
"""


@pytest.fixture
def instance() -> Iterator[LabInstance]:
    """A HAProxy with secrets of its own in sections that are not ours, its file not in normal form."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, CONFIG) as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str], instance: LabInstance) -> Iterator[Site]:
    """A world whose introduction commit is believed."""
    instance.unmark()
    with Gate(instance.url) as gate:
        site = Site(tmp_path, keys, policy_document(publics), gate=gate)
        site.secrets["OPERATOR_PASSWORD"] = OPERATOR
        yield site


def _users(reference: str = "env/OPERATOR_PASSWORD") -> bytes:
    user = {"password": {"secret": reference}, "secure_password": False}
    return document("Userlist", "operators", {"users": {"ops": user}})


def _reviewed(site: Site, files: Mapping[str, bytes], base: str = "") -> str:
    """A change by alice on top of the introduction commit, reviewed by bob."""
    base = base or site.introduction
    head = site.move(site.commit({**site.files, **files}, [base]))
    site.review("bob", base, head)
    return head


@pytest.mark.attack("E_SECRET_REFERENCE")
def test_a_reference_that_the_host_does_not_allow(site: Site) -> None:
    """A reviewed commit may ask for any secret of the host; it gets what the host root file lists."""
    _reviewed(site, {"haproxy/users.yaml": _users()})
    site.apply_refused("E_SECRET_REFERENCE")
    site.allowed = _ALLOWED
    site.write_root()
    plan = site.must(2, "plan", "--output", "json").json
    site.must(0, "apply", plan["plan_digest"])


@pytest.mark.attack("E_SECRET_REFERENCE")
@pytest.mark.parametrize("reference", ["env/EDGE_PASSWORD", "file/../root.yaml", "file/link"])
def test_a_reference_to_something_else_of_the_host(site: Site, reference: str) -> None:
    """Neither the API's own password nor a file outside of the directory for secrets."""
    site.allowed = '    - {reference: "file/*", kinds: ["*"], fields: ["*"], clusters: ["*"]}\n'
    site.write_root()
    (site.place / "files" / "link").symlink_to(site.place / "root.yaml")
    _reviewed(site, {"haproxy/users.yaml": _users(reference)})
    site.apply_refused("E_SECRET_REFERENCE")


@pytest.mark.attack("E_SECRET_REFERENCE")
def test_a_reference_in_a_header(site: Site) -> None:
    """A secret that the host allows, in a field that everybody can read: no valid commit, no review."""
    site.allowed = '    - {reference: "env/*", kinds: ["*"], fields: ["*"], clusters: ["*"]}\n'
    site.write_root()
    rule = {"type": "set-header", "hdr_name": "X-Key", "hdr_format": {"secret": "env/EDGE_PASSWORD"}}
    body = {"mode": "http", "http_request_rule_list": [rule]}
    head = site.move(
        site.commit(site.with_file("haproxy/web.yaml", document("Backend", "web", body)), [site.introduction])
    )
    ran = site.must(3, "review", head, f"--key={site.keys['bob']}", "--offline", "--yes", "--expect=sha256:0")
    assert "E_SECRET_REFERENCE" in ran.err
    site.digests[site.introduction, head] = "sha256:" + "1" * 64
    site.review("bob", site.introduction, head)
    ran = site.must(3, "apply", "sha256:" + "0" * 64)
    assert "E_SECRET_REFERENCE" in ran.err
    assert site.gate.connections == 0
    assert PASSWORD not in ran.said


class Watch:
    """What a host says and keeps while commands run.

    Attributes:
        said: what each command wrote.
        journals: mode of each journal that was there when a request was sent.
        leaks: files that held a secret when a request was sent, as a crash would leave them.
    """

    def __init__(self, site: Site, key: bytes) -> None:
        self.site = site
        self.key = key
        self.said: list[Ran] = []
        self.journals: set[int] = set()
        self.leaks: list[str] = []
        site.gate.before = self._look

    def must(self, code: int, *arguments: str) -> Ran:
        """Run a command, and keep what it says."""
        ran = self.site.must(code, *arguments)
        self.said.append(ran)
        return ran

    def apply(self, code: int) -> None:
        """Plan in both forms, then apply."""
        self.must(2, "plan")
        digest = self.must(2, "plan", "--output", "json").json["plan_digest"]
        self.must(code, "apply", digest, *(["--output", "json"] if code else []))

    def _look(self, _request: str) -> bool:
        self.journals |= {stat.S_IMODE(file.stat().st_mode) for file in (self.site.host / "journal").glob("*")}
        self.leaks += _leaks(self.site, self.key)
        return True

    def proves_silence(self) -> None:
        """No secret was said, none is kept but in the journal, and that was for its owner only."""
        self.leaks += _leaks(self.site, self.key)
        assert [value for value in _values(self.key) for ran in self.said if value in ran.said] == []
        assert self.leaks == []
        assert self.journals == {0o600}


def test_no_secret_is_ever_said_or_kept(site: Site, instance: LabInstance) -> None:
    """From the first plan over drift to a restored apply: no secret in any output, in the state, in the log."""
    certificate, key = self_signed("site")
    (site.place / "files" / "site.pem").write_bytes(certificate + key)
    site.allowed = _ALLOWED
    site.write_root()
    watch = Watch(site, key)
    files = {
        "haproxy/users.yaml": _users(),
        "haproxy/site.yaml": document("Certificate", "site", {"pem": {"secret": "file/site.pem"}}),
    }
    proposal = site.move(site.commit({**site.files, **files}, [site.introduction]))
    watch.must(2, "plan")  # not reviewed yet
    sign = ("review", proposal, f"--key={site.keys['bob']}", "--yes")
    watch.must(0, *sign, f"--expect={site.change_digest(site.introduction, proposal)}")
    watch.must(0, "validate", "--output", "json")
    watch.must(0, "render", "eu/lb1")
    watch.apply(0)
    watch.must(0, "plan")
    assert OPERATOR in instance.file

    instance.ask("DELETE", f"/configuration/userlists/operators?version={_version(instance)}&force_reload=true")
    drifted = {
        "name": "operators",
        "users": {"ops": {"username": "ops", "password": DRIFTED, "secure_password": False}},
    }
    place = f"/configuration/userlists?full_section=true&version={_version(instance)}&force_reload=true"
    instance.ask("POST", place, drifted)
    watch.must(2, "drift")
    watch.must(2, "drift", "--output", "json")
    watch.apply(0)
    assert OPERATOR in instance.file

    clash = document("Frontend", "clash", {"mode": "http", "binds": {"b": {"address": "203.0.113.77", "port": 1}}})
    last = site.move(site.commit({**site.files, **files, "haproxy/clash.yaml": clash}, [proposal]))
    site.review("bob", proposal, last)
    watch.apply(8)
    watch.must(0, "trust", "state", "--output", "json")
    watch.must(2, "audit", "verify", "--output", "json")
    watch.must(2, "audit", "verify")
    watch.proves_silence()
    assert all(value in instance.file for value in (OPERATOR, LEGACY, SPACED, STATS, COOKIE, PASSWORD))


def _values(key: bytes) -> list[str]:
    """Every secret of this world, in every form in which it could be told."""
    plain = [
        OPERATOR,
        DRIFTED,
        LEGACY,
        SPACED,
        "secret with spaces",
        STATS,
        COOKIE,
        PASSWORD,
        key.decode().split("\n")[1],
    ]
    return [*plain, *(base64.b64encode(f"admin:{PASSWORD}".encode()).decode() for _ in range(1))]


def _leaks(site: Site, key: bytes) -> list[str]:
    """Files of the host, but for the journal, that hold the value of a secret."""
    journal = site.host / "journal"
    found = []
    for folder in (site.host, site.place / "audit"):
        for file in folder.rglob("*"):
            if file.is_file() and journal not in file.parents:
                content = file.read_bytes()
                found += [f"{file}: {value}" for value in _values(key) if value.encode() in content]
    return found


def _version(instance: LabInstance) -> object:
    return instance.ask("GET", "/configuration/version")

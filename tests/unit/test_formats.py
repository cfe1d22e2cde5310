"""docs/formats.md and the code say the same, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from haoam_sync.audit.codes import Event
from haoam_sync.audit.entries import entry
from haoam_sync.audit.key import AuditKey
from haoam_sync.audit.line import NO_RECORD, decode, encode
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.forge import Page, digest_of
from haoam_sync.model.json import canonical_json
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
from haoam_sync.model.record import Entry, Party, RecordedRequest, Runner
from haoam_sync.model.section import SectionId, SectionKind

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
KEY = AuditKey(bytes(range(32)))
BODY = b'{"name":"web" }'


def vector(name: str) -> str:
    """The block of the page that is called so."""
    (found,) = re.findall(rf"<!-- vector: {name} -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)
    return str(found)


def plan() -> Plan:
    """The plan of the test vector, with everything that its digest does not cover set to something."""
    web, users = SectionId(SectionKind.BACKEND, "web"), SectionId(SectionKind.USERLIST, "ops")
    changes = (
        Change(
            Action.UPDATE,
            users,
            Reason.BOTH,
            (
                FieldChange(
                    "users.amy.password", {"secret": "hmac-sha256:ab"}, {"secret": "env/AMY_PASSWORD"}, secret=True
                ),
                FieldChange("users.bob.password", None, {"secret": "file/bob"}, secret=True),
            ),
            Position("haproxy/ops.yaml", 3, 1),
            Cost(reload=True),
            {"name": "ops", "users": {"amy": {"password": "clear"}}},
        ),
        Change(
            Action.UPDATE,
            web,
            Reason.GIT,
            (FieldChange("servers.s1.weight", 100, 50),),
            Position("haproxy/web.yaml", 9, 5),
            Cost(reload=False, capacity_left=75),
            {"name": "web"},
        ),
    )
    certificate = CertificateChange(Action.CREATE, "site-0123456789ab.pem", Reason.GIT, None, b"PEM")
    first = InstancePlan(
        id=InstanceId("edge-eu", "eu-1"),
        changes=changes,
        certificates=(certificate,),
        normal_form="global\n",
        normal_form_diff="--- a\n",
        repair=False,
        owned={web: "sha256:" + "1" * 64, users: "sha256:" + "2" * 64},
        foreign=("listen stats",),
        guard=Guard(7, "sha256:" + "3" * 64),
        warnings=("something to know",),
    )
    second = InstancePlan(
        id=InstanceId("edge-eu", "eu-2"),
        changes=(),
        certificates=(),
        normal_form=None,
        normal_form_diff="",
        repair=False,
        owned={web: "sha256:" + "1" * 64},
        foreign=(),
        guard=Guard(70, "sha256:" + "4" * 64),
    )
    return Plan("c" * 40, {"edge-eu": "b" * 40}, "sha256:" + "5" * 64, (first, second))


def record() -> Entry:
    """What the test vector's record says."""
    return entry(
        Event.REQUEST_ANNOUNCED,
        apply="20260301T120000-1",
        cluster="edge-eu",
        instance="eu-1",
        actor=Party("alice", ("author",), "alice-key"),
        runner=Runner("runner-1"),
        request=RecordedRequest(
            "PUT",
            "/services/haproxy/configuration/backends/web",
            (("transaction_id", "t1"), ("full_section", "true")),
            KEY.digest(BODY),
            {"name": "web"},
        ),
    )


def test_the_plan_digest_is_what_the_page_says() -> None:
    """The page's JSON is canonical, is what the code digests, and its SHA-256 is the page's digest and the code's."""
    shown = vector("plan").encode()
    value = plan()
    assert canonical_json(json.loads(shown)) == shown
    document = json.loads(shown)
    assert document == json.loads(
        canonical_json(
            {"haoam_plan": 1, "commit": value.commit, "instances": [one.digested() for one in value.instances]}
        )
    )
    assert "sha256:" + hashlib.sha256(shown).hexdigest() == vector("plan digest") == value.digest
    assert value.instances[0].digest == "sha256:" + hashlib.sha256(canonical_json(document["instances"][0])).hexdigest()


def test_the_plan_digest_holds_no_secret() -> None:
    """Neither a secret's value nor a digest of one stands in what is digested; references do."""
    shown = vector("plan")
    assert "clear" not in shown
    assert "hmac" not in shown
    assert "env/AMY_PASSWORD" in shown


def test_the_record_is_what_the_page_says() -> None:
    """The page's line is what the code writes and reads, and its hash can be made with nothing but a JSON library."""
    shown = vector("record").encode()
    line, head = encode(record(), seq=1, time="2026-03-01T12:00:00.000Z", prev=NO_RECORD)
    assert line == shown + b"\n"
    assert decode(shown).entry == record()
    members = json.loads(shown)
    assert members.pop("hash") == head
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert head == "sha256:" + hashlib.sha256(plain).hexdigest()


def test_the_keyed_digests_are_what_the_page_says() -> None:
    """Body digest and key id follow from the key with nothing but an HMAC."""
    key = bytes(range(32))
    members = json.loads(vector("record"))
    assert members["request"]["body_digest"] == "hmac-sha256:" + hmac.new(key, BODY, "sha256").hexdigest()
    assert vector("key id") == hmac.new(key, b"haoam audit key id", "sha256").hexdigest()[:16] == KEY.id


@pytest.mark.parametrize("part", ["Canonical JSON", "Change digest", "Plan digest", "Audit record", "Review statement"])
def test_every_format_has_its_section(part: str) -> None:
    """The formats that others sign, compare or chain each have a section."""
    assert f"\n## {part}\n" in PAGE


def test_the_digest_of_a_forges_answers_is_that_of_the_page() -> None:
    """What was asked and the digest of each answer, as canonical JSON, hashed."""
    shown = vector("forge answers")
    ((asked, _),) = json.loads(shown)
    assert canonical_json(json.loads(shown)) == shown.encode()
    assert digest_of([Page(asked, b"[]")]) == vector("forge digest")
    assert "sha256:" + hashlib.sha256(shown.encode()).hexdigest() == vector("forge digest")

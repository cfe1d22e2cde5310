"""The spec of a section: what is refused field by field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import BACKEND

from haoam_sync.model.api_version import OLDEST
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.section import SectionId, SectionKind

SpecRefusals = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ("moed: http", "unknown field `moed` in spec (did you mean `mode`?) 6:3"),
        ("master_worker: 1", "unknown field `master_worker` in spec 6:3"),
        ("http_buffer_request: enabled", "in spec (did you mean `http-buffer-request`?) 6:3"),
        ("from_: base", "unknown field `from_` in spec (did you mean `from`?) 6:3"),
        ("mode: htpp", "spec.mode: `htpp` is none of http, tcp, log (did you mean `http`?) 6:9"),
        ("mode: udp", "spec.mode: `udp` is none of http, tcp, log 6:9"),
        ("retries: three", "spec.retries: expected a whole number, found `three` 6:12"),
        ('retries: "3"', "spec.retries: expected a whole number, found `3` (write it without quotes) 6:12"),
        ("retries: 3.5", "spec.retries: expected a whole number, found the number 3.5 6:12"),
        ("retries: true", "spec.retries: expected a whole number, found true 6:12"),
        ("retries: [3]", "spec.retries: expected a whole number, found a list 6:12"),
        ("retries:", "spec.retries: null is no value (give a value, or delete the field) 6:11"),
        ("disabled: enabled", "spec.disabled: expected true or false, found `enabled` (write true) 6:13"),
        ('disabled: "true"', "spec.disabled: expected true or false, found `true` (write it without quotes) 6:13"),
        ("description: 5", 'spec.description: expected text, found the number 5 (quote it: "5") 6:16'),
        ("description: true", 'spec.description: expected text, found true (quote it: "true") 6:16'),
        ("log_tag: a b", "spec.log_tag: `a b` does not match ^[^\\s]+$ (no white space is allowed in it) 6:12"),
        ("balance: roundrobin", "spec.balance: expected an object, found `roundrobin` 6:12"),
        ("balance: {}", "field `algorithm` is missing in spec.balance 6:3"),
        ("balance: {algorithm: round-robin}", "(did you mean `roundrobin`?) 6:24"),
        ("acl_list: {}", "spec.acl_list: expected a list, found an object 6:13"),
        ("acl_list: [x]", "spec.acl_list.0: expected an object, found `x` 6:14"),
        ("acl_list: [{acl_name: a}]", "field `criterion` is missing in spec.acl_list.0 6:14"),
        ("servers: []", "spec.servers: expected an object, found a list 6:12"),
        ("servers: {s1: x}", "spec.servers.s1: expected an object, found `x` 6:17"),
        ("servers: {s1: {port: 1}}", "field `address` is missing in spec.servers.s1 6:13"),
        (
            "servers: {s1: {address: a, port: 70000}}",
            "spec.servers.s1.port: the number 70000 is out of range, expected at most 65535 6:36",
        ),
        (
            "servers: {s1: {address: a, port: 0}}",
            "spec.servers.s1.port: the number 0 is out of range, expected at least 1 6:36",
        ),
        ("servers: {s1: {address: a, wieght: 1}}", "in spec.servers.s1 (did you mean `weight`?) 6:30"),
        ("servers: {s1: {adress: a}}", "field `address` is missing in spec.servers.s1 6:13"),
        ("servers: {s 1: {address: a}}", "spec.servers.s 1.name: `s 1` does not match ^[^\\s]+$"),
        ("http_request_rule_list: [{type: set-heder}]", "(did you mean `set-header`?) 6:35"),
        ("name: other", "metadata.name says the name, `web`; here it is said as `other` (delete `name`) 6:3"),
        ("name: web", "metadata.name says the name, `web`; here it is said a second time (delete `name`) 6:3"),
        (
            "servers: {s1: {name: s1, address: a}}",
            "the key says the name, `s1`; here it is said a second time (delete `name`) 6:18",
        ),
        (
            "servers: {s1: {name: s2, address: a}}",
            "the key says the name, `s1`; here it is said as `s2` (delete `name`) 6:18",
        ),
        (
            "server_templates: {srv: {prefix: srv, num_or_range: 1-3, fqdn: a.b}}",
            "the key says the name, `srv`; here it is said a second time (delete `prefix`) 6:28",
        ),
        (
            "metadata: {x: {}}",
            (
                "spec.metadata is not for documents "
                "(our mark of ownership lives there; say it in the document's metadata, or in a comment) 6:3"
            ),
        ),
        ("servers: {s1: {address: a, metadata: {}}}", "spec.servers.s1.metadata is not for documents"),
        (
            'description: "one\\n  server evil 10.0.0.1"',
            (
                "spec.description: a line break or control character would end the line in haproxy.cfg "
                "(write it on one line) 6:16"
            ),
        ),
        ("acl_list: [{acl_name: a, criterion: src, value: null}]", "spec.acl_list.0.value: null is no value"),
    ],
)
def test_refused_in_a_backend(spec_refusals: SpecRefusals, spec: str, refusal: str) -> None:
    """Each mistake in a field has its position, what was expected, and what to do."""
    found = spec_refusals(spec)
    assert any(refusal in line for line in found), found


def test_a_block_text_would_be_several_lines(spec_refusals: SpecRefusals) -> None:
    """The newline at the end of a block scalar is one too many."""
    assert spec_refusals("description: |\n  one\n") == [
        (
            "spec.description: a line break or control character would end the line in haproxy.cfg "
            "(write it on one line) 6:16"
        )
    ]


def test_a_server_may_be_called_metadata(load: Callable[..., Desired]) -> None:
    """Names are the user's own: what means something elsewhere means nothing there."""
    state = load({"haproxy/f.yaml": f"{BACKEND}  servers: {{metadata: {{address: a}}, secret: {{address: b}}}}\n"})
    body = state.instances[InstanceId("eu", "eu-1")].sections[SectionId(SectionKind.BACKEND, "web")].body
    assert body["servers"] == {
        "metadata": {"name": "metadata", "address": "a"},
        "secret": {"name": "secret", "address": "b"},
    }


def test_users_are_named_by_their_key(spec_refusals: SpecRefusals) -> None:
    """A user's name is in the API's field `username`."""
    user = "{username: bob, password: {secret: env/X}, secure_password: false}"
    assert spec_refusals(f"users: {{bob: {user}}}", kind="Userlist", name="people") == [
        "the key says the name, `bob`; here it is said a second time (delete `username`) 6:17"
    ]


def test_lost_settings_are_refused(spec_refusals: SpecRefusals) -> None:
    """What the server accepts and then does not have is an error, with the reason."""
    (found,) = spec_refusals("forwarded: {enabled: enabled}")
    assert found.startswith("spec.forwarded")
    assert "would be lost: " in found
    assert found.rsplit(" ", 1)[1].startswith("6:")
    (found,) = spec_refusals("servers: {s.1: {address: a, no_tlsv10: enabled}}")
    assert found.startswith("spec.servers.s.1.no_tlsv10 would be lost: ")
    assert found.endswith("(write tlsv10: disabled) 6:42")


def test_what_the_server_refuses_is_refused(spec_refusals: SpecRefusals) -> None:
    """A combination that the server answers with 4xx never reaches it."""
    found = spec_refusals("adv_check: pgsql-check")
    assert len(found) == 1
    assert found[0].startswith("spec.")


def test_fields_of_another_version(load: Callable[..., Desired], spec_refusals: SpecRefusals) -> None:
    """Fields are held to the version that is meant: the newest, unless an older one is named."""
    assert spec_refusals("http_proxy: enabled") == ["API 3.4 has no spec.http_proxy (take it out) 6:15"]
    text = {"haproxy/f.yaml": f"{BACKEND}  servers: {{s1: {{address: a, sni_auto: enabled}}}}\n"}
    assert load(text)
    with pytest.raises(Exception, match="1 problem") as caught:
        load(text, api=OLDEST)
    assert [str(p) for p in caught.value.problems] == [  # type: ignore[attr-defined]
        "API 3.2 has no spec.servers.s1.sni_auto (take it out) haproxy/f.yaml:7:40"
    ]
    rule = {"haproxy/f.yaml": f"{BACKEND}  http_request_rule_list: [{{type: set-headers-bin, hdr_expr: x}}]\n"}
    with pytest.raises(Exception, match="problem") as caught:
        load(rule, api=OLDEST)
    messages = [str(p) for p in caught.value.problems]  # type: ignore[attr-defined]
    assert "API 3.2 knows no `set-headers-bin` for spec.http_request_rule_list.0.type" in messages[0]


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("servers.*.wieght", "Server has no field `wieght` (did you mean `weight`?) 4:32"),
        ("serves.*.weight", "Backend has no field `serves` (did you mean `servers`?) 4:32"),
        ("servers.*.name", "`name` is part of the identity 4:32"),
        ("name", "`name` is part of the identity 4:32"),
        ("mode.x", "there is nothing below `mode` 4:32"),
        ("acl_list.0", "`acl_list` is a list, and is compared as a whole (ignore `acl_list`) 4:32"),
        ("", "Backend has no field `` 4:32"),
    ],
)
def test_ignored_paths_lead_somewhere(spec_refusals: SpecRefusals, path: str, refusal: str) -> None:
    """A path that names nothing would hide nothing, and its author would believe that it does."""
    assert spec_refusals("mode: http", ignore=f'["{path}"]') == [f"`{path}` cannot be ignored: {refusal}"]


@pytest.mark.parametrize(
    "path", ["servers.*.weight", "servers.s1.weight", "acl_list", "balance.algorithm", "servers.*"]
)
def test_paths_that_can_be_ignored(load: Callable[..., Desired], path: str) -> None:
    """Fields, fields of named objects, whole lists."""
    text = BACKEND.replace("  name: web", f'  name: web\n  protected: true\n  ignore: ["{path}"]')
    section = load({"haproxy/f.yaml": text}).instances[InstanceId("eu", "eu-1")].sections
    (found,) = section.values()
    assert found.ignore == (path,)
    assert found.protected


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ("legacy", "`legacy` names nothing (write KIND/NAME, such as backend/legacy) 4:34"),
        ("backend/", "`backend/` names nothing (write KIND/NAME, such as backend/legacy) 4:34"),
        ("bakend/legacy", "`bakend/legacy`: unknown kind `bakend` (did you mean `backend`?) 4:34"),
        ("Backend/legacy", "`Backend/legacy`: unknown kind `Backend` (did you mean `backend`?) 4:34"),
        ("global/x", "`global/x`: unknown kind `global` 4:34"),
    ],
)
def test_external_names_what_can_be_there(spec_refusals: SpecRefusals, entry: str, refusal: str) -> None:
    """An entry of `external` is the identity of a section, or of a certificate."""
    assert spec_refusals("mode: http", external=f'["{entry}"]') == [refusal]

"""What HAProxy says of a commit's text: it judges what git says, not what is missing because git does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from haoam_sync import desired
from haoam_sync.lab.haproxy import find_haproxy
from haoam_sync.model.fleet import InstanceId
from haoam_sync.pipeline import judging

pytestmark = pytest.mark.e2e

FLEET = b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: f}
spec:
  clusters:
    eu:
      instances:
        lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/X}}
"""
LB1 = InstanceId("eu", "lb1")


def _document(kind: str, spec: str, more: str = "") -> bytes:
    return f"apiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: web{more}}}\nspec: {spec}\n".encode()


def _refusals(files: Mapping[str, bytes]) -> Mapping[InstanceId, str]:
    wanted = desired.load("c" * 40, {"haoam.yaml": FLEET, **files}, None)
    refused, unjudged = judging.refusals(wanted, find_haproxy())
    assert unjudged == ()
    return refused


def test_a_backend_alone() -> None:
    """The README's first change declares one backend and no listener: HAProxy has nothing against it."""
    assert _refusals({"haproxy/web.yaml": _document("Backend", "{mode: http}")}) == {}


def test_hosts_that_this_machine_does_not_know() -> None:
    """A name that only the instance can look up is no reason to refuse a commit; a mistake beside it still is."""
    backend = """
  mode: http
  log_target_list:
    - {address: "logs.example.test:514", facility: local0}
    - {address: "udp6@l.example.test:1", facility: local0}
  servers:
    s1: {address: app.example.test, port: 80, health_check_address: other.example.test, check: enabled}
    s2: {address: ipv6@app.example.test, port: 80}
  server_templates: {t: {num_or_range: "2", fqdn: t.example.test, port: 80}}
"""
    frontend = "{mode: http, binds: {b: {address: edge.example.test, port: 1}}}"
    peers = "{peer_entries: {a: {address: peer.example.test, port: 2}}}"
    mailers = "{mailer_entries: {m: {address: smtp.example.test, port: 25}}}"
    resolvers = "{nameservers: {ns: {address: ns.example.test, port: 53}}}"
    files = {
        "haproxy/b.yaml": _document("Backend", backend),
        "haproxy/f.yaml": _document("Frontend", frontend).replace(b"web", b"edge"),
        "haproxy/p.yaml": _document("Peers", peers),
        "haproxy/m.yaml": _document("Mailers", mailers),
        "haproxy/r.yaml": _document("Resolvers", resolvers),
    }
    assert _refusals(files) == {}
    rule = "http_request_rule_list: [{type: deny, cond: if, cond_test: no_such_acl}]"
    wrong = _document("Backend", f"{backend}  {rule}\n")
    assert "no_such_acl" in _refusals({**files, "haproxy/b.yaml": wrong})[LB1]


@pytest.mark.parametrize("address", ["stdout", "fd@1", "ring@r", "127.0.0.1:514", "[::1]:514", "/dev/log", "::1"])
def test_addresses_that_name_no_host(address: str) -> None:
    """What is looked up nowhere is judged as it stands."""
    assert judging._HOST_NAME.match(address) is None


def test_what_is_said_to_be_there() -> None:
    """Foreign defaults, backends, userlists with their groups, resolvers and certificates are taken as given."""
    external = "[defaults/base, backend/legacy, userlist/staff, resolvers/dns, certificate/old.pem]"
    frontend = """
  from: base
  mode: tcp
  default_backend: legacy
  binds: {b: {address: 127.0.0.1, port: 1, ssl: true, ssl_certificate: old.pem}}
"""
    backend = """
  from: base
  mode: http
  acl_list: [{acl_name: staff, criterion: http_auth_group(staff), value: admins}]
  http_request_rule_list: [{type: deny, cond: unless, cond_test: staff}]
  servers: {s1: {address: app.example.test, port: 1, resolvers: dns, init-addr: none}}
"""
    files = {
        "haproxy/frontend.yaml": _document("Frontend", frontend, f", external: {external}"),
        "haproxy/backend.yaml": _document("Backend", backend, f", external: {external}"),
    }
    assert _refusals(files) == {}


@pytest.mark.parametrize(
    "spec",
    [
        "{mode: http, acl_list: [{acl_name: a, criterion: no_such_fetch, value: x}]}",
        "{mode: http, http_request_rule_list: [{type: deny, cond: if, cond_test: no_such_acl}]}",
    ],
)
def test_what_git_says_is_still_judged(spec: str) -> None:
    """A mistake that only HAProxy knows is found, in its own words."""
    assert "no_such" in _refusals({"haproxy/web.yaml": _document("Backend", spec)})[LB1]


EXTERNAL_FILES = """
  mode: http
  client_timeout: 1
  binds:
    one: {address: 127.0.0.1, port: 2, ssl: true, ssl_certificate: /etc/elsewhere/site.pem, ssl_cafile: CA}
    two: {address: 127.0.0.1, port: 3, ssl: true, crt_list: LIST}
  acl_list: [{acl_name: inside, criterion: src, value: "-f PATTERNS"}]
  error_files: [{code: 503, file: PAGE}]
  http_request_rule_list:
    - {type: deny, cond: if, cond_test: inside}
    - {type: set-header, hdr_name: A, hdr_format: "%[src,map_ip(MAP)]"}
    - {type: set-header, hdr_name: B, hdr_format: "%[req.hdr(host),map_str_int(MAP,0)]"}
"""


@pytest.mark.parametrize("prefix", ["", "/etc/elsewhere/"])
def test_files_that_are_elsewhere(prefix: str) -> None:
    """Files that the instance has, by name or by path, are taken as given, whatever they hold."""
    names = {"CA": "ca.pem", "LIST": "list.txt", "PATTERNS": "nets.lst", "PAGE": "503.http", "MAP": "some.map"}
    spec = EXTERNAL_FILES
    for word, name in names.items():
        spec = spec.replace(word, prefix + name)
    external = "[ca-file/ca.pem, crt-list/list.txt, file/nets.lst, file/503.http, map/some.map]"
    assert _refusals({"haproxy/f.yaml": _document("Frontend", spec, f", external: {external}")}) == {}


def test_a_crt_list_of_certificates_that_are_elsewhere() -> None:
    """What a crt-list of git names by a path, or by a name that is said to be there, is taken as given."""
    entries = (
        "{certificate: /etc/elsewhere/one.pem, options: 'ca-file /etc/elsewhere/ca.pem verify optional'}",
        "{certificate: old.pem, sni: [old.example]}",
    )
    bind = "{mode: http, client_timeout: 1, binds: {b: {address: 127.0.0.1, port: 2, ssl: true, crt_list: web}}}"
    files = {
        "haproxy/l.yaml": _document(
            "CrtList", f"{{entries: [{', '.join(entries)}]}}", ", external: [certificate/old.pem]"
        ),
        "haproxy/f.yaml": _document("Frontend", bind),
    }
    assert _refusals(files) == {}


def test_files_of_this_machine_are_not_read(tmp_path: Path) -> None:
    """A path in a commit that nobody reviewed: what the runner has there is not in HAProxy's words."""
    (tmp_path / "nets.lst").write_text("a-secret-of-this-host\n")
    spec = f'{{mode: http, acl_list: [{{acl_name: a, criterion: src, value: "-f {tmp_path}/nets.lst"}}]}}'
    assert _refusals({"haproxy/web.yaml": _document("Backend", spec)}) == {}


@pytest.mark.parametrize(
    "spec",
    [
        "acl_list: [{acl_name: a, criterion: src, value: '-f ../../../../../../../../..PLACE'}]",
        "acl_list: [{acl_name: a, criterion: src, value: '-f \"PLACE\"'}]",
        "acl_list: [{acl_name: a, criterion: src, value: '\"-f\" PLACE'}]",
        "acl_list: [{acl_name: a, criterion: src, value: '-f .netrc'}]",
        "http_request_rule_list: [{type: deny, cond: if, cond_test: '{ src -f ../../../../../../../../..PLACE }'}]",
        "http_request_rule_list: [{type: deny, cond: if, cond_test: '{ src,map_ip(\"PLACE\") -m found }'}]",
        "filter_list: [{type: spoe, spoe_engine: e, spoe_config: PLACE}]",
        "error_files: [{code: 503, file: '../../../../../../../../..PLACE'}]",
        (
            "http_request_rule_list: [{type: return, return_status_code: 200, return_content_type: text/plain, "
            "return_content_format: lf-file, return_content: '../../../../../../../../..PLACE'}]"
        ),
    ],
)
def test_a_file_that_nothing_can_stand_in_for(tmp_path: Path, spec: str) -> None:
    """Relative paths, quotes and files of their own form: HAProxy would quote what the runner has there. Not asked."""
    place = tmp_path / "nets.lst"
    place.write_text("a-secret-of-this-host\n")
    spec = f"{{mode: http, {spec.replace('PLACE', str(place))}}}"
    wanted = desired.load("c" * 40, {"haoam.yaml": FLEET, "haproxy/web.yaml": _document("Backend", spec)}, None)
    assert judging.refusals(wanted, find_haproxy()) == ({}, (LB1,))


@pytest.mark.parametrize(
    "spec",
    ["h1_case_adjust_file: PLACE", "environment_options: {setenv: [{name: F, value: '-f'}]}"],
)
def test_a_file_of_global_that_nothing_can_stand_in_for(tmp_path: Path, spec: str) -> None:
    """The same for a path that only `global` has, and for words that a variable of `global` makes."""
    place = tmp_path / "cases"
    place.write_text("abc ABC\nabc ABC\n")
    text = f"apiVersion: haoam/v1\nkind: Global\nmetadata: {{}}\nspec: {{{spec.replace('PLACE', str(place))}}}\n"
    acl = f"{{mode: http, acl_list: [{{acl_name: a, criterion: src, value: '\"${{F}}\" {place}'}}]}}"
    files = {"haproxy/global.yaml": text.encode(), "haproxy/web.yaml": _document("Backend", acl)}
    wanted = desired.load("c" * 40, {"haoam.yaml": FLEET, **files}, None)
    assert judging.refusals(wanted, find_haproxy()) == ({}, (LB1,))


def test_maps_and_lists_whose_contents_are_secret() -> None:
    """What only a secret tells is stood in for by what HAProxy takes, whatever the types of keys and values."""
    secret = "{content: {secret: file/x}}"
    spec = """
  mode: http
  acl_list: [{acl_name: inside, criterion: src, value: "-f nets.lst"}]
  http_request_rule_list:
    - {type: set-header, hdr_name: B, hdr_format: "%[src,map_ip_int(web,0)]", cond: if, cond_test: inside}
"""
    files = {
        "haproxy/m.yaml": _document("Map", secret),
        "haproxy/l.yaml": _document("File", secret).replace(b"name: web", b"name: nets.lst"),
        "haproxy/web.yaml": _document("Backend", spec),
    }
    assert _refusals(files) == {}


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("Map", "{content: 'not-an-address x'}", "not-an-address"),
        ("CAFile", "{content: '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n'}", "ca"),
    ],
)
def test_files_of_git_are_judged_with_what_names_them(kind: str, spec: str, words: str) -> None:
    """HAProxy reads the files of the commit where the sections name them: a key that is no address, a broken PEM."""
    rule = {"Map": "http_request_rule_list: [{type: set-header, hdr_name: B, hdr_format: '%[src,map_ip(web)]'}]"}
    server = "servers: {s: {address: 127.0.0.1, port: 1, ssl: enabled, verify: required, ssl_cafile: web}}"
    backend = f"{{mode: http, {rule.get(kind, server)}}}"
    files = {
        "haproxy/f.yaml": _document(kind, spec.replace("\\n", "\n\n")),
        "haproxy/web.yaml": _document("Backend", backend),
    }
    assert words in _refusals(files)[LB1]


def test_haproxy_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reviewed the text yet: HAProxy's own `"${NAME}"` in it must not read what this process knows."""
    monkeypatch.setenv("HAOAM_TEST_SECRET", "s3cr3t-value")
    spec = '{mode: http, servers: {s: {address: "\\"${HAOAM_TEST_SECRET}\\"", port: 1}}}'
    assert "s3cr3t-value" not in str(_refusals({"haproxy/web.yaml": _document("Backend", spec)}))


def test_lua_of_a_commit_is_not_run(tmp_path: Path) -> None:
    """HAProxy runs what a configuration loads even when it only checks it, so it is not asked."""
    script, proof = tmp_path / "x.lua", tmp_path / "ran"
    script.write_text(f'io.open("{proof}", "w"):close()', encoding="utf-8")
    spec = f'{{lua_options: {{loads: [{{file: "{script}"}}]}}, runtime_apis: [{{address: /run/x.sock}}]}}'
    files = {"haproxy/global.yaml": f"apiVersion: haoam/v1\nkind: Global\nmetadata: {{}}\nspec: {spec}\n".encode()}
    wanted = desired.load("c" * 40, {"haoam.yaml": FLEET, **files}, None)
    assert judging.refusals(wanted, find_haproxy()) == ({}, (LB1,))
    assert not proof.exists()

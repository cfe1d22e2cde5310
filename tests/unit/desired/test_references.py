"""What sections refer to: declared, or said to be there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from desired_commits import FLEET, Files

from haoam_sync.desired import references
from haoam_sync.desired.references import GroupReference, SectionReference
from haoam_sync.model.desired import Desired
from haoam_sync.model.section import SectionKind

Refusals = Callable[[Files], list[str]]
Load = Callable[..., Desired]


def document(kind: str, name: str, spec: str, metadata: str = "") -> str:
    """One document; its spec begins in line 5 of it."""
    return f"---\napiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec:\n  {spec}\n"


def files(*documents: str) -> dict[str, str]:
    """A commit of one file a document."""
    return {f"haproxy/{index}.yaml": text for index, text in enumerate(documents)}


BASE = document("Defaults", "base", "mode: http")
PEOPLE = document(
    "Userlist",
    "people",
    "groups: {ops: {}, devs: {}}\n  users: {bob: {password: {secret: env/X}, secure_password: false, groups: ops}}",
)
SMALL = document("Cache", "small", "{total_max_size: 4}")
PAGES = document("HTTPErrors", "pages", "error_files: [{code: 503, file: /etc/503.http}]")
MESH = document("Peers", "mesh", "tables: {seen: {type: ip, size: 1m}}")
SEEN = document("Frontend", "seen", "stick_table: {type: ip, size: 1024}")
SITE = document("Certificate", "site", "pem: {secret: file/site.pem}")


@pytest.mark.parametrize(
    ("kind", "spec", "declared", "target"),
    [
        ("Frontend", "from: base", [BASE], "defaults/base"),
        ("Backend", "from: base", [BASE], "defaults/base"),
        ("Frontend", "default_backend: api", [document("Backend", "api", "{}")], "backend/api"),
        ("Defaults", "default_backend: api", [document("Backend", "api", "{}")], "backend/api"),
        (
            "Frontend",
            "backend_switching_rule_list: [{name: api, cond: if, cond_test: HTTP}]",
            [document("Backend", "api", "{}")],
            "backend/api",
        ),
        ("Frontend", "acl_list: [{acl_name: a, criterion: http_auth(people)}]", [PEOPLE], "userlist/people"),
        (
            "Frontend",
            'http_request_rule_list: [{type: deny, cond: unless, cond_test: "{ http_auth(people) }"}]',
            [PEOPLE],
            "userlist/people",
        ),
        (
            "Backend",
            'http_request_rule_list: [{type: set-header, hdr_name: X, hdr_format: "%[http_auth_group(people)]"}]',
            [PEOPLE],
            "userlist/people",
        ),
        (
            "Frontend",
            "binds: {b: {address: '*', port: 443, ssl: true, ssl_certificate: site}}",
            [SITE],
            "certificate/site",
        ),
        ("Backend", "servers: {s: {address: a, ssl_certificate: site}}", [SITE], "certificate/site"),
        ("Backend", "http_request_rule_list: [{type: cache-use, cache_name: small}]", [SMALL], "cache/small"),
        ("Backend", "http_response_rule_list: [{type: cache-store, cache_name: small}]", [SMALL], "cache/small"),
        ("Backend", "filter_list: [{type: cache, cache_name: small}]", [SMALL], "cache/small"),
        (
            "Backend",
            "email_alert: {mailers: mail, from: a@example.com, to: b@example.com}",
            [document("Mailers", "mail", "mailer_entries: {m: {address: 127.0.0.1, port: 25}}")],
            "mailers/mail",
        ),
        ("Backend", "errorfiles_from_http_errors: [{name: pages}]", [PAGES], "http-errors/pages"),
        (
            "Frontend",
            (
                "http_request_rule_list: [{type: return, return_status_code: 503, return_content_format: errorfiles, "
                "return_content: pages}]"
            ),
            [PAGES],
            "http-errors/pages",
        ),
        ("Backend", "stick_table: {type: ip, size: 1024, peers: mesh}", [MESH], "peers/mesh"),
        (
            "Frontend",
            (
                "tcp_request_rule_list: [{type: connection, action: track-sc, track_stick_counter: 0, track_key: src, "
                "track_table: mesh/seen}]"
            ),
            [MESH],
            "peers/mesh",
        ),
        (
            "Frontend",
            (
                "tcp_request_rule_list: [{type: connection, action: track-sc, track_stick_counter: 0, track_key: src, "
                "track_table: seen}]"
            ),
            [document("Backend", "seen", "stick_table: {type: ip, size: 1024}")],
            "backend/seen",
        ),
        ("Backend", "stick_rule_list: [{type: 'on', pattern: src, table: seen}]", [SEEN], "backend/seen"),
        (
            "Frontend",
            "acl_list: [{acl_name: busy, criterion: 'src,table_http_req_rate(seen)', value: 'gt 9'}]",
            [SEEN],
            "backend/seen",
        ),
        (
            "Frontend",
            "http_request_rule_list: [{type: reject, cond: if, cond_test: '{ sc_http_req_rate(0,seen) gt 9 }'}]",
            [SEEN],
            "backend/seen",
        ),
        (
            "Backend",
            "http_request_rule_list: [{type: deny, cond: if, cond_test: '{ src_conn_cur(mesh/seen) gt 9 }'}]",
            [MESH],
            "peers/mesh",
        ),
        ("Backend", "use_fcgi_app: php", [document("FCGIApp", "php", "{docroot: /www, max_reqs: 1}")], "fcgi-app/php"),
        (
            "Frontend",
            "log_target_list: [{address: ring@logs, facility: local0}]",
            [document("Ring", "logs", "{size: 32764}")],
            "ring/logs",
        ),
        (
            "Frontend",
            "binds: {b: {address: '*', port: 443, ssl: true, ssl_certificate: '@store/site'}}",
            [document("CrtStore", "store", "crt_loads: {/etc/ssl/site.pem: {alias: site}}")],
            "crt-store/store",
        ),
    ],
)
def test_declared_missing_external(
    refusals: Refusals, load: Load, kind: str, spec: str, declared: Sequence[str], target: str
) -> None:
    """A reference holds when git declares its target; else it is an error, unless `external` says that it is there."""
    referring = document(kind, "web", spec)
    assert load(files(referring, *declared))
    (found,) = refusals(files(referring))
    what, name = target.split("/")
    assert (
        f"no {what} `{name}` is declared (declare it, or say that it is there: metadata.external: [{target}])" in found
    )
    assert "haproxy/0.yaml:6:" in found
    assert load(files(document(kind, "web", spec, f", external: [{target}]")))


@pytest.mark.parametrize(
    "spec",
    [
        "servers: {s: {address: a, resolvers: dns}}",
        "default_server: {resolvers: dns}",
        "server_templates: {s: {num_or_range: 1-2, fqdn: a.b, resolvers: dns}}",
    ],
)
def test_resolvers(refusals: Refusals, load: Load, spec: str) -> None:
    """Resolvers are declared, or said to be there; HAProxy's own `default` always is."""
    declared = document("Resolvers", "dns", "nameservers: {ns1: {address: 127.0.0.1, port: 53}}")
    assert load(files(document("Backend", "web", spec), declared))
    (found,) = refusals(files(document("Backend", "web", spec)))
    assert "no resolvers `dns` is declared" in found
    assert load(files(document("Backend", "web", spec, ", external: [resolvers/dns]")))
    assert load(files(document("Backend", "web", spec.replace("dns", "default"))))


def test_did_you_mean(refusals: Refusals) -> None:
    """A name that is nearly one of the declared ones is a typing mistake."""
    frontend = document("Frontend", "web", "default_backend: apii")
    assert refusals(files(frontend, document("Backend", "api", "{}"))) == [
        "spec.default_backend: no backend `apii` is declared (did you mean `api`?) haproxy/0.yaml:6:20"
    ]


def test_declared_for_other_clusters(refusals: Refusals) -> None:
    """A target that only some of the clusters have is missing in the others, which are named once."""
    frontend = document("Frontend", "web", "default_backend: api")
    backend = document("Backend", "api", "{}", ", clusters: [us]")
    assert refusals(files(frontend, backend)) == [
        (
            "spec.default_backend: no backend `api` is declared for eu "
            "(declare it, or say that it is there: metadata.external: [backend/api]) haproxy/0.yaml:6:20"
        )
    ]


def test_a_certificate_for_other_clusters(refusals: Refusals) -> None:
    """The same for certificates."""
    site = document("Certificate", "site", "pem: {secret: file/x}", ", clusters: [eu]")
    frontend = document("Frontend", "web", "binds: {b: {address: '*', port: 443, ssl: true, ssl_certificate: site}}")
    (found,) = refusals(files(frontend, site))
    assert found.startswith("spec.binds.b.ssl_certificate: no certificate `site` is declared for us ")


def test_paths_of_certificates_are_left_alone(load: Load) -> None:
    """What holds a slash is a path on the instance, of a file that is not ours."""
    spec = "binds: {b: {address: '*', port: 443, ssl: true, ssl_certificate: /etc/ssl/x.pem}}"
    state = load(files(document("Frontend", "web", spec)))
    (section, *_) = (section for one in state.instances.values() for section in one.sections.values())
    assert section.body["binds"]["b"]["ssl_certificate"] == "/etc/ssl/x.pem"  # type: ignore[index, call-overload]


@pytest.mark.parametrize("name", ["%[req.hdr(host),lower]", "be_%[src]"])
def test_names_worked_out_for_each_request(load: Load, name: str) -> None:
    """A name that HAProxy works out itself refers to nothing that could be checked."""
    spec = f'backend_switching_rule_list: [{{name: "{name}"}}]'
    assert load(files(document("Frontend", "web", spec)))


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        (
            "acl_list: [{acl_name: a, criterion: http_auth_group(people), value: ops opps}]",
            "spec.acl_list.0.value: userlist `people` has no group `opps` (did you mean `ops`?) haproxy/0.yaml:6:71",
        ),
        (
            'acl_list: [{acl_name: a, criterion: http_auth_group(people), value: "-i -m str admins"}]',
            "spec.acl_list.0.value: userlist `people` has no group `admins` (known: devs, ops) haproxy/0.yaml:6:71",
        ),
        (
            'http_request_rule_list: [{type: deny, cond: unless, cond_test: "{ http_auth_group(people) ops dev }"}]',
            "cond_test: userlist `people` has no group `dev` (did you mean `devs`?) haproxy/0.yaml:6:66",
        ),
        (
            'backend_switching_rule_list: [{name: "%[x]", cond: if, cond_test: "!{ !http_auth_group(people) x }"}]',
            "cond_test: userlist `people` has no group `x`",
        ),
    ],
)
def test_groups(refusals: Refusals, spec: str, refusal: str) -> None:
    """A group that an ACL names must be one of the userlist: a name that matches nobody locks everybody out."""
    (found,) = refusals(files(document("Frontend", "web", spec), PEOPLE))
    assert refusal in found


@pytest.mark.parametrize(
    "spec",
    [
        "acl_list: [{acl_name: a, criterion: http_auth_group(people), value: ops devs}]",
        'acl_list: [{acl_name: a, criterion: http_auth_group(people), value: "-m reg ^o"}]',
        'acl_list: [{acl_name: a, criterion: http_auth_group(people), value: "-f /etc/groups"}]',
        'acl_list: [{acl_name: a, criterion: http_auth_group(people), value: "-m str -- devs"}]',
        'acl_list: [{acl_name: a, criterion: path, value: "http_auth_group"}]',
        'http_request_rule_list: [{type: deny, cond: if, cond_test: "{ http_auth_group(people) ops }"}]',
    ],
)
def test_groups_that_are_there_or_cannot_be_told(load: Load, spec: str) -> None:
    """Patterns and files are not names; what is a name and is there is fine."""
    assert load(files(document("Frontend", "web", spec), PEOPLE))


def test_groups_of_an_external_userlist(load: Load) -> None:
    """Of a userlist that git does not declare no group is known."""
    spec = "acl_list: [{acl_name: a, criterion: http_auth_group(people), value: who}]"
    assert load(files(document("Frontend", "web", spec, ", external: [userlist/people]")))


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        (
            "groups: {ops: {}}\n  users: {b: {password: {secret: env/X}, secure_password: false, groups: 'ops,oops'}}",
            "spec.users.b.groups: the userlist has no group `oops` (did you mean `ops`?) haproxy/0.yaml:7:74",
        ),
        ("groups: {ops: {users: bob}}", "spec.groups.ops.users: the userlist has no user `bob` haproxy/0.yaml:6:25"),
    ],
)
def test_members_of_a_userlist(refusals: Refusals, spec: str, refusal: str) -> None:
    """Users and groups of a userlist name each other."""
    assert refusals(files(document("Userlist", "people", spec))) == [refusal]


def test_use_server(refusals: Refusals, load: Load) -> None:
    """`use-server` names a server of its own backend, or one that a template makes."""
    rule = "server_switching_rule_list: [{target_server: %s, cond: if, cond_test: HTTP}]"
    rule += "\n  servers: {s1: {address: a}}"
    assert load(files(document("Backend", "web", rule % "s1")))
    template = "\n  server_templates: {srv: {num_or_range: 1-3, fqdn: a.b}}"
    assert load(files(document("Backend", "web", rule % "srv2" + template)))
    assert refusals(files(document("Backend", "web", rule % "s2"))) == [
        (
            "spec.server_switching_rule_list.0.target_server: the backend has no server `s2` (known: s1) "
            "haproxy/0.yaml:6:48"
        )
    ]


BIND = "binds: {b: {address: %s, port: %s%s}}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("127.0.0.1", "80", ""), ("127.0.0.1", "80", "")),
        (("'*'", "80", ""), ("0.0.0.0", "80", "")),  # noqa: S104  # text, bound by nobody
        (("'*'", "80", ""), ("''", "80", "")),
        (("'::1'", "80", ""), ("'[0:0:0:0:0:0:0:1]'", "80", "")),
        (("127.0.0.1", "80", ", port-range-end: 90"), ("127.0.0.1", "85", "")),
        (("127.0.0.1", '"${cluster.vars.backend_port}"', ""), ("127.0.0.1", "9100", "")),
    ],
)
def test_two_binds_on_one_address(refusals: Refusals, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    """Two sockets on one address and port would share its connections without a word."""
    one, two = (document("Frontend", name, BIND % bind) for name, bind in (("a", first), ("b", second)))
    found = refusals(files(one.replace("address: ''", "address: '*'"), two.replace("address: ''", "address: '*'")))
    assert len(found) == 1
    assert "is bound already, by frontend/a at haproxy/0.yaml:6:11 (give it another address or port)" in found[0]
    assert found[0].endswith("haproxy/1.yaml:6:11")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("127.0.0.1", "80", ""), ("127.0.0.1", "81", "")),
        (("127.0.0.1", "80", ""), ("127.0.0.2", "80", "")),
        (("127.0.0.1", "80", ", interface: eth0"), ("127.0.0.1", "80", ", interface: eth1")),
        (("127.0.0.1", "80", ", thread: 1-2"), ("127.0.0.1", "80", ", thread: 3-4")),
        (("127.0.0.1", "443", ""), ("quic4@127.0.0.1", "443", "")),
        (("127.0.0.1", '"${instance.vars.port}"', ""), ("127.0.0.1", "9100", "")),
    ],
)
def test_binds_beside_each_other(load: Load, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    """Other ports, addresses, interfaces, threads or protocols do not clash."""
    one, two = (document("Frontend", name, BIND % bind) for name, bind in (("a", first), ("b", second)))
    assert load(files(one, two))


def test_what_is_missing_cannot_be_told_while_a_document_cannot_be_read(refusals: Refusals) -> None:
    """One broken file does not make every reference to it a second problem."""
    frontend = document("Frontend", "web", "default_backend: api")
    found = refusals(files(frontend, document("Backend", "api", "mode: no")))
    assert [line.rsplit(" ", 1)[1] for line in found] == ["haproxy/1.yaml:6:9"]
    found = refusals(files(frontend, document("Backend", "api", "mode: htpp")))
    assert [line.rsplit(" ", 1)[1] for line in found] == ["haproxy/1.yaml:6:9"]


def test_what_counts_as_a_reference() -> None:
    """Every field that holds a name, and `http_auth` wherever a condition or format may stand, but not in prose."""
    body = {
        "name": "web",
        "from": "base",
        "description": "http_auth(nobody)",
        "default_backend": "a",
        "http_request_rule_list": [
            {"type": "return", "return_content": "use http_auth(nobody)"},
            {"type": "deny", "cond": "if", "cond_test": "{ http_auth(x) } or { http_auth_group(y) g1 g2 }"},
        ],
    }
    path = ("http_request_rule_list", 1, "cond_test")
    assert list(references.sections(SectionKind.FRONTEND, body)) == [
        SectionReference(SectionKind.DEFAULTS, "base", ("from",)),
        SectionReference(SectionKind.BACKEND, "a", ("default_backend",)),
        SectionReference(SectionKind.USERLIST, "x", path),
        SectionReference(SectionKind.USERLIST, "y", path),
    ]
    assert list(references.groups(body)) == [GroupReference("y", "g1", path), GroupReference("y", "g2", path)]


def test_two_instances_with_their_own_mistakes(refusals: Refusals) -> None:
    """What differs between instances is checked for each of them."""
    fleet = FLEET.replace("vars: {port: 8002}", "vars: {port: 9000}")
    one = document("Frontend", "a", 'binds: {b: {address: "*", port: "${instance.vars.port}"}}')
    two = document("Frontend", "b", 'binds: {b: {address: "*", port: 9000}}')
    (found,) = refusals({"haoam.yaml": fleet, **files(one, two)})
    assert found.startswith("spec.binds.b: *:9000 is bound already, by frontend/a")


@pytest.mark.parametrize(
    "test",
    ["{ sc0_http_req_rate gt 9 }", "{ sc_http_req_rate(0) gt 9 }", "{ sc_get_gpc(0,1) gt 9 }", "{ src_port() gt 9 }"],
)
def test_counters_without_a_table(load: Load, test: str) -> None:
    """Numbers in the parentheses of a counter name no table."""
    rule = f"http_request_rule_list: [{{type: deny, cond: if, cond_test: '{test}'}}]"
    assert load(files(document("Frontend", "web", rule)))

"""Documents of every kind that can be owned, within what HAProxy accepts."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Spec = dict[str, Any]
FOREIGN_DEFAULTS = "base"
"""Defaults that are on the instance already."""
Documents = Mapping[tuple[str, str], Spec]
"""Spec by kind and name."""

_WORD = string.ascii_letters + string.digits + "-_.:/"
_QUOTED = " " + _WORD + "()[]{}<>=,;!?*+~^|&@"
NAMES = st.text(string.ascii_lowercase + string.digits + "-_.", min_size=1, max_size=8).map(lambda text: f"n{text}")
_words = st.text(_WORD, min_size=1, max_size=12)
_values = _words | st.text(_QUOTED, min_size=1, max_size=16).map(lambda text: f'"{text}"')
_times = st.integers(1, 86_400_000)
_enabled = st.sampled_from(["enabled", "disabled"])
_header = st.sampled_from(["X-One", "X-Two", "Cache-Control", "host"])

_acls = st.lists(
    st.builds(
        lambda name, test: {"acl_name": name, **test},
        NAMES,
        st.sampled_from(
            [
                {"criterion": "path_beg", "value": "/api/ /static/"},
                {"criterion": "hdr(host)", "value": "-i example.test"},
                {"criterion": "src", "value": "10.0.0.0/8 192.0.2.1"},
                {"criterion": "method", "value": "GET HEAD"},
                {"criterion": "path_reg", "value": r"^/[a-z]+\.png$"},
                {"criterion": "always_true"},
            ]
        ),
    ),
    max_size=3,
)


def _conditions(acls: list[Spec]) -> st.SearchStrategy[Spec]:
    """Nothing, an anonymous condition, or one that names ACLs of the same proxy."""
    tests = ["{ path /x }", "!{ src 127.0.0.1 } or { hdr(a) -m found }", *(acl["acl_name"] for acl in acls)]
    tests += [f"!{acl['acl_name']}" for acl in acls]
    return st.none().map(lambda _: {}) | st.builds(
        lambda word, test: {"cond": word, "cond_test": test}, st.sampled_from(["if", "unless"]), st.sampled_from(tests)
    )


def _rules(actions: st.SearchStrategy[Spec], acls: list[Spec]) -> st.SearchStrategy[list[Spec]]:
    return st.lists(st.builds(lambda action, when: action | when, actions, _conditions(acls)), max_size=4)


_set_header = st.builds(
    lambda kind, name, value: {"type": kind, "hdr_name": name, "hdr_format": value},
    st.sampled_from(["set-header", "add-header"]),
    _header,
    _values,
)
_del_header = _header.map(lambda name: {"type": "del-header", "hdr_name": name})
_requests = (
    _set_header
    | _del_header
    | st.sampled_from([403, 405, 429]).map(lambda status: {"type": "deny", "deny_status": status})
    | st.builds(lambda path: {"type": "set-path", "path_fmt": f"/{path}"}, _words)
    | st.builds(
        lambda code: {"type": "redirect", "redir_type": "location", "redir_value": "/elsewhere", "redir_code": code},
        st.sampled_from([301, 302, 307]),
    )
)
_responses = _set_header | _del_header


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Spec]:
    return st.fixed_dictionaries({}, optional=fields)


_server = st.builds(
    lambda port, more: {"address": "127.0.0.1", "port": port, **more},
    st.integers(1, 65535),
    _optional(
        weight=st.integers(0, 256),
        check=_enabled,
        inter=_times,
        rise=st.integers(1, 9),
        fall=st.integers(1, 9),
        maxconn=st.integers(1, 9999),
        backup=_enabled,
        maintenance=_enabled,
        slowstart=_times,
    ),
)
_balances = st.sampled_from(
    [
        {"algorithm": "roundrobin"},
        {"algorithm": "leastconn"},
        {"algorithm": "source"},
        {"algorithm": "random"},
        {"algorithm": "uri", "uri_len": 7},
        {"algorithm": "hdr", "hdr_name": "Host"},
        {"algorithm": "url_param", "url_param": "id"},
    ]
)


@st.composite
def backends(draw: st.DrawFn) -> Spec:
    """A backend of mode http."""
    acls = draw(_acls)
    spec: Spec = {
        "mode": "http",
        "servers": draw(st.dictionaries(NAMES, _server, max_size=4)),
        "acl_list": acls,
        "http_request_rule_list": draw(_rules(_requests, acls)),
        "http_response_rule_list": draw(_rules(_responses, [])),
        **draw(
            _optional(
                balance=_balances,
                server_timeout=_times,
                connect_timeout=_times,
                queue_timeout=_times,
                retries=st.integers(0, 9),
                forwardfor=st.just({"enabled": "enabled"}),
                redispatch=st.just({"enabled": "enabled"}),
                default_server=_optional(inter=_times, rise=st.integers(1, 9), fall=st.integers(1, 9)),
                cookie=st.builds(
                    lambda name, more: {"name": name, "type": "insert", **more},
                    NAMES,
                    _optional(indirect=st.just(True), nocache=st.just(True), httponly=st.just(True)),
                ),
            )
        ),
        **draw(
            st.sampled_from(
                [
                    {},
                    {"adv_check": "httpchk", "httpchk_params": {"method": "GET", "uri": "/health"}},
                    {"adv_check": "tcp-check"},
                ]
            )
        ),
    }
    return _without_empty(spec)


@st.composite
def frontends(draw: st.DrawFn, names: list[str], port: int) -> Spec:
    """A frontend on a port that nobody else has, in front of backends of these names."""
    acls = draw(_acls)
    targets = st.sampled_from(names) if names else st.nothing()
    switching = st.lists(st.builds(lambda name, when: {"name": name} | when, targets, _conditions(acls)), max_size=3)
    spec: Spec = {
        "mode": "http",
        "binds": {draw(NAMES): {"address": "127.0.0.1", "port": port}},
        "acl_list": acls,
        "http_request_rule_list": draw(_rules(_requests, acls)),
        "http_response_rule_list": draw(_rules(_responses, [])),
        **draw(_optional(maxconn=st.integers(1, 5000), client_timeout=_times, httplog=st.just(True))),
    }
    if names:
        spec["backend_switching_rule_list"] = draw(switching)
        spec |= draw(_optional(default_backend=targets))
    return _without_empty(spec)


DEFAULTS = _optional(
    mode=st.just("http"),
    connect_timeout=_times,
    client_timeout=_times,
    server_timeout=_times,
    http_request_timeout=_times,
    http_keep_alive_timeout=_times,
    retries=st.integers(0, 9),
    maxconn=st.integers(1, 9999),
    dontlognull=st.just("enabled"),
    http_connection_mode=st.sampled_from(["http-keep-alive", "httpclose", "http-server-close"]),
)
USERLISTS = st.builds(
    lambda groups, users: _without_empty(
        {
            "groups": {group: {} for group in groups},
            "users": {
                user: {"password": {"secret": "env/ANY"}, "secure_password": False}
                | ({"groups": ",".join(sorted(groups))} if groups and member else {})
                for user, member in users.items()
            },
        }
    ),
    st.sets(NAMES, max_size=2),
    st.dictionaries(NAMES, st.booleans(), min_size=1, max_size=3),
)


@st.composite
def documents(draw: st.DrawFn, ports: list[int]) -> Documents:
    """What a repository might hold for one instance: everything may come, change and go."""
    found: dict[tuple[str, str], Spec] = {}
    defaults = draw(st.dictionaries(NAMES, DEFAULTS, max_size=2))
    sections = {("Backend", name): spec for name, spec in draw(st.dictionaries(NAMES, backends(), max_size=3)).items()}
    names = [name for _, name in sections]
    for port in ports[: draw(st.integers(0, len(ports)))]:
        sections["Frontend", f"f{port}"] = draw(frontends(names, port))
    # A proxy without `from` follows whatever defaults stand last before it: what that is, git alone does not say.
    known = st.sampled_from([FOREIGN_DEFAULTS, *sorted(defaults)])
    sections = {identity: {"from": draw(known), **spec} for identity, spec in sections.items()}
    found |= {("Defaults", name): spec for name, spec in defaults.items()}
    found |= {("Userlist", name): spec for name, spec in draw(st.dictionaries(NAMES, USERLISTS, max_size=1)).items()}
    return found | sections


def _without_empty(spec: Spec) -> Spec:
    return {key: value for key, value in spec.items() if value not in ([], {})}

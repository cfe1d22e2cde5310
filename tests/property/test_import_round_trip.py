"""What an import writes means what it read, for any section and any text in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from haoam_sync import desired, documents
from haoam_sync.haproxycfg import canonical, render
from haoam_sync.importing import Choice, fleet_document, read, tree
from haoam_sync.importing.emitting import block
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionId, SectionKind

_shown = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")).filter(
    lambda letter: not "\U000e0000" <= letter <= "\U000e0fff"
)
_values = st.recursive(
    st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.text(_shown, max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(_shown, max_size=8), inner, max_size=3),
    max_leaves=12,
)
_remarks = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=10), max_size=2)


@given(st.dictionaries(st.text(_shown, max_size=8), _values, min_size=1, max_size=4), st.data())
def test_documents_read_back_as_they_were_written(value: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands in a document, and wherever comments stand in it, the strict reader reads the same value."""
    places = [(key,) for key in value] + [
        (k, i) for k, v in value.items() if isinstance(v, list) for i in range(len(v))
    ]
    remarks = {place: data.draw(_remarks) for place in places}
    text = "".join(f"{line}\n" for line in block(value, 0, remarks))
    (document,) = documents.load(text.encode(), "x.yaml")
    assert document.value == value
    assert _order(document.value) == _order(value)


def _order(value: Any) -> Any:
    return [(key, _order(item)) for key, item in value.items()] if isinstance(value, dict) else None


_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,8}", fullmatch=True)
_quoted = st.text("ab #:{}[]%,-é'", max_size=12).map(lambda text: f'"{text}x"')
_times = st.integers(1, 4_000_000)
_conditions = st.sampled_from(["{ path /x }", "!{ ssl_fc } || { src 10.0.0.0/8 }", "is_ws"])


def _some(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({key: st.just(value) for key, value in required.items()}, optional=optional)


def _when(rule: dict[str, Any], condition: str | None) -> dict[str, Any]:
    return rule if condition is None else {**rule, "cond": "if", "cond_test": condition}


_rules = st.lists(
    st.builds(
        _when,
        st.builds(lambda n, f: {"type": "set-header", "hdr_name": n, "hdr_format": f}, _names, _quoted)
        | st.builds(lambda n: {"type": "del-header", "hdr_name": n}, _names)
        | st.builds(lambda s: {"type": "deny", "deny_status": s}, st.sampled_from([403, 429])),
        st.none() | _conditions,
    ),
    min_size=1,
    max_size=4,
)
_acls = st.lists(
    st.builds(
        lambda n, v: {"acl_name": n, "criterion": "hdr(x)", "value": v}, _names, st.sampled_from(["-i a b", '"a # b"'])
    ),
    min_size=1,
    max_size=3,
)
_server = _some(
    {"address": "10.0.0.1"},
    port=st.integers(1, 65535),
    check=st.just("enabled"),
    backup=st.just("enabled"),
    weight=st.integers(0, 256),
    maxconn=st.integers(1, 9999),
    inter=_times,
    cookie=_names,
)
_backends = _some(
    {"mode": "http"},
    balance=st.sampled_from([{"algorithm": "roundrobin"}, {"algorithm": "source"}, {"algorithm": "leastconn"}]),
    servers=st.dictionaries(_names, _server, min_size=1, max_size=4),
    http_request_rule_list=_rules,
    acl_list=_acls,
    server_timeout=_times,
    queue_timeout=_times,
    retries=st.integers(1, 9),
    redispatch=st.just({"enabled": "enabled"}),
    forwardfor=st.just({"enabled": "enabled", "except": "127.0.0.0/8"}),
    stick_table=st.just({"type": "ip", "size": 1048576, "expire": 60000, "store": "conn_cur,http_req_rate(10s)"}),
)
_frontends = _some(
    {"mode": "http"},
    binds=st.dictionaries(
        _names, _some({"address": "127.0.0.1"}, ssl=st.just(value=True), alpn=st.just("h2,http/1.1")), max_size=3
    ),
    http_request_rule_list=_rules,
    http_response_rule_list=st.builds(
        lambda n, f: [{"type": "set-header", "hdr_name": n, "hdr_format": f}], _names, _quoted
    ),
    acl_list=_acls,
    client_timeout=_times,
    maxconn=st.integers(1, 9999),
    log_format=_quoted,
    httplog=st.just(value=True),
)


def _named(kind: SectionKind, name: str, body: dict[str, Any]) -> tuple[SectionId, JsonObject]:
    """A whole section, in canonical form."""
    children = {
        field: {key: {**child, "name": key} for key, child in body[field].items()}
        for field in ("servers", "binds")
        if field in body
    }
    if "binds" in children:
        for place, bind in enumerate(children["binds"].values()):
            bind["port"] = 7000 + place
    return SectionId(kind, name), canonical(kind, {**body, **children, "name": name}, NEWEST)


_sections = st.builds(_named, st.just(SectionKind.BACKEND), _names, _backends) | st.builds(
    _named, st.just(SectionKind.FRONTEND), _names, _frontends
)


@settings(max_examples=150, deadline=None)
@given(_sections)
def test_import_of_what_was_rendered(section: tuple[SectionId, JsonObject]) -> None:
    """import(render(x)) is x: nothing stays foreign, and the document that is written loads as x again."""
    identity, body = section
    text = render(identity.kind, body, NEWEST)
    reading = read(f"{text}\n", NEWEST, Choice())
    assert reading.foreign == ()
    (candidate,) = reading.candidates
    assert candidate.body == body
    written = tree(reading.candidates, "eu", lambda _kind, _body: ())
    fleet = fleet_document("eu", "lb1", "http://127.0.0.1:5555/v3", "admin", "PASSWORD", "").encode()
    loaded = desired.load("c" * 40, {**written.files, "haoam.yaml": fleet}, None)
    (instance,) = loaded.instances.values()
    assert canonical(identity.kind, instance.sections[identity].body, NEWEST) == body

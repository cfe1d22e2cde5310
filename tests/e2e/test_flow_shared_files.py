"""Two fleets, each with its own repository and people, share one HAProxy and use files of the same name and content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flow_certificate import self_signed, serial_number
from flow_edge import GOOD, Edge, edge
from test_flow_files import ask, eventually, served, stored

pytestmark = pytest.mark.e2e

_HOSTS = """\
apiVersion: haoam/v1
kind: Map
metadata: {name: hosts}
spec: {entries: {good.example: nobody}}
"""
_LIMITS = "{delete_frontends: true, changed_percent: 100, deleted_percent: 100}"
_STAYS = """\
apiVersion: haoam/v1
kind: Backend
metadata: {name: stays, external: [defaults/base]}
spec: {from: base, mode: http}
"""
_SECTIONS = """\
apiVersion: haoam/v1
kind: Frontend
metadata: {name: NAME, external: [defaults/base]}
spec:
  from: base
  mode: http
  client_timeout: 1000
  binds: {http: {address: 127.0.0.1, port: PORT}}
  http_request_rule_list:
    - {type: return, return_status_code: 200, return_content_type: text/plain, return_content: NAME,
       return_content_format: string, cond: if, cond_test: '{ req.hdr(host),map(hosts) nobody }'}
    - {type: deny, deny_status: 403}
"""
_TLS = """\
apiVersion: haoam/v1
kind: Certificate
metadata: {name: one}
spec: {pem: {secret: file/site.pem}}
---
apiVersion: haoam/v1
kind: CrtList
metadata: {name: edge}
spec: {entries: [{certificate: one, options: "alpn ALPN"}]}
---
apiVersion: haoam/v1
kind: Frontend
metadata: {name: NAME, external: [defaults/base]}
spec:
  from: base
  mode: http
  client_timeout: 1000
  binds: {https: {address: 127.0.0.1, port: PORT, ssl: true, crt_list: edge}}
  http_request_rule_list: [{type: deny, deny_status: 403}]
"""


@pytest.fixture
def fleets(tmp_path: Path, people: Mapping[str, Path]) -> Iterator[tuple[Edge, Edge]]:
    """The first has sections of its own already; nothing of the second is applied."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with edge(tmp_path / "one", people, "eu/lb1", limits=_LIMITS) as first:
        first.review()
        first.must(0, "apply", first.plan_digest())
        second = Edge(
            tmp_path / "two",
            people,
            first.nodes,
            first.origins,
            f"{_LIMITS}  # another repository, even when both begin in one second",
        )
        second.write({**dict.fromkeys(GOOD), "haproxy/stays.yaml": _STAYS})
        yield first, second


def _sections(name: str, port: int) -> str:
    return _SECTIONS.replace("NAME", name).replace("PORT", str(port))


def _apply(fleet: Edge, digest: str) -> dict[str, list[str]]:
    outcome = fleet.must(0, "apply", digest, "--output", "json").json["instances"][0]
    return {key: outcome[key] for key in ("created", "updated", "deleted")}


def test_the_owner_leaves_a_file_to_whoever_uses_it(fleets: tuple[Edge, Edge]) -> None:
    """What one fleet stored and another one uses stays until that one stops, and is deleted by who stored it."""
    first, second = fleets
    node = first.node
    done = _apply(first, first.land({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("one", node.tls_port)}))
    (file,) = stored(node, "maps")
    assert f"maps/{file}" in done["created"]
    done = _apply(second, second.land({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("two", node.other_port)}))
    assert f"maps/{file}" not in done["created"]

    first.must(0, "plan")
    done = _apply(first, first.land({"haproxy/x.yaml": None}))
    assert done["deleted"] == ["frontend/one"]
    assert "frontend two may use it" in first.must(0, "plan").out
    eventually(node, (200, "two"), host="good.example", port=node.other_port)  # by a worker that read the file anew
    assert ask(node, host="bad.example", port=node.other_port)[0] == 403

    done = _apply(second, second.land({"haproxy/x.yaml": None}))
    assert done["deleted"] == ["frontend/two"]
    assert list(stored(node, "maps")) == [file]
    second.must(0, "plan")
    done = _apply(first, first.plan_digest())
    assert done == {"created": [], "updated": [], "deleted": [f"maps/{file}"]}
    assert stored(node, "maps") == {}


def test_a_user_takes_nothing_from_the_owner(fleets: tuple[Edge, Edge]) -> None:
    """A fleet that found a file there stops to use it: nothing is deleted, and the owner's traffic goes on."""
    first, second = fleets
    node = first.node
    _apply(first, first.land({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("one", node.tls_port)}))
    (file,) = stored(node, "maps")
    _apply(second, second.land({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("two", node.other_port)}))
    done = _apply(second, second.land({"haproxy/x.yaml": None}))
    assert done["deleted"] == ["frontend/two"]
    assert list(stored(node, "maps")) == [file]
    eventually(node, (200, "one"), host="good.example", port=node.tls_port)
    first.must(0, "plan")
    first.must(0, "drift", "--output", "json")


def test_a_certificate_that_only_a_crt_list_of_others_names(fleets: tuple[Edge, Edge]) -> None:
    """No line of haproxy.cfg names it, so the server would let it go, and the next reload would fail: it is kept."""
    first, second = fleets
    node = first.node
    certificate, key = self_signed("one")
    for fleet in fleets:
        (fleet.files / "site.pem").write_bytes(certificate + key)
    text = _TLS.replace("NAME", "one").replace("PORT", str(node.tls_port))
    done = _apply(first, first.land({"haproxy/x.yaml": text.replace("ALPN", "h2")}))
    (name,) = stored(node, "ssl")
    assert f"certificate/{name}" in done["created"]
    text = _TLS.replace("NAME", "two").replace("PORT", str(node.other_port))
    _apply(second, second.land({"haproxy/x.yaml": text.replace("ALPN", "http/1.1")}))

    done = _apply(first, first.land({"haproxy/x.yaml": None}))
    assert [one for one in done["deleted"] if one.startswith("certificate")] == []
    assert list(stored(node, "ssl")) == [name]
    _apply(second, second.land({"haproxy/y.yaml": _sections("three", node.tls_port) + "---\n" + _HOSTS}))
    assert served(node, "one.example", port=node.other_port)[0] == serial_number(certificate)

    done = _apply(second, second.land({"haproxy/x.yaml": None}))
    assert name in stored(node, "ssl")
    assert _apply(first, first.plan_digest())["deleted"] == [f"certificate/{name}"]


def test_another_file_under_our_name_is_refused(fleets: tuple[Edge, Edge]) -> None:
    """A content that another fleet put under the name of ours is neither used nor overwritten."""
    first, second = fleets
    node = first.node
    _apply(first, first.land({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("one", node.tls_port)}))
    ((file, text),) = stored(node, "maps").items()
    (node.lab.directory / "maps" / file).write_text("evil.example nobody\n")
    second.write({"haproxy/x.yaml": _HOSTS + "---\n" + _sections("two", node.other_port)})
    second.commit()
    second.review()
    node.gate.forget()
    refused = second.must(5, "plan", "--output", "json")
    assert refused.json["code"] == "E_FILE_TAKEN"
    assert second.must(5, "apply", f"sha256:{'0' * 64}", "--output", "json").json["code"] == "E_FILE_TAKEN"
    assert node.gate.writes == []
    assert stored(node, "maps") == {file: "evil.example nobody\n"}
    _apply(first, first.plan_digest())  # the control: who stored it repairs it
    assert stored(node, "maps") == {file: text}
    _apply(second, second.plan_digest())

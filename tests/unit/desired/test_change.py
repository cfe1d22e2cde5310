"""The change of a commit, and its digest: what reviewers sign."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from desired_commits import BACKEND, FLEET, Files, blobs
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync import desired, haproxycfg
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject, canonical_json
from haoam_sync.model.secret import SecretUse

ONE = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec:
  clusters:
    eu:
      instances:
        eu-1: {url: "https://10.0.0.1:5555/v3", user: admin, password: {secret: env/EU}}
"""
USERS = """\
apiVersion: haoam/v1
kind: Userlist
metadata: {name: people}
spec:
  users: {bob: {password: {secret: 'file/odd"name#1'}, secure_password: false}}
"""
SITE = """\
---
apiVersion: haoam/v1
kind: Certificate
metadata: {name: site}
spec: {pem: {secret: file/site.pem}}
---
apiVersion: haoam/v1
kind: Frontend
metadata: {name: web}
spec:
  binds: {https: {address: 127.0.0.1, port: 443, ssl: true, ssl_certificate: site}}
"""
PEM = (
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----"
)


def state(files: Files, commit: str = "c") -> Desired:
    """A desired state, secrets not resolved."""
    return desired.load(commit, blobs({"haoam.yaml": ONE, **files}), None)


def nothing() -> JsonObject:
    """The change that is none."""
    return {"haoam_change": 1, "codec": haproxycfg.CODEC_VERSION, "fleet": {}, "instances": {}}


def test_the_first_commit() -> None:
    """Without a base everything is new."""
    assert desired.change(None, state({"haproxy/web.yaml": BACKEND})) == {
        "haoam_change": 1,
        "codec": haproxycfg.CODEC_VERSION,
        "fleet": {
            "name": {"before": None, "after": "edge"},
            "management_networks": {"before": None, "after": []},
            "limits": {
                "before": None,
                "after": {
                    "changed_percent": 50,
                    "deleted_percent": 20,
                    "from_sections": 10,
                    "capacity_left_percent": 50,
                    "delete_frontends": False,
                },
            },
            "clusters": {
                "eu": {
                    "before": None,
                    "after": {
                        "labels": {},
                        "vars": {},
                        "wave": 1,
                        "instances": [
                            {
                                "name": "eu-1",
                                "url": "https://10.0.0.1:5555/v3",
                                "user": "admin",
                                "password": {"secret": "env/EU"},
                                "ca": None,
                                "vars": {},
                            }
                        ],
                    },
                }
            },
        },
        "instances": {
            "eu/eu-1": {
                "sections": {
                    "backend/web": {
                        "before": None,
                        "after": {"spec": {"name": "web", "mode": "http"}, "protected": False, "ignore": []},
                    }
                }
            }
        },
    }


def test_an_update() -> None:
    """Of a section that changes both canonical forms are there, and nothing of what stays."""
    base = state({"haproxy/web.yaml": BACKEND, "haproxy/api.yaml": BACKEND.replace("web", "api")})
    head = state({"haproxy/web.yaml": f"{BACKEND}  retries: 3\n", "haproxy/api.yaml": BACKEND.replace("web", "api")})
    before = {"spec": {"name": "web", "mode": "http"}, "protected": False, "ignore": []}
    after = {**before, "spec": {"name": "web", "mode": "http", "retries": 3}}
    assert desired.change(base, head) == {
        **nothing(),
        "instances": {"eu/eu-1": {"sections": {"backend/web": {"before": before, "after": after}}}},
    }
    assert desired.change(head, base)["instances"] == {
        "eu/eu-1": {"sections": {"backend/web": {"before": after, "after": before}}}
    }


def test_a_deletion() -> None:
    """A section that goes away has no after."""
    found = desired.change(state({"haproxy/web.yaml": BACKEND}), state({}))
    assert found["instances"]["eu/eu-1"]["sections"]["backend/web"]["after"] is None  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "same",
    [
        {"haproxy/other/place.yaml": BACKEND},
        {"haproxy/web.yaml": f"# a comment\n---\n{BACKEND}# another\n"},
        {"haproxy/web.yaml": BACKEND.replace("mode: http", '"mode": "http"')},
        {"haproxy/web.yaml": BACKEND.replace("  name: web", "  name: web\n  clusters: [eu]")},
        {"haproxy/web.yaml": f"{BACKEND}  servers: {{}}\n  disabled: false\n"},
        {"haproxy/web.yaml": BACKEND, "README.md": "x", "docs/x.yaml": "a: ["},
    ],
)
def test_what_changes_nothing(same: dict[str, str]) -> None:
    """File names, comments, quotes, selectors that select the same, and what has no text change nothing."""
    base, head = state({"haproxy/web.yaml": BACKEND}), state(same, commit="another")
    assert desired.change(base, head) == nothing()


@pytest.mark.parametrize(
    ("metadata", "value"),
    [
        ("protected: true", {"protected": True, "ignore": []}),
        ("ignore: [servers.*.weight, balance]", {"protected": False, "ignore": ["balance", "servers.*.weight"]}),
    ],
)
def test_protection_and_ignored_fields_are_part_of_it(metadata: str, value: JsonObject) -> None:
    """Who takes a protection away does something that must be reviewed."""
    head = state({"haproxy/web.yaml": BACKEND.replace("  name: web", f"  name: web\n  {metadata}")})
    found = desired.change(state({"haproxy/web.yaml": BACKEND}), head)
    sections = found["instances"]["eu/eu-1"]["sections"]["backend/web"]  # type: ignore[index, call-overload]
    assert sections["after"] == {"spec": {"name": "web", "mode": "http"}, **value}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("10.0.0.1", "10.0.0.2", "clusters"),
        ("user: admin", "user: other", "clusters"),
        ("env/EU", "env/OTHER", "clusters"),
        ("      instances:", "      labels: {env: prod}\n      instances:", "clusters"),
        ("      instances:", "      wave: 2\n      instances:", "clusters"),
        ("      instances:", "      vars: {unused: 1}\n      instances:", "clusters"),
        ("name: edge", "name: other", "name"),
        ("  clusters:", "  limits: {deleted_percent: 100}\n  clusters:", "limits"),
        ("  clusters:", "  management_networks: [10.0.0.0/8]\n  clusters:", "management_networks"),
    ],
)
def test_the_fleet_is_part_of_it(old: str, new: str, where: str) -> None:
    """Where instances are, how to log in, labels, waves and limits are reviewed like everything else."""
    found = desired.change(state({}), state({"haoam.yaml": ONE.replace(old, new, 1)}))
    assert list(found["fleet"]) == [where]  # type: ignore[arg-type]
    assert found["instances"] == {}


def test_secrets_are_references() -> None:
    """A secret is its reference, whatever characters it holds, and the digest is the same once it is resolved."""
    files = {"haproxy/u.yaml": USERS, "haproxy/s.yaml": SITE}
    unresolved = state(files)

    def reveal(use: SecretUse) -> str:
        return PEM if use.kind == "Certificate" else "hunter2"

    resolved = desired.load("c", blobs({"haoam.yaml": ONE, **files}), reveal)
    found = desired.change(None, unresolved)
    assert found == desired.change(None, resolved)
    assert desired.change(unresolved, resolved) == nothing()
    parts = found["instances"]["eu/eu-1"]  # type: ignore[index, call-overload]
    users = parts["sections"]["userlist/people"]["after"]["spec"]["users"]
    assert users["bob"]["password"] == {"secret": 'file/odd"name#1'}
    bind = parts["sections"]["frontend/web"]["after"]["spec"]["binds"]["https"]
    assert bind["ssl_certificate"] == "@ssl_certs_dir/site"
    assert parts["certificates"] == {"site": {"before": None, "after": {"secret": "file/site.pem", "chain": None}}}
    assert "hunter2" not in str(found)
    assert "BBBB" not in str(found)


def test_a_chain_in_git_is_part_of_it() -> None:
    """A renewed chain changes the certificate, though its key's reference stays."""

    def with_chain(body: str) -> Desired:
        chain = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        text = SITE.replace("{pem: {secret: file/site.pem}}", "{chain_file: certs/s.pem, key: {secret: env/K}}")
        return state({"haproxy/s.yaml": text, "certs/s.pem": chain})

    found = desired.change(with_chain("AAAA"), with_chain("BBBB"))
    certificates = found["instances"]["eu/eu-1"]["certificates"]  # type: ignore[index, call-overload]
    assert certificates["site"]["before"]["secret"] == certificates["site"]["after"]["secret"] == "env/K"
    assert certificates["site"]["before"]["chain"] != certificates["site"]["after"]["chain"]
    assert "sections" not in found["instances"]["eu/eu-1"]  # type: ignore[index, call-overload]


def test_adopting_a_certificate_of_the_instance() -> None:
    """The same name in a bind means another file once git declares it."""
    frontend = SITE.split("---\n")[2].replace("{name: web}", "{name: web, external: [certificate/site]}")
    found = desired.change(state({"haproxy/f.yaml": frontend}), state({"haproxy/s.yaml": SITE}))
    assert set(found["instances"]["eu/eu-1"]) == {"sections", "certificates"}  # type: ignore[index, call-overload, arg-type]


def test_each_instance_has_its_own_values() -> None:
    """What variables make of a document is what is reviewed."""
    text = f'{BACKEND}  description: "${{instance.name}}"\n'
    found = desired.change(None, desired.load("c", blobs({"haoam.yaml": FLEET, "haproxy/web.yaml": text}), None))
    described = {
        name: parts["sections"]["backend/web"]["after"]["spec"]["description"]  # type: ignore[index, call-overload]
        for name, parts in found["instances"].items()  # type: ignore[union-attr]
    }
    assert described == {"eu/eu-1": "eu-1", "eu/eu-2": "eu-2", "us/us-1": "us-1"}


def test_the_digest_is_that_of_the_canonical_json() -> None:
    """SHA-256 of the RFC 8785 form, also of a change that is none."""
    head = state({"haproxy/web.yaml": BACKEND})
    canonical = rfc8785.dumps(desired.change(None, head))  # type: ignore[arg-type]
    assert desired.change_digest(None, head) == f"sha256:{hashlib.sha256(canonical).hexdigest()}"
    assert canonical.startswith(b'{"codec":"')
    empty = rfc8785.dumps(nothing())  # type: ignore[arg-type]
    assert desired.change_digest(head, head) == f"sha256:{hashlib.sha256(empty).hexdigest()}"


def test_the_page_and_the_code_say_the_same() -> None:
    """docs/formats.md gives two commits, their change, and its digest: computed again, byte for byte."""
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()

    def vector(name: str) -> str:
        (found,) = re.findall(rf"<!-- vector: {name} -->\n```\w+\n(.*?)\n```", page, re.DOTALL)
        return str(found)

    base, head = (
        state({"haoam.yaml": vector("change fleet"), "haproxy/a.yaml": vector(name)})
        for name in ("change base", "change head")
    )
    assert canonical_json(desired.change(base, head)).decode() == vector("change")
    assert desired.change_digest(base, head) == vector("change digest")


def test_commit_ids_are_not_part_of_it() -> None:
    """A squash of the same change has the same digest."""
    files = {"haproxy/web.yaml": BACKEND}
    assert desired.change_digest(None, state(files, "a")) == desired.change_digest(None, state(files, "b"))
    one = state(files)
    assert desired.change_digest(one, replace(one, commit="other")) == desired.change_digest(one, one)


_RETRIES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 3), max_size=3)


def _backends(values: Mapping[str, int]) -> Desired:
    files = {
        f"haproxy/{name}.yaml": f"{BACKEND.replace('web', name)}  retries: {count}\n" for name, count in values.items()
    }
    return state(files)


@given(_RETRIES, _RETRIES)
def test_a_change_is_exactly_what_differs(before: dict[str, int], after: dict[str, int]) -> None:
    """A section is in the change when, and only when, it differs; the way back is the mirror image."""
    base, head = _backends(before), _backends(after)
    found = desired.change(base, head)
    differing = {f"backend/{name}" for name in {*before, *after} if before.get(name) != after.get(name)}
    sections = found["instances"].get("eu/eu-1", {}).get("sections", {})  # type: ignore[union-attr]
    assert set(sections) == differing
    back = desired.change(head, base)["instances"].get("eu/eu-1", {}).get("sections", {})  # type: ignore[union-attr]
    assert back == {key: {"before": d["after"], "after": d["before"]} for key, d in sections.items()}
    assert (desired.change_digest(base, head) == desired.change_digest(head, base)) == (not differing)


def test_instances_that_come_and_go() -> None:
    """An instance that is new has everything to gain, one that is gone everything to lose."""
    two = ONE + '        eu-2: {url: "https://10.0.0.2:5555/v3", user: admin, password: {secret: env/EU}}\n'
    base, head = state({"haproxy/w.yaml": BACKEND}), state({"haoam.yaml": two, "haproxy/w.yaml": BACKEND})
    assert InstanceId("eu", "eu-2") in head.instances
    assert list(desired.change(base, head)["instances"]) == ["eu/eu-2"]  # type: ignore[arg-type]
    sections = desired.change(head, base)["instances"]["eu/eu-2"]["sections"]  # type: ignore[index, call-overload]
    assert sections["backend/web"]["after"] is None

"""Reviewed commits that would lock the reconciler out of the API that it writes to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from apply_lab import LabInstance, lab
from flow_attack import PASSWORD, Site, document
from flow_gate import Gate
from trust_world import policy_document

pytestmark = pytest.mark.e2e

CONFIG = f"""\
global
  master-worker
  stats socket ${{DIR}}/admin.sock mode 600 level admin expose-fd listeners

defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password {PASSWORD}
"""
_ALLOWED = """\
    - {reference: "env/*", kinds: [Userlist], fields: [users.*.password], clusters: [eu]}
"""
OTHER = "Another+password"


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[tuple[Site, LabInstance]]:
    """A host that may resolve passwords of userlists, and an instance whose API's users stand in haproxy.cfg."""
    path = Path(tempfile.mkdtemp(prefix="haoam-"))
    with lab(path, CONFIG) as instance, Gate(instance.url) as gate:
        site = Site(tmp_path, keys, policy_document(publics), gate=gate)
        site.secrets = {"OTHER_PASSWORD": OTHER, "SAME_PASSWORD": PASSWORD}
        site.allowed = _ALLOWED
        site.write_root()
        yield site, instance
    shutil.rmtree(path, ignore_errors=True)


def _controller(site: Site, reference: str, base: str) -> str:
    """The API's own userlist, declared by alice and reviewed by bob."""
    user = {"password": {"secret": reference}, "secure_password": False}
    file = document("Userlist", "controller", {"users": {"admin": user}})
    head = site.move(site.commit({**site.files, "haproxy/users.yaml": file}, [base]))
    site.review("bob", base, head)
    return head


@pytest.mark.attack("E_LIMIT_ACCESS")
def test_the_password_of_the_reconciler_is_changed(site: tuple[Site, LabInstance]) -> None:
    """A reviewed password that the reconciler does not log in with is not written; its own is, before and after."""
    world, instance = site
    first = _controller(world, "env/SAME_PASSWORD", world.introduction)
    world.must(0, "apply", world.must(2, "plan", "--output", "json").json["plan_digest"])
    changed = _controller(world, "env/OTHER_PASSWORD", first)
    digest = world.must(2, "plan", "--output", "json").json["plan_digest"]
    world.gate.forget()
    ran = world.must(6, "apply", digest)
    assert ran.err.startswith("E_LIMIT_ACCESS: ")
    assert "userlist/controller" in ran.err
    assert "admin" in ran.err
    assert not {PASSWORD, OTHER} & set(ran.said.split())
    assert (world.gate.connections > 0, world.gate.writes) == (True, [])
    assert f"password {PASSWORD}" in instance.file
    _controller(world, "env/SAME_PASSWORD", changed)
    world.must(0, "apply", world.must(0, "plan", "--output", "json").json["plan_digest"])

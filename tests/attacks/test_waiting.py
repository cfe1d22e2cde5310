"""What happens while an apply waits for its lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from flow_attack import ANY_DIGEST, Site
from trust_world import closed_api, policy_document

from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings
from haoam_sync.state import StateDirectory


@pytest.fixture
def site(tmp_path: Path, keys: Mapping[str, Path], publics: Mapping[str, str]) -> Iterator[Site]:
    """A host whose only instance answers nothing, and counts who tries."""
    with closed_api() as gate:
        yield Site(tmp_path, keys, policy_document(publics), gate=gate)


@pytest.mark.attack("E_STATE_ROLLBACK")
@pytest.mark.parametrize("late", [False, True])
def test_another_run_accepts_more_while_this_one_waits(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    late: bool,  # noqa: FBT001  # pytest's parametrize
) -> None:
    """The older commit was verified before the wait: it is not planned or applied over the newer one; alone it is."""
    first = site.move(site.commit(site.with_timeout(2), [site.introduction]))
    site.review("bob", site.introduction, first)
    second = site.commit(site.with_timeout(3), [first])
    _accept(site)
    lock = StateDirectory.locked

    @contextmanager
    def waiting(state: StateDirectory, cluster: str) -> Iterator[None]:
        with lock(state, cluster):
            if late:
                site.move(second)
                site.review("bob", first, second)
                _accept(site)
            yield

    monkeypatch.setattr(StateDirectory, "locked", waiting)
    site.gate.forget()
    ran = site.cli("apply", ANY_DIGEST, first)
    if late:
        assert (ran.code, ran.err.partition(":")[0]) == (4, "E_STATE_ROLLBACK"), ran.said
        assert f"{second} was accepted here meanwhile" in ran.err
    else:
        assert ran.code == 7, ran.said
    assert (site.gate.connections > 0) is not late


def _accept(site: Site) -> None:
    place = Settings(str(site.source), site.place / "root.yaml", site.host, site.place / "audit", "host")
    with opened(place) as here:
        here.memory.store(here.verify(""))

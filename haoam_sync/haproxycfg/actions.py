"""Lines whose first argument decides what follows: `http-request ACTION ...`, `filter NAME ...`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from haoam_sync.haproxycfg.arguments import Arguments
from haoam_sync.haproxycfg.parts import Part
from haoam_sync.haproxycfg.words import Obj


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a rule.

    Attributes:
        name: value of the deciding JSON field, and the word in the text.
        arguments: what follows.
        call: JSON fields inside parentheses behind the word: `do-resolve(var_name,resolvers,protocol)`. Trailing ones
            may be missing.
        filler: what stands inside the parentheses for a missing one.
        places: how many fields inside the parentheses are written even when they are missing.
        counters: JSON fields inside parentheses that are numbers: `sc-inc-gpc(sc_idx,sc_id)`, 0 when missing.
        variable: the parentheses hold `var_scope.var_name`.
        suffix: the JSON field glued to the word (`track-sc0`), with its type.
        prefix: the word is the prefix of the JSON field (`lua.NAME`).
    """

    name: str
    arguments: Arguments = field(default_factory=Arguments)
    call: tuple[str, ...] = ()
    filler: str = ""
    places: int = 0
    counters: tuple[str, ...] = ()
    variable: bool = False
    suffix: str = ""
    prefix: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """The JSON fields that it writes."""
        own = {*self.call, *self.counters, *filter(None, (self.suffix, self.prefix))}
        if self.variable:
            own |= {"var_scope", "var_name"}
        return self.arguments.fields | own

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the word and its arguments."""
        out.append(self._head(obj))
        self.arguments.write(obj, out)

    def without(self, fields: frozenset[str], *, ignored: bool) -> Action:
        """The same action in an API version that does not have `fields`; it passes over their words when `ignored`."""
        if fields.isdisjoint(self.arguments.fields):
            return self
        return replace(self, arguments=self.arguments.without(fields, ignored=ignored))

    def _head(self, obj: Mapping[str, Any]) -> str:
        if self.call:
            values = [str(obj.get(name) or self.filler) for name in self.call]
            while len(values) > self.places and not values[-1]:
                values.pop()
            return f"{self.name}({','.join(values)})"
        if self.counters:
            return f"{self.name}({','.join(str(obj.get(name) or 0) for name in self.counters)})"
        if self.variable:
            return f"{self.name}({obj.get('var_scope') or ''}.{obj.get('var_name') or ''})"
        if self.suffix:
            value = obj.get(self.suffix)
            return f"{self.name}{'' if value is None else value}"
        if self.prefix:
            return f"{self.name}.{obj.get(self.prefix) or ''}"
        return self.name

    def read(self, head: str, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the word `head` and the arguments from `at` on into `obj`."""
        if self.call or self.counters or self.variable:
            inner = head.partition("(")[2].removesuffix(")")
            if self.variable:
                scope, _, name = inner.partition(".")
                obj.update({field: value for field, value in (("var_scope", scope), ("var_name", name)) if value})
            elif self.counters:
                pairs = zip(self.counters, inner.split(","), strict=False)
                obj.update({name: int(value) for name, value in pairs if int(value)})
            else:
                self._read_call(inner, obj)
        elif self.suffix:
            obj[self.suffix] = int(head[len(self.name) :])
        elif self.prefix:
            obj[self.prefix] = head[len(self.name) + 1 :]
        self.arguments.read(words, at, obj)

    def _read_call(self, inner: str, obj: Obj) -> None:
        for name, value in zip(self.call, inner.split(",", len(self.call) - 1), strict=False):
            if value:
                obj[name] = value.strip()


class Actions:
    """The actions of one kind of rule.

    Attributes:
        key: the deciding JSON field.
        fields: every JSON field that some action writes.
        by_name: the actions.
    """

    def __init__(self, key: str, *actions: Action) -> None:
        self.key = key
        self.by_name = {action.name: action for action in actions}
        self.fields = frozenset({key}.union(*(action.fields for action in actions)))
        self._glued = tuple(action for action in actions if action.suffix or action.prefix)

    def without(self, fields: frozenset[str], names: frozenset[str] = frozenset(), *, ignored: bool = True) -> Actions:
        """The same rules in an API version that does not have `fields`, nor the actions `names`."""
        return Actions(
            self.key,
            *(action.without(fields, ignored=ignored) for action in self.by_name.values() if action.name not in names),
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part of every action."""
        return tuple(part for action in self.by_name.values() for part in action.arguments.parts)

    def write(self, obj: Mapping[str, Any], out: list[str]) -> None:
        """Append the words for `obj`.

        Raises:
            KeyError: no such action.
        """
        self.by_name[obj[self.key]].write(obj, out)

    def read(self, words: Sequence[str], at: int, obj: Obj) -> None:
        """Put the words from `at` on into `obj`.

        Raises:
            ValueError, IndexError: no such action, or its arguments are wrong.
        """
        head = words[at]
        at += 1
        name, bracket, _ = head.partition("(")
        action = self.by_name.get(name)
        if action is None:
            action = next((glued for glued in self._glued if head.startswith(glued.name)), None)
        if action is None:
            raise ValueError(f"unknown action {head!r}")
        if bracket:
            while not head.endswith(")") and at < len(words):
                head = f"{head} {words[at]}"
                at += 1
        obj[self.key] = action.name
        action.read(head, words, at, obj)

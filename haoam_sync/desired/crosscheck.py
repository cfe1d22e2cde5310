"""What the sections of one instance say about each other, checked before any server is asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from haoam_sync.desired import references
from haoam_sync.desired.declaration import Declaration
from haoam_sync.desired.external import External
from haoam_sync.desired.paths import dotted
from haoam_sync.desired.problems import Problems, choice, did_you_mean
from haoam_sync.desired.scan import SPEC
from haoam_sync.desired.sections import Declared
from haoam_sync.desired.stored_files import FileDeclaration
from haoam_sync.documents import Document, Path
from haoam_sync.model.fleet import Cluster
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionId, SectionKind


class CrossCheck:
    """All instances one after the other. What is missing in several clusters is said once, naming them."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._seen: dict[int, Mapping[SectionId, Declared]] = {}
        self._missing: dict[tuple[int, Path, External], tuple[Document, list[str]]] = {}
        self._everywhere: dict[str, set[str]] = {}

    def instance(
        self,
        cluster: Cluster,
        sections: Mapping[SectionId, Declared],
        names: Mapping[str, Collection[str]],
    ) -> None:
        """Look at one instance; one that shares its sections with another was looked at already.

        Args:
            cluster: of the instance.
            sections: that could be read.
            names: of everything that is declared, by kind, whether it could be read or not.
        """
        if id(sections) in self._seen:
            return
        self._seen[id(sections)] = sections
        for kind, found in names.items():
            self._everywhere.setdefault(kind, set()).update(found)
        for declared in sections.values():
            if declared.links.targets or declared.links.inside:  # most say nothing that anything else must match
                self._section(declared, cluster, names, sections)
        self._binds(sections.values())

    def finish(self) -> None:
        """Note what was missing."""
        for (_, path, target), (document, clusters) in self._missing.items():
            at: Path = (*SPEC, *path)
            known = self._everywhere.get(target.kind, set())
            message = f"{dotted(at)}: no {target.kind} `{target.name}` is declared"
            if target.name in known:
                message += f" for {', '.join(dict.fromkeys(clusters))}"
            hint = did_you_mean(target.name, known - {target.name})
            hint = hint or f"declare it, or say that it is there: metadata.external: [{target}]"
            self._problems.value(document, at, message, hint)

    def files(
        self, declared: Iterable[FileDeclaration], cluster: Cluster, names: Mapping[str, Collection[str]]
    ) -> None:
        """Look at the files of a cluster: a crt-list names certificates and authorities."""
        for kind, found in names.items():
            self._everywhere.setdefault(kind, set()).update(found)
        for file in declared:
            for path, target in file.names:
                if target.name not in names.get(target.kind, ()) and target not in file.external:
                    self._note_missing(file.document, path[len(SPEC) :], target, cluster)

    def _note_missing(self, document: Document, path: Path, target: External, cluster: Cluster) -> None:
        self._missing.setdefault((id(document), path, target), (document, []))[1].append(cluster.name)

    def _section(
        self,
        declared: Declared,
        cluster: Cluster,
        names: Mapping[str, Collection[str]],
        sections: Mapping[SectionId, Declared],
    ) -> None:
        declaration, kind = declared.declaration, declared.section.id.kind
        body = declared.section.body
        for path, target, other in declared.links.targets:
            there = any(one.name in names.get(one.kind, ()) or one in declaration.external for one in (target, *other))
            if not there:
                self._note_missing(declaration.document, path, target, cluster)
        if not declared.links.inside:
            return
        for group in references.groups(body) if kind is not SectionKind.USERLIST else ():
            userlist = sections.get(SectionId(SectionKind.USERLIST, group.userlist))
            if userlist is not None:
                self._group(declaration, group, _names_in(userlist.section.body, "groups"))
        if kind is SectionKind.USERLIST:
            self._members(declaration, body)
        if kind is SectionKind.BACKEND:
            self._servers(declaration, body)

    def _group(self, declaration: Declaration, group: references.GroupReference, known: set[str]) -> None:
        if group.group not in known:
            at: Path = (*SPEC, *group.path)
            message = f"{dotted(at)}: userlist `{group.userlist}` has no group `{group.group}`"
            self._problems.value(declaration.document, at, message, choice(group.group, known))

    def _members(self, declaration: Declaration, body: JsonObject) -> None:
        """A user's groups, and a group's users, are in the same userlist."""
        for holder, member_field, other in (("users", "groups", "groups"), ("groups", "users", "users")):
            children, known = body.get(holder), _names_in(body, other)
            for name, child in children.items() if isinstance(children, Mapping) else ():
                members = child.get(member_field) if isinstance(child, Mapping) else None
                for member in members.split(",") if isinstance(members, str) else ():
                    if member.strip() not in known:
                        at: Path = (*SPEC, holder, name, member_field)
                        message = f"{dotted(at)}: the userlist has no {other[:-1]} `{member.strip()}`"
                        self._problems.value(declaration.document, at, message, choice(member.strip(), known))

    def _servers(self, declaration: Declaration, body: JsonObject) -> None:
        """`use-server` names a server of its own backend."""
        known = _names_in(body, "servers")
        prefixes = tuple(_names_in(body, "server_templates"))
        rules = body.get("server_switching_rule_list")
        for index, rule in enumerate(rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()):
            target = rule.get("target_server") if isinstance(rule, Mapping) else None
            if not isinstance(target, str) or "%[" in target or target in known:
                continue
            if not target.startswith(prefixes or ("\0",)):
                at: Path = (*SPEC, "server_switching_rule_list", index, "target_server")
                message = f"{dotted(at)}: the backend has no server `{target}`"
                self._problems.value(declaration.document, at, message, choice(target, known))

    def _binds(self, sections: Iterable[Declared]) -> None:
        """Two sockets on one address: the kernel would spread connections over both, without a word."""
        taken: list[_Bind] = []
        by_place: dict[tuple[str, ...], list[_Bind]] = {}
        for declared in sections:
            binds = declared.section.body.get("binds")
            for name, bind in binds.items() if isinstance(binds, Mapping) else ():
                if isinstance(bind, Mapping) and (one := _bind(declared, name, bind)) is not None:
                    taken.append(one)
        for one in taken:
            others = by_place.setdefault(one.place, [])
            for other in others:
                if one.first <= other.last and other.first <= one.last:
                    at: Path = (*SPEC, "binds", one.name)
                    where = other.owner.declaration.document.key_position((*SPEC, "binds", other.name))
                    message = f"{dotted(at)}: {one.shown} is bound already, by {other.owner.section.id} at {where}"
                    self._problems.key(one.owner.declaration.document, at, message, "give it another address or port")
                    break
            others.append(one)


@dataclass(frozen=True, slots=True)
class _Bind:
    """A bind, as far as it can clash: `place` is address, interface, name space, threads; ports are a range."""

    owner: Declared
    name: str
    place: tuple[str, ...]
    first: int
    last: int
    shown: str


def _bind(owner: Declared, name: str, bind: JsonObject) -> _Bind | None:
    address, port = bind.get("address", ""), bind.get("port")
    if not isinstance(address, str) or not isinstance(port, int):
        return None
    end = bind.get("port-range-end")
    last = end if isinstance(end, int) else port
    # one socket for each thread set, name space or interface is how people shard a port on purpose
    place = (
        _plain_address(address),
        *(str(bind.get(key, "")) for key in ("interface", "namespace", "thread", "process")),
    )
    shown = f"{address or '*'}:{port}" + (f"-{last}" if last != port else "")
    return _Bind(owner, name, place, port, last, shown)


def _plain_address(address: str) -> str:
    """One spelling of each address; the wildcards of IPv4 are one."""
    if address in {"", "*"}:
        return "0.0.0.0"  # noqa: S104  # compared, not bound
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        return address


def _names_in(body: JsonObject, field_name: str) -> set[str]:
    children = body.get(field_name)
    return set(children) if isinstance(children, Mapping) else set()

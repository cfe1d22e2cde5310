"""The text of a whole configuration with a plan's sections replaced in it, every other byte as it was. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync import haproxycfg
from haoam_sync.haproxycfg import ConfigFile
from haoam_sync.haproxycfg.table import table
from haoam_sync.haproxycfg.words import split
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.plan import Action, Change
from haoam_sync.model.section import SectionId, SectionKind


def text_of(text: str, changes: tuple[Change, ...], bodies: Mapping[SectionId, JsonObject], api: ApiVersion) -> str:
    """`text` after `changes`.

    Lines that the codec does not know, and comments, stay in a section that is replaced, as they do when the server
    replaces it; but not such lines where the change says that they go.

    Args:
        text: in the server's normal form.
        changes: sections to create, update or delete.
        bodies: what to write, of those that are not deleted.
        api: version of the instance.

    Raises:
        CodecError: a section to update is not in the text, or one to create is.
    """
    file = ConfigFile.parse(text)
    created: dict[SectionId, str] = {}
    deleted: set[SectionId] = set()
    for change in changes:
        section = change.section
        there = file.find(section.kind, section.name)
        if change.action is Action.DELETE:
            deleted.add(section)
        elif there is not None and (change.action is Action.UPDATE or section.kind is SectionKind.GLOBAL):
            new = haproxycfg.render(section.kind, bodies[section], api, complete=True)
            file.replace(section.kind, section.name, _with_kept(new, there.text, change, api))
        else:
            created[section] = haproxycfg.render(section.kind, bodies[section], api, complete=True)
    if deleted:
        file.remove_all(deleted)
    if created:
        file.insert_all(created)
    file.put_parents_first()
    return file.text().rstrip("\n") + "\n"


def _with_kept(new: str, old: str, change: Change, api: ApiVersion) -> str:
    """`new` with the comments of `old` in front of its lines, and the lines that nobody knows behind them."""
    known = table(change.section.kind, api)
    comments, unknown = [], []
    for line in old.split("\n")[1:]:
        words, comment = split(line)
        if words and known.row(words) is None and not change.unshown:
            unknown.append(line.strip())
        elif not words and comment is not None:
            comments.append(line.strip())
    first, *rest = new.split("\n")
    return "\n".join([first, *(f"  {line}" for line in comments), *rest, *(f"  {line}" for line in unknown)])

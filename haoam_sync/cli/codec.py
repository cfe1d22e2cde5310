"""`haoam-sync codec`: sections between the API's JSON and haproxy.cfg text, on stdin and stdout."""

from __future__ import annotations

import json
from typing import TextIO

import click

from haoam_sync import haproxycfg
from haoam_sync.cli import printing
from haoam_sync.cli.verbs import Verbs
from haoam_sync.errors import UsageError
from haoam_sync.model.api_version import NEWEST, ApiVersion
from haoam_sync.model.section import SectionKind

_CHILDREN = {
    "server": SectionKind.BACKEND,
    "server_template": SectionKind.BACKEND,
    "http_check": SectionKind.BACKEND,
    "tcp_check": SectionKind.BACKEND,
    "http_request_rule": SectionKind.BACKEND,
    "http_response_rule": SectionKind.BACKEND,
    "http_after_response_rule": SectionKind.BACKEND,
    "tcp_request_rule": SectionKind.BACKEND,
    "tcp_response_rule": SectionKind.BACKEND,
    "server_switching_rule": SectionKind.BACKEND,
    "stick_rule": SectionKind.BACKEND,
    "acl": SectionKind.BACKEND,
    "filter": SectionKind.BACKEND,
    "log_target": SectionKind.BACKEND,
    "bind": SectionKind.FRONTEND,
    "capture": SectionKind.FRONTEND,
    "backend_switching_rule": SectionKind.FRONTEND,
    "nameserver": SectionKind.RESOLVERS,
    "peer_entry": SectionKind.PEERS,
    "mailer_entry": SectionKind.MAILERS,
    "userlist_user": SectionKind.USERLIST,
    "userlist_group": SectionKind.USERLIST,
}
"""Kinds of child, and the section in which they are given: input and output are always whole sections."""


def _kinds() -> dict[str, SectionKind]:
    """Every name of a kind: haproxy.cfg's keyword, the API's model and collection, the document kind."""
    names = dict(_CHILDREN)
    for kind in SectionKind:
        collection = kind.collection
        for name in (kind.value, collection, collection.removesuffix("s"), kind.document_kind):
            names[name.lower().replace("-", "_")] = kind
    return names


class _Kind(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    name = "kind"

    def convert(
        self, value: str | SectionKind, param: click.Parameter | None, ctx: click.Context | None
    ) -> SectionKind:
        if isinstance(value, SectionKind):
            return value
        kind = _kinds().get(value.lower().replace("-", "_"))
        if kind is None:
            known = ", ".join(known.value for known in SectionKind)
            self.fail(f"unknown kind {value!r}; known are {known}", param, ctx)
        return kind


def _version(_context: click.Context, _parameter: click.Parameter, value: str) -> ApiVersion:
    try:
        return ApiVersion.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(cls=Verbs)
def codec() -> None:
    """Translate a section between the Data Plane API's JSON and haproxy.cfg."""


_api = click.option(
    "--api-version", default=str(NEWEST), show_default=True, callback=_version, help="Version of the Data Plane API."
)
_kind = click.option("--kind", type=_Kind(), required=True, help="Kind of the section, such as backend.")
_source = click.argument("source", type=click.File("r", encoding="utf-8"), default="-")


@codec.command()
@_api
@_kind
@_source
def render(api_version: ApiVersion, kind: SectionKind, source: TextIO) -> None:
    """JSON object in, haproxy.cfg text out."""
    try:
        body = json.loads(source.read())
    except ValueError as error:
        raise UsageError(f"the input is not JSON: {error}", hint="give one JSON object") from error
    if not isinstance(body, dict):
        raise UsageError("the input is not a JSON object", hint="give one section as the API's JSON object")
    refusals = haproxycfg.refused(kind, body, api_version)
    if refusals:
        raise haproxycfg.CodecError(
            "; ".join(f"{refusal.path}: {refusal.message}" for refusal in refusals),
            where=f"{kind.value} {body.get('name', '')}".strip(),
            hint=f"the Data Plane API {api_version} would refuse this object",
        )
    click.echo(haproxycfg.render(kind, body, api_version))


@codec.command()
@_api
@_kind
@_source
def parse(api_version: ApiVersion, kind: SectionKind, source: TextIO) -> None:
    """One section of haproxy.cfg in, the JSON that the server would read back out."""
    section = haproxycfg.parse(source.read(), api_version)
    if section.kind is not kind:
        raise UsageError(f"the text is a {section.kind} section, not a {kind} section", hint="give the right --kind")
    printing.as_json(section.body)

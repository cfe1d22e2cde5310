"""What is sent so that the server takes what was planned.

A plan holds the section as it will be read back. For nearly everything that is also what to send. API 3.2 reads a
server template without a port back with the port 0 (measured), and refuses that number in what is sent to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync.model.json import Json, JsonObject

_TEMPLATES = "server_templates"


def sendable(body: JsonObject) -> JsonObject:
    """`body`, a section in canonical form, as it must be sent to be read back like it."""
    templates = body.get(_TEMPLATES)
    if not isinstance(templates, Mapping):
        return body
    return {**body, _TEMPLATES: {name: _without_no_port(template) for name, template in templates.items()}}


def _without_no_port(template: Json) -> Json:
    if isinstance(template, Mapping) and template.get("port") == 0:
        return {field: value for field, value in template.items() if field != "port"}
    return template

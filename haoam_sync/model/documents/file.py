"""The documents `CAFile`, `CrtList`, `Map` and `File`: files on an instance, beside its certificates."""

import re
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from haoam_sync.model.documents.values import DocumentModel, Line, ObjectName, SecretObject, Selector

_REFERENCE = re.compile(r"(env|file|command|sops)/\S+")


def _content(value: object) -> object:
    if isinstance(value, str):
        return value
    match value:
        case {"secret": str(reference), **rest} if not rest and _REFERENCE.fullmatch(reference):
            return SecretObject(secret=reference)
    raise ValueError("expected text, or {secret: env/NAME} or {secret: file/PATH}")


Content = Annotated[
    str | SecretObject,
    PlainValidator(_content),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"secret": {"type": "string", "pattern": f"^{_REFERENCE.pattern}$"}},
                    "required": ["secret"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""What a file holds: text, or where a secret is to be found."""


class AdoptedFileModel(DocumentModel):
    """A file that was on the instances before, and keeps its name as long as it keeps its content; `import` writes it.

    Attributes:
        name: storage name on the instances.
        digest: SHA-256 of its content.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=255)]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class FileMetadata(DocumentModel):
    """Of a file: the name by which sections refer to it, and the clusters that get it.

    Attributes:
        name: of the file.
        clusters: labels, all of which a cluster must have, or names; absent for every cluster.
        external: files that a crt-list names and git does not declare, `certificate/NAME` or `ca-file/NAME`.
        adopted: the file that it was before; another content gets a name of its own.
    """

    name: ObjectName
    clusters: Selector | None = None
    external: list[str] | None = None
    adopted: AdoptedFileModel | None = None


class FileSpec(DocumentModel):
    """An error page, a Lua file, a list of patterns: text in this document, in another file of git, or a secret.

    Attributes:
        content: the text, or a reference to a secret.
        content_file: path in this repository of the text.
    """

    content: Content | None = None
    content_file: str | None = None


class CAFileSpec(FileSpec):
    """Authorities, and lists of what they have revoked, in PEM form; never a key."""


class MapSpec(FileSpec):
    """A map: a key and a value on each line.

    Attributes:
        content: the text, or a reference to a secret.
        content_file: path in this repository of the text.
        entries: value by key, in the order in which they are looked at.
    """

    entries: dict[str, Line] | None = None


class CrtListEntry(DocumentModel):
    """One line of a crt-list.

    Attributes:
        certificate: name of a `Certificate` document, or a path on the instance.
        options: of the bind line, for this certificate (`alpn h2,http/1.1`); a `ca-file` in it names a `CAFile`.
        sni: names for which it is served, `*.example.com` and `!www.example.com` among them; absent for its own.
    """

    certificate: Annotated[str, Field(pattern=r"^[^\s#\[\]]+$", max_length=512)]
    options: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f#\[\]]+$", max_length=1024)] | None = None
    sni: list[Annotated[str, Field(pattern=r"^!?[A-Za-z0-9*_.-]+$", max_length=255)]] | None = None


class CrtListSpec(DocumentModel):
    """Which certificate is served for which name.

    Attributes:
        entries: in the order of the file; the first one is served where no name fits.
    """

    entries: Annotated[list[CrtListEntry], Field(min_length=1)]

"""A runner's signed memory: what it keeps in git where it has no disk, byte for byte.

A record is a DSSE envelope written as RFC 8785 canonical JSON and in no other way, like a review statement. Its payload
says how it came about, names the record before it by its digest, and carries the lines of the memory that it adds, the
same lines that a host with a disk keeps in `journal.jsonl`; or what was applied to one cluster, as in
`applied/CLUSTER.json`. What is signed is the pre-authentication encoding of DSSE, in a namespace of its own.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import JsonObject, canonical_json

STATE_NAMESPACE: Final = "haoam-state@v1"
STATE_TYPE: Final = "application/vnd.haoam-sync.state+json"
STATE_BYTES: Final = 16 << 20
"""A line has about 1,500 bytes, and a record as many lines as steps were accepted at once."""

Kind = Literal["advance", "seed", "confirm", "applied"]
"""`seed` is the first one, by an operator; `advance` is what a runner accepted, `applied` what it brought a cluster to;
`confirm` begins anew after a loss."""
BEGINNINGS: Final = ("seed", "confirm")
"""Kinds that build on nothing."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Payload(_Strict):
    haoam_state: Literal[1] = 1
    kind: Kind
    previous: Annotated[str, StringConstraints(pattern=r"^(?:sha256:[0-9a-f]{64})?$")]
    lines: tuple[dict[str, Any], ...] = ()
    applied: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.kind in BEGINNINGS) != (self.previous == ""):
            raise ValueError("a beginning names no record before it, and everything else does")
        if bool(self.lines) == bool(self.applied) or (self.kind == "applied") != bool(self.applied):
            raise ValueError("a record says what was accepted, or what was applied")
        return self


class _Record(_Strict):
    payload: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    payloadType: Literal["application/vnd.haoam-sync.state+json"] = STATE_TYPE  # noqa: N815  # DSSE's own spelling
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=8192)]


@dataclass(frozen=True, slots=True)
class StatePayload:
    """What a record says.

    Attributes:
        kind: how it came about.
        previous: digest of the bytes of the record before it; "" for a beginning.
        lines: of the memory, oldest first, each as it stands in a journal; none where something was applied.
        applied: by cluster, what `state.applied_as_json` made.
    """

    kind: Kind
    previous: str
    lines: tuple[bytes, ...]
    applied: Mapping[str, JsonObject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateRecord:
    """A record and its signature.

    Attributes:
        payload: what is said, as bytes.
        signature: an SSHSIG blob.
    """

    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def signed(self) -> bytes:
        """What the signature covers."""
        return state_authentication(self.payload)


def state_authentication(payload: bytes) -> bytes:
    """DSSE's encoding of payload type and payload."""
    return b"DSSEv1 %d %s %d %s" % (len(STATE_TYPE), STATE_TYPE.encode(), len(payload), payload)


def encode_payload(
    kind: Kind,
    previous: str,
    *,
    lines: tuple[dict[str, Any], ...] = (),
    applied: Mapping[str, JsonObject] | None = None,
) -> bytes:
    """The payload's bytes, to be signed; each line as the JSON that it is."""
    values = {name: dict(value) for name, value in (applied or {}).items()}
    return _encoded(_Payload(kind=kind, previous=previous, lines=lines, applied=values))


def _encoded(payload: _Payload) -> bytes:
    """What says nothing is left out."""
    return canonical_json(
        {name: value for name, value in payload.model_dump(mode="json").items() if value not in ({}, [])}
    )


def parse_payload(data: bytes, *, where: str) -> StatePayload:
    """What `encode_payload` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    try:
        found = _Payload.model_validate_json(data)
    except ValidationError as error:
        raise _malformed(where, "its payload is not understood") from error
    if _encoded(found) != data:
        raise _malformed(where, "its payload is not in canonical form (RFC 8785)")
    return StatePayload(found.kind, found.previous, tuple(map(canonical_json, found.lines)), found.applied)


def encode_record(record: StateRecord) -> bytes:
    """The record's bytes, as they are kept."""
    return canonical_json(
        _Record(payload=_base64(record.payload), signature=_base64(record.signature)).model_dump(mode="json")
    )


def parse_record(data: bytes, *, where: str) -> StateRecord:
    """What `encode_record` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    if len(data) > STATE_BYTES:
        raise _malformed(where, f"it has {len(data)} bytes, more than {STATE_BYTES}")
    try:
        found = _Record.model_validate_json(data)
        record = StateRecord(
            base64.b64decode(found.payload, validate=True), base64.b64decode(found.signature, validate=True)
        )
    except (ValidationError, ValueError, binascii.Error) as error:
        raise _malformed(where, "it is not understood") from error
    if encode_record(record) != data:
        raise _malformed(where, "it is not in canonical form (RFC 8785)")
    return record


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _malformed(where: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"a record of what runners accepted is malformed: {why}",
        code="E_STATE_ROLLBACK",
        where=where,
        hint="see who may push to refs/heads/haoam/state; then haoam-sync trust state confirm COMMIT",
    )

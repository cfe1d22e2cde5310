"""A runner's signed memory: what it keeps in git where it has no disk, byte for byte.

A record is a DSSE envelope written as RFC 8785 canonical JSON and in no other way, like a review statement. Its payload
says how it came about and carries the lines of the memory that it adds: the same lines that a host with a disk keeps in
`journal.jsonl`. What is signed is the pre-authentication encoding of DSSE, in a namespace of its own.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import canonical_json

STATE_NAMESPACE: Final = "haoam-state@v1"
STATE_TYPE: Final = "application/vnd.haoam-sync.state+json"
STATE_BYTES: Final = 16 << 20
"""A line has about 1,500 bytes, and a record as many lines as steps were accepted at once."""

Kind = Literal["advance", "seed", "confirm"]
"""`seed` is the first one, by an operator; `advance` is what a runner accepted; `confirm` begins anew after a loss."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Payload(_Strict):
    haoam_state: Literal[1] = 1
    kind: Kind
    lines: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]


class _Record(_Strict):
    payload: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    payloadType: Literal["application/vnd.haoam-sync.state+json"] = STATE_TYPE  # noqa: N815  # DSSE's own spelling
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=8192)]


@dataclass(frozen=True, slots=True)
class StatePayload:
    """What a record says.

    Attributes:
        kind: how it came about.
        lines: of the memory, oldest first, each as it stands in a journal.
    """

    kind: Kind
    lines: tuple[bytes, ...]


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


def encode_payload(kind: Kind, lines: tuple[dict[str, Any], ...]) -> bytes:
    """The payload's bytes, to be signed; each line as the JSON that it is."""
    return canonical_json(_Payload(kind=kind, lines=lines).model_dump(mode="json"))


def parse_payload(data: bytes, *, where: str) -> StatePayload:
    """What `encode_payload` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATE_ROLLBACK.
    """
    try:
        found = _Payload.model_validate_json(data)
    except ValidationError as error:
        raise _malformed(where, "its payload is not understood") from error
    if encode_payload(found.kind, found.lines) != data:
        raise _malformed(where, "its payload is not in canonical form (RFC 8785)")
    return StatePayload(found.kind, tuple(canonical_json(line) for line in found.lines))


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

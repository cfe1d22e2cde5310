"""Review statements: what a reviewer signs, byte for byte.

A statement is an in-toto Statement (v1) inside a DSSE envelope, both written as RFC 8785 canonical JSON and in no other
way: the bytes read must be the bytes that would be written, so a second key, white space or trailing bytes are refused
without a rule for each. What is signed is the pre-authentication encoding of DSSE (`pre_authentication`).

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import canonical_json

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:haoam-sync:review:v1"
STATEMENT_BYTES: Final = 131_072
"""A statement has about 2,000 bytes, and 100 more for each plan that it binds; more than this is refused unread."""
MOST_PLANS: Final = 700
"""So many plans fit into a statement, whatever the instances are called."""

YEARS: Final = range(2000, 3000)
"""Of every time that is read."""
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _time_text(text: str) -> str:
    parse_time(text)
    return text


def parse_time(text: str) -> datetime:
    """Read `2027-11-01T12:00:00Z`.

    Raises:
        ValueError: any other spelling; a year that no clock of ours shows, near which nothing can be reckoned.
    """
    if _TIME.fullmatch(text) is None:
        raise ValueError("a time is written 2027-11-01T12:00:00Z")
    found = datetime.fromisoformat(text)
    if found.year not in YEARS:
        raise ValueError(f"the year is from {YEARS[0]} to {YEARS[-1]}")
    return found


def format_time(moment: datetime) -> str:
    """`moment`, in UTC, to the whole second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CommitText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
TreeSha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
DigestText = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
TimeText = Annotated[str, AfterValidator(_time_text)]
NameText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
InstanceText = Annotated[str, StringConstraints(pattern=r"^[!-.0-~]{1,64}/[!-.0-~]{1,64}$")]
RefText = Annotated[str, StringConstraints(pattern=r"^refs/heads/[A-Za-z0-9._/+-]{1,200}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Policy(_Strict):
    """The policy that the reviewer was bound by: that of the base commit."""

    serial: Annotated[int, Field(ge=1)]
    digest: DigestText


class Seen(_Strict):
    """What the reviewer's copy had: the tip of the statements ("" when there were none), the last audit checkpoint."""

    attestations: Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40})?$")]
    checkpoint: Annotated[str, StringConstraints(pattern=r"^[ -~]{0,200}$")] = ""


class Predicate(_Strict):
    """Everything that a decision is bound to.

    Attributes:
        repository: id of the introduction commit.
        ref: the policy's branch.
        base: the accepted commit that the change was judged against.
        head: the commit that was looked at.
        tree: its tree.
        tree_sha256: the id of that tree in git's SHA-256 format, so that SHA-1 carries no weight.
        policy: serial and digest of the policy of `base`.
        change_digest: what `base` to `head` does to the desired state.
        plans: where the policy binds the plan: of each instance that would change, `CLUSTER/NAME`, the digest of what
            was shown (`InstancePlan.reviewed`).
        decision: `approve`; `reject`; `withdraw` takes an approval back.
        principal: who decided.
        key: id of the key in the policy.
        issued: when.
        expires: from when on it is worth nothing.
        id: chosen at random, 32 hex digits.
        seen: what the reviewer had before his eyes.
    """

    repository: CommitText
    ref: RefText
    base: CommitText
    head: CommitText
    tree: CommitText
    tree_sha256: TreeSha256
    policy: Policy
    change_digest: DigestText
    plans: Annotated[dict[InstanceText, DigestText], Field(max_length=MOST_PLANS)] = Field(default_factory=dict)
    decision: Literal["approve", "reject", "withdraw"]
    principal: NameText
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    issued: TimeText
    expires: TimeText
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    seen: Seen


class _Digest(_Strict):
    gitCommit: CommitText  # noqa: N815  # in-toto's own spelling


class _Subject(_Strict):
    name: RefText
    digest: _Digest


class _Statement(_Strict):
    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = STATEMENT_TYPE
    subject: Annotated[tuple[_Subject, ...], Field(min_length=1, max_length=1)]
    predicateType: Literal["urn:haoam-sync:review:v1"] = PREDICATE_TYPE  # noqa: N815  # in-toto's own spelling
    predicate: Predicate


class _Signature(_Strict):
    keyid: Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$|^[0-9A-F]{40}$")]
    sig: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


class _Envelope(_Strict):
    payload: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    payloadType: Literal["application/vnd.in-toto+json"] = PAYLOAD_TYPE  # noqa: N815  # DSSE's own spelling
    signatures: Annotated[tuple[_Signature, ...], Field(min_length=1, max_length=1)]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope with exactly one signature.

    Attributes:
        payload: the statement's bytes.
        keyid: fingerprint of the key, as the envelope says; must be that of the signature.
        signature: the signature's bytes (an SSHSIG blob, or an OpenPGP packet).
    """

    payload: bytes
    keyid: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the signature covers."""
        return pre_authentication(self.payload)


def pre_authentication(payload: bytes) -> bytes:
    """DSSE's encoding of payload type and payload: `DSSEv1 LEN TYPE LEN PAYLOAD`."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def encode_statement(predicate: Predicate) -> bytes:
    """The statement's bytes, to be signed."""
    subject = _Subject(name=predicate.ref, digest=_Digest(gitCommit=predicate.head))
    statement = _Statement(subject=(subject,), predicate=predicate)
    return canonical_json(statement.model_dump(mode="json", by_alias=True))


def parse_statement(data: bytes, *, where: str) -> Predicate:
    """What `encode_statement` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATEMENT_FORMAT.
    """
    try:
        statement = _Statement.model_validate_json(data)
    except ValidationError as error:
        raise _malformed(where, _first(error)) from error
    subject = statement.subject[0]
    if subject.name != statement.predicate.ref or subject.digest.gitCommit != statement.predicate.head:
        raise _malformed(where, "its subject is not the commit that its predicate names")
    if encode_statement(statement.predicate) != data:
        raise _malformed(where, "it is not in canonical form (RFC 8785): a key twice, white space, or trailing bytes")
    return statement.predicate


def encode_envelope(envelope: Envelope) -> bytes:
    """The envelope's bytes, as they are kept."""
    signature = _Signature(keyid=envelope.keyid, sig=_base64(envelope.signature))
    return canonical_json(_Envelope(payload=_base64(envelope.payload), signatures=(signature,)).model_dump(mode="json"))


def parse_envelope(data: bytes, *, where: str) -> Envelope:
    """What `encode_envelope` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATEMENT_FORMAT.
    """
    if len(data) > STATEMENT_BYTES:
        raise _malformed(where, f"it has {len(data)} bytes, more than {STATEMENT_BYTES}")
    try:
        parsed = _Envelope.model_validate_json(data)
        payload = base64.b64decode(parsed.payload, validate=True)
        signature = base64.b64decode(parsed.signatures[0].sig, validate=True)
    except ValidationError as error:
        raise _malformed(where, _first(error)) from error
    except (ValueError, binascii.Error) as error:
        raise _malformed(where, "it holds something else than base64") from error
    envelope = Envelope(payload, parsed.signatures[0].keyid, signature)
    if encode_envelope(envelope) != data:
        raise _malformed(where, "it is not in canonical form (RFC 8785): a key twice, white space, or trailing bytes")
    return envelope


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _malformed(where: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"a review statement is malformed: {why}",
        code="E_STATEMENT_FORMAT",
        where=where,
        hint="review again with haoam-sync review",
    )

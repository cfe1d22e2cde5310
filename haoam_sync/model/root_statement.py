"""What a root says about everything, not about one change: freeze, thaw, compromise, affirm. Byte for byte.

They lie in the same log as reviews, in the same envelope (`evidence.py`), and are read in one form only, too.
The subject of the in-toto statement is the repository, named by its introduction commit.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.evidence import CommitText, DigestText, NameText, Policy, RefText, Seen, TimeText, TreeSha256
from haoam_sync.model.json import canonical_json, digest_bytes

PREFIX: Final = b'"predicateType":"urn:haoam-sync:'
"""How the type stands in a statement, up to the kind's name."""

_MOST_REASON = 500
_MOST_KEYS = 100

IdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
KeyText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
FingerprintText = Annotated[str, StringConstraints(pattern=r"^(?:SHA256:[A-Za-z0-9+/]{43}|[0-9A-F]{40})$")]
DeniedText = Annotated[
    str,
    StringConstraints(
        pattern=r"^(?:SHA256:[A-Za-z0-9+/]{43}|[0-9A-F]{40}|[A-Za-z0-9._-]{0,64}/[A-Za-z0-9][A-Za-z0-9._-]{0,63})$"
    ),
]
"""What a key may be denied by: its fingerprint, a subkey's, or `PRINCIPAL/KEY`."""


def _reason_text(text: str) -> str:
    if len(text) > _MOST_REASON or not text.isprintable():
        raise ValueError(f"a reason is one line of at most {_MOST_REASON} characters that all show")
    return text


def _sorted_once(keys: tuple[str, ...]) -> tuple[str, ...]:
    if list(keys) != sorted(set(keys)):
        raise ValueError("keys are sorted, each once")
    return keys


ReasonText = Annotated[str, AfterValidator(_reason_text)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Said(_Strict):
    """What all of them carry.

    Attributes:
        repository: id of the introduction commit.
        ref: the policy's branch.
        policy: serial and digest of the policy of the commit that was accepted last where it was signed.
        principal: the root.
        key: id of the key in that policy.
        issued: when.
        id: chosen at random, 32 hex digits.
        seen: the tip of the statements that the root's copy had.
    """

    repository: CommitText
    ref: RefText
    policy: Policy
    principal: NameText
    key: KeyText
    issued: TimeText
    id: IdText
    seen: Seen


class Freeze(_Said):
    """Nothing new is accepted until a quorum of the roots thaws it."""

    reason: ReasonText


class Thaw(_Said):
    """One root's part in lifting one freeze.

    Attributes:
        freeze: id of the freeze.
        freeze_digest: `sha256:` digest of its statement, so that only what was read is lifted.
    """

    freeze: IdText
    freeze_digest: DigestText
    reason: ReasonText


class CompromisedKey(_Strict):
    """The key meant. The fingerprint decides; the names are for people."""

    principal: NameText
    key: KeyText
    fingerprint: FingerprintText


class Compromise(_Said):
    """Nothing that a key ever signed speaks for anything any more.

    Attributes:
        since: the last commit of the branch that is beyond doubt: what the key did up to it stands. None: nothing does.
    """

    compromised: CompromisedKey
    since: CommitText | None = None
    reason: ReasonText


class Affirm(_Said):
    """One root's part in letting a commit stand, and what lies before it, though compromised keys had a part in it.

    Attributes:
        commit: of the branch.
        tree_sha256: id of its tree in git's SHA-256 format, as in a review.
        keys: what the keys in question are denied by, sorted: a key that is found out later is not among them.
    """

    commit: CommitText
    tree_sha256: TreeSha256
    keys: Annotated[tuple[DeniedText, ...], Field(min_length=1, max_length=_MOST_KEYS), AfterValidator(_sorted_once)]
    reason: ReasonText


RootStatement: TypeAlias = Freeze | Thaw | Compromise | Affirm


class _Digest(_Strict):
    gitCommit: CommitText  # noqa: N815  # in-toto's own spelling


class _Subject(_Strict):
    name: RefText
    digest: _Digest


class _Statement(_Strict):
    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = (
        "https://in-toto.io/Statement/v1"
    )
    subject: Annotated[tuple[_Subject, ...], Field(min_length=1, max_length=1)]


class _FreezeStatement(_Statement):
    predicateType: Literal["urn:haoam-sync:freeze:v1"] = "urn:haoam-sync:freeze:v1"  # noqa: N815  # in-toto's spelling
    predicate: Freeze


class _ThawStatement(_Statement):
    predicateType: Literal["urn:haoam-sync:thaw:v1"] = "urn:haoam-sync:thaw:v1"  # noqa: N815  # in-toto's own spelling
    predicate: Thaw


class _CompromiseStatement(_Statement):
    predicateType: Literal["urn:haoam-sync:compromise:v1"] = (  # noqa: N815  # in-toto's own spelling
        "urn:haoam-sync:compromise:v1"
    )
    predicate: Compromise


class _AffirmStatement(_Statement):
    predicateType: Literal["urn:haoam-sync:affirm:v1"] = "urn:haoam-sync:affirm:v1"  # noqa: N815  # in-toto's spelling
    predicate: Affirm


_ANY: TypeAdapter[_FreezeStatement | _ThawStatement | _CompromiseStatement | _AffirmStatement] = TypeAdapter(
    Annotated[
        _FreezeStatement | _ThawStatement | _CompromiseStatement | _AffirmStatement,
        Field(discriminator="predicateType"),
    ]
)


def is_root_statement(payload: bytes) -> bool:
    """Whether a payload seems to be one of these: to choose what is parsed."""
    return any(PREFIX + kind in payload for kind in (b"freeze:", b"thaw:", b"compromise:", b"affirm:"))


def encode_root_statement(said: RootStatement) -> bytes:
    """The statement's bytes, to be signed."""
    subject = (_Subject(name=said.ref, digest=_Digest(gitCommit=said.repository)),)
    statement: _Statement
    match said:
        case Freeze():
            statement = _FreezeStatement(subject=subject, predicate=said)
        case Thaw():
            statement = _ThawStatement(subject=subject, predicate=said)
        case Compromise():
            statement = _CompromiseStatement(subject=subject, predicate=said)
        case Affirm():
            statement = _AffirmStatement(subject=subject, predicate=said)
    return canonical_json(statement.model_dump(mode="json", by_alias=True, exclude_none=True))


def statement_digest(said: RootStatement) -> str:
    """What a thaw names a freeze by, beside its id."""
    return digest_bytes(encode_root_statement(said))


def parse_root_statement(data: bytes, *, where: str) -> RootStatement:
    """What `encode_root_statement` wrote, and nothing else.

    Raises:
        NotTrustedError: E_STATEMENT_FORMAT.
    """
    try:
        statement = _ANY.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _malformed(where, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if encode_root_statement(statement.predicate) != data:
        raise _malformed(
            where, "it is not in canonical form (RFC 8785): a key twice, white space, or another subject than its own"
        )
    return statement.predicate


def _malformed(where: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"a statement of a root is malformed: {why}",
        code="E_STATEMENT_FORMAT",
        where=where,
        hint="make it again with haoam-sync trust freeze, thaw, revoke or affirm",
    )

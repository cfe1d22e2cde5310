"""The canonical grammar of a commit, over its raw bytes. Pure.

::

    commit    = "tree " ID LF  *2( "parent " ID LF )  "author " PERSON LF  "committer " PERSON LF
                "gpgsig " ARMOR  LF  MESSAGE
    PERSON    = NAME " <" EMAIL "> " SECONDS " " ZONE
    ARMOR     = one armored signature, each line after the first indented by one space; one empty line
                (a space alone) may follow its end, as in commits that GitHub makes
    MESSAGE   = UTF-8 without NUL

Everything else is refused: git itself says "good signature" about commits with a second signature, two trees, an
unsigned extra header, or bytes behind the armor (docs/trust.md, "What is checked").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from haoam_sync.errors import NotTrustedError

MOST_BYTES = 1 << 20
"""A commit object larger than this is refused unread; real ones have less than a thousandth."""
MOST_PARENTS = 2

_ID = rb"[0-9a-f]{40}"
_PERSON = rb"[^\x00-\x1f\x7f<>]* <[^\x00-\x20\x7f<>]*> (?:0|[1-9][0-9]{0,11}) [+-][0-9]{4}"
_HEAD = re.compile(
    rb"tree (?P<tree>" + _ID + rb")\n(?P<parents>(?:parent " + _ID + rb"\n)*)"
    rb"author (?P<author>" + _PERSON + rb")\ncommitter (?P<committer>" + _PERSON + rb")\n"
)
_SIGNATURE = re.compile(rb"gpgsig (-----BEGIN (SSH|PGP) SIGNATURE-----\n(?: [^\n]*\n)*)\n")
_ARMOR = {
    "SSH": re.compile(
        rb"-----BEGIN SSH SIGNATURE-----\n(?P<body>(?:[A-Za-z0-9+/=]+\n)+)-----END SSH SIGNATURE-----\n(?:\n)?"
    ),
    "PGP": re.compile(
        rb"-----BEGIN PGP SIGNATURE-----\n\n"
        rb"(?P<body>(?:[A-Za-z0-9+/=]+\n)+)-----END PGP SIGNATURE-----\n(?:\n)?"
    ),
}


@dataclass(frozen=True, slots=True)
class ParsedCommit:
    """A canonical commit.

    Attributes:
        id: 40 hex digits.
        tree: id of its tree.
        parents: ids, in order.
        author: the author's line, as text: a claim, no proof of who.
        committer: the committer's line.
        subject: first line of the message.
        kind: `ssh` or `openpgp`; "" for a commit without a signature.
        armor: the signature's armor, unindented, without the empty line that GitHub adds.
        payload: what is signed: the commit's bytes without the signature.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    subject: str
    kind: str
    armor: bytes
    payload: bytes

    def require_signature(self) -> None:
        """Refuse a commit that is not signed at all.

        Raises:
            NotTrustedError: E_UNSIGNED.
        """
        if not self.kind:
            raise NotTrustedError(
                f"the commit is not signed ({self.author.rpartition(' <')[0]}: {self.subject})",
                code="E_UNSIGNED",
                where=self.id,
                hint="sign it: git commit --amend -S --no-edit (for several: git rebase --exec 'git commit --amend -S "
                "--no-edit' BASE), then have it reviewed",
            )


def parse_commit(oid: str, data: bytes) -> ParsedCommit:
    """Read a commit object's bytes; a commit without any signature is read too, and says so.

    Raises:
        NotTrustedError: E_COMMIT_FORMAT, E_SIG_MULTIPLE, E_SIG_ARMOR.
    """
    if len(data) > MOST_BYTES:
        raise _malformed(oid, f"it has {len(data)} bytes, more than {MOST_BYTES}")
    head = _HEAD.match(data)
    if head is None:
        raise _malformed(oid, _what_is_wrong(data))
    kind, armor, signed_end = "", b"", head.end()
    rest = data[head.end() :]
    if not rest.startswith(b"\n"):
        found = _SIGNATURE.match(rest)
        if found is None:
            raise _header(oid, rest)
        kind = "ssh" if found[2] == b"SSH" else "openpgp"
        armor = _armor(oid, found[2].decode(), found[1])
        signed_end += found.end() - 1
    payload = data[: head.end()] + data[signed_end:]
    message = data[signed_end + 1 :]
    return ParsedCommit(
        id=oid,
        tree=head["tree"].decode(),
        parents=_parents(oid, head["parents"]),
        author=_text(oid, head["author"], "author"),
        committer=_text(oid, head["committer"], "committer"),
        subject=_message(oid, message),
        kind=kind,
        armor=armor,
        payload=payload,
    )


def parents_of(oid: str, data: bytes) -> tuple[str, ...]:
    """The parents of a commit that need not be canonical: for walking through history accepted long ago.

    Raises:
        NotTrustedError: E_COMMIT_FORMAT, it does not begin like a commit.
    """
    found = re.match(rb"tree " + _ID + rb"\n((?:parent " + _ID + rb"\n)*)author ", data)
    if found is None:
        raise _malformed(oid, "it does not begin with tree, parents and author")
    return tuple(line[7:].decode() for line in found[1].splitlines())


def _parents(oid: str, lines: bytes) -> tuple[str, ...]:
    parents = tuple(line[7:].decode() for line in lines.splitlines())
    if len(parents) != len(set(parents)):
        raise _malformed(oid, "it names a parent twice")
    if len(parents) > MOST_PARENTS:
        raise NotTrustedError(
            f"the commit has {len(parents)} parents; a merge of more than two branches can not be reviewed",
            code="E_PARENTS",
            where=oid,
            hint="merge one branch after the other",
        )
    return parents


def _armor(oid: str, kind: str, indented: bytes) -> bytes:
    first, _, rest = indented.partition(b"\n")
    armor = first + b"\n" + b"".join(line[1:] + b"\n" for line in rest.split(b"\n")[:-1])
    if armor.count(b"-----BEGIN ") > 1:
        raise NotTrustedError(
            "the commit's signature holds a second one",
            code="E_SIG_MULTIPLE",
            where=oid,
            hint="sign the commit once, with one key",
        )
    found = _ARMOR[kind].fullmatch(armor)
    if found is None:
        raise NotTrustedError(
            "the armor of the commit's signature holds something else than one signature",
            code="E_SIG_ARMOR",
            where=oid,
            hint="sign the commit again: git commit --amend -S --no-edit",
        )
    return armor[:-1] if armor.endswith(b"\n\n") else armor


def _header(oid: str, rest: bytes) -> NotTrustedError:
    """The refusal of whatever stands where a signature or the message should begin."""
    name = rest[:40].partition(b" ")[0].decode("ascii", "replace")
    found = re.match(rb"gpgsig [^\n]*\n(?: [^\n]*\n)*", rest)
    if found is None:
        return _malformed(oid, f"it has the header {name!r}")
    after = rest[found.end() :]
    if not rest.startswith((b"gpgsig -----BEGIN SSH SIGNATURE-----\n", b"gpgsig -----BEGIN PGP SIGNATURE-----\n")):
        return NotTrustedError(
            "the commit's signature is neither SSH nor OpenPGP",
            code="E_SIG_ARMOR",
            where=oid,
            hint="sign with an SSH key: git config gpg.format ssh",
        )
    follows = after[:40].partition(b" ")[0].decode("ascii", "replace")
    return _malformed(oid, f"the header {follows!r} follows the signature")


def _what_is_wrong(data: bytes) -> str:
    for name in (b"tree", b"author", b"committer"):
        head = data.partition(b"\n\n")[0]
        count = sum(line.startswith(name + b" ") for line in head.split(b"\n"))
        if count != 1:
            return f"it has {count} {name.decode()} lines"
    return "its first lines are not tree, parents, author, committer as git writes them"


def _text(oid: str, line: bytes, name: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(oid, f"its {name} line is not UTF-8") from error


def _message(oid: str, message: bytes) -> str:
    if b"\0" in message:
        raise _malformed(oid, "its message holds a NUL")
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(oid, "its message is not UTF-8") from error
    return "".join(c if c.isprintable() else "?" for c in text.partition("\n")[0])[:200]


def _malformed(oid: str, why: str) -> NotTrustedError:
    return NotTrustedError(
        f"the commit is not in canonical form: {why}",
        code="E_COMMIT_FORMAT",
        where=oid,
        hint="make it again with plain git (git commit --amend -S --no-edit), without extra headers",
    )

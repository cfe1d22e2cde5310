"""Answers of the Data Plane API become errors in one place."""

from __future__ import annotations

import pytest
from dataplane_peer import reply

from haoam_sync.dataplane.failures import Masks, failure, word
from haoam_sync.errors import ConflictError, HaoamError, InstanceError, MissingObjectError, RefusedError
from haoam_sync.http import Reply


def error_of(status: int, message: str = "why") -> HaoamError:
    """The error for an answer of the Data Plane API with this status."""
    return failure(reply(status, {"code": status, "message": message}), asked="PUT /x", where="eu/lb1", masks=Masks())


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, RefusedError, "E_REFUSED"),
        (401, InstanceError, "E_UNAUTHORIZED"),
        (403, InstanceError, "E_FORBIDDEN"),
        (404, MissingObjectError, "E_MISSING_OBJECT"),
        (406, ConflictError, "E_CONFLICT"),
        (409, ConflictError, "E_CONFLICT"),
        (422, RefusedError, "E_REFUSED"),
        (429, InstanceError, "E_TOO_MANY_TRANSACTIONS"),
        (500, InstanceError, "E_INSTANCE"),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[HaoamError], code: str) -> None:
    """A status maps to one class and code; place and the server's words are in it, and exit 7."""
    error = error_of(status)
    assert (type(error), error.code, error.where, error.exit) == (kind, code, "eu/lb1", 7)
    assert status == 401 or "why" in error.message


@pytest.mark.parametrize("status", [200, 302, 404, 500, 502])
def test_html_is_nonsense_and_not_shown(status: int) -> None:
    """What a proxy or another server answers is E_NONSENSE at any status; none of its text is shown."""
    page = Reply(status, {"content-type": "text/html; charset=utf-8"}, b"<html>secret page</html>")
    error = failure(page, asked="GET /info", where="eu/lb1", masks=Masks())
    assert error.code == "E_NONSENSE"
    assert "text/html" in error.message
    assert "secret page" not in str(error)


def test_401_needs_no_document() -> None:
    """Whatever a 401 says, it is about the credentials."""
    page = Reply(401, {"content-type": "text/html"}, b"<html>")
    assert failure(page, asked="GET /info", where="eu/lb1", masks=Masks()).code == "E_UNAUTHORIZED"


def test_the_servers_temporary_file_is_called_by_its_name() -> None:
    """HAProxy judges a temporary copy; people know it as haproxy.cfg."""
    error = error_of(400, "validation error: [ALERT] parsing [/tmp/onlyvalidate123:3] : unknown keyword")
    assert "parsing [haproxy.cfg:3]" in error.message


def test_a_long_answer_is_cut() -> None:
    """A server that says very much does not fill the screen."""
    assert len(error_of(400, "x" * 100_000).message) < 3000


def test_masks_hide_every_spelling() -> None:
    """As it is, as JSON escapes it, as a configuration line escapes it."""
    masks = Masks()
    masks.add(['pa"ss word', "other secret"])
    assert masks.hide(r'<pa"ss word> <pa\"ss word> <pa\"ss\ word>') == "<(secret)> <(secret)> <(secret)>"


def test_masks_hide_the_longest_first() -> None:
    """A secret that is part of another does not leave the rest of it standing."""
    masks = Masks()
    masks.add(["tiger", "tiger-lily"])
    assert masks.hide("x tiger-lily tiger y") == "x (secret) (secret) y"


def test_short_secrets_are_masked_as_words_only() -> None:
    """Masking `a` everywhere would tell which letter it is."""
    masks = Masks()
    masks.add(["a", ""])
    assert masks.hide("a banana (a)") == "(secret) banana ((secret))"


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (200, "", ""),
        (400, "Reload failed: x", "reload"),
        (400, "validation error: x", "validation"),
        (409, "", "conflict"),
        (429, "", "too-many-transactions"),
        (503, "", "server"),
        (302, "", "nonsense"),
    ],
)
def test_the_audit_log_gets_one_word(status: int, message: str, expected: str) -> None:
    """Each failure has one word that holds no free text."""
    assert word(status, message) == expected

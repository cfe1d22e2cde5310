"""Which references a host resolves, and what it says when it does not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from haoam_sync.errors import HaoamError, NotTrustedError, UsageError
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.secrets import MOST_BYTES, Revealer, SecretRule

ALL = SecretRule("*/*", ("*",), ("*",), ("*",))
ALL_DEEP = SecretRule("file/*/*", ("*",), ("*",), ("*",))


def use(reference: str, kind: str = "Userlist", field: str = "users.*.password", cluster: str = "edge-eu") -> SecretUse:
    """A use of a secret."""
    return SecretUse(SecretReference.parse(reference), kind, field, cluster)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where `file/` lies; beside it lies what must not be reached."""
    (tmp_path / "audit.key").write_text("the audit key\n")
    secrets = tmp_path / "secrets"
    (secrets / "edge").mkdir(parents=True)
    for name, content in {
        "password": "hunter2\n",
        "edge/site.pem": "-----BEGIN X-----\nAAAA\n-----END X-----\n",
    }.items():
        (secrets / name).write_text(content)
        (secrets / name).chmod(0o600)
    return secrets


def refusal(error: type[HaoamError], code: str, reveal: Revealer, asked: SecretUse) -> HaoamError:
    """The error that a use gives."""
    with pytest.raises(error) as caught:
        reveal.reveal(asked)
    assert caught.value.code == code
    return caught.value


def test_environment_and_file(directory: Path) -> None:
    """What a rule allows is resolved, without the newline at its end."""
    revealer = Revealer((ALL, ALL_DEEP), {"PASSWORD": "s3cret"}, directory)
    assert revealer.reveal(use("env/PASSWORD")) == "s3cret"
    assert revealer.reveal(use("file/password")) == "hunter2"
    pem = revealer.reveal(use("file/edge/site.pem", "Certificate", "pem"))
    assert pem == "-----BEGIN X-----\nAAAA\n-----END X-----"
    assert revealer.warnings == ()


def test_nothing_listed_is_nothing_allowed(directory: Path) -> None:
    """Without a rule no secret is resolved, there or not."""
    revealer = Revealer((), {"PASSWORD": "s3cret"}, directory)
    for reference in ("env/PASSWORD", "env/OTHER", "file/password"):
        error = refusal(NotTrustedError, "E_SECRET_REFERENCE", revealer, use(reference))
        assert error.message == (
            f"this host does not allow {reference} for Userlist users.*.password on cluster edge-eu"
        )
        rule = f'{{reference: {reference}, kinds: [Userlist], fields: ["users.*.password"], clusters: [edge-eu]}}'
        assert error.hint == f"if it may, add to `secrets` of the host root file: - {rule}"


@pytest.mark.parametrize("locator", ["*", "A*", "X,kinds:[Fleet]}", 'X"', "X?", "[A-Z]", "X#"])
def test_a_hint_offers_no_rule_that_allows_more_than_was_asked_for(locator: str) -> None:
    """A reference is a repository's text: one that would be a pattern, or YAML, inside a rule is not offered as one."""
    asked = replace(use("env/X"), reference=SecretReference("env", locator))
    error = refusal(NotTrustedError, "E_SECRET_REFERENCE", Revealer((), {}, None), asked)
    assert locator not in error.hint
    assert "kinds:" not in error.hint


@pytest.mark.parametrize(
    "rule",
    [
        SecretRule("env/OTHER", ("Userlist",), ("users.*.password",), ("edge-eu",)),
        SecretRule("env/PASS", ("Userlist",), ("users.*.password",), ("edge-eu",)),
        SecretRule("env/PASSWORD", ("Certificate",), ("users.*.password",), ("edge-eu",)),
        SecretRule("env/PASSWORD", ("Userlist",), ("pem",), ("edge-eu",)),
        SecretRule("env/PASSWORD", ("Userlist",), ("users.*.password",), ("edge-us",)),
        SecretRule("env/PASSWORD", ("Userlist",), ("users.*.password",), ("edge",)),
        SecretRule("env/PASSWORD", (), ("users.*.password",), ("edge-eu",)),
        SecretRule("env/PASSWORD", ("Userlist",), (), ("edge-eu",)),
        SecretRule("env/PASSWORD", ("Userlist",), ("users.*.password",), ()),
        SecretRule("file/*", ("Userlist",), ("users.*.password",), ("edge-eu",)),
    ],
)
def test_a_rule_allows_only_what_it_says(rule: SecretRule) -> None:
    """Name, kind, field and cluster must all be covered by one rule."""
    revealer = Revealer((rule,), {"PASSWORD": "s3cret"}, None)
    refusal(NotTrustedError, "E_SECRET_REFERENCE", revealer, use("env/PASSWORD"))
    good = SecretRule("env/PASS*", ("Userlist",), ("users.*.password",), ("edge-*",))
    assert Revealer((rule, good), {"PASSWORD": "s3cret"}, None).reveal(use("env/PASSWORD")) == "s3cret"


def test_a_star_stops_at_a_slash(directory: Path) -> None:
    """`file/*` covers the directory itself, not what lies deeper."""
    revealer = Revealer((ALL,), {}, directory)
    assert revealer.reveal(use("file/password")) == "hunter2"
    refusal(NotTrustedError, "E_SECRET_REFERENCE", revealer, use("file/edge/site.pem", "Certificate", "pem"))


@pytest.mark.parametrize(
    "path",
    ["../audit.key", "edge/../../audit.key", "./password", "edge/./site.pem", "/etc/passwd", "edge//site.pem", "a\\b"],
)
def test_paths_that_are_no_paths_below(directory: Path, path: str) -> None:
    """A path that climbs, or is spelt in a second way, is refused before the file system is asked."""
    rules = tuple(SecretRule("file/" + "/".join("*" * n), ("*",), ("*",), ("*",)) for n in range(1, 6))
    error = refusal(NotTrustedError, "E_SECRET_REFERENCE", Revealer(rules, {}, directory), use(f"file/{path}"))
    assert "is no path below a directory" in error.message


def test_a_link_that_leads_out_is_refused(directory: Path) -> None:
    """A symbolic link to the audit key, or through a directory outside, gives nothing away."""
    (directory / "link").symlink_to(directory.parent / "audit.key")
    (directory / "up").symlink_to(directory.parent)
    revealer = Revealer((ALL, ALL_DEEP), {}, directory)
    for reference in ("file/link", "file/up/audit.key"):
        error = refusal(NotTrustedError, "E_SECRET_REFERENCE", revealer, use(reference))
        assert "leads out of the directory" in error.message
        assert "the audit key" not in str(error)


def test_a_link_that_stays_is_followed(directory: Path) -> None:
    """Secrets mounted by Kubernetes are links inside their directory."""
    (directory / "mounted").symlink_to("password")
    assert Revealer((ALL,), {}, directory).reveal(use("file/mounted")) == "hunter2"


def test_the_directory_may_be_a_link_itself(directory: Path) -> None:
    """Where the operator points is his decision."""
    (directory.parent / "here").symlink_to(directory)
    assert Revealer((ALL,), {}, directory.parent / "here").reveal(use("file/password")) == "hunter2"


def test_no_directory_no_files() -> None:
    """A host that names no directory resolves no file."""
    error = refusal(NotTrustedError, "E_SECRET_REFERENCE", Revealer((ALL,), {}, None), use("file/password"))
    assert error.message == "this host has no directory for file/ secrets"


@pytest.mark.parametrize(("scheme", "locator"), [("command", "vault"), ("sops", "secrets.yaml#key")])
def test_other_schemes_are_not_supported_yet(scheme: str, locator: str) -> None:
    """`command/` and `sops/` are refused by name, even where a rule would allow them."""
    error = refusal(NotTrustedError, "E_SECRET_REFERENCE", Revealer((ALL,), {}, None), use(f"{scheme}/{locator}"))
    assert error.message == f"{scheme}/ references are not supported yet by this version"
    assert error.hint == "use env/NAME or file/PATH"


def test_missing_secrets(directory: Path) -> None:
    """A variable or file that is not there is named, with what to do."""
    revealer = Revealer((ALL, ALL_DEEP), {}, directory)
    error = refusal(UsageError, "E_SECRET_MISSING", revealer, use("env/NOT_SET"))
    assert error.message == "the environment has no variable NOT_SET"
    assert error.where == "env/NOT_SET for Userlist users.*.password on edge-eu"
    error = refusal(UsageError, "E_SECRET_MISSING", revealer, use("file/edge/missing"))
    assert error.message == "the secret file cannot be read: No such file or directory"
    refusal(UsageError, "E_SECRET_MISSING", revealer, use("file/edge"))


def test_odd_names_of_variables() -> None:
    """A name that no shell could set is refused."""
    refusal(NotTrustedError, "E_SECRET_REFERENCE", Revealer((ALL,), {"A-B": "x"}, None), use("env/A-B"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("one\ntwo", "the secret holds a line break or a control character"),
        ("one\rtwo", "the secret holds a line break or a control character"),
        ("one\ttwo", "the secret holds a line break or a control character"),
        ("one\x00two", "the secret holds a line break or a control character"),
        ("\x7f", "the secret holds a line break or a control character"),
        ("", "the secret is empty"),
        ("\n", "the secret is empty"),
    ],
)
def test_values_that_would_write_another_line(value: str, message: str) -> None:
    """A secret for haproxy.cfg is one line; the message does not show it."""
    error = refusal(UsageError, "E_SECRET_VALUE", Revealer((ALL,), {"X": value}, None), use("env/X"))
    assert error.message == message
    assert "two" not in str(error)


def test_certificates_have_lines_but_no_control_characters() -> None:
    """PEM may have lines, and nothing else that does not show."""
    revealer = Revealer((ALL,), {"PEM": "a\nb\r\nc\n", "BAD": "a\x00b"}, None)
    assert revealer.reveal(use("env/PEM", "Certificate", "pem")) == "a\nb\r\nc"
    error = refusal(UsageError, "E_SECRET_VALUE", revealer, use("env/BAD", "Certificate", "pem"))
    assert error.message == "the secret holds control characters"


def test_files_that_are_no_secrets(directory: Path) -> None:
    """A pipe, a large file, bytes that are no text: refused, and never waited for."""
    os.mkfifo(directory / "pipe")
    (directory / "large").write_bytes(b"x" * (MOST_BYTES + 1))
    (directory / "bytes").write_bytes(b"\xff\xfe")
    (directory / "limit").write_bytes(b"x" * MOST_BYTES)
    revealer = Revealer((ALL,), {}, directory)
    assert refusal(UsageError, "E_SECRET_VALUE", revealer, use("file/pipe")).message == "the secret is no plain file"
    assert "more than 65536 bytes" in refusal(UsageError, "E_SECRET_VALUE", revealer, use("file/large")).message
    assert "not UTF-8" in refusal(UsageError, "E_SECRET_VALUE", revealer, use("file/bytes")).message
    assert len(revealer.reveal(use("file/limit"))) == MOST_BYTES


def test_a_secret_that_everybody_may_read_is_said(directory: Path) -> None:
    """It is resolved, since the host decides, and the operator is told."""
    (directory / "password").chmod(0o644)
    revealer = Revealer((ALL,), {}, directory)
    assert revealer.reveal(use("file/password")) == "hunter2"
    assert revealer.warnings == ("file/password can be read by everybody on this host",)

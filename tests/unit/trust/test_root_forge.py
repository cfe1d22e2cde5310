"""The host root file's `forge` and `source`: where a token is, and where it may be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.host_root import GitHubAccess, HostRoot, SourceAccess
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.secrets import Revealer, SecretRule
from haoam_sync.trust import read_root

TOKEN = "ghp_0123456789abcdefghij"


def root_file(place: Path, **spec: Any) -> Path:
    """A host root file with this in it."""
    whole = {"introduction": "a" * 40, "policy": "sha256:" + "b" * 64, "ref": "refs/heads/main", **spec}
    file = place / "root.yaml"
    file.write_text(json.dumps({"apiVersion": "haoam/v1", "kind": "HostRoot", "spec": whole}))
    file.chmod(0o644)
    return file


def read(place: Path, **spec: Any) -> HostRoot:
    """The same, read."""
    return read_root(root_file(place, **spec))


def test_a_repository_on_github(tmp_path: Path) -> None:
    """The number is enough: the API is GitHub's own, without a token."""
    found = read(tmp_path, forge={"github": {"repository": 123456}})
    assert found.github == GitHubAccess("https://api.github.com", 123456)
    assert read(tmp_path).github is None


def test_an_enterprise_server(tmp_path: Path) -> None:
    """Base URL, token by reference, and the authority's file beside the host root file."""
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    (tmp_path / "ca.pem").chmod(0o644)
    api = "https://ghe.example.com/api/v3"
    found = read(
        tmp_path,
        forge={"github": {"api": api + "/", "repository": 1, "token": "file/github", "ca": "ca.pem"}},
        source={"token": "env/GIT_TOKEN"},
        remotes=["https://ghe.example.com/ops/lb.git"],
    )
    assert found.github == GitHubAccess(api, 1, SecretReference("file", "github"), b"PEM")
    assert found.source == SourceAccess(SecretReference("env", "GIT_TOKEN"))
    assert set(found.own_secrets) == {SecretReference("file", "github"), SecretReference("env", "GIT_TOKEN")}


@pytest.mark.parametrize(
    "api",
    [
        "http://ghe.example.com/api/v3",
        "https://user:pw@ghe.example.com/api/v3",
        "https://ghe.example.com/api/v3?a=b",
        "https://ghe.example.com/api/v3#a",
        "https://ghe.example.com/api v3",
        "file:///etc/passwd",
        "//ghe.example.com",
    ],
)
def test_an_api_that_is_none(tmp_path: Path, api: str) -> None:
    """A token goes over TLS, or to a server on this machine, and to the host that the operator wrote."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, forge={"github": {"api": api, "repository": 1}})
    assert caught.value.code == "E_ROOT_FILE"


@pytest.mark.parametrize(
    "spec",
    [{"forge": {"github": {"repository": 1, "token": TOKEN}}}, {"source": {"token": TOKEN}, "remotes": ["/srv"]}],
)
def test_a_token_in_the_file(tmp_path: Path, spec: dict[str, Any]) -> None:
    """A token written into the file is refused, and not shown."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, **spec)
    assert caught.value.code == "E_ROOT_FILE"
    assert TOKEN not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_token_for_any_source(tmp_path: Path) -> None:
    """A token of the source is sent to the remotes that the operator listed; where none is, there is none to send."""
    with pytest.raises(UsageError, match="`source` needs `remotes`"):
        read(tmp_path, source={"token": "env/GIT_TOKEN"})


def test_an_authority_that_others_may_write(tmp_path: Path) -> None:
    """Whoever can exchange the authority can read the token."""
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    (tmp_path / "ca.pem").chmod(0o666)
    with pytest.raises(NotTrustedError) as caught:
        read(tmp_path, forge={"github": {"repository": 1, "ca": "ca.pem"}})
    assert caught.value.code == "E_ROOT_FILE"


def test_no_document_gets_the_hosts_own_token() -> None:
    """A rule that allows everything of the environment does not allow what the host keeps for itself."""
    token = SecretReference("env", "GITHUB_TOKEN")
    rule = SecretRule("env/*", ("*",), ("*",), ("*",))
    revealer = Revealer((rule,), {"GITHUB_TOKEN": TOKEN, "OTHER": "other"}, None, reserved=(token,))
    assert revealer.own(token, "forge.github.token") == TOKEN
    assert revealer.reveal(SecretUse(SecretReference("env", "OTHER"), "Userlist", "users.*.password", "eu")) == "other"
    with pytest.raises(NotTrustedError) as caught:
        revealer.reveal(SecretUse(token, "Userlist", "users.*.password", "eu"))
    assert caught.value.code == "E_SECRET_REFERENCE"

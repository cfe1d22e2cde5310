"""What an import writes, where, and what it leaves alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from import_case import Case

from haoam_sync import pipeline
from haoam_sync.errors import UsageError
from haoam_sync.importing import Choice
from haoam_sync.model.api_version import NEWEST
from haoam_sync.pipeline import Target

WEB = "backend web\n  mode http\n  server s1 10.0.0.1:80 check\n"
USERS = 'userlist ops\n  user eve insecure-password "it\'s a # word"\n  user bob password $5$abc$d.e/f\n'


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Imports into a directory of this test's own."""
    return Case(tmp_path)


def test_document_as_people_write_it(case: Case) -> None:
    """Comments stand on the section or the entry that they stood on; names are keys; small objects take one line."""
    case.imported(
        "# the shop\n"
        "backend web   # edge team\n"
        "  # by weight\n"
        "  balance roundrobin\n"
        "  http-request set-header X-A 1\n"
        "  # for the old app\n"
        '  http-request set-header X-B "%[src] no" if { path /old }   # gone in May\n'
        "  server s2 10.0.0.2:80 check  # the big one\n"
        "  # the small one\n"
        "  server s1 10.0.0.1:80 check\n"
        "  # that is all\n"
    )
    assert case.document("backend-web").splitlines() == [
        "# the shop",
        "# edge team",
        "apiVersion: haoam/v1",
        "kind: Backend",
        "metadata:",
        "  name: web",
        "  clusters: [eu]",
        "spec:",
        "  # by weight",
        "  balance: {algorithm: roundrobin}",
        "  http_request_rule_list:",
        '    - {type: set-header, hdr_name: X-A, hdr_format: "1"}',
        "    # for the old app",
        "    # gone in May",
        '    - {type: set-header, hdr_name: X-B, hdr_format: "\\"%[src] no\\"", cond: if, cond_test: "{ path /old }"}',
        "  servers:",
        "    # the small one",
        "    s1: {address: 10.0.0.1, port: 80, check: enabled}",
        "    # the big one",
        "    s2: {address: 10.0.0.2, port: 80, check: enabled}",
        "  # that is all",
    ]


def test_what_is_not_declared_is_external(case: Case) -> None:
    """A reference from an owned section to a foreign one is named in metadata.external, others are not."""
    text = (
        f"{WEB}backend old\n  redirect prefix x\nlisten l\n  bind 127.0.0.1:1\n"
        "frontend fe\n  bind 127.0.0.1:2 ssl crt site.pem\n  use_backend old if { path /o }\n"
        "  use_backend l if { path /l }\n  default_backend web\n"
    )
    found = case.imported(text)
    assert {str(section) for section in found.owned} == {"backend/web", "frontend/fe"}
    assert "external: [backend/l, backend/old, certificate/site.pem]" in case.document("frontend-fe")
    assert [change.fields for change in case.plan(text).changes] == [(), ()]


def test_secrets_stand_in_a_file_that_only_the_user_reads(case: Case) -> None:
    """Passwords leave the documents; their values stand in a 0600 file as a shell reads them."""
    found = case.imported(USERS)
    document = case.document("userlist-ops")
    assert "word" not in document.replace("password", "")
    assert "password: {secret: env/EU_USERLIST_OPS_USERS_EVE_PASSWORD}" in document
    assert found.secrets == case.secrets
    assert stat.S_IMODE(case.secrets.stat().st_mode) == 0o600
    passwords = {str(p): user["password"] for p, user in _users(case).items()}
    assert passwords == {"eve": '"it\'s a # word"', "bob": "$5$abc$d.e/f"}
    assert ("env/EU_USERLIST_OPS_USERS_EVE_PASSWORD", "Userlist", "users.*.password") in found.uses


def _users(case: Case) -> dict[str, dict[str, str]]:
    (section,) = case.wanted().sections.values()
    return section.body["users"]  # type: ignore[return-value]


def test_secrets_in_a_directory(case: Case, tmp_path: Path) -> None:
    """Given a directory, each value is a 0600 file of its own below it, as file/ references name it."""
    case.secrets = tmp_path / "vault"
    case.secrets.mkdir()
    case.imported(USERS)
    assert "secret: file/eu/userlist-ops-users-eve-password" in case.document("userlist-ops")
    file = case.secrets / "eu/userlist-ops-users-eve-password"
    assert file.read_text(encoding="utf-8") == '"it\'s a # word"\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_secrets_never_go_into_the_repository(case: Case, tmp_path: Path) -> None:
    """A place for secrets inside the repository, seen from its top, is refused, and nothing is written."""
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError) as caught:
        case.imported(USERS)
    assert caught.value.code == "E_SECRETS_PLACE"
    assert not case.tree.exists()
    assert not case.secrets.exists()


def test_nothing_is_overwritten(case: Case) -> None:
    """A second import into the same place is refused, and leaves every file as it is."""
    case.imported(WEB)
    before = case.document("backend-web")
    with pytest.raises(UsageError) as caught:
        case.imported(WEB.replace("10.0.0.1", "10.9.9.9") + USERS)
    assert caught.value.code == "E_EXISTS"
    assert case.document("backend-web") == before
    assert not case.secrets.exists()


def test_secrets_that_are_there_are_kept(case: Case) -> None:
    """A file of secrets that is there already is not overwritten, and no document is written either."""
    case.secrets.write_text("KEEP=1\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        case.imported(USERS)
    assert caught.value.code == "E_EXISTS"
    assert case.secrets.read_text(encoding="utf-8") == "KEEP=1\n"
    assert not case.tree.exists()


def test_names_that_differ_in_case_or_signs_alone(case: Case) -> None:
    """Sections whose file names would be equal on some file system get files of their own."""
    found = case.imported("backend Web\n  mode http\nbackend web\n  mode tcp\nbackend web:1\nbackend web_1\n")
    assert sorted(path.rpartition("/")[2] for path in found.owned.values()) == [
        "backend-Web.yaml",
        "backend-web-2.yaml",
        "backend-web_1-2.yaml",
        "backend-web_1.yaml",
    ]


def test_certificate_paths_stay_paths(case: Case) -> None:
    """A path of a certificate that nobody manages in git stays the path."""
    text = "frontend fe\n  bind 127.0.0.1:2 ssl crt /etc/haproxy/ssl/x.pem\n"
    case.imported(text)
    assert "ssl_certificate: /etc/haproxy/ssl/x.pem" in case.document("frontend-fe")
    assert [change.fields for change in case.plan(text).changes] == [()]


def test_comment_that_does_not_show_is_shown(case: Case) -> None:
    """A comment with characters that do not show does not keep its section from being owned."""
    assert case.reasons("# left\u202eright\u00a0x\nbackend web\n  mode http\n") == {}
    assert case.document("backend-web").startswith("# left\ufffdright\ufffdx\n")


def test_file_that_is_no_text(tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused by name."""
    source = tmp_path / "x.cfg"
    source.write_bytes(b"backend \xff\n")
    with pytest.raises(UsageError, match=r"x\.cfg cannot be read"):
        pipeline.import_file(source, NEWEST, Target("eu", "lb1", tmp_path, None), Choice())

"""Which sections are owned, which stay foreign, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_case import Case

from haoam_sync.errors import HaoamError
from haoam_sync.importing import Choice
from haoam_sync.model.section import SectionId, SectionKind

WEB = "backend web\n  mode http\n  server s1 10.0.0.1:80 check\n"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Imports into a directory of this test's own."""
    return Case(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("redirect scheme https if !{ ssl_fc }", "no field of the API holds `redirect scheme https if !{ ssl_fc }`"),
        ("server s2 10.0.0.1:80 frobnicate", "no field of the API holds `server s2 10.0.0.1:80 frobnicate`"),
        (
            "timeout server 5s\n  timeout server 9s",
            "`timeout server 5s` would be lost beside the other lines of its kind",
        ),
        ("server s1 10.0.0.9:80", "`server s1 10.0.0.1:80` would be lost beside the other lines of its kind"),
        ("option tcp-check\n  option mysql-check user h", "option tcp-check"),
        ("tcp-request session reject if TRUE", "tcp-request session"),
        ("unknown-keyword x y", "no field of the API holds `unknown-keyword x y`"),
    ],
)
def test_line_that_would_not_come_back(case: Case, line: str, words: str) -> None:
    """A line that a document would lose or change makes its section foreign, and is named; other sections are owned."""
    found = case.imported(f"{WEB}\nbackend odd\n  server s1 10.0.0.1:80\n  {line}\n")
    assert [str(section) for section in found.owned] == ["backend/web"]
    assert [one.heading for one in found.foreign] == ["backend odd"]
    assert words in found.foreign[0].reason


@pytest.mark.parametrize(
    "line",
    [
        "timeout server 30000",
        "timeout server 30s",
        "timeout queue 1m",
        "http-request deny status 429",
        "http-request deny deny_status 429",
        "server s2 10.0.0.2:80 weight 0 backup check inter 2s disabled",
        "server s2 10.0.0.2:80 no-sslv3",
        "stick-table type ip size 1m expire 30m store conn_cur",
        "option httpchk HEAD / HTTP/1.1\\r\\nHost:\\ www",
        "log /dev/log local0 notice",
    ],
)
def test_other_spelling_is_no_loss(case: Case, line: str) -> None:
    """What the server only spells otherwise is owned, and its plan changes nothing."""
    text = f"backend one\n  server s1 10.0.0.1:80\n  {line}\n"
    assert case.reasons(text) == {}
    assert [change.fields for change in case.plan(text).changes] == [()]


@pytest.mark.parametrize(
    "text",
    [
        "fcgi-app a\n  docroot /srv\n",
        "log-forward l\n  dgram-bind 127.0.0.1:1514\n  log global\n",
        "backend b\n  filter bwlim-out slow default-limit 625000 default-period 1s\n  server s1 10.0.0.1:80\n",
        "backend b\n  filter bwlim-in slow key src table b limit 1m\n  stick-table type ip size 10 store conn_cur\n",
    ],
)
def test_what_the_server_adds_without_a_change_is_no_loss(case: Case, text: str) -> None:
    """Names that binds get, and defaults that the server writes out, are owned, and their plan changes nothing."""
    assert case.reasons(text) == {}
    assert {change.fields for change in case.plan(text).changes} == {()}


def test_conditional_sections_stay_foreign(case: Case) -> None:
    """A section in an .if block, or with one in it, stays foreign; one after it is owned; the file is warned of."""
    text = f"backend a\n  mode http\n.if defined(X)\n{WEB}.endif\nbackend after\n  mode http\n"
    found = case.imported(text)
    assert [str(section) for section in found.owned] == ["backend/after"]
    assert {one.heading for one in found.foreign} == {"backend a", "backend web"}
    assert all(".if block" in one.reason for one in found.foreign)
    assert any("E_CONDITIONALS" in warning for warning in found.warnings)


def test_kinds_without_documents_stay_foreign(case: Case) -> None:
    """listen, and what this tool does not know, stay foreign and say so."""
    reasons = case.reasons("listen l\n  bind 127.0.0.1:1\nprogram p\n  command x\n")
    assert "make a frontend and a backend of it" in reasons["listen l"]
    assert reasons["program p"] == "this tool knows no program sections"


def test_sections_of_one_name_stay_foreign(case: Case) -> None:
    """Of two sections with one name none is owned: a document could mean only one."""
    reasons = case.imported(f"{WEB}{WEB}").foreign
    assert [one.reason for one in reasons] == ["there are several of this name"] * 2


def test_login_of_the_api_stays_foreign(case: Case) -> None:
    """The userlist with the API's own user stays foreign, whatever it is called; the others are owned."""
    text = "userlist a\n  user admin insecure-password x\nuserlist b\n  user eve insecure-password x\n"
    found = case.imported(text, Choice(user="admin"))
    assert [str(section) for section in found.owned] == ["userlist/b"]
    assert "admin among them" in found.foreign[0].reason


def test_userlist_that_looks_like_the_login_stays_foreign(case: Case) -> None:
    """Without --user a userlist that nothing refers to and that is called like the API stays foreign."""
    text = "userlist dataplaneapi\n  user admin insecure-password x\n"
    assert "--user" in case.reasons(text)["userlist dataplaneapi"]


def test_userlist_with_that_name_that_is_used_is_owned(case: Case) -> None:
    """The same userlist is owned when a rule refers to it."""
    text = "userlist dataplaneapi\n  user admin insecure-password x\nbackend b\n  acl ok http_auth(dataplaneapi)\n"
    assert case.reasons(text) == {}


def test_reasons_hold_no_secrets(case: Case) -> None:
    """A line with a password that cannot be imported is named without the password."""
    text = "userlist u\n  user a insecure-password s3cr3t frob\nbackend b\n  stats auth a:s3cr3t frob\n"
    reasons = case.reasons(text)
    assert reasons
    assert "s3cr3t" not in str(reasons)


def test_only_named_sections_are_looked_at(case: Case) -> None:
    """With sections named, the others are neither owned nor reported, and global and userlists can be named."""
    users = "userlist dataplaneapi\n  user a insecure-password x\n"
    text = f"global\n  maxconn 5\n{users}{WEB}backend other\n  redirect prefix x\n"
    names = {SectionId(SectionKind.GLOBAL, ""), SectionId(SectionKind.USERLIST, "dataplaneapi")}
    found = case.imported(text, Choice(only=names))
    assert {str(section) for section in found.owned} == {"global", "userlist/dataplaneapi"}
    assert found.foreign == ()


def test_two_defaults_of_one_name_are_refused(case: Case) -> None:
    """Two defaults sections of one name cannot be told apart: nothing is imported."""
    with pytest.raises(HaoamError, match="two defaults sections are called 'x'"):
        case.imported("defaults x\ndefaults x\n")
    assert not case.tree.exists()


def test_defaults_below_servers_are_warned_of(case: Case) -> None:
    """default-server below a server does not reach it today, and would after the server's first write: a warning."""
    found = case.imported("backend b\n  server s1 10.0.0.1:80\n  default-server inter 9s\n  server s2 10.0.0.2:80\n")
    assert any("default-server stands below s1" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("servers", "warned"),
    [
        ("balance first\n  server b 10.0.0.1:80\n  server a 10.0.0.2:80", True),
        ("balance first\n  server a 10.0.0.1:80\n  server b 10.0.0.2:80", False),
        ("balance roundrobin\n  server b 10.0.0.1:80\n  server a 10.0.0.2:80", False),
        ("balance uri\n  server s2 10.0.0.1:80\n  server s10 10.0.0.2:80", True),
        ("balance uri\n  hash-type consistent\n  server b 10.0.0.1:80 id 1\n  server a 10.0.0.2:80 id 2", False),
        ("balance uri\n  server b 10.0.0.1:80 id 1\n  server a 10.0.0.2:80 id 2", True),
        ("server b 10.0.0.1:80\n  server a 10.0.0.2:80", True),
    ],
)
def test_order_of_servers(case: Case, servers: str, warned: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A warning when sorting servers by name moves them and the balancing, perhaps of the defaults, goes by place."""
    found = case.imported(f"defaults\n  balance source\nbackend x\n  {servers}\n")
    assert any("depends on the order of servers" in warning for warning in found.warnings) is warned


def test_secret_in_clear_is_warned_of(case: Case) -> None:
    """A header that looks like a secret gets a warning without its value; one from the environment gets none."""
    line = "http-request set-header Authorization"
    found = case.imported(f'backend a\n  {line} tok3n\nbackend b\n  {line} "Bearer ${{TOKEN}}"\n')
    _no_fleet, warning = found.warnings
    assert "backend/a: Authorization looks like a secret" in warning
    assert "tok3n" not in warning

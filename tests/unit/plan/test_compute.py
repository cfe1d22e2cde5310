"""What a plan holds, given what git wants and what is there."""

from __future__ import annotations

import pytest
from plan_values import COMMIT, REPOSITORY, TEXT, Given, compute

from haoam_sync.errors import InvalidDesiredError, OverLimitError
from haoam_sync.model.desired import DesiredCertificate
from haoam_sync.model.plan import Action, Reason
from haoam_sync.model.position import Position

WEB = {
    "from": "base",
    "mode": "http",
    "balance": {"algorithm": "roundrobin"},
    "servers": {
        "s1": {"name": "s1", "address": "127.0.0.1", "port": 8081, "weight": 100},
        "s2": {"name": "s2", "address": "127.0.0.1", "port": 8082, "weight": 100},
    },
}


def _weighted(weight: int) -> dict[str, object]:
    return {**WEB, "servers": {**WEB["servers"], "s1": {**WEB["servers"]["s1"], "weight": weight}}}  # type: ignore[dict-item]


def test_equal_is_empty(given: Given) -> None:
    """What is as git says, needs nothing."""
    web = given.section("backend/web", WEB)
    result = compute(given.desired(web), given.live(given.there("backend/web", WEB, mark=web)), None)
    assert result.empty
    assert list(result.owned) == [web.id]


def test_missing_is_created(given: Given) -> None:
    """A declared section that is not there is created, with our mark on it."""
    web = given.section("backend/web", WEB)
    result = compute(given.desired(web), given.live(), None)
    (change,) = result.changes
    assert (change.action, change.reason) == (Action.CREATE, Reason.GIT)
    assert change.body is not None
    assert change.body["metadata"] == {
        "haoam": {"repository": REPOSITORY, "commit": COMMIT, "file": "haproxy/web.yaml", "digest": web.digest}
    }


def test_field_difference_names_the_field_and_both_values(given: Given) -> None:
    """An update shows the one field that differs."""
    web = given.section("backend/web", WEB)
    live = given.live(given.there("backend/web", _weighted(7), mark=web))
    (change,) = compute(given.desired(web), live, given.desired(web)).changes
    assert change.reason is Reason.DRIFT
    assert [(f.path, f.before, f.after) for f in change.fields] == [("servers.s1.weight", 7, 100)]


@pytest.mark.parametrize(
    ("applied", "live", "wanted", "reason"),
    [(100, 100, 50, Reason.GIT), (100, 7, 100, Reason.DRIFT), (100, 7, 50, Reason.BOTH)],
)
def test_reason(given: Given, applied: int, live: int, wanted: int, reason: Reason) -> None:
    """The reason comes from comparing three ways: applied last, live, wanted."""
    old, new = given.section("backend/web", _weighted(applied)), given.section("backend/web", _weighted(wanted))
    snapshot = given.live(given.there("backend/web", _weighted(live), mark=old))
    (change,) = compute(given.desired(new), snapshot, given.desired(old)).changes
    assert change.reason is reason


def test_section_there_already_is_adopted_and_says_so(given: Given) -> None:
    """A declared section that is there and not ours is adopted, even when nothing in it differs."""
    web = given.section("backend/web", WEB)
    result = compute(given.desired(web), given.live(given.there("backend/web", WEB, mark=None)), None)
    assert [(c.action, c.reason, c.fields) for c in result.changes] == [(Action.UPDATE, Reason.ADOPT, ())]
    assert not result.owned


def test_foreign_is_left_alone(given: Given) -> None:
    """What carries no mark and was never applied is listed and not touched."""
    live = given.live(given.there("backend/theirs", WEB, mark=None), foreign=("listen stats",))
    result = compute(given.desired(), live, None)
    assert result.empty
    assert result.foreign == ("backend/theirs", "listen stats")


def test_owned_and_undeclared_is_deleted(given: Given) -> None:
    """Taking a document out of git deletes its section, protected or not is said."""
    old = given.section("backend/web", WEB, protected=True)
    live = given.live(given.there("backend/web", WEB, mark=old))
    (change,) = compute(given.desired(), live, given.desired(old)).changes
    assert (change.action, change.protected) == (Action.DELETE, True)


def test_ignored_field_is_neither_compared_nor_written(given: Given) -> None:
    """What somebody else owns keeps its live value, also when the section is written for another reason."""
    web = given.section("backend/web", {**WEB, "mode": "tcp"}, ignore=("servers.*.weight",))
    live = given.live(given.there("backend/web", _weighted(7)))
    (change,) = compute(given.desired(web), live, None).changes
    assert [f.path for f in change.fields] == ["mode"]
    assert change.body is not None
    assert change.body["servers"]["s1"]["weight"] == 7  # type: ignore[index,call-overload]


def test_metadata_of_others_stays(given: Given) -> None:
    """Comments and marks of others survive our write; ours is added beside them."""
    web = given.section("backend/web", _weighted(1))
    body = _weighted(2) | {"metadata": {"comment": "pager 7"}}
    body["servers"]["s2"] = body["servers"]["s2"] | {"metadata": {"comment": "old box"}}  # type: ignore[index]
    (change,) = compute(given.desired(web), given.live(given.there("backend/web", body)), None).changes
    assert change.body is not None
    assert change.body["metadata"]["comment"] == "pager 7"  # type: ignore[index,call-overload]
    assert change.body["servers"]["s2"]["metadata"] == {"comment": "old box"}  # type: ignore[index,call-overload]


def test_secret_shows_as_reference_never_as_value(given: Given) -> None:
    """A plan names where a secret comes from; neither side's value is in its fields or digest."""
    users = {"ops": {"username": "ops", "password": "new-password", "secure_password": False}}
    wanted = given.section("userlist/people", {"users": users}, secrets={("users", "ops", "password"): "env/OPS"})
    current = {"users": {"ops": {"username": "ops", "password": "old-password", "secure_password": False}}}
    live = given.live(given.there("userlist/people", current))
    result = compute(given.desired(wanted), live, None)
    (field,) = result.changes[0].fields
    assert (field.path, field.before, field.after) == (
        "users.ops.password",
        {"secret": "current"},
        {"secret": "env/OPS"},
    )
    assert 'password"' not in repr(result)
    assert "new-password" not in repr(result) + str(result.digested())
    assert "old-password" not in repr(result) + str(result.digested())


def test_unresolved_secret_is_not_compared(given: Given) -> None:
    """The plan of a proposed commit does not know secrets, says so, and does not take them for differences."""
    users = {"ops": {"username": "ops", "password": "env/OPS", "secure_password": False}}
    wanted = given.section(
        "userlist/people", {"users": users}, secrets={("users", "ops", "password"): "env/OPS"}, resolved=False
    )
    current = {"users": {"ops": {"username": "ops", "password": "old-password", "secure_password": False}}}
    result = compute(given.desired(wanted), given.live(given.there("userlist/people", current)), None)
    assert result.empty
    assert result.unresolved


def test_certificates_are_created_first_named_and_deleted_when_replaced(given: Given) -> None:
    """A new content is a new file; the old file of the same certificate goes, files of others stay."""
    site = DesiredCertificate(
        "site", "site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem", b"PEM", None, Position("haproxy/site.yaml")
    )
    live = given.live(certificates=("site-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.pem", "theirs.pem"), certificate_dir="/ssl/")
    result = compute(given.desired(certificates=(site,)), live, None)
    assert [(c.action, c.name) for c in result.certificates] == [
        (Action.CREATE, "site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem"),
        (Action.DELETE, "site-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.pem"),
    ]


def test_certificate_directory_of_the_instance_is_filled_in(given: Given) -> None:
    """A bind's certificate is compared by the path that it has on this instance."""
    bind = {"name": "https", "address": "127.0.0.1", "port": 8443, "ssl": True}
    wanted = given.section(
        "frontend/fe",
        {"binds": {"https": {**bind, "ssl_certificate": "@ssl_certs_dir/site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem"}}},
    )
    there = {"binds": {"https": {**bind, "ssl_certificate": "/ssl/site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem"}}}
    live = given.live(given.there("frontend/fe", there), certificate_dir="/ssl/")
    assert compute(given.desired(wanted), live, None).empty


def test_unresolved_secrets_in_lists_and_under_names_with_dots_are_not_compared(given: Given) -> None:
    """A password that stands in a list, or under a name with a dot, is no difference while it is not resolved."""
    rest = {"stats_show_node_name": None}
    stats = {"stats_options": {"stats_auths": [{"user": "netops", "passwd": "env/STATS"}], **rest}}
    running = {"stats_options": {"stats_auths": [{"user": "netops", "passwd": "s3cret"}], **rest}}
    people = {"users": {"j.doe": {"username": "j.doe", "password": "env/DOE", "secure_password": True}}}
    declared = (
        given.section(
            "frontend/fe", stats, secrets={("stats_options", "stats_auths", 0, "passwd"): "env/STATS"}, resolved=False
        ),
        given.section("userlist/people", people, secrets={("users", "j.doe", "password"): "env/DOE"}, resolved=False),
    )
    there = (
        ("frontend/fe", running, declared[0]),
        ("userlist/people", {"users": {"j.doe": {**people["users"]["j.doe"], "password": "$6$x"}}}, declared[1]),
    )
    live = given.live(*(given.there(name, body, mark=section) for name, body, section in there))
    assert compute(given.desired(*declared), live, given.desired(*declared)).changes == ()


def test_an_unresolved_secret_in_a_list_hides_nothing_else(given: Given) -> None:
    """Another user beside an unresolved password, or one user more, is a difference all the same."""
    path = ("stats_options", "stats_auths", 0, "passwd")
    for auths in (
        [{"user": "mallory", "passwd": "env/STATS"}],
        [{"user": "netops", "passwd": "env/STATS"}, {"user": "mallory", "passwd": "env/STATS"}],
    ):
        section = given.section(
            "frontend/fe", {"stats_options": {"stats_auths": auths}}, secrets={path: "env/STATS"}, resolved=False
        )
        now = {"stats_options": {"stats_auths": [{"user": "netops", "passwd": "s3cret"}]}}
        live = given.live(given.there("frontend/fe", now, mark=section))
        (change,) = compute(given.desired(section), live, given.desired(section)).changes
        assert [field.path for field in change.fields] == ["stats_options.stats_auths"]


def test_unresolved_certificate_is_not_a_difference(given: Given) -> None:
    """A plan without secrets does not know the new file's name, and takes the live one of that certificate for it."""
    bind = {"name": "https", "address": "127.0.0.1", "port": 8443, "ssl": True}
    wanted = given.section(
        "frontend/fe", {"binds": {"https": {**bind, "ssl_certificate": "@ssl_certs_dir/site-unresolved.pem"}}}
    )
    site = DesiredCertificate("site", "site-unresolved.pem", None, None, Position("haproxy/site.yaml"))
    there = {"binds": {"https": {**bind, "ssl_certificate": "/ssl/site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem"}}}
    live = given.live(
        given.there("frontend/fe", there),
        certificates=("site-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem",),
        certificate_dir="/ssl/",
    )
    assert compute(given.desired(wanted, certificates=(site,)), live, None).empty
    other = {"binds": {"https": {**bind, "ssl_certificate": "/ssl/other-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pem"}}}
    live = given.live(given.there("frontend/fe", other), certificate_dir="/ssl/")
    assert not compute(given.desired(wanted, certificates=(site,)), live, None).empty


def test_first_write_brings_the_file_into_normal_form(given: Given) -> None:
    """A file with implicit defaults is rewritten first, with every `from` spelled out and the diff shown."""
    text = (
        "global\n  master-worker\n\ndefaults\n  mode http\n\n"
        "userlist u\n  user x password $5$abc\n\nbackend web\n  server s 127.0.0.1:1\n"
    )
    result = compute(given.desired(given.section("backend/b2", WEB)), given.live(text=text), None)
    assert result.normal_form is not None
    assert "backend web from unnamed_defaults_1" in result.normal_form
    assert "+backend web from unnamed_defaults_1" in result.normal_form_diff
    assert "$5$abc" not in result.normal_form_diff


def test_the_digest_covers_what_the_normal_form_changes(given: Given) -> None:
    """Another normal form is another plan; a change elsewhere in the file is not."""
    text = "global\n  master-worker\n\ndefaults\n  mode {}\n\nuserlist u\n\nbackend web\n  server s 127.0.0.1:{}\n"

    def digest(mode: str, port: int) -> str:
        live = given.live(text=text.format(mode, port))
        return compute(given.desired(given.section("backend/b2", WEB)), live, None).digest

    plain = digest("http", 1)
    assert digest("http", 1) == plain
    assert digest("http", 2) == plain
    moved = text.replace("defaults\n", "defaults other\n").format("http", 1)
    assert compute(given.desired(given.section("backend/b2", WEB)), given.live(text=moved), None).digest != plain


def test_white_space_at_line_ends_is_no_reason_to_rewrite_a_file(given: Given) -> None:
    """The server leaves a space behind an empty argument; a file that differs by that alone is in normal form."""
    text = TEXT.replace("  mode http\n", "  mode http\n  default-server \n", 1)
    live = given.live(text=text)
    assert compute(given.desired(given.section("backend/b2", WEB)), live, None).normal_form is None


def test_conditionals_are_refused(given: Given) -> None:
    """A file with .if is never written to: the server's normal form would lose the .if."""
    with pytest.raises(OverLimitError) as caught:
        compute(given.desired(given.section("backend/b2", WEB)), given.live(text=".if defined(X)\n.endif\n"), None)
    assert caught.value.code == "E_CONDITIONALS"


def test_field_of_a_newer_api_is_refused_by_name(given: Given) -> None:
    """A field that the instance's API does not know is an error of the plan, since the server would drop it."""
    section = given.section("frontend/fe", {"abortonclose": "enabled"})
    assert compute(given.desired(section), given.live(api="3.4"), None).changes
    with pytest.raises(InvalidDesiredError) as caught:
        compute(given.desired(section), given.live(api="3.2"), None)
    assert "the field abortonclose does not exist in Data Plane API 3.2" in str(caught.value.problems[0])


def test_what_an_older_api_turns_round_is_refused_by_name(given: Given) -> None:
    """What the newest API keeps and the instance's own would turn round is an error of the plan, and no such write."""
    bind = {"name": "b", "address": "127.0.0.1", "port": 8443, "no_tls_tickets": True}
    section = given.section("frontend/fe", {"binds": {"b": bind}})
    assert compute(given.desired(section), given.live(api="3.4"), None).changes
    with pytest.raises(InvalidDesiredError) as caught:
        compute(given.desired(section), given.live(api="3.2"), None)
    assert "binds.b would be lost by Data Plane API 3.2" in str(caught.value.problems[0])


def test_order_of_writing(given: Given) -> None:
    """What others refer to is written before them and deleted after them."""
    wanted = given.desired(
        given.section("frontend/fe", {"from": "base", "default_backend": "web"}),
        given.section("backend/web", WEB),
        given.section("defaults/base", {"mode": "http"}),
    )
    live = given.live(given.there("backend/old", WEB), given.there("frontend/old", {"from": "base"}))
    order = [f"{c.action} {c.section}" for c in compute(wanted, live, None).changes]
    assert order == [
        "create defaults/base",
        "create backend/web",
        "create frontend/fe",
        "delete frontend/old",
        "delete backend/old",
    ]


def test_capacity_counts_shares_not_sums(given: Given) -> None:
    """Halving all weights takes nothing away; taking one of two equal servers out leaves half."""
    both = {
        **WEB,
        "servers": {n: {**s, "weight": 50} for n, s in WEB["servers"].items()},  # type: ignore[attr-defined]
    }
    (change,) = compute(
        given.desired(given.section("backend/web", both)), given.live(given.there("backend/web", WEB)), None
    ).changes
    assert change.cost.capacity_left == 100
    one = {**WEB, "servers": {"s1": WEB["servers"]["s1"]}}  # type: ignore[index]
    (change,) = compute(
        given.desired(given.section("backend/web", one)), given.live(given.there("backend/web", WEB)), None
    ).changes
    assert (change.cost.capacity_left, change.cost.servers_leaving) == (50, ("web/s2",))


@pytest.mark.parametrize("more", [{"disabled": True}, {"default_server": {"maintenance": "enabled"}}])
def test_capacity_sees_a_backend_that_is_switched_off_as_a_whole(given: Given, more: dict[str, object]) -> None:
    """Disabling a backend, or resting all its servers by default, leaves nothing."""
    (change,) = compute(
        given.desired(given.section("backend/web", {**WEB, **more})),
        given.live(given.there("backend/web", WEB)),
        None,
    ).changes
    assert change.cost.capacity_left == 0


def test_proxy_without_from_is_warned_about(given: Given) -> None:
    """A proxy that takes its defaults by position is named, since the server reorders sections."""
    section = given.section("backend/web", {k: v for k, v in WEB.items() if k != "from"})
    live = given.live(given.there("defaults/base", {"mode": "http"}, mark=None))
    assert "backend/web has no `from`" in compute(given.desired(section), live, None).warnings[0]


@pytest.mark.parametrize(
    ("section", "field", "child"),
    [
        ("backend/web", "servers", {"name": "metadata", "address": "127.0.0.1", "port": 1}),
        ("frontend/fe", "binds", {"name": "metadata", "address": "127.0.0.1", "port": 1}),
        ("userlist/people", "users", {"username": "metadata", "password": "x", "secure_password": False}),
    ],
)
def test_a_child_may_be_called_metadata(given: Given, section: str, field: str, child: dict[str, object]) -> None:
    """A server, bind or user called `metadata` is one: added by somebody it is drift, declared it is written."""
    plain: dict[str, object] = {} if section.startswith("userlist") else {"mode": "http"}
    rogue = {**plain, field: {"metadata": child}}
    wanted, earlier = given.section(section, plain), given.section(section, plain)
    result = compute(given.desired(wanted), given.live(given.there(section, rogue)), given.desired(earlier))
    assert result.changes[0].reason is Reason.DRIFT
    assert {name.split(".")[1] for name in (f.path for f in result.changes[0].fields)} == {"metadata"}
    declared = given.section(section, rogue)
    (change,) = compute(given.desired(declared), given.live(given.there(section, plain)), None).changes
    assert change.body is not None
    assert "metadata" in change.body[field]  # type: ignore[operator]


def test_defaults_by_position_are_no_difference(given: Given) -> None:
    """A document that names the defaults in force at a proxy's place is adopted without a field changing."""
    text = "frontend a\ndefaults\n  mode http\nfrontend b\ndefaults\n  mode tcp\n"
    live = given.live(
        given.there("frontend/a", {}, mark=None),
        given.there("frontend/b", {}, mark=None),
        given.there("defaults/unnamed_defaults_1", {"mode": "http"}, mark=None),
        text=text,
    )
    wanted = given.desired(
        given.section("frontend/a", {"from": "no_defaults"}),
        given.section("frontend/b", {"from": "unnamed_defaults_1"}),
        given.section("defaults/no_defaults", {}),
    )
    changes = compute(wanted, live, None).changes
    assert {(str(c.section), c.action.value, c.reason.value, c.fields) for c in changes} == {
        ("frontend/a", "update", "adopt", ()),
        ("frontend/b", "update", "adopt", ()),
        ("defaults/no_defaults", "update", "adopt", ()),
    }


def test_other_defaults_than_by_position_are_a_difference(given: Given) -> None:
    """A document that names other defaults than those in force changes `from`, and says so."""
    text = "defaults one\n  mode http\nfrontend b\ndefaults two\n  mode tcp\n"
    live = given.live(given.there("frontend/b", {}, mark=None), text=text)
    wanted = given.desired(given.section("frontend/b", {"from": "two"}))
    (change,) = compute(wanted, live, None).changes
    assert [(field.path, field.before, field.after) for field in change.fields] == [("from", "one", "two")]

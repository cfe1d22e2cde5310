"""`trust verify` and `trust explain`: what is told of steps, ranges, refusals, and of what this host remembers."""

from __future__ import annotations

from typing import Any

import pytest
from flow_attack import Site
from trust_world import policy_bytes, policy_document

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import digest_bytes
from haoam_sync.pipeline.opening import opened
from haoam_sync.settings import Settings


def step(site: Site, milliseconds: int, base: str, *parents: str, signer: str = "alice", by: str = "bob") -> str:
    """A change of one value, reviewed, on the policy's branch."""
    head = site.move(site.commit(site.with_timeout(milliseconds), [base, *parents], signer))
    if by:
        site.review(by, base, head)
    return head


def remember(site: Site) -> str:
    """What `apply` does first: the branch's tip is accepted, and noted."""
    with opened(Settings(str(site.source), site.place / "root.yaml", site.host, site.place / "audit", "host")) as here:
        accepted = here.verify("")
        here.memory.store(accepted)
        return accepted.commit.id


def change_policy(site: Site, base: str, **changes: Any) -> str:
    """The next policy, signed by alice, approved by bob."""
    spec = policy_document(site.publics, serial=2, previous=digest_bytes(policy_bytes(site.spec)), **changes)
    files = {**site.with_timeout(1), "trust.yaml": policy_bytes(spec)}
    head = site.move(site.commit(files, [base]))
    site.review("bob", base, head)
    return head


@pytest.fixture
def story(site: Site) -> dict[str, str]:
    """A fast-forward, a group of two, a merge, and a change of the policy."""
    first = step(site, 2, site.introduction)
    inner = site.commit(site.with_timeout(3), [first], "dave")
    group = site.move(site.commit(site.with_timeout(4), [inner]))
    site.review("carol", first, group)
    branch = site.commit(site.with_timeout(1), [group], "dave")
    site.review("bob", group, branch)
    merge = site.move(site.commit(site.with_timeout(1), [group, branch], "carol"))
    policy = change_policy(site, merge)
    return {"first": first, "inner": inner, "group": group, "branch": branch, "merge": merge, "policy": policy}


def kinds(steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Kind and end of each row."""
    return [(row["kind"], row["commit"]) for row in steps]


def test_every_step_is_a_row(site: Site, story: dict[str, str]) -> None:
    """From the introduction on: kinds, signers, reviewers with their evidence, rules, policies and ids in full."""
    said = site.must(0, "trust", "verify", "--output", "json").json
    assert said["accepted"]["commit"] == story["policy"]
    assert kinds(said["steps"]) == [
        ("introduction", site.introduction),
        ("fast-forward", story["first"]),
        ("group", story["group"]),
        ("merge", story["merge"]),
        ("fast-forward", story["policy"]),
    ]
    introduction, first, group, merge, policy = said["steps"]
    assert (introduction["rules"], introduction["reviews"]) == ([], [])
    assert [signer["principal"] for signer in group["signers"]] == ["dave", "alice"]
    assert group["commits"] == [story["inner"], story["group"]]
    assert [(r["principal"], r["evidence"]) for r in group["reviews"]] == [("carol", "signed")]
    assert first["changed"] == ["haproxy/web.yaml"]
    assert [(rule["paths"], rule["require"]) for rule in first["rules"]] == [
        (["haproxy/**", "docs/**"], {"reviewer": 1}),
    ]
    assert merge["commits"] == [story["branch"], story["merge"]]
    assert [row["changes_policy"] for row in said["steps"]] == [False, False, False, False, True]
    assert {row["verdict"] for row in said["steps"]} == {"accepted"}
    assert not any(row["remembered"] for row in said["steps"])
    assert policy["rules"][0]["require"] == {"root": 2}


def test_the_table_says_the_same(site: Site, story: dict[str, str]) -> None:
    """One line a step: short id, kind, policy, who signed, who reviewed by what evidence, rules, verdict."""
    lines = site.must(0, "trust", "verify").out.splitlines()
    assert [line[:12] for line in lines[1:6]] == [
        commit[:12] for commit in (site.introduction, story["first"], story["group"], story["merge"], story["policy"])
    ]
    assert all(word in lines[3] for word in ("group of 2", "dave, alice", "carol (signed)", "1 reviewer", "accepted"))
    assert "fast-forward, policy" in lines[5]
    assert "2 root" in lines[5]
    assert lines[-1] == f"{story['policy']} is trusted"


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        ("{first}..{merge}", ["group", "merge"]),
        ("{first}..", ["group", "merge", "policy"]),
        ("..{group}", ["", "first", "group"]),
        ("main~2..main", ["merge", "policy"]),
        ("HEAD~1..HEAD", ["policy"]),
        ("{policy}..{policy}", []),
        ("{inner}..{merge}", ["group", "merge"]),
        ("{merge}", ["", "first", "group", "merge"]),
    ],
)
def test_a_range_cuts_what_is_shown(site: Site, story: dict[str, str], span: str, shown: list[str]) -> None:
    """A..B shows the steps after A up to B; what is left out is verified all the same."""
    said = site.must(0, "trust", "verify", span.format(**story), "--output", "json").json
    assert [row["commit"] for row in said["steps"]] == [story.get(name, site.introduction) for name in shown]


def test_what_is_left_out_is_verified(site: Site) -> None:
    """An unsigned commit before A ends the verification of A..B: the range hides nothing."""
    evil = site.move(site.commit(site.with_timeout(6), [site.introduction], None))
    site.review_raw("bob", site.introduction, evil)
    head = step(site, 7, evil)
    said = site.must(4, "trust", "verify", f"{evil}..{head}", "--output", "json").json
    assert (said["code"], [(row["commit"], row["verdict"]) for row in said["steps"]]) == (
        "E_UNSIGNED",
        [(evil, "refused")],
    )


def test_a_refused_step_is_a_row(site: Site, story: dict[str, str]) -> None:
    """The rows before it are accepted; it says code, what was found, what would help, who approved so far; exit 4."""
    base = story["policy"]
    fleet = {**site.with_timeout(1), "haoam.yaml": site.files["haoam.yaml"] + b"# more\n"}  # type: ignore[operator]
    spec = policy_document(site.publics, serial=2, previous=digest_bytes(policy_bytes(site.spec)))
    head = site.move(site.commit({**fleet, "trust.yaml": policy_bytes(spec)}, [base]))
    site.review("bob", base, head)
    site.review("alice", base, head)
    said = site.must(4, "trust", "verify", "--output", "json").json
    assert {"exit", "code", "message", "where", "hint"} < set(said)
    assert (said["exit"], said["code"]) == (4, said["steps"][-1]["refusal"]["code"])
    last = said["steps"][-1]
    assert [row["verdict"] for row in said["steps"]] == ["accepted"] * 5 + ["refused"]
    assert (last["commit"], last["base"], last["kind"]) == (head, base, "fast-forward")
    assert [review["principal"] for review in last["reviews"]] == ["bob"]
    assert [(one["principal"], one["code"]) for one in last["ignored"]] == [("alice", "E_SELF_REVIEW")]
    ran = site.must(4, "trust", "verify")
    assert f"REFUSED {said['code']}" in ran.out
    assert "  to do  " in ran.out
    assert ran.out.splitlines()[-1] == f"{head} is NOT trusted: {said['code']}"


def test_a_step_whose_desired_state_is_invalid_is_a_row(site: Site) -> None:
    """It says what is wrong and what would help, as a table, as JSON and explained, after the steps before; exit 3."""
    base = site.move(site.commit(site.with_timeout(7), [site.introduction]))
    site.review("bob", site.introduction, base)
    head = site.move(site.commit(site.with_file("haproxy/web.yaml", b"apiVersion: haoam/v1\nkind: Backend\n"), [base]))
    site.digests[base, head] = "sha256:" + "0" * 64
    site.review("bob", base, head)
    said = site.must(3, "trust", "verify", f"{site.introduction}..{head}", "--output", "json").json
    last = said["steps"][-1]
    assert [row["verdict"] for row in said["steps"]] == ["accepted", "refused"]
    assert (last["commit"], last["base"], last["refusal"]["code"], said["exit"]) == (head, base, "E_INVALID", 3)
    assert last["refusal"]["where"].startswith("haproxy/web.yaml:")
    ran = site.must(3, "trust", "verify")
    assert "REFUSED E_INVALID" in ran.out
    assert "  to do  " in ran.out
    explained = site.must(3, "trust", "explain", head)
    assert f"{head} is not trusted: E_INVALID" in explained.out
    assert site.must(3, "trust", "explain", head, "--output", "json").json["code"] == "E_INVALID"


@pytest.mark.parametrize(
    "span",
    [
        "a...b",
        "main^",
        "main~x",
        "--upload-pack=x..main",
        "..--all",
        "main@{1}",
        ":/fix",
        "a b",
        "main..a..b",
        "~9999999",
    ],
)
def test_a_range_that_is_none(site: Site, span: str) -> None:
    """Anything beside the small grammar is wrong usage, and git never sees it."""
    ran = site.must(64, "trust", "verify", "--", span)
    assert ran.err.startswith("E_RANGE: ")


def test_a_range_that_begins_elsewhere(site: Site, story: dict[str, str]) -> None:
    """A must lie on the way to B: a side branch, or the two the wrong way round, are no range."""
    for span in (f"{story['branch']}..{story['policy']}", f"{story['merge']}..{story['first']}", "main~6..main"):
        assert site.must(64, "trust", "verify", span).err.startswith("E_RANGE: ")


def test_what_was_accepted_before_is_told_from_the_memory(site: Site, story: dict[str, str]) -> None:
    """A host that accepted history shows it as remembered; what came after is judged now."""
    remember(site)
    nothing_new = site.must(0, "trust", "verify", "--output", "json").json
    assert [(row["commit"], row["remembered"]) for row in nothing_new["steps"]] == [(story["policy"], True)]
    spec = policy_document(site.publics, serial=2, previous=digest_bytes(policy_bytes(site.spec)))
    head = site.move(site.commit({**site.with_timeout(9), "trust.yaml": policy_bytes(spec)}, [story["policy"]]))
    site.review("bob", story["policy"], head)
    assert [row["commit"] for row in site.must(0, "trust", "verify", "--output", "json").json["steps"]] == [head]
    said = site.must(0, "trust", "verify", f"{story['first']}..", "--output", "json").json
    assert [(row["kind"], row["remembered"]) for row in said["steps"]] == [
        ("group", True),
        ("merge", True),
        ("fast-forward", True),
        ("fast-forward", False),
    ]
    older = site.must(0, "trust", "verify", f"{story['first']}..{story['merge']}", "--output", "json").json
    assert (older["accepted"]["commit"], kinds(older["steps"])) == (
        story["merge"],
        [("group", story["group"]), ("merge", story["merge"])],
    )
    assert site.must(64, "trust", "verify", story["inner"]).err.startswith("E_RANGE: ")


def test_what_came_before_the_memory_is_judged_again(site: Site, story: dict[str, str]) -> None:
    """A host whose memory an operator began later judges what came before from the introduction on."""
    settings = Settings(str(site.source), site.place / "root.yaml", site.host, site.place / "audit", "host")
    with opened(settings) as here:
        here.memory.begin(here.verify_from_nothing(story["merge"]), "seed")
    said = site.must(0, "trust", "verify", "..", "--output", "json").json
    assert [(row["commit"], row["remembered"]) for row in said["steps"]] == [
        (site.introduction, False),
        (story["first"], False),
        (story["group"], False),
        (story["merge"], True),
        (story["policy"], False),
    ]
    assert site.must(0, "trust", "explain", story["first"], "--output", "json").json["commit"] == story["first"]


def test_a_frozen_host_says_so_beside_the_steps(site: Site) -> None:
    """What is wrong with everything is told behind the steps; none of them is called refused."""
    step(site, 2, site.introduction)
    key = str(site.keys["carol"])
    site.must(0, "trust", "freeze", "--key", key, "--reason", "odd pushes", "--yes")
    said = site.must(4, "trust", "verify", "--output", "json").json
    assert said["code"] == "E_FROZEN"
    assert {row["verdict"] for row in said["steps"]} == {"accepted"}
    ran = site.must(4, "trust", "verify")
    assert "E_FROZEN" in ran.err
    assert "is NOT trusted: E_FROZEN" in ran.out


# -- explain ----------------------------------------------------------------------------------------------------------


def test_a_commit_within_a_step(site: Site, story: dict[str, str]) -> None:
    """A commit of a group, and one of a merged branch, are explained by the step that brought them in."""
    said = site.must(0, "trust", "explain", story["inner"], "--output", "json").json
    assert (said["asked"], said["commit"], said["kind"]) == (story["inner"], story["group"], "group")
    assert site.must(0, "trust", "explain", story["branch"], "--output", "json").json["commit"] == story["merge"]
    out = site.must(0, "trust", "explain", story["inner"]).out
    assert f"{story['inner']} is trusted" in out
    assert "is one of the 2 commits that it brings in" in out


def test_reviews_that_do_not_count_have_their_reason(site: Site) -> None:
    """The author's own, one by somebody without the role, one of an older head, one withdrawn: each says why."""
    base = site.introduction
    early = site.commit(site.with_timeout(2), [base])
    head = site.move(site.commit(site.with_timeout(3), [early]))
    site.review("carol", base, early)
    site.review("alice", base, head)
    site.review("dave", base, head)
    site.review("bob", base, head, decision="reject")
    site.review("bob", base, head)
    said = site.must(0, "trust", "explain", head, "--output", "json").json
    assert [review["principal"] for review in said["reviews"]] == ["bob"]
    assert sorted((one["principal"], one["decision"], one["code"]) for one in said["ignored"]) == [
        ("alice", "approve", "E_SELF_REVIEW"),
        ("bob", "reject", "E_REVIEW_WITHDRAWN"),
        ("carol", "approve", "E_REVIEW_STALE"),
        ("dave", "approve", "E_ROLE"),
    ]
    out = site.must(0, "trust", "explain", head).out
    assert "alice says approve" in out
    assert "E_SELF_REVIEW" in out
    remember(site)
    again = site.must(0, "trust", "explain", head, "--output", "json").json
    assert (again["remembered"], again["ignored"]) == (True, said["ignored"])


def test_a_commit_behind_a_refused_one(site: Site) -> None:
    """What comes after a refused step is not trusted because of it: that step and its remedy are named."""
    base = site.introduction
    evil = site.move(site.commit(site.with_timeout(6), [base], None))
    site.review_raw("bob", base, evil)
    head = step(site, 7, evil)
    said = site.must(4, "trust", "explain", head, "--output", "json").json
    assert (said["code"], said["steps"][0]["commit"]) == ("E_UNSIGNED", evil)
    out = site.must(4, "trust", "explain", head).out
    assert "comes after a step that is refused" in out
    assert "comes after" not in site.must(4, "trust", "explain", evil).out


def test_a_proposal_is_explained(site: Site) -> None:
    """A branch that nobody merged: not trusted, with the command that would help."""
    branch = site.move(site.commit(site.with_timeout(8), [site.introduction], "dave"), "refs/heads/idea")
    out = site.must(4, "trust", "explain", "idea").out
    assert f"{branch} is not trusted: E_THRESHOLD" in out
    assert f"haoam-sync review {branch}" in out


def test_nothing_from_git_reaches_the_terminal_as_it_is(site: Site) -> None:
    """A reviewer's name, a path, a message with control characters: shown as text."""
    tree = site.tree({**site.files, "docs/\x1b[2J.md": b"x"})
    payload = site.payload(tree, [site.introduction])
    head = site.move(site.signed(payload, "alice"))
    site.review_raw("bob", site.introduction, head)
    for command in (("verify",), ("explain", head)):
        ran = site.must(4, "trust", *command)
        assert "\x1b" not in ran.said
        assert "E_PATH" in ran.out


def test_a_key_compromised_later(site: Site, story: dict[str, str]) -> None:
    """A step that is remembered stays told as it was accepted; that everything is held by now is said beside it."""
    remember(site)
    site.must(0, "trust", "revoke", "dave/dave-1", "--key", str(site.keys["bob"]), "--reason", "stolen", "--yes")
    said = site.must(4, "trust", "explain", story["inner"], "--output", "json").json
    assert said["code"] == "E_KEY_REVOKED"
    assert [(row["verdict"], row["remembered"]) for row in said["steps"]] == [("accepted", True)]


def test_the_refusal_is_the_one_of_the_decision(site: Site) -> None:
    """What is told of a refused step is the refusal that `apply` gives, word for word."""
    step(site, 5, site.introduction, by="")
    settings = Settings(str(site.source), site.place / "root.yaml", site.host, site.place / "audit", "host")
    with opened(settings) as here, pytest.raises(NotTrustedError) as caught:
        here.verify("")
    said = site.must(4, "trust", "verify", "--output", "json").json
    assert (said["message"], said["hint"]) == (caught.value.message, caught.value.hint)

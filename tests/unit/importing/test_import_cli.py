"""The command line of an import: what it needs, and what it prints."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import flow_cli
import pytest
from import_case import sample

COMMON = ("--cluster", "eu", "--output", "json")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give --file or --url"),
        (("--file", "x.cfg", "--url", "http://127.0.0.1:1/v3"), "give --file or --url"),
        (("--url", "http://127.0.0.1:1/v3"), "--url needs --user and --password-env"),
        (("--url", "http://127.0.0.1:1/v3", "--user", "a", "--password-env", "NOT_THERE"), "has no variable NOT_THERE"),
        (("--url", "http://10.1.0.11:5555/v3", "--user", "a", "--password-env", "PW"), "send the password in clear"),
        (("--url", "https://10.1.0.11:5555", "--user", "a", "--password-env", "PW"), "does not end with /v3"),
        (("--url", "10.1.0.11:5555/v3", "--user", "a", "--password-env", "PW"), "is no endpoint"),
        (("--file", "not-there.cfg"), "not-there.cfg cannot be read: No such file or directory"),
        (("--file", "x.cfg", "--api-version", "three"), "not a version"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """What is missing is said, with exit code 64, and nothing is written."""
    ran = flow_cli.run(flow_cli.environment({"PW": "x"}), tmp_path, "import", *arguments, *COMMON)
    assert ran.code == 64
    assert words in ran.json["message"]
    assert list(tmp_path.iterdir()) == []


def test_an_instance_that_does_not_answer(tmp_path: Path) -> None:
    """An API that cannot be reached is exit code 7, and nothing is written."""
    where = ("--url", "http://127.0.0.1:1/v3", "--user", "a", "--password-env", "PW")
    ran = flow_cli.run(flow_cli.environment({"PW": "x"}), tmp_path, "import", *where, *COMMON)
    assert (ran.code, ran.json["code"]) == (7, "E_UNREACHABLE")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cluster", ["../up", "no spaces", ""])
def test_names_that_are_none(tmp_path: Path, cluster: str) -> None:
    """A cluster name that no fleet could have writes nothing, least of all elsewhere."""
    place = tmp_path / "here" / "tree"
    place.mkdir(parents=True)
    (tmp_path / "x.cfg").write_text(sample("canary"), encoding="utf-8")
    ran = flow_cli.run(
        flow_cli.environment(), tmp_path, "import", "--file", "x.cfg", "--cluster", cluster, f"--directory={place}"
    )
    assert ran.code == 64
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["here", "here/tree", "x.cfg"]


def test_counts_reasons_and_what_the_host_must_allow(tmp_path: Path) -> None:
    """The text names both counts, each foreign section with its reason, and the rules for the secrets."""
    (tmp_path / "x.cfg").write_text(sample("mtls"), encoding="utf-8")
    places = ("--directory", "tree", "--secrets", "secrets.env")
    ran = flow_cli.run(flow_cli.environment(), tmp_path, "import", "--file", "x.cfg", "--cluster", "eu", *places)
    assert ran.code == 0
    assert "5 sections owned\n" in ran.out
    assert "1 section foreign\n  global: " in ran.out
    rule = "{reference: env/EU_USERLIST_AUDITORS_USERS_EVE_PASSWORD, kinds: [Userlist]"
    assert re.search(rf"3 secrets in .*secrets\.env\n.*\n  - {re.escape(rule)}", ran.out)
    assert "warning: there is no haoam.yaml yet" in ran.err
    assert "pass word" not in ran.said


def test_the_state_directory_that_an_import_makes_is_private(tmp_path: Path) -> None:
    """Without --secrets, values go to the user's state directory: each directory made for them is private."""
    (tmp_path / "x.cfg").write_text(sample("mtls"), encoding="utf-8")
    state = tmp_path / "home" / "state"
    environment = flow_cli.environment({"XDG_STATE_HOME": str(state)})
    ran = flow_cli.run(environment, tmp_path, "import", "--file", "x.cfg", "--directory", "tree", *COMMON)
    assert ran.code == 0
    made = [state, state / "haoam", state / "haoam" / "imported"]
    assert [stat.S_IMODE(place.stat().st_mode) for place in made] == [0o700, 0o700, 0o700]

"""The GitHub Action: its script, run as a runner would run it, with inputs as an attacker would write them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a' * 64}"
_STUB = """#!{python}
import json, os, sys
if "venv" not in sys.argv:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
assert sys.argv[1:4] == ["-I", "-m", "venv"]
place = sys.argv[4] + "/bin/"
os.makedirs(place)
for name, text in (("pip", "#!/bin/sh\\n"), ("haoam-sync", open({tool!r}).read())):
    open(place + name, "w").write(text)
    os.chmod(place + name, 0o755)
"""
_TOOL = """#!{python}
import json, os, sys
names = [name for name in os.environ if name.startswith(("HAOAM_", "INPUT_"))]
key = os.environ.get("HAOAM_STATE_KEY")
seen = {{"arguments": sys.argv[1:], "environment": {{name: os.environ[name] for name in names}}}}
seen["key"] = [open(key).read(), oct(os.stat(key).st_mode & 0o777)] if key else None
json.dump(seen, open({seen!r}, "w"))
print({answer!r})
print({words!r}, file=sys.stderr)
sys.exit({code})
"""


def yaml(text: str) -> Any:
    """One YAML document."""
    return YAML(typ="safe", pure=True).load(text)


def action() -> Any:
    """action.yml."""
    return yaml((ROOT / "action.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Ran:
    """The step, ended.

    Attributes:
        code: its exit code.
        said: stdout and stderr.
        outputs: of the step.
        seen: arguments, environment and state key that the tool saw; None when it was not started.
    """

    code: int
    said: str
    outputs: Mapping[str, str]
    seen: Any


@dataclass(frozen=True)
class Runner:
    """A directory that stands for a runner's machine."""

    place: Path

    def step(self, inputs: Mapping[str, str], *, answer: str = "{}", code: int = 0) -> Ran:
        """Run the action's only step: what stands under `env` is filled in, as GitHub does, and nothing else."""
        (step,) = action()["runs"]["steps"]
        assert step["shell"] == "bash"
        known = {name: str(one.get("default", "")) for name, one in action()["inputs"].items()}
        assert not set(inputs) - set(known)
        values = {f"inputs.{name}": value for name, value in {**known, **inputs}.items()}
        values |= {"github.server_url": "https://github.com", "github.repository": "o/r", "github.run_id": "1"}
        values |= {"github.action_path": str(ROOT)}
        filled = {
            name: re.sub(r"\$\{\{ (\S+) \}\}", lambda m: values[m[1]], text) for name, text in step["env"].items()
        }
        tool, seen, out = self.place / "tool", self.place / "seen.json", self.place / "output"
        words = "::set-env name=B::from-stderr"
        tool.write_text(_TOOL.format(python=sys.executable, seen=str(seen), answer=answer, code=code, words=words))
        (self.place / "bin").mkdir()
        stub = self.place / "bin" / "python3"
        stub.write_text(_STUB.format(python=sys.executable, tool=str(tool)))
        stub.chmod(0o755)
        for name in ("temp", "workspace"):
            (self.place / name).mkdir()
        (self.place / "workspace" / "a-file").touch()
        for name in ("secrets", "json", "re", "sys", "site", "venv"):
            (self.place / "workspace" / f"{name}.py").write_text(f"open({str(self.place / 'imported')!r}, 'w')\n")
        out.touch()
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # noqa: S607 - as a runner does
            cwd=self.place / "workspace",
            env={
                **filled,
                "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(self.place / "temp"),
                "GITHUB_WORKSPACE": str(self.place / "workspace"),
                "GITHUB_OUTPUT": str(out),
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "o/r",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert not (self.place / "imported").exists(), "a file of the checkout was run"
        outputs = dict(line.split("=", 1) for line in out.read_text().splitlines())
        return Ran(
            done.returncode,
            done.stdout + done.stderr,
            outputs,
            json.loads(seen.read_text()) if seen.exists() else None,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A fresh machine."""
    return Runner(tmp_path)


PLACES = {"root": "/r.yaml", "state": "/s", "audit": "/a"}


def test_no_expression_is_part_of_a_script() -> None:
    """Whatever `${{ }}` holds reaches the script as a variable, never as text of it."""
    for step in action()["runs"]["steps"]:
        assert "${{" not in step["run"]


@pytest.mark.parametrize(
    "text", ["$(touch hit)", "`touch hit`", "x; touch hit #", "x\ntouch hit", "'; touch hit; '", "*"]
)
def test_inputs_are_words_and_nothing_more(runner: Runner, text: str) -> None:
    """Shell syntax in every input runs nothing, and is no pattern; each arrives as it was given."""
    ran = runner.step(
        {"command": "apply", "plan-digest": text, "commit": text, "clusters": text, "repo": text, **PLACES}
    )
    assert not list(runner.place.rglob("hit"))
    clusters = [f"--cluster={word}" for word in text.split()]
    assert ran.seen["arguments"] == ["apply", "--output", "json", *clusters, "--", text, text]
    assert ran.seen["environment"]["HAOAM_REPO"] == text


def test_an_input_is_never_an_option(runner: Runner) -> None:
    """What looks like an option stands behind `--`, where it is an argument."""
    ran = runner.step({"command": "plan", "commit": "--root=/tmp/mine", **PLACES})
    assert ran.seen["arguments"] == ["plan", "--output", "json", "--", "--root=/tmp/mine"]
    assert ran.seen["environment"]["HAOAM_ROOT"] == "/r.yaml"


@pytest.mark.parametrize("missing", ["root", "state", "audit"])
def test_a_place_that_is_missing_is_no_default(runner: Runner, missing: str) -> None:
    """Plan, apply and drift do not fall back to what lies in the runner's home."""
    ran = runner.step({"command": "plan", **{name: place for name, place in PLACES.items() if name != missing}})
    assert (ran.code, ran.seen) == (64, None)
    assert f"needs the input {missing}" in ran.said


def test_plan_reads_the_shared_repository_and_gives_its_digest(runner: Runner) -> None:
    """A checkout has no reviews: the URL is the default; a trusted plan's digest is an output, and 2 is no failure."""
    answer = json.dumps({"proposed": False, "plan_digest": DIGEST})
    ran = runner.step({"command": "plan", "clusters": "eu us", **PLACES}, answer=answer, code=2)
    assert ran.code == 0
    assert ran.seen["environment"]["HAOAM_REPO"] == "https://github.com/o/r"
    assert ran.seen["arguments"] == ["plan", "--output", "json", "--cluster=eu", "--cluster=us", "--"]
    assert ran.outputs == {"exit": "2", "plan-digest": DIGEST, "result": str(runner.place / "temp" / "haoam-sync.json")}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"proposed": True, "plan_digest": DIGEST}),
        json.dumps({"proposed": False, "plan_digest": f"{DIGEST}\nexit=0"}),
        json.dumps({"plan_digest": DIGEST}),
        json.dumps([DIGEST]),
        "no JSON",
        "",
    ],
)
def test_what_is_no_trusted_plan_has_no_digest(runner: Runner, answer: str) -> None:
    """The plan of a proposal, a failure, and anything odd give an empty output, and no output more."""
    ran = runner.step({"command": "plan", **PLACES}, answer=answer, code=4)
    assert ran.code == 4
    assert {**ran.outputs, "result": ""} == {"exit": "4", "plan-digest": "", "result": ""}


def test_the_log_is_no_place_for_commands(runner: Runner) -> None:
    """Text of a commit that looks like a workflow command is printed while the runner does not listen."""
    ran = runner.step({"command": "plan", **PLACES}, answer='"::add-mask::x"\n::set-env name=A::b')
    (token,) = re.findall(r"^::stop-commands::([0-9a-f]{32})$", ran.said, re.MULTILINE)
    before, inside = ran.said.split(f"::stop-commands::{token}\n")
    inside, after = inside.split(f"::{token}::\n")
    assert "::set-env name=A" in inside
    assert "from-stderr" in inside
    assert "::set-env" not in before + after


def test_a_checkout_has_no_modules_for_the_script(runner: Runner) -> None:
    """A file `secrets.py`, `json.py` or `venv.py` in the pull request is not run by the script's own Python."""
    assert runner.step({"command": "validate"}).code == 0
    script = action()["runs"]["steps"][0]["run"]
    assert not re.search(r"\bpython3 (?!-I )", script)


def test_the_state_key_is_a_private_file_for_one_command(runner: Runner) -> None:
    """The tool gets its path; the variable that held the key is gone, and so is the file afterwards."""
    ran = runner.step({"command": "drift", "state-key": "KEY\nLINES", "commit": "ignored", **PLACES}, code=7)
    assert ran.code == 7
    assert ran.seen["key"] == ["KEY\nLINES\n", "0o600"]
    assert "INPUT_STATE_KEY" not in ran.seen["environment"]
    assert not (runner.place / "temp" / "haoam-state-key").exists()
    assert ran.seen["arguments"] == ["drift", "--output", "json", "--"]


def test_validate_needs_nothing_but_the_checkout(runner: Runner) -> None:
    """No host root file, no state, no secret: the job of a stranger's pull request has none."""
    ran = runner.step({"command": "validate"})
    assert ran.code == 0
    assert ran.seen["arguments"] == ["validate", "--output", "json", "--"]
    assert ran.seen["environment"]["HAOAM_REPO"] == str(runner.place / "workspace")
    assert ran.seen["environment"]["HAOAM_STATE"].startswith(str(runner.place / "temp"))


@pytest.mark.parametrize("inputs", [{"command": "review"}, {"command": ""}, {"command": "apply", **PLACES}])
def test_other_commands_and_an_apply_without_a_digest(runner: Runner, inputs: Mapping[str, str]) -> None:
    """Nothing is started, and the log says what is missing."""
    ran = runner.step(inputs)
    assert (ran.code, ran.seen) == (64, None)


def workflows() -> list[Any]:
    """The workflows of docs/github.md."""
    text = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    found = [yaml(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]
    return [one for one in found if isinstance(one, dict) and "jobs" in one]


def test_the_workflows_of_the_docs_use_inputs_that_there_are() -> None:
    """Every `with` names inputs of the action, with what its command needs; no text of an event is run."""
    known = set(action()["inputs"])
    seen = set()
    for workflow in workflows():
        assert workflow["permissions"] == {} or set(workflow["permissions"].values()) == {"read"}
        for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
            assert "github.event" not in step.get("run", "")
            if "haoam-sync@" not in step.get("uses", ""):
                continue
            given = set(step["with"])
            assert given <= known
            seen.add(step["with"]["command"])
            assert step["with"]["command"] == "validate" or given >= {"root", "state", "audit"}
    assert seen == {"validate", "plan", "apply", "drift"}


def test_a_workflow_of_strangers_has_neither_secrets_nor_our_runner() -> None:
    """What runs on `pull_request`, by the pull request's own workflow, sees no secret and no machine of ours."""
    strangers = [one for one in workflows() if "pull_request" in one["on"]]
    assert strangers
    for workflow in strangers:
        assert "secrets." not in json.dumps(workflow, default=str)
        assert all(str(job["runs-on"]).startswith("ubuntu") for job in workflow["jobs"].values())

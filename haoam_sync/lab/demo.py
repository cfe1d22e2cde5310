"""`make demo`: the whole flow on real HAProxy processes, in eight narrated steps.

The demo is a user: everything that matters is done by the command line, in processes of its own, and what it claims is
checked by another way than the tool's own (requests through HAProxy, the lab's request logs). It stops with exit 1 at
the first thing that is not as it says.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from haoam_sync.lab.demo_checks import (
    DemoFailedError,
    answers_from,
    api_requests,
    change_weight,
    everything_answers,
    expect,
)
from haoam_sync.lab.demo_world import EXAMPLE, World, json_of

_WEIGHT = 7
_NOWHERE = "203.0.113.77"  # TEST-NET-3 (RFC 5737): an address that no machine has
_NO_DIGEST = "sha256:" + "0" * 64

_CLASH = f"""\
apiVersion: haoam/v1
kind: Frontend
metadata:
  name: clash
  clusters: [edge-eu]
spec:
  from: base
  mode: http
  binds:
    b: {{address: {_NOWHERE}, port: 18098}}
  default_backend: web
"""


def main() -> int:
    """Run the demo; 0 when everything was as it said."""
    began = time.monotonic()
    example = Path(sys.argv[1]) if sys.argv[1:] else EXAMPLE
    work = Path(tempfile.mkdtemp(prefix="haoam-demo-"))
    world = World(work, example)
    try:
        for number, step in enumerate(STEPS, start=1):
            step(world, partial(_tell, number))
    except DemoFailedError as failed:
        sys.stderr.write(f"the demo failed: {failed}\neverything it did is in {work}\n")
        return 1
    finally:
        world.stop()
    took = time.monotonic() - began
    sys.stdout.write(f"done in {took:.0f} s; everything is in {work} (rm -r it when you have looked)\n")
    return 0


def _tell(number: int, words: str) -> None:
    sys.stdout.write(f"[{number}/{len(STEPS)}] {words}\n")
    sys.stdout.flush()


Say = Callable[[str], None]


def introduce(world: World, say: Say) -> None:
    """Step 1: a repository, three people, the first policy, and the change to be reviewed."""
    say(f"take the example repository, with free ports, to {world.repo}")
    world.copy_example()
    world.make_keys("alice", "bob", "carol", "mallory")
    say("make keys: alice authors, bob reviews, carol is the third root; mallory is a stranger")
    world.must(
        0,
        "trust",
        "init",
        f"--member=alice={world.public('alice')}:root,author,merger",
        f"--member=bob={world.public('bob')}:root,reviewer",
        f"--member=carol={world.public('carol')}:root,reviewer",
        f"--key={world.private('alice')}",
    )
    world.allow_secrets()
    commit = world.commit("Add the edge site", signer="alice")
    say(f"trust init: trust begins with alice's signed commit; her change is {commit[:12]}")


def start(world: World, say: Say) -> None:
    """Step 2: HAProxy processes with a Data Plane API each, and the servers behind them."""
    instances = world.start_lab()
    for instance in instances:
        say(f"{instance['instance']}: HAProxy, and its Data Plane API at {instance['url']}")
    origins = world.start_origins()
    say(f"{origins} small HTTP servers stand behind them; each answers with its own name")


def first_apply(world: World, say: Say) -> None:
    """Step 3: plan, review, apply, and a request through every HAProxy."""
    proposed = json_of(world.must(2, "plan", "--output", "json").out)
    expect(proposed["proposed"], "a commit that nobody reviewed must be a proposed one")
    say(f"plan (not reviewed yet): {_summary(world.must(2, 'plan').out)}")
    world.review(proposed["change_digest"])
    say(f"review: bob signs the change digest {proposed['change_digest'][:23]}...")
    plan = json_of(world.must(2, "plan", "--output", "json").out)
    expect(not plan["proposed"], "a reviewed commit must be trusted")
    world.must(0, "apply", plan["plan_digest"])
    say(f"apply: exactly the plan {plan['plan_digest'][:23]}..., proven on each running HAProxy")
    for line in everything_answers(world):
        say(line)


def nothing_to_do(world: World, say: Say) -> None:
    """Step 4: the same once more."""
    plan = json_of(world.must(0, "plan", "--output", "json").out)
    before = api_requests(world)
    outcome = json_of(world.must(0, "apply", plan["plan_digest"], "--output", "json").out)
    requests = sum(one["requests"] for one in outcome["instances"])
    expect({one["result"] for one in outcome["instances"]} == {"unchanged"}, "nothing must be left to do")
    expect(api_requests(world) - before == requests, "the lab must have seen as many requests as the tool says")
    say(f"apply again: nothing to do, exit 0, {requests} API requests for {len(outcome['instances'])} instances")


def drifted(world: World, say: Say) -> None:
    """Step 5: somebody changes a weight through the API."""
    change_weight(world, "edge-eu", "eu-1", "web", "web-a", _WEIGHT)
    say(f"somebody sets the weight of web/web-a on edge-eu/eu-1 to {_WEIGHT}, behind git's back")
    found = world.must(2, "drift")
    for part in ("edge-eu/eu-1", "backend/web", "servers.web-a.weight", f"live {_WEIGHT}", "git 100"):
        expect(part in found.out, f"drift must name {part}:\n{found.said}")
    say("drift, exit 2: " + " ".join(found.out.split("edge-eu/eu-1: ")[1].split("edge-eu/eu-2")[0].split()))
    plan = json_of(world.must(2, "plan", "--output", "json").out)
    world.must(0, "apply", plan["plan_digest"])
    world.must(0, "drift")
    say("apply puts it back; drift finds nothing more, exit 0")


def refused(world: World, say: Say) -> None:
    """Step 6: three commits that must not come through."""
    for who, signer, code in (
        ("a commit that is not signed", None, "E_UNSIGNED"),
        ("a commit signed by a stranger", "mallory", "E_KEY_UNKNOWN"),
        ("a commit signed by alice that nobody reviewed", "alice", "E_THRESHOLD"),
    ):
        good = world.head()
        world.edit("haproxy/backends.yaml", "weight: 50", "weight: 200")
        world.commit("More for web-b", signer=signer)
        before = api_requests(world)
        ran = world.must(4, "apply", _NO_DIGEST)
        expect(code in ran.err, f"{who} must be refused with {code}:\n{ran.said}")
        expect(api_requests(world) == before, f"{who} must not cause a single API request")
        say(f"{who}: {code}, exit 4, no request was sent to any API")
        world.reset(good)


def restored(world: World, say: Say) -> None:
    """Step 7: a reviewed change that HAProxy cannot load."""
    good = world.head()
    before = world.running_text("edge-eu", "eu-1")
    (world.repo / "haproxy" / "clash.yaml").write_text(_CLASH, encoding="utf-8")
    world.commit("Listen on an address that is not there", signer="alice")
    plan = world.reviewed_plan()
    outcome = json_of(world.must(8, "apply", plan, "--output", "json").out)
    results = {one["instance"]: one["result"] for one in outcome["instances"]}
    expect(results["edge-eu/eu-1"] == "restored", f"eu-1 must be restored: {results}")
    say(f"a reviewed bind on {_NOWHERE}: edge-eu/eu-1 cannot load it, its earlier state is restored, exit 8")
    say("edge-eu/eu-2 and edge-us/us-1: " + " and ".join(sorted({results["edge-eu/eu-2"], results["edge-us/us-1"]})))
    expect(world.running_text("edge-eu", "eu-1") == before, "haproxy.cfg of eu-1 must be what it was")
    expect(answers_from(world, "edge-eu", "eu-1") == "eu-1", "eu-1 must still answer")
    say("proven: its haproxy.cfg is byte for byte what it was, and it answers")
    world.revert(good)
    plan = world.reviewed_plan(code=0)
    world.must(0, "apply", plan)
    say("alice reverts, bob reviews that too, apply: exit 0; history only goes forward")


def audited(world: World, say: Say) -> None:
    """Step 8: the record of all this."""
    ran = world.must(2, "audit", "verify", "--output", "json")
    found = json_of(ran.out)
    expect(found["intact"], "the audit log must be whole")
    expect(not found["unfinished"], "every apply must have its outcome")
    expect(
        [one["instance"] for one in found["unattributed"]] == ["edge-eu/eu-1"],
        f"the log must tell of exactly the change of step 5: {found['unattributed']}",
    )
    say(f"the audit log is at {world.audit}: {found['records']} records, every hash holds")
    say("it tells of one change that nobody recorded: the weight on edge-eu/eu-1, step 5 (hence exit 2)")


STEPS: tuple[Callable[[World, Say], None], ...] = (
    introduce,
    start,
    first_apply,
    nothing_to_do,
    drifted,
    refused,
    restored,
    audited,
)


def _summary(plan: str) -> str:
    found = re.search(r"^(\d+ to create.*)$", plan, re.MULTILINE)
    if found is None:
        raise DemoFailedError(f"the plan has no summary:\n{plan}")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())

"""Random histories, each with at most one hostile act, judged by the code and by a slow reference.

The reference knows what was *done* (who signed, who said what about which step) and follows docs/trust.md in words; it
never looks at an object's bytes. Both must agree on every history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from trust_model import NOW, REF, Memory, Statement, public_key

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import digest_bytes

WRITERS = ("alice", "bob", "carol", "dave")
PATHS = ("haproxy/a.yaml", "haproxy/b.yaml", "haproxy/c.yaml", "haoam.yaml")
DAY = timedelta(days=1)
_HOSTILE = st.sampled_from((False, False, False, True))


def first_policy() -> dict[str, Any]:
    """Alice, bob and carol do everything; dave writes and merges."""
    people = {name: {"keys": [{"id": f"{name}-1", "type": "ssh", "public": public_key(name)}]} for name in WRITERS}
    return {
        "serial": 1,
        "ref": REF,
        "principals": people,
        "roles": {
            "root": {"members": ["alice", "bob", "carol"], "threshold": 2},
            "author": {"members": list(WRITERS)},
            "reviewer": {"members": ["alice", "bob", "carol"]},
            "merger": {"members": list(WRITERS)},
        },
        "rules": [
            {"paths": ["trust.yaml", "keys/**"], "require": {"root": 2}},
            {"paths": ["haoam.yaml"], "require": {"reviewer": 2}},
            {"paths": ["haproxy/**"], "require": {"reviewer": 1}},
        ],
        "merge": {"methods": ["fast-forward", "merge"], "up_to_date": "disjoint"},
    }


def policy_bytes(spec: dict[str, Any]) -> bytes:
    """`trust.yaml`."""
    return json.dumps({"apiVersion": "haoam/v1", "kind": "TrustPolicy", "spec": spec}).encode()


@dataclass
class Step:
    """What was done between two commits of the branch, for the reference."""

    base: str
    head: str
    signers: list[str | None]  # names of keys, of everything that the step brings in; the last one signed `head`
    before: dict[str, bytes]  # files of `base`
    after: dict[str, bytes]  # files of `head`
    branch: str = ""
    fork: str = ""  # where the branch began
    mechanical: bool = False
    policy: dict[str, Any] | None = None  # the new policy, when the step changes it
    statements: list[Statement] = field(default_factory=list)
    disjoint: bool = True

    @property
    def paths(self) -> set[str]:
        """What differs: something that comes and goes again does not."""
        return {path for path in {*self.before, *self.after} if self.before.get(path) != self.after.get(path)}


def people(spec: dict[str, Any]) -> dict[str, str]:
    """Whose each active key is."""
    return {
        key["public"]: name
        for name, person in spec["principals"].items()
        for key in person["keys"]
        if key.get("status", "active") == "active"
    }


def reference(steps: list[Step], spec: dict[str, Any], *, first_start: bool) -> list[Step] | None:
    """The steps in which docs/trust.md accepts this history; None when it does not accept all of it.

    Several that somebody reviewed as one are one step (E2).
    """
    if not steps:
        return []
    for count in range(len(steps), 0, -1):
        step = steps[0] if count == 1 else together(steps[:count])
        if step is not None and accepts(step, spec, now=count == len(steps) or not first_start):
            rest = reference(steps[count:], step.policy or spec, first_start=first_start)
            return [step, *rest] if rest is not None else None
    return None


def together(steps: list[Step]) -> Step | None:
    """E2: several steps as one, when somebody reviewed their two ends and no policy changes."""
    base, last = steps[0].base, steps[-1]
    if any(step.policy for step in steps) or not any(s.base == base and s.head == last.head for s in last.statements):
        return None
    signers = [signer for step in steps for signer in step.signers]
    return Step(base, last.head, signers, steps[0].before, last.after, statements=last.statements)


def accepts(step: Step, spec: dict[str, Any], *, now: bool) -> bool:
    """S1, S3, S5, S6 and S7 of one step, in words."""
    keys = people(spec)
    names = [keys.get(public_key(signer)) if signer is not None else None for signer in step.signers]
    if any(name not in spec["roles"]["author"]["members"] for name in names):  # S1
        return False
    contributors = set(names[:-1] if step.mechanical else names)  # S7
    heads = {step.head, step.branch}
    both = keys | (people(step.policy) if step.policy is not None else {})
    yeses = [s for s in step.statements if s.decision == "approve" and s.head in heads and genuine(s, both)]
    at = NOW if now else max((NOW - s.age for s in yeses), default=NOW)
    yes: dict[str, Statement] = {}
    no: dict[str, timedelta] = {}  # and how long ago the newest one was said
    ever: dict[str, timedelta] = {}
    able = set(spec["roles"]["reviewer"]["members"]) | set(spec["roles"]["root"]["members"])
    for said in step.statements:
        if not genuine(said, keys):
            continue
        if said.decision != "approve":
            if said.head in {step.head, step.branch or step.head} and said.principal in able:
                no[said.principal] = said.age
                yes.pop(said.principal, None)
            ever[said.principal] = min(said.age, ever.get(said.principal, said.age))
        elif counts(said, step, at) and (step.policy or said.principal not in contributors):
            if said.principal in ever and said.age > ever[said.principal]:
                continue  # signed before the no
            yes[said.principal] = said
            no.pop(said.principal, None)
    if no:
        return False
    if step.policy is not None:
        return policy_accepted(step, spec, set(yes), {names[-1]}, at)
    voters = {name for name in yes if name in spec["roles"]["reviewer"]["members"]}
    needed = 2 if "haoam.yaml" in step.paths else 1
    return len(voters) >= needed


def genuine(said: Statement, keys: dict[str, str]) -> bool:
    """Signed by a key of the person it names, under the id that the policy gives it."""
    key = said.key or said.principal
    expected = f"{said.principal}-2" if key.endswith("-new") else f"{said.principal}-1"
    return keys.get(public_key(key)) == said.principal and (said.key_id or f"{said.principal}-1") == expected


def counts(said: Statement, step: Step, at: Any) -> bool:
    """The statement is about exactly this step, and of now."""
    if said.change or at >= NOW - said.age + min(said.lifetime, 7 * DAY):
        return False
    if said.head == step.head:
        return said.base == step.base
    if said.head != step.branch or not step.branch or not step.mechanical:
        return False
    return said.base == step.fork if step.fork != step.base else said.base == step.base


def policy_accepted(step: Step, old: dict[str, Any], voters: set[str], makers: set[str | None], at: Any) -> bool:
    """S6."""
    new = step.policy
    assert new is not None
    if step.paths - {"trust.yaml"} or new["serial"] != old["serial"] + 1:
        return False
    if new["previous"] != digest_bytes(policy_bytes(old)):
        return False
    if new["roles"]["root"]["threshold"] < 2:
        return False
    if len((voters | makers) & set(old["roles"]["root"]["members"])) < 2:
        return False
    keys = people(new)
    signer = step.signers[-1]
    agreed = {keys.get(public_key(signer))} if signer is not None else set()
    yes = [said for said in step.statements if said.decision == "approve" and counts(said, step, at)]
    agreed |= {said.principal for said in yes if genuine(said, keys)}
    return len(agreed & set(new["roles"]["root"]["members"])) >= 2


class Builder:
    """Draws a history that should be accepted, and spoils at most one thing of it."""

    data: st.DataObject

    def __init__(self) -> None:
        self.memory = Memory()
        self.spec = first_policy()
        self.memory.introduction = self.memory.commit(
            {"trust.yaml": policy_bytes(self.spec), "haproxy/a.yaml": b"0"}, [], "alice", "begin"
        )
        self.first = self.spec
        self.tips = [self.memory.introduction]
        self.steps: list[Step] = []
        self.count = 0

    def one_of(self, *values: Any) -> Any:
        """Draw one of these."""
        return self.data.draw(st.sampled_from(values))

    def key_of(self, name: str) -> str:
        """The key that a person signs with now."""
        ids = {key["id"] for key in self.spec["principals"][name]["keys"] if key.get("status", "active") == "active"}
        return f"{name}-new" if f"{name}-2" in ids else name

    def edit(self, base: str, path: str) -> dict[str, bytes]:
        """Files with one more change."""
        self.count += 1
        return {**self.memory.files[base], path: b"%d" % self.count}

    def reviewers(self, out: set[str], count: int) -> list[str]:
        """People who may review what the others did."""
        able = [name for name in ("alice", "bob", "carol") if name not in out]
        return able[:count]

    def forward(self, *, hostile: bool) -> None:
        """One to three commits, pushed and reviewed together."""
        base = head = self.tips[-1]
        authors: list[str] = []
        signers: list[str | None] = []
        author = self.one_of(*WRITERS)
        spoil = self.one_of("signer", "unsigned", "reviewer", "none") if hostile else ""
        count = self.data.draw(st.integers(1, 3))
        for number in range(count):
            path = self.one_of(*PATHS)
            signer: str | None = self.key_of(author)
            if spoil in {"signer", "unsigned"} and number == count // 2:
                signer = "mallory" if spoil == "signer" else None
            head = self.memory.commit(self.edit(head, path), [head], signer, f"{self.count}")
            signers.append(signer)
            authors.append(author)
        step = self.step(base, head, signers)
        needed = 2 if "haoam.yaml" in step.paths else 1
        for name in self.reviewers(set(authors), needed):
            step.statements.append(self.statement(name, base, head))
        self.finish(step, spoil)

    def revert(self, *, hostile: bool) -> None:
        """Everything but the policy goes back to what it was some steps ago, in a new commit."""
        base = self.tips[-1]
        old = self.one_of(*self.tips[-4:])
        spoil = self.one_of("signer", "unsigned", "reviewer", "none") if hostile else ""
        author = self.one_of(*WRITERS)
        signer: str | None = self.key_of(author)
        if spoil in {"signer", "unsigned"}:
            signer = "mallory" if spoil == "signer" else None
        self.count += 1
        files = {**self.memory.files[old], "trust.yaml": self.memory.files[base]["trust.yaml"]}
        head = self.memory.commit(files, [base], signer, f"revert {self.count}")
        step = self.step(base, head, [signer])
        needed = 2 if "haoam.yaml" in step.paths else 1
        for name in self.reviewers({author}, needed):
            step.statements.append(self.statement(name, base, head))
        self.finish(step, spoil)

    def step(self, base: str, head: str, signers: list[str | None], **more: Any) -> Step:
        """A step with the files on both of its sides."""
        return Step(base, head, signers, self.memory.files[base], self.memory.files[head], **more)

    def merge(self, *, hostile: bool) -> None:
        """A branch from the tip, or from an older accepted commit of the same policy, merged by somebody."""
        base = self.tips[-1]
        policy = policy_bytes(self.spec)
        fork = self.one_of(*[tip for tip in self.tips[-3:] if self.memory.files[tip]["trust.yaml"] == policy])
        spoil = self.one_of("signer", "evil", "reviewer") if hostile else ""
        author, merger = self.one_of(*WRITERS), self.one_of(*WRITERS)
        path = self.one_of(*PATHS)
        signer = "mallory" if spoil == "signer" else self.key_of(author)
        branch = self.memory.commit(self.edit(fork, path), [fork], signer, f"branch {self.count}")
        ours = {p for p in PATHS if self.memory.files[base].get(p) != self.memory.files[fork].get(p)}
        files = {**self.memory.files[base], path: self.memory.files[branch][path]}
        if spoil == "evil":
            files["haproxy/a.yaml"] = b"evil"
        head = self.memory.commit(files, [base, branch], self.key_of(merger), f"merge {self.count}")
        mechanical = path not in ours and spoil != "evil"
        if not mechanical and files == self.memory.files[branch] and fork == base:
            mechanical = True
        step = self.step(base, head, [signer, self.key_of(merger)], branch=branch, fork=fork, mechanical=mechanical)
        needed = 2 if "haoam.yaml" in step.paths else 1
        for name in self.reviewers({author}, needed):
            step.statements.append(self.statement(name, fork, branch))
        self.finish(step, spoil)

    def rotate(self, *, hostile: bool) -> None:
        """A new policy: nothing new, or alice with a new key."""
        base = self.tips[-1]
        spoil = self.one_of("serial", "previous", "threshold", "mixed", "reviewer") if hostile else ""
        new = json.loads(json.dumps(self.spec))
        new["serial"] += 2 if spoil == "serial" else 1
        new["previous"] = "sha256:" + "0" * 64 if spoil == "previous" else digest_bytes(policy_bytes(self.spec))
        if spoil == "threshold":
            new["roles"]["root"]["threshold"] = 1
        rotates = self.key_of("alice") == "alice" and self.data.draw(st.booleans())
        if rotates:
            old = {**new["principals"]["alice"]["keys"][0], "status": "retired"}
            key = {"id": "alice-2", "type": "ssh", "public": public_key("alice-new")}
            new["principals"]["alice"]["keys"] = [old, key]
        files = {**self.memory.files[base], "trust.yaml": policy_bytes(new)}
        if spoil == "mixed":
            files["haproxy/a.yaml"] = b"mixed"
        author = self.one_of("alice", "bob")
        head = self.memory.commit(files, [base], self.key_of(author), f"policy {self.count}")
        step = self.step(base, head, [self.key_of(author)], policy=new)
        step.statements.append(self.statement("carol", base, head))
        if rotates and author == "alice":
            step.statements.append(replace(self.statement("alice", base, head), key="alice-new", key_id="alice-2"))
        self.finish(step, spoil)

    def statement(self, name: str, base: str, head: str) -> Statement:
        """An approval, a few days old."""
        key = self.key_of(name)
        return Statement(
            name,
            base,
            head,
            key=key,
            key_id=f"{name}-2" if key.endswith("-new") else f"{name}-1",
            age=self.data.draw(st.integers(0, 5)) * DAY,
        )

    def finish(self, step: Step, spoil: str) -> None:
        """Spoil a review when that is the hostile act, push the statements, and go on."""
        if spoil == "reviewer" and step.statements:
            place = self.data.draw(st.integers(0, len(step.statements) - 1))
            step.statements[place : place + 1] = self.spoiled(step, step.statements[place])
        elif spoil == "none":
            step.statements.pop()
        for said in step.statements:
            self.memory.say(said)
        self.steps.append(step)
        self.spec = step.policy or self.spec
        self.tips.append(step.head)

    def spoiled(self, step: Step, said: Statement) -> list[Statement]:
        """A review that is not what it should be; now and then that makes no difference."""
        signer = next((name for name in WRITERS if step.signers[0] in {name, f"{name}-new"}), "alice")
        ways = {
            "self": [self.statement(signer, said.base, said.head)],
            "stranger's key": [replace(said, key="mallory")],
            "base": [replace(said, base=self.tips[0])],
            "change": [replace(said, change="sha256:" + "0" * 64)],
            "expired": [replace(said, age=8 * DAY)],
            "too long": [replace(said, age=8 * DAY, lifetime=100 * DAY)],
            "reject": [replace(said, decision="reject")],
            "withdrawn": [said, replace(said, decision="withdraw")],
            "approved again": [replace(said, decision="reject"), said],
            "held back": [replace(said, decision="reject"), replace(said, age=said.age + DAY)],
            "no reviewer": [self.statement("dave", said.base, said.head)],
        }
        how = self.one_of(*ways)
        event(f"review: {how}")
        return ways[how]


class Histories(RuleBasedStateMachine):
    """Steps in any order, one of them hostile; at the end the code and the reference judge the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = Builder()
        self.spoiled = False

    def act(self, data: st.DataObject, act: str, *, hostile: bool) -> None:
        """Make one step; only the first that wants to be hostile is."""
        self.builder.data = data
        getattr(self.builder, act)(hostile=hostile and not self.spoiled)
        self.spoiled |= hostile

    @rule(data=st.data(), hostile=_HOSTILE)
    def forward(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "forward", hostile=hostile)

    @rule(data=st.data(), hostile=_HOSTILE)
    def merge(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "merge", hostile=hostile)

    @rule(data=st.data(), hostile=_HOSTILE)
    def rotate(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "rotate", hostile=hostile)

    @precondition(lambda self: len(self.builder.tips) > 1)
    @rule(data=st.data(), hostile=_HOSTILE)
    def revert(self, data: st.DataObject, hostile: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
        """See `Builder`."""
        self.act(data, "revert", hostile=hostile)

    def teardown(self) -> None:
        """Both verdicts, on a host that begins here and on one that remembers."""
        for first_start in (True, False):
            self.judge(first_start=first_start)

    def judge(self, *, first_start: bool) -> None:
        """What docs/trust.md says of this history in words is what the code says."""
        builder = self.builder
        expected = reference(builder.steps, builder.first, first_start=first_start)
        verdict = builder.memory.accept(builder.memory.introduction, builder.tips[-1], first_start=first_start)
        event(f"accepted: {expected is not None}")
        if isinstance(verdict, NotTrustedError):
            event(f"code: {verdict.code}")
            assert expected is None, verdict
            return
        assert expected is not None
        assert [step.id for step in verdict] == [step.head for step in expected]
        for found, step in zip(verdict, expected, strict=True):
            assert len(found.signers) == len(step.signers)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=250,
    stateful_step_count=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

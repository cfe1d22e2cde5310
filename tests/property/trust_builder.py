"""Drawing histories that should be accepted, and spoiling at most one thing of each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from trust_model import Memory, Statement, Word, public_key
from trust_reference import DAY, ROOTS, WRITERS, Step, first_policy, policy_bytes

from haoam_sync.model.json import digest_bytes

PATHS = ("haproxy/a.yaml", "haproxy/b.yaml", "haproxy/c.yaml", "haoam.yaml")


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
        self.words: list[Word] = []

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
        step.statements = [replace(said, place=len(self.memory.entries) + n) for n, said in enumerate(step.statements)]
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

    # --- what roots say about everything -----------------------------------------------------------------------------

    def speaker(self, *, hostile: bool) -> tuple[str, str]:
        """Who says something, and with whose key: a root, or somebody who may not."""
        if hostile:
            return self.one_of(("dave", "dave"), ("alice", "mallory"), ("carol", "dave"))  # type: ignore[no-any-return]
        name = self.one_of(*ROOTS)
        return name, self.key_of(name)

    def word(self, kind: str, principal: str = "", key: str = "", *, hostile: bool = False, **more: Any) -> None:
        """Say it, under the policy of the tip."""
        if not principal:
            principal, key = self.speaker(hostile=hostile)
        word = Word(kind, principal, key, len(self.memory.entries), name=f"{len(self.words):032x}", **more)
        self.words.append(word)
        self.memory.speak(word, policy_bytes(self.spec), self.tips)
        event(f"word: {kind}")

    def freeze(self, *, hostile: bool) -> None:
        """Somebody freezes everything; now and then some roots lift it at once."""
        self.word("freeze", hostile=hostile)
        self.settle(hostile=False)

    def revoke(self, *, hostile: bool) -> None:
        """Somebody says that a key is compromised; now and then some roots affirm what there is at once.

        A root says it whose key stays what it is: a host that lags behind hears no other.
        """
        more = {
            "whose": self.key_of(self.one_of(*WRITERS)),
            "at": self.one_of(None, None, *range(len(self.tips))[-3:]),
        }
        principal, key = self.speaker(hostile=True) if hostile else (self.one_of("bob", "carol"),) * 2
        self.word("compromise", principal, key, **more)
        self.settle(hostile=False)

    def settle(self, *, hostile: bool) -> None:
        """Some roots lift a freeze, or let one of the last tips stand whatever the compromised keys did."""
        frozen = [word.name for word in self.words if word.kind == "freeze"]
        keys = tuple(sorted({word.whose for word in self.words if word.kind == "compromise"}))
        kinds = [kind for kind, there in (("thaw", frozen), ("affirm", keys)) if there]
        if not kinds:
            return
        kind = self.one_of(*kinds)
        about, at = self.one_of(*frozen, *[""][len(frozen) :]), self.one_of(*range(len(self.tips))[-2:])
        for _ in range(self.data.draw(st.integers(0, 3))):
            more: dict[str, Any] = {"about": about} if kind == "thaw" else {"at": at, "keys": keys}
            self.word(kind, *self.speaker(hostile=hostile), **more)

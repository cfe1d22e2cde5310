"""One flipped bit, anywhere in what a verdict rests on, and nothing is accepted that was not accepted before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_trust_histories import first_policy, policy_bytes
from trust_model import Memory, Statement, public_key

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import digest_bytes


def history() -> tuple[Memory, str]:
    """A fast-forward, a merge and a change of the policy, each with exactly the reviews that it needs."""
    memory, spec = Memory(), first_policy()
    files = {"trust.yaml": policy_bytes(spec), "haproxy/a.yaml": b"0"}
    memory.introduction = memory.commit(files, [], "alice", "begin")
    forward = memory.commit({**files, "haproxy/a.yaml": b"1"}, [memory.introduction], "dave", "forward")
    memory.say(Statement("bob", memory.introduction, forward))
    branch = memory.commit({**memory.files[forward], "haproxy/b.yaml": b"2"}, [forward], "alice", "branch")
    merge = memory.commit(memory.files[branch], [forward, branch], "dave", "merge")
    memory.say(Statement("carol", forward, branch))
    new = json.loads(json.dumps(spec)) | {"serial": 2, "previous": digest_bytes(policy_bytes(spec))}
    key = {"id": "alice-2", "type": "ssh", "public": public_key("alice-new")}
    new["principals"]["alice"]["keys"] += [key]
    policy = memory.commit({**memory.files[merge], "trust.yaml": policy_bytes(new)}, [merge], "alice", "policy")
    memory.say(Statement("carol", merge, policy))
    head = memory.commit({**memory.files[policy], "haproxy/a.yaml": b"3"}, [policy], "alice-new", "with the new key")
    memory.say(Statement("bob", policy, head))
    return memory, head


def refused(memory: Memory, head: str) -> bool:
    """Whether the history as it now is in memory is refused."""
    return isinstance(memory.accept(memory.introduction, head, first_start=True), NotTrustedError)


def flipped(data: bytes, place: int) -> bytes:
    """The same bytes with one bit the other way round: which one depends on the place."""
    return data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]


def test_control_the_history_is_accepted() -> None:
    """Without a flipped bit every step is accepted."""
    memory, head = history()
    assert not refused(memory, head)


@pytest.mark.parametrize("kind", ["commit", "tree", "policy", "file"])
def test_no_flipped_byte_of_an_object_is_accepted(kind: str) -> None:
    """Commits, trees, policies and files: each byte of each object that the history needs."""
    memory, head = history()
    count = 0
    for oid, (found, content) in list(memory.objects.items()):
        policy = found == "blob" and content.startswith(b"{")
        if content == b"0":
            continue  # only the introduction has it, which is where the judgement begins
        if kind != {"blob": "policy" if policy else "file"}.get(found, found):
            continue
        for place in range(len(content)):
            memory.objects[oid] = (found, flipped(content, place))
            assert refused(memory, head), (oid, place)
            count += 1
        memory.objects[oid] = (found, content)
    assert count >= 3
    assert not refused(memory, head)


def test_no_flipped_byte_of_a_statement_is_accepted() -> None:
    """Each byte of each of the reviews: the step that needs it is refused."""
    memory, head = history()
    for number, entry in enumerate(list(memory.entries)):
        for place in range(len(entry.data)):
            memory.entries[number] = replace(entry, source=flipped(entry.data, place))
            assert refused(memory, head), (number, place)
        memory.entries[number] = entry
    assert not refused(memory, head)

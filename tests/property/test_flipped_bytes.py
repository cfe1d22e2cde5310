"""One flipped bit, anywhere in what a verdict rests on, and nothing is accepted that was not accepted before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from trust_host import Host
from trust_model import Memory, Statement, Word, public_key
from trust_reference import first_policy, policy_bytes

from haoam_sync.errors import NotTrustedError
from haoam_sync.model.json import digest_bytes
from haoam_sync.trust.graph import Graph
from haoam_sync.trust.statements import read_log

Refused = Callable[[str], bool]


def flipped(data: bytes, place: int) -> bytes:
    """The same bytes with one bit the other way round: which one depends on the place."""
    return data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]


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


def history_of_a_forge() -> tuple[Memory, str]:
    """A merge and a squash by a forge's own key; the head that was squashed is kept."""
    memory, spec = Memory(), first_policy()
    spec["merge"] = {
        "methods": ["fast-forward", "merge", "squash"],
        "forge_keys": [{"id": "web", "type": "ssh", "public": public_key("web")}],
    }
    files = {"trust.yaml": policy_bytes(spec), "haproxy/a.yaml": b"0"}
    head = memory.introduction = memory.commit(files, [], "alice", "begin")
    topic = memory.commit({**memory.files[head], "haproxy/b.yaml": b"4"}, [head], "dave", "topic")
    web = memory.commit(memory.files[topic], [head, topic], "web", "merged on the web")
    memory.say(Statement("carol", head, topic))
    one = memory.commit({**memory.files[web], "haproxy/c.yaml": b"5"}, [web], "dave", "first half")
    two = memory.commit({**memory.files[one], "haproxy/c.yaml": b"6"}, [one], "alice", "second half")
    squashed = memory.commit(memory.files[two], [web], "web", "squashed on the web")
    memory.say(Statement("bob", web, two))
    return memory, squashed


def judge(memory: Memory, place: Path) -> Refused:
    """Whether the history as it now is in memory is refused, by a host that knows nothing."""
    host = Host(memory, place)
    return lambda head: isinstance(host.begin(head), NotTrustedError)


def test_control_the_history_is_accepted(tmp_path: Path) -> None:
    """Without a flipped bit every step is accepted."""
    memory, head = history()
    assert not judge(memory, tmp_path)(head)


@pytest.mark.parametrize(
    ("what", "kind"),
    [*((history, kind) for kind in ("commit", "tree", "policy", "file")), (history_of_a_forge, "commit")],
)
def test_no_flipped_byte_of_an_object_is_accepted(
    what: Callable[[], tuple[Memory, str]], kind: str, tmp_path: Path
) -> None:
    """Commits (a forge's and the kept heads of a squash among them), trees, policies and files: each byte of each."""
    memory, head = what()
    needed = [(oid, found) for oid, found in memory.objects.items() if found[1] != b"0"]  # the introduction's file
    refused = judge(memory, tmp_path)
    assert not refused(head)
    count = 0
    for oid, (found, content) in needed:
        policy = found == "blob" and content.startswith(b"{")
        if kind != {"blob": "policy" if policy else "file"}.get(found, found):
            continue
        for place in range(len(content)):
            memory.objects[oid] = (found, flipped(content, place))
            assert refused(head), (oid, place)
            count += 1
        memory.objects[oid] = (found, content)
    assert count >= 3
    assert not refused(head)


def test_no_flipped_byte_of_a_statement_is_accepted(tmp_path: Path) -> None:
    """Each byte of each of the reviews: the step that needs it is refused."""
    memory, head = history()
    every_byte(memory, partial(judge(memory, tmp_path), head), range(len(memory.entries)))


def every_byte(memory: Memory, refused: Callable[[], bool], entries: range) -> None:
    """Whichever byte of these entries of the log changes: it is refused; as they are, it is not."""
    assert not refused()
    for number in entries:
        entry = memory.entries[number]
        for place in range(len(entry.data)):
            memory.entries[number] = replace(entry, source=flipped(entry.data, place))
            assert refused(), (number, place)
        memory.entries[number] = entry


@pytest.mark.parametrize("kind", ["thaw", "affirm"])
def test_no_flipped_byte_of_a_roots_statement_lets_go(kind: str, tmp_path: Path) -> None:
    """Each byte of each of the two thaws, and of the two affirmations, that are just enough."""
    memory, head = Memory(), ""
    files = {"trust.yaml": policy_bytes(first_policy()), "haproxy/a.yaml": b"0"}
    memory.introduction = memory.commit(files, [], "alice", "begin")
    head = memory.commit({**files, "haproxy/a.yaml": b"1"}, [memory.introduction], "dave", "forward")
    memory.say(Statement("bob", memory.introduction, head))
    speak = partial(memory.speak, policy=files["trust.yaml"], tips=[memory.introduction, head])
    first = "freeze" if kind == "thaw" else "compromise"
    speak(Word(first, "alice", "alice", 1, "0" * 32, whose="dave"))
    refused = partial(judge(memory, tmp_path), head)
    assert refused()
    for number, name in enumerate(("alice", "carol"), 1):
        speak(Word(kind, name, name, 1 + number, f"{number:032x}", about="0" * 32, at=1, keys=("dave",)))
    every_byte(memory, refused, range(2, 4))


@pytest.mark.parametrize("kind", ["freeze", "compromise"])
def test_no_flipped_byte_of_a_roots_statement_is_overlooked(kind: str) -> None:
    """A freeze that cannot be read any more would hold nothing: each byte of it is proven by the id of its object."""
    memory = Memory()
    files = {"trust.yaml": policy_bytes(first_policy())}
    memory.introduction = memory.commit(files, [], "alice", "begin")
    memory.speak(Word(kind, "alice", "alice", 0, "0" * 32, whose="dave"), files["trust.yaml"], [memory.introduction])
    before = set(memory.objects)
    blob = memory.store("blob", memory.entries[0].data)
    tree = memory.store("tree", b"100644 statement.json\0" + bytes.fromhex(blob))
    stamp = "x <x@example.com> 1800000000 +0000"
    tip = memory.store("commit", f"tree {tree}\nauthor {stamp}\ncommitter {stamp}\n\nx\n".encode())
    assert len(read_log(Graph(memory, memory.introduction), tip).of_roots) == 1
    for oid in set(memory.objects) - before:
        found, content = memory.objects[oid]
        for place in range(len(content)):
            memory.objects[oid] = (found, flipped(content, place))
            with pytest.raises(NotTrustedError):
                read_log(Graph(memory, memory.introduction), tip)
        memory.objects[oid] = (found, content)
    assert len(read_log(Graph(memory, memory.introduction), tip).of_roots) == 1

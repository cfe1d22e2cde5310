"""RFC 6962 Merkle trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haoam_sync.audit.merkle import EMPTY_ROOT, Tree, includes, inclusion_proof, leaf_hash, node_hash, root

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The test vectors of the Certificate Transparency implementations: roots over the first 1 to 8 entries."""
entries = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


def reference(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(reference(leaves[:split]), reference(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    """The published vectors come out."""
    assert root(ENTRIES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """MTH({}) is SHA-256 of the empty string."""
    assert Tree().root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([]) == EMPTY_ROOT


@given(entries)
def test_growing_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    """Adding one entry at a time gives the recursive definition's root."""
    assert root(leaves) == reference(leaves)


@given(entries, st.data())
def test_an_inclusion_proof_shows_its_entry_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    """The proof of an entry is accepted for that entry at that place, and for nothing else."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top, size = inclusion_proof(leaves, index), root(leaves), len(leaves)
    assert includes(leaves[index], index, proof, size, top)
    assert not includes(leaves[index] + b"x", index, proof, size, top)
    assert not includes(leaves[index], size, proof, size, top)
    assert not includes(leaves[index], -1, proof, size, top)
    assert not includes(leaves[index], index, (*proof, top), size, top)
    if proof:
        assert not includes(leaves[index], index, proof[:-1], size, top)
        assert not includes(leaves[index], index, (bytes(32), *proof[1:]), size, top)


@given(entries, st.data())
def test_any_changed_entry_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """The root commits to every entry and to their order."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:index], leaves[index] + b"\x00", *leaves[index + 1 :]]
    assert root(changed) != root(leaves)
    assert root([*leaves, b""]) != root(leaves)


def test_a_node_is_no_entry() -> None:
    """Two entries and the one entry that spells their node have different roots (second preimage)."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert root([left + right]) != root([b"a", b"b"])


def test_there_is_no_proof_of_what_is_not_there() -> None:
    """An index outside the list is an error."""
    for index in (-1, 2):
        with pytest.raises(IndexError):
            inclusion_proof([b"a", b"b"], index)

"""Merkle tree of a list, as RFC 6962 section 2.1 defines it: root, and proof that an entry is in it.

Leaves are `SHA-256(0x00 || entry)`, inner nodes `SHA-256(0x01 || left || right)`; the left part of a tree of n entries
holds the largest power of two below n. The different first bytes keep an inner node from passing as an entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of no entries at all."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows by one entry at a time and keeps no more than one hash for each level."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []
        """Roots of the complete subtrees, the largest first."""

    def add(self, entry: bytes) -> None:
        """Append an entry."""
        node = leaf_hash(entry)
        filled = self.size
        while filled & 1:
            node = node_hash(self._full.pop(), node)
            filled >>= 1
        self._full.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        """Root over everything added so far, 32 bytes."""
        if not self._full:
            return EMPTY_ROOT
        node = self._full[-1]
        for left in reversed(self._full[:-1]):
            node = node_hash(left, node)
        return node


def root(entries: Sequence[bytes]) -> bytes:
    """Root over `entries`, 32 bytes."""
    tree = Tree()
    for entry in entries:
        tree.add(entry)
    return tree.root


def inclusion_proof(entries: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of entry `index` (RFC 6962 section 2.1.1), from the leaf upwards.

    Raises:
        IndexError: there is no such entry.
    """
    if not 0 <= index < len(entries):
        raise IndexError(index)
    if len(entries) == 1:
        return ()
    split = _split(len(entries))
    left, right = entries[:split], entries[split:]
    if index < split:
        return (*inclusion_proof(left, index), root(right))
    return (*inclusion_proof(right, index - split), root(left))


def includes(entry: bytes, index: int, proof: Sequence[bytes], size: int, expected_root: bytes) -> bool:
    """Whether `proof` shows that `entry` is number `index` (from 0) of the `size` entries under `expected_root`.

    The algorithm of RFC 9162 section 2.1.3.2, which checks the length of the proof too.
    """
    if not 0 <= index < size:
        return False
    node, place, last = leaf_hash(entry), index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == expected_root


def _split(size: int) -> int:
    """The largest power of two below `size` (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)

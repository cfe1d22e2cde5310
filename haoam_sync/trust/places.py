"""Where ids stand in a long row, in a few bytes each: a log of years is looked things up in, and stays small. Pure."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

_ID = 20
_PLACE_BITS = 24
_MOST = 1 << _PLACE_BITS


class Ids(Sequence[str]):
    """Commit ids, 20 bytes each."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        for oid in ids:
            self.append(oid)

    def append(self, oid: str) -> None:
        """Put an id behind the others."""
        self._bytes += bytes.fromhex(oid)

    def __len__(self) -> int:
        return len(self._bytes) // _ID

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        start = range(len(self))[place] * _ID
        return self._bytes[start : start + _ID].hex()


class Places:
    """Places by key, 8 bytes each. It may also give the place of another key: who asks looks at what stands there.

    Args:
        found: keys with their places, from 0 to 2**24.

    Raises:
        ValueError: a place is beyond.
    """

    def __init__(self, found: Iterable[tuple[str, int]]) -> None:
        packed = array("Q")
        for key, place in found:
            if not 0 <= place < _MOST:
                raise ValueError("too many places")
            packed.append(_hash(key) | place)
        self._packed = array("Q", sorted(packed))

    def of(self, key: str) -> Iterator[int]:
        """Places of a key, in order."""
        wanted = _hash(key)
        at = bisect_left(self._packed, wanted)
        while at < len(self._packed) and self._packed[at] - wanted < _MOST:
            yield self._packed[at] - wanted
            at += 1


def _hash(key: str) -> int:
    """The upper 40 bits of a word of 64: nobody can choose many keys that meet without much work, and none gains."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:5], "big") << _PLACE_BITS

"""Unpacking a body piece by piece, so that whoever reads it can stop at a bound.

A few bytes can unpack to gigabytes: no piece is larger than `PIECE`, and none is made before it is asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

PIECE = 64 * 1024
"""Bytes read at once, and unpacked at once at most."""


class PackedError(ValueError):
    """A packed body that can not be unpacked; its words say what the peer does."""


def inflated(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip or zlib.

    Raises:
        PackedError: it is neither, ends early, or goes on behind its end.
    """
    machine = zlib.decompressobj(32 + zlib.MAX_WBITS)
    for part in packed:
        rest, more = part, True
        while rest or more:
            if machine.eof:
                if rest:
                    raise PackedError("sends bytes behind the end of a packed answer")
                break
            try:
                piece = machine.decompress(rest, PIECE)
            except zlib.error as error:
                raise PackedError("packs an answer that can not be unpacked") from error
            rest = machine.unconsumed_tail or machine.unused_data
            more = len(piece) == PIECE  # what came in may be used up before all of it went out
            if piece:
                yield piece
    if not machine.eof:
        raise PackedError("packs an answer that ends early")

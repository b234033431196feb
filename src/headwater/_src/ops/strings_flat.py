"""Many strings as one: their bytes in one buffer, and where each ends.

A pass over 100,000 objects costs a millisecond or more, whatever it does; a pass over the bytes of all of them a tenth of
that. So kernels join the strings once, work on the buffer, and cut it into strings once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

FEW = 32
"""Below so many strings a loop is faster than arrays."""
MANY = 256
"""From so many parts on, NumPy's strings of fixed width are worth their preparation."""
_WIDE = 128
_TOGETHER = 8192
"""Parts that are cut at a time, for the sake of the cache."""


def sizes_of(items: Sequence[bytes]) -> np.ndarray:
    """The lengths of the strings as int64."""
    if len(items) > FEW:
        try:  # bytes are collected without a conversion of each
            return np.frombuffer(bytearray(map(len, items)), np.uint8).astype(np.int64)
        except ValueError:
            pass
    return np.fromiter(map(len, items), np.int64, len(items))


def are_ascii(items: Sequence[bytes]) -> bool:
    """Whether no string has a byte above 127. Asking one long string takes less than half the time of asking all."""
    return b"".join(items).isascii()


def bounds(sizes: np.ndarray) -> np.ndarray:
    """Where runs of these lengths begin, and where the last one ends: one element more than `sizes`."""
    found = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=found[1:])
    return found


def joined(items: Sequence[bytes], before: bytes = b"", after: bytes = b"") -> np.ndarray:
    """The bytes of all strings, one after another, between two other strings."""
    return np.frombuffer(before + b"".join(items) + after if before or after else b"".join(items), np.uint8)


def pieces(data: bytes, begins: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Parts of a buffer as a vector of byte strings.

    NumPy makes objects of its own strings of fixed width several times as fast as the interpreter cuts a buffer. Each part is
    read at the width of the longest one, what is behind its end becomes zeros, and those NumPy drops.
    """
    count, width = len(begins), max(int(sizes.max(initial=0)), 1)
    spread = count * width > 4 * (int(sizes.sum()) + count)
    if count < MANY or width > _WIDE or spread or b"\0" in data:
        found = zip(begins.tolist(), (begins + sizes).tolist(), strict=True)
        return objects([data[a:b] for a, b in found], count)
    windows: np.ndarray = np.ndarray((len(data) + 1,), f"S{width}", data + bytes(width), 0, (1,))
    kept = np.where(np.arange(width) < np.arange(width + 1)[:, None], 255, 0).astype(np.uint8)
    out = np.empty(count, object)
    for at in range(0, count, _TOGETHER):
        part = slice(at, at + _TOGETHER)
        read = windows[begins[part]]
        chars = read.view(np.uint8).reshape(len(read), width)
        chars &= kept.take(sizes[part], axis=0)
        out[part] = read
    return out


def cut(data: Any, ends: np.ndarray) -> list[Any]:
    """A text or byte string cut at its `bounds`."""
    return [data[a:b] for a, b in itertools.pairwise(ends.tolist())]


def totals(flags: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """How many of the flags are set before each of the places."""
    found = np.zeros(len(flags) + 1, np.int32 if len(flags) < 2**31 else np.int64)
    np.cumsum(flags, out=found[1:])
    return found[ends]


def character_starts(data: np.ndarray) -> np.ndarray:
    """Which bytes begin a UTF-8 character: all but 10xxxxxx."""
    return (data & 0xC0) != 0x80


def objects(items: Iterable[Any], count: int) -> np.ndarray:
    """A vector of `count` objects."""
    return np.fromiter(items, object, count)

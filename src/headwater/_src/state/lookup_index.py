"""From keys to the rows where their values are: arrays for integers, or a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from headwater._src.ops.threads import share

_DENSE = 4
"""Integer keys spread over at most so many times their number are looked up in a plain array."""

_GOLDEN = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: Knuth's multiplicative hash takes the upper bits of the product."""

_BLOCK = 1 << 16
"""So many integers are looked up at a time: their hashes and rows stay in the cache."""

_TERMS = 1024
"""So many strings at a time: a list and a tuple of them are small enough to be reused by the allocator."""

_FEW = 16
"""Up to so many keys of a dictionary are looked up one by one."""

_MAX_LEVELS = 64


def rows_of(known: dict[Any, int], keys: np.ndarray | list[Any]) -> np.ndarray:
    """The row of each of these keys, a vector or a list, in a dictionary; -1 where it is not there."""
    out = np.empty(len(keys), np.int64)
    complete = len(keys) > _FEW
    for start in range(0, len(keys), _TERMS):
        some = keys[start : start + _TERMS]
        listed = some if isinstance(some, list) else some.tolist()
        if complete and len(listed) > 1:
            try:
                # An item getter looks all up without a call for each.
                out[start : start + _TERMS] = itemgetter(*listed)(known)
                continue
            except KeyError:
                complete = False
        out[start : start + _TERMS] = np.fromiter(map(known.get, listed, repeat(-1)), np.int64, len(listed))
    return out


class _Level(NamedTuple):
    """A hash table without chains: each slot has a row or -1. Keys that find theirs taken are in the next level."""

    slots: np.ndarray
    multiplier: np.uint64
    shift: np.uint64

    def at(self, keys: np.ndarray) -> np.ndarray:
        """The slot of each key."""
        return ((keys.view(np.uint64) * self.multiplier) >> self.shift).view(np.int64)


def _levels(keys: np.ndarray) -> list[_Level]:
    """The levels for keys that are all different."""
    levels: list[_Level] = []
    rows = np.arange(len(keys), dtype=np.int32 if len(keys) < 2**31 else np.int64)
    while len(rows):
        if len(levels) == _MAX_LEVELS:
            raise ValueError("The keys are not all different.")
        bits = max(4, (8 * len(rows) - 1).bit_length())
        # Every level has its own odd multiplier, so that keys which meet in one part in the next.
        multiplier = (_GOLDEN * (2 * len(levels) + 1)) % 2**64
        level = _Level(np.full(1 << bits, -1, rows.dtype), np.uint64(multiplier), np.uint64(64 - bits))
        at = level.at(keys[rows])
        level.slots[at] = rows
        rows = rows[level.slots[at] != rows]
        levels.append(level)
    return levels


class KeyIndex:
    """The row of each of `keys`, a vector without duplicates.

    Integers of a narrow range have an array from key to row, others hash tables of arrays; strings and floats have a dictionary.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.size = keys.size
        self.table: np.ndarray | None = None
        self.levels: list[_Level] = []
        if keys.dtype.kind in "iu" and keys.size:
            self._of_integers(keys)
        else:
            self.rows = dict(zip(keys.tolist(), range(keys.size), strict=True))

    def _of_integers(self, keys: np.ndarray) -> None:
        low, high = int(keys.min()), int(keys.max())
        if high - low < _DENSE * keys.size + 64:
            self.low, self.high = low, high
            self.table = np.full(high - low + 1, -1, np.int64)
            self.table[keys.astype(np.int64) - low] = np.arange(keys.size)
            return
        wide = keys.astype(np.int64, copy=False)
        self.levels = _levels(wide)
        # One more key, for row -1: a key that is equal to it finds row -1 all the same.
        self.keys = np.append(wide, 0)

    @property
    def count(self) -> int:
        """How many keys there are, which is less than were given only where strings are equal."""
        return self.size if self.table is not None or self.levels else len(self.rows)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The row of each of these keys, of the same shape; -1 where it is not there."""
        flat = keys.reshape(-1)
        if self.table is not None:
            rows = self._in_table(self.table, flat)
        elif self.levels:
            rows = self._in_blocks(flat.astype(np.int64, copy=False))
        else:
            rows = rows_of(self.rows, flat)
        return rows.reshape(keys.shape)

    def _in_table(self, table: np.ndarray, flat: np.ndarray) -> np.ndarray:
        inside = (flat >= self.low) & (flat <= self.high)
        if inside.all():
            return table[flat - flat.dtype.type(self.low)] if self.low else table[flat]
        return np.where(inside, table[np.where(inside, flat, self.low).astype(np.int64) - self.low], -1)

    def _in_blocks(self, keys: np.ndarray) -> np.ndarray:
        """Many keys, a block after the other, on several threads."""
        rows = np.empty(keys.size, np.int64)

        def work(blocks: Iterator[int]) -> None:
            for block in blocks:
                part = slice(block * _BLOCK, (block + 1) * _BLOCK)
                rows[part] = self._in_levels(keys[part])

        count = -(-keys.size // _BLOCK)
        if count > 1:
            share(work, count)
        else:
            work(iter(range(count)))
        return rows

    def _in_levels(self, keys: np.ndarray) -> np.ndarray:
        first, *others = self.levels
        rows = first.slots.take(first.at(keys))
        left = np.flatnonzero(self.keys.take(rows, mode="wrap") != keys)
        for level in others:
            left = left[rows[left] >= 0]
            if not left.size:
                break
            some = keys[left]
            found = level.slots.take(level.at(some))
            rows[left] = found
            left = left[self.keys.take(found, mode="wrap") != some]
        rows[left] = -1
        return rows

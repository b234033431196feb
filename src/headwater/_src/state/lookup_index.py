"""From keys to the rows where their values are: arrays for integers, or a dictionary."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

_DENSE = 4
"""Integer keys spread over at most so many times their number are looked up in a plain array."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: Knuth's multiplicative hash takes the upper bits of the product."""


class KeyIndex:
    """The row of each of `keys`, a vector without duplicates.

    Integers of a narrow range have an array from key to row, others a hash table of arrays; strings and floats have a dictionary.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.size = keys.size
        self.table: np.ndarray | None = None
        self.hashed: np.ndarray | None = None
        if keys.dtype.kind in "iu" and keys.size:
            self._of_integers(keys)
        else:
            self.rows: dict[Any, int] = dict(zip(keys.tolist(), range(keys.size), strict=True))

    def _of_integers(self, keys: np.ndarray) -> None:
        low, high = int(keys.min()), int(keys.max())
        if high - low < _DENSE * keys.size + 64:
            self.low, self.high = low, high
            self.table = np.full(high - low + 1, -1, np.int64)
            self.table[keys.astype(np.int64) - low] = np.arange(keys.size)
            return
        self._hash_all(keys)

    def _hash_all(self, keys: np.ndarray) -> None:
        """Open addressing with linear probing, all keys at a time: those that find their slot taken go on to the next."""
        bits = max(4, (4 * keys.size - 1).bit_length())
        self.shift, self.mask = np.uint64(64 - bits), (1 << bits) - 1
        slots = np.full(1 << bits, -1, np.int64)
        waiting, at = np.arange(keys.size), self._hash(keys)
        while waiting.size:
            free = slots[at] < 0
            slots[at[free]] = waiting[free]
            moved = slots[at] != waiting
            waiting, at = waiting[moved], (at[moved] + 1) & self.mask
        self.slots, self.hashed = slots, keys

    def _hash(self, keys: np.ndarray) -> np.ndarray:
        return ((keys.astype(np.int64).view(np.uint64) * _GOLDEN) >> self.shift).view(np.int64)

    def _probe(self, keys: np.ndarray) -> np.ndarray:
        assert self.hashed is not None
        at = self._hash(keys)
        rows = self.slots.take(at)
        open_ = np.flatnonzero((rows >= 0) & (self.hashed.take(rows, mode="clip") != keys))
        at = at[open_]
        while open_.size:
            at = (at + 1) & self.mask
            found = self.slots[at]
            rows[open_] = found
            left = (found >= 0) & (self.hashed.take(found, mode="clip") != keys[open_])
            open_, at = open_[left], at[left]
        return rows

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The row of each of these keys, of the same shape; -1 where it is not there."""
        flat = keys.reshape(-1)
        if self.table is not None:
            inside = (flat >= self.low) & (flat <= self.high)
            if inside.all():
                rows = self.table[flat - flat.dtype.type(self.low)] if self.low else self.table[flat]
            else:
                rows = np.where(
                    inside, self.table[np.where(inside, flat, self.low).astype(np.int64) - self.low], -1
                )
        elif self.hashed is not None:
            rows = self._probe(flat)
        else:
            rows = self._find_hashed(flat)
        return rows.reshape(keys.shape)

    def _find_hashed(self, flat: np.ndarray) -> np.ndarray:
        found = map(self.rows.get, flat.tolist(), itertools.repeat(-1))
        return np.fromiter(found, np.int64, flat.size)

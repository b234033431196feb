"""From keys to the rows where their values are: sorted integers, or a dictionary."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

_DENSE = 4
"""Integer keys spread over at most so many times their number are looked up in a plain array."""


class KeyIndex:
    """The row of each of `keys`, a vector without duplicates.

    Integers of a narrow range have an array from key to row, others are sorted; strings and floats have a dictionary.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.size = keys.size
        self.table: np.ndarray | None = None
        self.sorted: np.ndarray | None = None
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
        self.order = np.argsort(keys, kind="stable")
        self.sorted = keys[self.order]

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
        elif self.sorted is not None:
            at = np.searchsorted(self.sorted, flat)
            at[at == self.sorted.size] = 0
            rows = np.where(self.sorted[at] == flat, self.order[at], -1)
        else:
            rows = self._find_hashed(flat)
        return rows.reshape(keys.shape)

    def _find_hashed(self, flat: np.ndarray) -> np.ndarray:
        keys = flat.tolist()
        if len(keys) > 1:
            try:  # one call for all where all are there
                return np.array(operator.itemgetter(*keys)(self.rows), np.int64)
            except KeyError:
                pass
        get = self.rows.get
        return np.array([get(k, -1) for k in keys], np.int64)

"""The buckets of a table with open addressing, as TensorFlow's DenseHashTable keeps them and writes them to checkpoints.

A key stands in the bucket that its hash names, or, where that is taken, 1, 3, 6, ... buckets further on, counted around.
"""

from __future__ import annotations

import numpy as np

from headwater._src.ops.strings_hash import murmurs

DEFAULT_BUCKETS = 1 << 17
_MOST_FULL = 0.8


def bucket_count(initial: int | None, keys: int) -> int:
    """The number of buckets for so many keys: doubled until at most four fifths are taken."""
    count = initial or DEFAULT_BUCKETS
    while keys > _MOST_FULL * count:
        count *= 2
    return count


def in_buckets(
    keys: np.ndarray, values: np.ndarray, empty_key: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values in their buckets, the others filled with `empty_key`.

    Args:
      keys: (n, *shape of a key).
      values: (n, *shape of a value).
      empty_key: of the shape of a key.
      count: the number of buckets, a power of two greater than n.
    """
    all_keys = np.empty((count, *keys.shape[1:]), keys.dtype)
    all_keys[...] = empty_key
    all_values = np.zeros((count, *values.shape[1:]), values.dtype)
    if values.dtype.kind == "O":
        all_values[...] = b""
    taken = np.zeros(count, bool)
    rest = np.arange(len(keys))
    place = (_hashes(keys) & np.uint64(count - 1)).astype(np.int64)
    step = 0
    while rest.size:
        # Of the keys that come to one free bucket together the first gets it; the others go on, as if they came later.
        first = np.unique(place, return_index=True)[1]
        settled = first[~taken[place[first]]]
        at = place[settled]
        taken[at] = True
        all_keys[at], all_values[at] = keys[rest[settled]], values[rest[settled]]
        step += 1
        rest, place = np.delete(rest, settled), (np.delete(place, settled) + step) % count
    return all_keys, all_values


def _hashes(keys: np.ndarray) -> np.ndarray:
    """TensorFlow's hash of each key: integers are their own, those of vectors are combined."""
    flat = (
        murmurs(keys.reshape(-1).tolist())
        if keys.dtype.kind == "O"
        else keys.astype(np.int64).view(np.uint64)
    )
    if keys.ndim == 1:
        return flat.reshape(-1)
    columns = flat.reshape(len(keys), -1)
    if columns.shape[1] == 1:
        return columns[:, 0]
    found = np.zeros(len(keys), np.uint64)
    for column in columns.T:
        found ^= column + np.uint64(0x9E3779B97F4A7800) + (found << np.uint64(10)) + (found >> np.uint64(4))
    return found

"""Hashes of strings as uint64: MurmurHash64A, FarmHash's fingerprint and SipHash.

Each is written once, on numbers modulo 2**64 that are Python's integers for one string, or arrays for many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base import farmhash
from headwater._src.base.farmhash import MASK, low
from headwater._src.ops import strings_flat as flat

_ALONE = 16
"""Fewer strings of one kind than this are hashed one by one."""
_TOGETHER = 8192
"""So many at once, for the sake of the cache."""


class _Words:
    """The bytes of many strings; `fetch` reads numbers from all of the chosen ones at once."""

    def __init__(self, items: list[bytes]) -> None:
        self.sizes = flat.sizes_of(items)
        self.begins = flat.bounds(self.sizes)[:-1]
        data = flat.joined(items, after=bytes(16))
        self.views = {
            size: np.ndarray((len(data) - size + 1,), f"<u{size}", data.data, 0, (1,)) for size in (1, 4, 8)
        }

    def of(self, members: np.ndarray) -> Callable[[Any, int], np.ndarray]:
        begins = self.begins[members]

        def fetch(at: Any, size: int) -> np.ndarray:
            place = at.view(np.int64) if isinstance(at, np.ndarray) else at
            return self.views[size][begins + place].astype(np.uint64, copy=False)

        return fetch


def _single(item: bytes) -> Callable[[int, int], int]:
    return lambda at, size: int.from_bytes(item[at : at + size], "little")


_KINDS = np.searchsorted([longest for longest, _ in farmhash.CLASSES], np.arange(65)).astype(np.uint16)
"""Length -> the number of the formula for strings of FarmHash's of that length."""

# -- FarmHash ---------------------------------------------------------------------------------------------------------


def fingerprints(items: list[bytes]) -> np.ndarray:
    """FarmHash's 64-bit fingerprint of each string."""
    if len(items) < flat.FEW:
        return np.array(list(map(farmhash.fingerprint64, items)), np.uint64)
    words = _Words(items)
    sizes, found = words.sizes, np.full(len(items), farmhash.OF_NOTHING, np.uint64)
    kinds = _KINDS[np.minimum(sizes, len(_KINDS) - 1)]
    for kind, members in _grouped(kinds, (sizes > 0) & (sizes < len(_KINDS))):
        function = farmhash.CLASSES[kind][1]
        found[members] = function(words.of(members), sizes[members].astype(np.uint64))
    for blocks, members in _grouped((sizes - 1) // 64, sizes >= len(_KINDS)):
        if members.size < _ALONE:
            found[members] = [farmhash.fingerprint64(items[i]) for i in members.tolist()]
        else:
            n = sizes[members].astype(np.uint64)
            found[members] = farmhash.of_more_than_64(words.of(members), n, blocks)
    return found


def _grouped(keys: np.ndarray, among: np.ndarray | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """(key, places that have it) for each key that occurs, among the chosen places or all; long groups in parts."""
    places = np.arange(len(keys)) if among is None else np.flatnonzero(among)
    if not places.size:
        return
    chosen = keys[places]
    if chosen.max() < 2**16:
        chosen = chosen.astype(np.uint16)  # sorted by radix
    order = places[np.argsort(chosen, kind="stable")]
    for group in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        for start in range(0, len(group), _TOGETHER):
            yield int(keys[group[0]]), group[start : start + _TOGETHER]


def _by_words(items: list[bytes], one: Callable[[Any, Any, int], Any]) -> np.ndarray:
    """`one(fetch, length, whole words)` of each string; strings with as many words are done at once."""

    def alone(item: bytes) -> int:
        return one(_single(item), len(item), len(item) >> 3)

    if len(items) < flat.FEW:
        return np.array(list(map(alone, items)), np.uint64)
    words = _Words(items)
    found = np.empty(len(items), np.uint64)
    for count, members in _grouped(words.sizes >> 3):
        if members.size < _ALONE:
            found[members] = [alone(items[i]) for i in members.tolist()]
        else:
            found[members] = one(words.of(members), words.sizes[members].astype(np.uint64), count)
    return found


def _rest(fetch: Any, n: Any, whole: int) -> Any:
    """The bytes after the whole words as a number."""
    return fetch(8 * whole, 8) & ((1 << ((n & 7) << 3)) - 1 if isinstance(n, int) else _BELOW[n & 7])


_BELOW = np.array([(1 << 8 * i) - 1 for i in range(8)], np.uint64)

# -- MurmurHash64A ----------------------------------------------------------------------------------------------------

_MURMUR = 0xC6A4A7935BD1E995
_SEED = 0xDECAFCAFFE


def _murmur(fetch: Any, n: Any, whole: int) -> Any:
    value = low(n * _MURMUR) ^ _SEED
    for i in range(whole):
        word = low(fetch(8 * i, 8) * _MURMUR)
        value = low((value ^ low((word ^ (word >> 47)) * _MURMUR)) * _MURMUR)
    ended = low((value ^ _rest(fetch, n, whole)) * _MURMUR)
    if isinstance(n, int):
        value = ended if n & 7 else value
    else:
        value = np.where(n & 7, ended, value)
    value = low((value ^ (value >> 47)) * _MURMUR)
    return value ^ (value >> 47)


def murmurs(items: list[bytes]) -> np.ndarray:
    """MurmurHash64A (Austin Appleby, public domain) of each string, with TensorFlow's seed."""
    return _by_words(items, _murmur)


# -- SipHash ----------------------------------------------------------------------------------------------------------

_SIP = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def _sip_rounds(v: list[Any], count: int) -> None:
    for _ in range(count):
        for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
            v[a] = v[a] + v[b]
            v[c] = v[c] + v[d]
            v[b] = farmhash.rotated(v[b], 64 - first) ^ v[a]
            v[d] = farmhash.rotated(v[d], 64 - second) ^ v[c]
            v[a] = farmhash.rotated(v[a], 32)


def sips(items: list[bytes], key: tuple[int, int]) -> np.ndarray:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) of each string, under a key of two 64-bit numbers."""

    def one(fetch: Any, n: Any, whole: int) -> Any:
        v: list[Any] = [n * 0 + (s ^ (key[i % 2] & MASK)) for i, s in enumerate(_SIP)]
        # The last word ends with the length's low byte.
        for i in range(whole + 1):
            word = fetch(8 * i, 8) if i < whole else _rest(fetch, n, whole) | ((n & 255) << 56)
            v[3] = v[3] ^ word
            _sip_rounds(v, 2)
            v[0] = v[0] ^ word
        v[2] = v[2] ^ 0xFF
        _sip_rounds(v, 4)
        return low(v[0] ^ v[1] ^ v[2] ^ v[3])

    return _by_words(items, one)

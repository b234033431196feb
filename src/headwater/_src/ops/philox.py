"""Philox 4x32-10, the counter-based generator behind every random operation, and the distributions drawn from its bits.

The generator is that of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): ten rounds
turn a 128-bit counter and a 64-bit key into four 32-bit words, a block. A stream is a key and a starting counter; block i of
it belongs to the counter plus i, so any part of a stream can be computed by itself, and here many blocks at a time.

The distributions take the same bits in the same order as TensorFlow's kernels do, so equal seeds give equal numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from headwater._src.base.lazy import scipy_lapack
from headwater._src.ops.threads import share

_WORD = 0xFFFFFFFF
_LONG = 0xFFFFFFFFFFFFFFFF
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_SCRAMBLE_KEY = 0x02461E293EC8F720
_CHUNK = 8192
"""Blocks computed at a time: what fits the second-level cache."""

_FEW = 6
"""So many blocks are quicker one by one, with Python's integers."""

_U32, _U64 = np.dtype(np.uint32), np.dtype(np.uint64)
_F16, _F32, _F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
_BF16 = np.dtype(ml_dtypes.bfloat16)

RESERVED = 256
"""Blocks that TensorFlow sets aside for one result whose number of draws is not known beforehand."""


class Stream(NamedTuple):
    """A key and a 128-bit counter, whose halves are `low` and `high`."""

    key: int
    low: int
    high: int

    def skip(self, blocks: int) -> Stream:
        """The stream that starts `blocks` blocks later."""
        total = self.low + blocks
        return Stream(self.key, total & _LONG, (self.high + (total >> 64)) & _LONG)


def stream_of_seeds(seed: int, seed2: int) -> Stream:
    """The stream of a stateful operation: the global seed is the key, the operation's seed the counter's upper half."""
    return Stream(seed & _LONG, 0, seed2 & _LONG)


def stream_of_pair(seed: Any) -> Stream:
    """The stream of a stateless operation's seed of shape [2]; the seed goes through the generator once."""
    first, second = seed.tolist()
    a, b, c, d = one_block(Stream(_SCRAMBLE_KEY, first & _LONG, second & _LONG))
    return Stream(a | b << 32, 0, c | d << 32)


def stream_of_state(state: np.ndarray) -> Stream:
    """The stream that an int64 vector of the counter's lower and upper half and the key stands for."""
    low, high, key = state.tolist()
    return Stream(key & _LONG, low & _LONG, high & _LONG)


def state_of(stream: Stream) -> np.ndarray:
    """The stream as such a vector."""
    return np.array((stream.low, stream.high, stream.key), _U64).view(np.int64)


# -- bits -------------------------------------------------------------------------------------------------------------


def one_block(stream: Stream) -> tuple[int, int, int, int]:
    """The first block of the stream; for a single one Python's integers are faster than arrays."""
    k0, k1 = stream.key & _WORD, stream.key >> 32
    c0, c1, c2, c3 = stream.low & _WORD, stream.low >> 32, stream.high & _WORD, stream.high >> 32
    for _ in range(10):
        p, q = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & _WORD, (p >> 32) ^ c3 ^ k1, p & _WORD
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    return c0, c1, c2, c3


@functools.lru_cache(maxsize=256)
def _round_keys(key: int) -> list[np.ndarray]:
    low, high = key & _WORD, key >> 32
    table = [((low + i * _WEYL[0]) & _WORD, (high + i * _WEYL[1]) & _WORD) for i in range(10)]
    return list(np.array(table, np.uint32).reshape(10, 2, 1))


def _counters(stream: Stream, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The words (0, 2) and the words (1, 3) of the counters of blocks `index`, which must be ascending."""
    n = index.shape[0]
    even, odd = np.empty((2, n), _U64), np.empty((2, n), _U32)
    low = index + np.uint64(stream.low)
    np.bitwise_and(low, np.uint64(_WORD), out=even[0])
    odd[0] = low >> np.uint64(32)
    even[1] = stream.high & _WORD
    odd[1] = stream.high >> 32
    if n and stream.low + int(index[-1]) > _LONG:
        carried = (stream.high + 1) & _LONG
        wrapped = low < index
        even[1, wrapped] = carried & _WORD
        odd[1, wrapped] = carried >> 32
    return even, odd


def _rounds(even: np.ndarray, odd: np.ndarray, keys: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The ten rounds. `even` holds 32-bit values in 64 bits, so that a product keeps both its halves."""
    n = even.shape[1]
    products = (np.empty((2, n), _U64), np.empty((2, n), _U64))
    # Each product's halves go to the other pair of words, hence the reversal of the rows.
    halves = [p.view(_U32).reshape(2, n, 2)[::-1] for p in products]
    mixed = np.empty((2, n), _U32)
    for i, key in enumerate(keys):
        np.multiply(even, _MULTIPLIERS, out=products[i & 1])
        half = halves[i & 1]
        np.bitwise_xor(half[:, :, 1], odd, out=mixed)
        np.bitwise_xor(mixed, key, out=even)
        odd = half[:, :, 0]
    return even, odd


def blocks_at(stream: Stream, index: np.ndarray, keys: list[np.ndarray] | None = None) -> np.ndarray:
    """The blocks of the given ascending uint64 indices, as uint32 of shape [n, 4]."""
    if index.shape[0] <= _FEW:
        return np.array([one_block(stream.skip(i)) for i in index.tolist()], _U32).reshape(-1, 4)
    even, odd = _rounds(*_counters(stream, index), _round_keys(stream.key) if keys is None else keys)
    out = np.empty((index.shape[0], 2, 2), _U32)
    out[:, :, 0] = even.T
    out[:, :, 1] = odd.T
    return out.reshape(-1, 4)


def blocks(stream: Stream, count: int) -> np.ndarray:
    """The first `count` blocks of the stream, as uint32 of shape [count, 4]."""
    return fill(stream, count * 4, words, _U32).reshape(-1, 4)


def endless(stream: Stream) -> Iterator[int]:
    """The words of a stream one by one."""
    count = 16
    while True:
        yield from blocks(stream, count).reshape(-1).tolist()
        stream = stream.skip(count)
        count = min(2 * count, 1024)


def fill(stream: Stream, size: int, draw: Callable[[np.ndarray], np.ndarray], dtype: np.dtype) -> np.ndarray:
    """`size` values of a distribution that makes a fixed number of them from each block.

    Args:
      stream: where the bits come from.
      size: how many values.
      draw: makes values [n, k] of blocks [n, 4].
      dtype: of the values.
    """
    per = 2 if dtype.itemsize == 8 else 4
    count = -(-size // per)
    keys = _round_keys(stream.key)
    if count <= _CHUNK:
        return draw(blocks_at(stream, np.arange(count, dtype=_U64), keys)).reshape(-1)[:size]
    out = np.empty((count, per), dtype)

    def work(chunks: Iterator[int]) -> None:
        for chunk in chunks:
            start, stop = chunk * _CHUNK, min((chunk + 1) * _CHUNK, count)
            out[start:stop] = draw(blocks_at(stream, np.arange(start, stop, dtype=_U64), keys))

    share(work, -(-count // _CHUNK))
    return out.reshape(-1)[:size]


# -- integers and uniforms --------------------------------------------------------------------------------------------


def words(bits: np.ndarray) -> np.ndarray:
    """Each word as it is."""
    return bits


def longs(bits: np.ndarray) -> np.ndarray:
    """Pairs of words as uint64, the first word lowest."""
    return (bits[:, 0::2].astype(_U64)) | (bits[:, 1::2].astype(_U64) << np.uint64(32))


def _unit_half(bits: np.ndarray) -> np.ndarray:
    pattern = (bits.astype(np.uint16) & np.uint16(0x3FF)) | np.uint16(0x3C00)
    return pattern.view(_F16) - np.float16(1)


def _unit_bfloat(bits: np.ndarray) -> np.ndarray:
    pattern = (bits.astype(np.uint16) & np.uint16(0x7F)) | np.uint16(0x3F80)
    return (pattern.view(_BF16).astype(_F32) - np.float32(1)).astype(_BF16)


def _unit_float(bits: np.ndarray) -> np.ndarray:
    pattern = bits & np.uint32(0x7FFFFF)
    pattern |= np.uint32(0x3F800000)
    values = pattern.view(_F32)
    values -= np.float32(1)
    return values


def unit_double(bits: np.ndarray) -> np.ndarray:
    """Pairs of words as doubles in [0, 1): 20 bits of the first and all of the second make the mantissa."""
    pattern = (bits[:, 0::2].astype(_U64) & np.uint64(0xFFFFF)) << np.uint64(32)
    pattern |= bits[:, 1::2]
    pattern |= np.uint64(1023 << 52)
    values = pattern.view(_F64)
    values -= 1.0
    return values


_UNIT = {_F16: _unit_half, _BF16: _unit_bfloat, _F32: _unit_float, _F64: unit_double}


def uniform(stream: Stream, size: int, dtype: np.dtype) -> np.ndarray:
    """Floats in [0, 1)."""
    return fill(stream, size, _UNIT[dtype], dtype)


def integers(stream: Stream, size: int, dtype: np.dtype) -> np.ndarray:
    """Integers over the whole range of a 32-bit or 64-bit dtype."""
    unsigned = _U32 if dtype.itemsize == 4 else _U64
    return fill(stream, size, words if dtype.itemsize == 4 else longs, unsigned).view(dtype)


def uniform_int(stream: Stream, size: int, low: int, high: int, dtype: np.dtype) -> np.ndarray:
    """Integers in [low, high): the remainder of a word, hence biased unless the range is a power of two."""
    unsigned = _U32 if dtype.itemsize == 4 else _U64
    bits = fill(stream, size, words if dtype.itemsize == 4 else longs, unsigned)
    mask = _WORD if dtype.itemsize == 4 else _LONG
    values = bits % unsigned.type((high - low) & mask)
    values += unsigned.type(low & mask)
    return values.view(dtype)


# -- normals ----------------------------------------------------------------------------------------------------------


def _box_muller_float(bits: np.ndarray) -> np.ndarray:
    """Pairs of words as pairs of float32 normals.

    The logarithm, sine and cosine are taken in double precision and rounded: that is what a correctly rounded
    single-precision function gives, where NumPy's own are off in the last bits.
    """
    unit = _unit_float(bits)
    first = np.maximum(unit[:, 0::2], np.float32(1e-7))
    angle = (unit[:, 1::2] * np.float64(2 * np.pi)).astype(_F32).astype(_F64)
    radius = np.sqrt(np.float32(-2) * np.log(first.astype(_F64)).astype(_F32))
    out = np.empty(unit.shape, _F32)
    out[:, 0::2] = np.sin(angle)
    out[:, 1::2] = np.cos(angle)
    out[:, 0::2] *= radius
    out[:, 1::2] *= radius
    return out


def box_muller_double(bits: np.ndarray) -> np.ndarray:
    """Blocks as pairs of float64 normals."""
    unit = unit_double(bits)
    radius = np.sqrt(-2.0 * np.log(np.maximum(unit[:, 0], 1e-7)))
    angle = 2 * np.pi * unit[:, 1]
    out = np.empty(unit.shape, _F64)
    np.multiply(np.sin(angle), radius, out=out[:, 0])
    np.multiply(np.cos(angle), radius, out=out[:, 1])
    return out


def normal(stream: Stream, size: int, dtype: np.dtype) -> np.ndarray:
    """Standard normals by the transformation of Box and Muller; 16-bit ones are rounded float32."""
    if dtype is _F64 or dtype == _F64:
        return fill(stream, size, box_muller_double, _F64)
    values = fill(stream, size, _box_muller_float, _F32)
    return values if dtype == _F32 else values.astype(dtype)


def truncated_normal(stream: Stream, size: int, dtype: np.dtype) -> np.ndarray:
    """Standard normals of magnitude below 2, by rejection.

    Results come in groups of four (of two for float64). Each group has a reserved run of blocks, takes normals from it in
    order and keeps those inside, until it is full.
    """
    wide = dtype == _F64
    per, draw, kept_dtype = (2, box_muller_double, _F64) if wide else (4, _box_muller_float, _F32)
    groups = -(-size // per)
    keys = _round_keys(stream.key)
    out = np.empty((groups, per), kept_dtype)

    def work(chunks: Iterator[int]) -> None:
        for chunk in chunks:
            start = chunk * _CHUNK
            _truncated_chunk(stream, keys, out[start : start + _CHUNK], start, draw)

    share(work, -(-groups // _CHUNK))
    values = out.reshape(-1)[:size]
    return values if dtype == kept_dtype else values.astype(dtype)


def _truncated_chunk(stream: Stream, keys: list[np.ndarray], out: np.ndarray, start: int, draw: Any) -> None:
    groups, per = out.shape
    base = np.arange(start, start + groups, dtype=_U64) * np.uint64(per * RESERVED // 4)
    # A few groups cost next to nothing beside the calls, so they draw ahead; many draw only what they need.
    ahead = 3 if groups <= 256 else 1
    todo = np.arange(groups)
    have = np.zeros(groups, np.intp)
    step = 0
    while todo.size:
        index = base[todo, None] + np.arange(step, step + ahead, dtype=_U64)
        values = draw(blocks_at(stream, index.reshape(-1), keys)).reshape(todo.size, -1)
        inside = np.abs(values) < 2
        slot = np.cumsum(inside, axis=1)
        slot += have[:, None] - 1
        take = inside & (slot < per)
        rows, columns = np.nonzero(take)
        out[todo[rows], slot[rows, columns]] = values[rows, columns]
        have += inside.sum(axis=1)
        left = have < per
        todo, have = todo[left], have[left]
        step += ahead


# -- permutations and categories --------------------------------------------------------------------------------------


MANY = 2048
"""From so many numbers on LAPACK exchanges them, which has to be loaded first."""


def exchange(numbers: np.ndarray, partners: np.ndarray, many: bool) -> None:
    """Exchanges number k with number `partners[k]`, one k after the other.

    Args:
      numbers: float64, contiguous, changed in place; whole numbers below 2**53 and fewer than 2**31 of them.
      partners: positions, no more than there are numbers.
      many: whether LAPACK shall do it: a series of exchanges of rows is its laswp.
    """
    if many:
        scipy_lapack.dlaswp(numbers.reshape(-1, 1), partners.astype(np.int32), overwrite_a=1)
        return
    order = numbers.tolist()
    for k, partner in enumerate(partners.tolist()):
        order[k], order[partner] = order[partner], order[k]
    numbers[:] = order


def permutation(stream: Stream, size: int) -> np.ndarray:
    """A permutation of range(size): position i is exchanged with one of those from i on."""
    numbers = np.arange(size, dtype=_F64)
    if size > 1:
        bits = fill(stream, size - 1, words, _U32)
        partners = bits % np.arange(size, 1, -1, dtype=_U32) + np.arange(size - 1, dtype=_U32)
        exchange(numbers, partners, MANY <= size < 1 << 31)
    return numbers.astype(np.intp)


def categorical(stream: Stream, logits: np.ndarray, samples: int, dtype: np.dtype) -> np.ndarray:
    """Class indices [batch, samples] drawn with the probabilities softmax(logits), by inverting the cumulative sums."""
    batch, _ = logits.shape
    wide = logits.astype(_F64)
    finite = np.isfinite(wide)
    lowest = np.float64(ml_dtypes.finfo(logits.dtype).min)
    top = np.max(np.where(finite, wide, lowest), axis=1, keepdims=True, initial=lowest)
    with np.errstate(all="ignore"):
        cumulative = np.cumsum(np.where(finite, np.exp(wide - top), 0.0), axis=1)
    unit = fill(stream, batch * samples, unit_double, _F64).reshape(batch, samples)
    out = np.empty((batch, samples), dtype)
    for row in range(batch):
        out[row] = np.searchsorted(cumulative[row], unit[row] * cumulative[row, -1], side="right")
    return out

"""The generator and the distributions of `philox` on JAX arrays, for XLA programs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.lazy import jnp, lax

_WEYL = (0x9E3779B9, 0xBB67AE85)
_RESERVED = 256


def _u32(value: int) -> np.uint32:
    return np.uint32(value)


def _halves(x: Any, factor: int) -> tuple[Any, Any]:
    """The high and the low 32 bits of `x * factor`."""
    product = x.astype(np.uint64) * np.uint64(factor)
    return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)


def _round(_: Any, words: tuple[Any, ...]) -> tuple[Any, ...]:
    c0, c1, c2, c3, k0, k1 = words
    high0, low0 = _halves(c0, 0xD2511F53)
    high1, low1 = _halves(c2, 0xCD9E8D57)
    return high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0, k0 + _u32(_WEYL[0]), k1 + _u32(_WEYL[1])


def _rounds(key: Any, counter: Any) -> Any:
    """The ten rounds, as a loop: written out, XLA would compute each round anew for each use of its words, a thousandfold."""
    shape = jnp.broadcast_shapes(*[jnp.shape(c) for c in counter])
    words = (
        *(jnp.broadcast_to(jnp.asarray(c, np.uint32), shape) for c in counter), *(jnp.asarray(k, np.uint32) for k in key),
    )  # fmt: skip
    return jnp.stack(lax.fori_loop(0, 10, _round, words, unroll=2)[:4], axis=-1)


def _words_of(value: Any) -> tuple[Any, Any]:
    """The low and the high 32 bits of an integer of 32 or 64 bits, its sign extended."""
    if value.dtype.itemsize == 8:
        return value.astype(np.uint32), (value >> 32).astype(np.uint32)
    low = value.astype(np.uint32)
    high = jnp.where(value < 0, _u32(0xFFFFFFFF), _u32(0)) if value.dtype.kind == "i" else jnp.zeros_like(low)
    return low, high


class Stream(NamedTuple):
    """A key of two words, and a counter: its lower half, None for zero, and the two words of its upper half."""

    key: tuple[Any, Any]
    low: Any
    high: tuple[Any, Any]


def stream_of_pair(seed: Any) -> Stream:
    """The stream that a stateless seed of shape [2] gives."""
    mixed = _rounds((_u32(0x3EC8F720), _u32(0x02461E29)), (*_words_of(seed[0]), *_words_of(seed[1])))
    return Stream((mixed[0], mixed[1]), None, (mixed[2], mixed[3]))


def stream_of_state(state: Any) -> Stream:
    """The stream of an int64 vector of the counter's halves and the key."""
    return Stream(_words_of(state[2]), state[0].astype(np.uint64), _words_of(state[1]))


def skipped(state: Any, blocks: Any) -> Any:
    """The state of the stream that starts `blocks` blocks later."""
    low, high = state[0].astype(np.uint64), state[1]
    after = low + jnp.asarray(blocks).astype(np.uint64)
    return jnp.stack([after.astype(np.int64), high + (after < low).astype(np.int64), state[2]])


def _indices(count: int, step: int = 1) -> Any:
    """0, step, 2 step, ... in 32 bits where they fit."""
    dtype = np.dtype(np.uint32 if count * step < 1 << 32 else np.uint64)
    return jnp.arange(count, dtype=dtype) * dtype.type(step)


def _blocks_at(stream: Stream, index: Any) -> Any:
    key, low, high = stream
    if low is None:
        words = _words_of(index)
        return _rounds(key, (*words, jnp.zeros_like(words[0]) + high[0], jnp.zeros_like(words[0]) + high[1]))
    place = index.astype(np.uint64) + low
    carry = (place < low).astype(np.uint32)
    first = high[0] + carry
    return _rounds(key, (*_words_of(place), first, high[1] + (first < carry).astype(np.uint32)))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _longs(bits: Any) -> Any:
    return bits[..., 0::2].astype(np.uint64) | (bits[..., 1::2].astype(np.uint64) << np.uint64(32))


def _fill(stream: Stream, shape: tuple[int, ...], draw: Any, per: int) -> Any:
    size = _size(shape)
    bits = _blocks_at(stream, _indices(max(-(-size // per), 1)))
    return draw(bits).reshape(-1)[:size].reshape(shape)


def _per(dtype: np.dtype) -> int:
    return 2 if dtype.itemsize == 8 else 4


def _unit(bits: Any, dtype: np.dtype) -> Any:
    """Floats in [0, 1) whose mantissa is made of the lowest bits of each word (of each pair, for float64)."""
    if dtype.itemsize == 8:
        pattern = ((bits[..., 0::2].astype(np.uint64) & np.uint64(0xFFFFF)) << np.uint64(32)) | bits[
            ..., 1::2
        ]
        return lax.bitcast_convert_type(pattern | np.uint64(1023 << 52), np.float64) - 1.0
    if dtype.itemsize == 4:
        pattern = (bits & _u32(0x7FFFFF)) | _u32(0x3F800000)
        return lax.bitcast_convert_type(pattern, np.float32) - np.float32(1)
    mask, one = (0x3FF, 0x3C00) if dtype == np.float16 else (0x7F, 0x3F80)
    pattern = (bits & _u32(mask)).astype(np.uint16) | np.uint16(one)
    return (lax.bitcast_convert_type(pattern, dtype).astype(np.float32) - np.float32(1)).astype(dtype)


def _box_muller(bits: Any, dtype: np.dtype) -> Any:
    """Normals in pairs; in float32 unless float64 is asked for."""
    work = np.dtype(np.float64 if dtype.itemsize == 8 else np.float32)
    unit = _unit(bits, work)
    radius = jnp.sqrt(-2 * jnp.log(jnp.maximum(unit[..., 0::2], work.type(1e-7))))
    if dtype.itemsize == 8:
        angle = unit[..., 1::2] * (2 * np.pi)
    else:
        # The product with the double nearest to two pi, rounded: a float32 product would differ in the last bit.
        angle = (unit[..., 1::2].astype(np.float64) * (2 * np.pi)).astype(np.float32)
    pairs = jnp.stack([jnp.sin(angle) * radius, jnp.cos(angle) * radius], axis=-1)
    return pairs.reshape(*unit.shape[:-1], -1)


def uniform(stream: Stream, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Floats in [0, 1)."""
    return _fill(stream, shape, lambda bits: _unit(bits, dtype), _per(dtype))


def normal(stream: Stream, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Standard normals."""
    return _fill(stream, shape, lambda bits: _box_muller(bits, dtype), _per(dtype)).astype(dtype)


def integers(stream: Stream, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Integers over the whole range of a dtype of 32 or 64 bits."""
    return _fill(stream, shape, (lambda bits: bits) if dtype.itemsize == 4 else _longs, _per(dtype)).astype(
        dtype
    )


def uniform_int(stream: Stream, low: Any, high: Any, shape: tuple[int, ...]) -> Any:
    """Integers in [low, high)."""
    unsigned = np.uint32 if low.dtype.itemsize == 4 else np.uint64
    bits = integers(stream, shape, np.dtype(unsigned))
    return (bits % (high - low).astype(unsigned) + low.astype(unsigned)).astype(low.dtype)


def truncated_normal(stream: Stream, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Standard normals of magnitude below 2: each group takes blocks of its reserved run until it is full."""
    per = _per(dtype)
    size = _size(shape)
    groups = max(-(-size // per), 1)
    base = _indices(groups, per * _RESERVED // 4)
    work = np.float64 if per == 2 else np.float32

    def step(state: Any) -> Any:
        count, have, kept = state
        values = _box_muller(_blocks_at(stream, base + count.astype(base.dtype)), dtype)
        inside = jnp.abs(values) < 2
        slot = have[:, None] + jnp.cumsum(inside, axis=1, dtype=np.int32) - 1
        slot = jnp.where(inside & (slot < per), slot, per)
        kept = kept.at[jnp.arange(groups)[:, None], slot].set(values, mode="drop")
        return count + _u32(1), have + inside.sum(axis=1, dtype=np.int32), kept

    start = (_u32(0), jnp.zeros(groups, np.int32), jnp.zeros((groups, per), work))
    _, _, kept = lax.while_loop(lambda state: jnp.any(state[1] < per), step, start)
    return kept.reshape(-1)[:size].reshape(shape).astype(dtype)


def categorical(logits: Any, stream: Stream, samples: int, dtype: np.dtype) -> Any:
    """Class indices [batch, samples] drawn by inverting the cumulative sums of the probabilities."""
    wide = logits.astype(np.float64)
    finite = jnp.isfinite(wide)
    top = jnp.max(jnp.where(finite, wide, -np.inf), axis=1, keepdims=True)
    cumulative = jnp.cumsum(jnp.where(finite, jnp.exp(wide - top), 0.0), axis=1)
    unit = uniform(stream, (logits.shape[0], samples), np.dtype(np.float64))
    found = cumulative[:, None, :] <= (unit * cumulative[:, -1:])[:, :, None]
    return jnp.sum(found, axis=-1).astype(dtype)


def permutation(stream: Stream, size: int) -> Any:
    """A permutation of range(size): position i is exchanged with one of those from i on, one after the other."""
    order = jnp.arange(size, dtype=np.int32)
    if size < 2:
        return order
    left = jnp.arange(size, 1, -1, dtype=np.uint32)
    offsets = (integers(stream, (size - 1,), np.dtype(np.uint32)) % left).astype(np.int32)

    def exchange(i: Any, order: Any) -> Any:
        # One gather and one scatter: two updates after two reads would have XLA copy the whole vector each time.
        places = jnp.stack([i, i + offsets[i]])
        swapped = order.at[places[::-1]].get(mode="promise_in_bounds")
        return order.at[places].set(swapped, mode="promise_in_bounds")

    return lax.fori_loop(0, size - 1, exchange, order)

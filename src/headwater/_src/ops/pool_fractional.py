"""Pooling whose windows differ in length, so that the output is smaller by a ratio that is no integer (Graham, 2014)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.random as random
import headwater._src.ops.reduce as reduce
import headwater._src.ops.scans as scans
from headwater._src.base import dtypes
from headwater._src.base.errors import UnimplementedError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast


class FractionalMaxPool(NamedTuple):
    """The pooled values, and where the windows begin in rows and columns; the last entry is the end."""

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


class FractionalAvgPool(NamedTuple):
    """The pooled values, and where the windows begin in rows and columns; the last entry is the end."""

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


def _starts(size: int, out: int, pseudo_random: bool, seed: Any) -> Tensor:
    """Where `out` windows over `size` elements begin, and the end: an int64 vector of out + 1 entries.

    Lengths are size // out or one more. They are shuffled, or `ceil(alpha * (i + u))` with one random u for all.
    """
    step = size // out
    if size % out == 0:
        return create.constant(np.arange(0, size + 1, step), dtypes.int64)
    if not pseudo_random:
        lengths = np.full(out, step, np.int64)
        lengths[: size % out] += 1
        ends = scans.cumsum(random.shuffle(lengths, seed))
        return joining.concat([np.zeros(1, np.int64), ends], 0)
    alpha = size / out
    most = min((step + 2) / alpha - 1, (size + 1 - step) / alpha - (out - 1))
    u = random.uniform([], 0.0, most, dtypes.float64, seed)
    inner = math.ceil(math.multiply(math.add(np.arange(1, out, dtype=np.float64), u), alpha))
    middle = math.subtract(cast(inner, dtypes.int64), 1)
    return joining.concat([np.zeros(1, np.int64), middle, np.array([size], np.int64)], 0)


def _places(starts: Tensor, size: int, out: int, overlapping: bool) -> tuple[Tensor, Tensor]:
    """The positions of each window's elements, all windows as long as the longest, and which of them count."""
    width = size // out + 1 + overlapping if size % out else size // out + overlapping
    last = math.subtract(starts[1:], 0 if overlapping else 1)
    last = layout.expand_dims(math.minimum(last, size - 1), 1)
    places = math.add(layout.expand_dims(starts[:-1], 1), np.arange(width, dtype=np.int64))
    return math.minimum(places, last), compare.less_equal(places, last)


_BATCH = "{what}: batch and channels are not pooled, so pooling_ratio begins and ends with 1; got {ratio}."


def _settle(value: Any, ratio: Any, what: str) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
    x = convert(value)
    if x.dtype.name not in ("float32", "float64", "int32", "int64"):
        raise invalid(f"{what}: value must be float32, float64, int32 or int64; got {x.dtype.name}.")
    if len(ratio) < 4:
        raise invalid(f"{what}: pooling_ratio must have 4 entries; got {list(ratio)}.")
    if any(r < 1 for r in ratio):
        raise invalid(f"{what}: pooling_ratio must not be smaller than 1; got {list(ratio)}.")
    if ratio[0] != 1 or ratio[3] != 1:
        raise UnimplementedError(None, None, _BATCH.format(what=what, ratio=list(ratio)))
    dims = x._spec.shape
    if dims is not None and len(dims) != 4:
        raise invalid(f"{what}: value must have rank 4; got shape {x.shape}.")
    if dims is None or None in dims[1:3]:
        raise ValueError(f"{what}: height and width of value must be known; got shape {x.shape}.")
    sizes = (dims[1], dims[2])
    out = tuple(int(np.floor(s / r)) for s, r in zip(sizes, ratio[1:3], strict=True))
    if 0 in out or 0 in sizes:
        raise invalid(f"{what}: pooling_ratio {list(ratio)} is larger than the sizes {list(sizes)}.")
    return x, sizes, out  # type: ignore[return-value]


def _seed(seed: Any, what: str) -> int:
    if isinstance(seed, (str, list, tuple)):
        raise TypeError(f"{what}: seed must be an integer; got {seed!r}.")
    return int(seed or 0)


def _four(ratio: Any) -> list[float]:
    if isinstance(ratio, (int, float)):
        return [1.0, float(ratio), float(ratio), 1.0]
    values = [float(r) for r in ratio]
    if len(values) == 1:
        values *= 2
    return [1.0, *values, 1.0] if len(values) == 2 else values


@export("nn.fractional_max_pool")
def fractional_max_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0, name: str | None = None,
) -> FractionalMaxPool:  # fmt: skip
    """The largest element of each window, the windows' lengths drawn at random around the ratio.

    Args:
      value: float32, float64, int32 or int64 of shape (batch, height, width, channels); height and width known.
      pooling_ratio: a number of at least 1, two of them, or four of which the first and last are 1.
      pseudo_random: whether the lengths follow one random offset; else they are shuffled.
      overlapping: whether a window holds the first element of the next one too.
      seed: for windows that repeat; 0 for others in each call.
      name: optional.

    Returns:
      A named tuple (output, row_pooling_sequence, col_pooling_sequence); output has floor(size / ratio) rows and columns.

    Raises:
      ValueError: a ratio below 1, or other than 1 for batch or channels.
      InvalidArgumentError: rank or dtype don't fit, or the ratio is larger than a size.
    """
    what = "tf.nn.fractional_max_pool"
    seed = _seed(seed, what)
    ratio = _four(pooling_ratio)
    if len(ratio) != 4:
        raise ValueError(f"{what}: pooling_ratio must be a number, two or four; got {list(ratio)}.")
    if min(ratio) < 1 or ratio[0] != 1 or ratio[3] != 1:
        raise ValueError(_BATCH.format(what=what, ratio=f"{ratio}, whose entries must be 1 or more"))
    x, sizes, out = _settle(value, ratio, what)
    sequences = []
    for axis, size, count in zip((1, 2), sizes, out, strict=True):
        starts = _starts(size, count, pseudo_random, seed or None)
        places, _ = _places(starts, size, count, overlapping)
        x = reduce.reduce_max(gather.gather(x, places, axis=axis), axis=axis + 1)
        sequences.append(starts)
    return FractionalMaxPool(x, *sequences)


@export("nn.fractional_avg_pool")
def fractional_avg_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0, name: str | None = None,
) -> FractionalAvgPool:  # fmt: skip
    """The mean of each window, the windows' lengths drawn at random; see `tf.nn.fractional_max_pool`.

    Args:
      value: float32, float64, int32 or int64 of shape (batch, height, width, channels); height and width known.
      pooling_ratio: four numbers of at least 1, the first and last 1.
      pseudo_random: whether the lengths follow one random offset; else they are shuffled.
      overlapping: whether a window holds the first element of the next one too.
      seed: for windows that repeat; 0 for others in each call.
      name: optional.

    Raises:
      TypeError: pooling_ratio is no list.
      InvalidArgumentError: ratio, rank or dtype don't fit.
      UnimplementedError: a ratio other than 1 for batch or channels.
    """
    what = "tf.nn.fractional_avg_pool"
    if not isinstance(pooling_ratio, (list, tuple)):
        raise TypeError(f"{what}: pooling_ratio must be a list of 4 numbers; got {pooling_ratio!r}.")
    seed = _seed(seed, what)
    x, sizes, out = _settle(value, [float(r) for r in pooling_ratio], what)
    dtype = x.dtype
    x = x if dtype.is_floating else cast(x, dtypes.float64)
    sequences = []
    for axis, size, count in zip((1, 2), sizes, out, strict=True):
        starts = _starts(size, count, pseudo_random, seed or None)
        places, counted = _places(starts, size, count, overlapping)
        weights = cast(counted, x.dtype)
        weights = math.truediv(weights, reduce.reduce_sum(weights, axis=1, keepdims=True))
        tail = [1] * (3 - axis)
        parts = gather.gather(x, places, axis=axis)
        x = reduce.reduce_sum(
            math.multiply(parts, layout.reshape(weights, [*weights.shape, *tail])), axis=axis + 1
        )
        sequences.append(starts)
    return FractionalAvgPool(cast(x, dtype), *sequences)


def _cases(small: str, batch: str) -> list[Any]:
    x = Arr((2, 6, 4, 2))
    even: Any = [1.0, 3.0, 2.0, 1.0]
    return [
        case(x, even, seed=1, grad=(0,), id="even"), case(x, even, True, True, 7, grad=(0,), id="overlapping"),
        case(Arr((1, 6, 4, 1), "float64"), even, id="float64"), case(Arr((1, 6, 4, 1), "int32", 0, 50), even, id="int32"),
        case(x, [1.0, 1.0, 1.0, 1.0], id="one"), case(x, [1.0, 1.44, 1.73, 1.0], True, seed=3, tol=np.inf, id="pseudo-random"),
        case(x, [1.0, 1.44, 1.73, 1.0], seed=3, tol=np.inf, id="random"),
        bad(x, [2.0, 1.0, 1.0, 1.0], error=batch, id="batch"), bad(x, [1.0, 7.0, 1.0, 1.0], id="large"), bad(x, [1.0, 0.5, 1.0, 1.0], error=small, id="small"),
        bad(Arr((6, 4, 2)), even, id="rank"), bad(Arr((1, 6, 4, 1), "float16"), even, id="float16"),
    ]  # fmt: skip


sampled(
    "nn.fractional_max_pool",
    lambda: [*_cases("ValueError", "ValueError"), case(Arr((1, 6, 4, 1)), 2.0, id="number")],
)
sampled("nn.fractional_avg_pool", lambda: [
    *_cases("InvalidArgumentError", "UnimplementedError"), bad(Arr((1, 6, 4, 1)), 2.0, error="TypeError", id="number")])  # fmt: skip

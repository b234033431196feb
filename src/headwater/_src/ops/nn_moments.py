"""Weighted moments, moments from sums, and losses averaged over a global batch."""

from __future__ import annotations

import math as pymath
from typing import Any

import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.nn as nn
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast

_HALVES = (dtypes.float16, dtypes.bfloat16)


@export("nn.sufficient_statistics")
def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Any]:
    """What mean and variance can be computed from, and what adds up over parts of the data.

    Args:
      x: a tensor of floats.
      axes: the axes to sum over.
      shift: a value near the mean, against cancellation; None for 0.
      keepdims: whether those axes stay, with size 1.
      name: optional.

    Raises:
      IndexError: an axis does not exist.

    Returns:
      (count, sum of x - shift, sum of (x - shift)**2, shift): the count is a scalar, the shift a tensor or None.
    """
    axes = sorted(set(axes)) if isinstance(axes, (list, tuple)) else axes
    x = convert(x)
    dims = x._spec.shape
    chosen = axes if isinstance(axes, list) else [axes]
    if dims is not None and all(-len(dims) <= a < len(dims) and dims[a] is not None for a in chosen):
        counts = create.constant(float(pymath.prod(dims[a] for a in chosen)), x.dtype)
    else:
        if dims is not None and not all(-len(dims) <= a < len(dims) for a in chosen):
            raise IndexError(
                f"tf.nn.sufficient_statistics: axes {chosen} do not all exist in shape {x.shape}."
            )
        places = math.floormod(convert(axes, None, dtypes.int32), layout.rank(x))
        counts = reduce.reduce_prod(gather.gather(cast(layout.shape(x), x.dtype), places))
    if shift is None:
        sums, squares = x, math.square(x)
    else:
        shift = convert(shift)
        sums, squares = math.subtract(x, shift), math.squared_difference(x, shift)
    return (
        counts,
        reduce.reduce_sum(sums, axes, keepdims=keepdims),
        reduce.reduce_sum(squares, axes, keepdims=keepdims),
        shift,
    )


@export("nn.normalize_moments")
def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance from what `tf.nn.sufficient_statistics` returns.

    Args:
      counts: how many elements were summed.
      mean_ss: the sum of the shifted elements.
      variance_ss: the sum of their squares.
      shift: the shift, or None.
      name: optional.
    """
    inverse = math.reciprocal(convert(counts))
    mean = math.multiply(mean_ss, inverse)
    variance = math.subtract(math.multiply(variance_ss, inverse), math.square(mean))
    return (mean if shift is None else math.add(mean, shift)), variance


@export("nn.weighted_moments")
def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance of `x` along `axes`, each element counted `frequency_weights` times.

    Args:
      x: a tensor of numbers; 16-bit floats go by way of float32.
      axes: the axes to average over.
      frequency_weights: a tensor that broadcasts with x.
      keepdims: whether those axes stay, with size 1.
      name: optional.

    Returns:
      (mean, variance), of the dtype of x.

    Raises:
      InvalidArgumentError: an axis does not exist, or the shapes don't broadcast.
    """
    x = convert(x)
    weights = convert(frequency_weights)
    narrow = x.dtype if x.dtype in _HALVES else None
    if narrow is not None:
        x = cast(x, dtypes.float32)
    weights = cast(weights, x.dtype)
    total = reduce.reduce_sum(math.multiply(weights, x), axes, keepdims=True)
    inverse = math.reciprocal(reduce.reduce_sum(math.add(weights, create.zeros_like(x)), axes, keepdims=True))
    mean = math.multiply(total, inverse)
    distances = math.multiply(weights, math.squared_difference(x, mean))
    variance = math.multiply(reduce.reduce_sum(distances, axes, keepdims=True), inverse)
    if not keepdims:
        mean, variance = layout.squeeze(mean, axes), layout.squeeze(variance, axes)
    return (mean, variance) if narrow is None else (cast(mean, narrow), cast(variance, narrow))


@export("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(
    input: Any,
    mean: Any,
    variance: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: Any,
    scale_after_normalization: Any,
    name: str | None = None,
) -> Tensor:
    """`tf.nn.batch_normalization` with an offset `beta` and, if `scale_after_normalization`, the scale `gamma`."""
    scale = gamma if scale_after_normalization else None
    return nn.batch_normalization(input, mean, variance, beta, scale, variance_epsilon, name)


# -- losses -----------------------------------------------------------------------------------------------------------


@export("nn.compute_average_loss")
def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Tensor:
    """The sum of the examples' losses divided by the size of the global batch (0 where that is 0).

    Args:
      per_example_loss: a tensor of floats, its first dimension the batch.
      sample_weight: what each example counts for; broadcasts with the losses.
      global_batch_size: an integer; the length of the first dimension by default.

    Raises:
      TypeError: global_batch_size is no integer.
      ValueError: it is no scalar; the losses are a scalar.
      InvalidArgumentError: it is negative; the weights have another rank, or lengths other than 1 and the losses'.
    """
    what = "tf.nn.compute_average_loss"
    loss = convert(per_example_loss)
    dtype = loss.dtype
    if sample_weight is not None:
        weight = convert(sample_weight, dtypes.float32 if not hasattr(sample_weight, "dtype") else None)
        _check_weights(weight, loss, what)
        wide = math.multiply(_to_float32(loss), _to_float32(weight))
        loss = cast(wide, dtype)
    if global_batch_size is None:
        if loss._spec.shape == ():
            raise ValueError(f"{what}: a scalar loss has no batch; give global_batch_size.")
        size: Any = layout.shape(loss)[0]
    else:
        size = _batch_size(global_batch_size, what)
    return math.divide_no_nan(reduce.reduce_sum(loss), cast(size, dtype))


def _check_weights(weight: Tensor, loss: Tensor, what: str) -> None:
    ours, theirs = weight._spec.shape, loss._spec.shape
    if not ours or theirs is None:
        return
    if len(ours) != len(theirs) or any(
        a not in (1, b, None) and b is not None for a, b in zip(ours, theirs, strict=True)
    ):
        raise invalid(
            f"{what}: sample_weight of shape {weight.shape} does not fit losses of shape {loss.shape}."
        )


def _to_float32(x: Tensor) -> Tensor:
    return cast(x, dtypes.float32)


def _batch_size(value: Any, what: str) -> Tensor:
    size = convert(value)
    if size.shape.rank not in (0, None):
        raise ValueError(f"{what}: global_batch_size must be a scalar; got {describe(size)}.")
    if not size.dtype.is_integer:
        raise TypeError(f"{what}: global_batch_size must be an integer; got {describe(size)}.")
    known = layout.get_static_value(size)
    if known is not None and known < 0:
        raise invalid(f"{what}: global_batch_size must not be negative; got {int(known)}.")
    return size


@export("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The sum of the regularization losses, divided by the number of replicas, which is one."""
    total = reduce.reduce_sum(regularization_loss)
    return math.truediv(total, cast(1, total.dtype)) if total.dtype.is_integer else total


# -- samples ----------------------------------------------------------------------------------------------------------

_X = Arr((3, 2))

sampled("nn.sufficient_statistics", lambda: [
    case(_X, [0], grad=(0,), id="rows"), case(_X, [0, 1], Arr(()), True, grad=(0, 2), id="shift"), case(Arr((2, 3, 2), "float64"), [-1, 0], id="negative"),
    bad(_X, [2], error="IndexError", id="axis"),
])  # fmt: skip
sampled("nn.normalize_moments", lambda: [
    case(4.0, Arr((2,)), Arr((2,), low=5, high=9), None, grad=(1, 2), id="plain"),
    case(4.0, Arr((2,)), Arr((2,), low=5, high=9), Arr((2,), salt=1), grad=(1, 2, 3), id="shift"),
])  # fmt: skip
sampled("nn.weighted_moments", lambda: [
    case(_X, [0], Arr((3, 1), low=0.5), grad=(0, 2), id="rows"), case(Arr((2, 3), "float64"), [0, 1], 2.0, True, grad=(0,), id="keepdims"),
    case(Arr((2, 3), "float16"), [1], Arr((2, 3), "float16", 0.5), tol=4e-3, id="float16"), case(_X, 0, Arr((3, 2), "int32", 1, 3), id="ints"),
    bad(_X, [0], Arr((4, 1)), id="shapes"), bad(_X, [3], 1.0, id="axis"),
])  # fmt: skip
sampled("nn.batch_norm_with_global_normalization", lambda: [
    case(Arr((1, 2, 2, 3)), Arr((3,)), Arr((3,), low=0.5), Arr((3,), salt=1), Arr((3,), salt=2), 1e-3, flag, grad=(0, 1, 2, 3, 4) if flag else (0, 1, 2, 3), id=str(flag))
    for flag in (True, False)
])  # fmt: skip
sampled("nn.compute_average_loss", lambda: [
    case(Arr((4,)), grad=(0,), id="plain"), case(Arr((4,)), Arr((4,), salt=1), grad=(0,), id="weights"), case(Arr((4,), "float64"), global_batch_size=8, id="global"),
    bad(Arr(()), error="ValueError", id="scalar"), bad(Arr((2, 3)), [1.0, 2.0, 0.5], id="weights-rank"),
    case(Arr((2, 3), "float16"), [[1.0, 2.0, 0.5]], 6, tol=4e-3, id="float16"),
    case(Arr((4,)), global_batch_size=0, id="zero"), bad(Arr((4,)), global_batch_size=-1, id="negative"), bad(Arr((4,)), global_batch_size=[4], error="ValueError", id="vector"),
    bad(Arr((4,)), global_batch_size=4.0, error="TypeError", id="float"),
])  # fmt: skip
sampled("nn.scale_regularization_loss", lambda: [
    case(Arr((3,)), grad=(0,)), case([Tensor_(Arr(())), Tensor_(Arr((), salt=1))], id="list"), case(Arr((), "float64"), id="scalar"),
])  # fmt: skip

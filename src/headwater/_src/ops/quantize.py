"""Rounding to a grid and back, as quantised inference would do it."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
from headwater._src.base.errors import NotFoundError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, wrap
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_MODES = ("HALF_TO_EVEN", "HALF_UP")
_ATTRS: dict[str, Any] = {
    "signed_input": True, "num_bits": 8, "range_given": False, "round_mode": "HALF_TO_EVEN", "narrow_range": False, "axis": -1,
}  # fmt: skip


def _along(value: Any, rank: int, axis: int) -> Any:
    return value if axis < 0 else value.reshape([-1 if i == axis else 1 for i in range(rank)])


def _quantized(xp: Any, x: Any, low: Any, high: Any, **attrs: Any) -> Any:
    """The scale is the largest that keeps both ends of the range on the grid; 0 is always a value of it."""
    axis, bits = attrs["axis"], attrs["num_bits"]
    if not x.size:
        return x
    if not attrs["range_given"]:
        others = tuple(i for i in range(x.ndim) if i != axis) if axis >= 0 else None
        low, high = xp.min(x, axis=others), xp.max(x, axis=others)
    elif xp is np and (low > high).any():
        raise ValueError(f"input_min must not exceed input_max; got {low} and {high}")
    low, high = _along(low, x.ndim, axis), _along(high, x.ndim, axis)
    signed = attrs["signed_input"]
    first = (-(1 << (bits - 1)) + attrs["narrow_range"]) if signed else 0
    last = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    first, last = (x.dtype.type(v) for v in (first, last))
    huge = x.dtype.type(np.finfo(x.dtype).max)
    by_low = xp.where(first * low > 0, first / low, huge)
    by_high = xp.where(last * high > 0, last / high, huge)
    from_low = by_low < by_high
    scale = xp.where(from_low, by_low, by_high)
    step = xp.where(from_low, low / (first if signed else x.dtype.type(1)), high / last)
    least, most = xp.where(from_low, low, first * step), xp.where(from_low, last * step, high)
    if attrs["range_given"]:
        x = xp.minimum(xp.maximum(x, least), most)
    scaled = x * scale
    rounded = (
        xp.rint(scaled) if attrs["round_mode"] == "HALF_TO_EVEN" else xp.floor(scaled + x.dtype.type(0.5))
    )
    return (rounded * step).astype(x.dtype)


def _range_shape(x: Spec, low: Spec, high: Spec, *, axis: int, **_: Any) -> Partial:
    if x.shape is not None and axis >= len(x.shape):
        raise ValueError(f"axis {axis} does not exist in shape {wrap(x.shape)}")
    for spec, what in ((low, "input_min"), (high, "input_max")):
        if axis < 0 and spec.shape:
            raise ValueError(f"{what} must be a scalar; got shape {wrap(spec.shape)}")
    return x.shape


def _run(x: np.ndarray, low: np.ndarray, high: np.ndarray, **attrs: Any) -> np.ndarray:
    _range_shape(*(Spec(v.shape, v.dtype) for v in (x, low, high)), **attrs)
    return _quantized(np, x, low, high, **attrs)


def _inside(g: Any, y: Any, x: Any, low: Any, high: Any, *, axis: int, **_: Any) -> Any:
    """The gradient passes within the range that was given, and goes nowhere else."""
    low, high = (
        layout.reshape(v, [-1 if i == axis else 1 for i in range(x.shape.rank)]) if axis >= 0 else v
        for v in (low, high)
    )
    within = compare.logical_and(compare.greater_equal(x, low), compare.less_equal(x, high))
    return compare.select(within, g, math.multiply(g, 0))


def _nothing(g: Any, y: Any, x: Any, low: Any, high: Any, **_: Any) -> Any:
    return math.multiply(low, 0)


def _record(name: str, grad: Any) -> Any:
    return op(
        name, "input: F, input_min: input, input_max: input -> ?: input",
        numpy=_run,
        lower=lambda x, low, high, **attrs: _quantized(jnp, x, low, high, **attrs),
        grad=grad, shape=_range_shape, attrs=_ATTRS,
    )  # fmt: skip


_within = _record(
    "QuantizeAndDequantizeV4", (_inside, _nothing, lambda g, y, x, low, high, **_: math.multiply(high, 0))
)
_through = _record("QuantizeAndDequantizeV2", (lambda g, y, x, low, high, **_: g, None, None))


def _checked(entry: Any, what: str, input: Any, low: Any, high: Any, attrs: dict[str, Any]) -> Tensor:
    x = convert(input)
    low, high = convert(low, x.dtype), convert(high, x.dtype)
    if x.dtype.name in ("float16", "bfloat16"):
        raise NotFoundError(None, None, f"{what}: input must be float32 or float64; got {x.dtype.name}.")
    if not x.dtype.is_floating:
        raise invalid(f"{what}: input must be float32 or float64; got {x.dtype.name}.")
    if attrs["round_mode"] not in _MODES:
        raise invalid(f"{what}: round_mode must be HALF_TO_EVEN or HALF_UP; got {attrs['round_mode']!r}.")
    bits = attrs["num_bits"]
    if not 1 <= bits <= 62 + (not attrs["signed_input"]):
        raise invalid(f"{what}: num_bits must be from 1 to {62 + (not attrs['signed_input'])}; got {bits}.")
    axis = attrs["axis"]
    if axis is None:
        axis = -1
    elif axis < 0 and x.shape.rank is not None:
        axis += x.shape.rank
        if axis < 0:
            raise ValueError(f"{what}: axis {attrs['axis']} does not exist in shape {x.shape}.")
    return entry(x, low, high, **{**attrs, "axis": axis})


@export("quantization.quantize_and_dequantize_v2")
def quantize_and_dequantize_v2(
    input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8, range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN", name: str | None = None, narrow_range: bool = False, axis: int | None = None,
) -> Tensor:  # fmt: skip
    """The input rounded to the values that quantised numbers of `num_bits` bits have.

    Args:
      input: a float32 or float64 tensor.
      input_min: the least value, a scalar, or a vector with an element for each slice along `axis`.
      input_max: the greatest value, likewise.
      signed_input: whether the quantised numbers are signed.
      num_bits: from 1 to 62, or 63 where unsigned.
      range_given: whether to take the range from input_min and input_max; else from the input.
      round_mode: "HALF_TO_EVEN" or "HALF_UP".
      name: optional.
      narrow_range: whether the signed numbers leave out the lowest one, so that they are symmetric.
      axis: the axis whose slices are quantised by themselves; None for all together.

    Returns:
      A tensor like the input. Gradients pass where the input lies in [input_min, input_max].

    Raises:
      InvalidArgumentError: an argument is out of range, shapes don't fit, or the input is not of floats.
      NotFoundError: the input is of 16-bit floats.
    """
    attrs = {
        "signed_input": signed_input,
        "num_bits": num_bits,
        "range_given": range_given,
        "round_mode": round_mode,
    }
    what = "tf.quantization.quantize_and_dequantize_v2"
    return _checked(
        _within, what, input, input_min, input_max, {**attrs, "narrow_range": narrow_range, "axis": axis}
    )


@export("quantization.quantize_and_dequantize")
def quantize_and_dequantize(
    input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8, range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN", name: str | None = None, narrow_range: bool = False, axis: int | None = None,
) -> Tensor:  # fmt: skip
    """`tf.quantization.quantize_and_dequantize_v2` whose gradients pass everywhere."""
    attrs = {
        "signed_input": signed_input,
        "num_bits": num_bits,
        "range_given": range_given,
        "round_mode": round_mode,
    }
    what = "tf.quantization.quantize_and_dequantize"
    return _checked(
        _through, what, input, input_min, input_max, {**attrs, "narrow_range": narrow_range, "axis": axis}
    )


def _cases() -> list[Any]:
    x = Arr((3, 4))
    return [
        case(x, -1.0, 1.5, grad=(0,), id="own-range"), case(x, -1.0, 1.5, range_given=True, grad=(0, 1, 2), id="range"),
        case(x, -1.0, 1.5, range_given=True, num_bits=4, narrow_range=True, round_mode="HALF_UP", id="narrow"),
        case(x, 0.0, 1.5, False, 3, True, id="unsigned"), case(Tensor_(Arr((3, 4), "float64")), -1.0, 1.5, grad=(0,), id="float64"),
        case(x, -1.0, 1.5, axis=1, id="axis"), case(Arr((0,)), 0.0, 1.0, id="empty"), case([0.0, 0.0], 0.0, 1.0, id="zeros"), case([1.0], 0.0, 0.0, range_given=True, id="no-range"),
        bad(x, 2.0, 1.0, range_given=True, id="order"), bad(x, 0.0, 1.0, num_bits=70, id="bits"), bad(x, 0.0, 1.0, round_mode="DOWN", id="mode"),
        bad([1], 1, 2, id="ints"), bad(Tensor_(Arr((2,), "float16")), 0.0, 1.0, error="NotFoundError", id="float16"), bad(x, [0.0], [1.0], range_given=True, id="vector"),
    ]  # fmt: skip


sampled("quantization.quantize_and_dequantize_v2", _cases)
sampled("quantization.quantize_and_dequantize", _cases)

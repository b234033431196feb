"""Tensors from nothing but numbers and shapes: constants, zeros, ranges, one-hot vectors."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.dtypes import DType, as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, TensorShape, wrap
from headwater._src.core.convert import convert, host_int, host_ints, to_array
from headwater._src.core.graph import current_graph
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, of_array
from headwater._src.ops.cast import cast

newaxis = None
export("newaxis").value("newaxis", __name__)

# -- constant ---------------------------------------------------------------------------------------------------------


@export("constant")
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor with the values of `value`.

    Args:
      value: a Python number, string, array, or nested list. Arrays keep their dtype; Python floats become float32, ints int32
        (int64 where they don't fit), complex complex128.
      dtype: the dtype wanted. Python values must fit it; arrays are converted.
      shape: the shape wanted: a scalar fills it, other values are arranged in it and must be as many.
      name: optional.

    Raises:
      TypeError: the value doesn't fit `dtype`, is a tensor of another dtype, or has another number of elements than `shape`.
      ValueError: the value is ragged or of mixed or foreign types.

    >>> tf.constant(7, shape=[2, 2]).numpy().tolist()
    [[7, 7], [7, 7]]
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, TensorLike):
        tensor = convert(value)
        if wanted is not None and tensor.dtype is not wanted:
            raise TypeError(f"tf.constant: expected a tensor of dtype {wanted!r}, got {tensor.dtype!r}. Use tf.cast.")
        if shape is None:
            return tensor
        if tensor.__class__ is not EagerTensor:
            return layout.reshape(tensor, shape)
        array = tensor._array
    else:
        array = to_array(value, wanted)
        if shape is None:
            return of_array(array)
    return of_array(_arranged(array, value, shape))


def _arranged(array: np.ndarray, value: Any, shape: Any) -> np.ndarray:
    dims = TensorShape(shape).as_list()
    if None in dims:
        raise TypeError(f"tf.constant: shape must be fully known; got {shape}.")
    if array.ndim == 0 or (array.size == 1 and array.ndim == 1):
        return np.full(dims, array.reshape(()), array.dtype)
    wanted = int(np.prod(dims))
    if array.size != wanted:
        raise TypeError(
            f"tf.constant: a value with {array.size} elements (shape {wrap(array.shape)}) can't fill shape {tuple(dims)}, which "
            f"has {wanted}. Only a scalar fills a shape; use tf.tile or tf.broadcast_to to repeat values."
        )
    return array.reshape(dims)


# -- fill, zeros, ones ------------------------------------------------------------------------------------------------


def _fill_shape(value: Spec, *, dims: Any) -> Partial:
    if value.shape not in ((), (1,), (None,), None):
        raise ValueError(f"value must be a scalar; got shape {wrap(value.shape)}. Use tf.broadcast_to to repeat a tensor")
    known = dims_of(dims)
    if known is not None and any(d is not None and d < 0 for d in known):
        raise ValueError(f"the dimensions must be >= 0; got {tuple(known)}")
    return known


def _fill(value: np.ndarray, *, dims: tuple[int, ...]) -> np.ndarray:
    if value.size != 1 or value.ndim > 1:
        raise ValueError("not a scalar")
    return np.full(dims, value.reshape(()), value.dtype)


fill_op = op(
    "Fill", "value: A -> ?: value",
    numpy=_fill,
    lower=lambda value, *, dims: jnp.full(dims, value.reshape(()), value.dtype),
    grad=lambda g, y, value, *, dims: layout.reshape_like(reduce.reduce_sum(g), value),
    shape=_fill_shape,
    attrs={"dims": ()}, host=("dims",),
)  # fmt: skip


@export("fill")
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of shape `dims` whose elements all are the scalar `value`.

    Raises:
      InvalidArgumentError: `value` is no scalar, or a dimension is negative.
    """
    return fill_op(value, dims=host_ints(dims, "tf.fill: dims"), name=name)


_EMPTY_BYTES = b""


def _of_shape(shape: Any, dtype: Any, value: int, name: str) -> Tensor:
    wanted = as_dtype(dtype)
    dims = host_ints(shape, f"{name}: shape")
    scalar = _scalar(wanted, value, name)
    if dims.__class__ is SymbolicTensor:
        return fill_op(of_array(scalar), dims=dims)
    if dims and min(dims) < 0:
        raise invalid(f"{name}: the dimensions must be >= 0; got {dims}.")
    return of_array(np.zeros(dims, wanted.np) if not value and wanted.np.kind != "O" else np.full(dims, scalar, wanted.np))


def _scalar(dtype: DType, value: int, name: str) -> np.ndarray:
    """0 or 1 of a dtype; the empty string is the zero of strings."""
    if dtype.np.kind != "O":
        return np.array(value, dtype.np)
    if value:
        raise TypeError(f"{name}: strings have no one; use tf.fill(shape, text).")
    return to_array(_EMPTY_BYTES)


@export("zeros")
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of zeros (False for bool, empty strings for string).

    Args:
      shape: a list of integers, an integer, or an integer vector.
      dtype: the dtype.
      name: optional.
      layout: must be None; layouts belong to distributed tensors.

    Raises:
      InvalidArgumentError: a dimension is negative.
    """
    return _of_shape(shape, dtype, 0, "tf.zeros")


@export("ones")
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of ones (True for bool); arguments as for `tf.zeros`.

    Raises:
      InvalidArgumentError: a dimension is negative.
    """
    return _of_shape(shape, dtype, 1, "tf.ones")


def _zeros_like(x: np.ndarray) -> np.ndarray:
    return np.zeros(x.shape, x.dtype) if x.dtype.kind != "O" else np.full(x.shape, b"", object)


zeros_like_op = op(
    "ZerosLike", "x: A -> x",
    numpy=_zeros_like,
    lower=lambda x: jnp.zeros_like(x),
    grad=NONDIFF,
)  # fmt: skip

ones_like_op = op(
    "OnesLike", "x: N|B -> x",
    numpy=lambda x: np.ones(x.shape, x.dtype),
    lower=lambda x: jnp.ones_like(x),
    grad=NONDIFF,
)  # fmt: skip


def _like(input: Any, dtype: Any, value: int, name: str) -> Tensor:
    tensor = convert(input)
    if dtype is not None:
        wanted = as_dtype(dtype)
        if wanted is not tensor.dtype:
            return _of_shape(layout.static_dims(tensor), wanted, value, name)
    return ones_like_op(tensor) if value else zeros_like_op(tensor)


@export("zeros_like")
def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Zeros in the shape of `input`, of its dtype or of `dtype`."""
    if dtype is None and input.__class__ is EagerTensor:
        return of_array(_zeros_like(input._array))
    return _like(input, dtype, 0, "tf.zeros_like")


@export("ones_like")
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones in the shape of `input`, of its dtype or of `dtype`."""
    if dtype is None and input.__class__ is EagerTensor and input._array.dtype.kind != "O":
        return of_array(np.ones(input._array.shape, input._array.dtype))
    return _like(input, dtype, 1, "tf.ones_like")


# -- range ------------------------------------------------------------------------------------------------------------


def _range_length(start: Any, limit: Any, delta: Any) -> int:
    if delta == 0:
        raise invalid("tf.range: delta must not be 0.")
    if delta > 0 and start > limit or delta < 0 and start < limit:
        sign, relation = (">", "<=") if delta > 0 else ("<", ">=")
        raise invalid(f"tf.range: with delta {sign} 0, start {relation} limit is required; got start {start}, limit {limit}.")
    if isinstance(start, np.integer):
        return len(builtins.range(int(start), int(limit), int(delta)))
    return int(np.ceil(np.abs((np.float64(limit) - np.float64(start)) / np.float64(delta))))


def _range(start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> np.ndarray:
    if start.ndim or limit.ndim or delta.ndim:
        raise ValueError("not scalars")
    dtype = start.dtype
    n = _range_length(start[()], limit[()], delta[()])
    if dtype.kind in "iu":
        return (start + np.arange(n, dtype=dtype) * delta).astype(dtype, copy=False)
    out = np.full(n + 1, delta, dtype)
    out[0] = start
    return np.add.accumulate(out[:n]) if n else out[:0]


def _range_shape(start: Spec, limit: Spec, delta: Spec) -> Partial:
    for name, spec in (("start", start), ("limit", limit), ("delta", delta)):
        if spec.shape not in ((), None):
            raise ValueError(f"{name} must be a scalar; got shape {wrap(spec.shape)}")
    return (None,)


range_op = op(
    "Range", "start: R, limit: start, delta: start -> ?: start",
    numpy=_range,
    lower=lambda start, limit, delta: jnp.asarray(_range(*(np.asarray(x) for x in (start, limit, delta)))),
    grad=NONDIFF,
    shape=_range_shape,
)  # fmt: skip

_RANGE_ORDER = ("int32", "int64", "float32", "float64")


@export("range")
def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    """The numbers from `start` up to but without `limit`, `delta` apart.

    Args:
      start: the first number; with one argument the limit, and the range begins at 0.
      limit: where it ends.
      delta: the step; negative to go down.
      dtype: the dtype; by default the widest of the arguments' among int32, int64, float32, float64.
      name: optional.

    Raises:
      InvalidArgumentError: `delta` is 0 or leads away from `limit`.

    >>> tf.range(3, 18, 5).numpy().tolist()
    [3, 8, 13]
    """
    if limit is None:
        start, limit = 0, start
    if dtype is None and start.__class__ is limit.__class__ is delta.__class__ is int and abs(start) + abs(limit) < 2**30:
        if delta > 0 and start <= limit:
            return of_array(np.arange(start, limit, delta, np.int32))
    wanted = None if dtype is None else as_dtype(dtype)
    parts = [convert(x, None, wanted) if not isinstance(x, Tensor) else x for x in (start, limit, delta)]
    if wanted is None:
        names = [p.dtype.name for p in parts]
        if all(n in _RANGE_ORDER for n in names):
            wanted = as_dtype(max(names, key=_RANGE_ORDER.index))
        else:
            wanted = next(p.dtype for p in parts if p.dtype.name not in _RANGE_ORDER)
    return range_op(*[cast(p, wanted) for p in parts], name=name)

"""The norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.layout as layout
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.rules import axes_of
from headwater._src.core.samples import COMPLEX, FLOATS, Arr, bad, case, sampled
from headwater._src.core.tensor import Tensor


def _vector_norm(x: Tensor, order: Any, axis: Any, keepdims: bool) -> Tensor:
    if (isinstance(order, str) and order == "euclidean") or order == 2:
        square = math.multiply(x, math.conj(x)) if x.dtype.is_complex else math.square(x)
        return math.sqrt(reduce.sum_op(square, axis=axis, keepdims=keepdims))
    size = math.abs_(x)
    if order == 1:
        return reduce.sum_op(size, axis=axis, keepdims=keepdims)
    if order == np.inf:
        return reduce.max_op(size, axis=axis, keepdims=keepdims)
    return math.pow_op(reduce.sum_op(math.pow_op(size, order), axis=axis, keepdims=keepdims), 1.0 / order)


def _matrix_norm(x: Tensor, order: Any, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    if order in ("euclidean", "fro"):
        return _vector_norm(x, 2, axis, keepdims)
    if order == 2:
        return _spectral_norm(x, axis, keepdims)
    rows, columns = axis if order == 1 else axis[::-1]
    sums = reduce.sum_op(math.abs_(x), axis=(rows,), keepdims=True)
    return reduce.sum_op(reduce.max_op(sums, axis=(columns,), keepdims=True), axis=axis, keepdims=keepdims)


def _spectral_norm(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """The largest singular value of each matrix."""
    if x._spec.shape is None:
        raise NotImplementedError(
            "tf.norm with ord=2 for matrices needs a known rank; use tf.ensure_shape first."
        )
    rank = len(x._spec.shape)
    axes = axes_of(axis, rank)
    order = [i for i in range(rank) if i not in axes] + list(axes)
    largest = reduce.max_op(decompose.singular_values(layout.transpose(x, order)), axis=(-1,), keepdims=False)
    for at in sorted(axes) if keepdims else ():
        largest = layout.expand_dims(largest, at)
    return largest


def _check_norm(order: Any, axis: Any) -> bool:
    """Whether a norm of matrices is asked for; ValueError for orders and axes that make no norm."""
    matrix = isinstance(axis, (list, tuple)) and len(axis) == 2
    if (matrix and axis[0] == axis[1]) or (
        not matrix and axis is not None and not isinstance(axis, (int, np.integer))
    ):
        raise ValueError(
            f"tf.norm: axis must be None, an integer or two different integers; got {describe(axis)}."
        )
    if matrix:
        if order not in ("euclidean", "fro", 1, 2, np.inf):
            raise ValueError(
                f"tf.norm: ord must be 'euclidean', 'fro', 1, 2 or np.inf for matrices; got {describe(order)}."
            )
    elif isinstance(order, str):
        if order != "euclidean":
            raise ValueError(
                f"tf.norm: ord must be 'euclidean' or a number above 0 for vectors; got {describe(order)}."
            )
    elif isinstance(order, (list, tuple)) or order <= 0:
        raise ValueError(f"tf.norm: ord must be above 0 for vectors; got {describe(order)}.")
    return matrix


@export("norm", "linalg.norm")
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The norm of vectors or matrices.

    Args:
      tensor: a float or complex tensor.
      ord: `'euclidean'`, a number above 0 (the sum of the moduli to that power, to its inverse), or `np.inf` (the largest
        modulus). For matrices `'euclidean'` or `'fro'` (Frobenius), 1 (largest column sum), 2 (largest singular value) or `np.inf` (largest row sum).
      axis: None takes the whole tensor as one vector, an integer the vectors along it, a pair the matrices in them.
      keepdims: whether the reduced dimensions stay, with length 1.
      name: optional.

    Returns:
      The norms, real except for the Euclidean norm of complex numbers, which keeps their dtype.

    Raises:
      ValueError: `ord` or `axis` makes no norm.
    """
    matrix = _check_norm(ord, axis)
    x = convert(tensor)
    if x.dtype is dtypes.string:
        raise TypeError(f"tf.norm: the tensor must hold numbers; got {describe(x)}.")
    keepdims = bool(keepdims)
    if matrix:
        return _matrix_norm(x, ord, (int(axis[0]), int(axis[1])), keepdims)
    return _vector_norm(x, ord, None if axis is None else (int(axis),), keepdims)


sampled("norm", lambda: [
    *(case(Arr((2, 3), d), grad=(0,), id=d) for d in FLOATS + COMPLEX),
    *(case(Arr((2, 3), salt=1), o, 1, True, grad=(0,), tol=1e-4, id=f"vector-{o}") for o in (1, 2, 3, 0.5, np.inf)),
    *(case(Arr((2, 3, 2), salt=2), o, [0, -1], grad=(0,), id=f"matrix-{o}") for o in ("euclidean", "fro", 1, 2, np.inf)),
    case(Arr((2, 3)), 1, (0, 1), True, id="matrix-kept"), case(Arr((0,)), id="empty"), case([3j, 4], 1, id="complex-1"),
    bad([3, 4], id="ints"), bad([3.0], 0, error="ValueError", id="ord-0"), bad([3.0], "fro", error="ValueError", id="ord-fro"),
    bad([[3.0]], 3, (0, 1), error="ValueError", id="matrix-ord"), bad([[3.0]], axis=(0, 0), error="ValueError", id="axis-twice"),
    bad([[3.0]], axis=1.5, error="ValueError", id="axis-float"), bad([[3.0]], axis=2, id="axis-high")])  # fmt: skip

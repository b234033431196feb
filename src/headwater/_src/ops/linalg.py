"""Matrix products and their neighbours: matmul, tensordot, einsum, diagonals, triangles, and the solvers."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.math as math
import headwater._src.ops.layout as layout
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.rules import matrix_product
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.broadcasting import sum_to
from headwater._src.ops.cast import cast

_F32 = np.dtype(np.float32)
_HALVES = frozenset((dtypes.float16.np, dtypes.bfloat16.np))

# -- products of matrices ---------------------------------------------------------------------------------------------


def _matmul(a: np.ndarray, b: np.ndarray, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError("MatMul takes matrices")
    if transpose_a:
        a = a.T
    if transpose_b:
        b = b.T
    if a.dtype in _HALVES:
        return np.dot(a.astype(_F32), b.astype(_F32)).astype(a.dtype)
    return np.dot(a, b)


def _matmul_shape(a: Spec, b: Spec, *, transpose_a: bool, transpose_b: bool) -> Partial:
    for spec in (a, b):
        if spec.shape is not None and len(spec.shape) > 2:
            raise ValueError(f"both arguments must be matrices; got shapes {a.shape} and {b.shape}")
    shape = matrix_product(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    return (None, None) if shape is None else shape


def _matmul_lower(a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
    if a.dtype in _HALVES:
        return jnp.matmul(a, b, preferred_element_type=_F32).astype(a.dtype)
    return jnp.matmul(a, b)


def _matmul_grad_a(g: Any, y: Any, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    b = _conj(b)
    if transpose_a:
        return _mat_mul(b, g, transpose_a=transpose_b, transpose_b=True)
    return _mat_mul(g, b, transpose_a=False, transpose_b=not transpose_b)


def _matmul_grad_b(g: Any, y: Any, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    a = _conj(a)
    if transpose_b:
        return _mat_mul(g, a, transpose_a=True, transpose_b=transpose_a)
    return _mat_mul(a, g, transpose_a=not transpose_a, transpose_b=False)


def _conj(x: Any) -> Any:
    return math.conj(x) if x.dtype.is_complex else x


_mat_mul = op(
    "MatMul", "a: F|C|I|U, b: a -> ?: a",
    numpy=_matmul,
    lower=_matmul_lower,
    grad=(_matmul_grad_a, _matmul_grad_b),
    shape=_matmul_shape,
    attrs={"transpose_a": False, "transpose_b": False},
)  # fmt: skip


def _adjoint_view(x: np.ndarray) -> np.ndarray:
    x = x.swapaxes(-1, -2)
    return x.conj() if x.dtype.kind == "c" else x


def _batch_matmul(x: np.ndarray, y: np.ndarray, *, adj_x: bool, adj_y: bool) -> Any:
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError("BatchMatMulV2 takes stacks of matrices")
    if adj_x:
        x = _adjoint_view(x)
    if adj_y:
        y = _adjoint_view(y)
    if x.dtype in _HALVES:
        return _stacked(x.astype(_F32), y.astype(_F32)).astype(x.dtype)
    return _stacked(x, y)


def _stacked(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if y.ndim == 2 and x.ndim > 2 and x.flags.c_contiguous and x.shape[-1] == y.shape[0]:
        # One large product is faster than a small one for each matrix of the stack.
        return np.dot(x.reshape(-1, x.shape[-1]), y).reshape(*x.shape[:-1], y.shape[1]) if x.size else np.matmul(x, y)
    return np.matmul(x, y)


def _batch_matmul_shape(x: Spec, y: Spec, *, adj_x: bool, adj_y: bool) -> Partial:
    return matrix_product(x, y, transpose_a=adj_x, transpose_b=adj_y)


def _batch_matmul_lower(x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    x = jnp.conj(jnp.swapaxes(x, -1, -2)) if adj_x else x
    y = jnp.conj(jnp.swapaxes(y, -1, -2)) if adj_y else y
    if x.dtype in _HALVES:
        return jnp.matmul(x, y, preferred_element_type=_F32).astype(x.dtype)
    return jnp.matmul(x, y)


def _batch_grad_x(g: Any, z: Any, x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    if adj_x:
        return sum_to(_batch_mat_mul(y, g, adj_x=adj_y, adj_y=True), x)
    return sum_to(_batch_mat_mul(g, y, adj_x=False, adj_y=not adj_y), x)


def _batch_grad_y(g: Any, z: Any, x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    if _is_dense_layer(x, y, adj_x):
        rows, out = layout.reshape(_conj(x), (-1, x.shape[-1])), layout.reshape(g, (-1, g.shape[-1]))
        if adj_y:
            return _conj(_mat_mul(out, rows, transpose_a=True, transpose_b=False))
        return _mat_mul(rows, out, transpose_a=True, transpose_b=False)
    if adj_y:
        return sum_to(_batch_mat_mul(g, x, adj_x=True, adj_y=adj_x), y)
    return sum_to(_batch_mat_mul(x, g, adj_x=not adj_x, adj_y=False), y)


def _is_dense_layer(x: Any, y: Any, adj_x: bool) -> bool:
    """Whether one matrix multiplies a stack, so that its gradient is one product over all rows."""
    if adj_x or x._spec.shape is None or y._spec.shape is None or len(y._spec.shape) != 2:
        return False
    columns, width = x._spec.shape[-1], y._spec.shape
    return len(x._spec.shape) > 2 and bool(columns) and bool(width[0]) and bool(width[1])


_batch_mat_mul = op(
    "BatchMatMulV2", "x: F|C|I|U, y: x -> ?: x",
    numpy=_batch_matmul,
    lower=_batch_matmul_lower,
    grad=(_batch_grad_x, _batch_grad_y),
    shape=_batch_matmul_shape,
    attrs={"adj_x": False, "adj_y": False},
)  # fmt: skip


@export("linalg.matmul", "matmul")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product of the last two dimensions; the leading ones broadcast.

    Args:
      a: a tensor of shape [..., m, k] of floats, complex numbers or integers.
      b: a tensor of the same dtype, of shape [..., k, n].
      transpose_a: whether the matrices of a are transposed first.
      transpose_b: whether the matrices of b are.
      adjoint_a: whether the matrices of a are conjugated and transposed first.
      adjoint_b: whether the matrices of b are.
      a_is_sparse: a hint for another kernel, without effect here.
      b_is_sparse: a hint for another kernel, without effect here.
      output_type: the dtype of the result; integers of 8 bits may ask for tf.int32.
      grad_a: a hint, without effect here.
      grad_b: a hint, without effect here.
      name: optional.

    Returns:
      A tensor of shape [..., m, n]. 16-bit floats are multiplied and summed in float32.

    Raises:
      ValueError: both transpose and adjoint are asked for one argument.
      InvalidArgumentError: dtypes differ, inner dimensions differ, or an argument has rank below 2.

    >>> tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array([[11.]], dtype=float32)
    """
    if (
        a.__class__ is EagerTensor and b.__class__ is EagerTensor and a._array.ndim == 2 == b._array.ndim
        and not (adjoint_a or adjoint_b or output_type)
    ):  # fmt: skip
        return _mat_mul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    if (transpose_a and adjoint_a) or (transpose_b and adjoint_b):
        which = "a" if transpose_a and adjoint_a else "b"
        raise ValueError(f"tf.matmul: only one of transpose_{which} and adjoint_{which} can be True; the adjoint is transposed.")
    a = convert(a)
    b = convert(b, None, a.dtype)
    if output_type is not None:
        a, b = _widened(a, b, dtypes.as_dtype(output_type))
    ranks = [None if t._spec.shape is None else len(t._spec.shape) for t in (a, b)]
    if all(r is not None and r <= 2 for r in ranks):
        a = math.conj(a) if adjoint_a else a
        b = math.conj(b) if adjoint_b else b
        return _mat_mul(a, b, transpose_a=bool(transpose_a or adjoint_a), transpose_b=bool(transpose_b or adjoint_b))
    a = _conj(a) if transpose_a else a
    b = _conj(b) if transpose_b else b
    return _batch_mat_mul(a, b, adj_x=bool(transpose_a or adjoint_a), adj_y=bool(transpose_b or adjoint_b))


def _widened(a: Tensor, b: Tensor, output: dtypes.DType) -> tuple[Tensor, Tensor]:
    if output is a.dtype and output is b.dtype:
        return a, b
    if output is dtypes.int32 and a.dtype.name in ("int8", "uint8") and b.dtype.name in ("int8", "uint8"):
        return cast(a, output), cast(b, output)
    raise invalid(
        f"tf.matmul: output_type {output.name} does not follow from {a.dtype.name} and {b.dtype.name}; it can be their common "
        "dtype, or tf.int32 for integers of 8 bits. Use tf.cast for anything else."
    )

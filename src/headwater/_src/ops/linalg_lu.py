"""The LU decomposition and what is solved with it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.permutations as permutations
import headwater._src.ops.sort as sort
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import lax, scipy_lapack
from headwater._src.base.shapes import broadcast
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.linalg_decompose import (
    _ALL,
    _LETTER,
    WIDE,
    _hm,
    _mh,
    _mm,
    _spd,
    _strict_lower,
    adjoint,
    check_square,
    need_square,
    triangular_solve,
)

# -- LU ---------------------------------------------------------------------------------------------------------------


class Lu(NamedTuple):
    """The result of `tf.linalg.lu`."""

    lu: Any
    p: Any


def _lu(x: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    check_square(x)
    out, order = np.empty_like(x), np.empty(x.shape[:-1], dtype.np)
    if not x.size:
        return out, order
    factor = getattr(scipy_lapack, _LETTER[x.dtype.name] + "getrf")
    for index in np.ndindex(x.shape[:-2]):
        out[index], swaps, info = factor(x[index])
        if info > 0:
            raise invalid(
                "tf.linalg.lu: a matrix is singular, so it has no inverse and no decomposition is given."
            )
        rows = list(range(x.shape[-1]))
        for i, j in enumerate(swaps.tolist()):
            rows[i], rows[j] = rows[j], rows[i]
        order[index] = rows
    return out, order


def _lu_grad(gs: Any, ys: Any, x: Any, *, dtype: Any) -> Any:
    """`L**-H (tril(adjoint(L) dL) + triu(dU adjoint(U))) U**-H`, its rows put back in the order of the input."""
    packed, order = ys
    g = gs[0]
    low = _with_ones(packed)
    up = linalg.band_part(packed, 0, -1)
    inner = math.add(
        _strict_lower(_hm(low, _strict_lower(g))),
        linalg.band_part(_mh(linalg.band_part(g, 0, -1), up), 0, -1),
    )
    left = triangular_solve(low, inner, adjoint=True)
    full = adjoint(triangular_solve(up, adjoint(left), lower=False))
    return _take_rows(full, _inverse(order))


def _with_ones(packed: Any) -> Any:
    """The lower factor: what is below the diagonal, and ones on it."""
    low = _strict_lower(packed)
    return math.add(low, linalg.diag(create.ones_like(linalg.diag_part(packed))))


def _take_rows(x: Any, order: Any) -> Any:
    rank = len(x._spec.shape)
    return gather.gather(x, order, axis=rank - 2, batch_dims=rank - 2)


def _inverse(order: Any) -> Any:
    rank = order._spec.shape
    if rank is not None and len(rank) == 1:
        return permutations.invert_permutation(order)
    return cast(sort.argsort(order, axis=-1), order.dtype)


def _lu_lower(x: Any, *, dtype: Any) -> Any:
    packed, _, order = lax.linalg.lu(x)
    return packed, order.astype(dtype.np)


_lu_op = op(
    "Lu", f"input: {WIDE} -> ?: input; ?: dtype",
    numpy=_lu,
    lower=_lu_lower,
    grad=_lu_grad,
    shape=lambda x, *, dtype: (None, None) if need_square(x) is None else (x.shape, x.shape[:-1]),
    attrs={"dtype": dtypes.int32},
)  # fmt: skip


@export("linalg.lu")
def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Lu:
    """The factors of each square matrix with its rows permuted: `input[p] = L @ U`.

    Args:
      input: float32, float64 or complex tensor [..., m, m].
      output_idx_type: the dtype of the permutation, int32 or int64.
      name: optional.

    Returns:
      A named tuple: `lu` [..., m, m], with U in its upper triangle and L below the diagonal (L has ones on it), and `p` [..., m].

    Raises:
      InvalidArgumentError: a matrix is singular or not square, or a dtype is another.
    """
    dtype = as_dtype(output_idx_type)
    if dtype not in (dtypes.int32, dtypes.int64):
        raise invalid(f"tf.linalg.lu: output_idx_type must be int32 or int64; got {dtype.name}.")
    return Lu(*_lu_op(input, dtype=dtype))


sampled("linalg.lu", lambda: [
    *(case(np.array([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0], [0.5, 0.25, 2.0]], d), grad=(0,), tol=1e-4, id=d) for d in _ALL),
    case(Arr((2, 3, 3)), grad=(0,), tol=1e-4, id="stack"), case([[1.0, 2.0], [3.0, 4.0]], output_idx_type=dtypes.int64, id="int64"),
    case(Arr((0, 0)), id="empty"), bad([[1.0, 1.0], [1.0, 1.0]], id="singular"), bad(Arr((2, 3)), id="shape"),
    bad([[1.0]], output_idx_type=dtypes.float32, id="index-dtype"),
])  # fmt: skip


def _lu_arguments(lower_upper: Any, perm: Any, public: str) -> tuple[Tensor, Tensor]:
    lower_upper, perm = convert(lower_upper), convert(perm, None, dtypes.int32)
    shape = lower_upper._spec.shape
    if shape is None:
        raise NotImplementedError(f"tf.linalg.{public} needs a known rank; use tf.ensure_shape first.")
    if len(shape) < 2:
        raise ValueError(
            f"tf.linalg.{public}: lower_upper must have rank 2 or more; got {describe(lower_upper)}."
        )
    order = perm._spec.shape
    if order is not None and len(order) != len(shape) - 1:
        raise ValueError(
            f"tf.linalg.{public}: perm must have one dimension less than lower_upper; got shapes {perm.shape} and {lower_upper.shape}."
        )
    return lower_upper, perm


@export("linalg.lu_reconstruct")
def lu_reconstruct(
    lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """The matrices that `tf.linalg.lu` took apart into `lower_upper` [..., m, m] and `perm` [..., m]."""
    packed, order = _lu_arguments(lower_upper, perm, "lu_reconstruct")
    return _take_rows(_mm(_with_ones(packed), linalg.band_part(packed, 0, -1)), _inverse(order))


@export("linalg.lu_solve")
def lu_solve(
    lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """X with `A @ X = rhs`, given what `tf.linalg.lu` made of A.

    Args:
      lower_upper: tensor [..., m, m].
      perm: integers [..., m].
      rhs: tensor [..., m, k]; leading dimensions broadcast.
      validate_args: without effect: shapes are always checked.
      name: optional.

    Raises:
      ValueError: `rhs` is no matrix, or has another number of rows.
    """
    packed, order = _lu_arguments(lower_upper, perm, "lu_solve")
    rhs = convert(rhs, None, packed.dtype)
    shape = rhs._spec.shape
    if shape is None or len(shape) < 2:
        raise ValueError(f"tf.linalg.lu_solve: rhs must have rank 2 or more; got {describe(rhs)}.")
    if None not in (shape[-2], packed._spec.shape[-1]) and shape[-2] != packed._spec.shape[-1]:
        raise ValueError(
            f"tf.linalg.lu_solve: rhs must have {packed._spec.shape[-1]} rows; got {describe(rhs)}."
        )
    if len(order._spec.shape) == 1:
        ordered = gather.gather(rhs, order, axis=len(shape) - 2)
    else:
        lead = broadcast(packed._spec.shape[:-2], shape[:-2])
        rhs = layout.broadcast_to(rhs, (*lead, *shape[-2:]))
        ordered = _take_rows(rhs, layout.broadcast_to(order, (*lead, shape[-2])))
    return triangular_solve(packed, triangular_solve(_with_ones(packed), ordered), lower=False)


@export("linalg.lu_matrix_inverse")
def lu_matrix_inverse(
    lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None
) -> Tensor:
    """The inverse of the matrices that `tf.linalg.lu` took apart into `lower_upper` [..., m, m] and `perm` [..., m]."""
    packed, order = _lu_arguments(lower_upper, perm, "lu_matrix_inverse")
    identity = compare.where(True, linalg.diag(create.ones_like(linalg.diag_part(packed))), packed)
    return lu_solve(packed, order, identity)


_PACKED = [[3.0, 4.0], [0.25, 2.0]]

sampled("linalg.lu_reconstruct", lambda: [
    case(_PACKED, [1, 0], grad=(0,)), case(Arr((2, 2, 2)), [[0, 1], [1, 0]], id="stack"), bad([1.0], [0], error="ValueError", id="vector")])  # fmt: skip
sampled("linalg.lu_solve", lambda: [
    case(_PACKED, [1, 0], [[1.0], [2.0]], grad=(0, 2)), case(_PACKED, [1, 0], Arr((2, 2, 1)), id="broadcast"),
    bad(_PACKED, [1, 0], [1.0, 2.0], error="ValueError", id="vector"), bad(_PACKED, [1, 0], Arr((3, 1)), error="ValueError", id="rows")])  # fmt: skip
sampled("linalg.lu_matrix_inverse", lambda: [
    case(_PACKED, [1, 0], grad=(0,)), case(_spd(2, "float32", (2,)), [[0, 1], [1, 0]], tol=1e-4, id="stack")])  # fmt: skip

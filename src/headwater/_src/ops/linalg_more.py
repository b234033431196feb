"""Functions of matrices, least squares, bands of diagonals, and systems with few diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.errors import FailedPreconditionError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import LazyModule, jax, jnp, scipy_linalg
from headwater._src.base.shapes import Partial, broadcast, merge, wrap
from headwater._src.base.text import describe
from headwater._src.core.convert import convert, host_int, host_ints
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor
from headwater._src.ops.broadcasting import sum_to
from headwater._src.ops.cast import cast
from headwater._src.ops.linalg_decompose import (
    WIDE, adjoint, check_square, cholesky, cholesky_solve, need_matrix, need_square, one_by_one, system_shape,
)  # fmt: skip

_lapack = LazyModule("scipy.linalg.lapack")
_jsl = LazyModule("jax.scipy.linalg", "xla")
_LETTER = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}

# -- functions of matrices --------------------------------------------------------------------------------------------


def _expm(x: np.ndarray) -> np.ndarray:
    check_square(x)
    if not x.size:
        return np.zeros_like(x)
    return np.asarray(scipy_linalg.expm(x), x.dtype)


def _expm_grad(g: Any, y: Any, x: Any) -> Any:
    """The upper right block of the exponential of [[X, G], [0, X]], for X the adjoint (Najfeld and Havel 1995)."""
    turned = adjoint(x)
    top = joining.concat([turned, g], -1)
    bottom = joining.concat([create.zeros_like(g), turned], -1)
    whole = _expm_op(joining.concat([top, bottom], -2))
    return _corner(whole, x)


def _corner(whole: Any, x: Any) -> Any:
    """The upper right quarter of `whole`, of the shape of x."""
    n = x._spec.shape[-1]
    if n is None:
        n = layout.shape(x)[-1]
    return whole[..., :n, n:]


_expm_op = op(
    "MatrixExponential", f"input: {WIDE} -> ?: input",
    numpy=_expm,
    lower=lambda x: jnp.vectorize(lambda m: _jsl.expm(m), signature="(n,n)->(n,n)")(x) if x.size else x,
    grad=_expm_grad,
    shape=need_square,
)  # fmt: skip


@export("linalg.expm")
def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponential of each square matrix, the sum of `input**k / k!`.

    Args:
      input: float32, float64 or complex tensor [..., m, m].
      name: optional.

    Raises:
      ValueError: the dtype is another.
      InvalidArgumentError: the matrices are not square.
    """
    x = convert(input)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise ValueError(f"tf.linalg.expm takes floats or complex numbers; got {describe(x)}.")
    return _expm_op(x)


def _no_gradient(*_: Any, **__: Any) -> Any:
    raise LookupError("tf.linalg.logm has no gradient; stop it with tf.stop_gradient.")


def _logm(x: np.ndarray) -> np.ndarray:
    check_square(x)
    return one_by_one(scipy_linalg.logm, np.empty_like(x), x) if x.size else x.copy()


logm = op(
    "MatrixLogarithm", "input: C -> ?: input",
    numpy=_logm,
    lower=HOST_ONLY("XLA has no Schur decomposition of complex matrices on every device"),
    grad=_no_gradient,
    shape=need_square,
    api=("linalg.logm",),
    cases=lambda: [
        *(case(np.array([[2.0, 1.0], [1.0, 3.0]], d), tol=1e-4, id=d) for d in ("complex64", "complex128")),
        case(np.array([[[1.0, 2j], [0.5, 3.0]]]), tol=1e-4, id="stack"), case(np.zeros((0, 0), np.complex64), id="empty"),
        bad([[1.0]], id="floats"), bad(Arr((2, 3), "complex64"), id="shape"),
    ],
    doc="The principal logarithm of each complex square matrix, the inverse of `tf.linalg.expm`.",
)  # fmt: skip


def _sqrtm_one(x: np.ndarray) -> np.ndarray:
    try:
        root = np.asarray(scipy_linalg.sqrtm(x))
    except (ValueError, np.linalg.LinAlgError):
        return np.full_like(x, np.nan)
    if x.dtype.kind == "f" and root.dtype.kind == "c":
        return np.full_like(x, np.nan)
    return root


def _sqrtm(x: np.ndarray) -> np.ndarray:
    check_square(x)
    return one_by_one(_sqrtm_one, np.empty_like(x), x) if x.size else x.copy()


def _kronecker(a: Any, b: Any) -> Any:
    """The Kronecker product of square matrices of one size n, [..., n * n, n * n]."""
    n = a._spec.shape[-1]
    if n is None:
        n = layout.shape(a)[-1]
    spread = math.multiply(
        layout.expand_dims(layout.expand_dims(a, -1), -3), layout.expand_dims(layout.expand_dims(b, -2), -4)
    )
    return layout.reshape(spread, [*_lead(a), n * n, n * n])


def _lead(x: Any) -> list[Any]:
    known = x._spec.shape[:-2]
    return [d if d is not None else layout.shape(x)[i] for i, d in enumerate(known)]


def _sqrtm_grad(g: Any, y: Any, x: Any) -> Any:
    """The solution X of `adjoint(y) X + X adjoint(y) = g`, row by row as one system (Giles 2008, 2.3)."""
    if y._spec.shape is None:
        raise NotImplementedError(
            "The gradient of tf.linalg.sqrtm needs a known rank; use tf.ensure_shape first."
        )
    turned = adjoint(y)
    one = linalg.diag(create.ones_like(linalg.diag_part(y)))
    system = math.add(_kronecker(turned, one), _kronecker(one, linalg.matrix_transpose(turned)))
    column = layout.reshape(g, [*_lead(g), -1, 1])
    return layout.reshape(linalg.solve(system, column), layout.shape(g))


sqrtm = op(
    "MatrixSquareRoot", f"input: {WIDE} -> ?: input",
    numpy=_sqrtm,
    lower=HOST_ONLY("XLA has no Schur decomposition on every device"),
    grad=_sqrtm_grad,
    shape=need_square,
    api=("linalg.sqrtm",),
    cases=lambda: [
        *(case(np.array([[2.0, 1.0], [1.0, 3.0]], d), grad=(0,), tol=1e-4, id=d) for d in ("float32", "float64", "complex64")),
        case(np.array([[[4.0, 1.0], [0.5, 3.0]], [[1.0, 0.0], [0.25, 2.0]]]), grad=(0,), tol=1e-4, id="stack"),
        case([[-1.0, 0.0], [0.0, 1.0]], id="no-root"), bad(Arr((2, 3)), id="shape"), bad([[1]], id="ints"),
    ],
    doc="The principal square root of each square matrix; NaN for real matrices that have no real one.",
)  # fmt: skip

sampled("linalg.expm", lambda: [
    *(case(np.array([[0.5, 1.0], [-0.25, 0.75]], d), grad=(0,), tol=1e-4, id=d) for d in ("float32", "float64", "complex64")),
    case(Arr((2, 3, 3)), grad=(0,), tol=1e-4, id="stack"), case([[30.0, 1.0], [0.0, 20.0]], tol=1e-3, id="large"),
    case(Arr((0, 2, 2)), id="empty"), bad([[1]], error="ValueError", id="ints"), bad(Arr((2, 3)), id="shape"),
])  # fmt: skip

# -- least squares ----------------------------------------------------------------------------------------------------


def _least_squares(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    if matrix.ndim < 2 or matrix.ndim != rhs.ndim or matrix.shape[:-1] != rhs.shape[:-1]:
        raise ValueError("shapes")
    out = np.zeros((*matrix.shape[:-2], matrix.shape[-1], rhs.shape[-1]), matrix.dtype)
    return (
        one_by_one(lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], out, matrix, rhs)
        if matrix.size and rhs.size
        else out
    )


def _least_squares_shape(matrix: Spec, rhs: Spec) -> Partial:
    m, r = need_matrix(matrix), need_matrix(rhs)
    if m is None or r is None:
        return None
    if len(m) != len(r) or merge(m[:-1], r[:-1]) is None:
        raise ValueError(f"matrix of shape {wrap(m)} and rhs of shape {wrap(r)} don't fit")
    return (*m[:-2], m[-1], r[-1])


def _no_lstsq_gradient(*_: Any, **__: Any) -> Any:
    raise ValueError("tf.linalg.lstsq has a gradient for fast=True only.")


_solve_ls = op(
    "MatrixSolveLs", f"matrix: {WIDE}, rhs: matrix -> ?: matrix",
    numpy=_least_squares,
    lower=lambda a, b: jnp.vectorize(lambda m, r: jnp.linalg.lstsq(m, r)[0], signature="(m,n),(m,k)->(n,k)")(a, b),
    grad=_no_lstsq_gradient,
    shape=_least_squares_shape,
)  # fmt: skip


@export("linalg.lstsq")
def lstsq(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """X that makes `matrix @ X - rhs` smallest in the sense of least squares.

    Args:
      matrix: float32, float64 or complex tensor [..., m, n].
      rhs: tensor [..., m, k].
      l2_regularizer: this times the squares of X is added to what is made small; only with `fast`.
      fast: whether to solve the normal equations by Cholesky's method, which needs matrices of full rank that are not nearly
        singular, or by a complete decomposition, which gives the shortest X.
      name: optional.

    Returns:
      A tensor [..., n, k].
    """
    matrix = convert(matrix)
    rhs = convert(rhs, None, matrix.dtype)
    if not fast:
        return _solve_ls(matrix, rhs)
    shape = matrix._spec.shape
    if shape is None or None in shape[-2:]:
        raise NotImplementedError("tf.linalg.lstsq needs matrices of known size; use tf.ensure_shape first.")
    need_matrix(matrix._spec)
    if shape[-2] >= shape[-1]:
        normal = linalg.matmul(matrix, matrix, adjoint_a=True)
        return cholesky_solve(
            cholesky(_ridge(normal, l2_regularizer)), linalg.matmul(matrix, rhs, adjoint_a=True)
        )
    normal = linalg.matmul(matrix, matrix, adjoint_b=True)
    return linalg.matmul(
        matrix, cholesky_solve(cholesky(_ridge(normal, l2_regularizer)), rhs), adjoint_a=True
    )


def _ridge(normal: Any, weight: Any) -> Any:
    if weight.__class__ in (int, float) and weight == 0:
        return normal
    ones = create.ones_like(linalg.diag_part(normal))
    return math.add(normal, linalg.diag(math.multiply(ones, cast(convert(weight), normal.dtype))))


sampled("linalg.lstsq", lambda: [
    *(case(Arr((3, 2), d), Arr((3, 1), d), grad=(0, 1), tol=1e-3, id=d) for d in ("float32", "float64", "complex64")),
    case(Arr((2, 3)), Arr((2, 1)), grad=(0, 1), tol=1e-3, id="wide"), case(Arr((3, 2)), Arr((3, 1)), l2_regularizer=0.5, grad=(0,), tol=1e-3, id="ridge"),
    case(Arr((3, 2)), Arr((3, 1)), fast=False, tol=1e-4, id="complete"), case(Arr((2, 2, 3)), Arr((2, 2, 1)), fast=False, tol=1e-4, id="stack"),
    case(np.ones((3, 2)), Arr((3, 1), "float64"), fast=False, id="deficient"), bad(Arr((3, 2)), Arr((2, 1)), fast=False, id="rows"),
    bad(Arr((3, 2)), Arr((2, 1)), id="rows-fast"),
])  # fmt: skip


def _pinv(a: np.ndarray, rcond: np.ndarray) -> np.ndarray:
    if a.ndim < 2:
        raise ValueError("no matrix")
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    cutoff = rcond[..., None] * s.max(axis=-1, keepdims=True, initial=0)
    inverse = np.where(s > cutoff, 1 / s, 0).astype(a.dtype)
    return np.matmul(np.swapaxes(vh, -1, -2).conj() * inverse[..., None, :], np.swapaxes(u, -1, -2).conj())


def _pinv_lower(a: Any, rcond: Any) -> Any:
    u, s, vh = jnp.linalg.svd(a, full_matrices=False)
    cutoff = rcond[..., None] * s.max(axis=-1, keepdims=True, initial=0)
    inverse = jnp.where(s > cutoff, 1 / jnp.where(s > cutoff, s, 1), 0).astype(a.dtype)
    return jnp.matmul(jnp.swapaxes(vh, -1, -2) * inverse[..., None, :], jnp.swapaxes(u, -1, -2))


def _pinv_grad(g: Any, p: Any, a: Any, rcond: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)."""
    mm = linalg.matmul
    inside = mm(mm(p, g, adjoint_a=True), p, adjoint_b=True)
    turned = adjoint(g)
    left = mm(mm(turned, p), p, adjoint_b=True)
    right = mm(mm(p, p, adjoint_a=True), turned)
    outside = math.add(math.subtract(left, mm(a, mm(p, left))), math.subtract(right, mm(mm(right, p), a)))
    return math.subtract(outside, inside)


_pinv_op = op(
    "PseudoInverse", "a: float32|float64, rcond: a -> ?: a",
    numpy=_pinv,
    lower=_pinv_lower,
    grad=(_pinv_grad, None),
    shape=lambda a, rcond: None if need_matrix(a) is None else (*a.shape[:-2], a.shape[-1], a.shape[-2]),
)  # fmt: skip


def _default_cutoff(x: Any, factor: float) -> Any:
    shape = x._spec.shape
    if shape is None or None in shape[-2:]:
        raise NotImplementedError(
            "The default tolerance needs matrices of known size; use tf.ensure_shape first."
        )
    return factor * max(shape[-2:]) * float(np.finfo(x.dtype.np).eps)


@export("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose of each matrix.

    Args:
      a: float32 or float64 tensor [..., m, n].
      rcond: singular values up to this times the largest count as 0; `10 * max(m, n) * eps` by default. A tensor has the
        leading dimensions of a.
      validate_args: without effect: arguments are always checked.
      name: optional.

    Returns:
      A tensor [..., n, m].

    Raises:
      TypeError: the dtype is another.
      ValueError: the rank is below 2.
    """
    x = convert(a)
    if not x.dtype.is_floating:
        raise TypeError(f"tf.linalg.pinv takes floats; got {describe(x)}.")
    if x._spec.shape is not None and len(x._spec.shape) < 2:
        raise ValueError(f"tf.linalg.pinv: a must have rank 2 or more; got {describe(x)}.")
    return _pinv_op(x, convert(_default_cutoff(x, 10.0) if rcond is None else rcond, x.dtype))


@export("linalg.matrix_rank")
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values of each matrix are above `tol`, as int32.

    Args:
      a: tensor [..., m, n].
      tol: the threshold; `max(m, n) * eps` times the largest singular value by default.
      validate_args: without effect: arguments are always checked.
      name: optional.

    Raises:
      ValueError: the rank is below 2.
    """
    x = convert(a, None, dtypes.float32)
    if x.dtype.is_integer:
        x = cast(x, dtypes.float32)
    if x._spec.shape is not None and len(x._spec.shape) < 2:
        raise ValueError(f"tf.linalg.matrix_rank: a must have rank 2 or more; got {describe(x)}.")
    s = decompose.singular_values(x)
    if tol is None:
        tol = math.multiply(reduce.reduce_max(s, -1, keepdims=True), _default_cutoff(s if x.dtype.is_complex else x, 1.0)
                            if not x.dtype.is_complex else max(x._spec.shape[-2:]) * float(np.finfo(s.dtype.np).eps))  # fmt: skip
    else:
        tol = layout.expand_dims(convert(tol, s.dtype), -1)
    return reduce.reduce_sum(cast(compare.greater(s, tol), dtypes.int32), -1)


sampled("linalg.pinv", lambda: [
    *(case(Arr((3, 2), d), grad=(0,), tol=1e-3, id=d) for d in ("float32", "float64")), case(Arr((2, 3)), grad=(0,), tol=1e-3, id="wide"),
    case(np.array([[1.0, 2.0], [2.0, 4.0]]), grad=(), tol=1e-3, id="deficient"), case(np.diag([1.0, 0.1]), rcond=0.5, id="rcond"),
    case(Arr((2, 2, 2)), grad=(0,), tol=1e-3, id="stack"), bad([[1]], error="TypeError", id="ints"), bad([1.0], error="ValueError", id="vector"),
])  # fmt: skip
sampled("linalg.matrix_rank", lambda: [
    case(Arr((3, 2))), case(np.diag([1.0, 0.1]), tol=0.5, id="tol"), case(np.ones((2, 3, 3)), id="stack"),
    case(Arr((2, 2), "complex64"), id="complex"), bad([1.0], error="ValueError", id="vector"),
])  # fmt: skip


@export("linalg.normalize")
def normalize(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """`tensor` divided by its norm, and the norm; the arguments are those of `tf.norm`, whose dimensions stay with length 1."""
    x = convert(tensor)
    size = cast(reduce.norm(x, ord, axis, keepdims=True), x.dtype)
    return math.real_divide(x, size), size


sampled("linalg.normalize", lambda: [
    case(Arr((3, 2)), axis=1, grad=(0,)), case(Arr((3, 2)), 1, grad=(0,), id="ord"), case(Arr((3, 2)), "fro", (0, 1), id="matrix")])  # fmt: skip

# -- the cross product ------------------------------------------------------------------------------------------------


def _cross_shape(a: Spec, b: Spec) -> Partial:
    shape = merge(a.shape, b.shape)
    if shape is not None and not shape:
        raise ValueError("the arguments need rank 1 or more; got scalars")
    return shape


def _cross(xp: Any, a: Any, b: Any) -> Any:
    if a.shape != b.shape or not a.ndim:
        raise ValueError("shapes")
    if a.shape[-1] != 3:
        message = f"tf.linalg.cross: the last dimension must be 3, for vectors in space; got shape {a.shape}."
        raise FailedPreconditionError(None, None, message)
    (x, y, z), (u, v, w) = (xp.moveaxis(t, -1, 0) for t in (a, b))
    return xp.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=-1).astype(a.dtype)


cross = op(
    "Cross", "a: R, b: a -> ?: a",
    numpy=lambda a, b: _cross(np, a, b),
    lower=lambda a, b: _cross(jnp, a, b),
    grad=(lambda g, y, a, b: cross(b, g), lambda g, y, a, b: cross(g, a)),
    shape=_cross_shape,
    api=("linalg.cross",),
    cases=lambda: [
        *(case(Arr((2, 3), d), Arr((2, 3), d, salt=1), grad=(0, 1) if d.startswith("float") else (), id=d) for d in ("float32", "float64", "int32", "uint8")),
        case(Arr((3,)), Arr((3,), salt=1), grad=(0, 1), id="vector"), case(Arr((0, 3)), Arr((0, 3)), id="empty"),
        bad([1.0, 2.0], [3.0, 4.0], error="FailedPreconditionError", id="plane"), bad(Arr((2, 3)), Arr((3,)), id="shapes"), bad(1.0, 2.0, id="scalars"),
    ],
    doc="The cross product of the vectors of length 3 in the last dimension; both of one shape and real dtype.",
)  # fmt: skip

# -- bands of diagonals -----------------------------------------------------------------------------------------------

_ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _places(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, ...]:
    """For each element of the diagonals low..high: its row and column in the matrix, and its row and column in the band."""
    upper_right, lower_right = align.startswith("RIGHT"), align.endswith("RIGHT")
    width = min(rows + min(high, 0), columns - max(low, 0))
    parts = []
    for k in range(high, low - 1, -1):
        count = min(rows + min(k, 0), columns - max(k, 0))
        step = np.arange(max(count, 0))
        pad = width - count if (k > 0 and upper_right) or (k < 0 and lower_right) else 0
        parts.append((step + max(-k, 0), step + max(k, 0), np.full_like(step, high - k), step + pad))
    return tuple(np.concatenate(p) for p in zip(*parts, strict=True))


def _check_band(rows: int, columns: int, low: int, high: int) -> None:
    if low > high:
        raise ValueError(f"k = ({low}, {high}) names no diagonals: the first must not be above the second")
    for k in (low, high):
        if k and not -rows < k < columns:
            raise ValueError(f"diagonal {k} does not exist in matrices of shape {rows} x {columns}")


def _band_part_shape(input: Spec, padding: Spec, *, k: Any, align: str) -> Partial:
    shape = need_matrix(input)
    if shape is None:
        return None
    low, high = k
    rows, columns = shape[-2:]
    if rows is None or columns is None:
        width = None
    else:
        _check_band(rows, columns, low, high)
        width = min(rows + min(high, 0), columns - max(low, 0))
    return (*shape[:-2], width) if low == high else (*shape[:-2], high - low + 1, width)


def _band_of(xp: Any, x: Any, padding: Any, k: Any, align: str) -> Any:
    shape = _band_part_shape(Spec(x.shape, x.dtype), Spec((), x.dtype), k=k, align=align)
    low, high = k
    i, j, row, column = _places(*x.shape[-2:], low, high, align)
    full = (*x.shape[:-2], high - low + 1, shape[-1])
    out = xp.zeros(full, x.dtype) + padding if x.dtype.kind != "b" else xp.zeros(full, bool) | padding
    if xp is np:
        out[..., row, column] = x[..., i, j]
    else:
        out = out.at[..., row, column].set(x[..., i, j])
    return out.reshape(shape)


_matrix_band = op(
    "MatrixDiagPartV3", "input: N|B, padding: input -> ?: input",
    numpy=lambda x, padding, *, k, align: _band_of(np, x, padding, k, align),
    lower=lambda x, padding, *, k, align: _band_of(jnp, x, padding, k, align),
    grad=(lambda g, y, x, padding, *, k, align: _set_band(create.zeros_like(x), g, k=k, align=align), None),
    shape=_band_part_shape,
    attrs={"k": (0, 0), "align": "RIGHT_LEFT"},
)  # fmt: skip


def _set_band_shape(input: Spec, diagonal: Spec, *, k: Any, align: str) -> Partial:
    want = _band_part_shape(input, diagonal, k=k, align=align)
    if want is None or diagonal.shape is None:
        return input.shape
    single = len(diagonal.shape) == len(want) + 1 and k[0] == k[1] and diagonal.shape[-2] in (1, None)
    have = (*diagonal.shape[:-2], diagonal.shape[-1]) if single else diagonal.shape
    try:
        merge(have, want)
    except ValueError:
        raise ValueError(
            f"diagonal must have shape {wrap(want)} for k = {k}; got {wrap(diagonal.shape)}"
        ) from None
    return input.shape


def _with_band(xp: Any, x: Any, diagonal: Any, k: Any, align: str) -> Any:
    _set_band_shape(Spec(x.shape, x.dtype), Spec(diagonal.shape, diagonal.dtype), k=k, align=align)
    low, high = k
    i, j, row, column = _places(*x.shape[-2:], low, high, align)
    band = diagonal.reshape(*x.shape[:-2], high - low + 1, diagonal.shape[-1])
    if xp is np:
        out = x.copy()
        out[..., i, j] = band[..., row, column]
        return out
    return x.at[..., i, j].set(band[..., row, column])


_set_band = op(
    "MatrixSetDiagV3", "input: N|B, diagonal: input -> ?: input",
    numpy=lambda x, d, *, k, align: _with_band(np, x, d, k, align),
    lower=lambda x, d, *, k, align: _with_band(jnp, x, d, k, align),
    grad=(lambda g, y, x, d, *, k, align: _set_band(g, create.zeros_like(d), k=k, align=align),
          lambda g, y, x, d, *, k, align: _matrix_band(g, convert(0, g.dtype), k=k, align=align)),
    shape=_set_band_shape,
    attrs={"k": (0, 0), "align": "RIGHT_LEFT"},
)  # fmt: skip


def _from_band_shape(
    diagonal: Spec, padding: Spec, *, k: Any, rows: int, columns: int, align: str
) -> Partial:
    shape = diagonal.shape
    low, high = k
    if low > high:
        raise ValueError(f"k = ({low}, {high}) names no diagonals: the first must not be above the second")
    if shape is None:
        return None
    if not shape or (low != high and len(shape) < 2):
        raise ValueError(
            f"diagonal must have rank {1 if low == high else 2} or more; got shape {wrap(shape)}"
        )
    if low != high and shape[-2] not in (None, high - low + 1):
        raise ValueError(f"k = ({low}, {high}) needs {high - low + 1} diagonals; got shape {wrap(shape)}")
    lead = shape[:-1] if low == high else shape[:-2]
    if shape[-1] is None:
        return (*lead, rows if rows != -1 else None, columns if columns != -1 else None)
    return (*lead, *_matrix_size(shape[-1], low, high, rows, columns))


def _matrix_size(width: int, low: int, high: int, rows: int, columns: int) -> tuple[int, int]:
    """The size of matrices with diagonals of length `width`; -1 for a side that is not given."""
    least_rows, least_columns = width - min(high, 0), width + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(least_rows, least_columns)
    elif rows == -1:
        rows = least_rows
    elif columns == -1:
        columns = least_columns
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise ValueError(
            f"diagonals of length {width} for k = ({low}, {high}) don't fit matrices of {rows} x {columns}"
        )
    return rows, columns


def _from_band(xp: Any, d: Any, padding: Any, k: Any, rows: int, columns: int, align: str) -> Any:
    given = {"k": k, "rows": rows, "columns": columns, "align": align}
    shape = _from_band_shape(Spec(d.shape, d.dtype), Spec((), d.dtype), **given)
    out = xp.zeros(shape, d.dtype) + padding if d.dtype.kind != "b" else xp.zeros(shape, bool) | padding
    return _with_band(xp, out.astype(d.dtype), d, k, align)


_diag_of_band = op(
    "MatrixDiagV3", "diagonal: N|B, padding: diagonal -> ?: diagonal",
    numpy=lambda d, padding, *, k, rows, columns, align: _from_band(np, d, padding, k, rows, columns, align),
    lower=lambda d, padding, *, k, rows, columns, align: _from_band(jnp, d, padding, k, rows, columns, align),
    grad=(lambda g, y, d, padding, *, k, rows, columns, align: _matrix_band(g, convert(0, g.dtype), k=k, align=align), None),
    shape=_from_band_shape,
    attrs={"k": (0, 0), "rows": -1, "columns": -1, "align": "RIGHT_LEFT"},
)  # fmt: skip


def band_of(k: Any, align: Any, what: str) -> tuple[tuple[int, int], str]:
    """The argument k, an integer or a pair, as a pair; and a checked alignment."""
    found = host_ints(k, f"{what}: k")
    if isinstance(found, SymbolicTensor):
        raise NotImplementedError(f"{what} takes plain integers for k in a graph.")
    if len(found) not in (1, 2):
        raise invalid(f"{what}: k must be one integer or two; got {found}.")
    if align not in _ALIGNMENTS:
        raise invalid(f"{what}: align must be one of {', '.join(_ALIGNMENTS)}; got {align!r}.")
    return (found[0], found[-1]), align


def diag_part_band(input: Any, k: Any, padding_value: Any, align: str) -> Tensor:
    """`tf.linalg.diag_part` for bands."""
    band, align = band_of(k, align, "tf.linalg.diag_part")
    x = convert(input)
    return _matrix_band(x, _padding(padding_value, x), k=band, align=align)


def diag_band(diagonal: Any, k: Any, rows: Any, columns: Any, padding_value: Any, align: str) -> Tensor:
    """`tf.linalg.diag` for bands, and for matrices that are not square."""
    band, align = band_of(k, align, "tf.linalg.diag")
    d = convert(diagonal)
    sides = [host_int(v, "tf.linalg.diag: num_rows and num_cols") for v in (rows, columns)]
    return _diag_of_band(d, _padding(padding_value, d), k=band, rows=sides[0], columns=sides[1], align=align)


def _padding(value: Any, like: Any) -> Any:
    return convert(bool(value) if like.dtype.is_bool else value, like.dtype)


@export("linalg.set_diag")
def set_diag(
    input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """The matrices of `input` with some diagonals replaced.

    Args:
      input: a tensor [..., m, n].
      diagonal: the k-th diagonals, a tensor [..., d]; for a pair k a tensor [..., bands, d], the uppermost diagonal first.
      name: optional.
      k: which diagonal: 0 for the main one, above 0 for those above it. A pair (low, high) stands for all between them.
      align: on which side shorter diagonals of a band stand: "RIGHT_LEFT" puts those above the main one to the right and those
        below it to the left.

    Raises:
      InvalidArgumentError: the shapes don't fit, or there is no such diagonal.
    """
    band, align = band_of(k, align, "tf.linalg.set_diag")
    x = convert(input)
    return _set_band(x, convert(diagonal, None, x.dtype), k=band, align=align)


sampled("linalg.set_diag", lambda: [
    case(Arr((3, 4)), [9.0, 8.0, 7.0], grad=(0, 1)), case(Arr((2, 3, 3), "int32"), Arr((2, 2), "int32"), k=1, id="above"),
    case(Arr((3, 4)), Arr((2, 3)), k=(-1, 0), grad=(0, 1), id="band"), case(Arr((3, 3), "complex64"), Arr((3, 3), "complex64"), k=(-1, 1), align="LEFT_LEFT", grad=(0, 1), id="left"),
    case(Arr((2, 2), "bool"), [True, False], id="bool"), bad(Arr((3, 4)), [1.0, 2.0], id="length"), bad([1.0], [1.0], id="vector"), bad(Arr((3, 4)), [1.0], k=5, id="range"),
    bad(Tensor_(Arr((2, 2))), Tensor_(Arr((2,), "int32")), id="dtypes"),
])  # fmt: skip

# -- diagonals of tensors ---------------------------------------------------------------------------------------------


def _tensor_diag_shape(diagonal: Spec) -> Partial:
    if diagonal.shape is None:
        return None
    if not diagonal.shape:
        raise ValueError("diagonal must have rank 1 or more; got a scalar")
    return diagonal.shape * 2


def _tensor_diag(xp: Any, d: Any) -> Any:
    if not d.ndim:
        raise ValueError("scalar")
    return xp.where(xp.eye(d.size, dtype=bool), d.reshape(-1), xp.zeros((), d.dtype)).reshape(d.shape * 2)


def _tensor_diag_part_shape(input: Spec) -> Partial:
    shape = input.shape
    if shape is None:
        return None
    half = len(shape) // 2
    if len(shape) % 2:
        raise ValueError(f"the rank must be even; got shape {wrap(shape)}")
    return merge(shape[:half], shape[half:])


def _tensor_diag_part(x: Any) -> Any:
    half = x.ndim // 2
    if x.ndim % 2 or x.shape[:half] != x.shape[half:]:
        raise ValueError("shape")
    size = int(np.prod(x.shape[:half]))
    return x.reshape(size, size).diagonal().reshape(x.shape[:half])


tensor_diag = op(
    "Diag", "diagonal: F|C|int32|int64 -> ?: diagonal",
    numpy=lambda d: _tensor_diag(np, d),
    lower=lambda d: _tensor_diag(jnp, d),
    grad=lambda g, y, d: tensor_diag_part(g),
    shape=_tensor_diag_shape,
    api=("linalg.tensor_diag",),
    cases=lambda: [case(Arr((3,)), grad=(0,)), case(Arr((1, 2)), grad=(0,), id="matrix"), case([1, 2], id="ints"), case(Arr((2,), "complex64"), grad=(0,), id="complex"),
                   case(Arr((0,)), id="empty"), bad(1.0, id="scalar"), bad([True], id="bool")],
    doc="A tensor of twice the rank with `diagonal` where both halves of the indices agree, and 0 elsewhere.",
)  # fmt: skip

tensor_diag_part = op(
    "DiagPart", "input: F|C|int32|int64 -> ?: input",
    numpy=_tensor_diag_part,
    lower=_tensor_diag_part,
    grad=lambda g, y, x: tensor_diag(g) if x._spec.shape != () else g,
    shape=_tensor_diag_part_shape,
    api=("linalg.tensor_diag_part",),
    cases=lambda: [case(Arr((3, 3)), grad=(0,)), case(Arr((1, 2, 1, 2)), grad=(0,), id="rank-4"), case(1.0, id="scalar"), case(Arr((0, 0)), id="empty"),
                   bad(Arr((2, 3)), id="shape"), bad(Arr((2, 2, 2)), id="odd")],
    doc="The elements of a tensor of even rank where both halves of the indices agree; the inverse of `tf.linalg.tensor_diag`.",
)  # fmt: skip

# -- few diagonals ----------------------------------------------------------------------------------------------------


@export("linalg.banded_triangular_solve")
def banded_triangular_solve(
    bands: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """X with `A @ X = rhs` for triangular matrices A of which only some diagonals are given.

    Args:
      bands: float32, float64 or complex tensor [..., k, m]. With `lower` the first row is the main diagonal, the i-th the one i
        below it, its element j in row j of the matrix; without, the last row is the main diagonal and those before it are above.
      rhs: tensor [..., m, n].
      lower: whether the matrices are lower triangular, or upper.
      adjoint: whether to solve with the conjugate transpose.
      name: optional.

    Raises:
      InvalidArgumentError: the shapes don't fit, or a matrix is singular.
    """
    bands = convert(bands)
    shape = need_matrix(bands._spec)
    if shape is None or None in shape[-2:]:
        raise NotImplementedError(
            "tf.linalg.banded_triangular_solve needs bands of known size; use tf.ensure_shape first."
        )
    count, size = shape[-2:]
    count = min(count, size)
    bands = bands[..., :count, :] if lower else bands[..., shape[-2] - count :, :]
    main = bands[..., 0, :] if lower else bands[..., count - 1, :]
    if not isinstance(main, SymbolicTensor) and not np.all(main.numpy()):
        raise invalid(
            "tf.linalg.banded_triangular_solve: a matrix is singular: its main diagonal has a zero."
        )
    k, align = ((1 - count, 0), "LEFT_RIGHT") if lower else ((0, count - 1), "LEFT_RIGHT")
    return decompose.triangular_solve(
        diag_band(bands, k, size, size, 0, align), rhs, lower=lower, adjoint=adjoint
    )


sampled("linalg.banded_triangular_solve", lambda: [
    *(case([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], Arr((3, 1)), lower=low, adjoint=adj, grad=(0, 1), tol=1e-4, id=f"{low}{adj}") for low in (True, False) for adj in (False, True)),
    case(Arr((2, 2, 3), "float64", 1, 2), Arr((3, 1), "float64"), grad=(0, 1), id="stack"),
    bad(Arr((2, 3)), Arr((2, 1)), id="rows"), bad(np.zeros((2, 3), np.float32), Arr((3, 1)), id="singular"),
])  # fmt: skip


def _three(diagonals: Any, layout_: str, what: str) -> tuple[Any, Any, Any]:
    """Superdiagonal, diagonal and subdiagonal, all of length m: the last of the first and the first of the last don't count."""
    if layout_ == "compact":
        d = convert(diagonals)
        return d[..., 0, :], d[..., 1, :], d[..., 2, :]
    if layout_ == "sequence":
        above, main, below = (convert(d) for d in diagonals)
        return _padded(above, main, 1), main, _padded(below, main, 0)
    if layout_ == "matrix":
        x = convert(diagonals)
        band = diag_part_band(x, (-1, 1), 0, "LEFT_RIGHT")
        return band[..., 0, :], band[..., 1, :], band[..., 2, :]
    raise ValueError(f"{what}: diagonals_format must be 'compact', 'sequence' or 'matrix'; got {layout_!r}.")


def _padded(side: Any, main: Any, at_end: int) -> Any:
    if side._spec.shape[-1] == main._spec.shape[-1]:
        return side
    zero = create.zeros_like(main[..., :1])
    return joining.concat([side, zero] if at_end else [zero, side], -1)


@export("linalg.tridiagonal_matmul")
def tridiagonal_matmul(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None
) -> Tensor:
    """The product of tridiagonal matrices and `rhs`.

    Args:
      diagonals: with "compact" a tensor [..., 3, m]: superdiagonal (its last element doesn't count), diagonal and subdiagonal
        (its first doesn't). With "sequence" three tensors [..., m], with "matrix" the matrices [..., m, m].
      rhs: tensor [..., m, n].
      diagonals_format: "compact", "sequence" or "matrix".
      name: optional.

    Raises:
      ValueError: the format is another.
      InvalidArgumentError: the shapes don't fit.
    """
    above, main, below = _three(diagonals, diagonals_format, "tf.linalg.tridiagonal_matmul")
    rhs = convert(rhs, None, main.dtype)
    size, rows = main._spec.shape, need_rhs(rhs, "tf.linalg.tridiagonal_matmul")
    if None not in (size[-1], rows) and size[-1] != rows:
        raise invalid(
            f"tf.linalg.tridiagonal_matmul: diagonals of length {size[-1]} and rhs with {rows} rows don't fit."
        )
    zero = create.zeros_like(rhs[..., :1, :])
    up = joining.concat([rhs[..., 1:, :], zero], -2)
    down = joining.concat([zero, rhs[..., :-1, :]], -2)
    parts = [
        math.multiply(layout.expand_dims(d, -1), x) for d, x in ((above, up), (main, rhs), (below, down))
    ]
    return math.add(math.add(parts[0], parts[1]), parts[2])


def need_rhs(rhs: Any, what: str) -> int | None:
    """The number of rows of a right-hand side."""
    shape = rhs._spec.shape
    if shape is not None and len(shape) < 2:
        raise invalid(f"{what}: rhs must have rank 2 or more; got {describe(rhs)}.")
    return None if shape is None else shape[-2]


def _tridiagonal_one(above: np.ndarray, main: np.ndarray, below: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    solve = getattr(_lapack, _LETTER[main.dtype.name] + "gtsv")
    *_, x, info = solve(below[1:], main, above[:-1], rhs)
    if info > 0:
        raise invalid("tf.linalg.tridiagonal_solve: a matrix is singular, so there is no solution.")
    return x


def _tridiagonal(above: np.ndarray, main: np.ndarray, below: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    if rhs.ndim < 2 or main.shape != rhs.shape[:-1]:
        raise ValueError("shapes")
    out = np.empty_like(rhs)
    if main.shape[-1] == 1:
        if not np.all(main):
            raise invalid("tf.linalg.tridiagonal_solve: a matrix is singular, so there is no solution.")
        return rhs / main[..., None]
    for index in np.ndindex(rhs.shape[:-2]) if rhs.size else ():
        out[index] = _tridiagonal_one(above[index], main[index], below[index], rhs[index])
    return out


def _tridiagonal_shape(above: Spec, main: Spec, below: Spec, rhs: Spec) -> Partial:
    if (
        rhs.shape is not None
        and main.shape is not None
        and (len(rhs.shape) < 2 or len(main.shape) != len(rhs.shape) - 1)
    ):
        raise ValueError(
            f"diagonals of shape {wrap(main.shape)} and rhs of shape {wrap(rhs.shape)} don't fit"
        )
    if rhs.shape is not None:
        merge(main.shape, rhs.shape[:-1])
    return rhs.shape


def _turned(above: Any, main: Any, below: Any) -> tuple[Any, Any, Any]:
    """The diagonals of the conjugate transpose."""
    zero = create.zeros_like(main[..., :1])
    up = joining.concat([below[..., 1:], zero], -1)
    down = joining.concat([zero, above[..., :-1]], -1)
    return (math.conj(up), math.conj(main), math.conj(down)) if main.dtype.is_complex else (up, main, down)


def _shifted_product(back: Any, x: Any, shift: int) -> Any:
    """`-sum(back[i] * conj(x[i + shift]))` over the right-hand sides, 0 where i + shift is outside."""
    zero = create.zeros_like(x[..., :1, :])
    if shift:
        x = joining.concat([x[..., 1:, :], zero] if shift > 0 else [zero, x[..., :-1, :]], -2)
    return math.negative(reduce.reduce_sum(math.multiply(back, math.conj(x)), -1))


def _back(g: Any, above: Any, main: Any, below: Any) -> Any:
    return _tridiagonal_op(*_turned(above, main, below), g)


_tridiagonal_op = op(
    "TridiagonalSolve", f"above: {WIDE}, main: above, below: above, rhs: above -> ?: above",
    numpy=_tridiagonal,
    lower=lambda a, m, b, rhs: jax.lax.linalg.tridiagonal_solve(b, m, a, rhs),
    grad=(lambda g, y, a, m, b, rhs: _shifted_product(_back(g, a, m, b), y, 1),
          lambda g, y, a, m, b, rhs: _shifted_product(_back(g, a, m, b), y, 0),
          lambda g, y, a, m, b, rhs: _shifted_product(_back(g, a, m, b), y, -1),
          lambda g, y, a, m, b, rhs: _back(g, a, m, b)),
    shape=_tridiagonal_shape,
)  # fmt: skip


@export("linalg.tridiagonal_solve")
def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False, conjugate_rhs: bool = False,
    name: str | None = None, partial_pivoting: bool = True, perturb_singular: bool = False,
) -> Tensor:  # fmt: skip
    """X with `A @ X = rhs` for tridiagonal matrices A.

    Args:
      diagonals: with "compact" a tensor [..., 3, m]: superdiagonal (its last element doesn't count), diagonal and subdiagonal
        (its first doesn't). With "sequence" three tensors, those beside the diagonal of length m or m - 1; with "matrix" the
        matrices [..., m, m].
      rhs: tensor [..., m, k], or [..., m] for one right-hand side.
      diagonals_format: "compact", "sequence" or "matrix".
      transpose_rhs: whether rhs is transposed first.
      conjugate_rhs: whether rhs is conjugated first.
      name: optional.
      partial_pivoting: without effect: rows are always exchanged where that is better.
      perturb_singular: not available.

    Raises:
      ValueError: the format is another.
      InvalidArgumentError: the shapes don't fit, or a matrix is singular.
      NotImplementedError: `perturb_singular`.
    """
    if perturb_singular:
        raise NotImplementedError(
            "tf.linalg.tridiagonal_solve does not perturb singular matrices; add to the diagonal instead."
        )
    above, main, below = _three(diagonals, diagonals_format, "tf.linalg.tridiagonal_solve")
    rhs = convert(rhs, None, main.dtype)
    vector = rhs._spec.shape is not None and len(rhs._spec.shape) == len(main._spec.shape)
    if conjugate_rhs:
        rhs = math.conj(rhs)
    if vector:
        return layout.squeeze(_tridiagonal_op(above, main, below, layout.expand_dims(rhs, -1)), [-1])
    return _tridiagonal_op(above, main, below, linalg.matrix_transpose(rhs) if transpose_rhs else rhs)


_COMPACT = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 1.0, 2.0]]

sampled("linalg.tridiagonal_matmul", lambda: [
    case(_COMPACT, Arr((3, 2)), grad=(0, 1)), case(Arr((3, 3)), Arr((3, 1)), diagonals_format="matrix", grad=(0, 1), id="matrix"),
    case(Arr((2, 3, 4), "complex64"), Arr((2, 4, 1), "complex64"), grad=(0, 1), id="stack"), bad(_COMPACT, Arr((2, 1)), id="rows"),
    bad(_COMPACT, Arr((3, 1)), diagonals_format="x", error="ValueError", id="format"),
])  # fmt: skip
sampled("linalg.tridiagonal_solve", lambda: [
    case(Tensor_(np.array(_COMPACT, np.float32)), Arr((3, 2)), grad=(0, 1), tol=1e-4), case(Tensor_(np.array(_COMPACT)), Arr((3,), "float64"), grad=(0, 1), id="vector"),
    case(Tensor_(np.array(_COMPACT)), Arr((2, 3), "float64"), transpose_rhs=True, grad=(1,), id="transposed"),
    case(Tensor_(np.array(_COMPACT, np.complex64)), Arr((3, 1), "complex64"), conjugate_rhs=True, grad=(0, 1), tol=1e-4, id="complex"),
    case(Tensor_(Arr((3, 3), "float64", 1, 2)), Arr((3,), "float64"), diagonals_format="matrix", grad=(0, 1), id="matrix"),
    bad(Tensor_(np.zeros((3, 3), np.float32)), Arr((3,)), id="singular"), bad(Tensor_(np.array(_COMPACT)), Arr((3,), "float64"), diagonals_format="x", error="ValueError", id="format"),
])  # fmt: skip

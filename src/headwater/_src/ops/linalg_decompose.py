"""Decompositions of matrices (Cholesky, LU, QR, singular values, eigenvalues) and what is solved with them.

What NumPy lacks comes from SciPy's BLAS and LAPACK, which load at the first use. The gradients follow Giles, "An extended
collection of matrix derivative results" (2008), Walter and Lehmann, "On evaluating higher-order derivatives of the QR
decomposition" (2010), and Seeger et al., "Auto-differentiating linear algebra" (2017).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.special as special
from headwater._src.base.exporting import export
from headwater._src.base.lazy import LazyModule, jnp, lax
from headwater._src.base.shapes import Partial, broadcast, wrap
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.broadcasting import sum_to
from headwater._src.ops.cast import cast

_blas = LazyModule("scipy.linalg.blas")

WIDE = "float32|float64|C"
_LETTER = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}

# -- helpers ----------------------------------------------------------------------------------------------------------


def need_matrix(input: Spec, **_: Any) -> Partial:
    """The shape of matrices; ValueError for a lower rank."""
    if input.shape is not None and len(input.shape) < 2:
        raise ValueError(f"the input must have rank 2 or more; got shape {wrap(input.shape)}")
    return input.shape


def need_square(input: Spec, **_: Any) -> Partial:
    """The shape of square matrices; ValueError for others."""
    shape = need_matrix(input)
    if shape is not None and None not in shape[-2:] and shape[-1] != shape[-2]:
        raise ValueError(f"the matrices must be square; got shape {wrap(shape)}")
    return shape


def check_square(x: np.ndarray) -> None:
    """The same for a kernel, whose error the shape rule explains."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError("the matrices must be square")


def one_by_one(function: Callable[..., np.ndarray], out: np.ndarray, *stacks: np.ndarray) -> np.ndarray:
    """`function` of each matrix of the stacks, written to `out`."""
    for index in np.ndindex(out.shape[:-2]):
        out[index] = function(*(s[index] for s in stacks))
    return out


def adjoint(x: Any) -> Any:
    """The conjugate transpose of the last two dimensions, at any rank."""
    rank = None if x._spec.shape is None else len(x._spec.shape)
    if rank == 2:
        return layout.transpose(x, (1, 0), conjugate=True)
    return linalg.adjoint(x)


def _mm(a: Any, b: Any) -> Any:
    return linalg.matmul(a, b)


def _hm(a: Any, b: Any) -> Any:
    """`adjoint(a) @ b`."""
    return linalg.matmul(a, b, adjoint_a=True)


def _mh(a: Any, b: Any) -> Any:
    """`a @ adjoint(b)`."""
    return linalg.matmul(a, b, adjoint_b=True)


def _columns(x: Any, scale: Any) -> Any:
    """The columns of `x`, each times its number."""
    return math.multiply(x, layout.expand_dims(scale, -2))


def _strict_lower(x: Any) -> Any:
    return math.subtract(linalg.band_part(x, -1, 0), linalg.band_part(x, 0, 0))


def _real_diagonal(x: Any) -> Any:
    """The diagonal alone, without imaginary parts."""
    d = linalg.band_part(x, 0, 0)
    return cast(special.real(d), x.dtype) if x.dtype.is_complex else d


def _mirrored(x: Any) -> Any:
    """The Hermitian matrix that has the lower triangle of `x`."""
    low = _strict_lower(x)
    return math.add(math.add(low, adjoint(low)), _real_diagonal(x))


def safe_reciprocal(x: Any) -> Any:
    """`1 / x`, and 0 where x is 0, so that equal values of a spectrum give no infinite gradient; as TensorFlow does."""
    return math.real_divide(x, math.add(math.square(x), convert(1e-20, x.dtype)))


def _gaps(values: Any) -> Any:
    """`1 / (values[j] - values[i])`, 0 on the diagonal."""
    found = safe_reciprocal(math.subtract(layout.expand_dims(values, -2), layout.expand_dims(values, -1)))
    # The diagonal is 0 already; taken away it gives the second derivative no huge terms that should cancel.
    return math.subtract(found, linalg.band_part(found, 0, 0))


def _spd(n: int, dtype: str = "float32", batch: tuple[int, ...] = ()) -> np.ndarray:
    """A sample: positive definite matrices with well separated eigenvalues."""
    a = Arr((*batch, n, n), dtype, -0.5, 0.5).draw()
    a = a + np.conj(np.swapaxes(a, -1, -2))
    return (a + np.diag(np.arange(2.0, n + 2))).astype(a.dtype)


_REAL = ("float32", "float64")
_ALL = (*_REAL, "complex64", "complex128")

# -- triangular systems -----------------------------------------------------------------------------------------------


def triangular_one(a: np.ndarray, b: np.ndarray, lower: bool, adjoint: bool) -> np.ndarray:
    """Solves with one matrix. BLAS reads columns first, so it gets the transposed problem, which copies nothing."""
    if not b.size or not a.size:
        return np.zeros(b.shape, b.dtype)
    trsm = getattr(_blas, _LETTER[a.dtype.name] + "trsm")
    mode = 0 if not adjoint else 2 if a.dtype.kind == "c" else 1
    return trsm(1, a.T, b.T, side=1, lower=not lower, trans_a=mode).T


def _triangular(matrix: np.ndarray, rhs: np.ndarray, lower: bool, adjoint: bool) -> np.ndarray:
    check_square(matrix)
    if rhs.ndim < 2 or rhs.shape[-2] != matrix.shape[-1]:
        raise ValueError("shapes")
    if matrix.ndim == 2 == rhs.ndim:
        return triangular_one(matrix, rhs, lower, adjoint)
    lead = np.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    matrix = np.broadcast_to(matrix, (*lead, *matrix.shape[-2:]))
    rhs = np.broadcast_to(rhs, (*lead, *rhs.shape[-2:]))
    return one_by_one(
        lambda a, b: triangular_one(a, b, lower, adjoint), np.empty(rhs.shape, rhs.dtype), matrix, rhs
    )


def system_shape(matrix: Spec, rhs: Spec, **_: Any) -> Partial:
    """The solutions of systems whose leading dimensions broadcast."""
    m, r = need_square(matrix), need_matrix(rhs)
    if m is None or r is None:
        return None
    if None not in (m[-1], r[-2]) and m[-1] != r[-2]:
        raise ValueError(
            f"matrix of shape {wrap(m)} and rhs of shape {wrap(r)} don't fit: {m[-1]} columns meet {r[-2]} rows"
        )
    lead = broadcast(m[:-2], r[:-2])
    return None if lead is None else (*lead, r[-2] if r[-2] is not None else m[-1], r[-1])


def _triangular_lower(matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    lead = jnp.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    matrix = jnp.broadcast_to(matrix, (*lead, *matrix.shape[-2:]))
    rhs = jnp.broadcast_to(rhs, (*lead, *rhs.shape[-2:]))
    return lax.linalg.triangular_solve(
        matrix,
        rhs,
        left_side=True,
        lower=lower,
        transpose_a=adjoint,
        conjugate_a=adjoint and matrix.dtype.kind == "c",
    )


def _triangular_grad_matrix(g: Any, y: Any, matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    back = _triangular_solve(matrix, g, lower=lower, adjoint=not adjoint)
    full = math.negative(_mh(y, back) if adjoint else _mh(back, y))
    return sum_to(linalg.band_part(full, -1, 0) if lower else linalg.band_part(full, 0, -1), matrix)


_triangular_solve = op(
    "MatrixTriangularSolve", f"matrix: {WIDE}, rhs: matrix -> ?: rhs",
    numpy=_triangular,
    lower=_triangular_lower,
    grad=(_triangular_grad_matrix, lambda g, y, matrix, rhs, *, lower, adjoint: sum_to(
        _triangular_solve(matrix, g, lower=lower, adjoint=not adjoint), rhs)),
    shape=system_shape,
    attrs={"lower": True, "adjoint": False},
)  # fmt: skip


@export("linalg.triangular_solve")
def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """X with `matrix @ X = rhs` for triangular matrices; the other triangle is not read.

    Args:
      matrix: float32, float64 or complex tensor [..., m, m].
      rhs: tensor [..., m, k] of the same dtype; leading dimensions broadcast.
      lower: whether the lower triangle is meant, or the upper.
      adjoint: whether to solve with the conjugate transpose of the matrix.
      name: optional.

    Returns:
      A tensor [..., m, k]; infinite or NaN where the diagonal has a zero.

    Raises:
      InvalidArgumentError: the dtypes differ or the shapes don't fit.
    """
    return _triangular_solve(matrix, rhs, lower=bool(lower), adjoint=bool(adjoint))


_TRIANGLE = [[2.0, 7.0, 7.0], [0.5, 3.0, 7.0], [-1.0, 0.25, 1.5]]

sampled("linalg.triangular_solve", lambda: [
    case(_TRIANGLE, Arr((3, 2)), grad=(0, 1), tol=1e-4), case(_TRIANGLE, Arr((3, 1)), adjoint=True, grad=(0, 1), tol=1e-4, id="adjoint"),
    case(_TRIANGLE, Arr((3, 1)), lower=False, grad=(0, 1), tol=1e-4, id="upper"),
    case(_spd(2, "float64"), Arr((2, 1), "float64"), lower=False, adjoint=True, grad=(0, 1), id="float64"),
    *(case(_spd(2, "complex64"), Arr((2, 1), "complex64"), lower=low, adjoint=adj, grad=(0, 1), tol=1e-4, id=f"complex-{low}{adj}")
      for low in (True, False) for adj in (True, False)),
    case(_spd(2, batch=(2,)), Arr((3, 1, 2, 1)), grad=(0, 1), tol=1e-4, id="broadcast"), case(Arr((0, 0)), Arr((0, 2)), id="empty"),
    case(_spd(2), Arr((2, 0)), id="no-columns"),
    bad(Arr((2, 2)), Arr((3, 1)), id="rows"), bad(Arr((2, 2)), Arr((2,)), id="vector"), bad(Arr((2, 3)), Arr((3, 1)), id="not-square"),
    bad(Arr((2, 2, 2)), Arr((3, 2, 1)), id="stacks"), bad(Arr((2, 2), "int32"), Arr((2, 1), "int32"), id="ints"),
])  # fmt: skip

# -- Cholesky ---------------------------------------------------------------------------------------------------------


def _cholesky_one(x: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return np.tril(np.full(x.shape, np.nan, x.dtype))


def _cholesky(x: np.ndarray) -> np.ndarray:
    check_square(x)
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return one_by_one(_cholesky_one, np.empty_like(x), x)


def _cholesky_grad(g: Any, y: Any, x: Any) -> Any:
    """With `P` the lower triangle of `adjoint(L) g` with half its diagonal: the Hermitian part of `L**-H P L**-1`."""
    inside = _hm(y, g)
    half = math.subtract(linalg.band_part(inside, -1, 0), math.multiply(linalg.band_part(inside, 0, 0), 0.5))
    left = triangular_solve(y, half, adjoint=True)
    full = adjoint(triangular_solve(y, adjoint(left), adjoint=True))
    return math.multiply(math.add(full, adjoint(full)), 0.5)


cholesky = op(
    "Cholesky", f"input: {WIDE} -> ?: input",
    numpy=_cholesky,
    lower=lambda x: jnp.tril(lax.linalg.cholesky(x, symmetrize_input=True)),
    grad=_cholesky_grad,
    shape=need_square,
    api=("linalg.cholesky",),
    cases=lambda: [
        *(case(_spd(3, d), grad=(0,), tol=1e-4, id=d) for d in _ALL), case(_spd(2, batch=(2, 1)), grad=(0,), tol=1e-4, id="stack"),
        case(np.array([[[1.0, 2.0], [2.0, 1.0]], [[4.0, 2.0], [2.0, 5.0]]]), id="indefinite"),
        case(Arr((0, 2, 2)), id="empty"), case(Arr((0, 0)), id="empty-matrix"),
        bad(Arr((2, 3)), id="shape"), bad(Arr((2,)), id="vector"), bad([[2]], id="ints"),
    ],
    doc="""Lower triangular matrices L with `L @ adjoint(L) = input`, for positive definite matrices.

    Args:
      input: float32, float64 or complex tensor [..., m, m]; only the lower triangle is read.
      name: optional.

    Returns:
      A tensor like the input; NaN in the triangle of matrices that are not positive definite.

    Raises:
      InvalidArgumentError: the matrices are not square, or the dtype is another.
    """,
)  # fmt: skip


@export("linalg.cholesky_solve")
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """X with `A @ X = rhs`, given the Cholesky factors of A.

    Args:
      chol: tensor [..., m, m], the result of `tf.linalg.cholesky`.
      rhs: tensor [..., m, k].
      name: optional.
    """
    chol = convert(chol)
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


sampled("linalg.cholesky_solve", lambda: [
    case([[2.0, 0.0], [0.5, 1.5]], Arr((2, 2)), grad=(0, 1), tol=1e-4), case(_spd(2, "complex64"), Arr((2, 1), "complex64"), tol=1e-4, id="complex"),
    case(_spd(2, batch=(2,)), Arr((2, 2, 1)), grad=(0, 1), tol=1e-4, id="stack"), bad(Arr((2, 2)), Arr((3, 1)), id="shapes"),
])  # fmt: skip


@export("linalg.logdet")
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of each positive definite matrix [..., m, m], by its Cholesky factor; real."""
    factor = cholesky(matrix)
    diagonal = special.real(linalg.diag_part(factor))
    return math.multiply(reduce.reduce_sum(math.log(diagonal), -1), 2.0)


sampled("linalg.logdet", lambda: [
    *(case(_spd(3, d), grad=(0,), tol=1e-4, id=d) for d in _ALL), case(_spd(2, batch=(2,)), grad=(0,), tol=1e-4, id="stack"),
    case([[1.0, 2.0], [2.0, 1.0]], id="indefinite"), bad(Arr((2, 3)), id="shape"),
])  # fmt: skip

# -- determinants -----------------------------------------------------------------------------------------------------


class LogMatrixDeterminant(NamedTuple):
    """The parts of a determinant: its sign (its phase, for complex matrices) and the logarithm of its modulus."""

    sign: Any
    log_abs_determinant: Any


def _slogdet(x: np.ndarray) -> tuple[Any, Any]:
    sign, log = np.linalg.slogdet(x)
    return sign, np.asarray(log).astype(x.dtype)


def _slogdet_grad(gs: Any, ys: Any, x: Any) -> Any:
    return math.multiply(layout.expand_dims(layout.expand_dims(gs[1], -1), -1), linalg.inv(x, adjoint=True))


_log_determinant = op(
    "LogMatrixDeterminant", f"input: {WIDE} -> ?: input; ?: input",
    numpy=_slogdet,
    lower=lambda x: tuple(p.astype(x.dtype) for p in jnp.linalg.slogdet(x)),
    grad=_slogdet_grad,
    shape=lambda x: (None, None) if need_square(x) is None else (x.shape[:-2], x.shape[:-2]),
)  # fmt: skip


@export("linalg.slogdet")
def slogdet(input: Any, name: str | None = None) -> LogMatrixDeterminant:
    """The sign and the logarithm of the modulus of the determinant of each square matrix.

    Args:
      input: float32, float64 or complex tensor [..., m, m].
      name: optional.

    Returns:
      A named tuple (sign, log_abs_determinant) of tensors [...] of the dtype of the input; 0 and minus infinity for singular
      matrices. The gradient of the sign is taken as zero.
    """
    return LogMatrixDeterminant(*_log_determinant(input))


sampled("linalg.slogdet", lambda: [
    *(case(_spd(3, d), grad=(0,) if d in _REAL else (), id=d, tol=1e-4) for d in _ALL), case(Arr((2, 3, 3), "float64", salt=3), id="stack"), case([[1.0, 1.0], [1.0, 1.0]], id="singular"),
    case(Arr((0, 0)), id="empty"), bad(Arr((2, 3)), id="shape"), bad([[1]], id="ints"),
])  # fmt: skip

# -- QR ---------------------------------------------------------------------------------------------------------------


class Qr(NamedTuple):
    """The factors of `tf.linalg.qr`."""

    q: Any
    r: Any


def _qr(x: np.ndarray, full_matrices: bool) -> tuple[np.ndarray, np.ndarray]:
    if x.ndim < 2:
        raise ValueError("no matrix")
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    q, r = np.linalg.qr(wide, "complete" if full_matrices else "reduced")
    return q.astype(x.dtype, copy=False), r.astype(x.dtype, copy=False)


def _qr_shape(input: Spec, *, full_matrices: bool) -> Any:
    shape = need_matrix(input)
    if shape is None:
        return None, None
    lead, (m, n) = shape[:-2], shape[-2:]
    k = m if full_matrices else None if m is None or n is None else min(m, n)
    return (*lead, m, k), (*lead, k, n)


def _qr_grad(gs: Any, ys: Any, x: Any, *, full_matrices: bool) -> Any:
    shape = x._spec.shape
    if shape is None or None in shape[-2:]:
        raise NotImplementedError(
            "The gradient of tf.linalg.qr needs matrices of known size; use tf.ensure_shape first."
        )
    m, n = shape[-2:]
    if m > n and full_matrices:
        raise NotImplementedError(
            f"The gradient of tf.linalg.qr does not exist for more rows than columns with full_matrices=True; got {m} x {n}."
        )
    (dq, dr), (q, r) = gs, ys
    if m >= n:
        return _qr_grad_deep(q, r, dq, dr)
    # The columns past the m-th are only multiplied by adjoint(q).
    rest, dv = x[..., m:], dr[..., m:]
    head = _qr_grad_deep(q, r[..., :m], math.add(dq, _mh(rest, dv)), dr[..., :m])
    return joining.concat([head, _mm(q, dv)], -1)


def _qr_grad_deep(q: Any, r: Any, dq: Any, dr: Any) -> Any:
    """`(dq + q N) r**-H`, where N is Hermitian with the lower triangle of `r adjoint(dr) - adjoint(dq) q`."""
    inner = _mirrored(math.subtract(_mh(r, dr), _hm(dq, q)))
    full = math.add(dq, _mm(q, inner))
    return adjoint(triangular_solve(r, adjoint(full), lower=False))


_qr_op = op(
    "Qr", f"input: float16|{WIDE} -> ?: input; ?: input",
    numpy=_qr,
    lower=lambda x, *, full_matrices: tuple(
        p.astype(x.dtype) for p in jnp.linalg.qr(
            x.astype(np.float32) if x.dtype.itemsize == 2 else x, "complete" if full_matrices else "reduced")),
    grad=_qr_grad,
    shape=_qr_shape,
    attrs={"full_matrices": False},
)  # fmt: skip


@export("linalg.qr")
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Qr:
    """Factors of each matrix: `q @ r`, where q has orthonormal columns and r is upper triangular.

    Args:
      input: float or complex tensor [..., m, n].
      full_matrices: whether q is [..., m, m] and r [..., m, n], or q [..., m, k] and r [..., k, n] with k = min(m, n).
      name: optional.

    Returns:
      A named tuple (q, r).

    Raises:
      InvalidArgumentError: the rank is below 2, or the dtype is another.
      NotImplementedError: a gradient is asked for where m > n and `full_matrices`.
    """
    return Qr(*_qr_op(input, full_matrices=bool(full_matrices)))


sampled("linalg.qr", lambda: [
    *(case(Arr((3, 3), d), grad=(0,), tol=1e-4, id=d) for d in _ALL), case(Arr((3, 2)), grad=(0,), tol=1e-4, id="tall"),
    case(Arr((2, 3), "float64"), grad=(0,), tol=1e-4, id="wide"), case(Arr((3, 2)), full_matrices=True, tol=1e-4, id="tall-full"),
    case(Arr((2, 3)), full_matrices=True, grad=(0,), tol=1e-4, id="wide-full"), case(Arr((2, 3, 2), "complex64"), grad=(0,), tol=1e-4, id="stack"),
    case(Arr((2, 2), "float16"), tol=4e-3, id="float16"), case(Arr((0, 2)), id="no-rows"), case(Arr((2, 0)), full_matrices=True, id="no-columns"),
    bad(Arr((2,)), id="vector"), bad([[1]], id="ints"),
])  # fmt: skip

# -- singular values --------------------------------------------------------------------------------------------------


def _svd(x: np.ndarray, full_matrices: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if x.ndim < 2:
        raise ValueError("no matrix")
    try:
        u, s, vh = np.linalg.svd(x, full_matrices)
    except np.linalg.LinAlgError:
        shapes = _svd_shape(Spec(x.shape, x.dtype), full_matrices=full_matrices)
        s, u, v = (np.full(shape, np.nan, x.dtype) for shape in shapes)
        return s.real, u, v
    v = np.swapaxes(vh, -1, -2)
    return s, u, v.conj() if x.dtype.kind == "c" else v


def _singular_values(x: np.ndarray) -> np.ndarray:
    if x.ndim < 2:
        raise ValueError("no matrix")
    try:
        return np.linalg.svd(x, compute_uv=False)
    except np.linalg.LinAlgError:
        return np.full((*x.shape[:-2], min(x.shape[-2:])), np.nan, x.real.dtype)


def _svd_shape(input: Spec, *, full_matrices: bool) -> Any:
    shape = need_matrix(input)
    if shape is None:
        return None, None, None
    lead, (m, n) = shape[:-2], shape[-2:]
    k = None if m is None or n is None else min(m, n)
    return (*lead, k), (*lead, m, m if full_matrices else k), (*lead, n, n if full_matrices else k)


def _values_shape(input: Spec) -> Partial:
    return _svd_shape(input, full_matrices=False)[0]


def _svd_lower(x: Any, *, full_matrices: bool) -> Any:
    u, s, vh = jnp.linalg.svd(x, full_matrices=full_matrices)
    return s, u, jnp.conj(jnp.swapaxes(vh, -1, -2))


def _svd_grad(gs: Any, ys: Any, x: Any, *, full_matrices: bool) -> Any:
    shape = x._spec.shape
    if shape is None or None in shape[-2:]:
        raise NotImplementedError(
            "The gradient of tf.linalg.svd needs matrices of known size; use tf.ensure_shape first."
        )
    m, n = shape[-2:]
    if full_matrices and abs(m - n) > 1:
        raise NotImplementedError(
            "The gradient of tf.linalg.svd with full_matrices=True exists only where the numbers of rows and columns differ by "
            f"at most 1; got {m} x {n}."
        )
    k = min(m, n)
    s = cast(ys[0], x.dtype)
    inverse = safe_reciprocal(s)
    (u, du), (v, dv) = _split(ys[1], gs[1], k), _split(ys[2], gs[2], k)
    core = _svd_core(s, u[0], du[0], v[0], dv[0])
    core = math.add(core, linalg.diag(cast(gs[0], x.dtype)))
    if x.dtype.is_complex:
        core = math.add(core, linalg.diag(math.multiply(inverse, _phase(u[0], du[0], v[0], dv[0], m <= n))))
    full = _mh(_mm(u[0], core), v[0])
    if m > n:
        full = math.add(full, _mh(_columns(_outside(u, du), inverse), v[0]))
    elif m < n:
        full = math.add(full, _mh(_columns(u[0], inverse), _outside(v, dv)))
    return full


def _split(vectors: Any, grads: Any, k: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The first k columns of both, and the rest (None where there is none)."""
    if vectors._spec.shape[-1] == k:
        return (vectors, None), (grads, None)
    return (vectors[..., :k], vectors[..., k:]), (grads[..., :k], grads[..., k:])


def _svd_core(s: Any, u: Any, du: Any, v: Any, dv: Any) -> Any:
    """What the rotations within the singular spaces contribute."""
    gaps = _gaps(math.square(s))
    left, right = math.multiply(gaps, _hm(u, du)), math.multiply(gaps, _hm(v, dv))
    left, right = math.add(left, adjoint(left)), math.add(right, adjoint(right))
    return math.add(_columns(left, s), math.multiply(right, layout.expand_dims(s, -1)))


def _phase(u: Any, du: Any, v: Any, dv: Any, wide: bool) -> Any:
    """The part of a gradient that depends on the phases of singular vectors, with TensorFlow's choice: those of the larger
    space are held."""
    parts = special.imag(
        reduce.reduce_sum(math.multiply(math.conj(v if wide else u), dv if wide else du), -2)
    )
    return special.complex_(create.zeros_like(parts), math.negative(parts) if wide else parts)


def _outside(vectors: tuple[Any, Any], grads: tuple[Any, Any]) -> Any:
    """The part of a gradient that turns the singular vectors out of the space they span."""
    first, second = vectors
    out = math.subtract(grads[0], _mm(first, _hm(first, grads[0])))
    if second is None:
        return out
    return math.subtract(out, _mm(second, _hm(grads[1], first)))


_svd_op = op(
    "Svd", f"input: {WIDE} -> ?: real; ?: input; ?: input",
    numpy=_svd,
    lower=_svd_lower,
    grad=_svd_grad,
    shape=_svd_shape,
    attrs={"full_matrices": False},
)  # fmt: skip


def _values_grad(g: Any, y: Any, x: Any) -> Any:
    _, u, v = _svd_op(x, full_matrices=False)
    return _mh(_columns(u, cast(g, x.dtype)), v)


singular_values = op(
    "SvdValues", f"input: {WIDE} -> ?: real",
    numpy=_singular_values,
    lower=lambda x: jnp.linalg.svd(x, compute_uv=False),
    grad=_values_grad,
    shape=_values_shape,
    doc="The singular values of each matrix in descending order.",
)  # fmt: skip


@export("linalg.svd")
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values and vectors: each matrix is `u @ diag(s) @ adjoint(v)`.

    Args:
      tensor: float32, float64 or complex tensor [..., m, n].
      full_matrices: whether u is [..., m, m] and v [..., n, n], or [..., m, k] and [..., n, k] with k = min(m, n).
      compute_uv: whether to compute u and v.
      name: optional.

    Returns:
      `(s, u, v)`, where s is real, in descending order and of shape [..., k]; s alone without `compute_uv`.

    Raises:
      InvalidArgumentError: the rank is below 2, or the dtype is another.
    """
    if not compute_uv:
        return singular_values(tensor)
    return _svd_op(tensor, full_matrices=bool(full_matrices))


sampled("linalg.svd", lambda: [
    *(case(Arr((3, 2), d), compute_uv=False, grad=(0,), tol=1e-4, id=d) for d in _ALL),
    case(Arr((2, 2, 3)), compute_uv=False, grad=(0,), tol=1e-4, id="stack"),
    *(case(Arr(s, d), full_matrices=f, grad=() if d == "complex64" else (0,), tol=np.inf, id=f"vectors{s}{d}{f}")
      for s, d, f in (((2, 3), "float32", False), ((3, 2), "float64", True), ((2, 3, 2), "complex64", True))),
    case(Arr((0, 3)), compute_uv=False, id="empty"), case(Arr((0, 3)), id="empty-vectors"), case([[np.nan, 1.0], [1.0, 2.0]], id="nan"),
    bad(Arr((2,)), id="vector"), bad([[1]], id="ints"),
])  # fmt: skip

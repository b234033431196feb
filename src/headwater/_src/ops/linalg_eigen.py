"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp, lax
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.linalg_decompose import (
    _ALL,
    _REAL,
    WIDE,
    _columns,
    _gaps,
    _hm,
    _mh,
    _mm,
    _real_diagonal,
    _spd,
    adjoint,
    check_square,
    need_square,
)

# -- eigenvalues ------------------------------------------------------------------------------------------------------


def _check_finite_triangle(x: np.ndarray) -> None:
    if not np.isfinite(np.tril(x)).all():
        raise invalid("tf.linalg.eigh: the eigenvalues do not converge: a matrix contains NaN or infinity.")


def _eigh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    check_square(x)
    _check_finite_triangle(x)
    e, v = np.linalg.eigh(x)
    return e.astype(x.dtype, copy=False), v


def _eigvalsh(x: np.ndarray) -> np.ndarray:
    check_square(x)
    _check_finite_triangle(x)
    return np.linalg.eigvalsh(x).astype(x.dtype, copy=False)


def _eig_shape(input: Spec, **_: Any) -> Any:
    shape = need_square(input)
    return (None, None) if shape is None else (shape[:-1], shape)


def _eigvals_shape(input: Spec, **_: Any) -> Any:
    return _eig_shape(input)[0]


def _lower_half(full: Any) -> Any:
    """The gradient for the lower triangle, the only one that is read."""
    both = linalg.band_part(math.add(full, adjoint(full)), -1, 0)
    return math.subtract(both, math.multiply(linalg.band_part(both, 0, 0), 0.5))


def _eigh_grad(gs: Any, ys: Any, x: Any) -> Any:
    (de, dv), (e, v) = gs, ys
    inner = math.add(math.multiply(_gaps(e), _hm(v, dv)), linalg.diag(de))
    return _lower_half(_mh(_mm(v, inner), v))


def _eigvalsh_grad(g: Any, y: Any, x: Any) -> Any:
    _, v = _eigh_op(x)
    return _lower_half(_mh(_columns(v, g), v))


def _jax_eigh(x: Any) -> Any:
    low = jnp.tril(x, -1)
    whole = (
        low
        + jnp.conj(jnp.swapaxes(low, -1, -2))
        + jnp.real(x * jnp.eye(x.shape[-1], dtype=x.dtype)).astype(x.dtype)
    )
    v, e = lax.linalg.eigh(whole, lower=True, symmetrize_input=False)
    return e.astype(x.dtype), v


_eigh_op = op(
    "SelfAdjointEigV2", f"input: {WIDE} -> ?: input; ?: input",
    numpy=_eigh,
    lower=_jax_eigh,
    grad=_eigh_grad,
    shape=_eig_shape,
)  # fmt: skip

_eigvalsh_op = op(
    "SelfAdjointEigenvalues", f"input: {WIDE} -> ?: input",
    numpy=_eigvalsh,
    lower=lambda x: _jax_eigh(x)[0],
    grad=_eigvalsh_grad,
    shape=_eigvals_shape,
)  # fmt: skip


@export("linalg.eigh")
def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of self-adjoint matrices.

    Args:
      tensor: float32, float64 or complex tensor [..., m, m]; only the lower triangle is read.
      name: optional.

    Returns:
      `(e, v)`, both of the dtype of the input: the eigenvalues [..., m] in ascending order, and the vectors [..., m, m], one
      in each column.

    Raises:
      InvalidArgumentError: the matrices are not square or contain NaN, or the dtype is another.
    """
    e, v = _eigh_op(tensor)
    return e, v


@export("linalg.eigvalsh")
def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of self-adjoint matrices [..., m, m] in ascending order; see `tf.linalg.eigh`."""
    return _eigvalsh_op(tensor)


sampled("linalg.eigvalsh", lambda: [
    *(case(_spd(3, d), grad=(0,), tol=1e-4, id=d) for d in _ALL), case(_spd(2, batch=(2,)), grad=(0,), tol=1e-4, id="stack"),
    case([[2.0, 99.0], [1.0, 3.0]], id="lower"), case(Arr((0, 0)), id="empty"), bad(Arr((2, 3)), id="shape"), bad([[1]], id="ints"),
])  # fmt: skip
sampled("linalg.eigh", lambda: [
    *(case(_spd(3, d), grad=(0,) if d in _REAL else (), tol=np.inf, id=d) for d in _ALL), case(_spd(2, batch=(2,)), tol=np.inf, id="stack"),
    case(Arr((0, 0)), id="empty"), bad(Arr((2, 3)), id="shape"), bad([[np.nan, 1.0], [1.0, 2.0]], id="nan"),
])  # fmt: skip


def _to_complex(dtype: Any) -> Any:
    return dtypes.complex64 if dtype.name in ("float32", "complex64") else dtypes.complex128


def _eig(x: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    check_square(x)
    e, v = np.linalg.eig(x)
    return e.astype(dtype.np), v.astype(dtype.np)


def _eigvals(x: np.ndarray, dtype: Any) -> np.ndarray:
    check_square(x)
    return np.linalg.eigvals(x).astype(dtype.np)


def _back_from_vectors(inner: Any, v: Any, x: Any) -> Any:
    return cast(linalg.solve(adjoint(v), _mh(inner, v)), x.dtype)


def _eig_grad(gs: Any, ys: Any, x: Any, *, dtype: Any) -> Any:
    """Boeddeker et al., "On the computation of complex-valued gradients with application to statistically optimum
    beamforming" (2017), with the vectors' lengths held at 1."""
    (de, dv), (e, v) = gs, ys
    turned = _hm(v, dv)
    held = _mm(_hm(v, v), _real_diagonal(turned))
    inner = math.multiply(math.conj(_gaps(e)), math.subtract(turned, held))
    return _back_from_vectors(math.add(inner, linalg.diag(de)), v, x)


def _eigvals_grad(g: Any, y: Any, x: Any, *, dtype: Any) -> Any:
    _, v = _eig_op(x, dtype=dtype)
    return _back_from_vectors(linalg.diag(g), v, x)


_eig_op = op(
    "Eig", f"input: {WIDE} -> ?: dtype; ?: dtype",
    numpy=_eig,
    lower=lambda x, *, dtype: tuple(jnp.linalg.eig(x)),
    grad=_eig_grad,
    shape=_eig_shape,
    attrs={"dtype": dtypes.complex64},
)  # fmt: skip

_eigvals_op = op(
    "Eigenvalues", f"input: {WIDE} -> ?: dtype",
    numpy=_eigvals,
    lower=lambda x, *, dtype: jnp.linalg.eigvals(x),
    grad=_eigvals_grad,
    shape=_eigvals_shape,
    attrs={"dtype": dtypes.complex64},
)  # fmt: skip


@export("linalg.eig", "eig")
def eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of square matrices.

    Args:
      tensor: float32, float64 or complex tensor [..., m, m].
      name: optional.

    Returns:
      `(e, v)`, both complex: the eigenvalues [..., m] in no particular order, and the vectors [..., m, m] of length 1, one in
      each column.

    Raises:
      InvalidArgumentError: the matrices are not square or contain NaN, or the dtype is another.
    """
    x = convert(tensor)
    e, v = _eig_op(x, dtype=_to_complex(x.dtype))
    return e, v


@export("linalg.eigvals", "eigvals")
def eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of square matrices [..., m, m], complex and in no particular order; see `tf.linalg.eig`."""
    x = convert(tensor)
    return _eigvals_op(x, dtype=_to_complex(x.dtype))


sampled("linalg.eigvals", lambda: [
    *(case(Arr((), d).draw() * 0 + np.array([[1.0, 2.0], [3.0, 4.0]], d), grad=(0,), tol=1e-4, id=d) for d in _ALL),
    case(np.array([[0.0, 1.0], [-1.0, 0.0]]), tol=np.inf, id="complex-pair"), case(np.zeros((0, 0)), id="empty"),
    bad(Arr((2, 3)), id="shape"),
])  # fmt: skip
sampled("linalg.eig", lambda: [
    case(np.array([[1.0, 2.0], [3.0, 4.0]]), grad=(0,), tol=np.inf, id="float64"), case(Arr((2, 2, 2), "complex64"), tol=np.inf, id="stack"),
    bad(Arr((2, 3)), id="shape"),
])  # fmt: skip

"""The rarer special functions: incomplete gamma and beta, Bessel functions, integrals; and polynomials."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.math as math
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp, jsp, lax, scipy_special
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import FLOATS, Arr, Tensor_, bad, case, each, sampled, unary
from headwater._src.core.tensor import Tensor
from headwater._src.ops.broadcasting import sum_to

_NO_XLA = HOST_ONLY("XLA has no such function")
_PAIR = "float32|float64"

# -- incomplete gamma and beta ----------------------------------------------------------------------------------------


def _scipy(name: str) -> Any:
    def run(*arrays: np.ndarray) -> Any:
        first = arrays[0].dtype
        wide = tuple(a.astype(np.float32) for a in arrays) if first.itemsize == 2 else arrays
        return np.asarray(getattr(scipy_special, name)(*wide)).astype(first, copy=False)

    return run


def _gamma_by_a(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The derivative of `gammainc(a, x)` for a, by the series `sum(x**(a + n) exp(-x) / gamma(a + n + 1))`; by differences
    for x so large that the series is long."""
    a_, x_ = np.broadcast_arrays(a.astype(np.float64), x.astype(np.float64))
    step = 1e-5 * np.maximum(a_, 1e-3)
    out = (scipy_special.gammainc(a_ + step, x_) - scipy_special.gammainc(a_ - step, x_)) / (2 * step)
    return np.where(x_ == 0, 0.0, _by_series(out, a_, x_, 1)).astype(a.dtype)


def _gamma_by_a_twice(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The second derivative, likewise."""
    a_, x_ = np.broadcast_arrays(a.astype(np.float64), x.astype(np.float64))
    step = 1e-3 * np.maximum(a_, 1e-3)
    low, mid, high = (scipy_special.gammainc(a_ + d * step, x_) for d in (-1, 0, 1))
    return np.where(x_ == 0, 0.0, _by_series((low - 2 * mid + high) / step**2, a_, x_, 2)).astype(a.dtype)


def _by_series(out: np.ndarray, a: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    """`out` with the elements for which the series is short enough put right."""
    short = (x > 0) & (x < 500) & (a > 0)
    if not short.any():
        return out
    p, z = a[short], x[short]
    orders = np.arange(int(z.max() + 12 * np.sqrt(z.max()) + 60))[:, None]
    log = np.log(z)
    terms = np.exp((p + orders) * log - z - scipy_special.gammaln(p + orders + 1))
    slope = log - scipy_special.psi(p + orders + 1)
    if order == 2:
        slope = slope * slope - scipy_special.polygamma(1, p + orders + 1)
    out = out.copy()
    out[short] = np.sum(terms * slope, axis=0)
    return out


_igamma_grad_grad_a = op(
    "IgammaGradGradA", f"a: {_PAIR}, x: a -> bcast(a, x)",
    numpy=_gamma_by_a_twice,
    lower=HOST_ONLY("XLA has no second derivative of the incomplete gamma function by a"),
    grad=NONDIFF,
)  # fmt: skip

_igamma_grad_a = op(
    "IgammaGradA", f"a: {_PAIR}, x: a -> bcast(a, x)",
    numpy=_gamma_by_a,
    lower=lambda a, x: _jax_grad_a(a, x),
    grad=(lambda g, y, a, x: sum_to(math.multiply(g, _igamma_grad_grad_a(a, x)), a),
          lambda g, y, a, x: sum_to(math.multiply(g, math.multiply(
              _gamma_density(a, x), math.subtract(math.log(x), special.digamma(a)))), x)),
)  # fmt: skip


def _jax_grad_a(a: Any, x: Any) -> Any:
    return lax.igamma_grad_a(*jnp.broadcast_arrays(a, x))


def _gamma_density(a: Any, x: Any) -> Any:
    """`x**(a - 1) exp(-x) / gamma(a)`."""
    power = math.multiply(math.subtract(a, 1), math.log(x))
    return math.exp(math.subtract(math.subtract(power, x), special.lgamma(a)))


igamma = op(
    "Igamma", f"a: {_PAIR}, x: a -> bcast(a, x)",
    numpy=_scipy("gammainc"),
    lower=lambda a, x: jsp.gammainc(a, x),
    grad=(lambda g, z, a, x: sum_to(math.multiply(g, _igamma_grad_a(a, x)), a),
          lambda g, z, a, x: sum_to(math.multiply(g, _gamma_density(a, x)), x)),
    api=("math.igamma",),
    cases=lambda: [
        case(Arr((2, 3), "float64", 0.5, 4), Arr((2, 3), "float64", 0.2, 6, salt=1), grad=(0, 1), tol=1e-4, id="float64"), case(Arr((2, 3), "float32", 0.5, 4), Arr((2, 3), "float32", 0.2, 6, salt=1), tol=1e-4),
        case(Arr((2, 1), "float32", 0.5, 4), Arr((3,), "float32", 0.2, 6), tol=1e-4, id="broadcast"), bad(Tensor_(Arr((2,), "int32")), Tensor_(Arr((2,), "int32")), id="ints"), bad(Arr((2,)), Arr((3,)), id="shapes"),
    ],
    doc="The regularised lower incomplete gamma function, `1 / gamma(a)` times the integral of `t**(a - 1) exp(-t)` from 0 to x.",
)  # fmt: skip

igammac = op(
    "Igammac", f"a: {_PAIR}, x: a -> bcast(a, x)",
    numpy=_scipy("gammaincc"),
    lower=lambda a, x: jsp.gammaincc(a, x),
    grad=(lambda g, z, a, x: sum_to(math.negative(math.multiply(g, _igamma_grad_a(a, x))), a),
          lambda g, z, a, x: sum_to(math.negative(math.multiply(g, _gamma_density(a, x))), x)),
    api=("math.igammac",),
    cases=lambda: [
        case(Arr((2, 3), "float64", 0.5, 4), Arr((2, 3), "float64", 0.2, 6, salt=1), grad=(0, 1), tol=1e-4, id="float64"), case(Arr((2, 3), "float32", 0.5, 4), Arr((2, 3), "float32", 0.2, 6, salt=1), tol=1e-4),
        bad(Tensor_(Arr((2,), "int32")), Tensor_(Arr((2,), "int32")), id="ints"),
    ],
    doc="The regularised upper incomplete gamma function, `1 - igamma(a, x)`.",
)  # fmt: skip


def _betainc_by_x(g: Any, y: Any, a: Any, b: Any, x: Any) -> Any:
    log_beta = math.subtract(math.add(special.lgamma(a), special.lgamma(b)), special.lgamma(math.add(a, b)))
    power = math.add(
        math.multiply(math.subtract(b, 1), math.log1p(math.negative(x))),
        math.multiply(math.subtract(a, 1), math.log(x)),
    )
    return sum_to(math.multiply(g, math.exp(math.subtract(power, log_beta))), x)


betainc = op(
    "Betainc", f"a: {_PAIR}, b: a, x: a -> bcast(a, b, x)",
    numpy=_scipy("betainc"),
    lower=lambda a, b, x: jsp.betainc(a, b, x),
    grad=(None, None, _betainc_by_x),
    api=("math.betainc",),
    cases=lambda: [
        case(Arr((2, 3), "float64", 0.5, 4), Arr((2, 3), "float64", 0.5, 4, salt=1), Arr((2, 3), "float64", 0.1, 0.9), grad=(2,), tol=1e-3, id="float64"),
        case(2.0, 3.0, Arr((3,), "float32", 0.1, 0.9), grad=(2,), tol=1e-4, id="scalars"), bad(*[Tensor_(Arr((2,), "int32"))] * 3, id="ints"),
    ],
    doc="The regularised incomplete beta function I_x(a, b), for x in [0, 1]; differentiable for x.",
)  # fmt: skip

# -- Bessel functions -------------------------------------------------------------------------------------------------


def _over(y: Any, x: Any) -> Any:
    return math.real_divide(y, x)


def _bessel(name: str, kernel: str, rule: Any, domain: tuple[float, float], doc: str) -> Any:
    return op(
        name, "x: F -> x", numpy=_scipy(kernel), lower=_NO_XLA, grad=rule, api=(f"math.special.bessel_{kernel.replace('v', '')}",),
        cases=unary(FLOATS, domain, special=False, refuse="int32", tol=5e-5), doc=doc,
    )  # fmt: skip


def _j1_slope(y: Any, x: Any) -> Any:
    found = math.subtract(bessel_j0(x), math.div_no_nan(y, x))
    return compare.where(compare.equal(x, 0), convert(0.5, x.dtype), found)


bessel_j0 = _bessel(
    "BesselJ0", "j0", lambda g, y, x: math.negative(math.multiply(g, bessel_j1(x))), (0.2, 6.0),
    "Elementwise Bessel function of the first kind of order 0.",
)  # fmt: skip
bessel_j1 = _bessel(
    "BesselJ1", "j1", lambda g, y, x: math.multiply(g, _j1_slope(y, x)), (0.2, 6.0),
    "Elementwise Bessel function of the first kind of order 1.",
)  # fmt: skip
bessel_k0 = _bessel(
    "BesselK0", "k0", lambda g, y, x: math.negative(math.multiply(g, bessel_k1(x))), (0.2, 4.0),
    "Elementwise modified Bessel function of the second kind of order 0.",
)  # fmt: skip
bessel_k0e = _bessel(
    "BesselK0e", "k0e", lambda g, y, x: math.multiply(g, math.subtract(y, bessel_k1e(x))), (0.2, 4.0),
    "Elementwise `exp(x) * bessel_k0(x)`.",
)  # fmt: skip
bessel_k1 = _bessel(
    "BesselK1", "k1", lambda g, y, x: math.negative(math.multiply(g, math.add(bessel_k0(x), _over(y, x)))), (0.2, 4.0),
    "Elementwise modified Bessel function of the second kind of order 1.",
)  # fmt: skip
bessel_k1e = _bessel(
    "BesselK1e", "k1e", lambda g, y, x: math.multiply(g, math.subtract(math.subtract(y, _over(y, x)), bessel_k0e(x))), (0.2, 4.0),
    "Elementwise `exp(x) * bessel_k1(x)`.",
)  # fmt: skip
bessel_y0 = _bessel(
    "BesselY0", "y0", lambda g, y, x: math.negative(math.multiply(g, bessel_y1(x))), (0.5, 6.0),
    "Elementwise Bessel function of the second kind of order 0.",
)  # fmt: skip
bessel_y1 = _bessel(
    "BesselY1", "y1", lambda g, y, x: math.multiply(g, math.subtract(bessel_y0(x), _over(y, x))), (0.5, 6.0),
    "Elementwise Bessel function of the second kind of order 1.",
)  # fmt: skip

# -- integrals --------------------------------------------------------------------------------------------------------

dawsn = op(
    "Dawsn", "x: F -> x",
    numpy=_scipy("dawsn"),
    lower=_NO_XLA,
    grad=lambda g, y, x: math.multiply(g, math.subtract(1, math.multiply(2, math.multiply(x, y)))),
    api=("math.special.dawsn",),
    cases=unary(FLOATS, special=False, refuse="int32", tol=5e-5),
    doc="Elementwise Dawson's integral, `exp(-x**2)` times the integral of `exp(t**2)` from 0 to x.",
)  # fmt: skip

expint = op(
    "Expint", "x: F -> x",
    numpy=_scipy("expi"),
    lower=lambda x: jsp.expi(x),
    grad=lambda g, y, x: math.multiply(g, _over(math.exp(x), x)),
    api=("math.special.expint",),
    cases=unary(FLOATS, (0.3, 3.0), special=False, refuse="int32", tol=5e-5),
    doc="Elementwise exponential integral, the integral of `exp(t) / t` from minus infinity to x.",
)  # fmt: skip


def _quarter(x: Any) -> Any:
    return math.multiply(math.square(x), np.pi / 2)


def _fresnel(part: int) -> Any:
    return lambda x: np.asarray(scipy_special.fresnel(x.astype(np.float64))[part]).astype(x.dtype)


fresnel_cos = op(
    "FresnelCos", "x: F -> x",
    numpy=_fresnel(1),
    lower=_NO_XLA,
    grad=lambda g, y, x: math.multiply(g, special.cos(_quarter(x))),
    api=("math.special.fresnel_cos",),
    cases=unary(FLOATS, special=False, refuse="int32", tol=5e-5),
    doc="Elementwise Fresnel integral C, the integral of `cos(pi * t**2 / 2)` from 0 to x.",
)  # fmt: skip

fresnel_sin = op(
    "FresnelSin", "x: F -> x",
    numpy=_fresnel(0),
    lower=_NO_XLA,
    grad=lambda g, y, x: math.multiply(g, special.sin(_quarter(x))),
    api=("math.special.fresnel_sin",),
    cases=unary(FLOATS, special=False, refuse="int32", tol=5e-5),
    doc="Elementwise Fresnel integral S, the integral of `sin(pi * t**2 / 2)` from 0 to x.",
)  # fmt: skip


def _spence_grad(g: Any, y: Any, x: Any) -> Any:
    slope = _over(math.log(x), math.subtract(1, x))
    return math.multiply(g, compare.where(compare.equal(x, 1), convert(-1.0, x.dtype), slope))


spence = op(
    "Spence", "x: F -> x",
    numpy=_scipy("spence"),
    lower=_NO_XLA,
    grad=_spence_grad,
    api=("math.special.spence",),
    cases=each(unary(FLOATS, (0.2, 3.0), special=False, refuse="int32", tol=5e-5), case([1.0, 0.0], id="ends")),
    doc="Elementwise Spence's integral, that of `log(t) / (1 - t)` from 1 to x; the dilogarithm of `1 - x`.",
)  # fmt: skip

# -- sums and polynomials ---------------------------------------------------------------------------------------------


@export("math.polyval")
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The polynomial with the coefficients in the list `coeffs`, the highest power first, at `x`; by Horner's rule.

    Raises:
      ValueError: `coeffs` is no list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"tf.math.polyval: coeffs must be a list; got {type(coeffs).__name__}.")
    x = convert(x)
    if not coeffs:
        return math.multiply(x, 0)
    total = convert(coeffs[0], None, x.dtype)
    for coefficient in coeffs[1:]:
        total = math.add(math.multiply(total, x), convert(coefficient, None, x.dtype))
    return total


@export("math.accumulate_n")
def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and dtype.

    Raises:
      ValueError: the list is empty, or the tensors differ in shape or dtype.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("tf.math.accumulate_n: inputs must be a list of tensors, at least one.")
    tensors = [convert(t) for t in inputs]
    if any(
        t.dtype is not tensors[0].dtype or not t.shape.is_compatible_with(tensors[0].shape) for t in tensors
    ):
        raise ValueError("tf.math.accumulate_n: the inputs must have one shape and one dtype.")
    return math.add_n(tensors)


@export("math.scalar_mul", "scalar_mul")
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """`scalar * x` for a scalar and a tensor or IndexedSlices.

    Raises:
      ValueError: `scalar` is none.
    """
    from headwater._src.core.composite import IndexedSlices

    dtype = dtypes.as_dtype(x.dtype) if hasattr(x, "dtype") else convert(x).dtype
    factor = convert(scalar, dtype)
    if factor._spec.shape not in ((), None):
        raise ValueError(f"tf.scalar_mul: scalar must be a scalar; got shape {factor.shape}.")
    return (
        x._map_values(lambda v: math.multiply(factor, v))
        if isinstance(x, IndexedSlices)
        else math.multiply(factor, x)
    )


sampled("math.polyval", lambda: [
    case([2.0, -1.0, 0.5], Arr((3,)), grad=(1,)), case([3], [1, 2], id="constant"), case([], [1.0, 2.0], id="none"), bad(3.0, [1.0], error="ValueError", id="scalar")])  # fmt: skip
sampled("math.accumulate_n", lambda: [
    case([Arr((2, 2)), Arr((2, 2), salt=1)], grad=(0,)), bad([], error="ValueError", id="empty"), bad([Arr((2,)), Arr((3,))], error="ValueError", id="shapes")])  # fmt: skip
sampled("math.scalar_mul", lambda: [
    case(2.0, Arr((2, 3)), grad=(1,)), case(3, Arr((2,), "int32"), id="ints"), bad([1.0, 2.0], Arr((2,)), error="ValueError", id="vector")])  # fmt: skip

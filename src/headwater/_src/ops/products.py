"""Products of matrices in the form that XLA's kernels on the CPU take: rows of the left factor times columns of the right one.

XLA folds a transposition into the product that reads it. A left factor that is turned, as in every gradient of a weight, then
goes to a general loop instead of the library of kernels, and a step of a transformer takes a fifth longer. So large factors
that must be turned are laid out anew, and the compiler is kept from undoing that.
"""

from __future__ import annotations

from typing import Any

from headwater._src.base.lazy import jax, jnp, lax

LARGE = 1 << 14
"""The elements from which on a layout of its own pays."""


def laid_out(x: Any) -> Any:
    """`x` as an array of its own in memory, where that makes a product that reads it, or that it is read from, quicker."""
    if x.size < LARGE or x.dtype != "float32" or jax.default_backend() != "cpu":
        return x
    return lax.optimization_barrier(x)


def left_turned(a: Any, b: Any) -> Any:
    """The product of a's transpose and b, for matrices. Either a is turned, or b and then the result."""
    if a.size <= b.size + a.shape[1] * b.shape[1]:
        return jnp.matmul(laid_out(a.T), b)
    return laid_out(jnp.matmul(laid_out(b.T), a)).T

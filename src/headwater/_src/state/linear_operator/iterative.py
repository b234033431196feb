"""Solvers that know a matrix by its products only."""

from __future__ import annotations

from typing import Any, NamedTuple

import headwater._src.ops.compare as compare
import headwater._src.ops.control as control
import headwater._src.ops.create as create
import headwater._src.ops.norms as norms
import headwater._src.ops.reduce as reduce
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.state.linear_operator.parts import conj, real


class CGState(NamedTuple):
    """Where the conjugate gradient method is: steps taken, solution, residual, direction, and the residual's weighted square."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


@export("linalg.experimental.conjugate_gradient")
def conjugate_gradient(
    operator: Any,
    rhs: Any,
    preconditioner: Any = None,
    x: Any = None,
    tol: float = 1e-5,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """x with `operator @ x = rhs`, by the method of conjugate gradients (Hestenes and Stiefel, 1952).

    Args:
      operator: a linear operator that is self-adjoint and positive definite by its hints.
      rhs: tensor [..., n].
      preconditioner: a linear operator that is near the inverse of `operator`; none by default.
      x: where to begin, [..., n]; zeros by default.
      tol: the steps end when no residual is longer than `tol` times `rhs`.
      max_iter: the greatest number of steps.
      name: optional.

    Returns:
      A tuple (i, x, r, p, gamma): the number of steps, the solution, the residual `rhs - operator @ x`, the next direction,
      and the product of residual and preconditioned residual.

    Raises:
      ValueError: the hints do not say that the operator is self-adjoint and positive definite, or the shapes don't fit.

    >>> a = tf.linalg.LinearOperatorDiag([1.0, 4.0], is_positive_definite=True)
    >>> tf.linalg.experimental.conjugate_gradient(a, tf.constant([3.0, 2.0])).x.numpy()
    array([3. , 0.5], dtype=float32)
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        raise ValueError(
            "tf.linalg.experimental.conjugate_gradient needs an operator with the hints is_self_adjoint=True and "
            f"is_positive_definite=True; got {operator.name} with {operator.is_self_adjoint} and {operator.is_positive_definite}."
        )
    rhs = convert(rhs)

    def conditioned(r: Any) -> Any:
        return r if preconditioner is None else preconditioner.matvec(r)

    def product(a: Any, b: Any) -> Any:
        return reduce.reduce_sum(conj(a) * b, -1)

    def length(a: Any) -> Any:
        return real(norms.norm(a, axis=-1))

    start = create.zeros_like(rhs) if x is None else convert(x)
    residual = rhs if x is None else rhs - operator.matvec(start)
    direction = conditioned(residual)
    limit = tol * length(rhs)

    def goes_on(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        return compare.logical_and(
            compare.less(i, max_iter), reduce.reduce_any(compare.greater(length(r), limit))
        )

    def step(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        turned = operator.matvec(p)
        stride = (gamma / product(p, turned))[..., None]
        x, r = x + stride * p, r - stride * turned
        z = conditioned(r)
        renewed = product(r, z)
        return i + 1, x, r, z + (renewed / gamma)[..., None] * p, renewed

    first = convert(0), start, residual, direction, product(residual, direction)
    return CGState(*control.while_loop(goes_on, step, first))

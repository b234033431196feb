"""Operators made of others: conjugate transposes, inverses, and products."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator.base import LinearOperator, batch_tensor_of, kind
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    all_hint,
    always,
    arguments,
    conj,
    joint_batch,
    matrix_shape,
    need_operators,
    row,
    same_dtype,
)


def _shared(what: str, operator: Any, given: dict[str, Any], result: str) -> dict[str, Any]:
    """The hints of an operator for one that has the same properties; ValueError where another was given."""
    merged = {}
    for hint, value in given.items():
        own = getattr(operator, hint)
        if value is not None and own is not None and value is not own:
            raise ValueError(
                f"{what}: {hint}={value} was given, but the {result} of {operator.name} has {hint}={own}, as it has itself."
            )
        merged[hint] = own if value is None else value
    return merged


@export("linalg.LinearOperatorAdjoint")
class LinearOperatorAdjoint(LinearOperator):
    """The conjugate transpose of another operator.

    Args:
      operator: a linear operator.
      is_non_singular: whether the matrices are regular; that of `operator` by default, as are the other hints.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: whether they are square.
      name: a name.

    Raises:
      ValueError: a hint contradicts that of `operator`.
    """

    def __init__(
        self, operator: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        what = operator.name + "_adjoint" if name is None else name
        given = {
            "is_non_singular": is_non_singular, "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite, "is_square": is_square,
        }  # fmt: skip
        hints = _shared(what, operator, given, "adjoint")
        super().__init__(operator.dtype, name=what, parameters=parameters, **hints)
        self._operator = operator

    @property
    def operator(self) -> Any:
        """The operator that is turned."""
        return self._operator

    def _shape(self) -> TensorShape:
        dims = self._operator.shape._dims
        return wrap(None if dims is None else (*dims[:-2], dims[-1], dims[-2]))

    def _shape_tensor(self) -> Any:
        of = self._operator
        return matrix_shape(
            of.batch_shape_tensor(), of.domain_dimension_tensor(), of.range_dimension_tensor()
        )

    def _assert_non_singular(self) -> Any:
        return self._operator.assert_non_singular()

    def _assert_positive_definite(self) -> Any:
        return self._operator.assert_positive_definite()

    def _assert_self_adjoint(self) -> Any:
        return self._operator.assert_self_adjoint()

    def _linop_adjoint(self) -> Any:
        return self._operator

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self._operator.matvec(x, adjoint=not adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._operator.solvevec(rhs, adjoint=not adjoint)

    def _conj(self, value: Any) -> Any:
        return value if self.is_self_adjoint else conj(value)

    def _determinant(self) -> Any:
        return self._conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Any:
        return self._operator.log_abs_determinant()

    def _trace(self) -> Any:
        return self._conj(self._operator.trace())

    def _diag_part(self) -> Any:
        return self._conj(self._operator.diag_part())

    def _to_dense(self) -> Any:
        return linalg.adjoint(self._operator.to_dense())

    def _eigvals(self) -> Any:
        return self._conj(self._operator.eigvals())

    def _cond(self) -> Any:
        return self._operator.cond()

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("operator",)


@export("linalg.LinearOperatorInversion")
class LinearOperatorInversion(LinearOperator):
    """The inverse of another operator, which is never computed: products with it solve systems.

    Args:
      operator: a linear operator.
      is_non_singular: True or None.
      is_self_adjoint: whether the matrices equal their conjugate transposes; that of `operator` by default.
      is_positive_definite: whether they are positive definite; likewise.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: the operator is not square or singular by its hints, or a hint contradicts its own.
    """

    def __init__(
        self, operator: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        what = operator.name + "_inv" if name is None else name
        if operator.is_square is False or is_square is False:
            raise ValueError(
                f"{what}: only square operators have an inverse; got {operator.name} of shape {operator.shape}."
            )
        if operator.is_non_singular is False or is_non_singular is False:
            raise ValueError(
                f"{what}: only regular operators have an inverse; {operator.name} is singular by its hints."
            )
        given = {
            "is_non_singular": is_non_singular, "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite, "is_square": is_square,
        }  # fmt: skip
        hints = _shared(what, operator, given, "inverse")
        super().__init__(operator.dtype, name=what, parameters=parameters, **hints)
        self._operator = operator

    @property
    def operator(self) -> Any:
        """The operator whose inverse this is."""
        return self._operator

    def _shape(self) -> TensorShape:
        return self._operator.shape  # type: ignore[no-any-return]

    def _shape_tensor(self) -> Any:
        return self._operator.shape_tensor()

    def _assert_non_singular(self) -> Any:
        return self._operator.assert_non_singular()

    def _assert_positive_definite(self) -> Any:
        return self._operator.assert_positive_definite()

    def _assert_self_adjoint(self) -> Any:
        return self._operator.assert_self_adjoint()

    def _linop_inverse(self) -> Any:
        return self._operator

    def _linop_solve(self, right: Any) -> Any:
        return self._operator.matmul(right)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self._operator.solvevec(x, adjoint=adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._operator.matvec(rhs, adjoint=adjoint)

    def _determinant(self) -> Any:
        return 1.0 / self._operator.determinant()

    def _log_abs_determinant(self) -> Any:
        return -1.0 * self._operator.log_abs_determinant()

    def _eigvals(self) -> Any:
        return 1.0 / self._operator.eigvals()

    def _cond(self) -> Any:
        return self._operator.cond()

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("operator",)


@export("linalg.LinearOperatorComposition")
class LinearOperatorComposition(LinearOperator):
    """The product of operators, which is never computed: they act one after the other, the last one first.

    Args:
      operators: linear operators of one dtype whose shapes fit each other.
      is_non_singular: whether the product is regular.
      is_self_adjoint: whether it equals its conjugate transpose.
      is_positive_definite: whether it is positive definite.
      is_square: whether it is square.
      name: a name; by default those of the operators, with "_o_" between them.

    Raises:
      ValueError: there are no operators, their shapes don't fit, or a hint is False that is True for all of them.
      TypeError: their dtypes differ.

    >>> a = tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]])
    >>> tf.linalg.LinearOperatorComposition([a, a]).matvec([1.0, 1.0]).numpy()
    array([17., 37.], dtype=float32)
    """

    def __init__(
        self, operators: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        operators = need_operators("LinearOperatorComposition", operators)
        dtype = same_dtype("LinearOperatorComposition", operators)
        if name is None:
            name = "_o_".join(o.name for o in operators)
        if all(o.is_non_singular for o in operators):
            why = "a product of regular operators is regular"
            is_non_singular = all_hint(name, "is_non_singular", is_non_singular, operators, why)
        if _is_gramian(operators):
            why = "A @ A.H is self-adjoint, and positive definite for a regular A"
            is_self_adjoint = always(name, "is_self_adjoint", is_self_adjoint, True, why)
            if is_non_singular:
                is_positive_definite = always(name, "is_positive_definite", is_positive_definite, True, why)
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._operators = operators

    @property
    def operators(self) -> list[Any]:
        """The operators, in the order of the product."""
        return self._operators

    def _shape(self) -> TensorShape:
        batch = joint_batch([o.batch_shape for o in self._operators])
        ends = [self._operators[0].range_dimension, self._operators[-1].domain_dimension]
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            left._check_fits(left.domain_dimension, right.range_dimension, right)
        return batch.concatenate(ends)

    def _shape_tensor(self) -> Any:
        first, last = self._operators[0], self._operators[-1]
        return matrix_shape(
            batch_tensor_of(self._operators), first.range_dimension_tensor(), last.domain_dimension_tensor()
        )

    def _linop_cholesky(self) -> Any:
        factor, *rest = self._operators
        turned = rest and isinstance(rest[0], LinearOperatorAdjoint)
        if not (turned and _is_gramian(self._operators) and isinstance(factor, kind("LowerTriangular"))):
            return super()._linop_cholesky()
        tril = factor.to_dense()
        # The factor is the one with a positive diagonal.
        phases = conj(math.sign(factor.diag_part()))
        return kind("LowerTriangular")(
            tril * row(phases), is_non_singular=self.is_non_singular, is_square=True
        )

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = adjoint_if(x, adjoint_arg)
        for operator in self._operators if adjoint else reversed(self._operators):
            x = operator.matmul(x, adjoint=adjoint)
        return x

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = adjoint_if(rhs, adjoint_arg)
        for operator in reversed(self._operators) if adjoint else self._operators:
            rhs = operator.solve(rhs, adjoint=adjoint)
        return rhs

    def _determinant(self) -> Any:
        found = self._operators[0].determinant()
        for operator in self._operators[1:]:
            found = found * operator.determinant()
        return found

    def _log_abs_determinant(self) -> Any:
        found = cast(self._operators[0].log_abs_determinant(), self.dtype)
        for operator in self._operators[1:]:
            found = found + cast(operator.log_abs_determinant(), self.dtype)
        return found

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("operators",)


def _is_gramian(operators: list[Any]) -> bool:
    """Whether operators are of the form A @ A.H."""
    if len(operators) != 2:
        return False
    left, right = operators
    if left is right:
        return left.is_self_adjoint is True
    return (isinstance(right, LinearOperatorAdjoint) and right.operator is left) or (
        isinstance(left, LinearOperatorAdjoint) and left.operator is right
    )

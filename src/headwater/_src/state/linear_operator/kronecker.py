"""Kronecker products of operators."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator.base import LinearOperator, batch_tensor_of
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    all_hint,
    arguments,
    dims_of,
    hints_of,
    joint_batch,
    matrix_shape,
    need_operators,
    same_dtype,
)


@export("linalg.LinearOperatorKronecker")
class LinearOperatorKronecker(LinearOperator):
    """The Kronecker product of operators, which is never computed: each acts on its own index of the argument.

    Args:
      operators: linear operators of one dtype.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: whether they are square.
      name: a name; by default those of the operators, with "_x_" between them.

    Raises:
      ValueError: there are no operators, or a hint is False that is True for all of them.
      TypeError: their dtypes differ.

    >>> a = tf.linalg.LinearOperatorDiag([1.0, 2.0])
    >>> tf.linalg.LinearOperatorKronecker([a, a]).diag_part().numpy()
    array([1., 2., 2., 4.], dtype=float32)
    """

    def __init__(
        self, operators: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        operators = need_operators("LinearOperatorKronecker", operators)
        dtype = same_dtype("LinearOperatorKronecker", operators)
        if name is None:
            name = "_x_".join(o.name for o in operators)
        why = "it is True for all operators"
        is_square = all_hint(name, "is_square", is_square, operators, why)
        is_non_singular = all_hint(name, "is_non_singular", is_non_singular, operators, why)
        is_self_adjoint = all_hint(name, "is_self_adjoint", is_self_adjoint, operators, why)
        if all(o.is_self_adjoint for o in operators):
            is_positive_definite = all_hint(
                name, "is_positive_definite", is_positive_definite, operators, why
            )
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._operators = operators

    @property
    def operators(self) -> list[Any]:
        """The factors."""
        return self._operators

    def _size(self, dimension: str) -> Any:
        found = 1
        for operator in self._operators:
            size = getattr(operator, dimension)
            if size is None:
                return None
            found *= size
        return found

    def _size_tensor(self, dimension: str) -> Any:
        found = getattr(self._operators[0], dimension)()
        for operator in self._operators[1:]:
            found = found * getattr(operator, dimension)()
        return found

    def _shape(self) -> TensorShape:
        batch = joint_batch([o.batch_shape for o in self._operators])
        return batch.concatenate([self._size("range_dimension"), self._size("domain_dimension")])

    def _shape_tensor(self) -> Any:
        rows, columns = map(self._size_tensor, ("range_dimension_tensor", "domain_dimension_tensor"))
        return matrix_shape(batch_tensor_of(self._operators), rows, columns)

    def _each_in_turn(self, x: Any, method: str, rows: str, adjoint: bool) -> Any:
        """Applies a method of each factor to its own index of the rows of x.

        The present factor's index is the last but one dimension and all others are the last; what comes out moves to the
        end of those, so that after all factors the columns of x come first and the rows are in their order again.
        """
        columns = layout.shape(x)[-1]
        for operator in self._operators:
            size = getattr(operator, rows)()
            x = layout.reshape(x, _joined(layout.shape(x)[:-2], [size, -1]))
            x = linalg.matrix_transpose(getattr(operator, method)(x, adjoint=adjoint))
            x = layout.expand_dims(layout.reshape(x, _joined(layout.shape(x)[:-2], [-1])), -1)
        return linalg.matrix_transpose(layout.reshape(x, _joined(layout.shape(x)[:-2], [columns, -1])))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = adjoint_if(x, adjoint_arg)
        rows = "range_dimension_tensor" if adjoint else "domain_dimension_tensor"
        size = self.domain_dimension if adjoint else self.range_dimension
        return self._shaped(self._each_in_turn(x, "matmul", rows, adjoint), x, size)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = adjoint_if(rhs, adjoint_arg)
        rows = "domain_dimension_tensor" if adjoint else "range_dimension_tensor"
        size = self.range_dimension if adjoint else self.domain_dimension
        return self._shaped(self._each_in_turn(rhs, "solve", rows, adjoint), rhs, size)

    def _shaped(self, y: Any, x: Any, size: int | None) -> Any:
        """y with what is known of its static shape."""
        if dims_of(x) is not None and not y.shape.is_fully_defined():
            batch = joint_batch([self.batch_shape, x.shape[:-2]])
            y.set_shape(batch.concatenate([size, x.shape[-1]]))
        return y

    def _linop_adjoint(self) -> Any:
        return LinearOperatorKronecker([o.adjoint() for o in self._operators], **hints_of(self))

    def _linop_inverse(self) -> Any:
        return LinearOperatorKronecker([o.inverse() for o in self._operators], **hints_of(self))

    def _linop_cholesky(self) -> Any:
        return LinearOperatorKronecker(
            [o.cholesky() for o in self._operators],
            is_non_singular=True,
            is_self_adjoint=None,
            is_square=True,
        )

    def _assert_non_singular(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._assert_non_singular()
        return [o.assert_non_singular() for o in self._operators][-1]

    def _assert_self_adjoint(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._assert_self_adjoint()
        return [o.assert_self_adjoint() for o in self._operators][-1]

    def _powers(self) -> list[Any]:
        """For each factor the size of the others together."""
        whole = self.domain_dimension_tensor()
        return [cast(whole // o.domain_dimension_tensor(), self.dtype) for o in self._operators]

    def _determinant(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._determinant()
        parts = [o.determinant() ** p for o, p in zip(self._operators, self._powers(), strict=True)]
        found = parts[0]
        for part in parts[1:]:
            found = found * part
        return found

    def _log_abs_determinant(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._log_abs_determinant()
        parts = [
            cast(o.log_abs_determinant(), self.dtype) * p
            for o, p in zip(self._operators, self._powers(), strict=True)
        ]
        found = parts[0]
        for part in parts[1:]:
            found = found + part
        return found

    def _trace(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._trace()
        found = self._operators[0].trace()
        for operator in self._operators[1:]:
            found = found * operator.trace()
        return found

    def _diag_part(self) -> Any:
        if not all(o.is_square for o in self._operators):
            return super()._diag_part()
        return self._outer([o.diag_part() for o in self._operators])

    def _eigvals(self) -> Any:
        if not all(o.is_self_adjoint for o in self._operators):
            return super()._eigvals()
        return self._outer([o.eigvals() for o in self._operators])

    @staticmethod
    def _outer(vectors: list[Any]) -> Any:
        """All products of elements, one of each vector, the last vector's running fastest."""
        found = vectors[0]
        for vector in vectors[1:]:
            table = found[..., :, None] * vector[..., None, :]
            found = layout.reshape(table, _joined(layout.shape(table)[:-2], [-1]))
        return found

    def _to_dense(self) -> Any:
        found = self._operators[0].to_dense()
        for operator in self._operators[1:]:
            dense = operator.to_dense()
            table = found[..., :, None, :, None] * dense[..., None, :, None, :]
            shape = layout.shape(table)
            found = layout.reshape(table, _joined(shape[:-4], [shape[-4] * shape[-3], shape[-2] * shape[-1]]))
        return found

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("operators",)


def _joined(batch: Any, dims: list[Any]) -> Any:
    return joining.concat([batch, [cast(d, dtypes.int32) for d in dims]], 0)

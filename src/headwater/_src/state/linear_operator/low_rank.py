"""An operator plus a product of thin matrices."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, compatible, wrap
from headwater._src.core.convert import convert
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator.base import LinearOperator, kind
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    always,
    arguments,
    batch_of,
    batch_tensor,
    cholesky_solve,
    conj,
    dense_solve,
    dims_of,
    joint_batch,
    joint_batch_tensor,
    matrix_shape,
    need_rank,
    parameter,
    row,
)


@export("linalg.LinearOperatorLowRankUpdate")
class LinearOperatorLowRankUpdate(LinearOperator):
    """`L + U D V^H` with an operator L, matrices U and V of few columns and a diagonal D.

    Systems are solved by the Woodbury formula and determinants follow the matrix determinant lemma: both need those of L and
    of a small matrix, the capacitance `C = D^-1 + V^H L^-1 U`, only.

    Args:
      base_operator: L, of shape [..., m, n].
      u: tensor or variable [..., m, k].
      diag_update: tensor or variable [..., k], D's diagonal; ones by default.
      v: tensor or variable [..., n, k]; u by default.
      is_diag_update_positive: whether diag_update is positive.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: whether they are square.
      name: a name.

    Raises:
      ValueError: the shapes don't fit, or the hints contradict each other.
    """

    def __init__(
        self, base_operator: Any, u: Any, diag_update: Any = None, v: Any = None,
        is_diag_update_positive: bool | None = None, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        dtype = base_operator.dtype
        if diag_update is None:
            is_diag_update_positive = always(
                name,
                "is_diag_update_positive",
                is_diag_update_positive,
                True,
                "it is ones where it is not given",
            )
        left = parameter(u)
        right = left if v is None else parameter(v)
        diagonal = None if diag_update is None else parameter(diag_update)
        real_diagonal = diagonal is None or not diagonal.dtype.is_complex
        if v is None and real_diagonal and base_operator.is_self_adjoint:
            why = "L is self-adjoint, D is real, and V is U"
            is_self_adjoint = always(name, "is_self_adjoint", is_self_adjoint, True, why)
            if is_diag_update_positive and base_operator.is_positive_definite:
                why = "L is positive definite, D is positive, and V is U"
                is_positive_definite = always(name, "is_positive_definite", is_positive_definite, True, why)
                is_non_singular = always(name, "is_non_singular", is_non_singular, True, why)
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._base_operator = base_operator
        self._u, self._v, self._diag_update = left, right, diagonal
        self._is_diag_update_positive = is_diag_update_positive
        self._check_shapes()

    def _check_shapes(self) -> None:
        base = self._base_operator
        rows, columns = base.range_dimension, base.domain_dimension
        width = None
        for letter, value, size in (("u", self._u, rows), ("v", self._v, columns)):
            need_rank(self.name, letter, value, 2)
            dims = dims_of(value)
            if dims is None:
                continue
            if not compatible((dims[-2],), (size,)) or not compatible((dims[-1],), (width,)):
                raise ValueError(
                    f"{self.name}: {letter} of shape {wrap(dims)} does not fit a base operator of shape {base.shape} and rank {width}."
                )
            width = dims[-1] if width is None else width
        if self._diag_update is not None:
            need_rank(self.name, "diag_update", self._diag_update, 1)
            dims = dims_of(self._diag_update)
            if dims is not None and not compatible((dims[-1],), (width,)):
                raise ValueError(
                    f"{self.name}: diag_update must have an element for each of the {width} columns of u; got shape {wrap(dims)}."
                )

    @property
    def base_operator(self) -> Any:
        """L."""
        return self._base_operator

    @property
    def u(self) -> Any:
        """U as it was given."""
        return self._u

    @property
    def v(self) -> Any:
        """V as it was given, or U."""
        return self._v

    @property
    def diag_update(self) -> Any:
        """The diagonal of D as it was given, or None."""
        return self._diag_update

    @property
    def is_diag_update_positive(self) -> bool | None:
        """The hint whether D is positive."""
        return self._is_diag_update_positive

    @property
    def diag_operator(self) -> Any:
        """D as an operator."""
        if self._diag_update is not None:
            return kind("Diag")(self._diag_update, is_positive_definite=self._is_diag_update_positive)
        size = dims_of(self._u)
        columns = layout.shape(self._u)[-1] if size is None or size[-1] is None else size[-1]
        return kind("Identity")(columns, dtype=self.dtype)

    def _batches(self) -> list[Any]:
        found = [(self._u, 2), (self._v, 2)]
        return found if self._diag_update is None else [*found, (self._diag_update, 1)]

    def _shape(self) -> TensorShape:
        base = self._base_operator
        batch = joint_batch([base.batch_shape, *(batch_of(x, n) for x, n in self._batches())])
        return batch.concatenate([base.range_dimension, base.domain_dimension])

    def _shape_tensor(self) -> Any:
        base = self._base_operator
        batch = joint_batch_tensor(
            [base.batch_shape_tensor(), *(batch_tensor(x, n) for x, n in self._batches())]
        )
        return matrix_shape(batch, base.range_dimension_tensor(), base.domain_dimension_tensor())

    def _scaled_u(self) -> Any:
        u = convert(self._u)
        return u if self._diag_update is None else u * row(convert(self._diag_update))

    def _scaled_v(self) -> Any:
        """V times the conjugate of D."""
        v = convert(self._v)
        return v if self._diag_update is None else v * row(conj(convert(self._diag_update)))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = adjoint_if(x, adjoint_arg)
        direct = self._base_operator.matmul(x, adjoint=adjoint)
        if adjoint:
            return direct + linalg.matmul(self._scaled_v(), linalg.matmul(self._u, x, adjoint_a=True))
        return direct + linalg.matmul(self._scaled_u(), linalg.matmul(self._v, x, adjoint_a=True))

    def _use_cholesky(self) -> bool:
        """Whether the capacitance is positive definite."""
        return bool(
            self._base_operator._can_use_cholesky() and self._is_diag_update_positive and self._v is self._u
        )

    def _capacitance(self) -> Any:
        inner = linalg.matmul(self._v, self._base_operator.solve(convert(self._u)), adjoint_a=True)
        return self.diag_operator.inverse().add_to_tensor(inner)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        base, u, v = self._base_operator, self._u, self._v
        if adjoint:
            u, v = v, u
        direct = base.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        small = linalg.matmul(v, direct, adjoint_a=True)
        if self._use_cholesky():
            middle = cholesky_solve(decompose.cholesky(self._capacitance()), small)
        else:
            middle = dense_solve(self._capacitance(), small, adjoint=adjoint)
        return direct - base.solve(linalg.matmul(u, middle), adjoint=adjoint)

    def _determinant(self) -> Any:
        if self._can_use_cholesky():
            return math.exp(self.log_abs_determinant())
        return (
            linalg.det(self._capacitance())
            * self.diag_operator.determinant()
            * self._base_operator.determinant()
        )

    def _log_abs_determinant(self) -> Any:
        capacitance = self._capacitance()
        if self._use_cholesky():
            diagonal = linalg.diag_part(decompose.cholesky(capacitance))
            small = 2 * reduce.reduce_sum(math.log(diagonal), -1)
        else:
            small = math.log(math.abs_(linalg.det(capacitance)))
        parts = small, self.diag_operator.log_abs_determinant(), self._base_operator.log_abs_determinant()
        one, two, three = (cast(p, self.dtype) for p in parts)
        return one + two + three

    def _diag_part(self) -> Any:
        diagonal = self._base_operator.diag_part()
        known = self.shape[-2:] if self.shape.rank is not None else wrap((None, None))
        size = min(known) if known.is_fully_defined() else layout.shape(diagonal)[-1]
        u, v = self._scaled_u()[..., :size, :], convert(self._v)[..., :size, :]
        return diagonal + reduce.reduce_sum(u * conj(v), -1)

    def _to_dense(self) -> Any:
        return self._base_operator.to_dense() + linalg.matmul(self._scaled_u(), self._v, adjoint_b=True)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("base_operator", "u", "diag_update", "v")

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"u": 2, "diag_update": 1, "v": 2}

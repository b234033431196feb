"""Operators that are stored as matrices: any, lower triangular, and tridiagonal ones."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.checks as checks
import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.linalg_more as more
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, broadcast_all, wrap
from headwater._src.core.convert import convert
from headwater._src.state.linear_operator.base import LinearOperator, kind
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    always,
    arguments,
    batch_tensor,
    broadcast_batches,
    conj,
    dims_of,
    joint_batch_tensor,
    matrix_shape,
    need_floating,
    need_rank,
    parameter,
    product_hints,
)


@export("linalg.LinearOperatorFullMatrix")
class LinearOperatorFullMatrix(LinearOperator):
    """An operator that is stored as its dense matrices.

    Args:
      matrix: tensor or variable [..., m, n] of floats or complex numbers.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: whether they are square.
      name: a name.

    Raises:
      ValueError: the rank is below 2, or the hints contradict each other.
      TypeError: another dtype.
    """

    def __init__(
        self, matrix: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str = "LinearOperatorFullMatrix",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        value = parameter(matrix)
        need_floating(name, "matrix", value)
        need_rank(name, "matrix", value, 2)
        super().__init__(
            value.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            parameters,
        )
        self._matrix = value

    @property
    def matrix(self) -> Any:
        """The matrices as they were given."""
        return self._matrix

    def _shape(self) -> TensorShape:
        return wrap(dims_of(self._matrix))

    def _shape_tensor(self) -> Any:
        return layout.shape(self._matrix)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return linalg.matmul(self._matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _to_dense(self) -> Any:
        return convert(self._matrix)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("matrix",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"matrix": 2}


@export("linalg.LinearOperatorLowerTriangular")
class LinearOperatorLowerTriangular(LinearOperator):
    """A square operator of lower triangular matrices, with which systems are solved by substitution.

    Args:
      tril: tensor or variable [..., n, n]; what is above the diagonal is not read.
      is_non_singular: whether no diagonal has a zero.
      is_self_adjoint: whether the matrices equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: the rank is below 2, `is_square` is False, or the hints contradict each other.
    """

    def __init__(
        self, tril: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        is_square = always(name, "is_square", is_square, True, "triangular operators are square")
        value = parameter(tril)
        need_rank(name, "tril", value, 2)
        super().__init__(
            value.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            parameters,
        )
        self._tril = value

    @property
    def tril(self) -> Any:
        """The matrices as they were given."""
        return self._tril

    def _lower(self) -> Any:
        return linalg.band_part(self._tril, -1, 0)

    def _diagonal(self) -> Any:
        return linalg.diag_part(convert(self._tril))

    def _shape(self) -> TensorShape:
        return wrap(dims_of(self._tril))

    def _shape_tensor(self) -> Any:
        return layout.shape(self._tril)

    def _assert_non_singular(self) -> Any:
        return checks.assert_none_equal(
            self._diagonal(),
            create.zeros([], self.dtype),
            message=f"{self.name} is singular: its diagonal has a zero.",
        )

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return linalg.matmul(self._lower(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _linop_matmul(self, right: Any) -> Any:
        if isinstance(right, kind("Diag")):
            return self._scaled(self._lower() * right.diag[..., None, :], self, right)
        return super()._linop_matmul(right)

    def _scaled(self, tril: Any, left: Any, right: Any) -> Any:
        return LinearOperatorLowerTriangular(tril, **product_hints(left, right, commute=False))

    def _determinant(self) -> Any:
        return reduce.reduce_prod(self._diagonal(), -1)

    def _log_abs_determinant(self) -> Any:
        return reduce.reduce_sum(math.log(math.abs_(self._diagonal())), -1)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return decompose.triangular_solve(
            convert(self._tril), adjoint_if(rhs, adjoint_arg), lower=True, adjoint=adjoint
        )

    def _to_dense(self) -> Any:
        return self._lower()

    def _eigvals(self) -> Any:
        return self._diagonal()

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("tril",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"tril": 2}


@export("linalg.LinearOperatorTridiag")
class LinearOperatorTridiag(LinearOperator):
    """A square operator with three diagonals.

    Args:
      diagonals: with "compact" a tensor [..., 3, n]: superdiagonal (its last element is not read), diagonal, subdiagonal (its
        first is not read). With "sequence" three tensors [..., n] of the same, with "matrix" the matrices [..., n, n].
      diagonals_format: "compact", "sequence" or "matrix".
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: another format, the rank is too low, or the hints contradict each other.
    """

    def __init__(
        self, diagonals: Any, diagonals_format: str = "compact", is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorTridiag",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        if diagonals_format not in ("compact", "matrix", "sequence"):
            raise ValueError(
                f"{name}: diagonals_format must be 'compact', 'matrix' or 'sequence'; got {diagonals_format!r}."
            )
        is_square = always(name, "is_square", is_square, True, "tridiagonal operators are square")
        if diagonals_format == "sequence":
            value: Any = [parameter(d) for d in diagonals]
            for diagonal in value:
                need_rank(name, "each of diagonals", diagonal, 1)
            dtype = value[0].dtype
        else:
            value = parameter(diagonals)
            need_rank(name, "diagonals", value, 2)
            dtype = value.dtype
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._diagonals = value
        self._diagonals_format = diagonals_format

    @property
    def diagonals(self) -> Any:
        """The diagonals as they were given."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        """How they were given."""
        return self._diagonals_format

    def _three(self) -> tuple[Any, Any, Any]:
        """Superdiagonal, diagonal and subdiagonal, all of length n with the unread elements zero."""
        if self._diagonals_format == "matrix":
            matrix = convert(self._diagonals)
            above, below = (linalg.diag_part(matrix, k=k) for k in (1, -1))
        else:
            above, main, below = _rows(self._compact())
            return self._filled(above[..., :-1], main, below[..., 1:])
        return self._filled(above, linalg.diag_part(matrix), below)

    def _compact(self) -> Any:
        """The diagonals as the rows of one tensor; InvalidArgumentError if they differ in shape."""
        return (
            joining.stack(list(self._diagonals), -2)
            if self._diagonals_format == "sequence"
            else self._diagonals
        )

    def _filled(self, above: Any, main: Any, below: Any) -> tuple[Any, Any, Any]:
        zero = create.zeros_like(main[..., :1])
        return joining.concat([above, zero], -1), main, joining.concat([zero, below], -1)

    def _turned(self) -> tuple[Any, Any, Any]:
        """The same of the conjugate transpose."""
        above, main, below = self._three()
        zero = create.zeros_like(main[..., :1])
        return (
            conj(joining.concat([below[..., 1:], zero], -1)),
            conj(main),
            conj(joining.concat([zero, above[..., :-1]], -1)),
        )

    def _shape(self) -> TensorShape:
        if self._diagonals_format == "matrix":
            return wrap(dims_of(self._diagonals))
        if self._diagonals_format == "compact":
            dims = dims_of(self._diagonals)
            return wrap(None if dims is None else (*dims[:-2], dims[-1], dims[-1]))
        dims = broadcast_all([dims_of(d) for d in self._diagonals])
        return wrap(None if dims is None else (*dims, dims[-1]))

    def _shape_tensor(self) -> Any:
        if self._diagonals_format == "matrix":
            return layout.shape(self._diagonals)
        if self._diagonals_format == "compact":
            whole = layout.shape(self._diagonals)
            return matrix_shape(whole[:-2], whole[-1], whole[-1])
        size = layout.shape(self._diagonals[1])[-1]
        return matrix_shape(joint_batch_tensor([batch_tensor(d, 1) for d in self._diagonals]), size, size)

    def _assert_self_adjoint(self) -> Any:
        above, main, below = self._three()
        turned = self._turned()
        return checks.assert_equal(
            joining.stack([above, main, below], -2),
            joining.stack(list(turned), -2),
            message=f"{self.name} is not self-adjoint: its superdiagonal is not the conjugate of its subdiagonal.",
        )

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        diagonals = self._turned() if adjoint else self._three()
        return more.tridiagonal_matmul(
            list(diagonals), adjoint_if(x, adjoint_arg), diagonals_format="sequence"
        )

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        above, main, below = self._turned() if adjoint else self._three()
        rhs = adjoint_if(rhs, adjoint_arg)
        wide, rhs = broadcast_batches(joining.stack([above, main, below], -2), rhs)
        return more.tridiagonal_solve(_rows(wide), rhs, diagonals_format="sequence")

    def _diag_part(self) -> Any:
        return self._three()[1]

    def _to_dense(self) -> Any:
        above, main, below = self._three()
        dense = linalg.diag(main)
        return dense + linalg.diag(above[..., :-1], k=1) + linalg.diag(below[..., 1:], k=-1)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("diagonals",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"diagonals": 1 if self._diagonals_format == "sequence" else 2}


def _rows(compact: Any) -> list[Any]:
    """The three rows of diagonals in compact form."""
    tensor = convert(compact)
    return [tensor[..., i, :] for i in range(3)]

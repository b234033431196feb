"""Operators of one vector: permutations, reflections, and matrices with constant diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.checks as checks
import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.host as host
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.signal as signal
import headwater._src.ops.sort as sort
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, broadcast, wrap
from headwater._src.core.convert import convert
from headwater._src.ops.cast import cast
from headwater._src.ops.shape import reverse
from headwater._src.state.linear_operator.base import LinearOperator
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    always,
    arguments,
    batch_tensor,
    broadcast_batches,
    column,
    conj,
    dims_of,
    joint_batch_tensor,
    matrix_shape,
    need_rank,
    parameter,
    zeros_of,
)


@export("linalg.LinearOperatorPermutation")
class LinearOperatorPermutation(LinearOperator):
    """A square operator that permutes: row i of the product is row `perm[i]` of the argument.

    Args:
      perm: tensor [..., n] of integers, each of 0 to n - 1 once.
      dtype: of the matrices.
      is_non_singular: True or None.
      is_self_adjoint: whether each permutation is its own inverse.
      is_positive_definite: whether it leaves all in place.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: perm is a scalar or no permutation, or a hint is False that is True for all permutations.
      TypeError: perm is not of integers.
    """

    def __init__(
        self, perm: Any, dtype: Any = dtypes.float32, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorPermutation",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        always(name, "is_non_singular", is_non_singular, True, "permutations are regular")
        is_square = always(name, "is_square", is_square, True, "permutations are square")
        value = parameter(perm)
        if not value.dtype.is_integer:
            raise TypeError(f"{name}: perm must be of integers; got {value.dtype.name}.")
        need_rank(name, "perm", value, 1)
        known = layout.get_static_value(value)
        if known is not None and (np.sort(known, -1) != np.arange(known.shape[-1])).any():
            raise ValueError(
                f"{name}: perm must have each of 0 to {known.shape[-1] - 1} once; got {known.tolist()}."
            )
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._perm = value

    @property
    def perm(self) -> Any:
        """The permutations as they were given."""
        return self._perm

    def _shape(self) -> TensorShape:
        dims = dims_of(self._perm)
        return wrap(None if dims is None else (*dims, dims[-1]))

    def _shape_tensor(self) -> Any:
        dims = layout.shape(self._perm)
        return joining.concat([dims, dims[-1:]], 0)

    def _assert_non_singular(self) -> Any:
        return host.nothing_to_do()

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = adjoint_if(x, adjoint_arg)
        perm = sort.argsort(self._perm, axis=-1) if adjoint else convert(self._perm)
        if len(dims_of(perm) or (1, 1)) == 1:
            return gather.gather(x, perm, axis=-2)
        wide, x = broadcast_batches(column(perm), x)
        batch = len(dims_of(x)) - 2  # type: ignore[arg-type]
        return gather.gather(x, wide[..., 0], axis=batch, batch_dims=batch)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _log_abs_determinant(self) -> Any:
        return zeros_of(self.batch_shape_tensor(), self.dtype)

    def _to_dense(self) -> Any:
        size = layout.shape(self._perm)[-1]
        places = cast(create.range(size), self._perm.dtype)
        return cast(compare.equal(column(convert(self._perm)), places), self.dtype)

    def _diag_part(self) -> Any:
        places = cast(create.range(layout.shape(self._perm)[-1]), self._perm.dtype)
        return cast(compare.equal(convert(self._perm), places), self.dtype)

    def _cond(self) -> Any:
        return create.ones(self.batch_shape_tensor(), self.dtype)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("perm",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"perm": 1}


@export("linalg.LinearOperatorHouseholder")
class LinearOperatorHouseholder(LinearOperator):
    """A square operator that reflects at the plane through 0 that is orthogonal to a vector v: `I - 2 v v^H / |v|^2`.

    Args:
      reflection_axis: tensor or variable [..., n], the vectors, of any length but 0.
      is_non_singular: True or None.
      is_self_adjoint: True or None.
      is_positive_definite: False or None.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: reflection_axis is a scalar, or a hint is not that of all reflections.
    """

    def __init__(
        self, reflection_axis: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorHouseholder",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        value = parameter(reflection_axis)
        need_rank(name, "reflection_axis", value, 1)
        is_self_adjoint = always(name, "is_self_adjoint", is_self_adjoint, True, "reflections are")
        is_positive_definite = always(
            name, "is_positive_definite", is_positive_definite, False, "reflections are not"
        )
        is_square = always(name, "is_square", is_square, True, "reflections are")
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
        self._reflection_axis = value

    @property
    def reflection_axis(self) -> Any:
        """The vectors as they were given."""
        return self._reflection_axis

    def _unit_axis(self) -> Any:
        axis = convert(self._reflection_axis)
        length = math.sqrt(reduce.reduce_sum(conj(axis) * axis, -1, keepdims=True))
        return axis / length

    def _shape(self) -> TensorShape:
        dims = dims_of(self._reflection_axis)
        return wrap(None if dims is None else (*dims, dims[-1]))

    def _shape_tensor(self) -> Any:
        dims = layout.shape(self._reflection_axis)
        return joining.concat([dims, dims[-1:]], 0)

    def _assert_non_singular(self) -> Any:
        return host.nothing_to_do()

    def _assert_positive_definite(self) -> Any:
        raise invalid(f"{self.name} is not positive definite: it reflects, so -1 is an eigenvalue.")

    _assert_self_adjoint = _assert_non_singular

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        axis = column(self._unit_axis())
        x = adjoint_if(x, adjoint_arg)
        return x - 2 * axis * linalg.matmul(axis, x, adjoint_a=True)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _linop_inverse(self) -> Any:
        return self

    def _ones(self) -> Any:
        return create.ones(self.batch_shape_tensor(), self.dtype)

    def _determinant(self) -> Any:
        return -self._ones()

    def _log_abs_determinant(self) -> Any:
        return zeros_of(self.batch_shape_tensor(), self.dtype)

    _cond = _ones

    def _trace(self) -> Any:
        return cast(self.domain_dimension_tensor() - 2, self.dtype) * self._ones()

    def _diag_part(self) -> Any:
        axis = self._unit_axis()
        return 1 - 2 * axis * conj(axis)

    def _eigvals(self) -> Any:
        rest = create.ones_like(convert(self._reflection_axis)[..., 1:])
        return joining.concat([-column(self._ones()), rest], -1)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("reflection_axis",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"reflection_axis": 1}


@export("linalg.LinearOperatorToeplitz")
class LinearOperatorToeplitz(LinearOperator):
    """A square operator whose diagonals are constant. Products go by the Fourier transform of twice the size.

    Args:
      col: tensor or variable [..., n], the first column.
      row: tensor or variable [..., n], the first row; its first element is not read.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: a scalar, vectors of different lengths, or hints that contradict each other.
    """

    def __init__(
        self, col: Any, row: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str = "LinearOperatorToeplitz",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        first_row, first_col = parameter(row), parameter(col)
        need_rank(name, "row", first_row, 1)
        need_rank(name, "col", first_col, 1)
        sizes = [d[-1] for d in map(dims_of, (first_row, first_col)) if d is not None]
        if None not in sizes and len(set(sizes)) > 1:
            raise ValueError(f"{name}: row and col must have one length; got {sizes[0]} and {sizes[1]}.")
        is_square = always(name, "is_square", is_square, True, "Toeplitz operators are square")
        super().__init__(
            first_row.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            parameters,
        )
        self._row = first_row
        self._col = first_col

    @property
    def col(self) -> Any:
        """The first columns as they were given."""
        return self._col

    @property
    def row(self) -> Any:
        """The first rows as they were given."""
        return self._row

    def _shape(self) -> TensorShape:
        dims = broadcast(dims_of(self._row), dims_of(self._col))
        return wrap(None if dims is None else (*dims, dims[-1]))

    def _shape_tensor(self) -> Any:
        size = layout.shape(self._row)[-1]
        return matrix_shape(
            joint_batch_tensor([batch_tensor(self._row, 1), batch_tensor(self._col, 1)]), size, size
        )

    def _assert_self_adjoint(self) -> Any:
        return checks.assert_equal(
            convert(self._row),
            conj(convert(self._col)),
            message=f"{self.name} is not self-adjoint: row and col differ.",
        )

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        col, row = broadcast_batches(self._col, self._row, ndims=1)
        if adjoint:
            first = col[..., :1]
            col, row = conj(joining.concat([first, row[..., 1:]], -1)), conj(col)
        # A circulant matrix of size 2 n - 1 has the Toeplitz matrix in its corner.
        ring = _complex(joining.concat([col, reverse(row[..., 1:], [-1])], -1))
        turned = linalg.matrix_transpose(adjoint_if(x, adjoint_arg))
        padded = joining.concat([turned, create.zeros_like(turned[..., 1:])], -1)
        product = signal.ifft(signal.fft(ring)[..., None, :] * signal.fft(_complex(padded)))
        size = layout.shape(x)[-1 if adjoint_arg else -2]
        return cast(linalg.matrix_transpose(product[..., :size]), self.dtype)

    def _to_dense(self) -> Any:
        col, row = broadcast_batches(self._col, self._row, ndims=1)
        line = joining.concat([reverse(row[..., 1:], [-1]), col], -1)
        places = create.range(layout.shape(col)[-1])
        return gather.gather(line, places[:, None] + reverse(places, [0])[None, :], axis=-1)

    def _diag_part(self) -> Any:
        shape = self.shape
        first = self._wide(convert(self._col)[..., :1], 1)
        if shape.is_fully_defined():
            return layout.broadcast_to(first, shape[:-1])
        return layout.broadcast_to(first, self.shape_tensor()[:-1])

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("col", "row")

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"col": 1, "row": 1}


def _complex(x: Any) -> Any:
    """Numbers as complex ones of the same precision."""
    return (
        x
        if x.dtype.is_complex
        else cast(x, dtypes.complex128 if x.dtype == dtypes.float64 else dtypes.complex64)
    )

"""Operators that act on each element alone: zero, unit matrices, multiples of them, diagonal matrices."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.checks as checks
import headwater._src.ops.create as create
import headwater._src.ops.host as host
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.core.convert import convert
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator.base import LinearOperator, kind
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    always,
    arguments,
    batch_tensor,
    column,
    conj,
    conj_if,
    dims_of,
    imag,
    matrix_shape,
    need_rank,
    parameter,
    product_hints,
    real,
    zeros_of,
)

# -- sizes that are arguments -----------------------------------------------------------------------------------------


def _integers(what: str, name: str, value: Any, rank: int) -> Any:
    """An argument that decides shapes, as a tensor, and its value if it is known."""
    tensor = convert(value)
    if not tensor.dtype.is_integer:
        raise TypeError(f"{what}: {name} must be of integers; got {tensor.dtype.name}.")
    dims = dims_of(tensor)
    if dims is not None and len(dims) != rank:
        raise ValueError(f"{what}: {name} must have rank {rank}; got shape {wrap(dims)}.")
    known = layout.get_static_value(tensor)
    if known is not None and (known < 0).any():
        raise ValueError(f"{what}: {name} must not be negative; got {known.tolist()}.")
    return tensor, known


class SizedOperator(LinearOperator):
    """Base of the operators whose shape is an argument: it may be a tensor whose value is not known yet."""

    _num_rows: Any
    _rows: int | None
    _row_tensor: Any

    def _take_rows(self, num_rows: Any, name: str) -> None:
        tensor, known = _integers(name, "num_rows", num_rows, 0)
        self._num_rows = num_rows
        self._row_tensor = self._no_dependency(tensor)
        self._rows = None if known is None else int(known)

    def _take_batch(self, batch_shape: Any, name: str) -> None:
        self._batch_shape = self._no_dependency(batch_shape)
        self._batch_tensor = self._batch_dims = None
        if batch_shape is not None:
            if isinstance(batch_shape, TensorShape):
                batch_shape = batch_shape.as_list()
            empty = isinstance(batch_shape, (list, tuple)) and not batch_shape
            given = convert(batch_shape, dtypes.int32) if empty else batch_shape
            tensor, known = _integers(name, "batch_shape", given, 1)
            self._batch_tensor = tensor
            if known is not None:
                self._batch_dims = self._no_dependency(tuple(int(d) for d in known))

    def _static_batch(self) -> Any:
        if self._batch_tensor is None:
            return ()
        if self._batch_dims is not None:
            return tuple(self._batch_dims)
        dims = dims_of(self._batch_tensor)
        return None if dims is None or dims[0] is None else (None,) * dims[0]

    def _batch_vector(self) -> Any:
        """The batch shape as a tensor."""
        if self._batch_tensor is None:
            return create.zeros([0], dtypes.int32)
        return cast(self._batch_tensor, dtypes.int32)

    def _rows_scalar(self) -> Any:
        return cast(self._row_tensor, dtypes.int32)

    def _with(self, components: dict[str, Any]) -> Any:
        made = super()._with(components)
        if "num_rows" in components:
            made._row_tensor = components["num_rows"]
        if "batch_shape" in components:
            made._batch_tensor = components["batch_shape"]
        return made

    def _ones(self) -> Any:
        """Ones in the shape of the diagonals."""
        batch = self.batch_shape
        if batch.is_fully_defined() and self.domain_dimension is not None:
            return create.ones([*batch, self.domain_dimension], self.dtype)
        shape = joining.concat([self.batch_shape_tensor(), [self.domain_dimension_tensor()]], 0)
        return create.ones(shape, self.dtype)


@export("linalg.LinearOperatorIdentity")
class LinearOperatorIdentity(SizedOperator):
    """A batch of unit matrices.

    Args:
      num_rows: the number of rows and columns; an integer or an integer tensor.
      batch_shape: a vector of integers; none by default.
      dtype: float32 by default.
      is_non_singular: True.
      is_self_adjoint: True.
      is_positive_definite: True.
      is_square: True.
      assert_proper_shapes: whether sizes that are only known when the program runs are checked then.
      name: a name.

    Raises:
      ValueError: a size is negative or of another rank, or a hint is not True.
      TypeError: a size is no integer.
    """

    def __init__(
        self, num_rows: Any, batch_shape: Any = None, dtype: Any = None, is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True, is_positive_definite: bool | None = True, is_square: bool | None = True,
        assert_proper_shapes: bool = False, name: str = "LinearOperatorIdentity",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        why = "unit matrices are self-adjoint, regular and positive definite"
        for hint in ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square"):
            if not parameters[hint]:
                always(name, hint, False, True, why)
        super().__init__(
            dtype or dtypes.float32, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            parameters,
        )  # fmt: skip
        self._take_rows(num_rows, name)
        self._take_batch(batch_shape, name)
        self._assert_proper_shapes = assert_proper_shapes

    def _shape(self) -> TensorShape:
        batch = self._static_batch()
        return wrap(None if batch is None else (*batch, self._rows, self._rows))

    def _shape_tensor(self) -> Any:
        return matrix_shape(self._batch_vector(), self._rows_scalar(), self._rows_scalar())

    def _assert_non_singular(self) -> Any:
        return host.nothing_to_do()

    _assert_positive_definite = _assert_self_adjoint = _assert_non_singular

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._wide(adjoint_if(x, adjoint_arg), 2)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self._wide(x, 1)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._matvec(rhs, adjoint)

    def _linop_matmul(self, right: Any) -> Any:
        return right

    def _linop_solve(self, right: Any) -> Any:
        return right

    def _linop_inverse(self) -> Any:
        return self

    def _linop_cholesky(self) -> Any:
        return self

    def _determinant(self) -> Any:
        return self._ones()[..., 0] if self._rows else create.ones(self.batch_shape_tensor(), self.dtype)

    def _log_abs_determinant(self) -> Any:
        return zeros_of(self.batch_shape_tensor(), self.dtype)

    def _diag_part(self) -> Any:
        return self._ones()

    _eigvals = _diag_part

    def _cond(self) -> Any:
        return create.ones(self.batch_shape_tensor(), self.dtype)

    def _trace(self) -> Any:
        return cast(self.domain_dimension_tensor(), self.dtype) * create.ones(
            self.batch_shape_tensor(), self.dtype
        )

    def _to_dense(self) -> Any:
        return linalg.diag(self._ones())

    def _add_to_tensor(self, x: Any) -> Any:
        return _added(x, self._ones())

    @property
    def _composite_tensor_prefer_static_fields(self) -> Any:
        return ("num_rows", "batch_shape")


@export("linalg.LinearOperatorScaledIdentity")
class LinearOperatorScaledIdentity(SizedOperator):
    """Multiples of a unit matrix.

    Args:
      num_rows: the number of rows and columns; an integer or an integer tensor.
      multiplier: tensor or variable; its shape is that of the batch.
      is_non_singular: whether no multiplier is zero.
      is_self_adjoint: whether they are real.
      is_positive_definite: whether they are positive.
      is_square: True or None.
      assert_proper_shapes: whether a size that is only known when the program runs is checked then.
      name: a name.

    Raises:
      ValueError: the size is negative or no scalar, `is_square` is False, or the hints contradict each other.
      TypeError: the size is no integer.
    """

    def __init__(
        self, num_rows: Any, multiplier: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = True, assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        value = parameter(multiplier)
        if not value.dtype.is_complex:
            is_self_adjoint = True if is_self_adjoint is None else is_self_adjoint
        is_square = always(name, "is_square", is_square, True, "multiples of unit matrices are square")
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
        self._take_rows(num_rows, name)
        self._multiplier = value
        self._assert_proper_shapes = assert_proper_shapes

    @property
    def multiplier(self) -> Any:
        """The multipliers as they were given."""
        return self._multiplier

    def _shape(self) -> TensorShape:
        batch = dims_of(self._multiplier)
        return wrap(None if batch is None else (*batch, self._rows, self._rows))

    def _shape_tensor(self) -> Any:
        return matrix_shape(layout.shape(self._multiplier), self._rows_scalar(), self._rows_scalar())

    def _assert_non_singular(self) -> Any:
        return checks.assert_positive(
            math.abs_(self._multiplier), message=f"{self.name} is singular: a multiplier is zero."
        )

    def _assert_positive_definite(self) -> Any:
        return checks.assert_positive(
            real(convert(self._multiplier)),
            message=f"{self.name} is not positive definite: a multiplier is not positive.",
        )

    def _assert_self_adjoint(self) -> Any:
        part = imag(convert(self._multiplier))
        return checks.assert_equal(
            create.zeros_like(part),
            part,
            message=f"{self.name} is not self-adjoint: a multiplier is not real.",
        )

    def _factor(self, adjoint: bool, ndims: int) -> Any:
        """The multipliers, with room for the dimensions of what they multiply."""
        return conj_if(convert(self._multiplier), adjoint)[(..., *(None,) * ndims)]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return adjoint_if(x, adjoint_arg) * self._factor(adjoint, 2)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return x * self._factor(adjoint, 1)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return adjoint_if(rhs, adjoint_arg) / self._factor(adjoint, 2)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return rhs / self._factor(adjoint, 1)

    def _linop_matmul(self, right: Any) -> Any:
        if isinstance(right, LinearOperatorScaledIdentity):
            return LinearOperatorScaledIdentity(
                self._num_rows,
                convert(self._multiplier) * right.multiplier,
                **product_hints(self, right, commute=True),
            )
        if isinstance(right, LinearOperatorDiag):
            return LinearOperatorDiag(
                self._factor(False, 1) * right.diag, **product_hints(self, right, commute=True)
            )
        return super()._linop_matmul(right)

    def _linop_solve(self, right: Any) -> Any:
        if isinstance(right, LinearOperatorScaledIdentity):
            return LinearOperatorScaledIdentity(
                self._num_rows,
                right.multiplier / convert(self._multiplier),
                **product_hints(self, right, commute=True),
            )
        if isinstance(right, LinearOperatorDiag):
            return LinearOperatorDiag(
                right.diag / self._factor(False, 1), **product_hints(self, right, commute=True)
            )
        if isinstance(right, LinearOperatorIdentity):
            return self.inverse()
        return super()._linop_solve(right)

    def _made(self, multiplier: Any) -> Any:
        return LinearOperatorScaledIdentity(
            self._num_rows, multiplier, is_non_singular=self.is_non_singular, is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite, is_square=True,
        )  # fmt: skip

    def _linop_adjoint(self) -> Any:
        return self._made(conj(convert(self._multiplier)))

    def _linop_inverse(self) -> Any:
        return self._made(1.0 / convert(self._multiplier))

    def _linop_cholesky(self) -> Any:
        return LinearOperatorScaledIdentity(
            self._num_rows, math.sqrt(self._multiplier), is_non_singular=True, is_self_adjoint=True,
            is_positive_definite=True, is_square=True,
        )  # fmt: skip

    def _determinant(self) -> Any:
        return convert(self._multiplier) ** cast(self._rows_scalar(), self.dtype)

    def _log_abs_determinant(self) -> Any:
        size = math.abs_(self._multiplier)
        return cast(self._rows_scalar(), size.dtype) * math.log(size)

    def _diag_part(self) -> Any:
        return self._factor(False, 1) * create.ones(layout.reshape(self._rows_scalar(), [1]), self.dtype)

    _eigvals = _diag_part

    def _cond(self) -> Any:
        known = create.ones_like(self._multiplier)
        return cast(known, self.dtype)

    def _trace(self) -> Any:
        return convert(self._multiplier) * cast(self._rows_scalar(), self.dtype)

    def _to_dense(self) -> Any:
        return linalg.diag(self._diag_part())

    def _add_to_tensor(self, x: Any) -> Any:
        return _added(x, self._diag_part())

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("multiplier",)

    @property
    def _composite_tensor_prefer_static_fields(self) -> Any:
        return ("num_rows",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"multiplier": 0}


@export("linalg.LinearOperatorZeros")
class LinearOperatorZeros(SizedOperator):
    """A batch of matrices of zeros.

    Args:
      num_rows: the number of rows; an integer or an integer tensor.
      num_columns: the number of columns; `num_rows` by default.
      batch_shape: a vector of integers; none by default.
      dtype: float32 by default.
      is_non_singular: False or None.
      is_self_adjoint: True, or anything for matrices that are not square.
      is_positive_definite: False or None.
      is_square: whether there are as many columns as rows.
      assert_proper_shapes: whether sizes that are only known when the program runs are checked then.
      name: a name.

    Raises:
      ValueError: a size is negative or of another rank, or the hints contradict the sizes or each other.
      TypeError: a size is no integer.
    """

    def __init__(
        self, num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None,
        is_non_singular: bool | None = False, is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False, is_square: bool | None = True, assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        if is_self_adjoint is False and is_square:
            always(name, "is_self_adjoint", False, True, "square matrices of zeros are self-adjoint")
        if is_non_singular:
            always(name, "is_non_singular", True, False, "matrices of zeros are singular")
        if is_positive_definite:
            always(name, "is_positive_definite", True, False, "matrices of zeros are not positive definite")
        super().__init__(
            dtype or dtypes.float32, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name,
            parameters,
        )  # fmt: skip
        columns = num_rows if num_columns is None else num_columns
        self._take_rows(num_rows, name)
        tensor, known = _integers(name, "num_columns", columns, 0)
        self._num_columns = columns
        self._column_tensor = self._no_dependency(tensor)
        self._columns = None if known is None else int(known)
        self._take_batch(batch_shape, name)
        self._assert_proper_shapes = assert_proper_shapes
        if is_square and None not in (self._rows, self._columns) and self._rows != self._columns:
            raise ValueError(
                f"{name}: is_square=True, but num_rows={self._rows} and num_columns={self._columns}."
            )

    def _with(self, components: dict[str, Any]) -> Any:
        made = super()._with(components)
        if "num_columns" in components:
            made._column_tensor = components["num_columns"]
        return made

    def _columns_scalar(self) -> Any:
        return cast(self._column_tensor, dtypes.int32)

    def _shape(self) -> TensorShape:
        batch = self._static_batch()
        return wrap(None if batch is None else (*batch, self._rows, self._columns))

    def _shape_tensor(self) -> Any:
        return matrix_shape(self._batch_vector(), self._rows_scalar(), self._columns_scalar())

    def _assert_non_singular(self) -> Any:
        raise invalid(f"{self.name} is singular: all of it is zero.")

    def _assert_positive_definite(self) -> Any:
        raise invalid(f"{self.name} is not positive definite: all of it is zero.")

    def _assert_self_adjoint(self) -> Any:
        return host.nothing_to_do()

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = adjoint_if(x, adjoint_arg)
        rows = self._columns_scalar() if adjoint else self._rows_scalar()
        if x.shape.is_fully_defined() and self.shape.is_fully_defined():
            rows = self._columns if adjoint else self._rows
            return self._wide(create.zeros([*x.shape[:-2], rows, x.shape[-1]], self.dtype), 2)
        size = matrix_shape(batch_tensor(x, 2), rows, layout.shape(x)[-1])
        return self._wide(zeros_of(size, self.dtype), 2)

    def _linop_matmul(self, right: Any) -> Any:
        return self._as_product(self, right)

    def _as_product(self, left: Any, right: Any) -> Any:
        """This operator as the product of two, one of which it is; ValueError if they are not square."""
        if not (left.is_square and right.is_square):
            raise ValueError(
                f"{left.name} @ {right.name}: a product with zeros is made of square operators only; use to_dense()."
            )
        return self

    def _determinant(self) -> Any:
        return zeros_of(self.batch_shape_tensor(), self.dtype)

    _trace = _determinant

    def _log_abs_determinant(self) -> Any:
        return math.log(self._determinant())

    def _diag_part(self) -> Any:
        return self._zeros_like_diagonal()

    _eigvals = _diag_part

    def _to_dense(self) -> Any:
        return zeros_of(self.shape_tensor(), self.dtype)

    def _add_to_tensor(self, x: Any) -> Any:
        return self._wide(x, 2)

    @property
    def _composite_tensor_prefer_static_fields(self) -> Any:
        return ("num_rows", "num_columns", "batch_shape")


# -- diagonal matrices ------------------------------------------------------------------------------------------------


def _added(matrix: Any, diagonal: Any) -> Any:
    """The matrices with something added to their main diagonals."""
    dims = dims_of(matrix)
    if dims is not None and len(dims) < 2:
        linalg.diag_part(matrix)  # which says that it takes matrices
    return matrix + linalg.diag(diagonal)


@export("linalg.LinearOperatorDiag")
class LinearOperatorDiag(LinearOperator):
    """A square operator of diagonal matrices.

    Args:
      diag: tensor or variable [..., n].
      is_non_singular: whether no element is zero.
      is_self_adjoint: whether all are real; real dtypes allow True and None only.
      is_positive_definite: whether all have a positive real part.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: diag is a scalar, or the hints contradict the dtype or each other.

    >>> tf.linalg.LinearOperatorDiag([1.0, 2.0]).solvevec([2.0, 2.0]).numpy()
    array([2., 1.], dtype=float32)
    """

    def __init__(
        self, diag: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None, name: str = "LinearOperatorDiag",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        value = parameter(diag)
        need_rank(name, "diag", value, 1)
        if not value.dtype.is_complex:
            is_self_adjoint = always(
                name, "is_self_adjoint", is_self_adjoint, True, "real diagonal matrices are"
            )
        is_square = always(name, "is_square", is_square, True, "diagonal operators are square")
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
        self._diag = value

    @property
    def diag(self) -> Any:
        """The diagonals as they were given."""
        return self._diag

    def _shape(self) -> TensorShape:
        dims = dims_of(self._diag)
        return wrap(None if dims is None else (*dims, dims[-1]))

    def _shape_tensor(self) -> Any:
        dims = layout.shape(self._diag)
        return joining.concat([dims, dims[-1:]], 0)

    def _assert_non_singular(self) -> Any:
        return checks.assert_none_equal(
            convert(self._diag),
            create.zeros([], self.dtype),
            message=f"{self.name} is singular: its diagonal has a zero.",
        )

    def _assert_positive_definite(self) -> Any:
        return checks.assert_positive(
            real(convert(self._diag)),
            message=f"{self.name} is not positive definite: its diagonal is not positive throughout.",
        )

    def _assert_self_adjoint(self) -> Any:
        part = imag(convert(self._diag))
        return checks.assert_equal(
            create.zeros_like(part),
            part,
            message=f"{self.name} is not self-adjoint: its diagonal is not real.",
        )

    def _factor(self, adjoint: bool) -> Any:
        return conj_if(convert(self._diag), adjoint)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return column(self._factor(adjoint)) * adjoint_if(x, adjoint_arg)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self._factor(adjoint) * x

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return adjoint_if(rhs, adjoint_arg) / column(self._factor(adjoint))

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return rhs / self._factor(adjoint)

    def _linop_matmul(self, right: Any) -> Any:
        diag = convert(self._diag)
        if isinstance(right, LinearOperatorDiag):
            return LinearOperatorDiag(diag * right.diag, **product_hints(self, right, commute=True))
        if isinstance(right, LinearOperatorScaledIdentity):
            return LinearOperatorDiag(
                diag * right._factor(False, 1), **product_hints(self, right, commute=True)
            )
        if isinstance(right, kind("LowerTriangular")):
            return right._scaled(column(diag) * right.to_dense(), self, right)
        return super()._linop_matmul(right)

    def _linop_solve(self, right: Any) -> Any:
        diag = convert(self._diag)
        if isinstance(right, LinearOperatorDiag):
            return LinearOperatorDiag(right.diag / diag, **product_hints(self, right, commute=True))
        if isinstance(right, LinearOperatorScaledIdentity):
            return LinearOperatorDiag(
                right._factor(False, 1) / diag, **product_hints(self, right, commute=True)
            )
        if isinstance(right, kind("LowerTriangular")):
            return right._scaled(right.to_dense() / column(diag), self, right)
        return super()._linop_solve(right)

    def _made(self, diag: Any) -> Any:
        return LinearOperatorDiag(
            diag, is_non_singular=self.is_non_singular, is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite, is_square=True,
        )  # fmt: skip

    def _linop_adjoint(self) -> Any:
        return self._made(conj(convert(self._diag)))

    def _linop_inverse(self) -> Any:
        return self._made(1.0 / convert(self._diag))

    def _linop_cholesky(self) -> Any:
        return LinearOperatorDiag(
            math.sqrt(self._diag),
            is_non_singular=True,
            is_self_adjoint=True,
            is_positive_definite=True,
            is_square=True,
        )

    def _determinant(self) -> Any:
        return reduce.reduce_prod(self._diag, -1)

    def _log_abs_determinant(self) -> Any:
        return cast(reduce.reduce_sum(math.log(math.abs_(self._diag)), -1), self.dtype)

    def _diag_part(self) -> Any:
        return convert(self._diag)

    _eigvals = _diag_part

    def _cond(self) -> Any:
        sizes = math.abs_(self._diag)
        return reduce.reduce_max(sizes, -1) / reduce.reduce_min(sizes, -1)

    def _to_dense(self) -> Any:
        return linalg.diag(convert(self._diag))

    def _add_to_tensor(self, x: Any) -> Any:
        return _added(x, convert(self._diag))

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("diag",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"diag": 1}

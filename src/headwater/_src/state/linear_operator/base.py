"""`LinearOperator`: the base class, which does everything by a dense matrix where a class knows no quicker way."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.checks as checks
import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.linalg_eigen as eigen
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes, nest
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, compatible, wrap
from headwater._src.base.text import describe
from headwater._src.core.composite import CompositeSpec, type_spec_from_value
from headwater._src.core.convert import convert
from headwater._src.core.op import Op
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator import functions
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    broadcast_batches,
    column,
    dense_solve,
    dims_of,
    hints_of,
    joint_batch_tensor,
    product_hints,
    static_vector,
    uncolumn,
    with_batch,
    zeros_of,
)
from headwater._src.state.module import Module
from headwater._src.state.variable import Variable

_HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")
_KINDS: dict[str, type[LinearOperator]] = {}
"""The classes that results are made of, by their names without "LinearOperator"."""


def kind(name: str) -> Any:
    """The operator class `LinearOperator<name>`; for modules that those of the classes import."""
    if name not in _KINDS:
        importlib.import_module("headwater._src.state.linear_operator.family")
    return _KINDS[name]


@export("linalg.LinearOperator")
class LinearOperator(Module, nest.Composite):
    """A batch of matrices [..., range_dimension, domain_dimension] that need not be stored densely.

    A class of your own defines `_shape()`, which gives the static shape, and `_matmul(x, adjoint, adjoint_arg)`; define
    `_shape_tensor()` if the shape may be unknown, and any of `_solve`, `_determinant`, `_trace`, `_diag_part`, ... for which there
    is a quicker way than by the dense matrix. Name the constructor's arguments that are tensors or operators in
    `_composite_tensor_fields`, and operators of the class can be arguments and results of `tf.function` without retracing.

    The hints are promises, not checks: True, False, or None for unknown. They choose the algorithms: a Cholesky factor for
    self-adjoint positive definite operators, for instance.

    Args:
      dtype: of the matrices.
      graph_parents: without effect; kept for programs of TensorFlow 1.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether the real part of `x^H A x` is positive for all x except 0; A need not be self-adjoint.
      is_square: whether they are square.
      name: a name.
      parameters: the constructor's arguments, by name.

    Raises:
      ValueError: the hints contradict each other.
      TypeError: the class defines no `_matmul` or `_shape`.

    >>> operator = tf.linalg.LinearOperatorDiag([1.0, 2.0])
    >>> operator.matvec([3.0, 4.0]).numpy()
    array([3., 8.], dtype=float32)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(__package__):
            _KINDS[cls.__name__.removeprefix("LinearOperator")] = cls
        cls._spec_class = type(cls.__name__ + "Spec", (LinearOperatorSpec,), {"value_type": cls})

    _spec_class: type[LinearOperatorSpec]

    def __init__(
        self,
        dtype: Any,
        graph_parents: Any = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        for method in ("_matmul", "_shape"):
            if getattr(type(self), method) is getattr(LinearOperator, method):
                raise TypeError(f"{type(self).__name__} can't be made: it defines no method {method}.")
        what = name or type(self).__name__
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError(
                    f"{what}: positive definite matrices are regular, but is_non_singular=False."
                )
            is_non_singular = True
        for hint, value in (("is_non_singular", is_non_singular), ("is_self_adjoint", is_self_adjoint)):
            if value:
                if is_square is False:
                    raise ValueError(f"{what}: {hint}=True needs square matrices, but is_square=False.")
                is_square = True
        super().__init__()
        self._name = what
        self._dtype = None if dtype is None else as_dtype(dtype)
        self._is_non_singular = is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._is_square_set_or_implied_by_hints = is_square
        self._parameters = self._no_dependency(parameters)
        self._graph_parents: list[Any] = []
        functions.teach(LinearOperator)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments that the operator was made with."""
        return dict(self._parameters or {})

    @property
    def dtype(self) -> Any:
        """The dtype of the matrices."""
        return self._dtype

    @property
    def name(self) -> str:
        """The operator's name."""
        return self._name

    @property
    def graph_parents(self) -> list[Any]:
        """An empty list, as graphs need not be told of tensors."""
        return self._graph_parents

    @property
    def is_non_singular(self) -> bool | None:
        """The hint whether the matrices are regular."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        """The hint whether the matrices equal their conjugate transposes."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        """The hint whether the matrices are positive definite."""
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """Whether the matrices are square, by the hint or else by the shape; ValueError if the hint is False and they are."""
        given = self._is_square_set_or_implied_by_hints
        seen = self.domain_dimension == self.range_dimension
        if given is False and seen and self.domain_dimension is not None:
            raise ValueError(
                f"{self.name}: is_square=False was given, but the shape {self.shape} is that of square matrices."
            )
        return seen if given is None else given

    def _shape(self) -> TensorShape:
        raise NotImplementedError(f"{type(self).__name__} defines no _shape.")

    def _shape_tensor(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} defines no _shape_tensor, and its shape {self.shape} is known in part only."
        )

    @property
    def shape(self) -> TensorShape:
        """The static shape, [..., range_dimension, domain_dimension]."""
        return self._shape()

    @property
    def batch_shape(self) -> TensorShape:
        """The static shape without the last two dimensions."""
        return self.shape[:-2]  # type: ignore[no-any-return]

    @property
    def tensor_rank(self) -> int | None:
        """The number of dimensions of the shape."""
        return self.shape.rank

    @property
    def domain_dimension(self) -> int | None:
        """The number of columns, None where it is unknown."""
        return None if self.shape.rank is None else self.shape[-1]

    @property
    def range_dimension(self) -> int | None:
        """The number of rows, None where it is unknown."""
        return None if self.shape.rank is None else self.shape[-2]

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """The shape as an int32 tensor."""
        known = static_vector(self.shape._dims)
        return known if known is not None else self._shape_tensor()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """The shape without the last two dimensions, as an int32 tensor."""
        known = static_vector(self.batch_shape._dims)
        return known if known is not None else self.shape_tensor()[:-2]

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """The number of dimensions as an int32 tensor."""
        rank = self.tensor_rank
        return layout.size(self.shape_tensor()) if rank is None else convert(rank)

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """The number of columns as an int32 tensor."""
        known = self.domain_dimension
        return self.shape_tensor()[-1] if known is None else convert(known)

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """The number of rows as an int32 tensor."""
        known = self.range_dimension
        return self.shape_tensor()[-2] if known is None else convert(known)

    def _can_use_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    # -- checks -------------------------------------------------------------------------------------------------------

    def _max_condition_number_to_be_non_singular(self) -> Any:
        """Above this condition number a matrix counts as singular: 1 / (eps * max(100, rows, columns))."""
        precision = dtypes.as_dtype(self.dtype).real_dtype
        eps = np.finfo(precision.as_numpy_dtype).eps
        largest = math.maximum(self.domain_dimension_tensor(), self.range_dimension_tensor())
        return 1.0 / (math.maximum(convert(100.0, precision), cast(largest, precision)) * eps)

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """Raises InvalidArgumentError if a matrix is singular, up to rounding."""
        return self._assert_non_singular()

    def _assert_non_singular(self) -> Any:
        return checks.assert_less(
            self.cond(),
            self._max_condition_number_to_be_non_singular(),
            message=f"{self.name} is singular up to rounding: its condition number is too large.",
        )

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """Raises InvalidArgumentError if a matrix is not positive definite; NotImplementedError without a way to tell."""
        return self._assert_positive_definite()

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError(
                f"{self.name}: whether matrices are positive definite is told for self-adjoint ones; give is_self_adjoint=True if these are."
            )
        return checks.assert_positive(self.eigvals(), message=f"{self.name} is not positive definite.")

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """Raises InvalidArgumentError if a matrix is not its own conjugate transpose."""
        return self._assert_self_adjoint()

    def _assert_self_adjoint(self) -> Any:
        dense = self.to_dense()
        return checks.assert_equal(dense, linalg.adjoint(dense), message=f"{self.name} is not self-adjoint.")

    # -- products -----------------------------------------------------------------------------------------------------

    def _check_input_dtype(self, arg: Any) -> None:
        if arg.dtype.base_dtype != self.dtype:
            raise TypeError(
                f"{self.name} is of {self.dtype.name}, so its arguments must be; got {describe(arg)}. Use tf.cast."
            )

    def _argument(self, x: Any, axis: int, size: int | None) -> Any:
        """`x` as a tensor of the operator's dtype; ValueError if its dimension `axis` is not `size`."""
        x = convert(x)
        self._check_input_dtype(x)
        dims = dims_of(x)
        if dims is not None:
            if len(dims) < -axis:
                raise ValueError(
                    f"{self.name}: the argument must have rank {-axis} or more; got shape {wrap(dims)}."
                )
            if not compatible((dims[axis],), (size,)):
                raise ValueError(
                    f"{self.name} of shape {self.shape} takes an argument with {size} rows; got shape {wrap(dims)}."
                )
        return x

    def _check_fits(self, mine: int | None, theirs: int | None, other: Any) -> None:
        if mine is not None and theirs is not None and mine != theirs:
            raise ValueError(
                f"{self.name} of shape {self.shape} and {other.name} of shape {other.shape} don't fit: the dimensions that meet "
                f"are {mine} and {theirs}."
            )

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product with a batch of matrices, or with another operator.

        Args:
          x: a tensor [..., domain_dimension, k] of the operator's dtype, or a linear operator.
          adjoint: whether the operator's conjugate transpose is meant.
          adjoint_arg: whether that of `x` is meant.
          name: optional.

        Returns:
          A tensor [..., range_dimension, k]; an operator if `x` is one.

        Raises:
          ValueError: the shapes don't fit.
          TypeError: x is of another dtype.
        """
        if isinstance(x, LinearOperator):
            left = self.adjoint() if adjoint else self
            right = x.adjoint() if adjoint_arg else x
            left._check_fits(left.domain_dimension, right.range_dimension, right)
            return left._linop_matmul(right)
        size = self.range_dimension if adjoint else self.domain_dimension
        return self._matmul(
            self._argument(x, -1 if adjoint_arg else -2, size), adjoint=adjoint, adjoint_arg=adjoint_arg
        )

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no _matmul.")

    def _linop_matmul(self, right: Any) -> Any:
        if isinstance(right, kind("Identity")):
            return self
        if isinstance(right, kind("Zeros")):
            return right._as_product(self, right)
        return kind("Composition")([self, right], **product_hints(self, right, commute=False))

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """The product with a batch of vectors [..., domain_dimension].

        Args:
          x: a tensor of the operator's dtype.
          adjoint: whether the operator's conjugate transpose is meant.
          name: optional.

        Raises:
          ValueError: the shapes don't fit.
          TypeError: x is of another dtype.
        """
        size = self.range_dimension if adjoint else self.domain_dimension
        return self._matvec(self._argument(x, -1, size), adjoint=adjoint)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return uncolumn(self._matmul(column(x), adjoint=adjoint))

    # -- determinants -------------------------------------------------------------------------------------------------

    def _need_square(self, what: str) -> None:
        if self.is_square is False:
            raise NotImplementedError(
                f"{self.name} of shape {self.shape} is not square, so it has no {what}."
            )

    def determinant(self, name: str = "det") -> Any:
        """The determinant of each matrix; NotImplementedError for matrices that are not square."""
        self._need_square("determinant")
        return self._determinant()

    def _determinant(self) -> Any:
        if self._can_use_cholesky():
            return math.exp(self.log_abs_determinant())
        return linalg.det(self.to_dense())

    def log_abs_determinant(self, name: str = "log_abs_det") -> Any:
        """The logarithm of the determinant's absolute value; NotImplementedError for matrices that are not square."""
        self._need_square("determinant")
        return self._log_abs_determinant()

    def _log_abs_determinant(self) -> Any:
        if self._can_use_cholesky():
            diagonal = linalg.diag_part(decompose.cholesky(self.to_dense()))
            return 2 * reduce.reduce_sum(math.log(diagonal), -1)
        return decompose.slogdet(self.to_dense()).log_abs_determinant

    # -- solving ------------------------------------------------------------------------------------------------------

    def _need_solvable(self) -> None:
        if self.is_non_singular is False:
            raise NotImplementedError(
                f"{self.name} is singular by its hints, so no system is solved with it."
            )
        self._need_square("exact solution of systems")

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """X with `A @ X = rhs`.

        Args:
          rhs: a tensor [..., range_dimension, k] of the operator's dtype, or a linear operator.
          adjoint: whether A is the operator's conjugate transpose.
          adjoint_arg: whether the conjugate transpose of `rhs` is meant.
          name: optional.

        Returns:
          A tensor [..., domain_dimension, k]; an operator if `rhs` is one.

        Raises:
          NotImplementedError: the operator is not square, or singular by its hints.
          ValueError: the shapes don't fit.
          TypeError: rhs is of another dtype.
        """
        self._need_solvable()
        if isinstance(rhs, LinearOperator):
            left = self.adjoint() if adjoint else self
            right = rhs.adjoint() if adjoint_arg else rhs
            left._check_fits(left.range_dimension, right.range_dimension, right)
            return left._linop_solve(right)
        size = self.domain_dimension if adjoint else self.range_dimension
        return self._solve(
            self._argument(rhs, -1 if adjoint_arg else -2, size), adjoint=adjoint, adjoint_arg=adjoint_arg
        )

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._dense_solve(rhs, adjoint, adjoint_arg)

    def _dense_solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = adjoint_if(rhs, adjoint_arg)
        if self._can_use_cholesky():
            factor = decompose.cholesky(self.to_dense())
            return decompose.cholesky_solve(*broadcast_batches(factor, rhs))
        return dense_solve(self.to_dense(), rhs, adjoint=adjoint)

    def _linop_solve(self, right: Any) -> Any:
        if isinstance(right, kind("Identity")):
            return self.inverse()
        return kind("Composition")(
            [kind("Inversion")(self), right], **product_hints(self, right, commute=False)
        )

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """x with `A @ x = rhs` for a batch of vectors [..., range_dimension].

        Args:
          rhs: a tensor of the operator's dtype.
          adjoint: whether A is the operator's conjugate transpose.
          name: optional.

        Raises:
          NotImplementedError: the operator is not square, or singular by its hints.
          ValueError: the shapes don't fit.
          TypeError: rhs is of another dtype.
        """
        self._need_solvable()
        size = self.domain_dimension if adjoint else self.range_dimension
        return self._solvevec(self._argument(rhs, -1, size), adjoint=adjoint)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return uncolumn(self._solve(column(rhs), adjoint=adjoint))

    # -- other operators ----------------------------------------------------------------------------------------------

    def adjoint(self, name: str = "adjoint") -> Any:
        """The conjugate transpose, as an operator; the operator itself if it is self-adjoint by its hints."""
        return self if self.is_self_adjoint is True else self._linop_adjoint()

    H = property(adjoint, None)

    def _linop_adjoint(self) -> Any:
        return kind("Adjoint")(self, **hints_of(self))

    def inverse(self, name: str = "inverse") -> Any:
        """The inverse, as an operator; ValueError if the operator is not square, or singular by its hints."""
        if self.is_square is False:
            raise ValueError(f"{self.name} of shape {self.shape} is not square, so it has no inverse.")
        if self.is_non_singular is False:
            raise ValueError(f"{self.name} is singular by its hints, so it has no inverse.")
        return self._linop_inverse()

    def _linop_inverse(self) -> Any:
        return kind("Inversion")(self, **hints_of(self))

    def cholesky(self, name: str = "cholesky") -> Any:
        """The lower triangular operator L with `L @ L.H` equal to this one; ValueError unless the hints say that there is one."""
        if not self._can_use_cholesky():
            raise ValueError(
                f"{self.name} has no Cholesky factor by its hints: is_self_adjoint={self.is_self_adjoint}, "
                f"is_positive_definite={self.is_positive_definite}; both must be True."
            )
        return self._linop_cholesky()

    def _linop_cholesky(self) -> Any:
        factor = decompose.cholesky(self.to_dense())
        return kind("LowerTriangular")(factor, is_non_singular=True, is_self_adjoint=False, is_square=True)

    # -- dense results ------------------------------------------------------------------------------------------------

    def to_dense(self, name: str = "to_dense") -> Any:
        """The matrices as a tensor."""
        return self._to_dense()

    def _to_dense(self) -> Any:
        return self.matmul(self._unit())

    def _unit(self) -> Any:
        """Unit matrices that the operator can multiply."""
        size, batch = self.domain_dimension, self.batch_shape
        if size is not None and batch.is_fully_defined():
            return create.eye(size, batch_shape=list(batch), dtype=self.dtype)
        return create.eye(
            self.domain_dimension_tensor(), batch_shape=self.batch_shape_tensor(), dtype=self.dtype
        )

    def diag_part(self, name: str = "diag_part") -> Any:
        """The main diagonal of each matrix."""
        return self._diag_part()

    def _diag_part(self) -> Any:
        return linalg.diag_part(self.to_dense())

    def trace(self, name: str = "trace") -> Any:
        """The sum of the main diagonal of each matrix."""
        return self._trace()

    def _trace(self) -> Any:
        return reduce.reduce_sum(self.diag_part(), -1)

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Any:
        """The sum with a tensor [..., range_dimension, domain_dimension] of the operator's dtype; TypeError for another."""
        x = convert(x)
        self._check_input_dtype(x)
        return self._add_to_tensor(x)

    def _add_to_tensor(self, x: Any) -> Any:
        return math.add(self.to_dense(), x)

    def eigvals(self, name: str = "eigvals") -> Any:
        """The eigenvalues, of operators that are self-adjoint by their hints; NotImplementedError for others."""
        if not self.is_self_adjoint:
            raise NotImplementedError(
                f"{self.name}: eigenvalues are those of self-adjoint operators only; give is_self_adjoint=True if this one is, "
                "or use tf.linalg.eigvals(operator.to_dense())."
            )
        return self._eigvals()

    def _eigvals(self) -> Any:
        return eigen.eigvalsh(self.to_dense())

    def cond(self, name: str = "cond") -> Any:
        """The condition number of each matrix: its largest singular value over its smallest."""
        return self._cond()

    def _cond(self) -> Any:
        if self.is_self_adjoint:
            sizes = math.abs_(self.eigvals())
        else:
            sizes = decompose.svd(self.to_dense(), compute_uv=False)
        return math.divide(reduce.reduce_max(sizes, -1), reduce.reduce_min(sizes, -1))

    def _zeros_like_diagonal(self) -> Any:
        """Zeros in the shape of the diagonals."""
        shorter = math.minimum(self.domain_dimension_tensor(), self.range_dimension_tensor())
        return zeros_of(joining.concat([self.batch_shape_tensor(), [shorter]], 0), self.dtype)

    def _wide(self, value: Any, ndims: int) -> Any:
        """`value` with its batch broadcast against the operator's."""
        return with_batch(value, self.batch_shape, self.batch_shape_tensor, ndims)

    # -- a value made of tensors --------------------------------------------------------------------------------------

    @property
    def _composite_tensor_fields(self) -> Sequence[str]:
        """The constructor's arguments that are tensors, variables or operators."""
        return ()

    @property
    def _composite_tensor_prefer_static_fields(self) -> Sequence[str]:
        """The constructor's arguments that decide shapes, and are tensors only where their values are not known."""
        return ()

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        """How many dimensions of each of those arguments belong to one matrix; what remains is the batch."""
        return {}

    def __headwater_dispatch__(self, op: Op, args: Any, attrs: Any) -> Any:
        return functions.answer(op, args, attrs)

    def __getitem__(self, slices: Any) -> Any:
        """A part of the batch, as an operator of the same class."""
        return functions.batch_slice(self, slices)

    def _field(self, name: str) -> Any:
        return self.__dict__["_" + name] if "_" + name in self.__dict__ else getattr(self, name)

    def _components(self) -> dict[str, Any]:
        """The arguments that are tensors, variables or operators, by name; None is left out."""
        names = (*self._composite_tensor_fields, *self._composite_tensor_prefer_static_fields)
        found = {}
        for name in names:
            value = self._field(name)
            if value is None or (name in self._composite_tensor_prefer_static_fields and _is_static(value)):
                continue
            found[name] = value
        return found

    def _nest_flatten(self) -> list[Any]:
        return nest.flatten(self._components(), expand_composites=True)

    def _nest_unflatten(self, parts: list[Any]) -> Any:
        return self._with(nest.pack_sequence_as(self._components(), parts, expand_composites=True))

    def _with(self, components: dict[str, Any]) -> Any:
        """The same operator around other parts, which are not checked."""
        made = object.__new__(type(self))
        for name, value in self.__dict__.items():
            if not name.startswith("_self_"):
                setattr(made, name, self._no_dependency(value) if name == "_parameters" else value)
        for name, value in components.items():
            setattr(made, "_" + name, value)
        made.__dict__["_parameters"] = {**self.parameters, **components}
        return made

    @property
    def _type_spec(self) -> LinearOperatorSpec:
        components = self._components()
        specs = nest.map_structure(type_spec_from_value, components)
        rest = {}
        for name, value in self.parameters.items():
            if name in components or name == "name":
                continue
            if name in _HINTS:
                value = self.__dict__[
                    "_is_square_set_or_implied_by_hints" if name == "is_square" else "_" + name
                ]
            elif name in self._composite_tensor_prefer_static_fields:
                value = layout.get_static_value(value) if isinstance(value, Tensor) else value
            rest[name] = value
        return self._spec_class(specs, rest, tuple(self._composite_tensor_prefer_static_fields))

    @property
    def _by_identity(self) -> bool:
        """Whether functions are traced for this very operator: it has variables, or its class doesn't name its tensors."""
        fields = (*self._composite_tensor_fields, *self._composite_tensor_prefer_static_fields)
        return not fields or any(isinstance(part, Variable) for part in self._nest_flatten())


def _is_static(value: Any) -> bool:
    return not isinstance(value, (Tensor, Variable)) or layout.get_static_value(value) is not None


class LinearOperatorSpec(CompositeSpec):
    """Specification of an operator: those of its parts, and its other arguments as they are."""

    __slots__ = ("_param_specs", "_non_tensor_params", "_prefer_static_fields")

    def __init__(
        self,
        param_specs: dict[str, Any],
        non_tensor_params: dict[str, Any],
        prefer_static_fields: Sequence[str],
    ) -> None:
        self._param_specs = param_specs
        self._non_tensor_params = non_tensor_params
        self._prefer_static_fields = tuple(prefer_static_fields)

    @classmethod
    def from_operator(cls, operator: Any) -> LinearOperatorSpec:
        """The specification of an operator."""
        return operator._type_spec  # type: ignore[no-any-return]

    @property
    def _component_specs(self) -> dict[str, Any]:
        return self._param_specs

    def _to_components(self, value: Any) -> dict[str, Any]:
        return value._components()  # type: ignore[no-any-return]

    def _from_components(self, components: Any) -> Any:
        return self.value_type(**components, **self._non_tensor_params)

    def _leaves(self) -> Iterator[Any]:
        return iter(nest.flatten(self._param_specs))

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every operator that fits this specification fits `other`."""
        return self._alike(other) and all(
            a.is_subtype_of(b) for a, b in zip(self._leaves(), other._leaves(), strict=True)
        )

    def most_specific_common_supertype(self, others: Any) -> LinearOperatorSpec | None:
        """The narrowest specification over all, or None."""
        if not all(map(self._alike, others)):
            return None
        columns = zip(self._leaves(), *(o._leaves() for o in others), strict=True)
        merged = [first.most_specific_common_supertype(list(rest)) for first, *rest in columns]
        if None in merged:
            return None
        specs = nest.pack_sequence_as(self._param_specs, merged)
        return type(self)(specs, self._non_tensor_params, self._prefer_static_fields)

    def _alike(self, other: Any) -> bool:
        """Whether only the parts differ, and those not in their number."""
        if type(self) is not type(other) or _frozen(self._non_tensor_params) != _frozen(
            other._non_tensor_params
        ):
            return False
        return _structure(self._param_specs) == _structure(other._param_specs)

    def _key(self) -> tuple[Any, ...]:
        return _frozen(self._param_specs), _frozen(self._non_tensor_params), self._prefer_static_fields

    def _serialize(self) -> tuple[Any, ...]:
        return self._param_specs, self._non_tensor_params, self._prefer_static_fields

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._param_specs}, {self._non_tensor_params}, {self._prefer_static_fields})"


def _structure(value: Any) -> Any:
    return nest.map_structure(type, value)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((k, _frozen(value[k])) for k in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    return value


LinearOperator._spec_class = LinearOperatorSpec


def batch_tensor_of(operators: Sequence[Any]) -> Tensor:
    """What the batch shapes of operators broadcast to, as a tensor."""
    return joint_batch_tensor([o.batch_shape_tensor() for o in operators])

"""What all linear operators need: their parameters as tensors, hints that are combined, and batches that broadcast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
import headwater._src.ops.math as math
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.shapes import Partial, TensorShape, broadcast, wrap
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.state.variable import Variable

FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)

# -- parameters -------------------------------------------------------------------------------------------------------


def arguments(local: dict[str, Any]) -> dict[str, Any]:
    """A constructor's arguments by name, from its local variables before there are others."""
    return {name: value for name, value in local.items() if name not in ("self", "__class__")}


def parameter(value: Any, dtype: Any = None) -> Any:
    """A parameter as it is kept: variables stay variables, so that assignments to them count; all else becomes a tensor."""
    return value if isinstance(value, Variable) else convert(value, dtype)


def dims_of(value: Any) -> Partial:
    """The static shape of a tensor or variable."""
    return value.shape._dims  # type: ignore[no-any-return]


def need_rank(what: str, name: str, value: Any, rank: int) -> None:
    """ValueError unless a parameter has at least `rank` dimensions, as far as that is known."""
    dims = dims_of(value)
    if dims is not None and len(dims) < rank:
        raise ValueError(f"{what}: {name} must have rank {rank} or more; got shape {wrap(dims)}.")


def need_floating(what: str, name: str, value: Any) -> None:
    """TypeError unless a parameter is of floats or complex numbers."""
    if value.dtype not in FLOATS:
        raise TypeError(
            f"{what}: {name} must be one of {[d.name for d in FLOATS]}; got {value.dtype.name}. Use tf.cast."
        )


def same_dtype(what: str, operators: Sequence[Any]) -> Any:
    """The one dtype of operators; TypeError if they have several."""
    found = operators[0].dtype
    if any(o.dtype != found for o in operators):
        given = ", ".join(f"{o.name}: {o.dtype.name}" for o in operators)
        raise TypeError(f"{what}: all operators must have one dtype; got {given}.")
    return found


def need_operators(what: str, operators: Any) -> list[Any]:
    """The operators as a list; ValueError for none, TypeError for what is no sequence."""
    if not isinstance(operators, (list, tuple)):
        raise TypeError(f"{what}: operators must be a list of linear operators; got {describe(operators)}.")
    if not operators:
        raise ValueError(f"{what}: operators must name at least one linear operator; got an empty list.")
    return list(operators)


# -- hints ------------------------------------------------------------------------------------------------------------


def always(what: str, hint: str, given: Any, truth: bool, why: str) -> bool:
    """A hint that a class decides; ValueError if the other value was given."""
    if given is (not truth):
        raise ValueError(f"{what}: {hint}={given} was given, but {why}.")
    return truth


def all_hint(what: str, hint: str, given: Any, operators: Sequence[Any], why: str) -> Any:
    """A hint that is True if it is for all `operators`; ValueError if False was given then."""
    if all(getattr(o, hint) for o in operators):
        return always(what, hint, given, True, why)
    return given


def both(a: Any, b: Any) -> Any:
    """Whether a product is regular, from whether its factors are; None where that is not known."""
    if a is False or b is False:
        return False
    return True if a is True and b is True else None


def product_hints(left: Any, right: Any, commute: bool) -> dict[str, Any]:
    """The hints of a product of two operators, which may be known to commute."""
    symmetric = definite = None
    if commute:
        pair = (left.is_self_adjoint, right.is_self_adjoint)
        symmetric = True if pair == (True, True) else False if set(pair) == {True, False} else None
        definite = symmetric and left.is_positive_definite and right.is_positive_definite or None
    return {
        "is_non_singular": both(left.is_non_singular, right.is_non_singular),
        "is_self_adjoint": symmetric,
        "is_positive_definite": definite,
        "is_square": True if left.is_square and right.is_square else None,
    }


def hints_of(operator: Any) -> dict[str, Any]:
    """The hints of an operator, for one that shares them."""
    return {
        "is_non_singular": operator.is_non_singular,
        "is_self_adjoint": operator.is_self_adjoint,
        "is_positive_definite": operator.is_positive_definite,
        "is_square": operator.is_square,
    }


# -- shapes -----------------------------------------------------------------------------------------------------------


def static_vector(dims: Partial) -> Any:
    """A static shape as an int32 tensor; None unless all of it is known."""
    if dims is None or None in dims:
        return None
    return convert(np.array(dims, np.int32))


def batch_of(value: Any, ndims: int) -> TensorShape:
    """The static shape of what is left of the last `ndims` dimensions."""
    dims = dims_of(value)
    return wrap(None if dims is None else dims[: len(dims) - ndims])


def batch_tensor(value: Any, ndims: int) -> Tensor:
    """The same as an int32 tensor."""
    known = static_vector(batch_of(value, ndims)._dims)
    return known if known is not None else layout.shape(value)[:-ndims]


def joint_batch(shapes: Sequence[TensorShape]) -> TensorShape:
    """What static batch shapes broadcast to; ValueError where they don't."""
    found: Partial = ()
    for shape in shapes:
        found = broadcast(found, shape._dims)
    return wrap(found)


def joint_batch_tensor(shapes: Sequence[Any]) -> Tensor:
    """What shapes given as tensors broadcast to."""
    found = shapes[0]
    for shape in shapes[1:]:
        found = layout.broadcast_dynamic_shape(found, shape)
    return found


def matrix_shape(batch: Any, rows: Any, columns: Any) -> Tensor:
    """The shape of a batch of matrices as an int32 tensor."""
    tail = joining.stack([cast(rows, dtypes.int32), cast(columns, dtypes.int32)])
    return joining.concat([cast(batch, dtypes.int32), tail], 0)


def broadcast_batches(*values: Any, ndims: int = 2) -> list[Any]:
    """Stacks of matrices (of vectors, for `ndims` 1), all with the batch shape that theirs broadcast to."""
    tensors = [convert(v) for v in values]
    shapes = [batch_of(t, ndims)._dims for t in tensors]
    if all(s is not None and None not in s for s in shapes):
        if len(set(shapes)) == 1:
            return tensors
        lead = joint_batch([wrap(s) for s in shapes])._dims
        assert lead is not None
        if all(None not in (dims_of(t) or (None,)) for t in tensors):
            return [layout.broadcast_to(t, (*lead, *dims_of(t)[-ndims:])) for t in tensors]  # type: ignore[index]
    target = joint_batch_tensor([batch_tensor(t, ndims) for t in tensors])
    return [layout.broadcast_to(t, joining.concat([target, layout.shape(t)[-ndims:]], 0)) for t in tensors]


def with_batch(value: Any, batch: TensorShape, batch_vector: Callable[[], Tensor], ndims: int) -> Any:
    """`value` with its batch broadcast against a batch shape, given statically and as a function that makes the tensor."""
    dims, lead = dims_of(value), batch._dims
    if dims is not None and lead is not None and None not in (*dims, *lead):
        own = dims[: len(dims) - ndims]
        wide = broadcast(own, lead)
        return value if wide == own else layout.broadcast_to(value, (*(wide or ()), *dims[len(own) :]))
    shape = layout.shape(value)
    target = layout.broadcast_dynamic_shape(shape[:-ndims], batch_vector())
    return layout.broadcast_to(value, joining.concat([target, shape[-ndims:]], 0))


def zeros_of(shape: Any, dtype: Any) -> Tensor:
    """Zeros of a shape that may be a tensor."""
    return create.zeros(shape, dtype)


def column(vector: Any) -> Tensor:
    """A vector as a matrix of one column."""
    return layout.expand_dims(vector, -1)


def row(vector: Any) -> Tensor:
    """A vector as a matrix of one row."""
    return layout.expand_dims(vector, -2)


def uncolumn(matrix: Any) -> Tensor:
    """The vector of a matrix of one column."""
    return layout.squeeze(matrix, [-1])


# -- arithmetic -------------------------------------------------------------------------------------------------------


def conj(x: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    return math.conj(x) if x.dtype.is_complex else x


def real(x: Any) -> Any:
    """The real part."""
    return special.real(x) if x.dtype.is_complex else x


def imag(x: Any) -> Any:
    """The imaginary part."""
    return special.imag(x) if x.dtype.is_complex else create.zeros_like(x)


def adjoint_if(x: Any, flag: bool) -> Any:
    """The conjugate transpose of matrices, or the matrices themselves."""
    return linalg.adjoint(x) if flag else x


def conj_if(x: Any, flag: bool) -> Any:
    """The conjugate, or the numbers themselves."""
    return conj(x) if flag else x


def dense_solve(matrix: Any, rhs: Any, adjoint: bool = False) -> Tensor:
    """X with `matrix @ X = rhs`, leading dimensions broadcast."""
    matrix, rhs = broadcast_batches(matrix, rhs)
    return linalg.solve(matrix, rhs, adjoint=adjoint)


def cholesky_solve(factor: Any, rhs: Any) -> Tensor:
    """X with `factor @ adjoint(factor) @ X = rhs`, leading dimensions broadcast."""
    return decompose.triangular_solve(
        factor, decompose.triangular_solve(factor, rhs, lower=True), lower=True, adjoint=True
    )

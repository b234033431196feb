"""What the functions of tf.linalg do with linear operators, and parts of an operator's batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import headwater._src.ops.create as create
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_decompose as decompose
from headwater._src.core.dispatch import dispatch_for_api
from headwater._src.core.op import Op
from headwater._src.ops.index import tensor_getitem
from headwater._src.state.linear_operator.parts import with_batch

_taught: list[type] = []

# -- tf.linalg --------------------------------------------------------------------------------------------------------


def teach(cls: type) -> None:
    """Lets the plain functions of tf.linalg take operators, from the first operator on: programs without any pay nothing.

    Those that are records ask the operator itself, which comes to `answer`.
    """
    if _taught:
        return
    _taught.append(cls)
    dispatch_for_api(linalg.adjoint, {"matrix": cls})(lambda matrix, name=None: matrix.adjoint())
    dispatch_for_api(linalg.trace, {"x": cls})(lambda x, name=None: x.trace())
    dispatch_for_api(decompose.logdet, {"matrix": cls})(
        lambda matrix, name=None: matrix.log_abs_determinant()
    )
    dispatch_for_api(linalg.diag_part, {"input": cls})(_diag_part)
    dispatch_for_api(linalg.matvec, {"a": cls})(_matvec)
    dispatch_for_api(linalg.matmul, {"a": cls}, {"b": cls})(_matmul)


def answer(record: Op, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """What a record gives for operators: another operator or a tensor, NotImplemented for records that take none."""
    if record is linalg.det.op:
        return args[0].determinant()
    if record is decompose.cholesky.op:
        return args[0].cholesky()
    if record is linalg.inv.op:
        inverse = args[0].inverse()
        return inverse.adjoint() if attrs["adjoint"] else inverse
    if record is linalg.solve.op:
        return _solve(args[0], args[1], attrs["adjoint"])
    if record is layout.stop_gradient.op:
        return args[0]._nest_unflatten([layout.stop_gradient(part) for part in args[0]._nest_flatten()])
    return NotImplemented


def _diag_part(
    input: Any, name: str | None = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Any:
    return input.diag_part()


def _no_transpose(what: str, *flags: Any) -> None:
    if any(flags):
        raise ValueError(
            f"{what}: linear operators are not transposed, nor marked as sparse; adjoint_a and adjoint_b conjugate and transpose."
        )


def _matvec(
    a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    _no_transpose("tf.linalg.matvec", transpose_a, a_is_sparse, b_is_sparse)
    return a.matvec(b, adjoint=adjoint_a)


def _matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    grad_a: bool = False, grad_b: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    _no_transpose("tf.linalg.matmul", transpose_a, transpose_b, a_is_sparse, b_is_sparse)
    if isinstance(a, _taught[0]):
        return a.matmul(b, adjoint=adjoint_a, adjoint_arg=adjoint_b)  # type: ignore[attr-defined]
    # a @ b is the adjoint of b^H @ a^H.
    return linalg.adjoint(b.matmul(a, adjoint=not adjoint_b, adjoint_arg=not adjoint_a))


def _solve(matrix: Any, rhs: Any, adjoint: bool) -> Any:
    if not isinstance(matrix, _taught[0]):
        raise ValueError(
            "tf.linalg.solve takes a linear operator as rhs only where matrix is one too; use tf.linalg.LinearOperatorFullMatrix."
        )
    return matrix.solve(rhs, adjoint=adjoint)  # type: ignore[attr-defined]


# -- parts of the batch -----------------------------------------------------------------------------------------------


def batch_slice(operator: Any, slices: Any) -> Any:
    """The operators that an index names in the batch of `operator`, as one of the same class."""
    index = slices if isinstance(slices, tuple) else (slices,)
    if Ellipsis not in [i for i in index if i is Ellipsis]:
        index = (*index, Ellipsis)
    return _part(operator, index, operator)


def _part(operator: Any, index: tuple[Any, ...], whole: Any) -> Any:
    """The same of an operator inside of `whole`, whose batch is meant."""
    event = operator._experimental_parameter_ndims_to_matrix_ndims

    def chosen(name: str, value: Any) -> Any:
        if isinstance(value, _taught[0]):
            return _part(value, index, whole)
        if isinstance(value, (list, tuple)):
            return [chosen(name, v) for v in value]
        return _sliced(value, event[name], index, whole)

    sizes = operator._composite_tensor_prefer_static_fields
    found = {name: chosen(name, v) for name, v in operator._components().items() if name not in sizes}
    if "batch_shape" in sizes:
        found["batch_shape"] = layout.shape(tensor_getitem(create.zeros(whole.batch_shape_tensor()), index))
    return type(operator)(**{**operator.parameters, **found})


def _sliced(value: Any, ndims: int, index: tuple[Any, ...], whole: Any) -> Any:
    wide = with_batch(value, whole.batch_shape, whole.batch_shape_tensor, ndims)
    return tensor_getitem(layout.identity(wide), (*index, *(slice(None),) * ndims))

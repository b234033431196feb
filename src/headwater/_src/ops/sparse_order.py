"""Positions of sparse tensors: their order, matching, and the operations that rest on it alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.math as ops_math
from headwater._src.base.errors import InvalidArgumentError, invalid
from headwater._src.base.shapes import merge, wrap
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor
from headwater._src.ops.permutations import invert_permutation

DATA_DEPENDENT = HOST_ONLY(
    "how many elements the result has depends on the positions, known only when it runs"
)
_MAX_KEY = 2**62
_BLOCK = 1 << 16
"""Positions that are looked at together."""

# -- arrays -----------------------------------------------------------------------------------------------------------


def keys_of(*positions: np.ndarray) -> list[np.ndarray]:
    """One integer for each position, so that they compare as the positions do in row-major order."""
    both = np.concatenate(positions) if len(positions) > 1 else positions[0]
    rank = both.shape[1]
    if rank == 1:
        keys = both[:, 0]
    elif not both.size:
        keys = np.zeros(len(both), np.int64)
    else:
        low = both.min(0)
        dims = [int(d) for d in both.max(0) - low + 1]
        if math.prod(dims) < _MAX_KEY:
            strides = [math.prod(dims[i + 1 :]) for i in range(rank)]
            keys = (both - low) @ np.array(strides, np.int64)
        else:
            keys = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    if len(positions) == 1:
        return [keys]
    return np.split(keys, np.cumsum([len(p) for p in positions])[:-1])


def is_sorted(keys: np.ndarray) -> bool:
    """Whether the keys do not decrease."""
    return bool((keys[1:] >= keys[:-1]).all())


def are_inside(positions: np.ndarray, dims: Sequence[int] | np.ndarray) -> bool:
    """Whether all positions lie in the shape."""
    if not len(positions):
        return True
    return all(_largest(positions[:, i]) < d for i, d in enumerate(np.asarray(dims, np.uint64)))


def _largest(column: np.ndarray) -> Any:
    """The largest of some positions, seen as unsigned numbers, of which negative ones are the largest."""
    return column.view(np.uint64).max()


def between(positions: np.ndarray, start: np.ndarray, size: np.ndarray) -> np.ndarray | None:
    """Which positions lie in a box; None if all do."""
    inside: np.ndarray | None = None
    for i, (first, length) in enumerate(zip(start.tolist(), size.tolist(), strict=True)):
        column = positions[:, i]
        if not first and len(column) and _largest(column) < length:
            continue
        here = (column - first if first else column).view(np.uint64) < np.uint64(length)
        inside = here if inside is None else np.logical_and(inside, here, out=inside)
    return inside


def numbers_of(positions: np.ndarray, dims: Sequence[int] | np.ndarray) -> np.ndarray:
    """The row-major number of each position, which lies in a shape of less than 2**63 elements."""
    if not len(dims):
        return np.zeros(len(positions), np.int64)
    numbers = positions[:, 0]
    for i in range(1, len(dims)):
        numbers = numbers * int(dims[i])
        numbers += positions[:, i]
    return numbers


def numbered_blocks(
    positions: np.ndarray, dims: Sequence[int] | np.ndarray
) -> Iterator[tuple[slice, np.ndarray | None, bool]]:
    """Which rows, their row-major numbers, and whether these rise, from the rows before as well.

    The rows are read once, while they are in the processor's cache. The last block has no numbers if it has a position outside
    of the shape, or of another rank.
    """
    if positions.shape[1] != len(dims):
        yield slice(0), None, False
        return
    last = -1
    for at in range(0, len(positions), _BLOCK):
        part = slice(at, at + _BLOCK)
        rows = positions[part]
        if not are_inside(rows, dims):
            yield part, None, False
            return
        numbers = numbers_of(rows, dims)
        yield part, numbers, bool(numbers[0] > last and (numbers[1:] > numbers[:-1]).all())
        last = numbers[-1]


def positions_of(numbers: np.ndarray, dims: Sequence[int] | np.ndarray) -> np.ndarray:
    """The positions that have these row-major numbers."""
    positions = np.empty((len(numbers), len(dims)), np.int64)
    if len(dims) > 1 and math.prod(map(int, dims)) < 2**32:
        numbers = numbers.astype(np.uint32)  # divided several times as fast
    for i in range(len(dims) - 1, 0, -1):
        above = numbers // max(int(dims[i]), 1)
        positions[:, i] = numbers - above * int(dims[i])
        numbers = above
    if len(dims):
        positions[:, 0] = numbers
    return positions


def are_numbered(dims: np.ndarray, *positions: np.ndarray) -> bool:
    """Whether the numbers of the positions in the shape serve as keys, as they lie there and it is not too large."""
    return 0 < math.prod(dims.tolist()) < _MAX_KEY and all(are_inside(p, dims) for p in positions)


def order_of(keys: np.ndarray) -> np.ndarray | None:
    """The permutation that sorts keys, equal ones in their order; None where they are sorted."""
    if is_sorted(keys):
        return None
    order = np.argsort(keys)  # several times as fast as the stable one
    ordered = keys.take(order)
    return np.argsort(keys, kind="stable") if (ordered[1:] == ordered[:-1]).any() else order


def check_inside(positions: np.ndarray, dims: Sequence[int] | np.ndarray, what: str) -> None:
    """InvalidArgumentError where a position lies outside of the shape."""
    bounds = np.asarray(dims, np.int64)
    if positions.shape[1] != len(bounds):
        raise invalid(
            f"{what}: positions of rank {positions.shape[1]} in a shape of rank {len(bounds)}, {bounds.tolist()}."
        )
    if are_inside(positions, bounds):
        return
    wrong = ((positions < 0) | (positions >= bounds)).any(1)
    at = int(wrong.argmax())
    raise invalid(
        f"{what}: indices[{at}] = {positions[at].tolist()} is out of bounds for the shape {bounds.tolist()}."
    )


def find(haystack: np.ndarray, needles: np.ndarray) -> np.ndarray:
    """Where each of `needles` is among the positions `haystack`; -1 where it is not."""
    if not len(haystack) or not len(needles):
        return np.full(len(needles), -1, np.int64)
    have, want = keys_of(haystack, needles)
    order = order_of(have)
    ordered = have if order is None else have.take(order)
    at = np.minimum(np.searchsorted(ordered, want), len(ordered) - 1)
    found = at if order is None else order[at]
    return np.where(ordered[at] == want, found, -1)


# -- sparse tensors ---------------------------------------------------------------------------------------------------


def sparse_of(value: Any, what: str) -> SparseTensor:
    """`value`, if it is a sparse tensor; TypeError if not."""
    if isinstance(value, SparseTensor):
        return value
    if getattr(value, "_fields", None) == ("indices", "values", "dense_shape"):  # the record of TensorFlow 1
        return SparseTensor.from_value(value)
    raise TypeError(
        f"{what} takes a tf.SparseTensor; got {describe(value)}. tf.sparse.from_dense makes one of a tensor."
    )


def dims_of(sp: SparseTensor) -> Any:
    """The shape as a host attribute: a tuple of ints where it is known, else the vector."""
    shape = sp._dense_shape
    if shape.__class__ is EagerTensor:
        return tuple(shape._array.tolist())
    return tuple(sp._static.as_list()) if sp._static.is_fully_defined() else shape


def hinted(tensor: Tensor, shape: Any) -> Tensor:
    """`tensor`, which is known to have the static shape `shape` (a partial shape)."""
    if tensor.__class__ is SymbolicTensor and shape is not None:
        tensor._shape = merge(tensor._shape, shape)
    return tensor


def made(indices: Any, values: Any, dense_shape: Any, static: Any = None) -> SparseTensor:
    """A sparse tensor whose static shape is known to be `static` (a partial shape or None)."""
    sp = SparseTensor(indices, values, dense_shape)
    if static is not None and not isinstance(sp._dense_shape, EagerTensor):
        sp._static = wrap(merge(sp._static._dims, tuple(static)))
    return sp


def of_parts(parts: Any, static: Any = None) -> SparseTensor:
    """The same from the three results of an operation."""
    indices, values, dense_shape = parts
    return made(indices, values, dense_shape, static)


def static_ints(value: Any) -> Any:
    """What is known of an integer vector, as a tuple with None where unknown, or None."""
    value = host_ints(value, "a shape")
    if value.__class__ is tuple:
        return value
    known = value.known
    if known is not None:
        return tuple(known.reshape(-1).tolist())
    return None if value._shape is None or value._shape[0] is None else (None,) * value._shape[0]


def rank_of(sp: SparseTensor, what: str) -> int:
    """The static rank; ValueError where it is unknown."""
    if sp._static.rank is None:
        raise ValueError(f"{what} needs a sparse tensor of known rank; set_shape tells it.")
    return int(sp._static.rank)


def rows_of(indices: Spec) -> Any:
    """The static number of positions."""
    return None if indices.shape is None else indices.shape[0]


def width_of(indices: Spec, shape: Spec | None = None) -> Any:
    """The static rank of positions; ValueError where the inputs are no positions."""
    if indices.shape is not None and len(indices.shape) != 2:
        raise ValueError(f"indices must be a matrix; got shape {wrap(indices.shape)}")
    width = None if indices.shape is None else indices.shape[1]
    if width is None and shape is not None and shape.shape is not None:
        return shape.shape[0] if len(shape.shape) == 1 else None
    return width


# -- records ----------------------------------------------------------------------------------------------------------

find_op = op(
    "SparseFindPositions", "haystack: int64, needles: int64 -> ?: int64",
    numpy=find,
    lower=HOST_ONLY("it searches sorted positions, which is done before a program runs"),
    grad=NONDIFF,
    shape=lambda haystack, needles: (rows_of(needles),),
    doc="Where each row of `needles` is among the rows of `haystack`; -1 where it is not.",
)  # fmt: skip


def take_or_zero(values: Any, at: Any) -> Tensor:
    """`values[at[i]]`, and 0 where `at[i]` is -1: how a gradient finds its way between sets of positions."""
    return gather.gather_dense(_with_zero(values), ops_math.add(at, create.ones_like(at)))


def _with_zero(values: Any) -> Tensor:
    import headwater._src.ops.joining as joining

    return joining.concat([create.zeros([1], values.dtype), values], 0)


dense_gradient = op(
    "DenseGradient", "x: A -> x",
    numpy=lambda x: x,
    lower=lambda x: x,
    grad=lambda g, y, x: convert(g),
    doc="The tensor itself; its gradient is a tensor even where it is gathered from.",
)  # fmt: skip


def at_positions(values: Any, have: Any, want: Any) -> Tensor:
    """The values of positions `have` at the positions `want`, 0 where there is none."""
    return take_or_zero(values, find_op(have, want))


def _order_kernel(indices: np.ndarray) -> np.ndarray:
    order = order_of(keys_of(indices)[0])
    return np.arange(len(indices)) if order is None else order


_order = op(
    "SparseOrder", "indices: int64 -> ?: int64",
    numpy=_order_kernel,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda indices: (rows_of(indices),),
    doc="The permutation that sorts positions in row-major order.",
)  # fmt: skip


def _reorder(indices: np.ndarray, values: np.ndarray, shape: np.ndarray) -> Any:
    if 0 < math.prod(shape.tolist()) < _MAX_KEY and all(
        rises for *_, rises in numbered_blocks(indices, shape)
    ):
        return indices, values
    order = order_of(numbers_of(indices, shape) if are_numbered(shape, indices) else keys_of(indices)[0])
    # Rows are taken by `take`: indexing is many times as slow for short ones.
    return (indices, values) if order is None else (indices.take(order, axis=0), values.take(order))


def _reorder_grad(g: Any, y: Any, indices: Any, values: Any, shape: Any) -> Any:
    return None, gather.gather_dense(g[1], invert_permutation(_order(indices))), None


def _like_values(indices: Spec, values: Spec, shape: Spec, *_: Spec, **__: Any) -> list[Any]:
    rows = rows_of(indices)
    if rows is None and values.shape:
        rows = values.shape[0]
    return [(rows, width_of(indices, shape)), (rows,)]


reorder_op = op(
    "SparseReorder", "indices: int64, values: A, shape: int64 -> ?: indices; ?: values",
    numpy=_reorder,
    lower=HOST_ONLY("positions are sorted before a program runs"),
    grad=_reorder_grad,
    shape=_like_values,
    doc="Positions and values in row-major order.",
)  # fmt: skip


def _to_dense(
    indices: np.ndarray, values: np.ndarray, default: np.ndarray, *, shape: tuple[int, ...], validate: bool
) -> Any:
    if default.ndim:
        raise invalid(f"tf.sparse.to_dense: default_value must be a scalar; got shape {default.shape}.")
    if default.dtype.kind != "O" and not default:
        out = np.zeros(shape, values.dtype)
    else:
        out = np.full(shape, default, values.dtype)
    flat, in_order = out.reshape(-1), True
    for part, numbers, rises in numbered_blocks(indices, shape):
        if numbers is None:
            check_inside(indices, shape, "tf.sparse.to_dense")
        in_order &= rises
        flat[numbers] = values[part]
    if validate and not in_order:
        raise _out_of_order(indices, numbers_of(indices, shape))
    return out


def _out_of_order(indices: np.ndarray, keys: np.ndarray) -> InvalidArgumentError:
    at = int((keys[1:] > keys[:-1]).argmin()) + 1
    why = "is repeated" if keys[at] == keys[at - 1] else "is out of order"
    return invalid(
        f"tf.sparse.to_dense: indices[{at}] = {indices[at].tolist()} {why}. tf.sparse.reorder sorts positions; "
        "validate_indices=False takes them as they are."
    )


def _lower_to_dense(
    indices: Any, values: Any, default: Any, *, shape: tuple[int, ...], validate: bool
) -> Any:
    from headwater._src.base.lazy import jnp

    return jnp.full(shape, default).at[tuple(indices[:, i] for i in range(len(shape)))].set(values)


def _to_dense_shape(indices: Spec, values: Spec, default: Spec, *, shape: Any, validate: bool) -> Any:
    return None if getattr(shape, "rank_unknown", False) else tuple(shape)


def _default_grad(
    g: Any, y: Any, indices: Any, values: Any, default: Any, *, shape: Any, validate: bool
) -> Any:
    from headwater._src.ops.reduce import sum_op

    return ops_math.subtract(sum_op(g), sum_op(gather.gather_nd(g, indices)))


to_dense_op = op(
    "SparseToDense", "indices: int64, values: A, default_value: values -> ?: values",
    numpy=_to_dense,
    lower=_lower_to_dense,
    grad=(None, lambda g, y, indices, values, default, **_: gather.gather_nd(g, indices), _default_grad),
    shape=_to_dense_shape,
    attrs={"shape": (), "validate": True}, host=("shape",),
    doc="A dense tensor with `values` at the positions `indices` and `default_value` elsewhere.",
)  # fmt: skip


def dense_of(sp: SparseTensor, default: Any = None, validate: bool = True) -> Tensor:
    """The dense tensor of a sparse one."""
    values = sp._values
    if default is None:
        if values.dtype.name == "string":
            default = convert(b"")
        else:
            default = _zero(values.dtype)
    else:
        default = convert(default, None if isinstance(default, Tensor) else values.dtype)
    dense = to_dense_op(sp._indices, values, default, shape=dims_of(sp), validate=validate)
    return hinted(dense, sp._static._dims)


_zeros: dict[str, Tensor] = {}


def _zero(dtype: Any) -> Tensor:
    found = _zeros.get(dtype.name)
    if found is None:
        found = _zeros[dtype.name] = convert(np.zeros((), dtype.np))
    return found

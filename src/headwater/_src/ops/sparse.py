"""tf.sparse: making sparse tensors, making them dense, and rearranging them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as ops_math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes, nest
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import wrap
from headwater._src.core.composite import IndexedSlices, SparseTensor
from headwater._src.core.context import refused
from headwater._src.core.convert import convert, host_int, host_ints
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import bad, case
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.sparse_order import (
    DATA_DEPENDENT,
    at_positions,
    between,
    dense_of,
    find,
    hinted,
    is_sorted,
    made,
    numbers_of,
    of_parts,
    positions_of,
    rank_of,
    reorder_op,
    rows_of,
    sparse_of,
    static_ints,
    width_of,
)

# -- to and from dense ------------------------------------------------------------------------------------------------


@export("sparse.from_dense")
def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The elements of a dense tensor that are not 0 (for strings: not empty), in row-major order.

    >>> tf.sparse.from_dense([[0, 3], [0, 0]]).indices.numpy().tolist()
    [[0, 1]]
    """
    dense = convert(tensor)
    indices, values = _from_dense_op(dense)
    return made(indices, values, layout.shape(dense, dtypes.int64), dense._spec.shape)


def _from_dense(dense: np.ndarray) -> Any:
    if not dense.ndim:
        raise invalid("tf.sparse.from_dense: the tensor must have rank 1 or more; got a scalar.")
    numbers = np.flatnonzero(dense != (b"" if dense.dtype.kind == "O" else 0))
    return positions_of(numbers, dense.shape), dense.reshape(-1).take(numbers)


_from_dense_op = op(
    "SparseFromDense", "dense: A -> ?: int64; ?: dense",
    numpy=_from_dense,
    lower=DATA_DEPENDENT,
    grad=lambda g, y, dense: gather.scatter_nd(y[0], g[1], layout.shape(dense, dtypes.int64)),
    shape=lambda dense: [(None, None if dense.shape is None else len(dense.shape)), (None,)],
    doc="The positions of the elements that are not 0, and those elements.",
)  # fmt: skip


@export("sparse.to_dense")
def to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The dense tensor.

    Args:
      sp_input: a sparse tensor.
      default_value: a scalar for the places without a value; None for 0, or for an empty string.
      validate_indices: whether positions must be in row-major order and distinct; if not, the last value of a position counts.
      name: optional.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: a position is outside of the shape, out of order or repeated.
    """
    return dense_of(sparse_of(sp_input, "tf.sparse.to_dense"), default_value, validate_indices)


@export("sparse.reorder")
def reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same sparse tensor with its positions in row-major order.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
    """
    sp = sparse_of(sp_input, "tf.sparse.reorder")
    indices, values = reorder_op(sp._indices, sp._values, sp._dense_shape)
    return made(indices, values, sp._dense_shape, sp._static._dims)


@export("sparse.eye")
def eye(
    num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> SparseTensor:
    """A sparse matrix with ones on the diagonal, square where `num_columns` is not given."""
    for value in (num_rows, num_columns):
        if isinstance(value, (list, tuple, float)):
            raise TypeError(f"tf.sparse.eye: the sizes must be integers; got {value!r}.")
    if num_rows is None:
        raise TypeError("tf.sparse.eye: num_rows must be an integer; got None.")
    rows = cast(num_rows, dtypes.int64)
    columns = rows if num_columns is None else cast(num_columns, dtypes.int64)
    count = ops_math.minimum(rows, columns)
    line = create.range(count, dtype=dtypes.int64)
    ones = create.ones(layout.reshape(count, [1]), dtype=as_dtype(dtype))
    return SparseTensor(joining.stack([line, line], 1), ones, joining.stack([rows, columns]))


# -- shape ------------------------------------------------------------------------------------------------------------


def _settled_shape(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    size = int(np.prod(old))
    if (new < -1).any() or (new == -1).sum() > 1:
        raise invalid(
            f"tf.sparse.reshape: the shape must have dimensions >= 0 and at most one -1; got {new.tolist()}."
        )
    if (new == -1).any():
        rest = int(np.prod(new[new != -1]))
        if rest == 0 or size % rest:
            raise invalid(f"tf.sparse.reshape: {size} elements can't be arranged as shape {new.tolist()}.")
        new = np.where(new == -1, size // rest, new)
    if int(np.prod(new)) != size:
        raise invalid(
            f"tf.sparse.reshape: shape {old.tolist()} has {size} elements; shape {new.tolist()} has another number."
        )
    return new


def _reshape(indices: np.ndarray, shape: np.ndarray, new_shape: np.ndarray) -> Any:
    if indices.ndim != 2 or shape.ndim != 1 or new_shape.ndim != 1 or indices.shape[1] != len(shape):
        raise ValueError("shapes")
    new = _settled_shape(shape, new_shape)
    return positions_of(numbers_of(indices, shape), new), new


def _reshape_shape(indices: Spec, shape: Spec, new_shape: Spec) -> list[Any]:
    width = width_of(indices, shape)
    if shape.shape is not None and width is not None and shape.shape[0] not in (None, width):
        raise ValueError(f"indices have rank {width}, but the shape has length {shape.shape[0]}")
    if new_shape.shape is not None and len(new_shape.shape) != 1:
        raise ValueError(f"the new shape must be a vector; got shape {wrap(new_shape.shape)}")
    rank = None if new_shape.shape is None else new_shape.shape[0]
    return [(rows_of(indices), rank), (rank,)]


reshape_op = op(
    "SparseReshape", "indices: int64, shape: int64, new_shape: int64 -> ?: indices; ?: int64",
    numpy=_reshape,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_reshape_shape,
    doc="Positions for the same elements in another shape, and that shape.",
)  # fmt: skip


def _known_reshape(old: Any, new: Any) -> Any:
    """The static shape of a reshape; InvalidArgumentError where it can't be."""
    if new is None:
        return None
    if sum(d == -1 for d in new) > 1:
        raise refused(f"tf.sparse.reshape: at most one dimension can be inferred; got shape {tuple(new)}.")
    if None in new or old is None or None in old:
        return tuple(None if d == -1 else d for d in new)
    size, rest = int(np.prod(old)), int(np.prod([d for d in new if d != -1]))
    if -1 in new:
        if rest == 0 or size % rest:
            raise refused(f"tf.sparse.reshape: {size} elements can't be arranged as shape {tuple(new)}.")
        return tuple(size // rest if d == -1 else d for d in new)
    if size != rest:
        raise refused(
            f"tf.sparse.reshape: shape {tuple(old)} has {size} elements, but shape {tuple(new)} asks for {rest}."
        )
    return new


@export("sparse.reshape")
def reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same elements in another shape, in the same order.

    Args:
      sp_input: a sparse tensor.
      shape: a vector of integers, one of which may be -1.
      name: optional.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: the numbers of elements differ, or there is more than one -1.
    """
    sp = sparse_of(sp_input, "tf.sparse.reshape")
    if not isinstance(shape, Tensor) and np.ndim(shape) != 1 and not hasattr(shape, "as_list"):
        raise refused(f"tf.sparse.reshape: shape must be a vector; got {shape!r}.")
    wanted = shape if isinstance(shape, Tensor) else host_ints(shape, "tf.sparse.reshape: shape")
    static = _known_reshape(sp._static._dims, static_ints(shape))
    vector = cast(convert(wanted, None, dtypes.int64), dtypes.int64)
    indices, new_shape = reshape_op(sp._indices, sp._dense_shape, vector)
    return made(indices, sp._values, new_shape, static)


@export("sparse.expand_dims")
def expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A dimension of length 1 put in before dimension `axis`; None and -1 put it last.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: `axis` is out of range.
    """
    sp = sparse_of(sp_input, "tf.sparse.expand_dims")
    rank = sp._static.rank
    if isinstance(axis, (str, bytes)):
        raise TypeError(f"tf.sparse.expand_dims: axis must be an integer; got {axis!r}.")
    (at,) = (-1,) if axis is None else static_ints(axis)
    if at is None:
        raise NotImplementedError("tf.sparse.expand_dims needs to know the axis when it is traced.")
    if rank is not None and not -rank - 1 <= at <= rank:
        raise refused(f"tf.sparse.expand_dims: axis {at} is out of range [{-rank - 1}, {rank}].")
    if at < 0:
        if rank is None:
            raise NotImplementedError(
                "tf.sparse.expand_dims with a negative axis needs a sparse tensor of known rank."
            )
        at += rank + 1
    column = create.zeros_like(sp._values, dtypes.int64)
    columns = layout.expand_dims(column, 1)
    indices = joining.concat([sp._indices[:, :at], columns, sp._indices[:, at:]], 1)
    one = convert(np.ones(1, np.int64))
    shape = joining.concat([sp._dense_shape[:at], one, sp._dense_shape[at:]], 0)
    dims = sp._static._dims
    return made(indices, sp._values, shape, None if dims is None else (*dims[:at], 1, *dims[at:]))


@export("sparse.transpose")
def transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The dimensions in the order of `perm`, reversed where it is not given; positions come out in row-major order.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      ValueError: `perm` has not as many entries as there are dimensions.
      InvalidArgumentError: an entry of `perm` is out of range.
    """
    sp = sparse_of(sp_input, "tf.sparse.transpose")
    if perm is None:
        rank = sp._static.rank
        perm = _reversed(sp._dense_shape) if rank is None else tuple(range(rank))[::-1]
    elif not isinstance(perm, Tensor) and np.ndim(perm) != 1:
        raise TypeError(f"tf.sparse.transpose: perm must be a vector of integers; got {perm!r}.")
    order = host_ints(perm, "tf.sparse.transpose: perm")
    dims, static = sp._static._dims, None
    if order.__class__ is tuple and dims is not None:
        if len(order) != len(dims):
            raise ValueError(
                f"tf.sparse.transpose: perm must have one entry for each of {len(dims)} dimensions; got {order}."
            )
        if sorted(order) != list(range(len(dims))):
            raise refused(
                f"tf.sparse.transpose: perm must be a permutation of 0 to {len(dims) - 1}; got {order}."
            )
        static = tuple(dims[p] for p in order)
    entries = convert(order, None, dtypes.int64)
    indices = gather.gather(sp._indices, entries, axis=1)
    shape = gather.gather_dense(sp._dense_shape, entries)
    indices, values = reorder_op(indices, sp._values, shape)
    return made(indices, values, shape, static)


def _reversed(dense_shape: Tensor) -> Tensor:
    """The dimensions' numbers from the last to the first."""
    last = ops_math.subtract(layout.size(dense_shape), 1)
    return create.range(last, -1, -1)


def _check_large_enough(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    if old.shape != new.shape or (new < old).any():
        raise invalid(
            f"tf.sparse.reset_shape: new_shape {new.tolist()} must have as many entries as the shape {old.tolist()}, none smaller."
        )
    return new


_large_enough = op(
    "SparseLargeEnough", "old: int64, new: int64 -> ?: int64",
    numpy=_check_large_enough,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda old, new: new.shape,
    cases=lambda: [case([2, 3], [2, 5], id="larger"), bad([2, 3], [2, 2], id="smaller")],
    doc="The new shape itself, found to be no smaller than the old one.",
)  # fmt: skip


@export("sparse.reset_shape")
def reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same elements in another bounding shape: `new_shape`, or the smallest that holds them all.

    Args:
      sp_input: a sparse tensor.
      new_shape: a vector of the same rank, in no dimension smaller than the old one; None for the smallest shape.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      ValueError: the shape is known to have another rank or to be too small.
      InvalidArgumentError: it turns out to be too small when it runs.
    """
    sp = sparse_of(sp_input, "tf.sparse.reset_shape")
    if new_shape is None:
        largest = reduce.reduce_max(sp._indices, 0)
        shape = ops_math.maximum(ops_math.add(largest, create.ones_like(largest)), create.zeros_like(largest))
        return made(layout.identity(sp._indices), layout.identity(sp._values), shape)
    shape = cast(convert(new_shape, None, dtypes.int64), dtypes.int64)
    if shape._spec.shape is not None and len(shape._spec.shape) != 1:
        raise ValueError(f"tf.sparse.reset_shape: new_shape must be a vector; got shape {shape.shape}.")
    known = static_ints(shape)
    old = sp._static._dims
    if old is None or None in old or known is None or None in known:
        shape = _large_enough(sp._dense_shape, shape)
    if known is not None and old is not None:
        if len(known) != len(old):
            raise ValueError(f"tf.sparse.reset_shape: new_shape must have {len(old)} entries; got {known}.")
        if any(o is not None and n is not None and n < o for o, n in zip(old, known, strict=True)):
            raise ValueError(
                f"tf.sparse.reset_shape: new_shape {known} is smaller than the shape {sp._static}."
            )
    return made(layout.identity(sp._indices), layout.identity(sp._values), shape, known)


# -- parts ------------------------------------------------------------------------------------------------------------


def _slice(
    indices: np.ndarray, values: np.ndarray, shape: np.ndarray, start: np.ndarray, size: np.ndarray
) -> Any:
    if not start.shape == size.shape == shape.shape:
        raise invalid(
            f"tf.sparse.slice: start {start.tolist()} and size {size.tolist()} must have one entry for each of "
            f"{len(shape)} dimensions."
        )
    if (size < 0).any():
        raise invalid(f"tf.sparse.slice: size {size.tolist()} must not be negative.")
    inside, new_shape = between(indices, start, size), np.clip(shape - start, 0, size)
    if inside is None:
        return indices, values, new_shape
    indices = indices.compress(inside, axis=0)
    for i, first in enumerate(start.tolist()):
        if first:  # column by column: arithmetic on rows of a few numbers takes many times as long
            indices[:, i] -= first
    return indices, values.compress(inside), new_shape


def _slice_shape(indices: Spec, values: Spec, shape: Spec, start: Spec, size: Spec) -> list[Any]:
    width = width_of(indices, shape)
    return [(None, width), (None,), (width,)]


def _slice_grad(g: Any, y: Any, indices: Any, values: Any, shape: Any, start: Any, size: Any) -> Any:
    kept = ops_math.add(y[0], start)
    return None, at_positions(g[1], kept, indices), None, None, None


slice_op = op(
    "SparseSlice", "indices: int64, values: A, shape: int64, start: int64, size: int64 -> ?: indices; ?: values; ?: int64",
    numpy=_slice,
    lower=DATA_DEPENDENT,
    grad=_slice_grad,
    shape=_slice_shape,
    doc="The elements of a box, with positions counted from its corner.",
)  # fmt: skip


def _bounds(value: Any) -> Tensor:
    """A corner or the lengths of a box, int64; TypeError for other than integers."""
    return cast(convert(value, None if isinstance(value, Tensor) else dtypes.int64), dtypes.int64)


@export("sparse.slice")
def slice_(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The elements inside a box; positions are counted from its corner.

    Args:
      sp_input: a sparse tensor.
      start: the corner, a vector of integers as long as the rank.
      size: the lengths of the box; what lies beyond the end of a dimension is cut off.
      name: optional.

    Raises:
      InvalidArgumentError: `start` or `size` have another length, or a size is negative.
    """
    sp = sparse_of(sp_input, "tf.sparse.slice")
    static = None
    start, size = _bounds(start), _bounds(size)
    old, first, lengths = sp._static._dims, static_ints(start), static_ints(size)
    if (
        old is not None
        and first is not None
        and lengths is not None
        and len(old) == len(first) == len(lengths)
    ):
        static = tuple(
            None if d is None or f is None or n is None else min(max(d - f, 0), n)
            for d, f, n in zip(old, first, lengths, strict=True)
        )
    return of_parts(slice_op(sp._indices, sp._values, sp._dense_shape, start, size), static)


@export("sparse.split")
def split(
    sp_input: Any = None, num_split: Any = None, axis: Any = None, name: str | None = None
) -> list[SparseTensor]:
    """`num_split` sparse tensors that follow each other along `axis`; the first are one longer where it does not divide.

    Raises:
      ValueError: an argument is missing.
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: `num_split` is not in [1, length], or `axis` out of range.
    """
    if sp_input is None or num_split is None or axis is None:
        raise ValueError("tf.sparse.split needs sp_input, num_split and axis.")
    sp = sparse_of(sp_input, "tf.sparse.split")
    count, rank = (
        int(host_int(num_split, "tf.sparse.split: num_split", TypeError)),
        rank_of(sp, "tf.sparse.split"),
    )
    at = int(host_int(axis, "tf.sparse.split: axis", TypeError))
    if not -rank <= at < rank:
        raise refused(f"tf.sparse.split: axis {at} is out of range [{-rank}, {rank}).")
    at %= rank
    length = sp._static._dims[at]
    if count < 1 or (length is not None and count > length):
        raise refused(
            f"tf.sparse.split: num_split must be in [1, {length}], the length of axis {at}; got {count}."
        )
    frozen = sp.with_values(layout.stop_gradient(sp._values))
    whole = sp._dense_shape[at] if length is None else length
    pieces: list[SparseTensor] = []
    begin: Any = 0
    for i in range(count):
        # The first ones are one longer where the length is no multiple.
        size = (whole + (count - 1 - i)) // count
        pieces.append(_along(frozen, at, begin, size))
        begin = begin + size
    return pieces


def _along(sp: SparseTensor, axis: int, begin: Any, size: Any) -> SparseTensor:
    """A part of one dimension, the others whole."""
    rank = rank_of(sp, "tf.sparse.split")
    line = np.arange(rank) == axis
    start = ops_math.multiply(convert(line.astype(np.int64)), convert(begin, dtypes.int64))
    lengths = compare.where(convert(line), convert(size, dtypes.int64), sp._dense_shape)
    known = None if isinstance(size, Tensor) else size
    static = [known if i == axis else d for i, d in enumerate(sp._static.as_list())]
    return of_parts(slice_op(sp._indices, sp._values, sp._dense_shape, start, lengths), static)


@export("sparse.concat")
def concat(
    axis: Any, sp_inputs: Any, expand_nonconcat_dims: bool = False, name: str | None = None
) -> SparseTensor:
    """Sparse tensors one after another along `axis`; positions come out in row-major order. There is no gradient.

    Args:
      axis: the dimension, -1 for the last.
      sp_inputs: a list of sparse tensors of one dtype and rank.
      expand_nonconcat_dims: whether the other dimensions may differ; the largest count then.
      name: optional.

    Raises:
      TypeError: an input is no sparse tensor.
      InvalidArgumentError: the other dimensions differ, or ranks or dtypes do.
    """
    what = "tf.sparse.concat"
    if not isinstance(sp_inputs, (list, tuple)):
        sp_inputs = [sp_inputs]
    parts = [sparse_of(sp, what) for sp in sp_inputs]
    if not parts:
        raise refused("tf.sparse.concat needs at least one sparse tensor.")
    if len(parts) == 1:
        return parts[0]
    rank = rank_of(parts[0], what)
    if axis is None:
        raise TypeError(f"{what}: axis must be an integer; got None.")
    at = int(host_int(axis, "tf.sparse.concat: axis", TypeError))
    if not -rank <= at < rank:
        raise refused(f"tf.sparse.concat: axis {at} is out of range [{-rank}, {rank}).")
    at %= rank
    static = _concat_static(parts, at, expand_nonconcat_dims)
    step = convert((np.arange(rank) == at).astype(np.int64))
    offset: Any = create.zeros_like(step)
    indices = []
    for part in parts:
        indices.append(ops_math.add(part._indices, offset))
        offset = ops_math.add(offset, ops_math.multiply(part._dense_shape, step))
    shape = reduce.reduce_max(joining.stack([p._dense_shape for p in parts]), 0)
    shape = compare.where(compare.equal(step, 1), offset, shape)
    values = layout.stop_gradient(joining.concat([p._values for p in parts], 0))
    merged, values = reorder_op(joining.concat(indices, 0), values, shape)
    return made(merged, values, shape, static)


def _concat_static(parts: Sequence[SparseTensor], at: int, expand: bool) -> Any:
    """The static shape of a concatenation; InvalidArgumentError where the parts don't fit."""
    dims: list[Any] = parts[0]._static.as_list()
    for part in parts[1:]:
        if part._static.rank != len(dims):
            raise refused(f"tf.sparse.concat: all ranks must be {len(dims)}; got shape {part._static}.")
        for i, d in enumerate(part._static.as_list()):
            if i == at:
                dims[i] = None if d is None or dims[i] is None else dims[i] + d
            elif d is None or dims[i] is None:
                dims[i] = None if expand else (dims[i] if d is None else d)
            elif expand:
                dims[i] = max(dims[i], d)
            elif d != dims[i]:
                raise refused(
                    f"tf.sparse.concat: shapes must agree except along axis {at}; got {parts[0]._static} and {part._static}. "
                    "expand_nonconcat_dims=True allows it."
                )
    return dims


@export("sparse.retain")
def retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The elements for which the boolean vector `to_retain` holds.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      ValueError: `to_retain` has another length than the values.
    """
    sp = sparse_of(sp_input, "tf.sparse.retain")
    keep = convert(to_retain)
    have, want = keep._spec.shape, sp._values._spec.shape
    if (
        have is not None
        and want is not None
        and (len(have) != 1 or None not in (have[0], want[0]) and have[0] != want[0])
    ):
        raise ValueError(
            f"tf.sparse.retain: to_retain must have shape {wrap(want)}, one entry a value; got {wrap(have)}."
        )
    at = layout.reshape(compare.where(keep), [-1])
    return made(
        gather.gather_dense(sp._indices, at), gather.gather_dense(sp._values, at),
        layout.identity(sp._dense_shape), sp._static._dims,
    )  # fmt: skip


def _fill_rows(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, default: np.ndarray) -> Any:
    rows = int(shape[0])
    firsts = indices[:, 0]
    wrong = (firsts < 0) | (firsts >= rows)
    if wrong.any():
        raise invalid(
            f"tf.sparse.fill_empty_rows: indices[{int(wrong.argmax())}, 0] is out of range [0, {rows})."
        )
    if not is_sorted(firsts):
        order = np.argsort(firsts, kind="stable")
        *found, back = _fill_rows(indices.take(order, axis=0), values.take(order), shape, default)
        unsorted = np.empty(len(order), np.int64)
        unsorted[order] = back
        return *found, unsorted
    counts = np.bincount(firsts, minlength=rows)
    empty = counts == 0
    missing = np.flatnonzero(empty)
    old = np.arange(len(firsts)) + np.cumsum(empty).take(firsts)
    new = np.arange(len(missing)) + np.cumsum(counts).take(missing)
    filled = np.zeros((len(old) + len(new), indices.shape[1]), np.int64)
    filled[new, 0] = missing
    for i in range(indices.shape[1]):
        filled[old, i] = indices[:, i]
    out = np.empty(len(filled), values.dtype)
    out[old], out[new] = values, default
    return filled, out, empty, old


def _fill_rows_shape(indices: Spec, values: Spec, shape: Spec, default: Spec) -> list[Any]:
    if default.shape not in (None, ()):
        raise ValueError(f"default_value must be a scalar; got shape {wrap(default.shape)}")
    return [(None, width_of(indices, shape)), (None,), (None,), (rows_of(indices),)]


def _fill_rows_grad(g: Any, y: Any, *_: Any) -> Any:
    of_values = gather.gather_dense(g[1], y[3])
    return None, of_values, None, ops_math.subtract(reduce.sum_op(g[1]), reduce.sum_op(of_values))


_fill_rows_op = op(
    "SparseFillEmptyRows",
    "indices: int64, values: A, dense_shape: int64, default_value: values -> ?: indices; ?: values; ?: bool; ?: int64",
    numpy=_fill_rows,
    lower=DATA_DEPENDENT,
    grad=_fill_rows_grad,
    shape=_fill_rows_shape,
    doc="Adds an element at the start of each empty row; tells which rows were empty and where each old element went.",
)  # fmt: skip


@export("sparse.fill_empty_rows")
def fill_empty_rows(
    sp_input: Any, default_value: Any, name: str | None = None
) -> tuple[SparseTensor, Tensor]:
    """Puts `default_value` at the start of each row (of the first dimension) that has no element.

    Returns:
      The sparse tensor, and a boolean vector that tells which rows were empty.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: `default_value` is no scalar, or a position is out of range.
    """
    sp = sparse_of(sp_input, "tf.sparse.fill_empty_rows")
    default = convert(default_value, sp.dtype)
    if default._spec.shape not in (None, ()):
        raise refused(
            f"tf.sparse.fill_empty_rows: default_value must be a scalar; got shape {default.shape}."
        )
    indices, values, empty, _ = _fill_rows_op(sp._indices, sp._values, sp._dense_shape, default)
    dims = sp._static._dims
    hinted(empty, None if not dims else dims[:1])
    return made(indices, values, sp._dense_shape, dims), empty


def list_diff(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The positions of the elements of `x` that are not in `y`."""
    return np.flatnonzero(find(y.reshape(-1, 1), x.reshape(-1, 1)) < 0)


_kept_rows = op(
    "SparseMaskPositions", "indices: IX, mask: indices -> ?: int64",
    numpy=list_diff,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda indices, mask: (None,),
    cases=lambda: [case([1, 3, 2], [3], id="plain"), case([1], [1], id="all")],
    doc="The positions of the indices that are not in `mask`.",
)  # fmt: skip


@export("sparse.mask")
def mask(a: Any, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """IndexedSlices without the rows that `mask_indices` names."""
    if not isinstance(a, IndexedSlices):
        raise TypeError(f"tf.sparse.mask takes tf.IndexedSlices; got {a!r}.")
    at = _kept_rows(a.indices, convert(mask_indices, a.indices.dtype))
    return IndexedSlices(gather.gather_dense(a.values, at), gather.gather_dense(a.indices, at), a.dense_shape)


@export("sparse.to_indicator")
def to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """Booleans: whether the ids of each row, the values along the last dimension, name a word.

    Args:
      sp_input: a sparse tensor of ids; other numbers are cast to int64.
      vocab_size: the number of words, the length of the result's last dimension.
      name: optional.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: an id is out of range.
    """
    sp = sparse_of(sp_input, "tf.sparse.to_indicator")
    ids = layout.expand_dims(cast(sp._values, dtypes.int64), 1)
    indices = joining.concat([sp._indices[:, :-1], ids], 1)
    if vocab_size is None:
        raise TypeError("tf.sparse.to_indicator: vocab_size must be an integer; got None.")
    size = layout.reshape(cast(convert(vocab_size), dtypes.int64), [1])
    shape = joining.concat([sp._dense_shape[:-1], size], 0)
    dims, last = sp._static._dims, static_ints(vocab_size)
    static = None if not dims or last is None else (*dims[:-1], *last)
    return dense_of(made(indices, create.ones_like(sp._values, dtypes.bool_), shape, static), validate=False)


@export("sparse.map_values")
def map_values(op: Any, *args: Any, **kwargs: Any) -> SparseTensor:
    """`op` on the values of its sparse arguments, which must all have the same positions; the result has them too.

    Args:
      op: a function that gives as many values as it gets, such as `tf.math.square`.
      *args: arguments of `op`, lists of them too; of sparse tensors it gets the values.
      **kwargs: the same by name.

    Raises:
      ValueError: no argument is sparse.
      InvalidArgumentError: sparse arguments have different positions or shapes.
    """
    given = [args, kwargs]
    sparse = [x for x in nest.flatten(given) if isinstance(x, SparseTensor)]
    if not sparse:
        raise ValueError(
            "tf.sparse.map_values: no argument is a tf.SparseTensor; call the function itself on dense tensors."
        )
    first = sparse[0]
    for other in sparse[1:]:
        _check_same_positions(first, other)
    positional, named = nest.map_structure(lambda x: x._values if isinstance(x, SparseTensor) else x, given)
    values = op(*positional, **named)
    return made(first._indices, values, first._dense_shape, first._static._dims)


def _check_same_positions(a: SparseTensor, b: SparseTensor) -> None:
    for what, x, y in (("indices", a._indices, b._indices), ("dense_shape", a._dense_shape, b._dense_shape)):
        if x is y or not (isinstance(x, EagerTensor) and isinstance(y, EagerTensor)):
            continue
        if not np.array_equal(x._array, y._array):
            raise invalid(
                f"tf.sparse.map_values: the {what} of the sparse arguments differ: {x!r} and {y!r}."
            )

"""Ragged tensors and their dense and sparse forms."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.ragged import RaggedTensor, RowPartition, is_ragged
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.ops import cast, compare, create, gather, joining, layout, math, reduce
from headwater._src.ops import ragged_methods as methods
from headwater._src.ops import shape as shapes

# -- from dense and sparse tensors ------------------------------------------------------------------------------------


def from_tensor(
    tensor: Any,
    lengths: Any = None,
    padding: Any = None,
    ragged_rank: int = 1,
    splits_dtype: Any = dtypes.int64,
) -> RaggedTensor:
    """The rows of a dense tensor, cut to lengths or without padding."""
    if lengths is not None and padding is not None:
        raise ValueError("RaggedTensor.from_tensor takes lengths or padding, not both.")
    if not isinstance(ragged_rank, int):
        raise TypeError(f"ragged_rank must be an int; got {ragged_rank!r}.")
    if ragged_rank <= 0:
        raise ValueError(f"ragged_rank must be 1 or more; got {ragged_rank}.")
    splits_dtype = dtypes.as_dtype(splits_dtype)
    if is_ragged(tensor):
        raise (ValueError if ctx.graph is None else TypeError)(
            "RaggedTensor.from_tensor takes a dense tensor; got a RaggedTensor."
        )
    tensor = convert(tensor)
    rank = tensor.shape.rank
    if rank is not None and rank < 2:
        raise ValueError(
            f"A tensor of rank {rank} has no rows that could be ragged: its rank must be above 1."
        )
    if rank is not None and rank <= ragged_rank:
        raise ValueError(
            f"ragged_rank must be below the rank of the tensor; got {ragged_rank} for shape {tensor.shape}."
        )
    if lengths is not None and _is_nested(lengths):
        return _from_nested_lengths(tensor, lengths, splits_dtype)
    if lengths is None and padding is None:
        return methods.with_ragged_rank(tensor, ragged_rank, splits_dtype)
    if ragged_rank > 1:
        rows = methods.uniform_rows(tensor, splits_dtype)
        inner = from_tensor(rows.values, lengths, padding, ragged_rank - 1, splits_dtype)
        return RaggedTensor(inner, rows._row_partition, internal=True)
    if padding is not None:
        lengths = _unpadded_lengths(tensor, padding, splits_dtype)
    size = layout.shape(tensor, splits_dtype)[1]
    lengths = cast.cast(methods._integers(lengths, "lengths", None, splits_dtype), splits_dtype)
    lengths = math.minimum(math.maximum(lengths, create.constant(0, splits_dtype)), size)
    if not lengths.shape.is_compatible_with(tensor.shape[:1]):
        raise methods.unfit(
            f"from_tensor takes a length for each row; got shapes {lengths.shape} and {tensor.shape}."
        )
    splits = methods.splits_of(lengths)
    values = unpadded_op(tensor, layout.shape(tensor, splits_dtype)[:2], splits)
    return RaggedTensor(values, RowPartition(splits, internal=True, lengths=lengths), internal=True)


def _is_nested(lengths: Any) -> bool:
    return isinstance(lengths, (list, tuple)) and any(
        isinstance(one, (list, tuple, np.ndarray, Tensor)) and np.ndim(methods._array(one)) for one in lengths
    )


def _from_nested_lengths(tensor: Any, nested: Sequence[Any], splits_dtype: Any) -> RaggedTensor:
    rank = tensor.shape.rank
    if rank is not None and rank <= len(nested):
        raise ValueError(
            f"{len(nested)} vectors of lengths need a tensor of higher rank; got shape {tensor.shape}."
        )
    first = from_tensor(tensor, nested[0], None, 1, splits_dtype)
    if len(nested) == 1:
        return first
    inner = _from_nested_lengths(first.values, nested[1:], splits_dtype)
    return RaggedTensor(inner, first._row_partition, internal=True)


def _unpadded_lengths(tensor: Any, padding: Any, splits_dtype: Any) -> Any:
    padding = convert(padding, tensor.dtype)
    rank = tensor.shape.rank
    if rank is not None and not padding.shape.is_compatible_with(tensor.shape[2:]) and padding.shape.rank:
        raise ValueError(f"padding must have shape {tensor.shape[2:]}; got {padding.shape}.")
    if rank is not None and padding.shape.rank == 0 and rank > 2:
        raise ValueError(f"padding must have shape {tensor.shape[2:]}; got {padding.shape}.")
    other = compare.not_equal(tensor, padding)
    if rank is not None and rank > 2:
        other = reduce.reduce_any(other, axis=list(range(2, rank)))
    return cast.cast(used_op(other), splits_dtype)


def _used(other: np.ndarray) -> np.ndarray:
    width = other.shape[1]
    if not width:
        return np.zeros(len(other), np.int64)
    last = other[:, ::-1].argmax(axis=1)
    return np.where(other[np.arange(len(other)), width - 1 - last], width - last, 0)


used_op: Any = op(
    "RaggedUsedColumns", "other: bool -> ?: int64",
    numpy=_used,
    lower=HOST_ONLY("ragged tensors are made of what it gives"),
    grad=NONDIFF,
    shape=lambda other: None if other.shape is None else other.shape[:1],
    doc="How many columns of each row there are up to the last true one.",
)  # fmt: skip


def from_sparse(sparse: Any, splits_dtype: Any = dtypes.int64) -> RaggedTensor:
    """A ragged tensor of the values of a sparse matrix."""
    if not isinstance(sparse, SparseTensor):
        raise TypeError(f"RaggedTensor.from_sparse takes a SparseTensor; got {type(sparse).__name__}.")
    if sparse.shape.rank != 2:
        raise ValueError(f"RaggedTensor.from_sparse takes a matrix, of rank 2; got shape {sparse.shape}.")
    indices = sparse.indices
    rows = cast.cast(indices[:, 0], splits_dtype)
    partition = methods.from_value_rowids(rows, sparse.dense_shape[0], False)
    columns = cast.cast(indices[:, 1], splits_dtype)
    methods.require(
        compare.equal(columns, methods.offsets_of(partition)) if columns.shape.rank else True,
        "The rows of the sparse tensor must be filled from the left without gaps, and its positions in order "
        "(right-ragged).",
    )
    return RaggedTensor(sparse.values, partition, internal=True)


# -- padding ----------------------------------------------------------------------------------------------------------


def _cells(sizes: np.ndarray, row_splits: Sequence[np.ndarray]) -> tuple[Any, np.ndarray]:
    """Which values stand in a padded tensor whose outer dimensions are `sizes`, None for all of them, and in which cells."""
    rows = len(row_splits[0]) - 1
    place = np.arange(min(rows, int(sizes[0])), dtype=row_splits[0].dtype)
    source = None if len(place) == rows else place
    for splits, size in zip(row_splits, sizes[1:].tolist(), strict=True):
        starts, lengths = splits[:-1], np.diff(splits)
        if source is not None:
            starts, lengths = starts[source], lengths[source]
        if lengths.max(initial=0) > size:
            lengths, source = np.minimum(lengths, size), starts
        if source is not None:
            source = methods._positions(starts, lengths)
        place = methods._positions(place * size, lengths)
    return source, place


def _padded(
    values: np.ndarray, default: np.ndarray, sizes: np.ndarray, *row_splits: np.ndarray
) -> np.ndarray:
    dims = sizes.tolist()
    source, place = _cells(sizes, row_splits)
    shape = (int(np.prod(dims, dtype=np.int64)), *values.shape[1:])
    blank = values.dtype.kind != "O" and not default
    out = np.zeros(shape, values.dtype) if blank else np.full(shape, default[()], values.dtype)
    out[place] = values if source is None else values[source]
    return out.reshape(*dims, *values.shape[1:])


def _unpadded(padded: np.ndarray, sizes: np.ndarray, *row_splits: np.ndarray) -> np.ndarray:
    source, place = _cells(sizes, row_splits)
    found = padded.reshape(-1, *padded.shape[len(sizes) :])[place]
    if source is None:
        return found
    out = np.zeros((int(row_splits[-1][-1]), *found.shape[1:]), padded.dtype)
    out[source] = found
    return out


def _padded_grad(g: Any, y: Any, values: Any, default: Any, sizes: Any, *row_splits: Any) -> Any:
    # The default is a Python number here; a tensor is put in by `where`.
    return unpadded_op(g, sizes, *row_splits), None, None, *(None for _ in row_splits)


def _unpadded_grad(g: Any, y: Any, padded: Any, sizes: Any, *row_splits: Any) -> Any:
    return padded_op(g, create.zeros([], g.dtype), sizes, *row_splits), None, *(None for _ in row_splits)


padded_op: Any = op(
    "RaggedPadded", "values: A, default: values, sizes: IX, *row_splits: sizes -> ?: values",
    numpy=_padded,
    lower=HOST_ONLY("where the values stand is only known from the splits"),
    grad=_padded_grad,
    shape=lambda values, default, sizes, *row_splits: (
        None if values.shape is None else (*(None for _ in range(len(row_splits) + 1)), *values.shape[1:])
    ),
    doc="A dense tensor with the values in their rows, the first of them where there is no room for all.",
)  # fmt: skip

unpadded_op: Any = op(
    "RaggedUnpadded", "padded: A, sizes: IX, *row_splits: sizes -> ?: padded",
    numpy=_unpadded,
    lower=HOST_ONLY("where the values stand is only known from the splits"),
    grad=_unpadded_grad,
    shape=lambda padded, sizes, *row_splits: None if padded.shape is None else (None, *padded.shape[len(row_splits) + 1 :]),
    doc="The values that stand in the rows of a padded tensor; zeros for those that were cut off.",
)  # fmt: skip


def to_tensor(ragged: RaggedTensor, default_value: Any = None, shape: Any = None) -> Any:
    """A dense tensor, padded and cut."""
    flat, partitions = ragged.flat_values, ragged._nested_row_partitions
    splits = [p._row_splits for p in partitions]
    outer, static = _padded_sizes(ragged, partitions, shape)
    if default_value is None or isinstance(default_value, (int, float, complex, str, bytes)):
        blank = _blank(flat.dtype) if default_value is None else convert(default_value, flat.dtype)
        result = padded_op(flat, blank, outer, *splits)
    else:
        result = _with_default(flat, convert(default_value, flat.dtype), outer, splits)
    if static is not None and not isinstance(result, EagerTensor):
        result.set_shape(static)
    return result


@functools.cache
def _blank(dtype: Any) -> EagerTensor:
    return of_array(np.full((), b"" if dtype == dtypes.string else 0, dtype.np))


def _padded_sizes(ragged: RaggedTensor, partitions: Sequence[RowPartition], shape: Any) -> tuple[Any, Any]:
    """The outer dimensions of a padded tensor, and what is static of its shape."""
    dtype = partitions[0].dtype
    longest = [methods._longest(p) for p in partitions]
    if shape is None and all(isinstance(n, EagerTensor) for n in longest) and ctx.graph is None:
        rows = len(partitions[0]._row_splits._array) - 1
        return of_array(np.array([rows, *(n._array for n in longest)], dtype.np)), None
    sizes = [partitions[0].nrows(), *longest]
    static = list(ragged.shape.as_list()) if ragged.shape.rank is not None else None
    if shape is not None:
        wanted, static = _wanted_shape(shape, ragged, len(sizes), static)
        sizes = [b if w is None else w for b, w in zip(sizes, wanted, strict=True)]
    return joining.stack([cast.cast(s, dtype) for s in sizes]), static


def _with_default(flat: Any, default: Any, outer: Any, splits: Sequence[Any]) -> Any:
    """Padding with a tensor, which may have a gradient."""
    rank = flat.shape.rank
    if default.shape.rank and rank is not None and default.shape.rank >= rank:
        raise methods.refused(
            f"default_value must be a scalar or fit the inner shape {flat.shape[1:]}; got shape {default.shape}."
        )
    padded = padded_op(flat, _blank(flat.dtype), outer, *splits)
    filled = padded_op(create.ones_like(flat, dtypes.bool_), create.constant(False), outer, *splits)
    return compare.where(filled, padded, layout.broadcast_to(default, layout.shape(padded)))


def _wanted_shape(shape: Any, ragged: RaggedTensor, outer: int, static: Any) -> Any:
    """The outer dimensions asked for, None for as large as need be, and what is static of the whole."""
    if isinstance(shape, Tensor):
        count = shape.shape.num_elements()
        if count is None:
            raise ValueError("to_tensor: the length of shape must be known.")
        dims: list[Any] = (
            [int(d) for d in shape._array]
            if isinstance(shape, EagerTensor)
            else [shape[i] for i in range(count)]
        )
    else:
        dims = TensorShape(shape).as_list() if TensorShape(shape).rank is not None else [None] * ragged.ndim
    dims = [None if isinstance(d, int) and d < 0 else d for d in dims]
    if len(dims) != ragged.shape.rank:
        raise methods.refused(f"to_tensor: shape must have rank {ragged.shape.rank}; got {shape}.")
    for want, have in zip(dims[outer:], ragged.shape.as_list()[outer:], strict=True):
        if want is not None and have is not None and want != have:
            raise methods.refused(
                f"to_tensor: the inner dimensions of {ragged.shape} can't be changed to {shape}."
            )
    return dims[:outer], [d if isinstance(d, int) else None for d in dims[:outer]] + static[outer:]


def to_sparse(ragged: RaggedTensor) -> SparseTensor:
    """A sparse tensor of all values."""
    flat, partitions = ragged.flat_values, ragged._nested_row_partitions
    rank = flat.shape.rank or 1
    columns = [methods.offsets_of(partitions[-1])]
    ids = partitions[-1].value_rowids()
    for partition in reversed(partitions[:-1]):
        columns.insert(0, gather.gather(methods.offsets_of(partition), ids))
        ids = gather.gather(partition.value_rowids(), ids)
    columns.insert(0, ids)
    indices = cast.cast(joining.stack(columns, axis=1), dtypes.int64)
    if rank > 1:
        inner = layout.shape(flat, dtypes.int64)[1:]
        count = reduce.reduce_prod(inner)
        places = compare.where(create.ones(inner, dtypes.bool_))
        repeated = shapes.repeat(indices, count, axis=0)
        indices = joining.concat(
            [
                repeated,
                shapes.tile(
                    places,
                    joining.stack([layout.shape(indices, dtypes.int64)[0], create.constant(1, dtypes.int64)]),
                ),
            ],
            1,
        )
        flat = layout.reshape(flat, [-1])
    return SparseTensor(indices, flat, methods.bounding_shape(ragged, None, dtypes.int64))

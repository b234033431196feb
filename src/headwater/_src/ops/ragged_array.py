"""Rearranging ragged tensors: joining, gathering, masking, tiling, reversing, splitting."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.errors import TracedTypeError
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.ragged import RaggedTensor, RowPartition, is_ragged, known_int
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops import cast, compare, create, gather, joining, layout, math, ragged_dense, reduce
from headwater._src.ops import ragged_methods as methods
from headwater._src.ops import shape as shapes
from headwater._src.ops.ragged_index import expand_first, expand_second, take, take_runs
from headwater._src.ops.ragged_math import elementwise, require_same_rows, splits_dtype_of

# -- dimensions of length 1 -------------------------------------------------------------------------------------------


def expand_dims(value: Any, axis: int) -> Any:
    """`value`, ragged or dense, with a new dimension of length 1."""
    if not is_ragged(value):
        return layout.expand_dims(value, axis)
    rank = value.shape.rank
    axis = methods.axis_of(
        known_int(axis) if isinstance(axis, Tensor) else axis, None if rank is None else rank + 1
    )  # type: ignore[arg-type]
    if axis == 0:
        return expand_first(value)
    if axis == 1:
        return expand_second(value)
    return RaggedTensor(expand_dims(value.values, axis - 1), value._row_partition, internal=True)


def squeeze(value: Any, axis: Any = None) -> Any:
    """`value` without the dimensions `axis`, which must have length 1."""
    if not is_ragged(value):
        return layout.squeeze(value, axis)
    if axis is None:
        raise ValueError("squeeze of a ragged tensor needs an axis.")
    axes = sorted(
        {methods.axis_of(a, value.shape.rank) for a in (axis if isinstance(axis, (list, tuple)) else [axis])}
    )
    for one in reversed(axes):
        value = _squeezed(value, one)
    return value


def _squeezed(value: Any, axis: int) -> Any:
    if not is_ragged(value):
        return layout.squeeze(value, axis)
    if axis == 0:
        methods.require(
            _equals(value._row_partition.nrows(), 1), "squeeze: the first dimension does not have length 1."
        )
        return value.values
    if axis == 1:
        lengths = value.row_lengths()
        methods.require(
            compare.equal(lengths, create.constant(1, lengths.dtype)),
            "squeeze: the rows do not have length 1.",
        )
        return value.values
    return RaggedTensor(_squeezed(value.values, axis - 1), value._row_partition, internal=True)


def _equals(tensor: Any, number: int) -> Any:
    return compare.equal(tensor, create.constant(number, tensor.dtype))


# -- joining ----------------------------------------------------------------------------------------------------------


def _joinable(values: Any) -> list[Any]:
    if is_ragged(values):
        values = [values]
    dtype = next((v.dtype for v in values if isinstance(v, Tensor) or is_ragged(v)), None)
    out = [v if is_ragged(v) else convert(v, None, dtype) for v in values]
    if not out:
        raise ValueError("concat and stack take at least one tensor.")
    return out


def concat(values: Any, axis: Any) -> Any:
    """Tensors and ragged tensors of one rank, one after the other along `axis`."""
    parts = _joinable(values)
    ranks = {p.shape.rank for p in parts if p.shape.rank is not None}
    if len(ranks) > 1:
        raise ValueError(f"concat takes values of one rank; got ranks {sorted(ranks)}.")
    if isinstance(axis, Tensor):
        axis = known_int(axis)
    axis = methods.axis_of(axis, next(iter(ranks), None))
    if len(parts) == 1:
        return parts[0]
    return _concat(parts, axis, splits_dtype_of(parts))


def _concat(parts: list[Any], axis: int, splits_dtype: Any) -> Any:
    if not any(map(is_ragged, parts)):
        return joining.concat(parts, axis)
    if axis == 0:
        return _concat_rows(parts, splits_dtype)
    if axis == 1:
        return _concat_columns(parts, splits_dtype)
    rows = [methods.with_ragged_rank(p, 1, splits_dtype) for p in parts]
    lead = rows[0]._row_partition
    for row in rows[1:]:
        require_same_rows(row._row_partition, lead)
    return RaggedTensor(_concat([r.values for r in rows], axis - 1, splits_dtype), lead, internal=True)


def _concat_rows(parts: list[Any], splits_dtype: Any) -> Any:
    rank = max(p.ragged_rank for p in parts if is_ragged(p))
    if rank == 0:
        return joining.concat(parts, 0)
    rows = [methods.with_ragged_rank(p, 1, splits_dtype) for p in parts]
    splits, offset = [rows[0].row_splits], rows[0].row_splits[-1]
    for row in rows[1:]:
        splits.append(row.row_splits[1:] + offset)
        offset = offset + row.row_splits[-1]
    values = [r.values for r in rows]
    inner = _concat_rows(values, splits_dtype) if any(map(is_ragged, values)) else joining.concat(values, 0)
    return RaggedTensor(inner, RowPartition(joining.concat(splits, 0), internal=True), internal=True)


def _concat_columns(parts: list[Any], splits_dtype: Any) -> Any:
    """Row i of the result is made of the rows i of all parts."""
    values, lengths = _interleaved(parts, splits_dtype)
    totals = reduce.reduce_sum(lengths, 1)
    return RaggedTensor(
        values, RowPartition(methods.splits_of(totals), internal=True, lengths=totals), internal=True
    )


def _stacked_columns(parts: list[Any], splits_dtype: Any) -> Any:
    """Row i of the result has the rows i of all parts as its elements."""
    values, lengths = _interleaved(parts, splits_dtype)
    rows = methods.from_row_lengths(layout.reshape(lengths, [-1]), False)
    count = layout.shape(lengths, splits_dtype)[:1]
    outer = methods.from_row_lengths(create.fill(count, create.constant(len(parts), splits_dtype)), False)
    return RaggedTensor(RaggedTensor(values, rows, internal=True), outer, internal=True)


def _interleaved(parts: list[Any], splits_dtype: Any) -> tuple[Any, Any]:
    """The values of the first rows of all parts, of the second rows and so on; and the lengths of the rows, [rows, parts]."""
    rows = [methods.with_ragged_rank(p, 1, splits_dtype) for p in parts]
    counts = {r._row_partition.static_nrows for r in rows} - {None}
    if len(counts) > 1:
        raise methods.refused(f"concat or stack: the numbers of rows differ: {sorted(counts)}.")
    lengths = [r.row_lengths() for r in rows]
    values = [r.values for r in rows]
    if any(map(is_ragged, values)):
        values = [methods.with_ragged_rank(v, 1, splits_dtype) for v in values]
        joined = _concat_rows(values, splits_dtype)
    else:
        joined = joining.concat(values, 0)
    starts, offset = [], None
    for row in rows:
        starts.append(row.row_starts() if offset is None else row.row_starts() + offset)
        offset = row.row_splits[-1] if offset is None else offset + row.row_splits[-1]
    flat_starts = layout.reshape(joining.stack(starts, 1), [-1])
    table = joining.stack(lengths, 1)
    return take_runs(joined, flat_starts, layout.reshape(table, [-1])), table


def stack(values: Any, axis: int = 0) -> Any:
    """Tensors and ragged tensors of one rank along a new axis; with axis 0, dense tensors may differ in shape."""
    parts = _joinable(values)
    ranks = {p.shape.rank for p in parts if p.shape.rank is not None}
    if len(ranks) > 1:
        raise ValueError(f"stack takes values of one rank; got ranks {sorted(ranks)}.")
    rank = next(iter(ranks), None)
    axis = methods.axis_of(axis, None if rank is None else rank + 1)
    if rank == 0:
        return joining.stack(parts, axis)
    if axis == 0:
        return _stacked(parts, splits_dtype_of(parts))
    if axis == 1 and any(map(is_ragged, parts)):
        return _stacked_columns(parts, splits_dtype_of(parts))
    return _concat([expand_dims(p, axis) for p in parts], axis, splits_dtype_of(parts))


def _stacked(parts: list[Any], splits_dtype: Any) -> Any:
    rows = [expand_first(p) if is_ragged(p) else _one_row(p, splits_dtype) for p in parts]
    result = _concat_rows(rows, splits_dtype)
    return RaggedTensor(result.values, RowPartition(result.row_splits, internal=True), internal=True)


def _one_row(tensor: Any, splits_dtype: Any) -> RaggedTensor:
    if tensor.shape.rank is not None and tensor.shape.rank > 1:
        tensor = methods.with_ragged_rank(tensor, tensor.shape.rank - 1, splits_dtype)
        return expand_first(tensor)
    length = layout.shape(tensor, splits_dtype)[0]
    return RaggedTensor(tensor, methods.from_row_lengths(layout.reshape(length, [1]), False), internal=True)


# -- gathering --------------------------------------------------------------------------------------------------------


def gather_rows(params: Any, indices: Any, axis: Any = 0, batch_dims: int = 0) -> Any:
    """`tf.gather` where params or indices or both are ragged."""
    params = params if is_ragged(params) else convert(params)
    indices = indices if is_ragged(indices) else convert(indices, None, dtypes.int32)
    if not indices.dtype.is_integer:
        raise methods.refused(f"gather takes integer indices; got {indices.dtype!r}.", TracedTypeError)
    if isinstance(axis, Tensor):
        axis = known_int(axis)
    axis = batch_dims if axis is None else axis
    if batch_dims < 0:
        batch_dims = methods.axis_of(batch_dims, indices.shape.rank, "batch_dims")
    axis = methods.axis_of(axis, params.shape.rank)
    if batch_dims > axis:
        raise ValueError(f"batch_dims={batch_dims} must not exceed axis={axis}.")
    if batch_dims:
        return _batch_gather(params, indices, axis, batch_dims)
    if axis:
        return _gather_inner(params, indices, axis)
    if is_ragged(indices):
        return methods.rebuilt(indices, gather_rows(params, indices.flat_values))
    return _gather_dense(params, indices)


def _gather_dense(params: Any, indices: Any) -> Any:
    if not is_ragged(params):
        return gather.gather(params, indices)
    rank = indices.shape.rank
    if rank is None:
        raise ValueError("gather from a ragged tensor takes indices whose rank is known.")
    if rank == 0:
        _check_rows(params, indices)
        starts, limits = params.row_starts(), params.row_limits()
        return params.values[starts[indices] : limits[indices]]
    if rank > 1:
        dtype = params.row_splits.dtype
        wrapped = methods.with_ragged_rank(indices, rank - 1, dtype)
        return methods.rebuilt(wrapped, _gather_dense(params, wrapped.flat_values))
    _check_rows(params, indices)
    rows = take(
        params, indices
    )  # lengths of rows are data in the result, as TensorFlow has it, even if all were alike
    return RaggedTensor.from_nested_row_splits(rows.flat_values, rows.nested_row_splits, validate=False)


def _check_rows(params: Any, indices: Any) -> None:
    count = params._row_partition.static_nrows
    if isinstance(indices, EagerTensor) and count is not None:
        array = indices._array
        bad = (array < 0) | (array >= count)
        if bad.any():
            at = np.argwhere(bad)[0].tolist()
            raise methods.refused(
                f"tf.gather: indices{at or ''} = {array[tuple(at)]} is not in [0, {count})."
            )


def _gather_inner(params: Any, indices: Any, axis: int) -> Any:
    """The same indices in every slice along an inner axis."""
    if not is_ragged(params):
        return (
            _dense_inner(params, indices, axis)
            if is_ragged(indices)
            else gather.gather(params, indices, axis=axis)
        )
    if axis > 1:
        return RaggedTensor(
            gather_rows(params.values, indices, axis - 1), params._row_partition, internal=True
        )
    if not is_ragged(indices) and indices.shape.rank == 1:
        return _gather_columns(params, indices)
    every = create.zeros(layout.reshape(params.nrows(), [1]), dtypes.int64)
    return _batch_gather(params, take(expand_dims(indices, 0), every), 1, 1)


def _require_inside(what: str, places: Any, lengths: Any) -> None:
    """InvalidArgumentError unless all places are inside of rows of these lengths; the next row's values are no answer."""
    inside = compare.logical_and(
        compare.greater_equal(places, create.zeros([], places.dtype)), compare.less(places, lengths)
    )
    methods.require(
        inside, f"{what}: an index is not in its row; it must be from 0 to the row's length, exclusive."
    )


def _gather_columns(params: Any, indices: Any) -> Any:
    """The elements of each row at a vector of places."""
    wanted = cast.cast(indices, params.row_splits.dtype)
    _require_inside("tf.gather", layout.expand_dims(wanted, 0), layout.expand_dims(params.row_lengths(), 1))
    places = layout.expand_dims(params.row_starts(), 1) + layout.expand_dims(wanted, 0)
    if is_ragged(params.values):
        return _gather_dense(params.values, places)
    return gather.gather(params.values, places)


def _dense_inner(params: Any, indices: Any, axis: int) -> Any:
    """Ragged indices along an inner axis of a dense tensor: every slice gets the partitions of the indices."""
    dtype = indices.row_splits.dtype
    rows = methods.uniform_rows(params, dtype)
    if axis > 1:
        return RaggedTensor(_dense_inner(rows.values, indices, axis - 1), rows._row_partition, internal=True)
    result = methods.merge_dims(gather.gather(params, indices.flat_values, axis=1), 0, 1)
    slices = layout.shape(params, dtype)[:1]
    for part in reversed(indices._nested_row_partitions):
        lengths = shapes.tile(part.row_lengths(), slices)
        result = RaggedTensor(result, methods.from_row_lengths(lengths, False), internal=True)
    count = params.shape[0]
    outer = methods.from_uniform(indices.nrows(), None, slices[0] if count is None else count)
    return RaggedTensor(result, outer, internal=True)


def _batch_gather(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    dtype = splits_dtype_of([params, indices])
    if batch_dims > 1:
        a = methods.with_ragged_rank(params, 1, dtype)
        b = methods.with_ragged_rank(indices, 1, dtype)
        require_same_rows(a._row_partition, b._row_partition)
        return RaggedTensor(
            gather_rows(a.values, b.values, axis - 1, batch_dims - 1), b._row_partition, internal=True
        )
    rows = methods.with_ragged_rank(params, 1, dtype)
    if not rows.shape[:1].is_compatible_with(indices.shape[:1]):
        raise methods.unfit(
            f"tf.gather: the batch dimensions differ; got shapes {params.shape} and {indices.shape}."
        )
    if axis > 1:
        # The indices of a batch serve each of its slices.
        spread = RaggedTensor(take(indices, rows.value_rowids()), rows._row_partition, internal=True)
        return _batch_gather(rows, spread, axis, 2)
    starts = rows.row_starts()
    if not is_ragged(indices):
        rank = indices.shape.rank
        shift = layout.reshape(starts, [-1] + [1] * (rank - 1)) if rank else starts
        places = cast.cast(indices, dtype)
        like = shift.shape if isinstance(shift, EagerTensor) else layout.shape(shift)
        _require_inside("tf.gather", places, layout.reshape(rows.row_lengths(), like))
        return gather_rows(rows.values, places + shift)
    ids = indices.value_rowids()
    inner = indices.values

    def shifted(ids: Any, inner: Any) -> Any:
        if is_ragged(inner):
            return RaggedTensor(
                shifted(gather.gather(ids, inner.value_rowids()), inner.values),
                inner._row_partition,
                internal=True,
            )
        _require_inside("tf.gather", cast.cast(inner, dtype), gather.gather(rows.row_lengths(), ids))
        return cast.cast(inner, dtype) + gather.gather(starts, ids)

    places = shifted(ids, inner)
    return RaggedTensor(gather_rows(rows.values, places), indices._row_partition, internal=True)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0) -> Any:
    """`tf.gather_nd` from a ragged tensor, or with ragged indices whose last dimension is uniform."""
    if batch_dims:
        raise ValueError("gather_nd of ragged tensors takes no batch_dims.")
    if is_ragged(indices):
        if indices.shape[-1] is None:
            raise ValueError("gather_nd: the last dimension of ragged indices must be uniform.")
        return methods.rebuilt(indices, gather_nd(params, indices.flat_values))
    if not is_ragged(params):
        return gather.gather_nd(params, indices)
    indices = convert(indices, None, dtypes.int32)
    if not indices.dtype.is_integer:
        raise methods.refused(f"gather_nd takes integer indices; got {indices.dtype!r}.", TracedTypeError)
    if indices.shape.rank == 0:
        raise ValueError("gather_nd takes indices of rank 1 or more; got a scalar.")
    depth = indices.shape[-1]
    if depth is None:
        raise ValueError("gather_nd: the last dimension of indices must be known.")
    if indices.shape.rank > 2:
        found = gather_nd(params, layout.reshape(indices, [-1, depth]))
        if not is_ragged(found):
            lead = layout.shape(indices)[:-1]
            return layout.reshape(found, joining.concat([lead, layout.shape(found)[1:]], 0))
        wrapped = methods.with_ragged_rank(indices, indices.shape.rank - 2, params.row_splits.dtype)
        return methods.rebuilt(wrapped, found)
    if indices.shape.rank == 1:
        return gather_nd(params, layout.expand_dims(indices, 0))[0]
    places = cast.cast(indices, params.row_splits.dtype)
    value, level = params, 1
    place = places[:, 0]
    while level < depth and is_ragged(value):
        _require_inside("tf.gather_nd", places[:, level], gather.gather(value.row_lengths(), place))
        place = gather.gather(value.row_starts(), place) + places[:, level]
        value, level = value.values, level + 1
    if level < depth:
        return gather.gather_nd(value, joining.concat([layout.expand_dims(place, 1), places[:, level:]], 1))
    return _gather_dense(value, place)


def boolean_mask(data: Any, mask: Any) -> Any:
    """The elements of `data` where `mask` is true, each in its row."""
    mask = mask if is_ragged(mask) else convert(mask, dtypes.bool_)
    data = data if is_ragged(data) else convert(data)
    if mask.dtype != dtypes.bool_:
        raise ValueError(f"boolean_mask takes a mask of bools; got {mask.dtype!r}.")
    rank = mask.shape.rank
    if rank is None:
        raise ValueError("boolean_mask takes a mask whose rank is known.")
    if rank == 0:
        raise ValueError("boolean_mask takes a mask of rank 1 or more.")
    dtype = splits_dtype_of([data, mask])
    if data.shape.rank is not None and data.shape.rank < rank:
        raise ValueError(
            f"boolean_mask: a mask of rank {rank} needs data of as high a rank; got shape {data.shape}."
        )
    if rank > 1:
        mask = methods.with_ragged_rank(mask, 1, dtype)
        data = methods.with_ragged_rank(data, 1, dtype)
        require_same_rows(mask._row_partition, data._row_partition)
        _require_as_many(data.values, mask.values)
        inner = boolean_mask(data.values, mask.values)
        if rank > 2 or is_ragged(mask.values):
            return RaggedTensor(inner, mask._row_partition, internal=True)
        from headwater._src.ops.ragged_math import row_sum

        lengths = row_sum(cast.cast(mask.values, dtype), mask.row_splits)
        return RaggedTensor(
            inner, RowPartition(methods.splits_of(lengths), internal=True, lengths=lengths), internal=True
        )
    if not is_ragged(data):
        return gather.boolean_mask(data, mask)
    if not mask.shape.is_compatible_with(data.shape[:1]):
        raise methods.unfit(f"boolean_mask: the mask has {mask.shape[0]} elements for {data.shape[0]} rows.")
    return take(data, cast.cast(compare.where(mask)[:, 0], dtype))


def _require_as_many(a: Any, b: Any) -> None:
    if not a.shape[:1].is_compatible_with(b.shape[:1]):
        raise methods.refused(
            f"The ragged tensors have different numbers of values: {a.shape[0]} and {b.shape[0]}."
        )


# -- the rest ---------------------------------------------------------------------------------------------------------


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`tf.where` with a ragged condition or ragged choices."""
    if (x is None) != (y is None):
        raise ValueError("where takes both x and y, or neither.")
    if x is not None:
        if not is_ragged(x) and not is_ragged(y) and not isinstance(x, Tensor) and not isinstance(y, Tensor):
            x, y = convert(x), convert(y)
        elif not isinstance(x, Tensor) and not is_ragged(x):
            x = convert(x, y.dtype)
        elif not isinstance(y, Tensor) and not is_ragged(y):
            y = convert(y, x.dtype)
        condition = condition if is_ragged(condition) else convert(condition, dtypes.bool_)
        return elementwise(compare.where, [condition, x, y])
    sparse = ragged_dense.to_sparse(methods.rebuilt(condition, condition.flat_values))
    return gather.boolean_mask(sparse.indices, layout.reshape(condition.flat_values, [-1]))


def tile(value: Any, multiples: Any) -> Any:
    """`value` repeated `multiples[axis]` times along each axis."""
    multiples = convert(multiples, None, dtypes.int64)
    if not multiples.dtype.is_integer:
        raise TypeError(f"tile takes integer multiples; got {multiples.dtype!r}.")
    if multiples.shape.rank != 1:
        raise ValueError(f"tile takes a vector of multiples; got shape {multiples.shape}.")
    counts: list[Any] = [known_int(multiples[i]) for i in range(multiples.shape[0] or 0)]
    if len(counts) != value.shape.rank:
        raise methods.refused(
            f"tile takes a multiple for each of {value.shape.rank} dimensions; got {len(counts)}."
        )
    if None in counts:
        raise NotImplementedError("tile of a ragged tensor takes multiples that are known while tracing.")
    if min(counts) < 0:
        raise methods.refused(f"tile takes multiples of 0 or more; got {counts}.")
    return _tiled(value, counts)


def _tiled(value: Any, counts: Sequence[Any]) -> Any:
    if not is_ragged(value):
        return shapes.tile(value, list(counts))
    if any(c != 1 for c in counts[2:]) or is_ragged(value.values):
        inner = _tiled(value.values, [1, *counts[2:]])
        value = RaggedTensor(inner, value._row_partition, internal=True)
    dtype = value.row_splits.dtype
    for axis in (1, 0):
        if counts[axis] > 1:
            value = _concat([value] * counts[axis], axis, dtype)
        elif counts[axis] == 0:
            value = value[:0] if axis == 0 else value[:, :0]
    return value


def reverse(value: Any, axis: Any) -> Any:
    """`value` with the order of the slices along the given axes turned round."""
    if isinstance(axis, Tensor):
        axis = np.asarray(axis).tolist()
    axes = [axis] if isinstance(axis, int) else list(axis)
    key = [slice(None)] * value.shape.rank
    for one in axes:
        at = methods.axis_of(one, value.shape.rank)
        key[at] = slice(None, None, -1)
    return value[tuple(key)]


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None) -> list[Any]:
    """`value` in pieces along an axis that is not ragged."""
    axis = methods.axis_of(axis, value.shape.rank)
    if axis > 0:
        static = value.shape[axis]
        if static is None:
            raise ValueError(f"A ragged dimension can't be split; got axis {axis} of shape {value.shape}.")
        if is_ragged(value.values) and axis > 1:
            pieces = split(value.values, num_or_size_splits, axis - 1, num)
            return [RaggedTensor(p, value._row_partition, internal=True) for p in pieces]
        if axis > value.ragged_rank:
            flat = joining.split(value.flat_values, num_or_size_splits, axis - value.ragged_rank, num)
            return [methods.rebuilt(value, f) for f in flat]
        return [value[:, a:b] for a, b in _sizes(num_or_size_splits, static, num)]
    count = value._row_partition.static_nrows
    if count is None:
        raise ValueError("split of a ragged tensor needs a known number of rows.")
    return [value[a:b] for a, b in _sizes(num_or_size_splits, count, num)]


def _sizes(given: Any, total: int, num: Any = None) -> list[tuple[int, int]]:
    """Where the pieces begin and end."""
    found = np.asarray(given)
    if found.dtype.kind not in "iu":
        raise TypeError(f"split takes integers; got num_or_size_splits={given!r}.")
    if found.ndim > 1:
        raise TypeError(f"split takes a number or a vector of sizes; got num_or_size_splits={given!r}.")
    if found.ndim == 0:
        if found < 1:
            raise ValueError(f"split takes a positive number of pieces; got {given!r}.")
        if total % int(found):
            raise methods.refused(f"split: {total} rows can't be split into {int(found)} equal pieces.")
        sizes = [total // int(found)] * int(found)
    else:
        sizes = found.tolist()
        if -1 in sizes:
            sizes[sizes.index(-1)] = total - sum(s for s in sizes if s != -1)
        if sum(sizes) != total:
            raise methods.refused(f"split: the sizes {sizes} do not add up to {total}.")
    if num is not None and num != len(sizes):
        raise ValueError(f"split: num={num} pieces were asked for; there are {len(sizes)} sizes.")
    bounds = np.cumsum([0, *sizes]).tolist()
    return list(itertools.pairwise(bounds))


def dynamic_partition(data: Any, partitions: Any, num_partitions: int) -> list[Any]:
    """The rows of ragged data by the numbers in `partitions`; both may be ragged alike."""
    partitions = partitions if is_ragged(partitions) else convert(partitions, None, dtypes.int32)
    stacked = stack_dynamic_partitions(data, partitions, num_partitions)
    return [stacked[i] for i in range(num_partitions)]


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any) -> Any:
    """A ragged tensor whose row i has the elements of `data` whose partition is i, in their order."""
    from headwater._src.ops import sort

    data = data if is_ragged(data) else convert(data)
    partitions = partitions if is_ragged(partitions) else convert(partitions, None, dtypes.int32)
    if is_ragged(partitions):
        if not is_ragged(data):
            raise ValueError("Ragged partitions need ragged data.")
        require_same_rows(data._row_partition, partitions._row_partition)
        _require_as_many(data.values, partitions.values)
        return stack_dynamic_partitions(data.values, partitions.values, num_partitions)
    rank = partitions.shape.rank
    if rank is None:
        raise ValueError("partitions must have known rank.")
    if not partitions.dtype.is_integer:
        raise ValueError(f"partitions must be integers; got {partitions.dtype!r}.")
    if rank == 0:
        partitions, data = layout.reshape(partitions, [1]), expand_dims(data, 0)
    elif rank > 1:
        if not data.shape[:rank].is_compatible_with(partitions.shape):
            raise ValueError(
                f"The shape of data must begin with that of partitions; got {data.shape} and {partitions.shape}."
            )
        partitions, data = layout.reshape(partitions, [-1]), methods.merge_dims(data, 0, rank - 1)
    elif not data.shape[:1].is_compatible_with(partitions.shape):
        raise ValueError(
            f"data and partitions must have as many rows; got {data.shape} and {partitions.shape}."
        )
    count = known_int(convert(num_partitions))
    if isinstance(partitions, EagerTensor) and count is not None and partitions._array.size:
        if partitions._array.max() >= count or partitions._array.min() < 0:
            raise methods.refused(f"partitions must be in [0, {count}); got {partitions}.")
    order = sort.argsort(partitions, stable=True)
    ids = cast.cast(gather.gather(partitions, order), dtypes.int64)
    rows = methods.from_value_rowids(ids, num_partitions, False)
    return RaggedTensor(
        take(data, order) if is_ragged(data) else gather.gather(data, order), rows, internal=True
    )


def ragged_range(
    starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, splits_dtype: Any = dtypes.int64
) -> RaggedTensor:
    """Rows that count from starts[i] to limits[i] by deltas[i]."""
    if limits is None:
        starts, limits = 0, starts
    splits_dtype = dtypes.as_dtype(splits_dtype)
    if dtype is None:
        found = [convert(v) for v in (starts, limits, deltas)]
        order = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]
        dtype = max((f.dtype for f in found), key=order.index)
        given = [cast.cast(f, dtype) for f in found]
    else:
        given = [cast.cast(convert(v), dtype) for v in (starts, limits, deltas)]
    for one in given:
        if one.shape.rank is not None and one.shape.rank > 1:
            raise methods.refused(f"ragged.range takes scalars and vectors; got shape {one.shape}.")
    start, limit, delta = (layout.reshape(v, [1]) if v.shape.rank == 0 else v for v in given)
    zero = create.zeros([], start.dtype)
    methods.require(compare.not_equal(delta, zero), "ragged.range: Requires delta != 0.")
    sizes = {v.shape[0] for v in (start, limit, delta)} - {1, None}
    if len(sizes) > 1:
        raise methods.refused(
            f"ragged.range: starts, limits and deltas must have one length; got {sorted(sizes)}."
        )
    span = limit - start
    if start.dtype.is_integer:
        one = create.ones([], start.dtype)
        counts = math.floordiv(span + delta - math.sign(delta) * one, delta)
    else:
        counts = math.ceil(span / delta)
    lengths = cast.cast(math.maximum(counts, zero), splits_dtype)
    partition = RowPartition(methods.splits_of(lengths), internal=True, lengths=lengths)
    return RaggedTensor(counted(start, delta, lengths), partition, internal=True)


def _counted(starts: np.ndarray, deltas: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    kind = starts.dtype
    starts, deltas = np.broadcast_to(starts, lengths.shape), np.broadcast_to(deltas, lengths.shape)
    filled = lengths > 0
    begin, step, size = starts[filled], deltas[filled], lengths[filled]
    if not len(size):
        return np.zeros(0, kind)
    if kind.kind == "f":  # sums of steps would gather rounding errors
        places = methods._positions(np.zeros_like(size), size).astype(kind)
        return np.repeat(begin, size) + places * np.repeat(step, size)
    ends = np.cumsum(size)
    alike = bool((step == step[0]).all())
    found = np.full(int(ends[-1]), step[0], kind) if alike else np.repeat(step, size)
    found[0] = begin[0]
    found[ends[:-1]] = begin[1:] - begin[:-1] - step[:-1] * (size[:-1] - 1).astype(kind)
    return np.cumsum(found, out=found)


counted: Any = op(
    "RaggedCounted", "starts: int32|int64|float32|float64, deltas: starts, lengths: IX -> ?: starts",
    numpy=_counted,
    lower=HOST_ONLY("the number of values is only known from the lengths"),
    grad=NONDIFF,
    shape=lambda starts, deltas, lengths: (None,),
    doc="Rows of numbers that begin at `starts` and grow by `deltas`, as many as `lengths` say, one after another.",
)  # fmt: skip

"""Elementwise operations and reductions of ragged tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.dtypes import OF_NUMPY
from headwater._src.base.lazy import jax, jnp
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, op
from headwater._src.core.ragged import RaggedTensor, RowPartition, is_ragged
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops import (
    cast,
    compare,
    create,
    gather,
    joining,
    layout,
    math,
    ragged_dense,
    reduce,
    segment,
    strings,
)
from headwater._src.ops import ragged_methods as methods
from headwater._src.ops.ragged_index import take

# -- one form for several values --------------------------------------------------------------------------------------


def same_rows(a: RowPartition, b: RowPartition) -> bool:
    """Whether two partitions are known to be equal."""
    x, y = a._row_splits, b._row_splits
    if x is y:
        return True
    return isinstance(x, EagerTensor) and isinstance(y, EagerTensor) and np.array_equal(x._array, y._array)


def _same_form(values: Sequence[RaggedTensor]) -> bool:
    first = values[0]._nested_row_partitions
    for other in values[1:]:
        partitions = other._nested_row_partitions
        if len(partitions) != len(first) or not all(map(same_rows, first, partitions)):
            return False
    return True


def splits_dtype_of(values: Sequence[Any]) -> Any:
    """The dtype of the splits of the ragged ones; ValueError where they differ."""
    found = {v._row_partition.dtype for v in values if is_ragged(v)}
    if len(found) > 1:
        raise ValueError("The row_splits of the ragged tensors differ in dtype: use with_row_splits_dtype.")
    return found.pop() if found else dtypes.int64


def elementwise(function: Callable[..., Any], values: Sequence[Any]) -> Any:
    """`function` of the flat values, after all values have been brought to one form; some of them are ragged."""
    form, flat = matched(values)
    result = function(*flat)
    return result if isinstance(result, bool) else methods.rebuilt(form, result)


def matched(values: Sequence[Any]) -> tuple[Any, list[Any]]:
    """A ragged tensor of the form that all values broadcast to, and their flat values in it; some of them are ragged."""
    ragged = [v for v in values if is_ragged(v)]
    if len(values) == 1:
        return ragged[0], [ragged[0].flat_values]
    splits_dtype = splits_dtype_of(ragged)
    if len(ragged) == len(values) and _same_form(ragged):
        return ragged[0], [v.flat_values for v in ragged]
    least = min(v.flat_values.shape.rank or 1 for v in ragged)
    kind = ragged[0].dtype
    others = [v if is_ragged(v) else _dense(v, kind) for v in values]
    plain = all(_rank(v) < least for v in others if not is_ragged(v))
    if not (plain and _same_form(ragged)):
        rank = max(_rank(v) for v in others)
        others = aligned([v if _rank(v) == 0 else raised(v, rank) for v in others], splits_dtype)
        ragged = [v for v in others if is_ragged(v)]
    return ragged[0], [v.flat_values if is_ragged(v) else v for v in others]


def _dense(value: Any, kind: Any) -> Any:
    if value is None:
        raise (ValueError if ctx.graph is None else TypeError)("None can't be combined with a ragged tensor.")
    if isinstance(value, np.generic):
        return create.constant(value.item(), kind)
    if isinstance(value, (Tensor, int, float, complex, bool, str, bytes)) or hasattr(value, "handle"):
        return value
    return convert(value, None, kind)


def _rank(value: Any) -> int:
    shape = getattr(value, "shape", None)
    return 0 if shape is None or shape.rank is None else shape.rank


def raised(value: Any, rank: int) -> Any:
    """`value` with dimensions of length 1 before its own, up to `rank`."""
    from headwater._src.ops.ragged_index import expand_first

    for _ in range(rank - _rank(value)):
        value = expand_first(value)
    return value


def aligned(values: list[Any], splits_dtype: Any) -> list[Any]:
    """Values of one rank (scalars aside) broadcast in their outer dimensions, until all have the same partitions."""
    depth = max((v.ragged_rank for v in values if is_ragged(v)), default=0)
    which = [i for i, v in enumerate(values) if _rank(v)]
    chosen = _same_count([values[i] for i in which], splits_dtype)
    for i, value in zip(which, _partitioned(chosen, depth, splits_dtype), strict=True):
        values[i] = value
    return values


def _count(value: Any) -> Any:
    if is_ragged(value):
        known = value._row_partition.static_nrows
        return value._row_partition.nrows() if known is None else known
    known = value.shape[0]
    return layout.shape(value)[0] if known is None else known


def _same_count(values: list[Any], splits_dtype: Any) -> list[Any]:
    counts = [_count(v) for v in values]
    wide = [c for c in counts if c.__class__ is not int or c != 1]
    if not wide or len(wide) == len(counts):
        _equal_counts(counts)
        return values
    _equal_counts(wide)
    count = (
        create.constant([wide[0]], splits_dtype) if isinstance(wide[0], int) else layout.reshape(wide[0], [1])
    )

    def spread(value: Any) -> Any:
        if is_ragged(value):
            return take(value, create.zeros(count, splits_dtype))
        inner = layout.shape(value, splits_dtype)[1:]
        return layout.broadcast_to(value, joining.concat([cast.cast(count, splits_dtype), inner], 0))

    return [spread(v) if c.__class__ is int and c == 1 else v for v, c in zip(values, counts, strict=True)]


def _equal_counts(counts: list[Any]) -> None:
    known = {c for c in counts if isinstance(c, int)}
    if len(known) > 1:
        methods.require(False, f"The numbers of rows differ and can't be broadcast: {sorted(known)}.")


def _partitioned(values: list[Any], depth: int, splits_dtype: Any) -> list[Any]:
    """The same partitions for `depth` dimensions of values with equal numbers of rows."""
    if not depth:
        return values
    rows = [v if is_ragged(v) else methods.uniform_rows(v, splits_dtype) for v in values]
    partitions = [v._row_partition for v in rows]
    narrow = [p.static_uniform_row_length == 1 for p in partitions]
    first = next((r for r, n in zip(rows, narrow, strict=True) if not n), rows[0])
    lead = first._row_partition
    inner = []
    for row, partition, one in zip(rows, partitions, narrow, strict=True):
        if one and lead.static_uniform_row_length != 1:
            inner.append(take(row.values, methods.value_rowids(first)))
            continue
        require_same_rows(partition, lead)
        inner.append(row.values)
    return [RaggedTensor(v, lead, internal=True) for v in _partitioned(inner, depth - 1, splits_dtype)]


def require_same_rows(a: RowPartition, b: RowPartition) -> None:
    """InvalidArgumentError, now or when the graph runs, unless two partitions are equal."""
    if same_rows(a, b):
        return
    x, y = a._row_splits, b._row_splits
    if isinstance(x, EagerTensor) and isinstance(y, EagerTensor):
        methods.require(
            False, f"The ragged tensors have different rows, which do not broadcast: row_splits {x} and {y}."
        )
    methods.require(compare.equal(x, y), "The ragged tensors have different rows, which do not broadcast.")


# -- reductions over rows ---------------------------------------------------------------------------------------------


def _row_reducer(ufunc: Any, initial: Callable[[np.dtype], Any]) -> Any:
    def kernel(values: np.ndarray, row_splits: np.ndarray) -> np.ndarray:
        starts = row_splits[:-1]
        wide = values.dtype.name in ("float16", "bfloat16")
        source = values.astype(np.float32) if wide else values
        filled = row_splits[1:] > starts
        if len(starts) and filled.all():
            return ufunc.reduceat(source, starts, axis=0).astype(values.dtype, copy=False)
        out = np.full((len(starts), *values.shape[1:]), initial(values.dtype), values.dtype)
        if filled.any():
            out[filled] = ufunc.reduceat(source, starts[filled], axis=0).astype(values.dtype, copy=False)
        return out

    return kernel


def _row_shape(values: Any, row_splits: Any) -> Any:
    count = None if row_splits.shape is None else row_splits.shape[0]
    return None if values.shape is None else (None if count is None else count - 1, *values.shape[1:])


def _row_lower(function: str) -> Any:
    def lower(values: Any, row_splits: Any) -> Any:
        ids, count = methods.row_ids_lower(values, row_splits), row_splits.shape[0] - 1
        return getattr(jax.ops, function)(values, ids, count, indices_are_sorted=True)

    return lower


def _extremum_lower(function: str, initial: Callable[[np.dtype], Any]) -> Any:
    def lower(values: Any, row_splits: Any) -> Any:
        found = _row_lower(function)(values, row_splits)
        empty = (row_splits[1:] == row_splits[:-1]).reshape(-1, *[1] * (values.ndim - 1))
        return jnp.where(empty, jnp.asarray(initial(values.dtype), values.dtype), found)

    return lower


def _row_op(name: str, letters: str, ufunc: Any, initial: Any, lower: Any, grad: Any) -> Any:
    return op(
        name, f"values: {letters}, row_splits: IX -> ?: values",
        numpy=_row_reducer(ufunc, initial),
        lower=lower,
        grad=(grad, None),
        shape=_row_shape,
        doc="The values of each row reduced to one.",
    )  # fmt: skip


def _sum_grad(g: Any, y: Any, values: Any, row_splits: Any) -> Any:
    return gather.gather(g, methods.row_ids_of(values, row_splits))


def _peak_grad(g: Any, y: Any, values: Any, row_splits: Any) -> Any:
    """Shared among all elements that are the largest."""
    ids = methods.row_ids_of(values, row_splits)
    hits = cast.cast(compare.equal(values, gather.gather(y, ids)), values.dtype)
    share = math.divide_no_nan(g, row_sum(hits, row_splits))
    return hits * gather.gather(share, ids)


def _lowest(dtype: np.dtype) -> Any:
    return OF_NUMPY[dtype].min


def _highest(dtype: np.dtype) -> Any:
    return OF_NUMPY[dtype].max


row_sum: Any = _row_op("RaggedRowSum", "N", np.add, lambda d: 0, _row_lower("segment_sum"), _sum_grad)
row_max: Any = _row_op(
    "RaggedRowMax", "R", np.maximum, _lowest, _extremum_lower("segment_max", _lowest), _peak_grad
)
row_min: Any = _row_op(
    "RaggedRowMin", "R", np.minimum, _highest, _extremum_lower("segment_min", _highest), _peak_grad
)


def _row_prod(values: Any, row_splits: Any) -> Any:
    dims = row_splits._spec.shape
    count = layout.size(row_splits) - 1 if dims is None or dims[0] is None else dims[0] - 1
    return segment.unsorted_segment_prod(values, methods.row_ids_of(values, row_splits), count)


def _column_reducer(ufunc: Any, initial: Callable[[np.dtype], Any]) -> Any:
    def kernel(values: np.ndarray, offsets: np.ndarray, count: np.ndarray) -> np.ndarray:
        size = int(count)
        if ufunc is np.add and values.dtype.kind == "f" and values.dtype.itemsize < 8:
            return np.bincount(offsets, values, size).astype(values.dtype)
        out = np.full(size, initial(values.dtype), values.dtype)
        ufunc.at(out, offsets, values)
        return out

    return kernel


def _column_op(name: str, ufunc: Any, initial: Any, grad: Any) -> Any:
    return op(
        name, "values: int32|int64|float32|float64, offsets: IX, count: IX -> ?: values",
        numpy=_column_reducer(ufunc, initial),
        lower=HOST_ONLY("the number of columns is only known from the values of `count`"),
        grad=(grad, None, None),
        shape=lambda values, offsets, count: (None,),
        doc="The values of each of `count` columns reduced to one; `offsets` says in which column they are.",
    )  # fmt: skip


def _column_peak_grad(g: Any, y: Any, values: Any, offsets: Any, count: Any) -> Any:
    hits = cast.cast(compare.equal(values, gather.gather(y, offsets)), values.dtype)
    share = math.divide_no_nan(g, column_sum(hits, offsets, count))
    return hits * gather.gather(share, offsets)


column_sum: Any = _column_op(
    "RaggedColumnSum", np.add, lambda d: 0, lambda g, y, values, offsets, count: gather.gather(g, offsets)
)
column_max: Any = _column_op("RaggedColumnMax", np.maximum, _lowest, _column_peak_grad)
column_min: Any = _column_op("RaggedColumnMin", np.minimum, _highest, _column_peak_grad)
_QUICK = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64)
_COLUMNS = {"sum": column_sum, "max": column_max, "min": column_min}

_REDUCERS: dict[str, tuple[Any, Any]] = {
    "sum": (row_sum, segment.unsorted_segment_sum),
    "max": (row_max, segment.unsorted_segment_max),
    "min": (row_min, segment.unsorted_segment_min),
    "prod": (_row_prod, segment.unsorted_segment_prod),
}


def by_segments(function: Any, data: Any, ids: Any, count: Any) -> Any:
    """A segment operation on the rows of ragged data: element j of a segment's row is made of its rows' elements j."""
    if is_ragged(ids):
        if not is_ragged(data) or data.ragged_rank < ids.ragged_rank:
            raise ValueError("Ragged segment_ids need data with as many ragged dimensions.")
        for a, b in zip(ids._nested_row_partitions, data._nested_row_partitions, strict=False):
            require_same_rows(a, b)
        for _ in range(ids.ragged_rank):
            data = data.values
        return by_segments(function, data, ids.flat_values, count)
    if not is_ragged(data):
        return function(data, ids, count)
    dtype = data.row_splits.dtype
    ids = convert(ids, None, dtypes.int32)
    lengths = math.maximum(
        segment.unsorted_segment_max(data.row_lengths(), ids, count), create.constant(0, dtype)
    )
    splits = methods.splits_of(lengths)
    starts = gather.gather(splits[:-1], ids)
    places = methods.positions(starts, data.row_lengths())
    total = splits[-1]
    return RaggedTensor(
        by_segments(function, data.values, places, total),
        RowPartition(splits, internal=True, lengths=lengths),
        internal=True,
    )


def _quick(kind: str) -> Any:
    """The segment operation for ids that are in range; the usual dtypes need no sorting."""
    general = _REDUCERS[kind][1]
    if kind not in _COLUMNS:
        return general

    def reducer(data: Any, ids: Any, count: Any) -> Any:
        plain = data.shape.rank == 1 and data.dtype in _QUICK
        return _COLUMNS[kind](data, ids, count) if plain else general(data, ids, count)

    return reducer


def _along(kind: str, ragged: RaggedTensor, axis: int) -> Any:
    over_rows, over_segments = _REDUCERS[kind][0], _quick(kind)
    if axis == 0:
        partition, inner = ragged._row_partition, ragged.values
        return by_segments(over_segments, inner, methods.offsets_of(partition), methods._longest(partition))
    if axis > 1:
        inner = ragged.values
        reduced = _along(kind, inner, axis - 1) if is_ragged(inner) else _DENSE[kind](inner, axis - 1)
        return RaggedTensor(reduced, ragged._row_partition, internal=True)
    values, partition = ragged.values, ragged._row_partition
    if is_ragged(values):
        return by_segments(over_segments, values, partition.value_rowids(), partition.nrows())
    return over_rows(values, partition._row_splits)


_DENSE: dict[str, Any] = {
    "sum": reduce.reduce_sum, "max": reduce.reduce_max, "min": reduce.reduce_min, "prod": reduce.reduce_prod,
}  # fmt: skip


def _axes(axis: Any, ragged: Any) -> list[int] | None:
    if axis is None:
        return None
    if isinstance(axis, Tensor):
        known = axis._array if isinstance(axis, EagerTensor) else axis.known  # type: ignore[attr-defined]
        if known is None or None in known.reshape(-1).tolist():
            raise ValueError("The axis of a ragged reduction must be known.")
        axis = known.tolist()
    given = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    found = sorted(methods.axis_of(a, ragged.shape.rank) for a in given)
    if len(set(found)) < len(found):
        raise methods.refused(f"The axes of a reduction must differ; got {axis}.")
    return found


def reduced(kind: str, ragged: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum, product, largest or smallest element over some axes."""
    axes = _axes(axis, ragged)
    if axes is None:
        result = _DENSE[kind](ragged.flat_values)
        axes = list(range(ragged.shape.rank))
    else:
        result = ragged
        for one in reversed(axes):
            result = _along(kind, result, one) if is_ragged(result) else _DENSE[kind](result, one)
    return _kept(result, axes) if keepdims else result


def _kept(result: Any, axes: list[int]) -> Any:
    from headwater._src.ops.ragged_array import expand_dims

    for axis in axes:
        result = expand_dims(result, axis)
    return result


def reduced_mean(ragged: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over some axes; of integers in float64. Empty rows have no mean: nan."""
    total = reduced("sum", ragged, axis, keepdims)
    ones = methods.rebuilt(ragged, create.ones_like(ragged.flat_values))
    count = reduced("sum", ones, axis, keepdims)
    if is_ragged(total):
        return methods.rebuilt(total, math.divide(total.flat_values, count.flat_values))
    return math.divide(total, count)


def reduced_variance(ragged: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance over some axes, as the mean of the squares less the square of the mean."""
    squares = reduced_mean(methods.rebuilt(ragged, math.square(ragged.flat_values)), axis, keepdims)
    mean = reduced_mean(ragged, axis, keepdims)

    def less(a: Any, b: Any) -> Any:
        return math.maximum(a - math.square(b), create.constant(0, a.dtype))

    if is_ragged(squares):
        return methods.rebuilt(squares, less(squares.flat_values, mean.flat_values))
    return less(squares, mean)


def reduced_logical(kind: str, ragged: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`all` ("min") or `any` ("sum") over some axes of bools, or of numbers that are taken for bools."""
    if ragged.dtype != dtypes.bool_:
        ragged = methods.rebuilt(ragged, cast.cast(ragged.flat_values, dtypes.bool_))
    counts = methods.rebuilt(ragged, cast.cast(ragged.flat_values, dtypes.int32))
    result = reduced(kind, counts, axis, keepdims)
    if is_ragged(result):
        return methods.rebuilt(result, cast.cast(result.flat_values, dtypes.bool_))
    return cast.cast(result, dtypes.bool_)


def reduced_logsumexp(ragged: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of the exponentials over some axes; the largest element is taken out first."""
    peak = reduced("max", ragged, axis, True)
    lifted = peak if is_ragged(peak) else layout.stop_gradient(peak)
    powers = elementwise(lambda x, m: math.exp(x - m), [ragged, lifted])
    total = reduced("sum", powers, axis, keepdims)
    peak = peak if keepdims else reduced("max", ragged, axis, False)
    if is_ragged(total):
        return elementwise(lambda t, m: math.log(t) + m, [total, peak])
    return math.log(total) + peak


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Products of matrices whose numbers of rows or columns differ from one to the next, by way of the padded tensors.

    Raises:
      InvalidArgumentError: matrices that can't be multiplied.
    """
    from headwater._src.ops import linalg

    ranks = {v.shape.rank for v in (a, b)}
    if len(ranks) != 1:
        raise ValueError(f"matmul of ragged tensors takes values of one rank; got {a.shape} and {b.shape}.")
    if min(ranks) < 3 or any(is_ragged(v) and v.ragged_rank >= v.shape.rank - 1 for v in (a, b)):
        raise methods.refused("matmul: the matrices may not be ragged in their innermost dimension.")
    dtype = splits_dtype_of([a, b])
    if max(ranks) > 3:
        x, y = (methods.with_ragged_rank(v, 1, dtype) for v in (a, b))
        require_same_rows(x._row_partition, y._row_partition)
        return RaggedTensor(
            matmul(x.values, y.values, transpose_a, transpose_b), x._row_partition, internal=True
        )
    rows, inner = _matrix_sizes(a, dtype, transpose_a)
    other, columns = _matrix_sizes(b, dtype, transpose_b)
    methods.require(compare.equal(inner, other), "matmul: the inner dimensions of the matrices differ.")
    x, y = (ragged_dense.to_tensor(v) if is_ragged(v) else v for v in (a, b))
    product: Any = linalg.matmul(x, y, transpose_a=transpose_a, transpose_b=transpose_b)
    ragged_rows, ragged_columns = is_ragged(a) and not transpose_a, is_ragged(b) and transpose_b
    if not ragged_rows and not ragged_columns:
        # TensorFlow gives a ragged tensor of matrices that are alike.
        return (
            RaggedTensor.from_tensor(product, ragged_rank=2, row_splits_dtype=dtype)
            if transpose_a
            else product
        )
    count = layout.shape(product, dtype)[0]
    rows = rows + create.zeros(layout.reshape(count, [1]), dtype)
    first = ragged_dense.from_tensor(product, rows, None, 1, dtype)
    if not ragged_columns:
        return first
    widths = gather.gather(columns, first.value_rowids())
    second = ragged_dense.from_tensor(first.values, widths, None, 1, dtype)
    return RaggedTensor(second, first._row_partition, internal=True)


def _matrix_sizes(value: Any, dtype: Any, transposed: bool) -> tuple[Any, Any]:
    """The numbers of rows and of columns of each matrix of a stack."""
    if is_ragged(value):
        rows, columns = value.row_lengths(), layout.shape(value.values, dtype)[1]
    else:
        rows, columns = layout.shape(value, dtype)[1], layout.shape(value, dtype)[2]
    return (columns, rows) if transposed else (rows, columns)


def softmax(ragged: Any, axis: Any = None) -> Any:
    """Softmax along one axis of a ragged tensor."""
    axis = methods.axis_of(-1 if axis is None else axis, ragged.shape.rank)
    if axis == 0 or axis > ragged.ragged_rank:
        if axis == 0:
            raise methods.refused("The softmax of a ragged tensor is along an inner axis.")
        from headwater._src.ops import nn

        return methods.rebuilt(ragged, nn.softmax(ragged.flat_values, axis - ragged.ragged_rank))
    if axis > 1:
        return RaggedTensor(softmax(ragged.values, axis - 1), ragged._row_partition, internal=True)
    if is_ragged(ragged.values):
        largest = reduced("max", ragged, axis, True)
        powers = elementwise(lambda a, b: math.exp(a - b), [ragged, largest])
        return elementwise(math.divide, [powers, reduced("sum", powers, axis, True)])
    splits, ids = ragged.row_splits, methods.value_rowids(ragged)
    shifted = ragged.values - gather.gather(layout.stop_gradient(row_max(ragged.values, splits)), ids)
    powers = math.exp(shifted)
    return RaggedTensor(
        powers / gather.gather(row_sum(powers, splits), ids), ragged._row_partition, internal=True
    )


def cumulated(function: Any, ragged: Any, axis: Any, exclusive: bool, reverse: bool) -> Any:
    """A cumulative sum or product along one axis; along ragged ones by way of the padded tensor."""
    axis = methods.axis_of(axis, ragged.shape.rank)
    depth = ragged.ragged_rank
    if axis > depth:
        return methods.rebuilt(ragged, function(ragged.flat_values, axis - depth, exclusive, reverse))
    filled = ragged_dense.to_tensor(ragged, 1 if function.__name__ == "cumprod" else None)
    sizes = layout.shape(filled, ragged.row_splits.dtype)[: depth + 1]
    found = function(filled, axis, exclusive, reverse)
    return methods.rebuilt(ragged, ragged_dense.unpadded_op(found, sizes, *ragged.nested_row_splits))


def reduced_strings(function: Any, ragged: Any, axis: Any, keepdims: bool, separator: Any) -> Any:
    """The strings joined along some axes, from the last one on; `function` joins those of a tensor."""
    if ragged.dtype != dtypes.string:
        raise methods.refused(f"strings.reduce_join takes strings; got {ragged.dtype!r}.")
    axes = _axes(axis, ragged)
    if axes is None:
        return function(ragged.flat_values, None, keepdims, separator)
    result = ragged
    for one in reversed(axes):
        result = (
            _joined_along(function, result, one, separator)
            if is_ragged(result)
            else function(result, one, False, separator)
        )
    return _kept(result, axes) if keepdims else result


def _joined_along(function: Any, ragged: RaggedTensor, axis: int, separator: Any) -> Any:
    def joined(data: Any, ids: Any, count: Any) -> Any:
        return strings.unsorted_segment_join(data, ids, count, separator)

    values, partition = ragged.values, ragged._row_partition
    if axis == 0:
        return by_segments(joined, values, methods.offsets_of(partition), methods._longest(partition))
    if axis == 1:
        return by_segments(joined, values, partition.value_rowids(), partition.nrows())
    inner = (
        _joined_along(function, values, axis - 1, separator)
        if is_ragged(values)
        else function(values, axis - 1, False, separator)
    )
    return RaggedTensor(inner, partition, internal=True)

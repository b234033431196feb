"""What `RaggedTensor` and `RowPartition` compute: making them, their parts, their dense, sparse and Python forms.

Everything is written in operations, so it is traced and differentiated like any other code. `core/ragged.py` loads this
module when the first ragged tensor is made.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.errors import TracedArgumentError
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import IndexedSlices
from headwater._src.core.context import ctx, refused
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.ragged import RaggedTensor, RowPartition, is_ragged, known_int
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.ops import cast, create, gather, joining, layout, math, reduce, scans
from headwater._src.ops.host import Assert
from headwater._src.ops.ragged_forms import text, to_list, to_numpy

INTEGERS = (dtypes.int32, dtypes.int64)


def unfit(message: str) -> Exception:
    """The same for what eager TensorFlow calls a ValueError."""
    return ValueError(message) if ctx.graph is None else TracedArgumentError(None, None, message)


def _row_ids(row_splits: np.ndarray) -> np.ndarray:
    lengths = np.diff(row_splits)
    return np.repeat(np.arange(len(lengths), dtype=row_splits.dtype), lengths)


row_ids: Any = op(
    "RaggedRowIds", "row_splits: IX -> ?: row_splits",
    numpy=_row_ids,
    lower=HOST_ONLY("the number of values is only known from the splits"),
    grad=NONDIFF,
    shape=lambda row_splits: (None,),
    doc="The row of each value, given where the rows begin and end.",
)  # fmt: skip


def row_ids_lower(values: Any, row_splits: Any) -> Any:
    """The row of each of the values, for XLA."""
    return jnp.searchsorted(row_splits, jnp.arange(values.shape[0], dtype=row_splits.dtype), side="right") - 1


row_ids_of: Any = op(
    "RaggedRowIdsOf", "values: A, row_splits: IX -> ?: row_splits",
    numpy=lambda values, row_splits: _row_ids(row_splits),
    lower=lambda values, row_splits: row_ids_lower(values, row_splits).astype(row_splits.dtype),
    grad=NONDIFF,
    shape=lambda values, row_splits: (None if values.shape is None else values.shape[0],),
    doc="The row of each of the values; how many there are is known from them.",
)  # fmt: skip


def _positions(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    # The sum of steps: 1 within a run, a jump to the next start at its end. Faster than repeating the starts.
    filled = lengths > 0
    begin, size = starts[filled], lengths[filled]
    ends = np.cumsum(size, dtype=starts.dtype)
    places = np.ones(int(ends[-1]) if len(ends) else 0, starts.dtype)
    if len(ends):
        places[0] = begin[0]
        places[ends[:-1]] = begin[1:] - begin[:-1] - size[:-1] + 1
        np.cumsum(places, out=places)
    return places


positions: Any = op(
    "RaggedPositions", "starts: IX, lengths: starts -> ?: starts",
    numpy=_positions,
    lower=HOST_ONLY("the number of positions is only known from the lengths"),
    grad=NONDIFF,
    shape=lambda starts, lengths: (None,),
    doc="The integers from each of `starts` on, as many as `lengths` say, one run after another.",
)  # fmt: skip


_BLOCK = 1 << 16
"""So many positions are made at a time: they stay in the cache."""


def _runs(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    ends = np.cumsum(lengths, dtype=np.intp)
    total = int(ends[-1]) if len(ends) else 0
    if total <= _BLOCK or int(starts.min()) < 0 or int((starts + lengths).max()) > len(values):
        return values.take(_positions(starts, lengths).astype(np.intp, copy=False), axis=0)
    out = np.empty((total, *values.shape[1:]), values.dtype)
    cuts = [0, *np.searchsorted(ends, np.arange(_BLOCK, total, _BLOCK)).tolist(), len(ends)]
    done = 0
    for i, j in itertools.pairwise(cuts):
        if i < j:
            places = _positions(starts[i:j], lengths[i:j]).astype(np.intp, copy=False)
            values.take(places, axis=0, out=out[done : int(ends[j - 1])], mode="clip")
            done = int(ends[j - 1])
    return out


def _runs_grad(g: Any, y: Any, values: Any, starts: Any, lengths: Any) -> Any:
    return IndexedSlices(g, positions(starts, lengths), layout.shape(values))


runs: Any = op(
    "RaggedRuns", "values: A, starts: IX, lengths: starts -> ?: values",
    numpy=_runs,
    lower=HOST_ONLY("the number of rows is only known from the lengths"),
    grad=(_runs_grad, None, None),
    shape=lambda values, starts, lengths: None if values.shape is None else (None, *values.shape[1:]),
    doc="The rows of `values` from each of `starts` on, as many as `lengths` say, one run after another.",
)  # fmt: skip

# -- row partitions ---------------------------------------------------------------------------------------------------


def cast_to(value: Any, dtype: Any) -> Any:
    """`value` as `dtype`; as it is for None."""
    return value if dtype is None else cast.cast(value, dtype)


def _integers(value: Any, what: str, dtype: Any, hint: Any, rank: int = 1) -> Tensor:
    tensor = convert(value, None, dtypes.as_dtype(dtype or hint or dtypes.int64))
    if tensor.dtype not in INTEGERS:
        if isinstance(value, (list, tuple)) and not len(value):
            tensor = cast.cast(tensor, dtypes.int64)
        else:
            raise ValueError(f"{what} must have dtype int32 or int64; got {tensor.dtype!r}.")
    if dtype is not None:
        tensor = cast.cast(tensor, dtype)
    dims = tensor._spec.shape
    if dims is not None and len(dims) != rank:
        raise ValueError(f"{what} must have rank {rank}; got shape {tensor.shape}.")
    return tensor


def require(holds: Any, message: str) -> None:
    """Raises InvalidArgumentError where `holds`, an array or a symbolic tensor of bool, is not true throughout."""
    if isinstance(holds, Tensor):
        if isinstance(holds, EagerTensor):
            holds = holds._array
        else:
            Assert(reduce.reduce_all(holds), [message])
            return
    if not np.all(holds):
        raise refused(message)


def _array(tensor: Any) -> Any:
    """The array of an eager tensor; symbolic tensors as they are."""
    return tensor._array if isinstance(tensor, EagerTensor) else tensor


def from_row_splits(
    row_splits: Any, validate: bool = True, dtype: Any = None, hint: Any = None
) -> RowPartition:
    """Rows from their splits; the splits are checked if `validate`."""
    splits = _integers(row_splits, "row_splits", dtype, hint)
    dims = splits._spec.shape
    if dims == (0,):
        raise ValueError("row_splits must not be empty: without any rows it is [0].")
    if validate:
        values = _array(splits)
        require(values[0] == 0, f"row_splits must begin with 0; got {splits}.")
        require(values[1:] >= values[:-1], f"row_splits must not decrease (be monotonic); got {splits}.")
    return RowPartition(splits, internal=True)


def partition_of(row_splits: Any, uniform: int | None = None) -> RowPartition:
    """The partition of splits that are right; `uniform` is the length of all rows, where it is known."""
    length = None if uniform is None else create.constant(uniform, row_splits.dtype)
    return RowPartition(row_splits, internal=True, uniform=length)


def splits_of(lengths: Any) -> Any:
    """Where rows of the given lengths begin and end."""
    if isinstance(lengths, EagerTensor):
        splits = np.zeros(len(lengths._array) + 1, lengths._np_dtype)
        np.cumsum(lengths._array, out=splits[1:])
        return of_array(splits)
    return joining.concat([create.zeros([1], lengths.dtype), scans.cumsum(lengths)], 0)


def from_row_lengths(
    row_lengths: Any, validate: bool = True, dtype: Any = None, hint: Any = None
) -> RowPartition:
    """Rows from their lengths, which must not be negative."""
    lengths = _integers(row_lengths, "row_lengths", dtype, hint)
    if validate:
        require(_array(lengths) >= 0, f"row_lengths must not be negative; got {lengths}.")
    return RowPartition(splits_of(lengths), internal=True, lengths=lengths)


def from_row_starts(
    row_starts: Any, nvals: Any, validate: bool = True, dtype: Any = None, hint: Any = None
) -> RowPartition:
    """Rows from where they begin and the number of values."""
    starts = _integers(row_starts, "row_starts", dtype, hint)
    total = convert(nvals, None, starts.dtype)
    total = cast.cast(total, starts.dtype)
    splits = joining.concat([starts, layout.reshape(total, [1])], 0)
    if validate:
        values = _array(splits)
        require(values[0] == 0, f"row_starts must begin with 0; got {starts}.")
        require(values[1:] >= values[:-1], f"row_starts must not decrease nor exceed nvals; got {starts}.")
    return RowPartition(splits, internal=True, nvals=total)


def from_row_limits(
    row_limits: Any, validate: bool = True, dtype: Any = None, hint: Any = None
) -> RowPartition:
    """Rows from where they end."""
    limits = _integers(row_limits, "row_limits", dtype, hint)
    splits = joining.concat([create.zeros([1], limits.dtype), limits], 0)
    if validate:
        values = _array(splits)
        require(values[1:] >= values[:-1], f"row_limits must be 0 or more and not decrease; got {limits}.")
    return RowPartition(splits, internal=True)


def from_value_rowids(
    value_rowids: Any, nrows: Any = None, validate: bool = True, dtype: Any = None, hint: Any = None
) -> RowPartition:
    """Rows from the row of each value."""
    ids = _integers(value_rowids, "value_rowids", dtype, hint)
    if nrows is not None:
        nrows = cast.cast(_integers(nrows, "nrows", None, ids.dtype, 0), ids.dtype)
        count = known_int(nrows)
        if count is not None and count < 0:
            raise ValueError(f"nrows must not be negative; got {count}.")
        if (
            isinstance(ids, EagerTensor)
            and isinstance(nrows, EagerTensor)
            and ids._array.size
            and count is not None
        ):
            if count <= ids._array[-1]:
                raise ValueError(
                    f"nrows must exceed the last of value_rowids; got {count} for {ids._array[-1]}."
                )
    if validate:
        values = _array(ids)
        require(values[1:] >= values[:-1], f"value_rowids must not decrease; got {ids}.")
        require(values[:1] >= 0, f"value_rowids must not be negative; got {ids}.")
    if isinstance(ids, EagerTensor) and (nrows is None or isinstance(nrows, EagerTensor)):
        array = ids._array
        count = int(nrows._array) if nrows is not None else int(array[-1]) + 1 if array.size else 0
        splits: Any = of_array(np.searchsorted(array, np.arange(count + 1)).astype(array.dtype))
    else:
        if nrows is None:
            nrows = reduce.reduce_max(joining.concat([ids, create.constant([-1], ids.dtype)], 0)) + 1
        from headwater._src.ops import sort

        splits = cast.cast(sort.searchsorted(ids, create.range(nrows + 1), out_type=ids.dtype), ids.dtype)
    return RowPartition(splits, internal=True, rowids=ids, nrows=nrows)


def splits_of_ids(segment_ids: Any, count: Any = None) -> Any:
    """Where the segments begin and end, given the segment of each value in any order."""
    from headwater._src.ops import sort

    ids = convert(segment_ids, None, dtypes.int64)
    if ids.dtype not in INTEGERS and not (isinstance(segment_ids, (list, tuple)) and not segment_ids):
        raise (TypeError if isinstance(segment_ids, (list, tuple)) else ValueError)(
            f"segment_ids must have dtype int32 or int64; got {ids.dtype!r}."
        )
    ids = ids if ids.dtype in INTEGERS else cast.cast(ids, dtypes.int64)
    if ids.shape.rank not in (1, None):
        raise ValueError(f"segment_ids must have rank 1; got shape {ids.shape}.")
    require(_array(ids) >= 0, f"segment_ids must not be negative; got {ids}.")
    size = None if count is None else cast.cast(count, dtypes.int32)
    kind = cast.cast(ids, dtypes.int32)
    lengths = sort.bincount(kind, minlength=size, maxlength=size, dtype=ids.dtype)
    return splits_of(lengths)


def from_uniform(
    length: Any,
    nvals: Any = None,
    nrows: Any = None,
    validate: bool = True,
    dtype: Any = None,
    hint: Any = None,
) -> RowPartition:
    """Rows of one length."""
    if nvals is None and nrows is None:
        raise ValueError("from_uniform_row_length needs nvals or nrows.")
    length = _integers(length, "uniform_row_length", dtype, hint, 0)
    kind = length.dtype
    n, size, count = known_int(length), known_int(nvals), known_int(nrows)
    if n is not None and n < 0:
        raise ValueError(f"uniform_row_length must not be negative; got {n}.")
    if count is not None and count < 0:
        raise ValueError(f"nrows must not be negative; got {count}.")
    if n is not None and size is not None and count is None and nrows is None:
        if n == 0 and size:
            raise ValueError("nrows must be given where uniform_row_length is 0.")
        count = nrows = size // n if n else 0
    if nrows is None:
        nrows = math.floordiv(cast.cast(nvals, kind), math.maximum(length, create.constant(1, kind)))
    if n is not None and size is not None and count is not None and n * count != size:
        raise unfit(f"Rows of uniform_row_length={n} for nrows={count} make {n * count}, not nvals={size}.")
    rows = cast.cast(nrows, kind)
    if n is not None and count is not None:
        splits: Any = create.constant(np.arange(count + 1, dtype=kind.np) * kind.np.type(n))
    else:
        splits = create.range(rows + 1) * length
    if nvals is None and n is not None and count is not None:
        nvals = n * count
    total = None if nvals is None else cast.cast(nvals, kind)
    return RowPartition(splits, internal=True, uniform=length, nrows=rows, nvals=total)


def partition_cast(partition: RowPartition, dtype: Any) -> RowPartition:
    """The partition with splits of another dtype."""
    splits = cast.cast(partition._row_splits, dtype)
    return RowPartition(
        splits,
        internal=True,
        uniform=None if partition._uniform is None else cast.cast(partition._uniform, dtype),
    )


def rowids_of(partition: RowPartition) -> Any:
    """The row of each value."""
    return row_ids(partition._row_splits)


def value_rowids(ragged: RaggedTensor) -> Any:
    """The row of each value of a ragged tensor; in a graph as many as its values are known to be."""
    partition, values = ragged._row_partition, ragged.values
    if partition._rowids is not None or isinstance(partition._row_splits, EagerTensor):
        return partition.value_rowids()
    return row_ids_of(values.row_splits[:-1] if is_ragged(values) else values, partition._row_splits)


def offsets_of(partition: RowPartition) -> Any:
    """The place of each value in its row."""
    lengths = partition.row_lengths()
    return positions(create.zeros_like(lengths), lengths)


def nrows_of(partition: RowPartition) -> Any:
    """The number of rows, a scalar."""
    known = partition.static_nrows
    if known is not None:
        return create.constant(known, partition.dtype)
    if partition._nrows is not None:
        return partition._nrows
    return layout.size(partition._row_splits, partition.dtype) - 1


# -- making ragged tensors --------------------------------------------------------------------------------------------


def as_values(values: Any) -> Any:
    """A ragged tensor as it is, other values as a tensor."""
    if is_ragged(values):
        return values
    tensor: Any = convert(values)
    return tensor


def _size_of(values: Any, dtype: Any) -> Any:
    """The number of rows of `values`, an int if it is known."""
    if is_ragged(values):
        known = values._row_partition.static_nrows
        return known if known is not None else cast.cast(values.nrows(), dtype)
    dims = values._spec.shape
    if dims is not None and not dims:
        raise refused("The values of a ragged tensor must have rank 1 or more; got a scalar.")
    if dims is not None and dims[0] is not None:
        return dims[0]
    return layout.shape(values, dtype)[0]


_MAKERS = {
    "from_row_splits": from_row_splits,
    "from_row_lengths": from_row_lengths,
    "from_row_limits": from_row_limits,
    "from_value_rowids": from_value_rowids,
}


def _matched(values: Any, given: Any) -> tuple[Any, Any]:
    """Splits that are no tensor take the dtype of those of the values; two tensors must agree."""
    return values, values._row_partition.dtype if is_ragged(values) and not isinstance(
        given, Tensor
    ) else None


def ragged_from(values: Any, maker: str, *given: Any, validate: bool = True) -> RaggedTensor:
    """A ragged tensor of `values` and the partition that `maker` makes of `given`."""
    if not isinstance(validate, bool):
        raise TypeError(f"validate must be a bool; got {validate!r}.")
    values = as_values(values)
    values, hint = _matched(values, given[0])
    return join(values, _MAKERS[maker](*given, validate=validate, hint=hint), validate)  # type: ignore[operator]


def ragged_from_starts(values: Any, row_starts: Any, validate: bool) -> RaggedTensor:
    """A ragged tensor from where its rows begin."""
    values = as_values(values)
    values, hint = _matched(values, row_starts)
    starts = _integers(row_starts, "row_starts", None, hint)
    return join(values, from_row_starts(starts, _size_of(values, starts.dtype), validate), validate)


def ragged_from_uniform(values: Any, length: Any, nrows: Any, validate: bool) -> RaggedTensor:
    """A ragged tensor of rows of one length."""
    values = as_values(values)
    values, hint = _matched(values, length)
    nvals = _size_of(values, hint or dtypes.int64)
    return join(values, from_uniform(length, nvals, nrows, validate, None, hint), validate)


def join(values: Any, partition: RowPartition, validate: bool = True) -> RaggedTensor:
    """A ragged tensor of `values` in the rows of `partition`, whose number of values must be theirs."""
    if is_ragged(values) and values._row_partition.dtype != partition.dtype:
        raise ValueError(
            "The row_splits of a ragged tensor and of its values must have one dtype: use with_row_splits_dtype."
        )
    dims = None if is_ragged(values) else values._spec.shape
    if dims is not None and not dims:
        raise refused("The values of a ragged tensor must have rank 1 or more; got a scalar.")
    size = _size_of(values, partition.dtype)
    if partition._rowids is not None:
        found = partition._rowids.shape[0]
        if found is not None and isinstance(size, int) and found != size:
            raise ValueError(f"There must be as many value_rowids as values; got {found} for {size}.")
    if validate and not (partition._nvals is not None and partition._nvals is size):
        last = _array(partition._row_splits)[-1]
        require(last == size, f"The rows take {last} values; there are {size}.")
    return RaggedTensor(values, partition, internal=True)


def from_nested(flat_values: Any, nested: Any, maker: str, validate: bool) -> Any:
    """A ragged tensor of several partitions, the outermost first."""
    if isinstance(nested, Tensor):
        raise TypeError(f"{maker}: the nested partitions must be a list of vectors; got a Tensor.")
    result = flat_values
    for given in reversed(list(nested)):
        result = ragged_from(result, maker, given, validate=validate)
    return result


def from_nested_rowids(flat_values: Any, nested: Any, nrows: Any, validate: bool) -> Any:
    """A ragged tensor of several partitions by row numbers."""
    if isinstance(nested, Tensor) or isinstance(nrows, Tensor):
        raise TypeError("nested_value_rowids and nested_nrows must be lists; got a Tensor.")
    counts = [None] * len(nested) if nrows is None else list(nrows)
    if len(counts) != len(nested):
        raise ValueError(f"nested_nrows has {len(counts)} elements for {len(nested)} nested_value_rowids.")
    result = flat_values
    for ids, count in zip(reversed(list(nested)), reversed(counts), strict=True):
        result = ragged_from(result, "from_value_rowids", ids, count, validate=validate)
    return result


def uniform_rows(tensor: Any, splits_dtype: Any) -> RaggedTensor:
    """A dense tensor of rank 2 or more as a ragged tensor of rows of one length."""
    dims = tensor._spec.shape
    shape = layout.shape(tensor, splits_dtype)
    n = shape[0] if dims is None or dims[0] is None else dims[0]
    m = shape[1] if dims is None or dims[1] is None else dims[1]
    static = dims is not None and None not in dims
    if static:
        values = layout.reshape(tensor, (dims[0] * dims[1], *dims[2:]))
    else:
        values = layout.reshape(tensor, joining.concat([shape[0:1] * shape[1:2], shape[2:]], 0))
        if dims is not None:
            values.set_shape([None if dims[0] is None or dims[1] is None else dims[0] * dims[1], *dims[2:]])  # type: ignore[attr-defined]
    return RaggedTensor(
        values,
        from_uniform(create.constant(m, splits_dtype) if isinstance(m, int) else m, None, n),
        internal=True,
    )


def with_ragged_rank(value: Any, rank: int, splits_dtype: Any) -> Any:
    """`value` with `rank` partitions: dense dimensions become rows of one length."""
    if rank <= 0:
        return value
    if is_ragged(value):
        inner = with_ragged_rank(value.values, rank - 1, splits_dtype)
        return value if inner is value.values else RaggedTensor(inner, value._row_partition, internal=True)
    rows = uniform_rows(value, splits_dtype)
    return RaggedTensor(
        with_ragged_rank(rows.values, rank - 1, splits_dtype), rows._row_partition, internal=True
    )


# -- others of the same form ------------------------------------------------------------------------------------------


def with_values(ragged: RaggedTensor, values: Any) -> RaggedTensor:
    """The same rows with other values."""
    values = as_values(values)
    have = values.shape[:1] if values.shape.rank is not None else TensorShape(None)
    if values.shape.rank == 0:
        raise ValueError("The values of a ragged tensor must have rank 1 or more; got a scalar.")
    if not have.is_compatible_with(ragged.values.shape[:1]):
        raise ValueError(
            f"with_values needs as many values as before, {ragged.values.shape[:1]}; got {have}."
        )
    if is_ragged(values) and values._row_partition.dtype != ragged._row_partition.dtype:
        raise ValueError("The row_splits of the values have another dtype: use with_row_splits_dtype.")
    return RaggedTensor(values, ragged._row_partition, internal=True)


def with_flat_values(ragged: RaggedTensor, values: Any) -> RaggedTensor:
    """The same partitions with other flat values."""
    if is_ragged(ragged.values):
        return RaggedTensor(with_flat_values(ragged.values, values), ragged._row_partition, internal=True)
    return with_values(ragged, values)


def rebuilt(ragged: RaggedTensor, values: Any) -> RaggedTensor:
    """`with_flat_values` without its checks."""
    for partition in reversed(ragged._nested_row_partitions):
        values = RaggedTensor(values, partition, internal=True)
    return values


def axis_of(axis: int, rank: int | None, what: str = "axis") -> int:
    """`axis` counted from the front; ValueError where there is no such axis."""
    if not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{what} must be an int; got {axis!r}.")
    axis = int(axis)
    if rank is not None and not -rank <= axis < rank:
        raise ValueError(
            f"{what}={axis} is out of bounds for rank {rank}: it must be from {-rank} to {rank - 1}."
        )
    if axis < 0:
        if rank is None:
            raise ValueError(f"{what}={axis} counts from the end, and the rank is not known.")
        axis += rank
    return axis


def row_lengths(ragged: RaggedTensor, axis: int = 1) -> Any:
    """The lengths of the slices along an axis."""
    axis = axis_of(axis, ragged.shape.rank)
    if axis == 0:
        return ragged._row_partition.nrows()
    if axis == 1:
        return ragged._row_partition.row_lengths()
    values = ragged.values
    if is_ragged(values):
        return RaggedTensor(row_lengths(values, axis - 1), ragged._row_partition, internal=True)
    shape = layout.shape(values, ragged._row_partition.dtype)
    return RaggedTensor(
        create.ones(shape[: axis - 1], shape.dtype) * shape[axis - 1], ragged._row_partition, internal=True
    )


def _longest(partition: RowPartition) -> Any:
    if partition._uniform is not None:
        return partition._uniform
    lengths = partition.row_lengths()
    if isinstance(lengths, EagerTensor):
        return of_array(np.asarray(lengths._array.max(initial=0), lengths._np_dtype))
    return math.maximum(reduce.reduce_max(lengths), create.constant(0, lengths.dtype))


def bounding_shape(ragged: RaggedTensor, axis: Any = None, out_type: Any = None) -> Any:
    """The shape of the smallest dense tensor that has room for all."""
    out_type = ragged._row_partition.dtype if out_type is None else dtypes.as_dtype(out_type)
    if isinstance(axis, (int, np.integer)):
        if axis == 0:
            return ragged.nrows(out_type)
        if axis == 1:
            return cast.cast(_longest(ragged._row_partition), out_type)
    partitions = ragged._nested_row_partitions
    outer = [partitions[0].nrows(), *(_longest(p) for p in partitions)]
    shape = joining.concat(
        [
            joining.stack([cast.cast(d, out_type) for d in outer]),
            layout.shape(ragged.flat_values, out_type)[1:],
        ],
        0,
    )
    return shape if axis is None else gather.gather(shape, axis)


def merge_dims(value: Any, outer: int, inner: int) -> Any:
    """The dimensions from `outer` through `inner` as one, of a ragged or dense tensor."""
    outer = axis_of(outer, value.shape.rank, "outer_axis")
    inner = axis_of(inner, value.shape.rank, "inner_axis")
    if outer > inner:
        raise ValueError(f"outer_axis must not be above inner_axis; got {outer} and {inner}.")
    if outer == inner:
        return value
    if not is_ragged(value):
        shape = layout.shape(value)
        merged = joining.concat(
            [shape[:outer], [reduce.reduce_prod(shape[outer : inner + 1])], shape[inner + 1 :]], 0
        )
        return layout.reshape(value, merged)
    if outer == 0:
        return value.values if inner == 1 else merge_dims(value.values, 0, inner - 1)
    if outer > 1:
        return RaggedTensor(
            merge_dims(value.values, outer - 1, inner - 1), value._row_partition, internal=True
        )
    inside = merge_dims(value.values, 1, inner - 1) if inner > 2 else value.values
    dtype = value._row_partition.dtype
    inside = inside if is_ragged(inside) else uniform_rows(inside, dtype)
    splits = gather.gather(inside.row_splits, value.row_splits)
    return RaggedTensor(inside.values, RowPartition(splits, internal=True), internal=True)


__all__ = ["text", "to_list", "to_numpy"]

# -- what other modules answer ----------------------------------------------------------------------------------------


def getitem(ragged: RaggedTensor, key: Any) -> Any:
    """`ragged[key]`."""
    from headwater._src.ops import ragged_index

    return ragged_index.getitem(ragged, key)


def dispatch(record: Any, args: Any, attrs: Any) -> Any:
    """What an operation does that is called with a ragged tensor."""
    from headwater._src.ops import ragged_dispatch

    return ragged_dispatch.dispatch(record, args, attrs)


def __getattr__(name: str) -> Any:
    from headwater._src.ops import ragged_dense, ragged_dispatch

    elsewhere = {"OPERATORS": ragged_dispatch, **dict.fromkeys(_FORMS, ragged_dense)}
    if name not in elsewhere:
        raise AttributeError(name)
    found = globals()[name] = getattr(elsewhere[name], name)
    return found


_FORMS = ("from_tensor", "from_sparse", "to_tensor", "to_sparse")

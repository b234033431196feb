"""Indexing and slicing of ragged tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.core.context import ctx
from headwater._src.core.ragged import RaggedTensor, RowPartition, is_ragged, known_int
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops import cast, create, gather, layout, math
from headwater._src.ops import ragged_methods as methods


def getitem(ragged: Any, key: Any) -> Any:
    """`ragged[key]`: integers, slices, `...` and `tf.newaxis`, as for tensors.

    Raises:
      IndexError: there is no such row.
      TypeError: a key is none of those.
      ValueError: an integer is given for a ragged inner dimension, where rows may have no such element.
    """
    if is_ragged(key):
        raise TypeError("A ragged tensor can't be an index; use tf.ragged.boolean_mask or tf.gather.")
    keys = list(key) if isinstance(key, (tuple, list)) else [key]
    for one in keys:
        _check(one)
    return _outer(ragged, _without_ellipsis(keys, ragged))


def _check(key: Any) -> None:
    if key is None or key is Ellipsis or isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return
    if isinstance(key, slice):
        for part in (key.start, key.stop, key.step):
            if part is not None and not isinstance(part, bool):
                if not isinstance(part, (int, np.integer)) and not _is_index(part):
                    raise TypeError(f"A slice takes integers; got {part!r}.")
        return
    if not _is_index(key):
        raise TypeError(
            f"A ragged tensor is indexed with integers, slices, `...` and tf.newaxis; got {key!r}."
        )


def _is_index(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iu"
    return isinstance(value, Tensor) and value.dtype in methods.INTEGERS and not value.shape.rank


def _without_ellipsis(keys: list[Any], ragged: Any) -> list[Any]:
    count = sum(k is Ellipsis for k in keys)
    if not count:
        return keys
    if count > 1:
        raise ValueError("`...` may be used once in an index.")
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    given = sum(k is not None and k is not Ellipsis for k in keys)
    rank = ragged.shape.rank
    if rank is None:
        raise ValueError("`...` needs a ragged tensor whose rank is known.")
    if given > rank:
        raise IndexError(f"Too many indices for a ragged tensor of rank {rank}: {given}.")
    return keys[:at] + [slice(None)] * (rank - given) + keys[at + 1 :]


def _is_whole(key: Any) -> bool:
    return isinstance(key, slice) and key.start is None and key.stop is None and key.step in (None, 1)


def _outer(value: Any, keys: list[Any]) -> Any:
    """`keys` applied from the outermost dimension on."""
    if not keys:
        return value
    if not is_ragged(value):
        return value[tuple(keys)]
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = _outer(value, rest)
        return expand_first(inner)
    if isinstance(first, slice):
        return _inner(value if _is_whole(first) else _rows(value, first), rest)
    return _outer(_row(value, first), rest)


def expand_first(value: Any) -> Any:
    """`value` with a new first dimension of length 1."""
    if not is_ragged(value):
        return layout.expand_dims(value, 0)
    n = value._row_partition.static_nrows
    dtype = value._row_partition.dtype
    length = create.constant(n, dtype) if n is not None else value.nrows()
    return RaggedTensor(value, methods.from_uniform(length, None, 1), internal=True)


def _row(ragged: RaggedTensor, index: Any) -> Any:
    splits, count = ragged.row_splits, ragged._row_partition.static_nrows
    i = known_int(index) if isinstance(index, (int, Tensor)) else int(index)
    if i is not None and count is not None:
        if not -count <= i < count:
            raise (IndexError if ctx.graph is None else ValueError)(
                f"Row {i} is out of bounds for a ragged tensor of {count} rows."
            )
        i = i + count if i < 0 else i
        if isinstance(splits, EagerTensor):
            return ragged.values[int(splits._array[i]) : int(splits._array[i + 1])]
        index = i
    starts, limits = ragged.row_starts(), ragged.row_limits()
    return ragged.values[starts[index] : limits[index]]


def _rows(ragged: RaggedTensor, key: slice) -> RaggedTensor:
    starts, limits = ragged.row_starts()[key], ragged.row_limits()[key]
    uniform = ragged._row_partition._uniform
    if key.step in (None, 1) and isinstance(starts, EagerTensor):
        # Neighbouring rows: their values are one slice.
        a, b = starts._array, limits._array  # type: ignore[attr-defined]
        begin, end = (int(a[0]), int(b[-1])) if len(a) else (0, 0)
        splits = methods.joining.concat([starts - begin, [end - begin]], 0)
        part = RowPartition(splits, internal=True, uniform=uniform)
        return RaggedTensor(ragged.values[begin:end], part, internal=True)
    return from_ranges(ragged.values, starts, limits - starts, uniform)


def from_ranges(values: Any, starts: Any, lengths: Any, uniform: Any = None) -> RaggedTensor:
    """Rows that are `values[starts[i] : starts[i] + lengths[i]]`."""
    partition = RowPartition(methods.splits_of(lengths), internal=True, lengths=lengths, uniform=uniform)
    return RaggedTensor(take_runs(values, starts, lengths), partition, internal=True)


def take_runs(values: Any, starts: Any, lengths: Any) -> Any:
    """The rows of a tensor or ragged tensor from each of `starts` on, as many as `lengths` say."""
    if is_ragged(values):
        return take(values, methods.positions(starts, lengths))
    return methods.runs(values, starts, lengths)


def take(value: Any, rows: Any) -> Any:
    """Rows of a tensor or ragged tensor by a vector of numbers."""
    if not is_ragged(value):
        return gather.gather(value, rows)
    starts = gather.gather(value.row_starts(), rows)
    lengths = gather.gather(value._row_partition.row_lengths(), rows)
    return from_ranges(value.values, starts, lengths, value._row_partition._uniform)


def _inner(ragged: Any, keys: list[Any]) -> Any:
    """`keys` applied to the dimensions after the outermost one, which stays."""
    if not keys:
        return ragged
    if not is_ragged(ragged):
        return ragged[(slice(None), *keys)]
    first, rest = keys[0], keys[1:]
    if first is None:
        inner = _inner(ragged, rest)
        return expand_second(inner)
    if isinstance(first, slice):
        part = ragged if _is_whole(first) else _columns(ragged, first)
        if not rest:
            return part
        return RaggedTensor(_inner(part.values, rest), part._row_partition, internal=True)
    uniform = ragged._row_partition._uniform
    if uniform is None:
        raise ValueError(
            "An integer can't index a ragged inner dimension, as rows may be shorter; slice it, as in `ragged[:, :1]`."
        )
    column = uniform + first if known_int(first) is not None and known_int(first) < 0 else first  # type: ignore[operator]
    return _inner(take(ragged.values, ragged.row_starts() + cast.cast(column, ragged.row_splits.dtype)), rest)


def expand_second(value: Any) -> Any:
    """`value` with a new second dimension of length 1."""
    if not is_ragged(value):
        return layout.expand_dims(value, 1)
    return RaggedTensor(
        value,
        methods.from_uniform(create.constant(1, value.row_splits.dtype), None, _rows_of(value)),
        internal=True,
    )


def _rows_of(value: Any) -> Any:
    known = value._row_partition.static_nrows
    return known if known is not None else value.nrows()


def _columns(ragged: RaggedTensor, key: slice) -> RaggedTensor:
    """Each row's slice."""
    dtype = ragged.row_splits.dtype
    lengths = ragged._row_partition.row_lengths()
    step = 1 if key.step is None else key.step
    known_step = known_int(step)
    if known_step == 0:
        raise ValueError("A slice's step must not be 0.")
    if known_step is None:
        raise NotImplementedError("A ragged dimension is sliced with a step that is known while tracing.")
    zero, one = create.constant(0, dtype), create.constant(1, dtype)

    def bound(value: Any, low: Any, high: Any) -> Any:
        value = cast.cast(value, dtype)
        from headwater._src.ops import compare

        value = compare.where(compare.less(value, zero), value + lengths, create.zeros_like(lengths) + value)
        return math.minimum(math.maximum(value, low), high)

    if known_step > 0:
        begin = create.zeros_like(lengths) if key.start is None else bound(key.start, zero, lengths)
        end = lengths if key.stop is None else bound(key.stop, zero, lengths)
        counts = math.floordiv(end - begin + (known_step - 1), create.constant(known_step, dtype))
    else:
        begin = lengths - one if key.start is None else bound(key.start, -one, lengths - one)
        end = create.zeros_like(lengths) - one if key.stop is None else bound(key.stop, -one, lengths - one)
        counts = math.floordiv(begin - end + (-known_step - 1), create.constant(-known_step, dtype))
    counts = math.maximum(counts, zero)
    uniform = ragged._row_partition._uniform
    if uniform is not None:
        size, plain = known_int(uniform), _plain(key)
        uniform = None if size is None or plain is None else create.constant(len(range(size)[plain]), dtype)
    starts = ragged.row_starts() + begin
    if known_step == 1:
        return from_ranges(ragged.values, starts, counts, uniform)
    partition = RowPartition(methods.splits_of(counts), internal=True, lengths=counts, uniform=uniform)
    steps = methods.positions(create.zeros_like(counts), counts) * create.constant(known_step, dtype)
    places = gather.gather(starts, methods.row_ids(partition._row_splits)) + steps
    return RaggedTensor(take(ragged.values, places), partition, internal=True)


def _plain(key: slice) -> slice | None:
    """The slice with Python's integers; None where they are only known when the program runs."""
    parts = [known_int(k) if isinstance(k, Tensor) else k for k in (key.start, key.stop, key.step)]
    given = (key.start, key.stop, key.step)
    if any(p is None and g is not None for p, g in zip(parts, given, strict=True)):
        return None
    return slice(*(None if p is None else int(p) for p in parts))

"""tf.sparse: reductions, counts and segment sums; embeddings of sparse ids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.layout as layout
import headwater._src.ops.math as ops_math
import headwater._src.ops.segment as segment
from headwater._src.base import dtypes
from headwater._src.base.errors import TracedTypeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import wrap
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx, refused
from headwater._src.core.convert import convert, host_int
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.rules import axes_of, reduced
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.sparse_order import (
    DATA_DEPENDENT,
    check_inside,
    dense_gradient,
    dense_of,
    hinted,
    keys_of,
    of_parts,
    positions_of,
    rows_of,
    sparse_of,
    static_ints,
    width_of,
)

# -- reductions -------------------------------------------------------------------------------------------------------


def _groups(
    indices: np.ndarray, values: np.ndarray, ufunc: Any, kept: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The positions in the dimensions that are kept, in order, and the reduced values."""
    places = indices[:, kept]
    if not len(values):
        return places, values
    keys = keys_of(places)[0] if kept else np.zeros(len(values), np.int64)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    wide = values[order]
    if wide.dtype.name in ("float16", "bfloat16"):
        wide = wide.astype(np.float32)
    return places[order[starts]], ufunc.reduceat(wide, starts).astype(values.dtype, copy=False)


def _settled(shape: np.ndarray, axis: Any, what: str) -> tuple[tuple[int, ...], list[int]]:
    try:
        axes = axes_of(axis, len(shape))
    except ValueError as error:
        raise invalid(f"{what}: {error}") from None
    return axes, [i for i in range(len(shape)) if i not in axes]


def _reduction(ufunc: Any, what: str) -> tuple[Any, Any]:
    def dense(
        indices: np.ndarray, values: np.ndarray, shape: np.ndarray, *, axis: Any, keepdims: bool
    ) -> np.ndarray:
        check_inside(indices, shape, what)
        axes, kept = _settled(shape, axis, what)
        out = np.zeros(shape[kept], values.dtype)
        if ufunc is np.add and len(kept) == 1 and values.dtype.itemsize >= 4:
            np.add.at(out, indices[:, kept[0]], values)
        elif len(values):
            places, found = _groups(indices, values, ufunc, kept)
            out[tuple(places.T)] = found if kept else found[0]
        return out.reshape([1 if i in axes else int(d) for i, d in enumerate(shape)]) if keepdims else out

    def sparse(
        indices: np.ndarray, values: np.ndarray, shape: np.ndarray, *, axis: Any, keepdims: bool
    ) -> Any:
        check_inside(indices, shape, what)
        axes, kept = _settled(shape, axis, what)
        places, found = _groups(indices, values, ufunc, kept)
        if not keepdims:
            return places, found, shape[kept]
        whole = np.zeros((len(found), len(shape)), np.int64)
        whole[:, kept] = places
        return whole, found, np.where(np.isin(np.arange(len(shape)), axes), 1, shape)

    return dense, sparse


def _rank_after(rank: int | None, axis: Any, keepdims: bool) -> int | None:
    if rank is None or keepdims:
        return rank
    return rank - len(axes_of(axis, rank))


def _dense_rule(indices: Spec, values: Spec, shape: Spec, *, axis: Any, keepdims: bool) -> Any:
    rank = _rank_after(width_of(indices, shape), axis, keepdims)
    return None if rank is None else (None,) * rank


def _sparse_rule(indices: Spec, values: Spec, shape: Spec, *, axis: Any, keepdims: bool) -> list[Any]:
    rank = _rank_after(width_of(indices, shape), axis, keepdims)
    return [(None, rank), (None,), (rank,)]


def _sum_grad(g: Any, y: Any, indices: Any, values: Any, shape: Any, *, axis: Any, keepdims: bool) -> Tensor:
    rank = indices.shape[1]
    if rank is None:
        raise NotImplementedError("The gradient of tf.sparse.reduce_sum needs positions of known rank.")
    axes = axes_of(axis, rank)
    if not keepdims:
        for at in sorted(axes):
            g = layout.expand_dims(g, at)
    kept = np.array([i not in axes for i in range(rank)], np.int64)
    return gather.gather_nd(g, ops_math.multiply(indices, convert(kept)))


_SUM, _SUM_SPARSE = _reduction(np.add, "tf.sparse.reduce_sum")
_MAX, _MAX_SPARSE = _reduction(np.maximum, "tf.sparse.reduce_max")
_INPUTS = "input_indices: int64, input_values: {}, input_shape: int64 -> "
_AXIS = {"axis": None, "keepdims": False}

_sum_op = op(
    "SparseReduceSum", _INPUTS.format("N") + "?: input_values",
    numpy=_SUM,
    lower=DATA_DEPENDENT,
    grad=(None, _sum_grad, None),
    shape=_dense_rule,
    attrs=_AXIS,
    doc="Sums over dimensions of a sparse tensor, dense.",
)  # fmt: skip

_max_op = op(
    "SparseReduceMax", _INPUTS.format("R") + "?: input_values",
    numpy=_MAX,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_dense_rule,
    attrs=_AXIS,
    doc="Maxima over dimensions of a sparse tensor, dense.",
)  # fmt: skip

_sum_sparse_op = op(
    "SparseReduceSumSparse", _INPUTS.format("N") + "?: input_indices; ?: input_values; ?: int64",
    numpy=_SUM_SPARSE,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_sparse_rule,
    attrs=_AXIS,
    doc="Sums over dimensions of a sparse tensor, sparse.",
)  # fmt: skip

_max_sparse_op = op(
    "SparseReduceMaxSparse", _INPUTS.format("R") + "?: input_indices; ?: input_values; ?: int64",
    numpy=_MAX_SPARSE,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_sparse_rule,
    attrs=_AXIS,
    doc="Maxima over dimensions of a sparse tensor, sparse.",
)  # fmt: skip


def _axes(axis: Any, what: str) -> Any:
    if axis is None:
        return None
    if axis.__class__ is int:
        return (axis,)
    axes = static_ints(axis) if isinstance(axis, Tensor) else np.asarray(axis).reshape(-1)
    if axes is None or None in axes:
        raise NotImplementedError(f"{what} needs to know the axis when it is traced.")
    if len(axes) and np.asarray(axes).dtype.kind not in "iu":
        raise TypeError(f"{what}: axis takes integers; got {axis!r}.")
    return tuple(dict.fromkeys(int(a) for a in axes))


def _reduce(
    sp_input: Any, axis: Any, keepdims: Any, as_sparse: bool, what: str, dense_op: Any, sparse_op: Any
) -> Any:
    sp = sparse_of(sp_input, what)
    axis, keep = _axes(axis, what), bool(keepdims)
    static = sp._static._dims if sp._values.__class__ is SymbolicTensor else None
    if static is not None:
        try:
            static = reduced(Spec(static, sp._values._spec.dtype), axis=axis, keepdims=keep)
        except ValueError as error:
            raise invalid(f"{what}: {error}") from None
    if as_sparse:
        return of_parts(sparse_op(sp._indices, sp._values, sp._dense_shape, axis=axis, keepdims=keep), static)
    return hinted(dense_op(sp._indices, sp._values, sp._dense_shape, axis=axis, keepdims=keep), static)


@export("sparse.reduce_sum")
def reduce_sum(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Sums over the dimensions `axis`, all where it is None.

    Args:
      sp_input: a sparse tensor of numbers.
      axis: an int or a list of them.
      keepdims: whether the dimensions stay, with length 1.
      output_is_sparse: whether the result is sparse; a sparse one has no gradient.
      name: optional.

    Raises:
      TypeError: `sp_input` is no sparse tensor.
      InvalidArgumentError: an axis is out of range.
    """
    return _reduce(
        sp_input, axis, keepdims, output_is_sparse, "tf.sparse.reduce_sum", _sum_op, _sum_sparse_op
    )


@export("sparse.reduce_max")
def reduce_max(
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The largest elements over the dimensions `axis`; places without a value do not count, and where there are none
    the result is 0.

    See `tf.sparse.reduce_sum` for the arguments. There is no gradient.
    """
    return _reduce(
        sp_input, axis, keepdims, output_is_sparse, "tf.sparse.reduce_max", _max_op, _max_sparse_op
    )


# -- counts -----------------------------------------------------------------------------------------------------------


_DENSE = 4
"""Counts are made in a plain array if it has at most so many times as many places as there are values."""


def _count(rows: np.ndarray, values: np.ndarray, weights: np.ndarray, lengths: Any, attrs: Any) -> Any:
    """Counts of (row, value) pairs; `lengths` are the leading dimensions of the result."""
    minlength, maxlength, binary = attrs
    if values.size and values.min() < 0:
        raise invalid(f"tf.sparse.bincount: the values must not be negative; got {values.min()}.")
    if weights.size and weights.size != values.size:
        raise invalid(
            f"tf.sparse.bincount: {weights.size} weights for {values.size} values; they must be as many."
        )
    size = maxlength if maxlength >= 0 else max(int(values.max(initial=0)) + 1, minlength)
    if maxlength >= 0:
        inside = values < maxlength
        rows, values, weights = rows[inside], values[inside], weights[inside] if weights.size else weights
    count = math.prod(map(int, lengths))
    if not weights.size and count * size <= _DENSE * values.size + 1024:
        counts = np.bincount(rows * size + values if lengths else values, minlength=count * size)
        there = np.flatnonzero(counts)
        found = np.ones(len(there)) if binary else counts.take(there)
        return (
            positions_of(there, [*lengths, size]),
            found.astype(weights.dtype),
            np.array([*lengths, size], np.int64),
        )
    pairs = np.stack([rows, values], 1).astype(np.int64)
    if binary or not weights.size:
        counted = np.ones(len(pairs), weights.dtype)
        places, counts = _groups(pairs, counted, np.maximum if binary else np.add, [0, 1])
    else:
        places, counts = _groups(pairs, weights, np.add, [0, 1])
    if not lengths:
        places = places[:, 1:]
    return places, counts, np.array([*lengths, size], np.int64)


def _dense_count(
    values: np.ndarray, weights: np.ndarray, *, minlength: int, maxlength: int, binary: bool
) -> Any:
    if values.ndim not in (1, 2):
        raise invalid(f"tf.sparse.bincount takes vectors and matrices; got shape {values.shape}.")
    if weights.size and weights.shape != values.shape:
        raise invalid(
            f"tf.sparse.bincount: weights of shape {weights.shape} for values of shape {values.shape}."
        )
    lengths = values.shape[:-1]
    rows = np.repeat(np.arange(lengths[0]), values.shape[1]) if lengths else np.zeros(values.size, np.int64)
    return _count(rows, values.reshape(-1), weights.reshape(-1), lengths, (minlength, maxlength, binary))


def _sparse_count(
    indices: np.ndarray,
    values: np.ndarray,
    shape: np.ndarray,
    weights: np.ndarray,
    *,
    minlength: int,
    maxlength: int,
    binary: bool,
) -> Any:
    check_inside(indices, shape, "tf.sparse.bincount")
    lengths = shape[:-1].tolist()
    rows = indices[:, 0] if lengths else np.zeros(len(values), np.int64)
    return _count(rows, values, weights, lengths, (minlength, maxlength, binary))


def _count_rule(rank: int | None) -> list[Any]:
    return [(None, rank), (None,), (rank,)]


_COUNT = {"minlength": -1, "maxlength": -1, "binary": False}
_COUNTED = "IX, weights: int32|int64|float32|float64 -> ?: int64; ?: weights; ?: int64"

_dense_count_op = op(
    "DenseCountSparseOutput", "values: " + _COUNTED,
    numpy=_dense_count,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda values, weights, **_: _count_rule(None if values.shape is None else len(values.shape)),
    attrs=_COUNT,
    doc="How often each value occurs in each row; no weights (an empty tensor) count 1 each.",
)  # fmt: skip

_sparse_count_op = op(
    "SparseCountSparseOutput", "indices: int64, values: IX, dense_shape: int64, " + _COUNTED[4:],
    numpy=_sparse_count,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda indices, values, shape, weights, **_: _count_rule(width_of(indices, shape)),
    attrs=_COUNT,
    doc="How often each value occurs in each row of a sparse tensor.",
)  # fmt: skip


def _limit(value: Any, what: str) -> int:
    if value is None:
        return -1
    found = host_int(value, f"tf.sparse.bincount: {what}")
    if not isinstance(found, int):
        raise NotImplementedError(f"tf.sparse.bincount needs to know {what} when it is traced.")
    return found


@export("sparse.bincount")
def bincount(
    values: Any, weights: Any = None, axis: Any = 0, minlength: Any = None, maxlength: Any = None,
    binary_output: bool = False, name: str | None = None,
) -> SparseTensor:  # fmt: skip
    """How often each number occurs, as a sparse tensor.

    Args:
      values: a tensor or sparse tensor of int32 or int64, not negative.
      weights: what each value counts, in the form of `values`; None for 1.
      axis: 0 counts over the whole, -1 for each row of a matrix.
      minlength: the least length of the result's last dimension.
      maxlength: values from this on are left out.
      binary_output: whether each number that occurs counts 1, however often.
      name: optional.

    Returns:
      A sparse tensor of the dtype of the weights, or of the values where there are none.

    Raises:
      ValueError: another axis; weights that are sparse where the values are not, or otherwise.
      InvalidArgumentError: negative values, or weights that do not fit.
    """
    at = 0 if axis is None else int(axis)
    if at not in (0, -1):
        raise ValueError(f"tf.sparse.bincount: axis must be 0 or -1; got {axis}.")
    if binary_output and weights is not None:
        raise ValueError("tf.sparse.bincount: binary_output and weights exclude each other.")
    attrs = {
        "minlength": _limit(minlength, "minlength"),
        "maxlength": _limit(maxlength, "maxlength"),
        "binary": bool(binary_output),
    }
    if hasattr(values, "to_sparse"):
        weights = weights.to_sparse() if hasattr(weights, "to_sparse") else weights
        values = values.to_sparse()
    if isinstance(values, SparseTensor):
        weights = _sparse_weights(values, weights)
        if at == 0:
            return _sparse_result(_dense_count_op(values._values, weights, **attrs), (), attrs)
        parts = _sparse_count_op(values._indices, values._values, values._dense_shape, weights, **attrs)
        return _sparse_result(parts, _lead(values._static._dims), attrs)
    values = convert(values)
    if values.dtype not in (dtypes.int32, dtypes.int64):
        values = cast(values, dtypes.int32) if values.dtype.is_integer else values
    if isinstance(weights, SparseTensor):
        raise ValueError("tf.sparse.bincount: sparse weights need sparse values.")
    weights = create.zeros([0], values.dtype) if weights is None else convert(weights)
    if (
        None not in (weights.shape.num_elements(), values.shape.num_elements())
        and weights.shape != values.shape
    ):
        if weights.shape.num_elements():
            raise refused(
                f"tf.sparse.bincount: weights of shape {weights.shape} for values of shape {values.shape}."
            )
    if at == 0:
        values = layout.reshape(values, [-1])
        weights = layout.reshape(weights, [-1])
    return _sparse_result(_dense_count_op(values, weights, **attrs), _lead(values._spec.shape), attrs)


def count_dense(
    sp: SparseTensor, weights: Any, minlength: Any, maxlength: Any, dtype: Any, axis: Any, binary: bool
) -> Tensor:
    """`tf.math.bincount` of a sparse tensor."""
    from headwater._src.ops.sort import bincount as count

    if weights is not None and not isinstance(weights, SparseTensor):
        raise ValueError("tf.math.bincount: weights of sparse values must be sparse too.")
    if axis != -1:
        heavy = None if weights is None else _sparse_weights(sp, weights)
        return count(sp._values, heavy, minlength, maxlength, dtype, binary_output=binary)
    counts = dense_of(bincount(sp, weights, -1, minlength, maxlength, binary))
    return counts if weights is not None else cast(counts, dtype)


def _lead(dims: Any) -> Any:
    return None if dims is None else tuple(dims[:-1])


def _sparse_weights(values: SparseTensor, weights: Any) -> Tensor:
    if weights is None:
        return create.zeros([0], values.dtype)
    if not isinstance(weights, SparseTensor):
        raise ValueError("tf.sparse.bincount: weights of sparse values must be sparse too.")
    for what, x, y in (
        ("positions", values._indices, weights._indices),
        ("shapes", values._dense_shape, weights._dense_shape),
    ):
        if hasattr(x, "_array") and hasattr(y, "_array") and not np.array_equal(x._array, y._array):
            raise invalid(f"tf.sparse.bincount: the {what} of values and weights differ.")
    return weights._values


def _sparse_result(parts: Any, lead: Any, attrs: Any) -> SparseTensor:
    static = None
    if lead is not None:
        static = (*lead, attrs["maxlength"] if attrs["maxlength"] >= 0 else None)
    return of_parts(parts, static)


# -- segments ---------------------------------------------------------------------------------------------------------


def _check_ids(ids: np.ndarray, *, num_segments: int, what: str) -> np.ndarray:
    if ids.size and (ids[0] < 0 or (ids[1:] < ids[:-1]).any()):
        raise invalid(f"tf.sparse.{what}: segment_ids must be sorted and not negative; got {ids.tolist()}.")
    if ids.size and ids[-1] >= num_segments:
        raise invalid(
            f"tf.sparse.{what}: segment_ids must be less than num_segments = {num_segments}; got {ids.tolist()}."
        )
    if num_segments < 0:
        raise invalid(f"tf.sparse.{what}: num_segments must not be negative; got {num_segments}.")
    return ids


_sorted_ids = op(
    "SparseSegmentIds", "segment_ids: IX -> segment_ids",
    numpy=_check_ids,
    lower=lambda ids, *, num_segments, what: ids,
    grad=NONDIFF,
    attrs={"num_segments": 0, "what": ""}, host=("num_segments",),
    doc="The segment ids themselves, found to be sorted and in range.",
)  # fmt: skip


def _segments(
    which: str, data: Any, indices: Any, segment_ids: Any, num_segments: Any, sparse_gradient: bool
) -> Tensor:
    what = f"tf.sparse.segment_{which}"
    data, at, ids = convert(data), convert(indices), convert(segment_ids)
    if data.dtype.is_complex or (which != "sum" and not data.dtype.is_floating):
        allowed = "numbers that are not complex" if which == "sum" else "floats"
        message = f"{what}: data must hold {allowed}; got {data.dtype.name}. Use tf.cast."
        raise invalid(message) if ctx.graph is None else TracedTypeError(None, None, message)
    for name, tensor in (("indices", at), ("segment_ids", ids)):
        if tensor._spec.shape is not None and len(tensor._spec.shape) != 1:
            raise refused(f"{what}: {name} must be a vector; got shape {wrap(tensor._spec.shape)}.")
    if rows_of(at._spec) != rows_of(ids._spec) and None not in (rows_of(at._spec), rows_of(ids._spec)):
        raise refused(
            f"{what}: {rows_of(at._spec)} indices for {rows_of(ids._spec)} segment_ids; they must be as many."
        )
    rows = gather.gather_dense(data if sparse_gradient else dense_gradient(data), at)
    if num_segments is not None:
        count = host_int(num_segments, f"{what}: num_segments")
        ids = _sorted_ids(ids, num_segments=count, what=f"segment_{which}")
        return getattr(segment, f"unsorted_segment_{which}")(rows, ids, count)
    if which != "sqrt_n":
        return getattr(segment, f"segment_{which}")(rows, ids)
    return _root_mean(rows, ids)


def _root_mean(rows: Tensor, ids: Tensor) -> Tensor:
    """The sums of rows with equal ids over the roots of their numbers."""
    sums = segment.segment_sum(rows, ids)
    counts = segment.segment_sum(create.ones_like(ids, sums.dtype), ids)
    return ops_math.div_no_nan(sums, _widened(ops_math.sqrt(counts), sums))


def _widened(x: Tensor, like: Tensor) -> Tensor:
    for _ in range(len(like.shape) - len(x.shape)):
        x = layout.expand_dims(x, -1)
    return x


def _segment_function(which: str, says: str) -> Any:
    def function(
        data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None,
        sparse_gradient: bool = False,
    ) -> Tensor:  # fmt: skip
        return _segments(which, data, indices, segment_ids, num_segments, sparse_gradient)

    function.__name__ = function.__qualname__ = f"segment_{which}"
    function.__doc__ = f"""{says} of the rows `data[indices[i]]` with equal segment ids.

    Args:
      data: a tensor; its rows are counted along the first dimension.
      indices: int32 or int64 vector, the rows to take.
      segment_ids: a vector as long, sorted; the segment of each.
      num_segments: how many segments there are; None for the last id plus one. Those without rows are 0.
      name: optional.
      sparse_gradient: whether the gradient with respect to `data` is IndexedSlices.

    Raises:
      InvalidArgumentError: an index or id is out of range, or the ids are not sorted.
    """
    return export(f"sparse.segment_{which}")(function)


segment_sum = _segment_function("sum", "Sums")
segment_mean = _segment_function("mean", "Means")
segment_sqrt_n = _segment_function("sqrt_n", "Sums, over the square root of their number,")

# -- embeddings -------------------------------------------------------------------------------------------------------

_COMBINERS = ("mean", "sqrtn", "sum")


def _table(params: Any, what: str) -> Any:
    import headwater._src.ops.joining as joining

    if params is None or isinstance(params, (list, tuple)) and not params:
        raise ValueError(f"{what}: params must hold at least one tensor.")
    if not isinstance(params, (list, tuple)):
        return params
    return params[0] if len(params) == 1 else joining.concat(list(params), 0)


def _clipped(rows: Tensor, max_norm: Any) -> Tensor:
    if max_norm is None:
        return rows
    import headwater._src.ops.clip as clip

    return clip.clip_by_norm(rows, max_norm, axes=list(range(1, len(rows.shape))))


@export("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(
    params: Any, sp_ids: Any, sp_weights: Any, combiner: str | None = None, max_norm: Any = None,
    name: str | None = None, allow_fast_lookup: bool = False,
) -> Tensor:  # fmt: skip
    """Looks up the rows of a table that each row of `sp_ids` names, and combines them into one.

    Args:
      params: the table, [n, ...], or a list of its parts one after another.
      sp_ids: sparse matrix of int32 or int64 row numbers; each row needs at least one.
      sp_weights: sparse matrix of the weight of each, at the same positions; None for 1.
      combiner: "mean" (the default), "sum", or "sqrtn": the sum over the root of the sum of squared weights.
      max_norm: the Euclidean norm to which rows are clipped first; None for none.
      name: optional.
      allow_fast_lookup: accepted; the result is the same.

    Returns:
      A tensor of shape [rows of sp_ids, ...].

    Raises:
      TypeError: `sp_ids` or `sp_weights` are no sparse tensors.
      ValueError: an unknown combiner, or no params.
      InvalidArgumentError: a row number is out of range.
    """
    what = "tf.nn.embedding_lookup_sparse"
    combiner = combiner or "mean"
    if combiner not in _COMBINERS:
        raise ValueError(f"{what}: combiner must be 'mean', 'sqrtn' or 'sum'; got {combiner!r}.")
    table = _table(params, what)
    ids = sparse_of(sp_ids, what)
    weights = None if sp_weights is None else sparse_of(sp_weights, what)
    if weights is not None:
        _check_weights(ids, weights, what)
    rows = cast(ids._indices[:, 0], dtypes.int32)
    taken = gather.gather(table, ids._values)
    if max_norm is not None:
        taken = _clipped(taken, max_norm)
    if weights is None:
        if combiner == "sum":
            return segment.segment_sum(taken, rows)
        if combiner == "mean":
            return segment.segment_mean(taken, rows)
        return _root_mean(taken, rows)
    return _weighted(taken, rows, weights._values, combiner)


def _check_weights(ids: SparseTensor, weights: SparseTensor, what: str) -> None:
    have, want = rows_of(weights._values._spec), rows_of(ids._values._spec)
    if have is not None and want is not None and have != want:
        raise ValueError(f"{what}: {have} weights for {want} ids; they must be as many.")


def _weighted(taken: Tensor, rows: Tensor, weights: Tensor, combiner: str) -> Tensor:
    weights = cast(weights, taken.dtype)
    wide = _widened(weights, taken)
    sums = segment.segment_sum(ops_math.multiply(taken, wide), rows)
    if combiner == "sum":
        return sums
    if combiner == "mean":
        return ops_math.div_no_nan(sums, segment.segment_sum(wide, rows))
    squares = segment.segment_sum(ops_math.multiply(wide, wide), rows)
    return ops_math.div_no_nan(sums, ops_math.sqrt(squares))


@export("nn.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse(
    embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None, combiner: str = "mean", default_id: Any = None,
    max_norm: Any = None, name: str | None = None, allow_fast_lookup: bool = False,
) -> Tensor:  # fmt: skip
    """`tf.nn.embedding_lookup_sparse` that accepts empty rows, negative ids and more than two dimensions.

    Ids below 0, and weights of 0 or less unless they are summed, are left out. Rows without ids are zeros, or the table's
    row `default_id`.

    Args:
      embedding_weights: the table, or a list of its parts.
      sparse_ids: sparse tensor of rank 2 or more; its last dimension is combined.
      sparse_weights: sparse tensor of weights at the same positions; None for 1.
      combiner: "mean", "sum" or "sqrtn".
      default_id: the row for those without ids; None for zeros.
      max_norm: the Euclidean norm to which rows are clipped first; None for none.
      name: optional.
      allow_fast_lookup: accepted; the result is the same.

    Returns:
      A tensor of the shape of `sparse_ids` but for its last dimension, followed by that of a row.

    Raises:
      ValueError: no table.
    """
    import headwater._src.ops.compare as compare
    import headwater._src.ops.joining as joining
    import headwater._src.ops.sparse as sparse

    what = "tf.nn.safe_embedding_lookup_sparse"
    table = _table(embedding_weights, what)
    ids = sparse_of(sparse_ids, what)
    weights = None if sparse_weights is None else sparse_of(sparse_weights, what)
    dims = ids._static._dims
    lead = ids._dense_shape[:-1]
    flat = joining.stack([_product_of(lead), ids._dense_shape[-1]])
    ids = sparse.reshape(ids, flat)
    keep = compare.greater_equal(ids._values, 0)
    if weights is not None and combiner != "sum":
        keep = compare.logical_and(keep, compare.greater(weights._values, 0))
    if weights is not None:
        weights = sparse.retain(SparseTensor(ids._indices, weights._values, ids._dense_shape), keep)
        weights, _ = sparse.fill_empty_rows(weights, 1)
    ids, empty = sparse.fill_empty_rows(sparse.retain(ids, keep), default_id or 0)
    found = embedding_lookup_sparse(table, ids, weights, combiner, max_norm)
    if default_id is None:
        found = compare.where(_widened(empty, found), create.zeros_like(found), found)
    tail = layout.shape(found, dtypes.int64)[1:]
    result = layout.reshape(found, joining.concat([lead, tail], 0))
    row = found._spec.shape
    return hinted(result, None if dims is None or row is None else (*dims[:-1], *row[1:]))


def _product_of(dims: Any) -> Tensor:
    import headwater._src.ops.reduce as reduce

    return reduce.reduce_prod(dims)

"""`tf.map_fn` over the rows of ragged and sparse tensors, or with such results.

A row's result is taken apart into tensors that differ from row to row in their first dimension only. What is collected of all
rows, in Python lists or in the lists of a graph's loop, is joined and becomes one value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headwater._src.base import dtypes, nest
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor, SparseTensorSpec
from headwater._src.core.context import ctx, refused
from headwater._src.core.convert import convert
from headwater._src.core.ragged import RaggedTensor, RaggedTensorSpec, RowPartition, is_ragged
from headwater._src.core.spec import NoneTensorSpec, TensorSpec, TypeSpec
from headwater._src.core.tensor import Tensor
from headwater._src.ops import cast, create, joining, layout, loops, reduce, sort, tensor_lists
from headwater._src.ops import ragged_methods as methods
from headwater._src.ops import shape as shapes
from headwater._src.ops.sparse_order import made


def map_fn(fn: Callable[[Any], Any], elems: Any, signature: Any) -> Any:
    """`fn` of each row.

    Raises:
      ValueError: a result is not of the form that the signature promised, or `elems` differ in their numbers of rows.
      TypeError: the signature has other types of structures than the result, or a specification whose values can't be stacked.
      InvalidArgumentError: a sparse tensor has no rows or is not in order, or results differ in their inner dimensions.
    """
    flat = [_rows_of(e) for e in nest.flatten(elems)]
    if signature is None:
        signature = _like(elems, [rows.form for rows in flat])
    else:
        signature = nest.map_structure(_form_of, signature)
    forms = nest.flatten(signature)

    def row(i: Any) -> list[Any]:
        result = fn(_like(elems, [rows.row(i) for rows in flat]))
        nest.assert_same_structure(signature, result)
        found = zip(forms, nest.flatten(result), strict=True)
        return [part for form, value in found for part in form.parts(value)]

    count = _common_count(flat)
    columns = _collected(row, count, forms) if ctx.graph is None else _staged(row, count, forms)
    feed = iter(columns)
    return _like(signature, [form.whole(count, [next(feed) for _ in form.dtypes]) for form in forms])


def check_sparse(signature: Any, what: str) -> None:
    """ValueError for specifications of composite values that are no sparse tensors."""
    for spec in nest.flatten(signature):
        if not isinstance(spec, (TensorSpec, SparseTensorSpec)):
            raise ValueError(f"{what}: fn may give tensors and sparse tensors; got a value of {spec!r}.")


def stacked(values: Sequence[Any], what: str) -> Any:
    """Eager sparse tensors as the rows of one."""
    spec = values[0]._type_spec
    check_sparse(spec, what)
    form = _Sparse(SparseTensorSpec([None] * spec.shape.rank, spec.dtype))
    columns = zip(*map(form.parts, values), strict=True)
    return form.whole(len(values), [_Column(list(c), None) for c in columns])


def _like(structure: Any, leaves: Sequence[Any]) -> Any:
    return nest.pack_sequence_as(structure, leaves) if nest.is_nested(structure) else leaves[0]


# -- what is mapped ---------------------------------------------------------------------------------------------------


class _DenseRows:
    value: Any
    form: Any
    """What the results are, unless the signature says something else."""

    def __init__(self, value: Tensor) -> None:
        self.value = value
        self.form = _Dense(TensorSpec(None, value.dtype))
        self.static = value.shape[0]

    def count(self) -> Any:
        return layout.shape(self.value)[0]

    def row(self, i: Any) -> Any:
        return self.value[i]


class _RaggedRows(_DenseRows):
    def __init__(self, value: RaggedTensor) -> None:
        self.value = value
        self.form = _Ragged(
            RaggedTensorSpec(None, value.dtype, value.ragged_rank - 1, value.row_splits.dtype)
        )
        self.static = value.shape[0]

    def count(self) -> Any:
        return self.value.nrows()


class _SparseRows:
    def __init__(self, value: SparseTensor) -> None:
        if value.shape.rank is not None and value.shape.rank < 2:
            raise refused(f"tf.map_fn: sparse elems must have rank 2 or more; got shape {value.shape}.")
        self.value = value
        self.form = _Sparse(SparseTensorSpec(None, value.dtype))
        self.static = value.shape[0]
        ids = value.indices[:, 0]
        methods.require(
            ids[1:] >= ids[:-1], "tf.map_fn: the rows must be in order; tf.sparse.reorder puts them so."
        )
        self.splits = sort.searchsorted(ids, create.range(value.dense_shape[0] + 1))

    def count(self) -> Any:
        return self.value.dense_shape[0]

    def row(self, i: Any) -> SparseTensor:
        part, value = slice(self.splits[i], self.splits[i + 1]), self.value
        return made(value.indices[part, 1:], value.values[part], value.dense_shape[1:], value.shape[1:]._dims)


def _rows_of(value: Any) -> Any:
    if is_ragged(value):
        return _RaggedRows(value)
    return _SparseRows(value) if isinstance(value, SparseTensor) else _DenseRows(convert(value))


def _common_count(values: Sequence[Any]) -> Any:
    """The number of rows of all values: an int if it is known."""
    known = {v.static for v in values} - {None}
    if len(known) > 1:
        raise ValueError(f"tf.map_fn: elems must have as many rows; got {sorted(known)}.")
    return known.pop() if known else values[0].count()


# -- the forms of results ---------------------------------------------------------------------------------------------


def _form_of(spec: Any) -> Any:
    """What the signature promises of one part of the result."""
    if isinstance(spec, RaggedTensorSpec):
        return _Ragged(spec)
    if isinstance(spec, SparseTensorSpec):
        return _Sparse(spec)
    if isinstance(spec, NoneTensorSpec):
        return _Nothing
    if isinstance(spec, TypeSpec) and not isinstance(spec, TensorSpec):
        raise TypeError(f"tf.map_fn: values of {spec!r} can't be stacked; fn_output_signature can't have it.")
    return _Dense(spec if isinstance(spec, TensorSpec) else TensorSpec(None, dtypes.as_dtype(spec)))


def _inner(shape: TensorShape, start: int) -> list[int]:
    """The dimensions of `shape` from `start` on, 0 where unknown."""
    return [d or 0 for d in shape.as_list()[start:]] if shape.rank is not None else []


class _Dense:
    def __init__(self, spec: TensorSpec) -> None:
        self.spec = spec
        self.dtypes = [spec.dtype]

    def parts(self, value: Any) -> list[Any]:
        tensor = convert(value, None, self.spec.dtype)
        if tensor.dtype != self.spec.dtype:
            raise refused(
                f"tf.map_fn: fn gave {describe(tensor)} where {self.spec.dtype!r} was promised; give fn_output_signature, or "
                "convert with tf.cast."
            )
        return [tensor]

    def whole(self, count: Any, columns: Sequence[Any]) -> Any:
        return columns[0].stacked(self.spec.shape)


class _Nothing:
    """None in every row."""

    dtypes: Sequence[Any] = ()

    @staticmethod
    def parts(value: Any) -> list[Any]:
        if value is not None:
            raise ValueError(f"tf.map_fn: fn gave {describe(value)} where fn_output_signature has None.")
        return []

    @staticmethod
    def whole(count: Any, columns: Sequence[Any]) -> None:
        return None


class _Ragged:
    """Flat values, and the lengths of the rows of each ragged dimension, the outermost first."""

    def __init__(self, spec: RaggedTensorSpec) -> None:
        self.spec = spec
        self.dtypes = [spec.dtype] + [spec.row_splits_dtype] * spec.ragged_rank

    def parts(self, value: Any) -> list[Any]:
        spec = self.spec
        found: Any = value if is_ragged(value) else convert(value)
        if found.dtype != spec.dtype:
            raise ValueError(f"tf.map_fn: fn gave {found.dtype!r} where fn_output_signature says {spec!r}.")
        depth = found.ragged_rank if is_ragged(found) else 0
        fits = (
            depth == spec.ragged_rank and found.shape.rank != 0 and spec.shape.is_compatible_with(found.shape)
        )
        if not fits or depth and found.row_splits.dtype != spec.row_splits_dtype:
            raise ValueError(f"tf.map_fn: fn gave {describe(found)} where fn_output_signature says {spec!r}.")
        return [found.flat_values, *found.nested_row_lengths()] if depth else [found]

    def whole(self, count: Any, columns: Sequence[Any]) -> Any:
        spec = self.spec
        values, sizes = columns[0].joined(_inner(spec.shape, spec.ragged_rank + 1))
        nested = [column.joined([]) for column in columns[1:]]
        for lengths, _ in reversed(nested):
            values = RaggedTensor(values, methods.from_row_lengths(lengths, False), internal=True)
        outer = cast.cast(nested[0][1] if nested else sizes, spec.row_splits_dtype)
        if isinstance(count, int):
            outer.set_shape([count])
        rows = RowPartition(methods.splits_of(outer), internal=True, lengths=outer)
        return RaggedTensor(values, rows, internal=True)


class _Sparse:
    """Positions, values and the shape."""

    def __init__(self, spec: SparseTensorSpec) -> None:
        self.spec = spec
        self.dtypes = [dtypes.int64, spec.dtype, dtypes.int64]

    def parts(self, value: Any) -> list[Any]:
        if not isinstance(value, SparseTensor) or not self.spec.is_compatible_with(value):
            raise ValueError(
                f"tf.map_fn: fn gave {describe(value)} where fn_output_signature says {self.spec!r}."
            )
        return [value.indices, value.values, value.dense_shape]

    def whole(self, count: Any, columns: Sequence[Any]) -> Any:
        methods.require(
            convert(count) > 0,
            "tf.map_fn: a sparse result needs one row or more, which tells its shape; elems has none.",
        )
        rank = self.spec.shape.rank
        indices, sizes = columns[0].joined([rank or 0])
        values, _ = columns[1].joined([])
        size = cast.cast(count, dtypes.int64)
        rows = shapes.repeat(create.range(size), sizes)
        dims = reduce.reduce_max(columns[2].stacked(TensorShape([rank])), 0)
        static = [count if isinstance(count, int) else None, *self.spec.shape] if rank is not None else None
        return made(
            joining.concat([rows[:, None], indices], 1), values, joining.concat([size[None], dims], 0), static
        )


# -- eager ------------------------------------------------------------------------------------------------------------


class _Column:
    """One part of the results of all rows."""

    def __init__(self, items: list[Any], dtype: Any) -> None:
        self.items = items
        self.dtype = dtype

    def stacked(self, shape: TensorShape) -> Any:
        if not self.items:
            return create.zeros([0, *_inner(shape, 0)], self.dtype)
        if len({tuple(t.shape) for t in self.items}) > 1:
            raise ValueError(
                "tf.map_fn: the results differ in shape; a RaggedTensorSpec as fn_output_signature allows that."
            )
        return joining.stack(self.items)

    def joined(self, inner: list[int]) -> tuple[Any, Any]:
        """All elements along their first dimension, and how many there were of each row."""
        if not self.items:
            return create.zeros([0, *inner], self.dtype), create.zeros([0], dtypes.int64)
        return joining.concat(self.items, 0), convert([t.shape[0] for t in self.items], dtypes.int64)


def _collected(row: Callable[[Any], list[Any]], count: int, forms: Sequence[Any]) -> list[_Column]:
    rows = [row(i) for i in range(int(count))]
    kinds = [kind for form in forms for kind in form.dtypes]
    return [_Column([r[i] for r in rows], kind) for i, kind in enumerate(kinds)]


# -- in graphs --------------------------------------------------------------------------------------------------------


class _Listed:
    """The same as a list of the graph."""

    def __init__(self, tensors: Any, shape: Any, count: Any) -> None:
        self.tensors = tensors
        self.shape = shape
        self.count = count if isinstance(count, int) else None

    def stacked(self, shape: TensorShape) -> Any:
        dims = self.shape if shape.rank is None else shape._dims
        found = tensor_lists.stack(self.tensors, dims)
        if dims is not None:
            found.set_shape([self.count, *dims])
        return found

    def joined(self, inner: list[int]) -> tuple[Any, Any]:
        return tensor_lists.joined(self.tensors, None if self.shape is None else self.shape[1:])


def _staged(row: Callable[[Any], list[Any]], count: Any, forms: Sequence[Any]) -> list[_Listed]:
    kinds = [kind for form in forms for kind in form.dtypes]
    shapes: list[Any] = [None] * len(kinds)
    limit = count if isinstance(count, int) else cast.cast(count, dtypes.int32)

    def body(i: Any, *lists: Any) -> list[Any]:
        parts = row(i)
        shapes[:] = [part._spec.shape for part in parts]
        written = zip(lists, parts, strict=True)
        return [i + 1, *(tensor_lists.set_item(t, i, p, infer=False) for t, p in written)]

    start = [tensor_lists.reserve(limit, kind, None) for kind in kinds]
    zero = create.constant(0, dtypes.int32)
    lists = loops.while_loop(lambda i, *_: i < limit, body, [zero, *start])[1:]
    return [_Listed(*pair, count) for pair in zip(lists, shapes, strict=True)]

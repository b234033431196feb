"""`tf.map_fn` over the rows of ragged tensors, or with ragged results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater._src.base import dtypes, nest
from headwater._src.base.shapes import TensorShape
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.ragged import RaggedTensor, RaggedTensorSpec, RowPartition, is_ragged
from headwater._src.core.spec import TensorSpec
from headwater._src.ops import cast, create, joining, layout, loops, ragged_array, tensor_lists
from headwater._src.ops import ragged_methods as methods


def map_fn(original: Any, fn: Any, elems: Any, signature: Any) -> Any:
    """`fn` of each row; `original` maps dense tensors.

    Raises:
      TypeError: `fn` is no function.
      ValueError: a result is not of the form that the signature promised, or `elems` differ in their numbers of rows.
    """
    if not callable(fn):
        raise TypeError(f"tf.map_fn: fn must be a function; got {fn!r}.")
    flat = [e if is_ragged(e) else convert(e) for e in nest.flatten(elems)]
    if not flat:
        raise ValueError("tf.map_fn: elems must hold at least one tensor.")
    if signature is None:
        signature = _like(elems, [_row_spec(e) for e in flat])

    def row(i: Any) -> list[Any]:
        result = fn(_like(elems, [e[i] for e in flat]))
        nest.assert_same_structure(signature, result, check_types=False)
        found = zip(nest.flatten(result), nest.flatten(signature), strict=True)
        return [_promised(value, spec) for value, spec in found]

    specs = nest.flatten(signature)
    count = _common_count(flat)
    if ctx.graph is None:
        results = [row(i) for i in range(count)]
        joined = [_joined([r[i] for r in results], spec) for i, spec in enumerate(specs)]
    else:
        joined = _staged(row, count, specs)
    return _like(signature, joined)


def _like(structure: Any, leaves: list[Any]) -> Any:
    return nest.pack_sequence_as(structure, leaves) if nest.is_nested(structure) else leaves[0]


def _common_count(values: list[Any]) -> Any:
    """The number of rows of all values: an int if it is known."""
    known = {v._row_partition.static_nrows if is_ragged(v) else v.shape[0] for v in values} - {None}
    if len(known) > 1:
        raise ValueError(f"tf.map_fn: elems must have as many rows; got {sorted(known)}.")
    if known:
        return known.pop()
    first = values[0]
    return first.nrows() if is_ragged(first) else layout.shape(first, dtypes.int64)[0]


def _row_spec(value: Any) -> Any:
    if not is_ragged(value):
        return TensorSpec(value.shape[1:], value.dtype)
    return RaggedTensorSpec(value.shape[1:], value.dtype, value.ragged_rank - 1, value.row_splits.dtype)


def _promised(value: Any, spec: Any) -> Any:
    """A result of `fn`, which must be of the form that `spec` promises."""
    found: Any = value if is_ragged(value) else convert(value)
    wanted = spec.dtype if hasattr(spec, "dtype") else dtypes.as_dtype(spec)
    if found.dtype != wanted:
        raise ValueError(f"tf.map_fn: fn gave {found.dtype!r} where fn_output_signature says {spec!r}.")
    depth = found.ragged_rank if is_ragged(found) else 0
    if not isinstance(spec, RaggedTensorSpec):
        if depth:
            raise ValueError("tf.map_fn: fn gave a ragged tensor where fn_output_signature has none.")
        return found
    rank = found.shape.rank
    if (
        depth != spec.ragged_rank
        or rank == 0
        or None not in (rank, spec.shape.rank)
        and rank != spec.shape.rank
    ):
        raise ValueError(f"tf.map_fn: fn gave a value of shape {found.shape} where {spec!r} was promised.")
    return found


# -- eager ------------------------------------------------------------------------------------------------------------


def _joined(rows: list[Any], spec: Any) -> Any:
    """The results of all rows as one value of the signature's form."""
    if not isinstance(spec, RaggedTensorSpec):
        if len({tuple(r.shape) for r in rows}) > 1:
            raise ValueError(
                "tf.map_fn: the results differ in shape; a RaggedTensorSpec as fn_output_signature allows that."
            )
        if rows:
            return joining.stack(rows)
        dtype = spec.dtype if hasattr(spec, "dtype") else dtypes.as_dtype(spec)
        return create.zeros([0, *_inner(getattr(spec, "shape", TensorShape(None)), 0)], dtype)
    if not rows:
        return _empty(spec)
    return ragged_array.stack(rows, 0).with_row_splits_dtype(spec.row_splits_dtype)


def _inner(shape: TensorShape, start: int) -> list[int]:
    """The dimensions of `shape` from `start` on, 0 where unknown."""
    return [d or 0 for d in shape.as_list()[start:]] if shape.rank is not None else []


def _empty(spec: RaggedTensorSpec) -> Any:
    value: Any = create.zeros([0, *_inner(spec.shape, spec.ragged_rank + 1)], spec.dtype)
    for _ in range(spec.ragged_rank + 1):
        value = RaggedTensor.from_row_splits(value, create.zeros([1], spec.row_splits_dtype))
    return value


# -- in graphs --------------------------------------------------------------------------------------------------------


def _staged(row: Callable[[Any], list[Any]], count: Any, specs: list[Any]) -> list[Any]:
    """The same as a loop of the graph: lists collect the parts of the results, which are joined at the end."""
    kinds = [kind for spec in specs for kind in _part_dtypes(spec)]
    static = count if isinstance(count, int) else None
    count = cast.cast(count, dtypes.int32)
    shapes: list[Any] = [None] * len(kinds)

    def body(i: Any, *lists: Any) -> list[Any]:
        parts = [part for value, spec in zip(row(i), specs, strict=True) for part in _parts(value, spec)]
        shapes[:] = [part._spec.shape for part in parts]
        return [
            i + 1,
            *(tensor_lists.set_item(t, i, p, infer=False) for t, p in zip(lists, parts, strict=True)),
        ]

    start = [tensor_lists.reserve(count, kind, None) for kind in kinds]
    zero = create.constant(0, dtypes.int32)
    lists = iter(loops.while_loop(lambda i, *_: i < count, body, [zero, *start])[1:])
    found = iter(shapes)
    return [_collected(spec, lists, found, count, static) for spec in specs]


def _part_dtypes(spec: Any) -> list[Any]:
    if not isinstance(spec, RaggedTensorSpec):
        return [spec.dtype if hasattr(spec, "dtype") else dtypes.as_dtype(spec)]
    return [spec.dtype] + [spec.row_splits_dtype] * spec.ragged_rank


def _parts(value: Any, spec: Any) -> list[Any]:
    """The tensors that stand for a result: its flat values, and the lengths of its rows, the outermost first."""
    if not is_ragged(value):
        return [value]
    lengths = [cast.cast(n, spec.row_splits_dtype) for n in value.nested_row_lengths()]
    return [value.flat_values, *lengths]


def _collected(spec: Any, lists: Any, shapes: Any, count: Any, static: int | None) -> Any:
    """One result of the whole map, from the lists of its parts."""
    if not isinstance(spec, RaggedTensorSpec):
        shape = getattr(spec, "shape", TensorShape(None))
        return tensor_lists.stack(next(lists), shape._dims if shape.rank is not None else next(shapes))
    dtype = spec.row_splits_dtype
    dims = next(shapes)
    values, sizes = tensor_lists.joined(next(lists), None if dims is None else dims[1:])
    for _ in range(spec.ragged_rank):
        next(shapes)
    nested = [tensor_lists.joined(next(lists), ()) for _ in range(spec.ragged_rank)]
    for lengths, _ in reversed(nested):
        values = RaggedTensor(values, methods.from_row_lengths(lengths, False), internal=True)
    outer = cast.cast(nested[0][1] if nested else sizes, dtype)
    if static is not None:
        outer.set_shape([static])
    return RaggedTensor(
        values, RowPartition(methods.splits_of(outer), internal=True, lengths=outer), internal=True
    )

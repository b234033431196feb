"""`tf.map_fn` over the rows of ragged tensors, or with ragged results."""

from __future__ import annotations

from typing import Any

from headwater._src.base import dtypes, nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.ragged import RaggedTensor, RaggedTensorSpec, is_ragged
from headwater._src.core.spec import TensorSpec
from headwater._src.ops import create, joining, layout, ragged_array


def map_fn(original: Any, fn: Any, elems: Any, signature: Any) -> Any:
    """`fn` of each row; `original` maps dense tensors.

    Raises:
      InvalidArgumentError: a result is not of the form that the signature promised.
    """
    if not callable(fn):
        raise TypeError(f"tf.map_fn: fn must be a function; got {fn!r}.")
    flat = [e if is_ragged(e) else convert(e) for e in nest.flatten(elems)]
    if not flat:
        raise ValueError("tf.map_fn: elems must hold at least one tensor.")
    if signature is None:
        specs = [_row_spec(e) for e in flat]
        signature = nest.pack_sequence_as(elems, specs) if nest.is_nested(elems) else specs[0]

    def row(i: Any) -> Any:
        parts = [e[i] for e in flat]
        return fn(nest.pack_sequence_as(elems, parts) if nest.is_nested(elems) else parts[0])

    count = flat[0]._row_partition.static_nrows if is_ragged(flat[0]) else flat[0].shape[0]  # type: ignore[union-attr]
    if count is None or ctx.graph is not None and count > 32:
        if any(isinstance(s, RaggedTensorSpec) for s in nest.flatten(signature)):
            raise NotImplementedError(
                "tf.map_fn with ragged results needs a number of rows that is known and small while tracing; use "
                "tf.ragged operations on the whole instead."
            )
        rows = flat[0].nrows() if is_ragged(flat[0]) else layout.shape(flat[0], dtypes.int64)[0]  # type: ignore[union-attr]
        return original(row, create.range(rows), fn_output_signature=signature)
    results = [nest.flatten(row(i)) for i in range(count)]
    wanted = nest.flatten(signature)
    joined = [_joined([r[i] for r in results], spec) for i, spec in enumerate(wanted)]
    return nest.pack_sequence_as(signature, joined) if nest.is_nested(signature) else joined[0]


def _row_spec(value: Any) -> Any:
    if not is_ragged(value):
        return TensorSpec(value.shape[1:], value.dtype)
    return RaggedTensorSpec(value.shape[1:], value.dtype, value.ragged_rank - 1, value.row_splits.dtype)


def _joined(rows: list[Any], spec: Any) -> Any:
    """The results of all rows as one value of the signature's form."""
    if not isinstance(spec, RaggedTensorSpec):
        dtype = spec.dtype if hasattr(spec, "dtype") else dtypes.as_dtype(spec)
        if not rows:
            shape = getattr(spec, "shape", TensorShape(None))
            return create.zeros(
                [0, *(d or 0 for d in (shape.as_list() if shape.rank is not None else []))], dtype
            )
        if any(is_ragged(r) for r in rows):
            raise ValueError("tf.map_fn: fn gave a ragged tensor where fn_output_signature has none.")
        return joining.stack([_fits(convert(r), dtype) for r in rows])
    if not rows:
        return _empty(spec)
    for one in rows:
        found = one if is_ragged(one) else convert(one)
        rank = found.ragged_rank if is_ragged(found) else 0  # type: ignore[union-attr]
        if (
            rank != spec.ragged_rank
            or found.shape.rank != (spec.shape.rank or found.shape.rank)
            or found.shape.rank == 0
        ):
            raise invalid(f"tf.map_fn: fn gave a value of shape {found.shape} where {spec!r} was promised.")
        if found.dtype != spec.dtype:
            raise ValueError(f"tf.map_fn: fn gave {found.dtype!r} where fn_output_signature says {spec!r}.")
    return ragged_array.stack(rows, 0)


def _empty(spec: RaggedTensorSpec) -> Any:
    shape = spec.shape.as_list() if spec.shape.rank is not None else [None] * (spec.ragged_rank + 1)
    value: Any = create.zeros([0, *(d or 0 for d in shape[spec.ragged_rank + 1 :])], spec.dtype)
    for _ in range(spec.ragged_rank + 1):
        value = RaggedTensor.from_row_splits(value, create.zeros([1], spec.row_splits_dtype))
    return value


def _fits(value: Any, dtype: Any) -> Any:
    if value.dtype != dtype:
        raise invalid(f"tf.map_fn: fn gave {value.dtype!r} where fn_output_signature says {dtype!r}.")
    return value

"""Maps and folds over the first dimension inside graphs: loops that get the rows and put out rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
from headwater._src.base import nest
from headwater._src.base.errors import OutOfRangeError, invalid
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor, type_spec_from_value
from headwater._src.core.context import refused
from headwater._src.core.convert import convert
from headwater._src.core.ragged import RaggedTensor
from headwater._src.core.tensor import Tensor
from headwater._src.ops.loops import counted
from headwater._src.ops.nested import leaves_of, pack


def _count(tensors: Sequence[Tensor]) -> Any:
    known = next((t.shape[0] for t in tensors if t.shape.rank and t.shape[0] is not None), None)
    return layout.shape(tensors[0])[0] if known is None else known


def _like(elems: Any, rows: Sequence[Any]) -> Any:
    return nest.pack_sequence_as(elems, rows) if nest.is_nested(elems) else rows[0]


def rows(
    fn: Callable[[Any], Any],
    elems: Any,
    tensors: Sequence[Tensor],
    what: str,
    signature: Any = None,
    at_once: bool = False,
) -> Any:
    """What `fn` gives for each row of `elems`, stacked.

    Args:
      signature: dtypes or specs of the parts of the result; None allows any.
      at_once: whether XLA may take all rows together.

    Raises:
      InvalidArgumentError: the results have other dtypes than the signature promises.
      ValueError: they have another structure.
    """
    result: Any = None

    def one(_: Any, row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        nonlocal result
        result = fn(_like(elems, row))
        if signature is None:
            _require_dense(result)
        else:
            result = nest.map_structure(lambda s, v: _promised(v, s, what), signature, result)
        leaves = [convert(v) for v in leaves_of(result) if v is not None]
        return [], leaves

    _, stacked = counted(_count(tensors), one, [], tensors, what.rpartition(".")[2], at_once=at_once)
    for tensor, spec in zip(stacked, nest.flatten(signature) if signature is not None else (), strict=False):
        shape = getattr(spec, "shape", None)
        if shape is not None and shape.rank is not None:
            tensor.set_shape([None, *shape])
    return pack(result, stacked)


def _promised(value: Any, spec: Any, what: str) -> Any:
    wanted = getattr(spec, "dtype", spec)
    tensor = convert(value, None, wanted if hasattr(wanted, "np") else None)
    if tensor.dtype != wanted:
        raise invalid(
            f"{what}: the function gave {describe(tensor)} where {wanted!r} was promised; give fn_output_signature, or convert "
            "with tf.cast."
        )
    return tensor


def check_dense(elems: Any, what: str) -> None:
    """Raises for composite elems what TensorFlow raises."""
    for leaf in nest.flatten(elems):
        if isinstance(leaf, SparseTensor):
            raise TypeError(f"{what} takes no sparse tensors apart; tf.map_fn does. Got {describe(leaf)}.")
        if isinstance(leaf, RaggedTensor):
            raise refused(f"{what} takes no ragged tensors apart; tf.map_fn does. Got {describe(leaf)}.")


class _CompositeResult(Exception):
    """A function that was to give dense tensors gave composite ones, of these specifications."""

    def __init__(self, signature: Any) -> None:
        super().__init__(signature)
        self.signature = signature


def _require_dense(result: Any) -> None:
    if any(isinstance(v, nest.Composite) for v in nest.flatten(result)):
        raise _CompositeResult(nest.map_structure(type_spec_from_value, result))


def _at_once(fn: Callable[[Any], Any], elems: Any, tensors: Sequence[Tensor], what: str) -> Any:
    try:
        return rows(fn, elems, tensors, what, at_once=True)
    except _CompositeResult as found:
        signature = found.signature
    from headwater._src.ops import composite_map

    composite_map.check_sparse(signature, what)
    return composite_map.map_fn(fn, elems, signature)


def vectorized(fn: Callable[[Any], Any], elems: Any, tensors: Sequence[Tensor], what: str) -> Any:
    """As `rows`; a tensor with one row serves all rows of the others, and there may be sparse tensors in the result."""
    sizes = [t.shape[0] for t in tensors]
    if 1 not in sizes or all(s == 1 for s in sizes):
        return _at_once(fn, elems, tensors, what)
    known = {s for s in sizes if s not in (None, 1)}
    if len(known) > 1:
        raise invalid(
            f"{what}: the first dimensions of elems must be equal or 1; got {', '.join(map(describe, tensors))}."
        )
    moving = [t for t in tensors if t.shape[0] != 1]

    def spread(given: Any) -> Any:
        feed = iter(nest.flatten(given))
        return fn(_like(elems, [t[0] if t.shape[0] == 1 else next(feed) for t in tensors]))

    return _at_once(spread, moving, moving, what)


def fold(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    tensors: Sequence[Tensor],
    initializer: Any,
    what: str,
    *,
    every: bool,
    backwards: bool,
) -> Any:
    """The value after `fn(value, row)` has seen all rows; all values on the way, stacked, if `every`.

    Raises:
      TypeError: `fn` changes the dtype of the value.
      ValueError: `fn` changes the structure or shape of the value.
      OutOfRangeError: there is neither a row nor an initializer.
    """
    count = _count(tensors)
    rest = list(tensors)
    if initializer is None:
        if count.__class__ is int and count == 0:
            raise OutOfRangeError(
                None, None, f"{what}: elems has no rows, so an initializer is needed; it is None."
            )
        structure = elems
        value = [t[-1] if backwards else t[0] for t in tensors]
        rest = [t[:-1] if backwards else t[1:] for t in tensors]
        count = count - 1
    else:
        structure = initializer
        # Parts of composite values can be carried from row to row, but not stacked.
        value = [convert(v) for v in (nest.flatten if every else leaves_of)(initializer)]

    def one(carried: Sequence[Any], row: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(pack(structure, carried), _like(elems, row))
        nest.assert_same_structure(structure, result, check_types=every)
        leaves = [_kept(v, before, what) for v, before in zip(leaves_of(result), value, strict=True)]
        return leaves, leaves if every else []

    last, stacked = counted(count, one, value, rest, what.rpartition(".")[2], reverse=backwards)
    if not every:
        return pack(structure, last)
    if initializer is None:
        firsts = [v[None] for v in value]
        pairs = zip(firsts, stacked, strict=True)
        stacked = [joining.concat([s, f] if backwards else [f, s], 0) for f, s in pairs]
    return pack(structure, stacked)


def _kept(value: Any, before: Any, what: str) -> Any:
    tensor = convert(value, None, before.dtype)
    if tensor.dtype != before.dtype:
        raise TypeError(
            f"{what}: the value is {describe(before)} before a row and {describe(tensor)} after it; its dtype must stay the same."
        )
    if not tensor.shape.is_subtype_of(before.shape):
        raise ValueError(
            f"{what}: the value has shape {before.shape} before a row and {tensor.shape} after it; it must stay the same."
        )
    return tensor

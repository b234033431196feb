"""Values of batchable extension types as lists of tensors, so that rows of them can be taken, stacked and mapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from headwater._src.base import nest
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.extension_type import batched, unbatched


def encoder_of(value: Any) -> Any:
    """The encoder of a value or of a specification, None for what is no batchable extension type."""
    if isinstance(value, Tensor):
        return None
    spec = value._type_spec if isinstance(value, nest.Composite) and hasattr(value, "_type_spec") else value
    return getattr(spec, "__batch_encoder__", None)


def encoded(spec: Any, value: Any, minimum_rank: int = 0) -> list[Any]:
    """The tensors that stand for a value; a value of another kind stands for itself."""
    return encode_of(spec)(value, minimum_rank)


def encode_of(spec: Any) -> Callable[..., list[Any]]:
    """A function that gives the tensors of each of many values of one specification: `encode(value, minimum_rank=0)`."""
    encoder = getattr(spec, "__batch_encoder__", None)
    if encoder is None:
        return lambda value, minimum_rank=0: [value]
    inner = [
        None if encoder_of(s) is None else encode_of(s) for s in nest.flatten(encoder.encoding_specs(spec))
    ]
    simple = not any(inner)

    def encode(value: Any, minimum_rank: int = 0) -> list[Any]:
        found = encoder.encode(spec, value, minimum_rank)
        parts = list(found) if found.__class__ is tuple and len(found) == len(inner) else nest.flatten(found)
        if simple:
            return parts
        pairs = zip(inner, parts, strict=True)
        return [t for one, part in pairs for t in ([part] if one is None else one(part, minimum_rank))]

    return encode


def decoded(spec: Any, tensors: Iterator[Any]) -> Any:
    """The value that the next tensors stand for."""
    return decode_of(spec)(tensors)


def decode_of(spec: Any) -> Callable[[Iterator[Any]], Any]:
    """A function that makes each of many values of one specification of the next tensors."""
    encoder = getattr(spec, "__batch_encoder__", None)
    if encoder is None:
        return next
    specs = encoder.encoding_specs(spec)
    inner = [decode_of(s) for s in nest.flatten(specs)]
    plain = specs.__class__ is tuple and len(specs) == len(inner)

    def decode(tensors: Iterator[Any]) -> Any:
        parts = [one(tensors) for one in inner]
        return encoder.decode(spec, tuple(parts) if plain else nest.pack_sequence_as(specs, parts))

    return decode


def encoding(spec: Any) -> list[Any]:
    """The specifications of `encoded`."""
    encoder = getattr(spec, "__batch_encoder__", None)
    if encoder is None:
        return [spec]
    return [found for s in nest.flatten(encoder.encoding_specs(spec)) for found in encoding(s)]


def _spec(value: Any) -> Any:
    if isinstance(value, nest.Composite):
        return value._type_spec  # type: ignore[attr-defined]
    return TensorSpec(value.shape, value.dtype) if isinstance(value, Tensor) else None


def _all(function: Callable[[Any, Any], list[Any]], specs: list[Any], structure: Any) -> list[Any]:
    return [t for s, v in zip(specs, nest.flatten(structure), strict=True) for t in function(s, v)]


def _like(structure: Any, leaves: list[Any]) -> Any:
    return nest.pack_sequence_as(structure, leaves) if nest.is_nested(structure) else leaves[0]


def is_needed(*structures: Any) -> bool:
    """Whether there is a batchable extension type in a structure of values, specifications and dtypes."""
    return any(encoder_of(leaf) is not None for s in structures for leaf in nest.flatten(s))


def _opened(fn: Callable[[Any], Any], elems: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The tensors of `elems`, and `fn` as a function of a list of their rows."""
    specs = [_spec(v) for v in nest.flatten(elems)]
    row_specs = [unbatched(s) if encoder_of(s) is not None else None for s in specs]

    def of_rows(rows: list[Any]) -> Any:
        feed = iter(rows)
        return fn(_like(elems, [decoded(s, feed) for s in row_specs]))

    return _all(lambda s, v: encoded(s, v, 1), specs, elems), of_rows


def map_fn(original: Any, fn: Callable[[Any], Any], elems: Any, signature: Any) -> Any:
    """`original`, which maps tensors, for values and results that are batchable extension types."""
    tensors, of_rows = _opened(fn, elems)
    if signature is None:
        flat = nest.flatten(elems)
        signature = _like(
            elems, [unbatched(_spec(v)) if isinstance(v, nest.Composite) else v.dtype for v in flat]
        )
    specs = nest.flatten(signature)

    def flat_fn(rows: list[Any]) -> list[Any]:
        result = of_rows(rows)
        nest.assert_same_structure(signature, result, check_types=False)
        return _all(encoded, specs, result)

    wanted = [t for s in specs for t in encoding(s)]
    stacked = iter(original(flat_fn, tensors, fn_output_signature=wanted))
    made = [decoded(batched(s, None) if encoder_of(s) is not None else None, stacked) for s in specs]
    return _like(signature, made)


def vectorized_map(original: Any, fn: Callable[[Any], Any], elems: Any) -> Any:
    """The same for `tf.vectorized_map`, whose results need no signature."""
    tensors, of_rows = _opened(fn, elems)
    last: list[Any] = []

    def flat_fn(rows: list[Any]) -> list[Any]:
        result = of_rows(rows)
        specs = [_spec(v) for v in nest.flatten(result)]
        last[:] = [result, specs]
        return _all(encoded, specs, result)

    stacked = iter(original(flat_fn, tensors))
    result, specs = last
    return _like(
        result, [decoded(batched(s, None) if encoder_of(s) is not None else None, stacked) for s in specs]
    )

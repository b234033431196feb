"""Elements of data sets: nested tuples and mappings whose leaves are tensors, and their specifications.

A list is not a structure here but a tensor in the making, as in TensorFlow.
"""

from __future__ import annotations

import itertools
from collections import abc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import IndexedSlices, SparseTensor, SparseTensorSpec
from headwater._src.core.convert import convert, host_int
from headwater._src.core.ragged import RaggedTensor, RaggedTensorSpec
from headwater._src.core.spec import NoneTensorSpec, Spec, TensorSpec
from headwater._src.core.tensor import EagerTensor, Tensor, TensorLike, as_array, of_array
from headwater._src.ops.batching import (
    decode_of,
    decoded,
    encode_of,
    encoded,
    encoder_of,
    encoding,
    is_needed,
)
from headwater._src.ops.extension_type import batched, unbatched


def is_structure(value: Any) -> bool:
    """Whether `value` is a tuple, mapping or the like, and not a leaf, a list or a range."""
    return nest.is_nested(value) and not isinstance(value, (list, range))


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """Applies `function` to the leaves, lists among them."""
    if value.__class__ is tuple:
        return tuple([map_leaves(function, v) for v in value])
    if not is_structure(value):
        return function(value)
    if isinstance(value, tuple):
        return type(value)(*(map_leaves(function, v) for v in value))
    if isinstance(value, abc.Mapping):
        # In the order in which nest flattens, as `function` may count.
        mapped = {k: map_leaves(function, value[k]) for k in sorted(value)}
        if value.__class__ is dict:
            return {k: mapped[k] for k in value}
        return nest.pack_sequence_as(value, nest.flatten(mapped))
    return nest.map_structure(function, value)


def leaf(value: Any) -> Any:
    """A leaf of an element: tensors and what holds tensors as they are, None as None, all else as a tensor."""
    if value.__class__ is EagerTensor or value is None:
        return value
    if (
        isinstance(value, (Tensor, nest.Composite))
        or hasattr(value, "element_spec")
        or hasattr(value, "_type_spec")
    ):
        return value
    return convert(value)


def normalize(value: Any) -> Any:
    """`value` as an element."""
    if value.__class__ is EagerTensor:
        return value
    return map_leaves(leaf, value)


def spec_of(value: Any) -> Any:
    """The specification of a leaf."""
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    if value is None:
        return NoneTensorSpec()
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype)
    if isinstance(value, IndexedSlices):
        return value._type_spec
    found = getattr(value, "_type_spec", None)
    if found is not None:
        return found
    tensor = convert(value)
    return TensorSpec(tensor.shape, tensor.dtype)


def other_spec(value: Any) -> Any:
    """The specification of a result that is no tensor, else None: for `output_spec`."""
    if value is None or isinstance(value, nest.Composite) or hasattr(value, "_type_spec"):
        return spec_of(value)
    return None


def prefixed(spec: Any, size: int | None) -> Any:
    """The spec of a batch of `size` elements."""
    if encoder_of(spec) is not None:
        return batched(spec, size)
    if isinstance(spec, TensorSpec):
        dims = spec.shape._dims
        return TensorSpec(None if dims is None else (size, *dims), spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        dims = spec.shape._dims
        return SparseTensorSpec(None if dims is None else (size, *dims), spec.dtype)
    return spec._batch(size) if isinstance(spec, RaggedTensorSpec) else spec


def without_first(spec: Any, what: str) -> Any:
    """The spec of a row."""
    if isinstance(spec, NoneTensorSpec):
        return spec
    if encoder_of(spec) is not None:
        return unbatched(spec)
    if spec.shape.rank is None:
        return type(spec)(None, spec.dtype)
    if spec.shape.rank == 0:
        raise ValueError(f"{what}: elements must have rank 1 or more, to be taken apart; got {spec}.")
    if isinstance(spec, RaggedTensorSpec):
        return spec._unbatch()
    if isinstance(spec, SparseTensorSpec) and spec.shape.rank == 1:
        raise invalid(
            f"{what}: the rows of a sparse tensor must be sparse tensors, of rank 1 or more; got {spec}."
        )
    return type(spec)(spec.shape[1:], spec.dtype)


def common(first: Any, second: Any) -> Any:
    """The spec that covers both; TypeError where nothing does."""
    found = generalized(first, [second])
    if found is None:
        raise TypeError(f"Dataset.concatenate: the elements differ in kind: {first} against {second}.")
    return found


def generalized(spec: Any, others: list[Any]) -> Any:
    """The specification of elements that may be any of those of all; None where there is none."""
    try:
        for other in others:
            nest.assert_same_structure(spec, other)
    except (TypeError, ValueError):
        return None
    flat = [nest.flatten(s) for s in (spec, *others)]
    common = [first.most_specific_common_supertype(rest) for first, *rest in zip(*flat, strict=True)]
    if any(c is None for c in common):
        return None
    return nest.pack_sequence_as(spec, common) if nest.is_nested(spec) else common[0]


def number(value: Any, what: str) -> Any:
    """An integer given to a transformation, or a tensor of a graph.

    Raises:
      TypeError: it is text or a float.
      InvalidArgumentError: it is no scalar.
    """
    if (
        np.ndim(value)
        if isinstance(value, (list, tuple, np.ndarray))
        else getattr(getattr(value, "shape", None), "rank", 0)
    ):
        raise invalid(f"{what} takes a scalar; got {describe(value)}.")
    return host_int(value, what, TypeError)


# -- stacking ---------------------------------------------------------------------------------------------------------


def stacker(spec: Any) -> Callable[[list[Any]], Any]:
    """A function that puts elements of this specification, as rows, into one element.

    Raises:
      TypeError: elements of this kind can't be put together.
    """
    columns = [_leaf_stacker(s) for s in nest.flatten(spec)]
    if not nest.is_nested(spec):
        return columns[0]
    pack = packer(spec)
    plain = spec.__class__ is tuple and not any(map(nest.is_nested, spec))

    def stack(elements: list[Any]) -> Any:
        rows = elements if plain else [nest.flatten(e) for e in elements]
        return pack([one(column) for one, column in zip(columns, zip(*rows, strict=True), strict=True)])

    return stack


def _leaf_stacker(spec: Any) -> Callable[[Any], Any]:
    if encoder_of(spec) is not None:
        return _encoded_stacker(spec)
    if isinstance(spec, TensorSpec):
        return stack_tensors
    if isinstance(spec, NoneTensorSpec):
        return lambda values: None
    if isinstance(spec, SparseTensorSpec):
        return _stack_sparse
    if isinstance(spec, RaggedTensorSpec):
        return lambda values: stack_ragged(values, spec)

    def refuse(values: Any) -> Any:
        raise TypeError(f"Dataset.batch: elements of {spec} can't be put into batches.")

    return refuse


def stack_tensors(values: Any) -> EagerTensor:
    """Tensors of one dtype and shape as the rows of one; InvalidArgumentError where they differ."""
    arrays = [v._array for v in values]
    first = arrays[0]
    for array in arrays:
        if array.shape != first.shape or array.dtype != first.dtype:
            other = next(v for v in values if v._array is array)
            raise invalid(
                f"Dataset.batch: the elements of a batch must have one shape and dtype; got {describe(values[0])} and "
                f"{describe(other)}. padded_batch takes shapes that differ."
            )
    if not first.ndim:
        return of_array(np.array([a[()] for a in arrays], first.dtype))
    out = np.empty((len(arrays), *first.shape), first.dtype)
    for i, array in enumerate(arrays):
        out[i] = array
    return of_array(out)


def _stack_sparse(values: Any) -> SparseTensor:
    indices = [np.asarray(v.indices) for v in values]
    numbered = [
        np.concatenate([np.full((len(ix), 1), i, np.int64), ix], axis=1) for i, ix in enumerate(indices)
    ]
    shape = np.max([np.asarray(v.dense_shape) for v in values], axis=0)
    return SparseTensor(
        np.concatenate(numbered),
        np.concatenate([np.asarray(v.values) for v in values]),
        np.array([len(values), *shape], np.int64),
    )


def _encoded_stacker(spec: Any) -> Callable[[Any], Any]:
    """The same for batchable extension types, whose tensors are put together one by one."""
    columns, encode = [_leaf_stacker(s) for s in encoding(spec)], encode_of(spec)

    def stack(values: Any) -> Any:
        found = zip(*map(encode, values), strict=True)
        parts = [one(list(column)) for one, column in zip(columns, found, strict=True)]
        return decoded(batched(spec, len(values)), iter(parts))

    return stack


def stack_ragged(values: Any, spec: RaggedTensorSpec) -> Any:
    """Ragged tensors, or tensors of different lengths, of one specification as the rows of a ragged tensor."""
    depth = max(spec.ragged_rank, 0)
    parts = [_ragged_parts(v, depth) for v in values]
    inner = {p[0].shape[1:] for p in parts}
    if not parts[0][0].ndim:
        return stack_tensors(values)
    if len(inner) > 1:
        raise invalid(
            f"Dataset.batch: the dimensions behind the ragged ones must be equal; got {sorted(inner)} for {spec}."
        )
    dtype = spec.row_splits_dtype.np
    splits = [_joined_splits([np.array([0, len(p[1]) - 1 if depth else len(p[0])]) for p in parts], dtype)]
    splits += [_joined_splits([p[1 + i] for p in parts], dtype) for i in range(depth)]
    flat = np.concatenate([p[0] for p in parts])
    batch = spec._batch(len(parts))
    return batch._from_components([of_array(flat), *map(of_array, splits)])


def _ragged_parts(value: Any, depth: int) -> list[np.ndarray]:
    """The flat values and the splits of a tensor whose first dimensions, `depth` of them, are to be partitioned."""
    if value.__class__ is not EagerTensor:
        return [t._array for t in value._nest_flatten()]
    array = value._array
    counts = np.cumprod((1, *array.shape))[1:]
    splits = [np.arange(counts[i] + 1) * array.shape[i + 1] for i in range(depth)]
    return [array.reshape(-1, *array.shape[depth + 1 :]) if depth else array, *splits]


def _joined_splits(parts: list[np.ndarray], dtype: Any) -> np.ndarray:
    """One vector of splits of several whose values follow each other."""
    lengths = [np.diff(p) for p in parts]
    out = np.zeros(sum(map(len, lengths)) + 1, dtype)
    np.cumsum(np.concatenate(lengths), out=out[1:])
    return out


def rows_of(value: Any) -> Iterable[Any]:
    """The rows of a leaf."""
    if value.__class__ is EagerTensor:
        array = value._array
        if not array.ndim:
            raise invalid(f"Dataset.unbatch: rank 1 or more is needed; got {describe(value)}.")
        return [of_array(as_array(array[i, ...])) for i in range(len(array))]
    if isinstance(value, SparseTensor):
        indices, values, shape = (
            np.asarray(value.indices),
            np.asarray(value.values),
            np.asarray(value.dense_shape),
        )
        order = np.argsort(indices[:, 0], kind="stable")
        ends = np.searchsorted(indices[order, 0], np.arange(int(shape[0]) + 1))
        parts = [order[a:b] for a, b in itertools.pairwise(ends.tolist())]
        return [SparseTensor(indices[p][:, 1:], values[p], shape[1:]) for p in parts]
    if isinstance(value, RaggedTensor):
        return _ragged_rows(value)
    if encoder_of(value) is not None:
        spec = value._type_spec
        decode = decode_of(unbatched(spec))
        columns = [rows_of(part) for part in encoded(spec, value, 1)]
        return (decode(iter(parts)) for parts in zip(*columns, strict=True))
    raise TypeError(f"Dataset: elements of type {type(value).__name__} can't be taken apart into rows.")


def _ragged_rows(value: RaggedTensor) -> list[Any]:
    spec = value._type_spec._unbatch()
    flat, outer, *splits = [t._array for t in value._nest_flatten()]
    rows = []
    for low, high in itertools.pairwise(outer.tolist()):
        found = []
        for part in splits:
            own = part[low : high + 1]
            found.append(of_array(own - own[0]))
            low, high = int(own[0]), int(own[-1])
        rows.append(spec._from_components([of_array(as_array(flat[low:high])), *found]))
    return rows


def packer(template: Any) -> Callable[[list[Any]], Any]:
    """A function that builds an element of this structure from the list of its leaves."""
    if not nest.is_nested(template):
        return lambda parts: parts[0]
    if template.__class__ is tuple and not any(map(nest.is_nested, template)):
        return tuple
    if template.__class__ is dict and not any(map(nest.is_nested, template.values())):
        places = sorted(template)
        order = [(k, places.index(k)) for k in template]
        return lambda parts: {k: parts[i] for k, i in order}
    return lambda parts: nest.pack_sequence_as(template, parts)


def decoder(spec: Any) -> Callable[[list[Any]], Any]:
    """A function that builds an element of this specification from the list of the tensors that stand for it."""
    pack = packer(spec)
    if not is_needed(spec):
        return pack
    leaves = [decode_of(s) for s in nest.flatten(spec)]

    def build(tensors: list[Any]) -> Any:
        feed = iter(tensors)
        return pack([one(feed) for one in leaves])

    return build


def as_numpy(value: Any) -> Any:
    """A leaf as NumPy sees it."""
    if isinstance(value, TensorLike) and hasattr(value, "numpy"):
        return value.numpy()
    return value


def shape_fits(spec: TensorSpec, array: np.ndarray) -> bool:
    """Whether an array has a shape that the spec allows."""
    return spec.shape.is_compatible_with(TensorShape(array.shape))


# -- elements as flat tensors, for graphs -----------------------------------------------------------------------------


def components(element: Any) -> list[Any]:
    """The tensors of an element, those of composite leaves one by one; None has none."""
    return [t for t in nest.flatten(element, expand_composites=True) if t is not None]


def component_specs(spec: Any) -> list[Spec]:
    """Shapes and dtypes of `components` of an element of this specification; NotImplementedError for kinds without any."""
    found: list[Spec] = []
    for leaf_spec in nest.flatten(spec):
        if isinstance(leaf_spec, TensorSpec):
            found.append(Spec(leaf_spec.shape._dims, leaf_spec.dtype.np))
        elif isinstance(leaf_spec, SparseTensorSpec):
            rank = leaf_spec.shape.rank
            found += [Spec((None, rank), _INT64), Spec((None,), leaf_spec.dtype.np), Spec((rank,), _INT64)]
        elif hasattr(leaf_spec, "_component_specs"):
            found += component_specs(leaf_spec._component_specs)
        elif not isinstance(leaf_spec, NoneTensorSpec):
            raise NotImplementedError(
                f"Elements of {leaf_spec!r} can't enter a graph in this version of headwater."
            )
    return found


def from_components(spec: Any, parts: Iterator[Any]) -> Any:
    """The element of this specification around the next of `parts`."""

    def one(leaf_spec: Any) -> Any:
        if isinstance(leaf_spec, TensorSpec):
            return next(parts)
        if isinstance(leaf_spec, NoneTensorSpec):
            return None
        if isinstance(leaf_spec, SparseTensorSpec):
            made = SparseTensor(next(parts), next(parts), next(parts))
            made.set_shape(leaf_spec.shape)
            return made
        inner = leaf_spec._component_specs
        found = [from_components(s, parts) for s in nest.flatten(inner)]
        return leaf_spec._from_components(
            nest.pack_sequence_as(inner, found) if nest.is_nested(inner) else found[0]
        )

    return map_leaves(one, spec)


_INT64 = np.dtype(np.int64)

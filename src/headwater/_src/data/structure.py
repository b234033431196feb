"""Elements of data sets: nested tuples and mappings whose leaves are tensors, and their specifications.

A list is not a structure here but a tensor in the making, as in TensorFlow.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import IndexedSlices, IndexedSlicesSpec, SparseTensor, SparseTensorSpec
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec, TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor, TensorLike, as_array, of_array


class NoneTensorSpec(TypeSpec):
    """Specification of None, where an element leaves a part out."""

    __slots__ = ()

    @property
    def value_type(self) -> type:
        """The type of None."""
        return type(None)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether it is None or this spec."""
        return spec_or_value is None or isinstance(spec_or_value, NoneTensorSpec)

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """Itself, if all are None."""
        return self if all(isinstance(o, NoneTensorSpec) for o in others) else None

    def _key(self) -> tuple[Any, ...]:
        return ()

    def __repr__(self) -> str:
        return "NoneTensorSpec()"


def is_structure(value: Any) -> bool:
    """Whether `value` is a tuple, mapping or the like, and not a leaf or a list."""
    return nest.is_nested(value) and not isinstance(value, list)


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """Applies `function` to the leaves, lists among them."""
    if value.__class__ is tuple:
        return tuple([map_leaves(function, v) for v in value])
    if not is_structure(value):
        return function(value)
    if isinstance(value, tuple):
        return type(value)(*(map_leaves(function, v) for v in value))
    if isinstance(value, abc.Mapping):
        mapped = {k: map_leaves(function, value[k]) for k in value}
        return mapped if value.__class__ is dict else nest.pack_sequence_as(value, nest.flatten(mapped))
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
        return IndexedSlicesSpec(value.shape, value.dtype, value.indices.dtype)
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
    if isinstance(spec, TensorSpec):
        dims = spec.shape._dims
        return TensorSpec(None if dims is None else (size, *dims), spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        dims = spec.shape._dims
        return SparseTensorSpec(None if dims is None else (size, *dims), spec.dtype)
    return spec


def without_first(spec: Any, what: str) -> Any:
    """The spec of a row."""
    if isinstance(spec, NoneTensorSpec):
        return spec
    if spec.shape.rank is None:
        return type(spec)(None, spec.dtype)
    if spec.shape.rank == 0:
        raise ValueError(f"{what}: elements must have rank 1 or more, to be taken apart; got {spec}.")
    return type(spec)(spec.shape[1:], spec.dtype)


def common(first: Any, second: Any) -> Any:
    """The spec that covers both; TypeError where nothing does."""
    nest_error = None
    try:
        nest.assert_same_structure(first, second)
        merged = [
            a.most_specific_common_supertype([b])
            for a, b in zip(nest.flatten(first), nest.flatten(second), strict=True)
        ]
    except (TypeError, ValueError) as error:
        nest_error = error
    if nest_error is not None or any(m is None for m in merged):
        raise TypeError(
            f"Dataset.concatenate: the elements differ in kind: {first} against {second}."
        ) from nest_error
    return nest.pack_sequence_as(first, merged) if nest.is_nested(first) else merged[0]


# -- stacking ---------------------------------------------------------------------------------------------------------


def stack_elements(elements: list[Any]) -> Any:
    """Elements of one structure as one element whose leaves have them as rows."""
    first = elements[0]
    if first.__class__ is EagerTensor:
        return stack_tensors(elements)
    if not nest.is_nested(first):
        return _stack_leaves(elements)
    if first.__class__ is tuple and not any(map(nest.is_nested, first)):
        return tuple([_stack_leaves(column) for column in zip(*elements, strict=True)])
    columns = zip(*(nest.flatten(e) for e in elements), strict=True)
    return nest.pack_sequence_as(first, [_stack_leaves(column) for column in columns])


def _stack_leaves(values: Any) -> Any:
    first = values[0]
    if first.__class__ is EagerTensor:
        return stack_tensors(values)
    if first is None:
        return None
    if isinstance(first, SparseTensor):
        return _stack_sparse(values)
    raise TypeError(f"Dataset.batch: elements of type {type(first).__name__} can't be put into batches.")


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


def rows_of(value: Any) -> list[Any]:
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
        masks = [indices[:, 0] == i for i in range(int(shape[0]))]
        return [SparseTensor(indices[m][:, 1:], values[m], shape[1:]) for m in masks]
    raise TypeError(f"Dataset: elements of type {type(value).__name__} can't be taken apart into rows.")


def packer(template: Any) -> Callable[[list[Any]], Any]:
    """A function that builds an element of this structure from the list of its leaves."""
    if not nest.is_nested(template):
        return lambda parts: parts[0]
    if template.__class__ is tuple and not any(map(nest.is_nested, template)):
        return tuple
    return lambda parts: nest.pack_sequence_as(template, parts)


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
        return leaf_spec._from_components(from_components(leaf_spec._component_specs, parts))

    return map_leaves(one, spec)


_INT64 = np.dtype(np.int64)

"""Iterators over data sets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator as PyIterator
from typing import Any

import numpy as np

from headwater._src.base import dtypes, nest
from headwater._src.base.errors import OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import SparseTensor, SparseTensorSpec
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import add_opaque
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import NoneTensorSpec, Spec, TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.data.functions import Pass
from headwater._src.data.optional import Optional
from headwater._src.data.shuffling import SeedSource
from headwater._src.data.structure import as_numpy, component_specs, components, from_components, map_leaves
from headwater._src.data.templates import HostRecord, completing, stage
from headwater._src.engine.tape import outside_graphs
from headwater._src.state.host_nodes import held
from headwater._src.trace.autograph.status import Status, status

_MAX_TRACED = 32
"""TensorFlow's bound for elements that a graph takes of one iterator without AutoGraph."""


@export("data.Iterator")
class IteratorBase(PyIterator):
    """What iterates over a data set: `next(it)` ends with StopIteration, `it.get_next()` with OutOfRangeError."""

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        raise NotImplementedError

    def get_next(self) -> Any:
        """The next element; OutOfRangeError at the end."""
        raise NotImplementedError

    def get_next_as_optional(self) -> Optional:
        """The next element as an optional, which is empty at the end."""
        raise NotImplementedError


class OwnedIterator(IteratorBase, nest.Composite):
    """The iterator of a data set.

    Inside a graph it stands for whatever iterator the graph will be given: taking an element is a node.
    """

    _traced = 0
    """How many elements a graph has taken by `next`."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._spec = None
        self._resource: Any = None
        if ctx.graph is not None:
            (self._resource,) = stage(MAKE_ITERATOR, dataset, [_RESOURCE])
            return
        self._begin()

    def _begin(self) -> None:
        self._seeds = [source.drawn for source in seed_sources(self._dataset._node)]
        self._taken = 0
        self._elements = self._pass()

    def _pass(self) -> PyIterator[Any]:
        return self._dataset._node.run(Pass())

    def __iter__(self) -> OwnedIterator:
        return self

    def __next__(self) -> Any:
        if ctx.graph is not None:
            self._check_loop()
            return self._next_in_graph()
        element = next(self._elements)
        self._taken += 1
        return element

    next = __next__

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        return self._dataset.element_spec if self._dataset is not None else self._spec

    def get_next(self) -> Any:
        """The next element; OutOfRangeError at the end."""
        if ctx.graph is not None:
            return self._next_in_graph()
        for element in self._elements:
            self._taken += 1
            return element
        raise OutOfRangeError(None, None, "Iterator.get_next: the data set has no more elements.")

    def _check_loop(self) -> None:
        """ValueError for a Python loop over the iterator in a graph, which would never end."""
        self._traced += 1
        if self._traced > _MAX_TRACED and status().status is not Status.ENABLED:
            raise ValueError(
                f"A graph took {self._traced} elements of one iterator, each by a node of its own: a loop over a data set in a "
                "tf.function needs AutoGraph, which is off here. Leave it on, or use Dataset.reduce."
            )

    def _next_in_graph(self) -> Any:
        spec = self.element_spec
        parts = add_opaque(GET_NEXT, self._nest_flatten(), component_specs(spec))
        return from_components(spec, iter(parts))

    def get_next_as_optional(self) -> Optional:
        """The next element as an optional, which is empty at the end."""
        if ctx.graph is not None:
            (found,) = add_opaque(GET_OPTIONAL, self._nest_flatten(), [_RESOURCE])
            return Optional._of_resource(found, self.element_spec)
        for element in self._elements:
            self._taken += 1
            return Optional(element, True, None)
        return Optional.empty(self.element_spec)

    def _save(self) -> dict[str, Any]:
        """Where the iterator stands: how many elements it has given, and the seeds of its pass."""
        return {"taken": self._taken, "seeds": self._seeds}

    def _restore(self, state: dict[str, Any]) -> None:
        """Goes to where `_save` was called, by going through the elements before once more."""
        sources = seed_sources(self._dataset._node)
        try:
            taken, seeds = int(state["taken"]), [int(s) for s in state["seeds"]]
        except (KeyError, TypeError, ValueError):
            raise invalid(f"The state of an iterator can't be read: {state!r}.") from None
        if len(seeds) != len(sources) or min([taken, *seeds]) < 0 or max([0, *seeds]) > _MOST_DRAWN:
            raise invalid("The state belongs to an iterator over another data set.")
        for source, drawn in zip(sources, seeds, strict=True):
            source.move_to(drawn)
        self._begin()
        for _ in itertools.islice(self._elements, taken):
            self._taken += 1

    @property
    def _type_spec(self) -> IteratorSpec:
        return IteratorSpec(self.element_spec)

    def _nest_flatten(self) -> list[Any]:
        if isinstance(self._resource, Tensor):
            return [self._resource]
        return [of_array(held(self))]

    def _nest_unflatten(self, parts: list[Any]) -> OwnedIterator:
        return IteratorSpec(self.element_spec)._from_components(parts[0])


_RESOURCE = Spec((), dtypes.variant.np)
_MOST_DRAWN = 1 << 24


def seed_sources(node: Any) -> list[Any]:
    """What draws the seeds of passes in an expression, in the order of the nodes."""
    found = [v for v in vars(node).values() if isinstance(v, SeedSource)]
    for source in node.inputs:
        found += seed_sources(source)
    return found


def _advance(resource: Any) -> tuple[Any, ...]:
    return tuple(t._array for t in components(resource[()].get_next()))


def _made(dataset: Any) -> Any:
    with outside_graphs():
        return held(OwnedIterator(dataset))


MAKE_ITERATOR: Any = completing("MakeIterator", True, _made)
GET_NEXT: Any = HostRecord("IteratorGetNext", False, _advance, True)
GET_OPTIONAL: Any = HostRecord(
    "IteratorGetNextAsOptional", True, lambda resource: held(resource[()].get_next_as_optional()), True
)


@export("data.IteratorSpec")
class IteratorSpec(TypeSpec):
    """Specification of an iterator."""

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> type:
        """The class of the iterators."""
        return OwnedIterator

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        return self._element_spec

    def most_specific_common_supertype(self, others: Any) -> IteratorSpec | None:
        """The specification of iterators whose elements may be any of those of all; None where there is none."""
        if any(not isinstance(o, IteratorSpec) for o in others):
            return None
        return _generalized(self._element_spec, [o._element_spec for o in others])

    @property
    def _component_specs(self) -> TensorSpec:
        return TensorSpec((), dtypes.variant)

    def _to_components(self, value: OwnedIterator) -> Any:
        return value._nest_flatten()[0]

    def _from_components(self, resource: Any) -> OwnedIterator:
        if isinstance(resource, EagerTensor):
            return resource._array[()]  # type: ignore[return-value]
        stand_in = object.__new__(OwnedIterator)
        stand_in._dataset, stand_in._spec, stand_in._resource = None, self._element_spec, resource
        return stand_in

    def _key(self) -> tuple[Any, ...]:
        return (repr(self._element_spec),)

    def __repr__(self) -> str:
        return f"IteratorSpec({self._element_spec!r})"


def _generalized(spec: Any, others: list[Any]) -> IteratorSpec | None:
    try:
        for other in others:
            nest.assert_same_structure(spec, other)
    except (TypeError, ValueError):
        return None
    flat = [nest.flatten(s) for s in (spec, *others)]
    common = [first.most_specific_common_supertype(rest) for first, *rest in zip(*flat, strict=True)]
    if any(c is None for c in common):
        return None
    return IteratorSpec(nest.pack_sequence_as(spec, common) if nest.is_nested(spec) else common[0])


@export("data.NumpyIterator")
class NumpyIterator(PyIterator):
    """Iterates over a data set's elements as NumPy values."""

    def __init__(self, dataset: Any) -> None:
        for spec in nest.flatten(dataset.element_spec):
            if not isinstance(spec, (TensorSpec, SparseTensorSpec, RaggedTensorSpec, NoneTensorSpec)):
                raise TypeError(f"Dataset.as_numpy_iterator: elements of {spec!r} have no NumPy form.")
        self._iterator = iter(dataset)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        element = next(self._iterator)
        return map_leaves(_own, element)

    next = __next__

    def save(self) -> Any:
        """Where the iterator stands, as a string tensor; `restore` goes back there."""
        return convert(json.dumps(self._iterator._save()))

    def restore(self, state: Any) -> None:
        """Goes to where `save` was called on an iterator over an equal data set.

        Raises:
          InvalidArgumentError: the string is no such state.
        """
        try:
            tree = json.loads(bytes(convert(state)._array[()]))  # type: ignore[attr-defined]
        except (ValueError, TypeError):
            raise invalid("NumpyIterator.restore: the string is no state of an iterator.") from None
        self._iterator._restore(tree)

    def __repr__(self) -> str:
        return f"NumpyIterator(iterator={self._iterator!r})"


def _own(value: Any) -> Any:
    if isinstance(value, SparseTensor):
        out = np.zeros(value.dense_shape.numpy(), value.dtype.np)
        if out.dtype.kind == "O":
            out[...] = b""
        out[tuple(value.indices.numpy().T)] = value.values.numpy()
        return out
    return as_numpy(value)

"""Iterators over data sets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator as PyIterator
from typing import Any

import numpy as np

from headwater._src.base import dtypes, nest
from headwater._src.base.errors import FailedPreconditionError, NotFoundError, OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import CompositeSpec, SparseTensor, SparseTensorSpec
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import add_opaque
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import NoneTensorSpec, Spec, TensorSpec
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.data.functions import Pass, UserFunction
from headwater._src.data.optional import Optional
from headwater._src.data.shuffling import SeedSource
from headwater._src.data.structure import (
    as_numpy,
    component_specs,
    components,
    from_components,
    generalized,
    map_leaves,
)
from headwater._src.data.templates import HostRecord, Part, Template, completing, stage
from headwater._src.engine.tape import outside_graphs
from headwater._src.ops.seeds import StreamHandle
from headwater._src.state.host_nodes import held
from headwater._src.state.tracking import Trackable
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


class OwnedIterator(IteratorBase, nest.Composite, Trackable):
    """The iterator of a data set.

    Inside a graph it stands for whatever iterator the graph will be given: taking an element is a node.
    """

    _tensors_name = "ITERATOR"

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
        self._drawn = [source.drawn for source in self._randomness().sources]
        self._taken = 0
        self._elements = self._pass()

    def _randomness(self) -> Randomness:
        known = self._dataset.__dict__.get("_randomness")
        if known is None:
            known = self._dataset._randomness = Randomness(self._dataset._node)
        return known  # type: ignore[no-any-return]

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
        """Where the iterator stands: how many elements it has given, and what its pass drew its seeds from."""
        found = self._randomness()
        if any(stream.seeds == (0, 0) for stream in found.streams):
            raise FailedPreconditionError(
                None, None, "The iterator's position can't be saved: a function of its data set draws random numbers that start "
                "anywhere. Give them a seed, or call tf.random.set_seed before the data set is made.",
            )  # fmt: skip
        return {
            "plan": found.plan,
            "taken": self._taken,
            "drawn": self._drawn,
            "seeds": [source.seeds for source in found.sources],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        """Goes to where `_save` was called, by going through the elements before once more."""
        found = self._randomness()
        try:
            plan, taken = state["plan"], int(state["taken"])
            drawn = [int(n) for n in state["drawn"]]
            seeds = [(int(a), int(b)) for a, b in state["seeds"]]
        except (KeyError, TypeError, ValueError):
            raise invalid(f"The state of an iterator can't be read: {state!r}.") from None
        if plan != found.plan or not len(seeds) == len(drawn) == len(found.sources):
            raise NotFoundError(
                None, None, f"The state is that of an iterator over another data set: {plan}; this one is over {found.plan}."
            )  # fmt: skip
        if min([taken, *drawn]) < 0 or max([0, *drawn]) > _MOST_DRAWN:
            raise invalid(f"The state of an iterator can't be read: {state!r}.")
        for source, pair, count in zip(found.sources, seeds, drawn, strict=True):
            source.seeds = pair
            source.move_to(count)
        self._begin()
        for _ in itertools.islice(self._elements, taken):
            self._taken += 1

    def _serialize_to_tensors(self) -> dict[str, Any]:
        return {"_STATE": convert(json.dumps(self._save()))}

    def _restore_from_tensors(self, restored_tensors: dict[str, Any]) -> None:
        self._restore(_read_state(restored_tensors["_STATE"]))

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


class Randomness:
    """What is random in a data set: what its passes draw their seeds from, and the streams of its functions.

    Args:
      node: the data set's expression; functions and the data sets that they make are looked through too.
    """

    def __init__(self, node: Any) -> None:
        self.sources: list[SeedSource] = []
        self.streams: list[StreamHandle] = []
        self._names: list[str] = []
        self._seen: set[int] = set()
        self._look(node)

    @property
    def plan(self) -> str:
        """The kinds of the nodes, which tell data sets apart."""
        return " ".join(self._names)

    def _look(self, value: Any) -> None:
        if isinstance(value, (tuple, list)):
            for part in value:
                self._look(part)
        elif isinstance(value, Template):
            self._look(value.value)
        elif hasattr(value, "_node"):
            self._look(value._node)
        elif isinstance(value, (Part, SeedSource)) and id(value) not in self._seen:
            self._seen.add(id(value))
            if isinstance(value, SeedSource):
                self.sources.append(value)
            elif isinstance(value, UserFunction):
                self._look_through(value)
            else:
                self._names.append(getattr(value, "name", type(value).__name__).strip("_"))
                self._look(list(vars(value).values()))

    def _look_through(self, function: UserFunction) -> None:
        closed = getattr(function, "closed", None)  # there is none in debug mode
        if closed is not None:
            self.streams += [h for h in closed.read_handles if isinstance(h, StreamHandle)]
            self._look([node.attrs.get("template") for node in closed.nodes])
            self._look([t._array[()] for t in function.captured if _holds_object(t)])


def _holds_object(tensor: Any) -> bool:
    return isinstance(tensor, EagerTensor) and tensor._array.dtype.kind == "O" and not tensor._array.ndim


def _read_state(state: Any) -> dict[str, Any]:
    """The state of an iterator in a string tensor."""
    try:
        tree = json.loads(bytes(convert(state)._array[()]))  # type: ignore[attr-defined]
    except (ValueError, TypeError):
        tree = None
    if not isinstance(tree, dict):
        raise invalid("The string is no state of an iterator.")
    return tree


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
class IteratorSpec(CompositeSpec):
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
        element = generalized(self._element_spec, [o._element_spec for o in others])
        return None if element is None else IteratorSpec(element)

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
        return f"IteratorSpec({self._element_spec!r},)"


@export("data.NumpyIterator")
class NumpyIterator(PyIterator, Trackable):
    """Iterates over a data set's elements as NumPy values."""

    _tensors_name = "ITERATOR"

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
          NotFoundError: it is that of an iterator over another data set.
        """
        self._iterator._restore(_read_state(state))

    def _serialize_to_tensors(self) -> dict[str, Any]:
        return self._iterator._serialize_to_tensors()

    def _restore_from_tensors(self, restored_tensors: dict[str, Any]) -> None:
        self._iterator._restore_from_tensors(restored_tensors)

    def __repr__(self) -> str:
        return f"NumpyIterator(iterator={self._iterator!r})"


def _own(value: Any) -> Any:
    if isinstance(value, SparseTensor):
        out = np.zeros(value.dense_shape.numpy(), value.dtype.np)
        if out.dtype.kind == "O":
            out[...] = b""
        out[tuple(value.indices.numpy().T)] = value.values.numpy()
    elif isinstance(value, EagerTensor) and value._array.ndim:
        out = value._array.view()
    else:
        return as_numpy(value)
    out.flags.writeable = False
    return out

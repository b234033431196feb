"""Restoring objects from a checkpoint: at once where they exist, and as soon as they are tracked where they don't."""

from __future__ import annotations

import itertools
import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from headwater._src.base.errors import NotFoundError
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.io.bundle import BundleReader
from headwater._src.io.object_graph import (
    GRAPH_KEY,
    Node,
    children_of,
    has_values,
    node_names,
    read_graph,
    unescaped,
    values_prefix,
)
from headwater._src.ops.cast import cast
from headwater._src.state.tracking import UPDATE, Trackable

_uids = itertools.count(1)


def update_of(obj: Trackable) -> int:
    """The number of the restoration that gave an object its present values; 0 where none has."""
    return obj.__dict__.get(UPDATE, 0)  # type: ignore[no-any-return]


def _reference(obj: Any) -> Callable[[], Any]:
    """A weak reference; objects that can't have one are kept."""
    try:
        return weakref.ref(obj)
    except TypeError:
        return lambda: obj


def _has_no_value_yet(obj: Any) -> bool:
    """Whether this is a Keras variable made while shapes are inferred, whose initializer will be asked for its value later
    (keras/src/backend/common/variables.py)."""
    return getattr(obj, "_value", obj) is None and callable(getattr(obj, "_initializer", None))


class _Begin:
    """An initializer that gives a value from a checkpoint.

    Args:
      value: a tensor.
    """

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        """The value; ValueError if another shape is needed."""
        if self.value.shape != tuple(shape):
            raise ValueError(
                f"The checkpoint has a value of shape {self.value.shape} for a variable of shape {tuple(shape)}."
            )
        return cast(self.value, dtype)


class Position(NamedTuple):
    """An object of a checkpoint that waits for its counterpart in the program."""

    restoration: Restoration
    node: int

    @property
    def uid(self) -> int:
        """The restoration's number; of several the highest counts."""
        return self.restoration.uid

    def restore(self, trackable: Trackable) -> None:
        """Gives `trackable`, and what it depends on, the values of this object."""
        if self.restoration.bind(self.node, trackable):
            with outside_graphs():
                self.restoration.restore_from(self.node, trackable)


class Restoration:
    """One checkpoint being restored.

    Args:
      reader: the checkpoint's tensors.
    """

    def __init__(self, reader: BundleReader) -> None:
        self.reader = reader
        self.nodes: list[Node] = read_graph(reader.string(GRAPH_KEY))
        self.uid = next(_uids)
        self.partial = False
        """Whether it is known that not all will be used."""
        self._objects: dict[int, Callable[[], Any]] = {}
        self.unused: dict[int, list[str]] = {}
        """Values that the object of that number has no place for."""

    def __del__(self) -> None:
        """Says what of the checkpoint was never used; nothing waits for it any more."""
        if getattr(self, "partial", True):
            return
        left = [i for i, node in enumerate(self.nodes) if node.attributes and i not in self._objects]
        if left or self.unused:
            names = node_names(self.nodes)
            logging.getLogger("headwater").warning(
                "%d values of the checkpoint %s were never restored: %s. If that is as it should be, say so with "
                "checkpoint.restore(...).expect_partial().",
                len(left) + len(self.unused), self.reader.prefix, ", ".join(names[i] for i in [*left, *self.unused][:10]),
            )  # fmt: skip

    # -- which object is which ----------------------------------------------------------------------------------------

    def object(self, node: int) -> Any:
        """The program's object for one of the checkpoint; None where there is none (any more)."""
        found = self._objects.get(node)
        return None if found is None else found()

    def objects(self) -> Iterator[Any]:
        """The program's objects that have been found in the checkpoint."""
        return (obj for node in list(self._objects) if (obj := self.object(node)) is not None)

    def bind(self, node: int, obj: Trackable) -> bool:
        """Notes that an object is that of the checkpoint; whether that is news."""
        if self.object(node) is not None:
            return False
        self._objects[node] = _reference(obj)
        return True

    # -- values -------------------------------------------------------------------------------------------------------

    def restore_from(self, node: int, obj: Trackable, more: dict[str, Any] | None = None) -> None:
        """Restores an object that has been bound, and what it depends on, breadth first; `more` are further dependencies of it."""
        queue: list[tuple[int, Trackable]] = [(node, obj)]
        values: list[tuple[Trackable, dict[str, str]]] = []
        # Of several objects of the checkpoint that are one of the program the first counts.
        claimed: set[int] = set()
        for number, found in queue:
            if self.uid > update_of(found) and id(found) not in claimed:
                claimed.add(id(found))
                values.append((found, self._keys(number, found)))
            queue += self._bound_children(number, found, more or {} if found is obj else {})
        # All is read before anything changes.
        tensors = iter(list(self.reader.tensors([key for _, keys in values for key in keys.values()])))
        for found, keys in values:
            given = {name: of_array(next(tensors)) for name in keys}
            try:
                if given and _has_no_value_yet(found):
                    found._initializer = _Begin(given["VARIABLE_VALUE"])  # type: ignore[attr-defined]
                elif given:
                    found._restore_from_tensors(given)
            except KeyError as error:
                raise self._missing(found, str(error.args[0]), keys) from None
            found.__dict__[UPDATE] = self.uid

    def _bound_children(
        self, node: int, obj: Trackable, more: dict[str, Any]
    ) -> Iterator[tuple[int, Trackable]]:
        """What an object depends on and is new; what is not there yet gets its values when it comes."""
        children = {**children_of(obj), **more}
        for name, number in self.nodes[node].children:
            if self.object(number) is not None:
                continue
            child = obj._lookup_dependency(name, children)
            if child is not None:
                if self.bind(number, child):
                    yield number, child
            elif self._holds_values(self.nodes[number]):
                obj._deferred_dependencies.setdefault(name, []).append(Position(self, number))

    def _holds_values(self, node: Node) -> bool:
        if node.has_values is not None:
            return node.has_values
        return bool(node.children or node.attributes or node.slots or node.saver)

    def _keys(self, number: int, obj: Trackable) -> dict[str, str]:
        """The keys of an object's tensors by their names there."""
        attributes = self.nodes[number].attributes
        if not attributes:
            return {}
        if not has_values(obj):
            self.unused[number] = [a.name for a in attributes]
            return {}
        own = obj._tensors_name
        if own:
            prefix = values_prefix(attributes[0].key) + own
            return {k[len(prefix) :]: k for k in self.reader.entries if k.startswith(prefix)} or {"": prefix}
        return {unescaped(a.name): a.key for a in attributes}

    def _missing(self, obj: Trackable, name: str, keys: dict[str, str]) -> NotFoundError:
        prefix = values_prefix(next(iter(keys.values())))
        return NotFoundError(
            None, None, f"Key {prefix}{obj._tensors_name}{name} not found in checkpoint {self.reader.prefix}, which a "
            f"{type(obj).__name__} needs; the checkpoint has {sorted(keys.values())} for it.",
        )  # fmt: skip

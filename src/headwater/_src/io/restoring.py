"""Restoring objects from a checkpoint: at once where they exist, and as soon as they are tracked where they don't."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from headwater._src.base.errors import NotFoundError
from headwater._src.core.tensor import of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.io.bundle import BundleReader
from headwater._src.io.object_graph import (
    GRAPH_KEY,
    Node,
    children_of,
    has_values,
    read_graph,
    unescaped,
    values_prefix,
)
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
        if GRAPH_KEY not in reader:
            raise NotImplementedError(
                f"{reader.prefix} was not written by tf.train.Checkpoint but by TensorFlow 1's saver, which names variables and no "
                "objects. Read its tensors with tf.train.load_checkpoint and assign them."
            )
        self.nodes: list[Node] = read_graph(reader.string(GRAPH_KEY))
        self.uid = next(_uids)
        self._objects: dict[int, Callable[[], Any]] = {}
        self.unused: dict[int, list[str]] = {}
        """Values that the object of that number has no place for."""

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
        for number, found in queue:
            if self.uid > update_of(found):
                values.append((found, self._keys(number, found)))
            queue += self._bound_children(number, found, more or {} if found is obj else {})
        # All is read before anything changes.
        tensors = iter(list(self.reader.tensors([key for _, keys in values for key in keys.values()])))
        for found, keys in values:
            given = {name: of_array(next(tensors)) for name in keys}
            try:
                if given:
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

"""The graphs of one function by the types they were traced for."""

from __future__ import annotations

import weakref
from typing import Any

from headwater._src.base import flags
from headwater._src.trace.concrete import ConcreteFunction, Parameter
from headwater._src.trace.signature import is_general, objects_of

Key = tuple[Parameter, ...]


class TraceCache:
    """Finds the graph for the types of a call: the one traced for them, else the most specific one traced for supertypes.

    It keeps a bounded number of graphs. The one that goes is the oldest that was not called a second time since it was looked
    at last. A graph traced for an object goes when the object does.
    """

    def __init__(self) -> None:
        self._traces: dict[Key, ConcreteFunction] = {}
        self._watched: dict[Key, list[weakref.ref[Any]]] = {}
        self.fast: dict[Any, Any] = {}
        """What the short way finds: a call's layout -> (graph, where its tensors go). It holds nothing that is not in the cache."""
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def limit(self) -> int:
        """How many graphs are kept."""
        return max(1, flags.get("function_traces"))

    def items(self) -> list[tuple[Key, ConcreteFunction]]:
        """Types and graphs, in the order of tracing."""
        while True:
            try:
                return list(self._traces.items())
            except RuntimeError:  # an object died meanwhile, and its graph with it
                continue

    def values(self) -> list[ConcreteFunction]:
        """The graphs, in the order of tracing."""
        return [c for _, c in self.items()]

    def find(self, key: Key) -> ConcreteFunction | None:
        """The graph that serves arguments of these types, or None."""
        found = self._traces.get(key)
        if found is not None:
            return found if found.reachable() else None
        best: tuple[Key, ConcreteFunction] | None = None
        for other, concrete in self.items():
            if (
                concrete.general
                and _is_subtype(key, other)
                and (best is None or _is_subtype(other, best[0]))
                and concrete.reachable()
            ):
                best = other, concrete
        return best[1] if best is not None else None

    def generalized(self, key: Key) -> Key:
        """The types that `key` and earlier traces have in common, as far as there are such."""
        for other, _ in self.items():
            common = _common(key, other)
            if common is not None:
                key = common
        return key

    def add(self, key: Key, concrete: ConcreteFunction) -> None:
        """Keeps a graph."""
        self._traces.pop(key, None)
        while len(self._traces) >= self.limit:
            self._evict()
        concrete.general = any(is_general(p.type) for p in key)
        self._traces[key] = concrete
        self.fast.clear()  # what went to a more general graph may now have one of its own
        references = [r for p in key for r in objects_of(p.type)]
        if references:
            mine = weakref.ref(self)

            def forget(_: Any) -> None:
                cache = mine()
                if cache is not None:
                    cache.drop(key)

            alive = [r() for r in references]
            self._watched[key] = [weakref.ref(x, forget) for x in alive if x is not None]

    def drop(self, key: Key) -> None:
        """Lets go of a graph."""
        self._traces.pop(key, None)
        self._watched.pop(key, None)
        self.fast.clear()

    def remember(self, layout: Any, concrete: ConcreteFunction, order: list[int] | None) -> None:
        """Lets the short way find a graph."""
        if len(self.fast) >= 4 * self.limit:
            self.fast.clear()
        self.fast[layout] = concrete, order

    def _evict(self) -> None:
        for key, concrete in self.items():
            if not concrete.hot:
                break
            concrete.hot = False
            if self._traces.pop(key, None) is not None:
                self._traces[key] = concrete  # a second chance, behind all others
        else:
            key = next(iter(self._traces))
        self.drop(key)
        self.evicted += 1


def _is_subtype(key: Key, other: Key) -> bool:
    if len(key) != len(other):
        return False
    return all(a.name == b.name and a.kind == b.kind for a, b in zip(key, other, strict=True)) and all(
        a.type.is_subtype_of(b.type) for a, b in zip(key, other, strict=True)
    )


def _common(key: Key, other: Key) -> Key | None:
    if [p[:2] for p in key] != [p[:2] for p in other]:
        return None
    found: list[Parameter] = []
    for a, b in zip(key, other, strict=True):
        kind = a.type.most_specific_common_supertype([b.type])
        if kind is None:
            return None
        found.append(Parameter(a.name, a.kind, kind))
    return tuple(found)

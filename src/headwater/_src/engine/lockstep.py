"""Variables that a graph updates by the same arithmetic, as one array: what an optimizer does to many small weights.

A step of Adam calls a dozen of NumPy's functions for every variable, and for small ones a call costs more than its arithmetic. A
loop over a step's plan can keep such variables, and their slots, end to end in one array each, so that a dozen calls serve all.
Only functions that IEEE 754 rounds exactly are joined, so that no bit depends on the neighbours.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.shapes import num_elements
from headwater._src.core.graph import SOURCES, FuncGraph, Node, add_node, add_opaque
from headwater._src.core.op import PlainRecord
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.closed import close
from headwater._src.engine.graph_copy import Mapping, copy_node
from headwater._src.engine.lower import has_effects
from headwater._src.engine.optimize import is_static, optimized
from headwater._src.engine.traits import Code, Traits, install_traits

SMALL_BYTES = 1 << 14
"""Of larger variables the arithmetic costs more than the calls."""
_LEAST_CALLS = 2
"""Of fewer calls for each variable too few are saved."""

_EXACT = frozenset(
    (np.add, np.subtract, np.multiply, np.true_divide, np.sqrt, np.square, np.negative, np.absolute, np.maximum, np.minimum)
)  # fmt: skip
_FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))

Lane = tuple[SymbolicTensor, ...]
"""Tensors that correspond to each other, one for each of the joined variables."""


class _Join(PlainRecord):
    """Arrays end to end."""

    name = "Join"
    single = True

    @staticmethod
    def numpy(*arrays: np.ndarray) -> np.ndarray:
        """One vector of all elements."""
        return np.concatenate([a.reshape(-1) for a in arrays])


class _Part(PlainRecord):
    """The arrays that were put end to end, as views."""

    name = "Part"
    single = False

    @staticmethod
    def numpy(joined: np.ndarray, places: Any) -> Sequence[np.ndarray]:
        """One array for each (start, stop, shape)."""
        return [joined[a:b].reshape(s) for a, b, s in places]


JOIN: Any = _Join()
PART: Any = _Part()


def _join_code(node: Node) -> Code:
    parts = ", ".join([f"{{{i}}}.reshape(-1)" for i in range(len(node.inputs))])
    return Code(f"concatenate(({parts},))", {"concatenate": np.concatenate}, fresh=True, layout="C")


install_traits({JOIN.name: Traits(code=_join_code)})


class Joined(NamedTuple):
    """A graph whose arguments are those of another, its captured tensors, and the variables' values, some of them joined, and
    then, of some groups, the values one by one as well."""

    graph: FuncGraph
    """Its outputs are the results, then the new values of what is assigned: joined ones last."""
    single: list[int]
    """Which of the variables read come by themselves,"""
    groups: list[list[int]]
    """and which come joined, group by group."""
    parted: list[int]
    """The groups whose values come one by one as well."""
    written: list[int]
    """Which of the variables read the outputs between results and groups assign."""


def joined(closed: FuncGraph) -> Joined | None:
    """The graph with the variables joined that it updates in lockstep; None where that saves nothing.

    Args:
      closed: a graph without effects whose argument's shapes are known.
    """
    graph = optimized(closed)
    if any(has_effects(n) for n in graph.nodes if n.record not in SOURCES):
        return None
    return _Joining(graph).run()


def places_of(shapes: Sequence[Any]) -> tuple[Any, ...]:
    """Where arrays of these shapes are when they are put end to end: start, stop and shape of each."""
    found, start = [], 0
    for shape in shapes:
        stop = start + int(num_elements(shape) or 0)
        found.append((start, stop, tuple(shape)))
        start = stop
    return tuple(found)


class _Joining:
    def __init__(self, graph: FuncGraph) -> None:
        self.old = graph
        self.reads = graph.inputs[len(graph.inputs) - len(graph.read_handles) :]
        self.read_ids = {id(t) for t in self.reads}
        index = {id(h): i for i, h in enumerate(graph.read_handles)}
        self.assigned = [index[id(h)] for h in graph.written_handles]
        """The variable, by its number among those read, that each output after the results is for."""
        self.outputs = graph.outputs[graph.result_count :]
        self.numbers: dict[Any, int] = {}
        self.keys: dict[int, int] = {}
        self.calls: dict[int, frozenset[int]] = defaultdict(frozenset)
        """By the number of an expression, those of the calls in it."""
        self.lanes: dict[tuple[int, ...], Lane] = {}
        self.lane_of: dict[int, Lane] = {}
        """The lane of each node that is joined with others."""

    def run(self) -> Joined | None:
        groups = self._consistent(self._chosen())
        order = self._order() if groups else None
        return None if order is None else self._build(groups, order)

    # -- what corresponds -----------------------------------------------------------------------------------------------

    def _chosen(self) -> list[list[int]]:
        """The outputs that are joined, group by group."""
        groups: dict[Any, list[int]] = defaultdict(list)
        for i, (tensor, variable) in enumerate(zip(self.outputs, self.assigned, strict=True)):
            read = self.reads[variable]
            size = (
                tensor._np_dtype.itemsize * int(num_elements(tensor._shape) or 0) if is_static(tensor) else 0
            )
            if not 0 < size <= SMALL_BYTES or tensor._np_dtype not in _FLOATS or not tensor._shape:
                continue
            if tensor.op.record not in SOURCES and read._shape == tensor._shape:
                groups[tensor._np_dtype, self._key(tensor, tensor._shape)].append(i)
        several = {key: g for key, g in groups.items() if len(g) > 1 and self.calls[key[1]]}
        calls = frozenset().union(*(self.calls[number] for _, number in several))
        if len(calls) < _LEAST_CALLS:
            return []
        return list(several.values())

    def _consistent(self, groups: list[list[int]]) -> list[list[int]]:
        """The groups, divided and ordered so that a variable keeps its place in all lanes; none where that can't be."""
        found = []
        for group in sorted(groups, key=lambda g: -len(self.calls[self.keys[id(self.outputs[g[0]])]])):
            parts: dict[int, list[int]] = defaultdict(list)
            for i in group:
                parts[id(self.lane_of.get(id(self.outputs[i].op)))].append(i)
            for part in parts.values():
                lane = self.lane_of.get(id(self.outputs[part[0]].op))
                if lane is not None:
                    by_tensor = {id(self.outputs[i]): i for i in part}
                    if len(part) < len(lane):
                        return []
                    found.append([by_tensor[id(t)] for t in lane])
                elif len(part) > 1:
                    if not self._follow(tuple(self.outputs[i] for i in part)):
                        return []
                    found.append(part)
        return found

    def _key(self, tensor: SymbolicTensor, shape: Any) -> int:
        """A number that expressions have in common which are the same but for the variable."""
        found = self.keys.get(id(tensor))
        if found is None:
            found = self.keys[id(tensor)] = self._new_key(tensor, shape)
        return found

    def _new_key(self, tensor: SymbolicTensor, shape: Any) -> int:
        if tensor._shape == ():
            return self._number(("shared", id(tensor)))
        node = tensor.op
        if tensor._shape != shape or not _is_exact(node):
            return self._number("read" if id(tensor) in self.read_ids else "other")
        if any(x._shape not in ((), shape) for x in node.inputs):
            return self._number("other")
        parts = [self._key(x, shape) for x in node.inputs]
        number = self._number((node.record.name, *parts))
        self.calls[number] = frozenset((number,)).union(*(self.calls[p] for p in parts))
        return number

    def _number(self, what: Any) -> int:
        return self.numbers.setdefault(what, len(self.numbers))

    def _follow(self, lane: Lane) -> bool:
        """Notes which nodes are joined; False where one would have to be joined with different ones."""
        stack = [lane]
        while stack:
            lane = stack.pop()
            key = tuple(map(id, lane))
            if key in self.lanes:
                continue
            if not self.calls.get(self.keys[id(lane[0])]):
                continue
            self.lanes[key] = lane
            for tensor in lane:
                if self.lane_of.setdefault(id(tensor.op), lane) is not lane:
                    return False
            for inputs in zip(*(t.op.inputs for t in lane), strict=True):
                if inputs[0]._shape != ():
                    stack.append(inputs)
        return True

    # -- the new graph --------------------------------------------------------------------------------------------------

    def _order(self) -> list[Any] | None:
        """Nodes and lanes in an order in which all that they depend on comes first, the program's as far as that goes; None
        where there is none."""
        nodes = [n for n in self.old.nodes if n.record not in SOURCES]
        unit_of = {id(n): self.lane_of.get(id(n), n) for n in nodes}
        position = {
            id(unit_of[id(n)]): i for i, n in enumerate(nodes)
        }  # a lane stands where its last node stood
        units: dict[int, Lane | Node] = {position[id(u)]: u for u in unit_of.values()}
        waiting: dict[int, set[int]] = {}
        users: dict[int, list[int]] = defaultdict(list)
        for i, unit in units.items():
            members: list[Node] = [t.op for t in unit] if isinstance(unit, tuple) else [unit]
            sources = [t.op for n in members for t in inputs_of(n) if id(t.op) in unit_of]
            waiting[i] = {position[id(unit_of[id(n)])] for n in sources}
            for other in waiting[i]:
                users[other].append(i)
        ready = [i for i, needed in waiting.items() if not needed]
        heapq.heapify(ready)
        order: list[Any] = []
        while ready:
            i = heapq.heappop(ready)
            order.append(units[i])
            for user in users[i]:
                waiting[user].discard(i)
                if not waiting[user]:
                    heapq.heappush(ready, user)
        return order if len(order) == len(units) else None

    def _build(self, chosen: list[list[int]], order: list[Any]) -> Joined:
        old, graph = self.old, FuncGraph(self.old.name)
        groups = [[self.assigned[i] for i in outputs] for outputs in chosen]
        inside = {v for g in groups for v in g}
        single = [v for v in range(len(self.reads)) if v not in inside]
        with graph.as_default():
            build = _Build(graph, old)
            for tensor in old.inputs[: len(old.inputs) - len(self.reads)]:
                build.place(tensor)
            for v in single:
                build.place(self.reads[v])
            for number, g in enumerate(groups):
                build.place_joined(number, tuple(self.reads[v] for v in g))
            for unit in order:
                build.add(unit)
            rest = [i for i in range(len(self.outputs)) if self.assigned[i] not in inside]
            results = [build.one(t) for t in old.outputs[: old.result_count]]
            results += [build.one(self.outputs[i]) for i in rest]
            results += [build.all(tuple(self.outputs[i] for i in outputs)) for outputs in chosen]
            close(graph, results)
        return Joined(graph, single, groups, build.parted, [self.assigned[i] for i in rest])


class _Build:
    """The new graph, and what stands in it for tensors and lanes of the old one."""

    def __init__(self, graph: FuncGraph, old: FuncGraph) -> None:
        self.graph = graph
        self.mapping: Mapping = {}
        self.vectors: dict[tuple[int, ...], Any] = {}
        self.member: dict[int, Lane] = {}
        """The lane in which a tensor is that exists joined only."""
        self.group: dict[tuple[int, ...], int] = {}
        """Which group of arguments a lane is."""
        self.parted: list[int] = []
        for node in old.nodes:
            if node.record in SOURCES and not any(t is node.outputs[0] for t in old.inputs):
                copy_node(node, graph, self.mapping)

    def place(self, tensor: SymbolicTensor) -> None:
        """An argument for a tensor."""
        self.mapping[id(tensor)] = self.graph.placeholder(tensor._shape, tensor._np_dtype)

    def place_joined(self, number: int, lane: Lane) -> None:
        """An argument for the tensors of a lane."""
        size = places_of([t._shape for t in lane])[-1][1]
        self.group[tuple(map(id, lane))] = number
        self._know(lane, self.graph.placeholder((size,), lane[0]._np_dtype))

    def _know(self, lane: Lane, vector: Any) -> None:
        self.vectors[tuple(map(id, lane))] = vector
        for tensor in lane:
            self.member[id(tensor)] = lane

    def one(self, tensor: SymbolicTensor) -> Any:
        """What stands for a tensor by itself."""
        if id(tensor) not in self.mapping:
            lane = self.member[id(tensor)]
            number = self.group.get(tuple(map(id, lane)))
            if number is not None:
                self.parted.append(number)
                for member in lane:
                    self.place(member)
                return self.mapping[id(tensor)]
            places = places_of([t._shape for t in lane])
            parts = add_opaque(
                PART, [self.all(lane)], [Spec(s, tensor._np_dtype) for _, _, s in places], {"places": places}
            )
            self.mapping.update((id(t), part) for t, part in zip(lane, parts, strict=True))
        return self.mapping[id(tensor)]

    def all(self, lane: Lane) -> Any:
        """The vector that stands for a lane."""
        key = tuple(map(id, lane))
        found = self.vectors.get(key)
        if found is None:
            size = places_of([t._shape for t in lane])[-1][1]
            (found,) = add_opaque(JOIN, [self.one(t) for t in lane], [Spec((size,), lane[0]._np_dtype)])
            self.vectors[key] = found
        return found

    def add(self, unit: Any) -> None:
        """Appends a node, or one for all of a lane."""
        if unit.__class__ is tuple:
            nodes = [t.op for t in unit]
            inputs = [
                self.one(xs[0]) if xs[0]._shape == () else self.all(xs)
                for xs in zip(*(n.inputs for n in nodes), strict=True)
            ]
            self._know(unit, add_node(nodes[0].record, inputs, nodes[0].attrs, nodes[0].name))
            return
        for tensor in inputs_of(unit):
            self.one(tensor)
        copy_node(unit, self.graph, self.mapping)


def _is_exact(node: Node) -> bool:
    return node.record not in SOURCES and node.record.numpy in _EXACT and not node.attrs


def inputs_of(node: Node) -> list[SymbolicTensor]:
    """What a node reads: its inputs, and the attributes that are tensors."""
    return [*node.inputs, *(v for v in node.attrs.values() if v.__class__ is SymbolicTensor)]

"""Which arrays the nodes of a plan make, what shares memory with what, and how long each is needed.

A `Place` is an array that the plan made itself, or was given for good, and that nothing else refers to: when its last reader
has run, another result of the same shape, dtype and order in memory may be written into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headwater._src.core.graph import CONST, SOURCES, Node
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.traits import Code

Layout = Any
"""Order in memory: "C", or the set of the things of unknown order that an elementwise result took its order from.

Equal layouts are equal orders. The order matters for bits: a sum over all elements adds them in the order of memory.
"""


class Place:
    """One array: its shape, dtype and layout, the node that reads it last, and the variable that holds it."""

    __slots__ = ("shape", "dtype", "layout", "last", "holder", "reused")

    def __init__(self, shape: tuple[int, ...], dtype: Any, layout: Layout) -> None:
        self.shape = shape
        self.dtype = dtype
        self.layout = layout
        self.last = -1
        self.holder = ""
        self.reused = False

    @property
    def key(self) -> Any:
        """What a result must have in common with the place to be written there."""
        return self.shape, self.dtype, self.layout


class Value:
    """What the plan knows of one tensor."""

    __slots__ = ("shape", "dtype", "places", "whole", "layout", "last", "name", "kind", "array", "scalar")

    def __init__(self, tensor: SymbolicTensor, layout: Layout) -> None:
        shape = tensor._shape
        self.shape: Any = shape if shape is not None and None not in shape else None
        self.dtype = tensor._np_dtype
        self.places: frozenset[Place] = frozenset()
        self.whole: Place | None = None
        """The place that the value fills, where it is not a part or another view of it."""
        self.layout = layout
        self.last = -1
        self.name = ""
        self.kind = "array"
        """ "array", "scalar" (a NumPy scalar), or "any": one of the two, or a Python object."""
        self.array = self.scalar = ""

    @property
    def large(self) -> bool:
        """Whether it is worth letting go of before the plan ends."""
        if self.shape is None:
            return True
        count = self.dtype.itemsize
        for d in self.shape:
            count *= d
        return count >= 4096 or any(p is not self.whole for p in self.places)


class Liveness:
    """The values of a graph and how long they live; `owned` are the inputs whose arrays the plan may overwrite."""

    def __init__(self, graph: Any, codes: Sequence[Code], owned: frozenset[int]) -> None:
        self.values: dict[int, Value] = {}
        self.dying: dict[int, list[Place]] = {}
        self.nodes: list[Node] = [n for n in graph.nodes if n.record not in SOURCES]
        self._places: list[Place] = []
        self._sources(graph, owned)
        for i, (node, code) in enumerate(zip(self.nodes, codes, strict=True)):
            self._results(i, node, code)
        self._count_uses(graph)

    def _sources(self, graph: Any, owned: frozenset[int]) -> None:
        for node in graph.nodes:
            if node.record is CONST:
                flags = node.attrs["value"].flags
                tensor = node.outputs[0]
                self.values[id(tensor)] = Value(
                    tensor, "C" if flags.c_contiguous else frozenset((id(tensor),))
                )
        for i, tensor in enumerate(graph.inputs):
            value = self.values[id(tensor)] = Value(tensor, frozenset((id(tensor),)))
            if i in owned and value.shape is not None:
                value.layout = "C"
                self._fill(value)

    def _fill(self, value: Value) -> None:
        place = value.whole = Place(value.shape, value.dtype, value.layout)
        value.places = frozenset((place,))
        self._places.append(place)

    def _results(self, index: int, node: Node, code: Code) -> None:
        inputs = [self.values[id(x)] for x in node.inputs]
        for tensor in node.outputs:
            value = self.values[id(tensor)] = Value(tensor, self._layout(code, tensor, inputs))
            if not code.fresh:
                seen = inputs if code.views is None else [inputs[i] for i in code.views]
                value.places = frozenset().union(*[x.places for x in seen])
            elif value.shape and value.dtype.kind != "O":
                self._fill(value)

    def _layout(self, code: Code, tensor: SymbolicTensor, inputs: list[Value]) -> Layout:
        if code.layout == "C" or (code.layout == "A" and all(x.layout == "C" for x in inputs)):
            return "C"
        if code.layout != "K":
            return frozenset((id(tensor),))
        # Of several orders NumPy takes C where one input of the full shape has it, whatever the others have.
        arrays = [x for x in inputs if x.shape != ()]
        shape = tensor._shape
        if any(x.layout == "C" and x.shape == shape for x in arrays) or all(x.layout == "C" for x in arrays):
            return "C"
        return frozenset().union(*[x.layout for x in arrays if x.layout != "C"])

    def _count_uses(self, graph: Any) -> None:
        values = self.values
        for i, node in enumerate(self.nodes):
            for tensor in node.inputs:
                values[id(tensor)].last = i
            for attribute in node.attrs.values():
                if attribute.__class__ is SymbolicTensor:
                    values[id(attribute)].last = i
        for tensor in graph.outputs:
            values[id(tensor)].last = len(self.nodes)
        for value in values.values():
            for place in value.places:
                place.last = max(place.last, value.last)
        for place in self._places:
            self.dying.setdefault(place.last, []).append(place)

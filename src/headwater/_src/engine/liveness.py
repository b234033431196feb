"""Which arrays the nodes of a plan make, what shares memory with what, and how long each is needed.

A `Place` is an array that the plan made itself, or was given for good, and that nothing else refers to: when its last reader
has run, another result of the same shape, dtype and order in memory may be written into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from headwater._src.core.graph import CONST, SOURCES, Node
from headwater._src.core.op import Op
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.lower import has_effects
from headwater._src.engine.traits import Code

Layout = Any
"""Order in memory: "C", or the number of the tensor of unknown order that this one's order was taken from.

Equal layouts are equal orders. The order matters for bits: a sum over all elements adds them in the order of memory.
"""


class Place:
    """One array: its shape, dtype and layout, the node that reads it last, and the variable that holds it."""

    __slots__ = ("shape", "dtype", "layout", "last", "holder", "reused", "owned")

    def __init__(self, shape: tuple[int, ...], dtype: Any, layout: Layout) -> None:
        self.shape = shape
        self.dtype = dtype
        self.layout = layout
        self.last = -1
        self.holder = ""
        self.reused = False
        self.owned = False
        """Whether it came with the call: it must be whole if the call fails."""

    @property
    def key(self) -> Any:
        """What a result must have in common with the place to be written there."""
        return self.shape, self.dtype, self.layout


class Value:
    """What the plan knows of one tensor."""

    __slots__ = ("shape", "dtype", "places", "whole", "layout", "last", "name", "kind", "array", "scalar")

    def __init__(self, tensor: SymbolicTensor, layout: Layout, shape: Any = ()) -> None:
        self.shape: Any = shape or _dims(tensor)
        """A length or a `Dim` for each dimension, or None where not even their number is known."""
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
    def anyhow(self) -> str:
        """A name of the value, in whatever form."""
        return self.array or self.scalar or self.name

    @property
    def large(self) -> bool:
        """Whether it is worth letting go of before the plan ends."""
        count = self.dtype.itemsize
        for d in (None,) if self.shape is None else self.shape:
            if d.__class__ is not int:
                return True
            count *= d
        return count >= 4096 or any(p is not self.whole for p in self.places)


class Dim(NamedTuple):
    """A length that only the run will tell; equal ones are equal lengths."""

    tensor: int
    axis: int


def _dims(tensor: SymbolicTensor) -> Any:
    """The tensor's shape, with lengths that nothing is known of."""
    shape = tensor._shape
    if shape is None or None not in shape:
        return shape
    return tuple([Dim(id(tensor), i) if d is None else d for i, d in enumerate(shape)])


def _result_dims(tensor: SymbolicTensor, node: Node, inputs: list[Value]) -> Any:
    """The same for a node's result, by its schema: like an input, or what inputs broadcast to."""
    dims = _dims(tensor)
    if dims is None or dims is tensor._shape or node.record.__class__ is not Op or len(node.outputs) > 1:
        return dims
    rule = node.record.results[0].shape
    names = [p.name for p in node.record.params]
    if node.record.variadic:
        return dims
    if rule in names:
        like = inputs[names.index(rule)].shape
        return dims if like is None or len(like) != len(dims) else _merged(dims, [like])
    if rule.startswith("bcast("):
        shapes = [x.shape for x in inputs]
        return dims if None in shapes else _merged(dims, shapes)
    return dims


def _merged(dims: Any, shapes: list[Any]) -> tuple[Any, ...]:
    rank, out = len(dims), list(dims)
    for i, d in enumerate(dims):
        if d.__class__ is Dim:
            there = {s[i - rank] for s in shapes if len(s) >= rank - i} - {1}
            if len(there) == 1:
                out[i] = there.pop()
    return tuple(out)


class Liveness:
    """The values of a graph and how long they live; `owned` are the inputs whose arrays the plan may overwrite."""

    def __init__(self, graph: Any, codes: Sequence[Code], owned: frozenset[int]) -> None:
        self.values: dict[int, Value] = {}
        self.dying: dict[int, list[Place]] = {}
        self.nodes: list[Node] = [n for n in graph.nodes if n.record not in SOURCES]
        self._places: list[Place] = []
        self._mixtures: dict[Any, Layout] = {}
        self._sources(graph, owned)
        for i, (node, code) in enumerate(zip(self.nodes, codes, strict=True)):
            self._results(i, node, code)
        self._count_uses(graph)
        self.safe_from = self._last_that_may_fail(codes) + 1
        """The first node from which on no node can fail."""

    def _last_that_may_fail(self, codes: Sequence[Code]) -> int:
        for i in range(len(self.nodes) - 1, -1, -1):
            node, code = self.nodes[i], codes[i]
            if not code.total or any(
                t._shape is None or None in t._shape for t in (*node.inputs, *node.outputs)
            ):
                return i
        return -1

    def _sources(self, graph: Any, owned: frozenset[int]) -> None:
        for node in graph.nodes:
            if node.record is CONST:
                flags = node.attrs["value"].flags
                tensor = node.outputs[0]
                self.values[id(tensor)] = Value(tensor, "C" if flags.c_contiguous else id(tensor))
        for i, tensor in enumerate(graph.inputs):
            value = self.values[id(tensor)] = Value(tensor, id(tensor))
            if i in owned:
                value.layout = "C"
                self._fill(value)
                self._places[-1].owned = True

    def _fill(self, value: Value) -> None:
        place = value.whole = Place(value.shape, value.dtype, value.layout)
        value.places = frozenset((place,))
        self._places.append(place)

    def _results(self, index: int, node: Node, code: Code) -> None:
        inputs = [self.values[id(x)] for x in node.inputs]
        for tensor in node.outputs:
            shape = _result_dims(tensor, node, inputs)
            value = self.values[id(tensor)] = Value(tensor, self._layout(code, tensor, shape, inputs), shape)
            if not code.fresh:
                seen = inputs if code.views is None else [inputs[i] for i in code.views]
                value.places = frozenset().union(*[x.places for x in seen])
            elif value.shape and 0 not in value.shape and value.dtype.kind != "O":
                # Other kernels may leave gaps between rows; what is written there would not lie as eager code lays it out.
                if code.layout == "K" or value.layout == "C":
                    self._fill(value)

    def _layout(self, code: Code, tensor: SymbolicTensor, shape: Any, inputs: list[Value]) -> Layout:
        if code.layout == "C" or (code.layout == "A" and all(x.layout == "C" for x in inputs)):
            return "C"
        if code.layout != "K":
            return id(tensor)
        # What has no two dimensions to be ordered has no say. Of several orders NumPy takes C where an input of the full shape
        # has it, whatever the others have.
        voters = [x for x in inputs if x.shape is None or len([d for d in x.shape if d != 1]) > 1]
        if not voters or any(x.layout == "C" and x.shape == shape for x in voters):
            return "C"
        if len({x.layout for x in voters}) == 1:
            return voters[0].layout
        mixture = tuple([(x.layout, x.shape) for x in inputs])
        return self._mixtures.setdefault(mixture, id(tensor))

    def _count_uses(self, graph: Any) -> None:
        values = self.values
        for i, node in enumerate(self.nodes):
            for tensor in node.inputs:
                values[id(tensor)].last = i
            for attribute in node.attrs.values():
                if attribute.__class__ is SymbolicTensor:
                    values[id(attribute)].last = i
            if has_effects(node):  # a Python function may keep what it is given
                for tensor in node.inputs:
                    for place in values[id(tensor)].places:
                        place.last = len(self.nodes)
        for tensor in graph.outputs:
            values[id(tensor)].last = len(self.nodes)
        for value in values.values():
            for place in value.places:
                place.last = max(place.last, value.last)
        for place in self._places:
            self.dying.setdefault(place.last, []).append(place)

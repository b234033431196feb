"""A graph for one row made into a graph for all rows at once: each value that depends on the row gets a first dimension.

Elementwise records are handled by what the plan knows of them, others by rules that the operations layer installs. Where one
has no rule the graph stays as it is, and its caller goes row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headwater._src.base import dtypes
from headwater._src.base.shapes import wrap
from headwater._src.core.graph import CONST, SOURCES, FuncGraph, Node
from headwater._src.core.op import Op
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.closed import close
from headwater._src.engine.emit import code_of
from headwater._src.engine.graph_copy import copy_node
from headwater._src.engine.lower import has_effects
from headwater._src.engine.optimize import is_static, optimized, stand_in
from headwater._src.engine.tape import stop_all
from headwater._src.engine.traits import traits_of

Rule = Callable[[Node, Sequence[Any], Sequence[bool]], Any]
"""`rule(node, inputs, by_row)` gives the result for all rows, or None; `by_row` says which inputs have the new dimension. The
node's own inputs have the shapes of one row."""

_RULES: dict[str, Rule] = {}
_aligned: list[Callable[[Any, int, int], Any]] = []


def install(rules: Mapping[str, Rule], aligned: Callable[[Any, int, int], Any]) -> None:
    """Adds rules by the records' names. `aligned(tensor, rank, wanted)` puts dimensions of 1 behind the first one, for an
    elementwise function whose other arguments have rows of higher rank."""
    _RULES.update(rules)
    _aligned[:] = [aligned]


class _NoRule(Exception):
    """A node that can't be done for all rows at once."""


def vectorized(closed: FuncGraph, by_row: Sequence[bool]) -> tuple[FuncGraph, list[bool]] | None:
    """The graph for all rows, and which of its outputs depend on the row; None where some node has no rule.

    Args:
      closed: the graph for one row.
      by_row: for each input whether it will have a first dimension with the rows.
    """
    if any(has_effects(n) for n in closed.nodes):
        return None
    source = optimized(closed)
    graph = FuncGraph(f"{closed.name}_rows", closed.outer)
    walk = _Walk(graph)
    try:
        with graph.as_default(), stop_all():
            for tensor, moves in zip(source.inputs, by_row, strict=True):
                walk.enter(tensor, moves)
            for node in source.nodes:
                walk.node(node)
            outputs = [walk.mapping[id(t)] for t in source.outputs]
            close(graph, outputs)
    except _NoRule:
        return None
    return (graph, [id(t) in walk.moving for t in source.outputs]) if not graph.captured else None


class _Walk:
    def __init__(self, graph: FuncGraph) -> None:
        self.graph = graph
        self.mapping: dict[int, Any] = {}
        self.moving: set[int] = set()
        """The tensors of the old graph that depend on the row."""

    def enter(self, tensor: SymbolicTensor, moves: bool) -> None:
        shape = tensor._shape
        if shape is None:
            raise _NoRule
        dims = (None, *shape) if moves else shape
        self.mapping[id(tensor)] = self.graph.placeholder(wrap(dims), dtypes.OF_NUMPY[tensor._np_dtype])
        if moves:
            self.moving.add(id(tensor))

    def node(self, node: Node) -> None:
        if node.record is CONST:
            self.mapping[id(node.outputs[0])] = self.graph.constant(node.attrs["value"])
        if node.record in SOURCES:
            return
        by_row = [id(x) in self.moving for x in node.inputs]
        hosts = [v for v in node.attrs.values() if v.__class__ is SymbolicTensor]
        if any(id(v) in self.moving for v in hosts):
            raise _NoRule
        if not any(by_row):
            copy_node(node, self.graph, self.mapping)
            return
        if not hosts and self._same_for_all(node, by_row):
            return
        found = None if hosts else self._result(node, [self.mapping[id(x)] for x in node.inputs], by_row)
        if found is None:
            raise _NoRule
        for old, new in zip(node.outputs, (found,) if node.record.single else found, strict=True):
            self.mapping[id(old)] = new
            self.moving.add(id(old))

    def _same_for_all(self, node: Node, by_row: list[bool]) -> bool:
        """Handles a node that only wants the shapes of what depends on the row: its result does not."""
        shape_only = traits_of(node.record).shape_only
        moving = [i for i, moves in enumerate(by_row) if moves]
        if not shape_only.issuperset(moving) or not all(is_static(node.inputs[i]) for i in moving):
            return False
        inputs = [
            self.graph.constant(stand_in(x)) if moves else self.mapping[id(x)]
            for x, moves in zip(node.inputs, by_row, strict=True)
        ]
        found = node.record.entry(*inputs, **node.attrs)
        for old, new in zip(node.outputs, (found,) if node.record.single else found, strict=True):
            self.mapping[id(old)] = new
        return True

    def _result(self, node: Node, inputs: list[Any], by_row: list[bool]) -> Any:
        record = node.record
        rule = _RULES.get(record.name)
        if rule is not None:
            known = all(t._shape is not None for t in (*node.inputs, *node.outputs))
            return rule(node, inputs, by_row) if known else None
        if record.__class__ is not Op or not record.single:
            return None
        if not record.results[0].shape.startswith("bcast(") and not code_of(node).elementwise:
            return None
        return elementwise(node, inputs, by_row)


def elementwise(node: Node, inputs: Sequence[Any], by_row: Sequence[bool]) -> Any:
    """The rule for records whose arguments broadcast."""
    shape = node.outputs[0]._shape
    if shape is None or any(x._shape is None for x in node.inputs):
        return None
    given = [
        _aligned[0](x, len(old._shape), len(shape)) if moves else x  # type: ignore[arg-type]
        for x, old, moves in zip(inputs, node.inputs, by_row, strict=True)
    ]
    return node.record.entry(*given, **node.attrs)

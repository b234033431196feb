"""Sums of a loop that nothing in it reads, taken for all rounds at once after it: what metrics and mean losses add up.

A reduction of a few numbers costs NumPy several times what an elementwise function does. So the loop keeps the array of every
round, and one reduction gives the summands of all rounds, with the bits that single rounds would give: NumPy adds up the
rows of an array as it adds up each alone, and accumulates a vector from its beginning.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import SOURCES, FuncGraph, Node
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.emit import code_of
from headwater._src.engine.graph_copy import clone
from headwater._src.engine.induction import accumulated, computed, is_known_constant, is_number, is_pointwise
from headwater._src.engine.liveness import Liveness
from headwater._src.engine.lockstep import inputs_of

MOST_BYTES = 1 << 12
"""Of larger arrays the elements cost more than the call."""


class Sum(NamedTuple):
    """A variable to which every round adds a number.

    Attributes:
      kept: the array of which the number is made.
      nodes: what makes it, in order; the first is the sum of all elements.
    """

    kept: SymbolicTensor
    nodes: list[Node]

    def after(self, start: Any, rows: np.ndarray) -> np.ndarray:
        """The variable's value after the rounds that left these rows."""
        with np.errstate(all="ignore"):
            value = np.add.reduce(rows.reshape(len(rows), prod(rows.shape[1:])), axis=1)
            for node in self.nodes[1:]:
                value = computed(node, {id(x): value for x in _varying(node)})
            return accumulated(np.add, [value], np.asarray(start), len(rows))[-1:].reshape(())


class Deferral:
    """The sums of a round's graph, and the graph that keeps what they are made of in their place.

    Args:
      graph: a round's graph, optimized.
      after: by the number of an input the output that is its next value.
    """

    def __init__(self, graph: FuncGraph, after: dict[int, int]) -> None:
        self.graph = graph
        readers = [x for n in graph.nodes if n.record not in SOURCES for x in inputs_of(n)]
        self._uses = Counter(map(id, (*readers, *graph.outputs)))
        nodes = [n for n in graph.nodes if n.record not in SOURCES]
        self._values = Liveness(graph, [code_of(n) for n in nodes], frozenset()).values
        self.sums: dict[int, Sum] = {}
        for i, k in after.items():
            found = self._sum(graph.inputs[i], graph.outputs[k])
            if found is not None:
                self.sums[i] = found
        self.after = after

    def rest(self) -> FuncGraph:
        """The graph whose outputs are the next values of other inputs, in their order, then what the sums are made of."""
        others = [self.graph.outputs[k] for i, k in self.after.items() if i not in self.sums]
        return clone(self.graph, [*others, *(s.kept for s in self.sums.values())])[0]

    def _sum(self, source: SymbolicTensor, tensor: SymbolicTensor) -> Sum | None:
        node = tensor.op
        if not is_number(source) or node.record in SOURCES or node.record.numpy is not np.add:
            return None
        if self._uses[id(source)] != 1 or self._uses[id(tensor)] != 1:
            return None
        operands = [x for x in node.inputs if x is not source]
        if len(operands) != 1:
            return None
        nodes: list[Node] = []
        tensor = operands[0]
        while self._uses[id(tensor)] == 1 and tensor.op.record not in SOURCES:
            node = tensor.op
            nodes.append(node)
            if code_of(node).sum:
                return self._of(node.inputs[0], nodes[::-1])
            varying = _varying(node)
            if len(varying) != 1 or not is_pointwise(node):
                return None
            (tensor,) = varying
        return None

    def _of(self, kept: SymbolicTensor, nodes: list[Node]) -> Sum | None:
        value = self._values[id(kept)]
        while value.layout == "C" and _is_reshape(kept.op) and self._uses[id(kept)] == 1:
            kept = kept.op.inputs[0]
            value = self._values[id(kept)]
        if kept.op.record in SOURCES or value.layout != "C" or id(kept) in map(id, self.graph.outputs):
            return None
        shape = kept._shape or ()
        if None in shape or not 0 < prod(shape) * kept._np_dtype.itemsize <= MOST_BYTES:  # type: ignore[type-var]
            return None
        return Sum(kept, nodes)


def _varying(node: Node) -> list[SymbolicTensor]:
    return [x for x in node.inputs if not is_known_constant(x)]


def _is_reshape(node: Node) -> bool:
    """Whether the node only gives its input, an array in C order, another shape."""
    return (
        node.record not in SOURCES and code_of(node).text.startswith("{0}.reshape(") and len(node.inputs) == 1
    )

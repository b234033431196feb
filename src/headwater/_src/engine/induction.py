"""Scalars of a loop that don't depend on its data, computed for all rounds at once: counters, and what optimizers make of them.

The number of steps goes up by one in every round, and with it go the powers by which Adam corrects its means. Their values in
all rounds are a few functions of vectors, with the bits that single rounds would give: the functions are pointwise, and NumPy
adds and multiplies up a vector from its beginning.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import CONST, SOURCES, FuncGraph, Node
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.closed import close
from headwater._src.engine.emit import code_of
from headwater._src.engine.graph_copy import Mapping, copy_node

_ACCUMULATED = (np.add, np.multiply)
_NUMBERS = "iuf"
_LEAST_NODES = 2
"""Fewer are computed as quickly in every round."""


class Recurrence(NamedTuple):
    """The next value of a scalar is `function(...function(function(value, operands[0]), operands[1])...)`."""

    source: SymbolicTensor
    function: np.ufunc
    operands: list[SymbolicTensor]


class Induction:
    """The scalars of a round's graph that are known before the first round, and the graph of what is left.

    Args:
      graph: a round's graph, optimized.
      after: by the number of an input the output that is its next value; other inputs stay as they are.

    Attributes:
      known: the inputs whose values in all rounds are known, by their numbers.
      given: the scalars that the rest of a round needs.
    """

    def __init__(self, graph: FuncGraph, after: dict[int, int]) -> None:
        self.old, self.after = graph, after
        self.known: dict[int, Recurrence] = {}
        self.nodes: list[Node] = []
        self._pointwise = {id(n.outputs[0]): n for n in graph.nodes if is_pointwise(n)}
        self._scalars = {id(t) for i, t in enumerate(graph.inputs) if i not in after and is_number(t)}
        while self._spread() or self._recur():
            pass
        self.given = self._needed()

    def _knows(self, tensor: SymbolicTensor) -> bool:
        return id(tensor) in self._scalars or is_known_constant(tensor)

    def _spread(self) -> bool:
        """Finds what is computed from known scalars only; whether that was anything."""
        count = len(self.nodes)
        for tensor, node in self._pointwise.items():
            if tensor not in self._scalars and all(map(self._knows, node.inputs)):
                self._scalars.add(tensor)
                self.nodes.append(node)
        return len(self.nodes) > count

    def _recur(self) -> bool:
        """Finds an input whose next value follows from its value and known scalars; whether there was one."""
        for i, output in self.after.items():
            source = self.old.inputs[i]
            if i in self.known or not is_number(source):
                continue
            found = self._recurrence(source, self.old.outputs[output])
            if found is not None:
                self.known[i] = found
                self._scalars.add(id(source))
                return True
        return False

    def _recurrence(self, source: SymbolicTensor, tensor: SymbolicTensor) -> Recurrence | None:
        operands: list[SymbolicTensor] = []
        function: Any = None
        while tensor is not source:
            node = self._pointwise.get(id(tensor))
            if node is None or node.record.numpy not in _ACCUMULATED or len(node.inputs) != 2:
                return None
            if function not in (None, node.record.numpy):
                return None
            function = node.record.numpy
            one, other = node.inputs
            if self._knows(one) == self._knows(other):
                return None
            operand, tensor = (one, other) if self._knows(one) else (other, one)
            operands.append(operand)
        return Recurrence(source, function, operands[::-1]) if operands else None

    def _needed(self) -> list[SymbolicTensor]:
        """The known scalars that vary and that something else reads."""
        mine = {id(n) for n in self.nodes}
        varying = {id(r.source) for r in self.known.values()}
        for node in self.nodes:
            if any(id(x) in varying for x in node.inputs):
                varying.add(id(node.outputs[0]))
        read = [x for n in self.old.nodes if n.record not in SOURCES and id(n) not in mine for x in n.inputs]
        read += [self.old.outputs[k] for i, k in self.after.items() if i not in self.known]
        return list({id(t): t for t in read if id(t) in varying}.values())

    @property
    def pays(self) -> bool:
        """Whether enough of a round is known to be worth the trouble."""
        return bool(self.known) and len(self.nodes) - len(self.given) >= _LEAST_NODES

    # -- the rest of a round --------------------------------------------------------------------------------------------

    def rest(self) -> FuncGraph:
        """The round without what is known: its inputs are followed by those of `given`, its outputs are the next values of the others."""
        old, graph = self.old, FuncGraph(self.old.name)
        mapping: Mapping = {}
        given = {id(t) for t in self.given}
        with graph.as_default():
            for tensor in (*old.inputs, *self.given):
                mapping[id(tensor)] = graph.placeholder(tensor._shape, tensor._np_dtype)
            sources = {id(t.op) for t in old.inputs}
            for node in old.nodes:
                if id(node) in sources or (node.outputs and id(node.outputs[0]) in given):
                    continue
                copy_node(node, graph, mapping)
            return close(
                graph, [mapping[id(old.outputs[k])] for i, k in self.after.items() if i not in self.known]
            )

    # -- the scalars ----------------------------------------------------------------------------------------------------

    def series(self, rounds: int, values: dict[int, Any]) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
        """The scalars of `given` in every round, and by its number each known input's, with one more for after the last.

        Args:
          rounds: how many.
          values: the arrays of the inputs of rank 0, by their numbers.
        """
        have: dict[int, Any] = {
            id(self.old.inputs[i]): np.asarray(a) for i, a in values.items() if i not in self.known
        }
        nodes, found = iter(self.nodes), dict[int, np.ndarray]()
        waiting = next(nodes, None)
        with np.errstate(all="ignore"):
            left = list(self.known.items())
            while left or waiting is not None:
                while waiting is not None and all(_has(have, x) for x in waiting.inputs):
                    have[id(waiting.outputs[0])] = computed(waiting, have)
                    waiting = next(nodes, None)
                if left:
                    i, recurrence = left.pop(0)
                    operands = [_value(have, t) for t in recurrence.operands]
                    found[i] = accumulated(recurrence.function, operands, np.asarray(values[i]), rounds)
                    have[id(recurrence.source)] = found[i][:-1]
        return [have[id(t)] for t in self.given], found


def is_number(tensor: SymbolicTensor) -> bool:
    """Whether the tensor is a single number of 32 or 64 bits."""
    return tensor._shape == () and tensor._np_dtype.kind in _NUMBERS and tensor._np_dtype.itemsize >= 4


def is_known_constant(tensor: SymbolicTensor) -> bool:
    """Whether the tensor is a constant number."""
    return tensor.op.record is CONST and is_number(tensor)


def is_pointwise(node: Node) -> bool:
    """Whether a node makes a number of numbers, and of vectors of them the vector."""
    if node.record in SOURCES or len(node.outputs) != 1 or not node.inputs or node.record.stateful:
        return False
    if not all(map(is_number, (*node.inputs, *node.outputs))):
        return False
    if any(v.__class__ is SymbolicTensor for v in node.attrs.values()):
        return False
    code = code_of(node)
    return bool(code.text) and code.total and (code.elementwise or code.scalars is not None)


def _has(have: dict[int, Any], tensor: SymbolicTensor) -> bool:
    return id(tensor) in have or tensor.op.record is CONST


def _value(have: dict[int, Any], tensor: SymbolicTensor) -> Any:
    return have[id(tensor)] if id(tensor) in have else tensor.op.attrs["value"]


def computed(node: Node, have: dict[int, Any]) -> np.ndarray:
    """The node's values in all rounds, from those of its inputs, by their `id`."""
    code = code_of(node)
    names = [f"value{k}" for k in range(len(node.inputs))]
    scope = {**code.names, **{n: _value(have, x) for n, x in zip(names, node.inputs, strict=True)}}
    return np.asarray(eval(code.text.format(*names), scope))


def accumulated(function: np.ufunc, operands: list[Any], start: np.ndarray, rounds: int) -> np.ndarray:
    """The values before the first round and after each, where a round applies the function to the last one and its operands."""
    count = len(operands)
    line = np.empty(1 + count * rounds, start.dtype)
    line[0] = start
    for k, operand in enumerate(operands):
        line[1 + k :: count] = operand
    return function.accumulate(line, dtype=line.dtype)[::count]

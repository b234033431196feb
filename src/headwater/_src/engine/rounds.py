"""The plan of a loop: the graph of one round, run for one batch of rows after the other inside a single Python function.

What a round leaves for the next stays in the function's own variables: arrays, and NumPy scalars where scalars are all that
the round needs. So a round costs what its nodes cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import FuncGraph, Node
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.emit import Source, sources
from headwater._src.engine.graph_copy import clone
from headwater._src.engine.induction import Induction
from headwater._src.engine.liveness import Place, Value
from headwater._src.engine.lockstep import JOIN, places_of
from headwater._src.engine.optimize import optimized
from headwater._src.engine.plan import Plan
from headwater._src.engine.traits import Code

_HEAD = "columns, size, stop, inputs, state, scalars, series = inputs"
_IN_LOOP = "        "


class Carried(NamedTuple):
    """What the inputs of a round's graph are.

    Attributes:
      args: so many of the first are parts of columns.
      state: the inputs that a round may leave other values for, in the order in which they are given back.
      after: by the number of such an input the output that is its next value; without one it stays as it is.
      fixed: those whose arrays the next values are copied into, as other inputs are views of them.
      owned: those whose arrays are the loop's from the first round on, to overwrite.
      known: those whose values in all rounds are known beforehand; they have no next value in the loop.
    """

    args: int
    state: range
    after: dict[int, int]
    fixed: frozenset[int]
    owned: frozenset[int]
    known: tuple[int, ...] = ()


class RoundsPlan(Plan):
    """The plan of a graph's rounds.

    Args:
      closed: the graph of a round, without effects.
      outputs: those of its outputs that `carried.after` numbers; what only others need is left out.
      carried: what its inputs are.
    """

    def __init__(self, closed: FuncGraph, outputs: Sequence[Any], carried: Carried) -> None:
        graph, _ = clone(closed, outputs)
        known = Induction(optimized(graph), carried.after)
        self.induction: Induction | None = None
        if known.pays:
            self.induction, graph = known, known.rest()
            left = [i for i in carried.after if i not in known.known]
            carried = carried._replace(after={i: k for k, i in enumerate(left)}, known=tuple(known.known))
        self.carried = carried
        super().__init__(graph)

    def take(
        self,
        columns: Sequence[np.ndarray],
        size: int,
        stop: int,
        inputs: Sequence[np.ndarray],
        state: list[Any],
    ) -> None:
        """Runs a round for each `size` rows of the columns below row `stop`.

        Args:
          columns: for each argument the rows of all rounds.
          size: how many of them are a round's.
          stop: where the last round ends, a multiple of `size`.
          inputs: the inputs after the arguments.
          state: gets the last values of what is carried, arrays or NumPy scalars; where a round raises, those that the
            round before it left.
        """
        scalars: list[np.ndarray] = []
        series: dict[int, np.ndarray] = {}
        if self.induction is not None:
            first = self.carried.args
            single = {first + i: a for i, a in enumerate(inputs) if not a.shape}
            scalars, series = self.induction.series(stop // size, single)
        self((columns, size, stop, inputs, state, scalars, series))  # type: ignore[arg-type]

    def _written(self, owned: frozenset[int]) -> Source:
        return RoundsSource(self.graph, self._codes, self.carried, self.induction)


class RoundsSource(Source):
    """The text of such a function."""

    def __init__(self, graph: Any, codes: list[Any], carried: Carried, induction: Induction | None) -> None:
        self.carried, self.induction = carried, induction
        self.codes_of = {id(n): c for n, c in zip(sources(graph), codes, strict=True)}
        self.indent = ""
        super().__init__(graph, codes, carried.owned)

    def _node(self, index: int, node: Node, code: Code) -> None:
        if node.record is not JOIN:
            super()._node(index, node, code)
            return
        result = self.values[id(node.outputs[0])]
        for k, tensor in enumerate(node.inputs):
            value, part = self.values[id(tensor)], f"b{index}_{k}"
            if self.given.get(id(value)) != part:
                self._line(f"    {part}[...] = {self._array(value, node)}.reshape({part}.shape)", "")
        result.name = result.array = f"b{index}"
        result.whole = None  # the next round will write there, so nothing else may have the array

    def _joined_arrays(self) -> None:
        """Makes the arrays that parts are put into end to end, once for all rounds; the parts are computed there if they can be."""
        self.scope["empty"] = np.empty
        for index, node in enumerate(self.live.nodes):
            if node.record is not JOIN:
                continue
            dtype = self._bind("dtype", node.outputs[0]._np_dtype)
            places = places_of([t._shape for t in node.inputs])
            self._line(f"    b{index} = empty({places[-1][1]}, {dtype})", "")
            for k, (start, stop, shape) in enumerate(places):
                self._line(f"    b{index}_{k} = b{index}[{start}:{stop}].reshape({shape!r})", "")
                self._give(node.inputs[k], f"b{index}_{k}")

    def _give(self, tensor: SymbolicTensor, part: str) -> None:
        value, count = self.values[id(tensor)], len(self.live.nodes)
        code = self.codes_of.get(id(tensor.op))  # an input has none
        if code is None or value.whole is None or value.last == count or id(value) in self.given:
            return
        if code.into is not None and value.layout == "C":
            value.whole.reused = True  # nothing else is written there
            self.given[id(value)] = part

    def _line(self, text: str, note: str, origin: Any = None) -> None:
        super()._line(self.indent + text, note, origin)

    def _inputs(self) -> None:
        carried, values = self.carried, [self.values[id(t)] for t in self.graph.inputs]
        for i, value in enumerate(values):
            value.name = value.array = f"x{i}"
            if value.whole is not None:
                value.whole.holder = value.name
        columns = [i for i in range(carried.args) if values[i].last >= 0]
        added = len(self.induction.given) if self.induction else 0
        scalars = range(len(values) - added, len(values))
        self._line(f"    {_HEAD}", "")
        for i in columns:
            self._line(f"    y{i} = columns[{i}]", "")
        others = "".join([f"x{i}, " for i in range(carried.args, scalars.start)])
        if others:
            self._line(f"    {others}= inputs", "")
        for i in carried.after:
            if _is_scalar(values[i]):
                self._line(f"    x{i} = x{i}[()]", "")
                values[i].kind, values[i].array, values[i].scalar = "scalar", "", f"x{i}"
            elif i in carried.fixed:
                self._line(f"    w{i} = x{i}", "")
        for i in scalars:
            values[i].kind, values[i].array, values[i].scalar = "scalar", "", f"x{i}"
        self._joined_arrays()
        names = "".join([f", x{i}" for i in scalars])
        self._line("    low = 0", "")
        self._line("    try:", "")
        self._line(
            f"        for low{names} in {'zip(range(0, stop, size), *scalars)' if added else 'range(0, stop, size)'}:",
            "",
        )
        self.indent = _IN_LOOP
        for i in columns:
            self._line(f"    x{i} = y{i}[low:low + size]", "")
        for i in carried.after:
            if i in carried.fixed:
                self._line(f"    x{i}[...] = w{i}", "")

    def _results(self) -> None:
        carried, taken = self.carried, set[Place]()
        values = [self.values[id(t)] for t in self.graph.inputs]
        names = {i: f"w{i}" if i in carried.fixed and i in carried.after else f"x{i}" for i in carried.state}
        found = [self._next(i, values[i], taken) for i in carried.after]
        if found:
            self._line(f"    {', '.join([names[i] for i in carried.after])} = {', '.join(found)}", "")
        elif not self.live.nodes:
            self._line("    pass", "")
        self.indent = ""
        self._line("        low = stop", "")
        self._line("    finally:", "")
        names |= {i: f"series[{i}][low // size]" for i in carried.known}
        self._line(f"        state[:] = [{', '.join([names[i] for i in carried.state])}]", "")

    def _next(self, number: int, target: Value, taken: set[Place]) -> str:
        """The expression of an input's next value; a copy of what may be, or share memory with, an array that is written to."""
        value = self.values[id(self.graph.outputs[self.carried.after[number]])]
        if _is_scalar(target):
            return self._scalar(value, None)
        name, place = self._array(value, None), value.whole
        if not (self.carried.fixed or self.carried.owned or self.given):
            return name
        if place is None or place in taken or (number in self.carried.owned and value.layout != "C"):
            return f"{name}.copy()"
        taken.add(place)
        return name


def _is_scalar(value: Value) -> bool:
    return value.shape == () and value.dtype.kind in "biufc"

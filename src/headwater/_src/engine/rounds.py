"""The plan of a loop: the graph of one round, run for one batch of rows after the other inside a single Python function.

What a round leaves for the next stays in the function's own variables: arrays, and NumPy scalars where scalars are all that
the round needs. So a round costs what its nodes cost.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import CONST, FuncGraph, Node
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.deferral import Deferral
from headwater._src.engine.emit import Source, sources
from headwater._src.engine.graph_copy import clone
from headwater._src.engine.induction import Induction
from headwater._src.engine.liveness import Place, Value
from headwater._src.engine.lockstep import JOIN, places_of
from headwater._src.engine.optimize import optimized
from headwater._src.engine.plan import Plan
from headwater._src.engine.traits import Code

_HEAD = "columns, size, stop, inputs, state, rounds, series = inputs"
_IN_LOOP = "        "
_KEPT_BYTES = 1 << 20
"""So much of what is added up later is kept at a time."""


class Carried(NamedTuple):
    """What the inputs of a round's graph are.

    Attributes:
      args: so many of the first are parts of columns.
      state: the inputs that a round may leave other values for, in the order in which they are given back.
      after: by the number of such an input the output that is its next value; without one it stays as it is.
      fixed: those whose arrays the next values are copied into, as other inputs are views of them.
      owned: those whose arrays are the loop's from the first round on, to overwrite.
      known: those whose values in all rounds are known beforehand; they have no next value in the loop.
      summed: those that the loop keeps arrays for, the last outputs, to be added up afterwards.
    """

    args: int
    state: range
    after: dict[int, int]
    fixed: frozenset[int]
    owned: frozenset[int]
    known: tuple[int, ...] = ()
    summed: tuple[int, ...] = ()


class RoundsPlan(Plan):
    """The plan of a graph's rounds.

    Args:
      closed: the graph of a round, without effects.
      outputs: those of its outputs that `carried.after` numbers; what only others need is left out.
      carried: what its inputs are.
    """

    def __init__(self, closed: FuncGraph, outputs: Sequence[Any], carried: Carried) -> None:
        graph = optimized(clone(closed, outputs)[0])
        known = Induction(graph, carried.after)
        self.induction: Induction | None = None
        if known.pays:
            self.induction, graph = known, optimized(known.rest())
            carried = carried._replace(after=_without(carried.after, known.known), known=tuple(known.known))
        sums = Deferral(graph, carried.after)
        self.sums = sums.sums
        if self.sums:
            graph = sums.rest()
            carried = carried._replace(after=_without(carried.after, self.sums), summed=tuple(self.sums))
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
        kept = [s.kept for s in self.sums.values()]
        bytes_kept = sum(prod(t._shape) * t._np_dtype.itemsize for t in kept)
        most = max(1, _KEPT_BYTES // bytes_kept) * size if kept else stop
        first = self.carried.args
        inputs = list(inputs)
        for low in range(0, stop, most):
            part = [c[low : low + most] for c in columns]
            self._take(part, size, min(most, stop - low), inputs, state)
            for n, i in enumerate(self.carried.state):
                if i in self.carried.fixed:
                    np.copyto(inputs[i - first], state[n])
                else:
                    inputs[i - first] = np.asarray(state[n])

    def _take(self, columns: Any, size: int, stop: int, inputs: list[Any], state: list[Any]) -> None:
        rounds, first = stop // size, self.carried.args
        scalars: list[np.ndarray] = []
        series: dict[int, np.ndarray] = {}
        if self.induction is not None:
            single = {first + i: a for i, a in enumerate(inputs) if not a.shape}
            scalars, series = self.induction.series(rounds, single)
        rows = [np.empty((rounds, *s.kept._shape), s.kept._np_dtype) for s in self.sums.values()]
        for i in self.sums:
            state[i - self.carried.state.start] = 0
        try:
            self((columns, size, stop, inputs, state, [*scalars, *rows], series))  # type: ignore[arg-type]
        finally:
            for (i, found), kept in zip(self.sums.items(), rows, strict=True):
                n = i - self.carried.state.start
                state[n] = found.after(inputs[i - first], kept[: state[n]])

    def _written(self, owned: frozenset[int]) -> Source:
        source = RoundsSource(self.graph, self._codes, self.carried, self.induction)
        if not source.disowned:
            return source
        self.carried = self.carried._replace(owned=self.carried.owned - source.disowned)
        return self._written(owned)


class RoundsSource(Source):
    """The text of such a function."""

    def __init__(self, graph: Any, codes: list[Any], carried: Carried, induction: Induction | None) -> None:
        self.carried, self.induction = carried, induction
        self.disowned: set[int] = set()
        """Those whose next values are no arrays that may be written over."""
        self.volatile: set[Place] = set()
        """The arrays that the next round will write to."""
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
        self.volatile |= result.places
        result.whole = None

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

    def _kept(self) -> Sequence[SymbolicTensor]:
        """The arrays that are added up after the loop."""
        outputs: Sequence[SymbolicTensor] = self.graph.outputs
        return outputs[len(outputs) - len(self.carried.summed) :]

    def _give(self, tensor: SymbolicTensor, part: str, kept: bool = False) -> None:
        """Has a result computed where it belongs, if that can be."""
        value, count = self.values[id(tensor)], len(self.live.nodes)
        code = self.codes_of.get(id(tensor.op))  # an input has none
        if (
            code is None
            or value.whole is None
            or id(value) in self.given
            or (value.last == count and not kept)
        ):
            return
        if code.into is not None and value.layout == "C":
            value.whole.reused = True  # nothing else is written there
            self.given[id(value)] = part
            if not kept:
                self.volatile.add(value.whole)

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
        for k, tensor in enumerate(self._kept()):
            self._give(tensor, f"r{k}", True)
        names = "".join([f", x{i}" for i in scalars] + [f", r{k}" for k in range(len(carried.summed))])
        steps = "zip(range(0, stop, size), *rounds)" if names else "range(0, stop, size)"
        self._line("    low = 0", "")
        self._line("    try:", "")
        self._line(f"        for low{names} in {steps}:", "")
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
        for k, tensor in enumerate(self._kept()):
            if self.given.get(id(self.values[id(tensor)])) != f"r{k}":
                self._line(f"    r{k}[...] = {self._array(self.values[id(tensor)], None)}", "")
        if found:
            self._line(f"    {', '.join([names[i] for i in carried.after])} = {', '.join(found)}", "")
        elif not self.live.nodes and not carried.summed:
            self._line("    pass", "")
        self.indent = ""
        self._line("        low = stop", "")
        self._line("    finally:", "")
        names |= {i: f"series[{i}][low // size]" for i in carried.known}
        names |= dict.fromkeys(carried.summed, "low // size")
        self._line(f"        state[:] = [{', '.join([names[i] for i in carried.state])}]", "")

    def _next(self, number: int, target: Value, taken: set[Place]) -> str:
        """The expression of an input's next value; a copy of what may be, or share memory with, an array that is written to."""
        value = self.values[id(self.graph.outputs[self.carried.after[number]])]
        if _is_scalar(target):
            return self._scalar(value, None)
        name = self._array(value, None)
        if number in self.carried.owned and (value.whole is None or value.layout != "C"):
            self.disowned.add(number)
        shared = any(p in taken or p in self.volatile for p in value.places)
        taken |= value.places
        tensor = self.graph.outputs[self.carried.after[number]]
        return f'{name}.copy("K")' if shared or self._is_view_of_fixed(tensor) else name

    def _is_view_of_fixed(self, tensor: SymbolicTensor) -> bool:
        """Whether a tensor may share memory with an array that the next values are copied into."""
        if not self.carried.fixed or tensor.op.record is CONST:
            return False
        code = self.codes_of.get(id(tensor.op))
        if code is None:
            number = next(i for i, t in enumerate(self.graph.inputs) if t is tensor)
            return number in self.carried.fixed or number >= self.carried.state.stop
        if code.fresh:
            return False
        inputs = tensor.op.inputs
        seen = inputs if code.views is None else [inputs[i] for i in code.views]
        return any(map(self._is_view_of_fixed, seen))


def _without(after: dict[int, int], gone: Container[int]) -> dict[int, int]:
    """The inputs that are left, and their next values where those are all the outputs."""
    return {i: k for k, i in enumerate([i for i in after if i not in gone])}


def _is_scalar(value: Value) -> bool:
    return value.shape == () and value.dtype.kind in "biufc"

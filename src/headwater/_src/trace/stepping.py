"""Running the graph of one step for many batches in a row, without a call, a tensor or a variable's handle in between.

The variables' values go from one step to the next as arrays and into their handles after the last, or after the last that
succeeded where one raises. So a run leaves what as many calls would leave.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy import copyto

from headwater._src.core.context import ctx
from headwater._src.core.graph import FuncGraph
from headwater._src.core.tensor import of_array
from headwater._src.engine.closed import close
from headwater._src.engine.graph_copy import inline
from headwater._src.engine.lockstep import joined, places_of
from headwater._src.engine.plan import plan_of
from headwater._src.engine.tape import stop_all
from headwater._src.ops.control import while_loop
from headwater._src.ops.create import zeros
from headwater._src.ops.gather import gather
from headwater._src.state.variable import CAN_COUNT
from headwater._src.trace.call import GraphFunction, large_variables

Arrays = Sequence[np.ndarray]


class Steps:
    """The plan of a closed graph, run for one batch after the other.

    Args:
      closed: a graph whose arguments are a batch.
    """

    def __init__(self, closed: FuncGraph) -> None:
        self.closed = closed
        self.captured = [t._array for t in closed.captured]
        self.count = closed.result_count
        found = joined(closed)
        places = {id(h): i for i, h in enumerate(closed.read_handles)}
        if found is None:
            self.plan, self.single = plan_of(closed), list(range(len(places)))
            self.groups: list[list[int]] = []
            self.parted: list[int] = []
            written = [places[id(h)] for h in closed.written_handles]
        else:
            self.plan, self.single = plan_of(found.graph), found.single
            self.groups, self.parted, written = found.groups, found.parted, found.written
        outputs = self.count + len(written) + len(self.groups)
        after = {v: self.count + i for i, v in enumerate(written)}
        self.fixed = [n for n, v in enumerate(self.single) if v not in after]
        after |= {self.single[n]: outputs + i for i, n in enumerate(self.fixed)}
        last = range(outputs - len(self.groups), outputs)
        self.pick = _picker([*[after[v] for v in self.single], *last])
        """From the outputs of a step and the values that stay the same to what the next step reads."""
        first = closed.arg_count + len(self.captured)
        large = large_variables(closed) if CAN_COUNT else ()
        self.large = [(n, 1 << (first + n)) for n, v in enumerate(self.single) if v in large]

    def _values(self) -> list[np.ndarray]:
        """The variables' values as the plan takes them."""
        arrays = [h.tensor._array for h in self.closed.read_handles]
        vectors = [np.concatenate([arrays[v].reshape(-1) for v in group]) for group in self.groups]
        return [*[arrays[v] for v in self.single], *vectors]

    def _store(self, values: Arrays) -> None:
        handles = self.closed.read_handles
        for v, array in zip(self.single, values, strict=False):
            handles[v].tensor = of_array(array)
        for group, vector in zip(self.groups, values[len(self.single) :], strict=True):
            for v, part in zip(group, self._parts(group, vector), strict=True):
                handles[v].tensor = of_array(part.copy())

    def _parts(self, group: list[int], vector: np.ndarray) -> list[np.ndarray]:
        """The values of a group's variables as views of the vector in which they are."""
        places = places_of([self.closed.read_handles[v].shape for v in group])
        return [vector[start:stop].reshape(shape) for start, stop, shape in places]

    how = "the NumPy plan of a step"

    def run(self, columns: Arrays, size: int, keep: list[Arrays] | None = None) -> list[np.ndarray]:
        """Takes a step for each batch, then gives the variables their values.

        Args:
          columns: for each argument of the graph the rows of all batches, at least one.
          size: how many of them are a batch.
          keep: gets the results of every step.

        Returns:
          The results of the last step.
        """
        plan, pick, captured, count, large = self.plan, self.pick, self.captured, self.count, self.large
        state: Any = self._values()
        fixed = [state[n] for n in self.fixed]
        # What comes one by one as well are views of vectors that stay where they are.
        seen = [(len(self.single) + n, state[len(self.single) + n]) for n in self.parted]
        views = [
            v
            for n, (_, vector) in zip(self.parted, seen, strict=True)
            for v in self._parts(self.groups[n], vector)
        ]
        results: list[np.ndarray] = []
        done = False
        owned = 0
        try:
            for low in range(0, len(columns[0]), size):
                high = low + size
                if done:
                    for n, vector in seen:
                        copyto(vector, state[n])
                outputs = plan([*[c[low:high] for c in columns], *captured, *state, *views], owned)
                state = pick([*outputs, *fixed])
                results, done = outputs[:count], True
                if keep is not None:
                    keep.append([r if r.base is None else r.copy() for r in results])
                if large:
                    del outputs
                    owned = self._own(state)
        finally:
            if done:
                self._store(state)
        return results

    def _own(self, state: Arrays) -> int:
        """The large variables whose arrays nothing else refers to: the next step may write over them."""
        owned = 0
        for i, bit in self.large:
            if sys.getrefcount(state[i]) == _ONLY_IN_A_TUPLE and state[i].base is None:
                owned |= bit
        return owned


def _picker(places: list[int]) -> Any:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda outputs: tuple([outputs[i] for i in places])


def _references() -> int:
    state = (np.zeros(1),)
    return sys.getrefcount(state[0])


_ONLY_IN_A_TUPLE = _references()


def called(function: GraphFunction) -> FuncGraph:
    """A graph of its own that does nothing but call a function of tensors, with the executor that the function asks for."""
    graph = FuncGraph(function.name)
    with graph.as_default(), stop_all():
        args = [graph.placeholder(t._shape, t._np_dtype) for t in function.closed.args]
        return close(graph, function(args))


# -- with XLA ---------------------------------------------------------------------------------------------------------

AT_ONCE = 64
"""So many batches are handed to a program at a time; what is left over fills a part of that."""
_AT_ONCE_BYTES = 1 << 26


class CompiledSteps:
    """A closed graph in one XLA program that loops over batches, the variables inside it.

    Args:
      closed: a graph whose arguments are a batch of full shapes.
    """

    how = f"one XLA program for up to {AT_ONCE} batches: jit_compile=True"

    def __init__(self, closed: FuncGraph) -> None:
        self.closed = closed
        batch = sum(t._np_dtype.itemsize * int(np.prod(t._shape)) for t in closed.args)
        self.most = max(1, min(AT_ONCE, _AT_ONCE_BYTES // max(batch, 1)))
        self.function = GraphFunction(_loop_of(closed, self.most), True)

    def run(self, columns: Arrays, size: int) -> list[np.ndarray]:
        """As `Steps.run`, apart from what XLA rounds otherwise.

        Raises:
          InvalidArgumentError: XLA can't run the graph; no step has been taken then.
        """
        results: list[Any] = []
        rows, most = len(columns[0]), self.most * size
        for low in range(0, rows, most):
            parts = [c[low : low + most] for c in columns]
            count = len(parts[0]) // size
            args = [of_array(_filled(p, most).reshape(self.most, size, *p.shape[1:])) for p in parts]
            results = self.function([*args, of_array(np.asarray(count, np.int32))])
        return [r._array for r in results]


def loops(closed: FuncGraph) -> bool:
    """Whether XLA can loop over a step: the shapes of its arguments and of its results are known."""
    tensors = [*closed.args, *closed.outputs]
    return all(t._shape is not None and None not in t._shape and t._np_dtype.kind in "biufc" for t in tensors)


def _filled(part: np.ndarray, rows: int) -> np.ndarray:
    """The rows of `part` and others, which nobody looks at."""
    if len(part) == rows:
        return part
    whole = np.zeros((rows, *part.shape[1:]), part.dtype)
    whole[: len(part)] = part
    return whole


def _loop_of(closed: FuncGraph, most: int) -> FuncGraph:
    """The graph of batches, one array for each argument of the step, and of how many of them count."""
    graph = FuncGraph(closed.name)
    with graph.as_default(), stop_all():
        columns = [graph.placeholder((most, *t._shape), t._np_dtype) for t in closed.args]  # type: ignore[misc]
        stop = graph.placeholder((), np.int32)

        def body(i: Any, *_: Any) -> Any:
            inner: Any = ctx.graph
            batch = [gather(c, i) for c in columns]
            reads = [inner.read(h) for h in closed.read_handles]
            outputs = inline(closed, [*batch, *closed.captured, *reads], inner)
            for handle, value in zip(closed.written_handles, outputs[closed.result_count :], strict=True):
                inner.write(handle, value)
            return (i + 1, *outputs[: closed.result_count])

        nothing = [zeros(t._shape, t.dtype) for t in closed.outputs[: closed.result_count]]
        _, *results = while_loop(lambda i, *_: i < stop, body, (0, *nothing))
        return close(graph, results)

"""Running the graph of one step for many batches in a row, without a call, a tensor or a variable's handle in between.

The variables' values go from one step to the next as arrays and into their handles after the last, or after the last that
succeeded where one raises. So a run leaves what as many calls would leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.core.context import ctx
from headwater._src.core.graph import FuncGraph
from headwater._src.core.tensor import of_array
from headwater._src.engine import cost
from headwater._src.engine.closed import close
from headwater._src.engine.cost import Choice
from headwater._src.engine.graph_copy import inline
from headwater._src.engine.lockstep import joined, places_of
from headwater._src.engine.plan import plan_of
from headwater._src.engine.rounds import Carried, RoundsPlan
from headwater._src.engine.tape import stop_all
from headwater._src.ops.control import while_loop
from headwater._src.ops.create import zeros
from headwater._src.ops.gather import gather
from headwater._src.trace.call import GraphFunction, large_variables

Arrays = Sequence[np.ndarray]


class Steps:
    """The plan of a closed graph, run for one batch after the other.

    Args:
      closed: a graph whose arguments are a batch.
      choice: who is to run the steps, if that is known; else it is estimated when somebody asks.
    """

    def __init__(self, closed: FuncGraph, choice: Choice | None = None) -> None:
        self.closed = closed
        self.captured = [t._array for t in closed.captured]
        self.count = closed.result_count
        found = joined(closed)
        places = {id(h): i for i, h in enumerate(closed.read_handles)}
        if found is None:
            self.graph, self.single = closed, list(range(len(places)))
            self.groups: list[list[int]] = []
            self.parted: list[int] = []
            written = [places[id(h)] for h in closed.written_handles]
        else:
            self.graph, self.single = found.graph, found.single
            self.groups, self.parted, written = found.groups, found.parted, found.written
        self.plan = plan_of(self.graph)
        place = {v: n for n, v in enumerate(self.single)}
        groups = range(len(self.single), len(self.single) + len(self.groups))
        self.after = {place[v]: i for i, v in enumerate(written)}
        """By the number of a variable or group that is assigned, which of the outputs after the results is its new value."""
        self.after |= {n: len(written) + i for i, n in enumerate(groups)}
        self._loops: dict[frozenset[int], RoundsPlan] = {}
        self.large = large_variables(closed)
        self.choice = choice
        self.taken = 0

    @property
    def how(self) -> str:
        """Who takes the steps, and why."""
        why = f" ({self.choice.why})" if self.choice else ""
        return f"the NumPy plan of a step{why}"

    def pays(self, ahead: int) -> bool:
        """Whether an XLA program is to take over.

        It is where so many steps have been taken that the time lost with them equals that of compiling, or where twice as
        many are known to be ahead.
        """
        choice = self.choice
        if choice is None:
            choice = self.choice = cost.choose(self.graph, rounds=True) if loops(self.closed) else _NEVER
        return choice.executor == "xla" or 0 < choice.calls <= max(self.taken, ahead // 2)

    def loop(self, state: Arrays) -> RoundsPlan:
        """The plan of all steps but the last of a run from these values; the results of those nobody looks at."""
        first = self.closed.arg_count + len(self.captured)
        large = [n for n, v in enumerate(self.single) if v in self.large]
        # What lies otherwise in memory is added up in another order, so its values are not copied.
        owned = frozenset([first + n for n in large if state[n].flags.c_contiguous])
        found = self._loops.get(owned)
        if found is None:
            numbers = range(first, first + len(self.single) + len(self.groups))
            fixed = frozenset([first + len(self.single) + n for n in self.parted])
            after = {first + n: i for n, i in self.after.items()}
            carried = Carried(self.closed.arg_count, numbers, after, fixed, owned)
            found = self._loops[owned] = RoundsPlan(self.graph, self.graph.outputs[self.count :], carried)
        return found

    def compiled(self, ahead: int) -> CompiledSteps:
        """The same steps with XLA."""
        why = self.choice.why if self.choice else ""
        return CompiledSteps(self.closed, f"{why}; {self.taken:,} were taken, {ahead:,} are ahead")

    def _values(self) -> list[np.ndarray]:
        """The variables' values as the plan takes them."""
        arrays = [h.tensor._array for h in self.closed.read_handles]
        vectors = [np.concatenate([arrays[v].reshape(-1) for v in group]) for group in self.groups]
        return [*[arrays[v] for v in self.single], *vectors]

    def _store(self, values: Arrays) -> None:
        handles = self.closed.read_handles
        for n in self.after:
            if n < len(self.single):
                handles[self.single[n]].tensor = of_array(np.asarray(values[n]))
        for group, vector in zip(self.groups, values[len(self.single) :], strict=True):
            for v, part in zip(group, self._parts(group, vector), strict=True):
                handles[v].tensor = of_array(part.copy())

    def _parts(self, group: list[int], vector: np.ndarray) -> list[np.ndarray]:
        """The values of a group's variables as views of the vector in which they are."""
        places = places_of([self.closed.read_handles[v].shape for v in group])
        return [vector[start:stop].reshape(shape) for start, stop, shape in places]

    def _views(self, state: Arrays) -> list[np.ndarray]:
        """Of the groups whose values the graph also takes one by one, those values."""
        vectors = [(self.groups[n], state[len(self.single) + n]) for n in self.parted]
        return [part for group, vector in vectors for part in self._parts(group, vector)]

    def run(self, columns: Arrays, size: int, keep: list[Arrays] | None = None) -> list[np.ndarray]:
        """Takes a step for each batch, then gives the variables their values.

        Args:
          columns: for each argument of the graph the rows of all batches, at least one.
          size: how many of them are a batch.
          keep: gets the results of every step.

        Returns:
          The results of the last step.
        """
        state: list[Any] = self._values()
        results: list[np.ndarray] = []
        low, last = 0, len(columns[0]) - size
        try:
            if keep is None and last > 0:
                self._all_but_last(columns, size, last, state)
                low = last
            for start in range(low, last + 1, size):
                batch = [c[start : start + size] for c in columns]
                outputs = self.plan([*batch, *self.captured, *state, *self._views(state)])
                results, new = outputs[: self.count], outputs[self.count :]
                for n, i in self.after.items():
                    state[n] = new[i]
                if keep is not None:
                    keep.append([r if r.base is None else r.copy() for r in results])
        finally:
            self._store(state)
        self.taken += len(columns[0]) // size
        return results

    def _all_but_last(self, columns: Arrays, size: int, stop: int, state: list[Any]) -> None:
        """Takes the steps for the rows below `stop`, and puts the values that they leave into `state`."""
        loop = self.loop(state)
        first = loop.carried.state.start
        for n in loop.carried.owned:
            state[n - first] = state[n - first].copy()
        inputs = [*self.captured, *state, *self._views(state)]
        loop.take(columns, size, stop, inputs, state)
        for n in self.after:
            state[n] = np.asarray(state[n])


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


_NEVER = Choice("plan", "XLA can't loop over shapes that it doesn't know")


class CompiledSteps:
    """A closed graph in one XLA program that loops over batches, the variables inside it.

    Args:
      closed: a graph whose arguments are a batch of full shapes.
      why: for `explain`.
    """

    def __init__(self, closed: FuncGraph, why: str = "jit_compile=True") -> None:
        self.closed = closed
        self.how = f"one XLA program for up to {AT_ONCE} batches: {why}"
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

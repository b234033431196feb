"""Calling a traced graph: eagerly, under tapes, or inside another graph.

A call outside of graphs runs one of the two executors and then stores the new values of the variables that the graph assigns,
all together, so a call that fails leaves every variable as it was. Where a tape watches an input, the graph's derivative runs
instead: it gives, besides the results, what the backward graph will need, and the tape notes one entry for the whole call.
Inside another graph the nodes become part of that graph, or one call node where the two want different executors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import InvalidArgumentError
from headwater._src.base.shapes import num_elements
from headwater._src.core import context
from headwater._src.core.context import ctx
from headwater._src.core.graph import FuncGraph, add_opaque
from headwater._src.core.op import PlainRecord
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, as_array, of_array
from headwater._src.engine import cost
from headwater._src.engine.cost import Choice
from headwater._src.engine.differentiate import Derivative, carries_gradients
from headwater._src.engine.graph_copy import inline
from headwater._src.engine.lower import REFUSES
from headwater._src.engine.plan import plan_of
from headwater._src.engine.tape import device_lock
from headwater._src.state.variable import IN_PLACE_BYTES, overwritable


class GraphFunction:
    """A closed graph as a function of tensors.

    Args:
      closed: the graph.
      jit_compile: True for XLA, False for the NumPy plan, None to choose by an estimate of the cost.
      name: for messages.
    """

    def __init__(self, closed: FuncGraph, jit_compile: bool | None = None, name: str | None = None) -> None:
        self.closed = closed
        self.jit_compile = jit_compile
        self.name = name or closed.name
        self._captured = list(closed.captured)
        self._symbolic = any(isinstance(t, SymbolicTensor) for t in self._captured)
        self._captured_arrays = [] if self._symbolic else [t._array for t in self._captured]
        self._derivatives: dict[tuple[int, ...], _Derivative] = {}
        self._choice: Choice | None = None
        self._calls = 0
        """How many calls the plan has run, where XLA is to take over after some."""
        self._run: Any = None
        self._resident: Any = None
        """Runs the XLA program with the variables of the trace, once there is one."""
        self._large: tuple[int, ...] = ()
        """Which of the variables read are assigned too and large enough that writing in place pays."""

    # -- choosing an executor -----------------------------------------------------------------------------------------

    def choice(self) -> Choice:
        """Which executor runs the graph, "plan" or "xla", and why."""
        if self._choice is None:
            if self.jit_compile is None:
                shapes = [t._shape for t in self.closed.inputs]
                self._choice = cost.choose(self.closed, shapes)
            else:
                self._choice = Choice(
                    "xla" if self.jit_compile else "plan", f"jit_compile={self.jit_compile}"
                )
        return self._choice

    def _planned(self) -> Any:
        """The plan; where XLA is to take over later, with a count of its calls."""
        plan, after = plan_of(self.closed), self.choice().calls
        self._large = large_variables(self.closed)
        if not after:
            return plan

        def counted(*args: Any) -> list[Any]:
            self._calls += 1
            if self._calls >= after:
                self._choice = Choice("xla", f"{after:,} calls of the plan have cost what compiling does")
                self._run = None
            return plan(*args)

        return counted

    @property
    def uses_xla(self) -> bool:
        """Whether XLA runs the graph."""
        return self.choice()[0] == "xla"

    # -- calling ------------------------------------------------------------------------------------------------------

    def __call__(self, args: Sequence[Any], handles: Sequence[Any] | None = None) -> list[Any]:
        """The results for `args`; variables that the graph assigns have their new values afterwards.

        Args:
          args: tensors, as many as the graph has arguments.
          handles: other variables instead of those that the trace read, in the order of `closed.read_handles`.
        """
        closed = self.closed
        reads = closed.read_handles if handles is None else handles
        if ctx.graph is not None:
            return self._in_graph(args, reads)
        if self._symbolic:
            # A tensor of the graph around; entering it here explains that it is out of reach.
            FuncGraph(self.name).enter(next(t for t in self._captured if isinstance(t, SymbolicTensor)))
        if ctx.recording:
            watched = self._watched(args, reads)
            if watched & ctx.recording:
                return self._taped([*args, *self._captured, *[h.read() for h in reads]], watched, reads)
        run = self._run
        if run is None:
            resident = self._resident
            if resident is not None and handles is None:
                return [of_array(r) for r in resident([*[t._array for t in args], *self._captured_arrays])]
            if self.uses_xla:
                return self._on_device(args, reads)
            run = self._run = self._planned()
        if self._large:
            return self._in_place(run, args, reads)
        arrays = [t._array for t in args]
        if self._captured_arrays:
            arrays += self._captured_arrays
        for handle in reads:
            tensor = handle._tensor
            arrays.append((handle.tensor if tensor is None else tensor)._array)
        results = run(arrays)
        count = closed.result_count
        if len(results) > count:
            self._store(results[count:], reads)
            results = results[:count]
        return [of_array(r) for r in results]

    def _in_place(self, run: Any, args: Sequence[Any], reads: Sequence[Any]) -> list[Any]:
        """The same where large variables are assigned: the plan may write their new values over the old, if nobody else sees those.

        A plan does so only after its last node that can fail. Meanwhile the variables are out of their handles, and who looks
        for them waits for the lock.
        """
        closed, owned = self.closed, 0
        taken: list[tuple[Any, Any]] = []
        with device_lock:
            for index in self._large:
                handle = reads[index]
                if handle._tensor is not None and overwritable(handle):
                    owned |= 1 << (len(closed.inputs) - len(reads) + index)
                    taken.append((handle, handle._tensor))
            arrays = [t._array for t in args] + self._captured_arrays + [h.tensor._array for h in reads]
            for handle, _ in taken:
                handle._tensor = None
            try:
                results = run(arrays, owned)
            except BaseException:
                for handle, tensor in taken:
                    handle._tensor = tensor
                raise
            self._store(results[closed.result_count :], reads)
        return [of_array(r) for r in results[: closed.result_count]]

    def _store(self, values: Sequence[np.ndarray], reads: Sequence[Any]) -> None:
        for handle, value in zip(self._written(reads), values, strict=True):
            # What `handle.tensor = of_array(value)` does, without its calls: this is a large part of a small training step.
            tensor = EagerTensor()
            tensor._array = value
            tensor._np_dtype = value.dtype
            tensor._watch = 0
            handle._tensor = tensor
            handle.device_array = None

    def _written(self, reads: Sequence[Any]) -> list[Any]:
        closed = self.closed
        if reads is closed.read_handles:
            return closed.written_handles
        others = {id(h): r for h, r in zip(closed.read_handles, reads, strict=True)}
        return [others[id(h)] for h in closed.written_handles]

    def _on_device(self, args: Sequence[EagerTensor], reads: Sequence[Any]) -> list[Any]:
        from headwater._src.engine import executable, resident

        arrays = [t._array for t in args] + self._captured_arrays
        program = executable.executable_of(self.closed)
        try:
            results = resident.run(program, arrays, reads, self._written(reads))
        except InvalidArgumentError as error:
            if not self._refused(error):
                raise
            return self(args, None if reads is self.closed.read_handles else reads)
        if reads is self.closed.read_handles:
            self._resident = program.residents.first.call
        return [of_array(r) for r in results]

    def _refused(self, error: InvalidArgumentError) -> bool:
        """Whether XLA, which the estimate chose, can't compile the graph after all. Nothing has run then, and the plan will."""
        if self.jit_compile or REFUSES not in error.message:
            return False
        self._choice = Choice("plan", f"XLA refuses it: {error.message.splitlines()[0]}")
        self._resident = None
        return True

    def execute(self, arrays: list[np.ndarray]) -> Sequence[Any]:
        """All outputs of the graph, those for variables too, by its own executor."""
        if self._run is None and self.uses_xla:
            from headwater._src.engine import executable

            try:
                return executable.run_arrays(executable.executable_of(self.closed), arrays)
            except InvalidArgumentError as error:
                if not self._refused(error):
                    raise
        run = self._run
        if run is None:
            run = self._run = self._planned()
        return run(arrays)

    # -- under tapes --------------------------------------------------------------------------------------------------

    def _watched(self, args: Sequence[Any], reads: Sequence[Any]) -> int:
        """The bits of the recorders that watch an input. No tensor of a variable is held on to: it may be written over."""
        watched = 0
        for tensor in args:
            watched |= tensor._watch
        for tensor in self._captured:
            watched |= tensor._watch
        for handle in reads:
            watched |= handle.read()._watch
        return watched

    def _taped(self, inputs: list[Any], watched: int, reads: Sequence[Any]) -> list[Any]:
        recording = ctx.recording
        derivative = self.derivative(
            tuple(i for i, t in enumerate(inputs) if t._watch & recording and carries_gradients(t))
        )
        arrays = [t._array for t in inputs]
        outputs = tuple(of_array(as_array(r)) for r in derivative.run(arrays))
        count = self.closed.result_count
        self._store([t._array for t in outputs[count : derivative.output_count]], reads)
        entry = _CallRecord(self.name, derivative)
        bits = context.record(watched, entry, tuple(inputs), outputs, {})
        for i, tensor in enumerate(outputs):
            # What a variable holds from now on is a value of its own.
            assigned = count <= i < derivative.output_count
            tensor._watch = bits if carries_gradients(tensor) and not assigned else 0
        return list(outputs[:count])

    def derivative(self, wrt: tuple[int, ...]) -> _Derivative:
        """The graph made differentiable in the inputs with these numbers."""
        found = self._derivatives.get(wrt)
        if found is None:
            found = self._derivatives[wrt] = _Derivative(self.closed, wrt, self.jit_compile)
        return found

    # -- inside graphs ------------------------------------------------------------------------------------------------

    def _in_graph(self, args: Sequence[Any], reads: Sequence[Any]) -> list[Any]:
        graph = ctx.graph
        # Each place of a call draws from random streams of its own, as if the function's text stood there.
        reads = [h.at_call() if hasattr(h, "at_call") else h for h in reads]
        values = [
            *(graph.enter(a) for a in args),
            *(graph.enter(c) for c in self._captured),
            *(h.read() for h in reads),
        ]
        own, outer = bool(self.jit_compile), bool(getattr(graph, "jit_compile", False))
        if own and not outer:
            specs = [t._spec for t in self.closed.outputs]
            outputs: Sequence[Any] = add_opaque(CALL, values, specs, {"function": self}, self.name)
        else:
            outputs = inline(self.closed, values, graph)
        count = self.closed.result_count
        for handle, value in zip(self._written(reads), outputs[count:], strict=True):
            graph.write(handle, value)
        return list(outputs[:count])


class _Derivative(Derivative):
    """A derivative with its executors."""

    def __init__(self, closed: FuncGraph, wrt: Sequence[int], jit_compile: bool | None) -> None:
        super().__init__(closed, wrt)
        self.jit_compile = jit_compile
        self._functions: dict[tuple[int, ...], GraphFunction] = {}
        self._runner = GraphFunction(self.forward, jit_compile)

    def run(self, arrays: list[np.ndarray]) -> list[Any]:
        """All outputs of the forward graph."""
        return list(self._runner.execute(arrays))

    def function(self, present: tuple[int, ...]) -> tuple[Any, GraphFunction, list[Any]]:
        """The backward graph for these gradients, as a function, and the origins of what it captured."""
        built, origins = self.backward(present)
        function = self._functions.get(present)
        if function is None:
            function = self._functions[present] = GraphFunction(_uncaptured(built.graph), self.jit_compile)
        return built, function, origins

    def pull(self, grads: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
        """The gradients of the inputs `wrt`, given those of the outputs (None where there is none)."""
        present = tuple(i for i, g in enumerate(grads) if g is not None)
        built, function, origins = self.function(present)
        missing = [o[1] for o in origins if o.__class__ is tuple and o[0] == "recompute"]
        again = iter(self._recomputed(missing, inputs) if missing else ())
        values = []
        for origin in origins:
            if origin.__class__ is not tuple:
                values.append(origin)
            elif origin[0] == "recompute":
                values.append(next(again))
            else:
                values.append((inputs if origin[0] == "input" else outputs)[origin[1]])
        upstream = [_dense(grads[i]) for i in present]
        return built.gradients(function([*upstream, *values]))

    def _recomputed(self, missing: list[Any], inputs: Sequence[Any]) -> list[Any]:
        """Tensors of the forward graph that nobody foresaw, computed once more by a call that tapes see."""
        from headwater._src.engine.graph_copy import clone

        graph, _ = clone(self.forward, missing)
        graph.captured, graph.read_handles, graph.written_handles = [], [], []
        graph.args, graph.arg_count, graph.result_count = list(graph.inputs), len(graph.inputs), len(missing)
        return GraphFunction(graph, False)(list(inputs))


def large_variables(closed: FuncGraph) -> tuple[int, ...]:
    """Which of the variables read are assigned too and so large that writing their new values over the old ones pays."""
    if any(getattr(node.record, "stateful", False) for node in closed.nodes):
        return ()  # what it calls may want to read the variables
    written = {id(h) for h in closed.written_handles}
    return tuple(
        i for i, h in enumerate(closed.read_handles) if id(h) in written and _nbytes(h) >= IN_PLACE_BYTES
    )


def _nbytes(handle: Any) -> int:
    size = num_elements(handle.shape) if handle.shape is not None and None not in handle.shape else 0
    return size * handle.dtype.np.itemsize


def _uncaptured(graph: FuncGraph) -> FuncGraph:
    """The same graph with its captured tensors as arguments, for calls that hand them over."""
    if graph.captured:
        graph.args = [*graph.args, *graph.inputs[graph.arg_count : graph.arg_count + len(graph.captured)]]
        graph.arg_count = len(graph.args)
        graph.captured, graph.captures = [], {}
    return graph


def _dense(gradient: Any) -> Any:
    return gradient if isinstance(gradient, (EagerTensor, SymbolicTensor)) else gradient.__tf_tensor__()


class _CallRecord:
    """What a tape notes for a call: its gradient is the call of a backward graph."""

    single = False
    takes_none = True
    api = ()

    def __init__(self, name: str, derivative: _Derivative) -> None:
        self.name = f"PartitionedCall({name})"
        self.grad = self.backward
        self._derivative = derivative

    def backward(self, grads: Any, outputs: Any, inputs: Any, attrs: Any, needed: Sequence[Any]) -> list[Any]:
        """The gradients of the inputs."""
        found = self._derivative.pull(grads, inputs, outputs)
        by_input: list[Any] = [None] * len(inputs)
        for i, gradient in zip(self._derivative.wrt, found, strict=True):
            by_input[i] = gradient
        return by_input


class _Call(PlainRecord):
    """The record of a call node: a function compiled on its own inside one that is not."""

    name = "StatefulPartitionedCall"
    single = False
    takes_none = True
    grows = True
    title = "tf.function"

    @staticmethod
    def numpy(*arrays: np.ndarray, function: Any) -> Sequence[np.ndarray]:
        """Runs the function with its own executor."""
        return function.execute(list(arrays))

    @staticmethod
    def lower(*values: Any, function: Any) -> Any:
        """Becomes part of the program around."""
        from headwater._src.engine.lower import interpret

        return tuple(interpret(function.closed, values))

    @staticmethod
    def grad(*_: Any) -> None:
        """See `backward`."""

    def backward(self, grads: Any, outputs: Any, inputs: Any, attrs: Any, needed: Sequence[Any]) -> list[Any]:
        """Gives the node what the backward graph needs as further outputs, and calls that graph."""
        node = outputs[0].op
        wrt = tuple(
            i for i, (n, x) in enumerate(zip(needed, inputs, strict=True)) if n and carries_gradients(x)
        )
        derivative = node.attrs["function"].derivative(wrt)
        specs = [t._spec for t in derivative.forward.outputs]
        more = range(len(node.outputs), len(specs))
        node.outputs = (*node.outputs, *(SymbolicTensor(node, i, specs[i]) for i in more))
        node.attrs = {"function": GraphFunction(_uncaptured(derivative.forward), derivative.jit_compile)}
        found = derivative.pull(grads, inputs, node.outputs)
        by_input: list[Any] = [None] * len(inputs)
        for i, gradient in zip(wrt, found, strict=True):
            by_input[i] = gradient
        return by_input


CALL: Any = _Call()

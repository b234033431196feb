"""The functions that users give to transformations: traced once, when the transformation is made, and run by the NumPy plan.

Variables, tensors from outside and random streams behave as in a `tf.function`. The streams of random operations belong to
one iterator of the outermost data set: they go on from element to element and from one repetition to the next, and start
over with the next iterator.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base import flags, nest
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.graph import FuncGraph
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import SymbolicTensor, of_array
from headwater._src.data.structure import (
    component_specs,
    components,
    from_components,
    map_leaves,
    normalize,
    packer,
    spec_of,
)
from headwater._src.data.templates import Part
from headwater._src.engine.closed import close
from headwater._src.engine.plan import plan_of
from headwater._src.engine.tape import outside_graphs, stop_all
from headwater._src.ops.seeds import StreamHandle
from headwater._src.trace.autograph.convert import converted

_debugging = False


@export("data.experimental.enable_debug_mode")
def enable_debug_mode() -> None:
    """From now on functions given to new data sets run as Python for each element, so that debuggers and prints see them.

    Raises:
      ValueError: called while a graph is built.
    """
    global _debugging
    if ctx.graph is not None:
        raise ValueError("tf.data.experimental.enable_debug_mode: call it outside of tf.function.")
    _debugging = True


def disable_debug_mode() -> None:
    """Takes back `enable_debug_mode`."""
    global _debugging
    _debugging = False


class Pass:
    """What one iterator of the outermost data set keeps: where the random streams of its functions stand."""

    __slots__ = ("handles", "lock", "on_error", "probing")

    def __init__(self, probing: bool = False) -> None:
        self.probing = probing
        """Whether nothing will be iterated, and the question is only whether there are rows or columns."""
        self.handles: dict[int, list[Any]] = {}
        self.lock = threading.Lock()
        self.on_error: Callable[[Exception], None] | None = None
        """Called for elements that can't be made, which are then left out; None where errors end the iteration."""

    def ignoring(self, on_error: Callable[[Exception], None]) -> Pass:
        """The same iterator's state, for the nodes below one that ignores errors."""
        below = Pass()
        below.handles, below.lock, below.on_error = self.handles, self.lock, on_error
        return below

    def handles_of(self, function: UserFunction) -> list[Any]:
        """The variables that a function reads, with streams of this iterator's own."""
        key = id(function.closed)
        with self.lock:
            found = self.handles.get(key)
            if found is None:
                found = self.handles[key] = [
                    h.at_call() if isinstance(h, StreamHandle) else h for h in function.closed.read_handles
                ]
        return found


def _refuse_variable(variable: Any) -> None:
    raise ValueError(
        f"The variable {variable.name!r} is made in a function given to tf.data, anew each time it is traced. Make it once, "
        "outside of the function."
    )


class UserFunction(Part):
    """A traced function of elements.

    Args:
      function: the user's.
      args: the specifications of its arguments.
      what: names the transformation in messages.

    Raises:
      TypeError: a result can't be a tensor.
      ValueError: it is no function, or it makes variables each time it is called.
    """

    def __init__(self, function: Any, args: Sequence[Any], what: str) -> None:
        if not callable(function):
            raise ValueError(f"{what}: a function was expected; got {describe(function)}.")
        self.function, self.args, self.what = function, tuple(args), what
        self.debug = _debugging
        if flags.get("run_functions_eagerly") and not self.debug:
            warnings.warn(
                "tf.config.run_functions_eagerly has no effect on functions given to tf.data; "
                "tf.data.experimental.enable_debug_mode() has.",
                stacklevel=4,
            )
        self.captured: list[Any] = []
        self._trace()

    def _trace(self) -> None:
        made: list[Any] = []
        graph = self._traced(made.append)
        if made:  # a layer that was built just now; the second trace shows the function as it is from now on
            graph = self._traced(_refuse_variable)
        self.value = None
        self.closed = graph
        self.captured = list(graph.captured)
        self.single = isinstance(self.spec, TensorSpec)
        self.plain = [all(isinstance(s, TensorSpec) for s in nest.flatten(spec)) for spec in self.args]

    def _traced(self, on_variable: Callable[[Any], None]) -> FuncGraph:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        graph = FuncGraph(f"{self.what.replace('.', '_')}_{name}".replace("<", "").replace(">", ""))
        saved, ctx.on_variable = ctx.on_variable, on_variable
        try:
            with graph.as_default(), stop_all():
                given = [self._placeholders(graph, spec) for spec in self.args]
                self.value = self._normal(converted(self.function)(*given))
                ctx.name_scope = ""
                self.spec = map_leaves(spec_of, self.value)
                close(graph, components(self.value))
        finally:
            ctx.on_variable = saved
        return graph

    @staticmethod
    def _placeholders(graph: FuncGraph, spec: Any) -> Any:
        parts = iter([graph.placeholder(s.shape, s.dtype, "args") for s in component_specs(spec)])
        return from_components(spec, parts)

    def _normal(self, value: Any) -> Any:
        # A list is likelier several results than one tensor in the making.
        try:
            return normalize(tuple(value) if isinstance(value, list) else value)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{self.what}: the function returns {describe(value)}, which can't be an element: {error} Return tensors, "
                "composite tensors, None, data sets, or tuples and dictionaries of these."
            ) from None

    @property
    def stateful(self) -> bool:
        """Whether calls differ from each other or leave something behind: variables, random numbers, effects."""
        graph = self.closed
        return self.debug or bool(graph.read_handles) or any(n.record.stateful for n in graph.nodes)

    @property
    def calls_python(self) -> bool:
        """Whether the graph calls Python functions or reads files, so that threads have something to wait for."""
        return self.debug or any(n.record.stateful and "template" not in n.attrs for n in self.closed.nodes)

    # -- running ------------------------------------------------------------------------------------------------------

    def bind(self, state: Pass) -> Callable[..., Any]:
        """The function of arguments, for one iterator."""
        if self.debug:
            return self._eager
        run = self.arrays(state)
        result = self.packed()
        if all(isinstance(s, TensorSpec) for s in self.args):

            def of_tensors(*args: Any) -> Any:
                return result(run([a._array for a in args]))

            if len(self.args) == 1 and self.single:
                return lambda a: of_array(run([a._array])[0])
            return of_tensors

        def of_structures(*args: Any) -> Any:
            return result(run([t._array for a in args for t in components(a)]))

        return of_structures

    def packed(self) -> Callable[[Sequence[np.ndarray]], Any]:
        """Makes the element of the result's arrays."""
        spec = self.spec
        if self.single:
            return lambda arrays: of_array(arrays[0])
        if all(isinstance(s, TensorSpec) for s in nest.flatten(spec)):
            pack = packer(spec)
            return lambda arrays: pack([of_array(a) for a in arrays])
        return lambda arrays: from_components(spec, iter([of_array(a) for a in arrays]))

    def arrays(self, state: Pass, closed: Any = None) -> Callable[[list[np.ndarray]], Sequence[np.ndarray]]:
        """The function of the arrays of its arguments, for one iterator; of a copy of its graph if one is given."""
        closed = self.closed if closed is None else closed
        if any(isinstance(t, SymbolicTensor) for t in self.captured):
            raise ValueError(
                f"{self.what}: the function uses a tensor of a graph that is not running here; iterate inside that function."
            )
        run, captured, count = plan_of(closed), [t._array for t in self.captured], closed.result_count
        if not closed.read_handles:
            return run if not captured else lambda arrays: run(arrays + captured)
        handles = state.handles_of(self)
        places = {id(h): mine for h, mine in zip(closed.read_handles, handles, strict=True)}
        written = [places[id(h)] for h in closed.written_handles]
        lock = state.lock

        def with_variables(arrays: list[np.ndarray]) -> Sequence[np.ndarray]:
            if not written:
                return run([*arrays, *captured, *(h.tensor._array for h in handles)])
            with lock:
                results = run([*arrays, *captured, *(h.tensor._array for h in handles)])
                for handle, value in zip(written, results[count:], strict=True):
                    handle.tensor = of_array(value)
            return results[:count]

        return with_variables

    def _eager(self, *args: Any) -> Any:
        with outside_graphs(), stop_all():
            return self._normal(self.function(*args))


def arguments(spec: Any) -> tuple[Any, ...]:
    """The specifications of a function's arguments for elements of this kind: the parts of a tuple are arguments of their own."""
    return spec if spec.__class__ is tuple else (spec,)


def of_elements(function: UserFunction, spec: Any, state: Pass) -> Callable[[Any], Any]:
    """The function of elements, for one iterator."""
    call = function.bind(state)
    return (lambda element: call(*element)) if spec.__class__ is tuple else call

"""What control flow and lists of tensors have in common: their records, their nodes, and functions traced into graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headwater._src.base import dtypes, nest
from headwater._src.base.shapes import TensorShape
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import FuncGraph, Graph, Node, add_opaque
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.backprop import space
from headwater._src.engine.closed import close
from headwater._src.engine.graph_copy import clone
from headwater._src.engine.tape import stop_all


class Record:
    """The record of an operation whose attributes are graphs, or whose values are lists of tensors.

    It answers what the engine asks of any record. The specs of its outputs are given by who makes the node.
    """

    stateful = False
    moves = False
    variadic = True
    first_decides = False
    params: tuple[Any, ...] = ()
    api: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        numpy: Callable[..., Any],
        lower: Any,
        grad: Any,
        *,
        single: bool = True,
        host: Sequence[str] = (),
        grows: bool = False,
    ) -> None:
        self.name = name
        self.numpy = numpy
        self.lower = lower
        self.grad = grad
        self.single = single
        self.host = tuple(host)
        self.grows = grows
        """Whether nodes may gain outputs when their gradient is asked for."""
        self.takes_none = not single
        """Whether outputs without a gradient may stay so when the others are propagated."""
        self._pull: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    @property
    def title(self) -> str:
        """How messages name the operation."""
        return f"[Op:{self.name}]"

    def differentiate(self, pull: Callable[..., Any]) -> None:
        """Sets the rule `pull(grads, outputs, inputs, attrs, needed)`, which may look at the node and make it put out more."""
        self.grad = self._pull = pull

    def infer(self, specs: Sequence[Spec], attrs: dict[str, Any]) -> list[Spec]:
        """Raises: the specs of the outputs stand on the node."""
        raise NotImplementedError(f"{self.title}: the specs of the outputs stand on the node.")

    def backward(
        self,
        grads: Sequence[Any],
        outputs: Sequence[Any],
        inputs: Sequence[Any],
        attrs: dict[str, Any],
        needed: Sequence[Any],
    ) -> Sequence[Any]:
        """Gradients with respect to the inputs that are `needed`, given those of the outputs."""
        if self._pull is not None:
            return self._pull(grads, outputs, inputs, attrs, needed)
        result = self.grad(grads[0], outputs[0], *inputs, **attrs)
        return result if result.__class__ in (tuple, list) else (result,)


def append(
    record: Record, inputs: Sequence[Any], specs: Sequence[Spec], attrs: dict[str, Any], name: str = ""
) -> Any:
    """Appends a node to the graph being built; the output, or a tuple of them for records with several."""
    graph = ctx.graph
    attrs = {k: graph.enter(v) if v.__class__ is SymbolicTensor else v for k, v in attrs.items()}
    outputs = add_opaque(record, inputs, specs, attrs, name)
    return outputs[0] if record.single else outputs


# -- functions as graphs ----------------------------------------------------------------------------------------------


class Traced:
    """A function traced on placeholders into a graph of its own.

    Attributes:
      graph: the graph, not yet closed.
      result: what the function returned.
      leaves: its leaves with composites opened, as tensors of any graph, and None.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, args: Sequence[Any] = (), specs: Sequence[Spec] = ()
    ) -> None:
        self.graph = graph = FuncGraph(name)
        with graph.as_default(), stop_all():
            self.placeholders = [
                graph.placeholder(TensorShape(s.shape), _dtype_of(s), f"args_{i}")
                for i, s in enumerate(specs)
            ]
            given = pack(args, self.placeholders) if specs else args
            self.result = function(*given)
            self.result = nest.map_structure(_without_operations, self.result)
            self.leaves: list[Any] = [None if v is None else convert(v) for v in leaves_of(self.result)]

    @property
    def written(self) -> list[Any]:
        """The handles of the variables that were assigned."""
        return [handle for handle, _ in self.graph.values.values()]


def _without_operations(value: Any) -> Any:
    return None if isinstance(value, Node) else value


def _dtype_of(spec: Spec) -> Any:
    return dtypes.OF_NUMPY[spec.dtype]


def leaves_of(structure: Any) -> list[Any]:
    """The leaves with composite values opened into their tensors."""
    return nest.flatten(structure, expand_composites=True)


def pack(structure: Any, leaves: Sequence[Any]) -> Any:
    """`structure` with other leaves, composites included; None stays where it is None."""
    feed = iter(leaves)
    flat = [None if v is None else next(feed) for v in leaves_of(structure)]
    return nest.pack_sequence_as(structure, flat, expand_composites=True)


class Environment:
    """What a set of traced graphs takes from outside, as inputs of the node that will hold them.

    Each graph says with `places` where in `tensors` its captured tensors and the variables that it reads are.
    """

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self._places: dict[int, int] = {}
        self.handles: dict[int, int] = {}
        """id(handle) -> place of the variable's value."""

    def place(self, tensor: Any) -> int:
        """Where `tensor`, of an outer graph or eager, is among the inputs."""
        found = self._places.get(id(tensor))
        if found is None:
            found = self._places[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
        return found

    def place_of_handle(self, handle: Any) -> int:
        """Where the present value of a variable is among the inputs."""
        found = self.handles.get(id(handle))
        if found is None:
            value = handle.read() if hasattr(handle, "read") else ctx.graph.read(handle)
            found = self.handles[id(handle)] = len(self.tensors)
            self.tensors.append(value)
        return found

    def places(self, graph: FuncGraph) -> list[int]:
        """The places of the inputs of a closed graph behind its arguments."""
        return [self.place(t) for t in graph.captured] + [self.place_of_handle(h) for h in graph.read_handles]


def closed(traced: Traced, results: Sequence[Any]) -> FuncGraph:
    """Closes the graph with these results; assignments are left to who handed the variables' values in."""
    graph = close(traced.graph, results)
    graph.outputs = graph.outputs[: graph.result_count]
    graph.written_handles = []
    return graph


def value_in(graph: Graph, handle: Any) -> SymbolicTensor:
    """The value that a variable has at the end of a graph that is not closed yet."""
    with graph.as_default(), stop_all():
        return graph.read(handle)


def write_back(handles: Sequence[Any], values: Sequence[Any]) -> None:
    """Assigns in the graph being built what a node computed for the variables."""
    for handle, value in zip(handles, values, strict=True):
        ctx.graph.write(handle, value)


def cloned(graph: FuncGraph) -> FuncGraph:
    """A copy of a closed graph, in which tensors of the original may be named: functions in attributes may hold some."""
    copy, mapping = clone(graph)
    copy.translated = {k: mapping.get(id(t), t) for k, t in graph.translated.items()} | mapping
    copy.origin = graph
    return copy


def dense(value: Any) -> Any:
    """A gradient as one tensor."""
    return space().densify(value) if value is not None else None


def describe_leaf(kind: str, index: int, names: Sequence[str] | None, count: int) -> str:
    """How messages name a result or loop variable: by its name in the program, else by its number."""
    if names is not None and index < len(names) and names[index]:
        return repr(names[index])
    return f"{kind} number {index}" if count > 1 else f"the {kind}"

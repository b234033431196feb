"""Finishing a traced graph: what it takes from outside becomes inputs, what it leaves behind becomes outputs.

A closed graph is a function from `inputs` (arguments, captured tensors, the values of the variables that it reads) to
`outputs` (results, the new values of the variables that it assigns), apart from the nodes with side effects in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.core.graph import CAPTURE, PLACEHOLDER, READ_VARIABLE, FuncGraph
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, of_array


def close(graph: FuncGraph, results: Sequence[Any]) -> FuncGraph:
    """Sets the inputs and outputs of a graph that has been traced, and gives it back.

    Args:
      graph: its arguments are `graph.args`.
      results: tensors of the graph, of outer graphs, or eager ones.
    """
    found = [graph.enter(r) for r in results]
    reads, writes = list(graph.reads.values()), list(graph.values.values())
    captures = [(outer, inner) for outer, inner in graph.captures.values() if inner.op.record is CAPTURE]
    graph.converted = {}
    graph.captured = [outer for outer, _ in captures]
    graph.read_handles = [handle for handle, _ in reads]
    graph.written_handles = [handle for handle, _ in writes]
    graph.arg_count, graph.result_count = len(graph.args), len(found)
    graph.inputs = [*graph.args, *(inner for _, inner in captures), *(value for _, value in reads)]
    graph.outputs = [*found, *(value for _, value in writes)]
    graph.plan = graph.executable = None
    return graph


def ancestors(outputs: Sequence[SymbolicTensor]) -> set[int]:
    """The ids of the nodes that the outputs depend on."""
    seen: set[int] = set()
    stack = [t.op for t in outputs]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        stack += [t.op for t in node.inputs]
        stack += [v.op for v in node.attrs.values() if v.__class__ is SymbolicTensor]
    return seen


def evaluate(tensor: SymbolicTensor, what: str) -> EagerTensor:
    """The value of a tensor of a graph that is still being built, from constants, variables and the arguments of the call.

    Raises:
      ValueError: it depends on an argument of the function, and no call has the function traced.
    """
    from headwater._src.engine.plan import plan_of

    needed = ancestors([tensor])
    graph = FuncGraph(what)
    graph.nodes = [n for n in tensor.graph.nodes if id(n) in needed]
    sources = [n.outputs[0] for n in graph.nodes if n.record in (PLACEHOLDER, CAPTURE, READ_VARIABLE)]
    graph.inputs = sources
    graph.outputs = [tensor]
    return of_array(np.asarray(plan_of(graph)([_present(t, what)._array for t in sources])[0]))


def _present(source: SymbolicTensor, what: str) -> EagerTensor:
    """The value that a source of a graph has while the graph is being built."""
    node, graph = source.op, source.graph
    if node.record is READ_VARIABLE:
        return node.attrs["handle"].tensor
    if node.record is CAPTURE:
        outer = node.attrs.get("value")
        if outer is None:
            outer = next(o for o, inner in graph.captures.values() if inner is source)
            return evaluate(outer, what)
        return outer
    for arg, value in zip(graph.args, graph.given() if graph.given else (), strict=False):
        if arg is source:
            return evaluate(value, what) if isinstance(value, SymbolicTensor) else value
    raise ValueError(
        f"{what} depends on {node.name!r}, an argument of the function being traced, and has no value yet. Compute it from "
        "constants, call the function before you ask for its graph, or make the variable outside of the function."
    )

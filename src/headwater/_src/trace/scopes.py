"""Scopes: names, control dependencies, the way out of a graph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.core.context import ctx
from headwater._src.core.graph import Node
from headwater._src.core.graph import _Source as Source
from headwater._src.engine.tape import outside_graphs


@export("executing_eagerly")
def executing_eagerly() -> bool:
    """True, except while a graph is being built."""
    return ctx.graph is None


@export("init_scope")
@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """Lifts the code of the `with` block out of every graph being built, and hides it from tapes.

    Variables made inside belong to the program rather than to the function that happens to be traced.
    """
    with outside_graphs():
        yield


@export("control_dependencies")
@contextlib.contextmanager
def control_dependencies(control_inputs: Sequence[Any] | None) -> Iterator[None]:
    """What is made inside the `with` block runs after `control_inputs`.

    Programs run in the order in which they are written, in graphs too, so this only notes the dependency on the nodes.
    In eager execution functions among `control_inputs` are called; in a graph they are refused.

    Args:
      control_inputs: tensors, operations and variables; None forgets the dependencies of the scopes around.

    Raises:
      TypeError: in a graph, a callable is given.
    """
    given = list(control_inputs or ())
    if ctx.graph is None:
        for item in given:
            if callable(item) and not hasattr(item, "dtype"):
                item()
    elif any(callable(item) and not hasattr(item, "dtype") for item in given):
        raise TypeError(
            "tf.control_dependencies: call the function first; in a graph only tensors and operations are taken."
        )
    previous = ctx.control_inputs
    ctx.control_inputs = [] if control_inputs is None else [*previous, *given]
    try:
        yield
    finally:
        ctx.control_inputs = previous


_NO_OP = Source("NoOp", single=False)
_NO_OP.numpy = _NO_OP.lower = lambda: ()


@export("no_op")
def no_op(name: str | None = None) -> Any:
    """Does nothing: None in eager execution, a node without outputs in a graph."""
    graph = ctx.graph
    if graph is None:
        return None
    node = Node(graph, _NO_OP, (), {}, graph.unique_name(ctx.name_scope + (name or "NoOp")))
    graph.nodes.append(node)
    return node

"""`tf.gradients`: differentiation of a graph while it is built."""

from __future__ import annotations

from typing import Any

from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.core.context import ctx
from headwater._src.engine.backprop import backpropagate, space
from headwater._src.engine.differentiate import entries_of
from headwater._src.engine.tape import UnconnectedGradients, handle_of, stop_all


@export("gradients")
def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Symbolic derivatives of the sum of `ys` with respect to each of `xs`, inside a graph.

    Args:
      ys: a tensor or list of tensors of the graph being built.
      xs: a tensor or list of tensors.
      grad_ys: gradients to begin with, one for each of ys; ones by default.
      stop_gradients: tensors through which no gradient flows.
      unconnected_gradients: "none" or "zero".

    Raises:
      RuntimeError: no graph is being built; use `tf.GradientTape` in eager code.
    """
    if ctx.graph is None:
        raise RuntimeError("tf.gradients works inside graphs only; in eager code use tf.GradientTape.")
    graph = ctx.graph
    targets = [graph.enter(_here(y)) for y in nest.flatten(ys)]
    given = nest.flatten(xs)
    sources = [graph.enter(_here(x)) for x in given]
    stops = {id(t) for t in nest.flatten(stop_gradients)} if stop_gradients is not None else set()
    entries, live = entries_of(graph, sources, stops)
    upstream = [_here(g) for g in nest.flatten(grad_ys)] if grad_ys is not None else [None] * len(targets)
    seeds = [(y, space().ones_like(y) if g is None else g) for y, g in zip(targets, upstream, strict=True)]
    with stop_all():
        grads = backpropagate(entries, seeds, sources, live=live)
    zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO
    found = [grads.get(id(x)) if id(x) in live else None for x in sources]
    found = [space().zeros_like(x) if g is None and zero else g for x, g in zip(sources, found, strict=True)]
    return [_in_form(x, g) for x, g in zip(given, found, strict=True)]


def _in_form(source: Any, gradient: Any) -> Any:
    """The gradient of a composite value's values as such a value."""
    if gradient is None or getattr(source, "_gradient_values", None) is None:
        return gradient
    return source._map_values(lambda _: gradient)


def _here(value: Any) -> Any:
    values = getattr(value, "_gradient_values", None)
    if values is not None:
        return values
    handle = handle_of(value)
    return handle.read() if handle is not None else value

"""Operations that draw from a stream: eagerly from one that the program keeps, in graphs from a state that is data."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.philox_xla as xla
from headwater._src.core.call import call
from headwater._src.core.context import ctx
from headwater._src.core.memory import guarded
from headwater._src.core.op import HOST_ONLY, NONDIFF, Op, op
from headwater._src.ops import philox
from headwater._src.ops.seeds import StreamHandle, op_seeds, reserve

_WHY = "eager calls draw from a stream that the program keeps; in a graph a record with the stream's state takes its place"


class Stateful:
    """A stateful operation as two records: an eager one that knows its stream, and for graphs one whose stream is data.

    The second takes the stream's state before its other inputs, and gives the state after the draw as its second result.
    It is a function of its inputs, so both executors, loops and branches treat it as any other.

    Args:
      name: TensorFlow's name of the operation, which both records have.
      inputs: the schema's inputs.
      dtype: the schema's dtype of the result.
      draw: `draw(stream, *arrays, **attrs)`, the numbers.
      lowering: the same on JAX arrays, with a stream of `philox_xla`.
      blocks: `blocks(*arrays, **attrs)`, how many blocks of the stream a call takes; it depends on shapes alone.
      shape: the shape rule.
      attrs: the attributes without the seeds.
      host: the attributes that decide shapes.
      check: raises for values that are refused, before the stream moves.
      grad: the gradient, as of any record.
      eager: False where only generators draw so.
    """

    def __init__(
        self, name: str, inputs: str, dtype: str, *, draw: Any, lowering: Any, blocks: Any, shape: Any,
        attrs: dict[str, Any], host: tuple[str, ...], check: Any = None, grad: Any = NONDIFF, eager: bool = True,
    ) -> None:  # fmt: skip
        self.draw, self.lowering, self.blocks, self.check, self.name = draw, lowering, blocks, check, name
        if eager:
            self.eager = op(
                name, f"{inputs} -> ?: {dtype}", numpy=self._run_eager, lower=HOST_ONLY(_WHY), grad=grad, shape=shape,
                attrs={**attrs, "seed": 0, "seed2": 0}, host=host, stateful=True,
                doc=f"Runs {name}: numbers from the stream of the seeds.",
            )  # fmt: skip
        self.traced = Op(
            name, f"state: int64{', ' + inputs if inputs else ''} -> ?: {dtype}; ?: int64", numpy=self._run,
            lower=self._lower, grad=grad and (lambda gs, ys, state, *rest, **a: [None, *grad(gs[0], ys[0], *rest, **a)]),
            shape=lambda state, *rest, **a: (shape(*rest, **a), (3,)), attrs=attrs, host=host, api=(), cases=tuple,
            stateful=False, moves=False, first_decides=False,
        )  # fmt: skip
        self.traced.module = __name__
        if "shape" in host:
            self.traced.numpy = guarded(self.traced, self._run, ["shape"])

    def __call__(self, *inputs: Any, seed: Any = None, name: str | None = None, **attrs: Any) -> Any:
        """Draws; in a graph, from a stream of the operation's own."""
        first, second = op_seeds(seed)
        if ctx.graph is None:
            return self.eager(*inputs, seed=first, seed2=second, **attrs)
        return self.draw_from(StreamHandle(first, second), *inputs, name=name, **attrs)

    def draw_from(self, handle: Any, *inputs: Any, name: str | None = None, **attrs: Any) -> Any:
        """Draws in a graph, from the stream whose state is the value of `handle`, and moves it on."""
        numbers, after = call(
            self.traced, (ctx.graph.read(handle), *inputs), attrs, name or self.name or None
        )
        ctx.graph.write(handle, after)
        return numbers

    def _run_eager(self, *arrays: np.ndarray, seed: int, seed2: int, **attrs: Any) -> np.ndarray:
        if self.check is not None:
            self.check(*arrays, **attrs)
        key = (self.name, arrays[0].dtype if arrays else None, attrs.get("dtype"), seed, seed2)
        return self.draw(reserve(key, seed, seed2, self.blocks(*arrays, **attrs)), *arrays, **attrs)

    def _run(self, state: np.ndarray, *arrays: np.ndarray, **attrs: Any) -> tuple[np.ndarray, np.ndarray]:
        if self.check is not None:
            self.check(*arrays, **attrs)
        stream = philox.stream_of_state(state)
        after = stream.skip(self.blocks(*arrays, **attrs))
        return self.draw(stream, *arrays, **attrs), philox.state_of(after)

    def _lower(self, state: Any, *arrays: Any, **attrs: Any) -> tuple[Any, Any]:
        numbers = self.lowering(xla.stream_of_state(state), *arrays, **attrs)
        return numbers, xla.skipped(state, self.blocks(*arrays, **attrs))

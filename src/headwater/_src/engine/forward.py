"""Forward-mode differentiation: `tf.autodiff.ForwardAccumulator`.

The Jacobian-vector product of a call comes from its gradient: that is linear in the upstream gradient, and the transpose
of a linear map is its own gradient (J. Townsend, "A new trick for calculating Jacobian vector products", 2017). So every
operation with a gradient has a forward rule too.
"""

from __future__ import annotations

from typing import Any

from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.core.call import is_differentiable
from headwater._src.core.context import free_bit
from headwater._src.core.convert import convert
from headwater._src.core.tensor import EagerTensor
from headwater._src.engine.backprop import Entry, results_of, space
from headwater._src.engine.tape import GradientTape, Handle, UnconnectedGradients, _Recorder, handle_of


@export("autodiff.ForwardAccumulator")
class ForwardAccumulator(_Recorder):
    """Computes Jacobian-vector products as operations run.

    Args:
      primals: a tensor or variable, or a nested structure of them.
      tangents: the directions, of the same structure, shapes and dtypes.

    Raises:
      ValueError: a primal is given twice, or a tangent's shape or dtype differs.

    >>> x = tf.constant([2.0, 3.0])
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
    ...     y = x * x
    >>> acc.jvp(y).numpy()
    array([4., 0.], dtype=float32)
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        super().__init__()
        self._tangents: dict[int, tuple[Any, Any]] = {}
        self._entered = False
        self._entries: list[Entry] = []
        self._add(primals, tangents)

    def _add(self, primals: Any, tangents: Any) -> None:
        nest.assert_same_structure(primals, tangents, check_types=False)
        for primal, tangent in zip(nest.flatten(primals), nest.flatten(tangents), strict=True):
            handle = handle_of(primal)
            key = id(handle) if handle is not None else id(primal)
            if key in self._tangents:
                raise ValueError(
                    "ForwardAccumulator: the same tensor or variable is given twice; give each primal once."
                )
            value = handle.present() if handle is not None else primal
            tangent = convert(tangent, value.dtype)
            if tangent.shape != value.shape:
                raise ValueError(
                    f"ForwardAccumulator: a tangent must have its primal's shape; got {tangent.shape} for {value.shape}."
                )
            self._tangents[key] = (handle or primal, tangent)
            if handle is not None:
                self.watch_handle(handle, value)
            else:
                self.watch_tensor(primal)

    def __enter__(self) -> ForwardAccumulator:
        if self._entered:
            raise ValueError(
                "ForwardAccumulator: this accumulator is active already or has been used; make a new one."
            )
        self._entered = True
        self.push()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.pop()

    def __del__(self) -> None:
        if getattr(self, "bit", 0) and free_bit is not None:
            self.clear_bits(self._entries)
            free_bit(self.bit)
            self.bit = 0

    def watch_handle(self, handle: Handle, tensor: Any = None) -> None:
        """Watches a variable; each of its values that is read carries the variable's tangent."""
        super().watch_handle(handle, tensor)
        known = self._tangents.get(id(handle))
        if tensor is not None and known is not None:
            self._tangents[id(tensor)] = (tensor, known[1])

    late = True

    def note(self, entry: Entry) -> ForwardAccumulator:
        """A call ran; `compute` follows when all recorders have noted it."""
        return self

    def compute(self, entry: Entry) -> None:
        """Computes the tangents of a call's results."""
        op, inputs, out, attrs = entry
        outputs = results_of(entry)
        self._entries.append((op, (), out, {}))
        pairs = [(x, self._tangent(x)) for x in inputs]
        if all(t is None for _, t in pairs):
            return
        found = _push_forward(op, inputs, outputs, attrs, [t for _, t in pairs])
        for out, tangent in zip(outputs, found, strict=True):
            if tangent is not None:
                self._tangents[id(out)] = (out, tangent)

    def _tangent(self, tensor: Any) -> Any:
        known = self._tangents.get(id(tensor))
        return known[1] if known is not None else None

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """The tangents of `primals`, in their structure; None or zeros where they don't depend on the inputs."""
        unconnected = UnconnectedGradients(unconnected_gradients)

        def one(primal: Any) -> Any:
            handle = handle_of(primal)
            tangent = self._tangent(handle if handle is not None else primal)
            if tangent is None and unconnected is UnconnectedGradients.ZERO:
                return space().zeros_like(handle.present() if handle is not None else primal)
            return tangent

        return nest.map_structure(one, primals)


def _push_forward(
    op: Any, inputs: Any, outputs: Any, attrs: dict[str, Any], tangents: list[Any]
) -> list[Any]:
    real = [o for o in outputs if is_differentiable(o._spec.dtype)]
    if not real:
        return [None] * len(outputs)
    zeros = space().zeros_like
    upstream = [zeros(o) for o in real]
    needed = [t is not None for t in tangents]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(upstream)
        feed = iter(upstream)
        gs = tuple(next(feed) if is_differentiable(o._spec.dtype) else None for o in outputs)
        pulled = op.backward(gs, outputs, inputs, attrs, needed)
    kept = [(_dense(p), t) for p, t in zip(pulled, tangents, strict=True) if p is not None and t is not None]
    if not kept:
        return [None] * len(outputs)
    found = iter(tape.gradient([p for p, _ in kept], upstream, output_gradients=[t for _, t in kept]))
    return [next(found) if is_differentiable(o._spec.dtype) else None for o in outputs]


def _dense(value: Any) -> Any:
    return value if isinstance(value, EagerTensor) else space().densify(value)

"""Gradients that users write: `tf.custom_gradient`, and recomputation instead of storage."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.core import context
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import add_opaque
from headwater._src.core.op import PlainRecord
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, TensorLike, of_array
from headwater._src.engine.tape import GradientTape, handle_of, stop_all


class CustomOp(PlainRecord):
    """The record of one call whose gradient the user gave.

    In a graph it is a node that takes the arguments and the results, and gives the results: gradients go round the nodes that
    computed them.
    """

    __slots__ = ("name", "grad", "single", "results")

    def __init__(
        self,
        name: str,
        grad: Callable[[Sequence[Any]], Sequence[Any]],
        single: bool = False,
        results: int = 0,
    ) -> None:
        self.name = name
        self.grad = grad
        self.single = single
        self.results = results

    def numpy(self, *values: Any) -> tuple[Any, ...]:
        """The results among the inputs."""
        return values[len(values) - self.results :]

    lower = numpy

    @property
    def title(self) -> str:
        """How messages name it."""
        return self.name

    def backward(
        self,
        grads: Sequence[Any],
        outputs: Sequence[Any],
        inputs: Sequence[Any],
        attrs: dict[str, Any],
        needed: Sequence[bool],
    ) -> Sequence[Any]:
        """The user's gradients for the inputs."""
        return self.grad(grads)


@export("custom_gradient")
def custom_gradient(f: Any = None) -> Any:
    """A decorator for functions that give their own gradient.

    Args:
      f: a function of tensors that returns `(result, grad)`. `grad(*upstream)` gets a gradient for each tensor of the
        result and returns one for each argument of f. If f reads trainable variables, `grad` must take a keyword
        `variables` and return the pair (gradients of the arguments, gradients of the variables).

    Returns:
      A function of the same arguments that returns `result`.

    >>> @tf.custom_gradient
    ... def clipped(x):
    ...     return x * 1.0, lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return _call(f, args, kwargs)

    return wrapper


def _call(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    flat_args = [
        convert(a) if isinstance(a, TensorLike) or _is_arraylike(a) else a for a in nest.flatten(args, True)
    ]
    packed = nest.pack_sequence_as(args, flat_args, True) if args else ()
    watcher = GradientTape(persistent=True)
    with stop_all(), watcher:
        result, grad_fn = f(*packed, **kwargs)
    variables = [handle for handle, _ in watcher.handles.values() if handle.trainable]
    snapshots = [watcher.handles[id(h)][1][0] for h in variables]
    own = {id(handle_of(a)) for a in nest.flatten(args) if handle_of(a) is not None}
    keep = [i for i, h in enumerate(variables) if id(h) not in own]
    variables, snapshots = [variables[i] for i in keep], [snapshots[i] for i in keep]
    del watcher
    flat_result = [_fresh(convert(r)) for r in nest.flatten(result, True)]
    inputs = [a for a in flat_args if isinstance(a, (EagerTensor, SymbolicTensor))]
    if ctx.graph is not None:
        flat_result = _add_node(f, grad_fn, inputs, snapshots, variables, flat_result)
    else:
        _record(f, grad_fn, inputs, snapshots, variables, flat_result)
    return nest.pack_sequence_as(result, flat_result, True)


def _is_arraylike(value: Any) -> bool:
    return hasattr(value, "__array__") or isinstance(value, (int, float, complex))


def _fresh(tensor: Any) -> Any:
    """A tensor object of this call's own, so that recording it as an output can't catch an argument returned as it is."""
    if not isinstance(tensor, EagerTensor):
        return tensor
    return of_array(tensor._array)


def _add_node(
    f: Any, grad_fn: Any, inputs: list[Any], snapshots: list[Any], handles: list[Any], outputs: list[Any]
) -> list[Any]:
    _watch(snapshots, handles)
    given = _adapter(f, grad_fn, len(inputs), handles)

    def gradients(upstream: Sequence[Any]) -> Sequence[Any]:
        return [*given(upstream), *[None] * len(outputs)]

    record = CustomOp(f"CustomGradient_{_name(f)}", gradients, results=len(outputs))
    return list(add_opaque(record, [*inputs, *snapshots, *outputs], [o._spec for o in outputs]))


def _watch(snapshots: list[Any], handles: list[Any]) -> None:
    for snapshot, handle in zip(snapshots, handles, strict=True):
        for recorder in ctx.recorders:
            if recorder.auto_watch and not snapshot._watch & recorder.bit:
                recorder.watch_handle(handle, snapshot)


def _record(
    f: Any, grad_fn: Any, inputs: list[Any], snapshots: list[Any], handles: list[Any], outputs: list[Any]
) -> None:
    if not ctx.recorders:
        return
    _watch(snapshots, handles)
    watched = 0
    for tensor in (*inputs, *snapshots):
        watched |= tensor._watch
    if not watched:
        return
    op = CustomOp(getattr(f, "__name__", "custom_gradient"), _adapter(f, grad_fn, len(inputs), handles))
    bits = context.record(watched, op, (*inputs, *snapshots), tuple(outputs), {})
    for out in outputs:
        out._watch = bits if out.dtype.is_floating or out.dtype.is_complex else 0


def _adapter(
    f: Any, grad_fn: Any, count: int, handles: list[Any]
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    from headwater._src.engine.owners import variable_of

    def gradients(upstream: Sequence[Any]) -> Sequence[Any]:
        if handles:
            return _with_variables(upstream)
        return _checked(_flat(grad_fn(*upstream)))

    def _with_variables(upstream: Sequence[Any]) -> Sequence[Any]:
        parameters = inspect.signature(grad_fn).parameters
        if "variables" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            raise TypeError(
                f"custom_gradient: {_name(f)} reads the variables {[h.name for h in handles]}, so its gradient function must "
                "take a keyword argument `variables` and return (gradients of the arguments, gradients of the variables)."
            )
        given, of_variables = grad_fn(*upstream, variables=[variable_of(h) for h in handles])
        return [*_checked(_flat(given)), *_flat(of_variables)]

    def _checked(found: list[Any]) -> list[Any]:
        if len(found) != count:
            raise ValueError(
                f"custom_gradient: the gradient function of {_name(f)} returned {len(found)} gradients for {count} "
                "arguments; return one for each tensor argument."
            )
        return found

    return gradients


def _name(f: Any) -> str:
    return re.sub(r"\W", "_", getattr(f, "__name__", repr(f)))


def _flat(value: Any) -> list[Any]:
    return list(nest.flatten(value)) if value is not None else [None]


@export("recompute_grad")
def recompute_grad(f: Any) -> Any:
    """`f`, computed a second time for its gradient instead of keeping its intermediate results.

    Args:
      f: a function of tensors (and of variables that it reads).

    Returns:
      A function of the same arguments and results that needs less memory and more time to differentiate.
    """

    @functools.wraps(f)
    def inner(*args: Any, **kwargs: Any) -> Any:
        @custom_gradient
        def remembered(*tensors: Any) -> Any:
            result = f(*tensors, **kwargs)

            def grad(*upstream: Any, variables: Any = ()) -> Any:
                return _recompute(f, tensors, kwargs, upstream, variables)

            return result, grad

        return remembered(*args)

    return inner


def _recompute(f: Any, tensors: Any, kwargs: dict[str, Any], upstream: Sequence[Any], variables: Any) -> Any:
    fresh = nest.map_structure(lambda t: _fresh(t) if isinstance(t, EagerTensor) else t, list(tensors))
    floats = [
        t
        for t in nest.flatten(fresh)
        if isinstance(t, (EagerTensor, SymbolicTensor)) and (t.dtype.is_floating or t.dtype.is_complex)
    ]
    with GradientTape() as tape:
        tape.watch(floats)
        result = f(*fresh, **kwargs)
    found = tape.gradient(result, [floats, list(variables)], output_gradients=list(upstream))
    by_id = {id(t): g for t, g in zip(floats, found[0], strict=True)}
    of_args = [by_id.get(id(t)) for t in nest.flatten(fresh)]
    return (of_args, found[1]) if variables else of_args

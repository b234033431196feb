"""`tf.__internal__` and `tf.compat.v1`, as far as Keras asks for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx
from headwater._src.core.graph import Graph
from headwater._src.core.tensor import EagerTensor, Tensor

# keras/src/backend/tensorflow/core.py: the base of Keras variables, and the graph in which it infers shapes.
export("__internal__.types.Tensor").value("TensorLike", "headwater._src.core.tensor")
export("__internal__.EagerTensor").value("EagerTensor", "headwater._src.core.tensor")
export("__internal__.FuncGraph").value("FuncGraph", "headwater._src.core.graph")
export("__internal__.eager_context.eager_mode").value("init_scope", "headwater._src.trace.scopes")


@export("__internal__.decorator.unwrap")
def unwrap(maybe_tf_decorator: Any) -> tuple[list[Any], Any]:
    """The chain of decorated functions around a function, and the function itself."""
    chain: list[Any] = []
    inspect.unwrap(maybe_tf_decorator, stop=lambda f: chain.append(f) or False)  # type: ignore[func-returns-value]
    target = inspect.unwrap(maybe_tf_decorator)
    return [f for f in chain if f is not target], target


@export("__internal__.smart_cond.smart_cond")
def smart_cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """`tf.cond`, except that a predicate whose value is known calls one of the functions and makes no branch.

    Raises:
      TypeError: one of the functions is not callable.
    """
    if not callable(true_fn) or not callable(false_fn):
        raise TypeError(
            f"smart_cond takes two functions without arguments; got {true_fn!r} and {false_fn!r}."
        )
    known = smart_constant_value(pred)
    if known is not None:
        return true_fn() if known else false_fn()
    import headwater as tf

    return tf.cond(pred, true_fn, false_fn)


@export("__internal__.smart_cond.smart_constant_value")
def smart_constant_value(pred: Any) -> bool | None:
    """The truth of `pred` where it is known now, else None."""
    if isinstance(pred, EagerTensor) or not isinstance(pred, Tensor):
        return bool(pred)
    known = getattr(pred, "known", None)
    return None if known is None else bool(known[()])


@export("__internal__.tf2.enabled")
def tf2_enabled() -> bool:
    """True: headwater knows nothing but TensorFlow 2."""
    return True


# -- tf.compat.v1 -----------------------------------------------------------------------------------------------------


def _graph(what: str) -> Graph:
    if ctx.graph is None:
        raise RuntimeError(
            f"{what} is not compatible with eager execution: it needs a graph being built around it."
        )
    return ctx.graph


@export("compat.v1.placeholder")
def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor of the graph being built that stands for a value to come.

    Raises:
      RuntimeError: no graph is being built.
    """
    return _graph("tf.compat.v1.placeholder").placeholder(shape, dtype, name)


@export("compat.v1.sparse_placeholder")
def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor of the graph being built that stands for a value to come.

    Raises:
      RuntimeError: no graph is being built.
    """
    graph = _graph("tf.compat.v1.sparse_placeholder")
    static = TensorShape(shape)
    prefix = name or "SparsePlaceholder"
    dense_shape = graph.placeholder([static.rank], "int64", prefix + "/shape")
    if static.rank is not None:
        dense_shape.known = np.array(static.as_list(), object)
    return SparseTensor(
        graph.placeholder([None, static.rank], "int64", prefix + "/indices"),
        graph.placeholder([None], dtype, prefix + "/values"),
        dense_shape,
    )


@export("compat.v1.reset_default_graph")
def reset_default_graph() -> None:
    """Returns at once: outside of functions there is no graph that could be reset."""


@export("compat.v1.executing_eagerly_outside_functions")
def executing_eagerly_outside_functions() -> bool:
    """True."""
    return True


@export("compat.v1.enable_eager_execution", "compat.v1.enable_v2_behavior")
def enable_eager_execution(*args: Any, **kwargs: Any) -> None:
    """Returns at once: eager execution is always on."""


@export("compat.v1.disable_eager_execution", "compat.v1.disable_v2_behavior")
def disable_eager_execution() -> None:
    """Raises NotImplementedError: headwater knows nothing but TensorFlow 2."""
    raise NotImplementedError("headwater implements TensorFlow 2 only; eager execution can't be turned off.")


@export("compat.v1.Dimension")
class Dimension:
    """One dimension of a shape in TensorFlow 1, which Keras compares types with.

    Args:
      value: the size, or None.
    """

    def __init__(self, value: int | None) -> None:
        self.value = value

    def __int__(self) -> int:
        if self.value is None:
            raise TypeError("The dimension is unknown.")
        return self.value

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return self.value == getattr(other, "value", other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"Dimension({self.value})"


# -- tf.__internal__.autograph ----------------------------------------------------------------------------------------

for _name, _module, _attribute in (
    ("tf_convert", "convert", "tf_convert"),
    ("control_status_ctx", "status", "control_status_ctx"),
):
    export(f"__internal__.autograph.{_name}").value(_attribute, f"headwater._src.trace.autograph.{_module}")

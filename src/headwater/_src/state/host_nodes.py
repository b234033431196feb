"""Nodes for objects of the host that keep state, such as queues and tables: they run in program order on the NumPy plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.core.context import ctx
from headwater._src.core.graph import add_opaque
from headwater._src.core.op import HOST_ONLY, PlainRecord
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, of_array


class Held:
    """An object as an attribute of a node."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


class ObjectRecord(PlainRecord):
    """The record of nodes that call `kernel(owner, *arrays) -> tuple of arrays`."""

    single = False
    title = "tf.queue and tf.lookup"
    lower = HOST_ONLY("queues and tables are the host's")

    def __init__(self, name: str, kernel: Callable[..., Any], stateful: bool = True) -> None:
        self.name = name
        self.stateful = stateful
        self.numpy = lambda *arrays, owner: kernel(owner.value, *map(np.asarray, arrays))
        self.kernel = kernel

    def __call__(self, owner: Any, inputs: Sequence[Any], specs: Sequence[Spec]) -> tuple[Any, ...]:
        """The results, at once or as outputs of a new node with these specs."""
        if ctx.graph is None and not any(isinstance(t, SymbolicTensor) for t in inputs):
            return tuple([of_array(a) for a in self.kernel(owner, *[t._array for t in inputs])])
        return add_opaque(self, inputs, specs, {"owner": Held(owner)})


def held(value: Any) -> np.ndarray:
    """An object as an array without dimensions, which tensors can carry."""
    array = np.empty((), object)
    array[()] = value
    return array


def resource_of(owner: Any) -> EagerTensor:
    """A variant scalar that holds the object."""
    return of_array(held(owner))

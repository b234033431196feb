"""Operations on strings and files, which only the host can do: eagerly at once, in graphs as nodes of the NumPy plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import invalid
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import add_opaque
from headwater._src.core.op import HOST_ONLY, PlainRecord
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, of_array
from headwater._src.state.host_nodes import Held

STRING = np.dtype(object)


class HostRecord(PlainRecord):
    """The record of nodes that handle strings, files and Python objects, which only the NumPy plan can do."""

    title = "tf.io and tf.data"
    lower = HOST_ONLY("strings, files and data sets are the host's")

    def __init__(self, name: str, single: bool, numpy: Any, stateful: bool = False) -> None:
        self.name = name
        self.single = single
        self.numpy = numpy
        self.stateful = stateful


class HostOp:
    """An operation `kernel(*arrays, how) -> tuple of arrays`, where `how` is what is not a tensor."""

    def __init__(self, name: str, kernel: Callable[..., Any], stateful: bool = False) -> None:
        self.kernel = kernel
        self.record: Any = HostRecord(
            name, False, lambda *arrays, how: kernel(*map(np.asarray, arrays), how.value), stateful
        )

    def __call__(
        self, inputs: Sequence[Any], how: Any, specs: Sequence[Spec], name: str | None = None
    ) -> tuple[Any, ...]:
        """The results as tensors; `specs` are theirs in graphs."""
        if ctx.graph is None and not any(isinstance(t, SymbolicTensor) for t in inputs):
            return tuple([of_array(a) for a in self.kernel(*[t._array for t in inputs], how)])
        return add_opaque(self.record, inputs, specs, {"how": Held(how)}, name or "")


def strings(value: Any, what: str, rank: int | None = None) -> Any:
    """`value` as a string tensor, of the given rank."""
    tensor = convert(value)
    if tensor.dtype.name != "string":
        raise invalid(f"{what} takes strings; got {describe(tensor)}.")
    if rank is not None and tensor.shape.rank not in (rank, None):
        raise invalid(f"{what} takes a string tensor of rank {rank}; got shape {tensor.shape}.")
    return tensor


def mapped(array: np.ndarray, function: Callable[[Any], Any], dtype: Any = STRING) -> np.ndarray:
    """`function` of each element of an array of strings."""
    out = np.empty(array.shape, dtype)
    flat, source = out.reshape(-1), array.reshape(-1)
    for i in range(flat.size):
        flat[i] = function(source[i])
    return out

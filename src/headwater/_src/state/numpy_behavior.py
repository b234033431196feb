"""`tf.experimental.numpy.experimental_enable_numpy_behavior`: NumPy's methods, indexing and promotion on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.numpy_dtypes as numpy_dtypes
import headwater._src.ops.numpy_math as numpy_math
import headwater._src.ops.numpy_reduce as numpy_reduce
import headwater._src.ops.numpy_shape as numpy_shape
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.composite import Composite
from headwater._src.core.tensor import EagerTensor, Tensor, install
from headwater._src.ops.cast import cast
from headwater._src.ops.numpy_index import numpy_getitem
from headwater._src.ops.numpy_products import matmul
from headwater._src.ops.operators import METHODS
from headwater._src.state.variable import install_operators

# -- methods ----------------------------------------------------------------------------------------------------------


def _size(self: Tensor) -> Any:
    """The number of elements; None if the graph doesn't know it."""
    return np.prod(self.shape.as_list(), dtype=int) if self.shape.is_fully_defined() else None


def _tolist(self: Tensor) -> Any:
    """The values as nested lists; ValueError in a graph."""
    if not isinstance(self, EagerTensor):
        raise ValueError(f"A tensor of a graph has no values that tolist could give; got {describe(self)}.")
    return self._numpy().tolist()


def _reshape(self: Tensor, *newshape: Any, **kwargs: Any) -> Tensor:
    """The values in another shape, given as integers or as one list; `order` is "C" or "F"."""
    order = kwargs.pop("order", "C")
    if kwargs:
        raise ValueError(f"reshape takes the shape and order; got {', '.join(kwargs)} too.")
    dims = newshape[0] if len(newshape) == 1 and not isinstance(newshape[0], int) else newshape
    return numpy_shape.reshape(self, dims, order)


_ADDED: dict[str, Any] = {
    "T": property(lambda self: numpy_shape.transpose(self)),
    "data": property(lambda self: self),
    "size": property(_size),
    "tolist": _tolist,
    "__pos__": lambda self: self,
    "__round__": numpy_math.around,
    "astype": cast,
    "clip": numpy_math.clip,
    "flatten": numpy_shape.flatten,
    "max": numpy_reduce.amax,
    "mean": numpy_reduce.mean,
    "min": numpy_reduce.amin,
    "ravel": numpy_shape.ravel,
    "reshape": _reshape,
    "transpose": numpy_shape.transpose,
    "__getitem__": numpy_getitem,
}

# -- operators that promote -------------------------------------------------------------------------------------------

_MIRRORED = {f"__r{name[2:]}": name for name in METHODS if f"__r{name[2:]}" in METHODS}
_NUMPYS = {"__matmul__": matmul, "__mul__": numpy_math.multiply}
"""Where NumPy's function does more than the operator: vectors and booleans."""
_UNARY = ("__neg__", "__abs__", "__invert__", "__getitem__")


def _promotes(self: Tensor, other: Any) -> bool:
    """Whether the other operand is something that NumPy's promotion knows, and not a value with operators of its own."""
    if self.dtype is dtypes.string or other is None or isinstance(other, Composite):
        return False
    return isinstance(other, (Tensor, np.ndarray, np.generic, int, float, complex, list, tuple)) or hasattr(
        other.__class__, "__tf_tensor__"
    )


def _promoting(forward: str, plain: Callable[[Any, Any], Any], mirrored: bool) -> Any:
    """The operator that promotes first, then does what the operator `forward` does; `plain` is what it replaces."""
    same = forward not in _NUMPYS
    combine = METHODS[forward] if same else _NUMPYS[forward]

    def operator(self: Any, other: Any) -> Any:
        if same and other.__class__ is self.__class__ and other._np_dtype is self._np_dtype:
            return plain(self, other)
        if not _promotes(self, other):
            return plain(self, other)
        return combine(*numpy_dtypes.promoted(*((other, self) if mirrored else (self, other))))

    return operator


def _promoting_operators() -> dict[str, Any]:
    return {
        name: _promoting(_MIRRORED.get(name, name), plain, name in _MIRRORED)
        for name, plain in METHODS.items()
        if name not in _UNARY
    }


# -- the switch -------------------------------------------------------------------------------------------------------

_before: dict[str, Any] = {}
"""What `Tensor` had under the names of `_ADDED` before it was enabled; empty while it is not."""


@export("experimental.numpy.experimental_enable_numpy_behavior")
def experimental_enable_numpy_behavior(
    prefer_float32: bool = False, dtype_conversion_mode: str = "legacy"
) -> None:
    """Gives all tensors NumPy's methods and indexing, and lets operators promote dtypes; to be called once, at the start.

    Tensors get `T`, `astype`, `clip`, `data`, `flatten`, `max`, `mean`, `min`, `ravel`, `reshape`, `size`, `tolist` and
    `transpose`; arrays of integers among the indices pick several entries.

    Args:
      prefer_float32: whether Python's floats count as float32 rather than float64.
      dtype_conversion_mode: "legacy", operators on tensors and variables promote as NumPy does, so that
        `tf.constant(1) + tf.constant(2.0)` is of float64; or "off", they don't.

    Raises:
      ValueError: another mode.
      NotImplementedError: the modes "safe" and "all".

    Functions such as `tf.add` don't promote in either mode; those of `tf.experimental.numpy` do in both.
    """
    if dtype_conversion_mode in ("safe", "all"):
        raise NotImplementedError(
            f"The dtype conversion mode {dtype_conversion_mode!r} needs tensors of weak dtypes, which are not there; "
            "use 'legacy' or 'off'."
        )
    if dtype_conversion_mode not in ("legacy", "off"):
        raise ValueError(
            f"dtype_conversion_mode must be 'off', 'legacy', 'safe' or 'all'; got {dtype_conversion_mode!r}."
        )
    if not _before:
        _before.update((name, Tensor.__dict__.get(name)) for name in _ADDED)
    install(**_ADDED)
    _use(_promoting_operators() if dtype_conversion_mode == "legacy" else METHODS)
    numpy_dtypes.prefer_float32(prefer_float32)


def disable_numpy_behavior() -> None:
    """Undoes `experimental_enable_numpy_behavior`, for tests."""
    for name, method in _before.items():
        if method is None:
            delattr(Tensor, name)
        else:
            setattr(Tensor, name, method)
    _before.clear()
    _use(METHODS)
    numpy_dtypes.prefer_float32(False)


def _use(operators: dict[str, Any]) -> None:
    binary = {name: method for name, method in operators.items() if name not in _UNARY}
    install(**binary)
    install_operators(binary)

"""Python's operators on tensors: which operation each one is, and what happens with strangers on the other side."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.index as index
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
from headwater._src.core.call import make_operator
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert
from headwater._src.core.tensor import Tensor, install


def _pair(operation: Any) -> tuple[Any, Any]:
    """An operator and its mirror image from a function of two tensors."""

    def operator(self: Any, other: Any) -> Any:
        try:
            return operation(self, other)
        except (TypeError, ValueError):
            if _answers(other, self):
                return NotImplemented
            raise

    def mirrored(self: Any, other: Any) -> Any:
        return operation(convert(other, self.dtype), self)

    return operator, mirrored


def _answers(other: Any, tensor: Any) -> bool:
    """Whether a stranger (a Keras symbolic tensor, say) has operators of its own, so that Python should ask it."""
    kind = type(other)
    return (
        kind.__module__ != "builtins"
        and not isinstance(other, (Tensor, np.ndarray, np.generic))
        and hasattr(kind, "__radd__")
    )


def _multiplies(other: Any, tensor: Any) -> bool:
    """The same for `*`, which sparse tensors know too."""
    return isinstance(other, SparseTensor) or _answers(other, tensor)


def _named(name: str, operation: Any) -> dict[str, Any]:
    entry = getattr(operation, "op", None)
    answers = _multiplies if name == "mul" else _answers
    operator, mirrored = make_operator(entry, answers, name) if entry is not None else _pair(operation)
    return {f"__{name}__": operator, f"__r{name}__": mirrored}


METHODS: dict[str, Any] = {
    **_named("add", math.add),
    **_named("sub", math.subtract),
    **_named("mul", math.multiply),
    **_named("truediv", math.truediv),
    **_named("floordiv", math.floordiv),
    **_named("mod", math.floormod),
    **_named("pow", math.pow_op),
    **_named("matmul", linalg.matmul),
    **_named("and", compare.and_),
    **_named("or", compare.or_),
    **_named("xor", compare.xor_),
    "__lt__": _named("lt", compare.less)["__lt__"],
    "__le__": _named("le", compare.less_equal)["__le__"],
    "__gt__": _named("gt", compare.greater)["__gt__"],
    "__ge__": _named("ge", compare.greater_equal)["__ge__"],
    "__eq__": compare.tensor_equal,
    "__ne__": compare.tensor_not_equal,
    "__neg__": lambda self: math.negative(self),
    "__abs__": lambda self: math.abs_(self),
    "__invert__": compare.invert_,
    "__getitem__": index.tensor_getitem,
}

install(**METHODS)

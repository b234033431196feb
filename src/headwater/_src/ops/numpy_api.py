"""The parts of `tf.experimental.numpy` that Keras uses: NumPy's promotion of dtypes instead of TensorFlow's strictness."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.cast as ops_cast
import headwater._src.ops.compare as compare
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor, TensorLike


@export("experimental.numpy.finfo")
def finfo(dtype: Any) -> np.finfo:
    """The limits of a floating point dtype, as NumPy describes them.

    Args:
      dtype: float16, float32, float64, complex64 or complex128 as a dtype or its name; float64 if it is None.

    Raises:
      ValueError: the dtype is not one of those.
    """
    found = np.dtype(np.float64) if dtype is None else as_dtype(dtype).np
    if found.kind not in "fc":
        raise ValueError(
            f"tf.experimental.numpy.finfo: float16, float32, float64 or a complex dtype is needed; got {found.name}."
        )
    return np.finfo(found)


def _for_promotion(value: Any) -> Any:
    """What NumPy's promotion looks at: the dtype of a tensor or array; Python numbers as they are, which give way."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    dtype = getattr(value, "dtype", None)
    return np.asarray(value).dtype if dtype is None else as_dtype(dtype).np


@export("experimental.numpy.select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """Elements of the first choice whose condition holds, of `default` where none does.

    Args:
      condlist: list of conditions, bool or numeric; numbers hold where they aren't zero.
      choicelist: list of as many values. Shapes of conditions, choices and default broadcast.
      default: a value that fits them.

    Returns:
      A tensor of the broadcast shape; its dtype is what NumPy promotes the choices and the default to.

    Raises:
      ValueError: the lists are empty or differ in length.

    >>> tf.experimental.numpy.select([[True, False, False], [True, True, False]], [[1, 2, 3], [10, 20, 30]], 9).numpy()
    array([ 1, 20,  9])
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"tf.experimental.numpy.select: as many choices as conditions are needed; got {len(condlist)} conditions "
            f"{describe(condlist)} and {len(choicelist)} choices {describe(choicelist)}."
        )
    if not len(condlist):
        raise ValueError(
            "tf.experimental.numpy.select: give at least one condition and its choice; got empty lists."
        )
    dtype = as_dtype(np.result_type(*map(_for_promotion, (*choicelist, default))))
    result = _as(default, dtype)
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        result = compare.select(_as_bool(condition), _as(choice, dtype), result)
    return result


def _as(value: Any, dtype: Any) -> Tensor:
    return ops_cast.cast(value if isinstance(value, TensorLike) else np.asarray(value), dtype)


def _as_bool(condition: Any) -> Tensor:
    tensor = convert(condition)
    return tensor if tensor.dtype.is_bool else compare.not_equal(tensor, 0)


def _select_cases() -> list[Any]:
    low, high = [True, False, False], [True, True, False]
    x = Tensor_(Arr((3,), "float32"))
    return [
        case([low, high], [[1, 2, 3], [10, 20, 30]], 9),
        case([low, high], [x, Tensor_(Arr((3,), "float64"))], id="promotes"),
        case([low], [Tensor_(Arr((3,), "int32"))], 0.5, id="scalar-float"),
        case([low], [Tensor_(Arr((3,), "uint8", 0, 9))], 1, id="scalar-int"),
        case([[[True], [False]]], [x], 1.0, id="broadcasts"),
        case([[0, 2, 0]], [x], id="numeric-condition"),
        bad([low], [x, x], error="ValueError", id="lengths"),
        bad([], [], error="ValueError", id="empty"),
    ]


sampled("experimental.numpy.select", _select_cases)

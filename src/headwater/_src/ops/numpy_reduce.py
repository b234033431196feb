"""Reductions, statistics, searching and sorting of `tf.experimental.numpy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.einsum as einsum
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.numpy_math as numpy_math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.scans as scans
import headwater._src.ops.sort as sorting
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.dtypes import DType, as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.numpy_dtypes import FLOAT, PREFIX, floating, given, is_inexact, result_type, to_tensor

_ARGUMENTS = (
    "    Args:\n      a: a tensor, array, number or nested lists.\n"
    "      axis: the dimensions to reduce: an integer, several, or None for all.\n"
)


def _wide(dtype: DType) -> DType:
    """The dtype that sums of integers and booleans have: int64, uint64 for unsigned ones."""
    if not (dtype.is_integer or dtype.is_bool):
        return dtype
    return as_dtype(np.uint64 if dtype.is_unsigned and dtype.size < 8 else dtype.np if dtype.size >= 8 else np.int64)


def _total(name: str, operation: Any, of_bools: Any, what: str) -> Any:
    """A sum or product, of wide integers."""

    def function(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
        tensor = to_tensor(a, given(dtype))
        if dtype and tensor.dtype.is_bool:
            return of_bools(tensor, axis=axis, keepdims=bool(keepdims))
        return operation(cast(tensor, tensor.dtype if dtype else _wide(tensor.dtype)), axis=axis, keepdims=bool(keepdims))

    doc = (
        f"{what} along `axis`.\n\n{_ARGUMENTS}"
        "      dtype: what the values are cast to first; by default small integers and booleans become int64 or uint64.\n"
        "      keepdims: whether the reduced dimensions stay, with size 1.\n    "
    )
    return public(function, __name__, name + "_", name, doc)


from headwater._src.ops.numpy_dtypes import public  # noqa: E402

sum_ = _total("sum", reduce.reduce_sum, reduce.reduce_any, "The sum")
prod_ = _total("prod", reduce.reduce_prod, reduce.reduce_all, "The product")

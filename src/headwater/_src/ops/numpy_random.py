"""`tf.experimental.numpy.random`: NumPy's names for the library's random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.layout as layout
import headwater._src.ops.random as random_ops
import headwater._src.ops.random_dist as random_dist
import headwater._src.ops.seeds as seeds
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.tensor import Tensor
from headwater._src.ops.numpy_dtypes import FLOAT, PREFIX, result_type, to_tensor


def _dims(size: Any) -> Any:
    """The argument `size` as a shape."""
    return () if size is None else (size,) if np.isscalar(size) else size


@export(PREFIX + "random.seed")
def seed(s: Any) -> None:
    """Sets the global seed, as `tf.random.set_seed`; ValueError for what is no number."""
    try:
        number = int(s)
    except TypeError:
        raise ValueError(f"tf.experimental.numpy.random.seed takes an integer; got {describe(s)}.") from None
    seeds.set_seed(number)


@export(PREFIX + "random.standard_normal")
def standard_normal(size: Any = None) -> Tensor:
    """Normal numbers of mean 0 and deviation 1, float64, in the shape `size`; one number by default."""
    return random_ops.normal(_dims(size), dtype=FLOAT)


@export(PREFIX + "random.randn")
def randn(*args: Any) -> Tensor:
    """`standard_normal` with the sizes as arguments."""
    return standard_normal(args)


@export(PREFIX + "random.uniform")
def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Tensor:
    """Uniform numbers from `low` up to but without `high`, float64, in the shape `size` or that of the bounds."""
    low, high = to_tensor(low, FLOAT), to_tensor(high, FLOAT)
    if size is None:
        size = layout.broadcast_dynamic_shape(layout.shape(low), layout.shape(high))
    return random_ops.uniform(_dims(size), low, high, dtype=FLOAT)


@export(PREFIX + "random.random")
def random(size: Any = None) -> Tensor:
    """Uniform numbers from 0 up to but without 1, float64, in the shape `size`; one number by default."""
    return uniform(0.0, 1.0, size)


@export(PREFIX + "random.rand")
def rand(*size: Any) -> Tensor:
    """`random` with the sizes as arguments."""
    return uniform(0.0, 1.0, size)


@export(PREFIX + "random.poisson")
def poisson(lam: Any = 1.0, size: Any = None) -> Tensor:
    """Numbers of events where `lam` are expected, int64, in the shape `size` followed by that of `lam`."""
    return random_dist.poisson(_dims(size), lam, dtype=dtypes.int64)


@export(PREFIX + "random.randint")
def randint(low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64) -> Tensor:
    """Uniform integers from `low` up to but without `high`.

    Args:
      low: the smallest; if `high` is None, the bound above, from 0.
      high: the bound above.
      size: the shape; one number by default.
      dtype: int32 or int64.

    Raises:
      ValueError: another dtype.
    """
    wanted = result_type(dtype)
    if wanted not in (dtypes.int32, dtypes.int64):
        raise ValueError(
            f"tf.experimental.numpy.random.randint: dtype must be int32 or int64; got {wanted.name}."
        )
    low, high = (0, int(low)) if high is None else (int(low), high)
    return random_ops.uniform(_dims(size), low, high, dtype=wanted)

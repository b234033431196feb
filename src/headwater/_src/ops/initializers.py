"""Initializers under TensorFlow's own names: objects that make a tensor of a shape and dtype. Keras has its own, and more."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.random as random
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.exporting import export
from headwater._src.core.tensor import Tensor


class _Initializer:
    """What initializers share: their configuration, and its round trip."""

    _keys: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {key: getattr(self, key) for key in self._keys}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An initializer with that configuration."""
        return cls(**{k: v for k, v in config.items() if k != "dtype"})

    def _settle(self, dtype: Any, kwargs: dict[str, Any], floats: bool) -> Any:
        name = type(self).__name__
        unknown = set(kwargs) - {"partition_shape", "partition_offset", "layout"}
        if unknown:
            raise TypeError(f"tf.{name}: unknown keyword arguments {sorted(unknown)}.")
        found = as_dtype(dtype)
        if floats and not found.is_floating or not floats and found is dtypes.string:
            kind = "a floating dtype" if floats else "a numeric dtype or bool"
            raise ValueError(f"tf.{name} takes {kind}; got {found.name}.")
        return found


@export("zeros_initializer")
class zeros_initializer(_Initializer):  # noqa: N801 - TensorFlow's name
    """Makes tensors of zeros.

    >>> tf.zeros_initializer()([2]).numpy()
    array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of zeros; ValueError for strings."""
        return create.zeros(shape, self._settle(dtype, kwargs, False))


@export("ones_initializer")
class ones_initializer(_Initializer):  # noqa: N801 - as above
    """Makes tensors of ones."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of ones; ValueError for strings."""
        return create.ones(shape, self._settle(dtype, kwargs, False))


@export("constant_initializer")
class constant_initializer(_Initializer):  # noqa: N801 - as above
    """Makes tensors of given values.

    Args:
      value: a number, or a list or array with as many elements as the tensors will have.
      support_partition: without effect.
    """

    _keys = ("value",)

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"tf.constant_initializer: value must be a number, list, tuple or array; got {type(value).__name__}."
            )
        self.value = value
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        """A tensor of the values; TypeError where their number does not fit the shape."""
        found = None if dtype is None else self._settle(dtype, kwargs, False)
        return create.constant(self.value, found, shape)


@export("random_uniform_initializer")
class random_uniform_initializer(_Initializer):  # noqa: N801 - as above
    """Makes tensors of numbers uniform between minval and maxval.

    Args:
      minval: the least.
      maxval: the bound above.
      seed: an integer, for the same numbers in every call.
    """

    _keys = ("minval", "maxval", "seed")

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of floats or integers; ValueError for other dtypes."""
        found = as_dtype(dtype)
        self._settle(found, kwargs, not found.is_integer)
        if self.seed is None:
            return random.uniform(shape, self.minval, self.maxval, found)
        return random.stateless_uniform(shape, [self.seed, 0], self.minval, self.maxval, found)


@export("random_normal_initializer")
class random_normal_initializer(_Initializer):  # noqa: N801 - as above
    """Makes tensors of normally distributed floats.

    Args:
      mean: the mean.
      stddev: the standard deviation.
      seed: an integer, for the same numbers in every call.
    """

    _keys = ("mean", "stddev", "seed")

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of floats; ValueError for other dtypes."""
        found = self._settle(dtype, kwargs, True)
        if self.seed is None:
            return random.normal(shape, self.mean, self.stddev, found)
        return random.stateless_normal(shape, [self.seed, 0], self.mean, self.stddev, found)

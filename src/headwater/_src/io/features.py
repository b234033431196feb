"""How features are described to `tf.io.parse_example` and its relatives."""

from __future__ import annotations

from typing import Any, NamedTuple

from headwater._src.base import dtypes
from headwater._src.base.exporting import export


@export("io.FixedLenFeature")
class FixedLenFeature(NamedTuple):
    """A dense feature of one shape: shape, dtype, and the value of records that leave it out (without one they are errors)."""

    shape: Any
    dtype: Any
    default_value: Any = None


@export("io.VarLenFeature")
class VarLenFeature(NamedTuple):
    """A feature of any number of values, parsed to a sparse tensor."""

    dtype: Any


@export("io.FixedLenSequenceFeature")
class FixedLenSequenceFeature(NamedTuple):
    """A feature of any number of rows of one shape, parsed to a dense tensor that is filled up to the longest."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


@export("io.SparseFeature")
class SparseFeature(NamedTuple):
    """A sparse tensor from a feature of values and one (or several) of indices; `size` is its shape."""

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


KINDS = {dtypes.int64: 3, dtypes.float32: 2, dtypes.string: 1}
"""The list of a feature message that holds values of a dtype."""


def checked(features: Any, what: str, allowed: tuple[type, ...]) -> dict[str, Any]:
    """The description with dtypes as `tf.DType`.

    Raises:
      ValueError: it is empty, or a dtype is none of int64, float32 and string.
      TypeError: it holds something else than descriptions.
    """
    if not features:
        raise ValueError(f"{what}: features must name at least one feature; got {features!r}.")
    found: dict[str, Any] = {}
    for key in sorted(features):
        feature: Any = features[key]
        if not any(isinstance(feature, kind) for kind in allowed):
            kind = type(feature).__name__
            if kind == "RaggedFeature":
                raise NotImplementedError(f"{what}: ragged features are not in this version of headwater.")
            raise ValueError(
                f"{what}: {key!r} is described by {feature!r}; one of {[a.__name__ for a in allowed]} is needed."
            )
        if feature.dtype is None:
            raise ValueError(f"{what}: {key!r} has no dtype.")
        dtype = dtypes.as_dtype(feature.dtype)
        if dtype not in KINDS:
            raise TypeError(f"{what}: features are int64, float32 or string; {key!r} is {dtype.name}.")
        found[key] = feature._replace(dtype=dtype)
    # Sparse ones come first, as in TensorFlow.
    return dict(
        sorted(found.items(), key=lambda item: not isinstance(item[1], (VarLenFeature, SparseFeature)))
    )

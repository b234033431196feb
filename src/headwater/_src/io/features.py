"""How features are described to `tf.io.parse_example` and its relatives."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
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


class RowSplits(NamedTuple):
    """Divides values into rows at the places that the feature `key` gives: the first is 0, the last the number of values."""

    key: str


class RowLengths(NamedTuple):
    """Divides values into rows of the lengths that the feature `key` gives."""

    key: str


class RowStarts(NamedTuple):
    """Divides values into rows that begin where the feature `key` says."""

    key: str


class RowLimits(NamedTuple):
    """Divides values into rows that end where the feature `key` says."""

    key: str


class ValueRowIds(NamedTuple):
    """Divides values into rows by the number of its row for each value, in the feature `key`."""

    key: str


class UniformRowLength(NamedTuple):
    """Divides values into rows of one length."""

    length: Any


_PARTITIONS = (RowSplits, RowLengths, RowStarts, RowLimits, ValueRowIds, UniformRowLength)


class _RaggedFields(NamedTuple):
    dtype: Any
    value_key: Any
    partitions: Any
    row_splits_dtype: Any
    validate: Any


@export("io.RaggedFeature")
class RaggedFeature(_RaggedFields):
    """A feature of any number of values, parsed to a ragged tensor.

    Args:
      dtype: int64, float32 or string.
      value_key: the feature's name in the record; by default that of this description.
      partitions: divides the values of a record further, the outermost first: RaggedFeature.RowSplits("splits"), RowLengths,
        RowStarts, RowLimits, ValueRowIds, which name features, or UniformRowLength(2).
      row_splits_dtype: int32 or int64.
      validate: accepted; partitions are always checked.

    Raises:
      TypeError: partitions are no list or tuple, or hold something else than partitions.
      ValueError: the dtype of splits is neither int32 nor int64.
    """

    RowSplits: ClassVar[Any] = RowSplits
    RowLengths: ClassVar[Any] = RowLengths
    RowStarts: ClassVar[Any] = RowStarts
    RowLimits: ClassVar[Any] = RowLimits
    ValueRowIds: ClassVar[Any] = ValueRowIds
    UniformRowLength: ClassVar[Any] = UniformRowLength

    def __new__(
        cls, dtype: Any, value_key: Any = None, partitions: Any = (), row_splits_dtype: Any = dtypes.int32,
        validate: Any = False,
    ) -> RaggedFeature:  # fmt: skip
        what = "tf.io.RaggedFeature"
        splits = dtypes.as_dtype(row_splits_dtype)
        if splits not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"{what}: row_splits_dtype must be int32 or int64; got {splits.name}.")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"{what}: partitions must be a list or tuple; got {partitions!r}.")
        found = []
        for part in partitions:
            if isinstance(part, int) and not isinstance(part, bool):
                part = UniformRowLength(part)
            if not isinstance(part, _PARTITIONS):
                raise TypeError(
                    f"{what}: partitions are such as RaggedFeature.RowLengths('lengths'); got {part!r}."
                )
            if isinstance(part, UniformRowLength) and int(part.length) < 0:
                raise invalid(f"{what}: a uniform row length can't be negative; got {part.length}.")
            found.append(part)
        return super().__new__(cls, dtypes.as_dtype(dtype), value_key, tuple(found), splits, bool(validate))


KINDS = {dtypes.int64: 3, dtypes.float32: 2, dtypes.string: 1}
"""The list of a feature message that holds values of a dtype."""
_ORDER = {
    VarLenFeature: 0,
    SparseFeature: 0,
    FixedLenFeature: 1,
    FixedLenSequenceFeature: 1,
    RaggedFeature: 2,
}
"""Sparse ones come first and ragged ones last, as in TensorFlow."""


def checked(features: Any, what: str, allowed: tuple[Any, ...]) -> dict[str, Any]:
    """The description with dtypes as `tf.DType`.

    Raises:
      ValueError: it is empty, holds something else than descriptions, or a dtype is none of int64, float32 and string.
    """
    if not features:
        raise ValueError(f"{what}: features must name at least one feature; got {features!r}.")
    found: dict[str, Any] = {}
    for key in sorted(features):
        feature: Any = features[key]
        if not isinstance(feature, allowed):
            raise ValueError(
                f"{what}: {key!r} is described by {feature!r}; one of {[a.__name__ for a in allowed]} is needed."
            )
        if feature.dtype is None:
            raise ValueError(f"{what}: {key!r} has no dtype.")
        dtype = dtypes.as_dtype(feature.dtype)
        if dtype not in KINDS:
            error = ValueError if isinstance(feature, RaggedFeature) else TypeError
            raise error(f"{what}: features are int64, float32 or string; {key!r} is {dtype.name}.")
        found[key] = feature._replace(dtype=dtype)
    return dict(sorted(found.items(), key=lambda item: _ORDER[type(item[1])]))

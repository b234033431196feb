"""Lookup tables from data sets."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.data.nodes as nodes
from headwater._src.base.dtypes import as_dtype, string
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec
from headwater._src.data.dataset import DatasetV2
from headwater._src.state.lookup import StaticHashTable, StaticVocabularyTable
from headwater._src.state.lookup_files import KeyValueTensorInitializer


def _column(values: list[Any], spec: TensorSpec) -> Any:
    out = np.empty(len(values), spec.dtype.np)
    out[:] = [v._array[()] for v in values]
    return convert(out)


@export("data.experimental.DatasetInitializer")
class DatasetInitializer(KeyValueTensorInitializer):
    """Fills a table of `tf.lookup` with the pairs of keys and values that a data set has.

    Raises:
      TypeError: its elements are no pairs of scalars.
    """

    def __init__(self, dataset: Any) -> None:
        if not isinstance(dataset, DatasetV2):
            raise TypeError(f"A table is made of a tf.data.Dataset; got {describe(dataset)}.")
        spec = dataset.element_spec
        if not isinstance(spec, tuple) or len(spec) != 2 or not all(_is_scalar(s) for s in spec):
            raise TypeError(f"A table is made of pairs of a key and a value, both scalars; got {spec}.")
        self.dataset = dataset
        keys, values = [], []
        for key, value in dataset:
            keys.append(key)
            values.append(value)
        super().__init__(_column(keys, spec[0]), _column(values, spec[1]), spec[0].dtype, spec[1].dtype)


def _is_scalar(spec: Any) -> bool:
    return isinstance(spec, TensorSpec) and spec.shape.rank == 0


@export("data.experimental.table_from_dataset")
def table_from_dataset(
    dataset: Any = None, num_oov_buckets: int = 0, vocab_size: Any = None, default_value: Any = None, hasher_spec: Any = None,
    key_dtype: Any = string, name: str | None = None,
) -> Any:  # fmt: skip
    """A lookup table with the pairs of a data set.

    Args:
      dataset: pairs of a key and a value.
      num_oov_buckets: other keys get one of so many further numbers, by their hash; values must be int64 then.
      vocab_size: how many of the pairs to take; all by default.
      default_value: the value of other keys; needed where there are no such numbers.
      hasher_spec: accepted where it is None or the default.
      key_dtype: of the keys.

    Raises:
      ValueError: a number is out of range, or neither `num_oov_buckets` nor `default_value` is given.
      TypeError: the elements are no pairs, or keys have another dtype.
    """
    what = "tf.data.experimental.table_from_dataset"
    if vocab_size is not None and (not isinstance(vocab_size, (int, np.integer)) or vocab_size < 1):
        raise ValueError(f"{what}: vocab_size must be positive; got {vocab_size}.")
    if num_oov_buckets < 0:
        raise ValueError(f"{what}: num_oov_buckets can't be negative; got {num_oov_buckets}.")
    if not num_oov_buckets and default_value is None:
        raise ValueError(f"{what}: give num_oov_buckets or default_value.")
    if not isinstance(dataset, DatasetV2):
        raise TypeError(f"{what}: a tf.data.Dataset is needed; got {describe(dataset)}.")
    initializer = DatasetInitializer(dataset if vocab_size is None else dataset.take(vocab_size))
    if initializer.key_dtype != as_dtype(key_dtype):
        raise TypeError(
            f"{what}: the keys are {initializer.key_dtype.name}; key_dtype says {as_dtype(key_dtype).name}."
        )
    if num_oov_buckets:
        return StaticVocabularyTable(initializer, num_oov_buckets)
    return StaticHashTable(initializer, default_value)


@export("data.experimental.index_table_from_dataset")
def index_table_from_dataset(
    dataset: Any = None, num_oov_buckets: int = 0, vocab_size: Any = None, default_value: Any = -1, hasher_spec: Any = None,
    key_dtype: Any = string, name: str | None = None,
) -> Any:  # fmt: skip
    """A lookup table from the elements of a data set to their numbers; see `table_from_dataset`."""
    if not isinstance(dataset, DatasetV2):
        raise TypeError(
            f"tf.data.experimental.index_table_from_dataset: a tf.data.Dataset is needed; got {describe(dataset)}."
        )
    numbers = DatasetV2.range(np.iinfo(np.int64).max)
    pairs = DatasetV2(nodes.Zip((dataset._node, numbers._node)))
    return table_from_dataset(pairs, num_oov_buckets, vocab_size, default_value, hasher_spec, key_dtype, name)

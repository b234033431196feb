"""Keras's pipelines over arrays in their order, as two nodes instead of ten.

For any arrays Keras traces three functions, of indices and gathers, each time that `evaluate` or `predict` is called. Without
shuffling that gives the rows in order, which `from_tensor_slices` and `batch` give too, in a tenth of the time.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np

from headwater._src.core.tensor import EagerTensor
from headwater._src.data.dataset import DatasetV2

_OF_ADAPTER = ("_inputs", "_shuffle", "_batch_size", "_num_samples")


def finish(adapters: ModuleType) -> None:
    """Adds this to Keras's module of the adapter for arrays, if it is one of those that this was written for."""
    cls: Any = getattr(adapters, "ArrayDataAdapter", None)
    if hasattr(cls, "get_tf_dataset") and hasattr(adapters, "array_slicing") and hasattr(adapters, "tree"):
        cls.get_tf_dataset = _in_order(cls.get_tf_dataset, adapters)


def _in_order(get_tf_dataset: Any, adapters: Any) -> Any:
    @functools.wraps(get_tf_dataset)
    def wrapped(self: Any) -> Any:
        dataset = None if getattr(self, "_shuffle", True) else _slices(self, adapters)
        return get_tf_dataset(self) if dataset is None else dataset

    return wrapped


def _slices(adapter: Any, adapters: Any) -> DatasetV2 | None:
    """The batches in order; None where the arrays are not dense tensors all."""
    if not all(hasattr(adapter, name) for name in _OF_ADAPTER):
        return None
    inputs = adapters.array_slicing.convert_to_sliceable(adapter._inputs, target_backend="tensorflow")
    leaves = adapters.tree.flatten(inputs)
    if not leaves or not all(map(_is_dense, leaves)):
        return None
    # Where all batches are full, Keras's pipeline knows their size, and so does this one.
    full = adapter._num_samples % adapter._batch_size == 0
    dataset = DatasetV2.from_tensor_slices(adapters.tree.lists_to_tuples(inputs))
    return dataset.batch(adapter._batch_size, drop_remainder=full)


def _is_dense(value: Any) -> bool:
    return value.__class__ is EagerTensor or (value.__class__ is np.ndarray and value.dtype.kind in "biufc")

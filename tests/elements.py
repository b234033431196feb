"""Elements of data sets as plain Python values, for comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater


def plain(value: Any) -> Any:
    """Tensors, structures and data sets as lists and dictionaries of Python values."""
    if isinstance(value, headwater.data.Dataset):
        return [plain(element) for element in value]
    if isinstance(value, headwater.SparseTensor):
        return ["sparse", plain(value.indices), plain(value.values), plain(value.dense_shape)]
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(value[key]) for key in value}
    return value


def L(dataset: Any, count: int = 40) -> list[Any]:
    """The first elements."""
    return [plain(element) for element in dataset.take(count)]

"""The Python forms of ragged tensors: nested lists, NumPy arrays, text."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from headwater._src.core.context import ctx
from headwater._src.core.ragged import RaggedTensor, is_ragged
from headwater._src.core.tensor import EagerTensor


def _is_eager(ragged: RaggedTensor) -> bool:
    return all(isinstance(part, EagerTensor) for part in ragged._nest_flatten())


def to_list(ragged: RaggedTensor) -> list[Any]:
    """Nested Python lists."""
    if not _is_eager(ragged) or ctx.graph is not None:
        raise ValueError("RaggedTensor.to_list needs values: it is only there in eager execution.")
    items = ragged.flat_values._array.tolist()
    for partition in reversed(ragged._nested_row_partitions):
        splits = partition._row_splits._array.tolist()
        items = [items[a:b] for a, b in itertools.pairwise(splits)]
    return items


def to_numpy(ragged: RaggedTensor) -> np.ndarray:
    """An array; of arrays where the rows differ in length."""
    if not _is_eager(ragged):
        raise ValueError("RaggedTensor.numpy needs values: it is only there in eager execution.")
    values = to_numpy(ragged.values) if is_ragged(ragged.values) else ragged.values._array
    splits = ragged.row_splits._array  # type: ignore[attr-defined]
    count = len(splits) - 1
    if count <= 0:
        return np.empty((0, 0, *values.shape[1:]), values.dtype)
    lengths = np.diff(splits)
    if (lengths == lengths[0]).all():
        return np.array(values).reshape((count, int(lengths[0]), *values.shape[1:]))
    rows = np.empty(count, np.object_)
    bounds = splits.tolist()
    for i in range(count):
        rows[i] = values[bounds[i] : bounds[i + 1]]
    return rows


def _format(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, separator=", ") if value.size else repr(value.tolist())
    return str(value)


def text(ragged: RaggedTensor) -> str:
    """How a ragged tensor prints: its rows, or its parts inside a graph."""
    if not _is_eager(ragged):
        return f"tf.RaggedTensor(values={ragged.values!s}, row_splits={ragged.row_splits!s})"
    with np.printoptions(formatter={"all": _format}):
        return f"<tf.RaggedTensor {_format(to_numpy(ragged))}>"

"""Sparse tensors as strings: three serialized tensors for the indices, the values and the dense shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.dtypes import as_dtype, string
from headwater._src.base.errors import OpError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.io.opaque import STRING, HostOp, strings
from headwater._src.io.raw import deserialized, serialized

_INT64 = np.dtype(np.int64)


def _row(indices: np.ndarray, values: np.ndarray, shape: np.ndarray) -> list[bytes]:
    return [serialized(indices), serialized(values), serialized(shape)]


def _one(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, how: None) -> tuple[np.ndarray]:
    return (np.array(_row(indices, values, shape), object),)


def _many(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, what: str) -> tuple[np.ndarray]:
    if len(shape) < 2:
        raise invalid(f"{what}: the sparse tensor needs rank 2 or more; its shape is {shape.tolist()}.")
    if (np.diff(indices[:, 0]) < 0).any():
        raise invalid(f"{what}: the indices must be in order; tf.sparse.reorder puts them so.")
    ends = np.searchsorted(indices[:, 0], np.arange(int(shape[0]) + 1))
    out = np.empty((int(shape[0]), 3), object)
    for i in range(len(out)):
        part = slice(ends[i], ends[i + 1])
        out[i] = _row(indices[part, 1:], values[part], shape[1:])
    return (out,)


def _rows(array: np.ndarray, how: tuple[Any, str]) -> list[np.ndarray]:
    dtype, what = how
    if array.ndim != 2 or array.shape[1] != 3:
        raise invalid(f"{what}: a matrix with three columns is needed; got shape {array.shape}.")
    indices: list[np.ndarray] = []
    values: list[np.ndarray] = []
    shapes: list[np.ndarray] = []
    for i, row in enumerate(array):
        try:
            places, found, shape = (deserialized(v) for v in row)
        except OpError as error:
            raise invalid(f"{what}: row {i} is no serialized sparse tensor: {error}") from None
        if places.ndim != 2 or shape.shape != (places.shape[1],) or found.shape != (len(places),):
            raise invalid(
                f"{what}: the parts of row {i} don't fit: {places.shape}, {found.shape}, {shape.shape}."
            )
        if places.dtype != _INT64 or shape.dtype != _INT64 or found.dtype != dtype.np:
            raise invalid(f"{what}: row {i} holds {as_dtype(found.dtype).name}; {dtype.name} was expected.")
        if shapes and len(shapes[0]) != len(shape):
            raise invalid(f"{what}: the ranks of the rows differ: {len(shapes[0])} and {len(shape)}.")
        indices.append(np.concatenate([np.full((len(places), 1), i, np.int64), places], axis=1))
        values.append(found)
        shapes.append(shape)
    if not shapes:
        raise invalid(f"{what}: there is no row, so the rank is unknown.")
    largest = np.max(shapes, axis=0)
    return [np.concatenate(indices), np.concatenate(values), np.array([len(shapes), *largest], np.int64)]


_SERIALIZE = HostOp("SerializeSparse", _one)
_SERIALIZE_MANY = HostOp("SerializeManySparse", _many)
_DESERIALIZE_MANY = HostOp("DeserializeManySparse", _rows)


def _parts(value: Any, out_type: Any, what: str) -> list[Any]:
    if not isinstance(value, SparseTensor):
        raise TypeError(f"{what} takes a sparse tensor; got {describe(value)}.")
    if as_dtype(out_type) != string:
        raise NotImplementedError(f"{what} writes strings; {as_dtype(out_type).name} is not in this version.")
    return [value.indices, value.values, value.dense_shape]


@export("io.serialize_sparse")
def serialize_sparse(sp_input: Any, out_type: Any = string, name: str | None = None) -> Tensor:
    """A sparse tensor as three strings: its indices, values and dense shape.

    Raises:
      TypeError: it is no sparse tensor.
    """
    parts = _parts(sp_input, out_type, "tf.io.serialize_sparse")
    return _SERIALIZE(parts, None, [Spec((3,), STRING)], name)[0]


@export("io.serialize_many_sparse")
def serialize_many_sparse(sp_input: Any, out_type: Any = string, name: str | None = None) -> Tensor:
    """The rows of a sparse tensor of rank 2 or more, each as three strings: a matrix with three columns.

    Raises:
      TypeError: it is no sparse tensor.
      InvalidArgumentError: the rank is below 2, or indices are out of order.
    """
    what = "tf.io.serialize_many_sparse"
    parts = _parts(sp_input, out_type, what)
    return _SERIALIZE_MANY(
        parts, what, [Spec((sp_input.shape[0] if sp_input.shape.rank else None, 3), STRING)], name
    )[0]


@export("io.deserialize_many_sparse")
def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """The sparse tensors in the rows of a matrix with three columns, as the rows of one whose size is that of the largest.

    Args:
      serialized_sparse: what `serialize_many_sparse` gives, or rows of `serialize_sparse`.
      dtype: of the values.
      rank: of the result, if it is known.

    Raises:
      InvalidArgumentError: a row is no sparse tensor of this dtype.
      ValueError: the result has another rank.
    """
    what = "tf.io.deserialize_many_sparse"
    tensor, dtype = strings(serialized_sparse, what), as_dtype(dtype)
    specs = [Spec((None, rank), _INT64), Spec((None,), dtype.np), Spec((rank,), _INT64)]
    made = SparseTensor(*_DESERIALIZE_MANY([tensor], (dtype, what), specs, name))
    if rank is not None and made.shape.rank not in (rank, None):
        raise ValueError(f"{what}: the rank is {made.shape.rank}; {rank} was expected.")
    return made

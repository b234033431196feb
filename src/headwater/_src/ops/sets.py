"""tf.sets: rows, along the last dimension, taken as sets."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.layout as layout
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Sparse_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.sparse_order import DATA_DEPENDENT, keys_of, made, of_parts, sparse_of, width_of

_DTYPES = "int8|int16|int32|int64|uint8|uint16|string"


def _rows(indices: np.ndarray, shape: np.ndarray, validate: bool, what: str) -> np.ndarray:
    if len(shape) < 2:
        raise invalid(f"{what} needs rank 2 or more; got shape {shape.tolist()}.")
    if validate and len(indices):
        outside = (indices < 0) | (indices >= shape)
        keys = keys_of(indices)[0]
        if outside.any() or (keys[1:] < keys[:-1]).any():
            raise invalid(
                f"{what}: positions must lie in the shape {shape.tolist()} and be in row-major order."
            )
    return indices[:, :-1]


def _sets(
    a: np.ndarray, a_values: np.ndarray, a_shape: np.ndarray, b: np.ndarray, b_values: np.ndarray, b_shape: np.ndarray,
    *, which: str, validate: bool,
) -> Any:  # fmt: skip
    what = "tf.sets"
    rows_a, rows_b = _rows(a, a_shape, validate, what), _rows(b, b_shape, validate, what)
    if not np.array_equal(a_shape[:-1], b_shape[:-1]):
        raise invalid(
            f"{what}: the shapes must agree but for the last dimension; got {a_shape.tolist()} and {b_shape.tolist()}."
        )
    ranked = np.unique(np.concatenate([a_values, b_values]), return_inverse=True)
    words, numbers = ranked[0], ranked[1].reshape(-1, 1)
    pairs = np.concatenate([np.concatenate([rows_a, rows_b]), numbers], 1)
    keys_a, keys_b = keys_of(pairs[: len(a)], pairs[len(a) :])
    keys = {
        "intersection": lambda: np.intersect1d(keys_a, keys_b),
        "union": lambda: np.union1d(keys_a, keys_b),
        "a-b": lambda: np.setdiff1d(keys_a, keys_b),
        "b-a": lambda: np.setdiff1d(keys_b, keys_a),
    }[which]()
    everything = np.concatenate([keys_a, keys_b])
    order = np.argsort(everything, kind="stable")
    found = pairs[order[np.searchsorted(everything[order], keys)]] if len(keys) else pairs[:0]
    return _packed(found[:, :-1], words[found[:, -1]], a_shape[:-1])


def _packed(rows: np.ndarray, values: np.ndarray, lead: np.ndarray) -> Any:
    """The values of each row, which come row by row, numbered from 0."""
    if not len(rows):
        return np.zeros((0, len(lead) + 1), np.int64), values, np.append(lead, 0)
    keys = keys_of(rows)[0]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    lengths = np.diff(np.append(starts, len(keys)))
    within = np.arange(len(keys)) - np.repeat(starts, lengths)
    return np.concatenate([rows, within[:, None]], 1).astype(np.int64), values, np.append(lead, lengths.max())


def _sets_shape(
    a: Spec, a_values: Spec, a_shape: Spec, b: Spec, b_values: Spec, b_shape: Spec, **_: Any
) -> list[Any]:
    width = width_of(a, a_shape)
    return [(None, width), (None,), (width,)]


sets_op = op(
    "SparseToSparseSetOperation",
    f"set1_indices: int64, set1_values: {_DTYPES}, set1_shape: int64, set2_indices: int64, set2_values: set1_values, "
    "set2_shape: int64 -> ?: set1_indices; ?: set1_values; ?: int64",
    numpy=_sets,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_sets_shape,
    attrs={"which": "union", "validate": True},
    doc="A set operation on the rows of two sparse tensors.",
)  # fmt: skip


def _positions(values: np.ndarray) -> np.ndarray:
    return (
        np.stack(np.unravel_index(np.arange(values.size), values.shape), 1)
        .astype(np.int64)
        .reshape(-1, values.ndim)
    )


positions_op = op(
    "DensePositions", f"values: {_DTYPES} -> ?: int64",
    numpy=_positions,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda values: (None, None if values.shape is None else len(values.shape)),
    doc="The positions of all elements in row-major order.",
)  # fmt: skip


def _as_sparse(value: Any, what: str) -> SparseTensor:
    """A sparse tensor as it is; a dense one with all its elements."""
    if isinstance(value, SparseTensor):
        return value
    tensor = convert(value)
    if tensor.dtype.name not in _DTYPES.split("|"):
        raise TypeError(f"{what} takes integers and strings; got {tensor.dtype.name}.")
    if tensor.shape.rank is not None and tensor.shape.rank < 2:
        raise invalid(f"{what} needs rank 2 or more; got shape {tensor.shape}.")
    shape = layout.shape(tensor, dtypes.int64)
    return made(positions_op(tensor), layout.reshape(tensor, [-1]), shape, tensor._spec.shape)


def _operate(a: Any, b: Any, which: str, validate: bool, what: str) -> SparseTensor:
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        # TensorFlow has no kernel for this order of arguments and exchanges them, which shows only in the differences.
        which = {"a-b": "b-a", "b-a": "a-b"}.get(which, which)
        a, b = b, a
    left, right = _as_sparse(a, what), _as_sparse(b, what)
    if left.dtype is not right.dtype:
        raise TypeError(f"{what}: the dtypes must be equal; got {left.dtype.name} and {right.dtype.name}.")
    if left.dtype.name not in _DTYPES.split("|"):
        raise TypeError(f"{what} takes integers and strings; got {left.dtype.name}.")
    parts = sets_op(
        left._indices, left._values, left._dense_shape, right._indices, right._values, right._dense_shape,
        which=which, validate=bool(validate),
    )  # fmt: skip
    dims = left._static._dims
    return of_parts(parts, None if dims is None else (*dims[:-1], None))


@export("sets.intersection")
def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The elements that each row of `a` has in common with that of `b`, sorted.

    Args:
      a: a tensor or sparse tensor of integers or strings, of rank 2 or more; the last dimension holds the sets.
      b: another of the same shape but for the last dimension, and the same dtype.
      validate_indices: whether positions must be in row-major order.

    Returns:
      A sparse tensor whose last dimension is as long as the largest set.

    Raises:
      TypeError: the dtypes differ.
      InvalidArgumentError: shapes do not fit.
    """
    return _operate(a, b, "intersection", validate_indices, "tf.sets.intersection")


@export("sets.union")
def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The elements that are in a row of `a` or in that of `b`, sorted. See `tf.sets.intersection`."""
    return _operate(a, b, "union", validate_indices, "tf.sets.union")


@export("sets.difference")
def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """The elements of each row of `a` that are not in that of `b`, or the other way round where `aminusb` is False.

    See `tf.sets.intersection`.
    """
    return _operate(a, b, "a-b" if aminusb else "b-a", validate_indices, "tf.sets.difference")


def _size(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, *, validate: bool) -> np.ndarray:
    rows = _rows(indices, shape, validate, "tf.sets.size")
    numbers = np.unique(values, return_inverse=True)[1].reshape(-1, 1)
    distinct = np.unique(np.concatenate([rows, numbers], 1), axis=0)
    out = np.zeros(shape[:-1], np.int32)
    np.add.at(out, tuple(distinct[:, :-1].T), 1)
    return out


size_op = op(
    "SetSize", f"set_indices: int64, set_values: {_DTYPES}, set_shape: int64 -> ?: int32",
    numpy=_size,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda indices, values, shape, *, validate: _lead(width_of(indices, shape)),
    attrs={"validate": True},
    doc="How many distinct elements each row has.",
)  # fmt: skip


def _lead(width: Any) -> Any:
    return None if width is None else (None,) * max(width - 1, 0)


@export("sets.size")
def size(a: Any, validate_indices: bool = True) -> Tensor:
    """How many distinct elements each row of a sparse tensor has, as int32.

    Raises:
      TypeError: `a` is no sparse tensor.
      InvalidArgumentError: the rank is less than 2, or positions are not in order.
    """
    sp = sparse_of(a, "tf.sets.size")
    return size_op(sp._indices, sp._values, sp._dense_shape, validate=bool(validate_indices))


_A = Sparse_([[0, 0], [0, 2], [1, 0], [1, 1]], [3, 1, 2, 2], [3, 3])
_B = Sparse_([[0, 0], [1, 0], [1, 1], [2, 0]], [1, 2, 5, 7], [3, 2])


def _cases() -> list[Any]:
    return [
        case(_A, _B, id="sparse"),
        case([[1, 2, 2], [3, 4, 5]], [[2, 2], [5, 6]], id="dense"),
        case([[1, 2], [3, 4], [7, 7]], _B, id="dense-sparse"),
        case(_A, [[1, 2], [2, 4], [7, 7]], id="sparse-dense"),
        case([[b"a", b"b"]], [[b"b", b"c"]], id="strings"),
        case([[[1, 2], [3, 4]]], [[[2], [4]]], id="rank3"),
        case([[1], [2]], [[3], [4]], id="disjoint"),
        bad([[1, 2]], [[1], [2]], id="rows"),
        bad([1, 2], [1], id="rank1"),
        bad([[1.0]], [[2.0]], error="TypeError", id="floats"),
    ]


for _name in ("intersection", "union", "difference"):
    sampled(f"sets.{_name}", _cases)
sampled(
    "sets.size",
    lambda: [case(_A, id="plain"), case(_B, id="other"), bad([[1]], error="TypeError", id="dense")],
)

"""tf.sparse.cross and cross_hashed: every combination of the features of a row, one of each column."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.farmhash import concatenated, fingerprint64
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import refused
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Sparse_, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.create import zeros_like
from headwater._src.ops.sparse_order import DATA_DEPENDENT, of_parts

_HASH_KEY = 0xDECAFCAFFE
_INT64_MAX = 2**63 - 1

# -- features ---------------------------------------------------------------------------------------------------------


def _positions(values: np.ndarray) -> np.ndarray:
    return np.argwhere(np.ones(values.shape, np.bool_))


positions_op = op(
    "DensePositions", "values: int32|int64|string -> ?: int64",
    numpy=_positions,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda values: (None, None if values.shape is None else len(values.shape)),
    doc="The positions of all elements in row-major order.",
)  # fmt: skip


def _prints(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "O":
        return values
    return (
        np.array([fingerprint64(v) for v in values.reshape(-1)], np.uint64)
        .view(np.int64)
        .reshape(values.shape)
    )


_prints_op = op(
    "SparseCrossFingerprints", "values: int64|string -> ?: int64",
    numpy=_prints,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda values: values.shape,
    doc="The FarmHash fingerprints of strings; integers stand for themselves.",
)  # fmt: skip


def _words(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "O":
        return values
    out = np.empty(values.shape, object)
    out[...] = [b"%d" % v for v in values.tolist()] if values.ndim else b"%d" % int(values)
    return out


_words_op = op(
    "SparseCrossWords", "values: int64|string -> ?: string",
    numpy=_words,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda values: values.shape,
    doc="Strings as they are, integers in decimal digits.",
)  # fmt: skip

# -- crosses ----------------------------------------------------------------------------------------------------------


def _combine(rows: np.ndarray, columns: np.ndarray, batch: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The row of each combination, and where its feature of each column is: [combinations, count]."""
    out_rows = np.arange(batch)
    picks = np.zeros((batch, 0), np.int64)
    for column in range(count):
        places = np.flatnonzero(columns == column)
        lengths = np.bincount(rows[places], minlength=batch)
        starts = np.cumsum(lengths) - lengths
        times = lengths[out_rows]
        begins = np.cumsum(times) - times
        out_rows, picks = np.repeat(out_rows, times), np.repeat(picks, times, 0)
        within = np.arange(len(out_rows)) - np.repeat(begins, times)
        order = places[np.argsort(rows[places], kind="stable")]
        picks = np.concatenate([picks, order[starts[out_rows] + within][:, None]], 1)
    return out_rows, picks


def _placed(out_rows: np.ndarray, values: np.ndarray, batch: int) -> Any:
    lengths = np.bincount(out_rows, minlength=batch)
    within = np.arange(len(out_rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    shape = np.array([batch, lengths.max(initial=0)], np.int64)
    return np.stack([out_rows, within], 1).astype(np.int64), values, shape


def _cross(
    rows: np.ndarray,
    columns: np.ndarray,
    words: np.ndarray,
    separator: np.ndarray,
    batch: np.ndarray,
    *,
    count: int,
) -> Any:
    out_rows, picks = _combine(rows, columns, int(batch), count)
    joint: Any = separator[()]
    values = np.empty(len(picks), object)
    for i, line in enumerate(picks):
        values[i] = joint.join(words[line])
    return _placed(out_rows, values, int(batch))


def _cross_hashed(
    rows: np.ndarray,
    columns: np.ndarray,
    prints: np.ndarray,
    batch: np.ndarray,
    *,
    count: int,
    num_buckets: int,
    hash_key: int,
) -> Any:
    out_rows, picks = _combine(rows, columns, int(batch), count)
    modulus = num_buckets or _INT64_MAX
    values = np.empty(len(picks), np.int64)
    unsigned = prints.view(np.uint64)
    for i, line in enumerate(picks):
        code = hash_key
        for feature in unsigned[line].tolist():
            code = concatenated(code, feature)
        values[i] = code % modulus
    return _placed(out_rows, values, int(batch))


def _cross_rule(*_: Spec, **__: Any) -> list[Any]:
    return [(None, 2), (None,), (2,)]


_cross_op = op(
    "SparseCross", "rows: int64, columns: int64, words: string, separator: words, batch: int64 -> ?: int64; ?: words; ?: int64",
    numpy=_cross,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_cross_rule,
    attrs={"count": 0},
    doc="All combinations of words of a row, one of each column, joined.",
)  # fmt: skip

_hashed_op = op(
    "SparseCrossHashed", "rows: int64, columns: int64, prints: int64, batch: int64 -> ?: int64; ?: int64; ?: int64",
    numpy=_cross_hashed,
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=_cross_rule,
    attrs={"count": 0, "num_buckets": 0, "hash_key": _HASH_KEY},
    doc="All combinations of features of a row, one of each column, hashed.",
)  # fmt: skip


def _columns(inputs: Any, what: str, feature: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The row, column and value of every feature, sparse columns first as in TensorFlow, and the number of rows."""
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"{what} takes a list of columns; got {describe(inputs)}.")
    if not all(isinstance(x, (Tensor, SparseTensor)) for x in inputs):
        raise TypeError(
            f"{what} takes tensors and sparse tensors; got {', '.join(type(x).__name__ for x in inputs)}."
        )
    ordered = [x for x in inputs if isinstance(x, SparseTensor)] + [
        x for x in inputs if not isinstance(x, SparseTensor)
    ]
    rows, columns, values, batch = [], [], [], None
    for number, column in enumerate(ordered):
        if column.shape.rank not in (None, 2):
            raise invalid(f"{what}: columns must be matrices; got shape {column.shape}.")
        length = column.shape[0] if column.shape.rank else None
        if batch is not None and length is not None and length != batch:
            raise invalid(f"{what}: all columns must have as many rows; got {batch} and {length}.")
        batch = length if batch is None else batch
        row, value = _flattened(column)
        rows.append(row)
        columns.append(zeros_like(row) + number)
        values.append(feature(value))
    first = ordered[0]
    size = first._dense_shape[0] if isinstance(first, SparseTensor) else layout.shape(first, dtypes.int64)[0]
    return joining.concat(rows, 0), joining.concat(columns, 0), joining.concat(values, 0), size


def _flattened(column: Any) -> tuple[Tensor, Tensor]:
    if isinstance(column, SparseTensor):
        return column._indices[:, 0], _integers(column._values)
    dense = _integers(column)
    return positions_op(dense)[:, 0], layout.reshape(dense, [-1])


def _integers(x: Tensor) -> Tensor:
    return x if x.dtype is dtypes.string else cast(x, dtypes.int64)


def _batch_of(inputs: Any) -> Any:
    return next((x.shape[0] for x in inputs if x.shape.rank and x.shape[0] is not None), None)


@export("sparse.cross")
def cross(inputs: Any, name: str | None = None, separator: str | None = None) -> SparseTensor:
    """All combinations of the features of each row, one of each column, as strings.

    Args:
      inputs: a list of matrices, tensors or sparse tensors, of strings or integers, with as many rows. Sparse ones come
        first in the combinations.
      name: optional.
      separator: what stands between the features; None for "_X_".

    Raises:
      TypeError: `inputs` is no list of tensors.
      InvalidArgumentError: a column is no matrix, or has another number of rows.
    """
    if isinstance(inputs, (list, tuple)) and not inputs:
        return SparseTensor(np.zeros((0, 2), np.int64), np.zeros(0, object), [0, 0])
    rows, columns, words, batch = _columns(inputs, "tf.sparse.cross", _words_op)
    joint = convert("_X_" if separator is None else separator)
    parts = _cross_op(rows, columns, words, joint, batch, count=len(inputs))
    return of_parts(parts, (_batch_of(inputs), None))


@export("sparse.cross_hashed")
def cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """All combinations of the features of each row, one of each column, as FarmHash numbers.

    Args:
      inputs: a list of matrices as in `tf.sparse.cross`.
      num_buckets: the numbers are taken modulo this; 0 for 2**63 - 1.
      hash_key: what the hash starts from.
      name: optional.

    Returns:
      A sparse matrix of int64.

    Raises:
      TypeError: `inputs` is no list of tensors.
      InvalidArgumentError: a column is no matrix, has another number of rows, or `num_buckets` is negative.
    """
    if num_buckets < 0:
        raise refused(f"tf.sparse.cross_hashed: num_buckets must not be negative; got {num_buckets}.")
    if isinstance(inputs, (list, tuple)) and not inputs:
        return SparseTensor(np.zeros((0, 2), np.int64), np.zeros(0, np.int64), [0, 0])
    rows, columns, prints, batch = _columns(inputs, "tf.sparse.cross_hashed", _prints_op)
    key = _HASH_KEY if hash_key is None else int(hash_key)
    parts = _hashed_op(
        rows, columns, prints, batch, count=len(inputs), num_buckets=int(num_buckets), hash_key=key
    )
    return of_parts(parts, (_batch_of(inputs), None))


# -- samples ----------------------------------------------------------------------------------------------------------

_WORDS = Sparse_([[0, 0], [1, 0], [1, 1]], [b"x", b"y", b"z"], [2, 2])
_NUMBERS = Sparse_([[0, 0], [1, 0], [1, 1]], [5, 6, 7], [2, 2])


def _dense(values: Any) -> Any:
    return Tensor_(np.array(values, object if isinstance(values[0][0], bytes) else np.int64))


def _cases() -> list[Any]:
    strings, numbers = _dense([[b"a", b"b"], [b"c", b"d"]]), _dense([[1, 2], [3, -4]])
    return [
        case([strings, numbers], id="dense"), case([_WORDS, _NUMBERS], id="sparse"), case([strings, _NUMBERS, numbers], id="mixed"),
        case([strings], id="one"), case([], id="none"), case([_dense([[b"a"], [b"b"]]), Sparse_([[0, 0]], [1], [2, 1])], id="gap"),
        case([_dense([[b"q" * 20, b"r" * 40], [b"s" * 70, b"t" * 200]])], id="long-words"),
        bad(strings, error="TypeError", id="no-list"), bad([[[b"a"]]], error="TypeError", id="no-tensor"),
        bad([strings, _dense([[1]])], id="rows"),
    ]  # fmt: skip


sampled("sparse.cross", lambda: [*_cases(), case([_WORDS, _NUMBERS], separator="-", id="separator")])
sampled(
    "sparse.cross_hashed",
    lambda: [
        *_cases(), case([_WORDS, _NUMBERS], 10, id="buckets"), case([_NUMBERS], 100, 5, id="key"), bad([_WORDS], -1, id="negative"),
    ],
)  # fmt: skip

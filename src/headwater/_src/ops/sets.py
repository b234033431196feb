"""tf.sets: rows, along the last dimension, taken as sets."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import TracedTypeError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx, refused
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Sparse_, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.sparse_order import DATA_DEPENDENT, is_sorted, of_parts, sparse_of, width_of

_DTYPES = "int8|int16|int32|int64|uint8|uint16|string"
_FEW = 128
"""Sets with up to so many elements in all are Python's sets, which cost less than calls of NumPy."""
_MAX_KEY = 2**62

# -- rows -------------------------------------------------------------------------------------------------------------


class _Rows(NamedTuple):
    """Elements, and the number of the row that each is in; `lead` are the dimensions that the rows are numbered by."""

    rows: np.ndarray | None
    """None for a dense array, whose rows are all as long and follow each other."""
    values: np.ndarray
    lead: np.ndarray

    @property
    def height(self) -> int:
        """How many rows there are."""
        return math.prod(self.lead.tolist())

    def numbers(self) -> np.ndarray:
        """The row of each element."""
        if self.rows is not None:
            return self.rows
        return np.repeat(np.arange(self.height), len(self.values) // max(self.height, 1))


def _of_dense(values: np.ndarray) -> _Rows:
    if values.ndim < 2:
        raise invalid(f"tf.sets needs rank 2 or more; got shape {values.shape}.")
    return _Rows(None, values.reshape(-1), np.array(values.shape[:-1], np.int64))


def _of_sparse(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, validate: bool) -> _Rows:
    if len(shape) < 2:
        raise invalid(f"tf.sets needs rank 2 or more; got shape {shape.tolist()}.")
    if math.prod(shape.tolist()) >= _MAX_KEY:
        raise NotImplementedError(f"tf.sets: a shape of more than 2**62 places, {shape.tolist()}.")
    rows = indices[:, 0]
    for i in range(1, len(shape) - 1):
        rows = rows * shape[i] + indices[:, i]
    if len(indices):
        bounded = shape if validate else shape[:-1]
        # Seen as unsigned numbers the negative ones are the largest.
        inside = (indices[:, : len(bounded)].view(np.uint64) < bounded.view(np.uint64)).all()
        if not inside or (validate and not is_sorted(rows * shape[-1] + indices[:, -1])):
            raise invalid(
                f"tf.sets: positions must lie in the shape {shape.tolist()} and be in row-major order; tf.sparse.reorder sorts them."
            )
    return _Rows(rows, values, shape[:-1])


def _listed(side: _Rows, starts: Any) -> list[list[Any]]:
    """The elements of each row."""
    items = side.values.tolist()
    if side.rows is not None and not is_sorted(side.rows):
        order = np.argsort(side.rows, kind="stable")
        items, side = side.values[order].tolist(), side._replace(rows=side.rows[order])
    if side.rows is None:
        width = len(items) // max(side.height, 1)
        return [items[i * width : (i + 1) * width] for i in starts]
    low = np.searchsorted(side.rows, starts).tolist()
    high = np.searchsorted(side.rows, starts, "right").tolist()
    return [items[i:j] for i, j in zip(low, high, strict=True)]


# -- operations -------------------------------------------------------------------------------------------------------

_OF_SETS: dict[str, Any] = {
    "union": set.union,
    "intersection": set.intersection,
    "a-b": set.difference,
    "b-a": lambda a, b: set(b).difference(a),
}


def _by_sets(a: _Rows, b: _Rows, numbers: np.ndarray, which: str) -> tuple[np.ndarray, np.ndarray]:
    """Elements and how many each row has, by Python's sets."""
    operate = _OF_SETS[which]
    pairs = zip(_listed(a, numbers), _listed(b, numbers), strict=True)
    found = [sorted(operate(set(x), y)) for x, y in pairs]
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    values = np.empty(int(lengths.sum()), a.values.dtype)
    values[:] = list(itertools.chain.from_iterable(found))
    return values, lengths


def _narrowed(total: int) -> np.dtype:
    """The smallest dtype that holds the keys: the smaller they are, the faster they are sorted."""
    return next(np.dtype(d) for d in (np.uint16, np.int32, np.int64) if total <= np.iinfo(d).max)


def _keys(
    values: np.ndarray, rows: np.ndarray | None, low: int, span: int, times: int, dtype: np.dtype
) -> np.ndarray:
    """`times * (row * span + value - low)`: in order where rows and values are."""
    keys = values.astype(np.int64)
    keys -= low
    if rows is not None:
        keys += rows * span
    if times != 1:
        keys *= times
    return keys.astype(dtype, copy=False)


def _by_sorting(a: _Rows, b: _Rows, numbers: np.ndarray, which: str) -> tuple[np.ndarray, np.ndarray]:
    """The same by sorting keys made of row, element, and which of the two it comes from."""
    if which == "b-a":
        return _by_sorting(b, a, numbers, "a-b")
    values, count = (a.values, b.values), len(numbers)
    filled = [v for v in values if len(v)]
    low, high = min(int(v.min()) for v in filled), max(int(v.max()) for v in filled)
    span, words = high - low + 1, None
    if 2 * count * span >= _MAX_KEY:
        words, ranks = np.unique(np.concatenate(values), return_inverse=True)
        values = ranks[: len(a.values)], ranks[len(a.values) :]
        low, span = 0, len(words)
    times = 1 if which == "union" else 2
    dtype = _narrowed(times * count * span)
    sides = [
        _keys(v, None if count == 1 else s.numbers(), low, span, times, dtype)
        for v, s in zip(values, (a, b), strict=True)
    ]
    if times == 2:
        sides[1] += 1
    keys = np.concatenate(sides)
    keys.sort()
    if which == "union":
        keys = keys[np.append(keys[1:] != keys[:-1], True)]
    else:
        # An element of the first side is even, and the same of the second follows it, if it is there.
        steps = np.append(keys[1:] - keys[:-1], dtype.type(2))
        keep = steps == 1 if which == "intersection" else steps > 1
        keep &= (keys & 1) == 0
        keys = keys[keep] >> 1
    starts = np.searchsorted(keys, (np.arange(count) * span).astype(dtype))
    lengths = np.diff(starts, append=len(keys))
    found = keys.astype(np.int64, copy=False)
    if count > 1:
        found = found - np.repeat(np.arange(count) * span, lengths)
    return (found + low if words is None else words[found]).astype(a.values.dtype, copy=False), lengths


def _combined(a: _Rows, b: _Rows, which: str) -> Any:
    if not np.array_equal(a.lead, b.lead):
        raise invalid(
            f"tf.sets: the shapes must agree but for the last dimension; got {a.lead.tolist()} and {b.lead.tolist()} rows."
        )
    total = len(a.values) + len(b.values)
    numbers, count = None, a.height
    if a.rows is not None and b.rows is not None and count > 4 * total + 64:
        # Most rows are empty: those that are not are numbered anew.
        numbers, ranks = np.unique(np.concatenate([a.rows, b.rows]), return_inverse=True)
        a, b = a._replace(rows=ranks[: len(a.values)]), b._replace(rows=ranks[len(a.values) :])
        count = len(numbers)
    line = np.arange(count)
    if not total:
        values, lengths = a.values[:0], np.zeros(count, np.int64)
    else:
        method = _by_sets if a.values.dtype.kind == "O" or total + count <= _FEW else _by_sorting
        values, lengths = method(a, b, line, which)
    return _packed(values, lengths, line if numbers is None else numbers, a.lead)


def _packed(values: np.ndarray, lengths: np.ndarray, numbers: np.ndarray, lead: np.ndarray) -> Any:
    """Positions, elements and shape: the elements of each row are numbered from 0."""
    positions = np.empty((len(values), len(lead) + 1), np.int64)
    rows = np.repeat(numbers, lengths)
    positions[:, :-1] = rows[:, None] if len(lead) == 1 else np.stack(np.unravel_index(rows, lead), 1)
    positions[:, -1] = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return positions, values, np.append(lead, lengths.max(initial=0))


def _rank_rule(width: int | None) -> list[Any]:
    return [(None, width), (None,), (width,)]


_RESULT = " -> ?: int64; ?: {}; ?: int64"
_SECOND = "set2_indices: int64, set2_values: {}, set2_shape: int64"

_dense_op = op(
    "DenseToDenseSetOperation", f"set1: {_DTYPES}, set2: set1" + _RESULT.format("set1"),
    numpy=lambda a, b, *, which: _combined(_of_dense(a), _of_dense(b), which),
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda a, b, **_: _rank_rule(None if a.shape is None else len(a.shape)),
    attrs={"which": "union"},
    doc="A set operation on the rows of two tensors.",
)  # fmt: skip

_mixed_op = op(
    "DenseToSparseSetOperation", f"set1: {_DTYPES}, " + _SECOND.format("set1") + _RESULT.format("set1"),
    numpy=lambda a, *b, which, validate: _combined(_of_dense(a), _of_sparse(*b, validate), which),
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda a, b, values, shape, **_: _rank_rule(width_of(b, shape)),
    attrs={"which": "union", "validate": True},
    doc="A set operation on the rows of a tensor and a sparse tensor.",
)  # fmt: skip

_sparse_op = op(
    "SparseToSparseSetOperation",
    f"set1_indices: int64, set1_values: {_DTYPES}, set1_shape: int64, "
    + _SECOND.format("set1_values") + _RESULT.format("set1_values"),
    numpy=lambda *parts, which, validate: _combined(
        _of_sparse(*parts[:3], validate), _of_sparse(*parts[3:], validate), which
    ),
    lower=DATA_DEPENDENT,
    grad=NONDIFF,
    shape=lambda a, values, shape, *b, **_: _rank_rule(width_of(a, shape)),
    attrs={"which": "union", "validate": True},
    doc="A set operation on the rows of two sparse tensors.",
)  # fmt: skip


def _checked(value: Any, what: str) -> Any:
    """A sparse tensor as it is, anything else as a tensor; TypeError for other than integers and strings."""
    value = value if isinstance(value, SparseTensor) else convert(value)
    if value.dtype.name not in _DTYPES.split("|"):
        message = f"{what} takes integers and strings; got {value.dtype.name}."
        raise TypeError(message) if ctx.graph is None else TracedTypeError(None, None, message)
    if value.shape.rank is not None and value.shape.rank < 2:
        raise refused(f"{what} needs rank 2 or more; got shape {value.shape}.")
    return value


def _parts(sp: SparseTensor) -> tuple[Any, ...]:
    return sp._indices, sp._values, sp._dense_shape


def _operate(a: Any, b: Any, which: str, validate: bool, what: str) -> SparseTensor:
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        # TensorFlow has no kernel for this order of arguments and exchanges them, which shows only in the differences.
        which = {"a-b": "b-a", "b-a": "a-b"}.get(which, which)
        a, b = b, a
    a, b = _checked(a, what), _checked(b, what)
    if a.dtype is not b.dtype:
        raise TypeError(f"{what}: the dtypes must be equal; got {a.dtype.name} and {b.dtype.name}.")
    lead, other = a.shape[:-1], b.shape[:-1]
    if not lead.is_compatible_with(other):
        raise refused(
            f"{what}: the shapes must agree but for the last dimension; got {a.shape} and {b.shape}."
        )
    if isinstance(a, SparseTensor):
        parts = _sparse_op(*_parts(a), *_parts(b), which=which, validate=bool(validate))
    elif isinstance(b, SparseTensor):
        parts = _mixed_op(a, *_parts(b), which=which, validate=bool(validate))
    else:
        parts = _dense_op(a, b, which=which)
    dims = lead.merge_with(other)._dims
    return of_parts(parts, None if dims is None else (*dims, None))


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
    side = _of_sparse(indices, values, shape, validate)
    line = np.arange(side.height)
    if not len(values):
        lengths = np.zeros(side.height, np.int32)
    elif values.dtype.kind == "O":
        lengths = np.fromiter((len(set(row)) for row in _listed(side, line)), np.int32, len(line))
    else:
        nothing = side._replace(rows=line[:0], values=values[:0])
        lengths = _by_sorting(side, nothing, line, "union")[1].astype(np.int32)
    return lengths.reshape(shape[:-1])


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
    sp = _checked(sparse_of(a, "tf.sets.size"), "tf.sets.size")
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

"""What each kind of feature description makes of columns of values: its arrays, their specifications and the tensor of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base.dtypes import int64
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import to_array
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import Spec
from headwater._src.io.columns import Values
from headwater._src.io.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    RaggedFeature,
    RowLengths,
    RowLimits,
    RowSplits,
    RowStarts,
    SparseFeature,
    UniformRowLength,
    VarLenFeature,
)

_INT64 = np.dtype(np.int64)
Columns = dict[bytes, Values]


class Form:
    """One description: `arrays` makes its arrays of columns, `value` the tensor of those arrays."""

    per_row = False
    """Whether its only array has a row for each record, which depends on that record alone."""

    def __init__(self, name: str, feature: Any, what: str) -> None:
        self.name, self.feature, self.what = name, feature, what
        self.dtype = feature.dtype

    def keys(self) -> dict[str, Any]:
        """The features of a record that it needs, with their dtypes."""
        return {self.name: self.dtype}

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """The specifications of its arrays for records of this shape, () for a single one."""
        raise NotImplementedError

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """The arrays of a vector of records."""
        raise NotImplementedError

    def alone(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The same for a single record, of the arrays of a vector with one."""
        return [a[0, ...] for a in arrays]

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """The tensor of the next of `parts`."""
        return next(parts)

    def error(self, text: str) -> Exception:
        """An error that names the feature."""
        return invalid(f"{self.what}: the feature {self.name!r} {text}")


class _Dense(Form):
    def __init__(self, name: str, feature: Any, what: str) -> None:
        super().__init__(name, feature, what)
        self.dims = tuple(TensorShape(feature.shape).as_list())
        if None in self.dims:
            raise ValueError(f"{what}: the shape of {name!r} must be fully known; got {feature.shape}.")
        self.size = int(np.prod(self.dims, dtype=np.int64))


class Fixed(_Dense):
    """FixedLenFeature."""

    per_row = True

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """One dense array."""
        return [Spec((*batch, *self.dims), self.dtype.np)]

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """The values, and the default where there are none."""
        counts, flat = columns[self.name.encode()]
        wrong = counts != self.size
        if not wrong.any():
            return [flat.reshape(len(counts), *self.dims)]
        missing = counts < 0
        if (wrong & ~missing).any():
            row = int(np.argmax(wrong & ~missing))
            raise self.error(
                f"of record {row} has {int(counts[row])} values; shape {self.dims} needs {self.size}."
            )
        if self.feature.default_value is None:
            raise self.error(
                f"is left out by record {int(np.argmax(missing))}; it is required and has no default."
            )
        default = np.broadcast_to(to_array(self.feature.default_value, self.dtype), self.dims)
        out = np.empty((len(counts), *self.dims), self.dtype.np)
        out[~missing] = flat.reshape(-1, *self.dims)
        out[missing] = default
        return [out]


class Rows(_Dense):
    """FixedLenSequenceFeature."""

    def __init__(self, name: str, feature: Any, what: str) -> None:
        super().__init__(name, feature, what)
        if not feature.allow_missing:
            raise ValueError(f"{what}: the FixedLenSequenceFeature {name!r} needs allow_missing=True.")

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """One dense array, with a dimension for the rows."""
        return [Spec((*batch, None, *self.dims), self.dtype.np)]

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """The rows, filled up to the most that a record has."""
        counts, flat = columns[self.name.encode()]
        size = self.size or 1
        if size > 1 and (counts % size)[counts > 0].any():
            row = int(np.argmax((counts > 0) & (counts % size > 0)))
            raise self.error(f"of record {row} has {int(counts[row])} values, no multiple of {size}.")
        fill = None
        if self.feature.default_value is not None:
            fill = to_array(self.feature.default_value, self.dtype).reshape(-1)[0]
        rows = flat.reshape(-1, *self.dims) if self.dims else flat
        return [filled_up(np.maximum(counts, 0) // size, rows, fill)]


def filled_up(counts: np.ndarray, rows: np.ndarray, fill: Any = None) -> np.ndarray:
    """Rows that belong to records, so many to each, as an array with a dimension for records."""
    if fill is None:
        fill = b"" if rows.dtype.kind == "O" else 0
    longest = int(counts.max(initial=0))
    if (counts == longest).all():
        return rows.reshape(len(counts), longest, *rows.shape[1:])
    out = np.full((len(counts), longest, *rows.shape[1:]), fill, rows.dtype)
    out[np.arange(longest) < counts[:, None]] = rows
    return out


class _Sparse(Form):
    rank = 1

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """Indices, values and the dense shape."""
        rank = len(batch) + self.rank
        return [Spec((None, rank), _INT64), Spec((None,), self.dtype.np), Spec((rank,), _INT64)]

    def alone(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Without the dimension of the records."""
        return [arrays[0][:, 1:], arrays[1], arrays[2][1:]]

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """A sparse tensor."""
        return SparseTensor(next(parts), next(parts), next(parts))


def within(counts: np.ndarray) -> np.ndarray:
    """The numbers 0, 1, ... of the items of each record, one record after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


class Var(_Sparse):
    """VarLenFeature."""

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """A row for each record."""
        counts, flat = columns[self.name.encode()]
        counts = np.maximum(counts, 0)
        indices = np.empty((len(flat), 2), np.int64)
        indices[:, 0] = np.repeat(np.arange(len(counts)), counts)
        indices[:, 1] = within(counts)
        return [indices, flat, np.array([len(counts), counts.max(initial=0)], np.int64)]


class Indexed(_Sparse):
    """SparseFeature."""

    def __init__(self, name: str, feature: Any, what: str) -> None:
        super().__init__(name, feature, what)
        self.places = _listed(feature.index_key)
        self.sizes = [int(s) for s in _listed(feature.size)]
        self.rank = len(self.places)

    def keys(self) -> dict[str, Any]:
        """The values and the indices."""
        return {self.feature.value_key: self.dtype, **dict.fromkeys(self.places, int64)}

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """A sparse array for each record, all of one size."""
        counts, flat = columns[self.feature.value_key.encode()]
        counts = np.maximum(counts, 0)
        rows = np.repeat(np.arange(len(counts)), counts)
        indices = [rows]
        for key, size in zip(self.places, self.sizes, strict=True):
            own, places = columns[key.encode()]
            if (np.maximum(own, 0) != counts).any():
                row = int(np.argmax(np.maximum(own, 0) != counts))
                raise self.error(
                    f"of record {row} has {int(counts[row])} values and another number of indices {key!r}."
                )
            if places.size and (places.min() < 0 or places.max() >= size):
                raise self.error(f"has indices {key!r} outside of [0, {size}).")
            indices.append(places)
        made = np.stack(indices, axis=1)
        if not self.feature.already_sorted:
            order = np.lexsort(indices[::-1])
            made, flat = made[order], flat[order]
        return [made, flat, np.array([len(counts), *self.sizes], np.int64)]

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """A sparse tensor of known size."""
        made = super().value(parts, batch)
        made.set_shape([*batch, *self.sizes])
        return made


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


class Ragged(Form):
    """RaggedFeature: its arrays are the flat values, then the splits, those of the records first."""

    def __init__(self, name: str, feature: Any, what: str) -> None:
        super().__init__(name, feature, what)
        self.key = name if feature.value_key is None else feature.value_key
        uniform = [isinstance(p, UniformRowLength) for p in feature.partitions]
        self.dims = [int(p.length) if u else None for p, u in zip(feature.partitions, uniform, strict=True)]
        self.partitioned = max((i + 1 for i, u in enumerate(uniform) if not u), default=0)
        """How many of the partitions make rows of different lengths; those behind are dimensions of the values."""

    def keys(self) -> dict[str, Any]:
        """The values and what divides them."""
        parts = [p.key for p in self.feature.partitions if not isinstance(p, UniformRowLength)]
        return {self.key: self.dtype, **dict.fromkeys(parts, int64)}

    def spec(self, outer: tuple[Any, ...]) -> RaggedTensorSpec:
        """The specification of the tensor, whose first dimensions are given."""
        shape = [*outer, None, *self.dims]
        return RaggedTensorSpec(
            shape, self.dtype, len(outer) + self.partitioned, self.feature.row_splits_dtype
        )

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """The flat values and the splits."""
        return specs_of_ragged(self.spec(batch))

    def arrays(self, columns: Columns) -> list[np.ndarray]:
        """The values of each record, divided."""
        counts, flat = columns[self.key.encode()]
        counts = np.maximum(counts, 0)
        splits: list[np.ndarray] = []
        for part in self.feature.partitions[::-1]:
            if isinstance(part, UniformRowLength):
                length = int(part.length)
                if (counts % length if length else counts).any():
                    raise self.error(f"has records that can't be divided into rows of {length}.")
                counts = counts // length if length else counts
                if splits:
                    splits.insert(0, np.arange(int(counts.sum()) + 1) * length)
                else:
                    flat = flat.reshape(-1, length, *flat.shape[1:])
                continue
            counts, found = self._divided(part, columns[part.key.encode()], counts)
            splits.insert(0, found)
        splits.insert(0, _ends(counts))
        return [flat, *(s.astype(self.feature.row_splits_dtype.np) for s in splits)]

    def _divided(self, part: Any, column: Values, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of rows of the records, and where the items of rows begin and end."""
        counts, given = np.maximum(column.counts, 0), column.flat
        first = np.cumsum(items) - items
        total = int(items.sum())
        if isinstance(part, RowLengths):
            ends = np.cumsum(given)
        elif isinstance(part, (RowSplits, RowLimits)):
            ends = given + np.repeat(first, counts)
            if isinstance(part, RowSplits):
                begins = np.cumsum(counts) - counts
                keep = np.ones(len(given), bool)
                keep[begins[counts > 0]] = False
                if (given[~keep] != 0).any():
                    raise self.error(f"has row splits {part.key!r} that don't begin with 0.")
                ends, counts = ends[keep], np.maximum(counts - 1, 0)
        elif isinstance(part, RowStarts):
            starts = given + np.repeat(first, counts)
            if len(starts) and (
                starts[0] != 0 or (given[(np.cumsum(counts) - counts)[counts > 0]] != 0).any()
            ):
                raise self.error(f"has row starts {part.key!r} that don't begin with 0.")
            ends = np.append(starts[1:], total) if len(starts) else starts
        else:
            return self._numbered(counts, given, items)
        splits = np.concatenate([[0], ends]).astype(np.int64)
        aligned = np.array_equal(splits[np.cumsum(counts)], np.cumsum(items))
        if (np.diff(splits) < 0).any() or not aligned:
            raise self.error(f"can't be divided into rows by {part.key!r}: {given[:8].tolist()}.")
        return counts, splits

    def _numbered(self, counts: np.ndarray, numbers: np.ndarray, items: np.ndarray) -> Any:
        """The same by the numbers of the rows."""
        if not np.array_equal(counts, items):
            raise self.error("needs as many row numbers as values.")
        starts = np.cumsum(counts) - counts
        rows = np.zeros(len(counts), np.int64)
        filled = np.flatnonzero(counts)
        if filled.size:
            rows[filled] = np.maximum.reduceat(numbers, starts[filled]) + 1
        placed = numbers + np.repeat(np.cumsum(rows) - rows, counts)
        if len(numbers) and (numbers.min() < 0 or (np.diff(placed) < 0).any()):
            raise self.error("needs row numbers that are not negative and ascend.")
        return rows, _ends(np.bincount(placed, minlength=int(rows.sum())))

    def alone(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Without the splits of the records."""
        return [arrays[0], *arrays[2:]]

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """A ragged tensor; a tensor where nothing is ragged."""
        return ragged_of(self.spec(batch), parts)


def specs_of_ragged(spec: RaggedTensorSpec) -> list[Spec]:
    """The specifications of flat values and splits."""
    return [Spec(s.shape._dims, s.dtype.np) for s in spec._component_specs]  # type: ignore[attr-defined]


def ragged_of(spec: RaggedTensorSpec, parts: Iterator[Any]) -> Any:
    """The ragged tensor of the next of `parts`."""
    return spec._from_components([next(parts) for _ in range(spec.ragged_rank + 1)])


def _ends(counts: np.ndarray) -> np.ndarray:
    splits = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=splits[1:])
    return splits


_FORMS: dict[type, type[Form]] = {
    FixedLenFeature: Fixed, FixedLenSequenceFeature: Rows, VarLenFeature: Var, SparseFeature: Indexed, RaggedFeature: Ragged,
}  # fmt: skip


def form_of(name: str, feature: Any, what: str) -> Form:
    """The form of a description; ValueError where its shape is not known or a sequence can't be left out."""
    return _FORMS[type(feature)](name, feature, what)

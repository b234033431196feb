"""The features of many serialized `tf.train.Example` records as columns.

Many records are read side by side: the first entry of all of them, then the second, and so on, with NumPy doing each step for
all records. A few records, and records of an unusual layout, are read one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import DataLossError, invalid
from headwater._src.io import wire

FEWEST = 12
"""Fewer records than this are read one by one."""
_LONG = 48
"""Values of more bytes a record are joined as slices, shorter ones gathered byte by byte."""

STRINGS, FLOATS, INTEGERS = 1, 2, 3
_HELD = {STRINGS: "strings", FLOATS: "floats", INTEGERS: "integers"}
_DTYPES: dict[int, Any] = {STRINGS: np.dtype(object), FLOATS: np.dtype("<f4"), INTEGERS: np.dtype(np.int64)}


class Values(NamedTuple):
    """One feature of many records: how many values each has, -1 where it leaves the feature out, and all values in a row."""

    counts: np.ndarray
    flat: np.ndarray

    def part(self, start: int, stop: int, ends: np.ndarray) -> Values:
        """The records from start to stop; `ends` is where the values of each record end."""
        first = int(ends[start - 1]) if start else 0
        return Values(self.counts[start:stop], self.flat[first : int(ends[stop - 1]) if stop else 0])


def read(records: Sequence[bytes], kinds: dict[bytes, int], where: str) -> dict[bytes, Values]:
    """The features `kinds` (name -> kind of list) of serialized examples.

    Raises:
      InvalidArgumentError: a record is damaged, or holds values of another kind.
    """
    if len(records) >= FEWEST:
        try:
            return _Together(records, kinds).read()
        except (_UnusualError, DataLossError, IndexError):  # IndexError: a place behind the end
            pass
    try:
        rows = [_example(r, kinds) for r in records]
    except DataLossError as error:
        raise invalid(f"{where}: a record can't be read. {error}") from None
    return {name: column([row.get(name, _NONE) for row in rows], name, kinds[name], where) for name in kinds}


def column(found: list[tuple[int, Any]], name: bytes, kind: int, where: str) -> Values:
    """The column of what records hold, each a pair of a kind and values."""
    counts = np.empty(len(found), np.int64)
    parts: list[Any] = []
    for i, (own, values) in enumerate(found):
        if own == 0:
            counts[i] = -1
            continue
        if own != kind:
            raise invalid(
                f"{where}: the feature {name.decode('utf-8', 'replace')!r} of record {i} holds {_HELD[own]}; "
                f"{_HELD[kind]} were expected."
            )
        counts[i] = len(values)
        parts.append(values)
    if kind == FLOATS:
        flat = np.concatenate(parts) if parts else np.empty(0, _DTYPES[kind])
    else:
        flat = array_of([v for p in parts for v in p], kind)
    return Values(counts, flat)


def array_of(values: list[Any], kind: int) -> np.ndarray:
    """A list of values as an array."""
    if kind != STRINGS:
        return np.array(values, _DTYPES[kind])
    out = np.empty(len(values), object)
    out[:] = values
    return out


# -- one by one -------------------------------------------------------------------------------------------------------

_NONE: tuple[int, Any] = (0, None)


def feature(data: bytes, at: int, end: int) -> tuple[int, Any]:
    """The kind of a serialized `Feature`, 0 for none, and its values."""
    kind = 0
    values: Any = None
    for number, form, a, b in wire.fields(data, at, end):
        if form != wire.BYTES or not 1 <= number <= 3:
            continue
        kind = number
        if number == STRINGS:
            values = [data[c:d] for n, f, c, d in wire.fields(data, a, b) if n == 1 and f == wire.BYTES]
            continue
        parts: list[Any] = []
        for n, f, c, d in wire.fields(data, a, b):
            if n != 1:
                continue
            if number == FLOATS:
                parts.append(wire.floats(data, c, d))
            else:
                parts.append(wire.packed_ints(data, c, d) if f == wire.BYTES else [wire.signed(c)])
        if len(parts) == 1:
            values = parts[0]
        elif number == FLOATS:
            values = np.concatenate(parts) if parts else np.empty(0, np.float32)
        else:
            values = [x for p in parts for x in p]
    return kind, values


def features(data: bytes, at: int, end: int, wanted: Any) -> dict[bytes, tuple[int, Any]]:
    """The wanted features of a serialized `Features` message; of several with one name the last counts."""
    found: dict[bytes, tuple[int, Any]] = {}
    for number, form, a, b in wire.fields(data, at, end):
        if number != 1 or form != wire.BYTES:
            continue
        key, place = entry(data, a, b)
        if key in wanted:
            found[key] = _NONE if place is None else feature(data, *place)
    return found


def entry(data: bytes, at: int, end: int) -> tuple[bytes, tuple[int, int] | None]:
    """Name and place of the message in an entry of a map."""
    key, place = b"", None
    for number, form, a, b in wire.fields(data, at, end):
        if form == wire.BYTES and number == 1:
            key = data[a:b]
        elif form == wire.BYTES and number == 2:
            place = a, b
    return key, place


def _example(data: bytes, wanted: Any) -> dict[bytes, tuple[int, Any]]:
    found: dict[bytes, tuple[int, Any]] = {}
    for number, form, a, b in wire.fields(data):
        if number == 1 and form == wire.BYTES:
            found.update(features(data, a, b, wanted))
    return found


# -- side by side -----------------------------------------------------------------------------------------------------


class _UnusualError(Exception):
    """Records that are not of the usual layout, or damaged."""


def _must(condition: Any) -> None:
    if not condition:
        raise _UnusualError


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays of places are equal."""
    return a.tobytes() == b.tobytes()


class _Together:
    """Reads records of the usual layout: one field of features, each entry a name and then a feature with one packed list."""

    def __init__(self, records: Sequence[bytes], kinds: dict[bytes, int]) -> None:
        self.kinds = kinds
        self.data = b"".join([*records, b"\0" * 16])
        self.bytes = np.frombuffer(self.data, np.uint8)
        lengths = np.fromiter(map(len, records), np.int64, len(records))
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.places = {name: np.full((2, len(records)), -1) for name in kinds}
        """Where each wanted feature of each record begins and ends; -1 where it has none."""

    def read(self) -> dict[bytes, Values]:
        self._walk()
        return {name: self._values(name, kind) for name, kind in self.kinds.items()}

    def _tagged(self, at: np.ndarray, tag: int) -> tuple[np.ndarray, np.ndarray]:
        """Where the fields with this tag that are at these places begin and end."""
        _must(self.bytes[at].tobytes().count(tag) == len(at))
        byte = self.bytes[at + 1]
        start = at + 2
        if byte.tobytes().isascii():  # the sizes take one byte each
            return start, start + byte
        size = (byte & 127).astype(np.int64)
        more = np.flatnonzero(byte > 127)
        for bits in (7, 14, 21, 28):
            byte = self.bytes[at[more] + (bits // 7 + 1)]
            size[more] |= (byte & 127).astype(np.int64) << bits
            start[more] += 1
            more = more[byte > 127]
            if not more.size:
                return start, start + size
        raise _UnusualError

    def _walk(self) -> None:
        rows = np.arange(len(self.ends))
        at, end = self._tagged(self.starts, 10)
        _must(_same(end, self.ends))
        while True:
            going = at < end
            if not going.all():
                _must((at <= end).all())
                rows, at, end = rows[going], at[going], end[going]
                if not rows.size:
                    return
            start, stop = self._tagged(at, 10)
            name, value = self._tagged(start, 10)
            first, last = self._tagged(value, 18)
            _must(_same(last, stop))
            self._note(rows, name, value, first, last)
            at = stop

    def _note(
        self, rows: np.ndarray, a: np.ndarray, b: np.ndarray, first: np.ndarray, last: np.ndarray
    ) -> None:
        size = int(b[0] - a[0])
        if (b - a == size).all():
            name = self.data[int(a[0]) : int(b[0])]
            names = self.bytes[a[:, None] + np.arange(size)]
            if (names == names[0]).all():
                if name in self.kinds:
                    self.places[name][:, rows] = first, last
                return
        groups: dict[bytes, list[int]] = {}
        for i, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
            groups.setdefault(self.data[x:y], []).append(i)
        for name, found in groups.items():
            if name in self.kinds:
                self.places[name][:, rows[found]] = first[found], last[found]

    def _values(self, name: bytes, kind: int) -> Values:
        begin, end = self.places[name]
        counts = np.full(len(begin), -1)
        rows: Any = np.flatnonzero(begin < end)
        if rows.size == len(begin):
            rows = slice(None)
        begin, end = begin[rows], end[rows]
        if not begin.size:
            return Values(counts, np.empty(0, _DTYPES[kind]))
        at, stop = self._tagged(begin, 8 * kind + 2)
        _must(_same(stop, end))
        if kind == STRINGS:
            counts[rows], flat = self._strings(at, stop)
            return Values(counts, flat)
        if (at == stop).any():  # empty lists
            _must((at == stop).all())
            counts[rows] = 0
            return Values(counts, np.empty(0, _DTYPES[kind]))
        at, end = self._tagged(at, 10)
        _must(_same(end, stop))
        counts[rows], flat = self._floats(at, end) if kind == FLOATS else self._integers(at, end)
        return Values(counts, flat)

    def _taken(self, at: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """The bytes in these places."""
        total = int(sizes.sum())
        if total > _LONG * len(at):
            data = memoryview(self.data)
            parts = [data[a:b] for a, b in zip(at.tolist(), (at + sizes).tolist(), strict=True)]
            return np.frombuffer(b"".join(parts), np.uint8)
        size = int(sizes[0])
        if (sizes == size).all():
            return self.bytes[at] if size == 1 else self.bytes[at[:, None] + np.arange(size)].reshape(-1)
        before = np.cumsum(sizes) - sizes
        return self.bytes[np.repeat(at - before, sizes) + np.arange(total)]

    def _floats(self, at: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sizes = end - at
        _must(not (sizes & 3).any())
        return sizes >> 2, self._taken(at, sizes).view("<f4")

    def _integers(self, at: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sizes = end - at
        _must((sizes > 0).all())
        found = self._taken(at, sizes)
        more = found > 127
        if not more.any():
            return sizes, found.astype(np.int64)
        _must((self.bytes[end - 1] < 128).all())
        last = np.flatnonzero(~more)
        starts = np.empty_like(last)
        starts[0] = 0
        np.add(last[:-1], 1, out=starts[1:])
        lengths = last - starts + 1
        longest = int(lengths.max())
        _must(longest <= 10)
        if longest <= 3:
            values = found[starts].astype(np.int64) & 127
            for i in range(1, longest):
                rows = np.flatnonzero(lengths > i)
                values[rows] |= (found[starts[rows] + i].astype(np.int64) & 127) << 7 * i
        else:
            shifts = 7 * (np.arange(found.size) - np.repeat(starts, lengths))
            values = np.add.reduceat((found & 127).astype(np.int64) << shifts, starts)
        if len(last) == len(sizes):  # as each record's last byte ends a number, each has one
            return np.ones(len(sizes), np.int64), values
        ends = np.searchsorted(last, np.cumsum(sizes) - 1, "right")
        return np.diff(ends, prepend=0), values

    def _strings(self, at: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        data = self.data
        if (at < end).all():
            a, b = self._tagged(at, 10)
            if _same(b, end):
                found = [data[x:y] for x, y in zip(a.tolist(), b.tolist(), strict=True)]
                return np.ones(len(at), np.int64), array_of(found, STRINGS)
        found, counts = [], []
        for p, stop in zip(at.tolist(), end.tolist(), strict=True):
            before = len(found)
            while p < stop:
                size = data[p + 1]
                _must(data[p] == 10)
                p += 2
                if size > 127:
                    size, p = wire.read_varint(data, p - 1)
                found.append(data[p : p + size])
                p += size
            _must(p == stop)
            counts.append(len(found) - before)
        return np.array(counts, np.int64), array_of(found, STRINGS)

"""Records that differ in their values alone, parsed together.

Records of one writer often have the same length and the same bytes around their values. Then the first one tells where the
values are, one comparison shows that the others agree, and the values of all are columns of one matrix of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import DataLossError
from headwater._src.io import wire

FEWEST = 4
"""For fewer records the matrix is not worth its making."""

_BYTES, _FLOATS, _INTS = 1, 2, 3


def parsed(records: Sequence[bytes], kinds: dict[bytes, int]) -> dict[bytes, Any] | None:
    """The values of the features `kinds` (name -> kind of list) in records of one length.

    Returns:
      For numbers a matrix with a row for each record, for strings a list of one string for each record; None where the records
      are not alike, or leave a feature out, or hold it otherwise than as one packed list of the kind (or one string).
    """
    first = records[0]
    try:
        places, free = _layout(first, kinds)
    except DataLossError:
        return None
    if places is None or len(places) != len(kinds):
        return None
    matrix = np.frombuffer(b"".join(records), np.uint8).reshape(len(records), len(first))
    fixed = np.ones(len(first), bool)
    for a, b in free:
        fixed[a:b] = False
    where = np.flatnonzero(fixed)
    if not (matrix[:, where] == matrix[0, where]).all():
        return None
    found: dict[bytes, Any] = {}
    for name, (kind, a, b) in places.items():
        if kind == _BYTES:
            found[name] = [r[a:b] for r in records]
        elif kind == _FLOATS:
            found[name] = np.ascontiguousarray(matrix[:, a:b]).view("<f4")
        else:
            values = _integers(matrix[:, a:b])
            if values is None:
                return None
            found[name] = values
    return found


def _integers(columns: np.ndarray) -> np.ndarray | None:
    """The varints in the rows of a matrix; None where they have other lengths in one row than in another."""
    more = columns > 127
    if not more.any():
        return columns.astype(np.int64)
    if not (more == more[0]).all() or more[0, -1]:
        return None
    last = np.flatnonzero(~more[0])
    starts = np.concatenate([[0], last[:-1] + 1])
    lengths = last - starts + 1
    if lengths.max() > 10:
        return None
    shifts = 7 * (np.arange(columns.shape[1]) - np.repeat(starts, lengths))
    return np.add.reduceat((columns & 127).astype(np.int64) << shifts, starts, axis=1)


def _layout(data: bytes, kinds: dict[bytes, int]) -> tuple[dict[bytes, Any] | None, list[tuple[int, int]]]:
    """Where the values of the wanted features are, and which bytes may differ; None for an unusual layout."""
    places: dict[bytes, Any] = {}
    free: list[tuple[int, int]] = []
    for number, form, a, b in wire.fields(data):
        if number != 1 or form != wire.BYTES:
            return None, free
        for inner, inner_form, c, d in wire.fields(data, a, b):
            if inner != 1 or inner_form != wire.BYTES:
                return None, free
            entry = list(wire.fields(data, c, d))
            if [(n, f) for n, f, _, _ in entry] != [(1, wire.BYTES), (2, wire.BYTES)]:
                return None, free
            name = data[entry[0][2] : entry[0][3]]
            start, stop = entry[1][2:]
            if name not in kinds:
                free.append((start, stop))
                continue
            place = _values(data, start, stop, kinds[name])
            if place is None or name in places:
                return None, free
            places[name] = (kinds[name], *place)
            free.append(place)
    return places, free


def _values(data: bytes, start: int, stop: int, kind: int) -> tuple[int, int] | None:
    """Where the only list of values of a feature is."""
    feature = list(wire.fields(data, start, stop))
    if len(feature) != 1 or feature[0][:2] != (kind, wire.BYTES):
        return None
    held = list(wire.fields(data, *feature[0][2:]))
    if len(held) != 1 or held[0][:2] != (1, wire.BYTES):
        return None
    a, b = held[0][2:]
    if kind != _BYTES and (a == b or (kind == _FLOATS and (b - a) % 4)):
        return None
    return a, b

"""Records read side by side against the same records read one by one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.base.errors import OpError
from headwater._src.io import columns

KINDS = {b"s": columns.STRINGS, b"f": columns.FLOATS, b"i": columns.INTEGERS, b"long name": columns.INTEGERS}


def record(draw: random.Random, names: list[bytes], usual: bool) -> bytes:
    train = tf.train
    feature: dict[str, Any] = {}
    for name in names:
        count = draw.choice([0, 1, 1, 2, 5]) if not usual else draw.choice([1, 1, 2])
        kind = KINDS.get(name, columns.INTEGERS)
        if kind == columns.STRINGS:
            values: Any = [draw.randbytes(draw.choice([0, 1, 3, 200])) for _ in range(count)]
            made = train.Feature(bytes_list=train.BytesList(value=values))
        elif kind == columns.FLOATS:
            made = train.Feature(float_list=train.FloatList(value=[draw.random() for _ in range(count)]))
        else:
            bits = draw.choice([6, 7, 14, 30, 62])
            values = [
                draw.randrange(-(1 << bits) if draw.random() < 0.2 else 0, 1 << bits) for _ in range(count)
            ]
            made = train.Feature(int64_list=train.Int64List(value=values))
        feature[name.decode()] = made
    return train.Example(features=train.Features(feature=feature)).SerializeToString()


def alone(records: list[bytes]) -> Any:
    """The columns that reading one by one gives, or the class of the error."""
    few, columns.FEWEST = columns.FEWEST, len(records) + 1
    try:
        return columns.read(records, KINDS, "test")
    except OpError as error:
        return type(error)
    finally:
        columns.FEWEST = few


def together(records: list[bytes]) -> Any:
    """The same side by side."""
    try:
        return columns.read(records, KINDS, "test")
    except OpError as error:
        return type(error)


def same(a: Any, b: Any) -> bool:
    if not isinstance(a, dict) or not isinstance(b, dict):
        return a is b
    return all(
        np.array_equal(a[k].counts, b[k].counts) and a[k].flat.dtype == b[k].flat.dtype
        and a[k].flat.tolist() == b[k].flat.tolist() for k in KINDS
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_side_by_side_gives_what_one_by_one_does(seed: int) -> None:
    draw = random.Random(seed)
    names = [*KINDS, b"other"]
    if seed % 3 == 0:
        names = draw.sample(names, 3)
    records = []
    for _ in range(columns.FEWEST + draw.randrange(40)):
        if seed % 2:
            draw.shuffle(names)
        own = names if seed % 5 else [n for n in names if draw.random() < 0.8]
        records.append(record(draw, own, usual=seed % 4 == 0))
    assert same(together(records), alone(records))


def test_the_usual_layout_is_read_side_by_side() -> None:
    draw = random.Random(0)
    records = [record(draw, [*KINDS, b"other"], usual=True) for _ in range(50)]
    assert columns._Together(records, KINDS).read()[b"i"].counts.min() == 1


@pytest.mark.parametrize("seed", range(12))
def test_damaged_records_are_errors_or_read_alike(seed: int) -> None:
    draw = random.Random(seed)
    whole = [record(draw, [*KINDS], usual=True) for _ in range(20)]
    for _ in range(12):
        records = list(whole)
        number = draw.randrange(len(records))
        data = bytearray(records[number])
        for _ in range(draw.choice([1, 1, 3])):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.3:
            del data[draw.randrange(len(data)) :]
        records[number] = bytes(data)
        assert same(together(records), alone(records))

"""What is read and computed for many elements at once must look as if it were done one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headwater as tf

D = tf.data.Dataset
INT = tf.io.FixedLenFeature([], tf.int64)


def example(*values: int) -> bytes:
    feature = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Example(features=tf.train.Features(feature={"a": feature})).SerializeToString()


def records(count: int, bad: int | None = None) -> list[bytes]:
    return [example(1, 2) if i == bad else example(i * 37) for i in range(count)]


def numbers(dataset: Any) -> list[Any]:
    return [e["a"].numpy().tolist() for e in dataset]


def many(serialized: Any) -> Any:
    return tf.io.parse_example(serialized, {"a": INT})


def one(serialized: Any) -> Any:
    return tf.io.parse_single_example(serialized, {"a": INT})


@pytest.mark.parametrize("size", [1, 7, 32, 1500])
@pytest.mark.parametrize("drop", [False, True])
def test_batches_of_records(tmp_path: Path, size: int, drop: bool) -> None:
    path = str(tmp_path / "rows")
    with tf.io.TFRecordWriter(path) as writer:
        for record in records(2500):
            writer.write(record)
    wanted = [i * 37 for i in range(2500)] * 2
    expected = [wanted[i : i + size] for i in range(0, 5000, size)]
    if drop and len(expected[-1]) < size:
        expected.pop()
    dataset = tf.data.TFRecordDataset(path).repeat(2).batch(size, drop_remainder=drop).map(many)
    assert numbers(dataset) == expected
    assert numbers(dataset) == expected
    assert "parsed at once" in dataset.explain()


@pytest.mark.parametrize(
    ("pipeline", "before"),
    [
        (lambda d: d.batch(8).map(many), 8),
        (lambda d: d.map(one).batch(8), 8),
        (lambda d: d.map(one), 70),
        (lambda d: d.map(one).shuffle(10, seed=1), 60),
        (lambda d: d.map(one).shuffle(10, seed=1).batch(8), 7),
        (lambda d: d.map(one).filter(lambda e: e["a"] % 2 == 0), 35),
    ],
)  # fmt: skip
def test_an_error_comes_where_its_record_does(pipeline: Any, before: int) -> None:
    iterator = iter(pipeline(D.from_tensor_slices(records(100, bad=70))))
    for _ in range(before):
        next(iterator)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"record [06] has 2 values.*test_ahead.py"):
        next(iterator)


def test_shuffled_columns_have_the_order_of_shuffled_rows(tmp_path: Path) -> None:
    path = str(tmp_path / "rows")
    with tf.io.TFRecordWriter(path) as writer:
        for record in records(3000):
            writer.write(record)
    for size in (1, 3, 100, 2999, 3000, 5000):
        rows = D.from_tensor_slices(records(3000)).shuffle(size, seed=5, reshuffle_each_iteration=False)
        read = tf.data.TFRecordDataset(path).shuffle(size, seed=5, reshuffle_each_iteration=False)
        expected = [r.numpy() for r in rows]
        assert [r.numpy() for r in read] == expected
        assert [s for b in read.batch(64) for s in b.numpy().tolist()] == expected


def test_interleaved_files_are_read_in_turns(tmp_path: Path) -> None:
    paths = []
    for i in range(3):
        paths.append(str(tmp_path / str(i)))
        with tf.io.TFRecordWriter(paths[-1]) as writer:
            for k in range(i + 2):
                writer.write(b"%d-%d" % (i, k))
    made = D.from_tensor_slices(paths).interleave(tf.data.TFRecordDataset, cycle_length=2, block_length=2)
    expected = [b"0-0", b"0-1", b"1-0", b"1-1", b"1-2", b"2-0", b"2-1", b"2-2", b"2-3"]
    assert [e.numpy() for e in made] == expected
    assert [s for b in made.batch(4) for s in b.numpy().tolist()] == expected
    flat = D.from_tensor_slices(paths).flat_map(tf.data.TFRecordDataset)
    assert [s for b in flat.batch(4) for s in b.numpy().tolist()] == sorted(expected)


def test_a_shuffle_of_long_records_reads_no_more_than_it_needs() -> None:
    from headwater._src.data.columns import Columns, ShuffledColumns
    from headwater._src.data.shuffling import Shuffler

    class Long(Columns):
        read_so_far = 0

        def read(self, count: int) -> Any:
            out = np.empty(count, object)
            out[:] = [bytes([self.read_so_far % 251]) * 100_000] * count
            self.read_so_far += count
            return [out]

    source = Long()
    shuffled = ShuffledColumns(source, Shuffler(100, 1, False).lists)
    for _ in range(20):
        assert len(shuffled.read(10)[0]) <= 10
    assert source.read_so_far <= 100 + 200 + 64


def test_long_and_short_records_are_shuffled_alike(tmp_path: Path) -> None:
    orders = []
    for size in (3, 40_000):
        path = str(tmp_path / str(size))
        with tf.io.TFRecordWriter(path) as writer:
            for i in range(300):
                writer.write(b"%03d" % i + bytes(size))
        shuffled = tf.data.TFRecordDataset(path).shuffle(50, seed=4).batch(7)
        orders.append([t[:3] for batch in shuffled for t in batch.numpy().tolist()])
    assert orders[0] == orders[1]

"""`Dataset.fingerprint`: equal expressions have equal numbers, others have others, in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

import headwater as tf

D = tf.data.Dataset
r = D.range(5)


def _parsed(name: str) -> Any:
    features = {name: tf.io.FixedLenFeature([], tf.int64, 0)}
    return D.from_tensor_slices([b""]).batch(1).map(lambda s: tf.io.parse_example(s, features))


def _generated(value: int) -> Any:
    if value:
        return D.from_generator(lambda: iter([1]), output_signature=tf.TensorSpec([], tf.int32))
    return D.from_generator(lambda: iter([2]), output_signature=tf.TensorSpec([], tf.int32))


MADE: list[Any] = [
    lambda: r,
    lambda: D.range(6),
    lambda: r.map(lambda x: x + 1),
    lambda: r.map(lambda x: x + 2),
    lambda: r.map(lambda x: x * 2),
    lambda: r.map(lambda x: tf.cond(x > 2, lambda: x, lambda: x * 2)),
    lambda: r.map(lambda x: tf.cond(x > 2, lambda: x, lambda: x * 3)),
    lambda: r.filter(lambda x: x > 1),
    lambda: r.shuffle(3, seed=1),
    lambda: r.shuffle(4, seed=1),
    lambda: r.batch(2),
    lambda: r.batch(2, drop_remainder=True),
    lambda: D.from_tensor_slices([1, 2]),
    lambda: D.from_tensor_slices([1, 3]),
    lambda: D.from_tensor_slices([1.0, 2.0]),
    lambda: D.from_tensor_slices(["a", "b"]),
    lambda: r.interleave(lambda x: D.range(x), cycle_length=2),
    lambda: r.interleave(lambda x: D.range(x + 1), cycle_length=2),
    lambda: r.window(3),
    lambda: r.group_by_window(lambda x: x % 2, lambda k, w: w.batch(2), 3),
    lambda: D.zip((r, r)),
    lambda: D.zip({"a": r, "b": r}),
    lambda: _parsed("a"),
    lambda: _parsed("b"),
    lambda: _generated(0),
    lambda: _generated(1),
]


def _numbers() -> list[int]:
    return [int(made().fingerprint()) for made in MADE]


def test_other_expressions_have_other_numbers() -> None:
    assert len(set(_numbers())) == len(MADE)


def test_equal_expressions_have_equal_numbers_in_every_process() -> None:
    code = "import test_fingerprints as t; print(t._numbers())"
    paths = [os.path.dirname(__file__), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "5"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert found.stdout.strip() == str(_numbers()), found.stderr


def test_seeds_do_not_count() -> None:
    first = int(r.shuffle(3, seed=1).fingerprint())
    assert first == int(r.shuffle(3, seed=2).fingerprint()) == int(r.shuffle(3).fingerprint())


def test_a_snapshot_belongs_to_its_data_set(tmp_path: Any) -> None:
    path = str(tmp_path)
    calls = []

    def doubled(x: Any) -> Any:
        calls.append(1)
        return x * 2

    source = r.map(lambda x: tf.py_function(doubled, [x], tf.int64))
    for _ in range(2):
        assert [int(x) for x in source.snapshot(path)] == [0, 2, 4, 6, 8]
        assert [int(x) for x in r.snapshot(path)] == [0, 1, 2, 3, 4]
    assert len(calls) == 5


@pytest.mark.parametrize("names", [("a", "a"), ("a", "b")])
def test_constants_in_arrays_of_strings_count(names: tuple[str, str]) -> None:
    first, second = (D.from_tensors(n).map(lambda x, n=n: x + n) for n in names)
    assert (int(first.fingerprint()) == int(second.fingerprint())) == (names[0] == names[1])

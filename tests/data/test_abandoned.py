"""Iterations that nobody finishes leave no threads behind and nothing in memory."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import headwater as tf

ROUNDS = 500


def _counted() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _python(x: Any) -> Any:
    return tf.py_function(lambda v: v + 1, [x], tf.int64)


def _pipelines() -> dict[str, Any]:
    data = tf.data.Dataset
    generator = data.from_generator(_counted, output_signature=tf.TensorSpec([], tf.int64))
    return {
        "parallel map": data.range(1000).map(_python, num_parallel_calls=4),
        "prefetch": generator.prefetch(4),
        "interleave": data.range(50).interleave(
            lambda x: data.range(1000).map(_python), cycle_length=4, num_parallel_calls=4
        ).prefetch(2),
        "all": generator.map(_python, 4).batch(2).prefetch(2),
    }  # fmt: skip


def _settled(before: int) -> int:
    """How many more threads there are than before, once those that end have had time to."""
    deadline = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    return threading.active_count() - before


@pytest.mark.parametrize("name", _pipelines())
def test_abandoned_iterations_leave_nothing(name: str) -> None:
    dataset = _pipelines()[name]
    before = threading.active_count()
    counts = []
    for _ in range(2):
        for _ in range(ROUNDS // 2):
            iterator = iter(dataset)
            next(iterator)
            del iterator
        assert _settled(before) <= 0
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[1] - counts[0] < ROUNDS // 2  # less than one object for each abandoned iteration

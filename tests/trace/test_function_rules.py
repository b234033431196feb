"""What the chapter on `tf.function` asks to keep in mind: six rules, each shown."""

from __future__ import annotations

import random

import numpy as np
import pytest

import headwater as tf

t = tf.constant


def test_rule_1_a_graph_for_each_combination_of_dtypes_and_shapes():
    traced = []

    @tf.function
    def cube(x):
        traced.append((x.dtype, x.shape.as_list()))
        return x**3

    for x in (t(2.0), t(3.0), t(2), t([1.0, 2.0]), t([3.0, 4.0]), t([[1.0]])):
        assert cube(x).numpy().tolist() == (x.numpy() ** 3).tolist()
    assert traced == [(tf.float32, []), (tf.int32, []), (tf.float32, [2]), (tf.float32, [1, 1])]


def test_rule_2_other_libraries_run_while_tracing_only():
    random.seed(1)
    seen = []

    @tf.function
    def noise(x):
        seen.append("python")
        return x + np.random.default_rng().random() + random.random()

    @tf.function
    def real_noise(x):
        return x + tf.random.uniform([])

    assert len({float(noise(t(0.0))) for _ in range(5)}) == 1 and seen == ["python"]
    assert len({float(real_noise(t(0.0))) for _ in range(5)}) == 5


def clip(x, limit):
    if x > limit:
        return limit
    return x


def test_rule_3_other_functions_may_be_called_and_need_no_decorator():
    @tf.function
    def total(x, y):
        return clip(x, t(2.0)) + clip(y, t(2.0))

    assert [total(t(a), t(b)).numpy() for a, b in ((1.0, 5.0), (3.0, 0.5), (1.0, 1.0))] == [3.0, 2.5, 2.0]
    assert total.experimental_get_tracing_count() == 1


def test_rule_4_variables_are_made_outside_and_assigned_inside():
    counter = tf.Variable(0)

    @tf.function
    def count():
        counter.assign_add(1)
        return counter * 10

    assert [count().numpy() for _ in range(3)] == [10, 20, 30] and counter.numpy() == 3

    @tf.function
    def wrong():
        return tf.Variable(1.0) + 1.0

    with pytest.raises(
        ValueError, match=r"'wrong' makes the variable 'Variable:0'.*make it outside of the function"
    ):
        wrong()


def test_rule_5_the_source_must_be_there():
    scope = {"tf": tf}
    exec("def sign(x):\n    if x > 0:\n        return 1\n    return -1\n", scope)
    unseen = tf.function(scope["sign"])
    with pytest.raises(TypeError, match="symbolic"):
        unseen(t(1.0))
    assert unseen(2.0).numpy() == 1, "Python values need no conversion"


def test_rule_6_loops_run_over_tensors_and_data_sets():
    @tf.function
    def over_tensor(n):
        total = 0
        for i in tf.range(n):
            total += i
        return total

    assert [over_tensor(t(n)).numpy() for n in (3, 5, 10)] == [3, 10, 45]
    assert over_tensor.experimental_get_tracing_count() == 1

    @tf.function
    def over_python(n):
        total = 0
        for i in range(n):
            total += i
        return total

    assert [over_python(n).numpy() for n in (3, 5)] == [3, 10]
    assert over_python.experimental_get_tracing_count() == 2, (
        "a Python loop is unrolled into a graph of its own"
    )

    @tf.function
    def over_data_set(data):
        total = t(0.0)
        for x in data:
            total += x
        return total

    assert over_data_set(tf.data.Dataset.from_tensor_slices([1.0, 2.0, 3.0])).numpy() == 6.0

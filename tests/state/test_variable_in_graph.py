"""Variables inside graphs: reads are inputs, assignments take effect when the graph has run, in the order of the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.core.graph import FuncGraph
from headwater._src.engine.closed import close
from headwater._src.trace.call import GraphFunction

START = np.arange(6, dtype=np.float32).reshape(3, 2)


def _slices(values: Any, rows: Any) -> Any:
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows))


UPDATES: dict[str, Callable[[Any], Any]] = {
    "assign": lambda v: v.assign(v * 2.0),
    "assign_add": lambda v: v.assign_add(tf.ones([3, 2])),
    "assign_sub": lambda v: v.assign_sub(tf.ones([3, 2])),
    "twice": lambda v: (v.assign_add(tf.ones([3, 2])), v.assign(v * v)),
    "slice": lambda v: v[1].assign([9.0, 8.0]),
    "strided": lambda v: v[::2, 0].assign([9.0, 8.0]),
    "scatter_update": lambda v: v.scatter_update(_slices([[1.0, 1.0]], [2])),
    "scatter_add": lambda v: v.scatter_add(_slices([[1.0, 1.0], [2.0, 2.0]], [0, 0])),
    "scatter_nd_sub": lambda v: v.scatter_nd_sub([[0, 1], [2, 0]], [5.0, 6.0]),
    "scatter_max": lambda v: v.scatter_max(_slices([[9.0, 0.0]], [1])),
}


@pytest.mark.parametrize("name", UPDATES)
def test_updates_equal_those_of_eager_code(name: str) -> None:
    eager, traced = tf.Variable(START), tf.Variable(START)
    UPDATES[name](eager)
    graph = FuncGraph(name)
    with graph.as_default():
        before = tf.identity(traced)
        UPDATES[name](traced)
        after = tf.identity(traced)
    assert np.array_equal(traced.numpy(), START), "tracing must not change a variable"
    first, second = GraphFunction(close(graph, [before, after]), False)([])
    np.testing.assert_array_equal(first.numpy(), START)
    np.testing.assert_array_equal(second.numpy(), eager.numpy())
    np.testing.assert_array_equal(traced.numpy(), eager.numpy())


def test_a_failed_call_leaves_all_variables_as_they_were() -> None:
    first, second = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    graph = FuncGraph("fails")
    with graph.as_default():
        x = graph.placeholder([None], tf.float32, "x")
        first.assign_add([1.0, 1.0])
        second.assign(x)
    run = GraphFunction(close(graph, []), False)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run([tf.constant([1.0, 2.0, 3.0])])
    assert first.numpy().tolist() == second.numpy().tolist() == [1.0, 2.0]
    run([tf.constant([5.0, 6.0])])
    assert first.numpy().tolist() == [2.0, 3.0] and second.numpy().tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda v: v.assign(tf.ones([4])), ValueError),
        (lambda v: v.assign_add(tf.ones([4])), ValueError),
        (lambda v: v.assign(tf.constant([1, 2])), ValueError),
    ],
    ids=["shape", "delta", "dtype"],
)
def test_misfits_are_refused_while_tracing(act: Callable[[Any], Any], error: type[Exception]) -> None:
    v = tf.Variable([1.0, 2.0])
    with FuncGraph("bad").as_default(), pytest.raises(error):
        act(v)


def test_initial_values_are_computed_outside_of_the_graph() -> None:
    with FuncGraph("creates").as_default() as graph:
        v = tf.Variable(lambda: tf.ones([2]) * 3.0)
        w = tf.Variable(tf.ones([2]) + 1.0)
        x = graph.placeholder([2], tf.float32, "x")
        with pytest.raises(ValueError, match="argument of the function"):
            tf.Variable(x)
    assert v.numpy().tolist() == [3.0, 3.0] and w.numpy().tolist() == [2.0, 2.0]

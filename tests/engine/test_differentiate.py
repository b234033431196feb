"""Gradients of traced graphs: first and second order, through variables, custom gradients and sparse slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.core.graph import FuncGraph
from headwater._src.engine.closed import close
from headwater._src.trace.call import GraphFunction


def traced(f: Callable[..., Any], *specs: Any, jit_compile: bool | None = False) -> GraphFunction:
    graph = FuncGraph(getattr(f, "__name__", "f"))
    with graph.as_default():
        results = f(*[graph.placeholder(s, tf.float32, f"x{i}") for i, s in enumerate(specs)])
    return GraphFunction(close(graph, results if isinstance(results, list) else [results]), jit_compile)


def _custom(x: Any) -> Any:
    return x * 2.0, lambda g: g * 7.0


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "chain": lambda x, v: tf.reduce_sum(tf.tanh(x * v) ** 2),
    "matmul": lambda x, v: tf.reduce_sum(tf.matmul(x, tf.reshape(v, [3, 1])) ** 3),
    "broadcast": lambda x, v: tf.reduce_mean(tf.exp(x[:, :1]) * v + x),
    "gather": lambda x, v: tf.reduce_sum(tf.gather(v, [0, 2, 2]) ** 2) + tf.reduce_sum(x),
    "several": lambda x, v: tf.reduce_sum(tf.stack(tf.split(x * v, 3, axis=1)) ** 2),
    "custom": lambda x, v: tf.reduce_sum(tf.custom_gradient(_custom)(x) * v),
    "stop": lambda x, v: tf.reduce_sum(tf.stop_gradient(x * v) * x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_equal_those_of_eager_code(name: str) -> None:
    f = FUNCTIONS[name]
    v = tf.Variable([0.5, -1.0, 2.0])
    x = tf.constant(np.linspace(-1, 1, 6).reshape(2, 3).astype(np.float32))
    run = traced(lambda x: f(x, v), [2, 3])
    found = []
    for call in (lambda: f(x, v), lambda: run([x])[0]):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = call()
            gx, gv = inner.gradient(loss, [x, v])
            second = tf.reduce_sum(gx * gx)
        dense = None if gv is None else tf.convert_to_tensor(gv)
        found.append((loss, gx, dense, outer.gradient(second, x)))
    for eager, graph in zip(*found, strict=True):
        if eager is None:
            assert graph is None or not np.any(graph.numpy())
        else:
            np.testing.assert_allclose(graph.numpy(), eager.numpy(), rtol=1e-6, atol=1e-7)


def test_gradient_of_a_gather_stays_sparse() -> None:
    v = tf.Variable(np.ones((5, 2), np.float32))
    run = traced(lambda x: tf.reduce_sum(tf.gather(v, [1, 3]) * x), [])
    with tf.GradientTape() as tape:
        loss = run([tf.constant(2.0)])[0]
    gradient = tape.gradient(loss, v)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.indices.numpy().tolist() == [1, 3]


def test_an_input_that_does_not_matter_has_no_gradient() -> None:
    run = traced(lambda x, y: x * 2.0 + tf.stop_gradient(y), [], [])
    x, y = tf.constant(1.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        z = run([x, y])[0]
    gx, gy = tape.gradient(z, [x, y])
    assert float(gx) == 2.0 and gy is None


def test_no_gradient_flows_through_an_assignment() -> None:
    v = tf.Variable(1.0)

    def f(x: Any) -> Any:
        v.assign(x * 3.0)
        return v * x

    run = traced(f, [])
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = run([x])[0]
    assert float(tape.gradient(y, x)) == 6.0  # of v * x with v held at 6
    assert float(v) == 6.0


def test_captured_tensors_have_gradients() -> None:
    c = tf.constant(3.0)
    run = traced(lambda x: x * c, [])
    with tf.GradientTape() as tape:
        tape.watch(c)
        y = run([tf.constant(2.0)])[0]
    assert float(tape.gradient(y, c)) == 2.0


def test_a_call_inside_a_graph_becomes_part_of_it() -> None:
    v = tf.Variable(2.0)

    def inner(x: Any) -> Any:
        v.assign_add(1.0)
        return x * v

    called = traced(inner, [])

    def outer(x: Any) -> Any:
        first = called([x])[0]
        return first + called([x])[0]

    run = traced(outer, [])
    assert float(run([tf.constant(1.0)])[0]) == 3.0 + 4.0
    assert float(v) == 4.0
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = run([x])[0]
    assert float(tape.gradient(y, x)) == 5.0 + 6.0


def test_gradients_inside_a_graph() -> None:
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        first = tape.gradient(y, x)
        return [first, tf.gradients(first, x)[0]]

    first, second = traced(f, [])([tf.constant(2.0)])
    assert (float(first), float(second)) == (12.0, 12.0)

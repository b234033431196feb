"""Jacobians inside graphs: loops of backward walks give what eager walks give, with unknown shapes and derivatives of their own."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

A = np.array([0.5, -1.2, 2.0], np.float32)
M = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6], [-0.7, 0.2, 0.1]], np.float32)
X = np.linspace(-1.0, 2.0, 12, dtype=np.float32).reshape(4, 3)
VARIABLE = tf.Variable([1.0, 2.0, 3.0])


def of_a_product(x, m):
    with tf.GradientTape() as tape:
        tape.watch([x, m])
        y = tf.tanh(tf.linalg.matvec(m, x * VARIABLE))
    return tape.jacobian(y, [x, m, VARIABLE])


def of_a_loop(x, m):
    with tf.GradientTape() as tape:
        tape.watch(x)
        step = lambda i, h: (i + 1, tf.tanh(tf.linalg.matvec(m, h) + x))
        y = tf.while_loop(lambda i, h: i < 4, step, (0, x))[1]
    return tape.jacobian(y, x)


def of_a_gradient(x, m):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(tf.sin(tf.linalg.matvec(m, x)) ** 2)
        g = inner.gradient(y, x)
    return outer.jacobian(g, x)


def differentiated(x, m):
    with tf.GradientTape() as outer:
        outer.watch([x, m])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.sin(tf.linalg.matvec(m, x)) * x
        z = tf.reduce_sum(inner.jacobian(y, x) ** 2)
    return outer.gradient(z, [x, m])


def unconnected(x, m):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, m])
        y = x * 2.0
    zero = tape.jacobian(y, [x, m], unconnected_gradients="zero")
    assert tape.jacobian(y, m) is None
    return zero


def of_examples(x, m):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.stack([tf.sin(x @ m), x * tf.reduce_sum(x, 1, keepdims=True)], 2)
    return tape.batch_jacobian(y, x)


CASES = {
    f.__name__: (f, x)
    for f, x in [
        (of_a_product, A), (of_a_loop, A), (of_a_gradient, A), (differentiated, A), (unconnected, A), (of_examples, X),
    ]
}  # fmt: skip


def _same(found, wanted):
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(wanted), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a.numpy(), b.numpy(), 1e-4, 1e-5)


@pytest.mark.parametrize("jit", [False, True], ids=["plan", "xla"])
@pytest.mark.parametrize(("function", "x"), CASES.values(), ids=CASES)
def test_jacobians(function, x, jit):
    x, m = tf.constant(x), tf.constant(M)
    _same(tf.function(function, autograph=False, jit_compile=jit)(x, m), function(x, m))


@pytest.mark.parametrize(
    ("function", "x"), [(of_a_product, A), (of_examples, X)], ids=["whole", "by-example"]
)
def test_unknown_shapes(function, x):
    x, m = tf.constant(x), tf.constant(M)
    signature = [tf.TensorSpec([None] * len(x.shape)), tf.TensorSpec([None, None])]
    if function is of_a_product:
        signature[0] = tf.TensorSpec([3])
    _same(tf.function(function, input_signature=signature, autograph=False)(x, m), function(x, m))


def test_xla_runs_all_walks_at_once():
    """There is no loop left in the program."""
    run = tf.function(of_a_product, autograph=False, jit_compile=True)
    text = run.experimental_get_compiler_ir(tf.constant(A), tf.constant(M))(stage="hlo")
    assert "dot" in text
    assert "while" not in text


def test_xla_runs_vectorized_map_at_once():
    run = tf.function(lambda x: tf.vectorized_map(lambda r: r * r, x), autograph=False, jit_compile=True)
    assert "while" not in run.experimental_get_compiler_ir(tf.constant(X))(stage="hlo")
    assert run(tf.constant(X)).numpy().tolist() == (X * X).tolist()

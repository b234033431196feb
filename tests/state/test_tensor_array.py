"""`tf.TensorArray` in graphs: an object around a value, which control flow hands on. (Eager arrays: tests/ops/test_control.py.)"""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

X = np.arange(12, dtype=np.float32).reshape(4, 3)


def _write_all(array, x, count):
    step = lambda i, a: (i + 1, a.write(i, x[i] * 2.0))
    return tf.while_loop(lambda i, _: i < count, step, (0, array))[1]


def nested_structures(x):
    start = {"a": tf.TensorArray(tf.float32, 4), "b": [tf.TensorArray(tf.int32, 4), x[0]]}

    def body(i, v):
        return i + 1, {"a": v["a"].write(i, x[i]), "b": [v["b"][0].write(i, i * i), v["b"][1] + 1.0]}

    end = tf.while_loop(lambda i, _: i < 4, body, (0, start))[1]
    return end["a"].stack(), end["b"][0].stack(), end["b"][1]


def autograph_loop(x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for row in x:
        if tf.reduce_sum(row) > 20.0:
            array = array.write(array.size(), row)
    return array.stack()


VALUES = {
    "write": (lambda x: _write_all(tf.TensorArray(tf.float32, 4), x, 4).stack(), 2 * X),
    "unwritten": (lambda x: _write_all(tf.TensorArray(tf.float32, 3, element_shape=[3]), x, 2).stack(), [*(2 * X[:2]), [0] * 3]),
    "size": (lambda x: tf.TensorArray(tf.float32, tf.shape(x)[0] + 1).size(), 5),
    "size-grown": (lambda x: tf.TensorArray(tf.float32, 0, dynamic_size=True).write(6, x).size(), 7),
    "unstack": (lambda x: tf.TensorArray(tf.float32, 4).unstack(x).read(tf.shape(x)[1]), X[3]),
    "scalars": (lambda x: tf.TensorArray(tf.float32, 3).unstack(x[1]).read(2), 5.0),
    "gather": (lambda x: tf.TensorArray(tf.float32, 4).unstack(x).gather([3, 0, 0]), X[[3, 0, 0]]),
    "concat": (lambda x: tf.TensorArray(tf.float32, 2, infer_shape=False).write(0, x).write(1, x[:1]).concat(), [*X, X[0]]),
    "split": (lambda x: tf.TensorArray(tf.float32, 2, infer_shape=False).split(x, [1, 3]).read(1), X[1:]),
    "scatter": (lambda x: tf.TensorArray(tf.float32, 6, element_shape=[3]).scatter([5, 0], x[:2]).stack(), [X[1], *[[0] * 3] * 4, X[0]]),
    "identity": (lambda x: tf.TensorArray(tf.float32, 4).unstack(x).identity().stack(), X),
    "empty": (lambda x: tf.TensorArray(tf.float32, 0, element_shape=[3]).stack(), np.zeros((0, 3))),
    "old-one-stays": (lambda x: (lambda a: a.write(0, x[3]) and a.stack())(tf.TensorArray(tf.float32, 4).unstack(x)), X),
    "branch": (
        lambda x: tf.cond(x[0, 0] > 0.0, lambda: tf.TensorArray(tf.float32, 4), lambda: tf.TensorArray(tf.float32, 4).unstack(x)).stack(), X,
    ),
    "strings": (lambda x: tf.TensorArray(tf.string, 2).write(0, "a").write(1, "b").stack(), [b"a", b"b"]),
    "autograph": (autograph_loop, X[2:]),
    "nested": (nested_structures, (X, [0, 1, 4, 9], X[0] + 4)),
}  # fmt: skip


@pytest.mark.parametrize(("function", "wanted"), VALUES.values(), ids=VALUES)
def test_values(function, wanted):
    found = tf.function(function, jit_compile=False)(tf.constant(X))
    if isinstance(wanted, tuple):
        for a, b in zip(found, wanted, strict=True):
            assert a.numpy().tolist() == np.asarray(b).tolist()
    else:
        assert found.numpy().tolist() == np.asarray(wanted).tolist()


SHAPES = {
    "written": (lambda x: tf.TensorArray(tf.float32, 4).write(0, x[0]).stack(), (4, 3)),
    "given": (lambda x: tf.TensorArray(tf.float32, 4, element_shape=[None, 2]).stack(), (4, None, 2)),
    "loop": (lambda x: _write_all(tf.TensorArray(tf.float32, 4), x, 4).stack(), (4, 3)),
    "unstack": (lambda x: tf.TensorArray(tf.float32, 4).unstack(x).read(0), (3,)),
    "not-inferred": (lambda x: tf.TensorArray(tf.float32, 4, infer_shape=False).write(0, x[0]).read(0), None),
}


@pytest.mark.parametrize(("function", "shape"), SHAPES.values(), ids=SHAPES)
def test_static_shapes(function, shape):
    graph = tf.__internal__.FuncGraph("test")
    with graph.as_default():
        found = function(graph.placeholder([4, 3], "float32"))
    assert found.shape == tf.TensorShape(shape)


def test_its_flow_is_a_variant():
    graph = tf.__internal__.FuncGraph("test")
    with graph.as_default():
        array = tf.TensorArray(tf.float32, 4)
        assert array.flow.dtype == tf.variant
        assert tf.variant == array.flow.dtype
        assert isinstance(array, tf.TensorArray)
        assert tf.nest.flatten(array) == [array]
        (flow,) = tf.nest.flatten(array, expand_composites=True)
        assert flow is array.flow


ERRORS = {
    "rows": (lambda x: tf.TensorArray(tf.float32, 3).unstack(x), ValueError, "4 rows"),
    "scalar": (lambda x: tf.TensorArray(tf.float32, 3).unstack(x[0, 0]), tf.errors.InvalidArgumentError, "rank 1"),
    "dtype": (lambda x: tf.TensorArray(tf.int32, 3).write(0, x), tf.errors.InvalidArgumentError, "int32"),
    "outside": (lambda x: tf.TensorArray(tf.float32, 4).unstack(x).read(tf.shape(x)[0]), tf.errors.InvalidArgumentError, "index 4"),
    "shapes": (
        lambda x: tf.TensorArray(tf.float32, 2, infer_shape=False).write(0, x).write(1, x[0]).stack(),
        tf.errors.InvalidArgumentError, "one shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("function", "error", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(function, error, text):
    def run(x):
        result = function(x)
        return result.stack() if isinstance(result, tf.TensorArray) else result

    with pytest.raises(error, match=text):
        tf.function(run, jit_compile=False)(tf.constant(X))


def _either(y, array, other):
    return tf.cond(y[0] > 0.0, lambda: array().unstack(y * y), lambda: array().unstack(other(y)))


JITTED_BRANCHES = {
    "read": (lambda y: _either(y, lambda: tf.TensorArray(tf.float32, 3), lambda v: v).read(1), [0.0, 4.0, 0.0]),
    "gather": (lambda y: _either(y, lambda: tf.TensorArray(tf.float32, 3), lambda v: v).gather([0, 2, 2]), [2.0, 0.0, 12.0]),
    "concat": (
        lambda y: tf.cond(
            y[0] > 0.0,
            lambda: tf.TensorArray(tf.float32, 2).write(0, y).write(1, y * y),
            lambda: tf.TensorArray(tf.float32, 2).unstack([y, y]),
        ).concat(),
        [3.0, 5.0, 7.0],
    ),
    "loop": (
        lambda y: tf.while_loop(
            lambda i, _: i < 3, lambda i, a: (i + 1, a.write(i, y * tf.cast(i, tf.float32))), (0, tf.TensorArray(tf.float32, 3))
        )[1].read(2),
        [2.0, 2.0, 2.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize(("function", "wanted"), JITTED_BRANCHES.values(), ids=JITTED_BRANCHES)
def test_an_array_of_a_branch_is_differentiated_from_outside(function, wanted, jit):
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.function(function, jit_compile=jit, autograph=False)(x)
    assert tape.gradient(y, x).numpy().tolist() == wanted


def test_an_eager_array_is_an_argument():
    traces = []

    @tf.function
    def total(array, count):
        traces.append(array.element_shape)
        result = 0.0
        for i in tf.range(count):
            result += array.read(i)
        return result, array.write(0, 9.0)

    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        given = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x * x)
        result, written = total(given, tf.constant(3))
    assert result.numpy() == 14.0
    assert tape.gradient(result, x).numpy().tolist() == [2.0, 4.0, 6.0]
    assert written.stack().numpy().tolist() == [9.0, 4.0, 9.0]
    assert given.stack().numpy().tolist() == [1.0, 4.0, 9.0]
    total(tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(-x), tf.constant(2))
    assert len(traces) == 1
    total(tf.TensorArray(tf.float32, 4, clear_after_read=False).unstack([*x, 0.0]), tf.constant(2))
    assert len(traces) == 2


def test_an_argument_may_lack_elements():
    stacked = tf.function(lambda array: array.stack(), jit_compile=True, autograph=False)
    array = tf.TensorArray(tf.float32, 3, element_shape=[2]).write(1, [1.0, 2.0])
    assert stacked(array).numpy().tolist() == [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]

"""Symbolic tensors through control flow, Python functions and shape arithmetic: what the results will be."""

from __future__ import annotations

import pytest

import headwater as tf


def _traced(function):
    """The dtypes and shapes of what `function` gives for a float matrix [?, 3], an int scalar and a float matrix [4, 2]."""
    graph = tf.__internal__.FuncGraph("test")
    with graph.as_default():
        x, i, b = (
            graph.placeholder([None, 3], "float32"),
            graph.placeholder([], "int32"),
            graph.placeholder([4, 2], "float32"),
        )
        result = function(x, i, b)
        return tf.nest.map_structure(lambda t: f"{t.dtype.name}{t.shape}", result)


def _double(j, y):
    return j + 1, tf.concat([y, y], 0)


VARIABLE = tf.Variable([1.0, 2.0, 3.0])

SPECS = {
    "cond": (lambda x, i, b: tf.cond(i > 0, lambda: x * 2.0, lambda: x - VARIABLE), "float32(None, 3)"),
    "generalised": (lambda x, i, b: tf.cond(i > 0, lambda: (b, 1), lambda: (b[:2], 2)), ("float32(None, 2)", "int32()")),
    "nothing": (lambda x, i, b: tf.cond(i > 0, lambda: None, lambda: None) or i, "int32()"),
    "switch": (lambda x, i, b: tf.switch_case(i, [lambda: b, lambda: b + 1.0], lambda: b[1:]), "float32(None, 2)"),
    "case": (lambda x, i, b: tf.case([(i > 0, lambda: x), (i > 1, lambda: x * 3.0)], lambda: x), "float32(None, 3)"),
    "while": (lambda x, i, b: tf.while_loop(lambda j, y: j < i, lambda j, y: (j + 1, y * 2.0), (0, x)), ("int32()", "float32(None, 3)")),
    "list": (lambda x, i, b: tf.while_loop(lambda y: tf.reduce_sum(y) < 3.0, lambda y: [y * 2.0], [x]), ["float32(None, 3)"]),
    "invariants": (
        lambda x, i, b: tf.while_loop(lambda j, y: j < i, _double, (0, b), (tf.TensorShape([]), tf.TensorShape([None, 2]))),
        ("int32()", "float32(None, 2)"),
    ),
    "map": (lambda x, i, b: tf.map_fn(tf.reduce_sum, x), "float32(None,)"),
    "signature": (lambda x, i, b: tf.map_fn(lambda r: r > 0.0, b, fn_output_signature=tf.bool), "bool(4, 2)"),
    "vectorized": (lambda x, i, b: tf.vectorized_map(lambda r: (r, tf.argmax(r)), b), ("float32(4, 2)", "int64(4,)")),
    "foldl": (lambda x, i, b: tf.foldl(lambda a, r: a + r, b), "float32(2,)"),
    "scan": (lambda x, i, b: tf.scan(lambda a, r: a + tf.reduce_sum(r), x, initializer=0.0), "float32(None,)"),
}  # fmt: skip


def _checked(x, i, b):
    tf.debugging.assert_positive(x)
    tf.debugging.assert_near(x, x)
    tf.Assert(i > 3, [i])
    tf.print(x)
    return x


SPECS |= {
    "assertions": (_checked, "float32(None, 3)"),
    "python": (lambda x, i, b: tf.numpy_function(lambda a: a, [x], tf.float64), "float64<unknown>"),
    "pythons": (lambda x, i, b: tf.py_function(lambda a: a, [x], [tf.TensorSpec([2]), tf.int32]), ["float32(2,)", "int32<unknown>"]),
    # values that are known though the tensors are symbolic
    "range": (lambda x, i, b: tf.range(tf.shape(b)[0]), "int32(4,)"),
    "linspace": (lambda x, i, b: tf.linspace(0.0, 1.0, tf.shape(b)[0]), "float32(4,)"),
    "mask": (lambda x, i, b: tf.sequence_mask(tf.shape(x), tf.shape(b)[1]), "bool(2, 2)"),
    "repeat": (lambda x, i, b: tf.repeat(x, 2, axis=0), "float32(None, 3)"),
    "rank": (lambda x, i, b: tf.transpose(x, tf.range(tf.rank(x))[::-1]), "float32(3, None)"),
    "axes": (lambda x, i, b: tf.reduce_sum(x, axis=tf.range(1, tf.rank(x))), "float32(None,)"),
    "axis": (lambda x, i, b: tf.reduce_sum(x, axis=i), "float32<unknown>"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "expected"), SPECS.values(), ids=SPECS)
def test_specs(function, expected):
    assert _traced(function) == expected


REFUSED = {
    "branch-dtypes": (lambda x, i, b: tf.cond(i > 0, lambda: 1, lambda: 2.0), TypeError, "int32"),
    "branch-structure": (lambda x, i, b: tf.cond(i > 0, lambda: (b, 1), lambda: b), TypeError, "structure"),
    "loop-shape": (lambda x, i, b: tf.while_loop(lambda j, y: j < i, _double, (0, b)), ValueError, "shape_invariants"),
    "loop-shape-counted": (lambda x, i, b: tf.while_loop(lambda j, y: j < 2, _double, (0, b)), ValueError, "shape_invariants"),
    "loop-dtype": (
        lambda x, i, b: tf.while_loop(lambda j, y: j < i, lambda j, y: (j, tf.cast(y, tf.float64)), (0, b)), TypeError, "float64",
    ),
    "promise": (lambda x, i, b: tf.map_fn(lambda r: r > 0.0, b), tf.errors.InvalidArgumentError, "promised"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refusals(function, error, text):
    with pytest.raises(error, match=text):
        _traced(function)


def test_a_layer_with_control_flow_joins_a_functional_model():
    layers = tf.keras.layers

    class Halve(layers.Layer):
        def call(self, x):
            return tf.while_loop(lambda y: tf.reduce_max(y) > 1.0, lambda y: (y / 2.0,), (x,))[0]

    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, Halve()(inputs))
    assert model.output_shape == (None, 3)
    assert model(tf.constant([[4.0, 2.0, 1.0]])).numpy().tolist() == [[1.0, 0.5, 0.25]]

"""Checking every result for NaN and infinity: what TensorFlow 2.21 finds with `tf.debugging.enable_check_numerics`."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

pytestmark = pytest.mark.filterwarnings(
    "ignore:tf.function"
)  # one function a case looks like too many traces


@pytest.fixture
def checked():
    tf.debugging.enable_check_numerics()
    yield
    tf.debugging.disable_check_numerics()


HANDED_ON = [
    ("reshape", lambda x: tf.reshape(x, [2, 1])),
    ("maximum", lambda x: tf.maximum(x, 0.0)),
    ("concat", lambda x: tf.concat([x, x], 0)),
    ("transpose", tf.transpose),
    ("squeeze", tf.squeeze),
    ("expand_dims", lambda x: tf.expand_dims(x, 0)),
    ("slice", lambda x: x[:1]),
]
COMPUTED = [
    ("add", lambda x: x + 1.0),
    ("mirrored", lambda x: 1.0 + x),
    ("cast", lambda x: tf.cast(x, tf.float64)),
    ("relu", tf.nn.relu),
    ("sum", tf.reduce_sum),
    ("gather", lambda x: tf.gather(x, [0])),
    ("log", lambda x: tf.math.log(tf.constant(0.0))),
    ("division", lambda x: tf.constant(1.0) / 0.0),
    ("double", lambda x: tf.constant(1.0, tf.float64) / 0.0),
    ("half", lambda x: tf.constant(1.0, tf.float16) / 0.0),
]
FINE = [
    ("is_nan", tf.math.is_nan),
    ("where", lambda x: tf.where(tf.math.is_nan(x), 0.0, x)),
    ("zeros_like", tf.zeros_like),
    ("complex", lambda x: tf.complex(x, x)),
]


@pytest.mark.parametrize(("call", "eagerly", "in_functions"), [
    *(pytest.param(c[1], False, True, id=c[0]) for c in HANDED_ON), *(pytest.param(c[1], True, True, id=c[0]) for c in COMPUTED),
    *(pytest.param(c[1], False, False, id=c[0]) for c in FINE),
])  # fmt: skip
def test_what_is_found(call, eagerly, in_functions, checked):
    x = tf.constant([np.nan, 1.0])
    for function, found in ((call, eagerly), (tf.function(call, autograph=False), in_functions)):
        if found:
            with pytest.raises(tf.errors.InvalidArgumentError):
                function(x)
        else:
            function(x)


def test_the_operation_and_the_line_are_named(checked):
    for f in (lambda: tf.math.log(tf.constant(-1.0)), tf.function(lambda: tf.math.log(tf.constant(-1.0)))):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            f()
        text = str(caught.value)
        assert "tf.math.log" in text and "NaN" in text and "test_checks.py" in text


def test_gradients_are_looked_at_too(checked):
    x = tf.constant(0.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sqrt(x)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tape.gradient(y, x)


def test_it_ends_and_functions_traced_meanwhile_keep_their_checks():
    f = tf.function(tf.math.log)
    tf.debugging.enable_check_numerics()
    tf.debugging.enable_check_numerics()
    try:
        with pytest.raises(tf.errors.InvalidArgumentError):
            f(tf.constant(-1.0))
    finally:
        tf.debugging.disable_check_numerics()
    assert np.isnan(tf.math.log(tf.constant(-1.0)))
    assert np.isnan(tf.constant(-1.0) * np.nan)
    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant(-1.0))
    assert f(tf.constant(1.0)).numpy() == 0.0

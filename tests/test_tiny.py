"""Start here: small tests in reading order, from one addition to a trained Keras model and a compiled training step."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf


def test_01_add():
    assert (tf.constant(2.0) + tf.constant(3.0)).numpy() == 5.0


def test_02_a_tensor_prints_its_shape_dtype_and_values():
    assert (
        repr(tf.constant([1, 2])) == "<tf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 2], dtype=int32)>"
    )


def test_03_indexing():
    t = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert t[:, 1:].numpy().tolist() == [[2.0, 3.0], [5.0, 6.0]] and t[..., 1, tf.newaxis].shape == (2, 1)


def test_04_numpy_both_ways():
    assert tf.square(np.array([3.0])).dtype is tf.float64 and isinstance(
        np.square(tf.constant([3.0])), np.ndarray
    )


def test_05_broadcasting_and_matmul():
    t = tf.ones((2, 3))
    assert (t * [1.0, 2.0, 3.0] @ tf.transpose(t)).numpy().tolist() == [[6.0, 6.0], [6.0, 6.0]]


def test_06_nothing_is_converted_silently():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tf\.cast"):
        tf.constant(2.0) + tf.constant(40)


def test_07_cast():
    assert tf.cast([1.7, -1.7], tf.int32).numpy().tolist() == [1, -1]


def test_08_reductions():
    assert tf.reduce_mean([[1.0, 2.0], [3.0, 6.0]], axis=0).numpy().tolist() == [2.0, 4.0]


def test_09_strings_are_bytes():
    assert tf.constant("abc").numpy() == b"abc"


def test_10_variable():
    v = tf.Variable([1.0, 2.0])
    v.assign_add([1.0, 1.0])
    assert v.numpy().tolist() == [2.0, 3.0]


def test_11_slice_assignment():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    v[:, 0].assign([9.0, 8.0])
    assert v.numpy().tolist() == [[9.0, 2.0], [8.0, 4.0]]


def test_12_a_read_is_a_snapshot():
    v = tf.Variable(1.0)
    before = v.value()
    v.assign(5.0)
    assert before.numpy() == 1.0


def test_13_gradient():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x**2
    assert tape.gradient(y, x).numpy() == 6.0


def test_14_second_order():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x**3
        slope = inner.gradient(y, x)
    assert outer.gradient(slope, x).numpy() == 18.0


def test_15_a_missing_gradient_says_why():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * 2.0
    assert tape.gradient(y, x) is None and "watch" in tape.explain(y, x)


def test_16_same_seed_same_numbers_as_tensorflow():
    tf.random.set_seed(42)
    np.testing.assert_allclose(tf.random.normal([3]).numpy(), [0.3274685, -0.8426258, 0.3194337], rtol=1e-6)


def test_17_a_module_knows_its_variables():
    class Line(tf.Module):
        def __init__(self):
            super().__init__()
            self.slope = tf.Variable(2.0)

        def __call__(self, x):
            return self.slope * x

    line = Line()
    assert line(3.0).numpy() == 6.0 and line.trainable_variables[0] is line.slope


def test_18_a_dataset():
    batches = tf.data.Dataset.from_tensor_slices([1, 2, 3]).map(lambda x: x * x).batch(2)
    assert [b.numpy().tolist() for b in batches] == [[1, 4], [9]]


def line_data():
    x = np.linspace(-1.0, 1.0, 64, dtype=np.float32)[:, None]
    return x, 3.0 * x + 1.0


def test_19_a_hand_written_training_loop():
    x, y = line_data()
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.SGD(0.5)
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        )
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), [[3.0]], atol=1e-3)


def test_20_fit_save_load(tmp_path):
    x, y = line_data()
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.5), loss="mse", run_eagerly=True)
    history = model.fit(x, y, batch_size=64, epochs=40, verbose=0)
    assert history.history["loss"][-1] < 1e-3
    model.save(tmp_path / "line.keras")
    again = tf.keras.models.load_model(tmp_path / "line.keras")
    np.testing.assert_array_equal(again(x).numpy(), model(x).numpy())


def test_21_function_is_traced_once_for_each_kind_of_arguments():
    traces = []

    @tf.function
    def cube(x):
        traces.append(x)
        return x**3

    assert cube(tf.constant(2.0)).numpy() == 8.0 and cube(tf.constant(3.0)).numpy() == 27.0
    assert len(traces) == 1 and "Tensor('x:0'" in str(traces[0])
    cube(tf.constant([1.0, 2.0]))
    assert cube.experimental_get_tracing_count() == 2


def test_22_python_control_flow_becomes_operations():
    @tf.function
    def sum_of_squares(n):
        total = 0
        for i in tf.range(n + 1):
            if i % 2 == 0:
                total += i**2
        return total

    assert int(sum_of_squares(tf.constant(4))) == 0 + 4 + 16
    assert "While" in {
        n.type for n in sum_of_squares.get_concrete_function(tf.constant(4)).graph.get_operations()
    }


def test_23_compiled_by_xla():
    v = tf.Variable(1.0)

    @tf.function(jit_compile=True)
    def step(x):
        v.assign_add(x)
        return v * 2.0

    assert float(step(tf.constant(2.0))) == 6.0 and float(v) == 3.0


def test_24_gradient_through_a_function():
    f = tf.function(lambda x: tf.sin(x) * x)
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = f(x)
    np.testing.assert_allclose(tape.gradient(y, x), np.cos(1.0) + np.sin(1.0), rtol=1e-6)


def test_25_a_compiled_training_step():
    model = tf.keras.Sequential([tf.keras.layers.Input([2]), tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.SGD(0.1)
    x = tf.constant([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = tf.constant([[1.0], [2.0], [3.0]])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    losses = [float(step()) for _ in range(200)]
    assert losses[-1] < 0.01 < losses[0]

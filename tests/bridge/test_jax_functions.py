"""`jax.experimental.jax2tf` on headwater: functions written in JAX, and Keras's layers of them."""

import numpy as np
import pytest

import headwater as tf

jax = pytest.importorskip("jax")
jnp = jax.numpy
tf.install_as_tensorflow()
from jax.experimental import jax2tf  # noqa: E402 - headwater's, as it answers to that name now

keras = tf.keras


def rows(weights, x):
    return {"sum": jnp.tanh(x @ weights["w"] + weights["b"]), "places": jnp.argmax(x, axis=1)}


W = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
B = np.array([0.5, -0.5], np.float32)
X = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
SHAPES = [None, "(batch, 3)"]


def expected(x):
    return np.tanh(x @ W + B)


def weights():
    return {"w": tf.Variable(W), "b": tf.constant(B)}


def test_eager_calls_take_tensors_variables_and_arrays():
    found = jax2tf.convert(rows)(weights(), X)
    np.testing.assert_allclose(found["sum"], expected(X), rtol=1e-6)
    assert found["places"].numpy().tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_with_unknown_dimensions(jit):
    held = weights()
    f = jax2tf.convert(rows, polymorphic_shapes=SHAPES)

    @tf.function(input_signature=[tf.TensorSpec([None, 3])], jit_compile=jit)
    def run(x):
        found = f(held, x)
        shapes.append(found["sum"].shape.as_list())
        return found["sum"]

    shapes: list = []
    for count in (1, 4):
        np.testing.assert_allclose(run(X[:count]), expected(X[:count]), rtol=1e-6)
    assert shapes == [[None, 2]]


def test_unknown_dimensions_need_names():
    run = tf.function(
        lambda x: jax2tf.convert(rows)(weights(), x)["sum"], input_signature=[tf.TensorSpec([None, 3])]
    )
    with pytest.raises(ValueError, match="shape"):
        run.get_concrete_function()


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function, lambda f: tf.function(f, jit_compile=True)])
def test_gradients(wrap):
    held = weights()
    f = jax2tf.convert(rows, polymorphic_shapes=SHAPES)

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(f(held, x)["sum"] ** 2)
        return tape.gradient(loss, [x, held["w"]])

    by_x, by_w = wrap(step)(tf.constant(X))
    y = expected(X)
    upstream = 2 * y * (1 - y**2)
    np.testing.assert_allclose(by_x, upstream @ W.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_w, X.T @ upstream, rtol=1e-5, atol=1e-6)


def test_gradients_of_gradients_and_integers_beside():
    f = jax2tf.convert(lambda x, n: x**3 * n)
    x, n = tf.constant(2.0), tf.constant(5)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x, n)
        first = inner.gradient(y, x)
    assert (first.numpy(), outer.gradient(first, x).numpy()) == (60.0, 60.0)


def test_without_gradient():
    f = jax2tf.convert(lambda x: x * 2, with_gradient=False)
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert y.numpy() == 2.0 and tape.gradient(y, x) is None


def test_a_layer_of_keras_trains():
    keras.utils.set_random_seed(1)

    def init(rng, inputs):
        return {"w": jax.random.normal(rng, (inputs.shape[-1], 1))}

    def apply(params, rng, inputs, training):
        noise = 0.01 * jax.random.normal(rng, inputs.shape) if training else 0.0
        return (inputs + noise) @ params["w"]

    model = keras.Sequential([keras.Input((3,)), keras.layers.JaxLayer(call_fn=apply, init_fn=init)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    history = model.fit(x, x.sum(axis=1, keepdims=True), batch_size=16, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 1e-2 < history[0]
    np.testing.assert_allclose(model.predict(x[:2], verbose=0), x[:2] @ model.weights[0].numpy(), rtol=1e-5)

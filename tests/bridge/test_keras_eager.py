"""Keras, unmodified, on headwater: models, training, saving, the names of Keras 2."""

import warnings

import numpy as np
import pytest

import headwater as tf

keras = tf.keras
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:keras.*")


@pytest.fixture(autouse=True)
def fresh():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True) + 0.5

# -- custom parts -------------------------------------------------------------------------------------------------------


def bent(z):
    return tf.math.log(tf.exp(z) + 1.0)


def start(shape, dtype=tf.float32):
    return tf.random.normal(shape, stddev=0.1, dtype=dtype)


def not_negative(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


def soft_error(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    return tf.where(error < 1.0, tf.square(error) / 2, error - 0.5)


class Sparing(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return tf.reduce_sum(tf.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


class SoftErrorMetric(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_weight("total", initializer="zeros")
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(tf.reduce_sum(soft_error(y_true, y_pred)))
        self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

    def result(self):
        return self.total / self.count


class Mixing(keras.layers.Layer):
    """A dense layer written with tf operations, the name first in one `add_weight`, as Keras 2 had it."""

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        self.kernel = self.add_weight("kernel", shape=[shape[-1], self.units], initializer="glorot_normal")
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")

    def call(self, x):
        return self.activation(x @ self.kernel + self.bias) + tf.reduce_mean(x, axis=-1, keepdims=True)

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}


CUSTOM = {f.__name__: f for f in (bent, start, not_negative, soft_error, Sparing, SoftErrorMetric, Mixing)}


class Branching(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(6, activation="sigmoid")
        self.out = keras.layers.Dense(1)

    def call(self, x):
        h = self.hidden(x)
        self.add_loss(0.1 * tf.reduce_mean(h))
        return self.out(tf.concat([h, x], axis=-1))


def sequential():
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, activation="elu"), keras.layers.Dense(1)]
    )


def functional():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    joined = keras.layers.concatenate([inputs, hidden])
    return keras.Model(inputs, keras.layers.Dense(1)(Mixing(5)(joined)))


def custom():
    return keras.Sequential(
        [
            keras.Input((4,)),
            Mixing(6, activation=bent),
            keras.layers.Dense(
                5,
                bent,
                kernel_initializer=start,
                kernel_regularizer=Sparing(0.01),
                kernel_constraint=not_negative,
            ),
            keras.layers.Dense(1),
        ]
    )


BUILDERS = [sequential, functional, Branching, custom]

# -- training -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_fit_evaluate_predict(build, optimizer):
    model = build()
    model.compile(loss="mse", optimizer=optimizer, metrics=["mae", SoftErrorMetric()], run_eagerly=True)
    before = model.evaluate(X, Y, verbose=0, return_dict=True)
    history = model.fit(X, Y, epochs=4, batch_size=10, validation_data=(X[:8], Y[:8]), verbose=0).history
    after = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert after["loss"] < before["loss"] and after["mae"] < before["mae"]
    assert len(history["val_loss"]) == 4
    assert model.optimizer.iterations.numpy() == 4 * 7
    predicted = model.predict(X, verbose=0)
    np.testing.assert_allclose(predicted, model(X).numpy(), rtol=1e-5, atol=1e-6)
    assert after["mae"] == pytest.approx(np.abs(predicted - Y).mean(), rel=1e-4)


def by_hand(model, steps=30):
    """A training loop written by hand; the losses of its steps."""
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    loss_of = keras.losses.MeanSquaredError()
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.add_n([loss_of(Y, model(X, training=True)), *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(loss))
    return losses


@pytest.mark.parametrize("build", BUILDERS)
def test_a_loop_written_by_hand_learns_and_repeats_itself(build):
    first = by_hand(build())
    keras.utils.set_random_seed(42)
    assert by_hand(build()) == first
    assert first[-1] < first[0] / 2


def test_one_step_of_a_linear_model_is_the_formula():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    w, b = (v.numpy() for v in model.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(X) - Y))
    gradients = tape.gradient(loss, model.trainable_variables)
    keras.optimizers.SGD(0.1).apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    error = X @ w + b - Y
    new_w, new_b = (v.numpy() for v in model.trainable_variables)
    np.testing.assert_allclose(new_w, w - 0.1 * 2 * X.T @ error / len(X), rtol=1e-5)
    np.testing.assert_allclose(new_b, b - 0.1 * 2 * error.mean(axis=0), rtol=1e-5)


def test_shapes_of_tf_operations_in_a_functional_model():
    inputs = keras.Input((None, 3))
    out = keras.layers.Lambda(lambda x: tf.transpose(tf.reduce_sum(x, axis=1, keepdims=True), [0, 2, 1]))(
        inputs
    )
    assert out.shape == (None, 3, 1)
    model = keras.Model(inputs, out)
    np.testing.assert_allclose(model(np.ones((2, 5, 3), np.float32)).numpy(), np.full((2, 3, 1), 5.0))


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "expected"),
    [
        ("BinaryAccuracy", [0, 1, 1], [0.1, 0.8, 0.2], 2 / 3),
        ("Precision", [0, 1, 1, 1, 0], [0, 1, 0, 1, 1], 2 / 3),
        ("Recall", [0, 1, 1, 1, 0], [0, 1, 0, 1, 1], 2 / 3),
        ("RootMeanSquaredError", [0.0, 1.0], [0.4, 0.1], np.sqrt((0.16 + 0.81) / 2)),
        ("SparseCategoricalAccuracy", [0, 1], [[0.9, 0.1], [0.6, 0.4]], 0.5),
        ("AUC", [0, 1, 1, 1, 0], [0.1, 0.7, 0.4, 0.9, 0.6], 5 / 6),
    ],
)
def test_streaming_metrics(metric, y_true, y_pred, expected):
    stream = getattr(keras.metrics, metric)()
    half = len(y_true) // 2
    stream.update_state(y_true[:half], y_pred[:half])
    stream.update_state(y_true[half:], y_pred[half:])
    assert float(stream.result()) == pytest.approx(expected, rel=1e-4)
    stream.reset_states()
    assert all((v.numpy() == 0).all() for v in stream.variables)


# -- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("build", [sequential, functional, custom])
def test_save_and_load(tmp_path, build, suffix):
    model = build()
    model.compile(loss=soft_error, optimizer="sgd", metrics=[SoftErrorMetric()], run_eagerly=True)
    model.fit(X, Y, verbose=0)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    loaded = keras.models.load_model(path, custom_objects=CUSTOM)
    np.testing.assert_array_equal(loaded(X).numpy(), model(X).numpy())
    assert loaded.loss is soft_error


def test_weights_alone(tmp_path):
    model = custom()
    model.save_weights(tmp_path / "model.weights.h5")
    other = custom()
    assert not np.array_equal(other(X).numpy(), model(X).numpy())
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other(X).numpy(), model(X).numpy())


@pytest.mark.parametrize(("suffix", "error"), [(".keras", TypeError), (".h5", ValueError)])
def test_missing_custom_objects_are_all_named(tmp_path, suffix, error):
    model = custom()
    model.compile(loss=soft_error, optimizer="sgd", metrics=["mae", SoftErrorMetric()])
    path = tmp_path / f"model{suffix}"
    model.save(path)
    with pytest.raises(error) as caught:
        keras.models.load_model(path, custom_objects={"bent": bent})
    message = str(caught.value)
    names = ["Mixing", "start", "Sparing", "not_negative", "soft_error", "SoftErrorMetric"]
    assert f"{len(names)} custom objects" in message
    assert all(f"'{name}': {name}" in message for name in names)


@pytest.mark.parametrize("content", [None, b"no model"])
def test_other_failures_of_load_model_stay_keras_own(tmp_path, content):
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="File not found"):
        keras.models.load_model(path)


# -- Keras 2 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_squared_error", 2.5),
        ("mean_absolute_error", 1.5),
        ("mean_absolute_percentage_error", 75.0),
        (
            "mean_squared_logarithmic_error",
            (np.log(2) - np.log(3)) ** 2 / 2 + (np.log(3) - np.log(5)) ** 2 / 2,
        ),
        ("log_cosh", (np.log(np.cosh(1.0)) + np.log(np.cosh(2.0))) / 2),
    ],
)
def test_long_names_of_losses(name, expected):
    y_true, y_pred = tf.constant([[1.0, 4.0]]), tf.constant([[2.0, 2.0]])
    if name == "mean_squared_logarithmic_error":
        y_true, y_pred = tf.constant([[1.0, 2.0]]), tf.constant([[2.0, 4.0]])
    for namespace in (keras.losses, keras.metrics):
        assert getattr(namespace, name)(y_true, y_pred).numpy() == pytest.approx([expected], rel=1e-4)


def test_reasons_where_no_gradient_exists():
    used, unused = keras.Variable(1.0, name="used"), keras.Variable(2.0, name="unused")
    with tf.GradientTape() as tape:
        loss = used * 3.0
    gradients = tape.gradient(loss, [used, unused])
    with pytest.warns(UserWarning, match=r"(?s)Gradients do not exist.*'unused'.*never read"):
        keras.optimizers.SGD().apply_gradients(zip(gradients, [used, unused], strict=True))
    assert used.numpy() == pytest.approx(1.0 - 0.01 * 3.0) and unused.numpy() == 2.0
    with tf.GradientTape() as tape:
        loss = tf.cast(tf.cast(used, tf.int32), tf.float32)
    gradients = tape.gradient(loss, [used])
    with pytest.raises(ValueError, match=r"(?s)No gradients provided.*No gradient:.*int32"):
        keras.optimizers.SGD().apply_gradients(zip(gradients, [used], strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.optimizers.SGD().apply_gradients([(tf.constant(1.0), used)])

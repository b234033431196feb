"""Many steps at a time leave what single steps leave: weights, slots, histories, predictions, what callbacks hear and print."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
import warnings

import numpy as np
import pytest

import headwater as tf
from headwater import keras
from headwater._src.bridge import epochs
from headwater._src.engine import cost

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
layers, callbacks = keras.layers, keras.callbacks
ROWS, BATCH = 100, 16
AT_ONCE = "takes many steps at a time"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(epochs, "WORTHWHILE", 4)
    yield
    tf.config.experimental.set_epochs_at_once(True)
    keras.mixed_precision.set_global_policy("float32")


def data(rows=ROWS, outputs=1):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 5), dtype=np.float32)
    return x, (x[:, :outputs] * 2 + rng.standard_normal((rows, outputs), dtype=np.float32) / 9)


def dense(*between, optimizer="sgd", units=1, **compiled):
    model = keras.Sequential([layers.Input([5]), layers.Dense(7, "elu"), *between, layers.Dense(units)])
    model.compile(**{"loss": "mse", "optimizer": optimizer, "metrics": ["mae"], **compiled})
    return model


class OwnStep(keras.Model):
    """The notes' custom training step."""

    def __init__(self):
        super().__init__()
        self.inner, self.tracker = layers.Dense(1), keras.metrics.Mean(name="own")

    def call(self, x):
        return self.inner(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(self(x, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.tracker.update_state(loss)
        return {"own": self.tracker.result()}

    @property
    def metrics(self):
        return [self.tracker]


class Noise(layers.Layer):
    """Draws from a stateful stream of TensorFlow's."""

    def call(self, x, training=None):
        return x + tf.random.normal(tf.shape(x), stddev=0.1) if training else x


class Worst(keras.metrics.Metric):
    """The largest error so far."""

    def __init__(self):
        super().__init__(name="worst")
        self.most = self.add_weight(name="most", shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.most.assign(tf.maximum(self.most, tf.reduce_max(tf.abs(y_true - y_pred))))

    def result(self):
        return self.most

    def reset_state(self):
        self.most.assign(0.0)


def two_inputs():
    a, b = layers.Input([5], name="a"), layers.Input([5], name="b")
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.concatenate([a, b])))
    model.compile("adam", "mse")
    return model


def own_step():
    model = OwnStep()
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def schedule(epoch, rate):
    return rate * 0.5


def stop_after(last):
    def on_epoch_end(epoch, logs):
        if epoch == last:
            stopping.model.stop_training = True

    stopping = callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
    return stopping


optimizers = keras.optimizers
SCHEDULE = optimizers.schedules.ExponentialDecay
X, Y = data()
WEIGHTS = np.linspace(0, 2, ROWS, dtype=np.float32)
SLICES = tf.data.Dataset.from_tensor_slices

# name -> the model, and what `fit` is given
CASES = {
    "sgd": (dense, {}),
    "momentum": (lambda: dense(optimizer=optimizers.SGD(0.05, momentum=0.9, nesterov=True)), {}),
    "adam": (lambda: dense(optimizer="adam"), {}),
    "nadam": (lambda: dense(optimizer="nadam"), {}),
    "schedule in the graph": (lambda: dense(optimizer=optimizers.SGD(SCHEDULE(0.1, 3, 0.5))), {}),
    "clipping and decay": (lambda: dense(optimizer=optimizers.AdamW(0.1, clipnorm=0.5, weight_decay=0.1)), {}),
    "ema": (lambda: dense(optimizer=optimizers.SGD(use_ema=True, ema_overwrite_frequency=3)), {}),
    "accumulation": (lambda: dense(optimizer=optimizers.Adam(gradient_accumulation_steps=2)), {}),
    "loss scale": (lambda: dense(optimizer=optimizers.LossScaleOptimizer(optimizers.Adam())), {}),
    "dropout": (lambda: dense(layers.Dropout(0.4)), {}),
    "stateful noise": (lambda: dense(Noise()), {}),
    "batch norm": (lambda: dense(layers.BatchNormalization()), {}),
    "large weights": (lambda: dense(layers.Dense(1200), layers.Dense(9), optimizer="adam"), {}),
    "regularizer": (lambda: dense(layers.Dense(3, kernel_regularizer="l2")), {}),
    "custom metric": (lambda: dense(metrics=[Worst()]), {}),
    "custom step": (own_step, {}),
    "classes": (lambda: dense(units=3, loss=keras.losses.SparseCategoricalCrossentropy(True), metrics=["accuracy"]),
                {"y": np.arange(ROWS) % 3, "class_weight": {0: 1.0, 1: 0.5, 2: 3.0}}),
    "sample weight": (lambda: dense(weighted_metrics=["mse"]), {"sample_weight": WEIGHTS}),
    "dictionary": (two_inputs, {"x": {"b": X, "a": X * 2}}),
    "no partial batch": (dense, {"x": X[:96], "y": Y[:96]}),
    "in order": (dense, {"shuffle": False}),
    "validation data": (dense, {"validation_data": (X[:40], Y[:40])}),
    "validation split": (dense, {"validation_split": 0.3, "validation_freq": 2}),
    "early stopping": (dense, {"validation_split": 0.3, "epochs": 9, "callbacks": lambda: [
        callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.2, restore_best_weights=True)]}),
    "scheduler": (dense, {"callbacks": lambda: [callbacks.LearningRateScheduler(schedule)]}),
    "plateau": (dense, {"epochs": 6, "callbacks": lambda: [
        callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1.0, factor=0.1)]}),
    "stop_training": (dense, {"epochs": 6, "callbacks": lambda: [stop_after(2)]}),
    "steps per epoch": (dense, {"steps_per_epoch": 3, "epochs": 5}),
    "several steps per execution": (lambda: dense(steps_per_execution=3), {"epochs": 4}),
    "dataset": (dense, {"x": lambda: SLICES((X, Y)).shuffle(50, seed=4).batch(BATCH), "y": None, "batch_size": None}),
    "dataset repeated": (dense, {"x": SLICES((X, Y)).batch(BATCH, drop_remainder=True).repeat(), "y": None,
                                 "batch_size": None, "steps_per_epoch": 5}),
    "dataset mapped": (dense, {"x": SLICES((X, Y)).map(lambda x, y: (x * 2, y)).batch(BATCH).prefetch(2), "y": None,
                               "batch_size": None}),
}  # fmt: skip


def fitted(case, at_once):
    """What `fit`, `evaluate` and `predict` leave, and the model."""
    make, given = CASES[case]
    tf.config.experimental.set_epochs_at_once(at_once)
    keras.utils.set_random_seed(11)
    model = make()
    given = {"x": X, "y": Y, "batch_size": BATCH, "epochs": 3, "verbose": 0, **given}
    given = {name: value() if callable(value) else value for name, value in given.items()}
    history = model.fit(**given)
    x, y, batch = given["x"], given["y"], given["batch_size"]
    left = {"history": history.history, "epochs": history.epoch}
    if "repeated" not in case:
        left["evaluated"] = model.evaluate(x, y, batch_size=batch, verbose=0)
        left["predicted"] = model.predict(x, batch_size=batch, verbose=0)
    left["variables"] = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    left["drawn"] = tf.random.normal([3]).numpy()
    return left, model


def assert_same(one, other):
    """Bit for bit."""
    flat, others = tf.nest.flatten(one), tf.nest.flatten(other)
    assert len(flat) == len(others) > 3
    for a, b in zip(flat, others, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_single_steps(case):
    many, model = fitted(case, True)
    assert AT_ONCE in model.train_function.explain()
    if model.test_function is not None:
        assert AT_ONCE in model.test_function.explain(), model.test_function.explain()
        assert AT_ONCE in model.predict_function.explain(), model.predict_function.explain()
    single, _ = fitted(case, False)
    assert_same(many, single)


def test_compiled():
    """XLA loops over the batches; a last one that is smaller goes by itself."""
    left = []
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        keras.utils.set_random_seed(7)
        model = dense(layers.Dropout(0.3), optimizer="adam", jit_compile=True)
        history = model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0)
        left.append([history.history, *model.get_weights(), *[v.numpy() for v in model.optimizer.variables]])
        if at_once:
            assert "(16, 5), float32(16, 1): one XLA program" in model.train_function.explain()
    for a, b in zip(*map(tf.nest.flatten, left), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


TAKING_OVER = {
    # nanoseconds that compiling is taken to cost, epochs of two fits, and who takes the steps after each
    "steps that were taken": (400_000, (1, 3, 3), ("NumPy plan", "NumPy plan", "XLA program")),
    "steps ahead": (200_000, (30, 1, 1), ("XLA program",) * 3),
    "never": (1e12, (2, 2, 2), ("NumPy plan",) * 3),
}


@pytest.mark.parametrize("case", TAKING_OVER)
def test_xla_takes_over_when_it_pays(case, monkeypatch):
    """By the estimate of the cost and the number of steps alone, so that every run does the same."""
    compiling, fits, takers = TAKING_OVER[case]
    monkeypatch.setattr(cost, "START_NS", compiling)
    monkeypatch.setattr(cost, "COMPILE_NODE_NS", 0)
    left = []
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        keras.utils.set_random_seed(7)
        model = dense(optimizer="adam")
        for number, taker in zip(fits, takers, strict=True):
            history = model.fit(X, Y, batch_size=BATCH, epochs=number, verbose=0)
            assert not at_once or taker in model.train_function.explain().splitlines()[2]
        left.append([history.history, *model.get_weights()])
    for a, b in zip(*map(tf.nest.flatten, left), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


# -- where single steps are seen --------------------------------------------------------------------------------------


class Counting(callbacks.Callback):
    """Notes which batches it is told of."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_train_batch_end(self, batch, logs=None):
        self.heard.append((batch, logs["loss"]))


def by_generator():
    while True:
        yield X[:BATCH], Y[:BATCH]


class Printing(OwnStep):
    """Prints in every step."""

    def train_step(self, data):
        tf.print("step")
        return super().train_step(data)


def printing():
    model = Printing()
    model.compile("sgd")
    return model


NOT_AT_ONCE = {
    "a callback of batches": (dense, {"callbacks": [Counting()]}, "Counting may want to know"),
    "not a number": (dense, {"callbacks": [callbacks.TerminateOnNaN()]}, "TerminateOnNaN may want"),
    "lambda": (dense, {"callbacks": [callbacks.LambdaCallback(on_train_batch_begin=lambda b, logs: None)]}, "Lambda"),
    "generator": (dense, {"x": by_generator(), "y": None, "steps_per_epoch": 6}, "not rows of arrays in memory"),
    "from_generator": (dense, {"y": None, "steps_per_epoch": 6, "x": tf.data.Dataset.from_generator(
        by_generator, output_signature=(tf.TensorSpec([BATCH, 5]), tf.TensorSpec([BATCH, 1])))}, "not rows of arrays"),
    "eager": (lambda: dense(run_eagerly=True), {}, "eagerly"),
    "print": (printing, {}, "does more than compute: 'PrintV2'"),
    "streams": (lambda: dense(Noise(), steps_per_execution=2), {}, "steps_per_execution is not 1"),
    "few": (dense, {"x": X[:32], "y": Y[:32], "epochs": 1}, "2 steps are fewer than the 4"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_AT_ONCE)
def test_taken_one_by_one(case):
    make, given, why = NOT_AT_ONCE[case]
    model = make()
    given = {"x": X, "y": Y, "epochs": 2, "verbose": 0, **given}
    if isinstance(given["x"], np.ndarray):
        given["batch_size"] = BATCH
    model.fit(**given)
    told = model.train_function.explain()
    assert told.startswith("fit takes its steps one by one: ") and why in told, told


def test_switched_off():
    _, model = fitted("sgd", False)
    assert "set_epochs_at_once(False)" in model.train_function.explain()
    assert tf.config.experimental.get_epochs_at_once() is False


def test_nothing_to_tell_before_the_first_step():
    model = dense()
    model.make_train_function()
    assert model.train_function.explain() == "No step was taken yet."


def test_a_callback_of_batches_hears_of_each():
    counting = Counting()
    keras.utils.set_random_seed(1)
    dense().fit(X, Y, batch_size=BATCH, epochs=2, verbose=0, callbacks=[counting])
    assert [b for b, _ in counting.heard] == [*range(7), *range(7)]
    assert len({loss for _, loss in counting.heard}) == 14


def test_a_checkpoint_at_ends_of_epochs_does_not_listen_to_batches(tmp_path):
    model = dense()
    path = str(tmp_path / "{epoch}.weights.h5")
    checkpoint = callbacks.ModelCheckpoint(path, save_weights_only=True)
    model.fit(X, Y, batch_size=BATCH, epochs=3, verbose=0, callbacks=[checkpoint])
    assert AT_ONCE in model.train_function.explain()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{i}.weights.h5" for i in (1, 2, 3)]
    by_batch = callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2)
    model.fit(X, Y, batch_size=BATCH, epochs=1, verbose=0, callbacks=[by_batch])
    assert "ModelCheckpoint may want to know" in model.train_function.explain()


def test_what_was_taken_at_once_goes_on_one_by_one():
    """Streams of random numbers stand where single steps would have left them."""
    left = []
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        keras.utils.set_random_seed(5)
        model = dense(Noise(), layers.Dropout(0.3), optimizer="adam")
        for counting in ([], [Counting()], []):
            model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0, callbacks=counting)
        left.append(model.get_weights() + [v.numpy() for v in model.optimizer.variables])
    assert_same(*left)


def test_not_a_number_stops_at_its_batch():
    x = X.copy()
    x[40] = np.nan
    counting = Counting()
    model = dense()
    model.fit(
        x, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN(), counting]
    )
    assert len(counting.heard) == 3


# -- what is printed --------------------------------------------------------------------------------------------------


def printed(verbose, at_once, **given):
    tf.config.experimental.set_epochs_at_once(at_once)
    keras.utils.set_random_seed(2)
    out = io.StringIO()
    model = dense()
    with contextlib.redirect_stdout(out):
        model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=verbose, **given)
        model.evaluate(X, Y, batch_size=BATCH, verbose=verbose)
        model.predict(X, batch_size=BATCH, verbose=verbose)
    text = re.sub(r"\x1b\[\d*m|[\d.]+(ms|us|s)(/\w+)?", "", out.getvalue())
    # Keras tells the bar from several threads; only the last state of a bar is certain.
    ends = re.findall(r"^.*?(?:5/5 .*val_loss|7/7).*$", text.replace("\r", "\n"), re.MULTILINE)
    return [" ".join(line.replace("\b", "").split()) for line in ends], text


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_same_lines_are_printed(verbose):
    many, text = printed(verbose, True, validation_split=0.2)
    single, _ = printed(verbose, False, validation_split=0.2)
    assert many[:2] == single[:2] and "val_mae" in many[1]
    assert many[-1] == single[-1]
    assert ("1/5" in text) == (verbose == 1)


def test_the_bar_moves_within_an_epoch(monkeypatch):
    monkeypatch.setattr(epochs, "_SHOWN_EVERY", 0.0)
    tf.config.experimental.set_epochs_at_once(True)
    seen = []
    model = dense()
    bar = callbacks.ProgbarLogger()
    told = bar.on_train_batch_end
    bar.on_train_batch_end = lambda batch, logs=None: (seen.append(batch), told(batch, logs))[1]
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(X, Y, batch_size=4, epochs=2, callbacks=[bar])
    assert len(seen) > 4 and seen.count(24) == 2
    assert AT_ONCE in model.train_function.explain()


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_an_error_names_the_line_and_leaves_the_steps_before():
    class Picky(layers.Layer):
        def call(self, x):
            return tf.reshape(tf.boolean_mask(x, x[:, 0] < 50), [16, 5])  # the line

    x = X[:96].copy()
    x[70, 0] = 99
    left = []
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Input([5]), Picky(), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x[:64], Y[:64], batch_size=BATCH, verbose=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"test_epochs\.py") as raised:
            model.fit(x, Y[:96], batch_size=BATCH, shuffle=False, verbose=0)
        assert "epochs.py" not in str(raised.value).replace("test_epochs.py", "")
        left.append([v.numpy() for v in (*model.variables, *model.optimizer.variables)])
        assert int(model.optimizer.iterations) == 8
    assert_same(*left)


def test_too_little_data_warns_once():
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        model = dense()
        dataset = SLICES((X, Y)).batch(BATCH)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(dataset, epochs=3, steps_per_epoch=9, verbose=0)
        assert len([w for w in caught if "ran out of data" in str(w.message)]) >= 1
        assert len(history.history["loss"]) == 3


def test_a_maker_of_the_users_own_is_left_alone():
    class Own(keras.Sequential):
        def make_train_function(self, force=False):
            self.train_function = lambda iterator: (next(iterator), {"loss": 1.0})[1]
            return self.train_function

    model = Own([layers.Input([5]), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, batch_size=BATCH, verbose=0)
    assert_same([before, 1, 2], [model.get_weights(), 1, 2])


def test_a_trainer_of_another_kind_is_left_alone():
    class TensorFlowTrainer:
        def fit(self):
            return 1

    class TFEpochIterator:
        pass

    other = types.SimpleNamespace(TensorFlowTrainer=TensorFlowTrainer, TFEpochIterator=TFEpochIterator)
    before = dict(vars(TensorFlowTrainer))
    epochs.finish(other)
    epochs.finish(types.SimpleNamespace())
    assert dict(vars(TensorFlowTrainer)) == before


def test_functions_can_be_called_as_before():
    model = dense()
    model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0)
    element = (tf.constant(X[:4]), tf.constant(Y[:4]))
    logs = model.train_function(iter(SLICES(element).batch(4)))
    assert set(logs) == {"loss", "mae"}
    model.make_predict_function()
    assert model.predict_function([(element[0],)]).shape == (4, 1)
    assert model.train_on_batch(X[:4], Y[:4])[0] >= 0


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 64, 65])
def test_predictions_of_any_number_of_rows(rows):
    model = dense(units=3)
    x, _ = data(rows)
    whole = model.predict(x, batch_size=BATCH, verbose=0)
    np.testing.assert_allclose(whole, model(x), rtol=1e-5, atol=1e-6)
    assert whole.shape == (rows, 3)


def test_predictions_of_several_outputs():
    inputs = layers.Input([5])
    model = keras.Model(inputs, {"a": layers.Dense(2)(inputs), "b": [layers.Dense(1)(inputs), inputs]})
    x, _ = data(100)
    tf.config.experimental.set_epochs_at_once(True)
    many = model.predict(x, batch_size=BATCH, verbose=0)
    assert AT_ONCE in model.predict_function.explain()
    tf.config.experimental.set_epochs_at_once(False)
    assert_same([many, 0], [model.predict(x, batch_size=BATCH, verbose=0), 0])
    np.testing.assert_array_equal(many["b"][1], x)


class Other(layers.Layer):
    """Gives what can't be put together like rows."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor((None,))


OUTPUTS = {
    "scalar": lambda x: tf.reduce_sum(x),
    "ragged": lambda x: tf.RaggedTensor.from_tensor(x[:, :2]),
    "Python": lambda x: tf.py_function(lambda t: t * 2, [x], tf.float32),
    "open shape": lambda x: tf.boolean_mask(x, x[0] < 0.5, axis=1),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_other_outputs_come_one_by_one(case):
    inputs = layers.Input([5])
    model = keras.Model(inputs, Other(OUTPUTS[case])(inputs))
    found = []
    for at_once in (True, False):
        tf.config.experimental.set_epochs_at_once(at_once)
        out = model.predict(X, batch_size=BATCH, verbose=0)
        found.append(out.to_list() if hasattr(out, "to_list") else out.tolist())
        if at_once:
            assert "predict takes its steps one by one" in model.predict_function.explain()
    assert found[0] == found[1]


# -- arrays in order --------------------------------------------------------------------------------------------------

ARRAYS = {
    "arrays": (X, Y),
    "full batches": (X[:96], Y[:96]),
    "tensors": (tf.constant(X), tf.constant(Y)),
    "float64": (X.astype("float64"), np.arange(ROWS)),
    "structure": ({"b": X, "a": [X, Y]}, Y),
    "one batch": (X[:3], Y[:3]),
    "strings": (tf.constant(["a", "b", "c"] * 9), np.arange(27)),
    "ragged": (tf.ragged.constant([[1], [2, 3], [4]]), np.arange(3)),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_in_order_are_the_same_elements(case):
    adapter = sys.modules["keras.src.trainers.data_adapters.array_data_adapter"].ArrayDataAdapter
    x, y = ARRAYS[case]
    mine = adapter(x, y, batch_size=BATCH).get_tf_dataset()
    keras_own = adapter.get_tf_dataset.__wrapped__(adapter(x, y, batch_size=BATCH))
    assert mine.element_spec == keras_own.element_spec
    assert ("Gather" in mine.explain() or "grab_batch" in mine.explain()) == (case == "ragged")
    ours, theirs = list(mine), list(keras_own)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        tf.nest.assert_same_structure(a, b)
        for s, t in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
            assert s.dtype == t.dtype
            assert str(s.numpy().tolist()) == str(t.numpy().tolist())

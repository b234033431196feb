"""Models written to `.keras` and `.weights.h5` files on one side and read on the other.

    python tests/bridge/interchange.py tensorflow write PLACE     files of every model below, and its predictions
    python tests/bridge/interchange.py tensorflow check PLACE     reads such files, whoever wrote them, and compares

The first word is the package that Keras runs on, `tensorflow` or `headwater`. What TensorFlow wrote is in the archive beside
this file; `test_interchange.py` reads it. A place is a folder or a `.zip` archive.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WRITTEN = Path(__file__).parent / "written_by_tensorflow.zip"
PREDICTIONS = "predictions.npz"
TOLERANCE = 1e-6


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def custom_objects(tf: Any) -> dict[str, Any]:
    """A layer, a loss and an activation that a file can only name."""
    keras = tf.keras

    class Scaled(keras.layers.Layer):
        def __init__(self, power: int = 1, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.power = power

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="random_normal")

        def call(self, x: Any) -> Any:
            return tf.math.pow(x, self.power) * self.scale

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    def bent(x: Any) -> Any:
        return tf.where(x > 0.0, x, 0.1 * tf.sin(x))

    def cubic(y: Any, prediction: Any) -> Any:
        return tf.reduce_mean(tf.abs(y - prediction) ** 3, axis=-1)

    return {"Scaled": Scaled, "bent": bent, "cubic": cubic}


def custom(tf: Any) -> tuple[Any, Any]:
    parts, layers = custom_objects(tf), tf.keras.layers
    model = tf.keras.Sequential([
        tf.keras.Input((5,)), layers.Dense(6, parts["bent"]), layers.BatchNormalization(), parts["Scaled"](2),
        layers.Dense(2, kernel_regularizer="l2"),
    ])  # fmt: skip
    model.compile(tf.keras.optimizers.Adam(0.01), parts["cubic"], metrics=["mae"])
    x = numbers(12, 5)
    model.fit(x, x[:, :2], epochs=2, batch_size=4, verbose=0)
    return model, x


def recurrent(tf: Any) -> tuple[Any, Any]:
    layers = tf.keras.layers
    model = tf.keras.Sequential([
        tf.keras.Input((7,), dtype="int32"), layers.Embedding(9, 4, mask_zero=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.GRU(3, name="last"), layers.Dense(2, "softmax"),
    ])  # fmt: skip
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    x = np.arange(56, dtype=np.int32).reshape(8, 7) * 5 % 9
    model.fit(x, x[:, 0] % 2, epochs=1, batch_size=4, verbose=0)
    return model, x


def two_inputs(tf: Any) -> tuple[Any, Any]:
    """Functional, with a shared layer, two inputs by name, two outputs, convolution and attention."""
    keras, layers = tf.keras, tf.keras.layers
    picture, row = keras.Input((6, 6, 2), name="picture"), keras.Input((4,), name="row")
    seen = layers.DepthwiseConv2D(3, activation="swish")(layers.Conv2D(3, 3, padding="same")(picture))
    seen = layers.Reshape((16, 3))(layers.LayerNormalization()(seen))
    seen = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 2)(seen, seen))
    shared = layers.Dense(4, "tanh")
    both = layers.Concatenate()([shared(row), shared(layers.Dense(4)(seen))])
    outputs = {
        "class": layers.Dense(3, "softmax", name="class")(both),
        "value": layers.Dense(1, name="value")(both),
    }
    model = keras.Model({"picture": picture, "row": row}, outputs)
    x = {"picture": numbers(5, 6, 6, 2), "row": numbers(5, 4)}
    return model, x


def words(tf: Any) -> tuple[Any, Any]:
    """Strings in: vocabularies are in the file, one adapted and one given."""
    keras, layers = tf.keras, tf.keras.layers
    text, kind = keras.Input((), dtype="string", name="text"), keras.Input((1,), dtype="string", name="kind")
    sentences = np.array(["The cat sat.", "a dog, a cat", "birds sing (loudly)", "the dog sings"])
    vectorize = layers.TextVectorization(max_tokens=20, output_sequence_length=5)
    vectorize.adapt(sentences)
    lookup = layers.StringLookup(vocabulary=["red", "green", "blå"], output_mode="one_hot")
    mean = layers.GlobalAveragePooling1D()(layers.Embedding(20, 3, mask_zero=True)(vectorize(text)))
    model = keras.Model([text, kind], layers.Dense(2)(layers.Concatenate()([mean, lookup(kind)])))
    return model, [tf.constant(sentences), tf.constant([["red"], ["blå"], ["none"], ["green"]])]


def columns(tf: Any) -> tuple[Any, Any]:
    """The preprocessing of numbers: adapted statistics and bounds are state."""
    layers = tf.keras.layers
    x = numbers(16, 3)
    normal, bins = layers.Normalization(), layers.Discretization(num_bins=4, output_mode="multi_hot")
    normal.adapt(x)
    bins.adapt(x)
    given = tf.keras.Input((3,))
    out = layers.Dense(2)(layers.Concatenate()([normal(given), layers.Dense(2)(bins(given))]))
    return tf.keras.Model(given, out), x


MODELS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    f.__name__: f for f in (custom, recurrent, two_inputs, words, columns)
}


def predictions(tf: Any, model: Any, x: Any) -> dict[str, np.ndarray]:
    """What the model makes of `x`: output number or name -> array."""
    made = model(x, training=False)
    named = made.items() if isinstance(made, dict) else [("0", made)]
    return {name: np.asarray(value) for name, value in named}


def seeded(tf: Any, name: str) -> tuple[Any, Any]:
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(11)
    return MODELS[name](tf)


def write(tf: Any, folder: Path) -> None:
    """Writes every model in both formats, and what it predicts."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in MODELS:
        model, x = seeded(tf, name)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        found |= {f"{name}/{key}": value for key, value in predictions(tf, model, x).items()}
        if model.compiled:
            found |= {f"{name}/optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    np.savez_compressed(folder / PREDICTIONS, **found)


def read(tf: Any, folder: Path, name: str, suffix: str) -> dict[str, np.ndarray]:
    """Reads one file, into a model with other weights for `.weights.h5`; what the model predicts then."""
    _, x = seeded(tf, name)
    if suffix == ".keras":
        model = tf.keras.models.load_model(folder / f"{name}.keras", custom_objects=custom_objects(tf))
    else:
        model, x = MODELS[name](tf)  # goes on drawing where the other one ended
        model.load_weights(folder / f"{name}.weights.h5")
    found = predictions(tf, model, x)
    if model.compiled and suffix == ".keras":
        found |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    return found


def check(tf: Any, folder: Path, name: str, suffix: str) -> float:
    """The largest difference between what was predicted by who wrote the file and what is predicted now."""
    with np.load(folder / PREDICTIONS) as recorded:
        found = read(tf, folder, name, suffix)
        expected = {key.partition("/")[2]: recorded[key] for key in recorded if key.startswith(f"{name}/")}
    if suffix != ".keras":
        expected = {key: value for key, value in expected.items() if not key.startswith("optimizer/")}
    if found.keys() != expected.keys():
        raise AssertionError(f"{name}{suffix}: expected {sorted(expected)}, got {sorted(found)}")
    worst = 0.0
    for key, value in expected.items():
        np.testing.assert_allclose(
            found[key], value, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{name}{suffix} {key}"
        )
        worst = max(worst, float(np.max(np.abs(found[key] - value), initial=0)))
    return worst


def main(package: str, what: str, place: str) -> None:
    """Writes or checks, as the head of this file says."""
    tf = importlib.import_module(package)
    packed = place.endswith(".zip")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch if packed else place)
        if what == "write":
            write(tf, folder)
            if packed:
                shutil.make_archive(place.removesuffix(".zip"), "zip", folder)
            return
        if packed:
            shutil.unpack_archive(place, folder)
        for name in MODELS:
            for suffix in (".keras", ".weights.h5"):
                print(f"{name}{suffix}: differs by at most {check(tf, folder, name, suffix):.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])

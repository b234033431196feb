"""Small trainings, the same on TensorFlow and on headwater: `record` gives what each prints after every epoch.

python tests/bridge/training_scripts.py      in an environment with TensorFlow; writes training_losses.json
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

RECORDED = Path(__file__).parent / "training_losses.json"
EPOCHS = 3
Trained = tuple[Any, Any, Any, dict[str, Any]]
"""A compiled model, its inputs, its targets, and more arguments for `fit`."""


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def words(rows: int, length: int, vocabulary: int, padded: bool = False) -> np.ndarray:
    """Rows of word numbers; `padded` ones end in zeros after a length of their own."""
    generator = np.random.default_rng(7)
    found = generator.integers(1, vocabulary, size=(rows, length)).astype(np.int32)
    if padded:
        found[np.arange(length) >= generator.integers(2, length + 1, size=(rows, 1))] = 0
    return found


def dense(keras: ModuleType) -> Trained:
    x = numbers(120, 10)
    y = (x[:, :3].sum(axis=1) > 0).astype(np.int32)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((10,)), layers.Dense(32, "relu"), layers.Dropout(0.4), layers.Dense(16, "gelu"),
        layers.GaussianNoise(0.1), layers.Dense(2, "softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"validation_split": 0.2}


def dense_regression(keras: ModuleType) -> Trained:
    """With everything that `fit` weighs: regularisers, weights of samples, clipping, decay, a schedule."""
    x = numbers(100, 6)
    y = np.sin(x).sum(axis=1, keepdims=True)
    layers, l2 = keras.layers, keras.regularizers.L2(1e-3)
    model = keras.Sequential([
        keras.Input((6,)), layers.Dense(24, "tanh", kernel_regularizer=l2), layers.Dropout(0.2),
        layers.Dense(1, kernel_constraint=keras.constraints.MaxNorm(1.0)),
    ])  # fmt: skip
    rate = keras.optimizers.schedules.ExponentialDecay(0.02, 5, 0.9)
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, clipnorm=1.0), "huber", metrics=["mae", "mse"]
    )
    return model, x, y, {"sample_weight": np.linspace(0.5, 1.5, 100, dtype=np.float32)}


def cnn(keras: ModuleType) -> Trained:
    x = numbers(64, 12, 12, 2)
    y = (x.mean(axis=(1, 2, 3)) > 0).astype(np.int32)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((12, 12, 2)), layers.RandomFlip("horizontal"), layers.Conv2D(8, 3, padding="same", use_bias=False),
        layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(), layers.SpatialDropout2D(0.2),
        layers.SeparableConv2D(12, 3, activation="relu"), layers.AveragePooling2D(2), layers.Conv2DTranspose(4, 2),
        layers.GlobalAveragePooling2D(), layers.Dense(2),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(2e-3), loss, metrics=["accuracy"])
    return model, x, y, {"validation_data": (x[:20], y[:20])}


def lstm(keras: ModuleType) -> Trained:
    x = words(64, 9, 30, padded=True)
    y = (x.sum(axis=1) % 2).astype(np.float32)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((9,), dtype="int32"), layers.Embedding(30, 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(6, return_sequences=True)), layers.LSTM(6, dropout=0.2), layers.Dense(1, "sigmoid"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model, x, y, {"class_weight": {0: 1.0, 1: 2.0}}


def gru(keras: ModuleType) -> Trained:
    x = numbers(48, 7, 3)
    y = x.sum(axis=2, keepdims=True)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((7, 3)), layers.Masking(), layers.GRU(8, return_sequences=True, recurrent_dropout=0.1),
        layers.SimpleRNN(6, return_sequences=True), layers.TimeDistributed(layers.Dense(1)),
    ])  # fmt: skip
    model.compile(keras.optimizers.Nadam(5e-3), "mse", metrics=["mae"])
    return model, x, y, {}


def transformer(keras: ModuleType) -> Trained:
    x = words(48, 8, 40)
    y = (x[:, 0] > x[:, -1]).astype(np.int32)
    layers = keras.layers
    given = keras.Input((8,), dtype="int32")
    place = layers.Embedding(8, 16)(keras.ops.arange(8))
    z = layers.Embedding(40, 16)(given) + place
    for _ in range(2):
        seen = layers.MultiHeadAttention(2, 8, dropout=0.1)(z, z, use_causal_mask=True)
        z = layers.LayerNormalization(epsilon=1e-6)(z + layers.Dropout(0.1)(seen))
        wide = layers.Dense(16)(layers.Dense(32, "gelu")(z))
        z = layers.LayerNormalization(epsilon=1e-6)(z + layers.Dropout(0.1)(wide))
    out = layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(z))
    model = keras.Model(given, out)
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {}


SCRIPTS: dict[str, Callable[[ModuleType], Trained]] = {
    f.__name__: f for f in (dense, dense_regression, cnn, lstm, gru, transformer)
}


def train(script: Callable[[ModuleType], Trained], keras: ModuleType) -> dict[str, list[float]]:
    """The losses and metrics of every epoch, and of `evaluate` afterwards, with seed 42."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)
    model, x, y, more = script(keras)
    history = model.fit(x, y, batch_size=16, epochs=EPOCHS, verbose=0, **more).history
    after = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    found = {**history, **{f"evaluate_{name}": [value] for name, value in after.items()}}
    return {name: [float(v) for v in values] for name, values in found.items()}


if __name__ == "__main__":
    import tensorflow as tf

    answers = {name: train(script, tf.keras) for name, script in SCRIPTS.items()}
    RECORDED.write_text(json.dumps({"tensorflow": tf.__version__, "losses": answers}, indent=1) + "\n")

"""One's own activation, initializer, regularizer and constraint in a Keras layer.

Plain functions are enough to train with. To save a hyperparameter together with the model, write a class with
`get_config`, as the regularizer here does.
"""

import tempfile
from pathlib import Path

import numpy as np

import headwater as tf


def softplus(z: tf.Tensor) -> tf.Tensor:
    """Return log(1 + exp(z)) without overflow: the larger of z and 0, plus what is left."""
    return tf.maximum(z, 0.0) + tf.math.log1p(tf.exp(-tf.abs(z)))


def glorot(shape: tuple[int, int], dtype: object = tf.float32) -> tf.Tensor:
    """Draw normal weights of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""
    deviation = (2.0 / (shape[0] + shape[1])) ** 0.5
    return tf.random.normal(shape, stddev=deviation, dtype=dtype)


def not_negative(weights: tf.Tensor) -> tf.Tensor:
    """Return the weights with those below zero set to zero; Keras applies it after each update."""
    return tf.where(weights > 0.0, weights, tf.zeros_like(weights))


class L1(tf.keras.regularizers.Regularizer):
    """The sum of the weights' sizes times a factor, added to the model's loss."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return self.factor * tf.reduce_sum(tf.abs(weights))

    def get_config(self) -> dict[str, float]:
        return {"factor": self.factor}


def build() -> tf.keras.Model:
    """Return a model whose hidden layer is made of the parts above."""
    hidden = tf.keras.layers.Dense(
        40,
        activation=softplus,
        kernel_initializer=glorot,
        kernel_regularizer=L1(0.01),
        kernel_constraint=not_negative,
    )
    return tf.keras.Sequential([tf.keras.Input([20]), hidden, tf.keras.layers.Dense(1)])


def main() -> None:
    tf.keras.utils.set_random_seed(42)
    print(
        "softplus:", *(f"{value:.4f}" for value in softplus(tf.constant([-1000.0, 0.0, 1.0, 1000.0])).numpy())
    )

    model = build()
    kernel = model.layers[0].kernel
    print(f"initial deviation times sqrt(30): {float(np.std(kernel) * 30**0.5):.1f}")
    print("initial weights below zero:", bool(np.any(np.asarray(kernel) < 0)))

    x = np.random.default_rng(1).normal(size=(256, 20)).astype("float32")
    y = np.abs(x[:, :1])
    model.compile(loss="mse", optimizer="adam", run_eagerly=True)
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    print("loss fell:", losses[-1] < losses[0])
    print("trained weights below zero:", bool(np.any(np.asarray(kernel) < 0)))
    expected = 0.01 * np.abs(np.asarray(kernel)).sum()
    print(
        "regularization losses:",
        len(model.losses),
        "as computed:",
        bool(np.isclose(model.losses[0], expected)),
    )

    parts = {"softplus": softplus, "glorot": glorot, "L1": L1, "not_negative": not_negative}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parts.keras"
        model.save(path)
        loaded = tf.keras.models.load_model(path, custom_objects=parts)
    print("factor after loading:", loaded.layers[0].kernel_regularizer.factor)
    print("same predictions:", bool(np.allclose(model(x), loaded(x))))


if __name__ == "__main__":
    main()

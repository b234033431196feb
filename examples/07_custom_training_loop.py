"""A training loop by hand: one Wide & Deep model, two optimizers, one tape.

`fit` takes a single optimizer. Here FTRL trains the wide (linear) part and Adam the deep part, much as in
Cheng et al., "Wide & Deep Learning for Recommender Systems" (2016), on scikit-learn's diabetes data.
"""

from collections.abc import Iterable

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import headwater as tf

EPOCHS, BATCH = 8, 32


class WideAndDeep(tf.keras.Model):
    """The sum of a linear model and a small network, both on the same inputs, both with L2 penalties."""

    def __init__(self) -> None:
        super().__init__()
        penalty = tf.keras.regularizers.L2(0.001)
        self.wide = tf.keras.layers.Dense(1, kernel_regularizer=penalty)
        self.hidden = tf.keras.layers.Dense(30, "elu", kernel_regularizer=penalty)
        self.deep = tf.keras.layers.Dense(1, use_bias=False, kernel_regularizer=penalty)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.wide(inputs) + self.deep(self.hidden(inputs))


def random_batch(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return BATCH rows drawn with replacement."""
    rows = np.random.randint(len(x), size=BATCH)
    return x[rows], y[rows]


def status_bar(steps: range, title: str) -> Iterable[int]:
    """Return `steps` behind a progress bar where rich is installed, else behind a printed line."""
    try:
        from rich.console import Console
        from rich.progress import track
    except ImportError:
        print(title)
        return steps
    return track(steps, description=title, console=Console(stderr=True), transient=True)


def train_step(model: WideAndDeep, parts: list[tuple], x: np.ndarray, y: np.ndarray) -> tuple:
    """Change each part of the model with its own optimizer; return the whole loss and the predictions."""
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        main_loss = tf.reduce_mean(tf.square(y - y_pred))
        loss = tf.add_n([main_loss, *model.losses])
    # One backward pass: the gradients come back in the same nesting as the variables.
    gradients = tape.gradient(loss, [variables for _, variables in parts])
    for (optimizer, variables), part_gradients in zip(parts, gradients, strict=True):
        optimizer.apply_gradients(zip(part_gradients, variables, strict=True))
    return loss, y_pred


def main() -> None:
    tf.keras.utils.set_random_seed(42)
    x, y = load_diabetes(return_X_y=True)
    x = (x * len(x) ** 0.5).astype("float32")  # the columns come centred, with a sum of squares of 1
    x_train, x_valid, y_train, y_valid = train_test_split(x, y[:, np.newaxis], test_size=0.2, random_state=42)
    mean, deviation = y_train.mean(), y_train.std()
    y_train, y_valid = (((part - mean) / deviation).astype("float32") for part in (y_train, y_valid))

    model = WideAndDeep()
    model(x_train[:1])  # creates the weights, which must exist before they are shared out
    wide = model.wide.trainable_variables
    deep = model.hidden.trainable_variables + model.deep.trainable_variables
    parts = [(tf.keras.optimizers.Ftrl(0.05), wide), (tf.keras.optimizers.Adam(0.003), deep)]
    print("variables for FTRL and for Adam:", len(wide), len(deep), "of", len(model.trainable_variables))

    mean_loss, error = tf.keras.metrics.Mean("loss"), tf.keras.metrics.MeanAbsoluteError("error")
    steps, history = range(len(x_train) // BATCH), []
    for epoch in range(1, EPOCHS + 1):
        for _ in status_bar(steps, f"epoch {epoch}/{EPOCHS}"):
            x_batch, y_batch = random_batch(x_train, y_train)
            loss, y_pred = train_step(model, parts, x_batch, y_batch)
            mean_loss.update_state(loss)
            error.update_state(y_batch, y_pred)
        history.append(float(mean_loss.result()))
        print(f"epoch {epoch}: loss {history[-1]:.3f}, absolute error {float(error.result()):.3f}")
        mean_loss.reset_state()
        error.reset_state()

    print("steps taken by each optimizer:", [int(optimizer.iterations) for optimizer, _ in parts])
    print("penalties in the loss:", len(model.losses))
    print("loss fell by a third:", history[-1] < history[0] * 2 / 3)
    unexplained = np.mean(np.square(y_valid - np.asarray(model(x_valid)))) / np.var(y_valid)
    print(f"share of the validation variance explained: {1 - unexplained:.2f}")
    print("more than a third explained:", bool(unexplained < 2 / 3))


if __name__ == "__main__":
    main()

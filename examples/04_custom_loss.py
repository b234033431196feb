"""A loss of one's own: as a function, as a closure with a threshold, as a class that saves its threshold.

The loss is Huber's: half the square of a small error, a straight line beyond the threshold. All three are
saved inside a model and loaded again, which shows what each of them needs in `custom_objects`.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import headwater as tf

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def huber(y_true: tf.Tensor, y_pred: tf.Tensor, threshold: float = 1.0) -> tf.Tensor:
    """Return Huber's loss of each element, written with the part of the error inside the threshold."""
    size = tf.abs(y_true - y_pred)
    inside = tf.minimum(size, threshold)
    return 0.5 * tf.square(inside) + threshold * (size - inside)


def huber_with(threshold: float) -> Loss:
    """Return a Huber loss function; a saved model keeps its name, not its threshold."""

    def huber_closure(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return huber(y_true, y_pred, threshold)

    return huber_closure


class HuberLoss(tf.keras.losses.Loss):
    """Huber's loss as a class: `get_config` puts the threshold into the saved model."""

    def __init__(self, threshold: float = 1.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return huber(y_true, y_pred, self.threshold)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "threshold": self.threshold}


def train_save_load(loss: Loss, custom_objects: dict[str, object], folder: Path) -> tf.keras.Model:
    """Fit a small model with `loss`, save it, load it, and check that it predicts and scores as before."""
    tf.keras.utils.set_random_seed(42)
    x = np.random.default_rng(0).normal(size=(128, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], dtype="float32")
    model = tf.keras.Sequential([tf.keras.Input([3]), tf.keras.layers.Dense(1)])
    model.compile(loss=loss, optimizer=tf.keras.optimizers.Nadam(0.05), run_eagerly=True)
    history = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    path = folder / "model.keras"
    model.save(path)
    loaded = tf.keras.models.load_model(path, custom_objects=custom_objects)
    same = np.allclose(model(x), loaded(x)) and np.isclose(
        loaded.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0)
    )
    print(f"  loss fell: {history[-1] < 0.5 * history[0]}, same after loading: {same}")
    return loaded


def main() -> None:
    errors = tf.constant([-3.0, -0.5, 0.0, 2.0])
    print("threshold 1:", huber(errors, tf.zeros(4)).numpy().tolist())
    print("threshold 2:", huber_with(2.0)(errors, tf.zeros(4)).numpy().tolist())
    print("class, mean over the batch:", float(HuberLoss(2.0)(errors, tf.zeros(4))))
    built_in = tf.keras.losses.Huber(delta=2.0)(errors[:, tf.newaxis], tf.zeros([4, 1]))
    print("Keras's own:", float(built_in))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("function:")
        train_save_load(huber, {"huber": huber}, folder)
        print("closure, threshold given again:")
        train_save_load(huber_with(2.0), {"huber_closure": huber_with(2.0)}, folder)
        print("class, threshold saved:")
        loaded = train_save_load(HuberLoss(2.0), {"HuberLoss": HuberLoss}, folder)
        print("  threshold after loading:", loaded.loss.threshold)


if __name__ == "__main__":
    main()

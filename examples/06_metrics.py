"""Metrics: a plain function, a streaming metric of Keras, and a streaming metric of one's own.

The mean of each batch's precision isn't the precision of all batches. A streaming metric keeps counts in
variables between calls, so its result is exact over everything it has seen since its last reset.
"""

import numpy as np

import headwater as tf


def huber(y_true: tf.Tensor, y_pred: tf.Tensor, threshold: float = 1.0) -> tf.Tensor:
    """Return Huber's loss of each element."""
    size = tf.abs(y_true - y_pred)
    inside = tf.minimum(size, threshold)
    return 0.5 * tf.square(inside) + threshold * (size - inside)


class MeanHuber(tf.keras.metrics.Metric):
    """The mean of Huber's loss over every element seen since the last reset."""

    def __init__(self, threshold: float = 1.0, name: str = "mean_huber", **kwargs: object) -> None:
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true: object, y_pred: object, sample_weight: object = None) -> None:
        losses = huber(tf.cast(y_true, tf.float32), tf.cast(y_pred, tf.float32), self.threshold)
        weights = tf.ones_like(losses)
        if sample_weight is not None:
            weights *= tf.cast(sample_weight, tf.float32)
        self.total.assign_add(tf.reduce_sum(losses * weights))
        self.count.assign_add(tf.reduce_sum(weights))

    def result(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "threshold": self.threshold}


def stream_precision() -> None:
    """Print the precision of two batches: 4 of 5 right, then 0 of 3."""
    precision = tf.keras.metrics.Precision()
    first = precision([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1])
    print(f"precision after one batch: {float(first):.4f}")
    precision.update_state([0, 1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 0])
    print("precision after two batches:", float(precision.result()), "(the mean of 0.8 and 0.0 would be 0.4)")
    for variable in precision.variables:
        print(f"  {variable.name} {variable.numpy().tolist()}")
    precision.reset_state()
    print("counts after the reset:", [v.numpy().tolist() for v in precision.variables])


def stream_huber() -> None:
    """Print the streaming Huber metric after each of two batches."""
    metric = MeanHuber(threshold=2.0)
    print("first batch:", float(metric(tf.constant([[2.0]]), tf.constant([[10.0]]))))
    print("both batches:", float(metric(tf.constant([[0.0], [5.0]]), tf.constant([[1.0], [9.25]]))))
    print("total and count:", [float(v) for v in metric.variables])
    copy = MeanHuber.from_config(metric.get_config())
    print("threshold of the copy:", copy.threshold, "its result:", float(copy.result()))


def main() -> None:
    stream_precision()
    stream_huber()
    tf.keras.utils.set_random_seed(42)
    x = np.random.default_rng(0).normal(size=(100, 2)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    model = tf.keras.Sequential([tf.keras.Input([2]), tf.keras.layers.Dense(1)])
    # 100 rows in batches of 32 leave a batch of 4: both metrics must weigh it by its size.
    model.compile(loss="mse", optimizer="nadam", metrics=[huber, MeanHuber()], run_eagerly=True)
    history = model.fit(x, y, epochs=2, batch_size=32, verbose=0).history
    print("logged:", sorted(history))
    print("function and class agree:", bool(np.allclose(history["huber"], history["mean_huber"], rtol=1e-5)))


if __name__ == "__main__":
    main()

"""Names for the expressions of distorted_box.txt: boxes, and the functions."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Short names, boxes, and helpers."""

    def seeded(function: Any) -> Any:
        """The result after the global seed was set."""
        tf.random.set_seed(1)
        return function()

    def unknown(function: Any, *specs: Any) -> Any:
        """`function` traced on arguments of these specifications."""
        return tf.function(function, input_signature=specs, autograph=False)

    return {
        "f": tf.image.stateless_sample_distorted_bounding_box,
        "g": tf.image.sample_distorted_bounding_box,
        "b": tf.constant([[[0.1, 0.2, 0.6, 0.8]]]),
        "two": tf.constant([[[0.0, 0.0, 0.3, 0.2], [0.5, 0.4, 1.0, 0.9]]]),
        "seeded": seeded,
        "unknown": unknown,
    }

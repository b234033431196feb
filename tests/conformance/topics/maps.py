"""Names for the expressions of maps.txt: rows of tensors, ragged and sparse tensors, and their specifications."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Values, short names of specifications, and helpers."""
    R, S, T = tf.RaggedTensorSpec, tf.SparseTensorSpec, tf.TensorSpec
    rt = tf.ragged.constant([[1, 2], [], [3]])

    def grad(function: Any, value: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = function(value)
        return tape.gradient(result, value)

    def unknown(function: Any, *specs: Any) -> Any:
        """`function` traced on arguments of these specifications."""
        return tf.function(function, input_signature=specs, autograph=False)

    return {
        "R": R,
        "S": S,
        "T": T,
        "grad": grad,
        "unknown": unknown,
        "variable": tf.Variable([1.0, 2.0]),
        "v": tf.constant([1, 2, 3]),
        "x": tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "rt": rt,
        "rf": tf.ragged.constant([[1.0], [2.0, 3.0], []]),
        "rs": tf.ragged.constant([["a", "bb"], [], ["c"]]),
        "r3": tf.ragged.constant([[[1], [2, 3]], [], [[4]]]),
        "r2": tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]], []], ragged_rank=1),
        "sp": tf.SparseTensor([[0, 1], [0, 3], [2, 0]], [1.0, 2.0, 3.0], [3, 4]),
        "s3": tf.SparseTensor([[0, 0, 1], [2, 1, 0]], [1, 2], [3, 2, 2]),
        "ss": tf.SparseTensor([[0, 1], [2, 0]], ["a", "b"], [3, 2]),
        "s1": tf.SparseTensor([[0], [2]], [5, 6], [4]),
        "s0": tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [3, 4]),
        "none": tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [0, 4]),
        "mixed": tf.SparseTensor([[2, 0], [0, 3], [0, 1]], [3.0, 2.0, 1.0], [3, 4]),
    }

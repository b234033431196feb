"""Names for the expressions of sets.txt."""

from __future__ import annotations

from typing import Any

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16")


def names(tf: Any) -> dict[str, Any]:
    """Sparse tensors whose rows are sets, in and out of order, and of other dtypes."""
    sparse = tf.SparseTensor
    a = sparse([[0, 0], [0, 2], [1, 0], [1, 1]], [3, 1, 2, 2], [3, 3])

    def of(kind: str) -> Any:
        return tf.cast(a, kind)

    def traced(function: Any, *values: Any) -> Any:
        """The result of a traced function that knows ranks only."""

        def spec(value: Any) -> Any:
            shape = [None] * value.shape.rank
            known = tf.SparseTensorSpec if isinstance(value, tf.SparseTensor) else tf.TensorSpec
            return known(shape, value.dtype)

        return tf.function(function, input_signature=[spec(v) for v in values], autograph=False)(*values)

    return {
        "S": sparse,
        "a": a,
        "b": sparse([[0, 0], [1, 0], [1, 1], [2, 0]], [1, 2, 5, 7], [3, 2]),
        "d": tf.constant([[1, 2], [3, 4], [7, 7]]),
        "cube": tf.constant([[[1, 2], [3, 4]], [[5, 5], [6, 7]]]),
        "cubes": sparse([[0, 0, 0], [0, 1, 0], [1, 1, 1]], [1, 4, 7], [2, 2, 2]),
        "words": sparse([[0, 0], [0, 1], [1, 0]], ["b", "", "a"], [2, 2]),
        "turned": sparse([[1, 0], [0, 2], [0, 0]], [2, 1, 3], [3, 3]),
        "out": sparse([[0, 0], [0, 9]], [2, 1], [3, 3]),
        "none": sparse(tf.zeros([0, 2], tf.int64), tf.zeros([0], tf.int32), [3, 3]),
        "line": sparse([[0], [1]], [1, 2], [3]),
        "of": of,
        "integers": INTEGERS,
        "traced": traced,
    }

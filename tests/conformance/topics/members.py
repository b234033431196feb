"""Names for the expressions of members.txt: a value of every class of data, and its specification."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Values, specifications, and short names of classes."""
    R, S, T, I = tf.RaggedTensorSpec, tf.SparseTensorSpec, tf.TensorSpec, tf.IndexedSlicesSpec
    L = tf.lookup
    P, D = tf.experimental.RowPartition, tf.experimental.DynamicRaggedShape

    def parts(value: Any) -> list[Any]:
        return [v.numpy().tolist() for v in value] if tf.executing_eagerly() else list(value)

    return {
        "R": R,
        "S": S,
        "T": T,
        "I": I,
        "O": tf.OptionalSpec,
        "N": tf.NoneTensorSpec(),
        "A": tf.TensorArraySpec,
        "P": P,
        "D": D,
        "L": L,
        "text": lambda value: tf.constant(repr(value)),
        "parts": parts,
        "rspec": R([2, None], tf.int32),
        "sspec": S([2, 3], tf.int32),
        "ispec": I([3, 1]),
        "tspec": T([2, None], tf.int32),
        "aspec": tf.TensorArraySpec([], tf.int32),
        "ospec": tf.OptionalSpec(T([], tf.int32)),
        "rt": tf.ragged.constant([[1, 2], [3]]),
        "r3": tf.ragged.constant([[[1, 2], []], [[3]]]),
        "sp": tf.SparseTensor([[0, 1], [1, 2]], [1, 2], [2, 3]),
        "slices": tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([0], tf.int64), None),
        "t": tf.constant([[1, 2], [3, 4]]),
        "optional": tf.experimental.Optional.from_value(tf.constant(1)),
        "nothing": tf.experimental.Optional.empty(T([], tf.int32)),
        "p": P.from_row_lengths([2, 0, 1]),
        "u": P.from_uniform_row_length(2, 6),
        "d": D.from_lengths([2, (1, 2), 3]),
        "keys": L.KeyValueTensorInitializer(["a", "b"], [1, 2]),
    }

"""Names for the expressions of ragged.txt."""

from __future__ import annotations

from typing import Any


def values(tf: Any) -> dict[str, Any]:
    """The ragged tensors that the expressions use."""
    return {
        "rt": tf.ragged.constant([[1, 2], [3]]),
        "rf": tf.ragged.constant([[1.0, 2.0], [], [3.0]]),
        "r3": tf.ragged.constant([[[1, 2], [3]], [], [[4]]]),
        "d": tf.RaggedTensor.from_row_splits([[1, 2], [3, 4], [5, 6]], [0, 1, 3]),
        "u": tf.RaggedTensor.from_uniform_row_length([1, 2, 3, 4, 5, 6], 3),
    }


def more(tf: Any) -> dict[str, Any]:
    """Ragged tensors of other kinds: strings, bools, fractions, int32 splits, empty, deep."""
    constant = tf.ragged.constant
    return {
        "rs": constant([["a", "bc"], [], ["dé"]]),
        "rb": constant([[True, False], [], [True]]),
        "rh": constant([[0.25, 0.5], [], [0.75]]),
        "rc": constant([[1 + 2j], [3j, 4]]),
        "r32": constant([[1, 2], [], [3]], row_splits_dtype=tf.int32),
        "e": constant([[], []], dtype=tf.float32),
        "e0": constant([], dtype=tf.int32, ragged_rank=1),
        "r4": constant([[[[1, 2]], [[3], []]], [], [[[4]]]]),
        "dd": tf.RaggedTensor.from_row_splits([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]], [0, 1, 1, 3]),
    }


def names(tf: Any) -> dict[str, Any]:
    """All names of the expressions."""

    def grad(function: Any, *sources: Any) -> Any:
        sources = tuple(tf.cast(s, tf.float32) for s in sources)
        with tf.GradientTape() as tape:
            tape.watch(sources)
            result = function(*sources)
        return tape.gradient(result, sources if len(sources) > 1 else sources[0])

    partition, shape = tf.experimental.RowPartition, tf.experimental.DynamicRaggedShape
    kinds = {"R": tf.RaggedTensor, "P": partition, "S": shape, "Spec": tf.RaggedTensorSpec}
    return {**kinds, "grad": grad, **values(tf), **more(tf)}

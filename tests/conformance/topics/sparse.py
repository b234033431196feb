"""Names for the expressions of sparse.txt."""

from __future__ import annotations

from typing import Any


def values(tf: Any) -> dict[str, Any]:
    """The sparse tensors that the expressions use, of rank 1 to 4, in and out of order."""
    sparse = tf.SparseTensor
    return {
        "s": sparse([[0, 0], [0, 2], [1, 1]], [1.0, 2.0, 3.0], [2, 3]),
        "t": sparse([[0, 1], [0, 2], [1, 1]], [10.0, -2.0, 0.5], [2, 3]),
        "n": sparse([[0, 0], [0, 2], [1, 1]], [1, 2, 3], [2, 3]),
        "line": sparse([[1], [3]], [5, 7], [4]),
        "cube": sparse([[0, 0, 1], [0, 1, 0], [1, 1, 1]], [1.0, 2.0, 3.0], [2, 2, 2]),
        "four": sparse([[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 1]], [1.0, 2.0, 3.0], [2, 2, 1, 2]),
        "text": sparse([[0, 1], [1, 0]], ["ab", "c"], [2, 2]),
        "yes": sparse([[0, 1], [1, 0]], [True, False], [2, 2]),
        "z": sparse([[0, 1], [1, 0]], tf.constant([1 + 2j, 3 - 1j], tf.complex64), [2, 2]),
        "ids": sparse([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 0], tf.int64), [3, 2]),
        "turned": sparse([[1, 1], [0, 2], [0, 0]], [3.0, 2.0, 1.0], [2, 3]),
        "twice": sparse([[0, 0], [0, 0], [1, 1]], [1.0, 2.0, 3.0], [2, 3]),
        "out": sparse([[0, 0], [0, 5]], [1.0, 2.0], [2, 3]),
        "under": sparse([[0, 0], [0, -1]], [1.0, 2.0], [2, 3]),
        "none": sparse(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [2, 3]),
        "flat": sparse(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [0, 3]),
        "slices": tf.IndexedSlices(
            tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([2, 0]), tf.constant([4, 2])
        ),
        "loose": tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([2, 0])),
    }


def names(tf: Any) -> dict[str, Any]:
    """All names of the expressions."""

    def grad(function: Any, *sources: Any) -> Any:
        """The gradient with respect to tensors, or to the values of sparse tensors."""
        sources = tuple(x if isinstance(x, tf.SparseTensor) else tf.cast(x, tf.float32) for x in sources)
        with tf.GradientTape() as tape:
            tape.watch([x.values if isinstance(x, tf.SparseTensor) else x for x in sources])
            result = function(*sources)
            if isinstance(result, tf.SparseTensor):
                result = result.values
            loss = result * tf.cast(
                tf.reshape(tf.range(1, tf.size(result) + 1), tf.shape(result)), result.dtype
            )
        wanted = [x.values if isinstance(x, tf.SparseTensor) else x for x in sources]
        return tape.gradient(loss, wanted if len(wanted) > 1 else wanted[0])

    def call(function: Any, spec: Any, value: Any) -> Any:
        """The result of a traced function that knows of its argument what the spec says."""
        return tf.function(function, input_signature=[spec], autograph=False)(value)

    def static(function: Any, *specs: Any) -> list[str]:
        """The static shapes of the parts of a traced function's results."""
        traced = tf.function(function, input_signature=list(specs), autograph=False)
        outputs = traced.get_concrete_function().structured_outputs
        return [str(part.shape) for part in tf.nest.flatten(outputs, expand_composites=True)]

    def parts(slices: Any) -> Any:
        """The tensors of IndexedSlices."""
        return slices.values, slices.indices, slices.dense_shape

    def near(value: Any) -> Any:
        """Thousandths, as the last bits of a transcendental function differ."""
        return tf.round(1000 * (value.values if isinstance(value, tf.SparseTensor) else value))

    return {
        "S": tf.SparseTensor,
        "any2": tf.SparseTensorSpec([None, None], tf.float32),
        "anyrank": tf.SparseTensorSpec(None, tf.float32),
        "known": tf.SparseTensorSpec([2, 3], tf.float32),
        "grad": grad,
        "call": call,
        "static": static,
        "parts": parts,
        "near": near,
        **values(tf),
    }

"""Names for the expressions of tensor_array.txt."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Arrays, and helpers that use them in several steps."""

    def ta(dtype: Any = tf.float32, size: Any = 3, **more: Any) -> Any:
        return tf.TensorArray(dtype, size, **more)

    def full(**more: Any) -> Any:
        return ta(**more).unstack([1.0, 2.0, 3.0])

    def rows(**more: Any) -> Any:
        return ta(**more).unstack([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    def then(value: Any, *functions: Any) -> Any:
        """The result of the last function; the others are for their effects."""
        for function in functions:
            value_ = function(value)
        return value_

    def closed(array: Any) -> Any:
        array.close()
        return "closed"

    def grad(function: Any, *sources: Any) -> Any:
        sources = tuple(tf.constant(s) for s in sources)
        with tf.GradientTape() as tape:
            tape.watch(sources)
            result = function(*sources)
        return tape.gradient(result, sources)

    @tf.function
    def squares(n: Any) -> Any:
        array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
        for i in tf.range(n):
            array = array.write(i, i * i)
        return array.stack()

    @tf.function
    def appended(n: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[2])
        for i in tf.range(n):
            if i % 2 == 0:
                array = array.write(array.size(), [tf.cast(i, tf.float32), 1.0])
        return array.stack(), array.size()

    @tf.function
    def running(x: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=tf.shape(x)[0], clear_after_read=False)
        total = 0.0
        i = 0
        while i < tf.shape(x)[0]:
            total += x[i]
            array = array.write(i, total)
            i += 1
        return array.stack() + array.read(0)

    def jitted(function: Any, *args: Any) -> Any:
        return tf.function(function, jit_compile=True, autograph=False)(*args)

    def traced(function: Any, *args: Any) -> Any:
        return tf.function(function, autograph=False)(*args)

    return {
        "ta": ta, "full": full, "rows": rows, "then": then, "closed": closed, "grad": grad, "squares": squares,
        "appended": appended, "running": running, "jitted": jitted, "traced": traced,
        "t": tf.constant([1.0, 2.0, 3.0]), "spec": tf.TensorArraySpec,
    }  # fmt: skip

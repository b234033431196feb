"""Dtypes never change silently: mixing them is an error, and `tf.cast` says where a conversion happens.

A Python number has no dtype of its own, so it takes the tensor's, provided that its kind fits. Text is held
as bytes.
"""

from collections.abc import Callable

import headwater as tf


def outcome(compute: Callable[[], tf.Tensor]) -> str:
    """Return the dtype and values that `compute` gives, or the name of the error it raises."""
    try:
        result = compute()
    except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
        return type(error).__name__
    return f"{result.dtype.name} {result.numpy().tolist()}"


def main() -> None:
    single = tf.constant(2.0)
    double = tf.constant(40.0, dtype=tf.float64)
    whole = tf.constant([40, 41])

    # Two tensors: both dtypes must be the same.
    print("float32 + int32:", outcome(lambda: single + whole))
    print("float32 + float64:", outcome(lambda: single + double))
    print("float32 + cast of float64:", outcome(lambda: single + tf.cast(double, tf.float32)))
    print("float64 of the float32:", outcome(lambda: tf.cast(single, "float64") + double))

    # A tensor and a Python number: the number follows, if it can.
    print("float32 + 1:", outcome(lambda: single + 1))
    print("int32 * 2:", outcome(lambda: whole * 2))
    print("int32 + 2.5:", outcome(lambda: whole + 2.5))
    print("int32 / 2 (true division):", outcome(lambda: whole / 2))
    print("int32 // 2:", outcome(lambda: whole // 2))

    # What a cast does: towards zero, and zero is false.
    print("float to int:", outcome(lambda: tf.cast([2.7, -2.7], tf.int32)))
    print("number to bool:", outcome(lambda: tf.cast([0.0, 0.5, -3.0], tf.bool)))
    above = tf.constant([1.5, 3.5, 2.5]) > 2.0
    print("how many above 2:", tf.reduce_sum(tf.cast(above, tf.int32)).numpy())
    thirds = tf.cast(tf.constant(1.0, tf.float64) / 3.0, tf.float16)
    print("a third in float16:", f"{float(thirds):.6f}")

    # Booleans and text are dtypes like any other.
    print("comparison gives:", above.dtype.name)
    names = tf.constant(["Ems", "Rhône"])
    print("text is bytes:", names.dtype.name, names.numpy().tolist())


if __name__ == "__main__":
    main()

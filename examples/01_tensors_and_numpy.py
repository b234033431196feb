"""Tensors beside NumPy arrays: making, reading, slicing, computing, and going back and forth.

A tensor is an immutable array with a fixed dtype. Most of what works on an array works on a tensor. The
differences shown here: Python floats become float32, not float64; there is no `.T`; items can't be assigned.
"""

import numpy as np

import headwater as tf


def make_and_slice(levels: tf.Tensor) -> None:
    """Print a tensor of river levels (stations by hours) and a few pieces of it."""
    print(levels)
    print(f"shape {levels.shape}, rank {levels.shape.rank}, dtype {levels.dtype.name}")
    print("all but the first hour:", levels[:, 1:].numpy().tolist())
    print("last hour, kept as a column:", levels[..., -1, tf.newaxis].numpy().tolist())
    print("every other hour, backwards:", levels[0, ::-2].numpy().tolist())


def compute(levels: tf.Tensor) -> None:
    """Print the results of operators and functions."""
    print("one unit higher:", (levels + 1).numpy().tolist())
    print("squares:", tf.square(levels).numpy().tolist())
    print("mean of each station:", tf.reduce_mean(levels, axis=1).numpy().tolist())
    gram = levels @ tf.transpose(levels)
    print("levels times its transpose:", gram.numpy().tolist())
    print("tensors have a .T:", hasattr(levels, "T"))


def exchange_with_numpy(levels: tf.Tensor) -> None:
    """Print what happens to values and dtypes on the way to NumPy and back."""
    measured = np.array([2.0, 4.0, 5.0])
    copied = tf.constant(measured)
    measured[0] = -1.0
    print("dtype from a NumPy float64 array:", copied.dtype.name)
    print("tensor after the array was changed:", copied.numpy().tolist())
    print("dtype from Python floats:", tf.constant([2.0, 4.0, 5.0]).dtype.name)
    print("NumPy function on a tensor:", type(np.square(levels)).__name__, np.square(levels)[1].tolist())
    print("tf function on an array is a tensor:", tf.is_tensor(tf.square(np.arange(3.0))))
    print("round trip is exact:", np.array_equal(tf.constant(levels.numpy()), levels))


def main() -> None:
    levels = tf.constant([[1.0, 2.0, 6.0], [3.0, 5.0, 7.0]])
    make_and_slice(levels)
    compute(levels)
    exchange_with_numpy(levels)
    try:
        levels[0, 0] = 9.0
    except TypeError:
        print("assigning to a tensor's item: TypeError")


if __name__ == "__main__":
    main()

"""Gradients: the tape, second order, jacobians, rules of one's own, and why a gradient is missing.

`tape.explain(target, source)` is headwater's addition: it says in a sentence why a gradient is None.
"""

from collections.abc import Callable

import numpy as np

import headwater as tf


@tf.custom_gradient
def log_cosh(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return log(cosh(x)) without overflow, with tanh(x) as its gradient."""
    size = tf.abs(x)
    value = size + tf.math.log1p(tf.exp(-2.0 * size)) - tf.math.log(2.0)
    return value, lambda upstream: upstream * tf.tanh(x)


def first_gradients() -> None:
    """Print gradients with respect to variables, a watched constant, and through a persistent tape."""
    weights = {"slope": tf.Variable(3.0), "offset": tf.Variable(-1.0)}
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.square(weights["slope"] * x + weights["offset"]))
    by_name = tape.gradient(loss, weights)
    print("by name:", {name: float(gradient) for name, gradient in sorted(by_name.items())})
    print("the same tape, another source:", tape.gradient(loss, x).numpy().tolist())


def higher_order() -> None:
    """Print the second derivative of x cubed, and a jacobian."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            cubed = x**3
        slope = inner.gradient(cubed, x)
    try:
        inner.gradient(cubed, x)
    except RuntimeError:
        print("asked twice, tape not persistent: RuntimeError")
    print("slope and curvature:", float(slope), float(outer.gradient(slope, x)))

    point = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(point)
        outputs = tf.stack([point[0] * point[1], point[0] ** 2, point[1] ** 3])
    print("jacobian:", tape.jacobian(outputs, point).numpy().tolist())


def own_rules() -> None:
    """Print the gradients of a function with its own rule, and of one whose part is held constant."""
    x = tf.constant([-1000.0, 0.0, 1000.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        own = log_cosh(x)
        held = x * tf.stop_gradient(x)
    print("log cosh:", *(f"{value:.3f}" for value in own.numpy()))
    print("its gradient:", tape.gradient(own, x).numpy().tolist())
    print("one factor held:", tape.gradient(held, x).numpy().tolist())


def missing_gradients() -> None:
    """Print why each of five gradients is None."""
    weight, score, unused, counts = tf.Variable(2.0), tf.Variable(1.0), tf.Variable(1.0), tf.Variable([1, 2])
    plain = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        targets = {
            "not watched": (plain**2, plain),
            "integers": (tf.reduce_sum(counts * counts), counts),
            "through NumPy": (tf.constant(np.sqrt(weight.numpy())) * 2.0, weight),
            "no gradient rule": (tf.cast(tf.argmax(tf.stack([score, 0.0])), tf.float32), score),
            "not connected": (weight**2, unused),
        }
    for title, (target, source) in targets.items():
        print(f"{title}: {tape.gradient(target, source)}")
        print("  because:", tape.explain(target, source))
    target, source = targets["not connected"]
    print("zeros on request:", float(tape.gradient(target, source, unconnected_gradients="zero")))


def main() -> None:
    first_gradients()
    higher_order()
    own_rules()
    missing_gradients()


if __name__ == "__main__":
    main()

"""One training step of a small regression network: as a `tf.function` of headwater, and by hand for `jax.jit`.

    python benchmarks/jax_step.py            # both in one process, taking turns; prints microseconds and the ratio

The network is 8-30-1 with l2 penalties, a batch has 32 rows, the optimizer is Adam, and two metrics are kept. By hand, all state
is donated. Both get NumPy batches, and both are read: the loss of every step becomes a NumPy scalar.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

RATE, BETA1, BETA2, EPSILON, PENALTY = 0.01, 0.9, 0.999, 1e-7, 0.05
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


def data() -> tuple[np.ndarray, np.ndarray]:
    """A batch."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 8)).astype(np.float32)
    return x, (x @ rng.normal(size=(8, 1)) + 0.1).astype(np.float32)


def weights() -> list[np.ndarray]:
    """Kernel and bias of both layers."""
    rng = np.random.default_rng(1)
    shapes = ((8, 30), (30,), (30, 1), (1,))
    return [(rng.normal(size=s) * 0.3).astype(np.float32) for s in shapes]


def by_hand() -> Step:
    """The step as a JAX user writes it: a pure function, jitted, with its state donated."""

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = params
        prediction = jax.nn.elu(x @ w1 + b1) @ w2 + b2
        loss = jnp.mean(jnp.square(prediction - y)) + PENALTY * (jnp.sum(w1 * w1) + jnp.sum(w2 * w2))
        return loss, prediction

    def step(state: Any, x: Any, y: Any) -> Any:
        params, m, v, count, rate, (total, n), (error, k) = state
        (loss, prediction), grads = jax.value_and_grad(loss_of, has_aux=True)(params, x, y)
        count = count + 1
        t = count.astype(jnp.float32)
        scale = rate * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
        m = [a + (g - a) * (1 - BETA1) for a, g in zip(m, grads, strict=True)]
        v = [a + (jnp.square(g) - a) * (1 - BETA2) for a, g in zip(v, grads, strict=True)]
        params = [p - scale * a / (jnp.sqrt(b) + EPSILON) for p, a, b in zip(params, m, v, strict=True)]
        mean = total + loss, n + 1
        mae = error + jnp.sum(jnp.mean(jnp.abs(y - prediction), axis=-1)), k + x.shape[0]
        return (params, m, v, count, rate, mean, mae), loss

    compiled = jax.jit(step, donate_argnums=0)
    zeros = [np.zeros_like(w) for w in weights()]
    zero = np.float32(0)
    state = (weights(), zeros, zeros, np.int32(0), np.float32(RATE), (zero, zero), (zero, zero))
    state = jax.tree.map(lambda a: jnp.array(a), state)

    def run(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        nonlocal state
        state, loss = compiled(state, x, y)
        return np.asarray(loss)

    return run


def with_headwater() -> Step:
    """The same with Keras objects in a `tf.function`."""
    import headwater as tf

    keras = tf.keras
    l2 = keras.regularizers.l2(PENALTY)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(30, activation="elu", kernel_regularizer=l2),
            keras.layers.Dense(1, kernel_regularizer=l2),
        ]
    )
    model.set_weights(weights())
    optimizer = keras.optimizers.Adam(RATE, BETA1, BETA2, EPSILON)
    optimizer.build(model.trainable_variables)
    mean, mae = keras.metrics.Mean(), keras.metrics.MeanAbsoluteError()

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            prediction = model(x, training=True)
            main = tf.reduce_mean(keras.losses.MSE(y, prediction))
            loss = tf.add_n([main, *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        mean.update_state(loss)
        mae.update_state(y, prediction)
        return loss

    compiled = tf.function(step, jit_compile=True)
    return lambda x, y: compiled(tf.constant(x), tf.constant(y)).numpy()


def best(run: Step, batch: tuple[np.ndarray, np.ndarray], calls: int) -> float:
    """Microseconds a call."""
    start = time.perf_counter()
    for _ in range(calls):
        run(*batch)
    return (time.perf_counter() - start) / calls * 1e6


def main() -> None:
    """Runs both in turns and prints the quickest round of each."""
    batch = data()
    steps = {"jax.jit by hand": by_hand(), "headwater": with_headwater()}
    for _ in range(3):
        losses = {name: float(run(*batch)) for name, run in steps.items()}
    print("third loss:", ", ".join(f"{name} {loss:.6f}" for name, loss in losses.items()))
    rounds = [{name: best(run, batch, 300) for name, run in steps.items()} for _ in range(15)]
    figures = {name: min(r[name] for r in rounds) for name in steps}
    for name, figure in figures.items():
        print(f"{name:16} {figure:7.1f} us a step")
    print(f"headwater makes {figures['jax.jit by hand'] / figures['headwater']:.2f} of the steps by hand")


if __name__ == "__main__":
    main()

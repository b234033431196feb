"""One framework's side of `steps.py`: builds each workload, times its first call, then answers requests for rounds.

    python steps_worker.py headwater|tensorflow|keras-jax

Reads lines of JSON from its input: {"build": name} or {"round": name, "seconds": s}; answers a line each.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from serving import serve

FRAMEWORK = sys.argv[1]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["HEADWATER_COMPILE_CACHE"] = "off"  # or the first calls would be warm from the last run
os.environ["KERAS_BACKEND"] = "jax" if FRAMEWORK == "keras-jax" else "tensorflow"

if FRAMEWORK == "headwater":
    import headwater as tf

    keras: Any = tf.keras
elif FRAMEWORK == "tensorflow":
    import tensorflow as tf

    keras = tf.keras
else:
    import jax
    import keras

Step = Callable[[], Any]
_rng = np.random.default_rng(0)


def _floats(*shape: int) -> np.ndarray:
    return _rng.standard_normal(shape, dtype=np.float32)


# -- models, the same text for all ------------------------------------------------------------------------------------


def seeds() -> tuple[Any, np.ndarray, np.ndarray, Any, Any]:
    """The notes' network: 8-30-1 with L2 penalties, SGD, two metrics."""
    penalty = keras.regularizers.l2(0.05)
    model = keras.models.Sequential(
        [
            keras.layers.Input([8]),
            keras.layers.Dense(
                30, activation="elu", kernel_initializer="he_normal", kernel_regularizer=penalty
            ),
            keras.layers.Dense(1, kernel_regularizer=penalty),
        ]
    )
    return model, _floats(32, 8), _floats(32, 1), keras.losses.MeanSquaredError(), keras.optimizers.SGD(0.01)


def cnn() -> tuple[Any, np.ndarray, np.ndarray, Any, Any]:
    """Two convolutions with pooling and two dense layers on 28x28 pictures, batch 64."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input([28, 28, 1]),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )
    labels = _rng.integers(0, 10, 64).astype(np.int32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return model, _floats(64, 28, 28, 1), labels, loss, keras.optimizers.Adam(1e-3)


def lstm() -> tuple[Any, np.ndarray, np.ndarray, Any, Any]:
    """An LSTM of 64 units over 50 steps of 16 features, batch 32."""
    model = keras.models.Sequential(
        [keras.layers.Input([50, 16]), keras.layers.LSTM(64), keras.layers.Dense(1)]
    )
    return (
        model,
        _floats(32, 50, 16),
        _floats(32, 1),
        keras.losses.MeanSquaredError(),
        keras.optimizers.Adam(1e-3),
    )


def transformer() -> tuple[Any, np.ndarray, np.ndarray, Any, Any]:
    """Two encoder blocks of width 64 with 4 heads over 64 tokens, batch 32."""
    layers = keras.layers
    tokens = layers.Input([64], dtype="int32")
    x = layers.Embedding(1000, 64)(tokens)
    for _ in range(2):
        attended = layers.MultiHeadAttention(4, 16)(x, x)
        x = layers.LayerNormalization()(x + attended)
        inner = layers.Dense(64)(layers.Dense(256, activation="gelu")(x))
        x = layers.LayerNormalization()(x + inner)
    out = layers.Dense(10)(layers.GlobalAveragePooling1D()(x))
    labels = _rng.integers(0, 10, 32).astype(np.int32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    data = _rng.integers(0, 1000, (32, 64)).astype(np.int32)
    return keras.Model(tokens, out), data, labels, loss, keras.optimizers.Adam(1e-3)


MODELS = {"seeds": seeds, "cnn": cnn, "lstm": lstm, "transformer": transformer}


# -- steps ------------------------------------------------------------------------------------------------------------


def _function_step(name: str, jit: bool) -> Step:
    """`tf.function` around a hand-written step, as the notes write it."""
    model, x, y, loss_fn, optimizer = MODELS[name]()
    mean, mae = keras.metrics.Mean(), keras.metrics.MeanAbsoluteError()
    optimizer.build(model.trainable_variables)
    regression = y.dtype.kind == "f"
    x, y = tf.constant(x), tf.constant(y)

    @tf.function(jit_compile=jit or None)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            prediction = model(x, training=True)
            loss = tf.add_n([tf.reduce_mean(loss_fn(y, prediction)), *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        mean(loss)
        if regression:
            mae(y, prediction)
        return loss

    return lambda: float(step(x, y))


def _jax_step(name: str) -> Step:
    """Keras's stateless interface under `jax.jit`, all state donated, as Keras's guide writes it."""
    model, x, y, loss_fn, optimizer = MODELS[name]()
    mean, mae = keras.metrics.Mean(), keras.metrics.MeanAbsoluteError()
    optimizer.build(model.trainable_variables)
    regression = y.dtype.kind == "f"
    if regression:
        mae(y, y)
        mae.reset_state()

    def loss_of(trainable: Any, other: Any, x: Any, y: Any) -> Any:
        prediction, other, losses = model.stateless_call(
            trainable, other, x, training=True, return_losses=True
        )
        return loss_fn(y, prediction) + sum(losses), (prediction, other)

    def step(state: Any, x: Any, y: Any) -> Any:
        trainable, other, slots, of_mean, of_mae = state
        (loss, (prediction, other)), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable, other, x, y)
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        of_mean = mean.stateless_update_state(of_mean, loss)
        if regression:
            of_mae = mae.stateless_update_state(of_mae, y, prediction)
        return (trainable, other, slots, of_mean, of_mae), loss

    jitted = jax.jit(step, donate_argnums=0)
    state = [
        [v.value for v in variables]
        for variables in (
            model.trainable_variables, model.non_trainable_variables, optimizer.variables, mean.variables, mae.variables
        )
    ]  # fmt: skip
    x, y = jax.numpy.asarray(x), jax.numpy.asarray(y)

    def run() -> float:
        nonlocal state
        state, loss = jitted(state, x, y)
        return float(loss)

    return run


def _cube(as_function: bool) -> Step:
    x = np.arange(960, dtype=np.float32).reshape(32, 30)
    if not as_function:
        return lambda: x**3
    cube, t = tf.function(lambda x: x**3), tf.constant(x)
    return lambda: cube(t)


def build(workload: str) -> Step:
    """The workload's step; the first call compiles it."""
    name, _, mode = workload.partition("/")
    if name == "cube":
        return _cube(mode == "function")
    return _jax_step(name) if FRAMEWORK == "keras-jax" else _function_step(name, mode == "jit")


# -- answering --------------------------------------------------------------------------------------------------------

_steps: dict[str, Step] = {}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What one line of input asks for."""
    if "build" in request:
        step = build(request["build"])
        if FRAMEWORK == "keras-jax" or request["build"].endswith("jit"):
            _warm_compiler()
        start = time.perf_counter()
        value = step()
        first = time.perf_counter() - start
        _steps[request["build"]] = step
        return {"first": first, "value": value if isinstance(value, float) else 0.0}
    step, calls = _steps[request["round"]], 0
    start = time.perf_counter()
    while True:
        step()
        calls += 1
        now = time.perf_counter()
        if now - start > request["seconds"] and calls >= 3:
            return {"mean": (now - start) / calls}


def _warm_compiler() -> None:
    """The first compilation of a process pays for loading the compiler, which is not what is compared."""
    if FRAMEWORK == "keras-jax":
        jax.jit(lambda x: x + 1)(np.float32(1))
    else:
        tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))


if __name__ == "__main__":
    serve(answer)

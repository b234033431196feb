"""One framework's side of `fit.py`: the seeds' network on data like California's housing, 8 features and 11,610 rows.

    python fit_worker.py headwater|tensorflow|keras-jax

Reads lines of JSON from its input: {"build": name} or {"round": name}; answers a line each.
"""

from __future__ import annotations

import contextlib
import io
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
os.environ["KERAS_BACKEND"] = "jax" if FRAMEWORK == "keras-jax" else "tensorflow"

if FRAMEWORK == "headwater":
    from headwater import keras
elif FRAMEWORK == "tensorflow":
    from tensorflow import keras
else:
    import keras

ROWS, BATCH, EPOCHS = 11_610, 32, 3
STEPS = -(-ROWS // BATCH)
_rng = np.random.default_rng(0)
X = _rng.standard_normal((ROWS, 8), dtype=np.float32)
Y = X[:, :1] * 2 + _rng.standard_normal((ROWS, 1), dtype=np.float32)


def model(optimizer: Any, jit: bool = False) -> Any:
    """The notes' network, compiled; on JAX with 32 steps at a time."""
    keras.utils.set_random_seed(42)
    made = keras.Sequential(
        [
            keras.layers.Input([8]),
            keras.layers.Dense(30, activation="elu", kernel_initializer="he_normal"),
            keras.layers.Dense(1),
        ]
    )
    more: dict[str, Any] = {"jit_compile": True} if jit else {}
    if FRAMEWORK == "keras-jax":
        more = {"steps_per_execution": 32}
    made.compile(loss="mse", optimizer=optimizer, metrics=["mae"], **more)
    return made


def fit(optimizer: str, verbose: int = 0, jit: bool = False) -> tuple[Callable[[], Any], int]:
    """Three epochs, and how many steps they take."""
    made = model(optimizer, jit)
    return lambda: made.fit(X, Y, batch_size=BATCH, epochs=EPOCHS, verbose=verbose), EPOCHS * STEPS


def other(method: str, rows: int) -> tuple[Callable[[], Any], int]:
    """`evaluate`, `predict` or a call of the model, and how many steps it takes."""
    made, x, y = model("sgd"), X[:rows], Y[:rows]
    calls: dict[str, Callable[[], Any]] = {
        "evaluate": lambda: made.evaluate(x, y, batch_size=BATCH, verbose=0),
        "predict": lambda: made.predict(x, batch_size=BATCH, verbose=0),
        "call": lambda: made(x),
    }
    return calls[method], -(-rows // BATCH)


WORKLOADS: dict[str, Callable[[], tuple[Callable[[], Any], int]]] = {
    "fit/sgd": lambda: fit("sgd"),
    "fit/nadam": lambda: fit("nadam"),
    "fit/verbose": lambda: fit("sgd", verbose=1),
    "fit/jit": lambda: fit("nadam", jit=True),
    "evaluate": lambda: other("evaluate", ROWS),
    "predict": lambda: other("predict", ROWS),
    "predict/one row": lambda: other("predict", 1),
    "call/one row": lambda: other("call", 1),
}
_built: dict[str, tuple[Callable[[], Any], int]] = {}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What one line of input asks for: seconds of the first call, or of a step in a later one."""
    name = request.get("build") or request["round"]
    if "build" in request:
        _built[name] = WORKLOADS[name]()
    run, steps = _built[name]
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
    return {"first": seconds} if "build" in request else {"step": seconds / steps}


if __name__ == "__main__":
    serve(answer)

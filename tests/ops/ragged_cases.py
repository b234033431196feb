"""Expressions with ragged tensors, evaluated on TensorFlow and here.

python tests/ops/ragged_cases.py        in an environment with TensorFlow 2.21: records ragged-2.21.json
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FILE = HERE / "ragged-2.21.json"


def expressions() -> list[str]:
    """The expressions, in the order of the file."""
    lines = (HERE / "ragged_expressions.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def values(tf: Any) -> dict[str, Any]:
    """The ragged tensors that the expressions use."""
    return {
        "rt": tf.ragged.constant([[1, 2], [3]]),
        "rf": tf.ragged.constant([[1.0, 2.0], [], [3.0]]),
        "r3": tf.ragged.constant([[[1, 2], [3]], [], [[4]]]),
        "d": tf.RaggedTensor.from_row_splits([[1, 2], [3, 4], [5, 6]], [0, 1, 3]),
        "u": tf.RaggedTensor.from_uniform_row_length([1, 2, 3, 4, 5, 6], 3),
    }


def names(tf: Any) -> dict[str, Any]:
    """All names of the expressions."""

    def grad(function: Any, *sources: Any) -> Any:
        sources = tuple(tf.cast(s, tf.float32) for s in sources)
        with tf.GradientTape() as tape:
            tape.watch(sources)
            result = function(*sources)
        return tape.gradient(result, sources if len(sources) > 1 else sources[0])

    return {"tf": tf, "np": np, "R": tf.RaggedTensor, "grad": grad, **values(tf)}


def outcome(tf: Any, expression: str) -> dict[str, str]:
    """`{"repr": text}` or `{"error": class name}`."""
    try:
        value = eval(expression, names(tf))
    except Exception as error:
        return {"error": type(error).__name__}
    return {"repr": shown(value)}


def shown(value: Any) -> str:
    """What a value prints, without addresses and module names."""
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return re.sub(r"<class '[\w.]*\.(\w+)'>", r"<class '\1'>", text)


if __name__ == "__main__":
    import tensorflow

    answers = {expression: outcome(tensorflow, expression) for expression in expressions()}
    FILE.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
    print(len(answers), "expressions")

"""Expressions evaluated on TensorFlow and here: what they print, or the class of the error, must be the same.

python tests/conformance/expressions.py        in an environment with TensorFlow 2.21: records expressions-2.21.json
"""

from __future__ import annotations

import collections
import copy
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FILE = HERE / "expressions-2.21.json"


def expressions() -> list[str]:
    """The expressions, in the order of the file."""
    lines = (HERE / "expressions.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def names(tf: Any) -> dict[str, Any]:
    """What an expression may use: a few values made anew for each."""

    def tape_of(function: Any, value: Any) -> Any:
        x = tf.constant(value)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    class M(tf.Module):
        def __init__(self, name: str | None = None) -> None:
            super().__init__(name=name)
            with self.name_scope:
                self.a = tf.Variable(1.0, name="a")
                self.b = [tf.Variable(2.0, trainable=False, name="b")]
                self.d = {"k": tf.Module(name="inner")}

    return {
        "tf": tf, "np": np, "copy": copy, "pickle": pickle, "tape_of": tape_of, "M": M,
        "t": tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "i": tf.constant([1, 2]), "m": M(), "S": tf.IndexedSlices,
        "v": tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "w": tf.Variable(np.arange(12.0).reshape(3, 4), name="w"),
        "u": tf.Variable([1, 2], shape=tf.TensorShape([None])), "P": collections.namedtuple("P", "x y"),
    }  # fmt: skip


def outcome(tf: Any, expression: str) -> dict[str, str]:
    """`{"repr": text}` or `{"error": class name}`."""
    try:
        value = eval(expression, names(tf))
    except Exception as error:
        return {"error": type(error).__name__}
    return {"repr": re.sub(r" at 0x[0-9a-f]+", "", repr(value))}


def main() -> None:
    """Records TensorFlow's outcomes."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    answers = {e: outcome(tf, e) for e in expressions()}
    FILE.write_text(
        json.dumps(answers, indent=0, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(f"{len(answers)} expressions on TensorFlow {tf.__version__}: {FILE}")


if __name__ == "__main__":
    main()

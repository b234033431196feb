"""Names for the expressions of general.txt."""

from __future__ import annotations

import collections
import copy
import pickle
from typing import Any

import numpy as np


def names(tf: Any) -> dict[str, Any]:
    """A few values, made anew for each expression."""

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
        "copy": copy, "pickle": pickle, "tape_of": tape_of, "M": M,
        "t": tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "i": tf.constant([1, 2]), "m": M(), "S": tf.IndexedSlices,
        "v": tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "w": tf.Variable(np.arange(12.0).reshape(3, 4), name="w"),
        "u": tf.Variable([1, 2], shape=tf.TensorShape([None])), "P": collections.namedtuple("P", "x y"),
    }  # fmt: skip

"""The namespaces of the public face with their docstrings, and what `headwater/__init__.py` says beside its imports."""

from __future__ import annotations

NAMESPACES: dict[str, str] = {
    "": "headwater: the TensorFlow 2 programming model, eager on NumPy and compiled on XLA, with Keras 3 on top.\n\n"
    "    import headwater as tf\n",
    "math": "Elementwise mathematics, reductions and segment operations.",
    "nn": "Operations of neural networks.",
    "linalg": "Linear algebra.",
    "random": "Random numbers, equal to TensorFlow's for the same seeds.",
    "errors": "The exception classes that operations raise.",
    "dtypes": "The element types of tensors.",
    "nest": "Nested structures of tensors and other values.",
    "data": "Input pipelines.",
    "autodiff": "Automatic differentiation.",
    "bitwise": "Operations on the bits of integers.",
    "debugging": "Assertions and checks.",
    "config": "Devices and switches.",
    "experimental.numpy": "NumPy's functions on tensors, with NumPy's promotion of dtypes.",
    "experimental.numpy.random": "Random numbers under NumPy's names.",
    "io": "Files and serialised values.",
    "io.gfile": "Files by path.",
}
"""Namespace -> docstring; those not named here get a plain one."""

LATE = (
    "headwater._src.ops.numpy_",
    "headwater._src.state.numpy_behavior",
    "headwater._src.state.linear_operator.",
    "headwater._src.io.checkpoint",
    "headwater._src.io.protos",
)
"""Beginnings of the names of modules that no other loads at import, so that who needs them not does not pay for them."""

ROOT_TAIL = """
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    import keras as keras


def __getattr__(name: str) -> object:
    # Keras takes a second to load, so `tf.keras` loads it at its first use.
    if name == "keras":
        from headwater._src.bridge.keras_loader import load

        keras = load()
        globals()["keras"] = keras
        return keras
    raise AttributeError(f"module 'headwater' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "keras"})
"""
"""Appended to `headwater/__init__.py`."""

RAW_TAIL = """

def __getattr__(name: str) -> object:
    from headwater._src.ops.raw_entries import absent

    return absent(name)
"""
"""Appended to `headwater/raw_ops.py`: TensorFlow's other raw operations can be named, and say that they are not there."""

TAILS: dict[str, str] = {"": ROOT_TAIL, "raw_ops": RAW_TAIL}
"""Namespace -> what is appended to its file."""

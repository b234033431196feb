"""Names for the expressions of experimental_numpy.txt: NumPy's behaviour for a while, gradients, and rounding."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_ADDED = (
    "T", "data", "size", "tolist", "__pos__", "__round__", "astype", "clip", "flatten", "max", "mean", "min", "ravel",
    "reshape", "transpose",
)  # fmt: skip


def _disabler(tf: Any) -> Callable[[], None]:
    """What undoes `experimental_enable_numpy_behavior`."""
    if "headwater" in tf.constant(0).__class__.__module__:
        return importlib.import_module("headwater._src.state.numpy_behavior").disable_numpy_behavior
    ops = importlib.import_module("tensorflow.python.framework.ops")
    numpy_dtypes = importlib.import_module("tensorflow.python.ops.numpy_ops.np_dtypes")
    before = {name: tf.Tensor.__dict__.get(name) for name in _ADDED}

    def disable() -> None:
        ops.set_dtype_conversion_mode("off")
        ops._numpy_style_slicing = False
        numpy_dtypes.set_prefer_float32(False)
        for name, method in before.items():
            if method is not None:
                setattr(tf.Tensor, name, method)
            elif name in tf.Tensor.__dict__:
                delattr(tf.Tensor, name)

    return disable


def names(tf: Any) -> dict[str, Any]:
    """Values and helpers."""
    tnp = tf.experimental.numpy
    disable = _disabler(tf)

    def on(function: Any, **kwargs: Any) -> Any:
        """The function's result while NumPy's behaviour is enabled."""
        tnp.experimental_enable_numpy_behavior(**kwargs)
        try:
            return function()
        finally:
            disable()

    def rounded(value: Any) -> Any:
        """The value with some digits less, as the last bits differ."""
        if isinstance(value, (list, tuple)):
            return type(value)(map(rounded, value))
        if value.dtype.is_complex:
            return tf.complex(rounded(tf.math.real(value)), rounded(tf.math.imag(value)))
        scale = tf.constant(1024 if value.dtype == tf.float16 else 16384, value.dtype)
        value = tf.round(value * scale) / scale
        return tf.where(value == 0, tf.zeros_like(value), value)

    def grad(function: Any, *values: Any) -> Any:
        """The gradient of the sum of the function's result."""
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = function(*values)
        return tape.gradient(result, values)

    def unknown(function: Any, *specs: Any) -> Any:
        """The function traced for arguments of these specifications."""
        return tf.function(function, input_signature=specs, autograph=False)

    return {
        "on": on,
        "rounded": rounded,
        "grad": grad,
        "unknown": unknown,
        "T": tf.TensorSpec,
        "b": tf.constant([True, False, True]),
        "i8": tf.constant([1, -2, 3], tf.int8),
        "u8": tf.constant([1, 2, 3], tf.uint8),
        "i": tf.constant([1, -2, 3]),
        "l": tf.constant([4, 5, -6], tf.int64),
        "h": tf.constant([0.5, 1.5, -2.5], tf.float16),
        "w": tf.constant([0.5, 1.5, 2.0], tf.bfloat16),
        "f": tf.constant([0.5, -1.5, 2.0]),
        "d": tf.constant([0.25, 0.75, -0.5], tf.float64),
        "c": tf.constant([1 + 2j, -1j, -3.0], tf.complex64),
        "nans": tf.constant([1.0, float("nan"), -float("inf"), float("inf")]),
        "m": tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        "im": tf.constant([[3, 1, 2], [4, 6, 5]]),
        "cube": tf.reshape(tf.range(24), [2, 3, 4]),
        "s": tf.constant("a"),
        "v": tf.Variable([1, 2, 3]),
    }

"""Operations that live on the host: Python functions, printing, the clock."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import headwater._src.base.errors as errors
import headwater._src.ops.control_specs as control_specs
from headwater._src.base import nest
from headwater._src.base.dtypes import DType, as_dtype, float64
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert, to_array
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, of_array

# -- Python functions -------------------------------------------------------------------------------------------------

_CLASSES: tuple[tuple[type[Exception], Any], ...] = (
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
    (ValueError, errors.InvalidArgumentError),
    (TypeError, errors.InvalidArgumentError),
)


def host_error(error: Exception, what: str) -> Exception:
    """The error that TensorFlow's runtime makes of an exception inside a Python function that it called."""
    found = next((target for cls, target in _CLASSES if isinstance(error, cls)), errors.UnknownError)
    return found(None, None, f"{what} raised {type(error).__name__}: {error}")


_PY_FUNC, _PRINT, _ASSERT = (control_specs.opaque(name) for name in ("PyFunc", "PrintV2", "Assert"))


def _any_symbolic(values: Any) -> bool:
    return any(isinstance(value, SymbolicTensor) for value in values)


def _promised(tensors: list[Tensor], promise: Any) -> Any:
    """Symbolic results of the dtypes that `Tout` promises, of any shape."""
    specs = [TensorSpec(getattr(t, "shape", None), _wanted_dtype(t)) for t in nest.flatten(promise)]
    return control_specs.outputs(_PY_FUNC, tensors, specs, promise)


def assert_later(tensors: list[Tensor]) -> None:
    """Adds a node that stands for an assertion on symbolic tensors."""
    control_specs.outputs(_ASSERT, tensors, [], [])


@export("py_function")
def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Calls a Python function on eager tensors; gradients flow through what it computes with operations.

    Args:
      func: takes one tensor for each value of `inp`.
      inp: list of values that convert to tensors.
      Tout: the dtype (or TensorSpec) of the result, or a list of them; an empty list if there is none.

    Returns:
      A tensor, or a list of them where `Tout` is a list. Without `func`: a decorator.

    Raises:
      TypeError: `Tout` is missing or names no dtype.
      ValueError: `func` can't be called.
      InvalidArgumentError: a result has another dtype; or `func` raised ValueError or TypeError.
      UnknownError: `func` raised something else. Its own exception is the cause.
    """
    if Tout is None:
        raise TypeError("tf.py_function: Tout is missing; give the dtype of the result, or a list of dtypes.")
    wanted = [_wanted_dtype(t) for t in (Tout if isinstance(Tout, (list, tuple)) else [Tout])]
    if func is None:
        return lambda function: lambda *args: py_function(function, list(args), Tout)
    if not callable(func):
        raise ValueError(f"tf.py_function: func must be a function; got {describe(func)}.")
    tensors = [convert(x) for x in (inp or [])]
    if _any_symbolic(tensors):
        return _promised(tensors, Tout)
    try:
        results = func(*tensors)
    except Exception as error:
        raise host_error(error, "tf.py_function: the function") from error
    if not wanted:
        return []
    several = isinstance(results, (list, tuple))
    out = [_checked_result(r, d) for r, d in zip(results if several else [results], wanted, strict=False)]
    if len(out) < len(wanted):
        raise invalid(f"tf.py_function: Tout promises {len(wanted)} results; the function gave {len(out)}.")
    return out if isinstance(Tout, (list, tuple)) else out[0]


def _wanted_dtype(spec: Any) -> DType:
    return spec.dtype if isinstance(spec, TypeSpec) else as_dtype(spec)  # type: ignore[attr-defined]


def _checked_result(value: Any, dtype: DType) -> Tensor:
    if value is None:
        raise invalid(f"tf.py_function: the function gave None where Tout promises {dtype.name}.")
    try:
        tensor = convert(value, None if isinstance(value, TensorLike) else dtype)
    except (TypeError, ValueError) as error:
        raise invalid(f"tf.py_function: {error}") from None
    if tensor.dtype is not dtype:
        raise invalid(
            f"tf.py_function: Tout promises {dtype.name}; the function gave {describe(tensor)}. Convert it: "
            f"tf.cast(result, {dtype!r})."
        )
    return tensor


@export("numpy_function")
def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a Python function on NumPy arrays; no gradient flows through it.

    Args:
      func: takes one array for each value of `inp`.
      inp: list of values that convert to tensors.
      Tout: the dtype of the result, or a list of dtypes; eager calls keep the dtypes that the function gives.
      stateful: accepted for compatibility.

    Returns:
      A tensor, a list of tensors where the function gives a list or tuple, or None where it gives None. Without `func`:
      a decorator.

    Raises:
      TypeError: `func` can't be called. Exceptions of `func` come through as they are.
    """
    if func is None:
        return lambda function: lambda *args: numpy_function(function, list(args), Tout, stateful)
    if not callable(func):
        raise TypeError(f"tf.numpy_function: func must be a function; got {describe(func)}.")
    tensors = [convert(x) for x in (inp or [])]
    if _any_symbolic(tensors):
        return _promised(tensors, Tout)
    result = func(*(t.__array__(copy=True) for t in tensors))  # type: ignore[attr-defined]
    if result is None:
        return None
    if isinstance(result, (list, tuple)):
        return [convert(r) for r in result]
    return convert(result)


# -- the clock --------------------------------------------------------------------------------------------------------


@export("timestamp")
def timestamp(name: str | None = None) -> Tensor:
    """Seconds since 1970 as a float64 scalar."""
    return of_array(np.asarray(time.time(), float64.np))


# -- printing ---------------------------------------------------------------------------------------------------------


@export("print")
def print_v2(*inputs: Any, **kwargs: Any) -> None:
    """Prints values, tensors in short: numbers in six significant digits or more where needed, long dimensions cut.

    Args:
      inputs: anything; structures may contain tensors.
      output_stream: `sys.stderr` (the default), `sys.stdout`, any object with `write`, a function of the tf.logging kind, or
        "file://path" to append to a file.
      summarize: elements to show at both ends of each dimension (default 3); -1 for all.
      sep: between the inputs (a blank).
      end: after the last (a line feed).

    Raises:
      ValueError: an unknown keyword, or an output stream of another kind.
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    summarize = kwargs.pop("summarize", 3)
    sep = kwargs.pop("sep", " ")
    end = kwargs.pop("end", "\n")
    kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"tf.print: unknown keyword arguments {sorted(kwargs)}.")
    leaves = [x for value in inputs for x in nest.flatten(value)]
    if _any_symbolic(leaves):
        control_specs.outputs(_PRINT, [x for x in leaves if isinstance(x, Tensor)], [], [])
        return
    _write(stream, sep.join(text_of(x, summarize) for x in inputs) + end)


_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "warning": logging.WARNING,
           "error": logging.ERROR}  # fmt: skip


def _write(stream: Any, text: str) -> None:
    if isinstance(stream, str) and stream.startswith("file://"):
        with open(stream[7:], "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    elif hasattr(stream, "write"):
        stream.write(text)
        stream.flush() if hasattr(stream, "flush") else None
    elif callable(stream) and getattr(stream, "__name__", "") in _LEVELS:
        logging.getLogger("headwater").log(_LEVELS[stream.__name__], "%s", text.rstrip("\n"))
    else:
        raise ValueError(
            f"tf.print: output_stream must be sys.stdout, sys.stderr, a stream, or 'file://path'; got {describe(stream)}."
        )


def text_of(value: Any, summarize: int = 3, inside: bool = False) -> str:
    """How `tf.print` shows a value; strings inside structures are quoted as Python quotes them."""
    if isinstance(value, SparseTensor):
        parts = (value.indices, value.values, value.dense_shape)
        shown = "SparseTensor(indices={}, values={}, shape={})".format(
            *(text_of(p, summarize) for p in parts)
        )
        return repr(shown) if not inside else shown
    if isinstance(value, TensorLike):
        tensor = convert(value)
        assert isinstance(tensor, EagerTensor)
        return array_text(np.asarray(tensor), summarize)
    if isinstance(value, Mapping):
        items = [f"{k!r}: {text_of(value[k], summarize, True)}" for k in sorted(value)]
        return "{" + ", ".join(items) + "}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields = zip(value._fields, value, strict=True)
        return f"{type(value).__name__}({', '.join(f'{k}={text_of(v, summarize, True)}' for k, v in fields)})"
    if isinstance(value, list):
        return "[" + ", ".join(text_of(v, summarize, True) for v in value) + "]"
    if isinstance(value, tuple):
        return (
            "("
            + ", ".join(text_of(v, summarize, True) for v in value)
            + ("," if len(value) == 1 else "")
            + ")"
        )
    return value if isinstance(value, str) and not inside else repr(value)


def array_text(array: np.ndarray, summarize: int = 3) -> str:
    """An array in brackets, with `summarize` elements at both ends of each dimension; -1 shows all."""
    if not array.ndim:
        return _item_text(array[()], quote=False)
    return _rows_text(array, summarize, 0)


def _rows_text(array: np.ndarray, summarize: int, depth: int) -> str:
    count = len(array)
    last = array.ndim == 1
    sep = " " if last else "\n" * (array.ndim - 1) + " " * (depth + 1)
    if count and not array.size:
        return f"[{sep}...]"

    def parts(indices: range) -> list[str]:
        if last:
            return [_item_text(array[i], quote=True) for i in indices]
        return [_rows_text(array[i], summarize, depth + 1) for i in indices]

    if summarize < 0 or 2 * summarize >= count:
        return f"[{sep.join(parts(range(count)))}]"
    shown = [*parts(range(summarize)), "...", *parts(range(count - summarize, count))]
    return f"[{'' if summarize else sep}{sep.join(shown)}]"


def _item_text(item: Any, quote: bool) -> str:
    if isinstance(item, bytes):
        text = item.decode("utf-8", "surrogateescape")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if quote else text
    dtype = getattr(item, "dtype", None)
    kind = dtype.kind if dtype is not None else ""
    if kind == "b":
        return str(int(item))
    if kind == "c":
        return f"({_float_text(item.real)},{_float_text(item.imag)})"
    if kind in "iu":
        return str(int(item))
    return _float_text(item)


def _float_text(item: Any) -> str:
    """Few digits (6, for float64 15) where they give the very number back, else as many as always do (9 or 17)."""
    wide = item.dtype.itemsize == 8
    kind = np.float64 if wide else np.float32
    short = f"{float(item):.{15 if wide else 6}g}"
    return short if kind(short) == kind(item) else f"{float(item):.{17 if wide else 9}g}"


@export("Assert", "debugging.Assert")
def Assert(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError with `data` in its message unless `condition` is true.

    Args:
      condition: a boolean scalar.
      data: values to show.
      summarize: elements of each value to show (default 3); -1 for all.

    Raises:
      InvalidArgumentError: the condition is false.
      ValueError: the condition has no single truth value.
    """
    from headwater._src.ops.control import truth

    if isinstance(condition, SymbolicTensor):
        assert_later([condition])
        return
    if truth(condition, "tf.Assert"):
        return
    values = data if isinstance(data, (list, tuple)) else [data]
    shown = "\n".join(_flat_text(x, 3 if summarize is None else summarize) for x in values)
    raise invalid(f"tf.Assert: the condition is false. The data given:\n{shown}")


def _flat_text(value: Any, summarize: int) -> str:
    flat = (
        to_array(value).reshape(-1)
        if not isinstance(value, TensorLike)
        else np.asarray(convert(value)).reshape(-1)
    )
    shown = flat if summarize < 0 else flat[:summarize]
    text = ", ".join(_item_text(x, quote=False) for x in shown)
    return text + ", ..." if len(shown) < len(flat) else text

"""Operations that live on the host: Python functions, printing, assertions, the clock.

Eagerly they run at once. While a graph is being built each call adds a node that runs when the graph does, in the order in
which the program was written; compiled programs call back to the host for it.
"""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import headwater._src.base.errors as errors
from headwater._src.base import dtypes, nest
from headwater._src.base.dtypes import DType, as_dtype, float64
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import compatible, wrap
from headwater._src.base.text import describe
from headwater._src.core.call import is_differentiable
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert, to_array
from headwater._src.core.graph import CAPTURE, CONST, Node, add_opaque
from headwater._src.core.op import NONDIFF, Op
from headwater._src.core.spec import Spec, TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, of_array
from headwater._src.engine import lower
from headwater._src.engine.tape import GradientTape, outside_graphs

# -- nodes with effects -----------------------------------------------------------------------------------------------


def _refuse_eager(*_: Any, **__: Any) -> Any:
    raise ValueError("the attributes of the node say what it gives")


def _effect(
    name: str, numpy: Callable[..., Any], lowering: Any, grad: Any = NONDIFF, stateful: bool = True
) -> Op:
    """A record of nodes alone: eager calls do the same without one, so it has no entry and is not in the registry."""
    record = Op(
        name, "*inputs: A -> *?: bool", numpy=numpy, lower=lowering, grad=grad, shape=_refuse_eager, api=(), cases=tuple,
        attrs={}, host=(), stateful=stateful, moves=False, first_decides=False,
    )  # fmt: skip
    record.module = __name__
    return record


def add_effect(record: Op, inputs: Sequence[Any], attrs: dict[str, Any], name: str | None = None) -> Node:
    """Appends a node without outputs to the graph being built, and gives it back."""
    add_opaque(record, inputs, (), attrs, name or "")
    return ctx.graph.nodes[-1]


def static_value(tensor: Tensor) -> np.ndarray | None:
    """The values of a tensor that are known while tracing: of constants, of tensors from outside, of shapes."""
    if isinstance(tensor, EagerTensor):
        return tensor._array
    if tensor.op.record is CONST:
        return tensor.op.attrs["value"]
    if tensor.op.record is CAPTURE and "value" in tensor.op.attrs:
        return tensor.op.attrs["value"]._array
    known = tensor.known  # type: ignore[attr-defined]
    if known is None or None in known.reshape(-1).tolist():
        return None
    return known.astype(tensor._np_dtype)


def nothing_to_do(name: str | None = None) -> Node | None:
    """What a check gives that holds for sure: a node that does nothing, or None in eager execution."""
    return None if ctx.graph is None else add_effect(_NO_OP, (), {}, name)


def grouped(inputs: Sequence[Any], name: str | None = None) -> Node | None:
    """In a graph, a node that does nothing after what is given: tensors, operations, variables and structures of them.

    Raises:
      TypeError: something else is given.
    """
    if ctx.graph is None:
        return None
    before = []
    for item in nest.flatten(list(inputs), expand_composites=True):
        if not isinstance(item, (Node, TensorLike)):
            raise TypeError(f"tf.group: tensors and operations can be grouped; got {describe(item)}.")
        before.append(item)
    node = add_effect(_NO_OP, (), {}, name)
    node.control_inputs = (*node.control_inputs, *before)
    return node


_NO_OP = _effect("NoOp", lambda: (), lambda: (), stateful=False)

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


class PyCall:
    """A Python function as an attribute of a node: the function, and the specs that `Tout` promises."""

    def __init__(self, function: Callable[..., Any], promise: Any, title: str) -> None:
        self.function = function
        self.title = title
        self.promise = [
            _promised_spec(t, title) for t in (promise if isinstance(promise, (list, tuple)) else [promise])
        ]
        self.outputs: tuple[SymbolicTensor, ...] = ()
        """The node's tensors, whose shapes the program may have said more of with `set_shape`."""
        self.line: Any = None
        """The user's line of the node."""

    def __repr__(self) -> str:
        return f"<{self.title} of {getattr(self.function, '__name__', 'a function')}>"

    def check(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The results, if they have the promised shapes."""
        for array, spec in zip(arrays, self.promise, strict=True):
            if not compatible(spec.shape, array.shape):
                raise invalid(
                    f"{self.title}: Tout promises shape {wrap(spec.shape)}; the function gave {describe(array)}."
                )
        return arrays

    def specs(self) -> list[Spec]:
        """Complete specs of the results, for a compiled program."""
        for tensor in self.outputs:
            if tensor._shape is None or None in tensor._shape or tensor._np_dtype.kind == "O":
                raise invalid(
                    f"{self.title}: XLA must know the results' shapes and has no strings; {describe(tensor)} was promised. Give "
                    "Tout as tf.TensorSpec(shape, dtype), or call set_shape on the results"
                )
        return [t._spec for t in self.outputs]


def _promised_spec(promise: Any, title: str) -> Spec:
    if isinstance(promise, TypeSpec) and not isinstance(promise, TensorSpec):
        raise NotImplementedError(
            f"{title}: in a graph a function can give tensors, not yet {promise!r}; give back the parts."
        )
    shape = getattr(promise, "shape", None)
    return Spec(None if shape is None else shape._dims, _wanted_dtype(promise).np)


def _add_python(record: Op, call: PyCall, tensors: list[Any], promise: Any, name: str | None) -> Any:
    outputs = add_opaque(record, tensors, call.promise, {"call": call}, name or "")
    call.outputs = outputs
    call.line = ctx.graph.nodes[-1].line
    return list(outputs) if isinstance(promise, (list, tuple)) else outputs[0]


# .. with tensors

_MOST_TAPES = 256
_tapes: OrderedDict[int, tuple[Any, list[Any], list[Any]]] = OrderedDict()
_tapes_lock = threading.Lock()
_tokens = itertools.count(1)
"""What the last calls computed that a gradient is asked of, by the number that the node hands on to its gradient's."""


def _results_of(call: PyCall, tensors: list[Any]) -> list[Any]:
    try:
        results = call.function(*tensors)
    except Exception as error:
        raise host_error(error, f"{call.title}: the function") from error
    return _fitting(results, [dtypes.OF_NUMPY[s.dtype] for s in call.promise])


def _fitting(results: Any, wanted: list[DType]) -> list[Any]:
    if not wanted:
        return []
    several = isinstance(results, (list, tuple))
    out = [_checked_result(r, d) for r, d in zip(results if several else [results], wanted, strict=False)]
    if len(out) < len(wanted):
        raise invalid(f"tf.py_function: Tout promises {len(wanted)} results; the function gave {len(out)}.")
    return out


def _eager_call(*arrays: np.ndarray, call: PyCall) -> list[np.ndarray]:
    with outside_graphs():
        return call.check([t._array for t in _results_of(call, [of_array(a) for a in arrays])])


def _recorded(call: PyCall, arrays: Sequence[np.ndarray]) -> tuple[Any, list[Any], list[Any]]:
    tensors = [of_array(a) for a in arrays]
    with outside_graphs(), GradientTape(persistent=True) as tape:
        for tensor in tensors:
            if is_differentiable(tensor._np_dtype):
                tape.watch(tensor)
        results = _results_of(call, tensors)
    return tape, tensors, results


def _recorded_call(*arrays: np.ndarray, call: PyCall) -> list[np.ndarray]:
    """The same, and the number under which the tape of the call is kept."""
    found = _recorded(call, arrays)
    token = next(_tokens)
    with _tapes_lock:
        _tapes[token] = found
        if len(_tapes) > _MOST_TAPES:
            _tapes.popitem(last=False)
    return [*call.check([t._array for t in found[2]]), np.array(token)]


def _pulled_back(
    token: np.ndarray, *arrays: np.ndarray, call: PyCall, places: tuple[int, ...]
) -> list[np.ndarray]:
    """Gradients of the inputs `places` by the tape of the call; where it is gone, the function is called once more.

    `arrays` are the inputs of the call and the gradients of its floating results.
    """
    with _tapes_lock:
        found = _tapes.pop(int(token), None)
    split = len(arrays) - sum(is_differentiable(s.dtype) for s in call.promise)
    tape, inputs, results = _recorded(call, arrays[:split]) if found is None else found
    with outside_graphs():
        targets = [t for t in results if is_differentiable(t._np_dtype)]
        gradients = tape.gradient(targets, [inputs[i] for i in places], [of_array(g) for g in arrays[split:]])
        return [
            np.zeros_like(inputs[i]._array) if g is None else np.asarray(convert(g))
            for i, g in zip(places, gradients, strict=True)
        ]


def _lower_call(kernel: Callable[..., Any], extra: tuple[Spec, ...] = ()) -> Any:
    def lowering(*arrays: Any, call: PyCall) -> Any:
        def on_host(*given: np.ndarray) -> list[np.ndarray]:
            try:
                return kernel(*given, call=call)
            except errors.OpError as error:
                if call.line is None:
                    raise
                raise type(error)(None, None, f"{error.message} (at {call.line})") from error.__cause__

        return lower.call_on_host(on_host, arrays, [*call.specs(), *extra])

    return lowering


def _lower_pulled_back(token: Any, *arrays: Any, call: PyCall, places: tuple[int, ...]) -> Any:
    specs = [Spec(arrays[i].shape, arrays[i].dtype) for i in places]
    return lower.call_on_host(
        lambda *given: _pulled_back(*given, call=call, places=places), (token, *arrays), specs
    )


def _python_gradient(gs: Sequence[Any], ys: Sequence[Any], *inputs: Any, call: PyCall) -> list[Any]:
    """Has the node keep its tape from now on, and adds one that asks the tape."""
    node = ys[0].op
    count = len(call.promise)
    if node.record is _EAGER_PY_FUNC:
        node.record = _RECORDED_PY_FUNC
        token = SymbolicTensor(node, count, Spec((), np.dtype(np.int64)))
        node.outputs = (*node.outputs, token)
    floats = [i for i in range(count) if is_differentiable(ys[i]._np_dtype)]
    upstream = [gs[i] if gs[i] is not None else of_array(np.zeros((), ys[i]._np_dtype)) for i in floats]
    places = tuple(i for i, x in enumerate(inputs) if is_differentiable(x._np_dtype))
    found = add_opaque(
        _PY_FUNC_GRAD, [node.outputs[count], *inputs, *upstream], [inputs[i]._spec for i in places],
        {"call": call, "places": places}, "EagerPyFuncGrad",
    )  # fmt: skip
    by_input: list[Any] = [None] * len(inputs)
    for i, gradient in zip(places, found, strict=True):
        by_input[i] = gradient
    return by_input


_EAGER_PY_FUNC = _effect("EagerPyFunc", _eager_call, _lower_call(_eager_call), _python_gradient)
_RECORDED_PY_FUNC = _effect(
    "EagerPyFunc",
    _recorded_call,
    _lower_call(_recorded_call, (Spec((), np.dtype(np.int64)),)),
    _python_gradient,
)
_PY_FUNC_GRAD = _effect("EagerPyFuncGrad", _pulled_back, _lower_pulled_back)


@export("py_function")
def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Calls a Python function on eager tensors; gradients flow through what it computes with operations.

    In a graph the call happens each time the graph runs, in the program's order.

    Args:
      func: takes one tensor for each value of `inp`.
      inp: list of values that convert to tensors.
      Tout: the dtype (or TensorSpec) of the result, or a list of them; an empty list if there is none. Compiled programs need
        to know shapes, which a TensorSpec or `set_shape` on the result can say.

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
    if ctx.graph is not None:
        return _add_python(_EAGER_PY_FUNC, PyCall(func, Tout, "tf.py_function"), tensors, Tout, name)
    try:
        results = func(*tensors)
    except Exception as error:
        raise host_error(error, "tf.py_function: the function") from error
    if not wanted:
        return []
    out = _fitting(results, wanted)
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


# .. with arrays


def _numpy_call(*arrays: np.ndarray, call: PyCall) -> list[np.ndarray]:
    given = [a.copy() if a.ndim else a[()] for a in arrays]
    try:
        with outside_graphs():
            result = call.function(*given)
    except Exception as error:
        raise host_error(error, f"{call.title}: the function") from error
    results = [] if result is None else list(result) if isinstance(result, (list, tuple)) else [result]
    if len(results) != len(call.promise):
        raise invalid(
            f"{call.title}: Tout promises {len(call.promise)} results; the function gave {len(results)}."
        )
    found = [
        to_array(r) if not isinstance(r, (np.ndarray, np.generic)) else np.array(r)
        for r in map(_as_numpy, results)
    ]
    for i, (array, spec) in enumerate(zip(found, call.promise, strict=True)):
        if array.dtype != spec.dtype:
            raise invalid(
                f"{call.title}: Tout promises {dtypes.OF_NUMPY[spec.dtype].name} for result {i}; the function gave "
                f"{describe(array)}. Convert it: result.astype(...)."
            )
    return call.check(found)


def _as_numpy(value: Any) -> Any:
    """Python numbers as NumPy takes them: int64, float64."""
    if isinstance(value, (bool, int, float, complex)):
        return np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        return to_array(value)
    return value


_PY_FUNC = _effect("PyFunc", _numpy_call, _lower_call(_numpy_call))
_PY_FUNC_STATELESS = _effect("PyFuncStateless", _numpy_call, _lower_call(_numpy_call), stateful=False)


@export("numpy_function")
def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a Python function on NumPy arrays; no gradient flows through it.

    Args:
      func: takes one array for each value of `inp`.
      inp: list of values that convert to tensors.
      Tout: the dtype of the result (or a TensorSpec), or a list of them; eager calls keep the dtypes that the function gives.
      stateful: in a graph a call whose results nobody uses is left out if this is False.

    Returns:
      A tensor, or a list of tensors where `Tout` (eagerly: what the function gives) is a list; eagerly None where the function
      gives None. Without `func`: a decorator.

    Raises:
      TypeError: `func` can't be called.
      InvalidArgumentError: in a graph, the results have other dtypes than promised, or are more or fewer.
      Eagerly, exceptions of `func` come through as they are; in a graph as for `tf.py_function`.
    """
    if func is None:
        return lambda function: lambda *args: numpy_function(function, list(args), Tout, stateful)
    if not callable(func):
        raise TypeError(f"tf.numpy_function: func must be a function; got {describe(func)}.")
    tensors = [convert(x) for x in (inp or [])]
    if ctx.graph is not None:
        if Tout is None:
            raise TypeError(
                "tf.numpy_function: Tout is missing; give the dtype of the result, or a list of dtypes."
            )
        record = _PY_FUNC if stateful else _PY_FUNC_STATELESS
        return _add_python(record, PyCall(func, Tout, "tf.numpy_function"), tensors, Tout, name)
    result = func(*(t.__array__(copy=True) for t in tensors))  # type: ignore[attr-defined]
    if result is None:
        return None
    if isinstance(result, (list, tuple)):
        return [convert(r) for r in result]
    return convert(result)


# -- the clock --------------------------------------------------------------------------------------------------------


def _now() -> list[np.ndarray]:
    return [np.asarray(time.time(), float64.np)]


_TIMESTAMP = _effect("Timestamp", _now, lambda: lower.call_on_host(_now, (), [Spec((), float64.np)]))


@export("timestamp")
def timestamp(name: str | None = None) -> Tensor:
    """Seconds since 1970 as a float64 scalar, at the moment when this runs."""
    if ctx.graph is not None:
        return add_opaque(_TIMESTAMP, (), [Spec((), float64.np)], name=name or "")[0]
    return of_array(_now()[0])


# -- printing ---------------------------------------------------------------------------------------------------------


@export("print")
def print_v2(*inputs: Any, **kwargs: Any) -> Any:
    """Prints values, tensors in short: numbers in six significant digits or more where needed, long dimensions cut.

    In a graph it prints each time the graph runs; what is no tensor is shown as it was while tracing.

    Args:
      inputs: anything; structures may contain tensors.
      output_stream: `sys.stderr` (the default), `sys.stdout`, any object with `write`, a function of the tf.logging kind, or
        "file://path" to append to a file.
      summarize: elements to show at both ends of each dimension (default 3); -1 for all.
      sep: between the inputs (a blank).
      end: after the last (a line feed).

    Returns:
      None; in a graph the operation.

    Raises:
      ValueError: an unknown keyword, or an output stream of another kind.
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    summarize = kwargs.pop("summarize", 3)
    sep = kwargs.pop("sep", " ")
    end = kwargs.pop("end", "\n")
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"tf.print: unknown keyword arguments {sorted(kwargs)}.")
    if ctx.graph is None:
        _write(stream, sep.join(text_of(x, summarize) for x in inputs) + end)
        return None
    layout = _Layout(inputs, stream, summarize, sep, end)
    return add_effect(_PRINT, layout.tensors, {"layout": layout}, name)


class _Verbatim:
    """A value that is shown in this way whatever becomes of it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class _Layout:
    """What `tf.print` shows: the structure with its tensors taken out, and how."""

    def __init__(self, inputs: tuple[Any, ...], stream: Any, summarize: Any, sep: str, end: str) -> None:
        self.stream = "stdout" if stream is sys.stdout else "stderr" if stream is sys.stderr else stream
        _check_stream(stream)
        self.summarize, self.sep, self.end = summarize, sep, end
        self.tensors: list[Any] = []
        self.leaves = [self._take(x) for x in nest.flatten(inputs, expand_composites=True)]
        self.structure = nest.pack_sequence_as(inputs, nest.flatten(inputs, True), True)

    def _take(self, leaf: Any) -> Any:
        if isinstance(leaf, TensorLike):
            tensor = convert(leaf)
            if tensor._np_dtype.kind == "O" and static_value(tensor) is not None:
                return of_array(static_value(tensor))  # type: ignore[arg-type]
            self.tensors.append(tensor)
            return None
        return leaf if isinstance(leaf, str) else _Verbatim(repr(leaf))

    def __repr__(self) -> str:
        return f"<what to print with {len(self.tensors)} tensors>"

    def text(self, *arrays: np.ndarray) -> str:
        """What is shown with these values for the tensors."""
        values = iter(arrays)
        leaves = [of_array(next(values)) if x is None else x for x in self.leaves]
        inputs = nest.pack_sequence_as(self.structure, leaves, True) if leaves else ()
        return self.sep.join(text_of(x, self.summarize) for x in inputs) + self.end

    def show(self, *arrays: np.ndarray) -> None:
        """Prints it."""
        stream = getattr(sys, self.stream) if self.stream in ("stdout", "stderr") else self.stream
        with outside_graphs():
            _write(stream, self.text(*arrays))


def _print_kernel(*arrays: np.ndarray, layout: _Layout) -> tuple[()]:
    layout.show(*arrays)
    return ()


def _lower_print(*arrays: Any, layout: _Layout) -> tuple[()]:
    lower.call_on_host(layout.show, arrays, ())
    return ()


_PRINT = _effect("PrintV2", _print_kernel, _lower_print)

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "warning": logging.WARNING,
           "error": logging.ERROR}  # fmt: skip


def _check_stream(stream: Any) -> None:
    if isinstance(stream, str) and stream.startswith("file://") or hasattr(stream, "write"):
        return
    if not callable(stream) or getattr(stream, "__name__", "") not in _LEVELS:
        raise ValueError(
            f"tf.print: output_stream must be sys.stdout, sys.stderr, a stream, or 'file://path'; got {describe(stream)}."
        )


def _write(stream: Any, text: str) -> None:
    _check_stream(stream)
    if isinstance(stream, str) and stream.startswith("file://"):
        with open(stream[7:], "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    elif hasattr(stream, "write"):
        stream.write(text)
        stream.flush() if hasattr(stream, "flush") else None
    else:
        logging.getLogger("headwater").log(_LEVELS[stream.__name__], "%s", text.rstrip("\n"))


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


_ESCAPED = {
    **{i: f"\\{i:03o}" for i in (*range(32), 127)},
    **{ord(c): f"\\{e}" for c, e in zip("\n\r\t\"'\\", "nrt\"'\\", strict=True)},
}
"""How strings within brackets show control characters and quotes."""


def _item_text(item: Any, quote: bool) -> str:
    if isinstance(item, bytes):
        text = item.decode("utf-8", "surrogateescape")
        return f'"{text.translate(_ESCAPED)}"' if quote else text
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


# -- assertions -------------------------------------------------------------------------------------------------------


def _assert_kernel(condition: np.ndarray, *data: np.ndarray, explain: Any) -> tuple[()]:
    if not condition.all():
        raise invalid(explain(condition, *data))
    return ()


_ASSERT = _effect(
    "Assert",
    _assert_kernel,
    lambda *inputs, explain: (),  # as in TensorFlow, compiled programs leave assertions out
)


def add_assertion(
    condition: Any, data: Sequence[Any], explain: Callable[..., str], name: str | None = None
) -> Node:
    """Adds a node that raises InvalidArgumentError, when it runs, unless `condition` is true everywhere.

    Args:
      condition: a boolean tensor of the graph being built.
      data: more tensors.
      explain: makes the error's text of the arrays (condition, *data).
    """
    return add_effect(_ASSERT, [condition, *data], {"explain": explain}, name)


class _Shown:
    """The text of a failed `tf.Assert`; what is no tensor of the graph stays here, so that XLA meets no strings."""

    def __init__(self, data: Sequence[Any], summarize: Any) -> None:
        self.summarize = 3 if summarize is None else int(summarize)
        self.tensors: list[Any] = []
        self.parts = [self._take(x) for x in data]

    def _take(self, value: Any) -> Any:
        try:
            tensor = convert(value)
        except (TypeError, ValueError):  # a structure of several kinds of values
            layout = _Layout((value,), sys.stderr, self.summarize, "", "")
            self.tensors += layout.tensors
            return layout
        fixed = static_value(tensor)
        if fixed is None:
            self.tensors.append(tensor)
        return fixed

    def _text(self, part: Any, values: Iterator[np.ndarray]) -> str:
        if isinstance(part, _Layout):
            return part.text(*itertools.islice(values, len(part.tensors)))
        return _flat_text(next(values) if part is None else part, self.summarize)

    def __call__(self, condition: np.ndarray, *data: np.ndarray) -> str:
        if condition.ndim:
            return f"tf.Assert: the condition must be a scalar; got {describe(condition)}."
        values = iter(data)
        shown = [self._text(part, values) for part in self.parts]
        return "tf.Assert: the condition is false. The data given:\n" + "\n".join(shown)


@export("Assert", "debugging.Assert")
def Assert(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError with `data` in its message unless `condition` is true.

    In a graph it does so when the graph runs; compiled programs leave it out, as in TensorFlow.

    Args:
      condition: a boolean scalar.
      data: list of values to show.
      summarize: elements of each value to show (default 3); -1 for all.

    Returns:
      None; in a graph the operation.

    Raises:
      InvalidArgumentError: the condition is false.
      ValueError: the condition has no single truth value.
      TypeError: in a graph, the condition is not boolean, or `data` is no list.
    """
    from headwater._src.ops.control import truth

    if ctx.graph is not None:
        if isinstance(data, TensorLike) or not isinstance(data, (list, tuple)):
            raise TypeError(f"tf.Assert: data must be a list of values to show; got {describe(data)}.")
        tensor = convert(condition)
        if not tensor.dtype.is_bool:
            raise TypeError(f"tf.Assert: the condition must be a bool scalar; got {describe(tensor)}.")
        explain = _Shown(data, summarize)
        return add_assertion(tensor, explain.tensors, explain, name)
    if truth(condition, "tf.Assert"):
        return None
    values = data if isinstance(data, (list, tuple)) else [data]
    raise invalid(_Shown(values, summarize)(np.asarray(False)))


def _flat_text(array: np.ndarray, summarize: int) -> str:
    flat = array.reshape(-1)
    shown = flat if summarize < 0 else flat[:summarize]
    text = ", ".join(_item_text(x, quote=False) for x in shown)
    return text + ", ..." if len(shown) < len(flat) else text

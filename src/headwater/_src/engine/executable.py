"""XLA programs of closed graphs: compiled ahead of their calls, once for each combination of input shapes, and cached.

The way of a call is short on purpose: no tracing, no look at the arguments beyond the shapes that the graph leaves open,
and XLA's own entry in C++. Programs are compiled with 64-bit types on, whatever the user's JAX configuration says.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import InternalError, OpError, ResourceExhaustedError, invalid
from headwater._src.base.lazy import jax, jnp
from headwater._src.base.shapes import compatible, wrap
from headwater._src.core.graph import FuncGraph
from headwater._src.engine import compile_cache
from headwater._src.engine.lower import interpret, needed, raised_on_host, refusal

MAX_PROGRAMS = 64
"""How many programs of one graph with unknown dimensions are kept; the one used longest ago goes first."""

_lock = threading.RLock()
"""Compilation changes settings of JAX for a moment, so there is one at a time."""


def executable_of(closed: FuncGraph) -> Executable:
    """The XLA programs of a closed graph; made once."""
    found = closed.executable if hasattr(closed, "executable") else None
    if found is None:
        with _lock:
            found = getattr(closed, "executable", None)
            if found is None:
                found = closed.executable = Executable(closed)  # type: ignore[attr-defined]
    return found


class Executable:
    """A closed graph as a function on arrays that XLA runs."""

    def __init__(self, closed: FuncGraph) -> None:
        self.closed = closed
        self.open = [i for i, t in enumerate(closed.inputs) if t._shape is None or None in t._shape]
        """The inputs whose shapes only a call tells."""
        self.programs: OrderedDict[Any, Any] = OrderedDict()
        self.compilations = 0
        self.effects = False
        """Whether programs call the host; known after the first compilation. Such programs never donate."""
        self.constants: list[Any] | None = None
        """The captured tensors as JAX arrays; see `resident`."""
        self.donated: tuple[bool, ...] | None = None

    def __call__(self, values: Sequence[Any], donate: tuple[bool, ...] = ()) -> list[Any]:
        """Runs the graph.

        Args:
          values: an ndarray or JAX array for each input, of the dtype and shape of that input.
          donate: for each input whether its JAX array may be overwritten; empty for none. An array that somebody looks at
            through NumPy is copied instead.

        Returns:
          JAX arrays. They may still be in the making; reading them waits.

        Raises:
          InvalidArgumentError: a node of the graph can't be part of an XLA program, or a value doesn't fit its input.
          What functions on the host raise while the program runs.
        """
        key: Any = donate
        if self.open:
            key = (donate, *[values[i].shape for i in self.open])
        program = self.programs.get(key)
        if program is None:
            program = self._add(key, values, donate)
        elif self.open:
            self.programs.move_to_end(key)
        try:
            return program(*values)
        except Exception as error:
            found = self._explain(error, values)
            if found is error:
                raise
            raise found from None

    def _add(self, key: Any, values: Sequence[Any], donate: tuple[bool, ...]) -> Callable[..., Any]:
        with _lock:
            program = self.programs.get(key)
            if program is None:
                program = self._compile(values, donate)
                self.programs[key] = program
                while len(self.programs) > MAX_PROGRAMS:
                    self.programs.popitem(last=False)
        return program

    def _compile(self, values: Sequence[Any], donate: tuple[bool, ...]) -> Callable[..., Any]:
        self.compilations += 1
        closed = self.closed
        specs = self._specs(values)
        try:
            lowered = _lower(closed, specs, () if self.effects else donate)
        except OpError as error:
            # JAX's frames, and its note about them, say nothing to the user.
            error.__notes__ = []
            raise error.with_traceback(None) from None
        if lowered.effects:
            if any(donate) and not self.effects:
                lowered = _lower(closed, specs, ())
            self.effects = True
        with jax.enable_x64(True), compile_cache.at_work():
            compiled = lowered.stage.compile()
        return _caller(compiled, closed, lowered.effects)

    def _specs(self, values: Sequence[Any]) -> list[Any]:
        found = []
        for tensor, value in zip(self.closed.inputs, values, strict=True):
            if tensor._np_dtype != value.dtype or not compatible(tensor._shape, value.shape):
                raise self._misfit(tensor, value)
            found.append((value.shape, value.dtype))
        return found

    def _misfit(self, tensor: Any, value: Any) -> Exception:
        return invalid(
            f"{self.closed.name}: the input {tensor.name!r} must be {tensor._np_dtype} of shape {wrap(tensor._shape)}; "
            f"got {value.dtype} of shape {wrap(tuple(value.shape))}."
        )

    def _explain(self, error: Exception, values: Sequence[Any]) -> Exception:
        """What to raise for an exception of JAX."""
        if isinstance(error, TypeError):
            for tensor, value in zip(self.closed.inputs, values, strict=True):
                if tensor._np_dtype != value.dtype or not compatible(tensor._shape, value.shape):
                    return self._misfit(tensor, value)
            return error
        if not isinstance(error, jax.errors.JaxRuntimeError):
            return error
        text = str(error)
        found = raised_on_host(text)
        if found is not None:
            return found  # type: ignore[return-value]
        if "RESOURCE_EXHAUSTED" in text:
            return ResourceExhaustedError(None, None, f"{self.closed.name}: {text}")
        return InternalError(None, None, f"{self.closed.name}: XLA failed: {text}")


def run_arrays(program: Executable, arrays: Sequence[Any]) -> list[np.ndarray]:
    """Runs a program on ndarrays; the results are read-only views of XLA's."""
    return [np.asarray(r) for r in program(arrays)]


# -- compiling --------------------------------------------------------------------------------------------------------


class _Lowered(NamedTuple):
    stage: Any
    """What JAX calls lowered: StableHLO, and a way to compile it."""
    effects: bool
    """Whether the program calls the host in a way that can be noticed."""


def _lower(closed: FuncGraph, specs: Sequence[tuple[Any, Any]], donate: Sequence[bool]) -> _Lowered:
    """The graph as StableHLO for inputs of these shapes and dtypes; strings among the inputs are left out."""
    used = (
        {id(t) for node in needed(closed) for t in node.outputs}
        if any(d.kind == "O" for _, d in specs)
        else ()
    )
    kept = []
    for i, (tensor, (_, dtype)) in enumerate(zip(closed.inputs, specs, strict=True)):
        if dtype.kind != "O":
            kept.append(i)
        elif id(tensor) in used:
            raise refusal(tensor.op, "XLA has no strings")

    def program(*arrays: Any) -> list[Any]:
        values: list[Any] = [None] * len(specs)
        for i, array in zip(kept, arrays, strict=True):
            values[i] = array
        outputs = interpret(closed, values)
        return [_result(t, v) for t, v in zip(closed.outputs, outputs, strict=True)]

    program.__name__ = program.__qualname__ = re.sub(r"\W", "_", closed.name) or "graph"
    given = [n for n, i in enumerate(kept) if donate and donate[i]]
    with jax.enable_x64(True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some donated buffers were not usable")
        arguments = [jax.ShapeDtypeStruct(*specs[i]) for i in kept]
        traced = jax.jit(program, donate_argnums=given).trace(*arguments)
        return _Lowered(traced.lower(), bool(traced.jaxpr.effects))


def _result(tensor: Any, value: Any) -> Any:
    if tensor._np_dtype.kind == "O" or (value.__class__ is np.ndarray and value.dtype.kind == "O"):
        raise refusal(tensor.op, "a result of dtype string or variant can't leave it")
    return jnp.asarray(value, tensor._np_dtype)


def _caller(compiled: Any, closed: FuncGraph, effects: bool) -> Callable[..., Any]:
    """The quickest way to call a compiled program that is right for it."""
    program = _entry_in_c(compiled)
    dtypes = [t._np_dtype for t in closed.inputs]
    strings = any(d.kind == "O" for d in dtypes)
    if not effects and not strings and not any(d in _WIDE for d in dtypes):
        return program
    kept = [i for i, d in enumerate(dtypes) if d.kind != "O"]
    enable_x64 = jax.enable_x64

    def call(*values: Any) -> Any:
        # ndarrays of 64 bits would be narrowed on the way in.
        with enable_x64(True):
            return program(*([values[i] for i in kept] if strings else values))

    def call_and_wait(*values: Any) -> Any:
        outputs = call(*values)
        jax.block_until_ready(outputs)
        jax.effects_barrier()
        return outputs

    return call_and_wait if effects else call


_WIDE = frozenset(np.dtype(n) for n in ("int64", "uint64", "float64", "complex128"))


def _entry_in_c(compiled: Any) -> Callable[..., Any]:
    """JAX's compiled object without the Python around its C++ entry, which costs as much as a few buffers."""
    try:
        entry = compiled._executable.create_cpp_call(compiled._params)
    except AttributeError:  # a JAX whose insides look different
        entry = None
    return compiled if entry is None else entry


# -- looking at programs ----------------------------------------------------------------------------------------------

STAGES = (
    "hlo",
    "hlo_serialized",
    "stablehlo",
    "optimized_hlo",
    "optimized_hlo_serialized",
    "optimized_hlo_dot",
)


def compiler_text(
    closed: FuncGraph, stage: str = "hlo", specs: Sequence[tuple[Any, Any]] | None = None
) -> Any:
    """The program in one of the compiler's languages.

    Args:
      closed: a closed graph.
      stage: "hlo" and "stablehlo" are what XLA gets, "optimized_hlo" what it makes of it, "optimized_hlo_dot" a drawing of
        that for Graphviz; those that end in "_serialized" are bytes of a protocol buffer, the others text.
      specs: shape and dtype of each input; by default those of the graph, which must then be known.

    Raises:
      ValueError: another stage, or an unknown shape.
      InvalidArgumentError: a node can't be part of an XLA program.
    """
    if stage not in STAGES:
        raise ValueError(f"stage must be one of {', '.join(STAGES)}; got {stage!r}.")
    if specs is None:
        specs = [_full(closed, t) for t in closed.inputs]
    with _lock:
        lowered = _lower(closed, specs, ()).stage
        if stage == "stablehlo":
            return lowered.as_text()
        if stage.startswith("hlo"):
            module = lowered.compiler_ir("hlo")
            return module.as_hlo_text() if stage == "hlo" else module.as_serialized_hlo_module_proto()
        with jax.enable_x64(True), compile_cache.at_work():
            module = lowered.compile().runtime_executable().hlo_modules()[0]
    if stage == "optimized_hlo":
        return module.to_string()
    if stage == "optimized_hlo_serialized":
        return module.as_serialized_hlo_module_proto()
    from jax._src.lib import _jax

    return _jax.hlo_module_to_dot_graph(module)


def _full(closed: FuncGraph, tensor: Any) -> tuple[Any, Any]:
    if tensor._shape is None or None in tensor._shape:
        raise ValueError(
            f"{closed.name}: the input {tensor.name!r} has the shape {wrap(tensor._shape)}, and a program is made for full "
            "shapes only; ask with arguments that have values."
        )
    return tensor._shape, tensor._np_dtype

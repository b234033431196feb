"""XLA programs of closed graphs: compiled ahead of their calls, once for each combination of input shapes, and cached.

The way of a call is short on purpose: no tracing, no look at the arguments beyond the shapes that the graph leaves open,
and XLA's own entry in C++. Programs are compiled with 64-bit types on, whatever the user's JAX configuration says.
"""

from __future__ import annotations

import functools
import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import starmap
from math import prod
from typing import Any, NamedTuple, NoReturn

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.errors import InternalError, OpError, ResourceExhaustedError, invalid
from headwater._src.base.lazy import jax, jnp
from headwater._src.base.shapes import compatible, wrap
from headwater._src.core.graph import FuncGraph
from headwater._src.engine import compile_cache, packing
from headwater._src.engine.lower import interpret, needed, raised_on_host, refusal
from headwater._src.engine.packing import Packing

MAX_PROGRAMS = 64
"""How many programs of one graph with unknown dimensions are kept; the one used longest ago goes first."""

_lock = threading.RLock()
"""Compilation changes settings of JAX for a moment, so there is one at a time."""


def executable_of(closed: FuncGraph) -> Executable:
    """The XLA programs of a closed graph, which take and give all inputs and outputs; made once."""
    found = getattr(closed, "executable", None)
    if found is None:
        with _lock:
            found = getattr(closed, "executable", None)
            if found is None:
                found = closed.executable = Executable(closed, packing.plain(closed))  # type: ignore[attr-defined]
    return found


class Program(NamedTuple):
    """A compiled program."""

    call: Callable[..., Any]
    """XLA's entry: arrays in, a list of JAX arrays out."""
    effects: bool
    """Whether it calls the host. Such a program overwrites nothing, as it may fail on its way."""


class Executable:
    """A closed graph as a function on arrays that XLA runs.

    Args:
      closed: the graph.
      packing: how its inputs and outputs are handed over. The arrays of assigned variables are donated.
    """

    def __init__(self, closed: FuncGraph, packing: Packing) -> None:
        _start_jax()
        self.closed = closed
        self.packing = packing
        inputs = [closed.inputs[i] for i in packing.fixed]
        self.kept = [i for i, t in enumerate(inputs) if t._np_dtype.kind != "O"]
        """Which of the values are handed to XLA: all but strings, which only host operations use."""
        self.strings = len(self.kept) < len(inputs)
        self.direct = not self.strings and not any(t._np_dtype in _WIDE for t in inputs)
        """Whether the values can be handed to XLA as they are."""
        self.open = [i for i, t in enumerate(inputs) if t._shape is None or None in t._shape]
        """The values whose shapes only a call tells."""
        self.open_singles = any(
            closed.inputs[i]._shape is None or None in closed.inputs[i]._shape for i, _ in packing.singles
        )
        self.programs: OrderedDict[Any, Program] = OrderedDict()
        self.compilations = 0
        self.residents: Any = None
        """What `resident` keeps with the programs."""

    def __call__(self, values: Sequence[Any], state: Sequence[Any] = ()) -> list[Any]:
        """Runs the graph.

        Args:
          values: an ndarray or JAX array for each input that the packing leaves single, of its dtype and shape.
          state: the JAX arrays of assigned variables, which are used up.

        Returns:
          JAX arrays. They may still be in the making; reading them waits.

        Raises:
          InvalidArgumentError: a node of the graph can't be part of an XLA program, or a value doesn't fit its input.
          What functions on the host raise while the program runs.
        """
        box: list[Any] = []
        self.run(self.program(values, state), values, state, box)
        return box[0]

    def program(self, values: Sequence[Any], state: Sequence[Any] = ()) -> Program:
        """The program for values of these shapes, compiled if need be."""
        key: Any = None
        if self.open or self.open_singles:
            key = *[values[i].shape for i in self.open], *[a.shape for a in state]
        found = self.programs.get(key)
        if found is None:
            return self._add(key, values, state)
        if key is not None:
            self.programs.move_to_end(key)
        return found

    def run(self, program: Program, values: Sequence[Any], state: Sequence[Any], box: list[Any]) -> None:
        """Appends the list of results to `box`.

        No Python runs between XLA's return and that, so not even an interrupt from the keyboard can come between the
        old arrays of variables, which are used up then, and the new ones.
        """
        try:
            if self.direct:
                box.extend(starmap(program.call, ((*values, *state),)))
            else:
                if self.strings:
                    values = [values[i] for i in self.kept]
                with jax.enable_x64(True):  # ndarrays of 64 bits would be narrowed on the way in
                    box.extend(starmap(program.call, ((*values, *state),)))
            if program.effects:
                jax.block_until_ready(box[-1])
                jax.effects_barrier()
        except Exception as error:
            if program.effects:
                box.clear()
            self.reraise(error, values)

    def reraise(self, error: Exception, values: Sequence[Any]) -> NoReturn:
        """Raises what an exception of JAX means."""
        found = self._explain(error, values)
        if found is error:
            raise error
        raise found from None

    def _add(self, key: Any, values: Sequence[Any], state: Sequence[Any]) -> Program:
        with _lock:
            program = self.programs.get(key)
            if program is None:
                program = self.programs[key] = self._compile(values, state)
                while len(self.programs) > MAX_PROGRAMS:
                    self.programs.popitem(last=False)
        return program

    def _compile(self, values: Sequence[Any], state: Sequence[Any]) -> Program:
        self.compilations += 1
        specs = self.packing.specs(
            self._specs(values), [(a.shape, a.dtype) for a in state[len(self.packing.groups) :]]
        )
        try:
            lowered = _lower(self.closed, self.packing, specs, donate=True)
            if lowered.effects and state:
                lowered = _lower(self.closed, self.packing, specs, donate=False)
        except OpError as error:
            # JAX's frames, and its note about them, say nothing to the user.
            error.__notes__ = []
            raise error.with_traceback(None) from None
        with jax.enable_x64(True), compile_cache.at_work():
            compiled = lowered.stage.compile(_OF_SMALL if lowered.small else None)
        return Program(_entry_in_c(compiled), lowered.effects)

    def _specs(self, values: Sequence[Any]) -> list[Any]:
        found = []
        for i, value in zip(self.packing.fixed, values, strict=True):
            if self._misfits(self.closed.inputs[i], value):
                raise self._misfit(self.closed.inputs[i], value)
            found.append((value.shape, value.dtype))
        return found

    @staticmethod
    def _misfits(tensor: Any, value: Any) -> bool:
        return tensor._np_dtype != value.dtype or not compatible(tensor._shape, value.shape)

    def _misfit(self, tensor: Any, value: Any) -> Exception:
        return invalid(
            f"{self.closed.name}: the input {tensor.name!r} must be {tensor._np_dtype} of shape {wrap(tensor._shape)}; "
            f"got {value.dtype} of shape {wrap(tuple(value.shape))}."
        )

    def _explain(self, error: Exception, values: Sequence[Any]) -> Exception:
        """What to raise for an exception of JAX."""
        if isinstance(error, TypeError):
            kept = [self.closed.inputs[self.packing.fixed[i]] for i in self.kept]
            wrong = [(t, v) for t, v in zip(kept, values, strict=False) if self._misfits(t, v)]
            return self._misfit(*wrong[0]) if wrong else error
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


def program_of(function: Callable[..., Any], specs: Sequence[tuple[Any, Any]]) -> Callable[..., Any] | None:
    """A function of JAX arrays, compiled for the CPU: XLA's entry, which takes arrays and gives a list of JAX arrays.

    Args:
      function: takes one array for each spec and gives a list of arrays.
      specs: their shapes and dtypes.

    Returns:
      The entry; None where JAX's device is another one, or something is being traced or compiled at this moment.
    """
    _start_jax()
    if jax.default_backend() != "cpu" or not _lock.acquire(blocking=False):
        return None
    try:
        if _under_trace():
            return None
        with jax.enable_x64(True), compile_cache.at_work():
            traced = jax.jit(function).trace(*[jax.ShapeDtypeStruct(*spec) for spec in specs])
            return _entry_in_c(traced.lower().compile(_OF_WIDE))
    finally:
        _lock.release()


def _under_trace() -> bool:
    from jax._src import core

    clean = getattr(core, "trace_state_clean", None)
    return clean is not None and not clean()


@functools.cache
def _start_jax() -> None:
    """Starts JAX's backends, if nobody has, with programs on the CPU run by the calling thread.

    JAX hands all but the smallest programs to another thread. Waking that up and waiting for it takes longer than one step
    of a small network, and on a busy machine several times as long.
    """
    jax.version  # noqa: B018 - loads JAX, or says what to install
    from jax._src import xla_bridge

    setting = getattr(xla_bridge, "_CPU_ENABLE_ASYNC_DISPATCH", None)
    if setting is None or xla_bridge.backends_are_initialized():
        return
    before = setting.value
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    try:
        jax.devices()
    finally:
        jax.config.update("jax_cpu_enable_async_dispatch", before)


# -- compiling --------------------------------------------------------------------------------------------------------


class _Lowered(NamedTuple):
    stage: Any
    """What JAX calls lowered: StableHLO, and a way to compile it."""
    effects: bool
    """Whether the program calls the host in a way that can be noticed."""
    small: bool
    """Whether no array in it is large."""


_OF_SMALL = {"xla_cpu_multi_thread_eigen": False}
"""Compiler options for programs of small arrays: sharing the work out to threads takes longer than doing it."""
_OF_WIDE = {"xla_cpu_prefer_vector_width": 512}
"""Compiler options for loops over large arrays: half as many instructions where the processor has such registers."""
_SMALL_ARRAY = 8192


def _is_small(jaxpr: Any) -> bool:
    """Whether no array of a JAX program, inner ones included, has many elements."""
    for equation in jaxpr.eqns:
        for variable in equation.outvars:
            if prod(getattr(variable.aval, "shape", ())) > _SMALL_ARRAY:
                return False
        for value in equation.params.values():
            for one in value if value.__class__ in (tuple, list) else (value,):
                inner = getattr(one, "jaxpr", one)
                if hasattr(inner, "eqns") and not _is_small(inner):
                    return False
    return True


def _lower(
    closed: FuncGraph, packing: Packing, specs: Sequence[tuple[Any, Any]], donate: bool = False
) -> _Lowered:
    """The graph as StableHLO for arrays of these shapes and dtypes; strings among them are left out."""
    _refuse_strings(closed, packing, specs)
    kept = [i for i, (_, dtype) in enumerate(specs) if dtype.kind != "O"]

    def program(*arrays: Any) -> list[Any]:
        handed: list[Any] = [None] * len(specs)
        for i, array in zip(kept, arrays, strict=True):
            handed[i] = array
        outputs = interpret(closed, packing.unpack(handed, len(closed.inputs)))
        return packing.pack([_result(t, v) for t, v in zip(closed.outputs, outputs, strict=True)])

    program.__name__ = program.__qualname__ = re.sub(r"\W", "_", closed.name) or "graph"
    given = range(len(kept) - packing.width, len(kept)) if donate else ()
    with jax.enable_x64(True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some donated buffers were not usable")
        arguments = [jax.ShapeDtypeStruct(*specs[i]) for i in kept]
        traced = jax.jit(program, donate_argnums=tuple(given)).trace(*arguments)
        on_cpu = jax.default_backend() == "cpu"
        small = on_cpu and _is_small(traced.jaxpr.jaxpr)
        return _Lowered(traced.lower(), bool(traced.jaxpr.effects), small)


def _refuse_strings(closed: FuncGraph, packing: Packing, specs: Sequence[tuple[Any, Any]]) -> None:
    texts = [
        closed.inputs[i] for i, (_, dtype) in zip(packing.fixed, specs, strict=False) if dtype.kind == "O"
    ]
    texts += [closed.inputs[i] for i, _ in packing.singles if closed.inputs[i]._np_dtype.kind == "O"]
    if texts:
        used = {id(t) for node in needed(closed) for t in node.inputs} | {id(t) for t in closed.outputs}
        for tensor in texts:
            if id(tensor) in used:
                raise refusal(tensor.op, "XLA has no strings")


def _result(tensor: Any, value: Any) -> Any:
    if dtypes.is_foreign(tensor._np_dtype) or (value.__class__ is np.ndarray and value.dtype.kind == "O"):
        raise refusal(tensor.op, "a result that holds strings or a list of tensors can't leave it")
    return jnp.asarray(value, tensor._np_dtype)


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
        lowered = _lower(closed, packing.plain(closed), specs).stage
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
    from jaxlib import _hlo  # type: ignore[attr-defined]

    return _hlo.hlo_module_to_dot_graph(module)


def _full(closed: FuncGraph, tensor: Any) -> tuple[Any, Any]:
    if tensor._shape is None or None in tensor._shape:
        raise ValueError(
            f"{closed.name}: the input {tensor.name!r} has the shape {wrap(tensor._shape)}, and a program is made for full "
            "shapes only; ask with arguments that have values."
        )
    return tensor._shape, tensor._np_dtype

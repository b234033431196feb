"""The NumPy plan: a closed graph as straight-line Python, compiled once, which runs anything that eager code runs.

The plan gives the bits that eager code gives: it calls the same NumPy functions in the same order. What it saves is the
dispatch, the tensors around arrays, arrays for results that can go where others were, and what the passes removed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater._src.base.errors import OpError
from headwater._src.base.frames import is_library
from headwater._src.core.call import _explain
from headwater._src.core.graph import FuncGraph, Node
from headwater._src.core.op import Op
from headwater._src.core.tensor import as_array, of_array

if TYPE_CHECKING:
    from headwater._src.engine.emit import Origin, Source

_MODULE = "headwater._src.plans"
"""The module that plans claim to be of: NumPy's warnings from headwater's modules are filtered; see `core.call`."""

_MOST_VARIANTS = 8
"""Sets of owned inputs that a plan is compiled for; others are treated as owning nothing."""


class _Handling:
    """Stands in for the context variable of NumPy that says what to do about floating point errors."""

    def set(self, state: Any) -> Any:
        quiet = np.errstate(all="ignore")
        quiet.__enter__()
        return quiet

    def reset(self, quiet: Any) -> None:
        quiet.__exit__(None, None, None)


_handling: Any = _Handling()
_IGNORE: Any = None
try:
    # Setting it takes a tenth of the time of `with np.errstate(all="ignore")`, which does nothing else.
    from numpy._core.umath import _extobj_contextvar as _handling  # type: ignore[attr-defined, no-redef]
except ImportError:
    pass
else:
    with np.errstate(all="ignore"):
        _IGNORE = _handling.get()


@functools.lru_cache(maxsize=512)
def _bytecode(text: str, filename: str) -> Any:
    """Programs trace the same small functions again and again, as the `map` of a data set for every `fit`."""
    return compile(text, filename, "exec")


class Plan:
    """A closed graph made ready to run on ndarrays.

    `plan(arrays)` takes the arrays of the graph's inputs and gives those of its outputs. Inputs are not written to, unless
    the bit of an input is set in `owned`: its array is then the plan's, to overwrite or to give back. That happens only after the
    last node that can fail, so a call that raises leaves owned arrays as they were. An output may be an
    input's array or a view of it, or a constant that can't be written to.
    """

    def __init__(self, closed: FuncGraph) -> None:
        # What makes plans is loaded with the first one: importing the library needs none.
        from headwater._src.engine.emit import code_of, sources
        from headwater._src.engine.optimize import optimized

        self.graph = graph = optimized(closed)
        self.nodes_before = len(sources(closed))
        self._nodes = sources(graph)
        self.nodes_after = len(self._nodes)
        self._codes = [code_of(n) for n in self._nodes]
        self._variants: dict[int, Any] = {}
        self._origins: dict[Any, list[Any]] = {}
        self._useful = self._overwritable(graph)
        self.source = self._compile(0)

    def __call__(self, arrays: Sequence[np.ndarray], owned: int = 0) -> list[np.ndarray]:
        run = self._variants[0] if not owned else self._variant(arrays, owned)
        token = _handling.set(_IGNORE)
        try:
            return run(arrays)
        except Exception as error:
            found = self._explained(error, run)
            if found is error:
                raise
        finally:
            _handling.reset(token)
        raise found from None

    # -- variants -----------------------------------------------------------------------------------------------------

    def _overwritable(self, graph: FuncGraph) -> int:
        """The inputs that something may be written into."""
        bits = 0
        for i, tensor in enumerate(graph.inputs):
            shape = tensor._shape
            if shape and None not in shape and tensor._np_dtype.kind != "O":
                bits |= 1 << i
        return bits

    def _variant(self, arrays: Sequence[np.ndarray], owned: int) -> Any:
        """The function for these owned inputs; those whose arrays are no plain C-ordered ones are left alone."""
        owned &= self._useful
        bits, i = owned, 0
        while bits:
            if bits & 1 and not arrays[i].flags.carray:
                owned &= ~(1 << i)
            bits >>= 1
            i += 1
        run = self._variants.get(owned)
        if run is None:
            if len(self._variants) >= _MOST_VARIANTS:
                return self._variants[0]
            self._compile(owned)
            run = self._variants[owned]
        return run

    def _written(self, owned: frozenset[int]) -> Source:
        """The source for these owned inputs."""
        from headwater._src.engine.emit import Source

        return Source(self.graph, self._codes, owned)

    def _compile(self, owned: int) -> str:
        source = self._written(frozenset([i for i in range(len(self.graph.inputs)) if owned >> i & 1]))
        scope = source.scope
        scope["__name__"] = _MODULE
        exec(_bytecode(source.text, f"<plan of {self.graph.name}>"), scope)
        run = scope[source.name]
        self._origins[run.__code__] = source.origins
        self._variants[owned] = run
        return source.text

    # -- errors -------------------------------------------------------------------------------------------------------

    def _explained(self, error: Exception, run: Any) -> Exception:
        """TensorFlow's error for what a kernel raised, with the line where the user made the node."""
        if getattr(error, "_placed", False):
            return error
        place = error.__traceback__
        while place is not None and place.tb_frame.f_code is not run.__code__:
            place = place.tb_next
        if place is None:
            return error
        origin = self._origins[run.__code__][place.tb_lineno - 1]
        if origin is None or _in_user_code(place.tb_next):
            return error
        if not isinstance(error, OpError):
            error = _explanation(origin, place.tb_frame, error)
        return _placed(error, origin.node)


def _in_user_code(place: TracebackType | None) -> bool:
    """Whether a Python function of the user's raised, called by a node: its exception is the user's."""
    while place is not None:
        filename = place.tb_frame.f_code.co_filename
        if not is_library(filename) and not filename.startswith("<") and not _of_package(place.tb_frame):
            return True
        place = place.tb_next
    return False


def _of_package(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in (
        "numpy",
        "scipy",
        "ml_dtypes",
        "opt_einsum",
    )


def _explanation(origin: Origin, frame: FrameType, error: Exception) -> Exception:
    """What eager code raises where a kernel raises `error` on these inputs."""
    from headwater._src.engine.emit import ints

    record, attrs = origin.node.record, origin.node.attrs
    scope = {**frame.f_globals, **frame.f_locals}
    if not isinstance(record, Op) or any(n not in scope for n in (*origin.inputs, *origin.hosts.values())):
        return error
    inputs = [of_array(as_array(scope[n])) for n in origin.inputs]
    attrs = {**attrs, **{k: ints(scope[n]) for k, n in origin.hosts.items()}}
    return _explain(record, inputs, attrs, error)


def _placed(error: Exception, node: Node) -> Exception:
    if node.line is not None:
        where = f" (at {node.line})"
        if isinstance(error, OpError):
            error._message += where
            error._op = node
            error.args = (error._message,)
        elif error.args and isinstance(error.args[0], str):
            error.args = (error.args[0] + where, *error.args[1:])
    error._placed = True  # type: ignore[attr-defined]
    return error


def plan_of(closed: FuncGraph) -> Plan:
    """The plan of a closed graph, made at the first call and kept on the graph."""
    plan = closed.plan
    if plan is None:
        plan = closed.plan = Plan(closed)
    return plan

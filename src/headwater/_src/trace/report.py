"""Why a function was traced: what differed from its earlier traces, and a warning where that happens too often."""

from __future__ import annotations

import itertools
import sys
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from headwater._src.base.frames import Line, is_library
from headwater._src.trace.concrete import Parameter
from headwater._src.trace.signature import (
    CompositeType,
    Identity,
    Literal,
    Nest,
    TensorType,
    VariableType,
    Weakref,
)

WINDOW = 10
"""Of that many calls,"""
THRESHOLD = 5
"""so many traced is too often;"""
MAX_WARNINGS = 2
"""a function is warned about so often. These three numbers are TensorFlow's."""
_KEPT = 100
"""How many records of traces a function keeps."""


class RetracingWarning(UserWarning):
    """A function is traced again and again, which takes much longer than calling it."""


class Change(NamedTuple):
    """What is new about one argument: its path, such as `data[0]['x']`, and its types before and now."""

    argument: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"argument {self.argument!r}: {self.old} -> {self.new}"


class Trace(NamedTuple):
    """One trace of a function: its number, why it was needed, what changed, the line of the call, the signature traced for."""

    number: int
    reason: str
    changes: tuple[Change, ...]
    line: Line | None
    signature: str

    def __str__(self) -> str:
        where = f"\n    called at {self.line}" if self.line is not None else ""
        return f"trace {self.number}: {self.reason}{where}\n    {self.signature}"


class History:
    """The traces of one function; the last of them are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.records: deque[Trace] = deque(maxlen=_KEPT)

    def note(self, reason: str, changes: Sequence[Change], line: Line | None, signature: str) -> Trace:
        """Adds a trace."""
        self.count += 1
        record = Trace(self.count, reason, tuple(changes), line, signature)
        self.records.append(record)
        return record


# -- what changed -----------------------------------------------------------------------------------------------------


def changes_between(old: Sequence[Parameter], new: Sequence[Parameter]) -> list[Change]:
    """The arguments whose types differ, down to the innermost part that does."""
    before = {p.name: p.type for p in old}
    after = {p.name: p.type for p in new}
    found: list[Change] = []
    for name in dict.fromkeys([*after, *before]):
        if name not in before or name not in after:
            here, there = before.get(name), after.get(name)
            found.append(
                Change(
                    name, "absent" if here is None else repr(here), "absent" if there is None else repr(there)
                )
            )
        elif before[name] != after[name]:
            _descend(name, before[name], after[name], found)
    return found


def _descend(path: str, old: Any, new: Any, found: list[Change]) -> None:
    if old.__class__ is Nest and new.__class__ is Nest and old._same_form(new):
        keys = new.keys or range(len(new.parts))
        for key, a, b in zip(keys, old.parts, new.parts, strict=True):
            if a != b:
                fields = new.kind in ("NamedTuple", "Attrs")
                _descend(f"{path}.{key}" if fields else f"{path}[{key!r}]", a, b, found)
        return
    found.append(Change(path, short(old), short(new)))


def short(kind: Any) -> str:
    """A trace type as it stands in messages."""
    if kind.__class__ is TensorType:
        shape = "of unknown rank" if kind.dims is None else str(list(kind.dims))
        return f"{kind.spec.dtype.name}{shape if shape[0] == '[' else ' ' + shape}"
    if kind.__class__ is Literal:
        text = repr(kind.value)
        return f"the Python {type(kind.value).__name__} {text if len(text) < 40 else text[:37] + '...'}"
    return repr(kind)


def nearest(parameters: Sequence[Parameter], traced: Sequence[Sequence[Parameter]]) -> list[Change]:
    """The changes against the most similar of the last traces; the latest one wins among equals."""
    best: list[Change] = []
    for other in itertools.islice(reversed(traced), WINDOW):
        found = changes_between(other, parameters)
        if not best or len(found) < len(best):
            best = found
    return best


def remedy(parameters: Sequence[Parameter], traced: Sequence[Sequence[Parameter]], relaxing: bool) -> str:
    """The one line that would save the next trace like this."""
    types = {p.name: p.type for p in parameters}
    for other in itertools.islice(reversed(traced), 1):
        for p in other:
            pair = _first_difference(p.type, types.get(p.name))
            if pair is not None:
                return _remedy_for(p.name, *pair, relaxing)
    return "Make the tf.function once, outside of the loop or function that calls it."


def _first_difference(old: Any, new: Any) -> tuple[Any, Any] | None:
    if old == new:
        return None
    if old.__class__ is Nest and new.__class__ is Nest and old._same_form(new):
        return next(
            (d for a, b in zip(old.parts, new.parts, strict=True) if (d := _first_difference(a, b))), None
        )
    return old, new


def _remedy_for(name: str, old: Any, new: Any, relaxing: bool) -> str:
    if old.__class__ is TensorType and new.__class__ is TensorType:
        if old.dtype != new.dtype:
            return f"Give {name!r} one dtype: tf.cast({name}, tf.{old.spec.dtype.name}) before the call."
        common = old.most_specific_common_supertype([new])
        if relaxing or common is None:
            return f"Give {name!r} one shape, by padding it."
        return f"Write @tf.function(reduce_retracing=True), or input_signature=[...] with {common!r} for {name!r}."
    if new.__class__ is Literal:
        if isinstance(new.value, (int, float, complex)) and not isinstance(new.value, bool):
            return f"Pass a tensor, whose values don't matter: tf.constant({new.value!r}) for {name!r}."
        return f"Each Python value of {name!r} has a graph of its own: pass few different ones."
    if new.__class__ in (Weakref, Identity):
        return (
            f"Each object has a graph of its own: pass the same {name!r} at each call, or the tensors in it."
        )
    if new.__class__ in (VariableType, CompositeType):
        return f"Give {name!r} one shape and dtype."
    return f"Give {name!r} one structure: the same lengths and keys at each call."


# -- too often --------------------------------------------------------------------------------------------------------


class Detector:
    """Counts the calls of the functions made from one piece of code, and remembers which of them traced."""

    __slots__ = ("calls", "traced", "warnings", "functions", "__weakref__")

    def __init__(self) -> None:
        self.calls = 0
        self.traced: deque[int] = deque()
        self.warnings = 0
        self.functions: deque[int] = deque(maxlen=WINDOW)
        """Which function each of the last traces was of."""

    def note_trace(self, function: int) -> bool:
        """The present call traced the function of this number; says whether that is now a matter for a warning."""
        traced, now = self.traced, self.calls
        traced.append(now)
        self.functions.append(function)
        # TensorFlow's window is made of whole runs "one traced call and those after it that did not trace".
        while len(traced) > 1 and now - traced[1] + 1 > WINDOW:
            traced.popleft()
        if len(traced) < THRESHOLD or self.warnings >= MAX_WARNINGS:
            return False
        self.warnings += 1
        return True

    def many_functions(self) -> bool:
        """Whether the last traces were of different functions, each made anew from the same code."""
        return len(set(self.functions)) > 1


_detectors: weakref.WeakKeyDictionary[Any, Detector] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def detector_of(python_function: Any) -> Detector:
    """The detector of a function's code: functions made from the same code in a loop share it."""
    function = python_function
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "func", function)
    function = getattr(function, "__func__", function)
    key = getattr(function, "__code__", function)
    try:
        with _lock:
            return _detectors.setdefault(key, Detector())
    except TypeError:  # an object without hash or weak references
        return Detector()


def warn(name: str, detector: Detector, record: Trace, fix: str) -> None:
    """The warning about too many traces: what changed, where, and what to write instead."""
    first = detector.traced[0]
    calls = detector.calls - first + 1
    if detector.many_functions() and not record.changes:
        what = "a new tf.function was made from the same code for each call"
    else:
        what = "; ".join(map(str, record.changes)) or record.reason
    where = f" at {record.line}" if record.line is not None else ""
    warnings.warn(
        f"tf.function {name!r} was traced in {len(detector.traced)} of its last {calls} calls; a trace takes as long as thousands of "
        f"calls. The last one: {what}{where}. {fix}",
        RetracingWarning,
        stacklevel=_depth(),
    )


def _depth() -> int:
    """How far up the user's line is, for `warnings.warn` called by the caller of this function."""
    frame = sys._getframe(1)
    depth = 1
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back  # type: ignore[assignment]
        depth += 1
    return depth


# -- explanations -----------------------------------------------------------------------------------------------------


class Explanation(str):
    """Text that shows itself as it is at the prompt and in notebooks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def explanation(concrete: Any, history: History) -> Explanation:
    """Which executor runs a traced function and why, its nodes before and after the passes, and the traces so far."""
    from headwater._src.engine.optimize import optimized

    executor, why, _ = concrete._function.choice()
    runs = {"plan": "the NumPy plan", "xla": "an XLA program"}.get(executor, executor)
    graph = concrete.graph
    lines = [
        f"tf.function {concrete._short_name!r} {concrete.pretty_printed_signature(verbose=False)}",
        f"runs as {runs}: {why}",
        f"nodes: {len(graph.nodes)} traced, {len(optimized(graph).nodes)} after optimisation",
    ]
    reads, writes = len(graph.read_handles), len(graph.written_handles)
    if reads:
        lines.append(f"variables: {reads} read, {writes} assigned")
    kept = list(history.records)
    lines.append(f"traced {history.count} time{'s' if history.count != 1 else ''}" + (":" if kept else ""))
    lines += [f"  {line}" for record in kept for line in str(record).split("\n")]
    return Explanation("\n".join(lines))

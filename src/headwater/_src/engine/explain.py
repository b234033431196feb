"""Why a gradient is None: a recording is searched for the place where the way from source to target ends.

The search works on a `Trail`, the recording reduced to identities, which keeps no tensor alive. So a tape that has let go of
its recording can still answer, and what it pays for that when a gradient is None is one walk over the calls.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from headwater._src.base.text import describe, listing
from headwater._src.engine.backprop import results_of


class Step(NamedTuple):
    """One recorded call: its record, the ids of inputs and results, those results that carry gradients on, their dtype."""

    op: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    alive: tuple[int, ...]
    dtype: str


class Trail:
    """A tape's recording by identities."""

    __slots__ = ("steps", "values", "watched", "auto_watch")

    def __init__(self, tape: Any) -> None:
        bit = tape.bit
        self.auto_watch: bool = tape.auto_watch
        self.watched: set[int] = set(tape.watched)
        self.values = {key: tuple(id(t) for t in snapshots) for key, (_, snapshots) in tape.handles.items()}
        """For each variable, by the id of its handle, the ids of the values that were read."""
        self.steps = []
        for entry in tape._entries:
            outputs = results_of(entry)
            alive = tuple(id(o) for o in outputs if o._watch & bit) if entry[0].grad is not None else ()
            dtype = outputs[0].dtype.name if outputs else ""
            self.steps.append(
                Step(entry[0], tuple(id(x) for x in entry[1]), tuple(id(o) for o in outputs), alive, dtype)
            )


def explain(trail: Trail, targets: set[int], source: Any, handle: Any) -> str:
    """One sentence about the way from `source`, a tensor or the variable of `handle`, to the targets with these ids."""
    what = f"the variable {handle.name!r}" if handle is not None else f"the source ({describe(source)})"
    dtype = getattr(handle if handle is not None else source, "dtype", None)
    if dtype is not None and not (dtype.is_floating or dtype.is_complex):
        return (
            f"No gradient: {what} has dtype {dtype.name}, and only floating point and complex values have gradients; "
            "tf.cast it to tf.float32 before the computation."
        )
    reached = set(trail.values.get(id(handle), ())) if handle is not None else {id(source)} & _known(trail)
    if not reached:
        return _not_watched(trail, what, handle)
    ends: list[Step] = []
    for step in trail.steps:
        if reached.isdisjoint(step.inputs):
            continue
        reached.update(step.alive)
        if len(step.alive) < len(step.outputs) or not step.outputs:
            ends.append(step)
    if targets & reached:
        return f"Connected: the target depends on {what} through recorded operations, and the gradient is defined."
    return _where_it_ends(trail, what, ends, targets)


def _known(trail: Trail) -> set[int]:
    """All tensors that the tape watched: those it was told to, values of variables, and results."""
    known = set(trail.watched)
    for values in trail.values.values():
        known.update(values)
    for step in trail.steps:
        known.update(step.alive)
    return known


def _not_watched(trail: Trail, what: str, handle: Any) -> str:
    if handle is None:
        return (
            f"No gradient: {what} was not watched by this tape; call tape.watch(x) inside the `with` block, before it is "
            "used (only trainable variables are watched by themselves)."
        )
    if not handle.trainable:
        return f"No gradient: {what} is not trainable, so it was not watched; call tape.watch(v), or make it trainable."
    if not trail.auto_watch:
        return f"No gradient: {what} was not watched, as the tape has watch_accessed_variables=False; call tape.watch(v)."
    return f"No gradient: not connected, as {what} was never read inside the tape's `with` block."


def _where_it_ends(trail: Trail, what: str, ends: list[Step], targets: set[int]) -> str:
    if not ends:
        return (
            f"No gradient: not connected, as no recorded operation leads from {what} to the target. Compute the target "
            "from it inside the tape's `with` block."
        )
    feeding = _feeding(trail, targets)
    for wanted in (targets, feeding):
        for end in ends:
            if not wanted.isdisjoint(end.outputs):
                return _end_sentence(what, end)
    # Past an end nothing is recorded, so which of several leads on to the target can't be told.
    by_name = {end.op.name: end for end in ends}
    if len(by_name) == 1:
        return _end_sentence(what, ends[-1])
    names = listing(["NumPy" if n == "numpy" else n for n in by_name], "and")
    return (
        f"No gradient: what was computed from {what} was recorded up to {names}, which have no gradient, and the target "
        "depends on it past those at most; use differentiable operations, or tf.custom_gradient."
    )


def _feeding(trail: Trail, targets: set[int]) -> set[int]:
    """All tensors that the targets were computed from, as far as it was recorded."""
    live = set(targets)
    for step in reversed(trail.steps):
        if not live.isdisjoint(step.outputs):
            live.update(step.inputs)
    return live


def _end_sentence(what: str, end: Step) -> str:
    op = end.op
    if op.name == "numpy":
        return (
            f"No gradient: the values of {what} went through NumPy, which tapes can't see; stay in tensor operations "
            "(tf.*) between the source and the target."
        )
    if op.grad is None:
        api = getattr(op, "api", ())
        return (
            f"No gradient: the way from {what} goes through {op.name}, an operation without a gradient"
            f"{f' (tf.{api[0]})' if api else ''}; use a differentiable one, or tf.custom_gradient."
        )
    return (
        f"No gradient: the way from {what} goes through {op.name} to a value of dtype {end.dtype}; only floating point and "
        "complex values carry gradients."
    )

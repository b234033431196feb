"""Why a gradient is None: the recording is searched for the place where the way from source to target ends."""

from __future__ import annotations

from typing import Any

from headwater._src.base.text import describe, listing
from headwater._src.engine.backprop import results_of


def explain(tape: Any, targets: list[Any], source: Any) -> str:
    """One sentence about the way from `source` to `targets` on `tape`."""
    from headwater._src.engine.tape import handle_of

    handle = handle_of(source)
    what = f"the variable {handle.name!r}" if handle is not None else f"the source ({describe(source)})"
    dtype = getattr(handle if handle is not None else source, "dtype", None)
    if dtype is not None and not (dtype.is_floating or dtype.is_complex):
        return (
            f"No gradient: {what} has dtype {dtype.name}, and only floating point and complex values have gradients; "
            "tf.cast it to tf.float32 before the computation."
        )
    starts = tape._snapshots(source)
    if not any(t._watch & tape.bit for t in starts):
        return _not_watched(tape, what, handle)
    reached = {id(t) for t in starts}
    ends: list[tuple[Any, Any]] = []
    target_ids = {id(t) for t in targets}
    for entry in tape._entries:
        op, inputs, outputs = entry[0], entry[1], results_of(entry)
        touched = [x for x in inputs if id(x) in reached]
        if not touched:
            continue
        if op.grad is None:
            ends.append((op, outputs))
        else:
            reached.update(id(o) for o in outputs if o._watch & tape.bit)
            ends.extend((op, (o,)) for o in outputs if not o._watch & tape.bit)
    if target_ids & reached:
        return f"Connected: the target depends on {what} through recorded operations, and the gradient is defined."
    return _where_it_ends(tape, what, ends, targets)


def _not_watched(tape: Any, what: str, handle: Any) -> str:
    if handle is None:
        return (
            f"No gradient: {what} was not watched by this tape; call tape.watch(x) inside the `with` block, before it is "
            "used (only trainable variables are watched by themselves)."
        )
    if not handle.trainable:
        return f"No gradient: {what} is not trainable, so it was not watched; call tape.watch(v), or make it trainable."
    if not tape.auto_watch:
        return f"No gradient: {what} was not watched, as the tape has watch_accessed_variables=False; call tape.watch(v)."
    return f"No gradient: not connected, as {what} was never read inside the tape's `with` block."


def _where_it_ends(tape: Any, what: str, ends: list[tuple[Any, Any]], targets: list[Any]) -> str:
    target_ids = {id(t) for t in targets}
    for op, outputs in ends:
        if any(id(o) in target_ids for o in outputs):
            return _end_sentence(what, op, outputs)
    if not ends:
        return (
            f"No gradient: not connected, as no recorded operation leads from {what} to the target. Compute the target "
            "from it inside the tape's `with` block."
        )
    live = _feeding(tape, target_ids)
    for op, outputs in ends:
        if any(id(o) in live for o in outputs):
            return _end_sentence(what, op, outputs)
    return _all_ends(what, ends)


def _feeding(tape: Any, target_ids: set[int]) -> set[int]:
    """ids of all tensors that the targets were computed from, as far as they were recorded."""
    live = set(target_ids)
    for entry in reversed(tape._entries):
        if any(id(o) in live for o in results_of(entry)):
            live.update(id(x) for x in entry[1])
    return live


def _all_ends(what: str, ends: list[tuple[Any, Any]]) -> str:
    """Past an end nothing is recorded, so which of several leads on to the target can't be told."""
    by_name = {op.name: (op, outputs) for op, outputs in ends}
    if len(by_name) == 1:
        return _end_sentence(what, *ends[-1])
    names = listing(["NumPy" if n == "numpy" else n for n in by_name], "and")
    return (
        f"No gradient: what was computed from {what} was recorded up to {names}, which have no gradient, and the target "
        "depends on it past those at most; use differentiable operations, or tf.custom_gradient."
    )


def _end_sentence(what: str, op: Any, outputs: Any) -> str:
    if op.name == "numpy":
        return (
            f"No gradient: the values of {what} went through NumPy, which tapes can't see; stay in tensor operations "
            "(tf.*) between the source and the target."
        )
    if op.grad is None:
        return (
            f"No gradient: the way from {what} goes through {op.name}, an operation without a gradient"
            f"{_name_hint(op)}; use a differentiable one, or tf.custom_gradient."
        )
    dtype = outputs[0].dtype.name if outputs else "integer"
    return (
        f"No gradient: the way from {what} goes through {op.name} to a value of dtype {dtype}; only floating point and "
        "complex values carry gradients."
    )


def _name_hint(op: Any) -> str:
    api = getattr(op, "api", ())
    return f" (tf.{api[0]})" if api else ""

"""Variables that stay on XLA's side between calls: read without copying, donated where the program assigns them.

A variable's handle holds a tensor of NumPy, a JAX array, or both, and both are the same value. A program's call takes the
JAX arrays, gives those of assigned variables away to be overwritten, and puts new ones in their places; a tensor is made
from one only when somebody reads the variable. What a reader has got is a view of the JAX array's memory. JAX copies
instead of overwriting while such a view lives, so what was read once never changes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base.lazy import jax
from headwater._src.engine.executable import Executable

lock = threading.RLock()
"""Held while the arrays of variables are given away and replaced, so that no thread finds one that is gone."""


def run(
    program: Executable, arrays: Sequence[Any], reads: Sequence[Any], written: Sequence[Any], count: int
) -> list[np.ndarray]:
    """Calls a program with arguments and variables, and gives the variables that it assigns their new values.

    Args:
      program: the program of a closed graph.
      arrays: what the graph's arguments and its captured tensors are.
      reads: the handles of the variables that it reads, in the order of its inputs.
      written: the handles of those that it assigns, in the order of its outputs.
      count: the number of results, which come before the values of assigned variables.

    Returns:
      The results. If the call fails, no variable has changed.
    """
    values = [*arrays]
    constants = program.constants
    if constants is None:
        constants = program.constants = _constants(program.closed, arrays)
    if constants:
        values[len(values) - len(constants) :] = constants
    if not written:
        for handle in reads:
            values.append(handle.device_array if handle.device_array is not None else place(handle))
        return [np.asarray(r) for r in program(values)]
    with lock:
        for handle in reads:
            array = handle.device_array
            if array is None:
                array = place(handle)
            elif handle._tensor is not None:
                handle._tensor = None
            values.append(array)
        results = program(values, _donated(program, reads, written))
        at = count
        for handle in written:
            handle.device_array = results[at]
            handle._tensor = None
            at += 1
    return [np.asarray(r) for r in results[:count]]


def place(handle: Any) -> Any:
    """The variable's value as a JAX array, kept in the handle for the next call; strings stay what they are."""
    array = handle.tensor._array
    if array.dtype.kind == "O":
        return array
    with lock:
        found = handle.device_array
        if found is None:
            found = to_device(array)
            handle.device_array = found
            # From here on the tensor is a view of that array, so that nobody updates one of the two in place.
            handle._tensor = None
    return found


def to_device(array: np.ndarray) -> Any:
    """A JAX array of the same values and dtype, 64-bit ones included."""
    with jax.enable_x64(True):
        return jax.device_put(array)


def _donated(program: Executable, reads: Sequence[Any], written: Sequence[Any]) -> tuple[bool, ...]:
    found = program.donated
    if found is None:
        closed = program.closed
        assigned = {id(h) for h in closed.written_handles}
        first = len(closed.inputs) - len(closed.read_handles)
        found = (False,) * first + tuple(id(h) in assigned for h in closed.read_handles)
        program.donated = found
    if reads is not program.closed.read_handles and len({id(h) for h in reads}) < len(reads):
        return ()
    return found


def _constants(closed: Any, arrays: Sequence[Any]) -> list[Any]:
    """The tensors that the graph captured, as JAX arrays: they never change, so one copy serves all calls."""
    captured = arrays[closed.arg_count :]
    return [a if a.dtype.kind == "O" else to_device(a) for a in captured]

"""Variables that stay on XLA's side between calls of programs that assign them.

A variable's handle holds a tensor of NumPy, or `device_array`, or both, and both are the same value. `device_array` is a
JAX array, or a `Cell`: the variable's place among the arrays of a `Residents`, which one program uses up and replaces with
every call. A tensor is made from a cell when somebody reads the variable. It is a view of the JAX array, and JAX copies an
array instead of overwriting it while such a view lives, so what was read once never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base.lazy import jax
from headwater._src.engine import packing
from headwater._src.engine.executable import Executable, Program
from headwater._src.engine.tape import device_lock

MAX_RESIDENTS = 8
"""For so many sets of variables a program keeps the arrays together; with others it collects them for every call."""


class Cell:
    """Where a variable's value is: an array of `residents`, or a stretch of one."""

    __slots__ = ("residents", "handle", "number", "start", "stop", "shape", "copy", "seen")

    def __init__(self, residents: Residents, handle: Any, number: int, stretch: Any = None) -> None:
        self.residents = residents
        self.handle = handle
        self.number = number
        self.start, self.stop, self.shape = stretch or (0, None, None)
        self.copy: Any = None
        self.seen = -1

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The present value as a read-only view."""
        with device_lock:
            self.residents.read.append(self.handle)
            return self._view()

    def value(self) -> Any:
        """The present value as a program takes it: a JAX array, or a view of a stretch, which XLA copies."""
        residents = self.residents
        if self.stop is None:
            return residents.arrays[self.number]
        if self.seen == residents.version:
            if self.copy is None:
                self.copy = to_device(self._view())
            return self.copy
        self.seen, self.copy = residents.version, None
        return self._view()

    def _view(self) -> np.ndarray:
        array = np.asarray(self.residents.arrays[self.number])
        return array if self.stop is None else array[self.start : self.stop].reshape(self.shape)


class Residents:
    """The arrays of the variables that a program assigns, for one set of variables.

    Args:
      program: the program.
      reads: the variables that it reads, in the order of its inputs.
      written: those that it assigns, in the order of its outputs.
    """

    def __init__(self, program: Executable, reads: Sequence[Any], written: Sequence[Any]) -> None:
        self.program = program
        self.arrays: list[Any] = []
        self.version = 0
        self.read: list[Any] = []
        """Variables that may have tensors besides their cells."""
        closed = program.closed
        first, count = len(closed.inputs) - len(reads), closed.result_count
        layout = program.packing
        assigned = {m.input for _, members in layout.groups for m in members} | {i for i, _ in layout.singles}
        self.others = [h for i, h in enumerate(reads, first) if i not in assigned]
        """The variables that the program only reads."""
        self.cells = [
            (written[m.output - count], Cell(self, written[m.output - count], n, (m.start, m.stop, m.shape)))
            for n, (_, members) in enumerate(layout.groups)
            for m in members
        ]
        self.cells += [
            (written[output - count], Cell(self, written[output - count], n))
            for n, (_, output) in enumerate(layout.singles, len(layout.groups))
        ]

    def ready(self) -> list[Any]:
        """The arrays for the next call. If somebody else assigned one of the variables, they are collected again."""
        for handle, cell in self.cells:
            if handle.device_array is not cell:
                self._collect()
                break
        if self.read:
            # A tensor that only its handle still holds would make XLA copy the array.
            for handle in self.read:
                handle._tensor = None
            self.read.clear()
        return self.arrays

    def _collect(self) -> None:
        values: list[list[np.ndarray]] = [[] for _ in range(self.program.packing.count)]
        for handle, cell in self.cells:
            values[cell.number].append(handle.tensor._array)
        groups = self.program.packing.groups
        arrays = []
        for n, parts in enumerate(values):
            if n < len(groups):
                arrays.append(to_device(np.concatenate([p.reshape(-1) for p in parts])))
            else:
                arrays.append(parts[0] if parts[0].dtype.kind == "O" else to_device(parts[0]))
        self.arrays = arrays
        self.version += 1
        for handle, cell in self.cells:
            handle.device_array = cell
            handle._tensor = None

    def replace(self, arrays: list[Any]) -> None:
        """The variables have new values."""
        self.arrays = arrays
        self.version += 1


class _Kept:
    """What the programs of one graph need to run with variables."""

    def __init__(self, plain: Executable, arrays: Sequence[Any]) -> None:
        closed = plain.closed
        self.written = bool(closed.written_handles)
        self.program = Executable(closed, packing.of_variables(closed)) if self.written else plain
        self.constants = [a if a.dtype.kind == "O" else to_device(a) for a in arrays[closed.arg_count :]]
        """The captured tensors as JAX arrays: they never change, so one copy serves all calls."""
        self.first: Residents | None = None
        """For the variables of the trace."""
        self.sets: OrderedDict[Any, Residents] = OrderedDict()

    def residents(self, reads: Sequence[Any], written: Sequence[Any]) -> Residents:
        closed = self.program.closed
        if reads is closed.read_handles:
            if self.first is None:
                self.first = Residents(self.program, reads, written)
            return self.first
        key = tuple(map(id, reads))
        found = self.sets.get(key)
        if found is None:
            found = self.sets[key] = Residents(self.program, reads, written)
            if len(self.sets) > MAX_RESIDENTS:
                self.sets.popitem(last=False)
        else:
            self.sets.move_to_end(key)
        return found


def run(
    plain: Executable, arrays: Sequence[Any], reads: Sequence[Any], written: Sequence[Any], count: int
) -> list[np.ndarray]:
    """Calls a graph with arguments and variables, and gives the variables that it assigns their new values.

    Args:
      plain: what `executable_of` gives for the closed graph.
      arrays: the values of the graph's arguments and of its captured tensors.
      reads: the handles of the variables that it reads, in the order of its inputs.
      written: the handles of those that it assigns, in the order of its outputs.
      count: the number of results, which come before the values of assigned variables.

    Returns:
      The results. If the call fails, no variable has changed.
    """
    kept = plain.residents
    if kept is None:
        kept = plain.residents = _Kept(plain, arrays)
    values = [*arrays]
    if kept.constants:
        values[-len(kept.constants) :] = kept.constants
    executable = kept.program
    if not kept.written:
        with device_lock:
            values += [shared(h) for h in reads]
            program = executable.program(values)
            if not program.effects:
                box: list[Any] = []
                executable.run(program, values, (), box)
        if program.effects:  # what it calls may want to read variables too, from another thread
            box = []
            executable.run(program, values, (), box)
        return [np.asarray(r) for r in box[0]]
    if reads is not plain.closed.read_handles and len(set(map(id, written))) < len(written):
        raise ValueError(f"{plain.closed.name}: two of the variables that it assigns are the same one.")
    with device_lock:
        residents = kept.residents(reads, written)
        state = residents.ready()
        values += [shared(h) for h in residents.others]
        program = executable.program(values, state)
        if not program.effects:
            box = _run(executable, program, values, residents, count)
    if program.effects:
        box = _run(executable, program, values, residents, count)
    return [np.asarray(r) for r in box[:count]]


def _run(
    executable: Executable, program: Program, values: Any, residents: Residents, count: int
) -> list[Any]:
    box: list[Any] = []
    try:
        executable.run(program, values, residents.arrays, box)
    finally:
        if box:
            residents.replace(box[0][count:])
    return box[0]


def shared(handle: Any) -> Any:
    """A variable's value for a program that only reads it; `device_lock` is held."""
    found = handle.device_array
    if found is None:
        return _place(handle)
    return found.value() if found.__class__ is Cell else found


def _place(handle: Any) -> Any:
    array = handle.tensor._array
    if array.dtype.kind == "O":
        return array
    found = handle.device_array = to_device(array)
    # From here on the tensor is a view of that array, so that nobody updates one of the two in place.
    handle._tensor = None
    return found


def to_device(array: np.ndarray) -> Any:
    """A JAX array of the same values and dtype, 64-bit ones included."""
    with jax.enable_x64(True):
        return jax.device_put(array)

"""Variables that stay on XLA's side between calls of programs that assign them.

A variable's handle holds a tensor of NumPy, or `device_array`, or both, and both are the same value. `device_array` is a
JAX array, or a `Cell`: the variable's place among the arrays of a `Residents`, which one program uses up and replaces with
every call. A tensor is made from a cell when somebody reads the variable. It is a view of the JAX array, and JAX copies an
array instead of overwriting it while such a view lives, so what was read once never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import starmap
from typing import Any

import numpy as np
from numpy import asarray

from headwater._src.base.errors import invalid
from headwater._src.base.lazy import jax
from headwater._src.engine import packing
from headwater._src.engine.executable import Executable, Program
from headwater._src.engine.tape import device_lock

MAX_RESIDENTS = 8
"""For so many sets of variables a program keeps the arrays together; with others it collects them for every call."""


class Cell:
    """Where a variable's value is: an array of `residents`, or a stretch of one."""

    __slots__ = ("residents", "handle", "number", "start", "stop", "dtype", "shape", "copy", "seen")

    def __init__(self, residents: Residents, handle: Any, number: int, stretch: Any = None) -> None:
        self.residents = residents
        self.handle = handle
        self.number = number
        self.start: int = stretch[0] if stretch else 0
        self.stop: int | None = stretch[1] if stretch else None
        self.dtype: Any = stretch[2] if stretch else None
        self.shape: tuple[int, ...] = stretch[3] if stretch else ()
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
        if self.stop is None:
            return array
        return array[self.start : self.stop].view(self.dtype).reshape(self.shape)


class Residents:
    """The variables of one set that a program runs with, and the arrays of those that it assigns.

    Args:
      executable: the programs.
      reads: the variables that they read, in the order of their inputs.
      written: those that they assign, in the order of their outputs.
      constants: the tensors that the graph captured, as JAX arrays.
    """

    def __init__(
        self, executable: Executable, reads: Sequence[Any], written: Sequence[Any], constants: list[Any]
    ) -> None:
        if len(set(map(id, written))) < len(written):
            raise ValueError(
                f"{executable.closed.name}: two of the variables that it assigns are the same one."
            )
        self.executable = executable
        self.direct = executable.direct
        self.constants = constants
        self.arrays: list[Any] = []
        self.version = 0
        self.read: list[Any] = []
        """Variables that may have tensors besides their cells."""
        self.only: Program | None = None
        """The program, where there is but one."""
        self.before: list[Any] = [None] * executable.closed.arg_count
        """The arguments of the call before,"""
        self.copies: list[Any] = [None] * executable.closed.arg_count
        """and JAX arrays of those that came twice in a row."""
        closed = executable.closed
        self.arg_count = closed.arg_count
        self.count = closed.result_count if written else len(closed.outputs)
        layout = executable.packing
        first = len(closed.inputs) - len(reads)
        assigned = {m.input for _, members in layout.groups for m in members} | {i for i, _ in layout.singles}
        self.others = [h for i, h in enumerate(reads, first) if i not in assigned]
        """The variables that the program only reads."""
        places: list[tuple[int, int, Any]] = [
            (m.output, n, m[2:]) for n, (_, members) in enumerate(layout.groups) for m in members
        ]
        places += [(output, n, None) for n, (_, output) in enumerate(layout.singles, len(layout.groups))]
        handles = [written[output - self.count] for output, _, _ in places]
        self.cells = [(h, Cell(self, h, n, where)) for h, (_, n, where) in zip(handles, places, strict=True)]

    def call(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """Runs the program for the graph's arguments and captured tensors; returns the results."""
        box: list[Any] = []
        program = self.only
        with device_lock:
            for handle, cell in self.cells:
                if handle.device_array is not cell:
                    self._collect()
                    break
            if self.read:
                # A tensor that only its handle still holds would make XLA copy the array.
                for handle in self.read:
                    handle._tensor = None
                self.read.clear()
            values = []
            before, copies = self.before, self.copies
            for i in range(self.arg_count):
                array = arrays[i]
                if array is before[i]:
                    copy = copies[i]
                    if copy is None:
                        copy = copies[i] = array if array.dtype.kind == "O" else to_device(array)
                    values.append(copy)
                else:
                    before[i], copies[i] = array, None
                    values.append(array)
            values += self.constants
            for handle in self.others:
                found = handle.device_array
                values.append(shared(handle) if found is None or found.__class__ is Cell else found)
            if program is None:
                program = self._program(values)
            if not program.effects:
                try:
                    if self.direct:  # what `Executable.run` does, without the call
                        box.extend(starmap(program.call, ((*values, *self.arrays),)))
                    else:
                        self.executable.run(program, values, self.arrays, box)
                except Exception as error:
                    self.executable.reraise(error, values)
                finally:
                    if box and self.cells:
                        self.arrays = box[0][self.count :]
                        self.version += 1
        if program.effects:  # what it calls may want to read variables too, from another thread
            self.executable.run(program, values, self.arrays, box)
            self._commit(box[0])
        return [asarray(r) for r in box[0][: self.count]]

    def _commit(self, outputs: list[Any]) -> None:
        """The assigned variables have new values; tensors made of the old ones meanwhile go."""
        if self.cells:
            with device_lock:
                self.arrays = outputs[self.count :]
                self.version += 1
                for handle in self.read:
                    handle._tensor = None
                self.read.clear()

    def _program(self, values: list[Any]) -> Program:
        executable = self.executable
        program = executable.program(values, self.arrays)
        if not (executable.open or executable.open_singles):
            self.only = program
        return program

    def _collect(self) -> None:
        """Takes the variables over: another program, or eager code, has assigned one of them since."""
        layout = self.executable.packing
        values: list[list[np.ndarray]] = [[] for _ in range(layout.width)]
        for handle, cell in self.cells:
            array = handle.tensor._array
            if cell.stop is not None and array.shape != cell.shape:
                raise invalid(
                    f"{self.executable.closed.name}: variable {handle.name!r} has shape {array.shape} instead of {cell.shape}."
                )
            values[cell.number].append(array)
        arrays = []
        for n, parts in enumerate(values):
            if n < len(layout.groups):
                dtype = layout.groups[n][0]
                arrays.append(to_device(np.concatenate([p.reshape(-1).view(dtype) for p in parts])))
            else:
                arrays.append(parts[0] if parts[0].dtype.kind == "O" else to_device(parts[0]))
        self.arrays = arrays
        self.version += 1
        for handle, cell in self.cells:
            handle.device_array = cell
            handle._tensor = None


class _Sets:
    """What the programs of one graph need to run with variables: those of the trace, and others."""

    def __init__(self, plain: Executable, arrays: Sequence[Any]) -> None:
        closed = self.closed = plain.closed
        assigns = bool(closed.written_handles)
        self.executable = Executable(closed, packing.of_variables(closed)) if assigns else plain
        self.constants = [a if a.dtype.kind == "O" else to_device(a) for a in arrays[closed.arg_count :]]
        self.first = Residents(self.executable, closed.read_handles, closed.written_handles, self.constants)
        self.sets: OrderedDict[Any, Residents] = OrderedDict()

    def of(self, reads: Sequence[Any], written: Sequence[Any]) -> Residents:
        key = tuple(map(id, reads))
        found = self.sets.get(key)
        if found is None:
            found = self.sets[key] = Residents(self.executable, reads, written, self.constants)
            if len(self.sets) > MAX_RESIDENTS:
                self.sets.popitem(last=False)
        else:
            self.sets.move_to_end(key)
        return found


def run(
    plain: Executable, arrays: Sequence[Any], reads: Sequence[Any], written: Sequence[Any]
) -> list[np.ndarray]:
    """Calls a graph with arguments and variables, and gives the variables that it assigns their new values.

    Args:
      plain: what `executable_of` gives for the closed graph.
      arrays: the values of the graph's arguments and of its captured tensors.
      reads: the handles of the variables that it reads, in the order of its inputs.
      written: the handles of those that it assigns, in the order of its outputs.

    Returns:
      The results. If the call fails, no variable has changed.
    """
    sets = plain.residents
    if sets is None:
        sets = plain.residents = _Sets(plain, arrays)
    residents = sets.first if reads is sets.closed.read_handles else sets.of(reads, written)
    return residents.call(arrays)


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

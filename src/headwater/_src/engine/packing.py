"""How the variables that a program assigns travel: many small ones in one array.

A call of an XLA program costs about half a microsecond for each array that goes in and comes out, which is more than the
arithmetic on a small variable. So small variables are stretches of one flat array; the program takes it apart at its
beginning and puts it together at its end, where XLA joins that with the arithmetic. Variables of several dtypes, as the
weights and the counter of steps, share an array of words of 32 bits, which hold their bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.lazy import jnp, lax
from headwater._src.base.shapes import num_elements
from headwater._src.core.graph import FuncGraph

SMALL = 2048
"""Variables of more elements keep an array of their own: copying them would cost more than an array."""


WORD = np.dtype("uint32")
"""What an array of several dtypes is made of. Integers, so that nothing on the way takes bits for a float that is not a number."""


class Member(NamedTuple):
    """One variable: the numbers of its input and output, and where it is, `array[start:stop]` seen as its dtype and shape."""

    input: int
    output: int
    start: int
    stop: int
    dtype: np.dtype
    shape: tuple[int, ...]


class Packing(NamedTuple):
    """Which inputs and outputs of a graph are handed over one by one, and which together."""

    fixed: tuple[int, ...]
    """Numbers of the inputs that a call hands over."""
    results: tuple[int, ...]
    """Numbers of the outputs that a call gives back."""
    groups: tuple[tuple[np.dtype, tuple[Member, ...]], ...]
    """The flat arrays, each with its dtype and members."""
    singles: tuple[tuple[int, int], ...]
    """Input and output of assigned variables with an array of their own."""

    @property
    def width(self) -> int:
        """How many arrays the assigned variables are."""
        return len(self.groups) + len(self.singles)

    def specs(self, given: Sequence[Any], single: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Shape and dtype of all arrays of a program, from those of `fixed` and of `singles`."""
        return [*given, *(((m[-1].stop,), dtype) for dtype, m in self.groups), *single]

    def unpack(self, arrays: Sequence[Any], size: int) -> list[Any]:
        """The values of all inputs, under a trace."""
        values: list[Any] = [None] * size
        feed = iter(arrays)
        for i in self.fixed:
            values[i] = next(feed)
        for _, members in self.groups:
            flat = next(feed)
            for m in members:
                values[m.input] = _out_of(lax.slice(flat, (m.start,), (m.stop,)), m)
        for i, _ in self.singles:
            values[i] = next(feed)
        return values

    def pack(self, outputs: Sequence[Any]) -> list[Any]:
        """What a program gives back, from all outputs, under a trace."""
        flats = [
            jnp.concatenate([_into(outputs[m.output], dtype) for m in members])
            for dtype, members in self.groups
        ]
        return [*(outputs[i] for i in self.results), *flats, *(outputs[o] for _, o in self.singles)]


def _out_of(stretch: Any, member: Member) -> Any:
    if stretch.dtype != member.dtype:
        words = member.dtype.itemsize // WORD.itemsize
        stretch = lax.bitcast_convert_type(stretch.reshape(-1, words) if words > 1 else stretch, member.dtype)
    return stretch.reshape(member.shape)


def _into(value: Any, dtype: np.dtype) -> Any:
    if value.dtype != dtype:
        value = lax.bitcast_convert_type(value, dtype)
    return value.reshape(-1)


def plain(closed: FuncGraph) -> Packing:
    """All inputs and outputs one by one."""
    return Packing(tuple(range(len(closed.inputs))), tuple(range(len(closed.outputs))), (), ())


def of_variables(closed: FuncGraph) -> Packing:
    """The variables that the graph assigns as arrays that stay, all else one by one."""
    first = len(closed.inputs) - len(closed.read_handles)
    numbers = {id(handle): first + i for i, handle in enumerate(closed.read_handles)}
    small: dict[np.dtype, list[tuple[int, int]]] = {}
    singles: list[tuple[int, int]] = []
    for output, handle in enumerate(closed.written_handles, closed.result_count):
        pair = numbers[id(handle)], output
        tensor = closed.inputs[pair[0]]
        size = num_elements(tensor._shape)
        if size is not None and size <= SMALL and tensor._shape == closed.outputs[output]._shape:
            small.setdefault(_word_of(tensor._np_dtype), []).append(pair)
        else:
            singles.append(pair)
    groups = []
    for word, pairs in small.items():
        if len(pairs) > 1 and word.kind != "O":
            found = {closed.inputs[i]._np_dtype for i, _ in pairs}
            groups.append(_group(closed, pairs, found.pop() if len(found) == 1 else word))
        else:
            singles += pairs
    assigned = {numbers[id(h)] for h in closed.written_handles}
    fixed = tuple(i for i in range(len(closed.inputs)) if i not in assigned)
    return Packing(fixed, tuple(range(closed.result_count)), tuple(groups), tuple(singles))


def _word_of(dtype: np.dtype) -> np.dtype:
    """The dtype of the arrays that variables of `dtype` can share."""
    return WORD if dtype.kind in "fiu" and dtype.itemsize in (4, 8) else dtype


def _group(
    closed: FuncGraph, pairs: list[tuple[int, int]], word: np.dtype
) -> tuple[np.dtype, tuple[Member, ...]]:
    """One flat array and its members, the widest first, so that each begins where its dtype may begin."""
    members, at = [], 0
    for i, output in sorted(pairs, key=lambda pair: -closed.inputs[pair[0]]._np_dtype.itemsize):
        dtype, shape = closed.inputs[i]._np_dtype, closed.inputs[i]._shape
        stop = at + num_elements(shape) * (dtype.itemsize // word.itemsize)  # type: ignore[operator]
        members.append(Member(i, output, at, stop, dtype, shape))
        at = stop
    return word, tuple(members)

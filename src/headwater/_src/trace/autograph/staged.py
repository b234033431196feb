"""Blocks of the user's function as branches and loop bodies of graphs."""

from __future__ import annotations

import dis
import threading
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from headwater._src.base.dtypes import string
from headwater._src.base.frames import Line
from headwater._src.base.shapes import generalize
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec, TensorSpec
from headwater._src.core.tensor import Tensor, TensorLike
from headwater._src.engine.tape import stop_all
from headwater._src.ops import compare, create, layout
from headwater._src.ops.branches import IF
from headwater._src.ops.nested import Environment, Traced, append, closed, leaves_of, value_in, write_back
from headwater._src.ops.nested import pack as pack_composites
from headwater._src.trace.autograph.state import (
    RETURNED,
    UNBOUND,
    State,
    equal_constants,
    is_dynamic,
    is_scalar,
    leaves,
    pack,
    same_structure,
    text_of,
)

Block = Callable[..., Any]


class _Peeking(threading.local):
    """Whether a body is traced only to see what it will define."""

    depth = 0


peeking = _Peeking()


def line_of(function: Block) -> Line:
    """The statement that a block belongs to."""
    code = function.__code__  # type: ignore[attr-defined]
    return Line(code.co_filename, code.co_firstlineno, code.co_name)


def place_of(function: Block) -> str:
    """The same as text, `file:line`."""
    line = line_of(function)
    return f"{line.filename}:{line.lineno}"


def assigned_at(function: Block, name: str) -> str:
    """`, line 7` where the block sets the variable."""

    def search(code: CodeType) -> int | None:
        for instruction in dis.get_instructions(code):
            if instruction.opname.startswith("STORE") and instruction.argval == name:
                position = instruction.positions
                if position is not None and position.lineno is not None:
                    return position.lineno
        found = (search(c) for c in code.co_consts if isinstance(c, CodeType))
        return next((line for line in found if line is not None), None)

    line = search(function.__code__)  # type: ignore[attr-defined]
    return "" if line is None else f" at line {line}"


def raised_in(error: BaseException, filename: str) -> bool:
    """Whether the error comes from a `raise` statement of that file."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code.co_filename != filename:
        return False
    at = last.tb_lasti
    return any(
        i.offset == at and i.opname == "RAISE_VARARGS" for i in dis.get_instructions(last.tb_frame.f_code)
    )


def as_condition(value: Any, what: str, where: str) -> Tensor:
    """A boolean scalar tensor of what a test gave."""
    tensor = convert(value)
    if tensor.dtype.is_bool:
        condition = tensor
    elif tensor.dtype == string:
        condition = compare.not_equal(tensor, "")
    else:
        condition = compare.not_equal(tensor, convert(0, tensor.dtype))
    rank = condition.shape.rank
    if rank is None or (rank and condition.shape.num_elements() in (1, None)):
        return layout.reshape(condition, [])
    if rank:
        raise ValueError(
            f"The condition of {what} at {where} must be a scalar; it has shape {condition.shape}. Say whether all elements "
            "must hold, tf.reduce_all(...), or any, tf.reduce_any(...), or choose by element with tf.where."
        )
    return condition


# -- if ---------------------------------------------------------------------------------------------------------------


class If:
    """One `if` on a symbolic condition.

    Args:
      body, orelse: the branches.
      state: groups of variables: those needed afterwards; those that closures may ask for later, which are undefined where the
        branches don't agree; others.
      place: the branch that tells where the `if` is, where `body` does not.
      what: what the user wrote.
    """

    def __init__(
        self, body: Block, orelse: Block, state: State, place: Block | None = None, what: str = "`if`"
    ) -> None:
        self.blocks = (body, orelse)
        self.what = what
        self.place = place_of(place or body)
        self.state = state
        self.before = state.values()
        self.needed = len(state.groups[0])
        self.live = state.groups[0] + state.groups[1]
        self.ends: list[list[Any]] = [[], []]
        self.changed: set[int] = set()
        self.has_else = orelse.__code__.co_filename == body.__code__.co_filename  # type: ignore[attr-defined]

    def run(self, condition: Any) -> None:
        """Adds the conditional to the graph and sets the variables to its results."""
        pred = as_condition(condition, self.what, self.place)
        try:
            traced = [
                Traced(lambda: self._trace(0), "cond_true"),
                Traced(lambda: self._trace(1), "cond_false"),
            ]
            for which in (0, 1):
                with traced[which].graph.as_default(), stop_all():
                    self._stand_in(which)
            for i in range(len(self.live)):
                self._compare(i) if i < self.needed else self._agree(i)
            outputs = self._join(pred, traced)
        except BaseException as error:
            self.state.restore(self.before)
            self._note_raise(error)
            raise
        self._finish(outputs)

    def _note_raise(self, error: BaseException) -> None:
        """A `raise` in a branch of a tensor's condition is no error of the tracing: say why it came."""
        code = self.blocks[0].__code__  # type: ignore[attr-defined]
        if raised_in(error, code.co_filename) and not getattr(error, "__notes__", None):
            error.add_note(
                f"The condition of the {self.what} at {self.place} is a tensor, so both branches run while the function is traced, "
                "and with them this `raise`. To raise when the graph runs, use tf.debugging.Assert(condition, [message])."
            )

    def _trace(self, which: int) -> None:
        self.state.restore(self.before)
        self.blocks[which]()
        after = self.state.values()
        self.changed |= {i for i, (a, b) in enumerate(zip(self.before, after, strict=True)) if a is not b}
        self.ends[which] = after[: len(self.live)]

    def _stand_in(self, which: int) -> None:
        """Fills in, with zeros of the other branch's kind, what only that one sets and nobody will look at.

        That is the function's result in a branch that goes on, and everything else in one that has returned.
        """
        mine, others = self.ends[which], self.ends[1 - which]
        returned = any(
            v.name.startswith(RETURNED) and end is True for v, end in zip(self.live, mine, strict=True)
        )
        for i, variable in enumerate(self.live):
            if mine[i] is UNBOUND and (variable.is_result or returned or peeking.depth):
                mine[i] = Specs(others[i]).zeros()

    def _selected(self) -> list[tuple[Any, Any]]:
        """The leaves that differ between the branches."""
        pairs = []
        for one, other in zip(*self.ends, strict=True):
            both = zip(leaves(one), leaves(other), strict=True)
            pairs += [(a, b) for a, b in both if is_dynamic(a) and not equal_constants(a, b)]
        return pairs

    def _join(self, pred: Any, traced: Sequence[Traced]) -> list[Any]:
        """Appends the node; what it gives for the leaves that differ."""
        pairs = self._selected()
        flat = []
        for which in (0, 1):
            with traced[which].graph.as_default(), stop_all():
                flat.append([convert(x) for pair in pairs for x in leaves_of(_tensor(pair[which]))])
        handles = list({id(h): h for t in traced for h in t.written}.values())
        graphs = [
            closed(t, own + [value_in(t.graph, h) for h in handles])
            for t, own in zip(traced, flat, strict=True)
        ]
        environment = Environment()
        places = tuple(tuple(environment.places(g)) for g in graphs)
        specs = [
            Spec(generalize(a._shape, b._shape), a._np_dtype)
            for a, b in zip(graphs[0].outputs, graphs[1].outputs, strict=True)
        ]
        attrs = {"branches": tuple(graphs), "places": places, "slots": ()}
        outputs = append(IF, [pred, *environment.tensors], specs, attrs, "cond")
        write_back(handles, outputs[len(flat[0]) :])
        return pack_composites([_tensor(a) for a, _ in pairs], outputs[: len(flat[0])])

    # -- agreement ----------------------------------------------------------------------------------------------------

    def _agree(self, i: int) -> None:
        try:
            self._compare(i)
        except (TypeError, ValueError):
            self.ends[0][i] = self.ends[1][i] = UNBOUND

    def _compare(self, i: int) -> None:
        name = self.live[i].name
        one, other = self.ends[0][i], self.ends[1][i]
        if one is UNBOUND and other is UNBOUND:
            return
        if one is UNBOUND or other is UNBOUND:
            raise ValueError(self._one_branch(i, one is UNBOUND))
        if not same_structure(one, other):
            raise TypeError(
                f"{self._subject(i)} is {text_of(one)} after the `if` branch{self._line(0, name)} and {text_of(other)} after the "
                f"`else` branch{self._line(1, name)}; the condition of the {self.what} at {self.place} is a tensor, so "
                "both branches must give the same structure."
            )
        for a, b in zip(leaves(one), leaves(other), strict=True):
            self._compare_leaves(i, a, b)

    def _compare_leaves(self, i: int, a: Any, b: Any) -> None:
        name = self.live[i].name
        if equal_constants(a, b):
            return
        where = f"the condition of the {self.what} at {self.place} is a tensor"
        if is_dynamic(a) and is_dynamic(b):
            first, second = dtype_of(a), dtype_of(b)
            if first != second:
                raise TypeError(
                    f"{self._subject(i)} is {first.name} after the `if` branch{self._line(0, name)} and {second.name} after the "
                    f"`else` branch{self._line(1, name)}; {where}, so both branches must give the same dtype. Convert one of "
                    "them, tf.cast(value, dtype)."
                )
            return
        if a is None or b is None:
            which = "`if`" if a is None else "`else`"
            tensor = text_of(b if a is None else a)
            if self.live[i].is_result:
                raise ValueError(
                    f"The function returns {tensor} on one path and None on another, and which one is known only when the graph "
                    f"runs: {where}. Return a tensor on every path, also at the function's end."
                )
            raise ValueError(
                f"{self._subject(i)} is None after the {which} branch and {tensor} after the other; {where}, so both branches "
                f"must give a tensor. Give {name!r} a tensor first."
            )
        raise TypeError(
            f"{self._subject(i)} is {text_of(a)} after the `if` branch and {text_of(b)} after the `else` branch; {where}, and "
            "only tensors can depend on it."
        )

    def _subject(self, i: int) -> str:
        if self.what != "`if`":
            return "The value"
        return "The value returned" if self.live[i].is_result else repr(self.live[i].name)

    def _line(self, which: int, name: str) -> str:
        return assigned_at(self.blocks[which], name) if which == 0 or self.has_else else ""

    def _one_branch(self, i: int, in_else: bool) -> str:
        name = self.live[i].name
        where = f"the {self.what} at {self.place}"
        defining, missing = ("`else`", "`if`") if in_else else ("`if`", "`else`")
        line = self._line(int(in_else), name)
        return (
            f"{name!r} is defined in the {defining} branch only{line} of {where}, whose condition is a tensor, and is used "
            f"afterwards. Set {name!r} in the {missing} branch too, or before the `if`."
        )

    # -- afterwards ---------------------------------------------------------------------------------------------------

    def _finish(self, outputs: list[Any]) -> None:
        feed = iter(outputs)
        values = list(self.before)
        for i, (one, other) in enumerate(zip(*self.ends, strict=True)):
            if one is other:
                values[i] = one
                continue
            both = zip(leaves(one), leaves(other), strict=True)
            values[i] = pack(
                one, [a if equal_constants(a, b) or not is_dynamic(a) else next(feed) for a, b in both]
            )
        for i in self.changed:
            if i >= len(self.live):
                values[i] = UNBOUND
        self.state.restore(values)


class Specs:
    """The structure of a value with shapes and dtypes for leaves; what is no tensor stays itself."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.specs = [_LeafSpec(x) for x in leaves(value)]

    def zeros(self) -> Any:
        """A value of this structure, of zeros, made in the present graph."""
        if self.value is UNBOUND:
            return UNBOUND
        return pack(self.value, [spec.zeros() for spec in self.specs])


class _LeafSpec:
    def __init__(self, leaf: Any) -> None:
        self.leaf = leaf
        self.shape: Any = None
        if is_scalar(leaf):
            leaf = convert(leaf)
        if isinstance(leaf, TensorLike) and hasattr(leaf, "shape"):
            self.shape = leaf.shape
            self.dtype = leaf.dtype  # type: ignore[attr-defined]

    def zeros(self) -> Any:
        if self.shape is None:
            return self.leaf
        dims = [0] if self.shape.rank is None else [d or 0 for d in self.shape.as_list()]
        return create.zeros(dims, self.dtype)

    def tensor_spec(self) -> Any:
        """The specification of the tensor, or None for what is none."""
        return None if self.shape is None else TensorSpec(self.shape, self.dtype)


def _tensor(leaf: Any) -> Any:
    return convert(leaf) if is_scalar(leaf) else leaf


def dtype_of(leaf: Any) -> Any:
    """The dtype that a leaf has or would have as a tensor."""
    return convert(leaf).dtype if is_scalar(leaf) else getattr(leaf, "dtype", None)

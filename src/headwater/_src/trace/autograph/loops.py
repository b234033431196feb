"""Loops on symbolic tensors: what goes round, what stays, and how the rows of an iterable are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import headwater._src.ops.control as control
import headwater._src.ops.host as host
from headwater._src.base import nest
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.core.graph import FuncGraph, Graph
from headwater._src.core.tensor import Tensor, TensorLike
from headwater._src.trace.autograph.staged import (
    Block,
    Specs,
    as_condition,
    assigned_at,
    dtype_of,
    peeking,
    place_of,
)
from headwater._src.trace.autograph.state import (
    UNBOUND,
    State,
    Variable,
    equal_constants,
    is_dynamic,
    is_scalar,
    leaves,
    pack,
    same_structure,
    text_of,
)


class ShapeChangedError(ValueError):
    """A variable's shape changes from round to round; `shape` covers both."""

    def __init__(self, name: str, shape: Any, text: str) -> None:
        super().__init__(text)
        self.name, self.shape = name, shape


class Loop:
    """One loop whose test is symbolic.

    Args:
      body: the block, which takes the values of `hidden` first.
      state: groups of variables: those that a round reads before it writes them, those needed after the loop, those that
        closures may ask for later, others.
      options: what `set_loop_options` said.
      kind: "while" or "for", for messages.
      targets: names that the loop itself sets.
    """

    def __init__(
        self, body: Block, block: Block, state: State, options: Any, kind: str, targets: str = ""
    ) -> None:
        self.body = body
        self.block = block
        self.state = state
        self.kind = kind
        self.targets = frozenset(targets.split())
        self.before = state.values()
        self.options = options() if options is not None else {}
        self.variables = [*state.groups[0], *state.groups[1], *state.groups[2]]
        self.carried = len(state.groups[0])
        self.needed = self.carried + len(state.groups[1])
        self.start = self.before[: len(self.variables)]
        self.late: list[Variable] = []
        self.ends: list[Any] = []
        self.entries: list[Any] = []
        self.surely_runs = False

    @property
    def where(self) -> str:
        """`the loop at file:line`."""
        return f"the `{self.kind}` loop at {place_of(self.block)}"

    def run(self, test: Callable[..., Any], hidden: Sequence[Any] = ()) -> None:
        """Adds the loop to the graph and sets the variables to its results.

        Args:
          test: gives the condition from the values of `hidden`.
          hidden: first values of loop variables that are not the user's; `body` gives their next values.
        """
        try:
            self._define_late(hidden)
            ran = [convert(False)] if self.late else []
            flat = [self._in(x) for value in self.start for x in leaves(value) if is_dynamic(x)]
            if not (
                ran or hidden or flat
            ):  # all that changes is variables; a loop has something to hand round
                ran = [convert(False)]
            count = len(ran) + len(hidden)
            outputs = control.while_loop(
                lambda *values: self._test(test, values[len(ran) : count], values[count:]),
                lambda *values: self._round(values[len(ran) : count], values[count:], bool(ran)),
                [*ran, *(convert(h) for h in hidden), *flat],
                shape_invariants=self._invariants(len(ran), hidden, flat),
                **self._passed_on(),
            )
        except BaseException as error:
            self.state.restore(self.before)
            self._note_numbers(error)
            raise
        if self.late:
            host.Assert(outputs[0], [self._not_run()])
        self._finish(list(outputs[count:]))

    @staticmethod
    def _in(leaf: Any) -> Any:
        return (
            convert(leaf)
            if is_scalar(leaf) or isinstance(leaf, TensorLike) and not _composite(leaf)
            else leaf
        )

    def _passed_on(self) -> dict[str, Any]:
        names = ("maximum_iterations", "parallel_iterations", "swap_memory")
        return {n: self.options[n] for n in names if self.options.get(n) is not None}

    # -- inside the graphs of the test and the body ---------------------------------------------------------------------

    def _enter(self, flat: Sequence[Any]) -> None:
        feed = iter(flat)
        self.entries = [
            value
            if value is UNBOUND
            else pack(value, [next(feed) if is_dynamic(x) else x for x in leaves(value)])
            for value in self.start
        ]
        self.state.restore([*self.entries, *self.before[len(self.variables) :]])

    def _test(self, test: Callable[..., Any], hidden: Sequence[Any], flat: Sequence[Any]) -> Any:
        self._enter(flat)
        return as_condition(test(*hidden), f"`{self.kind}`", place_of(self.block))

    def _round(self, hidden: Sequence[Any], flat: Sequence[Any], count_it: bool) -> list[Any]:
        self._enter(flat)
        following = self.body(*hidden)
        self.ends = self.state.values()[: len(self.variables)]
        out: list[Any] = [convert(True)] if count_it else []
        out += following
        for i in range(len(self.variables)):
            out += self._next(i)
        return out

    def _next(self, i: int) -> list[Any]:
        """The values of one variable for the next round, of the kinds that this one began with."""
        name = self.variables[i].name
        start, entry, end = self.start[i], self.entries[i], self.ends[i]
        if start is UNBOUND:
            if i >= self.needed:
                self.ends[i] = UNBOUND
            return []  # a body that defines it defines something that no tensor can hold, see _define_late
        if end is UNBOUND:
            raise ValueError(
                f"{name!r} is defined before {self.where} and deleted in it; the loop's test is a tensor, so it must stay defined."
            )
        if not same_structure(start, end):
            raise TypeError(self._structure_changed(name, start, end))
        following = []
        for before, enters, after in zip(leaves(start), leaves(entry), leaves(end), strict=True):
            if is_dynamic(before):
                following.append(self._checked(name, before, enters, after))
            elif not equal_constants(before, after):
                raise self._not_a_tensor(name, before, after)
        return following

    def _structure_changed(self, name: str, start: Any, end: Any) -> str:
        text = (
            f"{name!r} is {text_of(start)} before {self.where} and {text_of(end)} after one iteration"
            f"{assigned_at(self.block, name)}; the loop's test is a tensor, so its structure must stay the same."
        )
        if isinstance(start, list) and isinstance(end, list):
            text += (
                " A Python list can't grow in such a loop: collect the values in a tf.TensorArray, "
                f"{name} = tf.TensorArray(dtype, size=0, dynamic_size=True); {name} = {name}.write({name}.size(), value); "
                f"{name}.stack()."
            )
        return text

    def _not_a_tensor(self, name: str, before: Any, after: Any) -> Exception:
        text = (
            f"{name!r} is {text_of(before)} before {self.where} and {text_of(after)} after one iteration"
            f"{assigned_at(self.block, name)}; the loop's test is a tensor, and only tensors can change in it."
        )
        if before is None:
            return ValueError(f"{text} Give {name!r} a tensor of that dtype and shape before the loop.")
        return TypeError(text)

    def _checked(self, name: str, before: Any, enters: Any, after: Any) -> Any:
        if not is_dynamic(after):
            if after is None:
                raise ValueError(
                    f"{name!r} is {text_of(enters)} before {self.where} and None after one iteration"
                    f"{assigned_at(self.block, name)}; the loop's test is a tensor, so it must stay a tensor."
                )
            raise self._not_a_tensor(name, enters, after)
        if _composite(enters):
            return after
        after = convert(after)
        if after.dtype != enters.dtype:
            raise TypeError(self._dtype_changed(name, before, enters, after))
        if not after.shape.is_subtype_of(enters.shape):
            raise ShapeChangedError(
                name, enters.shape.most_specific_common_supertype([after.shape]),
                f"{name!r} has shape {_shape(before)} before {self.where} and shape {after.shape} after one iteration"
                f"{assigned_at(self.block, name)}; say which dimensions vary as the first line of the loop, "
                f"tf.autograph.experimental.set_loop_options(shape_invariants=[({name}, tf.TensorShape("
                f"{_common_shape(enters.shape, after.shape)}))]).",
            )  # fmt: skip
        return after

    def _dtype_changed(self, name: str, before: Any, enters: Any, after: Tensor) -> str:
        remedy = f"Convert it, tf.cast(value, tf.{enters.dtype.name}), or start with the other dtype"
        if is_scalar(before):
            remedy = f"Start it as {name} = tf.constant({before!r}, tf.{after.dtype.name}), or convert with tf.cast"
        return (
            f"{name!r} is {enters.dtype.name} before {self.where} and {after.dtype.name} after one iteration"
            f"{assigned_at(self.block, name)}; the loop's test is a tensor, so the dtype must stay the same. {remedy}."
        )

    def _note_numbers(self, error: BaseException) -> None:
        """Operations refuse mixed dtypes without knowing that an operand was a Python number before the loop."""
        if not isinstance(error, TypeError) or "iteration" in str(error) or not self.entries:
            return
        numbers = [
            f"{v.name!r} (Python's {value!r}, now {dtype_of(value).name})"
            for v, value in zip(self.variables, self.start, strict=True)
            if type(value) in (int, float)
        ]
        if numbers:
            error.add_note(
                f"In {self.where}, whose test is a tensor, numbers that change are tensors: {', '.join(numbers)}. "
                "Where another dtype is meant, start with it, tf.constant(0, dtype)."
            )

    # -- shapes -------------------------------------------------------------------------------------------------------

    def allow(self, name: str, shape: Any) -> None:
        """Lets a variable have another shape in each round, as far as `shape` allows it."""
        kept = [(k, s) for k, s in self.options.get("shape_invariants") or () if k != name]
        self.options = {**self.options, "shape_invariants": [*kept, (name, shape)]}

    def _invariants(self, ran: int, hidden: Sequence[Any], flat: Sequence[Any]) -> list[Any] | None:
        named = self.options.get("shape_invariants")
        stand_in = {v.name: s for v, s in zip(self.variables, self.start, strict=True)}
        if not named:
            return None
        known = {}
        for key, shape in named:
            name = key if isinstance(key, str) else next((n for n, v in stand_in.items() if v is key), None)
            if name not in stand_in:
                raise ValueError(
                    f"set_loop_options: shape_invariants names {key!r}, which is no variable of {self.where}; those are "
                    f"{', '.join(stand_in)}."
                )
            known[name] = shape
        shapes: list[Any] = [TensorShape(())] * ran + [TensorShape(getattr(h, "shape", ())) for h in hidden]
        for variable, value in zip(self.variables, self.start, strict=True):
            given = nest.flatten(known[variable.name]) if variable.name in known else None
            dynamic = [x for x in leaves(value) if is_dynamic(x)]
            if given is not None and len(given) != len(dynamic):
                given = [known[variable.name]] * len(dynamic)
            for k, leaf in enumerate(dynamic):
                shapes.append(
                    _as_shape(given[k]) if given is not None else getattr(self._in(leaf), "shape", None)
                )
        return shapes

    # -- variables that the loop itself defines ---------------------------------------------------------------------------

    def _define_late(self, hidden: Sequence[Any]) -> None:
        """Gives variables that only the body defines a first value, zeros of what one round makes of them."""
        late = [
            i
            for i, value in enumerate(self.start)
            if i < self.needed and (value is UNBOUND or (value is None and self.carried <= i))
        ]
        if not late:
            return
        specs = self._peek(hidden)
        for i in late:
            spec, variable = specs[i], self.variables[i]
            if spec.value is UNBOUND or not any(map(is_dynamic, leaves(spec.value))):
                continue
            if any(_composite(x) for x in leaves(spec.value)):
                raise ValueError(
                    f"{variable.name!r} is {text_of(spec.value)} after {self.where} and must be defined before it too."
                )
            self.start[i] = spec.zeros()
            if not (variable.is_result or self.surely_runs or variable.name in self.targets):
                self.late.append(variable)

    def _peek(self, hidden: Sequence[Any]) -> list[Specs]:
        peeking.depth += 1
        try:
            with FuncGraph("look_ahead").as_default() as graph:
                flat = [
                    self._placeholder(graph, x)
                    for value in self.start
                    for x in leaves(value)
                    if is_dynamic(x)
                ]
                self._enter(flat)
                self.body(*(self._placeholder(graph, h) for h in hidden))
                return [Specs(v) for v in self.state.values()[: len(self.variables)]]
        finally:
            peeking.depth -= 1
            self.state.restore(self.before)

    def _placeholder(self, graph: Graph, leaf: Any) -> Any:
        tensor = self._in(leaf)
        return graph.placeholder(tensor.shape, tensor.dtype) if isinstance(tensor, Tensor) else tensor

    def _not_run(self) -> str:
        names = ", ".join(repr(v.name) for v in self.late)
        return (
            f"{self.where} must run at least once, because {names} is used after it and only defined in it."
        )

    def _finish(self, outputs: Sequence[Any]) -> None:
        feed = iter(outputs)
        values: list[Any] = []
        for i, start in enumerate(self.start):
            if start is UNBOUND:
                values.append(self.ends[i] if not any(map(is_dynamic, leaves(self.ends[i]))) else UNBOUND)
                continue
            flat, unchanged = [], True
            for first, enters, end in zip(*map(leaves, (start, self.entries[i], self.ends[i])), strict=True):
                out = next(feed) if is_dynamic(first) else first
                same = enters is end or equal_constants(first, end)
                unchanged &= same
                flat.append(first if same else out)
            keeps = unchanged and self.before[i] is not UNBOUND
            values.append(self.before[i] if keeps else pack(start, flat))
        self.state.restore(values + [UNBOUND] * (len(self.before) - len(values)))


def _composite(leaf: Any) -> bool:
    """Tensor arrays and tensors of several parts, whose own code says what fits."""
    return isinstance(leaf, nest.Composite) or not (isinstance(leaf, TensorLike) or is_scalar(leaf))


def _shape(value: Any) -> Any:
    return convert(value).shape if is_scalar(value) else value.shape


def _as_shape(given: Any) -> Any:
    return given.shape if hasattr(given, "dtype") and hasattr(given, "shape") else TensorShape(given)


def _common_shape(a: TensorShape, b: TensorShape) -> str:
    common = a.most_specific_common_supertype([b]) if hasattr(a, "most_specific_common_supertype") else None
    return "None" if common is None or common.rank is None else str(common.as_list())

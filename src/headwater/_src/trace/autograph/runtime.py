"""The operators that rewritten code calls: Python's own meaning for Python's values, graph operations for symbolic tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from types import CellType
from typing import Any

import headwater._src.ops.compare as compare
import headwater._src.ops.control as control
import headwater._src.ops.host as host
import headwater._src.ops.reduce as math_reduce
from headwater._src.base.errors import OperatorNotAllowedInGraphError
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, TensorLike
from headwater._src.trace.autograph.elements import elements_of, loop_over
from headwater._src.trace.autograph.loops import Loop
from headwater._src.trace.autograph.rows import Rows, rows_of
from headwater._src.trace.autograph.staged import Block, If, as_condition, place_of
from headwater._src.trace.autograph.state import Part, State, Variable

MAX_GUARDED_ROUNDS = 10_000
"""Of a Python loop that a tensor may end, so that endless iterators raise instead of filling the memory."""


def staged(value: Any) -> bool:
    """Whether Python can't decide by `value`, because it is known only when the graph runs."""
    if value.__class__ is bool:
        return False
    if value.__class__ is SymbolicTensor:
        return True
    return ctx.graph is not None and isinstance(value, TensorLike) and not isinstance(value, EagerTensor)


def nothing() -> None:
    """The branch that isn't there."""


# -- if, assert -------------------------------------------------------------------------------------------------------


def if_stmt(
    condition: Any,
    body: Block,
    orelse: Block,
    variables: Callable[[], Any],
    spec: str,
    parts: Sequence[Part],
) -> None:
    """`if` on a symbolic condition."""
    If(body, orelse, State(variables, spec, parts)).run(condition)


def if_exp(condition: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    """`body if condition else orelse`."""
    if not staged(condition):
        return body() if condition else orelse()
    value = Variable("value", CellType())
    first, second = (lambda: value.set(body())), (lambda: value.set(orelse()))
    If(first, second, State.of([value], []), place=body, what="conditional expression").run(condition)
    return value.get()


def assert_stmt(condition: Any, message: Callable[[], Any] | None) -> None:
    """`assert` on a symbolic condition: checked when the graph runs."""
    said = "assertion failed" if message is None else message()
    host.Assert(as_condition(condition, "`assert`", "this line"), [said])


# -- and, or, not, chains of comparisons --------------------------------------------------------------------------------


def not_(value: Any) -> Any:
    """`not value`."""
    return compare.logical_not(_truth(value)) if staged(value) else not value


def none_of(*flags: Any) -> Any:
    """Whether none of the flags is set."""
    symbolic = [f for f in flags if staged(f)]
    if any(f for f in flags if not staged(f)):
        return False
    if not symbolic:
        return True
    either = symbolic[0]
    for flag in symbolic[1:]:
        either = compare.logical_or(either, flag)
    return compare.logical_not(either)


def _truth(value: Any) -> Any:
    return as_condition(value, "`and`, `or` or `not`", "this line")


def and_(value: Any, *rest: Callable[[], Any]) -> Any:
    """`value and rest[0]() and ...`: what follows is computed only where it is needed."""
    if not rest:
        return value
    if staged(value):
        return control.cond(
            _truth(value), lambda: convert(and_(rest[0](), *rest[1:])), lambda: convert(value)
        )
    return and_(rest[0](), *rest[1:]) if value else value


def or_(value: Any, *rest: Callable[[], Any]) -> Any:
    """`value or rest[0]() or ...`: what follows is computed only where it is needed."""
    if not rest:
        return value
    if staged(value):
        return control.cond(_truth(value), lambda: convert(value), lambda: convert(or_(rest[0](), *rest[1:])))
    return value if value else or_(rest[0](), *rest[1:])


def and_both(value: Any, *rest: Callable[[], Any]) -> Any:
    """`and` of operands that cost little: all may be computed."""
    for following in rest:
        if not staged(value):
            if not value:
                return value
            value = following()
            continue
        other = following()
        if other is True:
            continue
        if other is False:
            return False
        value = _joined(
            compare.logical_and, value, other, lambda a, b: control.cond(_truth(a), lambda: b, lambda: a)
        )
    return value


def or_both(value: Any, *rest: Callable[[], Any]) -> Any:
    """`or` of operands that cost little: all may be computed."""
    for following in rest:
        if not staged(value):
            if value:
                return value
            value = following()
            continue
        other = following()
        if other is False:
            continue
        value = _joined(
            compare.logical_or, value, other, lambda a, b: control.cond(_truth(a), lambda: a, lambda: b)
        )
    return value


def _joined(logical: Any, a: Any, b: Any, otherwise: Callable[[Any, Any], Any]) -> Any:
    a, b = convert(a), convert(b)
    if a.dtype.is_bool and b.dtype.is_bool and a.shape.rank == 0 and b.shape.rank == 0:
        return logical(a, b)
    return otherwise(a, b)


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "is": operator.is_, "is not": operator.is_not, "in": lambda a, b: contains(a, b), "not in": lambda a, b: not_(contains(a, b)),
}  # fmt: skip


def contains(value: Any, container: Any) -> Any:
    """`value in container`."""
    if ctx.graph is None:
        return value in container
    if staged(container):
        return math_reduce.reduce_any(compare.equal(container, value))
    if not isinstance(container, (list, tuple, set, frozenset, dict, range)):
        return value in container
    if not (staged(value) or any(staged(x) for x in container)):
        return value in container
    if any(x is value for x in container):
        return True
    return or_both(False, *(lambda x=x: value == x for x in container))  # type: ignore[misc]


def chain(operators: Sequence[str], left: Any, *rights: Callable[[], Any]) -> Any:
    """`left < middle <= right`: each operand is computed once."""
    right = rights[0]()
    result = _COMPARE[operators[0]](left, right)
    if len(rights) == 1:
        return result
    return and_both(result, lambda: chain(operators[1:], right, *rights[1:]))


# -- loops ------------------------------------------------------------------------------------------------------------


def while_stmt(
    test: Block,
    body: Block,
    variables: Callable[[], Any],
    spec: str,
    parts: Sequence[Part],
    options: Callable[[], dict[str, Any]] | None,
) -> None:
    """`while test(): body()`; from the round on in which the test is symbolic, a loop of the graph."""
    while True:
        effects = None if ctx.graph is None else _Effects(ctx.graph)
        again = test()
        if effects is not None and staged(again):
            loop = Loop(_returning_nothing(body), body, State(variables, spec, parts), options, "while")
            if effects.happened():
                _after_first_test(loop, again, test, body)
            else:
                loop.run(test)
            return
        if not again:
            return
        body()


def _returning_nothing(body: Block) -> Callable[..., list[Any]]:
    def run() -> list[Any]:
        body()
        return []

    return run


class _Effects:
    """Notes whether something that must happen once was added to a graph."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.count = len(graph.nodes)
        self.values = dict(graph.values)

    def happened(self) -> bool:
        """Since this was made."""
        values = self.graph.values
        if any(values[key] is not self.values.get(key) for key in values):
            return True
        return any(getattr(node.record, "stateful", False) for node in self.graph.nodes[self.count :])


def _after_first_test(loop: Loop, again: Any, test: Block, body: Block) -> None:
    """A test with effects must run once a round and no more: its value goes round."""
    where = place_of(body)

    def round_and_test(again: Any) -> list[Any]:
        body()
        return [as_condition(test(), "`while`", where)]

    loop.body = round_and_test
    loop.run(lambda value: value, [as_condition(again, "`while`", where)])


def for_stmt(
    iterable: Any,
    extra: Callable[[], Any] | None,
    body: Block,
    variables: Callable[[], Any],
    spec: str,
    parts: Sequence[Part],
    options: Callable[[], dict[str, Any]] | None,
    targets: str,
) -> None:
    """`for item in iterable: body(item)`, as long as `extra()` holds."""
    rows = rows_of(iterable)
    if rows is not None:
        loop = Loop(body, body, State(variables, spec, parts), options, "for", targets)
        _for_rows(loop, rows, extra, body)
    elif (elements := elements_of(iterable)) is not None:
        loop = Loop(body, body, State(variables, spec, parts), options, "for", targets)
        loop_over(loop, elements, extra, body, and_both)
    elif extra is None:
        for item in iterable:
            body(item)
    else:
        _for_python(iter(iterable), extra, body, variables, spec, parts)


def _for_rows(loop: Loop, rows: Rows, extra: Callable[[], Any] | None, body: Block) -> None:
    count = rows.count()
    if isinstance(count, int) and count == 0:
        return

    def test(i: Any) -> Any:
        inside = i < count
        return inside if extra is None else and_both(inside, extra)

    def one_round(i: Any) -> list[Any]:
        body(rows.item(i))
        return [i + 1]

    loop.body = one_round
    loop.surely_runs = isinstance(count, int)
    loop.run(test, [0])


def _for_python(
    iterator: Iterator[Any],
    extra: Callable[[], Any],
    body: Block,
    variables: Callable[[], Any],
    spec: str,
    parts: Sequence[Part],
) -> None:
    """A Python loop with `break` or `return` in it; where a tensor decides about that, the rest goes into branches."""
    again: Any = True
    for rounds, item in enumerate(iterator):
        if not staged(again):
            body(item)
        else:
            if rounds >= MAX_GUARDED_ROUNDS:
                raise OperatorNotAllowedInGraphError(
                    f"The `for` loop at {place_of(body)} goes over a Python iterator that gave more than {MAX_GUARDED_ROUNDS} "
                    "items, and its `break` or `return` depends on a tensor. Go over tf.range(n) or a tensor, or use `while`."
                )
            state = State(variables, spec, parts)
            carried, after, kept, scratch = state.groups
            If(
                lambda item=item: body(item), nothing, State.of(carried + after, kept, scratch), place=body
            ).run(again)
        again = extra()
        if not staged(again) and not again:
            return

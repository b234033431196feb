"""Loops inside graphs: condition and body are graphs, and one node runs them.

A loop node has, in this order, as inputs: the limit of rounds (if it is bounded), the start values of what is carried from
round to round, tensors of which each round gets one row, and what is the same in all rounds. Its outputs are the last carried
values, the number of rounds, and tensors with one row of each round. The gradient of such a loop is such a loop too, in the
opposite order: rows that the forward loop put out for it come in, gradients of rows that came in go out. So loops have
gradients of any order. (Rows in and out are those of `jax.lax.scan`; the construction is reverse-mode on scans.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.cast as cast
from headwater._src.base import dtypes, nest
from headwater._src.base.errors import invalid
from headwater._src.base.lazy import jax, jnp, lax
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.base.text import describe
from headwater._src.core.composite import Composite
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import CONST, SOURCES, FuncGraph
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor
from headwater._src.engine import cost
from headwater._src.engine.backprop import backpropagate, space
from headwater._src.engine.closed import close
from headwater._src.engine.differentiate import carries_gradients, entries_of
from headwater._src.engine.graph_copy import clone
from headwater._src.engine.lower import has_effects, interpret
from headwater._src.engine.plan import plan_of
from headwater._src.engine.tape import stop_all
from headwater._src.ops import tensor_lists
from headwater._src.ops.branches import Saved, as_carried, origin_of
from headwater._src.ops.nested import (
    Environment,
    Record,
    Traced,
    append,
    closed,
    dense,
    describe_leaf,
    leaves_of,
    pack,
    value_in,
    write_back,
)

_INT32 = np.dtype(np.int32)

# -- tracing ----------------------------------------------------------------------------------------------------------


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    shape_invariants: Any = None,
    maximum_iterations: Any = None,
    names: Sequence[str] | None = None,
) -> Any:
    """The loop variables after as many rounds as `cond` allows, in the structure of `loop_vars`.

    Args:
      names: what messages call the leaves of the loop variables.

    Raises:
      TypeError: a round changes the dtype of a variable.
      ValueError: a round changes the structure, or a shape in a way that `shape_invariants` doesn't allow; `cond` gives no
        scalar.
    """
    variables = nest.map_structure(_start, list(loop_vars))
    leaves = leaves_of(variables)
    start = [ctx.graph.enter(v) for v in leaves if v is not None]
    specs = [
        Spec(s, t._np_dtype) for s, t in zip(_shapes(variables, start, shape_invariants), start, strict=True)
    ]
    limit = _limit(maximum_iterations)
    tested = Traced(cond, "while_cond", variables, specs)
    rounds = Traced(_listed(body, len(variables)), "while_body", variables, specs)
    if tested.written:
        raise NotImplementedError(
            f"tf.while_loop: cond assigns the variable {tested.written[0].name!r}; assign variables in the body instead."
        )
    predicate = _predicate(tested)
    results = _checked_results(variables, leaves, specs, rounds, names)
    handles = {id(h): h for h in rounds.written}
    values = [value_in(rounds.graph, h) for h in handles.values()]
    body_graph = closed(rounds, results + values)
    cond_graph = closed(tested, [predicate])
    parts = _Parts(body_graph, list(handles.values()), len(specs))
    inputs, cond_places = parts.joined(start, cond_graph)
    final = _specs_after(body_graph, start, specs)
    outputs = _append_loop(
        _Loop(body_graph, len(final), 0, False, cond_graph, cond_places), inputs, final, [], limit, "while"
    )
    write_back(list(handles.values()), outputs[len(specs) : len(final)])
    return _packed(loop_vars, pack(variables, outputs[: len(specs)]))


def _packed(loop_vars: Any, values: list[Any]) -> Any:
    if isinstance(loop_vars, list):
        return values
    return type(loop_vars)(*values) if hasattr(loop_vars, "_fields") else tuple(values)


def _start(value: Any) -> Any:
    if value is None or isinstance(value, (nest.Composite, Composite)):
        return value
    return convert(value)


def _limit(maximum: Any) -> Any:
    if maximum is None:
        return None
    tensor = convert(maximum, None, dtypes.int32)
    if tensor._spec.shape not in (None, ()):
        raise ValueError(f"tf.while_loop: maximum_iterations must be a scalar; got {describe(maximum)}.")
    if not tensor.dtype.is_integer:
        raise TypeError(f"tf.while_loop: maximum_iterations must be an integer; got {describe(maximum)}.")
    return tensor if tensor.dtype == dtypes.int32 else cast.cast(tensor, dtypes.int32)


def _listed(body: Callable[..., Any], count: int) -> Callable[..., Any]:
    def listed(*args: Any) -> list[Any]:
        result = body(*args)
        if isinstance(result, (list, tuple)) and not (count == 1 and hasattr(result, "_fields")):
            return list(result)
        return [result]

    return listed


def _shapes(variables: Any, start: Sequence[Any], invariants: Any) -> list[Any]:
    """The static shape of each variable in all rounds."""
    if invariants is None:
        return [t._shape for t in start]
    if not isinstance(invariants, (list, tuple)) or len(invariants) != len(variables):
        raise ValueError(
            f"tf.while_loop: shape_invariants must have the structure of loop_vars, {len(variables)} entries; got {invariants!r}."
        )
    found: list[Any] = []
    for variable, invariant in zip(variables, invariants, strict=True):
        _invariant(variable, invariant, found)
    for shape, tensor in zip(found, start, strict=True):
        if not TensorShape(tensor._shape).is_compatible_with(shape):
            raise ValueError(
                f"tf.while_loop: {describe(tensor)} enters the loop, which its shape invariant {shape} does not allow."
            )
    return [TensorShape(s)._dims for s in found]


def _invariant(variable: Any, invariant: Any, found: list[Any]) -> None:
    if isinstance(variable, (Composite, nest.Composite)):
        parts = variable._nest_flatten()
        if hasattr(invariant, "_element_shape") or not isinstance(invariant, TensorShape) or len(parts) > 1:
            found += [t._shape for t in parts]
        else:
            found += [invariant if not tensor_lists.is_list(t) else t._shape for t in parts]
    elif isinstance(variable, (list, tuple)):
        for part, shape in zip(variable, invariant, strict=True):
            _invariant(part, shape, found)
    elif isinstance(variable, dict):
        for key in sorted(variable):
            _invariant(variable[key], invariant[key], found)
    elif variable is not None:
        found.append(
            TensorShape(getattr(invariant, "shape", invariant))
            if invariant is not None
            else variable._spec.shape
        )


def _predicate(tested: Traced) -> Any:
    found = [v for v in tested.leaves if v is not None]
    if len(found) != 1:
        raise TypeError(f"tf.while_loop: cond must give one boolean scalar; got {tested.result!r}.")
    predicate = found[0]
    shape = predicate._spec.shape
    if shape is not None and any(d not in (None, 1) for d in shape):
        raise ValueError(f"tf.while_loop: cond must give a boolean scalar; got {describe(predicate)}.")
    if not predicate.dtype.is_bool:
        if not predicate.dtype.is_numeric:
            raise TypeError(f"tf.while_loop: cond must give a boolean scalar; got {describe(predicate)}.")
        with tested.graph.as_default():
            predicate = cast.cast(predicate, dtypes.bool_)
    return predicate


def _checked_results(
    variables: Any, leaves: Sequence[Any], specs: Sequence[Spec], rounds: Traced, names: Sequence[str] | None
) -> list[Any]:
    what = "tf.while_loop"
    try:
        nest.assert_same_structure(variables, rounds.result, check_types=False, expand_composites=True)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{what}: body must give values of the structure of loop_vars, {len(variables)} of them. {error}"
        ) from None
    results, numbers = [], iter(specs)
    for i, (before, after) in enumerate(zip(leaves, rounds.leaves, strict=True)):
        name = describe_leaf("variable", i, names, len(leaves))
        if (before is None) != (after is None):
            raise ValueError(
                f"{what}: {name} is {_kind(before)} before the loop and {_kind(after)} after a round; give it a value of "
                "the same dtype before the loop."
            )
        if before is None:
            continue
        spec = next(numbers)
        if after._np_dtype != spec.dtype:
            raise TypeError(
                f"{what}: {name} is {describe(before)} before the loop and {describe(after)} after a round; its dtype "
                "must stay the same: use tf.cast."
            )
        if not TensorShape(after._spec.shape).is_subtype_of(TensorShape(spec.shape)):
            raise ValueError(
                f"{what}: {name} has shape {TensorShape(spec.shape)} before a round and {after.shape} after it; say in "
                "shape_invariants which dimensions vary."
            )
        results.append(after)
    return results


def _kind(value: Any) -> str:
    return "None" if value is None else describe(value)


class _Parts:
    """The inputs of a loop's body put in order: what is carried, then what stays the same."""

    def __init__(self, body: FuncGraph, handles: Sequence[Any], count: int) -> None:
        self.environment = Environment()
        self.body = body
        self.carried_handles = handles
        inner = dict(
            zip([id(h) for h in body.read_handles], body.inputs[count + len(body.captured) :], strict=True)
        )
        self.states = [handles_value for h in handles if (handles_value := inner.pop(id(h))) is not None]
        self.fixed = [h for h in body.read_handles if id(h) in inner]
        body.inputs = [
            *body.inputs[:count], *self.states, *body.inputs[count : count + len(body.captured)], *inner.values(),
        ]  # fmt: skip

    def joined(self, start: Sequence[Any], cond: FuncGraph) -> tuple[list[Any], tuple[int, ...]]:
        """The node's inputs, and where among them those of the condition are. The body takes all, so it gets placeholders
        for what the condition alone reads."""
        carried = {id(h): len(start) + i for i, h in enumerate(self.carried_handles)}
        base = len(start) + len(carried)
        environment = Environment()
        for tensor in self.body.captured:
            environment.place(tensor)
        for handle in self.fixed:
            environment.place_of_handle(handle)
        known = len(environment.tensors)
        places = list(range(len(start)))
        places += [base + environment.place(t) for t in cond.captured]
        places += [
            carried[id(h)] if id(h) in carried else base + environment.place_of_handle(h)
            for h in cond.read_handles
        ]
        for tensor in environment.tensors[known:]:
            extra = self.body.placeholder(wrap(tensor._spec.shape), tensor.dtype, "unused")
            self.body.inputs.append(extra)
        values = [h.read() if hasattr(h, "read") else ctx.graph.read(h) for h in self.carried_handles]
        return [*start, *values, *environment.tensors], tuple(places)


def _specs_after(body: FuncGraph, start: Sequence[Any], specs: Sequence[Spec]) -> list[Spec]:
    """The specs of the carried values behind the loop. A list that no one had written to before it holds what the body put
    there, so the shape of its elements is known then."""
    found = []
    for i, out in enumerate(body.outputs):
        spec = specs[i] if i < len(specs) else Spec(body.inputs[i]._shape, body.inputs[i]._np_dtype)
        if (
            spec.shape is None
            and i < len(start)
            and tensor_lists.is_unwritten(start[i])
            and out._shape is not None
        ):
            spec = Spec((None, *out._shape[1:]), spec.dtype)
        found.append(spec)
    return found


# -- the node ---------------------------------------------------------------------------------------------------------


class _Loop(NamedTuple):
    """What a loop node is made of, apart from its inputs."""

    body: FuncGraph
    carried: int
    scanned: int
    reverse: bool = False
    cond: FuncGraph | None = None
    cond_places: tuple[int, ...] = ()
    even: int = 0
    """How many of the rows put out must have the same shape in all rounds."""


def _append_loop(
    loop: _Loop, inputs: Sequence[Any], final: Sequence[Spec], rows: Sequence[Spec], limit: Any, name: str
) -> tuple[Any, ...]:
    counter = _counter(loop) if loop.cond is not None else None
    attrs = {
        "cond": loop.cond, "cond_places": loop.cond_places, "body": loop.body, "carried": loop.carried,
        "scanned": loop.scanned, "bounded": limit is not None, "reverse": loop.reverse, "counter": counter,
        "even": loop.even,
    }  # fmt: skip
    given = [*inputs] if limit is None else [limit, *inputs]
    specs = [*final, Spec((), _INT32), *rows]
    return append(FOR if loop.cond is None else WHILE, given, specs, attrs, name)


def counted(
    count: Any,
    function: Callable[..., Any],
    carried: Sequence[Any],
    rows: Sequence[Any],
    name: str,
    reverse: bool = False,
    even: bool = True,
) -> tuple[list[Any], list[Any]]:
    """A loop of `count` rounds. `function(carried, row)` gives the lists of the next carried values and of the row's results.

    Args:
      count: int or int32 scalar.
      carried: tensors whose shapes and dtypes no round changes.
      rows: tensors of one first dimension, of which each round gets one row.
      reverse: from the last row to the first.
      even: results of all rounds must have one shape.

    Returns:
      The last carried values, and the results stacked.
    """
    carried = [ctx.graph.enter(convert(t)) for t in carried]
    rows = [ctx.graph.enter(convert(t)) for t in rows]
    specs = [Spec(t._shape, t._np_dtype) for t in carried]
    specs += [Spec(None if t._shape is None else t._shape[1:], t._np_dtype) for t in rows]
    outs = 0

    def flat(*args: Any) -> list[Any]:
        nonlocal outs
        values, results = function(list(args[: len(carried)]), list(args[len(carried) :]))
        outs = len(results)
        return [*values, *results]

    traced = Traced(flat, name, [*carried, *rows], specs)
    handles = {id(h): h for h in traced.written}
    n = len(carried)
    values = [value_in(traced.graph, h) for h in handles.values()]
    body = closed(traced, [*traced.leaves[:n], *values, *traced.leaves[n:]])
    parts = _Parts(body, list(handles.values()), len(specs))
    if handles and rows:
        _swap(body, n, len(rows), len(handles))
    nothing = FuncGraph(name)
    nothing.captured, nothing.read_handles = [], []
    inputs, _ = parts.joined([*carried, *rows], nothing)
    if handles and rows:
        k, m = len(handles), len(rows)
        inputs = [*inputs[:n], *inputs[n + m : n + m + k], *inputs[n : n + m], *inputs[n + m + k :]]
    final = [Spec(t._shape, t._np_dtype) for t in body.inputs[: n + len(handles)]]
    size = _static_count(count, rows)
    stacked = [_row_spec(size, t) for t in body.outputs[len(final) :]]
    outputs = _append_loop(
        _Loop(body, len(final), len(rows), reverse, even=outs if even else 0),
        inputs,
        final,
        stacked,
        convert(count, None, dtypes.int32),
        name,
    )
    write_back(list(handles.values()), outputs[n : len(final)])
    return list(outputs[:n]), list(outputs[len(final) + 1 :])


def _swap(body: FuncGraph, carried: int, rows: int, states: int) -> None:
    """Puts the variables' values before the rows."""
    given = body.inputs
    a, b = carried + rows, carried + rows + states
    body.inputs = [*given[:carried], *given[a:b], *given[carried:a], *given[b:]]


def _static_count(count: Any, rows: Sequence[Any]) -> Any:
    if isinstance(count, int):
        return count
    known = int(count._array) if isinstance(count, EagerTensor) else _known_int(count)
    if known is not None:
        return known
    return next((t._shape[0] for t in rows if t._shape is not None and t._shape[0] is not None), None)


def _row_spec(size: Any, row: Any) -> Spec:
    """The spec of as many such rows stacked."""
    if tensor_lists.is_list(row):
        return Spec(None, tensor_lists.list_dtype(row.dtype).np)
    return Spec(None if row._shape is None else (size, *row._shape), row._np_dtype)


# -- how many rounds --------------------------------------------------------------------------------------------------


class Counter(NamedTuple):
    """A loop whose condition compares a variable, which each round changes by a constant, with something fixed.

    `limit` is an int, or the place of the value among the inputs of the body.
    """

    variable: int
    relation: str
    limit: Any
    fixed: bool
    step: int

    def rounds(self, start: int, limit: int) -> int | None:
        """How many rounds there are; None for ever so many."""
        sign = 1 if self.relation in ("Less", "LessEqual") else -1
        distance = sign * (limit - start) + (self.relation in ("LessEqual", "GreaterEqual"))
        if distance <= 0:
            return 0
        step = sign * self.step
        return None if step <= 0 else -(-distance // step)


_MIRRORED = {"Less": "Greater", "LessEqual": "GreaterEqual", "Greater": "Less", "GreaterEqual": "LessEqual"}


def _counter(loop: _Loop) -> Counter | None:
    """The counter of a loop, where its condition is no more than that."""
    cond, body = loop.cond, loop.body
    assert cond is not None
    node = cond.outputs[0].op
    if node.record.name not in _MIRRORED or any(has_effects(n) for n in cond.nodes):
        return None
    places = {id(t): p for t, p in zip(cond.inputs, loop.cond_places, strict=True)}
    left, right = node.inputs
    if left._np_dtype.kind not in "iu" or left._shape not in (None, ()) or right._shape not in (None, ()):
        return None
    relation = node.record.name
    if places.get(id(left), loop.carried) >= loop.carried:
        left, right, relation = right, left, _MIRRORED[relation]
    variable = places.get(id(left), loop.carried)
    if variable >= loop.carried:
        return None
    step = _step(body, variable)
    if right.op.record is CONST:
        limit, fixed = int(right.op.attrs["value"]), True
    else:
        limit, fixed = places.get(id(right), 0), False
        if id(right) in places and limit < loop.carried and body.outputs[limit] is body.inputs[limit]:
            pass
        elif limit < loop.carried:
            return None
    return None if step is None else Counter(variable, relation, limit, fixed, step)


def _step(body: FuncGraph, variable: int) -> int | None:
    node = body.outputs[variable].op
    if node.record.name not in ("AddV2", "Sub"):
        return None
    a, b = node.inputs
    if node.record.name == "AddV2" and a.op.record is CONST:
        a, b = b, a
    if a is not body.inputs[variable] or b.op.record is not CONST or b._shape != ():
        return None
    step = int(b.op.attrs["value"])
    return step if node.record.name == "AddV2" else -step


def _total(counter: Counter | None, state: Sequence[Any], limit: int | None, ends: bool) -> int | None:
    """The number of rounds where it is known before the loop: ints come from arrays, None from what is not known yet."""
    if counter is None:
        return limit if ends else None
    start = state[counter.variable]
    end = counter.limit if counter.fixed else state[counter.limit]
    if start.__class__ is not np.ndarray or (not counter.fixed and end.__class__ is not np.ndarray):
        return None
    total = counter.rounds(int(start), int(end))
    if total is None or limit is None:
        return total if total is not None else limit
    return min(total, limit)


# -- running as a plan ------------------------------------------------------------------------------------------------


def _numpy(
    *values: Any, cond: Any, cond_places: Any, body: FuncGraph, carried: int, scanned: int, bounded: bool, reverse: bool,
    counter: Any, even: int,
) -> list[Any]:  # fmt: skip
    limit = int(values[0]) if bounded else None
    state = list(values[1:] if bounded else values)
    step = plan_of(body)
    total = _total(counter, state, limit, cond is None)
    extra = len(body.outputs) - carried
    if total is not None and not scanned and not extra:
        for _ in range(total):
            state[:carried] = step(state)
        return [*state[:carried], np.asarray(total, _INT32)]
    rows = [_rows(values[bounded + carried + j]) for j in range(scanned)]
    kept: list[list[Any]] = [[] for _ in range(extra)]
    more = _tests(total, limit, cond, cond_places, state)
    count = 0
    while more(count):
        if rows:
            at = total - 1 - count if reverse else count  # type: ignore[operator]
            for j, row in enumerate(rows, carried):
                state[j] = row[at]
        results = step(state)
        if kept:
            for column, value in zip(kept, results[carried:], strict=True):
                column.append(value)
            del results[carried:]
        state[:carried] = results
        count += 1
    finals = [
        _stacked(c[::-1] if reverse else c, t, i < even)
        for i, (c, t) in enumerate(zip(kept, body.outputs[carried:], strict=True))
    ]
    return [*state[:carried], np.asarray(count, _INT32), *finals]


def _tests(total: Any, limit: Any, cond: Any, places: Any, state: list[Any]) -> Callable[[int], bool]:
    if total is not None:
        return lambda count: count < total
    test = plan_of(cond)

    def more(count: int) -> bool:
        if limit is not None and count >= limit:
            return False
        found = test([state[p] for p in places])[0]
        if found.size != 1:
            raise invalid(f"tf.while_loop: cond must give a scalar; got shape {wrap(found.shape)}.")
        return bool(found)

    return more


def _rows(value: Any) -> Sequence[Any]:
    """The rows of a stacked value as ndarrays, or as lists where each is one."""
    if value.__class__ is tensor_lists.TensorList:
        return value.items()
    if value.ndim == 0:
        return value[()].items()  # type: ignore[no-any-return]
    if value.ndim > 1:
        return list(value)
    return [value[i, ...] for i in range(len(value))]


def _stacked(column: list[Any], row: SymbolicTensor, even: bool) -> Any:
    """The values of all rounds as one array; where their shapes differ, or they are lists, as a list."""
    if tensor_lists.is_list(row):
        return tensor_lists.TensorList(column, row._np_dtype)
    if not column:
        return np.zeros((0, *(d or 0 for d in row._shape or ())), row._np_dtype)
    shape = column[0].shape
    if any(c.shape != shape for c in column):
        if even:
            other = next(c.shape for c in column if c.shape != shape)
            raise invalid(
                f"the results of all rows must have one shape to be stacked; got shapes {wrap(shape)} and {wrap(other)}."
            )
        return tensor_lists.TensorList(column, row._np_dtype)
    out = np.empty((len(column), *shape), row._np_dtype)
    for i, value in enumerate(column):
        out[i] = value
    return out


# -- running under XLA ------------------------------------------------------------------------------------------------


def _lower(
    *values: Any, cond: Any, cond_places: Any, body: FuncGraph, carried: int, scanned: int, bounded: bool, reverse: bool,
    counter: Any, even: int,
) -> list[Any]:  # fmt: skip
    given = list(values[1:] if bounded else values)
    bound = values[0] if bounded else None
    known = int(bound) if bound.__class__ is np.ndarray else None
    total: Any = None
    if not bounded or known is not None:
        total = _total(counter, given, known, cond is None)
    if total is None and cond is None:
        total = jnp.asarray(bound, _INT32)
    start = [as_carried(v, t) for v, t in zip(given, body.inputs[:carried], strict=False)]
    rows, fixed = given[carried : carried + scanned], given[carried + scanned :]
    if rows and not jax.tree.leaves(rows[0])[0].shape[0]:
        total = 0

    def run(state: Sequence[Any], at: Any) -> tuple[list[Any], list[Any]]:
        mine = [jax.tree.map(lambda r: _row_at(r, at), r) for r in rows]
        results = interpret(body, [*state, *mine, *fixed])
        results = [as_carried(v, t) for v, t in zip(results, body.outputs, strict=True)]
        return results[:carried], results[carried:]

    start, kept = _settled(run, start)
    buffers = []
    if kept:
        room = _room(total, known, rows)
        buffers = jax.tree.map(lambda s: jnp.zeros((room, *s.shape), s.dtype), kept)

    def more(loop: Any) -> Any:
        count, state, _ = loop
        if total is not None:
            return count < total
        found = jnp.asarray(interpret(cond, [[*state, *fixed][p] for p in cond_places])[0]).reshape(())
        return found if bound is None else found & (count < bound)

    def one(loop: Any) -> Any:
        count, state, buffers = loop
        at = total - 1 - count if reverse else count
        state, results = run(state, at)
        buffers = jax.tree.map(lambda b, r: lax.dynamic_update_index_in_dim(b, r, at, 0), buffers, results)
        return count + 1, state, buffers

    if total.__class__ is int and total == 0:
        return [*start, np.asarray(0, _INT32), *buffers]
    first = jnp.asarray(0, _INT32)
    count, state, buffers = lax.while_loop(more, one, (first, start, buffers))
    if total.__class__ is int:
        count = np.asarray(total, _INT32)
    return [*state, count, *buffers]


def _row_at(rows: Any, at: Any) -> Any:
    if not rows.shape[0]:  # there is no round, but its shapes are asked for
        return jnp.zeros(rows.shape[1:], rows.dtype)
    return lax.dynamic_index_in_dim(jnp.asarray(rows), at, 0, keepdims=False)


def _settled(run: Callable[..., Any], start: list[Any]) -> tuple[list[Any], list[Any]]:
    """The start values in the form that the body keeps, with room for lists not written yet; and shapes of the rows."""
    at = jax.ShapeDtypeStruct((), _INT32)
    for _ in range(3):
        after, kept = jax.eval_shape(run, start, at)
        changed = False
        for i, (before, found) in enumerate(zip(start, after, strict=True)):
            if found.__class__ is tensor_lists.Stacked:
                if before.buffer is None and found.buffer is not None:
                    start[i] = tensor_lists.allocated(before, found.buffer.shape[1:])
                    changed = True
            elif before.shape != found.shape:
                raise ValueError(
                    f"a loop variable has shape {list(before.shape)} before a round and {list(found.shape)} after it, and XLA "
                    "needs one shape for all rounds"
                )
        if not changed:
            return start, kept
    return start, kept


def _room(total: Any, limit: int | None, rows: Sequence[Any]) -> int:
    """How many rounds the rows that a loop puts out must have room for."""
    if total.__class__ is int:
        return total  # type: ignore[no-any-return]
    if limit is not None:
        return limit
    if rows:
        return jax.tree.leaves(rows[0])[0].shape[0]  # type: ignore[no-any-return]
    raise ValueError(
        "its gradient keeps values of every round, so the number of rounds must be bounded when the program is compiled: give "
        "tf.while_loop its maximum_iterations"
    )


# -- differentiating --------------------------------------------------------------------------------------------------


def _pull(grads: Any, outputs: Any, inputs: Any, attrs: Any, needed: Sequence[Any]) -> list[Any]:
    node = outputs[0].op
    offset = int(node.attrs["bounded"])
    body, _ = clone(node.attrs["body"])
    upstream = [dense(g) for g in grads]
    found = _Backward(body, node, upstream, inputs[offset:], needed[offset:]).gradients()
    return [None] * offset + found


class _Backward:
    """The backward loop of one loop node.

    It carries the gradients of what the forward loop carries, and the sums over all rounds of the gradients of what is the same
    in each. Tensors of the forward body that it needs become rows that the forward loop puts out.
    """

    def __init__(
        self, body: FuncGraph, node: Any, grads: Sequence[Any], given: Sequence[Any], needed: Sequence[Any]
    ) -> None:
        attrs = node.attrs
        self.body, self.node, self.given = body, node, given
        self.carried, self.scanned = attrs["carried"], attrs["scanned"]
        self.last, self.row_grads = grads[: self.carried], grads[self.carried + 1 :]
        self.sources = self._live(needed)
        self.graph = FuncGraph(f"{body.name}_gradient", body)

    def _live(self, needed: Sequence[Any]) -> list[int]:
        """The inputs of the body on whose gradients those `needed` depend."""
        body = self.body
        found = [i for i, t in enumerate(body.inputs) if needed[i] and carries_gradients(t)]
        while True:
            _, live = entries_of(body, [body.inputs[i] for i in found])
            more = [
                i for i in range(self.carried)
                if i not in found and id(body.outputs[i]) in live and carries_gradients(body.inputs[i])
            ]  # fmt: skip
            if not more:
                return sorted(found)
            found += more

    def gradients(self) -> list[Any]:
        """The gradients of the node's inputs behind the limit."""
        by_input: list[Any] = [None] * len(self.given)
        if not self.sources:
            return by_input
        first, last = self.carried, self.carried + self.scanned
        states = [i for i in self.sources if i < first]
        rows = [i for i in self.sources if first <= i < last]
        sums, arguments, upstream = self._trace(states, rows)
        if not (states or rows or sums):
            return by_input
        inputs = [self._start(i) for i in states] + [_zeros(self.given[i]) for i in sums]
        final = [Spec(t._shape, t._np_dtype) for t in arguments[: len(inputs)]]
        made = self._append(inputs, final, arguments, upstream, rows)
        stacked = made[len(inputs) + 1 :]
        for i, gradient in [*zip([*states, *sums], made, strict=False), *zip(rows, stacked, strict=True)]:
            by_input[i] = gradient
        return by_input

    def _start(self, i: int) -> Any:
        found = self.last[i]
        return _zeros(self.node.outputs[i]) if found is None else found

    def _trace(self, states: list[int], rows: list[int]) -> tuple[list[int], list[Any], list[Any]]:
        """Fills the backward body. Gives the fixed inputs with a gradient, the arguments, and the gradients that come in as
        rows, for the last arguments."""
        body, graph = self.body, self.graph
        sources = [body.inputs[i] for i in self.sources]
        with graph.as_default(), stop_all():
            arguments = [_argument(graph, body.inputs[i]) for i in states]
            seeds = [(body.outputs[i], a) for i, a in zip(states, arguments, strict=True)]
            upstream, row_arguments = [], []
            for out, gradient in zip(body.outputs[self.carried :], self.row_grads, strict=True):
                if gradient is not None and carries_gradients(out):
                    row_arguments.append(_argument(graph, out))
                    upstream.append(gradient)
                    seeds.append((out, row_arguments[-1]))
            entries, live = entries_of(body, sources)
            found = backpropagate(entries, seeds, sources, live=live)
            results = []
            for i, argument in zip(states, arguments, strict=True):
                gradient = found.get(id(body.inputs[i]))
                results.append(_zeros(argument) if gradient is None else dense(gradient))
            fixed = [i for i in self.sources if i >= self.carried + self.scanned]
            sums = [i for i in fixed if found.get(id(body.inputs[i])) is not None]
            for i in sums:
                arguments.append(_argument(graph, body.inputs[i]))
                results.append(space().add(arguments[-1], found[id(body.inputs[i])]))
            for i in rows:
                gradient = found.get(id(body.inputs[i]))
                results.append(_zeros(body.inputs[i]) if gradient is None else dense(gradient))
            close(graph, results)
        return sums, [*arguments, *row_arguments], upstream

    def _append(
        self, inputs: list[Any], final: list[Spec], arguments: list[Any], upstream: list[Any], rows: list[int]
    ) -> tuple[Any, ...]:
        graph, count = self.graph, self._count()
        row_inputs, fixed_inputs = [], []
        row_values, fixed_values = list(upstream), []
        for inner, tensor in self._captured():
            place = next((i for i in range(self.carried) if self.body.inputs[i] is tensor), None)
            step = None if place is None else _step(self.body, place)
            if step is not None:
                self._count_down(inner, step, len(inputs))
                arguments.insert(len(inputs), inner)
                inputs.append(self.given[place] + cast.cast(count - 1, inner.dtype) * step)
                final.append(inner._spec)
                continue
            value, is_row = self._origin(tensor)
            (row_inputs if is_row else fixed_inputs).append(inner)
            (row_values if is_row else fixed_values).append(value)
        self._grow([v.tensor for v in row_values if v.__class__ is Saved])
        kept = {
            id(t): self.node.outputs[self.carried + 1 + i]
            for i, t in enumerate(self.body.outputs[self.carried :])
        }
        row_values = [kept[id(v.tensor)] if v.__class__ is Saved else v for v in row_values]
        graph.inputs = [*arguments, *row_inputs, *fixed_inputs]
        attrs = self.node.attrs
        size = _static_rounds(self.node)
        stacked = [_row_spec(size, t) for t in graph.outputs[len(final) :]]
        loop = _Loop(graph, len(final), len(row_values), not attrs["reverse"])
        name = f"gradients/{self.node.name}"
        return _append_loop(loop, [*inputs, *row_values, *fixed_values], final, stacked, count, name)

    def _count(self) -> Any:
        attrs = self.node.attrs
        return self.node.inputs[0] if attrs["cond"] is None else self.node.outputs[self.carried]

    def _count_down(self, inner: SymbolicTensor, step: int, at: int) -> None:
        """Carries a counter of the forward loop backwards instead of keeping its values."""
        graph = self.graph
        with graph.as_default(), stop_all():
            graph.outputs.insert(at, inner - step)

    def _captured(self) -> list[tuple[SymbolicTensor, Any]]:
        """The tensors that the backward body captured, each with what it stands for. What is no work to compute again from
        others is computed again rather than kept."""
        graph, body = self.graph, self.body
        pending = list(zip(graph.inputs[graph.arg_count :], graph.captured, strict=True))
        order = {id(n): i for i, n in enumerate(body.nodes)}
        copies: list[tuple[int, Any]] = []
        found = []
        while pending:
            inner, tensor = pending.pop(0)
            if not self._is_cheap(tensor):
                found.append((inner, tensor))
                continue
            source, node = tensor.op, inner.op
            given = [x for x in (*source.inputs, *source.attrs.values()) if x.__class__ is SymbolicTensor]
            new = [x for x in given if id(x) not in graph.captures]
            node.record, node.inputs = source.record, tuple(graph.enter(x) for x in source.inputs)
            node.attrs = {
                k: graph.enter(v) if v.__class__ is SymbolicTensor else v for k, v in source.attrs.items()
            }
            copies.append((order[id(source)], node))
            pending += [
                (graph.captures[id(x)][1], x)
                for x in {id(x): x for x in new}.values()
                if id(x) in graph.captures
            ]
        moved = {id(n) for _, n in copies}
        first = [n for n in graph.nodes if n.record in SOURCES]
        rest = [n for n in graph.nodes if n.record not in SOURCES and id(n) not in moved]
        graph.nodes = [*first, *(n for _, n in sorted(copies, key=lambda c: c[0])), *rest]
        return found

    def _is_cheap(self, tensor: Any) -> bool:
        if (
            tensor.__class__ is not SymbolicTensor
            or tensor.graph is not self.body
            or tensor.op.record in SOURCES
        ):
            return False
        node = tensor.op
        if node.record.name in _VIEWS:
            return True
        fixed = self.body.inputs[self.carried + self.scanned :]
        return node.record.name in _PARTS and any(node.inputs[0] is t for t in fixed)

    def _origin(self, tensor: Any) -> tuple[Any, bool]:
        """Where a tensor that the backward body captured comes from, and whether each round gets a row of that."""
        for i, inner in enumerate(self.body.inputs):
            if inner is tensor:
                if i < self.carried:
                    return Saved(tensor), True
                return self.given[i], i < self.carried + self.scanned
        found = origin_of(tensor, self.body, self.given)
        return found, found.__class__ is Saved

    def _grow(self, tensors: Sequence[SymbolicTensor]) -> None:
        """Makes the forward loop put out rows of these tensors of its body."""
        body, node = self.body, self.node
        watched = 0
        for out in node.outputs:
            watched |= out._watch
        size = _static_rounds(node)
        outputs = list(node.outputs)
        for tensor in tensors:
            if any(t is tensor for t in body.outputs[self.carried :]):
                continue
            body.outputs.append(tensor)
            made = SymbolicTensor(node, len(outputs), _row_spec(size, tensor))
            made._watch = watched if carries_gradients(made) else 0
            outputs.append(made)
        body.result_count = len(body.outputs)
        body.plan = body.executable = None
        node.attrs = {**node.attrs, "body": body}
        node.outputs = tuple(outputs)


_VIEWS = frozenset(("Reshape", "ExpandDims", "Squeeze", "Identity", "Transpose"))
"""Results that are their input in another form, so that one of the two is enough to keep."""
_PARTS = frozenset(("TensorListGetItem", "StridedSlice"))
"""Results that are a part of their first input: of what is the same in all rounds they need not be kept."""


def _argument(graph: FuncGraph, like: SymbolicTensor) -> SymbolicTensor:
    return graph.placeholder(wrap(like._shape), like.dtype, "gradient")


def _zeros(tensor: Any) -> Any:
    return space().zeros_like(tensor)


def _static_rounds(node: Any) -> Any:
    """The number of rounds where it is known while tracing."""
    attrs = node.attrs
    given = node.inputs[attrs["bounded"] :]
    limit = _known_int(node.inputs[0]) if attrs["bounded"] else None
    if attrs["cond"] is None:
        return limit
    counter = attrs["counter"]
    if counter is None or (attrs["bounded"] and limit is None):
        return None
    start = _known_int(given[counter.variable])
    end = counter.limit if counter.fixed else _known_int(given[counter.limit])
    if start is None or end is None:
        return None
    total = counter.rounds(start, end)
    return total if limit is None or total is None else min(total, limit)


def _known_int(tensor: SymbolicTensor) -> int | None:
    if tensor.op.record is CONST and tensor._shape == () and tensor._np_dtype.kind in "iu":
        return int(tensor.op.attrs["value"])
    known = tensor.known
    if known is None or known.ndim or known[()] is None:
        return None
    return int(known[()])


WHILE = Record("While", _numpy, _lower, None, single=False, grows=True, pull=_pull)
FOR = Record("For", _numpy, _lower, None, single=False, grows=True, pull=_pull)
cost.install({}, ["While", "For"])

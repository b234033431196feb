"""Loops inside graphs: condition and body are traced into graphs, and one node runs them; see loop_nodes and loop_gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import headwater._src.ops.cast as cast
import headwater._src.ops.loop_gradients  # noqa: F401 - gives the records their gradients
from headwater._src.base import dtypes, nest
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.base.text import describe
from headwater._src.core.composite import Composite, component_specs
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import FuncGraph
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor
from headwater._src.ops import tensor_lists
from headwater._src.ops.loop_nodes import Loop, append_loop, known_int, row_spec
from headwater._src.ops.nested import (
    Environment,
    Traced,
    closed,
    describe_leaf,
    leaves_of,
    pack,
    value_in,
    write_back,
)

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
    outputs = append_loop(
        Loop(body_graph, len(final), 0, False, cond_graph, cond_places), inputs, final, [], limit, "while"
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
        invariants = [None] * len(variables)
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
        if hasattr(variable, "_shape_invariant_to_type_spec") and not hasattr(invariant, "_component_specs"):
            # How long the rows are may change in each round.
            shape = variable.shape if invariant is None else invariant  # type: ignore[attr-defined]
            invariant = variable._shape_invariant_to_type_spec(shape)
        if hasattr(invariant, "_component_specs"):
            found += [s.shape for s in component_specs(invariant)]
        elif hasattr(invariant, "_element_shape") or not isinstance(invariant, TensorShape) or len(parts) > 1:
            found += [t._spec.shape for t in parts]
        else:
            found += [invariant if not tensor_lists.is_list(t) else t._shape for t in parts]
    elif isinstance(variable, (list, tuple)):
        for part, shape in zip(variable, invariant or [None] * len(variable), strict=True):
            _invariant(part, shape, found)
    elif isinstance(variable, dict):
        for key in sorted(variable):
            _invariant(variable[key], None if invariant is None else invariant[key], found)
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
            spec = Spec((tensor_lists.static_size(start[i]), *out._shape[1:]), spec.dtype)
        found.append(spec)
    return found


def counted(
    count: Any,
    function: Callable[..., Any],
    carried: Sequence[Any],
    rows: Sequence[Any],
    name: str,
    reverse: bool = False,
    even: bool = True,
    at_once: bool = False,
) -> tuple[list[Any], list[Any]]:
    """A loop of `count` rounds. `function(carried, row)` gives the lists of the next carried values and of the row's results.

    Args:
      count: int or int32 scalar.
      carried: tensors whose shapes and dtypes no round changes.
      rows: tensors of one first dimension, of which each round gets one row.
      reverse: from the last row to the first.
      even: results of all rounds must have one shape.
      at_once: whether XLA may run all rounds together, where nothing is carried.

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
    stacked = [row_spec(size, t) for t in body.outputs[len(final) :]]
    outputs = append_loop(
        Loop(body, len(final), len(rows), reverse, even=outs if even else 0, at_once=at_once),
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
    known = int(count._array) if isinstance(count, EagerTensor) else known_int(count)
    if known is not None:
        return known
    return next((t._shape[0] for t in rows if t._shape is not None and t._shape[0] is not None), None)

"""Control flow and calls of Python on symbolic tensors, as far as shapes and dtypes are wanted: Keras infers a model's shapes so.

Each branch or body is traced once into a graph of its own. What stands in the outer graph for the whole is one node whose
outputs have the right specs; running or differentiating it raises NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.graph import FuncGraph, add_opaque
from headwater._src.core.op import HOST_ONLY, Op
from headwater._src.core.spec import Spec, TensorSpec
from headwater._src.core.tensor import Tensor

_LATER = (
    "Running or differentiating control flow, Python functions and assertions inside a graph comes with tf.function, which is "
    "not in this version of headwater. Run the code eagerly."
)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError(_LATER)


def opaque(name: str) -> Op:
    """A record outside of the registry, for nodes of which only the specs are known."""
    record = Op(
        name, "*inputs: A -> ?: inputs", numpy=_refuse, lower=HOST_ONLY(_LATER), grad=_refuse, shape=_refuse, api=(),
        cases=tuple, attrs={}, host=(), stateful=True, moves=False, first_decides=False,
    )  # fmt: skip
    record.single = False
    return record


_IF, _WHILE, _MAP = opaque("If"), opaque("While"), opaque("Map")


class _Body:
    """A function traced once on placeholders: the structure of its result, the result's specs, and what it captured."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], what: str) -> None:
        graph = FuncGraph(what)
        with graph.as_default():
            given = nest.map_structure(lambda s: graph.placeholder(s.shape, s.dtype), list(args))
            self.result = function(*given)
            leaves = [None if v is None else self._tensor(v, what) for v in nest.flatten(self.result)]
        self.specs = [None if t is None else TensorSpec(t.shape, t.dtype) for t in leaves]
        self.captured = [outer for outer, _ in graph.captures.values()]

    @staticmethod
    def _tensor(value: Any, what: str) -> Tensor:
        if isinstance(value, nest.Composite) or hasattr(value, "_type_spec"):
            raise NotImplementedError(
                f"{what}: {type(value).__name__} can't leave symbolic control flow yet. {_LATER}"
            )
        return convert(value)


def outputs(record: Op, inputs: Sequence[Tensor], specs: Sequence[TensorSpec | None], structure: Any) -> Any:
    """The node's outputs in the structure of the result, None where there is nothing."""
    wanted = [Spec(s.shape._dims, s.dtype.np) for s in specs if s is not None]
    outputs = iter(add_opaque(record, inputs, wanted))
    flat = [None if s is None else next(outputs) for s in specs]
    return nest.pack_sequence_as(structure, flat) if nest.is_nested(structure) else flat[0]


def branches(selector: Tensor, functions: Sequence[Callable[[], Any]], what: str) -> Any:
    """What one of `functions` gives: their results must agree in structure and dtypes, their shapes are generalised.

    Raises:
      TypeError: the results differ in structure or dtype.
    """
    bodies = [_Body(f, (), what) for f in functions]
    first = bodies[0]
    specs = first.specs
    for other in bodies[1:]:
        try:
            nest.assert_same_structure(first.result, other.result)
        except ValueError as error:
            raise TypeError(f"{what}: all branches must give the same structure. {error}") from None
        specs = [_common(a, b, what) for a, b in zip(specs, other.specs, strict=True)]
    return outputs(_IF, [selector, *(t for b in bodies for t in b.captured)], specs, first.result)


def _common(a: TensorSpec | None, b: TensorSpec | None, what: str) -> TensorSpec | None:
    if a is None and b is None:
        return None
    if a is None or b is None or a.dtype != b.dtype:
        raise TypeError(
            f"{what}: all branches must give the same dtypes; got {describe(a)} and {describe(b)}."
        )
    return TensorSpec(a.shape.most_specific_compatible_shape(b.shape), a.dtype)


def loop(cond: Any, body: Any, loop_vars: Sequence[Any], shape_invariants: Any) -> Any:
    """The specs of the loop variables after any number of rounds; they must not change by a round.

    Raises:
      TypeError: a round changes the dtype of a variable.
      ValueError: a round changes the structure or makes a shape more general.
    """
    what = "tf.while_loop"
    start = [_Body._tensor(v, what) for v in nest.flatten(list(loop_vars))]
    shapes: Sequence[Any] = [t.shape for t in start]
    if shape_invariants is not None:
        shapes = [getattr(s, "shape", s) for s in _leaves_like(loop_vars, shape_invariants)]
    specs = [TensorSpec(TensorShape(s), t.dtype) for s, t in zip(shapes, start, strict=True)]
    args = nest.pack_sequence_as(list(loop_vars), specs)
    tested = _Body(cond, args, what)
    rounds = _Body(body, args, what)
    if not isinstance(rounds.result, (list, tuple)):
        rounds.result = [rounds.result]
    nest.assert_same_structure(list(loop_vars), list(rounds.result))
    for before, after in zip(specs, rounds.specs, strict=True):
        if after is None or after.dtype != before.dtype:
            raise TypeError(
                f"{what}: a variable is {describe(before)} before a round and {describe(after)} after it."
            )
        if not after.shape.is_subtype_of(before.shape):
            raise ValueError(
                f"{what}: a variable has shape {before.shape} before a round and {after.shape} after it; say in "
                "shape_invariants which dimensions vary."
            )
    return outputs(_WHILE, [*start, *tested.captured, *rounds.captured], specs, loop_vars)


def _leaves_like(structure: Any, invariants: Any) -> list[Any]:
    """The shapes of `invariants`, which has the structure of the variables with shapes for leaves."""
    if not isinstance(structure, (list, tuple, dict)):
        return [invariants]
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in _leaves_like(structure[key], invariants[key])]
    return [
        leaf for part, shape in zip(structure, invariants, strict=True) for leaf in _leaves_like(part, shape)
    ]


def rows(fn: Any, elems: Any, tensors: Sequence[Tensor], what: str, signature: Any = None) -> Any:
    """What `fn` gives for one row, stacked as often as `elems` has rows.

    Raises:
      InvalidArgumentError: the results have other dtypes than the signature promises.
    """
    body = _Body(fn, [_row_specs(elems, tensors)], what)
    promised = [None] * len(body.specs) if signature is None else nest.flatten(signature)
    specs = [s if s is None else _promised(s, p, what) for s, p in zip(body.specs, promised, strict=True)]
    return outputs(_MAP, [*tensors, *body.captured], _stacked(specs, tensors), body.result)


def _promised(spec: TensorSpec, promise: Any, what: str) -> TensorSpec:
    wanted = getattr(promise, "dtype", promise)
    if promise is not None and spec.dtype != wanted:
        raise invalid(f"{what}: the function gives {describe(spec)} where {wanted} was promised.")
    return spec


def fold(fn: Any, elems: Any, tensors: Sequence[Tensor], initializer: Any, what: str, every: bool) -> Any:
    """What is left after `fn(value, row)` has seen all rows; all values on the way, stacked, if `every`."""
    row = _row_specs(elems, tensors)
    if initializer is None:
        value, start = row, []
    else:
        start = [convert(v) for v in nest.flatten(initializer)]
        leaves = [TensorSpec(t.shape, t.dtype) for t in start]
        value = nest.pack_sequence_as(initializer, leaves) if nest.is_nested(initializer) else leaves[0]
    body = _Body(fn, [value, row], what)
    specs = [_common(a, b, what) for a, b in zip(nest.flatten(value), body.specs, strict=True)]
    return outputs(
        _MAP, [*tensors, *start, *body.captured], _stacked(specs, tensors) if every else specs, body.result
    )


def _row_specs(elems: Any, tensors: Sequence[Tensor]) -> Any:
    specs = [TensorSpec(t.shape[1:], t.dtype) for t in tensors]
    return nest.pack_sequence_as(elems, specs) if nest.is_nested(elems) else specs[0]


def _stacked(specs: Sequence[TensorSpec | None], tensors: Sequence[Tensor]) -> list[TensorSpec | None]:
    counts = [t.shape[0] if t.shape.rank is not None else None for t in tensors]
    count = next((c for c in counts if c is not None), None)
    return [
        None if s is None else TensorSpec(TensorShape([count]).concatenate(s.shape), s.dtype) for s in specs
    ]

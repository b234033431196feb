"""Control flow as functions: conditionals, loops, maps and folds.

Eagerly they run Python, so a tape sees every operation inside. While a graph is built, branches and bodies become graphs in
the attributes of one node (see branches, loops and maps).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.batching as batching
import headwater._src.ops.branches as branches
import headwater._src.ops.host as host
import headwater._src.ops.jacobian_loops  # noqa: F401 - tapes find it there
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.loops as loops
import headwater._src.ops.maps as maps
from headwater._src.base import nest
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert, host_int
from headwater._src.core.graph import FuncGraph
from headwater._src.core.ragged import RaggedTensor
from headwater._src.core.samples import bad, sampled
from headwater._src.core.samples import case as example
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, of_array

# -- conditionals -----------------------------------------------------------------------------------------------------


def truth(pred: Any, what: str) -> bool:
    """An eager predicate as a bool; ValueError where it has no single truth value."""
    if pred.__class__ is bool:
        return pred
    if isinstance(pred, SymbolicTensor):
        raise TypeError(
            f"{what}: the predicate {pred.name} is symbolic and has no value while the graph {pred.graph.name!r} is built, where a "
            "Python value is needed."
        )
    if pred is None:
        raise ValueError(f"{what}: the predicate must be a boolean scalar; got None.")
    if isinstance(pred, (TensorLike, nest.Composite)) and not isinstance(pred, EagerTensor):
        pred = convert(pred)
    return bool(pred)


@export("cond")
def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """The result of `true_fn()` if `pred` is true, else that of `false_fn()`.

    Only one of the two is called, unless `pred` is a tensor of a graph being built: then both become graphs, of which one runs.

    Args:
      pred: a boolean scalar.
      true_fn, false_fn: functions without arguments.

    Raises:
      TypeError: one of the functions is missing or can't be called; in a graph, their results differ in structure or dtype.
      ValueError: `pred` has no single truth value.

    >>> tf.cond(tf.constant(2) < 3, lambda: tf.constant(1.0), lambda: tf.constant(0.0)).numpy()
    np.float32(1.0)
    """
    for which, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(
                f"tf.cond: {which} must be a function without arguments; got {describe(function)}."
            )
    if ctx.graph is not None and isinstance(pred, TensorLike) and not isinstance(pred, Tensor):
        pred = convert(pred)
    if pred.__class__ is SymbolicTensor:
        return branches.conditional(pred, [true_fn, false_fn])
    return true_fn() if truth(pred, "tf.cond") else false_fn()


@export("case")
def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The result of the first function whose predicate is true.

    Args:
      pred_fn_pairs: list of pairs (boolean scalar tensor, function without arguments). A dictionary has no order, so it
        needs `exclusive=True`.
      default: called where no predicate is true.
      exclusive: a promise that at most one predicate is true; eager execution takes the first all the same.
      strict: unpacks nothing in eager execution; accepted for compatibility.

    Raises:
      TypeError: the pairs are no pairs of a tensor and a function.
      ValueError: there are no pairs, or a dictionary without `exclusive`.
      InvalidArgumentError: no predicate is true and there is no default.
    """
    pairs = _case_pairs(pred_fn_pairs, exclusive)
    if default is not None and not callable(default):
        raise TypeError(f"tf.case: default must be a function without arguments; got {describe(default)}.")
    for i, (pred, function) in enumerate(pairs):
        if pred.__class__ is SymbolicTensor:
            return _symbolic_case(pairs[i:], default)
        if truth(pred, "tf.case"):
            return function()
    if default is None:
        raise invalid(
            f"tf.case: none of the {len(pairs)} predicates is true and there is no default. Give one: default=lambda: ..."
        )
    return default()


def _symbolic_case(pairs: list[tuple[Any, Any]], default: Any) -> Any:
    """A conditional for each pair, in the other branch of the one before."""
    (pred, function), rest = pairs[0], pairs[1:]
    if rest:
        return cond(pred, function, lambda: _symbolic_case(rest, default))
    return cond(pred, function, default if default is not None else lambda: _no_case(function))


def _no_case(function: Any) -> Any:
    """What runs where no predicate is true: an error, in a graph that has results like the others'."""
    from headwater._src.ops.host import Assert

    Assert(
        False,
        ["tf.case: none of the predicates is true and there is no default. Give one: default=lambda: ..."],
    )
    return function()


def _case_pairs(pairs: Any, exclusive: bool) -> list[tuple[Any, Any]]:
    if isinstance(pairs, Mapping):
        if not exclusive:
            raise ValueError(
                "tf.case: a dictionary has no order of its own: give a list of pairs, or exclusive=True."
            )
        pairs = [(k.deref() if hasattr(k, "deref") else k, v) for k, v in pairs.items()]
    if not isinstance(pairs, (list, tuple)):
        raise TypeError(
            f"tf.case: pred_fn_pairs must be a list, tuple or dictionary; got {type(pairs).__name__}."
        )
    if not pairs:
        raise ValueError("tf.case: pred_fn_pairs is empty; give at least one pair (predicate, function).")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(
                f"tf.case: each entry must be a pair (predicate, function); got {describe(pair)}."
            )
        if not isinstance(pair[0], Tensor) or not pair[0].dtype.is_bool:
            raise TypeError(f"tf.case: a predicate must be a boolean tensor; got {describe(pair[0])}.")
        if not callable(pair[1]):
            raise TypeError(
                f"tf.case: a function without arguments must follow each predicate; got {describe(pair[1])}."
            )
    return list(pairs)


@export("switch_case")
def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case") -> Any:
    """The result of the function with the number `branch_index`.

    Args:
      branch_index: an integer scalar tensor.
      branch_fns: list of functions without arguments, or dictionary or list of pairs from numbers 0, 1, 2, ... to functions.
      default: called for a number that is out of range; the function of the highest number if it is None.

    Raises:
      TypeError: the index is no integer tensor, or a branch can't be called.
      ValueError: there are no branches, or their numbers are not 0 to n-1.
    """
    if not isinstance(branch_index, Tensor):
        raise TypeError(f"tf.switch_case: branch_index must be a tensor; got {describe(branch_index)}.")
    if not branch_index.dtype.is_integer:
        raise TypeError(
            f"tf.switch_case: branch_index must be an integer tensor; got {describe(branch_index)}."
        )
    functions = _branches(branch_fns)
    if default is not None and not callable(default):
        raise TypeError(
            f"tf.switch_case: default must be a function without arguments; got {describe(default)}."
        )
    if isinstance(branch_index, SymbolicTensor):
        return branches.switch(branch_index, functions if default is None else [*functions, default])
    if branch_index.shape.rank != 0:
        raise invalid(f"tf.switch_case: branch_index must be a scalar; got {describe(branch_index)}.")
    index = int(branch_index)  # type: ignore[call-overload]
    if 0 <= index < len(functions):
        return functions[index]()
    return (default or functions[-1])()


def _branches(branch_fns: Any) -> list[Any]:
    if isinstance(branch_fns, Mapping):
        pairs: list[Any] = list(branch_fns.items())
    elif isinstance(branch_fns, (list, tuple)):
        pairs = [f if isinstance(f, tuple) else (i, f) for i, f in enumerate(branch_fns)]
    else:
        raise TypeError(
            f"tf.switch_case: branch_fns must be a list, tuple or dictionary; got {type(branch_fns).__name__}."
        )
    if not pairs:
        raise ValueError("tf.switch_case: branch_fns is empty; give at least one function.")
    for number, function in pairs:
        if not isinstance(number, int):
            raise TypeError(f"tf.switch_case: the number of a branch must be an int; got {describe(number)}.")
        if not callable(function):
            raise TypeError(
                f"tf.switch_case: a branch must be a function without arguments; got {describe(function)}."
            )
    numbers = sorted(n for n, _ in pairs)
    if numbers != list(range(len(pairs))):
        raise ValueError(
            f"tf.switch_case: the branches must be numbered 0 to {len(pairs) - 1}; got {numbers}."
        )
    return [function for _, function in sorted(pairs, key=lambda pair: pair[0])]


# -- loops ------------------------------------------------------------------------------------------------------------


@export("while_loop")
def while_loop(
    cond: Any, body: Any, loop_vars: Any, shape_invariants: Any = None, parallel_iterations: Any = 10,
    back_prop: bool = True, swap_memory: bool = False, maximum_iterations: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Calls `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` is true.

    Args:
      cond: gives a boolean scalar.
      body: gives a list or tuple of the structure of `loop_vars`.
      loop_vars: list or tuple of tensors and nested structures of them.
      shape_invariants: in a graph the shape of each variable in all rounds, where a round changes it; eager loops may change
        shapes freely.
      maximum_iterations: stop after so many rounds.
      parallel_iterations, back_prop, swap_memory: accepted for compatibility.

    Returns:
      The last loop variables as tensors.

    Raises:
      TypeError: `cond` or `body` can't be called, or `body` gives no sequence.
      ValueError: there are no loop variables, or `body` changes their structure.
    """
    for which, function in (("cond", cond), ("body", body)):
        if not callable(function):
            raise TypeError(f"tf.while_loop: {which} must be a function; got {describe(function)}.")
    if not isinstance(parallel_iterations, SymbolicTensor) and parallel_iterations < 1:
        raise TypeError(
            f"tf.while_loop: parallel_iterations must be a positive int; got {describe(parallel_iterations)}."
        )
    if isinstance(loop_vars, TensorLike) or not loop_vars:
        raise ValueError(
            f"tf.while_loop: loop_vars must be a list or tuple of at least one value; got {loop_vars!r}."
        )
    if ctx.graph is not None:
        return loops.while_loop(cond, body, loop_vars, shape_invariants, maximum_iterations)
    limit = _iteration_limit(maximum_iterations)
    values = loop_vars
    rounds = 0
    while limit is None or rounds < limit:
        if not truth(cond(*values), "tf.while_loop"):
            break
        result = body(*values)
        if not isinstance(result, (list, tuple)):
            error = ValueError if isinstance(result, (TensorLike, Mapping)) else TypeError
            raise error(
                f"tf.while_loop: body must give a list or tuple of {len(loop_vars)} values, as loop_vars has; "
                f"got {describe(result)}."
            )
        nest.assert_same_structure(list(loop_vars), list(result))
        values = result
        rounds += 1
    return nest.map_structure(_loop_value, values)


def _iteration_limit(maximum: Any) -> int | None:
    if maximum is None:
        return None
    shape = getattr(maximum, "shape", ())
    if len(shape):
        raise ValueError(f"tf.while_loop: maximum_iterations must be a scalar; got {describe(maximum)}.")
    return host_int(maximum, "maximum_iterations")


def _loop_value(value: Any) -> Any:
    """Numbers and arrays become tensors; objects that keep tensors (arrays of them, optionals) stay what they are."""
    if value is None or isinstance(value, Tensor):
        return value
    if isinstance(value, nest.Composite) or hasattr(value, "_type_spec"):
        return value
    return convert(value)


# -- maps and folds over the first dimension --------------------------------------------------------------------------


def stack(values: Sequence[Any]) -> Tensor:
    """Equal tensors as the rows of one; at least one is needed."""
    return convert(list(values))


SYMBOLIC = -1
"""In place of the number of rows: a graph is being built."""


def _elements(elems: Any, what: str) -> tuple[list[Tensor], int]:
    """The leaves of `elems` as tensors, and their common first dimension, or SYMBOLIC."""
    flat = nest.flatten(elems)
    if not flat:
        raise ValueError(
            f"{what}: elems must be a tensor or a nested structure of tensors; got {elems!r}, which has none."
        )
    tensors: list[Any] = [convert(x) for x in flat]
    for tensor in tensors:
        if tensor.shape.rank == 0:
            raise ValueError(
                f"{what}: elems must have rank 1 or more, to be taken apart into rows; got {describe(tensor)}."
            )
    if ctx.graph is not None:
        return tensors, SYMBOLIC
    return tensors, int(tensors[0].shape[0])


def _same_length(tensors: Sequence[Tensor], what: str) -> None:
    if len({t.shape[0] for t in tensors if t.shape.rank} - {None}) > 1:
        raise ValueError(
            f"{what}: the first dimensions of elems differ: {', '.join(describe(t) for t in tensors)}."
        )


def _row(elems: Any, tensors: Sequence[Tensor], i: int) -> Any:
    rows = [t[i] for t in tensors]
    return nest.pack_sequence_as(elems, rows) if nest.is_nested(elems) else rows[0]


class _Stacker:
    """Collects the results of the rounds and makes one tensor of each component, of the dtypes that were promised."""

    def __init__(self, signature: Any, what: str) -> None:
        self.what = what
        self.signature = signature
        self.specs = [_as_spec(s) for s in nest.flatten(signature)]
        self.columns: list[list[Tensor]] = [[] for _ in self.specs]

    def add(self, result: Any) -> None:
        nest.assert_same_structure(self.signature, result)
        for spec, column, value in zip(self.specs, self.columns, nest.flatten(result), strict=True):
            tensor = convert(value, None, spec.dtype)
            if tensor.dtype != spec.dtype:
                raise invalid(
                    f"{self.what}: the function gave {describe(tensor)} where {spec.dtype.name} was promised; "
                    "give fn_output_signature (tf.map_fn), or convert with tf.cast."
                )
            shape = column[0].shape if column else spec.shape
            if not shape.is_compatible_with(tensor.shape):
                raise ValueError(
                    f"{self.what}: the function gave {describe(tensor)} after results of shape {shape}; all must be alike."
                )
            column.append(tensor)

    def result(self, reverse: bool = False) -> Any:
        out = [
            stack(column[::-1] if reverse else column) if column else _no_rows(spec)
            for spec, column in zip(self.specs, self.columns, strict=True)
        ]
        return nest.pack_sequence_as(self.signature, out) if nest.is_nested(self.signature) else out[0]


def _as_spec(value: Any) -> TensorSpec:
    if isinstance(value, TensorSpec):
        return value
    if isinstance(value, Tensor):
        return TensorSpec(None, value.dtype)
    return TensorSpec(None, as_dtype(value))


def _no_rows(spec: TensorSpec) -> Tensor:
    shape = spec.shape if spec.shape.is_fully_defined() else TensorShape([])
    return of_array(np.zeros((0, *shape.as_list()), spec.dtype.np))


@export("map_fn")
def map_fn(
    fn: Any, elems: Any, dtype: Any = None, parallel_iterations: Any = None, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None, fn_output_signature: Any = None,
) -> Any:  # fmt: skip
    """Applies `fn` to each row of `elems` and stacks the results.

    Args:
      fn: takes one row, in the structure of `elems`.
      elems: tensor, ragged or sparse tensor, or nested structure of them, with the same first dimension.
      fn_output_signature: dtype or specification of each part of the result, in its structure; as `elems` if it is None.
        With a RaggedTensorSpec the results may differ in their lengths and become a ragged tensor.
      dtype: the old name of `fn_output_signature`.
      parallel_iterations, back_prop, swap_memory, infer_shape: accepted for compatibility.

    Raises:
      TypeError: `fn` can't be called.
      ValueError: `elems` has a scalar or its first dimensions differ; the results differ in structure or shape.
      InvalidArgumentError: a result has another dtype than was promised, or a sparse tensor is not in order.

    >>> tf.map_fn(lambda row: tf.reduce_sum(row), tf.constant([[1, 2], [3, 4]])).numpy()
    array([3, 7], dtype=int32)
    >>> tf.map_fn(tf.range, tf.constant([2, 3]), fn_output_signature=tf.RaggedTensorSpec([None], tf.int32))
    <tf.RaggedTensor [[0, 1], [0, 1, 2]]>
    """
    _check_function(fn, "tf.map_fn")
    given = fn_output_signature if fn_output_signature is not None else dtype
    if batching.is_needed(elems, given):
        return batching.map_fn(map_fn, fn, elems, given)
    if any(map(_is_composite, (*nest.flatten(elems), *nest.flatten(given)))):
        from headwater._src.ops import composite_map  # the ragged operations load when first needed

        return composite_map.map_fn(fn, elems, given)
    tensors, count = _elements(elems, "tf.map_fn")
    _same_length(tensors, "tf.map_fn")
    signature = given
    if signature is None:
        dtypes = [t.dtype for t in tensors]
        signature = nest.pack_sequence_as(elems, dtypes) if nest.is_nested(elems) else dtypes[0]
    if count == SYMBOLIC:
        return maps.rows(fn, elems, tensors, "tf.map_fn", signature)
    out = _Stacker(signature, "tf.map_fn")
    for i in range(count):
        out.add(fn(_row(elems, tensors, i)))
    return out.result()


def _is_composite(leaf: Any) -> bool:
    """Whether it is a ragged or sparse tensor, or a specification of something that is no dense tensor."""
    if isinstance(leaf, TypeSpec):
        return not isinstance(leaf, TensorSpec)
    return isinstance(leaf, (RaggedTensor, SparseTensor))


def _check_function(fn: Any, what: str) -> None:
    if not callable(fn):
        raise TypeError(f"{what}: fn must be a function; got {describe(fn)}.")


@export("vectorized_map")
def vectorized_map(fn: Any, elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Applies `fn` to each row of `elems` and stacks the results, whatever their dtypes are.

    Args:
      fn: takes one row, in the structure of `elems`, and gives tensors or sparse tensors.
      elems: tensor or nested structure of tensors whose first dimensions are equal, or 1, which is repeated.
      fallback_to_while_loop, warn: accepted for compatibility: this version always loops.

    Raises:
      TypeError: `fn` can't be called, or `elems` has sparse tensors.
      ValueError: `elems` has a scalar, or the results have ragged tensors.
      InvalidArgumentError: the first dimensions don't fit, the results differ in shape, or `elems` has ragged tensors.
    """
    _check_function(fn, "tf.vectorized_map")
    if batching.is_needed(elems):
        return batching.vectorized_map(vectorized_map, fn, elems)
    maps.check_dense(elems, "tf.vectorized_map")
    tensors, known = _elements(elems, "tf.vectorized_map")
    if known == SYMBOLIC:
        return maps.vectorized(fn, elems, tensors, "tf.vectorized_map")
    counts = {int(t.shape[0]) for t in tensors}
    count = next(iter(counts)) if len(counts) == 1 else max(counts - {1}, default=1)
    if counts - {1, count}:
        raise invalid(
            f"tf.vectorized_map: the first dimensions of elems must be equal or 1; got {', '.join(map(describe, tensors))}."
        )
    if not count:
        return _empty_results(fn, elems, tensors)
    rows = [[t[0 if t.shape[0] == 1 else i] for t in tensors] for i in range(count)]
    nested = nest.is_nested(elems)
    results = [fn(nest.pack_sequence_as(elems, row) if nested else row[0]) for row in rows]
    for result in results[1:]:
        nest.assert_same_structure(results[0], result)
    columns = [_of_all_rows(c) for c in zip(*map(nest.flatten, results), strict=True)]
    return nest.pack_sequence_as(results[0], columns) if nest.is_nested(results[0]) else columns[0]


def _of_all_rows(values: Sequence[Any]) -> Any:
    """One part of the results of `tf.vectorized_map` for all rows."""
    if values[0] is None:
        return None
    if isinstance(values[0], nest.Composite):
        from headwater._src.ops import composite_map

        return composite_map.stacked(values, "tf.vectorized_map")
    return joining.stack([convert(v) for v in values])


def _empty_results(fn: Any, elems: Any, tensors: Sequence[Tensor]) -> Any:
    specs = [TensorSpec(t.shape[1:], t.dtype) for t in tensors]
    result = output_spec(fn, [nest.pack_sequence_as(elems, specs) if nest.is_nested(elems) else specs[0]])
    return nest.map_structure(_no_rows, result)


def output_spec(function: Callable[..., Any], args: Sequence[Any], spec_of: Any = None) -> Any:
    """The specs of what `function` gives for arguments of these specs, found by running it once on symbolic tensors.

    `spec_of` turns a result that is no tensor (None, a data set) into its spec.
    """
    graph = FuncGraph("spec")

    def placeholder(spec: Any) -> Any:
        if not isinstance(spec, TensorSpec):
            raise NotImplementedError(f"A value of {spec!r} can't stand symbolically for an argument yet.")
        return graph.placeholder(spec.shape, spec.dtype)

    def described(value: Any) -> Any:
        if spec_of is not None and not isinstance(value, Tensor):
            found = spec_of(value)
            if found is not None:
                return found
        tensor = convert(value)
        return TensorSpec(tensor.shape, tensor.dtype)

    with graph.as_default():
        return nest.map_structure(described, function(*nest.map_structure(placeholder, list(args))))


@export("foldl")
def foldl(
    fn: Any, elems: Any, initializer: Any = None, parallel_iterations: Any = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """`fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1])`.

    Args:
      fn: takes the value so far and a row, gives the next value.
      elems: tensor or nested structure of tensors with the same first dimension.
      initializer: the value to begin with; the first row if it is None.
      parallel_iterations, back_prop, swap_memory: accepted for compatibility.

    Raises:
      TypeError: `fn` can't be called.
      ValueError: `elems` has a scalar or its first dimensions differ.
      OutOfRangeError: there is neither a row nor an initializer.
    """
    return _fold(fn, elems, initializer, "tf.foldl", backwards=False)


@export("foldr")
def foldr(
    fn: Any, elems: Any, initializer: Any = None, parallel_iterations: Any = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `tf.foldl`, from the last row to the first."""
    return _fold(fn, elems, initializer, "tf.foldr", backwards=True)


def _fold(fn: Any, elems: Any, initializer: Any, what: str, backwards: bool) -> Any:
    _check_function(fn, what)
    tensors, count = _elements(elems, what)
    _same_length(tensors, what)
    if count == SYMBOLIC:
        return maps.fold(fn, elems, tensors, initializer, what, every=False, backwards=backwards)
    value, order = _beginning(elems, tensors, count, initializer, what, backwards)
    for i in order:
        result = fn(value, _row(elems, tensors, i))
        nest.assert_same_structure(value, result)
        value = nest.map_structure(_loop_value, result)
    return value


def _beginning(
    elems: Any, tensors: Sequence[Tensor], count: int, initializer: Any, what: str, backwards: bool
) -> tuple[Any, range]:
    order = range(count - 1, -1, -1) if backwards else range(count)
    if initializer is not None:
        return nest.map_structure(_loop_value, initializer), order
    if not count:
        raise OutOfRangeError(
            None, None, f"{what}: elems has no rows, so an initializer is needed; it is None."
        )
    return _row(elems, tensors, order[0]), order[1:]


@export("scan")
def scan(
    fn: Any, elems: Any, initializer: Any = None, parallel_iterations: Any = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, reverse: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `tf.foldl`, but gives all values on the way, stacked.

    Args:
      fn: takes the value so far and a row, gives the next value, of the same structure and dtypes.
      elems: tensor or nested structure of tensors with the same first dimension.
      initializer: the value to begin with, which is not among the results; the first row, which is, if it is None.
      reverse: go from the last row to the first; the results stay at the places of their rows.
      parallel_iterations, back_prop, swap_memory, infer_shape: accepted for compatibility.

    Raises:
      TypeError: `fn` can't be called.
      ValueError: `elems` has a scalar, first dimensions differ, or `fn` changes structure or shape of the value.
      InvalidArgumentError: `fn` changes the dtype.
      OutOfRangeError: there is neither a row nor an initializer.

    >>> tf.scan(lambda total, x: total + x, tf.constant([1, 2, 3])).numpy()
    array([1, 3, 6], dtype=int32)
    """
    _check_function(fn, "tf.scan")
    tensors, count = _elements(elems, "tf.scan")
    _same_length(tensors, "tf.scan")
    if count == SYMBOLIC:
        return maps.fold(fn, elems, tensors, initializer, "tf.scan", every=True, backwards=reverse)
    value, order = _beginning(elems, tensors, count, initializer, "tf.scan", reverse)
    out = _Stacker(
        nest.map_structure(lambda v: TensorSpec(v.shape if not count else None, v.dtype), value), "tf.scan"
    )
    if initializer is None:
        out.add(value)
    for i in order:
        value = fn(value, _row(elems, tensors, i))
        out.add(value)
    return out.result(reverse)


# -- grouping ---------------------------------------------------------------------------------------------------------


@export("group")
def group(*inputs: Any, **kwargs: Any) -> Any:
    """An operation that is done when all of `inputs` are: in a graph a node, eagerly None, since they are done already.

    Args:
      inputs: tensors, operations, variables, or structures of them.
      name: optional.

    Raises:
      ValueError: an unknown keyword.
      TypeError: in a graph, something else is given.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"tf.group: unknown keyword arguments {sorted(kwargs)}.")
    return host.grouped(inputs, name or "group_deps")


@export("tuple")
def tuple_v2(tensors: Any, control_inputs: Any = None, name: str | None = None) -> Any:
    """A list of the tensors, each of which is there when all of them are; eagerly the tensors as they are.

    Args:
      tensors: a list of tensors; None and operations stay what they are.
      control_inputs: more tensors and operations to come first.
      name: optional.

    Raises:
      ValueError: in a graph, there is no tensor among them.
    """
    if ctx.graph is None:
        return tensors
    if not any(isinstance(t, TensorLike) for t in tensors):
        raise ValueError(f"tf.tuple: at least one tensor is needed; got {describe(tensors)}.")
    return [layout.identity(t) if isinstance(t, TensorLike) else t for t in tensors]


# -- samples ----------------------------------------------------------------------------------------------------------

_ROWS = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
_COUNTS = np.array([3, 1, 2], np.int32)

sampled("cond", lambda: [example(True, lambda: [1.0], lambda: [2.0]), example(False, lambda: [1.0], lambda: [2.0], id="other"),
                         bad(True, 1.0, 2.0, error="TypeError", id="no-functions")])  # fmt: skip
sampled("while_loop", lambda: [
    example(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (0, _ROWS[0]), id="counts"),
    example(lambda x: x < 0.0, lambda x: x + 1.0, [1.5], id="never"), example(lambda i, x: i < 9, lambda i, x: (i + 1, x + 1.0), (0, _ROWS[0]), maximum_iterations=2, id="maximum"),
])  # fmt: skip
sampled("map_fn", lambda: [
    example(lambda x: x * 2.0, _ROWS), example(lambda p: p[0] * p[1], (_ROWS[0], _ROWS[1]),
    fn_output_signature="float32", id="pairs"), bad(lambda x: x, 1.0, error="ValueError", id="scalar"),
])  # fmt: skip
sampled("vectorized_map", lambda: [example(lambda x: x * x, _ROWS)])
for _name in ("foldl", "foldr"):
    sampled(_name, lambda: [
        example(lambda a, x: a * 0.5 + x, _ROWS[0]), example(lambda a, x: a - x, _ROWS, initializer=_ROWS[0], id="start"),
        example(lambda a, x: a + x, _COUNTS, id="int32"),
    ])  # fmt: skip
sampled("scan", lambda: [
    example(lambda a, x: a * 0.5 + x, _ROWS[0]), example(lambda a, x: a - x, _ROWS, initializer=_ROWS[0], id="start"),
    example(lambda a, x: a + x, _COUNTS, reverse=True, id="reverse"),
])  # fmt: skip

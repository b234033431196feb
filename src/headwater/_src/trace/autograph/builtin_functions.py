"""Python's built-in functions on symbolic tensors, and those that call functions of the user's."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from types import CellType
from typing import Any

from headwater._src.base import dtypes
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.ops import cast, compare, create, math, reduce, shape, sort
from headwater._src.state.tensor_array import TensorArray
from headwater._src.trace.autograph.rows import EnumeratedRows, ZippedRows, rows_of
from headwater._src.trace.autograph.runtime import staged
from headwater._src.trace.autograph.staged import as_condition


def _symbolic(*values: Any) -> bool:
    return any(staged(v) for v in values)


def range_(*args: Any) -> Any:
    """`range`, or `tf.range` where an end is symbolic."""
    return create.range(*args) if _symbolic(*args) else range(*args)


def len_(value: Any) -> Any:
    """`len`; of a symbolic tensor its first dimension, an int where that is known."""
    if isinstance(value, TensorArray):
        return value.size()
    if value.__class__ is not SymbolicTensor:
        return len(value)
    if value.shape.rank == 0:
        raise TypeError(f"len() of a scalar tensor; got {value!r}.")
    known = value.shape[0] if value.shape.rank else None
    return shape.shape(value)[0] if known is None else int(known)


def int_(value: Any = 0, *base: Any, **keywords: Any) -> Any:
    """`int`; of a symbolic tensor its integer part."""
    if not staged(value):
        return int(value, *base, **keywords)
    tensor = convert(value)
    return tensor if tensor.dtype.is_integer else cast.cast(tensor, dtypes.int32)


def float_(value: Any = 0.0) -> Any:
    """`float`; of a symbolic tensor its value as a floating point number."""
    if not staged(value):
        return float(value)
    tensor = convert(value)
    return tensor if tensor.dtype.is_floating else cast.cast(tensor, dtypes.float32)


def bool_(value: Any = False) -> Any:
    """`bool`; of a symbolic scalar whether it is not zero."""
    return as_condition(value, "`bool`", "this line") if staged(value) else bool(value)


def enumerate_(iterable: Any, start: Any = 0) -> Any:
    """`enumerate`, also of what a graph goes over."""
    rows = rows_of(iterable)
    if rows is not None:
        return EnumeratedRows(rows, start)
    if _is_data_set(iterable):
        return iterable.enumerate(start)
    return enumerate(iterable, start)


def zip_(*iterables: Any, strict: bool = False) -> Any:
    """`zip`, also of what a graph goes over."""
    rows = [rows_of(x) for x in iterables]
    if rows and not strict and all(r is not None for r in rows):
        return ZippedRows([r for r in rows if r is not None])
    if iterables and not strict and all(map(_is_data_set, iterables)):
        return type(iterables[0]).zip(*iterables)
    return zip(*iterables, strict=strict)


def _is_data_set(iterable: Any) -> bool:
    return (
        ctx.graph is not None and hasattr(type(iterable), "element_spec") and hasattr(iterable, "enumerate")
    )


def max_(*values: Any, **keywords: Any) -> Any:
    """`max`; among symbolic tensors `tf.maximum` and `tf.reduce_max`."""
    return _extreme(builtins.max, math.maximum, reduce.reduce_max, values, keywords)


def min_(*values: Any, **keywords: Any) -> Any:
    """`min`; among symbolic tensors `tf.minimum` and `tf.reduce_min`."""
    return _extreme(builtins.min, math.minimum, reduce.reduce_min, values, keywords)


def _extreme(python: Any, pair: Any, whole: Any, values: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if keywords:
        return python(*values, **keywords)
    if len(values) == 1:
        if not staged(values[0]):
            values = tuple(values[0])
            if not _symbolic(*values):
                return python(values)
        elif convert(values[0]).shape.rank == 1:
            return whole(values[0], axis=0)
        else:
            return python(*values)
    if not _symbolic(*values):
        return python(*values)
    return functools.reduce(pair, values)


def sum_(iterable: Any, /, start: Any = 0) -> Any:
    """`sum`; of a symbolic tensor over its first dimension."""
    if not staged(iterable):
        return sum(iterable, start)
    total = reduce.reduce_sum(iterable, axis=0)
    return total if isinstance(start, int) and start == 0 else start + total


def any_(iterable: Any) -> Any:
    """`any`, where elements may be symbolic."""
    return _quantified(iterable, True, compare.logical_or, reduce.reduce_any)


def all_(iterable: Any) -> Any:
    """`all`, where elements may be symbolic."""
    return _quantified(iterable, False, compare.logical_and, reduce.reduce_all)


def _quantified(iterable: Any, decisive: bool, pair: Any, whole: Any) -> Any:
    if staged(iterable):
        return whole(iterable, axis=0)
    symbolic = []
    for value in iterable:
        if staged(value):
            symbolic.append(as_condition(value, "`any` or `all`", "this line"))
        elif bool(value) is decisive:
            return decisive
    return functools.reduce(pair, symbolic) if symbolic else not decisive


def sorted_(iterable: Any, /, **keywords: Any) -> Any:
    """`sorted`; of a symbolic vector `tf.sort`."""
    if staged(iterable) and set(keywords) <= {"reverse"}:
        direction = "DESCENDING" if keywords.get("reverse") else "ASCENDING"
        return sort.sort(iterable, direction=direction)
    return sorted(iterable, **_with_key(keywords))


def _with_key(keywords: dict[str, Any]) -> dict[str, Any]:
    if keywords.get("key") is None:
        return keywords
    return {**keywords, "key": _converted(keywords["key"])}


def _converted(function: Any) -> Any:
    from headwater._src.trace.autograph.conversion import callee

    return function if function is None else callee(function)


def map_(function: Any, *iterables: Any, **keywords: Any) -> Any:
    """`map` of the converted function."""
    return map(_converted(function), *iterables, **keywords)


def filter_(function: Any, iterable: Any) -> Any:
    """`filter` by the converted function."""
    return filter(_converted(function), iterable)


def reduce_(function: Any, *args: Any, **keywords: Any) -> Any:
    """`functools.reduce` with the converted function."""
    return functools.reduce(_converted(function), *args, **keywords)


OVERLOADS: dict[Any, Callable[..., Any]] = {
    range: range_, len: len_, int: int_, float: float_, bool: bool_, enumerate: enumerate_, zip: zip_, max: max_,
    min: min_, sum: sum_, any: any_, all: all_, sorted: sorted_, map: map_, filter: filter_, functools.reduce: reduce_,
}  # fmt: skip


# -- functions that look at the frame of their caller -----------------------------------------------------------------


def _locals(variables: Callable[[], Any]) -> dict[str, Any]:
    found: dict[str, CellType] = dict(
        zip(variables.__code__.co_freevars, variables.__closure__ or (), strict=True)  # type: ignore[attr-defined]
    )
    values = {}
    for name, cell in found.items():
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def locals_(function: Any, variables: Callable[[], Any]) -> Any:
    """`locals()` of the user's function."""
    return _locals(variables) if function is locals else function()


def vars_(function: Any, variables: Callable[[], Any]) -> Any:
    """`vars()` in the user's function."""
    return _locals(variables) if function is vars else function()


def dir_(function: Any, variables: Callable[[], Any]) -> Any:
    """`dir()` in the user's function."""
    return sorted(_locals(variables)) if function is dir else function()


def evaluate(function: Any, source: Any, variables: Callable[[], Any]) -> Any:
    """`eval(source)` and `exec(source)` with the names of the user's function."""
    if function is not eval and function is not exec:
        return function(source)
    return function(source, variables.__globals__, _locals(variables))  # type: ignore[attr-defined]

"""What assignments to parts of a variable compute: a new value from the old one. Eager code and graphs share these records."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.gather as gather
import headwater._src.ops.index as index
from headwater._src.base.lazy import jnp
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.rules import like_first
from headwater._src.core.samples import Arr, bad, case

# -- slices -----------------------------------------------------------------------------------------------------------


def _slice_update(value: np.ndarray, part: np.ndarray, *, key: Any, bounds: Any) -> np.ndarray:
    return index.strided_assign(value, (key, bounds), part)


def _slice_update_lowered(value: Any, part: Any, *, key: Any, bounds: Any) -> Any:
    where = index.numpy_key(key, bounds)
    return value.at[where].set(jnp.broadcast_to(part, value[where].shape))


def _slice_cases() -> list[Any]:
    whole, part = Arr((3, 4)), Arr((4,))
    row = ((1,), ())
    return [
        case(whole, part, key=row[0], bounds=row[1], id="row"),
        case(whole, Arr(()), key=((None, None, 2), (0, 2, None)), bounds=(), id="block"),
        bad(whole, Arr((3,)), key=row[0], bounds=row[1], error="InvalidArgumentError", id="misfit"),
    ]


slice_update = op(
    "ResourceStridedSliceAssign", "value: A, part: value -> ?: value",
    numpy=_slice_update, lower=_slice_update_lowered, grad=NONDIFF, shape=like_first,
    attrs={"key": (), "bounds": ()}, host=("bounds",), cases=_slice_cases,
    doc="`value` with the slice `value[key]` replaced by `part`, which is broadcast to it.",
)  # fmt: skip

# -- scattered rows ---------------------------------------------------------------------------------------------------

_METHODS = {
    "update": "set",
    "add": "add",
    "sub": "add",
    "mul": "multiply",
    "div": "divide",
    "min": "min",
    "max": "max",
}


def _scatter(
    value: np.ndarray, indices: np.ndarray, updates: np.ndarray, *, how: str, form: str, what: str
) -> np.ndarray:
    if form == "batch":
        return gather.batch_scatter_array(value, indices, updates, what)
    function = gather.scatter_rows if form == "rows" else gather.scatter_nd_array
    return function(value, indices, updates, how, what)


def _scatter_lowered(value: Any, indices: Any, updates: Any, *, how: str, form: str, what: str) -> Any:
    where: Any = indices
    if form == "nd":
        where = tuple(jnp.moveaxis(indices, -1, 0))
    elif form == "batch":
        where = (*jnp.indices(indices.shape)[:-1], indices)
    if how == "sub":
        updates = -updates
    return getattr(value.at[where], _METHODS[how])(updates)


def _scatter_cases() -> list[Any]:
    value, rows = Arr((4, 3)), np.array([2, 0], np.int32)
    good = [
        case(value, rows, Arr((2, 3)), how=how, form="rows", what="Variable.scatter", id=how)
        for how in _METHODS
        if how != "div"
    ]
    places = np.array([[0, 1], [3, 2]], np.int32)
    return [
        *good,
        case(value, places, Arr((2,)), how="add", form="nd", what="Variable.scatter_nd", id="nd"),
        bad(value, np.array([4], np.int32), Arr((1, 3)), how="add", form="rows", what="ResourceScatter",
            error="InvalidArgumentError", id="out-of-range"),
    ]  # fmt: skip


scatter = op(
    "ResourceScatter", "value: A, indices: int32|int64, updates: value -> ?: value",
    numpy=_scatter, lower=_scatter_lowered, grad=NONDIFF, shape=like_first,
    attrs={"how": "update", "form": "rows", "what": "Variable.scatter"}, cases=_scatter_cases,
    doc="`value` with `updates` put into the rows (or places, form 'nd') that `indices` name.",
)  # fmt: skip

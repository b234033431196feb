"""`t[...]` by NumPy's rules: arrays of integers and masks among the indices. Used once NumPy's behaviour is enabled."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.gather as gather
import headwater._src.ops.index as index
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
from headwater._src.base import dtypes
from headwater._src.base.text import describe
from headwater._src.core.tensor import Tensor, TensorLike
from headwater._src.ops.cast import cast
from headwater._src.ops.numpy_dtypes import known_rank, promoted, to_tensor
from headwater._src.ops.numpy_math import broadcast
from headwater._src.ops.numpy_shape import moveaxis

_ALL = slice(None)


def numpy_getitem(self: Any, key: Any) -> Tensor:
    """`t[key]` with NumPy's rules.

    A key is an integer, a slice, `...`, `tf.newaxis`, an array or list of integers, a vector of booleans, or a tuple of
    those, one for each dimension; or a mask of booleans of any rank. Arrays broadcast against each other; their dimensions
    stand where they stood if they are neighbours, first otherwise.

    Raises:
      IndexError: a part is none of these.
      InvalidArgumentError: an index is out of range, or there are too many.
    """
    parts = key if key.__class__ is tuple else (key,)
    if all(map(_is_plain, parts)):
        return index.tensor_getitem(self, key)
    if _is_mask(key):
        return gather.boolean_mask(self, key)
    return _picked(self, parts if key.__class__ is tuple else _as_parts(key))


def _is_plain(part: Any) -> bool:
    if part.__class__ is not slice:
        return part is None or part is Ellipsis or part.__class__ is int
    return all(bound is None or bound.__class__ is int for bound in (part.start, part.stop, part.step))


def _is_mask(key: Any) -> bool:
    if isinstance(key, (TensorLike, np.ndarray)):
        return bool(key.dtype == np.bool_)  # type: ignore[union-attr]
    return isinstance(key, bool)


def _as_parts(key: Any) -> tuple[Any, ...]:
    """A list with slices, lists or arrays in it is a tuple of indices, one of numbers is an array."""
    if isinstance(key, list) and any(
        part is None or part is Ellipsis or isinstance(part, (list, tuple, slice)) or getattr(part, "ndim", 0)
        for part in key
    ):
        return tuple(key)
    return (key,)


def _picked(x: Any, parts: tuple[Any, ...]) -> Tensor:
    basic: list[Any] = []
    arrays: list[tuple[bool, int, Tensor]] = []
    seen = 0  # dimensions of the sliced tensor that the parts up to here make, from the ellipsis on if there was one
    behind = False
    for part in parts:
        if part is Ellipsis:
            basic.append(part)
            seen, behind = 0, True
            continue
        if part is None or isinstance(part, slice):
            basic.append(part if part is None else _scalars(part))
        else:
            places = _places(part)
            if places.shape.rank == 0:
                basic.append(places)
                continue
            basic.append(_ALL)
            arrays.append((behind, seen, places))
        seen += 1
    sliced = index.tensor_getitem(x, tuple(basic))
    if not arrays:
        return sliced
    first_behind = known_rank(sliced, "ndarray[...]") - seen
    return _gathered(sliced, {at + first_behind if late else at: places for late, at, places in arrays})


def _scalars(part: slice) -> slice:
    """A slice whose bounds may be tensors or arrays of one integer."""
    bounds = [
        b if b is None or b.__class__ is int else _places(b) for b in (part.start, part.stop, part.step)
    ]
    for bound in bounds:
        if isinstance(bound, Tensor) and bound.shape.rank:
            raise IndexError(f"The bounds of a slice must be single integers; got {describe(bound)}.")
    return slice(*bounds)


def _places(part: Any) -> Tensor:
    """An index as int32 or int64; a vector of booleans as the places where they hold."""
    tensor = to_tensor(part)
    if tensor.dtype.is_bool:
        if tensor.shape.rank != 1:
            raise NotImplementedError(
                f"A mask among other indices must be a vector; got {describe(tensor)}. A mask of higher rank must be the only index."
            )
        return layout.reshape(compare.where(tensor), [-1])
    if not tensor.dtype.is_integer or tensor.dtype is dtypes.uint64:
        raise IndexError(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and arrays of integers or booleans are "
            f"indices; got {describe(part)}."
        )
    if tensor.dtype in (dtypes.int32, dtypes.int64):
        return tensor
    return cast(tensor, dtypes.int64 if tensor.dtype is dtypes.uint32 else dtypes.int32)


def _gathered(x: Tensor, arrays: dict[int, Tensor]) -> Tensor:
    """The values of `x` at arrays of indices for some of its dimensions."""
    axes = sorted(arrays)
    sizes = layout.shape(x)
    indices = broadcast(promoted(*[arrays[axis] for axis in axes]))
    positive = [
        compare.where(compare.less(i, 0), math.add(i, cast(sizes[axis], i.dtype)), i)
        for axis, i in zip(axes, indices, strict=True)
    ]
    if len(axes) == 1:
        return gather.gather(x, positive[0], axis=axes[0])
    found = gather.gather_nd(moveaxis(x, axes, range(len(axes))), joining.stack(positive, axis=-1))
    if axes[-1] - axes[0] >= len(axes):
        return found
    rank = known_rank(positive[0], "ndarray[...]")
    return moveaxis(found, range(rank), range(axes[0], axes[0] + rank))

"""Shapes, joining, splitting, taking and arranging as `tf.experimental.numpy` does them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import headwater._src.ops.clip as clip_ops
import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather_ops
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.numpy_math as numpy_math
import headwater._src.ops.shape as shape_ops
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.context import refused
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.numpy_dtypes import (
    PREFIX,
    known_rank,
    lead_with_ones,
    promoted,
    public,
    to_tensor,
)

# -- shapes -----------------------------------------------------------------------------------------------------------


@export(PREFIX + "shape")
def shape(a: Any) -> TensorShape:
    """The shape; in a graph perhaps known in part only."""
    return to_tensor(a).shape


@export(PREFIX + "ndim")
def ndim(a: Any) -> Any:
    """The number of dimensions."""
    return to_tensor(a).ndim


@export(PREFIX + "isscalar")
def isscalar(num: Any) -> bool:
    """Whether it has no dimensions."""
    return ndim(num) == 0


@export(PREFIX + "reshape")
def reshape(a: Any, newshape: Any, order: str = "C") -> Tensor:
    """The values in another shape.

    Args:
      a: a tensor, array, number or nested lists.
      newshape: an integer or several, one of which may be -1 for what is left.
      order: "C", the last index runs fastest, or "F", the first one.

    Raises:
      ValueError: another order.
      InvalidArgumentError: the number of values doesn't fit.
    """
    if order not in ("C", "F"):
        raise ValueError(f"tf.experimental.numpy.reshape: order must be 'C' or 'F'; got {order!r}.")
    tensor, dims = to_tensor(a), [newshape] if isinstance(newshape, int) else newshape
    if order == "C":
        return layout.reshape(tensor, dims)
    return layout.transpose(layout.reshape(layout.transpose(tensor), dims[::-1]))


@export(PREFIX + "ravel")
def ravel(a: Any) -> Tensor:
    """The values as a vector."""
    return layout.reshape(to_tensor(a), [-1])


@export(PREFIX + "flatten")
def flatten(a: Any, order: str = "C") -> Tensor:
    """The values as a vector, row by row (order "C", "A" or "K") or column by column ("F"); ValueError for other orders."""
    if order not in ("C", "A", "K", "F"):
        raise ValueError(f"tf.experimental.numpy.flatten: order must be 'C', 'A', 'K' or 'F'; got {order!r}.")
    return ravel(transpose(a) if order == "F" else a)


@export(PREFIX + "expand_dims")
def expand_dims(a: Any, axis: Any) -> Tensor:
    """With a dimension of size 1 put in at `axis`."""
    return layout.expand_dims(to_tensor(a), axis)


@export(PREFIX + "squeeze")
def squeeze(a: Any, axis: Any = None) -> Tensor:
    """Without the dimensions of size 1, or without those of them that `axis` names."""
    return layout.squeeze(to_tensor(a), axis)


@export(PREFIX + "transpose")
def transpose(a: Any, axes: Any = None) -> Tensor:
    """With the dimensions in the order of `axes`, or reversed if that is None."""
    return layout.transpose(to_tensor(a), None if axes is None else to_tensor(axes))


def _place(axis: int, rank: int, name: str) -> int:
    if not -rank <= axis < rank:
        raise refused(f"tf.experimental.numpy.{name}: the axis must be one of {rank} dimensions; got {axis}.")
    return axis % rank


@export(PREFIX + "swapaxes")
def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    """With two dimensions in each other's place."""
    tensor = to_tensor(a)
    rank = known_rank(tensor, "swapaxes")
    order = list(range(rank))
    if not (-rank <= axis1 < rank and -rank <= axis2 < rank):
        raise IndexError(
            f"tf.experimental.numpy.swapaxes: the axes must be among {rank} dimensions; got {axis1} and {axis2}."
        )
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return layout.transpose(tensor, order)


@export(PREFIX + "moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """With dimensions moved to other places, the others staying in order.

    Args:
      a: a tensor, array or nested lists.
      source: where they are, an integer or several.
      destination: where they go, as many.

    Raises:
      ValueError: there are not as many places as dimensions to move.
    """
    if not source and not destination:
        return a
    tensor = to_tensor(a)
    rank = known_rank(tensor, "moveaxis")
    before = [_place(i, rank, "moveaxis") for i in ([source] if isinstance(source, int) else source)]
    after = [
        _place(i, rank, "moveaxis") for i in ([destination] if isinstance(destination, int) else destination)
    ]
    if len(before) != len(after):
        raise ValueError(
            f"tf.experimental.numpy.moveaxis: as many places as dimensions are needed; got {source} and {destination}."
        )
    order = [i for i in range(rank) if i not in before]
    for place, axis in sorted(zip(after, before, strict=True)):
        order.insert(place, axis)
    return layout.transpose(tensor, order)


@export(PREFIX + "broadcast_arrays")
def broadcast_arrays(*args: Any, **kwargs: Any) -> Any:
    """The tensors broadcast to the shape of all of them; ValueError for keyword arguments but `subok=False`."""
    if kwargs.pop("subok", False) or kwargs:
        raise ValueError(
            "tf.experimental.numpy.broadcast_arrays takes arrays only; subok and others are not supported."
        )
    found = numpy_math.broadcast([to_tensor(a) for a in args])
    return found if len(found) > 1 else tuple(found)


def _at_least(count: int, what: str, add_dims: Callable[[Tensor, int], Tensor]) -> Any:
    name = f"atleast_{count}d"

    def one(a: Any) -> Tensor:
        tensor = to_tensor(a)
        rank = known_rank(tensor, name)
        return tensor if rank >= count else add_dims(tensor, count - rank)

    def function(*arys: Any) -> Any:
        found = [one(a) for a in arys]
        return found[0] if len(found) == 1 else found

    doc = f"Each as a tensor of {count} dimensions at least, {what}; several give a list."
    return public(function, __name__, name, name, doc)


def _around(tensor: Tensor, missing: int) -> Tensor:
    return layout.expand_dims(lead_with_ones(tensor, missing - 1), -1)


atleast_1d = _at_least(1, "a number as a vector", lead_with_ones)
atleast_2d = _at_least(2, "a vector as one row", lead_with_ones)
atleast_3d = _at_least(3, "a vector of N as (1, N, 1) and a matrix with a last dimension of 1", _around)

# -- joining and splitting --------------------------------------------------------------------------------------------


@export(PREFIX + "concatenate")
def concatenate(arys: Any, axis: Any = 0) -> Tensor:
    """Tensors one after the other along an axis, promoted to one dtype; ValueError if there are none."""
    parts = arys if isinstance(arys, (list, tuple)) else [arys]
    if not parts:
        raise ValueError(
            "tf.experimental.numpy.concatenate: at least one array is needed; got an empty list."
        )
    return joining.concat(promoted(*parts), axis)


@export(PREFIX + "append")
def append(arr: Any, values: Any, axis: Any = None) -> Tensor:
    """`values` after `arr` along an axis, both flattened if it is None."""
    parts = [ravel(arr), ravel(values)] if axis is None else [arr, values]
    return concatenate(parts, 0 if axis is None else axis)


@export(PREFIX + "stack")
def stack(arrays: Any, axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis, promoted to one dtype; a tensor counts as the list of its rows."""
    if isinstance(arrays, Tensor):
        return arrays if axis == 0 else swapaxes(arrays, 0, axis)
    return joining.stack(promoted(*arrays), axis)


@export(PREFIX + "hstack")
def hstack(tup: Any) -> Tensor:
    """Tensors one after the other along their second axis, vectors along their only one."""
    parts = promoted(*[atleast_1d(a) for a in tup])
    return joining.concat(parts, 0 if parts[0].shape.rank == 1 else 1)


@export(PREFIX + "vstack")
def vstack(tup: Any) -> Tensor:
    """Tensors one after the other along their first axis, vectors as rows."""
    return joining.concat(promoted(*[atleast_2d(a) for a in tup]), 0)


@export(PREFIX + "dstack")
def dstack(tup: Any) -> Tensor:
    """Tensors one after the other along their third axis, which vectors and matrices get."""
    return joining.concat(promoted(*[atleast_3d(a) for a in tup]), 2)


def _sizes(tensor: Tensor, boundaries: Any, axis: int) -> list[int]:
    """The lengths of the parts between boundaries; those behind the end are empty."""
    if axis >= len(tensor.shape):
        raise ValueError(f"tf.experimental.numpy.split: axis {axis} is out of range for {describe(tensor)}.")
    total = tensor.shape[axis]
    if total is None:
        raise ValueError(
            f"tf.experimental.numpy.split must know the size of axis {axis}; got {describe(tensor)}."
        )
    given = [int(b) for b in boundaries]
    if [0, *given] != sorted([0, *given]):
        raise ValueError(f"tf.experimental.numpy.split: the boundaries must go up from 0; got {given}.")
    places = [0, *[min(b, total) for b in given], total]
    return [after - before for before, after in pairwise(places)]


@export(PREFIX + "split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """The tensor cut along an axis.

    Args:
      ary: a tensor, array or nested lists.
      indices_or_sections: how many equal parts, or the indices where the second part and the others begin.
      axis: along which dimension.

    Raises:
      ValueError: the parts would not be equal, or the indices go down.
    """
    tensor = to_tensor(ary)
    if not isinstance(indices_or_sections, int):
        indices_or_sections = _sizes(tensor, indices_or_sections, axis)
    return joining.split(tensor, indices_or_sections, axis)


def _split_along(name: str, axis: int, what: str) -> Any:
    def function(ary: Any, indices_or_sections: Any) -> list[Tensor]:
        tensor = to_tensor(ary)
        along = 0 if axis == 1 and tensor.shape.rank == 1 else axis
        if isinstance(indices_or_sections, int):
            length = tensor.shape[along]
            if length is not None and length % indices_or_sections:
                raise ValueError(
                    f"tf.experimental.numpy.{name}: axis {along} of {describe(tensor)} has no {indices_or_sections} equal parts."
                )
        return split(tensor, indices_or_sections, along)

    return public(function, __name__, name, name, f"The tensor cut {what}, as by `split`.")


vsplit = _split_along("vsplit", 0, "along its first axis")
hsplit = _split_along("hsplit", 1, "along its second axis, a vector along its only one")
dsplit = _split_along("dsplit", 2, "along its third axis")

# -- repeating, turning, padding --------------------------------------------------------------------------------------


@export(PREFIX + "repeat")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Tensor:
    """Each value, or slice along an axis, several times in a row.

    Args:
      a: a tensor, array, number or nested lists.
      repeats: how often: an integer, or one for each slice.
      axis: along which dimension; None takes the flattened tensor.
    """
    return shape_ops.repeat(to_tensor(a), to_tensor(repeats), axis)


@export(PREFIX + "tile")
def tile(a: Any, reps: Any) -> Tensor:
    """The tensor repeated as a whole, so many times along each of its last dimensions; missing ones are put in front."""
    tensor, times = to_tensor(a), layout.reshape(to_tensor(reps, dtypes.int32), [-1])
    rank, count = known_rank(tensor, "tile"), times.shape[0]
    if count is None:
        raise ValueError(
            f"tf.experimental.numpy.tile must know how many numbers reps has; got {describe(times)}."
        )
    ones_before = create.ones([max(rank - count, 0)], dtypes.int32)
    return shape_ops.tile(lead_with_ones(tensor, count - rank), joining.concat([ones_before, times], 0))


@export(PREFIX + "flip")
def flip(m: Any, axis: Any = None) -> Tensor:
    """The values in reverse order along an axis, or along all if it is None."""
    tensor = to_tensor(m)
    rank = known_rank(tensor, "flip")
    return shape_ops.reverse(tensor, list(range(rank)) if axis is None else [_place(axis, rank, "flip")])


@export(PREFIX + "flipud")
def flipud(m: Any) -> Tensor:
    """The rows in reverse order."""
    return flip(m, 0)


@export(PREFIX + "fliplr")
def fliplr(m: Any) -> Tensor:
    """The columns in reverse order."""
    return flip(m, 1)


@export(PREFIX + "roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """The values moved on along an axis, those beyond the end to the beginning; None moves them in the flattened tensor."""
    tensor = to_tensor(a)
    if axis is not None:
        return shape_ops.roll(tensor, shift, axis)
    return layout.reshape(shape_ops.roll(ravel(tensor), shift, 0), layout.shape(tensor))


@export(PREFIX + "rot90")
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """The tensor turned by `k` right angles in the plane of two axes, from the first towards the second."""
    tensor = to_tensor(m)
    rank = known_rank(tensor, "rot90")
    first, second = (_place(axis, rank, "rot90") for axis in axes)
    if k % 4 == 2:
        return shape_ops.reverse(tensor, [first, second])
    if k % 4 == 1:
        return swapaxes(flip(tensor, second), first, second)
    return flip(swapaxes(tensor, first, second), second) if k % 4 else tensor


@export(PREFIX + "pad")
def pad(array: Any, pad_width: Any, mode: str, **kwargs: Any) -> Tensor:
    """The tensor with margins.

    Args:
      array: a tensor, array or nested lists.
      pad_width: for each dimension how many values go before and after it.
      mode: "constant", "reflect" or "symmetric".
      **kwargs: `constant_values`, what is put there in the constant mode, 0 by default.

    Raises:
      ValueError: another mode.
    """
    if mode not in ("constant", "reflect", "symmetric"):
        raise ValueError(
            f"tf.experimental.numpy.pad: mode must be 'constant', 'reflect' or 'symmetric'; got {mode!r}."
        )
    widths, filling = to_tensor(pad_width, dtypes.int32), kwargs.get("constant_values", 0)
    return shape_ops.pad(to_tensor(array), widths, mode.upper(), filling)


@export(PREFIX + "meshgrid")
def meshgrid(*xi: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid whose axes are the vectors.

    Args:
      *xi: vectors.
      **kwargs: `indexing`, "xy" (the default) or "ij"; `sparse` and `copy` must be False and True.

    Raises:
      ValueError: a sparse grid or views were asked for.
    """
    if kwargs.get("sparse", False) or not kwargs.get("copy", True):
        raise ValueError("tf.experimental.numpy.meshgrid supports sparse=False and copy=True only.")
    return shape_ops.meshgrid(*map(to_tensor, xi), indexing=kwargs.get("indexing", "xy"))


# -- diagonals --------------------------------------------------------------------------------------------------------


@export(PREFIX + "diag")
def diag(v: Any, k: int = 0) -> Tensor:
    """The matrix with a vector on its diagonal `k`, or the diagonal `k` of a matrix.

    Raises:
      ValueError: `v` has more than two dimensions.
      InvalidArgumentError: it is a single number.
    """
    tensor = to_tensor(v)
    rank = known_rank(tensor, "diag")
    if rank not in (1, 2):
        raise (ValueError if rank else refused)(
            f"tf.experimental.numpy.diag takes a vector or a matrix; got {describe(tensor)}."
        )
    if rank == 1:
        return (
            create.zeros([abs(k), abs(k)], tensor.dtype) if tensor.shape[0] == 0 else linalg.diag(tensor, k=k)
        )
    return diagonal(tensor, k)


@export(PREFIX + "diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """A diagonal of matrices.

    Args:
      a: a tensor, array or nested lists of two dimensions at least.
      offset: which one: 0 is the main one, a positive number one above it; it may be empty.
      axis1, axis2: the dimensions of the matrices; the diagonal is the last dimension of the result.
    """
    tensor = moveaxis(to_tensor(a), (axis1, axis2), (-2, -1))
    rows, columns = tensor.shape[-2:]
    if (rows is not None and offset <= -rows) or (columns is not None and offset >= columns):
        return tensor[..., 0, :0]
    return linalg.diag_part(tensor, k=offset)


@export(PREFIX + "diagflat")
def diagflat(v: Any, k: int = 0) -> Tensor:
    """The matrix with the flattened values on its diagonal `k`."""
    return diag(ravel(v), k)


# -- taking -----------------------------------------------------------------------------------------------------------


@export(PREFIX + "take")
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "clip") -> Tensor:
    """The slices at the indices along an axis.

    Args:
      a: a tensor, array, number or nested lists.
      indices: integers.
      axis: along which dimension; None takes the flattened tensor.
      out: not supported.
      mode: what happens to indices out of range: "clip", the nearest one is taken, or "wrap", they are counted round.

    Raises:
      ValueError: another mode, or `out` is given.
    """
    if out is not None or mode not in ("clip", "wrap"):
        raise ValueError(
            f"tf.experimental.numpy.take: mode must be 'clip' or 'wrap' and out None; got {mode!r} and {describe(out)}."
        )
    tensor, places = to_tensor(a), to_tensor(indices)
    if axis is None:
        tensor, axis = ravel(tensor), 0
    length = layout.shape(tensor, out_type=places.dtype)[axis]
    if mode == "wrap":
        places = math.floormod(places, length)
    else:
        places = clip_ops.clip_by_value(places, cast(0, places.dtype), math.subtract(length, 1))
    return gather_ops.gather(tensor, places, axis=axis)


@export(PREFIX + "take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: Any) -> Tensor:
    """For each line along an axis the values at its own indices.

    Args:
      arr: a tensor, array or nested lists.
      indices: integers in the same number of dimensions; negative ones count from the end. Except along the axis both
        shapes broadcast.
      axis: along which dimension; None takes the flattened tensor.
    """
    tensor, places = to_tensor(arr), to_tensor(indices)
    if axis is None:
        return take_along_axis(ravel(tensor), places, 0)
    rank = known_rank(tensor, "take_along_axis")
    along = _place(axis, rank, "take_along_axis")
    tensor, places = (swapaxes(t, along, -1) for t in (tensor, places))
    length, count = layout.shape(tensor)[-1:], layout.shape(places)[-1:]
    lead = layout.broadcast_dynamic_shape(layout.shape(tensor)[:-1], layout.shape(places)[:-1])
    tensor = layout.broadcast_to(tensor, joining.concat([lead, length], 0))
    places = layout.broadcast_to(places, joining.concat([lead, count], 0))
    places = compare.where(compare.less(places, 0), math.add(places, cast(length, places.dtype)), places)
    return swapaxes(gather_ops.gather(tensor, places, batch_dims=rank - 1), along, -1)


@export(PREFIX + "where")
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`x` where the condition holds and `y` elsewhere; without them the places where it holds, as by `nonzero`.

    Args:
      condition: booleans, or numbers, which hold where they are not zero.
      x, y: tensors, arrays, numbers or nested lists, promoted to one dtype; all three shapes broadcast.

    Raises:
      ValueError: only one of `x` and `y` is given.
    """
    holds = to_tensor(condition, dtypes.bool_)
    if (x is None) != (y is None):
        raise ValueError("tf.experimental.numpy.where: give both x and y, or neither.")
    return nonzero(holds) if x is None else compare.where(holds, *promoted(x, y))


@export(PREFIX + "nonzero")
def nonzero(a: Any) -> list[Tensor]:
    """The places of the values that are not zero: for each dimension a vector of indices, int64."""
    tensor = atleast_1d(a)
    return joining.unstack(compare.where(cast(tensor, dtypes.bool_)), tensor.shape.rank, axis=1)


@export(PREFIX + "ix_")
def ix_(*args: Any) -> list[Tensor]:
    """Indices of a grid: each vector along a dimension of its own; of booleans the places where they hold.

    Raises:
      ValueError: one is no vector of integers or booleans.
    """
    found = []
    for number, a in enumerate(args):
        tensor = to_tensor(a)
        if known_rank(tensor, "ix_") != 1 or not (tensor.dtype.is_integer or tensor.dtype.is_bool):
            raise ValueError(
                f"tf.experimental.numpy.ix_: argument {number} must be a vector of integers or booleans; got {describe(tensor)}."
            )
        places = nonzero(tensor)[0] if tensor.dtype.is_bool else tensor
        found.append(layout.reshape(places, [-1 if i == number else 1 for i in range(len(args))]))
    return found


@export(PREFIX + "select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """Elements of the first choice whose condition holds, of `default` where none does.

    Args:
      condlist: list of conditions, bool or numeric; numbers hold where they aren't zero.
      choicelist: list of as many values. Shapes of conditions, choices and default broadcast.
      default: a value that fits them.

    Returns:
      A tensor of the broadcast shape; its dtype is what NumPy promotes the choices and the default to.

    Raises:
      ValueError: the lists are empty or differ in length.

    >>> tf.experimental.numpy.select([[True, False, False], [True, True, False]], [[1, 2, 3], [10, 20, 30]], 9).numpy()
    array([ 1, 20,  9])
    """
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ValueError(
            "tf.experimental.numpy.select: as many choices as conditions are needed, and at least one; got "
            f"{len(condlist)} conditions and {len(choicelist)} choices."
        )
    result, *choices = promoted(default, *choicelist)
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        result = compare.where(to_tensor(condition, dtypes.bool_), choice, result)
    return result


def _select_cases() -> list[Any]:
    low, high = [True, False, False], [True, True, False]
    x = Tensor_(Arr((3,), "float32"))
    return [
        case([low, high], [[1, 2, 3], [10, 20, 30]], 9),
        case([low, high], [x, Tensor_(Arr((3,), "float64"))], id="promotes"),
        case([low], [Tensor_(Arr((3,), "int32"))], 0.5, id="scalar-float"),
        case([low], [Tensor_(Arr((3,), "uint8", 0, 9))], 1, id="scalar-int"),
        case([[[True], [False]]], [x], 1.0, id="broadcasts"),
        case([[0, 2, 0]], [x], id="numeric-condition"),
        bad([low], [x, x], error="ValueError", id="lengths"),
        bad([], [], error="ValueError", id="empty"),
    ]


sampled("experimental.numpy.select", _select_cases)

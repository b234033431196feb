"""Tensors repeated, padded, reversed and rolled; with the names of layout, joining and permutations, for other families."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.index as index
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, normalize_axis, wrap
from headwater._src.core.convert import convert, host_int, host_ints, install_pack
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor
from headwater._src.ops.cast import cast
from headwater._src.ops.joining import (
    concat,
    concat_op,
    pack_op,
    split,
    split_op,
    split_v,
    stack,
    unpack_op,
    unstack,
)
from headwater._src.ops.layout import (
    ONE_OF_EACH,
    bitcast,
    broadcast_args,
    broadcast_dynamic_shape,
    broadcast_to,
    broadcast_to_op,
    ensure_shape,
    expand_dims,
    expand_dims_op,
    get_static_value,
    guarantee_const,
    host_vector,
    identity,
    identity_n,
    identity_op,
    rank,
    reshape,
    reshape_like,
    reshape_op,
    shape,
    shape_n,
    shape_op,
    size,
    size_op,
    squeeze,
    squeeze_op,
    static_dims,
    stop_gradient,
    transpose,
    transpose_op,
)  # fmt: skip
from headwater._src.ops.permutations import invert_permutation, reverse_sequence

__all__ = [
    "bitcast", "broadcast_args", "broadcast_dynamic_shape", "broadcast_to", "broadcast_to_op", "concat", "concat_op",
    "ensure_shape", "expand_dims", "expand_dims_op", "get_static_value", "guarantee_const", "identity", "identity_n",
    "identity_op", "invert_permutation", "meshgrid", "pack_op", "pad", "rank", "repeat", "reshape", "reshape_like",
    "reshape_op", "reverse", "reverse_sequence", "roll", "sequence_mask", "shape", "shape_n", "shape_op", "size", "size_op",
    "split", "split_op", "split_v", "squeeze", "squeeze_op", "stack", "static_dims", "stop_gradient", "tile", "transpose",
    "transpose_op", "unpack_op", "unstack",
]  # fmt: skip

# -- tile and repeat --------------------------------------------------------------------------------------------------


def _tile_shape(x: Spec, *, multiples: Any) -> Partial:
    times = dims_of(multiples)
    if times is None or x.shape is None:
        return None if x.shape is None else (None,) * len(x.shape)
    if len(times) != len(x.shape):
        raise ValueError(
            f"multiples must have one entry for each of the {len(x.shape)} dimensions; got {tuple(times)}"
        )
    if any(t is not None and t < 0 for t in times):
        raise ValueError(f"multiples must be >= 0; got {tuple(times)}")
    pairs = zip(x.shape, times, strict=True)
    return tuple(0 if 0 in (d, t) else None if None in (d, t) else d * t for d, t in pairs)  # type: ignore[operator]


def _tile(x: np.ndarray, *, multiples: tuple[int, ...]) -> np.ndarray:
    if len(multiples) != x.ndim:
        raise ValueError("multiples")
    return np.tile(x, multiples)


def _tile_grad(g: Any, y: Any, x: Any, *, multiples: Any) -> Any:
    """The copies added up: each dimension is seen as (copies, length), and the copies are summed."""
    dims = static_dims(x)
    if dims.__class__ is tuple and multiples.__class__ is tuple:
        both: Any = tuple(n for pair in zip(multiples, dims, strict=True) for n in pair)
        count = len(dims)
    else:
        count = x.shape.rank
        both = reshape(
            stack([cast(convert(multiples), dtypes.int32), cast(convert(dims), dtypes.int32)], axis=1),
            [2 * count],
        )
    return reduce.reduce_sum(reshape(g, both), axis=list(range(0, 2 * count, 2)))


tile_op = op(
    "Tile", "input: A -> ?: input",
    numpy=_tile,
    lower=lambda x, *, multiples: jnp.tile(x, multiples),
    grad=_tile_grad,
    shape=_tile_shape,
    attrs={"multiples": ()}, host=("multiples",), moves=True,
)  # fmt: skip


@export("tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """`input` put side by side with itself, `multiples[i]` times along dimension i.

    Raises:
      InvalidArgumentError: `multiples` is no vector with a number >= 0 for each dimension.

    >>> tf.tile([1, 2], [2]).numpy().tolist()
    [1, 2, 1, 2]
    """
    return tile_op(input, multiples=host_vector(multiples, "tf.tile: multiples"), name=name)


sampled(
    "tile",
    lambda: [
        *[case(Arr((2, 1), d), [2, 3], grad=(0,) if d == "float32" else (), id=d) for d in ONE_OF_EACH],
        case(Arr((2, 3), "float64"), [1, 2], grad=(0,), id="float64-grad"),
        case(Arr((2, 3)), [0, 1], id="zero"),
        case(Arr(()), [], id="scalar"),
        bad(Arr((2, 3)), [1], id="length"),
        bad(Arr((2, 3)), [2, -1], id="negative"),
        bad(Arr((2, 3)), 2, id="scalar-multiples"),
    ],
)


def _positions(*, repeats: tuple[int, ...]) -> np.ndarray:
    if any(r < 0 for r in repeats):
        raise ValueError(f"repeats must be >= 0; got {repeats}")
    return np.repeat(np.arange(len(repeats), dtype=np.int32), repeats)


repeat_positions = op(
    "RepeatPositions", "-> ?: int32",
    numpy=_positions,
    lower=lambda *, repeats: jnp.asarray(_positions(repeats=tuple(repeats))),
    grad=NONDIFF,
    shape=lambda *, repeats: (None if getattr(repeats, "rank_unknown", False) or None in repeats else sum(repeats),),
    attrs={"repeats": ()}, host=("repeats",),
    cases=lambda: [case(repeats=(2, 0, 1), id="some"), case(repeats=(), id="none"), bad(repeats=(1, -1), id="negative")],
    doc="Each position 0, 1, ... as often as `repeats` says.",
)  # fmt: skip


@export("repeat")
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each element, or slice along `axis`, several times in a row.

    Args:
      input: a tensor.
      repeats: how often: an integer, or an integer vector with a number for each slice.
      axis: the dimension; None takes the flattened tensor.
      name: optional.

    Raises:
      InvalidArgumentError: a number is negative.
      ValueError: there are not as many as slices, or the axis is out of range.

    >>> tf.repeat([1, 2], [2, 1]).numpy().tolist()
    [1, 1, 2]
    """
    x = convert(input)
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    dims = x._spec.shape
    if dims is None:
        raise ValueError("tf.repeat: the rank of input must be known.")
    at = _axis_of(axis, len(dims), "tf.repeat")
    times = convert(repeats)
    if times._spec.shape in ((), (1,)):
        return _repeat_evenly(x, host_int(reshape(times, []), "tf.repeat: repeats"), at)
    if times._spec.shape is not None and len(times._spec.shape) > 1:
        raise ValueError(f"tf.repeat: repeats must be an integer or a vector; got shape {times.shape}.")
    counts = host_ints(times, "tf.repeat: repeats")
    if counts.__class__ is tuple and dims[at] not in (len(counts), None):
        raise ValueError(
            f"tf.repeat: {len(counts)} repeats for {dims[at]} slices along dimension {at}; give one for each."
        )
    return gather.gather(x, repeat_positions(repeats=counts), axis=at)


def _axis_of(axis: Any, rank: int, what: str) -> int:
    try:
        return normalize_axis(host_int(axis, f"{what}: axis"), rank)
    except ValueError as error:
        raise ValueError(f"{what}: {error}.") from None


def _repeat_evenly(x: Tensor, times: Any, at: int) -> Tensor:
    """By broadcasting a new dimension behind `at` and merging the two."""
    if times.__class__ is int and times < 0:
        raise invalid(f"tf.repeat: repeats must be >= 0; got {times}.")
    dims = static_dims(x)
    wide = expand_dims_op(x, axis=at + 1)
    if dims.__class__ is tuple and times.__class__ is int:
        spread = broadcast_to_op(wide, shape=(*dims[: at + 1], times, *dims[at + 1 :]))
        return reshape_op(spread, shape=(*dims[:at], dims[at] * times, *dims[at + 1 :]))
    whole = shape(x)
    count = cast(reshape(convert(times), [1]), dtypes.int32)
    spread = broadcast_to(wide, concat([whole[: at + 1], count, whole[at + 1 :]], 0))
    return reshape(spread, concat([whole[:at], whole[at : at + 1] * count, whole[at + 1 :]], 0))


sampled(
    "repeat",
    lambda: [
        case(Arr((2, 3)), 2, grad=(0,), id="flat"),
        case(Arr((2, 3)), [1, 2], axis=0, grad=(0,), id="each"),
        case(Arr((2, 3), "float64"), 3, axis=1, grad=(0,), id="axis1"),
        case(Arr((2, 2), "int32"), [2], axis=-1, id="one"),
        case(Arr((2,), "string"), 2, id="string"),
        case(Arr((2, 3)), 0, axis=0, id="zero"),
    ],
)

# -- pad --------------------------------------------------------------------------------------------------------------


def _pairs(paddings: Any) -> list[tuple[Any, Any]]:
    return list(zip(paddings[::2], paddings[1::2], strict=True))


def _pad_dims(x: Spec, paddings: Any) -> Partial:
    if x.shape is None:
        return None
    if getattr(paddings, "rank_unknown", False):
        return (None,) * len(x.shape)
    if len(paddings) != 2 * len(x.shape):
        raise ValueError(
            f"paddings must have a row (before, after) for each of the {len(x.shape)} dimensions of shape {wrap(x.shape)}; got "
            f"{len(paddings) // 2} rows"
        )
    if any(p is not None and p < 0 for p in paddings):
        raise ValueError(f"paddings must be >= 0; got {_pairs(paddings)}")
    return tuple(
        None if None in (d, a, b) else d + a + b for d, (a, b) in zip(x.shape, _pairs(paddings), strict=True)
    )


def _pad_shape(x: Spec, value: Spec, *, paddings: Any) -> Partial:
    if value.shape not in ((), None):
        raise ValueError(f"constant_values must be a scalar; got shape {wrap(value.shape)}")
    return _pad_dims(x, paddings)


def _pad(x: np.ndarray, value: np.ndarray, *, paddings: tuple[int, ...]) -> np.ndarray:
    if len(paddings) != 2 * x.ndim or value.ndim or min(paddings, default=0) < 0:
        raise ValueError("paddings")
    pairs = _pairs(paddings)
    out = np.full([d + a + b for d, (a, b) in zip(x.shape, pairs, strict=True)], value, x.dtype)
    out[tuple([slice(a, a + d) for d, (a, _) in zip(x.shape, pairs, strict=True)])] = x
    return out


def _pad_grad(g: Any, y: Any, x: Any, value: Any, *, paddings: Any) -> Any:
    if paddings.__class__ is tuple:
        return index.slice_op(g, begin=paddings[::2], size=static_dims(x))
    return index.slice_(g, paddings[::2], shape(x, out_type=paddings.dtype))


pad_op = op(
    "PadV2", "input: A, constant_values: input -> ?: input",
    numpy=_pad,
    lower=lambda x, value, *, paddings: jnp.pad(x, _pairs(paddings), constant_values=value),
    grad=(_pad_grad, None),
    shape=_pad_shape,
    attrs={"paddings": ()}, host=("paddings",), moves=True,
)  # fmt: skip


def _mirror_shape(x: Spec, *, paddings: Any, mode: str) -> Partial:
    dims = _pad_dims(x, paddings)
    if dims is None or getattr(paddings, "rank_unknown", False):
        return dims
    assert x.shape is not None
    for i, (d, pair) in enumerate(zip(x.shape, _pairs(paddings), strict=True)):
        most = None if d is None else d - (mode == "REFLECT")
        if most is not None and any(p is not None and p > most for p in pair):
            raise ValueError(
                f"{mode} padding of dimension {i}, of length {d}, can be at most {most}; got {pair}"
            )
    return dims


def _mirror_sources(length: int, pair: tuple[int, int], mode: str) -> np.ndarray:
    """For each position of a padded dimension the position it is copied from."""
    skip = 1 if mode == "REFLECT" else 0
    before, after = pair
    left = np.arange(before - 1 + skip, skip - 1, -1)
    right = np.arange(length - 1 - skip, length - 1 - skip - after, -1)
    return np.concatenate([left, np.arange(length), right])


def _mirror(x: np.ndarray, *, paddings: tuple[int, ...], mode: str) -> np.ndarray:
    if None in (_mirror_shape(Spec(x.shape, x.dtype), paddings=paddings, mode=mode) or ()):
        raise LookupError("the paddings are not known yet")  # while tracing
    for axis, pair in enumerate(_pairs(paddings)):
        if any(pair):
            x = x.take(_mirror_sources(x.shape[axis], pair, mode), axis)
    return x


def _lower_mirror(x: Any, *, paddings: tuple[int, ...], mode: str) -> Any:
    for axis, pair in enumerate(_pairs(paddings)):
        if any(pair):
            x = jnp.take(x, _mirror_sources(x.shape[axis], pair, mode), axis)
    return x


def _fold(g: np.ndarray, axis: int, length: int, pair: tuple[int, int], mode: str) -> np.ndarray:
    """The transpose of padding one dimension: the mirrored parts are added to where they came from."""
    lead = (slice(None),) * axis
    before, after = pair
    skip = 1 if mode == "REFLECT" else 0
    out = g[(*lead, slice(before, before + length))].copy()
    if before:
        out[(*lead, slice(skip, skip + before))] += np.flip(g[(*lead, slice(0, before))], axis)
    if after:
        stop = length - skip
        out[(*lead, slice(stop - after, stop))] += np.flip(g[(*lead, slice(before + length, None))], axis)
    return out


def _mirror_grad(g: np.ndarray, like: np.ndarray, *, paddings: tuple[int, ...], mode: str) -> np.ndarray:
    for axis, pair in enumerate(_pairs(paddings)):
        if any(pair):
            g = _fold(g, axis, like.shape[axis], pair, mode)
    return g


def _lower_mirror_grad(g: Any, like: Any, *, paddings: tuple[int, ...], mode: str) -> Any:
    for axis, pair in enumerate(_pairs(paddings)):
        if any(pair):
            sources = _mirror_sources(like.shape[axis], pair, mode)
            zeros = jnp.zeros((*g.shape[:axis], like.shape[axis], *g.shape[axis + 1 :]), g.dtype)
            g = zeros.at[(*(slice(None),) * axis, sources)].add(g)
    return g


mirror_pad_op = op(
    "MirrorPad", "input: A -> ?: input",
    numpy=_mirror,
    lower=_lower_mirror,
    grad=lambda g, y, x, *, paddings, mode: mirror_pad_grad(g, x, paddings=paddings, mode=mode),
    shape=_mirror_shape,
    attrs={"paddings": (), "mode": "REFLECT"}, host=("paddings",), moves=True,
)  # fmt: skip

mirror_pad_grad = op(
    "MirrorPadGrad", "g: N, like: g -> like",
    numpy=_mirror_grad,
    lower=_lower_mirror_grad,
    grad=(lambda gg, y, g, like, *, paddings, mode: mirror_pad_op(gg, paddings=paddings, mode=mode), None),
    attrs={"paddings": (), "mode": "REFLECT"}, host=("paddings",),
    doc="The padded gradient `g` folded back to the shape of `like`.",
)  # fmt: skip


def _flat_paddings(paddings: Any) -> Any:
    if paddings.__class__ in (list, tuple) and all(
        p.__class__ in (list, tuple) and len(p) == 2 for p in paddings
    ):
        return host_ints([n for pair in paddings for n in pair], "tf.pad: paddings")
    tensor = convert(paddings, None, dtypes.int32)
    dims = tensor._spec.shape
    if dims is not None and (len(dims) != 2 or dims[1] not in (2, None)):
        raise invalid(f"tf.pad: paddings must have shape [rank, 2]; got shape {tensor.shape}.")
    return host_ints(reshape(tensor, [-1]), "tf.pad: paddings")


@export("pad")
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """`tensor` made larger at its borders.

    Args:
      tensor: a tensor.
      paddings: for each dimension a pair (before, after): how many entries to add.
      mode: "CONSTANT" adds `constant_values`; "REFLECT" mirrors without, "SYMMETRIC" with the border entries.
      constant_values: a scalar of the tensor's dtype.
      name: optional.

    Raises:
      InvalidArgumentError: the paddings don't fit the tensor.
      ValueError: the mode is unknown.

    >>> tf.pad([1, 2], [[1, 0]]).numpy().tolist()
    [0, 1, 2]
    """
    kind = mode.upper()
    x, flat = convert(tensor), _flat_paddings(paddings)
    if kind in ("REFLECT", "SYMMETRIC"):
        return mirror_pad_op(x, paddings=flat, mode=kind, name=name)
    if kind != "CONSTANT":
        raise ValueError(f"tf.pad: mode must be CONSTANT, REFLECT or SYMMETRIC; got {mode!r}.")
    if constant_values.__class__ is int and constant_values == 0:
        value: Any = create.zeros((), x.dtype)
    else:
        value = constant_values if isinstance(constant_values, Tensor) else convert(constant_values, x.dtype)
    return pad_op(x, value, paddings=flat, name=name)


sampled(
    "pad",
    lambda: [
        *[
            case(Arr((2, 3), d), [[1, 0], [0, 2]], grad=(0,) if d == "float32" else (), id=d)
            for d in ONE_OF_EACH
        ],
        case(Arr((3,), "float64"), [[1, 1]], constant_values=9.0, grad=(0,), id="value"),
        case(Arr((2, 3)), [[1, 1], [0, 2]], "REFLECT", grad=(0,), id="reflect"),
        case(Arr((2, 3)), [[1, 2], [0, 3]], "SYMMETRIC", grad=(0,), id="symmetric"),
        case(Arr((2, 3), "int32"), [[1, 1], [0, 1]], "reflect", id="lower-case"),
        bad(Arr((2, 3)), [[1, 1]], id="rows"),
        bad(Arr((2, 3)), [[-1, 1], [0, 1]], id="negative"),
        bad(Arr((2, 3)), [[1, 1], [0, 3]], "REFLECT", id="reflect-too-far"),
        bad(Arr((2, 3)), [1, 1], id="vector"),
        bad(Arr((2, 3)), [[1, 1], [0, 1]], "FOO", error="ValueError", id="mode"),
    ],
)

# -- reverse and roll -------------------------------------------------------------------------------------------------


def _axes(rank: int, axis: Any, distinct: bool) -> list[int]:
    axes = [normalize_axis(a, rank) for a in axis]
    if distinct and len(set(axes)) != len(axes):
        raise ValueError(f"axis {tuple(axis)} names a dimension twice")
    return axes


def _reverse_shape(x: Spec, *, axis: Any) -> Partial:
    if x.shape is not None and not getattr(axis, "rank_unknown", False) and None not in axis:
        _axes(len(x.shape), axis, True)
    return x.shape


def _reverse(x: np.ndarray, *, axis: tuple[int, ...]) -> np.ndarray:
    turned = _axes(x.ndim, axis, True)
    return x[tuple([slice(None, None, -1 if i in turned else 1) for i in range(x.ndim)])] if turned else x


reverse_op = op(
    "ReverseV2", "tensor: A -> ?: tensor",
    numpy=_reverse,
    lower=lambda x, *, axis: jnp.flip(x, axis) if axis else x,
    grad=lambda g, y, x, *, axis: reverse_op(g, axis=axis),
    shape=_reverse_shape,
    attrs={"axis": ()}, host=("axis",), moves=True,
)  # fmt: skip


@export("reverse")
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """`tensor` backwards along the dimensions in the list `axis`.

    Raises:
      InvalidArgumentError: a dimension does not exist or is named twice, or `axis` is no vector.
    """
    return reverse_op(tensor, axis=host_vector(axis, "tf.reverse: axis"), name=name)


sampled(
    "reverse",
    lambda: [
        *[case(Arr((2, 3), d), [1], grad=(0,) if d == "float32" else (), id=d) for d in ONE_OF_EACH],
        case(Arr((2, 3)), [0, -1], grad=(0,), id="both"),
        case(Arr((2, 3)), Arr((0,), "int32"), id="none"),
        bad(Arr((2, 3)), [5], id="range"),
        bad(Arr((2, 3)), [0, 0], id="twice"),
        bad(Arr((2, 3)), 0, id="scalar"),
    ],
)


def _roll_shape(x: Spec, *, shift: Any, axis: Any) -> Partial:
    if x.shape is None:
        return None
    if not x.shape:
        raise ValueError("input must have rank 1 or more; got a scalar")
    if not any(getattr(v, "rank_unknown", False) or None in v for v in (shift, axis)):
        if len(shift) != len(axis):
            raise ValueError(f"shift and axis must be as many; got {tuple(shift)} and {tuple(axis)}")
        _axes(len(x.shape), axis, False)
    return x.shape


def _roll(x: np.ndarray, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> np.ndarray:
    if len(shift) != len(axis) or not x.ndim:
        raise ValueError("shift and axis")
    return np.roll(x, shift, axis)


roll_op = op(
    "Roll", "input: A -> ?: input",
    numpy=_roll,
    lower=lambda x, *, shift, axis: jnp.roll(x, shift, axis),
    grad=lambda g, y, x, *, shift, axis: roll_op(g, shift=_opposite(shift), axis=axis),
    shape=_roll_shape,
    attrs={"shift": (), "axis": ()}, host=("shift", "axis"), moves=True,
)  # fmt: skip


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if shift.__class__ is tuple else math.negative(shift)


@export("roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """`input` with its elements moved along dimensions; what leaves at one end comes in at the other.

    Args:
      input: a tensor of rank 1 or more.
      shift: how far, an integer or one for each entry of `axis`.
      axis: the dimension or dimensions; those named several times add up.
      name: optional.

    Raises:
      InvalidArgumentError: the lengths of `shift` and `axis` differ, or a dimension does not exist.

    >>> tf.roll([1, 2, 3], shift=1, axis=0).numpy().tolist()
    [3, 1, 2]
    """
    return roll_op(
        input, shift=_vector(shift, "tf.roll: shift"), axis=_vector(axis, "tf.roll: axis"), name=name
    )


def _vector(value: Any, what: str) -> Any:
    if isinstance(value, float):
        raise invalid(f"{what} takes integers; got {value!r}.")
    found = host_ints(value, what)
    return reshape(found, [1]) if found.__class__ is SymbolicTensor and found._shape == () else found


sampled(
    "roll",
    lambda: [
        *[case(Arr((2, 3), d), 1, 1, grad=(0,) if d == "float32" else (), id=d) for d in ONE_OF_EACH],
        case(Arr((2, 3)), [1, -2], [0, 1], grad=(0,), id="both"),
        case(Arr((2, 3)), [1, 1], [1, 1], id="adds-up"),
        case(Arr((0, 3)), 1, 0, id="empty"),
        bad(Arr((2, 3)), 1, 5, id="range"),
        bad(Arr((2, 3)), [1, 2], 0, id="lengths"),
        bad(1.0, 1, 0, id="scalar"),
    ],
)

# -- grids and masks --------------------------------------------------------------------------------------------------


@export("meshgrid")
def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid: for n vectors n tensors of rank n.

    Args:
      *args: vectors (other tensors are flattened).
      **kwargs: `indexing`, "xy" (the default; the first two dimensions swapped, as in pictures) or "ij"; `name`.

    Raises:
      ValueError: `indexing` is neither of the two.
      TypeError: other keywords are given.
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"tf.meshgrid: unknown keyword {next(iter(kwargs))!r}; it takes indexing and name.")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"tf.meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}.")
    flat = [reshape(x, [-1]) for x in args]
    if len({x.dtype for x in flat}) > 1:
        raise invalid(
            f"tf.meshgrid: all vectors must have one dtype; got {', '.join(x.dtype.name for x in flat)}. Use tf.cast."
        )
    order = list(range(len(flat)))
    if indexing == "xy" and len(flat) > 1:
        order[:2] = [1, 0]
    lengths = [static_dims(x)[0] for x in flat]
    whole = [lengths[i] for i in order]
    lines = [[-1 if i == j else 1 for j in order] for i in range(len(flat))]
    return [broadcast_to(reshape(x, line), whole) for x, line in zip(flat, lines, strict=True)]


sampled(
    "meshgrid",
    lambda: [
        case([1, 2], [3, 4, 5], id="xy"),
        case([1, 2], [3, 4, 5], indexing="ij", id="ij"),
        case(Arr((2,)), Arr((3,), salt=1), Arr((2,), salt=2), id="three"),
        bad([1, 2], [1.0, 2.0], id="dtypes"),
        bad([1, 2], [3, 4], indexing="xx", error="ValueError", id="indexing"),
    ],
)


@export("sequence_mask")
def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None
) -> Tensor:
    """True in the first `lengths[...]` places of a new last dimension, False after them.

    Args:
      lengths: integer tensor.
      maxlen: the length of the new dimension; the largest of `lengths` by default.
      dtype: the dtype of the result.
      name: optional.

    >>> tf.sequence_mask([1, 2], 3, tf.int32).numpy().tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    count = convert(lengths)
    longest = (
        math.maximum(reduce.reduce_max(count), 0) if maxlen is None else cast(convert(maxlen), count.dtype)
    )
    if longest._spec.shape not in ((), None):
        raise ValueError(f"tf.sequence_mask: maxlen must be a scalar; got shape {longest.shape}.")
    steps = create.range(create.zeros((), count.dtype), longest, create.ones((), count.dtype))
    mask = compare.less(steps, expand_dims(count, -1))
    wanted = as_dtype(dtype)
    return mask if wanted is dtypes.bool_ else cast(mask, wanted)


sampled(
    "sequence_mask",
    lambda: [
        case([1, 3, 2], id="vector"),
        case([1, 3, 2], 2, "float32", id="maxlen"),
        case(2, id="scalar"),
        case([[1], [2]], maxlen=3, id="rank2"),
    ],
)


def _pack_tensors(values: list[Any], dtype: Any) -> Tensor:
    """Equal tensors as the rows of one, cast to `dtype` first if it is given."""
    return pack_op(*(values if dtype is None else [cast(v, dtype) for v in values]), axis=0)


install_pack(_pack_tensors)

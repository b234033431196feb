"""Images cropped, padded, turned, cut into patches, and moved by projective transforms."""

from __future__ import annotations

import math as math_
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.control as control
import headwater._src.ops.create as create
import headwater._src.ops.gather as gathering
import headwater._src.ops.image_resize as image_resize
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.shape as shaping
from headwater._src.base import dtypes
from headwater._src.base.errors import OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial
from headwater._src.core.convert import convert, host_int
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.cast import cast

# -- sizes that may be symbolic ---------------------------------------------------------------------------------------


def image_of(image: Any, name: str) -> Any:
    """A tensor of rank 3 or 4."""
    x = image if image.__class__ is EagerTensor else convert(image)
    dims = x._spec.shape
    if dims is None or len(dims) not in (3, 4):
        raise ValueError(
            f"tf.image.{name} takes images of rank 3 or 4, [batch,] height, width, channels; got shape {x.shape}."
        )
    return x


def sizes(x: Any) -> tuple[Any, ...]:
    """The dimensions of `x`: ints where they are known, symbolic scalars elsewhere."""
    dims = x._spec.shape
    if None not in dims:
        return dims
    vector = layout.shape(x)
    return tuple(vector[i] if d is None else d for i, d in enumerate(dims))


def _int(value: Any, name: str, what: str) -> Any:
    if value is None:
        raise TypeError(f"tf.image.{name}: {what} must be an integer; got None.")
    return host_int(value, f"tf.image.{name}: {what}", TypeError)


def _require(condition: Any, message: str) -> None:
    """ValueError where a condition on plain integers fails; conditions on symbolic ones are the kernels' to check."""
    if condition is False or condition is np.False_:
        raise ValueError(message)


def _known(*values: Any) -> bool:
    return all(v.__class__ is int for v in values)


def _at_least(value: Any, low: int) -> Any:
    return max(value, low) if value.__class__ is int else math.maximum(value, low)


def _lesser(a: Any, b: Any) -> Any:
    return min(a, b) if _known(a, b) else math.minimum(a, b)


# -- cropping and padding ---------------------------------------------------------------------------------------------


def _window(x: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    y = x[..., top : top + height, left : left + width, :]
    return y if y.__class__ is EagerTensor else _with_hw(y, height, width)


def _with_hw(y: Any, height: Any, width: Any) -> Any:
    """Tells the graph a height and width that it can't infer."""
    dims = list(y._spec.shape)
    dims[-3:-1] = [v if v.__class__ is int else None for v in (height, width)]
    return (
        layout.ensure_shape(y, dims)
        if any(d is not None and d != e for d, e in zip(dims, y._spec.shape, strict=True))
        else y
    )


@export("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The part of an image, or of each of a batch, with the given upper left corner and size.

    Raises:
      ValueError: the rank is not 3 or 4, or the box does not lie inside.
    """
    name = "crop_to_bounding_box"
    x = image_of(image, name)
    top, left = _int(offset_height, name, "offset_height"), _int(offset_width, name, "offset_width")
    height, width = _int(target_height, name, "target_height"), _int(target_width, name, "target_width")
    have_h, have_w = sizes(x)[-3:-1]
    for offset, size, have, what in ((top, height, have_h, "height"), (left, width, have_w, "width")):
        if _known(offset):
            _require(offset >= 0, f"tf.image.{name}: offset_{what} must be >= 0; got {offset}.")
        if _known(size):
            _require(size > 0, f"tf.image.{name}: target_{what} must be positive; got {size}.")
        if _known(offset, size, have):
            _require(
                offset + size <= have,
                f"tf.image.{name}: the box ends at {what} {offset + size}, the image at {have}.",
            )
    return _window(x, top, left, height, width)


@export("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """An image, or each of a batch, with zeros around it: at the given offset in a frame of the given size.

    Raises:
      ValueError: the rank is not 3 or 4, an offset is negative, or the frame too small.
    """
    name = "pad_to_bounding_box"
    x = image_of(image, name)
    top, left = _int(offset_height, name, "offset_height"), _int(offset_width, name, "offset_width")
    height, width = _int(target_height, name, "target_height"), _int(target_width, name, "target_width")
    have_h, have_w = sizes(x)[-3:-1]
    bottom, right = height - top - have_h, width - left - have_w
    for offset, after, what in ((top, bottom, "height"), (left, right, "width")):
        if _known(offset):
            _require(offset >= 0, f"tf.image.{name}: offset_{what} must be >= 0; got {offset}.")
        if _known(after):
            _require(
                after >= 0,
                f"tf.image.{name}: target_{what} leaves no room: {-after} too small for the image at its offset.",
            )
    pairs = [[top, bottom], [left, right], [0, 0]]
    y = shaping.pad(x, pairs if len(x._spec.shape) == 3 else [[0, 0], *pairs])
    return y if y.__class__ is EagerTensor else _with_hw(y, height, width)


@export("image.central_crop")
def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle of an image, or of each of a batch: `central_fraction` of the height and of the width.

    Raises:
      ValueError: the rank is not 3 or 4, or the fraction not in (0, 1].
    """
    x = image if image.__class__ is EagerTensor else convert(image)
    fraction = float(central_fraction)
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"tf.image.central_crop: central_fraction must lie in (0, 1]; got {fraction}.")
    if fraction == 1.0:
        return x
    x = image_of(x, "central_crop")
    (top, height), (left, width) = (_middle(n, fraction) for n in sizes(x)[-3:-1])
    return _window(x, top, left, height, width)


def _middle(size: Any, fraction: float) -> tuple[Any, Any]:
    if size.__class__ is int:
        start = int((size - size * fraction) / 2)
        return start, size - start * 2
    wide = cast(size, dtypes.float64)
    start = cast(math.divide(math.subtract(wide, math.multiply(wide, fraction)), 2), dtypes.int32)
    return start, size - start * 2


@export("image.resize_with_crop_or_pad")
def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """An image, or each of a batch, cropped in the middle or padded with zeros evenly to a size.

    Raises:
      ValueError: the rank is not 3 or 4, or a target is not positive.
    """
    name = "resize_with_crop_or_pad"
    x = image_of(image, name)
    height, width = _int(target_height, name, "target_height"), _int(target_width, name, "target_width")
    for value, what in ((height, "height"), (width, "width")):
        if _known(value):
            _require(value > 0, f"tf.image.{name}: target_{what} must be positive; got {value}.")
    have_h, have_w = sizes(x)[-3:-1]
    crop_h, crop_w = _at_least((have_h - height) // 2, 0), _at_least((have_w - width) // 2, 0)
    pad_h, pad_w = _at_least((height - have_h) // 2, 0), _at_least((width - have_w) // 2, 0)
    x = _window(x, crop_h, crop_w, _lesser(height, have_h), _lesser(width, have_w))
    return pad_to_bounding_box(x, pad_h, pad_w, height, width)


@export("image.resize_with_pad")
def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False
) -> Tensor:
    """Images resized to the largest size with the old proportions that fits, in the middle of zeros.

    Args:
      image: one image [height, width, channels] or a batch of them.
      target_height: the height of the result.
      target_width: the width of the result.
      method: a method of `tf.image.resize`.
      antialias: as in `tf.image.resize`.

    Raises:
      ValueError: the rank is not 3 or 4, a target is not positive, or the method unknown.
    """
    name = "resize_with_pad"
    x = image_of(image, name)
    height, width = _int(target_height, name, "target_height"), _int(target_width, name, "target_width")
    for value, what in ((height, "height"), (width, "width")):
        if _known(value):
            _require(value > 0, f"tf.image.{name}: target_{what} must be positive; got {value}.")
    have_h, have_w = sizes(x)[-3:-1]
    if _known(height, width, have_h, have_w):
        ratio = max(have_w / width, have_h / height)
        new = int(have_h // ratio), int(have_w // ratio)
        top, left = (max(0, math_.floor((t - n / ratio) / 2)) for t, n in ((height, have_h), (width, have_w)))
    else:
        new, top, left = _symbolic_fit(have_h, have_w, height, width)
    y = image_resize.resize(x, new, method, antialias=antialias)
    return pad_to_bounding_box(y, top, left, height, width)


def _symbolic_fit(have_h: Any, have_w: Any, height: Any, width: Any) -> tuple[Any, Any, Any]:
    h, w, target_h, target_w = (cast(convert(v), dtypes.float64) for v in (have_h, have_w, height, width))
    ratio = math.maximum(math.divide(w, target_w), math.divide(h, target_h))
    fit_h, fit_w = math.divide(h, ratio), math.divide(w, ratio)
    new = [cast(math.floor(fit_h), dtypes.int32), cast(math.floor(fit_w), dtypes.int32)]
    gaps = (
        math.floor(math.divide(math.subtract(t, f), 2)) for t, f in ((target_h, fit_h), (target_w, fit_w))
    )
    top, left = (math.maximum(cast(gap, dtypes.int32), 0) for gap in gaps)
    return new, top, left


sampled("image.crop_to_bounding_box", lambda: [
    *[case(Arr((4, 5, 2), d), 1, 2, 2, 3, grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "uint8", "float64")],
    case(Arr((2, 4, 5, 1)), 0, 0, 4, 5, id="batch"), bad(Arr((4, 5, 1)), -1, 0, 2, 2, error="ValueError", id="negative"),
    bad(Arr((4, 5, 1)), 3, 0, 2, 2, error="ValueError", id="outside"), bad(Arr((4, 5)), 0, 0, 2, 2, error="ValueError", id="rank"),
])  # fmt: skip
sampled("image.pad_to_bounding_box", lambda: [
    *[case(Arr((2, 3, 2), d), 1, 2, 4, 5, grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "uint8", "float64")],
    case(Arr((2, 2, 3, 1)), 0, 0, 2, 3, id="batch"), bad(Arr((2, 3, 1)), -1, 0, 4, 4, error="ValueError", id="negative"),
    bad(Arr((2, 3, 1)), 1, 0, 2, 3, error="ValueError", id="small"), bad(Arr((2, 3)), 0, 0, 4, 4, error="ValueError", id="rank"),
])  # fmt: skip
sampled("image.central_crop", lambda: [
    case(Arr((4, 5, 2)), 0.5, grad=(0,), id="half"), case(Arr((1, 6, 5, 1)), 0.7, id="batch"), case(Arr((4, 5, 1), "uint8"), 1.0, id="all"),
    bad(Arr((4, 5, 1)), 0.0, error="ValueError", id="zero"), bad(Arr((4, 5, 1)), 1.5, error="ValueError", id="more"),
    bad(Arr((4, 5)), 0.5, error="ValueError", id="rank"),
])  # fmt: skip
sampled("image.resize_with_crop_or_pad", lambda: [
    case(Arr((4, 5, 2)), 2, 3, grad=(0,), id="crop"), case(Arr((3, 2, 2)), 6, 5, grad=(0,), id="pad"), case(Arr((1, 4, 2, 1)), 3, 5, id="both"),
    case(Arr((3, 3, 1), "uint8"), 2, 4, id="uint8"), bad(Arr((3, 3, 1)), 0, 2, error="ValueError", id="zero"),
    bad(Arr((3, 3)), 2, 2, error="ValueError", id="rank"),
])  # fmt: skip
sampled("image.resize_with_pad", lambda: [
    case(Arr((4, 2, 2)), 3, 3, id="tall"), case(Arr((1, 2, 5, 1)), 4, 4, id="wide"), case(Arr((2, 2, 1), "uint8"), 3, 4, "nearest", id="uint8"),
    case(Arr((4, 3, 1)), 2, 5, antialias=True, id="antialias"), bad(Arr((3, 3, 1)), 0, 2, error="ValueError", id="zero"),
    bad(Arr((3, 3)), 2, 2, error="ValueError", id="rank"), bad(Arr((3, 3, 1)), 2, 2, "foo", error="ValueError", id="method"),
])  # fmt: skip

# -- turning ----------------------------------------------------------------------------------------------------------


def _no_empty(x: Tensor, name: str) -> Tensor:
    if 0 in x._spec.shape[-3:]:
        raise ValueError(f"tf.image.{name}: no dimension may be 0; got shape {x.shape}.")
    return x


@export("image.flip_left_right")
def flip_left_right(image: Any) -> Tensor:
    """An image, or each of a batch, mirrored left to right. ValueError where the rank is not 3 or 4."""
    x = _no_empty(image_of(image, "flip_left_right"), "flip_left_right")
    return shaping.reverse_op(x, axis=(len(x._spec.shape) - 2,))


@export("image.flip_up_down")
def flip_up_down(image: Any) -> Tensor:
    """An image, or each of a batch, upside down. ValueError where the rank is not 3 or 4."""
    x = _no_empty(image_of(image, "flip_up_down"), "flip_up_down")
    return shaping.reverse_op(x, axis=(len(x._spec.shape) - 3,))


@export("image.transpose")
def transpose(image: Any, name: str | None = None) -> Tensor:
    """An image, or each of a batch, with height and width exchanged. ValueError where the rank is not 3 or 4."""
    x = _no_empty(image_of(image, "transpose"), "transpose")
    return layout.transpose_op(x, perm=(1, 0, 2) if len(x._spec.shape) == 3 else (0, 2, 1, 3))


@export("image.rot90")
def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """An image, or each of a batch, turned counter-clockwise by `k` right angles.

    Args:
      image: tensor of rank 3 or 4.
      k: an integer; the remainder of division by 4 counts.
      name: optional.

    Raises:
      ValueError: the rank is not 3 or 4, or k no scalar.
    """
    x = image_of(image, "rot90")
    turns = convert(k)
    if turns._spec.shape not in ((), None):
        raise ValueError(f"tf.image.rot90: k must be a scalar; got shape {turns.shape}.")
    if turns.__class__ is not EagerTensor:
        branches = [lambda n=n: _rot90(x, n) for n in range(4)]
        return control.switch_case(cast(math.floormod(turns, 4), dtypes.int32), branches)
    return _rot90(x, int(turns._array) % 4)


def _rot90(x: Any, k: int) -> Any:
    if k == 0:
        return x
    if k == 1:
        return flip_up_down(transpose(x))
    if k == 2:
        rank = len(x._spec.shape)
        return shaping.reverse_op(x, axis=(rank - 3, rank - 2))
    return transpose(flip_up_down(x))


def _turn_cases() -> list[Any]:
    return [
        *[case(Arr((2, 3, 2), d), grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "uint8", "float64", "bool")],
        case(Arr((2, 2, 3, 1)), id="batch"), case(Arr((0, 2, 3, 1)), id="empty"), bad(Arr((2, 3)), error="ValueError", id="rank"),
    ]  # fmt: skip


for _name in ("flip_left_right", "flip_up_down", "transpose"):
    sampled("image." + _name, _turn_cases)
sampled("image.rot90", lambda: [
    *_turn_cases(), *[case(Arr((2, 3, 1)), k, grad=(0,), id=f"by-{k}") for k in (0, 2, 3, 5, -1)],
    bad(Arr((2, 3, 1)), [1], error="ValueError", id="vector"),
])  # fmt: skip

# -- patches ----------------------------------------------------------------------------------------------------------


def _patch_count(size: int, ksize: int, stride: int, rate: int, padding: str) -> tuple[int, int]:
    """How many patches along one dimension, and how many zeros before it."""
    reach = (ksize - 1) * rate + 1
    if padding == "VALID":
        return max(-(-(size - reach + 1) // stride), 0), 0
    count = -(-size // stride)
    return count, max((count - 1) * stride + reach - size, 0) // 2


def _patch_index(size: int, ksize: int, stride: int, rate: int, padding: str) -> np.ndarray:
    """The positions [patches, ksize] that are read; -1 and `size` and beyond are zeros."""
    count, before = _patch_count(size, ksize, stride, rate, padding)
    return np.arange(count)[:, None] * stride + np.arange(ksize) * rate - before


def _patch_shape(x: Spec, *, sizes: Any, strides: Any, rates: Any, padding: str) -> Partial:
    if x.shape is None:
        return (None,) * 4
    if len(x.shape) != 4:
        raise ValueError(
            f"images must have rank 4, [batch, height, width, channels]; got shape {list(x.shape)}"
        )
    counts = [
        None if d is None else _patch_count(d, k, s, r, padding)[0]
        for d, k, s, r in zip(x.shape[1:3], sizes, strides, rates, strict=True)
    ]
    depth = None if x.shape[3] is None else x.shape[3] * sizes[0] * sizes[1]
    return (x.shape[0], *counts, depth)


def _grid(
    shape: Any, sizes: Any, strides: Any, rates: Any, padding: str
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Rows and columns of every patch in an image with a margin of zeros, and that margin."""
    rows, columns = (_patch_index(shape[i + 1], sizes[i], strides[i], rates[i], padding) for i in (0, 1))
    margins = [
        (max(-int(p.min(initial=0)), 0), max(int(p.max(initial=0)) + 1 - n, 0))
        for p, n in ((rows, shape[1]), (columns, shape[2]))
    ]
    return rows + margins[0][0], columns + margins[1][0], ((0, 0), *margins, (0, 0))


def _patches(xp: Any, x: Any, sizes: Any, strides: Any, rates: Any, padding: str) -> Any:
    if x.ndim != 4:
        raise ValueError(f"images must have rank 4; got shape {list(x.shape)}")
    rows, columns, margin = _grid(x.shape, sizes, strides, rates, padding)
    if any(a or b for a, b in margin):
        x = xp.pad(x, margin)
    y = x[:, rows[:, None, :, None], columns[None, :, None, :]]
    return y.reshape(x.shape[0], len(rows), len(columns), -1 if y.size else x.shape[3] * sizes[0] * sizes[1])


def _scattered(
    g: np.ndarray, like: np.ndarray, sizes: Any, strides: Any, rates: Any, padding: str
) -> np.ndarray:
    rows, columns, margin = _grid(like.shape, sizes, strides, rates, padding)
    n, height, width, channels = like.shape
    out = np.zeros((n, height + sum(margin[1]), width + sum(margin[2]), channels), g.dtype)
    parts = g.reshape(n, len(rows), len(columns), sizes[0], sizes[1], channels)
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            out[:, rows[:, i, None], columns[None, :, j]] += parts[:, :, :, i, j]
    return out[:, margin[1][0] : margin[1][0] + height, margin[2][0] : margin[2][0] + width]


def _lower_scattered(g: Any, like: Any, sizes: Any, strides: Any, rates: Any, padding: str) -> Any:
    import jax

    return jax.vjp(
        lambda x: _patches(jnp, x, sizes, strides, rates, padding), jnp.zeros(like.shape, g.dtype)
    )[1](g)[0]


_PATCH = {"sizes": (1, 1), "strides": (1, 1), "rates": (1, 1), "padding": "VALID"}
_extract_patches = op(
    "ExtractImagePatches", "images: F|I|U|B|C -> ?: images",
    numpy=lambda x, *, sizes, strides, rates, padding: _patches(np, x, sizes, strides, rates, padding),
    lower=lambda x, *, sizes, strides, rates, padding: _patches(jnp, x, sizes, strides, rates, padding),
    grad=lambda g, y, x, *, sizes, strides, rates, padding: _patches_grad(
        g, x, sizes=sizes, strides=strides, rates=rates, padding=padding),
    shape=_patch_shape, attrs=_PATCH,
    doc="Patches of images, each laid out in the last dimension.",
)  # fmt: skip
_patches_grad = op(
    "ExtractImagePatchesGrad", "g: F|C, like: F|C -> like",
    numpy=lambda g, like, *, sizes, strides, rates, padding: _scattered(g, like, sizes, strides, rates, padding),
    lower=lambda g, like, *, sizes, strides, rates, padding: _lower_scattered(g, like, sizes, strides, rates, padding),
    grad=(lambda gg, y, g, like, *, sizes, strides, rates, padding: _extract_patches(
        gg, sizes=sizes, strides=strides, rates=rates, padding=padding), None),
    attrs=_PATCH,
    doc="The gradient of patches, added up where they came from in images like `like`.",
)  # fmt: skip


def _spatial(value: Any, what: str) -> tuple[int, int]:
    given = tuple(int(v) for v in value)
    if len(given) != 4 or given[0] != 1 or given[3] != 1 or min(given) < 1:
        raise invalid(
            f"tf.image.extract_patches: {what} must be [1, rows, columns, 1] of positive integers; got {list(given)}."
        )
    return given[1:3]  # type: ignore[return-value]


@export("image.extract_patches")
def extract_patches(
    images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None
) -> Tensor:
    """Patches of images, each in the depth of one place of the result.

    Args:
      images: tensor [batch, height, width, channels].
      sizes: [1, rows, columns, 1], the size of a patch.
      strides: [1, rows, columns, 1], how far patches lie apart.
      rates: [1, rows, columns, 1], how far the samples inside a patch lie apart.
      padding: "VALID", patches lie inside the image; "SAME", zeros surround it.
      name: optional.

    Returns:
      A tensor [batch, patches down, patches across, rows * columns * channels].

    Raises:
      InvalidArgumentError: the rank is not 4, or a size has not four positive entries.
    """
    if not isinstance(padding, str):
        raise TypeError(f"tf.image.extract_patches: padding must be a str; got {padding!r}.")
    kind = padding.upper()
    if kind not in ("VALID", "SAME"):
        raise invalid(f"tf.image.extract_patches: padding must be 'VALID' or 'SAME'; got {padding!r}.")
    return _extract_patches(
        images, sizes=_spatial(sizes, "sizes"), strides=_spatial(strides, "strides"), rates=_spatial(rates, "rates"),
        padding=kind, name=name,
    )  # fmt: skip


def _patch_cases() -> list[Any]:
    one = [1, 1, 1, 1]
    return [
        *[case(Tensor_(Arr((1, 4, 4, 2), d)), [1, 2, 2, 1], [1, 2, 2, 1], one, "VALID", grad=(0,) if d == "float32" else (), id=d)
          for d in ("float32", "float64", "uint8", "int32")],
        case(Arr((1, 4, 5, 1)), [1, 3, 2, 1], one, one, "SAME", grad=(0,), id="same"),
        case(Arr((1, 5, 5, 1)), [1, 2, 2, 1], one, [1, 2, 3, 1], "VALID", grad=(0,), id="rates"),
        case(Arr((1, 5, 5, 1)), [1, 2, 2, 1], [1, 3, 2, 1], one, "SAME", id="strides"), case(Arr((0, 4, 4, 1)), [1, 2, 2, 1], one, one, "VALID", id="empty"),
        bad(Arr((4, 4, 1)), [1, 2, 2, 1], one, one, "VALID", id="rank"), bad(Arr((1, 4, 4, 1)), [1, 2, 2, 1], one, one, "FOO", id="padding"),
        bad(Arr((1, 4, 4, 1)), [2, 2], one, one, "VALID", id="sizes"),
    ]  # fmt: skip


sampled("image.extract_patches", _patch_cases)

# -- crop and resize --------------------------------------------------------------------------------------------------


def _sample_points(low: Any, high: Any, count: int, size: Any) -> Any:
    """Where in [0, size - 1] the `count` samples between two normalised coordinates lie: [boxes, count]."""
    last = cast(convert(size - 1), dtypes.float32)
    if count == 1:
        return layout.expand_dims(math.multiply(math.multiply(math.add(low, high), 0.5), last), 1)
    step = math.divide(math.multiply(math.subtract(high, low), last), float(count - 1))
    steps = cast(create.range(count), dtypes.float32)
    return math.add(
        layout.expand_dims(math.multiply(low, last), 1), math.multiply(layout.expand_dims(step, 1), steps)
    )


@export("image.crop_and_resize")
def crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear", extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Boxes cut out of images and resized to one size.

    Args:
      image: tensor [batch, height, width, channels] of floats or integers.
      boxes: float32 [n, 4], each (y1, x1, y2, x2) in units of height - 1 and width - 1; y1 > y2 turns the crop upside down.
      box_indices: int32 [n], the image of each box.
      crop_size: (height, width) of the crops.
      method: "bilinear" or "nearest".
      extrapolation_value: what stands outside the image.
      name: optional.

    Returns:
      A float32 tensor [n, height, width, channels], differentiable in the image and, if bilinear, in the boxes.

    Raises:
      InvalidArgumentError: a shape does not fit or the method is unknown.
      OutOfRangeError: an index names no image.
    """
    x, boxes, index = convert(image), convert(boxes, dtypes.float32), convert(box_indices, dtypes.int32)
    if not (x.dtype.is_floating or x.dtype.is_integer):
        raise invalid(f"tf.image.crop_and_resize takes images of real numbers; got {x.dtype.name}.")
    rows, columns = _crop_size(crop_size)
    _check_crops(x, boxes, index, method)
    batch, height, width, channels = sizes(x)
    if (
        index.__class__ is EagerTensor
        and _known(batch)
        and ((index._array < 0) | (index._array >= batch)).any()
    ):
        message = (
            f"tf.image.crop_and_resize: box_indices must lie in [0, {batch}); got {index._array.tolist()}."
        )
        raise OutOfRangeError(None, None, message)
    y = _sample_points(boxes[:, 0], boxes[:, 2], rows, height)
    at_x = _sample_points(boxes[:, 1], boxes[:, 3], columns, width)
    flat = layout.reshape(x if x.dtype is dtypes.float32 else cast(x, dtypes.float32), [-1, channels])
    first = layout.reshape(index, [-1, 1, 1]) * height

    def read(row: Any, column: Any) -> Any:
        place = (first + layout.expand_dims(row, 2)) * width + layout.expand_dims(column, 1)
        return gathering.gather(flat, place)

    result = (
        _nearest_crops(read, y, at_x, height, width)
        if method == "nearest"
        else _bilinear_crops(read, y, at_x, height, width)
    )
    inside = compare.logical_and(
        layout.expand_dims(_within(y, height), 2), layout.expand_dims(_within(at_x, width), 1)
    )
    return compare.where(layout.expand_dims(inside, 3), result, convert(extrapolation_value, dtypes.float32))


def _crop_size(crop_size: Any) -> tuple[int, int]:
    given = crop_size if isinstance(crop_size, (list, tuple)) else convert(crop_size)
    if isinstance(given, Tensor):
        if given.__class__ is not EagerTensor:
            raise NotImplementedError(
                "tf.image.crop_and_resize: crop_size must be known when the graph is built."
            )
        given = given._array.reshape(-1).tolist()
    if len(given) != 2 or min(given) <= 0:
        raise invalid(
            f"tf.image.crop_and_resize: crop_size must be two positive integers; got {list(given)}."
        )
    return int(given[0]), int(given[1])


def _check_crops(x: Any, boxes: Any, index: Any, method: str) -> None:
    for value, rank, what in ((x, 4, "image"), (boxes, 2, "boxes"), (index, 1, "box_indices")):
        dims = value._spec.shape
        if dims is None and what == "image":
            raise ValueError("tf.image.crop_and_resize needs images of known rank.")
        if dims is not None and len(dims) != rank:
            raise invalid(f"tf.image.crop_and_resize: {what} must have rank {rank}; got shape {value.shape}.")
    if boxes._spec.shape is not None and boxes._spec.shape[1] not in (4, None):
        raise invalid(f"tf.image.crop_and_resize: boxes must have shape [n, 4]; got {boxes.shape}.")
    if boxes._spec.shape is not None and not index.shape.is_compatible_with(boxes.shape[:1]):
        raise invalid(
            f"tf.image.crop_and_resize: a box index is needed for each of {boxes.shape[0]} boxes; got {index.shape}."
        )
    if method not in ("bilinear", "nearest"):
        raise invalid(f"tf.image.crop_and_resize: method must be 'bilinear' or 'nearest'; got {method!r}.")


def _within(at: Any, size: Any) -> Any:
    last = cast(convert(size - 1), dtypes.float32)
    return compare.logical_and(compare.greater_equal(at, 0.0), compare.less_equal(at, last))


def _clipped(at: Any, size: Any) -> Any:
    return math.minimum(math.maximum(cast(at, dtypes.int32), 0), convert(size - 1, dtypes.int32))


def _nearest_crops(read: Any, y: Any, x: Any, height: Any, width: Any) -> Any:
    half = convert(0.5, dtypes.float32)
    return read(
        _clipped(math.floor(math.add(y, half)), height), _clipped(math.floor(math.add(x, half)), width)
    )


def _bilinear_crops(read: Any, y: Any, x: Any, height: Any, width: Any) -> Any:
    low_y, low_x = math.floor(y), math.floor(x)
    top, bottom = _clipped(low_y, height), _clipped(math.ceil(y), height)
    left, right = _clipped(low_x, width), _clipped(math.ceil(x), width)
    part_y = layout.reshape(math.subtract(y, low_y), [-1, y._spec.shape[1], 1, 1])
    part_x = layout.reshape(math.subtract(x, low_x), [-1, 1, x._spec.shape[1], 1])
    upper_left, upper_right = read(top, left), read(top, right)
    lower_left, lower_right = read(bottom, left), read(bottom, right)
    upper = math.add(upper_left, math.multiply(math.subtract(upper_right, upper_left), part_x))
    lower = math.add(lower_left, math.multiply(math.subtract(lower_right, lower_left), part_x))
    return math.add(upper, math.multiply(math.subtract(lower, upper), part_y))


sampled("image.crop_and_resize", lambda: [
    case(Arr((2, 4, 5, 2)), [[0.1, 0.2, 0.7, 0.9], [0.0, 0.0, 1.0, 1.0]], [1, 0], [3, 2], grad=(0, 1), id="bilinear"),
    case(Arr((1, 4, 5, 1)), [[0.9, 0.1, 0.2, 0.7]], [0], [2, 3], id="turned"), case(Arr((1, 4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [0], [1, 1], id="one"),
    case(Arr((1, 4, 5, 1)), [[-0.3, 0.2, 1.4, 0.9]], [0], [3, 3], extrapolation_value=7.0, grad=(0,), id="outside"),
    case(Arr((1, 4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [0], [3, 3], "nearest", id="nearest"),
    case(Arr((1, 4, 5, 1), "uint8", 0, 99), [[0.1, 0.2, 0.7, 0.9]], [0], [2, 2], tol=1e-4, id="uint8"),
    bad(Arr((4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [0], [2, 2], id="rank"), bad(Arr((1, 4, 5, 1)), [[0.1, 0.2]], [0], [2, 2], id="boxes"),
    bad(Arr((1, 4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [3], [2, 2], error="OutOfRangeError", id="index"), bad(Arr((1, 4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [0], [0, 2], id="size"),
    bad(Arr((1, 4, 5, 1)), [[0.1, 0.2, 0.7, 0.9]], [0], [2, 2], "foo", id="method"),
])  # fmt: skip

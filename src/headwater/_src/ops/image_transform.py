"""Images moved by projective transforms: rotations, shears, zooms and translations."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.op import op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_F = np.float32
_MODES = ("REFLECT", "WRAP", "CONSTANT", "NEAREST")

# -- where each pixel comes from --------------------------------------------------------------------------------------


def _sources(xp: Any, t: Any, height: int, width: int) -> tuple[Any, Any, Any]:
    """Row and column in the input of every pixel of the output, [n, height, width], and where there are none."""
    t = t[:, :, None, None]
    x = np.arange(width, dtype=_F)[None, None, :]
    y = np.arange(height, dtype=_F)[None, :, None]
    scale = t[:, 6] * x + t[:, 7] * y + _F(1)
    nowhere = scale == 0
    scale = xp.where(nowhere, _F(1), scale)
    return (
        (t[:, 3] * x + t[:, 4] * y + t[:, 5]) / scale,
        (t[:, 0] * x + t[:, 1] * y + t[:, 2]) / scale,
        nowhere,
    )


def _reflected(xp: Any, at: Any, size: int) -> Any:
    if size <= 1:
        return xp.zeros_like(at)
    period = _F(2 * size)
    low = xp.where(at < -period, period * xp.trunc(-at / period) + at, at)
    low = xp.where(low < -_F(size), low + period, -low - _F(1))
    high = at - period * xp.trunc(at / period)
    high = xp.where(high >= size, period - high - _F(1), high)
    return xp.clip(xp.where(at < 0, low, xp.where(at > size - 1, high, at)), _F(0), _F(size - 1))


def _wrapped(xp: Any, at: Any, size: int) -> Any:
    if size <= 1:
        return xp.zeros_like(at)
    step = _F(size - 1)
    low = at + _F(size) * (xp.trunc(-at / step) + _F(1))
    high = at - _F(size) * xp.trunc(at / step)
    return xp.clip(xp.where(at < 0, low, xp.where(at > step, high, at)), _F(0), step)


def _mapped(xp: Any, at: Any, size: int, mode: str) -> Any:
    if mode == "REFLECT":
        return _reflected(xp, at, size)
    if mode == "WRAP":
        return _wrapped(xp, at, size)
    return xp.clip(at, _F(0), _F(size - 1)) if mode == "NEAREST" else at


# -- reading ----------------------------------------------------------------------------------------------------------


def _read(xp: Any, flat: Any, row: Any, column: Any, size: tuple[int, int], fill: Any) -> Any:
    """Pixels at whole positions, [n, rows, columns, channels]; `fill` outside the image."""
    height, width = size
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    place = xp.where(inside, row * _F(width) + column, _F(0)) if height * width < 1 << 24 else None
    if place is None:
        place = xp.where(inside, row, 0).astype(np.int64) * width + xp.where(inside, column, 0).astype(
            np.int64
        )
    place = place.astype(np.int64 if xp is np else np.int32)
    images = np.arange(flat.shape[0])[:, None, None]
    return xp.where(inside[..., None], flat[images, place], fill)


def _rounded(xp: Any, at: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    return xp.trunc(at + xp.where(at < 0, _F(-0.5), _F(0.5)))


def _transform(
    xp: Any, x: Any, t: Any, fill: Any, output_shape: tuple[int, int], interpolation: str, fill_mode: str
) -> Any:
    specs = (Spec(v.shape, v.dtype) for v in (x, t, fill))
    n, rows, columns, channels = _shape(
        *specs, output_shape=output_shape, interpolation=interpolation, fill_mode=fill_mode
    )
    height, width = x.shape[1:3]
    if not (n and rows and columns and channels):
        return xp.zeros((n, rows, columns, channels), x.dtype)
    filler = fill.astype(x.dtype)
    if not height * width:
        return xp.broadcast_to(filler, (n, rows, columns, channels))
    y_at, x_at, nowhere = _sources(xp, t, rows, columns)
    y_at, x_at = _mapped(xp, y_at, height, fill_mode), _mapped(xp, x_at, width, fill_mode)
    flat = x.reshape(n, height * width, channels)
    if interpolation == "NEAREST":
        value = _read(xp, flat, _rounded(xp, y_at), _rounded(xp, x_at), (height, width), filler)
    else:
        wide = np.float64 if x.dtype == np.float64 else _F
        value = _blend(xp, flat.astype(wide), y_at, x_at, (height, width), filler.astype(wide)).astype(
            x.dtype
        )
    return xp.where(nowhere[..., None], filler, value)


def _blend(xp: Any, flat: Any, y_at: Any, x_at: Any, size: tuple[int, int], fill: Any) -> Any:
    top, left = xp.floor(y_at), xp.floor(x_at)
    bottom, right = top + _F(1), left + _F(1)
    to_right, to_left = (x_at - left)[..., None], (right - x_at)[..., None]
    upper = to_left * _read(xp, flat, top, left, size, fill) + to_right * _read(
        xp, flat, top, right, size, fill
    )
    lower = to_left * _read(xp, flat, bottom, left, size, fill) + to_right * _read(
        xp, flat, bottom, right, size, fill
    )
    return (bottom - y_at)[..., None] * upper + (y_at - top)[..., None] * lower


def _shape(x: Spec, t: Spec, fill: Spec, *, output_shape: Any, interpolation: str, fill_mode: str) -> Partial:
    if interpolation not in ("NEAREST", "BILINEAR"):
        raise ValueError(f"interpolation must be NEAREST or BILINEAR; got {interpolation!r}")
    if fill_mode not in _MODES:
        raise ValueError(f"fill_mode must be one of {', '.join(_MODES)}; got {fill_mode!r}")
    if x.shape is not None and len(x.shape) != 4:
        raise ValueError(
            f"images must have rank 4, [batch, height, width, channels]; got shape {list(x.shape)}"
        )
    if fill.shape not in ((), None):
        raise ValueError(f"fill_value must be a scalar; got shape {list(fill.shape)}")
    if t.shape is not None:
        if len(t.shape) != 2 or t.shape[1] not in (8, None):
            raise ValueError(f"transforms must have shape [batch, 8] or [1, 8]; got {list(t.shape)}")
        if x.shape is not None and t.shape[0] not in (1, None, x.shape[0]) and x.shape[0] is not None:
            raise ValueError(f"transforms must be 1 or as many as the {x.shape[0]} images; got {t.shape[0]}")
    dims = dims_of(output_shape)
    if dims is None:
        dims = (None, None)
    if len(dims) != 2 or any(d is not None and d <= 0 for d in dims):
        raise ValueError(f"output_shape must be two positive integers; got {list(dims)}")
    return (None, *dims, None) if x.shape is None else (x.shape[0], *dims, x.shape[3])


# -- the operation ----------------------------------------------------------------------------------------------------


def _inverse(transforms: Any) -> Any:
    """The opposite transforms, by way of 3 x 3 matrices whose last entry is 1."""
    matrix = layout.reshape(joining.concat([transforms, create.ones_like(transforms[:, :1])], 1), [-1, 3, 3])
    flat = layout.reshape(linalg.inv(matrix), [-1, 9])
    return math.divide(flat[:, :8], flat[:, 8:])


def _grad(
    g: Any,
    y: Any,
    x: Any,
    transforms: Any,
    fill: Any,
    *,
    output_shape: Any,
    interpolation: str,
    fill_mode: str,
) -> Any:
    """The output's gradient moved back. TensorFlow's rule; it is the adjoint where pixels land on pixels."""
    return _projective(
        g, _inverse(transforms), create.zeros_like(fill), output_shape=layout.static_dims(x)[1:3],
        interpolation=interpolation, fill_mode=fill_mode,
    )  # fmt: skip


_projective = op(
    "ImageProjectiveTransformV3",
    "images: uint8|int32|int64|float16|bfloat16|float32|float64, transforms: float32, fill_value: float32 -> ?: images",
    numpy=lambda x, t, fill, *, output_shape, interpolation, fill_mode: _transform(
        np, x, t, fill, output_shape, interpolation, fill_mode),
    lower=lambda x, t, fill, *, output_shape, interpolation, fill_mode: _transform(
        jnp, x, t, fill, output_shape, interpolation, fill_mode),
    grad=(_grad, None, None),
    shape=_shape,
    attrs={"output_shape": (), "interpolation": "BILINEAR", "fill_mode": "CONSTANT"}, host=("output_shape",),
    doc="Images moved by projective transforms, which map the pixels of the output to those of the input.",
)  # fmt: skip


@export("raw_ops.ImageProjectiveTransformV3")
def image_projective_transform_v3(
    *, images: Any, transforms: Any, output_shape: Any, fill_value: Any, interpolation: str, fill_mode: str = "CONSTANT",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Images moved by projective transforms.

    Args:
      images: tensor [batch, height, width, channels].
      transforms: float32 [batch, 8] or [1, 8]. Row (a0, a1, a2, b0, b1, b2, c0, c1) reads the output's pixel (x, y) from
        ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of the input, where k = c0 x + c1 y + 1.
      output_shape: the (height, width) of the result.
      fill_value: what stands outside the image in mode CONSTANT.
      interpolation: "NEAREST" or "BILINEAR".
      fill_mode: what lies outside the image: "CONSTANT", "REFLECT" (the image mirrored), "WRAP" (repeated), "NEAREST" (its border).
      name: optional.

    Returns:
      A tensor [batch, *output_shape, channels] of the dtype of images.

    Raises:
      InvalidArgumentError: a shape does not fit, or a mode is unknown.
    """
    size = (
        output_shape
        if output_shape.__class__ is tuple
        else host_ints(output_shape, "tf.raw_ops.ImageProjectiveTransformV3: output_shape")
    )
    if size.__class__ is tuple and len(size) != 2:
        raise invalid(
            f"tf.raw_ops.ImageProjectiveTransformV3: output_shape must be (height, width); got {size}."
        )
    return _projective(
        images, convert(transforms, dtypes.float32), convert(fill_value, dtypes.float32), output_shape=size,
        interpolation=_text(interpolation), fill_mode=_text(fill_mode), name=name,
    )  # fmt: skip


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _cases() -> list[Any]:
    image, move = Arr((2, 4, 5, 2)), [[1.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0, 0.0]]
    skew = [[0.9, 0.3, -1.7, -0.2, 1.1, 0.6, 0.02, -0.01]]
    far = [[2.0, 0.0, -7.3, 0.1, 3.0, -9.6, 0.0, 0.0]]
    base = {"output_shape": [4, 5], "fill_value": 0.5}
    return [
        *[case(images=image, transforms=t, interpolation=i, fill_mode=m, tol=1e-4, id=f"{m}-{i}-{k}".lower(), **base)
          for m in _MODES for i in ("NEAREST", "BILINEAR") for k, t in (("skew", skew), ("far", far))],
        *[case(images=Tensor_(Arr((1, 3, 3, 1), d, 0, 50)), transforms=skew, output_shape=[2, 4], fill_value=1.0, interpolation="BILINEAR", tol=1e-4, id=d)
          for d in ("uint8", "int32", "int64", "float16", "float64")],
        case(images=image, transforms=[*move, *skew], interpolation="BILINEAR", tol=1e-4, id="each", **base),
        case(images=image, transforms=move, interpolation="NEAREST", grad=("images",), id="gradient", **base),
        case(images=Arr((0, 4, 5, 2)), transforms=move, interpolation="BILINEAR", id="empty", **base),
        bad(images=Arr((4, 5, 1)), transforms=move, interpolation="BILINEAR", id="rank", **base),
        bad(images=image, transforms=[[1.0, 0.0]], interpolation="BILINEAR", id="transforms", **base),
        bad(images=image, transforms=move * 3, interpolation="BILINEAR", id="count", **base),
        bad(images=image, transforms=move, output_shape=[4], fill_value=0.0, interpolation="BILINEAR", id="output"),
        bad(images=Tensor_(Arr((1, 3, 3, 1), "int8")), transforms=move, interpolation="BILINEAR", id="int8", **base),
    ]  # fmt: skip


sampled("raw_ops.ImageProjectiveTransformV3", _cases)

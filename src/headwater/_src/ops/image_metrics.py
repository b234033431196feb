"""How images differ: gradients, edges, total variation, signal to noise, structural similarity."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.image_colour as colour
import headwater._src.ops.image_geometry as geometry
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.nn as nn
import headwater._src.ops.pool as pool
import headwater._src.ops.reduce as reduce
import headwater._src.ops.shape as shaping
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert, host_int
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.cast import cast

# -- differences of neighbours ----------------------------------------------------------------------------------------


@export("image.image_gradients")
def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel below and to the right, 0 at the border.

    Args:
      image: tensor [batch, height, width, channels].

    Returns:
      (dy, dx), both of the shape of image.

    Raises:
      ValueError: the rank is not 4.
    """
    x = image if image.__class__ is EagerTensor else convert(image)
    if x._spec.shape is None or len(x._spec.shape) != 4:
        raise ValueError(
            f"tf.image.image_gradients takes images of rank 4, [batch, height, width, channels]; got shape {x.shape}."
        )
    down = math.subtract(x[:, 1:], x[:, :-1])
    right = math.subtract(x[:, :, 1:], x[:, :, :-1])
    return _like(shaping.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]]), x), _like(
        shaping.pad(right, [[0, 0], [0, 0], [0, 1], [0, 0]]), x
    )


def _like(y: Any, x: Any) -> Any:
    return y if y.__class__ is EagerTensor else layout.ensure_shape(y, x.shape)


@export("image.sobel_edges")
def sobel_edges(image: Any) -> Tensor:
    """Sobel's edges: how the image changes downwards and to the right, smoothed across; the border is mirrored.

    Args:
      image: float tensor [batch, height, width, channels].

    Returns:
      A tensor [batch, height, width, channels, 2] of (dy, dx).
    """
    x = image if image.__class__ is EagerTensor else convert(image)
    if x._spec.shape is None or len(x._spec.shape) != 4:
        raise ValueError(
            f"tf.image.sobel_edges takes images of rank 4, [batch, height, width, channels]; got shape {x.shape}."
        )
    if not x.dtype.is_floating:
        raise invalid(f"tf.image.sobel_edges takes images of floats; got {x.dtype.name}.")
    wide = shaping.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    across = math.add(math.add(wide[:, :, :-2], wide[:, :, 2:]), math.multiply(wide[:, :, 1:-1], 2))
    along = math.add(math.add(wide[:, :-2], wide[:, 2:]), math.multiply(wide[:, 1:-1], 2))
    dy = math.subtract(across[:, 2:], across[:, :-2])
    dx = math.subtract(along[:, :, 2:], along[:, :, :-2])
    return joining.stack([_like(dy, x), _like(dx, x)], -1)


@export("image.total_variation")
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the absolute differences of neighbouring pixels, for one image or each of a batch.

    Raises:
      ValueError: the rank is not 3 or 4.
    """
    x = images if images.__class__ is EagerTensor else convert(images)
    rank = None if x._spec.shape is None else len(x._spec.shape)
    if rank not in (3, 4):
        raise ValueError(f"tf.image.total_variation takes images of rank 3 or 4; got shape {x.shape}.")
    axes = None if rank == 3 else (1, 2, 3)
    down = math.subtract(x[..., 1:, :, :], x[..., :-1, :, :])
    right = math.subtract(x[..., 1:, :], x[..., :-1, :])
    return math.add(reduce.reduce_sum(math.abs_(down), axes), reduce.reduce_sum(math.abs_(right), axes))


sampled("image.image_gradients", lambda: [
    *[case(Tensor_(Arr((1, 3, 2, 2), d)), grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "int32")],
    bad(Tensor_(Arr((3, 2, 2))), error="ValueError", id="rank"),
])  # fmt: skip
sampled(
    "image.sobel_edges",
    lambda: [
        case(Tensor_(Arr((1, 3, 4, 2))), grad=(0,), id="float32"),
        case(Tensor_(Arr((2, 2, 2, 1))), id="small"),
    ],
)
sampled("image.total_variation", lambda: [
    case(Tensor_(Arr((3, 4, 2))), id="single"), case(Tensor_(Arr((2, 3, 4, 1))), grad=(0,), id="batch"), bad(Tensor_(Arr((3, 2))), error="ValueError", id="rank"),
])  # fmt: skip

# -- comparing two ----------------------------------------------------------------------------------------------------


def _pair(a: Any, b: Any, max_val: Any, name: str) -> tuple[Any, Any, Any]:
    """Both images and the largest value as float32."""
    x, y = convert(a), convert(b)
    for value in (x, y):
        if not (value.dtype.is_floating or value.dtype.is_integer):
            raise invalid(f"tf.image.{name} takes images of floats or integers; got {value.dtype.name}.")
    top = cast(convert(max_val), x.dtype)
    x, y, top = (colour.convert_image_dtype(v, dtypes.float32) for v in (x, y, top))
    for value in (x, y):
        if value._spec.shape is None:
            raise ValueError(f"tf.image.{name} needs images of known rank.")
        if len(value._spec.shape) < 3:
            same = name == "psnr" and len(x._spec.shape) == len(y._spec.shape or ())
            raise (invalid if same else ValueError)(
                f"tf.image.{name} needs rank 3 or more, [..., height, width, channels]; got shape {value.shape}."
            )
    for m, n in zip(x._spec.shape[-3:], y._spec.shape[-3:], strict=True):
        if m is not None and n is not None and m != n:
            raise invalid(f"tf.image.{name} compares images of one size; got shapes {x.shape} and {y.shape}.")
    return x, y, top


@export("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal to noise ratio in decibels, 10 log10(max_val^2 / mean squared error).

    Args:
      a: tensor [..., height, width, channels] of floats or integers.
      b: another one.
      max_val: the largest value that pixels can have.
      name: optional.

    Returns:
      A float32 tensor [...].

    Raises:
      InvalidArgumentError: the images are not of one size, or of a rank less than 3.
    """
    x, y, top = _pair(a, b, max_val, "psnr")
    error = reduce.reduce_mean(math.squared_difference(x, y), (-3, -2, -1))
    per_log = float(np.float32(10 / np.log(10.0)))
    return math.subtract(math.multiply(math.log(top), 2 * per_log), math.multiply(math.log(error), per_log))


def _window(size: int, sigma: float) -> np.ndarray:
    at = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    weights = np.exp(-at * at / np.float32(2 * sigma * sigma))
    return weights / weights.sum()


def _smoothed(x: Any, window: np.ndarray) -> Any:
    """[n, height, width, channels] filtered along height and width where the window fits."""
    for axis in (1, 2):
        size = geometry.sizes(x)[axis]
        count = size - len(window) + 1
        total = None
        for i, weight in enumerate(window.tolist()):
            part = x[:, i : i + count] if axis == 1 else x[:, :, i : i + count]
            total = (
                math.multiply(part, weight) if total is None else math.add(total, math.multiply(part, weight))
            )
        x = total
    return x


def _similarity(x: Any, y: Any, top: Any, window: np.ndarray, k1: float, k2: float) -> tuple[Any, Any]:
    """Wang et al., 2004: the maps of structural similarity and of contrast and structure, [n, h, w, channels]."""
    c1, c2 = math.square(math.multiply(top, k1)), math.square(math.multiply(top, k2))
    mean_x, mean_y = _smoothed(x, window), _smoothed(y, window)
    product = math.multiply(math.multiply(mean_x, mean_y), 2.0)
    squares = math.add(math.square(mean_x), math.square(mean_y))
    luminance = math.divide(math.add(product, c1), math.add(squares, c1))
    cross = math.multiply(_smoothed(math.multiply(x, y), window), 2.0)
    energy = _smoothed(math.add(math.square(x), math.square(y)), window)
    structure = math.divide(
        math.add(math.subtract(cross, product), c2), math.add(math.subtract(energy, squares), c2)
    )
    return math.multiply(luminance, structure), structure


def _flat(x: Any) -> tuple[Any, Any]:
    """Images as one batch, and the dimensions before the last three."""
    dims = geometry.sizes(x)
    if len(dims) == 4:
        return x, None
    last = tuple(dims[-3:])
    return layout.reshape(x, [-1, *last]), dims[:-3]


def _filter_size(size: Any, name: str) -> int:
    if isinstance(size, float):
        raise TypeError(f"tf.image.{name}: filter_size must be an integer; got {size!r}.")
    found = host_int(size, f"tf.image.{name}: filter_size", TypeError, invalid)
    if found < 1:
        raise invalid(f"tf.image.{name}: filter_size must be positive; got {found}.")
    return found


def _check_window(x: Any, size: int, name: str) -> None:
    for d in x._spec.shape[-3:-1]:
        if d is not None and d < size:
            raise invalid(f"tf.image.{name}: filter_size {size} is larger than the image of shape {x.shape}.")


@export("image.ssim")
def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:  # fmt: skip
    """The structural similarity of images (Wang et al., 2004): 1 for equal ones.

    Args:
      img1: tensor [..., height, width, channels] of floats or integers.
      img2: another one.
      max_val: the largest value that pixels can have.
      filter_size: size of the Gaussian window.
      filter_sigma: width of the Gaussian.
      k1: stabilises the quotient of means.
      k2: stabilises the quotient of variances.
      return_index_map: give the map of similarities [..., height', width'] instead of its mean.

    Returns:
      A float32 tensor [...].

    Raises:
      ValueError: the rank is less than 3.
      InvalidArgumentError: the images are not of one size, or smaller than the window.
    """
    x, y, top = _pair(img1, img2, max_val, "ssim")
    filter_size = _filter_size(filter_size, "ssim")
    _check_window(x, filter_size, "ssim")
    (x, lead), (y, _) = _flat(x), _flat(y)
    similar, _ = _similarity(x, y, top, _window(filter_size, filter_sigma), k1, k2)
    found = reduce.reduce_mean(similar, -1 if return_index_map else (1, 2, 3))
    if lead is None:
        return found
    return layout.reshape(found, [*lead, *geometry.sizes(found)[1:]])


_POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@export("image.ssim_multiscale")
def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Any = _POWERS, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03,
) -> Tensor:  # fmt: skip
    """The structural similarity over several scales (Wang, Simoncelli and Bovik, 2003).

    The images are halved between scales; contrast and structure count at each, the luminance at the last.

    Args:
      img1: tensor [..., height, width, channels] of floats or integers.
      img2: another one.
      max_val: the largest value that pixels can have.
      power_factors: the exponent of each scale.
      filter_size: size of the Gaussian window.
      filter_sigma: width of the Gaussian.
      k1: stabilises the quotient of means.
      k2: stabilises the quotient of variances.

    Returns:
      A float32 tensor [...].

    Raises:
      ValueError: the rank is less than 3.
      InvalidArgumentError: the images are not of one size, or too small for so many scales.
    """
    x, y, top = _pair(img1, img2, max_val, "ssim_multiscale")
    (x, lead), (y, _) = _flat(x), _flat(y)
    filter_size = _filter_size(filter_size, "ssim_multiscale")
    window, factors = _window(filter_size, filter_sigma), list(power_factors)
    parts = []
    for i, _factor in enumerate(factors):
        if i:
            x, y = _halved(x), _halved(y)
        _check_window(x, filter_size, "ssim_multiscale")
        similar, structure = _similarity(x, y, top, window, k1, k2)
        parts.append(nn.relu(reduce.reduce_mean(similar if i + 1 == len(factors) else structure, (1, 2))))
    powers = convert(np.array(factors, np.float32))
    found = reduce.reduce_mean(reduce.reduce_prod(math.pow_op(joining.stack(parts, -1), powers), -1), -1)
    return found if lead is None else layout.reshape(found, list(lead))


def _halved(x: Any) -> Any:
    height, width = geometry.sizes(x)[1:3]
    x = shaping.pad(x, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]], "SYMMETRIC")
    return pool.avg_pool2d(x, 2, 2, "VALID")


_SSIM = {"filter_size": 3}
sampled("image.psnr", lambda: [
    case(Arr((2, 3, 3), "float32", 0, 1), Arr((2, 3, 3), "float32", 0, 1, salt=1), 1.0, grad=(0, 1), tol=1e-4, id="float32"),
    case(Tensor_(Arr((2, 2, 3, 1), "uint8", 0, 255)), Tensor_(Arr((2, 2, 3, 1), "uint8", 0, 255, salt=1)), 255, tol=1e-4, id="uint8"),
    case(Arr((1, 1, 1)), Arr((1, 1, 1)), 1.0, id="equal"), bad(Arr((2, 3, 3)), Arr((2, 2, 3)), 1.0, id="shapes"),
    bad(Arr((3, 3)), Arr((3, 3)), 1.0, id="rank"),
])  # fmt: skip
sampled("image.ssim", lambda: [
    case(Arr((1, 4, 5, 1), "float32", 0, 1), Arr((1, 4, 5, 1), "float32", 0, 1, salt=1), 1.0, grad=(0,), tol=1e-3, id="float32", **_SSIM),
    case(Tensor_(Arr((4, 5, 1), "uint8", 0, 255)), Tensor_(Arr((4, 5, 1), "uint8", 0, 255, salt=1)), 255, tol=1e-3, id="uint8", **_SSIM),
    case(Arr((1, 4, 5, 1), "float32", 0, 1), Arr((1, 4, 5, 1), "float32", 0, 1, salt=1), 1.0, return_index_map=True, tol=1e-3, id="map", **_SSIM),
    bad(Arr((1, 4, 5, 1)), Arr((1, 4, 5, 1)), 1.0, id="window"), bad(Arr((4, 5)), Arr((4, 5)), 1.0, error="ValueError", id="rank"),
])  # fmt: skip
sampled("image.ssim_multiscale", lambda: [
    case(Arr((1, 8, 9, 1), "float32", 0, 1), Arr((1, 8, 9, 1), "float32", 0, 1, salt=1), 1.0, (0.4, 0.6), tol=1e-3, id="float32", **_SSIM),
    bad(Arr((1, 8, 9, 1)), Arr((1, 8, 9, 1)), 1.0, id="small"),
])  # fmt: skip

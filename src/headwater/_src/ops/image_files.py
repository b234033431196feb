"""JPEG files beyond reading and writing: what they are, parts of them, and images made worse by them; WebP."""

from __future__ import annotations

import base64
import struct
from typing import Any

import numpy as np

import headwater._src.ops.image_codec as codec
import headwater._src.ops.image_colour as colour
import headwater._src.ops.layout as layout
import headwater._src.ops.random as random
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial, wrap
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_HOST = HOST_ONLY("XLA has no strings")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of the segments that hold an image's size."""

# -- what a file is ---------------------------------------------------------------------------------------------------

_is_jpeg = op(
    "IsJpeg", "contents: S -> ?: bool",
    numpy=lambda s: np.array([v.startswith(b"\xff\xd8\xff") for v in s.reshape(-1).tolist()], bool).reshape(s.shape),
    lower=_HOST, grad=NONDIFF, shape=lambda contents: contents.shape,
)  # fmt: skip


@export("image.is_jpeg", "io.is_jpeg")
def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether each string begins as a JPEG file does."""
    return _is_jpeg(contents, name=name)


def _jpeg_shape(contents: np.ndarray, *, output_type: Any) -> np.ndarray:
    if contents.ndim:
        raise ValueError(f"contents must be one string; got shape {list(contents.shape)}")
    data, at = contents.item(), 2
    if not data.startswith(b"\xff\xd8\xff"):
        raise ValueError(f"the {len(data)} bytes are no JPEG file: they begin {data[:8]!r}")
    while at + 9 < len(data):
        mark, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if data[at] != 0xFF:
            break
        if mark in _FRAMES:
            height, width, channels = struct.unpack_from(">HHB", data, at + 5)
            return np.array([height, width, channels], output_type.np)
        at += 2 + length
    raise ValueError(f"the {len(data)} bytes of the JPEG file end before the size of the image")


def _three(contents: Spec, **_: Any) -> Partial:
    if contents.shape:
        raise ValueError(f"contents must be one string; got shape {wrap(contents.shape)}")
    return (3,)


_extract_shape = op(
    "ExtractJpegShape", "contents: S -> ?: output_type",
    numpy=_jpeg_shape, lower=_HOST, grad=NONDIFF, shape=_three, attrs={"output_type": dtypes.int32},
)  # fmt: skip


@export("image.extract_jpeg_shape", "io.extract_jpeg_shape")
def extract_jpeg_shape(contents: Any, output_type: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """Height, width and channels of the image in a JPEG file, read from its head.

    Args:
      contents: the file's bytes, a scalar string.
      output_type: int32 or int64.
      name: optional.

    Raises:
      InvalidArgumentError: the contents are no JPEG file.
    """
    return _extract_shape(contents, output_type=as_dtype(output_type), name=name)


@export("image.decode_and_crop_jpeg", "io.decode_and_crop_jpeg")
def decode_and_crop_jpeg(
    contents: Any, crop_window: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
    try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """A part of the image in a JPEG file, as uint8.

    Args:
      contents: the file's bytes, a scalar string.
      crop_window: int32 vector: first row, first column, height and width of the part.
      channels: 0 for those of the file, 1 or 3.
      ratio: must be 1.
      fancy_upscaling: must be True.
      try_recover_truncated: must be False.
      acceptable_fraction: without effect.
      dct_method: without effect.
      name: optional.

    Raises:
      InvalidArgumentError: the contents are no JPEG file, or the window leaves the image.
      NotImplementedError: an argument has another value than it must have.
    """
    image = codec.decode_jpeg(
        contents, channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method
    )
    window = convert(crop_window, dtypes.int32)
    if not window.shape.is_compatible_with([4]):
        raise invalid(
            f"tf.image.decode_and_crop_jpeg: crop_window must have 4 elements; got shape {window.shape}."
        )
    known = layout.get_static_value(window)
    if known is not None and image.shape.is_fully_defined():
        top, left, height, width = known.tolist()
        rows, columns = image.shape[:2]
        if min(top, left) < 0 or min(height, width) <= 0 or top + height > rows or left + width > columns:
            raise invalid(
                f"tf.image.decode_and_crop_jpeg: the window {known.tolist()} leaves the image of shape {image.shape}."
            )
    top, left, height, width = (window[i] for i in range(4))
    return image[top : top + height, left : left + width]


@export("image.decode_webp", "io.decode_webp")
def decode_webp(
    contents: Any, channels: int = 0, dtype: Any = dtypes.uint8, name: str | None = None
) -> Tensor:
    """The frames of a WebP file as uint8 [frames, height, width, channels].

    Args:
      contents: the file's bytes, a scalar string.
      channels: 0 for those of the file, 3 or 4.
      dtype: uint8.
      name: optional.

    Raises:
      InvalidArgumentError: the contents are no WebP file, or an argument has another value.
      ImportError: Pillow is not installed.
    """
    if as_dtype(dtype) is not dtypes.uint8 or channels not in (0, 3, 4):
        raise invalid(
            f"tf.image.decode_webp: dtype must be uint8 and channels 0, 3 or 4; got {dtype} and {channels}."
        )
    return _webp(contents, channels=channels, name=name)


def _webp_frames(contents: np.ndarray, *, channels: int) -> np.ndarray:
    image = codec._open(contents, "decode_webp", ("webp",))
    mode = "RGBA" if "A" in image.getbands() else "RGB"
    if channels not in (0, len(mode)):
        raise ValueError(f"the file has {len(mode)} channels, not {channels}")
    frames = []
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        frames.append(np.array(image.convert(mode), np.uint8))
        if len(frames) * frames[0].size > 4 * codec._MAX_PIXELS:
            raise invalid(f"tf.image.decode_webp: the frames hold more than {codec._MAX_PIXELS} pixels.")
    return np.stack(frames)


_webp = op(
    "DecodeWebP", "contents: S -> ?: uint8",
    numpy=_webp_frames, lower=_HOST, grad=NONDIFF,
    shape=lambda contents, *, channels: (None, None, None, channels or None), attrs={"channels": 0},
)  # fmt: skip

# -- images made worse ------------------------------------------------------------------------------------------------


def _encode(images: np.ndarray, quality: np.ndarray) -> np.ndarray:
    if quality.ndim or not 0 <= int(quality) <= 100:
        raise ValueError(f"quality must be one number in [0, 100]; got {quality.tolist()}")
    return codec._jpeg(
        images, format="", quality=int(quality), progressive=False, optimize=False, subsample=True
    )


_encode_variable = op(
    "EncodeJpegVariableQuality", "images: uint8, quality: int32 -> ?: string",
    numpy=_encode, lower=_HOST, grad=NONDIFF, shape=lambda images, quality: (),
)  # fmt: skip


@export("image.adjust_jpeg_quality")
def adjust_jpeg_quality(
    image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None
) -> Tensor:
    """The image as it looks after it was stored as a JPEG file of that quality.

    Args:
      image: uint8, or floats in [0, 1], of shape [height, width, 1 or 3].
      jpeg_quality: an integer in [0, 100].
      dct_method: without effect.
      name: optional.

    Returns:
      A tensor of the image's shape and dtype.

    Raises:
      InvalidArgumentError: the quality is out of range, or the shape does not fit.
      ImportError: Pillow is not installed.
    """
    x = convert(image)
    dtype, channels = x.dtype, x.shape[-1] if x.shape.rank else None
    whole = colour.convert_image_dtype(x, dtypes.uint8, saturate=True)
    stored = _encode_variable(
        whole, convert(jpeg_quality, None if isinstance(jpeg_quality, Tensor) else dtypes.int32)
    )
    back = codec.decode_jpeg(stored, channels or 0)
    return colour.convert_image_dtype(back, dtype, saturate=True)


def _drawn(low: int, high: int, what: str, draw: Any) -> Any:
    if low < 0 or high < 0 or low > 100 or high > 100:
        raise ValueError(f"{what}: the qualities must lie between 0 and 100; got {low} and {high}.")
    if low >= high:
        raise ValueError(
            f"{what}: min_jpeg_quality must be less than max_jpeg_quality; got {low} and {high}."
        )
    return draw()


@export("image.random_jpeg_quality")
def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any = None) -> Tensor:
    """`tf.image.adjust_jpeg_quality` with a quality drawn from [min_jpeg_quality, max_jpeg_quality).

    Raises:
      ValueError: the bounds are no rising pair in [0, 100].
    """
    low, high = min_jpeg_quality, max_jpeg_quality
    draw = lambda: random.uniform([], low, high, dtypes.int32, seed)  # noqa: E731
    return adjust_jpeg_quality(image, _drawn(low, high, "tf.image.random_jpeg_quality", draw))


@export("image.stateless_random_jpeg_quality")
def stateless_random_jpeg_quality(
    image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any
) -> Tensor:
    """`tf.image.random_jpeg_quality` with a seed of two integers, for the same result in every call."""
    low, high = min_jpeg_quality, max_jpeg_quality
    draw = lambda: random.stateless_uniform([], seed, low, high, dtypes.int32)  # noqa: E731
    return adjust_jpeg_quality(image, _drawn(low, high, "tf.image.stateless_random_jpeg_quality", draw))


# -- samples ----------------------------------------------------------------------------------------------------------

_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L"
    "2u71////m8H////6/+b9//j/wAALCAAKAAwBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAAAgMF/8QAGBABAQADAAAAAAAAAAAA"
    "AAAAAQAEUWH/2gAIAQEAAD8AgYHJGBy1wNEwNF//2Q=="
)
sampled(
    "image.is_jpeg",
    lambda: [
        case(_JPEG, id="jpeg"),
        case([[b"abc", _JPEG]], id="several"),
        case(b"", id="nothing"),
        bad(1.0, error="TypeError", id="number"),
    ],
)
sampled("image.extract_jpeg_shape", lambda: [
    case(_JPEG, id="int32"), case(_JPEG, dtypes.int64, id="int64"), bad(b"nothing", id="bytes"), bad(_JPEG[:20], id="short"), bad([_JPEG], id="vector")])  # fmt: skip
sampled("image.decode_and_crop_jpeg", lambda: [
    case(_JPEG, [1, 2, 3, 4], tol=np.inf, id="part"), bad(_JPEG, [1, 2, 30, 4], id="outside"), bad(_JPEG, [1, 2], id="window"), bad(b"x", [0, 0, 1, 1], id="bytes")])  # fmt: skip
_WEBP = base64.b64decode("UklGRjAAAABXRUJQVlA4TCQAAAAvAkAAAC8gEEgMAtnfcIlROYfK/Ce2oaZtAzbU+ZdTI/of0ws=")
sampled("image.decode_webp", lambda: [
    case(_WEBP, id="plain"), bad(_WEBP, 4, id="alpha"), bad(b"nothing", id="bytes"), bad(b"x", 7, id="channels")])  # fmt: skip
_FLAT = Arr((16, 16, 3), "float32", 0.45, 0.55)
sampled("image.adjust_jpeg_quality", lambda: [
    case(_FLAT, 90, tol=0.1, id="float32"), case(Arr((8, 8, 1), "uint8", 90, 110), 50, tol=np.inf, id="grey"), bad(_FLAT, 175, id="quality"), bad(Arr((8, 8), "uint8"), 50, id="rank")])  # fmt: skip
sampled("image.random_jpeg_quality", lambda: [
    case(_FLAT, 75, 95, 3, tol=0.1, id="plain"), bad(_FLAT, 95, 75, error="ValueError", id="order"), bad(_FLAT, -1, 75, error="ValueError", id="range")])  # fmt: skip
sampled("image.stateless_random_jpeg_quality", lambda: [
    case(_FLAT, 75, 95, (1, 2), tol=0.1, id="plain"), bad(_FLAT, 5, 175, (1, 2), error="ValueError", id="range")])  # fmt: skip

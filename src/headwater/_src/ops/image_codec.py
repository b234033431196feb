"""Image files: PNG, JPEG, GIF and BMP to pixels and back, by way of Pillow, which loads at the first use."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np

import headwater._src.ops.image_colour as colour
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_HOST = HOST_ONLY("XLA has no strings")
_MAX_PIXELS = 1 << 28
"""What a file may claim to hold; more is refused before anything is allocated."""

# -- decoding ---------------------------------------------------------------------------------------------------------


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "tf.image reads and writes image files with Pillow, which is not installed: pip install pillow"
        ) from error
    return Image


_FORMATS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"RIFF": "webp",
}


def _format(data: bytes) -> str | None:
    return next((name for head, name in _FORMATS.items() if data.startswith(head)), None)


_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _open(contents: Any, name: str, kinds: tuple[str, ...]) -> Any:
    data = contents.item() if contents.ndim == 0 else None
    if data is None:
        raise invalid(f"tf.image.{name}: contents must be one string; got shape {list(contents.shape)}.")
    if _format(data) not in kinds:
        raise invalid(
            f"tf.image.{name}: the {len(data)} bytes are no {', '.join(k.upper() for k in kinds)} file: they begin {data[:8]!r}."
        )
    image_module = _pillow()
    try:
        image = image_module.open(io.BytesIO(data))
        if image.width * image.height > _MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are more than {_MAX_PIXELS}")
        image.load()
    except Exception as error:
        raise invalid(f"tf.image.{name}: the file can't be read: {error}.") from None
    return image


def _channels_of(image: Any) -> int:
    if image.mode == "P":
        return 4 if "transparency" in image.info else 3
    return {"1": 1, "L": 1, "I;16": 1, "I": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 3}.get(image.mode, 3)


def _pixels(image: Any, channels: int) -> np.ndarray:
    """[height, width, channels] of uint8, or uint16 where the file holds as much."""
    count = channels or _channels_of(image)
    if image.mode.startswith("I"):
        array = np.asarray(image).astype(np.uint16)[:, :, None]
        return np.repeat(array, count, 2) if count != 1 else array
    mode = _MODES[count]
    if image.mode != mode:
        image = image.convert(mode)
    array = np.array(image, np.uint8)
    return array[:, :, None] if array.ndim == 2 else array


def _as(array: np.ndarray, dtype: Any) -> np.ndarray:
    if dtype is dtypes.uint16:
        return array if array.dtype == np.uint16 else array.astype(np.uint16) * np.uint16(257)
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    return array.astype(np.float32) / np.float32(255) if dtype is dtypes.float32 else array


def _still_shape(contents: Spec, *, channels: int, **_: Any) -> Partial:
    return (None, None, channels or None)


def _check_channels(channels: Any, name: str, allowed: tuple[int, ...]) -> int:
    count = int(channels or 0)
    if count not in allowed:
        raise invalid(
            f"tf.image.{name}: channels must be one of {', '.join(map(str, allowed))}; got {channels}."
        )
    return count


_decode_png = op(
    "DecodePng", "contents: S -> ?: dtype",
    numpy=lambda s, *, channels, dtype: _as(_pixels(_open(s, "decode_png", ("png", "jpeg", "gif", "bmp")), channels), dtype),
    lower=_HOST, grad=NONDIFF, shape=_still_shape, attrs={"channels": 0, "dtype": dtypes.uint8},
    doc="The pixels of a PNG file.",
)  # fmt: skip
_decode_jpeg = op(
    "DecodeJpeg", "contents: S -> ?: uint8",
    numpy=lambda s, *, channels: _as(_pixels(_open(s, "decode_jpeg", ("jpeg", "png", "gif", "bmp")), channels), dtypes.uint8),
    lower=_HOST, grad=NONDIFF, shape=_still_shape, attrs={"channels": 0},
    doc="The pixels of a JPEG file.",
)  # fmt: skip
_decode_bmp = op(
    "DecodeBmp", "contents: S -> ?: uint8",
    numpy=lambda s, *, channels: _as(_pixels(_open(s, "decode_bmp", ("bmp",)), channels), dtypes.uint8),
    lower=_HOST, grad=NONDIFF, shape=_still_shape, attrs={"channels": 0},
    doc="The pixels of a BMP file.",
)  # fmt: skip


def _frames(contents: np.ndarray, name: str) -> np.ndarray:
    image = _open(contents, name, ("gif", "png", "jpeg"))
    frames = []
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        frames.append(np.array(image.convert("RGB"), np.uint8))
        if len(frames) * frames[0].size > 4 * _MAX_PIXELS:
            raise invalid(f"tf.image.{name}: the frames hold more than {_MAX_PIXELS} pixels.")
    return np.stack(frames)


_ONE_PIXEL_GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

decode_gif_op = op(
    "DecodeGif", "contents: S -> ?: uint8",
    numpy=lambda s: _frames(s, "decode_gif"),
    lower=_HOST, grad=NONDIFF, shape=lambda s: (None, None, None, 3),
    api=("image.decode_gif",),
    cases=lambda: [case(_ONE_PIXEL_GIF, id="pixel"), bad(b"no GIF", id="garbage")],
    doc="""The frames of a GIF file as uint8 [frames, height, width, 3].

    Args:
      contents: scalar string, the file.
      name: optional.

    Raises:
      InvalidArgumentError: the bytes are no such file.
      ImportError: Pillow is not installed.
    """,
)  # fmt: skip


def _any_image(contents: np.ndarray, *, channels: int, dtype: Any, expand: bool) -> np.ndarray:
    data = contents.item() if contents.ndim == 0 else b""
    if _format(data) == "gif":
        frames = _frames(contents, "decode_image")
        return _as(frames if expand else frames[0], dtype)
    return _as(_pixels(_open(contents, "decode_image", ("png", "jpeg", "bmp")), channels), dtype)


_decode_any = op(
    "DecodeImage", "contents: S -> ?: dtype",
    numpy=_any_image,
    lower=_HOST, grad=NONDIFF,
    shape=lambda s, *, channels, dtype, expand: None if expand else (None, None, channels or None),
    attrs={"channels": 0, "dtype": dtypes.uint8, "expand": True},
    doc="The pixels of a file of any known format; all frames of a GIF where `expand` says so.",
)  # fmt: skip


@export("image.decode_png")
def decode_png(
    contents: Any, channels: int = 0, dtype: Any = dtypes.uint8, name: str | None = None
) -> Tensor:
    """The pixels of a PNG file as [height, width, channels].

    Args:
      contents: scalar string, the file.
      channels: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha; 0 for what the file has.
      dtype: uint8 or uint16.
      name: optional.

    Raises:
      InvalidArgumentError: the bytes are no such file, or an argument is out of range.
      ImportError: Pillow is not installed.
    """
    wanted = as_dtype(dtype)
    if wanted not in (dtypes.uint8, dtypes.uint16):
        raise invalid(f"tf.image.decode_png: dtype must be uint8 or uint16; got {wanted.name}.")
    return _decode_png(
        contents, channels=_check_channels(channels, "decode_png", (0, 1, 2, 3, 4)), dtype=wanted, name=name
    )


@export("image.decode_jpeg", "io.decode_jpeg")
def decode_jpeg(
    contents: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True, try_recover_truncated: bool = False,
    acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The pixels of a JPEG file as uint8 [height, width, channels].

    Args:
      contents: scalar string, the file.
      channels: 1 grey, 3 colour; 0 for what the file has.
      ratio: must be 1: no scaling while reading.
      fancy_upscaling: must be True, as the decoder does it.
      try_recover_truncated: must be False.
      acceptable_fraction: must be 1.
      dct_method: a hint, ignored.
      name: optional.

    Raises:
      InvalidArgumentError: the bytes are no such file, or channels is out of range.
      NotImplementedError: another option than those above.
      ImportError: Pillow is not installed.
    """
    if ratio != 1 or not fancy_upscaling or try_recover_truncated or acceptable_fraction != 1:
        raise NotImplementedError(
            "tf.image.decode_jpeg reads whole files at full size: ratio=1, fancy_upscaling=True, try_recover_truncated=False."
        )
    return _decode_jpeg(contents, channels=_check_channels(channels, "decode_jpeg", (0, 1, 3)), name=name)


@export("image.decode_bmp", "io.decode_bmp")
def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """The pixels of a BMP file as uint8 [height, width, channels]; the errors are those of `tf.image.decode_png`."""
    return _decode_bmp(contents, channels=_check_channels(channels, "decode_bmp", (0, 1, 3, 4)), name=name)


@export("image.decode_image", "io.decode_image")
def decode_image(
    contents: Any,
    channels: Any = None,
    dtype: Any = dtypes.uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """The pixels of a PNG, JPEG, GIF or BMP file, whichever it is.

    Args:
      contents: scalar string, the file.
      channels: as in `tf.image.decode_png`; None or 0 for what the file has.
      dtype: uint8, uint16 or float32 (scaled to [0, 1]).
      name: optional.
      expand_animations: give all frames of a GIF, [frames, height, width, 3]; else its first alone, [height, width, 3].

    Raises:
      InvalidArgumentError: the bytes are no such file, or an argument is out of range.
      ImportError: Pillow is not installed.
    """
    wanted = as_dtype(dtype)
    if wanted not in (dtypes.uint8, dtypes.uint16, dtypes.float32):
        pixels = _decode_any(
            contents,
            channels=_check_channels(channels, "decode_image", (0, 1, 3, 4)),
            expand=bool(expand_animations),
        )
        return colour.convert_image_dtype(pixels, wanted)
    return _decode_any(
        contents,
        channels=_check_channels(channels, "decode_image", (0, 1, 3, 4)),
        dtype=wanted,
        expand=bool(expand_animations),
        name=name,
    )


# -- encoding ---------------------------------------------------------------------------------------------------------


def _bytes(data: bytes) -> np.ndarray:
    out = np.empty((), object)
    out[()] = data
    return out


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(image: np.ndarray, compression: int) -> bytes:
    """A PNG file (ISO/IEC 15948), each row unfiltered; Pillow writes no 16-bit colour, so it is written here."""
    height, width, channels = image.shape
    wide = image.dtype == np.uint16
    rows = image.astype(">u2" if wide else np.uint8).reshape(height, -1).view(np.uint8)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], 1).tobytes()
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 16 if wide else 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(raw, compression))
        + _chunk(b"IEND", b"")
    )


def _encode_all(image: np.ndarray, *, compression: int) -> np.ndarray:
    if image.ndim < 3 or image.shape[-1] not in (1, 2, 3, 4) or 0 in image.shape[-3:]:
        raise ValueError(f"image must have shape [..., height, width, 1 to 4]; got {list(image.shape)}")
    if image.ndim == 3:
        return _bytes(_png(image, compression))
    out = np.empty(image.shape[:-3], object)
    for i in np.ndindex(*out.shape):
        out[i] = _png(image[i], compression)
    return out


_encode_png = op(
    "EncodePng", "image: uint8|uint16 -> ?: string",
    numpy=_encode_all, lower=_HOST, grad=NONDIFF, shape=lambda x, *, compression: None if x.shape is None else x.shape[:-3],
    attrs={"compression": -1}, doc="PNG files of images.",
)  # fmt: skip


@export("image.encode_png", "io.encode_png")
def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """Images as PNG files.

    Args:
      image: uint8 or uint16 [..., height, width, channels] of 1 to 4 channels.
      compression: 0 to 9, or -1 for zlib's default.
      name: optional.

    Returns:
      A string for each image.

    Raises:
      InvalidArgumentError: the shape or dtype does not fit.
    """
    if not -1 <= compression <= 9:
        raise invalid(f"tf.image.encode_png: compression must lie in [-1, 9]; got {compression}.")
    return _encode_png(convert(image, None, dtypes.uint8), compression=int(compression), name=name)


def _jpeg(
    image: np.ndarray, *, format: str, quality: int, progressive: bool, optimize: bool, subsample: bool
) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise ValueError(f"image must have shape [height, width, 1 or 3]; got {list(image.shape)}")
    wanted = {"": image.shape[2], "grayscale": 1, "rgb": 3}.get(format)
    if wanted != image.shape[2]:
        raise ValueError(f"format {format!r} does not fit {image.shape[2]} channels")
    picture = _pillow().fromarray(image[:, :, 0] if wanted == 1 else image)
    out = io.BytesIO()
    more = {} if wanted == 1 else {"subsampling": 2 if subsample else 0}
    picture.save(out, "JPEG", quality=quality, progressive=progressive, optimize=optimize, **more)
    return _bytes(out.getvalue())


_encode_jpeg = op(
    "EncodeJpeg", "image: uint8 -> []: string",
    numpy=_jpeg, lower=_HOST, grad=NONDIFF,
    attrs={"format": "", "quality": 95, "progressive": False, "optimize": False, "subsample": True}, doc="A JPEG file of an image.",
)  # fmt: skip


@export("image.encode_jpeg", "io.encode_jpeg")
def encode_jpeg(
    image: Any, format: str = "", quality: int = 95, progressive: bool = False, optimize_size: bool = False,
    chroma_downsampling: bool = True, density_unit: str = "in", x_density: int = 300, y_density: int = 300, xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """An image as a JPEG file.

    Args:
      image: uint8 [height, width, channels] of 1 or 3 channels.
      format: "grayscale", "rgb", or "" for what the channels say.
      quality: 0 to 100.
      progressive: write a progressive file.
      optimize_size: spend time to make the file smaller.
      chroma_downsampling: store colours at half the resolution.
      density_unit: ignored, as x_density, y_density and xmp_metadata are.
      x_density: ignored.
      y_density: ignored.
      xmp_metadata: ignored.
      name: optional.

    Raises:
      InvalidArgumentError: the shape or an argument does not fit.
      ImportError: Pillow is not installed.
    """
    if not 0 <= quality <= 100:
        raise invalid(f"tf.image.encode_jpeg: quality must lie in [0, 100]; got {quality}.")
    return _encode_jpeg(
        convert(image, None, dtypes.uint8), format=format, quality=int(quality), progressive=bool(progressive),
        optimize=bool(optimize_size), subsample=bool(chroma_downsampling), name=name,
    )  # fmt: skip


# A grey and a colour image of 2 x 3 pixels, so that the samples need no Pillow to be declared.
_GREY_PNG = _png(np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 40, 9)
_COLOUR_PNG = _png(np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14, 9)
_ALPHA_PNG = _png(np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10, 9)
sampled("image.decode_png", lambda: [
    case(_GREY_PNG, id="grey"), case(_COLOUR_PNG, id="colour"), case(_ALPHA_PNG, id="alpha"), case(_COLOUR_PNG, 3, dtypes.uint16, id="uint16"),
    case(_GREY_PNG, 3, id="to-colour"), case(_ALPHA_PNG, 3, id="no-alpha"), bad(b"nothing", id="bytes"), bad(_GREY_PNG, 7, id="channels"),
    bad([_GREY_PNG], id="vector"),
])  # fmt: skip
sampled("image.decode_image", lambda: [
    case(_COLOUR_PNG, id="png"), case(_COLOUR_PNG, dtype=dtypes.float32, tol=1e-5, id="float32"), case(_GREY_PNG, 3, id="to-colour"),
    case(_COLOUR_PNG, expand_animations=False, id="still"), bad(b"nothing", id="bytes"),
])  # fmt: skip
sampled(
    "image.encode_png",
    lambda: [bad(Arr((2, 3), "uint8"), id="rank"), bad(Arr((2, 3, 5), "uint8"), id="channels")],
)
sampled(
    "image.encode_jpeg",
    lambda: [bad(Arr((2, 3), "uint8"), id="rank"), bad(Arr((2, 3, 2), "uint8"), id="channels")],
)

"""WAV files: 16-bit samples to floats and back."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial, wrap
from headwater._src.core.convert import host_int
from headwater._src.core.memory import check_work
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_HOST = HOST_ONLY("XLA has no strings")
_FULL = 1 << 15
_HEADER = struct.Struct("<4sI4s4sIHHIIHH")
"""RIFF, size, WAVE, "fmt ", its length, format, channels, rate, bytes a second, bytes a frame, bits."""


class DecodeWav(NamedTuple):
    """The samples [samples, channels] in [-1, 1), and how many there are in a second."""

    audio: Tensor
    sample_rate: Tensor


def _chunks(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """The fields of the format, and the bytes of the samples."""
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes are too short for the {_HEADER.size} of a WAV file's header")
    riff, _, wave, mark, length, *fields = _HEADER.unpack_from(data)
    if (riff, wave, mark) != (b"RIFF", b"WAVE", b"fmt "):
        raise ValueError(f"contents are no WAV file: they begin {data[:16]!r}")
    if length not in (16, 18):
        raise ValueError(f"the format's description must have 16 or 18 bytes; got {length}")
    kind, channels, rate, per_second, frame, bits = fields
    if kind != 1 or bits != 16:
        raise ValueError(f"the samples must be PCM of 16 bits (format 1); got format {kind} of {bits} bits")
    if not channels or frame != 2 * channels or per_second != rate * frame:
        raise ValueError(
            f"{channels} channels at {rate} samples a second contradict {frame} bytes a frame, {per_second} a second"
        )
    at = 20 + length
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if size > len(data) - at:
            raise ValueError(f"the chunk {name!r} claims {size} bytes; {len(data) - at} are left")
        if name == b"data":
            return (channels, rate, frame), data[at : at + size]
        at += size
    raise ValueError("there is no data chunk")


def _decode(
    contents: np.ndarray, *, desired_channels: int, desired_samples: int
) -> tuple[np.ndarray, np.ndarray]:
    if contents.ndim:
        raise ValueError(f"contents must be one string; got shape {list(contents.shape)}")
    (channels, rate, frame), body = _chunks(contents.item())
    count = len(body) // frame
    sound = np.frombuffer(body[: count * frame], "<i2").reshape(count, channels).astype(
        np.float32
    ) / np.float32(_FULL)
    width = channels if desired_channels == -1 else desired_channels
    length = count if desired_samples == -1 else desired_samples
    check_work(length * width)
    sound = sound[:length, np.minimum(np.arange(width), channels - 1)]
    return np.pad(sound, ((0, length - len(sound)), (0, 0))), np.array(rate, np.int32)


def _decode_shape(contents: Spec, *, desired_channels: int, desired_samples: int) -> tuple[Partial, Partial]:
    if contents.shape:
        raise ValueError(f"contents must be one string; got shape {wrap(contents.shape)}")
    return tuple(None if n == -1 else n for n in (desired_samples, desired_channels)), ()


_decode_op = op(
    "DecodeWav", "contents: S -> ?: float32; ?: int32",
    numpy=_decode, lower=_HOST, grad=NONDIFF, shape=_decode_shape,
    attrs={"desired_channels": -1, "desired_samples": -1},
)  # fmt: skip


@export("audio.decode_wav")
def decode_wav(
    contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: str | None = None
) -> DecodeWav:
    """The sound in a WAV file of 16-bit PCM.

    Args:
      contents: the file's bytes, a scalar string.
      desired_channels: how many channels to give, the last one repeated where the file has fewer; -1 for those in the file.
      desired_samples: how many samples to give, padded with zeros or cut; -1 for those in the file.
      name: optional.

    Returns:
      A named tuple: audio, float32 [samples, channels] in [-1, 1), and sample_rate, an int32 scalar.

    Raises:
      InvalidArgumentError: the contents are no such file, or a number is below -1.
    """
    channels = host_int(desired_channels, "tf.audio.decode_wav: desired_channels")
    samples = host_int(desired_samples, "tf.audio.decode_wav: desired_samples")
    for value, what in ((channels, "desired_channels"), (samples, "desired_samples")):
        if value < -1:
            raise invalid(f"tf.audio.decode_wav: {what} must be -1 or more; got {value}.")
    return DecodeWav(*_decode_op(contents, desired_channels=channels, desired_samples=samples))


def _encode(audio: np.ndarray, rate: np.ndarray) -> np.ndarray:
    _encode_shape(Spec(audio.shape, audio.dtype), Spec(rate.shape, rate.dtype))
    hertz, channels = int(rate), audio.shape[1]
    if hertz <= 0:
        raise ValueError(f"sample_rate must be positive; got {hertz}")
    if not 0 < channels < 1 << 16:
        raise ValueError(f"there must be 1 to {(1 << 16) - 1} channels; got {channels}")
    scaled = audio.astype(np.float64) * _FULL
    whole = np.trunc(scaled + np.copysign(0.5, scaled))
    body = np.clip(np.nan_to_num(whole), -_FULL, _FULL - 1).astype("<i2").tobytes()
    frame = 2 * channels
    head = _HEADER.pack(
        b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, channels, hertz, hertz * frame, frame, 16
    )
    out = np.empty((), object)
    out[()] = head + struct.pack("<4sI", b"data", len(body)) + body
    return out


def _encode_shape(audio: Spec, rate: Spec) -> Partial:
    if audio.shape is not None and len(audio.shape) != 2:
        raise ValueError(f"audio must have shape [samples, channels]; got {wrap(audio.shape)}")
    if rate.shape:
        raise ValueError(f"sample_rate must be a scalar; got shape {wrap(rate.shape)}")
    return ()


encode_wav = op(
    "EncodeWav", "audio: float32, sample_rate: int32 -> ?: string",
    numpy=_encode, lower=_HOST, grad=NONDIFF, shape=_encode_shape,
    api=("audio.encode_wav",),
    cases=lambda: [
        case(Arr((5, 2), "float32", -1.5, 1.5), 16000, id="stereo"), case(Arr((3, 1)), 8000, id="mono"), case(Arr((0, 1)), 10, id="empty"),
        bad(Arr((3,)), 8000, id="rank"), bad(Arr((3, 1)), 0, id="rate"), bad(Arr((3, 0)), 8000, id="channels"), bad(Arr((3, 1)), [8000], id="rate-vector"),
    ],
    doc="The bytes of a WAV file of 16-bit PCM with the sound `audio`, [samples, channels] in [-1, 1].",
)  # fmt: skip

_HEAD = b"WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x80>\x00\x00\x00\xfa\x00\x00\x04\x00\x10\x00"
_WAV = b"RIFF0\x00\x00\x00" + _HEAD + b"data\x0c\x00\x00\x00\x00@\xcd\x0c\x00\x80\x9a\x19\xff\x7f\x00\x80"
sampled("audio.decode_wav", lambda: [
    case(_WAV, id="plain"), case(_WAV, 1, id="mono"), case(_WAV, 3, 5, id="padded"), case(_WAV, 2, 1, id="cut"),
    case(_WAV[:12] + _WAV[12:36] + b"LIST\x02\x00\x00\x00ab" + _WAV[36:], id="other-chunk"), bad(b"abc", id="short"), bad(_WAV[:-3], id="cut-off"), bad([_WAV], id="vector"),
    bad(_WAV, -2, id="channels"), bad(_WAV.replace(b"\x01\x00\x02\x00", b"\x03\x00\x02\x00"), id="floats"), bad(_WAV.replace(b"WAVE", b"WAVF"), id="mark"),
])  # fmt: skip

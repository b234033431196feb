"""Cosine transforms and what is built on them: lapped transforms, mel filters, cepstra."""

from __future__ import annotations

import math as math_
from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.shape as shaping
import headwater._src.ops.signal as signal
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.ops.cast import cast
from headwater._src.ops.signal_windows import frame, overlap_and_add, vorbis_window

# -- cosine transforms ------------------------------------------------------------------------------------------------

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def _check_dct(x: Tensor, type: Any, n: Any, axis: Any, norm: Any, name: str) -> None:
    if x.dtype is dtypes.bool_:
        raise TypeError(f"tf.signal.{name} takes floats; got {x.dtype.name}.")
    if x.dtype.is_complex:
        raise ValueError(f"tf.signal.{name} takes floats; got {x.dtype.name}.")
    if axis != -1:
        raise NotImplementedError(
            f"tf.signal.{name} transforms the last dimension only, axis=-1; got axis={axis}. Transpose first."
        )
    if n is not None and n < 1:
        raise ValueError(f"tf.signal.{name}: n must be positive; got {n}.")
    if not isinstance(type, (int, float)) or type not in _INVERSE:
        raise ValueError(f"tf.signal.{name}: type must be 1, 2, 3 or 4; got {type!r}.")
    if type == 1 and norm == "ortho":
        raise ValueError(f"tf.signal.{name}: type 1 has no orthogonal form; use norm=None.")
    if norm not in (None, "ortho"):
        raise ValueError(f"tf.signal.{name}: norm must be None or 'ortho'; got {norm!r}.")
    dims = x._spec.shape
    if type == 1 and dims is not None and dims[-1] is not None and dims[-1] < 2:
        raise ValueError(f"tf.signal.{name}: type 1 needs a dimension of 2 or more; got shape {x.shape}.")


def _last(x: Any) -> Any:
    return signal.lengths_of(x, (-1,))[0]


def _twiddle(n: Any, sign: float, dtype: Any) -> Any:
    """2 exp(sign i pi k / 2n) for k below n, in the complex dtype that goes with a real one."""
    if n.__class__ is int:
        angles = np.arange(n) * (sign * math_.pi / 2 / max(n, 1))
        return of_array(
            (2 * np.exp(1j * angles)).astype(np.complex64 if dtype is dtypes.float32 else np.complex128)
        )
    angles = math.divide(math.multiply(cast(create.range(n), dtype), sign * math_.pi / 2), cast(n, dtype))
    return math.multiply(special.complex_(special.cos(angles), special.sin(angles)), 2)


def _first_apart(x: Any, first: Any, rest: Any) -> Any:
    """`x` with entry 0 of the last dimension multiplied by `first`, the others by `rest`."""
    return joining.concat([math.multiply(x[..., :1], first), math.multiply(x[..., 1:], rest)], -1)


def _size(n: Any, dtype: Any) -> Any:
    return convert(float(n), dtype) if n.__class__ is int else cast(n, dtype)


def _dct1(x: Any) -> Any:
    return special.real(signal.rfft(joining.concat([x, x[..., -2:0:-1]], -1)))


def _dct2(x: Any, norm: Any) -> Any:
    n = _last(x)
    double = 2 * n if n.__class__ is int else math.multiply(n, 2)
    y = special.real(math.multiply(signal.rfft(x, [double])[..., :n], _twiddle(n, -1.0, x.dtype)))
    if norm is None:
        return y
    scale = math.multiply(math.rsqrt(_size(n, x.dtype)), 0.5)
    return _first_apart(y, scale, math.multiply(scale, math_.sqrt(2)))


def _dct3(x: Any, norm: Any) -> Any:
    n = _last(x)
    size = _size(n, x.dtype)
    if norm is None:
        x = math.multiply(x, size)
    else:
        scale = math.sqrt(size)
        x = _first_apart(x, scale, math.multiply(scale, math_.sqrt(0.5)))
    double = 2 * n if n.__class__ is int else math.multiply(n, 2)
    turned = math.multiply(_twiddle(n, 1.0, x.dtype), special.complex_(x, create.zeros_like(x)))
    return signal.irfft(turned, [double])[..., :n]


def _dct4(x: Any, norm: Any) -> Any:
    n = _last(x)
    double = 2 * n if n.__class__ is int else math.multiply(n, 2)
    y = _dct2(_resized(x, double), None)[..., 1::2]
    return (
        y if norm is None else math.multiply(y, math.multiply(math.rsqrt(_size(n, x.dtype)), math_.sqrt(0.5)))
    )


def _resized(x: Any, n: Any) -> Any:
    return signal.fit_spectrum(x, axes=(-1,), lengths=(n,) if n.__class__ is int else layout.reshape(n, [1]))


def _dct(x: Any, type: int, n: Any, norm: Any) -> Any:
    if n is not None:
        x = _resized(x, n)
    if type == 1:
        return _dct1(x)
    return {2: _dct2, 3: _dct3, 4: _dct4}[type](x, norm)


@export("signal.dct")
def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, name: str | None = None
) -> Tensor:
    """The discrete cosine transform of type 1, 2, 3 or 4 over the last dimension (Makhoul, 1980).

    Args:
      input: float32 or float64 tensor [..., samples].
      type: which of the four; type 1 needs two samples or more.
      n: length to cut or pad the samples to first.
      axis: must be -1.
      norm: None, or "ortho" to make types 2, 3 and 4 orthogonal.
      name: optional.

    Raises:
      ValueError: type, n or norm is out of range.
      NotImplementedError: another axis than -1.
    """
    x = convert(input, None, dtypes.float32)
    _check_dct(x, type, n, axis, norm, "dct")
    return _dct(x, type, n, norm)


@export("signal.idct")
def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, name: str | None = None
) -> Tensor:
    """The inverse of `tf.signal.dct` of the same type and norm, up to the factor 2 n (2 (n - 1) for type 1) without norm.

    The arguments and errors are those of `tf.signal.dct`.
    """
    x = convert(input, None, dtypes.float32)
    known = isinstance(type, (int, float)) and type in _INVERSE
    _check_dct(x, _INVERSE[type] if known else type, n, axis, norm, "idct")
    return _dct(x, _INVERSE[type], n, norm)


def _dct_cases() -> list[Any]:
    return [
        *[case(Arr((2, 5)), t, grad=(0,), id=f"type-{t}") for t in (1, 2, 3, 4)],
        *[case(Arr((4,)), t, norm="ortho", grad=(0,), id=f"type-{t}-ortho") for t in (2, 3, 4)],
        *[case(Tensor_(Arr((4,), "float64")), t, id=f"type-{t}-float64") for t in (1, 2, 3, 4)],
        case(Arr((5,)), 2, 3, id="shorter"), case(Arr((5,)), 3, 8, id="longer"),
        bad(Arr((4,)), 5, error="ValueError", id="type"), bad(Arr((4,)), 2, 0, error="ValueError", id="n"),
        bad(Arr((4,)), 2, axis=0, error="NotImplementedError", id="axis"), bad(Arr((4,)), 1, norm="ortho", error="ValueError", id="type-1-ortho"),
        bad(Arr((1,)), 1, error="ValueError", id="type-1-short"), bad(Arr((4,)), 2, norm="x", error="ValueError", id="norm"),
    ]  # fmt: skip


sampled("signal.dct", _dct_cases)
sampled("signal.idct", _dct_cases)

# -- lapped transforms ------------------------------------------------------------------------------------------------


def _windowed(frames: Any, window_fn: Any, length: Any) -> Any:
    window = None if window_fn is None else window_fn(length, dtype=frames.dtype)
    return math.multiply(frames, math_.sqrt(0.5)) if window is None else math.multiply(frames, window)


@export("signal.mdct")
def mdct(
    signals: Any, frame_length: Any, window_fn: Any = vorbis_window, pad_end: bool = False, norm: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The modified discrete cosine transform (Princen, Johnson and Bradley, 1987) of frames that overlap by half.

    Args:
      signals: float32 or float64 tensor [..., samples].
      frame_length: samples in a frame, a multiple of 4.
      window_fn: a function (length, dtype=) that gives the window; None for a rectangle that keeps the energy.
      pad_end: whether zeros follow the signal.
      norm: None or "ortho".
      name: optional.

    Returns:
      A tensor [..., frames, frame_length // 2].

    Raises:
      ValueError: frame_length is no multiple of 4, or the signal a scalar.
    """
    x = convert(signals)
    if x._spec.shape == ():
        raise ValueError("tf.signal.mdct needs signals of rank 1 or more; got a scalar.")
    length = int(frame_length)
    if length % 4:
        raise ValueError(f"tf.signal.mdct: frame_length must be a multiple of 4; got {length}.")
    frames = _windowed(frame(x, length, length // 2, pad_end), window_fn, length)
    a, b, c, d = joining.split(frames, 4, -1)
    first = math.subtract(math.negative(shaping.reverse(c, [-1])), d)
    second = math.subtract(a, shaping.reverse(b, [-1]))
    return dct(joining.concat([first, second], -1), 4, norm=norm)


@export("signal.inverse_mdct")
def inverse_mdct(
    mdcts: Any, window_fn: Any = vorbis_window, norm: Any = None, name: str | None = None
) -> Tensor:
    """The signal of a `tf.signal.mdct`: the frames' aliases cancel where they overlap.

    Args:
      mdcts: float32 or float64 tensor [..., frames, frame_length // 2].
      window_fn: the window that `tf.signal.mdct` had.
      norm: None or "ortho", as `tf.signal.mdct` had.
      name: optional.

    Raises:
      ValueError: the rank is less than 2 or the norm is unknown.
    """
    x = convert(mdcts)
    dims = x._spec.shape
    if dims is not None and len(dims) < 2:
        raise ValueError(
            f"tf.signal.inverse_mdct needs rank 2 or more, [..., frames, frequencies]; got shape {x.shape}."
        )
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise TypeError(f"tf.signal.inverse_mdct takes floats; got {x.dtype.name}.")
    half = _last(x)
    y = dct(x, 4, norm=norm)
    if norm is None:
        y = math.multiply(y, math.divide(convert(0.5, x.dtype), _size(half, x.dtype)))
    first, second = joining.split(y, 2, -1)
    parts = [
        second,
        math.negative(shaping.reverse(second, [-1])),
        math.negative(shaping.reverse(first, [-1])),
        math.negative(first),
    ]
    length = 2 * half if half.__class__ is int else math.multiply(half, 2)
    return overlap_and_add(_windowed(joining.concat(parts, -1), window_fn, length), half)


sampled(
    "signal.mdct",
    lambda: [
        case(Arr((2, 16)), 8, grad=(0,), id="float32"), case(Arr((16,), "float64"), 8, id="float64"),
        case(Arr((16,)), 8, None, norm="ortho", id="ortho"), case(Arr((13,)), 8, pad_end=True, id="pad"),
        bad(Arr((16,)), 6, error="ValueError", id="length"), bad(1.0, 8, error="ValueError", id="scalar"),
    ],
)  # fmt: skip
sampled(
    "signal.inverse_mdct",
    lambda: [
        case(Arr((2, 3, 4)), grad=(0,), id="float32"), case(Arr((3, 4), "float64"), id="float64"),
        case(Arr((3, 4)), None, "ortho", id="ortho"), bad(Arr((4,)), error="ValueError", id="rank"),
    ],
)  # fmt: skip

# -- mel --------------------------------------------------------------------------------------------------------------


def _mel(hertz: Any) -> Any:
    """The mel scale of HTK: 1127 log(1 + f / 700)."""
    return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)


def _check_mel(bins: int, rate: float, low: float, high: float, dtype: Any) -> None:
    name = "tf.signal.linear_to_mel_weight_matrix"
    if bins <= 0:
        raise ValueError(f"{name}: num_mel_bins must be positive; got {bins}.")
    if low < 0 or low >= high:
        raise ValueError(
            f"{name}: the edges must satisfy 0 <= lower_edge_hertz < upper_edge_hertz; got {low} and {high}."
        )
    if rate <= 0 or high > rate / 2:
        raise ValueError(
            f"{name}: upper_edge_hertz must not be above half the sample_rate; got {high} for {rate}."
        )
    if not dtype.is_floating:
        raise ValueError(f"{name}: dtype must be floating; got {dtype.name}.")


@export("signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000, lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The matrix that takes spectra to the mel scale: triangles, evenly spaced in mel, each with peak 1.

    Args:
      num_mel_bins: how many triangles.
      num_spectrogram_bins: frequencies in a spectrum, from 0 to half the sample rate.
      sample_rate: samples in a second.
      lower_edge_hertz: where the first triangle begins.
      upper_edge_hertz: where the last one ends.
      dtype: a floating dtype.
      name: optional.

    Returns:
      A tensor [num_spectrogram_bins, num_mel_bins].

    Raises:
      ValueError: the numbers are out of range.
    """
    wanted = dtypes.as_dtype(dtype)
    for value, what in ((num_mel_bins, "num_mel_bins"), (num_spectrogram_bins, "num_spectrogram_bins")):
        if isinstance(value, str):
            raise TypeError(
                f"tf.signal.linear_to_mel_weight_matrix: {what} must be an integer; got {value!r}."
            )
        if isinstance(value, (list, tuple)):
            raise invalid(f"tf.signal.linear_to_mel_weight_matrix: {what} must be a scalar; got {value!r}.")
    bins, rate = int(num_mel_bins), float(sample_rate)
    low, high = float(lower_edge_hertz), float(upper_edge_hertz)
    _check_mel(bins, rate, low, high, wanted)
    at = _mel(np.linspace(0.0, rate / 2, int(num_spectrogram_bins)))[1:, None]
    edges = np.linspace(_mel(low), _mel(high), bins + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0.0, np.minimum((at - left) / (centre - left), (right - at) / (right - centre)))
    return of_array(np.pad(weights, [[1, 0], [0, 0]]).astype(wanted.np))


@export("signal.mfccs_from_log_mel_spectrograms")
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Mel frequency cepstral coefficients as HTK scales them: the cosine transform of type 2 by sqrt(2 / bins).

    Args:
      log_mel_spectrograms: float tensor [..., num_mel_bins].
      name: optional.

    Raises:
      ValueError: there are no bins.
    """
    x = convert(log_mel_spectrograms)
    dims = x._spec.shape
    if dims == () or dims is not None and 0 in dims[:-1]:
        raise invalid(f"tf.signal.mfccs_from_log_mel_spectrograms takes frames of bins; got shape {x.shape}.")
    if dims is not None and dims[-1:] == (0,):
        raise ValueError(
            f"tf.signal.mfccs_from_log_mel_spectrograms needs one or more bins; got shape {x.shape}."
        )
    bins = _size(_last(x), x.dtype)
    return math.multiply(dct(x, 2), math.rsqrt(math.multiply(bins, 2)))


sampled(
    "signal.linear_to_mel_weight_matrix",
    lambda: [
        case(4, 9, id="small", tol=1e-4), case(3, 9, 16000, 80.0, 7600.0, dtypes.float64, id="float64"),
        bad(0, 9, error="ValueError", id="bins"), bad(4, 9, lower_edge_hertz=-1.0, error="ValueError", id="negative"),
        bad(4, 9, upper_edge_hertz=5000.0, error="ValueError", id="nyquist"), bad(4, 9, 8000, 500.0, 400.0, error="ValueError", id="order"),
        bad(4, 9, dtype=dtypes.int32, error="ValueError", id="dtype"),
    ],
)  # fmt: skip
sampled(
    "signal.mfccs_from_log_mel_spectrograms",
    lambda: [
        case(Arr((2, 5)), grad=(0,), id="float32"), case(Arr((4,), "float64"), id="float64"),
        bad(Arr((2, 0)), error="ValueError", id="empty"),
    ],
)  # fmt: skip

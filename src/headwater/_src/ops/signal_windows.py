"""Windows, frames, short-time Fourier transforms, cosine transforms and mel filters."""

from __future__ import annotations

import math as math_
from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.scans as scans
import headwater._src.ops.shape as shaping
import headwater._src.ops.signal as signal
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, normalize_axis
from headwater._src.core.convert import convert, host_int
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor, of_array
from headwater._src.ops.cast import cast

# -- windows ----------------------------------------------------------------------------------------------------------


def _window_dtype(dtype: Any, name: str) -> Any:
    found = as_dtype(dtype)
    if not found.is_floating:
        raise ValueError(f"tf.signal.{name}: dtype must be floating; got {found.name}.")
    return found


def _window_length(window_length: Any, name: str) -> Any:
    rank = getattr(window_length, "ndim", 0)
    if rank or isinstance(window_length, (list, tuple)):
        raise ValueError(f"tf.signal.{name}: window_length must be a scalar; got {window_length!r}.")
    found = host_int(window_length, f"tf.signal.{name}: window_length", TypeError)
    if found.__class__ is int and found < 0:
        raise invalid(f"tf.signal.{name}: window_length must not be negative; got {found}.")
    return found


def _raised_cosine(length: Any, periodic: Any, dtype: Any, a: float, name: str) -> Tensor:
    """a - (1 - a) cos(2 pi k / n), n one less than the length where the window is to be symmetric."""
    wanted = _window_dtype(dtype, name)
    length = _window_length(length, name)
    if length.__class__ is SymbolicTensor or isinstance(periodic, Tensor):
        return _symbolic_raised_cosine(length, periodic, wanted, a)
    if length == 1:
        return create.ones([1], wanted)
    even = 1 - length % 2
    n = length + (1 if periodic else 0) * even - 1
    work = wanted.np if wanted.np.itemsize >= 4 else np.dtype(np.float32)
    angles = np.arange(length, dtype=work) * work.type(2 * math_.pi) / work.type(max(n, 1))
    return of_array((work.type(a) - work.type(1 - a) * np.cos(angles)).astype(wanted.np))


def _symbolic_raised_cosine(length: Any, periodic: Any, dtype: Any, a: float) -> Tensor:
    length = cast(convert(length), dtypes.int32)
    keep = cast(cast(convert(periodic), dtypes.bool_), dtypes.int32)
    even = math.subtract(1, math.floormod(length, 2))
    n = math.maximum(math.subtract(math.add(length, math.multiply(keep, even)), 1), 1)
    count = cast(create.range(length), dtype)
    angles = math.divide(math.multiply(count, 2 * math_.pi), cast(n, dtype))
    window = math.subtract(convert(a, dtype), math.multiply(special.cos(angles), 1 - a))
    return compare.where(compare.equal(length, 1), create.ones_like(window), window)


@export("signal.hann_window")
def hann_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Hann window, 0.5 - 0.5 cos(2 pi k / n).

    Args:
      window_length: how many values, an integer.
      periodic: n is the length, for spectral analysis; else one less, which makes the window symmetric. Windows of odd
        length are symmetric always, as they are in TensorFlow.
      dtype: a floating dtype.
      name: optional.

    Raises:
      ValueError: the dtype is not floating or window_length no scalar.
    """
    return _raised_cosine(window_length, periodic, dtype, 0.5, "hann_window")


@export("signal.hamming_window")
def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Hamming window, 0.54 - 0.46 cos(2 pi k / n); the arguments are those of `tf.signal.hann_window`."""
    return _raised_cosine(window_length, periodic, dtype, 0.54, "hamming_window")


@export("signal.kaiser_window")
def kaiser_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Kaiser window, I0(beta sqrt(1 - t^2)) / I0(beta) for t from -1 to 1.

    Args:
      window_length: how many values, an integer.
      beta: how narrow the window is.
      dtype: a floating dtype.
      name: optional.

    Raises:
      ValueError: the dtype is not floating or window_length no scalar.
    """
    wanted = _window_dtype(dtype, "kaiser_window")
    length = _window_length(window_length, "kaiser_window")
    if length == 1:
        return create.ones([1], wanted)
    half = math.divide(cast(math.subtract(length, 1), wanted), 2)
    steps = math.subtract(cast(create.range(length), wanted), half)
    beta = cast(convert(beta, None, wanted), wanted)
    inside = math.sqrt(math.maximum(math.subtract(1, math.square(math.divide(steps, half))), 0))
    # The exponentially scaled Bessel function, so that a large beta does not overflow.
    arg = math.multiply(beta, inside)
    ratio = math.divide(special.bessel_i0e(arg), special.bessel_i0e(beta))
    return math.multiply(math.exp(math.subtract(math.abs_(arg), math.abs_(beta))), ratio)


@export("signal.kaiser_bessel_derived_window")
def kaiser_bessel_derived_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """The Kaiser-Bessel derived window, which fits `tf.signal.mdct`; the arguments are those of `tf.signal.kaiser_window`."""
    _window_dtype(dtype, "kaiser_bessel_derived_window")
    length = _window_length(window_length, "kaiser_bessel_derived_window")
    half = math.floordiv(length, 2) if length.__class__ is SymbolicTensor else length // 2
    kaiser = kaiser_window(math.add(half, 1) if half.__class__ is SymbolicTensor else half + 1, beta, dtype)
    sums = scans.cumsum(kaiser)
    rising = math.sqrt(math.divide(sums[:-1], sums[-1]))
    return joining.concat([rising, rising[::-1]], 0)


@export("signal.vorbis_window")
def vorbis_window(window_length: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """The power complementary window of Vorbis I, sin(pi / 2 sin(pi (k + 0.5) / n)^2).

    Args:
      window_length: how many values, an integer.
      dtype: a floating dtype.
      name: optional.

    Raises:
      ValueError: the dtype is not floating or window_length no scalar.
    """
    wanted = _window_dtype(dtype, "vorbis_window")
    length = _window_length(window_length, "vorbis_window")
    steps = cast(create.range(length), wanted)
    slope = special.sin(math.multiply(math.divide(math.add(steps, 0.5), cast(length, wanted)), math_.pi))
    return special.sin(math.multiply(math.square(slope), math_.pi / 2))


for _name in ("hann_window", "hamming_window"):
    sampled(
        "signal." + _name,
        lambda: [
            *[case(n, id=f"of-{n}") for n in (1, 2, 5, 8)], case(6, False, id="symmetric"), case(7, False, dtypes.float64, id="float64"),
            case(4, dtype=dtypes.float16, id="float16"), case(0, id="empty"), bad(4, dtype=dtypes.int32, error="ValueError", id="dtype"),
            bad([4], error="ValueError", id="vector"),
        ],
    )  # fmt: skip
for _name in ("kaiser_window", "kaiser_bessel_derived_window", "vorbis_window"):
    sampled(
        "signal." + _name,
        lambda: [
            *[case(n, id=f"of-{n}") for n in (2, 4, 8)], case(6, dtype=dtypes.float64, id="float64"),
            bad(4, dtype=dtypes.int32, error="ValueError", id="dtype"),
        ],
    )  # fmt: skip
sampled("signal.kaiser_window", lambda: [
    *[case(n, id=f"of-{n}") for n in (1, 2, 5, 8)], case(6, dtype=dtypes.float64, id="float64"), case(6, 2.0, id="beta"),
    bad(4, dtype=dtypes.int32, error="ValueError", id="dtype"), bad([4], error="ValueError", id="vector"),
])  # fmt: skip

# -- frames and their sum ---------------------------------------------------------------------------------------------


def _frame_count(size: int, length: int, step: int) -> int:
    return max(0, 1 + (size - length) // step)


def _frame_shape(x: Spec, *, length: Any, step: Any) -> Partial:
    if x.shape is None:
        return None
    if (length is not None and length < 0) or (step is not None and step < 1):
        raise ValueError(f"frame_length must be >= 0 and frame_step >= 1; got {length} and {step}")
    known = x.shape[-1] is not None and length is not None and step is not None
    return (*x.shape[:-1], _frame_count(x.shape[-1], length, step) if known else None, length)


def _frame(x: np.ndarray, *, length: int, step: int) -> np.ndarray:
    count = _frame_count(x.shape[-1], length, step)
    if not count or not length:
        return np.empty((*x.shape[:-1], count, length), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)
    return np.ascontiguousarray(windows[..., : (count - 1) * step + 1 : step, :])


def _frame_lower(x: Any, *, length: int, step: int) -> Any:
    count = _frame_count(x.shape[-1], length, step)
    return x[..., np.arange(count)[:, None] * step + np.arange(length)]


frame_op = op(
    "Frame", "x: A -> ?: x",
    numpy=_frame,
    lower=_frame_lower,
    grad=lambda g, y, x, *, length, step: _sized(overlap_op(g, step=step), x),
    shape=_frame_shape,
    attrs={"length": 1, "step": 1}, host=("length", "step"), moves=True,
    doc="The last dimension cut into frames of `length`, one every `step`.",
)  # fmt: skip


def _sized(x: Any, like: Any) -> Any:
    return signal.fit_spectrum(x, axes=(-1,), lengths=signal.lengths_of(like, (-1,)))


def _overlap_shape(x: Spec, *, step: Any) -> Partial:
    if x.shape is None:
        return None
    if len(x.shape) < 2:
        raise ValueError(
            f"signal must have rank 2 or more, [..., frames, frame_length]; got shape {list(x.shape)}"
        )
    frames, length = x.shape[-2:]
    if step is not None and step < 1:
        raise ValueError(f"frame_step must be positive; got {step}")
    known = frames is not None and length is not None and step is not None
    return (*x.shape[:-2], max((frames - 1) * step + length, 0) if known else None)


def _overlap(x: np.ndarray, *, step: int) -> np.ndarray:
    frames, length = x.shape[-2:]
    if step < 1:
        raise ValueError("step")
    out = np.zeros((*x.shape[:-2], max((frames - 1) * step + length, 0)), x.dtype)
    if not x.size:
        return out
    # Piece j of every frame lands in one regular grid, so a frame is added in length / step passes, not one by one.
    for start in range(0, length, step):
        width = min(step, length - start)
        grid = np.lib.stride_tricks.sliding_window_view(out, width, axis=-1, writeable=True)
        grid[..., start : start + (frames - 1) * step + 1 : step, :] += x[..., start : start + width]
    return out


def _overlap_lower(x: Any, *, step: int) -> Any:
    frames, length = x.shape[-2:]
    out = jnp.zeros((*x.shape[:-2], max((frames - 1) * step + length, 0)), x.dtype)
    return out.at[..., np.arange(frames)[:, None] * step + np.arange(length)].add(x) if x.size else out


overlap_op = op(
    "OverlapAdd", "x: N -> ?: x",
    numpy=_overlap,
    lower=_overlap_lower,
    grad=lambda g, y, x, *, step: frame_op(g, length=_last(x), step=step),
    shape=_overlap_shape,
    attrs={"step": 1}, host=("step",),
    doc="Frames laid `step` apart and added up.",
)  # fmt: skip


def _last(x: Any) -> Any:
    lengths = signal.lengths_of(x, (-1,))
    return lengths[0]


@export("signal.frame")
def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """One dimension of `signal` cut into frames that may overlap.

    Args:
      signal: a tensor of rank 1 or more.
      frame_length: length of a frame.
      frame_step: distance from one frame to the next.
      pad_end: whether frames that begin inside reach over the end, where `pad_value` stands.
      pad_value: scalar of the signal's dtype.
      axis: the dimension to cut; it becomes the two dimensions (frames, frame_length).
      name: optional.

    Raises:
      ValueError: frame_length or frame_step is no scalar.
      IndexError: the axis does not exist.

    >>> tf.signal.frame([1, 2, 3, 4, 5], 3, 2).numpy().tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    x = convert(signal)
    length = _scalar(frame_length, "frame", "frame_length")
    step = _scalar(frame_step, "frame", "frame_step")
    dims = x._spec.shape
    if dims is None:
        raise ValueError("tf.signal.frame needs a signal of known rank.")
    try:
        at = normalize_axis(host_int(axis, "tf.signal.frame: axis"), len(dims))
    except ValueError as error:
        raise IndexError(f"tf.signal.frame: {error}.") from None
    last = len(dims) - 1
    if at != last:
        x = layout.transpose(x, [*range(at), *range(at + 1, last + 1), at])
    if pad_end:
        x = _padded(x, length, step, pad_value)
    y = frame_op(x, length=length, step=step, name=name)
    return y if at == last else layout.transpose(y, [*range(at), last, last + 1, *range(at, last)])


def _scalar(value: Any, function: str, what: str) -> Any:
    if isinstance(value, (list, tuple)) or getattr(value, "shape", ()) not in ((), None):
        raise ValueError(f"tf.signal.{function}: {what} must be a scalar; got {value!r}.")
    found = host_int(value, f"tf.signal.{function}: {what}", TypeError, invalid)
    if found.__class__ is int and (found < 0 or (found == 0 and "step" in what)):
        raise invalid(f"tf.signal.{function}: {what} must be positive; got {found}.")
    return found


def _padded(x: Any, length: Any, step: Any, pad_value: Any) -> Any:
    """`x` with `pad_value` after its last dimension, as far as frames that begin inside reach."""
    rank = len(x._spec.shape)
    size = _last(x)
    if all(v.__class__ is int for v in (size, length, step)):
        end = max(0, length + step * (-(-size // step) - 1) - size)
    else:
        count = math.floordiv(math.subtract(math.add(size, step), 1), step)
        reach = math.add(length, math.multiply(math.subtract(count, 1), step))
        end = math.maximum(math.subtract(reach, size), 0)
    value = (
        pad_value
        if isinstance(pad_value, Tensor) or pad_value.__class__ is int and pad_value == 0
        else convert(pad_value, x.dtype)
    )
    return shaping.pad(x, [[0, 0]] * (rank - 1) + [[0, end]], constant_values=value)


@export("signal.overlap_and_add")
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Frames laid `frame_step` apart and added up: of [..., frames, frame_length] a signal [..., length].

    Raises:
      ValueError: frame_step is no integer scalar, or the rank is less than 2.

    >>> tf.signal.overlap_and_add([[1, 1, 1], [1, 1, 1]], 2).numpy().tolist()
    [1, 1, 2, 1, 1]
    """
    x = convert(signal)
    step_dtype = getattr(frame_step, "dtype", None)
    if isinstance(frame_step, float) or (step_dtype is not None and not as_dtype(step_dtype).is_integer):
        raise ValueError(f"tf.signal.overlap_and_add: frame_step must be an integer; got {frame_step!r}.")
    step = _scalar(frame_step, "overlap_and_add", "frame_step")
    if x._spec.shape is not None and len(x._spec.shape) < 2:
        raise ValueError(
            f"tf.signal.overlap_and_add needs rank 2 or more, [..., frames, frame_length]; got shape {x.shape}."
        )
    return overlap_op(x, step=step, name=name)


sampled(
    "signal.frame",
    lambda: [
        *[case(Arr((2, 7), d), 3, 2, grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "float64", "int32", "complex64")],
        case(Arr((2, 7)), 3, 2, pad_end=True, grad=(0,), id="pad"), case(Arr((7,)), 3, 2, True, 9.0, id="pad-value"),
        case(Arr((5, 2)), 2, 1, axis=0, grad=(0,), id="axis"), case(Arr((5, 2)), 2, 3, True, axis=0, id="axis-pad"),
        case(Arr((3,)), 5, 1, id="too-long"), case(Arr((0,)), 2, 1, True, id="empty"), case(Arr((7,)), 2, 3, grad=(0,), id="gaps"),
        bad(Arr((5,)), [2], 1, error="ValueError", id="length-vector"), bad(Arr((5,)), 2, 1, axis=3, error="IndexError", id="axis-range"),
    ],
)  # fmt: skip
sampled(
    "signal.overlap_and_add",
    lambda: [
        *[case(Arr((2, 3, 4), d), 2, grad=(0,) if d == "float32" else (), id=d) for d in ("float32", "float64", "int32", "complex64")],
        case(Arr((3, 4)), 3, grad=(0,), id="uneven"), case(Arr((3, 2)), 4, grad=(0,), id="gaps"), case(Arr((3, 4)), 1, id="one"),
        bad(Arr((3,)), 1, error="ValueError", id="rank"), bad(Arr((3, 4)), 1.5, error="ValueError", id="float"),
    ],
)  # fmt: skip

# -- short-time transforms --------------------------------------------------------------------------------------------


def _power_of_two(length: Any) -> Any:
    """The smallest power of two that is not less."""
    if length.__class__ is int:
        return 1 << max(length - 1, 0).bit_length()
    bits = math.ceil(math.divide(math.log(cast(length, dtypes.float64)), math_.log(2.0)))
    return cast(math.pow_op(convert(2.0, dtypes.float64), bits), dtypes.int32)


def _called(window_fn: Callable[..., Any] | None, length: Any, dtype: Any) -> Any:
    return None if window_fn is None else window_fn(length, dtype=dtype)


@export("signal.stft")
def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Any = hann_window,
    pad_end: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The short-time Fourier transform: the spectra of overlapping, windowed frames.

    Args:
      signals: float32 or float64 tensor [..., samples].
      frame_length: samples in a frame.
      frame_step: samples from one frame to the next.
      fft_length: length of the transforms; the smallest power of two that holds a frame by default.
      window_fn: a function (length, dtype=) that gives the window, or None.
      pad_end: whether zeros follow the signal, so that frames may reach over its end.
      name: optional.

    Returns:
      A complex tensor [..., frames, fft_length // 2 + 1].

    Raises:
      ValueError: the signal is a scalar or a length is no scalar.
    """
    x = convert(signals)
    if x._spec.shape == ():
        raise ValueError("tf.signal.stft needs signals of rank 1 or more; got a scalar.")
    length = _scalar(frame_length, "stft", "frame_length")
    step = _scalar(frame_step, "stft", "frame_step")
    size = _power_of_two(length) if fft_length is None else _scalar(fft_length, "stft", "fft_length")
    frames = frame(x, length, step, pad_end)
    window = _called(window_fn, length, x.dtype)
    if window is not None:
        frames = math.multiply(frames, window)
    return signal.rfft(frames, [size])


@export("signal.inverse_stft_window_fn")
def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Any = hann_window, name: str | None = None
) -> Any:
    """The window for `tf.signal.inverse_stft` with which it undoes `tf.signal.stft` with `forward_window_fn`.

    Griffin and Lim, 1984: the forward window divided by the sum of the squares of all its shifts by `frame_step`.

    Returns:
      A function (frame_length, dtype) that gives a window.
    """
    step = _scalar(frame_step, "inverse_stft_window_fn", "frame_step")

    def window_fn(frame_length: Any, dtype: Any) -> Tensor:
        length = _scalar(frame_length, "inverse_stft_window_fn", "frame_length")
        forward = forward_window_fn(length, dtype=dtype)
        squares = math.square(forward)
        if length.__class__ is int and step.__class__ is int:
            overlaps = -(-length // step)
            end = overlaps * step - length
        else:
            overlaps = math.negative(math.floordiv(math.negative(length), step))
            end = math.subtract(math.multiply(overlaps, step), length)
        table = layout.reshape(shaping.pad(squares, [[0, end]]), [overlaps, step])
        sums = shaping.tile(reduce.reduce_sum(table, 0, keepdims=True), [overlaps, 1])
        return math.divide(forward, layout.reshape(sums, [-1])[:length])

    return window_fn


@export("signal.inverse_stft")
def inverse_stft(
    stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Any = hann_window,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The signal of short-time spectra: inverse transforms, windowed, overlapped and added.

    Args:
      stfts: complex64 or complex128 tensor [..., frames, fft_length // 2 + 1].
      frame_length: samples in a frame.
      frame_step: samples from one frame to the next.
      fft_length: length of the transforms; the smallest power of two that holds a frame by default.
      window_fn: a function (length, dtype=) that gives the window, or None; see `tf.signal.inverse_stft_window_fn`.
      name: optional.

    Returns:
      A float tensor [..., samples].

    Raises:
      ValueError: the rank is less than 2 or a length is no scalar.
    """
    x = convert(stfts)
    if x._spec.shape is not None and len(x._spec.shape) < 2:
        raise ValueError(
            f"tf.signal.inverse_stft needs rank 2 or more, [..., frames, frequencies]; got shape {x.shape}."
        )
    length = _scalar(frame_length, "inverse_stft", "frame_length")
    if not isinstance(frame_step, Tensor) and frame_step.__class__ in (float, str):
        raise ValueError(f"tf.signal.inverse_stft: frame_step must be an integer; got {frame_step!r}.")
    step = _scalar(frame_step, "inverse_stft", "frame_step")
    size = _power_of_two(length) if fft_length is None else _scalar(fft_length, "inverse_stft", "fft_length")
    frames = signal.irfft(x, [size])
    if not (size.__class__ is int and size == length):
        lengths: Any = (length,) if length.__class__ is int else layout.reshape(length, [1])
        frames = signal.fit_spectrum(frames, axes=(-1,), lengths=lengths)
    window = _called(window_fn, length, x.dtype.real_dtype)
    if window is not None:
        frames = math.multiply(frames, window)
    return overlap_and_add(frames, step)


sampled(
    "signal.stft",
    lambda: [
        case(Arr((2, 9)), 4, 2, grad=(0,), id="float32"), case(Arr((9,), "float64"), 4, 2, id="float64"),
        case(Arr((9,)), 3, 2, id="uneven"), case(Arr((9,)), 4, 2, 6, id="fft-length"), case(Arr((9,)), 4, 3, pad_end=True, id="pad"),
        case(Arr((9,)), 4, 2, window_fn=None, id="no-window"), bad(1.0, 4, 2, error="ValueError", id="scalar"),
        bad(Arr((9,)), [4], 2, error="ValueError", id="vector"),
    ],
)  # fmt: skip
sampled(
    "signal.inverse_stft",
    lambda: [
        case(Arr((2, 3, 3), "complex64"), 4, 2, grad=(0,), id="complex64"), case(Arr((3, 3), "complex128"), 4, 2, id="complex128"),
        case(Arr((3, 3), "complex64"), 3, 2, id="uneven"), case(Arr((3, 4), "complex64"), 4, 2, 6, id="fft-length"),
        case(Arr((3, 3), "complex64"), 4, 2, window_fn=None, id="no-window"),
        case(Arr((3, 3), "complex64"), 6, 2, 4, None, id="longer-frames"),
        bad(Arr((3,), "complex64"), 4, 2, error="ValueError", id="rank"),
    ],
)  # fmt: skip

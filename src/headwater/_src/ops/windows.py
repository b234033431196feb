"""Sliding windows: the arithmetic of sizes, strides, dilations and paddings that convolutions and pools share.

Attributes are TensorFlow's: `strides`, `dilations` and `ksize` have an entry for every dimension of the input, `padding` is
SAME, VALID or EXPLICIT, and `explicit_paddings` is flat, two entries for every dimension. Kernels see a `Window`, which
speaks of the spatial dimensions alone, and arrays with channels last.
"""

from __future__ import annotations

import functools
from math import prod
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import UnimplementedError
from headwater._src.base.shapes import Partial, wrap
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.tensor import Tensor

MOST_PLACES = 1 << 18
"""Kernels walk through the places of a window one by one."""
CHANNELS_FIRST = frozenset(("NCW", "NCHW", "NCDHW"))
FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}
"""Number of spatial dimensions -> data formats, the default first."""


class Window(NamedTuple):
    """Windows of `kernel` taps, `dilations` apart, that start every `strides` in inputs of `sizes`, padded by `low` and `high`;
    there are `out` of them along each spatial dimension."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    out: tuple[int, ...]

    @property
    def padded(self) -> bool:
        """Whether any window reaches beyond the input."""
        return any(self.low) or any(self.high)

    @property
    def span(self) -> tuple[int, ...]:
        """The sizes of the padded input."""
        return tuple(s + a + b for s, a, b in zip(self.sizes, self.low, self.high, strict=True))

    @property
    def extent(self) -> tuple[int, ...]:
        """The length of one window along each dimension, gaps included."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    @property
    def pointwise(self) -> bool:
        """Whether each window is one element, each element has one, and nothing is padded."""
        return prod(self.kernel) == 1 and prod(self.strides) == 1 and not self.padded


def output_length(
    size: Any, kernel: Any, stride: int, dilation: int, padding: str, low: int, high: int
) -> tuple[Any, int, int]:
    """The number of windows along one dimension and the padding on both sides; ValueError where it would be negative.

    SAME gives ceil(size / stride) windows and splits the padding that they need evenly, the odd one at the end; the others
    give 1 + floor((size + padding - extent) / stride), and none where the extent is a little too long.
    """
    if size is None or kernel is None:
        return (-(-size // stride) if size is not None and padding == "SAME" else None), low, high
    extent = (kernel - 1) * dilation + 1
    if padding == "SAME":
        out = -(-size // stride)
        total = max((out - 1) * stride + extent - size, 0)
        return out, total // 2, total - total // 2
    room = size + low + high - extent + stride
    if room < 0 and -room >= stride:
        raise ValueError(
            f"the window of length {extent} (kernel {kernel}, dilation {dilation}) is longer than the padded input, {size} + "
            f"{low} + {high}, by more than the stride {stride}"
        )
    return max(room, 0) // stride, low, high


@functools.lru_cache(maxsize=1024)
def window(
    sizes: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...], padding: str,
    explicit: tuple[int, ...],
) -> Window:  # fmt: skip
    """The windows over known spatial sizes; the tuples have one entry for each of these (`explicit` two, flat)."""
    if prod(kernel) > MOST_PLACES:
        raise ValueError(
            f"windows of {list(kernel)} have more than {MOST_PLACES} places, the most that are walked through"
        )
    fitted = [
        output_length(
            s, k, t, d, padding, explicit[2 * i] if explicit else 0, explicit[2 * i + 1] if explicit else 0
        )
        for i, (s, k, t, d) in enumerate(zip(sizes, kernel, strides, dilations, strict=True))
    ]
    out, low, high = zip(*fitted, strict=True)
    return Window(sizes, kernel, strides, dilations, low, high, out)


def mirror(win: Window) -> Window | None:
    """The windows that gather what `win` scatters, where its stride is 1."""
    if prod(win.strides) != 1:
        return None
    low = tuple(e - 1 - a for e, a in zip(win.extent, win.low, strict=True))
    high = tuple(s - o + e - 1 - a for s, o, e, a in zip(win.sizes, win.out, win.extent, low, strict=True))
    if min(low) < 0 or min(high) < 0:
        return None
    return Window(win.out, win.kernel, win.strides, win.dilations, low, high, win.sizes)


class Run(NamedTuple):
    """Neighbouring windows along one dimension that have the same taps inside the input: windows first:last, taps low:high."""

    first: int
    last: int
    low: int
    high: int


@functools.lru_cache(maxsize=256)
def runs(win: Window, axis: int) -> tuple[Run, ...]:
    """All windows along one dimension, by the taps that they have inside."""
    found: list[Run] = []
    step, apart, pad, size = win.strides[axis], win.dilations[axis], win.low[axis], win.sizes[axis]
    for window in range(win.out[axis]):
        start = window * step - pad
        low, high = max(0, -(start // apart)), min(win.kernel[axis], (size - 1 - start) // apart + 1)
        if low >= high:
            low = high = 0
        if found and found[-1][2:] == (low, high):
            found[-1] = found[-1]._replace(last=window + 1)
        else:
            found.append(Run(window, window + 1, low, high))
    return tuple(found)


def slices(win: Window, axis: int) -> int:
    """How many slices the windows along one dimension are combined of."""
    return sum(run.high - run.low for run in runs(win, axis))


def spatial(values: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    """The entries of the spatial dimensions."""
    return values[2:] if data_format in CHANNELS_FIRST else values[1:-1]


def spatial_pairs(explicit: tuple[int, ...], data_format: str) -> tuple[int, ...]:
    """The entries of the spatial dimensions in a flat list of pairs."""
    return explicit[4:] if data_format in CHANNELS_FIRST else explicit[2:-2]


def channel_axis(rank: int, data_format: str) -> int:
    """The position of the channels."""
    return 1 if data_format in CHANNELS_FIRST else rank - 1


def channels_last(x: Any, data_format: str) -> Any:
    """A view of `x` with the channels last; for arrays of NumPy and of JAX."""
    return x.transpose(0, *range(2, x.ndim), 1) if data_format in CHANNELS_FIRST else x


def restore_channels(x: Any, data_format: str) -> Any:
    """The inverse of `channels_last`."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1)) if data_format in CHANNELS_FIRST else x


def assemble(batch: Any, out: Any, channels: Any, data_format: str) -> Partial:
    """A shape in the order of the data format."""
    return (batch, channels, *out) if data_format in CHANNELS_FIRST else (batch, *out, channels)


def check_window(
    rank: int,
    data_format: str,
    padding: str,
    explicit: tuple[int, ...],
    named: dict[str, tuple[int, ...]],
    explicit_too: bool = True,
) -> None:
    """Checks the attributes that don't depend on shapes; ValueError."""
    formats = FORMATS[rank]
    if data_format not in formats:
        raise ValueError(f"data_format must be {formats[0]} or {formats[1]}; got {data_format!r}")
    allowed = ("SAME", "VALID", "EXPLICIT") if explicit_too else ("SAME", "VALID")
    if padding not in allowed:
        raise ValueError(f"padding must be one of {', '.join(allowed)}, in capitals; got {padding!r}")
    if padding == "EXPLICIT":
        _check_explicit(rank, data_format, explicit)
    channel = channel_axis(rank + 2, data_format)
    for name, values in named.items():
        if min(values) < 1:
            raise ValueError(f"{name} must be positive; got {list(values)}")
        if values[0] != 1 or (name == "dilations" and values[channel] != 1):
            raise ValueError(f"{name} must be 1 for the batch and the channels; got {list(values)}")


def refuse_strides(strides: tuple[int, ...], channel: int, what: str) -> None:
    """UnimplementedError for convolutions that stride over the batch or the channels."""
    if strides[0] != 1 or strides[channel] != 1:
        raise UnimplementedError(
            None, None, f"{what}: strides must be 1 for the batch and the channels; got {list(strides)}."
        )


def _check_explicit(rank: int, data_format: str, explicit: tuple[int, ...]) -> None:
    if len(explicit) != 2 * (rank + 2):
        raise ValueError(
            f"explicit padding takes a pair for each of the {rank + 2} dimensions; got {list(explicit)}"
        )
    if min(explicit) < 0:
        raise ValueError(f"explicit padding must not be negative; got {list(explicit)}")
    channel = channel_axis(rank + 2, data_format)
    if any(explicit[:2]) or any(explicit[2 * channel : 2 * channel + 2]):
        raise ValueError(f"explicit padding must be 0 for the batch and the channels; got {list(explicit)}")


# -- arguments of the public functions --------------------------------------------------------------------------------


def per_dimension(value: Any, rank: int, data_format: str, name: str) -> tuple[int, ...]:
    """An int, or a sequence of 1, `rank` or `rank + 2` ints, as one entry for every dimension of the input."""
    if value.__class__ is int:
        inner: tuple[Any, ...] = (value,) * rank
    elif value.__class__ is float:
        inner = _ints((value,), name) * rank
    else:
        if value is None:
            value = 1
        if isinstance(value, Tensor):
            value = convert(value).numpy()
        inner = (
            tuple(np.asarray(value).reshape(-1).tolist())
            if not isinstance(value, (list, tuple))
            else tuple(value)
        )
        if len(inner) == 1:
            inner *= rank
        if len(inner) == rank + 2:
            return _ints(inner, name)
        if len(inner) != rank:
            raise ValueError(f"{name} takes 1, {rank} or {rank + 2} integers; got {describe(value)}.")
        inner = _ints(inner, name)
    return (1, 1, *inner) if data_format in CHANNELS_FIRST else (1, *inner, 1)


def _ints(values: tuple[Any, ...], name: str) -> tuple[int, ...]:
    out = []
    for v in values:
        if not hasattr(v, "__index__") and not (isinstance(v, float) and v.is_integer()):
            raise TypeError(f"{name} takes integers; got {describe(v)}.")
        out.append(int(v))
    return tuple(out)


def padding_of(padding: Any, rank: int, what: str) -> tuple[str, tuple[int, ...]]:
    """A padding argument as the attributes `padding` and `explicit_paddings`."""
    if padding.__class__ is str:
        if padding == "EXPLICIT":
            raise ValueError(
                f'{what}: give the explicit padding itself, a pair for each dimension, not "EXPLICIT".'
            )
        return padding, ()
    if padding is None:
        raise TypeError(f'{what}: padding must be "SAME", "VALID" or a pair for each dimension; got None.')
    pairs = [tuple(p) if isinstance(p, (list, tuple, np.ndarray)) else p for p in padding]
    if len(pairs) != rank + 2 or any(not isinstance(p, tuple) or len(p) != 2 for p in pairs):
        raise ValueError(
            f"{what}: explicit padding takes a pair [before, after] for each of the {rank + 2} dimensions; got {describe(padding)}."
        )
    return "EXPLICIT", tuple(int(v) for p in pairs for v in p)


def known_rank(x: Tensor, what: str) -> int:
    """The rank of `x`; ValueError where it is unknown."""
    dims = x._spec.shape
    if dims is None:
        raise ValueError(f"{what}: the rank of the input must be known; got shape {wrap(dims)}.")
    return len(dims)

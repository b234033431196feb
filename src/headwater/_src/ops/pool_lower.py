"""Windows of JAX arrays with channels last, for XLA: shifted slices, which it fuses into one loop over the result.

What lies in the padding is left out, not filled in: windows that reach into it are combined of fewer slices than the others
and put beside them. A condition in the loop would cost more than these seams. Only where there would be too many of them is
the input padded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base.lazy import jnp, lax
from headwater._src.ops import pool_kernels
from headwater._src.ops.conv_lower import tiled
from headwater._src.ops.eager_programs import Gain
from headwater._src.ops.windows import Window, mirror, runs, slices

MOST_SLICES = 64
"""Along one dimension. Compiling takes a few milliseconds for each."""


def windows(x: Any, win: Window, combine: Callable[[Any, Any], Any], neutral: Any) -> Any:
    """Combines the elements of each window, along one dimension after the other.

    Args:
      x: [batch, *win.sizes, channels].
      win: the geometry.
      combine: an elementwise function of two arrays, such as `jnp.add`.
      neutral: its neutral element.

    Returns:
      [batch, *win.out, channels].
    """
    for axis in range(len(win.kernel)):
        x = _along(x, win, axis, combine, neutral)
    return x


def _along(x: Any, win: Window, axis: int, combine: Callable[[Any, Any], Any], neutral: Any) -> Any:
    if slices(win, axis) > MOST_SLICES:
        margin = [(0, 0)] * x.ndim
        margin[axis + 1] = win.low[axis], win.high[axis]
        x, win = jnp.pad(x, margin, constant_values=neutral), _without_padding(win, axis)
    step, parts = win.strides[axis], []
    for run in runs(win, axis):
        starts = [
            run.first * step - win.low[axis] + tap * win.dilations[axis] for tap in range(run.low, run.high)
        ]
        length = (run.last - run.first - 1) * step + 1
        if starts:
            parts.append(
                functools.reduce(
                    combine, [lax.slice_in_dim(x, a, a + length, step, axis + 1) for a in starts]
                )
            )
        else:
            parts.append(_filled(x, axis, run.last - run.first, neutral))
    if not parts:
        return _filled(x, axis, 0, neutral)
    return parts[0] if len(parts) == 1 else lax.concatenate(parts, axis + 1)


def _without_padding(win: Window, axis: int) -> Window:
    at = slice(axis, axis + 1)
    none = (*win.low[:axis], 0, *win.low[axis + 1 :])
    return win._replace(
        sizes=(*win.sizes[:axis], *win.span[at], *win.sizes[axis + 1 :]),
        low=none,
        high=(*win.high[:axis], 0, *win.high[axis + 1 :]),
    )


def _filled(x: Any, axis: int, count: int, value: Any) -> Any:
    return jnp.full((*x.shape[: axis + 1], count, *x.shape[axis + 2 :]), value, x.dtype)


def mean_windows(x: Any, win: Window) -> Any:
    """The mean of each window's elements; padding does not count."""
    return windows(x, win, jnp.add, 0) * _shares(win, x.dtype)


def _shares(win: Window, dtype: Any) -> Any:
    """What each element of a window counts. Multiplying by it is quicker than dividing."""
    return jnp.asarray(1 / np.asarray(pool_kernels.counts(win), np.float64), dtype)


def spread_means(g: Any, win: Window) -> Any:
    """The gradient of the mean over windows: each window's share goes to all its elements.

    Args:
      g: [batch, *win.out, channels].
      win: the geometry.

    Returns:
      [batch, *win.sizes, channels].
    """
    share = g * _shares(win, g.dtype)
    mirrored = mirror(win)
    if mirrored is not None:
        return windows(share, mirrored, jnp.add, 0)
    if tiled(win):
        return _repeated(share, win)
    for axis in range(len(win.kernel)):
        share = _spread_along(share, win, axis)
    return share


def _repeated(x: Any, win: Window) -> Any:
    """Each element over its whole window, where windows are `tiled`."""
    pairs = list(zip(win.out, win.kernel, strict=True))
    batch, channels = x.shape[0], x.shape[-1]
    apart = x.reshape(batch, *(n for o, _ in pairs for n in (o, 1)), channels)
    whole = jnp.broadcast_to(apart, (batch, *(n for pair in pairs for n in pair), channels))
    margin = [(0, 0), *((0, s - o * k) for s, (o, k) in zip(win.sizes, pairs, strict=True)), (0, 0)]
    return jnp.pad(whole.reshape(batch, *(o * k for o, k in pairs), channels), margin)


def _spread_along(x: Any, win: Window, axis: int) -> Any:
    """Adds each window's entry to the elements that it has along one dimension."""
    step, span = win.strides[axis], win.span[axis]
    zero = jnp.zeros((), x.dtype)
    total = _filled(x, axis, span, 0)
    for tap in range(win.kernel[axis]) if x.size else ():
        start = tap * win.dilations[axis]
        margin = [(0, 0, 0)] * x.ndim
        margin[axis + 1] = start, span - start - ((win.out[axis] - 1) * step + 1), step - 1
        total = total + lax.pad(x, zero, margin)
    return lax.slice_in_dim(total, win.low[axis], win.low[axis] + win.sizes[axis], 1, axis + 1)


def padded_to(x: Any, win: Window, tap: tuple[int, ...]) -> Any:
    """The transpose of one tap's slice: a JAX array spread over zeros of the input's size."""
    config = [(0, 0, 0)]
    for axis, t in enumerate(tap):
        start, step = t - win.low[axis], win.strides[axis]
        config.append((start, win.sizes[axis] - start - ((win.out[axis] - 1) * step + 1), step - 1))
    return lax.pad(x, jnp.zeros((), x.dtype), [*config, (0, 0, 0)])


def hits(x: Any, y: Any, win: Window) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], Any]]:
    """Each tap, with the slice of the padded input that it reads and the mask of the windows whose first maximum it is."""
    pads = ((0, 0), *zip(win.low, win.high, strict=True), (0, 0))
    padded = jnp.pad(x, pads, constant_values=pool_kernels.lowest(x.dtype))
    inside = jnp.pad(jnp.ones(x.shape[1:-1], bool)[None, ..., None], pads)
    free = jnp.ones(y.shape, bool)
    for tap in np.ndindex(*win.kernel):
        place = tuple(
            slice(t, t + (o - 1) * s + 1, s) for t, o, s in zip(tap, win.out, win.strides, strict=True)
        )
        hit = (padded[(slice(None), *place)] == y) & inside[(slice(None), *place)] & free
        free = free & ~hit
        yield tap, place, hit


# -- what XLA saves where NumPy would run ------------------------------------------------------------------------------

_BYTE_NS = 0.03
"""For each byte of arguments and result, at the least; up to 0.1 where windows overlap."""
_START_NS, _SLICE_NS = 5e7, 4e6
"""Compiling a program, and each slice in it."""


def gain(win: Window, elements: int) -> Gain | None:
    """What the program of `windows` is worth: it reads and writes so many elements of float32.

    None for long windows, which make long programs, and for volumes whose windows start at every element: XLA combines all
    elements of a window for itself there, where NumPy goes along one dimension after the other.
    """
    rank = len(win.kernel)
    count = sum(slices(win, axis) for axis in range(rank))
    dense = any(k > s == 1 for k, s in zip(win.kernel, win.strides, strict=True))
    if count > MOST_SLICES or (rank > 2 and dense):
        return None
    return Gain(4 * elements * _BYTE_NS, _START_NS + count * _SLICE_NS)


def mean_gain(win: Window, elements: int) -> Gain | None:
    """The same for `mean_windows`."""
    found = gain(win, elements)
    return found and found._replace(aligned=win.padded)


def spread_gain(win: Window, elements: int) -> Gain | None:
    """The same for `spread_means`."""
    return gain(mirror(win) or win, elements)


def first_maximum_gain(win: Window, elements: int) -> Gain | None:
    """The same for `to_first_maximum`; None where windows overlap, which NumPy is quicker with."""
    return gain(win, elements) if tiled(win) else None

"""Convolutions and the gradient of max pooling for XLA, in the forms that its CPU code is quick in.

Measured on two cores: XLA's own convolution is as quick as anything built of other operations where channels are mixed and
the filter has several taps; a depthwise one is a hundred times slower than a sum of shifted products, and the filter's
gradient of a 1x1 convolution five times slower than a product of matrices.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from headwater._src.base.lazy import jnp, lax
from headwater._src.ops.windows import Window

MAX_TAPS = 64
"""A depthwise filter of more taps is left to XLA: the program would become long."""


def convolve(x: Any, w: Any, window: Window, groups: int = 1) -> Any:
    """The convolution of a channels-last array.

    Args:
      x: [batch, *spatial, channels].
      w: [*taps, channels / groups, filters].
      window: the geometry.
      groups: into how many groups of channels the input falls, each with as many of the filters.

    Returns:
      [batch, *window.out, filters].
    """
    if not x.size or not prod(window.out):
        return _by_xla(x, w, window, groups)
    if groups == 1 and prod(window.kernel) == 1 and not window.padded:
        return _pointwise(x, w, window)
    if groups > 1 and w.shape[-2] == 1 and prod(window.kernel) <= MAX_TAPS:
        return _depthwise(x, w, window)
    return _by_xla(x, w, window, groups)


def _by_xla(x: Any, w: Any, window: Window, groups: int) -> Any:
    letters = "DHW"[-len(window.kernel) :]
    return lax.conv_general_dilated(
        x, w, window.strides, list(zip(window.low, window.high, strict=True)), rhs_dilation=window.dilations,
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"), feature_group_count=groups,
    )  # fmt: skip


def _pointwise(x: Any, w: Any, window: Window) -> Any:
    """A filter of one tap is a matrix."""
    if any(s > 1 for s in window.strides):
        x = lax.slice(x, (0,) * x.ndim, x.shape, (1, *window.strides, 1))
    result = x.reshape(-1, x.shape[-1]) @ w.reshape(w.shape[-2:])
    return result.reshape(*x.shape[:-1], w.shape[-1])


def _depthwise(x: Any, w: Any, window: Window) -> Any:
    """Each channel by itself: the sum over the taps of a shifted input times that tap's factors, in one loop."""
    channels, filters = x.shape[-1], w.shape[-1]
    w = w.reshape(*window.kernel, channels, filters // channels)
    if window.padded:
        x = jnp.pad(x, ((0, 0), *zip(window.low, window.high, strict=True), (0, 0)))
    total: Any = 0
    for tap in np.ndindex(*window.kernel):
        start = [t * d for t, d in zip(tap, window.dilations, strict=True)]
        stop = [a + (o - 1) * s + 1 for a, o, s in zip(start, window.out, window.strides, strict=True)]
        part = lax.slice(x, (0, *start, 0), (x.shape[0], *stop, channels), (1, *window.strides, 1))
        total = total + part[..., None] * w[tap]
    return total.reshape(*total.shape[:-2], filters)


def tiled(window: Window) -> bool:
    """Whether windows neither overlap nor leave gaps nor reach beyond the input."""
    return window.kernel == window.strides and not window.padded and all(d == 1 for d in window.dilations)


def to_first_maximum(x: Any, y: Any, g: Any, window: Window) -> Any:
    """The gradient of max pooling with `tiled` windows: `g` where the first maximum of its window is, else 0.

    Args:
      x: the input, [batch, *spatial, channels].
      y: its maxima, [batch, *window.out, channels].
      g: their gradient.
      window: the geometry.
    """
    batch, channels = x.shape[0], x.shape[-1]
    pairs = list(zip(window.out, window.kernel, strict=True))
    inner = x[(slice(None), *(slice(o * k) for o, k in pairs))]
    split = inner.reshape(batch, *(n for pair in pairs for n in pair), channels)
    taps = list(np.ndindex(*window.kernel))
    number = np.int8 if len(taps) < 128 else np.int32
    first = jnp.full(y.shape, len(taps), number)
    for i, tap in reversed(list(enumerate(taps))):
        at = tuple(part for t in tap for part in (slice(None), t))
        first = jnp.where(split[(slice(None), *at)] == y, number(i), first)
    # Without the barrier every element of the result would find its window's maximum anew.
    first = lax.optimization_barrier(first)
    spread = (batch, *(n for o, _ in pairs for n in (o, 1)), channels)
    own = np.arange(len(taps), dtype=number).reshape(1, *(n for k in window.kernel for n in (1, k)), 1)
    found = jnp.where(first.reshape(spread) == own, g.reshape(spread), jnp.zeros((), g.dtype))
    margin = [(0, 0), *((0, s - o * k) for s, (o, k) in zip(window.sizes, pairs, strict=True)), (0, 0)]
    return jnp.pad(found.reshape(inner.shape), margin)

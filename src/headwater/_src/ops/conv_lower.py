"""Convolutions and the gradient of max pooling for XLA, in the forms that its CPU code is quick in.

Measured on two cores: XLA's own convolution is as quick as anything built of other operations where channels are mixed and
the filter has several taps; a depthwise one is a hundred times slower than a sum of shifted products, and the filter's
gradient of a 1x1 convolution five times slower than a product of matrices.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np

from headwater._src.base.lazy import jnp, lax
from headwater._src.ops.eager_programs import Gain
from headwater._src.ops.windows import Run, Window, mirror, runs, slices

MAX_TAPS = 64
"""A depthwise filter of more taps is left to XLA: the program would become long."""
_MOST_TERMS = 128
"""The most products that the gradient of a depthwise filter is written out in,"""
_LEAST_BATCH, _WORTH = 4, 1 << 20
"""and the images and multiply-adds from which that pays."""
_MULTIPLY_ADD_NS, _STRIDED_NS, _FILTER_NS = 0.08, 0.2, 0.08
"""What XLA saves of each, of what NumPy takes: in a depthwise convolution of stride 1, of another, in the gradient
with respect to the filter."""
_START_NS, _TERM_NS = 5e7, 3e6
"""Compiling a program, and each product that it writes out."""
_LANES = 8
"""XLA is no quicker than NumPy where the filters don't fill registers."""


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


def depthwise_written_out(window: Window) -> bool:
    """Whether a depthwise convolution is a sum of shifted products here, and so are its gradients."""
    return prod(window.kernel) <= MAX_TAPS and 0 not in window.out


def _depthwise(x: Any, w: Any, window: Window) -> Any:
    """Each channel by itself: the sum over the taps of a shifted input times that tap's factors, in one loop.

    Where windows reach into the padding they have fewer taps; such parts of the result are made for themselves, unless that
    makes the program long.
    """
    channels, filters = x.shape[-1], w.shape[-1]
    w = w.reshape(*window.kernel, channels, filters // channels)
    if depthwise_terms(window) > MAX_TAPS:
        x = jnp.pad(x, ((0, 0), *zip(window.low, window.high, strict=True), (0, 0)))
        window = window._replace(sizes=window.span, low=(0,) * len(window.low), high=(0,) * len(window.high))
    return _seamed(x, w, window, ())


def depthwise_terms(window: Window) -> int:
    """How many products the parts of a depthwise convolution have together."""
    return prod(slices(window, axis) for axis in range(len(window.kernel)))


def _seamed(x: Any, w: Any, window: Window, chosen: tuple[Run, ...]) -> Any:
    """The part of the result that is in the runs of windows `chosen` for the first dimensions, from all runs of the others."""
    axis = len(chosen)
    if axis < len(window.kernel):
        parts = [_seamed(x, w, window, (*chosen, run)) for run in runs(window, axis)]
        return parts[0] if len(parts) == 1 else lax.concatenate(parts, axis + 1)
    shape = (x.shape[0], *[run.last - run.first for run in chosen], w.shape[-2] * w.shape[-1])
    total: Any = None
    for tap in itertools.product(*(range(run.low, run.high) for run in chosen)):
        part = _read(x, window, chosen, tap)
        part = part * w[tap][..., 0] if w.shape[-1] == 1 else part[..., None] * w[tap]
        total = part if total is None else total + part
    return jnp.zeros(shape, x.dtype) if total is None else total.reshape(shape)


def _read(x: Any, window: Window, chosen: tuple[Run, ...], tap: tuple[int, ...]) -> Any:
    """What one tap of the chosen windows reads."""
    steps, apart = window.strides, window.dilations
    start = [
        r.first * s - a + t * d for r, s, a, t, d in zip(chosen, steps, window.low, tap, apart, strict=True)
    ]
    stop = [a + (r.last - r.first - 1) * s + 1 for a, r, s in zip(start, chosen, steps, strict=True)]
    return lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *steps, 1))


def depthwise_input(w: Any, g: Any, window: Window) -> Any:
    """The gradient of a depthwise convolution with respect to its input, [batch, *window.sizes, channels].

    With stride 1 it is one itself; else every tap's products are spread over the padded input.

    Args:
      w: [*taps, channels, multiplier].
      g: the result's gradient, [batch, *window.out, channels * multiplier].
      window: the geometry.
    """
    mirrored = mirror(window)
    channels, multiplier = w.shape[-2:]
    split = (channels, multiplier)
    if mirrored is not None:
        flipped = w[(slice(None, None, -1),) * len(window.kernel)]
        result = _depthwise(g, flipped.reshape(*window.kernel, 1, channels * multiplier), mirrored)
        return result if multiplier == 1 else result.reshape(*result.shape[:-1], *split).sum(-1)
    total = jnp.zeros((g.shape[0], *window.span, channels), g.dtype)
    for tap in np.ndindex(*window.kernel):
        products = (g * w[tap].reshape(-1)).reshape(*g.shape[:-1], *split)
        products = products[..., 0] if multiplier == 1 else products.sum(-1)
        starts = [t * d for t, d in zip(tap, window.dilations, strict=True)]
        margin = [
            (a, n - a - (o - 1) * s - 1, s - 1)
            for a, n, o, s in zip(starts, window.span, window.out, window.strides, strict=True)
        ]
        total = total + lax.pad(products, jnp.zeros((), g.dtype), [(0, 0, 0), *margin, (0, 0, 0)])
    low = window.low
    return lax.slice(
        total, (0, *low, 0), (len(total), *(a + n for a, n in zip(low, window.sizes, strict=True)), channels)
    )


def depthwise_filter(x: Any, g: Any, window: Window) -> Any | None:
    """The gradient of a large depthwise convolution with respect to its filter; None where the transpose of the sum will do.

    XLA adds one element after the other where a sum goes over rows. So the sums of a few rows each are written out, which
    makes them one loop over all taps, and a product with ones adds the images up.

    Args:
      x: the input, [batch, *window.sizes, channels].
      g: the result's gradient, [batch, *window.out, channels * multiplier].
      window: the geometry.

    Returns:
      [*taps, channels, multiplier].
    """
    rows = filter_rows(x.shape[0], window, g.size)
    if rows == 0:
        return None
    channels, multiplier, batch = x.shape[-1], g.shape[-1] // x.shape[-1], x.shape[0]
    x = jnp.pad(x, ((0, 0), *zip(window.low, window.high, strict=True), (0, 0))) if window.padded else x
    g = g.reshape(*g.shape[:-1], channels, multiplier)
    each, zeros = window.out[0] // rows, (0,) * len(window.kernel)
    whole = [Run(0, count, 0, 0) for count in window.out]
    bare = window._replace(low=zeros)
    sums = []
    for tap in np.ndindex(*window.kernel):
        total: Any = 0
        for row in range(0, window.out[0], each):
            part = _read(x, bare, (Run(row, row + each, 0, 0), *whole[1:]), tap)
            total = total + part[..., None] * lax.slice_in_dim(g, row, row + each, 1, 1)
        sums.append(total.reshape(batch, 1, each * prod(window.out[1:]), channels * multiplier))
    flat = lax.concatenate(sums, 1).reshape(batch, -1)
    added = (jnp.ones((1, batch), flat.dtype) @ flat).reshape(len(sums), -1, channels * multiplier).sum(1)
    return added.reshape(*window.kernel, channels, multiplier)


def filter_rows(batch: int, window: Window, size: int) -> int:
    """Into how many parts the rows of the result are cut that `depthwise_filter` adds up, for a result of `size` elements; 0
    where it has no way."""
    taps = prod(window.kernel)
    if batch < _LEAST_BATCH or size * taps < _WORTH or taps > MAX_TAPS:
        return 0
    most = max((n for n in range(1, _MOST_TERMS // taps + 1) if window.out[0] % n == 0), default=1)
    return most if 4 * most >= 3 * taps else 0  # or the sums are as large as the arrays


def depthwise_gain(batch: int, filters: int, window: Window) -> Gain | None:
    """What a program for the convolution or for its gradient with respect to the input is worth in eager calls."""
    taps = prod(window.kernel)
    if filters % _LANES or taps > MAX_TAPS:
        return None
    terms = depthwise_terms(window)
    return Gain(
        batch
        * prod(window.out)
        * filters
        * taps
        * (_MULTIPLY_ADD_NS if window.strides[-1] == 1 else _STRIDED_NS),
        _START_NS + (terms if terms <= MAX_TAPS else taps) * _TERM_NS,
        aligned=True,
    )


def depthwise_filter_gain(batch: int, filters: int, window: Window) -> Gain | None:
    """What a program for its gradient with respect to the filter is worth."""
    size, taps = batch * prod(window.out) * filters, prod(window.kernel)
    rows = filter_rows(batch, window, size)
    if rows == 0 or filters % (2 * _LANES):
        return None
    return Gain(size * taps * _FILTER_NS, _START_NS + rows * taps * _TERM_NS)


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

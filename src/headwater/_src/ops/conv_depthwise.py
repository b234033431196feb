"""Depthwise convolutions on NumPy arrays with channels last: one multiply-add for each tap and element.

With stride 1 along the last dimension, lines are taken whole against weights repeated along the line: long runs. Blocks of
images that stay in the cache are shared out to threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from headwater._src.ops.threads import share
from headwater._src.ops.windows import Window, mirror

_BLOCK = 1 << 18
"""Bytes of the padded input that are worked on at once."""
_WORTH = 1 << 17
"""Multiply-adds from which threads are woken."""
_STRANDS = 16
"""The most partial sums of a filter's gradient; which block is in which depends on shapes alone."""


def taps(win: Window) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each tap of the kernel with the elements of the padded input that it meets, one for each window."""
    for tap in itertools.product(*(range(k) for k in win.kernel)):
        start = [t * d for t, d in zip(tap, win.dilations, strict=True)]
        yield tap, (slice(None), *(
            slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(start, win.out, win.strides, strict=True)
        ))  # fmt: skip


def _run(work: Any, count: int, amount: int) -> None:
    if count > 1 and amount >= _WORTH:
        share(work, count)
    else:
        work(iter(range(count)))


def _inside(win: Window) -> tuple[slice, ...]:
    return (slice(None), *(slice(a, a + s) for a, s in zip(win.low, win.sizes, strict=True)))


def _spread(x: np.ndarray, multiplier: int) -> np.ndarray:
    """Each channel `multiplier` times."""
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=-1)


def _gather(x: np.ndarray, multiplier: int) -> np.ndarray:
    """The sum over the copies that `_spread` makes of each channel."""
    return x if multiplier == 1 else x.reshape(*x.shape[:-1], -1, multiplier).sum(axis=-1, dtype=x.dtype)


def _images(batch: int, win: Window, channels: int, itemsize: int) -> int:
    return max(1, min(batch, _BLOCK // max(1, prod(win.span) * channels * itemsize)))


class _Lines:
    """The windows over one block of images after another, in memory that the next one overwrites.

    Of shape (images, *out[:-1], *kernel, elements of a line) where lines are taken whole, else (images, *out, *kernel, channels).
    """

    def __init__(self, x: np.ndarray, win: Window, multiplier: int, images: int) -> None:
        self.x, self.multiplier, self.images = x, multiplier, images
        channels = x.shape[-1] * multiplier
        padded = np.zeros((images, *win.span, channels), x.dtype)
        self.inside = padded[_inside(win)]
        batch, *inner, last = padded.strides
        steps = [s * t for s, t in zip(inner, win.strides, strict=True)]
        taps = [s * d for s, d in zip(inner, win.dilations, strict=True)]
        self.whole = win.strides[-1] == 1
        if self.whole:
            steps.pop()
        self.out = (*win.out[:-1], win.out[-1] * channels) if self.whole else (*win.out, channels)
        self.view = as_strided(
            padded, (images, *self.out[:-1], *win.kernel, self.out[-1]), (batch, *steps, *taps, last)
        )
        rank, positions = len(win.kernel), len(self.out)
        outer, inner_ = [*range(positions)], [*range(positions, positions + rank)]
        self.labels = [*outer, *inner_, 50], [*inner_, 50], [*outer, 50]

    def load(self, block: int) -> tuple[slice, np.ndarray]:
        """Where the images of a block are, and the windows over them."""
        first = block * self.images
        part = self.x[first : first + self.images]
        self.inside[: len(part)] = _spread(part, self.multiplier)
        return slice(first, first + len(part)), self.view[: len(part)]


def convolve_depthwise(x: np.ndarray, w: np.ndarray, win: Window) -> np.ndarray:
    """(batch, *sizes, channels) and (*kernel, channels, multiplier) to (batch, *out, channels * multiplier)."""
    multiplier = w.shape[-1]
    filters = x.shape[-1] * multiplier
    weights = w.reshape(*win.kernel, filters)
    out = np.empty((x.shape[0], *win.out, filters), x.dtype)
    if not out.size:
        return out
    if win.strides[-1] == 1:
        weights = np.tile(weights, win.out[-1])
    images = _images(len(x), win, filters, x.itemsize)

    def work(blocks: Iterator[int]) -> None:
        lines = _Lines(x, win, multiplier, images)
        a, b, c = lines.labels
        for block in blocks:
            place, view = lines.load(block)
            np.einsum(view, a, weights, b, c, out=out[place].reshape(len(view), *lines.out))

    _run(work, -(-len(x) // images), out.size * prod(win.kernel))
    return out


def convolve_depthwise_input(w: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `convolve_depthwise` with respect to its input."""
    channels, multiplier = w.shape[-2:]
    mirrored = mirror(win)
    weights = w.reshape(*win.kernel, channels * multiplier)
    if mirrored is not None and g.size:
        flipped = np.ascontiguousarray(weights[(slice(None, None, -1),) * len(win.kernel)])
        return _gather(convolve_depthwise(g, flipped[..., None], mirrored), multiplier)
    out = np.empty((g.shape[0], *win.sizes, channels), g.dtype)
    places = [(weights[tap], place) for tap, place in taps(win)] if g.size else []
    images = _images(len(g), win, channels, g.itemsize)

    def work(blocks: Iterator[int]) -> None:
        padded = np.empty((images, *win.span, channels), g.dtype)
        for block in blocks:
            here = slice(block * images, (block + 1) * images)
            grads = g[here]
            part = padded[: len(grads)]
            part.fill(0)
            for weight, place in places:
                target = part[place]
                np.add(target, _gather(grads * weight, multiplier), out=target)
            out[here] = part[_inside(win)]

    _run(work, -(-len(g) // images), g.size * len(places))
    return out


def convolve_depthwise_filter(x: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `convolve_depthwise` with respect to its filter, of shape (*kernel, channels, multiplier)."""
    channels, filters = x.shape[-1], g.shape[-1]
    multiplier = filters // channels if channels else 0
    if not g.size or not x.size:
        return np.zeros((*win.kernel, channels, multiplier), g.dtype)
    if not g.flags.c_contiguous:
        g = np.ascontiguousarray(g)
    images = _images(len(x), win, filters, x.itemsize)
    count = -(-len(x) // images)
    strands = min(count, _STRANDS)
    sums = np.empty((strands, *win.kernel, filters), g.dtype)

    def work(indices: Iterator[int]) -> None:
        lines = _Lines(x, win, multiplier, images)
        a, b, c = lines.labels
        for strand in indices:
            total: Any = 0
            for block in range(count * strand // strands, count * (strand + 1) // strands):
                place, view = lines.load(block)
                total = total + np.einsum(view, a, g[place].reshape(len(view), *lines.out), c, b)
            np.add.reduce(total.reshape(*win.kernel, -1, filters), axis=-2, out=sums[strand])

    _run(work, strands, g.size * prod(win.kernel))
    return np.add.reduce(sums, axis=0).reshape(*win.kernel, channels, multiplier)

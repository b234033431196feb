"""Convolution kernels on NumPy arrays with channels last, for any number of spatial dimensions.

A convolution is a matrix product: the windows, one a row, times the filter as a matrix. The rows are copied block by block,
so that what was copied is still in the cache when it is multiplied. The copy is a strided view's, which NumPy does in runs
of the last kernel dimension times the channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from headwater._src.base.dtypes import bfloat16, float16
from headwater._src.ops.windows import Window

HALVES = frozenset((bfloat16.np, float16.np))
_F32 = np.dtype(np.float32)
_BLOCK = 1 << 21
"""Bytes of copied windows that are multiplied at once: large enough for BLAS to use all cores, small enough for the cache."""


def wide(x: np.ndarray) -> np.ndarray:
    """16-bit floats as float32, in which products accumulate."""
    return x.astype(_F32) if x.dtype in HALVES else x


def narrow(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Back to the dtype of the arguments."""
    return x if x.dtype == dtype else x.astype(dtype)


# -- windows as rows --------------------------------------------------------------------------------------------------


def pad(x: np.ndarray, win: Window, out: np.ndarray | None = None) -> np.ndarray:
    """`x` with zeros around it; into `out`, whose border is zero already."""
    if not win.padded:
        return x if x.flags.c_contiguous else np.ascontiguousarray(x)
    if out is None:
        out = np.zeros((x.shape[0], *win.span, x.shape[-1]), x.dtype)
    out[(slice(None), *(slice(a, a + s) for a, s in zip(win.low, win.sizes, strict=True)))] = x
    return out


def windows_of(x: np.ndarray, win: Window) -> np.ndarray:
    """A view of the padded `x` with shape (batch, *out, *kernel, channels)."""
    batch, *inner, last = x.strides
    steps = [s * t for s, t in zip(inner, win.strides, strict=True)]
    taps = [s * d for s, d in zip(inner, win.dilations, strict=True)]
    shape = (x.shape[0], *win.out, *win.kernel, x.shape[-1])
    return as_strided(x, shape, (batch, *steps, *taps, last), writeable=False)


def _blocks(batch: int, win: Window, width: int, itemsize: int) -> tuple[int, int]:
    """How many images, or else how many rows of one image, fit in a block."""
    per_row = max(1, prod(win.out[1:]) * width * itemsize)
    rows = max(1, _BLOCK // per_row)
    height = max(1, win.out[0])
    return (max(1, min(batch, rows // height)), height) if rows >= height else (1, rows)


def _rows(x: np.ndarray, win: Window) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Blocks of images and of rows of the result, with the windows over them as a matrix that the next step overwrites."""
    channels = x.shape[-1]
    width = prod(win.kernel) * channels
    images, height = _blocks(x.shape[0], win, width, x.itemsize)
    padded = np.zeros((images, *win.span, channels), x.dtype) if win.padded else None
    if padded is None and not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    columns = np.empty((images, height, *win.out[1:], *win.kernel, channels), x.dtype)
    for n in range(0, x.shape[0], images):
        block = x[n : n + images]
        view = windows_of(block if padded is None else pad(block, win, padded[: len(block)]), win)
        for r in range(0, win.out[0], height):
            part = view[:, r : r + height]
            filled = columns[: part.shape[0], : part.shape[1]]
            filled[...] = part
            yield slice(n, n + images), slice(r, r + height), filled.reshape(-1, width)


# -- the convolution and its two gradients ----------------------------------------------------------------------------


def convolve(x: np.ndarray, w: np.ndarray, win: Window) -> np.ndarray:
    """(batch, *sizes, channels) and (*kernel, channels, filters) to (batch, *out, filters)."""
    channels, filters = w.shape[-2:]
    if x.shape[-1] != channels:
        return _grouped(x, w, win)
    matrix = w.reshape(-1, filters)
    out = np.empty((x.shape[0], *win.out, filters), x.dtype)
    if not out.size:
        return out
    if prod(win.kernel) == 1 and not win.padded:
        if prod(win.strides) != 1:
            x = x[(slice(None), *(slice(None, None, s) for s in win.strides))]
        np.matmul(x.reshape(-1, channels), matrix, out=out.reshape(-1, filters))
        return out
    for images, rows, columns in _rows(x, win):
        np.matmul(columns, matrix, out=out[images, rows].reshape(-1, filters))
    return out


def _grouped(x: np.ndarray, w: np.ndarray, win: Window) -> np.ndarray:
    per, filters = w.shape[-2:]
    groups = x.shape[-1] // per
    if per == 1:
        return convolve_depthwise(x, w.reshape(*win.kernel, groups, filters // groups), win)
    out = np.empty((x.shape[0], *win.out, filters), x.dtype)
    for a, b in _groups(groups, per, filters // groups):
        out[..., b] = convolve(x[..., a], w[..., b], win)
    return out


def _groups(groups: int, per: int, filters: int) -> Iterator[tuple[slice, slice]]:
    for i in range(groups):
        yield slice(i * per, (i + 1) * per), slice(i * filters, (i + 1) * filters)


def convolve_input(w: np.ndarray, g: np.ndarray, win: Window, channels: int) -> np.ndarray:
    """The gradient of `convolve` with respect to its input, for the gradient `g` of its result."""
    per, filters = w.shape[-2:]
    if channels != per:
        return _grouped_input(w, g, win, channels)
    if not g.size or not channels:
        return np.zeros((g.shape[0], *win.sizes, channels), g.dtype)
    if win.pointwise:
        return np.matmul(g.reshape(-1, filters), w.reshape(-1, filters).T).reshape(*g.shape[:-1], channels)
    mirrored = _mirrored(win)
    if mirrored is not None:
        flipped = w[(slice(None, None, -1),) * len(win.kernel)].swapaxes(-1, -2)
        return convolve(g, np.ascontiguousarray(flipped), mirrored)
    return _scatter(w, g, win)


def _mirrored(win: Window) -> Window | None:
    """The windows that gather what `win` scatters, where its stride is 1."""
    if prod(win.strides) != 1:
        return None
    low = tuple(e - 1 - a for e, a in zip(win.extent, win.low, strict=True))
    high = tuple(s - o + e - 1 - a for s, o, e, a in zip(win.sizes, win.out, win.extent, low, strict=True))
    if min(low) < 0 or min(high) < 0:
        return None
    return Window(win.out, win.kernel, win.strides, win.dilations, low, high, win.sizes)


def taps(win: Window) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each tap of the kernel with the elements of the padded input that it meets, one for each window."""
    for tap in itertools.product(*(range(k) for k in win.kernel)):
        start = [t * d for t, d in zip(tap, win.dilations, strict=True)]
        yield tap, (slice(None), *(
            slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(start, win.out, win.strides, strict=True)
        ))  # fmt: skip


def crop(x: np.ndarray, win: Window) -> np.ndarray:
    """The padded `x` without its padding."""
    return (
        x[(slice(None), *(slice(a, a + s) for a, s in zip(win.low, win.sizes, strict=True)))]
        if win.padded
        else x
    )


def _scatter(w: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """Each tap's product is added where the tap had read."""
    channels, filters = w.shape[-2:]
    out = np.empty((g.shape[0], *win.sizes, channels), g.dtype)
    images = max(1, min(g.shape[0], _BLOCK // max(1, prod(win.span) * channels * g.itemsize)))
    places = [(np.ascontiguousarray(w[tap].T), place) for tap, place in taps(win)]
    padded = np.empty((images, *win.span, channels), g.dtype)
    for n in range(0, g.shape[0], images):
        block = g[n : n + images]
        part = padded[: len(block)]
        part[...] = 0
        rows = block.reshape(-1, filters)
        for matrix, place in places:
            part[place] += np.matmul(rows, matrix).reshape(len(block), *win.out, channels)
        out[n : n + images] = crop(part, win)
    return out


def _grouped_input(w: np.ndarray, g: np.ndarray, win: Window, channels: int) -> np.ndarray:
    per, filters = w.shape[-2:]
    groups = channels // per
    if per == 1:
        return convolve_depthwise_input(w.reshape(*win.kernel, groups, filters // groups), g, win)
    out = np.empty((g.shape[0], *win.sizes, channels), g.dtype)
    for a, b in _groups(groups, per, filters // groups):
        out[..., a] = convolve_input(w[..., b], np.ascontiguousarray(g[..., b]), win, per)
    return out


def convolve_filter(x: np.ndarray, g: np.ndarray, win: Window, per: int) -> np.ndarray:
    """The gradient of `convolve` with respect to its filter of `per` channels, for the gradient `g` of its result."""
    channels, filters = x.shape[-1], g.shape[-1]
    if channels != per:
        return _grouped_filter(x, g, win, per)
    shape = (*win.kernel, channels, filters)
    if not g.size or not x.size:
        return np.zeros(shape, g.dtype)
    if win.pointwise:
        return np.matmul(x.reshape(-1, channels).T, g.reshape(-1, filters)).reshape(shape)
    total: Any = None
    for images, rows, columns in _rows(x, win):
        part = np.matmul(columns.T, g[images, rows].reshape(-1, filters))
        total = part if total is None else np.add(total, part, out=total)
    return total.reshape(shape)


def _grouped_filter(x: np.ndarray, g: np.ndarray, win: Window, per: int) -> np.ndarray:
    filters = g.shape[-1]
    groups = x.shape[-1] // per
    if per == 1:
        return convolve_depthwise_filter(x, g, win).reshape(*win.kernel, 1, filters)
    out = np.empty((*win.kernel, per, filters), g.dtype)
    for a, b in _groups(groups, per, filters // groups):
        out[..., b] = convolve_filter(np.ascontiguousarray(x[..., a]), g[..., b], win, per)
    return out


# -- depthwise --------------------------------------------------------------------------------------------------------
#
# One multiply-add for each tap and element. With stride 1 along the last dimension, rows are taken whole, padding included,
# against weights repeated along the row: long runs, at the price of results in the padding, which are dropped.


def _spread(x: np.ndarray, multiplier: int) -> np.ndarray:
    """Each channel `multiplier` times."""
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=-1)


def _lines(x: np.ndarray, win: Window, multiplier: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of images, with the windows over them of shape (batch, *out[:-1], *kernel, elements of a row), which the next
    step overwrites; or of shape (batch, *out, *kernel, channels) where the last stride is not 1."""
    channels = x.shape[-1] * multiplier
    whole = prod(win.span) * channels
    images = max(1, min(x.shape[0], _BLOCK // max(1, 2 * whole * x.itemsize)))
    slack = win.extent[-1] * channels
    flat = np.zeros(images * whole + slack, x.dtype)
    padded = flat[: images * whole].reshape(images, *win.span, channels)
    inside = (slice(None), *(slice(a, a + s) for a, s in zip(win.low, win.sizes, strict=True)))
    for n in range(0, x.shape[0], images):
        block = x[n : n + images]
        padded[: len(block)][inside] = _spread(block, multiplier)
        yield slice(n, n + len(block)), _line_windows(padded[: len(block)], win)


def _line_windows(padded: np.ndarray, win: Window) -> np.ndarray:
    if win.strides[-1] != 1:
        return windows_of(padded, win)
    batch, *inner, last = padded.strides
    steps = [s * t for s, t in zip(inner[:-1], win.strides, strict=False)]
    taps = [s * d for s, d in zip(inner, win.dilations, strict=True)]
    width = win.span[-1] * padded.shape[-1]
    shape = (len(padded), *win.out[:-1], *win.kernel, width)
    return as_strided(padded, shape, (batch, *steps, *taps, last), writeable=False)


def _labels(win: Window) -> tuple[list[int], list[int], list[int]]:
    """Subscripts of the windows, of the weights, and of the results."""
    rank = len(win.kernel)
    positions = rank - (win.strides[-1] == 1) + 1
    outer, inner = list(range(positions)), list(range(positions, positions + rank))
    return [*outer, *inner, 50], [*inner, 50], [*outer, 50]


def convolve_depthwise(x: np.ndarray, w: np.ndarray, win: Window) -> np.ndarray:
    """(batch, *sizes, channels) and (*kernel, channels, multiplier) to (batch, *out, channels * multiplier)."""
    multiplier = w.shape[-1]
    filters = x.shape[-1] * multiplier
    out = np.empty((x.shape[0], *win.out, filters), x.dtype)
    if not out.size:
        return out
    weights = w.reshape(*win.kernel, filters)
    if win.strides[-1] == 1:
        weights = np.tile(weights, win.span[-1])
    a, b, c = _labels(win)
    for images, view in _lines(x, win, multiplier):
        rows = np.einsum(view, a, weights, b, c)
        if win.strides[-1] == 1:
            rows = rows.reshape(len(view), *win.out[:-1], win.span[-1], filters)[..., : win.out[-1], :]
        out[images] = rows
    return out


def convolve_depthwise_input(w: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `convolve_depthwise` with respect to its input."""
    channels, multiplier = w.shape[-2:]
    mirrored = _mirrored(win)
    weights = w.reshape(*win.kernel, channels * multiplier)
    if mirrored is not None and g.size:
        flipped = np.ascontiguousarray(weights[(slice(None, None, -1),) * len(win.kernel)])
        return _gather(convolve_depthwise(g, flipped[..., None], mirrored), multiplier)
    out = np.empty((g.shape[0], *win.sizes, channels), g.dtype)
    images = max(1, min(g.shape[0], _BLOCK // max(1, prod(win.span) * channels * g.itemsize)))
    places = [(weights[tap], place) for tap, place in taps(win)] if g.size else []
    padded = np.empty((images, *win.span, channels), g.dtype)
    for n in range(0, g.shape[0], images):
        block = g[n : n + images]
        part = padded[: len(block)]
        part[...] = 0
        for weight, place in places:
            part[place] += _gather(block * weight, multiplier)
        out[n : n + images] = crop(part, win)
    return out


def _gather(x: np.ndarray, multiplier: int) -> np.ndarray:
    """The sum over the copies that `_spread` makes of each channel."""
    return x if multiplier == 1 else x.reshape(*x.shape[:-1], -1, multiplier).sum(axis=-1, dtype=x.dtype)


def convolve_depthwise_filter(x: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `convolve_depthwise` with respect to its filter, of shape (*kernel, channels, multiplier)."""
    channels, filters = x.shape[-1], g.shape[-1]
    multiplier = filters // channels if channels else 0
    out = np.zeros((*win.kernel, filters), g.dtype)
    if g.size and x.size:
        a, b, c = _labels(win)
        for images, view in _lines(x, win, multiplier):
            part = g[images]
            if win.strides[-1] == 1:
                row = np.zeros((*part.shape[:-2], win.span[-1], filters), g.dtype)
                row[..., : win.out[-1], :] = part
                total = np.einsum(view, a, row.reshape(*part.shape[:-2], -1), c, b)
                out += np.add.reduce(total.reshape(*win.kernel, win.span[-1], filters), axis=-2)
            else:
                out += np.einsum(view, a, part, c, b)
    return out.reshape(*win.kernel, channels, multiplier)

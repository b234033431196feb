"""Pooling kernels on NumPy arrays with channels last, for any number of spatial dimensions.

A maximum or a sum over windows is taken along one dimension after the other, each as a few whole-array operations on
shifted slices; what lies in the padding is left out by slicing, so nothing is padded.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from headwater._src.ops.windows import Window


def lowest(dtype: np.dtype) -> Any:
    """The neutral element of the maximum."""
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _range(win: Window, axis: int, tap: int) -> tuple[int, int, int]:
    """The windows first:last along `axis` whose `tap` lies inside the input, and the element that the first one meets."""
    step, offset = win.strides[axis], tap * win.dilations[axis] - win.low[axis]
    first = max(0, -(offset // step))
    last = min(win.out[axis], (win.sizes[axis] - 1 - offset) // step + 1)
    return first, last, first * step + offset


def _pieces(win: Window, axis: int) -> list[tuple[slice, slice]]:
    """For each tap along `axis`: the windows that it serves, and the elements that they read. Taps that serve all come first."""
    found = []
    step = win.strides[axis]
    for tap in range(win.kernel[axis]):
        first, last, start = _range(win, axis, tap)
        if last > first:
            found.append((slice(first, last), slice(start, start + (last - first - 1) * step + 1, step)))
    return sorted(found, key=lambda piece: piece[0].start - piece[0].stop)


def _along(x: np.ndarray, win: Window, axis: int, combine: np.ufunc, neutral: Any) -> np.ndarray:
    """Combines the windows along one dimension."""
    if win.kernel[axis] == 1 and win.strides[axis] == 1 and win.out[axis] == x.shape[axis + 1]:
        return x
    lead = (slice(None),) * (axis + 1)
    pieces = _pieces(win, axis)
    count = win.out[axis]
    whole = [p for p in pieces if p[0] == slice(0, count)]
    rest = [p for p in pieces if p[0] != slice(0, count)]
    if len(whole) >= 2:
        out = combine(x[(*lead, whole[0][1])], x[(*lead, whole[1][1])])
        rest = whole[2:] + rest
    elif whole:
        out = x[(*lead, whole[0][1])].copy()
    else:
        out = np.full((*x.shape[: axis + 1], count, *x.shape[axis + 2 :]), neutral, x.dtype)
    for windows, elements in rest:
        part = out[(*lead, windows)]
        combine(part, x[(*lead, elements)], out=part)
    return out


def max_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The largest element of each window."""
    low = lowest(x.dtype)
    for axis in range(len(win.kernel)):
        x = _along(x, win, axis, np.maximum, low)
    return x


def sum_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The sum of each window's elements."""
    for axis in range(len(win.kernel)):
        x = _along(x, win, axis, np.add, 0)
    return x


def counts(win: Window) -> np.ndarray | int:
    """How many elements of the input each window has, shaped to divide by."""
    if not win.padded:
        return prod(win.kernel)
    total = np.ones((*win.out, 1), np.float32)
    for axis in range(len(win.kernel)):
        line = np.zeros(win.out[axis], np.float32)
        for windows, _ in _pieces(win, axis):
            line[windows] += 1
        total *= line.reshape(-1, *(1,) * (len(win.kernel) - axis))
    return total


def mean_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The mean of each window's elements; padding does not count."""
    total = sum_windows(x, win)
    scale = (1 / np.asarray(counts(win), np.float64)).astype(x.dtype)
    return total * scale if total is x else np.multiply(total, scale, out=total)


def spread_means(g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `mean_windows`: each window's share goes back to all its elements."""
    x = g * (1 / np.asarray(counts(win), np.float64)).astype(g.dtype)
    for axis in range(len(win.kernel)):
        if win.kernel[axis] == 1 and win.strides[axis] == 1 and win.sizes[axis] == x.shape[axis + 1]:
            continue
        lead = (slice(None),) * (axis + 1)
        out = np.zeros((*x.shape[: axis + 1], win.sizes[axis], *x.shape[axis + 2 :]), g.dtype)
        for windows, elements in _pieces(win, axis):
            out[(*lead, elements)] += x[(*lead, windows)]
        x = out
    return x


# -- where the maximum is ---------------------------------------------------------------------------------------------


def taps(win: Window) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """Each tap in the order of the elements: its position, the windows that it serves, the elements that they read."""
    lines = []
    for axis, step in enumerate(win.strides):
        line = []
        for tap in range(win.kernel[axis]):
            first, last, start = _range(win, axis, tap)
            if last > first:
                line.append((tap, slice(first, last), slice(start, start + (last - first - 1) * step + 1, step)))
        lines.append(line)
    for combination in itertools.product(*lines):
        position, windows, elements = zip(*combination, strict=True)
        yield position, (slice(None), *windows), (slice(None), *elements)


def _disjoint(win: Window) -> bool:
    return all(s >= (k - 1) * d + 1 for k, s, d in zip(win.kernel, win.strides, win.dilations, strict=True))


def _hits(x: np.ndarray, y: np.ndarray, win: Window) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], np.ndarray]]:
    """For each tap the windows whose first maximum it is, as a mask over those that it serves."""
    free: Any = None
    for _, windows, elements in taps(win):
        hit = x[elements] == y[windows]
        if free is None:
            free = np.ones(y.shape, bool)
        mine = free[windows]
        np.logical_and(hit, mine, out=hit)
        np.logical_xor(mine, hit, out=mine)
        yield windows, elements, hit


def spread_to_max(x: np.ndarray, y: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `max_windows`: each window's goes to its first maximum."""
    out = np.zeros(x.shape, g.dtype)
    if not out.size or not y.size:
        return out
    disjoint = _disjoint(win)
    images = _images(x, win)
    for n in range(0, x.shape[0], images):
        part, target, grads = slice(n, n + images), out[n : n + images], g[n : n + images]
        for windows, elements, hit in _hits(x[part], y[part], win):
            if disjoint:
                np.multiply(grads[windows], hit, out=target[elements])
            else:
                target[elements] += grads[windows] * hit
    return out


def gather_at_max(x: np.ndarray, y: np.ndarray, gg: np.ndarray, win: Window) -> np.ndarray:
    """The elements of `gg` where each window's first maximum is in `x`."""
    out = np.zeros(y.shape, gg.dtype)
    if x.size and y.size:
        for windows, elements, hit in _hits(x, y, win):
            out[windows] += gg[elements] * hit
    return out


def _images(x: np.ndarray, win: Window) -> int:
    """How many images to take at a time, so that all of them stay in the cache."""
    return max(1, min(x.shape[0], (1 << 19) // max(1, prod(win.sizes) * x.shape[-1] * x.itemsize)))


def argmax_windows(x: np.ndarray, win: Window, with_batch: bool) -> tuple[np.ndarray, np.ndarray]:
    """The largest element of each window and the index of its first occurrence, in the flat image or batch."""
    shape = (x.shape[0], *win.out, x.shape[-1])
    best, index = np.full(shape, lowest(x.dtype), x.dtype), np.zeros(shape, np.int64)
    flat = np.arange(prod(x.shape[1:]), dtype=np.int64).reshape(x.shape[1:])
    fresh = np.ones(shape, bool)
    for _, windows, elements in taps(win):
        values, top = x[elements], best[windows]
        larger = (values > top) | fresh[windows]
        np.copyto(top, values, where=larger)
        np.copyto(index[windows], np.broadcast_to(flat[elements[1:]], values.shape), where=larger)
        fresh[windows] = False
    if with_batch:
        index += np.arange(x.shape[0], dtype=np.int64).reshape(-1, *(1,) * (x.ndim - 1)) * flat.size
    return best, index

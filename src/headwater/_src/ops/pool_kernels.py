"""Pooling kernels on arrays with channels last, for any number of spatial dimensions.

A maximum or a sum over windows is taken along one dimension after the other, each as a few whole-array operations on
shifted slices; what lies in the padding is left out by slicing, so nothing is padded. Blocks of images are shared out to
threads.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from headwater._src.ops.threads import Memory, memory, share
from headwater._src.ops.windows import Window, mirror

_BLOCK = 1 << 20
"""Bytes of the input that are worked on at once: they stay in the cache."""
_SHORT = 1 << 10
"""Bytes of a run, up to which runs are copied together."""
_WORTH = 1 << 17
"""Elements from which threads are woken."""


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


class _Steps(NamedTuple):
    """How windows are combined along one dimension: their `number`, how many elements apart they are, the elements that a tap
    reads for all of them, for the other taps the windows and the elements; then, for windows that start every second element, how
    far taps are apart, and the first elements of all windows."""

    axis: int
    number: int
    step: int
    whole: tuple[Any, ...]
    rest: tuple[tuple[Any, Any], ...]
    shifts: tuple[int, ...]
    picked: tuple[slice, ...]


@functools.lru_cache(maxsize=256)
def _steps(win: Window) -> tuple[_Steps, ...]:
    """The dimensions along which there is something to combine; the last at least."""
    found = []
    for axis, (size, kernel, step, count) in enumerate(
        zip(win.sizes, win.kernel, win.strides, win.out, strict=True)
    ):
        if kernel == 1 and step == 1 and count == size and axis < len(win.kernel) - 1:
            continue
        lead = (slice(None),) * (axis + 1)
        pieces = _pieces(win, axis)
        whole = tuple((*lead, elements) for windows, elements in pieces if windows == slice(0, count))
        rest = tuple(((*lead, w), (*lead, elements)) for w, elements in pieces if w != slice(0, count))
        shifts = tuple(tap * win.dilations[axis] for tap in range(kernel))
        found.append(_Steps(axis, count, step, whole, rest, shifts, (*lead, slice(0, 2 * count - 1, 2))))
    return tuple(found)


def _combine(
    x: np.ndarray,
    steps: tuple[_Steps, ...],
    function: np.ufunc,
    neutral: Any,
    memory: Memory,
    out: np.ndarray,
) -> None:
    """Combines the windows along each dimension."""
    for each in steps[:-1]:
        axis = each.axis
        shape = (*x.shape[: axis + 1], each.number, *x.shape[axis + 2 :])
        made = memory(f"along {axis}", shape, x.dtype)
        _along(x, each, function, neutral, memory, made)
        x = made
    _along(x, steps[-1], function, neutral, memory, out)


def _along(
    x: np.ndarray, steps: _Steps, function: np.ufunc, neutral: Any, memory: Memory, out: np.ndarray
) -> None:
    """Combines the windows along one dimension."""
    whole, axis = steps.whole, steps.axis
    if len(whole) >= 2:
        short = steps.step > 1 and _short(x, axis)
        if short and steps.step == 2 and not steps.rest:
            _every_second(x, steps, function, memory, out)
            return
        parts = _copies(x, whole, axis) if short else [x[index] for index in whole]
        function(parts[0], parts[1], out=out)
        for part in parts[2:]:
            function(out, part, out=out)
    elif whole:
        out[...] = x[whole[0]]
    else:
        out.fill(neutral)
    for windows, elements in steps.rest:
        part = out[windows]
        function(part, x[elements], out=part)


def _short(x: np.ndarray, axis: int) -> bool:
    """Whether a step along `axis` is a short run of memory: ufuncs pay for every run."""
    return x.itemsize < prod(x.shape[axis + 2 :]) * x.itemsize <= _SHORT and x.flags.c_contiguous


def _runs(x: np.ndarray, axis: int) -> np.ndarray:
    """Each run beyond `axis` as one element, which is copied whole."""
    return np.ndarray(x.shape[: axis + 2], np.dtype((np.void, prod(x.shape[axis + 2 :]) * x.itemsize)), x)


def _every_second(x: np.ndarray, steps: _Steps, function: np.ufunc, memory: Memory, out: np.ndarray) -> None:
    """Where every window lies inside and starts two steps after the last: all windows, one step apart, are combined as one long
    run, which is quicker than half of them in short ones; then every second is copied."""
    axis = steps.axis
    flat, sums = x.reshape(-1), memory("all windows", x.shape, x.dtype)
    line, run = sums.reshape(-1), prod(x.shape[axis + 2 :])
    length = flat.size - steps.shifts[-1] * run
    first, *others = [flat[shift * run : shift * run + length] for shift in steps.shifts]
    target = line[:length]
    for other in others:
        function(first, other, out=target)
        first = target
    _runs(out, axis)[...] = _runs(sums, axis)[steps.picked]


def _copies(x: np.ndarray, indices: Any, axis: int) -> list[np.ndarray]:
    """Slices of `x` along `axis` whose short runs have gaps, copied together, each run as one element."""
    copies = [_runs(x, axis)[index].copy() for index in indices]
    return [np.ndarray((*c.shape, *x.shape[axis + 2 :]), x.dtype, c) for c in copies]


def _blocked(x: np.ndarray, win: Window, function: np.ufunc, neutral: Any, shares: Any = None) -> np.ndarray:
    """Combines the windows along all dimensions, and multiplies by `shares`; a few images at a time, so that the steps between
    stay in the cache, on several threads."""
    images, steps = _images(x, win), _steps(win)
    out = np.empty((x.shape[0], *win.out, x.shape[-1]), x.dtype)

    def work(blocks: Iterator[int]) -> None:
        with memory() as mine:
            for block in blocks:
                place = slice(block * images, (block + 1) * images)
                target = out[place]
                _combine(x[place], steps, function, neutral, mine, target)
                if shares is not None:
                    np.multiply(target, shares, out=target)

    _run(work, -(-x.shape[0] // images), x.size)
    return out


def _run(work: Any, count: int, amount: int) -> None:
    """All blocks, on several threads where there is enough to do."""
    if count > 1 and amount >= _WORTH:
        share(work, count)
    else:
        work(iter(range(count)))


def max_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The largest element of each window."""
    return _blocked(x, win, np.maximum, lowest(x.dtype))


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


@functools.lru_cache(maxsize=32)
def _shares(win: Window, channels: int, dtype: np.dtype) -> Any:
    """The reciprocals of `counts`, spelled out for every channel: NumPy multiplies long runs far faster than short ones."""
    shares = (1 / np.asarray(counts(win), np.float64)).astype(dtype)
    return np.repeat(shares, channels, axis=-1) if shares.ndim else shares


def mean_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The mean of each window's elements; padding does not count."""
    return _blocked(x, win, np.add, 0, _shares(win, x.shape[-1], x.dtype))


def spread_means(g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `mean_windows`: each window's share goes back to all its elements."""
    shares = _shares(win, g.shape[-1], g.dtype)
    mirrored = mirror(win)
    if mirrored is not None:
        return _gather_shares(g, mirrored, shares)
    out = np.empty((g.shape[0], *win.sizes, g.shape[-1]), g.dtype)
    images = max(1, min(len(g), _BLOCK // max(1, prod(win.sizes) * g.shape[-1] * g.itemsize)))

    def work(blocks: Iterator[int]) -> None:
        for block in blocks:
            place = slice(block * images, (block + 1) * images)
            part = g[place] * shares
            for axis in range(len(win.kernel) - 1):
                part = _spread_along(part, win, axis)
            _spread_along(part, win, len(win.kernel) - 1, out[place])

    _run(work, -(-len(g) // images), out.size)
    return out


def _gather_shares(g: np.ndarray, win: Window, shares: Any) -> np.ndarray:
    """The sums of the shares of the windows around each element; `win` are windows over `g`."""
    steps = _steps(win._replace(sizes=win.span, low=(0,) * len(win.low), high=(0,) * len(win.low)))
    middle = (slice(None), *(slice(a, a + s) for a, s in zip(win.low, win.sizes, strict=True)))
    out = np.empty((len(g), *win.out, g.shape[-1]), g.dtype)
    images = _images(out, win)

    def work(blocks: Iterator[int]) -> None:
        padded = np.zeros((images, *win.span, g.shape[-1]), g.dtype)
        with memory() as mine:
            for block in blocks:
                place = slice(block * images, (block + 1) * images)
                part = padded[: len(g[place])]
                np.multiply(g[place], shares, out=part[middle])
                _combine(part, steps, np.add, 0, mine, out[place])

    _run(work, -(-len(g) // images), out.size)
    return out


def _spread_along(x: np.ndarray, win: Window, axis: int, out: np.ndarray | None = None) -> np.ndarray:
    """Adds each window's entry to the elements that it has along one dimension."""
    lead = (slice(None),) * (axis + 1)
    if out is None:
        out = np.empty((*x.shape[: axis + 1], win.sizes[axis], *x.shape[axis + 2 :]), x.dtype)
    pieces = _pieces(win, axis)
    disjoint = win.strides[axis] >= win.kernel[axis]
    if not disjoint or sum(p[0].stop - p[0].start for p in pieces) < win.sizes[axis]:
        out.fill(0)
    for windows, elements in pieces:
        target = out[(*lead, elements)]
        if disjoint:
            target[...] = x[(*lead, windows)]
        else:
            np.add(target, x[(*lead, windows)], out=target)
    return out


# -- where the maximum is ---------------------------------------------------------------------------------------------


def taps(win: Window) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """Each tap in the order of the elements: its position, the windows that it serves, the elements that they read."""
    lines = []
    for axis, step in enumerate(win.strides):
        line = []
        for tap in range(win.kernel[axis]):
            first, last, start = _range(win, axis, tap)
            if last > first:
                line.append(
                    (tap, slice(first, last), slice(start, start + (last - first - 1) * step + 1, step))
                )
        lines.append(line)
    for combination in itertools.product(*lines):
        position, windows, elements = zip(*combination, strict=True)
        yield position, (slice(None), *windows), (slice(None), *elements)


def _disjoint(win: Window) -> bool:
    return all(s >= (k - 1) * d + 1 for k, s, d in zip(win.kernel, win.strides, win.dilations, strict=True))


def _hits(
    x: np.ndarray, y: np.ndarray, win: Window
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], np.ndarray]]:
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


def _where(hit: np.ndarray, values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`values` where `hit`, else 0: by bits, which is quicker than a choice, and infinity times 0 would not be 0."""
    bits = np.dtype(f"i{values.itemsize}")
    mask = np.negative(hit.view(np.int8))
    target = None if out is None else out.view(bits)
    return np.bitwise_and(values.view(bits), mask, out=target).view(values.dtype)


def spread_to_max(x: np.ndarray, y: np.ndarray, g: np.ndarray, win: Window) -> np.ndarray:
    """The gradient of `max_windows`: each window's goes to its first maximum."""
    out = np.zeros(x.shape, g.dtype)
    if not out.size or not y.size:
        return out
    disjoint = _disjoint(win)
    images = _images(x, win)

    def work(blocks: Iterator[int]) -> None:
        for block in blocks:
            part = slice(block * images, (block + 1) * images)
            target, grads = out[part], g[part]
            for windows, elements, hit in _hits(x[part], y[part], win):
                if disjoint:
                    _where(hit, grads[windows], target[elements])
                else:
                    target[elements] += _where(hit, grads[windows])

    _run(work, -(-len(x) // images), x.size)
    return out


def gather_at_max(x: np.ndarray, y: np.ndarray, gg: np.ndarray, win: Window) -> np.ndarray:
    """The elements of `gg` where each window's first maximum is in `x`."""
    out = np.zeros(y.shape, gg.dtype)
    if x.size and y.size:
        for windows, elements, hit in _hits(x, y, win):
            out[windows] += _where(hit, gg[elements])
    return out


def _images(x: np.ndarray, win: Window) -> int:
    """How many images to take at a time, about as many in each block, so that all of them stay in the cache."""
    blocks = max(1, -(-len(x) * prod(win.sizes) * x.shape[-1] * x.itemsize // _BLOCK))
    return max(1, -(-len(x) // blocks))


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

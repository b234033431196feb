"""Transposed convolutions of 3x3 taps and stride 2, the gradients of strided ones, from lines as they lie in memory.

Two lines make four: taps 0 and 2 of the filter meet for the even lines, and there three products make two lines instead of
four (Winograd's F(2, 2), see `conv_winograd`); with those of the odd lines they are five products instead of six. The strided
convolution itself and the gradient with respect to its filter have the same five, but there the sums cost what they save.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from headwater._src.ops.conv_blocks import aligned, cut, rows_of_product
from headwater._src.ops.conv_lines import (
    F32,
    Band,
    Layout,
    Lines,
    blocks,
    do,
    pieces,
    refuse_large,
    store,
    windows,
)
from headwater._src.ops.threads import share
from headwater._src.ops.windows import Window

_LEAST = 1 << 21
"""Multiply-adds from which the preparations pay."""
_CHANNELS = 16
_PRODUCTS = range(512, 16385)
"""The fewest channels, and filters; and what their numbers make together: with less, the sums cost more than the products that
they save, and with more, the products are no longer small ones."""
_ROWS = 64
"""The fewest rows of a product that pay."""
_WASTE = 1.25
"""The most products, dropped ones included, for each one that is wanted."""
_SPACE = 3 << 18
"""Bytes of a block, which stay in a core's cache."""
_TASKS = 16
"""The fewest blocks."""


@functools.lru_cache(maxsize=1024)
def layout(win: Window, batch: int, channels: int, filters: int, dtype: np.dtype) -> Layout | None:
    """The layout for the gradient with respect to the input, where this is the way to do it; else None."""
    (high, wide), (size, across), (top, left) = (
        v if len(v) == 2 else (0, 0) for v in (win.out, win.sizes, win.low)
    )
    if (
        dtype != F32 or win.kernel != (3, 3) or win.strides != (2, 2) or win.dilations != (1, 1) or max(win.low) > 2
        or min(channels, filters) < _CHANNELS or channels * filters not in _PRODUCTS
        or batch * high * wide * 9 * channels * filters < _LEAST
    ):  # fmt: skip
        return None
    line = max(wide + 1, (left + across) // 2 + 1)
    steps = -(-(top + size) // 4)
    if 2 * steps * line > _WASTE * high * wide or steps * line < _ROWS:
        return None
    most = min(_SPACE // (4 * line * (4 * filters + 10 * channels)), -(-batch * steps // _TASKS))
    most = max(most, -(-_ROWS // line))
    highest = max(1, rows_of_product(2 * filters, channels) // line)
    parts = cut(batch, (steps,), min(most, highest) if steps > highest else most)
    bands = []
    for place in (parts.places(index)[1] for index in range(parts.counts[1])):
        count, pixels = place.stop - place.start, slice(left + 1, left + 1 + across)
        reads = pieces([2 * place.start - 1], [count + 1], (high,), slice(1, 1 + wide))
        bands.append(Band((count,), reads, pieces([4 * place.start - top], [count], (size,), pixels, 4)))
    return Layout(parts.total, parts.lengths[0], tuple(bands), line)


class _Block:
    """Memory for the lines of the result's gradient, odd and even, for two differences, and for the products. The pixels of the
    input's gradient are made by twos: an odd one from one pixel, and the even one after it from that and the next."""

    def __init__(self, win: Window, line: int, counts: tuple[int, ...], channels: int, filters: int) -> None:
        images, steps = counts
        array = np.zeros((images, 4, steps + 1, line, filters), F32)
        self.lines = Lines(array[:, :2])
        odd, even, above, below = (array[:, i] for i in range(4))
        self.steps = [(np.subtract, (odd[:, :-1], even[:, :-1], above[:, :-1])),
                      (np.subtract, (odd[:, 1:], even[:, :-1], below[:, :-1]))]  # fmt: skip
        places = steps * line
        self.results = np.empty((images, 5, steps, 2 * line, channels), F32)
        pixels = self.results.reshape(images, 5, places, 2, channels)
        flat = array.reshape(images, 4, -1, filters)
        self.singles, self.pairs = [], []
        for part, place in (
            (flat[:, 1:], slice(0, 3)),
            (flat[:, 1:2], slice(3, 4)),
            (flat[:, :1, line:], slice(4, 5)),
        ):
            target = pixels[:, place]
            self.singles.append((part[:, :, :places], target[:, :, :, 0]))
            self.pairs.append(
                [(rows, target[:, :, first::2, 1]) for first, rows in enumerate(windows(part, places, 2))]
            )

    def load(self, g: np.ndarray, images: slice, band: Band) -> None:
        self.lines.load(g, images, band.reads)
        do(self.steps)

    def store(self, out: np.ndarray, images: slice, band: Band) -> None:
        both, above, below, second, fourth = (self.results[:, i] for i in range(5))
        for given, piece in zip(
            ((above, both), (second,), (below, both), (fourth,)), band.results, strict=True
        ):
            store(np.add if len(given) == 2 else np.positive, given, out, images, piece)


def convolve_input(w: np.ndarray, g: np.ndarray, win: Window, out: np.ndarray, plan: Layout) -> None:
    """Writes the gradient with respect to the input to `out`; `TooLarge` where this is not the way."""
    channels, filters = w.shape[-2:]
    first, second, third = np.ascontiguousarray(w.swapaxes(-1, -2))
    rows = [np.stack([first + third, third, first]), second[None], second[None]]
    refuse_large(rows[0])
    refuse_large(second)
    single = [aligned(row[:, 1]) for row in rows]
    pair = [aligned(np.concatenate([row[:, 2], row[:, 0]], axis=1)) for row in rows]

    def work(indices: Iterator[int]) -> None:
        find = blocks(_Block, plan, win, len(g), channels, filters)
        for index in indices:
            block, images, band = find(index)
            block.load(g, images, band)
            for matrix, (of, target) in zip(single, block.singles, strict=True):
                np.matmul(of, matrix, out=target)
            for matrix, both in zip(pair, block.pairs, strict=True):
                for of, target in both:
                    np.matmul(of, matrix, out=target)
            block.store(out, images, band)

    share(work, plan.total, products=True)

"""The order of `Dataset.shuffle`, which is TensorFlow's for equal seeds.

A buffer is filled from the input; each step draws a 32-bit number, takes the element of the buffer that it points at,
moves the oldest into its place and refills. The numbers come from Philox; with `reshuffle_each_iteration` every pass gets
two fresh seeds from a generator that belongs to the data set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import headwater._src.ops.philox as philox
import headwater._src.ops.random as random

_AT_A_TIME = 256


def _words(seed: int, seed2: int) -> Iterator[int]:
    """Random 32-bit numbers without end."""
    stream = philox.stream_of_seeds(seed, seed2)
    while True:
        yield from philox.blocks(stream, _AT_A_TIME).reshape(-1).tolist()
        stream = stream.skip(_AT_A_TIME)


class Shuffler:
    """What a shuffled data set keeps from one pass to the next: its seeds.

    Args:
      buffer_size: elements to draw from; negative for all.
      seed: an int or None; together with the global seed it decides the order.
      reshuffle: whether each pass has an order of its own.
    """

    def __init__(self, buffer_size: int, seed: Any, reshuffle: bool) -> None:
        self.buffer_size = buffer_size
        pair = random.op_seeds(None if seed is None else int(seed))
        if pair == (0, 0):
            pair = tuple(int.from_bytes(os.urandom(8), "little") for _ in range(2))  # type: ignore[assignment]
        self.seeds = pair
        self.generator = _words(*pair) if reshuffle else None

    def shuffle(self, elements: Iterator[Any]) -> Iterator[Any]:
        """The elements in this pass's order."""
        seeds = self.seeds if self.generator is None else (next(self.generator), next(self.generator))
        return self._shuffled(elements, _words(*seeds))

    def _shuffled(self, elements: Iterator[Any], numbers: Iterator[int]) -> Iterator[Any]:
        buffer: list[Any] = []
        size = self.buffer_size
        for element in elements:
            buffer.append(element)
            if len(buffer) == size:
                break
        # A ring: positions count up and wrap around the buffer once it is full.
        size = len(buffer)
        start, held = 0, size
        while held:
            place = (start + next(numbers) % held) % size
            oldest = start % size
            element, buffer[place] = buffer[place], buffer[oldest]
            start += 1
            held -= 1
            buffer[oldest] = None
            for fresh in elements:
                buffer[oldest] = fresh
                held += 1
                break
            yield element

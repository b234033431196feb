"""The order of `Dataset.shuffle`, which is TensorFlow's for equal seeds.

A buffer is filled from the input; each step draws a 32-bit number, takes the element of the buffer that it points at,
moves the oldest into its place and refills. The numbers come from Philox; with `reshuffle_each_iteration` every pass gets
two fresh seeds from a generator that belongs to the data set.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import headwater._src.ops.philox as philox
import headwater._src.ops.random as random
from headwater._src.core.convert import host_int

_AT_A_TIME = 64
_FIRST_BLOCK = 64
_LARGEST_BLOCK = 4096


class Words:
    """Random 32-bit numbers without end, in the order of the stream of two seeds."""

    def __init__(self, seed: int, seed2: int) -> None:
        self.stream = philox.stream_of_seeds(seed, seed2)
        self.left = np.empty(0, np.uint32)
        self.position = 0
        self.drawn = 0
        """How many numbers were taken."""

    def take(self, count: int) -> np.ndarray:
        """The next `count` numbers."""
        self.drawn += count
        if count > self.left.size - self.position:
            missing = count - (self.left.size - self.position)
            blocks = max(-(-missing // 4), _AT_A_TIME)
            fresh = philox.blocks(self.stream, blocks).reshape(-1)
            self.stream = self.stream.skip(blocks)
            self.left = np.concatenate([self.left[self.position :], fresh])
            self.position = 0
        self.position += count
        return self.left[self.position - count : self.position]

    def __next__(self) -> int:
        return int(self.take(1)[0])


def seeds_of(seed: Any) -> tuple[int, int]:
    """The pair of seeds of a transformation that draws numbers; unpredictable where neither seed is set."""
    pair = random.op_seeds(None if seed is None else host_int(seed, "tf.data: seed", TypeError))
    if pair == (0, 0):
        return int.from_bytes(os.urandom(8), "little"), int.from_bytes(os.urandom(8), "little")
    return pair


class SeedSource:
    """Seeds for the passes over a data set: always the same, or two new ones for each pass."""

    def __init__(self, seed: Any, anew: bool) -> None:
        self.seeds = seeds_of(seed)
        self.anew = anew
        self.renew()

    def renew(self) -> None:
        """Goes back to the first pass."""
        self.generator = Words(*self.seeds) if self.anew else None

    @property
    def drawn(self) -> int:
        """How far the passes so far have moved it."""
        return 0 if self.generator is None else self.generator.drawn

    def move_to(self, drawn: int) -> None:
        """Goes to where it was when so many numbers had been drawn."""
        self.renew()
        if self.generator is not None and drawn:
            self.generator.take(drawn)

    def words(self) -> Words:
        """The numbers of the next pass."""
        if self.generator is None:
            return Words(*self.seeds)
        return Words(next(self.generator), next(self.generator))


class Shuffler(SeedSource):
    """What a shuffled data set keeps from one pass to the next: its seeds.

    Args:
      buffer_size: elements to draw from; negative for all.
      seed: an int or None; together with the global seed it decides the order.
      reshuffle: whether each pass has an order of its own.
    """

    def __init__(self, buffer_size: int, seed: Any, reshuffle: bool) -> None:
        super().__init__(seed, reshuffle)
        self.buffer_size = buffer_size

    def shuffle(self, elements: Iterator[Any]) -> Iterator[Any]:
        """The elements in this pass's order, each taken from the input when it is needed."""
        words = self.words()
        buffer = list(itertools.islice(elements, None if self.buffer_size < 0 else self.buffer_size))
        size, start, more = len(buffer), 0, 0 <= self.buffer_size == len(buffer) > 0
        while more:
            drawn = words.take(_AT_A_TIME).astype(np.int64)
            places = ((np.arange(start, start + _AT_A_TIME) + drawn % size) % size).tolist()
            for i, place in enumerate(places):
                fresh = next(elements, _END)
                if fresh is _END:
                    words.position -= _AT_A_TIME - i
                    more = False
                    break
                element = buffer[place]
                buffer[place] = buffer[start % size]
                buffer[start % size] = fresh
                start += 1
                yield element
        yield from itertools.chain.from_iterable(_drained(buffer, start, words, _AT_A_TIME, _AT_A_TIME))

    def order(self, blocks: Iterable[Any]) -> Iterator[np.ndarray]:
        """The row numbers in `blocks` in this pass's order, as arrays of many."""
        return self._order(iter(blocks), self.words())

    def _order(self, blocks: Iterator[Any], words: Words) -> Iterator[np.ndarray]:
        """Step k exchanges number k with one of the buffer, which is that number and those after it."""
        size, low, ended, block = self.buffer_size, 0, False, _FIRST_BLOCK
        held, many = np.empty(0), False
        while True:
            parts, count = [held[low:]], len(held) - low
            while not ended and (size < 0 or count < size + block):
                found = next(blocks, None)
                ended = found is None
                if found is not None:
                    parts.append(_floats(found))
                    count += len(found)
            if len(parts) > 1:
                held, low = np.concatenate(parts), 0
            many = many or count >= philox.MANY
            steps = min(block, count if ended else count - size)
            if steps <= 0:
                return
            left = np.arange(count, count - steps, -1)
            drawn = words.take(steps).astype(np.int64) % (left if size < 0 else np.minimum(left, size))
            philox.exchange(held[low:], drawn + np.arange(steps), many)
            yield held[low : low + steps].astype(np.int64)
            low += steps
            block = min(block * 8, _LARGEST_BLOCK)

    def lists(self, elements: Iterator[Any], most: Callable[[], int]) -> Iterator[list[Any]]:
        """The elements in this pass's order, in lists of at most as many as `most` says at the time. An error of the input is raised
        where it would be met one by one."""
        return self._lists(elements, self.words(), most)

    def _lists(self, elements: Iterator[Any], words: Words, most: Callable[[], int]) -> Iterator[list[Any]]:
        """The order in lists, which get longer and longer: the arithmetic of a list is done at once."""
        block = _FIRST_BLOCK
        stop = None if self.buffer_size < 0 else self.buffer_size
        buffer = list(itertools.islice(elements, stop))
        size, start = len(buffer), 0
        error: Exception | None = None
        # The buffer is a ring: positions count up and wrap around.
        while size and stop is not None:
            out: list[Any] = []
            block = min(block, most())
            try:
                out.extend(itertools.islice(elements, block))
            except Exception as found:  # raised once what came before it has been handed over
                error = found
            if not out and error is None:
                break
            steps = np.arange(start, start + len(out))
            places = (steps + words.take(len(out)).astype(np.int64) % size) % size
            for i, (place, oldest) in enumerate(zip(places.tolist(), (steps % size).tolist(), strict=True)):
                element = buffer[place]
                buffer[place] = buffer[oldest]
                buffer[oldest] = out[i]
                out[i] = element
            start += len(out)
            block = min(block * 2, _LARGEST_BLOCK)
            yield out
            if error is not None:
                raise error
        yield from _drained(buffer, start, words, min(block, most()), most())


_END = object()


def _floats(numbers: Any) -> np.ndarray:
    if numbers.__class__ is range:
        return np.arange(numbers.start, numbers.stop, numbers.step, dtype=np.float64)
    return np.asarray(numbers, np.float64)


def _drained(buffer: list[Any], start: int, words: Words, block: int, largest: int) -> Iterator[list[Any]]:
    """What the buffer holds, once the input has ended."""
    held = size = len(buffer)
    while held:
        count = min(block, held)
        low = start % size
        left = np.arange(held, held - count, -1)
        drawn = words.take(count).astype(np.int64) % left
        places = (np.arange(low, low + count) + drawn) % size
        if low + count <= size:
            for oldest, place in enumerate(places.tolist(), low):
                buffer[place], buffer[oldest] = buffer[oldest], buffer[place]
            out = buffer[low : low + count]
            buffer[low : low + count] = [None] * count
        else:
            out = []
            for step, place in enumerate(places.tolist(), low):
                oldest = step % size
                out.append(buffer[place])
                buffer[place] = buffer[oldest]
                buffer[oldest] = None
        start += count
        held -= count
        block = min(block * 2, largest)
        yield out

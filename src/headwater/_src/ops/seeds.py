"""Seeds: how the global seed and an operation's own give its stream of random numbers, and where each stream stands."""

from __future__ import annotations

import itertools
import operator
import os
import random
import threading
import weakref
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.core.graph import current_graph
from headwater._src.ops import philox
from headwater._src.ops.philox import Stream

_MAX_INT32 = 2**31 - 1
_DEFAULT_SEED = 87654321
"""The key of operations that have a seed of their own where no global seed is set."""


class _Seeds:
    """The global seed, the operation seeds drawn from it, and where each stateful operation's stream stands."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seed: int | None = None
        self.drawn = random.Random()
        self.streams: dict[Any, Stream] = {}
        self.counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def reset(self, seed: int | None) -> None:
        with self.lock:
            self.seed = seed
            self.drawn = random.Random(seed)
            self.streams.clear()

    def of_op(self, seed: Any) -> tuple[int, int]:
        """The pair of seeds of an operation; (0, 0) asks for unpredictable numbers."""
        own = None if seed is None else operator.index(seed)
        if self.seed is None:
            return (0, 0) if own is None else (_DEFAULT_SEED, own % _MAX_INT32)
        if own is None:
            own = self._next_op_seed()
        pair = self.seed % _MAX_INT32, own % _MAX_INT32
        return pair if pair != (0, 0) else (0, _MAX_INT32)

    def _next_op_seed(self) -> int:
        graph = current_graph()
        with self.lock:
            if graph is None:
                return self.drawn.randint(0, _MAX_INT32)
            count = self.counts.get(graph, 0)
            self.counts[graph] = count + 1
            return count

    def reserve(self, key: Any, seed: int, seed2: int, blocks: int) -> Stream:
        """The stream of `key` where it stands, which then moves on by `blocks`."""
        with self.lock:
            stream = self.streams.get(key)
            if stream is None:
                if seed == 0 and seed2 == 0:
                    seed, seed2 = (int.from_bytes(os.urandom(8), "little") for _ in range(2))
                stream = philox.stream_of_seeds(seed, seed2)
            self.streams[key] = stream.skip(blocks)
        return stream


_seeds = _Seeds()
reserve = _seeds.reserve
_nodes = itertools.count(1)


@export("random.set_seed")
def set_seed(seed: Any) -> None:
    """Sets the global seed and starts every stateful operation's stream over.

    Together with an operation's own `seed` it decides the operation's numbers:

    - neither is set: unpredictable numbers;
    - only the global seed: each call of an operation without a seed gets the next of a sequence that the global seed
      decides; inside a traced function the operations are numbered as they are traced;
    - only the operation's: a fixed global seed is taken;
    - both: both count. Calls with equal seeds go on in one sequence.

    Args:
      seed: an integer, or None to forget the global seed.

    Raises:
      TypeError: the seed is no integer.
    """
    _seeds.reset(None if seed is None else operator.index(seed))


def global_seed() -> int | None:
    """The seed that `set_seed` set, or None."""
    return _seeds.seed


def op_seeds(seed: Any) -> tuple[int, int]:
    """The two seeds of an operation whose own seed is `seed` (or None), by the rules of `set_seed`."""
    return _seeds.of_op(seed)


def node() -> int:
    """Which stream besides the seeds: each operation of a graph has its own, eager calls share one."""
    return 0 if current_graph() is None else next(_nodes)

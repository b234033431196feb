"""Seeds: how the global seed and an operation's own give its stream of random numbers, and where each stream stands.

Eager calls with equal seeds share a stream. Each operation of a graph has one of its own, whose state the graph reads and
writes as it does a variable's; so a graph that draws random numbers is a function of these states.
"""

from __future__ import annotations

import operator
import os
import random
import threading
import weakref
from typing import Any

from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.core.context import ctx
from headwater._src.core.tensor import of_array
from headwater._src.engine.tape import Handle
from headwater._src.ops import philox
from headwater._src.ops.philox import Stream

_MAX_INT32 = 2**31 - 1
_DEFAULT_SEED = 87654321
"""The key of operations that have a seed of their own where no global seed is set."""


class StreamHandle(Handle):
    """The stream of one random operation of a graph; its value is the stream's state, which each run moves on.

    Args:
      seed: the key; with `seed2` 0 as well the stream starts at an unpredictable place.
      seed2: the operation's seed.
    """

    __slots__ = ("seeds", "lock")

    hidden = True
    """It is no variable of the program."""

    def __init__(self, seed: int, seed2: int) -> None:
        self.seeds = seed, seed2
        self.lock = threading.Lock()
        self.watch, self.trainable, self.constraint = 0, False, None
        self.shape, self.dtype, self.name, self.uid = (3,), dtypes.int64, "random_stream", 0
        self.restart()
        with _seeds.lock:
            _seeds.handles.add(self)

    def restart(self) -> None:
        """Goes back to where the stream starts."""
        self.tensor = of_array(philox.state_of(_first(*self.seeds)))

    def at_call(self) -> StreamHandle:
        """The stream for one more place where a function is called inside a graph: equal numbers, counted by itself."""
        return StreamHandle(*self.seeds)


def _first(seed: int, seed2: int) -> Stream:
    if seed == 0 and seed2 == 0:
        seed, seed2 = (int.from_bytes(os.urandom(8), "little") for _ in range(2))
    return philox.stream_of_seeds(seed, seed2)


class _Seeds:
    """The global seed, the operation seeds drawn from it, and where each stateful operation's stream stands."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seed: int | None = None
        self.drawn = random.Random()
        self.streams: dict[Any, Stream] = {}
        self.handles: weakref.WeakSet[StreamHandle] = weakref.WeakSet()
        self.graphs: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()
        """The seed of each graph that draws, and how many of its operations have taken one from it."""

    def reset(self, seed: int | None) -> None:
        if ctx.graph is not None:
            with self.lock:
                self.graphs.setdefault(ctx.graph, [None, 0])[0] = seed
            return
        with self.lock:
            self.seed = seed
            self.drawn = random.Random(seed)
            self.streams.clear()
            handles = list(self.handles)
        for handle in handles:
            handle.restart()

    def of_op(self, seed: Any) -> tuple[int, int]:
        """The pair of seeds of an operation; (0, 0) asks for unpredictable numbers."""
        own = None if seed is None else operator.index(seed)
        graph = ctx.graph
        whole = self.seed if graph is None else self._of_graph(graph)[0]
        if whole is None:
            return (0, 0) if own is None else (_DEFAULT_SEED, own % _MAX_INT32)
        if own is None:
            own = self._next_op_seed()
        pair = whole % _MAX_INT32, own % _MAX_INT32
        return pair if pair != (0, 0) else (0, _MAX_INT32)

    def _of_graph(self, graph: Any) -> list[Any]:
        """A graph takes its seed from the graph around it, the outermost from the program, and numbers its operations."""
        with self.lock:
            found = self.graphs.get(graph)
            if found is None:
                outer = graph.outer
                while outer is not None and outer not in self.graphs:
                    outer = outer.outer
                seed = self.seed if outer is None else self.graphs[outer][0]
                found = self.graphs[graph] = [seed, 0]
            return found

    def _next_op_seed(self) -> int:
        with self.lock:
            if ctx.graph is None:
                return self.drawn.randint(0, _MAX_INT32)
            entry = self.graphs[ctx.graph]
            entry[1] += 1
            return entry[1] - 1

    def reserve(self, key: Any, seed: int, seed2: int, blocks: int) -> Stream:
        """The stream of `key` where it stands, which then moves on by `blocks`."""
        with self.lock:
            stream = self.streams.get(key)
            if stream is None:
                stream = _first(seed, seed2)
            self.streams[key] = stream.skip(blocks)
        return stream


_seeds = _Seeds()
reserve = _seeds.reserve


@export("random.set_seed")
def set_seed(seed: Any) -> None:
    """Sets the global seed and starts every stateful operation's stream over.

    Together with an operation's own `seed` it decides the operation's numbers:

    - neither is set: unpredictable numbers;
    - only the global seed: each call of an operation without a seed gets the next of a sequence that the global seed
      decides; inside a traced function the operations are numbered as they are traced, each goes on where its last run
      ended, and every new trace begins anew;
    - only the operation's: a fixed global seed is taken;
    - both: both count. Calls with equal seeds go on in one sequence.

    Traced functions keep the seeds of their trace; setting any seed takes their operations back to the start. Inside a
    function it sets the seed of the operations traced after it, there alone.

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

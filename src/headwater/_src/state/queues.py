"""Queues between threads: first in, first out; padding; shuffling; by priority."""

from __future__ import annotations

import functools
import heapq
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.philox as philox
from headwater._src.base.dtypes import DType, as_dtype, int64
from headwater._src.base.errors import CancelledError, OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert, host_int
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor
from headwater._src.ops.seeds import _seeds
from headwater._src.state.host_nodes import ObjectRecord, resource_of

_WAIT = 0.5
"""Waits are this long at a time, in seconds, so that an interrupt from the keyboard is seen."""

Parts = tuple[np.ndarray, ...]
Element = tuple[Parts, Any]
"""A row of arrays that were enqueued together, by its number; the arrays themselves for None."""


@export("queue.QueueBase")
class QueueBase:
    """Base of the queues: elements are tuples of tensors, which threads put in and take out.

    Args:
      dtypes: the dtype of each component, or one for a queue of single tensors.
      shapes: their shapes, or None where they are open.
      names: names of the components, with which elements are dictionaries; None for tuples.
      queue_ref: a tensor that holds the queue.
    """

    _title = "Queue"
    _open_shapes = False
    """Whether dimensions may be unknown."""

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Any) -> None:
        self._dtypes = [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]
        if not self._dtypes:
            raise invalid(f"{self._title}: an element has at least one component; got no dtypes.")
        several = self._open_shapes or isinstance(dtypes, (list, tuple))
        self._shapes = _shapes_of(
            shapes, len(self._dtypes), several, ValueError if self._open_shapes else invalid
        )
        self._names = None if names is None else list(names) if isinstance(names, (list, tuple)) else [names]
        if self._names is not None and len(self._names) != len(self._dtypes):
            raise ValueError(
                f"A queue needs a name for each dtype; got {len(self._names)} for {len(self._dtypes)}."
            )
        self._queue_ref = queue_ref
        self._owner: Any = self if queue_ref is None else queue_ref._array[()]
        self._index: Any = None
        """Which of the owners, if there are several to choose among when the program runs."""

    def _start(self, capacity: Any, kept: int = 0) -> None:
        capacity = host_int(capacity, f"{self._title}: capacity", TypeError, TypeError)
        capacity = float("inf") if capacity < 0 else capacity
        if not 0 <= kept < capacity and (kept or capacity):
            raise invalid(
                f"{self._title}: min_after_dequeue is at least 0 and below the capacity {capacity}; got {kept}."
            )
        self._capacity = capacity
        self._kept = kept
        self._items: Any = deque()
        self._closed = self._cancelled = False
        self._pending = 0
        self._changed = threading.Condition()
        self._producers, self._consumers = threading.Lock(), threading.Lock()
        self._queue_ref = resource_of(self)

    def _known_shapes(self, shapes: Any) -> None:
        """ValueError for shapes that are given and say too little."""
        if shapes is None:
            return
        for shape in self._shapes:
            if shape.rank is None or not (self._open_shapes or shape.is_fully_defined()):
                needed = (
                    "of known rank" if self._open_shapes else "fully known (PaddingFIFOQueue takes others)"
                )
                raise ValueError(f"{self._title}: the components' shapes must be {needed}; got {shape}.")

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def queue_ref(self) -> Any:
        """A tensor that holds the queue."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the queue."""
        return "Empty"

    @property
    def dtypes(self) -> list[DType]:
        """The dtype of each component."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shape of each component."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The components' names."""
        return self._names

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """The queue at `index`; TypeError for other objects, or queues of different dtypes or names."""
        if (
            not isinstance(queues, (list, tuple))
            or not queues
            or not all(isinstance(q, QueueBase) for q in queues)
        ):
            raise TypeError("QueueBase.from_list takes a list of at least one queue.")
        if any(q.dtypes != queues[0].dtypes or q.names != queues[0].names for q in queues):
            raise TypeError("QueueBase.from_list: the queues have different dtypes or names.")
        shapes = [_common_shape(column) for column in zip(*(q.shapes for q in queues), strict=True)]
        found = QueueBase(queues[0].dtypes, shapes, queues[0].names, resource_of(queues[0]._owner))
        if isinstance(index, SymbolicTensor):
            found._owner, found._index = [q._owner for q in queues], index
            return found
        at = host_int(index, "QueueBase.from_list: index")
        if not 0 <= at < len(queues):
            raise invalid(f"QueueBase.from_list: index {at} is not in [0, {len(queues)}).")
        found._owner, found._queue_ref = queues[at]._owner, queues[at]._queue_ref
        return found

    # -- waiting; elements are tuples of arrays -----------------------------------------------------------------------

    def _push(self, elements: Iterable[Element]) -> None:
        self._items.extend(elements)

    def _pop(self, count: int) -> list[Element]:
        pop = self._items.popleft
        return [pop() for _ in range(count)]

    def _until(self, ready: Callable[[], Any]) -> None:
        while not ready():
            self._changed.wait(_WAIT)

    def _put(self, elements: Iterator[Element], count: int) -> tuple[()]:
        if not count:
            return ()
        with self._changed:
            if self._closed:
                raise CancelledError(
                    None, None, f"{self._title} is closed: nothing can be enqueued any more."
                )
            self._pending += 1
        try:
            # One producer at a time, so that the elements of a call stay together.
            with self._producers, self._changed:
                self._put_all(elements, count)
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()
        return ()

    def _put_all(self, elements: Iterator[Element], count: int) -> None:
        while count:
            self._until(lambda: len(self._items) < self._capacity or self._cancelled)
            if self._cancelled:
                raise CancelledError(None, None, f"{self._title}: the enqueue was cancelled by close().")
            room = int(min(count, self._capacity - len(self._items)))
            self._push(itertools.islice(elements, room))
            count -= room
            self._changed.notify_all()

    def _available(self) -> int:
        return len(self._items) - (0 if self._closed else self._kept)

    def _over(self) -> bool:
        """Whether nothing more will come: closed, and no enqueue that began before waits for room."""
        return self._closed and (self._cancelled or not self._pending)

    def _take(self, count: int, up_to: bool = False) -> list[Element]:
        if count < 0:
            raise invalid(f"{self._title}: a number of elements is not negative; got {count}.")
        taken: list[Element] = []
        with self._consumers, self._changed:
            try:
                self._take_all(taken, count, up_to)
            except BaseException:
                self._put_back(taken)
                self._changed.notify_all()
                raise
        return taken

    def _take_all(self, taken: list[Element], count: int, up_to: bool) -> None:
        """Takes elements as they come, so that there may be more of them than the capacity."""
        while len(taken) < count:
            self._until(lambda: self._available() > 0 or self._over())
            if self._available() <= 0:
                if up_to and taken:
                    return
                raise OutOfRangeError(
                    None, None,
                    f"{self._title} is closed and has too few elements: {count} were asked for, {len(taken)} are there.",
                )  # fmt: skip
            taken += self._pop(min(count - len(taken), self._available()))
            self._changed.notify_all()

    def _put_back(self, elements: list[Element]) -> None:
        self._items.extendleft(reversed(elements))

    def _shut(self, cancel: bool) -> tuple[()]:
        with self._changed:
            if self._closed and not cancel:
                raise CancelledError(None, None, f"{self._title} is already closed.")
            self._closed, self._cancelled = True, self._cancelled or cancel
            self._changed.notify_all()
        return ()

    def _batched(self, taken: list[Element]) -> Parts:
        if taken:
            return _stacked(taken)
        shapes = [s.as_list() for s in self._shapes]
        return tuple(
            np.empty((0, *(n or 0 for n in shape)), d.np)
            for shape, d in zip(shapes, self._dtypes, strict=True)
        )

    # -- the operations -----------------------------------------------------------------------------------------------

    def _components(self, vals: Any, many: bool) -> list[Any]:
        if self._names is not None:
            if not isinstance(vals, dict) or sorted(vals) != sorted(self._names):
                raise ValueError(f"This queue takes dictionaries with the keys {self._names}; got {vals!r}.")
            vals = [vals[n] for n in self._names]
        elif isinstance(vals, dict):
            raise ValueError("This queue has no names: give a tuple.")
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        tensors = [convert(v, d) for v, d in zip(vals, self._dtypes, strict=False)]
        for tensor, shape in zip(tensors, self._shapes, strict=False):
            if many and tensor.shape.rank == 0:
                raise ValueError(
                    "enqueue_many takes tensors whose first dimension counts the elements; got a scalar."
                )
            inner = tensor.shape[1:] if many else tensor.shape
            if not inner.is_compatible_with(shape):
                raise ValueError(f"This queue takes components of shape {shape}; got {inner}.")
        if len(vals) != len(self._dtypes):
            raise invalid(f"An element of this queue has {len(self._dtypes)} components; got {len(vals)}.")
        if many and len({t.shape[0] for t in tensors if t.shape.rank and t.shape[0] is not None}) > 1:
            raise ValueError(
                f"enqueue_many: the numbers of elements differ: {[str(t.shape) for t in tensors]}."
            )
        return tensors

    def _result(self, parts: Sequence[Any]) -> Any:
        if self._names is not None:
            return dict(zip(self._names, parts, strict=True))
        return parts[0] if len(parts) == 1 else list(parts)

    def _run(self, record: ObjectRecord, inputs: Sequence[Any], specs: Sequence[Spec]) -> tuple[Any, ...]:
        if self._index is None:
            return record(self._owner, inputs, specs)
        return _of_several(record)(self._owner, [self._index, *inputs], specs)

    def _specs(self, count: Any) -> list[Spec]:
        lead = () if count == () else (count,)
        known = [None if s.rank is None else (*lead, *s.as_list()) for s in self._shapes]
        return [Spec(s, d.np) for s, d in zip(known, self._dtypes, strict=True)]

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Puts one element in, waiting for room; CancelledError where the queue is closed."""
        self._run(_ENQUEUE, self._components(vals, False), [])

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Puts in the elements along the components' first dimension, in their order, waiting for room."""
        self._run(_ENQUEUE_MANY, self._components(vals, True), [])

    def dequeue(self, name: str | None = None) -> Any:
        """Takes one element, waiting for it; OutOfRangeError where the queue is closed and empty."""
        return self._result(self._run(_DEQUEUE, [], self._specs(())))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Takes `n` elements, stacked; waits until they are there, OutOfRangeError where they never will be."""
        self._need_shapes("dequeue_many")
        return self._result(self._run(_DEQUEUE_MANY, [_count(n)], self._specs(_static(n))))

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """The same, but with as many as are left, at least one, where the queue is closed."""
        self._need_shapes("dequeue_up_to")
        return self._result(self._run(_DEQUEUE_UP_TO, [_count(n)], self._specs(None)))

    def _need_shapes(self, what: str) -> None:
        if any(s.rank is None for s in self._shapes):
            raise invalid(f"{what} stacks elements: give the queue the components' shapes.")

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements in the queue, int32."""
        return self._run(_SIZE, [], [Spec((), np.dtype(np.int32))])[0]

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> None:
        """Ends enqueueing; what is in the queue can still be taken. Waiting enqueues fail if they are to be cancelled."""
        self._run(_CANCEL if cancel_pending_enqueues else _CLOSE, [], [])

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether it was closed, bool."""
        return self._run(_IS_CLOSED, [], [Spec((), np.dtype(bool))])[0]


def _shapes_of(shapes: Any, count: int, several: bool, error: Any) -> list[TensorShape]:
    """A shape for each of `count` components; `several`: a list is one of shapes, not of dimensions."""
    if shapes is None:
        return [TensorShape(None)] * count
    given = shapes if isinstance(shapes, list) and several or _is_nested(shapes) else [shapes]
    if len(given) != count:
        raise error(f"A queue needs a shape for each dtype; got {len(given)} for {count}.")
    return [TensorShape(s) for s in given]


def _common_shape(shapes: Sequence[TensorShape]) -> TensorShape:
    first = shapes[0]
    return first if all(s == first for s in shapes) else TensorShape(None)


def _count(n: Any) -> Tensor:
    """A number of elements as a tensor; TypeError for what is no integer."""
    number = host_int(n, "The number of elements", TypeError, TypeError)
    return number if isinstance(number, Tensor) else convert(number)


@functools.cache
def _of_several(record: ObjectRecord) -> ObjectRecord:
    """The record for a list of queues, of which the first input chooses one."""

    def kernel(queues: list[Any], index: np.ndarray, *inputs: np.ndarray) -> Any:
        if not 0 <= int(index) < len(queues):
            raise invalid(f"QueueBase.from_list: index {int(index)} is not in [0, {len(queues)}).")
        return record.kernel(queues[int(index)], *inputs)

    return ObjectRecord(record.name, kernel)


def _is_nested(shapes: Any) -> bool:
    return isinstance(shapes, (list, tuple)) and any(
        isinstance(s, (list, tuple, TensorShape)) for s in shapes
    )


def _static(n: Any) -> int | None:
    return int(n) if isinstance(n, (int, np.integer)) else None


def _row(element: Element) -> Parts:
    parts, row = element
    return parts if row is None else tuple([p[row, ...] for p in parts])


def _stacked(taken: list[Element]) -> Parts:
    """Elements as rows; those that were enqueued together are copied together."""
    places: dict[int, list[int]] = {}
    for place, (parts, _) in enumerate(taken):
        places.setdefault(id(parts), []).append(place)
    if len(places) == len(taken):
        return tuple(np.stack(column) for column in zip(*map(_row, taken), strict=True))
    rows = [row for _, row in taken]
    if len(places) == 1:
        return tuple([p[rows] for p in taken[0][0]])
    out = tuple([np.empty((len(taken), *p.shape), p.dtype) for p in _row(taken[0])])
    for at in places.values():
        parts, row = taken[at[0]]
        for target, part in zip(out, parts, strict=True):
            target[at] = part if row is None else part[[rows[i] for i in at]]
    return out


def _put_many(queue: Any, *parts: np.ndarray) -> tuple[()]:
    count = len(parts[0])
    return queue._put(zip(itertools.repeat(parts), range(count)), count)


_ENQUEUE = ObjectRecord("QueueEnqueueV2", lambda q, *parts: q._put(iter(((parts, None),)), 1))
_ENQUEUE_MANY = ObjectRecord("QueueEnqueueManyV2", _put_many)
_DEQUEUE = ObjectRecord("QueueDequeueV2", lambda q: _row(q._take(1)[0]))
_DEQUEUE_MANY = ObjectRecord("QueueDequeueManyV2", lambda q, n: q._batched(q._take(int(n))))
_DEQUEUE_UP_TO = ObjectRecord("QueueDequeueUpToV2", lambda q, n: q._batched(q._take(int(n), True)))
_SIZE = ObjectRecord("QueueSizeV2", lambda q: (np.asarray(len(q._items), np.int32),))
_CLOSE = ObjectRecord("QueueCloseV2", lambda q: q._shut(False))
_CANCEL = ObjectRecord("QueueCancelV2", lambda q: q._shut(True))
_IS_CLOSED = ObjectRecord("QueueIsClosedV2", lambda q: (np.asarray(q._closed),))


@export("queue.FIFOQueue")
class FIFOQueue(QueueBase):
    """A queue whose elements come out in the order in which they went in.

    Args:
      capacity: how many elements it holds.
      dtypes: dtype of each component.
      shapes: their static shapes; needed to dequeue many.
      names: the components' names.
    """

    _title = "FIFOQueue"

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:  # fmt: skip
        super().__init__(dtypes, shapes, names, None)
        self._known_shapes(shapes)
        self._start(capacity)


@export("queue.PaddingFIFOQueue")
class PaddingFIFOQueue(QueueBase):
    """A FIFO queue of components whose dimensions may vary; those dequeued together are padded with zeros at their ends.

    Args:
      capacity: how many elements it holds.
      dtypes: dtype of each component.
      shapes: their shapes, None for dimensions that vary.
      names: the components' names.
    """

    _title = "PaddingFIFOQueue"
    _open_shapes = True

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:  # fmt: skip
        if shapes is None:
            raise ValueError(
                "PaddingFIFOQueue needs the components' shapes, with None for dimensions that vary."
            )
        super().__init__(dtypes, shapes, names, None)
        self._known_shapes(shapes)
        self._start(capacity)

    def _batched(self, taken: list[Element]) -> Parts:
        if not taken or all(s.is_fully_defined() for s in self._shapes):
            return super()._batched(taken)
        return tuple(_padded(column) for column in zip(*map(_row, taken), strict=True))


def _padded(parts: Sequence[np.ndarray]) -> np.ndarray:
    sizes = tuple(max(dims) for dims in zip(*(p.shape for p in parts), strict=True))
    out = np.full((len(parts), *sizes), b"" if parts[0].dtype == object else 0, parts[0].dtype)
    for row, part in enumerate(parts):
        out[(row, *(slice(n) for n in part.shape))] = part  # type: ignore[index]
    return out


@export("queue.RandomShuffleQueue")
class RandomShuffleQueue(QueueBase):
    """A queue whose elements come out at random.

    Args:
      capacity: how many elements it holds.
      min_after_dequeue: how many stay in it while it is open, to choose among.
      dtypes: dtype of each component.
      shapes: their static shapes; needed to dequeue many.
      names: the components' names.
      seed: with the global seed it decides the order, as for random operations.
    """

    _title = "RandomShuffleQueue"

    def __init__(
        self, capacity: int, min_after_dequeue: int, dtypes: Any, shapes: Any = None, names: Any = None,
        seed: int | None = None, shared_name: str | None = None, name: str = "random_shuffle_queue",
    ) -> None:  # fmt: skip
        super().__init__(dtypes, shapes, names, None)
        self._known_shapes(shapes)
        self._start(capacity, min_after_dequeue)
        self._items = []
        pair = _seeds.of_op(seed)
        if pair == (0, 0):
            pair = int.from_bytes(os.urandom(8), "little"), int.from_bytes(os.urandom(8), "little")
        self._words = philox.endless(philox.stream_of_seeds(*pair))

    def _pop(self, count: int) -> list[Element]:
        items, taken = self._items, []
        for left, word in zip(range(len(items) - 1, len(items) - 1 - count, -1), self._words, strict=False):
            at = word % (left + 1)
            taken.append(items[at])
            items[at] = items[left]
        del items[len(items) - count :]
        return taken

    def _put_back(self, elements: list[Element]) -> None:
        self._items += elements


@export("queue.PriorityQueue")
class PriorityQueue(QueueBase):
    """A queue whose elements come out by their priority, an int64 scalar that is their first component, smallest first.

    Args:
      capacity: how many elements it holds.
      types: dtype of each component after the priority.
      shapes: their static shapes; needed.
      names: names of all components, the priority's first.
    """

    _title = "PriorityQueue"

    def __init__(
        self, capacity: int, types: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:  # fmt: skip
        types = list(types) if isinstance(types, (list, tuple)) else [types]
        if not types or shapes is None:
            raise invalid("PriorityQueue needs a dtype and a shape for each component after the priority.")
        shapes = [[], *(shapes if isinstance(shapes, (list, tuple)) else [shapes])]
        super().__init__([int64, *types], shapes, names, None)
        self._known_shapes(shapes)
        self._start(capacity)
        self._items = []
        self._count = itertools.count()

    def _push(self, elements: Iterable[Element]) -> None:
        made = [(_priority(e), next(self._count), e) for e in elements]
        if len(made) == 1:
            heapq.heappush(self._items, made[0])
        else:
            self._items += made
            heapq.heapify(self._items)

    def _put_back(self, elements: list[Element]) -> None:
        for element in reversed(elements):
            heapq.heappush(self._items, (_priority(element), -next(self._count), element))

    def _pop(self, count: int) -> list[Element]:
        items = self._items
        if 4 * count < len(items):
            return [heapq.heappop(items)[2] for _ in range(count)]
        items.sort()  # which is a heap too
        taken = [item[2] for item in items[:count]]
        del items[:count]
        return taken


def _priority(element: Element) -> int:
    parts, row = element
    return int(parts[0] if row is None else parts[0][row])

"""Queues between threads: first in, first out; padding; shuffling; by priority."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base.dtypes import DType, as_dtype, int64
from headwater._src.base.errors import CancelledError, OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.seeds import _seeds
from headwater._src.state.host_nodes import ObjectRecord, resource_of

_WAIT = 0.5
"""Waits are this long at a time, in seconds, so that an interrupt from the keyboard is seen."""

Element = tuple[np.ndarray, ...]


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

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Any) -> None:
        self._dtypes = [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]
        if shapes is None:
            self._shapes = [TensorShape(None)] * len(self._dtypes)
        else:
            given = (
                shapes
                if isinstance(shapes, list) and isinstance(dtypes, (list, tuple)) or _is_nested(shapes)
                else [shapes]
            )
            self._shapes = [TensorShape(s) for s in given]
            if len(self._shapes) != len(self._dtypes):
                raise ValueError(
                    f"A queue needs a shape for each dtype; got {len(self._shapes)} for {len(self._dtypes)}."
                )
        self._names = None if names is None else list(names) if isinstance(names, (list, tuple)) else [names]
        if self._names is not None and len(self._names) != len(self._dtypes):
            raise ValueError(
                f"A queue needs a name for each dtype; got {len(self._names)} for {len(self._dtypes)}."
            )
        self._queue_ref = queue_ref

    def _start(self, capacity: int, kept: int = 0) -> None:
        if capacity < 1 and capacity != -1:
            raise invalid(f"{self._title}: the capacity is at least 1, or -1 for no limit; got {capacity}.")
        if kept < 0 or (kept > capacity != -1):
            raise invalid(f"{self._title}: min_after_dequeue is in [0, {capacity}]; got {kept}.")
        self._capacity = float("inf") if capacity == -1 else capacity
        self._kept = kept
        self._items: Any = deque()
        self._closed = self._cancelled = False
        self._pending = 0
        self._changed = threading.Condition()
        self._producers, self._consumers = threading.Lock(), threading.Lock()
        self._queue_ref = resource_of(self)

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
        if isinstance(index, Tensor) and not hasattr(index, "_array"):
            raise NotImplementedError("QueueBase.from_list: the index is known when the function is traced.")
        at = int(index)
        if not 0 <= at < len(queues):
            raise invalid(f"QueueBase.from_list: index {at} is not in [0, {len(queues)}).")
        return queues[at]

    # -- waiting; elements are tuples of arrays -----------------------------------------------------------------------

    def _push(self, element: Element) -> None:
        self._items.append(element)

    def _pop(self) -> Element:
        return self._items.popleft()  # type: ignore[no-any-return]

    def _until(self, ready: Callable[[], Any]) -> None:
        while not ready():
            self._changed.wait(_WAIT)

    def _put(self, elements: list[Element]) -> tuple[()]:
        with self._changed:
            if self._closed:
                raise CancelledError(
                    None, None, f"{self._title} is closed: nothing can be enqueued any more."
                )
            self._pending += 1
        try:
            # One producer at a time, so that the elements of a call stay together.
            with self._producers, self._changed:
                self._put_all(elements)
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()
        return ()

    def _put_all(self, elements: list[Element]) -> None:
        at = 0
        while at < len(elements):
            self._until(lambda: len(self._items) < self._capacity or self._cancelled)
            if self._cancelled:
                raise CancelledError(None, None, f"{self._title}: the enqueue was cancelled by close().")
            while at < len(elements) and len(self._items) < self._capacity:
                self._push(elements[at])
                at += 1
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
                for element in reversed(taken):
                    self._put_back(element)
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
            while len(taken) < count and self._available() > 0:
                taken.append(self._pop())
            self._changed.notify_all()

    def _put_back(self, element: Element) -> None:
        self._items.appendleft(element)

    def _shut(self, cancel: bool) -> tuple[()]:
        with self._changed:
            if self._closed and not (cancel and not self._cancelled):
                raise CancelledError(None, None, f"{self._title} is already closed.")
            self._closed, self._cancelled = True, self._cancelled or cancel
            self._changed.notify_all()
        return ()

    def _batched(self, taken: list[Element]) -> Element:
        if taken:
            return tuple(np.stack(parts) for parts in zip(*taken, strict=True))
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
        if len(vals) != len(self._dtypes):
            raise invalid(f"An element of this queue has {len(self._dtypes)} components; got {len(vals)}.")
        tensors = [convert(v, d) for v, d in zip(vals, self._dtypes, strict=True)]
        for tensor, shape in zip(tensors, self._shapes, strict=True):
            if many and tensor.shape.rank == 0:
                raise ValueError(
                    "enqueue_many takes tensors whose first dimension counts the elements; got a scalar."
                )
            inner = tensor.shape[1:] if many else tensor.shape
            if not inner.is_compatible_with(shape):
                raise ValueError(f"This queue takes components of shape {shape}; got {inner}.")
        if many and len({t.shape[0] for t in tensors if t.shape.rank and t.shape[0] is not None}) > 1:
            raise ValueError(
                f"enqueue_many: the numbers of elements differ: {[str(t.shape) for t in tensors]}."
            )
        return tensors

    def _result(self, parts: Sequence[Any]) -> Any:
        if self._names is not None:
            return dict(zip(self._names, parts, strict=True))
        return parts[0] if len(parts) == 1 else list(parts)

    def _specs(self, count: Any) -> list[Spec]:
        lead = () if count == () else (count,)
        known = [None if s.rank is None else (*lead, *s.as_list()) for s in self._shapes]
        return [Spec(s, d.np) for s, d in zip(known, self._dtypes, strict=True)]

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Puts one element in, waiting for room; CancelledError where the queue is closed."""
        _ENQUEUE(self, self._components(vals, False), [])

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Puts in the elements along the components' first dimension, in their order, waiting for room."""
        _ENQUEUE_MANY(self, self._components(vals, True), [])

    def dequeue(self, name: str | None = None) -> Any:
        """Takes one element, waiting for it; OutOfRangeError where the queue is closed and empty."""
        return self._result(_DEQUEUE(self, [], self._specs(())))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Takes `n` elements, stacked; waits until they are there, OutOfRangeError where they never will be."""
        self._need_shapes("dequeue_many")
        return self._result(_DEQUEUE_MANY(self, [convert(n)], self._specs(_static(n))))

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """The same, but with as many as are left, at least one, where the queue is closed."""
        self._need_shapes("dequeue_up_to")
        return self._result(_DEQUEUE_UP_TO(self, [convert(n)], self._specs(None)))

    def _need_shapes(self, what: str) -> None:
        if any(s.rank is None for s in self._shapes):
            raise invalid(f"{what} stacks elements: give the queue the components' shapes.")

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements in the queue, int32."""
        return _SIZE(self, [], [Spec((), np.dtype(np.int32))])[0]

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> None:
        """Ends enqueueing; what is in the queue can still be taken. Waiting enqueues fail if they are to be cancelled."""
        (_CANCEL if cancel_pending_enqueues else _CLOSE)(self, [], [])

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether it was closed, bool."""
        return _IS_CLOSED(self, [], [Spec((), np.dtype(bool))])[0]


def _is_nested(shapes: Any) -> bool:
    return isinstance(shapes, (list, tuple)) and any(
        isinstance(s, (list, tuple, TensorShape)) for s in shapes
    )


def _static(n: Any) -> int | None:
    return int(n) if isinstance(n, (int, np.integer)) else None


def _rows(parts: tuple[np.ndarray, ...]) -> list[Element]:
    return [tuple(np.asarray(p[i : i + 1]).reshape(p.shape[1:]) for p in parts) for i in range(len(parts[0]))]


_ENQUEUE = ObjectRecord("QueueEnqueueV2", lambda q, *parts: q._put([parts]))
_ENQUEUE_MANY = ObjectRecord("QueueEnqueueManyV2", lambda q, *parts: q._put(_rows(parts)))
_DEQUEUE = ObjectRecord("QueueDequeueV2", lambda q: q._take(1)[0])
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

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:  # fmt: skip
        if shapes is None:
            raise ValueError(
                "PaddingFIFOQueue needs the components' shapes, with None for dimensions that vary."
            )
        super().__init__(dtypes, shapes, names, None)
        self._start(capacity)

    def _batched(self, taken: list[Element]) -> Element:
        if not taken:
            return super()._batched(taken)
        return tuple(_padded(parts) for parts in zip(*taken, strict=True))


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
        self._start(capacity, min_after_dequeue)
        self._items = []
        pair = _seeds.of_op(seed)
        self._random = random.Random(None if pair == (0, 0) else f"{pair[0]},{pair[1]}")

    def _pop(self) -> Element:
        items = self._items
        at = self._random.randrange(len(items))
        items[at], items[-1] = items[-1], items[at]
        return items.pop()  # type: ignore[no-any-return]

    def _put_back(self, element: Element) -> None:
        self._items.append(element)


@export("queue.PriorityQueue")
class PriorityQueue(QueueBase):
    """A queue whose elements come out by their priority, an int64 scalar that is their first component, smallest first.

    Args:
      capacity: how many elements it holds.
      types: dtype of each component after the priority.
      shapes: their static shapes.
      names: names of all components, the priority's first.
    """

    _title = "PriorityQueue"

    def __init__(
        self, capacity: int, types: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:  # fmt: skip
        types = list(types) if isinstance(types, (list, tuple)) else [types]
        if shapes is not None:
            shapes = [[], *(shapes if isinstance(shapes, (list, tuple)) else [shapes])]
        super().__init__([int64, *types], shapes, names, None)
        self._shapes = [TensorShape([]), *self._shapes[1:]]
        self._start(capacity)
        self._items = []
        self._count = itertools.count()

    def _push(self, element: Element) -> None:
        heapq.heappush(self._items, (int(element[0]), next(self._count), element))

    def _put_back(self, element: Element) -> None:
        heapq.heappush(self._items, (int(element[0]), -next(self._count), element))

    def _pop(self) -> Element:
        return heapq.heappop(self._items)[2]  # type: ignore[no-any-return]

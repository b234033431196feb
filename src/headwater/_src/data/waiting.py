"""Threads for what waits: functions that call Python, generators, files.

A thread is worth its cost where the pipeline waits for something, so what only computes runs where it is asked for. Threads
end when their iterator does, is closed or is garbage collected, whatever comes first.
"""

from __future__ import annotations

import collections
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_END, _ELEMENT, _ERROR = range(3)


def ahead(make: Callable[[], Iterator[Any]], size: int) -> Iterator[Any]:
    """What `make()` gives, computed by another thread up to `size` elements ahead."""
    ready: queue.Queue[Any] = queue.Queue(size)
    stop = threading.Event()
    threading.Thread(target=_fill, args=(make, ready, stop), name="headwater-prefetch", daemon=True).start()
    try:
        while True:
            kind, value = ready.get()
            if kind == _END:
                return
            if kind == _ERROR:
                raise value
            yield value
    finally:
        stop.set()
        # Room for the element that the thread may be waiting to hand over.
        while not ready.empty():
            ready.get_nowait()


def _fill(make: Callable[[], Iterator[Any]], ready: queue.Queue[Any], stop: threading.Event) -> None:
    source: Any = None
    last: tuple[int, Any] = (_END, None)
    try:
        source = make()
        for element in source:
            if stop.is_set():
                return
            ready.put((_ELEMENT, element))
            if stop.is_set():
                return
    except BaseException as error:  # it belongs to whoever iterates
        last = (_ERROR, error)
    finally:
        if hasattr(source, "close"):
            source.close()
        if not stop.is_set():
            ready.put(last)


def in_parallel(call: Callable[[Any], Any], source: Iterator[Any], workers: int) -> Iterator[Any]:
    """`call(element)` for each element in their order, several at a time."""
    pool = ThreadPoolExecutor(workers, "headwater-map")
    waiting: collections.deque[Any] = collections.deque()
    try:
        for element in source:
            waiting.append(pool.submit(call, element))
            if len(waiting) >= workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

"""Whether AutoGraph is wanted where the program is now: `do_not_convert` says no, a converted function says yes."""

from __future__ import annotations

import enum
import functools
import threading
from collections.abc import Callable
from typing import Any


class Status(enum.Enum):
    """What has been said about converting."""

    UNSPECIFIED = 0
    ENABLED = 1
    DISABLED = 2


class ControlStatusCtx:
    """A `with` block in which callbacks are converted, or are not.

    Args:
      status: one of `Status`.
      options: accepted for compatibility.
    """

    def __init__(self, status: Status, options: Any = None) -> None:
        self.status = status
        self.options = options

    def __enter__(self) -> ControlStatusCtx:
        _stack.entries.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _stack.entries.pop()


class _Stack(threading.local):
    def __init__(self) -> None:
        self.entries = [ControlStatusCtx(Status.UNSPECIFIED)]


_stack = _Stack()


def status() -> ControlStatusCtx:
    """The innermost block of this thread."""
    return _stack.entries[-1]


control_status_ctx = status
"""TensorFlow's name of it."""


def with_status(function: Callable[..., Any], wanted: Status) -> Callable[..., Any]:
    """`function`, called inside of a block of that status."""

    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        with ControlStatusCtx(wanted):
            return function(*args, **kwargs)

    return run

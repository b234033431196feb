"""The public names of AutoGraph."""
from __future__ import annotations
import inspect
from collections.abc import Callable
from typing import Any
from headwater._src.base.absent import absent_function
from headwater._src.base.exporting import export

# -- autograph --------------------------------------------------------------------------------------------------------


@export("autograph.experimental.do_not_convert")
def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Marks a function whose Python control flow is to stay Python; used with or without parentheses."""
    if func is None:
        return do_not_convert
    if inspect.isfunction(func):
        func.__headwater_do_not_convert__ = True  # type: ignore[attr-defined]
    return func


_NO_AUTOGRAPH = (
    "Python control flow runs as Python, eagerly; use tf.cond and tf.while_loop where a graph is wanted."
)

to_graph = absent_function("autograph.to_graph", __name__, _NO_AUTOGRAPH)
to_code = absent_function("autograph.to_code", __name__, _NO_AUTOGRAPH)
set_loop_options = absent_function("autograph.experimental.set_loop_options", __name__, _NO_AUTOGRAPH)


@export("autograph.set_verbosity")
def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Accepted: there are no conversions to report on."""


@export("autograph.trace")
def trace(*args: Any) -> None:
    """Prints `args` while Python runs the line, which is when a function is traced."""
    print(*args)

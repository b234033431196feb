"""The entry points for functions that trace. What they need is loaded when it is first needed, so that importing is cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def converted(
    function: Callable[..., Any], strict: bool = False, user_requested: bool = False
) -> Callable[..., Any]:
    """`function` with its control flow, and that of the user's functions it calls, ready for symbolic tensors.

    Functions, methods, lambdas, partials and objects that can be called; what is marked `do_not_convert`, generators,
    coroutines and library code come back as they are. Closures are shared: both see the same variables. What the result
    calls is converted too, also where it is called from a function that is not to be converted itself.

    Args:
      function: what to convert.
      strict: raise ValueError where there is no source, instead of running the function unconverted, whose use of a
        symbolic tensor as a Python value then raises.
      user_requested: convert also what belongs to a library, if it is not headwater.
    """
    from headwater._src.trace.autograph import conversion

    return conversion.converted(function, strict, user_requested)


def tf_convert(
    f: Callable[..., Any], ctx: Any, convert_by_default: bool = True, user_requested: bool = False
) -> Callable[..., Any]:
    """For libraries that call back: `f` converted where the status `ctx` says so, else kept from being converted.

    Args:
      f: the user's function.
      ctx: what `control_status_ctx()` gave when `f` was handed over.
      convert_by_default: what holds where nobody has said anything.
      user_requested: convert also what belongs to a library.
    """
    from headwater._src.trace.autograph import conversion

    return conversion.tf_convert(f, ctx, convert_by_default, user_requested)


def call(function: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
    """Calls `function` as converted code would."""
    from headwater._src.trace.autograph import conversion

    return conversion.callee(function)(*args, **(kwargs or {}))

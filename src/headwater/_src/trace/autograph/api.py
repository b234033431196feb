"""The public names of AutoGraph."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.trace.autograph.convert import converted
from headwater._src.trace.autograph.status import Status, with_status


@export("autograph.experimental.Feature")
class Feature(enum.Enum):
    """Parts of AutoGraph that TensorFlow switches one by one; here all of them are always on."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        """All features."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        """All features without those given."""
        excluded = set(exclude) if isinstance(exclude, (list, tuple, set, frozenset)) else {exclude}
        return tuple(f for f in cls if f not in excluded and f is not cls.ALL)


@export("autograph.experimental.do_not_convert")
def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Keeps a function, and what it calls, as the Python that it is; used with or without parentheses.

    Args:
      func: a function or anything that can be called; left out for the form with parentheses.

    Returns:
      A function that calls `func` unconverted.
    """
    if func is None:
        return do_not_convert
    kept = with_status(func, Status.DISABLED)
    kept.__headwater_do_not_convert__ = True  # type: ignore[attr-defined]
    return kept


@export("autograph.to_graph")
def to_graph(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> Callable[..., Any]:
    """The converted form of a function: called while a graph is built, its control flow becomes part of the graph.

    Args:
      entity: a function, method or lambda.
      recursive: convert also the functions that it calls.
      experimental_optional_features: accepted for compatibility.

    Raises:
      ValueError: the function can't be converted; the message says why.

    >>> def relu(x):
    ...     if x > 0:
    ...         return x
    ...     return x * 0
    >>> tf.autograph.to_graph(relu)(tf.constant(-2)).numpy()
    np.int32(0)
    """
    made = converted(entity, strict=True)
    return made if recursive else with_status(made, Status.DISABLED)


@export("autograph.to_code")
def to_code(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> str:
    """The source that a function is converted to.

    Args:
      entity: a function, method or lambda.
      recursive, experimental_optional_features: accepted for compatibility.

    Raises:
      ValueError: the function can't be converted; the message says why.
    """
    from headwater._src.trace.autograph.conversion import code_text

    return code_text(entity)


@export("autograph.set_verbosity")
def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much is written to standard error about conversions: 0 nothing, 1 which functions, 3 also what they become.

    Args:
      level: the higher, the more.
      alsologtostdout: write the same to standard output.
    """
    from headwater._src.trace.autograph.conversion import set_level

    set_level(level, alsologtostdout)


@export("autograph.trace")
def trace(*args: Any) -> None:
    """Prints `args` while Python runs the line, which is when a function is traced."""
    print(*args)


@export("autograph.experimental.set_loop_options")
def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Says something of the loop whose first statement it is; AutoGraph reads it, and it does nothing when it runs.

    Args:
      parallel_iterations, swap_memory: accepted for compatibility.
      maximum_iterations: stop after so many rounds.
      shape_invariants: pairs of a variable and the shape, in part unknown, that it keeps from round to round.

    >>> @tf.function
    ... def doubled(x, n):
    ...     for _ in tf.range(n):
    ...         tf.autograph.experimental.set_loop_options(shape_invariants=[(x, tf.TensorShape([None]))])
    ...         x = tf.concat([x, x], 0)
    ...     return x
    """

"""`tf.function`: so far the decorator only, which keeps the Python function and runs it when that is what was asked for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from headwater._src.base import flags
from headwater._src.base.absent import absent_function
from headwater._src.base.exporting import export


@export("types.experimental.GenericFunction")
class GenericFunction:
    """Base of what `tf.function` returns."""

    __slots__ = ()


@export("types.experimental.PolymorphicFunction")
class PolymorphicFunction(GenericFunction):
    """Base of functions that trace themselves for each kind of arguments."""

    __slots__ = ()


@export("types.experimental.ConcreteFunction")
class ConcreteFunction:
    """Base of functions traced for one kind of arguments. `tf.function` makes none in this version."""

    __slots__ = ()


class Function(PolymorphicFunction):
    """What `tf.function` returns: the Python function, and what was asked of its compilation.

    Calling it raises NotImplementedError, unless `tf.config.run_functions_eagerly(True)` is set.
    """

    def __init__(self, python_function: Callable[..., Any], name: str | None = None, **options: Any) -> None:
        self._python_function = python_function
        self._options = options
        self._name = name or getattr(python_function, "__name__", type(python_function).__name__)
        functools.update_wrapper(self, python_function, updated=())

    @property
    def python_function(self) -> Callable[..., Any]:
        """The function that was decorated."""
        return self._python_function

    @property
    def input_signature(self) -> Any:
        """The specifications of the arguments, or None."""
        return self._options["input_signature"]

    @property
    def _jit_compile(self) -> bool | None:
        return self._options["jit_compile"]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if flags.get("run_functions_eagerly"):
            return self._python_function(*args, **kwargs)
        raise NotImplementedError(
            f"tf.function is not in this version of headwater, so {self._name!r} can't be compiled. Call the Python function "
            "itself (.python_function), set tf.config.run_functions_eagerly(True), or give run_eagerly=True to Keras."
        )

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Any:
        """Raises NotImplementedError: functions are not traced in this version."""
        raise NotImplementedError(
            f"tf.function is not in this version of headwater, so {self._name!r} can't be traced."
        )

    def experimental_get_tracing_count(self) -> int:
        """How often the function was traced: never."""
        return 0

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        bound = self._python_function.__get__(instance, owner)  # type: ignore[attr-defined]
        return Function(bound, self._name, **self._options)

    def __repr__(self) -> str:
        return f"<tf.function {self._name!r} of {self._python_function!r}>"


@export("function")
def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Marks a function for compilation; used plainly or as a decorator, with or without arguments.

    Compilation is not in this version: calling the result raises NotImplementedError, unless
    `tf.config.run_functions_eagerly(True)` says that the Python function is to run.

    Args:
      func: the function; left out when arguments are given to the decorator.
      input_signature: specifications of the arguments.
      autograph, jit_compile, reduce_retracing: how to trace and compile.
      experimental_implements, experimental_autograph_options, experimental_attributes, experimental_relax_shapes,
        experimental_compile, experimental_follow_type_hints: accepted for compatibility.

    Raises:
      TypeError: `func` is not callable.
    """
    options = {
        "input_signature": input_signature,
        "autograph": autograph,
        "jit_compile": experimental_compile if jit_compile is None else jit_compile,
        "reduce_retracing": reduce_retracing or bool(experimental_relax_shapes),
    }

    def decorate(python_function: Callable[..., Any]) -> Function:
        if isinstance(python_function, Function):
            python_function = python_function.python_function
        if not callable(python_function) and not isinstance(python_function, (staticmethod, classmethod)):
            raise TypeError(
                f"tf.function takes a callable; got {python_function!r} of type {type(python_function).__name__}."
            )
        return Function(python_function, **options)

    return decorate if func is None else decorate(func)


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

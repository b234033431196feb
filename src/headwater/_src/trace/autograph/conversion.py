"""What is converted and how: the passes in order, compiled under the user's file name; callables of every kind."""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import inspect
import os
import sys
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

import headwater._src.ops.control as control
from headwater._src.base import nest
from headwater._src.base.errors import OperatorNotAllowedInGraphError
from headwater._src.base.frames import is_library
from headwater._src.trace.autograph import builtin_functions, flow, jumps, runtime, source, state
from headwater._src.trace.autograph.build import RUNTIME, Namer, arguments
from headwater._src.trace.autograph.calls import Expressions
from headwater._src.trace.autograph.status import Status, status, with_status

_FACTORY, _FUNCTION = "ag__factory", "ag__function"
_PARTIAL_FLAGS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_FUTURE = functools.reduce(
    lambda flags, n: flags | getattr(__future__, n).compiler_flag, __future__.all_feature_names, 0
)

LIBRARIES = frozenset(
    "headwater tensorflow keras numpy scipy jax jaxlib optree ml_dtypes matplotlib pandas PIL absl sklearn h5py rich "
    "IPython pytest _pytest pluggy hypothesis wrapt torch tensorflow_probability".split()
)
"""Top-level packages whose code is left alone."""

_STDLIB = tuple({os.path.join(sysconfig.get_path(p), "") for p in ("stdlib", "platstdlib")})
_SITE = tuple({os.path.join(sysconfig.get_path(p), "") for p in ("purelib", "platlib")})


class Converted(NamedTuple):
    """The result of rewriting one function."""

    code: CodeType


class Unconverted(NamedTuple):
    """A function that runs as it is, and why."""

    reason: str


_cache: dict[int, tuple[weakref.ref[CodeType], Converted | Unconverted]] = {}
_lock = threading.Lock()


# -- one function -----------------------------------------------------------------------------------------------------


def result_for(function: FunctionType) -> Converted | Unconverted:
    """The rewritten code of a function, or the reason why there is none; remembered as long as its code lives."""
    code = function.__code__
    known = _cache.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    result = _rewrite(code, function.__globals__)
    key = id(code)
    forget = functools.partial(_forget, _cache, key)
    with _lock:
        _cache[key] = (weakref.ref(code, forget), result)
    return result


def _rewrite(code: CodeType, module_globals: dict[str, Any]) -> Converted | Unconverted:
    try:
        tree, class_name = _tree(code, module_globals)
        return Converted(_compiled(tree, code, class_name))
    except source.SourceError as error:
        return Unconverted(f"its source is not available: {error}")
    except jumps.CannotConvert as error:
        return Unconverted(str(error))
    except (SyntaxError, RecursionError) as error:
        return Unconverted(f"it could not be rewritten ({type(error).__name__}: {error})")


def _forget(cache: dict[int, Any], key: int, _: Any) -> None:
    cache.pop(key, None)


def _tree(code: CodeType, module_globals: dict[str, Any]) -> tuple[Any, str | None]:
    """The rewritten tree, and the class in whose body the function stands."""
    found = source.find(code, module_globals)
    tree = copy.deepcopy(found.node)
    rewrite(tree, found.class_name)
    return tree, found.class_name


def rewrite(tree: Any, class_name: str | None = None) -> None:
    """Runs the passes on a function definition or a lambda, in place."""
    namer = Namer(tree)
    Expressions([]).function(tree)
    if isinstance(tree, ast.FunctionDef):
        jumps.lower(tree, namer)
        flow.rewrite(tree, namer, class_name)
        tree.decorator_list = []
        tree.returns = None
        if hasattr(tree, "type_params"):
            tree.type_params = []
    _bare_arguments(tree.args)
    tree.made_names = namer.made
    ast.fix_missing_locations(tree)


def _bare_arguments(args: ast.arguments) -> None:
    """Defaults and annotations stay with the function object."""
    args.defaults = []
    args.kw_defaults = [None] * len(args.kwonlyargs)
    for arg in ast.walk(args):
        if isinstance(arg, ast.arg):
            arg.annotation = None


def _compiled(tree: Any, code: CodeType, class_name: str | None) -> CodeType:
    """The code of `tree` with the free variables of `code`, found inside of a module that is compiled around it."""
    name, inner = code.co_name, tree
    if isinstance(tree, ast.Lambda):
        inner = ast.copy_location(ast.Expr(tree), tree)
    else:  # under its own name it would hide the variable of that name from itself
        name = _FUNCTION
        inner = copy.copy(tree)
        inner.name = name
    factory = ast.FunctionDef(_FACTORY, arguments(RUNTIME, *code.co_freevars), [inner], [], None, None)
    factory.type_params = []  # type: ignore[attr-defined]
    outer: ast.stmt = factory
    if class_name is not None:  # for names that begin with two underscores
        outer = ast.ClassDef(class_name, [], [], [factory], [])
        outer.type_params = []  # type: ignore[attr-defined]
    module = ast.fix_missing_locations(ast.copy_location(ast.Module([outer], []), inner))
    made = compile(module, code.co_filename, "exec", flags=code.co_flags & _FUTURE, dont_inherit=True)
    if class_name is not None:
        made = _child(made, class_name)
    made = _child(_child(made, _FACTORY), name)
    return _renamed(made, code, tree.made_names)


def _child(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def _renamed(made: CodeType, original: CodeType, names: set[str]) -> CodeType:
    """The names that tracebacks show: blocks that became functions carry that of the user's function."""

    def inside(code: CodeType) -> CodeType:
        consts = tuple(inside(c) if isinstance(c, CodeType) else c for c in code.co_consts)
        name = original.co_name if code.co_name in names else code.co_name
        return code.replace(co_consts=consts, co_name=name)

    return inside(made).replace(co_name=original.co_name, co_qualname=original.co_qualname)


def _instance(function: FunctionType, code: CodeType) -> FunctionType:
    """The converted function: the new code with the globals, cells, defaults and attributes of `function`."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[RUNTIME] = _RUNTIME_CELL
    made = FunctionType(
        code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(cells[name] for name in code.co_freevars),
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__doc__ = function.__doc__
    made.__module__ = function.__module__
    made.__qualname__ = function.__qualname__
    for lazy in ("__annotate__", "__type_params__"):
        if hasattr(function, lazy):
            setattr(made, lazy, getattr(function, lazy))
    if not hasattr(function, "__annotate__"):
        made.__annotations__ = function.__annotations__
    return made


def _as_it_is(function: FunctionType, reason: str) -> FunctionType:
    """`function` unchanged, save that a tensor used as a Python value says why it was not converted."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except OperatorNotAllowedInGraphError as error:
            if not getattr(error, "__notes__", None):
                error.add_note(
                    f"AutoGraph did not convert {function.__qualname__!r}: {reason}. Until that is mended, use tf.cond, "
                    "tf.while_loop or tf.where there."
                )
            raise

    return run  # type: ignore[return-value]


# -- what is converted ------------------------------------------------------------------------------------------------


def is_library_code(function: FunctionType) -> bool:
    """Whether a function belongs to a package that is left alone, or to Python's standard library."""
    if _module(function) in LIBRARIES:
        return True
    filename = function.__code__.co_filename
    if filename.startswith("<frozen ") or is_library(filename):
        return True
    return filename.startswith(_STDLIB) and not filename.startswith(_SITE)


def _module(function: FunctionType) -> str:
    """The top-level package of a function."""
    module: str = function.__globals__.get("__name__") or function.__module__ or ""
    return module.partition(".")[0]


def _stays(function: FunctionType, user_requested: bool) -> bool:
    code = function.__code__
    if RUNTIME in code.co_freevars or code.co_flags & _PARTIAL_FLAGS:
        return True
    if getattr(function, "__headwater_do_not_convert__", False):
        return True
    return is_library_code(function) and (not user_requested or _module(function) == "headwater")


def _function(function: FunctionType, user_requested: bool = False) -> Any:
    if _stays(function, user_requested):
        return _wrapper(function)
    result = result_for(function)
    _log(function, result)
    if isinstance(result, Unconverted):
        return _as_it_is(function, result.reason)
    return _instance(function, result.code)


def _wrapper(function: FunctionType) -> FunctionType:
    """Functions of the user's that a decorator of headwater's wraps are converted inside of the wrapper."""
    inner = function.__dict__.get("__wrapped__")
    if (
        type(inner) is not FunctionType
        or function.__closure__ is None
        or not is_library(function.__code__.co_filename)
    ):
        return function
    if getattr(function, "__headwater_do_not_convert__", False):
        return function
    made = _function(inner)
    if made is inner:
        return function
    cells = tuple(types.CellType(made) if _holds(c, inner) else c for c in function.__closure__)
    wrapper = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
    )
    wrapper.__kwdefaults__ = function.__kwdefaults__
    wrapper.__dict__.update(function.__dict__)
    return wrapper


def _holds(cell: types.CellType, value: Any) -> bool:
    try:
        return cell.cell_contents is value
    except ValueError:
        return False


def callee(function: Any) -> Any:
    """What a converted function calls where the user wrote a call of `function`."""
    kind = type(function)
    if kind is types.BuiltinFunctionType or kind is type:
        try:
            return builtin_functions.OVERLOADS.get(function, function)
        except TypeError:
            return function
    if status().status is Status.DISABLED:
        return function
    return _callable(function, False)


def _callable(function: Any, user_requested: bool) -> Any:
    kind = type(function)
    if kind is FunctionType:
        return _CALL_BACK.get(function) or _function(function, user_requested)
    if kind is MethodType:
        inner = function.__func__
        made = _callable(inner, user_requested) if type(inner) is FunctionType else inner
        return function if made is inner else MethodType(made, function.__self__)
    if kind is functools.partial:
        made = _callable(function.func, user_requested)
        return (
            function
            if made is function.func
            else functools.partial(made, *function.args, **function.keywords)
        )
    if kind in _PLAIN_KINDS or isinstance(function, type):
        return function
    call = getattr(kind, "__call__", None)  # noqa: B004
    if type(call) is not FunctionType:
        return function
    made = _function(call, user_requested)
    return function if made is call else MethodType(made, function)


_PLAIN_KINDS = frozenset(
    {
        types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType, types.MethodDescriptorType,
        types.ClassMethodDescriptorType, type,
    }
)  # fmt: skip


def converted(
    function: Callable[..., Any], strict: bool = False, user_requested: bool = False
) -> Callable[..., Any]:
    """See `convert.converted`."""
    if strict:
        inner = _innermost(function)
        result = (
            result_for(inner) if type(inner) is FunctionType and not _stays(inner, user_requested) else None
        )
        if isinstance(result, Unconverted):
            raise ValueError(f"AutoGraph can't convert {inner.__qualname__!r}: {result.reason}.")
    made = _callable(function, user_requested)
    return made if made is function else with_status(made, Status.ENABLED)


def code_text(function: Callable[..., Any]) -> str:
    """What `function` is converted to, as text.

    Raises:
      ValueError: it is not converted.
    """
    inner = _innermost(function)
    if type(inner) is not FunctionType or _stays(inner, False):
        raise ValueError(f"AutoGraph leaves {function!r} as it is, so there is no converted code.")
    result = result_for(inner)
    if isinstance(result, Unconverted):
        raise ValueError(f"AutoGraph can't convert {inner.__qualname__!r}: {result.reason}.")
    return ast.unparse(_tree(inner.__code__, inner.__globals__)[0])


def _innermost(function: Any) -> Any:
    while True:
        if type(function) is MethodType:
            function = function.__func__
        elif type(function) is functools.partial:
            function = function.func
        else:
            call = getattr(type(function), "__call__", None)  # noqa: B004
            return call if type(call) is FunctionType and type(function) is not FunctionType else function


def tf_convert(
    f: Callable[..., Any], ctx: Any, convert_by_default: bool = True, user_requested: bool = False
) -> Callable[..., Any]:
    """See `convert.tf_convert`."""
    wanted = ctx.status is Status.ENABLED or (ctx.status is Status.UNSPECIFIED and convert_by_default)
    if not wanted:
        return with_status(f, Status.DISABLED)
    return with_status(_callable(f, user_requested), Status.ENABLED)


def _with_converted_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which calls back while it builds a graph, handed converted functions."""

    def convert(value: Any) -> Any:
        return (
            _callable(value, False) if type(value) in (FunctionType, MethodType, functools.partial) else value
        )

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = nest.map_structure(convert, (args, kwargs))
        return function(*args, **kwargs)

    return run


_CALL_BACK = {
    f: _with_converted_arguments(f)
    for f in (
        control.cond, control.case, control.switch_case, control.while_loop, control.map_fn, control.scan, control.foldl,
        control.foldr,
    )
}  # fmt: skip

_OPERATORS = types.SimpleNamespace(
    callee=callee,
    staged=runtime.staged,
    nothing=runtime.nothing,
    if_stmt=runtime.if_stmt,
    if_exp=runtime.if_exp,
    assert_stmt=runtime.assert_stmt,
    not_=runtime.not_,
    none_of=runtime.none_of,
    and_=runtime.and_,
    or_=runtime.or_,
    and_both=runtime.and_both,
    or_both=runtime.or_both,
    chain=runtime.chain,
    contains=runtime.contains,
    while_stmt=runtime.while_stmt,
    for_stmt=runtime.for_stmt,
    attribute=state.attribute,
    item=state.item,
    contents=state.contents,
    locals_=builtin_functions.locals_,
    vars_=builtin_functions.vars_,
    dir_=builtin_functions.dir_,
    evaluate=builtin_functions.evaluate,
)
_RUNTIME_CELL = types.CellType(_OPERATORS)


# -- what is said about it --------------------------------------------------------------------------------------------

_verbosity = 0
_also_stdout = False


def set_level(level: int, also_stdout: bool) -> None:
    """How much is said about conversions."""
    global _verbosity, _also_stdout
    _verbosity, _also_stdout = level, also_stdout


def _log(function: FunctionType, result: Converted | Unconverted) -> None:
    if not _verbosity:
        return
    name = f"{function.__qualname__} ({function.__code__.co_filename}:{function.__code__.co_firstlineno})"
    if isinstance(result, Unconverted):
        text = f"AutoGraph: {name} runs as it is: {result.reason}"
    elif _verbosity >= 3:
        text = f"AutoGraph: {name} becomes\n{code_text(function)}"
    else:
        text = f"AutoGraph: {name} is converted"
    print(text, file=sys.stderr)
    if _also_stdout:
        print(text)

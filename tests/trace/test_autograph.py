"""AutoGraph: rewritten functions give what Python gives, on Python's values, eagerly, in graphs and compiled."""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import linecache
import weakref
from typing import Any

import autograph_programs as programs
import numpy as np
import pytest

import headwater as tf
from headwater._src.core.graph import FuncGraph
from headwater._src.trace.autograph.conversion import callee, result_for
from headwater._src.trace.autograph.convert import call, converted, tf_convert
from headwater._src.trace.autograph.status import ControlStatusCtx, Status, status

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
N = tf.constant


def plain(value: Any) -> Any:
    """Tensors as lists and numbers, so that they compare with Python's values."""
    value = tf.nest.map_structure(lambda v: v.numpy().tolist() if hasattr(v, "numpy") else v, value)
    return tf.nest.map_structure(lambda v: v.decode() if isinstance(v, bytes) else v, value)


def names(cases: Any) -> list[str]:
    return [f"{f.__name__}-{i}" for i, (f, _) in enumerate(cases)]


@pytest.mark.parametrize(("function", "arguments"), programs.CASES, ids=names(programs.CASES))
def test_programs(function, arguments):
    wanted = plain(function(*arguments))
    assert plain(converted(function)(*arguments)) == wanted
    assert plain(tf.function(function, jit_compile=False)(*arguments)) == wanted


NOT_FOR_XLA = (
    "data_sets",
    "strings",
    "tensor_array",
    "composites_and_arrays",
    "shapes_that_grow",
    "asserting",
)
COMPILED = [c for c in programs.CASES if c[0].__name__ not in NOT_FOR_XLA][::3]


@pytest.mark.parametrize(("function", "arguments"), COMPILED, ids=names(COMPILED))
def test_programs_compiled(function, arguments):
    pytest.importorskip("jax")
    assert plain(tf.function(function, jit_compile=True)(*arguments)) == plain(function(*arguments))


def keywords_and_stars(x):
    def f(a, *b, c=1, **d):
        return a + sum(b) + c + len(d) if x > 0 else a

    k, t = {"c": 3, "z": 9}, (1, 2)
    return [f(x, *t, **k), f(*t, x, c=x), (lambda *a, **k: a[0] + len(k))(x, q=1), f"{x if x > 2 else 0:>4}"]


def classes_inside(x):
    class A:
        if True:
            k = 3

        def f(self):
            return __class__.k if x > 0 else 0

    return A().f()


def late_binding(x):
    functions = []
    for k in range(x):
        functions.append(lambda: k)  # noqa: B023
    return [f() for f in functions]


def names_of_handlers(x):
    try:
        raise KeyError("a")
    except KeyError as error:
        message = error
    try:
        error
    except NameError:
        return x, str(message)


def swallowed_errors(x):
    with contextlib.suppress(ValueError):
        y = 1
        if x:
            raise ValueError
        return y
    return y + 5


def groups_of_errors(x):
    try:
        try:
            if x > 0:
                raise ExceptionGroup("several", [ValueError(1), KeyError(2)])
        except* ValueError:
            x = 5
    except ExceptionGroup as group:
        return len(group.exceptions) + x
    else:
        return x


def imports_inside(x):
    if x > 0:
        import math as m
        from os import path, sep

        y = m.floor(2.5) + len(sep) + bool(path)
    else:
        y = 0
    return y


def deleted_items(x):
    d = {"a": 1, "b": x}
    if x > 0:
        del d["a"]
    return d


def walrus_in_comprehensions(x):
    r = [y for k in range(x) if (y := k * 2) > 0]
    return r, y, any((last := k) > 1 for k in [0, 1, 2, 3]), last


def undefined(x):
    if x > 2:
        y = 1
    for _ in range(x):
        y = y + 1
    return y


def private_names(x):
    class Z:
        def f(self):
            return self.__p(3) if x > 0 else self.__p(4)

        def __p(self, n):
            __twice = 2
            if n > 3:
                __twice = 3
            return n * __twice

    return Z().f()


PYTHON = [
    keywords_and_stars, classes_inside, late_binding, names_of_handlers, swallowed_errors, groups_of_errors, imports_inside,
    deleted_items, walrus_in_comprehensions, undefined, private_names,
]  # fmt: skip


def result_or_error(function: Any, argument: Any) -> Any:
    try:
        return function(argument)
    except NameError:
        return NameError


@pytest.mark.parametrize("function", PYTHON, ids=[f.__name__ for f in PYTHON])
def test_converted_python_is_python(function):
    for argument in (0, 1, 3):
        assert result_or_error(converted(function), argument) == result_or_error(function, argument)


# -- what a graph holds ---------------------------------------------------------------------------------------------------


def nodes_of(function: Any, *specs: Any) -> list[str]:
    graph = FuncGraph("test")
    with graph.as_default():
        converted(function)(*[graph.placeholder(s.shape, s.dtype) for s in specs])
    return [node.type for node in graph.nodes]


def test_python_conditions_leave_no_node():
    def f(x, flag=True):
        for k in range(3):
            if flag and k < 2:
                x = x + 1
            while flag:
                break
        return x

    assert nodes_of(f, tf.TensorSpec([], tf.int32)).count("AddV2") == 2
    assert not {"If", "While", "StatelessIf"} & set(nodes_of(f, tf.TensorSpec([], tf.int32)))


def test_cheap_operands_need_no_branch():
    def f(x):
        return x > 0 and 1 < x < 5 or not x > 9

    found = nodes_of(f, tf.TensorSpec([], tf.int32))
    assert found.count("LogicalAnd") == 2 and found.count("LogicalOr") == 1 and "If" not in found


def test_a_range_is_not_stored_and_dead_variables_do_not_go_round():
    def f(n):
        s = 0
        for i in tf.range(n):
            t = i * 2
            u = t + 1
            s = s + u
        return s

    graph = FuncGraph("test")
    with graph.as_default():
        converted(f)(graph.placeholder([], tf.int32))
    (loop,) = [node for node in graph.nodes if node.type == "While"]
    assert "GatherV2" not in {n.type for n in loop.attrs["body"].nodes}
    assert len(loop.outputs) <= 3  # the counter, s, and perhaps n


def test_effects_of_a_test_happen_once_a_round():
    v = tf.Variable(0)

    def tick():
        v.assign_add(1)
        return v < 4

    def f():
        rounds = 0
        while tick():
            rounds += 1
        return rounds

    assert tf.function(f)().numpy() == 3 and v.numpy() == 4


def test_iterators_give_no_more_than_is_asked_for():
    @tf.function
    def until(iterator, limit):
        total = N(0, tf.int64)
        for element in iterator:
            total += element
            if total > limit:
                break
        return total

    iterator = iter(tf.data.Dataset.range(6))
    assert [until(iterator, N(2, tf.int64)).numpy() for _ in range(4)] == [3, 3, 4, 5]
    assert until(iterator, N(2, tf.int64)).numpy() == 0


def test_data_sets_of_sparse_tensors():
    sparse = tf.SparseTensor([[0, 1], [1, 0]], [1.0, 2.0], [2, 2])

    @tf.function
    def total():
        s = 0.0
        for row in tf.data.Dataset.from_tensor_slices(sparse):
            s = s * 10.0 + tf.reduce_sum(tf.sparse.to_dense(row))
        return s

    assert total().numpy() == 12.0


# -- functions of every kind --------------------------------------------------------------------------------------------


def test_signatures_and_attributes_are_kept():
    def f(a, b: int = 2, *rest, c, d=4, **more) -> int:
        """Says what it does."""
        if a > b:
            return c
        return d + len(rest) + len(more)

    f.mark = 7
    made = callee(f)
    assert str(inspect.signature(converted(f))) == str(inspect.signature(f)) and converted(f).__name__ == "f"
    assert str(inspect.signature(made)) == str(inspect.signature(f))
    assert (made.__name__, made.__qualname__, made.__doc__, made.mark) == (
        f.__name__,
        f.__qualname__,
        f.__doc__,
        7,
    )
    assert made.__code__.co_filename == f.__code__.co_filename
    assert made.__code__.co_firstlineno == f.__code__.co_firstlineno
    assert made(1, 2, 3, c=9, e=1) == f(1, 2, 3, c=9, e=1) == 6


def test_closures_are_shared_by_reference():
    count = 0

    def f(x):
        nonlocal count
        if x > 0:
            count += later
        return count

    made = converted(f)
    later = 5
    assert made(1) == 5 and count == 5
    later = 7
    assert made(1) == f(0) == count == 12


def test_recursion_is_not_much_deeper_than_pythons():
    assert call(programs.recursive, (250,)) == programs.recursive(250)


def test_three_lambdas_on_one_line():
    f, g, h = (lambda x: x if x > 0 else -x), (lambda x: x if x > 1 else 10 * x), (lambda x: lambda y: x if y > x else y)  # fmt: skip
    assert [tf.function(k)(N(-1)).numpy() for k in (f, g)] == [1, -10]
    assert tf.function(h(3))(N(5)).numpy() == 3


def test_what_is_left_alone():
    async def coroutine():
        return 1

    def generator():
        yield 1

    @tf.autograph.experimental.do_not_convert
    def kept(x):
        return x

    for function in (
        coroutine,
        generator,
        kept,
        len,
        np.sum,
        tf.reduce_sum,
        functools.lru_cache,
        str,
        inspect.signature,
    ):
        assert converted(function) is function
    once = callee(programs.nested_ifs)
    assert callee(once) is converted(once) is once is not programs.nested_ifs
    assert call(max, (1, 3), {"key": lambda v: -v}) == 1 and call(str, (1,)) == "1"


def test_do_not_convert_reaches_what_is_called():
    def inner(x):
        return 1 if x > 0 else 2

    @tf.autograph.experimental.do_not_convert()
    def outer(x):
        return inner(x)

    def user(x):
        return outer(x) if x is not None else 0

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(user)(N(1))
    assert outer(N(1)) == 1 and outer.__name__ == "outer"

    @tf.function
    def compiled(x):
        return inner(x) + 1

    kept = tf.autograph.experimental.do_not_convert(lambda x: compiled(x))
    assert kept(N(1)).numpy() == tf.function(kept)(N(1)).numpy() == 2


def test_callbacks_of_libraries():
    def f(x):
        return status().status, (x if x > 0 else -x)

    def run(wanted, **options):
        graph = FuncGraph("test")
        with graph.as_default():
            return tf_convert(f, ControlStatusCtx(wanted), **options)(graph.placeholder([], tf.int32))[0]

    assert run(Status.ENABLED) is run(Status.UNSPECIFIED) is Status.ENABLED
    for wanted, options in ((Status.DISABLED, {}), (Status.UNSPECIFIED, {"convert_by_default": False})):
        with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
            run(wanted, **options)
    assert status().status is Status.UNSPECIFIED


def test_the_cache_lets_code_go():
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    return x", namespace)
    result_for(namespace["f"])
    gone = weakref.ref(namespace["f"].__code__)
    namespace.clear()
    gc.collect()
    assert gone() is None


# -- tf.autograph -------------------------------------------------------------------------------------------------------


def test_gradients_of_calls():
    x = N(3.0)
    function = tf.function(lambda v: v * v if v > 0 else v)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = function(x), function(-x)
    assert (tape.gradient(y, x).numpy(), tape.gradient(z, x).numpy()) == (6.0, -1.0)


def test_to_code_shows_the_conversion():
    text = tf.autograph.to_code(programs.break_continue_else)
    assert "ag__.for_stmt(" in text and "did_break" in text and "def loop_body" in text
    compile(text, "converted", "exec")
    with pytest.raises(ValueError, match=r"leaves .* as it is"):
        tf.autograph.to_code(np.sum)


def test_to_graph_gives_a_function():
    made = tf.autograph.to_graph(programs.nested_ifs)
    assert made(N(2)) == 2 and made is not programs.nested_ifs
    with pytest.raises(ValueError, match="can't convert 'f': its source is not available"):
        namespace: dict[str, Any] = {}
        exec("def f(x):\n    return x", namespace)
        tf.autograph.to_graph(namespace["f"])


def test_set_verbosity(capsys):
    def f(x):
        return x

    tf.autograph.set_verbosity(3, alsologtostdout=True)
    try:
        call(f, (1,))
    finally:
        tf.autograph.set_verbosity(0)
    out, err = capsys.readouterr()
    assert "test_set_verbosity.<locals>.f" in err and "becomes\ndef f(x):" in err and out == err
    call(f, (1,))
    assert capsys.readouterr() == ("", "")


def test_trace_prints_while_tracing(capsys):
    @tf.function
    def f(x):
        tf.autograph.trace("seen", 1)
        return x

    f(N(1))
    f(N(2))
    assert capsys.readouterr().out == "seen 1\n"


def test_loop_options():
    @tf.function
    def f(n):
        i = 0
        while i < n:
            tf.autograph.experimental.set_loop_options(maximum_iterations=3, parallel_iterations=2)
            i += 1
        return i

    assert f(N(9)).numpy() == 3 and tf.autograph.experimental.set_loop_options(1, True) is None
    assert tf.autograph.experimental.Feature.LISTS in tf.autograph.experimental.Feature.all()
    assert tf.autograph.experimental.Feature.LISTS not in tf.autograph.experimental.Feature.all_but(
        tf.autograph.experimental.Feature.LISTS
    )


def test_what_is_given_to_tf_function_is_converted_even_if_a_library_has_it():
    code = "def steps(n):\n    i = 0\n    while i < n:\n        i += 2\n    return i\n\ndef calls(n):\n    return steps(n)\n"
    module: dict = {"__name__": "keras.src.somewhere"}
    filename = "keras_somewhere.py"
    linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
    exec(compile(code, filename, "exec"), module)
    assert tf.function(module["steps"])(tf.constant(5)) == 6
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):  # what that calls stays
        tf.function(module["calls"])(tf.constant(5))

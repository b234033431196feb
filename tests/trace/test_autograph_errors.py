"""The classic mistakes: each message names the variable and the user's line, and says what to do."""

# ruff: noqa: RET503 - these are mistakes as people make them

from __future__ import annotations

import itertools
import traceback
from typing import Any

import pytest

import headwater as tf
from headwater._src.trace.autograph import runtime

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
N = tf.constant


def one_branch(x):
    if x > 0:
        y = 1
    return y


def other_branch(x):
    if x > 0:
        z = x
    else:
        y = x
        z = y
    return y + z


def no_return(x):
    if x > 0:
        return x


def return_in_loop_only(n):
    for i in tf.range(n):
        if i > 3:
            return i


def branch_dtypes(x):
    if x > 0:
        y = 1
    else:
        y = 2.0
    return y


def branch_none(x):
    y = None
    if x > 0:
        y = x
    return y


def branch_structures(x):
    if x > 0:
        y = (x, x)
    else:
        y = x
    return y


def branch_objects(x):
    if x > 0:
        f = abs
    else:
        f = len
    return f(x)


def branch_lists(x):
    found = []
    if x > 0:
        found.append(x)
    return found


def conditional_expression(x):
    return 1.0 if x > 0 else 2


def vector_condition(x):
    if tf.stack([x, x]) > 0:
        return x
    return -x


def loop_dtype(n):
    s = 0
    for _ in tf.range(n):
        s = tf.cast(s, tf.float32) + 0.5
    return s


def loop_shape(n):
    s = tf.zeros([2])
    for _ in tf.range(n):
        s = tf.concat([s, s], 0)
    return s


def loop_none(n):
    s = None
    while n > 0:
        s = n if s is None else s + n
        n = n - 1
    return s


def loop_to_none(n):
    s = n
    while n > 0:
        n = n - 1
        s = None
    return s


def loop_list(n):
    found = []
    for i in tf.range(n):
        found.append(i)
    return tf.stack(found)


def loop_objects(n):
    f = abs
    while n > 0:
        n = n - 1
        f = len
    return f


def loop_invariant(n):
    x = tf.zeros([1])
    for _ in tf.range(n):
        tf.autograph.experimental.set_loop_options(shape_invariants=[(y, tf.TensorShape([None]))])  # noqa: F821
        x = tf.concat([x, x], 0)
    return x


def scalar_rows(x):
    for i in x:
        x = i
    return x


def deleted(n):
    y = n
    while n > 0:
        n = n - 1
        z = y
        del y
    return y + z


MISTAKES: list[tuple[Any, type, list[str]]] = [
    (one_branch, ValueError, ["'y' is defined in the `if` branch only", "line 3", "`else` branch too", ":2,"]),
    (other_branch, ValueError, ["'y' is defined in the `else` branch only", "line 5"]),
    (no_return, ValueError, ["returns int32[] on one path and None on another", "on every path", ":2 is"]),
    (return_in_loop_only, ValueError, ["returns int32[] on one path and None on another", "function's end"]),
    (branch_dtypes, TypeError, ["'y' is int32 after the `if` branch at line 3 and float32", "line 5", "tf.cast"]),
    (branch_none, ValueError, ["'y' is None after the `else` branch and int32[]", "Give 'y' a tensor first"]),
    (branch_structures, TypeError, ["'y' is tuple of 2", "line 3", "same structure"]),
    (branch_objects, TypeError, ["'f' is", "only tensors can depend on it"]),
    (branch_lists, TypeError, ["'found' is list of 1", "list of 0"]),
    (conditional_expression, TypeError, ["float32", "int32", "conditional expression", ":2 is"]),
    (vector_condition, ValueError, ["must be a scalar; it has shape (2,)", "tf.reduce_all", ":2 "]),
    (loop_dtype, TypeError, ["'s' is int32 before the `for` loop", ":3 and", "float32 after one iteration", "s = tf.constant(0, tf.float32)"]),
    (loop_shape, ValueError, ["'s' has shape (2,)", "shape (4,) after one iteration at line 4", "shape_invariants=[(s, tf.TensorShape([None]))]"]),
    (loop_none, ValueError, ["'s' is None before the `while` loop", "int32[] after one iteration", "Give 's' a tensor"]),
    (loop_to_none, ValueError, ["'s' is int32[] before the `while` loop", "None after one iteration at line 5"]),
    (loop_list, TypeError, ["'found' is list of 0 before the `for` loop", ":3 and", "list of 1", "tf.TensorArray"]),
    (loop_objects, TypeError, ["'f' is", "at line 5", "only tensors can change in it"]),
    (loop_invariant, ValueError, ["shape_invariants names 'y'", "`for` loop", "x"]),
    (scalar_rows, TypeError, ["scalar tensor", "tf.range"]),
    (deleted, ValueError, ["'y' is defined before the `while` loop", "deleted in it"]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "error", "said"), MISTAKES, ids=[m[0].__name__ for m in MISTAKES])
def test_messages(function, error, said):
    first = function.__code__.co_firstlineno - 1
    with pytest.raises(error) as caught:
        tf.function(function)(N(3))
    message = str(caught.value)
    for text in said:
        words = [_shifted(w, first) for w in text.split(" ")]
        assert " ".join(words) in message, message
    assert function.__code__.co_filename in "".join(traceback.format_exception(caught.value))


def _shifted(word: str, first: int) -> str:
    """Line numbers in the table count from the `def`; in messages from the file's start."""
    if word.startswith(":") and word[1:].rstrip(",").isdigit():
        return f":{int(word[1:].rstrip(',')) + first}{',' * word.endswith(',')}"
    return str(int(word) + first) if word.isdigit() and int(word) in range(3, 6) else word


# -- when the graph runs --------------------------------------------------------------------------------------------------


def test_a_variable_of_a_loop_that_did_not_run():
    @tf.function
    def f(n):
        for i in tf.range(n):
            y = i * 2
        return y

    assert f(N(3)).numpy() == 4
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="must run at least once, because 'y' is used after it"
    ):
        f(N(0))


def test_assert_is_checked_when_the_graph_runs():
    @tf.function
    def f(x):
        assert x > 0, "must be positive"
        return x

    assert f(N(1)).numpy() == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be positive"):
        f(N(-1))


def test_endless_python_iterators(monkeypatch):
    monkeypatch.setattr(runtime, "MAX_GUARDED_ROUNDS", 20)

    @tf.function
    def f(x):
        for k in itertools.cycle([0]):
            if x > k:
                break
        return x

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="Python iterator that gave more than"):
        f(N(1))


# -- tracebacks -----------------------------------------------------------------------------------------------------------


def lines_of(function: Any, *arguments: Any) -> list[tuple[int, str]]:
    """Lines, counted from the `def`, and function names of an error's frames in this file."""
    with pytest.raises(Exception) as caught:
        tf.function(function)(*arguments)
    frames = traceback.extract_tb(caught.value.__traceback__)
    first = function.__code__.co_firstlineno - 1
    return [(f.lineno - first, f.name) for f in frames if f.filename == __file__][1:]


def helper(q):
    while q < 3:
        q = q.nothing_of_the_kind
    return q


def fails(x):
    for i in tf.range(3):
        if x > 0:
            x = helper(x + i)
    return x


def test_tracebacks_show_the_users_lines():
    found = lines_of(fails, N(1))
    inside = [f for f in found if f[1] == "fails"]
    assert [line for line, _ in inside] == [2, 3, 4]
    assert found[-1][1] == "helper" and {name for _, name in found} == {"fails", "helper"}


def test_numbers_that_became_tensors_are_named():
    def f(n):
        total = 0
        for _ in tf.range(n):
            total = total + 0.5
        return total

    with pytest.raises((TypeError, tf.errors.InvalidArgumentError)) as caught:
        tf.function(f)(N(3))
    assert any("'total' (Python's 0, now int32)" in note for note in caught.value.__notes__)


def test_raise_in_a_branch_says_why_it_came():
    def f(x):
        if x > 0:
            raise ValueError("too large")
        return x

    with pytest.raises(ValueError, match="too large") as caught:
        tf.function(f)(N(-3))
    assert any("both branches run while the function is traced" in note for note in caught.value.__notes__)
    assert f(-3) == -3


def test_variables_are_as_they_were_after_an_error():
    kept = 1

    def f(x):
        nonlocal kept
        if x > 0:
            kept = x
            raise KeyError
        return x

    with pytest.raises(KeyError):
        tf.function(f)(N(3))
    assert kept == 1

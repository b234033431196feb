"""What a user sees when something fails: their own lines, in the traceback and in the message."""

from __future__ import annotations

import linecache
import traceback
from typing import Any

import pytest

import headwater as tf

SOURCE = """
import functools

def plain(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner

@tf.function
def while_tracing(x):
    y = x + 1.0
    return tf.reshape(y, [3, 5])  # HERE

@tf.function(
    jit_compile=False,
)
def in_a_loop(x):
    for i in tf.range(3):
        if i > 1:
            x = tf.matmul(x, x)  # HERE
    return x

@tf.function
@plain
def while_running(x):
    a = x[0] * 2.0
    b = tf.gather(a, tf.cast(x[0, 0], tf.int32))  # HERE
    return b

@tf.function
def helped(x):
    return helper(x)

def helper(x):
    z = x * 1.0
    return tf.concat([z, tf.ones([4, 4, 4])], 0)  # HERE
"""
ARGUMENT = [[7.0, 2.0, 3.0], [1.0, 2.0, 3.0]]


@pytest.fixture(scope="module")
def functions() -> dict[str, Any]:
    """The functions of SOURCE, registered as a file is."""
    name = "<lines of a user>"
    linecache.cache[name] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"tf": tf, "__name__": "a_user"}
    exec(compile(SOURCE, name, "exec"), scope)
    return scope


def _marked(name: str) -> int:
    lines = SOURCE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"def {name}"))
    return next(i for i, line in enumerate(lines) if i > start and "HERE" in line) + 1


@pytest.mark.parametrize(
    ("name", "where"), [("while_tracing", "while_tracing"), ("in_a_loop", "in_a_loop"), ("helped", "helper")]
)
def test_the_traceback_ends_in_the_users_line(functions: dict[str, Any], name: str, where: str) -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as caught:
        functions[name](tf.constant(ARGUMENT))
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert (frames[-1].filename, frames[-1].lineno) == ("<lines of a user>", _marked(where))
    inside = [f for f in frames if "headwater" in f.filename and "_src" in f.filename]
    assert len(inside) == 1, "one frame of headwater's, where the function was called"


def test_an_error_at_run_time_names_the_line_of_the_node(functions: dict[str, Any]) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=rf":{_marked('while_running')}, in while_running: b = tf.gather"
    ):
        functions["while_running"](tf.constant(ARGUMENT))


def test_unfiltered_tracebacks_show_all(functions: dict[str, Any]) -> None:
    tf.debugging.disable_traceback_filtering()
    try:
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as caught:
            functions["while_tracing"](tf.constant(ARGUMENT))
    finally:
        tf.debugging.enable_traceback_filtering()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert sum("_src" in f.filename for f in frames) > 3

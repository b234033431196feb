"""What a function tells of its traces: reasons, warnings, explanations."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import headwater as tf
from headwater._src.trace.report import Detector, RetracingWarning

t = tf.constant


class Thing:
    pass


ONE, OTHER = Thing(), Thing()

CHANGES = {
    "shape": (t([1.0]), t([1.0, 2.0]), "argument 'x': float32[1] -> float32[2]", "reduce_retracing=True"),
    "rank": (t([1.0]), t(1.0), "argument 'x': float32[1] -> float32[]", "reduce_retracing=True"),
    "dtype": (t(1.0), t(1), "argument 'x': float32[] -> int32[]", "tf.cast(x, tf.float32)"),
    "number": (1, 2, "argument 'x': the Python int 1 -> the Python int 2", "tf.constant(2)"),
    "number after tensor": (t(1.0), 2.5, "argument 'x': float32[] -> the Python float 2.5", "tf.constant(2.5)"),
    "switch": (True, False, "argument 'x': the Python bool True -> the Python bool False", "pass few different ones"),
    "string": ("a", "b", "argument 'x': the Python str 'a' -> the Python str 'b'", "pass few different ones"),
    "object": (ONE, OTHER, "argument 'x': Weakref[Thing object] -> Weakref[Thing object]", "pass the same 'x'"),
    "inside": ([t(1.0), {"k": 1}], [t(1.0), {"k": 2}], "argument \"x[1]['k']\": the Python int 1 -> the Python int 2", "tf.constant(2)"),
    "length": ([1], [1, 1], "argument 'x': List[Literal[1]] -> List[Literal[1], Literal[1]]", "one structure"),
    "variable": (tf.Variable([1.0]), tf.Variable([1.0, 2.0]), "argument 'x': VariableSpec(shape=(1,)", "one shape and dtype"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:tf.function")
@pytest.mark.parametrize("first,second,reason,fix", CHANGES.values(), ids=CHANGES)
def test_each_trace_says_why(first, second, reason, fix):
    f = tf.function(lambda x, y=0: 0, autograph=False)
    f(first)
    f(second)
    one, two = f.traces()
    assert (one.number, one.reason, one.changes) == (1, "the first call", ())
    assert two.reason.startswith(reason) and f._remedy.find(fix) >= 0
    assert two.line.filename == __file__ and "f(second)" in str(two)
    assert two.signature == f._list_all_concrete_functions()[1].pretty_printed_signature(verbose=False)


def test_the_change_is_told_against_the_most_similar_trace():
    f = tf.function(lambda x, training, rate: 0, autograph=False)
    f(t([1.0]), True, 1)
    f(t([1.0, 2.0]), False, 2)
    f(t([1.0]), True, 3)
    assert f.traces()[-1].reason == "argument 'rate': the Python int 1 -> the Python int 3"
    f(t([1.0]), True, rate=t(1.0))
    (change,) = f.traces()[-1].changes
    assert change == ("rate", "the Python int 3", "float32[]")


def test_the_warning_names_argument_specifications_line_and_remedy():
    f = tf.function(lambda x: x, autograph=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(8):
            f(t(np.zeros(n + 1)))
    assert [w.category for w in caught] == [RetracingWarning] * 2, "two warnings for a function, no more"
    text = str(caught[0].message)
    assert re.match(
        r"tf\.function '<lambda>' was traced in 5 of its last 5 calls; .*argument 'x': float64\[4\] -> float64\[5\] "
        rf"at {re.escape(__file__)}:\d+, in test_the_warning_names.*f\(t\(np\.zeros\(n \+ 1\)\)\)\. "
        r"Write @tf\.function\(reduce_retracing=True\), or input_signature=\[\.\.\.\] with TensorSpec\(shape=\(None,\)",
        text,
    )
    assert caught[0].filename == __file__


def test_a_function_made_anew_for_each_call_is_told_so():
    def double(x):
        return x * 2.0

    with pytest.warns(
        RetracingWarning,
        match=r"'double' was traced in 5 of its last 5 calls.*a new tf\.function was made.*once, outside",
    ):
        for _ in range(5):
            tf.function(double, autograph=False)(t(1.0))


def test_no_warning_where_most_calls_find_their_graph():
    f = tf.function(lambda x: x, autograph=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(8):
            for _ in range(4):
                f(t(np.zeros(n + 1)))
        for n in range(8):
            f.get_concrete_function(t(np.zeros((n + 1, 1))))


CALLS = {
    # T traced, . found; the number of warnings is TensorFlow's
    "TTTTT": 1,
    "TTTTTT": 2,
    "TTTTTTTTT": 2,
    "T.T.T.T.T": 1,
    "T..T..T..T..T": 1,
    "T....TTTT......T": 2,
    "T.........TTTT": 1,
    "TTTT......T": 1,
    "TTTT.......T": 0,
}


@pytest.mark.parametrize("pattern,expected", CALLS.items())
def test_when_it_is_too_often(pattern, expected):
    detector = Detector()
    found = 0
    for letter in pattern:
        detector.calls += 1
        if letter == "T":
            found += detector.note_trace(0)
    assert found == expected


def test_explanations():
    v = tf.Variable(1.0)

    @tf.function(autograph=False)
    def f(x, k):
        v.assign_add(1.0)
        return x * 2.0 * (3.0 + 4.0) + k

    f(t([1.0]), 1)
    f(t([1.0]), 2)
    text = f.explain(t([1.0]), 2)
    lines = text.splitlines()
    assert lines[0] == "tf.function 'f' " + f.get_concrete_function(t([1.0]), 2).pretty_printed_signature(
        False
    )
    assert lines[1].startswith("runs as the NumPy plan: ")
    before, after = map(int, re.findall(r"\d+", lines[2]))
    assert lines[2].startswith("nodes: ") and before > after > 0
    assert lines[3] == "variables: 1 read, 1 assigned" and lines[4] == "traced 2 times:"
    assert "argument 'k': the Python int 1 -> the Python int 2" in text and "f(t([1.0]), 2)" in text
    assert repr(text) == str(text) == f.explain()
    compiled = tf.function(lambda x: x, jit_compile=True, autograph=False)
    assert "runs as an XLA program: jit_compile=True" in compiled.explain(t(1.0))


def test_the_plan_is_python():
    f = tf.function(lambda x: tf.exp(x) * 2.0, autograph=False)
    source = f.plan(t([1.0, 2.0]))
    compile(source, "plan", "exec")
    assert "exp" in source and repr(source) == source == f.plan()


def test_the_first_trace_that_makes_variables_is_told():
    kept = []

    @tf.function(autograph=False)
    def f(x):
        if not kept:
            kept.append(tf.Variable(1.0))
        return x * kept[0]

    f(t(1.0))
    first, second = f.traces()
    assert "variables were made" in first.reason and second[:2] == (
        2,
        "once more, now that its variables are there",
    )
    assert f.cache_info()[:2] == (2, 1)


def test_records_are_bounded():
    f = tf.function(lambda x: 0, autograph=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(120):
            f(n)
    assert len(f.traces()) == 100 and f.traces()[-1].number == f.experimental_get_tracing_count() == 120

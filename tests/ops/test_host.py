"""Effects inside functions: printing, Python functions, assertions and the clock, by both executors, as TensorFlow 2.21 has them."""

from __future__ import annotations

import collections
import sys

import numpy as np
import pytest

import headwater as tf

pytestmark = pytest.mark.filterwarnings(
    "ignore:tf.function"
)  # one function a case looks like too many traces
both = pytest.mark.parametrize("jit", [False, True], ids=["plan", "xla"])
SCALAR = tf.TensorSpec([], tf.float32)
Pair = collections.namedtuple("Pair", "a b")


def text_printed(capsys) -> str:
    return capsys.readouterr().out


# -- printing ---------------------------------------------------------------------------------------------------------

PRINTED = [
    (
        "a tensor among words",
        lambda x: tf.print("a", x, 2.5, output_stream=sys.stdout),
        "a [0 1 2 ... 7 8 9] 2.5\n",
    ),
    (
        "structures",
        lambda x: tf.print({"k": x, "l": [x[0], "s"]}, (x[1],), Pair(x[2], None), output_stream=sys.stdout),
        "{'k': [0 1 2 ... 7 8 9], 'l': [0, 's']} (1,) Pair(a=2, b=None)\n",
    ),
    (
        "ends",
        lambda x: tf.print(x, x[0], end="|", sep=",", summarize=1, output_stream=sys.stdout),
        "[0 ... 9],0|",
    ),
    ("no tensor", lambda x: tf.print("only", 1, output_stream=sys.stdout), "only 1\n"),
    ("braces", lambda x: tf.print("{} and %d", x[3], output_stream=sys.stdout), "{} and %d 3\n"),
    (
        "string",
        lambda x: tf.print(tf.constant(["a", "b"]), ["x"], output_stream=sys.stdout),
        '["a" "b"] [\'x\']\n',
    ),
]


@both
@pytest.mark.parametrize(("show", "wanted"), [p[1:] for p in PRINTED], ids=[p[0] for p in PRINTED])
def test_print_shows_values_each_time_the_graph_runs(show, wanted, jit, capsys):
    traces = []

    @tf.function(jit_compile=jit, autograph=False)
    def f(x):
        traces.append(1)
        show(x)
        return x

    x = tf.range(10)
    f.get_concrete_function(x)
    assert text_printed(capsys) == ""
    f(x)
    f(x)
    assert text_printed(capsys) == wanted * 2 and len(traces) == 1


@both
def test_effects_keep_the_programs_order(jit, capsys):
    @tf.function(jit_compile=jit, autograph=False)
    def f(x):
        tf.print("first", x, output_stream=sys.stdout)
        tf.numpy_function(lambda v: print("second", v), [x], [])
        tf.print("third", output_stream=sys.stdout)
        return x

    f(tf.constant(1))
    assert text_printed(capsys) == "first 1\nsecond 1\nthird\n"


def test_print_in_branches_and_loops(capsys):
    @tf.function
    def f(n):
        for i in tf.range(n):
            if i % 2 == 0:
                tf.print("even", i, output_stream=sys.stdout)
        return n

    f(tf.constant(5))
    assert text_printed(capsys) == "even 0\neven 2\neven 4\n"


def test_what_is_no_tensor_is_shown_as_it_was_while_tracing(capsys):
    shown = [1]

    @tf.function
    def f(x):
        tf.print(shown, x, output_stream=sys.stdout)
        return x

    f(tf.constant(1))
    shown.append(2)
    f(tf.constant(1))
    assert text_printed(capsys) == "[1] 1\n[1] 1\n"


def test_print_to_a_file_and_refusals(tmp_path):
    path = tmp_path / "out.txt"
    f = tf.function(lambda x: tf.print(x, output_stream=f"file://{path}") and None)
    f(tf.constant(3))
    f(tf.constant(3))
    assert path.read_text() == "3\n3\n"
    with pytest.raises(ValueError, match="output_stream"):
        tf.function(lambda x: tf.print(x, output_stream=3))(tf.constant(1))


# -- Python functions -------------------------------------------------------------------------------------------------


@both
def test_a_python_function_gets_eager_tensors_each_time(jit):
    seen = []

    def double(x):
        seen.append((tf.executing_eagerly(), x.numpy()))
        return 2 * x

    f = tf.function(lambda x: tf.py_function(double, [x], SCALAR), jit_compile=jit)
    assert [f(tf.constant(v)).numpy() for v in (1.0, 3.0)] == [2.0, 6.0]
    assert seen == [(True, 1.0), (True, 3.0)]


def test_results_of_a_python_function_have_no_known_shape_unless_it_is_said():
    f = tf.function(lambda x: tf.py_function(lambda v: v, [x], tf.float32))
    assert f.get_concrete_function(tf.constant(1.0)).structured_outputs.shape.rank is None
    with pytest.raises(tf.errors.InvalidArgumentError, match="TensorSpec"):
        tf.function(lambda x: tf.py_function(lambda v: v, [x], tf.float32), jit_compile=True)(
            tf.constant(1.0)
        )

    @tf.function(jit_compile=True)
    def said(x):
        y = tf.py_function(lambda v: v + 1, [x], tf.float32)
        y.set_shape([])
        return y

    assert said(tf.constant(1.0)).numpy() == 2.0


@both
def test_what_a_function_keeps_is_not_overwritten(jit):
    kept = []

    @tf.function(jit_compile=jit)
    def f(x):
        y = x * 2.0
        tf.py_function(lambda v: kept.append(v), [y], [])
        tf.numpy_function(lambda v: kept.append(v), [y], [])
        return (y + 1.0) * y

    for i in range(3):
        f(tf.fill([1000], float(i)))
    assert [np.asarray(v)[0] for v in kept] == [0, 0, 2, 2, 4, 4]


GRADIENTS = [
    ("inside", lambda x: tf.py_function(lambda v: v**3, [x], SCALAR), 3.0, 27.0),
    ("constant", lambda x: tf.py_function(lambda v: tf.constant(5.0), [x], SCALAR), 3.0, 0.0),
    ("after", lambda x: tf.square(tf.py_function(lambda v: v * v, [x], SCALAR)), 2.0, 32.0),
    (
        "several",
        lambda x: tf.py_function(
            lambda v: [v * 3.0, tf.cast(v, tf.int32)], [x], [SCALAR, tf.TensorSpec([], tf.int32)]
        )[0],
        2.0,
        3.0,
    ),
]


@both
@pytest.mark.parametrize(("body", "at", "wanted"), [g[1:] for g in GRADIENTS], ids=[g[0] for g in GRADIENTS])
def test_gradients_flow_through_python_functions(body, at, wanted, jit):
    x = tf.constant(at)

    @tf.function(jit_compile=jit)
    def inside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = body(x)
        return tape.gradient(y, x)

    assert inside(x).numpy() == wanted
    around = tf.function(body, jit_compile=jit)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = around(x)
    assert tape.gradient(y, x).numpy() == wanted


def test_the_gradient_does_not_call_the_function_again():
    calls = []

    def cube(v):
        calls.append(1)
        return v**3

    f = tf.function(lambda x: tf.py_function(cube, [x], tf.float32))
    x = tf.constant(2.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert tape.gradient(y, x).numpy() == 12.0
    assert len(calls) == 3
    f(x)
    assert len(calls) == 4


@both
def test_gradient_through_a_loop_of_python_functions(jit):
    @tf.function(jit_compile=jit)
    def f(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tf.range(n):
                y = tf.ensure_shape(tf.py_function(lambda v: v * v, [y], SCALAR), [])
        return tape.gradient(y, x)

    np.testing.assert_allclose(f(tf.constant(1.1), 3), 8 * 1.1**7, rtol=1e-5)


@both
@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "complex128", "complex64", "int8", "bool"])
def test_values_of_every_width_reach_python_and_come_back(dtype, jit):
    x = np.array([[1, 2**40 + 1, 3], [0, 5, 6]]).astype(dtype)

    @tf.function(jit_compile=jit)
    def f(x):
        for _ in tf.range(2):  # in a loop XLA calls the host from another thread
            x = tf.ensure_shape(
                tf.numpy_function(lambda v: v.copy(), [x], tf.TensorSpec([2, 3], dtype)), [2, 3]
            )
        return x

    got = f(tf.constant(x)).numpy()
    assert got.dtype == x.dtype and (got == x).all()


FAILING = [
    ("dtype", lambda x: tf.py_function(lambda v: tf.cast(v, tf.int32), [x], SCALAR), "InvalidArgumentError"),
    ("value error", lambda x: tf.py_function(lambda v: int("x"), [x], SCALAR), "InvalidArgumentError"),
    ("other error", lambda x: tf.py_function(lambda v: 1 / 0, [x], SCALAR), "UnknownError"),
    ("none", lambda x: tf.py_function(lambda v: None, [x], SCALAR), "InvalidArgumentError"),
    ("numpy dtype", lambda x: tf.numpy_function(lambda v: 1, [x], SCALAR), "InvalidArgumentError"),
    (
        "numpy width",
        lambda x: tf.numpy_function(lambda v: np.float64(v), [x], SCALAR),
        "InvalidArgumentError",
    ),
    ("numpy count", lambda x: tf.numpy_function(lambda v: (v, v), [x], [SCALAR]), "InvalidArgumentError"),
    ("numpy none", lambda x: tf.numpy_function(lambda v: None, [x], SCALAR), "InvalidArgumentError"),
    ("numpy error", lambda x: tf.numpy_function(lambda v: 1 / 0, [x], SCALAR), "UnknownError"),
]


@both
@pytest.mark.parametrize(("body", "error"), [c[1:] for c in FAILING], ids=[c[0] for c in FAILING])
def test_failures_have_tensorflows_classes(body, error, jit):
    f = tf.function(body, jit_compile=jit)
    for _ in range(2):
        with pytest.raises(getattr(tf.errors, error), match=r"test_host\.py:\d+"):
            f(tf.constant(1.0))


def test_numpy_functions():
    cases = [
        (lambda v: v + 1, tf.constant(1.0), tf.float32, 2.0),
        (lambda v: str(type(v).__name__), tf.constant(1.0), tf.string, b"float32"),
        (lambda v: type(v).__name__, tf.constant([1.0]), tf.string, b"ndarray"),
        (lambda v: v.decode() + "!", tf.constant("s"), tf.string, b"s!"),
        (lambda v: np.array(["a", "bc"]), tf.constant("s"), tf.string, [b"a", b"bc"]),
    ]
    for function, x, dtype, wanted in cases:
        got = tf.function(lambda x, f=function, d=dtype: tf.numpy_function(f, [x], d))(x)
        assert np.asarray(got).tolist() == wanted
    pair = tf.function(lambda x: tf.numpy_function(lambda v: (v, v), [x], (tf.float32, tf.float32)))(
        tf.constant(1.0)
    )
    assert isinstance(pair, list) and len(pair) == 2


@both
def test_an_unused_call_runs_if_it_is_stateful(jit):
    ran = []

    @tf.function(jit_compile=jit)
    def f(x):
        tf.numpy_function(lambda v: ran.append("numpy"), [x], [])
        tf.numpy_function(lambda v: ran.append("stateless"), [x], [], stateful=False)
        tf.py_function(lambda v: ran.append("python"), [x], [])
        return x

    f(tf.constant(1.0))
    assert ran == ["numpy", "python"]


# -- assertions -------------------------------------------------------------------------------------------------------

VECTOR = [tf.TensorSpec([None], tf.float32)]
ANY = [tf.TensorSpec(None, tf.float32)]
MATRIX = [tf.TensorSpec([None, None], tf.float32)]
CHECKS = [
    ("Assert", None, lambda x: tf.debugging.Assert(x[0] > 0, ["m", x]), [1.0], [-1.0], "m\n-1|-1"),
    (
        "Assert of a structure",
        None,
        lambda x: tf.debugging.Assert(x[0] > 0, [("told", x)]),
        [1.0],
        [-1.0],
        "('told', [-1])",
    ),
    ("equal", None, lambda x: tf.debugging.assert_equal(x, 2.0, message="told"), [2.0], [1.0], "told"),
    ("less", None, lambda x: tf.debugging.assert_less(x, 2.0), [1.0], [2.0], "x = 2.0"),
    ("positive", None, lambda x: tf.debugging.assert_positive(x), [1.0], [0.0], "assert_positive"),
    ("near", None, lambda x: tf.debugging.assert_near(x, 2.0), [2.0], [1.0], "assert_near"),
    ("rank", ANY, lambda x: tf.debugging.assert_rank(x, 1), [1.0], 1.0, "rank 1; got 0"),
    (
        "rank_at_least",
        ANY,
        lambda x: tf.debugging.assert_rank_at_least(x, 1),
        [1.0],
        1.0,
        "rank 1 or more; got 0",
    ),
    ("rank_in", ANY, lambda x: tf.debugging.assert_rank_in(x, [1, 2]), [1.0], 1.0, "rank 1 or 2; got 0"),
    (
        "shapes",
        MATRIX,
        lambda x: tf.debugging.assert_shapes([(x, ("n", 3))]),
        [[1.0] * 3],
        [[1.0]],
        "should be 3",
    ),
    (
        "shapes tied",
        MATRIX,
        lambda x: tf.debugging.assert_shapes([(x, ("n", "n"))]),
        [[1.0]],
        [[1.0, 2.0]],
        "'n'",
    ),
    (
        "shapes any",
        ANY,
        lambda x: tf.debugging.assert_shapes([(x, ("n", "n"))]),
        [[1.0]],
        [1.0],
        "rank 2; got 1",
    ),
    ("numerics", VECTOR, lambda x: tf.debugging.check_numerics(x, "told"), [1.0], [np.nan], "told"),
]


@pytest.mark.parametrize(
    ("signature", "check", "good", "wrong", "message"), [c[1:] for c in CHECKS], ids=[c[0] for c in CHECKS]
)
def test_a_check_raises_when_the_graph_runs(signature, check, good, wrong, message):
    @tf.function(input_signature=signature)
    def f(x):
        check(x)
        return x + 1.0

    np.testing.assert_array_equal(f(tf.constant(good)), np.add(good, 1.0))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        f(tf.constant(wrong))
    assert any(m in str(caught.value) for m in message.split("|"))
    assert "check(x)" in str(caught.value) or "tf.debugging" in str(caught.value)


def test_compiled_programs_leave_assertions_out():
    f = tf.function(
        lambda x: (tf.debugging.assert_positive(x), tf.debugging.check_numerics(x, "m"))[1], jit_compile=True
    )
    assert f(tf.constant(-1.0)).numpy() == -1.0


def test_what_is_known_while_tracing_raises_then():
    wrong = [
        lambda: tf.debugging.assert_equal(tf.constant(1), tf.constant(2)),
        lambda: tf.debugging.assert_less(3, 2),
        lambda: tf.debugging.assert_positive(tf.constant([1.0, -1.0])),
    ]
    for check in wrong:
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.function(check).get_concrete_function()
    with pytest.raises(ValueError, match="rank"):
        tf.function(lambda x: tf.debugging.assert_rank(x, 2)).get_concrete_function(tf.constant([1.0]))
    with pytest.raises(ValueError, match="scalar"):
        tf.function(tf.debugging.assert_scalar, input_signature=ANY).get_concrete_function()
    # These wait for the run, whatever is known.
    later = tf.function(lambda x: (tf.debugging.Assert(False, [x]), x)[1])
    later.get_concrete_function(tf.constant(1.0))
    with pytest.raises(tf.errors.InvalidArgumentError):
        later(tf.constant(1.0))


def test_a_failed_check_leaves_variables_as_they_were():
    v = tf.Variable(1.0)

    @tf.function
    def f(x):
        v.assign_add(1.0)
        tf.debugging.assert_positive(x)
        return x

    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant(-1.0))
    assert v.numpy() == 1.0
    f(tf.constant(1.0))
    assert v.numpy() == 2.0


def test_assert_takes_a_list_and_a_bool():
    for condition, data in ((1, ["x"]), (True, "x")):
        with pytest.raises(TypeError):
            tf.function(lambda c=condition, d=data: tf.debugging.Assert(c, d)).get_concrete_function()


def test_checks_return_operations_that_others_may_depend_on():
    seen = []

    @tf.function
    def f(x):
        known = tf.debugging.assert_less(tf.constant(1), tf.constant(2))
        seen.extend([tf.debugging.assert_positive(x), known, tf.print(x, output_stream=sys.stdout)])
        with tf.control_dependencies(seen):
            return tf.identity(x)

    f(tf.constant(1.0))
    assert [isinstance(s, tf.Operation) for s in seen] == [True] * 3 and [s.type for s in seen] == [
        "Assert",
        "NoOp",
        "PrintV2",
    ]


def test_order_of_values():
    f = tf.function(tf.math.is_strictly_increasing)
    g = tf.function(tf.math.is_non_decreasing)
    for values, strictly, weakly in (
        ([1, 2, 3], True, True),
        ([1, 1], False, True),
        ([2, 1], False, False),
        ([], True, True),
    ):
        x = tf.constant(values, tf.int32)
        assert (bool(f(x)), bool(g(x))) == (strictly, weakly)


# -- the clock --------------------------------------------------------------------------------------------------------


@both
def test_the_clock_is_read_when_the_graph_runs(jit):
    f = tf.function(lambda: tf.timestamp(), jit_compile=jit)
    first, second = f(), f()
    assert first.dtype == tf.float64 and second.numpy() > first.numpy() > 1e9


# -- operations that only order others --------------------------------------------------------------------------------


def test_groups_and_tuples_in_functions(capsys):
    seen = []

    @tf.function
    def f(x):
        group = tf.group(x, [tf.print("ran", output_stream=sys.stdout)])
        parts = tf.tuple([x, None, x + 1.0], control_inputs=[group])
        seen.extend([group, tf.group(), tf.no_op(), *tf.identity_n([x, x])])
        with tf.control_dependencies([group]):
            return [p for p in parts if p is not None]

    assert [v.numpy() for v in f(tf.constant(1.0))] == [1.0, 2.0]
    assert text_printed(capsys) == "ran\n"
    assert [s.type for s in seen[:3]] == ["NoOp"] * 3 and len(seen[0].control_inputs) == 2
    assert all(tf.is_tensor(s) for s in seen[3:])


def test_what_can_not_be_grouped():
    for body, error in (
        (lambda: tf.group(3), TypeError),
        (lambda: tf.group(other=1), ValueError),
        (lambda: tf.tuple([]), ValueError),
        (lambda: tf.tuple([None]), ValueError),
    ):
        with pytest.raises(error):
            tf.function(body).get_concrete_function()
    assert tf.group(tf.constant(1)) is None


def test_a_check_in_a_branch_or_a_loop_counts_where_it_is_reached():
    @tf.function
    def branch(x):
        if x > 0:
            tf.debugging.assert_less(x, 5.0)
        return x

    @tf.function
    def loop(x, n):
        for i in tf.range(n):
            tf.debugging.assert_less(x * tf.cast(i, tf.float32), 2.5)
        return x

    assert [branch(tf.constant(v)).numpy() for v in (-7.0, 3.0)] == [-7.0, 3.0]
    assert loop(tf.constant(1.0), tf.constant(3)).numpy() == 1.0
    for wrong in (lambda: branch(tf.constant(7.0)), lambda: loop(tf.constant(1.0), tf.constant(4))):
        with pytest.raises(tf.errors.InvalidArgumentError, match="x = "):
            wrong()


def test_the_check_of_a_callee_is_the_callers_too():
    inner = tf.function(lambda x: (tf.debugging.assert_positive(x), x * 2.0)[1])
    outer = tf.function(lambda x: inner(x) + 1.0)
    assert outer(tf.constant(1.0)).numpy() == 3.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="assert_positive"):
        outer(tf.constant(-1.0))


def test_a_check_under_a_tape_and_its_gradient():
    f = tf.function(lambda x: tf.reduce_sum(tf.debugging.check_numerics(x * x, "told")))
    x = tf.constant([1.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 6.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="told"), tf.GradientTape() as tape:
        tape.watch(x)
        f(x * np.float32(np.inf))

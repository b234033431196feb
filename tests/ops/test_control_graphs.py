"""Control flow inside graphs: what eager Python computes, the plan and XLA compute, with first and second derivatives.

Eager code is the reference: there loops and branches are Python's, and a tape sees each operation by itself.
"""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

A = np.array([0.5, -1.2, 2.0], np.float32)
M = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6], [-0.7, 0.2, 0.1]], np.float32)
S = np.float32(0.7)
T = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.5, 0.2, -0.1], [2.0, -1.0, 0.3]], np.float32)
YES, NO, FOUR = np.bool_(True), np.bool_(False), np.int32(4)

CASES = {}
NOT_COMPILED = {"power", "growing", "array_grows"}
"""Gradients of loops of unknown length, and values that grow: XLA refuses them."""


def case(*args, also=()):
    """Adds a case: the function, and the arguments that it is called with; `also` are further arguments."""

    def add(function):
        for i, given in enumerate((args, *also)):
            CASES[function.__name__ + "'" * i] = (function, given)
        return function

    return add


@case(A, YES, also=[(A, NO)])
def branches(x, p):
    return tf.cond(p, lambda: x * x, lambda: tf.sin(x))


@case(A, S, YES, also=[(A, S, NO)])
def branches_with_parts(x, s, p):
    a, b = tf.cond(p, lambda: (tf.exp(x) * s, s), lambda: (x, tf.reduce_sum(x) * s))
    return tf.reduce_sum(a * a) * b


@case(A, YES, NO, also=[(A, YES, YES)])
def branches_nested(x, p, q):
    return tf.cond(p, lambda: tf.cond(q, lambda: tf.exp(x), lambda: tf.sin(x) * x), lambda: x)


@case(A, np.int32(1), also=[(A, np.int32(-1)), (A, np.int32(7))])
def switch(x, i):
    return tf.switch_case(i, [lambda: x, lambda: tf.tanh(x) * x, lambda: tf.square(x)])


@case(A, S, also=[(A, np.float32(0.1)), (A, np.float32(3.0))])
def case_of(x, s):
    return tf.case([(s > 1.0, lambda: x), (s > 0.5, lambda: x * s)], default=lambda: tf.square(x))


@case(A, YES)
def branch_with_slices(x, p):
    return tf.cond(p, lambda: tf.gather(x, [0, 2, 2]), lambda: x)


@case(A, YES, also=[(A, NO)])
def branch_with_loop(x, p):
    return tf.cond(
        p, lambda: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (0, x))[1], lambda: x
    )


@case(A, FOUR, also=[(A, np.int32(0))])
def power(x, n):
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * x), (0, x))[1]


@case(A)
def counted(x):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.sin(y) * x), (0, x))[1]


@case(A, S)
def counted_down(x, s):
    step = lambda i, a: (i - 2, a * s + tf.cast(i, tf.float32))
    return tf.while_loop(lambda i, a: i >= 0, step, (7, x))[1]


@case(A, M)
def recurrence(x, m):
    step = lambda i, h: (i + 1, tf.tanh(tf.linalg.matvec(m, h) + x))
    return tf.while_loop(lambda i, h: i < 4, step, (0, x))[1]


@case(S, also=[(np.float32(30.0),)])
def until_large(s):
    return tf.while_loop(lambda y: y < 20.0, lambda y: (y * y + s + 1.0,), (s,), maximum_iterations=10)[0]


@case(A, S)
def no_round(x, s):
    return tf.while_loop(lambda i, y: i < 0, lambda i, y: (i + 1, y * s), (0, x * s))[1]


@case(A, S)
def maximum(x, s):
    return tf.while_loop(lambda i, y: i < 100, lambda i, y: (i + 1, y * s), (0, x), maximum_iterations=3)[1]


@case(A, S)
def nested(x, s):
    def body(i, y):
        z = tf.while_loop(
            lambda j, z: j < i, lambda j, z: (j + 1, tf.sin(z) * s), (0, y), maximum_iterations=5
        )[1]
        return i + 1, z * x

    return tf.while_loop(lambda i, y: i < 4, body, (0, x))[1]


@case(A, S)
def loop_with_branch(x, s):
    step = lambda i, y: (i + 1, tf.cond(i % 2 == 0, lambda: y * s, lambda: tf.sin(y)))
    return tf.while_loop(lambda i, y: i < 5, step, (0, x))[1]


@case(A)
def swapped(x):
    return tf.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b, a * b), (0, x, tf.sin(x)))[2]


@case(A, S)
def stopped(x, s):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.stop_gradient(y) * s + y), (0, x))[1]


@case(A, S)
def growing(x, s):
    shapes = (tf.TensorShape([]), tf.TensorShape([None]))
    grow = lambda i, y: (i + 1, tf.concat([y * s, x], 0))
    return tf.while_loop(lambda i, y: i < 3, grow, (0, x), shape_invariants=shapes)[1] ** 2


@case(T, np.array([2, 0, 2], np.int32))
def slices_in_loop(x, at):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y + tf.gather(x, at)[i] * y), (0, x[0]))[1]


@case(T, M)
def array_in_loop(x, m):
    given = tf.TensorArray(tf.float32, 4).unstack(x)
    found = tf.TensorArray(tf.float32, 4, element_shape=[3])

    def body(i, h, found):
        h = tf.tanh(tf.linalg.matvec(m, h) + given.read(i))
        return i + 1, h, found.write(i, h)

    _, h, found = tf.while_loop(
        lambda i, *_: i < 4, body, (0, tf.zeros([3]), found), maximum_iterations=tf.shape(x)[0]
    )
    return tf.reduce_sum(found.stack() ** 2) + tf.reduce_sum(h)


@case(T)
def array_of_unknown_shape(x):
    found = tf.TensorArray(tf.float32, 4)
    _, found = tf.while_loop(lambda i, _: i < 4, lambda i, a: (i + 1, a.write(i, x[i] * x[0])), (0, found))
    return found.stack()


@case(T)
def array_grows(x):
    found = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    _, found = tf.while_loop(lambda i, _: i < 4, lambda i, a: (i + 1, a.write(i, x[i] * x[0])), (0, found))
    return found.stack()


@case(A, S)
def array_gathered(x, s):
    array = tf.TensorArray(tf.float32, 3, clear_after_read=False).write(0, x).write(1, x * s).write(2, x * x)
    return array.gather([2, 0, 2]) * array.read(1)


@case(T)
def array_split(x):
    return tf.TensorArray(tf.float32, 2, infer_shape=False).split(x, [2, 2]).concat() ** 2


@case(T)
def array_scattered(x):
    return tf.TensorArray(tf.float32, 4, element_shape=[3]).scatter([3, 1, 0, 2], x).stack() * x


@case(A)
def array_overwritten(x):
    array = tf.TensorArray(tf.float32, 2, element_shape=[3], clear_after_read=False)
    array = array.write(0, x).write(0, x * x)
    return array.write(1, array.read(1) + x).stack()


@case(A, S)
def array_read_back(x, s):
    array = tf.TensorArray(tf.float32, 5, element_shape=[3], clear_after_read=False).write(0, x)
    step = lambda i, a: (i + 1, a.write(i, a.read(i - 1) * s + x))
    return tf.while_loop(lambda i, _: i < 5, step, (1, array))[1].stack()


@case(T, YES, also=[(T, NO)])
def array_from_branch(x, p):
    array = tf.TensorArray(tf.float32, 4, element_shape=[3])
    array = tf.cond(p, lambda: array.unstack(x), lambda: array.write(0, x[1] * x[2]))
    return array.stack() * x


@case(T, A)
def mapped(x, a):
    return tf.map_fn(lambda r: tf.sin(r) * a, x)


@case(T, A)
def mapped_structure(x, a):
    parts = {"a": tf.float32, "b": tf.float32}
    r = tf.map_fn(
        lambda p: {"a": p[0] * p[1], "b": tf.reduce_sum(p[0]) * a}, (x, x), fn_output_signature=parts
    )
    return r["a"] * r["b"]


@case(T, A)
def vectorized(x, a):
    return tf.vectorized_map(lambda r: tf.exp(r[0] * 0.1) * r[1], (x, a[None]))


@case(T, A)
def folds(x, a):
    left = tf.foldl(lambda v, r: tf.sin(v) * r, x)
    return left + tf.foldr(lambda v, r: tf.sin(v) * r, x, initializer=a)


@case(T)
def scanned(x):
    return tf.scan(lambda v, r: tf.sin(v) + r * v, x)


@case(T, A)
def scanned_back(x, a):
    r = tf.scan(lambda v, r: (v[0] * r, v[1] + tf.reduce_sum(r * a)), x, (a, tf.constant(1.0)), reverse=True)
    return r[0] * r[1][:, None]


def derivatives(function):
    """The value of a function of tensors, its gradient, and the gradient of a scalar made of that."""

    def run(*args):
        sources = [x for x in args if x.dtype.is_floating]
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as inner:
                inner.watch(sources)
                value = function(*args)
            first = inner.gradient(value, sources, unconnected_gradients="zero")
            first = [tf.convert_to_tensor(g) for g in first]
            total = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in first])
        second = outer.gradient(total, sources, unconnected_gradients="zero")
        return [value, *first, *[tf.convert_to_tensor(g) for g in second]]

    return run


MODES = {
    "plan": lambda f: tf.function(derivatives(f), autograph=False, jit_compile=False),
    "xla": lambda f: tf.function(derivatives(f), autograph=False, jit_compile=True),
    "tape-outside": lambda f: derivatives(tf.function(f, autograph=False, jit_compile=False)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name, mode):
    function, args = CASES[name]
    if mode == "xla" and name.rstrip("'") in NOT_COMPILED:
        pytest.skip("XLA refuses it; see test_refused_by_xla")
    tensors = [tf.constant(a) for a in args]
    for found, wanted in zip(MODES[mode](function)(*tensors), derivatives(function)(*tensors), strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), 2e-4, 2e-5)


REFUSED = {"power": "maximum_iterations", "growing": "one shape", "array_grows": "dynamic_size"}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_xla(name):
    function, args = CASES[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=REFUSED[name]) as found:
        MODES["xla"](function)(*[tf.constant(a) for a in args])
    assert __file__ in str(found.value), "the user's line is missing"


def _table(*modes):
    return pytest.mark.parametrize("jit", modes, ids=["xla" if m else "plan" for m in modes])


@_table(False, True)
def test_variables_assigned_in_one_branch_keep_their_value_in_the_other(jit):
    v, w = tf.Variable(1.0), tf.Variable([1.0, 2.0])

    @tf.function(autograph=False, jit_compile=jit)
    def run(p):
        tf.cond(p, lambda: v.assign_add(2.0), lambda: v.assign(w[0] * 10.0))
        tf.cond(p, lambda: w.assign(w * v).value()[0], lambda: 0.0)
        return v + 0.0

    assert run(tf.constant(True)) == 3.0
    assert w.numpy().tolist() == [3.0, 6.0]
    assert run(tf.constant(False)) == 30.0
    assert (v.numpy(), w.numpy().tolist()) == (30.0, [3.0, 6.0])


@_table(False, True)
def test_variables_assigned_in_loops(jit):
    v, w = tf.Variable(0.0), tf.Variable([1.0, 2.0])

    def body(i):
        tf.cond(i % 2 == 0, lambda: v.assign_add(w[1]), lambda: v.assign_sub(0.5))
        return (i + 1,)

    @tf.function(autograph=False, jit_compile=jit)
    def run():
        tf.while_loop(lambda i: tf.logical_and(i < 5, v < 3.5), body, (0,))
        rows = tf.map_fn(lambda r: r * v.assign_add(1.0), tf.ones([2]))
        return v * 1.0, rows

    value, rows = run()
    assert value == v.numpy() == 5.5
    assert rows.numpy().tolist() == [4.5, 5.5]


def test_gradients_of_variables_read_in_loops():
    v = tf.Variable(3.0)

    @tf.function(autograph=False)
    def run(x):
        with tf.GradientTape() as tape:
            y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * v), (0, x))[1]
        return tape.gradient(y, v)

    assert run(tf.constant(2.0)) == 54.0
    with tf.GradientTape() as tape:
        y = tf.function(lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * v), (0, x))[1])(
            2.0
        )
    assert tape.gradient(y, v) == 54.0


def test_effects_run_as_often_as_they_should():
    calls = []

    def note(x):
        calls.append(float(x))
        return x

    def body(i, y):
        return i + 1, y * tf.reshape(tf.numpy_function(note, [tf.cast(i, tf.float32)], tf.float32), [])

    @tf.function(autograph=False, jit_compile=False)
    def run(x, p):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(lambda i, y: i < 3, body, (1, x))[1]
            y = tf.cond(p, lambda: y * tf.numpy_function(note, [7.0], tf.float32), lambda: y)
        return tape.gradient(y, x)

    assert run(tf.constant(2.0), tf.constant(True)) == 14.0
    assert calls == [1.0, 2.0, 7.0]


COMPOSITES = {
    "slices": (lambda x: tf.IndexedSlices(x, [0, 2], [3]), lambda x: tf.IndexedSlices(2.0 * x, [1, 1], [3]), [[5.0, 0, 7.0], [0, 24.0, 0]]),
    "slices of two integer dtypes": (
        lambda x: tf.IndexedSlices(x, tf.constant([0, 2], tf.int64), [3]), lambda x: tf.IndexedSlices(2.0 * x, [1, 1], [3]),
        [[5.0, 0, 7.0], [0, 24.0, 0]],
    ),
    "sparse": (
        lambda x: tf.SparseTensor([[0], [2]], x, [3]), lambda x: tf.SparseTensor([[1], [2]], 2.0 * x, [3]), [[5.0, 0, 7.0], [0, 10.0, 14.0]],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("yes", "no", "dense"), COMPOSITES.values(), ids=COMPOSITES)
def test_composite_results(yes, no, dense):
    run = tf.function(lambda p, x: tf.cond(p, lambda: yes(x), lambda: no(x)), autograph=False)
    for p, wanted in zip((True, False), dense, strict=True):
        found = run(tf.constant(p), tf.constant([5.0, 7.0]))
        found = (
            tf.sparse.to_dense(found) if isinstance(found, tf.SparseTensor) else tf.convert_to_tensor(found)
        )
        assert found.numpy().tolist() == wanted


def test_results_may_be_none_and_strings():
    run = tf.function(
        lambda p: tf.cond(p, lambda: (1, None, {"a": "x"}), lambda: (2, None, {"a": "y"})), autograph=False
    )
    one, nothing, text = run(tf.constant(False))
    assert (one.numpy(), nothing, text["a"].numpy()) == (2, None, b"y")


BAD = {
    "dtype": (lambda x, i: tf.cond(i > 0, lambda: (x, 1), lambda: (x, 2.0)), TypeError, "result number 1 is int32.*float32"),
    "none": (lambda x, i: tf.cond(i > 0, lambda: x, lambda: None), TypeError, "None from false_fn"),
    "structure": (lambda x, i: tf.cond(i > 0, lambda: (x, x), lambda: [x, x]), TypeError, "one structure"),
    "switch": (lambda x, i: tf.switch_case(i, [lambda: x, lambda: i]), TypeError, r"branches\[1\]"),
    "pred": (lambda x, i: tf.cond(x > 0.0, lambda: x, lambda: x), ValueError, r"bool\[3\]"),
    "loop-dtype": (lambda x, i: tf.while_loop(lambda j: j < 3, lambda j: (tf.cast(j, tf.int64),), (i,)), TypeError, "int64"),
    "loop-shape": (
        lambda x, i: tf.while_loop(lambda y: tf.size(y) < 9, lambda y: (tf.concat([y, y], 0),), (x,)), ValueError, "shape_invariants",
    ),
    "loop-none": (lambda x, i: tf.while_loop(lambda y, z: y < 3, lambda y, z: (y, x), (i, None)), ValueError, "number 1 is None"),
    "loop-count": (lambda x, i: tf.while_loop(lambda y, z: y < 3, lambda y, z: (y,), (i, x)), ValueError, "2 of them"),
    "loop-test": (lambda x, i: tf.while_loop(lambda y: y > 0.0, lambda y: (y,), (x,)), ValueError, "boolean scalar"),
    "invariants": (
        lambda x, i: tf.while_loop(lambda y: y < 3, lambda y: (y + 1,), (i,), shape_invariants=(None, None)), ValueError, "structure",
    ),
    "promise": (lambda x, i: tf.map_fn(lambda r: r > 0.0, x), tf.errors.InvalidArgumentError, "promised"),
    "uneven": (
        lambda x, i: tf.map_fn(lambda r: tf.range(tf.cast(r, tf.int32)), tf.abs(x), fn_output_signature=tf.int32),
        tf.errors.InvalidArgumentError, "one shape",
    ),
    "no-rows": (lambda x, i: tf.foldl(lambda a, r: a + r, x[:0]), tf.errors.OutOfRangeError, "initializer"),
    "no-case": (lambda x, i: tf.case([(i > 10, lambda: x), (i > 20, lambda: x)]), tf.errors.InvalidArgumentError, "default"),
    "write": (lambda x, i: tf.TensorArray(tf.float32, 2).write(i + 5, x).stack(), tf.errors.InvalidArgumentError, "out of range"),
    "array-dtype": (lambda x, i: tf.TensorArray(tf.float32, 2).write(0, i).stack(), tf.errors.InvalidArgumentError, "float32"),
    "array-shape": (lambda x, i: tf.TensorArray(tf.float32, 2, element_shape=[2]).write(0, x).stack(), ValueError, "infer_shape"),
    "unwritten": (lambda x, i: tf.TensorArray(tf.float32, 2).stack(), tf.errors.InvalidArgumentError, "never written"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "error", "text"), BAD.values(), ids=BAD)
def test_errors(function, error, text):
    with pytest.raises(error, match=text):
        tf.function(function, autograph=False, jit_compile=False)(tf.constant(A), tf.constant(4))


def test_a_loop_of_n_writes_copies_nothing():
    """The values of a list share their elements: the newest has them, older ones say in what they differ."""
    from headwater._src.ops.tensor_lists import TensorList

    zero = np.zeros(1)
    lists = [TensorList([zero] * 3, zero.dtype)]
    for i in (0, 2, 3, 0):
        lists.append(lists[-1].replaced(i, np.full(1, len(lists))))
    items = lists[-1].items()
    wanted = [[0, 0, 0], [1, 0, 0], [1, 0, 2], [1, 0, 2, 3], [4, 0, 2, 3]]
    for place in (4, 0, 3, 1, 2, 4):
        assert [int(x[0]) for x in lists[place].items()] == wanted[place]
    assert lists[-1].items() is items

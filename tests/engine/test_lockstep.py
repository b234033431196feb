"""Variables that are updated alike run as one array: the same bits, with fewer calls."""

import re

import numpy as np
import pytest

import headwater as tf
from headwater._src.engine.lockstep import SMALL_BYTES, joined
from headwater._src.trace.stepping import Steps

SHAPES = [(8, 30), (30,), (30, 1), (1,), (2, 3, 4)]


def variables(shapes=SHAPES, dtype="float32"):
    rng = np.random.default_rng(1)
    return [tf.Variable(rng.standard_normal(s), dtype=dtype) for s in shapes]


def adam(shapes=SHAPES, dtype="float32", odd=None):
    """Adam's arithmetic on variables of these shapes; the weights are used one by one too."""
    weights, first, second = (variables(shapes, dtype) for _ in range(3))
    rate, step = tf.Variable(0.1, dtype=dtype), tf.Variable(0, dtype="int64")

    def update(x):
        gradients = [tf.sin(w) * tf.reduce_sum(x) for w in weights]
        step.assign_add(1)
        scale = rate / (1 - tf.pow(tf.constant(0.9, dtype), tf.cast(step, dtype)))
        for i, (w, m, v, g) in enumerate(zip(weights, first, second, gradients, strict=True)):
            m.assign_add((g - m) * 0.1)
            v.assign_add((tf.square(g) - v) * 0.01)
            change = m * scale / (tf.sqrt(tf.abs(v)) + 1e-7)
            w.assign_sub(change * 2 if odd == i else change)
        return tf.add_n([tf.reduce_sum(w) for w in weights])

    return update, [*weights, *first, *second, rate, step]


def swapped():
    """Two variables that take each other's values."""
    a, b = variables([(3,), (3,)])

    def update(x):
        old = a.read_value()
        a.assign(tf.sqrt(tf.abs(b * 2 + 1)) * x[0] - 3)
        b.assign(tf.sqrt(tf.abs(old * 2 + 1)) * x[0] - 3)
        return a[0] + b[1]

    return update, [a, b]


def chained():
    """A variable's new value makes another's: the two can't be updated together."""
    a, b = variables([(3,), (3,)])

    def update(x):
        a.assign(tf.sqrt(tf.abs((a * 2 + 1) * x[0] - 3)) / 2 + 1 - a)
        b.assign(tf.sqrt(tf.abs((b * 2 + 1) * tf.reduce_sum(a) - 3)) / 2 + 1 - b)
        return a[0] + b[1]

    return update, [a, b]


def old_values():
    """The result is what a weight was before it was assigned."""
    update, variables = adam()

    def both(x):
        old = tf.identity(variables[0])
        update(x)
        return old

    return both, variables


def delayed():
    """Variables that keep what a weight was one and two steps before."""
    update, variables = adam()
    old, older = (tf.Variable(tf.zeros([8, 30])) for _ in range(2))

    def both(x):
        older.assign(old)
        old.assign(variables[0])
        return update(x)

    return both, [*variables, old, older]


def descent(rate=0.1):
    """Plain gradient descent; the weights' gradients are of many kinds, one is used twice and one given back."""
    weights, total = variables(), tf.Variable(0.0)

    def update(x):
        with tf.GradientTape() as tape:
            hidden = tf.nn.elu(tf.matmul(tf.pad(x, [[0, 0], [0, 5]]), weights[0]) + weights[1])
            loss = tf.reduce_mean(tf.square(tf.matmul(hidden, weights[2]) + weights[3]))
            loss += tf.reduce_sum(weights[4] ** 2)
        gradients = tape.gradient(loss, weights)
        total.assign_add(tf.norm(gradients[2]))
        for w, g in zip(weights, gradients, strict=True):
            w.assign_sub(g * rate)
        return loss, gradients[0]

    return update, [*weights, total]


def one_large():
    """Variables that are written over in place, and others that share their old and new values."""
    many, other, small = variables([(300, 300), (300, 300), (2,)])

    def update(x):
        other.assign(many)
        many.assign(tf.tanh(many * 0.5) + x[0, 0])
        small.assign_add(many[0, :2] + other[1, :2])
        return tf.reduce_sum(many)

    return update, [many, other, small]


def large():
    return adam([(SMALL_BYTES, 1), (1, SMALL_BYTES), (4,)])


# name -> what updates which variables, and how many of them are joined
CASES = {
    "adam": (adam, 15),
    "float64": (lambda: adam(dtype="float64"), 15),
    "one that differs": (lambda: adam(odd=2), 12),
    "two sorts": (lambda: adam([(4,), (4,), (5,), (5, 1)]), 12),
    "old values": (old_values, 15),
    "delayed": (delayed, 15),
    "descent": (descent, 4),
    "one large": (one_large, 0),
    "swapped": (swapped, 2),
    "chained": (chained, 0),
    "large": (large, 0),
    "one variable": (lambda: adam([(4,)]), 0),
    "scalars": (lambda: adam([(), ()]), 0),
    "half": (lambda: adam([(4,), (5,)], dtype="float16"), 0),
}


@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_one_by_one(case):
    make, count = CASES[case]
    x = np.random.default_rng(2).random((6, 3)).astype("float64" if case == "float64" else "float32")
    x = x.astype("float16") if case == "half" else x
    update, single = make()
    alone = tf.function(update, jit_compile=False)
    results = [first(alone(tf.constant(x[i : i + 2]))).numpy() for i in (0, 2, 4)]

    update, mine = make()
    graph = tf.function(update).get_concrete_function(tf.TensorSpec([2, 3], x.dtype)).graph
    found = joined(graph)
    assert (sum(map(len, found.groups)) if found else 0) == count
    if case == "large":
        assert found is None
    before = [v.numpy() for v in mine]
    for kept in ([], None):
        for variable, value in zip(mine, before, strict=True):
            variable.assign(value)
        last = Steps(graph).run([x], 2, kept)
        given = [last[0]] if kept is None else [*[k[0] for k in kept], last[0]]
        for a, b in zip(given, [*results, results[-1]][-len(given) :], strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(mine, single, strict=True):
            assert a.numpy().tobytes() == b.numpy().tobytes()


def first(results):
    """The first of several results, or the only one."""
    return results[0] if isinstance(results, tuple) else results


def test_calls_are_saved():
    update, _ = adam()
    graph = tf.function(update).get_concrete_function(tf.TensorSpec([2, 3])).graph
    assert len(joined(graph).graph.nodes) < 0.6 * len(graph.nodes)
    assert "Join" in Steps(graph).plan.source


def test_the_loop_does_without_results():
    """Rounds but the last leave out what only results need; gradients are computed where the optimizer reads them."""
    update, _ = descent()
    graph = tf.function(update).get_concrete_function(tf.TensorSpec([2, 3])).graph
    source = Steps(graph).loop([]).source
    assert "finally:" in source and source.count("empty(") == 1 and "concatenate" not in source
    assert ".dot(" in source and len(re.findall(r"b\d+_\d+\[...\] =", source)) < 3


def test_scalars_and_sums_leave_the_loop():
    """What follows from the number of rounds is computed for all of them before the loop, sums that it only adds up after it."""
    rounds, product, total, weights = (
        tf.Variable(0),
        tf.Variable(1.0),
        tf.Variable(0.0),
        tf.Variable(tf.ones([3])),
    )

    def update(x):
        rounds.assign_add(1)
        product.assign(product * 0.9 * (1.0 - tf.pow(0.5, tf.cast(rounds, tf.float32))))
        error = tf.abs(x - weights)
        total.assign_add(tf.reduce_sum(error) / 3.0)
        weights.assign_sub((weights - x[0]) * product)
        return total / tf.cast(rounds, tf.float32)

    x = np.random.default_rng(5).random((40, 3), dtype=np.float32)
    alone = tf.function(update, jit_compile=False)
    for row in x:
        result = alone(row[None])
    want = [v.numpy() for v in (rounds, product, total, weights)]
    for variable, value in ((rounds, 0), (product, 1.0), (total, 0.0), (weights, tf.ones([3]))):
        variable.assign(value)
    steps = Steps(alone.get_concrete_function(tf.TensorSpec([1, 3])).graph)
    (last,) = steps.run([x], 1)
    assert last == result.numpy()
    for variable, value in zip((rounds, product, total, weights), want, strict=True):
        assert variable.numpy().tobytes() == value.tobytes()
    (loop,) = steps._loops.values()
    assert sorted(loop.carried.known) == [1, 2] and len(loop.sums) == 1
    assert "power" not in loop.source and "add_reduce" not in loop.source


@pytest.mark.parametrize("size", [3, 70_000])
def test_a_step_that_fails_leaves_those_before(size):
    """Small variables and large ones, which are written over in place."""
    variable, count = tf.Variable(tf.ones([size])), tf.Variable(0)
    rounds, power, total = tf.Variable(0), tf.Variable(1.0), tf.Variable(10.0)

    def update(x):
        rounds.assign_add(1)
        power.assign(power * 0.5 * tf.cast(rounds, tf.float32))
        total.assign_add(tf.reduce_sum(tf.square([x[0], 1.0])))
        variable.assign(variable * 2 + tf.cast(tf.reshape(x, [])[None], tf.float32))
        count.assign_add(7 // tf.cast(x[0], tf.int32))

    graph = tf.function(update).get_concrete_function(tf.TensorSpec([1], tf.float32)).graph
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"division|zero"):
        Steps(graph).run([np.float32([1, 1, 2, 0, 1])], 1)
    assert count.numpy() == 17 and (variable.numpy() == 8 + 4 + 2 + 2).all()
    assert rounds.numpy() == 3 and power.numpy() == 0.75 and total.numpy() == 10 + 2 + 2 + 5


def test_random_numbers_and_later_assignments():
    """Streams go on, and what is assigned between two runs counts."""

    def drawing(weights, slots):
        def update(x):
            for w, m in zip(weights, slots, strict=True):
                m.assign(m * 0.9 + (tf.random.normal(w.shape) - m) * 0.1 - tf.square(m) / 7)
                w.assign_sub(m * 0.1 / (tf.sqrt(tf.abs(m)) + 1e-7))
            return tf.reduce_sum(x)

        return update

    left = []
    for many in (True, False):
        tf.random.set_seed(4)
        weights, slots = variables(), variables()
        update = drawing(weights, slots)
        function = tf.function(update, jit_compile=False)
        x = np.ones((8, 3), np.float32)
        for _ in range(2):
            if many:
                Steps(function.get_concrete_function(tf.TensorSpec([2, 3])).graph).run([x], 2)
            else:
                for _ in range(4):
                    function(tf.constant(x[:2]))
            weights[1].assign(weights[1] * 2)
        left.append([v.numpy().tobytes() for v in (*weights, *slots)])
    assert left[0] == left[1]

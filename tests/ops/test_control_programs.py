"""Generated programs of branches, loops, arrays, maps and scans, nested in each other: the same values and first and second
derivatives eagerly, as a plan, under XLA, and with the tapes outside of the function.

A failing case shows its program, which can be pasted: it is an expression in `tf`, `x` and `y` (vectors of 3) and `p` (a scalar).
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import headwater as tf

X = np.array([0.5, -1.2, 0.8], np.float32)
Y = np.array([-0.3, 0.9, 0.2], np.float32)
P = np.float32(0.1)


class Program:
    """Writes an expression whose value is a vector of 3."""

    def __init__(self, seed, depth):
        self.random = random.Random(seed)
        self.count = 0
        self.text = self.vector(depth, ["x", "y"])

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def vector(self, depth, names):
        if depth <= 0 or self.random.random() < 0.15:
            return self.random.choice(names)
        kinds = (
            self.arithmetic, self.arithmetic, self.branch, self.switch, self.loop, self.loop, self.until, self.array, self.map,
            self.scan, self.rows,
        )  # fmt: skip
        return self.random.choice(kinds)(depth - 1, names)

    def arithmetic(self, depth, names):
        a, b = self.vector(depth, names), self.vector(depth, names)
        return self.random.choice((f"tf.sin({a})", f"({a} * {b})", f"({a} + {b})"))

    def rows(self, depth, names):
        return (
            f"tf.gather(tf.sin({self.vector(depth, names)}), {[self.random.randrange(3) for _ in range(3)]})"
        )

    def branch(self, depth, names):
        a, b = self.vector(depth, names), self.vector(depth, names)
        test = f"tf.reduce_sum({self.vector(depth - 1, names)}) > {self.random.choice(('0.1', '-0.3', 'p'))}"
        return f"tf.cond({test}, lambda: {a}, lambda: {b})"

    def switch(self, depth, names):
        branches = ", ".join(f"lambda: {self.vector(depth - i, names)}" for i in range(3))
        index = f"tf.cast(tf.reduce_sum({self.vector(depth - 1, names)}) > 0.0, tf.int32) + 1"
        return f"tf.switch_case({index}, [{branches}])"

    def loop(self, depth, names):
        i, v = self.name(), self.name()
        body, start = self.vector(depth, [*names, v]), self.vector(depth, names)
        step = f"lambda {i}, {v}: ({i} + 1, tf.tanh({body}))"
        return f"tf.while_loop(lambda {i}, {v}: {i} < {self.random.randrange(4)}, {step}, (0, {start}))[1]"

    def until(self, depth, names):
        a, b = self.name(), self.name()
        first, second = self.vector(depth, [*names, a, b]), self.vector(depth - 1, [*names, a, b])
        step = f"lambda {a}, {b}: (tf.sin({first}) + 0.3, tf.sin({second}))"
        start = f"({self.vector(depth, names)}, {self.vector(depth - 1, names)})"
        most, which = self.random.randrange(4), self.random.randrange(2)
        test = f"lambda {a}, {b}: tf.reduce_sum({a}) < 2.0"
        return f"tf.while_loop({test}, {step}, {start}, maximum_iterations={most})[{which}]"

    def array(self, depth, names):
        i, v, a = self.name(), self.name(), self.name()
        body, start = self.vector(depth, [*names, v]), self.vector(depth, names)
        step = f"lambda {i}, {v}, {a}: ({i} + 1, tf.tanh({body}), {a}.write({i}, {v}))"
        empty = "tf.TensorArray(tf.float32, 3, element_shape=[3])"
        loop = f"tf.while_loop(lambda {i}, {v}, {a}: {i} < 3, {step}, (0, {start}, {empty}))"
        return f"{loop}[2].stack()[{self.random.randrange(3)}]"

    def map(self, depth, names):
        v = self.name()
        rows = f"tf.stack([{self.vector(depth, names)}, {self.vector(depth - 1, names)}])"
        return f"tf.reduce_sum(tf.map_fn(lambda {v}: tf.sin({self.vector(depth, [*names, v])}), {rows}), 0)"

    def scan(self, depth, names):
        a, b = self.name(), self.name()
        rows = ", ".join(self.vector(depth - (i > 0), names) for i in range(3))
        body = self.vector(depth, [*names, a, b])
        return f"tf.scan(lambda {a}, {b}: tf.sin({body}), tf.stack([{rows}]))[{self.random.randrange(3)}]"


def derivatives(function):
    """The value, the gradient in all arguments, and the gradient of a scalar made of that."""

    def run(*args):
        with tf.GradientTape() as outer:
            outer.watch(args)
            with tf.GradientTape() as inner:
                inner.watch(args)
                value = function(*args)
            first = inner.gradient(value, list(args), unconnected_gradients="zero")
            first = [tf.convert_to_tensor(g) for g in first]
            total = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in first])
        second = outer.gradient(total, list(args), unconnected_gradients="zero")
        return [value, *first, *[tf.convert_to_tensor(g) for g in second]]

    return run


MODES = {
    "plan": lambda f: tf.function(derivatives(f), autograph=False, jit_compile=False),
    "xla": lambda f: tf.function(derivatives(f), autograph=False, jit_compile=True),
    "tape-outside": lambda f: derivatives(tf.function(f, autograph=False, jit_compile=False)),
}
RUNS = [(seed, mode) for seed in range(60) for mode in MODES if mode != "xla" or seed % 12 == 0]


@pytest.mark.parametrize(("seed", "mode"), RUNS)
def test_programs(seed, mode):
    program = Program(seed, 3 if mode == "xla" else 4).text
    function = eval(f"lambda x, y, p: {program}", {"tf": tf})
    args = [tf.constant(a) for a in (X, Y, P)]
    found, wanted = MODES[mode](function)(*args), derivatives(function)(*args)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape, program
        np.testing.assert_allclose(a.numpy(), b.numpy(), 1e-3, 1e-4, err_msg=program)

"""Random programs: the plan gives eager code's bits, whatever is shared, reused or owned."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.core.graph import FuncGraph
from headwater._src.core.tensor import of_array
from headwater._src.engine.closed import close
from headwater._src.engine.plan import plan_of
from headwater._src.trace import call
from headwater._src.trace.stepping import Steps

PROGRAMS = 800
ROUNDS = 400
SCALARS = (np.float32(0.5), np.float32(2.0), np.float32(1.0))
SHAPES = ((4, 6), (6,), (4, 1), (6, 4), (), (1,), (4, 4))

UNARY = (
    tf.exp, tf.negative, tf.abs, tf.square, tf.nn.relu, tf.nn.elu, tf.sigmoid, tf.tanh, tf.identity, tf.stop_gradient,
    lambda x: x * 1.0, lambda x: x * 2.0, lambda x: 2.0 / x, lambda x: x + 0.0, lambda x: x - 0.0, lambda x: x**2, lambda x: x**3,
    tf.math.rsqrt, lambda x: tf.where(x > 0.0, x, -x), lambda x: tf.cast(x > 0.0, tf.float32), tf.ones_like,
    lambda x: tf.cast(tf.cast(tf.clip_by_value(x, -9.0, 9.0), tf.int32), tf.float32), lambda x: tf.reshape(x, [-1]),
    lambda x: tf.reshape(x, tf.shape(x)), lambda x: tf.transpose(x) if len(x.shape) == 2 else x, tf.reduce_sum, tf.reduce_mean,
    lambda x: tf.reduce_max(x, -1) if len(x.shape) else x, lambda x: tf.reduce_mean(x, 0) if len(x.shape) else x,
    lambda x: tf.reduce_sum(x, -1, keepdims=True) if len(x.shape) else x, lambda x: x[0] if len(x.shape) else x,
    lambda x: x[..., ::2] if len(x.shape) else x, lambda x: x[::-1] if len(x.shape) else x, lambda x: tf.expand_dims(x, 0)[0],
    lambda x: tf.broadcast_to(x, tf.concat([[4], tf.shape(x)], 0))[1] * x, lambda x: tf.nn.softmax(x) if len(x.shape) else x,
    lambda x: tf.concat([x, x], 0) if len(x.shape) else x, lambda x: tf.add_n([x, x, x * 0.5]),
)  # fmt: skip
BINARY = (
    tf.add,
    tf.subtract,
    tf.multiply,
    tf.divide,
    tf.maximum,
    tf.math.divide_no_nan,
    tf.math.squared_difference,
)


Step = tuple[Any, tuple[int, ...]]


def generate(rng: random.Random, arrays: list[np.ndarray]) -> list[Step]:
    """Steps on a list of values, each of which appends one: a function, and the numbers of the values it takes."""
    values = [of_array(a) for a in arrays]
    steps: list[Step] = []
    for _ in range(rng.randint(1, 25)):
        # Mostly of the latest values, so that chains grow long.
        i, j = int(len(values) * (1 - rng.random() ** 2) * 0.9999), rng.randrange(len(values))
        a, b = values[i], values[j]
        if rng.random() < 0.6:
            step = (rng.choice(UNARY), (i,))
        elif rng.random() < 0.2 and len(a.shape) == len(b.shape) == 2 and a.shape[1] == b.shape[0]:
            step = (tf.matmul, (i, j))
        else:
            step = (rng.choice(BINARY), (i, j))
        try:
            values.append(step[0](*[values[k] for k in step[1]]))
        except tf.errors.InvalidArgumentError:  # shapes that don't broadcast
            continue
        steps.append(step)
    return steps


def execute(steps: list[Step], args: list[Any], rng: random.Random) -> list[Any]:
    """Some of the values, the last of them and its sum."""
    values = list(args)
    for function, inputs in steps:
        values.append(function(*[values[i] for i in inputs]))
    return [v for v in values if rng.random() < 0.3] + [values[-1], tf.reduce_sum(values[-1])]


def laid_out(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """The same values in some order in memory."""
    if array.ndim != 2 or rng.random() < 0.5:
        return array
    return rng.choice(
        [np.asfortranarray(array), np.repeat(array, 2, 1)[:, ::2], array[::-1, ::-1].copy()[::-1, ::-1]]
    )


@pytest.mark.parametrize("part", range(8))
def test_random_programs(part: int) -> None:
    for seed in range(part, PROGRAMS, 8):
        rng, numbers = random.Random(seed), np.random.default_rng(seed)
        shapes = rng.choices(SHAPES, k=rng.randint(1, 4))
        arrays = [laid_out(numbers.standard_normal(s).astype(np.float32), rng) for s in shapes]
        with np.errstate(all="ignore"):
            steps = generate(rng, arrays)
            want = execute(steps, [of_array(a) for a in arrays], random.Random(seed))
            want = [np.array(t._array) for t in want]
        graph = FuncGraph("program")
        open_shapes = rng.random() < 0.3
        with graph.as_default():
            args = [graph.placeholder((None, *s[1:]) if open_shapes and s else s, tf.float32) for s in shapes]
            results = execute(steps, args, random.Random(seed))
        close(graph, results)
        captured = [t._array for t in graph.captured]
        for owned in (0, rng.getrandbits(len(arrays)), 0):
            given = [a.copy() if owned >> i & 1 and a.flags.c_contiguous else a for i, a in enumerate(arrays)]
            kept = [a.copy() for a in given]
            got = plan_of(graph)([*given, *captured], owned)
            assert len(got) == len(want)
            for i, (g, w) in enumerate(zip(got, want, strict=True)):
                same = g.dtype == w.dtype and g.shape == w.shape and _same_bits(g, w)
                assert same, (
                    f"seed {seed}, owned {owned}, result {i}: {g} instead of {w}\n{plan_of(graph).source}"
                )
            for i, (a, before) in enumerate(zip(given, kept, strict=True)):
                written = owned >> i & 1 and a.flags.c_contiguous
                assert written or _same_bits(a, before), f"seed {seed}: argument {i} was written to"


@pytest.mark.parametrize("part", range(4))
def test_random_rounds(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rounds in one run leave in the variables what as many calls leave, whatever shares memory with what."""
    for seed in range(part, ROUNDS, 4):
        rng, numbers = random.Random(seed), np.random.default_rng(seed)
        monkeypatch.setattr(call, "IN_PLACE_BYTES", rng.choice([1, 1 << 20]))
        shapes = [(4, 6), *rng.choices(SHAPES, k=rng.randint(2, 6))]
        first = [numbers.standard_normal(s).astype(np.float32) for s in shapes]
        with np.errstate(all="ignore"):
            steps = generate(rng, first)
        column = numbers.standard_normal((16, 6)).astype(np.float32)
        left = []
        for many in (False, True):
            variables = [tf.Variable(a) for a in (*first[1:], *SCALARS)]
            function = _round_of(steps, variables, random.Random(seed))
            if many:
                traced = function.get_concrete_function(tf.TensorSpec([4, 6], tf.float32))
                run = Steps(traced.graph)
                results = run.run([column], 4)
            else:
                for low in range(0, 16, 4):
                    results = [r._array for r in function(tf.constant(column[low : low + 4]))]
            left.append([*results, *[v.numpy() for v in variables]])
        for i, (want, got) in enumerate(zip(*left, strict=True)):
            same = got.shape == want.shape and _same_bits(np.asarray(got), np.asarray(want))
            assert same, (
                f"seed {seed}, value {i}: {got} instead of {want}\n{[p.source for p in run._loops.values()]}"
            )


def _round_of(steps: list[Step], all_variables: list[Any], rng: random.Random) -> Any:
    """A function that computes the steps, assigns some of the values to variables of their shapes, and gives the last."""

    def update(x: Any) -> Any:
        *variables, total, count, product = all_variables
        values = [x, *variables]
        for function, inputs in steps:
            values.append(function(*[values[i] for i in inputs]))
        # What optimizers and metrics keep: a number of rounds, a product of what follows from it, sums.
        count.assign_add(1.0)
        decay = 1.0 - 0.5 * tf.pow(0.96, count)
        product.assign(product * 0.9 * decay if rng.random() < 0.7 else product + decay * count)
        summed = tf.reduce_sum(rng.choice(values))
        total.assign_add(rng.choice([summed, summed / 3.0 * 3.0, tf.abs(summed * 0.5), summed * decay]))
        values[0] = values[0] + rng.choice([0.0, 1.0]) * (product - decay)
        if rng.random() < 0.3:
            values.append(rng.choice([total, count, product]) + values[-1])
        for variable in rng.sample(variables, rng.randint(1, len(variables))):
            fitting = [v for v in values if v.shape == variable.shape]
            value = rng.choice(fitting)
            variable.assign(value * rng.choice([0.5, 0.9]) if rng.random() < 0.5 else value)
            if rng.random() < 0.3:
                values.append(variable + 0.5)
        return [values[-1]]

    return tf.function(update, jit_compile=False, autograph=False)


def _same_bits(got: np.ndarray, want: np.ndarray) -> bool:
    numbers = ~((got != got) & (want != want))
    return np.array(got[numbers]).tobytes() == np.array(want[numbers]).tobytes()

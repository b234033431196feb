"""Bad inputs never crash, hang or eat the memory: samples of every public function, mutated, end in an answer or a clean error.

The mutations are drawn from a seed that is a part of the test's name, so a failure shows a call that can be pasted.
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np
import pytest

import headwater as tf
from headwater._src.core.op import REGISTRY
from headwater._src.core.samples import SAMPLED, Arr

ROUNDS = 6
HUGE = (2**31 - 1, 2**40, -(2**31))
CLEAN = (
    tf.errors.OpError,
    TypeError,
    ValueError,
    NotImplementedError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
)
"""TensorFlow's classes, and those of Python that it raises for arguments of a wrong kind."""


@pytest.fixture(autouse=True, scope="module")
def _no_runaway_allocation():
    """A call that asks for too much must fail here rather than take the machine's memory."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (6 << 30), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _mutate_array(value: np.ndarray, rng: random.Random):
    choice = rng.randrange(9)
    if choice == 0:
        return value[None]
    if choice == 1:
        return value.reshape(-1)
    if choice == 2:
        return value.reshape(-1)[:0]
    if choice == 3 and value.size:
        return value.reshape(-1)[0]
    if choice == 4 and value.dtype.kind in "iuf":
        with np.errstate(all="ignore"):
            return value.astype(rng.choice(["int32", "float64", "int8", "float16", "bool", "complex64"]))
    if choice == 5:
        return np.full(value.shape, "text", object).astype(str)
    if choice == 6 and value.dtype.kind in "iu" and value.size:
        out = value.copy()
        out.reshape(-1)[0] = (
            rng.choice([-1, 10**9, np.iinfo(value.dtype).max if value.dtype.kind in "iu" else 7]) % 2**7
        )
        return out
    if choice == 7 and value.dtype.kind == "f" and value.size:
        out = value.copy()
        out.reshape(-1)[0] = rng.choice([np.nan, np.inf, -np.inf])
        return out
    return np.zeros((0, *value.shape[1:]), value.dtype)


def _mutate(value, rng: random.Random):
    if isinstance(value, np.ndarray):
        return _mutate_array(value, rng)
    if isinstance(value, bool):
        return rng.choice([not value, None, 2, "x"])
    if isinstance(value, int):
        return rng.choice([-value - 1, value + 7, 0, None, 1.5, "x", [value], *HUGE])
    if isinstance(value, float):
        return rng.choice([float("nan"), float("inf"), -value, None, "x", 10**400])
    if isinstance(value, (list, tuple)) and value:
        items = list(value)
        i = rng.randrange(len(items))
        if rng.random() < 0.3:
            return items[:-1] if rng.random() < 0.5 else [*items, items[-1]]
        items[i] = _mutate(items[i], rng)
        return type(value)(items) if type(value) in (list, tuple) else items
    return rng.choice([None, -1, 3.5, "x", [], [[]], object()])


def _draw(value):
    if isinstance(value, Arr):
        return value.draw()
    if isinstance(value, tuple) and hasattr(value, "of"):
        return tf.constant(_draw(value.of))
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_draw(v) for v in value)
    return value


def _calls():
    found = []
    for record in REGISTRY.values():
        if record.api:
            found.append((record.api[0], record.cases))
    found.extend(SAMPLED.items())
    return sorted(found, key=lambda pair: pair[0])


def _resolve(name: str):
    target = tf
    for part in name.split("."):
        target = getattr(target, part)
    return target


@pytest.mark.parametrize(("name", "cases"), _calls(), ids=lambda v: v if isinstance(v, str) else "")
def test_mutated_calls_end_cleanly(name, cases):
    function = _resolve(name)
    good = [c for c in cases() if c.error is None]
    rng = random.Random(zlib.crc32(name.encode()))
    for _ in range(ROUNDS if good else 0):
        sample = rng.choice(good)
        args = [_draw(a) for a in sample.args]
        kwargs = {k: _draw(v) for k, v in sample.kwargs.items()}
        if args and (not kwargs or rng.random() < 0.7):
            i = rng.randrange(len(args))
            args[i] = _mutate(args[i], rng)
        elif kwargs:
            key = rng.choice(sorted(kwargs))
            kwargs[key] = _mutate(kwargs[key], rng)
        try:
            function(*args, **kwargs)
        except CLEAN as error:
            assert str(error), (
                f"tf.{name}(*{args!r}, **{kwargs!r}) raised {type(error).__name__} without a word"
            )
        except Exception as error:
            pytest.fail(f"tf.{name}(*{args!r}, **{kwargs!r}) raised {type(error).__name__}: {error}")


TOO_LARGE = [
    lambda: tf.zeros([2**20, 2**20]),
    lambda: tf.ones([2**40]),
    lambda: tf.fill([2**20, 2**20], 1.0),
    lambda: tf.eye(2**21),
    lambda: tf.range(2**40),
    lambda: tf.tile(tf.ones([1024, 1024]), [1024, 1024]),
    lambda: tf.one_hot(tf.zeros([1024], tf.int32), 2**31 - 1),
    lambda: tf.random.normal([2**20, 2**20]),
    lambda: tf.pad(tf.ones([2]), [[0, 2**40]]),
    lambda: tf.repeat(tf.ones([1024]), 2**31 - 1),
    lambda: tf.scatter_nd([[0]], [1.0], [2**40]),
]


@pytest.mark.parametrize("make", TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_what_cannot_fit_is_refused_before_it_is_tried(make):
    with pytest.raises(
        (tf.errors.ResourceExhaustedError, tf.errors.InvalidArgumentError), match=r"GiB|elements|memory"
    ):
        make()

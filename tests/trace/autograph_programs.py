"""Functions with control flow, each with arguments: converted or not, eager or in a graph, they give the same."""

# ruff: noqa: B023, C417, RET504, UP028 - these are programs as people write them

from __future__ import annotations

import contextlib
import functools
from typing import Any

import headwater as tf

N = tf.constant
CASES: list[tuple[Any, tuple[Any, ...]]] = []


def case(*arguments: Any) -> Any:
    """Notes the function below with one set of arguments a time."""

    def note(function: Any) -> Any:
        CASES.extend((function, a if isinstance(a, tuple) else (a,)) for a in arguments)
        return function

    return note


# -- if ---------------------------------------------------------------------------------------------------------------


@case(*map(N, (-3, -1, 0, 1, 2, 5)))
def nested_ifs(x):
    if x > 0:
        if x > 1:
            if x > 2:
                y = 3
            else:
                y = 2
        else:
            y = 1
    elif x < -2:
        return -x
    else:
        y = 0
    return y


@case((N(3), True), (N(-3), True), (N(3), False))
def branches_that_share_values(x, flag):
    name, nothing = "a", None
    if x > 0:
        k, pair, nothing = 2, (x, [x + 1]), None
        if flag:
            name = "b"
    else:
        k, pair, nothing = 2, (-x, [x]), None
        name = "b" if flag else "a"
    return [pair, list(range(k)), nothing is None, len(name)]


@case(N(4), N(-4))
def local_names_of_a_branch(x):
    if x > 0:
        t = x * 2
        r = t + 1
    else:
        u = x * 3
        r = u - 1
    t = r
    return t


@case(N(1), N(0), N(7))
def numbers_as_conditions(x):
    if x:
        return 1 if x - 7 else 2
    return 0


@case((N(1), None), (N(1), N(5)))
def none_stays_python(x, y=None):
    if y is None:
        y = x
    if y is not None and x > 0:
        y = y + 1
    return y


@case((N(1), N(2)), (N(-1), N(2)), (N(-1), N(-2)), (N(3), N(-1)))
def logic(a, b):
    r = [a > 0 and b > 0, a > 0 or b > 0, not a > 0, 0 < a < b, a < b != 2, not (a > 0 and not b > 0)]
    return [1 if v else 0 for v in r] + [a or b, b and a, 3 and a, 0 or b]


@case(*map(N, (2, 5, 9)))
def membership(x):
    if x in [1, 2, 3]:
        return 1
    r = 4 if x not in (5, x - 1) else 5
    return r + (1 if 3 in [x, 3] else 0) + (2 if "k" in {"k": x} else 0) + (4 if x < 9 in (True, 9) else 0)


@case(*map(N, (-2, 0, 1, 4)))
def walrus(x):
    if (y := x * 2) > 3:
        return y
    while (z := y + 1) < 5:
        y = z
    return z + y


# -- loops ------------------------------------------------------------------------------------------------------------


@case(*map(N, (0, 1, 4, 9)))
def break_continue_else(n):
    s = 0
    for i in tf.range(n):
        if i == 2:
            continue
        s += i
        if s > 10:
            break
    else:
        s = -s
    while s < 3:
        s += 1
        if s == 1:
            continue
        s += n % 3
    else:
        s *= 10
    return s


@case(*map(N, (2, 5, 9)))
def return_from_nested_loops(n):
    for i in tf.range(n):
        for j in range(3):
            while j < i:
                if i * j > 4:
                    return i * 10 + j
                j = j + 1
    return -1


@case(*map(N, (0, 2, 4)))
def endless_loop_that_a_tensor_ends(x):
    while True:
        x = x + 1
        if x > 5:
            break
        if x == 3:
            continue
        x = x + 1
    return x


@case(*map(N, (0, 2, 7)))
def python_loop_that_a_tensor_ends(x):
    for k in range(5):
        if x > k:
            continue
        if k > 3:
            break
        x = x + k
    else:
        x = -x
    return x


@case(N([[1, 2], [3, 4], [5, 6]]))
def rows(x):
    s = x[0] * 0
    for i, (row, other) in enumerate(zip(x, x), 1):
        s = s + row * other * i
    for row in x:
        s = s + row
    return s


@case((N(9), N(1)), (N(9), N(9)), (N(20), N(3)))
def ranges(a, b):
    s = 0
    for i in tf.range(a, b, -2):
        s = s * 3 + i
    for i in range(b, a, 3):
        s = s * 2 - i
    for i in tf.range(a):
        s = s + i % 3
    return s


@case(N(3), N(6))
def the_last_item_stays(n):
    for i in tf.range(n):
        y = i * 2
    return i + y


@case(N(5))
def structures_go_round(n):
    t = (N(0), {"k": N(1)})
    window = [N(0), N(1)]
    for i in tf.range(n):
        t = (t[1]["k"], {"k": t[0] + t[1]["k"]})
        window.pop(0)
        window.append(window[-1] + i)
    return [t, window]


@case(N(4))
def tensor_array(n):
    a = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    for i in tf.range(n):
        if i > 1:
            a = a.write(a.size(), i)
    return a.stack()


SPARSE = tf.SparseTensor([[0, 1], [1, 0]], [1.0, 2.0], [2, 2])


@case((N(3), SPARSE), (N(1), SPARSE))
def composites_and_arrays(n, sparse):
    a = tf.TensorArray(tf.int32, 3)
    for i in tf.range(n):
        sparse = tf.SparseTensor(sparse.indices, sparse.values * 2.0, sparse.dense_shape)
        a = a.write(i, n)
    if n > 2:
        sparse = tf.SparseTensor(sparse.indices, sparse.values + 1.0, sparse.dense_shape)
        a = a.write(0, 9)
    else:
        a = a.write(2, 7)
    chosen = VARIABLE if n > 99 else VARIABLE * 0
    return [tf.sparse.to_dense(sparse), a.stack(), chosen]


@case(N(2), N(3))
def shapes_that_grow(n):
    x = tf.zeros([1])
    for _ in tf.range(n):
        tf.autograph.experimental.set_loop_options(shape_invariants=[(x, tf.TensorShape([None]))])
        x = tf.concat([x, x], 0)
    return x


@case(N(3))
def data_sets(n):
    s = N(0, tf.int64)
    for i, e in tf.data.Dataset.range(6).batch(2).enumerate():
        s += i * tf.reduce_sum(e)
        if tf.cast(n, tf.int64) * 4 < s:
            break
    for a, b in zip(tf.data.Dataset.range(5), tf.data.Dataset.range(3)):
        s = s * 2 + a * b
    return s


@case((N(3), True), (N(3), False))
def loop_values_that_do_not_change_stay_python(n, flag):
    axis = 0
    x = tf.ones([2, 3])
    for _ in tf.range(n):
        if not flag:
            axis = 0
        x = x + 1.0
    return tf.reduce_sum(x, axis=int(axis))


@case(N(3), N(-3))
def closures_called_later(x):
    y, k = 0, 1
    g = lambda: y + k

    def f(v):
        return v + k

    fs = [f]
    if x > 0:
        k = 5
        rate = 2
        x = tf.map_fn(lambda v: v * rate, tf.stack([x, x]))[0]
    else:
        k = 7
    for i in tf.range(3):
        y = y + i
    return [g(), fs[0](x)]


def smaller_half(v):
    if v > 3:
        return v - 2
    return v - 1


def join(p, q):
    return p + q if p > 0 else q


@case(N([5, -2, 7]), N([-5, 2, 1]))
def functions_that_call_back(x):
    mapped = tf.map_fn(smaller_half, x)
    folded = [tf.foldl(join, x), tf.foldr(join, x), tf.scan(join, x)]
    (looped,) = tf.while_loop(lambda i: i > 0, lambda i: (smaller_half(i),), [x[2]])
    chosen = tf.cond(x[0] > 0, lambda: smaller_half(x[1]), lambda: join(x[1], x[2]))
    return [mapped, folded, looped, chosen]


class Scoped(tf.Module):
    @tf.Module.with_name_scope
    def __call__(self, x):
        if x > 0:
            return x
        return -x


@case(N(4), N(-4))
def methods_in_name_scopes(x):
    return Scoped()(x)


@case(*map(N, (0.5, 3.0)))
def gradients(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in tf.range(3):
            if y > 10.0:
                y = y * 0.5
            else:
                y = y * x
        while y < 100.0:
            y = y * 2.0
    return [y, tape.gradient(y, x)]


# -- state in objects ---------------------------------------------------------------------------------------------------


class Counter:
    def __init__(self, total):
        self.total = total
        self.__seen = [0, 0]

    def add(self, n):
        for i in tf.range(n):
            self.total = self.total + i
            if i > 1:
                self.__seen[0] = self.__seen[0] + 1
        return [self.total, self.__seen]

    @property
    def doubled(self):
        return self.total * 2


@case(N(4), N(0))
def attributes(n):
    counter = Counter(N(1))
    made = counter.add(n)
    if n > 2:
        counter.total = counter.doubled
    return [made, counter.total]


@case(N(3), N(-3))
def items_and_contents(x):
    d, l = {"a": x, "n": 0}, []
    for i in tf.range(3):
        d["a"] += i
        d["n"] = d["n"] + 1
    if x > 0:
        d["b"] = x + 1
        l.append(x)
    else:
        l.append(-x)
        d["b"] = x - 1
    return [d, l]


# -- functions ----------------------------------------------------------------------------------------------------------


class Base:
    scale = 2

    def step(self, x):
        if x > 0:
            return x + self.scale
        return x - self.scale


class Child(Base):
    def step(self, x):
        if x > 1:
            r = super().step(x)
        else:
            r = super().step(-x) + 1
        return r

    def __call__(self, x):
        while x < 10:
            x = x * 2
        return self.cut(x) + self.of(x)

    @staticmethod
    def cut(x):
        return x if x < 11 else 11 * x

    @classmethod
    def of(cls, x):
        return cls.scale if x > 11 else cls.cut(x)


@case(N(3), N(1), N(-3))
def methods(x):
    child = Child()
    return [child.step(x), functools.partial(child.step)(x), child(abs(x))]


def twice(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        r = f(*args, **kwargs)
        if r > 5:
            return r
        return f(r, **kwargs)

    return wrapper


@twice
def decorated(x, *, step=2):
    if x > 3:
        return x * step
    return x + step


def recursive(n):
    if n <= 1:
        return 1
    return n * recursive(n - 1)


@case(N(4), N(1))
def calls(x):
    smaller = lambda a, b: a if a < b else b
    mapped = list(map(lambda v: v if v > 1 else -v, [x, x - 2]))
    best = sorted([3, 1, 2], key=lambda v: -v)
    return [decorated(x), decorated(x, step=3), recursive(4), smaller(x, 2), mapped, best]


@case(N(4), N(-4))
def closures(x):
    total = 2
    seen = [0]

    def add(z):
        nonlocal total
        if z > 0:
            total = total + z
        seen[0] += 1
        return total

    def indirectly(z):
        return add(z) + add(-z)

    for i in tf.range(3):
        add(i)
    if x > 0:
        indirectly(x)
    return [total, seen]


@case(N(1), N(3))
def closures_in_closures(x):
    a = 1

    def f():
        b = 2

        def g():
            nonlocal a, b
            for i in tf.range(2):
                a = a + i
                b = b * 2
            if x > 0:
                b = b + 1
            return a + b

        if x > 1:
            g()
        return b + g()

    r = f()
    return a + r


LEVEL = 1


@case(N(1), N(-1))
def module_variables(x):
    global LEVEL
    before = LEVEL
    LEVEL = 2
    if x > 0:
        global DEPTH
        DEPTH = 5
        LEVEL = LEVEL + x
    else:
        DEPTH = 6
    for k in tf.range(3):
        LEVEL = LEVEL + k
    made = LEVEL + DEPTH
    LEVEL = before
    DEPTH = None
    return made


@case(N(3), N(4))
def functions_made_in_blocks(n):
    s = 0
    for i in tf.range(n):

        def f(z):
            return z + i if z > 1 else z

        s = s + f(s + 1)
    if n > 3:

        def g(z):
            return z * 2

        s = g(s)
    return s


@case(N(2), N(-2))
def statements(x):
    a, *b = x, x + 1, x + 2
    if x > 0:
        a, (b0, *c) = b[0], b
        y: int = 1
    else:
        a, (b0, *c) = b[1], b
        y: int = 2
    d = e = a
    z = d
    if x > 1:
        q = z
        del z
        r = q + 1
    else:
        r = z
    return d + e + b0 + c[0] + y + r


@case((N(2), 0), (N(2), {"a": 3}), (N(2), [2, 3, 4]), (N(-2), 7))
def matching(x, m):
    match m:
        case 0:
            r = x
        case {"a": q}:
            r = x + q
        case [a, *rest] if a > 1:
            r = x + a + len(rest)
        case _:
            return -x
    if r > 3:
        r = r * 2
    return r


@case(N(2), N(-2))
def trying(x):
    r = 0
    for k in range(3):
        try:
            if k == 1:
                raise KeyError(k)
            if k == 2 and x > 0:
                return r + 100
            r = r + x if x > 0 else r - x
        except KeyError as error:
            r = r + error.args[0]
            continue
        else:
            r = r + 7
        finally:
            r = r * 2
    with contextlib.nullcontext(3) as three, tf.name_scope("scope"):
        if x > 0:
            return r + three
    return r - three


@case(N(2), N(-2))
def comprehensions_and_generators(x):
    def counting(n):
        for i in range(n):
            yield i

    s = 0
    for i in counting(3):
        if x > 0:
            s += i
        else:
            s -= i
    squares = [(t if t > x else x) for t in range(4) if t < 3]
    return [
        s,
        squares,
        {k: k + x for k in (1, 2)},
        any(t > x for t in (1, 2)),
        all([x > 0, x < 3]),
        sum(squares),
    ]


@case(N([3, 1, 2]))
def builtins(x):
    parts = [len(x), int(x[0]), float(x[1]), bool(x[2]), max(x), min(x[0], x[1], 5), sum(x), abs(x[0])]
    return [*parts, sorted(x), max(x[0], 2), any(x > 2), all(x > 2), sorted(x, reverse=True)]


@case(N(1), N(-1))
def frames(x):
    y = 2
    if x > 0:
        names, value = sorted(locals()), eval("x + y")
    else:
        names, value = sorted(vars()), eval("x - y")
    return [len(names), names == ["x", "y"], value, "N" in globals(), dir() == ["names", "value", "x", "y"]]


@case(N(3), N(-3))
def asserting(x):
    assert x > -9, "too small"
    if x > 0:
        assert x < 9
    return x


@case(N("a"), N("b"), N("c"))
def strings(s):
    if s == "a":
        return 1
    return 2 if s != "c" else 3


@case(N(3))
def effects_on_variables(x):
    v = VARIABLE
    v.assign(1)
    if x > 0:
        v.assign_add(x)
    else:
        v.assign(0)
    for i in tf.range(5):
        v.assign_add(i)
        if v > 6:
            break
    while v < 20:
        v.assign(v * 2)
    return v.read_value()


VARIABLE = tf.Variable(1)

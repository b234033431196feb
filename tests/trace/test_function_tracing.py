"""When `tf.function` traces, and when a graph serves a call again. The counts are TensorFlow's, but for numbers of different
Python types, which TensorFlow takes for equal."""

from __future__ import annotations

import collections
import functools
import gc
import itertools
import weakref

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import headwater as tf
from headwater._src.base import flags

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
t = tf.constant
Pair = collections.namedtuple("Pair", "a b")


class Plain:
    pass


class Equal:
    def __init__(self, a):
        self.a = a

    def __eq__(self, other):
        return isinstance(other, Equal) and self.a == other.a

    def __hash__(self):
        return hash(self.a)


class Boxed:
    """A class of the custom nest protocol."""

    def __init__(self, label, x):
        self.label, self.x = label, x

    def __tf_flatten__(self):
        return (self.label,), (self.x,)

    @classmethod
    def __tf_unflatten__(cls, label, parts):
        return cls(label[0], parts[0])


def sparse(position, value, size=3):
    return tf.SparseTensor([[position]], [value], [size])


ONE, OTHER = Plain(), Plain()

COUNTS = {
    "numbers": ([1, 1, True, 1.0, 1 + 0j, 2], [1, 1, 2, 3, 4, 5]),
    "zeros": ([0.0, 0.0, -0.0, float("nan"), float("nan")], [1, 1, 2, 3, 3]),
    "strings": (["a", "a", "b", b"a"], [1, 1, 2, 3]),
    "None": ([None, None, ()], [1, 1, 2]),
    "arrays": ([np.ones(2), np.zeros(2), np.ones(3), np.float32(1), np.float32(2), t(3.0)], [1, 1, 2, 3, 3, 3]),
    "strings in arrays": ([np.array("a"), t("b"), np.array(["a"]), np.str_("a")], [1, 1, 2, 3]),
    "dtypes": ([t(1.0), t(2.0), t(1), t(1, tf.int64)], [1, 1, 2, 3]),
    "shapes": ([t([1.0]), t([2.0]), t([1.0, 2.0]), t([[1.0]]), t([5.0])], [1, 1, 2, 3, 3]),
    "sequences": ([[1, 2], [1, 2], (1, 2), [1, 3], [t(1), t(2)], [t(3), t(4)], [t(1)]], [1, 1, 2, 3, 4, 4, 5]),
    "mappings": (
        [{"a": 1, "b": t(1)}, {"b": t(2), "a": 1}, collections.OrderedDict(b=t(2), a=1), {"a": 2, "b": t(1)}, {"a": 1}],
        [1, 1, 1, 2, 3],
    ),
    "named tuples": ([Pair(1, t(1)), Pair(1, t(2)), Pair(2, t(2)), (1, t(2))], [1, 1, 2, 3]),
    "custom nests": ([Boxed("x", t(1.0)), Boxed("x", t(2.0)), Boxed("y", t(2.0))], [1, 1, 2]),
    "objects": ([ONE, ONE, OTHER, ONE, Plain, Plain], [1, 1, 2, 2, 3, 3]),
    "equal objects": ([Equal(1), Equal(1), Equal(2)], [1, 1, 2]),
    "functions": ([len, len, np.sum, functools.partial(len)], [1, 1, 2, 3]),
    "bound methods": ([ONE.__repr__, ONE.__repr__, OTHER.__repr__], [1, 1, 2]),
    "ranges": ([range(3), range(3), range(4)], [1, 1, 2]),
    "frozen sets": ([frozenset([1]), frozenset([1]), frozenset([2])], [1, 1, 2]),
    "dtypes as values": ([tf.float32, tf.float32, tf.int32], [1, 1, 2]),
    "shapes as values": ([tf.TensorShape([1]), tf.TensorShape([1]), tf.TensorShape([2])], [1, 1, 2]),
    "sparse": ([sparse(0, 1.0), sparse(1, 2.0), sparse(1, 2.0, 4)], [1, 1, 2]),
    "indexed slices": (
        [tf.IndexedSlices(t([v]), t([i]), *more) for v, i, more in ((1.0, 0, ([2],)), (2.0, 1, ([2],)), (1.0, 0, ()))],
        [1, 1, 2],
    ),
    "variables": (
        [tf.Variable(1.0), tf.Variable(2.0), tf.Variable([1.0]), tf.Variable(1.0, trainable=False)],
        [1, 1, 2, 3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("values,counts", COUNTS.values(), ids=COUNTS)
def test_the_count_of_traces(values, counts):
    seen = []

    @tf.function(autograph=False)
    def f(x):
        seen.append(x)
        return t(len(seen))

    given = [(int(f(x)), f.experimental_get_tracing_count()) for x in values]
    assert [n for _, n in given] == counts and len(seen) == counts[-1]
    fresh = [i for i, n in enumerate(counts) if n > (counts[i - 1] if i else 0)]
    assert all(given[i][0] == counts[i] for i in fresh), "a new graph is the one that runs"
    assert all(given[i][0] <= counts[i] for i in range(len(values)))
    assert [int(f(x)) for x in values] == [n for n, _ in given], "the short way finds the same graphs"


RELAXED = {
    "one dimension": ([[1.0] * n for n in (1, 2, 3, 1)], [1, 2, 2, 2]),
    "then the rank": ([[1.0], [1.0, 2.0], [[1.0]], [[1.0, 2.0]], 1.0], [1, 2, 3, 3, 3]),
    "another dtype": ([[1.0], [1.0, 2.0], [1], [1, 2]], [1, 2, 3, 4]),
}


@pytest.mark.parametrize("values,counts", RELAXED.values(), ids=RELAXED)
@pytest.mark.parametrize("option", ["reduce_retracing", "experimental_relax_shapes"])
def test_shapes_are_relaxed_at_the_second_one(option, values, counts):
    shapes = []

    @tf.function(autograph=False, **{option: True})
    def f(x):
        shapes.append(x.shape)
        return x + x

    found = []
    for value in values:
        assert f(t(value)).numpy().tolist() == (np.array(value) * 2).tolist()
        found.append(f.experimental_get_tracing_count())
    assert found == counts
    assert shapes[1].as_list() == [None]


def test_what_is_relaxed_and_what_is_not():
    seen = []

    @tf.function(autograph=False, reduce_retracing=True)
    def f(*xs):
        seen.append([getattr(x, "shape", x) for x in xs])
        return 0

    for xs in [
        (t([1.0]), t([1.0])),
        (t([1.0, 2.0]), t([1.0])),
        (t([1.0]), t([1.0, 2.0])),
        (1, t([1.0])),
        (2, t([1.0])),
    ]:
        f(*xs)
    assert seen[1] == [[None], [1]] and seen[2] == [[None], [None]]
    assert seen[3:] == [[1, [1]], [2, [1]]]
    boxes = []
    g = tf.function(lambda x: boxes.append(x) or 0, autograph=False, reduce_retracing=True)
    for x in ([t([1.0])], [t([1.0, 2.0])], [t([1.0]), t([1.0])]):
        g(x)
    assert [[y.shape.as_list() for y in x] for x in boxes] == [[[1]], [[None]], [[1], [1]]]


def test_the_most_specific_graph_is_chosen():
    numbers = []

    @tf.function(autograph=False)
    def f(x):
        numbers.append(x.shape)
        return t(len(numbers))

    vector = f.get_concrete_function(tf.TensorSpec([None], tf.float32))
    assert f(t([1.0])).numpy() == f(t([1.0, 2.0])).numpy() == 1
    assert f.get_concrete_function(t([5.0])) is vector
    anything = f.get_concrete_function(tf.TensorSpec(None, tf.float32))
    assert anything is not vector and f(t([[1.0]])).numpy() == 2 and f(t([1.0])).numpy() == 1
    assert f.get_concrete_function(tf.TensorSpec([None, 1], tf.float32)) is anything
    named = f.get_concrete_function(tf.TensorSpec([2], tf.float32, name="column"))
    assert named.inputs[0].name == "column:0" and named is not vector
    assert f(t([1.0, 2.0])).numpy() == 1, "a name asks for a graph of its own, and no tensor has one"
    assert f.experimental_get_tracing_count() == 3 and [s.rank for s in numbers] == [1, None, 1]


def test_python_side_effects_happen_while_tracing_only():
    numbers = []
    rng = np.random.default_rng(0)

    @tf.function
    def f(x):
        numbers.append(rng.random())
        return x + numbers[-1]

    first = f(t(1.0)).numpy()
    assert [f(t(1.0)).numpy() for _ in range(3)] == [first] * 3 and len(numbers) == 1


def test_positional_and_keyword_arguments_share_graphs():
    @tf.function
    def f(x, y=2.0, *, scale=1):
        return (x - y) * scale

    a, b = t(5.0), t(3.0)
    calls = [f(a, b), f(a, y=b), f(y=b, x=a), f(x=a, y=b, scale=1), f(scale=1, y=b, x=a)]
    assert [c.numpy() for c in calls] == [2.0] * 5
    assert f(y=b, x=a).numpy() == f(y=b, x=a).numpy() == 2.0, (
        "the short way keeps the order of the graph's inputs"
    )
    assert f.experimental_get_tracing_count() == 1
    assert f(a).numpy() == f(a, 2.0).numpy() == f(a, y=2.0).numpy() == 3.0
    assert f(a, b, scale=3).numpy() == f(b, a, scale=3).numpy() * -1 == 6.0
    assert f.experimental_get_tracing_count() == 3


def test_tensors_inside_structures_are_found_again_on_the_short_way():
    @tf.function(autograph=False)
    def f(data, *rest, **more):
        return data["b"][0] - data["a"], [r * 2 for r in rest], more

    def call(k):
        return f({"b": (t(5.0 * k), None), "a": t(1.0)}, t(k), t(-k), z=t(9.0), w=t(7.0 * k))

    for k in (1.0, 2.0, 3.0, 4.0):
        first, rest, more = call(k)
        assert first.numpy() == 5 * k - 1 and [r.numpy() for r in rest] == [2 * k, -2 * k]
        assert {n: v.numpy() for n, v in more.items()} == {"z": 9.0, "w": 7 * k}
    assert f.experimental_get_tracing_count() == 1


class Rows(np.ndarray):
    pass


SHORT = {
    "sparse": [sparse(0, 1.0), sparse(1, 2.0)],
    "named tuples": [Pair(t(1.0), (t(2.0), "a")), Pair(t(3.0), (t(4.0), "a"))],
    "objects beside": [(ONE, t(1.0)), (ONE, t(2.0))],
    "arrays of a class": [np.ones(2).view(Rows), np.zeros(2).view(Rows)],
    "array scalars": [np.float32(1), np.float32(2)],
    "custom nests": [Boxed("x", t(1.0)), Boxed("x", t(2.0))],
}


@pytest.mark.parametrize("values", SHORT.values(), ids=SHORT)
def test_later_calls_see_their_own_values(values):
    def total(value):
        if isinstance(value, (tf.Tensor, np.ndarray, np.generic)):
            return tf.reduce_sum(tf.convert_to_tensor(value))
        if isinstance(value, tf.SparseTensor):
            return tf.reduce_sum(tf.sparse.to_dense(value) * [1.0, 10.0, 100.0])
        parts = value if isinstance(value, tuple) else [getattr(value, "x", t(0.0))]
        return tf.add_n([tf.cast(total(p), tf.float32) for p in parts if not isinstance(p, str)])

    f = tf.function(total, autograph=False)
    expected = [total(v).numpy() for v in values]
    assert [f(v).numpy() for v in values * 3] == expected * 3
    assert f.experimental_get_tracing_count() == 1


LEAVES = st.sampled_from(["scalar", "vector", "array", 1, 2.5, "s", None, True])
TREES = st.recursive(
    LEAVES,
    lambda x: (
        st.lists(x, max_size=3)
        | st.tuples(x, x)
        | st.builds(Pair, x, x)
        | st.dictionaries(st.sampled_from("abc"), x, max_size=3)
    ),
    max_leaves=6,
)


def _filled(tree, number):
    """A structure with tensors and arrays in the places that ask for them, each with a value of its own."""
    if isinstance(tree, Pair):
        return Pair(_filled(tree.a, number), _filled(tree.b, number))
    if isinstance(tree, (list, tuple)):
        return type(tree)(_filled(x, number) for x in tree)
    if isinstance(tree, dict):
        return {k: _filled(x, number) for k, x in tree.items()}
    if tree in ("scalar", "vector", "array"):
        value = float(next(number))
        return {"scalar": t(value), "vector": t([value, -value]), "array": np.array([value])}[tree]
    return tree


def _plain(tree):
    if isinstance(tree, (list, tuple)):
        return [_plain(x) for x in tree]
    if isinstance(tree, dict):
        return {k: _plain(x) for k, x in tree.items()}
    return np.asarray(tree).tolist() if hasattr(tree, "__array__") else tree


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(TREES, max_size=2), st.dictionaries(st.sampled_from(["x", "y", "more"]), TREES, max_size=3))
def test_any_structure_goes_in_and_comes_out(args, kwargs):
    def echo(*args, x=None, **more):
        def named(value):
            return "none" if value is None else value

        return tf.nest.map_structure(named, [args, x, more])

    f = tf.function(echo, autograph=False)
    for start in (1, 10, 20):
        number = itertools.count(start)
        given_args, given_kwargs = _filled(args, number), _filled(kwargs, number)
        expected = tf.nest.map_structure(
            lambda x: x.encode() if isinstance(x, str) else x, echo(*given_args, **given_kwargs)
        )
        assert _plain(f(*given_args, **given_kwargs)) == _plain(expected)
    assert f.experimental_get_tracing_count() == 1


def test_an_array_that_changes_after_the_call_changes_no_result():
    f = tf.function(lambda x: x, autograph=False)
    array = np.ones(3)
    results = [f(array) for _ in range(3)]
    array[:] = 7
    assert all(r.numpy().tolist() == [1, 1, 1] for r in results)


def test_objects_are_not_kept_alive_and_their_graphs_go_with_them():
    class Owner:
        def __init__(self, factor):
            self.factor = factor

    f = tf.function(lambda owner, x: owner.factor * x, autograph=False)
    owner = Owner(3.0)
    assert [f(owner, t(2.0)).numpy() for _ in range(3)] == [6.0] * 3
    assert f.cache_info().kept == 1
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None and f.cache_info().kept == 0
    for factor in (1.0, 2.0, 3.0):  # new objects may get the old one's address
        assert f(Owner(factor), t(1.0)).numpy() == factor


def test_the_cache_is_bounded():
    f = tf.function(lambda x: x * 2.0, autograph=False)
    often, limit = t([0.5]), flags.get("function_traces")
    graphs = []
    flags.put("function_traces", 8)
    try:
        for n in range(2, 40):
            assert f(t(np.ones(n, np.float32))).shape == (n,)
            assert f(often).numpy().tolist() == [1.0]
            graphs.append(weakref.ref(f.get_concrete_function(t(np.ones(n, np.float32))).graph))
        info = f.cache_info()
        assert (info.kept, info.limit, info.traces) == (8, 8, 39), "the graph in use was never let go"
        assert info.evicted == info.traces - info.kept
        gc.collect()
        assert sum(g() is not None for g in graphs) == 7, "the graphs that went are free, with their plans"
    finally:
        flags.put("function_traces", limit)


@pytest.mark.parametrize(
    "value,word",
    [({1, 2}, "set"), (slice(1), "slice"), ([{1}], "set"), (weakref.ref(ONE), "weak reference")],
)
def test_arguments_without_a_trace_type(value, word):
    f = tf.function(lambda x: x, autograph=False)
    if isinstance(value, slice) and value.__hash__ is not None:
        pytest.skip("slices have a hash here")
    with pytest.raises(TypeError, match=word):
        f(value)
    assert f.experimental_get_tracing_count() == 0


def test_the_tracing_protocol():
    from headwater._src.trace.protocol import TraceType

    class Kind(TraceType):
        def __init__(self, n):
            self.n = n

        def is_subtype_of(self, other):
            return self == other

        def most_specific_common_supertype(self, others):
            return self if all(self == o for o in others) else None

        def placeholder_value(self, placeholder_context):
            return self.n * 100

        def __eq__(self, other):
            return isinstance(other, Kind) and self.n == other.n

        def __hash__(self):
            return hash(self.n)

    class Fruit:
        def __init__(self, n):
            self.n = n

        def __tf_tracing_type__(self, context):
            return Kind(self.n)

    f = tf.function(lambda x, y: y + x, autograph=False)
    assert [f(Fruit(n), t(1)).numpy() for n in (1, 1, 2)] == [101, 101, 201]
    assert f.experimental_get_tracing_count() == 2

    class Wrong:
        def __tf_tracing_type__(self, context):
            return 3

    with pytest.raises(TypeError, match=r"must return a tf\.types\.experimental\.TraceType"):
        f(Wrong(), t(1))


def test_specifications_with_components_of_their_own():
    class MaskedSpec(tf.TypeSpec):
        __slots__ = ("shape",)

        def __init__(self, shape):
            self.shape = tf.TensorShape(shape)

        @property
        def value_type(self):
            return Masked

        @property
        def _component_specs(self):
            return {
                "values": tf.TensorSpec(self.shape, tf.float32),
                "mask": tf.TensorSpec(self.shape, tf.bool),
            }

        def _to_components(self, value):
            return {"values": value.values, "mask": value.mask}

        def _from_components(self, parts):
            return Masked(parts["values"], parts["mask"])

        def _key(self):
            return (self.shape,)

        def most_specific_common_supertype(self, others):
            shape = self.shape.most_specific_common_supertype([o.shape for o in others])
            return MaskedSpec(shape)

    class Masked:
        def __init__(self, values, mask):
            self.values, self.mask = values, mask

        @property
        def _type_spec(self):
            return MaskedSpec(self.values.shape)

    @tf.function(autograph=False, reduce_retracing=True)
    def total(m):
        assert isinstance(m, Masked)
        return tf.reduce_sum(tf.where(m.mask, m.values, 0.0))

    for n in (2, 3, 4):
        assert total(Masked(t([1.0] * n), t([True] * (n - 1) + [False]))).numpy() == n - 1
    assert total.experimental_get_tracing_count() == 2

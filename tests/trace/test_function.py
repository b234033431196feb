"""`tf.function` on everything that can be called: what it gives, how arguments are bound, what comes out."""

from __future__ import annotations

import collections
import copy
import functools
import gc
import inspect
import threading
import weakref

import numpy as np
import pytest

import headwater as tf

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
t = tf.constant
Pair = collections.namedtuple("Pair", "a b")


@tf.function
def cube(x):
    """x to the third."""
    return x**3


def test_a_function_keeps_what_it_was_made_of():
    assert cube.python_function(t(2.0)).numpy() == cube(t(2.0)).numpy() == 8.0
    assert (cube.__name__, cube.name, cube.__doc__) == ("cube", "cube", "x to the third.")
    assert isinstance(cube, tf.types.experimental.GenericFunction)
    assert isinstance(cube, tf.types.experimental.PolymorphicFunction)
    assert isinstance(cube.get_concrete_function(t(2.0)), tf.types.experimental.ConcreteFunction)
    assert str(inspect.signature(cube)) == "(x)" and cube.function_spec.arg_names == ["x"]
    with pytest.raises(TypeError, match="takes a callable"):
        tf.function(3)


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x, times=1):
        return x * self.factor * times


CALLABLES = {
    "function": (tf.function(lambda x: x + 1.0, autograph=False), 3.0),
    "with options": (tf.function(autograph=False, jit_compile=False)(lambda x: x + 1.0), 3.0),
    "a tf.function again": (tf.function(tf.function(lambda x: x + 1.0, autograph=False), autograph=False), 3.0),
    "partial": (tf.function(functools.partial(lambda a, x: a * x, 5.0), autograph=False), 10.0),
    "partial with keyword": (tf.function(functools.partial(lambda x, a=1.0: a * x, a=6.0), autograph=False), 12.0),
    "callable object": (tf.function(Scale(4.0), autograph=False), 8.0),
    "bound method": (tf.function(Scale(7.0).__call__, autograph=False), 14.0),
    "operation": (tf.function(tf.square, autograph=False), 4.0),
}  # fmt: skip


@pytest.mark.parametrize("function,expected", CALLABLES.values(), ids=CALLABLES)
def test_what_can_be_made_a_function(function, expected):
    assert [function(t(2.0)).numpy() for _ in range(3)] == [expected] * 3
    assert function.experimental_get_tracing_count() == 1
    assert isinstance(function.__name__, str)


def test_functions_inside_functions():
    @tf.function
    def outer(x):
        @tf.function
        def inner(y):
            return y * x

        return inner(x) + cube(x)

    assert outer(t(2.0)).numpy() == 12.0 and outer(t(3.0)).numpy() == 36.0
    assert outer.experimental_get_tracing_count() == 1


# -- methods ------------------------------------------------------------------------------------------------------------


class Model(tf.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(factor)
        self.traced = 0

    @tf.function
    def __call__(self, x):
        """The factor times x."""
        self.traced += 1
        return self.factor * x

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def total(self, x):
        return tf.reduce_sum(x) * self.factor

    @staticmethod
    @tf.function
    def static(x):
        return x + 1

    @tf.function
    @staticmethod
    def static_inside(x):
        return x + 2

    @classmethod
    @tf.function
    def by_class(cls, x):
        return x + len(cls.__name__)

    @tf.function
    def twice(self):
        return self.factor * 2.0


def test_each_object_has_graphs_of_its_own():
    one, two = Model(3.0), Model(5.0)
    assert [m(t(2.0)).numpy() for m in (one, two, one, two)] == [6.0, 10.0, 6.0, 10.0]
    assert (one.traced, two.traced) == (1, 1)
    assert one.__call__.experimental_get_tracing_count() == 1
    assert Model.__call__.experimental_get_tracing_count() == 0
    assert one.__call__ == one.__call__ and one.__call__ != two.__call__
    assert len({one.__call__, one.__call__, two.__call__}) == 2
    assert str(inspect.signature(one.__call__)) == str(one.__call__.function_type) == "(x)"
    assert (one.__call__.name, one.__call__.__doc__) == ("__call__", "The factor times x.")
    assert one.__call__.python_function(t(2.0)).numpy() == 6.0
    assert isinstance(one.__call__, tf.types.experimental.GenericFunction)


def test_the_other_ways_to_reach_a_method():
    model = Model(3.0)
    assert Model.__call__(model, t(2.0)).numpy() == 6.0
    assert model.total([1.0, 2.0]).numpy() == 9.0 and model.twice().numpy() == 6.0
    assert model.total.get_concrete_function().structured_input_signature == (
        (tf.TensorSpec([None], tf.float32, "x"),),
        {},
    )
    assert Model.static(1).numpy() == model.static(1).numpy() == 2
    assert Model.static_inside(1).numpy() == model.static_inside(1).numpy() == 3
    assert Model.by_class(1).numpy() == model.by_class(1).numpy() == 6
    assert Model(3.0)(t(2.0)).numpy() == 6.0, "an object that nobody else keeps lives as long as its call"


def test_objects_go_in_spite_of_their_traced_methods():
    class Owner:
        @tf.function
        def f(self, x):
            return x

    owner = Owner()
    owner.f(t(1))
    gone = weakref.ref(owner)
    method = owner.f
    del owner
    assert gone() is not None and method(t(2)).numpy() == 2, "a method keeps its object alive"
    bound = method._function
    del method
    gc.collect()
    assert gone() is None and not Owner.__dict__["f"]._bound
    with pytest.raises(ReferenceError, match="'f' is a method of is gone"):
        bound(t([1]))


def test_objects_without_weak_references():
    class Slotted:
        __slots__ = ()

        @tf.function
        def f(self):
            return 1

    with pytest.raises(TypeError, match="__weakref__"):
        Slotted().f()


# -- arguments ----------------------------------------------------------------------------------------------------------


@tf.function
def two(x, y=2.0, *, k=1):
    return x + y * k


@pytest.mark.parametrize(
    "args,kwargs,message",
    [
        ((), {}, r"missing a required argument: 'x'.*no arguments"),
        ((1.0, 2.0, 3.0), {}, "too many positional arguments"),
        ((1.0,), {"z": 3}, r"unexpected keyword argument 'z'.*z=int 3"),
        ((1.0,), {"x": 3}, "multiple values for argument 'x'"),
    ],
)
def test_arguments_that_do_not_fit(args, kwargs, message):
    with pytest.raises(TypeError, match=rf"'two'.*\(x, y=2\.0, \*, k=1\).*{message}"):
        two(*args, **kwargs)


SPECS = [tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32, "n")]


def test_an_input_signature_converts_and_traces_once():
    f = tf.function(lambda x, n: x * tf.cast(n, tf.float32), input_signature=SPECS, autograph=False)
    assert f([1.0, 2.0], 3).numpy().tolist() == [3.0, 6.0]
    assert f(np.ones(2), 3).dtype is tf.float32
    assert f(x=[1.0], n=2).numpy().tolist() == f(tf.Variable([1.0]), np.int32(2)).numpy().tolist() == [2.0]
    assert f(t([]), t(1)).shape == (0,)
    assert f.experimental_get_tracing_count() == 1
    assert f.input_signature == tuple(SPECS) and f.function_spec.input_signature == tuple(SPECS)
    assert f.get_concrete_function() is f.get_concrete_function([5.0], 1)
    assert f.get_concrete_function().inputs[1].name == "n:0"


@pytest.mark.parametrize(
    "args,message",
    [
        (([[1.0]], 3), r"argument 'x'.*shape=\(None,\).*shape=\(1, 1\)"),
        ((t([1]), 3), r"argument 'x'.*tf\.float32.*tf\.int32"),
        (([1.0], 3.5), r"argument 'n'.*3\.5"),
        (([1.0],), "missing a required argument: 'n'"),
        ((tf.TensorSpec([2, 2]), tf.TensorSpec([], tf.int32)), r"argument 'x'.*shape=\(2, 2\)"),
    ],
)
def test_arguments_that_do_not_fit_the_input_signature(args, message):
    f = tf.function(lambda x, n: x, input_signature=SPECS, autograph=False)
    with pytest.raises(TypeError, match=message):
        f.get_concrete_function(*args) if isinstance(args[0], tf.TensorSpec) else f(*args)


@pytest.mark.parametrize(
    "function,signature,message",
    [
        (lambda x: x, tf.TensorSpec([]), "list or tuple"),
        (lambda x: x, [1], "must hold tf.TensorSpec"),
        (lambda x: x, [tf.TensorSpec([])] * 2, "1 entries more"),
        (lambda x, y: x, [tf.TensorSpec([])], "none for 'y'"),
        (lambda x, *, k: x, [tf.TensorSpec([])], "none for 'k'"),
    ],
)
def test_input_signatures_that_do_not_fit(function, signature, message):
    with pytest.raises(TypeError, match=message):
        tf.function(function, input_signature=signature)


def test_input_signatures_with_structures_defaults_and_rest():
    nested = tf.function(
        lambda d: d["a"] + d["b"][0],
        input_signature=[{"a": tf.TensorSpec([]), "b": (tf.TensorSpec([1]),)}],
        autograph=False,
    )
    assert nested({"a": 1.0, "b": ([2.0],)}).numpy().tolist() == [3.0]
    with pytest.raises(TypeError, match="structure"):
        nested({"a": 1.0})
    default = tf.function(lambda x, y=3: x * y, input_signature=[tf.TensorSpec([])], autograph=False)
    assert default(2.0).numpy() == default(2.0, 3).numpy() == 6.0
    with pytest.raises(TypeError, match=r"'y'.*3"):
        default(2.0, 4)
    rest = tf.function(lambda *xs: xs[0] + xs[1], input_signature=[tf.TensorSpec([])] * 2, autograph=False)
    assert rest(1.0, 2).numpy() == 3.0
    assert tf.function(lambda: 1, input_signature=())().numpy() == 1


def test_defaults_may_be_tensors():
    three = t(3.0)
    f = tf.function(lambda x, y=three: x * y, autograph=False)
    assert [f(t(2.0)).numpy(), f(t(2.0)).numpy(), f(t(2.0), t(5.0)).numpy()] == [6.0, 6.0, 10.0]
    assert f.experimental_get_tracing_count() == 1 and len(f.get_concrete_function(t(1.0)).inputs) == 2


# -- results ------------------------------------------------------------------------------------------------------------

shared = tf.Variable(1.5)


def _slices():
    return tf.IndexedSlices(t([1.0]), t([0]))


RESULTS = {
    "None": (lambda: None, None),
    "numbers": (lambda: (1, 2.5, True, None), (t(1), t(2.5), t(True), None)),
    "structures": (lambda: {"b": [1, {"c": 2.0}], "a": ()}, {"b": [t(1), {"c": t(2.0)}], "a": ()}),
    "named tuple": (lambda: Pair(1, (2,)), Pair(t(1), (t(2),))),
    "ordered": (lambda: collections.OrderedDict(b=1, a=2), collections.OrderedDict(b=t(1), a=t(2))),
    "strings": (lambda: ["abc", b"d"], [t("abc"), t("d")]),
    "arrays": (lambda: np.ones(2), t(np.ones(2))),
    "large": (lambda: 2**40, t(2**40)),
    "variable": (lambda: shared, t(1.5)),
    "same twice": (lambda: [shared, shared], [t(1.5), t(1.5)]),
    "shape": (lambda: tf.TensorShape([1, 2]), t([1, 2])),
}


def _assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            _assert_same(a, b)
    elif expected is not None:
        assert found.dtype is expected.dtype and np.array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("function,expected", RESULTS.values(), ids=RESULTS)
def test_results_have_the_form_that_the_function_returns(function, expected):
    f = tf.function(function, autograph=False)
    for _ in range(2):
        _assert_same(f(), expected)
    inside = tf.function(lambda: f(), autograph=False)
    _assert_same(inside(), expected)


def test_composite_results():
    s = tf.function(lambda: tf.SparseTensor([[0]], [1.0], [3]), autograph=False)()
    assert (
        isinstance(s, tf.SparseTensor)
        and s.shape == (3,)
        and tf.sparse.to_dense(s).numpy().tolist() == [1, 0, 0]
    )
    i = tf.function(_slices, autograph=False)()
    assert isinstance(i, tf.IndexedSlices) and i.values.numpy().tolist() == [1.0] and i.dense_shape is None
    echo = tf.function(lambda s: s, autograph=False)
    for position in (0, 2):
        given = tf.SparseTensor([[position]], [5.0], [3])
        assert tf.sparse.to_dense(echo(given)).numpy()[position] == 5.0


def test_tensor_arrays_are_results_and_go_from_function_to_function():
    @tf.function(autograph=False)
    def make(x):
        array = tf.TensorArray(tf.float32, 2)
        return array.write(0, x).write(1, x * 2.0)

    stack = tf.function(lambda array: array.stack(), autograph=False)
    assert make(t(3.0)).stack().numpy().tolist() == [3.0, 6.0]
    assert tf.function(lambda x: stack(make(x)), autograph=False)(t(4.0)).numpy().tolist() == [4.0, 8.0]
    assert stack(make(t(3.0))).numpy().tolist() == [3.0, 6.0]


def test_a_result_is_never_the_argument_itself():
    x = t([1.0, 2.0])
    echo = tf.function(lambda x: (x, x), autograph=False)
    a, b = echo(x)
    assert a is not x and b is not x and a is not b
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = echo(x)[0]
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "function,message",
    [
        (object, "returns object"),
        (lambda: len, "built-in function len"),
        (lambda: {1, 2}, "set"),
        (lambda: (i for i in range(2)), "generator"),
        (lambda: tf.float32, "DType"),
        (tf.no_op, "Node"),
    ],
)
def test_results_that_are_no_tensors(function, message):
    f = tf.function(function, autograph=False)
    with pytest.raises(TypeError, match=message):
        f()
    assert f.cache_info().kept == f.experimental_get_tracing_count() == 0


# -- what may go wrong --------------------------------------------------------------------------------------------------


def test_arguments_are_not_to_be_changed():
    def f(xs, more):
        more["new"] = xs[0]
        return xs[0]

    with pytest.raises(ValueError, match="'f' changes its argument 'more' in place"):
        tf.function(f)([t(1.0)], {})
    fine = tf.function(lambda xs: [*xs, xs[0]], autograph=False)
    assert len(fine([t(1.0)])) == 2


def test_a_failed_trace_leaves_nothing_behind():
    calls = []

    @tf.function
    def f(x):
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("first")
        return x + 1

    with pytest.raises(KeyError, match="first"):
        f(t(1.0))
    assert tf.executing_eagerly() and f.cache_info() == (0, 0, f.cache_info().limit, 0)
    assert f(t(1.0)).numpy() == 2.0 and len(calls) == 2
    assert (t(1.0) + 1.0).numpy() == 2.0


def test_endless_recursion_is_seen():
    @tf.function
    def f(x):
        return f(x)

    with pytest.raises(RecursionError, match="'f' calls itself"):
        f(t(1.0))

    @tf.function
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    assert factorial(5).numpy() == 120


@pytest.mark.parametrize("use", [lambda x: x + 1, lambda x: tf.function(lambda: x * 1.0)()])
def test_a_tensor_that_left_its_function(use):
    kept = []

    @tf.function(autograph=False)
    def leaky(x):
        kept.append(x * 2)
        return x

    leaky(t(1.0))
    with pytest.raises((TypeError, ValueError), match=r"(?s)'leaky'.*kept\.append"):
        use(kept[0])


def test_run_functions_eagerly():
    seen = []

    @tf.function(input_signature=[tf.TensorSpec([])], jit_compile=True)
    def f(x):
        seen.append(x)
        return 3.0 * x

    tf.config.run_functions_eagerly(True)
    try:
        assert f(t(2.0)).numpy() == f(t(2.0)).numpy() == 6.0 and Model(2.0)(t(1.0)).numpy() == 2.0
    finally:
        tf.config.run_functions_eagerly(False)
    assert len(seen) == 2 and all(hasattr(x, "numpy") and x.numpy() == 2.0 for x in seen)
    assert f.experimental_get_tracing_count() == 0


def test_threads_do_not_see_each_others_graphs():
    functions = [tf.function(lambda x, i=i: tf.add_n([x * float(i)] * 4), autograph=False) for i in range(4)]
    common = tf.function(lambda x: x * 2.0 + shared, autograph=False)
    wrong = []

    def work(start):
        try:
            for n in range(24):
                i = (start + n) % 4
                x = t(np.full(n % 3 + 1, 1.0, np.float32))
                assert functions[i](x).numpy().tolist() == [4.0 * i] * (n % 3 + 1)
                assert common(x).numpy()[0] == 3.5
                assert (x + 1.0).numpy()[0] == 2.0, "no graph is being built in this thread"
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert [f.experimental_get_tracing_count() for f in (*functions, common)] == [3] * 5


def test_copies_trace_for_themselves():
    f = tf.function(abs, autograph=False, reduce_retracing=True)
    f(t(-1.0))
    other = copy.deepcopy(f)
    assert other(t(-2.0)).numpy() == 2.0 and other.experimental_get_tracing_count() == 1
    assert other._reduce_retracing


# -- scopes in traces ---------------------------------------------------------------------------------------------------


def test_scopes_inside_a_trace():
    v = tf.Variable(1.0)
    names = []

    @tf.function
    def f(x):
        assert not tf.executing_eagerly()
        with tf.init_scope():
            assert tf.executing_eagerly()
            six = (t(2.0) * 3.0).numpy()
        with tf.control_dependencies([v.assign(5.0)]), tf.device("/cpu:0"), tf.name_scope("part"):
            tf.no_op()
            y = x * six
        names.append(y.name)
        return y * v

    with tf.name_scope("outside"):
        assert f(t(1.0)).numpy() == 30.0
    assert names == ["part/mul:0"] and v.numpy() == 5.0 and tf.executing_eagerly()
    operations = f.get_concrete_function(t(1.0)).graph.get_operations()
    assert "part/NoOp" in [o.name for o in operations]

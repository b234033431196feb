"""Variables and `tf.function`: made outside or in the first call, as arguments, in the closure, returned."""

from __future__ import annotations

import threading

import pytest

import headwater as tf

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
t = tf.constant


class Layer:
    def __init__(self, initial):
        self.w = None
        self.initial = initial
        self.traced = 0

    @tf.function
    def __call__(self, x):
        self.traced += 1
        if self.w is None:
            self.w = tf.Variable(self.initial, name="weights")
        self.w.assign_add([1.0, 1.0])
        return self.w * x


@pytest.mark.parametrize(
    "initial",
    [[3.0, 3.0], lambda: tf.ones([2]) * 3.0, lambda: tf.constant(3.0, shape=[2])],
    ids=["value", "function", "constant"],
)
def test_a_variable_made_in_the_first_call(initial):
    layer = Layer(initial)
    assert layer(t(2.0)).numpy().tolist() == [8.0, 8.0]
    assert (layer.traced, layer.__call__.experimental_get_tracing_count()) == (2, 2), (
        "traced once more without creation"
    )
    assert layer(t(2.0)).numpy().tolist() == [10.0, 10.0]
    assert layer(t([1.0, 2.0])).numpy().tolist() == [6.0, 12.0]
    assert (layer.traced, layer.__call__.experimental_get_tracing_count()) == (3, 3)
    assert layer.w.name == "weights:0" and layer.w.numpy().tolist() == [6.0, 6.0]
    (concrete, _) = layer.__call__._list_all_concrete_functions()
    assert [v is layer.w for v in concrete.variables] == [True]


def test_initial_values_may_be_computed_in_the_function():
    kept = []

    @tf.function(autograph=False)
    def f(x):
        if not kept:
            kept.append(tf.Variable(tf.fill([2], 2.0) * 3.0))
        return x * kept[0]

    assert f(t(1.0)).numpy().tolist() == [6.0, 6.0]


def make_each_time(x):
    return tf.Variable(x.shape.rank, name="fresh") + 0


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_variable_may_begin_with_what_depends_on_the_first_call(jit_compile):
    made = {}

    @tf.function(jit_compile=jit_compile)
    def inner(x):
        if "v" not in made:
            made["v"] = tf.Variable(tf.ones_like(x) * 2.0 + x)
        return made["v"] * x

    @tf.function(jit_compile=jit_compile)
    def outer(x, flag):
        y = x * 2.0
        if flag:
            y = inner(y)
        return y

    x = tf.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="depends on 'x', an argument"):
        inner.get_concrete_function(tf.TensorSpec([2]))
    assert outer(x, tf.constant(True)).numpy().tolist() == [8.0, 24.0]
    assert made["v"].numpy().tolist() == [4.0, 6.0]
    assert inner(tf.constant([1.0, 1.0])).numpy().tolist() == [4.0, 6.0]


def test_a_variable_for_each_trace_is_refused():
    f = tf.function(make_each_time, autograph=False)
    for _ in range(2):
        with pytest.raises(
            ValueError,
            match=r"'make_each_time'.*'fresh:0' anew.*test_function_variables\.py:\d+, in make_each_time",
        ):
            f(t(1.0))
    assert (
        f.experimental_get_tracing_count() == len(f._list_all_concrete_functions()) or not f.cache_info().kept
    )


def test_a_variable_made_later_is_refused_and_the_graphs_stay():
    kept = []

    @tf.function(autograph=False)
    def f(x, make=False):
        if make:
            kept.append(tf.Variable(1.0, name="late"))
        return x + 1.0

    assert f(t(1.0)).numpy() == 2.0
    with pytest.raises(ValueError, match="'late:0' in a call that is not the first one"):
        f(t(1.0), make=True)
    assert f(t(1.0)).numpy() == 2.0 and f.experimental_get_tracing_count() == 1
    assert not kept


def test_variables_made_by_an_inner_function():
    kept = {}

    @tf.function(autograph=False)
    def inner(y):
        if "v" not in kept:
            kept["v"] = tf.Variable(2.0)
        return y * kept["v"]

    outer = tf.function(lambda x: inner(x), autograph=False)
    assert outer(t(3.0)).numpy() == 6.0 and outer(t(4.0)).numpy() == 8.0
    assert (outer.experimental_get_tracing_count(), inner.experimental_get_tracing_count()) == (1, 2)


def test_threads_that_all_make_the_first_call():
    layer, wrong = Layer([0.0, 0.0]), []

    def work():
        try:
            for _ in range(10):
                layer(t(1.0))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and layer.traced == 2


def test_a_scope_outside_of_the_graph_may_always_make_variables():
    made = []

    @tf.function(autograph=False)
    def f(x):
        with tf.init_scope():
            made.append(tf.Variable(1.0))
        return x * made[0]

    assert f(t(1.0)).numpy() == 1.0 and f(t([1.0])).numpy().tolist() == [1.0] and len(made) == 2


def test_closures_and_attributes_are_taken_by_reference():
    v = tf.Variable(1.0)
    f = tf.function(lambda x: x * v, autograph=False)
    assert f(t(2.0)).numpy() == 2.0
    v.assign(5.0)
    assert f(t(2.0)).numpy() == 10.0 and f.experimental_get_tracing_count() == 1


# -- as arguments -------------------------------------------------------------------------------------------------------


@tf.function(autograph=False)
def add_to(v, x):
    v.assign_add(x)
    return v * 10.0


def test_another_variable_of_the_same_kind_reuses_the_graph():
    count = add_to.experimental_get_tracing_count()
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    assert [add_to(v, t(1.0)).numpy() for v in (a, b, a)] == [20.0, 30.0, 30.0]
    assert (a.numpy(), b.numpy()) == (3.0, 3.0)
    assert add_to.experimental_get_tracing_count() == count + 1
    assert add_to(tf.Variable(1.0, trainable=False), t(1.0)).numpy() == 20.0
    assert add_to.experimental_get_tracing_count() == count + 2


def test_which_arguments_are_the_same_variable_matters():
    @tf.function(autograph=False)
    def f(a, b):
        a.assign_add(1.0)
        return a + 10.0 * b

    x, y = tf.Variable(1.0), tf.Variable(2.0)
    assert f(x, y).numpy() == 22.0 and f(y, x).numpy() == 23.0
    assert f.experimental_get_tracing_count() == 1
    assert f(x, x).numpy() == 33.0 and f(y, y).numpy() == 44.0
    assert f.experimental_get_tracing_count() == 2


def test_an_argument_that_the_function_knows_already():
    own = tf.Variable(1.0)

    @tf.function(autograph=False)
    def f(a):
        a.assign_add(1.0)
        return own + 10.0 * a

    other = tf.Variable(5.0)
    assert [f(own).numpy(), f(own).numpy()] == [22.0, 33.0]
    assert f(other).numpy() == 63.0 and f(own).numpy() == 44.0
    assert (own.numpy(), other.numpy()) == (4.0, 6.0)


def test_gradients_reach_variables_given_as_arguments():
    square = tf.function(lambda v, x: v * v * x, autograph=False)
    for value in (3.0, 5.0):
        v = tf.Variable(value)
        with tf.GradientTape() as tape:
            y = square(v, t(2.0))
        assert tape.gradient(y, v).numpy() == 4 * value

    @tf.function(autograph=False)
    def inside(v):
        with tf.GradientTape() as tape:
            y = v * v
        return tape.gradient(y, v)

    assert [inside(tf.Variable(x)).numpy() for x in (3.0, 4.0)] == [6.0, 8.0]
    assert square.experimental_get_tracing_count() == inside.experimental_get_tracing_count() == 1


def test_variables_inside_structures():
    @tf.function(autograph=False)
    def f(pair, more):
        pair[0].assign(more["v"] * 2.0)
        return pair[1] + pair[0]

    a, b = tf.Variable(1.0), tf.Variable(3.0)
    assert f([a, t(1.0)], {"v": b}).numpy() == 7.0 and a.numpy() == 6.0
    c = tf.Variable(0.0)
    assert f([c, t(1.0)], {"v": a}).numpy() == 13.0 and c.numpy() == 12.0
    assert f.experimental_get_tracing_count() == 1


def test_the_graph_of_a_variable_argument():
    v = tf.Variable([1.0, 2.0], name="w")
    concrete = add_to.get_concrete_function(v, t([1.0, 1.0]))
    assert concrete.variables == () and concrete.captured_inputs == []
    spec = concrete.structured_input_signature[0][0]
    assert repr(spec) == "VariableSpec(shape=(2,), dtype=tf.float32, trainable=True, alias_id=0)"
    other = tf.Variable([5.0, 5.0])
    assert concrete(other, t([1.0, 1.0])).numpy().tolist() == [60.0, 60.0]
    assert concrete(v=other, x=t([1.0, 1.0])).numpy().tolist() == [70.0, 70.0]
    assert v.numpy().tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="expected a variable like VariableSpec"):
        concrete(t([1.0, 2.0]), t([1.0, 1.0]))


def test_a_failed_call_leaves_variables_as_they_were():
    v = tf.Variable(1.0)

    @tf.function(autograph=False, jit_compile=False)
    def f(x):
        v.assign(100.0)
        return tf.reshape(x, [3]) + tf.cast(tf.shape(x)[0], tf.float32)

    f.get_concrete_function(tf.TensorSpec([None], tf.float32))
    with pytest.raises(tf.errors.InvalidArgumentError):
        f(t([1.0, 2.0]))
    assert v.numpy() == 1.0
    assert f(t([1.0, 2.0, 3.0])).shape == (3,) and v.numpy() == 100.0

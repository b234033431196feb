"""Variables: assignment in all forms, snapshots, what a failed assignment leaves behind."""

from __future__ import annotations

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import headwater as tf

S = tf.IndexedSlices
START = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def start():
    return tf.Variable(START)


ASSIGNMENTS = [
    (lambda v: v.assign(2 * v), [[2, 4, 6], [8, 10, 12]]),
    (lambda v: v.assign(np.ones((2, 3))), [[1, 1, 1], [1, 1, 1]]),
    (lambda v: v.assign_add([[1, 1, 1], [2, 2, 2]]), [[2, 3, 4], [6, 7, 8]]),
    (lambda v: v.assign_sub(tf.ones((2, 3))), [[0, 1, 2], [3, 4, 5]]),
    (lambda v: v[0, 1].assign(42), [[1, 42, 3], [4, 5, 6]]),
    (lambda v: v[:, 2].assign([0.0, 1.0]), [[1, 2, 0], [4, 5, 1]]),
    (lambda v: v[0].assign([7, 8, 9]), [[7, 8, 9], [4, 5, 6]]),
    (lambda v: v[0:1, ::2].assign([[7.0, 8.0]]), [[7, 2, 8], [4, 5, 6]]),
    (lambda v: v[0, tf.newaxis].assign([[1.0, 1.0, 1.0]]), [[1, 1, 1], [4, 5, 6]]),
    (lambda v: v[..., 0].assign(5.0), [[5, 2, 3], [5, 5, 6]]),
    (lambda v: v[::-1].assign([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), [[1, 1, 1], [0, 0, 0]]),
    (lambda v: v[0:1].assign([1.0, 2.0, 9.0]), [[1, 2, 9], [4, 5, 6]]),
    (lambda v: v[tf.constant(1)].assign([9.0, 9.0, 9.0]), [[1, 2, 3], [9, 9, 9]]),
    (lambda v: v[-1, -1].assign(0), [[1, 2, 3], [4, 5, 0]]),
    (lambda v: v.scatter_nd_update([[0, 0], [1, 2]], [7.0, 8.0]), [[7, 2, 3], [4, 5, 8]]),
    (lambda v: v.scatter_nd_add([[0], [0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]), [[3, 4, 5], [4, 5, 6]]),
    (lambda v: v.scatter_nd_sub([[0, 0]], [5.0]), [[-4, 2, 3], [4, 5, 6]]),
    (lambda v: v.scatter_nd_max([[0, 0]], [50.0]), [[50, 2, 3], [4, 5, 6]]),
    (lambda v: v.scatter_nd_min([[0, 0]], [-50.0]), [[-50, 2, 3], [4, 5, 6]]),
    (lambda v: v.scatter_update(S([[1.0, 1.0, 1.0]], [0])), [[1, 1, 1], [4, 5, 6]]),
    (lambda v: v.scatter_add(S([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], [0, 0])), [[4, 5, 6], [4, 5, 6]]),
    (lambda v: v.scatter_sub(S([[1.0, 1.0, 1.0]], [1])), [[1, 2, 3], [3, 4, 5]]),
    (lambda v: v.scatter_mul(S([[2.0, 2.0, 2.0]], [1])), [[1, 2, 3], [8, 10, 12]]),
    (lambda v: v.scatter_div(S([[2.0, 2.0, 2.0]], [1])), [[1, 2, 3], [2, 2.5, 3]]),
    (lambda v: v.scatter_max(S([[2.0, 2.0, 2.0]], [0])), [[2, 2, 3], [4, 5, 6]]),
    (lambda v: v.scatter_min(S([[2.0, 2.0, 2.0]], [0])), [[1, 2, 2], [4, 5, 6]]),
    (lambda v: v.batch_scatter_update(S([[9.0], [8.0]], [[0], [2]])), [[9, 2, 3], [4, 5, 8]]),
]


@pytest.mark.parametrize(("assign", "expected"), ASSIGNMENTS, ids=range(len(ASSIGNMENTS)))
def test_assignments(assign, expected):
    v = start()
    before = v.value()
    result = assign(v)
    np.testing.assert_array_equal(v.numpy(), expected)
    assert repr(result).startswith(
        "<tf.Variable 'UnreadVariable' shape=(2, 3) dtype=float32, numpy=\narray([["
    )
    np.testing.assert_array_equal(result.numpy(), expected)
    np.testing.assert_array_equal(before.numpy(), START)


REFUSED = [
    (lambda v: v.assign([1.0]), ValueError),
    (lambda v: v.assign("a"), TypeError),
    (lambda v: v.assign(None), ValueError),
    (lambda v: v.assign(tf.constant([[1, 2, 3], [4, 5, 6]])), ValueError),
    (lambda v: v.assign(tf.constant(START, tf.float64)), ValueError),
    (lambda v: v.assign_add(1), tf.errors.InvalidArgumentError),
    (lambda v: v.assign_sub(tf.ones(3)), tf.errors.InvalidArgumentError),
    (lambda v: v.assign_add(tf.ones((2, 3), tf.int32)), ValueError),
    (lambda v: v[:, 2].assign([0.0, 1.0, 2.0]), tf.errors.InvalidArgumentError),
    (lambda v: v[0].assign([[1.0], [2.0]]), tf.errors.InvalidArgumentError),
    (lambda v: v[5].assign([1.0, 1.0, 1.0]), tf.errors.InvalidArgumentError),
    (lambda v: v[0].assign("a"), TypeError),
    (lambda v: v.scatter_nd_update([[5, 0]], [5.0]), tf.errors.InvalidArgumentError),
    (lambda v: v.scatter_nd_update([[0, 0]], [5.0, 6.0]), tf.errors.InvalidArgumentError),
    (lambda v: v.scatter_nd_update([[0, 0]], ["a"]), TypeError),
    (lambda v: v.scatter_update(S([[2.0, 2.0, 2.0]], [7])), tf.errors.InvalidArgumentError),
    (lambda v: v.scatter_add([1]), TypeError),
    (lambda v: v.sparse_read([5]), tf.errors.InvalidArgumentError),
    (lambda v: v.__setitem__(0, 1.0), TypeError),
    (lambda v: hash(v), TypeError),
]


@pytest.mark.parametrize(("deed", "error"), REFUSED, ids=range(len(REFUSED)))
def test_a_failed_assignment_leaves_the_variable_as_it_was(deed, error):
    v = start()
    with pytest.raises(error):
        deed(v)
    np.testing.assert_array_equal(v.numpy(), START)


CREATION_REFUSED = [
    (lambda: tf.Variable(None), ValueError),
    (lambda: tf.Variable(), ValueError),
    (lambda: tf.Variable(1.5, dtype=tf.int32), TypeError),
    (lambda: tf.Variable([1, "a"]), ValueError),
    (lambda: tf.Variable(START, shape=[3, 3]), ValueError),
    (lambda: tf.Variable(1, constraint=5), ValueError),
    (lambda: tf.Variable(lambda: tf.ones([2]), dtype=tf.float64), ValueError),
]


@pytest.mark.parametrize(("make", "error"), CREATION_REFUSED, ids=range(len(CREATION_REFUSED)))
def test_creation_refusals(make, error):
    with pytest.raises(error):
        make()


REPRS = [
    (lambda: start(), "<tf.Variable 'Variable:0' shape=(2, 3) dtype=float32, numpy=\narray([[1., 2., 3.],\n       [4., 5., 6.]], dtype=float32)>"),
    (lambda: tf.Variable(1, name="foo"), "<tf.Variable 'foo:0' shape=() dtype=int32, numpy=1>"),
    (lambda: tf.Variable([1, 2], shape=tf.TensorShape(None)), "<tf.Variable 'Variable:0' shape=<unknown> dtype=int32, numpy=array([1, 2], dtype=int32)>"),
    (lambda: tf.Variable("a"), "<tf.Variable 'Variable:0' shape=() dtype=string, numpy=b'a'>"),
    (lambda: tf.Variable(lambda: 1.0), "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=1.0>"),
    (lambda: tf.VariableAggregation.SUM, "<VariableAggregation.SUM: 1>"),
    (lambda: tf.Variable(1.0).synchronization, "<VariableSynchronization.AUTO: 0>"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), REPRS, ids=range(len(REPRS)))
def test_reprs(make, text):
    assert repr(make()) == text


def test_a_read_is_a_snapshot_even_of_large_values():
    """Large values are updated in place where nobody holds them; whoever does keeps what they read."""
    v = tf.Variable(tf.zeros((100, 100)))
    held = v.value()
    array = np.asarray(v)
    part = v[0]
    sibling = tf.identity(v)
    for _ in range(3):
        v.assign_add(tf.ones((100, 100)))
    assert v.numpy()[0, 0] == 3.0
    assert (
        held.numpy().sum() == 0
        and array.sum() == 0
        and part.numpy().sum() == 0
        and sibling.numpy().sum() == 0
    )


def test_the_initial_value_is_not_shared():
    source = tf.zeros((100, 100))
    a, b = tf.Variable(source), tf.Variable(source)
    a.assign_add(tf.ones((100, 100)))
    a.assign_add(tf.ones((100, 100)))
    c = tf.Variable(tf.zeros((100, 100)))
    c.assign(source)
    del source
    gc.collect()
    c.assign_add(tf.ones((100, 100)))
    assert b.numpy().sum() == 0 and a.numpy()[0, 0] == 2 and c.numpy()[0, 0] == 1


def test_unknown_shapes_take_any_fitting_value():
    u = tf.Variable([1, 2], shape=tf.TensorShape([None]))
    u.assign([1, 2, 3, 4])
    assert u.shape == tf.TensorShape([None]) and u.numpy().tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="compatible"):
        u.assign([[1]])


def test_operators_iteration_and_python_values():
    v = tf.Variable([1.0, 2.0])
    np.testing.assert_array_equal((2 - v).numpy(), [1, 0])
    np.testing.assert_array_equal((v * v + v / 2).numpy(), [1.5, 5])
    np.testing.assert_array_equal((tf.constant([1.0, 1.0]) + v).numpy(), [2, 3])
    np.testing.assert_array_equal((v == 1.0).numpy(), [True, False])
    assert [x.numpy() for x in v] == [1.0, 2.0]
    assert float(tf.Variable(2.5)) == 2.5 and int(tf.Variable(2)) == 2 and bool(tf.Variable(1))
    assert tf.is_tensor(v) and v.trainable and v.shape == (2,) and v.name == "Variable:0"
    assert {v.ref(): 1}[v.ref()] == 1
    assert v.assign([3.0, 4.0], read_value=False) is None
    np.testing.assert_array_equal(v.gather_nd([[1]]).numpy(), [4.0])
    np.testing.assert_array_equal(v.sparse_read([1, 0]).numpy(), [4.0, 3.0])


def test_names_follow_scopes():
    with tf.name_scope("outer"):
        assert tf.Variable(1.0, name="v").name == "outer/v:0"
    assert tf.Variable(1.0, name="v").name == "v:0"


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_are_variables_of_their_own(clone):
    v = tf.Variable(START, name="w", trainable=False, shape=[None, 3])
    other = clone(v)
    v.assign_add(v)
    np.testing.assert_array_equal(other.numpy(), START)
    assert other.name == "w:0" and not other.trainable and other.shape == tf.TensorShape([None, 3])


def test_updates_from_many_threads_are_all_counted():
    v = tf.Variable(tf.zeros(10, tf.int64))
    one = tf.ones(10, tf.int64)

    def work():
        for _ in range(500):
            v.assign_add(one, read_value=False)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert v.numpy().tolist() == [2000] * 10


class Dense(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        with self.name_scope:
            self.w = tf.Variable([[1.0]], name="w")
            self.extra = [tf.Variable(2.0, trainable=False, name="b"), {"m": tf.Module(name="inner")}]

    @tf.Module.with_name_scope
    def scoped(self):
        return tf.Variable(0.0, name="z").name


def test_module_finds_variables_and_submodules():
    m = Dense()
    assert m.name == "dense" and m.name_scope.name == "dense/"
    assert [v.name for v in m.variables] == ["dense/b:0", "dense/w:0"]
    assert [v.name for v in m.trainable_variables] == ["dense/w:0"]
    assert [v.name for v in m.non_trainable_variables] == ["dense/b:0"]
    assert [s.name for s in m.submodules] == ["inner"]
    assert m.scoped() == "dense/z:0" and Dense("foo").w.name == "foo/w:0"
    with pytest.raises(ValueError, match="identifier"):
        Dense("2foo")

    class Careless(tf.Module):
        def __init__(self):
            pass

    with pytest.raises(ValueError, match="super"):
        Careless()

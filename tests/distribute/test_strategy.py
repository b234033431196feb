"""The default strategy, and `tf.__internal__`'s tracking, conditions and placeholders, which Keras relies on."""

import pytest

import headwater as tf
from headwater._src.core.graph import Graph

SUM = tf.distribute.ReduceOp.SUM
internal = tf.__internal__


def test_the_default_strategy_runs_everything_once():
    strategy = tf.distribute.get_strategy()
    assert not tf.distribute.has_strategy() and strategy.num_replicas_in_sync == 1
    assert strategy.run(lambda a, b: a - b, args=(5,), kwargs={"b": 3}) == 2
    assert strategy.reduce(SUM, tf.constant([1.0, 2.0]), axis=None).numpy().tolist() == [1.0, 2.0]
    assert strategy.reduce("mean", tf.constant([1.0, 2.0]), axis=0).numpy() == 1.5
    assert strategy.experimental_local_results("x") == ("x",)
    assert strategy.extended.update("v", lambda v, g: v + g, args=("g",)) == "vg"
    with pytest.raises(ValueError, match="ReduceOp"):
        strategy.reduce("MAX", tf.constant(1.0), axis=None)


def test_replicas_speak_outside_of_merge_calls_only():
    replica = tf.distribute.get_replica_context()
    assert replica.all_reduce(SUM, [1, 2]) == [1, 2]

    def merged(strategy, value):
        assert tf.distribute.get_replica_context() is None and tf.distribute.in_cross_replica_context()
        return strategy, value

    assert replica.merge_call(merged, args=(3,)) == (tf.distribute.get_strategy(), 3)
    assert tf.distribute.get_replica_context() is replica


def test_a_scope_makes_a_strategy_the_present_one():
    strategy = tf.distribute.Strategy()
    with strategy.scope():
        assert tf.distribute.get_strategy() is strategy and tf.distribute.has_strategy()
    assert not tf.distribute.has_strategy()
    with pytest.raises(NotImplementedError, match="of one's own"):
        tf.distribute.Strategy(extended=object())


def test_tracking():
    class Thing(internal.tracking.AutoTrackable):
        @internal.tracking.no_automatic_dependency_tracking
        def quietly(self):
            return self._self_setattr_tracking

    outer, inner = Thing(), Thing()
    outer.inner, outer.number = inner, 3
    outer._track_trackable(inner, "noted")
    assert outer._trackable_children() == {"inner": inner, "noted": inner}
    assert outer._lookup_dependency("noted") is inner
    assert outer.quietly() is False and outer._self_setattr_tracking is True
    with pytest.raises(ValueError, match="taken"):
        outer._track_trackable(Thing(), "noted")
    with pytest.raises(TypeError, match="no Trackable"):
        outer._track_trackable(3, "number")
    del outer.inner
    assert outer._trackable_children() == {"noted": inner}


def test_smart_cond_calls_one_function():
    def wrong():
        raise AssertionError

    smart_cond = internal.smart_cond.smart_cond
    assert smart_cond(tf.constant(True), lambda: 1, wrong) == 1
    assert smart_cond(0, wrong, lambda: 2) == 2
    with pytest.raises(TypeError, match="two functions"):
        smart_cond(True, 1, 2)


def test_unwrap():
    import functools

    def inner():
        return 1

    @functools.wraps(inner)
    def outer():
        return inner()

    assert internal.decorator.unwrap(outer) == ([outer], inner)
    assert internal.decorator.unwrap(inner) == ([], inner)


def test_placeholders_need_a_graph():
    v1 = tf.compat.v1
    with pytest.raises(RuntimeError, match="eager"):
        v1.placeholder(tf.float32)
    with Graph().as_default():
        dense = v1.placeholder("float32", shape=[None, 3])
        sparse = v1.sparse_placeholder(tf.float32, shape=[None, 3])
    assert dense.shape.as_list() == [None, 3] and dense.dtype == tf.float32
    assert sparse.shape.as_list() == [None, 3] and sparse.indices.shape.as_list() == [None, 2]

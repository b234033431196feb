"""Iterators in checkpoints: after `restore` they give what they would have given, over each kind of data set, in the same program
and over a data set that was made anew."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import headwater as tf

D = tf.data.Dataset
R = D.range
Checkpoint = tf.train.Checkpoint


def spans(x):
    return R(x, x + 4)


def numbers():
    yield from range(12)


def with_outer():
    outer = R(5).shuffle(5)
    return R(4).flat_map(lambda x: outer)


def with_variable():
    one = tf.Variable(1, dtype=tf.int64)
    return R(12).map(lambda x: x + one)


DATASETS = {
    "slices": lambda: D.from_tensor_slices({"a": np.arange(12), "b": np.arange(12.0)}),
    "strings": lambda: D.from_tensor_slices(list("abcdefgh")).shuffle(3),
    "batch": lambda: R(20).batch(3),
    "shuffle-batch": lambda: R(20).shuffle(5, seed=1).batch(3, drop_remainder=True),
    "slices-shuffle-batch": lambda: D.from_tensor_slices(np.arange(40)).shuffle(40).batch(4).repeat(2),
    "padded": lambda: R(8).map(tf.range).padded_batch(2),
    "ragged": lambda: R(8).map(tf.range).ragged_batch(2),
    "sparse": lambda: R(8).map(lambda x: tf.sparse.from_dense([0, x])),
    "unbatch": lambda: R(12).batch(5).unbatch(),
    "rebatch": lambda: R(12).batch(5).rebatch(2),
    "shuffle": lambda: R(20).shuffle(7),
    "shuffle-repeat": lambda: R(7).shuffle(5).repeat(3),
    "repeat-shuffle": lambda: R(7).repeat(3).shuffle(5),
    "shuffle-fixed": lambda: R(7).shuffle(5, reshuffle_each_iteration=False).repeat(3),
    "map": lambda: R(20).map(lambda x: x * 2, num_parallel_calls=3),
    "map-batch-prefetch": lambda: R(20).map(lambda x: x * 2).batch(3).prefetch(2),
    "filter": lambda: R(30).filter(lambda x: x % 2 == 0),
    "flat-map": lambda: R(6).flat_map(R),
    "flat-map-outer": with_outer,
    "interleave": lambda: R(6).interleave(spans, cycle_length=3, block_length=2),
    "interleave-parallel": lambda: R(6).interleave(spans, cycle_length=3, num_parallel_calls=2),
    "interleave-shuffled": lambda: R(6).interleave(lambda x: spans(x).shuffle(4), cycle_length=3),
    "window": lambda: R(10).window(3).flat_map(lambda w: w.batch(3)),
    "zip": lambda: D.zip((R(10).shuffle(4), R(10, 20).shuffle(3))),
    "concatenate": lambda: R(5).concatenate(R(5, 10).shuffle(5)),
    "take-skip-shard": lambda: R(30).shuffle(30).skip(3).shard(2, 1).take(9),
    "take-while": lambda: R(20).take_while(lambda x: x < 9),
    "cache": lambda: R(12).shuffle(5).cache().repeat(2),
    "enumerate": lambda: R(12).shuffle(5).enumerate(),
    "scan": lambda: R(12).scan(tf.constant(0, tf.int64), lambda s, x: (s + x, s + x)),
    "generator": lambda: D.from_generator(numbers, output_signature=tf.TensorSpec([], tf.int32)),
    "group": lambda: R(20).group_by_window(lambda x: x % 3, lambda k, d: d.batch(2), window_size=4),
    "sample": lambda: D.sample_from_datasets([R(10), R(10, 20)], weights=[0.3, 0.7]),
    "choose": lambda: D.choose_from_datasets([R(10), R(10, 20)], R(2).repeat(6)),
    "reject": lambda: (
        R(99).rejection_resample(lambda x: tf.cast(x % 3 > 0, tf.int32), [0.5, 0.5], seed=3).take(20)
    ),
    "random": lambda: D.random().take(9),
    "random-anew": lambda: D.random(rerandomize_each_iteration=True).take(5).repeat(2),
    "unique": lambda: R(20).map(lambda x: x % 7).unique(),
    "random-numbers": lambda: R(12).map(lambda x: tf.random.uniform([], seed=5)),
    "variable": with_variable,
    "python": lambda: R(12).map(lambda x: tf.py_function(lambda a: a * 3, [x], tf.int64)),
    "counter": lambda: D.counter().shuffle(5).take(11),
}


@pytest.mark.parametrize("name", DATASETS)
def test_iterators_go_on_where_they_were(name, tmp_path):
    for count in (0, 1, 4, 100):
        iterator = iter(DATASETS[name]())
        list(itertools.islice(iterator, count))
        checkpoint = Checkpoint(iterator=iterator)
        path = checkpoint.write(tmp_path / "c")
        rest = str(list(iterator))
        checkpoint.read(path).assert_consumed()
        assert str(list(iterator)) == rest
        other = iter(DATASETS[name]())
        Checkpoint(iterator=other).read(path).assert_consumed()
        assert str(list(other)) == rest


def test_the_next_epoch_is_that_of_the_first_program(tmp_path):
    dataset = R(10).shuffle(10)
    epochs = [list(dataset.as_numpy_iterator()) for _ in range(2)]
    iterator = iter(dataset)
    next(iterator)
    path = Checkpoint(iterator=iterator).write(tmp_path / "c")
    later = [int(x) for x in iterator], list(dataset.as_numpy_iterator())
    again = R(10).shuffle(10)
    restored = iter(again)
    Checkpoint(iterator=restored).read(path)
    assert ([int(x) for x in restored], list(again.as_numpy_iterator())) == later
    assert len({tuple(e) for e in (*epochs, later[1])}) == 3


def test_iterators_of_numpy_values_are_saved_too(tmp_path):
    iterator = R(5).as_numpy_iterator()
    next(iterator)
    checkpoint = Checkpoint(iterator=iterator)
    path = checkpoint.write(tmp_path / "c")
    assert list(iterator) == [1, 2, 3, 4]
    checkpoint.read(path).assert_consumed()
    assert list(iterator) == [1, 2, 3, 4]


def test_in_the_middle_of_training(tmp_path):
    """The step, the variable and the data go on together, by a manager."""

    def run(steps):
        weight, step = tf.Variable(0.0), tf.Variable(0)
        tf.random.set_seed(1)
        iterator = iter(D.from_tensor_slices(np.arange(12.0, dtype=np.float32)).shuffle(12).batch(2).repeat())
        manager = tf.train.CheckpointManager(
            Checkpoint(weight=weight, step=step, data=iterator), tmp_path, max_to_keep=2
        )
        manager.restore_or_initialize()

        @tf.function
        def train():
            step.assign_add(1)
            weight.assign(0.9 * weight + tf.reduce_sum(next(iterator)) * tf.cast(step, tf.float32))

        for _ in range(steps):
            train()
            if int(step) % 4 == 0:
                manager.save()
        return float(weight)

    try:
        whole = run(16)
        for name in tmp_path.iterdir():
            name.unlink()
        run(6)  # the last two steps are lost
        assert run(12) == whole
    finally:
        tf.random.set_seed(None)


def test_random_numbers_without_seeds_can_not_be_repeated(tmp_path):
    iterator = iter(R(3).map(lambda x: tf.random.uniform([])))
    with pytest.raises(tf.errors.FailedPreconditionError, match="seed"):
        Checkpoint(iterator=iterator).write(tmp_path / "c")


def test_states_of_other_data_sets_are_refused(tmp_path):
    path = Checkpoint(iterator=iter(R(3).shuffle(2))).write(tmp_path / "c")
    with pytest.raises(tf.errors.NotFoundError, match="another data set"):
        Checkpoint(iterator=iter(R(3))).read(path)
    Checkpoint(iterator=R(3)).read(path)  # a data set has no position


@pytest.mark.parametrize(
    "state",
    [
        "nonsense",
        "[]",
        "{}",
        '{"plan": "RangeDataset", "taken": -1, "drawn": [], "seeds": []}',
        '{"plan": "RangeDataset", "taken": "x", "drawn": [], "seeds": []}',
    ],
)
def test_states_that_make_no_sense(state):
    iterator = R(3).as_numpy_iterator()
    with pytest.raises(tf.errors.InvalidArgumentError, match="iterator"):
        iterator.restore(state)
    assert list(iterator) == [0, 1, 2]

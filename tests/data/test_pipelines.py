"""Pipelines against what TensorFlow 2.21 gives for the same expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import headwater


def plain(value: Any) -> Any:
    """Tensors, structures and data sets as lists and dictionaries of Python values."""
    if isinstance(value, headwater.data.Dataset):
        return [plain(element) for element in value]
    if isinstance(value, headwater.SparseTensor):
        return ["sparse", plain(value.indices), plain(value.values), plain(value.dense_shape)]
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(value[key]) for key in value}
    return value


def L(dataset: Any, count: int = 40) -> list[Any]:
    """The first elements."""
    return [plain(element) for element in dataset.take(count)]


def seeded(seed: int, run: Any) -> Any:
    """The result of a function under a global seed."""
    headwater.random.set_seed(seed)
    try:
        return run()
    finally:
        headwater.random.set_seed(None)


def names() -> dict[str, Any]:
    """What the expressions may name."""
    dataset = headwater.data.Dataset
    return {
        "tf": headwater, "D": dataset, "L": L, "seeded": seeded, "C": headwater.constant, "np": np, "plain": plain,
        "card": lambda d: int(d.cardinality()), "r": dataset.range(5),
        "ragged": dataset.range(4).map(lambda x: headwater.range(x)),
    }  # fmt: skip


VALUES: list[tuple[str, Any]] = [
    ('seeded(1, lambda: (lambda d: [L(d), L(d), L(d.repeat(2))])(D.range(3).map(lambda x: tf.random.uniform([], maxval=1000, dtype=tf.int32))))',
     [[32, 503, 326], [32, 503, 326], [32, 503, 326, 276, 910, 763]]),
    ('seeded(1, lambda: (lambda d: (lambda a, b: [next(a), next(b), next(a), next(b)])(iter(d), iter(d)))(D.range(3).map(lambda x: tf.random.uniform([], maxval=1000, dtype=tf.int32))))',
     [32, 32, 503, 503]),
    ('seeded(1, lambda: L(D.range(1).repeat(3).map(lambda x: tf.random.shuffle(tf.range(6)))))',
     [[4, 2, 1, 0, 5, 3], [0, 2, 4, 5, 3, 1], [0, 5, 3, 1, 4, 2]]),
    ('seeded(1, lambda: L(D.range(2).flat_map(lambda x: D.range(2).map(lambda y: tf.random.uniform([], maxval=1000, dtype=tf.int32)))))',
     [32, 503, 326, 276]),
    ('seeded(1, lambda: L(D.range(3).map(lambda x: tf.function(lambda: tf.random.uniform([], maxval=1000, dtype=tf.int32))())))',
     [32, 503, 326]),
    ('L(D.range(3).map(lambda x: tf.random.uniform([2], maxval=1000, dtype=tf.int32, seed=5)))',
     [[791, 839], [402, 781], [593, 805]]),
    ('L(D.range(3).map(lambda x: tf.random.stateless_uniform([2], seed=[1, x], maxval=1000, minval=0, dtype=tf.int32)))',
     [[189, 34], [616, 359], [140, 849]]),
    ('seeded(7, lambda: (lambda d: [L(d), L(d)])(D.range(6).shuffle(6)))',
     [[2, 5, 0, 1, 3, 4], [4, 0, 3, 5, 2, 1]]),
    ('seeded(7, lambda: (lambda d: [L(d), L(d)])(D.random(seed=3).take(4)))',
     [[2545112793, 531643458, 698849000, 2576041488], [2545112793, 531643458, 698849000, 2576041488]]),
    ('seeded(7, lambda: (lambda d: [L(d), L(d)])(D.random(seed=3, rerandomize_each_iteration=True).take(3)))',
     [[4050681059, 564015354, 3640227489], [3509502076, 686816167, 2844113789]]),
    ('seeded(7, lambda: (lambda d: [L(d), L(d)])(D.sample_from_datasets([D.range(0, 10).repeat(), D.range(100, 110).repeat()], [0.5, 0.5], seed=4).take(12)))',
     [[0, 1, 100, 2, 101, 3, 102, 103, 4, 104, 105, 5], [0, 1, 100, 2, 101, 3, 102, 103, 4, 104, 105, 5]]),
    ('seeded(7, lambda: (lambda d: [L(d), L(d)])(D.sample_from_datasets([D.range(0, 10).repeat(), D.range(100, 110).repeat()], [0.2, 0.8], seed=4, rerandomize_each_iteration=True).take(12)))',
     [[100, 101, 102, 103, 104, 0, 105, 106, 1, 107, 108, 109], [100, 101, 102, 103, 104, 105, 106, 107, 108, 0, 109, 100]]),
    ('seeded(7, lambda: L(D.sample_from_datasets([D.range(0, 10), D.range(100, 110)], seed=4)))',
     [0, 1, 100, 2, 101, 3, 102, 103, 4, 104, 105, 5, 106, 107, 108, 109, 6, 7, 8, 9]),
    ('seeded(7, lambda: L(D.sample_from_datasets([D.range(3), D.range(100, 103)], [.5, .5], seed=4, stop_on_empty_dataset=True)))',
     [0, 1, 100, 2, 101]),
    ('seeded(7, lambda: L(D.sample_from_datasets([D.range(0, 9), D.range(100, 109)], weights=D.from_tensors([.9, .1]).repeat(), seed=4)))',
     [0, 1, 100, 2, 101, 3, 4, 5, 6, 7, 8, 102, 103, 104, 105, 106, 107, 108]),
    ('seeded(9, lambda: L(D.range(20).map(lambda x: x % 2).rejection_resample(lambda x: tf.cast(x, tf.int32), [0.2, 0.8], [.5, .5], seed=1)))',
     [[0, 0], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [0, 0], [1, 1], [1, 1], [0, 0], [1, 1], [1, 1], [1, 1], [0, 0], [1, 1], [1, 1], [1, 1]]),
    ('seeded(9, lambda: L(D.range(80).map(lambda x: x % 3).rejection_resample(lambda x: tf.cast(x, tf.int32), [0.2, 0.5, 0.3], seed=1), 60))',
     [[0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [1, 1], [1, 1], [2, 2], [2, 2], [0, 0], [1, 1], [2, 2], [1, 1], [0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [1, 1], [2, 2], [0, 0], [1, 1], [1, 1], [1, 1], [1, 1], [2, 2], [1, 1], [1, 1], [0, 0], [1, 1], [1, 1], [2, 2], [0, 0], [1, 1], [2, 2], [0, 0], [2, 2], [1, 1], [1, 1], [2, 2], [0, 0], [1, 1], [2, 2], [2, 2], [0, 0], [1, 1], [1, 1], [2, 2], [1, 1], [2, 2], [1, 1], [0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [1, 1], [2, 2], [1, 1], [2, 2]]),
    ('seeded(3, lambda: (lambda d: [L(d), L(d)])(D.range(9).shuffle(4).batch(2)))',
     [[[3, 0], [1, 4], [6, 7], [2, 5], [8]], [[0, 3], [2, 5], [1, 7], [6, 4], [8]]]),
    ('seeded(3, lambda: L(D.range(20).shuffle(7, seed=2).map(lambda x: x + 1).batch(3)))',
     [[1, 5, 8], [7, 2, 4], [6, 11, 3], [10, 16, 15], [12, 13, 18], [17, 20, 9], [14, 19]]),
    ('seeded(3, lambda: L(D.range(7).shuffle(3, seed=2).repeat(3).batch(4), 30))',
     [[0, 2, 1, 5], [3, 6, 4, 2], [0, 3, 4, 5], [6, 1, 0, 3], [2, 5, 6, 1], [4]]),
    ('seeded(3, lambda: (lambda d: [L(d), L(d)])(D.range(7).shuffle(3, seed=2, reshuffle_each_iteration=False).repeat(2)))',
     [[1, 2, 3, 5, 4, 0, 6, 1, 2, 3, 5, 4, 0, 6], [1, 2, 3, 5, 4, 0, 6, 1, 2, 3, 5, 4, 0, 6]]),
    ('seeded(3, lambda: L(D.from_tensor_slices((np.arange(12.).reshape(6, 2), np.arange(6))).shuffle(6).batch(4)))',
     [[[[6.0, 7.0], [8.0, 9.0], [0.0, 1.0], [10.0, 11.0]], [3, 4, 0, 5]], [[[2.0, 3.0], [4.0, 5.0]], [1, 2]]]),
    ("seeded(3, lambda: L(D.from_tensor_slices(['a', 'b', 'c', 'd']).shuffle(3, seed=1).take(3)))",
     ['b', 'c', 'd']),
    ('seeded(3, lambda: L(D.range(300).shuffle(50, seed=2).skip(290)))',
     [298, 271, 299, 28, 257, 121, 284, 240, 294, 272]),
    ('seeded(3, lambda: L(D.range(300).filter(lambda x: x > -1).shuffle(100, seed=2).skip(280)))',
     [161, 255, 292, 274, 259, 253, 149, 278, 291, 218, 298, 271, 182, 5, 205, 77, 118, 240, 294, 222]),
    ('seeded(3, lambda: (lambda d: [L(d), L(d)])(D.range(6).shuffle(6).cache()))',
     [[3, 4, 0, 5, 1, 2], [3, 4, 0, 5, 1, 2]]),
    ('seeded(3, lambda: (lambda d: [L(d), L(d)])(D.range(6).cache().shuffle(6)))',
     [[3, 4, 0, 5, 1, 2], [4, 0, 2, 3, 5, 1]]),
    ('L(r.window(3, 1, drop_remainder=True))',
     [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
    ('L(D.zip(r, r).window(3, 2))',
     [[[0, 1, 2], [0, 1, 2]], [[2, 3, 4], [2, 3, 4]], [[4], [4]]]),
    ('L(D.range(7).window(3, 2, 2))',
     [[0, 2, 4], [2, 4, 6], [4, 6], [6]]),
    ('L(D.range(7).window(2, 3))',
     [[0, 1], [3, 4], [6]]),
    ('L(D.range(7).window(2, 3, drop_remainder=True))',
     [[0, 1], [3, 4]]),
    ("L(D.from_tensor_slices({'a': [1, 2, 3], 'b': [4., 5., 6.]}).window(2))",
     [{'a': [1, 2], 'b': [4.0, 5.0]}, {'a': [3], 'b': [6.0]}]),
    ('L(D.range(7).window(3, 1, drop_remainder=True).flat_map(lambda w: w.batch(3)))',
     [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]),
    ('L(D.zip(r, r).window(2).flat_map(lambda a, b: D.zip(a.batch(2), b.batch(2))))',
     [[[0, 1], [0, 1]], [[2, 3], [2, 3]], [[4], [4]]]),
    ('L(D.range(6).window(2).flat_map(lambda w: w.map(lambda x: x * 2)))',
     [0, 2, 4, 6, 8, 10]),
    ('L(D.range(6).window(3).map(lambda w: w.reduce(np.int64(0), lambda s, x: s + x)))',
     [3, 12]),
    ('repr(r.window(3, 1))',
     '<_WindowDataset element_spec=DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))>'),
    ('repr(D.zip(r, r).window(3))',
     '<_WindowDataset element_spec=(DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([])), DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([])))>'),
    ('[card(D.range(5).window(3)), card(D.range(7).window(3, 2, 2, True)), card(r.repeat().window(2))]',
     [2, 2, -1]),
    ('L(ragged.padded_batch(2))',
     [[[0], [0]], [[0, 1, 0], [0, 1, 2]]]),
    ('L(ragged.padded_batch(2, [None], drop_remainder=True))',
     [[[0], [0]], [[0, 1, 0], [0, 1, 2]]]),
    ('L(ragged.padded_batch(3, [-1]))',
     [[[0, 0], [0, 0], [0, 1]], [[0, 1, 2]]]),
    ("L(D.from_tensor_slices(['x', 'y']).map(lambda s: (s, tf.fill([2], s))).padded_batch(2, ([], [3]), ('', 'pad')))",
     [[['x', 'y'], [['x', 'x', 'pad'], ['y', 'y', 'pad']]]]),
    ('repr(ragged.padded_batch(2))',
     '<_PaddedBatchDataset element_spec=TensorSpec(shape=(None, None), dtype=tf.int64, name=None)>'),
    ('repr(ragged.padded_batch(2, [3], drop_remainder=True))',
     '<_PaddedBatchDataset element_spec=TensorSpec(shape=(2, 3), dtype=tf.int64, name=None)>'),
    ('card(ragged.padded_batch(3))',
     2),
    ('L(ragged.bucket_by_sequence_length(lambda e: tf.shape(e)[0], [2, 3], [2, 1, 2]))',
     [[[0], [0]], [[0, 1]], [[0, 1, 2]]]),
    ('L(D.from_generator(lambda: [[0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15, 16, 19, 20], [21, 22]], output_signature=tf.TensorSpec([None], tf.int64)).bucket_by_sequence_length(lambda e: tf.shape(e)[0], bucket_boundaries=[3, 5], bucket_batch_sizes=[2, 2, 2]))',
     [[[1, 2, 3, 4], [5, 6, 7, 0]], [[7, 8, 9, 10, 11, 0], [13, 14, 15, 16, 19, 20]], [[0, 0], [21, 22]]]),
    ('L(D.from_generator(lambda: [[0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15, 16, 19, 20], [21, 22]], output_signature=tf.TensorSpec([None], tf.int64)).bucket_by_sequence_length(lambda e: tf.shape(e)[0], [3, 7], [2, 2, 2], pad_to_bucket_boundary=True, padding_values=C(-1, tf.int64)))',
     [[[1, 2, 3, 4, -1, -1], [5, 6, 7, -1, -1, -1]], [[7, 8, 9, 10, 11, -1], [13, 14, 15, 16, 19, 20]], [[0, -1], [21, 22]]]),
    ('[repr(D.counter()), repr(r.map(lambda x: x, num_parallel_calls=2)), repr(r.batch(2, num_parallel_calls=2)), repr(r.interleave(lambda x: D.range(x), num_parallel_calls=2)), repr(r.interleave(lambda x: D.range(x)))]',
     ['<_ScanDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>', '<_ParallelMapDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>', '<_ParallelBatchDataset element_spec=TensorSpec(shape=(None,), dtype=tf.int64, name=None)>', '<_ParallelInterleaveDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>', '<_InterleaveDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>']),
    ('L(r.scan(np.int64(0), lambda s, x: (s + x, (s, s * x))))',
     [[0, 0], [0, 0], [1, 2], [3, 9], [6, 24]]),
    ('L(r.scan((0, 1), lambda s, x: ((s[1], s[0] + s[1]), s[0])))',
     [0, 1, 1, 2, 3]),
    ('L(r.scan(tf.zeros([0], tf.int64), lambda s, x: (tf.concat([s, [x]], 0), tf.size(s))))',
     [0, 1, 2, 3, 4]),
    ('L(D.range(6).map(lambda x: x % 3).unique())',
     [0, 1, 2]),
    ("L(D.from_tensor_slices(['a', 'b', 'a']).unique())",
     ['a', 'b']),
    ('L(D.from_tensor_slices([[1, 2], [1, 2], [2, 1]]).unique())',
     [[1, 2], [2, 1]]),
    ('L(D.range(7).group_by_window(lambda x: 1 - x % 2, lambda k, w: w.batch(10), 2))',
     [[0, 2], [1, 3], [4, 6], [5]]),
    ('L(D.range(7).group_by_window(lambda x: x % 2, lambda k, w: w.batch(2).map(lambda b: (k, b)), window_size_func=lambda k: k + 2))',
     [[0, [0, 2]], [1, [1, 3]], [1, [5]], [0, [4, 6]]]),
    ('repr(D.range(6).group_by_window(lambda x: x % 2, lambda k, w: w.batch(10), 2))',
     '<_GroupByWindowDataset element_spec=TensorSpec(shape=(None,), dtype=tf.int64, name=None)>'),
    ('L(D.range(8).batch(3).rebatch(2))',
     [[0, 1], [2, 3], [4, 5], [6, 7]]),
    ('L(D.range(8).batch(5).rebatch([2, 1]))',
     [[0, 1], [2], [3, 4], [5], [6, 7]]),
    ('L(D.range(8).batch(3).rebatch(3, True))',
     [[0, 1, 2], [3, 4, 5]]),
    ('[card(D.range(6).batch(2).rebatch(3)), card(D.range(6).ignore_errors())]',
     [-2, -2]),
    ("L(D.range(6).map(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x - 2, tf.float32), 'e')).ignore_errors())",
     [-0.5, -1.0, 1.0, 0.5, 0.3333333432674408]),
    ("L(D.range(6).filter(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x - 2, tf.float32), 'e') > 0).ignore_errors())",
     [3, 4, 5]),
    ('L(D.from_tensor_slices([[1, 2], [3, 4], [5, 6]]).sparse_batch(2, [3]))',
     [['sparse', [[0, 0], [0, 1], [1, 0], [1, 1]], [1, 2, 3, 4], [2, 3]], ['sparse', [[0, 0], [0, 1]], [5, 6], [1, 3]]]),
    ('L(ragged.sparse_batch(4, [4]))',
     [['sparse', [[1, 0], [2, 0], [2, 1], [3, 0], [3, 1], [3, 2]], [0, 0, 1, 0, 1, 2], [4, 4]]]),
    ('repr(D.from_tensor_slices([[1, 2], [3, 4], [5, 6]]).sparse_batch(2, [3]))',
     '<_DenseToSparseBatchDataset element_spec=SparseTensorSpec(TensorShape([None, 3]), tf.int32)>'),
    ('L(D.choose_from_datasets([D.range(3), D.range(10, 13)], D.from_tensor_slices(C([0, 1, 1, 0, 0, 0, 1], tf.int64))))',
     [0, 10, 11, 1, 2]),
    ('L(D.choose_from_datasets([D.range(3), D.range(10, 13)], D.from_tensor_slices(C([0, 1, 1, 0, 0, 0, 1], tf.int64)), False))',
     [0, 10, 11, 1, 2, 12]),
    ('[card(D.sample_from_datasets([D.range(3), D.range(4)])), card(D.sample_from_datasets([D.range(3).repeat(), D.range(4)])), card(D.sample_from_datasets([D.range(3), D.range(4)], stop_on_empty_dataset=True))]',
     [-2, -1, -2]),
    ('L(r.map(lambda x: (x, [x, x], None)))',
     [[0, [0, 0], None], [1, [1, 1], None], [2, [2, 2], None], [3, [3, 3], None], [4, [4, 4], None]]),
    ('plain(r.reduce(tf.zeros([0], tf.int64), lambda s, x: tf.concat([s, [x]], 0)))',
     [0, 1, 2, 3, 4]),
    ('L(r.map(lambda x: D.range(x)).flat_map(lambda d: d.batch(2)))',
     [[0], [0, 1], [0, 1], [2], [0, 1], [2, 3]]),
    ('L(r.flat_map(lambda x: D.from_tensor_slices([x, x * 10])))',
     [0, 0, 1, 10, 2, 20, 3, 30, 4, 40]),
    ('L(r.flat_map(lambda x: D.from_tensors(x).repeat(x).map(lambda y: y + x)))',
     [2, 4, 4, 6, 6, 6, 8, 8, 8, 8]),
    ('L(D.range(3).interleave(lambda x: D.range(10 * x, 10 * x + 5).batch(x + 1), cycle_length=2, block_length=2))',
     [[0], [1], [10, 11], [12, 13], [2], [3], [14], [4], [20, 21, 22], [23, 24]]),
    ('L(D.range(4).flat_map(lambda x: r.take(x).shuffle(5, seed=1, reshuffle_each_iteration=False)))',
     [0, 1, 0, 0, 2, 1]),
    ('tf.function(lambda d: d.reduce(np.int64(0), lambda s, x: s + x))(r)',
     10),
    ('tf.function(lambda: r.reduce(np.int64(0), lambda s, x: s + x))()',
     10),
    ('tf.function(lambda n: D.range(n).reduce(np.int64(0), lambda s, x: s + x))(C(6, tf.int64))',
     15),
    ('tf.function(lambda n: D.range(n).map(lambda x: x * n).batch(2).get_single_element())(C(2, tf.int64))',
     [0, 2]),
    ('tf.function(lambda n: next(iter(D.range(n, n + 3).batch(2))))(C(2, tf.int64))',
     [2, 3]),
    ('tf.function(lambda n: D.range(n).cardinality())(C(5, tf.int64))',
     5),
    ('L(tf.function(lambda n: D.range(n).map(lambda x: x * n))(C(3, tf.int64)))',
     [0, 3, 6]),
    ('L(tf.function(lambda d: d.map(lambda x: x + 1))(r))',
     [1, 2, 3, 4, 5]),
    ('seeded(5, lambda: L(D.range(4).map(lambda x: (x, tf.random.normal([])), num_parallel_calls=4).map(lambda x, y: x)))',
     [0, 1, 2, 3]),
    ('L(D.zip(D.range(4), D.range(4).map(lambda x: x * x)).filter(lambda a, b: b > 0).map(lambda a, b: a + b).batch(2))',
     [[2, 6], [12]]),
    ('L(D.range(10).filter(lambda x: x % 3 == 0).enumerate().batch(3))',
     [[[0, 1, 2], [0, 3, 6]], [[3], [9]]]),
    ('L(D.range(10).map(lambda x: tf.cast(x, tf.float32) / 3).take(4).batch(3))',
     [[0.0, 0.3333333432674408, 0.6666666865348816], [1.0]]),
    ('L(D.range(10).shard(3, 1).batch(2))',
     [[1, 4], [7]]),
    ('L(D.range(10).skip(2).shard(4, 1).repeat(2).batch(3, drop_remainder=True))',
     [[3, 7, 3]]),
    ('L(D.range(4).map(lambda x: tf.py_function(lambda v: v + 1, [x], tf.int64), num_parallel_calls=3).prefetch(2))',
     [1, 2, 3, 4]),
    ('L(D.range(6).batch(2).prefetch(tf.data.AUTOTUNE).unbatch())',
     [0, 1, 2, 3, 4, 5]),
    ('L(D.from_tensor_slices(tf.SparseTensor([[0, 1], [2, 0]], [5, 6], [3, 2])))',
     [['sparse', [[1]], [5], [2]], ['sparse', [], [], [2]], ['sparse', [[0]], [6], [2]]]),
]  # fmt: skip

ERRORS: list[tuple[str, str]] = [
    ('r.window(0)', 'InvalidArgumentError'),
    ('L(ragged.padded_batch(2, [5], padding_values=C(-1)))', 'TypeError'),
    ('L(ragged.padded_batch(4, [2]))', 'DataLossError'),
    ('ragged.padded_batch(4, [2], padding_values=1.5)', 'TypeError'),
    ('r.padded_batch(4, [2])', 'ValueError'),
    ('ragged.padded_batch(0)', 'InvalidArgumentError'),
    ('ragged.bucket_by_sequence_length(lambda e: tf.shape(e)[0], [2, 3], [2])', 'ValueError'),
    ('r.scan(0, lambda s, x: s)', 'TypeError'),
    ('r.scan(0, lambda s, x: (1.5, x))', 'TypeError'),
    ('D.range(6).map(lambda x: tf.cast(x, tf.float32)).unique()', 'TypeError'),
    ('D.range(6).group_by_window(lambda x: x % 2, lambda k, w: k, 2)', 'TypeError'),
    ('D.range(6).group_by_window(lambda x: x % 2, lambda k, w: w)', 'ValueError'),
    ("L(D.range(6).map(lambda x: tf.debugging.check_numerics(1.0 / tf.cast(x - 2, tf.float32), 'e')))", 'InvalidArgumentError'),
    ('L(ragged.sparse_batch(4, [2]))', 'DataLossError'),
    ('L(D.choose_from_datasets([D.range(3)], D.from_tensor_slices(C([0, 1], tf.int64))))', 'InvalidArgumentError'),
    ('D.choose_from_datasets([D.range(3)], D.from_tensor_slices([0, 1]))', 'TypeError'),
    ('D.sample_from_datasets([D.range(3)], [1])', 'TypeError'),
    ('D.sample_from_datasets([D.range(3)], [.1, .2])', 'ValueError'),
    ('D.sample_from_datasets([])', 'ValueError'),
    ('r.map(lambda x: 1 / 0)', 'ZeroDivisionError'),
    ('r.map(lambda x: x.numpy())', 'AttributeError'),
    ('r.map(lambda x: object())', 'TypeError'),
    ('r.filter(lambda x: x)', 'ValueError'),
    ('r.take_while(lambda x: x)', 'ValueError'),
    ('r.map(lambda x: tf.Variable(1.0))', 'ValueError'),
    ('r.map(lambda: 1)', 'TypeError'),
    ('L(r.map(lambda x: x * 2 if x > 2 else x))', 'OperatorNotAllowedInGraphError'),
    ('r.reduce(0, lambda s, x: s + 1.5)', 'TypeError'),
    ("D.list_files('/no-such-place*')", 'InvalidArgumentError'),
    ('r.shard(2, 3)', 'InvalidArgumentError'),
    ('L(D.range(4).map(lambda x: tf.py_function(lambda v: 1 / 0, [x], tf.int64), num_parallel_calls=3).prefetch(2))', 'UnknownError'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(text: str, expected: Any) -> None:
    assert plain(eval(text, names())) == expected


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[t for t, _ in ERRORS])
def test_errors(text: str, expected: str) -> None:
    with pytest.raises(Exception) as caught:
        plain(eval(text, names()))
    assert expected in [c.__name__ for c in type(caught.value).__mro__]

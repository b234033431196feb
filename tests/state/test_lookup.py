"""Lookup tables; the expected ids of unknown terms are TensorFlow 2.21's."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

Init, Static = tf.lookup.KeyValueTensorInitializer, tf.lookup.StaticHashTable
Mutable, Dense = tf.lookup.experimental.MutableHashTable, tf.lookup.experimental.DenseHashTable


def test_static_table_on_dense_ragged_and_sparse():
    table = Static(Init([1, 2], ["a", "b"]), "z")
    assert table[tf.constant([[1, 2], [3, 4]])].numpy().tolist() == [[b"a", b"b"], [b"z", b"z"]]
    assert table.lookup(tf.constant(2)).numpy() == b"b"
    assert table.lookup(tf.ragged.constant([[1], [2, 3]])).to_list() == [[b"a"], [b"b", b"z"]]
    assert table.lookup(tf.sparse.from_dense([[1, 0], [0, 3]])).values.numpy().tolist() == [b"a", b"z"]
    assert int(table.size()) == 2


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Static(Init([1, 1], ["a", "b"]), ""), tf.errors.FailedPreconditionError),
        (lambda: Static(Init([1, 2], ["a"]), ""), tf.errors.InvalidArgumentError),
        (lambda: Static(Init([1.5], [1]), 0), tf.errors.NotFoundError),
        (lambda: Static(Init(["a"], [1]), [0]), ValueError),
        (lambda: Static(Init(["a"], [1]), "q"), TypeError),
        (lambda: Static(Init([1], [2]), 0).lookup(tf.constant([1], tf.int64)), TypeError),
        (lambda: tf.lookup.StaticVocabularyTable(None, 0), ValueError),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 0), tf.errors.InvalidArgumentError),
        (lambda: Dense(tf.int64, tf.int64, -1, 0, 1).insert([0], [1]), tf.errors.InvalidArgumentError),
        (lambda: Mutable(tf.int64, tf.int64, 0).insert([1], [1, 2]), tf.errors.InvalidArgumentError),
    ],
)
def test_errors(make, error):
    with pytest.raises(error):
        make()


def test_vocabulary_buckets():
    words = Init(["a", "b", "c"], tf.constant([0, 1, 2], tf.int64))
    table = tf.lookup.StaticVocabularyTable(words, 5)
    terms = tf.constant(["a", "c", "zebra", "yak", "w", "", "xx"])
    assert table.lookup(terms).numpy().tolist() == [0, 2, 5, 5, 7, 6, 7]
    numbers = Init(tf.constant([10, 20], tf.int64), tf.constant([0, 1], tf.int64))
    table = tf.lookup.StaticVocabularyTable(numbers, 3)
    keys = tf.constant([10, 20, 30, 40, -5, 2**40], tf.int64)
    assert table.lookup(keys).numpy().tolist() == [0, 1, 4, 3, 2, 4]


def test_text_files(tmp_path):
    path, index = tmp_path / "v.txt", tf.lookup.TextFileIndex
    path.write_text("x 10\ny 20\n")
    columns = tf.lookup.TextFileInitializer(str(path), tf.string, 0, tf.int64, 1, delimiter=" ")
    assert Static(columns, -1).lookup(tf.constant(["y", "q"])).numpy().tolist() == [20, -1]
    lines = tf.lookup.TextFileInitializer(str(path), tf.int64, index.LINE_NUMBER, tf.string, index.WHOLE_LINE)
    assert Static(lines, "?").lookup(tf.constant([1, 5], tf.int64)).numpy().tolist() == [b"y 20", b"?"]


@pytest.mark.parametrize("make", [Mutable, lambda *a: Dense(*a, empty_key="", deleted_key="$")])
def test_mutable_tables(make):
    table = make(tf.string, tf.float32, [0.0, -1.0])
    table.insert(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])
    table.remove(tf.constant(["b", "none"]))
    table.insert(["c"], [[5.0, 6.0]])
    found = table.lookup(tf.constant([["c", "b"]]))
    assert found.numpy().tolist() == [[[5.0, 6.0], [0.0, -1.0]]]
    keys, values = table.export()
    assert dict(zip(keys.numpy().tolist(), values.numpy()[:, 0].tolist(), strict=True)) == {
        b"a": 1.0,
        b"c": 5.0,
    }


@pytest.mark.parametrize("spread", [1, 1_000_003])
@pytest.mark.parametrize("kind", ["static", "mutable"])
def test_many_integer_keys(spread, kind):
    keys = np.random.default_rng(0).permutation(5000).astype(np.int64) * spread - 77
    if kind == "static":
        table = Static(Init(keys, keys * 2), -1)
    else:
        table = Mutable(tf.int64, tf.int64, -1)
        table.insert(keys, keys * 2)
    asked = np.concatenate([keys[:500], [10**15, -(10**15)]])
    want = np.concatenate([keys[:500] * 2, [-1, -1]])
    assert np.array_equal(table.lookup(tf.constant(asked)).numpy(), want)


def test_in_a_function():
    static, table = Static(Init(["a"], [5]), -1), Mutable(tf.string, tf.int64, -1)

    @tf.function
    def step(x):
        table.insert(x, tf.range(tf.size(x, tf.int64)))
        return static.lookup(x), table.lookup(x), table.size()

    got = step(tf.constant(["a", "k"]))
    assert [t.numpy().tolist() for t in got] == [[5, -1], [0, 1], 2]


def test_whole_lines_may_be_integers(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("12\n7\n-3\n")
    index = tf.lookup.TextFileIndex
    lines = tf.lookup.TextFileInitializer(str(path), tf.int64, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    table = tf.lookup.StaticHashTable(lines, -1)
    assert table.lookup(tf.constant([7, -3, 1], tf.int64)).numpy().tolist() == [1, 2, -1]
    path.write_text("12\nseven\n")
    with pytest.raises(tf.errors.InvalidArgumentError, match="int64"):
        tf.lookup.StaticHashTable(lines, -1)
    with pytest.raises(ValueError, match="strings or integers"):
        tf.lookup.TextFileInitializer(str(path), tf.float32, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)

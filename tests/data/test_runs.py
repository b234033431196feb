"""Many batches at once: the same elements in the same order as iteration, however many are asked for."""

import numpy as np
import pytest

import headwater as tf
from headwater._src.data import runs
from headwater._src.data.columns import Columns
from headwater._src.data.runs import RunIterator

X = np.arange(46, dtype=np.float32).reshape(23, 2)
Y = np.arange(23)
Dataset = tf.data.Dataset


def gathered(rows=23, batch=4, shuffle=True, prefetch=1):
    """As Keras builds its pipelines for arrays."""

    def indices(_):
        order = tf.range(rows, dtype=tf.int64)
        return tf.random.shuffle(order, seed=5) if shuffle else order

    def cut(order):
        whole = rows // batch
        parts = Dataset.from_tensor_slices(tf.reshape(order[: whole * batch], [whole, batch]))
        return parts.concatenate(Dataset.from_tensors(order[whole * batch :])) if rows % batch else parts

    numbers = Dataset.range(1).map(indices).prefetch(prefetch).flat_map(cut)
    data = Dataset.from_tensors((X[:rows], {"y": Y[:rows]})).repeat()
    return Dataset.zip((numbers, data)).map(lambda i, d: (tf.gather(d[0], i), {"y": tf.gather(d[1]["y"], i)}))


def slices():
    return Dataset.from_tensor_slices((X, Y))


MANY = {
    "batch": lambda: slices().batch(5),
    "drop": lambda: slices().batch(5, drop_remainder=True).prefetch(3),
    "shuffle": lambda: slices().shuffle(9, seed=3).batch(4),
    "repeat, batch": lambda: slices().repeat(2).batch(4),
    "batch, repeat": lambda: slices().shuffle(9, seed=3).batch(4).repeat(3),
    "repeat nothing": lambda: slices().take(0).batch(4).repeat(),
    "take batches": lambda: slices().batch(4).take(3),
    "take all batches": lambda: slices().batch(4).take(-1),
    "filter": lambda: slices().filter(lambda x, y: y % 3 > 0).batch(4),
    "map": lambda: slices().map(lambda x, y: (x * 2 + 1, {"y": y})).batch(6),
    "one tensor": lambda: Dataset.range(17).batch(4),
    "keras": gathered,
    "keras, no remainder": lambda: gathered(20),
    "keras, in order": lambda: gathered(shuffle=False).prefetch(-1),
    "keras, one batch": lambda: gathered(3, 8),
    "options": lambda: gathered().with_options(tf.data.Options()),
}
ONE_BY_ONE = {
    "no batches": slices,
    "a function of batches": lambda: slices().batch(4).map(lambda x, y: (x + 1, y)),
    "generator": lambda: Dataset.from_generator(
        lambda: iter(X), output_signature=tf.TensorSpec([2], tf.float32)
    ).batch(4),
    "ragged": lambda: Dataset.from_tensor_slices(tf.ragged.constant([[1], [2, 3]])).batch(2),
    "another gather": lambda: Dataset.zip(
        (Dataset.from_tensors([0, 1]), Dataset.from_tensors(X).repeat())
    ).map(lambda i, x: tf.gather(x, i, axis=1)),
}


def flat(element):
    return [t.numpy() for t in tf.nest.flatten(element)]


def read(iterator, counts):
    """The batches that `read` gives, asked for in these numbers, then one by one."""
    found = []
    for count in [*counts, *[1] * 99]:
        block = iterator.read(count)
        if block is None:
            return found
        assert 1 <= len(block) <= count
        for part in block.parts():
            for low in range(0, len(part.columns[0]), part.size):
                found.append([c[low : low + part.size] for c in part.columns])
    raise AssertionError("it never ends")


@pytest.mark.parametrize("counts", [[1], [2, 3], [100], [1, 2, 100]], ids=str)
@pytest.mark.parametrize("name", MANY)
def test_reads_what_iteration_gives(name, counts):
    tf.random.set_seed(1)
    wanted = [flat(element) for element in MANY[name]()]
    tf.random.set_seed(1)
    iterator = RunIterator(MANY[name]())
    assert iterator.in_memory
    found = read(iterator, counts)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert [x.tolist() for x in a] == [x.tolist() for x in b]
        assert [x.dtype for x in a] == [x.dtype for x in b]


@pytest.mark.parametrize("name", MANY)
def test_reading_and_iterating_go_on_from_each_other(name):
    tf.random.set_seed(1)
    wanted = [flat(element) for element in MANY[name]()]
    tf.random.set_seed(1)
    iterator = RunIterator(MANY[name]())
    found = [flat(e) for e in [next(iterator, None)] if e is not None]
    found += read(iterator, [2]) if len(found) > 2 else []
    found += [flat(element) for element in iterator]
    assert [[x.tolist() for x in e] for e in found] == [[x.tolist() for x in e] for e in wanted]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_others_come_one_by_one(name):
    iterator = RunIterator(ONE_BY_ONE[name]())
    assert not iterator.in_memory
    assert len(list(iterator)) == len(list(ONE_BY_ONE[name]()))
    with pytest.raises(RuntimeError, match="one by one"):
        iterator.read(2)


class Failing(Columns):
    """Two rows at a time, ten in all, and then an error."""

    def __init__(self):
        self.row = 0

    def read(self, count):
        if self.row == 10:
            raise ValueError("the eleventh")
        self.row += 2
        return [np.arange(self.row - 2, self.row)[:count]]


def test_the_batches_before_an_error_come_first():
    batches = runs._Cut(Failing(), 4, drop=False)
    assert [batches.read(100).columns[0].tolist() for _ in range(2)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    for _ in range(2):
        with pytest.raises(ValueError, match="the eleventh"):
            batches.read(100)


def test_a_row_that_is_not_there_is_the_functions_error():
    numbers = Dataset.from_tensor_slices(np.array([[0, 1], [2, 3], [4, 23], [5, 6]]))
    dataset = Dataset.zip((numbers, Dataset.from_tensors(X).repeat())).map(lambda i, x: tf.gather(x, i))
    iterator = RunIterator(dataset)
    assert iterator.in_memory
    blocks = [iterator.read(1), iterator.read(1)]
    assert [b.columns[0].tolist() for b in blocks] == [X[:2].tolist(), X[2:4].tolist()]
    with pytest.raises(tf.errors.InvalidArgumentError):
        iterator.read(2)
    assert iterator.read(1).columns[0].tolist() == X[5:7].tolist()


def test_no_more_is_gathered_than_fits(monkeypatch):
    monkeypatch.setattr(runs, "BLOCK_BYTES", 100)
    for dataset in (gathered(), slices().batch(4)):
        sizes = []
        iterator = RunIterator(dataset)
        while (block := iterator.read(100)) is not None:
            sizes.append(sum(c.nbytes for c in block.columns))
        assert len(sizes) > 2 and max(sizes) <= 100

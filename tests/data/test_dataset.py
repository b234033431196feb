"""Data sets against what TensorFlow 2.21 gives: elements, orders, specifications, numbers of elements, error classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import headwater
from headwater._src.base import nest


def plain(value: Any) -> Any:
    """Tensors as lists, structures kept."""
    return nest.map_structure(lambda t: np.asarray(t).tolist() if hasattr(t, "numpy") else t, value)


def L(dataset: Any) -> list[Any]:
    """The elements."""
    return [plain(element) for element in dataset]


def numbers(count: int) -> Any:
    """A generator of arrays that fills one buffer again and again."""

    def generate() -> Any:
        buffer = np.zeros(2, np.float32)
        for i in range(count):
            buffer[:] = i
            yield buffer

    return generate


def scope(tf: Any) -> dict[str, Any]:
    """What the cases below may name."""
    dataset = tf.data.Dataset
    return {
        "tf": tf, "D": dataset, "r": dataset.range(5), "L": L, "np": np, "C": tf.constant, "plain": plain,
        "numbers": numbers, "S": lambda shape, dtype=tf.int64: tf.TensorSpec(shape, dtype),
    }  # fmt: skip


VALUES: list[tuple[str, Any]] = [
    ("L(D.range(2, 9, 3))", [2, 5, 8]),
    ("L(D.range(9, 2, -3))", [9, 6, 3]),
    ("L(D.from_tensors({'a': 1, 'b': [1.0, 2.0]}))", [{"a": 1, "b": [1.0, 2.0]}]),
    ("L(D.from_tensor_slices(([1, 2], {'k': [[3], [4]]})))", [(1, {"k": [3]}), (2, {"k": [4]})]),
    ("L(D.from_tensor_slices(['x', 'y']))", [b"x", b"y"]),
    ("L(D.from_tensor_slices([]))", []),
    ("L(r.batch(2))", [[0, 1], [2, 3], [4]]),
    ("L(r.batch(2, drop_remainder=True))", [[0, 1], [2, 3]]),
    ("L(r.batch(2).batch(2))", [[[0, 1], [2, 3]], [[4]]]),
    ("L(r.batch(2).batch(3))", "InvalidArgumentError"),
    ("L(D.range(8).batch(2).batch(2))", [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]),
    ("L(D.from_tensor_slices(([1, 2, 3], [4.0, 5.0, 6.0])).batch(2))", [([1, 2], [4.0, 5.0]), ([3], [6.0])]),
    ("L(D.from_tensor_slices({'a': ['x', 'y'], 'b': [[1], [2]]}).batch(2))", [{"a": [b"x", b"y"], "b": [[1], [2]]}]),
    ("L(r.map(lambda x: x).batch(2))", [[0, 1], [2, 3], [4]]),
    ("L(r.take(3).batch(2))", [[0, 1], [2]]),
    ("L(r.skip(1).batch(3))", [[1, 2, 3], [4]]),
    ("L(r.skip(2).take(2).batch(2, True))", [[2, 3]]),
    ("L(r.repeat(2).batch(4))", [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4]]),
    ("L(r.batch(2).unbatch())", [0, 1, 2, 3, 4]),
    ("L(r.repeat(0))", []),
    ("L(r.repeat().take(7))", [0, 1, 2, 3, 4, 0, 1]),
    ("L(D.range(0).repeat())", []),
    ("L(D.range(0).repeat().batch(2))", []),
    ("L(r.take(-1))", [0, 1, 2, 3, 4]),
    ("L(r.skip(-2))", []),
    ("L(r.filter(lambda x: x > 2))", [3, 4]),
    ("L(r.take_while(lambda x: x < 3))", [0, 1, 2]),
    ("L(r.enumerate(10).take(2))", [(10, 0), (11, 1)]),
    ("L(r.take(2).concatenate(D.range(2)))", [0, 1, 0, 1]),
    ("L(r.map(lambda x: [x, x + 1]).take(1))", [(0, 1)]),
    ("L(r.map(lambda x: (x, [x, x])).take(1))", [(0, [0, 0])]),
    ("L(r.map(lambda x: {'a': (x, 3)}).take(1))", [{"a": (0, 3)}]),
    ("L(D.zip((r, r)).map(lambda a, b: a * b))", [0, 1, 4, 9, 16]),
    ("L(D.zip({'a': r, 'b': (r,)}).take(1))", [{"a": 0, "b": (0,)}]),
    ("L(D.zip(r, D.range(2)))", [(0, 0), (1, 1)]),
    ("L(r.flat_map(lambda x: D.range(x)))", [0, 0, 1, 0, 1, 2, 0, 1, 2, 3]),
    ("L(r.interleave(lambda x: D.range(x).map(lambda y: x * 10 + y), 2, 1))", [10, 20, 21, 30, 31, 40, 32, 41, 42, 43]),
    ("L(D.range(6).interleave(lambda x: D.from_tensors(x).repeat(3), 2, 2))",
     [0, 0, 1, 1, 0, 1, 2, 2, 3, 3, 2, 3, 4, 4, 5, 5, 4, 5]),
    ("L(r.shard(2, 1))", [1, 3]),
    ("L(r.apply(lambda d: d.take(1)))", [0]),
    ("L(r.cache().repeat(2).take(7))", [0, 1, 2, 3, 4, 0, 1]),
    ("L(r.prefetch(1))", [0, 1, 2, 3, 4]),
    ("L(D.counter(3, 2).take(3))", [3, 5, 7]),
    ("plain(r.reduce(np.int64(0), lambda s, x: s + x))", 10),
    ("plain(r.reduce((0, 0.0), lambda s, x: (s[0] + 1, s[1] + 2.0)))", (5, 10.0)),
    ("plain(r.take(1).get_single_element())", 0),
    ("L(D.range(10).shuffle(10, seed=1))", [0, 9, 5, 1, 2, 7, 3, 8, 6, 4]),
    ("[L(d) for d in [D.range(10).shuffle(4, seed=1)] * 2]", [[0, 4, 5, 1, 2, 7, 9, 8, 6, 3], [2, 1, 3, 4, 6, 8, 7, 9, 5, 0]]),
    ("[L(d) for d in [D.range(6).shuffle(4, 1, False)] * 2]", [[3, 4, 0, 1, 5, 2], [3, 4, 0, 1, 5, 2]]),
    ("L(D.range(10).shuffle(4, seed=1).batch(4))", [[0, 4, 5, 1], [2, 7, 9, 8], [6, 3]]),
    ("L(D.range(6).shuffle(tf.data.UNKNOWN_CARDINALITY, seed=3))", [0, 1, 2, 3, 4, 5]),
    ("sorted(L(D.range(50).shuffle(7).repeat(2)))", sorted([*range(50)] * 2)),
    ("L(D.from_generator(lambda: iter([1.5, 2]), output_signature=S([])))", [1, 2]),
    ("L(D.from_generator(lambda: iter([[1, 2], [3]]), output_signature=S([None])))", [[1, 2], [3]]),
    ("L(D.from_generator(lambda: iter([(1, 2)]), output_signature=(S([]), S([], tf.float32))))", [(1, 2.0)]),
    ("L(D.from_generator(lambda a: iter([a]), output_types=tf.int64, args=(3,)))", [3]),
    ("L(D.from_generator(numbers(3), output_signature=S([2], tf.float32)))", [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]),
    ("L(D.from_generator(lambda: iter(['a', 'b']), output_signature=S([], tf.string)).batch(2))", [[b"a", b"b"]]),
    ("list(r.batch(3).as_numpy_iterator())[1].tolist()", [3, 4]),
    ("[type(x).__name__ for x in r.take(1).as_numpy_iterator()]", ["int64"]),
    ("list(D.from_tensors('x').as_numpy_iterator())", [b"x"]),
    ("[int(iter(r).get_next()), int(next(iter(r))), bool(r.take(0))]", [0, 0, True]),
    ("bool(iter(r.take(0)).get_next_as_optional().has_value())", False),
    ("int(iter(r).get_next_as_optional().get_value())", 0),
    ("plain(tf.experimental.Optional.from_value((1, {'a': 2.0})).get_value())", (1, {"a": 2.0})),
    ("bool(tf.experimental.Optional.empty(None).has_value())", False),
    ("L(r.map(lambda x: (x, None)).take(1))", [(0, None)]),
    ("len(r.batch(2))", 3),
]  # fmt: skip

CARDINALITIES: list[tuple[str, int]] = [
    ("r", 5), ("r.batch(2)", 3), ("r.batch(2, True)", 2), ("r.repeat()", -1), ("r.repeat(3)", 15), ("r.repeat(0)", 0),
    ("r.filter(lambda x: True)", -2), ("r.flat_map(lambda x: D.range(2))", -2), ("r.take(3)", 3), ("r.take(9)", 5),
    ("r.skip(3)", 2), ("r.skip(9)", 0), ("r.skip(-1)", 0), ("r.batch(2).unbatch()", -2), ("r.enumerate()", 5),
    ("r.concatenate(r)", 10), ("r.cache()", 5), ("r.shuffle(2)", 5), ("D.zip((r, D.range(3)))", 3),
    ("D.zip((r, D.range(3).repeat()))", 5), ("r.repeat().take(7)", 7), ("r.repeat().take(-1)", -1), ("r.repeat().skip(1)", -1),
    ("r.repeat().batch(3)", -1), ("D.from_tensors(1)", 1), ("r.filter(lambda x: True).take(2)", -2),
    ("r.filter(lambda x: True).repeat()", -1), ("r.filter(lambda x: True).concatenate(r)", -2),
    ("r.repeat().concatenate(r.filter(lambda x: True))", -1), ("D.range(0).repeat()", 0), ("r.filter(lambda x: True).repeat(0)", 0),
    ("D.from_generator(lambda: iter([1]), output_signature=S([]))", -2), ("r.map(lambda x: x)", 5),
]  # fmt: skip

SPECS: list[tuple[str, str]] = [
    ("r", "<_RangeDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("D.from_tensors({'a': 1})", "<_TensorDataset element_spec={'a': TensorSpec(shape=(), dtype=tf.int32, name=None)}>"),
    ("D.from_tensor_slices([[1, 2]])", "<_TensorSliceDataset element_spec=TensorSpec(shape=(2,), dtype=tf.int32, name=None)>"),
    ("r.batch(2)", "<_BatchDataset element_spec=TensorSpec(shape=(None,), dtype=tf.int64, name=None)>"),
    ("r.batch(2, drop_remainder=True)", "<_BatchDataset element_spec=TensorSpec(shape=(2,), dtype=tf.int64, name=None)>"),
    ("r.batch(2).unbatch()", "<_UnbatchDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("r.map(lambda x: x * 2)", "<_MapDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("r.batch(2).map(lambda x: {'a': x + 1})",
     "<_MapDataset element_spec={'a': TensorSpec(shape=(None,), dtype=tf.int64, name=None)}>"),
    ("r.map(lambda x: (x, None))",
     "<_MapDataset element_spec=(TensorSpec(shape=(), dtype=tf.int64, name=None), NoneTensorSpec())>"),
    ("r.flat_map(lambda x: D.range(x))", "<_FlatMapDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("r.take(1).skip(1).repeat().cache()", "<CacheDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("r.with_options(tf.data.Options())", "<_OptionsDataset element_spec=TensorSpec(shape=(), dtype=tf.int64, name=None)>"),
    ("D.from_tensors([1, 2]).concatenate(D.from_tensors([1, 2, 3]))",
     "<_ConcatenateDataset element_spec=TensorSpec(shape=(None,), dtype=tf.int32, name=None)>"),
    ("D.from_generator(lambda: iter([1]), output_types=tf.int64)",
     "<_FlatMapDataset element_spec=TensorSpec(shape=<unknown>, dtype=tf.int64, name=None)>"),
    ("tf.experimental.Optional.from_value((1, {'a': 2.0})).element_spec",
     "(TensorSpec(shape=(), dtype=tf.int32, name=None), {'a': TensorSpec(shape=(), dtype=tf.float32, name=None)})"),
    ("tf.OptionalSpec(None)", "OptionalSpec(None,)"),
    ("tf.data.DatasetSpec(S([]))", "DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))"),
]  # fmt: skip

ERRORS: list[tuple[str, str]] = [
    ("D.range()", "ValueError"),
    ("D.range(1, 5, 0)", "InvalidArgumentError"),
    ("D.from_tensor_slices(3)", "ValueError"),
    ("D.from_tensor_slices(([1, 2], [1, 2, 3]))", "ValueError"),
    ("D.from_tensor_slices(())", "ValueError"),
    ("r.batch(0)", "InvalidArgumentError"),
    ("r.unbatch()", "ValueError"),
    ("D.from_tensors(([1, 2], [1, 2, 3])).unbatch()", "ValueError"),
    ("r.shuffle(0)", "InvalidArgumentError"),
    ("r.prefetch(-3)", "InvalidArgumentError"),
    ("L(r.filter(lambda x: x))", "ValueError"),
    ("r.concatenate(D.from_tensors(1.0))", "TypeError"),
    ("r.concatenate(D.from_tensors((1, 2)))", "TypeError"),
    ("D.zip([r, r])", "TypeError"),
    ("D.zip()", "TypeError"),
    ("D.zip((r, 3))", "TypeError"),
    ("r.apply(lambda d: 3)", "TypeError"),
    ("r.map(3)", "ValueError"),
    ("len(r.repeat())", "TypeError"),
    ("len(r.filter(lambda x: True))", "TypeError"),
    ("iter(r.take(0)).get_next()", "OutOfRangeError"),
    ("next(iter(r.take(0)))", "StopIteration"),
    ("r.reduce(0, lambda s, x: 1.5)", "TypeError"),
    ("r.reduce(0.0, lambda s, x: (s, s))", "InvalidArgumentError"),
    ("r.get_single_element()", "InvalidArgumentError"),
    ("L(D.from_generator(lambda: iter([[1, 2], [3]]), output_signature=S([2])))", "InvalidArgumentError"),
    ("L(D.from_generator(lambda: iter([1]), output_signature=(S([]), S([]))))", "InvalidArgumentError"),
    ("L(D.from_generator(lambda: 3, output_signature=S([])))", "InvalidArgumentError"),
    ("L(D.from_generator(lambda: (1 / 0 for _ in [1]), output_signature=S([])))", "UnknownError"),
    ("D.from_generator(3, output_signature=S([]))", "TypeError"),
    ("D.from_generator(lambda: iter([1]))", "TypeError"),
    ("D.from_generator(lambda: iter([1]), output_types=tf.int64, output_signature=S([]))", "TypeError"),
    ("D.from_generator(lambda: iter([1]), output_signature=3)", "TypeError"),
    ("setattr(tf.data.Options(), 'foo', 1)", "AttributeError"),
    ("setattr(tf.data.Options(), 'deterministic', 3)", "TypeError"),
    ("setattr(tf.data.Options().threading, 'private_threadpool_size', 'a')", "TypeError"),
    ("tf.experimental.Optional.from_value(None)", "InvalidArgumentError"),
]


@pytest.fixture(name="names", scope="module")
def _names() -> dict[str, Any]:
    return scope(headwater)


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(names: dict[str, Any], text: str, expected: Any) -> None:
    if isinstance(expected, str):
        with pytest.raises(Exception, match=r".") as caught:
            eval(text, names)
        assert type(caught.value).__name__ == expected
    else:
        assert eval(text, names) == expected


@pytest.mark.parametrize(("text", "expected"), CARDINALITIES, ids=[t for t, _ in CARDINALITIES])
def test_cardinality(names: dict[str, Any], text: str, expected: int) -> None:
    assert int(eval(text, names).cardinality()) == expected


@pytest.mark.parametrize(("text", "expected"), SPECS, ids=[t for t, _ in SPECS])
def test_spec(names: dict[str, Any], text: str, expected: str) -> None:
    assert repr(eval(text, names)) == expected


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[t for t, _ in ERRORS])
def test_errors(names: dict[str, Any], text: str, expected: str) -> None:
    with pytest.raises(Exception) as caught:
        eval(text, names)
    assert type(caught.value).__name__ == expected


def test_options_merge(names: dict[str, Any]) -> None:
    options = names["tf"].data.Options
    yes, no = options(), options()
    yes.deterministic, no.deterministic = True, False
    assert yes.merge(no).deterministic is False
    assert names["r"].with_options(yes).map(lambda x: x).options().deterministic is True
    assert names["r"].with_options(yes).with_options(no).options().deterministic is False
    assert options() == options()
    assert (
        options().experimental_distribute.auto_shard_policy
        == names["tf"].data.experimental.AutoShardPolicy.AUTO
    )


def test_lists_in_a_signature_are_tuples(names: dict[str, Any]) -> None:
    """Keras hands over such signatures for models with several inputs; TensorFlow refuses them."""
    spec = names["S"]([None])
    dataset = names["D"].from_generator(
        lambda: iter([([[1], [2]], [3])]), output_signature=([spec, spec], spec)
    )
    assert L(dataset) == [(([1], [2]), [3])]
    assert L(dataset.batch(1)) == [(([[1]], [[2]]), [[3]])]


def test_global_seed_decides_the_order(names: dict[str, Any]) -> None:
    tf, dataset = names["tf"], names["D"]
    tf.random.set_seed(5)
    try:
        shuffled = dataset.range(10).shuffle(10)
        assert L(shuffled) == [7, 5, 4, 1, 0, 9, 6, 3, 8, 2]
        assert L(shuffled) == [9, 1, 6, 4, 2, 7, 0, 5, 8, 3]
        assert L(dataset.range(6).shuffle(6, seed=3).repeat(2)) == [4, 5, 0, 2, 1, 3, 2, 4, 1, 0, 3, 5]
    finally:
        tf.random.set_seed(None)


def test_elements_do_not_change_with_the_array() -> None:
    array = np.arange(6.0).reshape(3, 2)
    dataset = headwater.data.Dataset.from_tensor_slices(array)
    array[:] = -1.0
    assert L(dataset) == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]

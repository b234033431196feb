"""Lookup tables against Python's dictionaries, with few and with many keys at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.base.farmhash import fingerprint64
from headwater._src.state import lookup_index, lookup_mutable

KEYS = {
    "int64": st.integers(1, 40) | st.integers(-(2**62), 2**62).filter(lambda k: k not in (-1, 0)),
    "int32": st.integers(1, 2**31 - 1),
    "string": st.binary(min_size=1, max_size=3),
}
RESERVED = {"int64": (0, -1), "int32": (0, -1), "string": (b"", b"\xff\xff\xff\xff")}


@st.composite
def histories(draw: Any) -> Any:
    """A kind of table and keys, and steps: what is inserted, removed and looked up."""
    kind = draw(st.sampled_from(sorted(KEYS)))
    some = st.lists(KEYS[kind], max_size=12)
    step = st.tuples(st.sampled_from(["insert", "remove", "lookup"]), some)
    return draw(st.sampled_from(["Mutable", "Dense"])), kind, draw(st.lists(step, max_size=12))


def table_of(which: str, kind: str) -> Any:
    if which == "Mutable":
        return tf.lookup.experimental.MutableHashTable(kind, tf.int64, -7)
    empty, deleted = RESERVED[kind]
    return tf.lookup.experimental.DenseHashTable(kind, tf.int64, -7, empty, deleted)


def vector(keys: list[Any], kind: str) -> Any:
    return tf.constant(keys, kind, shape=[len(keys)])


@pytest.mark.parametrize("many", [1, 256], ids=["by an index", "by the dictionary"])
@settings(max_examples=80, deadline=None)
@given(history=histories())
def test_mutable_tables_are_dictionaries(many: int, history: Any) -> None:
    which, kind, steps = history
    table, model, count = table_of(which, kind), {}, 0
    kept, lookup_mutable._MANY = lookup_mutable._MANY, many
    try:
        for name, keys in steps:
            if name == "insert":
                values = range(count, count + len(keys))
                count += len(keys)
                model.update(zip(keys, values, strict=True))
                table.insert(vector(keys, kind), tf.constant(list(values), tf.int64, shape=[len(keys)]))
            elif name == "remove":
                for key in keys:
                    model.pop(key, None)
                table.remove(vector(keys, kind))
            else:
                found = table.lookup(vector(keys, kind)).numpy().tolist()
                assert found == [model.get(key, -7) for key in keys]
            assert int(table.size()) == len(model)
    finally:
        lookup_mutable._MANY = kept
    exported = [part.numpy().tolist() for part in table.export()]
    assert dict(zip(*exported, strict=True)) == model


@pytest.mark.parametrize("dtype", ["int32", "int64", "string"])
@pytest.mark.parametrize("count", [1, 2, 1000, 200_000])
def test_static_tables_of_many_keys(dtype: str, count: int) -> None:
    draw = np.random.default_rng(count)
    top = 2**31 - 1 if dtype == "int32" else 2**63 - 1
    numbers = np.unique(draw.integers(-top, top, 2 * count))[: 2 * count]
    draw.shuffle(numbers)
    keys = np.array([b"%d" % n for n in numbers], object) if dtype == "string" else numbers.astype(dtype)
    known, values = keys[:count], np.arange(count)
    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(known), tf.constant(values))
    table = tf.lookup.StaticHashTable(initializer, -1)
    at = draw.integers(0, len(keys), 3000)
    for asked in (at, at % count, at[:1]):
        found = table.lookup(tf.constant(keys[asked])).numpy()
        assert np.array_equal(found, np.where(asked < count, asked, -1))


def test_keys_that_meet_in_every_level_but_the_last() -> None:
    # Multiples of 2**60 have the same upper bits after most multiplications.
    keys = np.arange(-8, 8, dtype=np.int64) * 2**60 + np.arange(16) % 2
    index = lookup_index.KeyIndex(keys)
    assert index.find(keys).tolist() == list(range(16))
    assert index.find(keys + 5).tolist() == [-1] * 16


@settings(max_examples=40, deadline=None)
@given(
    known=st.lists(st.binary(max_size=40), unique=True),
    asked=st.lists(st.binary(max_size=40)),
    buckets=st.integers(1, 99),
)
def test_vocabularies(known: list[bytes], asked: list[bytes], buckets: int) -> None:
    ids = tf.constant(np.arange(len(known)))
    initializer = tf.lookup.KeyValueTensorInitializer(vector(known, "string"), ids)
    table = tf.lookup.StaticVocabularyTable(initializer, buckets)
    asked = asked + known
    wanted = [known.index(t) if t in known else len(known) + fingerprint64(t) % buckets for t in asked]
    assert table.lookup(vector(asked, "string")).numpy().tolist() == wanted
    assert int(table.size()) == len(known) + buckets

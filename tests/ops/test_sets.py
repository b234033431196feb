"""tf.sets against Python's sets, on dense and sparse input of every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.ops import sets

OPERATIONS = {
    "union": (tf.sets.union, set.union),
    "intersection": (tf.sets.intersection, set.intersection),
    "difference": (tf.sets.difference, set.difference),
    "reversed difference": (lambda a, b: tf.sets.difference(a, b, aminusb=False), lambda a, b: b - a),
}
KINDS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "string")


def elements(kind: str) -> Any:
    if kind == "string":
        return st.binary(max_size=3)
    bounds = np.iinfo(kind)
    near = st.integers(0, 6)
    return near | st.integers(int(bounds.min), int(bounds.max))


def rows_of(kind: str, count: int, longest: int) -> Any:
    return st.lists(st.lists(elements(kind), max_size=longest), min_size=count, max_size=count)


def sparse(rows: list[list[Any]], kind: str) -> Any:
    places = [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    values = tf.constant([x for row in rows for x in row], kind, shape=[len(places)])
    width = max(map(len, rows), default=0)
    return tf.SparseTensor(np.array(places, np.int64).reshape(-1, 2), values, [len(rows), width])


def dense(rows: list[list[Any]], kind: str) -> Any:
    return tf.constant(rows, kind, shape=[len(rows), len(rows[0])])


def listed(result: Any, count: int) -> list[list[Any]]:
    found: list[list[Any]] = [[] for _ in range(count)]
    for (row, column), value in zip(
        result.indices.numpy().tolist(), result.values.numpy().tolist(), strict=True
    ):
        assert column == len(found[row])
        found[row].append(value)
    assert result.dense_shape.numpy().tolist() == [count, max(map(len, found), default=0)]
    return found


@st.composite
def problems(draw: Any) -> Any:
    kind, count = draw(st.sampled_from(KINDS)), draw(st.integers(1, 5))
    forms = draw(st.sampled_from(["dense dense", "dense sparse", "sparse sparse"])).split()
    sides = []
    for form in forms:
        if form == "dense":
            width = draw(st.integers(0, 6))
            row = st.lists(elements(kind), min_size=width, max_size=width)
            sides.append((form, draw(st.lists(row, min_size=count, max_size=count))))
        else:
            sides.append((form, draw(rows_of(kind, count, 6))))
    return kind, sides


@pytest.mark.parametrize("few", [0, 10_000], ids=["sorted", "by Python's sets"])
@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_operations_are_those_of_pythons_sets(name: str, few: int, problem: Any) -> None:
    kind, sides = problem
    ours, pythons = OPERATIONS[name]
    tensors = [dense(rows, kind) if form == "dense" else sparse(rows, kind) for form, rows in sides]
    kept, sets._FEW = sets._FEW, few
    try:
        result = ours(*tensors)
    finally:
        sets._FEW = kept
    assert result.dtype.name == kind
    wanted = [sorted(pythons(set(a), set(b))) for a, b in zip(sides[0][1], sides[1][1], strict=True)]
    assert listed(result, len(wanted)) == wanted


@settings(max_examples=50, deadline=None)
@given(problem=problems())
def test_sizes_are_those_of_pythons_sets(problem: Any) -> None:
    kind, sides = problem
    rows = sides[1][1]
    assert tf.sets.size(sparse(rows, kind)).numpy().tolist() == [len(set(row)) for row in rows]


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=10, deadline=None)
@given(problem=problems())
def test_traced_functions_that_know_ranks_only_agree(name: str, problem: Any) -> None:
    kind, sides = problem
    tensors = [dense(rows, kind) if form == "dense" else sparse(rows, kind) for form, rows in sides]
    specs = [
        (tf.SparseTensorSpec if isinstance(t, tf.SparseTensor) else tf.TensorSpec)([None, None], t.dtype)
        for t in tensors
    ]
    found = tf.function(OPERATIONS[name][0], input_signature=specs)(*tensors)
    wanted = OPERATIONS[name][0](*tensors)
    for part in ("indices", "values", "dense_shape"):
        assert np.array_equal(getattr(found, part), getattr(wanted, part))


def test_many_rows_most_of_them_empty() -> None:
    def one(row: int, values: list[int]) -> Any:
        return tf.SparseTensor([[row, i] for i in range(len(values))], values, [10**12, 9])

    found = tf.sets.union(one(5 * 10**11, [3, 1]), one(7, [4]))
    assert found.indices.numpy().tolist() == [[7, 0], [5 * 10**11, 0], [5 * 10**11, 1]]
    assert found.values.numpy().tolist() == [4, 1, 3]


@pytest.mark.parametrize("name", OPERATIONS)
def test_thousands_of_numbers_far_apart(name: str) -> None:
    draw = np.random.default_rng(5)
    pool = draw.integers(-(2**63), 2**63 - 1, 3000, np.int64)
    a, b = draw.choice(pool, (7, 400)), draw.choice(pool, (7, 300))
    ours, pythons = OPERATIONS[name]
    wanted = [sorted(pythons(set(x), set(y))) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert listed(ours(tf.constant(a), tf.constant(b)), 7) == wanted

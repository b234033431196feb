"""Sparse tensors against the dense ones that they stand for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf

KINDS = ("int32", "int64", "float32", "bool", "string", "complex64")


def scalars(kind: str) -> Any:
    whole = st.integers(-4, 4)
    return {
        "bool": st.booleans(),
        "string": st.binary(max_size=2),
        "complex64": st.tuples(whole, whole).map(lambda p: complex(*p)),
        "float32": whole.map(float),
    }.get(kind, whole)


@st.composite
def arrays(draw: Any, kinds: tuple[str, ...] = KINDS, least: int = 1, most: int = 4) -> np.ndarray:
    """Arrays of rank 1 to 4, about half of their elements 0 or empty."""
    kind = draw(st.sampled_from(kinds))
    shape = draw(st.lists(st.integers(0, 4), min_size=least, max_size=most))
    size = int(np.prod(shape))
    nothing = b"" if kind == "string" else 0
    items = draw(st.lists(st.just(nothing) | scalars(kind), min_size=size, max_size=size))
    flat = np.empty(size, object if kind == "string" else kind)
    flat[:] = items
    return flat.reshape(shape)


NUMBERS = arrays(("int32", "int64", "float32"))


@st.composite
def pairs(draw: Any, kinds: tuple[str, ...] = ("int32", "float32")) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of one shape and dtype."""
    a = draw(arrays(kinds))
    items = draw(st.lists(st.just(0) | scalars(str(a.dtype)), min_size=a.size, max_size=a.size))
    return a, np.array(items, a.dtype).reshape(a.shape)


def shuffled(sp: Any, seed: int = 0) -> Any:
    order = np.random.default_rng(seed).permutation(len(sp.values))
    return tf.SparseTensor(tf.gather(sp.indices, order), tf.gather(sp.values, order), sp.dense_shape)


def same(found: Any, wanted: np.ndarray) -> None:
    found = np.asarray(tf.sparse.to_dense(found) if isinstance(found, tf.SparseTensor) else found)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    assert np.array_equal(found, wanted)


@settings(max_examples=80, deadline=None)
@given(array=arrays())
def test_dense_to_sparse_and_back(array: np.ndarray) -> None:
    sp = tf.sparse.from_dense(tf.constant(array))
    same(sp, array)
    same(tf.sparse.reorder(shuffled(sp)), array)
    same(tf.sparse.to_dense(shuffled(sp), validate_indices=False), array)
    nothing = b"" if array.dtype == object else 0
    wanted = [(at, array[at]) for at in itertools.product(*map(range, array.shape)) if array[at] != nothing]
    assert list(zip(map(tuple, sp.indices.numpy().tolist()), sp.values.numpy(), strict=True)) == wanted


@settings(max_examples=40, deadline=None)
@given(array=arrays(least=2, most=2))
def test_nested_lists_through_ragged_and_sparse(array: np.ndarray) -> None:
    ragged = tf.RaggedTensor.from_tensor(tf.constant(array))
    same(ragged.to_sparse(), array)
    assert tf.RaggedTensor.from_sparse(ragged.to_sparse()).to_list() == array.tolist()


UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "transpose": (tf.sparse.transpose, np.transpose),
    "expand_dims": (lambda s: tf.sparse.expand_dims(s, 1), lambda a: np.expand_dims(a, 1)),
    "expand_dims at the end": (lambda s: tf.sparse.expand_dims(s, -1), lambda a: a[..., None]),
    "flattened": (lambda s: tf.sparse.reshape(s, [-1]) if s.shape.num_elements() else s, lambda a: a.reshape(-1) if a.size else a),
    "twice": (lambda s: tf.sparse.concat(0, [s, s]), lambda a: np.concatenate([a, a])),
    "beside itself": (lambda s: tf.sparse.concat(-1, [s, s]), lambda a: np.concatenate([a, a], -1)),
    "slice": (lambda s: tf.sparse.slice(s, [1] * s.shape.rank, [2] * s.shape.rank), lambda a: a[(slice(1, 3),) * a.ndim]),
    "times three": (lambda s: s * 3, lambda a: a * a.dtype.type(3)),
    "squared": (lambda s: tf.sparse.map_values(tf.square, s), np.square),
    "negative": (tf.negative, np.negative),
    "plus itself": (lambda s: tf.sparse.add(s, s), lambda a: a + a),
    "sum": (tf.sparse.reduce_sum, lambda a: np.sum(a, dtype=a.dtype)),
    "sum of rows": (lambda s: tf.sparse.reduce_sum(s, 0), lambda a: np.sum(a, 0, dtype=a.dtype)),
    "sum along the last": (lambda s: tf.sparse.reduce_sum(s, -1, keepdims=True), lambda a: np.sum(a, -1, a.dtype, keepdims=True)),
    "sparse sum": (lambda s: tf.sparse.reduce_sum(s, -1, output_is_sparse=True), lambda a: np.sum(a, -1, dtype=a.dtype)),
}  # fmt: skip


@pytest.mark.parametrize("ordered", [True, False], ids=["in order", "shuffled"])
@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=15, deadline=None)
@given(array=NUMBERS)
def test_operations_of_one(name: str, ordered: bool, array: np.ndarray) -> None:
    ours, numpys = UNARY[name]
    sp = tf.sparse.from_dense(tf.constant(array))
    result = ours(sp if ordered else shuffled(sp))
    if isinstance(result, tf.SparseTensor):
        result = tf.sparse.to_dense(result, validate_indices=False) if not ordered else result
    same(result, numpys(array))


BINARY: dict[str, tuple[Callable[[Any, Any, Any], Any], Any]] = {
    "add": (lambda a, b, _: tf.sparse.add(a, b), np.add),
    "add to a tensor": (lambda a, b, dense: tf.sparse.add(a, dense), np.add),
    "maximum": (lambda a, b, _: tf.sparse.maximum(a, b), np.maximum),
    "minimum": (lambda a, b, _: tf.sparse.minimum(a, b), np.minimum),
    "times a tensor": (lambda a, b, dense: a * dense, np.multiply),
}


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=30, deadline=None)
@given(pair=pairs(), ordered=st.booleans())
def test_operations_of_two(name: str, pair: Any, ordered: bool) -> None:
    ours, numpys = BINARY[name]
    a, b = (tf.sparse.from_dense(tf.constant(x)) for x in pair)
    if not ordered:
        a = shuffled(a)
    result = ours(a, b, tf.constant(pair[1]))
    if isinstance(result, tf.SparseTensor):
        result = tf.sparse.to_dense(result, validate_indices=False)
    same(result, numpys(*pair))


@settings(max_examples=40, deadline=None)
@given(
    array=arrays(("float32", "complex64"), 2, 2), width=st.integers(0, 3), adjoint_a=st.booleans(),
    adjoint_b=st.booleans(), ordered=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_products(
    array: np.ndarray, width: int, adjoint_a: bool, adjoint_b: bool, ordered: bool, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    left = array.conj().T if adjoint_a else array
    dense = draw.integers(-3, 4, (left.shape[1], width)).astype(array.dtype)
    if array.dtype.kind == "c":
        dense = dense + dense[::-1] * np.complex64(1j)
    sp = tf.sparse.from_dense(tf.constant(array))
    sp = sp if ordered else shuffled(sp, seed)
    given_ = tf.constant(dense.conj().T if adjoint_b else dense)
    same(tf.sparse.sparse_dense_matmul(sp, given_, adjoint_a=adjoint_a, adjoint_b=adjoint_b), left @ dense)


@settings(max_examples=40, deadline=None)
@given(array=arrays(("int64",), 2, 3), parts=st.integers(1, 3))
def test_parts_joined_are_the_whole(array: np.ndarray, parts: int) -> None:
    sp = tf.sparse.from_dense(tf.constant(array))
    for axis in range(array.ndim):
        if array.shape[axis] >= parts:
            pieces = tf.sparse.split(sp, parts, axis)
            for piece, wanted in zip(pieces, np.array_split(array, parts, axis), strict=True):
                same(piece, wanted)
            same(tf.sparse.concat(axis, pieces), array)


@settings(max_examples=40, deadline=None)
@given(array=arrays(("int64", "string"), 2, 3), ordered=st.booleans())
def test_empty_rows_are_filled(array: np.ndarray, ordered: bool) -> None:
    nothing, fill = (b"", b"x") if array.dtype == object else (0, 9)
    sp = tf.sparse.from_dense(tf.constant(array))
    filled, empty = tf.sparse.fill_empty_rows(sp if ordered else shuffled(sp), fill)
    wanted = array.copy()
    rows = [bool((row == nothing).all()) if row.size else True for row in array]
    for i, is_empty in enumerate(rows):
        if is_empty and wanted[i].size:
            wanted[i][(0,) * (array.ndim - 1)] = fill
    assert empty.numpy().tolist() == rows
    if array.size:
        same(tf.sparse.reorder(filled), wanted)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(0, 30), min_size=1), least=st.integers(0, 40))
def test_counts(values: list[int], least: int) -> None:
    wanted = np.bincount(values, minlength=least)
    same(tf.sparse.bincount(tf.constant(values), minlength=least), wanted.astype(np.int32))

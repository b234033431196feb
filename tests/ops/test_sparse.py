"""Sparse tensors as values: construction, operators, elementwise functions, symbolic ones. Answers are TensorFlow 2.21's.

The functions of tf.sparse and tf.sets are sampled beside their definitions and compared in tests/conformance.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.base.farmhash import concatenated, fingerprint64
from headwater._src.core.graph import FuncGraph
from headwater._src.ops import sparse_math

PLACES = [[0, 1], [1, 0]]


def make(values: Any = (1.0, 2.0)) -> Any:
    return tf.SparseTensor(PLACES, list(values), [2, 3])


def dense(sp: Any) -> Any:
    return tf.sparse.to_dense(sp).numpy().tolist()


# -- construction -----------------------------------------------------------------------------------------------------

BAD = {
    "counts": (([[0, 1]], [1.0, 2.0], [2, 3]), ValueError, "1 positions for 2 values"),
    "ranks": (([[0, 1]], [1.0], [2, 3, 4]), ValueError, "rank 2 in a dense_shape of length 3"),
    "indices-rank": (([0, 1], [1.0, 2.0], [2, 3]), ValueError, "indices must have rank 2"),
    "values-rank": (([[0, 1]], 1.0, [2, 3]), ValueError, "values must have rank 1"),
    "float-indices": (([[0.0, 1]], [1.0], [2, 3]), TypeError, "int64"),
    "negative-shape": (([[0, 1]], [1.0], [2, -3]), ValueError, ">= 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_parts_that_do_not_fit_are_refused(name: str) -> None:
    arguments, error, words = BAD[name]
    with pytest.raises(error, match=words):
        tf.SparseTensor(*arguments)


def test_int32_tensors_are_no_positions_but_arrays_are_converted() -> None:
    with pytest.raises(ValueError, match="int64"):
        tf.SparseTensor(tf.constant(PLACES), [1.0, 2.0], [2, 3])
    assert tf.SparseTensor(np.array(PLACES, np.int32), [1.0, 2.0], [2, 3]).indices.dtype == tf.int64


def test_what_a_sparse_tensor_tells_of_itself() -> None:
    sp = make()
    assert (sp.dtype, sp.shape.as_list(), sp.get_shape().rank) == (tf.float32, [2, 3], 2)
    assert repr(sp).startswith("SparseTensor(indices=tf.Tensor(")
    assert tf.is_tensor(sp) and not hasattr(sp, "numpy") and sp.consumers() == []
    assert tf.type_spec_from_value(sp) == tf.SparseTensorSpec([2, 3], tf.float32)
    assert [p.shape.as_list() for p in tf.nest.flatten(sp, expand_composites=True)] == [[2, 2], [2], [2]]
    with pytest.raises(ValueError, match="compatible"):
        sp.set_shape([2, 4])
    with pytest.raises(ValueError):
        sp.with_values([1.0])


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), tf.identity]
)
def test_copies(copied: Callable[[Any], Any]) -> None:
    sp = make()
    other = copied(sp)
    assert other is not sp and other != sp
    assert dense(other) == dense(sp)
    assert tf.SparseTensor.from_value(sp).shape == sp.shape


# -- operators --------------------------------------------------------------------------------------------------------

OPERATORS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "scalar": (lambda s, d: s * 2.0, [[0.0, 2.0, 0.0], [4.0, 0.0, 0.0]]),
    "dense": (lambda s, d: s * d, [[0.0, 1.0, 0.0], [6.0, 0.0, 0.0]]),
    "dense-first": (lambda s, d: d * s, [[0.0, 1.0, 0.0], [6.0, 0.0, 0.0]]),
    "vector": (lambda s, d: s * tf.constant([1.0, 2.0, 3.0]), [[0.0, 2.0, 0.0], [2.0, 0.0, 0.0]]),
    "column": (lambda s, d: s * tf.constant([[5.0], [7.0]]), [[0.0, 5.0, 0.0], [14.0, 0.0, 0.0]]),
    "quotient": (lambda s, d: s / 2.0, [[0.0, 0.5, 0.0], [1.0, 0.0, 0.0]]),
    "divide": (lambda s, d: tf.divide(s, d), [[0.0, 1.0, 0.0], [2 / 3, 0.0, 0.0]]),
    "cast": (lambda s, d: tf.cast(tf.cast(s, tf.int32), tf.float32), [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]),
    "stop-gradient": (lambda s, d: tf.stop_gradient(s), [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]),
    "map-values": (lambda s, d: tf.sparse.map_values(tf.add, s, y=s), [[0.0, 2.0, 0.0], [4.0, 0.0, 0.0]]),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    operate, want = OPERATORS[name]
    result = operate(make(), tf.constant([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))
    assert isinstance(result, tf.SparseTensor)
    np.testing.assert_allclose(dense(result), want, rtol=1e-6)


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], type]] = {
    "add-scalar": (lambda s, d: s + 42.0, TypeError),
    "add-sparse": (lambda s, d: s + s, TypeError),
    "add-dense": (lambda s, d: s + d, ValueError),
    "dense-add": (lambda s, d: d + s, ValueError),
    "scalar-times": (lambda s, d: 2.0 * s, TypeError),
    "times-sparse": (lambda s, d: s * s, ValueError),
    "times-larger": (lambda s, d: s * tf.ones((4, 2, 3)), tf.errors.InvalidArgumentError),
    "over-sparse": (lambda s, d: d / s, ValueError),
    "matmul": (lambda s, d: s @ d, ValueError),
    "negative": (lambda s, d: -s, TypeError),
    "power": (lambda s, d: s**2, TypeError),
    "index": (lambda s, d: s[0], TypeError),
    "length": (lambda s, d: len(s), TypeError),
    "tf.add": (lambda s, d: tf.add(s, s), ValueError),
    "tf.multiply": (lambda s, d: tf.multiply(d, s), ValueError),
    "tf.concat": (lambda s, d: tf.concat([s, s], 0), ValueError),
    "tf.reduce_sum": (lambda s, d: tf.reduce_sum(s), ValueError),
    "tf.nn.relu": (lambda s, d: tf.nn.relu(s), ValueError),
    "tf.convert_to_tensor": (lambda s, d: tf.convert_to_tensor(s), ValueError),
    "tf.constant": (lambda s, d: tf.constant(s), ValueError),
    "tf.Variable": (lambda s, d: tf.Variable(s), ValueError),
    "map-values-dense": (lambda s, d: tf.sparse.map_values(tf.abs, d), ValueError),
    "map-values-places": (
        lambda s, d: tf.sparse.map_values(tf.add, s, tf.SparseTensor([[0, 0], [1, 1]], [1.0, 2.0], [2, 3])),
        tf.errors.InvalidArgumentError,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_sparse_tensors_do_not_take_part_in(name: str) -> None:
    operate, error = REFUSED[name]
    with pytest.raises(error):
        operate(make(), tf.ones((2, 3)))


UNARY = "abs asin asinh atan atanh erf negative sign sin sqrt square tan tanh bessel_i0e bessel_i1e".split()


@pytest.mark.parametrize("name", UNARY)
def test_elementwise_functions_work_on_the_values(name: str) -> None:
    function = getattr(tf.math, name)
    sp = make([0.25, 0.5])
    result = function(sp)
    assert result.shape == sp.shape and result.indices is sp.indices
    np.testing.assert_array_equal(result.values.numpy(), function(sp.values).numpy())


@pytest.mark.parametrize(
    ("function", "want"),
    [(tf.shape, [2, 3]), (tf.size, 6), (tf.rank, 2), (lambda s: tf.shape(s, out_type=tf.int64), [2, 3])],
)
def test_questions(function: Callable[[Any], Any], want: Any) -> None:
    assert function(make()).numpy().tolist() == want


# -- gradients and products -------------------------------------------------------------------------------------------


def test_gradients_go_through_operators_and_elementwise_functions() -> None:
    values, matrix = tf.constant([1.0, 2.0]), tf.constant([[0.0, 3.0, 2.0], [5.0, 4.0, 5.0]])
    with tf.GradientTape() as tape:
        tape.watch([values, matrix])
        sp = tf.SparseTensor(PLACES, values, [2, 3])
        total = tf.sparse.reduce_sum(tf.square(sp) * matrix)
    of_values, of_matrix = tape.gradient(total, [values, matrix])
    assert of_values.numpy().tolist() == [6.0, 20.0]
    assert tf.convert_to_tensor(of_matrix).numpy().tolist() == [[0.0, 1.0, 0.0], [4.0, 0.0, 0.0]]


def test_sparse_products_are_those_of_the_dense_matrices() -> None:
    rng = np.random.default_rng(0)
    a, b = (
        np.where(rng.random(s) < 0.5, rng.random(s), 0).astype(np.float32) for s in ((3, 4, 5), (3, 5, 2))
    )
    for left, right in ((a, b), (a[0], b[0])):
        parts = [tf.sparse.from_dense(x) for x in (left, right)]
        csr = [
            sparse_math.sparse_tensor_to_csr_sparse_matrix(p.indices, p.values, p.dense_shape) for p in parts
        ]
        product = sparse_math.csr_sparse_matrix_to_sparse_tensor(
            sparse_math.sparse_matrix_sparse_mat_mul(*csr)
        )
        np.testing.assert_allclose(dense(product), left @ right, rtol=1e-5)


def test_large_products_agree_with_small_ones() -> None:
    rng = np.random.default_rng(1)
    a = np.where(rng.random((60, 70)) < 0.2, rng.random((60, 70)), 0)
    b = rng.random((70, 50))
    product = tf.sparse.sparse_dense_matmul(tf.sparse.from_dense(a), b)
    np.testing.assert_allclose(product.numpy(), a @ b, rtol=1e-12)


def test_mask_drops_rows() -> None:
    slices = tf.IndexedSlices(
        tf.constant([[1.0], [2.0], [3.0]]), tf.constant([12, 26, 37]), tf.constant([100, 1])
    )
    kept = tf.sparse.mask(slices, [26, 45])
    assert kept.indices.numpy().tolist() == [12, 37]
    assert kept.values.numpy().tolist() == [[1.0], [3.0]]


def test_map_fn_goes_over_the_rows() -> None:
    sp = tf.sparse.from_dense([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 3.0], [0.0, 0.0]]])
    result = tf.map_fn(
        lambda row: tf.sparse.sparse_dense_matmul(row, [[1.0], [10.0]]), sp, fn_output_signature=tf.float32
    )
    assert result.numpy().tolist() == [[[1.0], [20.0]], [[30.0], [0.0]]]


def test_positions_too_wide_for_one_integer_are_sorted_all_the_same() -> None:
    far = 2**40
    sp = tf.SparseTensor([[far, 1], [0, far], [far, 0]], [1, 2, 3], [far + 1, far + 1])
    assert tf.sparse.reorder(sp).values.numpy().tolist() == [2, 3, 1]


# -- in a graph -------------------------------------------------------------------------------------------------------

SYMBOLIC: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "to_dense": (tf.sparse.to_dense, [None, 3]),
    "transpose": (tf.sparse.transpose, [3, None]),
    "expand_dims": (lambda s: tf.sparse.expand_dims(s, 0), [1, None, 3]),
    "reshape": (lambda s: tf.sparse.reshape(s, [-1, 1, 3]), [None, 1, 3]),
    "reduce_sum": (lambda s: tf.sparse.reduce_sum(s, 1, True), [None, 1]),
    "matmul": (lambda s: tf.sparse.sparse_dense_matmul(s, tf.ones((3, 5))), [None, 5]),
    "concat": (lambda s: tf.sparse.concat(1, [s, s]), [None, 6]),
    "add": (lambda s: tf.sparse.add(s, tf.square(s)), [None, 3]),
    "multiply": (lambda s: s * tf.ones((3,)), [None, 3]),
    "identity": (tf.identity, [None, 3]),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_static_shapes_of_symbolic_sparse_tensors(name: str) -> None:
    function, want = SYMBOLIC[name]
    with FuncGraph("shapes").as_default():
        sp = tf.compat.v1.sparse_placeholder(tf.float32, [None, 3])
        assert sp.shape.as_list() == [None, 3]
        assert function(sp).shape.as_list() == want


# -- FarmHash ---------------------------------------------------------------------------------------------------------

FINGERPRINTS = {
    0: 1936946117179621455,
    1: 4494688008148699988,
    4: 365121004050576997,
    8: 2037891737372276647,
    16: 4301628150755241371,
    17: 2691913911681613940,
    32: 764915578794662492,
    33: 4270527518038761543,
    64: 2325104078259550602,
    65: 1750252573709625707,
    128: 2861393397590574203,
    200: 1800212452726993940,
}


@pytest.mark.parametrize("length", FINGERPRINTS)
def test_fingerprints(length: int) -> None:
    assert fingerprint64(bytes(i * 7 % 256 for i in range(length))) % 2**62 == FINGERPRINTS[length]


def test_joined_fingerprints_depend_on_the_order() -> None:
    assert concatenated(1, 2) != concatenated(2, 1)

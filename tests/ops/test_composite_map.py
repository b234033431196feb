"""tf.map_fn with ragged and sparse tensors: what the recorded expressions of topics/maps.txt do not show."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

SPARSE = tf.SparseTensor([[0, 1], [0, 3], [2, 0]], [1.0, 2.0, 3.0], [3, 4])
DENSE = tf.sparse.to_dense(SPARSE).numpy()


def _eager(function):
    return function


def _traced(function):
    return tf.function(function, autograph=False)


@pytest.mark.parametrize("mode", [_eager, _traced])
def test_gradients_reach_the_values_of_sparse_rows(mode) -> None:
    def loss(s):
        with tf.GradientTape() as tape:
            tape.watch(s)
            rows = tf.map_fn(lambda r: tf.sparse.to_dense(r) ** 2, s, fn_output_signature=tf.float32)
            result = tf.reduce_sum(rows)
        return tape.gradient(result, s)

    np.testing.assert_array_equal(tf.sparse.to_dense(mode(loss)(SPARSE)), 2 * DENSE)


@pytest.mark.parametrize("mode", [_eager, _traced])
def test_gradients_reach_what_sparse_results_are_made_of(mode) -> None:
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            made = tf.map_fn(tf.sparse.from_dense, x, fn_output_signature=tf.SparseTensorSpec([4]))
            result = tf.reduce_sum(made.values**3)
        return tape.gradient(result, x)

    np.testing.assert_array_equal(mode(gradient)(tf.constant(DENSE)), 3 * DENSE**2)


@pytest.mark.parametrize("shape", [None, [None, None], [3, 4]])
def test_one_trace_serves_sparse_tensors_of_many_shapes(shape) -> None:
    spec = tf.SparseTensorSpec(shape)
    twice = tf.function(lambda s: tf.map_fn(lambda r: r * 2.0, s), input_signature=[spec], autograph=False)
    for rows in (
        (DENSE, DENSE[::-1]) if shape == [3, 4] else (DENSE, DENSE[:1, :2], np.ones((7, 1), np.float32))
    ):
        found = twice(tf.sparse.from_dense(rows))
        np.testing.assert_array_equal(tf.sparse.to_dense(found), 2 * rows)


def test_the_number_of_rows_is_known_while_tracing() -> None:
    shapes = []

    @tf.function(input_signature=[tf.RaggedTensorSpec([3, None], tf.int32), tf.SparseTensorSpec([3, 4])])
    def trace(ragged, sparse):
        shapes.append(tf.map_fn(tf.reduce_sum, ragged, fn_output_signature=tf.int32).shape)
        shapes.append(tf.map_fn(lambda r: r[:1], ragged).shape)
        shapes.append(tf.map_fn(tf.sparse.to_dense, sparse, fn_output_signature=tf.float32).shape)
        spec = tf.SparseTensorSpec([4])
        shapes.append(tf.map_fn(lambda s: s, sparse, fn_output_signature=spec).shape)
        return ragged

    trace(tf.ragged.constant([[1], [], [2, 3]]), SPARSE)
    assert shapes == [[3], [3, None], [3, 4], [3, 4]]


def test_sparse_elems_must_have_as_many_rows_as_the_others() -> None:
    for call in (tf.map_fn, tf.function(tf.map_fn, autograph=False)):
        with pytest.raises(ValueError, match="as many rows"):
            call(lambda p: tf.sparse.to_dense(p[0]), (SPARSE, tf.zeros([2])), fn_output_signature=tf.float32)


def test_vectorized_map_gives_sparse_tensors_of_different_sizes() -> None:
    x = tf.constant([[0.0, 1.0], [0.0, 0.0], [2.0, 3.0]])
    for call in (tf.vectorized_map, tf.function(tf.vectorized_map, autograph=False)):
        found = call(tf.sparse.from_dense, x)
        np.testing.assert_array_equal(tf.sparse.to_dense(found), x)
        found = call(lambda p: tf.sparse.from_dense(p[0] * p[1]), (x, tf.constant([[2.0, 2.0]])))
        np.testing.assert_array_equal(tf.sparse.to_dense(found), x * 2)


@pytest.mark.parametrize("mode", [_eager, _traced])
def test_a_slice_of_a_captured_tensor_has_a_gradient_inside_branches_and_loops(mode) -> None:
    x = tf.constant([[3.0, 1.0], [2.0, 5.0]])
    uses = [
        lambda: tf.cond(tf.constant(True), lambda: x[0, 1] * 2.0, lambda: x[1, 0]),
        lambda: tf.map_fn(lambda r: r * x[0, 1], tf.constant([0.5, 1.5])),
        lambda: tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a + x[0, 1]), (0, 0.0))[1],
    ]
    for use in uses:

        def gradient(use=use):
            with tf.GradientTape() as tape:
                tape.watch(x)
                result = use()
            return tape.gradient(result, x)

        np.testing.assert_array_equal(mode(gradient)(), [[0.0, 2.0], [0.0, 0.0]])


def test_a_tape_outside_sees_through_a_slice_of_a_captured_tensor() -> None:
    x = tf.constant([3.0, 1.0])
    call = tf.function(lambda: x[0] * 2.0)
    for _ in range(2):  # the first call traces, the second finds the graph
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = call()
        np.testing.assert_array_equal(tape.gradient(result, x), [2.0, 0.0])

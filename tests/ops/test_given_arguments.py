"""What becomes of arguments that are no tensors yet: arrays of other dtypes, lists with tensors in them, sizes of graphs."""

import numpy as np
import pytest

import headwater as tf

ONES = np.ones(3)
TWO = tf.constant(2.0)

ARRAYS = {
    "bool": (lambda: tf.logical_and(ONES, [True, False, True]), tf.bool, [True, False, True]),
    "bool of integers": (lambda: tf.logical_not(np.array([0, 5])), tf.bool, [True, False]),
    "condition": (lambda: tf.where(np.array([1.0, 0.0]), 1.0, 2.0), tf.float32, [1.0, 2.0]),
    "complex": (lambda: tf.signal.fft(np.array([1.0, 0.0])), tf.complex64, [1.0, 1.0]),
    "complex of integers": (lambda: tf.signal.ifft(np.array([2, 0])), tf.complex64, [1.0, 1.0]),
    "float32": (lambda: tf.audio.decode_wav(tf.audio.encode_wav(np.array([[0.5], [0]]), 8000))[0], tf.float32, [[0.5], [0.0]]),
    "allowed as it is": (lambda: tf.signal.fft(np.array([1.0, 0.0], np.complex128)), tf.complex128, [1.0, 1.0]),
}  # fmt: skip


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("call, dtype, values", ARRAYS.values(), ids=ARRAYS)
def test_arrays_become_the_only_dtype_that_fits(call, dtype, values, graph):
    found = (tf.function(call) if graph else call)()
    assert found.dtype is dtype
    np.testing.assert_allclose(found, values, atol=1e-4)


def test_tensors_keep_their_dtype_and_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be float32"):
        tf.audio.encode_wav(tf.ones([2, 1], tf.float64), 8000)
    with pytest.raises(tf.errors.InvalidArgumentError, match="indices"):
        tf.raw_ops.Gather(params=[1.0, 2.0], indices=np.zeros(1))


LISTS = {
    "hint": (lambda: tf.convert_to_tensor([TWO, 1], dtype_hint=tf.int32), tf.int32, [2, 1]),
    "beside integers": (lambda: tf.constant([1, 2]) + [TWO, 1], tf.int32, [3, 3]),
    "beside floats": (lambda: tf.constant([1.0, 2.0]) + [tf.constant(1), 1], tf.float32, [2.0, 3.0]),
    "shape": (lambda: tf.shape(tf.reshape(tf.zeros(4), (TWO, 2, 1))), tf.int32, [2, 2, 1]),
}


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("call, dtype, values", LISTS.values(), ids=LISTS)
def test_tensors_in_lists_are_cast_to_what_is_wanted(call, dtype, values, graph):
    found = (tf.function(call) if graph else call)()
    assert (found.dtype, found.numpy().tolist()) == (dtype, values)


def test_sizes_of_floating_tensors_of_a_graph():
    run = tf.function(
        lambda x, n: tf.reshape(x, (n, n, 1)), input_signature=[tf.TensorSpec([4]), tf.TensorSpec([])]
    )
    assert run(tf.zeros(4), TWO).shape == (2, 2, 1)


@pytest.mark.parametrize("jit", [False, True])
def test_bands_as_wide_as_a_tensor_says(jit):
    x = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    run = tf.function(tf.linalg.band_part, jit_compile=jit)
    for low in (-1, 0, 1, 2):
        for high in (-1, 0, 2):
            found = run(tf.constant(x), tf.constant(low), tf.constant(high))
            np.testing.assert_array_equal(found, tf.linalg.band_part(x, low, high))


def test_python_gets_the_value_that_a_graph_knows():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])], autograph=False)
    def run(x):
        with pytest.raises(TypeError, match="symbolic"):
            int(tf.shape(x)[0])
        return x[:, : int(tf.shape(x)[1] - 1)]

    assert run(tf.zeros([2, 3])).shape == (2, 2)


def test_branches_keep_what_both_know():
    @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([], tf.bool)])
    def run(x, p):
        size = tf.cond(p, lambda: tf.concat([tf.shape(x)[:1], [4]], 0), lambda: tf.stack([tf.shape(x)[0], 4]))
        shapes.append(tf.zeros(size).shape.as_list())
        sparse = tf.sparse.from_dense(x)
        shapes.append(tf.cond(p, lambda: sparse, lambda: tf.sparse.from_dense(x * 2)).shape.as_list())
        other = tf.cond(p, lambda: tf.shape(x), lambda: tf.constant([7, 7]))
        shapes.append(tf.zeros(other).shape.as_list())
        return tf.zeros(size)

    shapes: list = []
    assert run(tf.zeros([2, 3]), tf.constant(True)).shape == (2, 4)
    assert shapes == [[None, 4], [None, 3], [None, None]]


# -- ragged -----------------------------------------------------------------------------------------------------------

ROWS = [[0, 1, 1], [2, 0], [], [9]]


def test_rows_that_were_gathered_are_ragged():
    x = tf.RaggedTensor.from_tensor([[1, 2], [3, 4], [5, 6]])
    found = tf.gather(x, [2, 0])
    assert found.shape.as_list() == [2, None] and found.to_list() == [[5, 6], [1, 2]]


COUNTS = {
    "rows": ({}, [[1, 2, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]]),
    "binary": ({"binary_output": True}, [[1, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]]),
    "weights": ({"weights": tf.ragged.constant([[0.5, 1, 1], [2, 0], [], [9]])}, [[0.5, 2, 0], [0, 0, 2], [0, 0, 0], [0, 0, 0]]),
}  # fmt: skip


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("options, counts", COUNTS.values(), ids=COUNTS)
def test_bincount_of_ragged_rows(options, counts, graph):
    def run():
        x = tf.ragged.constant(ROWS)
        dense = tf.math.bincount(x, axis=-1, maxlength=3, **options)
        return dense, tf.sparse.to_dense(tf.sparse.bincount(x, axis=-1, maxlength=3, minlength=3, **options))

    for found in (tf.function(run) if graph else run)():
        assert found.numpy().tolist() == counts


def test_bincount_over_all_and_along_no_other_axis():
    x = tf.ragged.constant([[0, 1, 1], [2]])
    assert tf.math.bincount(x).numpy().tolist() == [1, 2, 1]
    assert tf.sparse.to_dense(tf.sparse.bincount(x)).numpy().tolist() == [1, 2, 1]
    with pytest.raises(ValueError, match="axis"):
        tf.math.bincount(x, axis=1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.math.bincount(x, axis=-1, weights=tf.ragged.constant([[1.0], [2, 3, 4]]))

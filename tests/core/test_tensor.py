"""Tensors: conversion, printing, NumPy both ways, strictness. The expected texts are what TensorFlow 2.21 prints."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import headwater as tf

T = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]

REPRS = [
    (lambda: tf.constant(T), "<tf.Tensor: shape=(2, 3), dtype=float32, numpy=\narray([[1., 2., 3.],\n       [4., 5., 6.]], dtype=float32)>"),
    (lambda: tf.constant([1.5]), "<tf.Tensor: shape=(1,), dtype=float32, numpy=array([1.5], dtype=float32)>"),
    (lambda: tf.constant(7), "<tf.Tensor: shape=(), dtype=int32, numpy=7>"),
    (lambda: tf.constant(2**40), "<tf.Tensor: shape=(), dtype=int64, numpy=1099511627776>"),
    (lambda: tf.constant(True), "<tf.Tensor: shape=(), dtype=bool, numpy=True>"),
    (lambda: tf.constant(1 + 2j), "<tf.Tensor: shape=(), dtype=complex128, numpy=(1+2j)>"),
    (lambda: tf.constant("abc"), "<tf.Tensor: shape=(), dtype=string, numpy=b'abc'>"),
    (lambda: tf.constant("é"), "<tf.Tensor: shape=(), dtype=string, numpy=b'\\xc3\\xa9'>"),
    (lambda: tf.constant(["a", b"b"]), "<tf.Tensor: shape=(2,), dtype=string, numpy=array([b'a', b'b'], dtype=object)>"),
    (lambda: tf.constant(1, tf.bfloat16), "<tf.Tensor: shape=(), dtype=bfloat16, numpy=1.0>"),
    (lambda: tf.constant([1.5, 2], tf.bfloat16), "<tf.Tensor: shape=(2,), dtype=bfloat16, numpy=array([1.5, 2], dtype=bfloat16)>"),
    (lambda: tf.zeros((0, 3)), "<tf.Tensor: shape=(0, 3), dtype=float32, numpy=array([], shape=(0, 3), dtype=float32)>"),
    (lambda: tf.constant(np.array([2.0, 4.0, 5.0])), "<tf.Tensor: shape=(3,), dtype=float64, numpy=array([2., 4., 5.])>"),
    (lambda: tf.constant([1, 2]).ref(), "<Reference wrapping <tf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 2], dtype=int32)>>"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), REPRS, ids=[t[:40] for _, t in REPRS])
def test_repr(make, text):
    assert repr(make()) == text


def test_str_and_format():
    assert str(tf.constant(T)) == "tf.Tensor(\n[[1. 2. 3.]\n [4. 5. 6.]], shape=(2, 3), dtype=float32)"
    assert f"{tf.constant(2.5):.3f}" == "2.500"
    assert f"{tf.constant(T)}" == "[[1. 2. 3.]\n [4. 5. 6.]]"


CONVERSIONS = [
    # value, dtype asked for, dtype and values that come
    (1.5, None, "float32", 1.5),
    ([1, 2.5], None, "float32", [1.0, 2.5]),
    ([1, 2**40], None, "int64", [1, 2**40]),
    ([1, True], None, "int32", [1, 1]),
    ([np.float64(1.0)], None, "float64", [1.0]),
    ([np.float32(1.0), 2], None, "float32", [1.0, 2.0]),
    ([np.int64(1)], None, "int32", [1]),
    (np.float64(1), None, "float64", 1.0),
    ([np.arange(3), np.arange(3)], None, "int32", [[0, 1, 2], [0, 1, 2]]),
    (np.arange(3), None, "int64", [0, 1, 2]),
    (np.arange(3), "float32", "float32", [0.0, 1.0, 2.0]),
    (np.arange(3.0), "int32", "int32", [0, 1, 2]),
    (np.array([1.5]), "bool", "bool", [True]),
    (np.array([1 + 1j]), "float32", "float32", [1.0]),
    (range(3), None, "int32", [0, 1, 2]),
    ((1, 2), None, "int32", [1, 2]),
    ([], None, "float32", []),
    ([[], []], None, "float32", [[], []]),
    (True, "float32", "float32", 1.0),
    (True, "int32", "int32", 1),
    (1, "complex64", "complex64", 1 + 0j),
    (300, "uint8", "uint8", 44),
    (-1, "uint8", "uint8", 255),
    (2**32, "int32", "int32", 0),
    (70000, "float16", "float16", np.inf),
    (np.array(["a", "b"]), None, "string", [b"a", b"b"]),
    (b"a\0", None, "string", b"a\0"),
]


PACKED = [
    # tensors in a list are cast to the dtype that is asked for, though a tensor alone never is
    (lambda: tf.convert_to_tensor([tf.constant(2.5), tf.constant(1)], tf.int32), "int32", [2, 1]),
    (lambda: tf.convert_to_tensor([[tf.constant(1)], [2.5]], tf.float32), "float32", [[1], [2.5]]),
    (lambda: tf.convert_to_tensor((3, tf.constant(0.5))), "float32", [3, 0.5]),
    (lambda: tf.reshape([1, 2, 3, 4], (tf.constant(2.0), 2)), "int32", [[1, 2], [3, 4]]),
]


@pytest.mark.parametrize(("make", "dtype", "values"), PACKED, ids=range(len(PACKED)))
def test_lists_of_tensors_become_one_tensor(make, dtype, values):
    assert make().dtype.name == dtype
    np.testing.assert_array_equal(make().numpy(), values)


@pytest.mark.parametrize(("value", "dtype", "expected", "values"), CONVERSIONS, ids=lambda v: repr(v)[:30])
def test_constant_follows_tensorflow_dtypes(value, dtype, expected, values):
    t = tf.constant(value, dtype)
    assert t.dtype.name == expected
    assert np.array_equal(
        np.asarray(t.numpy(), t.dtype.as_numpy_dtype), np.array(values, t.dtype.as_numpy_dtype)
    )


REFUSED = [
    (lambda: tf.constant([1, "a"]), ValueError, "mixed"),
    (lambda: tf.constant([True, 1]), ValueError, "mixes"),
    (lambda: tf.constant([1.0, None]), ValueError, "mixed"),
    (lambda: tf.constant([[1, 2], [3]]), ValueError, "rectangular"),
    (lambda: tf.constant(2**63), ValueError, "int64"),
    (lambda: tf.constant(1e39), ValueError, "float32"),
    (lambda: tf.constant(None), ValueError, "NoneType"),
    (lambda: tf.constant({"a": 1}), ValueError, "dict"),
    (lambda: tf.constant(np.datetime64("2020")), ValueError, "datetime"),
    (lambda: tf.constant(1.5, tf.int32), TypeError, "int32"),
    (lambda: tf.constant(1, tf.bool), TypeError, "bool"),
    (lambda: tf.constant("a", tf.float32), TypeError, "float32"),
    (lambda: tf.constant(1.0, tf.string), TypeError, "string"),
    (lambda: tf.constant(1 + 1j, tf.float32), TypeError, "float32"),
    (lambda: tf.constant([1, 2, 3], shape=(2, 2)), TypeError, "shape"),
    (lambda: tf.constant(tf.constant(1.0), tf.float64), TypeError, "float64"),
    (lambda: tf.convert_to_tensor(tf.constant(1.0), tf.float64), ValueError, "tf.cast"),
    (lambda: tf.as_dtype("foo"), TypeError, "foo"),
    (lambda: tf.as_dtype(None), TypeError, "None"),
    (lambda: hash(tf.constant(1)), TypeError, r"ref\(\)"),
    (lambda: len(tf.constant(1)), TypeError, "len"),
    (lambda: list(tf.constant(1)), TypeError, "iterate"),
    (lambda: bool(tf.constant([1, 2])), ValueError, "ambiguous"),
    (lambda: int(tf.constant([3])), TypeError, "scalar"),
    (lambda: tf.constant(1).op, AttributeError, "graph"),
    (lambda: tf.constant(T).T, AttributeError, "tf.transpose"),
    (lambda: tf.constant(T).nonsense, AttributeError, "nonsense"),
    (lambda: tf.constant(T).assign(1), AttributeError, "Variable"),
]  # fmt: skip


@pytest.mark.parametrize(("deed", "error", "text"), REFUSED, ids=range(len(REFUSED)))
def test_refusals_say_what_and_how_to_mend(deed, error, text):
    with pytest.raises(error, match=text):
        deed()


MIXED = [
    # TensorFlow converts nothing by itself; the class depends on who converts the Python value
    (lambda: tf.constant(2.0) + tf.constant(40), tf.errors.InvalidArgumentError),
    (lambda: tf.constant(2.0) + tf.constant(40, tf.float64), tf.errors.InvalidArgumentError),
    (lambda: tf.constant(1) + 1.5, tf.errors.InvalidArgumentError),
    (lambda: tf.constant(1) * 1.5, TypeError),
    (lambda: 1.5 + tf.constant(1), TypeError),
    (lambda: 1.5 * tf.constant(1), TypeError),
    (lambda: tf.constant(1) < 1.5, TypeError),
    (lambda: tf.constant(1) / 1.5, TypeError),
    (lambda: tf.constant(1) ** 0.5, TypeError),
    (lambda: tf.constant(1.0) == "a", TypeError),
    (lambda: tf.add(1, tf.constant(1.0)), tf.errors.InvalidArgumentError),
    (lambda: tf.multiply(tf.constant(1), 1.5), TypeError),
    (lambda: tf.constant([True]) + 1, tf.errors.InvalidArgumentError),
    (lambda: tf.square("a"), tf.errors.InvalidArgumentError),
    (lambda: tf.sin(1), tf.errors.InvalidArgumentError),
    (lambda: tf.constant(1.0) & tf.constant(1.0), tf.errors.InvalidArgumentError),
    (lambda: tf.constant(5) // 0, tf.errors.InvalidArgumentError),
    (lambda: tf.constant(2) ** -1, tf.errors.InvalidArgumentError),
    (lambda: tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0]), tf.errors.InvalidArgumentError),
    (lambda: tf.cast("a", tf.float32), tf.errors.UnimplementedError),
    (lambda: tf.convert_to_tensor([tf.constant(1), tf.constant(0.5)]), tf.errors.InvalidArgumentError),
    (lambda: tf.convert_to_tensor([tf.constant(1), 0.5]), TypeError),
]


@pytest.mark.parametrize(("deed", "error"), MIXED, ids=range(len(MIXED)))
def test_no_automatic_conversion(deed, error):
    with pytest.raises(error) as caught:
        deed()
    assert type(caught.value) is error


def test_mismatch_names_both_dtypes_and_the_remedy():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.constant([2.0]) + tf.constant(40)
    text = str(caught.value)
    assert "float32[1]" in text and "int32[]" in text and "tf.cast" in text
    assert caught.value.message == text and caught.value.error_code == 3


OPERATORS = [
    (lambda t: t + 10, [[11, 12, 13], [14, 15, 16]]),
    (lambda t: 10 + t, [[11, 12, 13], [14, 15, 16]]),
    (lambda t: t - 1, [[0, 1, 2], [3, 4, 5]]),
    (lambda t: 1 - t, [[0, -1, -2], [-3, -4, -5]]),
    (lambda t: t * 2.5, [[2.5, 5, 7.5], [10, 12.5, 15]]),
    (lambda t: np.float64(2) * t, [[2, 4, 6], [8, 10, 12]]),
    (lambda t: np.array([1.0, 2.0, 3.0]) + t, [[2, 4, 6], [5, 7, 9]]),
    (lambda t: t + np.ones(3, np.int32), [[2, 3, 4], [5, 6, 7]]),
    (lambda t: t + [1, 2, 3], [[2, 4, 6], [5, 7, 9]]),
    (lambda t: t / 2, [[0.5, 1, 1.5], [2, 2.5, 3]]),
    (lambda t: t // 2, [[0, 1, 1], [2, 2, 3]]),
    (lambda t: t % 2, [[1, 0, 1], [0, 1, 0]]),
    (lambda t: t**2, [[1, 4, 9], [16, 25, 36]]),
    (lambda t: 2.0**t, [[2, 4, 8], [16, 32, 64]]),
    (lambda t: -t, [[-1, -2, -3], [-4, -5, -6]]),
    (lambda t: abs(-t), [[1, 2, 3], [4, 5, 6]]),
    (lambda t: t @ tf.transpose(t), [[14, 32], [32, 77]]),
    (lambda t: t > 2, [[False, False, True], [True, True, True]]),
    (lambda t: t == t, [[True] * 3] * 2),
    (lambda t: t != 3, [[True, True, False], [True, True, True]]),
    (lambda t: t == np.ones((5, 5)), False),
    (lambda t: t * 0.0, [[0.0] * 3] * 2),
    (lambda t: (t > 2) & True, [[False, False, True], [True, True, True]]),
    (lambda t: ~(t > 2), [[True, True, False], [False, False, False]]),
]


@pytest.mark.parametrize(("compute", "expected"), OPERATORS, ids=range(len(OPERATORS)))
def test_operators(compute, expected):
    result = compute(tf.constant(T))
    assert result.dtype.name in ("float32", "bool")
    np.testing.assert_array_equal(result.numpy(), expected)


def test_scalar_cache_keeps_signs_of_zero_and_types_apart():
    t = tf.constant([1.0])
    for _ in range(2):
        assert np.signbit((t * -0.0).numpy())[0] and not np.signbit((t * 0.0).numpy())[0]
        assert (tf.constant([1], tf.int64) + 1).dtype is tf.int64
        assert (t + 1).dtype is tf.float32
        assert (t + True).numpy()[0] == 2.0


def test_integer_arithmetic_wraps_and_divides_as_tensorflow():
    assert (tf.constant(1, tf.uint8) + 300).numpy() == 45
    assert (tf.constant(5) / 2).dtype is tf.float64
    assert (tf.constant(-7) // 2).numpy() == -4


def test_numpy_both_ways():
    a = np.arange(6.0).reshape(2, 3)
    t = tf.constant(a)
    a[0, 0] = 100.0
    assert t.dtype is tf.float64 and t.numpy()[0, 0] == 0.0
    mine = t.numpy()
    mine[0, 0] = 7.0
    assert t.numpy()[0, 0] == 0.0
    view = np.asarray(t)
    assert not view.flags.writeable
    np.testing.assert_array_equal(np.array(t), t.numpy())
    assert isinstance(np.square(t), np.ndarray)
    assert tf.square(np.array([3.0])).dtype is tf.float64
    fresh = np.array(t)
    fresh[0, 0] = 1.0
    assert t.numpy()[0, 0] == 0.0


def test_dlpack_both_ways():
    t = tf.constant(T)
    array = np.from_dlpack(t)
    np.testing.assert_array_equal(array, T)
    back = tf.experimental.dlpack.from_dlpack(tf.experimental.dlpack.to_dlpack(t))
    np.testing.assert_array_equal(back.numpy(), T)
    source = np.arange(3.0)
    assert tf.constant(source.__dlpack__() and source).shape == (3,)


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("value", [T, 3, "text", [b"a", b"b"], True])
def test_copies_and_pickles(clone, value):
    t = tf.constant(value)
    other = clone(t)
    assert other.dtype is t.dtype and other.shape == t.shape
    np.testing.assert_array_equal(other.numpy(), t.numpy())


def test_pickle_of_dtypes_shapes_and_specs():
    for value in (
        tf.float32,
        tf.bfloat16,
        tf.TensorShape([1, None]),
        tf.TensorShape(None),
        tf.TensorSpec([2], tf.int32),
    ):
        assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(tf.float32)) is tf.float32


def test_python_protocols():
    assert bool(tf.constant(1)) and int(tf.constant(3.7)) == 3 and float(tf.constant(2)) == 2.0
    assert complex(tf.constant(1j)) == 1j
    assert [10, 20, 30][tf.constant(1)] == 20
    assert [x.numpy() for x in tf.constant([1, 2])] == [1, 2]
    t = tf.constant([1, 2])
    assert {t.ref(): "here"}[t.ref()] == "here" and t.ref().deref() is t
    assert t.ndim == 1 and t.get_shape() == (2,) and "CPU:0" in t.device


def test_tensors_cannot_be_assigned_to():
    t = tf.constant(T)
    with pytest.raises(TypeError, match=r"tf\.Variable"):
        t[0, 0] = 1.0


def test_operations_leave_user_settings_alone():
    """A zero division is NumPy's business to warn about in user code, and nobody's inside a tensor operation."""
    with np.errstate(all="raise"):
        assert np.isinf((tf.constant([1.0]) / tf.constant([0.0])).numpy()[0])
        assert np.isneginf(tf.math.log(tf.constant([0.0])).numpy()[0])
        assert np.isnan((tf.constant([np.inf]) - tf.constant([np.inf])).numpy()[0])
        with pytest.raises(FloatingPointError):
            np.array([1.0]) / np.array([0.0])

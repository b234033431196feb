"""Control flow, host functions, assertions and tensor arrays against what TensorFlow 2.21 gives."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import headwater
from headwater._src.base import nest


def plain(value: Any) -> Any:
    """Tensors as lists, structures kept."""
    return nest.map_structure(lambda t: np.asarray(t).tolist() if hasattr(t, "numpy") else t, value)


def throw(error: BaseException) -> Any:
    """A function that raises."""

    def function(*args: Any) -> None:
        raise error

    return function


def scope(tf: Any) -> dict[str, Any]:
    """What the cases below may name."""
    return {"tf": tf, "np": np, "C": tf.constant, "A": tf.debugging, "TA": tf.TensorArray, "plain": plain, "throw": throw,
            "x": tf.constant([1.0, 2.0]), "i": tf.constant([1, 2]), "S": tf.TensorSpec}  # fmt: skip


VALUES: list[tuple[str, Any]] = [
    ("tf.cond(True, lambda: 1, lambda: 2)", 1),
    ("tf.cond(C(0), lambda: 1, lambda: [2])", [2]),
    ("tf.cond(np.array(True), lambda: None, lambda: 2)", None),
    ("tf.case([(C(False), lambda: 1), (C(True), lambda: 2)], lambda: 3)", 2),
    ("tf.case([(C(False), lambda: 1)], default=lambda: 3)", 3),
    ("tf.switch_case(C(1), [lambda: 1, lambda: 2])", 2),
    ("tf.switch_case(C(5), [lambda: 1, lambda: 2])", 2),
    ("tf.switch_case(C(-1), {1: lambda: 1, 0: lambda: 2}, default=lambda: 9)", 9),
    ("plain(tf.while_loop(lambda i, j: i < 3, lambda i, j: (i + 1, j * 2), (C(0), C(1))))", (3, 8)),
    ("plain(tf.while_loop(lambda i, j: i < 3, lambda i, j: [i + 1, j * 2], (C(0), C(1))))", [3, 8]),
    ("plain(tf.while_loop(lambda i: i < 30, lambda i: [i + 1], [C(0)], maximum_iterations=4))", [4]),
    ("plain(tf.while_loop(lambda i, j: False, lambda i, j: (i, j), [0, [1, 2.0]]))", [0, [1, 2.0]]),
    ("plain(tf.map_fn(lambda v: v * 2, C([1, 2])))", [2, 4]),
    ("plain(tf.map_fn(lambda v: v[0] + v[1], (C([1, 2]), C([3, 4])), dtype=tf.int32))", [4, 6]),
    ("plain(tf.map_fn(lambda v: {'a': v['a']}, {'a': C([1, 2])}))", {"a": [1, 2]}),
    ("plain(tf.map_fn(lambda v: 5, C([1, 2])))", [5, 5]),
    ("tf.map_fn(lambda v: v, C([], tf.float32)).shape.as_list()", [0]),
    ("tf.map_fn(lambda v: v, np.zeros([0, 3], 'f'), fn_output_signature=S([2], tf.float32)).shape.as_list()", [0, 2]),
    ("plain(tf.vectorized_map(lambda v: (v, {'a': v}), C([1, 2])))", ([1, 2], {"a": [1, 2]})),
    ("plain(tf.vectorized_map(lambda v: v[0] + v[1], (C([1]), C([3, 4]))))", [4, 5]),
    ("tf.vectorized_map(lambda v: v + v, C(np.zeros([0, 3], 'f'))).shape.as_list()", [0, 3]),
    ("plain(tf.foldl(lambda a, v: a - v, C([1, 2, 3]), 10))", 4),
    ("plain(tf.foldr(lambda a, v: a - v, C([1, 2, 3])))", 0),
    ("plain(tf.foldl(lambda a, v: a + v[0] * v[1], (C([1, 2]), C([3, 4])), 0))", 11),
    ("plain(tf.foldl(lambda a, v: a + v, C([], tf.int32), 4))", 4),
    ("plain(tf.scan(lambda a, v: a + v, C([1, 2, 3])))", [1, 3, 6]),
    ("plain(tf.scan(lambda a, v: a + v, C([1, 2, 3]), reverse=True))", [6, 5, 3]),
    ("plain(tf.scan(lambda a, v: (a[1], a[0] + a[1]), C([1, 2, 3]), (0, 1)))", ([1, 1, 2], [1, 2, 3])),
    ("tf.scan(lambda a, v: a + v, C([], tf.int32), 1).shape.as_list()", [0]),
    ("plain(tf.tuple([C(1), C(2)]))", [1, 2]),
    ("tf.group(C(1))", None),
    ("plain(tf.py_function(lambda v: v * 2, [C(2.0)], tf.float32))", 4.0),
    ("plain(tf.py_function(lambda v: [v, v], [C(2.0)], [tf.float32, tf.float32]))", [2.0, 2.0]),
    ("plain(tf.py_function(lambda v: [v], [C(2.0)], tf.float32))", 2.0),
    ("plain(tf.py_function(lambda v: 5, [C(2.0)], tf.float32))", 5.0),
    ("tf.py_function(lambda v: None, [C(2.0)], [])", []),
    ("plain(tf.py_function(lambda: 'a', [], tf.string))", b"a"),
    ("tf.numpy_function(lambda v: np.float64(3), [C(2.0)], tf.float32).dtype.name", "float64"),
    ("plain(tf.numpy_function(lambda v: type(v).__name__, [C(2.0)], tf.string))", b"ndarray"),
    ("plain(tf.numpy_function(lambda v: (v, v), [C(2.0)], [tf.float32, tf.float32]))", [2.0, 2.0]),
    ("tf.numpy_function(lambda v: None, [C(2.0)], [])", None),
    ("tf.timestamp().dtype.name", "float64"),
    ("tf.Assert(True, ['a'])", None),
    ("A.assert_equal([1], [[1], [1]])", None),
    ("A.assert_none_equal(x, x + 1)", None),
    ("A.assert_less(x, 3.0)", None),
    ("A.assert_positive([])", None),
    ("A.assert_non_negative([0])", None),
    ("A.assert_near(x, x + 1e-3, atol=1e-2)", None),
    ("A.assert_near(1.0, 1.0 + 2e-6)", None),
    ("A.assert_near(C(1.0, tf.float16), C(1.002, tf.float16))", None),
    ("A.assert_rank(x, C(1))", None),
    ("A.assert_rank_in(x, (1, 2))", None),
    ("A.assert_shapes([(x, ('N',)), (np.zeros([3, 2]), ('M', 'N'))])", None),
    ("A.assert_shapes([(np.zeros([2, 3]), 'NM'), (C(1.0), ()), (x, (None,))])", None),
    ("A.assert_proper_iterable({})", None),
    ("A.assert_same_float_dtype([x, x]).name", "float32"),
    ("[A.is_numeric_tensor(v) for v in (x, 1, C('a'), C(True))]", [True, False, False, False]),
    ("bool(tf.math.is_strictly_increasing([1, 1]))", False),
    ("bool(tf.math.is_non_decreasing([[1, 1], [2, 4]]))", True),
    ("plain(A.check_numerics(x, 'm'))", [1.0, 2.0]),
    ("plain(TA(tf.float32, 2).unstack([[1.0, 2.0], [3.0, 4.0]]).gather([1, 0, 1]))", [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]),
    ("plain(TA(tf.float32, 2).unstack([[1.0, 2.0], [3.0, 4.0]]).concat())", [1.0, 2.0, 3.0, 4.0]),
    ("plain(TA(tf.int32, 0, dynamic_size=True).write(2, 5).stack())", [0, 0, 5]),
    ("plain(TA(tf.float32, 3, element_shape=[2]).scatter([0, 2], [[1.0, 2.0], [3.0, 4.0]]).stack())",
     [[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]),
    ("plain(TA(tf.float32, 2, infer_shape=False).split(C([1.0, 2.0, 3.0]), [1, 2]).concat())", [1.0, 2.0, 3.0]),
    ("TA(tf.float32, 2, infer_shape=False).split(C([1.0, 2.0, 3.0]), [1, 2]).read(1).shape.as_list()", [2]),
    ("TA(tf.float32, 0, element_shape=[3]).stack().shape.as_list()", [0, 3]),
    ("plain(TA(tf.string, 2).write(0, 'a').stack())", [b"a", b""]),
    ("int(TA(tf.float32, 2, dynamic_size=True).unstack([1.0, 2.0, 3.0]).scatter([5], [9.0]).size())", 6),
    ("repr(tf.TensorArraySpec([2], tf.int32, True, False))", "TensorArraySpec(TensorShape([2]), tf.int32, True, False)"),
]  # fmt: skip

ERRORS: list[tuple[str, str]] = [
    ("tf.cond(True, 1, lambda: 2)", "TypeError"),
    ("tf.cond(True, lambda: 1)", "TypeError"),
    ("tf.cond(C([True, False]), lambda: 1, lambda: 2)", "ValueError"),
    ("tf.cond(None, lambda: 1, lambda: 2)", "ValueError"),
    ("tf.case([(C(False), lambda: 1)])", "InvalidArgumentError"),
    ("tf.case([])", "ValueError"),
    ("tf.case([(True, lambda: 1)])", "TypeError"),
    ("tf.case(3)", "TypeError"),
    ("tf.case([(C(True), lambda: 1)], default=3)", "TypeError"),
    ("tf.switch_case(1, [lambda: 1, lambda: 2])", "TypeError"),
    ("tf.switch_case(C(1.0), [lambda: 1])", "TypeError"),
    ("tf.switch_case(C(0), {1: lambda: 1, 2: lambda: 2})", "ValueError"),
    ("tf.switch_case(C(0), [3])", "TypeError"),
    ("tf.while_loop(3, lambda i: i, [0])", "TypeError"),
    ("tf.while_loop(lambda i: i < 3, lambda i: i + 1, [])", "ValueError"),
    ("tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0])", "TypeError"),
    ("tf.while_loop(lambda i: i < 3, lambda i: (i + 1, 2), [C(0)])", "ValueError"),
    ("tf.while_loop(lambda i: i < 3, lambda i: [i], [C(0)], parallel_iterations=0)", "TypeError"),
    ("tf.map_fn(lambda v: v, C(1))", "ValueError"),
    ("tf.map_fn(lambda v: v, (C([1, 2]), C([1])))", "ValueError"),
    ("tf.map_fn(lambda v: (v, v), C([1, 2]))", "ValueError"),
    ("tf.map_fn(lambda v: 1.5 * tf.cast(v, tf.float32), C([1, 2]))", "InvalidArgumentError"),
    (
        "tf.map_fn(lambda v: np.zeros([3], 'f'), C([1.0, 2.0]), fn_output_signature=S([2], tf.float32))",
        "ValueError",
    ),
    ("tf.vectorized_map(lambda v: v[0] + v[1], (C([1, 2]), C([3, 4, 5])))", "InvalidArgumentError"),
    ("tf.foldl(lambda a, v: a + v, C([], tf.int32))", "OutOfRangeError"),
    ("tf.scan(lambda a, v: tf.cast(v, tf.float32), C([1, 2]), 1)", "InvalidArgumentError"),
    ("tf.scan(lambda a, v: [a, v], C([1, 2]), 1)", "ValueError"),
    ("tf.py_function(lambda v: v, [C(2.0)], tf.int32)", "InvalidArgumentError"),
    ("tf.py_function(lambda v: None, [1], tf.int32)", "InvalidArgumentError"),
    ("tf.py_function(lambda v: v, [1], None)", "TypeError"),
    ("tf.py_function(3, [1], tf.int32)", "ValueError"),
    ("tf.py_function(throw(ValueError('v')), [], tf.int32)", "InvalidArgumentError"),
    ("tf.py_function(throw(KeyError('v')), [], tf.int32)", "UnknownError"),
    ("tf.py_function(throw(MemoryError('v')), [], tf.int32)", "ResourceExhaustedError"),
    ("tf.py_function(throw(NotImplementedError('v')), [], tf.int32)", "UnimplementedError"),
    ("tf.numpy_function(throw(ZeroDivisionError('v')), [], tf.int32)", "ZeroDivisionError"),
    ("tf.numpy_function(3, [1], tf.int32)", "TypeError"),
    ("tf.Assert(C(False), ['a', C([1, 2])])", "InvalidArgumentError"),
    ("tf.Assert(C([True, False]), ['a'])", "ValueError"),
    ("A.assert_equal(x, [1.0, 3.0], message='m')", "InvalidArgumentError"),
    ("A.assert_equal(i, x)", "InvalidArgumentError"),
    ("A.assert_equal(C([1, 2]), C([1, 2, 3]))", "InvalidArgumentError"),
    ("A.assert_none_equal(x, x)", "InvalidArgumentError"),
    ("A.assert_less(x, x)", "InvalidArgumentError"),
    ("A.assert_less('a', 'b')", "InvalidArgumentError"),
    ("A.assert_less_equal(x + 1, x)", "InvalidArgumentError"),
    ("A.assert_greater(x, x)", "InvalidArgumentError"),
    ("A.assert_greater_equal(x, 5.0)", "InvalidArgumentError"),
    ("A.assert_positive([0.0])", "InvalidArgumentError"),
    ("A.assert_positive('a')", "TypeError"),
    ("A.assert_negative(x)", "InvalidArgumentError"),
    ("A.assert_non_negative([-1])", "InvalidArgumentError"),
    ("A.assert_non_positive([1])", "InvalidArgumentError"),
    ("A.assert_near(x, x + 1e-3)", "InvalidArgumentError"),
    ("A.assert_near(C(1.0, tf.float64), C(1.0 + 2e-9, tf.float64))", "InvalidArgumentError"),
    ("A.assert_near(i, i)", "ValueError"),
    ("A.assert_near(x, C([1.0, 2.0], tf.float64))", "ValueError"),
    ("A.assert_rank(x, 2)", "ValueError"),
    ("A.assert_rank(x, C([1]))", "ValueError"),
    ("A.assert_rank(x, 1.5)", "TypeError"),
    ("A.assert_rank_at_least(x, 2)", "ValueError"),
    ("A.assert_rank_in(x, [2, 3])", "ValueError"),
    ("A.assert_shapes([(x, ('N',)), (np.zeros([3, 3]), ('M', 'N'))])", "ValueError"),
    ("A.assert_shapes([(x, (3,))])", "ValueError"),
    ("A.assert_shapes([(x, ())])", "ValueError"),
    ("A.assert_shapes([(x, 3)])", "ValueError"),
    ("A.assert_shapes([(np.zeros([2, 3]), ('A', 'A'))])", "ValueError"),
    ("A.assert_shapes([(x, ('N', '...', 'M'))])", "ValueError"),
    ("A.assert_type(x, tf.int32)", "TypeError"),
    ("A.assert_integer(x)", "TypeError"),
    ("A.assert_proper_iterable(x)", "TypeError"),
    ("A.assert_proper_iterable('a')", "TypeError"),
    ("A.assert_same_float_dtype([x, i])", "ValueError"),
    ("A.assert_same_float_dtype([i])", "ValueError"),
    ("A.assert_scalar(x)", "ValueError"),
    ("tf.math.is_strictly_increasing(['a'])", "TypeError"),
    ("A.check_numerics(C([1.0, np.inf]), 'm')", "InvalidArgumentError"),
    ("A.assert_all_finite(C([np.nan]), 'm')", "InvalidArgumentError"),
    ("A.check_numerics(i, 'm')", "InvalidArgumentError"),
    ("TA(tf.float32)", "ValueError"),
    ("TA(tf.float32, 3).read(7)", "OutOfRangeError"),
    ("TA(tf.float32, 3).write(3, 1.0)", "OutOfRangeError"),
    ("TA(tf.float32, 3).write(-1, 1.0)", "OutOfRangeError"),
    ("TA(tf.float32, 3).write(2, C(1))", "InvalidArgumentError"),
    ("TA(tf.float32, 3).write(0, 1.0).write(1, [1.0, 2.0])", "ValueError"),
    ("TA(tf.float32, 2, element_shape=[2]).write(0, 1.0)", "ValueError"),
    ("TA(tf.float32, 2).stack()", "ValueError"),
    ("TA(tf.float32, 2).unstack([1.0, 2.0, 3.0])", "ValueError"),
    ("TA(tf.float32, 0).unstack(C(1.0))", "ValueError"),
    ("TA(tf.float32, 0).concat()", "InvalidArgumentError"),
    (
        "TA(tf.float32, 2, infer_shape=False).write(0, [1.0]).write(1, [1.0, 2.0]).stack()",
        "InvalidArgumentError",
    ),
    ("TA(tf.float32, 2).split(C([1.0, 2.0, 3.0]), [1, 1])", "InvalidArgumentError"),
    ("TA(tf.float32, 2).split(C([1.0, 2.0, 3.0]), [1, 1, 1])", "InvalidArgumentError"),
    ("TA(tf.float32, 2).split(C(1.0), [1])", "InvalidArgumentError"),
    ("TA(tf.float32, 2).grad('s')", "NotImplementedError"),
]

PRINTED: list[tuple[str, dict[str, Any], str]] = [
    ("('a', 1, 2.5)", {}, "a 1 2.5\n"),
    ("(1, 2)", {"sep": ",", "end": "!"}, "1,2!"),
    ("(C([1.0, 2.5, 1e10, 1e-10, np.nan, np.inf, 123456789.0]),)", {}, "[1 2.5 1e+10 ... nan inf 123456792]\n"),
    ("(C([*range(10)]),)", {"summarize": -1}, "[0 1 2 3 4 5 6 7 8 9]\n"),
    ("(C([*range(10)]),)", {"summarize": 0}, "[ ...]\n"),
    ("(C(np.arange(21).reshape(7, 3)),)", {"summarize": 1}, "[[0 ... 2]\n ...\n [18 ... 20]]\n"),
    ("(C(np.arange(24).reshape(2, 3, 4)),)", {},
     "[[[0 1 2 3]\n  [4 5 6 7]\n  [8 9 10 11]]\n\n [[12 13 14 15]\n  [16 17 18 19]\n  [20 21 22 23]]]\n"),
    ("(C(np.ones([8, 2, 2])),)", {"summarize": 1}, "[[[1 1]\n  [1 1]]\n\n ...\n\n [[1 1]\n  [1 1]]]\n"),
    ("(C('a'), C(['a b', 'c\"d']))", {}, 'a ["a b" "c\\"d"]\n'),
    ("(True, C(True), C([True, False]))", {}, "True 1 [1 0]\n"),
    ("({'b': C([1]), 'a': 'v'}, (1, C(2)), ['s'], (1,))", {}, "{'a': 'v', 'b': [1]} (1, 2) ['s'] (1,)\n"),
    ("(C(1 / 3), C(1 / 3, tf.float64), C(1 / 3, tf.float16), C(1 / 3, tf.bfloat16))", {},
     "0.333333343 0.33333333333333331 0.333251953 0.333984375\n"),
    ("(C([0.1, 1e-7, 123456.7, 1e6, 1e5, -0.0]),)", {}, "[0.1 1e-07 123456.703 1e+06 100000 -0]\n"),
    ("(C([]), C(np.zeros([0, 2])), C(np.zeros([2, 0])), None)", {}, "[] [] [\n ...] None\n"),
]  # fmt: skip


@pytest.fixture(name="names", scope="module")
def _names() -> dict[str, Any]:
    return scope(headwater)


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(names: dict[str, Any], text: str, expected: Any) -> None:
    assert eval(text, names) == expected


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[t for t, _ in ERRORS])
def test_errors(names: dict[str, Any], text: str, expected: str) -> None:
    with pytest.raises(Exception) as caught:
        eval(text, names)
    assert type(caught.value).__name__ == expected
    assert str(caught.value)


@pytest.mark.parametrize(("text", "options", "expected"), PRINTED, ids=[t for t, _, _ in PRINTED])
def test_print(names: dict[str, Any], text: str, options: dict[str, Any], expected: str) -> None:
    stream = io.StringIO()
    names["tf"].print(*eval(text, names), output_stream=stream, **options)
    assert stream.getvalue() == expected


def test_print_goes_to_stderr(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    names["tf"].print("x")
    assert capsys.readouterr() == ("", "x\n")


def test_read_clears(names: dict[str, Any]) -> None:
    tf = names["tf"]
    array = tf.TensorArray(tf.float32, 1).write(0, 1.0)
    assert float(array.read(0)) == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="clear_after_read"):
        array.read(0)
    kept = tf.TensorArray(tf.float32, 1, clear_after_read=False).write(0, 1.0)
    assert [float(kept.read(0)) for _ in range(2)] == [1.0, 1.0]


GRADIENTS: list[tuple[str, list[float]]] = [
    ("lambda tf, x: tf.scan(lambda a, v: a * v, x)", [1 + 3 + 3 * 5, 2 + 2 * 5, 2 * 3]),
    ("lambda tf, x: tf.map_fn(lambda v: v * v, x)", [4.0, 6.0, 10.0]),
    (
        "lambda tf, x: tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y * x), (tf.constant(0), x))[1]",
        [12.0, 27.0, 75.0],
    ),
    ("lambda tf, x: tf.py_function(lambda v: v * v, [x], tf.float32)", [4.0, 6.0, 10.0]),
    ("lambda tf, x: tf.TensorArray(tf.float32, 3).unstack(x).write(1, x[0] * x[2]).stack()", [6.0, 0.0, 3.0]),
    ("lambda tf, x: tf.debugging.check_numerics(x * x, 'm')", [4.0, 6.0, 10.0]),
    ("lambda tf, x: tf.cond(x[0] > 0.0, lambda: x * 3.0, lambda: x)", [3.0, 3.0, 3.0]),
]


@pytest.mark.parametrize(("text", "expected"), GRADIENTS, ids=[t for t, _ in GRADIENTS])
def test_gradient(names: dict[str, Any], text: str, expected: list[float]) -> None:
    tf = names["tf"]
    x = tf.constant([2.0, 3.0, 5.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = eval(text)(tf, x)
    np.testing.assert_allclose(np.asarray(tape.gradient(y, x)), expected)

"""Shapes, dtypes, specifications and nested structures."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import headwater as tf

S = tf.TensorShape


def test_shape_prints_as_tensorflow():
    assert repr(S([1, None])) == "TensorShape([1, None])" and repr(S(None)) == "TensorShape(None)"
    assert (
        str(S([1, None])) == "(1, None)"
        and str(S([3])) == "(3,)"
        and str(S(None)) == "<unknown>"
        and str(S([])) == "()"
    )
    assert repr(tf.TensorSpec([1, None])) == "TensorSpec(shape=(1, None), dtype=tf.float32, name=None)"
    assert repr(tf.float32) == "tf.float32" and str(tf.float32) == "<dtype: 'float32'>"


FACTS = [
    (lambda: S([1, 2]) == (1, 2), True),
    (lambda: S([1, 2]) == [1, 2], True),
    (lambda: S([1, None]) == S([1, None]), True),
    (lambda: S([1, None]) == S([1, 2]), False),
    (lambda: S([1, 2])[0], 1),
    (lambda: S([1, 2, 3])[1:], S([2, 3])),
    (lambda: S(None)[0], None),
    (lambda: S(3), S([3])),
    (lambda: S([2, 3]).num_elements(), 6),
    (lambda: S([2, None]).num_elements(), None),
    (lambda: S([2, None]).rank, 2),
    (lambda: S([2]).concatenate([None]), S([2, None])),
    (lambda: S([2]) + [3], S([2, 3])),
    (lambda: S([2, None]).merge_with([None, 3]), S([2, 3])),
    (lambda: S([2, None]).is_compatible_with([2, 5]), True),
    (lambda: S([2, None]).is_compatible_with([3, 5]), False),
    (lambda: S([2, 3]).most_specific_compatible_shape([2, 4]), S([2, None])),
    (lambda: S([2, None]).is_fully_defined(), False),
    (lambda: bool(S(None)), False),
    (lambda: tuple(S([2, None])), (2, None)),
    (lambda: tf.broadcast_static_shape(S([1, 3]), S([2, 1])), S([2, 3])),
    (lambda: tf.broadcast_static_shape(S([None, 3]), S([2, 1])), S([2, 3])),
    (lambda: tf.float32 == np.float32, True),
    (lambda: tf.float32 == "float32", True),
    (lambda: tf.float32 == tf.float64, False),
    (lambda: tf.float32 in (None, "x", tf.float32), True),
    (lambda: tf.as_dtype(float) is tf.float32 and tf.as_dtype("half") is tf.float16, True),
    (lambda: tf.as_dtype(np.float64) is tf.float64 and tf.as_dtype(bool) is tf.bool, True),
    (lambda: tf.as_dtype(np.dtype("U3")) is tf.string and tf.as_dtype(3) is tf.int32, True),
    (lambda: (tf.uint8.min, tf.uint8.max), (0, 255)),
    (lambda: tf.float16.max == np.finfo(np.float16).max, True),
    (lambda: tf.complex64.real_dtype, tf.float32),
    (lambda: tf.bfloat16.is_floating and not tf.int32.is_floating and tf.uint8.is_unsigned, True),
    (lambda: (tf.float32.size, tf.int64.size, tf.string.size), (4, 8, 0)),
    (
        lambda: (tf.int32.max + 1, type(tf.uint8.min), tf.int8.limits, tf.float32.limits),
        (2**31, int, (0, 127), (0, 1)),
    ),
    (lambda: tf.TensorSpec([None, 3]).is_compatible_with(tf.zeros((2, 3))), True),
    (lambda: tf.TensorSpec([None, 3], tf.int32).is_compatible_with(tf.zeros((2, 3))), False),
    (lambda: tf.TensorSpec([2]).most_specific_common_supertype([tf.TensorSpec([3])]), tf.TensorSpec([None])),
    (lambda: tf.TensorSpec([2]).is_subtype_of(tf.TensorSpec([None])), True),
    (lambda: hash(tf.TensorSpec([2])) == hash(tf.TensorSpec([2])), True),
    (lambda: tf.TensorSpec.from_tensor(tf.zeros((2, 3))), tf.TensorSpec([2, 3])),
]


@pytest.mark.parametrize(("compute", "expected"), FACTS, ids=range(len(FACTS)))
def test_facts(compute, expected):
    assert compute() == expected


REFUSED = [
    (lambda: S([2, -1]), ValueError),
    (lambda: S("a"), TypeError),
    (lambda: S([2.0]), TypeError),
    (lambda: len(S(None)), ValueError),
    (lambda: S(None).as_list(), ValueError),
    (lambda: S([2]).merge_with([3]), ValueError),
    (lambda: S([2]).assert_is_compatible_with([3]), ValueError),
    (lambda: S([2]).with_rank(3), ValueError),
    (lambda: tf.broadcast_static_shape(S([2]), S([3])), ValueError),
    (lambda: tf.string.max, TypeError),
    (lambda: tf.nest.pack_sequence_as([1, 2], [1]), ValueError),
    (lambda: tf.nest.pack_sequence_as([1, 2], [1, 2, 3]), ValueError),
    (lambda: tf.nest.pack_sequence_as([1, 2], 5), TypeError),
    (lambda: tf.nest.map_structure(len), ValueError),
    (lambda: tf.nest.assert_same_structure([1, 2], [1]), ValueError),
    (lambda: tf.nest.assert_same_structure([1, 2], (1, 2)), TypeError),
    (lambda: tf.nest.assert_same_structure({"a": 1}, {"b": 1}), ValueError),
    (lambda: tf.nest.flatten({1: 0, "a": 0}), TypeError),
]


@pytest.mark.parametrize(("deed", "error"), REFUSED, ids=range(len(REFUSED)))
def test_refusals(deed, error):
    with pytest.raises(error):
        deed()


Point = collections.namedtuple("Point", "x y")


def test_nest_keeps_types_and_orders_keys():
    structure = {"b": [1, (2, 3)], "a": Point(4, [5]), "c": collections.OrderedDict(z=6, y=7)}
    assert tf.nest.flatten(structure) == [4, 5, 1, 2, 3, 7, 6]
    doubled = tf.nest.map_structure(lambda v: 2 * v, structure)
    assert doubled == {"b": [2, (4, 6)], "a": Point(8, [10]), "c": collections.OrderedDict(z=12, y=14)}
    assert list(doubled) == ["b", "a", "c"] and type(doubled["c"]) is collections.OrderedDict
    assert tf.nest.is_nested([1]) and not tf.nest.is_nested("text") and not tf.nest.is_nested(np.ones(2))
    assert tf.nest.flatten(3) == [3] and tf.nest.flatten(None) == [None]
    slices = tf.IndexedSlices([[1.0]], [0])
    assert len(tf.nest.flatten([slices], expand_composites=True)) == 2 and tf.nest.flatten([slices]) == [
        slices
    ]

"""Ragged tensors: TensorFlow's answers eager and traced, round trips, gradients, the whole of what other parts do with them."""

from __future__ import annotations

import inspect
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance import expressions

import headwater as tf

ANSWERS = {e: modes["eager"] for e, modes in expressions.answers("ragged").items()}
ragged_cases = expressions.setup("ragged")
_UNTRACED = (
    "list(", "numpy()", "hash(", "len(", "print", ".shape", "DynamicRaggedShape", "Spec(", "RowPartition", "is_tensor",
    "type_spec", "_row_partition", "grad(", ".dtype", "ragged_rank", "to_list", "nested_", "static", "tf.function", "np.array",
    "uniform_row_length", "isinstance", "==", "!=", "tf.shape(", "tf.cond(", "tf.while_loop(", "tf.nest", "element_spec", "tf.Variable",
)  # fmt: skip
"""What an expression has that gives something else than tensors, or nothing while tracing."""


def _traceable() -> list[str]:
    found = []
    for expression in expressions.expressions("ragged"):
        if "repr" not in ANSWERS[expression] or any(word in expression for word in _UNTRACED):
            continue
        found.append(expression)
    return found


def _loose(value: Any) -> tf.RaggedTensorSpec:
    return tf.RaggedTensorSpec([None] * value.shape.rank, value.dtype, value.ragged_rank)


@pytest.mark.parametrize("specs", ["exact", "loose"])
def test_traced_as_tensorflow(specs: str) -> None:
    values = ragged_cases.values(tf)
    wrong = []
    for expression in _traceable():
        if specs == "loose" and ("split(" in expression or "map_fn" in expression or "u[" in expression):
            continue  # these need numbers of rows, or lengths, that are known while tracing

        def evaluate(*arguments: Any, expression: str = expression) -> Any:
            return eval(
                expression, {**expressions.names(tf, "ragged"), **dict(zip(values, arguments, strict=True))}
            )

        signature = [_loose(v) for v in values.values()] if specs == "loose" else None
        traced = tf.function(evaluate, autograph=False, input_signature=signature)
        try:
            got = expressions.shown(traced(*values.values()))
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
        if got != ANSWERS[expression]["repr"]:
            wrong.append((expression, got))
    assert not wrong


# -- round trips ------------------------------------------------------------------------------------------------------

numbers = st.integers(1, 99)
rows2 = st.lists(st.lists(numbers, max_size=5), max_size=6)
rows3 = st.lists(st.lists(st.lists(numbers, max_size=4), max_size=4), max_size=5)


def _ragged(rows: Any, rank: int) -> Any:
    return tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=rank)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.tuples(rows2, st.just(1)), st.tuples(rows3, st.just(2))))
def test_round_trips(case: Any) -> None:
    rows, rank = case
    ragged = _ragged(rows, rank)
    assert ragged.to_list() == rows
    padded = ragged.to_tensor()
    assert tuple(padded.shape) == tuple(ragged.bounding_shape().numpy())
    lengths = ragged.nested_row_lengths()
    again = tf.RaggedTensor.from_nested_row_lengths(ragged.flat_values, lengths)
    assert again.to_list() == rows
    for name, parts in (
        ("from_nested_row_splits", ragged.nested_row_splits),
        ("from_nested_value_rowids", ragged.nested_value_rowids()),
    ):
        if name == "from_nested_value_rowids":
            counts = [int(s.shape[0]) - 1 for s in ragged.nested_row_splits]
            made = tf.RaggedTensor.from_nested_value_rowids(ragged.flat_values, parts, counts)
        else:
            made = getattr(tf.RaggedTensor, name)(ragged.flat_values, parts)
        assert made.to_list() == rows
    sparse = ragged.to_sparse()
    np.testing.assert_array_equal(tf.sparse.to_dense(sparse).numpy(), padded.numpy())
    if rank == 1:
        assert tf.RaggedTensor.from_sparse(sparse).to_list() == rows
        assert tf.RaggedTensor.from_tensor(padded, lengths=lengths[0]).to_list() == rows
        assert tf.RaggedTensor.from_tensor(padded, padding=0).to_list() == rows
    assert pickle.loads(pickle.dumps(ragged)).to_list() == rows


@settings(max_examples=60, deadline=None)
@given(rows2, st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([1, 2, 3, -1, -2]))
def test_slices_are_python_slices(rows: Any, start: int, stop: int, step: int) -> None:
    ragged = _ragged(rows, 1)
    key = slice(start, stop, step)
    assert ragged[:, key].to_list() == [row[key] for row in rows]
    assert ragged[key].to_list() == rows[key]


@settings(max_examples=60, deadline=None)
@given(rows2, rows2)
def test_concat_and_reductions(x: Any, y: Any) -> None:
    a, b = _ragged(x, 1), _ragged(y, 1)
    assert tf.concat([a, b], 0).to_list() == x + y
    if len(x) == len(y):
        assert tf.concat([a, b, a], 1).to_list() == [p + q + p for p, q in zip(x, y, strict=True)]
    assert tf.reduce_sum(a, 1).numpy().tolist() == [sum(row) for row in x]
    columns = max(map(len, x), default=0)
    assert tf.reduce_sum(a, 0).numpy().tolist() == [
        sum(r[j] for r in x if j < len(r)) for j in range(columns)
    ]
    assert tf.reduce_max(a, 0).numpy().tolist() == [
        max(r[j] for r in x if j < len(r)) for j in range(columns)
    ]
    assert (a + a).to_list() == [[2 * v for v in row] for row in x]
    assert tf.ragged.boolean_mask(a, a > 50).to_list() == [[v for v in row if v > 50] for row in x]


# -- gradients, functions, loops --------------------------------------------------------------------------------------


def test_gradients_agree_with_padding() -> None:
    rng = np.random.default_rng(3)
    lengths = [3, 0, 2, 4]
    flat = tf.constant(rng.normal(size=9).astype(np.float32))
    for reduce in (
        lambda x, axis: tf.reduce_sum(x**2, axis),
        lambda x, axis: tf.reduce_mean(x**3),
        lambda x, axis: tf.reduce_sum(tf.concat([x, x * 2.0], axis) ** 2),
    ):
        for axis in (0, 1):
            with tf.GradientTape() as tape:
                tape.watch(flat)
                y = tf.reduce_sum(reduce(tf.RaggedTensor.from_row_lengths(flat, lengths), axis))
            eager = tape.gradient(y, flat)

            @tf.function
            def traced(flat: Any, reduce: Any = reduce, axis: int = axis) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(flat)
                    y = tf.reduce_sum(reduce(tf.RaggedTensor.from_row_lengths(flat, lengths), axis))
                return tf.convert_to_tensor(tape.gradient(y, flat))

            np.testing.assert_allclose(traced(flat), tf.convert_to_tensor(eager), rtol=1e-5)
            step = 1e-2
            for i in range(9):
                shift = tf.one_hot(i, 9) * step
                ends = [
                    float(tf.reduce_sum(reduce(tf.RaggedTensor.from_row_lengths(flat + s, lengths), axis)))
                    for s in (shift, -shift)
                ]
                slope = (ends[0] - ends[1]) / (2 * step)
                assert abs(slope - float(tf.convert_to_tensor(eager)[i])) < 5e-3 * max(1.0, abs(slope))


def test_gradients_keep_the_structure_of_sources() -> None:
    rf = ragged_cases.values(tf)["rf"]
    sources = {"a": rf, "b": [tf.constant(2.0)], "c": tf.SparseTensor([[0]], [3.0], [1])}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        y = tf.reduce_sum(sources["a"] * sources["b"][0])
        z = tf.sparse.reduce_sum(sources["c"] * 2.0)
    found = tape.gradient(y, sources)
    assert found["a"].to_list() == [[2.0, 2.0], [], [2.0]]
    assert float(found["b"][0]) == 6.0
    assert found["c"] is None
    found = tape.gradient(z, sources)
    assert found["a"] is None and found["c"].values.numpy().tolist() == [2.0]


def test_one_graph_serves_ragged_arguments_of_one_kind() -> None:
    traces = []

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def total(x: Any) -> Any:
        traces.append(x)
        return tf.reduce_sum(x, 1), x + 1

    for rows in ([[1, 2], [3]], [[], [4, 5, 6], []]):
        sums, more = total(tf.ragged.constant(rows, dtype=tf.int32))
        assert sums.numpy().tolist() == [sum(r) for r in rows]
        assert more.to_list() == [[v + 1 for v in r] for r in rows]
    assert len(traces) == 1
    with pytest.raises(TypeError):
        total(tf.ragged.constant([[1.0]]))


def test_rows_in_loops_and_branches() -> None:
    rf = ragged_cases.values(tf)["rf"]

    @tf.function
    def looped(x: Any) -> Any:
        total = 0.0
        for row in x:
            total = total + tf.reduce_sum(row) ** 2
        if total > 100.0:
            x = x * 0.0
        else:
            x = x * 2.0
        i = 0
        while i < 2:
            x = x + 1.0
            i += 1
        return total, x

    total, x = looped(rf)
    assert float(total) == 18.0
    assert x.to_list() == [[4.0, 6.0], [], [8.0]]


def test_print_shows_rows(capsys: Any) -> None:
    rt = tf.ragged.constant([["a"], ["b", "c"]])
    long = tf.ragged.constant([list(range(10)), [1]])

    tf.print(rt, long, output_stream=sys.stdout)

    @tf.function
    def shown(x: Any) -> Any:
        tf.print("in", x, output_stream=sys.stdout)
        return tf.size(x)

    assert int(shown(long)) == 11
    assert capsys.readouterr().out.splitlines() == [
        "[['a'], ['b', 'c']] [[0, 1, 2, ..., 7, 8, 9], [1]]",
        "in [[0, 1, 2, ..., 7, 8, 9], [1]]",
    ]


def test_functions_keep_their_names_and_signatures() -> None:
    before = ragged_cases.values(tf)
    assert before["rt"].ragged_rank == 1
    assert list(inspect.signature(tf.reduce_sum).parameters) == ["input_tensor", "axis", "keepdims", "name"]
    assert tf.concat.__name__ == "concat" and tf.concat.__doc__
    assert tf.concat([[1], [2]], axis=0).numpy().tolist() == [1, 2]
    with pytest.raises(TypeError):
        tf.concat([[1], [2]], 0, wrong=1)


def test_specs_generalise() -> None:
    a, b = tf.ragged.constant([[1]]), tf.ragged.constant([[1], [2]])
    spec = tf.type_spec_from_value(a).most_specific_compatible_type(tf.type_spec_from_value(b))
    assert spec == tf.RaggedTensorSpec([None, None], tf.int32)
    assert spec.is_compatible_with(a) and not spec.is_compatible_with(tf.ragged.constant([[1.0]]))
    with pytest.raises(ValueError):
        spec.most_specific_compatible_type(tf.TensorSpec([None], tf.int32))


def test_elements_of_datasets() -> None:
    rt = ragged_cases.values(tf)["rt"]
    dataset = tf.data.Dataset.from_tensors(rt).map(lambda x: (x * 2, tf.reduce_sum(x, 1)))
    ((doubled, sums),) = list(dataset)
    assert doubled.to_list() == [[2, 4], [6]] and sums.numpy().tolist() == [3, 3]
    assert dataset.element_spec[0] == tf.RaggedTensorSpec([2, None], tf.int32)

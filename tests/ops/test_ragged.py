"""Ragged tensors: TensorFlow's answers eager and traced, round trips, gradients, the whole of what other parts do with them."""

from __future__ import annotations

import inspect
import pickle
import re
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance import expressions

import headwater as tf

ANSWERS = expressions.answers("ragged")
ragged_cases = expressions.setup("ragged")
_STATIC = (".shape", "split(", "u[", "u._", "uniform", "is_uniform", "static_", "_spec", "_type_spec", "unstack", "S.from", "tf.shape(", "hash(", "rank",
           "dynamic_partition(d", "broadcast_to", "tile(", "map_fn(lambda x: x, d)", "gather(d, 0", "len(", "element_spec", "py_function", ", u)",
           "input_signature", "get_concrete_function")  # fmt: skip
"""What an expression has whose answer depends on what is known of shapes while tracing."""


def _traceable() -> list[str]:
    """The expressions of arguments whose answers are the same eagerly and in a graph."""
    used = re.compile(rf"\b({'|'.join(ragged_cases.values(tf))})\b")
    same = (
        e for e, found in ANSWERS.items() if found["eager"] == found["traced"] and "repr" in found["eager"]
    )
    return [e for e in same if used.search(e)]


def _loose(value: Any) -> tf.RaggedTensorSpec:
    return tf.RaggedTensorSpec([None] * value.shape.rank, value.dtype, value.ragged_rank)


def test_traced_with_unknown_shapes_as_tensorflow() -> None:
    values = ragged_cases.values(tf)
    wrong = []
    for expression in _traceable():
        if any(word in expression for word in _STATIC):
            continue

        def evaluate(*arguments: Any, expression: str = expression) -> Any:
            return eval(
                expression, {**expressions.names(tf, "ragged"), **dict(zip(values, arguments, strict=True))}
            )

        signature = [_loose(v) for v in values.values()]
        traced = tf.function(evaluate, autograph=False, input_signature=signature)
        try:
            got = expressions.shown(traced(*values.values()))
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
        if got != ANSWERS[expression]["eager"]["repr"]:
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


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.to_tensor(),
        lambda x: x.to_tensor(shape=[3, 2]),
        lambda x: x.to_tensor(shape=[5, 9], default_value=2.0),
        lambda x: tf.RaggedTensor.from_tensor(x.to_tensor(), lengths=[2, 1, 0, 3]),
        lambda x: x[:, 1:3],
        lambda x: x[:, ::-2],
        lambda x: tf.gather(x, [3, 0, 3]),
        lambda x: tf.stack([x, x * x], 1),
        lambda x: tf.concat([x, x[:, :1]], 1),
        lambda x: tf.cumsum(x, 1, reverse=True),
        lambda x: tf.cumsum(x, 0),
        lambda x: tf.reduce_sum(x, 0),
        lambda x: tf.reduce_prod(x, 1),
        lambda x: tf.nn.softmax(x),
        lambda x: x + tf.constant([[1.0], [2.0], [3.0], [4.0]], tf.float64) * tf.reduce_sum(x),
        lambda x: tf.matmul(tf.expand_dims(x, 2), tf.ones([4, 1, 2], tf.float64), transpose_a=False),
        lambda x: tf.map_fn(lambda row: row * tf.reduce_sum(row), x),
    ],
)
def test_gradients_are_slopes(function: Any) -> None:
    rng = np.random.default_rng(4)
    flat = tf.constant(rng.normal(size=9))
    lengths = [3, 0, 2, 4]

    def scalar(values: Any) -> Any:
        result = function(tf.RaggedTensor.from_row_lengths(values, lengths))
        result = tf.reshape(getattr(result, "flat_values", result), [-1])
        return tf.reduce_sum(result * tf.cast(tf.range(tf.size(result)) + 1, tf.float64))

    def slope(values: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = scalar(values)
        return tf.convert_to_tensor(tape.gradient(y, values))

    found = slope(flat)
    np.testing.assert_allclose(tf.function(slope)(flat), found, rtol=1e-6)
    for i in range(9):
        step = tf.one_hot(i, 9, dtype=tf.float64) * 1e-4
        expected = (float(scalar(flat + step)) - float(scalar(flat - step))) / 2e-4
        assert abs(expected - float(found[i])) < 1e-4 * max(1.0, abs(expected))


def test_gradient_of_a_tensor_that_pads() -> None:
    default = tf.constant([5.0])
    with tf.GradientTape() as tape:
        tape.watch(default)
        y = tf.RaggedTensor.from_row_lengths([[1.0], [2.0]], [2, 0]).to_tensor(default)
    assert y.numpy().tolist() == [[[1.0], [2.0]], [[5.0], [5.0]]]
    assert tape.gradient(y, default).numpy().tolist() == [2.0]


@pytest.mark.parametrize("width", [1, 3])
def test_many_rows_are_taken_in_blocks(width: int) -> None:
    rng = np.random.default_rng(5)
    lengths = rng.integers(0, 60, 9000)
    flat = rng.normal(size=[lengths.sum(), width]).astype(np.float32)
    rows = np.split(flat, np.cumsum(lengths)[:-1])
    ragged = tf.RaggedTensor.from_row_lengths(flat, lengths)
    order = rng.permutation(9000)
    np.testing.assert_array_equal(tf.gather(ragged, order).values, np.concatenate([rows[i] for i in order]))
    np.testing.assert_array_equal(
        tf.concat([ragged, ragged], 1).values, np.concatenate([r for row in rows for r in (row, row)])
    )
    np.testing.assert_array_equal(ragged[:, 1:].values, np.concatenate([row[1:] for row in rows]))


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


def test_map_fn_with_ragged_results_in_graphs() -> None:
    ragged, pair = (
        tf.RaggedTensorSpec([None], tf.int32),
        (tf.RaggedTensorSpec([None, None], tf.int32), tf.int32),
    )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def counted(sizes: Any) -> Any:
        nested = tf.map_fn(lambda n: (tf.ragged.range(tf.range(n)), n), sizes, fn_output_signature=pair)
        return tf.map_fn(tf.range, sizes, fn_output_signature=ragged), nested

    for sizes in ([2, 0, 3], [], list(range(40))):
        rows, (nested, same) = counted(tf.constant(sizes, tf.int32))
        assert rows.to_list() == [list(range(n)) for n in sizes]
        assert nested.to_list() == [[list(range(k)) for k in range(n)] for n in sizes]
        assert same.numpy().tolist() == sizes


def test_loops_that_change_the_rows() -> None:
    spec = tf.RaggedTensorSpec([None, None], tf.float32)
    rf = ragged_cases.values(tf)["rf"]

    @tf.function(input_signature=[spec])
    def longer(x: Any) -> Any:
        i = 0
        while i < 2:
            x = tf.concat([x, x[:, :1]], 1)
            i += 1
        return x

    @tf.function
    def more(x: Any) -> Any:
        for _ in tf.range(2):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(x, spec)])
            x = tf.concat([x, x], 0)
        return x

    @tf.function
    def sums(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = 0.0
            for row in x:
                total += tf.reduce_sum(row**3)
        return total, tape.gradient(total, x)

    assert longer(rf).to_list() == [[1.0, 2.0, 1.0, 1.0], [], [3.0, 3.0, 3.0]]
    assert more(rf).to_list() == rf.to_list() * 4
    total, slopes = sums(rf)
    assert float(total) == 36.0 and slopes.to_list() == [[3.0, 12.0], [], [27.0]]
    with pytest.raises(ValueError):
        tf.function(lambda: tf.while_loop(lambda x: True, lambda x: [tf.concat([x, x], 0)], [rf]))()


def test_values_in_rows_are_compiled() -> None:
    rf = ragged_cases.values(tf)["rf"]

    def all_of(x: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            found = [
                tf.reduce_sum(x, 1) ** 2, tf.reduce_max(x, 1), tf.reduce_min(x, 1), tf.reduce_prod(x, 1), tf.nn.relu(x * x - 3.0),
                tf.nn.softmax(x), tf.concat([x, x * 2.0], 0), x + tf.constant([[1.0], [2.0], [3.0]]),
            ]  # fmt: skip
        return found, [tape.gradient(y, x) for y in found], x.row_lengths()

    eager, compiled = all_of(rf), tf.function(all_of, jit_compile=True)(rf)
    for a, b in zip(tf.nest.flatten(eager, True), tf.nest.flatten(compiled, True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
    for refused in (
        lambda x: x.to_tensor(),
        lambda x: x[:, :1],
        lambda x: tf.ragged.boolean_mask(x, x > 1.0),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="can't be part of an XLA program"):
            tf.function(refused, jit_compile=True)(rf)


@pytest.mark.parametrize(
    "gathered",
    [
        lambda x: tf.gather(x, [[0], [-1]], batch_dims=1),
        lambda x: tf.gather(x, [[2], [0]], batch_dims=1),
        lambda x: tf.gather(x, tf.ragged.constant([[0], [1]]), batch_dims=1),
        lambda x: tf.gather(x, [1], axis=1),
        lambda x: tf.gather(x, [-1], axis=1),
        lambda x: tf.gather_nd(x, [[0, 2]]),
        lambda x: tf.gather_nd(x, [[1, -1]]),
        lambda x: tf.gather(x, [-1]),
    ],
)
def test_the_next_row_is_not_read(gathered: Any) -> None:
    rt = ragged_cases.values(tf)["rt"]
    for call in (gathered, tf.function(gathered)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            call(rt)


def test_gradients_of_graphs_and_of_users() -> None:
    rf = ragged_cases.values(tf)["rf"]
    assert tf.function(lambda x: tf.gradients(x * x, x))(rf)[0].to_list() == [[2.0, 4.0], [], [6.0]]
    doubled = tf.custom_gradient(lambda x: (x * 2.0, lambda *g: g[0] * 5.0))
    for call in (doubled, tf.function(doubled)):
        assert call(rf).to_list() == [[2.0, 4.0], [], [6.0]]


def test_python_functions_take_and_give_rows() -> None:
    rt = ragged_cases.values(tf)["rt"]
    spec = tf.RaggedTensorSpec([None, None], tf.int32)

    def called(x: Any) -> Any:
        return tf.py_function(lambda v: (v * 2, v.nrows()), [x], [spec, tf.int64])

    for call in (called, tf.function(called)):
        doubled, count = call(rt)
        assert doubled.to_list() == [[2, 4], [6]] and int(count) == 2


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

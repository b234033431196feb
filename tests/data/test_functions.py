"""Functions given to data sets: traced once, where their errors go, threads, variables, debug mode, checkpoints of iterators."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.data.functions import disable_debug_mode

D = tf.data.Dataset


def L(dataset: Any) -> list[Any]:
    """The elements."""
    return [np.asarray(e).tolist() for e in dataset]


def test_a_function_runs_once_as_python() -> None:
    calls = []

    def noted(x: Any) -> Any:
        calls.append(x)
        return x * 2

    mapped = D.range(4).map(noted)
    assert len(calls) == 1
    assert L(mapped) == L(mapped) == [0, 2, 4, 6]
    assert len(calls) == 1


def test_debug_mode_runs_python_for_each_element() -> None:
    seen = []
    tf.data.experimental.enable_debug_mode()
    try:
        mapped = D.range(3).map(lambda x: seen.append(x) or x + 1)
        before = len(seen)
        assert L(mapped) == [1, 2, 3]
        assert [int(x) for x in seen[before:]] == [0, 1, 2]
    finally:
        disable_debug_mode()


def test_running_functions_eagerly_is_said_not_to_apply() -> None:
    tf.config.run_functions_eagerly(True)
    try:
        with pytest.warns(UserWarning, match="enable_debug_mode"):
            D.range(3).map(lambda x: x)
    finally:
        tf.config.run_functions_eagerly(False)


def test_variables_are_read_and_assigned_when_elements_are_made() -> None:
    step, count = tf.Variable(1, dtype=tf.int64), tf.Variable(0, dtype=tf.int64)
    iterator = iter(D.range(10).map(lambda x: x + step + 0 * count.assign_add(1)))
    assert int(next(iterator)) == 1
    step.assign(100)
    assert int(next(iterator)) == 101
    assert int(count) == 2


def test_a_function_may_make_its_variables_once() -> None:
    class Layer:
        weight: Any = None

        def __call__(self, x: Any) -> Any:
            if self.weight is None:
                self.weight = tf.Variable(2.0)
            return self.weight * tf.cast(x, tf.float32)

    layer = Layer()
    mapped = D.range(3).map(layer)
    assert L(mapped) == [0.0, 2.0, 4.0]
    layer.weight.assign(5.0)
    assert L(mapped) == [0.0, 5.0, 10.0]
    with pytest.raises(ValueError, match="each time"):
        D.range(3).map(lambda x: tf.Variable(1.0))


def test_an_error_names_the_line_of_the_function() -> None:
    def check(x: Any) -> Any:
        return tf.debugging.check_numerics(1.0 / tf.cast(x, tf.float32), "not finite")

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"test_functions\.py:\d+, in check"):
        L(D.range(2).map(check))


def test_elements_before_a_failing_one_come_first() -> None:
    serialized = [tf.train.Example().SerializeToString()] * 20 + [b"\xff"]
    features = {"x": tf.io.FixedLenFeature([], tf.int64, 3)}
    found = []
    with pytest.raises(tf.errors.InvalidArgumentError):
        for row in D.from_tensor_slices(serialized).map(lambda s: tf.io.parse_single_example(s, features)):
            found.append(int(row["x"]))
    assert found == [3] * 20


def test_python_runs_in_several_threads_in_order() -> None:
    names = set()

    def slow(x: Any) -> Any:
        names.add(threading.current_thread().name)
        time.sleep(0.002)
        return x + 1

    dataset = D.range(12).map(lambda x: tf.py_function(slow, [x], tf.int64), num_parallel_calls=4)
    assert L(dataset) == list(range(1, 13))
    assert len(names) > 1


@pytest.mark.parametrize("take", [1, 5])
def test_abandoned_iterators_leave_no_threads(take: int) -> None:
    def endless() -> Any:
        while True:
            yield 1

    spec = tf.TensorSpec([], tf.int64)
    _wait_for_no_threads()
    dataset = D.from_generator(endless, output_signature=spec)
    dataset = dataset.map(
        lambda x: tf.py_function(lambda v: v, [x], tf.int64), num_parallel_calls=3
    ).prefetch(2)
    iterator = iter(dataset)
    for _ in range(take):
        next(iterator)
    assert _threads()
    del iterator
    gc.collect()
    _wait_for_no_threads()


def _threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("headwater-")]


def _wait_for_no_threads() -> None:
    until = time.monotonic() + 10
    while _threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert not _threads()


def test_an_error_in_a_thread_reaches_the_user() -> None:
    def broken() -> Any:
        yield 1
        raise KeyError("missing")

    dataset = D.from_generator(broken, output_signature=tf.TensorSpec([], tf.int64)).prefetch(3)
    iterator = iter(dataset)
    assert int(next(iterator)) == 1
    with pytest.raises(tf.errors.UnknownError, match="missing"):
        next(iterator)


def test_columns_give_the_bits_that_elements_give() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 3)).astype(np.float32)

    def function(row: Any) -> Any:
        return tf.cast(tf.sqrt(tf.abs(row * 3.5 - 1) / 7), tf.float64), row < 0.5

    quick = D.from_tensor_slices(x).map(function)
    slow = D.from_tensor_slices(x).map(
        lambda row: function(tf.py_function(lambda v: v, [row], tf.TensorSpec([3], tf.float32)))
    )
    assert "columns" in quick.explain()
    for a, b in zip(quick, slow, strict=True):
        assert [np.asarray(p).tobytes() for p in a] == [np.asarray(p).tobytes() for p in b]


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        (lambda: D.range(9).shuffle(9).repeat(2).batch(2), "one gather for each batch"),
        (lambda: D.range(9).map(lambda x: x + 1).batch(2), "cut out of columns"),
        (lambda: D.range(9).map(lambda x: tf.random.uniform([])), "effects, variables or random"),
        (lambda: D.range(9).map(lambda x: tf.exp(tf.cast(x, tf.float32))), "same bits"),
        (lambda: D.range(9).prefetch(1), "no thread"),
        (lambda: D.range(9).map(lambda x: tf.py_function(lambda v: v, [x], tf.int64)).prefetch(1), "a thread computes ahead"),
    ],
)  # fmt: skip
def test_the_plan_says_how_it_runs(dataset: Any, text: str) -> None:
    made = dataset()
    assert text in made.explain()
    assert made.explain().startswith("as written:")


def test_explaining_draws_no_numbers() -> None:
    tf.random.set_seed(4)
    plain = L(D.range(8).shuffle(8))
    tf.random.set_seed(4)
    shuffled = D.range(8).shuffle(8)
    shuffled.explain()
    D.zip(shuffled, D.range(8)).explain()
    assert L(shuffled) == plain
    tf.random.set_seed(None)


def test_keras_shuffles_as_on_tensorflow() -> None:
    """Batches of ArrayDataAdapter after `keras.utils.set_random_seed(0)`, which shuffles by tf.random.shuffle in a map."""
    tf.random.set_seed(0)
    try:
        indices = D.range(1).map(lambda _: tf.random.shuffle(tf.range(10, dtype=tf.int64)))
        assert L(indices) == [SHUFFLED]
        assert L(indices.repeat(2))[0] == SHUFFLED
        assert L(indices.repeat(2))[1] != SHUFFLED
    finally:
        tf.random.set_seed(None)


SHUFFLED = [2, 0, 5, 8, 7, 1, 9, 6, 3, 4]


def test_data_sets_go_through_functions() -> None:
    dataset = D.range(5)

    @tf.function
    def total(elements: Any) -> Any:
        found = tf.constant(0, tf.int64)
        for x in elements:
            found += x
        return found

    @tf.function
    def captured(n: Any) -> Any:
        found = tf.constant(0, tf.int64)
        for x in dataset.map(lambda x: x * n):
            found += x
        return found

    @tf.function
    def made(n: Any) -> Any:
        return D.range(n).map(lambda x: x * n).shuffle(10, seed=1)

    assert int(total(dataset)) == 10
    assert int(total(dataset.map(lambda x: x + 1))) == 15
    assert int(captured(tf.constant(2, tf.int64))) == 20
    assert sorted(L(made(tf.constant(4, tf.int64)))) == [0, 4, 8, 12]
    assert total.experimental_get_tracing_count() == 1


def test_saved_elements_come_back(tmp_path: Any) -> None:
    value = {"a": np.arange(6.0).reshape(3, 2), "b": np.array(["x", "yy", ""], object)}
    dataset = D.from_tensor_slices(value)
    for compression in (None, "GZIP"):
        path = str(tmp_path / f"saved{compression}")
        dataset.save(path, compression, shard_func=lambda row: tf.constant(1, tf.int64))
        loaded = D.load(path)
        assert loaded.element_spec == dataset.element_spec
        assert [e["b"].numpy() for e in loaded] == [b"x", b"yy", b""]
        assert [e["a"].numpy().tolist() for e in loaded] == value["a"].tolist()
    with pytest.raises(tf.errors.NotFoundError):
        D.load(str(tmp_path / "nowhere"))
    (tmp_path / "savedNone" / "element_spec.json").write_text(
        '{"element_spec": {"kind": "code"}, "shards": [], "compression": ""}'
    )
    with pytest.raises(tf.errors.DataLossError):
        D.load(str(tmp_path / "savedNone"))


@pytest.mark.parametrize("kind", ["cache", "snapshot"])
def test_a_first_complete_pass_is_kept_in_files(tmp_path: Any, kind: str) -> None:
    made = []
    source = D.range(4).map(lambda x: tf.py_function(lambda v: made.append(1) or v * 2, [x], tf.int64))
    kept = getattr(source, kind)(str(tmp_path / "kept"))
    next(iter(kept))
    gc.collect()
    assert len(made) == 1
    assert L(kept) == [0, 2, 4, 6]
    count = len(made)
    assert L(kept) == [0, 2, 4, 6]
    assert L(getattr(source, kind)(str(tmp_path / "kept"))) == [0, 2, 4, 6]
    assert len(made) == count
    assert not list(tmp_path.rglob("*.tmp"))


def test_iterators_go_back_to_where_they_were_saved() -> None:
    tf.random.set_seed(3)
    try:
        iterator = D.range(10).shuffle(5).as_numpy_iterator()
        assert [int(next(iterator)) for _ in range(3)] == [2, 4, 5]
        state = iterator.save()
        assert [int(x) for x in iterator] == [3, 0, 6, 7, 1, 8, 9]
        iterator.restore(state)
        assert [int(x) for x in iterator] == [3, 0, 6, 7, 1, 8, 9]
        for wrong in ("nonsense", '{"taken": 1, "seeds": []}', "[]"):
            with pytest.raises(tf.errors.InvalidArgumentError):
                iterator.restore(wrong)
    finally:
        tf.random.set_seed(None)


def test_fit_sees_the_rows_in_the_order_of_tensorflow() -> None:
    keras = tf.keras
    x = np.arange(10.0, dtype=np.float32).reshape(10, 1)
    keras.utils.set_random_seed(0)
    try:
        adapter = _adapter(x, True)
        for _ in range(2):
            found = [np.asarray(batch[0]).ravel().tolist() for batch in adapter]
            assert found == [[2, 0, 5, 8], [7, 1, 9, 6], [3, 4]]
        assert [np.asarray(b[0]).ravel().tolist() for b in _adapter(x, "batch")] == [
            [2, 0, 3, 1],
            [7, 4, 5, 6],
            [8, 9],
        ]
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        losses = model.fit(x / 10, x * 2, batch_size=4, epochs=3, verbose=0, shuffle=True).history["loss"]
        np.testing.assert_allclose(losses, [115.398598, 103.827965, 95.467064], rtol=1e-5)
    finally:
        tf.random.set_seed(None)


def _adapter(x: Any, shuffle: Any) -> Any:
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    return ArrayDataAdapter(x, x, batch_size=4, shuffle=shuffle).get_tf_dataset()

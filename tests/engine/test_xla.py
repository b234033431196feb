"""Graphs as XLA programs: values, shapes that fold, variables that stay on the device, what is refused, what is cached."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import headwater as tf
from headwater._src.base import flags
from headwater._src.core.graph import FuncGraph, add_node
from headwater._src.core.op import Op
from headwater._src.core.spec import Spec
from headwater._src.engine import compile_cache, lower, resident
from headwater._src.engine.closed import close
from headwater._src.engine.executable import MAX_PROGRAMS, STAGES, compiler_text, executable_of, run_arrays

jax = pytest.importorskip("jax")


def traced(function, *specs, keep=True):
    """The closed graph of `function` for arguments of these (shape, dtype); without its results unless `keep`."""
    graph = FuncGraph("traced")
    with graph.as_default():
        results = function(*[graph.placeholder(*s) for s in specs])
    return close(graph, [r for r in tf.nest.flatten(results) if keep and r is not None])


def arrays_for(graph, args):
    return [*args, *[t._array for t in graph.captured]]


def compiled(function, *args, shapes=None):
    """The results of `function` on arrays, by XLA; `shapes` are those it is traced with."""
    arrays = [np.asarray(a) for a in args]
    shapes = [a.shape for a in arrays] if shapes is None else shapes
    graph = traced(function, *[(s, tf.as_dtype(a.dtype)) for s, a in zip(shapes, arrays, strict=True)])
    return run_arrays(executable_of(graph), arrays_for(graph, arrays))


def step(graph, *args):
    return resident.run(
        executable_of(graph), arrays_for(graph, args), graph.read_handles, graph.written_handles
    )


X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
ONE = np.array(1, np.int32)

# -- values and shapes ------------------------------------------------------------------------------------------------


def _by_shape(x):
    dims = tf.shape(x)
    return tf.reshape(x, [dims[0] * dims[1], -1]) + tf.cast(dims[2], tf.float32), tf.zeros(dims[1:]), dims


@pytest.mark.parametrize("shape", [(2, 3, 4), (None, 3, 4), (None, None, None), None], ids=str)
def test_shape_arithmetic_becomes_constant(shape):
    got = compiled(_by_shape, X, shapes=[shape])
    want = [t.numpy() for t in _by_shape(tf.constant(X))]
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("user_x64", [False, True])
@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int64", 2**53 + 1), ("uint64", 2**63 + 3), ("float64", 1 / 3), ("complex128", 1 / 3 + 1e-17j)],
)
def test_64_bits_are_exact_whatever_jax_is_set_to(user_x64, dtype, value):
    x = np.array([value, 0, value], dtype)
    before = jax.config.jax_enable_x64
    with jax.enable_x64(user_x64):
        got = compiled(lambda t: (t + t, tf.identity(t)), x)
        assert jax.config.jax_enable_x64 == user_x64
    assert jax.config.jax_enable_x64 == before
    assert got[0].dtype == got[1].dtype == x.dtype
    np.testing.assert_array_equal(got[0], x + x)
    np.testing.assert_array_equal(got[1], x)


@pytest.mark.parametrize(
    "dtype", ["bfloat16", "float16", "float8_e5m2", "bool", "uint8", "int4", "complex64"]
)
def test_every_dtype_goes_in_and_out(dtype):
    x = np.array([0, 1, 1]).astype(tf.as_dtype(dtype).as_numpy_dtype)
    got = compiled(lambda t: tf.identity(t)[::-1], x)[0]
    assert got.dtype == x.dtype
    assert got.tolist() == x[::-1].tolist()


DYNAMIC = {
    "index": lambda x, i: x[i],
    "negative": lambda x, i: x[:, -i],
    "mixed": lambda x, i: x[0, i, 1:3],
    "slice": lambda x, i: tf.slice(x, [0, i, 1], [2, 1, 2]),
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_indices_may_be_known_to_the_program_only(name):
    got = compiled(DYNAMIC[name], X, ONE)[0]
    np.testing.assert_array_equal(got, DYNAMIC[name](tf.constant(X), tf.constant(1)).numpy())


def test_gradient_of_an_index_known_to_the_program_only():
    def gradient(x, i):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(x[i] ** 2)
        return tape.gradient(y, x)

    want = np.zeros_like(X)
    want[1] = 2 * X[1]
    np.testing.assert_array_equal(compiled(gradient, X, ONE)[0], want)


def test_small_known_values_are_computed_while_compiling():
    """`tf.where` has no lowering, yet on what is known it needs none."""
    got = compiled(lambda x: tf.gather(x, tf.where([True, False, True])[:, 0], axis=1), X)[0]
    np.testing.assert_array_equal(got, X[:, [0, 2]])


def test_large_known_values_are_left_to_the_program():
    graph = traced(lambda x: x + tf.reduce_sum(tf.zeros([1000, 1000])), ((), tf.float32))
    text = compiler_text(graph, "stablehlo")
    assert len(text) < 5000
    assert run_arrays(executable_of(graph), [np.float32(2)])[0] == 2


# -- what is refused --------------------------------------------------------------------------------------------------

REFUSED = {
    "host only": (
        lambda x, i: tf.unique(x[0, 0])[0],
        "Unique.* can't be part of an XLA program: the size of the result",
    ),
    "size": (lambda x, i: tf.fill([i], 1.0), "Fill.* its dims must be known when the program is compiled"),
    "slice": (lambda x, i: x[i:], "StridedSlice.* the ends of a slice must be known"),
    "begin": (lambda x, i: tf.slice(x, [i, 0, 0], [-1, 3, 4]), "Slice.* a size of -1 needs a begin"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_two_lines_with_operation_and_place(name):
    function, pattern = REFUSED[name]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        compiled(function, X, ONE)
    first, second = str(caught.value).split("\n")
    assert re.search(pattern, first)
    assert "test_xla.py" in second
    assert caught.value.op.type in first
    assert not getattr(caught.value, "__notes__", [])


def test_strings_are_refused_where_they_are_used_only():
    text = ((2,), tf.string)
    graph = traced(lambda s, x: x * 2, text, ((2,), tf.float32))
    words = np.array([b"a", b"b"], object)
    np.testing.assert_array_equal(
        run_arrays(executable_of(graph), [words, np.ones(2, np.float32)])[0], [2, 2]
    )
    graph = traced(lambda s, x: (tf.identity(s), x), text, ((2,), tf.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="XLA has no strings"):
        run_arrays(executable_of(graph), [words, np.ones(2, np.float32)])


def test_dead_nodes_are_not_asked():
    def function(x):
        tf.unique(x)
        return x + 1

    np.testing.assert_array_equal(compiled(function, np.ones(3, np.float32))[0], [2, 2, 2])


@pytest.mark.parametrize("bad", [np.ones(3, np.float32), np.ones(2, np.float64)], ids=["shape", "dtype"])
def test_values_that_do_not_fit_their_input(bad):
    graph = traced(lambda x: x + 1, ((2,), tf.float32))
    program = executable_of(graph)
    for _ in range(2):  # before and after the program is there
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be float32 of shape"):
            run_arrays(program, [bad])
        assert run_arrays(program, [np.ones(2, np.float32)])[0].tolist() == [2, 2]


# -- variables --------------------------------------------------------------------------------------------------------


def _training():
    weights = tf.Variable(np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2))
    count = tf.Variable(0, dtype=tf.int64)

    def function(x):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_mean((x @ weights - 1.0) ** 2)
        weights.assign_sub(0.1 * tape.gradient(loss, weights))
        count.assign_add(1)
        return loss

    return weights, count, function


def test_training_steps_equal_eager_ones():
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(4, 3)).astype(np.float32) for _ in range(5)]
    weights, count, function = _training()
    graph = traced(function, ((4, 3), tf.float32))
    got = [step(graph, b)[0] for b in batches]
    other, other_count, eager = _training()
    want = [eager(tf.constant(b)).numpy() for b in batches]
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(weights.numpy(), other.numpy(), rtol=1e-5)
    assert count.numpy() == other_count.numpy() == 5


READERS = {
    "numpy": lambda v: v.numpy(),
    "value": lambda v: v.value().numpy(),
    "view": lambda v: v.numpy()[1:],
    "tensor": lambda v: np.asarray(tf.identity(v)),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_was_read_between_steps_never_changes(reader):
    weights, _, function = _training()
    graph = traced(function, ((4, 3), tf.float32))
    x = np.ones((4, 3), np.float32)
    kept = []
    for _ in range(4):
        value = READERS[reader](weights)
        kept.append((value, value.copy()))
        step(graph, x)
    for value, copy in kept:
        np.testing.assert_array_equal(value, copy)
    assert not np.array_equal(kept[0][0], kept[-1][0])


def test_eager_assignments_between_steps_are_seen():
    weights, count, function = _training()
    graph = traced(function, ((4, 3), tf.float32))
    x = np.ones((4, 3), np.float32)
    step(graph, x)
    weights.assign(tf.ones((3, 2)))
    count.assign_add(10)
    assert step(graph, x)[0] == pytest.approx(4.0)
    assert count.numpy() == 12
    big = tf.Variable(tf.zeros(10_000))
    graph = traced(lambda: tf.reduce_sum(big))
    assert step(graph) == [0]
    for n in range(1, 4):
        big.assign_add(tf.ones(10_000))
        assert step(graph) == [10_000 * n]


def test_assigned_variables_are_overwritten_in_place_and_read_ones_shared():
    big, still = tf.Variable(tf.zeros(4096)), tf.Variable(tf.ones(4096))
    graph = traced(lambda: big.assign_add(still), keep=False)
    for _ in range(2):
        step(graph)

    def places():
        return [resident.shared(v._handle).unsafe_buffer_pointer() for v in (big, still)]

    before = places()
    for _ in range(3):
        step(graph)
    assert places() == before
    assert big.numpy()[0] == 5


def test_arrays_of_variables_do_not_pile_up():
    _weights, _, function = _training()
    graph = traced(function, ((4, 3), tf.float32))
    x = np.ones((4, 3), np.float32)
    for _ in range(3):
        step(graph, x)
    gc.collect()
    before = len(jax.live_arrays())
    for _ in range(50):
        step(graph, x)
    gc.collect()
    assert len(jax.live_arrays()) <= before


def _net():
    variables = [tf.Variable(np.full(s, v, np.float32)) for s, v in (((3, 2), 0.5), ((2,), 0.25), ((), 2.0))]
    total = tf.Variable(0.0)

    def train(x):
        w, b, scale = variables
        y = tf.reduce_sum((x @ w + b) * scale)
        for v in variables:
            v.assign_sub(0.01 * tf.cast(tf.shape(x)[0], tf.float32) * v)
        return y

    def test(x):
        w, b, scale = variables
        total.assign_add(tf.reduce_sum((x @ w + b) * scale))
        return total.read_value()

    def predict(x):
        w, b, scale = variables
        return (x @ w + b) * scale

    def scale_only(x):
        variables[2].assign_add(tf.reduce_sum(x))
        variables[1].assign_add(tf.ones(2))
        return variables[2].read_value()

    return [*variables, total], [train, test, predict, scale_only]


ORDERS = {
    "train and test": "0011001010",
    "predict twice in a row": "0220220222",
    "two that assign the same": "0303003302",
    "all": "0123301213",
    "eager assignments between": "0e0e2e1e3e",
    "read between": "0r0r3r1r0r",
}


@pytest.mark.parametrize("order", ORDERS)
def test_programs_share_variables(order):
    """Programs that hand small variables over together, in turns with others, with eager code and with readers."""
    x = np.ones((4, 3), np.float32)

    def play(call):
        variables, functions = _net()
        run = [call(f) for f in functions]
        seen = []
        for what in ORDERS[order]:
            if what == "e":
                variables[0].assign_add(tf.ones((3, 2)))
            elif what == "r":
                seen.append((variables[1].numpy(), variables[1].numpy().copy()))
            else:
                seen.append((run[int(what)](x), None))
        for value, copy in seen:
            if copy is not None:
                np.testing.assert_array_equal(value, copy)
        return [np.asarray(v) for v, _ in seen] + [v.numpy() for v in variables]

    def by_xla(function):
        graph = traced(function, ((4, 3), tf.float32))
        return lambda x: step(graph, x)[0]

    for got, want in zip(play(by_xla), play(lambda f: lambda x: f(tf.constant(x)).numpy()), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)


def test_small_variables_travel_together():
    kinds = "float32 int64 int32 uint32 float64 uint64 bfloat16 complex64 int8 bool".split()
    variables = [tf.Variable(tf.cast([[1, 2], [0, 4]], kind)) for kind in kinds]
    many = tf.Variable(tf.zeros([5000]))
    count = tf.Variable(0, dtype=tf.int64)
    rest = tf.Variable(np.array([0x7F800001, 0xFFC00123], np.uint32).view(np.float32))  # bits of no number

    def function():
        for v in variables:
            v.assign(v if v.dtype == tf.bool else v + tf.cast(tf.ones([2, 2]), v.dtype))
        many.assign_add(tf.ones([5000]))
        count.assign_add(1)
        rest.assign(tf.reverse(rest, [0]))

    graph = traced(function)
    for _ in range(3):
        step(graph)
    residents = graph.executable.residents.first
    shapes = sorted(a.shape for a in residents.arrays)
    assert shapes == [(2, 2)] * 4 + [(4 * 3 + 3 * 8 + 2 + 2,), (5000,)]
    for v in variables:
        expected = [[1, 2], [0, 4]] if v.dtype == tf.bool else [[4, 5], [3, 7]]
        assert np.array_equal(v.numpy(), tf.cast(expected, v.dtype).numpy()), v.dtype
        assert v.numpy().flags.aligned
    assert count.numpy() == 3 and np.all(many.numpy() == 3.0)
    assert rest.numpy().view(np.uint32).tolist() == [0xFFC00123, 0x7F800001]
    variables[1].assign([[5, 6], [7, 8]])
    step(graph)
    assert variables[1].numpy().tolist() == [[6, 7], [8, 9]] and variables[0].numpy()[0, 0] == 5.0


def test_an_interrupt_loses_no_variable():
    """XLA has used the old arrays up when it returns; the new ones must be in place before Python hears of the signal."""
    v, w = tf.Variable(tf.zeros((300, 300))), tf.Variable(tf.eye(300))
    graph = traced(lambda: v.assign_add(w @ w), keep=False)
    step(graph)
    interrupts = 0
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005 + 0.0001 * interrupts)
                for _ in range(1000):
                    step(graph)
            except KeyboardInterrupt:
                interrupts += 1
            value = v.numpy()
            assert value[0, 0] == value[299, 299] >= 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert interrupts


def test_other_variables_in_place_of_those_traced():
    a, b = tf.Variable([1.0]), tf.Variable([2.0])
    graph = traced(lambda: a.assign_add([10.0]), keep=False)
    program = executable_of(graph)
    for _ in range(2):
        resident.run(program, [], [b._handle], [b._handle])
        step(graph)
    assert (a.numpy(), b.numpy()) == (21, 22)


def test_a_failing_program_leaves_variables_alone(caplog):
    v = tf.Variable([1.0])

    def fail(x):
        raise tf.errors.OutOfRangeError(None, None, "stop")

    def function(x):
        v.assign_add(x)
        return _host_call(x, fail)

    graph = traced(function, ((1,), tf.float32))
    for _ in range(2):
        with pytest.raises(tf.errors.OutOfRangeError, match="stop"):
            step(graph, np.ones(1, np.float32))
    assert v.numpy() == 1
    assert not caplog.records


# -- the host, called from programs -----------------------------------------------------------------------------------


def _host_call(x, function):
    record = Op(
        "TestHostCall", "x: F -> x", numpy=function, attrs={}, host=(), grad=None, shape=None, api=(), cases=tuple,
        lower=lambda x: lower.call_on_host(lambda a: [function(a)], [x], [Spec(x.shape, x.dtype)])[0],
        stateful=True, moves=False, first_decides=False,
    )  # fmt: skip
    return add_node(record, [x], {}, None)


def test_calls_of_the_host_keep_the_order_and_are_not_dropped():
    seen = []

    def note(x):
        seen.append(x.tolist())
        return -x

    def function(x):
        _host_call(x, note)
        y = _host_call(x * 2, note)
        return _host_call(y * 2, note)

    graph = traced(function, ((1,), tf.float32))
    for n in (1, 2):
        seen.clear()
        assert run_arrays(executable_of(graph), [np.full(1, n, np.float32)])[0].tolist() == [4 * n]
        assert seen == [[n], [2 * n], [-4 * n]]


def test_what_the_host_reads_during_a_call_is_not_kept_for_after_it():
    v, seen = tf.Variable([1.0]), []

    def function(x):
        v.assign_add(x)
        return _host_call(x, lambda a: (seen.append(v.numpy().tolist()), a)[1])

    graph = traced(function, ((1,), tf.float32))
    for n in (1, 2, 3):
        step(graph, np.ones(1, np.float32))
        assert seen[-1] == [n]
        assert v.numpy() == n + 1


# -- caching ----------------------------------------------------------------------------------------------------------


def test_one_program_for_each_shape_and_no_more_than_a_few():
    graph = traced(lambda x: tf.reduce_sum(x), ((None,), tf.int32))
    program = executable_of(graph)
    assert executable_of(graph) is program
    for n in (3, 4, 3, 4, 5):
        assert run_arrays(program, [np.ones(n, np.int32)])[0] == n
    assert program.compilations == 3
    program.programs.update(dict.fromkeys(range(MAX_PROGRAMS)))
    run_arrays(program, [np.ones(6, np.int32)])
    assert len(program.programs) == MAX_PROGRAMS


def test_threads_share_one_compilation():
    graph = traced(lambda x: x + 1, ((2,), tf.float32))
    program, results = executable_of(graph), []
    threads = [
        threading.Thread(target=lambda: results.append(run_arrays(program, [np.zeros(2, np.float32)])[0][0]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 4
    assert program.compilations == 1


def test_threads_that_train_the_same_variable_lose_no_step():
    v = tf.Variable(tf.zeros(8))
    graph = traced(lambda: v.assign_add(tf.ones(8)), keep=False)

    def work():
        for _ in range(50):
            step(graph)
            v.numpy()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert v.numpy().tolist() == [200] * 8


_CHILD = """\
import numpy as np
import headwater as tf
from headwater._src.core.graph import FuncGraph
from headwater._src.engine.closed import close
from headwater._src.engine.executable import executable_of, run_arrays
import jax
events = []
jax.monitoring.register_event_listener(lambda name, **_: events.append(name))
graph = FuncGraph("child")
with graph.as_default():
    x = graph.placeholder((3,), tf.float64)
    y = tf.exp(x) * 2
close(graph, [y])
print(run_arrays(executable_of(graph), [np.zeros(3)])[0].tolist(), jax.config.jax_compilation_cache_dir)
print("hits", events.count("/jax/compilation_cache/cache_hits"))
"""


def _child(**environment):
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_a_second_process_finds_the_program_on_disk(tmp_path):
    place = str(tmp_path / "programs")
    hits = []
    for setting in (place, place, "damaged", place, "off"):
        if setting == "damaged":
            for path in (tmp_path / "programs").rglob("jit_*"):
                path.write_bytes(path.read_bytes()[:-100])
            setting = place
        (first, last), stderr = _child(HEADWATER_COMPILE_CACHE=setting)
        assert first == "[2.0, 2.0, 2.0] None"
        assert not stderr
        hits.append(int(last.split()[1]))
    assert hits == [0, 1, 0, 1, 0]
    assert oct((tmp_path / "programs").stat().st_mode)[-3:] == "700"


def test_a_directory_that_others_may_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    _, stderr = _child(HEADWATER_COMPILE_CACHE=str(tmp_path))
    assert "cache is off" in stderr
    assert "nobody else may write to" in stderr
    assert not any(p.is_file() for p in tmp_path.rglob("*"))


def test_the_default_place_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(flags._values, "compile_cache", "on")
    assert compile_cache.directory().parent == tmp_path / "headwater" / "xla"
    monkeypatch.setitem(flags._values, "compile_cache", "off")
    assert compile_cache.directory() is None


# -- looking at programs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_shows_the_program(stage):
    graph = traced(lambda x: x @ x, ((4, 4), tf.float64))
    text = compiler_text(graph, stage)
    if stage.endswith("_serialized"):
        assert isinstance(text, bytes)
        assert b"traced" in text
    else:
        assert {"stablehlo": "tensor<4x4xf64>", "optimized_hlo_dot": "digraph"}.get(stage, "f64[4,4]") in text


def test_stages_need_full_shapes_and_names_that_exist():
    graph = traced(lambda x: x + 1, ((None,), tf.float32))
    with pytest.raises(ValueError, match="full shapes"):
        compiler_text(graph)
    assert "f32[7]" in compiler_text(graph, "hlo", [((7,), np.dtype(np.float32))])
    with pytest.raises(ValueError, match="stage must be one of"):
        compiler_text(graph, "assembly")

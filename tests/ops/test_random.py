"""Random numbers: the values that TensorFlow 2.21 gives for the same seeds, one table for each rule, and their statistics."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf
from headwater._src.base.errors import InvalidArgumentError
from headwater._src.core.convert import convert
from headwater._src.ops import philox, random, random_dist
from headwater._src.ops import random_candidates as candidates


def close(got, wanted, tol=1e-6):
    got = np.asarray(got)
    tol = {"float16": 1e-3, "bfloat16": 8e-3}.get(got.dtype.name, tol)
    if got.dtype.kind in "iu":
        assert got.tolist() == wanted
    else:
        np.testing.assert_allclose(got.astype(np.float64), wanted, rtol=tol, atol=2e-9)


# -- the generator ----------------------------------------------------------------------------------------------------


def test_philox_gives_the_known_answers_of_its_authors():
    # The test vectors that Random123 publishes: counter, key -> block.
    table = [
        ((0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**64 - 1, 2**64 - 1), 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ]
    for (low, high), key, wanted in table:
        stream = philox.Stream(key, low, high)
        assert philox.one_block(stream) == wanted
        assert tuple(philox.blocks(stream, 1)[0].tolist()) == wanted


def test_a_stream_can_be_entered_anywhere_and_carries_into_its_upper_half():
    stream = philox.Stream(3, 2**64 - 5, 7)
    whole = philox.blocks(stream, 10)
    for i in range(10):
        assert tuple(whole[i].tolist()) == philox.one_block(stream.skip(i))


def test_results_do_not_depend_on_how_many_blocks_are_computed_at_a_time():
    stream = philox.Stream(1, 0, 2)
    many = philox.normal(stream, 40001, np.dtype(np.float32))
    few = philox.normal(stream.skip(10000), 1, np.dtype(np.float32))
    assert many[40000] == few[0]


# -- stateless operations ---------------------------------------------------------------------------------------------

FLOATS = [
    (
        "stateless_normal",
        100,
        "float32",
        [0, 1, 50, 99],
        [0.544110119, 0.20738031, -2.133225441, -0.619721532],
    ),
    (
        "stateless_normal",
        100,
        "float64",
        [0, 1, 50, 99],
        [-0.14231181, 0.740607246, 1.009311123, -0.927594917],
    ),
    (
        "stateless_normal",
        100,
        "float16",
        [0, 1, 50, 99],
        [0.543945312, 0.207397461, -2.1328125, -0.619628906],
    ),
    ("stateless_normal", 100, "bfloat16", [0, 1, 50, 99], [0.54296875, 0.20703125, -2.140625, -0.62109375]),
    (
        "stateless_truncated_normal",
        100,
        "float32",
        [0, 1, 50, 99],
        [0.544110119, 0.20738031, -0.489551783, -0.355838865],
    ),
    (
        "stateless_truncated_normal",
        100,
        "float64",
        [0, 1, 50, 99],
        [-0.14231181, 0.740607246, 0.242775644, 0.246545284],
    ),
    (
        "stateless_truncated_normal",
        100,
        "float16",
        [0, 1, 50, 99],
        [0.543945312, 0.207397461, -0.489501953, -0.355957031],
    ),
    (
        "stateless_truncated_normal",
        100,
        "bfloat16",
        [0, 1, 50, 99],
        [0.54296875, 0.20703125, -0.490234375, -0.35546875],
    ),
    (
        "stateless_uniform",
        100,
        "float32",
        [0, 1, 50, 99],
        [0.844060421, 0.192045331, 0.101236582, 0.352039218],
    ),
    (
        "stateless_uniform",
        100,
        "float64",
        [0, 1, 50, 99],
        [0.752483754, 0.969785773, 0.568401321, 0.362314312],
    ),
    (
        "stateless_uniform",
        100,
        "float16",
        [0, 1, 50, 99],
        [0.54296875, 0.235351562, 0.330078125, 0.905273438],
    ),
    ("stateless_uniform", 100, "bfloat16", [0, 1, 50, 99], [0.34375, 0.8828125, 0.640625, 0.2421875]),
    (
        "stateless_normal",
        100000,
        "float32",
        [0, 4097, 50000, 99999],
        [0.544110119, -0.380878299, -0.32353276, -0.432192445],
    ),
    (
        "stateless_truncated_normal",
        100000,
        "float32",
        [0, 4097, 50000, 99999],
        [0.544110119, 0.095559373, 0.211677328, -0.75175637],
    ),
    (
        "stateless_uniform",
        100000,
        "float32",
        [0, 4097, 50000, 99999],
        [0.844060421, 0.569431186, 0.53399539, 0.679896951],
    ),
]


@pytest.mark.parametrize(("name", "size", "dtype", "index", "wanted"), FLOATS)
def test_stateless_floats(name, size, dtype, index, wanted):
    close(getattr(random, name)([size], [1, 2], dtype=dtype)[:].numpy()[index], wanted)


WHOLE_RANGE = [
    ("int32", [1105988140, 1738052849, -335576002, 370444179, 10670227]),
    (
        "int64",
        [
            7464880146280614444,
            1591045637757961278,
            -1057468755545501549,
            2524363516007002203,
            6884554327646026923,
        ],
    ),
    ("uint32", [1105988140, 1738052849, 3959391294, 370444179, 10670227]),
    (
        "uint64",
        [
            7464880146280614444,
            1591045637757961278,
            17389275318164050067,
            2524363516007002203,
            6884554327646026923,
        ],
    ),
]


@pytest.mark.parametrize(("dtype", "wanted"), WHOLE_RANGE)
def test_stateless_integers_over_the_whole_range(dtype, wanted):
    close(random.stateless_uniform([5], [1, 2], None, None, dtype=dtype), wanted)


RANGE = [
    ("int32", [710, 819, 829, 169, 137]),
    ("int64", [499, 943, 87, 673, 238]),
]


@pytest.mark.parametrize(("dtype", "wanted"), RANGE)
def test_stateless_integers_in_a_range(dtype, wanted):
    close(random.stateless_uniform([5], [1, 2], -5, 1000, dtype=dtype), wanted)


SEEDS = [
    ([-1, -2], [0.942683578, 0.521279931, 0.748537898, 0.36619854, 0.342182398]),
    (np.array([-1, -(2**40)]), [0.64449656, 0.620158792, 0.585970044, 0.543452024, 0.13843739]),
]


@pytest.mark.parametrize(("seed", "wanted"), SEEDS)
def test_negative_and_wide_seeds(seed, wanted):
    close(random.stateless_uniform([5], seed), wanted)


def test_stateless_permutations_categories_and_seeds():
    close(random.stateless_shuffle(np.arange(10, dtype=np.int32), [8, 9]), [1, 0, 4, 6, 5, 2, 8, 7, 9, 3])
    logits = np.random.RandomState(0).randn(5, 7).astype(np.float32)
    close(
        random.stateless_categorical(logits, 9, [3, 4]),
        [
            [6, 4, 0, 4, 6, 3, 0, 0, 3],
            [2, 1, 4, 5, 1, 4, 5, 5, 4],
            [1, 3, 0, 5, 2, 1, 2, 2, 0],
            [3, 0, 3, 3, 3, 1, 1, 3, 3],
            [3, 1, 1, 0, 0, 1, 1, 1, 0],
        ],
    )
    close(
        random.split([1, 2], 3), [[1105988140, 1738052849], [-335576002, 370444179], [10670227, -246211131]]
    )
    close(
        random.split(np.array([1, 2]), 2),
        [[7464880146280614444, 1591045637757961278], [-1057468755545501549, 2524363516007002203]],
    )
    close(random.fold_in([1, 2], 3), [1105988140, 3])
    close(random.fold_in([1, 2], np.int64(3)), [7464880146280614444, 3])


def test_stateless_distributions():
    close(
        random_dist.stateless_gamma([4, 2], [1, 2], [0.5, 3.0]),
        [
            [0.066953614, 3.403514862],
            [0.628235459, 2.447971106],
            [0.181367323, 4.425654888],
            [0.04758992, 3.026772738],
        ],
    )
    close(
        random_dist.stateless_poisson([4, 3], [1, 2], np.float32([3, 20, 0.5])),
        [[5, 16, 0], [5, 24, 2], [4, 20, 0], [6, 19, 0]],
    )
    for counts, chance, wanted in (
        (1000.0, 0.4, [419, 410, 423, 418]),
        (10.0, 0.4, [6, 6, 6, 6]),
        (10.0, 0.9, [7, 9, 8, 9]),
        (3.0, 0.1, [1, 0, 1, 1]),
        (50.0, 0.1, [7, 7, 9, 7]),
    ):
        close(random_dist.stateless_binomial([4], [1, 2], np.float32(counts), np.float32(chance)), wanted)
    close(random_dist.stateless_binomial([300], [1, 2], 10.0, 0.4).numpy().sum(), 1270)


def test_stateless_dropout():
    x = np.ones((4, 5), np.float32)
    close(
        random.stateless_dropout(x, 0.3, [1, 2]),
        [
            [1.428571463, 0.0, 1.428571463, 0.0, 0.0],
            [1.428571463, 0.0, 0.0, 1.428571463, 0.0],
            [0.0, 0.0, 1.428571463, 0.0, 1.428571463],
            [0.0, 1.428571463, 1.428571463, 1.428571463, 1.428571463],
        ],
    )
    close(
        random.stateless_dropout(x, 0.3, [1, 2], noise_shape=(4, 1)),
        [
            [1.428571463, 1.428571463, 1.428571463, 1.428571463, 1.428571463],
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [1.428571463, 1.428571463, 1.428571463, 1.428571463, 1.428571463],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ],
    )


def test_parameterized_truncated_normals():
    draw = random_dist.stateless_parameterized_truncated_normal
    table = [
        (([4], [1, 2]), [0.544110119, 0.20738031, 0.073564321, 0.046434551]),
        (([4], [1, 2], 0.0, 1.0, 0.1, 0.2), [0.184406042, 0.119204536, 0.199622333, 0.11603874]),
        (([4], [1, 2], 0.0, 1.0, 3.0, 10.0), [3.05132985, 3.001145601, 3.394210577, 3.676838398]),
        (([4], [1, 2], 0.0, 1.0, -np.inf, -3.0), [-3.05132985, -3.001145601, -3.394210577, -3.676838398]),
        (
            ([3, 2], [1, 2], [0.0, 1.0], 1.0, [-1.0, -5.0], [1.0, 5.0]),
            [[0.688120842, 1.651257753], [-0.615909338, 2.104886532], [0.992446423, 2.374622822]],
        ),
    ]
    for args, wanted in table:
        close(draw(*args), wanted, 1e-5)
    close(draw([4], [1, 2], np.float64(0)), [-0.14231181, 0.740607246, -1.469047669, 1.147747454])


def test_gradients_keep_a_numbers_place_in_its_distribution():
    alpha = tf.constant([0.5, 2.0, 10.0])
    bounds = [tf.constant(v) for v in ([0.0, 1.0], [1.0, 2.0], [-3.0, -1.0], [2.0, 5.0])]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([alpha, *bounds])
        gammas = random_dist.stateless_gamma([4, 3], [1, 2], alpha)
        normals = random_dist.stateless_parameterized_truncated_normal([3, 2], [5, 6], *bounds)
    close(tape.gradient(gammas, alpha), [2.9442315, 4.509893, 3.9231632], 1e-5)
    wanted = [[3.0, 3.0], [1.764749289, 1.631868362], [0.013485206, 0.754431248], [0.527662277, 0.363614112]]
    for got, row in zip(tape.gradient(normals, bounds), wanted, strict=True):
        close(got, row, 1e-5)


# -- stateful operations ----------------------------------------------------------------------------------------------

CALLS = {
    "normal": lambda **k: random.normal([3], **k),
    "uniform": lambda **k: random.uniform([3], **k),
    "ui": lambda **k: random.uniform([3], maxval=100, dtype="int32", **k),
    "ui64": lambda **k: random.uniform([3], maxval=100, dtype="int64", **k),
    "tn": lambda **k: random.truncated_normal([3], **k),
    "shuf": lambda **k: random.shuffle(np.arange(10, dtype=np.int32), **k),
    "cat": lambda **k: random.categorical(np.log(np.float32([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])), 6, **k),
    "normal64": lambda **k: random.normal([3], dtype="float64", **k),
    "tn64": lambda **k: random.truncated_normal([3], dtype="float64", **k),
}
TWO_CALLS = [
    ("normal", None, [[0.327468514, -0.842625797, 0.319433689], [0.084224582, -0.86090374, 0.378123045]]),
    ("normal", 7, [[-0.452741563, -0.300407529, -0.078828618], [-0.504227579, 1.365884066, -0.275910079]]),
    ("uniform", None, [[0.664562106, 0.44100678, 0.352882504], [0.687891245, 0.484478831, 0.930994391]]),
    ("uniform", 7, [[0.862767696, 0.6567626, 0.990545869], [0.34647572, 0.943716526, 0.260733485]]),
    ("ui", None, [[87, 89, 61], [98, 43, 19]]),
    ("ui", 7, [[76, 88, 29], [73, 72, 27]]),
    ("ui64", None, [[31, 17, 56], [26, 43, 80]]),
    ("ui64", 7, [[24, 37, 0], [85, 51, 4]]),
    ("tn", None, [[0.327468514, -0.842625797, 0.319433689], [0.084224582, -0.86090374, 0.378123045]]),
    ("tn", 7, [[-0.452741563, -0.300407529, -0.078828618], [-0.504227579, 1.365884066, -0.275910079]]),
    ("shuf", None, [[7, 6, 3, 0, 8, 9, 5, 4, 1, 2], [8, 5, 1, 4, 0, 3, 6, 9, 2, 7]]),
    ("shuf", 7, [[6, 0, 7, 3, 4, 8, 2, 1, 5, 9], [4, 0, 3, 6, 5, 9, 2, 7, 1, 8]]),
    ("cat", None, [[[1, 2, 1, 2, 2, 1], [0, 2, 0, 0, 2, 2]], [[2, 1, 2, 2, 2, 0], [2, 2, 2, 2, 1, 2]]]),
    ("cat", 7, [[[2, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2, 2]], [[1, 2, 0, 2, 1, 2], [2, 2, 2, 2, 2, 0]]]),
    (
        "normal64",
        None,
        [[-1.359827577, 0.672122782, -0.771979098], [0.376484938, -1.109986657, -0.256298286]],
    ),
    ("normal64", 7, [[-0.207642511, 0.403547186, -0.378058091], [0.369757729, 0.617513494, -1.954941009]]),
    ("tn64", None, [[-1.359827577, 0.672122782, 0.311771941], [0.376484938, -1.109986657, 1.261875551]]),
    ("tn64", 7, [[-0.207642511, 0.403547186, -1.292991943], [0.369757729, 0.617513494, -0.261029141]]),
]


@pytest.mark.parametrize(("name", "seed", "wanted"), TWO_CALLS)
def test_two_calls_after_set_seed(name, seed, wanted):
    random.set_seed(42)
    for row in wanted:
        close(CALLS[name](seed=seed), row)


def test_only_the_operation_seed_is_set():
    random.set_seed(None)
    for row in [[-0.046945684, -1.203902364], [-1.19400835, -1.108545542]]:
        close(random.normal([2], seed=7), row)
    close(random.normal([2], seed=-3), [2.080934048, 0.011825622])


def test_the_global_seed_may_be_negative_or_wide():
    for seed, wanted in (
        (-5, [-0.488262475, 0.940612853, 1.520429611]),
        (2**40, [0.056106064, -3.131470919, 0.627327502]),
    ):
        random.set_seed(seed)
        close(random.normal([3]), wanted)


def test_each_operation_and_dtype_has_its_own_stream():
    random.set_seed(42)
    first = random.normal([2], seed=7).numpy()
    double = random.normal([2], seed=7, dtype="float64").numpy()
    second = random.normal([2], seed=7).numpy()
    close(first, [-0.452741563, -0.300407529])
    close(double, [-0.207642511, 0.403547186])
    assert (first != second).all()


def test_without_seeds_numbers_differ():
    random.set_seed(None)
    a, b = random.normal([4]).numpy(), random.normal([4]).numpy()
    assert (a != b).any()


# -- inside functions -------------------------------------------------------------------------------------------------

both = pytest.mark.parametrize("jit", [False, True], ids=["plan", "xla"])
retraced = pytest.mark.filterwarnings("ignore:tf.function")  # one function a case looks like too many traces
GRAPH_CALLS = {
    **CALLS,
    "gamma": lambda **k: random_dist.gamma([2], [0.5, 2.0], **k),
    "gamma with beta": lambda **k: random_dist.gamma([2], [0.5, 2.0], [2.0, 2.0], **k),
    "poisson": lambda **k: random_dist.poisson([3], [1.0, 20.0], **k),
}
GRAPH_CALLS["shuf"] = lambda **k: random.shuffle(tf.range(10), **k)
TWO_RUNS = [
    ("uniform", [0.835459113, 0.916297317, 0.494649529], [0.366180897, 0.015453339, 0.675803781]),
    ("normal", [-0.301015675, 0.518591642, -0.156939775], [0.13741596, 1.410805583, -0.881980538]),
    ("tn", [-0.301015675, 0.518591642, -0.156939775], [0.13741596, 1.410805583, -0.881980538]),
    ("ui", [43, 71, 17], [36, 0, 41]),
    ("ui64", [59, 89, 3], [36, 13, 15]),
    ("shuf", [3, 8, 7, 5, 2, 0, 1, 6, 9, 4], [1, 9, 5, 3, 4, 7, 0, 2, 6, 8]),
    ("cat", [[2, 2, 2, 2, 2, 2], [2, 2, 0, 2, 2, 1]], [[2, 2, 2, 1, 0, 2], [2, 2, 2, 2, 2, 0]]),
    ("normal64", [-0.231725781, 0.840745636, -0.214082063], [0.212162194, -0.318304306, 0.104760931]),
    ("tn64", [-0.231725781, 0.840745636, -0.789394213], [0.212162194, -0.318304306, 1.62701331]),
    (
        "gamma",
        [[1.127746463, 0.973869205], [1.585193753, 1.288584948]],
        [[0.492886782, 0.362410992], [2.391582727, 1.335173368]],
    ),
    (
        "gamma with beta",
        [[0.563873231, 0.486934602], [0.792596877, 0.644292474]],
        [[0.246443391, 0.181205496], [1.195791364, 0.667586684]],
    ),
    ("poisson", [[4, 19], [3, 15], [2, 28]], [[1, 21], [1, 17], [0, 29]]),
]


@both
@retraced
@pytest.mark.parametrize(("name", "first", "second"), TWO_RUNS, ids=[r[0] for r in TWO_RUNS])
def test_each_run_of_a_function_goes_on_where_the_last_ended(name, first, second, jit):
    random.set_seed(42)
    f = tf.function(GRAPH_CALLS[name], jit_compile=jit)
    for wanted in (first, second):
        close(f(), wanted)
    # Setting a seed takes the stream back to its start, whichever seed it is.
    random.set_seed(1)
    close(f(), first)


@both
@retraced
def test_operations_of_a_function_are_numbered_and_have_their_own_streams(jit):
    random.set_seed(42)
    f = tf.function(
        lambda: [random.uniform([2]) for _ in range(2)] + [random.uniform([2], seed=7) for _ in range(2)],
        jit_compile=jit,
    )
    for wanted in (
        [
            [0.835459113, 0.916297317],
            [0.150128484, 0.639925361],
            [0.862767696, 0.6567626],
            [0.862767696, 0.6567626],
        ],
        [
            [0.952703357, 0.231379032],
            [0.366580486, 0.891245484],
            [0.45871079, 0.161156774],
            [0.45871079, 0.161156774],
        ],
    ):
        for got, row in zip(f(), wanted, strict=True):
            close(got, row)


@both
@retraced
def test_a_loop_moves_its_stream_on(jit):
    random.set_seed(42)

    @tf.function(jit_compile=jit)
    def loop(n):
        drawn = tf.TensorArray(tf.float32, 4)
        for i in tf.range(n):
            drawn = drawn.write(i, random.uniform([]))
        return drawn.stack(), random.uniform([])

    for n, wanted, last in (
        (4, [0.835459113, 0.463999748, 0.952703357, 0.366180897], 0.835459113),
        (2, [0.11724329, 0.318326712, 0.0, 0.0], 0.463999748),
    ):
        drawn, after = loop(tf.constant(n))
        close(drawn, wanted)
        close(after, last)


@both
@retraced
def test_a_branch_moves_its_stream_on_when_it_is_taken(jit):
    random.set_seed(42)

    @tf.function(jit_compile=jit)
    def branch(p):
        if p:
            a = random.uniform([])
        else:
            a = random.uniform([]) + 10
        return a, random.uniform([])

    table = [
        (True, 0.835459113, 0.835459113),
        (False, 10.835458755, 0.463999748),
        (True, 0.463999748, 0.952703357),
    ]
    for p, a, b in [*table, (False, 10.463999748, 0.366180897)]:
        got = branch(tf.constant(p))
        close(got[0], a)
        close(got[1], b)


def test_every_trace_begins_anew():
    random.set_seed(42)
    f = tf.function(lambda x: random.uniform([2]))
    for x, wanted in (
        (0.0, [0.835459113, 0.916297317]),
        ([0.0], [0.835459113, 0.916297317]),
        (0.0, [0.952703357, 0.231379032]),
    ):
        close(f(tf.constant(x)), wanted)


@pytest.mark.parametrize("inner_jit", [None, True])
@retraced
def test_each_place_of_a_call_has_streams_of_its_own(inner_jit):
    random.set_seed(42)
    inner = tf.function(lambda: random.uniform([2]), jit_compile=inner_jit)
    outer = tf.function(lambda: (inner(), inner(), random.uniform([2])))
    for wanted in ([0.835459113, 0.916297317], [0.952703357, 0.231379032]):
        for got in outer():
            close(got, wanted)
    close(inner(), [0.835459113, 0.916297317])


def test_a_seed_set_inside_a_function_is_the_functions_own():
    @tf.function
    def f():
        tf.random.set_seed(5)
        return random.uniform([2])

    random.set_seed(42)
    close(f(), [0.182864785, 0.689989567])
    close(f(), [0.936387181, 0.651327014])
    close(random.uniform([2]), [0.664562106, 0.44100678])


def test_without_seeds_functions_differ():
    random.set_seed(None)
    f, g = (tf.function(lambda: random.uniform([4])) for _ in range(2))
    a, b, c = f().numpy(), f().numpy(), g().numpy()
    assert (a != b).any() and (a != c).any()


def test_random_streams_are_no_variables_of_a_function():
    v = tf.Variable(1.0)
    concrete = tf.function(lambda: random.uniform([2]) * v).get_concrete_function()
    assert [w.ref() for w in concrete.variables] == [v.ref()]


def test_dropout_with_a_shape_that_only_the_run_knows():
    random.set_seed(42)
    f = tf.function(lambda x: tf.nn.dropout(x, 0.5), input_signature=[tf.TensorSpec([None, 3])])
    close(f(tf.ones([2, 3])), [[2.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
    for _ in range(2):
        close(f(tf.ones([1, 3])), [[2.0, 0.0, 0.0]])


@retraced
def test_stateless_functions_take_symbolic_seeds_and_shapes():
    def draw(n, seed):
        return (
            random.stateless_uniform([n], seed),
            random.stateless_normal([n, 2], seed),
            random.stateless_categorical(tf.math.log([[0.2, 0.8]]), n, seed),
            random.stateless_shuffle(tf.range(n), seed),
            random_dist.stateless_poisson([n], seed, 3.0),
            tf.random.experimental.index_shuffle(tf.range(n), seed, n - 1),
        )

    wanted = (
        [0.844060421, 0.192045331, 0.996223211],
        [[0.544110119, 0.20738031], [0.073564321, 0.046434551], [-1.301589847, -0.953856528]],
        [[1, 1, 0]],
        [1, 2, 0],
        [5, 5, 4],
        [2, 0, 1],
    )
    for got, row in zip(tf.function(draw)(tf.constant(3), tf.constant([1, 2])), wanted, strict=True):
        close(got, row)
    compiled = tf.function(lambda seed: draw(3, seed), jit_compile=True)
    for got, row in zip(compiled(tf.constant([1, 2])), wanted, strict=True):
        close(got, row)


# -- generators -------------------------------------------------------------------------------------------------------

GENERATED = [
    (
        [0.43842274, -0.534398437], [0.26456964, 0.24923408], [4, 5], [13221018172261337930], [-0.630260646, -1.428108335], [3, 19],
        [[2608508333079516455, -3553619266565769389], [0, 0]],
    ),
    (
        [-0.537796378, -1.955897093], [0.506008863, 0.769024014], [4, 7], [566707414810692492], [0.606423795, 1.511163235], [2, 27],
        [[8266482177475427228, -3110772880588767668], [0, 0]],
    ),
]  # fmt: skip


@pytest.mark.parametrize("mode", ["eager", "plan", "xla"])
def test_a_generator_draws_the_same_eagerly_and_in_functions(mode):
    g = tf.random.Generator.from_seed(1)

    def draw():
        return (
            g.normal([2]), g.uniform([2]), g.uniform([2], maxval=10, dtype=tf.int32), g.uniform_full_int([1]),
            g.truncated_normal([2]), g.binomial([2], [5.0, 100.0], [0.5, 0.2]), g.make_seeds(2),
        )  # fmt: skip

    f = draw if mode == "eager" else tf.function(draw, jit_compile=mode == "xla")
    for wanted in GENERATED:
        for got, row in zip(f(), wanted, strict=True):
            close(got, row)
    assert g.state.numpy().tolist() == [210433, 0, 0]


@pytest.mark.parametrize("mode", ["eager", "plan", "xla"])
def test_a_generator_is_set_in_functions(mode):
    g = tf.random.Generator.from_seed(1)

    def draw():
        g.reset_from_seed(5)
        a = g.normal([1])
        g.skip(3)
        b = g.normal([1])
        g.reset([1, 2, 3])
        c = g.normal([1])
        g.reset_from_key_counter(3, tf.constant([1, 2], tf.int64))
        return a, b, c, g.normal([1]), g.key, g.state.read_value()

    f = draw if mode == "eager" else tf.function(draw, jit_compile=mode == "xla")
    wanted = ([1.027852416], [-1.649019003], [-0.260163754], [-0.260163754], 3, [257, 2, 3])
    for got, row in zip(f(), wanted, strict=True):
        close(got, row)


# -- candidates -------------------------------------------------------------------------------------------------------

TRUE = [[1, 2]]
CANDIDATES = [
    (
        "uniform",
        lambda: candidates.uniform_candidate_sampler(TRUE, 2, 3, True, 10, seed=3),
        [9, 3, 1],
        [7, 8, 1],
        [[0.3, 0.3]],
    ),
    (
        "log uniform",
        lambda: candidates.log_uniform_candidate_sampler([[1, 2], [3, 4]], 2, 5, True, 20, seed=3),
        [1, 10, 11, 0, 2],
        [3, 0, 4, 16, 11],
        [[0.575792968, 0.44874233], [0.366635978, 0.309624135]],
    ),
    (
        "learned",
        lambda: candidates.learned_unigram_candidate_sampler(TRUE, 2, 3, True, 10, seed=3),
        [7, 2, 9],
        [3, 7, 0],
        [[0.5, 0.5]],
    ),
    (
        "fixed",
        lambda: candidates.fixed_unigram_candidate_sampler(
            TRUE, 2, 3, True, 5, unigrams=[1.0, 2.0, 3.0, 4.0, 5.0], seed=3
        ),
        [2, 3, 4],
        [0, 2, 4],
        [[0.400000036, 0.600000024]],
    ),
    ("all", lambda: candidates.all_candidate_sampler(TRUE, 2, 3, True), [0, 1, 2], [0, 1, 2], [[1.0, 1.0]]),
]


@retraced
@pytest.mark.parametrize("mode", ["eager", "plan", "xla"])
@pytest.mark.parametrize(
    ("draw", "first", "second", "expected"), [c[1:] for c in CANDIDATES], ids=[c[0] for c in CANDIDATES]
)
def test_candidates(draw, first, second, expected, mode, monkeypatch):
    monkeypatch.setattr(candidates, "_learned", {})
    random.set_seed(1)
    f = draw if mode == "eager" else tf.function(draw, jit_compile=mode == "xla")
    close(f().sampled_candidates, first)
    again = f()
    close(again.sampled_candidates, second)
    close(again.true_expected_count, expected)


W = np.linspace(-1, 1, 18, dtype=np.float32).reshape(6, 3)
B = np.linspace(0, 1, 6, dtype=np.float32)
X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)
GIVEN = ([0, 4, 3], [[0.3], [0.2], [0.1], [0.5]], [0.3, 0.4, 0.2])
LABELS = np.array([[0], [2], [5], [1]])
LOSSES = [
    (candidates.sampled_softmax_loss, False, [0.701483, 1.205687, 0.204817, 6.277622]),
    (candidates.nce_loss, False, [7.643817, 6.283523, 6.018688, 9.463171]),
    (candidates.sampled_softmax_loss, True, [0.016603, 1.205687, 0.204817, 6.277622]),
    (candidates.nce_loss, True, [2.019118, 6.283523, 6.018688, 9.463171]),
]


@both
@retraced
@pytest.mark.parametrize(("loss", "remove", "wanted"), LOSSES)
def test_losses_of_candidates(loss, remove, wanted, jit):
    given = tuple(map(tf.constant, GIVEN))
    f = tf.function(
        lambda w: loss(w, B, LABELS, X, 3, 6, sampled_values=given, remove_accidental_hits=remove),
        jit_compile=jit,
    )
    close(f(tf.constant(W)), wanted, 1e-4)


def test_losses_of_candidates_draw_them_and_have_gradients():
    random.set_seed(1)
    close(
        candidates.sampled_softmax_loss(W, B, LABELS, X, 3, 6, seed=2),
        [0.246846, 1.388182, 0.029239, 8.442735],
        1e-4,
    )
    w = tf.constant(W)
    with tf.GradientTape() as tape:
        tape.watch(w)
        loss = tf.reduce_sum(
            candidates.nce_loss(w, B, LABELS, X, 3, 6, sampled_values=tuple(map(tf.constant, GIVEN)))
        )
    wanted = [
        [-2.69728, -1.81044, -0.9236], [-1.06251, -1.36608, -1.66965], [0.07674, 0.04605, 0.01535], [-1.02466, 0.27618, 1.57702],
        [0.15312, 1.22652, 2.29992], [-0.00144, -0.00431, -0.00719],
    ]  # fmt: skip
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(loss, w)), wanted, atol=2e-5)


# -- statistics and errors --------------------------------------------------------------------------------------------


def test_moments():
    random.set_seed(1)
    n = random.normal([200000], 3.0, 2.0).numpy()
    assert abs(n.mean() - 3) < 0.03 and abs(n.std() - 2) < 0.03
    t = random.truncated_normal([200000]).numpy()
    assert np.abs(t).max() < 2 and abs(t.std() - 0.8796) < 0.01
    b = random_dist.stateless_binomial([100000], [1, 2], 12.0, 0.3).numpy()
    assert abs(b.mean() - 3.6) < 0.05 and abs(b.var() - 2.52) < 0.1 and b.min() >= 0 and b.max() <= 12


BAD = [
    (lambda: random.uniform([2], dtype="int32"), ValueError),
    (lambda: random.uniform([2], 5, 5, dtype="int32"), InvalidArgumentError),
    (lambda: random.uniform([2], [0, 0], [5, 5], dtype="int32"), InvalidArgumentError),
    (lambda: random.uniform([2], 0, 5, dtype="int8"), ValueError),
    (lambda: random.normal([2], dtype="int32"), TypeError),
    (lambda: random.normal([-2]), InvalidArgumentError),
    (lambda: random.normal([2.5]), InvalidArgumentError),
    (lambda: random.normal(3), InvalidArgumentError),
    (lambda: random.normal([None, 3]), ValueError),
    (lambda: random.stateless_normal([2], [1, 2, 3]), InvalidArgumentError),
    (lambda: random.stateless_normal([2], 1), InvalidArgumentError),
    (lambda: random.stateless_normal([2], [1.0, 2.0]), InvalidArgumentError),
    (lambda: random.stateless_normal([2], [1, 2], alg="threefry"), InvalidArgumentError),
    (lambda: random.stateless_normal([2], [1, 2], alg="other"), ValueError),
    (lambda: random.stateless_uniform([2], [1, 2], None, 5, dtype="int32"), ValueError),
    (lambda: random.stateless_uniform([2], [1, 2], 0, 5, dtype="uint32"), ValueError),
    (lambda: random.categorical([0.0, 1.0], 3), InvalidArgumentError),
    (lambda: random.categorical([[0.0, 1.0]], -3), InvalidArgumentError),
    (lambda: random.categorical(np.zeros((2, 0), np.float32), 3), InvalidArgumentError),
    (lambda: random.stateless_dropout(np.ones((2, 2), np.float32), 1.0, [1, 2]), ValueError),
]


@pytest.mark.parametrize(("call", "error"), BAD)
def test_refusals(call, error):
    with pytest.raises(error):
        call()


def test_empty_results_are_allowed_whatever_the_range():
    assert random.uniform([0], 6, 5, dtype="int32").shape == (0,)
    assert random.categorical(convert([[0.0, 1.0]]), 0).shape == (1, 0)

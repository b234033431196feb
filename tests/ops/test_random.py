"""Random numbers: the values that TensorFlow 2.21 gives for the same seeds, one table for each rule, and their statistics."""

from __future__ import annotations

import numpy as np
import pytest

import headwater._src.ops  # noqa: F401 - fills the registry
from headwater._src.base.errors import InvalidArgumentError
from headwater._src.core.convert import convert
from headwater._src.core.graph import Graph
from headwater._src.ops import philox, random, random_dist


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
    close(
        random_dist.stateless_binomial([4], [1, 2], np.float32(1000), np.float32(0.4)), [419, 410, 423, 418]
    )


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


def test_operations_of_a_graph_are_numbered_and_have_their_own_streams():
    random.set_seed(42)
    graph = Graph()
    with graph.as_default():
        for _ in range(2):
            random.normal([2])
        for _ in range(2):
            random.normal([2], seed=7)
    attrs = [n.attrs for n in graph.nodes]
    assert [(a["seed"], a["seed2"]) for a in attrs] == [(42, 0), (42, 1), (42, 7), (42, 7)]
    assert len({a["node"] for a in attrs}) == 4


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

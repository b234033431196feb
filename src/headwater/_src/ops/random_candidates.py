"""Candidate sampling: classes drawn to stand for all the others, and the losses that are trained with them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.losses as losses
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.errors import ResourceExhaustedError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.graph import add_opaque
from headwater._src.core.op import HOST_ONLY, NONDIFF, Op, op
from headwater._src.core.samples import bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.engine import lower
from headwater._src.ops import philox
from headwater._src.ops.cast import cast
from headwater._src.ops.philox import Stream
from headwater._src.ops.seeds import StreamHandle, op_seeds, reserve

_BLOCKS_EACH = 512
"""Blocks of the stream that TensorFlow sets aside for each class to draw."""

# -- drawing one class ------------------------------------------------------------------------------------------------


class Words:
    """The words of a stream one by one."""

    def __init__(self, stream: Stream) -> None:
        self._words = philox.endless(stream)

    def word(self) -> int:
        """32 bits."""
        return next(self._words)

    def double(self) -> int:
        """64 bits, the first word lowest."""
        return self.word() | self.word() << 32

    def below(self, n: int, draw: Callable[[], int], bits: int) -> int:
        """An integer in [0, n) without bias: what would favour the small ones is drawn again."""
        if n & (n - 1) == 0:
            return draw() & (n - 1)
        least = (1 << bits) % n or n
        while True:
            value = draw()
            if value >= least:
                return value % n


class Sampler:
    """A distribution over the classes 0, ..., range_max - 1."""

    def __init__(self, range_max: int) -> None:
        self.range = range_max

    def draw(self, words: Words) -> int:
        """One class."""
        raise NotImplementedError

    def chance(self, classes: np.ndarray) -> np.ndarray:
        """The probability of each class, in float32."""
        raise NotImplementedError

    def learn(self, classes: np.ndarray) -> None:
        """Takes note of classes that were seen."""


class _Uniform(Sampler):
    def draw(self, words: Words) -> int:
        return words.below(self.range, words.double, 64)

    def chance(self, classes: np.ndarray) -> np.ndarray:
        return np.full(classes.shape, 1.0 / self.range, np.float32)


class _LogUniform(Sampler):
    def draw(self, words: Words) -> int:
        pattern = (words.word() & 0xFFFFF) << 32 | words.word() | 1023 << 52
        unit = np.array(pattern, np.uint64).view(np.float64) - 1.0
        return (int(np.exp(unit * np.log1p(float(self.range)))) - 1) % self.range

    def chance(self, classes: np.ndarray) -> np.ndarray:
        found = np.log((classes + 2.0) / (classes + 1.0)) / np.log1p(float(self.range))
        return found.astype(np.float32)


class _FixedUnigram(Sampler):
    """Drawn by the alias method (Walker 1977): a place is picked evenly, and holds a class and what it is exchanged for."""

    def __init__(self, range_max: int, weights: np.ndarray) -> None:
        super().__init__(range_max)
        if len(weights) != range_max:
            raise invalid(
                f"tf.random.fixed_unigram_candidate_sampler: range_max is {range_max} and there are {len(weights)} weights; they "
                "must be as many."
            )
        self.weights = weights
        self.total = functools.reduce(np.add, weights, np.float32(0))
        self.kept, self.other = _alias_table(weights.astype(np.float64))

    def draw(self, words: Words) -> int:
        unit = np.array(words.word() & 0x7FFFFF | 0x3F800000, np.uint32).view(np.float32) - np.float32(1)
        place = words.below(self.range, words.word, 32)
        return place if unit < self.kept[place] else self.other[place]

    def chance(self, classes: np.ndarray) -> np.ndarray:
        known = (classes >= 0) & (classes < self.range)
        return np.where(known, self.weights[np.where(known, classes, 0)] / self.total, np.float32(0))


def _alias_table(weights: np.ndarray) -> tuple[np.ndarray, list[int]]:
    share = weights * len(weights) / functools.reduce(lambda a, b: a + b, weights.tolist(), 0.0)
    other = list(range(len(weights)))
    low = [i for i, s in enumerate(share) if s < 1.0]
    high = [i for i, s in enumerate(share) if not s < 1.0]
    while high and low:
        small, large = low.pop(), high.pop()
        other[small] = large
        share[large] -= 1.0 - share[small]
        (low if share[large] < 1.0 else high).append(large)
    share[high + low] = 1.0
    return share.astype(np.float32), other


class _LearnedUnigram(Sampler):
    """Classes weigh as often as they were seen, and one more."""

    def __init__(self, range_max: int) -> None:
        super().__init__(range_max)
        self.weights = np.ones(range_max, np.int64)
        self.lock = threading.Lock()

    def draw(self, words: Words) -> int:
        ends = np.cumsum(self.weights)
        return int(np.searchsorted(ends, words.below(int(ends[-1]), words.word, 32), side="right"))

    def chance(self, classes: np.ndarray) -> np.ndarray:
        return (self.weights[classes].astype(np.float32) / self.weights.sum()).astype(np.float32)

    def learn(self, classes: np.ndarray) -> None:
        with self.lock:
            np.add.at(self.weights, classes.reshape(-1), 1)


class _All(Sampler):
    """Every class once."""


# -- drawing many -----------------------------------------------------------------------------------------------------


def _expected(chance: np.ndarray, count: int, tries: int) -> np.ndarray:
    """How often a class is expected among the drawn: the chance to see it in so many tries, where each is drawn once."""
    if tries == count:
        return chance * np.float32(count)
    # Both functions in double precision and rounded: NumPy's own in float32 are off in the last bit.
    exponent = np.float32(tries) * np.log1p(-chance.astype(np.float64)).astype(np.float32)
    return -np.expm1(exponent.astype(np.float64)).astype(np.float32)


def _sample(
    sampler: Sampler, stream: Stream, true: np.ndarray, count: int, unique: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes drawn, and the expected counts of the true classes and of the drawn."""
    if isinstance(sampler, _All):
        return np.arange(count), np.ones(true.shape, np.float32), np.ones(count, np.float32)
    words = Words(stream)
    drawn: list[int] = []
    seen: set[int] = set()
    tries = 0
    while len(drawn) < count:
        tries += 1
        value = sampler.draw(words)
        if not unique or value not in seen:
            seen.add(value)
            drawn.append(value)
    found = np.array(drawn, np.int64)
    with np.errstate(all="ignore"):
        result = (
            found, _expected(sampler.chance(true), count, tries), _expected(sampler.chance(found), count, tries),
        )  # fmt: skip
    sampler.learn(true)
    return result


class _Request(NamedTuple):
    """What a node draws, from a stream of its own."""

    sampler: Sampler
    handle: StreamHandle
    wanted: int
    unique: bool
    num_true: int
    title: str

    def run(self, true: np.ndarray) -> list[np.ndarray]:
        """The results for these true classes."""
        _check_true(true.shape, self.num_true, self.title)
        with self.handle.lock:
            stream = philox.stream_of_state(self.handle.tensor._array)
            self.handle.tensor = of_array(philox.state_of(stream.skip(self.wanted * _BLOCKS_EACH)))
        return list(_sample(self.sampler, stream, true, self.wanted, self.unique))


def _check_true(shape: tuple[Any, ...], num_true: int, title: str) -> None:
    if len(shape) != 2 or shape[1] not in (num_true, None):
        raise invalid(
            f"{title}: true_classes must be a matrix of num_true = {num_true} columns; got shape {list(shape)}."
        )


def _refuse_eager(*_: Any, **__: Any) -> Any:
    raise ValueError("the specs are given with the node")


def _lower_request(true: Any, *, request: _Request) -> Any:
    return lower.call_on_host(request.run, [true], _specs(request, true.shape))


def _specs(request: _Request, shape: Any) -> list[Spec]:
    rows = None if shape is None else shape[0]
    floats = np.dtype(np.float32)
    return [
        Spec((request.wanted,), np.dtype(np.int64)), Spec((rows, request.num_true), floats), Spec((request.wanted,), floats),
    ]  # fmt: skip


_CANDIDATES = Op(
    "CandidateSampler", "true_classes: int64 -> ?: int64; ?: float32; ?: float32",
    numpy=lambda true, *, request: request.run(true), lower=_lower_request, grad=NONDIFF, shape=_refuse_eager, attrs={},
    host=(), api=(), cases=tuple, stateful=True, moves=False, first_decides=False,
)  # fmt: skip
_CANDIDATES.module = __name__


_MOST = 1 << 22
"""More candidates than these are refused before they are drawn."""


def _candidates(
    result: Any, sampler: Callable[[], Sampler], key: Any, true: Any, num_true: int, count: int, unique: bool, range_max: int,
    seed: Any, name: str | None,
) -> Any:  # fmt: skip
    title = f"tf.random.{key[0]}"
    for word, value in (("num_true", num_true), ("num_sampled", count), ("range_max", range_max)):
        if value < 1:
            raise invalid(f"{title}: {word} must be at least 1; got {value}.")
    if count > _MOST:
        raise ResourceExhaustedError(
            None,
            None,
            f"{title}: num_sampled = {count} is more than {_MOST}: the classes are drawn one by one.",
        )
    if unique and count > range_max:
        raise invalid(
            f"{title}: {count} distinct classes can't be drawn from {range_max}; lower num_sampled or pass unique=False."
        )
    tensor = cast(true, dtypes.int64)
    if tensor._spec.shape is not None:
        _check_true(tensor._spec.shape, num_true, title)
    first, second = op_seeds(seed)
    if ctx.graph is not None:
        request = _Request(sampler(), StreamHandle(first, second), count, unique, num_true, title)
        specs = _specs(request, tensor._spec.shape)
        return result(
            *add_opaque(_CANDIDATES, [tensor], specs, {"request": request}, name or result.__name__)
        )
    stream = reserve(
        (*key, num_true, count, unique, range_max, first, second), first, second, count * _BLOCKS_EACH
    )
    found = _sample(sampler(), stream, tensor._array, count, bool(unique))  # type: ignore[attr-defined]
    return result(*map(of_array, found))


class UniformCandidateSampler(NamedTuple):
    """Classes drawn, and the expected counts of the true classes and of the drawn."""

    sampled_candidates: Any
    true_expected_count: Any
    sampled_expected_count: Any


class LogUniformCandidateSampler(UniformCandidateSampler):
    """The same."""


class LearnedUnigramCandidateSampler(UniformCandidateSampler):
    """The same."""


class FixedUnigramCandidateSampler(UniformCandidateSampler):
    """The same."""


class AllCandidateSampler(UniformCandidateSampler):
    """The same."""


_ARGUMENTS = """

    Args:
      true_classes: the classes that are right, integers of shape [batch_size, num_true].
      num_true: how many there are for each example.
      num_sampled: how many classes to draw.
      unique: whether a class is drawn once at most.
      range_max: how many classes there are.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Returns:
      A named tuple: `sampled_candidates`, int64 of shape [num_sampled]; `true_expected_count`, float32 like `true_classes`, how
      often each would be expected among the drawn; `sampled_expected_count`, the same for the drawn.

    Raises:
      InvalidArgumentError: more distinct classes than there are, or `true_classes` of another shape.
"""


def _documented(function: Any) -> Any:
    function.__doc__ += _ARGUMENTS
    return function


@export("random.uniform_candidate_sampler")
@_documented
def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Classes drawn evenly from 0, ..., range_max - 1."""
    return _candidates(
        UniformCandidateSampler, lambda: _Uniform(range_max), ("uniform_candidate_sampler",), true_classes, num_true,
        num_sampled, unique, range_max, seed, name,
    )  # fmt: skip


@export("random.log_uniform_candidate_sampler")
@_documented
def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Classes drawn with the chance log((c + 2) / (c + 1)) / log(range_max + 1): for classes in the order of their frequency."""
    return _candidates(
        LogUniformCandidateSampler, lambda: _LogUniform(range_max), ("log_uniform_candidate_sampler",), true_classes,
        num_true, num_sampled, unique, range_max, seed, name,
    )  # fmt: skip


_learned: dict[Any, Sampler] = {}


@export("random.learned_unigram_candidate_sampler")
@_documented
def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Classes drawn as often as they were among the true classes of earlier calls, and one more."""
    key = num_true, num_sampled, unique, range_max, seed
    return _candidates(
        LearnedUnigramCandidateSampler,
        lambda: _LearnedUnigram(range_max) if ctx.graph is not None else _learned.setdefault(key, _LearnedUnigram(range_max)),
        ("learned_unigram_candidate_sampler",), true_classes, num_true, num_sampled, unique, range_max, seed, name,
    )  # fmt: skip


@export("random.fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: Any = "",
    distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, unigrams: Any = (),
    seed: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Classes drawn in proportion to given weights.

    Args:
      true_classes: the classes that are right, integers of shape [batch_size, num_true].
      num_true: how many there are for each example.
      num_sampled: how many classes to draw.
      unique: whether a class is drawn once at most.
      range_max: how many classes there are.
      vocab_file: a text file with a line for each class, whose last field after a comma is the weight.
      distortion: the power to which the weights are raised.
      num_reserved_ids: so many classes of weight 0 come first.
      num_shards, shard: takes the classes `shard`, `shard + num_shards`, ... alone.
      unigrams: the weights, where there is no file.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Returns:
      A named tuple as of `tf.random.uniform_candidate_sampler`.

    Raises:
      InvalidArgumentError: the weights are not as many as there are classes, or a line has no number.
    """
    weights = list(unigrams) if not vocab_file else _weights_of(vocab_file)
    powers = [0.0] * num_reserved_ids + (np.array(weights, np.float32) ** np.float32(distortion)).tolist()
    chosen = np.array(powers[shard::num_shards], np.float32)
    return _candidates(
        FixedUnigramCandidateSampler, lambda: _FixedUnigram(range_max, chosen),
        ("fixed_unigram_candidate_sampler", chosen.tobytes()), true_classes, num_true, num_sampled, unique, range_max, seed, name,
    )  # fmt: skip


def _weights_of(path: Any) -> list[float]:
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip()]
    try:
        return [float(line.rpartition(",")[2]) for line in lines]
    except ValueError as error:
        raise invalid(f"tf.random.fixed_unigram_candidate_sampler: {path}: {error}.") from None


@export("random.all_candidate_sampler")
def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Every class once, for tests: the classes 0, ..., num_sampled - 1 with expected counts of 1.

    Args:
      true_classes: integers of shape [batch_size, num_true].
      num_true: how many right classes there are for each example.
      num_sampled: how many classes there are.
      unique: accepted for compatibility.
      seed: likewise.
      name: optional.
    """
    return _candidates(
        AllCandidateSampler, lambda: _All(num_sampled), ("all_candidate_sampler",), true_classes, num_true, num_sampled,
        unique, num_sampled, seed, name,
    )  # fmt: skip


# -- hits -------------------------------------------------------------------------------------------------------------


def _hits(
    true: np.ndarray, candidates: np.ndarray, *, num_true: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if true.ndim != 2 or true.shape[1] != num_true:
        raise ValueError(f"true_classes must be a matrix of {num_true} columns; got shape {list(true.shape)}")
    if candidates.ndim != 1:
        raise ValueError(f"sampled_candidates must be a vector; got shape {list(candidates.shape)}")
    places = {c: i for i, c in enumerate(candidates.tolist())}
    found = [(row, places[c]) for row, classes in enumerate(true.tolist()) for c in classes if c in places]
    rows = np.array([r for r, _ in found], np.int32)
    weights = np.full(len(found), -np.finfo(np.float32).max, np.float32)
    return rows, np.array([p for _, p in found], np.int64), weights


class ComputeAccidentalHits(NamedTuple):
    """Rows of the hits, their places among the drawn classes, and what to add to these logits."""

    indices: Any
    ids: Any
    weights: Any


_accidental_hits = op(
    "ComputeAccidentalHits", "true_classes: int64, sampled_candidates: int64 -> ?: int32; ?: int64; ?: float32",
    numpy=_hits,
    lower=HOST_ONLY("how many hits there are depends on the values"),
    grad=NONDIFF,
    shape=lambda true, candidates, *, num_true: ((None,), (None,), (None,)),
    attrs={"num_true": 1},
)  # fmt: skip


@export("nn.compute_accidental_hits")
def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: Any = None, name: str | None = None
) -> Any:
    """Where drawn classes happen to be right ones.

    Args:
      true_classes: int64 of shape [batch_size, num_true].
      sampled_candidates: int64 vector of the drawn classes.
      num_true: how many right classes there are for each example.
      seed: accepted for compatibility.
      name: optional.

    Returns:
      `indices`, the rows of the hits; `ids`, their places among the drawn; `weights`, the lowest float32 for each, to add to the
      logits of the drawn.
    """
    true, drawn = cast(true_classes, dtypes.int64), cast(sampled_candidates, dtypes.int64)
    return ComputeAccidentalHits(*_accidental_hits(true, drawn, num_true=int(num_true)))


# -- losses -----------------------------------------------------------------------------------------------------------


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, count: int, classes: int, num_true: int, given: Any, remove: bool,
    seed: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Logits of the right and of the drawn classes, corrected for how likely these were, and the labels to train them to."""
    weights, biases, inputs = _joined(weights), _joined(biases), convert(inputs)
    labels = layout.reshape(cast(labels, dtypes.int64), [-1, num_true])
    if given is None:
        given = log_uniform_candidate_sampler(labels, num_true, count, True, classes, seed)
    drawn, true_expected, drawn_expected = (layout.stop_gradient(convert(g)) for g in given)
    drawn = cast(drawn, dtypes.int64)
    right = reduce.reduce_sum(
        math.multiply(layout.expand_dims(inputs, 1), gather.gather(weights, labels)), -1
    )
    right = math.add(right, gather.gather(biases, labels))
    others = linalg.matmul(inputs, gather.gather(weights, drawn), transpose_b=True)
    others = math.add(others, gather.gather(biases, drawn))
    if remove:
        hit = reduce.reduce_any(
            compare.equal(layout.expand_dims(labels, 2), layout.reshape(drawn, [1, 1, -1])), 1
        )
        lowest = convert(-float(np.finfo(np.float32).max), others.dtype)
        others = math.add(others, math.multiply(cast(hit, others.dtype), lowest))
    right = math.subtract(right, math.log(cast(true_expected, right.dtype)))
    others = math.subtract(others, math.log(cast(drawn_expected, others.dtype)))
    share = math.real_divide(create.ones_like(right), convert(num_true, right.dtype))
    return joining.concat([right, others], 1), joining.concat([share, create.zeros_like(others)], 1)


def _joined(parts: Any) -> Any:
    """Parameters that are given in parts, the first classes in the first."""
    return joining.concat(list(parts), 0) if isinstance(parts, (list, tuple)) else convert(parts)


_LOSS_ARGUMENTS = """

    Args:
      weights: floats of shape [num_classes, dim], or a list of such tensors, which are joined.
      biases: floats of shape [num_classes].
      labels: the right classes, integers of shape [batch_size, num_true].
      inputs: what the last layer gets, of shape [batch_size, dim].
      num_sampled: how many classes to draw for the batch.
      num_classes: how many there are.
      num_true: how many right classes there are for each example.
      sampled_values: what a `tf.random.*_candidate_sampler` gave; by default classes are drawn by
        `tf.random.log_uniform_candidate_sampler`.
      remove_accidental_hits: leave out drawn classes that are right ones of the example.
"""


@export("nn.nce_loss")
def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = False, name: str = "nce_loss",
) -> Tensor:  # fmt: skip
    """The loss of noise-contrastive estimation (Gutmann and Hyvarinen 2010): right classes against drawn ones, each by itself."""
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        None,
    )
    return reduce.reduce_sum(losses.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), 1)


@export("nn.sampled_softmax_loss")
def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = True, seed: Any = None, name: str = "sampled_softmax_loss",
) -> Tensor:  # fmt: skip
    """The cross-entropy of a softmax over the right classes and a few drawn ones (Jean et al. 2014), for training alone."""
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        seed,
    )
    return losses.softmax_cross_entropy_with_logits(layout.stop_gradient(targets), logits)


for _loss in (nce_loss, sampled_softmax_loss):
    _more = "      seed: an integer; see `tf.random.set_seed`.\n" if _loss is sampled_softmax_loss else ""
    _loss.__doc__ = f"{_loss.__doc__}{_LOSS_ARGUMENTS}{_more}      name: optional.\n\n    Returns:\n      Losses of shape [batch_size].\n"

# -- samples ----------------------------------------------------------------------------------------------------------

_TRUE = np.array([[1, 2], [0, 4]])
for _name in ("uniform", "log_uniform", "learned_unigram"):
    sampled(f"random.{_name}_candidate_sampler", lambda: [
        case(_TRUE, 2, 5, False, 20, 3, tol=np.inf), bad(_TRUE, 2, 11, True, 10, id="too-many"), bad(_TRUE, 3, 2, True, 10, id="columns"),
        bad(_TRUE, 2, 2, True, 0, id="range"),
    ])  # fmt: skip
sampled("random.fixed_unigram_candidate_sampler", lambda: [
    case(_TRUE, 2, 4, False, 5, unigrams=[1.0, 2.0, 3.0, 4.0, 5.0], seed=3, tol=np.inf),
    bad(_TRUE, 2, 4, False, 6, unigrams=[1.0, 2.0], id="weights"),
])  # fmt: skip
sampled(
    "random.all_candidate_sampler", lambda: [case(_TRUE, 2, 5, True), bad(_TRUE, 3, 2, True, id="columns")]
)
sampled("nn.compute_accidental_hits", lambda: [
    case(_TRUE, [0, 3, 4], 2), case(_TRUE, [7], 2, id="none"), bad(_TRUE, [0, 3], 3, id="columns"),
])  # fmt: skip

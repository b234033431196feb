"""Random numbers: the seed rules of TensorFlow, the stateful and the stateless operations, and the functions around them.

A stateful operation draws from a stream that belongs to it: its name, its dtype and its two seeds decide which, and every
call goes on where the one before ended. `set_seed` starts all streams over. A stateless operation is a function of its seed.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.philox_xla as xla
from headwater._src.base import dtypes
from headwater._src.base.dtypes import DType, as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert, host_int, host_ints
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, Tensor_, bad, case, each, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike
from headwater._src.engine.traits import Traits, install_traits
from headwater._src.ops import philox
from headwater._src.ops.philox import Stream
from headwater._src.ops.random_streams import Stateful
from headwater._src.ops.seeds import global_seed, op_seeds, set_seed

_FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)
_INTS = (dtypes.int32, dtypes.int64)
_UINTS = (dtypes.uint32, dtypes.uint64)

__all__ = ["global_seed", "op_seeds", "set_seed"]

# -- arguments --------------------------------------------------------------------------------------------------------


def shape_of(shape: Any) -> Any:
    """A shape argument as a tuple of non-negative ints, or a symbolic tensor."""
    try:
        dims = host_ints(shape, "tf.random: shape")
    except TypeError as error:
        if isinstance(shape, (list, tuple)) and any(d is None for d in shape):
            raise ValueError(str(error)) from None
        raise invalid(str(error)) from None
    if dims.__class__ is SymbolicTensor:
        return dims
    if (
        np.ndim(getattr(shape, "_array", 0)) == 0
        and not hasattr(shape, "__len__")
        and not hasattr(shape, "as_list")
    ):
        raise invalid(
            f"tf.random: shape must be a vector of integers; got {describe(shape)}. Write [n] for n elements."
        )
    for d in dims:
        if d < 0:
            raise invalid(f"tf.random: shape must have no negative dimension; got {list(dims)}.")
    return dims


def element_count(shape: tuple[int, ...]) -> int:
    size = 1
    for d in shape:
        size *= d
    return size


def float_dtype(dtype: Any, name: str) -> DType:
    found = as_dtype(dtype)
    if found in _FLOATS:
        return found
    text = f"{name}: dtype must be float16, bfloat16, float32 or float64; got {found.name}."
    raise invalid(text) if found.is_complex else TypeError(text)


def _one_of(dtype: Any, allowed: tuple[DType, ...], name: str) -> DType:
    found = as_dtype(dtype)
    if found not in allowed:
        raise ValueError(
            f"{name}: dtype must be one of {', '.join(d.name for d in allowed)}; got {found.name}."
        )
    return found


def seed_pair(seed: Any) -> Tensor:
    """A stateless seed: integers of shape [2]. NumPy arrays of other integer dtypes are widened."""
    if not isinstance(seed, TensorLike) and isinstance(seed, np.ndarray) and seed.dtype.kind in "iu":
        seed = seed.astype(np.int64) if seed.dtype not in (np.int32, np.int64) else seed
    seed = convert(seed)
    if seed.dtype not in _INTS and seed.dtype not in _UINTS:
        raise invalid(f"tf.random: seed must be two integers (int32 or int64); got {describe(seed)}.")
    _check_seed_shape(seed._spec)
    return seed


def _check_seed_shape(seed: Spec) -> None:
    if seed.shape is not None and (len(seed.shape) != 1 or seed.shape[0] not in (2, None)):
        raise invalid(f"tf.random: seed must have shape [2], that is two integers; got shape {seed.shape}.")


_ALGORITHMS = {"philox": 1, "auto_select": 3, 1: 1, 3: 3}


def _check_algorithm(alg: Any, name: str) -> None:
    value = getattr(alg, "value", alg)
    if isinstance(value, EagerTensor):
        value = int(value._array)
    value = value.lower() if isinstance(value, str) else value
    if value in ("threefry", 2):
        raise invalid(
            f"{name}: the ThreeFry algorithm does not exist for the CPU; use alg='philox' or 'auto_select'."
        )
    if value not in _ALGORITHMS:
        raise ValueError(f"{name}: alg must be 'philox' or 'auto_select'; got {describe(alg)}.")


def _affine(unit: Any, scale: Any, shift: Any, dtype: DType) -> Any:
    """`unit * scale + shift`; a factor of 1 and a term of 0 given as plain numbers change nothing and cost nothing."""
    if not (scale.__class__ in (float, int) and scale == 1):
        unit = math.multiply(unit, convert(scale, dtype))
    if not (shift.__class__ in (float, int) and shift == 0):
        unit = math.add(unit, convert(shift, dtype))
    return unit


# -- stateful operations ----------------------------------------------------------------------------------------------


def _shape_rule(*_: Spec, shape: Any, **__: Any) -> Any:
    return dims_of(shape)


def _filled(name: str, draw: Any, lowering: Any) -> Stateful:
    """An operation that fills a shape; TensorFlow's kernels pass over 256 blocks for each element."""
    return Stateful(
        name, "", "dtype",
        draw=lambda stream, *, shape, dtype: draw(stream, element_count(shape), dtype.np).reshape(shape),
        lowering=lambda stream, *, shape, dtype: lowering(stream, shape, dtype.np),
        blocks=lambda *, shape, dtype: element_count(shape) * philox.RESERVED,
        shape=_shape_rule,
        attrs={"shape": (), "dtype": dtypes.float32},
        host=("shape",),
    )  # fmt: skip


random_standard_normal = _filled("RandomStandardNormal", philox.normal, xla.normal)
random_truncated_normal = _filled("TruncatedNormal", philox.truncated_normal, xla.truncated_normal)
random_uniform = _filled("RandomUniform", philox.uniform, xla.uniform)


def _check_range(low: np.ndarray, high: np.ndarray, *, shape: Any) -> None:
    if low.ndim or high.ndim:
        raise invalid(
            f"tf.random.uniform: minval and maxval of integers must be scalars; got shapes {low.shape} and {high.shape}."
        )
    if low >= high and element_count(shape):
        raise invalid(
            f"tf.random.uniform: minval must be less than maxval; got minval {low} and maxval {high}."
        )


def _ranged(stream: Stream, low: np.ndarray, high: np.ndarray, *, shape: Any) -> np.ndarray:
    size = element_count(shape)
    if not size:
        return np.empty(shape, low.dtype)
    return philox.uniform_int(stream, size, int(low), int(high), low.dtype).reshape(shape)


random_uniform_int = Stateful(
    "RandomUniformInt", "minval: IX, maxval: minval", "minval",
    draw=_ranged,
    lowering=lambda stream, low, high, *, shape: xla.uniform_int(stream, low, high, shape),
    blocks=lambda low, high, *, shape: element_count(shape) * philox.RESERVED,
    shape=_shape_rule,
    attrs={"shape": ()},
    host=("shape",),
    check=_check_range,
)  # fmt: skip


def _permuted(stream: Stream, value: np.ndarray) -> np.ndarray:
    if value.ndim == 0 or value.size <= 1:
        return value
    return value[philox.permutation(stream, value.shape[0])]


def _lower_permuted(stream: Any, value: Any) -> Any:
    return value if value.ndim == 0 else value[xla.permutation(stream, value.shape[0])]


_random_shuffle = Stateful(
    "RandomShuffle", "value: A", "value",
    draw=_permuted,
    lowering=_lower_permuted,
    blocks=lambda value: (value.shape[0] + 2) // 4 if value.size > 1 and value.ndim else 0,
    shape=lambda value, **_: value.shape,
    attrs={},
    host=(),
)  # fmt: skip


def _categorical_shape(logits: Spec, *_: Spec, num_samples: Any, **__: Any) -> Any:
    if logits.shape is not None and len(logits.shape) != 2:
        raise ValueError(f"logits must be a matrix [batch_size, num_classes]; got shape {logits.shape}")
    if num_samples is not None and num_samples < 0:
        raise ValueError(f"num_samples must not be negative; got {num_samples}")
    if logits.shape is not None and logits.shape[1] == 0 and logits.shape[0] != 0:
        raise ValueError("logits must have at least one class to draw")
    return (None if logits.shape is None else logits.shape[0], num_samples)


def _check_categorical(logits: np.ndarray, *, num_samples: int, **_: Any) -> None:
    try:
        _categorical_shape(Spec(logits.shape, logits.dtype), num_samples=num_samples)
    except ValueError as error:
        raise invalid(f"tf.random.categorical: {error}.") from None


def _drawn_classes(stream: Stream, logits: np.ndarray, *, num_samples: int, dtype: Any) -> np.ndarray:
    if logits.shape[0] * num_samples == 0:
        return np.empty((logits.shape[0], num_samples), dtype.np)
    return philox.categorical(stream, logits, num_samples, dtype.np)


def _categorical_blocks(logits: Any, *, num_samples: int, dtype: Any) -> int:
    return logits.shape[0] * (-(-num_samples // 4) * 8) * philox.RESERVED


_multinomial = Stateful(
    "Multinomial", "logits: F", "dtype",
    draw=_drawn_classes,
    lowering=lambda stream, logits, *, num_samples, dtype: xla.categorical(logits, stream, num_samples, dtype.np),
    blocks=_categorical_blocks,
    shape=_categorical_shape,
    attrs={"num_samples": 0, "dtype": dtypes.int64},
    host=("num_samples",),
    check=_check_categorical,
)  # fmt: skip

# -- their functions --------------------------------------------------------------------------------------------------


@export("random.normal")
def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Normally distributed numbers.

    Args:
      shape: a vector of integers.
      mean: of `dtype`, of a shape that broadcasts with `shape`.
      stddev: likewise.
      dtype: float16, bfloat16, float32 or float64.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Returns:
      A tensor of `shape`; differentiable with respect to `mean` and `stddev`.

    Raises:
      InvalidArgumentError: the shape is no vector of non-negative integers.
    """
    dtype = float_dtype(dtype, "tf.random.normal")
    shape = shape_of(shape)
    unit = random_standard_normal(shape=shape, dtype=dtype, seed=seed)
    return _affine(unit, stddev, mean, dtype)


@export("random.truncated_normal")
def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Normally distributed numbers, those further than two standard deviations from the mean drawn again.

    Arguments, result and errors are those of `tf.random.normal`.
    """
    dtype = float_dtype(dtype, "tf.random.truncated_normal")
    shape = shape_of(shape)
    unit = random_truncated_normal(shape=shape, dtype=dtype, seed=seed)
    return _affine(unit, stddev, mean, dtype)


@export("random.uniform")
def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Uniformly distributed numbers from `minval` to below `maxval`.

    Integers are remainders, hence slightly biased unless `maxval - minval` is a power of two.

    Args:
      shape: a vector of integers.
      minval: the lower bound, included; a scalar for integers, else broadcast with `shape`.
      maxval: the upper bound, excluded; 1 by default for floats, needed for integers.
      dtype: float16, bfloat16, float32, float64, int32 or int64.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Raises:
      ValueError: another dtype, or integers without `maxval`.
      InvalidArgumentError: `minval >= maxval` for integers, or a bad shape.
    """
    dtype = _one_of(dtype, _FLOATS + _INTS, "tf.random.uniform")
    shape = shape_of(shape)
    if not dtype.is_integer:
        unit = random_uniform(shape=shape, dtype=dtype, seed=seed)
        return _between(unit, minval, 1 if maxval is None else maxval, dtype)
    if maxval is None:
        raise ValueError(
            f"tf.random.uniform: maxval is needed for integers; got None with dtype {dtype.name}."
        )
    low, high = convert(minval, dtype), convert(maxval, dtype)
    return random_uniform_int(low, high, shape=shape, seed=seed)


def _between(unit: Any, minval: Any, maxval: Any, dtype: DType) -> Any:
    plain = minval.__class__ in (float, int) and maxval.__class__ in (float, int)
    if plain and minval == 0:
        return _affine(unit, maxval, 0, dtype)
    low = convert(minval, dtype)
    return math.add(math.multiply(unit, math.subtract(convert(maxval, dtype), low)), low)


@export("random.shuffle")
def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """The rows of `value` (its slices along dimension 0) in random order.

    Args:
      value: a tensor of any dtype and shape; a scalar comes back as it is.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.
    """
    return _random_shuffle(convert(value), seed=seed)


@export("random.categorical")
def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None
) -> Tensor:
    """Class indices drawn with the probabilities `softmax(logits)`.

    Args:
      logits: unnormalised log-probabilities, floats of shape [batch_size, num_classes].
      num_samples: how many to draw for each row.
      dtype: int32 or int64 (the default).
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Returns:
      Indices of shape [batch_size, num_samples].

    Raises:
      ValueError: another dtype.
      InvalidArgumentError: `logits` is no matrix, or has no classes.
    """
    dtype = _one_of(dtype or dtypes.int64, _INTS, "tf.random.categorical")
    count = host_int(num_samples, "tf.random: num_samples")
    return _multinomial(convert(logits), num_samples=count, dtype=dtype, seed=seed)


# -- stateless operations ---------------------------------------------------------------------------------------------


def _seeded_shape(seed: Spec, *_: Spec, shape: Any, **__: Any) -> Any:
    _check_seed_shape(seed)
    return dims_of(shape)


def _stateless(name: str, draw: Any, lower: Any) -> Any:
    def kernel(seed: np.ndarray, *, shape: Any, dtype: Any) -> np.ndarray:
        return draw(philox.stream_of_pair(seed), element_count(shape), dtype.np).reshape(shape)

    return op(
        name, "seed: int32|int64|uint32|uint64 -> ?: dtype",
        numpy=kernel,
        lower=lambda seed, *, shape, dtype: lower(xla.stream_of_pair(seed), shape, dtype.np),
        grad=NONDIFF,
        shape=_seeded_shape,
        attrs={"shape": (), "dtype": dtypes.float32},
        host=("shape",),
        doc=f"Runs {name}: numbers of `shape` and `dtype`, a function of the seed of shape [2].",
    )  # fmt: skip


_stateless_normal = _stateless("StatelessRandomNormal", philox.normal, xla.normal)
_stateless_truncated = _stateless("StatelessTruncatedNormal", philox.truncated_normal, xla.truncated_normal)
_stateless_uniform = _stateless("StatelessRandomUniform", philox.uniform, xla.uniform)
_stateless_integers = _stateless("StatelessRandomUniformFullInt", philox.integers, xla.integers)


def _stateless_int_kernel(seed: np.ndarray, low: np.ndarray, high: np.ndarray, *, shape: Any) -> np.ndarray:
    _check_range(low, high, shape=shape)
    return _ranged(philox.stream_of_pair(seed), low, high, shape=shape)


_stateless_uniform_int = op(
    "StatelessRandomUniformInt", "seed: int32|int64|uint32|uint64, minval: IX, maxval: minval -> ?: minval",
    numpy=_stateless_int_kernel,
    lower=lambda seed, low, high, *, shape: xla.uniform_int(xla.stream_of_pair(seed), low, high, shape),
    grad=NONDIFF,
    shape=_seeded_shape,
    attrs={"shape": ()},
    host=("shape",),
)  # fmt: skip


def _stateless_multinomial_kernel(
    logits: np.ndarray, seed: np.ndarray, *, num_samples: int, dtype: Any
) -> np.ndarray:
    _check_categorical(logits, num_samples=num_samples)
    return _drawn_classes(philox.stream_of_pair(seed), logits, num_samples=num_samples, dtype=dtype)


def _lower_stateless_multinomial(logits: Any, seed: Any, *, num_samples: int, dtype: Any) -> Any:
    return xla.categorical(logits, xla.stream_of_pair(seed), num_samples, dtype.np)


_stateless_multinomial = op(
    "StatelessMultinomial", "logits: F, seed: int32|int64|uint32|uint64 -> ?: dtype",
    numpy=_stateless_multinomial_kernel,
    lower=_lower_stateless_multinomial,
    grad=NONDIFF,
    shape=_categorical_shape,
    attrs={"num_samples": 0, "dtype": dtypes.int64},
    host=("num_samples",),
)  # fmt: skip

_stateless_shuffle = op(
    "StatelessShuffle", "value: A, seed: int32|int64|uint32|uint64 -> value",
    numpy=lambda value, seed: _stateless_permuted(value, seed),
    lower=lambda value, seed: _lower_permuted(xla.stream_of_pair(seed), value),
    grad=NONDIFF,
)  # fmt: skip


def _stateless_permuted(value: np.ndarray, seed: np.ndarray) -> np.ndarray:
    if value.ndim == 0 or value.shape[0] <= 1:
        return value
    return value[philox.permutation(philox.stream_of_pair(seed), value.shape[0])]


install_traits({name: Traits(fresh=True) for name in (
    "RandomStandardNormal", "TruncatedNormal", "RandomUniform", "RandomUniformInt", "Multinomial", "StatelessRandomNormal",
    "StatelessTruncatedNormal", "StatelessRandomUniform", "StatelessRandomUniformFullInt", "StatelessRandomUniformInt",
    "StatelessMultinomial",
)})  # fmt: skip

# -- their functions --------------------------------------------------------------------------------------------------


@export("random.stateless_normal")
def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Normally distributed numbers that depend on nothing but the arguments.

    Args:
      shape: a vector of integers.
      seed: two integers, shape [2].
      mean: of `dtype`, of a shape that broadcasts with `shape`.
      stddev: likewise.
      dtype: float16, bfloat16, float32 or float64.
      name: optional.
      alg: "philox" or "auto_select", which is the same here.

    Raises:
      InvalidArgumentError: the seed or the shape has a wrong shape or dtype.
      ValueError: an unknown algorithm.
    """
    _check_algorithm(alg, "tf.random.stateless_normal")
    dtype = float_dtype(dtype, "tf.random.stateless_normal")
    unit = _stateless_normal(seed_pair(seed), shape=shape_of(shape), dtype=dtype)
    return _affine(unit, stddev, mean, dtype)


@export("random.stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Normally distributed numbers within two standard deviations of the mean; arguments as for `stateless_normal`."""
    _check_algorithm(alg, "tf.random.stateless_truncated_normal")
    dtype = float_dtype(dtype, "tf.random.stateless_truncated_normal")
    unit = _stateless_truncated(seed_pair(seed), shape=shape_of(shape), dtype=dtype)
    return _affine(unit, stddev, mean, dtype)


@export("random.stateless_uniform")
def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Uniformly distributed numbers from `minval` to below `maxval` that depend on nothing but the arguments.

    Args:
      shape: a vector of integers.
      seed: two integers, shape [2].
      minval: the lower bound, included. None, with `maxval` None, for integers over the dtype's whole range.
      maxval: the upper bound, excluded; 1 by default for floats.
      dtype: float16, bfloat16, float32, float64, int32 or int64; uint32 and uint64 over the whole range only.
      name: optional.
      alg: "philox" or "auto_select", which is the same here.

    Raises:
      ValueError: a dtype, bounds or an algorithm that don't exist.
      InvalidArgumentError: the seed or the shape has a wrong shape or dtype, or `minval >= maxval` for integers.
    """
    _check_algorithm(alg, "tf.random.stateless_uniform")
    dtype = _one_of(dtype, _FLOATS + _INTS + _UINTS, "tf.random.stateless_uniform")
    if not dtype.is_integer:
        unit = _stateless_uniform(seed_pair(seed), shape=shape_of(shape), dtype=dtype)
        return _between(unit, minval, 1 if maxval is None else maxval, dtype)
    if (minval is None) != (maxval is None):
        raise ValueError(
            "tf.random.stateless_uniform: integers take both minval and maxval, or neither for the whole range; "
            f"got minval {describe(minval)} and maxval {describe(maxval)}."
        )
    if minval is None:
        return _stateless_integers(seed_pair(seed), shape=shape_of(shape), dtype=dtype)
    if dtype in _UINTS:
        raise ValueError(
            f"tf.random.stateless_uniform: {dtype.name} takes no bounds; pass minval=None and maxval=None."
        )
    low, high = convert(minval, dtype), convert(maxval, dtype)
    return _stateless_uniform_int(seed_pair(seed), low, high, shape=shape_of(shape))


@export("random.stateless_categorical")
def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Class indices drawn with the probabilities `softmax(logits)`, depending on nothing but the arguments.

    Args:
      logits: unnormalised log-probabilities, floats of shape [batch_size, num_classes].
      num_samples: how many to draw for each row.
      seed: two integers, shape [2].
      dtype: int32 or int64.
      name: optional.

    Returns:
      Indices of shape [batch_size, num_samples].
    """
    dtype = _one_of(dtype or dtypes.int64, _INTS, "tf.random.stateless_categorical")
    count = host_int(num_samples, "tf.random: num_samples")
    return _stateless_multinomial(convert(logits), seed_pair(seed), num_samples=count, dtype=dtype)


@export("random.experimental.stateless_shuffle")
def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """The rows of `value` in an order that depends on nothing but the seed of shape [2]."""
    _check_algorithm(alg, "tf.random.experimental.stateless_shuffle")
    return _stateless_shuffle(convert(value), seed_pair(seed))


@export("random.split", "random.experimental.stateless_split")
def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """`num` new seeds made of one: integers of shape [num, 2] and of the dtype of `seed`."""
    seed = convert(seed)
    count = host_int(num, "tf.random.split: num")
    shape = (count, 2) if count.__class__ is int else [count, 2]
    return stateless_uniform(shape, seed, None, None, seed.dtype, alg=alg)


@export("random.fold_in", "random.experimental.stateless_fold_in")
def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed of shape [2] made of `seed` and the scalar integer `data`, of the dtype of `data`."""
    data = convert(data)
    return convert([stateless_uniform((), seed, None, None, data.dtype, alg=alg), data])


# -- dropout ----------------------------------------------------------------------------------------------------------


def _dropout_rate(rate: Any, x: Tensor) -> tuple[Any, Any]:
    """The rate and the factor for what is kept, of the dtype of `x`."""
    if not isinstance(rate, TensorLike):
        if not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
            raise ValueError(
                f"tf.nn.experimental.general_dropout: rate, the fraction to drop, must be in [0, 1) or a scalar tensor; got {describe(rate)}."
            )
        return convert(float(rate), x.dtype), convert(1 / (1 - float(rate)), x.dtype)
    rate = convert(rate)
    if rate._spec.shape not in ((), None) or rate.dtype is not x.dtype:
        raise ValueError(
            f"tf.nn.experimental.general_dropout: rate must be a scalar of the dtype of x, {x.dtype.name}; got {describe(rate)}."
        )
    one = convert(1.0, x.dtype)
    return rate, math.real_divide(one, math.subtract(one, rate))


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return x.shape if x.shape.is_fully_defined() else layout.shape(x)
    if isinstance(noise_shape, (list, tuple)) and len(noise_shape) == len(x._spec.shape or ()):
        return [d if n is None else n for n, d in zip(noise_shape, x._spec.shape, strict=True)]
    return noise_shape


@export("nn.experimental.general_dropout")
def general_dropout(
    x: Any, rate: Any, uniform_sampler: Any, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Sets elements of `x` to zero with the chance `rate` and multiplies the others by `1 / (1 - rate)`.

    Args:
      x: a tensor of floats.
      rate: a number in [0, 1), or a scalar tensor of the dtype of `x`.
      uniform_sampler: called with `shape` and `dtype`; gives numbers in [0, 1), and an element whose number is below the
        rate is dropped.
      noise_shape: the shape of those numbers, which broadcasts with `x`; None entries mean the dimension of `x`.
      name: optional.

    Raises:
      ValueError: `x` is not floating point, or the rate is out of range.
    """
    x = convert(x)
    if not x.dtype.is_floating:
        raise ValueError(
            f"tf.nn.experimental.general_dropout: x must be floating point, since it is scaled; got {describe(x)}."
        )
    limit, scale = _dropout_rate(rate, x)
    if rate.__class__ in (int, float) and rate == 0:
        return x
    numbers = uniform_sampler(shape=_noise_shape(x, noise_shape), dtype=x.dtype)
    keep = compare.greater_equal(numbers, limit)
    return compare.where(keep, math.multiply(x, scale), convert(0.0, x.dtype))


@export("nn.experimental.stateless_dropout")
def stateless_dropout(
    x: Any, rate: Any, seed: Any, rng_alg: Any = None, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Dropout that depends on nothing but the arguments; see `tf.nn.experimental.general_dropout`.

    Args:
      x: a tensor of floats.
      rate: a number in [0, 1), or a scalar tensor of the dtype of `x`.
      seed: two integers, shape [2].
      rng_alg: "philox" or "auto_select".
      noise_shape: the shape of the random numbers, which broadcasts with `x`.
      name: optional.
    """
    alg = "auto_select" if rng_alg is None else rng_alg
    return general_dropout(
        x, rate, lambda shape, dtype: stateless_uniform(shape, seed, dtype=dtype, alg=alg), noise_shape, name
    )


@export("random.Algorithm", "random.experimental.Algorithm")
class Algorithm(enum.Enum):
    """The generators that TensorFlow names; here AUTO_SELECT means PHILOX, and THREEFRY is refused."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


# -- samples ----------------------------------------------------------------------------------------------------------

_SEED = [12, -34]
_SHAPES = ((), (7,), (2, 3), (0, 2))


def _float_cases(lead: tuple[Any, ...]) -> Any:
    def build() -> list[Any]:
        cases = [case(s, *lead, tol=2e-6, id=f"{s}") for s in _SHAPES]
        cases += [case((5,), *lead, dtype=d, tol=2e-6, id=d) for d in ("float16", "bfloat16", "float64")]
        return [*cases, bad((-2,), *lead, id="negative"), bad([2.5], *lead, id="float-shape")]

    return build


for _name in ("stateless_normal", "stateless_truncated_normal", "stateless_uniform"):
    sampled(f"random.{_name}", _float_cases((_SEED,)))
sampled("random.stateless_uniform", each(_float_cases((_SEED,)), lambda: [
    case((3, 2), _SEED, -5, 9, "int32", id="int32"), case((5,), _SEED, 0, 2**40, "int64", id="int64"),
    bad((5,), _SEED, 3, 3, "int32", id="no-room"), bad((5,), _SEED, dtype="int32", error="ValueError", id="no-maximum"),
]))  # fmt: skip
sampled("random.experimental.stateless_shuffle", lambda: [case(Arr((7, 2)), _SEED), case(Arr((1,)), _SEED)])
sampled("random.split", lambda: [case(_SEED), case(_SEED, 3)])
sampled("random.stateless_categorical", lambda: [
    case(Arr((3, 4)), 5, _SEED), case(Arr((3, 4)), 5, _SEED, dtype="int32"), case(Arr((2, 3)), 0, _SEED),
    bad(Arr((3,)), 5, _SEED), bad(Arr((2, 3)), 5, [1, 2, 3]),
])  # fmt: skip
sampled("nn.experimental.stateless_dropout", lambda: [
    case(Arr((3, 4)), 0.3, _SEED, grad=(0,)), case(Arr((3, 4)), 0.0, _SEED), case(Arr((3, 4)), 0.5, _SEED, noise_shape=(3, 1)),
    bad(Arr((3, 4)), 1.0, _SEED, error="ValueError"), bad(Arr((3, 4), "int32"), 0.3, _SEED, error="ValueError"),
])  # fmt: skip

# Of the stateful functions the samples fix dtypes and shapes alone; their numbers are tested with seeds of their own.
_ANY = np.inf
sampled("random.normal", lambda: [
    case((2, 3), tol=_ANY), case((2, 3), Arr((3,)), Arr((3,), salt=1), tol=_ANY, grad=(1, 2), id="parameters"),
    case((0, 2), dtype="float64", tol=_ANY, id="empty"), bad((-1,), id="negative"), bad((2,), dtype="int32", error="TypeError", id="int32"),
])  # fmt: skip
sampled(
    "random.truncated_normal",
    lambda: [
        case((2, 3), tol=_ANY),
        case((2,), 1.0, 0.1, "float16", tol=_ANY, id="float16"),
        bad((-1,), id="negative"),
    ],
)
sampled("random.uniform", lambda: [
    case((2, 3), tol=_ANY), case((2, 3), 2, 5, "int32", tol=_ANY, id="int32"), case((4,), 0, 9, "int64", tol=_ANY, id="int64"),
    case((2, 3), Arr((3,)), Arr((3,), low=3, high=4), tol=_ANY, grad=(1, 2), id="bounds"), bad((2,), 5, 5, "int32", id="no-room"),
    bad((2,), dtype="int32", error="ValueError", id="no-maximum"), bad((2,), dtype="bool", error="ValueError", id="bool"),
])  # fmt: skip
sampled(
    "random.shuffle",
    lambda: [
        case(Arr((4, 2)), tol=_ANY),
        case(Arr((3,), "string"), tol=_ANY, id="string"),
        case(3.0, id="scalar"),
    ],
)
sampled("random.categorical", lambda: [
    case(Arr((2, 3)), 4, tol=_ANY), case(Arr((2, 3)), 4, "int32", tol=_ANY, id="int32"), bad(Arr((3,)), 4, id="vector"),
    bad(Arr((2, 3)), 4, "float32", error="ValueError", id="dtype"),
])  # fmt: skip
sampled("random.fold_in", lambda: [case(_SEED, 3), case(_SEED, Tensor_(Arr((), "int64", 0, 99)), id="int64")])
sampled(
    "nn.experimental.general_dropout", lambda: [case(Arr((2, 3)), 0.4, lambda shape, dtype: _GRID, grad=(0,))]
)
_GRID = np.linspace(0, 1, 6, dtype=np.float64).reshape(2, 3)

"""Images changed at random, from TensorFlow's random numbers."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.compare as compare
import headwater._src.ops.control as control
import headwater._src.ops.image_colour as colour
import headwater._src.ops.image_geometry as geometry
import headwater._src.ops.index as indexing
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.random as random
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.cast import cast


def _uniform(seed: Any, stateless: bool, low: Any, high: Any, shape: Any = ()) -> Any:
    if stateless:
        return random.stateless_uniform(shape, seed, low, high)
    return random.uniform(shape, low, high, seed=seed)


def _check_range(name: str, lower: Any, upper: Any) -> None:
    if upper <= lower:
        raise ValueError(f"tf.image.{name}: upper must be greater than lower; got {lower} and {upper}.")
    if lower < 0:
        raise ValueError(f"tf.image.{name}: lower must not be negative; got {lower}.")


def _brightness(image: Any, max_delta: Any, seed: Any, stateless: bool, name: str) -> Tensor:
    if max_delta < 0:
        raise ValueError(f"tf.image.{name}: max_delta must not be negative; got {max_delta}.")
    return colour.adjust_brightness(image, _uniform(seed, stateless, -max_delta, max_delta))


def _hue(image: Any, max_delta: Any, seed: Any, stateless: bool, name: str) -> Tensor:
    if not 0 <= max_delta <= 0.5:
        raise ValueError(f"tf.image.{name}: max_delta must lie in [0, 0.5]; got {max_delta}.")
    return colour.adjust_hue(image, _uniform(seed, stateless, -max_delta, max_delta))


@export("image.random_brightness")
def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`tf.image.adjust_brightness` with a delta drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is negative.
    """
    return _brightness(image, max_delta, seed, False, "random_brightness")


@export("image.stateless_random_brightness")
def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`tf.image.random_brightness` decided by `seed` alone, a vector of two integers."""
    return _brightness(image, max_delta, seed, True, "stateless_random_brightness")


@export("image.random_contrast")
def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`tf.image.adjust_contrast` with a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper.
    """
    _check_range("random_contrast", lower, upper)
    return colour.adjust_contrast(image, _uniform(seed, False, lower, upper))


@export("image.stateless_random_contrast")
def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Tensor:
    """`tf.image.random_contrast` decided by `seed` alone, a vector of two integers."""
    _check_range("stateless_random_contrast", lower, upper)
    return colour.adjust_contrast(image, _uniform(seed, True, lower, upper))


@export("image.random_saturation")
def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`tf.image.adjust_saturation` with a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper.
    """
    _check_range("random_saturation", lower, upper)
    return colour.adjust_saturation(image, _uniform(seed, False, lower, upper))


@export("image.stateless_random_saturation")
def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`tf.image.random_saturation` decided by `seed` alone, a vector of two integers."""
    _check_range("stateless_random_saturation", lower, upper)
    return colour.adjust_saturation(image, _uniform(seed, True, lower, upper))


@export("image.random_hue")
def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`tf.image.adjust_hue` with a delta drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is not in [0, 0.5].
    """
    return _hue(image, max_delta, seed, False, "random_hue")


@export("image.stateless_random_hue")
def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`tf.image.random_hue` decided by `seed` alone, a vector of two integers."""
    return _hue(image, max_delta, seed, True, "stateless_random_hue")


# -- flips ------------------------------------------------------------------------------------------------------------


def _flipped(image: Any, flip: Any, seed: Any, stateless: bool, name: str) -> Any:
    x = geometry.image_of(image, name)
    if len(x._spec.shape) == 3:
        chance = compare.less(_uniform(seed, stateless, 0.0, 1.0), 0.5)
        if chance.__class__ is EagerTensor:
            return flip(x) if chance._array else x
        return control.cond(chance, lambda: flip(x), lambda: x)
    batch = geometry.sizes(x)[0]
    drawn = _uniform(seed, stateless, 0.0, 1.0, [batch])
    # In a batch it is the large draws that flip, as in TensorFlow: 0.5 and less round to 0.
    chosen = layout.reshape(compare.greater(drawn, 0.5), [-1, 1, 1, 1])
    return compare.where(chosen, flip(x), x)


@export("image.random_flip_left_right")
def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """An image, or each of a batch by itself, mirrored left to right with probability 1/2.

    Raises:
      ValueError: the rank is not 3 or 4.
    """
    return _flipped(image, geometry.flip_left_right, seed, False, "random_flip_left_right")


@export("image.random_flip_up_down")
def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """An image, or each of a batch by itself, turned upside down with probability 1/2.

    Raises:
      ValueError: the rank is not 3 or 4.
    """
    return _flipped(image, geometry.flip_up_down, seed, False, "random_flip_up_down")


@export("image.stateless_random_flip_left_right")
def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """`tf.image.random_flip_left_right` decided by `seed` alone, a vector of two integers."""
    return _flipped(image, geometry.flip_left_right, seed, True, "stateless_random_flip_left_right")


@export("image.stateless_random_flip_up_down")
def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """`tf.image.random_flip_up_down` decided by `seed` alone, a vector of two integers."""
    return _flipped(image, geometry.flip_up_down, seed, True, "stateless_random_flip_up_down")


# -- crops ------------------------------------------------------------------------------------------------------------


def _cropped(value: Any, size: Any, seed: Any, stateless: bool, name: str) -> Any:
    x = convert(value)
    wanted = convert(size, None, dtypes.int32)
    have = layout.shape(x)
    if x.__class__ is EagerTensor and wanted.__class__ is EagerTensor:
        if len(wanted._array) != x._array.ndim or (have._array < wanted._array).any():  # type: ignore[attr-defined]
            raise invalid(
                f"tf.image.{name}: size must fit into shape {x.shape}; got {wanted._array.tolist()}."
            )
    limit = math.add(math.subtract(have, cast(wanted, dtypes.int32)), 1)
    rank = x._spec.shape
    shape = layout.shape(have) if rank is None else [len(rank)]
    top = dtypes.int32.max
    if stateless:
        drawn = random.stateless_uniform(shape, seed, 0, top, dtypes.int32)
    else:
        drawn = random.uniform(shape, 0, top, dtypes.int32, seed=seed)
    return indexing.slice_(x, math.floormod(drawn, limit), host_ints(wanted, f"tf.image.{name}: size"))


@export("image.random_crop")
def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """A part of `value` of a given size, at a place drawn evenly.

    Args:
      value: a tensor.
      size: a vector, the length of each dimension of the result.
      seed: an integer; see `tf.random.set_seed`.
      name: optional.

    Raises:
      InvalidArgumentError: the size does not fit into the shape.
    """
    return _cropped(value, size, seed, False, "random_crop")


@export("image.stateless_random_crop")
def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """`tf.image.random_crop` decided by `seed` alone, a vector of two integers."""
    return _cropped(value, size, seed, True, "stateless_random_crop")


_IMAGE = Arr((2, 3, 3), "float32", 0, 1)
sampled("image.stateless_random_brightness", lambda: [
    case(_IMAGE, 0.5, [1, 2], grad=(0,), id="float32"), case(_IMAGE, 0.2, [7, 3], id="other"), bad(_IMAGE, -0.5, [1, 2], error="ValueError", id="negative"),
])  # fmt: skip
sampled("image.stateless_random_hue", lambda: [
    case(_IMAGE, 0.5, [1, 2], tol=1e-4, id="float32"), bad(_IMAGE, 0.7, [1, 2], error="ValueError", id="large"),
    bad(_IMAGE, -0.5, [1, 2], error="ValueError", id="negative"),
])  # fmt: skip
for _name in ("contrast", "saturation"):
    sampled("image.stateless_random_" + _name, lambda: [
        case(_IMAGE, 0.5, 1.5, [1, 2], tol=1e-4, id="float32"), bad(_IMAGE, 0.7, 0.5, [1, 2], error="ValueError", id="order"),
        bad(_IMAGE, -0.5, 0.5, [1, 2], error="ValueError", id="negative"),
    ])  # fmt: skip
for _name in ("left_right", "up_down"):
    sampled("image.stateless_random_flip_" + _name, lambda: [
        *[case(Arr((2, 3, 1)), [s, 2], id=f"seed-{s}") for s in (1, 2, 3)], case(Arr((4, 2, 2, 1)), [3, 5], grad=(0,), id="batch"),
        bad(Arr((2, 3)), [1, 2], error="ValueError", id="rank"),
    ])  # fmt: skip
sampled("image.stateless_random_crop", lambda: [
    *[case(Arr((4, 5, 3)), [2, 3, 3], [s, 9], id=f"seed-{s}") for s in (1, 2, 3)], case(Arr((7,), "int32"), [3], [1, 1], id="vector"),
    bad(Arr((4, 5, 3)), [5, 3, 3], [1, 2], id="large"),
])  # fmt: skip
sampled(
    "image.random_crop",
    lambda: [case(Arr((4, 5, 3)), [4, 5, 3], 1, id="whole"), bad(Arr((4, 5, 3)), [5, 3, 3], id="large")],
)
sampled(
    "image.random_brightness",
    lambda: [case(_IMAGE, 0.0, 1, id="none"), bad(_IMAGE, -0.5, error="ValueError", id="negative")],
)
sampled(
    "image.random_hue",
    lambda: [case(_IMAGE, 0.0, 1, tol=1e-4, id="none"), bad(_IMAGE, 0.7, error="ValueError", id="large")],
)
sampled(
    "image.random_contrast",
    lambda: [
        bad(_IMAGE, 0.7, 0.5, error="ValueError", id="order"),
        bad(_IMAGE, -0.5, 0.5, error="ValueError", id="negative"),
    ],
)
sampled(
    "image.random_saturation",
    lambda: [
        bad(_IMAGE, 0.7, 0.5, error="ValueError", id="order"),
        bad(_IMAGE, -0.5, 0.5, error="ValueError", id="negative"),
    ],
)
sampled("image.random_flip_left_right", lambda: [bad(Arr((2, 3)), error="ValueError", id="rank")])
sampled("image.random_flip_up_down", lambda: [bad(Arr((2, 3)), error="ValueError", id="rank")])

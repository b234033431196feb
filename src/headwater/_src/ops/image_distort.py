"""Random crops of images that keep part of an object, as training on ImageNet takes them, with TensorFlow's numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.call import call
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, Op
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.ops import philox
from headwater._src.ops.cast import cast
from headwater._src.ops.random_candidates import Words
from headwater._src.ops.seeds import StreamHandle, op_seeds, reserve

_F32 = np.float32
_EPSILON = 1e-7
"""What a width may not reach before it is rounded up to one more than the image has."""


class SampleDistortedBoundingBoxV2(NamedTuple):
    """Where the crop begins and its size, for `tf.slice`, and its corners as a box for `tf.image.draw_bounding_boxes`."""

    begin: Any
    size: Any
    bboxes: Any


class StatelessSampleDistortedBoundingBox(NamedTuple):
    """The same, from numbers that the seed alone decides."""

    begin: Any
    size: Any
    bboxes: Any


def _rounded(value: Any) -> int:
    return int(np.rint(value))


def _below(words: Words, n: int) -> int:
    return words.below(n, words.word, 32)


def _crop(words: Words, height: int, width: int, areas: Any, ratio: Any) -> tuple[int, int, int, int] | None:
    """One try: a rectangle of this ratio whose area is in range, or None where rounding leaves none."""
    least, most = (_F32(_F32(a) * _F32(width) * _F32(height)) for a in areas)
    tall, tallest = (_rounded(np.sqrt(_F32(area / ratio))) for area in (least, most))
    if _rounded(_F32(tallest) * ratio) > width:
        tallest = int((width + 0.5 - _EPSILON) / float(ratio))
    tallest = min(tallest, height)
    tall = min(tall, tallest)
    if tall < tallest:
        tall += _below(words, tallest - tall + 1)
    wide = _rounded(_F32(tall) * ratio)
    for wrong, step in ((lambda area: area < least, 1), (lambda area: area > most, -1)):
        if wrong(_F32(wide * tall)):
            tall += step
            wide = _rounded(_F32(tall) * ratio)
    if not (least <= _F32(wide * tall) <= most and 0 < wide <= width and 0 < tall <= height):
        return None
    y = _below(words, height - tall) if tall < height else 0
    x = _below(words, width - wide) if wide < width else 0
    return y, x, tall, wide


def _covers(crop: tuple[int, int, int, int], objects: list[list[int]], covered: Any) -> bool:
    """Whether a crop has a large enough part of one of the objects; those of one pixel or none don't count."""
    y, x, tall, wide = crop
    for top, left, bottom, right in objects:
        area = (bottom - top) * (right - left)
        rows = min(bottom, y + tall) - max(top, y)
        columns = min(right, x + wide) - max(left, x)
        if area > 1 and max(rows, 0) * max(columns, 0) >= covered * area:
            return True
    return False


def _sample(
    state: np.ndarray, image_size: np.ndarray, boxes: np.ndarray, covered: np.ndarray, *, ratios: Any, areas: Any,
    attempts: int, whole: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    stream = philox.stream_of_pair(state) if state.shape == (2,) else philox.stream_of_state(state)
    after = philox.state_of(stream.skip(attempts))
    _check(image_size, boxes, covered, whole)
    height, width = int(image_size[0]), int(image_size[1])
    scale = np.array([height, width, height, width], _F32)
    objects = np.trunc(boxes.reshape(-1, 4) * scale).astype(np.int64).tolist() or [[0, 0, height, width]]
    words = Words(stream)
    low, high = _F32(ratios[0]), _F32(ratios[1])
    for _ in range(attempts if height > 0 and width > 0 else 0):
        unit = np.array(words.word() & 0x7FFFFF | 0x3F800000, np.uint32).view(_F32) - _F32(1)
        crop = _crop(words, height, width, areas, _F32(unit * (high - low) + low))
        if crop is not None and _covers(crop, objects, _F32(covered)):
            return np.array(crop, np.int64), after
    return np.array([0, 0, height, width], np.int64), after


def _check(image_size: np.ndarray, boxes: np.ndarray, covered: np.ndarray, whole: bool) -> None:
    what = "tf.image.sample_distorted_bounding_box"
    if image_size.shape != (3,):
        raise invalid(f"{what}: image_size must be [height, width, channels]; got shape {image_size.shape}.")
    if boxes.ndim != 3 or boxes.shape[-1] != 4:
        raise invalid(f"{what}: bounding_boxes must have shape [batch, n, 4]; got {boxes.shape}.")
    if covered < 0:
        raise invalid(f"{what}: min_object_covered must not be negative; got {covered}.")
    if boxes.size == 0 and not whole:
        raise invalid(f"{what}: there is no box; give one, or use_image_if_no_bounding_boxes=True.")
    if boxes.size and not (boxes.min() >= 0 and boxes.max() <= 1):
        raise invalid(
            f"{what}: the boxes' coordinates must be in [0, 1]; got {boxes.min()} to {boxes.max()}."
        )


_OP = Op(
    "SampleDistortedBoundingBoxV2",
    "state: int64, image_size: int64, boxes: float32, covered: float32 -> ?: int64; ?: int64",
    numpy=_sample, lower=HOST_ONLY("how many numbers are drawn depends on them"), grad=None,
    shape=lambda *_, **__: ((4,), (3,)),
    attrs={"ratios": (0.75, 1.33), "areas": (0.05, 1.0), "attempts": 100, "whole": False}, host=(), api=(), cases=tuple,
    stateful=False, moves=False, first_decides=False,
)  # fmt: skip
_OP.module = __name__


def _range(what: str, given: Any, default: tuple[float, float]) -> tuple[float, float]:
    pair = default if given is None else tuple(float(v) for v in given)
    if len(pair) != 2 or min(pair) < 0 or (what == "aspect_ratio_range" and min(pair) == 0):
        raise invalid(
            f"tf.image.sample_distorted_bounding_box: {what} must be two positive numbers; got {given!r}."
        )
    if what == "area_range" and (pair[0] == 0 or max(pair) > 1):
        raise invalid(f"tf.image.sample_distorted_bounding_box: area_range must be in (0, 1]; got {given!r}.")
    return pair


def _settings(aspect_ratio_range: Any, area_range: Any, max_attempts: Any, whole: Any) -> dict[str, Any]:
    attempts = 100 if max_attempts is None else int(max_attempts)
    if attempts <= 0:
        raise invalid(
            f"tf.image.sample_distorted_bounding_box: max_attempts must be positive; got {attempts}."
        )
    return {
        "ratios": _range("aspect_ratio_range", aspect_ratio_range, (0.75, 1.33)),
        "areas": _range("area_range", area_range, (0.05, 1.0)),
        "attempts": attempts,
        "whole": bool(whole),
    }


def _placed(kind: Any, state: Any, image_size: Tensor, bounding_boxes: Any, covered: Any, attrs: Any) -> Any:
    """The crop for a state of the stream or a seed, in the three forms; and the state after it."""
    if not image_size.dtype.is_integer:
        raise invalid(
            f"tf.image.sample_distorted_bounding_box: image_size must be of integers; got {image_size.dtype.name}."
        )
    boxes, least = convert(bounding_boxes, dtypes.float32), convert(covered, dtypes.float32)
    crop, after = call(_OP, (state, cast(image_size, dtypes.int64), boxes, least), attrs, None)
    y, x, tall, wide = (crop[i] for i in range(4))
    zero = create.zeros([], dtypes.int64)
    begin = cast(joining.stack([y, x, zero]), image_size.dtype)
    size = cast(joining.stack([tall, wide, zero - 1]), image_size.dtype)
    corners = cast(joining.stack([y, x, y + tall, x + wide]), dtypes.float32)
    sides = cast(layout.reshape(joining.stack([image_size[:2]] * 2), [4]), dtypes.float32)
    return kind(begin, size, layout.reshape(corners / sides, [1, 1, 4])), after


@export("image.sample_distorted_bounding_box")
def sample_distorted_bounding_box(
    image_size: Any, bounding_boxes: Any, seed: int = 0, min_object_covered: Any = 0.1, aspect_ratio_range: Any = None,
    area_range: Any = None, max_attempts: int | None = None, use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> SampleDistortedBoundingBoxV2:  # fmt: skip
    """A random crop of an image that has part of one of the objects in it.

    Args:
      image_size: [height, width, channels], integers.
      bounding_boxes: float32 tensor [batch, n, 4] of (y1, x1, y2, x2) in [0, 1], the objects.
      seed: an integer; with 0 the numbers can't be foreseen, whatever the global seed is.
      min_object_covered: how much of one object the crop must have.
      aspect_ratio_range: width over height, two numbers; (0.75, 1.33) by default.
      area_range: the crop's part of the image, two numbers in (0, 1]; (0.05, 1.0) by default.
      max_attempts: after so many tries (100 by default) the whole image is taken.
      use_image_if_no_bounding_boxes: whether the whole image is the object if there are no boxes.
      name: optional.

    Returns:
      A tuple (begin, size, bboxes): arguments for `tf.slice`, of the dtype of image_size, and the crop as a box [1, 1, 4].

    Raises:
      InvalidArgumentError: shapes or numbers are not as said.
    """
    attrs = _settings(aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes)
    first, second = op_seeds(seed) if seed else (0, 0)
    image_size = convert(image_size)
    kind = SampleDistortedBoundingBoxV2
    if ctx.graph is None:
        key = (_OP.name, image_size.dtype, first, second)
        state = of_array(philox.state_of(reserve(key, first, second, attrs["attempts"])))
        return _placed(kind, state, image_size, bounding_boxes, min_object_covered, attrs)[0]
    handle = StreamHandle(first, second)
    state = ctx.graph.read(handle)
    found, after = _placed(kind, state, image_size, bounding_boxes, min_object_covered, attrs)
    ctx.graph.write(handle, after)
    return found


@export("image.stateless_sample_distorted_bounding_box")
def stateless_sample_distorted_bounding_box(
    image_size: Any, bounding_boxes: Any, seed: Any, min_object_covered: Any = 0.1, aspect_ratio_range: Any = None,
    area_range: Any = None, max_attempts: int | None = None, use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> StatelessSampleDistortedBoundingBox:  # fmt: skip
    """`tf.image.sample_distorted_bounding_box` with numbers that the seed alone decides.

    Args:
      image_size: [height, width, channels], integers.
      bounding_boxes: float32 tensor [batch, n, 4] of (y1, x1, y2, x2) in [0, 1], the objects.
      seed: two integers.
      min_object_covered: how much of one object the crop must have.
      aspect_ratio_range: width over height, two numbers; (0.75, 1.33) by default.
      area_range: the crop's part of the image, two numbers in (0, 1]; (0.05, 1.0) by default.
      max_attempts: after so many tries (100 by default) the whole image is taken.
      use_image_if_no_bounding_boxes: whether the whole image is the object if there are no boxes.
      name: optional.

    Returns:
      A tuple (begin, size, bboxes): arguments for `tf.slice`, of the dtype of image_size, and the crop as a box [1, 1, 4].

    Raises:
      InvalidArgumentError: shapes or numbers are not as said.
    """
    attrs = _settings(aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes)
    state = cast(convert(seed), dtypes.int64)
    kind = StatelessSampleDistortedBoundingBox
    return _placed(kind, state, convert(image_size), bounding_boxes, min_object_covered, attrs)[0]

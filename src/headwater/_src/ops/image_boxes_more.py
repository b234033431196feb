"""Boxes drawn, boxes suppressed in batches or by class, and glimpses of images."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.image_boxes as image_boxes
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.random as random
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, merge, wrap
from headwater._src.core.convert import convert, convert_default, host_int, host_ints
from headwater._src.core.memory import check_work
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

# -- drawing ----------------------------------------------------------------------------------------------------------

_COLORS = np.array([
    [1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0.5, 0, 0.5, 1], [0.5, 0.5, 0, 1], [0.5, 0, 0, 1], [0, 0, 0.5, 1],
    [0, 1, 1, 1], [1, 0, 1, 1],
])  # fmt: skip
"""Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia."""


def _draw_shape(images: Spec, boxes: Spec, colors: Spec) -> Partial:
    if images.shape is not None and len(images.shape) != 4:
        raise ValueError(f"images must have rank 4; got shape {wrap(images.shape)}")
    if boxes.shape is not None and (len(boxes.shape) != 3 or boxes.shape[2] not in (4, None)):
        raise ValueError(f"boxes must have shape [batch, n, 4]; got {wrap(boxes.shape)}")
    if images.shape is not None and boxes.shape is not None:
        merge(images.shape[:1], boxes.shape[:1])
    if images.shape is not None and images.shape[3] not in (1, 3, 4, None):
        raise ValueError(f"images must have 1, 3 or 4 channels; got {images.shape[3]}")
    return images.shape


def _draw(images: np.ndarray, boxes: np.ndarray, colors: np.ndarray) -> np.ndarray:
    _draw_shape(*(Spec(v.shape, v.dtype) for v in (images, boxes, colors)))
    depth = images.shape[3]
    table = colors.astype(np.float64) if colors.size else _COLORS.copy()
    if table.ndim != 2 or table.shape[1] < depth:
        raise ValueError(f"colors must have shape [m, {depth}] at least; got {list(table.shape)}")
    if not colors.size and depth == 1:
        table[:, 0] = 1
    out = images.copy()
    for picture, own in zip(out, boxes.astype(np.float32), strict=True):
        for i, box in enumerate(own):
            _outline(picture, box, table[i % len(table), :depth].astype(images.dtype))
    return out


def _outline(picture: np.ndarray, box: np.ndarray, color: np.ndarray) -> None:
    height, width = picture.shape[:2]
    scale = np.array([height - 1, width - 1] * 2, np.float32)
    if not np.isfinite(box).all():
        return
    top, left, bottom, right = (box * scale).astype(np.int64).tolist()
    if top > bottom or left > right or top >= height or left >= width or bottom < 0 or right < 0:
        return
    rows, columns = (
        slice(max(top, 0), min(bottom, height - 1) + 1),
        slice(max(left, 0), min(right, width - 1) + 1),
    )
    if top >= 0:
        picture[top, columns] = color
    if bottom < height:
        picture[bottom, columns] = color
    if left >= 0:
        picture[rows, left] = color
    if right < width:
        picture[rows, right] = color


_draw_op = op(
    "DrawBoundingBoxesV2", "images: float16|float32, boxes: float32, colors: float32 -> ?: images",
    numpy=_draw,
    lower=HOST_ONLY("which pixels are drawn depends on values"),
    grad=NONDIFF,
    shape=_draw_shape,
)  # fmt: skip


@export("image.draw_bounding_boxes")
def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Tensor:
    """Images with the outlines of boxes, one pixel wide.

    Args:
      images: float16 or float32 tensor [batch, height, width, channels].
      boxes: float32 tensor [batch, n, 4] of (y1, x1, y2, x2) as shares of height and width; what lies outside is cut.
      colors: tensor [m, channels], used in turn; None or empty for ten of TensorFlow's own.
      name: optional.

    Raises:
      InvalidArgumentError: shapes or dtypes don't fit.
    """
    if colors is None:
        colors = np.zeros((0, 4), np.float32)
    return _draw_op(
        convert_default(images, (dtypes.float16, dtypes.float32), dtypes.float32),
        boxes,
        convert(colors, dtypes.float32),
    )


# -- suppression ------------------------------------------------------------------------------------------------------


def _greedy(overlaps: np.ndarray, scores: np.ndarray, size: int, threshold: float, least: float) -> list[int]:
    """The best rows first, without those that overlap a better one by more than the threshold."""
    chosen: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if len(chosen) == size or not scores[i] > least:
            break
        if not (overlaps[i, chosen] > threshold).any():
            chosen.append(i)
    return chosen


def _overlap_shape(overlaps: Spec, scores: Spec, *_: Spec, max_output_size: Any) -> Partial:
    if overlaps.shape is not None:
        if len(overlaps.shape) != 2:
            raise ValueError(f"overlaps must have shape [n, n]; got {wrap(overlaps.shape)}")
        merge(overlaps.shape[:1], overlaps.shape[1:])
    if scores.shape is not None and len(scores.shape) != 1:
        raise ValueError(f"scores must have rank 1; got shape {wrap(scores.shape)}")
    if overlaps.shape is not None and scores.shape is not None:
        merge(overlaps.shape[:1], scores.shape)
    return (None,)


def _suppress_by_overlap(
    overlaps: np.ndarray,
    scores: np.ndarray,
    threshold: np.ndarray,
    least: np.ndarray,
    *,
    max_output_size: int,
) -> np.ndarray:
    _overlap_shape(
        Spec(overlaps.shape, overlaps.dtype), Spec(scores.shape, scores.dtype), max_output_size=None
    )
    return np.array(_greedy(overlaps, scores, max_output_size, float(threshold), float(least)), np.int32)


_overlap_op = op(
    "NonMaxSuppressionWithOverlaps",
    "overlaps: float32, scores: float32, overlap_threshold: float32, score_threshold: float32 -> ?: int32",
    numpy=_suppress_by_overlap,
    lower=HOST_ONLY("the number of boxes that remain depends on values"),
    grad=NONDIFF,
    shape=_overlap_shape,
    attrs={"max_output_size": 0}, host=("max_output_size",),
)  # fmt: skip


@export("image.non_max_suppression_overlaps")
def non_max_suppression_overlaps(
    overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The indices of the best boxes, without those that overlap a better one, given how much each two overlap.

    Args:
      overlaps: float32 tensor [n, n].
      scores: float32 tensor [n].
      max_output_size: how many boxes at most.
      overlap_threshold: a box that overlaps a better one by more is left out.
      score_threshold: so is a box whose score is not above this.
      name: optional.

    Returns:
      int32 tensor of indices, best first.

    Raises:
      InvalidArgumentError: shapes or dtypes don't fit.
    """
    size = host_int(max_output_size, "tf.image.non_max_suppression_overlaps: max_output_size")
    if size.__class__ is int and size < 0:
        raise invalid(
            f"tf.image.non_max_suppression_overlaps: max_output_size must not be negative; got {size}."
        )
    return _overlap_op(overlaps, scores, overlap_threshold, score_threshold, max_output_size=size)


def _all_overlaps(boxes: np.ndarray) -> np.ndarray:
    return np.stack([image_boxes._overlap(b, boxes) for b in boxes]) if len(boxes) else np.zeros((0, 0))


def _pad_shape(boxes: Spec, scores: Spec, *_: Spec, max_output_size: Any) -> tuple[Partial, Partial]:
    if boxes.shape is None:
        return None, None
    if len(boxes.shape) < 2 or boxes.shape[-1] not in (4, None):
        raise ValueError(f"boxes must have shape [..., n, 4]; got {wrap(boxes.shape)}")
    lead = merge(boxes.shape[:-1], scores.shape)
    assert lead is not None
    size = max_output_size if isinstance(max_output_size, int) else None
    return (*lead[:-1], size), lead[:-1]


def _suppress_padded(
    boxes: np.ndarray, scores: np.ndarray, iou: np.ndarray, least: np.ndarray, *, max_output_size: int
) -> tuple[np.ndarray, np.ndarray]:
    shapes = _pad_shape(
        Spec(boxes.shape, boxes.dtype), Spec(scores.shape, scores.dtype), max_output_size=max_output_size
    )
    check_work(prod(shapes[0]))  # type: ignore[arg-type]
    indices, valid = np.zeros(shapes[0], np.int32), np.zeros(shapes[1], np.int32)  # type: ignore[arg-type]
    for place in np.ndindex(*boxes.shape[:-2]):
        own = boxes[place].astype(np.float32)
        chosen = _greedy(_all_overlaps(own), scores[place], max_output_size, float(iou), float(least))
        indices[place][: len(chosen)] = chosen
        valid[place] = len(chosen)
    return indices, valid


_padded_op = op(
    "NonMaxSuppressionV4", "boxes: float32, scores: float32, iou_threshold: float32, score_threshold: float32 -> ?: int32; ?: int32",
    numpy=_suppress_padded,
    lower=HOST_ONLY("which boxes remain depends on values"),
    grad=NONDIFF,
    shape=_pad_shape,
    attrs={"max_output_size": 0}, host=("max_output_size",),
    doc="Indices padded with zeros to max_output_size, and how many are valid, for each of a batch.",
)  # fmt: skip


@export("image.non_max_suppression_padded")
def non_max_suppression_padded(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    pad_to_max_output_size: bool = False, name: str | None = None, sorted_input: bool = False,
    canonicalized_coordinates: bool = False, tile_size: int = 512,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`tf.image.non_max_suppression` for batches: as many indices for each, the rest zeros.

    Args:
      boxes: float32 tensor [..., n, 4] of (y1, x1, y2, x2), any two opposite corners.
      scores: float32 tensor [..., n].
      max_output_size: how many boxes at most.
      iou_threshold: boxes whose intersection over union with a better one is greater are left out.
      score_threshold: so are boxes with a score not above this.
      pad_to_max_output_size: whether to pad; batches must be padded.
      name: optional.
      sorted_input: whether the boxes are sorted by score already; without effect on the result.
      canonicalized_coordinates: whether the first corner is the lower one already; likewise.
      tile_size: without effect.

    Returns:
      int32 indices [..., max_output_size], best first, and how many of them are valid, [...].

    Raises:
      ValueError: a batch, and pad_to_max_output_size is not set.
      InvalidArgumentError: shapes or dtypes don't fit.
    """
    what = "tf.image.non_max_suppression_padded"
    boxes, scores = convert(boxes, None, dtypes.float32), convert(scores, None, dtypes.float32)
    if not pad_to_max_output_size and (boxes.shape.rank or 0) > 2:
        raise ValueError(f"{what}: batched boxes of shape {boxes.shape} need pad_to_max_output_size=True.")
    size = host_int(max_output_size, f"{what}: max_output_size")
    indices, valid = _padded_op(boxes, scores, iou_threshold, score_threshold, max_output_size=size)
    return (indices if pad_to_max_output_size else indices[:valid]), valid


class CombinedNonMaxSuppression(NamedTuple):
    """The boxes that remain, their scores and classes, and how many of them are valid."""

    nmsed_boxes: Tensor
    nmsed_scores: Tensor
    nmsed_classes: Tensor
    valid_detections: Tensor


def _combined_shape(
    boxes: Spec, scores: Spec, *_: Spec, per_class: int, total: int, pad_per_class: bool, clip_boxes: bool
) -> Any:
    if boxes.shape is not None and (len(boxes.shape) != 4 or boxes.shape[3] not in (4, None)):
        raise ValueError(f"boxes must have shape [batch, n, q, 4]; got {wrap(boxes.shape)}")
    if scores.shape is not None and len(scores.shape) != 3:
        raise ValueError(f"scores must have shape [batch, n, classes]; got {wrap(scores.shape)}")
    lead = merge(
        None if boxes.shape is None else boxes.shape[:2], None if scores.shape is None else scores.shape[:2]
    )
    classes = None if scores.shape is None else scores.shape[2]
    if boxes.shape is not None and classes is not None and boxes.shape[2] not in (1, classes, None):
        raise ValueError(
            f"boxes must have one or {classes} alternatives, one for each class; got {boxes.shape[2]}"
        )
    batch = None if lead is None else lead[0]
    size = total if not pad_per_class else None if classes is None else min(total, per_class * classes)
    return (batch, size, 4), (batch, size), (batch, size), (batch,)


def _combine(
    boxes: np.ndarray,
    scores: np.ndarray,
    iou: np.ndarray,
    least: np.ndarray,
    *,
    per_class: int,
    total: int,
    **flags: bool,
) -> tuple[np.ndarray, ...]:
    specs = (Spec(boxes.shape, boxes.dtype), Spec(scores.shape, scores.dtype))
    shapes = _combined_shape(*specs, per_class=per_class, total=total, **flags)
    check_work(prod(shapes[0]))
    out_boxes, out_scores, out_classes = (np.zeros(s, np.float32) for s in shapes[:3])
    valid = np.zeros(shapes[3], np.int32)
    for b in range(boxes.shape[0]):
        found: list[tuple[float, int, int]] = []
        for c in range(scores.shape[2]):
            own = boxes[b, :, c if boxes.shape[2] > 1 else 0]
            for i in _greedy(_all_overlaps(own), scores[b, :, c], per_class, float(iou), float(least)):
                found.append((float(scores[b, i, c]), c, i))
        found.sort(key=lambda f: -f[0])
        for k, (score, c, i) in enumerate(found[: shapes[0][1]]):
            box = boxes[b, i, c if boxes.shape[2] > 1 else 0]
            out_boxes[b, k] = np.clip(box, 0, 1) if flags["clip_boxes"] else box
            out_scores[b, k], out_classes[b, k] = score, c
        valid[b] = min(len(found), shapes[0][1])
    return out_boxes, out_scores, out_classes, valid


_combined_op = op(
    "CombinedNonMaxSuppression",
    "boxes: float32, scores: float32, iou_threshold: float32, score_threshold: float32 -> ?: float32; ?: float32; ?: float32; ?: int32",
    numpy=_combine,
    lower=HOST_ONLY("which boxes remain depends on values"),
    grad=NONDIFF,
    shape=_combined_shape,
    attrs={"per_class": 1, "total": 1, "pad_per_class": False, "clip_boxes": True},
)  # fmt: skip


@export("image.combined_non_max_suppression")
def combined_non_max_suppression(
    boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any, iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"), pad_per_class: bool = False, clip_boxes: bool = True, name: str | None = None,
) -> CombinedNonMaxSuppression:  # fmt: skip
    """The best boxes over all classes, suppressed in each class by itself.

    Args:
      boxes: float32 tensor [batch, n, q, 4] of corners; q is 1, or the number of classes.
      scores: float32 tensor [batch, n, classes].
      max_output_size_per_class: how many boxes of a class at most, a positive integer.
      max_total_size: how many boxes in all at most, a positive integer.
      iou_threshold: in [0, 1]; see `tf.image.non_max_suppression`.
      score_threshold: boxes with a score not above this are left out.
      pad_per_class: whether results are padded to max_output_size_per_class times classes where that is less.
      clip_boxes: whether the boxes' corners are moved into [0, 1].
      name: optional.

    Returns:
      A named tuple: boxes [batch, size, 4], scores and classes [batch, size], float32, best first and padded with zeros, and
      how many are valid, int32 [batch].

    Raises:
      InvalidArgumentError: shapes don't fit, a size is not positive, or iou_threshold is not in [0, 1].
    """
    what = "tf.image.combined_non_max_suppression"
    per_class = host_int(max_output_size_per_class, f"{what}: max_output_size_per_class", TypeError)
    total = host_int(max_total_size, f"{what}: max_total_size", TypeError)
    for value, key in ((per_class, "max_output_size_per_class"), (total, "max_total_size")):
        if value <= 0:
            raise invalid(f"{what}: {key} must be positive; got {value}.")
    iou = convert(iou_threshold, None, dtypes.float32)
    known = layout.get_static_value(iou)
    if known is not None and not 0 <= float(known) <= 1:
        raise invalid(f"{what}: iou_threshold must lie in [0, 1]; got {float(known)}.")
    results = _combined_op(
        convert(boxes, None, dtypes.float32), convert(scores, None, dtypes.float32), iou, score_threshold,
        per_class=per_class, total=total, pad_per_class=bool(pad_per_class), clip_boxes=bool(clip_boxes),
    )  # fmt: skip
    return CombinedNonMaxSuppression(*results)


# -- glimpses ---------------------------------------------------------------------------------------------------------


def _glimpse_shape(x: Spec, offsets: Spec, *, size: Any, centered: bool, normalized: bool) -> Partial:
    if x.shape is not None and len(x.shape) != 4:
        raise ValueError(f"the input must have rank 4; got shape {wrap(x.shape)}")
    if offsets.shape is not None and (len(offsets.shape) != 2 or offsets.shape[1] not in (2, None)):
        raise ValueError(f"offsets must have shape [batch, 2]; got {wrap(offsets.shape)}")
    lead = merge(
        None if x.shape is None else x.shape[:1], None if offsets.shape is None else offsets.shape[:1]
    )
    batch = None if lead is None else lead[0]
    return (batch, *size, None if x.shape is None else x.shape[3])


def _corners(
    xp: Any, offsets: Any, sizes: tuple[int, int], size: tuple[int, int], centered: bool, normalized: bool
) -> Any:
    """The first row and column of each glimpse."""
    whole, window = np.array(sizes, np.float32), np.array(size, np.float32)
    at = offsets * whole if normalized else offsets
    if centered:
        at = (at + whole) / 2 - window / 2 if normalized else at + whole / 2
    return at.astype(np.int32)


def _glimpse(xp: Any, x: Any, offsets: Any, *, size: Any, centered: bool, normalized: bool) -> Any:
    spec = Spec(x.shape, x.dtype), Spec(offsets.shape, offsets.dtype)
    _glimpse_shape(*spec, size=size, centered=centered, normalized=normalized)
    check_work(x.shape[0] * prod(size) * x.shape[3])
    corners = _corners(xp, offsets, x.shape[1:3], size, centered, normalized)
    rows, columns = (corners[:, i : i + 1] + np.arange(size[i], dtype=np.int32) for i in (0, 1))
    inside = ((rows >= 0) & (rows < x.shape[1]))[:, :, None] & ((columns >= 0) & (columns < x.shape[2]))[
        :, None, :
    ]
    if 0 in x.shape:
        return xp.zeros((x.shape[0], *size, x.shape[3]), x.dtype)
    picked = x[
        np.arange(x.shape[0])[:, None, None],
        xp.clip(rows, 0, x.shape[1] - 1)[:, :, None],
        xp.clip(columns, 0, x.shape[2] - 1)[:, None, :],
    ]
    return xp.where(inside[..., None], picked, xp.zeros((), x.dtype))


_glimpse_op = op(
    "ExtractGlimpseV2", "input: float32, offsets: float32 -> ?: input",
    numpy=lambda x, offsets, **a: _glimpse(np, x, offsets, **a),
    lower=lambda x, offsets, **a: _glimpse(jnp, x, offsets, **a),
    grad=NONDIFF,
    shape=_glimpse_shape,
    attrs={"size": (1, 1), "centered": True, "normalized": True},
)  # fmt: skip


@export("image.extract_glimpse")
def extract_glimpse(
    input: Any, size: Any, offsets: Any, centered: bool = True, normalized: bool = True, noise: str = "uniform", name: str | None = None,
) -> Tensor:  # fmt: skip
    """A window of each image; noise where it reaches beyond the image.

    Args:
      input: float32 tensor [batch, height, width, channels].
      size: the window's height and width.
      offsets: float32 tensor [batch, 2], rows and columns.
      centered: whether offsets count from the middle; else from the upper left corner.
      normalized: whether offsets are shares of the image's size, in [-1, 1] where centered; else pixels.
      noise: "uniform" in the images' range, "gaussian" with their mean and deviation, or "zero".
      name: optional.

    Returns:
      float32 tensor [batch, *size, channels].

    Raises:
      InvalidArgumentError: shapes don't fit, or the noise is another.
    """
    what = "tf.image.extract_glimpse"
    if noise not in ("uniform", "gaussian", "zero"):
        raise invalid(f'{what}: noise must be "uniform", "gaussian" or "zero"; got {noise!r}.')
    x, places = convert(input, None, dtypes.float32), convert(offsets, None, dtypes.float32)
    window = host_ints(size, f"{what}: size")
    if len(window) != 2 or min(window) < 0:
        raise invalid(f"{what}: size must be a height and a width, not negative; got {list(window)}.")
    attrs = {"size": window, "centered": bool(centered), "normalized": bool(normalized)}
    glimpse = _glimpse_op(x, places, **attrs)
    if noise == "zero":
        return glimpse
    outside = math.subtract(1.0, _glimpse_op(create.ones_like(x), places, **attrs))
    least, most = reduce.reduce_min(x), reduce.reduce_max(x)
    shape = layout.shape(glimpse)
    if noise == "uniform":
        drawn = random.uniform(shape, least, most)
    else:
        drawn = random.normal(shape, reduce.reduce_mean(x), reduce.reduce_std(x))
        drawn = math.minimum(math.maximum(drawn, least), most)
    return math.add(glimpse, math.multiply(outside, drawn))


# -- samples ----------------------------------------------------------------------------------------------------------

_PICTURE = Arr((2, 8, 9, 3), "float32", 0, 1)
_DRAWN = [[[0.1, 0.2, 0.6, 0.7], [0.0, 0.0, 1.0, 1.0]], [[-0.5, 0.3, 0.5, 1.5], [0.9, 0.9, 0.1, 0.1]]]
sampled("image.draw_bounding_boxes", lambda: [
    case(_PICTURE, _DRAWN, [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]], id="colors"), case(_PICTURE, _DRAWN, None, id="own-colors"),
    case(Arr((1, 5, 5, 1), "float16"), [[[0.2, 0.2, 0.8, 0.8]]], None, id="grey"), case(Arr((1, 5, 5, 4)), [[[2.0, 2.0, 3.0, 3.0]]], [[1.0, 0.0, 0.0, 1.0]], id="outside"),
    bad(_PICTURE, _DRAWN[0], None, id="rank"), bad(Arr((1, 5, 5, 2)), [[[0.2, 0.2, 0.8, 0.8]]], None, id="channels"),
    bad(Tensor_(Arr((1, 5, 5, 3), "int32")), [[[0.2, 0.2, 0.8, 0.8]]], None, id="dtype"),
])  # fmt: skip

_IOU = [[1.0, 0.6, 0.1], [0.6, 1.0, 0.2], [0.1, 0.2, 1.0]]
sampled("image.non_max_suppression_overlaps", lambda: [
    case(_IOU, [0.5, 0.9, 0.7], 3, id="all"), case(_IOU, [0.5, 0.9, 0.7], 3, 0.8, 0.6, id="thresholds"), case(_IOU, [0.5, 0.9, 0.7], 1, id="one"),
    bad([[1.0, 0.5]], [0.5], 3, id="square"), bad(_IOU, [0.5], 3, id="count"),
])  # fmt: skip

# Corners in order: of others TensorFlow's padded version puts right only those that are like the first box.
_ORDERED = [
    [0.0, 0.0, 1.0, 1.0],
    [0.0, 0.1, 1.0, 1.1],
    [0.0, -0.1, 1.0, 0.9],
    [0.0, 10.0, 1.0, 11.0],
    [0.0, 10.1, 1.0, 11.1],
]
_SCORES = [0.9, 0.75, 0.6, 0.95, 0.5]
sampled("image.non_max_suppression_padded", lambda: [
    case(Tensor_(_ORDERED), Tensor_(_SCORES), 3, id="plain"), case(Tensor_(_ORDERED), Tensor_(_SCORES), 8, 0.3, 0.1, True, id="padded"),
    case(Tensor_([_ORDERED[:3], _ORDERED[2:]]), Tensor_([_SCORES[:3], _SCORES[2:]]), 3, 0.85, pad_to_max_output_size=True, id="batch"),
    bad(Tensor_(Arr((2, 4, 4))), Tensor_(Arr((2, 4))), 3, error="ValueError", id="batch-unpadded"),
])  # fmt: skip

_EACH = Arr((2, 4, 1, 4), "float32", 0, 1.2)
sampled("image.combined_non_max_suppression", lambda: [
    case(_EACH, Arr((2, 4, 3), "float32", 0, 1), 2, 5, id="shared"), case(Arr((2, 4, 3, 4), "float32", 0, 1), Arr((2, 4, 3), "float32", 0, 1), 2, 20, 0.3, 0.2, id="own"),
    case(_EACH, Arr((2, 4, 3), "float32", 0, 1), 2, 20, pad_per_class=True, clip_boxes=False, id="pad"),
    bad(_EACH, Arr((2, 4, 3)), 0, 5, id="none"), bad(_EACH, Arr((2, 4, 3)), 2, 0, id="total"), bad(Arr((2, 4, 4)), Arr((2, 4, 3)), 2, 5, id="rank"),
    bad(Arr((2, 4, 2, 4)), Arr((2, 4, 3)), 2, 5, id="classes"), bad(_EACH, Arr((2, 4, 3)), 2, 5, 1.5, id="threshold"),
])  # fmt: skip

_AT = [[0.3, -0.4], [0.9, 0.8]]
sampled("image.extract_glimpse", lambda: [
    *(case(Arr((2, 5, 6, 2)), [3, 2], _AT, c, n, "zero", id=f"{c}-{n}") for c in (True, False) for n in (True, False)),
    case(Arr((2, 5, 6, 2)), [3, 2], [[2.0, -1.5], [1.0, 9.0]], False, False, "zero", id="pixels"), case(Arr((1, 9, 9, 1)), [3, 2], [[0.0, 0.0]], id="inside"),
    case(Arr((1, 5, 5, 1)), [9, 9], [[0.0, 0.0]], noise="gaussian", tol=np.inf, id="gaussian"), case(Arr((1, 5, 5, 1)), [9, 9], [[0.0, 0.0]], tol=np.inf, id="uniform"),
    bad(Arr((1, 5, 5, 1)), [3, 2], [[0.0, 0.0]], noise="pink", id="noise"), bad(Arr((5, 5, 1)), [3, 2], [[0.0, 0.0]], id="rank"),
    bad(Arr((1, 5, 5, 1)), [3], [[0.0, 0.0]], id="size"), bad(Arr((1, 5, 5, 1)), [3, 2], [[0.0, 0.0], [1.0, 1.0]], id="batch"),
])  # fmt: skip

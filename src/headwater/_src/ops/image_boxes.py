"""Bounding boxes: which of those that overlap to keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial
from headwater._src.core.convert import convert, host_int
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box with others; 0 for boxes without area."""
    low, high = np.minimum(others[:, :2], others[:, 2:]), np.maximum(others[:, :2], others[:, 2:])
    first, last = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    shared = np.maximum(np.minimum(high, last) - np.maximum(low, first), 0).prod(1)
    areas, area = (high - low).prod(1), (last - first).prod()
    valid = (areas > 0) & (area > 0)
    return np.where(valid, shared / np.where(valid, areas + area - shared, 1), 0)


def _suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    iou: np.ndarray,
    least: np.ndarray,
    sigma: np.ndarray,
    *,
    max_output_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy choice by score; with a sigma, overlaps lower the scores of what remains (Bodla et al., 2017)."""
    specs = (Spec(v.shape, v.dtype) for v in (boxes, scores, iou, least, sigma))
    _suppress_shape(*specs, max_output_size=max_output_size)
    if not 0 <= float(iou) <= 1:
        raise ValueError(f"iou_threshold must lie in [0, 1]; got {float(iou)}")
    wide = boxes.astype(np.float32)
    live = scores.astype(np.float32)
    remaining = live > float(least)
    chosen: list[int] = []
    kept: list[float] = []
    while len(chosen) < max_output_size and remaining.any():
        best = int(np.argmax(np.where(remaining, live, -np.inf)))
        chosen.append(best)
        kept.append(float(live[best]))
        remaining[best] = False
        overlap = _overlap(wide[best], wide)
        if float(sigma) > 0:
            live = np.where(
                remaining, live * np.exp(np.float32(-0.5 / float(sigma)) * overlap * overlap), live
            ).astype(np.float32)
            remaining &= live > float(least)
        remaining &= ~(overlap > float(iou)) if float(iou) < 1 or float(sigma) == 0 else True
    return np.array(chosen, np.int32), np.array(kept, scores.dtype)


def _suppress_shape(
    boxes: Spec, scores: Spec, *thresholds: Spec, max_output_size: Any
) -> tuple[Partial, Partial]:
    if boxes.shape is not None and (len(boxes.shape) != 2 or boxes.shape[1] not in (4, None)):
        raise ValueError(f"boxes must have shape [n, 4]; got {list(boxes.shape)}")
    if scores.shape is not None and len(scores.shape) != 1:
        raise ValueError(f"scores must have rank 1; got shape {list(scores.shape)}")
    if boxes.shape is not None and scores.shape is not None:
        n, m = boxes.shape[0], scores.shape[0]
        if n is not None and m is not None and n != m:
            raise ValueError(f"there must be a score for each of the {n} boxes; got {m}")
    return (None,), (None,)


_suppression = op(
    "NonMaxSuppressionV5",
    "boxes: float16|float32, scores: boxes, iou_threshold: boxes, score_threshold: boxes, soft_nms_sigma: boxes -> ?: int32; ?: boxes",
    numpy=_suppress,
    lower=HOST_ONLY("the number of boxes that remain depends on values"),
    grad=NONDIFF,
    shape=_suppress_shape,
    attrs={"max_output_size": 0}, host=("max_output_size",),
    doc="The indices of the boxes to keep, best first, and their scores.",
)  # fmt: skip


def _run(boxes: Any, scores: Any, size: Any, iou: Any, least: Any, sigma: Any, name: str) -> Any:
    if isinstance(sigma, (int, float)) and sigma < 0:
        raise invalid(f"tf.image.{name}: soft_nms_sigma must not be negative; got {sigma}.")
    x = convert(boxes, None, dtypes.float32)
    values = [convert(v, x.dtype) for v in (scores, iou, least, sigma)]
    return _suppression(
        x,
        *values,
        max_output_size=host_int(
            size,
            f"tf.image.{name}: max_output_size",
            misfit=invalid if isinstance(size, (list, tuple)) else TypeError,
        ),
    )


@export("image.non_max_suppression")
def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """The indices of the best boxes, without those that overlap a better one.

    Args:
      boxes: float tensor [n, 4] of (y1, x1, y2, x2), any two opposite corners.
      scores: tensor [n] of the same dtype.
      max_output_size: how many boxes at most.
      iou_threshold: boxes whose intersection over union with a better one is greater are left out.
      score_threshold: so are boxes with a score not above this.
      name: optional.

    Returns:
      int32 tensor of indices, best first.

    Raises:
      InvalidArgumentError: a shape does not fit or iou_threshold is not in [0, 1].
    """
    return _run(boxes, scores, max_output_size, iou_threshold, score_threshold, 0.0, "non_max_suppression")[0]


@export("image.non_max_suppression_with_scores")
def non_max_suppression_with_scores(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`tf.image.non_max_suppression` with the scores too; overlaps lower scores where soft_nms_sigma is positive.

    Args:
      boxes: float tensor [n, 4] of (y1, x1, y2, x2), any two opposite corners.
      scores: tensor [n] of the same dtype.
      max_output_size: how many boxes at most.
      iou_threshold: boxes whose intersection over union with a better one is greater are left out.
      score_threshold: so are boxes with a score not above this.
      soft_nms_sigma: a score is multiplied by exp(-iou^2 / (2 sigma)) for each better box (Bodla et al., 2017).
      name: optional.

    Returns:
      int32 indices, best first, and their scores.

    Raises:
      InvalidArgumentError: a shape does not fit or iou_threshold is not in [0, 1].
    """
    return _run(
        boxes,
        scores,
        max_output_size,
        iou_threshold,
        score_threshold,
        soft_nms_sigma,
        "non_max_suppression_with_scores",
    )


_BOXES = [
    [0.0, 0.0, 1.0, 1.0],
    [0.0, 0.1, 1.0, 1.1],
    [0.0, -0.1, 1.0, 0.9],
    [0.0, 10.0, 1.0, 11.0],
    [1.0, 10.1, 0.0, 11.1],
    [0.0, 100.0, 1.0, 101.0],
]
_SCORES = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3]
sampled("image.non_max_suppression", lambda: [
    case(_BOXES, _SCORES, 3, id="three"), case(_BOXES, _SCORES, 30, id="all"), case(_BOXES, _SCORES, 3, 0.5, 0.4, id="scores"),
    case(_BOXES, _SCORES, 6, 0.9, id="loose"), case(Arr((0, 4)), Arr((0,)), 3, id="empty"), bad(_BOXES, [0.5], 3, id="count"),
    bad([0.0, 1.0], [0.5], 3, id="rank"), bad(_BOXES, _SCORES, 3, 1.5, id="threshold"),
])  # fmt: skip
sampled("image.non_max_suppression_with_scores", lambda: [
    case(_BOXES, _SCORES, 3, id="hard"), case(_BOXES, _SCORES, 6, 1.0, 0.0, 0.5, id="soft"), bad(_BOXES, [0.5], 3, id="count"),
    case(Tensor_(Arr((3, 4), "float32", 0, 1)), Tensor_(Arr((3,), "float32", 0, 1)), 3, 0.3, soft_nms_sigma=0.2, id="both"),
])  # fmt: skip

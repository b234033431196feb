"""What records that are not elementwise do with all rows at once; see `engine.vectorize`. Shapes in the rules are those of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import headwater._src.ops.broadcasting as broadcasting
import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.core.graph import Node, constant_of
from headwater._src.engine import vectorize

Inputs = Sequence[Any]
Moving = Sequence[bool]


def _aligned(tensor: Any, rank: int, wanted: int) -> Any:
    for _ in range(wanted - rank):
        tensor = layout.expand_dims(tensor, 1)
    return tensor


def _shaped(tensor: Any, dims: Sequence[int | None]) -> Any:
    """Rows of another shape; None where that is not known, or the number of rows can't be told from the rest."""
    return None if None in dims or -1 in dims or 0 in dims else layout.reshape(tensor, [-1, *dims])


def _spread_to(tensor: Any, dims: Any, like: Any) -> Any:
    """Rows broadcast to the shape `dims`."""
    if None in dims:
        return None
    zeros = np.broadcast_to(np.zeros((), like._np_dtype), dims)
    return math.add(_aligned(tensor, len(tensor._shape) - 1, len(dims)), constant_of(zeros))


def _moved(axis: Any, rank: int) -> Any:
    """Axes of a row as axes of the rows."""
    if axis is None:
        return tuple(range(1, rank + 1))
    if isinstance(axis, int):
        return axis + 1 if axis >= 0 else axis
    return tuple(_moved(a, rank) for a in axis)


def _reduction(node: Node, inputs: Inputs, moving: Moving) -> Any:
    axis = _moved(node.attrs["axis"], len(node.inputs[0]._shape))  # type: ignore[arg-type]
    return node.record.entry(inputs[0], **{**node.attrs, "axis": axis}) if axis != () else inputs[0]


def _product(node: Node, inputs: Inputs, moving: Moving) -> Any:
    if node.inputs[0]._np_dtype.kind == "c":
        return None
    names = ("transpose_a", "transpose_b") if "transpose_a" in node.attrs else ("adj_x", "adj_y")
    rank = max(len(x._shape) for x in node.inputs)  # type: ignore[arg-type]
    a, b = (
        _aligned(x, len(old._shape), rank) if moves else x  # type: ignore[arg-type]
        for x, old, moves in zip(inputs, node.inputs, moving, strict=True)
    )
    return linalg.matmul(a, b, transpose_a=node.attrs[names[0]], transpose_b=node.attrs[names[1]])


def _reshape(node: Node, inputs: Inputs, moving: Moving) -> Any:
    return _shaped(inputs[0], node.outputs[0]._shape)  # type: ignore[arg-type]


def _transpose(node: Node, inputs: Inputs, moving: Moving) -> Any:
    rank = len(node.inputs[0]._shape)  # type: ignore[arg-type]
    perm = node.attrs["perm"]
    order = range(rank)[::-1] if perm is None else [p % rank for p in perm]
    return layout.transpose(inputs[0], [0, *(p + 1 for p in order)])


def _concat(node: Node, inputs: Inputs, moving: Moving) -> Any:
    if not all(moving):
        return None
    return joining.concat(list(inputs), _moved(node.attrs["axis"], 0))


def _sum_like(node: Node, inputs: Inputs, moving: Moving) -> Any:
    g, like = node.inputs[0]._shape, node.inputs[1]._shape
    if not moving[0] or g is None or like is None or None in g or None in like:
        return None
    lead = len(g) - len(like)
    axes = [i for i in range(len(g)) if i < lead or (like[i - lead] == 1 and g[i] != 1)]
    total = reduce.reduce_sum(inputs[0], [a + 1 for a in axes]) if axes else inputs[0]
    return _shaped(total, like)


def _broadcast_like(node: Node, inputs: Inputs, moving: Moving) -> Any:
    return _spread_to(inputs[0], node.inputs[1]._shape, node.inputs[0]) if moving[0] else None


def _spread(node: Node, inputs: Inputs, moving: Moving) -> Any:
    like, axis = node.inputs[1]._shape, node.attrs["axis"]
    if not moving[0] or like is None or None in like:
        return None
    axes = (
        range(len(like))
        if axis is None
        else [a % len(like) for a in (axis if isinstance(axis, tuple) else (axis,))]
    )
    kept = _shaped(inputs[0], [1 if i in axes else d for i, d in enumerate(like)])
    return None if kept is None else _spread_to(kept, like, node.inputs[0])


def _gather(node: Node, inputs: Inputs, moving: Moving) -> Any:
    first = node.attrs.get("axis", 0) == 0 and not node.attrs.get("batch_dims", 0)
    return gather.gather(inputs[0], inputs[1]) if first and not moving[0] else None


def _bias_grad(node: Node, inputs: Inputs, moving: Moving) -> Any:
    if node.attrs["data_format"] != "NHWC":
        return None
    return reduce.reduce_sum(inputs[0], list(range(1, len(node.inputs[0]._shape))))  # type: ignore[arg-type]


def _bias(node: Node, inputs: Inputs, moving: Moving) -> Any:
    if node.attrs["data_format"] != "NHWC":
        return None
    rank = len(node.inputs[0]._shape)  # type: ignore[arg-type]
    return math.add(inputs[0], _aligned(inputs[1], 1, rank) if moving[1] else inputs[1])


def _alike(node: Node, inputs: Inputs, moving: Moving) -> Any:
    """Elementwise in arguments of one shape, without broadcasting."""
    rows = next(x for x, moves in zip(inputs, moving, strict=True) if moves)
    given = [
        x if moves else broadcasting.broadcast_like(x, rows) for x, moves in zip(inputs, moving, strict=True)
    ]
    return node.record.entry(*given, **node.attrs)


def _slice(node: Node, inputs: Inputs, moving: Moving) -> Any:
    return node.record.entry(inputs[0], **{**node.attrs, "key": (_ALL, *node.attrs["key"])})


def _slice_grad(node: Node, inputs: Inputs, moving: Moving) -> Any:
    like = inputs[1]
    if not moving[0]:
        return None
    if not moving[1]:
        axes = list(range(1, len(node.inputs[0]._shape) + 1))  # type: ignore[arg-type]
        none = create.zeros_like(inputs[0])
        like = _spread_to(reduce.reduce_sum(none, axes) if axes else none, node.inputs[1]._shape, like)
        if like is None:
            return None
    return node.record.entry(inputs[0], like, **{**node.attrs, "key": (_ALL, *node.attrs["key"])})


def _along(node: Node, inputs: Inputs, moving: Moving) -> Any:
    return node.record.entry(inputs[0], **{**node.attrs, "axis": _moved(node.attrs["axis"], 0)})


_ALL = (None, None, None)
"""A whole dimension, in the key of a slice."""
_ALIKE = "TanhGrad SigmoidGrad ReluGrad Relu6Grad LeakyReluGrad EluGrad SeluGrad"
_Rules = dict[str, Callable[[Node, Inputs, Moving], Any]]
_RULES: _Rules = {
    "MatMul": _product, "BatchMatMulV2": _product, "Reshape": _reshape, "ExpandDims": _reshape, "Squeeze": _reshape,
    "ReshapeLike": _reshape, "Transpose": _transpose, "ConcatV2": _concat, "SumLike": _sum_like, "BroadcastLike": _broadcast_like,
    "SpreadReduced": _spread, "GatherV2": _gather, "BiasAddGrad": _bias_grad, "BiasAdd": _bias,
    "StridedSlice": _slice, "StridedSliceGrad": _slice_grad, "Softmax": _along, "LogSoftmax": _along,
    **dict.fromkeys(_ALIKE.split(), _alike), **dict.fromkeys(("SelectV2", "Cast"), vectorize.elementwise),
    **dict.fromkeys(("Sum", "Mean", "Max", "Min", "Prod", "All", "Any"), _reduction),
}  # fmt: skip
vectorize.install(_RULES, _aligned)

"""What every broadcasting operation's gradient needs: summing back to a shape, and spreading to one.

Both take the tensor whose shape is meant, not a shape, so they work on partially known shapes without shape arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.lazy import jnp
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, case
from headwater._src.core.tensor import EagerTensor, SymbolicTensor


def _sum_to(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    lead = g.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, d in enumerate(shape) if d == 1 and g.shape[lead + i] != 1
    )
    if not axes:
        return g
    if g.dtype.name in ("float16", "bfloat16"):
        return xp.sum(g, axis=axes, dtype=np.float32).astype(g.dtype).reshape(shape)
    return xp.sum(g, axis=axes, dtype=g.dtype).reshape(shape)


sum_like = op(
    "SumLike", "g: N, like: g -> like",
    numpy=lambda g, like: _sum_to(np, g, like.shape),
    lower=lambda g, like: _sum_to(jnp, g, like.shape),
    grad=lambda gg, y, g, like: (broadcast_like(gg, g), None),
    doc="Sums `g` over the dimensions that broadcasting added to `like`; the result has the shape of `like`.",
)  # fmt: skip

broadcast_like = op(
    "BroadcastLike", "x: A, like: x -> like",
    numpy=lambda x, like: np.broadcast_to(x, like.shape),
    lower=lambda x, like: jnp.broadcast_to(x, like.shape),
    grad=lambda g, y, x, like: (sum_like(g, x), None),
    cases=lambda: [
        case(Arr((2, 1)), Arr((2, 3), salt=1), grad=(0,)), case(Arr(()), Arr((2, 2), salt=1), grad=(0,), id="scalar"),
        case(Arr((3,), "complex64"), Arr((2, 3), "complex64", salt=1), grad=(0,), id="complex64"),
        case(Arr((1, 3), "bool"), Arr((2, 3), "bool", salt=1), id="bool"), case(Arr((1,)), Arr((0,)), id="empty"),
    ],
    doc="Broadcasts `x` to the shape of `like`.",
)  # fmt: skip


def sum_to(g: Any, x: Any) -> Any:
    """The gradient `g` of a broadcast argument, summed back to the shape of `x`."""
    if g.__class__ is EagerTensor and x.__class__ is EagerTensor and g._array.shape == x._array.shape:
        return g
    if g.__class__ is SymbolicTensor or x.__class__ is SymbolicTensor:
        shape = g._spec.shape if hasattr(g, "_spec") else None
        if shape is not None and None not in shape and shape == x._spec.shape:
            return g
    return sum_like(g, x)

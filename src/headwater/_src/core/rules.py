"""Shape rules that several operations share. Each takes specs and attributes and returns a partial shape; ValueError where
the inputs don't fit."""

from __future__ import annotations

from typing import Any

from headwater._src.base.shapes import Partial, broadcast, merge, normalize_axis, wrap
from headwater._src.core.spec import Spec


def like_first(x: Spec, *_: Spec, **__: Any) -> Partial:
    """The first input's shape."""
    return x.shape


def scalar(*_: Spec, **__: Any) -> Partial:
    """Rank 0."""
    return ()


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """`axis` (None for all, an int, or a tuple) as distinct axes counted from the front."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(normalize_axis(a, rank, "reduction axis") for a in given)
    if len(set(axes)) != len(axes):
        raise ValueError(
            f"the reduction axes {given} name dimension {next(a for a in axes if axes.count(a) > 1)} twice"
        )
    return axes


def reduced(x: Spec, *, axis: Any, keepdims: bool, **_: Any) -> Partial:
    """A reduction over `axis`."""
    if x.shape is None or getattr(axis, "rank_unknown", False) or (isinstance(axis, tuple) and None in axis):
        return None if not keepdims or x.shape is None else (None,) * len(x.shape)
    axes = axes_of(axis, len(x.shape))
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    return tuple(d for i, d in enumerate(x.shape) if i not in axes)


def same_shape(*specs: Spec, **_: Any) -> Partial:
    """Inputs that must all have one shape."""
    shape: Partial = None
    for spec in specs:
        shape = merge(shape, spec.shape)
    return shape


def matrix_product(
    a: Spec, b: Spec, *, transpose_a: bool = False, transpose_b: bool = False, **_: Any
) -> Partial:
    """The product of matrices in the last two dimensions, the others broadcast."""
    if a.shape is None or b.shape is None:
        return None
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(
            f"both arguments need rank 2 or more; got shapes {wrap(a.shape)} and {wrap(b.shape)} "
            "(tf.linalg.matvec multiplies a matrix and a vector, tf.tensordot does the rest)"
        )
    m, ka = a.shape[-2:] if not transpose_a else a.shape[:-3:-1]
    kb, n = b.shape[-2:] if not transpose_b else b.shape[:-3:-1]
    if ka is not None and kb is not None and ka != kb:
        raise ValueError(
            f"the inner dimensions differ: a has shape {wrap(a.shape)}{' transposed' if transpose_a else ''}, b has shape "
            f"{wrap(b.shape)}{' transposed' if transpose_b else ''}, so {ka} columns meet {kb} rows"
        )
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return None if batch is None else (*batch, m, n)


def permuted(x: Spec, *, perm: Any, **_: Any) -> Partial:
    """The dimensions in the order of `perm`; None reverses them."""
    if x.shape is None:
        return None
    if perm is None:
        return x.shape[::-1]
    if getattr(perm, "rank_unknown", False) or None in perm:
        return (None,) * len(x.shape)
    if len(perm) != len(x.shape):
        raise ValueError(
            f"perm must have one entry for each of the {len(x.shape)} dimensions; got perm {tuple(perm)}"
        )
    order = [normalize_axis(p, len(x.shape), "perm entry") for p in perm]
    if len(set(order)) != len(order):
        raise ValueError(f"perm {tuple(perm)} names a dimension twice")
    return tuple(x.shape[p] for p in order)


def dims_of(shape: Any) -> Partial:
    """A host attribute that is a shape, as a partial shape."""
    return None if getattr(shape, "rank_unknown", False) else tuple(shape)

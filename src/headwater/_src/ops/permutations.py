"""Permutations and other orders given by integer tensors: inverses, and sequences reversed to their lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, compatible, normalize_axis, wrap
from headwater._src.core.convert import attr_int
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor


def _invert(x: np.ndarray) -> np.ndarray:
    if x.ndim != 1:
        raise ValueError("not a vector")
    out = np.full(x.shape, -1, x.dtype)
    if x.size and (x.min() < 0 or x.max() >= x.size):
        raise invalid(f"tf.math.invert_permutation: the entries must lie in [0, {x.size}); got {x.tolist()}.")
    out[x] = np.arange(x.size, dtype=x.dtype)
    if x.size and out.min() < 0:
        raise invalid(f"tf.math.invert_permutation: the entries must be distinct; got {x.tolist()}.")
    return out


def _vector(x: Spec) -> Partial:
    if x.shape is not None and len(x.shape) != 1:
        raise ValueError(f"x must be a vector; got shape {wrap(x.shape)}")
    return x.shape


invert_permutation = op(
    "InvertPermutation", "x: IX -> ?: x",
    numpy=_invert,
    lower=lambda x: jnp.zeros(x.shape, x.dtype).at[x].set(jnp.arange(x.shape[0], dtype=x.dtype)),
    grad=NONDIFF,
    shape=_vector,
    api=("math.invert_permutation",),
    cases=lambda: [
        case([2, 0, 1], id="cycle"),
        case(Arr((0,), "int32"), id="empty"),
        bad([0, 0, 1], id="twice"),
        bad([0, 3, 1], id="range"),
        bad([[0, 1]], id="rank"),
    ],
    doc="""The inverse of a permutation: `y[x[i]] = i`.

    Args:
      x: an int32 or int64 vector that holds each of 0, ..., n - 1 once.
      name: optional.

    Raises:
      InvalidArgumentError: x is no permutation.
    """,
)  # fmt: skip


def _reverse_positions(xp: Any, x: Any, lengths: Any, seq_axis: int, batch_axis: int) -> Any:
    """For each batch entry the positions along the sequence, the first `length` of them backwards."""
    steps = xp.arange(x.shape[seq_axis])
    ends = lengths.reshape(-1, 1)
    index = xp.where(steps < ends, ends - 1 - steps, steps)
    if seq_axis < batch_axis:
        index = index.T
    shape = [1] * x.ndim
    shape[seq_axis], shape[batch_axis] = x.shape[seq_axis], x.shape[batch_axis]
    return index.reshape(shape)


def _reverse_sequence(x: np.ndarray, lengths: np.ndarray, *, seq_axis: int, batch_axis: int) -> np.ndarray:
    if lengths.shape != (x.shape[batch_axis],) or seq_axis == batch_axis:
        raise ValueError("lengths")
    if lengths.size and (lengths.min() < 0 or lengths.max() > x.shape[seq_axis]):
        raise invalid(
            f"tf.reverse_sequence: seq_lengths must lie in [0, {x.shape[seq_axis]}], the length of dimension {seq_axis}; "
            f"got {lengths.tolist()}."
        )
    index = _reverse_positions(np, x, lengths, seq_axis, batch_axis)
    return np.take_along_axis(x, np.broadcast_to(index, x.shape), seq_axis)


def _lower_reverse(x: Any, lengths: Any, *, seq_axis: int, batch_axis: int) -> Any:
    index = _reverse_positions(jnp, x, lengths, seq_axis, batch_axis)
    return jnp.take_along_axis(x, jnp.broadcast_to(index, x.shape), seq_axis)


def _reverse_sequence_shape(x: Spec, lengths: Spec, *, seq_axis: int, batch_axis: int) -> Partial:
    if x.shape is None:
        return None
    seq, batch = (
        normalize_axis(seq_axis, len(x.shape), "seq_axis"),
        normalize_axis(batch_axis, len(x.shape), "batch_axis"),
    )
    if seq == batch:
        raise ValueError(f"seq_axis and batch_axis must differ; both are {seq_axis}")
    count = x.shape[batch]
    if lengths.shape is not None and not compatible(lengths.shape, (count,)):
        raise ValueError(
            f"seq_lengths must have shape ({count},), one length for each batch entry; got {wrap(lengths.shape)}"
        )
    if count is None and lengths.shape is not None:
        return (*x.shape[:batch], lengths.shape[0], *x.shape[batch + 1 :])
    return x.shape


reverse_sequence_op = op(
    "ReverseSequence", "input: A, seq_lengths: IX -> ?: input",
    numpy=_reverse_sequence,
    lower=_lower_reverse,
    grad=(
        lambda g, y, x, lengths, *, seq_axis, batch_axis: reverse_sequence_op(
            g, lengths, seq_axis=seq_axis, batch_axis=batch_axis
        ),
        None,
    ),
    shape=_reverse_sequence_shape,
    attrs={"seq_axis": 0, "batch_axis": 0},
)  # fmt: skip


@export("reverse_sequence")
def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` with the first `seq_lengths[b]` elements of each sequence b backwards, the rest as they are.

    Args:
      input: a tensor of rank 2 or more.
      seq_lengths: integer vector, one length for each batch entry.
      seq_axis: the dimension of the sequences; it must be given.
      batch_axis: the dimension of the batch, 0 by default; it must differ from `seq_axis`.
      name: optional.

    Raises:
      TypeError: `seq_axis` is missing.
      InvalidArgumentError: a length is too large, or shapes or axes don't fit.
    """
    if seq_axis is None:
        raise TypeError("tf.reverse_sequence: give seq_axis, the dimension of the sequences, as an int.")
    return reverse_sequence_op(
        input,
        seq_lengths,
        seq_axis=attr_int(seq_axis, "tf.reverse_sequence: seq_axis"),
        batch_axis=attr_int(batch_axis or 0, "tf.reverse_sequence: batch_axis"),
        name=name,
    )


sampled(
    "reverse_sequence",
    lambda: [
        case(Arr((2, 4)), [3, 2], 1, 0, grad=(0,), id="rows"),
        case(Arr((3, 2)), [3, 0], seq_axis=0, batch_axis=1, grad=(0,), id="columns"),
        case(Arr((2, 3, 2), "int32"), [1, 3], 1, id="int32"),
        bad(Arr((2, 3)), [4, 1], 1, 0, id="too-long"),
        bad(Arr((2, 3)), [1], 1, 0, id="count"),
        bad(Arr((2, 3)), [1, 1], 0, 0, id="axes"),
    ],
)

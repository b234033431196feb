"""A tensor dealt out into parts and put together again, and positions in flat arrays."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, merge, wrap
from headwater._src.core import context
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import attr_int, convert
from headwater._src.core.memory import check_work
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, Sparse_, Tensor_, bad, case, each, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor

# -- dynamic_partition ------------------------------------------------------------------------------------------------


def _partition(data: np.ndarray, partitions: np.ndarray, *, num_partitions: int) -> tuple[np.ndarray, ...]:
    if data.shape[: partitions.ndim] != partitions.shape:
        raise ValueError(
            f"data.shape must start with partitions.shape; got {list(data.shape)} and {list(partitions.shape)}"
        )
    check_work(num_partitions * 64)
    outside = (partitions < 0) | (partitions >= num_partitions)
    if outside.any():
        at = np.argwhere(outside)[0].tolist()
        raise ValueError(f"partitions{at} = {partitions[tuple(at)]} is not in [0, {num_partitions})")
    return tuple(data[partitions == i] for i in range(num_partitions))


def _partition_shape(data: Spec, partitions: Spec, *, num_partitions: int) -> list[Partial]:
    if data.shape is None or partitions.shape is None:
        return [None] * num_partitions
    rank = len(partitions.shape)
    if len(data.shape) < rank:
        raise ValueError(
            f"data.shape must start with partitions.shape; got {wrap(data.shape)} and {wrap(partitions.shape)}"
        )
    merge(data.shape[:rank], partitions.shape)
    return [(None, *data.shape[rank:])] * num_partitions


def _partition_grad(gs: Any, ys: Any, data: Any, partitions: Any, *, num_partitions: int) -> Any:
    """The parts' gradients, each at the place that its rows came from."""
    places = layout.reshape(create.range(0, layout.size(partitions)), layout.shape(partitions))
    rows = _partition_op(places, partitions, num_partitions=num_partitions)
    whole = dynamic_stitch(list(rows), list(gs))
    return layout.reshape(whole, layout.shape(data)), None


_partition_op = op(
    "DynamicPartition", "data: A, partitions: int32 -> *?: data",
    numpy=_partition,
    lower=HOST_ONLY("the sizes of the parts depend on values"),
    grad=_partition_grad,
    shape=_partition_shape,
    attrs={"num_partitions": 1},
)  # fmt: skip


@export("dynamic_partition")
def dynamic_partition(
    data: Any, partitions: Any, num_partitions: int, name: str | None = None
) -> list[Tensor]:
    """Deals out the rows of `data`: part i gets those at the places where `partitions` is i, in their order.

    Args:
      data: a tensor whose shape starts with that of partitions.
      partitions: an int32 tensor with elements in [0, num_partitions).
      num_partitions: how many parts there are, at least 1.
      name: optional.

    Returns:
      A list of tensors of shape [count of i, *the rest of data's shape].

    Raises:
      InvalidArgumentError: shapes don't fit, an element is out of range, or num_partitions is not positive.

    >>> [p.numpy() for p in tf.dynamic_partition([10, 20, 30], [1, 0, 1], 2)]
    [array([20], dtype=int32), array([10, 30], dtype=int32)]
    """
    count = attr_int(num_partitions, "tf.dynamic_partition: num_partitions")
    if count < 1:
        raise invalid(f"tf.dynamic_partition: num_partitions must be 1 or more; got {count}.")
    return list(_partition_op(data, partitions, num_partitions=count, name=name))


# -- dynamic_stitch ---------------------------------------------------------------------------------------------------


def _stitch(indices: np.ndarray, data: np.ndarray) -> np.ndarray:
    if indices.size and indices.min() < 0:
        raise ValueError(f"indices must not be negative; got {indices.min()}")
    shape = (int(indices.max(initial=-1)) + 1, *data.shape[1:])
    check_work(prod(shape))
    out = np.zeros(shape, data.dtype)
    out[indices] = data
    return out


_stitch_op = op(
    "DynamicStitch", "indices: int32, data: A -> ?: data",
    numpy=_stitch,
    lower=HOST_ONLY("the size of the result depends on values"),
    grad=(None, lambda g, y, indices, data: gather.gather(g, indices)),
    shape=lambda indices, data: None if data.shape is None else (None, *data.shape[1:]),
    doc="Row i of data at the place that element i of the vector of indices names; of several the last.",
)  # fmt: skip


def _flat_parts(indices: list[Any], data: list[Any], what: str) -> tuple[list[Any], list[Any], Any]:
    """Both lists flattened to vectors and rows, and the shape of a row as far as it is known."""
    tail: Partial = None
    for i, (index, part) in enumerate(zip(indices, data, strict=True)):
        if index._spec.shape is None or part._spec.shape is None:
            continue
        rank = len(index._spec.shape)
        lead, rest = part._spec.shape[:rank], part._spec.shape[rank:]
        try:
            merge(lead, index._spec.shape)
        except ValueError:
            raise invalid(
                f"{what}: data[{i}].shape = {part.shape} must start with indices[{i}].shape = {index.shape}."
            ) from None
        try:
            tail = merge(tail, rest)
        except ValueError:
            raise invalid(
                f"{what}: after the shapes of the indices those of data must agree; data[{i}] has {wrap(rest)} there, those "
                f"before {wrap(tail)}."
            ) from None
    flat = [layout.reshape(index, [-1]) for index in indices]
    if tail is not None and None not in tail and (prod(tail) or len(tail) == 0):
        return flat, [layout.reshape(part, [-1, *tail]) for part in data], tail
    rows = [
        layout.reshape(
            part,
            joining.concat([[layout.size(index)], layout.shape(part)[layout.rank(index) :]], 0),
        )
        for index, part in zip(indices, data, strict=True)
    ]
    return flat, rows, tail


@export("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Puts rows at the places that indices name: `result[indices[m][i]] = data[m][i]`; of several rows for a place the last.

    Args:
      indices: a list of int32 tensors.
      data: a list of as many tensors of one dtype; the shape of each starts with that of its indices, and what follows is
        the same for all.
      name: optional.

    Returns:
      A tensor of shape [largest index + 1, *rest]; places that no index names hold zeros.

    Raises:
      ValueError: the lists differ in length.
      InvalidArgumentError: an index is negative, shapes don't fit, or the lists are empty.

    >>> tf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy()
    array([10, 20, 30], dtype=int32)
    """
    what = "tf.dynamic_stitch"
    if not isinstance(indices, (list, tuple)) or not isinstance(data, (list, tuple)):
        raise TypeError(f"{what}: indices and data must be lists; got {type(indices).__name__}.")
    if len(indices) != len(data):
        raise ValueError(f"{what}: {len(indices)} indices need as many data; got {len(data)}.")
    if not indices:
        raise invalid(f"{what}: at least one pair of indices and data is needed; got empty lists.")
    places = [convert(i, None, dtypes.int32) for i in indices]
    first = next((d.dtype for d in data if isinstance(d, Tensor)), None)
    parts = [convert(d, first if not isinstance(d, Tensor) else None) for d in data]
    flat, rows, tail = _flat_parts(places, parts, what)
    result = _stitch_op(joining.concat(flat, 0), joining.concat(rows, 0))
    if result.__class__ is EagerTensor:
        return result
    known = [layout.get_static_value(p) for p in places]
    length = None if any(k is None for k in known) else max(int(k.max(initial=-1)) for k in known) + 1
    return result if tail is None else layout.ensure_shape(result, [length, *tail])


@export("parallel_stack")
def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """`tf.stack` along a new first dimension; in graphs only, as in TensorFlow.

    Args:
      values: a list of tensors of one shape and dtype.
      name: optional.

    Raises:
      RuntimeError: the call is eager.
    """
    if context.ctx.graph is None:
        raise RuntimeError("tf.parallel_stack works in graphs only: use tf.stack eagerly.")
    return joining.stack(values)


# -- positions --------------------------------------------------------------------------------------------------------


def _strides(xp: Any, dims: Any) -> Any:
    return xp.concatenate([xp.cumprod(dims[::-1])[::-1][1:], xp.ones(1, dims.dtype)]).astype(dims.dtype)


def _unravel(indices: np.ndarray, dims: np.ndarray) -> np.ndarray:
    if indices.ndim > 1:
        raise ValueError(f"indices must be a scalar or a vector; got shape {list(indices.shape)}")
    if dims.ndim != 1:
        raise ValueError(f"dims must be a vector; got shape {list(dims.shape)}")
    if (dims == 0).any():
        raise ValueError(f"dims must not contain 0; got {dims.tolist()}")
    total = int(dims.prod(dtype=np.int64))
    if indices.size and indices.max() >= total:
        raise ValueError(
            f"index {indices.max()} is out of bounds for {total} elements of shape {dims.tolist()}"
        )
    return _unravelled(np, indices, dims)


def _unravelled(xp: Any, indices: Any, dims: Any) -> Any:
    """TensorFlow divides towards zero, so a negative index stays negative in every place."""
    shape = (-1,) + (1,) * indices.ndim
    steps, sizes = _strides(xp, dims).reshape(shape), dims.reshape(shape)
    places = xp.sign(indices) * (xp.abs(indices) // steps)
    return (xp.sign(places) * (xp.abs(places) % sizes)).astype(indices.dtype)


def _unravel_shape(indices: Spec, dims: Spec) -> Partial:
    if indices.shape is None:
        return None
    if len(indices.shape) > 1:
        raise ValueError(f"indices must be a scalar or a vector; got shape {wrap(indices.shape)}")
    if dims.shape is not None and len(dims.shape) != 1:
        raise ValueError(f"dims must be a vector; got shape {wrap(dims.shape)}")
    return (None if dims.shape is None else dims.shape[0], *indices.shape)


unravel_index = op(
    "UnravelIndex", "indices: IX, dims: indices -> ?: indices",
    numpy=_unravel,
    lower=lambda indices, dims: _unravelled(jnp, indices, dims),
    grad=NONDIFF,
    shape=_unravel_shape,
    api=("unravel_index",),
    cases=each(case(2, [3, 3], id="scalar"), case([2, 5, 7], [3, 3]), case([5], [2, 3, 4], id="three"),
               case(Tensor_(Arr((2,), "int64", 0, 11)), Tensor_(Arr((2,), "int64", 4, 5)), id="int64"),
               bad([20], [3, 3], id="large"), bad([[1]], [3, 3], id="rank"), bad([1], 3, id="dims"),
               bad([1], [0, 3], id="zero"), bad(Tensor_(Arr((1,))), Tensor_(Arr((1,))), id="floats")),
    doc="The coordinates, one in each row of the result, of flat positions in an array of shape `dims`.",
)  # fmt: skip


# -- edit distance ----------------------------------------------------------------------------------------------------


def _levenshtein(a: list[Any], b: list[Any]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(above + (x != y), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def _sequences(indices: np.ndarray, values: np.ndarray, dims: np.ndarray, what: str) -> dict[Any, list[Any]]:
    if indices.ndim != 2 or values.ndim != 1 or dims.ndim != 1 or indices.shape != (values.size, dims.size):
        raise ValueError(f"{what} is no sparse tensor: its parts do not fit each other")
    if ((indices < 0) | (indices >= dims)).any():
        raise ValueError(f"an index of {what} is out of bounds for shape {dims.tolist()}")
    found: dict[Any, list[Any]] = {}
    for index, value in zip(indices.tolist(), values.tolist(), strict=True):
        found.setdefault(tuple(index[:-1]), []).append(value)
    return found


def _distances(
    h_indices: np.ndarray, h_values: np.ndarray, h_shape: np.ndarray,
    t_indices: np.ndarray, t_values: np.ndarray, t_shape: np.ndarray, *, normalize: bool,
) -> np.ndarray:  # fmt: skip
    if h_shape.size != t_shape.size or h_shape.size < 2:
        raise ValueError(
            f"hypothesis and truth must have the same rank, 2 or more; got {h_shape.tolist()} and {t_shape.tolist()}"
        )
    ours = _sequences(h_indices, h_values, h_shape, "hypothesis")
    truth = _sequences(t_indices, t_values, t_shape, "truth")
    shape = np.maximum(h_shape, t_shape)[:-1].tolist()
    check_work(prod(shape))
    out = np.zeros(shape, np.float32)
    for place in {*ours, *truth}:
        a, b = ours.get(place, []), truth.get(place, [])
        distance = float(_levenshtein(a, b))
        if normalize:
            distance = distance / len(b) if b else (np.inf if distance else 0.0)
        out[place] = distance
    return out


def _distances_shape(*specs: Spec, normalize: bool) -> Partial:
    ranks = [s.shape[0] for s in (specs[2], specs[5]) if s.shape is not None and len(s.shape) == 1]
    rank = next((r for r in ranks if r is not None), None)
    return None if rank is None else (None,) * (rank - 1)


_distance_op = op(
    "EditDistance",
    "hypothesis_indices: int64, hypothesis_values: A, hypothesis_shape: int64, truth_indices: int64, "
    "truth_values: hypothesis_values, truth_shape: int64 -> ?: float32",
    numpy=_distances,
    lower=HOST_ONLY("the lengths of the sequences depend on values"),
    grad=NONDIFF,
    shape=_distances_shape,
    attrs={"normalize": True},
)  # fmt: skip


@export("edit_distance")
def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """The least number of insertions, deletions and substitutions that turn each sequence into the true one (Levenshtein).

    Args:
      hypothesis: a `tf.SparseTensor`; its last dimension holds the sequences.
      truth: another of the same dtype and rank.
      normalize: whether to divide by the length of the true sequence; infinite where that is empty and the other is not.
      name: optional.

    Returns:
      A float32 tensor of the larger of both shapes without the last dimension.

    Raises:
      TypeError: an argument is no SparseTensor.
      InvalidArgumentError: the ranks differ, or an index is out of bounds.
    """
    for value, what in ((hypothesis, "hypothesis"), (truth, "truth")):
        if not isinstance(value, SparseTensor):
            raise TypeError(
                f"tf.edit_distance: {what} must be a tf.SparseTensor; got {type(value).__name__}."
            )
    result = _distance_op(
        hypothesis.indices, hypothesis.values, hypothesis.dense_shape,
        truth.indices, truth.values, truth.dense_shape, normalize=bool(normalize),
    )  # fmt: skip
    if result.__class__ is EagerTensor:
        return result
    sizes = [layout.get_static_value(s.dense_shape) for s in (hypothesis, truth)]
    return (
        result
        if any(s is None for s in sizes)
        else layout.ensure_shape(result, np.maximum(*sizes)[:-1].tolist())
    )


# -- samples ----------------------------------------------------------------------------------------------------------


def _partition_cases() -> list[Any]:
    x = Arr((4, 2))
    return [
        *[case(Tensor_(Arr((4, 2), d)), [0, 1, 0, 2], 3, id=d) for d in ("int64", "bool", "string", "complex64", "bfloat16")],
        case(x, [0, 1, 0, 2], 4, grad=(0,), id="rows"), case(x, [[0, 1], [1, 0], [1, 1], [0, 0]], 2, grad=(0,), id="elements"),
        case(Arr(()), 1, 2, id="scalar"), case(Arr((0, 2)), np.zeros(0, np.int32), 2, id="empty"),
        bad(x, [0, 1, 0, 3], 3, id="range"), bad(x, [0, 1, 0, -1], 3, id="negative"), bad(x, [0, 1], 2, id="shape"), bad(x, [0, 0, 0, 0], 0, id="none"),
        bad(x, Tensor_(Arr((4,))), 2, id="dtype"),
    ]  # fmt: skip


def _stitch_cases() -> list[Any]:
    a, b = Arr((2, 3)), Arr((2, 3), salt=1)
    return [
        case([[0, 3], [1, 2]], [a, b], id="rows"), case([[0, 4], [0, 1]], [a, b], id="gaps-and-repeats"),
        case([0, [[1, 2]]], [Tensor_(Arr((3,), "int64")), Tensor_(Arr((1, 2, 3), "int64"))], id="shapes"),
        case([[0, 1]], [Tensor_(Arr((2,), "string"))], id="string"), case([np.zeros(0, np.int32)], [Arr((0, 2))], id="empty"),
        bad([[0, -1]], [a], id="negative"), bad([[0, 1, 2]], [a], id="lead"), bad([[0, 1], [2, 3]], [a, Arr((2, 2))], id="rest"),
        bad([[0, 1]], [a, b], error="ValueError", id="lengths"), bad([], [], id="nothing"), bad([Tensor_(Arr((2,)))], [a], id="dtype"),
    ]  # fmt: skip


sampled("dynamic_partition", _partition_cases)
sampled("dynamic_stitch", _stitch_cases)
sampled("parallel_stack", each(bad([Arr((2,)), Arr((2,))], error="RuntimeError", id="eager")))
sampled("edit_distance", lambda: [
    case(Sparse_([[0, 0], [1, 0], [1, 1]], ["a", "b", "c"], [2, 2]), Sparse_([[0, 0], [0, 1], [1, 1]], ["b", "a", "c"], [3, 2]), id="strings"),
    case(Sparse_([[0, 0], [0, 1]], [1, 2], [2, 2]), Sparse_([[0, 0], [1, 0]], [1, 2], [2, 2]), False, id="counts"),
    case(Sparse_([[0, 0, 0]], [1], [1, 1, 2]), Sparse_([[0, 0, 1]], [1], [1, 2, 2]), id="cube"),
    bad(Sparse_([[0, 0]], [1], [1, 1]), Sparse_([[0, 0, 1]], [1], [1, 2, 2]), id="ranks"),
    bad([1, 2], Sparse_([[0, 0]], [1], [1, 1]), error="TypeError", id="dense"),
])  # fmt: skip

"""`Dataset.bucket_by_sequence_length`: elements of similar lengths in one batch, written in other transformations."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec
from headwater._src.data.structure import map_leaves
from headwater._src.ops.cast import cast
from headwater._src.ops.checks import assert_less
from headwater._src.ops.gather import gather
from headwater._src.ops.reduce import reduce_sum

_INFINITE = np.iinfo(np.int32).max


def by_length(
    dataset: Any, length_of: Any, boundaries: list[int], sizes: list[int], shapes: Any, values: Any, to_boundary: bool,
    no_padding: bool, drop: bool,
) -> Any:  # fmt: skip
    """See `Dataset.bucket_by_sequence_length`."""
    if len(sizes) != len(boundaries) + 1:
        raise ValueError(
            f"Dataset.bucket_by_sequence_length: {len(boundaries)} boundaries make {len(boundaries) + 1} buckets; got "
            f"{len(sizes)} batch sizes."
        )
    batch_sizes = convert(np.array(sizes, np.int64))
    edges = convert(np.array(boundaries, np.int32))
    ends = convert(np.array([*boundaries, _INFINITE], np.int32))

    def bucket(*element: Any) -> Any:
        length = cast(length_of(*element), "int32")
        return reduce_sum(cast(length >= edges, "int64"))

    def batch(number: Any, group: Any) -> Any:
        size = gather(batch_sizes, number)
        if no_padding:
            return group.batch(size, drop_remainder=drop)
        target = shapes
        if to_boundary:
            end = gather(ends, number)
            assert_less(
                number, convert(np.int64(len(boundaries))), "an element is longer than the last boundary"
            )
            target = map_leaves(
                lambda s: _filled(s, end - 1), shapes or map_leaves(_shape, group.element_spec)
            )
        return group.padded_batch(size, target, values, drop_remainder=drop)

    return dataset.group_by_window(bucket, batch, window_size_func=lambda number: gather(batch_sizes, number))


def _shape(spec: TensorSpec) -> Any:
    return spec.shape


def _filled(shape: Any, size: Any) -> Any:
    """The shape with the bucket's size for its unknown dimensions."""
    return [size if d is None or d == -1 else d for d in TensorShape(shape).as_list()]

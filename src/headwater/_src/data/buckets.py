"""`Dataset.bucket_by_sequence_length`: elements of similar lengths in one batch, written in other transformations."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.data.structure import map_leaves
from headwater._src.ops import math, reduce
from headwater._src.ops.checks import assert_less
from headwater._src.ops.control_scopes import ordered


def by_length(
    dataset: Any, length_of: Any, boundaries: list[int], sizes: list[int], shapes: Any, values: Any, to_boundary: bool,
    no_padding: bool, drop: bool,
) -> Any:  # fmt: skip
    """See `Dataset.bucket_by_sequence_length`."""
    raise NotImplementedError


__all__ = ["TensorShape", "assert_less", "by_length", "convert", "map_leaves", "math", "np", "ordered", "reduce"]

"""Elements picked by indices, and elements put where indices say: gather, scatter, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.segment as segment
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, compatible, merge, normalize_axis, num_elements, wrap
from headwater._src.base.text import describe
from headwater._src.core.composite import IndexedSlices
from headwater._src.core.convert import convert, host_int
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.ops.cast import cast

# -- range checks -----------------------------------------------------------------------------------------------------


def check_indices(indices: np.ndarray, size: int, what: str = "indices") -> None:
    """InvalidArgumentError unless all indices lie in [0, size)."""
    if not indices.size:
        return
    # One pass: seen as unsigned, a negative index is larger than any dimension.
    if indices.dtype.kind == "i":
        if indices.view(indices.dtype.str.replace("i", "u")).max() < size:
            return
    elif indices.max() < size:
        return
    at = np.argwhere((indices < 0) | (indices >= size))[0].tolist()
    value = indices[tuple(at)]
    place = f"{what}{at}" if at else what
    raise invalid(f"{place} = {value} is not in [0, {size}): negative and too large indices are refused.")

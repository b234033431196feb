"""What adding up gradients takes: sums of tensors and IndexedSlices, zeros, ones, and dense forms."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.create as create
import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
from headwater._src.core.composite import IndexedSlices, install_densify
from headwater._src.core.tensor import EagerTensor
from headwater._src.engine import backprop, jacobians


def densify(value: Any) -> Any:
    """IndexedSlices as a tensor, with rows named twice added up; anything else as it is."""
    return gather.dense_of_slices(value) if value.__class__ is IndexedSlices else value


def add(a: Any, b: Any) -> Any:
    """The sum of two gradients; two IndexedSlices stay sparse."""
    if a.__class__ is EagerTensor and b.__class__ is EagerTensor:
        return math.add(a, b)
    if a.__class__ is IndexedSlices and b.__class__ is IndexedSlices:
        return IndexedSlices(
            joining.concat([a.values, b.values], 0), joining.concat([a.indices, b.indices], 0), a.dense_shape
        )
    return math.add(densify(a), densify(b))


backprop.install(backprop.VectorSpace(add, create.zeros_like, create.ones_like, densify))
jacobians.install(joining.stack, layout.reshape)
install_densify(gather.dense_of_slices)

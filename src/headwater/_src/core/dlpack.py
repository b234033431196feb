"""DLPack capsules, for exchange with other array libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.core.tensor import EagerTensor, Tensor, of_array


class _Holder:
    """What NumPy asks for: an object with the protocol's two methods."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@export("experimental.dlpack.to_dlpack")
def to_dlpack(tf_tensor: Any) -> Any:
    """A DLPack capsule with a copy of the tensor's values, which its consumer may write to.

    Raises:
      InvalidArgumentError: the dtype has no DLPack form (strings).
    """
    tensor = convert(tf_tensor)
    if not isinstance(tensor, EagerTensor) or tensor.dtype.np.kind == "O":
        raise invalid(f"tf.experimental.dlpack.to_dlpack: {tensor.dtype.name} tensors have no DLPack form.")
    return tensor.__dlpack__()


@export("experimental.dlpack.from_dlpack")
def from_dlpack(dlcapsule: Any) -> Tensor:
    """A tensor of the values in a DLPack capsule, or of an object that has `__dlpack__`; the values are copied."""
    source = dlcapsule if hasattr(dlcapsule, "__dlpack__") else _Holder(dlcapsule)
    return of_array(np.array(np.from_dlpack(source)))

"""Blocks of volumes, each as one row of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.gather as gather
import headwater._src.ops.layout as layout
import headwater._src.ops.shape as shaping
import headwater._src.ops.windows as windows
from headwater._src.base.errors import UnimplementedError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor

_WHAT = "tf.extract_volume_patches"


def _five(values: Any, what: str) -> tuple[int, int, int]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{_WHAT}: {what} must be a list of 5 integers; got {values!r}.")
    found = host_ints(values, f"{_WHAT}: {what}")
    if len(found) < 5:
        raise invalid(f"{_WHAT}: {what} must have 5 entries; got {list(found)}.")
    if found[0] != 1 or found[4] != 1:
        raise UnimplementedError(
            None, None, f"{_WHAT}: {what} must be 1 for batch and channels; got {list(found)}."
        )
    if min(found) < 1:
        raise invalid(f"{_WHAT}: {what} must be positive; got {list(found)}.")
    return found[1:4]


@export("extract_volume_patches")
def extract_volume_patches(
    input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None
) -> Tensor:
    """Blocks of volumes, the elements of each as the channels of one place.

    Args:
      input: real numbers of shape [batch, planes, rows, columns, channels]; planes, rows and columns known.
      ksizes: five integers, the block's lengths; the first and last are 1.
      strides: five integers, the distances between blocks; the first and last are 1.
      padding: "SAME" (with zeros) or "VALID".
      name: optional.

    Returns:
      A tensor [batch, *number of blocks, prod(ksizes) * channels].

    Raises:
      InvalidArgumentError: an argument does not fit.
      UnimplementedError: ksizes or strides other than 1 for batch or channels.
      ValueError: the lengths are not known.
    """
    x = convert(input)
    if not (x.dtype.is_floating or x.dtype.is_integer):
        raise invalid(f"{_WHAT}: input must hold real numbers; got {x.dtype.name}.")
    if padding not in ("SAME", "VALID"):
        raise invalid(f'{_WHAT}: padding must be "SAME" or "VALID"; got {padding!r}.')
    dims = x._spec.shape
    if dims is not None and len(dims) != 5:
        raise invalid(f"{_WHAT}: input must have rank 5; got shape {x.shape}.")
    lengths, steps = _five(ksizes, "ksizes"), _five(strides, "strides")
    if dims is None or None in dims[1:]:
        raise ValueError(f"{_WHAT}: planes, rows, columns and channels must be known; got shape {x.shape}.")
    try:
        win = windows.window(tuple(dims[1:4]), lengths, steps, (1, 1, 1), padding, ())
    except ValueError as error:
        raise invalid(f"{_WHAT}: {error}.") from None
    if padding == "VALID" and any(k > d for k, d in zip(lengths, dims[1:4], strict=True)):
        raise invalid(f"{_WHAT}: the blocks {list(lengths)} are larger than the input of shape {x.shape}.")
    if win.padded:
        x = shaping.pad(x, [[0, 0], *map(list, zip(win.low, win.high, strict=True)), [0, 0]])
    for i, (count, step, length) in enumerate(zip(win.out, steps, lengths, strict=True)):
        places = np.arange(count, dtype=np.int32)[:, None] * step + np.arange(length, dtype=np.int32)
        x = gather.gather(x, places, axis=1 + 2 * i)
    x = layout.transpose(x, [0, 1, 3, 5, 2, 4, 6, 7])
    batch = dims[0] if dims[0] is not None else -1
    return layout.reshape(x, [batch, *win.out, int(np.prod(lengths)) * dims[4]])


_X = Arr((2, 4, 5, 3, 2))
sampled("extract_volume_patches", lambda: [
    case(_X, [1, 2, 2, 2, 1], [1, 1, 2, 1, 1], "VALID", grad=(0,), id="valid"), case(_X, [1, 2, 3, 2, 1], [1, 1, 2, 1, 1], "SAME", grad=(0,), id="same"),
    *(case(Tensor_(Arr((1, 2, 2, 2, 1), d)), [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], "VALID", id=d) for d in ("float64", "float16", "int8", "int64")),
    bad(_X, [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "FULL", id="padding"), bad(Arr((4, 5, 3, 2)), [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "SAME", id="rank"),
    bad(_X, [2, 2, 2, 2, 1], [1, 1, 1, 1, 1], "SAME", error="UnimplementedError", id="batch"), bad(_X, [2, 2], [1, 1, 1, 1, 1], "SAME", id="lengths"),
    bad(_X, [1, 9, 2, 2, 1], [1, 1, 1, 1, 1], "VALID", id="large"), bad(Tensor_(Arr((1, 2, 2, 2, 1), "bool")), [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], "VALID", id="bool"),
])  # fmt: skip

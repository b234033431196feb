"""Bands of diagonals of matrices, and the diagonals of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.create as create
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, merge, wrap
from headwater._src.core.convert import convert, host_int, host_ints
from headwater._src.core.op import op
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor
from headwater._src.ops.linalg_decompose import (
    need_matrix,
)  # fmt: skip

# -- bands of diagonals -----------------------------------------------------------------------------------------------

_ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _places(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, ...]:
    """For each element of the diagonals low..high: its row and column in the matrix, and its row and column in the band."""
    upper_right, lower_right = align.startswith("RIGHT"), align.endswith("RIGHT")
    width = min(rows + min(high, 0), columns - max(low, 0))
    parts = []
    for k in range(high, low - 1, -1):
        count = min(rows + min(k, 0), columns - max(k, 0))
        step = np.arange(max(count, 0))
        pad = width - count if (k > 0 and upper_right) or (k < 0 and lower_right) else 0
        parts.append((step + max(-k, 0), step + max(k, 0), np.full_like(step, high - k), step + pad))
    return tuple(np.concatenate(p) for p in zip(*parts, strict=True))


def _check_band(rows: int, columns: int, low: int, high: int) -> None:
    if low > high:
        raise ValueError(f"k = ({low}, {high}) names no diagonals: the first must not be above the second")
    for k in (low, high):
        if k and not -rows < k < columns:
            raise ValueError(f"diagonal {k} does not exist in matrices of shape {rows} x {columns}")


def _band_part_shape(input: Spec, padding: Spec, *, k: Any, align: str) -> Partial:
    shape = need_matrix(input)
    if shape is None:
        return None
    low, high = k
    rows, columns = shape[-2:]
    if rows is None or columns is None:
        width = None
    else:
        _check_band(rows, columns, low, high)
        width = min(rows + min(high, 0), columns - max(low, 0))
    return (*shape[:-2], width) if low == high else (*shape[:-2], high - low + 1, width)


def _band_of(xp: Any, x: Any, padding: Any, k: Any, align: str) -> Any:
    shape = _band_part_shape(Spec(x.shape, x.dtype), Spec((), x.dtype), k=k, align=align)
    low, high = k
    i, j, row, column = _places(*x.shape[-2:], low, high, align)
    full = (*x.shape[:-2], high - low + 1, shape[-1])
    out = xp.zeros(full, x.dtype) + padding if x.dtype.kind != "b" else xp.zeros(full, bool) | padding
    if out.__class__ is np.ndarray and x.__class__ is np.ndarray:
        out[..., row, column] = x[..., i, j]
    else:
        out = jnp.asarray(out).at[..., row, column].set(x[..., i, j])
    return out.reshape(shape)


_matrix_band = op(
    "MatrixDiagPartV3", "input: N|B, padding: input -> ?: input",
    numpy=lambda x, padding, *, k, align: _band_of(np, x, padding, k, align),
    lower=lambda x, padding, *, k, align: _band_of(jnp, x, padding, k, align),
    grad=(lambda g, y, x, padding, *, k, align: _set_band(create.zeros_like(x), g, k=k, align=align), None),
    shape=_band_part_shape,
    attrs={"k": (0, 0), "align": "RIGHT_LEFT"},
)  # fmt: skip


def _set_band_shape(input: Spec, diagonal: Spec, *, k: Any, align: str) -> Partial:
    want = _band_part_shape(input, diagonal, k=k, align=align)
    if want is None or diagonal.shape is None:
        return input.shape
    single = len(diagonal.shape) == len(want) + 1 and k[0] == k[1] and diagonal.shape[-2] in (1, None)
    have = (*diagonal.shape[:-2], diagonal.shape[-1]) if single else diagonal.shape
    try:
        merge(have, want)
    except ValueError:
        raise ValueError(
            f"diagonal must have shape {wrap(want)} for k = {k}; got {wrap(diagonal.shape)}"
        ) from None
    return input.shape


def _with_band(xp: Any, x: Any, diagonal: Any, k: Any, align: str) -> Any:
    _set_band_shape(Spec(x.shape, x.dtype), Spec(diagonal.shape, diagonal.dtype), k=k, align=align)
    low, high = k
    i, j, row, column = _places(*x.shape[-2:], low, high, align)
    band = diagonal.reshape(*x.shape[:-2], high - low + 1, diagonal.shape[-1])
    if x.__class__ is np.ndarray and band.__class__ is np.ndarray:
        out = x.copy()
        out[..., i, j] = band[..., row, column]
        return out
    return jnp.asarray(x).at[..., i, j].set(band[..., row, column])


_set_band = op(
    "MatrixSetDiagV3", "input: N|B, diagonal: input -> ?: input",
    numpy=lambda x, d, *, k, align: _with_band(np, x, d, k, align),
    lower=lambda x, d, *, k, align: _with_band(jnp, x, d, k, align),
    grad=(lambda g, y, x, d, *, k, align: _set_band(g, create.zeros_like(d), k=k, align=align),
          lambda g, y, x, d, *, k, align: _matrix_band(g, convert(0, g.dtype), k=k, align=align)),
    shape=_set_band_shape,
    attrs={"k": (0, 0), "align": "RIGHT_LEFT"},
)  # fmt: skip


def _from_band_shape(
    diagonal: Spec, padding: Spec, *, k: Any, rows: int, columns: int, align: str
) -> Partial:
    shape = diagonal.shape
    low, high = k
    if low > high:
        raise ValueError(f"k = ({low}, {high}) names no diagonals: the first must not be above the second")
    if shape is None:
        return None
    if not shape or (low != high and len(shape) < 2):
        raise ValueError(
            f"diagonal must have rank {1 if low == high else 2} or more; got shape {wrap(shape)}"
        )
    if low != high and shape[-2] not in (None, high - low + 1):
        raise ValueError(f"k = ({low}, {high}) needs {high - low + 1} diagonals; got shape {wrap(shape)}")
    lead = shape[:-1] if low == high else shape[:-2]
    if shape[-1] is None:
        return (*lead, rows if rows != -1 else None, columns if columns != -1 else None)
    return (*lead, *_matrix_size(shape[-1], low, high, rows, columns))


def _matrix_size(width: int, low: int, high: int, rows: int, columns: int) -> tuple[int, int]:
    """The size of matrices with diagonals of length `width`; -1 for a side that is not given."""
    least_rows, least_columns = width - min(high, 0), width + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(least_rows, least_columns)
    elif rows == -1:
        rows = least_rows
    elif columns == -1:
        columns = least_columns
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise ValueError(
            f"diagonals of length {width} for k = ({low}, {high}) don't fit matrices of {rows} x {columns}"
        )
    return rows, columns


def _from_band(xp: Any, d: Any, padding: Any, k: Any, rows: int, columns: int, align: str) -> Any:
    given = {"k": k, "rows": rows, "columns": columns, "align": align}
    shape = _from_band_shape(Spec(d.shape, d.dtype), Spec((), d.dtype), **given)
    out = xp.zeros(shape, d.dtype) + padding if d.dtype.kind != "b" else xp.zeros(shape, bool) | padding
    return _with_band(xp, out.astype(d.dtype), d, k, align)


_diag_of_band = op(
    "MatrixDiagV3", "diagonal: N|B, padding: diagonal -> ?: diagonal",
    numpy=lambda d, padding, *, k, rows, columns, align: _from_band(np, d, padding, k, rows, columns, align),
    lower=lambda d, padding, *, k, rows, columns, align: _from_band(jnp, d, padding, k, rows, columns, align),
    grad=(lambda g, y, d, padding, *, k, rows, columns, align: _matrix_band(g, convert(0, g.dtype), k=k, align=align), None),
    shape=_from_band_shape,
    attrs={"k": (0, 0), "rows": -1, "columns": -1, "align": "RIGHT_LEFT"},
)  # fmt: skip


def band_of(k: Any, align: Any, what: str) -> tuple[tuple[int, int], str]:
    """The argument k, an integer or a pair, as a pair; and a checked alignment."""
    found = host_ints(k, f"{what}: k")
    if isinstance(found, SymbolicTensor):
        raise NotImplementedError(f"{what} takes plain integers for k in a graph.")
    if len(found) not in (1, 2):
        raise invalid(f"{what}: k must be one integer or two; got {found}.")
    if align not in _ALIGNMENTS:
        raise invalid(f"{what}: align must be one of {', '.join(_ALIGNMENTS)}; got {align!r}.")
    return (found[0], found[-1]), align


def diag_part_band(input: Any, k: Any, padding_value: Any, align: str) -> Tensor:
    """`tf.linalg.diag_part` for bands."""
    band, align = band_of(k, align, "tf.linalg.diag_part")
    x = convert(input)
    return _matrix_band(x, _padding(padding_value, x), k=band, align=align)


def diag_band(diagonal: Any, k: Any, rows: Any, columns: Any, padding_value: Any, align: str) -> Tensor:
    """`tf.linalg.diag` for bands, and for matrices that are not square."""
    band, align = band_of(k, align, "tf.linalg.diag")
    d = convert(diagonal)
    sides = [host_int(v, "tf.linalg.diag: num_rows and num_cols") for v in (rows, columns)]
    return _diag_of_band(d, _padding(padding_value, d), k=band, rows=sides[0], columns=sides[1], align=align)


def _padding(value: Any, like: Any) -> Any:
    return convert(bool(value) if like.dtype.is_bool else value, like.dtype)


@export("linalg.set_diag")
def set_diag(
    input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """The matrices of `input` with some diagonals replaced.

    Args:
      input: a tensor [..., m, n].
      diagonal: the k-th diagonals, a tensor [..., d]; for a pair k a tensor [..., bands, d], the uppermost diagonal first.
      name: optional.
      k: which diagonal: 0 for the main one, above 0 for those above it. A pair (low, high) stands for all between them.
      align: on which side shorter diagonals of a band stand: "RIGHT_LEFT" puts those above the main one to the right and those
        below it to the left.

    Raises:
      InvalidArgumentError: the shapes don't fit, or there is no such diagonal.
    """
    band, align = band_of(k, align, "tf.linalg.set_diag")
    x = convert(input)
    return _set_band(x, convert(diagonal, None, x.dtype), k=band, align=align)


sampled("linalg.set_diag", lambda: [
    case(Arr((3, 4)), [9.0, 8.0, 7.0], grad=(0, 1)), case(Arr((2, 3, 3), "int32"), Arr((2, 2), "int32"), k=1, id="above"),
    case(Arr((3, 4)), Arr((2, 3)), k=(-1, 0), grad=(0, 1), id="band"), case(Arr((3, 3), "complex64"), Arr((3, 3), "complex64"), k=(-1, 1), align="LEFT_LEFT", grad=(0, 1), id="left"),
    case(Arr((2, 2), "bool"), [True, False], id="bool"), bad(Arr((3, 4)), [1.0, 2.0], id="length"), bad([1.0], [1.0], id="vector"), bad(Arr((3, 4)), [1.0], k=5, id="range"),
    bad(Tensor_(Arr((2, 2))), Tensor_(Arr((2,), "int32")), id="dtypes"),
])  # fmt: skip

# -- diagonals of tensors ---------------------------------------------------------------------------------------------


def _tensor_diag_shape(diagonal: Spec) -> Partial:
    if diagonal.shape is None:
        return None
    if not diagonal.shape:
        raise ValueError("diagonal must have rank 1 or more; got a scalar")
    return diagonal.shape * 2


def _tensor_diag(xp: Any, d: Any) -> Any:
    if not d.ndim:
        raise ValueError("scalar")
    return xp.where(xp.eye(d.size, dtype=bool), d.reshape(-1), xp.zeros((), d.dtype)).reshape(d.shape * 2)


def _tensor_diag_part_shape(input: Spec) -> Partial:
    shape = input.shape
    if shape is None:
        return None
    half = len(shape) // 2
    if len(shape) % 2:
        raise ValueError(f"the rank must be even; got shape {wrap(shape)}")
    return merge(shape[:half], shape[half:])


def _tensor_diag_part(x: Any) -> Any:
    half = x.ndim // 2
    if x.ndim % 2 or x.shape[:half] != x.shape[half:]:
        raise ValueError("shape")
    size = int(np.prod(x.shape[:half]))
    return x.reshape(size, size).diagonal().reshape(x.shape[:half])


tensor_diag = op(
    "Diag", "diagonal: F|C|int32|int64 -> ?: diagonal",
    numpy=lambda d: _tensor_diag(np, d),
    lower=lambda d: _tensor_diag(jnp, d),
    grad=lambda g, y, d: tensor_diag_part(g),
    shape=_tensor_diag_shape,
    api=("linalg.tensor_diag",),
    cases=lambda: [case(Arr((3,)), grad=(0,)), case(Arr((1, 2)), grad=(0,), id="matrix"), case([1, 2], id="ints"), case(Arr((2,), "complex64"), grad=(0,), id="complex"),
                   case(Arr((0,)), id="empty"), bad(1.0, id="scalar"), bad([True], id="bool")],
    doc="A tensor of twice the rank with `diagonal` where both halves of the indices agree, and 0 elsewhere.",
)  # fmt: skip

tensor_diag_part = op(
    "DiagPart", "input: F|C|int32|int64 -> ?: input",
    numpy=_tensor_diag_part,
    lower=_tensor_diag_part,
    grad=lambda g, y, x: tensor_diag(g) if x._spec.shape != () else g,
    shape=_tensor_diag_part_shape,
    api=("linalg.tensor_diag_part",),
    cases=lambda: [case(Arr((3, 3)), grad=(0,)), case(Arr((1, 2, 1, 2)), grad=(0,), id="rank-4"), case(1.0, id="scalar"), case(Arr((0, 0)), id="empty"),
                   bad(Arr((2, 3)), id="shape"), bad(Arr((2, 2, 2)), id="odd")],
    doc="The elements of a tensor of even rank where both halves of the indices agree; the inverse of `tf.linalg.tensor_diag`.",
)  # fmt: skip

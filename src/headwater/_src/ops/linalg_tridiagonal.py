"""Eigenvalues of self-adjoint tridiagonal matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.gather as gather
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.linalg_eigen as linalg_eigen
import headwater._src.ops.math as math
import headwater._src.ops.special as special
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast

_WHAT = "tf.linalg.eigh_tridiagonal"


@export("linalg.eigh_tridiagonal")
def eigh_tridiagonal(
    alpha: Any, beta: Any, eigvals_only: bool = True, select: str = "a", select_range: Any = None, tol: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Eigenvalues, and on demand eigenvectors, of self-adjoint tridiagonal matrices.

    Args:
      alpha: the diagonals, a float or complex tensor [..., n]; of complex ones the real part.
      beta: the elements beside them, a tensor [..., n - 1] of the same dtype; above the diagonal stand their conjugates.
      eigvals_only: whether the eigenvectors are left out.
      select: "a" for all, "i" for the eigenvalues of the indices from select_range[0] to select_range[1], both included, "v"
        for those above select_range[0] up to select_range[1], of one matrix.
      select_range: a pair; see select.
      tol: without effect; the results are as precise as their dtype allows.
      name: optional.

    Returns:
      The eigenvalues [..., m] in ascending order, real; or the pair of these and the vectors [..., n, m], one in each column.

    Raises:
      ValueError: the dtypes differ, are no floats, or `select` is another letter.
      InvalidArgumentError: the shapes don't fit, or the range is empty.
    """
    if select not in ("a", "i", "v"):
        raise ValueError(f'{_WHAT}: select must be "a", "i" or "v"; got {select!r}.')
    alpha = convert(alpha)
    beta = convert(beta, None, alpha.dtype)
    if alpha.dtype is not beta.dtype:
        raise ValueError(
            f"{_WHAT}: alpha and beta must have one dtype; got {alpha.dtype.name} and {beta.dtype.name}."
        )
    if not (alpha.dtype.is_floating or alpha.dtype.is_complex):
        raise ValueError(f"{_WHAT}: alpha and beta must be floats or complex; got {alpha.dtype.name}.")
    _check_shapes(alpha, beta)
    narrow = alpha.dtype if alpha.dtype in (dtypes.float16, dtypes.bfloat16) else None
    if narrow is not None:
        alpha, beta = cast(alpha, dtypes.float32), cast(beta, dtypes.float32)
    whole = (
        math.add(linalg.diag(alpha), linalg.diag(beta, k=-1)) if beta.shape[-1] != 0 else linalg.diag(alpha)
    )
    if eigvals_only:
        values, vectors = linalg_eigen.eigvalsh(whole), None
    else:
        values, vectors = linalg_eigen.eigh(whole)
    values = special.real(values)
    if select != "a":
        places = _chosen(values, select, select_range)
        values = gather.gather(values, places, axis=-1)
        vectors = None if vectors is None else gather.gather(vectors, places, axis=-1)
    if narrow is not None:
        values, vectors = cast(values, narrow), None if vectors is None else cast(vectors, narrow)
    return values if vectors is None else (values, vectors)


def _check_shapes(alpha: Tensor, beta: Tensor) -> None:
    ours, theirs = alpha._spec.shape, beta._spec.shape
    if ours is None or theirs is None:
        return
    if (
        not ours
        or len(ours) != len(theirs)
        or None not in (ours[-1], theirs[-1])
        and max(ours[-1] - 1, 0) != theirs[-1]
    ):
        raise invalid(
            f"{_WHAT}: beta must have one element less than alpha along the last dimension; got shapes {alpha.shape} and {beta.shape}."
        )


def _chosen(values: Tensor, select: str, limits: Any) -> Any:
    if select == "i":
        first, last = host_ints(limits, f"{_WHAT}: select_range")
        if first > last:
            raise invalid(f"{_WHAT}: select_range must not be empty; got {[first, last]}.")
        size = values.shape[-1]
        if first < 0 or size is not None and last >= size:
            raise invalid(f"{_WHAT}: the indices {[first, last]} are out of range for {size} eigenvalues.")
        return np.arange(first, last + 1)
    low, high = (float(v) for v in limits)
    if not low < high:
        raise invalid(f"{_WHAT}: select_range must be an interval that is not empty; got {[low, high]}.")
    if values.shape.rank != 1:
        raise invalid(f'{_WHAT}: select="v" takes one matrix; got eigenvalues of shape {values.shape}.')
    inside = compare.logical_and(compare.greater(values, low), compare.less_equal(values, high))
    return layout.reshape(compare.where(inside), [-1])


_A, _B = Arr((4,)), Arr((3,), salt=1)
sampled("linalg.eigh_tridiagonal", lambda: [
    *(case(Tensor_(Arr((4,), d)), Tensor_(Arr((3,), d, salt=1)), grad=(0, 1) if d.startswith("f") else (), tol=1e-4, id=d) for d in ("float32", "float64", "complex64")),
    case(Tensor_(Arr((4,), "float16")), Tensor_(Arr((3,), "float16", salt=1)), tol=1e-2, id="float16"), case(Arr((2, 3)), Arr((2, 2)), tol=1e-4, id="stack"),
    case(_A, _B, select="i", select_range=[1, 2], tol=1e-4, id="indices"), case(_A, _B, select="v", select_range=[-1.0, 9.0], tol=1e-4, id="interval"),
    case(_A, _B, False, tol=np.inf, id="vectors"), case([1.0], [], id="one"), bad(_A, _A, id="lengths"), bad(_A, _B, select="x", error="ValueError", id="letter"),
    bad(_A, _B, select="i", select_range=[2, 1], id="empty"), bad(Tensor_(_A), Tensor_(Arr((3,), "float64")), error="ValueError", id="dtypes"), bad([1, 2], [1], error="ValueError", id="ints"),
])  # fmt: skip

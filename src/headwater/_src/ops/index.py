"""Slices of tensors: `t[...]`, `tf.slice`, `tf.strided_slice`, and assignment to slices of variables."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.gather as gather
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.shape as shape_ops
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp, lax
from headwater._src.base.shapes import Dim, Partial, wrap
from headwater._src.base.text import describe
from headwater._src.core import context
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.op import op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, as_array

# A key is a tuple with an entry for each part of the subscript: an int, a triple (start, stop, step) of ints or None for a
# slice, Ellipsis, or None for a new dimension. A `Bound` stands where a number comes from a symbolic tensor: its place in
# the `bounds` attribute.


class Bound(int):
    """The position, in the attribute `bounds`, of a number that only the graph knows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"bounds[{int(self)}]"


def _numpy_key(key: tuple[Any, ...], bounds: Any) -> tuple[Any, ...]:
    """The subscript for ndarrays and JAX arrays."""
    if not bounds:
        return tuple([slice(*k) if k.__class__ is tuple else k for k in key])
    return tuple([slice(*[_number(e, bounds) for e in k]) if k.__class__ is tuple else _number(k, bounds) for k in key])


def _number(entry: Any, bounds: Any) -> Any:
    return bounds[entry] if entry.__class__ is Bound else entry


def _slice_length(entry: tuple[Any, Any, Any], dim: Dim, bounds: Any) -> Dim:
    parts = [_number(e, bounds) for e in entry]
    if any(e.__class__ is Bound and p is None for e, p in zip(entry, parts, strict=True)):
        return None
    if parts[2] == 0:
        raise ValueError("the step of a slice must not be 0")
    if dim is None:
        return None
    return len(range(*slice(*parts).indices(dim)))


def _strided_shape(x: Spec, *, key: tuple[Any, ...], bounds: Any) -> Partial:
    bounds = dims_of(bounds) or ()
    if key.count(Ellipsis) > 1:
        raise ValueError("a subscript may contain one ellipsis (...) only")
    if x.shape is None:
        return None
    used = sum(1 for k in key if k is not None and k is not Ellipsis)
    rank = len(x.shape)
    if used > rank:
        raise ValueError(f"{used} indices are too many for a tensor of rank {rank} (shape {wrap(x.shape)})")
    out: list[Dim] = []
    at = 0
    for k in key:
        if k is None:
            out.append(1)
        elif k is Ellipsis:
            out.extend(x.shape[at : at + rank - used])
            at += rank - used
        elif k.__class__ is tuple:
            out.append(_slice_length(k, x.shape[at], bounds))
            at += 1
        else:
            i, dim = _number(k, bounds), x.shape[at]
            if i is not None and dim is not None and not -dim <= i < dim:
                raise ValueError(f"index {i} is out of bounds for dimension {at} of shape {wrap(x.shape)}")
            at += 1
    return (*out, *x.shape[at:])


def _strided_grad(g: Any, y: Any, x: Any, *, key: Any, bounds: Any) -> Any:
    return strided_slice_grad(g, x, key=key, bounds=bounds)


def _scattered(g: np.ndarray, like: np.ndarray, *, key: Any, bounds: Any) -> np.ndarray:
    out = np.zeros(like.shape, g.dtype)
    out[_numpy_key(key, bounds)] = g
    return out


strided_slice_op = op(
    "StridedSlice", "input: A -> ?: input",
    numpy=lambda x, *, key, bounds: x[_numpy_key(key, bounds)],
    lower=lambda x, *, key, bounds: x[_numpy_key(key, bounds)],
    grad=_strided_grad,
    shape=_strided_shape,
    attrs={"key": (), "bounds": ()}, host=("bounds",), moves=True,
)  # fmt: skip

strided_slice_grad = op(
    "StridedSliceGrad", "g: A, like: g -> like",
    numpy=_scattered,
    lower=lambda g, like, *, key, bounds: jnp.zeros(like.shape, g.dtype).at[_numpy_key(key, bounds)].set(g),
    grad=(lambda gg, y, g, like, *, key, bounds: strided_slice_op(gg, key=key, bounds=bounds), None),
    attrs={"key": (), "bounds": ()}, host=("bounds",),
    doc="Zeros in the shape of `like` with `g` in the slice that `key` names.",
)  # fmt: skip

# -- t[...] -----------------------------------------------------------------------------------------------------------

_PLAIN = frozenset((int, slice, type(Ellipsis), type(None)))
_RECORD: Any = strided_slice_op.op  # type: ignore[attr-defined]
_new = object.__new__
_ndarray = np.ndarray


def tensor_getitem(self: Any, key: Any) -> Tensor:
    """`t[key]` with TensorFlow's rules.

    A key is an integer, a slice, `...`, `tf.newaxis`, a scalar integer tensor, or a tuple or list of those, one for each
    dimension; or a mask of booleans. Lists are not collections of indices: `t[[0, 1]]` is `t[0, 1]`; use `tf.gather`.

    Raises:
      InvalidArgumentError: an integer is out of range, there are too many indices, or a step is 0.
      TypeError: the key is none of the above.
    """
    if self.__class__ is EagerTensor:
        cls = key.__class__
        if cls is tuple:
            for part in key:
                if part.__class__ not in _PLAIN:
                    return _getitem(self, key)
        elif cls not in _PLAIN:
            return _getitem(self, key)
        try:
            found = self._array[key]
        except (IndexError, TypeError, ValueError):
            return _getitem(self, key)
        out = _new(EagerTensor)
        out._array = found if found.__class__ is _ndarray else as_array(found)
        watched = self._watch
        if watched:
            attrs = {"key": tuple([_entry(k, ()) for k in (key if cls is tuple else (key,))]), "bounds": ()}
            out._watch = context.record(watched, _RECORD, (self,), (out,), attrs)
        else:
            out._watch = 0
        return out
    return _getitem(self, key)


def _getitem(x: Any, key: Any) -> Tensor:
    mask = _mask_of(key)
    if mask is not None:
        return gather.boolean_mask(x, mask)
    entries, bounds = parse_key(key)
    return strided_slice_op(x, key=entries, bounds=bounds)


def _mask_of(key: Any) -> Any:
    """The key as a mask, if it is an array or tensor of booleans or a Python bool."""
    if isinstance(key, (bool, np.bool_)):
        return key
    if isinstance(key, TensorLike) and key.dtype == dtypes.bool_:  # type: ignore[attr-defined]
        return key
    if isinstance(key, np.ndarray) and key.dtype == np.bool_:
        return key
    return None


def parse_key(key: Any) -> tuple[tuple[Any, ...], Any]:
    """A subscript as the pair (key, bounds) of StridedSlice's attributes.

    Raises:
      TypeError: a part of it is no integer, slice, ellipsis, newaxis or scalar integer tensor.
    """
    parts = key if isinstance(key, (tuple, list)) else (key,)
    symbolic: list[Any] = []
    entries = tuple([_entry(part, symbolic) for part in parts])
    if not symbolic:
        return entries, ()
    wide = dtypes.int64 if any(s.dtype is dtypes.int64 for s in symbolic) else dtypes.int32
    from headwater._src.ops.cast import cast

    return entries, joining.stack([cast(s, wide) for s in symbolic])


def _entry(part: Any, symbolic: Any) -> Any:
    cls = part.__class__
    if cls is int or part is None or part is Ellipsis:
        return part
    if cls is slice:
        return (_bound(part.start, symbolic), _bound(part.stop, symbolic), _bound(part.step, symbolic))
    number = _integer(part, symbolic)
    if number is None:
        raise _wrong_index(part)
    return number


def _bound(part: Any, symbolic: Any) -> Any:
    if part is None or part.__class__ is int:
        return part
    number = _integer(part, symbolic)
    if number is None:
        raise _wrong_index(part)
    return number


def _integer(part: Any, symbolic: Any) -> Any:
    """`part` as an int or Bound; None if it is no integer scalar."""
    if isinstance(part, TensorLike) or hasattr(part.__class__, "__tf_tensor__"):
        part = convert(part)
        if part._spec.dtype.kind not in "iu" or part._spec.shape not in ((), None):
            return None
        if part.__class__ is SymbolicTensor:
            if part.known is not None and part.known[()] is not None:
                return int(part.known[()])
            symbolic.append(part)
            return Bound(len(symbolic) - 1)
        return int(part._array)
    if isinstance(part, (bool, np.bool_)):
        return None
    if isinstance(part, np.ndarray):
        return int(part) if part.ndim == 0 and part.dtype.kind in "iu" else None
    return int(part) if isinstance(part, (int, np.integer)) else None


def _wrong_index(part: Any) -> TypeError:
    return TypeError(
        "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar integer tensors are valid indices; "
        f"got {describe(part)}. To pick several entries use tf.gather or a mask of booleans."
    )


def strided_assign(array: np.ndarray, spec: tuple[tuple[Any, ...], Any], value: np.ndarray) -> np.ndarray:
    """A new array like `array` with the slice that `spec` names replaced by `value`, which is broadcast to it.

    Args:
      array: the array; it is not changed.
      spec: what `parse_key` gives.
      value: an array of the same dtype.

    Raises:
      InvalidArgumentError: the key doesn't fit the array, or the value does not broadcast to the slice.
    """
    key = _numpy_key(*spec)
    try:
        target = array[key]
    except (IndexError, ValueError):
        try:
            _strided_shape(Spec(array.shape, array.dtype), key=spec[0], bounds=spec[1])
        except ValueError as error:
            raise invalid(f"Assignment to a slice: {error}.") from None
        raise
    wanted = target.shape if target.__class__ is _ndarray else ()
    try:
        source = np.broadcast_to(value, wanted)
    except ValueError:
        raise invalid(
            f"Assignment to a slice: a value of shape {wrap(value.shape)} does not broadcast to the slice's shape {wrap(wanted)}."
        ) from None
    out = array.copy()
    out[key] = source
    return out

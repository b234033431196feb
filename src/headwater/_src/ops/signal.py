"""Discrete Fourier transforms over the last one, two or three dimensions, or over any."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.shape as shaping
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import LazyModule, jnp
from headwater._src.base.shapes import Partial, normalize_axis
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.op import op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.cast import cast

scipy_fft = LazyModule("scipy.fft")

_LARGE = 1 << 14
"""From so many elements on SciPy's transforms, which work on several rows at once, repay their slower call."""


def _module(x: np.ndarray) -> Any:
    return np.fft if x.size < _LARGE else scipy_fft


# -- kernels on arrays ------------------------------------------------------------------------------------------------


def _complex_transform(x: np.ndarray, axes: tuple[int, ...], lengths: Any, inverse: bool) -> np.ndarray:
    if lengths is not None:
        x = _fit(np, x, axes, lengths)
    if not x.size:
        return x
    module = _module(x)
    if len(axes) == 1:
        return (module.ifft if inverse else module.fft)(x, None, axes[0])
    return (module.ifftn if inverse else module.fftn)(x, None, axes)


def _real_transform(x: np.ndarray, axes: tuple[int, ...], lengths: Any) -> np.ndarray:
    if lengths is not None:
        x = _fit(np, x, axes, lengths)
    if not x.size:
        last = x.shape[axes[-1]]
        dims = list(x.shape)
        dims[axes[-1]] = last // 2 + 1 if last else 0
        return np.zeros(dims, np.complex64 if x.dtype == np.float32 else np.complex128)
    module = _module(x)
    return module.rfft(x, None, axes[0]) if len(axes) == 1 else module.rfftn(x, None, axes)


def _half_lengths(lengths: Any) -> tuple[int, ...]:
    return (*lengths[:-1], lengths[-1] // 2 + 1)


def _inverse_real_transform(x: np.ndarray, axes: tuple[int, ...], lengths: Any) -> np.ndarray:
    if lengths is None:
        lengths = tuple(x.shape[a] for a in axes)
        lengths = (*lengths[:-1], max(2 * (lengths[-1] - 1), 0))
    x = _fit(np, x, axes, _half_lengths(lengths))
    real = np.float32 if x.dtype == np.complex64 else np.float64
    if not x.size or 0 in lengths:
        dims = list(x.shape)
        for axis, length in zip(axes, lengths, strict=True):
            dims[axis] = length
        return np.zeros(dims, real)
    module = _module(x)
    if len(axes) == 1:
        return module.irfft(x, lengths[0], axes[0])
    return module.irfftn(x, lengths, axes)


def _fit(xp: Any, x: Any, axes: tuple[int, ...], lengths: Any) -> Any:
    """`x` with zeros added or entries cut off at the ends of `axes`, so that they have `lengths`."""
    cut = [slice(None)] * x.ndim
    pads = [(0, 0)] * x.ndim
    for axis, length in zip(axes, lengths, strict=True):
        have = x.shape[axis]
        if length < have:
            cut[axis] = slice(0, length)
        pads[axis] = (0, max(length - have, 0))
    x = x[tuple(cut)]
    return xp.pad(x, pads) if any(after for _, after in pads) else x


def _axes_from(axes: Any, count: int, rank: int) -> tuple[int, ...]:
    """The dimensions of a transform, counted from the front: those given, else the last `count`."""
    if axes is None:
        return tuple(range(rank - count, rank))
    found = tuple(normalize_axis(a, rank) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"axes {tuple(axes)} name a dimension twice")
    return found


def _check_rank(x: Spec, rank: int) -> None:
    if x.shape is not None and len(x.shape) < rank:
        raise ValueError(f"input must have rank {rank} or more; got shape {list(x.shape)}")


def _check_lengths(lengths: Any, rank: int) -> Partial:
    dims = dims_of(lengths)
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(
            f"fft_length must have {rank} entries, one for each transformed dimension; got {tuple(dims)}"
        )
    if any(d is not None and d < 0 for d in dims):
        raise ValueError(f"fft_length must not be negative; got {tuple(dims)}")
    return dims


# -- the primitives of the gradients ----------------------------------------------------------------------------------


def _fit_shape(x: Spec, *, axes: Any, lengths: Any) -> Partial:
    if x.shape is None:
        return None
    where = tuple(a + len(x.shape) if a < 0 else a for a in axes)
    dims = dims_of(lengths)
    out = list(x.shape)
    for i, axis in enumerate(where):
        out[axis] = None if dims is None else dims[i]
    return tuple(out)


def _of_front(x: Any, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + x.ndim if a < 0 else a for a in axes)


fit_spectrum = op(
    "FitSpectrum", "x: F|C -> ?: x",
    numpy=lambda x, *, axes, lengths: _fit(np, x, _of_front(x, axes), lengths),
    lower=lambda x, *, axes, lengths: _fit(jnp, x, _of_front(x, axes), lengths),
    grad=lambda g, y, x, *, axes, lengths: fit_spectrum(g, axes=axes, lengths=lengths_of(x, axes)),
    shape=_fit_shape,
    attrs={"axes": (-1,), "lengths": ()}, host=("lengths",),
    cases=lambda: [
        case(Arr((2, 3)), axes=(-1,), lengths=(5,), grad=(0,), id="longer"),
        case(Arr((2, 3), "complex64"), axes=(0, 1), lengths=(3, 2), grad=(0,), id="both"),
    ],
    doc="`x` with zeros added or entries cut off at the ends of `axes`, so that these have `lengths`.",
)  # fmt: skip


def lengths_of(x: Any, axes: tuple[int, ...]) -> Any:
    """The lengths of `x` along `axes`: ints where they are known, else a symbolic vector."""
    dims = x._spec.shape
    if dims is not None and all(dims[a] is not None for a in axes):
        return tuple(dims[a] for a in axes)
    shape = layout.shape(x)
    return joining.concat([shape[a : a + 1 if a != -1 else None] for a in axes], 0)


def _weights(length: int, inner: float, count: int, dtype: Any) -> np.ndarray:
    weights = np.full(count, inner, dtype)
    weights[0:1] = 1
    if length % 2 == 0 and length // 2 < count:
        weights[length // 2] = 1
    return weights


def _weigh(xp: Any, g: Any, length: int, inner: float, axis: int) -> Any:
    weights = _weights(length, inner, g.shape[axis], np.float32 if g.dtype == np.complex64 else np.float64)
    dims = [1] * g.ndim
    dims[axis] = -1
    return g * weights.reshape(dims)


weigh_spectrum = op(
    "WeighSpectrum", "g: C -> g",
    numpy=lambda g, *, length, inner, axis: _weigh(np, g, length, inner, axis),
    lower=lambda g, *, length, inner, axis: _weigh(jnp, g, length, inner, axis),
    grad=lambda gg, y, g, *, length, inner, axis: weigh_spectrum(gg, length=length, inner=inner, axis=axis),
    attrs={"length": 1, "inner": 2.0, "axis": -1}, host=("length",),
    cases=lambda: [case(Arr((2, 3), "complex64"), length=4, grad=(0,)), case(Arr((3,), "complex64"), length=5, inner=0.5, id="odd")],
    doc="The half spectrum of a real signal of `length`, with the frequencies that stand for two multiplied by `inner`.",
)  # fmt: skip

# -- transforms of the last dimensions --------------------------------------------------------------------------------


def _count(lengths: Any, dtype: Any) -> Any:
    """How many elements `lengths` hold, as a real scalar of the precision of a dtype."""
    if lengths.__class__ is tuple:
        count = 1
        for length in lengths:
            count *= length
        return convert(
            float(count), dtypes.float64 if dtype.name in ("float64", "complex128") else dtypes.float32
        )
    return cast(reduce.reduce_prod(lengths), dtype.real_dtype)


def _scaled(x: Any, factor: Any) -> Any:
    return math.multiply(x, cast(factor, x.dtype))


def _complex_op(name: str, rank: int, inverse: bool, doc: str) -> Any:
    axes = tuple(range(-rank, 0))
    public = "signal." + name.lower()

    def shape(x: Spec) -> Partial:
        _check_rank(x, rank)
        return x.shape

    def kernel(x: np.ndarray) -> np.ndarray:
        if x.ndim < rank:
            raise ValueError("rank")
        return _complex_transform(x, axes, None, inverse)

    def lower(x: Any) -> Any:
        if not x.size:
            return x
        return (jnp.fft.ifftn if inverse else jnp.fft.fftn)(x, axes=axes)

    def grad(g: Any, y: Any, x: Any) -> Any:
        other = _COMPLEX[rank, not inverse](g)
        count = _count(lengths_of(x, axes), x.dtype)
        return math.divide(other, cast(count, x.dtype)) if inverse else _scaled(other, count)

    dims = (2, 3, 2, 4)[-max(rank, 2) :]
    return op(
        name, "input: C -> ?: input", numpy=kernel, lower=lower, grad=grad, shape=shape, api=(public,), doc=doc,
        cases=lambda: [
            *[case(Tensor_(Arr(dims, d)), grad=(0,), id=d) for d in ("complex64", "complex128")],
            case(Arr((3, *dims), "complex64"), id="batch"), case(Arr((0, *dims), "complex64"), id="empty"),
            bad(Arr((2,) * (rank - 1), "complex64"), id="rank"), bad(Tensor_(Arr(dims)), id="real"),
        ],
    )  # fmt: skip


def _doc(inverse: bool, rank: int) -> str:
    what = "inverse discrete" if inverse else "discrete"
    over = "the last dimension" if rank == 1 else f"the last {rank} dimensions"
    norm = ", divided by their size" if inverse else ""
    return f"""The {what} Fourier transform over {over}{norm}.

    Args:
      input: complex64 or complex128 tensor of rank {rank} or more.
      name: optional.

    Returns:
      A tensor of the shape and dtype of input.

    Raises:
      InvalidArgumentError: the input is not complex or its rank too small.
    """


fft = _complex_op("FFT", 1, False, _doc(False, 1))
ifft = _complex_op("IFFT", 1, True, _doc(True, 1))
fft2d = _complex_op("FFT2D", 2, False, _doc(False, 2))
ifft2d = _complex_op("IFFT2D", 2, True, _doc(True, 2))
fft3d = _complex_op("FFT3D", 3, False, _doc(False, 3))
ifft3d = _complex_op("IFFT3D", 3, True, _doc(True, 3))
_COMPLEX = {
    (1, False): fft, (1, True): ifft, (2, False): fft2d, (2, True): ifft2d, (3, False): fft3d, (3, True): ifft3d,
}  # fmt: skip


def _replaced(x: Partial, axes: tuple[int, ...], lengths: Any) -> Partial:
    if x is None:
        return None
    out = list(x)
    for axis, length in zip(axes, lengths, strict=True):
        out[axis] = length
    return tuple(out)


def _half(length: int | None) -> int | None:
    return None if length is None else length // 2 + 1 if length else 0


def _real_op(name: str, rank: int) -> Any:
    axes = tuple(range(-rank, 0))

    def shape(x: Spec, *, fft_length: Any, Tcomplex: Any) -> Partial:
        _check_rank(x, rank)
        if fft_length is None:
            lengths = (None,) * rank if x.shape is None else x.shape[-rank:]
        else:
            lengths = _check_lengths(fft_length, rank)
        return _replaced(x.shape, axes, (*lengths[:-1], _half(lengths[-1])))

    def kernel(x: np.ndarray, *, fft_length: Any, Tcomplex: Any) -> np.ndarray:
        if fft_length is not None or x.ndim < rank:
            shape(Spec(x.shape, x.dtype), fft_length=fft_length, Tcomplex=Tcomplex)
        return _real_transform(x, axes, fft_length)

    def lower(x: Any, *, fft_length: Any, Tcomplex: Any) -> Any:
        lengths = x.shape[-rank:] if fft_length is None else fft_length
        if not x.size or 0 in lengths:
            return jnp.zeros((*x.shape[:-rank], *lengths[:-1], _half(lengths[-1])), Tcomplex.np)
        return jnp.fft.rfftn(x, lengths, axes)

    def grad(g: Any, y: Any, x: Any, *, fft_length: Any, Tcomplex: Any) -> Any:
        lengths = lengths_of(x, axes) if fft_length is None else fft_length
        count = _count(lengths, x.dtype)
        whole = _IRFFT[rank](
            weigh_spectrum(g, length=lengths[-1], inner=0.5), fft_length=lengths, Treal=x.dtype
        )
        whole = _scaled(whole, count)
        return whole if fft_length is None else fit_spectrum(whole, axes=axes, lengths=lengths_of(x, axes))

    return op(
        name, "input: float32|float64 -> ?: Tcomplex", numpy=kernel, lower=lower, grad=grad, shape=shape,
        attrs={"fft_length": None, "Tcomplex": dtypes.complex64}, host=("fft_length",), doc=f"The half spectrum over the last {rank} dimensions.",
    )  # fmt: skip


def _inverse_real_op(name: str, rank: int) -> Any:
    axes = tuple(range(-rank, 0))

    def shape(x: Spec, *, fft_length: Any, Treal: Any) -> Partial:
        _check_rank(x, rank)
        if fft_length is not None:
            return _replaced(x.shape, axes, _check_lengths(fft_length, rank))
        last = None if x.shape is None or x.shape[-1] is None else max(2 * (x.shape[-1] - 1), 0)
        return None if x.shape is None else (*x.shape[:-1], last)

    def kernel(x: np.ndarray, *, fft_length: Any, Treal: Any) -> np.ndarray:
        if fft_length is not None or x.ndim < rank:
            shape(Spec(x.shape, x.dtype), fft_length=fft_length, Treal=Treal)
        return _inverse_real_transform(x, axes, fft_length)

    def lower(x: Any, *, fft_length: Any, Treal: Any) -> Any:
        lengths = fft_length or (*x.shape[-rank:-1], max(2 * (x.shape[-1] - 1), 0))
        if not x.size or 0 in lengths:
            return jnp.zeros((*x.shape[:-rank], *lengths), Treal.np)
        return jnp.fft.irfftn(x, lengths, axes)

    def grad(g: Any, y: Any, x: Any, *, fft_length: Any, Treal: Any) -> Any:
        lengths = lengths_of(y, axes) if fft_length is None else fft_length
        half = weigh_spectrum(_RFFT[rank](g, Tcomplex=x.dtype), length=lengths[-1], inner=2.0)
        half = math.divide(half, cast(_count(lengths, x.dtype), x.dtype))
        return half if fft_length is None else fit_spectrum(half, axes=axes, lengths=lengths_of(x, axes))

    return op(
        name, "input: C -> ?: Treal", numpy=kernel, lower=lower, grad=grad, shape=shape,
        attrs={"fft_length": None, "Treal": dtypes.float32}, host=("fft_length",),
        doc=f"The real signal of a half spectrum over the last {rank} dimensions.",
    )  # fmt: skip


_rfft, _rfft2d, _rfft3d = (_real_op(f"RFFT{d}", n) for n, d in ((1, ""), (2, "2D"), (3, "3D")))
_irfft, _irfft2d, _irfft3d = (_inverse_real_op(f"IRFFT{d}", n) for n, d in ((1, ""), (2, "2D"), (3, "3D")))
_RFFT = {1: _rfft, 2: _rfft2d, 3: _rfft3d}
_IRFFT = {1: _irfft, 2: _irfft2d, 3: _irfft3d}


def _length_vector(fft_length: Any, name: str) -> Any:
    if fft_length is None:
        return None
    if fft_length.__class__ is int or getattr(fft_length, "shape", None) == ():
        raise TypeError(
            f"tf.signal.{name}: fft_length must be a vector of integers; got the scalar {fft_length!r}."
        )
    return host_ints(fft_length, f"tf.signal.{name}: fft_length")


def _need_rank(x: Tensor, rank: int, name: str) -> None:
    if x._spec.shape is not None and len(x._spec.shape) < rank:
        raise ValueError(f"tf.signal.{name} needs rank {rank} or more; got shape {x.shape}.")


def _forward_real(x: Any, fft_length: Any, rank: int, name: str) -> Tensor:
    if x.__class__ is not EagerTensor:
        x = convert(x, None, dtypes.float32)
    if x.dtype is not dtypes.float32 and x.dtype is not dtypes.float64:
        raise ValueError(f"tf.signal.{name} takes float32 or float64; got {x.dtype.name}. Use tf.cast.")
    _need_rank(x, rank, name)
    kind = dtypes.complex64 if x.dtype is dtypes.float32 else dtypes.complex128
    return _RFFT[rank](x, fft_length=_length_vector(fft_length, name), Tcomplex=kind)


def _backward_real(x: Any, fft_length: Any, rank: int, name: str) -> Tensor:
    if x.__class__ is not EagerTensor:
        x = convert(x, None, dtypes.complex64)
    _need_rank(x, rank, name)
    return _IRFFT[rank](x, fft_length=_length_vector(fft_length, name), Treal=x.dtype.real_dtype)


@export("signal.rfft")
def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of a real signal over the last dimension: its n // 2 + 1 frequencies from 0 upwards.

    Args:
      input_tensor: float32 or float64 tensor of rank 1 or more.
      fft_length: vector of one integer; the signal is cut or padded with zeros to that length first.
      name: optional.

    Returns:
      A complex64 (complex128) tensor.

    Raises:
      ValueError: the input is no float32 or float64, or its rank too small.
      InvalidArgumentError: fft_length does not have one entry for each transformed dimension.
    """
    return _forward_real(input_tensor, fft_length, 1, "rfft")


@export("signal.rfft2d")
def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of a real signal over the last two dimensions, halved in the last; see `tf.signal.rfft`."""
    return _forward_real(input_tensor, fft_length, 2, "rfft2d")


@export("signal.rfft3d")
def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of a real signal over the last three dimensions, halved in the last; see `tf.signal.rfft`."""
    return _forward_real(input_tensor, fft_length, 3, "rfft3d")


@export("signal.irfft")
def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real signal whose transform over the last dimension is given by its frequencies from 0 upwards.

    Args:
      input_tensor: complex64 or complex128 tensor of rank 1 or more.
      fft_length: vector of one integer, the length of the signal; twice the number of frequencies less 2 by default, so
        signals of odd length need it.
      name: optional.

    Returns:
      A float32 (float64) tensor.

    Raises:
      InvalidArgumentError: the input is not complex, its rank too small, or fft_length does not fit it.
    """
    return _backward_real(input_tensor, fft_length, 1, "irfft")


@export("signal.irfft2d")
def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real signal of a spectrum over the last two dimensions, halved in the last; see `tf.signal.irfft`."""
    return _backward_real(input_tensor, fft_length, 2, "irfft2d")


@export("signal.irfft3d")
def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real signal of a spectrum over the last three dimensions, halved in the last; see `tf.signal.irfft`."""
    return _backward_real(input_tensor, fft_length, 3, "irfft3d")


def _real_cases(rank: int, longer: list[int], shorter: list[int]) -> Any:
    dims = (2, 3, 2, 4)[-max(rank, 2) :]
    odd = (*dims[:-1], 5)
    grad = (0,)
    return lambda: [
        *[case(Tensor_(Arr(dims, d)), grad=grad, id=d) for d in ("float32", "float64")],
        case(Arr(odd), grad=grad, id="odd"), case(Arr((2, *dims)), id="batch"),
        case(Arr(dims), longer, id="longer"), case(Arr(dims), shorter, id="shorter"), case(Arr((0, *dims)), id="empty"),
        bad(Tensor_(Arr(dims, "int32")), error="ValueError", id="integers"), bad(Arr(dims), [4] * (rank + 1), id="lengths"),
        bad(Arr(dims), [-1] * rank, id="negative"), bad(Arr((2,) * (rank - 1)), error="ValueError", id="rank"),
    ]  # fmt: skip


def _inverse_real_cases(rank: int, longer: list[int], shorter: list[int]) -> Any:
    dims = (2, 3, 2, 4)[-max(rank, 2) :]
    grad = (0,)
    return lambda: [
        *[case(Tensor_(Arr(dims, d)), grad=grad, id=d) for d in ("complex64", "complex128")],
        case(Arr(dims, "complex64"), [*dims[-rank:-1], 7], grad=grad, id="odd"), case(Arr((2, *dims), "complex64"), id="batch"),
        case(Arr(dims, "complex64"), longer, id="longer"), case(Arr(dims, "complex64"), shorter, id="shorter"),
        bad(Arr(dims, "complex64"), [4] * (rank + 1), id="lengths"), bad(Arr(dims, "complex64"), [-1] * rank, id="negative"),
        bad(Arr((2,) * (rank - 1), "complex64"), error="ValueError", id="rank"),
    ]  # fmt: skip


for _rank, _suffix in ((1, ""), (2, "2d"), (3, "3d")):
    sampled(f"signal.rfft{_suffix}", _real_cases(_rank, [3, 4, 6][-_rank:], [2, 1, 3][-_rank:]))
    sampled(f"signal.irfft{_suffix}", _inverse_real_cases(_rank, [3, 4, 10][-_rank:], [2, 1, 3][-_rank:]))

# -- transforms of any dimensions -------------------------------------------------------------------------------------


def _nd_axes(x: Spec | np.ndarray, fft_length: Any, axes: Any) -> tuple[int, ...]:
    """The transformed dimensions: those given, else the last for each entry of fft_length, else all."""
    rank = len(x.shape)  # type: ignore[arg-type]
    if axes is None:
        count = rank if fft_length is None else len(fft_length)
        if count > rank:
            raise ValueError(f"fft_length has {count} entries for an input of rank {rank}")
        return tuple(range(rank - count, rank))
    found = tuple(normalize_axis(a, rank) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"axes {tuple(axes)} name a dimension twice")
    if fft_length is not None and len(fft_length) != len(found):
        raise ValueError(f"fft_length {tuple(fft_length)} and axes {tuple(axes)} must be of one length")
    return found


def _nd(x: Any, fft_length: Any, axes: Any, norm: Any, kind: str) -> Any:
    """An n-dimensional transform, composed of the one over the last dimensions: the axes are moved there and back."""
    x = convert(x, None, dtypes.float32 if kind == "rfft" else dtypes.complex64)
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f"tf.signal.{kind}nd: norm must be 'backward', 'ortho' or 'forward'; got {norm!r}.")
    if x._spec.shape is None:
        raise ValueError(f"tf.signal.{kind}nd needs an input of known rank.")
    if kind == "rfft" and x.dtype not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"tf.signal.rfftnd takes float32 or float64; got {x.dtype.name}. Use tf.cast.")
    lengths = None if fft_length is None else _length_vector(fft_length, kind + "nd")
    given = None if axes is None else host_ints(axes, f"tf.signal.{kind}nd: axes")
    try:
        where = _nd_axes(x._spec, lengths, given)
    except ValueError as error:
        raise invalid(f"tf.signal.{kind}nd: {error}.") from None
    y = _over_last(x, lengths, where, kind)
    counted = _count(lengths_of(y if kind == "irfft" else x, where) if lengths is None else lengths, x.dtype)
    return _normalised(y, counted, norm, kind in ("fft", "rfft"))


def _normalised(y: Any, count: Any, norm: Any, forward: bool) -> Any:
    if norm in (None, "backward"):
        return y
    scale = math.rsqrt(count) if norm == "ortho" else math.reciprocal(count)
    return _scaled(y, scale if forward else math.reciprocal(scale))


def _over_last(x: Any, lengths: Any, axes: tuple[int, ...], kind: str) -> Any:
    rank = len(x._spec.shape)
    rest = [i for i in range(rank) if i not in axes]
    perm = (*rest, *axes)
    moved = x if perm == tuple(range(rank)) else layout.transpose(x, perm)
    y = _pass_by_pass(moved, lengths, len(axes), kind)
    back = tuple(int(i) for i in np.argsort(perm))
    return y if perm == back == tuple(range(rank)) else layout.transpose(y, back)


def _pass_by_pass(x: Any, lengths: Any, count: int, kind: str) -> Any:
    """The transform over the last `count` dimensions, where there is a primitive for up to three at once."""
    if lengths is not None and kind in ("fft", "ifft"):
        x = fit_spectrum(x, axes=tuple(range(-count, 0)), lengths=lengths)
    if kind in ("fft", "ifft"):
        return _complex_passes(x, count, kind == "ifft")
    if count <= 3:
        step = _forward_real if kind == "rfft" else _backward_real
        return step(x, lengths, count, kind + "nd")
    if kind == "rfft":
        if lengths is not None:
            x = fit_spectrum(x, axes=tuple(range(-count, 0)), lengths=lengths)
        y = _forward_real(x, None, 1, "rfftnd")
        return _swapped(y, lambda t: _complex_passes(t, count - 1, False))
    if lengths is not None:
        x = fit_spectrum(x, axes=tuple(range(-count, -1)), lengths=lengths[:-1])
    y = _swapped(x, lambda t: _complex_passes(t, count - 1, True))
    return _backward_real(y, None if lengths is None else lengths[-1:], 1, "irfftnd")


def _swapped(x: Any, transform: Any) -> Any:
    """`transform` applied with the last dimension moved to the front."""
    rank = len(x._spec.shape)
    front = layout.transpose(x, (rank - 1, *range(rank - 1)))
    return layout.transpose(transform(front), (*range(1, rank), 0))


def _complex_passes(x: Any, count: int, inverse: bool) -> Any:
    if count <= 3:
        return _COMPLEX[count, inverse](x)
    y = _COMPLEX[3, inverse](x)
    rank = len(x._spec.shape)
    perm = (*range(rank - 3, rank), *range(rank - 3))
    back = (*range(3, rank), *range(3))
    return layout.transpose(_complex_passes(layout.transpose(y, perm), count - 3, inverse), back)


_ND = """The {what} over any dimensions.

    Args:
      input_tensor: {dtype} tensor.
      fft_length: a length for each transformed dimension{half}; it is cut or padded with zeros to that.
      axes: the dimensions to transform; the last ones, as many as fft_length has entries, or all.
      norm: "backward" (the default: only inverse transforms are divided, by the number of elements), "ortho" or "forward".
      name: optional.

    Raises:
      InvalidArgumentError: axes and fft_length don't fit each other or the input.
      ValueError: the norm is unknown{more}.
    """


@export("signal.fftnd")
def fftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None
) -> Tensor:
    return _nd(input_tensor, fft_length, axes, norm, "fft")


@export("signal.ifftnd")
def ifftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None
) -> Tensor:
    return _nd(input_tensor, fft_length, axes, norm, "ifft")


@export("signal.rfftnd")
def rfftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None
) -> Tensor:
    return _nd(input_tensor, fft_length, axes, norm, "rfft")


@export("signal.irfftnd")
def irfftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: Any = None, name: str | None = None
) -> Tensor:
    return _nd(input_tensor, fft_length, axes, norm, "irfft")


fftnd.__doc__ = _ND.format(what="discrete Fourier transform", dtype="complex", half="", more="")
ifftnd.__doc__ = _ND.format(what="inverse discrete Fourier transform", dtype="complex", half="", more="")
rfftnd.__doc__ = _ND.format(
    what="discrete Fourier transform of a real signal",
    dtype="float32 or float64",
    half="",
    more=", or the input is not real",
)
irfftnd.__doc__ = _ND.format(
    what="real signal of a spectrum that is halved in the last of the axes",
    dtype="complex",
    half=" of the signal",
    more="",
)

# -- shifting the zero frequency --------------------------------------------------------------------------------------


def _shift(x: Any, axes: Any, forward: bool, name: str) -> Tensor:
    x = convert(x)
    dims = x._spec.shape
    if dims == ():
        raise invalid(f"tf.signal.{name} needs rank 1 or more; got a scalar.")
    if axes is None:
        if dims is None:
            raise ValueError(f"tf.signal.{name} needs axes, or an input of known rank.")
        axes = tuple(range(len(dims)))
    where = host_ints(axes, f"tf.signal.{name}: axes")
    if not where:
        return x
    lengths = lengths_of(x, where)
    if lengths.__class__ is tuple:
        shift: Any = tuple(n // 2 if forward else -(n // 2) for n in lengths)
    else:
        half = math.floordiv(lengths, 2)
        shift = half if forward else math.negative(half)
    return shaping.roll(x, shift, where)


@export("signal.fftshift")
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """`x` rolled so that frequency 0 stands in the middle of `axes` (all by default).

    >>> tf.signal.fftshift([0, 1, 2, -2, -1]).numpy().tolist()
    [-2, -1, 0, 1, 2]
    """
    return _shift(x, axes, True, "fftshift")


@export("signal.ifftshift")
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `tf.signal.fftshift`: frequency 0 back to the front of `axes` (all by default)."""
    return _shift(x, axes, False, "ifftshift")


for _name in ("fftshift", "ifftshift"):
    sampled(
        "signal." + _name,
        lambda: [
            case(Arr((5,)), grad=(0,), id="odd"), case(Arr((3, 4), "complex64"), id="all"), case(Arr((3, 4), "int32"), 1, id="one"),
            case(Arr((3, 4)), [0, -1], id="axes"), case(Arr((0, 3)), id="empty"),
        ],
    )  # fmt: skip

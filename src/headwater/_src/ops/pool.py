"""Maximum and mean over sliding windows, their gradients, and the public functions over them."""

from __future__ import annotations

import functools
from math import prod
from typing import Any

import numpy as np

import headwater._src.ops.conv_lower as conv_lower
import headwater._src.ops.layout as layout
import headwater._src.ops.pool_kernels as kernels
import headwater._src.ops.pool_lower as pool_lower
import headwater._src.ops.windows as windows
from headwater._src.base.dtypes import DType, as_dtype, int64
from headwater._src.base.errors import UnimplementedError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.base.shapes import Partial, merge, wrap
from headwater._src.core.convert import convert
from headwater._src.core.op import op
from headwater._src.core.rules import dims_of
from headwater._src.core.samples import Arr, Tensor_, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.conv import bad_format
from headwater._src.ops.conv_kernels import narrow, wide
from headwater._src.ops.eager_programs import Gain, either
from headwater._src.ops.windows import (
    CHANNELS_FIRST,
    FORMATS,
    Window,
    assemble,
    channel_axis,
    channels_last,
    per_dimension,
    restore_channels,
    spatial,
)

# -- shapes -----------------------------------------------------------------------------------------------------------


def _out_shape(
    x: Partial, ksize: Any, strides: Any, padding: str, data_format: str, explicit: Any = (), explicit_too: bool = True,
    what: str = "input",
) -> Partial:  # fmt: skip
    """The shape of a pooling of a partially known shape."""
    rank = len(ksize) - 2
    windows.check_window(
        rank, data_format, padding, explicit, {"ksize": ksize, "strides": strides}, explicit_too
    )
    if x is None:
        return (None,) * (rank + 2)
    if len(x) != rank + 2:
        raise ValueError(f"{what} must have rank {rank + 2}; got shape {wrap(x)}")
    pairs = windows.spatial_pairs(explicit, data_format) or (0,) * (2 * rank)
    taps = spatial(ksize, data_format)
    _check_pads(pairs, taps)
    out = tuple(
        windows.output_length(s, k, t, 1, padding, pairs[2 * i], pairs[2 * i + 1])[0]
        for i, (s, k, t) in enumerate(
            zip(spatial(x, data_format), taps, spatial(strides, data_format), strict=True)
        )
    )
    axis = channel_axis(rank + 2, data_format)
    return assemble(x[0], out, _over_channels(x[axis], ksize[axis], strides[axis], taps), data_format)


def _check_pads(pairs: tuple[int, ...], taps: tuple[int, ...]) -> None:
    for i, pad in enumerate(pairs):
        if pad and pad >= taps[i // 2]:
            raise ValueError(
                f"padding {pad} must be smaller than the window {taps[i // 2]}, or windows lie in the padding alone"
            )


def _over_channels(channels: Any, taps: int, step: int, others: tuple[int, ...]) -> Any:
    """The number of channels left by pooling over them."""
    if taps == 1 and step == 1:
        return channels
    if any(k != 1 for k in others):
        raise ValueError("windows reach either over channels or over the spatial dimensions, not over both")
    if taps != step or (channels is not None and channels % taps):
        raise ValueError(
            f"pooling over channels takes a window that equals the stride and divides the channels; got {taps}, {step}"
        )
    return None if channels is None else channels // taps


@functools.lru_cache(maxsize=1024)
def _window(
    shape: tuple[int, ...],
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str,
    explicit: Any = (),
    explicit_too: bool = True,
) -> Window:
    _out_shape(shape, ksize, strides, padding, data_format, explicit, explicit_too)
    taps = spatial(ksize, data_format)
    return windows.window(
        spatial(shape, data_format), taps, spatial(strides, data_format), (1,) * len(taps), padding,
        windows.spatial_pairs(explicit, data_format),
    )  # fmt: skip


def _fits(g: tuple[int, ...], shape: Any, attrs: dict[str, Any]) -> None:
    want = _out_shape(shape, **attrs)
    try:
        merge(g, want)
    except ValueError:
        raise ValueError(
            f"the gradient must have the shape {wrap(want)} of the result; got {wrap(g)}"
        ) from None


def _spatial_taps(ksize: tuple[int, ...], data_format: str) -> int:
    return ksize[channel_axis(len(ksize), data_format)]


# -- maximum ----------------------------------------------------------------------------------------------------------


def _settle(attrs: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a record as the arguments of `_window`."""
    attrs = dict(attrs)
    explicit = attrs.pop("explicit_paddings", None)
    return {**attrs, "explicit": explicit or (), "explicit_too": explicit is not None}


def _by_channels(x: Any, taps: int) -> Any:
    return x.reshape(*x.shape[:-1], x.shape[-1] // taps, taps)


def _max_numpy(x: np.ndarray, **attrs: Any) -> np.ndarray:
    data_format = attrs["data_format"]
    win = _window(x.shape, **_settle(attrs))
    x = channels_last(x, data_format)
    over = _spatial_taps(attrs["ksize"], data_format)
    out = kernels.max_windows(x, win) if over == 1 else _by_channels(x, over).max(axis=-1)
    return restore_channels(out, data_format)


def _max_lower(x: Any, **attrs: Any) -> Any:
    data_format = attrs["data_format"]
    win = _window(x.shape, **_settle(attrs))
    x = channels_last(x, data_format)
    over = _spatial_taps(attrs["ksize"], data_format)
    out = (
        pool_lower.windows(x, win, jnp.maximum, kernels.lowest(x.dtype))
        if over == 1
        else _by_channels(x, over).max(axis=-1)
    )
    return restore_channels(out, data_format)


def _max_grad_numpy(x: np.ndarray, y: np.ndarray, g: np.ndarray, **attrs: Any) -> np.ndarray:
    data_format = attrs["data_format"]
    win = _checked(x.shape, g.shape, y.shape, attrs)
    over = _spatial_taps(attrs["ksize"], data_format)
    x, y, g = (channels_last(v, data_format) for v in (x, y, g))
    out = (
        kernels.spread_to_max(x, y, g, win)
        if over == 1
        else _first_of(_by_channels(x, over), y, np) * g[..., None]
    )
    return restore_channels(out.reshape(x.shape), data_format)


def _checked(x: Any, g: Any, y: Any, attrs: dict[str, Any]) -> Window:
    settled = _settle(attrs)
    win = _window(x, **settled)
    for shape in (g, y):
        _fits(shape, x, settled)
    return win


def _first_of(x: Any, y: Any, xp: Any) -> Any:
    """A mask of the first elements along the last dimension that equal `y`."""
    hit = x == y[..., None]
    return hit & (xp.cumsum(hit, axis=-1) == 1)


def _max_grad_lower(x: Any, y: Any, g: Any, **attrs: Any) -> Any:
    data_format = attrs["data_format"]
    win = _checked(x.shape, g.shape, y.shape, attrs)
    over = _spatial_taps(attrs["ksize"], data_format)
    x, y, g = (channels_last(v, data_format) for v in (x, y, g))
    if over != 1:
        out = _first_of(_by_channels(x, over), y, jnp) * g[..., None]
    elif y.size and conv_lower.tiled(win):
        out = conv_lower.to_first_maximum(x, y, g, win)
    else:
        zero = jnp.zeros((), g.dtype)
        out = jnp.zeros(x.shape, g.dtype)
        for tap, _, hit in pool_lower.hits(x, y, win) if y.size else ():
            out = out + pool_lower.padded_to(jnp.where(hit, g, zero), win, tap)
    return restore_channels(out.reshape(x.shape), data_format)


def _max_grad_grad_numpy(x: np.ndarray, y: np.ndarray, gg: np.ndarray, **attrs: Any) -> np.ndarray:
    data_format = attrs["data_format"]
    win = _checked(x.shape, y.shape, y.shape, attrs)
    over = _spatial_taps(attrs["ksize"], data_format)
    x, y, gg = (channels_last(v, data_format) for v in (x, y, gg))
    if over == 1:
        out = kernels.gather_at_max(x, y, gg, win)
    else:
        out = (_first_of(_by_channels(x, over), y, np) * _by_channels(gg, over)).sum(axis=-1, dtype=gg.dtype)
    return restore_channels(out, data_format)


def _max_grad_grad_lower(x: Any, y: Any, gg: Any, **attrs: Any) -> Any:
    data_format = attrs["data_format"]
    win = _checked(x.shape, y.shape, y.shape, attrs)
    over = _spatial_taps(attrs["ksize"], data_format)
    x, y, gg = (channels_last(v, data_format) for v in (x, y, gg))
    if over != 1:
        out = (_first_of(_by_channels(x, over), y, jnp) * _by_channels(gg, over)).sum(axis=-1, dtype=gg.dtype)
    else:
        out = jnp.zeros(y.shape, gg.dtype)
        padded = jnp.pad(gg, ((0, 0), *zip(win.low, win.high, strict=True), (0, 0)))
        for _, place, hit in pool_lower.hits(x, y, win) if y.size else ():
            out = out + jnp.where(hit, padded[(slice(None), *place)], jnp.zeros((), gg.dtype))
    return restore_channels(out, data_format)


def _like(index: int) -> Any:
    def rule(x: Spec, y: Spec, g: Spec, **attrs: Any) -> Partial:
        _fits(y.shape, x.shape, _settle(attrs))
        return (x, y, g)[index].shape

    return rule


def _attributes(rank: int, explicit: bool) -> dict[str, Any]:
    ones = (1,) * (rank + 2)
    more = {"explicit_paddings": ()} if explicit else {}
    return {"ksize": ones, "strides": ones, "padding": "VALID", "data_format": FORMATS[rank][0], **more}


def _max_gain(x: np.ndarray, **attrs: Any) -> Gain | None:
    """What XLA would save; that layout alone in which it takes the arrays as they lie, and no windows over channels."""
    win = _max_window(x, attrs)
    return win and pool_lower.gain(win, x.size + len(x) * prod(win.out) * x.shape[-1])


def _max_grad_gain(x: np.ndarray, y: np.ndarray, g: np.ndarray, **attrs: Any) -> Gain | None:
    win = _max_window(x, attrs)
    return win and pool_lower.first_maximum_gain(win, 2 * (x.size + y.size))


def _max_window(x: np.ndarray, attrs: dict[str, Any]) -> Window | None:
    if attrs["data_format"] in CHANNELS_FIRST or _spatial_taps(attrs["ksize"], attrs["data_format"]) > 1:
        return None
    return _window(x.shape, **_settle(attrs))


def _max_family(names: tuple[str, str, str], rank: int, dtypes: str, explicit: bool) -> Any:
    attrs = _attributes(rank, explicit)
    forward = op(
        names[0], f"input: {dtypes} -> ?: input",
        numpy=either(_max_numpy, _max_lower, _max_gain), lower=_max_lower,
        grad=lambda g, y, x, **a: spread(x, y, g, **a),
        shape=lambda x, **a: _out_shape(x.shape, **_settle(a)), attrs=attrs,
        doc="The largest element of each window; attributes as in TensorFlow.",
    )  # fmt: skip
    spread = op(
        names[1], f"orig_input: {dtypes}, orig_output: orig_input, grad: orig_input -> ?: orig_input",
        numpy=either(_max_grad_numpy, _max_grad_lower, _max_grad_gain), lower=_max_grad_lower,
        grad=(None, None, lambda gg, z, x, y, g, **a: gather(x, y, gg, **a)),
        shape=_like(0), attrs=attrs,
        doc="The gradient of the pooling: that of each window goes to its first maximum.",
    )  # fmt: skip
    gather = op(
        names[2], f"orig_input: {dtypes}, orig_output: orig_input, grad: orig_input -> ?: orig_input",
        numpy=_max_grad_grad_numpy, lower=_max_grad_grad_lower,
        grad=(None, None, lambda ggg, z, x, y, gg, **a: spread(x, y, ggg, **a)),
        shape=_like(1), attrs=attrs,
        doc="The elements of `grad` at each window's first maximum.",
    )  # fmt: skip
    return forward, spread


_max2d, _max2d_grad = _max_family(("MaxPool", "MaxPoolGrad", "MaxPoolGradGrad"), 2, "R", True)
_max3d, _max3d_grad = _max_family(("MaxPool3D", "MaxPool3DGrad", "MaxPool3DGradGrad"), 3, "F", False)

# -- mean -------------------------------------------------------------------------------------------------------------


def _mean_numpy(x: np.ndarray, **attrs: Any) -> np.ndarray:
    win = _window(x.shape, explicit_too=False, **attrs)
    out = kernels.mean_windows(wide(channels_last(x, attrs["data_format"])), win)
    return restore_channels(narrow(out, x.dtype), attrs["data_format"])


def _mean_lower(x: Any, **attrs: Any) -> Any:
    win = _window(x.shape, explicit_too=False, **attrs)
    out = pool_lower.mean_windows(wide(channels_last(x, attrs["data_format"])), win)
    return restore_channels(out.astype(x.dtype), attrs["data_format"])


def _mean_grad_numpy(g: np.ndarray, *, orig_input_shape: Any, **attrs: Any) -> np.ndarray:
    shape = tuple(orig_input_shape)
    win = _window(shape, explicit_too=False, **attrs)
    _fits(g.shape, shape, {**attrs, "explicit_too": False})
    out = kernels.spread_means(wide(channels_last(g, attrs["data_format"])), win)
    return restore_channels(narrow(out, g.dtype), attrs["data_format"])


def _mean_grad_lower(g: Any, *, orig_input_shape: Any, **attrs: Any) -> Any:
    win = _window(tuple(orig_input_shape), explicit_too=False, **attrs)
    out = pool_lower.spread_means(wide(channels_last(g, attrs["data_format"])), win)
    return restore_channels(out.astype(g.dtype), attrs["data_format"])


def _mean_grad_shape(g: Spec, *, orig_input_shape: Any, ksize: Any, **attrs: Any) -> Partial:
    shape = dims_of(orig_input_shape)
    if shape is None:
        return (None,) * len(ksize)
    _fits(g.shape, shape, {"ksize": ksize, "explicit_too": False, **attrs})
    return tuple(shape)


def _mean_gain(x: np.ndarray, **attrs: Any) -> Gain | None:
    if attrs["data_format"] in CHANNELS_FIRST:
        return None
    win = _window(x.shape, explicit_too=False, **attrs)
    return pool_lower.mean_gain(win, x.size + len(x) * prod(win.out) * x.shape[-1])


def _mean_grad_gain(g: np.ndarray, *, orig_input_shape: Any, **attrs: Any) -> Gain | None:
    if attrs["data_format"] in CHANNELS_FIRST:
        return None
    shape = tuple(orig_input_shape)
    return pool_lower.spread_gain(_window(shape, explicit_too=False, **attrs), g.size + prod(shape))


def _mean_family(names: tuple[str, str], rank: int) -> Any:
    attrs = _attributes(rank, False)
    forward = op(
        names[0], "value: F -> ?: value",
        numpy=either(_mean_numpy, _mean_lower, _mean_gain), lower=_mean_lower,
        grad=lambda g, y, x, **a: spread(g, orig_input_shape=layout.static_dims(x), **a),
        shape=lambda x, **a: _out_shape(x.shape, explicit_too=False, **a), attrs=attrs,
        doc="The mean of each window, padding left out; attributes as in TensorFlow.",
    )  # fmt: skip
    spread = op(
        names[1], "grad: F -> ?: grad",
        numpy=either(_mean_grad_numpy, _mean_grad_lower, _mean_grad_gain), lower=_mean_grad_lower,
        grad=lambda gg, y, g, *, orig_input_shape, **a: forward(gg, **a),
        shape=_mean_grad_shape, attrs={"orig_input_shape": (), **attrs}, host=("orig_input_shape",),
        doc="The gradient of the mean over windows.",
    )  # fmt: skip
    return forward


_mean2d = _mean_family(("AvgPool", "AvgPoolGrad"), 2)
_mean3d = _mean_family(("AvgPool3D", "AvgPool3DGrad"), 3)

# -- maximum with its position ----------------------------------------------------------------------------------------


def _argmax_numpy(
    x: np.ndarray, *, ksize: Any, strides: Any, padding: str, Targmax: DType, include_batch_in_index: bool
) -> Any:
    win = _window(x.shape, ksize, strides, padding, "NHWC", (), False)
    best, index = kernels.argmax_windows(x, win, include_batch_in_index)
    return best, index.astype(Targmax.np, copy=False)


def _argmax_lower(
    x: Any, *, ksize: Any, strides: Any, padding: str, Targmax: DType, include_batch_in_index: bool
) -> Any:
    win = _window(x.shape, ksize, strides, padding, "NHWC", (), False)
    best = pool_lower.windows(x, win, jnp.maximum, kernels.lowest(x.dtype))
    flat = np.arange(x[0].size).reshape(x.shape[1:]) if x.shape[0] else np.zeros(x.shape[1:], int)
    padded = np.pad(flat, (*zip(win.low, win.high, strict=True), (0, 0)))
    index = jnp.zeros(best.shape, Targmax.np)
    for _, place, hit in pool_lower.hits(x, best, win) if best.size else ():
        index = jnp.where(hit, jnp.asarray(padded[place], Targmax.np), index)
    if include_batch_in_index:
        index = index + (jnp.arange(x.shape[0], dtype=Targmax.np) * flat.size).reshape(-1, 1, 1, 1)
    return best, index


_max_with_argmax = op(
    "MaxPoolWithArgmax", "input: R -> ?: input; ?: Targmax",
    numpy=_argmax_numpy, lower=_argmax_lower,
    grad=lambda gs, ys, x, *, ksize, strides, padding, **_: _max2d_grad(
        x, ys[0], gs[0], ksize=ksize, strides=strides, padding=padding),
    shape=lambda x, *, ksize, strides, padding, **_: [_out_shape(x.shape, ksize, strides, padding, "NHWC", (), False)] * 2,
    attrs={"ksize": (1, 1, 1, 1), "strides": (1, 1, 1, 1), "padding": "VALID", "Targmax": int64, "include_batch_in_index": False},
    doc="The largest element of each window and where it is.",
)  # fmt: skip

# -- the public functions ---------------------------------------------------------------------------------------------


def _arguments(rank: int, ksize: Any, strides: Any, data_format: Any, what: str) -> dict[str, Any]:
    if data_format is None:
        data_format = FORMATS[rank][0]
    if data_format not in FORMATS[rank]:
        raise bad_format(data_format, rank, what)
    taps = per_dimension(ksize, rank, data_format, f"{what}: ksize")
    steps = per_dimension(strides, rank, data_format, f"{what}: strides")
    if taps[0] != 1 or steps[0] != 1:
        raise UnimplementedError(
            None, None, f"{what}: windows can't reach over the batch; got ksize {taps}, strides {steps}."
        )
    return {"ksize": taps, "strides": steps, "data_format": data_format}


def _check_channels(x: Tensor, attrs: dict[str, Any], what: str) -> None:
    """UnimplementedError for windows over channels that can't be."""
    data_format, ksize = attrs["data_format"], attrs["ksize"]
    axis = channel_axis(len(ksize), data_format)
    if ksize[axis] == 1 and attrs["strides"][axis] == 1:
        return
    dims = x._spec.shape
    try:
        if len(ksize) != 4 or data_format != "NHWC":
            raise ValueError("windows over channels need two spatial dimensions and channels last")
        _over_channels(
            None if dims is None else dims[axis],
            ksize[axis],
            attrs["strides"][axis],
            spatial(ksize, data_format),
        )
    except ValueError as error:
        raise UnimplementedError(None, None, f"{what}: {error}.") from None


def _text(padding: Any, what: str) -> str:
    if not isinstance(padding, str):
        raise TypeError(f'{what}: padding must be the string "SAME" or "VALID"; got {padding!r}.')
    return padding


def _tensor(x: Any) -> Tensor:
    return x if x.__class__ is EagerTensor else convert(x)


def _rank_of(x: Tensor, what: str) -> int:
    rank = windows.known_rank(x, what)
    if rank not in (3, 4, 5):
        raise ValueError(f"{what}: the input must have rank 3, 4 or 5; got shape {x.shape}.")
    return rank - 2


@export("nn.max_pool")
def max_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The largest element of each window over 1, 2 or 3 spatial dimensions.

    Args:
      input: real numbers of shape (batch, *sizes, channels), or channels first.
      ksize: the windows' lengths: an int, or one for each spatial dimension, or one for every dimension.
      strides: how far apart the windows start, given as ksize is.
      padding: "SAME" or "VALID"; for images also a pair for each of the four dimensions. Padding is never the largest.
      data_format: such as "NHWC"; channels last by default.
      name: optional.

    Raises:
      ValueError: the rank is none of 3, 4 and 5, or ksize or strides have another length.
      InvalidArgumentError: windows don't fit the input.
    """
    input = _tensor(input)
    rank = _rank_of(input, "tf.nn.max_pool")
    function = (max_pool1d, max_pool2d, max_pool3d)[rank - 1]
    return function(input, ksize, strides, padding, data_format or FORMATS[rank][0], name)


@export("nn.max_pool2d")
def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """`tf.nn.max_pool` of images: shape (batch, height, width, channels), or channels first."""
    what = "tf.nn.max_pool2d"
    attrs = _arguments(2, ksize, strides, data_format, what)
    attrs["padding"], attrs["explicit_paddings"] = windows.padding_of(padding, 2, what)
    input = _tensor(input)
    _check_channels(input, attrs, what)
    return _max2d(input, name=name, **attrs)


@export("nn.max_pool3d")
def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`tf.nn.max_pool` of volumes: shape (batch, depth, height, width, channels), or channels first."""
    what = "tf.nn.max_pool3d"
    attrs = _arguments(3, ksize, strides, data_format, what)
    input = _tensor(input)
    _check_channels(input, attrs, what)
    return _max3d(input, padding=_text(padding, what), name=name, **attrs)


def _line(ksize: Any, strides: Any, data_format: Any, what: str) -> tuple[dict[str, Any], int]:
    """The arguments of the pooling over images of height 1, and where the height goes."""
    attrs = _arguments(1, ksize, strides, data_format, what)
    first = attrs["data_format"] == "NCW"
    axis = 2 if first else 1
    attrs["data_format"] = "NCHW" if first else "NHWC"
    for key in ("ksize", "strides"):
        attrs[key] = (*attrs[key][:axis], 1, *attrs[key][axis:])
    return attrs, axis


@export("nn.max_pool1d")
def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """`tf.nn.max_pool` of sequences: shape (batch, width, channels), or channels first."""
    what = "tf.nn.max_pool1d"
    attrs, axis = _line(ksize, strides, data_format, what)
    attrs["padding"], explicit = windows.padding_of(padding, 1, what)
    attrs["explicit_paddings"] = (*explicit[: 2 * axis], 0, 0, *explicit[2 * axis :]) if explicit else ()
    image = layout.expand_dims(input, axis)
    _check_channels(image, attrs, what)
    return layout.squeeze(_max2d(image, **attrs), (axis,))


@export("nn.avg_pool")
def avg_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The mean of each window over 1, 2 or 3 spatial dimensions.

    Args:
      input: floats of shape (batch, *sizes, channels), or channels first.
      ksize: the windows' lengths: an int, or one for each spatial dimension, or one for every dimension.
      strides: how far apart the windows start, given as ksize is.
      padding: "SAME" or "VALID". Padding does not count in the mean.
      data_format: such as "NHWC"; channels last by default.
      name: optional.

    Raises:
      ValueError: the rank is none of 3, 4 and 5, or ksize or strides have another length.
      InvalidArgumentError: windows don't fit the input.
    """
    input = _tensor(input)
    rank = _rank_of(input, "tf.nn.avg_pool")
    function = (avg_pool1d, avg_pool2d, avg_pool3d)[rank - 1]
    return function(input, ksize, strides, padding, data_format or FORMATS[rank][0], name)


@export("nn.avg_pool2d")
def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """`tf.nn.avg_pool` of images: shape (batch, height, width, channels), or channels first."""
    return _mean(_mean2d, 2, _tensor(input), ksize, strides, padding, data_format, "tf.nn.avg_pool2d", name)


@export("nn.avg_pool3d")
def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`tf.nn.avg_pool` of volumes: shape (batch, depth, height, width, channels), or channels first."""
    return _mean(_mean3d, 3, _tensor(input), ksize, strides, padding, data_format, "tf.nn.avg_pool3d", name)


def _mean(
    entry: Any,
    rank: int,
    x: Tensor,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    what: str,
    name: str | None,
) -> Tensor:
    attrs = _arguments(rank, ksize, strides, data_format, what)
    _refuse_channels(attrs, what)
    return entry(x, padding=_text(padding, what), name=name, **attrs)


def _refuse_channels(attrs: dict[str, Any], what: str) -> None:
    axis = channel_axis(len(attrs["ksize"]), attrs["data_format"])
    if attrs["ksize"][axis] != 1 or attrs["strides"][axis] != 1:
        raise UnimplementedError(
            None, None, f"{what}: windows can't reach over channels; got ksize {attrs['ksize']}."
        )


@export("nn.avg_pool1d")
def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """`tf.nn.avg_pool` of sequences: shape (batch, width, channels), or channels first."""
    what = "tf.nn.avg_pool1d"
    attrs, axis = _line(ksize, strides, data_format, what)
    _refuse_channels(attrs, what)
    out = _mean2d(layout.expand_dims(input, axis), padding=_text(padding, what), **attrs)
    return layout.squeeze(out, (axis,))


@export("nn.max_pool_with_argmax")
def max_pool_with_argmax(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", output_dtype: Any = int64,
    include_batch_in_index: bool = False, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The largest element of each window and its position, `(row * width + column) * channels + channel`.

    Args:
      input: real numbers of shape (batch, height, width, channels).
      ksize: the windows' lengths: an int, or 1, 2 or 4 of them.
      strides: how far apart the windows start, given as ksize is.
      padding: "SAME" or "VALID".
      data_format: "NHWC".
      output_dtype: `tf.int64` or `tf.int32`, of the positions.
      include_batch_in_index: whether positions count through the whole batch.
      name: optional.

    Returns:
      (maxima, positions), of one shape. Of equal elements the first counts.

    Raises:
      ValueError: data_format is another.
      InvalidArgumentError: windows don't fit the input, or output_dtype is another.
    """
    what = "tf.nn.max_pool_with_argmax"
    if data_format != "NHWC":
        raise ValueError(f"{what}: data_format must be NHWC; got {data_format!r}.")
    dtype = as_dtype(output_dtype)
    if dtype.name not in ("int32", "int64"):
        raise invalid(f"{what}: output_dtype must be int32 or int64; got {dtype.name}.")
    attrs = _arguments(2, ksize, strides, data_format, what)
    _refuse_channels(attrs, what)
    return _max_with_argmax(
        _tensor(input), ksize=attrs["ksize"], strides=attrs["strides"], padding=_text(padding, what), Targmax=dtype,
        include_batch_in_index=bool(include_batch_in_index),
    )  # fmt: skip


@export("nn.pool")
def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: Any = "VALID", data_format: str | None = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Pooling over as many spatial dimensions as `window_shape` has, 1 to 3.

    Args:
      input: numbers of shape (batch, *sizes, channels), or channels first.
      window_shape: the windows' length along each spatial dimension.
      pooling_type: "MAX" or "AVG".
      strides: how far apart the windows start; 1 by default, and no more than their lengths.
      padding: "SAME" or "VALID".
      data_format: such as "NHWC"; channels last by default.
      dilations: distances between a window's elements; 1 by default. Not both strides and dilations may exceed 1, and
        dilated windows take VALID padding.
      name: optional.

    Raises:
      ValueError: the arguments don't fit each other or the rank of the input.
      InvalidArgumentError: windows don't fit the input.
    """
    what = "tf.nn.pool"
    rank = len(window_shape)
    if rank not in (1, 2, 3):
        raise ValueError(f"{what}: window_shape must have 1, 2 or 3 entries; got {window_shape}.")
    functions = {
        "MAX": (max_pool1d, max_pool2d, max_pool3d),
        "AVG": (avg_pool1d, avg_pool2d, avg_pool3d),
    }.get(pooling_type)
    if functions is None:
        raise ValueError(f'{what}: pooling_type must be "MAX" or "AVG"; got {pooling_type!r}.')
    input = _tensor(input)
    dims = input._spec.shape
    if dims is not None and len(dims) != rank + 2:
        raise ValueError(
            f"{what}: windows over {rank} dimensions need an input of rank {rank + 2}; got shape {input.shape}."
        )
    line = FORMATS[rank][1 if data_format is not None and data_format.startswith("NC") else 0]
    taps, steps, gaps = (
        spatial(per_dimension(v, rank, line, f"{what}: {n}"), line)
        for v, n in ((window_shape, "window_shape"), (strides, "strides"), (dilations, "dilations"))
    )
    _check_steps(taps, steps, gaps, padding, what)
    if max(gaps) == 1:
        return functions[rank - 1](input, list(taps), list(steps), padding, line, name)
    return _dilated(functions[rank - 1], input, taps, gaps, line)


def _check_steps(taps: Any, steps: Any, gaps: Any, padding: Any, what: str) -> None:
    if min(gaps) < 1:
        raise ValueError(f"{what}: dilations must be positive; got {list(gaps)}.")
    if max(steps) > 1 and max(gaps) > 1:
        raise ValueError(f"{what}: strides {list(steps)} and dilations {list(gaps)} can't both exceed 1.")
    if any(s > t for s, t in zip(steps, taps, strict=True)):
        raise ValueError(f"{what}: strides {list(steps)} must not exceed the windows {list(taps)}.")
    if max(gaps) > 1 and padding != "VALID":
        raise ValueError(f'{what}: dilated windows take padding "VALID"; got {padding!r}.')


def _dilated(function: Any, x: Tensor, taps: Any, gaps: Any, line: str) -> Tensor:
    """Dilated windows: those of stride 1 over each of the interleaved parts of the input."""
    import headwater._src.ops.blocks as blocks

    if line in windows.CHANNELS_FIRST:
        rank = len(taps)
        perm = (0, *range(2, rank + 2), 1)
        back = (0, rank + 1, *range(1, rank + 1))
        return layout.transpose(
            _dilated(function, layout.transpose(x, perm), taps, gaps, FORMATS[rank][0]), back
        )
    return blocks.with_space_to_batch(
        x, gaps, "VALID", lambda part, *_: function(part, list(taps), 1, "VALID"), filter_shape=taps
    )


# -- samples ----------------------------------------------------------------------------------------------------------


def _shared(refused: str) -> list[Any]:
    x = Arr((1, 5, 4, 2))
    return [
        case(Arr((2, 4, 4, 1)), 2, 2, "VALID", grad=(0,)), case(x, 2, 2, "SAME", grad=(0,), id="same"),
        case(x, (3, 2), (2, 1), "SAME", grad=(0,), id="overlapping"), case(x, [1, 3, 3, 1], [1, 1, 1, 1], "SAME", grad=(0,), id="of-4"),
        case(Arr((1, 2, 4, 3)), 2, 1, "VALID", "NCHW", grad=(0,), id="nchw"),
        case(x, 2, 3, "VALID", grad=(0,), id="gaps"), case(x, 5, 1, "SAME", id="longer"),
        *[case(Tensor_(Arr((1, 3, 3, 2), d)), 2, 2, "SAME", tol=1.6e-2, id=d) for d in ("float64", "float16", "bfloat16")],
        case(Arr((2, 5, 2)), 2, 2, "SAME", grad=(0,), id="1d"), case(Arr((1, 3, 2, 3, 1)), 2, 1, "SAME", grad=(0,), id="3d"),
        bad(Arr((2, 3)), 2, 2, "SAME", error="ValueError", id="rank"), bad(x, [2, 2, 2], 2, "SAME", error="ValueError", id="ksize-3"),
        bad(x, 0, 1, "SAME", id="ksize-0"), bad(x, 2, 0, "SAME", id="stride-0"), bad(x, 7, 1, "VALID", id="too-long"),
        bad(x, 2, 2, "same", id="lower-case"), bad(x, 2, 2, "SAME", "NWC", id="format"), bad(Tensor_(Arr((1, 3, 3, 2), refused)), 2, 2, "SAME", id=refused),
    ]  # fmt: skip


sampled("nn.max_pool", lambda: [
    *_shared("complex64"),
    *[case(Tensor_(Arr((1, 3, 3, 2), d, -5, 5)), 2, 1, "SAME", id=d) for d in ("int32", "uint8")],
    case(Arr((1, 4, 3, 1), "float32", 0, 0), 2, 1, "SAME", grad=(0,), id="ties"),
    case(Arr((1, 4, 3, 1)), 2, 2, [[0, 0], [1, 1], [0, 1], [0, 0]], grad=(0,), id="explicit"),
    case(Arr((1, 2, 2, 4)), [1, 1, 1, 2], [1, 1, 1, 2], "VALID", id="channels"),
    bad(Arr((1, 4, 3, 1)), 2, 2, [[0, 0], [2, 1], [0, 1], [0, 0]], id="wide-padding"),
    bad(Arr((2, 2, 2, 1)), [2, 1, 1, 1], [2, 1, 1, 1], "VALID", error="UnimplementedError", id="batch"),
    bad(Arr((1, 2, 2, 4)), [1, 1, 1, 3], [1, 1, 1, 2], "VALID", error="UnimplementedError", id="channels-uneven"),
])  # fmt: skip
sampled("nn.avg_pool", lambda: [
    *_shared("int32"),
    bad(Arr((1, 4, 3, 1)), 2, 2, [[0, 0], [1, 1], [0, 1], [0, 0]], error="TypeError", id="explicit"),
])  # fmt: skip
for _name in ("nn.max_pool1d", "nn.avg_pool1d"):
    sampled(_name, lambda: [
        case(Arr((2, 5, 2)), 2, 2, "SAME", grad=(0,)), case(Arr((2, 5, 2)), [1, 3, 1], [2], "VALID", grad=(0,), id="of-3"),
        case(Arr((2, 2, 5)), 2, 1, "SAME", "NCW", grad=(0,), id="ncw"),
    ])  # fmt: skip
for _name in ("nn.max_pool2d", "nn.avg_pool2d"):
    sampled(_name, lambda: [
        case(Arr((1, 5, 4, 2)), 2, 2, "SAME", grad=(0,)), bad(Arr((2, 5, 2)), 2, 2, "SAME", id="rank"),
    ])  # fmt: skip
for _name in ("nn.max_pool3d", "nn.avg_pool3d"):
    sampled(_name, lambda: [
        case(Arr((1, 4, 2, 3, 1)), [2, 1, 2], [2, 1, 1], "VALID", grad=(0,)),
        case(Arr((1, 2, 2, 2, 3)), 2, 1, "SAME", "NCDHW", grad=(0,), id="ncdhw"),
        case(Arr((1, 2, 2, 2, 1), "bfloat16"), 2, 1, "SAME", tol=1.6e-2, id="bfloat16"),
    ])  # fmt: skip
sampled("nn.max_pool_with_argmax", lambda: [
    case(Arr((2, 4, 3, 2)), 2, 2, "SAME", grad=(0,)),
    case(Arr((2, 4, 3, 2), "int32", -2, 2), 2, 1, "VALID", include_batch_in_index=True, id="batch"),
    bad(Arr((1, 4, 3, 2)), 2, 2, "SAME", "NCHW", error="ValueError", id="format"),
])  # fmt: skip
sampled("nn.pool", lambda: [
    case(Arr((1, 5, 4, 1)), [2, 2], "MAX", grad=(0,)), case(Arr((1, 5, 4, 1)), [2, 2], "AVG", [2, 1], "SAME", grad=(0,), id="avg"),
    case(Arr((2, 5, 2)), [2], "MAX", padding="SAME", grad=(0,), id="1d"), case(Arr((1, 3, 2, 3, 1)), [2, 2, 2], "AVG", grad=(0,), id="3d"),
    case(Arr((1, 5, 4, 1)), [2, 2], "MAX", dilations=[2, 2], grad=(0,), id="dilations"),
    case(Arr((1, 2, 5)), [2], "AVG", data_format="NCW", grad=(0,), id="ncw"),
    bad(Arr((1, 5, 4, 1)), [2, 2], "MED", error="ValueError", id="type"), bad(Arr((1, 5, 4, 1)), [2], "MAX", error="ValueError", id="rank"),
    bad(Arr((1, 5, 4, 1)), [2, 2], "MAX", [3, 3], error="ValueError", id="gaps"),
    bad(Arr((1, 5, 4, 1)), [2, 2], "MAX", dilations=[2, 1], padding="SAME", error="ValueError", id="dilated-same"),
])  # fmt: skip

"""Convolutions and their gradients, which are operations too, so that they transpose and differentiate to any order."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

import headwater._src.ops.conv_kernels as kernels
import headwater._src.ops.conv_lower as conv_lower
import headwater._src.ops.layout as layout
import headwater._src.ops.windows as windows
from headwater._src.base.errors import invalid
from headwater._src.base.lazy import jax, jnp
from headwater._src.base.shapes import Partial, merge, wrap
from headwater._src.core.op import op
from headwater._src.core.rules import dims_of
from headwater._src.core.spec import Spec
from headwater._src.ops.eager_programs import Gain, either
from headwater._src.ops.windows import (
    Window,
    assemble,
    channel_axis,
    channels_last,
    restore_channels,
    spatial,
)

_DEFAULTS = {
    2: {"strides": (1, 1, 1, 1), "padding": "VALID", "explicit_paddings": (), "data_format": "NHWC", "dilations": (1, 1, 1, 1)},
    3: {"strides": (1,) * 5, "padding": "VALID", "explicit_paddings": (), "data_format": "NDHWC", "dilations": (1,) * 5},
}  # fmt: skip


class Geometry(NamedTuple):
    """What a call of known shapes amounts to."""

    window: Window
    batch: int
    channels: int
    per_group: int
    filters: int


# -- shapes -----------------------------------------------------------------------------------------------------------


def _ranks(rank: int, x: Partial, w: Partial, what: str = "input") -> None:
    for name, shape in ((what, x), ("filter", w)):
        if shape is not None and len(shape) != rank + 2:
            raise ValueError(f"{name} must have rank {rank + 2}; got shape {wrap(shape)}")


def _channels(x: Partial, w: Partial, data_format: str, depthwise: bool) -> Any:
    """The number of filters; ValueError where the channels of input and filter don't fit."""
    given = x[channel_axis(len(x), data_format)] if x is not None else None
    per, filters = (None, None) if w is None else w[-2:]
    if depthwise:
        if given is not None and per is not None and given != per:
            raise ValueError(
                f"the input has {given} channels, the filter of shape {wrap(w)} is for {per} ({data_format})"
            )
        return None if per is None or filters is None else per * filters
    if given is not None and per is not None and (per == 0 or given % per):
        raise ValueError(
            f"the {given} channels of the input ({data_format}) are no multiple of the {per} of the filter of shape {wrap(w)}"
        )
    if given is not None and per and filters is not None and filters % (given // per or 1):
        raise ValueError(
            f"the {filters} filters are no multiple of the {given // per} groups that {given} / {per} channels make"
        )
    return filters


def _out_shape(
    x: Partial,
    w: Partial,
    depthwise: bool,
    strides: Any,
    padding: str,
    explicit_paddings: Any,
    data_format: str,
    dilations: Any,
) -> Partial:
    """The shape of a convolution of partially known shapes."""
    rank = len(strides) - 2
    windows.check_window(
        rank, data_format, padding, explicit_paddings, {"strides": strides, "dilations": dilations}
    )
    _ranks(rank, x, w)
    filters = _channels(x, w, data_format, depthwise)
    sizes = (None,) * rank if x is None else spatial(x, data_format)
    taps = (None,) * rank if w is None else w[:rank]
    pairs = windows.spatial_pairs(explicit_paddings, data_format) or (0,) * (2 * rank)
    out = tuple(
        windows.output_length(s, k, t, d, padding, pairs[2 * i], pairs[2 * i + 1])[0]
        for i, (s, k, t, d) in enumerate(
            zip(sizes, taps, spatial(strides, data_format), spatial(dilations, data_format), strict=True)
        )
    )
    return assemble(None if x is None else x[0], out, filters, data_format)


@functools.lru_cache(maxsize=1024)
def _geometry(
    x: tuple[int, ...],
    w: tuple[int, ...],
    depthwise: bool,
    strides: Any,
    padding: str,
    explicit: Any,
    data_format: str,
    dilations: Any,
) -> Geometry:
    """The geometry of a convolution, checked."""
    shape = _out_shape(x, w, depthwise, strides, padding, explicit, data_format, dilations)
    rank = len(strides) - 2
    win = windows.window(
        spatial(x, data_format), w[:rank], spatial(strides, data_format), spatial(dilations, data_format), padding,
        windows.spatial_pairs(explicit, data_format),
    )  # fmt: skip
    axis = channel_axis(len(x), data_format)
    return Geometry(win, x[0], x[axis], w[-2], shape[axis])


def _check_result(g: tuple[int, ...], geometry: Geometry, data_format: str) -> None:
    want = assemble(geometry.batch, geometry.window.out, geometry.filters, data_format)
    if g != want:
        raise ValueError(
            f"out_backprop must have the shape {wrap(want)} of the convolution's result; got {wrap(g)}"
        )


def _like_result(x: Partial, w: Partial, g: Partial, depthwise: bool, attrs: dict[str, Any]) -> None:
    merge_checked(g, _out_shape(x, w, depthwise, **attrs))


def merge_checked(g: Partial, want: Partial) -> Partial:
    """Both shapes in one; ValueError where the gradient's differs from that of the result."""
    try:
        return merge(g, want)
    except ValueError:
        raise ValueError(
            f"out_backprop must have the shape {wrap(want)} of the convolution's result; got {wrap(g)}"
        ) from None


def _sizes(given: Any, rank: int, what: str) -> Partial:
    dims = dims_of(given)
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"{what} must have {rank} entries; got {tuple(dims)}")
    if any(d is not None and d < 0 for d in dims):
        raise ValueError(f"{what} must not be negative; got {tuple(dims)}")
    return tuple(dims)


# -- XLA --------------------------------------------------------------------------------------------------------------


def _lower(
    x: Any,
    w: Any,
    depthwise: bool,
    strides: Any,
    padding: str,
    explicit: Any,
    data_format: str,
    dilations: Any,
) -> Any:
    """The convolution on JAX arrays; 16-bit floats by way of float32."""
    geometry = _geometry(x.shape, w.shape, depthwise, strides, padding, explicit, data_format, dilations)
    win, dtype = geometry.window, x.dtype
    x, w = (
        v.astype(np.float32) if v.dtype in kernels.HALVES else v for v in (channels_last(x, data_format), w)
    )
    groups = geometry.channels // geometry.per_group if not depthwise else geometry.channels
    if depthwise:
        w = w.reshape(*win.kernel, 1, geometry.filters)
    result = conv_lower.convolve(x, w, win, groups)
    return restore_channels(result.astype(dtype), data_format)


def _transposed(function: Any, shape: Any, dtype: Any, g: Any) -> Any:
    """The transpose of a linear function of one array."""
    return jax.vjp(function, jnp.zeros(shape, dtype))[1](g)[0]


def _forward_lower(depthwise: bool, x: Any, w: Any, **attrs: Any) -> Any:
    """The convolution on JAX arrays."""
    return _lower(x, w, depthwise, *_ordered(attrs))


def _input_lower(depthwise: bool, w: Any, g: Any, *, input_sizes: Any, **attrs: Any) -> Any:
    """The gradient with respect to the input on JAX arrays."""
    ordered = _ordered(attrs)
    data_format = attrs["data_format"]
    if depthwise and g.dtype not in kernels.HALVES:
        window = _geometry(tuple(input_sizes), w.shape, True, *ordered).window
        if g.size and w.size and conv_lower.depthwise_written_out(window):
            found = conv_lower.depthwise_input(w, channels_last(g, data_format), window)
            return restore_channels(found, data_format)
    return _transposed(lambda x: _lower(x, w, depthwise, *ordered), input_sizes, g.dtype, g)


def _filter_lower(depthwise: bool, x: Any, g: Any, *, filter_sizes: Any, **attrs: Any) -> Any:
    """The gradient with respect to the filter on JAX arrays."""
    ordered = _ordered(attrs)
    if depthwise and g.dtype not in kernels.HALVES:
        window = _geometry(x.shape, tuple(filter_sizes), True, *ordered).window
        found = conv_lower.depthwise_filter(*(channels_last(v, attrs["data_format"]) for v in (x, g)), window)
        if found is not None:
            return found
    return _transposed(lambda w: _lower(x, w, depthwise, *ordered), filter_sizes, g.dtype, g)


# -- the records, for 2 and 3 dimensions and depthwise ----------------------------------------------------------------


class Family(NamedTuple):
    """A convolution and its gradients with respect to input and filter, as entries."""

    forward: Any
    input: Any
    filter: Any


def _family(names: tuple[str, str, str], rank: int, dtypes: str, depthwise: bool = False) -> Family:
    attrs: dict[str, Any] = _DEFAULTS[rank]
    both = {"depthwise": depthwise}
    forward = op(
        names[0], f"input: {dtypes}, filter: input -> ?: input",
        numpy=_kernel(depthwise, _forward_numpy, _forward_lower, _forward_gain),
        lower=functools.partial(_forward_lower, depthwise),
        grad=(lambda g, y, x, w, **a: of_input(w, g, input_sizes=layout.static_dims(x), **a),
              lambda g, y, x, w, **a: of_filter(x, g, filter_sizes=layout.static_dims(w), **a)),
        shape=lambda x, w, **a: _out_shape(x.shape, w.shape, **both, **a),
        attrs=attrs,
        doc=f"The {'depthwise ' if depthwise else ''}convolution over {rank} spatial dimensions; attributes as in TensorFlow.",
    )  # fmt: skip
    of_input = op(
        names[1], f"filter: {dtypes}, out_backprop: filter -> ?: filter",
        numpy=_kernel(depthwise, _input_numpy, _input_lower, _input_gain),
        lower=functools.partial(_input_lower, depthwise),
        grad=(lambda gg, y, w, g, *, input_sizes, **a: of_filter(gg, g, filter_sizes=layout.static_dims(w), **a),
              lambda gg, y, w, g, *, input_sizes, **a: forward(gg, w, **a)),
        shape=lambda w, g, *, input_sizes, **a: _input_shape(rank, depthwise, w, g, input_sizes, a),
        attrs={"input_sizes": (), **attrs}, host=("input_sizes",),
        doc="The gradient of the convolution with respect to its input of shape `input_sizes`; the transposed convolution.",
    )  # fmt: skip
    of_filter = op(
        names[2], f"input: {dtypes}, out_backprop: input -> ?: input",
        numpy=_kernel(depthwise, _filter_numpy, _filter_lower, _filter_gain),
        lower=functools.partial(_filter_lower, depthwise),
        grad=(lambda gg, y, x, g, *, filter_sizes, **a: of_input(gg, g, input_sizes=layout.static_dims(x), **a),
              lambda gg, y, x, g, *, filter_sizes, **a: forward(x, gg, **a)),
        shape=lambda x, g, *, filter_sizes, **a: _filter_shape(rank, depthwise, x, g, filter_sizes, a),
        attrs={"filter_sizes": (), **attrs}, host=("filter_sizes",),
        doc="The gradient of the convolution with respect to its filter of shape `filter_sizes`.",
    )  # fmt: skip
    return Family(forward, of_input, of_filter)


def _kernel(depthwise: bool, numpy: Any, lower: Any, gain: Any) -> Any:
    """The kernel of one record: for depthwise convolutions XLA's where that pays."""
    numpy = functools.partial(numpy, depthwise)
    return either(numpy, functools.partial(lower, True), gain) if depthwise else numpy


def _forward_gain(x: np.ndarray, w: np.ndarray, **attrs: Any) -> Gain | None:
    """What XLA would save; with channels last alone, where it takes the arrays as they lie."""
    if attrs["data_format"] in windows.CHANNELS_FIRST:
        return None
    geometry = _geometry(x.shape, w.shape, True, *_ordered(attrs))
    return conv_lower.depthwise_gain(len(x), geometry.filters, geometry.window)


def _input_gain(w: np.ndarray, g: np.ndarray, *, input_sizes: Any, **attrs: Any) -> Gain | None:
    if attrs["data_format"] in windows.CHANNELS_FIRST:
        return None
    geometry = _geometry(tuple(input_sizes), w.shape, True, *_ordered(attrs))
    return conv_lower.depthwise_gain(len(g), geometry.filters, geometry.window)


def _filter_gain(x: np.ndarray, g: np.ndarray, *, filter_sizes: Any, **attrs: Any) -> Gain | None:
    if attrs["data_format"] in windows.CHANNELS_FIRST:
        return None
    geometry = _geometry(x.shape, tuple(filter_sizes), True, *_ordered(attrs))
    return conv_lower.depthwise_filter_gain(len(x), geometry.filters, geometry.window)


def _ordered(attrs: dict[str, Any]) -> tuple[Any, ...]:
    return (
        attrs["strides"], attrs["padding"], attrs["explicit_paddings"], attrs["data_format"], attrs["dilations"],
    )  # fmt: skip


def _forward_numpy(
    depthwise: bool,
    x: np.ndarray,
    w: np.ndarray,
    *,
    strides: Any,
    padding: str,
    explicit_paddings: Any,
    data_format: str,
    dilations: Any,
) -> np.ndarray:
    geometry = _geometry(
        x.shape, w.shape, depthwise, strides, padding, explicit_paddings, data_format, dilations
    )
    kernel = kernels.convolve_depthwise if depthwise else kernels.convolve
    out = kernel(kernels.wide(channels_last(x, data_format)), kernels.wide(w), geometry.window)
    return restore_channels(kernels.narrow(out, x.dtype), data_format)


def _input_numpy(
    depthwise: bool, w: np.ndarray, g: np.ndarray, *, input_sizes: Any, strides: Any, padding: str, explicit_paddings: Any,
    data_format: str, dilations: Any,
) -> np.ndarray:  # fmt: skip
    geometry = _geometry(
        input_sizes, w.shape, depthwise, strides, padding, explicit_paddings, data_format, dilations
    )
    _check_result(g.shape, geometry, data_format)
    wide_w, wide_g = kernels.wide(w), kernels.wide(channels_last(g, data_format))
    if depthwise:
        out = kernels.convolve_depthwise_input(wide_w, wide_g, geometry.window)
    else:
        out = kernels.convolve_input(wide_w, wide_g, geometry.window, geometry.channels)
    return restore_channels(kernels.narrow(out, g.dtype), data_format)


def _filter_numpy(
    depthwise: bool, x: np.ndarray, g: np.ndarray, *, filter_sizes: Any, strides: Any, padding: str, explicit_paddings: Any,
    data_format: str, dilations: Any,
) -> np.ndarray:  # fmt: skip
    geometry = _geometry(
        x.shape, filter_sizes, depthwise, strides, padding, explicit_paddings, data_format, dilations
    )
    _check_result(g.shape, geometry, data_format)
    wide_x, wide_g = (kernels.wide(channels_last(v, data_format)) for v in (x, g))
    if depthwise:
        out = kernels.convolve_depthwise_filter(wide_x, wide_g, geometry.window)
    else:
        out = kernels.convolve_filter(wide_x, wide_g, geometry.window, geometry.per_group)
    return kernels.narrow(out, x.dtype)


def _input_shape(
    rank: int, depthwise: bool, w: Spec, g: Spec, input_sizes: Any, attrs: dict[str, Any]
) -> Partial:
    sizes = _sizes(input_sizes, rank + 2, "the shape of the input (output_shape of a transposed convolution)")
    _ranks(rank, g.shape, w.shape, "out_backprop")
    _like_result(sizes, w.shape, g.shape, depthwise, attrs)
    return sizes


def _filter_shape(
    rank: int, depthwise: bool, x: Spec, g: Spec, filter_sizes: Any, attrs: dict[str, Any]
) -> Partial:
    sizes = _sizes(filter_sizes, rank + 2, "filter_sizes")
    _ranks(rank, x.shape, sizes)
    _ranks(rank, g.shape, None, "out_backprop")
    _like_result(x.shape, sizes, g.shape, depthwise, attrs)
    return sizes


conv2d = _family(("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"), 2, "F|int32")
conv3d = _family(("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"), 3, "F")
depthwise2d = _family(
    (
        "DepthwiseConv2dNative",
        "DepthwiseConv2dNativeBackpropInput",
        "DepthwiseConv2dNativeBackpropFilter",
    ),
    2, "F", depthwise=True,
)  # fmt: skip


def bad_format(data_format: Any, rank: int, what: str) -> Exception:
    """The error for a data format that isn't one."""
    names = windows.FORMATS[rank]
    return invalid(f"{what}: data_format must be {names[0]} or {names[1]}; got {data_format!r}.")

"""The public convolutions: TensorFlow's signatures over the operations of `conv`."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.layout as layout
import headwater._src.ops.windows as windows
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.samples import Arr, Tensor_, bad, case, each, sampled
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.ops.conv import bad_format, depthwise2d
from headwater._src.ops.conv import conv2d as conv2d_ops
from headwater._src.ops.conv import conv3d as conv3d_ops
from headwater._src.ops.windows import FORMATS, per_dimension

# -- arguments --------------------------------------------------------------------------------------------------------


def _format(data_format: Any, rank: int, what: str) -> str:
    if data_format is None:
        return FORMATS[rank][0]
    if data_format not in FORMATS[rank]:
        raise bad_format(data_format, rank, what)
    return data_format


def _pair(input: Any, filters: Any) -> tuple[Tensor, Tensor]:
    """Both arguments as tensors; Python values take the other's dtype."""
    if not isinstance(input, Tensor):
        input = convert(input, None, filters.dtype if isinstance(filters, Tensor) else None)
    if not isinstance(filters, Tensor):
        filters = convert(filters, None, input.dtype)
    return input, filters


def _attrs(
    rank: int, strides: Any, padding: Any, data_format: str, dilations: Any, what: str
) -> dict[str, Any]:
    """The attributes that the operations take."""
    name, explicit = windows.padding_of(padding, rank, what)
    steps = per_dimension(strides, rank, data_format, f"{what}: strides")
    windows.refuse_strides(steps, windows.channel_axis(rank + 2, data_format), what)
    return {
        "strides": steps,
        "padding": name,
        "explicit_paddings": explicit,
        "data_format": data_format,
        "dilations": per_dimension(dilations, rank, data_format, f"{what}: dilations"),
    }


def _string_padding(padding: Any, what: str) -> None:
    if not isinstance(padding, str):
        raise TypeError(
            f'{what}: padding must be the string "SAME" or "VALID"; got {padding!r}. Pad with tf.pad for others.'
        )


def _flat_batch(x: Tensor, rank: int, run: Any) -> Tensor:
    """`run` on `x` with all batch dimensions made one."""
    dims = x._array.shape if x.__class__ is EagerTensor else x._spec.shape
    if dims is not None and len(dims) <= rank + 2:
        return run(x)
    if dims is None or None in dims:
        sizes = layout.shape(x)
        flat = layout.reshape(x, _joined([-1], sizes[-rank - 1 :]))
        out = run(flat)
        return layout.reshape(out, _joined(sizes[: -rank - 1], layout.shape(out)[1:]))
    lead = dims[: -rank - 1]
    out = run(layout.reshape(x, (int(np.prod(lead)), *dims[-rank - 1 :])))
    return layout.reshape(out, (*lead, *out.shape.as_list()[1:]))


def _joined(a: Any, b: Any) -> Tensor:
    import headwater._src.ops.joining as joining

    return joining.concat([a, b], 0)


# -- convolutions -----------------------------------------------------------------------------------------------------


@export("nn.conv2d")
def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A two-dimensional convolution: `out[b, i, j, f] = sum(input[b, i * stride + di * dilation, ..., c] * filters[di, dj, c, f])`.

    Args:
      input: floats or int32 of shape (batch..., height, width, channels), or channels first with data_format "NCHW".
      filters: of the input's dtype and shape (height, width, channels / groups, filters).
      strides: an int, or 1, 2 or 4 of them.
      padding: "SAME", "VALID", or a pair [before, after] for each of the four dimensions.
      data_format: "NHWC" or "NCHW".
      dilations: distances between the taps: an int, or 1, 2 or 4 of them.
      name: optional.

    Returns:
      A tensor of the input's dtype and shape (batch..., out_height, out_width, filters). SAME gives ceil(size / stride)
      along a dimension, VALID floor((size - (taps - 1) * dilation - 1) / stride) + 1.

    Raises:
      InvalidArgumentError: ranks, channels or dtypes don't fit, or the window is longer than the input.
      ValueError: strides or dilations have another length.
    """
    data_format = _format(data_format, 2, "tf.nn.conv2d")
    attrs = _attrs(2, strides, padding, data_format, dilations, "tf.nn.conv2d")
    input, filters = _pair(input, filters)
    return _flat_batch(input, 2, lambda x: conv2d_ops.forward(x, filters, name=name, **attrs))


@export("nn.conv1d")
def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: str,
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A one-dimensional convolution; see `tf.nn.conv2d`.

    Args:
      input: floats of shape (batch..., width, channels), or (batch, channels, width) with data_format "NCW".
      filters: of the input's dtype and shape (width, channels / groups, filters).
      stride: an int, or 1 or 3 of them.
      padding: "SAME" or "VALID".
      data_format: "NWC" or "NCW".
      dilations: distance between the taps: an int, or 1 or 3 of them.
      name: optional.

    Raises:
      InvalidArgumentError: ranks, channels or dtypes don't fit.
      ValueError: stride, dilations or data_format is not as above.
    """
    what = "tf.nn.conv1d"
    _string_padding(padding, what)
    first = _first_of_line(data_format, what)
    attrs = _line_attrs(stride, padding, first, dilations, what)
    input, filters = _pair(input, filters)
    axis = 2 if first else 1
    filters = layout.expand_dims(filters, 0)

    def run(x: Tensor) -> Tensor:
        return layout.squeeze(conv2d_ops.forward(layout.expand_dims(x, axis), filters, **attrs), (axis,))

    return _flat_batch(input, 1, run)


def _first_of_line(data_format: Any, what: str) -> bool:
    if data_format in (None, "NWC", "NHWC"):
        return False
    if data_format in ("NCW", "NCHW"):
        return True
    raise ValueError(f"{what}: data_format must be NWC or NCW; got {data_format!r}.")


def _line_attrs(stride: Any, padding: str, first: bool, dilations: Any, what: str) -> dict[str, Any]:
    """The attributes of the two-dimensional convolution of height 1."""
    line = "NCW" if first else "NWC"
    step = windows.spatial(per_dimension(stride, 1, line, f"{what}: stride"), line)
    gap = windows.spatial(per_dimension(dilations, 1, line, f"{what}: dilations"), line)
    return _attrs(2, (1, *step), padding, "NCHW" if first else "NHWC", (1, *gap), what)


@export("nn.conv3d")
def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: str,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A three-dimensional convolution; see `tf.nn.conv2d`.

    Args:
      input: floats of shape (batch..., depth, height, width, channels), or channels first with data_format "NCDHW".
      filters: of the input's dtype and shape (depth, height, width, channels / groups, filters).
      strides: a list of 5 ints.
      padding: "SAME" or "VALID".
      data_format: "NDHWC" or "NCDHW".
      dilations: distances between the taps: a list of 5 ints.
      name: optional.

    Raises:
      InvalidArgumentError: ranks, channels or dtypes don't fit.
      TypeError: strides is no list or padding no string.
    """
    what = "tf.nn.conv3d"
    _string_padding(padding, what)
    data_format = _format(data_format, 3, what)
    attrs = _attrs(3, _listed(strides, 5, what), padding, data_format, dilations, what)
    input, filters = _pair(input, filters)
    return _flat_batch(input, 3, lambda x: conv3d_ops.forward(x, filters, name=name, **attrs))


def _listed(strides: Any, length: int, what: str) -> Any:
    """Strides that must be a list with an entry for every dimension."""
    from headwater._src.base.errors import invalid

    if not isinstance(strides, (list, tuple)):
        raise TypeError(f"{what}: strides must be a list of {length} integers; got {strides!r}.")
    if len(strides) != length:
        raise invalid(f"{what}: strides must be a list of {length} integers; got {list(strides)}.")
    return strides


@export("nn.convolution")
def convolution(
    input: Any, filters: Any, strides: Any = None, padding: str = "VALID", data_format: str | None = None, dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A convolution over as many spatial dimensions as the filters have, 1 to 3.

    Args:
      input: floats of shape (batch..., *sizes, channels), or channels first.
      filters: of shape (*taps, channels / groups, filters).
      strides: an int or one for each spatial dimension; 1 by default.
      padding: "SAME" or "VALID".
      data_format: such as "NWC" and "NCHW"; channels last by default.
      dilations: an int or one for each spatial dimension; 1 by default. Not both strides and dilations may exceed 1.
      name: optional.

    Raises:
      ValueError: the filters are for more than 3 dimensions, or strides and dilations both exceed 1.
      InvalidArgumentError: shapes or dtypes don't fit.
    """
    what = "tf.nn.convolution"
    input, filters = _pair(input, filters)
    rank = windows.known_rank(filters, what) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{what}: the filters must be for 1, 2 or 3 spatial dimensions; got shape {filters.shape}."
        )
    _string_padding(padding, what)
    first = data_format is not None and data_format.startswith("NC")
    line = FORMATS[rank][1 if first else 0]
    steps = windows.spatial(per_dimension(strides, rank, line, f"{what}: strides"), line)
    gaps = windows.spatial(per_dimension(dilations, rank, line, f"{what}: dilations"), line)
    if min(gaps) < 1:
        raise ValueError(f"{what}: dilations must be positive; got {list(gaps)}.")
    if max(steps) > 1 and max(gaps) > 1:
        raise ValueError(f"{what}: strides {list(steps)} and dilations {list(gaps)} can't both exceed 1.")
    if rank == 1:
        return conv1d(input, filters, steps[0], padding, data_format, gaps[0], name)
    if rank == 2:
        return conv2d(input, filters, steps, padding, data_format, gaps, name)
    return conv3d(input, filters, per_dimension(steps, 3, line, what), padding, line, gaps, name)


@export("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: str, name: str | None = None) -> Tensor:
    """A two-dimensional convolution whose taps are `rate` apart in both directions.

    Args:
      value: floats of shape (batch, height, width, channels).
      filters: of shape (height, width, channels, filters).
      rate: a positive int.
      padding: "SAME" or "VALID".
      name: optional.
    """
    return convolution(value, filters, None, padding, None, rate, name)


# -- transposed -------------------------------------------------------------------------------------------------------


def _transpose(
    ops: Any,
    rank: int,
    input: Any,
    filters: Any,
    output_shape: Any,
    attrs: dict[str, Any],
    what: str,
    name: Any,
) -> Tensor:
    if output_shape is None:
        raise ValueError(f"{what}: output_shape must be given; got None.")
    sizes = host_ints(output_shape, f"{what}: output_shape")
    input, filters = _pair(input, filters)
    if sizes.__class__ is tuple and len(sizes) == rank:
        sizes = _completed(sizes, input, filters, attrs["data_format"])
    return ops.input(filters, input, input_sizes=sizes, name=name, **attrs)


def _completed(sizes: tuple[int, ...], input: Tensor, filters: Tensor, data_format: str) -> Any:
    """Spatial sizes alone, with the batch of the input and the channels of the filters."""
    batch, channels = layout.static_dims(input)[0], layout.static_dims(filters)[-2]
    return host_ints(
        windows.assemble(batch, sizes, channels, data_format), "tf.nn.conv_transpose: output_shape"
    )


@export("nn.conv2d_transpose")
def conv2d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: str = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The transpose of a two-dimensional convolution: what carries its gradient back to its input.

    Args:
      input: floats of shape (batch, height, width, channels), or channels first.
      filters: of shape (height, width, filters, channels): the last but one are those of the result.
      output_shape: the shape of the result, or its height and width; a convolution of it must have the input's shape.
      strides: an int, or 1, 2 or 4 of them: how far apart the input's elements come to lie.
      padding: "SAME", "VALID", or a pair for each of the four dimensions.
      data_format: "NHWC" or "NCHW".
      dilations: an int, or 1, 2 or 4 of them.
      name: optional.

    Raises:
      InvalidArgumentError: output_shape does not fit the input, the strides and the padding.
      ValueError: output_shape is None, or strides or dilations have another length.
    """
    what = "tf.nn.conv2d_transpose"
    data_format = _format(data_format, 2, what)
    attrs = _attrs(2, strides, padding, data_format, dilations, what)
    return _transpose(conv2d_ops, 2, input, filters, output_shape, attrs, what, name)


@export("nn.conv1d_transpose")
def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str = "NWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The transpose of a one-dimensional convolution; see `tf.nn.conv2d_transpose`.

    Args:
      input: floats of shape (batch, width, channels), or channels first.
      filters: of shape (width, filters, channels).
      output_shape: the three dimensions of the result.
      strides: an int, or 1 or 3 of them.
      padding: "SAME" or "VALID".
      data_format: "NWC" or "NCW".
      dilations: an int, or 1 or 3 of them.
      name: optional.

    Raises:
      InvalidArgumentError: output_shape does not fit the input, the strides and the padding.
    """
    what = "tf.nn.conv1d_transpose"
    _string_padding(padding, what)
    first = _first_of_line(data_format, what)
    attrs = _line_attrs(strides, padding, first, dilations, what)
    axis = 2 if first else 1
    input, filters = _pair(input, filters)
    if output_shape is None:
        raise ValueError(f"{what}: output_shape must be given; got None.")
    sizes = host_ints(output_shape, f"{what}: output_shape")
    if sizes.__class__ is tuple:
        sizes = (*sizes[:axis], 1, *sizes[axis:])
    else:
        sizes = _joined(_joined(sizes[:axis], [1]), sizes[axis:])
    image = layout.expand_dims(input, axis)
    out = _transpose(conv2d_ops, 2, image, layout.expand_dims(filters, 0), sizes, attrs, what, name)
    return layout.squeeze(out, (axis,))


@export("nn.conv3d_transpose")
def conv3d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str = "NDHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The transpose of a three-dimensional convolution; see `tf.nn.conv2d_transpose`.

    Args:
      input: floats of shape (batch, depth, height, width, channels), or channels first.
      filters: of shape (depth, height, width, filters, channels).
      output_shape: the five dimensions of the result, or its three spatial ones.
      strides: an int, or 1, 3 or 5 of them.
      padding: "SAME" or "VALID".
      data_format: "NDHWC" or "NCDHW".
      dilations: an int, or 1, 3 or 5 of them.
      name: optional.

    Raises:
      InvalidArgumentError: output_shape does not fit the input, the strides and the padding.
    """
    what = "tf.nn.conv3d_transpose"
    _string_padding(padding, what)
    data_format = _format(data_format, 3, what)
    attrs = _attrs(3, strides, padding, data_format, dilations, what)
    return _transpose(conv3d_ops, 3, input, filters, output_shape, attrs, what, name)


@export("nn.conv_transpose")
def conv_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str | None = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The transposed convolution over as many spatial dimensions as `output_shape` says, 1 to 3.

    Args:
      input: floats of shape (batch, *sizes, channels), or channels first.
      filters: of shape (*taps, filters, channels).
      output_shape: the shape of the result, of length 3, 4 or 5.
      strides: an int or one for each spatial dimension.
      padding: "SAME" or "VALID".
      data_format: such as "NWC" and "NCHW"; channels last by default.
      dilations: an int or one for each spatial dimension.
      name: optional.

    Raises:
      ValueError: output_shape has another length.
      InvalidArgumentError: output_shape does not fit the input, the strides and the padding.
    """
    sizes = host_ints(output_shape, "tf.nn.conv_transpose: output_shape")
    length = len(sizes) if sizes.__class__ is tuple else sizes.shape[0]
    if length not in (3, 4, 5):
        raise ValueError(
            f"tf.nn.conv_transpose: output_shape must have 3, 4 or 5 entries; got {output_shape}."
        )
    function = {3: conv1d_transpose, 4: conv2d_transpose, 5: conv3d_transpose}[length]
    return function(
        input, filters, sizes, strides, padding, data_format or FORMATS[length - 2][0], dilations, name
    )


@export("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """The transpose of `tf.nn.atrous_conv2d`.

    Args:
      value: floats of shape (batch, height, width, channels).
      filters: of shape (height, width, filters, channels).
      output_shape: the four dimensions of the result.
      rate: the distance between the taps.
      padding: "SAME" or "VALID".
      name: optional.

    Raises:
      InvalidArgumentError: output_shape does not fit.
    """
    return conv2d_transpose(value, filters, output_shape, 1, padding, "NHWC", rate, name)


# -- depthwise --------------------------------------------------------------------------------------------------------


def _depthwise_attrs(
    strides: Any, padding: Any, data_format: Any, dilations: Any, what: str
) -> dict[str, Any]:
    data_format = _format(data_format, 2, what)
    return _attrs(2, _listed(strides, 4, what), padding, data_format, dilations, what)


@export("nn.depthwise_conv2d")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A two-dimensional convolution of every channel by itself, with `multiplier` filters each.

    Args:
      input: floats of shape (batch, height, width, channels), or channels first.
      filter: of shape (height, width, channels, multiplier).
      strides: a list of 4 ints.
      padding: "SAME", "VALID", or a pair for each of the four dimensions.
      data_format: "NHWC" or "NCHW".
      dilations: the 2 distances between the taps.
      name: optional.

    Returns:
      A tensor of shape (batch, out_height, out_width, channels * multiplier); channel c * multiplier + m comes from channel c.

    Raises:
      InvalidArgumentError: ranks, channels or dtypes don't fit.
      TypeError: strides is no list.
    """
    attrs = _depthwise_attrs(strides, padding, data_format, dilations, "tf.nn.depthwise_conv2d")
    input, filter = _pair(input, filter)
    return depthwise2d.forward(input, filter, name=name, **attrs)


@export("nn.depthwise_conv2d_backprop_input")
def depthwise_conv2d_backprop_input(
    input_sizes: Any, filter: Any, out_backprop: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """The gradient of `tf.nn.depthwise_conv2d` with respect to its input of shape `input_sizes`, for that of its result."""
    what = "tf.nn.depthwise_conv2d_backprop_input"
    attrs = _depthwise_attrs(strides, padding, data_format, dilations, what)
    filter, out_backprop = _pair(filter, out_backprop)
    sizes = host_ints(input_sizes, f"{what}: input_sizes")
    return depthwise2d.input(filter, out_backprop, input_sizes=sizes, name=name, **attrs)


@export("nn.depthwise_conv2d_backprop_filter")
def depthwise_conv2d_backprop_filter(
    input: Any, filter_sizes: Any, out_backprop: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """The gradient of `tf.nn.depthwise_conv2d` with respect to its filter of shape `filter_sizes`, for that of its result."""
    what = "tf.nn.depthwise_conv2d_backprop_filter"
    attrs = _depthwise_attrs(strides, padding, data_format, dilations, what)
    input, out_backprop = _pair(input, out_backprop)
    sizes = host_ints(filter_sizes, f"{what}: filter_sizes")
    return depthwise2d.filter(input, out_backprop, filter_sizes=sizes, name=name, **attrs)


@export("nn.separable_conv2d")
def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, data_format: str | None = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`tf.nn.depthwise_conv2d` followed by a convolution with filters of one element, which mixes the channels.

    Args:
      input: floats of shape (batch, height, width, channels), or channels first.
      depthwise_filter: of shape (height, width, channels, multiplier).
      pointwise_filter: of shape (1, 1, channels * multiplier, filters).
      strides: a list of 4 ints, of the depthwise part.
      padding: "SAME", "VALID", or a pair for each of the four dimensions, of the depthwise part.
      data_format: "NHWC" or "NCHW".
      dilations: the 2 distances between the taps, of the depthwise part.
      name: optional.

    Raises:
      ValueError: pointwise_filter has more than one tap.
      InvalidArgumentError: channels or dtypes don't fit.
    """
    pointwise_filter = convert(pointwise_filter)
    dims = pointwise_filter._spec.shape
    if dims is not None and (len(dims) != 4 or any(d not in (None, 1) for d in dims[:2])):
        raise ValueError(
            f"tf.nn.separable_conv2d: pointwise_filter must have shape (1, 1, channels, filters); got {pointwise_filter.shape}."
        )
    depthwise = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(depthwise, pointwise_filter, 1, "VALID", data_format, None, name)


# -- samples ----------------------------------------------------------------------------------------------------------

_HALF = {"float16": 4e-3, "bfloat16": 3e-2}


def _x(*shape: int, dtype: str = "float32") -> Arr:
    return Arr(shape, dtype, -2, 2)


def _w(*shape: int, dtype: str = "float32") -> Arr:
    return Arr(shape, dtype, -1, 1, salt=1)


def _conv2d_cases() -> list[Any]:
    x, w = _x(2, 4, 3, 2), _w(2, 2, 2, 3)
    one = Arr((1, 5, 4, 1)), _w(3, 2, 1, 2)
    return [
        case(x, w, 1, "SAME", grad=(0, 1)), case(x, w, 1, "VALID", grad=(0, 1), id="valid"),
        case(_x(2, 4, 3, 2, dtype="float64"), _w(2, 2, 2, 3, dtype="float64"), 2, "SAME", grad=(0, 1), id="float64"),
        *[case(_x(1, 3, 3, 2, dtype=d), _w(2, 2, 2, 2, dtype=d), 1, "SAME", tol=t, id=d) for d, t in _HALF.items()],
        case(Arr((1, 3, 3, 2), "int32", -5, 5), Arr((2, 2, 2, 2), "int32", -5, 5), 1, "SAME", id="int32"),
        case(*one, [2, 1], "SAME", grad=(0, 1), id="strides"), case(*one, [1, 2, 1, 1], "VALID", grad=(0, 1), id="strides-4"),
        case(*one, 1, "SAME", dilations=2, grad=(0, 1), id="dilations"),
        case(*one, 2, "SAME", dilations=[2, 1], grad=(0, 1), id="strides-dilations"),
        case(*one, 1, [[0, 0], [1, 2], [0, 3], [0, 0]], grad=(0, 1), id="explicit"),
        case(_x(2, 2, 3, 4), w, 1, "SAME", data_format="NCHW", grad=(0, 1), id="nchw"),
        case(x, _w(1, 1, 2, 3), 1, "SAME", grad=(0, 1), id="pointwise"),
        case(x, _w(1, 1, 2, 3), 2, "VALID", grad=(0, 1), id="pointwise-strides"),
        case(_x(1, 3, 3, 4), _w(2, 2, 2, 6), 1, "SAME", grad=(0, 1), id="groups"),
        case(_x(1, 3, 3, 2), _w(2, 2, 1, 4), 2, "SAME", grad=(0, 1), id="groups-of-one"),
        case(_x(2, 1, 3, 3, 2), w, 1, "SAME", grad=(0, 1), id="batch-dimensions"),
        bad(x, _w(2, 2, 3, 3), 1, "SAME", id="channels"), bad(_x(1, 3, 3, 4), _w(2, 2, 2, 5), 1, "SAME", id="filters"),
        bad(Tensor_(x), Tensor_(_w(2, 2, 2, 3, dtype="float64")), 1, "SAME", id="dtypes"), bad(x, _w(2, 2, 3), 1, "SAME", id="filter-rank"),
        bad(x, w, 1, "same", id="lower-case"), bad(x, w, 1, None, error="TypeError", id="no-padding"),
        bad(x, w, 1, [[1, 2], [0, 3]], error="ValueError", id="pairs"), bad(x, w, [1, 2, 1], "SAME", error="ValueError", id="strides-3"),
        bad(x, w, [2, 1, 1, 1], "SAME", error="UnimplementedError", id="batch-stride"), bad(x, w, 0, "SAME", id="stride-0"),
        bad(x, w, 1, "SAME", dilations=0, id="dilation-0"), bad(x, w, 1, "SAME", data_format="NWC", id="format"),
        bad(_x(2, 4, 3, 2, dtype="complex64"), _w(2, 2, 2, 3, dtype="complex64"), 1, "SAME", id="complex"),
    ]  # fmt: skip


sampled("nn.conv2d", _conv2d_cases)
sampled("nn.conv1d", lambda: [
    case(_x(2, 5, 2), _w(3, 2, 2), 1, "SAME", grad=(0, 1)), case(_x(2, 5, 2), _w(2, 2, 3), 2, "VALID", grad=(0, 1), id="stride"),
    case(_x(2, 2, 5), _w(3, 2, 2), [2], "SAME", data_format="NCW", grad=(0, 1), id="ncw"),
    case(_x(2, 6, 1), _w(3, 1, 2), 1, "VALID", dilations=2, grad=(0, 1), id="dilations"),
    case(_x(2, 1, 4, 2), _w(3, 2, 1), 1, "SAME", grad=(0, 1), id="batch-dimensions"),
    case(_x(2, 5, 4), _w(2, 2, 2), 1, "SAME", grad=(0, 1), id="groups"),
    bad(_x(2, 5, 2), _w(3, 2, 2), 1, "CAUSAL", id="causal"), bad(_x(2, 5, 2), _w(3, 3, 2), 1, "SAME", id="channels"),
    bad(_x(2, 5, 2), _w(3, 2, 2), 1, [[0, 0], [1, 1], [0, 0]], error="TypeError", id="explicit"),
])  # fmt: skip
sampled("nn.conv3d", lambda: [
    case(_x(1, 3, 2, 3, 1), _w(2, 2, 2, 1, 2), [1] * 5, "SAME", grad=(0, 1)),
    case(_x(1, 3, 3, 2, 1), _w(2, 1, 2, 1, 2), [1, 2, 1, 1, 1], "VALID", grad=(0, 1), id="strides"),
    case(_x(1, 3, 3, 2, 1, dtype="float64"), _w(2, 2, 1, 1, 2, dtype="float64"), [1] * 5, "SAME", dilations=[1, 2, 1, 1, 1],
         grad=(0, 1), id="dilations"),
    case(_x(1, 2, 2, 2, 2), _w(2, 1, 1, 2, 1), [1] * 5, "SAME", data_format="NCDHW", grad=(0, 1), id="ncdhw"),
    bad(_x(1, 3, 2, 3, 1), _w(2, 2, 2, 1, 2), 1, "SAME", error="TypeError", id="int-strides"),
    bad(_x(1, 3, 2, 3, 1), _w(2, 2, 2, 1, 2), [1, 1, 1], "SAME", id="strides-3"),
])  # fmt: skip
sampled("nn.convolution", lambda: [
    case(_x(2, 5, 2), _w(3, 2, 2), grad=(0, 1), id="1d"), case(_x(1, 4, 3, 2), _w(2, 2, 2, 2), 2, "SAME", grad=(0, 1), id="2d"),
    case(_x(1, 4, 5, 1), _w(2, 2, 1, 2), dilations=[1, 2], grad=(0, 1), id="dilations"),
    case(_x(1, 3, 2, 3, 1), _w(2, 2, 2, 1, 2), grad=(0, 1), id="3d"),
    case(_x(1, 2, 3, 4), _w(2, 2, 2, 2), padding="SAME", data_format="NCHW", grad=(0, 1), id="nchw"),
    bad(_x(1, 2, 2, 2, 2, 1), _w(1, 1, 1, 1, 1, 2), error="ValueError", id="4d"),
    bad(_x(1, 4, 3, 2), _w(2, 2, 2, 2), 2, "SAME", None, 2, error="ValueError", id="both"),
    bad(_x(1, 4, 3, 2), _w(2, 2, 2, 2), dilations=0, error="ValueError", id="dilation-0"),
])  # fmt: skip
sampled("nn.atrous_conv2d", lambda: [
    case(_x(1, 5, 4, 1), _w(2, 2, 1, 2), 2, "SAME", grad=(0, 1)), case(_x(1, 5, 4, 1), _w(2, 2, 1, 2), 2, "VALID", grad=(0, 1), id="valid"),
    bad(_x(1, 5, 4, 1), _w(2, 2, 1, 2), 0, "SAME", error="ValueError", id="rate-0"),
])  # fmt: skip


def _transpose_cases() -> list[Any]:
    x, w = _x(2, 2, 3, 2), _w(3, 2, 1, 2)
    return [
        case(x, w, [2, 4, 6, 1], 2, grad=(0, 1)), case(x, w, [2, 5, 6, 1], 2, "VALID", grad=(0, 1), id="valid"),
        case(x, w, [2, 6, 7, 1], 2, "VALID", grad=(0, 1), id="valid-longer"),
        case(_x(2, 2, 2, 3), w, [2, 1, 4, 6], 2, data_format="NCHW", grad=(0, 1), id="nchw"),
        case(x, w, [2, 2, 3, 1], 1, dilations=2, grad=(0, 1), id="dilations"),
        case(x, w, [2, 3, 6, 1], 2, [[0, 0], [1, 1], [0, 0], [0, 0]], grad=(0, 1), id="explicit"),
        case(x, w, [4, 6], 2, grad=(0, 1), id="sizes"), bad(x, w, [2, 4, 6, 3], 2, id="channels"),
        bad(x, w, None, 2, error="ValueError", id="no-shape"),
    ]  # fmt: skip


sampled("nn.conv2d_transpose", _transpose_cases)
sampled("nn.conv1d_transpose", lambda: [
    case(_x(2, 3, 2), _w(3, 1, 2), [2, 6, 1], 2, grad=(0, 1)),
    case(_x(2, 2, 3), _w(3, 1, 2), [2, 1, 6], 2, data_format="NCW", grad=(0, 1), id="ncw"),
    case(_x(2, 3, 2), _w(3, 1, 2), [2, 7, 1], 2, "VALID", grad=(0, 1), id="valid"),
])  # fmt: skip
sampled("nn.conv3d_transpose", lambda: [
    case(_x(1, 2, 1, 2, 2), _w(2, 3, 2, 1, 2), [1, 4, 2, 4, 1], 2, grad=(0, 1)),
    case(_x(1, 2, 2, 1, 2), _w(2, 2, 2, 1, 2), [1, 1, 3, 2, 3], 1, "VALID", data_format="NCDHW", grad=(0, 1), id="ncdhw"),
])  # fmt: skip
sampled("nn.conv_transpose", lambda: [
    case(_x(2, 3, 2), _w(3, 1, 2), [2, 6, 1], 2, grad=(0, 1), id="1d"),
    case(_x(1, 2, 3, 2), _w(3, 2, 1, 2), [1, 4, 6, 1], 2, grad=(0, 1), id="2d"),
    case(_x(1, 2, 1, 2, 2), _w(2, 3, 2, 1, 2), [1, 4, 2, 4, 1], 2, grad=(0, 1), id="3d"),
    bad(_x(1, 2, 3, 2), _w(3, 2, 1, 2), [1, 4], 2, error="ValueError", id="short"),
])  # fmt: skip
sampled("nn.atrous_conv2d_transpose", lambda: [
    case(_x(1, 4, 3, 2), _w(2, 2, 1, 2), [1, 4, 3, 1], 2, "SAME", grad=(0, 1)),
    case(_x(1, 4, 3, 2), _w(2, 2, 1, 2), [1, 6, 5, 1], 2, "VALID", grad=(0, 1), id="valid"),
])  # fmt: skip


def _depthwise_cases() -> list[Any]:
    x, w, ones = _x(2, 4, 3, 2), _w(2, 2, 2, 1), [1, 1, 1, 1]
    return [
        case(x, w, ones, "SAME", grad=(0, 1)), case(x, _w(3, 2, 2, 2), ones, "VALID", grad=(0, 1), id="multiplier"),
        case(x, w, [1, 2, 2, 1], "SAME", grad=(0, 1), id="strides"),
        case(x, w, ones, "SAME", None, [2, 2], grad=(0, 1), id="dilations"),
        case(x, w, ones, [[0, 0], [1, 1], [2, 0], [0, 0]], grad=(0, 1), id="explicit"),
        case(_x(1, 2, 3, 3), _w(2, 2, 2, 2), ones, "SAME", "NCHW", grad=(0, 1), id="nchw"),
        case(_x(2, 4, 3, 2, dtype="float64"), _w(2, 2, 2, 3, dtype="float64"), ones, "SAME", grad=(0, 1), id="float64"),
        *[case(_x(1, 3, 3, 2, dtype=d), _w(2, 2, 2, 2, dtype=d), ones, "SAME", tol=t, id=d) for d, t in _HALF.items()],
        bad(x, _w(2, 2, 3, 1), ones, "SAME", id="channels"), bad(x, w, 1, "SAME", error="TypeError", id="int-strides"),
        bad(x, w, [1, 1], "SAME", id="strides-2"), bad(x, w, ones, "same", id="lower-case"),
        bad(_x(1, 3, 3, 2, dtype="int32"), _w(2, 2, 2, 2, dtype="int32"), ones, "SAME", id="int32"),
    ]  # fmt: skip


sampled("nn.depthwise_conv2d", _depthwise_cases)
sampled("nn.depthwise_conv2d_backprop_input", lambda: [
    case([1, 3, 4, 2], _w(2, 2, 2, 2), _x(1, 3, 4, 4), [1] * 4, "SAME", grad=(1, 2)),
    case([1, 4, 4, 2], _w(3, 2, 2, 1), _x(1, 2, 2, 2), [1, 2, 2, 1], "SAME", grad=(1, 2), id="strides"),
])  # fmt: skip
sampled("nn.depthwise_conv2d_backprop_filter", lambda: [
    case(_x(1, 3, 4, 2), [2, 2, 2, 2], Arr((1, 3, 4, 4), salt=2), [1] * 4, "SAME", grad=(0, 2)),
    case(_x(1, 4, 4, 2), [3, 2, 2, 1], Arr((1, 2, 2, 2), salt=2), [1, 2, 2, 1], "SAME", grad=(0, 2), id="strides"),
])  # fmt: skip
sampled("nn.separable_conv2d", each(
    case(_x(1, 4, 3, 2), _w(2, 2, 2, 2), _w(1, 1, 4, 3), [1] * 4, "SAME", grad=(0, 1, 2)),
    case(_x(1, 4, 3, 2), _w(2, 2, 2, 1), _w(1, 1, 2, 3), [1, 2, 2, 1], "VALID", grad=(0, 1, 2), id="strides"),
    bad(_x(1, 4, 3, 2), _w(2, 2, 2, 2), _w(1, 1, 3, 3), [1] * 4, "SAME", id="channels"),
    bad(_x(1, 4, 3, 2), _w(2, 2, 2, 2), _w(3, 3, 4, 3), [1] * 4, "SAME", error="ValueError", id="pointwise"),
))  # fmt: skip

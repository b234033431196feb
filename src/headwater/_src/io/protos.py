"""`tf.io.decode_proto` and `tf.io.encode_proto`: the fields of serialized protocol buffers as tensors, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.dtypes import as_dtype, int32
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec
from headwater._src.io import wire
from headwater._src.io.descriptors import Field, messages_of
from headwater._src.io.opaque import STRING, HostOp, mapped, strings

_INT32 = np.dtype(np.int32)


class DecodeProtoV2(NamedTuple):
    """What `tf.io.decode_proto` gives: how many values each field of each message has, and the values."""

    sizes: Any
    values: Any


def _fields(message_type: str, names: Sequence[str], source: Any, what: str) -> list[Field]:
    """The fields of these names; InvalidArgumentError where there is no such message or field."""
    messages = messages_of(source, what)
    if message_type not in messages:
        raise invalid(
            f"{what}: the descriptor source has no message {message_type!r}; it has {sorted(messages)[:9]}."
        )
    fields = messages[message_type]
    for name in names:
        if name not in fields:
            raise invalid(f"{what}: {message_type} has no field {name!r}; it has {sorted(fields)[:20]}.")
        if fields[name].kind is None:
            raise NotImplementedError(
                f"{what}: the field {name!r} is a group, which this version of headwater does not read."
            )
    return [fields[name] for name in names]


def _check_dtype(field: Field, name: str, what: str) -> None:
    assert field.kind is not None
    if name not in field.kind.dtypes:
        raise invalid(
            f"{what}: the field {field.name!r} is {field.kind.name}; its dtype is one of {field.kind.dtypes}, not {name}."
        )


@export("io.decode_proto")
def decode_proto(
    bytes: Any, message_type: str, field_names: Sequence[str], output_types: Sequence[Any],
    descriptor_source: Any = "local://", message_format: str = "binary", sanitize: bool = False, name: str | None = None,
) -> DecodeProtoV2:  # fmt: skip
    """The fields of serialized protocol buffers as tensors.

    Args:
      bytes: serialized messages, a tensor of strings of any shape.
      message_type: the full name of the message, such as "package.Message".
      field_names: the fields to read.
      output_types: a dtype for each: float fields may be float32 or float64, integers of 32 bits may be 64 bits wide, messages
        and bytes are strings.
      descriptor_source: the name of a file with a FileDescriptorSet, or b"bytes://" and its content.
      message_format: "binary".
      sanitize: accepted; what can't be read is an error in any case.

    Returns:
      A pair (sizes, values): sizes [*shape, number of fields], int32, how many values each field has; values, a list with a
      tensor [*shape, most values] for each field, filled up with the field's default.

    Raises:
      InvalidArgumentError: there is no such message or field, a dtype does not fit, or there is no message to read.
      DataLossError: a message is damaged.
      NotImplementedError: text messages, groups, and messages without a descriptor source.
    """
    what = "tf.io.decode_proto"
    tensor = strings(bytes, what)
    if message_format not in ("binary", "text"):
        raise invalid(f"{what}: message_format is 'binary' or 'text'; got {message_format!r}.")
    if message_format == "text":
        raise NotImplementedError(f"{what}: this version of headwater reads binary messages only.")
    dtypes = [as_dtype(t) for t in output_types]
    if len(dtypes) != len(field_names):
        raise invalid(f"{what}: {len(field_names)} fields need as many output_types; got {len(dtypes)}.")
    fields = _fields(message_type, field_names, descriptor_source, what)
    for field, dtype in zip(fields, dtypes, strict=True):
        _check_dtype(field, dtype.name, what)
    shape = tensor.shape._dims
    if shape is None:
        specs = [Spec(None, _INT32), *(Spec(None, d.np) for d in dtypes)]
    else:
        specs = [Spec((*shape, len(fields)), _INT32), *(Spec((*shape, None), d.np) for d in dtypes)]
    found = _DECODE([tensor], (tuple(fields), tuple(d.np for d in dtypes)), specs, name)
    return DecodeProtoV2(found[0], list(found[1:]))


def _decode(
    messages: np.ndarray, how: tuple[tuple[Field, ...], tuple[np.dtype, ...]]
) -> tuple[np.ndarray, ...]:
    fields, dtypes = how
    if not messages.size:
        raise invalid("tf.io.decode_proto: there must be at least one message.")
    rows = [_values_of(m, fields) for m in messages.reshape(-1)]
    sizes = np.array([[len(v) for v in row] for row in rows], np.int32).reshape(*messages.shape, len(fields))
    made = [sizes]
    for column, (field, dtype) in enumerate(zip(fields, dtypes, strict=True)):
        found = [row[column] for row in rows]
        widest = max(1, *map(len, found)) if len(found) > 1 else max(1, len(found[0]))
        fill = b"" if dtype.kind == "O" else 0
        out = np.full((len(found), widest), fill if field.repeated else field.default, dtype)
        for i, values in enumerate(found):
            out[i, : len(values)] = values
        made.append(out.reshape(*messages.shape, widest))
    return tuple(made)


_DECODE = HostOp("DecodeProtoV2", _decode)


def _values_of(data: bytes, fields: Sequence[Field]) -> list[list[Any]]:
    """The values of each field in a message; of a field that is not repeated the last counts."""
    wanted: dict[int, Field] = {f.number: f for f in fields}
    found: dict[int, list[Any]] = {f.number: [] for f in fields}
    for number, form, a, b in wire.fields(data):
        field = wanted.get(number)
        if field is None:
            continue
        kind = field.kind
        assert kind is not None
        if form == wire.BYTES != kind.wire_type:
            found[number] += _packed(data, a, b, field)
        elif form == kind.wire_type:
            found[number].append(_value(data, a, b, field))
    return [found[f.number] if f.repeated else found[f.number][-1:] for f in fields]


def _value(data: bytes, a: int, b: int, field: Field) -> Any:
    kind = field.kind
    assert kind is not None
    if kind.fixed is not None:
        return kind.fixed.unpack_from(data, a)[0]
    return data[a:b] if kind.wire_type == wire.BYTES else kind.decode(a)


def _packed(data: bytes, at: int, end: int, field: Field) -> list[Any]:
    kind = field.kind
    assert kind is not None
    if kind.fixed is not None:
        if (end - at) % kind.fixed.size:
            raise wire.damaged("a list of numbers has a broken length")
        return [v[0] for v in kind.fixed.iter_unpack(data[at:end])]
    found = []
    while at < end:
        value, at = wire.read_varint(data, at)
        found.append(kind.decode(value))
    if at != end:
        raise wire.damaged("an integer is longer than its field")
    return found


@export("io.encode_proto")
def encode_proto(
    sizes: Any, values: Sequence[Any], field_names: Sequence[str], message_type: str,
    descriptor_source: Any = "local://", name: str | None = None,
) -> Any:  # fmt: skip
    """Serialized protocol buffers out of the values of their fields.

    Args:
      sizes: how many values each field of each message has, int32 [*shape, number of fields].
      values: a tensor [*shape, most values] for each field.
      field_names: the fields, in that order.
      message_type: the full name of the message, such as "package.Message".
      descriptor_source: the name of a file with a FileDescriptorSet, or b"bytes://" and its content.

    Returns:
      A tensor of strings of that shape. Fields stand in the order of their numbers.

    Raises:
      InvalidArgumentError: there is no such message or field, or dtypes, shapes or sizes don't fit.
      NotImplementedError: groups, and messages without a descriptor source.
    """
    what = "tf.io.encode_proto"
    given = [convert(sizes, int32), *(convert(v) for v in values)]
    if len(values) != len(field_names) or not values:
        raise invalid(f"{what}: {len(field_names)} fields need as many values; got {len(values)}.")
    fields = _fields(message_type, field_names, descriptor_source, what)
    for field, tensor in zip(fields, given[1:], strict=True):
        _check_dtype(field, tensor.dtype.name, what)
    shape = given[0].shape._dims
    spec = Spec(None if shape is None else shape[:-1], STRING)
    return _ENCODE(given, tuple(fields), [spec], name)[0]


def _encode(sizes: np.ndarray, *arrays: Any) -> tuple[np.ndarray]:
    what = "tf.io.encode_proto"
    *values, fields = arrays
    shape = sizes.shape[:-1]
    if sizes.shape[-1:] != (len(fields),):
        raise invalid(
            f"{what}: sizes need a last dimension of {len(fields)}, one for each field; got {sizes.shape}."
        )
    for field, array in zip(fields, values, strict=True):
        if not shape or array.shape[:-1] != shape:
            raise invalid(
                f"{what}: the values of {field.name!r} have shape {array.shape}; sizes of {sizes.shape} need {(*shape, 'n')}."
            )
    order = sorted(range(len(fields)), key=lambda i: fields[i].number)
    for i in order:
        if sizes[..., i].max(initial=0) > values[i].shape[-1]:
            raise invalid(
                f"{what}: sizes ask for {sizes[..., i].max()} values of {fields[i].name!r}; there are {values[i].shape[-1]}."
            )
    flat = [v.reshape(-1, v.shape[-1]) for v in values]
    counts = sizes.reshape(-1, len(fields)).tolist()
    rows = np.array(range(len(counts)), object).reshape(shape)
    return (
        mapped(
            rows, lambda r: b"".join([_written(fields[i], flat[i][r, : max(counts[r][i], 0)]) for i in order])
        ),
    )


_ENCODE = HostOp("EncodeProto", _encode)


def _written(field: Field, values: np.ndarray) -> bytes:
    """A field with its values, as it is on the wire."""
    kind = field.kind
    assert kind is not None
    if kind.wire_type == wire.BYTES:
        return b"".join([wire.field(field.number, v) for v in values.tolist()])
    if kind.fixed is not None:
        parts = [kind.fixed.pack(v) for v in values.tolist()]
    else:
        parts = [wire.varint(kind.encode(v)) for v in values.tolist()]
    if field.packed and parts:
        return wire.field(field.number, b"".join(parts))
    tag = wire.varint(field.number << 3 | kind.wire_type)
    return b"".join([tag + p for p in parts])

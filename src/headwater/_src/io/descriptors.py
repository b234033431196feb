"""Descriptions of protocol buffer messages, out of a serialized `FileDescriptorSet`, and the numbers and strings on the wire.

(The messages of descriptor.proto and the encodings are documented at protobuf.dev.)
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import DataLossError, invalid
from headwater._src.io import wire
from headwater._src.io.gfile import _path

_DEPTH = 64
"""No messages are nested deeper."""
_BYTES = "bytes://"


class Kind(NamedTuple):
    """A type of fields: its name, its wire type, the dtypes that hold its values, and its encoding.

    Fixed numbers have a struct; `decode` and `encode` go from an unsigned integer of 64 bits to a value and back.
    """

    name: str
    wire_type: int
    dtypes: tuple[str, ...]
    fixed: struct.Struct | None = None
    decode: Callable[[int], Any] = int
    encode: Callable[[Any], int] = int


def _signed_32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _from_zigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


def _to_zigzag(value: int) -> int:
    return value << 1 ^ value >> 63


_WIDE, _SMALL = ("int64",), ("int64", "int32")
KINDS = {
    1: Kind("double", wire.FIXED64, ("float64",), struct.Struct("<d")),
    2: Kind("float", wire.FIXED32, ("float64", "float32"), struct.Struct("<f")),
    3: Kind("int64", wire.VARINT, _WIDE, None, wire.signed),
    4: Kind("uint64", wire.VARINT, ("uint64",)),
    5: Kind("int32", wire.VARINT, _SMALL, None, _signed_32),
    6: Kind("fixed64", wire.FIXED64, ("uint64",), struct.Struct("<Q")),
    7: Kind("fixed32", wire.FIXED32, ("uint64", "uint32"), struct.Struct("<I")),
    8: Kind("bool", wire.VARINT, ("bool",), None, bool),
    9: Kind("string", wire.BYTES, ("string",)),
    11: Kind("message", wire.BYTES, ("string",)),
    12: Kind("bytes", wire.BYTES, ("string",)),
    13: Kind("uint32", wire.VARINT, ("uint64", "uint32"), None, lambda v: v & 0xFFFFFFFF),
    14: Kind("enum", wire.VARINT, ("int32",), None, _signed_32),
    15: Kind("sfixed32", wire.FIXED32, _SMALL, struct.Struct("<i")),
    16: Kind("sfixed64", wire.FIXED64, _WIDE, struct.Struct("<q")),
    17: Kind("sint32", wire.VARINT, _SMALL, None, lambda v: _signed_32(_from_zigzag(v)), _to_zigzag),
    18: Kind("sint64", wire.VARINT, _WIDE, None, _from_zigzag, _to_zigzag),
}
"""By the number of the type in descriptor.proto; groups (10) are left out."""


class Field(NamedTuple):
    """A field of a message."""

    name: str
    number: int
    kind: Kind | None
    repeated: bool
    packed: bool
    default: Any


Messages = dict[str, dict[str, Field]]


def messages_of(source: Any, what: str) -> Messages:
    """The messages that a descriptor source describes, by full name, each with its fields by name.

    Args:
      source: "bytes://" and a serialized FileDescriptorSet, or the name of a file that holds one.
      what: names the operation in messages.

    Raises:
      NotImplementedError: the source is "local://", the messages that TensorFlow's own program was built with.
      InvalidArgumentError: there is no such file, or it is no FileDescriptorSet.
    """
    data = source.encode("utf-8", "surrogateescape") if isinstance(source, str) else bytes(source)
    if data in (b"", b"local://"):
        raise NotImplementedError(
            f"{what}: no messages are built in; give descriptor_source the name of a file with a FileDescriptorSet, as "
            "protoc --descriptor_set_out writes it, or b'bytes://' and its content."
        )
    prefix = _BYTES.encode()
    if data.startswith(prefix):
        return _messages(data[len(prefix) :], what)
    try:
        with open(_path(data), "rb") as file:
            return _messages(file.read(), what)
    except OSError as error:
        raise invalid(f"{what}: the descriptor source {data!r} can't be read: {error}") from None


@functools.lru_cache(maxsize=8)
def _messages(data: bytes, what: str) -> Messages:
    try:
        found: Messages = {}
        for file in _parts(data).get(1, []):
            tree = _parts(file)
            package = _text(tree, 2)
            enums: dict[str, int] = {}
            _add(tree, 4, 5, f".{package}" if package else "", _text(tree, 12) == "proto3", found, enums, 0)
        return found
    except (DataLossError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise invalid(f"{what}: the descriptor source holds no FileDescriptorSet: {error}") from None


def _parts(data: bytes) -> dict[int, list[Any]]:
    """The fields of a message: integers, and bytes for everything else."""
    found: dict[int, list[Any]] = {}
    for number, form, a, b in wire.fields(data):
        found.setdefault(number, []).append(a if form == wire.VARINT else data[a:b])
    return found


def _text(tree: dict[int, list[Any]], number: int) -> str:
    return tree[number][-1].decode() if number in tree else ""


def _add(
    tree: dict[int, list[Any]], messages: int, enums: int, scope: str, proto3: bool, found: Messages,
    numbers: dict[str, int], depth: int,
) -> None:  # fmt: skip
    """Adds the messages of a file or of a message; `numbers` are the values of enumerations, by their names' full paths."""
    if depth > _DEPTH:
        raise ValueError(f"messages are nested deeper than {_DEPTH}")
    for enum in map(_parts, tree.get(enums, [])):
        path = f"{scope}.{_text(enum, 1)}"
        for value in map(_parts, enum.get(2, [])):
            number = _signed_32(value.get(2, [0])[-1])
            numbers.setdefault(path, number)  # the first is the default
            numbers[f"{path}.{_text(value, 1)}"] = number
    for message in map(_parts, tree.get(messages, [])):
        path = f"{scope}.{_text(message, 1)}"
        _add(message, 3, 4, path, proto3, found, numbers, depth + 1)
        fields = [_field(f, proto3, numbers) for f in map(_parts, message.get(2, []))]
        found[path[1:]] = {f.name: f for f in fields}


def _field(tree: dict[int, list[Any]], proto3: bool, numbers: dict[str, int]) -> Field:
    kind = KINDS.get(tree.get(5, [0])[-1])
    repeated = tree.get(4, [1])[-1] == 3
    options = _parts(tree[8][-1]) if 8 in tree else {}
    packed = bool(options.get(2, [proto3])[-1])
    packed = packed and repeated and kind is not None and kind.wire_type != wire.BYTES
    given = _text(tree, 7) if 7 in tree else None
    default = _default(kind, given, _text(tree, 6), numbers)
    return Field(_text(tree, 1), int(tree[3][-1]), kind, repeated, packed, default)


def _default(kind: Kind | None, given: str | None, type_name: str, numbers: dict[str, int]) -> Any:
    if kind is None:
        return None
    if kind.name == "enum":
        return numbers.get(type_name if given is None else f"{type_name}.{given}", 0)
    if given is None:
        return b"" if kind.wire_type == wire.BYTES else 0
    if kind.name == "bytes":
        return given.encode().decode("unicode_escape").encode("latin-1")
    if kind.name == "bool":
        return given == "true"
    if kind.name == "string":
        return given.encode()
    return float(given) if kind.dtypes[0] == "float64" else np.dtype(kind.dtypes[-1]).type(int(given)).item()

"""`tf.train.Example` and its parts: messages of named features, which are lists of bytes, floats or integers.

They read and write the format of the protocol buffers of the same names, and behave like them where programs handle them:
fields are there when asked for, lists can be extended, `SerializeToString` and `FromString` go both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from headwater._src.base.exporting import export
from headwater._src.io import wire


class _Message:
    """Base of the messages: fields by name, each a list of scalars, a message, a list or a map of messages."""

    FIELDS: dict[str, int] = {}

    def __init__(self, **values: Any) -> None:
        self.Clear()
        for name, value in values.items():
            if name not in self.FIELDS:
                raise ValueError(
                    f"{type(self).__name__} has no field {name!r}; it has {sorted(self.FIELDS)}."
                )
            if value is not None:
                self._assign(name, value)

    def Clear(self) -> None:
        """Empties the message."""
        raise NotImplementedError

    def _assign(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def _merge(self, data: bytes, at: int, end: int) -> None:
        raise NotImplementedError

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes; names are in order, so equal messages give equal bytes."""
        raise NotImplementedError

    SerializePartialToString = SerializeToString

    @classmethod
    def FromString(cls, serialized: bytes) -> Any:
        """The message in `serialized`; DataLossError where it is damaged."""
        message = cls()
        message.MergeFromString(serialized)
        return message

    def ParseFromString(self, serialized: bytes) -> int:
        """Becomes the message in `serialized`; gives the number of bytes."""
        self.Clear()
        return self.MergeFromString(serialized)

    def MergeFromString(self, serialized: bytes) -> int:
        """Adds what is in `serialized`."""
        data = bytes(serialized)
        self._merge(data, 0, len(data))
        return len(data)

    def CopyFrom(self, other: Any) -> None:
        """Becomes equal to `other`."""
        self.ParseFromString(other.SerializeToString())

    def MergeFrom(self, other: Any) -> None:
        """Adds what is in `other`."""
        self.MergeFromString(other.SerializeToString())

    def ByteSize(self) -> int:
        """The length of the serialized message."""
        return len(self.SerializeToString())

    def IsInitialized(self) -> bool:
        """True: no field is required."""
        return True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.SerializeToString() == other.SerializeToString()  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return type(self).FromString, (self.SerializeToString(),)

    def _text(self, indent: str) -> Iterator[str]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return "".join(line + "\n" for line in self._text(""))

    __str__ = __repr__


def quoted(value: bytes) -> str:
    simple = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\"}
    return '"' + "".join(simple.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in value) + '"'


class _Scalars(list):
    """The values of a list message; everything that comes in is checked."""

    def __init__(self, check: Callable[[Any], Any], values: Iterable[Any] = ()) -> None:
        self.check = check
        super().__init__(map(check, values))

    def append(self, value: Any) -> None:
        """Adds a value."""
        super().append(self.check(value))

    def extend(self, values: Iterable[Any]) -> None:
        """Adds values."""
        super().extend(list(map(self.check, values)))

    def insert(self, index: Any, value: Any) -> None:
        """Adds a value before the one of that number."""
        super().insert(index, self.check(value))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(
            index, list(map(self.check, value)) if isinstance(index, slice) else self.check(value)
        )

    def __iadd__(self, values: Any) -> _Scalars:  # type: ignore[misc]
        self.extend(values)
        return self

    def __deepcopy__(self, memo: Any) -> _Scalars:
        return _Scalars(self.check, self)

    __copy__ = __deepcopy__


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(
            f"BytesList takes bytes; got {value!r} of type {type(value).__name__}. Text has .encode()."
        )
    return bytes(value)


def _float(value: Any) -> float:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"FloatList takes numbers; got {value!r} of type {type(value).__name__}.")
    return float(np.float32(float(value)))


def _int(value: Any) -> int:
    if isinstance(value, (float, np.floating)) or not hasattr(value, "__index__"):
        raise TypeError(f"Int64List takes integers; got {value!r} of type {type(value).__name__}.")
    number = value.__index__()
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"Int64List takes 64-bit integers; got {number}.")
    return int(number)


class _ListMessage(_Message):
    FIELDS = {"value": 1}
    CHECK: Callable[[Any], Any]

    def Clear(self) -> None:
        """Empties the list."""
        self._value = _Scalars(type(self).CHECK)

    def _assign(self, name: str, value: Any) -> None:
        self._value = _Scalars(
            type(self).CHECK, np.asarray(value).tolist() if isinstance(value, np.ndarray) else value
        )

    @property
    def value(self) -> Any:
        """The values."""
        return self._value

    def _text(self, indent: str) -> Iterator[str]:
        for value in self._value:
            shown = quoted(value) if value.__class__ is bytes else value
            if shown.__class__ is float:
                short = str(np.float32(shown))
                shown = short[:-2] if short.endswith(".0") else short
            yield f"{indent}value: {shown}"


@export("train.BytesList")
class BytesList(_ListMessage):
    """A list of byte strings: `BytesList(value=[b"a"])`."""

    CHECK = staticmethod(_bytes)

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        return b"".join([wire.field(1, v) for v in self._value])

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            if number == 1 and kind == wire.BYTES:
                list.append(self._value, data[a:b])


@export("train.FloatList")
class FloatList(_ListMessage):
    """A list of 32-bit floats: `FloatList(value=[1.0])`."""

    CHECK = staticmethod(_float)

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        return wire.field(1, np.array(self._value, "<f4").tobytes()) if self._value else b""

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            if number == 1 and kind in (wire.BYTES, wire.FIXED32):
                list.extend(self._value, wire.floats(data, a, b).tolist())


@export("train.Int64List")
class Int64List(_ListMessage):
    """A list of 64-bit integers: `Int64List(value=[1])`."""

    CHECK = staticmethod(_int)

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        return wire.field(1, wire.pack_ints(self._value)) if self._value else b""

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            if number == 1 and kind == wire.BYTES:
                list.extend(self._value, wire.packed_ints(data, a, b))
            elif number == 1 and kind == wire.VARINT:
                list.append(self._value, wire.signed(a))


_KINDS: dict[str, type[_ListMessage]] = {
    "bytes_list": BytesList,
    "float_list": FloatList,
    "int64_list": Int64List,
}


@export("train.Feature")
class Feature(_Message):
    """One of three lists: `Feature(int64_list=Int64List(value=[1]))`."""

    FIELDS = {"bytes_list": 1, "float_list": 2, "int64_list": 3}

    def Clear(self) -> None:
        """Forgets the list."""
        self._kind: str | None = None
        self._lists: dict[str, _ListMessage] = {}

    def _assign(self, name: str, value: Any) -> None:
        if not isinstance(value, (_KINDS[name], dict)):
            raise TypeError(f"Feature: {name} must be a {_KINDS[name].__name__}; got {value!r}.")
        self._kind, self._lists = (
            name,
            {name: value if isinstance(value, _Message) else _KINDS[name](**value)},
        )

    def _list(self, name: str) -> Any:
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = _KINDS[name]()
        return found

    bytes_list: Any = property(lambda self: self._list("bytes_list"))
    float_list: Any = property(lambda self: self._list("float_list"))
    int64_list: Any = property(lambda self: self._list("int64_list"))

    def WhichOneof(self, oneof_group: str) -> str | None:
        """The name of the list that it holds, for "kind"; None where it holds none."""
        if oneof_group != "kind":
            raise ValueError(f"Feature has the group 'kind' only; got {oneof_group!r}.")
        filled = [n for n, m in self._lists.items() if m.value]
        return filled[-1] if filled else self._kind

    def HasField(self, field_name: str) -> bool:
        """Whether it holds that list."""
        if field_name not in self.FIELDS:
            raise ValueError(f"Feature has no field {field_name!r}.")
        return self.WhichOneof("kind") == field_name

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        kind = self.WhichOneof("kind")
        return b"" if kind is None else wire.field(self.FIELDS[kind], self._lists[kind].SerializeToString())

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            name = next((n for n, i in self.FIELDS.items() if i == number), None)
            if name is not None and kind == wire.BYTES:
                if self._kind != name:
                    self._kind, self._lists = name, {name: _KINDS[name]()}
                self._lists[name]._merge(data, a, b)

    def _text(self, indent: str) -> Iterator[str]:
        kind = self.WhichOneof("kind")
        if kind is not None:
            yield f"{indent}{kind} {{"
            yield from self._lists[kind]._text(indent + "  ")
            yield f"{indent}}}"


class _Map(dict):
    """Messages by name; asking for one makes it."""

    def __init__(self, kind: type[_Message]) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, key: str) -> Any:
        if not isinstance(key, str):
            raise TypeError(f"Features have names, str; got {key!r}.")
        made = self[key] = self.kind()
        return made

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(value, self.kind):
            raise TypeError(f"A {self.kind.__name__} was expected; got {value!r}.")
        super().__setitem__(key, value)

    def get_or_create(self, key: str) -> Any:
        """The message of that name, made where there is none."""
        return self[key]


class _MapMessage(_Message):
    KIND: type[_Message]
    NAME: str

    def Clear(self) -> None:
        """Empties the map."""
        self._map = _Map(self.KIND)

    def _assign(self, name: str, value: Any) -> None:
        for key, message in dict(value).items():
            self._map[key] = message

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        entries = (
            wire.field(1, key.encode()) + wire.field(2, self._map[key].SerializeToString())
            for key in sorted(self._map)
        )
        return b"".join([wire.field(1, entry) for entry in entries])

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            if number != 1 or kind != wire.BYTES:
                continue
            key, message = "", self.KIND()
            for inner, inner_kind, c, d in wire.fields(data, a, b):
                if inner == 1 and inner_kind == wire.BYTES:
                    key = data[c:d].decode("utf-8", "surrogateescape")
                elif inner == 2 and inner_kind == wire.BYTES:
                    message._merge(data, c, d)
            self._map[key] = message

    def _text(self, indent: str) -> Iterator[str]:
        for key in sorted(self._map):
            yield f"{indent}{self.NAME} {{"
            yield f"{indent}  key: {quoted(key.encode())}"
            yield f"{indent}  value {{"
            yield from self._map[key]._text(indent + "    ")
            yield f"{indent}  }}"
            yield f"{indent}}}"


@export("train.Features")
class Features(_MapMessage):
    """Features by name: `Features(feature={"x": Feature(...)})`."""

    FIELDS = {"feature": 1}
    KIND = Feature
    NAME = "feature"
    feature: Any = property(lambda self: self._map)


@export("train.FeatureList")
class FeatureList(_Message):
    """Features in order: `FeatureList(feature=[Feature(...)])`."""

    FIELDS = {"feature": 1}

    def Clear(self) -> None:
        """Empties the list."""
        self._feature: _Features = _Features()

    def _assign(self, name: str, value: Any) -> None:
        self._feature = _Features(value)

    feature: Any = property(lambda self: self._feature)

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        return b"".join([wire.field(1, f.SerializeToString()) for f in self._feature])

    def _merge(self, data: bytes, at: int, end: int) -> None:
        for number, kind, a, b in wire.fields(data, at, end):
            if number == 1 and kind == wire.BYTES:
                self._feature.add()._merge(data, a, b)

    def _text(self, indent: str) -> Iterator[str]:
        for feature in self._feature:
            yield f"{indent}feature {{"
            yield from feature._text(indent + "  ")
            yield f"{indent}}}"


class _Features(list):
    def add(self, **values: Any) -> Feature:
        """A new feature at the end."""
        self.append(Feature(**values))
        return self[-1]  # type: ignore[no-any-return]


@export("train.FeatureLists")
class FeatureLists(_MapMessage):
    """Lists of features by name: `FeatureLists(feature_list={"steps": FeatureList(...)})`."""

    FIELDS = {"feature_list": 1}
    KIND = FeatureList
    NAME = "feature_list"
    feature_list: Any = property(lambda self: self._map)


class _Holder(_Message):
    PARTS: dict[str, type[_Message]] = {}

    def Clear(self) -> None:
        """Empties the message."""
        self._parts = {name: kind() for name, kind in self.PARTS.items()}
        self._set: set[str] = set()

    def _assign(self, name: str, value: Any) -> None:
        if not isinstance(value, self.PARTS[name]):
            raise TypeError(
                f"{type(self).__name__}: {name} must be {self.PARTS[name].__name__}; got {value!r}."
            )
        self._parts[name] = value
        self._set.add(name)

    def HasField(self, field_name: str) -> bool:
        """Whether the field was set or filled."""
        if field_name not in self.FIELDS:
            raise ValueError(f"{type(self).__name__} has no field {field_name!r}.")
        return field_name in self._set or bool(self._parts[field_name].SerializeToString())

    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        return b"".join(
            [
                wire.field(number, self._parts[name].SerializeToString())
                for name, number in self.FIELDS.items()
                if self.HasField(name)
            ]
        )

    def _merge(self, data: bytes, at: int, end: int) -> None:
        names = {number: name for name, number in self.FIELDS.items()}
        for number, kind, a, b in wire.fields(data, at, end):
            if number in names and kind == wire.BYTES:
                self._set.add(names[number])
                self._parts[names[number]]._merge(data, a, b)

    def _text(self, indent: str) -> Iterator[str]:
        for name in self.FIELDS:
            if self.HasField(name):
                yield f"{indent}{name} {{"
                yield from self._parts[name]._text(indent + "  ")
                yield f"{indent}}}"


@export("train.Example")
class Example(_Holder):
    """A record of named features: `Example(features=Features(feature={...}))`.

    >>> one = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
    >>> tf.train.Example(features=tf.train.Features(feature={"x": one})).SerializeToString()
    b'\\n\\x0c\\n\\n\\n\\x01x\\x12\\x05\\x1a\\x03\\n\\x01\\x01'
    """

    FIELDS = {"features": 1}
    PARTS = {"features": Features}
    features: Any = property(lambda self: self._parts["features"])


@export("train.SequenceExample")
class SequenceExample(_Holder):
    """A record of features of the whole (`context`) and of lists of features of its steps (`feature_lists`)."""

    FIELDS = {"context": 1, "feature_lists": 2}
    PARTS = {"context": Features, "feature_lists": FeatureLists}
    context: Any = property(lambda self: self._parts["context"])
    feature_lists: Any = property(lambda self: self._parts["feature_lists"])

"""Fields of extension types: which annotations there are, and how values are checked and converted."""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from headwater._src.base import nest
from headwater._src.base.dtypes import DType, as_dtype
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.core.spec import TypeSpec
from headwater._src.core.tensor import Tensor

NO_DEFAULT: Any = type("NO_DEFAULT", (), {"__repr__": lambda self: "NO_DEFAULT"})()
"""In place of the default of a field that has none."""

_RESERVED = frozenset(
    "self Spec _type_spec _shape_invariant_to_type_spec _consumers value_type is_compatible_with "
    "most_specific_compatible_type _with_tensor_ranks_only _to_components _from_components _component_specs "
    "_to_tensor_list _from_tensor_list _from_compatible_tensor_list _flat_tensor_specs _serialize _deserialize "
    "_to_legacy_output_types _to_legacy_output_shapes _to_legacy_output_classes _keras_mask".split()
)
_SCALARS = (int, float, bool, str, bytes, type(None))


class ImmutableDict(collections.abc.Mapping):
    """A mapping that can't be changed, in which extension types keep the mappings among their fields."""

    __slots__ = ("_items",)

    def __init__(self, items: Any = (), **more: Any) -> None:
        self._items = dict(items, **more)

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Any:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"ImmutableDict({self._items})"


class Field(NamedTuple):
    """Name, annotation and default of a field."""

    name: str
    value_type: Any
    default: Any = NO_DEFAULT


def is_reserved(name: str) -> bool:
    """Whether no field may have this name."""
    return name in _RESERVED or name.lower().startswith("_tf_extension_type")


def field(name: str, value_type: Any, default: Any) -> Field:
    """A checked field; TypeError for annotations that extension types don't know and for defaults that don't fit."""
    try:
        check_annotation(value_type)
    except TypeError as error:
        raise TypeError(f"Field {name!r}: {error}") from None
    if default is not NO_DEFAULT:
        default = _converted(default, value_type, f"the default of {name}", _as_default)
    return Field(name, value_type, default)


# -- annotations ------------------------------------------------------------------------------------------------------


def _is_composite(annotation: Any) -> bool:
    return isinstance(annotation, type) and _subclass(annotation, nest.Composite)


def _subclass(one: Any, other: Any) -> bool:
    """`issubclass`, False for what only looks like a class, such as `tuple[int]`."""
    try:
        return issubclass(one, other)
    except TypeError:
        return False


def check_annotation(annotation: Any, in_key: bool = False) -> None:
    """TypeError for an annotation that no field can have; names of classes yet to come are let through."""
    if isinstance(annotation, (str, typing.ForwardRef)) or annotation in (*_SCALARS, None, DType):
        return
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Tensor, TensorShape) or _is_composite(annotation):
        if in_key:
            raise TypeError(f"{annotation.__name__} can't be the type of a mapping's keys.")
    elif (origin is tuple and hasattr(annotation, "__args__")) or origin is typing.Union:
        for arg in args:
            if not (arg is Ellipsis and origin is tuple and len(args) == 2):
                check_annotation(arg, in_key)
    elif origin is collections.abc.Mapping and len(args) == 2:
        check_annotation(args[0], True)
        check_annotation(args[1], in_key)
    else:
        shown = annotation.__name__ if isinstance(annotation, type) and origin is None else repr(annotation)
        raise TypeError(
            f"the annotation {shown} is not supported; fields are tensors, composite tensors, extension types, int, float, bool, "
            "str, bytes, None, tf.DType, tf.TensorShape, and Union, Optional, tuple[...] and typing.Mapping[...] of those."
        )


# -- conversion -------------------------------------------------------------------------------------------------------

_Leaf = Callable[[Any, Any, str], Any]


def convert_fields(fields: Sequence[Field], values: dict[str, Any], specs: bool = False) -> None:
    """Checks and converts the values of the fields in place; specifications stand for tensors if `specs`.

    Raises:
      ValueError: a field is missing, or a value belongs to none.
      TypeError: a value is not of its field's type.
    """
    names = [f.name for f in fields]
    if len(names) != len(values) or not all(n in values for n in names):
        extra, missing = sorted(set(values) - set(names)), sorted(set(names) - set(values))
        problem = f"got the unexpected fields {extra}" if extra else f"the fields {missing} have no value"
        raise ValueError(f"The fields are {names}; {problem}.")
    leaf = _as_spec if specs else _as_value
    values.update({f.name: _converted(values[f.name], f.value_type, f.name, leaf) for f in fields})


def _mismatch(path: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"{path}: {expected} was expected; got {type(value).__name__} {value!r:.80}.")


def _as_value(value: Any, expected: Any, path: str) -> Any:
    if expected is not Tensor:
        if not isinstance(value, expected):
            raise _mismatch(path, f"a {expected.__name__}", value)
        return value
    if isinstance(value, Tensor):
        return value
    try:
        return convert(value)
    except (ValueError, TypeError):
        raise _mismatch(path, "a tensor, or what converts to one,", value) from None


def _as_default(value: Any, expected: Any, path: str) -> Any:
    return value if expected is Tensor else _as_value(value, expected, path)


def _as_spec(value: Any, expected: Any, path: str) -> Any:
    kind = value.value_type if isinstance(value, TypeSpec) else None
    if kind is None or not (kind is Tensor if expected is Tensor else _subclass(kind, expected)):
        raise _mismatch(path, f"a specification of a {expected.__name__}", value)
    return value


def _converted(value: Any, expected: Any, path: str, leaf: _Leaf) -> Any:
    expected = type(None) if expected is None else expected
    if expected is Tensor or _is_composite(expected):
        return leaf(value, expected, path)
    if expected is TensorShape or expected is DType:
        try:
            return TensorShape(value) if expected is TensorShape else as_dtype(value)
        except TypeError:
            raise _mismatch(path, f"a tf.{expected.__name__}", value) from None
    if expected in _SCALARS:
        if not isinstance(value, expected):
            raise _mismatch(path, f"{expected.__name__}", value)
        return value
    origin, args = typing.get_origin(expected), typing.get_args(expected)
    if origin is tuple:
        return _converted_tuple(value, args, path, leaf)
    if origin is collections.abc.Mapping:
        if not isinstance(value, Mapping):
            raise _mismatch(path, "a mapping", value)
        return ImmutableDict(
            (_converted(k, args[0], f"{path}[<key>]", leaf), _converted(v, args[1], f"{path}[{k!r}]", leaf))
            for k, v in value.items()
        )
    if origin is typing.Union:
        for option in args:
            try:
                return _converted(value, option, path, leaf)
            except TypeError:
                pass
        raise _mismatch(path, str(expected), value)
    raise TypeError(f"{path}: the annotation {expected!r} names a class that is not defined.")


def _converted_tuple(value: Any, args: Sequence[Any], path: str, leaf: _Leaf) -> tuple[Any, ...]:
    if not isinstance(value, Sequence):
        raise _mismatch(path, "a tuple", value)
    kinds = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else args
    if len(kinds) != len(value):
        raise _mismatch(path, f"a tuple of length {len(kinds)}", value)
    return tuple(
        _converted(v, kind, f"{path}[{i}]", leaf)
        for i, (v, kind) in enumerate(zip(value, kinds, strict=True))
    )


# -- walking ----------------------------------------------------------------------------------------------------------


def map_values(function: Callable[[Any], Any], value: Any) -> Any:
    """`value` with `function` applied to what is neither a tuple nor a mapping; mappings in the order of their sorted keys."""
    if value.__class__ is tuple:
        return tuple([map_values(function, v) for v in value])
    if value.__class__ is ImmutableDict:
        made = {k: map_values(function, value[k]) for k in _ordered(value)}
        return ImmutableDict((k, made[k]) for k in value)
    return function(value)


def leaves(values: Iterable[Any]) -> list[Any]:
    """What `map_values` would meet, in order."""
    found: list[Any] = []
    for value in values:
        map_values(found.append, value)
    return found


def _ordered(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def merged(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """`function` of corresponding leaves, in the form of `first`; ValueError where the forms differ."""
    if first.__class__ is tuple:
        if any(o.__class__ is not tuple or len(o) != len(first) for o in others):
            raise ValueError("tuples of different lengths")
        return tuple(merged(function, *row) for row in zip(first, *others, strict=True))
    if first.__class__ is ImmutableDict:
        if any(o.__class__ is not ImmutableDict or set(o) != set(first) for o in others):
            raise ValueError("mappings with different keys")
        return ImmutableDict((k, merged(function, first[k], *(o[k] for o in others))) for k in first)
    return function(first, *others)


def plain(value: Any) -> Any:
    """`value` with its mappings as dictionaries."""
    if value.__class__ is ImmutableDict:
        return {k: plain(v) for k, v in value.items()}
    return tuple(map(plain, value)) if value.__class__ is tuple else value

"""Nested structures: lists, tuples, named tuples, mappings, attrs and dataclass objects of leaves.

Dictionaries are walked in the order of their sorted keys; anything that is not one of the kinds above is a leaf.
"""

from __future__ import annotations

from collections import abc as _abc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base.exporting import export

_SEQUENCES: set[type] = {list, tuple, range}
_MAPPINGS: set[type] = {dict}
_MAX_LEAVES = 4096
_LEAVES: set[type] = {int, float, bool, str, bytes, complex, type(None), np.ndarray}
"""Types whose answer is known, so that the walk asks `isinstance` once for each type that it meets."""


class Expandable:
    """Base of what `expand_composites=True` opens: values made of several tensors, and the specifications of such values."""

    __slots__ = ()

    def _nest_flatten(self) -> list[Any]:
        raise NotImplementedError

    def _nest_unflatten(self, parts: list[Any]) -> Any:
        raise NotImplementedError

    @property
    def _nest_spec(self) -> Any:
        """The specification, None for values that have none."""
        return self

    def _nest_compatible(self, other: Expandable) -> bool:
        """Whether the two differ in their parts only, as far as a common specification covers both."""
        one, two = self._nest_spec, other._nest_spec
        if one is None:
            return type(self) is type(other)
        return type(one) is type(two) and one.most_specific_common_supertype([two]) is not None


@export("__internal__.CompositeTensor")
class Composite(Expandable):
    """Base of values made of several tensors (`SparseTensor` and its like)."""

    __slots__ = ()
    _has_gradient = True
    """Whether gradients of such values and with respect to them are taken."""

    @property
    def _nest_spec(self) -> Any:
        return getattr(self, "_type_spec", None)


def _kind(value: Any) -> str | None:
    cls = value.__class__
    if cls in _LEAVES:
        return None
    if cls in _SEQUENCES:
        return "sequence"
    if cls in _MAPPINGS:
        return "mapping"
    if isinstance(value, _abc.Mapping):
        _MAPPINGS.add(cls)
        return "mapping"
    if isinstance(value, (_abc.Sequence, _abc.MappingView)) and not isinstance(
        value, (str, bytes, bytearray)
    ):
        if isinstance(value, (list, tuple)) or not hasattr(value, "shape"):
            _SEQUENCES.add(cls)
            return "sequence"
    if hasattr(cls, "__attrs_attrs__"):
        return "attrs"
    if hasattr(cls, "__tf_flatten__") and hasattr(cls, "__tf_unflatten__"):
        return "custom"
    if len(_LEAVES) >= _MAX_LEAVES:
        _LEAVES.clear()
    _LEAVES.add(cls)
    return None


def _sorted_keys(mapping: _abc.Mapping) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(
            f"nest: the keys of a dictionary must be sortable among themselves; got {list(mapping)!r}."
        ) from None


def _children(value: Any, kind: str, expand: bool) -> list[Any]:
    if kind == "sequence":
        return list(value)
    if kind == "mapping":
        return [value[k] for k in _sorted_keys(value)]
    if kind == "attrs":
        return [getattr(value, a.name) for a in value.__class__.__attrs_attrs__]
    if kind == "custom":
        return list(value.__tf_flatten__()[1])
    return value._nest_flatten()


def _rebuild(value: Any, kind: str, children: list[Any]) -> Any:
    cls = value.__class__
    if kind == "sequence":
        if isinstance(value, tuple):
            return cls(*children) if hasattr(value, "_fields") else cls(children)
        return list(children) if isinstance(value, (_abc.MappingView, range)) else cls(children)
    if kind == "mapping":
        by_key = dict(zip(_sorted_keys(value), children, strict=True))
        ordered = {k: by_key[k] for k in value}
        if hasattr(value, "default_factory"):
            return cls(value.default_factory, ordered)
        return cls(ordered)
    if kind == "attrs":
        return cls(*children)
    if kind == "custom":
        return cls.__tf_unflatten__(value.__tf_flatten__()[0], tuple(children))
    return value._nest_unflatten(children)


def _opened(value: Any, expand: bool) -> str | None:
    if expand and isinstance(value, Expandable):
        return "composite"
    return _kind(value)


@export("nest.is_nested")
def is_nested(seq: Any) -> bool:
    """Whether `seq` is a list, tuple, mapping or the like rather than a leaf."""
    return _kind(seq) is not None


@export("nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of `structure` in order; a leaf alone gives a list of one.

    Args:
      structure: any nesting of sequences, mappings and leaves.
      expand_composites: open composite tensors into their parts, and their specifications into those of the parts.

    >>> tf.nest.flatten({"b": 1, "a": (2, [3])})
    [2, 3, 1]
    """
    kind = _opened(structure, expand_composites)
    if kind is None:
        return [structure]
    leaves: list[Any] = []
    for child in _children(structure, kind, expand_composites):
        child_kind = _opened(child, expand_composites)
        if child_kind is None:
            leaves.append(child)
        else:
            leaves.extend(flatten(child, expand_composites))
    return leaves


@export("nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """A structure like `structure` whose leaves are `flat_sequence`, in order.

    With `expand_composites`, specifications of composite tensors in `structure` become values that have these parts.

    Raises:
      TypeError: `flat_sequence` is no sequence.
      ValueError: it has not as many elements as the structure has leaves.
    """
    if not isinstance(flat_sequence, _abc.Sequence) or isinstance(flat_sequence, (str, bytes)):
        raise TypeError(
            f"nest.pack_sequence_as: flat_sequence must be a sequence; got {type(flat_sequence).__name__}."
        )
    if _opened(structure, expand_composites) is None:
        if len(flat_sequence) != 1:
            raise ValueError(
                f"nest.pack_sequence_as: the structure is a single leaf but flat_sequence has {len(flat_sequence)} elements."
            )
        return flat_sequence[0]
    feed = iter(flat_sequence)
    try:
        packed = _pack(structure, feed, expand_composites)
    except StopIteration:
        packed, feed = None, iter(())
        short = True
    else:
        short = next(feed, _pack) is not _pack
    if short:
        raise ValueError(
            f"nest.pack_sequence_as: the structure has {len(flatten(structure, expand_composites))} leaves "
            f"but flat_sequence has {len(flat_sequence)} elements."
        )
    return packed


def _pack(structure: Any, feed: Iterator[Any], expand: bool) -> Any:
    kind = _opened(structure, expand)
    if kind is None:
        return next(feed)
    # A list first: StopIteration raised inside a generator expression would turn into RuntimeError.
    children = []
    for child in _children(structure, kind, expand):
        children.append(_pack(child, feed, expand))
    return _rebuild(structure, kind, children)


@export("nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """Applies `func` to corresponding leaves of the structures; the result has the first one's form.

    Keyword arguments: `check_types` (default True) asks for the same sequence types, `expand_composites` opens composites.
    """
    if not callable(func):
        raise TypeError(f"nest.map_structure: func must be callable; got {func!r}.")
    if not structure:
        raise ValueError("nest.map_structure: give at least one structure.")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(f"nest.map_structure: unknown keyword arguments {sorted(kwargs)}.")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types, expand)
    columns = [flatten(s, expand) for s in structure]
    return pack_sequence_as(structure[0], [func(*row) for row in zip(*columns, strict=True)], expand)


@export("nest.assert_same_structure")
def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Checks that two structures have the same form.

    Raises:
      ValueError: they have different numbers of elements or nest differently.
      TypeError: `check_types` and a sequence or mapping differs in type.
    """
    kind1, kind2 = _opened(nest1, expand_composites), _opened(nest2, expand_composites)
    if (kind1 is None) != (kind2 is None):
        raise ValueError(
            f"nest: the structures differ: one side is nested and the other a leaf.\n  first: {nest1!r}\n  second: {nest2!r}"
        )
    if kind1 is None or kind2 is None:
        return
    if kind1 == kind2 == "composite":
        if not nest1._nest_compatible(nest2):
            raise ValueError(
                f"nest: the values differ in more than their tensors:\n  first: {nest1!r}\n  second: {nest2!r}"
            )
    elif check_types:
        _check_types(nest1, nest2)
    children1 = _children(nest1, kind1, expand_composites)
    children2 = _children(nest2, kind2, expand_composites)
    if len(children1) != len(children2):
        raise ValueError(
            f"nest: the structures differ in length: {len(children1)} against {len(children2)} elements.\n"
            f"  first: {nest1!r}\n  second: {nest2!r}"
        )
    for child1, child2 in zip(children1, children2, strict=True):
        assert_same_structure(child1, child2, check_types, expand_composites)


def _check_types(a: Any, b: Any) -> None:
    """TypeError for sequences or mappings of different types; ValueError for mappings with different keys."""
    if not _same_type(a, b):
        raise TypeError(
            f"nest: the structures differ in type: {type(a).__name__} against {type(b).__name__} "
            "(check_types=False allows that)."
        )
    if isinstance(a, _abc.Mapping) and isinstance(b, _abc.Mapping) and set(a) != set(b):
        raise ValueError(f"nest: the dictionaries have different keys: {list(a)} against {list(b)}.")


def _same_type(a: Any, b: Any) -> bool:
    if type(a) is type(b):
        return True
    if any(isinstance(a, kind) and isinstance(b, kind) for kind in (_abc.Mapping, list)):
        return True
    if hasattr(a, "_fields") and hasattr(b, "_fields"):
        return a._fields == b._fields and type(a).__name__ == type(b).__name__
    wrapped = ("ListWrapper", "TrackedList", "_DictWrapper", "_TupleWrapper")
    return type(a).__name__ in wrapped or type(b).__name__ in wrapped


def flatten_with_paths(structure: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs (path, leaf); a path is a tuple of keys, indices and field names."""
    kind = _kind(structure)
    if kind is None:
        return [(prefix, structure)]
    if kind == "mapping":
        keys: list[Any] = _sorted_keys(structure)
    elif kind == "attrs":
        keys = [a.name for a in structure.__class__.__attrs_attrs__]
    else:
        keys = list(range(len(_children(structure, kind, False))))
    pairs = []
    for key, child in zip(keys, _children(structure, kind, False), strict=True):
        pairs.extend(flatten_with_paths(child, (*prefix, key)))
    return pairs


def map_structure_up_to(shallow: Any, func: Callable[..., Any], *inputs: Any) -> Any:
    """Applies `func` to the parts of `inputs` that stand where `shallow` has leaves."""
    if _kind(shallow) is None:
        return func(*inputs)
    kind = _kind(shallow)
    assert kind is not None
    columns = [_children(x, _kind(x) or kind, False) for x in inputs]
    children = [
        map_structure_up_to(child, func, *row)
        for child, *row in zip(_children(shallow, kind, False), *columns, strict=True)
    ]
    return _rebuild(shallow, kind, children)

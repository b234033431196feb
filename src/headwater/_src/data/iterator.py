"""Iterators over data sets."""

from __future__ import annotations

from collections.abc import Iterator as PyIterator
from typing import Any

from headwater._src.base.errors import OutOfRangeError
from headwater._src.base.exporting import export
from headwater._src.core.spec import TypeSpec
from headwater._src.core.tensor import TensorLike
from headwater._src.data.optional import Optional
from headwater._src.data.structure import as_numpy, map_leaves


@export("data.Iterator")
class IteratorBase(PyIterator):
    """What iterates over a data set: `next(it)` ends with StopIteration, `it.get_next()` with OutOfRangeError."""

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        raise NotImplementedError

    def get_next(self) -> Any:
        """The next element; OutOfRangeError at the end."""
        raise NotImplementedError

    def get_next_as_optional(self) -> Optional:
        """The next element as an optional, which is empty at the end."""
        raise NotImplementedError


class OwnedIterator(IteratorBase):
    """The iterator of a data set."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._elements = dataset._node.run()

    def __iter__(self) -> OwnedIterator:
        return self

    def __next__(self) -> Any:
        return next(self._elements)

    next = __next__

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        return self._dataset.element_spec

    def get_next(self) -> Any:
        """The next element; OutOfRangeError at the end."""
        for element in self._elements:
            return element
        raise OutOfRangeError(None, None, "Iterator.get_next: the data set has no more elements.")

    def get_next_as_optional(self) -> Optional:
        """The next element as an optional, which is empty at the end."""
        for element in self._elements:
            return Optional(element, True, None)
        return Optional.empty(None)

    @property
    def _type_spec(self) -> IteratorSpec:
        return IteratorSpec(self.element_spec)


@export("data.IteratorSpec")
class IteratorSpec(TypeSpec):
    """Specification of an iterator."""

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> type:
        """The class of the iterators."""
        return OwnedIterator

    def _key(self) -> tuple[Any, ...]:
        return (repr(self._element_spec),)

    def __repr__(self) -> str:
        return f"IteratorSpec({self._element_spec!r})"


@export("data.NumpyIterator")
class NumpyIterator(PyIterator):
    """Iterates over a data set's elements as NumPy values."""

    def __init__(self, dataset: Any) -> None:
        self._iterator = iter(dataset)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        element = next(self._iterator)
        return map_leaves(_own, element)

    next = __next__

    def __repr__(self) -> str:
        return f"NumpyIterator(iterator={self._iterator!r})"


def _own(value: Any) -> Any:
    if isinstance(value, TensorLike) and not hasattr(value, "numpy"):
        raise TypeError(f"Dataset.as_numpy_iterator: a {type(value).__name__} has no NumPy form.")
    return as_numpy(value)

"""`tf.experimental.Optional`: a value that may be absent."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.spec import TypeSpec
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.data.structure import leaf, spec_of


@export("experimental.Optional", "data.experimental.Optional")
class Optional(nest.Composite):
    """Either an element (a nested structure of tensors) or nothing, but with its specification.

    >>> tf.experimental.Optional.from_value(tf.constant(3)).get_value().numpy()
    np.int32(3)
    """

    __slots__ = ("_element_spec", "_present", "_value")

    def __init__(self, value: Any, present: bool, element_spec: Any) -> None:
        self._value = value
        self._present = present
        self._element_spec = element_spec

    @staticmethod
    def from_value(value: Any) -> Optional:
        """An optional that holds `value`; InvalidArgumentError where it has no tensor in it."""
        value = nest.map_structure(leaf, value)
        if all(part is None for part in nest.flatten(value)):
            raise invalid(
                "Optional.from_value: at least one tensor is needed; Optional.empty(spec) makes an empty one."
            )
        return Optional(value, True, None)

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """An optional without a value, of this specification."""
        return Optional(None, False, element_spec)

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is a value, as a bool scalar."""
        return of_array(np.asarray(self._present))

    def get_value(self, name: str | None = None) -> Any:
        """The value; InvalidArgumentError where there is none."""
        if not self._present:
            raise invalid("Optional.get_value: the optional is empty; ask has_value() first.")
        return self._value

    @property
    def element_spec(self) -> Any:
        """The specification of the value."""
        if self._present and self._element_spec is None:
            self._element_spec = nest.map_structure(spec_of, self._value)
        return self._element_spec

    @property
    def _type_spec(self) -> OptionalSpec:
        return OptionalSpec(self.element_spec)

    def _nest_flatten(self) -> list[Any]:
        return nest.flatten(self._value, expand_composites=True) if self._present else []

    def _nest_unflatten(self, parts: list[Any]) -> Optional:
        if not self._present:
            return self
        return Optional(
            nest.pack_sequence_as(self._value, parts, expand_composites=True), True, self._element_spec
        )


@export("OptionalSpec")
class OptionalSpec(TypeSpec):
    """Specification of a `tf.experimental.Optional`."""

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> type:
        """`tf.experimental.Optional`."""
        return Optional

    @staticmethod
    def from_value(value: Optional) -> OptionalSpec:
        """The specification of an optional."""
        return value._type_spec

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether it is an optional, or a spec of one, with the same element spec."""
        other = spec_or_value._type_spec if isinstance(spec_or_value, Optional) else spec_or_value
        return self == other

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """Itself if all are equal."""
        return self if all(self == o for o in others) else None

    def _key(self) -> tuple[Any, ...]:
        spec = self._element_spec
        return (type(spec).__name__, *(nest.flatten(spec)))

    def __repr__(self) -> str:
        return f"OptionalSpec({self._element_spec!r},)"

"""`tf.experimental.Optional`: a value that may be absent."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import dtypes, nest
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import CompositeSpec
from headwater._src.core.context import ctx
from headwater._src.core.graph import add_opaque
from headwater._src.core.spec import Spec, TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.data.structure import (
    component_specs,
    components,
    from_components,
    generalized,
    leaf,
    spec_of,
)
from headwater._src.data.templates import HostRecord
from headwater._src.state.host_nodes import Held, held


@export("experimental.Optional", "data.experimental.Optional")
class Optional(nest.Composite):
    """Either an element (a nested structure of tensors) or nothing, but with its specification.

    >>> tf.experimental.Optional.from_value(tf.constant(3)).get_value().numpy()
    np.int32(3)
    """

    __slots__ = ("_element_spec", "_present", "_value", "_resource")

    def __init__(self, value: Any, present: bool, element_spec: Any, resource: Any = None) -> None:
        self._value = value
        self._present = present
        self._element_spec = element_spec
        self._resource = resource
        """Inside a graph: the tensor that stands for the optional."""

    @staticmethod
    def from_value(value: Any) -> Optional:
        """An optional that holds `value`; InvalidArgumentError where it has no tensor in it."""
        value = nest.map_structure(leaf, value)
        if all(part is None for part in nest.flatten(value)):
            raise invalid(
                "Optional.from_value: at least one tensor is needed; Optional.empty(spec) makes an empty one."
            )
        spec = nest.map_structure(spec_of, value)
        if ctx.graph is None:
            return Optional(value, True, None)
        (resource,) = add_opaque(FROM_VALUE, components(value), [_RESOURCE], {"spec": Held(spec)})
        return Optional(None, True, spec, resource)

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """An optional without a value, of this specification."""
        return Optional(None, False, element_spec)

    @staticmethod
    def _of_resource(resource: Any, element_spec: Any) -> Optional:
        if isinstance(resource, EagerTensor):
            return resource._array[()]  # type: ignore[return-value]
        return Optional(None, False, element_spec, resource)

    def _symbol(self) -> Any:
        """The tensor of the graph being built that stands for this optional."""
        return ctx.graph.enter(self._nest_flatten()[0])

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is a value, as a bool scalar."""
        if ctx.graph is not None:
            return add_opaque(HAS_VALUE, [self._symbol()], [Spec((), np.dtype(bool))])[0]
        return of_array(np.asarray(self._present))

    def get_value(self, name: str | None = None) -> Any:
        """The value; InvalidArgumentError where there is none."""
        if ctx.graph is not None:
            spec = self.element_spec
            return from_components(spec, iter(add_opaque(GET_VALUE, [self._symbol()], component_specs(spec))))
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
        return [of_array(held(self)) if self._resource is None else self._resource]

    def _nest_unflatten(self, parts: list[Any]) -> Optional:
        return Optional._of_resource(parts[0], self._element_spec)


_RESOURCE = Spec((), dtypes.variant.np)


def _object(array: Any) -> Any:
    return array[()] if isinstance(array, np.ndarray) else array


def _from_value(*arrays: np.ndarray, spec: Held) -> np.ndarray:
    value = from_components(spec.value, iter([of_array(np.asarray(a)) for a in arrays]))
    return held(Optional(value, True, None))


FROM_VALUE: Any = HostRecord("OptionalFromValue", True, _from_value)
HAS_VALUE: Any = HostRecord("OptionalHasValue", False, lambda a: (np.asarray(_object(a)._present),))
GET_VALUE: Any = HostRecord(
    "OptionalGetValue", False, lambda a: tuple(t._array for t in components(_object(a).get_value()))
)


@export("OptionalSpec")
class OptionalSpec(CompositeSpec):
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
        """The specification of optionals whose values may be any of those of all; None where there is none."""
        if any(not isinstance(o, OptionalSpec) for o in others):
            return None
        element = generalized(self._element_spec, [o._element_spec for o in others])
        return None if element is None else OptionalSpec(element)

    @property
    def _component_specs(self) -> TensorSpec:
        return TensorSpec((), dtypes.variant)

    def _to_components(self, value: Optional) -> Any:
        return value._nest_flatten()[0]

    def _from_components(self, resource: Any) -> Optional:
        return Optional._of_resource(resource, self._element_spec)

    def _key(self) -> tuple[Any, ...]:
        spec = self._element_spec
        return (type(spec).__name__, *(nest.flatten(spec)))

    def __repr__(self) -> str:
        return f"OptionalSpec({self._element_spec!r},)"

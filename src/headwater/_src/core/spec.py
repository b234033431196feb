"""Specifications: what is known of a value before it exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.dtypes import DType, as_dtype, float32
from headwater._src.base.exporting import export
from headwater._src.base.nest import Expandable
from headwater._src.base.shapes import Partial, TensorShape


class Spec(NamedTuple):
    """Shape and dtype as the rules of operations see them."""

    shape: Partial
    dtype: np.dtype


@export("TypeSpec")
class TypeSpec:
    """Base of all specifications: what a value may be, without the value."""

    __slots__ = ()

    @property
    def value_type(self) -> type:
        """The class of the values that fit."""
        raise NotImplementedError

    def _key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def flatten(self) -> list[TypeSpec]:
        """The specifications of the tensors that a value is made of."""
        raise NotImplementedError(f"{type(self).__name__} does not tell the tensors of its values.")

    def to_tensors(self, value: Any) -> list[Any]:
        """The tensors that a value is made of, one for each of `flatten()`; TypeError for a value that does not fit."""
        raise NotImplementedError(f"{type(self).__name__} does not tell the tensors of its values.")

    def from_tensors(self, tensors: Any) -> Any:
        """The value that is made of the next of `tensors`, an iterator or a list."""
        raise NotImplementedError(f"{type(self).__name__} does not tell the tensors of its values.")

    def cast(self, value: Any, casting_context: Any) -> Any:
        """The value itself; TypeError if it does not fit."""
        if not self.is_compatible_with(value):
            raise TypeError(f"{value!r} is no value of {self!r}.")
        return value

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or some value of another spec, may fit."""
        other = (
            spec_or_value
            if isinstance(spec_or_value, TypeSpec)
            else getattr(spec_or_value, "_type_spec", None)
        )
        return type(self) is type(other) and _compatible(self._key(), other._key())  # type: ignore[union-attr]

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every value that fits this spec fits `other`."""
        return type(self) is type(other) and self.most_specific_common_supertype([other]) == other

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The narrowest spec that this one and `others` are subtypes of, or None."""
        raise NotImplementedError

    def most_specific_compatible_type(self, other: TypeSpec) -> TypeSpec:
        """The narrowest spec that covers both; ValueError where there is none."""
        result = self.most_specific_common_supertype([other])
        if result is None:
            raise ValueError(f"No specification covers both {self} and {other}.")
        return result

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()  # type: ignore[attr-defined]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __tf_tracing_type__(self, context: Any) -> TypeSpec:
        return self

    def _serialize(self) -> tuple[Any, ...]:
        return self._key()

    @classmethod
    def _deserialize(cls, serialization: Sequence[Any]) -> TypeSpec:
        return cls(*serialization)


def _compatible(a: Any, b: Any) -> bool:
    """Whether two parts of keys allow a common value."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_compatible, a, b))
    if isinstance(a, (TensorShape, TypeSpec)):
        return a.is_compatible_with(b)
    return bool(a == b)


@export("TensorSpec")
class TensorSpec(TypeSpec):
    """Shape, dtype and name of a tensor that is yet to come.

    Args:
      shape: anything `tf.TensorShape` takes; None for unknown rank.
      dtype: anything `tf.as_dtype` takes.
      name: optional.

    >>> tf.TensorSpec([1, None], tf.float32)
    TensorSpec(shape=(1, None), dtype=tf.float32, name=None)
    """

    __slots__ = ("_shape", "_dtype", "_name")

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @property
    def shape(self) -> TensorShape:
        """The shape, as far as it is known."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name, or None."""
        return self._name

    @property
    def value_type(self) -> type:
        """`tf.Tensor`."""
        from headwater._src.core.tensor import Tensor

        return Tensor

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """A copy of `spec`, renamed if a name is given."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor; ValueError for anything else."""
        if not hasattr(tensor, "shape") or not hasattr(tensor, "dtype"):
            raise ValueError(f"TensorSpec.from_tensor takes a tensor; got {tensor!r}.")
        return cls(tensor.shape, tensor.dtype, name or getattr(tensor, "_name", None))

    def flatten(self) -> list[TypeSpec]:
        """A list of this one alone."""
        return [self]

    def to_tensors(self, value: Any) -> list[Any]:
        """A list of the tensor alone; TypeError for a value that does not fit."""
        return [self.cast(value, None)]

    def from_tensors(self, tensors: Any) -> Any:
        """The next of `tensors`."""
        return next(iter(tensors))

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether dtypes are equal and shapes compatible."""
        if isinstance(spec_or_tensor, TypeSpec) and not isinstance(spec_or_tensor, TensorSpec):
            return False
        shape = getattr(spec_or_tensor, "shape", None)
        dtype = getattr(spec_or_tensor, "dtype", None)
        if dtype is None:
            return False
        return self._dtype == dtype and self._shape.is_compatible_with(shape)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether `other` is a TensorSpec of the same dtype that allows every shape which this one allows."""
        return (
            isinstance(other, TensorSpec)
            and self._dtype == other._dtype
            and self._shape.is_subtype_of(other._shape)
            and (other._name is None or self._name == other._name)
        )

    def most_specific_common_supertype(self, others: Any) -> TensorSpec | None:
        """The narrowest TensorSpec over all; None where the dtypes differ."""
        if any(not isinstance(o, TensorSpec) or o._dtype != self._dtype for o in others):
            return None
        shape = self._shape.most_specific_common_supertype([o._shape for o in others])
        name = self._name if all(o._name == self._name for o in others) else None
        return TensorSpec(shape, self._dtype, name)

    def _key(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"

    def __reduce__(self) -> Any:
        return TensorSpec, (self._shape, self._dtype, self._name)


@export("NoneTensorSpec")
class NoneTensorSpec(Expandable, TypeSpec):
    """Specification of None, where an element leaves a part out."""

    __slots__ = ()

    def _nest_flatten(self) -> list[Any]:
        return []

    def _nest_unflatten(self, parts: list[Any]) -> None:
        return None

    @classmethod
    def from_value(cls, value: Any) -> NoneTensorSpec:
        """The specification, whatever the value is."""
        return cls()

    def flatten(self) -> list[TypeSpec]:
        """An empty list."""
        return []

    def to_tensors(self, value: Any) -> list[Any]:
        """An empty list."""
        return []

    def from_tensors(self, tensors: Any) -> None:
        """None."""

    @property
    def value_type(self) -> type:
        """The type of None."""
        return type(None)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether it is None or this spec."""
        return spec_or_value is None or isinstance(spec_or_value, NoneTensorSpec)

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """Itself, if all are None."""
        return self if all(isinstance(o, NoneTensorSpec) for o in others) else None

    def _key(self) -> tuple[Any, ...]:
        return ()

    def __repr__(self) -> str:
        return "NoneTensorSpec()"

"""Values made of several tensors, as plain records: IndexedSlices, SparseTensor, RaggedTensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.dtypes import DType, as_dtype, float32, int64
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.core.convert import convert
from headwater._src.core.op import Op
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor, TensorLike

_densify: list[Callable[[Any], Tensor]] = []


def install_densify(densify: Callable[[Any], Tensor]) -> None:
    """Tells how IndexedSlices become a tensor; the operations layer calls this."""
    _densify[:] = [densify]


@export("__internal__.CompositeTensor")
class Composite(TensorLike, nest.Composite):
    """Base of the composite values."""

    __slots__ = ()

    def _map_values(self, function: Callable[[Any], Any]) -> Any:
        """A copy with `function` applied to the values."""
        raise NotImplementedError


@export("IndexedSlices")
class IndexedSlices(Composite):
    """Rows of a larger tensor: `dense[indices[i]] = values[i]`, rows named twice add up.

    The gradient of a gather has this form, so that training an embedding costs only the rows that were used.

    Args:
      values: tensor of shape [n, ...].
      indices: int32 or int64 tensor of shape [n].
      dense_shape: shape of the whole, as an integer vector, or None.
    """

    __slots__ = ("_values", "_indices", "_dense_shape")

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values = convert(values)
        self._indices = convert(indices)
        self._dense_shape = None if dense_shape is None else convert(dense_shape)

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Which rows they are."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the whole, or None."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """The static shape of the whole, as far as it is known."""
        if self._dense_shape is None:
            return wrap(None)
        if isinstance(self._dense_shape, EagerTensor):
            return TensorShape(self._dense_shape._array.tolist())
        return wrap(None)

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def device(self) -> str:
        """Where the values live."""
        return self._values.device

    def consumers(self) -> list[Any]:
        """The operations that read the values or indices, inside a graph."""
        return self._values.consumers()  # type: ignore[attr-defined]

    def _map_values(self, function: Callable[[Any], Any]) -> IndexedSlices:
        return IndexedSlices(function(self._values), self._indices, self._dense_shape)

    def __neg__(self) -> IndexedSlices:
        return self._map_values(lambda v: -v)

    def __str__(self) -> str:
        dense = f", dense_shape={self._dense_shape}" if self._dense_shape is not None else ""
        return f"IndexedSlices(indices={self._indices}, values={self._values}{dense})"

    __repr__ = __str__

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        if not _densify:
            raise RuntimeError("the operations layer is not loaded")
        return convert(_densify[0](self), dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.__tf_tensor__(), dtype)

    def __headwater_dispatch__(self, op: Op, args: Any, attrs: Any) -> Any:
        return NotImplemented

    def _nest_flatten(self) -> list[Any]:
        parts = [self._values, self._indices]
        return parts if self._dense_shape is None else [*parts, self._dense_shape]

    def _nest_unflatten(self, parts: list[Any]) -> IndexedSlices:
        return IndexedSlices(*parts)

    @property
    def _type_spec(self) -> IndexedSlicesSpec:
        return IndexedSlicesSpec(self.shape, self.dtype, self._indices.dtype)


@export("IndexedSlicesSpec")
class IndexedSlicesSpec(TypeSpec):
    """Specification of IndexedSlices."""

    __slots__ = ("_shape", "_dtype", "_indices_dtype")

    def __init__(
        self, shape: Any = None, dtype: Any = float32, indices_dtype: Any = int64, dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:  # fmt: skip
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._indices_dtype = as_dtype(indices_dtype)

    @property
    def value_type(self) -> type:
        """`tf.IndexedSlices`."""
        return IndexedSlices

    def _key(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._indices_dtype

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The narrowest spec over all, or None."""
        return self if all(self == o for o in others) else None

    def __repr__(self) -> str:
        return f"IndexedSlicesSpec(shape={self._shape}, dtype={self._dtype!r}, indices_dtype={self._indices_dtype!r})"


@export("SparseTensor", "sparse.SparseTensor")
class SparseTensor(Composite):
    """The non-zero elements of a tensor, by their positions.

    Args:
      indices: int64 tensor of shape [n, rank].
      values: tensor of shape [n].
      dense_shape: int64 vector of length rank.

    Raises:
      ValueError: the parts don't fit each other.
    """

    __slots__ = ("_indices", "_values", "_dense_shape", "_static")

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self._indices = convert(indices, int64)
        self._values = convert(values)
        self._dense_shape = convert(dense_shape, int64)
        indices_shape = self._indices.shape.with_rank(2)
        values_shape = self._values.shape.with_rank(1)
        dense = self._dense_shape.shape.with_rank(1)
        if not TensorShape(indices_shape[0]).is_compatible_with(values_shape[0]):
            raise ValueError(f"SparseTensor: {indices_shape[0]} positions for {values_shape[0]} values; they must be as many.")
        if not TensorShape(indices_shape[1]).is_compatible_with(dense[0]):
            raise ValueError(f"SparseTensor: positions of rank {indices_shape[1]} in a dense_shape of rank {dense[0]}.")
        known = self._dense_shape
        self._static = TensorShape(
            known._array.tolist() if isinstance(known, EagerTensor) else [None] * dense[0] if dense[0] is not None else None
        )

    @property
    def indices(self) -> Tensor:
        """The positions, [n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The elements, [n]."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape as an int64 vector."""
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._static

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self._static

    def set_shape(self, shape: Any) -> None:
        """Adds what `shape` says to what is known of the static shape."""
        self._static = self._static.merge_with(shape)

    def with_values(self, new_values: Any) -> SparseTensor:
        """The same positions with other values."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def _map_values(self, function: Callable[[Any], Any]) -> SparseTensor:
        return self.with_values(function(self._values))

    def __headwater_dispatch__(self, op: Op, args: Any, attrs: Any) -> Any:
        raise NotImplementedError(
            f"{op.title} does not take a SparseTensor yet; only its construction, indices, values and dense_shape are here."
        )

    def _nest_flatten(self) -> list[Any]:
        return [self._indices, self._values, self._dense_shape]

    def _nest_unflatten(self, parts: list[Any]) -> SparseTensor:
        return SparseTensor(*parts)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'SparseTensor' object has no attribute {name!r}.")


@export("SparseTensorSpec")
class SparseTensorSpec(TypeSpec):
    """Specification of a SparseTensor."""

    __slots__ = ("_shape", "_dtype")

    def __init__(self, shape: Any = None, dtype: Any = float32) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._dtype

    @property
    def value_type(self) -> type:
        """`tf.SparseTensor`."""
        return SparseTensor

    def _key(self) -> tuple[Any, ...]:
        return self._shape, self._dtype

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The narrowest spec over all, or None."""
        if any(not isinstance(o, SparseTensorSpec) or o._dtype != self._dtype for o in others):
            return None
        return SparseTensorSpec(self._shape.most_specific_common_supertype([o._shape for o in others]), self._dtype)

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self._shape!r}, {self._dtype!r})"


@export("RaggedTensor")
class RaggedTensor(Composite):
    """A tensor whose rows differ in length. Not there yet: making one raises NotImplementedError."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("Ragged tensors are not in this version of headwater; pad to a dense tensor instead.")


def _no_ragged(cls: type, *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("Ragged tensors are not in this version of headwater; pad to a dense tensor instead.")


for _name in (
    "from_row_splits from_row_lengths from_row_starts from_row_limits from_value_rowids from_tensor from_sparse "
    "from_uniform_row_length from_nested_row_splits from_nested_row_lengths from_nested_value_rowids"
).split():
    setattr(RaggedTensor, _name, classmethod(_no_ragged))


@export("RaggedTensorSpec")
class RaggedTensorSpec(TypeSpec):
    """Specification of a ragged tensor. Not there yet: making one raises NotImplementedError."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("Ragged tensors are not in this version of headwater; pad to a dense tensor instead.")


@export("type_spec_from_value")
def type_spec_from_value(value: Any) -> TypeSpec:
    """The specification of a tensor, composite tensor or what converts to a tensor; TypeError for anything else."""
    if isinstance(value, (IndexedSlices,)):
        return value._type_spec
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype)
    if isinstance(value, TypeSpec):
        return value
    try:
        tensor = convert(value)
    except (TypeError, ValueError):
        raise TypeError(f"tf.type_spec_from_value: {value!r} has no specification.") from None
    return TensorSpec(tensor.shape, tensor.dtype)

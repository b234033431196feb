"""Values made of several tensors, as plain records: IndexedSlices and SparseTensor (RaggedTensor is in ragged.py)."""

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

    @property
    def _gradient_values(self) -> Any:
        """The tensor that gradients are taken of; None for values whose parts all count."""
        return None

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

    __slots__ = ("_values", "_indices", "_dense_shape", "_given")

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._given = values
        """The values as they were given: numbers in Python lists take the dtype of what they are scattered into."""
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


_sparse_answers: dict[str, Callable[..., Any]] = {}


def install_sparse(**answers: Callable[..., Any]) -> None:
    """Tells how sparse tensors take part in operations (`dispatch`) and in `*` and `/`; the operations layer calls this."""
    _sparse_answers.update(answers)


@export("SparseTensor", "sparse.SparseTensor")
class SparseTensor(Composite):
    """The non-zero elements of a tensor, by their positions.

    Most operations of tf.sparse expect and give positions in row-major order; `tf.sparse.reorder` puts them so.

    Args:
      indices: int64 tensor of shape [n, rank].
      values: tensor of shape [n].
      dense_shape: int64 vector of length rank.

    Raises:
      ValueError: the parts don't fit each other.
      TypeError: indices or dense_shape are no integers.

    >>> s = tf.SparseTensor([[0, 1], [1, 0]], [3.0, 4.0], [2, 2])
    >>> tf.sparse.to_dense(s * 2.0).numpy().tolist()
    [[0.0, 6.0], [8.0, 0.0]]
    """

    __slots__ = ("_indices", "_values", "_dense_shape", "_static", "_keras_mask", "__weakref__")

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self._indices = convert(indices, int64)
        self._values = convert(values)
        self._dense_shape = convert(dense_shape, int64)
        count, width = _ranked("indices", self._indices, 2)
        (found,) = _ranked("values", self._values, 1)
        (rank,) = _ranked("dense_shape", self._dense_shape, 1)
        if count != found and count is not None and found is not None:
            raise ValueError(f"SparseTensor: {count} positions for {found} values; they must be as many.")
        if width != rank and width is not None and rank is not None:
            raise ValueError(f"SparseTensor: positions of rank {width} in a dense_shape of length {rank}.")
        self._static = _static_shape(self._dense_shape, width if rank is None else rank)

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A sparse tensor of the indices, values and dense_shape of another, or of a record with such fields.

        Raises:
          TypeError: the value has no such fields.
        """
        try:
            return cls(
                sparse_tensor_value.indices, sparse_tensor_value.values, sparse_tensor_value.dense_shape
            )
        except AttributeError:
            raise TypeError(
                f"SparseTensor.from_value takes a value with indices, values and dense_shape; got {sparse_tensor_value!r}."
            ) from None

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

    @property
    def op(self) -> Any:
        """The operation that made the values, inside a graph."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The graph that the tensors belong to; AttributeError in eager execution."""
        return self._indices.graph

    def consumers(self) -> list[Any]:
        """The operations that read the parts inside a graph; none in eager execution."""
        if isinstance(self._values, EagerTensor):
            return []
        parts = {id(p) for p in self._nest_flatten()}
        return [n for n in self._values.graph.nodes if any(id(x) in parts for x in n.inputs)]

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self._static

    def set_shape(self, shape: Any) -> None:
        """Adds what `shape` says to what is known of the static shape; ValueError where they don't fit."""
        self._static = self._static.merge_with(shape)

    def with_values(self, new_values: Any) -> SparseTensor:
        """The same positions with other values, as many; ValueError for another number of them."""
        made = SparseTensor(self._indices, new_values, self._dense_shape)
        made._static = self._static
        return made

    @property
    def _gradient_values(self) -> Any:
        return self._values

    def _map_values(self, function: Callable[[Any], Any]) -> SparseTensor:
        return self.with_values(function(self._values))

    def __headwater_dispatch__(self, op: Op, args: Any, attrs: Any) -> Any:
        return _sparse_answers["dispatch"](self, op, args, attrs)

    def __mul__(self, other: Any) -> Any:
        return _sparse_answers["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return _sparse_answers["multiply"](self, other) if isinstance(other, TensorLike) else NotImplemented

    def __truediv__(self, other: Any) -> Any:
        return _sparse_answers["divide"](self, other)

    def _nest_flatten(self) -> list[Any]:
        return [self._indices, self._values, self._dense_shape]

    def _nest_unflatten(self, parts: list[Any]) -> SparseTensor:
        return SparseTensor(*parts)

    @property
    def _type_spec(self) -> SparseTensorSpec:
        return SparseTensorSpec(self._static, self._values.dtype)

    def __copy__(self) -> SparseTensor:
        return self._nest_unflatten(self._nest_flatten())

    def __deepcopy__(self, memo: Any) -> SparseTensor:
        return self._nest_unflatten(self._nest_flatten())

    def __reduce__(self) -> Any:
        return SparseTensor, (self._indices, self._values, self._dense_shape)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices!s}, values={self._values!s}, dense_shape={self._dense_shape!s})"


def _ranked(what: str, tensor: Tensor, rank: int) -> Any:
    """The dimensions of `tensor`, None where unknown; ValueError where its rank is another."""
    dims = tensor._spec.shape
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"SparseTensor: {what} must have rank {rank}; got shape {wrap(dims)}.")
    return dims


def _static_shape(dense_shape: Tensor, rank: int | None) -> TensorShape:
    """What a shape vector tells of a shape; ValueError for negative dimensions."""
    if isinstance(dense_shape, EagerTensor):
        return TensorShape(dense_shape._array.tolist())
    known = dense_shape.known  # type: ignore[attr-defined]
    if known is not None:
        return TensorShape([None if d is None or d < 0 else d for d in known.tolist()])
    return wrap(None if rank is None else (None,) * rank)


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
        return SparseTensorSpec(
            self._shape.most_specific_common_supertype([o._shape for o in others]), self._dtype
        )

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self._shape!r}, {self._dtype!r})"


@export("type_spec_from_value")
def type_spec_from_value(value: Any) -> TypeSpec:
    """The specification of a tensor, composite tensor or what converts to a tensor; TypeError for anything else."""
    if isinstance(value, (IndexedSlices,)):
        return value._type_spec
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype)
    if isinstance(value, TypeSpec):
        return value
    if isinstance(value, Composite):
        return value._type_spec  # type: ignore[attr-defined]
    try:
        tensor = convert(value)
    except (TypeError, ValueError):
        raise TypeError(f"tf.type_spec_from_value: {value!r} has no specification.") from None
    return TensorSpec(tensor.shape, tensor.dtype)

"""`DynamicRaggedShape`: the shape of a ragged tensor, with the lengths of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import Composite, CompositeSpec
from headwater._src.core.convert import convert
from headwater._src.core.ragged import RaggedTensor, RowPartition, RowPartitionSpec, is_ragged, operations
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor
from headwater._src.ops import cast, compare, create, layout
from headwater._src.ops import ragged_methods as methods


@export("experimental.DynamicRaggedShape")
class DynamicRaggedShape(Composite):
    """The shape of a ragged or dense tensor: the partitions of its outer dimensions, and the inner shape.

    `tf.shape` of a ragged tensor gives one. `tf.reshape`, `tf.broadcast_to`, `tf.zeros`, `tf.ones` and `tf.fill` take one.

    Args:
      row_partitions: a list of `tf.experimental.RowPartition`, the outermost first.
      inner_shape: the shape of the flat values, an integer vector.
      dtype: int32 or int64; by default that of the partitions.
      validate: whether the last partition and `inner_shape` are checked against each other.
      static_inner_shape: accepted for compatibility.

    Raises:
      TypeError: the partitions are no list of row partitions.
    """

    __slots__ = ("_row_partitions", "_inner_shape")

    def __init__(
        self, row_partitions: Sequence[RowPartition], inner_shape: Any, dtype: Any = None, validate: bool = False,
        static_inner_shape: Any = None,
    ) -> None:  # fmt: skip
        if not isinstance(row_partitions, (list, tuple)):
            raise TypeError(f"row_partitions must be a list of RowPartitions; got {row_partitions!r}.")
        for one in row_partitions:
            if not isinstance(one, RowPartition):
                raise TypeError(f"row_partitions must be a list of RowPartitions; got {one!r} in it.")
        wanted = dtype or (row_partitions[0].dtype if row_partitions else dtypes.int64)
        self._row_partitions = tuple(p.with_dtype(wanted) for p in row_partitions)
        shape = inner_shape.as_list() if isinstance(inner_shape, TensorShape) else inner_shape
        self._inner_shape = cast.cast(convert(shape, None, dtypes.as_dtype(wanted)), wanted)
        if self._inner_shape.shape.rank not in (1, None):
            raise ValueError(f"inner_shape must be a vector; got shape {self._inner_shape.shape}.")
        if validate and self._row_partitions:
            methods.require(
                compare.equal(self._row_partitions[-1].nvals(), self._inner_shape[0]),
                f"The last partition must have as many values as inner_shape says, {inner_shape}.",
            )

    @classmethod
    def from_tensor(cls, t: Any, dtype: Any = None) -> DynamicRaggedShape:
        """The shape of a tensor or ragged tensor."""
        if is_ragged(t):
            kind = t.row_splits.dtype
            return cls(t._nested_row_partitions, layout.shape(t.flat_values, kind), dtype)
        tensor = convert(t)
        if tensor.shape.rank == 0:
            return cls([], create.zeros([0], dtype or dtypes.int32), dtype or dtypes.int32)
        return cls([], layout.shape(tensor, dtype or dtypes.int64), dtype)

    @classmethod
    def from_row_partitions(cls, row_partitions: Any, dtype: Any = None) -> DynamicRaggedShape:
        """The shape of a ragged tensor without uniform inner dimensions."""
        if not row_partitions:
            raise ValueError("from_row_partitions takes at least one partition.")
        nvals = row_partitions[-1].nvals()
        return cls(row_partitions, layout.reshape(nvals, [1]), dtype)

    @classmethod
    def from_lengths(
        cls, lengths: Sequence[Any], num_row_partitions: int | None = None, dtype: Any = dtypes.int64
    ) -> DynamicRaggedShape:
        """The shape from the length of each dimension: an int where it is uniform, a list of ints where it is ragged.

        Raises:
          ValueError: the lengths don't fit one another.
        """
        if not isinstance(lengths, (list, tuple)) or any(isinstance(d, str) for d in lengths):
            raise ValueError(f"from_lengths takes a list of integers and lists of integers; got {lengths!r}.")
        lengths = [d if isinstance(d, int) else [int(x) for x in np.asarray(d)] for d in lengths]
        if lengths and not isinstance(lengths[0], int):
            raise ValueError("The first of the lengths must be an integer.")
        last = max((i for i, d in enumerate(lengths) if not isinstance(d, int)), default=0)
        depth = last if num_row_partitions is None else num_row_partitions
        if depth < last:
            raise ValueError(
                f"num_row_partitions must be at least {last}, the last ragged dimension; got {depth}."
            )
        if depth and depth >= len(lengths):
            raise ValueError(f"num_row_partitions must be below the rank, {len(lengths)}; got {depth}.")
        count, partitions = (lengths[0] if lengths else 1), []
        for axis in range(1, depth + 1):
            size = lengths[axis]
            if isinstance(size, int):
                partitions.append(RowPartition.from_uniform_row_length(size, nrows=count, dtype=dtype))
                count *= size
                continue
            if len(size) != count:
                raise ValueError(f"Dimension {axis} needs {count} lengths; got {len(size)}.")
            partitions.append(RowPartition.from_row_lengths(size, dtype=dtype))
            count = sum(size)
        inner = [count, *lengths[depth + 1 :]] if lengths else []
        return cls(partitions, np.asarray(inner, dtypes.as_dtype(dtype).np), dtype)

    @property
    def dtype(self) -> Any:
        """int32 or int64."""
        return self._inner_shape.dtype

    @property
    def row_partitions(self) -> tuple[RowPartition, ...]:
        """The partitions, the outermost first."""
        return self._row_partitions

    @property
    def num_row_partitions(self) -> int:
        """How many partitions there are."""
        return len(self._row_partitions)

    @property
    def inner_shape(self) -> Any:
        """The shape of the flat values."""
        return self._inner_shape

    @property
    def inner_rank(self) -> int | None:
        """The rank of the flat values."""
        return self._inner_shape.shape[0]

    @property
    def rank(self) -> int | None:
        """The rank of the whole."""
        inner = self.inner_rank
        return None if inner is None else inner + self.num_row_partitions

    def is_uniform(self, axis: int) -> bool:
        """Whether all slices along `axis` have one length."""
        if not isinstance(axis, int):
            raise TypeError(f"axis must be an int; got {axis!r}.")
        if axis < 0 or self.rank is not None and axis >= self.rank:
            raise IndexError(f"axis={axis} is out of bounds for rank {self.rank}.")
        return not 0 < axis <= self.num_row_partitions or self._row_partitions[axis - 1].is_uniform()

    def static_lengths(self, ragged_lengths: bool = True) -> list[Any]:
        """The lengths of all dimensions as Python values: tuples for ragged ones, None for what is not known."""
        found: list[Any] = []
        if self._row_partitions:
            found.append(self._row_partitions[0].static_nrows)
        for partition in self._row_partitions:
            uniform = partition.static_uniform_row_length
            if uniform is not None or partition.is_uniform():
                found.append(uniform)
            elif ragged_lengths and isinstance(partition._row_splits, EagerTensor):
                found.append(tuple(np.diff(partition._row_splits._array).tolist()))
            else:
                found.append(None)
        inner = self._inner_dims()
        return found + (inner[1:] if self._row_partitions else inner)

    def _inner_dims(self) -> list[Any]:
        if isinstance(self._inner_shape, EagerTensor):
            return self._inner_shape._array.tolist()
        known = self._inner_shape.known
        if known is not None:
            return list(known.tolist())
        return [None] * (self.inner_rank or 0)

    def with_dtype(self, dtype: Any) -> DynamicRaggedShape:
        """The same shape with int32 or int64 parts."""
        return DynamicRaggedShape(self._row_partitions, self._inner_shape, dtypes.as_dtype(dtype))

    def _to_tensor_shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape([d if isinstance(d, int) else None for d in self.static_lengths(False)])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._sliced(key)
        if isinstance(key, int) and self.rank is not None and not -self.rank <= key < self.rank:
            raise IndexError(f"Dimension {key} is out of bounds for rank {self.rank}.")
        axis = operations().axis_of(key, self.rank)
        if axis == 0 and self._row_partitions:
            return self._row_partitions[0].nrows()
        if 0 < axis <= self.num_row_partitions:
            uniform = self._row_partitions[axis - 1].uniform_row_length()
            if uniform is None:
                raise ValueError(f"Dimension {axis} is ragged: it has no one length.")
            return uniform
        return self._inner_shape[axis - self.num_row_partitions]

    def _sliced(self, key: slice) -> DynamicRaggedShape:
        """The shape of the first dimensions, or of some dimensions of a shape that is not ragged."""
        if key.step not in (None, 1):
            raise IndexError(f"A shape is sliced with a step of 1; got {key.step}.")
        start, stop, _ = key.indices(self.rank or 0)
        count = self.num_row_partitions
        if start and count:
            raise ValueError("A slice of a ragged shape begins with the first dimension.")
        if stop > count or not count:
            inner = self._inner_shape[start : max(stop - count, start)]
            return DynamicRaggedShape(self._row_partitions, inner, self.dtype)
        if stop <= 1:
            rows = layout.reshape(self._row_partitions[0].nrows(), [1])
            return DynamicRaggedShape([], rows[:stop], self.dtype)
        return DynamicRaggedShape.from_row_partitions(self._row_partitions[: stop - 1], self.dtype)

    def _num_elements(self) -> Any:
        from headwater._src.ops import reduce

        return reduce.reduce_prod(self._inner_shape)

    def _wrap(self, flat: Any) -> Any:
        """Flat values in this shape's partitions."""
        for partition in reversed(self._row_partitions):
            flat = RaggedTensor(flat, partition, internal=True)
        return flat

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, DynamicRaggedShape):
            return NotImplemented
        if (self.num_row_partitions, self.rank) != (other.num_row_partitions, other.rank):
            return False
        if self.dtype != other.dtype:
            raise ValueError(
                f"Shapes of different dtypes can't be compared: {self.dtype!r} and {other.dtype!r}."
            )
        return create.constant(self.static_lengths() == other.static_lengths())

    def __hash__(self) -> int:
        return hash((self.num_row_partitions, self.rank))

    def _nest_flatten(self) -> list[Any]:
        return [self._inner_shape, *(p._row_splits for p in self._row_partitions)]

    def _nest_unflatten(self, parts: list[Any]) -> DynamicRaggedShape:
        partitions = [p._with_splits(s) for p, s in zip(self._row_partitions, parts[1:], strict=True)]
        return DynamicRaggedShape(partitions, parts[0])

    @property
    def _type_spec(self) -> RaggedShapeSpec:
        inner = TensorShape(self._inner_dims())
        parts = self._row_partitions
        counts = [p.static_nrows for p in parts[1:]] + [inner[0] if inner.rank else None]
        specs = (
            [_counting(p._type_spec, count) for p, count in zip(parts, counts, strict=True)] if parts else []
        )
        return RaggedShapeSpec(specs, inner, self.dtype)

    def __repr__(self) -> str:
        lengths = ", ".join(
            f"({', '.join(map(str, d))}{',' if len(d) == 1 else ''})" if isinstance(d, tuple) else str(d)
            for d in self.static_lengths()
        )
        return f"<DynamicRaggedShape lengths=[{lengths}] num_row_partitions={self.num_row_partitions}>"


def _counting(spec: RowPartitionSpec, count: int | None) -> RowPartitionSpec:
    """The specification of a partition which is known to have `count` values."""
    nrows, nvals, uniform, dtype = spec._key()
    return RowPartitionSpec(nrows, nvals if count is None else count, uniform, dtype)


class RaggedShapeSpec(CompositeSpec):
    """Specification of a `DynamicRaggedShape`: those of its partitions, and the rank of the flat values."""

    __slots__ = ("_partitions", "_inner_shape", "_dtype")

    def __init__(self, row_partitions: Sequence[TypeSpec], static_inner_shape: Any, dtype: Any) -> None:
        self._partitions = tuple(row_partitions)
        self._inner_shape = TensorShape(static_inner_shape)
        self._dtype = dtypes.as_dtype(dtype)

    @property
    def value_type(self) -> type:
        """`tf.experimental.DynamicRaggedShape`."""
        return DynamicRaggedShape

    @property
    def _component_specs(self) -> tuple[TypeSpec, ...]:
        return TensorSpec([self._inner_shape.rank], self._dtype), *self._partitions

    def _to_components(self, value: DynamicRaggedShape) -> tuple[Any, ...]:
        return value._inner_shape, *value._row_partitions

    def _from_components(self, components: Any) -> DynamicRaggedShape:
        inner_shape, *parts = components
        partitions = [
            p if isinstance(p, RowPartition) else spec._from_components(p)  # type: ignore[attr-defined]
            for spec, p in zip(self._partitions, parts, strict=True)
        ]
        return DynamicRaggedShape(partitions, inner_shape, self._dtype)

    def _key(self) -> tuple[Any, ...]:
        return self._partitions, self._inner_shape, self._dtype

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """Itself, if all are equal."""
        return self if all(self == o for o in others) else None

    def __repr__(self) -> str:
        parts = f"row_partitions={self._partitions}, static_inner_shape={self._inner_shape!r}, dtype={self._dtype!r}"
        return f"DynamicRaggedShape.Spec({parts})"


DynamicRaggedShape.Spec = RaggedShapeSpec  # type: ignore[attr-defined]


def filled(shape: DynamicRaggedShape, value: Any) -> Any:
    """A tensor of that shape whose elements all are `value`."""
    return shape._wrap(create.fill(shape._inner_shape, value))


def reshaped(value: Any, shape: DynamicRaggedShape) -> Any:
    """`value` in another shape with as many elements."""
    flat = value.flat_values if is_ragged(value) else convert(value)
    return shape._wrap(layout.reshape(flat, shape._inner_shape))


def broadcast(value: Any, shape: DynamicRaggedShape) -> Any:
    """`value` broadcast to a shape."""
    from headwater._src.ops import ragged_math

    value = value if is_ragged(value) else convert(value)
    if not shape.num_row_partitions and not is_ragged(value):
        return layout.broadcast_to(value, shape._inner_shape)
    if not is_ragged(value) and value.shape.rank == 0:
        return filled(shape, value)
    target = shape._wrap(create.zeros(shape._inner_shape, dtypes.int8))
    rank = target.shape.rank
    found = ragged_math.aligned([ragged_math.raised(value, rank), target], shape.dtype)[0]
    if not is_ragged(found):
        return found
    return shape._wrap(layout.broadcast_to(found.flat_values, shape._inner_shape))

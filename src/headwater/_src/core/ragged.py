"""Tensors whose rows differ in length: `RaggedTensor`, the partition of values into rows, and their specifications.

The classes hold tensors and answer what can be read off them. What is computed is in the operations layer, which
`install_ragged` makes known here; it is loaded by the first ragged tensor, as most programs have none. The module is long, and one room, because
each class makes and checks the others: a tensor its specification, a specification tensors and partitions, a partition its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base.dtypes import DType, as_dtype, float32, int32, int64
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import Composite, CompositeSpec
from headwater._src.core.context import ctx
from headwater._src.core.op import Op
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor

_loader: list[Callable[[], Any]] = []
_loaded: list[Any] = []


def install_ragged(load: Callable[[], Any]) -> None:
    """Tells where the operations on ragged tensors are: `load()` gives the module; the operations layer calls this."""
    _loader[:] = [load]


def operations() -> Any:
    """The module of the operations on ragged tensors."""
    if not _loaded:
        _loaded.append(_loader[0]())
    return _loaded[0]


def is_ragged(value: Any) -> bool:
    """Whether `value` is a ragged tensor."""
    return isinstance(value, RaggedTensor)


def _static_length(vector: Tensor) -> int | None:
    dims = vector._spec.shape
    return None if dims is None else dims[0]


def known_int(value: Any) -> int | None:
    """The value of a scalar of integers, None where it is only known when the program runs."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, EagerTensor):
        return int(value._array)
    known = getattr(value, "known", None)
    return None if known is None or known[()] is None else int(known[()])


@export("experimental.RowPartition")
class RowPartition(Composite):
    """How the rows of a ragged tensor divide its values: row i has the values from row_splits[i] to row_splits[i + 1].

    Made by its `from_...` methods; calling the class raises ValueError.
    """

    __slots__ = (
        "_row_splits",
        "_rowids",
        "_given_rowids",
        "_lengths",
        "_nrows",
        "_nvals",
        "_uniform",
        "__weakref__",
    )

    def __init__(self, row_splits: Any, internal: bool = False, **cached: Any) -> None:
        if not internal:
            raise ValueError("RowPartition is made by its methods, such as RowPartition.from_row_splits.")
        self._row_splits: Any = row_splits
        self._rowids = self._given_rowids = cached.get("rowids")
        self._lengths = cached.get("lengths")
        self._nrows = cached.get("nrows")
        self._nvals = cached.get("nvals")
        self._uniform = cached.get("uniform")

    @classmethod
    def from_row_splits(
        cls, row_splits: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Rows from where each begins and the last ends: a vector that begins with 0 and never decreases."""
        return operations().from_row_splits(row_splits, validate, dtype, dtype_hint)

    @classmethod
    def from_row_lengths(
        cls, row_lengths: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Rows of the given lengths."""
        return operations().from_row_lengths(row_lengths, validate, dtype, dtype_hint)

    @classmethod
    def from_value_rowids(
        cls, value_rowids: Any, nrows: Any = None, validate: bool = True, dtype: Any = None,
        dtype_hint: Any = None,
    ) -> RowPartition:  # fmt: skip
        """Rows from the number of each value's row, numbers that never decrease."""
        return operations().from_value_rowids(value_rowids, nrows, validate, dtype, dtype_hint)

    @classmethod
    def from_row_starts(
        cls, row_starts: Any, nvals: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Rows from where each begins and the number of values."""
        return operations().from_row_starts(row_starts, nvals, validate, dtype, dtype_hint)

    @classmethod
    def from_row_limits(
        cls, row_limits: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Rows from where each ends."""
        return operations().from_row_limits(row_limits, validate, dtype, dtype_hint)

    @classmethod
    def from_uniform_row_length(
        cls, uniform_row_length: Any, nvals: Any = None, nrows: Any = None, validate: bool = True,
        dtype: Any = None, dtype_hint: Any = None,
    ) -> RowPartition:  # fmt: skip
        """Rows that are all of one length."""
        return operations().from_uniform(uniform_row_length, nvals, nrows, validate, dtype, dtype_hint)

    @property
    def dtype(self) -> DType:
        """int32 or int64: the dtype of splits, lengths and row numbers."""
        return self._row_splits.dtype

    @property
    def static_nrows(self) -> int | None:
        """The number of rows, if it is known without running."""
        size = _static_length(self._row_splits)
        return known_int(self._nrows) if size is None else size - 1

    @property
    def static_nvals(self) -> int | None:
        """The number of values, if the partition was made with it: what only the splits tell is data."""
        if self._nvals is not None:
            return known_int(self._nvals)
        return None if self._given_rowids is None else _static_length(self._given_rowids)

    @property
    def static_uniform_row_length(self) -> int | None:
        """The one length of all rows, if the partition is uniform and the length is known."""
        return known_int(self._uniform)

    def row_splits(self) -> Tensor:
        """Where each row begins, and where the last one ends."""
        return self._row_splits

    def row_starts(self) -> Tensor:
        """Where each row begins."""
        return self._row_splits[:-1]

    def row_limits(self) -> Tensor:
        """Where each row ends."""
        return self._row_splits[1:]

    def row_lengths(self) -> Tensor:
        """The length of each row."""
        if self._lengths is None:
            lengths = self._row_splits[1:] - self._row_splits[:-1]
            if not isinstance(lengths, EagerTensor):
                return lengths
            self._lengths = lengths
        return self._lengths

    def value_rowids(self) -> Tensor:
        """The row of each value."""
        if self._rowids is None:
            rowids = operations().rowids_of(self)
            if not isinstance(rowids, EagerTensor):
                return rowids
            self._rowids = rowids
        return self._rowids

    def offsets_in_rows(self) -> Tensor:
        """The place of each value in its row."""
        return operations().offsets_of(self)

    def nrows(self) -> Tensor:
        """The number of rows."""
        return operations().nrows_of(self)

    def nvals(self) -> Tensor:
        """The number of values."""
        return self._nvals if self._nvals is not None else self._row_splits[-1]

    def uniform_row_length(self) -> Tensor | None:
        """The one length of all rows; None if the partition is not uniform."""
        return self._uniform

    def is_uniform(self) -> bool:
        """Whether the partition was made uniform."""
        return self._uniform is not None

    def with_dtype(self, dtype: Any) -> RowPartition:
        """The same rows with int32 or int64 splits."""
        dtype = as_dtype(dtype)
        if dtype not in (int32, int64):
            raise ValueError(f"RowPartition: dtype must be int32 or int64; got {dtype!r}.")
        return self if dtype == self.dtype else operations().partition_cast(self, dtype)

    def _nest_flatten(self) -> list[Any]:
        return [self._row_splits]

    def _nest_unflatten(self, parts: list[Any]) -> RowPartition:
        return self._with_splits(parts[0])

    def _with_splits(self, row_splits: Any) -> RowPartition:
        return RowPartition(row_splits, internal=True, uniform=_constant(self._uniform))

    @property
    def _type_spec(self) -> RowPartitionSpec:
        return RowPartitionSpec(
            self.static_nrows, self.static_nvals, self.static_uniform_row_length, self.dtype
        )

    def __repr__(self) -> str:
        if self._uniform is not None:
            return f"tf.RowPartition(nrows={self.nrows()}, uniform_row_length={self._uniform})"
        return f"tf.RowPartition(row_splits={self._row_splits})"


def _constant(value: Any) -> Any:
    """`value` where it is known without running, None otherwise: symbols of one graph must not get into another."""
    return value if isinstance(value, EagerTensor) else None


class RowPartitionSpec(CompositeSpec):
    """Specification of a row partition: numbers of rows and values, the uniform length, where known."""

    __slots__ = ("_nrows", "_nvals", "_uniform", "_dtype")

    def __init__(
        self, nrows: Any = None, nvals: Any = None, uniform_row_length: Any = None, dtype: Any = int64
    ) -> None:
        self._nrows, self._nvals, self._uniform = nrows, nvals, uniform_row_length
        self._dtype = as_dtype(dtype)

    @property
    def value_type(self) -> type:
        """`tf.experimental.RowPartition`."""
        return RowPartition

    @property
    def _component_specs(self) -> Any:
        return TensorSpec([None if self._nrows is None else self._nrows + 1], self._dtype)

    def _to_components(self, value: RowPartition) -> Any:
        return value._row_splits

    def _from_components(self, components: Any) -> RowPartition:
        return operations().partition_of(components, self._uniform)

    def _key(self) -> tuple[Any, ...]:
        return self._nrows, self._nvals, self._uniform, self._dtype

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The narrowest specification over all, or None."""
        if any(not isinstance(o, RowPartitionSpec) or o._dtype != self._dtype for o in others):
            return None
        merged = [v if all(o._key()[i] == v for o in others) else None for i, v in enumerate(self._key()[:3])]
        return RowPartitionSpec(*merged, self._dtype)  # type: ignore[call-arg]

    def __repr__(self) -> str:
        return f"RowPartitionSpec(nrows={self._nrows}, nvals={self._nvals}, uniform_row_length={self._uniform}, dtype={self._dtype!r})"


@export("RaggedTensor")
class RaggedTensor(Composite):
    """A tensor with one or more dimensions whose slices differ in length: `values`, divided into rows.

    `values` is a tensor, or a ragged tensor for more ragged dimensions. Most operations take ragged tensors where they take
    tensors. Made by `tf.ragged.constant` and the `from_...` methods.

    Raises:
      ValueError: the class itself is called.

    >>> tf.RaggedTensor.from_row_splits([3, 1, 4, 1, 5], [0, 2, 2, 5])
    <tf.RaggedTensor [[3, 1], [], [4, 1, 5]]>
    """

    __slots__ = ("_values", "_row_partition", "_keras_mask", "_keras_history", "__weakref__")
    __array_priority__ = 101

    def __init__(self, values: Any, row_partition: Any = None, internal: bool = False) -> None:
        if not internal:
            raise ValueError(
                "RaggedTensor is made by its methods, such as RaggedTensor.from_row_splits, or by tf.ragged.constant."
            )
        self._values = values
        self._row_partition = row_partition
        if not _loaded:
            operations()

    # -- making -------------------------------------------------------------------------------------------------------

    @classmethod
    def from_row_splits(
        cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows from where each begins and the last ends: a vector that begins with 0, never decreases and ends with the
        number of values."""
        return operations().ragged_from(values, "from_row_splits", row_splits, validate=validate)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows from the number of each value's row; `nrows` is needed if the last rows are empty."""
        return operations().ragged_from(values, "from_value_rowids", value_rowids, nrows, validate=validate)

    @classmethod
    def from_row_lengths(
        cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows of the given lengths, which add up to the number of values."""
        return operations().ragged_from(values, "from_row_lengths", row_lengths, validate=validate)

    @classmethod
    def from_row_starts(
        cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows from where each begins, the first at 0."""
        return operations().ragged_from_starts(values, row_starts, validate)

    @classmethod
    def from_row_limits(
        cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows from where each ends, the last with the last value."""
        return operations().ragged_from(values, "from_row_limits", row_limits, validate=validate)

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, validate: bool = True,
        name: str | None = None,
    ) -> RaggedTensor:  # fmt: skip
        """Rows of one length; `nrows` is needed if that is 0."""
        return operations().ragged_from_uniform(values, uniform_row_length, nrows, validate)

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Several ragged dimensions, one vector of splits for each, the outermost first."""
        return operations().from_nested(flat_values, nested_row_splits, "from_row_splits", validate)

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Several ragged dimensions, one vector of lengths for each, the outermost first."""
        return operations().from_nested(flat_values, nested_row_lengths, "from_row_lengths", validate)

    @classmethod
    def from_nested_value_rowids(
        cls, flat_values: Any, nested_value_rowids: Any, nested_nrows: Any = None, name: str | None = None,
        validate: bool = True,
    ) -> RaggedTensor:  # fmt: skip
        """Several ragged dimensions, one vector of row numbers for each, the outermost first."""
        return operations().from_nested_rowids(flat_values, nested_value_rowids, nested_nrows, validate)

    @classmethod
    def from_tensor(
        cls, tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: int = 1,
        name: str | None = None, row_splits_dtype: Any = int64,
    ) -> RaggedTensor:  # fmt: skip
        """The rows of a dense tensor, cut to `lengths`, or without the `padding` at their ends, or whole."""
        return operations().from_tensor(tensor, lengths, padding, ragged_rank, row_splits_dtype)

    @classmethod
    def from_sparse(
        cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = int64
    ) -> RaggedTensor:
        """The values of a sparse matrix whose rows are filled from the left without gaps."""
        return operations().from_sparse(st_input, row_splits_dtype)

    # -- parts --------------------------------------------------------------------------------------------------------

    @property
    def values(self) -> Any:
        """The rows, concatenated: a tensor or a ragged tensor of one rank less."""
        return self._values

    @property
    def flat_values(self) -> Any:
        """The innermost values, a tensor."""
        values = self._values
        while isinstance(values, RaggedTensor):
            values = values._values
        return values

    @property
    def row_splits(self) -> Tensor:
        """Where each row begins in `values`, and where the last one ends."""
        return self._row_partition._row_splits

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        """The splits of all ragged dimensions, the outermost first."""
        return tuple(p._row_splits for p in self._nested_row_partitions)

    @property
    def _nested_row_partitions(self) -> tuple[RowPartition, ...]:
        found = []
        value: Any = self
        while isinstance(value, RaggedTensor):
            found.append(value._row_partition)
            value = value._values
        return tuple(found)

    @property
    def uniform_row_length(self) -> Any:
        """The one length of all rows, if the dimension was made uniform; None otherwise."""
        return self._row_partition._uniform

    @property
    def ragged_rank(self) -> int:
        """How many dimensions are partitioned by splits."""
        return len(self._nested_row_partitions)

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape: None for ragged dimensions."""
        partition = self._row_partition
        outer = TensorShape([partition.static_nrows, partition.static_uniform_row_length])
        return outer.concatenate(self._values.shape[1:])

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    @property
    def ndim(self) -> int:
        """The rank."""
        return self.shape.rank  # type: ignore[return-value]

    @property
    def device(self) -> str:
        """Where the values live."""
        return self.flat_values.device

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row of each of the `values`."""
        return operations().value_rowids(self)

    def nested_value_rowids(self, name: str | None = None) -> tuple[Any, ...]:
        """The row numbers of all ragged dimensions, the outermost first."""
        return tuple(p.value_rowids() for p in self._nested_row_partitions)

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """The number of rows, of dtype `out_type` or that of the splits."""
        return operations().cast_to(self._row_partition.nrows(), out_type)

    def row_starts(self, name: str | None = None) -> Tensor:
        """Where each row begins in `values`."""
        return self._row_partition.row_starts()

    def row_limits(self, name: str | None = None) -> Tensor:
        """Where each row ends in `values`."""
        return self._row_partition.row_limits()

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """The lengths of the slices along `axis`: a vector for axis 1, ragged for inner ones."""
        return operations().row_lengths(self, axis)

    def nested_row_lengths(self, name: str | None = None) -> tuple[Any, ...]:
        """The lengths of all ragged dimensions, the outermost first."""
        return tuple(p.row_lengths() for p in self._nested_row_partitions)

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The shape of the smallest dense tensor that has room for all values, or some dimensions of it."""
        return operations().bounding_shape(self, axis, out_type)

    def consumers(self) -> list[Any]:
        """The operations that read the parts inside a graph; none in eager execution."""
        parts = self._nest_flatten()
        if isinstance(parts[0], EagerTensor):
            return []
        wanted = {id(p) for p in parts}
        return [n for n in parts[0].graph.nodes if any(id(x) in wanted for x in n.inputs)]

    # -- others of the same form --------------------------------------------------------------------------------------

    def with_values(self, new_values: Any) -> RaggedTensor:
        """The same rows with other values, as many."""
        return operations().with_values(self, new_values)

    def with_flat_values(self, new_values: Any) -> RaggedTensor:
        """The same partitions with other flat values, as many."""
        return operations().with_flat_values(self, new_values)

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """The same with int32 or int64 splits throughout."""
        dtype = as_dtype(dtype)
        if dtype not in (int32, int64):
            raise ValueError(f"row_splits are int32 or int64; got {dtype!r}.")
        values = self._values
        if isinstance(values, RaggedTensor):
            values = values.with_row_splits_dtype(dtype)
        return RaggedTensor(values, self._row_partition.with_dtype(dtype), internal=True)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """The dimensions from `outer_axis` through `inner_axis` as one."""
        return operations().merge_dims(self, outer_axis, inner_axis)

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Tensor:
        """A dense tensor, padded with `default_value` and, where `shape` says so, cut."""
        return operations().to_tensor(self, default_value, shape)

    def to_sparse(self, name: str | None = None) -> Any:
        """A sparse tensor of all values."""
        return operations().to_sparse(self)

    def to_list(self) -> list[Any]:
        """Nested Python lists of the values; ValueError inside a graph."""
        return operations().to_list(self)

    def numpy(self) -> np.ndarray:
        """A NumPy array: of objects, one for each row, where the rows differ in length; ValueError inside a graph."""
        return operations().to_numpy(self)

    def _set_shape(self, shape: Any) -> None:
        """Adds to what is known of the static shape; only checked, as splits carry the shape."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Shapes {self.shape} and {shape} are not compatible.")

    # -- protocols ----------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        return operations().getitem(self, key)

    def __iter__(self) -> Any:
        count = self._row_partition.static_nrows
        if ctx.graph is not None:
            raise ValueError(
                "Python can't go over the rows of a ragged tensor while a graph is built; a `for` statement of a function that "
                "AutoGraph converts can."
            )
        return (self[i] for i in range(count))

    def __hash__(self) -> int:
        raise TypeError("A RaggedTensor is unhashable: `==` compares its elements.")

    def __bool__(self) -> bool:
        raise TypeError(
            "A RaggedTensor can't be used as a bool: it has no truth value of its own; reduce it first, as by tf.reduce_any."
        )

    def __headwater_dispatch__(self, op: Op, args: Any, attrs: Any) -> Any:
        return operations().dispatch(op, args, attrs)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        # TensorFlow's conversion of a value that is no tensor fails with TypeError in graphs, with ValueError outside.
        raise (ValueError if ctx.graph is None else TypeError)(
            f"{self!r} can't be converted to a tensor, as a tensor has no ragged dimensions. Make it dense with to_tensor(), "
            "or apply the operation to its values: tf.ragged.map_flat_values."
        )

    def _shape_invariant_to_type_spec(self, shape: Any) -> RaggedTensorSpec:
        """The specification of ragged tensors like this one of another static shape."""
        return RaggedTensorSpec(shape, self.dtype, self.ragged_rank, self._row_partition.dtype)

    def _map_values(self, function: Callable[[Any], Any]) -> RaggedTensor:
        return self.with_flat_values(function(self.flat_values))

    @property
    def _gradient_values(self) -> Any:
        return self.flat_values

    def _nest_flatten(self) -> list[Any]:
        return [self.flat_values, *self.nested_row_splits]

    def _nest_unflatten(self, parts: list[Any]) -> Any:
        """The same form around other tensors. Splits that are None (they have no gradient) are these splits."""
        values, *splits = parts
        if values is None:
            return None
        _require_tensors(parts)
        partitions = self._nested_row_partitions
        for partition, given in zip(reversed(partitions), reversed(splits), strict=True):
            kept = given is None or given is partition._row_splits
            values = RaggedTensor(values, partition if kept else partition._with_splits(given), internal=True)
        return values

    @property
    def _type_spec(self) -> RaggedTensorSpec:
        return RaggedTensorSpec.from_value(self)

    def __copy__(self) -> RaggedTensor:
        return RaggedTensor(self._values, self._row_partition, internal=True)

    def __deepcopy__(self, memo: Any) -> RaggedTensor:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return _rebuilt, (self.flat_values, self.nested_row_splits)

    def __repr__(self) -> str:
        return operations().text(self)

    __str__ = __repr__


def _require_tensors(parts: Sequence[Any]) -> None:
    """Raises for parts of a ragged tensor, given by a program, that are no tensors; None stands for splits without a gradient."""
    for part in parts:
        if isinstance(part, TypeSpec):
            raise TypeError(f"RaggedTensor: a part must be a tensor; got the specification {part!r}.")
        if part is not None and not hasattr(part, "shape"):
            raise ValueError(f"RaggedTensor: a part must be a tensor; got {part!r}.")


def _rebuilt(flat_values: Any, nested_row_splits: Sequence[Any]) -> RaggedTensor:
    return RaggedTensor.from_nested_row_splits(flat_values, nested_row_splits, validate=False)


def _operator(name: str) -> Any:
    def method(self: Any, *others: Any) -> Any:
        return operations().OPERATORS[name](self, *others)

    method.__name__ = method.__qualname__ = f"__{name}__"
    return method


for _name in (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow and rand or ror xor rxor lt le gt ge "
    "eq ne neg abs invert"
).split():
    setattr(RaggedTensor, f"__{_name}__", _operator(_name))


@export("RaggedTensorSpec")
class RaggedTensorSpec(CompositeSpec):
    """Specification of a ragged tensor.

    Args:
      shape: anything `tf.TensorShape` takes.
      dtype: that of the values.
      ragged_rank: how many dimensions are partitioned; by default all but one.
      row_splits_dtype: int32 or int64.
      flat_values_spec: a specification of the flat values, in place of `dtype`.
    """

    __slots__ = ("_shape", "_dtype", "_ragged_rank", "_row_splits_dtype", "_flat_values_spec")

    def __init__(
        self, shape: Any = None, dtype: Any = float32, ragged_rank: int | None = None,
        row_splits_dtype: Any = int64, flat_values_spec: Any = None,
    ) -> None:  # fmt: skip
        self._shape = TensorShape(shape)
        self._row_splits_dtype = as_dtype(row_splits_dtype)
        if flat_values_spec is not None:
            if dtype is not None and as_dtype(dtype) != flat_values_spec.dtype:
                raise ValueError(
                    f"RaggedTensorSpec: dtype must be None or that of flat_values_spec, {flat_values_spec.dtype!r}; got {dtype!r}."
                )
            dtype = flat_values_spec.dtype
        elif dtype is None:
            raise ValueError("RaggedTensorSpec: give dtype or flat_values_spec.")
        self._dtype = as_dtype(dtype)
        self._flat_values_spec = flat_values_spec
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError("RaggedTensorSpec: give ragged_rank, or a shape whose rank is known.")
            ragged_rank = rank - 1
        if not isinstance(ragged_rank, (int, np.integer)) or isinstance(ragged_rank, bool):
            raise TypeError(f"RaggedTensorSpec: ragged_rank must be an int; got {ragged_rank!r}.")
        if rank is not None and ragged_rank >= rank:
            raise ValueError(
                f"RaggedTensorSpec: ragged_rank must be below the rank; got {ragged_rank} for {rank}."
            )
        self._ragged_rank = int(ragged_rank)

    @classmethod
    def from_value(cls, value: RaggedTensor) -> RaggedTensorSpec:
        """The specification of a ragged tensor."""
        return cls(value.shape, value.dtype, value.ragged_rank, value._row_partition.dtype)

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._dtype

    @property
    def ragged_rank(self) -> int:
        """How many dimensions are partitioned."""
        return self._ragged_rank

    @property
    def row_splits_dtype(self) -> DType:
        """The dtype of the splits."""
        return self._row_splits_dtype

    @property
    def flat_values_spec(self) -> Any:
        """The specification of the flat values that was given, or None."""
        return self._flat_values_spec

    @property
    def value_type(self) -> type:
        """`tf.RaggedTensor`; `tf.Tensor` for a ragged rank of 0."""
        return RaggedTensor if self._ragged_rank > 0 else Tensor

    @property
    def _component_specs(self) -> list[TensorSpec]:
        rank, shape = self._ragged_rank, self._shape
        if rank <= 0:
            return [self._flat_values_spec or TensorSpec(shape, self._dtype)]
        dims = shape.as_list() if shape.rank is not None else None
        counts = [None] * (rank + 1) if dims is None else _products(dims[: rank + 1])
        inner = None if dims is None else [counts[rank], *dims[rank + 1 :]]
        flat = self._flat_values_spec or TensorSpec(inner, self._dtype)
        splits = [None if n is None else n + 1 for n in counts[:rank]]
        return [flat, *(TensorSpec([n], self._row_splits_dtype) for n in splits)]

    def _to_components(self, value: Any) -> list[Any]:
        return value._nest_flatten() if isinstance(value, RaggedTensor) else [value]

    def _nest_unflatten(self, parts: list[Any]) -> Any:
        _require_tensors(parts)
        for spec, part in zip(self._component_specs[1:], parts[1:], strict=True):
            if not spec.shape.is_compatible_with(part.shape):
                raise ValueError(f"RaggedTensor: splits of shape {part.shape} don't fit {self!r}.")
        return super()._nest_unflatten(parts)

    def _from_components(self, components: Any) -> Any:
        values, *splits = components
        if not splits:
            return values
        dims = self._shape.as_list() if self._shape.rank is not None else [None] * (len(splits) + 1)
        for axis in range(len(splits), 0, -1):
            partition = operations().partition_of(splits[axis - 1], dims[axis])
            values = RaggedTensor(values, partition, internal=True)
        return values

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether dtypes and ragged ranks are equal and shapes compatible."""
        other = spec_or_value
        if not isinstance(other, RaggedTensorSpec):
            if not isinstance(other, RaggedTensor):
                return False
            other = RaggedTensorSpec.from_value(other)
        return self._key()[1:4] == other._key()[1:4] and self._shape.is_compatible_with(other._shape)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether `other` allows every ragged tensor that this one allows."""
        return (
            isinstance(other, RaggedTensorSpec)
            and self._key()[1:4] == other._key()[1:4]
            and self._shape.is_subtype_of(other._shape)
        )

    def most_specific_common_supertype(self, others: Any) -> RaggedTensorSpec | None:
        """The narrowest specification over all; None where dtypes or ragged ranks differ."""
        if any(not isinstance(o, RaggedTensorSpec) or o._key()[1:4] != self._key()[1:4] for o in others):
            return None
        shape = self._shape.most_specific_common_supertype([o._shape for o in others])
        if shape is None:
            return None
        return RaggedTensorSpec(shape, self._dtype, self._ragged_rank, self._row_splits_dtype)

    def _batch(self, batch_size: Any) -> RaggedTensorSpec:
        """The specification of a batch of such values, whose rows may differ in their ragged dimensions."""
        shape = TensorShape([batch_size]).concatenate(self._shape)
        return RaggedTensorSpec(shape, self._dtype, self._ragged_rank + 1, self._row_splits_dtype)

    def _unbatch(self) -> RaggedTensorSpec:
        """The specification of one element of such a batch: of ragged rank 0 it is a tensor, of -1 its row, which batches alike."""
        return RaggedTensorSpec(self._shape[1:], self._dtype, self._ragged_rank - 1, self._row_splits_dtype)

    def _key(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype, self._flat_values_spec

    def __reduce__(self) -> Any:
        return RaggedTensorSpec, self._key()

    def __repr__(self) -> str:
        flat = "" if self._flat_values_spec is None else f", {self._flat_values_spec!r}"
        return f"RaggedTensorSpec({self._shape!r}, {self._dtype!r}, {self._ragged_rank}, {self._row_splits_dtype!r}{flat})"


def _products(dims: list[int | None]) -> list[int | None]:
    """How many slices there are along each of the first dimensions, None where it is unknown."""
    counts: list[int | None] = []
    total: int | None = 1
    for dim in dims:
        total = None if total is None or dim is None else total * dim
        counts.append(total)
    return counts

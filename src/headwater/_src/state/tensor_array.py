"""`TensorArray`: a list of tensors of one dtype, written and read by index.

Eagerly its elements are the very tensors that were written, so gradients flow through them without any help. In a graph it is
an object around a list of tensors, a value that the graph hands on; see `ops.tensor_lists`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import headwater._src.ops.joining as joining
import headwater._src.ops.tensor_lists as tensor_lists
from headwater._src.base import nest
from headwater._src.base.dtypes import as_dtype, float32
from headwater._src.base.errors import OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert, host_int, host_ints
from headwater._src.core.spec import TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, of_array


@export("TensorArray")
class TensorArray:
    """A list of tensors of one dtype, of a fixed size or growing.

    Args:
      dtype: of the elements.
      size: how many elements; needed.
      dynamic_size: whether writing behind the end makes the array grow.
      clear_after_read: drop an element once it was read (the default), so that memory is freed.
      infer_shape: all elements must have the shape of the first one written.
      element_shape: what is known of the elements' shapes.
      tensor_array_name, handle, flow, colocate_with_first_write_call, name: accepted for compatibility.

    Raises:
      ValueError: no size.

    >>> array = tf.TensorArray(tf.float32, size=2)
    >>> array.write(0, 1.0).write(1, 2.0).stack().numpy()
    array([1., 2.], dtype=float32)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> TensorArray:
        """An array of the graph being built, if there is one."""
        return object.__new__(_GraphTensorArray if ctx.graph is not None and cls is TensorArray else cls)

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: Any = None, clear_after_read: Any = None,
        tensor_array_name: Any = None, handle: Any = None, flow: Any = None, infer_shape: bool = True,
        element_shape: Any = None, colocate_with_first_write_call: bool = True, name: str | None = None,
    ) -> None:  # fmt: skip
        if size is None:
            raise ValueError("tf.TensorArray: give the size (0 with dynamic_size=True for one that grows).")
        if handle is not None:
            raise ValueError(
                "tf.TensorArray: a handle belongs to an array that there is already; give the size alone."
            )
        self._dtype = as_dtype(dtype)
        self._dynamic_size = bool(dynamic_size)
        self._clear = clear_after_read is None or bool(clear_after_read)
        self._infer_shape = bool(infer_shape)
        self._element_shape = TensorShape(element_shape)
        self._begin(size)

    def _begin(self, size: Any) -> None:
        self._elements: list[Tensor | None] = [None] * self._number(size, "size")
        self._read: set[int] = set()

    @staticmethod
    def _number(value: Any, what: str) -> int:
        if value is None or isinstance(value, (str, bytes, list, tuple)):
            raise TypeError(f"tf.TensorArray: the {what} must be an integer; got {value!r}.")
        number = host_int(value, f"tf.TensorArray: {what}")
        if isinstance(number, SymbolicTensor):
            raise TypeError(
                f"tf.TensorArray: the {what} {number.name} is symbolic, but the array was made outside of the graph "
                f"{number.graph.name!r}. Make it inside, or pass what it holds: array.stack()."
            )
        return number

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether the array grows."""
        return self._dynamic_size

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shapes."""
        return self._element_shape

    @property
    def handle(self) -> None:
        """None: an eager array has no handle."""
        return None

    @property
    def flow(self) -> Tensor:
        """A placeholder: order is that of the Python program."""
        return of_array(np.zeros((), np.int32))

    def identity(self) -> TensorArray:
        """The array itself."""
        return self

    def grad(self, source: Any, flow: Any = None, name: str | None = None) -> Any:
        """Raises: eager gradients need no array of their own."""
        raise NotImplementedError(
            "TensorArray.grad belongs to TensorFlow 1's gradients; tf.GradientTape differentiates through the array by itself."
        )

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements as an int32 scalar."""
        return of_array(np.asarray(len(self._elements), np.int32))

    def close(self, name: str | None = None) -> None:
        """Drops all elements."""
        self._elements = []
        self._read = set()

    # -- single elements ----------------------------------------------------------------------------------------------

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element number `index`; zeros where nothing was written and the shape is known.

        Raises:
          OutOfRangeError: there is no such element.
          InvalidArgumentError: it was read before and cleared, or was never written and its shape is not known.
        """
        i = self._number(index, "index")
        self._check_index(i, "read")
        if i in self._read:
            raise invalid(
                f"TensorArray.read: element {i} was read before and dropped then; keep it with clear_after_read=False."
            )
        value = self._filled(i)
        if self._clear:
            self._read.add(i)
            self._elements[i] = None
        return value

    def _check_index(self, i: int, what: str) -> None:
        if not 0 <= i < len(self._elements):
            raise OutOfRangeError(
                None,
                None,
                f"TensorArray.{what}: index {i} is out of range for an array of {len(self._elements)} elements.",
            )

    def _filled(self, i: int) -> Tensor:
        value = self._elements[i]
        if value is not None:
            return value
        if not self._element_shape.is_fully_defined():
            raise ValueError(
                f"TensorArray: element {i} was never written, and the shape {self._element_shape} is not known well enough to "
                "take zeros for it. Write it first, or give element_shape."
            )
        return self._zeros()

    def _zeros(self) -> Tensor:
        array = np.zeros(self._element_shape.as_list(), self._dtype.np)
        if self._dtype.np.kind == "O":
            array[...] = b""
        return of_array(array)

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Puts `value` at `index`; gives the array, for TensorFlow's style of `array = array.write(...)`.

        Raises:
          OutOfRangeError: the index is negative, or behind the end of an array that does not grow.
          InvalidArgumentError: the value has another dtype.
          ValueError: its shape does not fit.
        """
        i = self._number(index, "index")
        if i < 0 or (i >= len(self._elements) and not self._dynamic_size):
            raise OutOfRangeError(
                None, None,
                f"TensorArray.write: index {i} is out of range for an array of {len(self._elements)} elements; "
                "dynamic_size=True lets it grow.",
            )  # fmt: skip
        self._put(i, value)
        return self

    def _put(self, i: int, value: Any) -> None:
        tensor = self._of_dtype(convert(value, None, self._dtype), "write")
        if not self._element_shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"TensorArray.write: elements have the shape {self._element_shape}; got {describe(tensor)}. "
                "infer_shape=False lets shapes differ."
            )
        if self._infer_shape:
            self._element_shape = self._element_shape.merge_with(tensor.shape)
        if i >= len(self._elements):
            self._elements.extend([None] * (i + 1 - len(self._elements)))
        self._elements[i] = tensor
        self._read.discard(i)

    def _of_dtype(self, tensor: Tensor, what: str, error: Any = invalid) -> Tensor:
        if tensor.dtype is not self._dtype:
            raise error(
                f"TensorArray.{what}: the array holds {self._dtype.name}; got {describe(tensor)}. Convert it: "
                f"tf.cast(value, {self._dtype!r})."
            )
        return tensor

    # -- several at once ----------------------------------------------------------------------------------------------

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as the rows of one tensor; zeros for those never written.

        Raises:
          InvalidArgumentError: their shapes differ.
          ValueError: nothing was written and the shape is not known.
        """
        if not self._elements:
            return self._nothing()
        rows = [self._filled(i) for i in range(len(self._elements))]
        return joining.stack(rows)

    def _nothing(self) -> Tensor:
        dims = self._element_shape.as_list() if self._element_shape.is_fully_defined() else []
        return of_array(np.zeros((0, *dims), self._dtype.np))

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, stacked."""
        given = np.asarray(indices)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise TypeError(f"TensorArray.gather: the indices must be a vector of integers; got {indices!r}.")
        numbers = given.astype(np.int64).tolist()
        for i in numbers:
            self._check_index(i, "gather")
        return joining.stack([self._filled(i) for i in numbers]) if numbers else self._nothing()

    def concat(self, name: str | None = None) -> Tensor:
        """All elements joined along their first dimension.

        Raises:
          InvalidArgumentError: there is none, or their shapes do not fit.
        """
        if not self._elements:
            raise invalid("TensorArray.concat: the array has no elements to join.")
        return joining.concat([self._filled(i) for i in range(len(self._elements))], axis=0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Fills the array with the rows of `value`.

        Raises:
          ValueError: `value` is a scalar, or has more rows than a fixed array has elements.
          InvalidArgumentError: it has another dtype.
        """
        tensor = self._of_dtype(convert(value, None, self._dtype), "unstack")
        if tensor.shape.rank == 0:
            raise ValueError(f"TensorArray.unstack: rank 1 or more is needed; got {describe(tensor)}.")
        rows = joining.unstack(tensor)
        if len(rows) > len(self._elements) and not self._dynamic_size:
            raise ValueError(
                f"TensorArray.unstack: {describe(tensor)} has {len(rows)} rows and the array {len(self._elements)} elements; "
                "dynamic_size=True lets it change."
            )
        self._elements = list(rows)
        self._read = set()
        return self

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Writes the rows of `value` at `indices`."""
        tensor = convert(value, None, self._dtype)
        for i, row in zip(
            host_ints(indices, "TensorArray.scatter: indices"), joining.unstack(tensor), strict=False
        ):
            self.write(i, row)
        return self

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Fills the array with consecutive pieces of `value` along its first dimension.

        Args:
          value: tensor of rank 1 or more.
          lengths: the sizes of the pieces.

        Raises:
          InvalidArgumentError: `value` is a scalar, the lengths don't add up, or there are not as many as elements.
        """
        tensor = convert(value, None, self._dtype)
        sizes = list(host_ints(lengths, "TensorArray.split: lengths"))
        if tensor.shape.rank == 0:
            raise invalid(f"TensorArray.split: rank 1 or more is needed; got {describe(tensor)}.")
        if sum(sizes) != tensor.shape[0]:
            raise invalid(
                f"TensorArray.split: the lengths {sizes} add up to {sum(sizes)}; got {describe(tensor)}."
            )
        if len(sizes) != len(self._elements) and not self._dynamic_size:
            raise invalid(
                f"TensorArray.split: {len(sizes)} lengths for an array of {len(self._elements)} elements; dynamic_size=True "
                "lets it change."
            )
        self._elements = list(joining.split(tensor, sizes))
        self._read = set()
        return self

    @property
    def _type_spec(self) -> TensorArraySpec:
        return TensorArraySpec(self._element_shape, self._dtype, self._dynamic_size, self._infer_shape)

    @property
    def _given(self) -> list[Any]:
        """The elements, as parts of an argument of a function."""
        return self._elements

    @property
    def _settings(self) -> tuple[Any, ...]:
        """What else an argument is made of."""
        return self._dtype, self._dynamic_size, self._clear, self._infer_shape, self._element_shape


def array_of(elements: Sequence[Any], settings: tuple[Any, ...]) -> Any:
    """An array of these elements, None where nothing was written; of specifications it is one too."""
    dtype, dynamic, clear, infer, shape = settings
    if any(isinstance(e, TypeSpec) for e in elements):
        return TensorArraySpec(shape, dtype, dynamic, infer)
    made = TensorArray(dtype, len(elements), dynamic, clear, infer_shape=infer, element_shape=shape)
    if not isinstance(made, _GraphTensorArray):
        made._elements = list(elements)
        return made
    for i, element in enumerate(elements):
        if element is not None:
            made = made.write(i, element)
    made.__dict__["_as_given"] = list(elements)
    return made


class _GraphTensorArray(TensorArray, nest.Composite):
    """A tensor array in a graph. Methods that change it give another one; this one stays as it is."""

    _list: Any

    def _begin(self, size: Any) -> None:
        if isinstance(size, (str, bytes)):
            raise TypeError(f"tf.TensorArray: the size must be an integer; got {size!r}.")
        shape = self._element_shape._dims
        self._list = tensor_lists.reserve(size, self._dtype, shape, self._dynamic_size)

    def _with(self, value: Any) -> _GraphTensorArray:
        other = object.__new__(_GraphTensorArray)
        other.__dict__.update({k: v for k, v in self.__dict__.items() if k != "_as_given"})
        other._list = value
        if self._infer_shape and value._shape is not None:
            other._element_shape = self._element_shape.merge_with(value._shape[1:])
        return other

    @property
    def _given(self) -> list[Any]:
        return self.__dict__["_as_given"]  # type: ignore[no-any-return]

    def _nest_flatten(self) -> list[Any]:
        return [self._list]

    def _nest_unflatten(self, parts: list[Any]) -> TensorArray:
        (value,) = parts
        if not isinstance(value, EagerTensor):
            return self._with(value)
        # The graph has run: what it gave back is an eager array.
        eager = object.__new__(TensorArray)
        eager.__dict__.update({k: v for k, v in self.__dict__.items() if k != "_list"})
        items = tensor_lists.items_of(value)
        eager._elements, eager._read = [None if x is None else of_array(x) for x in items], set()
        return eager

    @property
    def flow(self) -> Tensor:
        """The list of tensors, of dtype variant."""
        return self._list  # type: ignore[no-any-return]

    def identity(self) -> TensorArray:
        """An array of the same elements."""
        return self._with(self._list)

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements as an int32 scalar."""
        return tensor_lists.length(self._list)  # type: ignore[no-any-return]

    def close(self, name: str | None = None) -> None:
        """Does nothing: a graph lets go of values by itself."""

    def _shape_attr(self) -> Any:
        return self._element_shape._dims

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element number `index`; zeros where nothing was written and the shape is known.

        When it runs: OutOfRangeError where there is no such element; InvalidArgumentError for one never written, of unknown
        shape.
        """
        return tensor_lists.get_item(self._list, index, self._shape_attr())  # type: ignore[no-any-return]

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """An array with `value` at `index`; errors as those of eager arrays, for the index when it runs."""
        tensor = ctx.graph.enter(self._checked(convert(value, None, self._dtype), "write"))
        return self._with(
            tensor_lists.set_item(self._list, index, tensor, self._dynamic_size, self._infer_shape)
        )

    def _checked(self, tensor: Tensor, what: str) -> Tensor:
        self._of_dtype(tensor, what, invalid if what == "write" else ValueError)
        if what == "write" and not self._element_shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"TensorArray.write: elements have the shape {self._element_shape}; got {describe(tensor)}. "
                "infer_shape=False lets shapes differ."
            )
        return tensor

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as the rows of one tensor; zeros for those never written."""
        return tensor_lists.stack(self._list, self._shape_attr())  # type: ignore[no-any-return]

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, stacked."""
        return tensor_lists.gather(self._list, indices, self._shape_attr())  # type: ignore[no-any-return]

    def concat(self, name: str | None = None) -> Tensor:
        """All elements joined along their first dimension."""
        return tensor_lists.concat(self._list, self._shape_attr())  # type: ignore[no-any-return]

    def _rows(self, value: Any, what: str) -> Tensor:
        tensor = ctx.graph.enter(self._checked(convert(value, None, self._dtype), what))
        if tensor.shape.rank == 0:
            error = invalid if what == "unstack" else ValueError
            raise error(f"TensorArray.{what}: rank 1 or more is needed; got {describe(tensor)}.")
        return tensor

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array of the rows of `value`."""
        tensor = self._rows(value, "unstack")
        made = tensor_lists.from_tensor(tensor)
        size, count = tensor_lists.static_size(self._list), tensor.shape[0]
        if None not in (size, count) and size != count and not self._dynamic_size:
            raise ValueError(
                f"TensorArray.unstack: {describe(tensor)} has {count} rows and the array {size} elements; dynamic_size=True lets "
                "it change."
            )
        return self._with(made)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """An array with the rows of `value` written at `indices`."""
        rows = self._rows(value, "scatter")
        return self._with(tensor_lists.scatter(self._list, indices, rows, self._dynamic_size))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """An array of consecutive pieces of `value` along its first dimension."""
        return self._with(tensor_lists.split(self._rows(value, "split"), lengths))


@export("TensorArraySpec")
class TensorArraySpec(TypeSpec):
    """Specification of a `tf.TensorArray`."""

    __slots__ = ("_dtype", "_dynamic_size", "_element_shape", "_infer_shape")

    def __init__(
        self,
        element_shape: Any = None,
        dtype: Any = float32,
        dynamic_size: bool = False,
        infer_shape: bool = True,
    ) -> None:
        self._element_shape = TensorShape(element_shape)
        self._dtype = as_dtype(dtype)
        self._dynamic_size = dynamic_size
        self._infer_shape = infer_shape

    @property
    def value_type(self) -> type:
        """`tf.TensorArray`."""
        return TensorArray

    @classmethod
    def from_value(cls, value: TensorArray) -> TensorArraySpec:
        """The spec of an array; TypeError for anything else."""
        if not isinstance(value, TensorArray):
            raise TypeError(
                f"tf.TensorArraySpec.from_value: a tf.TensorArray was expected; got {describe(value)}."
            )
        return value._type_spec

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether dtypes are equal and the element shapes compatible."""
        other = spec_or_value._type_spec if isinstance(spec_or_value, TensorArray) else spec_or_value
        return (
            isinstance(other, TensorArraySpec)
            and self._dtype is other._dtype
            and self._dynamic_size == other._dynamic_size
            and self._element_shape.is_compatible_with(other._element_shape)
        )

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The narrowest spec over all, or None."""
        if any(not isinstance(o, TensorArraySpec) or o._key()[1:] != self._key()[1:] for o in others):
            return None
        shape = self._element_shape.most_specific_common_supertype([o._element_shape for o in others])
        return TensorArraySpec(shape, self._dtype, self._dynamic_size, self._infer_shape)

    def _key(self) -> tuple[Any, ...]:
        return self._element_shape, self._dtype, self._dynamic_size, self._infer_shape

    def __repr__(self) -> str:
        return f"TensorArraySpec({self._element_shape!r}, {self._dtype!r}, {self._dynamic_size}, {self._infer_shape})"

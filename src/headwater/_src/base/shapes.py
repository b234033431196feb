"""Shapes that may be partly known: tuples with None inside the library, `TensorShape` for users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from headwater._src.base.exporting import export

Dim = Any
"""An int, or None where the dimension is unknown. (Typed loosely: rules test for None where it matters.)"""
Partial = Any
"""A shape inside the library: None is unknown rank, a None entry an unknown dimension."""


@export("TensorShape")
class TensorShape:
    """The shape of a tensor, fully known, of known rank with unknown dimensions, or wholly unknown.

    `TensorShape([2, None])` has rank 2; `TensorShape(None)` has unknown rank. Comparing with `==` is exact; use
    `is_compatible_with` to ask whether two partial shapes may be the same.
    """

    __slots__ = ("_dims",)

    def __init__(self, dims: Any) -> None:
        self._dims = _as_partial(dims)

    # -- what is known ------------------------------------------------------------------------------------------------

    @property
    def rank(self) -> int | None:
        """Number of dimensions, or None."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The same as `rank`."""
        return self.rank

    @property
    def dims(self) -> list[Dim] | None:
        """The dimensions as a list, or None for unknown rank."""
        return None if self._dims is None else list(self._dims)

    def as_list(self) -> list[Dim]:
        """The dimensions as a list of int or None; ValueError for unknown rank."""
        if self._dims is None:
            raise ValueError("as_list() is not defined on a TensorShape of unknown rank.")
        return list(self._dims)

    def is_fully_defined(self) -> bool:
        """Whether rank and all dimensions are known."""
        return self._dims is not None and None not in self._dims

    def num_elements(self) -> int | None:
        """Product of the dimensions, or None where one is unknown."""
        return num_elements(self._dims)

    # -- relations ----------------------------------------------------------------------------------------------------

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some full shape fits both."""
        return compatible(self._dims, _as_partial(other))

    def assert_is_compatible_with(self, other: Any) -> None:
        """ValueError unless `is_compatible_with(other)`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible.")

    def assert_has_rank(self, rank: int) -> None:
        """ValueError unless the rank is, or may be, `rank`."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}.")

    def assert_same_rank(self, other: Any) -> None:
        """ValueError if both ranks are known and differ."""
        other = TensorShape(other)
        if self.rank is not None and other.rank is not None and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank.")

    def assert_is_fully_defined(self) -> None:
        """ValueError unless the shape is fully known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined.")

    def is_subtype_of(self, other: TensorShape) -> bool:
        """Whether every full shape that fits this one fits `other`."""
        if other._dims is None:
            return True
        if self._dims is None or len(self._dims) != len(other._dims):
            return False
        return all(o is None or s == o for s, o in zip(self._dims, other._dims, strict=True))

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The most exact shape that fits both: equal dimensions stay, others become None."""
        return TensorShape(generalize(self._dims, _as_partial(other)))

    def most_specific_common_supertype(self, others: Iterable[TensorShape]) -> TensorShape | None:
        """The most exact shape that this and all `others` are subtypes of."""
        dims = self._dims
        for other in others:
            dims = generalize(dims, _as_partial(other))
        return TensorShape(dims)

    def merge_with(self, other: Any) -> TensorShape:
        """What both together say; ValueError where they contradict each other."""
        return TensorShape(merge(self._dims, _as_partial(other)))

    def concatenate(self, other: Any) -> TensorShape:
        """This shape followed by `other`."""
        other_dims = _as_partial(other)
        return TensorShape(None if self._dims is None or other_dims is None else self._dims + other_dims)

    def with_rank(self, rank: int) -> TensorShape:
        """This shape, known to have `rank` dimensions; ValueError where it can't."""
        if self._dims is None:
            return TensorShape((None,) * rank)
        self.assert_has_rank(rank)
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape; ValueError if it has fewer than `rank` dimensions."""
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}.")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape; ValueError if it has more than `rank` dimensions."""
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}.")
        return self

    # -- as a sequence ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of a shape with unknown rank.")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[Dim]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self._dims)

    def __getitem__(self, key: Any) -> Any:
        if self._dims is not None:
            found = self._dims[key]
            return TensorShape(found) if isinstance(key, slice) else found
        if not isinstance(key, slice):
            return None
        start, stop = key.start or 0, key.stop
        if key.step is None and stop is not None and 0 <= start <= stop:
            return TensorShape((None,) * (stop - start))
        return TensorShape(None)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is TensorShape:
            return self._dims == other._dims  # type: ignore[attr-defined]
        try:
            return self._dims == _as_partial(other)
        except TypeError:
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        return f"({self._dims[0]},)" if len(self._dims) == 1 else f"({', '.join(map(str, self._dims))})"

    def __reduce__(self) -> Any:
        return TensorShape, (self.dims,)

    def __tf_tracing_type__(self, context: Any) -> TensorShape:
        return self


def wrap(dims: Partial) -> TensorShape:
    """A TensorShape around dimensions that are known to be right; the constructor checks, this does not."""
    shape = TensorShape.__new__(TensorShape)
    shape._dims = dims
    return shape


def _as_partial(dims: Any) -> Partial:
    if dims.__class__ is tuple and all(d.__class__ is int and d >= 0 for d in dims):
        return dims
    if dims is None:
        return None
    if isinstance(dims, TensorShape):
        return dims._dims
    if isinstance(dims, (str, bytes)):
        raise TypeError(f"A shape is a sequence of integers or None; got {dims!r}.")
    if isinstance(dims, Iterable):
        return tuple(_as_dim(d) for d in dims)
    return (_as_dim(dims),)


def _as_dim(value: Any) -> Dim:
    if value is None:
        return None
    if isinstance(value, (str, bytes, float)):
        raise TypeError(f"A dimension is an integer or None; got {value!r}.")
    value = getattr(value, "value", value) if value.__class__.__name__ == "Dimension" else value
    if value is None:
        return None
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"A dimension is an integer or None; got {value!r}.") from None
    if number < 0:
        raise ValueError(f"A dimension must be >= 0; got {number}.")
    return number


# -- functions on partial shapes --------------------------------------------------------------------------------------


def num_elements(dims: Partial) -> Any:
    """Product of the dimensions, or None where one is unknown."""
    if dims is None:
        return None
    product = 1
    for d in dims:
        if d is None:
            return None
        product *= d
    return product


def compatible(a: Partial, b: Partial) -> bool:
    """Whether some full shape fits both."""
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


def merge(a: Partial, b: Partial) -> Partial:
    """What both together say; ValueError where they contradict."""
    if a is None or b is None:
        return b if a is None else a
    if not compatible(a, b):
        raise ValueError(f"Shapes {wrap(a)} and {wrap(b)} are not compatible.")
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def generalize(a: Partial, b: Partial) -> Partial:
    """The most exact shape that both fit."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


def broadcast(a: Partial, b: Partial) -> Partial:
    """NumPy's broadcasting rule on partial shapes; ValueError where it can't hold.

    An unknown dimension against a known one other than 1 gives the known one, against 1 or unknown it stays unknown.
    """
    if a is None or b is None:
        return None
    if a == b and None not in a:
        return a
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    shift = len(longer) - len(shorter)
    dims = list(longer)
    for i, y in enumerate(shorter, shift):
        x = longer[i]
        if x == 1 or (x is None and y not in (1, None)):
            dims[i] = y
        elif not (x == y or y == 1 or x is None or y is None):
            raise ValueError(
                f"shapes {wrap(a)} and {wrap(b)} do not broadcast: {x} against {y} in dimension {i}"
            )
        elif y is None and x is None:
            dims[i] = None
    return tuple(dims)


def broadcast_all(shapes: Sequence[Partial]) -> Partial:
    """`broadcast` over any number of shapes."""
    result: Partial = ()
    for shape in shapes:
        result = broadcast(result, shape)
    return result


def normalize_axis(axis: int, rank: int, what: str = "axis") -> int:
    """`axis` counted from the front; ValueError where it is out of range."""
    if not -rank <= axis < rank:
        raise ValueError(
            f"{what} {axis} is out of range for rank {rank}: expected {-rank} <= {what} < {rank}"
        )
    return axis + rank if axis < 0 else axis


@export("broadcast_static_shape")
def broadcast_static_shape(shape_x: TensorShape, shape_y: TensorShape) -> TensorShape:
    """The shape that broadcasting tensors of two shapes gives, as far as it is known; ValueError if they don't fit.

    >>> tf.broadcast_static_shape(tf.TensorShape([1, 3]), tf.TensorShape([2, 1]))
    TensorShape([2, 3])
    """
    return wrap(broadcast(TensorShape(shape_x)._dims, TensorShape(shape_y)._dims))

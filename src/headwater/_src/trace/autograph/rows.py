"""What a staged `for` goes over: the rows of a tensor, a range, and `enumerate` and `zip` of those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headwater._src.base import dtypes
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.tensor import SymbolicTensor, Tensor, TensorLike
from headwater._src.ops import cast, gather, math, shape


class Rows:
    """A sequence of which item `i` can be computed for a symbolic `i`."""

    def count(self) -> Any:
        """The number of items: an int where it is known, else an int32 scalar."""
        raise NotImplementedError

    def item(self, i: Any) -> Any:
        """Item number `i`."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        count = self.count()
        if not isinstance(count, int):
            raise TypeError(
                "How many items there are is known only when the graph runs, so Python can't go over them here; a `for` "
                "statement of a converted function can."
            )
        return (self.item(convert(i)) for i in range(count))


class TensorRows(Rows):
    """The rows of a tensor."""

    def __init__(self, tensor: Tensor) -> None:
        if tensor.shape.rank == 0:
            raise TypeError(
                f"A scalar tensor can't be iterated over; got {tensor!r}. tf.range(n) counts to n."
            )
        self.tensor = tensor

    def count(self) -> Any:
        known = self.tensor.shape[0] if self.tensor.shape.rank else None
        return shape.shape(self.tensor)[0] if known is None else int(known)

    def item(self, i: Any) -> Any:
        return gather.gather(self.tensor, i)


class RaggedRows(Rows):
    """The rows of a ragged tensor."""

    def __init__(self, ragged: Any) -> None:
        self.ragged = ragged

    def count(self) -> Any:
        return cast.cast(self.ragged.nrows(), dtypes.int32)

    def item(self, i: Any) -> Any:
        return self.ragged[i]


class RangeRows(Rows):
    """`tf.range(start, limit, delta)` of integers, with a delta that is known: nothing need be stored."""

    def __init__(self, tensor: Tensor, start: Tensor, limit: Tensor, delta: int) -> None:
        self.tensor = tensor
        self.start, self.limit, self.delta = start, limit, delta

    def count(self) -> Any:
        known = self.tensor.shape[0]
        if known is not None:
            return int(known)
        rounding = self.delta - 1 if self.delta > 0 else self.delta + 1
        distance = self.limit - self.start
        if rounding:
            distance = distance + rounding
        if self.delta != 1:
            distance = math.floordiv(distance, self.delta)
        return cast.cast(math.maximum(distance, 0), dtypes.int32)

    def item(self, i: Any) -> Any:
        i = cast.cast(i, self.tensor.dtype)
        if self.delta != 1:
            i = i * self.delta
        known = getattr(self.start, "known", None)
        return i if known is not None and known[()] == 0 else self.start + i


class EnumeratedRows(Rows):
    """`enumerate(rows, start)`."""

    def __init__(self, rows: Rows, start: Any) -> None:
        self.rows, self.start = rows, start

    def count(self) -> Any:
        return self.rows.count()

    def item(self, i: Any) -> Any:
        number = i if isinstance(self.start, int) and self.start == 0 else i + self.start
        return number, self.rows.item(i)


class ZippedRows(Rows):
    """`zip(rows, ...)`, as long as the shortest."""

    def __init__(self, rows: list[Rows]) -> None:
        self.rows = rows

    def count(self) -> Any:
        counts = [r.count() for r in self.rows]
        known = [c for c in counts if isinstance(c, int)]
        if len(known) == len(counts):
            return min(known)
        least = counts[0]
        for count in counts[1:]:
            least = math.minimum(least, count)
        return least

    def item(self, i: Any) -> Any:
        return tuple(r.item(i) for r in self.rows)


def rows_of(iterable: Any) -> Rows | None:
    """The rows of what a `for` can go over in a graph; None for what Python goes over itself."""
    if isinstance(iterable, Rows):
        return iterable
    if ctx.graph is None or not isinstance(iterable, TensorLike):
        return None
    if type(iterable).__name__ == "RaggedTensor":
        return RaggedRows(iterable)
    tensor: Any = convert(iterable)
    if isinstance(tensor, SymbolicTensor) and tensor.op.record.name == "Range" and tensor.dtype.is_integer:
        found = _range_inputs(tensor)
        if found is not None:
            return found
    return TensorRows(tensor)


def _range_inputs(tensor: SymbolicTensor) -> RangeRows | None:
    node = tensor.op
    if len(node.inputs) != 3:
        return None
    start, limit, delta = node.inputs
    known = delta.known
    if known is None or known[()] is None or known[()] == 0 or tensor.graph is not ctx.graph:
        return None
    return RangeRows(tensor, start, limit, int(known[()]))

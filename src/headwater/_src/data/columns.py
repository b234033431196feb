"""Many elements at once: rows of arrays in memory by their numbers, and arrays whose rows are elements.

A pipeline whose elements are rows of arrays, and whose functions are arithmetic that gives the same bits on one element
and on many, runs on whole columns: a batch is then one gather and a few ufuncs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base import nest
from headwater._src.core.graph import CAPTURE, CONST, PLACEHOLDER, FuncGraph, add_node, add_opaque
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, as_array, of_array
from headwater._src.data.functions import UserFunction
from headwater._src.engine.closed import close
from headwater._src.engine.plan import plan_of
from headwater._src.io.parsing import PARSE, PARSE_ONE

_BYTES = 1 << 16
_READ = 1 << 20
_FEWEST = 32
_MOST = 1024


class Rows(NamedTuple):
    """Elements by number: `take(range or index array)` gives their columns, `blocks` their numbers in order, many at a time."""

    take: Callable[[Any], list[np.ndarray]]
    blocks: Iterator[Any]


class Columns:
    """Elements of one pass in order, as arrays whose rows they are."""

    def read(self, count: int) -> list[np.ndarray] | None:
        """The next elements, at most `count` and at least one; None at the end."""
        raise NotImplementedError


def part_of(blocks: Iterable[Any], start: int, stop: int | None, step: int = 1) -> Iterator[Any]:
    """Of the numbers in `blocks` those at the positions start, start + step, ... before stop."""
    position = 0
    for block in blocks:
        if stop is not None and position >= stop:
            return
        low = start - position if start >= position else -(position - start) % step
        high = len(block) if stop is None else min(len(block), stop - position)
        if low < high:
            yield block[low:high:step]
        position += len(block)
        if stop is not None and position >= stop:
            return


class RowColumns(Columns):
    """The columns of rows."""

    def __init__(self, rows: Rows) -> None:
        self.take, self.blocks = rows
        self.block: Any = None
        self.position = 0

    def read(self, count: int) -> list[np.ndarray] | None:
        block, low = self.block, self.position
        high = low + count
        if block is not None and high <= len(block):
            self.position = high
            return self.take(block[low:high])
        found = self._across(count)
        return None if found is None else self.take(found)

    def _across(self, count: int) -> Any:
        parts: list[Any] = []
        while count:
            if self.block is None or self.position == len(self.block):
                self.block, self.position = next(self.blocks, None), 0
                if self.block is None:
                    break
            part = self.block[self.position : self.position + count]
            if len(part):
                parts.append(part)
            self.position += len(part)
            count -= len(part)
        if len(parts) > 1:
            return np.concatenate([np.asarray(p) for p in parts])
        return parts[0] if parts else None


class MapColumns(Columns):
    """A function of columns, called for more elements than are asked for. Where it raises, the elements before the one that is
    to blame come first."""

    def __init__(self, source: Columns, run: Callable[[list[np.ndarray]], list[np.ndarray]]) -> None:
        self.source, self.run = source, run
        self.error: Exception | None = None
        self.made: list[np.ndarray] = []
        self.position = self.size = 0
        self.ahead = 1

    def read(self, count: int) -> list[np.ndarray] | None:
        low = self.position
        if low == self.size:
            made = self._more(max(count, self.ahead))
            if made is None or len(made[0]) <= count:
                return made
            low, self.made, self.size = 0, made, len(made[0])
        self.position = high = min(low + count, self.size)
        return [c[low:high] for c in self.made]

    def _more(self, count: int) -> list[np.ndarray] | None:
        if self.error is not None:
            raise self.error
        found = self.source.read(count)
        if found is None:
            return None
        try:
            made = self.run(found)
        except Exception as error:
            good = self._good(found)
            if good is None:
                raise
            self.error = self._alone(found, len(good[0])) or error
            return good
        self.ahead = max(1, min(2 * count, _MOST, _BYTES // max(_row_bytes(found), _row_bytes(made), 1)))
        return made

    def _alone(self, found: list[np.ndarray], row: int) -> Exception | None:
        """What the function raises for a single element: it knows of no others."""
        try:
            self.run([c[row : row + 1] for c in found])
        except Exception as error:
            return error
        return None

    def _good(self, found: list[np.ndarray]) -> list[np.ndarray] | None:
        """The results before the first element that raises; None where it is the very first."""
        low, high = 0, len(found[0])
        best = None
        while high - low > 1:
            middle = (low + high) // 2
            try:
                best = self.run([c[:middle] for c in found])
                low = middle
            except Exception:
                high = middle
        return best


class Read(Columns):
    """Strings that an iterator gives, as a column. An error waits until what came before it has been read."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self.source = source
        self.error: Exception | None = None

    def read(self, count: int) -> list[np.ndarray] | None:
        if self.error is not None:
            raise self.error
        found: list[bytes] = []
        try:
            found.extend(itertools.islice(self.source, count))
        except Exception as error:
            if not found:
                raise
            self.error = error
        if not found:
            return None
        out = np.empty(len(found), object)
        out[:] = found
        return [out]


class ShuffledColumns(Columns):
    """Columns in another order: `order` makes lists of the places where rows are kept out of those places, as they come in."""

    def __init__(
        self, source: Columns, order: Callable[[Iterator[int], Callable[[], int]], Iterator[list[int]]]
    ) -> None:
        self.source = source
        self.most = _FEWEST
        """So many rows are read, and may leave, at a time."""
        self.kept: list[np.ndarray] = []
        self.free: list[int] = []
        self.lists = order(self._places(), lambda: self.most)
        self.found: list[np.ndarray] = []
        self.position = self.size = 0

    def _places(self) -> Iterator[int]:
        while (found := self.source.read(self.most)) is not None:
            count = len(found[0])
            self.most = max(_FEWEST, min(_MOST, _READ // _row_bytes(found)))
            if not self.kept:
                self.kept = [np.empty((0, *c.shape[1:]), c.dtype) for c in found]
            if len(self.free) < count:
                have = len(self.kept[0])
                more = max(have, count)
                self.kept = [np.concatenate([k, np.empty((more, *k.shape[1:]), k.dtype)]) for k in self.kept]
                self.free += range(have, have + more)
            places = self.free[-count:]
            del self.free[-count:]
            for kept, column in zip(self.kept, found, strict=True):
                kept[places] = column
            yield from places

    def read(self, count: int) -> list[np.ndarray] | None:
        while self.position == self.size:
            places = next(self.lists, None)
            if places is None:
                return None
            self.found = [k[places] for k in self.kept]
            self.free += places
            self.position, self.size = 0, len(places)
        low = self.position
        self.position = high = min(low + count, self.size)
        return [c[low:high] for c in self.found]


class Chained(Columns):
    """The columns, or other sources that are read alike, that an iterator gives, one after the other, until one is empty."""

    def __init__(self, passes: Iterator[Any]) -> None:
        self.passes = passes
        self.current = next(passes, None)
        self.empty = True

    def read(self, count: int) -> Any:
        while self.current is not None:
            found = self.current.read(count)
            if found is not None:
                self.empty = False
                return found
            self.current = None if self.empty else next(self.passes, None)
            self.empty = True
        return None


class FilterColumns(Columns):
    """Those rows for which a function gives true; the source is read in larger pieces."""

    def __init__(self, source: Columns, run: Callable[[list[np.ndarray]], list[np.ndarray]]) -> None:
        self.source, self.run = source, run
        self.kept: list[np.ndarray] = []
        self.position = self.size = 0

    def read(self, count: int) -> list[np.ndarray] | None:
        while self.position >= self.size:
            found = self.source.read(max(count, 512) if _small(self.kept) else count)
            if found is None:
                return None
            mask = self.run(found)[0]
            self.kept = [c[mask] for c in found]
            self.position, self.size = 0, len(self.kept[0])
        low = self.position
        self.position = high = min(low + count, self.size)
        return [c[low:high] for c in self.kept]


def _row_bytes(columns: list[np.ndarray]) -> int:
    """About the bytes of a row."""
    return sum(
        len(c[0]) if c.dtype.kind == "O" and c.ndim == 1 and c[0].__class__ is bytes else c[:1].nbytes
        for c in columns
    )


def _small(columns: list[np.ndarray]) -> bool:
    return sum(c[:1].nbytes for c in columns) <= 128


class ZipColumns(Columns):
    """Columns side by side."""

    def __init__(self, sources: list[Columns]) -> None:
        self.sources = sources

    def read(self, count: int) -> list[np.ndarray] | None:
        found: list[np.ndarray] = []
        for i, source in enumerate(self.sources):
            part = source.read(count) if not i else exactly(source, count)
            if part is None:
                return None
            size = len(part[0])
            if size < count:
                found = [c[:size] for c in found]
                count = size
            found += part
        return found


def exactly(source: Columns, count: int) -> list[np.ndarray] | None:
    """The next `count` elements; fewer only at the end, None where there is none."""
    found = source.read(count)
    if found is None or len(found[0]) == count:
        return found
    parts, have = [found], len(found[0])
    while have < count:
        found = source.read(count - have)
        if found is None:
            break
        parts.append(found)
        have += len(found[0])
    return parts[0] if len(parts) == 1 else [np.concatenate(column) for column in zip(*parts, strict=True)]


def elements(source: Columns, pack: Callable[[list[Any]], Any], single: bool) -> Iterator[Any]:
    """The elements one by one; they are read in pieces, small ones at first."""
    count = 16
    while True:
        found = source.read(count)
        if found is None:
            return
        if single:
            column = found[0]
            for i in range(len(column)):
                yield of_array(column[i, ...])
        else:
            for i in range(len(found[0])):
                yield pack([of_array(as_array(c[i, ...])) for c in found])
        size = sum(c[:1].nbytes for c in found) or 1
        count = max(1, min(count * 2, _MOST, _BYTES // size))


def is_dense(spec: Any) -> bool:
    """Whether elements of this specification are dense tensors only."""
    return all(isinstance(s, TensorSpec) for s in nest.flatten(spec))


# -- functions on columns ---------------------------------------------------------------------------------------------

_EXACT: frozenset[Any] = frozenset({
    np.add, np.subtract, np.multiply, np.true_divide, np.negative, np.absolute, np.square, np.sqrt, np.maximum, np.minimum,
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or,
    np.logical_not, np.floor, np.ceil, np.rint, np.sign, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
})  # fmt: skip
"""Functions whose results IEEE 754 or integer arithmetic decides, so that the number of elements at once can't change a bit."""
_ALSO_EXACT = frozenset({"Cast", "SelectV2", "Identity", "StopGradient"})
_DIVISIONS = frozenset({"FloorDiv", "FloorMod"})


def on_columns(function: UserFunction) -> Callable[[list[np.ndarray]], list[np.ndarray]] | None:
    """The function of columns that gives the rows which the function gives for the elements; None where that could be observed."""
    if not hasattr(function, "_on_columns"):
        function._on_columns = _vectorized(function)  # type: ignore[attr-defined]
    return function._on_columns  # type: ignore[attr-defined, no-any-return]


def _vectorized(function: UserFunction) -> Any:
    closed = function.closed
    if (
        function.stateful
        or function.captured
        or not is_dense(function.spec)
        or not all(map(is_dense, function.args))
    ):
        return None
    graph = FuncGraph(closed.name)
    new: dict[int, Any] = {}
    rows: set[int] = set()
    with graph.as_default():
        for node in closed.nodes:
            if node.record is PLACEHOLDER:
                spec = node.outputs[0]._spec
                if spec.shape is None:
                    return None
                new[id(node.outputs[0])] = graph.placeholder((None, *spec.shape), spec.dtype)
                rows.add(id(node.outputs[0]))
            elif node.record is CONST:
                new[id(node.outputs[0])] = graph.constant(node.attrs["value"])
            elif node.record is CAPTURE or not _is_exact(node, rows):
                return None
            elif node.record is PARSE_ONE.record:
                how = node.attrs["how"]
                made = add_opaque(
                    PARSE.record, [new[id(node.inputs[0])]], how.value.specs((None,)), {"how": how}
                )
                made[0].op.line = node.line
                for old, tensor in zip(node.outputs, made, strict=True):
                    new[id(old)] = tensor
                    rows.add(id(old))
            else:
                out = node.outputs[0]
                new[id(out)] = add_node(node.record, [new[id(t)] for t in node.inputs], node.attrs, None)
                new[id(out)].op.line = node.line
                if any(id(t) in rows for t in node.inputs):
                    rows.add(id(out))
        results = closed.outputs
        if not all(id(t) in rows for t in results):
            return None
        close(graph, [new[id(t)] for t in results])
    return plan_of(graph)


def _is_exact(node: Any, rows: set[int]) -> bool:
    record = node.record
    if record is PARSE_ONE.record:
        return id(node.inputs[0]) in rows and node.attrs["how"].value.per_row
    if len(node.outputs) != 1 or any(v.__class__ is SymbolicTensor for v in node.attrs.values()):
        return False
    if any(t._np_dtype.kind not in "biuf" for t in (*node.inputs, *node.outputs)):
        return False
    if record.name in _DIVISIONS:
        divisor = node.inputs[1].op
        if node.outputs[0]._np_dtype.kind not in "iu" or divisor.record is not CONST:
            return False
        if not np.all(divisor.attrs["value"] > 0):
            return False
    elif record.name not in _ALSO_EXACT and record.numpy not in _EXACT:
        return False
    shape = node.outputs[0]._shape
    if shape is None:
        return False
    ranks = [(id(t) in rows, None if t._shape is None else len(t._shape)) for t in node.inputs]
    dependent = any(r for r, _ in ranks)
    return (
        all(k is not None and (k == len(shape) if r else k <= len(shape)) for r, k in ranks) or not dependent
    )


def columns_of_tensors(leaves: list[EagerTensor]) -> Rows:
    """The rows of tensors in memory."""
    arrays = [x._array for x in leaves]

    def take(index: Any) -> list[np.ndarray]:
        if index.__class__ is range:
            cut = slice(index.start, index.stop if index.stop >= 0 else None, index.step)
            return [a[cut] for a in arrays]
        return [a.take(index, axis=0) for a in arrays]

    return Rows(take, iter([range(len(arrays[0]))]))

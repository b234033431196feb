"""The transformations that call functions of the user, and those that make elements of several others."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import DataLossError, OpError, invalid
from headwater._src.core.composite import SparseTensor, SparseTensorSpec
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import of_array
from headwater._src.data.columns import Columns, FilterColumns, MapColumns, Read, is_dense, on_columns
from headwater._src.data.functions import Pass, UserFunction, arguments, of_elements
from headwater._src.data.generator import Generator
from headwater._src.data.nodes import (
    INFINITE,
    UNKNOWN,
    Node,
    element_rows,
    known,
    through_columns,
    with_tensors,
)
from headwater._src.data.parsed_ahead import parsed_ahead
from headwater._src.data.structure import map_leaves, packer, prefixed, spec_of, stacker, without_first
from headwater._src.data.waiting import ahead, in_parallel

_log = logging.getLogger("headwater")
_END = object()


def waits(node: Node) -> bool:
    """Whether elements of a node may have to be waited for: Python functions or generators are behind them. Files are read in
    large pieces, which the operating system reads ahead."""
    if isinstance(node, Generator):
        return True
    function = getattr(node, "function", None)
    return (
        (function is not None and function.calls_python)
        or any(map(waits, node.inputs))
        or _makes_waiting(function)
    )


def _makes_waiting(function: Any) -> bool:
    """Whether a function gives data sets that wait."""
    if function is None:
        return False
    made = (n.attrs["template"].value for n in function.closed.nodes if "template" in n.attrs)
    return any(waits(v._node) for v in made if hasattr(v, "_node"))


def tolerant(iterator: Iterator[Any], state: Pass) -> Iterator[Any]:
    """The elements; where errors are ignored, without those that could not be made."""
    if state.on_error is None:
        return iterator
    return _skipping(iterator, state.on_error)


def _skipping(iterator: Iterator[Any], on_error: Callable[[Exception], None]) -> Iterator[Any]:
    while True:
        try:
            yield next(iterator)
        except StopIteration:
            return
        except (OpError, ArithmeticError, ValueError, TypeError) as error:
            on_error(error)


class Map(Node):
    """A function of each element."""

    def __init__(self, source: Node, function: Any, workers: int | None = None) -> None:
        super().__init__(source)
        self.name = "_MapDataset" if workers is None else "_ParallelMapDataset"
        self.function = UserFunction(function, arguments(source.spec), "Dataset.map")
        self.workers = workers
        self.spec = with_tensors(self.function.spec, "Dataset.map")

    def run(self, state: Pass) -> Iterator[Any]:
        columns = self.columns(state)
        if columns is not None:
            return through_columns(self, columns)
        parsed = None if self.threads() else parsed_ahead(self, state)
        if parsed is not None:
            return parsed
        source = self.input.run(state)
        if self.threads():
            call = of_elements(self.function, self.input.spec, state)
            count = (os.cpu_count() or 1) * 2 if self.workers == -1 else self.workers
            return tolerant(in_parallel(call, source, count or 1), state)
        call = self.function.bind(state)
        if self.input.spec.__class__ is tuple:
            return tolerant(itertools.starmap(call, source), state)
        return tolerant(map(call, source), state)

    def threads(self) -> bool:
        """Whether several calls run at a time."""
        return self.workers is not None and self.function.calls_python

    def columns(self, state: Pass) -> Columns | None:
        run = on_columns(self.function)
        columns = None if run is None or state.on_error is not None else self.input.columns(state)
        return None if columns is None else MapColumns(columns, run)  # type: ignore[arg-type]

    def detail(self) -> str:
        return self.function.closed.name


class Filter(Node):
    """The elements for which a predicate is true."""

    name = "_FilterDataset"
    method = "filter"

    def __init__(self, source: Node, predicate: Any) -> None:
        super().__init__(source)
        what = f"Dataset.{self.method}"
        self.function = UserFunction(predicate, arguments(source.spec), what)
        spec = self.function.spec
        if not isinstance(spec, TensorSpec) or not spec.dtype.is_bool or spec.shape.rank not in (0, None):
            raise ValueError(f"{what}: the predicate must give a boolean scalar; it gives {spec}.")

    def _test(self, state: Pass) -> Callable[[Any], bool]:
        call = of_elements(self.function, self.input.spec, state)
        return lambda element: bool(call(element)._array)

    def run(self, state: Pass) -> Iterator[Any]:
        columns = self.columns(state)
        if columns is not None:
            return through_columns(self, columns)
        return tolerant(filter(self._test(state), self.input.run(state)), state)

    def columns(self, state: Pass) -> Columns | None:
        run = on_columns(self.function)
        columns = None if run is None or not is_dense(self.spec) else self.input.columns(state)
        return None if columns is None else FilterColumns(columns, run)  # type: ignore[arg-type]

    def length(self) -> int:
        return UNKNOWN


class TakeWhile(Filter):
    """The elements before the first for which a predicate is false."""

    name = "_TakeWhileDataset"
    method = "take_while"

    def run(self, state: Pass) -> Iterator[Any]:
        return itertools.takewhile(self._test(state), self.input.run(state))

    def columns(self, state: Pass) -> Columns | None:
        return None


class Prefetch(Node):
    """The input, computed ahead by a thread where there is something to wait for."""

    name = "_PrefetchDataset"
    ints = ("size",)

    def __init__(self, source: Node, size: Any) -> None:
        super().__init__(source)
        self.size = size

    def threads(self) -> bool:
        """Whether a thread computes ahead."""
        return self.size != 0 and waits(self.input)

    def run(self, state: Pass) -> Iterator[Any]:
        if not self.threads():
            return self.input.run(state)
        source = self.input
        return ahead(lambda: source.run(state), 8 if self.size < 0 else self.size)

    def rows(self, state: Pass) -> Any:
        return self.input.rows(state)

    def columns(self, state: Pass) -> Columns | None:
        return self.input.columns(state)

    def detail(self) -> str:
        return "as many as seem good" if self.size == -1 else str(self.size)


class FlatMap(Node):
    """The elements of the data sets that a function gives, one data set after the other."""

    name = "_FlatMapDataset"
    method = "flat_map"

    def __init__(self, source: Node, function: Any) -> None:
        super().__init__(source)
        what = f"Dataset.{self.method}"
        self.function = UserFunction(function, arguments(source.spec), what)
        self.spec = dataset_spec(self.function.spec, what)

    def run(self, state: Pass) -> Iterator[Any]:
        return self._joined(self.nodes(state), lambda node: node.run(state))

    def nodes(self, state: Pass) -> Iterator[Node]:
        """The nodes of the data sets that the function gives."""
        call = of_elements(self.function, self.input.spec, state)
        return (call(element)._node for element in self.input.run(state))

    def _joined(self, made: Iterator[Node], iterate: Callable[[Node], Iterator[Any]]) -> Iterator[Any]:
        """What `iterate` gives for the nodes, in the order of this transformation."""
        for node in made:
            yield from iterate(node)

    def columns(self, state: Pass) -> Columns | None:
        if self.spec != STRING or state.on_error is not None or waits(self):
            return None
        return Read(iter(()) if state.probing else self.strings(state))

    def strings(self, state: Pass) -> Iterator[bytes]:
        """The elements as bytes, where they are string scalars."""
        return self._joined(self.nodes(state), lambda node: strings_of(node, state))

    def length(self) -> int:
        return UNKNOWN


STRING = TensorSpec([], "string")


def strings_of(node: Any, state: Pass) -> Iterator[bytes]:
    """The elements of a node of string scalars as bytes."""
    if hasattr(node, "strings") and node.spec == STRING:
        return node.strings(state)  # type: ignore[no-any-return]
    return (t._array[()] for t in node.run(state))


def dataset_spec(spec: Any, what: str) -> Any:
    """The specification of the elements of the data sets that a function gives."""
    found = getattr(spec, "_element_spec", None)
    if found is None or type(spec).__name__ != "DatasetSpec":
        raise TypeError(f"{what}: the function must give a tf.data.Dataset; it gives {spec}.")
    return found


class Interleave(FlatMap):
    """The elements of several data sets in turns."""

    method = "interleave"

    def __init__(self, source: Node, function: Any, cycle: int, block: int, parallel: bool = False) -> None:
        super().__init__(source, function)
        self.name = "_ParallelInterleaveDataset" if parallel else "_InterleaveDataset"
        self.cycle, self.block = cycle, block

    ints = ("cycle", "block")

    def _joined(self, made: Iterator[Node], iterate: Callable[[Node], Iterator[Any]]) -> Iterator[Any]:
        slots: list[Iterator[Any] | None] = [None] * self.cycle
        more = True
        while True:
            for i in range(self.cycle):
                if slots[i] is None and more:
                    node = next(made, None)
                    more = node is not None
                    slots[i] = None if node is None else iterate(node)
                inner = slots[i]
                if inner is None:
                    continue
                for _ in range(self.block):
                    value = next(inner, _END)
                    if value is _END:
                        slots[i] = None
                        break
                    yield value
            if not more and not any(slots):
                return


class Scan(Node):
    """A function of a state and an element, which gives the next state and an element."""

    name = "_ScanDataset"

    def __init__(self, source: Node, initial: Any, function: Any) -> None:
        super().__init__(source)
        self.initial = initial
        spec = map_leaves(spec_of, initial)
        while True:
            self.function = UserFunction(function, (spec, source.spec), "Dataset.scan")
            found = self.function.spec
            if found.__class__ is not tuple or len(found) != 2:
                raise TypeError(
                    f"Dataset.scan: the function must give a pair (new state, element); it gives {found}."
                )
            wider = relaxed(spec, found[0], "Dataset.scan")
            if wider == spec:
                break
            spec = wider
        self.spec = found[1]

    def run(self, state: Pass) -> Iterator[Any]:
        call = self.function.bind(state)
        current = self.initial
        for element in self.input.run(state):
            current, value = call(current, element)
            yield value


def relaxed(spec: Any, new: Any, what: str) -> Any:
    """The specification of a state that may be either; TypeError where structure or dtypes differ."""
    try:
        nest.assert_same_structure(spec, new)
    except (TypeError, ValueError):
        raise TypeError(f"{what}: the state is {spec}; the function gives {new} instead.") from None
    flat, others = nest.flatten(spec), nest.flatten(new)
    merged = [a.most_specific_common_supertype([b]) for a, b in zip(flat, others, strict=True)]
    if None in merged:
        raise TypeError(f"{what}: the state is {spec}; the function gives {new} instead.")
    return packer(spec)(merged)


class Elements(Node):
    """A list of elements: the data sets inside windows."""

    name = "_VariantDataset"

    def __init__(self, values: list[Any], spec: Any) -> None:
        super().__init__()
        self.values, self.spec, self.template = values, spec, False

    def run(self, state: Pass) -> Iterator[Any]:
        return iter(self.values)

    def length(self) -> int:
        return len(self.values)


class Window(Node):
    """Data sets of neighbouring elements."""

    name = "_WindowDataset"
    ints = ("size", "shift", "stride")

    def __init__(
        self, source: Node, size: Any, shift: Any, stride: Any, drop: bool, make: Any, spec: Any
    ) -> None:
        super().__init__(source)
        self.size, self.shift, self.stride, self.drop = size, size if shift is None else shift, stride, drop
        self.make = make
        self.spec = map_leaves(spec, source.spec)
        self.leaves = nest.flatten(source.spec)
        for what, value in (("size", self.size), ("shift", self.shift), ("stride", self.stride)):
            if known(value) and value < 1:
                raise invalid(f"Dataset.window: {what} must be positive; got {value}.")

    def _window(self, values: list[Any]) -> Any:
        if not nest.is_nested(self.spec):
            return self.make(Elements(values, self.leaves[0]))
        columns = zip(*(nest.flatten(v) for v in values), strict=True)
        parts = [self.make(Elements(list(c), s)) for c, s in zip(columns, self.leaves, strict=True)]
        return packer(self.spec)(parts)

    def run(self, state: Pass) -> Iterator[Any]:
        source = self.input.run(state)
        reach = (self.size - 1) * self.stride + 1
        buffer: list[Any] = []
        while True:
            buffer += itertools.islice(source, max(reach - len(buffer), 0))
            found = buffer[: reach : self.stride]
            if not found or (self.drop and len(found) < self.size):
                return
            yield self._window(found)
            if self.shift >= len(buffer):
                skipped = self.shift - len(buffer)
                buffer = []
                if sum(1 for _ in itertools.islice(source, skipped)) < skipped:
                    return
            else:
                buffer = buffer[self.shift :]

    def length(self) -> int:
        n = self.input.length()
        if n < 0 or not all(map(known, (self.size, self.shift, self.stride))):
            return n if n < 0 else UNKNOWN
        if not self.drop:
            return -(-n // self.shift)
        reach = (self.size - 1) * self.stride + 1
        return 0 if n < reach else (n - reach) // self.shift + 1


class GroupByWindow(Node):
    """Elements collected by key; each full group becomes a data set, which a function turns into elements."""

    name = "_GroupByWindowDataset"

    def __init__(self, source: Node, key: Any, reduce: Any, size: Any, make: Any, spec: Any) -> None:
        super().__init__(source)
        what = "Dataset.group_by_window"
        self.function = UserFunction(key, arguments(source.spec), what)
        found = self.function.spec
        if (
            not isinstance(found, TensorSpec)
            or found.dtype.name != "int64"
            or found.shape.rank not in (0, None)
        ):
            raise ValueError(f"{what}: key_func must give an int64 scalar; it gives {found}.")
        number = TensorSpec([], "int64")
        self.size = UserFunction(size, (number,), what)
        given = self.size.spec
        if (
            not isinstance(given, TensorSpec)
            or given.dtype.name != "int64"
            or given.shape.rank not in (0, None)
        ):
            raise ValueError(f"{what}: window_size_func must give an int64 scalar; it gives {given}.")
        self.reduce = UserFunction(reduce, (number, spec(source.spec)), what)
        self.make = make
        self.spec = dataset_spec(self.reduce.spec, what)

    def run(self, state: Pass) -> Iterator[Any]:
        key_of = of_elements(self.function, self.input.spec, state)
        size_of, reduce = self.size.bind(state), self.reduce.bind(state)
        groups: dict[int, list[Any]] = {}
        sizes: dict[int, int] = {}
        for element in self.input.run(state):
            key = int(key_of(element)._array)
            group = groups.get(key)
            if group is None:
                group = groups[key] = []
                sizes[key] = int(size_of(of_array(np.asarray(key, np.int64)))._array)
                if sizes[key] <= 0:
                    raise invalid(
                        f"Dataset.group_by_window: the window size must be positive; got {sizes[key]}."
                    )
            group.append(element)
            if len(group) == sizes[key]:
                del groups[key]
                yield from self._window(reduce, key, group, state)
        for key in sorted(groups):
            yield from self._window(reduce, key, groups[key], state)

    def _window(self, reduce: Any, key: int, group: list[Any], state: Pass) -> Iterator[Any]:
        made = reduce(of_array(np.asarray(key, np.int64)), self.make(Elements(group, self.input.spec)))
        return made._node.run(state)

    def length(self) -> int:
        return UNKNOWN


class Unique(Node):
    """The elements without those that came before."""

    name = "_UniqueDataset"

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        parts = nest.flatten(source.spec)
        if len(parts) > 1:
            raise invalid(f"Dataset.unique: elements must be single tensors; got {source.spec}.")
        for spec in parts:
            if isinstance(spec, SparseTensorSpec):
                raise invalid(f"Dataset.unique: sparse tensors can't be compared; got {spec}.")
            if not isinstance(spec, TensorSpec) or spec.dtype.name not in ("int32", "int64", "string"):
                raise TypeError(
                    f"Dataset.unique: elements must be int32, int64 or string tensors; got {spec}."
                )

    def run(self, state: Pass) -> Iterator[Any]:
        seen = set()
        for element in self.input.run(state):
            key = tuple(
                [(a.shape, tuple(a.ravel().tolist())) for a in (t._array for t in nest.flatten(element))]
            )
            if key not in seen:
                seen.add(key)
                yield element

    def length(self) -> int:
        return UNKNOWN


class DirectedInterleave(Node):
    """Elements of several data sets, the next one always of the data set that another one names."""

    name = "_DirectedInterleaveDataset"

    def __init__(self, selector: Node, sources: list[Node], stop: bool) -> None:
        super().__init__(selector, *sources)
        self.stop = stop
        spec = sources[0].spec
        for other in sources[1:]:
            spec = relaxed(spec, other.spec, "Dataset.sample_from_datasets and choose_from_datasets")
        self.spec = spec

    def run(self, state: Pass) -> Iterator[Any]:
        sources: list[Any] = [node.run(state) for node in self.inputs[1:]]
        left = len(sources)
        for choice in self.inputs[0].run(state):
            number = int(choice._array)
            if not 0 <= number < len(sources):
                raise invalid(f"Data set number {number} was chosen; there are {len(sources)}.")
            if sources[number] is None:
                continue
            element = next(sources[number], _END)
            if element is not _END:
                yield element
                continue
            sources[number] = None
            left -= 1
            if self.stop or not left:
                return

    def length(self) -> int:
        lengths = [n.length() for n in self.inputs[1:]]
        if self.stop:
            return UNKNOWN if any(n != INFINITE for n in lengths) else INFINITE
        return INFINITE if INFINITE in lengths else UNKNOWN


class IgnoreErrors(Node):
    """The input without the elements that could not be made."""

    name = "_IgnoreErrorsDataset"

    def __init__(self, source: Node, log: bool) -> None:
        super().__init__(source)
        self.log = log

    def run(self, state: Pass) -> Iterator[Any]:
        def noted(error: Exception) -> None:
            if self.log:
                _log.warning("An element is left out: %s", error)

        below = state.ignoring(noted)
        return _skipping(self.input.run(below), noted)

    def length(self) -> int:
        n = self.input.length()
        return n if n == INFINITE else UNKNOWN


class Rebatch(Node):
    """Batches cut anew."""

    name = "_RebatchDataset"

    def __init__(self, source: Node, sizes: list[int], drop: bool) -> None:
        super().__init__(source)
        self.sizes, self.drop = sizes, drop
        size = sizes[0] if len(set(sizes)) == 1 and drop else None
        self.rows_spec = map_leaves(lambda s: without_first(s, "Dataset.rebatch"), source.spec)
        self.spec = map_leaves(lambda s: prefixed(s, size), self.rows_spec)

    def run(self, state: Pass) -> Iterator[Any]:
        return self._cut_anew(state) if is_dense(self.spec) else self._row_by_row(state)

    def _row_by_row(self, state: Pass) -> Iterator[Any]:
        rows = itertools.chain.from_iterable(map(element_rows, self.input.run(state)))
        stack = stacker(self.rows_spec)
        for size in itertools.cycle(self.sizes):
            chunk = list(itertools.islice(rows, size))
            if chunk and (len(chunk) == size or not self.drop):
                yield stack(chunk)
            if len(chunk) < size:
                return

    def _cut_anew(self, state: Pass) -> Iterator[Any]:
        pack = packer(self.spec)
        held: list[list[np.ndarray]] = []
        have, turn = 0, 0
        for element in self.input.run(state):
            arrays = [t._array for t in nest.flatten(element)]
            if len({a.shape[:1] for a in arrays}) > 1 or not arrays[0].ndim:
                raise invalid("Dataset.rebatch: all parts of an element need the same first dimension.")
            held.append(arrays)
            have += len(arrays[0])
            while have >= self.sizes[turn]:
                size = self.sizes[turn]
                yield pack([of_array(a) for a in _cut(held, size)])
                have -= size
                turn = (turn + 1) % len(self.sizes)
        if have and not self.drop:
            yield pack([of_array(a) for a in _cut(held, have)])

    def length(self) -> int:
        return INFINITE if self.input.length() == INFINITE else UNKNOWN


def _cut(held: list[list[np.ndarray]], size: int) -> list[np.ndarray]:
    """Takes the first rows off what is held."""
    parts, need = [], size
    while need:
        arrays = held.pop(0)
        count = len(arrays[0])
        if count > need:
            held.insert(0, [a[need:] for a in arrays])
            arrays, count = [a[:need] for a in arrays], need
        if count:
            parts.append(arrays)
        need -= count
    return parts[0] if len(parts) == 1 else [np.concatenate(c) for c in zip(*parts, strict=True)]


class SparseBatch(Node):
    """Several tensors as one sparse tensor with their places in it."""

    name = "_DenseToSparseBatchDataset"

    def __init__(self, source: Node, size: int, row_shape: list[int]) -> None:
        super().__init__(source)
        if not isinstance(source.spec, TensorSpec):
            raise TypeError(f"Dataset.sparse_batch: elements must be single tensors; got {source.spec}.")
        self.size, self.row_shape = size, row_shape
        dims = [None if d == -1 else d for d in row_shape]
        self.spec = SparseTensorSpec([None, *dims], source.spec.dtype)

    def run(self, state: Pass) -> Iterator[Any]:
        source = self.input.run(state)
        while chunk := [t._array for t in itertools.islice(source, self.size)]:
            for array in chunk:
                if array.ndim != len(self.row_shape):
                    raise invalid(
                        f"Dataset.sparse_batch: elements must have {len(self.row_shape)} dimensions; got {array.shape}."
                    )
            largest = np.max([a.shape for a in chunk], axis=0)
            dims = [int(m) if d == -1 else d for d, m in zip(self.row_shape, largest, strict=True)]
            if any(m > d for m, d in zip(largest, dims, strict=True)):
                raise DataLossError(
                    None,
                    None,
                    f"Dataset.sparse_batch: an element of shape {tuple(largest)} exceeds {tuple(dims)}.",
                )
            indices = [
                np.concatenate(
                    [np.full((a.size, 1), i, np.int64), np.argwhere(np.ones(a.shape, bool)).astype(np.int64)],
                    axis=1,
                )
                for i, a in enumerate(chunk)
            ]
            values = np.concatenate([a.reshape(-1) for a in chunk])
            yield SparseTensor(np.concatenate(indices), values, np.array([len(chunk), *dims], np.int64))

    def length(self) -> int:
        n = self.input.length()
        return n if n < 0 else -(-n // self.size)

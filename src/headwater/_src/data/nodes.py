"""The nodes of a data set's expression: sources, and the transformations that call no function of the user.

A node has `inputs`, the nodes that it reads, and `run(state)`, a fresh iterator over its elements; `state` is what the
outermost iterator keeps. `length()` is the number of elements (or INFINITE or UNKNOWN) and `spec` their specification. Where
elements are rows of arrays in memory, `rows(state)` gives their numbers instead, and `columns(state)` many of them at once, so
that a batch is one slice or one gather.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import NoneTensorSpec, TensorSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, as_array, of_array
from headwater._src.data.columns import (
    Chained,
    Columns,
    RowColumns,
    Rows,
    ShuffledColumns,
    ZipColumns,
    columns_of_tensors,
    elements,
    exactly,
    is_dense,
    part_of,
)
from headwater._src.data.functions import Pass
from headwater._src.data.options import Options
from headwater._src.data.shuffling import SeedSource, Shuffler
from headwater._src.data.structure import (
    common,
    decoder,
    is_structure,
    map_leaves,
    normalize,
    number,
    packer,
    prefixed,
    rows_of,
    spec_of,
    stacker,
    without_first,
)
from headwater._src.data.templates import Part
from headwater._src.ops.batching import encoded, encoder_of, is_needed

INFINITE = -1
UNKNOWN = -2


class Node(Part):
    """Base of the nodes."""

    name = "_Dataset"

    def __init__(self, *inputs: Node) -> None:
        self.inputs = inputs

    @property
    def input(self) -> Node:
        """The only or first input."""
        return self.inputs[0]

    def run(self, state: Pass) -> Iterator[Any]:
        """A fresh iterator over the elements."""
        raise NotImplementedError

    def rows(self, state: Pass) -> Rows | None:
        """A fresh pass as row numbers, where the elements are rows of arrays in memory."""
        return None

    def columns(self, state: Pass) -> Columns | None:
        """A fresh pass as columns, where many elements can be had at once."""
        rows = self.rows(state)
        return None if rows is None else RowColumns(rows)

    def length(self) -> int:
        """The number of elements, INFINITE or UNKNOWN."""
        return self.input.length()

    @functools.cached_property
    def spec(self) -> Any:
        """The specification of the elements."""
        return self._spec()

    def _spec(self) -> Any:
        return self.input.spec

    def options(self) -> Options:
        """The options that hold for this node."""
        merged = Options()
        for node in self.inputs:
            merged = merged.merge(node.options())
        return merged

    def detail(self) -> str:
        """What the plan shows of it beside its name."""
        return ""


def through_columns(node: Node, columns: Columns) -> Iterator[Any]:
    """The elements of a node by its columns."""
    return elements(columns, decoder(node.spec), isinstance(node.spec, TensorSpec))


def known(count: Any) -> bool:
    """Whether a count is a number and not a tensor of a graph."""
    return not isinstance(count, SymbolicTensor)


def with_tensors(spec: Any, what: str) -> Any:
    """The specification of elements; InvalidArgumentError where nothing in them is a tensor."""
    if all(isinstance(s, NoneTensorSpec) for s in nest.flatten(spec)):
        raise invalid(f"{what}: an element needs at least one tensor; got {spec}.")
    return spec


class Given(Node):
    """The data set that a tensor of a graph will hold."""

    name = "_VariantDataset"

    def __init__(self, resource: Any, spec: Any) -> None:
        super().__init__()
        self.resource = resource
        self.spec = spec
        self.template = True

    def run(self, state: Pass) -> Iterator[Any]:
        raise TypeError(f"{self.resource!r} stands for a data set that exists only while its graph runs.")

    def length(self) -> int:
        return UNKNOWN


# -- sources ----------------------------------------------------------------------------------------------------------


class Tensors(Node):
    """One element."""

    name = "_TensorDataset"

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = normalize(value)
        self.spec = with_tensors(map_leaves(spec_of, self.value), "Dataset.from_tensors")

    def run(self, state: Pass) -> Iterator[Any]:
        return iter((self.value,))

    def length(self) -> int:
        return 1


class Slices(Node):
    """The rows of tensors."""

    name = "_TensorSliceDataset"

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = normalize(value)
        self.leaves = nest.flatten(self.value)
        counts = [self._count(x) for x in self.leaves if x is not None]
        if not counts:
            raise ValueError(f"Dataset.from_tensor_slices: at least one tensor is needed; got {value!r}.")
        found = {c for c in counts if c is not None}
        if len(found) > 1:
            raise ValueError(
                f"Dataset.from_tensor_slices: the first dimensions differ: {counts}; all must be equal."
            )
        self.count = found.pop() if found else None
        self.spec = map_leaves(lambda x: without_first(spec_of(x), "Dataset.from_tensor_slices"), self.value)
        self.pack = packer(self.value)

    def renew(self) -> None:
        self.pack = packer(self.value)

    @staticmethod
    def _count(x: Any) -> int | None:
        if encoder_of(x) is not None:
            x = encoded(x._type_spec, x, 1)[0]
        if not hasattr(x, "shape"):
            raise TypeError(
                f"Dataset.from_tensor_slices: a {type(x).__name__} can't be taken apart into rows."
            )
        if x.shape.rank == 0:
            raise ValueError(
                f"Dataset.from_tensor_slices: rank 1 or more is needed; got a {x.dtype.name} scalar."
            )
        return None if x.shape.rank is None else x.shape[0]

    def run(self, state: Pass) -> Iterator[Any]:
        pack = self.pack
        if all(x.__class__ is EagerTensor for x in self.leaves):
            arrays = [x._array for x in self.leaves]
            if len({len(a) for a in arrays}) > 1:
                raise invalid(
                    f"Dataset.from_tensor_slices: the first dimensions differ: {[len(a) for a in arrays]}."
                )
            for i in range(len(arrays[0])):
                yield pack([of_array(as_array(a[i, ...])) for a in arrays])
            return
        columns = [itertools.repeat(None) if x is None else rows_of(x) for x in self.leaves]
        yield from (pack(list(row)) for row in zip(*columns, strict=False))

    def rows(self, state: Pass) -> Rows | None:
        tensors = [
            t for x in self.leaves for t in ([x] if encoder_of(x) is None else encoded(x._type_spec, x, 1))
        ]
        if not all(x.__class__ is EagerTensor and x._array.ndim for x in tensors):
            return None
        if len({len(x._array) for x in tensors}) > 1:
            return None
        return columns_of_tensors(tensors)

    def length(self) -> int:
        return UNKNOWN if self.count is None else self.count


class Range(Node):
    """Numbers at equal distances."""

    name = "_RangeDataset"

    def __init__(self, bounds: tuple[Any, Any, Any], dtype: Any) -> None:
        super().__init__()
        self.start, self.stop, self.step = (number(b, "Dataset.range") for b in bounds)
        self.dtype = dtype
        self.spec = TensorSpec([], dtype)
        if self.step.__class__ is int and self.step == 0:
            raise invalid("Dataset.range: the step must not be zero.")

    ints = ("start", "stop", "step")

    def _numbers(self) -> range:
        return range(self.start, self.stop, self.step)

    def run(self, state: Pass) -> Iterator[Any]:
        dtype = self.dtype.np
        return (of_array(np.asarray(i, dtype)) for i in self._numbers())

    def rows(self, state: Pass) -> Rows | None:
        numbers = self._numbers()
        dtype = self.dtype.np

        def take(index: Any) -> list[np.ndarray]:
            if index.__class__ is range:
                part = numbers[index.start : index.stop if index.stop >= 0 else None : index.step]
                return [np.arange(part.start, part.stop, part.step).astype(dtype, copy=False)]
            return [(numbers.start + numbers.step * index).astype(dtype, copy=False)]

        return Rows(take, iter([range(len(numbers))]))

    def length(self) -> int:
        if not all(map(known, (self.start, self.stop, self.step))):
            return UNKNOWN
        return len(self._numbers())


class Counter(Range):
    """Numbers at equal distances without end."""

    name = "_ScanDataset"

    def __init__(self, start: Any, step: Any, dtype: Any) -> None:
        far = np.iinfo(np.int64).max
        if known(start) and known(step):  # so many numbers that there is an integer for how many
            far = min(start, 0) + far if step >= 0 else max(start, 0) - far
        super().__init__((start, far if step else start + 1, step or 1), dtype)
        self.still = not step

    def run(self, state: Pass) -> Iterator[Any]:
        return itertools.cycle(super().run(state)) if self.still else super().run(state)

    def rows(self, state: Pass) -> Rows | None:
        return None if self.still else super().rows(state)

    def length(self) -> int:
        return INFINITE


class RandomNumbers(Node):
    """Random 32-bit numbers without end, as int64."""

    name = "_RandomDataset"

    def __init__(self, seed: Any, anew: bool) -> None:
        super().__init__()
        self.source = SeedSource(seed, anew)
        self.spec = TensorSpec([], "int64")

    def renew(self) -> None:
        self.source.renew()

    def run(self, state: Pass) -> Iterator[Any]:
        words = self.source.words()
        while True:
            yield from map(of_array, map(np.asarray, words.take(64).astype(np.int64)))

    def length(self) -> int:
        return INFINITE


# -- transformations that keep elements -------------------------------------------------------------------------------


class Repeat(Node):
    """The input several times; for ever where count is negative."""

    name = "_RepeatDataset"
    ints = ("count",)

    def __init__(self, source: Node, count: Any) -> None:
        super().__init__(source)
        self.count = count

    def _passes(self, once: Any) -> Iterator[Any]:
        """What `once()` gives, again and again; an empty pass ends it."""
        for _ in itertools.count() if self.count < 0 else range(self.count):
            empty = True
            for item in once():
                empty = False
                yield item
            if empty:
                return

    def run(self, state: Pass) -> Iterator[Any]:
        return self._passes(lambda: self.input.run(state))

    def rows(self, state: Pass) -> Rows | None:
        if not self.count:
            return None
        first = self.input.rows(state)
        if first is None:
            return None
        again: Iterator[Any] = itertools.chain([first], iter(lambda: self.input.rows(state), None))
        return Rows(first.take, self._passes(lambda: (b for b in next(again).blocks if len(b))))

    def columns(self, state: Pass) -> Columns | None:
        columns = super().columns(state)
        if columns is not None or not self.count or isinstance(self.input, Cache):
            return columns
        if self.input.columns(Pass(probing=True)) is None:
            return None
        rounds = itertools.count() if self.count < 0 else range(self.count)
        return Chained(c for c in (self.input.columns(state) for _ in rounds) if c is not None)

    def length(self) -> int:
        if not known(self.count):
            return UNKNOWN
        n = self.input.length()
        if self.count == 0 or n == 0:
            return 0
        if self.count < 0 or n == INFINITE:
            return INFINITE
        return UNKNOWN if n == UNKNOWN else n * self.count

    def detail(self) -> str:
        return "for ever" if known(self.count) and self.count < 0 else f"{self.count} times"


class Take(Node):
    """The first elements; all where count is negative."""

    name = "_TakeDataset"
    ints = ("count",)

    def __init__(self, source: Node, count: Any) -> None:
        super().__init__(source)
        self.count = count

    def run(self, state: Pass) -> Iterator[Any]:
        return (
            self.input.run(state) if self.count < 0 else itertools.islice(self.input.run(state), self.count)
        )

    def rows(self, state: Pass) -> Rows | None:
        rows = self.input.rows(state)
        if rows is None or self.count < 0:
            return rows
        return Rows(rows.take, part_of(rows.blocks, 0, self.count))

    def columns(self, state: Pass) -> Columns | None:
        columns = self.input.columns(state)
        return columns if columns is None or self.count < 0 else _Limited(columns, self.count)

    def length(self) -> int:
        n = self.input.length()
        if not known(self.count):
            return UNKNOWN
        if self.count < 0 or n == UNKNOWN:
            return n
        return self.count if n == INFINITE else min(n, self.count)

    def detail(self) -> str:
        return str(self.count)


class _Limited(Columns):
    def __init__(self, source: Columns, count: int) -> None:
        self.source, self.left = source, count

    def read(self, count: int) -> list[np.ndarray] | None:
        if not self.left:
            return None
        found = self.source.read(min(count, self.left))
        self.left -= 0 if found is None else len(found[0])
        return found


class Skip(Node):
    """All but the first elements; nothing where count is negative."""

    name = "_SkipDataset"
    ints = ("count",)

    def __init__(self, source: Node, count: Any) -> None:
        super().__init__(source)
        self.count = count

    def run(self, state: Pass) -> Iterator[Any]:
        return iter(()) if self.count < 0 else itertools.islice(self.input.run(state), self.count, None)

    def rows(self, state: Pass) -> Rows | None:
        rows = self.input.rows(state) if self.count >= 0 else None
        return None if rows is None else Rows(rows.take, part_of(rows.blocks, self.count, None))

    def length(self) -> int:
        n = self.input.length()
        if not known(self.count):
            return UNKNOWN
        return 0 if self.count < 0 else n if n < 0 else max(n - self.count, 0)

    def detail(self) -> str:
        return str(self.count)


class Shard(Node):
    """Every n-th element."""

    name = "_ShardDataset"
    ints = ("shards", "index")

    def __init__(self, source: Node, shards: Any, index: Any) -> None:
        super().__init__(source)
        self.shards, self.index = shards, index

    def _check(self) -> None:
        if not 0 <= self.index < self.shards:
            raise invalid(
                f"Dataset.shard: 0 <= index < num_shards is needed; got index {self.index} of {self.shards}."
            )

    def run(self, state: Pass) -> Iterator[Any]:
        self._check()
        return itertools.islice(self.input.run(state), self.index, None, self.shards)

    def rows(self, state: Pass) -> Rows | None:
        rows = self.input.rows(state)
        return None if rows is None else Rows(rows.take, part_of(rows.blocks, self.index, None, self.shards))

    def length(self) -> int:
        n = self.input.length()
        if not known(self.shards) or not known(self.index):
            return UNKNOWN if n >= 0 else n
        return n if n < 0 else len(range(self.index, n, self.shards))

    def detail(self) -> str:
        return f"{self.index} of {self.shards}"


class Shuffle(Node):
    """The elements in a random order, drawn from a buffer."""

    name = "_ShuffleDataset"
    ints = ("size",)

    def __init__(self, source: Node, buffer_size: Any, seed: Any, reshuffle: bool) -> None:
        super().__init__(source)
        self.size = buffer_size
        self.shuffler = Shuffler(buffer_size, seed, reshuffle)

    def renew(self) -> None:
        seeds, reshuffle = self.shuffler.seeds, self.shuffler.anew
        self.shuffler = Shuffler.__new__(Shuffler)
        self.shuffler.seeds, self.shuffler.anew, self.shuffler.buffer_size = seeds, reshuffle, self.size
        self.shuffler.renew()

    def run(self, state: Pass) -> Iterator[Any]:
        return self.shuffler.shuffle(self.input.run(state))

    def rows(self, state: Pass) -> Rows | None:
        rows = self.input.rows(state)
        if rows is None or state.probing:
            return rows
        return Rows(rows.take, self.shuffler.order(rows.blocks))

    def columns(self, state: Pass) -> Columns | None:
        columns = super().columns(state)
        if columns is not None:
            return columns
        columns = self.input.columns(state)
        if columns is None or state.probing:
            return columns
        return ShuffledColumns(columns, self.shuffler.lists)

    def detail(self) -> str:
        return f"buffer {self.size}, {'each pass anew' if self.shuffler.anew else 'always the same order'}"


class Passing(Node):
    """Hands on its input: whatever only carries a name, options or a promise."""

    def __init__(self, source: Node, name: str, options: Options | None = None) -> None:
        super().__init__(source)
        self.name = name
        self.own = options

    def run(self, state: Pass) -> Iterator[Any]:
        return self.input.run(state)

    def rows(self, state: Pass) -> Rows | None:
        return self.input.rows(state)

    def columns(self, state: Pass) -> Columns | None:
        return self.input.columns(state)

    def options(self) -> Options:
        merged = super().options()
        return merged if self.own is None else merged.merge(self.own)


class Cache(Node):
    """Keeps the elements of the first complete pass in memory."""

    name = "CacheDataset"

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        self.kept: list[Any] | None = None
        self.kept_rows: tuple[Any, list[Any]] | None = None

    def renew(self) -> None:
        self.kept = self.kept_rows = None

    def run(self, state: Pass) -> Iterator[Any]:
        rows = self.rows(state)
        if rows is not None:
            yield from through_columns(self, RowColumns(rows))
            return
        if self.kept is not None:
            yield from self.kept
            return
        found = []
        for element in self.input.run(state):
            found.append(element)
            yield element
        self.kept = found

    def rows(self, state: Pass) -> Rows | None:
        if self.kept_rows is not None:
            return Rows(self.kept_rows[0], iter(self.kept_rows[1]))
        rows = self.input.rows(state)
        if rows is None:
            return None

        def noted() -> Iterator[Any]:
            found = []
            for block in rows.blocks:
                found.append(block)
                yield block
            self.kept_rows = rows.take, found

        return Rows(rows.take, noted())


class Concatenate(Node):
    """One data set after the other."""

    name = "_ConcatenateDataset"

    def __init__(self, first: Node, second: Node) -> None:
        super().__init__(first, second)
        self.spec = common(first.spec, second.spec)

    def run(self, state: Pass) -> Iterator[Any]:
        yield from self.inputs[0].run(state)
        yield from self.inputs[1].run(state)

    def length(self) -> int:
        a, b = (node.length() for node in self.inputs)
        return INFINITE if INFINITE in (a, b) else UNKNOWN if UNKNOWN in (a, b) else a + b


class Zip(Node):
    """Elements of several data sets side by side; ends with the shortest."""

    name = "_ZipDataset"

    def __init__(self, structure: Any) -> None:
        super().__init__(*nest.flatten(structure))
        self.pack = packer(map_leaves(lambda _: 0, structure))
        self.plain = structure.__class__ is tuple and not any(is_structure(part) for part in structure)
        self.spec = self.pack([node.spec for node in self.inputs])

    def run(self, state: Pass) -> Iterator[Any]:
        iterators = [node.run(state) for node in self.inputs]
        if self.plain:
            return zip(*iterators, strict=False)
        pack = self.pack
        return (pack(list(parts)) for parts in zip(*iterators, strict=False))

    def columns(self, state: Pass) -> Columns | None:
        probe = state if state.probing else Pass(probing=True)
        if not is_dense(self.spec) or any(node.columns(probe) is None for node in self.inputs):
            return None
        found = [node.columns(state) for node in self.inputs]
        return ZipColumns([columns for columns in found if columns is not None])

    def length(self) -> int:
        lengths = [node.length() for node in self.inputs]
        if UNKNOWN in lengths:
            return UNKNOWN
        return min((n for n in lengths if n != INFINITE), default=INFINITE)


class Batch(Node):
    """Several elements as one, stacked."""

    name = "_BatchDataset"
    ints = ("size",)

    def __init__(self, source: Node, size: Any, drop: bool) -> None:
        super().__init__(source)
        self.size, self.drop = size, drop
        self._decoders: dict[int, Callable[[list[Any]], Any]] = {}
        self.rows_spec = self._rows_spec(source.spec)
        count = size if drop and known(size) else None
        self.spec = map_leaves(lambda s: prefixed(s, count), self.rows_spec)

    def _rows_spec(self, spec: Any) -> Any:
        """The specification by which elements are put together."""
        return spec

    def run(self, state: Pass) -> Iterator[Any]:
        if self.size < 1:
            raise invalid(f"Dataset.batch: batch_size must be positive; got {self.size}.")
        columns = self.input.columns(state)
        return self._stacked(state) if columns is None else self._gathered(columns)

    def _stacked(self, state: Pass) -> Iterator[Any]:
        source, stack = self.input.run(state), stacker(self.rows_spec)
        while chunk := list(itertools.islice(source, self.size)):
            if len(chunk) == self.size or not self.drop:
                yield stack(chunk)

    def _gathered(self, columns: Columns) -> Iterator[Any]:
        size, drop = self.size, self.drop
        read = columns.read if isinstance(columns, RowColumns) else functools.partial(exactly, columns)
        single, pair = isinstance(self.spec, TensorSpec), self.spec.__class__ is tuple
        pair = pair and all(isinstance(s, TensorSpec) for s in self.spec)
        pack = None if is_needed(self.spec) else packer(self.spec)
        while True:
            found = read(size)
            if found is None or (drop and len(found[0]) < size):
                return
            if pack is None:
                yield self._decoder(len(found[0]))([of_array(c) for c in found])
            elif single:
                yield of_array(found[0])
            elif pair:
                yield tuple([of_array(c) for c in found])
            else:
                yield pack([of_array(c) for c in found])

    def _decoder(self, count: int) -> Callable[[list[Any]], Any]:
        """What makes a batch of `count` extension types of the tensors that stand for it."""
        if count not in self._decoders:
            self._decoders[count] = decoder(map_leaves(lambda s: prefixed(s, count), self.rows_spec))
        return self._decoders[count]

    def columns(self, state: Pass) -> Columns | None:
        return None

    def length(self) -> int:
        n = self.input.length()
        if not known(self.size):
            return UNKNOWN
        return n if n < 0 else n // self.size if self.drop else -(-n // self.size)

    def detail(self) -> str:
        return f"of {self.size}{', the last one dropped if smaller' if self.drop else ''}"


class RaggedBatch(Batch):
    """Several elements as one, ragged where their shapes may differ."""

    name = "_RaggedBatchDataset"

    def __init__(self, source: Node, size: Any, drop: bool, splits: Any) -> None:
        self.splits = splits
        super().__init__(source, size, drop)
        if self.rows_spec == source.spec:
            self.name = Batch.name

    def _rows_spec(self, spec: Any) -> Any:
        return map_leaves(self._ragged, spec)

    def _ragged(self, spec: Any) -> Any:
        if not isinstance(spec, TensorSpec) or spec.shape.rank is None or spec.shape.is_fully_defined():
            return spec
        depth = max(i for i, d in enumerate(spec.shape.as_list()) if d is None)
        return RaggedTensorSpec(spec.shape, spec.dtype, depth, self.splits)


def element_rows(element: Any) -> Iterator[Any]:
    """The rows of an element; InvalidArgumentError where its parts have different numbers of them."""
    columns = [None if part is None else list(rows_of(part)) for part in nest.flatten(element)]
    counts = [len(c) for c in columns if c is not None]
    if len(set(counts)) > 1:
        raise invalid(f"Dataset.unbatch: the first dimensions differ: {counts}; all must be equal.")
    pack = packer(element)
    return (pack([None if c is None else c[i] for c in columns]) for i in range(counts[0] if counts else 0))


class Unbatch(Node):
    """The rows of each element."""

    name = "_UnbatchDataset"

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        shapes = [s.shape for s in nest.flatten(source.spec) if hasattr(s, "shape")]
        leading = {shape[0] for shape in shapes if shape.rank} - {None}
        if len(leading) > 1:
            raise ValueError(
                f"Dataset.unbatch: the first dimensions differ: {sorted(leading)}; all must be equal."
            )
        self.spec = map_leaves(lambda s: without_first(s, "Dataset.unbatch"), source.spec)

    def run(self, state: Pass) -> Iterator[Any]:
        return itertools.chain.from_iterable(map(element_rows, self.input.run(state)))

    def length(self) -> int:
        n = self.input.length()
        if n < 0:
            return n
        specs = [s for s in nest.flatten(self.input.spec) if isinstance(s, (TensorSpec, RaggedTensorSpec))]
        rows = {s.shape[0] for s in specs if s.shape.rank} - {None}
        return n * rows.pop() if rows else UNKNOWN

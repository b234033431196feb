"""The nodes of a data set's expression: sources, and one class for each transformation.

A node has `inputs`, the nodes that it reads, and `run()`, a fresh iterator over its elements. `length()` is the number of
elements (or INFINITE or UNKNOWN) and `spec` their specification, found when asked for. Where elements are rows of arrays in
memory, `rows()` gives indices instead of elements, so that a batch is one slice or one gather.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert, host_int
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, as_array, of_array
from headwater._src.data.optional import Optional
from headwater._src.data.options import Options
from headwater._src.data.shuffling import Shuffler
from headwater._src.data.structure import (
    common,
    is_structure,
    map_leaves,
    normalize,
    other_spec,
    packer,
    prefixed,
    rows_of,
    shape_fits,
    spec_of,
    stack_elements,
    without_first,
)  # fmt: skip
from headwater._src.ops.control import output_spec, truth
from headwater._src.ops.host import host_error

INFINITE = -1
UNKNOWN = -2


class Rows(NamedTuple):
    """Elements by number: `take(slice or index array)` gives a batch of them, `indices` their numbers in order."""

    take: Callable[[Any], Any]
    indices: Iterable[int]


class Node:
    """Base of the nodes."""

    name = "_Dataset"

    def __init__(self, *inputs: Node) -> None:
        self.inputs = inputs

    @property
    def input(self) -> Node:
        """The only or first input."""
        return self.inputs[0]

    def run(self) -> Iterator[Any]:
        """A fresh iterator over the elements."""
        raise NotImplementedError

    def rows(self) -> Rows | None:
        """A fresh pass as row numbers, where the elements are rows of arrays in memory."""
        return None

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


# -- sources ----------------------------------------------------------------------------------------------------------


class Tensors(Node):
    """One element."""

    name = "_TensorDataset"

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = normalize(value)

    def run(self) -> Iterator[Any]:
        return iter((self.value,))

    def length(self) -> int:
        return 1

    def _spec(self) -> Any:
        return map_leaves(spec_of, self.value)


class Slices(Node):
    """The rows of tensors."""

    name = "_TensorSliceDataset"

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = normalize(value)
        self.leaves = nest.flatten(self.value)
        if not self.leaves:
            raise ValueError(f"Dataset.from_tensor_slices: at least one tensor is needed; got {value!r}.")
        self.template = self.value
        counts = [self._count(x) for x in self.leaves if x is not None]
        if not counts:
            raise ValueError(f"Dataset.from_tensor_slices: at least one tensor is needed; got {value!r}.")
        known = {c for c in counts if c is not None}
        if len(known) > 1:
            raise ValueError(
                f"Dataset.from_tensor_slices: the first dimensions differ: {counts}; all must be equal."
            )
        self.count = known.pop() if known else None

    @staticmethod
    def _count(x: Any) -> int | None:
        if x.shape.rank == 0:
            raise ValueError(
                f"Dataset.from_tensor_slices: rank 1 or more is needed; got a {x.dtype.name} scalar."
            )
        return None if x.shape.rank is None else x.shape[0]

    def run(self) -> Iterator[Any]:
        pack = packer(self.template)
        if all(x.__class__ is EagerTensor for x in self.leaves):
            arrays = [x._array for x in self.leaves]
            for i in range(len(arrays[0])):
                yield pack([of_array(as_array(a[i, ...])) for a in arrays])
            return
        columns = [itertools.repeat(None) if x is None else rows_of(_known(x)) for x in self.leaves]
        yield from (pack(list(row)) for row in zip(*columns, strict=False))

    def rows(self) -> Rows | None:
        if not all(x.__class__ is EagerTensor for x in self.leaves):
            return None
        arrays = [x._array for x in self.leaves]
        pack = packer(self.template)
        return Rows(lambda index: pack([of_array(a[index]) for a in arrays]), range(len(arrays[0])))

    def length(self) -> int:
        return UNKNOWN if self.count is None else self.count

    def _spec(self) -> Any:
        return map_leaves(lambda x: without_first(spec_of(x), "Dataset.from_tensor_slices"), self.value)


def _known(value: Any) -> Any:
    if isinstance(value, SymbolicTensor):
        truth(value, "Dataset")
    return value


class Range(Node):
    """Numbers at equal distances."""

    name = "_RangeDataset"

    def __init__(self, bounds: tuple[Any, Any, Any], dtype: Any) -> None:
        super().__init__()
        self.bounds = tuple(host_int(b, "Dataset.range") for b in bounds)
        self.dtype = dtype
        if self.bounds[2].__class__ is int and self.bounds[2] == 0:
            raise invalid("Dataset.range: the step must not be zero.")

    def _numbers(self) -> range:
        for bound in self.bounds:
            _known(bound)
        return range(*self.bounds)

    def run(self) -> Iterator[Any]:
        dtype = self.dtype.np
        return (of_array(np.asarray(i, dtype)) for i in self._numbers())

    def rows(self) -> Rows | None:
        numbers = self._numbers()
        dtype = self.dtype.np

        def take(index: Any) -> Any:
            if index.__class__ is slice:
                part = numbers[index]
                return of_array(np.arange(part.start, part.stop, part.step).astype(dtype))
            return of_array((numbers.start + numbers.step * np.asarray(index)).astype(dtype))

        return Rows(take, range(len(numbers)))

    def length(self) -> int:
        return UNKNOWN if any(isinstance(b, SymbolicTensor) for b in self.bounds) else len(self._numbers())

    def _spec(self) -> Any:
        return TensorSpec([], self.dtype)


class Generator(Node):
    """What a Python generator gives, checked against a signature."""

    name = "_FlatMapDataset"

    def __init__(self, generator: Any, args: tuple[Any, ...], signature: Any) -> None:
        super().__init__()
        self.generator = generator
        self.args = args
        self.signature = signature
        self.specs = nest.flatten(signature)

    def run(self) -> Iterator[Any]:
        pack = packer(self.signature)
        what = "Dataset.from_generator: the generator"
        try:
            elements = iter(self.generator(*self.args))
        except Exception as error:
            raise host_error(error, what) from error
        while True:
            try:
                value = next(elements)
            except StopIteration:
                return
            except Exception as error:
                raise host_error(error, what) from error
            yield pack(
                [
                    self._part(s, v)
                    for s, v in zip(self.specs, _flatten_up_to(self.signature, value), strict=True)
                ]
            )

    @staticmethod
    def _part(spec: TypeSpec, value: Any) -> Any:
        if not isinstance(spec, TensorSpec):
            if isinstance(value, (Optional, SparseTensor)) or value is None or hasattr(value, "_type_spec"):
                return value
            raise invalid(f"Dataset.from_generator: the generator gave {value!r} where {spec} was promised.")
        if value.__class__ is EagerTensor and value._array.dtype is spec.dtype.np:
            array = value._array
        else:
            try:
                array = _as_array(value, spec)
            except (TypeError, ValueError) as error:
                raise invalid(
                    f"Dataset.from_generator: the generator gave {value!r}, which does not convert to {spec.dtype.name}: {error}"
                ) from None
        if not shape_fits(spec, array):
            raise invalid(
                f"Dataset.from_generator: the generator gave an element of shape {TensorShape(array.shape)} where "
                f"{spec.shape} was promised."
            )
        return of_array(array)

    def length(self) -> int:
        return UNKNOWN

    def _spec(self) -> Any:
        return self.signature


def _as_array(value: Any, spec: TensorSpec) -> np.ndarray:
    if spec.dtype.np.kind == "O":
        return convert(value, spec.dtype)._array  # type: ignore[attr-defined]
    # A copy: generators like to fill the same buffer again.
    return np.array(value, spec.dtype.np, order="C")


def _flatten_up_to(signature: Any, value: Any) -> list[Any]:
    if not is_structure(signature):
        return [value]
    try:
        parts: list[Any] = []
        nest.map_structure_up_to(signature, lambda _, part: parts.append(part), signature, value)
    except (TypeError, ValueError, KeyError):
        raise invalid(
            f"Dataset.from_generator: the generator gave {value!r}, which has not the structure of {signature}."
        ) from None
    return parts


# -- transformations that keep elements -------------------------------------------------------------------------------


class Repeat(Node):
    """The input several times; for ever where count is negative."""

    name = "_RepeatDataset"

    def __init__(self, source: Node, count: int) -> None:
        super().__init__(source)
        self.count = count

    def run(self) -> Iterator[Any]:
        for _ in itertools.count() if self.count < 0 else range(self.count):
            empty = True
            for element in self.input.run():
                empty = False
                yield element
            if empty:
                return

    def rows(self) -> Rows | None:
        first = self.input.rows() if self.count else None
        if first is None:
            return None

        def indices() -> Iterator[int]:
            rounds = itertools.count() if self.count < 0 else range(self.count)
            rows: Rows | None = first
            for i in rounds:
                if i:
                    rows = self.input.rows()
                empty = True
                assert rows is not None
                for index in rows.indices:
                    empty = False
                    yield index
                if empty:
                    return

        return Rows(first.take, indices())

    def length(self) -> int:
        n = self.input.length()
        if self.count == 0 or n == 0:
            return 0
        if self.count < 0 or n == INFINITE:
            return INFINITE
        return UNKNOWN if n == UNKNOWN else n * self.count


class Take(Node):
    """The first elements; all where count is negative."""

    name = "_TakeDataset"

    def __init__(self, source: Node, count: int) -> None:
        super().__init__(source)
        self.count = count

    def run(self) -> Iterator[Any]:
        return self.input.run() if self.count < 0 else itertools.islice(self.input.run(), self.count)

    def rows(self) -> Rows | None:
        rows = self.input.rows()
        return (
            None
            if rows is None
            else rows
            if self.count < 0
            else Rows(rows.take, _part(rows.indices, 0, self.count))
        )

    def length(self) -> int:
        n = self.input.length()
        if self.count < 0 or n == UNKNOWN:
            return n
        return self.count if n == INFINITE else min(n, self.count)


def _part(indices: Iterable[int], start: int, stop: int | None) -> Iterable[int]:
    return indices[start:stop] if isinstance(indices, range) else itertools.islice(indices, start, stop)


class Skip(Node):
    """All but the first elements; nothing where count is negative."""

    name = "_SkipDataset"

    def __init__(self, source: Node, count: int) -> None:
        super().__init__(source)
        self.count = count

    def run(self) -> Iterator[Any]:
        return iter(()) if self.count < 0 else itertools.islice(self.input.run(), self.count, None)

    def rows(self) -> Rows | None:
        rows = self.input.rows() if self.count >= 0 else None
        return None if rows is None else Rows(rows.take, _part(rows.indices, self.count, None))

    def length(self) -> int:
        n = self.input.length()
        return 0 if self.count < 0 else n if n < 0 else max(n - self.count, 0)


class Shard(Node):
    """Every n-th element."""

    name = "_ShardDataset"

    def __init__(self, source: Node, shards: int, index: int) -> None:
        super().__init__(source)
        self.shards, self.index = shards, index

    def run(self) -> Iterator[Any]:
        return itertools.islice(self.input.run(), self.index, None, self.shards)

    def length(self) -> int:
        n = self.input.length()
        return n if n < 0 else len(range(self.index, n, self.shards))


class Shuffle(Node):
    """The elements in a random order, drawn from a buffer."""

    name = "_ShuffleDataset"

    def __init__(self, source: Node, buffer_size: int, seed: Any, reshuffle: bool) -> None:
        super().__init__(source)
        self.shuffler = Shuffler(buffer_size, seed, reshuffle)

    def run(self) -> Iterator[Any]:
        return self.shuffler.shuffle(self.input.run())

    def rows(self) -> Rows | None:
        rows = self.input.rows()
        return None if rows is None else Rows(rows.take, self.shuffler.shuffle(iter(rows.indices)))


class Passing(Node):
    """Hands on its input: prefetch, and whatever only carries a name or options."""

    def __init__(self, source: Node, name: str, options: Options | None = None) -> None:
        super().__init__(source)
        self.name = name
        self.own = options

    def run(self) -> Iterator[Any]:
        return self.input.run()

    def rows(self) -> Rows | None:
        return self.input.rows()

    def options(self) -> Options:
        merged = super().options()
        return merged if self.own is None else merged.merge(self.own)


class Cache(Node):
    """Keeps the elements of the first complete pass in memory."""

    name = "CacheDataset"

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        self.kept: list[Any] | None = None

    def run(self) -> Iterator[Any]:
        if self.kept is not None:
            yield from self.kept
            return
        elements = []
        for element in self.input.run():
            elements.append(element)
            yield element
        self.kept = elements


class Concatenate(Node):
    """One data set after the other."""

    name = "_ConcatenateDataset"

    def __init__(self, first: Node, second: Node) -> None:
        super().__init__(first, second)
        self.spec = common(first.spec, second.spec)

    def run(self) -> Iterator[Any]:
        yield from self.inputs[0].run()
        yield from self.inputs[1].run()

    def length(self) -> int:
        a, b = (node.length() for node in self.inputs)
        return INFINITE if INFINITE in (a, b) else UNKNOWN if UNKNOWN in (a, b) else a + b


class Filter(Node):
    """The elements for which a predicate is true."""

    name = "_FilterDataset"

    def __init__(self, source: Node, predicate: Any) -> None:
        super().__init__(source)
        self.predicate = predicate

    def run(self) -> Iterator[Any]:
        for element in self.input.run():
            if self._true(element):
                yield element

    def _true(self, element: Any) -> bool:
        result = call(self.predicate, element)
        tensor = convert(result) if not is_structure(result) and not isinstance(result, list) else None
        if tensor is None or not tensor.dtype.is_bool or tensor.shape.rank != 0:
            raise ValueError(f"Dataset.filter: the predicate must give a boolean scalar; got {result!r}.")
        return bool(tensor)

    def length(self) -> int:
        n = self.input.length()
        return n if n == 0 else UNKNOWN


class TakeWhile(Filter):
    """The elements before the first for which a predicate is false."""

    name = "_TakeWhileDataset"

    def run(self) -> Iterator[Any]:
        for element in self.input.run():
            if not self._true(element):
                return
            yield element


# -- transformations that make elements -------------------------------------------------------------------------------


def call(function: Any, element: Any) -> Any:
    """Calls a user's function on an element; the parts of a tuple are arguments of their own."""
    return function(*element) if element.__class__ is tuple else function(element)


def _result(value: Any) -> Any:
    # A list is likelier several results than one tensor in the making.
    return normalize(tuple(value) if isinstance(value, list) else value)


class Map(Node):
    """A function of each element."""

    name = "_MapDataset"

    def __init__(self, source: Node, function: Any) -> None:
        super().__init__(source)
        self.function = function

    def run(self) -> Iterator[Any]:
        function = self.function
        for element in self.input.run():
            value = function(*element) if element.__class__ is tuple else function(element)
            yield value if value.__class__ is EagerTensor else _result(value)

    def _spec(self) -> Any:
        return traced_spec(self.function, self.input)


def traced_spec(function: Any, source: Node) -> Any:
    """The spec of `function(element)`: from a symbolic run, or from a first element where the function needs values."""
    spec = source.spec
    args = list(spec) if spec.__class__ is tuple else [spec]
    try:
        return output_spec(lambda *a: _result(function(*a)), args, other_spec)
    except Exception:  # whatever a function does with values that a symbolic tensor has not
        pass
    for element in source.run():
        found = map_leaves(spec_of, _result(call(function, element)))
        return nest.map_structure(_loose, found)
    raise ValueError(
        "Dataset.element_spec: the function needs values to run, and there is no element to try it on."
    )


def _loose(spec: Any) -> Any:
    """The spec without its sizes: other elements may have others."""
    if not isinstance(spec, TensorSpec) or spec.shape.rank is None:
        return spec
    return TensorSpec([None] * spec.shape.rank, spec.dtype)


class FlatMap(Node):
    """The elements of the data sets that a function gives, one data set after the other."""

    name = "_FlatMapDataset"

    def __init__(self, source: Node, function: Any) -> None:
        super().__init__(source)
        self.function = function

    def _inner(self, element: Any) -> Node:
        result = call(self.function, element)
        node = getattr(result, "_node", None)
        if not isinstance(node, Node):
            raise TypeError(f"Dataset.{self.name}: the function must give a tf.data.Dataset; got {result!r}.")
        return node

    def run(self) -> Iterator[Any]:
        for element in self.input.run():
            yield from self._inner(element).run()

    def length(self) -> int:
        n = self.input.length()
        return n if n == 0 else UNKNOWN

    def _spec(self) -> Any:
        found = traced_spec(self.function, self.input)
        return found._element_spec


class Interleave(FlatMap):
    """The elements of several data sets in turns."""

    name = "_InterleaveDataset"

    def __init__(self, source: Node, function: Any, cycle: int, block: int) -> None:
        super().__init__(source, function)
        self.cycle, self.block = cycle, block

    def run(self) -> Iterator[Any]:
        outer = self.input.run()
        slots: list[Iterator[Any] | None] = [None] * self.cycle
        more = True
        while True:
            for i in range(self.cycle):
                if slots[i] is None and more:
                    element = next(outer, _END)
                    more = element is not _END
                    slots[i] = self._inner(element).run() if more else None
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


_END = object()


class Zip(Node):
    """Elements of several data sets side by side; ends with the shortest."""

    name = "_ZipDataset"

    def __init__(self, structure: Any) -> None:
        super().__init__(*nest.flatten(structure))
        self.structure = structure

    def run(self) -> Iterator[Any]:
        iterators = [node.run() for node in self.inputs]
        if self.structure.__class__ is tuple and not any(is_structure(part) for part in self.structure):
            return zip(*iterators, strict=False)
        pack = packer(self.structure)
        return (pack(list(parts)) for parts in zip(*iterators, strict=False))

    def length(self) -> int:
        lengths = [node.length() for node in self.inputs]
        if UNKNOWN in lengths:
            return UNKNOWN
        return min((n for n in lengths if n != INFINITE), default=INFINITE)

    def _spec(self) -> Any:
        return packer(self.structure)([node.spec for node in self.inputs])


class Batch(Node):
    """Several elements as one, stacked."""

    name = "_BatchDataset"

    def __init__(self, source: Node, size: int, drop: bool) -> None:
        super().__init__(source)
        self.size, self.drop = size, drop

    def run(self) -> Iterator[Any]:
        rows = self.input.rows()
        if rows is not None:
            return self._gathered(rows)
        return self._stacked()

    def _stacked(self) -> Iterator[Any]:
        elements = self.input.run()
        while chunk := list(itertools.islice(elements, self.size)):
            if len(chunk) == self.size or not self.drop:
                yield stack_elements(chunk)

    def _gathered(self, rows: Rows) -> Iterator[Any]:
        indices, take, size = rows.indices, rows.take, self.size
        if isinstance(indices, range):
            stop = indices.stop - (len(indices) % size if self.drop else 0)
            for low in range(indices.start, stop, size):
                yield take(slice(low, min(low + size, indices.stop)))
            return
        order = iter(indices)
        while chunk := list(itertools.islice(order, size)):
            if len(chunk) == size or not self.drop:
                yield take(np.array(chunk))

    def length(self) -> int:
        n = self.input.length()
        return n if n < 0 else n // self.size if self.drop else -(-n // self.size)

    def _spec(self) -> Any:
        return map_leaves(lambda s: prefixed(s, self.size if self.drop else None), self.input.spec)


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

    def run(self) -> Iterator[Any]:
        for element in self.input.run():
            pack = packer(element)
            columns = [rows_of(part) for part in nest.flatten(element) if part is not None]
            if len({len(c) for c in columns}) > 1:
                raise invalid(
                    f"Dataset.unbatch: the first dimensions differ: {[len(c) for c in columns]}; all must be equal."
                )
            yield from (pack(list(row)) for row in zip(*columns, strict=True))

    def length(self) -> int:
        n = self.input.length()
        return n if n == 0 else UNKNOWN

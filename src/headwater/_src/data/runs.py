"""Many batches of a data set at once, for loops that run a graph on each of them.

Where the elements are batches of rows of arrays in memory, the rows of many batches are gathered together; a batch is then a
view of a few columns. The order of the elements, and what random numbers it is made of, are those of iteration.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import CONST, PLACEHOLDER, FuncGraph
from headwater._src.core.tensor import EagerTensor, of_array
from headwater._src.data.columns import Chained, Columns, is_dense
from headwater._src.data.functions import Pass, of_elements
from headwater._src.data.iterator import GET_NEXT, OwnedIterator
from headwater._src.data.nodes import Batch, Concatenate, Node, Passing, Repeat, Slices, Take, Tensors, Zip
from headwater._src.data.optional import FROM_VALUE
from headwater._src.data.structure import components, packer
from headwater._src.data.transforms import FlatMap, Map, Prefetch
from headwater._src.engine.closed import close
from headwater._src.engine.graph_copy import Mapping, copy_node

BLOCK_BYTES = 1 << 26
"""About how much is gathered at once."""


class Block(NamedTuple):
    """Consecutive batches: their rows, column by column, and how many rows a batch has; the last one may have fewer."""

    columns: list[np.ndarray]
    size: int

    def __len__(self) -> int:
        return -(-len(self.columns[0]) // self.size)

    def parts(self) -> list[Block]:
        """The batches of full size, and the last one if it is smaller."""
        rows = len(self.columns[0])
        whole = rows - rows % self.size
        if whole in (0, rows):
            return [self if whole else Block(self.columns, rows)]
        return [
            Block([c[:whole] for c in self.columns], self.size),
            Block([c[whole:] for c in self.columns], rows - whole),
        ]

    def first(self) -> list[np.ndarray]:
        """The columns of the first batch."""
        return [c[: self.size] for c in self.columns]


class Batches:
    """The batches of one pass over a data set, in order."""

    def read(self, count: int) -> Block | None:
        """The next batches, at least one and at most `count`; None at the end."""
        raise NotImplementedError


class _Cut(Batches):
    """Batches cut from columns. What makes the columns may raise: then the batches before come first."""

    def __init__(self, columns: Columns, size: int, drop: bool) -> None:
        self.columns, self.size, self.drop = columns, size, drop
        self.error: Exception | None = None
        self.most = 1

    def read(self, count: int) -> Block | None:
        want = min(count, self.most) * self.size
        parts: list[list[np.ndarray]] = []
        have = 0
        while have < want and self.error is None:
            try:
                found = self.columns.read(want - have)
            except Exception as error:
                self.error = error
                break
            if found is None:
                break
            parts.append(found)
            have += len(found[0])
        if self.error is not None or self.drop:
            have -= have % self.size
        if not have:
            if self.error is not None:
                raise self.error
            return None
        columns = parts[0] if len(parts) == 1 else [np.concatenate(c) for c in zip(*parts, strict=True)]
        if self.most == 1:
            self.most = _batches_at_once(columns)
        return Block([c[:have] for c in columns], self.size)


def _batches_at_once(batch: Sequence[np.ndarray]) -> int:
    return max(1, BLOCK_BYTES // max(1, sum(c.nbytes for c in batch)))


class _Gathered(Batches):
    """Batches whose rows an index names: what a function gives that gathers rows from tensors which stay the same.

    Args:
      indices: arrays whose rows are the indices of one batch after the other.
      columns: the arrays gathered from.
      call: the function of an index, for one that names a row that is not there.
    """

    def __init__(
        self, indices: Iterator[np.ndarray], columns: list[np.ndarray], call: Callable[[Any], Any]
    ) -> None:
        self.indices, self.columns, self.call = indices, columns, call
        self.rows = min(len(c) for c in columns)
        self.row_bytes = sum(c[:1].nbytes for c in columns)
        self.block = np.empty((0, 0), np.int64)
        self.position = 0

    def read(self, count: int) -> Block | None:
        while self.position >= len(self.block):
            block = next(self.indices, None)
            if block is None:
                return None
            self.block, self.position = block, 0
        size = self.block.shape[1]
        count = min(count, max(1, BLOCK_BYTES // max(1, size * self.row_bytes)))
        found = self.block[self.position : self.position + count]
        index = found.reshape(-1)
        if not size or index.min() < 0 or index.max() >= self.rows:
            if len(found) > 1:
                return self.read(1)
            self.position += 1
            batch = [t._array for t in components(self.call(of_array(found[0])))]
            return Block(batch, max(len(batch[0]), 1))
        self.position += len(found)
        return Block([c.take(index, axis=0) for c in self.columns], size)


def _indices(node: Node, state: Pass) -> Iterator[np.ndarray]:
    """The elements of a data set of vectors as rows of arrays."""
    if isinstance(node, Passing) or (isinstance(node, Prefetch) and not node.threads()):
        yield from _indices(node.input, state)
    elif type(node) is FlatMap:
        for inner in node.nodes(state):
            yield from _indices(inner, state)
    elif isinstance(node, Concatenate):
        for inner in node.inputs:
            yield from _indices(inner, state)
    elif isinstance(node, Slices) and node.value.__class__ is EagerTensor and node.value._array.ndim == 2:
        yield node.value._array
    else:
        for tensor in node.run(state):
            yield tensor._array[None]


class _Again(Chained, Batches):
    """The batches of one pass after the other, until one is empty."""


class _First(Batches):
    """The first batches."""

    def __init__(self, source: Batches, count: int) -> None:
        self.source, self.left = source, count

    def read(self, count: int) -> Block | None:
        found = self.source.read(min(count, self.left)) if self.left else None
        self.left -= 0 if found is None else len(found)
        return found


def batches_of(node: Node, state: Pass) -> Batches | None:
    """A fresh pass over a data set of batches; None where they can be had one by one only."""
    if isinstance(node, Passing) or (isinstance(node, Prefetch) and not node.threads()):
        return batches_of(node.input, state)
    if isinstance(node, Batch) and node.size > 0 and is_dense(node.spec):
        columns = node.input.columns(state)
        return None if columns is None else _Cut(columns, node.size, node.drop)
    if isinstance(node, Map):
        return _gathered(node, state)
    if isinstance(node, (Repeat, Take)) and node.count:
        source = batches_of(node.input, state)
        if source is None or isinstance(node, Take):
            return source if source is None or node.count < 0 else _First(source, node.count)
        rounds = itertools.count(1) if node.count < 0 else range(1, node.count)
        more = (batches_of(node.input, state) for _ in rounds)
        return _Again(itertools.chain([source], (b for b in more if b is not None)))
    return None


def _gathered(node: Map, state: Pass) -> Batches | None:
    """The batches of a function that gathers rows of tensors which are the same for each element (as Keras's for arrays)."""
    source, function = node.input, node.function
    if not isinstance(source, Zip) or len(source.inputs) != 2 or function.captured or state.on_error:
        return None
    indices, again = source.inputs
    if not isinstance(again, Repeat) or again.count >= 0 or not isinstance(again.input, Tensors):
        return None
    leaves = components(again.input.value) if is_dense(again.spec) else []
    closed = function.closed
    if function.debug or not is_dense(node.spec) or len(closed.args) != len(leaves) + 1:
        return None
    if any(n.record not in (PLACEHOLDER, CONST) and n.type != "GatherV2" for n in closed.nodes):
        return None
    places = {id(t): leaf for t, leaf in zip(closed.args[1:], leaves, strict=True)}
    columns = []
    for tensor in closed.outputs:
        gather = tensor.op
        if gather.type != "GatherV2" or gather.inputs[1] is not closed.args[0]:
            return None
        leaf = places.get(id(gather.inputs[0]))
        plain = gather.attrs == {"axis": 0, "batch_dims": 0} and len(closed.args[0]._shape or ()) == 1
        if not plain or leaf.__class__ is not EagerTensor or not leaf._array.ndim or not leaf._array.size:
            return None
        columns.append(leaf._array)
    call = of_elements(function, source.spec, state)
    return _Gathered(_indices(indices, state), columns, lambda index: call((index, again.input.value)))  # type: ignore[attr-defined]


class RunIterator(OwnedIterator):
    """An iterator that also gives many batches at once, where its data set allows; `read` and `next` go on from each other."""

    def _pass(self) -> Iterator[Any]:
        self._batches = batches_of(self._dataset._node, Pass())
        return super()._pass() if self._batches is None else self._one_by_one(self._batches)

    def _one_by_one(self, batches: Batches) -> Iterator[Any]:
        pack = packer(self.element_spec)
        while (block := batches.read(1)) is not None:
            yield pack([of_array(c) for c in block.columns])

    @property
    def in_memory(self) -> bool:
        """Whether there is more than one batch at a time to be had."""
        return self._batches is not None

    def read(self, count: int) -> Block | None:
        """The next batches, at least one and at most `count`; None at the end.

        Raises:
          RuntimeError: the data set's elements come one by one only.
        """
        if self._batches is None:
            raise RuntimeError(f"{self._dataset!r} gives its elements one by one only; see `in_memory`.")
        found = self._batches.read(count)
        self._taken += 0 if found is None else len(found)
        return found


# -- graphs of one element --------------------------------------------------------------------------------------------


def step_of(closed: FuncGraph) -> FuncGraph | None:
    """The same graph as a function of an element, where it takes one element from an iterator and gives an optional.

    Args:
      closed: a closed graph whose only argument is the iterator and whose only result is the optional.

    Returns:
      The graph, whose arguments are the element's tensors and whose results are those of the optional's value; None where
      the graph does more with the iterator, or its result is something else.
    """
    if closed.arg_count != 1 or closed.result_count != 1:
        return None
    iterator, ending = closed.inputs[0], _ending(closed)
    made = ending[-1]
    users = [n for n in closed.nodes if any(t is iterator for t in n.inputs)]
    if len(users) != 1 or users[0].record is not GET_NEXT or made.record is not FROM_VALUE:
        return None
    graph = FuncGraph(closed.name, closed.outer)
    mapping: Mapping = {id(t): graph.placeholder(t._shape, t._np_dtype) for t in users[0].outputs}
    outside = [graph.enter(c) for c in closed.captured] + [graph.read(h) for h in closed.read_handles]
    mapping.update((id(t), mine) for t, mine in zip(closed.inputs[1:], outside, strict=True))
    done = {id(n) for n in (*[t.op for t in closed.inputs], *users, *ending)}
    for node in closed.nodes:
        if id(node) not in done:
            copy_node(node, graph, mapping)
    for handle, tensor in zip(closed.written_handles, closed.outputs[1:], strict=True):
        graph.values[id(handle)] = (handle, mapping[id(tensor)])
    return close(graph, [mapping[id(t)] for t in made.inputs])


def value_spec(closed: FuncGraph) -> Any:
    """The specification of the optional's value that a graph gives which `step_of` takes."""
    return _ending(closed)[-1].attrs["spec"].value


def _ending(closed: FuncGraph) -> list[Any]:
    """The nodes that hand on what a graph returns, the last one first, and the one that makes it."""
    nodes = [closed.outputs[0].op]
    while nodes[-1].type == "Identity":
        nodes.append(nodes[-1].inputs[0].op)
    return nodes

"""Batches of records that a function parses: the records of many batches are read and parsed at once, then cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base.errors import OpError
from headwater._src.core.graph import PLACEHOLDER, FuncGraph
from headwater._src.core.spec import TensorSpec
from headwater._src.data.columns import Columns, exactly
from headwater._src.data.functions import Pass, UserFunction
from headwater._src.data.nodes import Batch, Passing
from headwater._src.engine.graph_copy import Mapping, copy_node, empty_like, finish
from headwater._src.io.parsing import PARSE, Schema

_MOST = 1024
_BYTES = 1 << 22
"""As many records at once, and about as many bytes."""


class _Split(NamedTuple):
    """A function without its parsing: the graph that is left, and what is parsed: (number of the argument, schema)."""

    graph: FuncGraph
    parses: list[tuple[int, Schema]]


def parsed_ahead(node: Any, state: Pass) -> Iterator[Any] | None:
    """The elements of a `map` whose function parses batches of records that can be had many at a time; None for others."""
    function: UserFunction = node.function
    if state.on_error is not None or function.debug:
        return None
    batch = node.input
    while isinstance(batch, Passing):
        batch = batch.input
    if not isinstance(batch, Batch) or batch.size < 1:
        return None
    if not hasattr(function, "_split"):
        function._split = _split(function)  # type: ignore[attr-defined]
    split: _Split | None = function._split  # type: ignore[attr-defined]
    columns = None if split is None else batch.input.columns(state)
    return None if split is None or columns is None else _elements(split, function, batch, columns, state)


def _split(function: UserFunction) -> _Split | None:
    closed = function.closed
    if not all(isinstance(s, TensorSpec) for s in function.args):
        return None
    numbers = {id(t): i for i, t in enumerate(closed.args)}
    parses = [
        n for n in closed.nodes if n.record is PARSE.record and n.inputs[0].op.record is PLACEHOLDER
        and id(n.inputs[0]) in numbers
    ]  # fmt: skip
    if not parses:
        return None
    graph = empty_like(closed)
    mapping: Mapping = {}
    parsed = {id(n) for n in parses}
    made: list[Any] = []
    for n in closed.nodes:
        if id(n) not in parsed:
            copy_node(n, graph, mapping)
            continue
        for old in n.outputs:
            mapping[id(old)] = graph.placeholder(old.shape, old.dtype)
            made.append(mapping[id(old)])
    finish(graph, closed, mapping)
    count = len(closed.args)
    graph.inputs[count:count] = made
    graph.args += made
    return _Split(graph, [(numbers[id(n.inputs[0])], n.attrs["how"].value) for n in parses])


def _elements(
    split: _Split, function: UserFunction, batch: Batch, columns: Columns, state: Pass
) -> Iterator[Any]:
    whole, rest, pack = function.arrays(state), function.arrays(state, split.graph), function.packed()
    size, ahead = batch.size, 1
    while (found := exactly(columns, size * ahead)) is not None:
        count = len(found[0])
        parsed = _parsed(split.parses, found)
        for start in range(0, count, size):
            stop = min(start + size, count)
            if batch.drop and stop - start < size:
                return
            part = [c[start:stop] for c in found]
            made = None if parsed is None else _cut(parsed, start, stop)
            # Where something is wrong the whole function says what, with the user's line.
            yield pack(whole(part) if made is None else rest(part + made))
        length = sum(map(len, found[split.parses[0][0]])) // count + 1
        ahead = max(1, min(ahead * 2, min(_MOST, _BYTES // length) // size))


def _parsed(parses: list[tuple[int, Schema]], found: list[np.ndarray]) -> Any:
    """For each schema its results, where they have a row for each record, or its columns with the places where the values of
    each record end; None where a record is damaged or does not fit."""
    out: list[Any] = []
    for number, schema in parses:
        try:
            columns = schema.columns(found[number])
            if schema.per_row:
                out.append(schema.arrays(columns))
                continue
        except OpError:
            return None
        out.append((schema, {k: (v, np.cumsum(np.maximum(v.counts, 0))) for k, v in columns.items()}))
    return out


def _cut(parsed: Any, start: int, stop: int) -> list[np.ndarray] | None:
    made: list[np.ndarray] = []
    for part in parsed:
        if part.__class__ is list:
            made += [a[start:stop] for a in part]
            continue
        schema, columns = part
        try:
            made += schema.arrays({k: v.part(start, stop, ends) for k, (v, ends) in columns.items()})
        except OpError:
            return None
    return made

"""Batches of elements of different shapes, filled up with a padding value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import DataLossError, invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, of_array
from headwater._src.data.functions import Pass
from headwater._src.data.nodes import Node, known
from headwater._src.data.structure import NoneTensorSpec, is_structure, map_leaves, packer

_WHAT = "Dataset.padded_batch"


class PaddedBatch(Node):
    """Several elements as one, each filled up to the size of the largest or to a given shape."""

    name = "_PaddedBatchDataset"
    ints = ("size",)

    def __init__(self, source: Node, size: Any, shapes: Any, values: Any, drop: bool) -> None:
        super().__init__(source)
        self.size, self.drop = size, drop
        self.leaves = nest.flatten(source.spec)
        for spec in self.leaves:
            if not isinstance(spec, (TensorSpec, NoneTensorSpec)):
                raise TypeError(f"{_WHAT}: elements must be dense tensors; got {spec}.")
        self.shapes = self._shapes(source.spec, shapes)
        self.values = self._values(source.spec, values)
        count = size if drop and known(size) else None
        shaped = iter(self.shapes)
        self.spec = map_leaves(lambda s: _batched(s, next(shaped), count), source.spec)

    def _shapes(self, spec: Any, given: Any) -> list[tuple[Any, ...]]:
        if given is None:
            for leaf in self.leaves:
                if isinstance(leaf, TensorSpec) and leaf.shape.rank is None:
                    raise ValueError(f"{_WHAT}: give padded_shapes; the rank of {leaf} is unknown.")
            return [s.shape._dims if isinstance(s, TensorSpec) else () for s in self.leaves]
        found: list[tuple[Any, ...]] = []
        for leaf, shape in _side_by_side(spec, given, "padded_shapes"):
            if isinstance(leaf, NoneTensorSpec):
                found.append(())
                continue
            if isinstance(shape, EagerTensor):
                shape = shape._array.tolist()
            dims = shape._dims if isinstance(shape, TensorShape) else None if shape is None else _dims(shape)
            if dims is None or (leaf.shape.rank is not None and len(dims) != leaf.shape.rank):
                raise ValueError(f"{_WHAT}: padded_shapes {shape} has another rank than {leaf}.")
            for have, want in zip(leaf.shape._dims or (), dims, strict=False):
                if have is not None and want.__class__ is int and have > want:
                    raise ValueError(f"{_WHAT}: padded_shapes {dims} is smaller than {leaf}.")
            found.append(dims)
        return found

    def _values(self, spec: Any, given: Any) -> list[Any]:
        if given is None:
            pairs: Any = ((leaf, None) for leaf in self.leaves)
        elif not is_structure(given) and not isinstance(given, list):
            pairs = ((leaf, given) for leaf in self.leaves)
        else:
            pairs = _side_by_side(spec, given, "padding_values")
        return [_padding(leaf, value) for leaf, value in pairs]

    def renew(self) -> None:
        self.shapes = [
            tuple([int(d) if isinstance(d, EagerTensor) else d for d in dims]) for dims in self.shapes
        ]

    def run(self, state: Pass) -> Iterator[Any]:
        source = self.input.run(state)
        pack = packer(self.input.spec)
        while chunk := list(itertools.islice(source, self.size)):
            if len(chunk) < self.size and self.drop:
                return
            columns = zip(*(nest.flatten(e) for e in chunk), strict=True)
            yield pack([_padded(c, s, v) for c, s, v in zip(columns, self.shapes, self.values, strict=True)])

    def length(self) -> int:
        n = self.input.length()
        if not known(self.size) or n < 0:
            return n if n < 0 else -2
        return n // self.size if self.drop else -(-n // self.size)

    def detail(self) -> str:
        return f"of {self.size}"


def _batched(spec: Any, dims: tuple[Any, ...], count: int | None) -> Any:
    sizes = [d if d.__class__ is int else None for d in dims]
    return TensorSpec([count, *sizes], spec.dtype) if isinstance(spec, TensorSpec) else spec


def _dims(shape: Any) -> tuple[Any, ...]:
    if isinstance(shape, (str, bytes)):
        raise TypeError(f"{_WHAT}: padded_shapes are made of shapes; got {shape!r}.")
    sizes = (d if d is None or isinstance(d, SymbolicTensor) else int(d) for d in shape)
    return tuple([None if d.__class__ is int and d == -1 else d for d in sizes])


def _side_by_side(spec: Any, given: Any, what: str) -> Iterator[tuple[Any, Any]]:
    """The leaves of two structures; a list is a leaf here, as shapes are lists."""
    if not is_structure(spec):
        yield spec, given
        return
    try:
        if isinstance(spec, tuple):
            if len(spec) != len(given):
                raise TypeError(f"{len(given)} parts for {len(spec)}")
            parts = list(zip(spec, given, strict=True))
        else:
            parts = [(spec[k], given[k]) for k in sorted(spec)]
    except (TypeError, KeyError) as error:
        raise TypeError(
            f"{_WHAT}: {what} must have the structure of the elements, {spec}: {error}."
        ) from None
    for part, other in parts:
        yield from _side_by_side(part, other, what)


def _padding(spec: Any, value: Any) -> Any:
    if isinstance(spec, NoneTensorSpec):
        return None
    if value is None:
        return b"" if spec.dtype.name == "string" else np.zeros((), spec.dtype.np)[()]
    tensor = convert(value)
    if tensor.dtype != spec.dtype:
        raise TypeError(f"{_WHAT}: the padding value must be {spec.dtype.name}; got {describe(tensor)}.")
    if tensor.shape.rank != 0:
        raise ValueError(f"{_WHAT}: the padding value must be a scalar; got shape {tensor.shape}.")
    return tensor._array[()]  # type: ignore[attr-defined]


def _padded(column: Any, dims: tuple[Any, ...], value: Any) -> Any:
    if column[0] is None:
        return None
    arrays = [t._array for t in column]
    if any(a.ndim != len(dims) for a in arrays):
        raise invalid(f"{_WHAT}: elements must have {len(dims)} dimensions; got {[a.shape for a in arrays]}.")
    largest = [max(a.shape[i] for a in arrays) for i in range(len(dims))]
    size = [m if d is None else d for d, m in zip(dims, largest, strict=True)]
    if any(m > d for m, d in zip(largest, size, strict=True)):
        raise DataLossError(
            None,
            None,
            f"{_WHAT}: an element of shape {tuple(largest)} does not fit into padded_shapes {tuple(size)}.",
        )
    out = np.full((len(arrays), *size), value, arrays[0].dtype)
    for i, array in enumerate(arrays):
        corner: Any = (i, *(slice(0, n) for n in array.shape))
        out[corner] = array
    return of_array(out)

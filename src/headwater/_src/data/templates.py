"""Data sets made while a graph is built: expressions with symbolic tensors in them, completed each time the graph runs.

Wherever such an expression meets the graph, as a result, as the source of an iterator or in a reduction, it becomes one node
whose inputs are the symbolic tensors in it; its kernel puts arrays in their places and does the rest.
"""

from __future__ import annotations

import copy
from collections import abc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.core.context import ctx
from headwater._src.core.graph import add_opaque
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, of_array
from headwater._src.io.opaque import HostRecord


class Part:
    """Base of what expressions are made of: nodes and traced functions, whose fields may hold symbolic tensors."""

    ints: tuple[str, ...] = ()
    """Fields that are Python integers where they are known."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        made.template = ctx.graph is not None
        return made

    template: bool
    """Whether it was made while a graph was being built, so that each run of the graph makes its own."""

    def renew(self) -> None:
        """Forgets what an earlier run left behind; called on the copy that a run of a graph makes."""


class Template:
    """A value that holds parts and symbolic tensors, as an attribute of a node."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.symbols: list[SymbolicTensor] = []
        self.found: set[int] = set()
        self._collect(value)

    def _collect(self, value: Any) -> None:
        if isinstance(value, SymbolicTensor):
            if id(value) not in self.found:
                self.found.add(id(value))
                self.symbols.append(value)
        elif isinstance(value, Part):
            if value.template and id(value) not in self.found:
                self.found.add(id(value))
                for field in list(vars(value).values()):
                    self._collect(field)
        elif isinstance(value, (tuple, list)):
            for part in value:
                self._collect(part)
        elif isinstance(value, abc.Mapping):
            for part in value.values():
                self._collect(part)
        elif isinstance(value, nest.Composite) and not hasattr(value, "_node"):
            for part in value._nest_flatten():
                self._collect(part)
        elif hasattr(value, "_node"):
            self._collect(value._node)

    def complete(self, arrays: Sequence[np.ndarray]) -> Any:
        """The value with these arrays in the places of its symbolic tensors."""
        return _Completion(dict(zip(map(id, self.symbols), arrays, strict=True)))(self.value)

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__}>"


class _Completion:
    def __init__(self, arrays: dict[int, np.ndarray]) -> None:
        self.arrays = arrays
        self.done: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, SymbolicTensor):
            array = self.arrays[id(value)]
            return of_array(array if isinstance(array, np.ndarray) else np.asarray(array))
        if isinstance(value, Part):
            return self._part(value)
        if isinstance(value, EagerTensor) or value is None:
            return value
        if isinstance(value, tuple):
            parts = [self(v) for v in value]
            return tuple(parts) if value.__class__ is tuple else type(value)(*parts)
        if value.__class__ is list:
            return [self(v) for v in value]
        if isinstance(value, dict) and value.__class__ is dict:
            return {k: self(v) for k, v in value.items()}
        if hasattr(value, "_node"):
            return type(value)._of(self(value._node))
        if isinstance(value, (abc.Mapping, nest.Composite)):
            leaves = nest.flatten(value, expand_composites=True)
            return nest.pack_sequence_as(value, [self(v) for v in leaves], expand_composites=True)
        return value

    def _part(self, part: Part) -> Any:
        if not part.template:
            return part
        found = self.done.get(id(part))
        if found is None:
            given = getattr(part, "resource", None)
            if isinstance(given, SymbolicTensor):
                found = self(given)._array[()]._node
            else:
                found = copy.copy(part)
                found.template = False
                for name, field in vars(part).items():
                    new = self(field)
                    if name in part.ints and isinstance(new, EagerTensor):
                        new = int(new._array)
                    setattr(found, name, new)
                found.template = False
                found.renew()
            self.done[id(part)] = found
        return found


def stage(
    record: Any, value: Any, specs: Sequence[Spec], given: Sequence[Any] = ()
) -> tuple[SymbolicTensor, ...]:
    """Appends a node that completes `value` and goes on with it; its kernel is `completing(...)`."""
    template = Template(value)
    return add_opaque(record, [*given, *template.symbols], specs, {"template": template})


def completing(name: str, single: bool, use: Callable[..., Any]) -> Any:
    """The record of nodes that call `use(value, *arrays)` with a completed value; the arrays are the inputs before its symbols."""

    def kernel(*arrays: np.ndarray, template: Template) -> Any:
        first = len(arrays) - len(template.symbols)
        return use(template.complete(arrays[first:]), *arrays[:first])

    return HostRecord(name, single, kernel, True)

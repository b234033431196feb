"""A number for what a data set computes: equal expressions have equal ones, in any process; seeds do not count."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from headwater._src.core.tensor import SymbolicTensor, TensorLike
from headwater._src.data.functions import UserFunction
from headwater._src.data.shuffling import SeedSource
from headwater._src.data.templates import Part, Template
from headwater._src.state.host_nodes import Held


def fingerprint(node: Any) -> int:
    """The fingerprint of a node's expression, with the values of its tensors and the graphs of its functions: 64 bits."""
    found = _Digest()
    found.add(node)
    return int.from_bytes(found.hash.digest(), "little")


class _Digest:
    """Takes in values piece by piece; a part that was met before is a number."""

    def __init__(self) -> None:
        import hashlib  # loads OpenSSL, so not before it is needed

        self.hash = hashlib.blake2b(digest_size=8)
        self.met: dict[int, int] = {}

    def add(self, value: Any) -> None:
        """Takes in a value."""
        if isinstance(value, (Part, SymbolicTensor)) and id(value) in self.met:
            self._text(f"again {self.met[id(value)]}")
        elif isinstance(value, Part):
            self._part(value)
        elif isinstance(value, SymbolicTensor):
            self.met[id(value)] = len(self.met)
            self._text(f"symbol {value.dtype.name} {value.shape}")
        elif isinstance(value, (TensorLike, np.ndarray)):
            self._array(value)
        elif isinstance(value, (Template, Held)):
            self.add(value.value)
        elif hasattr(value, "_node"):
            self.add(value._node)
        elif isinstance(value, (list, tuple, dict)):
            items = value.items() if isinstance(value, dict) else value
            self._text(f"{type(value).__name__} {len(value)}")
            for item in items:
                self.add(item)
        elif hasattr(value, "nodes"):
            self._graph(value)
        elif isinstance(value, (types.FunctionType, types.MethodType)):
            self._text(value.__qualname__)
            self._code(value.__code__)
        elif " at 0x" not in repr(value):  # no address in it
            self._text(repr(value))
        elif id(value) not in self.met:
            self._fields(value)

    def _code(self, code: types.CodeType) -> None:
        self.hash.update(code.co_code)
        self.add(code.co_names)
        for part in code.co_consts:
            if isinstance(part, types.CodeType):
                self._code(part)
            else:
                self._text(repr(part))

    def _text(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        self.hash.update(len(data).to_bytes(8, "little") + data)

    def _part(self, part: Part) -> None:
        if isinstance(part, UserFunction):
            self.met[id(part)] = len(self.met)
            self._function(part)
        else:
            self._fields(part)

    def _fields(self, part: Any) -> None:
        self.met[id(part)] = len(self.met)
        self._text(type(part).__qualname__)
        fields = getattr(part, "__dict__", {})
        for name, value in sorted(fields.items()):
            if not isinstance(value, SeedSource):
                self._text(name)
                self.add(value)

    def _function(self, function: UserFunction) -> None:
        closed = getattr(function, "closed", None)
        if closed is None:  # in debug mode
            self._text(function.function.__qualname__)
            return
        self.add(function.captured)
        self._graph(closed)

    def _graph(self, graph: Any) -> None:
        for node in graph.nodes:
            self._text(node.record.name)
            self.add(list(node.inputs))
            for name, value in sorted(node.attrs.items()):
                self._text(name)
                self.add(value)
            for tensor in node.outputs:
                self.met[id(tensor)] = len(self.met)
        self.add(list(graph.outputs))

    def _array(self, value: Any) -> None:
        array = np.asarray(value._array if hasattr(value, "_array") else value)
        self._text(f"{array.dtype.name} {array.shape}")
        if array.dtype.kind == "O":
            self._text(repr(array.tolist()))
        else:
            self.hash.update(np.ascontiguousarray(array).data)

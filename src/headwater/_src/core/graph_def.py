"""A graph as plain data: names, operations, inputs and attributes, in the form of TensorFlow's GraphDef text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base import dtypes

_MAX_VALUES = 16
"""Constants with more elements are cut in the text."""


class NodeDef(NamedTuple):
    """One node: `input` names nodes, with `:1` and so on for further outputs and `^` for control inputs."""

    name: str
    op: str
    input: tuple[str, ...]
    device: str
    attr: dict[str, Any]

    def __str__(self) -> str:
        return "\n".join(_lines(self, "")) + "\n"


class GraphDef(NamedTuple):
    """All nodes of a graph in program order."""

    node: tuple[NodeDef, ...]

    def __str__(self) -> str:
        lines: list[str] = []
        for node in self.node:
            lines += ["node {", *_lines(node, "  "), "}"]
        return "\n".join(lines) + "\n"


def node_def(node: Any) -> NodeDef:
    """A node as plain data."""
    inputs = [_input(x) for x in node.inputs]
    inputs += [
        f"^{x.op.name}" if hasattr(x, "op") else f"^{getattr(x, 'name', x)}" for x in node.control_inputs
    ]
    attr: dict[str, Any] = {}
    if node.outputs:
        found = dtypes.OF_NUMPY.get(node.outputs[0]._np_dtype)
        attr["dtype" if not node.inputs else "T"] = found or dtypes.variant
    for key, value in node.attrs.items():
        attr[key] = value
    return NodeDef(node.name, node.type, tuple(inputs), node.device, attr)


def graph_def(graph: Any) -> GraphDef:
    """A graph as plain data."""
    return GraphDef(tuple(node_def(n) for n in graph.nodes))


def _input(tensor: Any) -> str:
    return tensor.op.name if not tensor.value_index else f"{tensor.op.name}:{tensor.value_index}"


def _lines(node: NodeDef, indent: str) -> Iterator[str]:
    yield f'{indent}name: "{node.name}"'
    yield f'{indent}op: "{node.op}"'
    for name in node.input:
        yield f'{indent}input: "{name}"'
    if node.device:
        yield f'{indent}device: "{node.device}"'
    for key in sorted(node.attr):
        yield f"{indent}attr {{"
        yield f'{indent}  key: "{key}"'
        yield f"{indent}  value {{"
        for line in _value(node.attr[key]):
            yield f"{indent}    {line}"
        yield f"{indent}  }}"
        yield f"{indent}}}"


def _value(value: Any) -> Iterator[str]:
    if isinstance(value, dtypes.DType):
        yield f"type: DT_{value.name.upper()}"
    elif isinstance(value, bool):
        yield f"b: {str(value).lower()}"
    elif isinstance(value, (int, np.integer)):
        yield f"i: {value}"
    elif isinstance(value, (float, np.floating)):
        yield f"f: {value}"
    elif isinstance(value, str):
        yield f's: "{value}"'
    elif hasattr(value, "get_operations") or hasattr(value, "closed"):
        yield f'func {{ name: "{getattr(value, "name", "")}" }}'
    elif isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "_array"):
        yield from _tensor(getattr(value, "_array", value))
    else:
        text = str(value).replace('"', "'")
        yield f's: "{text}"'


def _tensor(value: Any) -> Iterator[str]:
    array = np.asarray(value)
    found = dtypes.OF_NUMPY.get(array.dtype)
    yield "tensor {"
    yield f"  dtype: DT_{found.name.upper() if found else 'VARIANT'}"
    yield "  tensor_shape { " + "".join(f"dim {{ size: {d} }} " for d in array.shape) + "}"
    for item in array.reshape(-1)[:_MAX_VALUES].tolist():
        yield f"  val: {item!r}"
    if array.size > _MAX_VALUES:
        yield f"  # {array.size - _MAX_VALUES} more"
    yield "}"

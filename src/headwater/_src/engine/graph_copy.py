"""Copies of graphs: a whole graph on its own, or a closed one's nodes inside the graph that is being built.

Nodes are copied, never shared: each copy keeps name, line, device, specs and what is known of values, and belongs to its
new graph. Nested graphs in attributes are values and stay the same objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from headwater._src.core.graph import FuncGraph, Graph, Node, _follow, _record_node, _static_host
from headwater._src.core.op import Op
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, Tensor

Mapping = dict[int, Any]
"""What stands for a tensor in a copy, by the `id` of the original (tensors have no hash)."""

_KEPT = tuple(s for s in Node.__slots__ if s not in ("graph", "inputs", "attrs", "outputs", "control_inputs"))
_OF_INPUTS = ("arg_count", "captured", "read_handles")
_OF_OUTPUTS = ("written_handles", "result_count")
"""What closing a graph says of its inputs and outputs."""


def clone(closed: FuncGraph, outputs: Iterable[SymbolicTensor] | None = None) -> tuple[FuncGraph, Mapping]:
    """A graph of its own with copies of all nodes of `closed`.

    Args:
      closed: a graph with `inputs` and `outputs`.
      outputs: the tensors of `closed` that the copy is to return; its own outputs by default.

    Returns:
      The copy, whose inputs are those of `closed`, and what stands in it for each tensor, by `id`.
    """
    graph = empty_like(closed)
    mapping: Mapping = {}
    for node in closed.nodes:
        copy_node(node, graph, mapping)
    graph._names = dict(closed._names)
    finish(graph, closed, mapping, None, outputs)
    return graph, mapping


def specialized(closed: FuncGraph, shapes: Sequence[Any]) -> FuncGraph:
    """The same graph for arguments of these full shapes, with what follows from them for all other tensors."""
    graph = empty_like(closed)
    mapping: Mapping = {}
    given = {id(t): tuple(shape) for t, shape in zip(closed.args, shapes, strict=True)}
    for node in closed.nodes:
        new = copy_node(node, graph, mapping)
        if node.outputs and id(node.outputs[0]) in given:
            new.outputs[0]._shape = given[id(node.outputs[0])]
        else:
            _refine(new)
    graph._names = dict(closed._names)
    finish(graph, closed, mapping)
    return graph


def empty_like(closed: FuncGraph) -> FuncGraph:
    """A graph without nodes of the same name and surroundings."""
    graph = FuncGraph(closed.name, closed.outer)
    graph.outer = closed.outer
    return graph


def finish(
    graph: FuncGraph,
    closed: FuncGraph,
    mapping: Mapping,
    sources: Mapping | None = None,
    outputs: Iterable[SymbolicTensor] | None = None,
) -> None:
    """Gives `graph`, a copy of `closed`, its inputs and outputs, and the facts of closing.

    `sources` says what stands for inputs, where that is not what `mapping` puts in the place of their uses.
    """
    sources = mapping if sources is None else sources
    graph.inputs = [sources[id(t)] for t in closed.inputs]
    graph.outputs = [mapping[id(t)] for t in (closed.outputs if outputs is None else outputs)]
    for fact in _OF_INPUTS if outputs is not None else _OF_INPUTS + _OF_OUTPUTS:
        if hasattr(closed, fact):
            setattr(graph, fact, getattr(closed, fact))
    if outputs is not None:
        graph.written_handles, graph.result_count = [], len(graph.outputs)
    graph.args = [sources[id(t)] for t in closed.args if id(t) in sources]
    _carry(graph.captures, closed.captures, sources)
    _carry(graph.reads, closed.reads, sources)
    _carry(graph.values, closed.values, mapping)


def _carry(mine: dict[int, Any], others: dict[int, Any], mapping: Mapping) -> None:
    for key, (outer, inner) in others.items():
        if id(inner) in mapping:
            mine[key] = (outer, mapping[id(inner)])


def copy_node(node: Node, graph: Graph, mapping: Mapping, name: str | None = None) -> Node:
    """Appends a copy of `node` to `graph`, its inputs replaced as `mapping` says, and enters its outputs there."""
    new = object.__new__(Node)
    for slot in _KEPT:
        setattr(new, slot, getattr(node, slot))
    if name is not None:
        new.name = name
    new.graph = graph
    new.inputs = tuple([mapping[id(x)] for x in node.inputs])
    new.attrs = _copied_attrs(node.attrs, mapping)
    new.control_inputs = ()
    outputs = []
    for old in node.outputs:
        out = SymbolicTensor(new, old.value_index, Spec(old._shape, old._np_dtype), old.known)
        mapping[id(old)] = out
        outputs.append(out)
    new.outputs = tuple(outputs)
    graph.nodes.append(new)
    return new


def _copied_attrs(attrs: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    """Host attributes that are tensors of the graph become the copy's."""
    for value in attrs.values():
        if value.__class__ is SymbolicTensor:
            return {
                k: mapping.get(id(v), v) if v.__class__ is SymbolicTensor else v for k, v in attrs.items()
            }
    return dict(attrs)


def inline(closed: FuncGraph, values: Sequence[Tensor], into: Graph) -> list[Any]:
    """Appends copies of the nodes of `closed` to `into`, the graph being built.

    Args:
      closed: a graph with `inputs` and `outputs`.
      values: what its inputs stand for: tensors of `into` or of graphs around it, or eager ones.
      into: the graph to append to. Recorders that watch one of the values note the copies as they note any call.

    Returns:
      What stands for the outputs of `closed`; an output that is an input is the value itself.
    """
    mapping: Mapping = {id(t): into.enter(v) for t, v in zip(closed.inputs, values, strict=True)}
    sources = {id(t.op) for t in closed.inputs}
    for node in closed.nodes:
        if id(node) in sources:
            continue
        new = copy_node(node, into, mapping, into.unique_name(node.name))
        _refine(new)
        if new.inputs and any(x._watch for x in new.inputs):
            _record_node(new.record, new)
    return [mapping[id(t)] for t in closed.outputs]


def _refine(node: Node) -> None:
    """Infers what the copy's inputs say of its results: shapes that were open may be known where it is put in."""
    if all(_is_settled(t) for t in node.outputs):
        return
    record = node.record
    if not isinstance(record, Op):
        return
    static = {k: _static_host(v) if v.__class__ is SymbolicTensor else v for k, v in node.attrs.items()}
    try:
        specs = record.infer([x._spec for x in node.inputs], static)
    except Exception:  # what does not fit is found when the node runs
        return
    for tensor, spec, known in zip(
        node.outputs, specs, _follow(record, node.inputs, static, specs), strict=True
    ):
        shape = spec.shape if known is None else known.shape
        if tensor._shape is None or (shape is not None and shape.count(None) < tensor._shape.count(None)):
            tensor._shape = shape
        if known is not None:
            tensor.known = known


def _is_settled(tensor: SymbolicTensor) -> bool:
    """Whether nothing more can become known of the tensor: its shape, and the values that shapes may be made of."""
    if tensor._shape is None or None in tensor._shape:
        return False
    if tensor._np_dtype.kind not in "iu" or len(tensor._shape) > 1:
        return True
    return tensor.known is not None and None not in tensor.known.reshape(-1).tolist()

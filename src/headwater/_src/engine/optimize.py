"""Passes: small functions from a closed graph to a closed graph that computes the same bits with fewer nodes.

A pass walks the nodes in program order into a new graph; the given graph is never changed. `rewriter(rule, ...)` makes one
of rules, each of which is asked about every node: a rule gives the tensors that stand for the node's outputs in the new
graph, or None. Nodes with side effects are never dropped, repeated or moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from headwater._src.core.graph import (
    ASSIGN_VARIABLE,
    CAPTURE,
    CONST,
    SOURCES,
    FuncGraph,
    Node,
)
from headwater._src.core.op import Op
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import SymbolicTensor, as_array
from headwater._src.engine.graph_copy import Mapping, copy_node, empty_like, finish
from headwater._src.engine.lower import graphs_of, has_effects
from headwater._src.engine.traits import traits_of

_MOST_FOLDED = 4096
"""Elements of the largest constant that folding makes: what is larger costs memory for as long as the graph lives."""

Found = tuple[SymbolicTensor, ...] | None
Rule = Callable[["Build", Node], Found]
Pass = Callable[[FuncGraph], FuncGraph]


class Build:
    """A graph that a pass fills, and what stands in it for the tensors of the old one."""

    def __init__(self, closed: FuncGraph, rules: Iterable[Rule]) -> None:
        self.closed = closed
        self.graph = empty_like(closed)
        self.rules = tuple(rules)
        self.mapping: Mapping = {}
        self.sources: Mapping = {}
        """The copies of source nodes' tensors: what uses of a captured constant become is another matter."""
        self.seen: dict[Any, Node] = {}
        self._constants: dict[Any, SymbolicTensor] = {}
        self._named: list[np.ndarray] = []
        """The arrays whose ids are keys of constants: no other may get such an id."""

    def run(self) -> FuncGraph:
        """The new graph."""
        self._put()
        finish(self.graph, self.closed, self.mapping, self.sources)
        return self.graph

    def _put(self) -> None:
        mapping, done, rules = self.mapping, self.graph.nodes, self.rules
        for node in self.closed.nodes:
            new = copy_node(node, self.graph, mapping)
            if new.record in SOURCES:
                self._source(node, new)
                continue
            for rule in rules:
                found = rule(self, new)
                if found is not None:
                    done.pop()
                    for old, tensor in zip(node.outputs, found, strict=True):
                        mapping[id(old)] = tensor
                    break

    def _source(self, old: Node, new: Node) -> None:
        key = id(old.outputs[0])
        self.sources[key] = new.outputs[0]
        values = constant_of(new.outputs[0])
        if values is not None:
            if new.record is CONST:
                self.graph.nodes.pop()
            self.mapping[key] = self.constant(values, new)

    def constant(self, array: np.ndarray, node: Node) -> SymbolicTensor:
        """A tensor with these values; one node serves all that are equal. It keeps the name and line of `node`."""
        key: Any = id(array)
        if array.nbytes <= 256 and array.dtype.kind != "O":
            key = array.dtype, array.shape, array.tobytes()
        found = self._constants.get(key)
        if found is None:
            self._named.append(array)
            if array.flags.writeable:
                array = array.view()
                array.flags.writeable = False
            found = self._constants[key] = self.node(CONST, (), {"value": array}, array, node)
            if array.dtype.kind in "iu" and array.ndim < 2 and array.size <= 64:
                found.known = array.astype(object)
        return found

    def shape_of(self, tensor: SymbolicTensor, node: Node) -> SymbolicTensor:
        """A constant of the tensor's shape and dtype, whose values nobody reads."""
        key = tensor._shape, tensor._np_dtype
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = self.node(
                CONST, (), {"value": stand_in(tensor)}, tensor._spec, node
            )
        return found

    def node(
        self, record: Any, inputs: tuple[SymbolicTensor, ...], attrs: dict[str, Any], like: Any, origin: Node
    ) -> SymbolicTensor:
        """The result of a new node that stands before the one being looked at, named after `origin`."""
        nodes = self.graph.nodes
        new = object.__new__(Node)
        new.graph, new.record, new.inputs, new.attrs = self.graph, record, inputs, attrs
        new.name, new.line, new.device, new.control_inputs = origin.name, origin.line, origin.device, ()
        out = SymbolicTensor(new, 0, Spec(like.shape, like.dtype))
        new.outputs = (out,)
        at = len(nodes) - 1 if nodes and nodes[-1] is origin else len(nodes)
        nodes.insert(at, new)
        return out


def rewriter(*rules: Rule) -> Pass:
    """The pass that applies `rules` to every node."""

    def run(closed: FuncGraph) -> FuncGraph:
        return Build(closed, rules).run()

    return run


# -- what nodes are ---------------------------------------------------------------------------------------------------


def constant_of(tensor: SymbolicTensor) -> np.ndarray | None:
    """The values of a constant, or of a small tensor captured from eager code, which never changes."""
    node = tensor.op
    if node.record is CONST:
        return node.attrs["value"]
    if node.record is CAPTURE and "value" in node.attrs:
        array = node.attrs["value"]._array
        return array if array.size <= _MOST_FOLDED else None
    return None


def is_static(tensor: SymbolicTensor) -> bool:
    """Whether every dimension is known."""
    return tensor._shape is not None and None not in tensor._shape


# -- rules ------------------------------------------------------------------------------------------------------------


def known_values(build: Build, node: Node) -> Found:
    """Shape arithmetic: host attributes become plain values, and results that tracing followed become constants."""
    attrs = node.attrs
    for key, value in attrs.items():
        if value.__class__ is SymbolicTensor:
            plain = _plain(value)
            if plain is not None:
                node.attrs = attrs = {**attrs, key: plain}
    if not node.outputs:
        return None
    for tensor in node.outputs:
        known = tensor.known
        if known is None or None in known.reshape(-1).tolist():
            return None
    if has_effects(node):
        return None
    return tuple([build.constant(t.known.astype(t._np_dtype), node) for t in node.outputs])


def _plain(tensor: SymbolicTensor) -> Any:
    values = constant_of(tensor)
    if values is None:
        values = tensor.known
        if values is None or None in values.reshape(-1).tolist():
            return None
    return int(values) if values.ndim == 0 else tuple([int(v) for v in values.reshape(-1)])


def assigned_values(build: Build, node: Node) -> Found:
    """An assignment's result is the value assigned; the graph's outputs hold it already."""
    return node.inputs if node.record is ASSIGN_VARIABLE else None


def folded_constants(build: Build, node: Node) -> Found:
    """What depends on constants, or on shapes that are known, is computed now."""
    record = node.record
    if record.stateful or record.__class__ is not Op or not node.outputs:
        return None
    shape_only = traits_of(record).shape_only
    arrays = []
    for i, tensor in enumerate(node.inputs):
        array = constant_of(tensor)
        if array is None:
            if i not in shape_only or not is_static(tensor):
                return None
            array = stand_in(tensor)
        arrays.append(array)
    if not _small(node) or any(v.__class__ is SymbolicTensor for v in node.attrs.values()):
        return None
    if graphs_of(node):
        return None
    results = _computed(node, arrays)
    return None if results is None else tuple([build.constant(r, node) for r in results])


def stand_in(tensor: SymbolicTensor) -> np.ndarray:
    """An array of the tensor's shape and dtype that takes no memory."""
    return np.broadcast_to(np.zeros((), tensor._np_dtype), tensor._shape)  # type: ignore[arg-type]


def _small(node: Node) -> bool:
    for tensor in node.outputs:
        if not is_static(tensor):
            return False
        count = 1
        for d in tensor._shape:  # type: ignore[union-attr]
            count *= d  # type: ignore[operator]
        if count > _MOST_FOLDED:
            return False
    return True


def _computed(node: Node, arrays: list[np.ndarray]) -> list[np.ndarray] | None:
    """The node's results; None where the kernel refuses: then the node stays, and refuses when it runs."""
    try:
        with np.errstate(all="ignore"):
            found = node.record.numpy(*arrays, **node.attrs)
    except Exception:
        return None
    results = [as_array(r) for r in ((found,) if node.record.single else found)]
    fits = [
        r.dtype == t._np_dtype and r.shape == t._shape for r, t in zip(results, node.outputs, strict=True)
    ]
    return results if all(fits) else None


def simplified(build: Build, node: Node) -> Found:
    """Nodes that give back an input's bits; the table of traits knows which."""
    simplify = traits_of(node.record).simplify
    if simplify is None or any(v.__class__ is SymbolicTensor for v in node.attrs.values()):
        return None
    found = simplify(node, build)
    return None if found is None else (found,)


def unrepeated(build: Build, node: Node) -> Found:
    """Functions that broadcast by themselves and round exactly need no input repeated, if another has the full shape."""
    if node.record.numpy not in _EXACT or not is_static(node.outputs[0]):
        return None
    if (
        node.inputs[0]._np_dtype.kind == "c"
    ):  # products of complex numbers may round otherwise for a single one
        return None
    shape = node.outputs[0]._shape
    for i in (0, 1):
        tensor, other = node.inputs[i], node.inputs[1 - i]
        repeats = traits_of(tensor.op.record).repeats
        if repeats is not None and other._shape == shape and other is not tensor:
            source = repeats(tensor.op, build, node)
            if source is not None and is_static(source):
                node.inputs = (source, node.inputs[1]) if i == 0 else (node.inputs[0], source)
    return None


_EXACT = frozenset(
    (np.add, np.subtract, np.multiply, np.true_divide, np.maximum, np.minimum, np.less, np.greater, np.equal)
)


def unread_inputs(build: Build, node: Node) -> Found:
    """Of an input whose shape alone matters nothing is kept but the shape, so what computes it may go."""
    unread = traits_of(node.record).shape_only
    if unread and not node.record.stateful:
        inputs = list(node.inputs)
        for i in unread:
            if is_static(inputs[i]) and constant_of(inputs[i]) is None:
                inputs[i] = build.shape_of(inputs[i], node)
        node.inputs = tuple(inputs)
    return None


def common_subexpressions(build: Build, node: Node) -> Found:
    """A call of the same record on the same inputs with the same attributes is made once."""
    record = node.record
    if record.__class__ is not Op or record.stateful or not node.outputs:
        return None
    try:
        attrs = tuple([(k, _key_of(v)) for k, v in node.attrs.items()]) if node.attrs else ()
        key = record.name, tuple([id(x) for x in node.inputs]), attrs
        found = build.seen.setdefault(key, node)
    except TypeError:  # an attribute has no hash
        return None
    if found is node or has_effects(node):
        return None
    return found.outputs


def _key_of(value: Any) -> Any:
    """What tells attributes apart: 1 from True and from 1.0, and 0.0 from -0.0."""
    cls = value.__class__
    if cls is SymbolicTensor:
        return "tensor", id(value)
    if cls is tuple:
        return tuple([_key_of(v) for v in value])
    if cls is float:
        return value.hex()
    return cls, value


# -- passes -----------------------------------------------------------------------------------------------------------


def dead_code(closed: FuncGraph) -> FuncGraph:
    """Drops the nodes that neither the outputs nor a node with side effects needs; inputs stay."""
    needed = {id(t.op) for t in (*closed.outputs, *closed.inputs)}
    keep = []
    for node in reversed(closed.nodes):
        if id(node) not in needed and not (node.record not in SOURCES and has_effects(node)):
            continue
        keep.append(node)
        for tensor in node.inputs:
            needed.add(id(tensor.op))
        for value in node.attrs.values():
            if value.__class__ is SymbolicTensor:
                needed.add(id(value.op))
    graph = empty_like(closed)
    mapping: Mapping = {}
    for node in reversed(keep):
        copy_node(node, graph, mapping)
    finish(graph, closed, mapping)
    return graph


PASSES: dict[str, Pass] = {
    "assigned values": rewriter(assigned_values),
    "known values": rewriter(known_values),
    "fold": rewriter(folded_constants),
    "simplify": rewriter(simplified),
    "unrepeat": rewriter(unrepeated),
    "unread": rewriter(unread_inputs),
    "common subexpressions": rewriter(common_subexpressions),
    "dead code": dead_code,
}
"""Every pass by itself."""

_TOGETHER = rewriter(
    assigned_values,
    known_values,
    folded_constants,
    simplified,
    unrepeated,
    common_subexpressions,
)
"""One walk with all rules: in program order each sees what the others made of a node's inputs."""


def optimized(closed: FuncGraph) -> FuncGraph:
    """A closed graph of the same inputs, outputs and effects, after all passes; the outputs have the same bits."""
    return dead_code(_TOGETHER(closed))

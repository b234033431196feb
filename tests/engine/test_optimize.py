"""Graph passes: what is left of small programs, and that what is left gives the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import headwater as tf
from headwater._src.base import dtypes
from headwater._src.core.graph import CONST, SOURCES, FuncGraph
from headwater._src.engine.closed import close
from headwater._src.engine.graph_copy import clone, inline
from headwater._src.engine.optimize import PASSES, optimized
from headwater._src.engine.plan import plan_of

X = np.array([[1.5, -0.0, 2.0], [-1.0, 0.0, np.nan]], np.float32)
Y = np.array([[1, 2, 3], [4, 5, 6]], np.int32)
CAPTURED = tf.constant(2.0)


def graph_of(function: Callable[..., Any], *arrays: np.ndarray, shapes: Any = None) -> FuncGraph:
    """The function traced on placeholders, closed."""
    graph = FuncGraph("program")
    with graph.as_default():
        args = [
            graph.placeholder(a.shape if shapes is None else shapes[i], dtypes.as_dtype(a.dtype))
            for i, a in enumerate(arrays)
        ]
        results = function(*args)
    return close(graph, list(results) if isinstance(results, (list, tuple)) else [results])


def names(graph: FuncGraph) -> list[str]:
    """The records of the nodes that compute something."""
    return [n.record.name for n in graph.nodes if n.record not in SOURCES]


PROGRAMS: dict[str, tuple[Callable[..., Any], np.ndarray, str]] = {
    "constants fold": (lambda x: x * (tf.constant(2.0) + 3.0), X, "Mul"),
    "small captured tensors fold": (lambda x: x * tf.exp(CAPTURED), X, "Mul"),
    "large results don't": (lambda x: x[0, 0] + tf.tile(tf.constant([1.0]), [9999]), X, "StridedSlice Tile AddV2"),
    "shapes fold": (lambda x: x / tf.cast(tf.shape(x)[0], tf.float32), X, "RealDiv"),
    "shapes as attributes fold": (lambda x: tf.reshape(x, [tf.shape(x)[1], -1]), X, "Reshape"),
    "a kernel that refuses stays": (lambda x: x + tf.cast(tf.constant(1) // 0, tf.float32), X, "FloorDiv Cast AddV2"),
    "equal calls are one": (lambda x: tf.exp(x) + tf.exp(x), X, "Exp AddV2"),
    "other attributes are others": (lambda x: tf.reduce_sum(x, 0) * tf.reduce_sum(x, 1)[0], X, "Sum Sum StridedSlice Mul"),
    "0.0 is not -0.0": (lambda x: tf.nn.leaky_relu(x, 0.0) / tf.nn.leaky_relu(x, -0.0), X, "LeakyRelu LeakyRelu RealDiv"),
    "unused nodes go": (lambda x: (tf.exp(x), tf.sin(x) + 1.0)[0], X, "Exp"),
    "identities go": (lambda x: tf.identity(tf.stop_gradient(x)), X, ""),
    "a reshape to the same shape goes": (lambda x: tf.reshape(x, [2, 3]), X, ""),
    "transpositions that cancel go": (lambda x: tf.transpose(tf.transpose(x, [1, 0]), [1, 0]), X, ""),
    "others don't": (lambda x: tf.transpose(x, [1, 0]), X, "Transpose"),
    "times 1 goes": (lambda x: (x * 2.0) * 1.0, X, "Mul"),
    "times 1 of an argument stays": (lambda x: x * 1.0, X, "Mul"),
    "plus 0.0 stays": (lambda x: (x * 2.0) + 0.0, X, "Mul AddV2"),
    "plus -0.0 goes": (lambda x: (x * 2.0) + -0.0, X, "Mul"),
    "minus 0.0 goes": (lambda x: (x * 2.0) - 0.0, X, "Mul"),
    "minus -0.0 stays": (lambda x: (x * 2.0) - -0.0, X, "Mul Sub"),
    "integers plus 0 goes": (lambda y: (y * 2) + 0, Y, "Mul"),
    "a neutral element that broadcasts stays": (lambda x: (x[0] * 2.0) * tf.ones([2, 1]), X, "StridedSlice Mul Mul"),
    "only a shape is read": (lambda x: tf.ones_like(tf.exp(x)) + x, X, "AddV2"),
    "what broadcasts is not repeated": (lambda x: tf.broadcast_to(x[0], [2, 3]) * x, X, "StridedSlice Mul"),
    "one of two is, where nothing has the full shape": (
        lambda x: tf.broadcast_to(x[0], [4, 3]) * tf.broadcast_to(x[1], [4, 3]), X,
        "StridedSlice StridedSlice BroadcastTo Mul"),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_passes_leave(program: str) -> None:
    function, array, left = PROGRAMS[program]
    graph = graph_of(function, array)
    before = [(n, n.inputs, dict(n.attrs)) for n in graph.nodes]
    result = optimized(graph)
    assert names(result) == left.split()
    assert [(n, n.inputs, n.attrs) for n in graph.nodes] == before, "the graph given is not changed"
    assert all(t.op.graph is result for n in result.nodes for t in (*n.inputs, *n.outputs))


@pytest.mark.parametrize("program", [p for p in PROGRAMS if "refuses" not in p])
@pytest.mark.parametrize("passed", PASSES)
def test_every_pass_keeps_the_bits(program: str, passed: str) -> None:
    function, array, _ = PROGRAMS[program]
    graph = graph_of(function, array)
    arrays = [array, *(t._array for t in graph.captured)]
    want = _one_by_one(graph, arrays)
    got = _one_by_one(PASSES[passed](graph), arrays)
    assert got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


def _one_by_one(graph: FuncGraph, arrays: list[np.ndarray]) -> np.ndarray:
    values = {id(t): a for t, a in zip(graph.inputs, arrays, strict=True)}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node.record is CONST:
                values[id(node.outputs[0])] = node.attrs["value"]
            elif node.record not in SOURCES:
                attrs = {
                    k: tuple(values[id(v)].tolist()) if isinstance(v, tf.Tensor) else v
                    for k, v in node.attrs.items()
                }
                results = node.record.numpy(*[values[id(x)] for x in node.inputs], **attrs)
                for tensor, result in zip(
                    node.outputs, (results,) if node.record.single else results, strict=True
                ):
                    values[id(tensor)] = np.asarray(result)
    return values[id(graph.outputs[0])]


def test_unknown_shapes_are_not_taken_for_known() -> None:
    graph = graph_of(
        lambda x: tf.ones_like(tf.exp(x)) / tf.cast(tf.size(x), tf.float32), X, shapes=[(None, 3)]
    )
    assert names(optimized(graph)) == ["Exp", "OnesLike", "Size", "Cast", "RealDiv"]


def test_a_gradient_is_not_spread_before_it_is_multiplied() -> None:
    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_mean(tf.square(x), axis=1)
        return tape.gradient(y, x)

    left = names(optimized(graph_of(gradient, X)))
    assert "SpreadReduced" not in left and "OnesLike" not in left and left.count("Square") == 0


def test_effects_stay_in_their_order_and_number() -> None:
    seen: list[float] = []

    def note(x: Any) -> Any:
        seen.append(float(x))
        return x

    def program(x: Any) -> Any:
        tf.py_function(note, [x], tf.float32)
        y = tf.py_function(note, [x + 1.0], tf.float32)
        tf.py_function(note, [x], tf.float32)
        return y

    graph = graph_of(program, np.float32(1.0))
    plan_of(graph)([np.array(1.0, np.float32)])
    assert seen == [1.0, 2.0, 1.0]


def test_a_variable_read_and_assigned() -> None:
    v = tf.Variable([1.0, 2.0])

    def program(x: Any) -> Any:
        v.assign_add(x)
        return v * 2.0

    graph = graph_of(program, np.ones(2, np.float32))
    result = optimized(graph)
    assert names(result) == ["AddV2", "Mul"]
    assert len(result.outputs) == 2 and result.written_handles == graph.written_handles
    got = plan_of(graph)([np.ones(2, np.float32), np.array([1.0, 2.0], np.float32)])
    assert [g.tolist() for g in got] == [[4.0, 6.0], [2.0, 3.0]]


def test_clone_gives_a_graph_of_its_own() -> None:
    graph = graph_of(lambda x: tf.reshape(tf.exp(x), [tf.shape(x)[0], -1]), X, shapes=[(None, 3)])
    copy, mapping = clone(graph)
    assert [n.name for n in copy.nodes] == [n.name for n in graph.nodes]
    assert [n.line for n in copy.nodes] == [n.line for n in graph.nodes]
    assert not {id(n) for n in copy.nodes} & {id(n) for n in graph.nodes}
    hosts = [v for n in copy.nodes for v in n.attrs.values() if isinstance(v, tf.Tensor)]
    assert hosts and all(v.graph is copy for v in hosts)
    assert copy.inputs == [] or copy.inputs[0] is mapping[id(graph.inputs[0])]
    exp = next(n for n in graph.nodes if n.type == "Exp").outputs[0]
    other, _ = clone(graph, [exp])
    assert plan_of(other)([X])[0].tobytes() == np.exp(X).tobytes() and other.result_count == 1


def test_inline_puts_the_nodes_into_the_graph_being_built() -> None:
    inner = graph_of(lambda x: tf.reshape(tf.exp(x), [tf.shape(x)[0] * 3]), X, shapes=[(None, 3)])
    assert inner.outputs[0].shape.as_list() == [None]
    outer = FuncGraph("outer")
    with outer.as_default():
        x = outer.placeholder([2, 3], tf.float32)
        (first,) = inline(inner, [x], outer)
        (second,) = inline(inner, [tf.constant(X)], outer)
    assert first.shape == [6], "what was open is known where it is put in"
    close(outer, [first, second])
    assert len({n.name for n in outer.nodes}) == len(outer.nodes)
    got = plan_of(outer)([X, *(t._array for t in outer.captured)])
    assert all(g.tobytes() == np.exp(X).tobytes() for g in got)


def test_inlined_calls_have_gradients() -> None:
    inner = graph_of(lambda x: tf.square(x), X)

    def program(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            (y,) = inline(inner, [x], x.graph)
        return tape.gradient(y, x)

    graph = graph_of(program, X)
    assert plan_of(graph)([X])[0].tobytes() == (X * 2).tobytes()

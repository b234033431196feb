"""Graphs as text, as data and as pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import headwater as tf


def _graph() -> object:
    v = tf.Variable([1.0, 2.0], name="v")

    @tf.function
    def f(x):
        with tf.name_scope("layer"):
            y = x**3 + v
        if tf.reduce_sum(y) > 0.0:
            y = y * 2.0
        return y

    return f.get_concrete_function(tf.TensorSpec([2])).graph


def test_text_has_a_line_for_each_node_and_shows_nested_graphs() -> None:
    graph = _graph()
    text = graph.draw().text
    for node in graph.get_operations():
        assert f"│  {node.name} " in text
    assert "x: float32 (2,)" in text and "├ layer/" in text and "=> result 0" in text
    assert text.count("└") >= 3, "both branches of the conditional are shown inside it"


def test_svg_is_well_formed_and_names_nodes_and_scopes(tmp_path: Path) -> None:
    graph = _graph()
    path = tmp_path / "graph.svg"
    graph.draw().save(str(path))
    root = ElementTree.parse(path).getroot()
    texts = {"".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("text")}
    assert {"x", "pow", "layer", "Placeholder", "float32 (2,)"} <= texts
    assert graph._repr_svg_().startswith("<?xml")


def test_graph_def() -> None:
    graph = _graph()
    nodes = {n.name: n for n in graph.as_graph_def().node}
    assert nodes["layer/pow"].op == "Pow" and nodes["layer/pow"].input == ("x", "layer/pow/y")
    assert graph.get_operation_by_name("x").node_def == nodes["x"]
    text = str(graph.as_graph_def())
    assert 'name: "layer/pow"' in text and "dtype: DT_FLOAT32" in text and "val: 3.0" in text

"""Pictures of graphs: text for terminals, SVG for notebooks and files.

The layers of the SVG are laid out by grandalf (Sugiyama's method) and drawn by drawsvg, both pure Python: `pip install
headwater[draw]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.shapes import wrap

_MAX_ITEMS = 6
"""Constants with more elements are shown by their shape alone."""


def _type_of(tensor: Any) -> str:
    dtype = dtypes.OF_NUMPY.get(tensor._np_dtype)
    return f"{dtype.name if dtype is not None else 'variant'} {wrap(tensor._shape)}"


def _value_text(value: Any) -> str:
    array = np.asarray(value)
    if array.size > _MAX_ITEMS:
        return f"<{array.size} values>"
    return np.array2string(array, separator=", ").replace("\n", " ")


def _source(tensor: Any) -> str:
    node = tensor.op
    return node.name if len(node.outputs) == 1 else f"{node.name}:{tensor.value_index}"


def _nested(node: Any) -> Iterator[tuple[str, Any]]:
    """The graphs in a node's attributes, with what they are."""
    for key, value in node.attrs.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for i, one in enumerate(values):
            graph = getattr(one, "closed", one)
            if hasattr(graph, "nodes") and hasattr(graph, "get_operations"):
                yield (key if len(values) == 1 else f"{key}[{i}]"), graph


def _what(node: Any) -> str:
    """One node in words: `AddV2(x, y)`, `Const 3.0`, `Placeholder`."""
    if node.type == "Const":
        return f"Const {_value_text(node.attrs['value'])}"
    if node.type in ("ReadVariableOp", "AssignVariableOp"):
        inputs = "".join(f" <- {_source(x)}" for x in node.inputs)
        return f"{node.type} {node.attrs['handle'].name}{inputs}"
    if not node.inputs:
        return str(node.type)
    return f"{node.type}({', '.join(_source(x) for x in node.inputs)})"


# -- text -------------------------------------------------------------------------------------------------------------


def text(graph: Any, indent: str = "") -> str:
    """The nodes in program order, a line each, grouped by name scope, with nested graphs inside their nodes."""
    results = {id(t): i for i, t in enumerate(getattr(graph, "outputs", ()))}
    lines = [f"{indent}{graph.name}({', '.join(f'{t.op.name}: {_type_of(t)}' for t in graph.args)})"]
    width = min(max((len(n.name) for n in graph.nodes), default=0), 40)
    shown = max((len(_what(n)) for n in graph.nodes), default=0)
    scope = ""
    for node in graph.nodes:
        here = node.name.rpartition("/")[0]
        if here != scope and node.type != "Const":
            scope = here
            if scope:
                lines.append(f"{indent}├ {scope}/")
        types = ", ".join(_type_of(t) for t in node.outputs)
        marks = "".join(f"  => result {results[id(t)]}" for t in node.outputs if id(t) in results)
        lines.append(
            f"{indent}│  {node.name:<{width}}  {_what(node):<{min(shown, 50)}}  {types}{marks}".rstrip()
        )
        for key, inner in _nested(node):
            lines.append(f"{indent}│    {key}:")
            lines.append(text(inner, indent + "│      "))
    lines.append(f"{indent}└ {len(graph.nodes)} nodes")
    return "\n".join(lines)


# -- SVG --------------------------------------------------------------------------------------------------------------

_LINE, _LETTER, _PAD = 14, 6.4, 10
_FILLS = {"Placeholder": "#d8e8ff", "Const": "#eeeeee", "Capture": "#e4dcff", "ReadVariableOp": "#ffe7c2",
          "AssignVariableOp": "#ffd6a0"}  # fmt: skip
_SCOPES = ("#f3f8f0", "#f8f3f0", "#f0f5f8", "#f7f0f8", "#f8f7ee")


class _Box:
    """A node's rectangle: its lines of text, its size; grandalf sets `xy`, the middle."""

    def __init__(self, node: Any, results: list[int]) -> None:
        first = node.name.rpartition("/")[2]
        kind = _value_text(node.attrs["value"]) if node.type == "Const" else node.type
        self.node = node
        self.lines = [first] if kind == first else [first, kind]
        self.lines += [_type_of(t) for t in node.outputs[:1]]
        self.result = bool(results)
        self.w = max(len(line) for line in self.lines) * _LETTER + 2 * _PAD
        self.h = len(self.lines) * _LINE + _PAD
        self.xy = (0.0, 0.0)
        self.scope = node.name.rpartition("/")[0]


def svg(graph: Any) -> str:
    """The graph as the text of an SVG file: boxes in layers from arguments to results, arrows for tensors, a tint for each scope.

    Raises:
      ImportError: grandalf and drawsvg are not installed.
    """
    try:
        import drawsvg
        from grandalf.graphs import Edge, Graph, Vertex
        from grandalf.layouts import SugiyamaLayout
    except ImportError as error:
        raise ImportError(
            "Drawing a graph as SVG takes grandalf and drawsvg: pip install 'headwater[draw]'. `graph.draw().text` needs neither."
        ) from error
    results = [id(t) for t in getattr(graph, "outputs", ())]
    boxes = {id(n): _Box(n, [id(t) for t in n.outputs if id(t) in results]) for n in graph.nodes}
    vertices = {}
    for key, box in boxes.items():
        vertices[key] = Vertex(box)
        vertices[key].view = box
    pairs = sorted(
        {(list(boxes).index(id(x.op)), list(boxes).index(id(n))) for n in graph.nodes for x in n.inputs}
    )
    order = list(vertices.values())
    edges = [Edge(order[a], order[b]) for a, b in pairs]
    left, height = 0.0, 0.0
    for part in Graph(order, edges).C:
        layout = SugiyamaLayout(part)
        layout.init_all()
        layout.draw()
        members = [v.view for v in part.sV]
        start = min(b.xy[0] - b.w / 2 for b in members)
        top = min(b.xy[1] - b.h / 2 for b in members)
        for box in members:
            box.xy = (box.xy[0] - start + left + _PAD, box.xy[1] - top + 3 * _PAD)
        left = max(b.xy[0] + b.w / 2 for b in members) + 2 * _PAD
        height = max(height, *(b.xy[1] + b.h / 2 for b in members))
    return _drawn(
        drawsvg,
        list(boxes.values()),
        [(boxes[id(x.op)], boxes[id(n)]) for n in graph.nodes for x in n.inputs],
        left,
        height,
        graph.name,
    )


def _drawn(
    drawsvg: Any, boxes: list[_Box], arrows: list[tuple[_Box, _Box]], width: float, height: float, name: str
) -> str:
    picture = drawsvg.Drawing(max(width, 120), height + 2 * _PAD, font_family="sans-serif")
    picture.append(drawsvg.Text(name, 12, _PAD, 14, fill="#444444", font_weight="bold"))
    _draw_scopes(drawsvg, picture, boxes)
    head = drawsvg.Marker(-8, -4, 1, 4, orient="auto", scale=1)
    head.append(drawsvg.Lines(-8, -4, -8, 4, 0, 0, fill="#888888", close=True))
    for start, end in arrows:
        (x0, y0), (x1, y1) = start.xy, end.xy
        y0, y1 = y0 + start.h / 2, y1 - end.h / 2
        bend = (y1 - y0) / 2
        path = drawsvg.Path(stroke="#888888", fill="none", marker_end=head)
        picture.append(path.M(x0, y0).C(x0, y0 + bend, x1, y1 - bend, x1, y1))
    for box in boxes:
        _draw_box(drawsvg, picture, box)
    return str(picture.as_svg())


def _draw_scopes(drawsvg: Any, picture: Any, boxes: list[_Box]) -> None:
    scopes = sorted({b.scope for b in boxes if b.scope and b.node.type != "Const"})
    for i, scope in enumerate(scopes):
        inside = [b for b in boxes if b.scope == scope or b.scope.startswith(scope + "/")]
        x0, x1 = min(b.xy[0] - b.w / 2 for b in inside) - 6, max(b.xy[0] + b.w / 2 for b in inside) + 6
        y0, y1 = min(b.xy[1] - b.h / 2 for b in inside) - 14, max(b.xy[1] + b.h / 2 for b in inside) + 6
        tint = _SCOPES[i % len(_SCOPES)]
        picture.append(
            drawsvg.Rectangle(
                x0, y0, x1 - x0, y1 - y0, rx=8, fill=tint, stroke="#cccccc", stroke_dasharray="4 3"
            )
        )
        picture.append(drawsvg.Text(scope, 10, x0 + 4, y0 + 10, fill="#777777"))


def _draw_box(drawsvg: Any, picture: Any, box: _Box) -> None:
    x, y = box.xy[0] - box.w / 2, box.xy[1] - box.h / 2
    fill = _FILLS.get(box.node.type, "#ffffff")
    picture.append(
        drawsvg.Rectangle(x, y, box.w, box.h, rx=6, fill=fill, stroke="#2a6f4f" if box.result else "#666666",
                          stroke_width=2 if box.result else 1)
    )  # fmt: skip
    for i, line in enumerate(box.lines):
        weight = "bold" if not i else "normal"
        picture.append(
            drawsvg.Text(
                line,
                11,
                box.xy[0],
                y + _PAD / 2 + (i + 0.75) * _LINE,
                text_anchor="middle",
                font_weight=weight,
            )
        )


class Picture:
    """A drawn graph: `text`, `svg`, shown as such in terminals and notebooks; `save(path)` writes one of them."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    @property
    def text(self) -> str:
        """A line for each node."""
        return text(self._graph)

    @property
    def svg(self) -> str:
        """The text of an SVG file."""
        return svg(self._graph)

    def save(self, path: str) -> None:
        """Writes the SVG to a file, or the text where the name does not end in ".svg"."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg if str(path).endswith(".svg") else self.text + "\n")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.text

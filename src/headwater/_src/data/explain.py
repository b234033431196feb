"""`Dataset.explain()`: the expression of a data set, and how each part of it runs."""

from __future__ import annotations

from headwater._src.data.columns import on_columns
from headwater._src.data.functions import Pass, UserFunction
from headwater._src.data.nodes import Batch, Node
from headwater._src.data.parsed_ahead import parsed_ahead
from headwater._src.data.transforms import Map, Prefetch


def explained(node: Node) -> str:
    """Two trees, each from the last transformation down to the sources."""
    lines = ["as written:"]
    _tree(node, 1, lines, lambda n: n.detail())
    lines.append("as it runs:")
    _tree(node, 1, lines, _how)
    return "\n".join(lines)


def _tree(node: Node, depth: int, lines: list[str], note: object) -> None:
    title = node.name.strip("_").removesuffix("Dataset")
    text = note(node)  # type: ignore[operator]
    lines.append("  " * depth + title + (f": {text}" if text else ""))
    for source in node.inputs:
        _tree(source, depth + 1, lines, note)


def _how(node: Node) -> str:
    if node.template:
        return "known when its graph runs"
    if isinstance(node, Prefetch):
        return "a thread computes ahead" if node.threads() else "nothing to wait for, so no thread"
    if isinstance(node, Map) and node.threads():
        return "several calls at a time, in threads"
    if isinstance(node, Map) and parsed_ahead(node, Pass(probing=True)) is not None:
        return "the records of many batches are parsed at once"
    rows, columns = _offers(node)
    function = getattr(node, "function", None)
    if isinstance(node, Batch):
        below, many = _offers(node.input)
        return (
            "one gather for each batch"
            if below
            else "cut out of columns"
            if many
            else "elements stacked one by one"
        )
    if rows:
        return "row numbers only" if node.inputs else "rows in memory"
    if columns:
        return "columns, many elements at once"
    if isinstance(function, UserFunction):
        reason = "the source gives one element at a time" if on_columns(function) else _why(function)
        return f"one element at a time: {reason}"
    return "one element at a time"


def _offers(node: Node) -> tuple[bool, bool]:
    """Whether the node gives row numbers, and whether it gives columns."""
    try:
        probe = Pass(probing=True)
        return node.rows(probe) is not None, node.columns(probe) is not None
    except (TypeError, ValueError, AttributeError):
        return False, False


def _why(function: UserFunction) -> str:
    if function.stateful:
        return "its function has effects, variables or random numbers"
    if function.captured:
        return "its function uses tensors from outside"
    return "its function is not arithmetic that gives the same bits on many elements at once"

"""The syntax tree of a running function: from files, notebook cells, `linecache` and the interactive prompt."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
import threading
from collections import OrderedDict
from types import CodeType
from typing import Any, NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_MAX_FILES = 4


class SourceError(Exception):
    """The source of a function can't be had; the text says why and what helps."""


class Found(NamedTuple):
    """A function in its file: the node (shared, to be copied before it is changed) and the class whose body it stands in."""

    node: FunctionNode
    class_name: str | None


class _File(NamedTuple):
    text: str
    functions: dict[tuple[str, int], list[Found]]


_files: OrderedDict[str, _File] = OrderedDict()
_files_lock = threading.Lock()


def find(code: CodeType, module_globals: dict[str, Any] | None = None) -> Found:
    """The node that `code` was compiled from.

    Raises:
      SourceError: there is no source, or it no longer is what was compiled.
    """
    lines = _lines(code, module_globals)
    if not lines:
        raise SourceError(_why_missing(code))
    try:
        functions = _parsed(code.co_filename, "".join(lines)).functions
    except (SyntaxError, ValueError):
        functions = _parsed_block(code, lines)
    found = [
        f for f in functions.get((code.co_name, code.co_firstlineno), ()) if _same_arguments(f.node, code)
    ]
    if len(found) > 1:
        found = [f for f in found if _covers(f.node, code)] or found
        found = [min(found, key=lambda f: _extent(f.node))]
    if not found:
        raise SourceError(
            f"no function {code.co_name!r} with the arguments ({', '.join(_arguments(code))}) stands at line "
            f"{code.co_firstlineno} of {code.co_filename!r} now; the file changed after it was imported: import it again"
        )
    return found[0]


def _lines(code: CodeType, module_globals: dict[str, Any] | None) -> list[str]:
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, module_globals)
    if not lines and hasattr(linecache, "_getlines_from_code"):  # the prompt of newer Pythons
        lines = linecache._getlines_from_code(code)
    if not lines:
        try:
            lines = inspect.findsource(code)[0]
        except (OSError, TypeError, IndexError):
            return []
    return lines


def _why_missing(code: CodeType) -> str:
    name = code.co_filename
    if name == "<stdin>":
        return (
            "it was typed at an interactive prompt that keeps no source; Python 3.13 or newer and IPython do, or put it in a "
            "file"
        )
    if name.startswith("<"):
        return (
            f"it was compiled from a string as {name!r}, whose source Python does not keep; register it, "
            "linecache.cache[filename] = (len(text), None, text.splitlines(True), filename), or put it in a file"
        )
    return f"the file {name!r} can't be read"


# -- reading a file -----------------------------------------------------------------------------------------------------


def _parsed(filename: str, text: str) -> _File:
    with _files_lock:
        known = _files.get(filename)
        if known is not None and known.text == text:
            _files.move_to_end(filename)
            return known
    collector = _Collector()
    collector.visit(ast.parse(text, filename))
    known = _File(text, collector.functions)
    with _files_lock:
        _files[filename] = known
        while len(_files) > _MAX_FILES:
            _files.popitem(last=False)
    return known


def _parsed_block(code: CodeType, lines: list[str]) -> dict[tuple[str, int], list[Found]]:
    """The function alone, where the text around it does not parse."""
    start = code.co_firstlineno - 1
    try:
        block = inspect.getblock(lines[start:])
        margin = len(block[0]) - len(block[0].lstrip())
        tree = ast.parse(textwrap.dedent("".join(block)), code.co_filename)
    except (SyntaxError, ValueError, IndexError, EOFError) as error:
        raise SourceError(f"its source at {code.co_filename}:{start + 1} does not parse: {error}") from None
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno += start  # type: ignore[attr-defined]
            node.end_lineno += start  # type: ignore[attr-defined]
            node.col_offset += margin  # type: ignore[attr-defined]
            node.end_col_offset += margin  # type: ignore[attr-defined]
    collector = _Collector()
    collector.visit(tree)
    return collector.functions


class _Collector(ast.NodeVisitor):
    """All functions of a tree by name and first line."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, int], list[Found]] = {}
        self._class: str | None = None

    def _note(self, node: FunctionNode, name: str, line: int) -> None:
        self.functions.setdefault((name, line), []).append(Found(node, self._class))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        self._note(node, node.name, line)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._note(node, "<lambda>", node.lineno)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outer, self._class = self._class, node.name
        self.generic_visit(node)
        self._class = outer


# -- which of several functions on one line ------------------------------------------------------------------------------


def _arguments(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    return code.co_varnames[: count + bool(code.co_flags & 4) + bool(code.co_flags & 8)]


def _same_arguments(node: FunctionNode, code: CodeType) -> bool:
    args = node.args
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    names += [a.arg for a in (args.vararg, args.kwarg) if a is not None]
    compiled = _arguments(code)
    # Names with two leading underscores are mangled inside classes.
    return len(names) == len(compiled) and all(
        c == n or c.endswith(n) for c, n in zip(compiled, names, strict=True)
    )


def _covers(node: FunctionNode, code: CodeType) -> bool:
    """Whether the body of `node` holds the positions of all instructions; only lambdas share their lines."""
    body = node.body if isinstance(node, ast.Lambda) else node
    low = (body.lineno, body.col_offset)
    high = (body.end_lineno, body.end_col_offset)
    for line, end_line, column, end_column in code.co_positions():
        if line is None or column is None or end_line is None or end_column is None:
            continue
        if (line, column) == (end_line, end_column):  # before the body
            continue
        if (line, column) < low or (end_line, end_column) > high:  # type: ignore[operator]
            return False
    return True


def _extent(node: FunctionNode) -> tuple[int, int]:
    body = node.body if isinstance(node, ast.Lambda) else node
    lines = (body.end_lineno or 0) - body.lineno
    return lines, (body.end_col_offset or 0) - body.col_offset

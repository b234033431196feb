"""Small makers of syntax nodes. Positions are filled in from the statement that they go into."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

RUNTIME = "ag__"
"""The name by which rewritten code knows the runtime: a free variable, so the user's globals stay as they are."""


def load(name: str) -> ast.Name:
    """`name`, read."""
    return ast.Name(name, ast.Load())


def runtime_call(operator: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    """`ag__.operator(*args)`."""
    function = ast.Attribute(load(RUNTIME), operator, ast.Load())
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def deferred(expression: ast.expr) -> ast.Lambda:
    """`lambda: expression`, which is called where it stands."""
    made = ast.copy_location(ast.Lambda(arguments(), expression), expression)
    made.at_once = True  # type: ignore[attr-defined]
    return made


def arguments(*names: str) -> ast.arguments:
    """The parameter list `(a, b)`."""
    return ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])


def assign(name: str, value: ast.expr) -> ast.Assign:
    """`name = value`."""
    return ast.Assign([ast.Name(name, ast.Store())], value)


def function(name: str, parameters: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    """`def name(parameters): body`."""
    made = ast.FunctionDef(name, arguments(*parameters), body or [ast.Pass()], [], None, None)
    made.type_params = []  # type: ignore[attr-defined]
    return made


def names_tuple(names: Iterable[str]) -> ast.Tuple:
    """`(a, b, c)`."""
    return ast.Tuple([load(n) for n in names], ast.Load())


def located(nodes: Any, at: ast.AST) -> Any:
    """Gives the nodes that have no position that of `at`, and all below them theirs; returns the nodes."""
    for node in nodes if isinstance(nodes, list) else [nodes]:
        if not hasattr(node, "lineno"):
            ast.copy_location(node, at)
        ast.fix_missing_locations(node)
    return nodes


class Namer:
    """Names that a function does not use yet."""

    def __init__(self, root: ast.AST) -> None:
        self.taken = {n.id for n in ast.walk(root) if isinstance(n, ast.Name)}
        self.taken |= {n.arg for n in ast.walk(root) if isinstance(n, ast.arg)}
        for attribute in ("name", "asname", "rest"):  # of definitions, imports, handlers and patterns
            self.taken |= {getattr(n, attribute, None) or "" for n in ast.walk(root)}
        self.made: set[str] = set()

    def new(self, stem: str) -> str:
        """`stem`, or `stem_1`, `stem_2` where it is taken."""
        name, count = stem, 0
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        self.made.add(name)
        return name


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def own_nodes(node: ast.AST) -> Iterable[ast.AST]:
    """`node` and all below it, not entering functions and classes."""
    yield node
    if not isinstance(node, _SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from own_nodes(child)


def stays_python(node: ast.AST) -> bool:
    """Whether a function is left as it is: generators, coroutines, and what is marked `do_not_convert`."""
    if isinstance(node, ast.AsyncFunctionDef):
        return True
    if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
        return False
    for decorator in getattr(node, "decorator_list", ()):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(called, "attr", getattr(called, "id", "")) == "do_not_convert":
            return True
    body = node.body if isinstance(node.body, list) else [node.body]
    found = (n for statement in body for n in own_nodes(statement))
    return any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in found)

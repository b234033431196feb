"""Pass 1: expressions. Calls ask the runtime for the converted callee; what Python decides by truth goes to the runtime."""

from __future__ import annotations

import ast
from typing import Any

from headwater._src.trace.autograph.build import (
    arguments,
    deferred,
    load,
    located,
    names_tuple,
    own_nodes,
    runtime_call,
    stays_python,
)

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip

_CHEAP = (
    ast.Name, ast.Constant, ast.Attribute, ast.Compare, ast.UnaryOp, ast.BinOp, ast.Load, ast.cmpop, ast.unaryop,
    ast.Add, ast.Sub, ast.Mult, ast.BitAnd, ast.BitOr,
)  # fmt: skip
"""Expressions of these nodes alone cost little, have no effects and can't fail, so both sides of an `and` may be computed."""


def is_static(test: ast.expr) -> bool:
    """Whether a test is a Python bool whatever its names hold: `is` and `is not`, constants, and `not` of those."""
    if isinstance(test, ast.Compare):
        return all(isinstance(op, (ast.Is, ast.IsNot)) for op in test.ops)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return is_static(test.operand)
    if isinstance(test, ast.BoolOp):
        return all(map(is_static, test.values))
    return isinstance(test, ast.Constant)


def is_cheap(expression: ast.expr) -> bool:
    """Whether the expression may be computed though Python would have skipped it."""
    return all(isinstance(n, _CHEAP) or _is_logical(n) for n in ast.walk(expression) if not _of_runtime(n))


def _of_runtime(node: ast.AST) -> bool:
    return isinstance(node, (ast.Lambda, ast.arguments))


def _is_logical(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node, "cheap", False)


def binds(expression: ast.AST) -> bool:
    """Whether `:=`, `await` or `yield` stands in the expression: it must then be evaluated where it stands."""
    kinds = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    return any(isinstance(n, kinds) for n in own_nodes(expression))


class Expressions(ast.NodeTransformer):
    """Rewrites the expressions of one function and of the functions defined in it.

    Args:
      names: all names of the function, for `locals()`; of inner functions they are found on the way.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._first_argument: str | None = None

    # -- scopes -------------------------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """Rewrites the body of `node` in place."""
        outer = self._first_argument, self._names
        positional = [*node.args.posonlyargs, *node.args.args]
        self._first_argument = positional[0].arg if positional else None
        inner = {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
        inner |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        self._names = sorted(inner)
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [s for statement in node.body for s in _as_list(self.visit(statement))]
        self._first_argument, self._names = outer

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if not stays_python(node):
            self.function(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        if not stays_python(node):
            self.function(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node  # its methods are converted when they are called

    # -- statements ---------------------------------------------------------------------------------------------------

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A name with an annotation can't be `nonlocal`, and Python doesn't evaluate it here anyway."""
        if isinstance(node.target, ast.Name):
            if node.value is None:
                never = ast.Assign([node.target], ast.Constant(None))
                return located(ast.If(ast.Constant(0), [never], []), node)
            return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if is_loop_option(node):
            return node
        return self.generic_visit(node)

    # -- expressions --------------------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> ast.AST:
        special = self._frame_call(node)
        if special is not None:
            return ast.copy_location(ast.fix_missing_locations(special), node)
        self.generic_visit(node)
        node.func = located(runtime_call("callee", node.func), node.func)
        return node

    def _frame_call(self, node: ast.Call) -> ast.expr | None:
        """Calls that look at the frame they are made from, which may be a function that was made out of a block."""
        if not isinstance(node.func, ast.Name) or node.keywords:
            return None
        name, count = node.func.id, len(node.args)
        if name == "super" and count == 0 and self._first_argument is not None:
            return ast.Call(node.func, [load("__class__"), load(self._first_argument)], [])
        if name in ("locals", "vars", "dir") and count == 0:
            return runtime_call(f"{name}_", node.func, self._all_names())
        if name in ("eval", "exec") and count == 1:
            return runtime_call("evaluate", node.func, self.visit(node.args[0]), self._all_names())
        return None

    def _all_names(self) -> ast.expr:
        return ast.Lambda(arguments(), names_tuple(self._names))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        static = is_static(node)
        self.generic_visit(node)
        if static or any(map(binds, node.values[1:])):
            return node
        cheap = all(map(is_cheap, node.values[1:]))
        operator = ("and_" if isinstance(node.op, ast.And) else "or_") + ("both" if cheap else "")
        made = runtime_call(operator, node.values[0], *map(deferred, node.values[1:]))
        made.cheap = cheap and is_cheap(node.values[0])  # type: ignore[attr-defined]
        return located(made, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        static = is_static(node)
        self.generic_visit(node)
        if static or not isinstance(node.op, ast.Not):
            return node
        made = runtime_call("not_", node.operand)
        made.cheap = is_cheap(node.operand)  # type: ignore[attr-defined]
        return located(made, node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        static = is_static(node)
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found = runtime_call("contains", node.left, node.comparators[0])
            return located(found if isinstance(node.ops[0], ast.In) else runtime_call("not_", found), node)
        if static or len(node.ops) == 1 or any(map(binds, node.comparators)):
            return node
        operators = ast.Constant(tuple(_OPERATORS[type(op)] for op in node.ops))  # type: ignore[arg-type]
        made = runtime_call("chain", operators, node.left, *map(deferred, node.comparators))
        made.cheap = is_cheap(node.left) and all(map(is_cheap, node.comparators))  # type: ignore[attr-defined]
        return located(made, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        static = is_static(node.test)
        self.generic_visit(node)
        if static or binds(node.body) or binds(node.orelse):
            return node
        return located(runtime_call("if_exp", node.test, deferred(node.body), deferred(node.orelse)), node)


def is_loop_option(node: ast.stmt) -> bool:
    """Whether the statement is a call of `set_loop_options`, which is read and not run."""
    call = node.value if isinstance(node, ast.Expr) else None
    called = call.func if isinstance(call, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) == "set_loop_options"


def _as_list(node: Any) -> list[ast.stmt]:
    if node is None:
        return []
    return node if isinstance(node, list) else [node]

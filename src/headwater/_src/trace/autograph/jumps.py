"""Pass 2: `break`, `continue` and `return` become flags, and what they skip becomes guarded.

    while t:                        did_break = False
        if a:                       while not did_break and t:
            break          ->           if a:
        b                                   did_break = True
                                        else:
                                            b

Where one branch of an `if` always leaves, the rest of the block moves into the other branch, so that both branches define
what they return and no flag is tested. Only then are guards written, `if ag__.none_of(did_break): rest`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from headwater._src.trace.autograph.build import (
    Namer,
    assign,
    load,
    located,
    own_nodes,
    runtime_call,
    stays_python,
)

Block = list[ast.stmt]
_JUMPS = (ast.Return, ast.Break, ast.Continue)


class CannotConvert(Exception):
    """The function can't be rewritten; the text says why."""


class _Loop:
    """The flags of the loop that is being lowered."""

    def __init__(self) -> None:
        self.break_flag: str | None = None
        self.continue_flag: str | None = None


def lower(node: ast.FunctionDef, namer: Namer) -> None:
    """Rewrites the body of `node`, and of the functions defined in it, in place."""
    for inner in (n for s in node.body for n in own_nodes(s)):
        if isinstance(inner, ast.FunctionDef) and not stays_python(inner):
            lower(inner, namer)
    _Lowering(namer).function(node)


class _Lowering:
    def __init__(self, namer: Namer) -> None:
        self._namer = namer
        self._return_flag: str | None = None
        self._value: str | None = None
        self._tested: set[str] = set()

    def function(self, node: ast.FunctionDef) -> None:
        returns = [n for s in node.body for n in own_nodes(s) if isinstance(n, ast.Return)]
        early = [r for r in returns if r is not node.body[-1]]
        if early:
            self._value = self._namer.new("ag__result")
        body, _ = self.block(node.body, None, tail=bool(early))
        if early:
            assert self._value is not None
            if self._return_flag in self._tested and self._return_flag is not None:
                start = located(assign(self._return_flag, ast.Constant(False)), node.body[0])
                body.insert(_after_docstring(node.body), start)
            else:
                body = _without_flag(body, self._return_flag)
            body.append(located(ast.Return(load(self._value)), node.body[-1]))
            node.return_value = self._value  # type: ignore[attr-defined]
        node.body = body

    # -- blocks -------------------------------------------------------------------------------------------------------

    def block(
        self, statements: Sequence[ast.stmt], loop: _Loop | None, tail: bool = False
    ) -> tuple[Block, set[str]]:
        """The lowered statements and the flags that they may set. `tail`: the function ends after them."""
        out: Block = []
        rest = list(statements)
        while rest:
            statement = rest.pop(0)
            if not _has_jump(statement):
                out.append(statement)
                continue
            if isinstance(statement, ast.If):
                rest = _rest_into_branch(statement, rest)
            leaves = _leaves([statement])
            at_end = tail and (
                isinstance(statement, ast.Return) or (isinstance(statement, ast.If) and not rest)
            )
            made, flags = self.statement(statement, loop, at_end)
            out += made
            if leaves or at_end:
                return out, flags
            if flags:
                guarded, more = self.guarded(rest, flags, statement, loop, tail)
                return out + guarded, flags | more
        if tail and not (out and isinstance(out[-1], ast.Raise)):
            out.append(self._set_value(ast.Constant(None), out[-1] if out else None))
        return out, set()

    def guarded(
        self, rest: Block, flags: set[str], after: ast.stmt, loop: _Loop | None, tail: bool
    ) -> tuple[Block, set[str]]:
        """`rest`, run only where none of the flags is set."""
        if not rest and not tail:
            return [], set()
        body, more = self.block(rest, loop, tail)
        self._tested |= flags
        return [located(ast.If(_none_of(flags), body, []), rest[0] if rest else after)], more

    # -- statements ---------------------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt, loop: _Loop | None, tail: bool) -> tuple[Block, set[str]]:
        """The lowered statement and the flags that it may set."""
        if isinstance(node, ast.Return):
            return self._return(node, tail)
        if isinstance(node, (ast.Break, ast.Continue)):
            return self._leave_loop(node, loop)
        if isinstance(node, ast.If):
            node.body, flags = self.block(node.body, loop, tail)
            node.orelse, more = self.block(node.orelse, loop, tail)
            return [node], flags | more
        if isinstance(node, (ast.For, ast.While)):
            return self._loop(node, loop)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            node.body, flags = self.block(node.body, loop)
            return [node], flags
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self._try(node, loop)
        if isinstance(node, ast.Match):
            flags = set()
            for case in node.cases:
                case.body, more = self.block(case.body, loop)
                flags |= more
            return [node], flags
        raise CannotConvert(f"a jump inside {type(node).__name__} at line {node.lineno} is not supported")

    def _set_value(self, value: ast.expr, at: ast.AST | None) -> ast.stmt:
        assert self._value is not None
        made = assign(self._value, value)
        return located(made, at) if at is not None else made

    def _return(self, node: ast.Return, tail: bool) -> tuple[Block, set[str]]:
        if self._value is None:
            return [node], set()  # the only one, at the end
        value = self._set_value(node.value or ast.Constant(None), node)
        if tail:
            return [value], set()
        if self._return_flag is None:
            self._return_flag = self._namer.new("ag__returned")
        return [value, located(assign(self._return_flag, ast.Constant(True)), node)], {self._return_flag}

    def _leave_loop(self, node: ast.stmt, loop: _Loop | None) -> tuple[Block, set[str]]:
        if loop is None:
            raise CannotConvert(f"a jump at line {node.lineno} has no loop to leave")
        if isinstance(node, ast.Break):
            loop.break_flag = loop.break_flag or self._namer.new("did_break")
            flag = loop.break_flag
        else:
            loop.continue_flag = loop.continue_flag or self._namer.new("did_continue")
            flag = loop.continue_flag
        return [located(assign(flag, ast.Constant(True)), node)], {flag}

    def _loop(self, node: ast.For | ast.While, outer: _Loop | None) -> tuple[Block, set[str]]:
        loop = _Loop()
        node.body, flags = self.block(node.body, loop)
        if loop.continue_flag is not None:
            flags.discard(loop.continue_flag)
            if loop.continue_flag in self._tested:
                node.body.insert(0, located(assign(loop.continue_flag, ast.Constant(False)), node.body[0]))
            else:
                node.body = _without_flag(node.body, loop.continue_flag)
        node.leave_flags = sorted(flags)  # type: ignore[union-attr]
        self._tested |= flags
        out: Block = []
        if loop.break_flag is not None:
            out.append(_at_test(assign(loop.break_flag, ast.Constant(False)), node))
        orelse, node.orelse = node.orelse, []
        out.append(node)
        leaving = {f for f in flags if f != loop.break_flag}
        if not orelse:
            return out, leaving
        body, more = self.block(orelse, outer)
        if flags:
            body = [located(ast.If(_none_of(flags), body, []), orelse[0])]
        return out + body, leaving | more

    def _try(self, node: ast.Try | ast.TryStar, loop: _Loop | None) -> tuple[Block, set[str]]:
        if any(_has_jump(s) for s in node.finalbody):
            raise CannotConvert(
                f"`return`, `break` or `continue` inside `finally` at line {node.finalbody[0].lineno} is not supported"
            )
        node.body, in_body = self.block(node.body, loop)
        flags = set(in_body)
        for handler in node.handlers:
            handler.body, more = self.block(handler.body, loop)
            flags |= more
        if node.orelse:
            orelse, more = self.block(node.orelse, loop)
            flags |= more
            if in_body:
                self._tested |= in_body
                orelse = [located(ast.If(_none_of(in_body), orelse, []), node.orelse[0])]
            node.orelse = orelse
        return [node], flags


# -- helpers ----------------------------------------------------------------------------------------------------------


def _none_of(flags: set[str]) -> ast.expr:
    test = runtime_call("none_of", *map(load, sorted(flags)))
    test.cheap = True  # type: ignore[attr-defined]
    return test


def _after_docstring(body: Block) -> int:
    first = body[0].value if isinstance(body[0], ast.Expr) else None
    return int(isinstance(first, ast.Constant) and isinstance(first.value, str))


def _at_test(made: ast.stmt, loop: ast.For | ast.While) -> ast.stmt:
    return located(made, loop.iter if isinstance(loop, ast.For) else loop.test)


def _has_jump(statement: ast.AST) -> bool:
    """Whether there is something to lower in the statement."""
    loops = (ast.For, ast.While)
    return any(isinstance(n, _JUMPS) or (isinstance(n, loops) and n.orelse) for n in own_nodes(statement))


def _leaves(statements: Sequence[ast.stmt]) -> bool:
    """Whether no way through the statements comes out at their end."""
    for statement in statements:
        if isinstance(statement, (*_JUMPS, ast.Raise)):
            return True
        if isinstance(statement, ast.If) and _leaves(statement.body) and _leaves(statement.orelse):
            return True
    return False


def _rest_into_branch(node: ast.If, rest: Block) -> Block:
    """Where one branch always leaves, the rest of the block moves into the other; returns what is left of the rest."""
    first, second = _leaves(node.body), _leaves(node.orelse)
    if first and not second:
        node.orelse = node.orelse + rest
    elif second and not first:
        node.body = node.body + rest
    return [] if first or second else rest


def _without_flag(statements: Block, flag: str | None) -> Block:
    """The statements without assignments to a flag that nobody tests."""
    if flag is None:
        return statements

    class Remove(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> ast.AST:
            if isinstance(node.targets[0], ast.Name) and node.targets[0].id == flag:
                return ast.copy_location(ast.Pass(), node)
            return node

    return [Remove().visit(s) for s in statements]

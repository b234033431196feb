"""Names: what a block reads and writes, and which names are needed after it (liveness, by walking backwards).

Runs after `jumps`, so the only ways through a function are its blocks, `if`, loops, `with`, `try` and `match`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from headwater._src.trace.autograph.build import RUNTIME, own_nodes

MUTATORS = frozenset(
    "append extend insert pop remove clear reverse sort update setdefault popitem add discard".split()
)
"""Methods of Python's containers that change them."""

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Names = frozenset[str]
NONE: Names = frozenset()


class Effects(ast.NodeVisitor):
    """What the statements or expressions that it visits do to names and to the things that names hold."""

    def __init__(self, scope: Scope | None = None) -> None:
        self.scope = scope
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.kills: set[str] = set()
        """Names that are certainly written."""
        self.targets: list[ast.Attribute | ast.Subscript] = []
        self.mutated: list[ast.expr] = []
        self._bound: list[set[str]] = []

    def of(self, nodes: ast.AST | Iterable[ast.AST]) -> Effects:
        """Visits `nodes`; returns itself."""
        for node in [nodes] if isinstance(nodes, ast.AST) else nodes:
            self.visit(node)
        return self

    # -- names --------------------------------------------------------------------------------------------------------

    def _read(self, name: str) -> None:
        if name == RUNTIME or any(name in bound for bound in self._bound):
            return
        self.reads.add(name)
        inner = self.scope.captured.get(name) if self.scope is not None else None
        if inner is not None:
            self.reads |= inner.reads
            self.writes |= inner.writes
            self.targets += inner.targets
            self.mutated += inner.mutated

    def _write(self, name: str, certainly: bool = True) -> None:
        self.writes.add(name)
        if certainly:
            self.kills.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif any(node.id in bound for bound in self._bound):
            pass
        else:
            self._write(node.id, isinstance(node.ctx, ast.Store))
            if isinstance(node.ctx, ast.Del):
                self._read(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._write(node.target.id, False)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self.visit(node.target)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.targets.append(node)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.targets.append(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Call) and function.args:  # ag__.callee(x.append)(...)
            function = function.args[0]
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            self.mutated.append(function.value)
        if self.scope is not None:
            self.writes |= self.scope.escaped_writes
        self.generic_visit(node)

    # -- things that bind names ---------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._write(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._write(node.name, False)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._write(node.name, False)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._write(node.rest, False)
        self.generic_visit(node)

    # -- inner scopes -------------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outside in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(outside)
        self._write(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for outside in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(outside)
        self._bound.append({n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)})
        self.visit(node.body)
        self._bound.pop()

    def _comprehension(self, node: ast.AST) -> None:
        targets = {
            n.id
            for part in node.generators  # type: ignore[attr-defined]
            for n in ast.walk(part.target)
            if isinstance(n, ast.Name)
        }
        self.visit(node.generators[0].iter)  # type: ignore[attr-defined]
        self._bound.append(targets)
        self.generic_visit(node)
        self._bound.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._write(node.name)
        self.reads |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {RUNTIME}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


# -- a function's scope -----------------------------------------------------------------------------------------------


class _Captured:
    """The names of the outer function that an inner one reads and writes."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        inner = Scope(node)
        every = Effects(inner).of(node.body)
        self.reads = (every.reads | inner.escaped_reads) - inner.local
        self.writes = every.writes & (inner.nonlocals | inner.foreign)
        self.targets = [t for t in every.targets if not _names(t) & inner.local]
        self.mutated = [m for m in every.mutated if not _names(m) & inner.local]


class Scope:
    """The names of one function: its own, those declared `global` or `nonlocal`, and what its inner functions capture."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.captured: dict[str, _Captured] = {}
        self.escaped_reads: set[str] = set()
        self.escaped_writes: set[str] = set()
        statements = [n for s in node.body for n in own_nodes(s)]
        self.globals = {name for n in statements if isinstance(n, ast.Global) for name in n.names}
        self.nonlocals = {name for n in statements if isinstance(n, ast.Nonlocal) for name in n.names}
        self.params = {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
        self._capture(node, statements)
        own = self.globals | self.nonlocals
        self.local = (self.params | Effects().of(node.body).writes) - own
        self.foreign = Effects(self).of(node.body).writes - self.local - own
        """Names of functions further out that inner functions write."""
        self.always_live = frozenset(own | self.foreign)
        lambdas = [
            n for n in ast.walk(node) if isinstance(n, ast.Lambda) and not getattr(n, "at_once", False)
        ]
        self.kept_reads = frozenset(self.escaped_reads | Effects().of(lambdas).reads)
        """Names that functions read which may be called at any time later."""

    def _capture(self, node: ast.AST, statements: Sequence[ast.AST]) -> None:
        inner = [n for n in statements if isinstance(n, _FUNCTIONS)]
        if not inner:
            return
        called = {id(f) for n in ast.walk(node) if isinstance(n, ast.Call) for f in _callees(n)}
        escaping = {
            n.id
            for n in ast.walk(node)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in called
        }
        captured = [(f, _Captured(f)) for f in inner]
        for _ in inner:  # functions that call each other
            for _, names in captured:
                for other, theirs in captured:
                    if other.name in names.reads:
                        names.reads |= theirs.reads
                        names.writes |= theirs.writes
                        names.targets += [t for t in theirs.targets if t not in names.targets]
                        names.mutated += [m for m in theirs.mutated if m not in names.mutated]
        for function, names in captured:
            known = self.captured.setdefault(function.name, names)
            if known is not names:  # defined twice, perhaps in two branches
                known.reads |= names.reads
                known.writes |= names.writes
                known.targets += names.targets
                known.mutated += names.mutated
            if function.name in escaping or function.decorator_list:
                self.escaped_reads |= names.reads
                self.escaped_writes |= names.writes


def _callees(call: ast.Call) -> list[ast.AST]:
    """The function of a call, also where the runtime is asked for it."""
    function = call.func
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == RUNTIME
    ):
        return list(call.args) if function.attr == "callee" else []
    return [function]


# -- liveness ---------------------------------------------------------------------------------------------------------


class Liveness:
    """Notes on each `if` and loop which names are needed after it (`live_out`) and at a loop's head (`live_head`)."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def function(self, node: ast.FunctionDef) -> None:
        """Annotates the blocks of `node`."""
        self.block(node.body, NONE)

    def _effects(self, node: ast.AST | Iterable[ast.AST]) -> Effects:
        return Effects(self._scope).of(node)

    def block(self, statements: Sequence[ast.stmt], live: Names) -> Names:
        """The names that are live before `statements`, given those that are live after."""
        live |= self._scope.always_live
        for statement in reversed(statements):
            live = self.statement(statement, live)
        return live

    def statement(self, node: ast.stmt, live: Names) -> Names:
        """The names that are live before one statement."""
        if isinstance(node, ast.If):
            node.live_out = live  # type: ignore[attr-defined]
            branches = self.block(node.body, live) | self.block(node.orelse, live)
            return self._before(self._effects(node.test), branches)
        if isinstance(node, (ast.While, ast.For, ast.AsyncFor)):
            return self._loop(node, live)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            inside = self.block(node.body, live)
            for item in reversed(node.items):
                inside = self._before(
                    self._effects([item.context_expr, *filter(None, [item.optional_vars])]), inside
                )
            return inside
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self._try(node, live)
        if isinstance(node, ast.Match):
            return self._match(node, live)
        if isinstance(node, (ast.Return, ast.Raise)):
            return frozenset(self._effects(node).reads) | self._scope.always_live
        return self._before(self._effects(node), live)

    @staticmethod
    def _before(effects: Effects, live: Names) -> Names:
        return (live - effects.kills) | effects.reads

    def _loop(self, node: ast.While | ast.For | ast.AsyncFor, live: Names) -> Names:
        node.live_out = live  # type: ignore[union-attr]
        flags = frozenset(getattr(node, "leave_flags", ()))
        if isinstance(node, ast.While):
            test = self._effects(node.test)
            every = frozenset(test.reads) | flags
            killed: Names = NONE
        else:
            every = flags
            killed = frozenset(self._effects(node.target).kills)
        head = live | every
        while True:
            inside = self.block(node.body, head)
            larger = head | (inside - killed)
            if larger == head:
                break
            head = larger
        node.live_head = (inside - killed) | every  # type: ignore[union-attr]
        if isinstance(node, ast.While):
            return self._before(test, head)
        return head | self._effects(node.iter).reads | (frozenset(self._effects(node.target).reads))

    def _try(self, node: ast.Try | ast.TryStar, live: Names) -> Names:
        after = self.block(node.finalbody, live)
        handlers: Names = after
        for handler in node.handlers:
            names = self.block(handler.body, after) - ({handler.name} if handler.name else NONE)
            if handler.type is not None:
                names |= self._effects(handler.type).reads
            handlers |= names
        # An exception may come from anywhere in the body: what the handlers need is needed throughout.
        kept = self._scope.always_live
        self._scope.always_live = kept | handlers
        try:
            return self.block(node.body, self.block(node.orelse, after)) | handlers
        finally:
            self._scope.always_live = kept

    def _match(self, node: ast.Match, live: Names) -> Names:
        before = live
        for case in node.cases:
            inside = self.block(case.body, live)
            pattern = self._effects([case.pattern, *filter(None, [case.guard])])
            before |= (inside - pattern.writes) | pattern.reads
        return before | self._effects(node.subject).reads

"""Pass 3: `if`, `while` and `for` become calls of the runtime.

    if t:              def if_body():
        y = f(x)           nonlocal y
    else:                  y = f(x)
        y = g(x)       def else_body():
                ->         nonlocal y
                           y = g(x)
                       condition = t
                       if ag__.staged(condition):
                           ag__.if_stmt(condition, if_body, else_body, lambda: (y,), "y; ; ", ())
                       elif condition:
                           if_body()
                       else:
                           else_body()

The blocks share the function's variables, so Python's own control flow runs them unchanged. The runtime reads and sets
the variables through the cells of `lambda: (y,)`. The string names those needed afterwards, those that closures may ask for
later, and the others that the blocks write; for loops those that go round come first.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable

from headwater._src.trace.autograph.analysis import Effects, Liveness, Scope
from headwater._src.trace.autograph.build import (
    Namer,
    arguments,
    assign,
    deferred,
    function,
    load,
    located,
    names_tuple,
    runtime_call,
    stays_python,
)
from headwater._src.trace.autograph.calls import binds, is_cheap, is_loop_option, is_static

Block = list[ast.stmt]


def rewrite(node: ast.FunctionDef, namer: Namer, class_name: str | None) -> None:
    """Rewrites the body of `node`, and of the functions defined in it, in place."""
    node.body = [s for statement in node.body for s in _TestsInFront(namer).several(statement)]
    scope = Scope(node)
    Liveness(scope).function(node)
    _Flow(scope, namer, class_name).function(node)


class _TestsInFront(ast.NodeTransformer):
    """`while (x := f()): body` becomes `test = (x := f())`, `while test: body; test = (x := f())`."""

    def __init__(self, namer: Namer) -> None:
        self._namer = namer

    def several(self, statement: ast.stmt) -> Block:
        """What the statement becomes."""
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef  # type: ignore[assignment] # noqa: N815

    def visit_While(self, node: ast.While) -> ast.AST | Block:
        self.generic_visit(node)
        if not binds(node.test):
            return node
        name = self._namer.new("loop_test_value")
        first = located(assign(name, node.test), node.test)
        again: ast.stmt = located(assign(name, copy.deepcopy(node.test)), node.test)
        flags = getattr(node, "leave_flags", [])
        if flags:
            again = located(ast.If(runtime_call("none_of", *map(load, flags)), [again], []), node.test)
        node.test = located(load(name), node.test)
        node.body.append(again)
        return [first, node]


class _Flow:
    def __init__(self, scope: Scope, namer: Namer, class_name: str | None) -> None:
        self._scope = scope
        self._namer = namer
        self._class = class_name
        self._condition = namer.new("condition")
        self._item = namer.new("item")
        self._moved: set[str] = set()

    def function(self, node: ast.FunctionDef) -> None:
        """Rewrites the blocks of `node`."""
        body = self.block(node.body)
        bare = sorted((self._moved & self._scope.local) - self._scope.params)
        start: Block = []
        if self._scope.globals:
            start.append(ast.Global(sorted(self._scope.globals)))
        if self._scope.nonlocals:
            start.append(ast.Nonlocal(sorted(self._scope.nonlocals)))
        if (
            bare
        ):  # their assignments moved into inner functions: this alone still makes them the function's own
            targets: list[ast.expr] = [ast.Name(n, ast.Store()) for n in bare]
            start.append(ast.If(ast.Constant(0), [ast.Assign(targets, ast.Constant(0))], []))
        first = node.body[0].value if isinstance(node.body[0], ast.Expr) else None
        at = int(isinstance(first, ast.Constant) and isinstance(first.value, str))  # behind the docstring
        node.body = [*body[:at], *located(start, node.body[0]), *body[at:]]

    def block(self, statements: Iterable[ast.stmt]) -> Block:
        """The rewritten statements; declarations go to the function's start."""
        statements = [s for s in statements if not isinstance(s, (ast.Global, ast.Nonlocal))]
        return [made for statement in statements for made in self.statement(statement)] or [ast.Pass()]

    def statement(self, node: ast.stmt) -> Block:
        """What a statement becomes."""
        if isinstance(node, ast.If):
            return self._if(node)
        if isinstance(node, ast.While):
            return self._while(node)
        if isinstance(node, ast.For):
            return self._for(node)
        if isinstance(node, ast.FunctionDef):
            if not stays_python(node):
                rewrite(node, self._namer, self._class)
            return [node]
        if isinstance(node, ast.Assert):
            return self._assert(node)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            node.body = self.block(node.body)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            node.body = self.block(node.body)
            node.orelse = self.block(node.orelse) if node.orelse else []
            node.finalbody = self.block(node.finalbody) if node.finalbody else []
            for handler in node.handlers:
                handler.body = self.block(handler.body)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                case.body = self.block(case.body)
        return [node]

    # -- if and assert ------------------------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> Block:
        if is_static(node.test):
            node.body = self.block(node.body)
            node.orelse = self.block(node.orelse) if node.orelse else []
            return [node]
        both = Effects(self._scope).of([*node.body, *node.orelse])
        live = node.live_out  # type: ignore[attr-defined]
        kept = (both.writes & self._scope.kept_reads) - live
        state = self._state(both, [both.writes & live, kept, both.writes - live - kept])
        made: Block = [self._moved_block("if_body", (), node.body)]
        otherwise: ast.expr = ast.Attribute(load("ag__"), "nothing", ast.Load())
        last: Block = []
        if node.orelse:
            made.append(self._moved_block("else_body", (), node.orelse))
            otherwise = load(made[1].name)  # type: ignore[attr-defined]
            last = [ast.Expr(ast.Call(otherwise, [], []))]
        body = load(made[0].name)  # type: ignore[attr-defined]
        condition = load(self._condition)
        staged = ast.Expr(runtime_call("if_stmt", condition, body, otherwise, *state))
        plain = ast.If(condition, [ast.Expr(ast.Call(body, [], []))], last)
        located(made, node)
        return made + located(
            [
                assign(self._condition, node.test),
                ast.If(runtime_call("staged", condition), [staged], [plain]),
            ],
            node.test,
        )

    def _assert(self, node: ast.Assert) -> Block:
        if is_static(node.test):
            return [node]
        condition = load(self._condition)
        message = deferred(node.msg) if node.msg is not None else ast.Constant(None)
        staged = ast.Expr(runtime_call("assert_stmt", condition, message))
        plain = ast.copy_location(ast.Assert(condition, node.msg), node)
        test = located(assign(self._condition, node.test), node)
        return [test, located(ast.If(runtime_call("staged", condition), [staged], [plain]), node)]

    # -- loops --------------------------------------------------------------------------------------------------------

    def _while(self, node: ast.While) -> Block:
        flags: list[str] = getattr(node, "leave_flags", [])
        options = self._options(node)
        effects = Effects(self._scope).of([node.test, *node.body])
        state = self._state(effects, self._round(effects, node))
        again = node.test
        if flags:
            none = runtime_call("none_of", *map(load, flags))
            operator = "and_both" if is_cheap(again) else "and_"
            plain = isinstance(again, ast.Constant) and again.value
            again = none if plain else runtime_call(operator, none, deferred(again))
        test = self._moved_block("loop_test", (), [located(ast.Return(again), node.test)])
        body = self._moved_block("loop_body", (), node.body)
        call = runtime_call("while_stmt", load(test.name), load(body.name), *state, options)
        return [*located([test, body], node), located(ast.Expr(call), node.test)]

    def _for(self, node: ast.For) -> Block:
        flags: list[str] = getattr(node, "leave_flags", [])
        options = self._options(node)
        effects = Effects(self._scope).of([node.target, *node.body])
        state = self._state(effects, self._round(effects, node))
        extra: ast.expr = ast.Constant(None)
        if flags:
            extra = deferred(runtime_call("none_of", *map(load, flags)))
        take = located(ast.Assign([node.target], load(self._item)), node.target)
        body = self._moved_block("loop_body", (self._item,), [take, *node.body])
        targets = sorted(self._mangled(n) for n in Effects().of(node.target).writes)
        call = runtime_call(
            "for_stmt", node.iter, extra, load(body.name), *state, options, ast.Constant(" ".join(targets))
        )
        return [located(body, node), located(ast.Expr(call), node.iter)]

    def _round(self, effects: Effects, node: ast.For | ast.While) -> list[set[str]]:
        """The names that a loop writes: those that a round reads before it writes them, those needed only afterwards, those
        that functions keep which may be called later, others."""
        carried = effects.writes & node.live_head  # type: ignore[union-attr]
        after = (effects.writes & node.live_out) - carried  # type: ignore[union-attr]
        kept = (effects.writes & self._scope.kept_reads) - carried - after
        return [carried, after, kept, effects.writes - carried - after - kept]

    def _options(self, node: ast.While | ast.For) -> ast.expr:
        """What `set_loop_options` in the body says, as a function that gives a dictionary."""
        found = [s for s in node.body if is_loop_option(s)]
        if not found:
            return ast.Constant(None)
        node.body = [s for s in node.body if not is_loop_option(s)] or [ast.Pass()]
        call = found[0].value  # type: ignore[attr-defined]
        order = ("parallel_iterations", "swap_memory", "maximum_iterations", "shape_invariants")
        keywords = [ast.keyword(k, v) for k, v in zip(order, call.args, strict=False)] + call.keywords
        for keyword in keywords:
            if keyword.arg == "shape_invariants" and isinstance(keyword.value, (ast.List, ast.Tuple)):
                for pair in keyword.value.elts:
                    if isinstance(pair, (ast.Tuple, ast.List)) and isinstance(
                        pair.elts[0], (ast.Name, ast.Attribute)
                    ):
                        pair.elts[0] = located(ast.Constant(ast.unparse(pair.elts[0])), pair)
        return deferred(located(ast.Call(load("dict"), [], keywords), call))

    # -- state --------------------------------------------------------------------------------------------------------

    def _moved_block(self, stem: str, parameters: tuple[str, ...], statements: Block) -> ast.FunctionDef:
        """A function made of a block, which writes the variables of the function around it."""
        writes = Effects(self._scope).of(statements).writes - set(parameters)
        self._moved |= writes
        declarations: Block = []
        declared = (
            writes & self._scope.globals,
            (writes - self._scope.globals) & (self._scope.local | self._scope.nonlocals),
        )
        if declared[0]:
            declarations.append(ast.Global(sorted(declared[0])))
        if declared[1]:
            declarations.append(ast.Nonlocal(sorted(declared[1])))
        return function(self._namer.new(stem), parameters, declarations + self.block(statements))

    def _mangled(self, name: str) -> str:
        if self._class is None or not name.startswith("__") or name.endswith("__"):
            return name
        return f"_{self._class.lstrip('_')}{name}"

    def _state(self, effects: Effects, groups: list[set[str]]) -> list[ast.expr]:
        """The arguments that tell the runtime of a block's variables: cells, names by group, and parts of objects."""
        cells = sorted(effects.writes - self._scope.globals)
        spec = "; ".join(" ".join(sorted(map(self._mangled, group))) for group in groups)
        variables = ast.Lambda(arguments(), names_tuple(cells))
        parts = ast.Tuple(list(self._parts(effects).values()), ast.Load())
        return [variables, ast.Constant(spec), parts]

    def _parts(self, effects: Effects) -> dict[str, ast.expr]:
        """Attributes, items and whole containers that the block changes, of objects that stay the same throughout."""
        parts: dict[str, ast.expr] = {}
        for target in effects.targets:
            if not _is_fixed(target.value, effects.writes):
                continue
            owner = deferred(copy.deepcopy(target.value))
            if isinstance(target, ast.Attribute):
                text = ast.unparse(target)
                parts[text] = runtime_call(
                    "attribute", owner, ast.Constant(self._mangled(target.attr)), ast.Constant(text)
                )
            elif _is_fixed(target.slice, effects.writes) and not isinstance(target.slice, ast.Slice):
                text = ast.unparse(target)
                index = deferred(copy.deepcopy(target.slice))
                parts[text] = runtime_call("item", owner, index, ast.Constant(text))
            else:
                self._contents(target.value, parts)
        for container in effects.mutated:
            if _is_fixed(container, effects.writes):
                self._contents(container, parts)
        return parts

    @staticmethod
    def _contents(container: ast.expr, parts: dict[str, ast.expr]) -> None:
        text = ast.unparse(container)
        owner = deferred(copy.deepcopy(container))
        for part in [p for p in parts if p.startswith(f"{text}[")]:
            del parts[part]
        parts[f"{text} (contents)"] = runtime_call("contents", owner, ast.Constant(text))


def _is_fixed(node: ast.expr, written: set[str]) -> bool:
    """Whether the expression means the same object before, in and after a block that writes these names."""
    if isinstance(node, ast.Name):
        return node.id not in written
    if isinstance(node, ast.Attribute):
        return _is_fixed(node.value, written)
    if isinstance(node, ast.Subscript):
        return _is_fixed(node.value, written) and _is_fixed(node.slice, written)
    if isinstance(node, ast.UnaryOp):
        return _is_fixed(node.operand, written)
    return isinstance(node, ast.Constant)

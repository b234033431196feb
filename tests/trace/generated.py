"""Programs for AutoGraph, drawn by Hypothesis: source text that mixes tensors and Python numbers in all its control flow.

A program is a function `program(x, y)` of two int32 scalars. Whatever is drawn ends, never uses a name before it is
defined, and keeps its numbers small, so Python's integers and int32 agree.
"""

from __future__ import annotations

import itertools
import linecache
import textwrap
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

import headwater as tf

NAMES = ("a", "b", "c")
_numbers = itertools.count()


class _Block:
    """What can be written at a place: how deep it is, whether a loop can be left and a value returned there."""

    def __init__(
        self, depth: int, in_loop: bool = False, names: tuple[str, ...] = ("x", "y", *NAMES)
    ) -> None:
        self.depth = depth
        self.in_loop = in_loop
        self.names = names

    def inside(self, loop: bool = False) -> _Block:
        return _Block(self.depth - 1, self.in_loop or loop, self.names)


class _Writer:
    """Draws statements; functions and counters get names of their own."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.count = 0

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    # -- expressions --------------------------------------------------------------------------------------------------

    def atom(self, block: _Block) -> str:
        return self.one(*block.names, "1", "2", "3")

    def value(self, block: _Block) -> str:
        kind = self.one("atom", "sum", "difference", "product", "choice", "call")
        one, other = self.atom(block), self.atom(block)
        if kind == "sum":
            return f"({one} + {other}) % 7"
        if kind == "difference":
            return f"({one} - {other}) % 9"
        if kind == "product":
            return f"({one} * {other}) % 5"
        if kind == "choice":
            return f"({one} if {self.test(block)} else {other})"
        if kind == "call":
            return f"helper({one}, {other})"
        return one

    def test(self, block: _Block) -> str:
        kind = self.one("compare", "compare", "chain", "and", "or", "not", "walrus")
        one, other = self.atom(block), self.atom(block)
        sign = self.one("<", "<=", ">", "==", "!=")
        if kind == "chain":
            return f"0 < {one} < {other}"
        if kind in ("and", "or"):
            return f"{one} {sign} {other} {kind} {self.atom(block)} > {self.atom(block)}"
        if kind == "not":
            return f"not {one} {sign} {other}"
        if kind == "walrus":
            return f"(w := {one}) {sign} {other}"
        return f"{one} {sign} {other}"

    # -- statements ---------------------------------------------------------------------------------------------------

    def block(self, block: _Block) -> list[str]:
        lines = []
        for _ in range(self.draw(st.integers(1, 3))):
            lines += self.statement(block)
        return lines

    def indented(self, block: _Block, loop: bool = False) -> list[str]:
        return ["    " + line for line in self.block(block.inside(loop))]

    def statement(self, block: _Block) -> list[str]:
        kinds = ["assign", "assign", "augment", "item"]
        if block.depth > 0:
            kinds += ["if", "if", "for", "while", "leave", "function", "with", "try", "lambda", "window"]
        return getattr(self, "_" + self.one(*kinds))(block)

    def _assign(self, block: _Block) -> list[str]:
        return [f"{self.one(*NAMES)} = {self.value(block)}"]

    def _augment(self, block: _Block) -> list[str]:
        return [f"{self.one(*NAMES)} {self.one('+=', '-=')} {self.one('x', 'y', '1', '2')}"]

    def _item(self, block: _Block) -> list[str]:
        place = self.one("box.v", "d['k']", "l[0]")
        return [f"{place} = {self.value(block)}", f"{self.one(*NAMES)} = {place}"]

    def _if(self, block: _Block) -> list[str]:
        lines = [f"if {self.test(block)}:", *self.indented(block)]
        if self.draw(st.booleans()):
            lines += [f"elif {self.test(block)}:", *self.indented(block)]
        if self.draw(st.booleans()):
            lines += ["else:", *self.indented(block)]
        return lines

    def _for(self, block: _Block) -> list[str]:
        i = self.fresh("i")
        inner = _Block(block.depth, block.in_loop, (*block.names, i))
        over = self.one(
            "range(3)", "tf.range(3)", "tf.range(x % 4)", "range(4, 0, -2)", "tf.constant([3, 1, 2])"
        )
        lines = [f"for {i} in {over}:", *self.indented(inner, loop=True)]
        if self.draw(st.booleans()):
            lines += ["else:", *self.indented(block)]
        return lines

    def _while(self, block: _Block) -> list[str]:
        n = self.fresh("n")
        test = self.one("", f"({self.test(block)}) and ") + f"{n} < {self.one('3', 'y % 4')}"
        return [f"{n} = 0", f"while {test}:", f"    {n} += 1", *self.indented(block, loop=True)]

    def _leave(self, block: _Block) -> list[str]:
        jumps = [f"return {self.atom(block)}"]
        if block.in_loop:
            jumps += ["break", "continue"]
        return [f"if {self.test(block)}:", f"    {self.one(*jumps)}"]

    def _function(self, block: _Block) -> list[str]:
        g = self.fresh("g")
        changed = self.one(*NAMES)
        body = _Block(min(block.depth - 1, 1), False, (*block.names, "p"))
        lines = [f"def {g}(p):", f"    nonlocal {', '.join(NAMES)}", *("    " + s for s in self.block(body))]
        return [*lines, f"    return {self.value(body)}", f"{changed} = {g}({self.atom(block)})"]

    def _lambda(self, block: _Block) -> list[str]:
        h = self.fresh("h")
        inner = _Block(0, False, (*block.names, "q"))
        return [
            f"{h} = lambda q: {self.value(inner)}",
            *self.block(_Block(0, False, block.names)),
            f"{self.one(*NAMES)} = {h}({self.atom(block)})",
        ]

    def _window(self, block: _Block) -> list[str]:
        return [f"l.append({self.value(block)})", f"{self.one(*NAMES)} = l.pop(0)"]

    def _with(self, block: _Block) -> list[str]:
        return ["with contextlib.nullcontext():", *self.indented(block)]

    def _try(self, block: _Block) -> list[str]:
        last = self.one("finally:", "except ZeroDivisionError:")
        return ["try:", *self.indented(block), last, f"    {self._augment(block)[0]}"]


@st.composite
def programs(draw: Callable[..., Any], depth: int = 3) -> str:
    """The text of a program."""
    writer = _Writer(draw)
    body = writer.block(_Block(depth)) + writer.block(_Block(depth))
    head = ["a, b, c, w = 1, 2, 3, 0", "d, l = {'k': 1}, [2]", "box = Box()"]
    lines = head + body + ["return a + 10 * b + 100 * c + box.v + d['k'] + l[0]"]
    return "def program(x, y):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


_HELPERS = """
import contextlib


class Box:
    v = 1


def helper(p, q):
    p = p % 7
    q = q % 7
    if p > q:
        return (p - q) % 5
    while p < q:
        p = p + 2
    return p % 3
"""


def compiled(text: str) -> Callable[[Any, Any], Any]:
    """The program as a function whose source `linecache` knows."""
    text = _HELPERS + text
    filename = f"<generated {next(_numbers)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    namespace: dict[str, Any] = {"tf": tf, "__name__": "generated_program"}
    exec(compile(text, filename, "exec"), namespace)
    return namespace["program"]


def outcome(function: Callable[[Any, Any], Any], x: Any, y: Any) -> int | str:
    """The number that a program gives, or the class of its error."""
    try:
        return int(function(x, y))
    except ZeroDivisionError as error:
        return type(error).__name__

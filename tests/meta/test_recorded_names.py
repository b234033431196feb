"""How many public names have recorded answers of TensorFlow. `python tests/meta/test_recorded_names.py` lists the others.

A name counts if a sample calls the object that it names and TensorFlow's answer is recorded, or if an expression of
tests/conformance/topics mentions it. A known difference of all of a sample, or of an expression, does not count.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

import expressions
import harness
import test_reference as reference

from headwater._src.base.exporting import EXPORTS
from headwater._src.limits import EXPRESSIONS

FEWEST = 1100
"""The count may only grow; the mission asks for 600, raw operations apart."""
FEWEST_BEYOND_RAW = 840


@functools.cache
def mentioned() -> frozenset[str]:
    """Public names in the expressions, the longest one of each chain of attributes."""
    found: set[str] = set()
    for text in (e for topic in expressions.topics() for e in expressions.expressions(topic)):
        if text in EXPRESSIONS:
            continue
        for node in ast.walk(ast.parse(text, mode="eval")):
            name = _chain(node)
            while name and name not in EXPORTS:
                name = name.rpartition(".")[0]
            if name:
                found.add(name)
    return frozenset(found)


def _chain(node: ast.AST) -> str:
    """`a.b` for the expression `tf.a.b`, the empty string for others."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed(parts)) if isinstance(node, ast.Name) and node.id == "tf" else ""


@functools.cache
def recorded() -> frozenset[str]:
    """The public names that count, aliases included."""
    answers = reference.answers()
    called = {
        s.public
        for s in reference.PUBLIC
        if not answers.get(reference.encoding.key_of(s), {"missing": 1}).get("missing")
        and not reference._limited(s, "all")
    }
    places = {EXPORTS[name] for name in called | mentioned()}
    return frozenset(name for name, place in EXPORTS.items() if place in places)


def test_public_names_with_recorded_answers() -> None:
    beyond = [n for n in recorded() if not n.startswith("raw_ops.")]
    assert len(recorded()) >= FEWEST
    assert len(beyond) >= FEWEST_BEYOND_RAW


def _absent(name: str) -> bool:
    return "Not in this version" in (inspect.getdoc(harness.resolve(name)) or "")


if __name__ == "__main__":
    left = sorted(n for n in EXPORTS if n not in recorded() and not _absent(n))
    print(
        f"{len(recorded())} names with recorded answers, {len(mentioned())} of them in expressions; without:"
    )
    print(" ".join(left))

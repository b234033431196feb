"""Expressions print what they print on TensorFlow, or raise the same class."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater._src.core.context import ctx

sys.path.insert(0, str(Path(__file__).parent))

import expressions

import headwater as tf
from headwater._src.limits import EXPRESSIONS

ANSWERS = json.loads(expressions.FILE.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _outside_scopes() -> Iterator[None]:
    """An expression may enter a name scope and never leave it."""
    yield
    ctx.name_scope = ""


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("expression", expressions.expressions())
def test_expression(expression: str) -> None:
    if expression in EXPRESSIONS:
        pytest.skip(EXPRESSIONS[expression])
    assert expressions.outcome(tf, expression) == ANSWERS[expression]


def test_the_recording_is_of_these_expressions() -> None:
    assert set(ANSWERS) == set(expressions.expressions()), "run `make reference`"
    assert set(EXPRESSIONS) <= set(ANSWERS)

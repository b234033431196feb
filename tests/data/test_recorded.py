"""Data sets against TensorFlow's recorded outcomes: values, specifications, numbers of elements, classes of errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import headwater

sys.path.insert(0, str(Path(__file__).parent))

import recorded

ANSWERS = recorded.answers()


@pytest.mark.parametrize("text", recorded.expressions())
def test_expression(text: str) -> None:
    assert json.loads(json.dumps(recorded.outcome(headwater, text))) == ANSWERS[text]


def test_every_answer_belongs_to_an_expression() -> None:
    assert list(ANSWERS) == recorded.expressions()

"""Bad inputs end as they end on TensorFlow: the same class of error, or the same answer. `record_errors.py` makes the record."""

from __future__ import annotations

import functools
import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import harness
import mutations
import numpy as np
import pytest

import headwater as tf
from headwater._src.core.tensor import of_array
from headwater._src.limits import MUTANTS, SLIPS

FILE = Path(__file__).parents[1] / "conformance" / "mutants-2.21.json.gz"
FEWEST = 1200
"""Mutants of edited samples have no answer until the record is made anew; so many must have one."""


@functools.cache
def answers() -> dict[str, Any]:
    """TensorFlow's outcomes by key."""
    return json.loads(gzip.decompress(FILE.read_bytes()))


@functools.cache
def compared() -> dict[str, list[mutations.Mutant]]:
    """Public name -> its mutants with an answer."""
    found: dict[str, list[mutations.Mutant]] = {}
    for mutant in mutations.mutants():
        if mutant.key in answers():
            found.setdefault(mutant.public, []).append(mutant)
    return found


def _flat(result: Any) -> list[np.ndarray]:
    return [t._array for t in harness.flat(result)]


def _outcome(mutant: mutations.Mutant) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mutations.outcome(mutant, tf, lambda a: of_array(np.array(a)), _flat)


def _class(outcome: Any) -> str:
    return outcome if isinstance(outcome, str) else "answer"


def _known(mutant: mutations.Mutant, ours: Any, theirs: Any) -> bool:
    """Whether the difference is one of those in limits.py."""
    slip = any(a in ("*", _class(ours)) and b == _class(theirs) for a, b in SLIPS)
    return slip or any(mutant.public == name and kind in ("*", mutant.kind) for name, kind in MUTANTS)


def test_the_record_is_of_these_mutants() -> None:
    assert sum(map(len, compared().values())) >= FEWEST, "run `make reference`"
    names = {m.public for m in mutations.mutants()}
    assert {name for name, _ in MUTANTS} <= names


@pytest.mark.parametrize("public", sorted(compared()))
def test_mutants(public: str) -> None:
    wrong = []
    for mutant in compared()[public]:
        ours, theirs = _outcome(mutant), answers()[mutant.key]
        if not mutations.same(ours, theirs) and not _known(mutant, ours, theirs):
            call = f"tf.{public}(*{mutant.args!r}, **{mutant.kwargs!r})"
            wrong.append(f"{mutant.key}: {_class(ours)}, in TensorFlow {_class(theirs)}: {call[:400]}")
    assert not wrong, "\n".join(wrong)

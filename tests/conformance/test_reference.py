"""headwater's answers to the samples against those recorded from TensorFlow; deliberate differences are in `limits.py`."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import Any

import encoding
import gradcheck
import harness
import numpy as np
import pytest

from headwater._src.core.tensor import of_array
from headwater._src.limits import LIMITS

PUBLIC = [s for s in harness.SAMPLES if s.public is not None]
RECORD = "run `make reference`, which records TensorFlow's answers anew"


@functools.cache
def answers() -> dict[str, Any]:
    """The recorded answers by key."""
    path = Path(__file__).parent / encoding.FILE
    return json.loads(gzip.decompress(path.read_bytes()))["answers"]


def _limited(sample: harness.Sample, part: str) -> bool:
    case = sample.key.partition("/")[2]
    return any(
        limit.name == sample.public
        and limit.case in (None, case)
        and getattr(limit, "part", None) in (None, part)
        for limit in LIMITS
    )


def test_the_recording_has_an_answer_for_every_sample_and_no_other() -> None:
    keys = {encoding.key_of(s) for s in PUBLIC}
    missing, stale = sorted(keys - answers().keys()), sorted(answers().keys() - keys)
    assert not missing, f"{len(missing)} samples have no answer, the first {missing[:5]}: {RECORD}"
    assert not stale, f"{len(stale)} answers have no sample, the first {stale[:5]}: {RECORD}"


def test_every_limit_is_of_a_sample() -> None:
    known = {(s.public, s.key.partition("/")[2]) for s in PUBLIC}
    names = {name for name, _ in known}
    sampled = [x for x in LIMITS if x.name in names]
    assert [x for x in sampled if x.case is not None and (x.name, x.case) not in known] == []


@pytest.mark.parametrize("sample", PUBLIC, ids=repr)
def test_answer(sample: harness.Sample) -> None:
    recorded = answers().get(encoding.key_of(sample))
    assert recorded is not None, f"no answer is recorded: {RECORD}"
    if _limited(sample, "all"):
        pytest.skip("a documented difference")
    assert not recorded.get("missing"), (
        f"TensorFlow has no tf.{sample.public}; if that is meant, say so in limits.py"
    )
    failures = compare(sample, recorded)
    assert not failures, "\n".join(failures)


def compare(sample: harness.Sample, recorded: dict[str, Any]) -> list[str]:
    """What differs, a line each."""
    slots = harness.Slots(sample.case)
    function = sample.function()
    try:
        args, kwargs = slots.build(harness.handed(slots))
        results = [t._array for t in harness.flat(function(*args, **kwargs))]
    except Exception as error:
        want = recorded.get("error", "a result")
        same = type(error).__name__ == want or _limited(sample, "error")
        return [] if same else [f"error: {type(error).__name__} ({str(error)[:150]}), in TensorFlow {want}"]
    if "error" in recorded:
        return [] if _limited(sample, "error") else [f"error: none, in TensorFlow {recorded['error']}"]
    parts = {"value": _values, "static": _static, "gradient": _gradients}
    lines: list[str] = []
    for part, check in parts.items():
        if not _limited(sample, part):
            try:
                lines += [f"{part}: {line}" for line in check(sample, recorded, results) if line]
            except Exception as error:
                lines.append(f"{part}: {type(error).__name__}: {str(error)[:200]}")
    return lines


def _values(sample: harness.Sample, recorded: dict[str, Any], results: list[np.ndarray]) -> list[str | None]:
    if "specs" in recorded:
        got = [[encoding.name_of(r.dtype), list(r.shape)] for r in results]
        return [] if got == recorded["specs"] else [f"{got} instead of {recorded['specs']}"]
    want = [encoding.unpack(v) for v in recorded["values"]]
    if len(want) != len(results):
        return [f"{len(results)} results instead of {len(want)}"]
    return [harness.difference(r, w, sample.case.tol) for r, w in zip(results, want, strict=True)]


def _static(sample: harness.Sample, recorded: dict[str, Any], results: list[np.ndarray]) -> list[str]:
    want = recorded["static"]
    slots = harness.Slots(sample.case)
    if isinstance(want, str) or not slots.arrays:  # TensorFlow can't trace it
        return []
    got = [t._spec.shape for t in harness.Trace(sample.function(), slots, "partial").outputs]
    if len(got) != len(want):
        return [f"{len(got)} results instead of {len(want)}"]
    return [f"shape {g} instead of {w}" for g, w in zip(got, want, strict=True) if not _as_precise(g, w)]


def _as_precise(got: Any, want: Any) -> bool:
    """Whether all that TensorFlow knows of the shape is known here."""
    if want is None:
        return True
    return (
        got is not None
        and len(got) == len(want)
        and all(w in (None, g) for g, w in zip(got, want, strict=True))
    )


def _gradients(sample: harness.Sample, recorded: dict[str, Any], results: list[np.ndarray]) -> list[str]:
    want = recorded.get("grads")
    if want is None or isinstance(want, str):  # TensorFlow has no gradient there
        return []
    slots = harness.Slots(sample.case)
    run = harness.as_function(sample, slots)
    sources = [of_array(slots.arrays[i]) for i in slots.grad]
    seeds = [of_array(s) for s in harness.seed_arrays([y._array for y in run(sources)])]
    lines = []
    for i, (g, w) in enumerate(zip(gradcheck.gradients(run, sources, seeds), want, strict=True)):
        if (g is None) != (w is None):
            lines.append(f"of input {i}: {'None' if g is None else 'a gradient'}, in TensorFlow not so")
        elif w is not None:
            line = harness.difference(g._array, encoding.unpack(w), max(sample.case.tol, 1e-5))
            lines += [f"of input {i}: {line}"] if line else []
    return lines

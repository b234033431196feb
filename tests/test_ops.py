"""Every sample of every operation: eager, traced, lowered, differentiated, refused. The checks are those of `harness`."""

from __future__ import annotations

import harness
import pytest


def test_every_module_of_operations_imports_and_builds_its_samples() -> None:
    assert not harness.BROKEN, "\n".join(f"{place}: {why}" for place, why in harness.BROKEN.items())


@pytest.mark.parametrize("sample", harness.SAMPLES, ids=repr)
def test_sample(sample: harness.Sample) -> None:
    failures = harness.check(sample)
    assert not failures, "\n".join(failures)

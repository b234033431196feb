"""Every sample of every operation: eager, traced, lowered, differentiated, refused. The checks are those of `harness`."""

from __future__ import annotations

import subprocess
import sys

import harness
import pytest


def test_every_module_of_operations_imports_and_builds_its_samples() -> None:
    assert not harness.BROKEN, "\n".join(f"{place}: {why}" for place, why in harness.BROKEN.items())


@pytest.mark.parametrize("sample", harness.SAMPLES, ids=repr)
def test_sample(sample: harness.Sample) -> None:
    failures = harness.check(sample)
    assert not failures, "\n".join(failures)


NOISY = """
import numpy as np
import headwater as tf
x = tf.constant([0.0, -1.0, 2.0, np.inf, np.nan])
for f in (tf.math.log, tf.sqrt, tf.acos, tf.math.reciprocal, tf.math.log1p, tf.sin, tf.exp, tf.math.rsqrt):
    f(x), f(x * 1e30)
x / tf.zeros_like(x), x * 3e38 * 3e38, tf.cast(x, tf.int32), tf.constant(2**31 - 1) + 1, tf.reduce_sum(x - x)
"""


def test_floating_point_exceptions_are_no_warnings() -> None:
    """In a fresh process, where no test runner changes what is shown."""
    run = subprocess.run([sys.executable, "-W", "always", "-c", NOISY], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "RuntimeWarning" not in run.stderr

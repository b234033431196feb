"""Settings of the test run: JAX on the CPU in 64 bits, and XLA told to compile quickly rather than well."""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
os.environ.setdefault("HEADWATER_COMPILE_CACHE", "off")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest


@pytest.fixture(autouse=True)
def _no_tape_left_at_work():
    """A tape that a test enters and never leaves would watch all tests after it."""
    yield
    from headwater._src.core.context import ctx

    assert not ctx.recorders


@pytest.fixture(autouse=True)
def _fresh_seeds():
    """No test sees the global seed that another one set."""
    from headwater._src.ops import seeds

    seeds.set_seed(None)
    yield

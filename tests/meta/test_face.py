"""The public face: fresh, complete, cheap to import, silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("jax", "keras", "scipy", "tensorflow", "h5py", "pandas", "matplotlib", "rich")
# What NumPy and ml_dtypes load is theirs; the standard library modules that headwater adds are counted.
MOST_MODULES = 370


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, *arguments, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("script", ["write_api.py", "write_pages.py"])
def test_generated_files_are_fresh(script: str) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "tools" / script), "--check"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_prints_nothing_and_loads_nothing_heavy() -> None:
    code = f"""
import sys
import headwater as tf
x = tf.constant([1.0, 2.0])
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.reduce_sum(x * x)
tape.gradient(y, x)
heavy = [m for m in {HEAVY!r} if m in sys.modules]
assert not heavy, heavy
"""
    result = run(code, "-W", "error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


MEASURE = """
import json, os, sys
before = set(sys.modules)
import {module}
with open("/proc/self/statm") as f:
    pages = int(f.read().split()[1])
print(json.dumps([len(set(sys.modules) - before), pages * os.sysconf("SC_PAGE_SIZE")]))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_import_budget() -> None:
    """At most twice NumPy's own memory, and a bounded number of modules beyond NumPy's: both cause the import time."""
    modules, memory = json.loads(run(MEASURE.format(module="headwater")).stdout)
    numpy_modules, numpy_memory = json.loads(run(MEASURE.format(module="numpy")).stdout)
    assert memory <= 2 * numpy_memory, f"{memory / 2**20:.1f} MiB against NumPy's {numpy_memory / 2**20:.1f}"
    assert modules - numpy_modules <= MOST_MODULES, f"{modules} modules against NumPy's {numpy_modules}"


def test_namespaces_complete_for_tools() -> None:
    """Every public name is a plain import in a file of its namespace, and `dir` shows it before anything is loaded."""
    import headwater as tf
    from headwater._src.base.exporting import EXPORTS

    for public in EXPORTS:
        owner: object = tf
        for part in public.split("."):
            assert part in dir(owner), public
            owner = getattr(owner, part)
    assert (ROOT / "src" / "headwater" / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error() -> None:
    import headwater as tf

    with pytest.raises(AttributeError, match="no_such_name"):
        tf.no_such_name
    assert "keras" in dir(tf)

"""A representative part of Keras's own tests, and the comparison that decides about them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import compare  # noqa: E402 - this folder is no package
import run  # noqa: E402

PART = (
    "ops/core_test.py", "activations", "constraints", "regularizers", "losses/loss_test.py", "optimizers/adam_test.py",
    "random/seed_generator_test.py", "metrics/accuracy_metrics_test.py", "backend/common/keras_tensor_test.py",
)  # fmt: skip


@pytest.mark.slow
def test_a_part_of_keras_own_tests_passes_as_on_tensorflow() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), *PART, "-n", "2"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 unexpected failures" in done.stdout


def test_the_list_is_packed_without_loss_and_always_alike() -> None:
    tests = compare.expected()
    assert len(tests) > 12000 and len(set(tests)) == len(tests)
    assert compare.unpack(compare.pack(tests[::-1])) == tests
    assert compare.pack(tests) == compare.PASSES.read_bytes()


def test_comparison_tells_unexpected_known_and_mended() -> None:
    known = compare.parse_known("# slow\nk.a_test.A::x\nk.b_test.B::*\n# other\nk.a_test.A::y\n")
    wanted = ["k.a_test.A::x", "k.a_test.A::y", "k.a_test.A::z", "k.b_test.B::p", "k.b_test.B::q"]
    folder_of = {"k.a_test": "a", "k.b_test": "b"}
    report = compare.compare(wanted, {"k.a_test.A::y", "k.b_test.B::q"}, known, folder_of)
    assert report.folders == {"a": (3, 1), "b": (2, 1)}
    assert report.unexpected == ["k.a_test.A::z"]
    assert report.known == {"slow": 2}
    assert report.mended == ["k.a_test.A::y"]
    assert compare.compare(wanted, set(wanted), known, folder_of).mended == [
        "k.a_test.A::x", "k.a_test.A::y", "k.b_test.B::*",
    ]  # fmt: skip


def test_tests_that_need_a_missing_package_are_told_apart() -> None:
    outcomes = {
        "k.a_test::": run.Outcome("not collected", "torch"),
        "k.b_test.B::x": run.Outcome("skipped", "Skipped: Flax library is not available. [skipping.py:251]"),
        "k.b_test.B::y": run.Outcome("skipped", "Skipped: no reason of that kind"),
        "k.b_test.B::z": run.Outcome("failed", "ImportError: the torch library is not available"),
    }
    wanted = ["k.a_test.A::x", "k.a_test.A::y", "k.b_test.B::x", "k.b_test.B::y", "k.b_test.B::z"]
    assert run.missing(wanted, outcomes) == {
        "k.a_test.A::x": "torch",
        "k.a_test.A::y": "torch",
        "k.b_test.B::x": "flax",
    }


def test_every_recorded_test_is_in_a_file_that_a_full_run_starts() -> None:
    source = Path("keras/src")
    files = run.recorded(source)
    modules = {".".join(path.with_suffix("").parts) for path in files}
    assert modules == {compare.file_of(test) for test in compare.expected()}
    assert files[source / "layers/core/dense_test.py"] == "layers/core"
    assert files[source / "ops/nn_test.py"] == "ops"


def test_a_known_failure_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="line 1"):
        compare.parse_known("k.a_test.A::x")


def test_every_known_failure_is_a_test_that_passes_on_tensorflow() -> None:
    known, tests = compare.parse_known(compare.KNOWN.read_text()), compare.expected()
    assert not set(known.exact) - set(tests)
    assert [p for p in known.prefixes if not any(t.startswith(p) for t in tests)] == []

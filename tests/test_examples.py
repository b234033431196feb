"""Every script in examples/ runs by itself and prints the right facts.

The expected lines are worked out by hand or follow from the definitions. TensorFlow 2.21 prints the same
lines for the same scripts (`tape.explain` aside, which it doesn't have).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
TIMEOUT_S = 120

# Script -> lines of its output, in order; other lines may stand between them.
EXPECTED = {
    "01_tensors_and_numpy.py": """
        shape (2, 3), rank 2, dtype float32
        all but the first hour: [[2.0, 6.0], [5.0, 7.0]]
        last hour, kept as a column: [[6.0], [7.0]]
        every other hour, backwards: [6.0, 1.0]
        one unit higher: [[2.0, 3.0, 7.0], [4.0, 6.0, 8.0]]
        squares: [[1.0, 4.0, 36.0], [9.0, 25.0, 49.0]]
        mean of each station: [3.0, 5.0]
        levels times its transpose: [[41.0, 55.0], [55.0, 83.0]]
        tensors have a .T: False
        dtype from a NumPy float64 array: float64
        tensor after the array was changed: [2.0, 4.0, 5.0]
        dtype from Python floats: float32
        NumPy function on a tensor: ndarray [9.0, 25.0, 49.0]
        tf function on an array is a tensor: True
        round trip is exact: True
        assigning to a tensor's item: TypeError
        """,
    "02_strict_types_and_casts.py": r"""
        float32 + int32: InvalidArgumentError
        float32 + float64: InvalidArgumentError
        float32 + cast of float64: float32 42.0
        float64 of the float32: float64 42.0
        float32 + 1: float32 3.0
        int32 * 2: int32 [80, 82]
        int32 + 2.5: InvalidArgumentError
        int32 / 2 (true division): float64 [20.0, 20.5]
        int32 // 2: int32 [20, 20]
        float to int: int32 [2, -2]
        number to bool: bool [False, True, True]
        how many above 2: 2
        a third in float16: 0.333252
        comparison gives: bool
        text is bytes: string [b'Ems', b'Rh\xc3\xb4ne']
        """,
    "03_variables.py": """
        doubled: [[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]
        after add and sub: [[2.0, 4.0, 6.0], [9.0, 11.0, 13.0]]
        element and column: [[2.0, 42.0, 0.0], [9.0, 11.0, 1.0]]
        a slice's assign returns the variable: True
        strided: [[2.0, 42.0, 0.0], [-9.0, 11.0, -7.0]]
        scattered: [[100.0, 42.0, 0.0], [-9.0, 200.0, -7.0]]
        snapshot's corner: 100.0 variable's corner: 0.0
        item assignment: TypeError
        wrong shape: ValueError, sum still 0.0
        steps: 3 dtype: int64 trainable: False
        used as a tensor: 6.0
        """,
    "04_custom_loss.py": """
        threshold 1: [2.5, 0.125, 0.0, 1.5]
        threshold 2: [4.0, 0.125, 0.0, 2.0]
        class, mean over the batch: 1.53125
        Keras's own: 1.53125
        function:
        loss fell: True, same after loading: True
        closure, threshold given again:
        loss fell: True, same after loading: True
        class, threshold saved:
        loss fell: True, same after loading: True
        threshold after loading: 2.0
        """,
    "05_custom_parts.py": """
        softplus: 0.0000 0.6931 1.3133 1000.0000
        initial deviation times sqrt(30): 1.0
        initial weights below zero: True
        loss fell: True
        trained weights below zero: False
        regularization losses: 1 as computed: True
        factor after loading: 0.01
        same predictions: True
        """,
    "06_metrics.py": """
        precision after one batch: 0.8000
        precision after two batches: 0.5 (the mean of 0.8 and 0.0 would be 0.4)
        true_positives [4.0]
        false_positives [4.0]
        counts after the reset: [[0.0], [0.0]]
        first batch: 14.0
        both batches: 7.0
        total and count: [21.0, 3.0]
        threshold of the copy: 2.0 its result: 0.0
        logged: ['huber', 'loss', 'mean_huber']
        function and class agree: True
        """,
    "07_custom_training_loop.py": """
        variables for FTRL and for Adam: 2 3 of 5
        steps taken by each optimizer: [88, 88]
        penalties in the loss: 3
        loss fell by a third: True
        more than a third explained: True
        """,
    "08_gradients.py": """
        by name: {'offset': 14.0, 'slope': 24.0}
        the same tape, another source: [12.0, 30.0]
        asked twice, tape not persistent: RuntimeError
        slope and curvature: 12.0 12.0
        jacobian: [[2.0, 1.0], [2.0, 0.0], [0.0, 12.0]]
        log cosh: 999.307 0.000 999.307
        its gradient: [-1.0, 0.0, 1.0]
        one factor held: [-1000.0, 0.0, 1000.0]
        zeros on request: 0.0
        """,
    "09_functions.py": """
        tracing with Tensor('x:0', shape=(), dtype=float32)
        tracing with Tensor('x:0', shape=(2,), dtype=float32)
        tracing with 2
        traces: 3
        nodes: ['x', 'pow/y', 'pow', 'Identity']
        NumPy's number stays: True - TensorFlow's changes: True
        27 takes 111 steps, 97 takes 118
        counter: 42
        15 by ten additions in the graph: False
        15 by ten additions in the graph: True
        gradient is sin 2x: True
        """,
}

# Title of a missing gradient in 08_gradients.py -> a word that its explanation must hold, in lower case.
REASONS = {
    "not watched": "watch",
    "integers": "int32",
    "through NumPy": "numpy",
    "no gradient rule": "argmax",
    "not connected": "connect",
}


def run_example(script: str, folder: Path) -> list[str]:
    """Run one script in a process and folder of its own; return its output as stripped lines."""
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stderr[-3000:]}"
    return [line.strip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("script", EXPECTED)
def test_example_prints_its_facts(script: str, tmp_path: Path) -> None:
    lines = run_example(script, tmp_path)
    rest = iter(lines)
    expected = [line.strip() for line in EXPECTED[script].strip().splitlines()]
    # `in` on an iterator consumes it up to the match, so this also checks the order.
    missing = next((line for line in expected if line not in rest), None)
    assert missing is None, f"{script}: no line {missing!r} (in this order) among:\n" + "\n".join(lines)
    assert not list(tmp_path.iterdir()), f"{script} left files in the folder it was started in"
    if script == "08_gradients.py":
        check_reasons(lines)


def check_reasons(lines: list[str]) -> None:
    """Check that each missing gradient is None and is followed by an explanation of its own."""
    reasons = {title: lines[lines.index(f"{title}: None") + 1] for title in REASONS}
    for title, word in REASONS.items():
        assert reasons[title].startswith("because: "), reasons[title]
        assert word in reasons[title].lower(), f"{title}: {reasons[title]}"
    assert len(set(reasons.values())) == len(reasons), reasons


def test_every_example_is_run_and_listed() -> None:
    scripts = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert scripts == sorted(EXPECTED)
    gallery = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in scripts if f"python examples/{name}" not in gallery] == []

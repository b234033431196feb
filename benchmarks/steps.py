"""Compiled steps side by side: tf.function on headwater, TensorFlow, and Keras on JAX, in one run.

    python benchmarks/steps.py --tensorflow ~/tf/bin/python [--rounds 8] [--seconds 1] [patterns]

Keras on JAX runs in headwater's own environment. Each framework has a process; in each workload they take turns, and the figure
is the mean step of the best round; every step reads the loss. Bars are those of the project; `--check` makes them count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JAX, TF, NUMPY = "keras-jax", "tensorflow", "numpy"

# workload -> the peers that it has, and the least ratio peer / headwater in step time (first call: in its time)
WORKLOADS: dict[str, dict[str, float]] = {
    "cube/function": {TF: 20},
    "seeds/function": {TF: 6},
    "seeds/jit": {TF: 10, JAX: 0.8},
    "cnn/jit": {TF: 1, JAX: 1},
    "lstm/jit": {TF: 1, JAX: 1},
    "transformer/jit": {TF: 1, JAX: 1},
    "cnn/function": {TF: 1},
    "lstm/function": {TF: 1},
    "transformer/function": {TF: 1},
}
FIRST_CALLS = {"seeds/function": 1.0, "seeds/jit": 1.0}
"""Workloads whose first call must be no slower than TensorFlow's."""


class Worker:
    """A framework's process, which runs one of the scripts beside this one."""

    def __init__(self, framework: str, python: str, script: str) -> None:
        command = [python, str(HERE / script), framework]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise SystemExit(f"{framework} could not be started with {python}")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "the process ended"}

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()


def measure(
    workload: str, workers: dict[str, Worker], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """First call and step of each framework, in seconds."""
    figures: dict[str, dict[str, float]] = {}
    peers = [f for f in workers if f == "headwater" or f in WORKLOADS[workload]]
    for framework in peers:
        reply = workers[framework].ask(build=workload)
        if "error" in reply:
            print(f"  {framework} failed: {reply['error']}")
            continue
        figures[framework] = {"first": reply["first"], "value": reply["value"], "best": float("inf")}
    for _ in range(rounds):
        for framework, figure in figures.items():
            reply = workers[framework].ask(round=workload, seconds=seconds / rounds)
            figure["best"] = min(figure["best"], reply["mean"])
    return figures


Figures = dict[str, dict[str, float]]


def report(workload: str, figures: Figures, bars: dict[str, float], first_call: float | None = None) -> bool:
    """Prints one workload's lines; whether its bars are met.

    Args:
      workload: its name.
      figures: for each framework the best step and the first call, in seconds.
      bars: the least ratio of each peer's step time to headwater's; 0 for none.
      first_call: the same for TensorFlow's first call.
    """
    own = figures.get("headwater")
    met = own is not None
    for framework, figure in figures.items():
        line = f"{workload:18} {framework:11} {figure['best'] * 1e6:10.1f} us/step   first call {figure['first'] * 1e3:8.1f} ms"
        if own is not None and framework != "headwater":
            ratio, bar = figure["best"] / own["best"], bars.get(framework)
            line += f"   {framework}/headwater {ratio:6.2f}x"
            if bar:
                line += f" (bar {bar:g}: {'met' if ratio >= bar else 'UNMET'})"
                met = met and ratio >= bar
            if framework == TF and first_call is not None:
                ratio = figure["first"] / own["first"]
                line += f"   first call {ratio:5.2f}x (bar {first_call:g}: {'met' if ratio >= first_call else 'UNMET'})"
                met = met and ratio >= first_call
        print(line, flush=True)
    return met


def drive(
    description: str,
    script: str,
    workloads: dict[str, dict[str, float]],
    measured: Callable[[str, dict[str, Worker], argparse.Namespace], Figures],
    first_calls: dict[str, float],
) -> None:
    """Measures what the command line asks for, and prints it.

    Args:
      description: for `--help`.
      script: what runs each framework's side.
      workloads: the bars of each.
      measured: what measures one.
      first_calls: the bars of first calls.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--tensorflow", help="path of a Python that has TensorFlow")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="for each workload and framework, where steps are counted"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is not met")
    options = parser.parse_args()
    workers = {"headwater": Worker("headwater", sys.executable, script)}
    if options.tensorflow:
        workers[TF] = Worker(TF, options.tensorflow, script)
    workers[JAX] = Worker(JAX, sys.executable, script)
    chosen = [
        w
        for w in workloads
        if not options.patterns or any(fnmatchcase(w, f"*{p}*") for p in options.patterns)
    ]
    results = [report(w, measured(w, workers, options), workloads[w], first_calls.get(w)) for w in chosen]
    for worker in workers.values():
        worker.close()
    if options.check and not all(results):
        raise SystemExit(1)


if __name__ == "__main__":
    drive(
        __doc__,
        "steps_worker.py",
        WORKLOADS,
        lambda w, workers, options: measure(w, workers, options.rounds, options.seconds),
        FIRST_CALLS,
    )

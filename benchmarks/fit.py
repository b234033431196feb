"""`fit`, `evaluate` and `predict` on arrays in memory: headwater, TensorFlow, and Keras on JAX with 32 steps at a time, in one run.

    python benchmarks/fit.py --tensorflow ~/tf/bin/python [--rounds 8] [patterns]

The figure is that of the best round; the frameworks take turns. `fit` is three epochs of the seeds' network, batch 32.
Bars are those of the project; `--check` makes them count.
"""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatchcase

from steps import JAX, TF, Worker

# workload -> the peers that it has, and the least ratio peer / headwater in step time (0: no bar)
WORKLOADS: dict[str, dict[str, float]] = {
    "fit/sgd": {TF: 20, JAX: 1},
    "fit/nadam": {TF: 20, JAX: 1},
    "fit/verbose": {TF: 20, JAX: 1},
    "fit/jit": {TF: 20, JAX: 1},
    "evaluate": {TF: 0, JAX: 0},
    "predict": {TF: 0, JAX: 0},
    "predict/one row": {TF: 10, JAX: 0},
    "call/one row": {TF: 0, JAX: 0},
}


def measure(workload: str, workers: dict[str, Worker], rounds: int) -> dict[str, dict[str, float]]:
    """First call and step of each framework, in seconds."""
    figures: dict[str, dict[str, float]] = {}
    for framework, worker in workers.items():
        reply = worker.ask(build=workload)
        if "error" in reply:
            print(f"  {framework} failed: {reply['error']}")
        else:
            figures[framework] = {"first": reply["first"], "best": float("inf")}
    for _ in range(rounds):
        for framework, figure in figures.items():
            figure["best"] = min(figure["best"], workers[framework].ask(round=workload)["step"])
    return figures


def report(workload: str, figures: dict[str, dict[str, float]]) -> bool:
    """Prints one workload's lines; whether its bars are met."""
    own = figures.get("headwater")
    met = own is not None
    for framework, figure in figures.items():
        line = f"{workload:16} {framework:11} {figure['best'] * 1e6:10.1f} us/step   first call {figure['first'] * 1e3:8.1f} ms"
        if own is not None and framework != "headwater":
            ratio, bar = figure["best"] / own["best"], WORKLOADS[workload][framework]
            line += f"   {framework}/headwater {ratio:7.2f}x"
            if bar:
                line += f" (bar {bar:g}: {'met' if ratio >= bar else 'UNMET'})"
                met = met and ratio >= bar
        print(line, flush=True)
    return met


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--tensorflow", help="path of a Python that has TensorFlow")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is not met")
    options = parser.parse_args()
    script = "fit_worker.py"
    workers = {"headwater": Worker("headwater", sys.executable, script)}
    if options.tensorflow:
        workers[TF] = Worker(TF, options.tensorflow, script)
    workers[JAX] = Worker(JAX, sys.executable, script)
    chosen = [
        w
        for w in WORKLOADS
        if not options.patterns or any(fnmatchcase(w, f"*{p}*") for p in options.patterns)
    ]
    results = [report(w, measure(w, workers, options.rounds)) for w in chosen]
    for worker in workers.values():
        worker.close()
    if options.check and not all(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

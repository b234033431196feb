"""`fit`, `evaluate` and `predict` on arrays in memory: headwater, TensorFlow, and Keras on JAX with 32 steps at a time, in one run.

    python benchmarks/fit.py --tensorflow ~/tf/bin/python [--rounds 8] [patterns]

The figure is that of the best round; the frameworks take turns. `fit` is three epochs of the seeds' network, batch 32.
Bars are those of the project; `--check` makes them count.
"""

from __future__ import annotations

from steps import JAX, TF, Figures, Worker, drive

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


def measure(workload: str, workers: dict[str, Worker], rounds: int) -> Figures:
    """First call and step of each framework, in seconds."""
    figures: Figures = {}
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


if __name__ == "__main__":
    drive(
        __doc__,
        "fit_worker.py",
        WORKLOADS,
        lambda w, workers, options: measure(w, workers, options.rounds),
        {},
    )

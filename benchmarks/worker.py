"""One framework in its own process: JSON lines in, JSON lines out, one answer for each.

Started by run.py as ``PYTHON worker.py FRAMEWORK``. Commands: hello, prepare, round, drop, leaks; it ends
with its input. An exception becomes an ``error`` in the answer and the process goes on, so that a missing
operation costs one cell of the table.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import itertools
import json
import os
import platform
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from cases import CASES, FAMILY, Code, Names, batches, keras_model, shared_names

REPEAT_SECONDS = 0.001  # long against the clock's resolution, short against a time slice of the scheduler
WARM_SECONDS, MOST_WARM_SECONDS = 0.05, 20.0

TEMPLATE = """\
def timed(calls, clock):
{before}
    start = clock()
    for _ in calls:
{statement}
    spent = clock() - start
{after}
    return spent
"""

Timed = Callable[[Iterator[None], Callable[[], float]], float]


def compiled(code: Code, names: Names) -> Timed:
    """The statement as a loop of its own, so that no call of a wrapper is timed with it."""
    parts = {
        "before": (code.before or "pass", 4),
        "statement": (code.statement, 8),
        "after": (code.after or "pass", 4),
    }
    source = TEMPLATE.format(
        **{part: textwrap.indent(text, " " * width) for part, (text, width) in parts.items()}
    )
    exec(source, names)
    timed: Timed = names["timed"]
    return timed


def resident_bytes() -> dict[str, int]:
    """Memory in use now and the most so far, from Linux's table for this process.

    getrusage would not do: its peak is inherited from the parent across fork and exec.
    """
    table = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {key: int(table[field].split()[0]) * 1024 for key, field in (("now", "VmRSS"), ("peak", "VmHWM"))}


def version_of(name: str, module: Any) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(module, "__version__", "unknown"))


class Worker:
    def __init__(self, framework: str) -> None:
        self.framework, self.family = framework, FAMILY[framework]
        self.module: Any = None
        self.timed: Timed | None = None
        self.calls = 1
        self.collect = False

    def hello(self) -> dict[str, Any]:
        self.module = importlib.import_module(self.framework)
        if getattr(self.module, "__file__", None) is None:
            raise ImportError(f"{self.framework} is a folder without an __init__.py, not a package")
        found = {self.framework: version_of(self.framework, self.module)}
        for extra in ("numpy", "keras") if self.family == "tf" else ("numpy",):
            found.setdefault(extra, version_of(extra, None))
        return {"python": platform.python_version(), "versions": found}

    def prepare(self, case: str) -> dict[str, Any]:
        entry = next(known for known in CASES if known.name == case)
        code = entry.code(self.framework)
        if code is None:
            return {"skipped": True}
        names = shared_names(self.family, self.module)
        names["np" if self.family == "numpy" else self.family] = self.module
        if entry.setup:
            names |= entry.setup(self.family, self.module)
        self.timed, self.collect = compiled(code, names), entry.collect
        self.calls = 1
        once = self._warm_up(entry.warm)
        self.calls = max(1, min(code.calls, int(REPEAT_SECONDS / once)))
        if entry.rate:
            self.calls = code.calls
        return {"calls": self.calls}

    def _warm_up(self, calls: int) -> float:
        """Seconds of one call, after enough calls that caches are filled and first-use costs are paid."""
        start, best, runs = time.perf_counter(), float("inf"), 0
        while (
            runs < 10
            or (spent := time.perf_counter() - start) < WARM_SECONDS
            or (runs < calls and spent < MOST_WARM_SECONDS)
        ):
            best = min(best, self._repeat())
            runs += 1
        return best

    def _repeat(self) -> float:
        assert self.timed is not None
        return self.timed(itertools.repeat(None, self.calls), time.perf_counter) / self.calls

    def round(self, seconds: float) -> dict[str, Any]:
        """Seconds of one call, once for each repeat, for about as long as asked and at least three times."""
        gc.collect()
        if not self.collect:
            gc.disable()
        try:
            self._repeat()  # brings this process back into the caches
            end = time.perf_counter() + seconds
            times: list[float] = []
            while len(times) < 3 or time.perf_counter() < end:
                times.append(self._repeat())
        finally:
            gc.enable()
        return {"times": times}

    def drop(self) -> dict[str, Any]:
        self.timed = None
        gc.collect()
        return {}

    def leaks(self, kind: str, count: int) -> dict[str, Any]:
        """Memory and live objects at the start, halfway and at the end of ``count`` runs of one workload."""
        run = {"steps": self._one_step, "models": self._one_model}[kind]()
        for _ in range(max(10, count // 100)):
            run()
        marks = [_mark()]
        for part in (count // 2, count - count // 2):
            for _ in range(part):
                run()
            marks.append(_mark())
        return {"marks": marks}

    def _one_step(self) -> Callable[[], None]:
        tf = self.module
        names = shared_names("tf", tf)
        x, v = names["a"], tf.Variable(names["w"])

        def step() -> None:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.matmul(x, v)))
            v.assign_sub(0.001 * tape.gradient(loss, v))

        return step

    def _one_model(self) -> Callable[[], None]:
        tf, next_batch = self.module, batches()

        def build_train_and_drop() -> None:
            model = keras_model(tf)
            optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
            x_batch, y_batch = next_batch()
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.keras.losses.MSE(y_batch, model(x_batch, training=True)))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

        return build_train_and_drop

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        actions = {
            known.__name__: known for known in (self.hello, self.prepare, self.round, self.drop, self.leaks)
        }
        try:
            result: dict[str, Any] = actions[message.pop("command")](**message)
            return result
        except Exception as error:  # whatever a framework raises belongs in the report
            first_line = (str(error).strip() or "no message").splitlines()[0]
            return {"error": f"{type(error).__name__}: {first_line}"}


def _mark() -> dict[str, int]:
    gc.collect()
    return {"bytes": resident_bytes()["now"], "objects": len(gc.get_objects())}


def private_output() -> TextIO:
    """The channel to the driver. From here on, what a framework prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return channel


def main() -> None:
    channel, worker = private_output(), Worker(sys.argv[1])
    for line in sys.stdin:
        channel.write(json.dumps(worker.answer(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()

"""headwater beside NumPy, TensorFlow and PyTorch in one run, printed as ratios. README.md says how to use it.

One worker process for each framework, in that framework's own Python. For every case the workers take turns
(A B C A B C ...), so a machine that slows down or speeds up does so for all of them: the ratios hold where
the times do not.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from cases import CASES, FAMILY, FRAMEWORKS, IMPORT_ROWS, Bar, Case, chosen

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
LEAK_RUNS = (("steps", 100_000), ("models", 300))
FLAT_BYTES = 2 * 2**20  # memory may wander this far between halfway and the end and still count as flat

IMPORT_PROBE = """\
import time
start = time.perf_counter()
import {module}
spent = time.perf_counter() - start
import json, sys
table = dict(line.split(":", 1) for line in open("/proc/self/status"))
now, peak = (int(table[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
heavy = [name for name in ("jax", "keras", "scipy") if name in sys.modules]
open({report!r}, "w").write(json.dumps(dict(statement=spent, now=now, peak=peak, heavy=heavy)))
"""

PROCESS_CLOCK = """\
import json, subprocess, sys, time
pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
start = time.perf_counter()
done = subprocess.run([sys.executable, "-c", sys.argv[1]], **pipes)
print(json.dumps((time.perf_counter() - start, done.returncode, done.stdout)))
"""


@dataclass
class Row:
    """One line of the table: the figure of each framework (seconds or bytes) and what was behind it."""

    name: str
    unit: str  # "time", "memory", or a plural: so many a second
    bars: tuple[Bar, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    medians: dict[str, float] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def environment(framework: str) -> dict[str, str]:
    """A quiet CPU run for all; headwater comes from this checkout."""
    found = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    if FAMILY[framework] == "tf":
        found["KERAS_BACKEND"] = "tensorflow"
    if framework == "headwater" and SOURCE.is_dir():
        found["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SOURCE), found.get("PYTHONPATH", ""))))
    return found


class Worker:
    """The driver's end of one framework's process."""

    def __init__(self, framework: str, python: str) -> None:
        self.framework = framework
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        command = [python, str(HERE / "worker.py"), framework]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.log}
        self.process = subprocess.Popen(command, text=True, env=environment(framework), **pipes)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = (
            json.loads(line) if line else {"error": f"the worker ended: {self._last_words()}"}
        )
        return answer

    def _last_words(self) -> str:
        self.log.seek(0)
        return (self.log.read().strip().splitlines() or ["it left no message"])[-1]


# --- Measuring ----------------------------------------------------------------------------------------------


def measure(case: Case, workers: list[Worker], rounds: int, seconds: float) -> Row:
    """Prepare a case everywhere, then let the workers take turns."""
    row = Row(case.name, case.rate or "time", case.bars)
    times: dict[str, list[float]] = {}
    for worker in workers:
        answer = worker.ask("prepare", case=case.name)
        if "error" in answer:
            row.errors[worker.framework] = answer["error"]
        elif "skipped" not in answer:
            times[worker.framework] = []
    for _ in range(rounds):
        for worker in workers:
            if worker.framework in times:
                answer = worker.ask("round", seconds=seconds * case.seconds)
                times[worker.framework] += answer.get("times", [])
                if "error" in answer:
                    row.errors[worker.framework] = answer["error"]
                    del times[worker.framework]
    for worker in workers:
        worker.ask("drop")
    for framework, found in times.items():
        row.figures[framework], row.medians[framework] = min(found), median(found)
        row.repeats[framework] = len(found)
    return row


def import_once(framework: str, python: str, folder: str) -> dict[str, Any]:
    """One process that imports one module: wall time, time of the statement, memory, and what it printed.

    The clock runs in a bare interpreter of the framework's own environment, so that the measured process is
    started the same way, from an equally small parent, every time.
    """
    report = Path(folder) / "report.json"
    report.unlink(missing_ok=True)
    probe = IMPORT_PROBE.format(module=framework, report=str(report))
    command = [python, "-S", "-c", PROCESS_CLOCK, probe]
    output = subprocess.run(
        command, capture_output=True, text=True, env=environment(framework), check=True
    ).stdout
    wall, code, printed = json.loads(output)
    if code:
        return {"error": (printed.strip().splitlines() or ["no message"])[-1]}
    return {"whole": wall, "printed": printed.strip(), **json.loads(report.read_text())}


def measure_imports(pythons: dict[str, str], wanted: list[str], repeats: int) -> tuple[list[Row], list[str]]:
    """Medians over ``repeats`` processes of each framework, taken in turns after one that is not counted."""
    # pip compiles what it installs; a checkout must have its bytecode too, or the compiler is timed instead.
    compileall.compile_dir(SOURCE, quiet=2)
    found: dict[str, list[dict[str, Any]]] = {framework: [] for framework in pythons}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(repeats + 1):
            for framework, python in pythons.items():
                progress(f"import {framework} {turn}/{repeats}")
                result = import_once(framework, python, folder)
                found[framework] += [result] if turn or "error" in result else []
    keys = ("whole", "statement", "now", "peak")
    rows = []
    for (name, bars), key in zip(IMPORT_ROWS.items(), keys, strict=True):
        row = Row(name, "time" if key in ("whole", "statement") else "memory", bars)
        for framework, results in found.items():
            _summarise(row, framework, key, results)
        rows.append(row)
    return [row for row in rows if row.name in wanted], _import_notes(found)


def _summarise(row: Row, framework: str, key: str, results: list[dict[str, Any]]) -> None:
    failed = [result["error"] for result in results if "error" in result]
    if failed:
        row.errors[framework] = failed[0]
        return
    values = [result[key] for result in results]
    row.figures[framework] = row.medians[framework] = median(values)
    row.repeats[framework] = len(values)


def _import_notes(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    own = next((result for result in found.get("headwater", []) if "error" not in result), None)
    if own is None:
        return []
    printed = f"prints {len(own['printed'])} characters" if own["printed"] else "prints nothing"
    loaded = " and ".join(own["heavy"])
    return [f"import headwater: {printed}, loads {loaded or 'neither Keras nor SciPy nor JAX'}."]


# --- Printing -----------------------------------------------------------------------------------------------


def amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "memory":
        return f"{value / 2**20:.1f} MiB"
    if unit != "time":
        return f"{1 / value:.0f} {unit}/s"
    scale, name = next(((s, n) for s, n in ((1, "s"), (1e-3, "ms")) if value >= s), (1e-6, "us"))
    digits = 3 if name == "s" else 2
    return f"{value / scale:.{digits}f} {name}"


def ratio(row: Row, above: str, below: str) -> str:
    if above not in row.figures or below not in row.figures:
        return ""
    found = row.figures[above] / row.figures[below]
    return f"{found:.2f}" if found < 10 else f"{found:.1f}"


def verdict(bar: Bar, row: Row) -> str:
    words = {True: "met", False: "NOT MET", None: "not measured"}
    return f"{bar.text()}: {words[bar.met(row.figures)]}"


def satisfied(row: Row) -> bool:
    """No bar missed and headwater did not fail; a bar whose peer was not run is not counted."""
    return "headwater" not in row.errors and all(bar.met(row.figures) is not False for bar in row.bars)


def cells(row: Row, frameworks: list[str], pairs: list[tuple[str, str]]) -> list[str]:
    shown = ["failed" if f in row.errors else amount(row.figures.get(f), row.unit) for f in frameworks]
    ratios = [ratio(row, above, below) for above, below in pairs]
    return [row.name, *shown, *ratios, ", ".join(verdict(bar, row) for bar in row.bars)]


def table(rows: list[Row], frameworks: list[str]) -> str:
    """Columns: the case, each framework's figure, the ratios, the bars. A blank line between groups."""
    pairs = [("headwater", "numpy"), ("tensorflow", "headwater"), ("torch", "headwater")]
    pairs = [pair for pair in pairs if set(pair) <= set(frameworks)]
    head = ["case", *frameworks, *(above for above, _ in pairs), "bar"]
    under = [""] * (1 + len(frameworks)) + [f"/{below}" for _, below in pairs] + [""]
    lines = [head, under] + [cells(row, frameworks, pairs) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    last = len(head) - 1

    def shown(line: list[str]) -> str:
        padded = [
            c.ljust(w) if i in (0, last) else c.rjust(w)
            for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    out, group = [shown(head), *([shown(under)] if pairs else []), "-" * (sum(widths) + 2 * last)], ""
    for row, line in zip(rows, lines[2:], strict=True):
        if group not in ("", row.name.split("/")[0]):
            out.append("")
        group = row.name.split("/")[0]
        out.append(shown(line))
    return "\n".join(out)


def failures(rows: list[Row]) -> list[str]:
    """Each error once, with the cases it struck."""
    struck: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for framework, error in row.errors.items():
            struck.setdefault((framework, error), []).append(row.name)
    lines = []
    for (framework, error), names in struck.items():
        where = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        lines.append(f"failed: {framework}, {where}: {error}")
    return lines


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    parts = [f"{os.cpu_count()} cores", model, f"{platform.system()} {platform.machine()}"]
    return ", ".join(part for part in parts if part)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


# --- Leaks --------------------------------------------------------------------------------------------------


def check_leaks(worker: Worker, scale: float) -> tuple[list[dict[str, Any]], bool]:
    """Run both long workloads; print memory at the start, halfway and at the end. The second half counts."""
    reports, flat = [], True
    for kind, full in LEAK_RUNS:
        count = max(2, round(full * scale))
        progress(f"leaks {worker.framework} {kind}")
        answer = worker.ask("leaks", kind=kind, count=count)
        progress("")
        work = {"steps": "eager steps with a tape", "models": "models built, trained a step and dropped"}[
            kind
        ]
        title = f"leaks: {worker.framework}, {count:,} {work}"
        if "error" in answer:
            print(f"{title}: failed: {answer['error']}")
            flat = False
            continue
        marks = answer["marks"]
        used, objects = [mark["bytes"] for mark in marks], [mark["objects"] for mark in marks]
        steady = used[2] - used[1] <= FLAT_BYTES
        memory = " -> ".join(f"{value / 2**20:.1f}" for value in used)
        living = " -> ".join(f"{value:,}" for value in objects)
        print(f"{title}: RSS {memory} MiB ({'flat' if steady else 'GROWS'}); live objects {living}")
        reports.append(
            {"framework": worker.framework, "kind": kind, "count": count, "marks": marks, "flat": steady}
        )
        flat = flat and steady
    return reports, flat


# --- The command --------------------------------------------------------------------------------------------


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="headwater beside NumPy, TensorFlow and PyTorch, as ratios.")
    parser.add_argument(
        "patterns", nargs="*", help="cases to run: shell patterns or parts of names; none means all"
    )
    parser.add_argument("--tensorflow", metavar="PYTHON", help="a Python that has TensorFlow and Keras")
    parser.add_argument("--torch", metavar="PYTHON", help="a Python that has PyTorch")
    parser.add_argument(
        "--rounds", type=int, default=10, help="turns each framework takes in a case (default 10)"
    )
    parser.add_argument("--seconds", type=float, default=0.05, help="length of a turn (default 0.05)")
    parser.add_argument("--median", action="store_true", help="show medians instead of minima")
    parser.add_argument("--threads", type=int, help="threads for each framework (default: its own choice)")
    parser.add_argument("--imports", type=int, default=7, help="processes for each import figure (default 7)")
    parser.add_argument("--leaks", action="store_true", help="run the leak check instead of the table")
    parser.add_argument(
        "--leak-scale", type=float, default=1.0, help="part of the full leak check to run (default 1)"
    )
    parser.add_argument("--json", metavar="FILE", help="write every figure to FILE")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a bar is not met or a case failed"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the cases and stop")
    options = parser.parse_args()
    for python in filter(None, (options.tensorflow, options.torch)):
        if not shutil.which(python):
            parser.error(f"{python} is not a program; expected the path of a Python that has the framework")
    if not chosen(all_names(), options.patterns):
        parser.error(f"no case matches {' '.join(options.patterns)}; --list prints the names")
    return options


def all_names() -> list[str]:
    return [case.name for case in CASES] + list(IMPORT_ROWS)


def start(pythons: dict[str, str], stack: ExitStack) -> tuple[list[Worker], dict[str, dict[str, Any]]]:
    """Workers that could import their framework, and what each said of itself. The others are left out."""
    workers, told = [], {}
    for framework, python in pythons.items():
        progress(f"starting {framework}")
        worker = stack.enter_context(Worker(framework, python))
        answer = worker.ask("hello")
        progress("")
        if "error" in answer:
            print(f"left out: {framework}: {answer['error']}")
            continue
        told[framework] = answer
        workers.append(worker)
        parts = ", ".join(f"{name} {version}" for name, version in answer["versions"].items())
        print(f"{framework}: Python {answer['python']}, {parts}")
    return workers, told


def run_table(options: argparse.Namespace, workers: list[Worker], pythons: dict[str, str]) -> list[Row]:
    frameworks = [worker.framework for worker in workers]
    statistic = "median" if options.median else "minimum"
    names = chosen(all_names(), options.patterns)
    rows: list[Row] = []
    notes: list[str] = []
    for case in CASES:
        if case.name in names:
            progress(case.name)
            rows.append(measure(case, workers, options.rounds, options.seconds))
            if options.median:
                rows[-1].figures = dict(rows[-1].medians)
    if set(IMPORT_ROWS) & set(names):
        here = {framework: pythons[framework] for framework in frameworks}
        imported, notes = measure_imports(here, names, options.imports)
        rows += imported
    progress("")
    threads = options.threads or "each its own choice"
    print(f"\n{statistic} of {options.rounds} interleaved rounds; threads: {threads}")
    print(f"imports: median of {options.imports} processes\n")
    print(table(rows, frameworks))
    print("\n".join(["", *notes, *failures(rows)]).rstrip())
    return rows


def main() -> int:
    options = arguments()
    if options.list:
        print("\n".join(all_names()))
        return 0
    given = {
        "numpy": sys.executable,
        "headwater": sys.executable,
        "tensorflow": options.tensorflow,
        "torch": options.torch,
    }
    pythons = {framework: given[framework] for framework in FRAMEWORKS if given[framework]}
    if options.leaks:
        pythons = {framework: python for framework, python in pythons.items() if FAMILY[framework] == "tf"}
    if options.threads:
        os.environ.update(dict.fromkeys(THREAD_SETTINGS, str(options.threads)))
    print(f"machine: {machine()}")
    with ExitStack() as stack:
        workers, told = start(pythons, stack)
        report: dict[str, Any] = {"machine": machine(), "frameworks": told}
        if options.leaks:
            outcomes = [(worker, *check_leaks(worker, options.leak_scale)) for worker in workers]
            report["leaks"] = [entry for _, entries, _ in outcomes for entry in entries]
            good = all(flat for worker, _, flat in outcomes if worker.framework == "headwater")
        else:
            rows = run_table(options, workers, pythons)
            report["rows"] = [asdict(row) for row in rows]
            good = all(satisfied(row) for row in rows)
        good = good and "headwater" in told
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    return 0 if good or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())

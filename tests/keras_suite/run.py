"""Runs Keras's own tests on headwater and compares with what passes on TensorFlow 2.21.

    python tests/keras_suite/run.py [FOLDER OR FILE...] [-n JOBS]

Names are those of folders or test files under keras/src, such as `ops`, `backend/common` or `losses/loss_test.py`; without
any, all files run of which a test passes on TensorFlow. Each file runs in a process of its own, so a crash or a hang costs
no more than that file. The exit status is 1 where a test that passes on TensorFlow fails here and is not among the known
failures, which may only become fewer. Tests that need a package which is not installed (torch, grain, pandas, flax,
requests, scikit-learn) are not counted; the report says how many they are.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import compare

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
WIDE = ("layers", "backend")
"""Folders whose subfolders are counted by themselves."""
_LACKS = r"(\w+) library is not available"
"""How Keras's tests say that they are skipped for want of a package."""
TESTS_PER_PROCESS = 1000
"""Larger files are run in parts, so that they don't keep the other processes waiting at the end."""


class Job(NamedTuple):
    """A part of a test file: its path, which part of how many, the seconds it may take."""

    path: Path
    part: int
    parts: int
    seconds: int


class Outcome(NamedTuple):
    """What became of a test, and the exception in one line."""

    outcome: str
    why: str


def keras_source() -> Path:
    """The folder keras/src of the installed Keras, which is not imported for that."""
    spec = importlib.util.find_spec("keras")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("Keras is not installed; its tests are part of its package.")
    return Path(spec.submodule_search_locations[0]) / "src"


def find(names: list[str], source: Path) -> dict[Path, str]:
    """The test files under the folders (or files) named -> the name that each is counted under."""
    files: dict[Path, str] = {}
    for name in names:
        name = name.removeprefix("keras/src/").rstrip("/")
        place = source / name
        found = sorted(place.rglob("*_test.py")) if place.is_dir() else [place]
        if not found or not all(f.is_file() for f in found):
            raise SystemExit(f"{name!r} is no folder with tests and no test file under {source}.")
        for file in found:
            files.setdefault(file, name)
    return files


def recorded(source: Path) -> dict[Path, str]:
    """All files of which a test is in the recorded list -> the folder that each is counted under."""
    files: dict[Path, str] = {}
    for module in sorted({compare.file_of(test) for test in compare.expected()}):
        parts = module.split(".")[2:]
        depth = 2 if parts[0] in WIDE else 1
        files[source.joinpath(*parts).with_suffix(".py")] = "/".join(parts[:-1][:depth])
    return files


def missing(wanted: list[str], outcomes: dict[str, Outcome]) -> dict[str, str]:
    """The tests that could not run without a package -> its name."""
    found = {}
    for test in wanted:
        whole = outcomes.get(compare.file_of(test) + "::")
        own = outcomes.get(test)
        if whole is not None:
            found[test] = whole.why
        elif own is not None and own.outcome == "skipped" and (lacks := re.search(_LACKS, own.why)):
            found[test] = lacks[1].lower()
    return found


def module_of(path: Path, source: Path) -> str:
    """`keras.src.ops.math_test` for the file keras/src/ops/math_test.py."""
    return ".".join(("keras", "src", *path.relative_to(source).with_suffix("").parts))


def plan(files: dict[Path, str], wanted: list[str], source: Path, seconds: int) -> list[Job]:
    """The processes to run, those with the most tests first."""
    sizes: dict[str, int] = {}
    for test in wanted:
        sizes[compare.file_of(test)] = sizes.get(compare.file_of(test), 0) + 1
    jobs = []
    for path in sorted(files, key=lambda p: -sizes.get(module_of(p, source), 0)):
        parts = 1 + sizes.get(module_of(path, source), 0) // TESTS_PER_PROCESS
        jobs += [Job(path, i, parts, seconds) for i in range(parts)]
    return jobs


def environment(outcomes: str, job: Job) -> dict[str, str]:
    """The environment of a test process."""
    paths = [str(SOURCE), str(HERE), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HEADWATER_OUTCOMES": outcomes,
        "HEADWATER_PART": f"{job.part}/{job.parts}",
    }


def run_job(job: Job, workdir: str) -> tuple[Job, dict[str, Outcome], str]:
    """Runs one process; gives the outcome of each test, and what is to be said of the process itself."""
    handle, outcomes = tempfile.mkstemp(suffix=".jsonl", dir=workdir)
    os.close(handle)
    command = [
        sys.executable, "-m", "pytest", "-p", "headwater_plugin", "-p", "no:cacheprovider", "-q", "--no-header",
        "--tb=no", "--rootdir", workdir, "-c", os.devnull, str(job.path),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=workdir, env=environment(outcomes, job), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    said = ""
    try:
        output, _ = process.communicate(timeout=job.seconds)
        if process.returncode not in (0, 1, 5):
            said = f"ended with status {process.returncode}: " + " | ".join(output.strip().splitlines()[-4:])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        said = f"was stopped after {job.seconds} seconds"
    return job, read_outcomes(outcomes), said


def read_outcomes(path: str) -> dict[str, Outcome]:
    """The last outcome of each test in the file that the plugin wrote; `started` for one that never ended.

    A test that passes and then fails in its tear-down has failed.
    """
    found: dict[str, Outcome] = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            found[entry["test"]] = Outcome(entry["outcome"], entry.get("why", ""))
    return found


def run_jobs(jobs: list[Job], workers: int) -> dict[str, Outcome]:
    """Runs the processes, `workers` at a time, with a line on each as it ends."""
    outcomes: dict[str, Outcome] = {}
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keras-suite-") as workdir, ThreadPoolExecutor(workers) as pool:
        for future in as_completed([pool.submit(run_job, job, workdir) for job in jobs]):
            job, found, said = future.result()
            outcomes |= found
            passed = sum(o.outcome == "passed" for o in found.values())
            part = f" [{job.part + 1}/{job.parts}]" if job.parts > 1 else ""
            stuck = [t for t, o in found.items() if o.outcome == "started"]
            absent = [o.why for o in found.values() if o.outcome == "not collected"]
            said = f"not collected without {absent[0]}" if absent else said
            line = f"{time.monotonic() - start:6.0f} s  {job.path.parent.name}/{job.path.name}{part}: {passed} of {len(found)} passed"
            print(
                line + (f"; {said}" if said else "") + (f"; not ended: {stuck[-1]}" if stuck else ""),
                flush=True,
            )
    return outcomes


def show(report: compare.Report, outcomes: dict[str, Outcome]) -> None:
    """Prints the table of folders, the known failures by reason, and what was not expected."""
    print(f"\n{'folder':<40}{'expected':>9}{'passed':>9}{'missing':>9}")
    rows = [*sorted(report.folders.items())]
    total = (sum(n for _, (n, _) in rows), sum(g for _, (_, g) in rows))
    for folder, (wanted, good) in [*rows, ("all", total)]:
        share = 100 * good / wanted if wanted else 100.0
        print(f"{folder:<40}{wanted:>9}{good:>9}{wanted - good:>9}{share:>9.2f} %")
    for reason, count in report.known.most_common():
        print(f"known to fail: {count:5} {reason}")
    for test in report.mended:
        print(f"passes now, take it out of {compare.KNOWN.name}: {test}")
    for test in report.unexpected:
        outcome = outcomes.get(test, Outcome("not run", ""))
        print(f"UNEXPECTED {outcome.outcome}: {test}: {outcome.why}")
    print(f"{len(report.unexpected)} unexpected failures, {len(report.mended)} known failures that pass now")


def main(argv: list[str] | None = None) -> int:
    """Runs what the arguments name; 1 if there are unexpected failures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        help="folders or files under keras/src; by default all that are in the recorded list",
    )
    parser.add_argument("-n", "--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--timeout", type=int, default=1200, help="seconds that a process may take")
    parser.add_argument(
        "--outcomes", type=Path, help="write the outcome of every test to this file as JSON lines"
    )
    options = parser.parse_args(argv)
    source = keras_source()
    files = find(options.names, source) if options.names else recorded(source)
    folder_of = {module_of(path, source): name for path, name in files.items()}
    wanted = [test for test in compare.expected() if compare.file_of(test) in folder_of]
    outcomes = run_jobs(plan(files, wanted, source, options.timeout), options.jobs)
    if options.outcomes:
        lines = [json.dumps({"test": t, **o._asdict()}) for t, o in sorted(outcomes.items())]
        options.outcomes.write_text("\n".join(lines) + "\n")
    passed = {test for test, outcome in outcomes.items() if outcome.outcome == "passed"}
    absent = missing(wanted, outcomes)
    wanted = [test for test in wanted if test not in absent]
    report = compare.compare(wanted, passed, compare.parse_known(compare.KNOWN.read_text()), folder_of)
    show(report, outcomes)
    for package, count in Counter(absent.values()).most_common():
        print(f"not counted: {count:5} tests that need {package}")
    return 1 if report.unexpected else 0


if __name__ == "__main__":
    sys.exit(main())

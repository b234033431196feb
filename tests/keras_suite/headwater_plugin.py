"""A pytest plugin: Keras's tests run on headwater, and their outcomes go to a file, a JSON line each.

`run.py` loads it with `-p headwater_plugin` before Keras is imported. The environment tells it more:
HEADWATER_OUTCOMES is the file to append to, HEADWATER_PART is `i/n` to run every n-th test from the i-th on, and
HEADWATER_TEST_SECONDS the time after which a single test is given up. HEADWATER_EAGER=1 runs every tf.function as Python,
which shows what fails for other reasons than compilation.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

import headwater

headwater.install_as_tensorflow()
if os.environ.get("HEADWATER_EAGER") == "1":
    headwater.config.run_functions_eagerly(True)

MARKERS = (
    "requires_trainable_backend: the backend must compute gradients",
    "multi_device: needs several devices",
)


OURS = ("headwater", "tensorflow", "keras")
"""Packages without which a file of tests has failed; others may be missing."""


def skip_if_backend(backend: str, reason: str) -> Any:
    """A mark that Keras's tests import from the conftest of its repository: skips a test on one backend."""
    return pytest.mark.skipif(backend == "tensorflow", reason=reason)


_conftest = types.ModuleType("conftest")
_conftest.skip_if_backend = skip_if_backend  # type: ignore[attr-defined]
sys.modules.setdefault("conftest", _conftest)

_OUTCOMES = os.environ.get("HEADWATER_OUTCOMES", "")
_SECONDS = int(os.environ.get("HEADWATER_TEST_SECONDS", "120"))


def module_of(path: Any) -> str:
    """`keras.src.ops.numpy_test` for that file of the package, whether or not its folder is a package of its own."""
    parts = path.with_suffix("").parts
    return ".".join(parts[len(parts) - 1 - parts[::-1].index("keras") :])


def identity(item: Any) -> str:
    """The test's name in the recorded list: `keras.src.ops.numpy_test.Class::test`, without addresses of objects."""
    classes, _, test = item.nodeid.partition("::")[2].rpartition("::")
    place = module_of(item.path) + ("." + classes.replace("::", ".") if classes else "")
    return re.sub(r"0x[0-9a-f]+", "0x", f"{place}::{test}")


def _write(entry: dict[str, Any]) -> None:
    if _OUTCOMES:
        with open(_OUTCOMES, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def pytest_configure(config: Any) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    number, _, count = os.environ.get("HEADWATER_PART", "0/1").partition("/")
    # Keras makes some tests from sets, whose order differs between processes.
    chosen = set(sorted(item.nodeid for item in items)[int(number) :: int(count)])
    items[:] = [item for item in items if item.nodeid in chosen]


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: Any) -> Iterator[None]:
    """A file that needs a package which is not installed says so, in place of its tests."""
    outcome = yield
    report = outcome.get_result()
    found = re.search(r"No module named '(\w+)", str(report.longrepr)) if report.failed else None
    if found and found[1] not in OURS:
        _write({"test": f"{module_of(collector.path)}::", "outcome": "not collected", "why": found[1]})


def _give_up(signum: int, frame: Any) -> None:
    raise TimeoutError(f"the test took longer than {_SECONDS} seconds")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any) -> Iterator[None]:
    _write({"test": identity(item), "outcome": "started"})
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" or not report.passed:
        _write({"test": identity(item), "outcome": report.outcome, "why": _reason(call)})


def _reason(call: Any) -> str:
    """The exception in one line, with the innermost frame that is headwater's or Keras's."""
    info = call.excinfo
    if info is None:
        return ""
    text = " ".join(str(info.value).split())[:300]
    frames = [(os.path.basename(str(e.path)), e.lineno + 1) for e in info.traceback]
    place = next((f"{name}:{line}" for name, line in reversed(frames) if name != "python.py"), "?")
    return f"{info.typename}: {text} [{place}]"

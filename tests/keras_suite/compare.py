"""The recorded list of what passes on TensorFlow, the list of known failures, and the comparison with both.

`python tests/keras_suite/compare.py OUTCOMES.txt[.gz]` makes the compact list anew from lines `passed<tab>test`.
"""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PASSES = HERE / "tensorflow-2.21-passes.txt.gz"
KNOWN = HERE / "known_failures.txt"

# -- the compact list -------------------------------------------------------------------------------------------------


def pack(tests: list[str]) -> bytes:
    """The tests as a small file: under the line of each class the names in it, every one less what it shares with the last."""
    lines, place, last = [], "", ""
    for test in sorted(tests):
        here, _, name = test.partition("::")
        if here != place:
            lines.append(here)
            place, last = here, ""
        shared = next((i for i, (a, b) in enumerate(zip(name, last)) if a != b), min(len(name), len(last)))
        lines.append(f" {shared} {name[shared:]}")
        last = name
    return gzip.compress("\n".join(lines).encode(), 9, mtime=0)


def unpack(data: bytes) -> list[str]:
    """The tests that `pack` packed."""
    tests, place, last = [], "", ""
    for line in gzip.decompress(data).decode().splitlines():
        if line.startswith(" "):
            shared, _, rest = line[1:].partition(" ")
            last = last[: int(shared)] + rest
            tests.append(f"{place}::{last}")
        else:
            place, last = line, ""
    return tests


def expected() -> list[str]:
    """The tests of Keras that pass on TensorFlow 2.21."""
    return unpack(PASSES.read_bytes())


def file_of(test: str) -> str:
    """`keras.src.ops.numpy_test` of `keras.src.ops.numpy_test.NumpyTest::test_add`."""
    parts = test.partition("::")[0].split(".")
    return ".".join(parts[: next(i for i, p in enumerate(parts) if p.endswith("_test")) + 1])


# -- known failures ---------------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """Tests that are known to fail -> the reason; prefixes stand for all tests that begin so."""

    exact: dict[str, str]
    prefixes: dict[str, str]

    def reason(self, test: str) -> str | None:
        """Why the test is known to fail, or None."""
        if test in self.exact:
            return self.exact[test]
        return next((why for prefix, why in self.prefixes.items() if test.startswith(prefix)), None)


def parse_known(text: str) -> Known:
    """Reads `# reason` headings with the tests below them; a name that ends in `*` is a prefix."""
    known, reason = Known({}, {}), ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("#"):
            reason = line.lstrip("# ")
        elif line and not reason:
            raise ValueError(f"known failures, line {number}: {line!r} stands under no reason")
        elif line.endswith("*"):
            known.prefixes[line[:-1]] = reason
        elif line:
            known.exact[line] = reason
    return known


# -- comparison -------------------------------------------------------------------------------------------------------


class Report(NamedTuple):
    """How outcomes compare with the recorded list."""

    folders: dict[str, tuple[int, int]]
    """Folder -> tests that pass on TensorFlow, those of them that pass here."""
    unexpected: list[str]
    """Tests that pass on TensorFlow, fail here, and are not known to."""
    known: Counter[str]
    """Reason -> how many known failures it explains."""
    mended: list[str]
    """Entries of the known failures that pass now and must be taken out."""


def compare(wanted: list[str], passed: set[str], known: Known, folder_of: dict[str, str]) -> Report:
    """Compares the tests that passed with those `wanted`; `folder_of` says under which heading a file is counted."""
    folders: dict[str, tuple[int, int]] = {}
    unexpected, reasons = [], Counter[str]()
    for test in wanted:
        folder = folder_of[file_of(test)]
        total, good = folders.get(folder, (0, 0))
        folders[folder] = (total + 1, good + (test in passed))
        if test in passed:
            continue
        why = known.reason(test)
        if why is None:
            unexpected.append(test)
        else:
            reasons[why] += 1
    return Report(folders, unexpected, reasons, _mended(wanted, passed, known))


def _mended(wanted: list[str], passed: set[str], known: Known) -> list[str]:
    mended = [test for test in wanted if test in passed and test in known.exact]
    for prefix in known.prefixes:
        under = [test for test in wanted if test.startswith(prefix)]
        if under and all(test in passed for test in under):
            mended.append(prefix + "*")
    return mended


def main(source: Path) -> None:
    """Writes the compact list from lines of outcomes."""
    data = source.read_bytes()
    lines = (gzip.decompress(data) if source.suffix == ".gz" else data).decode().splitlines()
    PASSES.write_bytes(
        pack([_balanced(line.partition("\t")[2]) for line in lines if line.startswith("passed\t")])
    )


def _balanced(test: str) -> str:
    """JUnit files give a name with brackets in it one bracket too many at its end."""
    return test[:-1] if test.endswith("]") and test.count("]") > test.count("[") else test


if __name__ == "__main__":
    main(Path(sys.argv[1]))

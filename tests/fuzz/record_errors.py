"""Records what TensorFlow makes of the mutants: `PYTHONPATH=src python tests/fuzz/record_errors.py`, with TensorFlow 2.21.

Some bad inputs end TensorFlow's process, or keep it busy for ever. So a child process runs them, and when it ends early the
mutant that it was at is noted as "abort" and another child goes on after it.
"""

from __future__ import annotations

import gzip
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = HERE.parent / "conformance" / "mutants-2.21.json.gz"
PATIENCE = 60.0
sys.path[:0] = [str(HERE), str(HERE.parent)]

import mutations  # noqa: E402


def child(start: int) -> None:
    """Prints a line of JSON for each mutant from `start` on."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    import numpy as np
    import tensorflow as tf

    def tensor(array: np.ndarray) -> Any:
        return tf.constant(array, tf.string if array.dtype.kind == "O" else tf.as_dtype(array.dtype))

    def flat(result: Any) -> list[np.ndarray]:
        leaves = tf.nest.flatten(result, expand_composites=True)
        return [np.asarray(tf.convert_to_tensor(x).numpy()) for x in leaves if x is not None]

    for mutant in mutations.mutants()[start:]:
        print(json.dumps([mutant.key, mutations.outcome(mutant, tf, tensor, flat)]), flush=True)


def _lines(start: int) -> list[list[Any]]:
    """What one child has to say before it ends or falls silent."""
    command = [sys.executable, str(Path(__file__)), "--child", str(start)]
    found: list[list[Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        while True:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            line = process.stdout.readline() if ready else ""
            if not line:
                process.kill()
                return found
            found.append(json.loads(line))


def main() -> None:
    """Writes the file."""
    wanted = mutations.mutants()
    answers: dict[str, Any] = {}
    while len(answers) < len(wanted):
        answers |= dict(_lines(len(answers)))
        if len(answers) < len(wanted):
            print("abort:", wanted[len(answers)].key)
            answers[wanted[len(answers)].key] = "abort"
    text = json.dumps(answers, indent=0, sort_keys=True)
    with FILE.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())
    print(f"{len(answers)} mutants in {FILE.stat().st_size:,} bytes: {FILE}")


if __name__ == "__main__":
    child(int(sys.argv[2])) if "--child" in sys.argv else main()

"""Input pipelines side by side with TensorFlow's: `python benchmarks/data.py --tensorflow PYTHON` prints ratios of one run.

PYTHON is an interpreter that has TensorFlow. Each case runs in turns in both processes; the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

ROUNDS = 5
BARS = {"shuffle and batch": 8.0, "map": 4.0, "range, map, filter, batch": 4.0, "records, parse, batch": 1.0}


def cases(tf: Any, folder: str) -> dict[str, Any]:
    """Name -> (data set, elements to take)."""
    import numpy as np

    data, auto = tf.data.Dataset, tf.data.AUTOTUNE
    x, y = np.random.default_rng(0).normal(size=(10000, 20)).astype(np.float32), np.arange(10000)
    path = os.path.join(folder, "rows.tfrecord")
    if not os.path.exists(path):
        _write_records(tf, path)
    features = {"x": tf.io.FixedLenFeature([8], tf.float32), "y": tf.io.FixedLenFeature([], tf.int64)}
    return {
        "shuffle and batch": (data.from_tensor_slices((x, y)).shuffle(10000).batch(32).repeat(), 1500),
        "map": (data.range(10**7).map(lambda i: i * 2 + 1), 20000),
        "range, map, filter, batch": (
            data.range(10**7).map(lambda i: i * 3).filter(lambda i: i % 2 == 0).batch(32), 1500,
        ),
        "records, parse, batch": (
            tf.data.TFRecordDataset(path).repeat()
            .map(lambda r: tf.io.parse_single_example(r, features)).batch(32).prefetch(auto), 300,
        ),
        "records, batch, parse": (
            data.from_tensors(path).repeat().flat_map(tf.data.TFRecordDataset).batch(32)
            .map(lambda r: tf.io.parse_example(r, features)).prefetch(auto), 600,
        ),
        "map with a matrix product": (
            data.from_tensor_slices(x).repeat().map(lambda r: tf.reduce_sum(r * x[:20], axis=1)), 3000,
        ),
    }  # fmt: skip


def _write_records(tf: Any, path: str) -> None:
    train = tf.train
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(5000):
            feature = {
                "x": train.Feature(float_list=train.FloatList(value=[i * 0.5 + j for j in range(8)])),
                "y": train.Feature(int64_list=train.Int64List(value=[i])),
            }
            writer.write(train.Example(features=train.Features(feature=feature)).SerializeToString())


def worker(which: str, folder: str) -> None:
    """Answers the name of a case with its elements a second."""
    if which == "tensorflow":
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow as tf
    else:
        import headwater as tf
    made = cases(tf, folder)
    print(json.dumps(list(made)), flush=True)
    for line in sys.stdin:
        dataset, count = made[line.strip()]
        iterator = iter(dataset)
        for _ in range(20):
            next(iterator)
        start = time.perf_counter()
        for _ in range(count):
            next(iterator)
        print(json.dumps(count / (time.perf_counter() - start)), flush=True)


def main() -> None:
    """Prints one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensorflow", help="an interpreter that has TensorFlow")
    parser.add_argument("--worker")
    parser.add_argument("--folder")
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        workers, names = {}, []
        for which, python in (("headwater", sys.executable), ("tensorflow", options.tensorflow)):
            if python:
                command = [python, __file__, "--worker", which, "--folder", folder]
                workers[which] = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                names = json.loads(workers[which].stdout.readline())  # type: ignore[union-attr]
        for name in names:
            rates: dict[str, list[float]] = {which: [] for which in workers}
            for _ in range(ROUNDS):
                for which, process in workers.items():
                    print(name, file=process.stdin, flush=True)
                    rates[which].append(json.loads(process.stdout.readline()))  # type: ignore[union-attr]
            found = {which: statistics.median(r) for which, r in rates.items()}
            text = ", ".join(f"{which} {rate:,.0f}/s" for which, rate in found.items())
            if len(found) == 2:
                text += f", {found['headwater'] / found['tensorflow']:.1f} times"
                text += f" (bar: {BARS[name]:g})" if name in BARS else ""
            print(f"{name:28} {text}")
        for process in workers.values():
            process.stdin.close()  # type: ignore[union-attr]
            process.wait()


if __name__ == "__main__":
    main()

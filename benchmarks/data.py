"""Input pipelines side by side with TensorFlow's: `python benchmarks/data.py --tensorflow PYTHON` prints ratios of one run.

PYTHON is an interpreter that has TensorFlow. Each case runs in turns in both processes; the best of the rounds counts, as
other work on the machine makes rounds slower and never faster. On a busy machine processor time, that of all threads, tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

ROUNDS = 9
BARS = {"shuffle": 8.0, "map": 4.0, "range, map": 4.0, "records": 1.0}
"""What is asked for, by the beginnings of the names of the cases."""


def cases(tf: Any, folder: str) -> dict[str, Any]:
    """Name -> (data set, elements to take)."""
    data = tf.data.Dataset
    return {
        **shuffled(tf),
        "map": (data.range(10**7).map(lambda i: i * 2 + 1), 20000),
        "map with a matrix product": (
            data.from_tensor_slices(_table(20)[0]).repeat().map(lambda r: tf.reduce_sum(r * _table(20)[0][:20], axis=1)), 3000,
        ),
        "range, map, filter, batch": (
            data.range(10**7).map(lambda i: i * 3).filter(lambda i: i % 2 == 0).batch(32), 1500,
        ),
        **parsed(tf, folder),
        **sized(tf, folder),
    }  # fmt: skip


def _table(width: int) -> Any:
    """Rows of floats and their numbers."""
    import numpy as np

    return np.random.default_rng(0).normal(size=(10000, width)).astype(np.float32), np.arange(10000)


def shuffled(tf: Any) -> dict[str, Any]:
    """Shuffle and batch over arrays in memory."""
    slices = tf.data.Dataset.from_tensor_slices
    x, y = _table(20)
    wide = _table(784)[0]
    return {
        "shuffle, batch": (slices((x, y)).shuffle(10000).batch(32).repeat(), 1500),
        "shuffle, batch: scalars": (slices(y).shuffle(10000).batch(32).repeat(), 1500),
        "shuffle, batch: small buffer": (slices((x, y)).shuffle(1000).batch(32).repeat(), 1500),
        "shuffle, batch: repeated": (slices((x, y)).shuffle(10000).repeat().batch(32), 1500),
        "shuffle, batch: one order": (
            slices((x, y)).shuffle(10000, reshuffle_each_iteration=False).batch(32).repeat(), 1500,
        ),
        "shuffle, batch: large rows": (slices((wide, y)).shuffle(10000).batch(32).repeat(), 1500),
        "shuffle, batch: dictionary": (slices({"x": x, "y": y, "z": y}).shuffle(10000).batch(32).repeat(), 1500),
        "shuffle, batch: 8 components": (slices((x,) * 4 + (y,) * 4).shuffle(10000).batch(32).repeat(), 1500),
    }  # fmt: skip


def parsed(tf: Any, folder: str) -> dict[str, Any]:
    """Records read, parsed and batched."""
    data, auto, io = tf.data.Dataset, tf.data.AUTOTUNE, tf.io
    fixed, var, rows = io.FixedLenFeature, io.VarLenFeature, io.FixedLenSequenceFeature
    number = fixed([], tf.int64)
    kinds = {
        "fixed": {"x": fixed([8], tf.float32), "y": number},
        "varied": {"v": var(tf.float32), "y": number, "ids": var(tf.int64)},
        "sequences": {"v": rows([], tf.float32, True), "y": number, "ids": rows([], tf.int64, True)},
        "strings": {"s": fixed([], tf.string), "words": var(tf.string), "y": number},
        "many": {f"f{k:02}": fixed([], tf.float32 if k % 2 else tf.int64) for k in range(20)},
        "large": {"image": fixed([], tf.string), "y": number},
    }  # fmt: skip
    made: dict[str, Any] = {}
    for kind, features in kinds.items():
        path = os.path.join(folder, f"{kind}.tfrecord")
        if not os.path.exists(path):
            _write_records(tf, path)

        def parse(r: Any, features: Any = features) -> Any:
            return io.parse_example(r, features)

        made[f"records, batch, parse: {kind}"] = (
            tf.data.TFRecordDataset(path).repeat().batch(32).map(parse).prefetch(auto), 400,
        )  # fmt: skip

    def parse_one(r: Any) -> Any:
        return io.parse_single_example(r, kinds["fixed"])

    path = os.path.join(folder, "fixed.tfrecord")
    made["records, parse, batch"] = (
        tf.data.TFRecordDataset(path).repeat().map(parse_one).batch(32).prefetch(auto), 300,
    )  # fmt: skip
    made["records, shuffle, batch, parse"] = (
        data.from_tensors(path).repeat().interleave(tf.data.TFRecordDataset, cycle_length=1).shuffle(1000).batch(32)
        .map(lambda r: io.parse_example(r, kinds["fixed"])).prefetch(auto), 400,
    )  # fmt: skip
    return made


def sized(tf: Any, folder: str) -> dict[str, Any]:
    """Records that hold a string of one size, or a list of floats: parsed alone and in batches, compressed, from several files."""
    data, auto, io, reader = tf.data.Dataset, tf.data.AUTOTUNE, tf.io, tf.data.TFRecordDataset

    def parse(r: Any) -> Any:
        kinds = {"image": io.FixedLenFeature([], tf.string), "y": io.FixedLenFeature([], tf.int64)}
        return io.parse_example(r, kinds)

    def parse_floats(r: Any) -> Any:
        return io.parse_example(r, {"x": io.FixedLenFeature([784], tf.float32)})

    def path(size: int, compression: str = "", part: int = 0) -> str:
        found = os.path.join(folder, f"{size}-{part}.{compression or 'tfrecord'}")
        if not os.path.exists(found):
            _write_sized(tf, found, size, compression)
        return found

    made: dict[str, Any] = {}
    for name, size, count in (
        ("100 B", 100, 600),
        ("1 KB", 1000, 400),
        ("10 KB", 10**4, 100),
        ("100 KB", 10**5, 15),
    ):
        source = reader(path(size)).repeat()
        made[f"records of {name}, batch, parse"] = source.batch(32).map(parse).prefetch(auto), count
        made[f"records of {name}, parse, batch"] = source.map(parse).batch(32).prefetch(auto), count
        made[f"records of {name}, shuffle, batch, parse"] = (
            source.shuffle(500).batch(32).map(parse).prefetch(auto), count,
        )  # fmt: skip
    floats = reader(path(-784)).repeat()
    made["records of 784 floats, batch, parse"] = floats.batch(32).map(parse_floats).prefetch(auto), 200
    made["records of 784 floats, parse, batch"] = floats.map(parse_floats).batch(32).prefetch(auto), 200
    for compression in ("GZIP", "ZLIB"):
        source = reader(path(1000, compression), compression).repeat()
        parsed = source.batch(32).map(parse).prefetch(auto)
        made[f"records of 1 KB, {compression}, batch, parse"] = parsed, 200
    four = [path(1000, "", part) for part in range(4)]
    made["records of 1 KB, 4 files at a time, batch, parse"] = (
        reader(four, num_parallel_reads=4).repeat().batch(32).map(parse).prefetch(auto), 400,
    )  # fmt: skip
    made["records of 1 KB, 4 files interleaved, batch, parse"] = (
        data.from_tensor_slices(four).interleave(reader, cycle_length=4, num_parallel_calls=auto).repeat().batch(32)
        .map(parse, num_parallel_calls=auto).prefetch(auto), 400,
    )  # fmt: skip
    return made


def _write_sized(tf: Any, path: str, size: int, compression: str) -> None:
    import numpy as np

    train = tf.train
    random = np.random.default_rng(0)
    with tf.io.TFRecordWriter(path, compression) as writer:
        for i in range(min(4000, 10**8 // abs(size))):
            if size < 0:
                floats = train.FloatList(value=random.normal(size=-size).astype(np.float32))
                feature = {"x": train.Feature(float_list=floats)}
            else:
                image = random.integers(0, 60, size, np.uint8).tobytes()
                feature = {
                    "image": train.Feature(bytes_list=train.BytesList(value=[image])),
                    "y": train.Feature(int64_list=train.Int64List(value=[i])),
                }
            writer.write(train.Example(features=train.Features(feature=feature)).SerializeToString())


def _write_records(tf: Any, path: str) -> None:
    train = tf.train

    def numbers(*values: int) -> Any:
        return train.Feature(int64_list=train.Int64List(value=values))

    def floats(values: Any) -> Any:
        return train.Feature(float_list=train.FloatList(value=values))

    def strings(*values: bytes) -> Any:
        return train.Feature(bytes_list=train.BytesList(value=values))

    kind = os.path.basename(path).partition(".")[0]
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(4000):
            feature = {"y": numbers(i)}
            if kind == "fixed":
                feature["x"] = floats([i * 0.5 + j for j in range(8)])
            elif kind in ("varied", "sequences"):
                feature["v"] = floats([i * 0.5 + j for j in range(i % 13 + 1)])
                feature["ids"] = numbers(*(i * j % 5000 for j in range(i % 7 + 1)))
            elif kind == "strings":
                feature["s"] = strings(b"word%d" % (i * i))
                feature["words"] = strings(*(b"a" * (j % 5) for j in range(i % 4 + 1)))
            elif kind == "many":
                feature = {f"f{k:02}": floats([i + k]) if k % 2 else numbers(i * k) for k in range(20)}
            else:
                feature["image"] = strings(bytes(1000 + i % 300))
            writer.write(train.Example(features=train.Features(feature=feature)).SerializeToString())


def worker(which: str, folder: str) -> None:
    """Answers the name of a case with its elements a second, by the clock and of processor time."""
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
        start, used = time.perf_counter(), time.process_time()
        for _ in range(count):
            next(iterator)
        found = count / (time.perf_counter() - start), count / (time.process_time() - used)
        print(json.dumps(found), flush=True)


def main() -> None:
    """Prints one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensorflow", help="an interpreter that has TensorFlow")
    parser.add_argument("--only", default="", help="cases whose names hold this")
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
        for name in (n for n in names if options.only in n):
            rates: dict[str, list[list[float]]] = {which: [] for which in workers}
            for _ in range(ROUNDS):
                for which, process in workers.items():
                    print(name, file=process.stdin, flush=True)
                    rates[which].append(json.loads(process.stdout.readline()))  # type: ignore[union-attr]
            found = {which: [max(r) for r in zip(*both, strict=True)] for which, both in rates.items()}
            text = ", ".join(f"{which} {rate[0]:,.0f}/s" for which, rate in found.items())
            if len(found) == 2:
                clock, used = (a / b for a, b in zip(found["headwater"], found["tensorflow"], strict=True))
                text += f", {clock:.1f} times, {used:.1f} by processor time"
                bar = max((b for begin, b in BARS.items() if name.startswith(begin)), default=None)
                text += "" if bar is None else f" (bar: {bar:g})"
            print(f"{name:34} {text}", flush=True)
        for process in workers.values():
            process.stdin.close()  # type: ignore[union-attr]
            process.wait()


if __name__ == "__main__":
    main()

"""Writes the checkpoints in this directory with TensorFlow, for tests/io/test_checkpoint_files.py. Run where TensorFlow 2.21 is:

python tests/io/files/record.py
"""

import json
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
NUMBERS = "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128"


class Objects(tf.Module):
    """Variables of all dtypes in a dictionary, a list and a tuple, tables, a generator."""

    def __init__(self):
        super().__init__()
        self.of = {d: tf.Variable(tf.cast([0, 1, 2], d)) for d in NUMBERS.split()}
        self.strings = [tf.Variable([b"a\0b", b"x" * 200, b""]), tf.Variable("scalar")]
        self.pair = (tf.Variable(tf.zeros([0, 3])), tf.Variable(7.0, name="seven"))
        self.odd = {"a/b.c": tf.Variable(3)}
        self.generator = tf.random.Generator.from_seed(5)
        self.hash = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.hash.insert(["x", "yy"], tf.constant([1, 2], tf.int64))
        self.rows = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
        self.rows.insert(tf.constant([4, 5], tf.int64), [[1.0, 2.0], [3.0, 4.0]])
        self.dense = tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, -1.0, -1, -2, 4)
        self.words = tf.lookup.experimental.DenseHashTable(tf.string, tf.int64, -1, "", "@", 256)
        self.pairs = tf.lookup.experimental.DenseHashTable(
            tf.int64, tf.int64, [-1, -1], [-1, -1], [-2, -2], 4
        )
        keys = tf.range(20, dtype=tf.int64) * 977
        self.dense.insert(keys, tf.cast(keys, tf.float32))
        self.words.insert(tf.strings.as_string(keys), keys)
        self.pairs.insert(tf.stack([keys, keys + 1], 1), tf.stack([keys, keys * 2], 1))


def objects():
    tf.train.Checkpoint(objects=Objects()).save(str(HERE / "objects"))
    tf.train.Checkpoint(iterator=iter(tf.data.Dataset.range(3))).write(str(HERE / "iterator"))


def of_keras():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, use_bias=False, name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(0.1)
    model.compile(optimizer, "mse")
    x = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
    y = np.arange(4, dtype=np.float32).reshape(4, 1)
    model.fit(x, y, epochs=2, verbose=0)
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(HERE / "keras"))
    before = model.predict(x, verbose=0).tolist()
    model.fit(x, y, epochs=1, verbose=0, shuffle=False)
    facts = {"before": before, "after": model.predict(x, verbose=0).tolist()}
    (HERE / "keras.json").write_text(json.dumps(facts))


def bundles():
    def save(name, **tensors):
        names = list(tensors)
        values = [tf.convert_to_tensor(tensors[n]) for n in names]
        tf.raw_ops.SaveV2(
            prefix=str(HERE / name), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
        )

    save("one", a=[1.0, 2.0])
    save("two", b=["x", "yz"])
    parts = [str(HERE / "one"), str(HERE / "two")]
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=parts, destination_prefix=str(HERE / "sharded"), delete_old_dirs=False
    )
    save("named", weights=[1, 2, 3])
    tf.raw_ops.SaveV2(
        prefix=str(HERE / "sliced"),
        tensor_names=["w"],
        shape_and_slices=["4 0,2"],
        tensors=[tf.constant([1.0, 2.0])],
    )
    many = {f"layer_{i * 37 % 200}/{'long' * (i % 9)}/name": i for i in range(200)}
    save("many", **many)


objects()
of_keras()
bundles()
os.remove(HERE / "checkpoint")

"""Expressions on data sets, evaluated on TensorFlow and here: results, or the classes of errors, must be the same.

expressions.txt holds them, one a line; expressions-2.21.json holds TensorFlow's outcomes. messages.pb is what protoc makes of
messages.proto.

python tests/data/recorded.py [--all]     in an environment with TensorFlow 2.21: records the outcomes of new expressions, or all
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import abc
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ANSWERS = HERE / "expressions-2.21.json"


def expressions() -> list[str]:
    """The expressions, in the order of the file."""
    lines = (HERE / "expressions.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def shown(tf: Any, value: Any) -> Any:
    """A value as JSON: what it is as far as users can tell."""
    if (
        isinstance(value, (tf.TypeSpec, tf.TensorShape))
        or value is None
        or type(value).__name__ == "NoneTensorSpec"
    ):
        return str(value)
    if isinstance(value, tf.RaggedTensor):
        splits = value.row_splits.dtype.name
        return {
            "ragged": shown(tf, value.to_list()),
            "dtype": value.dtype.name,
            "rank": value.ragged_rank,
            "splits": splits,
        }
    if isinstance(value, tf.SparseTensor):
        parts = value.indices, value.values, value.dense_shape
        return {"sparse": [shown(tf, p.numpy()) for p in parts], "dtype": value.dtype.name}
    if isinstance(value, (tf.Tensor, tf.Variable)):
        return shown(tf, value.numpy())
    if isinstance(value, (np.ndarray, np.generic)):
        return shown(tf, value.tolist())
    if isinstance(value, tf.data.Dataset):
        return {"dataset": [shown(tf, e) for e in value.take(40)]}
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, abc.Mapping):
        return {str(k): shown(tf, value[k]) for k in value}
    if isinstance(value, (tuple, list)):
        return [shown(tf, v) for v in value]
    if value is True or value is False or isinstance(value, (int, str)):
        return value
    return type(value).__name__


def class_of(error: Exception) -> str:
    """The name of the class of an error; of Python's own where the library has one derived from it."""
    private = type(error).__name__.startswith("Traced")
    return next(c.__name__ for c in type(error).__mro__ if not private or c.__module__ == "builtins")


def names(tf: Any, folder: str) -> dict[str, Any]:
    """What an expression may use, made anew; `folder` is an empty directory."""
    data = tf.data.Dataset

    def elements(dataset: Any, count: int = 40) -> list[Any]:
        return [shown(tf, e) for e in dataset.take(count)]

    def both(dataset: Any) -> Any:
        """The elements, then their specification and number."""
        return elements(dataset), shown(tf, dataset.element_spec), int(dataset.cardinality())

    def error(function: Any) -> str:
        """The class of the error that a call raises."""
        try:
            function()
        except Exception as found:
            return class_of(found)
        return "no error"

    def program(text: str, *args: Any, name: str = "f", graph: bool = True) -> Any:
        """The result of the function f that `text` defines, as a tf.function; lines are parted by "|"."""
        scope = {**made, "tf": tf, "np": np}
        with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
            file.write(text.replace("|", "\n") + "\n")
        try:
            exec(compile(Path(file.name).read_text(), file.name, "exec"), scope)
            return (tf.function(scope[name]) if graph else scope[name])(*args)
        finally:
            os.unlink(file.name)

    def seeded(function: Any, seed: int = 7) -> Any:
        tf.random.set_seed(seed)
        return function()

    def feature(values: list[Any]) -> Any:
        kind = type(values[0]) if values else int
        train = tf.train
        if kind is bytes:
            return train.Feature(bytes_list=train.BytesList(value=values))
        if kind is float:
            return train.Feature(float_list=train.FloatList(value=values))
        return train.Feature(int64_list=train.Int64List(value=values))

    def example(**values: list[Any]) -> bytes:
        features = tf.train.Features(feature={k: feature(v) for k, v in values.items()})
        return tf.train.Example(features=features).SerializeToString()

    def sequence(context: dict[str, list[Any]], **steps: list[list[Any]]) -> bytes:
        lists = {k: tf.train.FeatureList(feature=[feature(x) for x in v]) for k, v in steps.items()}
        return tf.train.SequenceExample(
            context=tf.train.Features(feature={k: feature(v) for k, v in context.items()}),
            feature_lists=tf.train.FeatureLists(feature_list=lists),
        ).SerializeToString()

    parts = [
        example(v=[1, 2, 3, 4, 5], s=[0, 2, 5], l=[2, 3], st=[0, 2], li=[2, 5], id=[0, 0, 1, 1, 1]),
        example(v=[7, 8], s=[0, 0, 2], l=[0, 2], st=[0, 0], li=[0, 2], id=[1, 1]),
        example(v=[], s=[0], l=[], st=[], li=[], id=[]), example(w=[1]),
    ]  # fmt: skip
    steps = [
        sequence(
            {"c": [3], "cs": [b"a", b"b"]}, x=[[1, 2], [3, 4]], y=[[1.0], [2.0, 3.0], [4.0]], z=[[b"q"]]
        ),
        sequence({"c": [4]}, x=[[5, 6]], y=[]),
        sequence({"c": [4]}),
    ]
    io = tf.io
    made = {
        "ex": example, "sx": sequence, "parts": parts, "steps": steps, "P": io.parse_example, "P1": io.parse_single_example,
        "Q": io.parse_sequence_example, "Q1": io.parse_single_sequence_example, "FL": io.FixedLenFeature,
        "VL": io.VarLenFeature, "FS": io.FixedLenSequenceFeature, "SF": io.SparseFeature, "RF": io.RaggedFeature,
        "tf": tf, "np": np, "D": data, "X": tf.data.experimental, "C": tf.constant, "L": elements, "B": both, "error": error,
        "program": program, "seeded": seeded, "r": data.range(5), "TS": tf.TensorSpec, "RS": tf.RaggedTensorSpec,
        "SS": tf.SparseTensorSpec, "i64": tf.int64, "f32": tf.float32, "folder": folder,
        "rt": tf.ragged.constant([[1, 2], [], [3]]), "r3": tf.ragged.constant([[[1, 2], []], [[3]], []]),
        "rs": tf.ragged.constant([["a", "b"], ["c"]]), "st": tf.SparseTensor([[0, 1], [2, 0]], [5, 6], [3, 2]),
        "uneven": data.range(4).map(lambda x: tf.range(x)), "messages": str(HERE / "messages.pb"),
        "shown_of": lambda value: shown(tf, value),
        "EP": io.encode_proto, "DP": io.decode_proto,
    }  # fmt: skip
    return made


def outcome(tf: Any, text: str) -> Any:
    """What an expression gives: its value, or the name of the class of the error."""
    tf.random.set_seed(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            return shown(tf, eval(text, names(tf, folder)))
        except Exception as error:
            return {"error": class_of(error)}


def answers() -> dict[str, Any]:
    """TensorFlow's outcomes."""
    return json.loads(ANSWERS.read_text(encoding="utf-8")) if ANSWERS.exists() else {}


def main() -> None:
    """Records TensorFlow's outcomes."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    known = {} if "--all" in sys.argv else answers()
    found = {text: known[text] if text in known else outcome(tf, text) for text in expressions()}
    lines = [f"{json.dumps(text)}: {json.dumps(value)}" for text, value in found.items()]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

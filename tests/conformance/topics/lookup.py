"""Names for the expressions of lookup.txt; the files are written into a temporary directory."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from typing import Any

FILES = {
    "words": "emerson\nlake\npalmer\n",
    "columns": "emerson\t10\t1.5\nlake\t20\t2.5\npalmer\t30\t-3\n",
    "commas": "10,ten\n20,twenty\n",
    "spaced": "a b\nc d\n",
    "windows": "one\r\ntwo\r\n",
    "open": "one\ntwo",
    "gap": "one\n\ntwo\n",
    "same": "one\none\n",
    "short": "one\t1\ntwo\n",
    "letters": "one\tx\ntwo\ty\n",
    "large": "one\t99999999999\n",
    "unicode": "é\nß\n",
    "empty": "",
}


@cache
def directory() -> str:
    """A directory with the files."""
    made = tempfile.mkdtemp()
    for name, text in FILES.items():
        with open(os.path.join(made, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return made


def names(tf: Any) -> dict[str, Any]:
    """All names of the expressions."""
    experimental = tf.lookup.experimental

    def pairs(keys: Any, values: Any, key: Any = None, value: Any = None) -> Any:
        return tf.lookup.KeyValueTensorInitializer(keys, values, key, value)

    def static(keys: Any, values: Any, default: Any, **named: Any) -> Any:
        return tf.lookup.StaticHashTable(pairs(keys, values, **named), default)

    def path(name: str) -> str:
        return os.path.join(directory(), name)

    def of_file(name: str, *arguments: Any, default: Any = -1, **named: Any) -> Any:
        """The table of a file, and what it holds, sorted."""
        return held(
            tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(path(name), *arguments, **named), default)
        )

    def held(table: Any) -> Any:
        """Keys and values of a table in the order of the keys, and its size."""
        keys, values = table.export()
        order = tf.argsort(tf.strings.to_hash_bucket_fast(keys, 1 << 30) if keys.dtype == tf.string else keys)
        return tf.gather(keys, order), tf.gather(values, order), table.size()

    def mutable(
        *arguments: Any,
        keys: Any = None,
        values: Any = None,
        kind: Any = experimental.MutableHashTable,
        **named: Any,
    ) -> Any:
        table = kind(*arguments, **named)
        if keys is not None:
            table.insert(keys, values)
        return table

    def dense(*arguments: Any, **named: Any) -> Any:
        return mutable(*arguments, kind=experimental.DenseHashTable, **named)

    def after(table: Any, *steps: Any) -> Any:
        """What the table holds after the steps, each a method's name and arguments."""
        results = [getattr(table, name)(*arguments) for name, *arguments in steps]
        return [r for r in results if isinstance(r, tf.Tensor)], held(table)

    def then(table: Any, *steps: Any) -> Any:
        """What the last of the steps gives, each a method's name and arguments."""
        return [getattr(table, name)(*arguments) for name, *arguments in steps][-1]

    def in_function(function: Any, *arguments: Any) -> Any:
        """The result of a traced function, called twice."""
        traced = tf.function(function, autograph=False)
        return traced(*arguments), traced(*arguments)

    return {
        "K": tf.lookup.KeyValueTensorInitializer,
        "T": tf.lookup.StaticHashTable,
        "V": tf.lookup.StaticVocabularyTable,
        "F": tf.lookup.TextFileInitializer,
        "WHOLE": tf.lookup.TextFileIndex.WHOLE_LINE,
        "NUMBER": tf.lookup.TextFileIndex.LINE_NUMBER,
        "MT": experimental.MutableHashTable,
        "DT": experimental.DenseHashTable,
        "pairs": pairs,
        "static": static,
        "of_file": of_file,
        "path": path,
        "held": held,
        "mutable": mutable,
        "dense": dense,
        "after": after,
        "then": then,
        "in_function": in_function,
        "t": static(["a", "b"], tf.constant([1, 2], tf.int64), -1),
        "n": static(tf.constant([5, 7], tf.int64), ["five", "seven"], "?"),
        "v": tf.lookup.StaticVocabularyTable(pairs(["a", "b"], tf.constant([0, 1], tf.int64)), 5),
        "m": mutable(tf.string, tf.int64, -1, keys=["a", "b"], values=tf.constant([1, 2], tf.int64)),
        "mv": mutable(
            tf.int64,
            tf.float32,
            [0.0, 0.5],
            keys=tf.constant([1, 2], tf.int64),
            values=[[1.0, 2.0], [3.0, 4.0]],
        ),
        "dt": dense(
            tf.int64,
            tf.int64,
            -1,
            0,
            -2,
            keys=tf.constant([3, 4], tf.int64),
            values=tf.constant([30, 40], tf.int64),
        ),
    }

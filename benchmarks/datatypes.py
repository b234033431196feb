"""Strings, ragged and sparse tensors, sets, queues and tables beside TensorFlow's, in one run, printed as ratios.

    python benchmarks/datatypes.py --tensorflow PYTHON              # all cases; PYTHON is an interpreter that has TensorFlow
    python benchmarks/datatypes.py --tensorflow PYTHON split hash   # those whose names contain one of the words

Both libraries run the same text: `GROUPS` has a function for each family, which makes the cases of the library it is given. The two
processes take turns; the fastest turn of each counts. A bar is the smallest ratio (TensorFlow's time by headwater's) that is asked for.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ROUNDS = 7
TURN = 0.1
"""A case is repeated for so many seconds in each turn, at least once."""
TICKS = 1e-4
"""Seconds that are measured at least: the clock of a process's time moves in steps."""
BAR = 1 / 1.5
"""What every case is asked for, where BARS has nothing else: no more than 1.5 times TensorFlow's time."""
BARS: dict[str, float] = dict.fromkeys(
    (
        f"strings/{name}"
        for name in (
            "strip",
            "lower",
            "join",
            "reduce_join",
            "bytes_split",
            "unicode_decode",
            "unicode_split",
        )
    ),
    1.0,
)

Cases = dict[str, Callable[[], Any]]


def words(count: int, letters: str, seed: int = 0) -> list[bytes]:
    """Strings of 5 to 30 characters, as UTF-8."""
    draw = np.random.default_rng(seed)
    text = "".join(draw.choice(list(letters), 30 * count))
    ends = np.cumsum(draw.integers(5, 31, count)).tolist()
    return [text[a:b].encode() for a, b in zip([0, *ends], ends, strict=False)]


def strings(tf: Any) -> Cases:
    """100,000 strings of 5 to 30 characters, ASCII and mixed; and three strings, where the cost of a call counts."""
    s, count = tf.strings, 100_000
    ascii_ = tf.constant(words(count, "abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789,  "))
    mixed = tf.constant(words(count, "abcdefghijklmnop  éüßñαβγдж日本語漢字😀"))
    parts = tf.strings.split(ascii_)
    codes = tf.strings.unicode_decode(mixed, "UTF-8")
    wide = tf.strings.unicode_transcode(mixed, "UTF-8", "UTF-16-BE")
    draw = np.random.default_rng(1)
    whole = tf.constant(draw.integers(-(10**9), 10**9, count))
    floats = tf.constant(draw.normal(size=count).astype(np.float32) * 1000)
    whole_texts, float_texts = tf.strings.as_string(whole), tf.strings.as_string(floats)
    segments = tf.constant(np.sort(draw.integers(0, 20_000, count)))
    spaced = tf.strings.join(["  ", ascii_, " \n"])
    fixed = tf.constant([w.ljust(32) for w in ascii_.numpy().tolist()])
    square = tf.reshape(ascii_, [1000, 100])
    few = tf.constant(["a bc", "déf", "g hi j"])
    numbers = tf.constant(["1", "22", "333"])
    return {
        "length": lambda: s.length(ascii_),
        "length of characters": lambda: s.length(mixed, "UTF8_CHAR"),
        "substr": lambda: s.substr(ascii_, 2, 5),
        "substr of characters": lambda: s.substr(mixed, 2, 3, "UTF8_CHAR"),
        "split": lambda: s.split(ascii_),
        "split at a comma": lambda: s.split(ascii_, ","),
        "split, mixed": lambda: s.split(mixed),
        "split, to_tensor": lambda: s.split(ascii_).to_tensor(""),
        "bytes_split": lambda: s.bytes_split(ascii_),
        "strip": lambda: s.strip(spaced),
        "lower": lambda: s.lower(ascii_),
        "upper": lambda: s.upper(ascii_),
        "lower, mixed": lambda: s.lower(mixed, "utf-8"),
        "join": lambda: s.join([ascii_, ascii_], "-"),
        "join with a scalar": lambda: s.join([ascii_, "x"]),
        "reduce_join": lambda: s.reduce_join(square, 1, separator=" "),
        "reduce_join of all": lambda: s.reduce_join(ascii_),
        "unsorted_segment_join": lambda: s.unsorted_segment_join(ascii_, segments, 20_000, " "),
        "regex_full_match": lambda: s.regex_full_match(ascii_, "[a-z].*[0-9]"),
        "regex_full_match, mixed": lambda: s.regex_full_match(mixed, r"\pL.*[α-ω].*"),
        "regex_replace": lambda: s.regex_replace(ascii_, "[0-9]+", "#"),
        "regex_replace with groups": lambda: s.regex_replace(ascii_, "([a-z]+)([0-9])", r"\2\1"),
        "regex_replace, mixed": lambda: s.regex_replace(mixed, "[^a-z ]", "_"),
        "to_number float32": lambda: s.to_number(float_texts),
        "to_number int64": lambda: s.to_number(whole_texts, tf.int64),
        "as_string int64": lambda: s.as_string(whole),
        "as_string float32": lambda: s.as_string(floats),
        "as_string, two digits": lambda: s.as_string(floats, precision=2),
        "to_hash_bucket": lambda: s.to_hash_bucket(ascii_, 1000),
        "to_hash_bucket_fast": lambda: s.to_hash_bucket_fast(ascii_, 1000),
        "to_hash_bucket_fast, mixed": lambda: s.to_hash_bucket_fast(mixed, 1000),
        "to_hash_bucket_strong": lambda: s.to_hash_bucket_strong(ascii_, 1000, [1, 2]),
        "unicode_decode": lambda: s.unicode_decode(ascii_, "UTF-8"),
        "unicode_decode, mixed": lambda: s.unicode_decode(mixed, "UTF-8"),
        "unicode_decode of UTF-16": lambda: s.unicode_decode(wide, "UTF-16-BE"),
        "unicode_decode_with_offsets": lambda: s.unicode_decode_with_offsets(mixed, "UTF-8"),
        "unicode_split": lambda: s.unicode_split(ascii_, "UTF-8"),
        "unicode_split, mixed": lambda: s.unicode_split(mixed, "UTF-8"),
        "unicode_encode": lambda: s.unicode_encode(codes, "UTF-8"),
        "unicode_transcode": lambda: s.unicode_transcode(mixed, "UTF-8", "UTF-16-BE"),
        "unicode_transcode, mending": lambda: s.unicode_transcode(mixed, "UTF-8", "UTF-8"),
        "unicode_script": lambda: s.unicode_script(codes.values),
        "ngrams": lambda: s.ngrams(parts, 2),
        "ngrams of two widths, padded": lambda: s.ngrams(parts, [1, 2], pad_values="_"),
        "decode_raw": lambda: tf.io.decode_raw(fixed, tf.uint8),
        "equal": lambda: ascii_ == spaced,
        "three: length": lambda: s.length(few),
        "three: split": lambda: s.split(few),
        "three: unicode_decode": lambda: s.unicode_decode(few, "UTF-8"),
        "three: lower": lambda: s.lower(few),
        "three: to_number": lambda: s.to_number(numbers),
        "three: as_string": lambda: s.as_string(whole[:3]),
        "three: to_hash_bucket_fast": lambda: s.to_hash_bucket_fast(few, 10),
        "three: to_hash_bucket_strong": lambda: s.to_hash_bucket_strong(few, 10, [1, 2]),
        "three: regex_replace": lambda: s.regex_replace(few, "[a-c]", "x"),
        "three: substr": lambda: s.substr(few, 1, 2),
        "three: join": lambda: s.join([few, few]),
        "three: format": lambda: s.format("{} is {}", (whole[:3], floats[0])),
    }


def sparse(tf: Any) -> Cases:
    """A million elements in 10,000 rows and columns, in order and shuffled; and three, where the cost of a call counts."""
    draw, sp, count, size = np.random.default_rng(2), tf.sparse, 1_000_000, 10_000
    places = [np.unique(draw.integers(0, size * size, count)) for _ in range(2)]
    made = []
    for flat in places:
        values = tf.constant(draw.normal(size=len(flat)).astype(np.float32))
        made.append(tf.SparseTensor(np.stack(np.divmod(flat, size), 1), values, [size, size]))
    a, b = made
    mixed = draw.permutation(len(places[0]))
    shuffled = tf.SparseTensor(np.stack(np.divmod(places[0][mixed], size), 1), a.values, [size, size])
    tall = tf.SparseTensor(np.stack(np.divmod(places[0], 20), 1), a.values, [size * size // 20, 20])
    image = np.stack(np.divmod(np.flatnonzero(draw.random(4_000_000) < 0.25), 2000), 1)
    spread = tf.SparseTensor(
        image, tf.constant(draw.normal(size=len(image)).astype(np.float32)), [2000, 2000]
    )
    dense = tf.constant(
        np.where(draw.random((2000, 2000)) < 0.25, draw.normal(size=(2000, 2000)), 0).astype(np.float32)
    )
    wide = tf.constant(draw.normal(size=(size, 64)).astype(np.float32))
    thin = tf.constant(draw.normal(size=(64, size)).astype(np.float32))
    keep, rows = (
        tf.constant(draw.random(len(places[0])) < 0.5),
        tf.constant(draw.normal(size=(size, 16)).astype(np.float32)),
    )
    taken = tf.constant(draw.integers(0, size, 200_000))
    segments = tf.constant(np.sort(draw.integers(0, 20_000, 200_000)))
    ids = tf.SparseTensor(
        np.stack([np.repeat(np.arange(100_000), 2), np.tile([0, 1], 100_000)], 1), taken, [100_000, 2]
    )
    few = tf.SparseTensor([[0, 0], [0, 2], [1, 1]], [1.0, 2.0, 3.0], [2, 3])
    three = tf.constant([[1.0], [2.0], [3.0]])
    return {
        "sparse_dense_matmul": lambda: sp.sparse_dense_matmul(a, wide),
        "sparse_dense_matmul, adjoint_a": lambda: sp.sparse_dense_matmul(a, wide, adjoint_a=True),
        "sparse_dense_matmul, adjoint_b": lambda: sp.sparse_dense_matmul(a, thin, adjoint_b=True),
        "sparse_dense_matmul, unordered": lambda: sp.sparse_dense_matmul(shuffled, wide),
        "dense times sparse": lambda: sp.sparse_dense_matmul(thin, a),
        "reorder": lambda: sp.reorder(shuffled),
        "reorder of ordered": lambda: sp.reorder(a),
        "to_dense": lambda: sp.to_dense(spread),
        "from_dense": lambda: sp.from_dense(dense),
        "add": lambda: sp.add(a, b),
        "add of the same places": lambda: sp.add(a, a),
        "add to a tensor": lambda: sp.add(spread, dense),
        "times a tensor": lambda: spread * dense,
        "maximum": lambda: sp.maximum(a, b),
        "reduce_sum": lambda: sp.reduce_sum(a),
        "reduce_sum of rows": lambda: sp.reduce_sum(a, 1),
        "reduce_sum of columns": lambda: sp.reduce_sum(a, 0),
        "reduce_sum, sparse": lambda: sp.reduce_sum(a, 1, output_is_sparse=True),
        "reduce_max of rows": lambda: sp.reduce_max(a, 1),
        "concat of rows": lambda: sp.concat(0, [a, b]),
        "concat of columns": lambda: sp.concat(1, [a, b]),
        "slice": lambda: sp.slice(a, [2000, 2000], [5000, 5000]),
        "split": lambda: sp.split(a, 4, 1),
        "transpose": lambda: sp.transpose(a),
        "reshape": lambda: sp.reshape(a, [100, -1, 100]),
        "softmax": lambda: sp.softmax(a),
        "retain": lambda: sp.retain(a, keep),
        "fill_empty_rows": lambda: sp.fill_empty_rows(tall, 0.0),
        "map_values": lambda: sp.map_values(tf.square, a),
        "segment_sum": lambda: sp.segment_sum(rows, taken, segments),
        "segment_mean": lambda: sp.segment_mean(rows, taken, segments),
        "bincount": lambda: sp.bincount(taken),
        "embedding_lookup_sparse": lambda: tf.nn.embedding_lookup_sparse(rows, ids, None),
        "few: to_dense": lambda: sp.to_dense(few),
        "few: reorder": lambda: sp.reorder(few),
        "few: add": lambda: sp.add(few, few),
        "few: sparse_dense_matmul": lambda: sp.sparse_dense_matmul(few, three),
        "few: reduce_sum": lambda: sp.reduce_sum(few, 1),
        "few: transpose": lambda: sp.transpose(few),
        "few: slice": lambda: sp.slice(few, [0, 0], [1, 2]),
        "few: times a number": lambda: few * 2.0,
    }


def sets(tf: Any) -> Cases:
    """A million ids in one row, 10,000 rows of a hundred, and words; dense, and sparse beside dense."""
    draw, count = np.random.default_rng(3), 1_000_000
    one, other = (tf.constant(draw.integers(0, 2 * count, (1, count))) for _ in range(2))
    rows, more = (tf.constant(draw.integers(0, 1000, (10_000, 100))) for _ in range(2))
    small, less = (tf.constant(draw.integers(0, 1000, (10_000, 100)).astype(np.int32)) for _ in range(2))
    at = np.stack(np.divmod(np.arange(count), 100), 1)
    listed = tf.SparseTensor(at, tf.constant(draw.integers(0, 1000, count)), [10_000, 100])
    text, page = (tf.constant([words(100_000, "abcdefgh", seed)]) for seed in (1, 2))
    names_, others = (
        tf.constant(
            np.array([f"w{i}".encode() for i in draw.integers(0, 5000, 100_000)], object).reshape(1000, 100)
        )
        for _ in range(2)
    )
    few, two = tf.constant([[1, 2, 3]]), tf.constant([[2, 5]])
    s = tf.sets
    return {
        "union of one row": lambda: s.union(one, other),
        "intersection of one row": lambda: s.intersection(one, other),
        "difference of one row": lambda: s.difference(one, other),
        "union of rows": lambda: s.union(rows, more),
        "intersection of rows": lambda: s.intersection(rows, more),
        "difference of rows": lambda: s.difference(rows, more),
        "union of rows, int32": lambda: s.union(small, less),
        "union of dense and sparse rows": lambda: s.union(rows, listed),
        "union of sparse rows": lambda: s.union(listed, listed),
        "size": lambda: s.size(listed),
        "union of strings": lambda: s.union(text, page),
        "union of rows of strings": lambda: s.union(names_, others),
        "intersection of rows of strings": lambda: s.intersection(names_, others),
        "difference of rows of strings": lambda: s.difference(names_, others),
        "few: union": lambda: s.union(few, two),
        "few: intersection": lambda: s.intersection(few, two),
    }


def lookup(tf: Any) -> Cases:
    """Tables of 100,000 keys that are asked for a million, with and without unknown ones; and inserts of a million."""
    draw, count, keys = np.random.default_rng(4), 1_000_000, 100_000
    experimental = tf.lookup.experimental
    numbers = draw.choice(10**12, keys, replace=False)
    terms = np.array([b"term%d" % i for i in range(keys)], object)
    line, values = np.arange(keys), tf.constant(np.arange(keys))

    def table(of: Any) -> Any:
        return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(of), values), -1)

    by_number, by_line, by_term = table(numbers), table(line), table(terms)
    to_term = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(values, tf.constant(terms)), "?")
    drawn = draw.integers(0, keys, count)
    asked, asked_line = tf.constant(numbers[drawn]), tf.constant(drawn)
    asked_terms = tf.constant(terms[drawn])
    fresh = tf.constant(np.array([b"term%d" % i for i in draw.integers(0, 2 * keys, count)], object))
    vocabulary = tf.lookup.StaticVocabularyTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(terms), values), 100
    )
    unknown = tf.constant(np.array([b"other%d" % i for i in draw.integers(0, keys, keys)], object))
    many = tf.constant(draw.choice(10**12, count, replace=False))
    many_terms = tf.constant(np.array([b"key%d" % i for i in range(count)], object))
    results = tf.constant(np.arange(count))
    filled = experimental.MutableHashTable(tf.int64, tf.int64, -1)
    filled.insert(many, results)
    filled_terms = experimental.MutableHashTable(tf.string, tf.int64, -1)
    filled_terms.insert(many_terms, results)
    dense = experimental.DenseHashTable(tf.int64, tf.int64, -1, -1, -2)
    dense.insert(many, results)
    few, one = tf.constant([b"term1", b"x"]), tf.constant(numbers[:3])

    def inserted(keys_: Any, kind: Any) -> Any:
        made = experimental.MutableHashTable(kind, tf.int64, -1)
        made.insert(keys_, results)
        return made

    return {
        "int64 keys": lambda: by_number.lookup(asked),
        "int64 keys of a narrow range": lambda: by_line.lookup(asked_line),
        "string keys": lambda: by_term.lookup(asked_terms),
        "string keys, half of them unknown": lambda: by_term.lookup(fresh),
        "string values": lambda: to_term.lookup(asked_line),
        "a vocabulary": lambda: vocabulary.lookup(asked_terms),
        "a vocabulary, half of them unknown": lambda: vocabulary.lookup(fresh),
        "a vocabulary, 100,000 unknown": lambda: vocabulary.lookup(unknown),
        "MutableHashTable": lambda: filled.lookup(many),
        "MutableHashTable of strings": lambda: filled_terms.lookup(many_terms),
        "DenseHashTable": lambda: dense.lookup(many),
        "insert into MutableHashTable": lambda: inserted(many, tf.int64),
        "insert of strings": lambda: inserted(many_terms, tf.string),
        "insert again": lambda: filled.insert(many, results),
        "making a table": lambda: table(numbers),
        "making a table of strings": lambda: table(terms),
        "export": lambda: filled.export(),
        "few: strings": lambda: by_term.lookup(few),
        "few: int64": lambda: by_number.lookup(one),
        "few: MutableHashTable": lambda: filled.lookup(one),
        "few: insert": lambda: filled.insert(one, values[:3]),
    }


def ragged(tf: Any) -> Cases:
    """A million values in 100,000 rows of 0 to 20; and three rows, where the cost of a call counts."""

    def doubled(row: Any) -> Any:
        return row * 2.0

    draw, count = np.random.default_rng(4), 100_000
    lengths = draw.multinomial(10 * count, np.full(count, 1 / count))
    flat = draw.normal(size=10 * count).astype(np.float32)
    many = tf.RaggedTensor.from_row_lengths(flat, lengths)
    whole = tf.cast(many, tf.int32)
    padded = many.to_tensor()
    mask = many > 0.0
    outer = tf.RaggedTensor.from_row_lengths(many, np.full(count // 10, 10))
    sparse = many.to_sparse()
    rows = tf.constant(draw.integers(0, count, count))
    column = tf.constant(draw.normal(size=[count, 1]).astype(np.float32))
    row_lengths, row_ids = tf.constant(lengths), many.value_rowids()
    lists = [[float(i)] * int(n) for i, n in enumerate(lengths[:10_000])]
    few = tf.RaggedTensor.from_row_lengths(np.float32([1, 2, 3]), [2, 0, 1])
    other = few * 2.0
    small_mask = few > 1.0
    ids = tf.constant([2, 0])
    part = tf.RaggedTensor.from_row_lengths(flat[: sum(lengths[:1000])], lengths[:1000])
    return {
        "concat, axis 0": lambda: tf.concat([many, many], 0),
        "concat, axis 1": lambda: tf.concat([many, many], 1),
        "sum, axis 1": lambda: tf.reduce_sum(many, 1),
        "sum, axis 0": lambda: tf.reduce_sum(many, 0),
        "max, axis 1": lambda: tf.reduce_max(many, 1),
        "max, axis 0": lambda: tf.reduce_max(many, 0),
        "mean, axis 1": lambda: tf.reduce_mean(many, 1),
        "mean, axis 0": lambda: tf.reduce_mean(many, 0),
        "sum of integers, axis 1": lambda: tf.reduce_sum(whole, 1),
        "sum, axis 1 of three": lambda: tf.reduce_sum(outer, 1),
        "sum, axis 2 of three": lambda: tf.reduce_sum(outer, 2),
        "to_tensor": lambda: many.to_tensor(),
        "to_tensor, cut": lambda: many.to_tensor(shape=[None, 8]),
        "to_tensor, two ragged dimensions": lambda: outer.to_tensor(),
        "from_tensor": lambda: tf.RaggedTensor.from_tensor(padded),
        "from_tensor, lengths": lambda: tf.RaggedTensor.from_tensor(padded, lengths=row_lengths),
        "from_tensor, padding": lambda: tf.RaggedTensor.from_tensor(padded, padding=0.0),
        "to_sparse": lambda: many.to_sparse(),
        "from_sparse": lambda: tf.RaggedTensor.from_sparse(sparse),
        "gather of rows": lambda: tf.gather(many, rows),
        "boolean_mask": lambda: tf.ragged.boolean_mask(many, mask),
        "first two columns": lambda: many[:, :2],
        "last column": lambda: many[:, -1:],
        "half the rows": lambda: many[: count // 2],
        "every other row": lambda: many[::2],
        "reversed rows": lambda: many[:, ::-1],
        "add": lambda: many + many,
        "add a scalar": lambda: many + 1.0,
        "add a column": lambda: many + column,
        "where": lambda: tf.where(mask, many, 0.0),
        "softmax": lambda: tf.nn.softmax(many),
        "cumsum": lambda: tf.cumsum(many, 1),
        "tile": lambda: tf.tile(many, [1, 2]),
        "stack": lambda: tf.stack([many, many], 1),
        "expand_dims": lambda: tf.expand_dims(many, 1),
        "ragged.range": lambda: tf.ragged.range(row_lengths),
        "from_row_lengths": lambda: tf.RaggedTensor.from_row_lengths(flat, row_lengths),
        "from_value_rowids": lambda: tf.RaggedTensor.from_value_rowids(flat, row_ids, count),
        "merge_dims": lambda: outer.merge_dims(1, 2),
        "to_list": lambda: many.to_list(),
        "numpy": lambda: part.numpy(),
        "ragged.constant": lambda: tf.ragged.constant(lists),
        "map_fn of 1,000 rows": lambda: tf.map_fn(doubled, part),
        "three rows, from_row_splits": lambda: tf.RaggedTensor.from_row_splits(few.values, few.row_splits),
        "three rows, add": lambda: few + other,
        "three rows, add a scalar": lambda: few + 1.0,
        "three rows, concat, axis 0": lambda: tf.concat([few, other], 0),
        "three rows, concat, axis 1": lambda: tf.concat([few, other], 1),
        "three rows, sum": lambda: tf.reduce_sum(few, 1),
        "three rows, max, axis 0": lambda: tf.reduce_max(few, 0),
        "three rows, mean": lambda: tf.reduce_mean(few, 1),
        "three rows, to_tensor": lambda: few.to_tensor(),
        "three rows, to_sparse": lambda: few.to_sparse(),
        "three rows, first column": lambda: few[:, :1],
        "three rows, gather": lambda: tf.gather(few, ids),
        "three rows, boolean_mask": lambda: tf.ragged.boolean_mask(few, small_mask),
        "three rows, row": lambda: few[0],
        "three rows, to_list": lambda: few.to_list(),
        "three rows, constant": lambda: tf.ragged.constant([[1.0, 2.0], [], [3.0]]),
    }


def queues(tf: Any) -> Cases:
    """Elements put into a queue and taken out again: small ones one by one, and many at a time."""
    number, row, many = (
        tf.constant(1),
        tf.constant([1.0, 2.0, 3.0]),
        tf.constant(np.arange(1000, dtype=np.int32)),
    )
    rows = tf.constant(np.ones((1000, 32), np.float32))
    one = tf.queue.FIFOQueue(10, [tf.int32], [[]])
    pair = tf.queue.FIFOQueue(10, [tf.int32, tf.float32], [[], [3]])
    long, wide = tf.queue.FIFOQueue(2000, [tf.int32], [[]]), tf.queue.FIFOQueue(2000, [tf.float32], [[32]])
    shuffled = tf.queue.RandomShuffleQueue(2000, 0, [tf.int32], [[]], seed=1)
    priority = tf.queue.PriorityQueue(2000, [tf.float32], [[]])
    padded = tf.queue.PaddingFIFOQueue(10, [tf.float32], [[None]])
    ranks, values = tf.constant(np.arange(1000)[::-1].copy()), tf.constant(np.ones(1000, np.float32))

    def through(queue: Any, element: Any) -> Callable[[], Any]:
        return lambda: (queue.enqueue(element), queue.dequeue())

    def all_through(queue: Any, elements: Any) -> Callable[[], Any]:
        return lambda: (queue.enqueue_many(elements), queue.dequeue_many(1000))

    def step(x: Any) -> Any:
        one.enqueue(x)
        return one.dequeue()

    traced = tf.function(step, autograph=False)
    return {
        "one integer": through(one, (number,)),
        "a pair": through(pair, (number, row)),
        "one integer, in a function": lambda: traced(number),
        "one row, padding": through(padded, (row,)),
        "1,000 integers": all_through(long, (many,)),
        "1,000 rows of 32": all_through(wide, (rows,)),
        "1,000 integers, shuffled": all_through(shuffled, (many,)),
        "1,000 numbers, by priority": all_through(priority, (ranks, values)),
        "size": lambda: one.size(),
    }


GROUPS: dict[str, Callable[[Any], Cases]] = {
    "strings": strings,
    "ragged": ragged,
    "sparse": sparse,
    "sets": sets,
    "lookup": lookup,
    "queues": queues,
}
"""Family -> the function that makes its cases, by name, for a library."""


def worker(which: str, cpu: bool) -> None:
    """Answers the name of a case with the seconds of its fastest repeat in one turn, or with what went wrong."""
    if which == "tensorflow":
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow as tf
    else:
        import headwater as tf
    made: dict[str, Cases] = {}
    clock = time.process_time if cpu else time.perf_counter
    gc.disable()
    for line in sys.stdin:
        group, _, name = line.strip().partition("/")
        try:
            if group not in made:
                made.clear()
                gc.collect()
                made[group] = GROUPS[group](tf)
            answer: float | str = fastest(made[group][name], clock)
        except Exception as error:
            answer = f"{type(error).__name__}: {error}".splitlines()[0]
        print(json.dumps(answer), flush=True)


def fastest(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Seconds of the fastest of the calls that fit in a turn; short ones are timed many at once."""
    best, count, end = float("inf"), 1, time.perf_counter() + TURN
    while best == float("inf") or time.perf_counter() < end:
        start = clock()
        for _ in range(count):
            call()
        took = clock() - start
        if took < TICKS:
            count *= 2
        else:
            best = min(best, took / count)
    return best


def names(wanted: list[str]) -> list[str]:
    """The cases, as "group/name", whose names contain one of the words; all without words."""
    nothing = _Nothing()
    found = [f"{group}/{name}" for group, make in GROUPS.items() for name in make(nothing)]
    return [n for n in found if not wanted or any(w in n for w in wanted)]


class _Nothing:
    """Stands for a library where only the names of the cases matter: whatever is done with it gives itself."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __getitem__(self, _: Any) -> Any:
        return self

    def __mul__(self, _: Any) -> Any:
        return self

    __gt__ = __mul__

    def __iter__(self) -> Any:
        return iter(())


def shown(seconds: float) -> str:
    """A time as people read it."""
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def main() -> int:
    """Prints one line a case; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(
        description="Strings, ragged, sparse, sets, queues and tables, as ratios."
    )
    parser.add_argument("wanted", nargs="*", help="parts of the names of cases; none means all")
    parser.add_argument("--tensorflow", metavar="PYTHON", help="an interpreter that has TensorFlow")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--cpu", action="store_true", help="processor time, of all threads, for a machine with other work"
    )
    parser.add_argument("--worker", choices=("headwater", "tensorflow"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.cpu)
        return 0
    workers: dict[str, Any] = {}
    for which, python in (("headwater", sys.executable), ("tensorflow", options.tensorflow)):
        if python:
            workers[which] = subprocess.Popen(
                [python, __file__, "--worker", which, *(["--cpu"] if options.cpu else [])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
    missed = 0
    for name in names(options.wanted):
        found: dict[str, Any] = {}
        for _ in range(options.rounds):
            for which, process in workers.items():
                print(name, file=process.stdin, flush=True)
                answer = json.loads(process.stdout.readline())
                found[which] = answer if isinstance(answer, str) else min(answer, found.get(which, answer))
        text, good = line_of(name, found)
        missed += not good
        print(text, flush=True)
    for process in workers.values():
        process.stdin.close()
        process.wait()
    return 1 if missed else 0


def line_of(name: str, found: dict[str, Any]) -> tuple[str, bool]:
    """A line of the table, and whether the bar is reached."""
    times = [f"{shown(t) if not isinstance(t, str) else t:>12}" for t in found.values()]
    text = f"{name:40}" + "".join(times)
    if any(isinstance(t, str) for t in found.values()):
        return text, "headwater" not in found or not isinstance(found["headwater"], str)
    if len(found) < 2:
        return text, True
    ratio, bar = found["tensorflow"] / found["headwater"], BARS.get(name, BAR)
    return f"{text}{ratio:10.2f}  (bar {bar:.2g}: {'met' if ratio >= bar else 'NOT MET'})", ratio >= bar


if __name__ == "__main__":
    sys.exit(main())

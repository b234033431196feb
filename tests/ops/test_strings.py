"""Strings: what the samples of the records can't say - properties, agreement between functions, graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.ops.strings_convert import sip_hashes
from headwater._src.ops.strings_re2 import compiled, replaced, rewrite_parts, unicode_class

FEW = settings(max_examples=60, deadline=None)
WORDS = st.lists(st.text(max_size=12), max_size=6)
BYTES = st.lists(st.binary(max_size=12), max_size=6)


def texts(values: list[str]) -> tf.Tensor:
    return tf.constant([v.encode() for v in values], tf.string) if values else tf.constant([], tf.string)


@FEW
@given(WORDS.map(lambda ws: [w.encode("utf-8", "ignore").decode() for w in ws]))
def test_code_points_are_pythons_and_encode_back(words: list[str]) -> None:
    codes = tf.strings.unicode_decode(texts(words), "UTF-8")
    assert codes.to_list() == [[ord(c) for c in w] for w in words]
    for row, word in zip(codes, words, strict=True):
        assert tf.strings.unicode_encode(row, "UTF-8").numpy() == word.encode()
    assert tf.strings.length(texts(words), "UTF8_CHAR").numpy().tolist() == [len(w) for w in words]
    parts = tf.strings.unicode_split(texts(words), "UTF-8")
    assert parts.to_list() == [[c.encode() for c in w] for w in words]


@FEW
@given(BYTES)
def test_what_is_no_utf8_is_replaced_as_python_replaces_it(items: list[bytes]) -> None:
    given = tf.constant(items, tf.string) if items else tf.constant([], tf.string)
    codes, offsets = tf.strings.unicode_decode_with_offsets(given, "UTF-8")
    for item, row, places in zip(items, codes.to_list(), offsets.to_list(), strict=True):
        assert "".join(map(chr, row)) == item.decode("utf-8", "replace")
        assert len(places) == len(row)
        assert places == sorted(set(places))
        assert all(0 <= at < len(item) for at in places)
    mended = tf.strings.unicode_transcode(given, "UTF-8", "UTF-8").numpy().tolist()
    assert mended == [item.decode("utf-8", "replace").encode() for item in items]


@FEW
@given(BYTES)
def test_bytes_split_and_reduce_join_undo_each_other(items: list[bytes]) -> None:
    given = tf.constant(items, tf.string) if items else tf.constant([], tf.string)
    rows = tf.strings.bytes_split(given)
    assert [b"".join(row) for row in rows.to_list()] == items
    assert tf.strings.reduce_join(given).numpy() == b"".join(items)


@pytest.mark.parametrize("sep", [",", "ab", " "])
@given(words=st.lists(st.text("ab, ", max_size=10), max_size=5))
@FEW
def test_split_at_a_separator_is_pythons(sep: str, words: list[str]) -> None:
    found = tf.strings.split(texts(words), sep).to_list()
    assert [[p.decode() for p in row] for row in found] == [w.split(sep) for w in words]


@pytest.mark.parametrize("dtype", ["int32", "int64", "float64", "uint64"])
def test_numbers_survive_as_strings(dtype: str) -> None:
    values = np.array([0, 1, 7, 123456789], dtype)
    texts_ = tf.strings.as_string(values)
    assert np.array_equal(tf.strings.to_number(texts_, dtype).numpy(), values)


def test_siphash_of_its_authors() -> None:
    """The vectors published with SipHash-2-4: key 00..0f, messages 00, 00 01, ..."""
    key = int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")
    wanted = {
        0: "310e0edd47db6f72",
        1: "fd67dc93c539f874",
        7: "37d1018bf50002ab",
        8: "6224939a79f5f593",
        15: "e545be4961ca29a1",
    }
    found = sip_hashes([bytes(range(n)) for n in wanted], key)
    assert [int(h).to_bytes(8, "little").hex() for h in found] == list(wanted.values())


def test_buckets_of_one_string_do_not_depend_on_its_neighbours() -> None:
    words = [b"", b"a", b"x" * 9, b"y" * 30, b"x" * 9]
    for hashed in (
        lambda x: tf.strings.to_hash_bucket(x, 1000),
        lambda x: tf.strings.to_hash_bucket_fast(x, 1000),
        lambda x: tf.strings.to_hash_bucket_strong(x, 1000, [3, 4]),
    ):
        together = hashed(tf.constant(words)).numpy().tolist()
        assert together == [int(hashed(w)) for w in words]
        assert together[2] == together[4]


@pytest.mark.parametrize(
    ("pattern", "text", "rewrite", "want"),
    [
        ("(a*)", "baac", r"[\1]", "[]b[aa]c[]"),
        (r"(?i)straße", "STRASSE Straße", "x", "STRASSE x"),
        (r"\p{Han}", "a漢b", "?", "a?b"),
        (r"[^\x{e9}]", "aéb", "-", "-é-"),
        (r"(\w+) (\w+)", "a b c d", r"\2\1", "ba dc"),
    ],
)
def test_replacing(pattern: str, text: str, rewrite: str, want: str) -> None:
    parts, cut = rewrite_parts(rewrite.encode())
    assert not cut
    assert replaced(compiled(pattern.encode()), text, parts, True) == want


def test_classes_of_characters() -> None:
    greek = unicode_class("Greek")
    assert greek is not None
    assert any(a <= ord("α") <= b for a, b in greek)
    assert not any(a <= ord("a") <= b for a, b in greek)
    assert unicode_class("Cn") is None
    assert unicode_class("Nonsense") is None


def test_functions_run_in_graphs() -> None:
    @tf.function
    def shout(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        words = tf.strings.split(x)
        return tf.strings.upper(words.flat_values), words.row_splits, tf.strings.length(x)

    values, splits, sizes = shout(tf.constant(["a bc", "", "d"]))
    assert values.numpy().tolist() == [b"A", b"BC", b"D"]
    assert splits.numpy().tolist() == [0, 2, 2, 3]
    assert sizes.numpy().tolist() == [4, 0, 1]


def test_str_bytes_and_arrays_are_strings() -> None:
    for x in ("é", "é".encode(), np.array("é"), np.array("é".encode(), object), tf.constant("é")):
        assert int(tf.strings.length(x)) == 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="as_string"):
        tf.strings.length(tf.constant([1]))


def test_ngrams_of_ragged_rows() -> None:
    rows = tf.strings.split(["a b c", "d", ""])
    assert tf.strings.ngrams(rows, 2).to_list() == [[b"a b", b"b c"], [], []]
    assert tf.strings.ngrams(rows, 2, pad_values="_").to_list()[1] == [b"_ d", b"d _"]

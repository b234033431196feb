"""Strings: what the samples of the records can't say - properties, agreement between functions, graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.ops import strings_flat as flat
from headwater._src.ops.strings_hash import sips
from headwater._src.ops.strings_re2 import unicode_class

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
    found = sips([bytes(range(n)) for n in wanted], key)
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
    assert tf.strings.regex_replace(text, pattern, rewrite).numpy().decode() == want
    many = tf.strings.regex_replace([text, "", text] * 20, pattern, rewrite).numpy().tolist()
    nothing = tf.strings.regex_replace("", pattern, rewrite).numpy()
    assert many == [want.encode(), nothing, want.encode()] * 20


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


S = tf.strings
TOGETHER = {
    "length": lambda x: S.length(x),
    "length of characters": lambda x: S.length(x, "UTF8_CHAR"),
    "substr": lambda x: S.substr(x, 0, 3),
    "substr of characters": lambda x: S.substr(x, 0, 2, "UTF8_CHAR"),
    "substr from the end": lambda x: S.substr(S.join(["abc", x]), -2, 1),
    "substr of characters from the end": lambda x: S.substr(S.join(["aé", x]), -2, 2, "UTF8_CHAR"),
    "split": lambda x: S.split(x),
    "split at a byte": lambda x: S.split(x, ","),
    "split at more": lambda x: S.split(x, ",,"),
    "bytes_split": lambda x: S.bytes_split(x),
    "strip": lambda x: S.strip(x),
    "lower": lambda x: S.lower(x),
    "upper": lambda x: S.upper(x, "utf-8"),
    "to_hash_bucket": lambda x: S.to_hash_bucket(x, 2**62),
    "to_hash_bucket_fast": lambda x: S.to_hash_bucket_fast(x, 2**62),
    "to_hash_bucket_strong": lambda x: S.to_hash_bucket_strong(x, 2**62, [1, -2]),
    "unicode_decode": lambda x: S.unicode_decode(x, "UTF-8"),
    "offsets": lambda x: S.unicode_decode_with_offsets(x, "UTF-8")[1],
    "unicode_decode, ignoring": lambda x: S.unicode_decode(x, "UTF-8", "ignore", replace_control_characters=True),
    "unicode_decode of UTF-16": lambda x: S.unicode_decode(x, "UTF-16-BE"),
    "unicode_decode of UTF-32": lambda x: S.unicode_decode(S.join(["\0\0\0a", x]), "UTF-32-BE"),
    "unicode_decode of Latin": lambda x: S.unicode_decode(x, "windows-1252"),
    "unicode_split": lambda x: S.unicode_split(x, "UTF-8"),
    "unicode_transcode": lambda x: S.unicode_transcode(x, "UTF-8", "UTF-16-BE"),
    "regex_full_match": lambda x: S.regex_full_match(x, r"[^,]*\w?.*"),
    "regex_replace": lambda x: S.regex_replace(x, r"[^a-z]", "_"),
    "regex_replace, groups": lambda x: S.regex_replace(x, r"(\w)(,)?|é", r"<\2\0\1>"),
    "regex_replace, anchors": lambda x: S.regex_replace(x, r"^\s+|.$", ""),
    "regex_replace of nothing": lambda x: S.regex_replace(x, r"a*", "-"),
    "ngrams": lambda x: S.ngrams(S.split(S.join(["a ", x])), [1, 2], pad_values="_"),
}  # fmt: skip
PIECES = st.sampled_from(
    [b"a", b"B", b" ", b",", b"\0", b"\n", "é".encode(), "日".encode(), "😀".encode(), "Σ".encode(), b"\x80", b"\xff", b"\xe2\x82", b"x" * 40]
)  # fmt: skip
STRINGS = st.lists(st.lists(PIECES, max_size=6).map(b"".join), min_size=1, max_size=12)


@pytest.mark.parametrize("name", TOGETHER)
@settings(max_examples=15, deadline=None)
@given(items=STRINGS, plain=st.sampled_from(["any", "UTF-8", "ASCII"]))
def test_many_strings_together_give_what_each_gives_alone(name: str, items: list[bytes], plain: str) -> None:
    if plain != "any":
        codec = "utf-8" if plain == "UTF-8" else "ascii"
        items = [v.decode(codec, "ignore").replace("\0", "").encode() for v in items]
    many = items * (40 // len(items) + 1)
    together = TOGETHER[name](tf.constant(many, tf.string))
    alone = [TOGETHER[name](tf.constant([v], tf.string)) for v in items]
    rows = together.to_list() if isinstance(together, tf.RaggedTensor) else together.numpy().tolist()
    wanted = [(a.to_list() if isinstance(a, tf.RaggedTensor) else a.numpy().tolist())[0] for a in alone]
    assert rows == wanted * (40 // len(items) + 1)


@pytest.mark.parametrize("precision", [-1, 0, 2, 6, 9])
@given(values=st.lists(st.floats(), min_size=1, max_size=20))
@FEW
def test_floats_as_strings_are_printfs(precision: int, values: list[float]) -> None:
    values = [*values, 0.5, 2.5, -0.0, 1e15, 0.125, -1e-9] * 6
    digits = 6 if precision < 0 else precision
    found = S.as_string(tf.constant(values, tf.float64), precision=precision).numpy().tolist()
    assert found == [b"%.*f" % (digits, v) for v in values]


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint64"])
def test_integers_as_strings_are_pythons(dtype: str) -> None:
    info = np.iinfo(dtype)
    powers = [10**k + d for k in range(20) for d in (-1, 0, 1)]
    values = [v for p in powers for v in (p, -p) if info.min <= v <= info.max] + [info.min, info.max]
    for numbers in (values, [v for v in values if abs(v) < 10**16]):
        assert S.as_string(np.array(numbers * 9, dtype)).numpy().tolist() == [b"%d" % v for v in numbers * 9]


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_numbers_of_many_strings(dtype: str) -> None:
    info = np.iinfo(dtype)
    values = [info.min, info.max, 0, 7] * 20
    for space in ("", " "):
        texts_ = tf.constant([f"{space}{v}" for v in values])
        assert S.to_number(texts_, dtype).numpy().tolist() == values
    for wrong in (
        str(info.max + 1),
        str(info.min - 1),
        "",
        "1,2",
        "-",
        "1-2",
        "--1",
        "1_0",
        "x",
        "0x1",
        "1.0",
    ):
        for at in (0, 20, 40):
            with pytest.raises(tf.errors.InvalidArgumentError):
                S.to_number(tf.constant(["1"] * at + [wrong] + ["2"] * (40 - at)), dtype)


def test_float32_is_rounded_once() -> None:
    """Halfway between two floats, a digit far behind decides; as a double it is gone."""
    odd = 2**24 + 1
    far = "0" * 30
    texts_ = [
        f"{odd}.{far}",
        f"{odd}.{far}1",
        f"-{odd}.{far}1",
        f"{odd - 1}.9{'9' * 30}",
        "0x1000001",
        "7.0064923216240854e-46",
    ]
    wanted = [odd - 1, odd + 1, -odd - 1, odd - 1, odd - 1, 1.401298464324817e-45]
    for times in (1, 10):
        assert S.to_number(tf.constant(texts_ * times)).numpy().tolist() == wanted * times


def test_graphs_keep_apart_the_strings_that_they_compute_early() -> None:
    """Constants of strings were told apart by addresses that could be given twice."""
    n = tf.constant([1, 2])
    for _ in range(20):
        found = tf.function(lambda: S.format("x: {}", n), autograph=False)()
        assert found.numpy() == b"x: [1 2]"


def test_rows_of_strings_of_a_loop() -> None:
    words = tf.constant(["a", "bc", "é"])
    found = tf.function(lambda x: tf.map_fn(S.upper, x), autograph=False)(words)
    assert found.numpy().tolist() == [b"A", b"BC", "é".encode()]
    joined = tf.function(lambda x: S.reduce_join(tf.map_fn(S.upper, x), separator="|"), autograph=False)(
        words
    )
    assert joined.numpy() == "A|BC|é".encode()


@pytest.mark.parametrize(
    ("name", "data", "want"),
    [
        ("utf8", "é".encode(), [233]), ("Utf_16be", b"\0a", [97]), ("UTF 32 LE", b"a\0\0\0", [97]), ("latin1", b"\xff", [255]),
        ("windows-1252", b"\x80\x81", [8364, 129]), ("cp437", b"\x1a\xe6", [28, 956]), ("x-mac-roman", b"\x8a", [228]), ("KOI8-R", b"\xc0", [1102]),
    ],
)  # fmt: skip
def test_names_of_encodings(name: str, data: bytes, want: list[int]) -> None:
    assert S.unicode_decode(data, name).numpy().tolist() == want
    assert S.unicode_decode([data] * 40, name).to_list() == [want] * 40


@pytest.mark.parametrize(
    "name", ["", "utf-9", "idna", "punycode", "rot13", "unicode_escape", "undefined", "base64"]
)
def test_what_is_no_encoding(name: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="no encoding"):
        S.unicode_decode("a", name)


@pytest.mark.parametrize("letters", [b"ab", b"a\0", bytes(range(256)), b"a"])
@pytest.mark.parametrize("longest", [0, 1, 7, 60, 400])
def test_parts_of_a_buffer_are_its_slices(letters: bytes, longest: int) -> None:
    draw = np.random.default_rng(longest)
    data = bytes(draw.choice(list(letters), 5000).tolist())
    for count in (0, 1, flat.MANY - 1, flat.MANY, 20_000):
        sizes = draw.integers(0, longest, count, endpoint=True)
        begins = draw.integers(0, len(data) - sizes + 1)
        expected = [data[a : a + n] for a, n in zip(begins.tolist(), sizes.tolist(), strict=True)]
        found = flat.pieces(data, begins, sizes)
        assert (found.dtype, found.tolist()) == (object, expected)


@pytest.mark.parametrize("unit", ["BYTE", "UTF8_CHAR"])
@pytest.mark.parametrize("letters", ["abc", "aé日😀", "a\0"])
def test_many_substrings_are_those_of_each_string(unit: str, letters: str) -> None:
    draw = np.random.default_rng(3)
    texts = ["".join(draw.choice(list(letters), n)) for n in draw.integers(0, 9, 2 * flat.MANY)]
    for pos, size in ((0, 4), (0, -1), (0, 0)):
        found = tf.strings.substr(texts, pos, size, unit=unit).numpy().tolist()
        parts = [t if unit == "UTF8_CHAR" else t.encode() for t in texts]
        stop = None if size < 0 and unit == "BYTE" else max(size, 0)
        cut = [p[pos:stop] for p in parts]
        assert found == [p if isinstance(p, bytes) else p.encode() for p in cut]
    sizes = [len(t if unit == "UTF8_CHAR" else t.encode()) for t in texts]
    at = np.array([draw.integers(-n, n, endpoint=True) for n in sizes])
    found = tf.strings.substr(texts, at, np.full(len(at), 2), unit=unit).numpy().tolist()
    for text, place, part in zip(texts, at.tolist(), found, strict=True):
        whole = text if unit == "UTF8_CHAR" else text.encode()
        cut_ = whole[place:][:2]
        assert part == (cut_ if isinstance(cut_, bytes) else cut_.encode())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_many_integers_are_written_as_each_is(dtype: str) -> None:
    draw, limits = np.random.default_rng(4), np.iinfo(dtype)
    for most in (1, 9, 10, 12_345, 10**15):
        low, high = max(-most, limits.min), min(most, limits.max)
        values = draw.integers(low, high, 2 * flat.MANY, dtype, endpoint=True)
        assert tf.strings.as_string(values).numpy().tolist() == [b"%d" % v for v in values.tolist()]


@pytest.mark.parametrize("precision", [0, 1, 2, 6, 9])
def test_many_floats_are_written_as_printf_does(precision: int) -> None:
    values = np.random.default_rng(5).normal(size=2 * flat.MANY) * 10.0 ** np.arange(-6, 10).repeat(32)
    values[:8] = 0.0, -0.0, np.nan, np.inf, -np.inf, 0.5, 1.5, -0.04
    found = tf.strings.as_string(values, precision=precision).numpy().tolist()
    assert found == [b"%.*f" % (precision, v) for v in values.tolist()]


@pytest.mark.parametrize("separator", [b"", b", ", b"\0"])
@pytest.mark.parametrize("shortest", [0, 1])
@pytest.mark.parametrize(("count", "segments"), [(0, 0), (0, 3), (5, 9), (600, 300), (600, 4)])
def test_joined_segments_are_joined_one_by_one(
    separator: bytes, shortest: int, count: int, segments: int
) -> None:
    draw = np.random.default_rng(count)
    items = [b"x\0y"[: int(n)] for n in draw.integers(shortest, 4, count)]
    ids = draw.integers(0, max(segments, 1), count)
    expected = [b""] * segments
    for place, item in zip(ids.tolist(), items, strict=True):
        expected[place] += separator + item if expected[place] else item
    found = S.unsorted_segment_join(tf.constant(items, tf.string), ids, segments, separator)
    assert found.numpy().tolist() == expected

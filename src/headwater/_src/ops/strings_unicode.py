"""Code points of strings and strings of code points, in the encodings that Python knows."""

from __future__ import annotations

import codecs
import itertools
from typing import Any

import numpy as np

import headwater._src.ops.strings as strings
import headwater._src.ops.strings_split as split_
from headwater._src.base import dtypes
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial, num_elements
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.ragged import RaggedTensor
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

_ERRORS = ("strict", "replace", "ignore")
_OUTPUTS = ("UTF-8", "UTF-16-BE", "UTF-32-BE")
_LAST = 0x10FFFF

# -- decoding ---------------------------------------------------------------------------------------------------------


def codec_of(encoding: str, what: str) -> str:
    """Python's name of an encoding; InvalidArgumentError where it has none."""
    try:
        info = codecs.lookup(encoding)
        if not info._is_text_encoding:
            raise LookupError(encoding)
    except (LookupError, TypeError, ValueError):
        raise invalid(f"{what}: no encoding is known by the name {encoding!r}.") from None
    return info.name


def _pieces(item: bytes, codec: str) -> list[tuple[int, int]]:
    """(code point, offset) of the characters of a string; -1 stands for bytes that are none."""
    if codec in ("utf-16", "utf-32"):  # without a mark the order is big-endian, and the mark is no character
        size = 2 if codec == "utf-16" else 4
        mark = item[:size]
        little, big = (
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            if size == 2
            else (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
        )
        skip = size if mark in (little, big) else 0
        found = _pieces(item[skip:], codec + ("-le" if mark == little else "-be"))
        return [(c, at + skip) for c, at in found]
    found, start = [], 0
    while start < len(item):
        try:
            text, end, after = item[start:].decode(codec), len(item), len(item)
        except UnicodeDecodeError as error:
            end, after = start + error.start, start + error.end
            text = item[start:end].decode(codec)
        found += zip(map(ord, text), _offsets(text, item, start, end, codec), strict=True)
        if end < after:
            found.append((-1, end))
        start = after
    return found


def _offsets(text: str, item: bytes, start: int, end: int, codec: str) -> list[int]:
    """Where the characters of a valid text begin in its bytes."""
    if len(text) == end - start:
        return list(range(start, end))
    if codec == "utf-8":
        return [i for i in range(start, end) if item[i] & 0xC0 != 0x80]
    decoder = codecs.getincrementaldecoder(codec)()
    places, begun = [], start
    for i in range(start, end):
        for _ in decoder.decode(item[i : i + 1], i + 1 == end):
            places.append(begun)
            begun = i + 1
    return places


def _settled(
    pieces: list[tuple[int, int]], errors: str, replacement: int, control: bool
) -> list[tuple[int, int]]:
    """Pieces with what is none, and control characters if asked, replaced or left out."""
    if control:
        pieces = [(-2 if 0 <= c < 32 else c, at) for c, at in pieces]
    if errors == "strict" and any(c == -1 for c, _ in pieces):
        raise ValueError("a string is not valid in the encoding given")
    if errors == "ignore":
        return [p for p in pieces if p[0] >= 0]
    return [(c if c >= 0 else replacement, at) for c, at in pieces]


def _valid_utf8(items: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Code points, offsets and row splits of strings that are all valid UTF-8; None if one is not."""
    try:
        text = b"".join(items).decode("utf-8")
    except UnicodeDecodeError:
        return None
    starts, ends = strings.starts_of_characters(items)
    begins = ends - np.fromiter(map(len, items), np.int64, len(items))
    if starts.size and not starts[begins[begins < starts.size]].all():
        return None  # a character across two strings
    sizes = strings.counts(starts, ends)
    splits = np.concatenate([[0], np.cumsum(sizes)])
    codes = np.frombuffer(text.encode("utf-32-le"), "<i4").astype(np.int32)
    return codes, np.flatnonzero(starts) - np.repeat(begins, sizes), splits


def _decoded(
    input: np.ndarray, *, codec: str, errors: str, replacement: int, control: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    items = strings.items_of(input)
    if codec == "utf-8" and not control and (fast := _valid_utf8(items)) is not None:
        return fast
    rows = [_settled(_pieces(v, codec), errors, replacement, control) for v in items]
    splits = np.concatenate([[0], np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)))])
    table = np.array([p for row in rows for p in row], np.int64).reshape(-1, 2)
    return table[:, 0].astype(np.int32), table[:, 1].copy(), splits.astype(np.int64)


_ATTRS = {"codec": "utf-8", "errors": "replace", "replacement": 65533, "control": False}

_decode = op(
    "UnicodeDecodeWithOffsets", "input: S -> ?: int32; ?: int64; ?: int64",
    numpy=_decoded, lower=strings.HOST, grad=NONDIFF, shape=lambda input, **_: [(None,), (None,), split_.splits_shape(input)],
    attrs=_ATTRS,
)  # fmt: skip


def _decode_rows(
    input: Any, encoding: str, errors: str, replacement_char: Any, control: bool, what: str
) -> Any:
    codec = codec_of(encoding, what)
    one = strings.one_of(errors, _ERRORS, f"{what}: errors")
    attrs = {"codec": codec, "errors": one, "replacement": int(replacement_char), "control": bool(control)}
    return split_.by_rows(input, what, lambda flat: _decode(flat, **attrs))


@export("strings.unicode_decode")
def unicode_decode(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """The code points of each string, as int32: a vector for a scalar, else a ragged tensor with one more dimension.

    Args:
      input: a tensor of strings of known rank.
      input_encoding: the name of their encoding, such as "UTF-8" or "UTF-16-BE".
      errors: what becomes of bytes that are no character: "replace", "ignore", or "strict" for InvalidArgumentError.
      replacement_char: the code point that replaces them.
      replace_control_characters: whether the code points 0 to 31 are replaced too.
      name: optional.
    """
    what = "tf.strings.unicode_decode"
    return _decode_rows(input, input_encoding, errors, replacement_char, replace_control_characters, what)[0]


@export("strings.unicode_decode_with_offsets")
def unicode_decode_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """`tf.strings.unicode_decode`, and the byte offset of each character in its string, as int64 in the same form."""
    what = "tf.strings.unicode_decode_with_offsets"
    found = _decode_rows(input, input_encoding, errors, replacement_char, replace_control_characters, what)
    return found[0], found[1]


# -- encoding ---------------------------------------------------------------------------------------------------------


def _encoded(
    values: np.ndarray, splits: np.ndarray, *, encoding: str, errors: str, replacement: int
) -> np.ndarray:
    keep = ((values >= 0) & (values < 0xD800)) | ((values > 0xDFFF) & (values <= _LAST))
    bounds = splits
    if not keep.all():
        if errors == "strict":
            raise ValueError(f"{values[~keep][0]} is no code point of a character")
        if errors == "replace":
            values = np.where(keep, values, replacement)
        else:
            bounds = np.concatenate([[0], np.cumsum(keep)])[splits]
            values = values[keep]
    text = values.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    codec = encoding.lower()
    ends = bounds.tolist()
    rows = [text[a:b].encode(codec, "surrogatepass") for a, b in itertools.pairwise(ends)]
    return strings.packed(rows, (len(rows),))


def _encoded_shape(values: Spec, splits: Spec, **_: Any) -> Partial:
    return (None if splits.shape is None or splits.shape[0] is None else splits.shape[0] - 1,)


_encode = op(
    "UnicodeEncode", "values: int32, splits: IX -> ?: string",
    numpy=_encoded, lower=strings.HOST, grad=NONDIFF, shape=_encoded_shape,
    attrs={"encoding": "UTF-8", "errors": "replace", "replacement": 65533},
)  # fmt: skip


@export("strings.unicode_encode")
def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:  # fmt: skip
    """Strings of code points: the last dimension becomes a string.

    Args:
      input: int32, a tensor of known rank 1 or more, or a ragged tensor.
      output_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
      errors: what becomes of numbers that are no character: "replace", "ignore", or "strict" for InvalidArgumentError.
      replacement_char: the code point that replaces them.
      name: optional.
    """
    what = "tf.strings.unicode_encode"
    attrs = {
        "encoding": strings.one_of(output_encoding, _OUTPUTS, f"{what}: output_encoding"),
        "errors": strings.one_of(errors, _ERRORS, f"{what}: errors"),
        "replacement": int(replacement_char),
    }
    if isinstance(input, RaggedTensor):
        return _encode_ragged(input, attrs, what)
    tensor = convert(input)
    _check_codes(tensor, what)
    rank = tensor.shape.rank
    if not rank:
        raise ValueError(f"{what}: the input must have a known rank of 1 or more; got {describe(tensor)}.")
    from headwater._src.ops import layout
    from headwater._src.ops import shape as shapes

    flat = layout.reshape(tensor, [-1])
    dims = shapes.shape(tensor, out_type=dtypes.int64)
    return layout.reshape(_encode(flat, _even_splits(dims), **attrs), dims[:-1])


def _encode_ragged(input: Any, attrs: dict[str, Any], what: str) -> Any:
    _check_codes(input, what)
    values = input.values
    if isinstance(values, RaggedTensor) or values.shape.rank != 1:
        return input.with_values(
            unicode_encode(values, attrs["encoding"], attrs["errors"], attrs["replacement"])
        )
    return _encode(values, input.row_splits, **attrs)


def _check_codes(value: Any, what: str) -> None:
    if value.dtype is not dtypes.int32:
        raise invalid(f"{what} takes int32; got {value.dtype.name}.")


_even_splits = op(
    "EvenRowSplits", "dims: int64 -> ?: dims",
    numpy=lambda dims: np.arange((num_elements(dims[:-1].tolist()) or 0) + 1, dtype=np.int64) * dims[-1],
    lower=strings.HOST, grad=NONDIFF, shape=lambda dims: (None,),
    doc="Where the rows of a tensor of that shape begin and end.",
)  # fmt: skip

# -- characters as strings --------------------------------------------------------------------------------------------


def _split_rows(input: Any, encoding: str, errors: str, replacement_char: Any, what: str) -> list[Any]:
    strings.one_of(encoding, _OUTPUTS, f"{what}: input_encoding")
    codec = codec_of(encoding, what)
    one = strings.one_of(errors, _ERRORS, f"{what}: errors")
    attrs = {"codec": codec, "errors": one, "replacement": int(replacement_char), "control": False}

    def of(flat: Any) -> Any:
        codes, offsets, splits = _decode(flat, **attrs)
        return _characters(codes, encoding=encoding), offsets, splits

    return split_.by_rows(input, what, of)


def _each_encoded(codes: np.ndarray, *, encoding: str) -> np.ndarray:
    codec = encoding.lower()
    items = codes.tolist()
    known = {
        c: chr(c if 0 <= c <= _LAST and not 0xD800 <= c <= 0xDFFF else 65533).encode(codec)
        for c in set(items)
    }
    return strings.packed(list(map(known.__getitem__, items)), codes.shape)


_characters = op(
    "UnicodeCharacters", "codes: int32 -> codes: string",
    numpy=_each_encoded, lower=strings.HOST, grad=NONDIFF, attrs={"encoding": "UTF-8"},
    doc="Each code point as a string.",
)  # fmt: skip


@export("strings.unicode_split")
def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:  # fmt: skip
    """The characters of each string as strings: a vector for a scalar, else a ragged tensor with one more dimension.

    The encoding is "UTF-8", "UTF-16-BE" or "UTF-32-BE"; the other arguments are those of `tf.strings.unicode_decode`.
    """
    return _split_rows(input, input_encoding, errors, replacement_char, "tf.strings.unicode_split")[0]


@export("strings.unicode_split_with_offsets")
def unicode_split_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> tuple[Any, Any]:  # fmt: skip
    """`tf.strings.unicode_split`, and the byte offset of each character in its string, as int64 in the same form."""
    what = "tf.strings.unicode_split_with_offsets"
    found = _split_rows(input, input_encoding, errors, replacement_char, what)
    return found[0], found[1]


# -- transcoding and scripts ------------------------------------------------------------------------------------------


def _transcoded(input: np.ndarray, *, encoding: str, codec: str, **how: Any) -> np.ndarray:
    codes, _, splits = _decoded(input, codec=codec, **how)
    rows = _encoded(codes, splits, encoding=encoding, errors="replace", replacement=65533)
    return rows.reshape(input.shape)


_transcode = op(
    "UnicodeTranscode", "input: S -> input",
    numpy=_transcoded, lower=strings.HOST, grad=NONDIFF, attrs={**_ATTRS, "encoding": "UTF-8"},
)  # fmt: skip


@export("strings.unicode_transcode")
def unicode_transcode(
    input: Any, input_encoding: str, output_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Strings in another encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".

    The other arguments are those of `tf.strings.unicode_decode`. From UTF-8 to UTF-8 it mends strings that are not valid.
    """
    what = "tf.strings.unicode_transcode"
    return _transcode(
        strings.string_of(input, what), codec=codec_of(input_encoding, what),
        encoding=strings.one_of(output_encoding, _OUTPUTS, f"{what}: output_encoding"),
        errors=strings.one_of(errors, _ERRORS, f"{what}: errors"), replacement=int(replacement_char),
        control=bool(replace_control_characters), name=name,
    )  # fmt: skip


def _scripts(input: np.ndarray) -> np.ndarray:
    from headwater._src.ops.strings_script import table

    inside = (input >= 0) & (input <= _LAST)
    return np.where(inside, table()[np.where(inside, input, 0)], np.int32(-1))


unicode_script = op(
    "UnicodeScript", "input: int32 -> input",
    numpy=_scripts, lower=strings.HOST, grad=NONDIFF, api=("strings.unicode_script",),
    cases=lambda: [
        case([65, 1575, 0x4E00, 0x3042, 48, -1, 0x110000, 0x1F600, 0x0E01, 0xD800, 0x300, 0x378], id="scripts"), case(65, id="scalar"),
        case(Arr((2, 3), "int32", 0, 5000), id="matrix"), bad(65.0, error="TypeError", id="float"),
    ],
    doc="The script of each code point (int32), by ICU's numbers; -1 for what is no code point.",
)  # fmt: skip

# -- samples ----------------------------------------------------------------------------------------------------------

_BAD = b"a\xffb\xe2\x82z"
_WRONG = [
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xc0\x80",
    b"\xe2\x28\xa1",
    b"\xfc\x80\x80\x80",
    b"ok",
]


def _decoding() -> list[Any]:
    return [
        case("hé€😀", "UTF-8", id="scalar"), case(["hé", "", "日本語"], "UTF-8", id="vector"), case([["hé"], ["x"]], "UTF-8", id="matrix"),
        case([_BAD, *_WRONG], "UTF-8", id="replace"), case([_BAD, *_WRONG], "UTF-8", errors="ignore", id="ignore"), case([_BAD], "UTF-8", replacement_char=65, id="char"),
        case([b"\xc3", b"\xa9"], "UTF-8", id="across"), case(Arr((3,), "string"), "UTF-8", id="words"), case(Arr((0,), "string"), "UTF-8", id="empty"),
        bad([_BAD], "UTF-8", errors="strict", id="strict"), bad(["a"], "UTF-8", errors="foo", id="errors"), bad(["a"], "UTF-99", id="encoding"),
        case("é😀".encode("utf-16-be"), "UTF-16-BE", id="utf16"), case("é😀".encode("utf-32-be"), "UTF-32-BE", id="utf32"),
        case("é😀".encode("utf-16-be") + b"\0", "UTF-16-BE", id="utf16-cut"), case(b"\xd8\x00\x00a", "UTF-16-BE", id="utf16-half"),
        case("\ufeffa", "UTF-8", id="mark"),
    ]  # fmt: skip


def _decoding_more() -> list[Any]:
    return [
        *_decoding(), case(["a\x01\n\x7f\x80"], "UTF-8", replace_control_characters=True, id="control"), case([b"\xe9"], "ISO-8859-1", id="latin"),
        case(b"\x82\xa0a", "SHIFT_JIS", id="sjis"), case(b"\x80", "windows-1252", id="windows"), case(b"\x80a", "US-ASCII", id="ascii"),
    ]  # fmt: skip


sampled(
    "strings.unicode_decode", lambda: [*_decoding_more(), case(b"\xfe\xff\x00a", "UTF-16", id="utf16-mark")]
)
sampled("strings.unicode_decode_with_offsets", _decoding_more)
sampled("strings.unicode_split", lambda: [*_decoding(), bad(b"\xe9", "ISO-8859-1", id="latin")])
sampled("strings.unicode_split_with_offsets", _decoding)
sampled("strings.unicode_encode", lambda: [
    *(case([104, 233, 8364, 0x1F600], e, id=e) for e in _OUTPUTS), case([[104, 233], [65, 66]], "UTF-8", id="matrix"), case([[[104]]], "UTF-8", id="cube"),
    case([104, 0xD800, 0x110000, -1], "UTF-8", id="replace"), case([0xD800, 65], "UTF-8", "ignore", id="ignore"), case([0xD800], "UTF-8", replacement_char=65, id="char"),
    case([0xFDD0, 0xFFFF, 0x1FFFF], "UTF-8", id="noncharacters"), case(Arr((2, 4), "int32", 32, 900), "UTF-8", id="drawn"),
    bad([0xD800], "UTF-8", "strict", id="strict"), bad([104], "ISO-8859-1", id="encoding"), bad(104, "UTF-8", error="ValueError", id="scalar"), bad(["a"], "UTF-8", id="string"),
])  # fmt: skip
sampled("strings.unicode_transcode", lambda: [
    *(case(["hé😀", _BAD], "UTF-8", e, id=e) for e in _OUTPUTS), case([_BAD], "UTF-8", "UTF-8", "ignore", id="ignore"), case([_BAD], "UTF-8", "UTF-8", replacement_char=65, id="char"),
    case(["a\x01\x7f\n"], "UTF-8", "UTF-8", replace_control_characters=True, id="control"), case(b"\xe9", "ISO-8859-1", "UTF-8", id="latin"),
    case(["a\x01\x7f"], "UTF-8", "UTF-8", "ignore", replace_control_characters=True, id="control-ignore"), case(Arr((2, 2), "string"), "UTF-8", "UTF-16-BE", id="words"),
    bad([_BAD], "UTF-8", "UTF-8", "strict", id="strict"), bad(["a"], "foo", "UTF-8", id="input"), bad(["a"], "UTF-8", "UTF-16-LE", id="output"),
])  # fmt: skip

"""Code points of strings and strings of code points, in the encodings that Python knows."""

from __future__ import annotations

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
from headwater._src.ops import strings_flat as flat_
from headwater._src.ops.strings_decode import LAST, Codes, codec_named, decoded, is_utf8, utf8_sizes

_ERRORS = ("replace", "strict", "ignore")
_OUTPUTS = ("UTF-8", "UTF-16-BE", "UTF-32-BE")

# -- decoding ---------------------------------------------------------------------------------------------------------


def codec_of(encoding: str, what: str) -> str:
    """Python's name of an encoding; InvalidArgumentError where it has none."""
    if encoding is None:
        raise TypeError(f"{what}: input_encoding must be the name of an encoding; got None.")
    name = strings.text_attr(encoding, f"{what}: input_encoding").decode("utf-8", "replace")
    found = codec_named(name)
    if found is None:
        raise invalid(f"{what}: no encoding is known by the name {encoding!r}.")
    return found


def _settled(codes: Codes, errors: str, replacement: int, control: bool) -> Codes:
    """Code points with what is none, and control characters if asked, replaced or left out."""
    values, offsets, splits = codes
    wrong = values < 0
    if errors == "strict" and wrong.any():
        raise ValueError("a string is not valid in the encoding given")
    if control:
        wrong = wrong | (values < 32)
    if not wrong.any():
        return codes
    if errors == "ignore":
        keep = ~wrong
        return Codes(values[keep], offsets[keep], flat_.totals(keep, splits).astype(np.int64))
    return Codes(np.where(wrong, np.int32(replacement), values), offsets, splits)


def _decoded(input: np.ndarray, *, codec: str, errors: str, replacement: int, control: bool) -> Codes:
    return _settled(decoded(strings.items_of(input), codec), errors, replacement, control)


_ATTRS = {"codec": "utf-8", "errors": "replace", "replacement": 65533, "control": False}

_decode = op(
    "UnicodeDecodeWithOffsets", "input: S -> ?: int32; ?: int64; ?: int64",
    numpy=_decoded, lower=strings.HOST, grad=NONDIFF, shape=lambda input, **_: [(None,), (None,), split_.splits_shape(input)],
    attrs=_ATTRS,
)  # fmt: skip


def _mending(errors: Any, replacement: Any, what: str) -> dict[str, Any]:
    """What becomes of what is no character, as attributes."""
    code = strings.whole(replacement, f"{what}: replacement_char")
    if not 0 <= code <= LAST:
        raise invalid(f"{what}: replacement_char must be a code point, 0 to {LAST}; got {code}.")
    return {"errors": strings.one_of(errors, _ERRORS, f"{what}: errors"), "replacement": code}


def _decode_rows(
    input: Any, encoding: str, errors: str, replacement_char: Any, control: bool, what: str
) -> Any:
    codec = codec_of(encoding, what)
    attrs = {"codec": codec, **_mending(errors, replacement_char, what), "control": bool(control)}
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
    keep = ((values >= 0) & (values < 0xD800)) | ((values > 0xDFFF) & (values <= LAST))
    bounds = splits
    if not keep.all():
        if errors == "strict":
            raise ValueError(f"{values[~keep][0]} is no code point of a character")
        if errors == "replace":
            values = np.where(keep, values, 65533 if replacement >> 11 == 0xD800 >> 11 else replacement)
        else:
            bounds = np.concatenate([[0], np.cumsum(keep)])[splits]
            values = values[keep]
    text = values.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    data = text.encode(encoding.lower(), "surrogatepass")
    if encoding == "UTF-8":
        places = np.arange(len(data) + 1) if len(data) == len(values) else flat_.bounds(utf8_sizes(values))
    elif encoding == "UTF-16-BE":
        places = flat_.bounds(np.where(values > 0xFFFF, 4, 2))
    else:
        places = np.arange(0, len(data) + 1, 4)
    ends = places[bounds]
    return flat_.pieces(data, ends[:-1], np.diff(ends))


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
        **_mending(errors, replacement_char, what),
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
        raise strings.wrong_type(f"{what} takes int32; got {value.dtype.name}.")


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
    attrs = {"codec": codec, **_mending(errors, replacement_char, what), "control": False}

    def of(flat: Any) -> Any:
        codes, offsets, splits = _decode(flat, **attrs)
        return _characters(codes, encoding=encoding), offsets, splits

    return split_.by_rows(input, what, of)


def _each_encoded(codes: np.ndarray, *, encoding: str) -> np.ndarray:
    codec = encoding.lower()
    valid = (codes >= 0) & (codes <= LAST) & (codes >> 11 != 0xD800 >> 11)
    codes = codes if valid.all() else np.where(valid, codes, 65533)
    if codes.size < flat_.FEW:
        return strings.packed([chr(c).encode(codec) for c in codes.reshape(-1).tolist()], codes.shape)
    seen = np.zeros(int(codes.max()) + 1, bool)
    seen[codes] = True
    used = np.flatnonzero(seen)
    table = np.empty(len(seen), object)
    table[used] = [chr(c).encode(codec) for c in used.tolist()]
    return table[codes]


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


def _transcoded(input: np.ndarray, *, encoding: str, codec: str, control: bool, **how: Any) -> np.ndarray:
    if encoding == "UTF-8" and codec == "utf-8" and not control and is_utf8(strings.items_of(input)):
        return input
    codes, _, splits = _decoded(input, codec=codec, control=control, **how)
    if (
        control
        and how["errors"] == "strict"
        and (_decoded(input, codec=codec, control=False, **how).values < 32).any()
    ):
        raise ValueError("a string has control characters, which are to be replaced, and errors are strict")
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
        **_mending(errors, replacement_char, what), control=bool(replace_control_characters), name=name,
    )  # fmt: skip


def _scripts(input: np.ndarray) -> np.ndarray:
    from headwater._src.ops.strings_script import table

    inside = (input >= 0) & (input <= LAST)
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

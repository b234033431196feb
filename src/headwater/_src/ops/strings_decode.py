"""Code points of many strings at once, in the encodings that Python knows."""

from __future__ import annotations

import codecs
import encodings.aliases
import functools
import sys
from typing import Any, NamedTuple

import numpy as np

from headwater._src.ops import strings_flat as flat

LAST = 0x10FFFF
_WRONG = -1
"""Stands for bytes that are no character."""
_MARKS = "headwater.marks"


class Codes(NamedTuple):
    """The code points of strings, where each begins in its string, and the `bounds` of the strings among them."""

    values: np.ndarray
    offsets: np.ndarray
    splits: np.ndarray


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Wrong bytes become a surrogate, which no valid text has, that says how many they are."""
    assert isinstance(error, UnicodeDecodeError)
    return chr(0xD800 + error.end - error.start), error.end


codecs.register_error(_MARKS, _mark)


def decoded(items: list[bytes], codec: str) -> Codes:
    """The code points of the strings, with -1 for each run of bytes that is no character."""
    if codec == "utf-8":
        return _of_utf8(items)
    if codec in _WIDE:
        return _of_wide(items, codec)
    table = _table(codec)
    if table is None:
        return _one_by_one(items, codec)
    sizes = flat.sizes_of(items)
    return Codes(table[flat.joined(items)], _places(sizes), flat.bounds(sizes))


def _places(sizes: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... for each string."""
    ends = flat.bounds(sizes)
    return np.arange(ends[-1]) - np.repeat(ends[:-1], sizes)


# -- UTF-8 ------------------------------------------------------------------------------------------------------------


def is_utf8(items: list[bytes]) -> bool:
    """Whether all strings are valid."""
    data = b"".join(items)
    return data.isascii() or _text_of(data, flat.bounds(flat.sizes_of(items))) is not None


def _text_of(data: bytes, ends: np.ndarray) -> str | None:
    """The joined strings as text; None where one is not valid by itself."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    begins = ends[:-1][ends[:-1] < len(data)]
    first = np.frombuffer(data, np.uint8)[begins]
    return text if flat.character_starts(first).all() else None


def _points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<i4")


def _of_utf8(items: list[bytes]) -> Codes:
    data = b"".join(items)
    sizes = flat.sizes_of(items)
    ends = flat.bounds(sizes)
    if data.isascii():
        return Codes(np.frombuffer(data, np.uint8).astype(np.int32), _places(sizes), ends)
    text = _text_of(data, ends)
    if text is None:
        return _of_broken_utf8(items, ends)
    starts = flat.character_starts(np.frombuffer(data, np.uint8))
    splits = flat.totals(starts, ends).astype(np.int64)
    offsets = np.flatnonzero(starts) - np.repeat(ends[:-1], np.diff(splits))
    return Codes(_points(text), offsets, splits)


def _of_broken_utf8(items: list[bytes], ends: np.ndarray) -> Codes:
    # A zero byte between two strings ends a character that is not complete.
    values = _points(b"\0".join(items).decode("utf-8", _MARKS)).copy()
    wrong = values >> 11 == 0xD800 >> 11
    sizes = np.where(wrong, values & 7, utf8_sizes(values))
    values[wrong] = _WRONG
    places = flat.bounds(sizes)[:-1]
    begins = ends[:-1] + np.arange(len(items))
    between = np.searchsorted(places, begins[1:] - 1)
    splits = np.concatenate([[0], between - np.arange(len(between)), [len(values) - len(between)]])
    offsets = np.delete(places, between) - np.repeat(begins, np.diff(splits))
    return Codes(np.delete(values, between), offsets, splits)


def utf8_sizes(values: np.ndarray) -> np.ndarray:
    """How many bytes code points have in UTF-8."""
    found = (values > 0x7F).astype(np.int64)
    found += values > 0x7FF
    found += values > 0xFFFF
    return found + 1


# -- UTF-16 and UTF-32 ------------------------------------------------------------------------------------------------

_WIDE = {"utf-16-be": ">u2", "utf-16-le": "<u2", "utf-32-be": ">u4", "utf-32-le": "<u4"}


def _of_wide(items: list[bytes], codec: str) -> Codes:
    dtype = np.dtype(_WIDE[codec])
    sizes = flat.sizes_of(items)
    if (sizes % dtype.itemsize).any():
        return _one_by_one(items, codec)
    values = flat.joined(items).view(dtype).astype(np.uint32)
    counts = sizes // dtype.itemsize
    ends = flat.bounds(counts)
    offsets = _places(counts) * dtype.itemsize
    halves = values >> 11 == 0xD800 >> 11
    if dtype.itemsize == 4:
        if halves.any() or (values > LAST).any():
            return _one_by_one(items, codec)
    elif halves.any():
        first, second = values >> 10 == 0xD800 >> 10, values >> 10 == 0xDC00 >> 10
        if first[-1] or (first[:-1] != second[1:]).any() or second[ends[:-1][counts > 0]].any():
            return _one_by_one(items, codec)
        at = np.flatnonzero(first)
        values[at] = ((values[at] & 0x3FF) << 10) + (values[at + 1] & 0x3FF) + 0x10000
        ends = flat.totals(~second, ends).astype(np.int64)
        values, offsets = values[~second], offsets[~second]
    return Codes(values.astype(np.int32), offsets, ends)


# -- names ------------------------------------------------------------------------------------------------------------

_KNOWN = frozenset(
    """ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    cp273 cp424 cp437 cp500 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869
    cp874 cp875 cp932 cp949 cp950 euc_jp euc_kr gb18030 gb2312 gbk hp-roman8 hz iso2022_jp iso2022_jp_1 iso2022_jp_2
    iso2022_kr iso8859-1 iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-2 iso8859-3 iso8859-4 iso8859-5
    iso8859-6 iso8859-7 iso8859-8 iso8859-9 koi8-r koi8-u mac-cyrillic mac-latin2 mac-roman shift_jis tis-620 utf-16
    utf-16-be utf-16-le utf-32 utf-32-be utf-32-le utf-7 utf-8""".split()
)
"""Python's names of the encodings that TensorFlow takes."""
_OTHER_NAMES = {"mac": "mac-roman", "xmacroman": "mac-roman", "windows31j": "cp932"}


@functools.cache
def codec_named(name: str) -> str | None:
    """Python's name of an encoding, whose name may be written with other dashes and cases; None where there is none."""
    short = "".join(c for c in name.lower() if c.isalnum())
    for given in (name, _short_names().get(short), _OTHER_NAMES.get(short)):
        try:
            found = codecs.lookup(given or "").name
        except (LookupError, ValueError):
            continue
        if found in _KNOWN:
            return found
    return None


@functools.cache
def _short_names() -> dict[str, str]:
    names = (*_KNOWN, *encodings.aliases.aliases)
    return {"".join(c for c in name.lower() if c.isalnum()): name for name in names}


# -- other encodings --------------------------------------------------------------------------------------------------


@functools.cache
def _table(codec: str) -> np.ndarray | None:
    """The code point of each byte, for encodings of one byte a character."""
    info = codecs.lookup(codec)
    module = sys.modules.get(getattr(info.incrementaldecoder, "__module__", ""))
    if codec not in ("ascii", "iso8859-1") and not hasattr(module, "decoding_table"):
        return None
    found = np.array([ord(bytes((i,)).decode(codec, _MARKS)) for i in range(256)], np.int32)
    found[found >> 11 == 0xD800 >> 11] = _WRONG
    if codec.startswith("cp125"):
        low = found[:0xA0]
        low[low == _WRONG] = np.flatnonzero(low == _WRONG)
    if codec in _TURNED:
        found[[0x1A, 0x1C, 0x7F]] = 0x1C, 0x7F, 0x1A
    for byte, code in _DIFFERENT.get(codec, {}).items():
        found[byte] = code
    return found


_TURNED = frozenset(
    "cp437 cp775 cp850 cp852 cp855 cp857 cp860 cp861 cp862 cp863 cp865 cp866 cp869 cp1125 cp737 cp856 cp858 cp864 cp874".split()
)
"""Code pages of IBM's in whose tables, as ICU has them, three control characters have changed places."""
_DIFFERENT: dict[str, dict[int, int]] = {
    "cp1026": {0x9A: 0x20BA}, "cp273": {0xBC: 0xAF}, "cp424": {0xB3: 0x2022, 0xBC: 0x203E}, "cp852": {0xAA: _WRONG},
    **{name: {0xE6: 0x3BC} for name in ("cp437", "cp860", "cp861", "cp862", "cp863", "cp865")},
    "cp869": {0x88: 0x387, 0xEF: 0xB4}, "cp1125": {0xFA: 0xF7, 0xFB: 0xB1}, "cp1253": {0xAA: 0xAA},
    "cp856": {0xEE: 0x203E, 0xFA: 0x2022}, "cp864": {0x25: 0x25, 0x9F: 0x200B, 0xD7: 0xFEC3, 0xD8: 0xFEC7, 0xF1: 0xFE7C},
    "cp875": dict.fromkeys((0xDC, 0xE1, 0xEC, 0xED, 0xFC, 0xFD), _WRONG),
    "cp874": {**dict.fromkeys((0x80, 0x85, *range(0x91, 0x98)), _WRONG), 0xA0: 0xE48, 0xDB: 0xE49, 0xDC: 0xE4A, 0xDD: 0xE4B,
              0xDE: 0xE4C, 0xFC: 0xA2, 0xFD: 0xAC, 0xFE: 0xA6, 0xFF: 0xA0},
    "cp1006": {0xB2: 0xF8FB, 0xC7: 0xFB88, 0xD5: 0xFEC3, 0xD6: 0xFEC7, 0xE3: 0xFB8E, 0xF9: 0xFBFC, 0xFA: 0xFBFD, 0xFB: 0xFBFE},
    "hp-roman8": {0xA0: _WRONG, 0xA9: 0x60, 0xAF: 0xA3, 0xB0: 0x203E, 0xB3: 0x2DA, 0xF3: 0x3BC, 0xF6: 0x2D},
    "tis-620": {0x80: 0x20AC, 0x85: 0x2026, 0x91: 0x2018, 0x92: 0x2019, 0x93: 0x201C, 0x94: 0x201D, 0x95: 0x2022, 0x96: 0x2013,
                0x97: 0x2014, 0xA0: 0xA0, **dict(zip((0xDB, 0xDC, 0xDD, 0xDE, 0xFC, 0xFD, 0xFE, 0xFF), range(0xF8C1, 0xF8C9), strict=True))},
}  # fmt: skip
"""Bytes that ICU's tables, which TensorFlow uses, read otherwise than Python's."""


def _one_by_one(items: list[bytes], codec: str) -> Codes:
    rows = [_pieces(v, codec) for v in items]
    table = np.array([p for row in rows for p in row], np.int64).reshape(-1, 2)
    return Codes(table[:, 0].astype(np.int32), table[:, 1].copy(), flat.bounds(flat.sizes_of(rows)))  # type: ignore[arg-type]


def _pieces(item: bytes, codec: str) -> list[tuple[int, int]]:
    """(code point, offset) of the characters of a string."""
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
            found.append((_WRONG, end))
        start = after
    return found


def _offsets(text: str, item: bytes, start: int, end: int, codec: str) -> list[int]:
    """Where the characters of a valid text begin in its bytes."""
    if len(text) == end - start:
        return list(range(start, end))
    decoder: Any = codecs.getincrementaldecoder(codec)()
    places, begun = [], start
    for i in range(start, end):
        for _ in decoder.decode(item[i : i + 1], i + 1 == end):
            places.append(begun)
            begun = i + 1
    return places

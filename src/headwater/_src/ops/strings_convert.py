"""Strings and numbers: `to_number`, `as_string`, and the hashes that put strings into buckets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.strings as strings
from headwater._src.base import dtypes, farmhash
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import COMPLEX, INTS, UINTS, Arr, bad, case, sampled
from headwater._src.core.tensor import Tensor

# -- to_number --------------------------------------------------------------------------------------------------------

_NUMBERS = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)


def _float_of(item: bytes) -> float:
    if b"_" in item:
        raise ValueError
    try:
        return float(item)
    except ValueError:
        text = item.strip().lower()
        if re.fullmatch(rb"[+-]?nan\([0-9a-z]*\)", text):
            return float("nan")
        if b"x" not in text:
            raise
        return float.fromhex(text.decode())


def _to_number(input: np.ndarray, *, out_type: Any) -> np.ndarray:
    items = strings.items_of(input)
    whole = out_type.is_integer
    read: Callable[[bytes], Any] = int if whole else _float_of
    low, high = (np.iinfo(out_type.np).min, np.iinfo(out_type.np).max) if whole else (0, 0)
    found = []
    for item in items:
        try:
            value = read(item)
        except (ValueError, OverflowError):
            raise invalid(f"tf.strings.to_number: {item!r} is no {out_type.name}.") from None
        if whole and (not low <= value <= high or b"_" in item or (not low and b"-" in item)):
            raise invalid(f"tf.strings.to_number: {item!r} is no {out_type.name}.")
        found.append(value)
    with np.errstate(all="ignore"):
        wide = np.array(found, out_type.np if whole else np.float64)
        return wide.astype(out_type.np).reshape(input.shape)


_number = op(
    "StringToNumber", "input: S -> input: out_type",
    numpy=_to_number, lower=strings.HOST, grad=NONDIFF, attrs={"out_type": dtypes.float32},
)  # fmt: skip


@export("strings.to_number")
def to_number(input: Any, out_type: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Numbers from their decimal texts, as C reads them: whitespace around them, inf, nan and hexadecimal floats are fine.

    Args:
      input: a tensor of strings.
      out_type: float32, float64, int32, int64, uint32 or uint64. Floats that are too large become infinite.
      name: optional.

    Raises:
      InvalidArgumentError: a string is no such number, or out of the range of integers.
    """
    what = "tf.strings.to_number"
    dtype = as_dtype(out_type)
    if dtype not in _NUMBERS:
        raise invalid(
            f"{what}: out_type must be one of {', '.join(d.name for d in _NUMBERS)}; got {dtype.name}."
        )
    return _number(strings.string_of(input, what), out_type=dtype, name=name)


# -- as_string --------------------------------------------------------------------------------------------------------

_FILLS = ("", " ", "0", "+", "-")


def _float_texts(values: np.ndarray, flags: str, rest: str) -> list[str]:
    form = f"%{flags}{rest}"
    found = list(map(form.__mod__, values.tolist()))
    if "0" in flags:  # no zeros before inf and nan
        for i in np.flatnonzero(~np.isfinite(values)).tolist():
            found[i] = f"%{flags.replace('0', '')}{rest}" % values[i]
    return found


def _as_strings(
    input: np.ndarray, *, precision: int, scientific: bool, shortest: bool, width: int, fill: str
) -> np.ndarray:
    dtype = dtypes.OF_NUMPY[input.dtype]
    flat = input.reshape(-1)
    size = str(width) if width > -1 else ""
    if dtype is dtypes.string:
        form = f"%{'-' if fill == '-' else ''}{size}s".encode()
        return strings.packed([form % v for v in flat.tolist()], input.shape)
    if dtype.is_bool:
        return strings.packed([b"true" if v else b"false" for v in flat.tolist()], input.shape)
    if dtype.is_integer:
        # C's unsigned conversions have no signs.
        flags = "" if dtype.is_unsigned and fill in " +" else fill
        texts = list(map(f"%{flags}{size}d".__mod__, flat.astype(object).tolist()))
    else:
        letter = "e" if scientific else "g" if shortest else "f"
        rest = (f".{precision}" if precision > -1 else "") + letter
        if dtype.is_complex:
            real, imag = (
                _float_texts(part.astype(np.float64), fill.replace("0", ""), rest)
                for part in (flat.real, flat.imag)
            )
            texts = [f"({a},{b})" for a, b in zip(real, imag, strict=True)]
        else:
            texts = _float_texts(flat.astype(np.float64), fill, size + rest)
    return strings.packed([t.encode() for t in texts], input.shape)


_as_string = op(
    "AsString", "input: A -> input: string",
    numpy=_as_strings, lower=strings.HOST, grad=NONDIFF,
    attrs={"precision": -1, "scientific": False, "shortest": False, "width": -1, "fill": ""},
)  # fmt: skip


@export("strings.as_string", "as_string")
def as_string(
    input: Any, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Numbers as strings, written as C's printf does.

    Args:
      input: a tensor of numbers, bools ("true", "false") or strings.
      precision: digits after the point of floats (significant digits if `shortest`); -1 for 6.
      scientific: write floats with an exponent.
      shortest: write floats with an exponent or without, whichever is shorter.
      width: pad to so many characters on the left.
      fill: "" or " " pad with spaces, "0" with zeros, "-" on the right; "+" writes plus signs, " " a space in their place.
      name: optional.

    Raises:
      InvalidArgumentError: the options exclude each other, or don't apply to the dtype.
    """
    what = "tf.strings.as_string"
    tensor = convert(input)
    dtype = tensor.dtype
    fill = fill.decode() if isinstance(fill, bytes) else fill
    if fill not in _FILLS:
        raise invalid(f"{what}: fill must be empty, ' ', '0', '+' or '-'; got {describe(fill)}.")
    if scientific and shortest:
        raise invalid(f"{what}: scientific and shortest exclude each other.")
    if (dtype.is_integer or dtype.is_bool) and (precision > -1 or scientific or shortest):
        raise invalid(f"{what}: precision, scientific and shortest are for floats; got {dtype.name}.")
    return _as_string(
        tensor, precision=int(precision), scientific=bool(scientific), shortest=bool(shortest), width=int(width), fill=fill,
        name=name,
    )  # fmt: skip


# -- hashes -----------------------------------------------------------------------------------------------------------

_MASK = (1 << 64) - 1
_MURMUR = 0xC6A4A7935BD1E995
_SEED = 0xDECAFCAFFE


def _murmur(item: bytes) -> int:
    """MurmurHash64A (Austin Appleby, public domain) with TensorFlow's seed."""
    size = len(item)
    value = _SEED ^ (size * _MURMUR & _MASK)
    whole = size & ~7
    for i in range(0, whole, 8):
        word = int.from_bytes(item[i : i + 8], "little") * _MURMUR & _MASK
        value = (value ^ ((word ^ (word >> 47)) * _MURMUR & _MASK)) * _MURMUR & _MASK
    if whole < size:
        value = (value ^ int.from_bytes(item[whole:], "little")) * _MURMUR & _MASK
    value = (value ^ (value >> 47)) * _MURMUR & _MASK
    return value ^ (value >> 47)


def _turn(x: np.ndarray, bits: int) -> np.ndarray:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _sip_round(v: list[np.ndarray]) -> None:
    for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
        v[a] = v[a] + v[b]
        v[c] = v[c] + v[d]
        v[b] = _turn(v[b], first) ^ v[a]
        v[d] = _turn(v[d], second) ^ v[c]
        v[a] = _turn(v[a], 32)


def _sip_words(words: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) of strings that are rows of padded words."""
    starts = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [np.full(len(words), s ^ (key[i % 2] & _MASK), np.uint64) for i, s in enumerate(starts)]
    for word in words.T:
        v[3] = v[3] ^ word
        _sip_round(v)
        _sip_round(v)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def sip_hashes(items: list[bytes], key: tuple[int, int]) -> np.ndarray:
    """The keyed hash of each string as uint64; strings with as many words are done at once."""
    groups: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        groups.setdefault(len(item) >> 3, []).append(i)
    found = np.empty(len(items), np.uint64)
    for words, members in groups.items():
        # The last word ends with the length's low byte.
        rows = [items[i].ljust(words * 8 + 7, b"\0") + bytes((len(items[i]) & 255,)) for i in members]
        found[members] = _sip_words(np.frombuffer(b"".join(rows), "<u8").reshape(len(rows), words + 1), key)
    return found


def _each_once(function: Callable[[bytes], int], items: list[bytes]) -> np.ndarray:
    known = {item: function(item) for item in set(items)}
    return np.fromiter(map(known.__getitem__, items), np.uint64, len(items))


def _buckets(hashes: np.ndarray, count: int, shape: Any) -> np.ndarray:
    return (hashes % np.uint64(count)).astype(np.int64).reshape(shape)


def _hash_op(name: str, function: Callable[[bytes], int]) -> Any:
    def kernel(input: np.ndarray, *, num_buckets: int) -> np.ndarray:
        return _buckets(_each_once(function, strings.items_of(input)), num_buckets, input.shape)

    return op(
        name, "input: S -> input: int64", numpy=kernel, lower=strings.HOST, grad=NONDIFF, attrs={"num_buckets": 1}
    )  # fmt: skip


_bucket = _hash_op("StringToHashBucket", _murmur)
_bucket_fast = _hash_op("StringToHashBucketFast", farmhash.fingerprint64)
_bucket_strong = op(
    "StringToHashBucketStrong", "input: S -> input: int64",
    numpy=lambda input, *, num_buckets, key: _buckets(sip_hashes(strings.items_of(input), key), num_buckets, input.shape),
    lower=strings.HOST, grad=NONDIFF, attrs={"num_buckets": 1, "key": (0, 0)},
)  # fmt: skip


def _count(value: Any, what: str) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what}: num_buckets must be an integer; got {describe(value)}.") from None
    if count < 1:
        raise invalid(f"{what}: num_buckets must be at least 1; got {count}.")
    return count


@export("strings.to_hash_bucket")
def to_hash_bucket(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """A bucket for each string, in [0, num_buckets) as int64: MurmurHash64A modulo `num_buckets`.

    Raises:
      InvalidArgumentError: `num_buckets` is not positive.
    """
    what = "tf.strings.to_hash_bucket"
    return _bucket(strings.string_of(input, what), num_buckets=_count(num_buckets, what), name=name)


@export("strings.to_hash_bucket_fast")
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """A bucket for each string, in [0, num_buckets) as int64: FarmHash's Fingerprint64 modulo `num_buckets`."""
    what = "tf.strings.to_hash_bucket_fast"
    return _bucket_fast(strings.string_of(input, what), num_buckets=_count(num_buckets, what), name=name)


@export("strings.to_hash_bucket_strong")
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: str | None = None) -> Tensor:
    """A bucket for each string, in [0, num_buckets) as int64: SipHash-2-4 under a key of two integers modulo `num_buckets`.

    Who does not know the key can't make strings that collide on purpose.

    Raises:
      TypeError, InvalidArgumentError: the key is no list of two integers.
    """
    what = "tf.strings.to_hash_bucket_strong"
    if not isinstance(key, (list, tuple)):
        raise TypeError(f"{what}: key must be a list of two integers; got {describe(key)}.")
    if len(key) != 2:
        raise invalid(f"{what}: key must have two integers; got {len(key)}.")
    pair = int(key[0]), int(key[1])
    return _bucket_strong(
        strings.string_of(input, what), num_buckets=_count(num_buckets, what), key=pair, name=name
    )


# -- samples ----------------------------------------------------------------------------------------------------------

_SPECIAL = [3.14159, 1e10, 1.5e-7, float("nan"), float("inf"), -float("inf"), -0.0]
_TEXTS = ["", "a", "abc", "hello world", "x" * 8, "x" * 20, "y" * 40, "z" * 100, b"\xff\x00"]

sampled("strings.to_number", lambda: [
    case(["3.5", " 3 ", "nan", "inf", "-Infinity", "1e400", "0x10", "+5", "1e-50", "0x1p3", "nan(1)", " \t3\n", ".5", "5.", "INF"], id="floats"),
    *(case(["7", " 12", "0007"], d, id=d.name) for d in _NUMBERS), case(["-2147483648", "+7"], dtypes.int32, id="signs"), case(Arr((0, 2), "string"), id="empty"),
    *(bad(text, id=f"no-float{i}") for i, text in enumerate(["3x", "", "1_0", "1e", "infinit", "٣"])),
    *(bad(text, dtypes.int32, id=f"no-int{i}") for i, text in enumerate(["3.5", "", "99999999999", "0x3", "2147483648", "-", "1_0"])),
    bad("-1", dtypes.uint32, id="negative"), bad("4294967296", dtypes.uint32, id="uint32-range"), bad("9223372036854775808", dtypes.int64, id="int64-range"),
    bad("7", dtypes.int8, id="dtype"), bad(3, error="TypeError", id="number"),
])  # fmt: skip
sampled("strings.as_string", lambda: [
    *(case(Arr((3,), d, -9, 9), id=d) for d in (*INTS, *UINTS, "float16", "bfloat16", "float32", "float64", *COMPLEX, "bool", "string")),
    *(case(_SPECIAL, id=f"floats{i}", **k) for i, k in enumerate([
        {}, {"precision": 2}, {"scientific": True}, {"shortest": True}, {"precision": 3, "shortest": True}, {"width": 12}, {"width": 12, "fill": "0"},
        {"width": 12, "fill": "-"}, {"width": 12, "fill": " "}, {"width": 12, "fill": "+"}, {"fill": "0"}, {"precision": 0},
        {"width": 14, "fill": "0", "precision": 2, "scientific": True}, {"fill": " ", "precision": 1}])),
    *(case(x, id=f"{n}-fill{f}", width=6, fill=f) for n, x in (("ints", [3, -45]), ("uint8", Arr((2,), "uint8", 0, 9)), ("bools", [True]), ("strings", ["abc"]),
        ("complex", [1 + 2j])) for f in _FILLS), case([3, -45], fill="+", id="plus"), case(Arr((2,), "uint8", 0, 9), fill="+", id="uint8-plus"),
    case([1 + 2j], scientific=True, fill="+", id="complex-plus"), case(["abc"], precision=2, id="strings-precision"), case(Arr((0, 2)), id="empty"), case(2.5, id="scalar"),
    bad([1], precision=2, id="precision"), bad([1], scientific=True, id="scientific"), bad([True], shortest=True, id="shortest"),
    bad([1.0], scientific=True, shortest=True, id="both"), bad([1.0], fill="x", id="fill"), bad([1.0], fill="00", id="fill-long"),
])  # fmt: skip
for _name in ("to_hash_bucket", "to_hash_bucket_fast"):
    sampled(f"strings.{_name}", lambda: [
        case(_TEXTS, 2**62, id="wide"), case([_TEXTS[:2]], 10, id="few"), case(Arr((2, 3), "string"), 7, id="words"), case(Arr((0,), "string"), 7, id="empty"),
        bad("a", 0, id="none"), bad("a", -1, id="negative"), bad(1, 3, error="TypeError", id="number"),
    ])  # fmt: skip
sampled("strings.to_hash_bucket_strong", lambda: [
    case(_TEXTS, 2**62, key=[1, 2], id="wide"), case("a", 7, key=[-1, 2], id="negative-key"), case(Arr((2, 3), "string"), 7, [3, 2**62], id="words"),
    case(Arr((0,), "string"), 7, key=[1, 2], id="empty"), bad("a", 0, key=[1, 2], id="none"), bad("a", 1, key=[1], id="short-key"),
    bad("a", 1, key=1, error="TypeError", id="no-key"),
])  # fmt: skip

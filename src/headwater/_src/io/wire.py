"""The wire format of protocol buffers, as much of it as records need: varints, length-delimited fields, fixed numbers.

(The format is documented at protobuf.dev/programming-guides/encoding.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headwater._src.base.errors import DataLossError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def damaged(what: str) -> DataLossError:
    """The error of a message that can't be read."""
    return DataLossError(None, None, f"A serialized message is damaged: {what}.")


def varint(value: int) -> bytes:
    """An unsigned integer, seven bits a byte; negative ones as 64-bit two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, data: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | BYTES) + varint(len(data)) + data


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at a place, and the place after it."""
    try:
        byte = data[at]
        if byte < 128:
            return byte, at + 1
        value, shift, at = byte & 127, 7, at + 1
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFFFFFFFFFFFFFF, at
            shift += 7
            if shift > 63:
                raise damaged("an integer has more than ten bytes")
    except IndexError:
        raise damaged("it ends in the middle of an integer") from None


def fields(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """(number, wire type, start, end) of the fields in a stretch of bytes; of varints start is the value."""
    end = len(data) if end is None else end
    while at < end:
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == BYTES:
            size, at = read_varint(data, at)
            if at + size > end:
                raise damaged(f"a field of {size} bytes does not fit into it")
            yield key >> 3, kind, at, at + size
            at += size
        elif kind == VARINT:
            value, at = read_varint(data, at)
            yield key >> 3, kind, value, at
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
            if at + size > end:
                raise damaged("it ends in the middle of a number")
            yield key >> 3, kind, at, at + size
            at += size
        else:
            raise damaged(f"it has a field of the unknown wire type {kind}")
    if at != end:
        raise damaged("a field is longer than the message")


def signed(value: int) -> int:
    """A 64-bit unsigned integer as a signed one."""
    return value - (1 << 64) if value >> 63 else value


def packed_ints(data: bytes, at: int, end: int) -> list[int]:
    """The integers of a packed field."""
    chunk = data[at:end]
    if chunk.isascii():  # no byte has its high bit set: each is an integer
        return list(chunk)
    found = []
    while at < end:
        value, at = read_varint(data, at)
        found.append(value - (1 << 64) if value >> 63 else value)
    if at != end:
        raise damaged("an integer is longer than its field")
    return found


def pack_ints(values: list[int]) -> bytes:
    """Integers as a packed field's content."""
    if values and min(values) >= 0 and max(values) < 128:
        return bytes(values)
    return b"".join(map(varint, values))


def varints(values: np.ndarray) -> bytes:
    """Many unsigned integers (int64), one after another."""
    sizes = np.ones(len(values), np.int64)
    for bits in range(7, 63, 7):
        more = values >> bits > 0
        if not more.any():
            break
        sizes += more
    groups = np.arange(int(sizes.max(initial=1)))
    out = (values[:, None] >> 7 * groups & 127).astype(np.uint8)
    out |= np.where(groups < sizes[:, None] - 1, 128, 0).astype(np.uint8)
    return out[groups < sizes[:, None]].tobytes()


def read_varints(data: bytes, count: int) -> tuple[np.ndarray, int]:
    """So many integers at the beginning as int64, and the place after them."""
    content = np.frombuffer(data[: 10 * count], np.uint8)
    ends = np.flatnonzero(content < 128)[:count]
    if len(ends) < count:
        raise damaged("it ends in the middle of an integer, or one has more than ten bytes")
    starts = np.concatenate([[0], ends[:-1] + 1]) if count else ends
    sizes = ends - starts + 1
    values = content[starts].astype(np.int64) & 127
    for i in range(1, int(sizes.max(initial=0))):
        longer = np.flatnonzero(sizes > i)
        values[longer] |= (content[starts[longer] + i].astype(np.int64) & 127) << 7 * i
    return values, int(ends[-1]) + 1 if count else 0


def floats(data: bytes, at: int, end: int) -> np.ndarray:
    """The float32 numbers of a packed field."""
    if (end - at) % 4:
        raise damaged("a list of floats has a broken length")
    return np.frombuffer(data, "<f4", (end - at) // 4, at)

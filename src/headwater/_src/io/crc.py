"""CRC-32C (Castagnoli, RFC 3720), which guards records, on NumPy: many strings at once, all their bytes at once.

A CRC is linear over GF(2): a string's register is the sum (XOR) of what each byte leaves in it, which depends on the byte and
on how many bytes follow; zeros in front change nothing when the register begins with zero, and beginning with all ones is the
same as inverting the first four bytes. So strings are cut into pieces of 64 bytes, each piece is 64 lookups, and the registers
of 64 pieces are summed in the same way, as often as a string is long.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

_POLYNOMIAL = 0x82F63B78
_WIDTH = 64
_SHORT = 256
"""Up to so many bytes a loop over a single string is faster."""
_ROWS = 512
"""So many pieces at a time stay in the cache."""


@functools.cache
def _one() -> tuple[np.ndarray, list[int]]:
    """What a byte that nothing follows leaves behind; the same as a list."""
    one = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        one = np.where(one & 1, (one >> 1) ^ np.uint32(_POLYNOMIAL), one >> 1)
    return one, one.tolist()


def _summed(tables: np.ndarray, registers: np.ndarray) -> np.ndarray:
    """The sum of four tables, each asked for one byte of the registers."""
    parts = [tables[i][registers >> np.uint32(8 * i) & np.uint32(255)] for i in range(4)]
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3]


@functools.cache
def _table(level: int) -> np.ndarray:
    """What units leave behind in a row of 64, by their place and value: bytes at level 0, at others the four bytes of a register
    of a unit of 64 ** level bytes."""
    if level == 0:
        one = _one()[0]
        rows = [one]
        for _ in range(_WIDTH - 1):
            rows.append(one[rows[-1] & 255] ^ (rows[-1] >> np.uint32(8)))
    else:
        rows = [np.arange(256, dtype=np.uint32) << (np.arange(4, dtype=np.uint32) * 8)[:, None]]
        for _ in range(_WIDTH - 1):
            rows.append(_summed(_shift(level), rows[-1]))
    return np.stack(rows[::-1])


@functools.cache
def _shift(level: int) -> np.ndarray:
    """What a register becomes when 64 ** level zero bytes follow, as a table for each of its bytes."""
    if level == 1:  # as the first bytes of a piece
        return _table(0)[:4]
    return _summed(_shift(level - 1), _table(level - 1)[0])


def crc32c(data: bytes) -> int:
    """The CRC-32C of a string."""
    if len(data) > _SHORT:
        return int(crcs([data])[0])
    table = _one()[1]
    register = 0xFFFFFFFF
    for byte in data:
        register = table[(register ^ byte) & 255] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def crcs(strings: Sequence[bytes]) -> np.ndarray:
    """The CRC-32C of each string."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    if (lengths < 4).any():
        found = np.empty(len(strings), np.uint32)
        short = lengths < 4
        found[short] = [crc32c(s) for s in strings if len(s) < 4]
        if not short.all():
            found[~short] = crcs([s for s in strings if len(s) >= 4])
        return found
    if not lengths.size:
        return np.empty(0, np.uint32)
    width = min(_WIDTH, int(lengths.max()))
    counts = -(-lengths // width)
    sizes = (counts * width).tolist()
    data = bytearray().join([s.rjust(n, b"\0") for s, n in zip(strings, sizes, strict=True)])
    flat = np.frombuffer(data, np.uint8)
    ends = np.cumsum(counts)
    first = ends * width - lengths
    flat[first[:, None] + np.arange(4)] ^= 0xFF
    registers = _pieces(flat.reshape(-1, width))
    level = 1
    while counts.max() > 1:
        ends = np.cumsum(counts)
        after = (np.repeat(ends, counts) - 1 - np.arange(len(registers))) % _WIDTH
        begins = after == _WIDTH - 1
        begins[ends - counts] = True
        registers = np.bitwise_xor.reduceat(_placed(level, after, registers), np.flatnonzero(begins))
        counts = -(-counts // _WIDTH)
        level += 1
    return registers ^ np.uint32(0xFFFFFFFF)


def crcs_of_rows(matrix: np.ndarray) -> np.ndarray:
    """The CRC-32C of each row of a matrix of 4 to 64 bytes a row."""
    matrix = matrix.copy()
    matrix[:, :4] ^= 0xFF
    return _pieces(matrix) ^ np.uint32(0xFFFFFFFF)


def _pieces(matrix: np.ndarray) -> np.ndarray:
    """The registers after the rows of a matrix of bytes."""
    width = matrix.shape[1]
    table = _table(0)[_WIDTH - width :].reshape(-1)
    places = np.arange(width) * 256
    found = np.empty(len(matrix), np.uint32)
    for i in range(0, len(matrix), _ROWS):
        part = table.take(matrix[i : i + _ROWS] + places, mode="clip")
        np.bitwise_xor.reduce(part, axis=1, out=found[i : i + _ROWS])
    return found


def _placed(level: int, after: np.ndarray, registers: np.ndarray) -> np.ndarray:
    """What registers leave behind where so many units of their level follow."""
    table = _table(level)
    row = _WIDTH - 1 - after
    parts = [table[row, i, registers >> np.uint32(8 * i) & np.uint32(255)] for i in range(4)]
    return parts[0] ^ parts[1] ^ parts[2] ^ parts[3]


def masked(crc: int) -> int:
    """A CRC as records store it, so that a CRC over data with CRCs in it stays sound."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def masked_all(crc: np.ndarray) -> np.ndarray:
    """The same for many."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)

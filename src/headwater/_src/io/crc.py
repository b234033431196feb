"""CRC-32C (Castagnoli, RFC 3720), which guards records, on NumPy: many short strings or the pieces of a long one at once.

A CRC is linear over GF(2): zeros in front of a string change nothing when the register begins with zero, and beginning
with all ones is the same as inverting the first four bytes. So strings of different lengths, filled up in front, are the
rows of one matrix, which is gone through two bytes a step.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

_POLYNOMIAL = 0x82F63B78
_PIECE = 1024
_SHORT = 24


@functools.cache
def _tables() -> tuple[np.ndarray, list[int]]:
    """The register after two zero bytes, by its lower half; and the same for one byte as a list."""
    one = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        one = np.where(one & 1, (one >> 1) ^ np.uint32(_POLYNOMIAL), one >> 1)
    low = np.arange(65536, dtype=np.uint32)
    step = one[low & 255] ^ (low >> 8)
    return one[step & 255] ^ (step >> 8), one.tolist()


def _register(words: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The registers after rows of 16-bit words, one column a step."""
    table = _tables()[0]
    for column in words.T:
        start = table[(start ^ column) & 0xFFFF] ^ (start >> np.uint32(16))
    return start


@functools.cache
def _shift() -> list[list[int]]:
    """What the register becomes after a piece of zeros, as the sum of a table for each of its bytes."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    moved = _register(np.zeros((32, _PIECE // 2), np.uint16), bits).tolist()
    tables = []
    for byte in range(4):
        table = [0] * 256
        for value in range(1, 256):
            low = value & -value
            table[value] = table[value ^ low] ^ moved[8 * byte + low.bit_length() - 1]
        tables.append(table)
    return tables


def crc32c(data: bytes) -> int:
    """The CRC-32C of a string."""
    if len(data) > _SHORT:
        return _long(data)
    table = _tables()[1]
    register = 0xFFFFFFFF
    for byte in data:
        register = table[(register ^ byte) & 255] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _long(data: bytes) -> int:
    size = len(data)
    width = min(_PIECE, -(-size // 32) * 2) if size <= 16 * _PIECE else _PIECE
    if width < _PIECE:
        return int(crcs([data])[0])
    rows = -(-size // _PIECE)
    padded = np.zeros(rows * _PIECE, np.uint8)
    padded[-size:] = np.frombuffer(data, np.uint8)
    padded[-size : 4 - size or None] ^= 0xFF
    registers = _register(padded.view("<u2").reshape(rows, -1), np.zeros(rows, np.uint32)).tolist()
    a, b, c, d = _shift()
    register = 0
    for own in registers:
        moved = a[register & 255] ^ b[register >> 8 & 255] ^ c[register >> 16 & 255] ^ d[register >> 24]
        register = moved ^ own
    return register ^ 0xFFFFFFFF


def crcs(strings: Sequence[bytes]) -> np.ndarray:
    """The CRC-32C of each string; their lengths should be alike."""
    lengths = np.array([len(s) for s in strings])
    found = np.empty(len(strings), np.uint32)
    short = lengths < 4
    for i in np.flatnonzero(short).tolist():
        found[i] = crc32c(strings[i])
    rest = np.flatnonzero(~short)
    if not rest.size:
        return found
    width = int(lengths.max() + 1) // 2 * 2
    if (lengths[rest] == lengths[rest[0]]).all() and not short.any():
        rows = np.frombuffer(b"".join(strings), np.uint8).reshape(len(strings), -1)
        matrix = np.zeros((len(strings), width), np.uint8)
        matrix[:, width - rows.shape[1] :] = rows
    else:
        matrix = (
            np.frombuffer(b"".join([strings[i].rjust(width, b"\0") for i in rest.tolist()]), np.uint8)
            .reshape(len(rest), width)
            .copy()
        )
    first = width - lengths[rest]
    places = first[:, None] + np.arange(4)
    matrix[np.arange(len(rest))[:, None], places] ^= 0xFF
    words = np.ascontiguousarray(matrix.view("<u2").T).T
    found[rest] = _register(words, np.zeros(len(rest), np.uint32)) ^ np.uint32(0xFFFFFFFF)
    return found


def masked(crc: int) -> int:
    """A CRC as records store it, so that a CRC over data with CRCs in it stays sound."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def masked_all(crc: np.ndarray) -> np.ndarray:
    """The same for many."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)

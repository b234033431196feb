"""CRC-32C (Castagnoli, RFC 3720), which guards records, on NumPy: many strings at once, all their bytes at once.

A CRC is linear over GF(2): a string's register is the sum (XOR) of what each byte leaves in it, which depends on the byte and
on how many bytes follow; zeros in front change nothing when the register begins with zero, and beginning with all ones is the
same as inverting the first four bytes.

Long strings are folded first. A multiple of the CRC's polynomial with few terms says at which later places a byte may be added
instead of standing at the front, and NumPy adds thousands of them in one call. What is left is cut into pieces of 64 bytes, each
piece is 64 lookups, and the registers of the pieces are summed in the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8
_ONES = np.uint32(0xFFFFFFFF)
_MULTIPLES = ((6777, 484, 100), (290, 136, 113, 107, 32))
"""Multiples of the polynomial, found by search: the sum of the powers of x whose exponents are 0 and 8 times these numbers. Their
squares, whose exponents are twice as large, are multiples too, and so on."""
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


@functools.cache
def _bytes_table() -> np.ndarray:
    """What bytes leave behind in a piece, by place and value."""
    one = _one()[0]
    rows = [one]
    for _ in range(_WIDTH - 1):
        rows.append(one[rows[-1] & 255] ^ (rows[-1] >> np.uint32(8)))
    return np.stack(rows[::-1])


@functools.cache
def _registers_table(count: int) -> np.ndarray:
    """What the registers of `count` pieces leave behind at the end, by place of the piece, place and value of the byte."""
    tables = [np.arange(256, dtype=np.uint32) << (np.arange(4, dtype=np.uint32) * 8)[:, None]]
    first = _bytes_table()[:4]  # a register acts as the first bytes of the next piece
    for _ in range(count - 1):
        parts = [first[i][tables[-1] >> np.uint32(8 * i) & np.uint32(255)] for i in range(4)]
        tables.append(parts[0] ^ parts[1] ^ parts[2] ^ parts[3])
    return np.stack(tables[::-1])


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
    grain = np.maximum(1 << (np.frexp(lengths)[1] - 4), _WIDTH)
    sizes = np.where(lengths < 4, 0, -(-lengths // grain) * grain)
    found = np.empty(len(strings), np.uint32)
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        some = [strings[i] for i in rows.tolist()]
        found[rows] = _filled_up(some, lengths[rows], size) if size else [crc32c(s) for s in some]
    return found


def _filled_up(strings: Sequence[bytes], lengths: np.ndarray, size: int) -> np.ndarray:
    """The CRC-32C of strings of 4 to `size` bytes, which zeros in front bring to one size."""
    matrix = np.zeros((len(strings), size), np.uint8)
    for row, string, start in zip(matrix, strings, (size - lengths).tolist(), strict=True):
        row[start:] = np.frombuffer(string, np.uint8)
    matrix[np.arange(len(strings))[:, None], (size - lengths)[:, None] + np.arange(4)] ^= 0xFF
    return _registers(matrix) ^ _ONES


def _folded(matrix: np.ndarray) -> np.ndarray:
    """The last columns of a matrix of bytes, with the others added so that the rows leave the same registers behind; overwrites it."""
    for terms in _MULTIPLES:
        for level in range((matrix.shape[1] // terms[0]).bit_length() - 2, -1, -1):
            first, *others = (n << level for n in terms)
            distances = [*(first - n for n in others), first]
            while matrix.shape[1] >= 2 * first:
                front = matrix[:, : min(distances[0], matrix.shape[1] - first)]
                count = front.shape[1]
                for distance in distances:
                    target = matrix[:, distance : distance + count]
                    np.bitwise_xor(target, front, out=target)
                matrix = matrix[:, count:]
    return matrix


def _registers(matrix: np.ndarray) -> np.ndarray:
    """The registers that the rows of a matrix of bytes leave behind if they begin with zero; overwrites it."""
    matrix = _folded(matrix)
    rows, size = matrix.shape
    count = -(-size // _WIDTH)
    padded = np.zeros((rows, count * _WIDTH), np.uint8)
    padded[:, count * _WIDTH - size :] = matrix
    found = _looked_up(_bytes_table(), padded.reshape(-1, _WIDTH)).reshape(rows, count)
    if count == 1:
        return found[:, 0]
    return _looked_up(_registers_table(count).reshape(-1, 256), found.view(np.uint8).reshape(rows, -1))


def _looked_up(tables: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The sums of what bytes stand for, which have a table for each column."""
    flat = tables.reshape(-1)
    places = np.arange(len(tables)) * 256
    found = np.empty(len(matrix), "<u4")
    for i in range(0, len(matrix), _ROWS):
        part = flat.take(matrix[i : i + _ROWS] + places, mode="clip")
        np.bitwise_xor.reduce(part, axis=1, out=found[i : i + _ROWS])
    return found


def misfits(content: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """None where stretches of bytes, which fill `content`, all end with their own checksum as `masked` makes it; the checksums that
    they end with where one does not fit. Overwrites the bytes.

    A string, its first four bytes inverted, with its inverted CRC behind it, is a multiple of the polynomial, hence also any number
    of them in a row: one register speaks for all. What is wrong in one stretch is found as by its own checksum; that errors
    in several stretches add up to nothing is as likely as that a single checksum misses one, 2 ** -32.
    """
    words = np.ndarray(len(content) - 3, "<u4", content, 0, (1,))  # the four bytes from each place on
    stored = words[ends - 4]
    rotated = stored - np.uint32(_MASK)
    words[ends - 4] = ~((rotated >> np.uint32(17)) | (rotated << np.uint32(15)))
    words[starts] ^= _ONES
    return stored if _registers(content[None])[0] else None


def masked(crc: int) -> int:
    """A CRC as records store it, so that a CRC over data with CRCs in it stays sound."""
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


def masked_all(crc: np.ndarray) -> np.ndarray:
    """The same for many."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK)

"""FarmHash's 64-bit fingerprint of byte strings, and how two fingerprints become one.

The algorithm is the public `farmhashna::Hash64` of Google's FarmHash (its fingerprints never change), written out on numbers
modulo 2**64. The numbers are Python's integers, for one string, or arrays of uint64, for many strings at once. A string is given
by its length and by `fetch(at, size)`, which reads `size` bytes as a little-endian number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_CAT = 0xC6A4A7935BD1E995

Fetch = Callable[[Any, int], Any]


def low(x: Any) -> Any:
    """The number modulo 2**64; arrays are that already."""
    return x & MASK if isinstance(x, int) else x


def rotated(x: Any, by: int) -> Any:
    """The number modulo 2**64 with its bits moved right, those that fall out entering at the left."""
    x = low(x)
    return low((x >> by) | (x << (64 - by)))


def _mix(x: Any) -> Any:
    x = low(x)
    return x ^ (x >> 47)


def _pair(u: Any, v: Any, mul: Any) -> Any:
    a = _mix(low(u ^ v) * mul)
    b = _mix((low(v) ^ a) * mul)
    return low(b * mul)


def of_1_to_3(fetch: Fetch, n: Any) -> Any:
    """The fingerprint of strings with 1 to 3 bytes."""
    y, z = fetch(0, 1) + (fetch(n >> 1, 1) << 8), n + (fetch(n - 1, 1) << 2)
    return low(_mix(low(y * _K2) ^ low(z * _K0)) * _K2)


def of_4_to_7(fetch: Fetch, n: Any) -> Any:
    """The fingerprint of strings with 4 to 7 bytes."""
    return _pair(n + (fetch(0, 4) << 3), fetch(n - 4, 4), n * 2 + _K2)


def of_8_to_16(fetch: Fetch, n: Any) -> Any:
    """The fingerprint of strings with 8 to 16 bytes."""
    mul = n * 2 + _K2
    a, b = fetch(0, 8) + _K2, fetch(n - 8, 8)
    return _pair(rotated(b, 37) * mul + a, (rotated(a, 25) + b) * mul, mul)


def _middle(fetch: Fetch, n: Any, first: int) -> tuple[Any, Any, Any]:
    """What strings of 17 to 64 bytes begin with: two halves to join, and the first product."""
    a = fetch(0, 8) * first
    b, c, d = fetch(8, 8), fetch(n - 8, 8) * (n * 2 + _K2), fetch(n - 16, 8) * _K2
    return rotated(a + b, 43) + rotated(c, 30) + d, a + rotated(b + _K2, 18) + c, a


def of_17_to_32(fetch: Fetch, n: Any) -> Any:
    """The fingerprint of strings with 17 to 32 bytes."""
    first, second, _ = _middle(fetch, n, _K1)
    return _pair(first, second, n * 2 + _K2)


def of_33_to_64(fetch: Fetch, n: Any) -> Any:
    """The fingerprint of strings with 33 to 64 bytes."""
    mul = n * 2 + _K2
    y, other, a = _middle(fetch, n, _K2)
    z = _pair(y, other, mul)
    e, f = fetch(16, 8) * mul, fetch(24, 8)
    g, h = (y + fetch(n - 32, 8)) * mul, (z + fetch(n - 24, 8)) * mul
    return _pair(rotated(e + f, 43) + rotated(g, 30) + h, e + rotated(f + a, 18) + g, mul)


def _weak(fetch: Fetch, at: Any, a: Any, b: Any) -> tuple[Any, Any]:
    w, x, y, z = (fetch(at + 8 * i, 8) for i in range(4))
    a = a + w
    b = rotated(b + a + z, 21)
    c = a
    a = a + x + y
    b = b + rotated(a, 44)
    return low(a + z), low(b + c)


def _round(fetch: Fetch, at: Any, state: tuple[Any, ...], mul: Any, times: int) -> tuple[Any, ...]:
    x, y, z, v0, v1, w0, w1 = state
    x = low(rotated(x + y + v0 + fetch(at + 8, 8), 37) * mul)
    y = low(rotated(y + v1 + fetch(at + 48, 8), 42) * mul)
    x = x ^ low(w1 * times)
    y = low(y + v0 * times + fetch(at + 40, 8))
    z = low(rotated(z + w0, 33) * mul)
    v0, v1 = _weak(fetch, at, v1 * mul, x + w0)
    w0, w1 = _weak(fetch, at + 32, z + w1, y + fetch(at + 16, 8))
    return z, y, x, v0, v1, w0, w1


def of_more_than_64(fetch: Fetch, n: Any, blocks: int) -> Any:
    """The fingerprint of strings with more than 64 bytes; `blocks`, the whole blocks of 64 before the last byte, is one number."""
    seed = 81
    y = (seed * _K1 + 113) & MASK
    state: tuple[Any, ...] = (
        fetch(0, 8) + (seed * _K2 & MASK),
        y,
        _mix(y * _K2 + 113) * _K2 & MASK,
        0,
        0,
        0,
        0,
    )
    for at in range(0, 64 * blocks, 64):
        state = _round(fetch, at, state, _K1, 1)
    x, y, z, v0, v1, w0, w1 = state
    w0 = w0 + ((n - 1) & 63)
    v0 = v0 + w0
    w0 = w0 + v0
    # Each round hands x and z over exchanged; here z is the value that the factor comes from.
    mul = ((z & 0xFF) << 1) + _K1
    x, y, z, v0, v1, w0, w1 = _round(fetch, n - 64, (x, y, z, v0, v1, w0, w1), mul, 9)
    return _pair(_pair(v0, w0, mul) + _mix(y) * _K0 + z, _pair(v1, w1, mul) + x, mul)


CLASSES: tuple[tuple[int, Callable[[Fetch, Any], Any]], ...] = (
    (3, of_1_to_3),
    (7, of_4_to_7),
    (16, of_8_to_16),
    (32, of_17_to_32),
    (64, of_33_to_64),
)
"""(longest, function) for each class of lengths that one formula serves."""
OF_NOTHING = _K2
"""The fingerprint of the empty string."""


def fingerprint64(s: bytes) -> int:
    """The fingerprint of a byte string, in [0, 2**64)."""

    def fetch(at: int, size: int) -> int:
        return int.from_bytes(s[at : at + size], "little")

    n = len(s)
    if not n:
        return OF_NOTHING
    for longest, function in CLASSES:
        if n <= longest:
            return function(fetch, n)
    return of_more_than_64(fetch, n, (n - 1) // 64)


def concatenated(first: int, second: int) -> int:
    """One fingerprint of two, which depends on their order."""
    result = first ^ _CAT
    result ^= _mix(second * _CAT) * _CAT & MASK
    result = result * _CAT & MASK
    return _mix(_mix(result) * _CAT)

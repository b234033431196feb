"""FarmHash's 64-bit fingerprint of byte strings, and how two fingerprints become one.

The algorithm is the public `farmhashna::Hash64` of Google's FarmHash (its fingerprints never change), written out on
Python's integers; everything is modulo 2**64.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_CAT = 0xC6A4A7935BD1E995


def _rotate(x: int, by: int) -> int:
    x &= _MASK
    return ((x >> by) | (x << (64 - by))) & _MASK


def _mix(x: int) -> int:
    x &= _MASK
    return x ^ (x >> 47)


def _fetch(s: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(s[at : at + size], "little")


def _pair(u: int, v: int, mul: int) -> int:
    a = _mix(((u ^ v) & _MASK) * mul)
    b = _mix(((v & _MASK) ^ a) * mul)
    return b * mul & _MASK


def _short(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    if n >= 8:
        a, b = _fetch(s, 0) + _K2, _fetch(s, n - 8)
        return _pair(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)
    if n >= 4:
        return _pair(n + (_fetch(s, 0, 4) << 3), _fetch(s, n - 4, 4), mul)
    if n:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
        return _mix((y * _K2 & _MASK) ^ (z * _K0 & _MASK)) * _K2 & _MASK
    return _K2


def _middle(s: bytes, n: int) -> tuple[int, int, int]:
    """What strings of 17 to 64 bytes begin with: two halves to join, and the first product."""
    mul = _K2 + n * 2
    a = _fetch(s, 0) * (_K1 if n <= 32 else _K2)
    b, c, d = _fetch(s, 8), _fetch(s, n - 8) * mul, _fetch(s, n - 16) * _K2
    return _rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, a


def _to_64(s: bytes, n: int) -> int:
    mul = _K2 + n * 2
    y, other, a = _middle(s, n)
    z = _pair(y, other, mul)
    e, f = _fetch(s, 16) * mul, _fetch(s, 24)
    g, h = (y + _fetch(s, n - 32)) * mul, (z + _fetch(s, n - 24)) * mul
    return _pair(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, mul)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_fetch(s, at + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def _round(s: bytes, at: int, state: tuple[int, ...], mul: int, times: int) -> tuple[int, ...]:
    x, y, z, v0, v1, w0, w1 = state
    x = _rotate(x + y + v0 + _fetch(s, at + 8), 37) * mul & _MASK
    y = _rotate(y + v1 + _fetch(s, at + 48), 42) * mul & _MASK
    x ^= w1 * times & _MASK
    y = (y + v0 * times + _fetch(s, at + 40)) & _MASK
    z = _rotate(z + w0, 33) * mul & _MASK
    v0, v1 = _weak(s, at, v1 * mul, x + w0)
    w0, w1 = _weak(s, at + 32, z + w1, y + _fetch(s, at + 16))
    return z, y, x, v0, v1, w0, w1


def _long(s: bytes, n: int) -> int:
    seed = 81
    y = (seed * _K1 + 113) & _MASK
    state: tuple[int, ...] = (
        (seed * _K2 + _fetch(s, 0)) & _MASK,
        y,
        _mix(y * _K2 + 113) * _K2 & _MASK,
        0,
        0,
        0,
        0,
    )
    end = (n - 1) // 64 * 64
    for at in range(0, end, 64):
        state = _round(s, at, state, _K1, 1)
    x, y, z, v0, v1, w0, w1 = state
    rest = (n - 1) & 63
    w0 += rest
    v0 += w0
    w0 += v0
    # Each round hands x and z over exchanged; here z is the value that the factor comes from.
    mul = _K1 + ((z & 0xFF) << 1)
    x, y, z, v0, v1, w0, w1 = _round(s, end + rest - 63, (x, y, z, v0, v1, w0, w1), mul, 9)
    return _pair(_pair(v0, w0, mul) + _mix(y) * _K0 + z, _pair(v1, w1, mul) + x, mul)


def fingerprint64(s: bytes) -> int:
    """The fingerprint of a byte string, in [0, 2**64)."""
    n = len(s)
    if n <= 16:
        return _short(s, n)
    if n <= 32:
        first, second, _ = _middle(s, n)
        return _pair(first, second, _K2 + n * 2)
    return _to_64(s, n) if n <= 64 else _long(s, n)


def concatenated(first: int, second: int) -> int:
    """One fingerprint of two, which depends on their order."""
    result = first ^ _CAT
    result ^= _mix(second * _CAT) * _CAT & _MASK
    result = result * _CAT & _MASK
    return _mix(_mix(result) * _CAT)

"""Gamma, Poisson and binomial numbers: rejection methods in which each result draws as often as it needs.

Each result owns a run of 256 blocks of the stream. All results are computed side by side; those that are rejected draw
again. Uniforms and normals come in pairs from a block, and the second of a pair is used first, as in TensorFlow's kernels.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.random as base
from headwater._src.base import dtypes, shapes
from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import scipy_special
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.rules import dims_of
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops import philox
from headwater._src.ops.philox import Stream

# -- side by side -----------------------------------------------------------------------------------------------------


class _Draws:
    """The draws of `count` results, result i from block 256 i of the stream on. Lanes are ascending indices of results."""

    def __init__(self, stream: Stream, count: int) -> None:
        self.stream = stream
        self.next = np.arange(count, dtype=np.uint64) * np.uint64(philox.RESERVED)
        self.uniforms = np.empty((count, 2))
        self.normals = np.empty((count, 2))
        self.uniforms_left = np.zeros(count, np.intp)
        self.normals_left = np.zeros(count, np.intp)

    def uniform(self, lanes: np.ndarray) -> np.ndarray:
        """One number in [0, 1) for each lane."""
        return self._take(lanes, self.uniforms, self.uniforms_left, philox.unit_double)

    def normal(self, lanes: np.ndarray) -> np.ndarray:
        """One standard normal for each lane."""
        return self._take(lanes, self.normals, self.normals_left, philox.box_muller_double)

    def _take(self, lanes: np.ndarray, pairs: np.ndarray, left: np.ndarray, draw: Any) -> np.ndarray:
        out = lanes[left[lanes] == 0]
        if out.size:
            pairs[out] = draw(philox.blocks_at(self.stream, self.next[out]))
            self.next[out] += np.uint64(1)
            left[out] = 2
        left[lanes] -= 1
        return pairs[lanes, left[lanes]]


def _gamma(stream: Stream, alpha: np.ndarray) -> np.ndarray:
    """Standard gamma numbers: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).

    For alpha below 1 a number for alpha + 1 is multiplied by a power of a uniform one; alpha 1 is the exponential distribution.
    """
    count = alpha.size
    draws = _Draws(stream, count)
    out = np.empty(count)
    lanes = np.flatnonzero(alpha == 1)
    out[lanes] = -np.log1p(-draws.uniform(lanes))
    lanes = np.flatnonzero(alpha != 1)
    while lanes.size:
        a = alpha[lanes]
        d = np.where(a < 1, a + 2.0 / 3, a - 1.0 / 3)
        x = draws.normal(lanes)
        v = 1 + x * (1.0 / 3 / np.sqrt(d))
        good = ~(v <= 0)
        trial, x, v, d = lanes[good], x[good], v[good] ** 3, d[good]
        u = draws.uniform(trial)
        accept = (u < 1 - 0.0331 * (x * x) * (x * x)) | (np.log(u) < 0.5 * x * x + d * (1 - v + np.log(v)))
        accept |= np.isnan(v)
        done = trial[accept]
        out[done] = (d * v)[accept]
        small = done[alpha[done] < 1]
        out[small] *= draws.uniform(small) ** (1 / alpha[small])
        left = np.ones(count, bool)
        left[done] = False
        lanes = lanes[left[lanes]]
    return out


def _poisson(stream: Stream, rate: np.ndarray, most: float) -> np.ndarray:
    """Poisson numbers: products of uniforms (Knuth) for rates below 10, transformed rejection (Hoermann 1993) above."""
    draws = _Draws(stream, rate.size)
    out = np.full(rate.size, np.nan)
    _poisson_small(draws, rate, np.flatnonzero((rate >= 0) & (rate < 10)), out)
    lanes = np.flatnonzero((rate >= 10) & np.isfinite(rate))
    while lanes.size:
        mean = rate[lanes]
        b = 0.931 + 2.53 * np.sqrt(mean)
        a = -0.059 + 0.02483 * b
        u = draws.uniform(lanes) - 0.5
        v = draws.uniform(lanes)
        inner = 0.5 - np.abs(u)
        k = np.floor((2 * a / inner + b) * u + mean + 0.43)
        quick = (inner >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
        hopeless = (k < 0) | ((inner < 0.013) & (v > inner))
        s = np.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (inner * inner) + b))
        t = -mean + k * np.log(mean) - scipy_special.gammaln(np.maximum(k, 0) + 1)
        accept = (k <= most) & (quick | (~hopeless & (s <= t)))
        out[lanes[accept]] = k[accept]
        lanes = lanes[~accept]
    return out


def _poisson_small(draws: _Draws, rate: np.ndarray, lanes: np.ndarray, out: np.ndarray) -> None:
    floor = np.exp(-rate)
    product = np.ones(rate.size)
    x = 0
    while lanes.size:
        product[lanes] *= draws.uniform(lanes)
        done = product[lanes] <= floor[lanes]
        out[lanes[done]] = x
        lanes = lanes[~done]
        x += 1


def _stirling_tail(k: np.ndarray) -> np.ndarray:
    """What Stirling's formula for log k! leaves out: log k! - ((k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2)."""
    exact = scipy_special.gammaln(k + 1) - ((k + 0.5) * np.log(k + 1) - (k + 1) + 0.5 * np.log(2 * np.pi))
    square = (k + 1) * (k + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    return np.where(k <= 9, exact, series)


def _binomial(stream: Stream, trials: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Binomial numbers: sums of geometric ones where few successes are expected, Hoermann's BTRS (1993) elsewhere.

    A chance above one half is turned round, so that failures are counted.
    """
    draws = _Draws(stream, trials.size)
    turned = chance > 0.5
    p = np.where(turned, 1 - chance, chance)
    out = np.where(np.isnan(chance) | np.isnan(trials), np.nan, 0.0)
    real = (trials > 0) & (p > 0)
    many = trials * p >= 10
    _binomial_small(draws, trials, p, np.flatnonzero(real & ~many), out)
    _binomial_large(draws, trials, p, np.flatnonzero(real & many), out)
    return np.where(turned & (trials > 0), trials - out, out)


def _binomial_small(draws: _Draws, trials: np.ndarray, p: np.ndarray, lanes: np.ndarray, out: np.ndarray) -> None:
    position = np.zeros(trials.size)
    while lanes.size:
        position[lanes] += np.ceil(np.log(draws.uniform(lanes)) / np.log1p(-p[lanes]))
        lanes = lanes[position[lanes] <= trials[lanes]]
        out[lanes] += 1


def _binomial_large(draws: _Draws, trials: np.ndarray, p: np.ndarray, lanes: np.ndarray, out: np.ndarray) -> None:
    while lanes.size:
        n, q = trials[lanes], p[lanes]
        spread = np.sqrt(n * q * (1 - q))
        b = 1.15 + 2.53 * spread
        a = -0.0873 + 0.0248 * b + 0.01 * q
        u, v = draws.uniform(lanes) - 0.5, draws.uniform(lanes)
        inner = 0.5 - np.abs(u)
        k = np.floor((2 * a / inner + b) * u + n * q + 0.5)
        quick = (inner >= 0.07) & (v <= 0.92 - 4.2 / b)
        inside = (k >= 0) & (k <= n)
        left = np.log(v * (2.83 + 5.1 / b) * spread / (a / (inner * inner) + b))
        accept = quick | (inside & (left <= _binomial_bound(np.clip(k, 0, n), n, q)))
        out[lanes[accept]] = k[accept]
        lanes = lanes[~accept]


def _binomial_bound(k: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    odds = p / (1 - p)
    m = np.floor((n + 1) * p)
    return (
        (m + 0.5) * np.log((m + 1) / (odds * (n - m + 1)))
        + (n + 1) * np.log((n - m + 1) / (n - k + 1))
        + (k + 0.5) * np.log(odds * (n - k + 1) / (k + 1))
        + _stirling_tail(m) + _stirling_tail(n - m) - _stirling_tail(k) - _stirling_tail(n - k)
    )  # fmt: skip

"""XLA's loops for windows that take few multiply-adds an element: depthwise convolutions and pools, for the eager kernels.

NumPy walks through memory once for each tap; XLA makes one loop of all taps. It is used where JAX is loaded, runs on the CPU, and
the array is large enough to pay for the call: a rule over module and shapes, so that a program gives the same bits each time.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from headwater._src.base.lazy import jax, jnp, lax
from headwater._src.ops.windows import Window

_WORTH = 1 << 19
"""Elements that windows read, each as often as it is read, from which XLA is used."""
_MOST_POOLED = 1 << 21
_MOST_TAPS = 64
"""More of them make long programs that take seconds to compile."""
_F32 = np.dtype(np.float32)

Counts = Callable[[Window], Any]
"""How many elements of the input each window has."""


def pays(dtype: np.dtype, win: Window, batch: int, channels: int) -> bool:
    """Whether XLA takes over from NumPy."""
    return (
        "jax" in sys.modules
        and dtype == _F32
        and batch * prod(win.out) * channels * prod(win.kernel) >= _WORTH
        and prod(win.kernel) <= _MOST_TAPS
        and _on_cpu()
    )


def pays_for_pools(dtype: np.dtype, win: Window, batch: int, channels: int) -> bool:
    """The same for pools, which do so little that a copy of a large input, which XLA makes of some, takes longer."""
    return batch * prod(win.sizes) * channels <= _MOST_POOLED and pays(dtype, win, batch, channels)


@functools.cache
def _on_cpu() -> bool:
    from headwater._src.engine import executable

    executable._start_jax()  # as compiled functions do; JAX takes its settings from whoever comes first
    return jax.default_backend() == "cpu"


def padded(x: Any, win: Window, value: Any) -> Any:
    """`x` with the window's padding, which is negative where elements are left out."""
    pads = ((0, 0, 0), *((a, b, 0) for a, b in zip(win.low, win.high, strict=True)), (0, 0, 0))
    return lax.pad(x, jnp.asarray(value, x.dtype), pads) if any(win.low) or any(win.high) else x


def tap_slices(x: Any, win: Window) -> Any:
    """Each tap with the elements of the padded `x` that it meets."""
    for tap in np.ndindex(*win.kernel):
        start = [t * d for t, d in zip(tap, win.dilations, strict=True)]
        stop = [a + (o - 1) * s + 1 for a, o, s in zip(start, win.out, win.strides, strict=True)]
        yield tap, lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *win.strides, 1))


@functools.lru_cache(maxsize=256)
def _depthwise(win: Window, multiplier: int) -> Any:
    def run(x: Any, w: Any) -> Any:
        x = padded(x if multiplier == 1 else jnp.repeat(x, multiplier, -1), win, 0)
        return sum(part * w[tap] for tap, part in tap_slices(x, win))

    return jax.jit(run)


def depthwise(x: np.ndarray, w: np.ndarray, win: Window) -> np.ndarray:
    """The convolution of each channel with its own filters; `w` has shape (*kernel, channels * multiplier)."""
    return np.asarray(_depthwise(win, w.shape[-1] // x.shape[-1])(x, w))


def _shares(win: Window, counts: Counts) -> Any:
    return jnp.asarray(1 / np.asarray(counts(win), np.float64), np.float32)


@functools.lru_cache(maxsize=256)
def _combined(win: Window, counts: Counts | None) -> Any:
    def run(x: Any) -> Any:
        x = padded(x, win, 0 if counts else -np.inf)
        combine = jnp.add if counts else jnp.maximum
        for axis, (count, taps, step) in enumerate(zip(win.out, win.kernel, win.strides, strict=True), 1):
            parts = [lax.slice_in_dim(x, t, t + (count - 1) * step + 1, step, axis) for t in range(taps)]
            x = functools.reduce(combine, parts)
        return x * _shares(win, counts) if counts else x

    return jax.jit(run)


def max_windows(x: np.ndarray, win: Window) -> np.ndarray:
    """The largest element of each window."""
    return np.asarray(_combined(win, None)(x))


def mean_windows(x: np.ndarray, win: Window, counts: Counts) -> np.ndarray:
    """The sum of each window's elements over `counts(win)`."""
    return np.asarray(_combined(win, counts)(x))


@functools.lru_cache(maxsize=256)
def _spread(win: Window, counts: Counts) -> Any:
    def run(g: Any) -> Any:
        x, zero = g * _shares(win, counts), jnp.zeros((), g.dtype)
        for axis, (size, count, taps, step) in enumerate(
            zip(win.sizes, win.out, win.kernel, win.strides, strict=True)
        ):
            parts = []
            for t in range(taps):
                config = [(0, 0, 0)] * x.ndim
                start = t - win.low[axis]
                config[axis + 1] = (start, size - start - ((count - 1) * step + 1), step - 1)
                parts.append(lax.pad(x, zero, config))
            x = functools.reduce(jnp.add, parts)
        return x

    return jax.jit(run)


def spread_means(g: np.ndarray, win: Window, counts: Counts) -> np.ndarray:
    """The transpose of `mean_windows`."""
    return np.asarray(_spread(win, counts)(g))

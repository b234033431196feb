"""The forms that convolutions and pooling take in XLA programs, against XLA's own convolution and the NumPy kernels."""

from __future__ import annotations

import numpy as np
import pytest

from headwater._src.ops import conv_lower, pool_kernels
from headwater._src.ops.windows import Window

jax = pytest.importorskip("jax")


def window(sizes, kernel, strides, dilations=None, low=None, high=None):
    rank = len(sizes)
    dilations, low, high = dilations or (1,) * rank, low or (0,) * rank, high or (0,) * rank
    out = tuple(
        (n + a + b - (k - 1) * d - 1) // s + 1
        for n, k, s, d, a, b in zip(sizes, kernel, strides, dilations, low, high, strict=True)
    )
    return Window(sizes, kernel, strides, dilations, low, high, out)


CONVOLUTIONS = {
    "pointwise": (window((5, 6), (1, 1), (1, 1)), 4, 3, 1),
    "pointwise strided": (window((5, 6), (1, 1), (2, 3)), 4, 3, 1),
    "pointwise padded": (window((5, 6), (1, 1), (1, 1), None, (1, 0), (0, 2)), 4, 3, 1),
    "pointwise 3d": (window((3, 4, 5), (1, 1, 1), (1, 2, 1)), 2, 3, 1),
    "depthwise": (window((5, 6), (3, 2), (1, 1)), 4, 4, 4),
    "depthwise multiplied": (window((5, 6), (3, 2), (1, 1), None, (1, 1), (1, 0)), 3, 6, 3),
    "depthwise strided": (window((7, 8), (3, 3), (2, 2), None, (0, 1), (1, 0)), 4, 4, 4),
    "depthwise dilated": (window((7, 8), (3, 2), (1, 1), (2, 3)), 2, 4, 2),
    "depthwise 3d": (window((4, 4, 5), (2, 2, 3), (1, 2, 1)), 2, 2, 2),
    "depthwise of many taps": (window((9, 9), (9, 9), (1, 1)), 2, 2, 2),
    "grouped": (window((5, 6), (3, 3), (1, 1)), 4, 6, 2),
    "several taps": (window((5, 6), (3, 2), (2, 1)), 4, 3, 1),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_every_form_is_the_convolution_and_so_are_its_gradients(name):
    win, channels, filters, groups = CONVOLUTIONS[name]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *win.sizes, channels))
    w = rng.normal(size=(*win.kernel, channels // groups, filters))

    def run(form):
        y, pull = jax.vjp(lambda x, w: form(x, w, win, groups), x, w)
        return [y, *pull(np.cos(np.arange(y.size, dtype=x.dtype)).reshape(y.shape))]

    for got, want in zip(run(conv_lower.convolve), run(conv_lower._by_xla), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("sizes", "kernel"),
    [((6, 6), (2, 2)), ((7, 5), (2, 2)), ((6, 9), (3, 2)), ((4, 5, 6), (2, 2, 3)), ((24, 12), (12, 12))],
    ids=str,
)
def test_gradient_of_tiled_pooling_goes_to_the_first_maximum(sizes, kernel):
    win = window(sizes, kernel, kernel)
    assert conv_lower.tiled(win)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (2, *sizes, 3)).astype(np.float32)
    inner = x[(slice(None), *(slice(o * k) for o, k in zip(win.out, kernel, strict=True)))]
    split = inner.reshape(2, *(n for pair in zip(win.out, kernel, strict=True) for n in pair), 3)
    y = split.max(axis=tuple(range(2, split.ndim - 1, 2)))
    g = rng.normal(size=y.shape).astype(np.float32)
    np.testing.assert_array_equal(
        conv_lower.to_first_maximum(x, y, g, win), pool_kernels.spread_to_max(x, y, g, win)
    )


@pytest.mark.parametrize(
    "win",
    [
        window((6, 6), (3, 3), (2, 2)),
        window((6, 6), (2, 2), (2, 2), None, (1, 0)),
        window((6, 6), (2, 2), (3, 2)),
    ],
    ids=["overlapping", "padded", "gaps"],
)
def test_other_windows_are_not_tiled(win):
    assert not conv_lower.tiled(win)

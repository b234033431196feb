"""The forms that convolutions and pooling take in XLA programs, against XLA's own convolution and the NumPy kernels."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from headwater._src.ops import conv_kernels, conv_lower, pool_kernels, pool_lower
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

    def run(form, x, w):
        y, pull = jax.vjp(lambda x, w: form(x, w, win, groups), x, w)
        return [y, *pull(np.cos(np.arange(y.size, dtype=x.dtype)).reshape(y.shape))]

    ours, theirs = (
        jax.jit(functools.partial(run, f))(x, w) for f in (conv_lower.convolve, conv_lower._by_xla)
    )
    for got, want in zip(ours, theirs, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


WINDOWS = {
    "valid": window((7, 6), (3, 2), (1, 1)),
    "padded": window((7, 6), (3, 3), (1, 1), None, (1, 2), (1, 0)),
    "strided": window((9, 8), (3, 2), (2, 3), None, (1, 0), (0, 1)),
    "gaps": window((9, 8), (2, 2), (3, 4)),
    "dilated": window((9, 8), (3, 2), (1, 2), (2, 3), (2, 0), (1, 1)),
    "longer than the input": window((3, 2), (4, 4), (1, 1), None, (2, 3), (3, 2)),
    "of many slices": window((10, 9), (9, 9), (1, 1), None, (4, 4), (4, 4)),
    "of none": window((2, 5), (3, 1), (1, 1)),
    "a volume": window((4, 5, 3), (2, 3, 2), (2, 1, 1), None, (0, 1, 1), (0, 1, 0)),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_combined_of_what_is_inside(name):
    win = WINDOWS[name]
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(2, *sizes, 3)).astype(np.float32) for sizes in (win.sizes, win.out))
    largest, mean, spread = jax.jit(
        lambda x, y: (
            pool_lower.windows(x, win, jax.numpy.maximum, -np.inf),
            pool_lower.mean_windows(x, win),
            pool_lower.spread_means(y, win),
        )
    )(x, y)
    np.testing.assert_array_equal(largest, pool_kernels.max_windows(x, win))
    if name != "dilated":  # pools never are
        np.testing.assert_allclose(mean, pool_kernels.mean_windows(x, win), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(spread, pool_kernels.spread_means(y, win), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("multiplier", "win"), [
    (1, window((8, 5), (3, 3), (1, 1), None, (1, 1), (1, 1))), (2, window((8, 7), (2, 3), (1, 2), None, (0, 1), (1, 1))),
    (1, window((17, 6), (3, 2), (2, 1), (1, 2), (1, 0), (0, 2))),
], ids=["padded", "multiplied", "strided and dilated"])  # fmt: skip
def test_a_depthwise_filter_and_its_gradient_written_out(monkeypatch, multiplier, win):
    monkeypatch.setattr(conv_lower, "_WORTH", 0)
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(4, *win.sizes, 3)), rng.normal(size=(4, *win.out, 3 * multiplier))
    assert conv_lower.filter_rows(4, win, g.size) > 1
    got = jax.jit(functools.partial(conv_lower.depthwise_filter, window=win))(x, g)
    np.testing.assert_allclose(got, conv_kernels.convolve_depthwise_filter(x, g, win), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "change", [{"batch": 3}, {"size": 1000}, {"out": (7, 5)}, {"kernel": (5, 5)}], ids=str
)
def test_small_or_uneven_ones_are_not_written_out(change):
    win = window((16, 5), (3, 3), (1, 1), None, (1, 1), (1, 1))
    assert conv_lower.filter_rows(8, win, 1 << 20) == 8
    given = {"batch": 8, "size": 1 << 20}
    given |= {k: v for k, v in change.items() if k in given}
    win = win._replace(**{k: v for k, v in change.items() if k not in given})
    assert conv_lower.filter_rows(given["batch"], win, given["size"]) == (
        7 if change == {"out": (7, 5)} else 0
    )


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

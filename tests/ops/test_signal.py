"""Transforms of any dimensions against NumPy, gradients that the samples can't hold, and round trips."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

RNG = np.random.default_rng(7)
X = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
Z = (X + 1j * RNG.normal(size=X.shape)).astype(np.complex64)
LAYOUTS = [
    {}, {"fft_length": [4, 6]}, {"axes": [0, 2]}, {"fft_length": [3, 8], "axes": [0, 2]}, {"axes": [2, 0, 1]}, {"axes": [-1]},
    {"axes": [1, 3], "norm": "ortho"}, {"axes": [1, 3], "norm": "forward"}, {"fft_length": [2, 3, 4, 6]},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", LAYOUTS, ids=str)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_any_dimensions(name: str, kwargs: dict) -> None:
    x = X if name == "rfftn" else Z
    if name == "irfftn":  # its input is the half spectrum of something real
        axes = kwargs.get("axes") or list(range(4 - len(kwargs.get("fft_length", "1234")), 4))
        x = np.fft.rfftn(X, None, axes).astype(np.complex64)
    got = getattr(tf.signal, name + "d")(x, **kwargs)
    s, axes, norm = kwargs.get("fft_length"), kwargs.get("axes"), kwargs.get("norm")
    if s is not None and axes is None:
        axes = list(range(4 - len(s), 4))
    want = getattr(np.fft, name)(x, s, axes, norm)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "kwargs", [{"axes": [9]}, {"axes": [0, 0]}, {"axes": [0], "fft_length": [2, 2]}], ids=str
)
def test_axes_that_do_not_fit(kwargs: dict) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="fftnd"):
        tf.signal.fftnd(Z, **kwargs)


@pytest.mark.parametrize("length", [None, [5], [12]], ids=str)
@pytest.mark.parametrize("name", ["rfft", "irfft"])
def test_gradients_through_cut_and_padded_signals(name: str, length: list | None) -> None:
    x = tf.constant(X[0, 0, 0] if name == "rfft" else Z[0, 0, 0])
    weights = RNG.normal(size=getattr(tf.signal, name)(x, length).shape).astype(np.float32)

    def loss(value: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.abs(getattr(tf.signal, name)(value, length)) ** 2 * weights)

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loss(x)
    gradient = tape.gradient(y, x).numpy()
    step = np.float32(1e-2)
    for direction in (1, 1j)[: 1 if name == "rfft" else 2]:
        for k in range(x.shape[0]):
            move = np.zeros(x.shape, Z.dtype if name == "irfft" else X.dtype)
            move[k] = step * direction
            slope = (loss(x + move) - loss(x - move)).numpy() / (2 * step)
            part = gradient[k].real if direction == 1 else gradient[k].imag
            assert part == pytest.approx(slope, rel=2e-2, abs=2e-2)


@pytest.mark.parametrize("length,step", [(8, 4), (8, 2), (6, 3)])
def test_inverse_stft_undoes_stft(length: int, step: int) -> None:
    x = RNG.normal(size=(2, 48)).astype(np.float32)
    spectra = tf.signal.stft(x, length, step)
    back = tf.signal.inverse_stft(spectra, length, step, window_fn=tf.signal.inverse_stft_window_fn(step))
    inner = slice(length, 48 - 2 * length)
    np.testing.assert_allclose(back.numpy()[:, inner], x[:, inner], atol=1e-5)


def test_inverse_mdct_undoes_mdct() -> None:
    x = RNG.normal(size=(40,)).astype(np.float32)
    back = tf.signal.inverse_mdct(tf.signal.mdct(x, 8)).numpy()
    np.testing.assert_allclose(back[4:-4], x[4:-4], atol=1e-5)

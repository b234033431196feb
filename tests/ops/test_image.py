"""What the recorded samples can't hold: files, gradients of other dtypes, random draws, round trips."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_round_trip(channels: int, dtype: str) -> None:
    pytest.importorskip("PIL")
    pixels = RNG.integers(0, 256, (5, 4, channels)).astype(dtype)
    data = tf.image.encode_png(pixels * (257 if dtype == "uint16" else 1))
    assert tf.image.decode_png(data).numpy().tolist() == pixels.tolist()


def test_jpeg_of_an_even_image() -> None:
    pytest.importorskip("PIL")
    pixels = np.full((16, 16, 3), 100, np.uint8)
    back = tf.image.decode_jpeg(tf.image.encode_jpeg(pixels)).numpy()
    assert back.shape == (16, 16, 3) and np.abs(back.astype(int) - 100).max() <= 2


def test_truncated_file_is_refused() -> None:
    pytest.importorskip("PIL")
    data = tf.image.encode_png(np.zeros((9, 9, 3), np.uint8)).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match="decode_png"):
        tf.image.decode_png(data[:40])


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "gaussian"])
@pytest.mark.parametrize("size", [(2, 3), (7, 9)])
def test_gradient_of_resize_is_the_adjoint(method: str, size: tuple[int, int]) -> None:
    x = tf.constant(RNG.normal(size=(1, 4, 5, 2)).astype(np.float32))
    v = RNG.normal(size=(1, *size, 2)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.image.resize(x, size, method)
    pulled = tape.gradient(y, x, v).numpy()
    assert np.sum(pulled * x.numpy()) == pytest.approx(np.sum(v * y.numpy()), rel=1e-4, abs=1e-4)


def test_gradient_of_a_double_image_is_double() -> None:
    x = tf.constant(RNG.normal(size=(1, 2, 2, 1)))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.image.resize(x, [3, 3])
    assert y.dtype is tf.float32 and tape.gradient(y, x).dtype is tf.float64


def test_translation_and_its_gradient() -> None:
    x = tf.constant(np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1))
    move = [[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.raw_ops.ImageProjectiveTransformV3(
            images=x, transforms=move, output_shape=[3, 4], fill_value=0.0, interpolation="BILINEAR"
        )
    assert y.numpy()[0, 0, :, 0].tolist() == [1, 2, 3, 0]
    assert tape.gradient(y, x).numpy()[0, 0, :, 0].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    "name", ["random_flip_left_right", "random_flip_up_down", "random_brightness", "random_hue"]
)
def test_equal_seeds_draw_equally(name: str) -> None:
    image = RNG.random((4, 6, 5, 3)).astype(np.float32)
    more = () if "flip" in name else (0.4,)
    results = []
    for _ in range(2):
        tf.random.set_seed(11)
        results.append(getattr(tf.image, name)(image, *more).numpy())
    assert np.array_equal(*results) and not np.array_equal(results[0], image)


def test_sparse_and_dense_labels_have_one_loss() -> None:
    logits = RNG.normal(size=(6, 2, 4)).astype(np.float32)
    dense = tf.nn.ctc_loss([[1, 2, 1], [3, 0, 0]], logits, [3, 1], [6, 5])
    sparse = tf.SparseTensor([[0, 0], [0, 1], [0, 2], [1, 0]], tf.constant([1, 2, 1, 3]), [2, 3])
    found = tf.nn.ctc_loss(sparse, logits, None, [6, 5], blank_index=0)
    np.testing.assert_allclose(found.numpy(), dense.numpy(), rtol=1e-5)

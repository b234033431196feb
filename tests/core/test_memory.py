"""Sizes are looked at before kernels run; sizes that only the values decide are no obstacle."""

from __future__ import annotations

import numpy as np
import pytest

import headwater as tf


def test_an_unknown_size_is_left_to_the_kernel():
    many = tf.constant(np.arange(400_000) % 7, tf.int32)
    assert tf.math.bincount(many, minlength=256, maxlength=256).shape == (256,)


def test_a_size_that_never_fits_is_refused():
    with pytest.raises((tf.errors.ResourceExhaustedError, tf.errors.InvalidArgumentError)):
        tf.fill([2**40, 2**10], 1.0)

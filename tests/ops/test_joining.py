"""Joining tensors: what the recorded answers do not show."""

from __future__ import annotations

from typing import Any

import pytest

import headwater as tf


@pytest.mark.parametrize("join", [lambda xs: tf.concat(xs, 0), tf.stack], ids=["concat", "stack"])
def test_tensors_from_outside_of_a_graph_are_joined_inside(join: Any) -> None:
    outside = tf.constant([1.0, 2.0])
    seen = []

    @tf.function
    def joined(x: Any) -> Any:
        seen.append(join([outside, outside]))
        return seen[0] * x

    with tf.GradientTape() as tape:
        tape.watch(outside)
        y = tf.reduce_sum(joined(tf.constant(3.0)))
    assert tf.is_symbolic_tensor(seen[0])
    assert tape.gradient(y, outside).numpy().tolist() == [6.0, 6.0]

"""Draws the graphs that the documentation shows: `python tools/draw_pictures.py`."""

from __future__ import annotations

from pathlib import Path

import headwater as tf

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


def cube(x: tf.Tensor) -> tf.Tensor:
    """The cube of `x`, as the project's notes write it."""
    return x**3


def main() -> None:
    """Writes docs/pictures/cube.svg."""
    function = tf.function(cube)
    function.get_concrete_function(tf.constant(2.0)).graph.draw().save(str(PICTURES / "cube.svg"))


if __name__ == "__main__":
    main()

"""Where headwater differs from TensorFlow on purpose, as data: tests skip these, and the documentation lists them."""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """One difference.

    `name` is the public name, `case` the sample it concerns (None for all), `reason` a sentence for the reader. `part` is
    what differs: "value", "static" (shapes inside a graph), "gradient", "error" (the class raised), or None for all of it.
    """

    name: str
    case: str | None
    reason: str
    part: str | None = None


LIMITS: tuple[Limit, ...] = ()
"""The differences known."""

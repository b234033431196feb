"""`tf.io.match_filenames_once`: the names of files as they were when they were asked for."""

from __future__ import annotations

from typing import Any

from headwater._src.base.exporting import export
from headwater._src.io.gfile import matching_files
from headwater._src.state.variable import Variable


@export("io.match_filenames_once")
def match_filenames_once(pattern: Any, name: str | None = None) -> Variable:
    """A variable, not trainable, with the names of the files that match a pattern, or one of several, at the time of the call."""
    return Variable(matching_files(pattern), trainable=False, name=name)

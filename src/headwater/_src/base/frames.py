"""The user's own line: where in their program an operation was asked for."""

from __future__ import annotations

import functools
import linecache
import os
import sys
from types import FrameType, TracebackType
from typing import NamedTuple

_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_LIBRARY_MARKS = (os.sep + "keras" + os.sep + "src" + os.sep, os.sep + "optree" + os.sep)


class Line(NamedTuple):
    """A place in a program."""

    filename: str
    lineno: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.filename, self.lineno).strip()
        where = f"{self.filename}:{self.lineno}, in {self.function}"
        return f"{where}: {text}" if text else where


@functools.lru_cache(maxsize=4096)
def is_library(filename: str) -> bool:
    """Whether a file belongs to headwater or to Keras rather than to the user."""
    return filename.startswith((_HERE, "<entry of ")) or any(mark in filename for mark in _LIBRARY_MARKS)


def user_line(depth: int = 1) -> Line | None:
    """The innermost line outside headwater and Keras, or None where there is none."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if not is_library(code.co_filename):
            return Line(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None


def without_library(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of headwater and Keras, unless nothing but them is left."""
    kept = []
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if not is_library(name) and not name.startswith(("<entry of", "<plan of")):
            kept.append(traceback)
        traceback = traceback.tb_next
    chain: TracebackType | None = None
    for one in reversed(kept):
        chain = TracebackType(chain, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return chain

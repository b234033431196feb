"""Keeping freed memory for the next step, where the C library would give it back to the system.

By default glibc returns blocks of more than 32 MiB, and whatever lies free at the end of its heap, to the system at once. The
next step asks for the same memory, and the system hands it out page by page, filled with zeros: of a small transformer's
training step that takes nearly half. So on glibc the limits are raised for the process, once, when headwater is imported.
"""

from __future__ import annotations

import os
import sys

from headwater._src.base import flags

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt`'s parameters, from malloc.h."""
LARGEST_KEPT = 1 << 28
"""Larger blocks still come from the system and go back to it."""
MOST_KEPT = 1 << 29
"""So many free bytes may stay at the end of the heap."""


def keep_freed() -> bool:
    """Raises the limits, and says whether it did.

    Not where `HEADWATER_KEEP_MEMORY=0` is set, where the user has settings for malloc in the environment, or without glibc.
    """
    settled = "GLIBC_TUNABLES" in os.environ or any(name.startswith("MALLOC_") for name in os.environ)
    if settled or not sys.platform.startswith("linux") or not flags.get("keep_memory"):
        return False
    try:
        from ctypes import CDLL

        library = CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - other C libraries give these numbers another meaning, or none
        return bool(
            library.mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT) and library.mallopt(_M_TRIM_THRESHOLD, MOST_KEPT)
        )
    except (ImportError, OSError, AttributeError):
        return False

"""Implementation layers of headwater; the public names live one folder up."""

from headwater._src.base import heap

heap.keep_freed()

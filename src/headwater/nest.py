"""Nested structures of tensors and other values."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.base.nest import assert_same_structure as assert_same_structure
from headwater._src.base.nest import flatten as flatten
from headwater._src.base.nest import is_nested as is_nested
from headwater._src.base.nest import map_structure as map_structure
from headwater._src.base.nest import pack_sequence_as as pack_sequence_as

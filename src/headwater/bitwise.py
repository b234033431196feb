"""Operations on the bits of integers."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.compare import bitwise_and as bitwise_and
from headwater._src.ops.compare import bitwise_or as bitwise_or
from headwater._src.ops.compare import bitwise_xor as bitwise_xor
from headwater._src.ops.compare import invert as invert
from headwater._src.ops.compare import left_shift as left_shift
from headwater._src.ops.compare import right_shift as right_shift

"""The public names of tf.strings."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.strings import format as format
from headwater._src.ops.strings import join as join
from headwater._src.ops.strings import length as length
from headwater._src.ops.strings import lower as lower
from headwater._src.ops.strings import reduce_join as reduce_join
from headwater._src.ops.strings import strip as strip
from headwater._src.ops.strings import substr as substr
from headwater._src.ops.strings import unsorted_segment_join as unsorted_segment_join
from headwater._src.ops.strings import upper as upper

"""The public names of tf.sets."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.sets import difference as difference
from headwater._src.ops.sets import intersection as intersection
from headwater._src.ops.sets import size as size
from headwater._src.ops.sets import union as union

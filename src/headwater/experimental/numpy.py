"""The public names of tf.experimental.numpy."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.numpy_api import finfo as finfo
from headwater._src.ops.numpy_api import select as select

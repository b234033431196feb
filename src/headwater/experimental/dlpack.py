"""The public names of tf.experimental.dlpack."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.core.dlpack import from_dlpack as from_dlpack
from headwater._src.core.dlpack import to_dlpack as to_dlpack

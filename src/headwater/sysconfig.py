"""The public names of tf.sysconfig."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import get_build_info as get_build_info

"""The public names of tf.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater.experimental import dtensor as dtensor

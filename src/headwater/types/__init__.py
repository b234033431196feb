"""The public names of tf.types."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater.types import experimental as experimental

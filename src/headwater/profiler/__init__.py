"""The public names of tf.profiler."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater.profiler import experimental as experimental

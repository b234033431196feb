"""The public names of tf.experimental.extension_type."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.extension_type import as_dict as as_dict

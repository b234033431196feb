"""The public names of tf.__internal__.tf2."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.bridge.internal import tf2_enabled as enabled

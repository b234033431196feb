"""The public names of tf.__internal__.smart_cond."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.bridge.internal import smart_cond as smart_cond
from headwater._src.bridge.internal import smart_constant_value as smart_constant_value

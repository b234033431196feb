"""The public names of tf.sparse."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.bridge.names import add as add
from headwater._src.bridge.names import maximum as maximum
from headwater._src.bridge.names import minimum as minimum
from headwater._src.core.composite import SparseTensor as SparseTensor

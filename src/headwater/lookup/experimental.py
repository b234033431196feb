"""The public names of tf.lookup.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.state.lookup_mutable import DenseHashTable as DenseHashTable
from headwater._src.state.lookup_mutable import MutableHashTable as MutableHashTable

"""The public names of tf.random.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.random import Algorithm as Algorithm
from headwater._src.ops.random import fold_in as stateless_fold_in
from headwater._src.ops.random import split as stateless_split
from headwater._src.ops.random import stateless_shuffle as stateless_shuffle

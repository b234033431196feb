"""The public names of tf.nn.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.random import general_dropout as general_dropout
from headwater._src.ops.random import stateless_dropout as stateless_dropout

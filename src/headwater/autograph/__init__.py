"""The public names of tf.autograph."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.autograph.api import set_verbosity as set_verbosity
from headwater._src.trace.autograph.api import to_code as to_code
from headwater._src.trace.autograph.api import to_graph as to_graph
from headwater._src.trace.autograph.api import trace as trace
from headwater.autograph import experimental as experimental

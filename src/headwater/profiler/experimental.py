"""The public names of tf.profiler.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import Trace as Trace
from headwater._src.io.absent import start as start
from headwater._src.io.absent import stop as stop

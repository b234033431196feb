"""The public names of tf.autograph.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.autograph.api import Feature as Feature
from headwater._src.trace.autograph.api import do_not_convert as do_not_convert
from headwater._src.trace.autograph.api import set_loop_options as set_loop_options

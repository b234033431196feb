"""The public names of tf.config.optimizer."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import get_experimental_options as get_experimental_options
from headwater._src.trace.config import get_jit as get_jit
from headwater._src.trace.config import set_experimental_options as set_experimental_options
from headwater._src.trace.config import set_jit as set_jit

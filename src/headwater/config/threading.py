"""The public names of tf.config.threading."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import get_inter_op_parallelism_threads as get_inter_op_parallelism_threads
from headwater._src.trace.config import get_intra_op_parallelism_threads as get_intra_op_parallelism_threads
from headwater._src.trace.config import set_inter_op_parallelism_threads as set_inter_op_parallelism_threads
from headwater._src.trace.config import set_intra_op_parallelism_threads as set_intra_op_parallelism_threads

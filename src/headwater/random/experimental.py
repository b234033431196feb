"""The public names of tf.random.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.random import Algorithm as Algorithm
from headwater._src.ops.random import fold_in as stateless_fold_in
from headwater._src.ops.random import split as stateless_split
from headwater._src.ops.random import stateless_shuffle as stateless_shuffle
from headwater._src.state.generator import Generator as Generator
from headwater._src.state.generator import create_rng_state as create_rng_state
from headwater._src.state.generator import get_global_generator as get_global_generator
from headwater._src.state.generator import index_shuffle as index_shuffle
from headwater._src.state.generator import set_global_generator as set_global_generator

"""The public names of tf.types.experimental.distributed."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import Mirrored as Mirrored
from headwater._src.distribute.strategy import PerReplica as PerReplica

"""The public names of tf.train.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import MaxShardSizePolicy as MaxShardSizePolicy
from headwater._src.io.absent import ShardByTaskPolicy as ShardByTaskPolicy
from headwater._src.io.absent import ShardingCallback as ShardingCallback
from headwater._src.io.checkpoint import PythonState as PythonState

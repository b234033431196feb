"""The public names of tf.experimental.dtensor."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import Layout as Layout
from headwater._src.distribute.strategy import Mesh as Mesh
from headwater._src.distribute.strategy import UNSHARDED as UNSHARDED
from headwater._src.distribute.strategy import create_distributed_mesh as create_distributed_mesh

"""The public names of tf.distribute.coordinator."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import ClusterCoordinator as ClusterCoordinator

"""The public names of tf.distribute.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import CentralStorageStrategy as CentralStorageStrategy
from headwater._src.distribute.strategy import ValueContext as ValueContext

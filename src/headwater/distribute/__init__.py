"""The public names of tf.distribute."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import DistributedDataset as DistributedDataset
from headwater._src.distribute.strategy import DistributedIterator as DistributedIterator
from headwater._src.distribute.strategy import DistributedValues as DistributedValues
from headwater._src.distribute.strategy import InputContext as InputContext
from headwater._src.distribute.strategy import MirroredStrategy as MirroredStrategy
from headwater._src.distribute.strategy import MultiWorkerMirroredStrategy as MultiWorkerMirroredStrategy
from headwater._src.distribute.strategy import OneDeviceStrategy as OneDeviceStrategy
from headwater._src.distribute.strategy import ParameterServerStrategy as ParameterServerStrategy
from headwater._src.distribute.strategy import ReduceOp as ReduceOp
from headwater._src.distribute.strategy import ReplicaContext as ReplicaContext
from headwater._src.distribute.strategy import Server as Server
from headwater._src.distribute.strategy import Strategy as Strategy
from headwater._src.distribute.strategy import StrategyExtended as StrategyExtended
from headwater._src.distribute.strategy import TPUStrategy as TPUStrategy
from headwater._src.distribute.strategy import experimental_set_strategy as experimental_set_strategy
from headwater._src.distribute.strategy import get_replica_context as get_replica_context
from headwater._src.distribute.strategy import get_strategy as get_strategy
from headwater._src.distribute.strategy import has_strategy as has_strategy
from headwater._src.distribute.strategy import in_cross_replica_context as in_cross_replica_context
from headwater.distribute import cluster_resolver as cluster_resolver
from headwater.distribute import coordinator as coordinator
from headwater.distribute import experimental as experimental

"""Names of tf.data that need a service, TensorFlow's graphs or its checkpoints: they say so when they are used."""

from __future__ import annotations

import enum

from headwater._src.base.absent import absent_class, absent_function
from headwater._src.base.exporting import export

_SERVICE = "There is no data service here: the pipeline runs in the process that iterates it; Dataset.shard divides it."
_GRAPH = "TensorFlow describes its own runtime there; dataset.explain() shows how a data set runs here."
_SAVE = "iterator.as_numpy_iterator().save() says where an iterator stands, and restore() goes there."

distribute = absent_function("data.experimental.service.distribute", __name__, _SERVICE)
from_dataset_id = absent_function("data.experimental.service.from_dataset_id", __name__, _SERVICE)
register_dataset = absent_function("data.experimental.service.register_dataset", __name__, _SERVICE)
DispatchServer = absent_class("data.experimental.service.DispatchServer", __name__, _SERVICE)
DispatcherConfig = absent_class("data.experimental.service.DispatcherConfig", __name__, _SERVICE)
WorkerServer = absent_class("data.experimental.service.WorkerServer", __name__, _SERVICE)
WorkerConfig = absent_class("data.experimental.service.WorkerConfig", __name__, _SERVICE)
CrossTrainerCache = absent_class("data.experimental.service.CrossTrainerCache", __name__, _SERVICE)
distributed_save = absent_function("data.experimental.distributed_save", __name__, _SERVICE)
get_model_proto = absent_function("data.experimental.get_model_proto", __name__, _GRAPH)
make_saveable_from_iterator = absent_function(
    "data.experimental.make_saveable_from_iterator", __name__, _SAVE
)


@export("data.experimental.service.ShardingPolicy")
class ShardingPolicy(enum.IntEnum):
    """How TensorFlow's data service divides a data set among its workers."""

    OFF = 0
    DYNAMIC = 1
    FILE = 2
    DATA = 3
    FILE_OR_DATA = 4
    HINT = 5

"""The default strategy: everything runs once, on the one device. Keras asks it on every step, so its answers are plain calls."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from headwater._src.base.absent import absent_class, absent_function
from headwater._src.base.exporting import export

_ONE_DEVICE = "Computation runs on one device; leave the strategy out, and the default one does the same with one replica."


@export("distribute.ReduceOp")
class ReduceOp(enum.Enum):
    """How the values of the replicas become one."""

    SUM = "SUM"
    MEAN = "MEAN"

    @staticmethod
    def from_variable_aggregation(aggregation: Any) -> ReduceOp:
        """The reduction that a variable's aggregation asks for; ValueError where it asks for none."""
        name = getattr(aggregation, "name", aggregation)
        if name == "ONLY_FIRST_REPLICA" or name not in ("SUM", "MEAN"):
            raise ValueError(f"The aggregation {aggregation!r} is no reduction; only SUM and MEAN are.")
        return ReduceOp[name]


class _Where(threading.local):
    cross = False
    """Whether this thread is inside `merge_call` or `update`, where no replica speaks."""


_where = _Where()


@export("distribute.ReplicaContext")
class ReplicaContext:
    """What the code of one replica may ask; there is one replica."""

    __slots__ = ("_id", "_strategy")

    def __init__(self, strategy: Strategy, replica_id_in_sync_group: int = 0) -> None:
        self._strategy = strategy
        self._id = replica_id_in_sync_group

    @property
    def strategy(self) -> Strategy:
        """The strategy in force."""
        return self._strategy

    @property
    def replica_id_in_sync_group(self) -> int:
        """Which replica this is: 0."""
        return self._id

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas there are: 1."""
        return 1

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of this replica."""
        return ("/device:CPU:0",)

    def merge_call(
        self, merge_fn: Callable[..., Any], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls `merge_fn(strategy, *args, **kwargs)` on behalf of all replicas."""
        outer = _where.cross
        _where.cross = True
        try:
            return merge_fn(self._strategy, *args, **(kwargs or {}))
        finally:
            _where.cross = outer

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The sum or mean of `value` over the replicas: `value` itself, there being one."""
        _checked_reduction(reduce_op)
        return value

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The values of the replicas one after the other: `value` itself, there being one."""
        return value


def _checked_reduction(reduce_op: Any) -> None:
    if reduce_op.__class__ is not ReduceOp and str(reduce_op).upper() not in ("SUM", "MEAN"):
        raise ValueError(f"A reduction is tf.distribute.ReduceOp.SUM or MEAN; got {reduce_op!r}.")


@export("distribute.StrategyExtended")
class StrategyExtended:
    """The parts of a strategy that libraries use."""

    __slots__ = ("_strategy",)

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def update(
        self,
        var: Any,
        fn: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        group: bool = True,
    ) -> Any:
        """Calls `fn(var, *args, **kwargs)` where the variable lives."""
        return fn(var, *args, **kwargs) if kwargs else fn(var, *args)

    def colocate_vars_with(self, colocate_with_variable: Any) -> Any:
        """A scope in which variables are made where the given one lives."""
        return contextlib.nullcontext()

    def variable_created_in_scope(self, v: Any) -> bool:
        """Whether the variable belongs to this strategy."""
        return True

    def value_container(self, value: Any) -> Any:
        """The distributed value that contains `value`: itself."""
        return value

    def reduce_to(self, reduce_op: Any, value: Any, destinations: Any, options: Any = None) -> Any:
        """The sum or mean over the replicas: `value` itself."""
        _checked_reduction(reduce_op)
        return value

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The devices that compute."""
        return ("/device:CPU:0",)

    @property
    def parameter_devices(self) -> tuple[str, ...]:
        """The devices that keep variables."""
        return ("/device:CPU:0",)

    def _use_merge_call(self) -> bool:
        return True

    def _in_multi_worker_mode(self) -> bool:
        return False


@export("distribute.Strategy")
class Strategy:
    """How computation is spread over devices; this one runs it once, on the one device.

    Args:
      extended: None. Strategies of one's own are not in this version.
    """

    def __init__(self, extended: Any = None) -> None:
        if extended is not None:
            raise NotImplementedError(
                f"A tf.distribute.Strategy of one's own is not in this version of headwater. {_ONE_DEVICE}"
            )
        self.extended = StrategyExtended(self)
        self._replica = ReplicaContext(self)

    num_replicas_in_sync = 1

    def run(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        options: Any = None,
    ) -> Any:
        """Calls `fn(*args, **kwargs)` on every replica, of which there is one."""
        return fn(*args, **kwargs) if kwargs else fn(*args)

    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """The sum or mean of `value` over the replicas and, unless `axis` is None, over that axis."""
        _checked_reduction(reduce_op)
        if axis is None:
            return value
        from headwater._src.ops import reduce as reductions

        mean = getattr(reduce_op, "name", str(reduce_op)).upper() == "MEAN"
        return (reductions.reduce_mean if mean else reductions.reduce_sum)(value, axis=axis)

    def gather(self, value: Any, axis: int) -> Any:
        """The values of the replicas one after the other: `value` itself."""
        return value

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """A scope in which this strategy is the present one."""
        previous = _current.strategy
        _current.strategy = self
        try:
            yield self
        finally:
            _current.strategy = previous

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The dataset as it is: one replica reads all of it."""
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable[[Any], Any], options: Any = None) -> Any:
        """The dataset that `dataset_fn` makes for the one worker."""
        return dataset_fn(InputContext())

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The values of this worker's replicas, as a tuple of one."""
        return (value,)

    def experimental_distribute_values_from_function(self, value_fn: Callable[[Any], Any]) -> Any:
        """The value that `value_fn` makes for the one replica."""
        return value_fn(ValueContext())


@export("distribute.InputContext")
class InputContext:
    """What a function that makes a worker's dataset may ask."""

    def __init__(
        self, num_input_pipelines: int = 1, input_pipeline_id: int = 0, num_replicas_in_sync: int = 1
    ) -> None:
        self.num_input_pipelines = num_input_pipelines
        self.input_pipeline_id = input_pipeline_id
        self.num_replicas_in_sync = num_replicas_in_sync

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The batch of one replica; ValueError where the global batch can't be divided."""
        if global_batch_size % self.num_replicas_in_sync:
            raise ValueError(
                f"A batch of {global_batch_size} can't be divided among {self.num_replicas_in_sync} replicas."
            )
        return global_batch_size // self.num_replicas_in_sync


@export("distribute.experimental.ValueContext")
class ValueContext:
    """What a function that makes a replica's value may ask."""

    def __init__(self, replica_id_in_sync_group: int = 0, num_replicas_in_sync: int = 1) -> None:
        self.replica_id_in_sync_group = replica_id_in_sync_group
        self.num_replicas_in_sync = num_replicas_in_sync


_DEFAULT = Strategy()


class _Current(threading.local):
    strategy: Strategy = _DEFAULT


_current = _Current()


@export("distribute.get_strategy")
def get_strategy() -> Strategy:
    """The strategy in force; the default one where no scope says otherwise."""
    return _current.strategy


@export("distribute.has_strategy")
def has_strategy() -> bool:
    """Whether another strategy than the default one is in force."""
    return _current.strategy is not _DEFAULT


@export("distribute.get_replica_context")
def get_replica_context() -> ReplicaContext | None:
    """The replica that is running; None inside `merge_call`."""
    return None if _where.cross else _current.strategy._replica


@export("distribute.in_cross_replica_context")
def in_cross_replica_context() -> bool:
    """Whether code speaks for all replicas at once, as inside `merge_call`."""
    return _where.cross


@export("distribute.experimental_set_strategy")
def experimental_set_strategy(strategy: Strategy | None) -> None:
    """Makes a strategy the present one without a scope; None brings the default back."""
    _current.strategy = _DEFAULT if strategy is None else strategy


@export("__internal__.distribute.interim.maybe_merge_call")
def maybe_merge_call(fn: Callable[..., Any], strategy: Strategy, *args: Any, **kwargs: Any) -> Any:
    """Calls `fn(strategy, *args, **kwargs)` for all replicas."""
    return fn(strategy, *args, **kwargs)


@export("__internal__.distribute.strategy_supports_no_merge_call")
def strategy_supports_no_merge_call() -> bool:
    """Whether updates may be made without `merge_call`: with one replica they may."""
    return True


# -- what only several devices have -------------------------------------------------------------------------------------


@export("distribute.DistributedValues")
class DistributedValues:
    """Base of values with a part for each replica. With one replica none is ever made."""


@export("types.experimental.distributed.PerReplica")
class PerReplica(DistributedValues):
    """Base of values that differ between replicas. With one replica none is ever made."""


@export("types.experimental.distributed.Mirrored")
class Mirrored(DistributedValues):
    """Base of values that are equal on all replicas. With one replica none is ever made."""


@export("distribute.DistributedDataset")
class DistributedDataset:
    """Base of datasets that are read by several replicas. With one replica none is ever made."""


@export("distribute.DistributedIterator")
class DistributedIterator:
    """Base of iterators over distributed datasets. With one replica none is ever made."""


MirroredStrategy = absent_class("distribute.MirroredStrategy", __name__, _ONE_DEVICE, Strategy)
OneDeviceStrategy = absent_class("distribute.OneDeviceStrategy", __name__, _ONE_DEVICE, Strategy)
MultiWorkerMirroredStrategy = absent_class(
    "distribute.MultiWorkerMirroredStrategy", __name__, _ONE_DEVICE, Strategy
)
ParameterServerStrategy = absent_class("distribute.ParameterServerStrategy", __name__, _ONE_DEVICE, Strategy)
TPUStrategy = absent_class("distribute.TPUStrategy", __name__, _ONE_DEVICE, Strategy)
CentralStorageStrategy = absent_class(
    "distribute.experimental.CentralStorageStrategy", __name__, _ONE_DEVICE, Strategy
)
Server = absent_class("distribute.Server", __name__, _ONE_DEVICE)
ClusterCoordinator = absent_class("distribute.coordinator.ClusterCoordinator", __name__, _ONE_DEVICE)
TPUClusterResolver = absent_class("distribute.cluster_resolver.TPUClusterResolver", __name__, _ONE_DEVICE)

# -- tf.dtensor -----------------------------------------------------------------------------------------------------------

_NO_DTENSOR = "Tensors are not spread over devices here."

UNSHARDED = "unsharded"
export("experimental.dtensor.UNSHARDED").value("UNSHARDED", __name__)
Mesh = absent_class("experimental.dtensor.Mesh", __name__, _NO_DTENSOR)
Layout = absent_class("experimental.dtensor.Layout", __name__, _NO_DTENSOR)
create_distributed_mesh = absent_function(
    "experimental.dtensor.create_distributed_mesh", __name__, _NO_DTENSOR
)

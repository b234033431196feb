"""Options of data sets: accepted, checked, merged and handed on. How a pipeline runs here does not depend on them."""

from __future__ import annotations

import enum
import logging
from typing import Any

from headwater._src.base.exporting import export

_log = logging.getLogger("headwater")


@export("data.experimental.AutoShardPolicy")
class AutoShardPolicy(enum.IntEnum):
    """How a distributed data set is divided among workers."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


@export("data.experimental.ExternalStatePolicy")
class ExternalStatePolicy(enum.Enum):
    """What to do about state outside the pipeline, such as a random generator's."""

    WARN = 0
    IGNORE = 1
    FAIL = 2


@export("data.experimental.AutotuneAlgorithm")
class AutotuneAlgorithm(enum.Enum):
    """How TensorFlow's runtime searches for good settings."""

    DEFAULT = 0
    HILL_CLIMB = 1
    GRADIENT_DESCENT = 2
    MAX_PARALLELISM = 3
    STAGE_BASED = 4


class _Group:
    """Named, typed settings; None where nothing was set."""

    _fields: dict[str, tuple[Any, Any]] = {}

    def __init__(self) -> None:
        for name, (_, default) in self._fields.items():
            object.__setattr__(self, name, default() if isinstance(default, type) else default)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise AttributeError(
                f"{type(self).__name__} has no option {name!r}; it has {sorted(self._fields)}."
            )
        wanted = self._fields[name][0]
        if value is not None and (
            not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int)
        ):
            raise TypeError(
                f"{type(self).__name__}.{name} must be of type {wanted.__name__}; got {value!r} of type {type(value).__name__}."
            )
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in self._fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [
            f"{n}={getattr(self, n)!r}" for n, (_, d) in self._fields.items() if getattr(self, n) != _start(d)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _merged(self, other: Any) -> Any:
        result = type(self)()
        for name, (_, default) in self._fields.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, _Group):
                value = mine._merged(theirs)
            else:
                unset = _start(default)
                value = mine if theirs == unset else theirs
                if mine != unset and theirs != unset and mine != theirs:
                    _log.warning("The data option %s changes from %r to %r.", name, mine, theirs)
            object.__setattr__(result, name, value)
        return result


def _start(default: Any) -> Any:
    return default() if isinstance(default, type) else default


@export("data.experimental.AutotuneOptions")
class AutotuneOptions(_Group):
    """Settings of TensorFlow's automatic tuning."""

    _fields = {
        "enabled": (bool, None), "cpu_budget": (int, None), "ram_budget": (int, None),
        "autotune_algorithm": (AutotuneAlgorithm, None), "initial_parallelism": (int, None), "min_parallelism": (int, None),
    }  # fmt: skip


@export("data.experimental.DistributeOptions")
class DistributeOptions(_Group):
    """Settings of distributed data sets."""

    _fields = {"auto_shard_policy": (AutoShardPolicy, AutoShardPolicy.AUTO), "num_devices": (int, None)}


@export("data.experimental.OptimizationOptions")
class OptimizationOptions(_Group):
    """Which rewrites of a pipeline are allowed."""

    _fields = dict.fromkeys(
        [
            "apply_default_optimizations",
            "filter_fusion",
            "filter_parallelization",
            "inject_prefetch",
            "map_and_batch_fusion",
            "map_and_filter_fusion",
            "map_fusion",
            "map_parallelization",
            "noop_elimination",
            "parallel_batch",
            "seq_interleave_prefetch",
            "shuffle_and_repeat_fusion",
        ],
        (bool, None),
    )


@export("data.ThreadingOptions", "data.experimental.ThreadingOptions")
class ThreadingOptions(_Group):
    """How many threads a pipeline may use."""

    _fields = {"max_intra_op_parallelism": (int, None), "private_threadpool_size": (int, None)}


@export("data.experimental.ServiceOptions")
class ServiceOptions(_Group):
    """Settings of the data service."""

    _fields = {"pinned": (bool, None)}


@export("data.Options")
class Options(_Group):
    """Settings of a data set, attached with `Dataset.with_options`.

    Raises:
      AttributeError: a name that is no option.
      TypeError: a value of another type.
    """

    autotune: AutotuneOptions
    deterministic: bool | None
    experimental_distribute: DistributeOptions
    experimental_external_state_policy: ExternalStatePolicy | None
    experimental_optimization: OptimizationOptions
    threading: ThreadingOptions

    _fields = {
        "autotune": (AutotuneOptions, AutotuneOptions), "dataset_name": (str, None), "deterministic": (bool, None),
        "experimental_distribute": (DistributeOptions, DistributeOptions),
        "experimental_external_state_policy": (ExternalStatePolicy, None),
        "experimental_optimization": (OptimizationOptions, OptimizationOptions),
        "experimental_service": (ServiceOptions, ServiceOptions), "experimental_slack": (bool, None),
        "experimental_symbolic_checkpoint": (bool, None), "experimental_warm_start": (bool, None),
        "framework_type": (list, None), "threading": (ThreadingOptions, ThreadingOptions),
    }  # fmt: skip

    _OLD = {"experimental_deterministic": "deterministic", "experimental_threading": "threading"}

    def __getattr__(self, name: str) -> Any:
        if name in Options._OLD:
            return getattr(self, Options._OLD[name])
        raise AttributeError(f"Options has no option {name!r}; it has {sorted(self._fields)}.")

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(Options._OLD.get(name, name), value)

    def merge(self, options: Options) -> Options:
        """These options with those of `options` over them."""
        return self._merged(options)

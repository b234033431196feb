"""What programs ask about beside tensors: device names, sections that exclude each other, graphs, switches."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Callable
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.core import context
from headwater._src.core.tensor import SymbolicTensor
from headwater._src.engine.custom import custom_gradient

# -- devices ----------------------------------------------------------------------------------------------------------

_PART = re.compile(
    r"/?(?:(job|replica|task|device):([\w.-]+)(?::(\d+|\*))?|(cpu|gpu|tpu)(?::(\d+|\*))?)$", re.IGNORECASE
)


@export("DeviceSpec")
class DeviceSpec:
    """A device's name taken apart; parts that are None are open.

    Args:
      job: the job's name.
      replica: its replica, an int.
      task: the task, an int.
      device_type: such as "CPU".
      device_index: its number.

    >>> tf.DeviceSpec(job="worker", device_type="GPU", device_index=1).to_string()
    '/job:worker/device:GPU:1'
    """

    __slots__ = ("job", "replica", "task", "device_type", "device_index")

    def __init__(
        self,
        job: Any = None,
        replica: Any = None,
        task: Any = None,
        device_type: Any = None,
        device_index: Any = None,
    ) -> None:
        self.job = None if job is None else str(job)
        self.replica = None if replica is None else int(replica)
        self.task = None if task is None else int(task)
        self.device_type = None if device_type is None else str(device_type).upper()
        self.device_index = None if device_index is None else int(device_index)

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """The device of a name such as "/job:worker/task:0/device:CPU:1"; ValueError where it can't be read."""
        found: dict[str, Any] = {}
        for text in filter(None, spec.split("/")):
            match = _PART.match(text)
            if match is None or (match[1] or "").lower() in ("job", "replica", "task") and match[3]:
                raise ValueError(f"tf.DeviceSpec: {text!r} of {spec!r} is no part of a device's name.")
            key, value = (match[1] or "device").lower(), match[2] or match[4]
            if key == "device":
                found["device_type"] = value
                index = match[3] or match[5]
                found["device_index"] = None if index in (None, "*") else int(index)
            else:
                found[key] = value if key == "job" else int(value)
        return cls(**found)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """The device of that name; this object stays as it is."""
        return self.from_string(spec)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A device with the parts of `dev`, and where they are open those of this one."""
        theirs = {k: v for k, v in dev._parts().items() if v is not None}
        return type(self)(**{**self._parts(), **theirs})

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """A device with some parts replaced."""
        return type(self)(**{**self._parts(), **kwargs})

    def to_string(self) -> str:
        """The name; open parts are left out."""
        text = "".join(f"/{k}:{v}" for k in ("job", "replica", "task") if (v := getattr(self, k)) is not None)
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    __str__ = to_string

    def __repr__(self) -> str:
        return f"<DeviceSpec {self.to_string()!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())


# -- sections ---------------------------------------------------------------------------------------------------------


@export("CriticalSection")
class CriticalSection:
    """A section that at most one thread is in.

    Args:
      name: optional.
      shared_name: sections of one name exclude each other; the name by default.
      critical_section_def: must be None.
      import_scope: must be None.
    """

    _locks: dict[str, Any] = {}

    def __init__(
        self,
        name: Any = None,
        shared_name: Any = None,
        critical_section_def: Any = None,
        import_scope: Any = None,
    ) -> None:
        if critical_section_def is not None or import_scope is not None:
            raise NotImplementedError(
                "tf.CriticalSection: definitions from graphs of TensorFlow 1 are not read."
            )
        self._name = name or "critical_section"
        shared = shared_name or name
        self._lock = (
            threading.RLock() if shared is None else self._locks.setdefault(shared, threading.RLock())
        )

    @property
    def name(self) -> str:
        """The section's name."""
        return self._name

    def execute(
        self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None
    ) -> Any:
        """Calls `fn()` while no other call is in the section and returns its result."""
        with self._lock:
            return fn()


@export("AggregationMethod")
class AggregationMethod:
    """How gradients are added up; all ways are the same here."""

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


# -- questions --------------------------------------------------------------------------------------------------------


@export("is_symbolic_tensor")
def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether `tensor` stands for a value that only running a graph gives."""
    return isinstance(tensor, SymbolicTensor)


@export("inside_function")
def inside_function() -> bool:
    """Whether a `tf.function` is being traced."""
    return context.ctx.graph is not None


@export("grad_pass_through")
def grad_pass_through(f: Any) -> Any:
    """`f` with the gradient of the identity, as for rounding in quantised training (the straight-through estimator).

    Args:
      f: a function of one tensor.

    Returns:
      A function with the results of f, whose gradient is the upstream gradient.
    """

    @functools.wraps(f)
    def run(x: Any) -> Any:
        return custom_gradient(lambda y: (f(y), lambda upstream: upstream))(x)

    return run


@export("get_logger")
def get_logger() -> logging.Logger:
    """Python's logger of the name "tensorflow"."""
    return logging.getLogger("tensorflow")


# -- switches ---------------------------------------------------------------------------------------------------------

_SWITCHES = {"filter tracebacks": True, "log placement": False}


@export("debugging.enable_traceback_filtering")
def enable_traceback_filtering() -> None:
    """From now on errors that leave a `tf.function` show the user's lines alone, which is so from the beginning."""
    _SWITCHES["filter tracebacks"] = True


@export("debugging.disable_traceback_filtering")
def disable_traceback_filtering() -> None:
    """From now on such errors show headwater's and Keras's frames too."""
    _SWITCHES["filter tracebacks"] = False


@export("debugging.is_traceback_filtering_enabled")
def is_traceback_filtering_enabled() -> bool:
    """Whether errors that leave a `tf.function` show the user's lines alone."""
    return _SWITCHES["filter tracebacks"]


@export("debugging.get_log_device_placement")
def get_log_device_placement() -> bool:
    """What `tf.debugging.set_log_device_placement` noted; False in the beginning."""
    return _SWITCHES["log placement"]


@export("debugging.set_log_device_placement")
def set_log_device_placement(enabled: bool) -> None:
    """Notes whether the devices of operations should be logged. There is one device, so nothing is."""
    _SWITCHES["log placement"] = bool(enabled)

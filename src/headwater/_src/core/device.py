"""Devices: one CPU, and the scope that `tf.device` opens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.core.context import ctx


@export("device")
@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A scope whose operations run on the named device.

    Args:
      device_name: such as "/CPU:0", a function of an operation, or None to lift an outer scope.

    Raises:
      InvalidArgumentError: the device is not one that this machine has.
    """
    previous = ctx.device
    ctx.device = "" if device_name is None or callable(device_name) else _checked(str(device_name))
    try:
        yield
    finally:
        ctx.device = previous


def _checked(name: str) -> str:
    from headwater._src.base.errors import invalid

    kind = name.upper().rpartition("/")[2].removeprefix("DEVICE:").partition(":")
    if kind[0] in ("CPU", "") or kind[0].startswith(("JOB", "REPLICA", "TASK")):
        return name
    raise invalid(f"tf.device: {name!r} names no device of this process; it has /CPU:0.")

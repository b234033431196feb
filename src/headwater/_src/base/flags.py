"""Every switch of the library in one table: name, default, what it does, and whether compiled code depends on it."""

from __future__ import annotations

import os
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """One switch; the environment variable is HEADWATER_<NAME>."""

    default: Any
    help: str
    in_cache_key: bool


FLAGS: dict[str, Flag] = {
    "run_functions_eagerly": Flag(False, "run tf.function bodies as plain Python", False),
    "data_debug_mode": Flag(False, "run tf.data functions as plain Python", False),
    "compile_cache": Flag("on", "where compiled XLA programs are kept: on, off or a directory", False),
    "epochs_at_once": Flag(True, "let Keras's fit, evaluate and predict take many steps at a time", False),
    "eager_programs": Flag(True, "let XLA take over large eager kernels that are called often", False),
    "keep_memory": Flag(True, "keep freed memory for the next step (glibc), up to half a gigabyte", False),
    "function_traces": Flag(512, "how many graphs one tf.function keeps", False),
}

_values: dict[str, Any] = {}


def get(name: str) -> Any:
    """The present value: set by `put`, else by the environment, else the default."""
    if name not in _values:
        flag = FLAGS[name]
        text = os.environ.get("HEADWATER_" + name.upper())
        _values[name] = flag.default if text is None else type(flag.default)(_parse(text))
    return _values[name]


def put(name: str, value: Any) -> None:
    """Sets a flag for the process."""
    if name not in FLAGS:
        raise KeyError(f"headwater has no flag {name!r}; it has {sorted(FLAGS)}.")
    _values[name] = value


def _parse(text: str) -> Any:
    return {"0": False, "false": False, "1": True, "true": True}.get(text.lower(), text)

"""Which custom objects a saved model needs: its file is read as data, nothing in it is built or imported."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_MAX_CONFIG = 64 << 20
"""Bytes of the largest configuration that is read."""

_NAMESPACES = (
    "activations",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
)
_FUNCTION_KEYS = (
    "activation",
    "initializer",
    "regularizer",
    "constraint",
    "loss",
    "metrics",
    "weighted_metrics",
)
_SHORT_NAMES = ("accuracy", "acc", "crossentropy", "ce", "linear")


def missing(keras: ModuleType, filepath: Any, given: dict[str, Any] | None) -> list[str]:
    """The names of custom objects that the model in the file uses and that neither `given` nor Keras knows, in order."""
    try:
        configs = _configs(os.fspath(filepath))
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile):
        return []
    names: dict[str, None] = {}
    for config in configs:
        for name in _names(config):
            if not _known(keras, name, given):
                names[name] = None
    return list(names)


def _configs(path: str) -> list[Any]:
    if path.endswith((".h5", ".hdf5")):
        return _h5_configs(path)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("config.json")
        if info.file_size > _MAX_CONFIG:
            return []
        return [json.loads(archive.read(info))]


def _h5_configs(path: str) -> list[Any]:
    import h5py

    with h5py.File(path, "r") as file:
        texts = [file.attrs.get("model_config"), file.attrs.get("training_config")]
    return [json.loads(text) for text in texts if text is not None and len(text) <= _MAX_CONFIG]


def _names(config: Any, key: str = "") -> Iterator[str]:
    """The names of classes and functions that a configuration mentions and that say no Keras module as their home.

    `key` is the name of the argument that the configuration belongs to; where it takes functions, a string is a name.
    """
    takes_functions = key.endswith(_FUNCTION_KEYS)
    if isinstance(config, dict):
        serialized = "class_name" in config and "config" in config
        if serialized:
            yield from _own_name(config)
        for inner, value in config.items():
            if not (serialized and inner in ("class_name", "module", "registered_name", "build_config")):
                # {"loss": {"output_1": "mse"}}: the names under an argument's name are those of outputs.
                yield from _names(
                    value, "" if serialized and inner == "config" else key if takes_functions else inner
                )
    elif isinstance(config, list):
        for value in config:
            yield from _names(value, key)
    elif isinstance(config, str) and takes_functions:
        yield config


def _own_name(config: dict[str, Any]) -> Iterator[str]:
    kind, module = config.get("class_name"), config.get("module")
    if not isinstance(kind, str) or kind.startswith("__"):
        return
    if isinstance(module, str) and module.partition(".")[0] == "keras":
        return
    name = config["config"] if kind == "function" else config.get("registered_name") or kind
    if isinstance(name, str):
        yield name


def _known(keras: ModuleType, name: str, given: dict[str, Any] | None) -> bool:
    if name in _SHORT_NAMES or keras.utils.get_registered_object(name, custom_objects=given) is not None:
        return True
    return any(hasattr(getattr(keras, namespace), name) for namespace in _NAMESPACES)

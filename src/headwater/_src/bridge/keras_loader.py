"""Loads Keras on headwater when `headwater.keras` is first touched."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from headwater._src.bridge import alias
from headwater._src.bridge.version import KERAS_MINIMUM


def load() -> ModuleType:
    """The `keras` package, with headwater as its TensorFlow backend and the names of Keras 2 added.

    Raises:
      ImportError: Keras is not installed, or is older than headwater allows.
      RuntimeError: TensorFlow itself, or Keras with another backend, has been imported in this process.
    """
    alias.install_as_tensorflow()
    # Keras imports what its own packages lack from `tf.keras` while it loads: it gets what there is so far.
    if getattr(getattr(sys.modules.get("keras"), "__spec__", None), "_initializing", False):
        return sys.modules["keras"]
    try:
        keras = importlib.import_module("keras")
    except ModuleNotFoundError as error:
        if error.name != "keras":
            raise
        raise ImportError("headwater.keras is the keras package, which is not installed: pip install 'keras>=3.15.1'") from None
    _check(keras)
    from headwater._src.bridge import keras2

    keras2.apply(keras)
    return keras


def _check(keras: ModuleType) -> None:
    parts = keras.__version__.split(".")[:3]
    version = tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in parts)
    if version < KERAS_MINIMUM:
        wanted = ".".join(map(str, KERAS_MINIMUM))
        raise ImportError(
            f"headwater.keras needs Keras {wanted} or newer; version {keras.__version__} is installed. Older ones have known "
            f"holes in the reading of model files. pip install 'keras>={wanted}'"
        )
    alias.check_keras_backend()

"""Modules that load at their first use, so that `import headwater` costs no more than NumPy."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands for module `name` until an attribute is asked for.

    `extra` names the optional dependency set that brings the module; a failing import then says what to install.
    """

    def __init__(self, name: str, extra: str | None = None) -> None:
        super().__init__(name)
        self.__dict__["_extra"] = extra

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        try:
            module = importlib.import_module(self.__name__)
        except ImportError as error:
            extra = self.__dict__["_extra"]
            if extra is None:
                raise
            raise ImportError(
                f"{self.__name__} is needed here and is not installed: pip install 'headwater[{extra}]'"
            ) from error
        value = getattr(module, attribute)
        self.__dict__[attribute] = value
        return value


def late(namespace: dict[str, Any], names: dict[str, tuple[str, str]]) -> tuple[Any, Any]:
    """`__getattr__` and `__dir__` of a module some of whose names are loaded at their first use.

    Args:
      namespace: the module's globals.
      names: name -> module and attribute.
    """

    def get(name: str) -> Any:
        place = names.get(name)
        if place is None:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        value = namespace[name] = getattr(importlib.import_module(place[0]), place[1])
        return value

    def listed() -> list[str]:
        return sorted({*namespace, *names})

    return get, listed


jax = LazyModule("jax", "xla")
jnp = LazyModule("jax.numpy", "xla")
lax = LazyModule("jax.lax", "xla")
jsp = LazyModule("jax.scipy.special", "xla")
jnn = LazyModule("jax.nn", "xla")
scipy_special = LazyModule("scipy.special")
scipy_linalg = LazyModule("scipy.linalg")
scipy_lapack = LazyModule("scipy.linalg.lapack")
scipy_sparse = LazyModule("scipy.sparse")
sqlite3 = LazyModule("sqlite3")

"""Public names are declared beside the object that carries them.

`@export("math.add", "add")` notes that the object is public as `tf.math.add` and `tf.add`. `make api` writes the files of
the public face from these notes, so that each name is a plain import that tools can read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

EXPORTS: dict[str, tuple[str, str]] = {}
"""Public name -> (module, attribute)."""


class export:  # noqa: N801 - reads as the decorator it is
    """Declares the public names of an object; the first is its canonical one."""

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, obj: _T) -> _T:
        self._note(obj.__module__, obj.__qualname__)  # type: ignore[attr-defined]
        return obj

    def value(self, attribute: str, module: str) -> None:
        """Declares a plain value, which can't tell where it lives."""
        self._note(module, attribute)

    def _note(self, module: str, attribute: str) -> None:
        for name in self.names:
            known = EXPORTS.setdefault(name, (module, attribute))
            if known != (module, attribute):
                raise ValueError(
                    f"tf.{name} is declared twice: {known[0]}.{known[1]} and {module}.{attribute}"
                )


def public_name(obj: Callable[..., Any]) -> str:
    """The first public name of `obj`, or its own name."""
    where = (getattr(obj, "__module__", ""), getattr(obj, "__qualname__", ""))
    return next((name for name, place in EXPORTS.items() if place == where), where[1])

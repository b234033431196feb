"""Which variable object stands for a handle; the state layer fills this in."""

from __future__ import annotations

import weakref
from typing import Any

_owners: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = weakref.WeakKeyDictionary()
_make: list[Any] = []


def install(make: Any) -> None:
    """Tells how to make a variable object around a handle whose own object is gone."""
    _make[:] = [make]


def own(handle: Any, variable: Any) -> None:
    """Notes the variable object of a handle."""
    _owners[handle] = weakref.ref(variable)


def variable_of(handle: Any) -> Any:
    """The variable object of a handle."""
    reference = _owners.get(handle)
    variable = reference() if reference is not None else None
    return variable if variable is not None else _make[0](handle)

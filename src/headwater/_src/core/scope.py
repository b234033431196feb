"""Name scopes: prefixes of the names of variables and graph nodes."""

from __future__ import annotations

from typing import Any

from headwater._src.base.exporting import export
from headwater._src.core.context import ctx


@export("name_scope")
class name_scope:  # noqa: N801 - TensorFlow's name
    """A prefix for the names of what is made inside the `with` block.

    Args:
      name: the scope's name. One that ends in "/" is taken as it is, as the whole prefix; "" lifts all scopes.

    Raises:
      ValueError: `name` is no string.

    >>> with tf.name_scope("outer"), tf.name_scope("inner") as scope:
    ...     print(scope)
    outer/inner/
    """

    __slots__ = ("_name", "_saved")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise ValueError(
                f"tf.name_scope takes a string as the scope's name; got {name!r} of type {type(name).__name__}."
            )
        self._name = name
        self._saved: list[str] = []

    @property
    def name(self) -> str:
        """The name that was given."""
        return self._name

    def __enter__(self) -> str:
        outer = ctx.name_scope
        self._saved.append(outer)
        name = self._name
        if not name or name[-1] == "/":
            scope = name if name != "/" else ""
        elif ctx.graph is None:
            scope = f"{outer}{name}/"
        else:
            scope = ctx.graph.unique_name(outer + name) + "/"
        ctx.name_scope = scope
        return scope

    def __exit__(self, *exception: Any) -> None:
        ctx.name_scope = self._saved.pop()


@export("get_current_name_scope")
def get_current_name_scope() -> str:
    """The names of the scopes around, joined by "/"; "" outside all."""
    return ctx.name_scope.rstrip("/")

"""The variables of a function as the runtime sees them: cells, globals, attributes, items, contents of containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.text import describe
from headwater._src.core.tensor import Tensor, TensorLike
from headwater._src.state.tensor_array import TensorArray


class _Unbound:
    def __repr__(self) -> str:
        return "<not defined>"


UNBOUND = _Unbound()
"""In place of the value of a variable that has none."""

RESULT = "ag__result"
"""How the names begin that hold what a function with several `return`s gives back."""

RETURNED = "ag__returned"
"""How the names of the flags begin that say that a function has returned: what follows is skipped then."""


class Variable:
    """A variable of the user's function, through its cell."""

    __slots__ = ("name", "cell")

    def __init__(self, name: str, cell: Any) -> None:
        self.name = name
        self.cell = cell

    def get(self) -> Any:
        """The value, or UNBOUND."""
        try:
            return self.cell.cell_contents
        except ValueError:
            return UNBOUND

    def set(self, value: Any) -> None:
        """Replaces the value; UNBOUND takes it away."""
        if value is not UNBOUND:
            self.cell.cell_contents = value
        elif self.get() is not UNBOUND:
            del self.cell.cell_contents

    @property
    def is_result(self) -> bool:
        """Whether it holds the function's result rather than something of the user's."""
        return self.name.startswith(RESULT)


class Global(Variable):
    """A variable of the module."""

    __slots__ = ()

    def get(self) -> Any:
        """The value, or UNBOUND."""
        return self.cell.get(self.name, UNBOUND)

    def set(self, value: Any) -> None:
        """Replaces the value; UNBOUND takes it away."""
        if value is UNBOUND:
            self.cell.pop(self.name, None)
        else:
            self.cell[self.name] = value


class Part(Variable):
    """An attribute, an item or the contents of an object that stays the same while a block runs."""

    __slots__ = ("owner", "read", "write", "clear")

    def __init__(
        self,
        name: str,
        owner: Callable[[], Any],
        read: Callable[[Any], Any],
        write: Callable[[Any, Any], None],
        clear: Callable[[Any], None],
    ) -> None:
        self.name = name
        self.owner = owner
        self.read = read
        self.write = write
        self.clear = clear

    def get(self) -> Any:
        """The value, or UNBOUND."""
        try:
            return self.read(self.owner())
        except (AttributeError, LookupError, TypeError, NameError):
            return UNBOUND

    def set(self, value: Any) -> None:
        """Replaces the value where it differs; UNBOUND takes it away."""
        present = self.get()
        if _same_objects(present, value):
            return
        if value is UNBOUND:
            self.clear(self.owner())
        else:
            self.write(self.owner(), value)


def _same_objects(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b) or not isinstance(a, (list, dict)) or len(a) != len(b):
        return False
    if isinstance(a, list):
        return all(x is y for x, y in zip(a, b, strict=True))
    return all(k in b and a[k] is b[k] for k in a)


def attribute(owner: Callable[[], Any], name: str, text: str) -> Part:
    """The attribute `owner().name`."""
    return Part(
        text,
        owner,
        lambda o: getattr(o, name),
        lambda o, v: setattr(o, name, v),
        lambda o: delattr(o, name),
    )


def item(owner: Callable[[], Any], index: Callable[[], Any], text: str) -> Part:
    """The item `owner()[index()]`."""

    def write(o: Any, value: Any) -> None:
        o[index()] = value

    def clear(o: Any) -> None:
        del o[index()]

    return Part(text, owner, lambda o: o[index()], write, clear)


def contents(owner: Callable[[], Any], text: str) -> Part:
    """All that is in a list or a dictionary; other containers are left to Python."""

    def read(o: Any) -> Any:
        return o.copy() if type(o) in (list, dict) else None

    def write(o: Any, value: Any) -> None:
        if type(o) is list:
            o[:] = value
        elif type(o) is dict:
            o.clear()
            o.update(value)

    return Part(text, owner, read, write, lambda o: None)


class State:
    """The variables that a block writes, in groups.

    Args:
      variables: a function whose free variables are those of the block.
      spec: the names by group, `"a b; c"`.
      parts: attributes, items and contents; they go with the first group.
    """

    def __init__(self, variables: Callable[[], Any], spec: str, parts: Sequence[Part]) -> None:
        code = variables.__code__  # type: ignore[attr-defined]
        cells = dict(zip(code.co_freevars, variables.__closure__ or (), strict=True))  # type: ignore[attr-defined]
        module = variables.__globals__  # type: ignore[attr-defined]
        self.groups: list[list[Variable]] = []
        for group in spec.split(";"):
            self.groups.append(
                [Variable(n, cells[n]) if n in cells else Global(n, module) for n in group.split()]
            )
        self.groups[0] += parts

    @classmethod
    def of(cls, *groups: list[Variable]) -> State:
        """A state of these groups."""
        state = cls.__new__(cls)
        state.groups = list(groups)
        return state

    def __iter__(self) -> Iterator[Variable]:
        return (variable for group in self.groups for variable in group)

    def values(self) -> list[Any]:
        """All values, UNBOUND where there is none."""
        return [variable.get() for variable in self]

    def restore(self, values: Sequence[Any]) -> None:
        """Sets all variables."""
        for variable, value in zip(self, values, strict=True):
            variable.set(value)


# -- values -----------------------------------------------------------------------------------------------------------

_SCALARS = (bool, int, float, complex, str, bytes, np.ndarray, np.generic)


def is_scalar(leaf: Any) -> bool:
    """Whether a leaf is a Python or NumPy value that a tensor can hold."""
    return isinstance(leaf, _SCALARS) and not (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "O")


def is_dynamic(leaf: Any) -> bool:
    """Whether a leaf can differ from run to run: tensors and what can become one."""
    return isinstance(leaf, (TensorLike, TensorArray, nest.Composite)) or is_scalar(leaf)


def leaves(value: Any) -> list[Any]:
    """The leaves of a variable's value; of an undefined one there are none."""
    return [] if value is UNBOUND else nest.flatten(value)


def pack(like: Any, flat: Sequence[Any]) -> Any:
    """A value of the structure of `like`."""
    return nest.pack_sequence_as(like, list(flat)) if nest.is_nested(like) else flat[0]


def same_structure(a: Any, b: Any) -> bool:
    """Whether two values have the same nesting."""
    try:
        nest.assert_same_structure(a, b)
    except (ValueError, TypeError):
        return False
    return True


def equal_constants(a: Any, b: Any) -> bool:
    """Whether two leaves are one Python value, so that no tensor is needed to hold it."""
    if a is b:
        return True
    kinds = (bool, int, float, complex, str, bytes, type(None))
    # 0.0 and -0.0 are equal and differ
    return type(a) is type(b) and isinstance(a, kinds) and a == b and repr(a) == repr(b)


def text_of(value: Any) -> str:
    """A value in messages."""
    if value is UNBOUND:
        return "not defined"
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return describe(value)
    if nest.is_nested(value):
        return (
            f"{type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else type(value).__name__
        )
    return describe(value)

"""`tf.Module`: an object that knows the variables and modules it holds."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.core.scope import name_scope
from headwater._src.state.tracking import OWN_ATTRIBUTES, AutoTrackable
from headwater._src.state.variable import Variable

_IDENTIFIER = re.compile(r"^[a-zA-Z_]\w*$")


class _ModuleMeta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__call__(*args, **kwargs)
        if not hasattr(instance, "_name"):
            raise ValueError(
                f"{cls.__name__}: the constructor of tf.Module was not called; write super().__init__(name=name) first."
            )
        return instance


@export("Module")
class Module(AutoTrackable, metaclass=_ModuleMeta):
    """Base class for named objects that hold `tf.Variable`s and other modules.

    Variables and modules are found in the attributes, also inside lists, tuples and dictionaries, in the alphabetical
    order of attribute names.

    Args:
      name: a valid Python identifier; by default the class's name in snake case.

    Raises:
      ValueError: the name is no identifier.
    """

    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = OWN_ATTRIBUTES

    def __init__(self, name: str | None = None) -> None:
        name = _snake_case(type(self).__name__) if name is None else name
        if not _IDENTIFIER.match(name):
            raise ValueError(f"{name!r} is not a valid module name: it must be a valid Python identifier.")
        self._name = name
        self._scope_name = _scope_name(name)

    @property
    def name(self) -> str:
        """The module's name."""
        return self._name

    @property
    def name_scope(self) -> name_scope:
        """The scope that the module's variables are created in."""
        return name_scope(self._scope_name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables of this module and its submodules, each once."""
        return tuple(self._flatten(_is_variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that gradient tapes watch by themselves."""
        return tuple(self._flatten(lambda v: _is_variable(v) and v.trainable))

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The other variables."""
        return tuple(self._flatten(lambda v: _is_variable(v) and not v.trainable))

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules within this one, at any depth."""
        return tuple(self._flatten(lambda v: isinstance(v, Module)))

    def _flatten(
        self,
        predicate: Callable[[Any], bool] | None = None,
        recursive: bool = True,
        with_path: bool = False,
    ) -> Iterator[Any]:
        """The attributes, and those of submodules, for which `predicate` holds; each object once."""
        seen = {id(self)}
        yield from _walk(self, predicate or (lambda _: True), recursive, with_path, seen, ())

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """A decorator for methods that run inside the module's name scope."""

        @functools.wraps(method)
        def scoped(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


def _scope_name(name: str) -> str:
    with name_scope(name) as scope:
        return scope


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _is_variable(value: Any) -> bool:
    return isinstance(value, Variable)


def _attributes(module: Module) -> list[tuple[tuple[Any, ...], Any]]:
    ignored = module._TF_MODULE_IGNORED_PROPERTIES
    found = []
    for key in sorted(vars(module)):
        if key in ignored or key in OWN_ATTRIBUTES:
            continue
        for path, leaf in _leaves(vars(module)[key]):
            found.append(((key, *path), leaf))
    return found


def _leaves(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, (Module, Variable)) or not nest.is_nested(value):
        return [((), value)]
    try:
        return nest.flatten_with_paths(value)
    except TypeError:
        return []


def _walk(
    module: Module, predicate: Any, recursive: bool, with_path: bool, seen: set[int], prefix: Any
) -> Iterator[Any]:
    deeper = []
    for path, leaf in _attributes(module):
        if id(leaf) in seen and isinstance(leaf, (Module, Variable)):
            continue
        if predicate(leaf):
            seen.add(id(leaf))
            yield ((*prefix, *path), leaf) if with_path else leaf
        if recursive and isinstance(leaf, Module):
            seen.add(id(leaf))
            deeper.append((path, leaf))
    for path, submodule in deeper:
        yield from _walk(submodule, predicate, recursive, with_path, seen, (*prefix, *path))

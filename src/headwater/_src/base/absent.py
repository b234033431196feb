"""Public names whose work is not in this version: they can be named, tested with isinstance, and say so when they are used."""

from __future__ import annotations

from typing import Any

from headwater._src.base.exporting import export


def not_here(public: str, module: str, sentence: str) -> Any:
    """A function called `tf.<public>` that raises NotImplementedError with `sentence`; `module` is the one that keeps it."""
    name = public.rpartition(".")[2]

    def function(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"tf.{public} is not in this version of headwater. {sentence}")

    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    function.__doc__ = f"Not in this version: raises NotImplementedError. {sentence}"
    return function


def absent_function(public: str, module: str, sentence: str) -> Any:
    """The same, declared public; the module must keep it under the last part of its name."""
    return export(public)(not_here(public, module, sentence))


def absent_class(public: str, module: str, sentence: str, base: type = object) -> Any:
    """A class called `tf.<public>` whose construction raises NotImplementedError with `sentence`."""
    name = public.rpartition(".")[2]

    def refuse(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"tf.{public} is not in this version of headwater. {sentence}")

    doc = f"Not in this version: construction raises NotImplementedError. {sentence}"
    made = type(
        name, (base,), {"__new__": refuse, "__doc__": doc, "__module__": module, "__qualname__": name}
    )
    return export(public)(made)

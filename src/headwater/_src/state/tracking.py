"""Trackable objects: those that checkpoints and saved models find through attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from headwater._src.base.exporting import export


@export("__internal__.tracking.Trackable")
class Trackable:
    """Base of objects that others may depend on by name."""

    __slots__ = ()
    _self_setattr_tracking = True

    def _track_trackable(self, trackable: Any, name: str, overwrite: bool = False) -> Any:
        """Notes that this object depends on `trackable` under `name`.

        Raises:
          TypeError: `trackable` is not a Trackable.
          ValueError: the name is taken by another object and `overwrite` is false.
        """
        if not isinstance(trackable, Trackable):
            raise TypeError(
                f"{name!r} can't be tracked: {trackable!r} is a {type(trackable).__name__}, no Trackable."
            )
        known = self.__dict__.get("_self_unconditional_dependency_names")
        if known is None:
            known = self.__dict__["_self_unconditional_dependency_names"] = {}
        if not overwrite and known.get(name, trackable) is not trackable:
            raise ValueError(
                f"The name {name!r} is taken: {type(self).__name__} tracks {known[name]!r} under it."
            )
        known[name] = trackable
        return trackable

    def _lookup_dependency(self, name: str, cached_dependencies: Any = None) -> Any:
        return self._trackable_children().get(name)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """The objects that this one depends on, by name."""
        return dict(self.__dict__.get("_self_unconditional_dependency_names", ()))


@export("__internal__.tracking.AutoTrackable")
class AutoTrackable(Trackable):
    """A Trackable whose dependencies are its attributes."""

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        children = {
            n: v for n, v in vars(self).items() if isinstance(v, Trackable) and not n.startswith("_self_")
        }
        noted = {
            n: v for n, v in super()._trackable_children(save_type, **kwargs).items() if n not in children
        }
        return {**noted, **children}

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_self_unconditional_dependency_names", {}).pop(name, None)
        super().__delattr__(name)


@export("__internal__.tracking.no_automatic_dependency_tracking")
def no_automatic_dependency_tracking(method: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of methods: attributes set while it runs are not tracked."""

    @functools.wraps(method)
    def untracked(self: Any, *args: Any, **kwargs: Any) -> Any:
        previous = getattr(self, "_self_setattr_tracking", True)
        self._self_setattr_tracking = False
        try:
            return method(self, *args, **kwargs)
        finally:
            self._self_setattr_tracking = previous

    return untracked


class ListWrapper(list):
    """A list as TensorFlow's modules keep it when it is an attribute."""


class _DictWrapper(dict):
    """A dictionary as TensorFlow's modules keep it when it is an attribute."""

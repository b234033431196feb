"""`for` over data sets and their iterators inside a graph: each round asks the iterator for one element."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import headwater._src.ops.control as control
from headwater._src.base import nest
from headwater._src.base.dtypes import bool_, int64
from headwater._src.core.composite import SparseTensor, SparseTensorSpec
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import Tensor
from headwater._src.ops import create
from headwater._src.ops.host import py_function
from headwater._src.trace.autograph.loops import ShapeChangedError


class Elements:
    """The elements of an iterator that exists when the graph runs."""

    def __init__(self, iterator: Any) -> None:
        self.spec = iterator.element_spec
        self.specs = _tensor_specs(self.spec)
        (self.handle,) = iterator._nest_flatten()

    def following(self) -> list[Tensor]:
        """Whether there is another element, and its parts; zeros where there is none."""
        more, *parts = py_function(self._take, [self.handle], [bool_, *self.specs])
        more.set_shape(())
        for part, spec in zip(parts, self.specs, strict=True):
            part.set_shape(spec.shape)
        return [more, *parts]

    def _take(self, handle: Any) -> list[Any]:
        for element in handle._array[()]:
            parts = nest.flatten(element, expand_composites=True)
            return [True, *(p for p in parts if p is not None)]
        return [False, *(_zeros(spec) for spec in self.specs)]

    def pack(self, parts: Iterable[Any]) -> Any:
        """One element."""
        return _packed(self.spec, iter(parts))


def _tensor_specs(structure: Any) -> list[TensorSpec]:
    """The specifications of an element's tensors, those of composite ones one by one."""
    found: list[TensorSpec] = []
    for spec in nest.flatten(structure):
        if isinstance(spec, TensorSpec):
            found.append(spec)
        elif isinstance(spec, SparseTensorSpec):
            rank = spec.shape.rank
            found += [
                TensorSpec([None, rank], int64), TensorSpec([None], spec.dtype), TensorSpec([rank], int64),
            ]  # fmt: skip
        elif hasattr(spec, "_component_specs"):
            found += _tensor_specs(spec._component_specs)
        elif type(spec).__name__ != "NoneTensorSpec":
            raise NotImplementedError(
                f"A `for` inside a graph goes over data sets of tensors; this one has elements of {spec!r}. Go over it outside "
                "of the tf.function, or map the elements to tensors."
            )
    return found


def _packed(structure: Any, parts: Iterator[Any]) -> Any:
    def one(spec: Any) -> Any:
        if isinstance(spec, TensorSpec):
            return next(parts)
        if isinstance(spec, SparseTensorSpec):
            return SparseTensor(next(parts), next(parts), next(parts))
        if hasattr(spec, "_component_specs"):
            return spec._from_components(_packed(spec._component_specs, parts))
        return None

    made = [one(spec) for spec in nest.flatten(structure)]
    return nest.pack_sequence_as(structure, made) if nest.is_nested(structure) else made[0]


def _zeros(spec: TensorSpec) -> Tensor:
    dims = [] if spec.shape.rank is None else [d or 0 for d in spec.shape.as_list()]
    return create.zeros(dims, spec.dtype)


def elements_of(iterable: Any) -> Elements | None:
    """The elements of a data set or of its iterator, while a graph is built; None for anything else."""
    if ctx.graph is None or not hasattr(type(iterable), "element_spec") or not hasattr(iterable, "__iter__"):
        return None
    iterator = iter(iterable)
    return Elements(iterator) if hasattr(iterator, "_nest_flatten") else None


def loop_over(
    loop: Any, elements: Elements, extra: Callable[[], Any] | None, body: Callable[[Any], None], both: Any
) -> None:
    """Runs `body` on each element as long as `extra()` holds."""

    def test(more: Any, *parts: Any) -> Any:
        return more if extra is None else both(more, extra)

    def one_round(more: Any, *parts: Any) -> list[Any]:
        body(elements.pack(parts))
        if extra is None:
            return list(elements.following())
        again = extra()
        if not isinstance(again, Tensor):
            return list(elements.following()) if again else [convert(False), *parts]
        return list(control.cond(again, lambda: list(elements.following()), lambda: [convert(False), *parts]))

    loop.body = one_round
    first = elements.following()
    while True:
        try:
            return loop.run(test, first)  # type: ignore[no-any-return]
        except ShapeChangedError as error:
            # TensorFlow takes these loops as reductions, whose state may change its shape.
            loop.allow(error.name, error.shape)

"""`Dataset.from_generator`: the elements that a Python generator gives."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, of_array
from headwater._src.data.functions import Pass
from headwater._src.data.nodes import UNKNOWN, Node
from headwater._src.data.structure import is_structure, packer, shape_fits
from headwater._src.ops.host import host_error

_WHAT = "Dataset.from_generator: the generator"


class Generator(Node):
    """What a Python generator gives, checked against a signature."""

    name = "_FlatMapDataset"

    def __init__(self, generator: Any, args: tuple[Any, ...], signature: Any) -> None:
        super().__init__()
        self.generator = generator
        self.args = args
        self.signature = self.spec = signature
        self.specs = nest.flatten(signature)

    def run(self, state: Pass) -> Iterator[Any]:
        pack = packer(self.signature)
        try:
            elements = iter(self.generator(*self.args))
        except Exception as error:
            raise host_error(error, _WHAT) from error
        while True:
            try:
                value = next(elements)
            except StopIteration:
                return
            except Exception as error:
                raise host_error(error, _WHAT) from error
            yield pack(
                [self._part(s, v) for s, v in zip(self.specs, _parts(self.signature, value), strict=True)]
            )

    @staticmethod
    def _part(spec: TypeSpec, value: Any) -> Any:
        if not isinstance(spec, TensorSpec):
            if not spec.is_compatible_with(value):
                raise invalid(f"{_WHAT} gave {value!r} where {spec} was promised.")
            return value
        if value.__class__ is EagerTensor and value._array.dtype is spec.dtype.np:
            array = value._array
        else:
            try:
                array = _as_array(value, spec)
            except (TypeError, ValueError) as error:
                raise invalid(
                    f"{_WHAT} gave {value!r}, which does not convert to {spec.dtype.name}: {error}"
                ) from None
        if not shape_fits(spec, array):
            raise invalid(
                f"{_WHAT} gave an element of shape {TensorShape(array.shape)} where {spec.shape} was promised."
            )
        return of_array(array)

    def length(self) -> int:
        return UNKNOWN


def _as_array(value: Any, spec: TensorSpec) -> np.ndarray:
    if spec.dtype.np.kind == "O":
        return convert(value, spec.dtype)._array  # type: ignore[attr-defined]
    # A copy: generators like to fill the same buffer again.
    return np.array(value, spec.dtype.np, order="C")


def _parts(signature: Any, value: Any) -> list[Any]:
    """The parts of an element in the order of the leaves of the signature."""
    if not is_structure(signature):
        return [value]
    if isinstance(signature, abc.Mapping):
        fits = isinstance(value, abc.Mapping) and set(value) == set(signature)
        pairs = [(signature[k], value[k]) for k in sorted(signature)] if fits else []
    else:
        inner = list(signature) if isinstance(signature, tuple) else nest.flatten(signature)
        fits = isinstance(value, (tuple, list)) and len(value) == len(inner)
        pairs = list(zip(inner, value, strict=True)) if fits else []
    if not fits:
        raise invalid(f"{_WHAT} gave {value!r}, which has not the structure of {signature}.")
    return [part for inner, given in pairs for part in _parts(inner, given)]

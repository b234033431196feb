"""The names under which specifications are written to files of Keras's older formats."""

from __future__ import annotations

from headwater._src.core.composite import IndexedSlicesSpec, SparseTensorSpec
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.ops import extension_type

_NAMES: dict[str, type[TypeSpec]] = {
    f"tf.{c.__name__}": c for c in (TensorSpec, SparseTensorSpec, RaggedTensorSpec, IndexedSlicesSpec)
}


def get_name(cls: type[TypeSpec]) -> str:
    """The name of a class of specifications; ValueError for those that have none."""
    for names in (_NAMES, extension_type.registered):
        for name, known in names.items():
            if known is cls:
                return name
    raise ValueError(
        f"TypeSpec {cls.__qualname__} has not been registered: give its extension type a __name__ such as 'project.Type'."
    )


def lookup(name: str) -> type[TypeSpec]:
    """The class of specifications of that name; ValueError where there is none."""
    found = _NAMES.get(name) or extension_type.registered.get(name)
    if found is None:
        raise ValueError(f"No TypeSpec has been registered under the name {name!r}.")
    return found

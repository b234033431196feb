"""The operations by family, each defined once. Importing this package fills the registry and gives tensors their operators."""

from headwater._src.ops import (
    broadcasting,
    cast,
    clip,
    compare,
    create,
    gather,
    index,
    linalg,
    losses,
    math,
    nn,
    random,
    reduce,
    shape,
    sort,
    special,
    vectorspace,
)
from headwater._src.ops import operators as _operators

__all__ = [
    "broadcasting", "cast", "clip", "compare", "create", "gather", "index", "linalg", "losses", "math",
    "nn", "random", "reduce", "shape", "sort", "special", "vectorspace",
]  # fmt: skip

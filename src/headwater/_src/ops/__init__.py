"""The operations by family, each defined once. Importing this package fills the registry and gives tensors their operators."""

from headwater._src.ops import (
    broadcasting,
    cast,
    checks,
    clip,
    compare,
    control,
    create,
    einsum,
    gather,
    host,
    index,
    joining,
    layout,
    linalg,
    linalg_decompose,
    losses,
    math,
    nn,
    operators,
    permutations,
    random,
    random_dist,
    reduce,
    scans,
    segment,
    shape,
    sort,
    special,
    vectorspace,
)

__all__ = [
    "broadcasting", "cast", "checks", "clip", "compare", "control", "create", "einsum", "gather", "host", "index", "joining",
    "layout", "linalg", "linalg_decompose", "losses", "math", "nn", "operators", "permutations", "random", "random_dist", "reduce", "scans",
    "segment", "shape", "sort", "special", "vectorspace",
]  # fmt: skip

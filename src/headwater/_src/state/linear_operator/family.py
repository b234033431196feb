"""All classes of linear operators, whose modules load when an operator first needs one of another module."""

from headwater._src.state.linear_operator import (
    blocks,
    circulant,
    dense,
    diagonal,
    kronecker,
    low_rank,
    structured,
    wrapped,
)

MODULES = (blocks, circulant, dense, diagonal, kronecker, low_rank, structured, wrapped)

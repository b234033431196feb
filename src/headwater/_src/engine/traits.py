"""What passes and the NumPy plan know of records beyond their fields; the operations layer fills the table in.

A record without an entry is called as eager code calls it: its kernel, on its inputs, taken for one that may hand back
views of its inputs. An entry can only make that faster, never make it something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from headwater._src.core.graph import Node


class Code(NamedTuple):
    """How the plan computes a node: an expression, in which {0}, {1}, ... stand for the inputs' arrays, and {s0}, ... for NumPy
    scalars where inputs have rank 0.

    `into` is the same with {out}, an array of the result's shape and dtype that is written and given back. An elementwise
    one may be handed an input's own array as {out}. `scalars` is the expression on NumPy scalars for inputs of rank 0.
    """

    text: str
    names: Mapping[str, Any] = {}
    """What the expression calls, by the names it uses."""
    into: str | None = None
    scalars: str | None = None
    fresh: bool = False
    """Whether the result is a new array that nothing else refers to."""
    views: tuple[int, ...] | None = None
    """The inputs that the result may share memory with, where it is not fresh; None for all."""
    elementwise: bool = False
    layout: str = ""
    """"C": the result is C-contiguous; "A": it is if all inputs are; "K": it is ordered in memory as NumPy orders the result of an
    elementwise function of these inputs; "": unknown."""

    over: tuple[int, ...] | None = None
    """The inputs whose arrays an elementwise expression may be handed as {out}; None for all."""
    total: bool = True
    """Whether the expression can't fail on arrays of the shapes and dtypes that are known of the inputs."""
    arrays: bool = False
    """Whether results of rank 0 come as ndarrays, as those of plans do; else they may be NumPy scalars,"""
    numbers: bool = False
    """and whether they are certain to be."""
    sum: bool = False
    """Whether the result is the sum of all elements, as `np.add.reduce` gives it."""
    full: tuple[str, ...] = ()
    """Constants among `names` of an elementwise expression that had better be arrays of the result's shape, filled with them:
    where a function of NumPy has fast loops for two arrays only."""


class Traits(NamedTuple):
    """What is known of one record."""

    code: Callable[[Node], Code | None] | None = None
    """The node's expression, from its attributes and the specs of its inputs; None where the kernel is to be called."""
    simplify: Callable[[Node, Any], Any] | None = None
    """`simplify(node, build)` gives the tensor that the node's only result equals bit for bit, or None."""
    shape_only: frozenset[int] = frozenset()
    """The inputs of which only shape and dtype matter."""
    fresh: bool = False
    """Whether the kernel's results are always new arrays."""
    repeats: Callable[[Node, Any, Node], Any] | None = None
    """`repeats(node, build, reader)` gives a tensor whose broadcast to the result's shape is the node's result, or None."""


NONE = Traits()
TRAITS: dict[str, Traits] = {}
_TABLES: list[Callable[[], Any]] = []


def install_table(load: Callable[[], Any]) -> None:
    """Says how to get the table, which nothing needs before the first plan: `load()` calls `install_traits`."""
    _TABLES.append(load)


def install_traits(table: Mapping[str, Traits]) -> None:
    """Adds entries by the records' names."""
    TRAITS.update(table)


def traits_of(record: Any) -> Traits:
    """The record's entry."""
    if _TABLES:
        for load in tuple(_TABLES):
            load()
        _TABLES.clear()
    return TRAITS.get(record.name, NONE)


_NUMBERS = frozenset(np.dtype(d) for d in "fdil")
_FLAGS = frozenset((np.dtype(bool),))
_OPERATORS: dict[Any, tuple[str, frozenset[np.dtype]]] = {
    np.add: ("{0} + {1}", _NUMBERS), np.subtract: ("{0} - {1}", _NUMBERS), np.multiply: ("{0} * {1}", _NUMBERS),
    np.true_divide: ("{0} / {1}", frozenset(np.dtype(d) for d in "fd")), np.negative: ("-{0}", _NUMBERS),
    np.absolute: ("abs({0})", _NUMBERS), np.square: ("{0} * {0}", _NUMBERS), np.less: ("{0} < {1}", _NUMBERS),
    np.less_equal: ("{0} <= {1}", _NUMBERS), np.greater: ("{0} > {1}", _NUMBERS), np.greater_equal: ("{0} >= {1}", _NUMBERS),
    np.equal: ("{0} == {1}", _NUMBERS), np.not_equal: ("{0} != {1}", _NUMBERS), np.logical_and: ("{0} & {1}", _FLAGS),
    np.logical_or: ("{0} | {1}", _FLAGS), np.logical_not: ("~{0}", _FLAGS),
}  # fmt: skip
"""What Python's operators do on NumPy scalars, ten times faster and with the same bits, for inputs of these dtypes."""
_OUT_BY_NAME = frozenset((np.maximum, np.minimum))
"""NumPy deprecates a third positional argument of these."""


def code_of_ufunc(ufunc: np.ufunc, dtypes: tuple[np.dtype, ...]) -> Code:
    """The expression of an elementwise function of NumPy; `dtypes` are those of its inputs and its result."""
    name = ufunc.__name__
    arguments = ", ".join([f"{{{i}}}" for i in range(ufunc.nin)])
    out = "out={out}" if ufunc in _OUT_BY_NAME else "{out}"
    scalars, allowed = _OPERATORS.get(ufunc, (None, _NUMBERS))
    if scalars is not None and not allowed.issuperset(dtypes[: ufunc.nin]):
        scalars = None
    strings = any(d.kind == "O" for d in dtypes)
    into = None if strings or ufunc.nout != 1 else f"{name}({arguments}, {out})"
    return Code(f"{name}({arguments})", {name: ufunc}, into, scalars, True, (), True, "K", total=not strings)

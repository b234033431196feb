"""Names for the expressions of nest.txt."""

import collections
import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Any

Point = collections.namedtuple("Point", ["x", "y"])
Pixel = collections.namedtuple("Pixel", ["x", "y"])
Other = collections.namedtuple("Other", ["u", "v"])


class Sized(Mapping):
    """A mapping that is no dictionary."""

    def __init__(self, *items: Any, **named: Any) -> None:
        self.items_ = dict(*items, **named)

    def __getitem__(self, key: Any) -> Any:
        return self.items_[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items_)

    def __len__(self) -> int:
        return len(self.items_)

    def __repr__(self) -> str:
        return f"Sized({self.items_})"


class Line(list):
    """A list by inheritance."""


@dataclasses.dataclass
class Plain:
    """A dataclass without the two methods: a leaf."""

    left: Any


@dataclasses.dataclass
class Pair:
    """A dataclass that says how it is taken apart."""

    tag: str
    left: Any
    right: Any

    def __tf_flatten__(self) -> Any:
        return (self.tag,), (self.left, self.right)

    @classmethod
    def __tf_unflatten__(cls, metadata: Any, components: Any) -> Any:
        return cls(*metadata, *components)


class Attributes:
    """What attrs makes of a class, as far as nests look: the attributes by name."""

    __attrs_attrs__ = (types.SimpleNamespace(name="one"), types.SimpleNamespace(name="two"))

    def __init__(self, one: Any, two: Any) -> None:
        self.one, self.two = one, two

    def __repr__(self) -> str:
        return f"Attributes({self.one}, {self.two})"


class Ordered(collections.OrderedDict):  # type: ignore[type-arg]
    """One that prints the same on every version of Python."""

    def __repr__(self) -> str:
        return f"O({list(self.items())})"


def names(tf: Any) -> dict[str, Any]:
    """All names of the expressions."""
    return {
        "P": Point,
        "P2": Pixel,
        "Q": Other,
        "M": Sized,
        "L": Line,
        "Plain": Plain,
        "Pair": Pair,
        "A": Attributes,
        "D": collections.defaultdict,
        "O": Ordered,
        "C": collections.Counter,
        "deque": collections.deque,
        "proxy": types.MappingProxyType,
        "flat": tf.nest.flatten,
        "pack": tf.nest.pack_sequence_as,
        "map": tf.nest.map_structure,
        "same": tf.nest.assert_same_structure,
        "nested": tf.nest.is_nested,
        "rt": tf.ragged.constant([[1, 2], [3]]),
        "r3": tf.ragged.constant([[[1, 2], [3]], []]),
        "sp": tf.SparseTensor([[0, 1]], [5.0], [2, 2]),
        "sl": tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([0])),
    }

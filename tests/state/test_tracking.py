"""Attributes of modules: what becomes a container that tracks what it holds, and how these containers behave. The answers are
those of TensorFlow 2.21."""

from __future__ import annotations

import copy
import json
import pickle
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import headwater as tf
from headwater._src.state.tracking import NoDependency

Variable = tf.Variable
Point = namedtuple("Point", "x y")


def attribute(value):
    module = tf.Module()
    module.a = value
    return module.a


def tracked(value):
    """The names under which a module with this attribute saves something."""
    module = tf.Module()
    module.a = value
    view = tf.train.TrackableView(module)
    return sorted(view.children(view.children(module)["a"])) if view.children(module) else None


@pytest.mark.parametrize(
    ("make", "kind", "names"),
    [
        (lambda: [Variable(1), 2], "ListWrapper", ["0"]),
        (list, "ListWrapper", []),
        (lambda: [[1]], "ListWrapper", ["0"]),
        (lambda: {"x": Variable(1), "y": 2, "z": {}}, "_DictWrapper", ["x", "z"]),
        (lambda: OrderedDict(x=Variable(1)), "_DictWrapper", ["x"]),
        (lambda: (Variable(1), 2), "_TupleWrapper", ["0"]),
        (lambda: (1, (2, [])), "_TupleWrapper", ["1"]),
        (lambda: Point(1, Variable(1)), "Point", ["1", "y"]),
        (lambda: (1, 2), "tuple", None),
        (lambda: Point(1, 2), "Point", None),
        (lambda: {1, 2}, "set", None),
        (lambda: NoDependency([Variable(1)]), "list", None),
        (lambda: [NoDependency(Variable(1))], "ListWrapper", []),
        (lambda: type("Special", (list,), {})([Variable(1)]), "Special", None),
    ],
)
def test_what_becomes_of_an_attribute(make, kind, names):
    assert type(attribute(make())).__name__ == kind
    if kind != "list":
        assert tracked(make()) == names


def test_containers_and_what_they_are_made_of_are_one():
    items, table = [Variable(1)], {"k": [1]}
    wrapped, keyed = attribute(items), attribute(table)
    items.append(2)
    table["new"] = 3
    assert len(wrapped) == 2 and wrapped[1] == 2 and list(keyed) == ["k", "new"]
    wrapped.append([4])
    keyed["more"] = {}
    assert type(items[2]).__name__ == "ListWrapper" and type(table["more"]).__name__ == "_DictWrapper"
    assert type(table["k"]).__name__ == "ListWrapper"


def test_lists_behave_like_lists():
    made = attribute([3, 1, 2])
    assert isinstance(made, list) and made == [3, 1, 2] and made != [1]
    assert repr(made) == "ListWrapper([3, 1, 2])" and bool(made) and not attribute([])
    assert (made + [4], [4] + made, made * 2, 2 * made) == (
        [3, 1, 2, 4],
        [4, 3, 1, 2],
        [3, 1, 2] * 2,
        [3, 1, 2] * 2,
    )
    assert type(made + [4]) is list and type(made[:2]) is list
    assert made < [4] and made <= made and made > [2] and made >= [3, 1] and 2 in made
    assert (made.index(1), made.count(3), list(reversed(made)), sorted(made)) == (1, 1, [2, 1, 3], [1, 2, 3])
    made.sort(reverse=True)
    made += [0]
    made.insert(0, 9)
    assert made.pop() == 0 and made.pop(0) == 9 and made == [3, 2, 1]
    made[0], made[1:] = 5, [6, 7]
    del made[1]
    made.reverse()
    made.remove(7)
    made *= 2
    assert made == [5, 5] and np.array(made).tolist() == [5, 5] and json.dumps(made) == "[5, 5]"
    assert tf.constant(made).shape == [2] and [*made] == [5, 5] and "".join(attribute(["a", "b"])) == "ab"
    made *= 0
    made.extend(range(3))
    made.clear()
    assert made == []
    with pytest.raises(TypeError):
        hash(made)


def test_dictionaries_behave_like_dictionaries():
    made = attribute({"b": 1, "a": 2})
    assert isinstance(made, dict) and made == {"b": 1, "a": 2} and made != {}
    assert (
        repr(made) == "DictWrapper({'b': 1, 'a': 2})" and len(made) == 2 and "a" in made and "c" not in made
    )
    assert list(made) == list(made.keys()) == ["b", "a"] and list(made.values()) == [1, 2]
    assert dict(made) == {**made} == dict(made.items()) == {"b": 1, "a": 2} and made.get("c", 5) == 5
    assert made | {"c": 3} == {"b": 1, "a": 2, "c": 3} and {"c": 3} | made == {"c": 3, "b": 1, "a": 2}
    assert json.loads(json.dumps(made)) == {"b": 1, "a": 2} and "{a}".format_map(made) == "2"
    made.update({"c": 3}, d=4)
    made |= {"e": 5}
    assert made.setdefault("a", 9) == 2 and made.setdefault("f", 6) == 6
    assert made.pop("c") == 3 and made.pop("c", None) is None and made.popitem() == ("f", 6)
    del made["b"]
    made[7] = 8
    assert made == {"a": 2, "d": 4, "e": 5, 7: 8}
    with pytest.raises(KeyError):
        made["no"]
    made.clear()
    assert not made
    with pytest.raises(TypeError):
        hash(made)


def test_tuples_behave_like_tuples():
    made, point = attribute((1, [2])), attribute(Point([1], 2))
    assert (
        isinstance(made, tuple) and made == (1, [2]) and repr(made) == "_TupleWrapper((1, ListWrapper([2])))"
    )
    assert repr(point) == "_TupleWrapper(Point(x=ListWrapper([1]), y=2))"
    assert (
        isinstance(point, Point)
        and point.x == [1]
        and point == Point([1], 2)
        and type(point.x).__name__ == "ListWrapper"
    )
    first, second = point
    assert (first, second) == ([1], 2)


@pytest.mark.parametrize(
    "make", [lambda: [1, [2]], lambda: {"a": [1]}, lambda: (1, [2]), lambda: Point([1], 2)]
)
def test_copies(make):
    made = attribute(make())
    for copied in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copied == make() and type(copied).__name__ == type(made).__name__
    if isinstance(made, (list, dict)):
        assert made.copy() == made and made.copy() is not made


@pytest.mark.parametrize(
    "make", [lambda: [1, [2]], lambda: {"b": 1, "a": [2, 3]}, lambda: (1, [2]), lambda: Point([1], 2)]
)
def test_structures(make):
    made, plain = attribute(make()), make()
    assert tf.nest.flatten(made) == tf.nest.flatten(plain)
    assert tf.nest.map_structure(lambda x: x + 1, made) == tf.nest.map_structure(lambda x: x + 1, plain)
    tf.nest.assert_same_structure(made, plain)
    assert tf.function(lambda s: tf.add_n(tf.nest.flatten(s)))(made) == sum(tf.nest.flatten(plain))


def test_loops_over_containers_in_functions():
    module = tf.Module()
    module.steps = [Variable(1.0), Variable(2.0)]
    module.by_name = {"a": Variable(3.0)}

    @tf.function
    def total():
        found = 0.0
        for v in module.steps:
            found += v
        for name in module.by_name:
            found += module.by_name[name]
        return found + module.steps[1]

    assert total() == 8 and len(module.variables) == 3


LISTS = {
    "append": (lambda made: made.append(Variable(1)), ["0", "1", "2"]),
    "extend": (lambda made: made.extend([Variable(1)]), ["0", "1", "2"]),
    "iadd": (lambda made: made.__iadd__([Variable(1)]), ["0", "1", "2"]),
    "double": (lambda made: made.__imul__(2), ["0", "1", "2", "3"]),
    "pop": (lambda made: made.pop(), ValueError),
    "insert": (lambda made: made.insert(0, 3), ValueError),
    "replace": (lambda made: made.__setitem__(0, Variable(1)), ValueError),
    "slice": (lambda made: made.__setitem__(slice(1), []), ValueError),
    "delete": (lambda made: made.__delitem__(0), ValueError),
    "clear": (lambda made: made.clear(), ValueError),
    "nothing": (lambda made: made.__imul__(0), ValueError),
    "reverse": (lambda made: made.reverse(), ValueError),
    "outside": (lambda made: made._storage.append(Variable(1)), ValueError),
    "outside-plain": (lambda made: made._storage.append(1), ValueError),
}


@pytest.mark.parametrize("name", LISTS)
def test_changes_of_lists_that_checkpoints_can_tell(name):
    change, expected = LISTS[name]
    made = attribute([Variable(1), Variable(2)])
    change(made)
    if expected is ValueError:
        with pytest.raises(ValueError, match="can't be saved or restored"):
            made._trackable_children()
    else:
        assert list(made._trackable_children()) == expected
    plain = attribute([1, 2])
    if name not in ("append", "extend", "iadd", "replace", "outside"):
        change(plain)
        assert plain._trackable_children() == {}


DICTIONARIES = {
    "add": (lambda made: made.__setitem__("c", Variable(1)), ["a", "c"]),
    "replace": (lambda made: made.__setitem__("a", Variable(1)), ["a"]),
    "update": (lambda made: made.update(c=Variable(1)), ["a", "c"]),
    "default": (lambda made: made.setdefault("c", Variable(1)), ["a", "c"]),
    "delete": (lambda made: made.__delitem__("a"), ["a"]),
    "number": (lambda made: made.__setitem__(3, 5), ["a"]),
    "number-variable": (lambda made: made.__setitem__(3, Variable(1)), ValueError),
    "pop": (lambda made: made.pop("a"), ValueError),
    "pop-nothing": (lambda made: made.pop("z", None), ["a"]),
    "clear": (lambda made: made.clear(), ValueError),
    "outside": (lambda made: made._storage.pop("a"), ValueError),
}


@pytest.mark.parametrize("name", DICTIONARIES)
def test_changes_of_dictionaries_that_checkpoints_can_tell(name):
    change, expected = DICTIONARIES[name]
    made = attribute({"a": Variable(1), "b": 2})
    change(made)
    if expected is ValueError:
        with pytest.raises(ValueError, match="can't be saved or restored"):
            made._trackable_children()
    else:
        assert list(made._trackable_children()) == expected


def test_modules_are_copied_with_what_they_track():
    module = tf.Module()
    module.v, module.items = Variable(1), [Variable(2)]
    made = copy.deepcopy(module)
    view = tf.train.TrackableView(made)
    assert view.children(made) == {"v": made.v, "items": made.items}
    assert made.v is not module.v and made.items[0] is not module.items[0] and len(made.variables) == 2


def test_long_lists_grow_quickly():
    """The work of an `append` does not depend on what is there: the list is looked through when it is saved."""
    made = attribute([Variable(1)])
    seen = made._seen
    made.append(2)
    assert made._seen is seen and len(seen) == 2
    table = attribute({"a": 1})
    seen = table._seen
    table["b"] = table["a"] = 3
    assert table._seen is seen and seen == {"a": 3, "b": 3}

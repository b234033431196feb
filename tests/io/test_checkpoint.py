"""`tf.train.Checkpoint`: what is saved and restored, when, and what the status says. TensorFlow 2.21 gives the same answers."""

from __future__ import annotations

import gc
import os
import pathlib
import weakref
from collections import namedtuple

import numpy as np
import pytest

import headwater as tf

Checkpoint = tf.train.Checkpoint
Variable = tf.Variable
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
Point = namedtuple("Point", "x y")


@pytest.fixture
def prefix(tmp_path):
    return str(tmp_path / "c")


def keys(path):
    """The keys of the variables in a checkpoint, without what all of them end with."""
    return [k.removesuffix(VALUE) for k, _ in tf.train.list_variables(path) if k != GRAPH]


def module(**attributes):
    made = tf.Module()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


# -- what is saved under which keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: {"v": Variable(1)}, ["v"]),
        (lambda: {"b": Variable(1), "a": [Variable(1), Variable(2)]}, ["a/0", "a/1", "b"]),
        (lambda: {"a": {"x": Variable(1), "y": (Variable(2), 3)}}, ["a/x", "a/y/0"]),
        (lambda: {"p": (Point(Variable(1), 2),)}, ["p/0/x"]),
        (lambda: {"m": module(v=Variable(1), n=module(v=Variable(2)), k=3)}, ["m/n/v", "m/v"]),
        (lambda: {"m": module(s={"a/b.c": Variable(1)})}, ["m/s/a.Sb..c"]),
        (lambda: {"g": tf.random.Generator.from_seed(1)}, ["g/_state_var"]),
        (lambda: {"f": tf.function(lambda: 1), "d": tf.data.Dataset.range(3)}, []),
        (lambda: {"t": tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2]), 0)}, []),
        (
            lambda: {"t": tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)},
            ["t/.ATTRIBUTES/table-keys", "t/.ATTRIBUTES/table-values"],
        ),
        (lambda: {"i": iter(tf.data.Dataset.range(3))}, ["i/.ATTRIBUTES/ITERATOR_STATE"]),
    ],
)
def test_keys(prefix, make, expected):
    assert keys(Checkpoint(**make()).write(prefix)) == expected


def test_an_object_on_two_ways_is_saved_once_by_the_shortest(prefix):
    shared = Variable(1)
    checkpoint = Checkpoint(a=module(v=shared, deep=module(v=shared)), b=module(w=shared))
    assert keys(checkpoint.write(prefix)) == ["a/v"]


def test_cycles_end(prefix):
    one, two = module(v=Variable(1)), module(v=Variable(2))
    one.other, two.other = two, one
    path = Checkpoint(one=one).write(prefix)
    assert keys(path) == ["one/other/v", "one/v"]
    two.v.assign(5)
    Checkpoint(one=one).read(path).assert_consumed()
    assert int(two.v) == 2


def test_a_root_with_more_beside_it(prefix):
    root, more = module(v=Variable(1)), Variable(2)
    path = Checkpoint(root, more=more).save(prefix)
    assert keys(path) == ["more", "save_counter", "v"]
    root.v.assign(5), more.assign(5)
    Checkpoint(root, more=more).restore(path).assert_consumed()
    assert [int(root.v), int(more)] == [1, 2]
    assert tf.train.CheckpointView(path).children(0) == {"v": 1, "more": 2, "root": 0, "save_counter": 3}
    assert keys(Checkpoint(weakref.ref(root)).write(prefix)) == ["v"]


@pytest.mark.parametrize("value", [3, "text", None, lambda: 1, np.zeros(2), {1, 2}])
def test_what_can_not_be_tracked_is_refused(value):
    with pytest.raises(ValueError, match="'x' must be an object with values"):
        Checkpoint(x=value)


def test_roots_that_are_refused():
    with pytest.raises(ValueError, match="'root' must be"):
        Checkpoint("root")
    root = module(v=Variable(1))
    Checkpoint(root, v=root.v)
    with pytest.raises(ValueError, match=r"root\.v is another object"):
        Checkpoint(root, v=Variable(2))


def test_attributes_that_changed_their_meaning(prefix):
    made = module(a=Variable(1), b=Variable(2), c=Variable(3))
    made.a = 7  # as in TensorFlow, what was tracked stays so
    del made.b
    made.c = Variable(4)
    path = Checkpoint(made).write(prefix)
    assert keys(path) == ["a", "c"]
    assert tf.train.load_variable(path, "c" + VALUE) == 4


# -- saving and restoring -------------------------------------------------------------------------------------------------


def test_save_counts_and_restores(tmp_path):
    v = Variable([1.0, 2.0])
    checkpoint = Checkpoint(v=v)
    first = checkpoint.save(tmp_path / "deep" / "er" / "c")
    v.assign([3.0, 4.0])
    second = checkpoint.save(str(tmp_path / "deep" / "er" / "c"))
    assert [os.path.basename(p) for p in (first, second)] == ["c-1", "c-2"]
    assert tf.train.latest_checkpoint(tmp_path / "deep" / "er") == second
    checkpoint.restore(first).assert_consumed()
    assert v.numpy().tolist() == [1.0, 2.0] and int(checkpoint.save_counter) == 1
    checkpoint.restore(pathlib.Path(second)).assert_consumed()
    assert v.numpy().tolist() == [3.0, 4.0] and int(checkpoint.save_counter) == 2
    assert checkpoint.save(str(tmp_path / "deep" / "er" / "c")).endswith("c-3")


def test_values_that_vary_in_shape(prefix):
    path = Checkpoint(v=Variable([[1.0, 2.0]])).write(prefix)
    v = Variable(np.zeros((0, 2), np.float32), shape=[None, 2])
    Checkpoint(v=v).read(path).assert_consumed()
    assert v.numpy().tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        ([1.0, 2.0, 3.0], ValueError, "shape"),
        ([1, 2], tf.errors.InvalidArgumentError, "int32; what is to be restored is float32"),
    ],
)
def test_values_that_do_not_fit(prefix, value, error, match):
    path = Checkpoint(v=Variable([1.0, 2.0])).write(prefix)
    v = Variable(value)
    with pytest.raises(error, match=match):
        Checkpoint(v=v).read(path)
    assert v.numpy().tolist() == value


@pytest.mark.parametrize(
    ("saved", "now", "error"),
    [
        (lambda: table(tf.int64), lambda: Variable([1.0]), tf.errors.NotFoundError),
        (lambda: Variable([1.0]), lambda: table(tf.int64), tf.errors.NotFoundError),
        (lambda: table(tf.int64), lambda: table(tf.int32), tf.errors.InvalidArgumentError),
    ],
)
def test_objects_of_another_kind(prefix, saved, now, error):
    path = Checkpoint(x=saved()).write(prefix)
    with pytest.raises(error):
        Checkpoint(x=now()).read(path)


def table(values):
    return tf.lookup.experimental.MutableHashTable(tf.string, values, 0)


def test_a_damaged_checkpoint_changes_nothing(prefix):
    values = [Variable([1.0, 2.0]), Variable("text"), Variable([3])]
    checkpoint = Checkpoint(values=values)
    path = checkpoint.write(prefix)
    data = pathlib.Path(path + ".data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[8 + 3] ^= 1
    data.write_bytes(content)
    for v, new in zip(values, ([5.0, 6.0], "new", [7]), strict=True):
        v.assign(new)
    with pytest.raises(tf.errors.DataLossError, match=r"c.data-.*values/1/.*checksum"):
        checkpoint.read(path)
    assert [v.numpy().tolist() if v.shape.rank else v.numpy() for v in values] == [[5.0, 6.0], b"new", [7]]


def test_a_graph_of_nonsense_is_damaged(prefix):
    from headwater._src.io.bundle import write_bundle

    for graph in (
        b"",
        b"\x0a\x04\x0a\x02\x08\x05",
        b"\xff",
        b"\x0a\x05\x12\x03\x0a\x01\xff",
        b"\x0a\x04\x0a\x02\x10\x01",
    ):
        content = np.empty((), object)
        content[()] = graph
        write_bundle(prefix, {GRAPH: content})
        with pytest.raises(tf.errors.DataLossError):
            Checkpoint(v=Variable(1)).read(prefix)
        with pytest.raises(tf.errors.DataLossError):
            tf.train.CheckpointView(prefix)
    write_bundle(prefix, {GRAPH: np.zeros(2)})
    with pytest.raises(tf.errors.DataLossError, match="one string"):
        Checkpoint(v=Variable(1)).read(prefix)


@pytest.mark.parametrize("method", ["restore", "read"])
def test_paths_where_nothing_is(tmp_path, method):
    with pytest.raises(tf.errors.NotFoundError, match="nothing"):
        getattr(Checkpoint(v=Variable(1)), method)(str(tmp_path / "nothing"))


def test_a_directory_is_no_checkpoint(prefix, tmp_path):
    path = Checkpoint(v=Variable(1)).save(prefix)
    with pytest.raises(tf.errors.DataLossError, match="latest_checkpoint"):
        Checkpoint(v=Variable(1)).restore(tmp_path)
    # A SavedModel is a directory whose variables are such files.
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"")
    for end in (".index", ".data-00000-of-00001"):
        os.rename(path + end, tmp_path / "model" / "variables" / f"variables{end}")
    v = Variable(0)
    Checkpoint(v=v).restore(tmp_path / "model").expect_partial()
    assert int(v) == 1


def test_variables_that_are_in_use_keep_their_old_tensors(prefix):
    v = Variable(np.zeros(5000))
    path = Checkpoint(v=v).write(prefix)
    v.assign(np.ones(5000))
    before = v.value()
    Checkpoint(v=v).read(path)
    assert before.numpy().sum() == 5000 and v.numpy().sum() == 0
    v.assign_add(np.ones(5000))
    v.assign_add(np.ones(5000))
    assert v.numpy().sum() == 10000


def test_functions_see_restored_values(prefix):
    v = Variable(1.0)
    path = Checkpoint(v=v).write(prefix)

    @tf.function
    def double():
        return 2 * v

    v.assign(5.0)
    assert double() == 10
    Checkpoint(v=v).read(path)
    assert double() == 2


@pytest.mark.parametrize("method", ["save", "write"])
def test_not_inside_functions(prefix, method):
    checkpoint = Checkpoint(v=Variable(1))

    @tf.function
    def inside():
        getattr(checkpoint, method)(prefix)

    with pytest.raises(NotImplementedError, match=r"tf\.function"):
        inside()


def test_one_object_for_two_of_the_checkpoint_gets_the_first(prefix):
    path = Checkpoint(module(a=Variable(1), b=Variable(2))).write(prefix)
    shared = Variable(0)
    Checkpoint(module(b=shared, a=shared)).read(path)
    assert int(shared) == 1


# -- objects that come later ----------------------------------------------------------------------------------------------


def test_later_objects_get_their_values_when_they_are_assigned(prefix):
    saved = module(v=Variable(1), l=[Variable(2), {"a": Variable(3)}], m=module(w=Variable(4)))
    path = Checkpoint(m=saved).save(prefix)
    later = tf.Module()
    checkpoint = Checkpoint(m=later)
    status = checkpoint.restore(path)
    with pytest.raises(AssertionError, match=r"no object.*m\.v"):
        status.assert_consumed()
    status.assert_existing_objects_matched()
    later.v = Variable(0)
    later.l = []
    later.l.append(Variable(0))
    later.l.append({})
    later.l[1]["a"] = Variable(0)
    inner = tf.Module()
    inner.w = Variable(0)
    later.m = inner
    assert [int(v) for v in (later.v, later.l[0], later.l[1]["a"], inner.w)] == [1, 2, 3, 4]
    status.assert_consumed()


def test_of_two_restorations_the_last_counts(prefix):
    first = Checkpoint(v=Variable(1), w=Variable(1)).write(prefix + "1")
    second = Checkpoint(v=Variable(2)).write(prefix + "2")
    checkpoint = Checkpoint()
    checkpoint.read(first)
    checkpoint.read(second)
    checkpoint.v, checkpoint.w = Variable(0), Variable(0)
    assert [int(checkpoint.v), int(checkpoint.w)] == [2, 1]


def test_the_counter_is_restored_when_it_is_made(prefix):
    path = Checkpoint(v=Variable(1)).save(prefix)
    for checkpoint in (Checkpoint(v=Variable(0)), Checkpoint(module(v=Variable(0)))):
        checkpoint.read(path)
        assert int(checkpoint.save_counter) == 1


def test_objects_made_inside_a_function_get_their_values(prefix):
    path = Checkpoint(m=module(v=Variable(5.0))).write(prefix)
    later = tf.Module()
    Checkpoint(m=later).read(path)

    @tf.function
    def make():
        if not hasattr(later, "v"):
            later.v = Variable(0.0)
        return later.v + 1

    assert make() == 6 and later.v == 5


def test_layers_get_their_values_when_they_are_built(prefix):
    keras = tf.keras
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 3), np.float32))
    path = Checkpoint(layer=layer).write(prefix)
    later = keras.layers.Dense(2)
    status = Checkpoint(layer=later).read(path)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(later(x), layer(x))
    status.assert_consumed()


def test_subclassed_models_get_their_values_when_they_are_first_called(prefix):
    """Keras makes their variables without values while it infers shapes."""
    keras = tf.keras

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.norm, self.last = (
                keras.layers.Dense(3),
                keras.layers.BatchNormalization(),
                keras.layers.GRU(2),
            )

        def call(self, x):
            return self.last(self.norm(self.first(x))[:, None])

    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    model, optimizer = Model(), keras.optimizers.Adam(0.1)
    model.compile(optimizer, "mse")
    model.fit(x, np.ones((2, 2)), epochs=2, verbose=0)
    path = Checkpoint(model=model, optimizer=optimizer).write(prefix)
    later, other = Model(), keras.optimizers.Adam(0.5)
    status = Checkpoint(model=later, optimizer=other).read(path)
    assert np.array_equal(later(x), model(x)) and len(later.variables) == len(model.variables)
    later.compile(other, "mse")
    for one in (model, later):
        one.fit(x, np.ones((2, 2)), verbose=0, shuffle=False)
    assert np.allclose(later(x), model(x), atol=1e-6) and int(other.iterations) == 3
    assert np.isclose(other.learning_rate, 0.1)
    status.assert_consumed()
    with pytest.raises(ValueError, match="shape"):
        wrong = Model()
        wrong.first = keras.layers.Dense(5)
        Checkpoint(model=wrong).read(path)
        wrong(x)


# -- what the status says -------------------------------------------------------------------------------------------------

SAVED = {"v": 1, "w": 2}


@pytest.mark.parametrize(
    ("now", "consumed", "existing", "nontrivial"),
    [
        (("v", "w"), True, True, True),
        (("v",), False, True, True),
        (("v", "w", "x"), False, False, True),
        (("x",), False, False, True),
        ((), False, True, True),
    ],
)
def test_assertions(prefix, now, consumed, existing, nontrivial):
    path = Checkpoint(**{n: Variable(v) for n, v in SAVED.items()}).save(prefix)
    status = Checkpoint(**{n: Variable(0) for n in now}).restore(path)
    assertions = (
        status.assert_consumed,
        status.assert_existing_objects_matched,
        status.assert_nontrivial_match,
    )
    for assertion, holds in zip(assertions, (consumed, existing, nontrivial), strict=True):
        if holds:
            assert assertion() is status
        else:
            with pytest.raises(AssertionError, match="c-1"):
                assertion()
    assert status.expect_partial() is status
    assert status.initialize_or_restore() is None and status.run_restore_ops() is None


def test_nothing_matched(prefix):
    path = Checkpoint(v=Variable(1)).write(prefix)
    with pytest.raises(AssertionError, match="Nothing but the root"):
        Checkpoint(x=Variable(1)).read(path).assert_nontrivial_match()


def test_values_that_an_object_has_no_place_for(prefix):
    path = Checkpoint(v=Variable(1)).write(prefix)
    status = Checkpoint(v=tf.Module()).read(path)
    with pytest.raises(AssertionError, match=r"v \(VARIABLE_VALUE\)"):
        status.assert_consumed()


def test_what_was_never_restored_is_said(prefix, caplog):
    path = Checkpoint(v=Variable(1), w=Variable(1), x=Variable(1)).write(prefix)
    for partial in (False, True):
        caplog.clear()
        checkpoint = Checkpoint(v=Variable(0), w=tf.Module())
        status = checkpoint.read(path)
        if partial:
            status.expect_partial()
        del status, checkpoint
        gc.collect()
        said = [m for m in caplog.messages if prefix in m]
        assert partial or "2 values" in said[0] and "x, w" in said[0]
        assert len(said) == (not partial)
    caplog.clear()
    Checkpoint(v=Variable(0), w=Variable(0), x=Variable(0)).read(path)
    gc.collect()
    assert not [m for m in caplog.messages if prefix in m]


def test_slots_of_old_optimizers_can_be_skipped(prefix):
    """The variables that an optimizer of TensorFlow 1 kept for others are nodes without a name of their own."""
    from headwater._src.io import wire
    from headwater._src.io.bundle import write_bundle

    def node(*fields):
        return wire.field(1, b"".join(wire.field(n, content) for n, content in fields))

    def value(key):
        return (2, wire.field(1, b"VARIABLE_VALUE") + wire.field(3, key))

    root = node((1, b"\x08\1\x12\1v"), (1, b"\x08\2\x12\3opt"))
    graph = np.empty((), object)
    graph[()] = root + node(value(b"v")) + node((3, b"\x08\1\x12\1m\x18\3")) + node(value(b"s"))
    write_bundle(prefix, {GRAPH: graph, "v": np.float32(1), "s": np.float32(2)})
    v = Variable(0.0)
    checkpoint = Checkpoint(v=v, opt=tf.Module())
    with pytest.raises(AssertionError, match="'m' of opt for v"):
        checkpoint.read(prefix).assert_consumed()
    options = tf.train.CheckpointOptions(experimental_skip_slot_variables=True)
    checkpoint.read(prefix, options).assert_consumed().expect_partial()
    assert v == 1


def test_restoring_nothing():
    v = Variable(1)
    status = Checkpoint(v=v).restore(None)
    for method in (
        "assert_consumed",
        "assert_existing_objects_matched",
        "assert_nontrivial_match",
        "run_restore_ops",
    ):
        with pytest.raises(AssertionError, match="No checkpoint"):
            getattr(status, method)()
    assert status.expect_partial() is status and status.initialize_or_restore() is None and int(v) == 1


# -- options, and values of one's own -------------------------------------------------------------------------------------


def test_callbacks_are_called_with_the_path_or_nothing(prefix):
    seen: list[object] = []
    options = tf.train.CheckpointOptions(experimental_write_callbacks=[seen.append, lambda: seen.append(0)])
    Checkpoint(v=Variable(1)).write(prefix, options)
    path = Checkpoint(v=Variable(1)).save(prefix, options=options)
    assert seen == [prefix, 0, path, 0]
    with pytest.raises(AssertionError, match="takes more"):
        tf.train.CheckpointOptions(experimental_write_callbacks=[lambda a, b: 1])
    with pytest.raises(NotImplementedError, match="sharding"):
        tf.train.CheckpointOptions(experimental_sharding_callback=object())


def test_writing_in_another_thread_takes_the_values_of_the_call(prefix):
    v = Variable(np.zeros(100_000))
    checkpoint = Checkpoint(v=v)
    path = checkpoint.save(prefix, tf.train.CheckpointOptions(enable_async=True))
    v.assign_add(np.ones(100_000))
    checkpoint.sync()
    assert tf.train.load_variable(path, "v" + VALUE).sum() == 0
    checkpoint.save(prefix, tf.train.CheckpointOptions(experimental_enable_async_checkpoint=True))
    checkpoint.restore(prefix + "-2").assert_consumed()
    assert v.numpy().sum() == 100_000


def test_errors_of_another_thread_are_raised_by_sync(tmp_path):
    (tmp_path / "file").write_text("")
    checkpoint = Checkpoint(v=Variable(1))
    checkpoint.write(tmp_path / "file" / "c", tf.train.CheckpointOptions(enable_async=True))
    with pytest.raises(tf.errors.OpError):
        checkpoint.sync()
    checkpoint.sync()


class Text(tf.train.experimental.PythonState):
    def __init__(self, text):
        self.text = text

    def serialize(self):
        return self.text

    def deserialize(self, string_value):
        self.text = string_value.decode()


class Doubled(tf.Module):
    """Saves something else than it holds."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def _serialize_to_tensors(self):
        return {"twice.a/b": tf.constant(2 * self.value)}

    def _restore_from_tensors(self, restored_tensors):
        self.value = int(restored_tensors["twice.a/b"]) // 2


def test_values_of_ones_own(prefix):
    path = Checkpoint(text=Text("ä"), number=Doubled(21)).write(prefix)
    text, number = Text(""), Doubled(0)
    Checkpoint(text=text, number=number).read(path).assert_consumed()
    assert (text.text, number.value) == ("ä", 21)
    assert "text/.ATTRIBUTES/py_state" in keys(path)
    with pytest.raises(TypeError):
        tf.train.experimental.PythonState()


# -- tables and generators ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "insert"),
    [
        (lambda: table(tf.int64), (["a", "b", ""], np.array([1, 2, 3]))),
        (
            lambda: tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0]),
            (np.array([1, 2]), [[1.0, 2.0], [3.0, 4.0]]),
        ),
        (
            lambda: tf.lookup.experimental.DenseHashTable(tf.int32, tf.string, "no", -1, -2, 4),
            ([5, 6, 7, 8, 9], list("abcde")),
        ),
        (
            lambda: tf.lookup.experimental.DenseHashTable(tf.string, tf.int64, [0, 0], "", "@", 4),
            (["x", "y"], np.array([[1, 2], [3, 4]])),
        ),
    ],
)
def test_tables_become_what_they_were(prefix, make, insert):
    saved, empty, other = make(), make(), make()
    checkpoint = Checkpoint(t=saved)
    nothing = Checkpoint(t=empty).write(prefix + "0")
    saved.insert(*insert)
    path = checkpoint.write(prefix)
    saved.remove(tf.constant(insert[0])[:1])
    Checkpoint(t=other).read(path).assert_consumed()
    checkpoint.read(path).assert_consumed()
    for one in (saved, other):
        assert one.size() == len(insert[0])
        assert np.array_equal(one.lookup(tf.constant(insert[0])), np.array(tf.constant(insert[1])))
    checkpoint.read(nothing).assert_consumed()
    assert saved.size() == 0
    saved.insert(*insert)
    assert saved.size() == len(insert[0])


def test_generators_go_on_where_they_were(prefix):
    generator = tf.random.Generator.from_seed(7)
    generator.normal([3])
    checkpoint = Checkpoint(g=generator)
    path = checkpoint.write(prefix)
    expected = generator.normal([5])
    checkpoint.read(path).assert_consumed()
    assert np.array_equal(generator.normal([5]), expected)


# -- views ----------------------------------------------------------------------------------------------------------------


def test_views(prefix):
    saved = module(a=Variable(1), l=[Variable(2)], m=module(b=Variable(3)))
    path = Checkpoint(saved).save(prefix)
    view = tf.train.CheckpointView(path)
    assert view.children(0) == {"a": 1, "l": 2, "m": 3, "root": 0, "save_counter": 4}
    assert view.descendants() == [0, 1, 2, 3, 4, 5, 6] and view.children(3) == {"b": 6}
    other = module(a=Variable(0), m=module(c=Variable(0)))
    matched, only_saved, only_here = view.diff(other)
    assert {n: type(o).__name__ for n, o in matched.items()} == {0: "Module", 1: "Variable", 3: "Module"}
    assert matched[1] is other.a and only_saved == [2, 4, 5, 6] and only_here == [other.m.c]
    with pytest.raises(ValueError, match="trackable"):
        view.match(3)
    trackables = tf.train.TrackableView(saved)
    assert list(trackables.children(saved)) == ["a", "l", "m"] and trackables.root is saved
    assert trackables.descendants() == [saved, saved.a, saved.l, saved.m, saved.l[0], saved.m.b]

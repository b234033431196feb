"""Checkpoints of TensorFlow 2.21 (tests/io/files/record.py wrote them): values, and the same bytes when they are written again;
readers, the file that names the latest checkpoint, and the manager of a directory."""

from __future__ import annotations

import json
import os
import pathlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.io import checkpoint_files
from headwater._src.io.checkpoint_files import CheckpointState, update_state

FILES = pathlib.Path(__file__).parent / "files"
ENDS = (".index", ".data-00000-of-00001")
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
NUMBERS = (
    "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128"
).split()
Checkpoint, Variable, Manager = tf.train.Checkpoint, tf.Variable, tf.train.CheckpointManager


class Objects(tf.Module):
    """The attributes of the objects that were recorded, in the same order; every value is zero or empty."""

    def __init__(self):
        super().__init__()
        table, dense = tf.lookup.experimental.MutableHashTable, tf.lookup.experimental.DenseHashTable
        self.of = {d: Variable(tf.zeros([3], d)) for d in NUMBERS}
        self.strings = [Variable(["", "", ""]), Variable("")]
        self.pair = (Variable(tf.zeros([0, 3])), Variable(0.0, name="seven"))
        self.odd = {"a/b.c": Variable(0)}
        self.generator = tf.random.Generator.from_seed(0)
        self.hash = table(tf.string, tf.int64, -1)
        self.rows = table(tf.int64, tf.float32, [0.0, 0.0])
        self.dense = dense(tf.int64, tf.float32, -1.0, -1, -2, 4)
        self.words = dense(tf.string, tf.int64, -1, "", "@", 256)
        self.pairs = dense(tf.int64, tf.int64, [-1, -1], [-1, -1], [-2, -2], 4)


def assert_same_files(mine, recorded):
    for end in ENDS:
        assert pathlib.Path(mine + end).read_bytes() == (FILES / (recorded + end)).read_bytes()


def test_objects_of_tensorflow(tmp_path):
    objects = Objects()
    checkpoint = Checkpoint(objects=objects)
    checkpoint.restore(FILES / "objects-1").assert_consumed()
    for dtype, variable in objects.of.items():
        assert variable.dtype == dtype
        assert np.array_equal(variable, tf.cast([0, 1, 2], dtype))
    assert objects.strings[0].numpy().tolist() == [b"a\0b", b"x" * 200, b""]
    assert objects.strings[1].numpy() == b"scalar" and objects.odd["a/b.c"] == 3
    assert objects.pair[0].shape == (0, 3) and objects.pair[1] == 7.0
    assert objects.generator.state.numpy().tolist() == [5, 0, 0]
    assert objects.hash[tf.constant(["x", "yy", "no"])].numpy().tolist() == [1, 2, -1]
    assert objects.rows[tf.constant([4, 5, 6], tf.int64)].numpy().tolist() == [[1, 2], [3, 4], [0, 0]]
    keys = np.arange(20) * 977
    assert objects.dense[tf.constant([*keys, 1], tf.int64)].numpy().tolist() == [*keys, -1]
    assert objects.words[tf.strings.as_string(keys)].numpy().tolist() == keys.tolist()
    pairs, expected = np.stack([keys, keys + 1], 1), np.stack([keys, keys * 2], 1)
    assert np.array_equal(objects.pairs[tf.constant(pairs)], expected)
    # All of it written once more is the same, to the byte.
    assert_same_files(checkpoint.write(tmp_path / "again"), "objects-1")


def test_a_model_and_its_optimizer_of_tensorflow(tmp_path):
    keras = tf.keras
    facts = json.loads((FILES / "keras.json").read_text())
    keras.utils.clear_session()  # names are counted
    keras.utils.set_random_seed(2)
    layers = [
        keras.Input((3,)),
        keras.layers.Dense(2, use_bias=False, name="first"),
        keras.layers.BatchNormalization(),
    ]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.1)
    model.compile(optimizer, "mse")
    x = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
    y = np.arange(4, dtype=np.float32).reshape(4, 1)
    model.fit(x, y, verbose=0)
    checkpoint = Checkpoint(model=model, optimizer=optimizer)
    checkpoint.restore(FILES / "keras-1").assert_consumed()
    assert_same_files(checkpoint.write(tmp_path / "again"), "keras-1")
    assert np.allclose(model.predict(x, verbose=0), facts["before"], atol=1e-6)
    model.fit(x, y, verbose=0, shuffle=False)
    assert np.allclose(model.predict(x, verbose=0), facts["after"], atol=1e-5)


def test_what_of_tensorflow_can_not_be_restored():
    with pytest.raises(tf.errors.UnimplementedError, match="iterator"):
        Checkpoint(iterator=iter(tf.data.Dataset.range(3))).read(FILES / "iterator")
    with pytest.raises(ValueError, match="names no objects"):
        tf.train.CheckpointView(FILES / "named")
    assert tf.train.load_variable(FILES / "named", "weights").tolist() == [1, 2, 3]


def test_checkpoints_that_know_variables_by_name():
    weights, other = Variable([0, 0, 0], name="weights"), Variable(0, name="other")
    status = Checkpoint(any=[weights]).restore(FILES / "named")
    assert status.assert_consumed() is status.expect_partial() is status and weights.numpy().tolist() == [
        1,
        2,
        3,
    ]
    assert status.initialize_or_restore() is None and status.run_restore_ops() is None
    status = Checkpoint(any=[weights], other=other).restore(FILES / "named")
    for name in ("assert_consumed", "assert_existing_objects_matched", "assert_nontrivial_match"):
        with pytest.raises(AssertionError, match=r"other \(other\)"):
            getattr(status, name)()
    with pytest.raises(ValueError, match="shape"):
        Checkpoint(w=Variable([0, 0], name="weights")).restore(FILES / "named")
    with pytest.raises(tf.errors.InvalidArgumentError, match="float32"):
        Checkpoint(w=Variable([0.0, 0.0, 0.0], name="weights")).restore(FILES / "named")


# -- readers --------------------------------------------------------------------------------------------------------------


def test_readers(tmp_path):
    path = Checkpoint(v=Variable([[1.0, 2.0]]), h=Variable(1.5, dtype="float16")).save(tmp_path / "c")
    reader = tf.train.load_checkpoint(path)
    graph = "_CHECKPOINTABLE_OBJECT_GRAPH"
    assert reader.get_variable_to_shape_map() == {
        graph: [], "h" + VALUE: [], "save_counter" + VALUE: [], "v" + VALUE: [1, 2],
    }  # fmt: skip
    assert reader.get_variable_to_dtype_map()["h" + VALUE] is tf.float16
    assert reader.debug_string().decode().splitlines() == [
        f"{graph} (DT_STRING) []",
        f"h{VALUE} (DT_HALF) []",
        f"save_counter{VALUE} (DT_INT64) []",
        f"v{VALUE} (DT_FLOAT) [1,2]",
    ]
    assert reader.has_tensor("v" + VALUE) and not reader.has_tensor("v")
    assert isinstance(reader.get_tensor(graph), bytes)
    assert type(reader.get_tensor("save_counter" + VALUE)) is np.int64
    with pytest.raises(tf.errors.NotFoundError, match="Key v not found"):
        reader.get_tensor("v")
    assert tf.train.load_variable(tmp_path, f"v{VALUE}:0").tolist() == [[1.0, 2.0]]
    assert [k for k, _ in tf.train.list_variables(str(tmp_path))] == sorted(
        reader.get_variable_to_shape_map()
    )


def test_readers_of_nothing(tmp_path):
    with pytest.raises(tf.errors.NotFoundError):
        tf.train.load_checkpoint(tmp_path / "no")
    with pytest.raises(ValueError, match="has no checkpoint"):
        tf.train.load_checkpoint(tmp_path)


# -- which is the latest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('model_checkpoint_path: "a"', CheckpointState("D/a")),
        (
            'model_checkpoint_path: "/x/a"\nall_model_checkpoint_paths: "/x/a"',
            CheckpointState("/x/a", ["/x/a"]),
        ),
        (
            'model_checkpoint_path: "a\\303\\251b" all_model_checkpoint_paths: ["x", \'y\']\nlast_preserved_timestamp: 3.5 # c\n'
            "all_model_checkpoint_timestamps: 1e9",
            CheckpointState("D/aéb", ["D/x", "D/y"], [1e9], 3.5),
        ),
        ('model_checkpoint_path: "q\\"\\\\\\x41\\n"', CheckpointState('D/q"\\A\n')),
        ("garbage garbage", None),
        ("", ValueError),
        ('all_model_checkpoint_paths: "a"', ValueError),
        ('model_checkpoint_path: "a" other: 3', None),
        ("model_checkpoint_path: 3", None),
        ('model_checkpoint_path "a"', None),
        ('model_checkpoint_path: "a', None),
        ('model_checkpoint_path: "a" last_preserved_timestamp: 3.x', None),
        (b"model_checkpoint_path: '\xff'", None),
    ],
)
def test_states(tmp_path, text, expected):
    (tmp_path / "checkpoint").write_bytes(text if isinstance(text, bytes) else text.encode())
    if expected is ValueError:
        with pytest.raises(ValueError, match="names no latest"):
            tf.train.get_checkpoint_state(tmp_path)
        return
    state = tf.train.get_checkpoint_state(tmp_path)
    if expected is not None:
        expected = CheckpointState(
            expected.model_checkpoint_path.replace("D", str(tmp_path)),
            [p.replace("D", str(tmp_path)) for p in expected.all_model_checkpoint_paths],
            expected.all_model_checkpoint_timestamps, expected.last_preserved_timestamp,
        )  # fmt: skip
    assert state == expected
    assert tf.train.latest_checkpoint(tmp_path) is None  # there is no such file


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=3), st.floats(0, 2e9))  # fmt: skip
def test_states_that_are_written_are_read(tmp_path_factory, names, stamp):
    directory = str(tmp_path_factory.mktemp("state"))
    paths = [os.path.join(directory, f"c{n}") for n in names]
    update_state(directory, paths[-1], paths, [stamp] * len(paths), stamp)
    assert tf.train.get_checkpoint_state(directory) == CheckpointState(
        paths[-1], paths, [stamp] * len(paths), stamp
    )


def test_the_state_file_is_that_of_tensorflow(tmp_path):
    Checkpoint(v=Variable(1)).save(tmp_path / 'ä"\t')
    text = (tmp_path / "checkpoint").read_text(encoding="utf-8")
    assert text.splitlines()[0] == 'model_checkpoint_path: "ä\\"\\t-1"'
    path = Checkpoint(v=Variable(1)).save(tmp_path / "c")
    text = (tmp_path / "checkpoint").read_text()
    assert text == 'model_checkpoint_path: "c-1"\nall_model_checkpoint_paths: "c-1"\n'
    state = tf.train.get_checkpoint_state(tmp_path)
    assert str(state) == f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "{path}"\n'
    os.rename(tmp_path / "checkpoint", tmp_path / "other")
    assert tf.train.latest_checkpoint(tmp_path) is None
    assert tf.train.latest_checkpoint(tmp_path, "other") == path
    os.unlink(path + ".index")
    assert tf.train.latest_checkpoint(tmp_path, "other") is None
    with pytest.raises(RuntimeError, match="can't be called"):
        update_state(str(tmp_path), str(tmp_path / "checkpoint"), [])


def test_new_checkpoints_one_by_one(tmp_path):
    checkpoint = Checkpoint(v=Variable(1))
    found = tf.train.checkpoints_iterator(tmp_path, timeout=0)
    first = checkpoint.save(tmp_path / "c")
    assert next(found) == first
    second = checkpoint.save(tmp_path / "c")
    assert next(found) == second
    with pytest.raises(StopIteration):
        next(found)
    asked = []
    found = tf.train.checkpoints_iterator(
        tmp_path, timeout=0, timeout_fn=lambda: asked.append(1) or len(asked) > 2
    )
    assert list(found) == [second] and len(asked) == 3


# -- managers -------------------------------------------------------------------------------------------------------------


def names(paths):
    return [os.path.basename(p) for p in paths]


def test_a_manager_keeps_the_last(tmp_path):
    v = Variable(0)
    manager = Manager(Checkpoint(v=v), tmp_path / "m", max_to_keep=2)
    assert (manager.latest_checkpoint, manager.checkpoints, manager.restore_or_initialize()) == (
        None,
        [],
        None,
    )
    for i in range(4):
        v.assign(i)
        assert manager.save() == str(tmp_path / "m" / f"ckpt-{i + 1}")
    assert names(manager.checkpoints) == ["ckpt-3", "ckpt-4"]
    assert sorted(os.listdir(tmp_path / "m")) == [
        "checkpoint", *(f"ckpt-{i}{end}" for i in (3, 4) for end in reversed(ENDS)),
    ]  # fmt: skip
    assert manager.directory == str(tmp_path / "m") and manager.checkpoint_interval is None
    assert tf.train.latest_checkpoint(manager.directory) == manager.latest_checkpoint
    state = tf.train.get_checkpoint_state(manager.directory)
    assert state.all_model_checkpoint_paths == manager.checkpoints
    assert len(state.all_model_checkpoint_timestamps) == 2 and state.last_preserved_timestamp > 1e9

    # Another one finds all of it, and goes on.
    again = Manager(Checkpoint(v=v), str(tmp_path / "m"), max_to_keep=1)
    v.assign(9)
    assert again.checkpoints == manager.checkpoints
    assert again.restore_or_initialize() == manager.latest_checkpoint and int(v) == 3
    assert names([again.save()]) == ["ckpt-5"] and names(again.checkpoints) == ["ckpt-5"]
    assert names([again.save(checkpoint_number=3), again.save(Variable(7))]) == ["ckpt-3", "ckpt-7"]
    again.sync()


def test_a_manager_that_keeps_all(tmp_path):
    manager = Manager(Checkpoint(v=Variable(1)), tmp_path, max_to_keep=None, checkpoint_name="all")
    for _ in range(3):
        manager.save()
    manager.save(checkpoint_number=1)
    assert names(manager.checkpoints) == ["all-2", "all-3", "all-1"]


def test_a_manager_that_keeps_some_for_ever(tmp_path, monkeypatch):
    now = [time.time()]
    monkeypatch.setattr("headwater._src.io.checkpoint_manager.time.time", lambda: now[0])
    manager = Manager(Checkpoint(v=Variable(1)), tmp_path, max_to_keep=1, keep_checkpoint_every_n_hours=2)
    for _ in range(6):
        now[0] += 3600
        manager.save()
    assert names(manager.checkpoints) == ["ckpt-6"]
    assert sorted(p.stem for p in tmp_path.glob("*.index")) == ["ckpt-2", "ckpt-4", "ckpt-6"]
    again = Manager(Checkpoint(v=Variable(1)), tmp_path, max_to_keep=1)
    again.save()
    assert sorted(p.stem for p in tmp_path.glob("*.index")) == ["ckpt-1", "ckpt-2", "ckpt-4"]


def test_a_manager_with_an_interval(tmp_path):
    step = Variable(0)
    manager = Manager(Checkpoint(v=Variable(1)), tmp_path, 2, step_counter=step, checkpoint_interval=3)
    written = []
    for i in range(8):
        step.assign(i)
        written.append(manager.save() is not None)
    assert written == [True, False, False, True, False, False, True, False]
    assert manager.save(check_interval=False) is not None and manager.save(check_interval=False) is None
    assert manager.checkpoint_interval == 3


def test_a_manager_that_begins(tmp_path):
    called = []
    manager = Manager(Checkpoint(v=Variable(1)), tmp_path, 1, init_fn=lambda: called.append(1))
    assert manager.restore_or_initialize() is None and called == [1]
    manager.save()
    assert manager.restore_or_initialize() == manager.latest_checkpoint and called == [1]


@pytest.mark.parametrize("arguments", [{"max_to_keep": 0}, {"max_to_keep": 2, "checkpoint_interval": 3}])
def test_managers_that_are_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match="CheckpointManager"):
        Manager(Checkpoint(v=Variable(1)), tmp_path, **arguments)


def test_names_with_characters_of_patterns(tmp_path):
    manager = Manager(Checkpoint(v=Variable(1)), tmp_path, max_to_keep=1, checkpoint_name="a[1]*")
    manager.save(), manager.save()
    assert sorted(p.name for p in tmp_path.glob("a*")) == [f"a[1]*-2{end}" for end in reversed(ENDS)]


def test_large_state_files_are_read_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_files, "_MAX_STATE", 10)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "a"')
    assert tf.train.get_checkpoint_state(tmp_path) is None


def test_a_manager_deletes_nothing_elsewhere(tmp_path):
    outside = Checkpoint(v=Variable(1)).write(tmp_path / "outside")
    directory = tmp_path / "m"
    now = time.time()
    update_state(
        str(directory), str(directory / "ckpt-1"), [outside, str(directory / "ckpt-1")], [now, now], now - 9
    )
    manager = Manager(Checkpoint(v=Variable(1)), directory, max_to_keep=1)
    assert names(manager.checkpoints) == ["ckpt-1"]
    manager.save(), manager.save()
    assert tf.train.load_variable(outside, "v" + VALUE) == 1

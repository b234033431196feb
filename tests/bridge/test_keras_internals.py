"""What Keras asks of TensorFlow beyond its public names, and where Keras's own tests found us wanting."""

import importlib
import json

import h5py
import numpy as np
import pytest

import headwater as tf

tf.install_as_tensorflow()
keras = tf.keras
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:keras.*")

# -- files ------------------------------------------------------------------------------------------------------------


def test_tracking_leaves_no_trace_in_files(tmp_path):
    given = keras.Input((2,))
    model = keras.Model(given, keras.layers.Dense(1, name="out")(given))
    model.save_weights(tmp_path / "m.weights.h5")
    names = []
    with h5py.File(tmp_path / "m.weights.h5") as file:
        file.visit(names.append)
    assert "layers/dense/vars/0" in names
    assert not [n for n in names if n.startswith("_")]


def test_specifications_have_names_in_old_files():
    registry = importlib.import_module("tensorflow.python.framework.type_spec_registry")
    assert registry.get_name(tf.TensorSpec) == "tf.TensorSpec"
    for spec in (
        tf.TensorSpec((1, None), tf.int32, "x"), tf.RaggedTensorSpec([2, None], tf.float32), tf.SparseTensorSpec([2], tf.bool),
    ):  # fmt: skip
        cls = registry.lookup(registry.get_name(type(spec)))
        assert cls._deserialize(spec._serialize()) == spec
    with pytest.raises(ValueError, match="No TypeSpec has been registered"):
        registry.lookup("tf.Elsewhere")
    with pytest.raises(ValueError, match="has not been registered"):
        registry.get_name(object)
    coder = importlib.import_module("keras.src.legacy.saving.json_utils")
    text = coder.Encoder().encode(tf.TensorSpec((3,), tf.float32))
    assert json.loads(text)["type_spec"] == "tf.TensorSpec"
    assert coder.decode(text) == tf.TensorSpec((3,), tf.float32)


def test_extension_types_have_the_names_they_gave_themselves():
    registry = importlib.import_module("tensorflow.python.framework.type_spec_registry")

    class Pair(tf.experimental.ExtensionType):
        __name__ = "internals.Pair"
        a: tf.Tensor

    spec = tf.type_spec_from_value(Pair(tf.constant([1.0])))
    cls = registry.lookup("internals.Pair.Spec")
    assert cls is type(spec) and cls._deserialize(spec._serialize()) == spec


# -- conditions on static shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes, weights", [([0, 1, 1, 0], [1, 2, 2, 1]), ([[1, 0], [0, 1]], [1, 2])])
def test_class_weights_of_a_data_set(classes, weights):
    make = importlib.import_module(
        "keras.src.trainers.data_adapters.tf_dataset_adapter"
    ).make_class_weight_map_fn
    y = np.array(classes, np.float32)
    data = tf.data.Dataset.from_tensor_slices((y, y)).batch(2).map(make({0: 1.0, 1: 2.0}))
    assert np.concatenate([w for _, _, w in data.as_numpy_iterator()]).tolist() == weights


def test_comparisons_of_static_sizes_are_known():
    known = tf.__internal__.smart_cond.smart_constant_value

    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def run(x):
        seen.extend(known(p) for p in (tf.shape(x)[1] > 1, tf.shape(x)[1] == 5, tf.shape(x)[0] > 1))
        return x

    seen: list = []
    run(tf.zeros([1, 4]))
    assert seen == [True, False, None]


def test_metrics_of_several_thresholds_on_unknown_batches():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[keras.metrics.Precision(thresholds=[0.1, 0.6])])
    x = np.array([[-3.0], [0.0], [1.0], [2.0], [-1.0]], np.float32)
    found = model.evaluate(x, (x > 0.5).astype(np.float32), batch_size=2, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["precision"], [0.5, 1.0])


def test_symbolic_tensors_have_no_numpy():
    seen: list = []
    tf.function(lambda x: seen.append(hasattr(x, "numpy")), autograph=False)(tf.constant(1.0))
    assert seen == [False]


# -- distribution of data ---------------------------------------------------------------------------------------------

BATCHES = {
    "batch": (lambda r: r.batch(3), 3),
    "drop": (lambda r: r.batch(3, drop_remainder=True), 3),
    "padded": (lambda r: r.padded_batch(3), 3),
    "through": (
        lambda r: r.batch(3).filter(lambda x: True).take(2).skip(1).repeat().shuffle(2).cache().prefetch(1),
        3,
    ),
    "options": (lambda r: r.batch(3).with_options(tf.data.Options()).shard(2, 0), 3),
    "last": (lambda r: r.batch(3).batch(2), 2),
    "map": (lambda r: r.batch(3).map(lambda x: x + 1), -1),
    "same": (lambda r: tf.data.Dataset.zip((r.batch(3), r.batch(3).concatenate(r.batch(3)))), 3),
    "differ": (lambda r: r.batch(3).concatenate(r.batch(4)), -1),
    "rows": (lambda r: tf.data.Dataset.from_tensors(tf.zeros([4, 2])), 4),
    "unbatched": (lambda r: tf.data.Dataset.from_tensor_slices(tf.zeros([4, 2])).unbatch(), -1),
}


@pytest.mark.parametrize("make, size", BATCHES.values(), ids=BATCHES)
def test_batch_sizes(make, size):
    distribute = importlib.import_module("tensorflow.python.data.experimental.ops.distribute")
    found = distribute.compute_batch_size(make(tf.data.Dataset.range(20)))
    assert found.dtype is tf.int64 and int(found) == size


def test_determinism_can_be_asked_for():
    config = importlib.import_module("tensorflow.python.framework.config")
    config.enable_op_determinism()
    try:
        assert config.is_op_determinism_enabled()
    finally:
        config.disable_op_determinism()
    assert not config.is_op_determinism_enabled()

"""`import tensorflow` after `install_as_tensorflow()`: what it finds, whom it refuses."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"


def python(code, *, path=(), backend=None):
    """What a fresh interpreter prints when it runs `code`; `path` goes before all other places to import from."""
    env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    env["PYTHONPATH"] = os.pathsep.join([*map(str, path), str(SRC)])
    if backend is not None:
        env["KERAS_BACKEND"] = backend
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def other_tensorflow(tmp_path):
    """A folder with a package called tensorflow that is not headwater."""
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text("mine = False")
    (package / "math.py").write_text("mine = False")
    return tmp_path


def test_the_name_and_its_submodules_are_headwaters():
    code = """
        import headwater as hw
        hw.install_as_tensorflow(); hw.install_as_tensorflow()
        import importlib.util, os, sys
        import tensorflow as tf
        import tensorflow.math as math
        import tensorflow.io.gfile as gfile
        from tensorflow import nest, errors
        from tensorflow.compat.v1 import placeholder
        print(tf is hw, math is hw.math, gfile is hw.io.gfile, nest is hw.nest, errors is hw.errors)
        print(math.__name__, math.__spec__.name, placeholder is hw.compat.v1.placeholder)
        print(importlib.util.find_spec("tensorflow") is not None, importlib.util.find_spec("tensorflow.no") is None)
        print(os.environ["KERAS_BACKEND"], "keras" in sys.modules, tf.__version__.split(".")[0])
    """
    assert python(code).split("\n") == [
        "True True True True True",
        "headwater.math headwater.math True",
        "True True",
        "tensorflow False 2",
    ]


def test_keras_is_found_under_both_names():
    code = """
        from headwater.keras import layers
        import headwater.keras.optimizers as optimizers
        import headwater, keras, tensorflow.keras.layers
        print(layers is headwater.keras.layers, layers is tensorflow.keras.layers, layers.Dense is keras.layers.Dense)
        print(optimizers.SGD is keras.optimizers.SGD, headwater.keras.backend.backend())
    """
    assert python(code).split() == ["True", "True", "True", "True", "tensorflow"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("tensorflow.python.eager.context", "async_wait"),
        ("tensorflow.python.trackable.data_structures", "ListWrapper"),
        ("tensorflow.python.trackable.data_structures", "_DictWrapper"),
        ("tensorflow.python.ops.math_ops", "is_nan"),
        ("tensorflow.python.ops.linalg.sparse.sparse_csr_matrix_ops", "sparse_matrix_sparse_mat_mul"),
        ("tensorflow.compiler.tf2xla.python.xla", "dynamic_update_slice"),
        ("tensorflow.python.framework.config", "is_op_determinism_enabled"),
        ("tensorflow.experimental.dtensor", "UNSHARDED"),
    ],
)
def test_private_paths(module, name):
    import importlib

    import headwater as tf

    tf.install_as_tensorflow()
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    "name", ["tensorflow.nothing", "tensorflow.python.nothing", "tensorflow.math.nothing", "tensorflow._src"]
)
def test_what_is_not_there_is_not_found(name):
    import importlib

    import headwater as tf

    tf.install_as_tensorflow()
    with pytest.raises(ModuleNotFoundError, match=name.replace(".", r"\.")):
        importlib.import_module(name)


def test_an_installed_tensorflow_stays_out_of_the_way(other_tensorflow):
    code = """
        import headwater as hw
        hw.install_as_tensorflow()
        import tensorflow, tensorflow.math
        print(hasattr(tensorflow, "mine"), tensorflow.math is hw.math)
    """
    assert python(code, path=[other_tensorflow]) == "False True"


def test_an_imported_tensorflow_is_an_error(other_tensorflow):
    code = """
        import tensorflow, headwater
        for touch in (headwater.install_as_tensorflow, lambda: headwater.keras):
            try: touch()
            except RuntimeError as error: print("TensorFlow itself" in str(error) and "before" in str(error))
        print(tensorflow.mine)
    """
    assert python(code, path=[other_tensorflow]).split() == ["True", "True", "False"]


def test_another_backend_of_keras_is_an_error():
    code = """
        import headwater
        try: headwater.install_as_tensorflow()
        except RuntimeError as error: print("'jax'" in str(error) and "KERAS_BACKEND=tensorflow" in str(error))
        import sys; print("tensorflow" in sys.modules)
    """
    assert python(code, backend="jax").split() == ["True", "False"]


def test_an_old_keras_is_an_error(tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("__version__ = '3.9.0'")
    code = """
        import headwater
        try: headwater.keras
        except ImportError as error: print("3.15.1" in str(error) and "3.9.0" in str(error))
    """
    assert python(code, path=[tmp_path]) == "True"


def test_no_keras_says_what_to_install():
    code = """
        import sys; sys.modules["keras"] = None
        import headwater
        try: headwater.keras
        except ImportError as error: print("pip install 'keras>=" in str(error))
    """
    assert python(code) == "True"


def test_keras_takes_our_values_for_tensorflows():
    import pickle

    import headwater as tf

    assert tf.keras.__name__.startswith("keras")
    from keras.src.trainers.data_adapters import data_adapter_utils, is_tf_dataset

    tensor = tf.constant([1.0, 2.0])
    sparse = tf.SparseTensor([[0]], [1.0], [2])
    assert data_adapter_utils.is_tensorflow_tensor(tensor)
    assert data_adapter_utils.is_tensorflow_sparse(sparse)
    assert not data_adapter_utils.is_tensorflow_sparse(tensor)
    assert is_tf_dataset(tf.data.Dataset.range(1))
    assert pickle.loads(pickle.dumps(tensor)).numpy().tolist() == [1.0, 2.0]


def test_dynamic_update_slice_moves_the_block_inside():
    import headwater as tf

    tf.install_as_tensorflow()
    from tensorflow.compiler.tf2xla.python.xla import dynamic_update_slice

    zeros = tf.zeros([3, 4])
    inside = dynamic_update_slice(zeros, tf.ones([2, 2]), [1, 1]).numpy()
    assert inside.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
    assert dynamic_update_slice(zeros, tf.ones([2, 2]), [9, -5]).numpy().tolist() == [
        [0] * 4,
        [1, 1, 0, 0],
        [1, 1, 0, 0],
    ]

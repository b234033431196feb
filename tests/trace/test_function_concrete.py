"""Concrete functions: how they are called and what they tell of themselves."""

from __future__ import annotations

import collections
import re

import numpy as np
import pytest

import headwater as tf

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")
t = tf.constant
VECTOR = tf.TensorSpec([None], tf.float32)
Pair = collections.namedtuple("Pair", "a b")


@tf.function
def cube(x):
    return x**3


def test_the_graph_of_the_cube():
    concrete = cube.get_concrete_function(t(2.0))
    operations = concrete.graph.get_operations()
    assert [(o.name, o.type) for o in operations] == [
        ("x", "Placeholder"),
        ("pow/y", "Const"),
        ("pow", "Pow"),
        ("Identity", "Identity"),
    ]
    assert repr(operations[2]) == "<tf.Operation 'pow' type=Pow>"
    assert [x.name for x in concrete.inputs + concrete.outputs] == ["x:0", "Identity:0"]
    assert concrete.graph.get_tensor_by_name("x:0") is concrete.inputs[0]
    assert concrete.graph.name == "cube" and re.fullmatch(rb"__inference_cube_\d+", concrete.name)
    definition = concrete.function_def
    assert [(a.name, a.type) for a in definition.signature.input_arg] == [("x", 1)]
    assert [(a.name, a.type) for a in definition.signature.output_arg] == [("identity", 1)]
    assert [(n.name, n.op) for n in definition.node_def] == [
        ("pow/y", "Const"),
        ("pow", "Pow"),
        ("Identity", "Identity"),
    ]
    assert not definition.signature.is_stateful
    assert concrete(t(3.0)).numpy() == concrete(x=t(3.0)).numpy() == concrete(3).numpy() == 27.0


def test_texts():
    concrete = cube.get_concrete_function(t(2.0))
    scalar = "TensorSpec(shape=(), dtype=tf.float32, name=None)"
    assert concrete.pretty_printed_signature(verbose=False) == f"(x: {scalar}) -> {scalar}"
    assert (
        str(concrete.function_type) == f"(x: {scalar}) -> {scalar}"
        and repr(concrete.function_type.output) == scalar
    )
    assert repr(concrete).startswith(f"<ConcreteFunction (x: {scalar}) -> {scalar} at 0X")
    assert str(concrete) == "ConcreteFunction " + concrete.pretty_printed_signature()
    assert concrete.pretty_printed_signature() == (
        f"Input Parameters:\n  x (POSITIONAL_OR_KEYWORD): {scalar}\nOutput Type:\n  {scalar}\nCaptures:\n  None"
    )
    own = tf.function(lambda x, y: x, autograph=False)
    own(1, "a")
    own(t(1.0), 2.5)
    assert own.pretty_printed_concrete_signatures(verbose=False).splitlines() == [
        "(x: Literal[1], y: Literal['a']) -> TensorSpec(shape=(), dtype=tf.int32, name=None)",
        f"(x: {scalar}, y: Literal[2.5]) -> {scalar}",
    ]
    assert own.pretty_printed_concrete_signatures().count("Input Parameters:") == 2


@tf.function(autograph=False)
def many(x, y=2.0, *rest, k=3, **more):
    return {"s": x + y, "t": (x, None, [y * 1.0])}


def test_signatures_with_all_kinds_of_parameters():
    concrete = many.get_concrete_function(VECTOR, tf.TensorSpec([], tf.float32, name="why"), k=5)
    text = concrete.pretty_printed_signature(verbose=False)
    assert text.startswith(
        "(x: TensorSpec(shape=(None,), dtype=tf.float32, name=None), y: TensorSpec(shape=(), dtype=tf.float32, name='why'), "
        "/, *, k: Literal[5]) -> Dict[['s', TensorSpec(shape=(None,), dtype=tf.float32, name=None)], ['t', Tuple["
    )
    assert "x (POSITIONAL_ONLY)" in str(concrete) and "k (KEYWORD_ONLY): Literal[5]" in str(concrete)
    assert concrete.structured_input_signature == (
        (tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec([], tf.float32, "why")),
        {"k": 5},
    )
    assert [x.name for x in concrete.inputs] == ["x:0", "why:0"]
    assert concrete.output_shapes == {"s": [None], "t": ([None], tf.TensorShape(None), [[]])}
    assert concrete.output_dtypes == {"s": tf.float32, "t": (tf.float32, None, [tf.float32])}
    assert concrete.structured_outputs["t"][1] is None
    assert concrete.structured_outputs["s"].name == concrete.outputs[0].name
    full = many.get_concrete_function(t([1.0]), 1.0, t(1.0), t(2.0), k=t(1.0), z=t(3.0))
    names = ["x:0", "rest_0:0", "rest_1:0", "k:0", "z:0"]
    assert [x.name for x in full.inputs] == names
    assert full.structured_input_signature[0][2] == tf.TensorSpec([], tf.float32, "rest_0")
    result = full(t([1.0]), 1.0, t(1.0), t(2.0), k=t(1.0), z=t(3.0))
    assert result["s"].numpy().tolist() == [2.0]


CALLS = {
    "all": (((t([1.0]), t(1.0)), {"k": 5}), None),
    "arrays": ((([1.0], 1.0), {"k": 5}), None),
    "tensors alone": (((t([1.0]), t(1.0)), {}), None),
    "tensors by name": (((), {"x": t([1.0]), "why": t(1.0)}), None),
    "missing": (((t([1.0]),), {}), (TypeError, r"'y' is missing(?s:.)*why missing")),
    "by a name that is no name": (((), {"x": t([1.0]), "y": t(1.0), "k": 5}), (TypeError, "position only")),
    "another value": (((t([1.0]), t(1.0)), {"k": 6}), (TypeError, "argument 'k': expected the Python value 5.*int 6")),
    "too many": (((t([1.0]), t(1.0), t(1.0)), {}), (TypeError, "2 positional arguments and 3")),
    "no tensor": (((np.ones(1, np.float32), 1.0), {}), (TypeError, r"'x' must be a tensor; got float32\[1\]")),
    "another dtype": (((t([1]), t(1.0)), {}), (tf.errors.InvalidArgumentError, r"'x' must be float32.*int32\[1\]")),
    "another rank": (((t([[1.0]]), t(1.0)), {}), (tf.errors.InvalidArgumentError, r"\(None,\).*float32\[1, 1\]")),
    "a shape of its own": (((t([1.0, 2.0, 3.0]), t(1.0)), {}), None),
}  # fmt: skip


@pytest.mark.parametrize("call,error", CALLS.values(), ids=CALLS)
def test_how_concrete_functions_are_called(call, error):
    concrete = many.get_concrete_function(VECTOR, tf.TensorSpec([], tf.float32, name="why"), k=5)
    args, kwargs = call
    if error is None:
        assert concrete(*args, **kwargs)["s"].numpy()[0] == 2.0
    else:
        with pytest.raises(error[0], match=error[1]):
            concrete(*args, **kwargs)


def test_nested_arguments():
    f = tf.function(lambda d: d["a"][0] - d["b"], autograph=False)
    concrete = f.get_concrete_function({"b": VECTOR, "a": (VECTOR, [VECTOR])})
    assert [x.name for x in concrete.inputs] == ["d_1:0", "d_2:0", "d:0"], (
        "by sorted keys, named as they were met"
    )
    assert concrete.structured_input_signature[0][0]["a"][1] == [tf.TensorSpec([None], tf.float32, "d_a_1_0")]
    a, b = t([5.0]), t([2.0])
    assert (
        concrete({"a": (a, [a]), "b": b}).numpy()
        == concrete(a, a, b).numpy()
        == concrete(d_1=a, d_2=a, d=b).numpy()
        == 3.0
    )
    named = tf.function(lambda p: p, autograph=False).get_concrete_function(Pair(1, VECTOR))
    assert named.structured_input_signature == ((Pair(1, tf.TensorSpec([None], tf.float32, "p_b")),), {})
    assert named.pretty_printed_signature(False).startswith("(p: P") and isinstance(
        named.structured_outputs, Pair
    )


def test_composite_arguments():
    f = tf.function(lambda s: s, autograph=False)
    concrete = f.get_concrete_function(tf.SparseTensor([[0]], [1.0], [3]))
    assert concrete is f.get_concrete_function(tf.SparseTensorSpec([3], tf.float32))
    assert concrete.structured_input_signature == ((tf.SparseTensorSpec([3], tf.float32),), {})
    assert [x.name for x in concrete.inputs] == ["s:0", "s_1:0", "s_2:0"]
    assert concrete.output_dtypes == [tf.int64, tf.float32, tf.int64]
    result = concrete(tf.SparseTensor([[2]], [5.0], [3]))
    assert tf.sparse.to_dense(result).numpy().tolist() == [0.0, 0.0, 5.0]


def test_captures():
    v, w = tf.Variable(2.0, name="v"), tf.Variable([1.0], trainable=False, name="w")
    constant = t([1.0, 2.0])

    @tf.function(autograph=False)
    def f(x):
        w.assign([9.0])
        return x * v + constant

    concrete = f.get_concrete_function(t(1.0))
    assert [id(x) for x in concrete.variables] == [id(w), id(v)] or [id(x) for x in concrete.variables] == [
        id(v),
        id(w),
    ]
    assert [x.name for x in concrete.trainable_variables] == ["v:0"]
    assert any(x is constant for x in concrete.captured_inputs)
    assert len(concrete.captured_inputs) == 3 == len(concrete.inputs) - 1
    assert str(concrete).count("TensorSpec(shape=(), dtype=tf.resource, name=None)") == 2
    assert concrete.function_def.signature.is_stateful
    types = [a.type for a in concrete.function_def.signature.input_arg]
    assert types == [1, 1, 20, 20], "variables are resources there"


def test_names_of_placeholders():
    f = tf.function(lambda x, y: x, autograph=False)
    names = f.get_concrete_function(tf.TensorSpec([], name="q"), tf.TensorSpec([2], name="q")).inputs
    assert [n.name for n in names] == ["q:0", "q_1:0"]
    odd = f.get_concrete_function(tf.TensorSpec([], name="a b"), tf.TensorSpec([2]))
    assert [n.name for n in odd.inputs] == ["Placeholder:0", "y:0"]
    by_keyword = f.get_concrete_function(y=tf.TensorSpec([]), x=tf.TensorSpec([2]))
    assert [n.name for n in by_keyword.inputs] == ["x:0", "y:0"]


def test_objects_in_a_signature():
    class Thing:
        pass

    thing = Thing()
    f = tf.function(lambda o, x: x, autograph=False)
    concrete = f.get_concrete_function(thing, 1)
    assert "Weakref[Thing object]" in repr(concrete)
    assert repr(concrete.structured_input_signature) == "((<unknown argument>, 1), {})"
    assert concrete(thing, 1).numpy() == 1
    with pytest.raises(TypeError, match="the object"):
        concrete(Thing(), 1)
    assert f._list_all_concrete_functions_for_serialization() == []


def test_inside_another_graph():
    concrete = cube.get_concrete_function(VECTOR)
    outer = tf.function(lambda x: concrete(x) + concrete(x * 2.0), autograph=False)
    assert outer(t([1.0, 2.0])).numpy().tolist() == [9.0, 72.0]
    with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError), match="int32"):
        outer(t([1]))


@pytest.mark.parametrize(
    "stage,word", [("stablehlo", "module @"), ("hlo", "HloModule"), ("optimized_hlo", "HloModule")]
)
def test_the_compiled_program_can_be_read(stage, word):
    f = tf.function(lambda x: x + 1.0, jit_compile=True, autograph=False)
    assert word in f.experimental_get_compiler_ir(t([1.0, 2.0]))(stage=stage)
    assert "f32[3" in f.experimental_get_compiler_ir(tf.TensorSpec([3], tf.float32))() or stage == "stablehlo"


def test_what_has_no_compiled_program():
    with pytest.raises(ValueError, match="jit_compile=True"):
        cube.experimental_get_compiler_ir(t(1.0))
    f = tf.function(lambda x, y: x, jit_compile=True, autograph=False)
    with pytest.raises(ValueError, match="not both"):
        f.experimental_get_compiler_ir(t(1.0), VECTOR)
    with pytest.raises(ValueError, match="stage"):
        f.experimental_get_compiler_ir(t(1.0), t(1.0))(stage="machine")

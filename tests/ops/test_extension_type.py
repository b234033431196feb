"""Extension types in programs: masked and compressed tensors, networks, batches, dispatch at no cost for tensors."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import numpy as np
import pytest

import headwater as tf


class MaskedTensor(tf.experimental.BatchableExtensionType):
    """Values of which some are missing."""

    __name__ = "headwater_tests.MaskedTensor"

    values: tf.Tensor
    mask: tf.Tensor

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def __validate__(self) -> None:
        self.values.shape.assert_is_compatible_with(self.mask.shape)

    def with_default(self, default: Any) -> tf.Tensor:
        return tf.where(self.mask, self.values, default)

    def __add__(self, other: Any) -> Any:
        return tf.add(self, other)

    class Spec:
        def __init__(self, shape: Any, dtype: Any = tf.float32) -> None:
            self.values = tf.TensorSpec(shape, dtype)
            self.mask = tf.TensorSpec(shape, tf.bool)

        shape = property(lambda self: self.values.shape)
        dtype = property(lambda self: self.values.dtype)


class Compressed(tf.experimental.ExtensionType):
    """A sparse matrix by rows."""

    row_splits: tf.Tensor
    columns: tf.Tensor
    values: tf.Tensor
    width: int


class Layer(tf.experimental.ExtensionType):
    """A linear layer."""

    weights: tf.Tensor
    bias: tf.Tensor
    name: str = "layer"

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return x @ self.weights + self.bias


class Network(tf.experimental.ExtensionType):
    """Layers by their order, and a setting for each."""

    layers: tuple[Layer, ...]
    activation: typing.Mapping[str, str]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        for layer in self.layers:
            x = layer(x)
            if self.activation.get(layer.name) == "relu":
                x = tf.nn.relu(x)
        return x


@pytest.fixture
def meanings() -> typing.Iterator[None]:
    """What elementwise functions do with masked tensors, for one test."""

    def parts(x: Any) -> tuple[Any, Any]:
        return (x.values, x.mask) if isinstance(x, MaskedTensor) else (x, True)

    either = typing.Union[MaskedTensor, tf.Tensor]

    @tf.experimental.dispatch_for_unary_elementwise_apis(MaskedTensor)
    def unary(api: Any, x: Any) -> Any:
        return MaskedTensor(api(x.values), x.mask)

    @tf.experimental.dispatch_for_binary_elementwise_apis(either, either)
    def binary(api: Any, x: Any, y: Any) -> Any:
        (x, mask), (y, other) = parts(x), parts(y)
        values = api(x, y)
        return MaskedTensor(values, tf.broadcast_to(tf.logical_and(mask, other), tf.shape(values)))

    yield
    tf.experimental.unregister_dispatch_for(unary)
    tf.experimental.unregister_dispatch_for(binary)


def masked() -> MaskedTensor:
    return MaskedTensor([[1.0, -2.0], [3.0, 4.0]], [[True, False], [True, True]])


def test_a_masked_tensor_takes_part_in_elementwise_functions(meanings: None) -> None:
    x = masked()
    total = tf.abs(x) + tf.multiply(x, tf.constant(2.0))
    assert total.with_default(0.0).numpy().tolist() == [[3.0, 0.0], [9.0, 12.0]]
    assert tf.cast(x, tf.int32).dtype == tf.int32
    traced = tf.function(lambda v: tf.maximum(v + v, tf.constant(5.0)).with_default(-1.0), autograph=False)
    assert traced(x).numpy().tolist() == [[5.0, -1.0], [6.0, 8.0]]
    assert traced.experimental_get_tracing_count() == 1
    traced(MaskedTensor([[0.0, 1.0], [2.0, 3.0]], x.mask))
    assert traced.experimental_get_tracing_count() == 1


def test_undone_meanings_are_gone() -> None:
    with pytest.raises(ValueError, match="can't be made of"):
        tf.abs(masked())


def test_registering_leaves_the_entries_of_tensors_as_they_are(meanings: None) -> None:
    assert tf.add.__code__.co_filename == "<entry of AddV2>"
    assert tf.add(tf.constant(1), tf.constant(2)).numpy() == 3


def test_a_specification_of_its_own_form_traces_once_for_all_shapes() -> None:
    seen = []

    @tf.function(input_signature=[MaskedTensor.Spec([None, 2])])
    def filled(x: Any) -> Any:
        seen.append(x.shape)
        return x.with_default(0.0)

    assert filled(masked()).numpy().tolist() == [[1.0, 0.0], [3.0, 4.0]]
    assert filled(MaskedTensor([[1.0, 2.0]], [[False, True]])).numpy().tolist() == [[0.0, 2.0]]
    assert [s.as_list() for s in seen] == [[None, 2]]
    with pytest.raises(TypeError):
        filled(MaskedTensor([1.0], [True]))


def test_validation_runs_for_every_value() -> None:
    with pytest.raises(ValueError):
        MaskedTensor([1.0, 2.0], [True])


def test_a_compressed_matrix_has_a_product() -> None:
    @tf.experimental.dispatch_for_api(tf.sparse.sparse_dense_matmul, {"sp_a": Compressed})
    def product(sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None) -> Any:
        count, lengths = tf.size(sp_a.row_splits) - 1, sp_a.row_splits[1:] - sp_a.row_splits[:-1]
        parts = tf.gather(b, sp_a.columns) * sp_a.values[:, None]
        return tf.math.unsorted_segment_sum(parts, tf.repeat(tf.range(count), lengths), count)

    matrix = Compressed([0, 1, 1, 3], [2, 0, 1], [5.0, 1.0, 2.0], 3)
    dense = np.array([[0, 0, 5], [0, 0, 0], [1, 2, 0]], np.float32)
    right = np.arange(6, dtype=np.float32).reshape(3, 2)
    try:
        assert np.array_equal(tf.sparse.sparse_dense_matmul(matrix, right), dense @ right)
        traced = tf.function(lambda m, b: tf.sparse.sparse_dense_matmul(m, b), autograph=False)
        assert np.array_equal(traced(matrix, right), dense @ right)
        eye = tf.sparse.eye(3)
        assert np.array_equal(tf.sparse.sparse_dense_matmul(eye, right), right)
    finally:
        tf.experimental.unregister_dispatch_for(product)


def network(scale: float, activation: str = "relu") -> Network:
    weights = tf.constant([[1.0, -1.0], [0.5, 2.0]]) * scale
    return Network(
        [Layer(weights, [0.0, 1.0], "first"), Layer(tf.ones([2, 1]), [0.5], "last")], {"first": activation}
    )


def test_a_network_is_an_argument_a_result_a_branch_and_a_loop_variable() -> None:
    x = tf.constant([[1.0, 2.0]])
    want = network(1.0)(x).numpy().tolist()
    assert want == [[6.5]]
    apply = tf.function(lambda net, x: (net, net(x)), autograph=False)
    same, result = apply(network(1.0), x)
    assert result.numpy().tolist() == want and isinstance(same, Network) and bool(same == network(1.0))
    apply(network(2.0), x)
    assert apply.experimental_get_tracing_count() == 1
    apply(network(2.0, "none"), x)
    assert apply.experimental_get_tracing_count() == 2

    @tf.function
    def trained(net: Any, steps: Any) -> Any:
        for _ in tf.range(steps):
            if tf.reduce_sum(net.layers[0].weights) > 4.0:
                first = Layer(net.layers[0].weights / 2.0, net.layers[0].bias, "first")
            else:
                first = Layer(net.layers[0].weights + 1.0, net.layers[0].bias, "first")
            net = Network((first, net.layers[1]), net.activation)
        return net

    assert trained(network(1.0), tf.constant(2)).layers[0].weights.numpy().tolist() == [
        [1.0, 0.0],
        [0.75, 1.5],
    ]


def test_branches_with_other_constants_are_refused() -> None:
    choose = tf.function(
        lambda p: tf.cond(p, lambda: network(1.0), lambda: network(1.0, "none")), autograph=False
    )
    with pytest.raises(TypeError, match="one structure"):
        choose(tf.constant(True))


def test_gradients_flow_through_the_fields() -> None:
    weights = tf.Variable([[1.0], [2.0]])

    @tf.function
    def loss(x: tf.Tensor) -> Any:
        layer = Layer(weights, [0.0])
        return tf.reduce_sum(layer(x) ** 2)

    with tf.GradientTape() as tape:
        value = loss(tf.constant([[3.0, 4.0]]))
    assert value.numpy() == 121.0
    assert tape.gradient(value, weights).numpy().tolist() == [[66.0], [88.0]]


def test_a_captured_value_is_read_by_a_function() -> None:
    kept = network(1.0)
    assert tf.function(lambda x: kept(x), autograph=False)(tf.constant([[1.0, 2.0]])).numpy().tolist() == [
        [6.5]
    ]


class _Doubled(tf.experimental.ExtensionTypeBatchEncoder):
    """Keeps a flag out of the batch: all values of one have the same."""

    def encode(self, spec: Any, value: Any, minimum_rank: int = 0) -> Any:
        return {"twice": value.x * 2}

    def decode(self, spec: Any, encoded_value: Any) -> Any:
        return Encoded(encoded_value["twice"] // 2, spec.flag)

    def encoding_specs(self, spec: Any) -> Any:
        return {"twice": spec.x}


class Encoded(tf.experimental.BatchableExtensionType):
    """A type with its own way into batches."""

    __batch_encoder__ = _Doubled()

    x: tf.Tensor
    flag: bool = False


def test_batches_use_the_encoder() -> None:
    data = tf.data.Dataset.from_tensor_slices(Encoded(tf.range(5), True)).map(
        lambda e: Encoded(e.x + 1, e.flag)
    )
    batches = list(data.batch(2))
    assert [b.x.numpy().tolist() for b in batches] == [[1, 2], [3, 4], [5]]
    assert all(b.flag for b in batches)
    assert tf.map_fn(lambda e: Encoded(e.x * e.x, e.flag), batches[1]).x.numpy().tolist() == [9, 16]


def test_values_without_tensors_are_equal_or_not() -> None:
    class Point(tf.experimental.ExtensionType):
        x: int
        y: float = 0.0

    assert (Point(1) == Point(1)) is True
    assert (Point(1) == Point(2)) is False
    assert (Point(1, -0.0) == Point(1, 0.0)) is False  # equal keys would share a graph


def test_equality_in_a_graph_asks_for_shapes() -> None:
    same = tf.function(
        lambda a, b: a == b,
        input_signature=[MaskedTensor.Spec(None), MaskedTensor.Spec(None)],
        autograph=False,
    )
    cases = [
        ([1.0], [1.0], True),
        ([1.0], [1.0, 1.0], False),
        ([[1.0]], [1.0], False),
        ([2.0, 3.0], [2.0, 4.0], False),
        ([], [], True),
    ]
    for x, y, want in cases:
        first, second = (MaskedTensor(tf.constant(v, tf.float32), tf.ones_like(v, tf.bool)) for v in (x, y))
        assert bool(same(first, second)) is want, (x, y)


def test_a_python_loop_over_a_dataset_in_a_graph_ends() -> None:
    with pytest.raises(ValueError, match="AutoGraph"):
        tf.function(lambda: list(tf.data.Dataset.range(3)), autograph=False)()


def test_functions_taught_by_both_keep_their_ragged_form(meanings: None) -> None:
    ragged = tf.ragged.constant([[1.0, 2.0], [], [3.0]])
    assert tf.clip_by_value(t=ragged, clip_value_min=1.5, clip_value_max=2.5).to_list() == [
        [1.5, 2.0],
        [],
        [2.5],
    ]
    assert tf.clip_by_value(masked(), 0.0, 2.0).values.numpy().tolist() == [[1.0, 0.0], [2.0, 2.0]]
    assert tf.clip_by_value([1.0, 5.0], clip_value_min=0.0, clip_value_max=2.0).numpy().tolist() == [1.0, 2.0]


def test_a_taught_function_keeps_its_signature_and_its_name(meanings: None) -> None:
    for function in (tf.clip_by_value, tf.cast, tf.add):
        assert tf.function(function, autograph=False).python_function is function
        assert list(inspect.signature(function).parameters)[-1] == "name"
    names = list(inspect.signature(tf.clip_by_value).parameters)
    assert names == ["t", "clip_value_min", "clip_value_max", "name"]
    assert inspect.unwrap(tf.clip_by_value).__name__ == tf.clip_by_value.__name__


class Shaped(tf.experimental.BatchableExtensionType):
    """A field says the shape of the tensor beside it, so a batch's says how many there are."""

    __name__ = "headwater_tests.Shaped"

    x: tf.Tensor
    of: tf.TensorShape


PIPELINES = {
    "batch": lambda data: data.batch(4),
    "whole batches": lambda data: data.batch(4, drop_remainder=True),
    "shuffled": lambda data: data.shuffle(20, seed=1).batch(3),
    "repeated": lambda data: data.skip(3).repeat(2).batch(4),
    "cached": lambda data: data.take(5).cache().batch(2),
    "sharded": lambda data: data.shard(3, 1).batch(2),
    "one by one": lambda data: data.take(3),
    "filtered": lambda data: data.filter(lambda value: value.x[0] > 4).batch(3),
    "unbatched": lambda data: data.batch(4).unbatch().batch(5),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_batches_of_extension_types_are_those_of_their_tensors(name: str) -> None:
    x = tf.reshape(tf.range(20), [10, 2])

    values = tf.data.Dataset.from_tensor_slices(Shaped(x, x.shape))
    plain = tf.data.Dataset.from_tensor_slices(x)
    if name == "filtered":
        expected = list(plain.filter(lambda row: row[0] > 4).batch(3))
    else:
        expected = list(PIPELINES[name](plain))
    found = list(PIPELINES[name](values))
    assert [v.x.numpy().tolist() for v in found] == [e.numpy().tolist() for e in expected]
    assert [v.of for v in found] == [e.shape for e in expected]


def test_extension_types_beside_tensors_in_batches() -> None:
    x = tf.reshape(tf.range(20), [10, 2])
    data = tf.data.Dataset.from_tensor_slices({"b": Shaped(x, x.shape), "a": tf.range(10)}).batch(6)
    first, last = data
    assert (first["b"].of, last["b"].of) == ([6, 2], [4, 2])
    assert last["a"].numpy().tolist() == [6, 7, 8, 9]
    assert last["b"].x.numpy().tolist() == x[6:].numpy().tolist()

"""Extension types for the expressions of extension_type.txt."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
import types
import typing
from typing import Any

_KEPT: dict[str, Any] = {}
"""The classes and meanings of one library: they are defined once, as a program does it."""


def _classes(tf: Any) -> dict[str, Any]:
    ext, batchable = tf.experimental.ExtensionType, tf.experimental.BatchableExtensionType

    def make(title: str, fields: dict[str, Any], base: type = ext, /, **members: Any) -> Any:
        space = {"__annotations__": fields, "__module__": __name__, "__qualname__": title, **members}
        return type(ext)(title, (base,), space)

    def init(self: Any, v: Any, k: Any = 3) -> None:
        self.v = v
        self.k = k

    def spec_init(self: Any, shape: Any, k: Any = 3) -> None:
        self.v = tf.TensorSpec(shape)
        self.k = k

    def validate(self: Any) -> None:
        self.values.shape.assert_is_compatible_with(self.mask.shape)

    masked = make("M", {"values": tf.Tensor, "mask": tf.Tensor}, batchable)
    shaped = property(lambda self: self.v.shape)
    encoder = type(
        "Encoder", (tf.experimental.ExtensionTypeBatchEncoder,),
        {
            "batch": lambda self, spec, n: C.Spec(tf.TensorSpec([n] + spec.v.shape), spec.k),
            "unbatch": lambda self, spec: C.Spec(tf.TensorSpec(spec.v.shape[1:]), spec.k),
            "encode": lambda self, spec, value, minimum_rank=0: value.v * 2,
            "decode": lambda self, spec, encoded: C(encoded / 2, spec.k),
            "encoding_specs": lambda self, spec: spec.v,
        },
    )  # fmt: skip
    C = make("C", {"v": tf.Tensor, "k": int}, batchable, __batch_encoder__=encoder())
    return {
        "make": make,
        "M": masked,
        "C": C,
        "N": make(
            "N",
            {"m": masked, "name": str, "r": typing.Optional[tf.RaggedTensor], "s": typing.Optional[tf.SparseTensor],  # noqa: UP045
             "tags": typing.Mapping[str, tf.Tensor], "pair": tuple[tf.Tensor, int]},
            name="n", r=None, s=None, tags={}, pair=(0.0, 1),
        ),
        "P": make("P", {"a": int, "b": tf.TensorShape}, b=tf.TensorShape([1])),
        "A": make(
            "A",
            {"a": tf.Tensor, "b": int, "c": float, "d": str, "e": bytes, "f": bool, "g": typing.Optional[tf.Tensor],  # noqa: UP045
             "h": typing.Union[int, str, None], "i": tuple[int, ...], "j": typing.Mapping[str, tf.Tensor], "k": tf.DType,
             "l": tf.TensorShape, "m": tuple[int, str]},
            b=3, c=1.5, d="x", e=b"y", f=True, g=None, h=None, i=(), j={}, k=tf.float32, l=tf.TensorShape([1]), m=(1, "a"),
        ),
        "V": make("V", {"values": tf.Tensor, "mask": tf.Tensor}, __validate__=validate),
        "U": make(
            "U", {"v": tf.Tensor, "k": int}, __init__=init, shape=shaped,
            Spec=type("Spec", (), {"__init__": spec_init, "shape": shaped}),
        ),
        "T": make("T", {"v": tf.Tensor, "kids": tuple["T", ...]}, kids=()),  # noqa: F821 - it is being made
        "D": make("D", {"values": tf.Tensor, "mask": tf.Tensor}),
    }  # fmt: skip


def _meanings(tf: Any, D: Any) -> None:
    """What the functions do with a D; M has none."""
    typing_union = typing.Union[D, tf.Tensor]

    def values(x: Any) -> Any:
        return x.values if isinstance(x, D) else x

    @tf.experimental.dispatch_for_unary_elementwise_apis(D)
    def unary(api: Any, x: Any) -> Any:
        return D(api(x.values), x.mask)

    @tf.experimental.dispatch_for_binary_elementwise_apis(typing_union, typing_union)
    def binary(api: Any, x: Any, y: Any) -> Any:
        return D(api(values(x), values(y)), [True])

    @tf.experimental.dispatch_for_binary_elementwise_assert_apis(D, D)
    def assertion(api: Any, x: Any, y: Any) -> Any:
        return api(x.values, y.values)

    @tf.experimental.dispatch_for_api(tf.concat, {"values": list[D]})
    def concat(values: Any, axis: Any, name: Any = "concat") -> Any:
        return D(tf.concat([v.values for v in values], axis), tf.concat([v.mask for v in values], axis))

    def stack(values, axis=0, name="stack"):  # type: ignore[no-untyped-def]
        return D(tf.stack([v.values for v in values], axis), tf.stack([v.mask for v in values], axis))

    stack.__annotations__ = {"values": typing.List[D]}  # noqa: UP006 - TensorFlow takes no strings here
    tf.experimental.dispatch_for_api(tf.stack)(stack)

    @tf.experimental.dispatch_for_api(tf.reduce_sum, {"input_tensor": D}, {0: D})
    def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: Any = False) -> Any:
        return tf.reduce_sum(tf.where(input_tensor.mask, input_tensor.values, 0), axis, keepdims)

    @tf.experimental.dispatch_for_api(tf.matmul, {"a": D, "b": typing_union})
    def matmul(*args: Any, **kwargs: Any) -> Any:
        return tf.constant(len(args))

    @tf.experimental.dispatch_for_api(tf.shape, {"input": D})
    def shape(input: Any, out_type: Any = None, name: Any = None) -> Any:
        return tf.shape(input.values)


def names(tf: Any) -> dict[str, Any]:
    """The classes, some values, and helpers."""
    if tf.__name__ not in _KEPT:
        _KEPT[tf.__name__] = _classes(tf)
        # Forward references and pickle find the classes in their module.
        module = sys.modules.setdefault(__name__, types.ModuleType(__name__))
        vars(module).update({n: _KEPT[tf.__name__][n] for n in ("M", "N", "P", "T")})
        _meanings(tf, _KEPT[tf.__name__]["D"])
    found = dict(_KEPT[tf.__name__])
    M, N, D, S = found["M"], found["N"], found["D"], tf.data.Dataset.from_tensor_slices

    def set_to(obj: Any, name: str, value: Any) -> None:
        setattr(obj, name, value)

    def remove(obj: Any, name: str) -> None:
        delattr(obj, name)

    def grad(watched: Any, function: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            result = function(watched)
        return tape.gradient(result, watched)

    def registered(api: Any, *signatures: Any, target: Any = lambda x, y, name=None: 1) -> Any:
        tf.experimental.unregister_dispatch_for(tf.experimental.dispatch_for_api(api, *signatures)(target))
        return "registered"

    def unregistered_twice() -> Any:
        target = tf.experimental.dispatch_for_api(tf.math.xlogy, {"x": M})(
            lambda x, y, name=None: tf.constant(7)
        )
        first = tf.math.xlogy(M([1], [True]), 2)
        tf.experimental.unregister_dispatch_for(target)
        try:
            tf.math.xlogy(M([1], [True]), 2)
        except (ValueError, TypeError):
            return first
        return None

    return {
        **found,
        "ext": tf.experimental.ExtensionType,
        "m": M([1.0, 2.0, 3.0], [True, False, True]),
        "m2": M([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[True, False, True], [False, False, True]]),
        "n": N(M([1.0], [True]), r=tf.ragged.constant([[1, 2], [3]]), s=tf.sparse.eye(2), tags={"b": 1.0, "a": [2]}, pair=[1.0, 2]),
        "d": D([1.0, -2.0, 3.0], [True, False, True]),
        "slices": S,
        "set_to": set_to,
        "remove": remove,
        "grad": grad,
        "typing": typing,
        "inspect": inspect,
        "registered": registered,
        "unregistered_twice": unregistered_twice,
        "copied": lambda x: copy.copy(x),
        "deep": lambda x: copy.deepcopy(x),
        "pickled": lambda x: pickle.loads(pickle.dumps(x)),
        "spec": lambda values, mask: M.Spec(tf.TensorSpec(values), tf.TensorSpec(mask, tf.bool)),
    }  # fmt: skip

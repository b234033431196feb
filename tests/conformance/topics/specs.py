"""Names for the expressions of specs.txt: specifications, values of every kind, and classes of extension types."""

from __future__ import annotations

import sys
import types
from typing import Any

_KEPT: dict[str, Any] = {}
"""The extension types of one library, which are defined once."""


def _extension_types(tf: Any) -> dict[str, Any]:
    def make(title: str, base: type, **fields: Any) -> Any:
        space = {"__annotations__": fields, "__module__": __name__, "__qualname__": title}
        return type(base)(title, (base,), space)

    pair = make("Pair", tf.experimental.ExtensionType, x=tf.Tensor, n=int)
    deep = make("Deep", tf.experimental.BatchableExtensionType, p=pair, r=tf.RaggedTensor, s=tf.SparseTensor)
    module = sys.modules.setdefault(__name__, types.ModuleType(__name__))
    vars(module).update(Pair=pair, Deep=deep)
    return {"Pair": pair, "Deep": deep}


def names(tf: Any) -> dict[str, Any]:
    """Specifications by one letter, values, and tf.nest's functions."""
    if tf.__name__ not in _KEPT:
        _KEPT[tf.__name__] = _extension_types(tf)
    classes = _KEPT[tf.__name__]
    Pair, Deep = classes["Pair"], classes["Deep"]
    R, S, T, nest = tf.RaggedTensorSpec, tf.SparseTensorSpec, tf.TensorSpec, tf.nest
    rt, sp = tf.ragged.constant([[1, 2], [3]]), tf.sparse.eye(2)
    slices = tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([0]), tf.constant([3, 1]))
    dataset = tf.data.Dataset.range(3)
    pair = Pair([1.0, 2.0], 3)

    def element_types(structure: Any) -> list[str]:
        return [type(v).__name__ for v in nest.flatten(structure, True)]

    def array(**settings: Any) -> Any:
        return tf.TensorArray(tf.float32, size=2, **settings)

    return {
        **classes,
        "R": R,
        "S": S,
        "T": T,
        "I": tf.IndexedSlicesSpec,
        "flat": nest.flatten,
        "pack": nest.pack_sequence_as,
        "same": nest.assert_same_structure,
        "map": nest.map_structure,
        "spec": tf.type_spec_from_value,
        "rt": rt,
        "r3": tf.ragged.constant([[[1], [2]], [[3]]]),
        "r2": tf.ragged.constant([[[1, 2]], [[3, 4], [5, 6]]], ragged_rank=1),
        "uniform": tf.RaggedTensor.from_uniform_row_length([1, 2, 3, 4], 2),
        "sp": sp,
        "slices": slices,
        "dataset": dataset,
        "pair": pair,
        "deep": Deep(pair, rt, sp),
        "rspec": R([2, None], tf.int32),
        "sspec": S([2, 2]),
        "ispec": tf.IndexedSlicesSpec([3, 1], tf.float32, tf.int32, tf.int32),
        "pspec": Pair.Spec(T([2]), 3),
        "dspec": tf.type_spec_from_value(Deep(pair, rt, sp)),
        "variable": tf.Variable([1.0, 2.0], name="v"),
        "loose": tf.Variable([1.0, 2.0], shape=[None]),
        "optional": tf.experimental.Optional,
        "array": array,
        "kinds": element_types,
        "text": lambda value: tf.constant(repr(value)),
    }

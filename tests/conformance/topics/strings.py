"""Names for the expressions of strings.txt."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Strings of each shape, and what is no valid UTF-8."""

    def unknown(function: Any, value: Any) -> Any:
        """What a graph that knows neither shape nor rank of its argument returns."""
        value = tf.convert_to_tensor(value)
        spec = tf.TensorSpec(None, value.dtype)
        return tf.function(function, input_signature=[spec], autograph=False)(value)

    def rows(function: Any, value: Any) -> Any:
        """What a graph that knows the rank of its argument only returns."""
        value = tf.convert_to_tensor(value)
        spec = tf.TensorSpec([None] * value.shape.rank, value.dtype)
        return tf.function(function, input_signature=[spec], autograph=False)(value)

    return {
        "S": tf.strings, "unknown": unknown, "rows": rows,
        "one": tf.constant("héllo wörld"), "v": tf.constant(["a bc", "", "  déf g ", "日本語 😀"]),
        "m": tf.constant([["a", "bb"], ["ccc", ""]]), "e": tf.constant([], tf.string), "e2": tf.zeros([2, 0], tf.string),
        "r": tf.ragged.constant([["a b", "c"], [], ["d e f"]]), "r3": tf.ragged.constant([[["a"], ["b", "c"]], [], [[]]], dtype=tf.string),
        "wrong": tf.constant([b"a\xffb", b"\xe2\x82", b"\xe2\x82\xac\xf0\x9f", b"\xed\xa0\x80", b"\x80\x80ab", b"ok"]),
        "n": tf.constant([1, -2, 300]), "f": tf.constant([1.5, -0.25, 1e20, float("nan"), float("inf"), 1e-7]),
        "many": tf.constant([f"w{i} x,{i * 7}" for i in range(40)]),
        "mixed": tf.constant([f"é{i}日 {chr(0x1F600 + i)}ß" for i in range(40)]),
    }  # fmt: skip

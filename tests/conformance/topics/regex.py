"""Names for the expressions of regex.txt."""

from __future__ import annotations

from typing import Any

TEXTS = [
    b"", b"a", b"A", b"ab", b"abab", b"a\nb", b"\n", "é".encode(), "aé".encode(), "日本".encode(), "😀".encode(), b"k", "\u212a".encode(), "ſ".encode(), "σς".encode(),
    "ß".encode(), b"1", "٣".encode(), b"_", b"-]^", b"\\", b" ", b"\x0b", b"a\x00", b"\xff", b"a\xff", b"\xed\xa0\x80", b"\xc3\xa9\xc3", b"aaa", "ǅ".encode(), b"{2}a{,2}", b"*",
]  # fmt: skip


def names(tf: Any) -> dict[str, Any]:
    """What a pattern makes of the texts."""

    def re2(pattern: Any, rewrite: Any = r"<\0>", everywhere: bool = True) -> Any:
        """The places of the texts that match, and all texts with matches replaced."""
        texts = tf.constant(TEXTS)
        matched = tf.where(tf.strings.regex_full_match(texts, pattern))[:, 0]
        replaced = tf.strings.regex_replace(texts, pattern, rewrite, everywhere)
        return matched, tf.strings.reduce_join(replaced, separator="|")

    def ascii_only(pattern: Any, rewrite: Any = r"<\0>") -> Any:
        """Many strings of ASCII with matches replaced."""
        texts = tf.constant([t for t in TEXTS if t.isascii() and b"\0" not in t] * 3)
        return tf.strings.reduce_join(tf.strings.regex_replace(texts, pattern, rewrite), separator="|")

    def valid(pattern: Any, rewrite: Any = r"<\0>") -> Any:
        """Many strings of UTF-8 with matches replaced."""
        texts = tf.constant([t for t in TEXTS if t.decode("utf-8", "ignore").encode() == t] * 2)
        return tf.strings.reduce_join(tf.strings.regex_replace(texts, pattern, rewrite), separator="|")

    return {"re2": re2, "ascii_only": ascii_only, "valid": valid}

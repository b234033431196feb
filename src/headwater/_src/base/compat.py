"""bytes and str, whichever comes."""

from __future__ import annotations

from typing import Any

from headwater._src.base.exporting import export


def _checked_codec(encoding: str, function: str) -> str:
    import codecs

    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise LookupError(
            f"tf.compat.{function}: unknown encoding {encoding!r}; 'utf-8' is the usual one."
        ) from None


@export("compat.as_bytes")
def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """`bytes_or_text` as bytes; text is encoded.

    Raises:
      TypeError: it is neither bytes, bytearray nor str.
      LookupError: no such encoding.
    """
    codec = _checked_codec(encoding, "as_bytes")
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(codec)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(
        f"tf.compat.as_bytes takes bytes or str; got {bytes_or_text!r} of type {type(bytes_or_text).__name__}."
    )


@export("compat.as_text", "compat.as_str")
def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """`bytes_or_text` as str; bytes are decoded.

    Raises:
      TypeError: it is neither bytes nor str.
      LookupError: no such encoding.
    """
    codec = _checked_codec(encoding, "as_text")
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(codec)
    raise TypeError(
        f"tf.compat.as_text takes bytes or str; got {bytes_or_text!r} of type {type(bytes_or_text).__name__}."
    )


@export("compat.as_str_any")
def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """`str(value)`, except that bytes are decoded.

    >>> tf.compat.as_str_any(b"a"), tf.compat.as_str_any(1)
    ('a', '1')
    """
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


@export("compat.path_to_str")
def path_to_str(path: Any) -> Any:
    """A path object as str; anything else as it is."""
    if hasattr(path, "__fspath__"):
        path = as_text(path.__fspath__())
    return path

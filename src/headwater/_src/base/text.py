"""How values appear in messages: short types such as `float32[2, 3]`."""

from __future__ import annotations

from typing import Any

from headwater._src.base.dtypes import name_of


def describe(value: Any) -> str:
    """`float32[2, 3]` for tensors and arrays, `float 2.5` for Python values, cut short where long."""
    shape = getattr(value, "shape", None)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and shape is not None:
        name = getattr(dtype, "name", None) if hasattr(dtype, "as_datatype_enum") else name_of(dtype)
        return f"{name}{shape_text(shape)}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def shape_text(shape: Any) -> str:
    """`[2, None]`, `[]` for scalars, `<unknown rank>`."""
    try:
        return str(list(shape))
    except ValueError:
        return "<unknown rank>"
    except TypeError:
        return "<unknown rank>" if shape is None else str(shape)


def listing(words: Any, last: str = "or") -> str:
    """`a, b or c`."""
    words = [str(w) for w in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"

"""Strings taken apart into ragged rows, and n-grams of rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.strings as strings
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.ragged import RaggedTensor
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor

# -- rows -------------------------------------------------------------------------------------------------------------


def splits_shape(input: Spec) -> Partial:
    """The shape of the row splits of as many rows as a vector has elements."""
    return (None if not input.shape or input.shape[0] is None else input.shape[0] + 1,)


def by_rows(input: Any, what: str, of: Callable[[Any], Any]) -> list[Any]:
    """Applies `of`, which makes rows of a vector of strings, to strings of any shape.

    `of(vector)` returns tensors of values and, last, the splits that all of them have. A scalar gives the values, anything
    else ragged tensors with one more dimension.
    """
    if isinstance(input, RaggedTensor):
        return _deeper(input, what, of)
    tensor = strings.string_of(input, what)
    rank = tensor.shape.rank
    if rank is None:
        raise ValueError(f"{what}: the rank of the input must be known.")
    if rank == 0:
        from headwater._src.ops import layout

        return list(of(layout.reshape(tensor, [1]))[:-1])
    if rank > 1:
        return _deeper(RaggedTensor.from_tensor(tensor, ragged_rank=rank - 1), what, of)
    *values, splits = of(tensor)
    return [RaggedTensor.from_row_splits(v, splits, validate=False) for v in values]


def _deeper(input: Any, what: str, of: Callable[[Any], Any]) -> list[Any]:
    return [input.with_flat_values(rows) for rows in by_rows(input.flat_values, what, of)]


def _rows(found: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray]:
    splits = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, found), np.int64, len(found)), out=splits[1:])
    flat = list(itertools.chain.from_iterable(found))
    return strings.packed(flat, (len(flat),)), splits


# -- split ------------------------------------------------------------------------------------------------------------


def _split_kernel(input: np.ndarray, sep: np.ndarray, *, maxsplit: int) -> tuple[np.ndarray, np.ndarray]:
    if sep.ndim:
        raise ValueError(f"sep must be a scalar; got shape {list(sep.shape)}")
    at = sep.item()
    items = strings.items_of(input)
    if at or maxsplit < 0:
        return _rows([v.split(at or None, max(maxsplit, -1)) for v in items])
    return _rows([_split_at_spaces(v, maxsplit) for v in items])


def _split_at_spaces(item: bytes, most: int) -> list[bytes]:
    """Python drops a rest of spaces only, TensorFlow keeps it as an empty string."""
    if not most:
        return [item]
    found = item.split(None, most)
    if len(found) == most and item[-1:].isspace():
        found.append(b"")
    return found


_split = op(
    "StringSplitV2", "input: S, sep: S -> ?: string; ?: int64",
    numpy=_split_kernel, lower=strings.HOST, grad=NONDIFF, shape=lambda input, sep, **_: [(None,), splits_shape(input)],
    attrs={"maxsplit": -1},
)  # fmt: skip


@export("strings.split")
def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The parts of each string between separators: a vector for a scalar, else a ragged tensor with one more dimension.

    Args:
      input: a tensor of strings of known rank, or a ragged one.
      sep: the separator, a scalar; None or empty for runs of ASCII whitespace, which also may stand at the ends.
      maxsplit: split so many times at most, from the beginning; -1 for no limit.
      name: optional.
    """
    at = convert("") if sep is None else strings.string_of(sep, "tf.strings.split: sep")
    return by_rows(input, "tf.strings.split", lambda flat: _split(flat, at, maxsplit=int(maxsplit)))[0]


def _byte_rows(input: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    items = strings.items_of(input)
    bytes_ = [bytes((i,)) for i in range(256)]
    splits = np.zeros(len(items) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, items), np.int64, len(items)), out=splits[1:])
    flat = list(map(bytes_.__getitem__, b"".join(items)))
    return strings.packed(flat, (len(flat),)), splits


_byte_split = op(
    "StringByteSplit", "input: S -> ?: string; ?: int64",
    numpy=_byte_rows, lower=strings.HOST, grad=NONDIFF, shape=lambda input: [(None,), splits_shape(input)],
)  # fmt: skip


@export("strings.bytes_split")
def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each string as strings: a vector for a scalar, else a ragged tensor with one more dimension."""
    what = "tf.strings.bytes_split"
    try:
        return by_rows(input, what, _byte_split)[0]
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from None


# -- n-grams ----------------------------------------------------------------------------------------------------------


def _grams_of(
    row: list[bytes], widths: Any, separator: bytes, pads: Any, most: int, preserve: bool
) -> list[bytes]:
    found = []
    for width in widths:
        pad = min(width - 1, most) if most >= 0 else width - 1
        padded = [pads[0]] * pad + row + [pads[1]] * pad if pads and row else row
        found += [separator.join(padded[i : i + width]) for i in range(len(padded) - width + 1)]
    if preserve and not found and row:
        # A row that is too short for all widths is one n-gram, padded as for the shortest.
        pad = max(most, 0) if pads else 0
        found.append(separator.join([pads[0]] * pad + row + [pads[1]] * pad if pad else row))
    return found


def _grams(
    data: np.ndarray,
    splits: np.ndarray,
    *,
    widths: Any,
    separator: bytes,
    pads: Any,
    most: int,
    preserve: bool,
) -> tuple[np.ndarray, np.ndarray]:
    items, ends = strings.items_of(data), splits.tolist()
    rows = [items[a:b] for a, b in itertools.pairwise(ends)]
    return _rows([_grams_of(row, widths, separator, pads, most, preserve) for row in rows])


_ngrams = op(
    "StringNGrams", "data: S, data_splits: IX -> ?: string; ?: int64",
    numpy=_grams, lower=strings.HOST, grad=NONDIFF, shape=lambda data, data_splits, **_: [(None,), data_splits.shape],
    attrs={"widths": (1,), "separator": b" ", "pads": None, "most": -1, "preserve": False},
)  # fmt: skip


def _pads_of(value: Any, what: str) -> tuple[bytes, bytes] | None:
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        return (strings.text_attr(value, what),) * 2
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{what}: pad_values must be a string or a tuple of two; got {describe(value)}.")
    return strings.text_attr(value[0], what), strings.text_attr(value[1], what)


@export("strings.ngrams")
def ngrams(
    data: Any, ngram_width: Any, separator: Any = " ", pad_values: Any = None, padding_width: int | None = None,
    preserve_short_sequences: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """The n-grams of the rows of strings, joined; a tensor gives a tensor, a ragged tensor a ragged one.

    Args:
      data: a tensor of strings of rank 1 or more, or a ragged one; the last dimension holds the rows.
      ngram_width: the width of the n-grams, or several, one after another in the result.
      separator: stands between the joined strings.
      pad_values: what rows are padded with at both ends, or (left, right); None for no padding.
      padding_width: pad so many at most; the width less one otherwise.
      preserve_short_sequences: whether a row that has no n-gram is joined as it is.
      name: optional.

    Raises:
      ValueError: a width is not positive, or `padding_width` is given without padding.
    """
    what = "tf.strings.ngrams"
    widths = (ngram_width,) if isinstance(ngram_width, int) else tuple(ngram_width)
    if any(w < 1 for w in widths):
        raise ValueError(f"{what}: ngram_width must be positive; got {ngram_width}.")
    pads = _pads_of(pad_values, what)
    if padding_width is not None and (pads is None or padding_width < 1):
        raise ValueError(
            f"{what}: padding_width must be positive, and pad_values must be given with it; got {padding_width}."
        )
    ragged = isinstance(data, RaggedTensor)
    rows = data if ragged else _as_ragged(strings.string_of(data, what), what)
    if isinstance(rows, Tensor):
        from headwater._src.ops import shape as shapes

        count = shapes.shape(rows, out_type="int64")
        inner: Any = RaggedTensor.from_row_splits(rows, _one_row(count), validate=False)
    else:
        inner = rows
    most = -1 if padding_width is None else int(padding_width)
    attrs = {"widths": widths, "separator": strings.text_attr(separator, what), "pads": pads, "most": most,
             "preserve": bool(preserve_short_sequences)}  # fmt: skip
    found = _grams_within(inner, attrs)
    if isinstance(rows, Tensor):
        return found.values
    return found if ragged else found.to_tensor(default_value="")


def _as_ragged(tensor: Tensor, what: str) -> Any:
    rank = tensor.shape.rank
    if not rank:
        raise ValueError(f"{what}: data must have a known rank of 1 or more; got {describe(tensor)}.")
    return tensor if rank == 1 else RaggedTensor.from_tensor(tensor, ragged_rank=rank - 1)


def _one_row(count: Any) -> Any:
    """The row splits of one row of `count` (a vector of one)."""
    from headwater._src.ops import joining

    return joining.concat([convert(np.zeros(1, np.int64)), count], 0)


def _grams_within(ragged: Any, attrs: dict[str, Any]) -> Any:
    if isinstance(ragged.values, RaggedTensor):
        return ragged.with_values(_grams_within(ragged.values, attrs))
    values, splits = _ngrams(ragged.values, ragged.row_splits, **attrs)
    return RaggedTensor.from_row_splits(values, splits, validate=False)


# -- samples ----------------------------------------------------------------------------------------------------------

sampled("strings.split", lambda: [
    case("a b", id="scalar"), case(["a  b c ", "", "  "], id="spaces"), case(["a,,b", "", ","], ",", id="separator"), case("a||b", "||", id="long"),
    case(["a,b,c"], ",", 1, id="most"), case(["a  b  c "], None, 1, id="spaces-most"), case([" a b c  "], maxsplit=3, id="rest"), case([" a b c "], maxsplit=2, id="rest-two"),
    case([" a b c "], "", 0, id="none"), case([["a b"], ["c d e"]], id="matrix"), case([b"a\x0bb\x0cc\x1cd\x85"], id="bytes"), case(["a b"], maxsplit=-2, id="negative"),
    case(Arr((0,), "string"), id="empty"), case(Arr((3,), "string"), "1", id="words"), bad(["a"], ["x", "y"], id="sep"), bad(3, error="TypeError", id="number"),
])  # fmt: skip
sampled("strings.bytes_split", lambda: [
    case(["hé", ""], id="vector"), case("ab", id="scalar"), case([["ab"]], id="matrix"), case(Arr((3,), "string"), id="words"), bad(3, error="ValueError", id="number"),
])  # fmt: skip
sampled("strings.ngrams", lambda: [
    case(["a", "b", "c"], 2, id="two"), case([["a", "b", "c"], ["d", "e", "f"]], [1, 2], "-", id="matrix"), case(["a", "b", "c"], 2, pad_values="P", id="pad"),
    case(["a", "b"], 5, pad_values=("L", "R"), id="pads"), case(["a", "b"], 5, preserve_short_sequences=True, id="short"), case([["a"]], 5, id="nothing"),
    case(["a", "b"], [2, 3], preserve_short_sequences=True, id="short-widths"), case(["a", "b"], 3, pad_values="P", padding_width=1, id="pad-width"),
    case([["a"]], [5, 6], preserve_short_sequences=True, pad_values="x", padding_width=1, id="short-pad"), case(Arr((4,), "string"), 3, id="words"),
    case(Arr((0,), "string"), 2, id="empty"), case(Arr((0,), "string"), 2, pad_values="x", id="empty-pad"), case(Arr((2, 2, 3), "string"), 2, id="cube"),
    bad("a", 2, error="ValueError", id="scalar"), bad(["a"], 0, error="ValueError", id="width"), bad(["a"], 2, padding_width=1, error="ValueError", id="no-pad"),
    bad(["a", "b"], 3, pad_values="x", padding_width=-1, error="ValueError", id="pad-negative"), bad([1], 2, error="TypeError", id="number"),
])  # fmt: skip

"""Strings taken apart into ragged rows, and n-grams of rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.ops.strings as strings
from headwater._src.base.errors import InvalidArgumentError
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.ragged import RaggedTensor
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops import strings_flat as flat_

# -- rows -------------------------------------------------------------------------------------------------------------


def splits_shape(input: Spec) -> Partial:
    """The shape of the row splits of as many rows as a vector has elements."""
    return (None if not input.shape or input.shape[0] is None else input.shape[0] + 1,)


def words_of(data: Any, what: str) -> Tensor:
    """`strings.string_of`, with a ValueError for tensors of other dtypes."""
    try:
        return strings.string_of(data, what)
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None


def by_rows(
    input: Any, what: str, of: Callable[[Any], Any], strings_of: Any = strings.string_of, vector: bool = False
) -> list[Any]:
    """Applies `of`, which makes rows of a vector of strings, to strings of any shape.

    `of(vector)` returns tensors of values and, last, the splits that all of them have. A scalar gives the values, anything
    else ragged tensors with one more dimension. An input of unknown rank is taken for a `vector`, or refused.
    """
    if isinstance(input, RaggedTensor):
        return _deeper(input, what, of)
    tensor = strings_of(input, what)
    rank = 1 if vector and tensor.shape.rank is None else tensor.shape.rank
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


Rows = tuple[np.ndarray, np.ndarray]


def _rows(found: list[list[bytes]]) -> Rows:
    splits = flat_.bounds(flat_.sizes_of(found))  # type: ignore[arg-type]
    items = itertools.chain.from_iterable(found)
    return flat_.objects(items, int(splits[-1])), splits


# -- split ------------------------------------------------------------------------------------------------------------


def _split_kernel(input: np.ndarray, sep: np.ndarray, *, maxsplit: int) -> Rows:
    if sep.ndim:
        raise ValueError(f"sep must be a scalar; got shape {list(sep.shape)}")
    at = sep.item()
    items = strings.items_of(input)
    if maxsplit < 0 and len(items) >= flat_.FEW:
        if not at:
            return _split_all_at_spaces(items)
        if len(at) == 1:
            return _split_all(items, at)
    if at or maxsplit < 0:
        return _rows([v.split(at or None, max(maxsplit, -1)) for v in items])
    return _rows([_split_at_spaces(v, maxsplit) for v in items])


def _split_all(items: list[bytes], sep: bytes) -> Rows:
    """All strings split at a byte: the parts are those of the strings joined with it."""
    text = sep.join(items)
    parts = text.split(sep)
    ends = flat_.bounds(flat_.sizes_of(items) + 1)
    splits = flat_.totals(np.frombuffer(text + sep, np.uint8) == ord(sep), ends)
    return flat_.objects(parts, len(parts)), splits.astype(np.int64)


def _split_all_at_spaces(items: list[bytes]) -> Rows:
    """All strings split at runs of whitespace, joined with a space between them."""
    text = b" ".join([*items, b""])
    parts = text.split()
    data = np.frombuffer(text, np.uint8)
    inside = (data - 9 > 4) & (data != 32)  # 9 to 13 and 32 are spaces; 0 to 8 turn over
    starts = inside.copy()
    starts[1:] &= ~inside[:-1]
    splits = flat_.totals(starts, flat_.bounds(flat_.sizes_of(items) + 1))
    return flat_.objects(parts, len(parts)), splits.astype(np.int64)


def _split_at_spaces(item: bytes, most: int) -> list[bytes]:
    """Python drops a rest of spaces only, TensorFlow keeps it as an empty string."""
    if not most:
        return [item]
    found = item.split(None, most)
    if len(found) == most and item[-1:].isspace():
        found.append(b"")
    return found


def _split_shape(input: Spec, sep: Spec, *, maxsplit: int) -> list[Partial]:
    if sep.shape:
        raise ValueError(f"sep must be a scalar; got shape {list(sep.shape)}")
    return [(None,), splits_shape(input)]


_split = op(
    "StringSplitV2", "input: S, sep: S -> ?: string; ?: int64",
    numpy=_split_kernel, lower=strings.HOST, grad=NONDIFF, shape=_split_shape, attrs={"maxsplit": -1},
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
    most = strings.whole(maxsplit, "tf.strings.split: maxsplit")
    return by_rows(
        input, "tf.strings.split", lambda flat: _split(flat, at, maxsplit=most), words_of, vector=True
    )[0]


_BYTES = np.array([bytes((i,)) for i in range(256)], object)


def _byte_rows(input: np.ndarray) -> Rows:
    items = strings.items_of(input)
    return _BYTES[flat_.joined(items)], flat_.bounds(flat_.sizes_of(items))


_byte_split = op(
    "StringByteSplit", "input: S -> ?: string; ?: int64",
    numpy=_byte_rows, lower=strings.HOST, grad=NONDIFF, shape=lambda input: [(None,), splits_shape(input)],
)  # fmt: skip


@export("strings.bytes_split")
def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each string as strings: a vector for a scalar, else a ragged tensor with one more dimension."""
    what = "tf.strings.bytes_split"
    if ctx.graph is not None:
        return by_rows(input, what, _byte_split)[0]
    try:
        return by_rows(input, what, _byte_split, words_of)[0]
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from None


# -- n-grams ----------------------------------------------------------------------------------------------------------


def _grams(
    data: np.ndarray,
    splits: np.ndarray,
    *,
    widths: tuple[int, ...],
    separator: bytes,
    pads: tuple[bytes, bytes] | None,
    most: int,
    preserve: bool,
) -> Rows:
    left, right = pads or (b"", b"")
    items = flat_.objects([*strings.items_of(data), left, right], data.size + 2)
    begins, sizes = splits[:-1].astype(np.int64), np.diff(splits).astype(np.int64)
    padding = [0 if pads is None else min(w - 1, most) if most >= 0 else w - 1 for w in widths]
    counts = [
        np.maximum(sizes + 2 * p - w + 1, 0) * bool(data.size) for w, p in zip(widths, padding, strict=True)
    ]
    total = np.zeros(len(sizes), np.int64)
    for count in counts:
        total += count
    short = np.flatnonzero((sizes > 0) & (total == 0)) if preserve else np.empty(0, np.int64)
    total[short] = 1
    ends = flat_.bounds(total)
    out = np.empty(int(ends[-1]), object)
    place = ends[:-1].copy()
    for width, pad, count in zip(widths, padding, counts, strict=True):
        row = np.repeat(np.arange(len(sizes)), count)
        within = np.arange(len(row)) - np.repeat(flat_.bounds(count)[:-1], count)
        words = _padded_words(items, within - pad, begins[row], sizes[row], width, pad > 0)
        found = words[0].tolist() if width == 1 else map(separator.join, zip(*words, strict=True))
        out[place[row] + within] = flat_.objects(found, len(row))
        place += count
    # A row that is too short for all widths is one n-gram, padded as for the shortest.
    pad = max(most, 0) if pads else 0
    for i in short.tolist():
        words_ = items[begins[i] : begins[i] + sizes[i]].tolist()
        out[ends[i]] = separator.join([left] * pad + words_ + [right] * pad)
    return out, ends


def _padded_words(
    items: np.ndarray, first: np.ndarray, begins: np.ndarray, sizes: np.ndarray, width: int, padded: bool
) -> list[np.ndarray]:
    """The 1st, 2nd ... words of n-grams that begin at `first` of their rows; what is outside of a row is padding."""
    found = []
    for k in range(width):
        at = first + k
        if not padded:
            found.append(items[begins + at])
            continue
        index = np.where(at < 0, len(items) - 2, np.where(at >= sizes, len(items) - 1, begins + at))
        found.append(items[index])
    return found


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
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        raise TypeError(f"{what}: pad_values must be a string or two of them; got {describe(value)}.")
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
    rows = data if ragged else _as_ragged(words_of(data, what), what)
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

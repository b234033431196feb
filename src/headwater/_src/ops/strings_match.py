"""Regular expressions on tensors of strings. `strings_re2` translates them, once for each pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.strings as strings
from headwater._src.base.exporting import export
from headwater._src.base.shapes import Partial
from headwater._src.base.text import describe
from headwater._src.core.op import NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops import strings_flat as flat
from headwater._src.ops.strings_re2 import Pattern, Rewrite, all_replaced, compiled, replaced, rewrite_parts


def _like_input(input: Spec, *scalars: Spec, **_: Any) -> Partial:
    for spec in scalars:
        if spec.shape:
            raise ValueError(f"the pattern and the rewrite must be scalars; got shape {list(spec.shape)}")
    return input.shape


def _scalar(array: np.ndarray, name: str) -> bytes:
    if array.ndim:
        raise ValueError(f"{name} must be a scalar; got shape {list(array.shape)}")
    return array.item()


def _texts(items: list[bytes]) -> list[str] | None:
    """The strings as texts; None where one is no UTF-8."""
    data = b"\0".join(items)
    try:
        texts = data.decode().split("\0")
        return texts if len(texts) == len(items) else [v.decode() for v in items]
    except UnicodeDecodeError:
        return None


def _prepared(pattern: Pattern, items: list[bytes]) -> tuple[Any, list[Any]]:
    """The fastest form of a pattern for the strings, and the strings as it takes them."""
    if flat.are_ascii(items):
        return pattern.form("ascii"), items
    texts = None if pattern.bytewise else _texts(items)
    return (pattern.form("utf8"), items) if texts is None else (pattern.form("text"), texts)


def _matches(input: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    form, items = _prepared(compiled(_scalar(pattern, "pattern")), strings.items_of(input))
    found = bytearray(map(bool, map(form.fullmatch, items)))
    return np.frombuffer(found, bool).reshape(input.shape)


_full_match = op(
    "RegexFullMatch", "input: S, pattern: S -> ?: bool",
    numpy=_matches, lower=strings.HOST, grad=NONDIFF, shape=_like_input,
)  # fmt: skip


@export("strings.regex_full_match")
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Whether each string matches a regular expression from its first to its last character, as bool.

    Args:
      input: a tensor of strings in UTF-8.
      pattern: a scalar, in RE2's syntax.
      name: optional.

    Raises:
      InvalidArgumentError: the pattern is not valid.
    """
    what = "tf.strings.regex_full_match"
    return _full_match(strings.string_of(input, what), strings.string_of(pattern, what), name=name)


def _replaced(
    input: np.ndarray, pattern: np.ndarray, rewrite: np.ndarray, *, replace_global: bool
) -> np.ndarray:
    form = compiled(_scalar(pattern, "pattern"))
    parts, cut = rewrite_parts(_scalar(rewrite, "rewrite"))
    highest = max((p for p in parts if isinstance(p, int)), default=0)
    if highest > form.groups or (cut and not replace_global):
        return input.copy()
    items = strings.items_of(input)
    if replace_global and not form.nullable and len(items) >= flat.FEW:
        found = _together(form, items, parts)
    else:
        one = form.form("ascii" if flat.are_ascii(items) else "utf8")
        if replace_global or highest or 0 in parts:
            found = [replaced(one, v, parts, replace_global) for v in items]
        else:
            literal = b"".join(parts).replace(b"\\", b"\\\\")
            found = [one.sub(literal, v, 1) for v in items]
    return strings.packed(found, input.shape)


def _together(form: Pattern, items: list[bytes], parts: Rewrite) -> list[bytes]:
    """All matches in all strings replaced."""
    data = b"\0".join(items)
    whole: Any
    separator: Any
    kind, whole, separator, given = "ascii" if data.isascii() else "utf8", data, b"\0", parts
    if kind == "utf8" and not form.bytewise:
        try:
            given = [p if isinstance(p, int) else p.decode() for p in parts]
            kind, whole, separator = "text", data.decode(), "\0"
        except UnicodeDecodeError:
            given = parts
    together = not form.bytewise and data.count(b"\0") == len(items) - 1
    if together and not any(separator in p for p in given if not isinstance(p, int)):
        found = all_replaced(form, kind, whole, given, joined=True)
        return (found.encode() if kind == "text" else found).split(b"\0")
    if kind == "text":
        return [all_replaced(form, kind, v.decode(), given).encode() for v in items]
    return [all_replaced(form, kind, v, given) for v in items]


_replace = op(
    "RegexReplace", "input: S, pattern: S, rewrite: S -> ?: input",
    numpy=_replaced, lower=strings.HOST, grad=NONDIFF, shape=_like_input, attrs={"replace_global": True},
)  # fmt: skip


@export("strings.regex_replace")
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Strings with the matches of a regular expression replaced.

    Args:
      input: a tensor of strings in UTF-8.
      pattern: a scalar, in RE2's syntax.
      rewrite: a scalar; `\1` to `\9` stand for the groups, `\0` for the match, `\\` for a backslash.
      replace_global: whether all matches are replaced, or the first one.
      name: optional.

    Raises:
      InvalidArgumentError: the pattern is not valid.
    """
    what = "tf.strings.regex_replace"
    if not isinstance(replace_global, (bool, int, np.bool_)):
        raise TypeError(f"{what}: replace_global must be a bool; got {describe(replace_global)}.")
    given = [strings.string_of(x, what) for x in (input, pattern, rewrite)]
    return _replace(*given, replace_global=bool(replace_global), name=name)


# -- samples ----------------------------------------------------------------------------------------------------------

_TEXTS = [
    "ab",
    "abc",
    "a\nb",
    "",
    "é",
    b"\xff",
    "éa",
    "١",
    "K",
    "\u212a",
    "α",
    "AB",
    "a.b",
    "aaa",
    "A+",
    "x-1",
]
_PATTERNS = [
    "a.", r"\pL+", "(?s)a.b", ".", "[é]a", r"\d", r"\w", "(?i)k", r"\p{Greek}", "[[:alpha:]]+", "a(?i)b|c", "(?i:a)b", r"\Qa.b\E", r"\x{41}.", r"\101\x42",
    "a{2,3}", "a{,3}", "(?U)a+", r"[^a]", r"\p{^Lu}*", r"[\pL\d]+", "()", "", "ab||b", r"(?m)^a$\n^b$", "[]a]+b?", "[[:^alpha:]]", r"[\w-]+", r"\PL", r"a\b.*", r"\z", r"(a|ab)(c|)", "(?P<n>a)(?P<n>b)",
]  # fmt: skip
_INVALID = [
    "(", ")", r"(a)\1", "(?=a)aa", "a++", "a**", "a{1001}", r"\Z", r"\8", "(?x)a", "[a", "*a", "a|*", "x{2}{3}", r"\q", "[[:foo:]]", "a{2,1}", "[z-a]", "a\\", "(?",
    "(?P=n)", r"\p{Foo}", r"[\b]", r"[a-\d]",
]  # fmt: skip
_REWRITES = [
    ("hello", "l+", r"[\0]"), ("hello", "(l)(l)", r"\2-\1"), ("abc", "", "-"), ("abc", "x*", "-"), ("hello", "l", r"\9"), ("hello", "l", r"\\"), ("hello", "l", r"a\qb"),
    ("é€", "", "-"), ("baaac", "a*", "-"), ("a\nb", "^b", "c"), ("a\nb", "(?m)^b", "c"), ("a\n", "a$", "c"), ("aa", "(?P<n>a)", r"[\1]"), ("hello", "(?i)L", "x"),
    ("hello", "l", "$1"), ("aba", "|a", "-"), (["a1b22", "", b"\xff1"], r"\d+", "#"), ("abab", "(a)|b", r"<\1>"), ("foo bar", r"\b", "|"),
]  # fmt: skip

sampled("strings.regex_full_match", lambda: [
    *(case(_TEXTS, p, id=f"pattern{i}") for i, p in enumerate(_PATTERNS)), case(Arr((2, 3), "string"), "w[1-3].?", id="words"),
    *(bad(["a"], p, id=f"invalid{i}") for i, p in enumerate(_INVALID)), bad(["a"], ["a", "b"], id="vector"), bad(3, "a", error="TypeError", id="number"),
])  # fmt: skip
sampled("strings.regex_replace", lambda: [
    *(case(*given, id=f"rewrite{i}") for i, given in enumerate(_REWRITES)), *(case(*given, replace_global=False, id=f"first{i}") for i, given in enumerate(_REWRITES)),
    case(Arr((2, 3), "string"), "w(.)", r"\1", id="words"), bad("a", "(", "", id="invalid"), bad("a", ["a"], "", id="vector"), bad(3, "l", "x", error="TypeError", id="number"),
])  # fmt: skip

"""Regular expressions in RE2's syntax, translated for Python's `re`.

The syntax is that of https://github.com/google/re2/wiki/Syntax: no backreferences and no looking around, ASCII classes such
as `\\d`, Unicode classes such as `\\pL`, flags within groups. Bytes that are no UTF-8 are surrogates in the strings matched
(as `surrogateescape` makes them), and nothing but a negated class of ASCII's own matches them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

Ranges = list[tuple[int, int]]

_LAST = 0x10FFFF
_MOST_REPEATS = 1000
_PERL: dict[str, Ranges] = {
    "d": [(48, 57)],
    "s": [(9, 10), (12, 13), (32, 32)],
    "w": [(48, 57), (65, 90), (95, 95), (97, 122)],
}
_POSIX: dict[str, Ranges] = {
    "alnum": [(48, 57), (65, 90), (97, 122)], "alpha": [(65, 90), (97, 122)], "ascii": [(0, 127)], "blank": [(9, 9), (32, 32)],
    "cntrl": [(0, 31), (127, 127)], "digit": [(48, 57)], "graph": [(33, 126)], "lower": [(97, 122)], "print": [(32, 126)],
    "punct": [(33, 47), (58, 64), (91, 96), (123, 126)], "space": [(9, 13), (32, 32)], "upper": [(65, 90)],
    "word": [(48, 57), (65, 90), (95, 95), (97, 122)], "xdigit": [(48, 57), (65, 70), (97, 102)],
}  # fmt: skip
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}


def inverted(ranges: Ranges) -> Ranges:
    """All other characters; surrogates, which are bytes that are no UTF-8, never."""
    found, at = [], 0
    for low, high in sorted([*ranges, (0xD800, 0xDFFF)]):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _LAST:
        found.append((at, _LAST))
    return found


def _runs(flags: Any) -> Ranges:
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@functools.cache
def _categories() -> Any:
    import numpy as np

    return np.array([unicodedata.category(chr(i)) for i in range(_LAST + 1)])


@functools.cache
def unicode_class(name: str) -> Ranges | None:
    """The characters of a general category, such as "Lu" or "L", or of a script, such as "Greek"; None for other names."""
    import numpy as np

    from headwater._src.ops import strings_script

    if name == "Any":
        return [(0, _LAST)]
    if name in strings_script.NAMES:
        return _runs(strings_script.table() == strings_script.NAMES[name])
    if len(name) > 2 or not name or name == "Cn":
        return None
    found = _runs(np.char.startswith(_categories(), name) & (_categories() != "Cn"))
    return found or None


class _Flags:
    """The flags in force: i (ignore case), s (dot matches newline), m (lines), U (lazy)."""

    __slots__ = ("i", "m", "s", "U")

    def __init__(self, other: _Flags | None = None) -> None:
        self.i: bool = other is not None and other.i
        self.m: bool = other is not None and other.m
        self.s: bool = other is not None and other.s
        self.U: bool = other is not None and other.U


class _Translator:
    """One pass over a pattern. Errors are ValueErrors with RE2's reasons in our words."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def take(self, size: int = 1) -> str:
        found = self.peek(size)
        self.at += size
        return found

    def fail(self, why: str) -> ValueError:
        return ValueError(f"the pattern {self.text!r} is not valid: {why}")

    def whole(self) -> str:
        found = self.alternatives(_Flags())
        if self.peek():
            raise self.fail("a ) closes no group")
        return found

    def alternatives(self, flags: _Flags) -> str:
        out: list[str] = []
        repeatable = False
        while (c := self.peek()) and c != ")":
            if c == "|":
                out.append(self.take())
                repeatable = False
            elif c in "*+?" or (c == "{" and self.bounds()):
                if not repeatable:
                    raise self.fail(f"nothing stands before the repetition {c}")
                out.append(self.repetition(flags))
                repeatable = False
                if self.peek() and self.peek() in "*+?" or (self.peek() == "{" and self.bounds()):
                    raise self.fail("a repetition is repeated")
            else:
                part = self.part(flags)
                out.append(part)
                repeatable = part != ""
        return "".join(out)

    def bounds(self) -> re.Match[str] | None:
        return re.compile(r"\{(\d+)(,(\d*))?\}").match(self.text, self.at)

    def repetition(self, flags: _Flags) -> str:
        found = self.bounds()
        if self.peek() == "{" and found is not None:
            low, high = int(found[1]), int(found[3] or found[1])
            if max(low, high) > _MOST_REPEATS or high < low:
                raise self.fail(f"{found[0]} is no number of repetitions")
            mark = self.take(len(found[0]))
        else:
            mark = self.take()
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        return mark + ("?" if lazy != flags.U else "")

    def part(self, flags: _Flags) -> str:
        c = self.take()
        if c == "(":
            return self.group(flags)
        if c == "[":
            return self.cased(self.bracket(), flags)
        if c == ".":
            return _set([(0, 0xD7FF), (0xE000, _LAST)] if flags.s else inverted([(10, 10)]))
        if c == "^":
            return "(?m:^)" if flags.m else r"\A"
        if c == "$":
            return "(?m:$)" if flags.m else r"\Z"
        if c == "\\":
            return self.escape(flags)
        return self.cased(re.escape(c), flags)

    @staticmethod
    def cased(part: str, flags: _Flags) -> str:
        return f"(?i:{part})" if flags.i else part

    def group(self, flags: _Flags) -> str:
        inner = _Flags(flags)
        opening = "("
        if self.peek() == "?":
            name = re.compile(r"\?P<\w+>", re.ASCII).match(self.text, self.at)
            if name is not None:
                self.take(len(name[0]))
            else:
                found = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])").match(self.text, self.at)
                if found is None or (not found[1] and not found[2] and found[3] == ")"):
                    raise self.fail(f"RE2 has no group ({self.peek(3)}")
                self.take(len(found[0]))
                changed = flags if found[3] == ")" else inner
                for flag in found[1]:
                    setattr(changed, flag, True)
                for flag in found[2] or "":
                    setattr(changed, flag, False)
                if found[3] == ")":
                    return ""
                opening = "(?:"
        content = self.alternatives(inner)
        if self.take() != ")":
            raise self.fail("a ) is missing")
        return f"{opening}{content})"

    def escape(self, flags: _Flags) -> str:
        c = self.peek()
        if not c:
            raise self.fail("it ends with a backslash")
        if c in "Az":
            self.take()
            return r"\A" if c == "A" else r"\Z"
        if c in "bB":
            self.take()
            return rf"(?a:\{c})"
        if c == "C":
            raise NotImplementedError(
                "a single byte, \\C, can't be matched; match characters with '.' instead."
            )
        if c == "Q":
            self.take()
            quoted, _, _ = self.text[self.at :].partition("\\E")
            self.take(len(quoted) + 2)
            return f"(?:{self.cased(re.escape(quoted), flags)})" if quoted else ""
        found = self.class_escape()
        if found is not None:
            return self.cased(_set(found), flags)
        return self.cased(re.escape(chr(self.character_escape())), flags)

    def class_escape(self) -> Ranges | None:
        """The class after a backslash, or None where a character stands there."""
        c = self.peek()
        if c and c in "dswDSW":
            self.take()
            return _PERL[c.lower()] if c.islower() else inverted(_PERL[c.lower()])
        if c and c in "pP":
            self.take()
            name = self.take()
            if name == "{":
                name, brace, _ = self.text[self.at :].partition("}")
                self.take(len(name) + 1)
                name = name if brace else ""
            negated = (c == "P") != name.startswith("^")
            ranges = unicode_class(name.lstrip("^"))
            if ranges is None:
                raise self.fail(f"no class of characters has the name {name!r}")
            return inverted(ranges) if negated else ranges
        return None

    def character_escape(self) -> int:
        c = self.take()
        if c in _ESCAPES:
            return _ESCAPES[c]
        if c == "x":
            found = re.compile(r"([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\}").match(self.text, self.at)
            if found is None or int(found[1] or found[2], 16) > _LAST:
                raise self.fail("a character's number is wrong")
            self.take(len(found[0]))
            return int(found[1] or found[2], 16)
        octal = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}").match(self.text, self.at - 1)
        if octal is not None:
            self.take(len(octal[0]) - 1)
            return int(octal[0], 8)
        if c and c.isascii() and not c.isalnum():
            return ord(c)
        raise self.fail(f"RE2 has no escape \\{c}")

    def bracket(self) -> str:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: Ranges = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise self.fail("a ] is missing")
            ranges += self.member()
            first = False
        self.take()
        return _set(inverted(ranges) if negated else ranges)

    def member(self) -> Ranges:
        if self.peek(2) == "[:":
            name, end, _ = self.text[self.at + 2 :].partition(":]")
            if end:
                plain = name.lstrip("^")
                if plain not in _POSIX:
                    raise self.fail(f"no class of characters has the name {name!r}")
                self.take(len(name) + 4)
                return inverted(_POSIX[plain]) if plain != name else _POSIX[plain]
        if self.peek() == "\\":
            self.take()
            found = self.class_escape()
            if found is not None:
                return found
            low = self.character_escape()
        else:
            low = ord(self.take())
        if self.peek() != "-" or self.peek(2) in ("-]", "-"):
            return [(low, low)]
        self.take()
        if self.peek() == "\\":
            self.take()
            high = self.character_escape()
        else:
            high = ord(self.take())
        if high < low:
            raise self.fail("a range of characters is upside down")
        return [(low, high)]


def _set(ranges: Ranges) -> str:
    if not ranges:
        return "(?!)"
    return "[" + "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges) + "]"


@functools.lru_cache(256)
def compiled(pattern: bytes) -> re.Pattern[str]:
    """The pattern for strings decoded with `surrogateescape`; ValueError where RE2 would refuse it."""
    text = pattern.decode("utf-8", "surrogateescape")
    try:
        return re.compile(_Translator(text).whole())
    except (re.error, OverflowError) as error:
        raise ValueError(f"the pattern {text!r} is not valid: {error}") from None


def replaced(pattern: re.Pattern[str], text: str, parts: list[str | int], everywhere: bool) -> str:
    """The text with matches replaced by `parts`: literal texts and numbers of groups.

    As RE2 has it, an empty match right after another match is none.
    """
    out, at, last = [], 0, -1
    while at <= len(text):
        found = pattern.search(text, at)
        if found is None:
            break
        start, end = found.span()
        out.append(text[at:start])
        if start == end == last:
            out.append(text[start : start + 1])
            at = start + 1
            continue
        out += [p if isinstance(p, str) else found[p] or "" for p in parts]
        at = last = end
        if not everywhere:
            break
    out.append(text[at:])
    return "".join(out)


def rewrite_parts(rewrite: bytes) -> tuple[list[str | int], bool]:
    """A rewrite as texts and numbers of groups, up to the first backslash that means nothing; and whether there is one."""
    text = rewrite.decode("utf-8", "surrogateescape")
    parts: list[str | int] = []
    at = 0
    while (mark := text.find("\\", at)) >= 0:
        parts.append(text[at:mark])
        after = text[mark + 1 : mark + 2]
        if after == "\\":
            parts.append("\\")
        elif after and after in "0123456789":
            parts.append(int(after))
        else:
            return parts, True
        at = mark + 2
    parts.append(text[at:])
    return parts, False

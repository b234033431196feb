"""Regular expressions in RE2's syntax, translated for Python's `re`.

The syntax is that of https://github.com/google/re2/wiki/Syntax: no backreferences and no looking around, ASCII classes such
as `\\d`, Unicode classes such as `\\pL`, flags within groups. RE2 matches bytes, and classes of characters are alternatives of
their bytes in UTF-8 there; so they are in the form of a pattern that serves any string. As that is slow, there are two more
forms, for strings of ASCII, and for valid strings made texts.

Two differences stay: Python matches by backtracking, so nested repetitions such as `(a+)+b` may take very long where RE2 does
not; and the group of a loop that may match nothing, as in `(a*)*`, holds the last turn even if that was empty.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any, NamedTuple

Ranges = list[tuple[int, int]]

_LAST = 0x10FFFF
_LAST_CASED = 0x1E943
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
    """All other characters."""
    found, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _LAST:
        found.append((at, _LAST))
    return found


@functools.cache
def _orbits() -> dict[int, list[int]]:
    """Each cased character -> the characters that differ from it in case only."""
    groups: dict[str, list[int]] = {}
    for code in range(_LAST_CASED + 1):
        char = chr(code)
        for key in (char.casefold(), char.lower()):
            if len(key) == 1:
                groups.setdefault(key, []).append(code)
                break
    return {code: group for group in groups.values() if len(group) > 1 for code in group}


def folded(ranges: Ranges) -> Ranges:
    """The characters, and those that differ from them in case only."""
    more = {x for code, orbit in _orbits().items() if any(a <= code <= b for a, b in ranges) for x in orbit}
    return [*ranges, *((x, x) for x in sorted(more))]


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


_BETWEEN = {"^": r"(?<![^\n\0])", "$": r"(?![^\n\0])", r"\A": r"(?<![^\0])", r"\Z": r"(?![^\0])"}
"""Places in a string -> the same in strings joined with zero bytes."""


class _Flags:
    """The flags in force: i (ignore case), s (dot matches newline), m (lines), U (lazy)."""

    __slots__ = ("i", "m", "s", "U")

    def __init__(self, other: _Flags | None = None) -> None:
        self.i: bool = other is not None and other.i
        self.m: bool = other is not None and other.m
        self.s: bool = other is not None and other.s
        self.U: bool = other is not None and other.U


class _Part(NamedTuple):
    """A piece of a translated pattern, whether it can match nothing, and the most repetitions counted in it."""

    text: str
    empty: bool = False
    repeats: int = 1


class _Translator:
    """One pass over a pattern. Errors are ValueErrors with RE2's reasons in our words."""

    def __init__(self, pattern: str, form: str, joined: bool = False) -> None:
        self.text = pattern
        self.at = 0
        self.form = form
        self.joined = joined
        self.bytewise = False

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def take(self, size: int = 1) -> str:
        found = self.peek(size)
        self.at += size
        return found

    def fail(self, why: str) -> ValueError:
        return ValueError(f"the pattern {self.text!r} is not valid: {why}")

    def whole(self) -> _Part:
        found = self.alternatives(_Flags())
        if self.peek():
            raise self.fail("a ) closes no group")
        return found

    def alternatives(self, flags: _Flags) -> _Part:
        done: list[str] = []
        empty, repeats = False, 1
        branch: list[_Part] = []
        while (c := self.peek()) and c != ")":
            if c == "|":
                done.append("".join(p.text for p in branch) + self.take())
                empty = empty or all(p.empty for p in branch)
                branch = []
            elif c in "*+?" or (c == "{" and self.bounds()):
                if not branch:
                    raise self.fail(f"nothing stands before the repetition {c}")
                branch[-1] = self.repetition(flags, branch[-1])
                repeats = max(repeats, branch[-1].repeats)
                if self.peek() and self.peek() in "*+?" or (self.peek() == "{" and self.bounds()):
                    raise self.fail("a repetition is repeated")
            else:
                part = self.part(flags)
                if part is not None:
                    branch.append(part)
                    repeats = max(repeats, part.repeats)
        done += [p.text for p in branch]
        return _Part("".join(done), empty or all(p.empty for p in branch), repeats)

    def bounds(self) -> re.Match[str] | None:
        return re.compile(r"\{(0|[1-9]\d*)(,(0|[1-9]\d*|))?\}", re.ASCII).match(self.text, self.at)

    def repetition(self, flags: _Flags, part: _Part) -> _Part:
        found = self.bounds()
        if self.peek() == "{" and found is not None:
            low, high = int(found[1]), int(found[3] or found[1])
            repeats = part.repeats * max(low, high, 1)
            if max(low, high) > _MOST_REPEATS or high < low or repeats > _MOST_REPEATS:
                raise self.fail(f"{found[0]} is no number of repetitions")
            mark = self.take(len(found[0]))
        else:
            low, repeats = 0, part.repeats
            mark = self.take()
        lazy = self.peek() == "?"
        if lazy:
            self.take()
        empty = part.empty or (mark in "*?" if len(mark) == 1 else low == 0)
        return _Part(part.text + mark + ("?" if lazy != flags.U else ""), empty, repeats)

    def part(self, flags: _Flags) -> _Part | None:
        """What stands next; None where it is flags only."""
        c = self.take()
        if c == "(":
            return self.group(flags)
        if c == "[":
            return self.set(self.bracket(flags))
        if c == ".":
            return self.set([(0, _LAST)] if flags.s else inverted([(10, 10)]))
        if c == "^":
            return self.place("^" if flags.m else r"\A")
        if c == "$":
            return self.place("$" if flags.m else r"\Z")
        if c == "\\":
            return self.escape(flags)
        return self.character(ord(c), flags)

    def place(self, mark: str) -> _Part:
        """Something that matches a place rather than a character."""
        if self.joined and mark in _BETWEEN:
            return _Part(_BETWEEN[mark], True)
        if mark == r"\B":
            mark = r"\B|\A\Z"  # Python has none in an empty string
        how = "m" if mark in "^$" else "a" if r"\b" in mark.lower() and self.form == "text" else ""
        return _Part(f"(?{how}:{mark})", True)

    def character(self, code: int, flags: _Flags) -> _Part:
        return self.set(folded([(code, code)]) if flags.i else [(code, code)])

    def set(self, ranges: Ranges) -> _Part:
        outside = [*inverted(ranges), (0, 0)] if self.joined else inverted(ranges)
        return _Part(_FORMS[self.form](inverted(outside)))

    def group(self, flags: _Flags) -> _Part | None:
        inner = _Flags(flags)
        opening = "("
        if self.peek() == "?":
            name = re.compile(r"\?P<\w+>").match(self.text, self.at)
            if name is not None:
                self.take(len(name[0]))
            else:
                found = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])").match(self.text, self.at)
                if found is None:
                    raise self.fail(f"RE2 has no group ({self.peek(3)}")
                self.take(len(found[0]))
                changed = flags if found[3] == ")" else inner
                for flag in found[1]:
                    setattr(changed, flag, True)
                for flag in found[2] or "":
                    setattr(changed, flag, False)
                if found[3] == ")":
                    return None
                opening = "(?:"
        content = self.alternatives(inner)
        if self.take() != ")":
            raise self.fail("a ) is missing")
        return content._replace(text=f"{opening}{content.text})")

    def escape(self, flags: _Flags) -> _Part:
        c = self.peek()
        if not c:
            raise self.fail("it ends with a backslash")
        if c in "Az":
            self.take()
            return self.place(r"\A" if c == "A" else r"\Z")
        if c in "bB":
            self.take()
            return self.place(f"\\{c}")
        if c == "C":
            self.take()
            self.bytewise = True
            return _Part("(?s:.)")
        if c == "Q":
            self.take()
            quoted, _, _ = self.text[self.at :].partition("\\E")
            self.take(len(quoted) + 2)
            parts = [self.character(ord(q), flags).text for q in quoted]
            # A repetition is of the last character.
            return _Part("".join(parts), not parts)
        found = self.class_escape(flags)
        if found is not None:
            return self.set(found)
        return self.character(self.character_escape(), flags)

    def class_escape(self, flags: _Flags) -> Ranges | None:
        """The class after a backslash, or None where a character stands there."""
        c = self.peek()
        if c and c in "dswDSW":
            self.take()
            return self.signed(_PERL[c.lower()], c.isupper(), flags)
        if c and c in "pP":
            self.take()
            name = self.take()
            if name == "{":
                name, brace, _ = self.text[self.at :].partition("}")
                self.take(len(name) + 1)
                name = name if brace else ""
            negated = (c == "P") != name.startswith("^")
            ranges = unicode_class(name.removeprefix("^"))
            if ranges is None:
                raise self.fail(f"no class of characters has the name {name!r}")
            return self.signed(ranges, negated, flags)
        return None

    @staticmethod
    def signed(ranges: Ranges, negated: bool, flags: _Flags) -> Ranges:
        ranges = folded(ranges) if flags.i else ranges
        return inverted(ranges) if negated else ranges

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

    def bracket(self, flags: _Flags) -> Ranges:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: Ranges = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise self.fail("a ] is missing")
            ranges += self.member(flags)
            first = False
        self.take()
        return inverted(ranges) if negated else ranges

    def member(self, flags: _Flags) -> Ranges:
        if self.peek(2) == "[:":
            name, end, _ = self.text[self.at + 2 :].partition(":]")
            if end:
                plain = name.removeprefix("^")
                if plain not in _POSIX:
                    raise self.fail(f"no class of characters has the name {name!r}")
                self.take(len(name) + 4)
                return self.signed(_POSIX[plain], plain != name, flags)
        if self.peek() == "\\":
            self.take()
            found = self.class_escape(flags)
            if found is not None:
                return found
            low = self.character_escape()
        else:
            low = ord(self.take())
        if self.peek() != "-" or self.peek(2) in ("-]", "-"):
            return self.signed([(low, low)], False, flags)
        self.take()
        if self.peek() == "\\":
            self.take()
            high = self.character_escape()
        else:
            high = ord(self.take())
        if high < low:
            raise self.fail("a range of characters is upside down")
        return self.signed([(low, high)], False, flags)


# -- classes of characters in the three forms -------------------------------------------------------------------------


def _as_text(ranges: Ranges) -> str:
    if not ranges:
        return "(?!)"
    if ranges == [(0, _LAST)]:
        return "(?s:.)"
    if ranges == [(0, 9), (11, _LAST)]:
        return "."
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    return "[" + "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges) + "]"


def _as_ascii(ranges: Ranges) -> str:
    found = [(a, min(b, 127)) for a, b in ranges if a < 128]
    if ranges == [(0, _LAST)]:
        return "(?s:.)"
    if ranges == [(0, 9), (11, _LAST)]:
        return "."
    return _byte_set(found) if found else "(?!)"


def _byte_set(ranges: Ranges) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return f"\\x{ranges[0][0]:02x}"
    return "[" + "".join(f"\\x{a:02x}-\\x{b:02x}" for a, b in ranges) + "]"


def _as_utf8(ranges: Ranges) -> str:
    ascii_ = [(a, min(b, 127)) for a, b in ranges if a < 128]
    found = [_byte_set(ascii_)] if ascii_ else []
    for low, high in ranges:
        if high < 128:
            continue
        if low <= 128 and high == _LAST:  # RE2 also takes sequences that are too long, or of no character
            tail = r"[\x80-\xbf]"
            found += [rf"[\xc2-\xdf]{tail}", rf"[\xe0-\xef]{tail}{tail}", rf"[\xf0-\xf4]{tail}{tail}{tail}"]
            continue
        for first, last in ((128, 0x7FF), (0x800, 0xFFFF), (0x10000, _LAST)):
            if max(low, first) <= min(high, last):
                found += _sequences(max(low, first), min(high, last))
    return "(?:" + "|".join(found) + ")" if found else "(?!)"


def _sequences(low: int, high: int) -> list[str]:
    """The UTF-8 of the characters of a range, all of one length, as sequences of sets of bytes."""
    first, last = chr(low).encode("utf-8", "surrogatepass"), chr(high).encode("utf-8", "surrogatepass")
    for i in range(1, len(first)):
        span = 1 << 6 * (len(first) - i)
        # Up to a byte that starts anew, all bytes after it must run through all their values.
        if low // span != high // span:
            if low % span:
                middle = (low // span + 1) * span
                return _sequences(low, middle - 1) + _sequences(middle, high)
            if (high + 1) % span:
                middle = high // span * span
                return _sequences(low, middle - 1) + _sequences(middle, high)
    return ["".join(_byte_set([(a, b)]) for a, b in zip(first, last, strict=True))]


_FORMS = {"text": _as_text, "ascii": _as_ascii, "utf8": _as_utf8}


class Pattern:
    """A valid pattern of RE2's. `form(name)` gives Python's for texts, ASCII strings or any bytes, made when first needed."""

    def __init__(self, source: bytes) -> None:
        try:
            self.source = source.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise ValueError(f"the pattern {source!r} is no valid UTF-8") from None
        self._forms: dict[tuple[str, bool, bool], Any] = {}
        translator = _Translator(self.source, "ascii")
        part = translator.whole()
        self.nullable = part.empty
        self.bytewise = translator.bytewise
        self.groups: int = self.form("ascii").groups

    def form(self, name: str, grouped: bool = False, joined: bool = False) -> Any:
        """The compiled pattern; as one more group, around all others, if `grouped`; matching no zero byte if `joined`."""
        found = self._forms.get((name, grouped, joined))
        if found is None:
            text = _Translator(self.source, name, joined).whole().text
            text = f"({text})" if grouped else text
            try:
                found = re.compile(text if name == "text" else text.encode("latin-1"))
            except (re.error, OverflowError) as error:
                raise ValueError(f"the pattern {self.source!r} is not valid: {error}") from None
            self._forms[name, grouped, joined] = found
        return found


@functools.lru_cache(256)
def compiled(source: bytes) -> Pattern:
    """The pattern; ValueError where RE2 would refuse it."""
    return Pattern(source)


# -- replacing --------------------------------------------------------------------------------------------------------

Rewrite = list[Any]
"""Literal strings, or texts, and numbers of groups."""


def rewrite_parts(rewrite: bytes) -> tuple[Rewrite, bool]:
    """A rewrite as literal strings and numbers of groups, up to the first backslash that means nothing; and whether there is one."""
    parts: Rewrite = []
    at = 0
    while (mark := rewrite.find(b"\\", at)) >= 0:
        parts.append(rewrite[at:mark])
        after = rewrite[mark + 1 : mark + 2]
        if after == b"\\":
            parts.append(b"\\")
        elif after and after in b"0123456789":
            parts.append(int(after))
        else:
            return parts, True
        at = mark + 2
    parts.append(rewrite[at:])
    return parts, False


def replaced(pattern: Any, item: bytes, parts: Rewrite, everywhere: bool) -> bytes:
    """The string with matches of its bytes replaced.

    As RE2 has it, an empty match right after another match is none, and the search goes on a character later.
    """
    out: list[bytes] = []
    at, last = 0, -1
    while at <= len(item):
        found = pattern.search(item, at)
        if found is None:
            break
        start, end = found.span()
        out.append(item[at:start])
        if start == end == last:
            size = _character_size(item, start)
            out.append(item[start : start + size])
            at = start + size
            continue
        out += [p if isinstance(p, bytes) else found[p] or b"" for p in parts]
        at = last = end
        if not everywhere:
            break
    out.append(item[at:])
    return b"".join(out)


def _character_size(item: bytes, at: int) -> int:
    """How many bytes the character at a place has; 1 where there is none."""
    for size in (2, 3, 4):
        try:
            if len(item[at : at + size].decode("utf-8", "surrogatepass")) == 1 and item[at] > 127:
                return size
        except UnicodeDecodeError:
            continue
    return 1


def all_replaced(pattern: Pattern, form: str, text: Any, parts: Rewrite, joined: bool = False) -> Any:
    """A text, or byte string, with all matches replaced; for patterns that never match nothing.

    Python's `split` gives what stands between the matches, and their groups, at half the cost of `sub`.
    """
    whole = 0 in parts
    compiled_ = pattern.form(form, whole, joined)
    pieces = compiled_.split(text)
    step = compiled_.groups + 1
    between = pieces[::step]
    if not any(isinstance(p, int) for p in parts):
        return text[:0].join(parts).join(between)
    width = len(parts) + 1
    out: list[Any] = [text[:0]] * (len(between) + (len(between) - 1) * len(parts))
    out[::width] = between
    for i, part in enumerate(parts, 1):
        if not isinstance(part, int):
            out[i::width] = [part] * (len(between) - 1)
            continue
        out[i::width] = pieces[part + whole :: step]
    try:
        return text[:0].join(out)
    except TypeError:  # groups that took no part in a match
        return text[:0].join([v or text[:0] for v in out])

"""Writes the pages of docs/ that come from data: docs/differences.md and docs/coverage.md.

python tools/write_pages.py           writes them
python tools/write_pages.py --check   exits 1 if a page is not what it would write
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "tools"))

import write_api  # noqa: E402


def differences() -> str:
    """The page on what is not as in TensorFlow."""
    from headwater._src.limits import ABSENT, DIFFERENT, EXPRESSIONS, LIMITS, MUTANTS, SLIPS

    lines = [
        "# Differences from TensorFlow 2.21",
        "",
        "Written by `make api` from `src/headwater/_src/limits.py`, which the tests read too. What is absent raises NotImplementedError"
        " with a sentence, or AttributeError where the name is not there at all; nothing gives a wrong number.",
        "",
        "## Not there yet",
        "",
        *(f"- **{what}**: {sentence}" for what, sentence in ABSENT),
        "",
        "## Different on purpose",
        "",
        *(f"- **{what}**: {sentence}" for what, sentence in DIFFERENT),
        "",
        "## Single cases",
        "",
        "Recorded answers of TensorFlow that headwater does not follow.",
        "",
        "| name | case | why |",
        "|---|---|---|",
        *(f"| `{x.name}` | {x.case or 'all'} | {x.reason} |" for x in LIMITS),
        "",
        "| expression | why |",
        "|---|---|",
        *(f"| `{text.replace('|', chr(92) + '|')}` | {why} |" for text, why in EXPRESSIONS.items()),
        "",
        "## Bad inputs",
        "",
        "Samples with one argument changed raise the class that TensorFlow raises, but for these.",
        "",
        "| here | TensorFlow | why |",
        "|---|---|---|",
        *(
            f"| {'anything' if ours == '*' else ours} | {theirs} | {why} |"
            for (ours, theirs), why in SLIPS.items()
        ),
        "",
        "| name | change | why |",
        "|---|---|---|",
        *(
            f"| `{name}` | {'any' if kind == '*' else kind} | {why} |"
            for (name, kind), why in MUTANTS.items()
        ),
        "",
    ]
    return "\n".join(lines)


def coverage() -> str:
    """The page on what is there: records and public names by namespace."""
    from headwater._src.base.exporting import EXPORTS
    from headwater._src.core.op import HOST_ONLY, REGISTRY

    spaces = Counter(name.rpartition(".")[0] or "(root)" for name in EXPORTS)
    lowered = sum(not isinstance(r.lower, HOST_ONLY) for r in REGISTRY.values())
    with_gradient = sum(r.grad is not None for r in REGISTRY.values())
    lines = [
        "# Coverage",
        "",
        "Written by `make api` from the registry.",
        "",
        f"{len(REGISTRY)} operations, {with_gradient} with gradients, {lowered} with an XLA lowering; {len(EXPORTS)} public names.",
        "",
        "| namespace | names |",
        "|---|---|",
        *(f"| `{space}` | {count} |" for space, count in sorted(spaces.items())),
        "",
        "| operation | public name | gradient | XLA | file |",
        "|---|---|---|---|---|",
    ]
    for name, record in sorted(REGISTRY.items()):
        host = isinstance(record.lower, HOST_ONLY)
        file = record.module.rpartition(".")[2]
        public = f"`tf.{record.api[0]}`" if record.api else ""
        lines.append(
            f"| {name} | {public} | {'yes' if record.grad is not None else ''} | {'' if host else 'yes'} | {file}.py |"
        )
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Writes or checks; see the module's head."""
    write_api.load_everything()
    pages = {ROOT / "docs" / "differences.md": differences(), ROOT / "docs" / "coverage.md": coverage()}
    stale = [p for p, text in pages.items() if not p.exists() or p.read_text() != text]
    if "--check" in arguments:
        for page in stale:
            print(f"not fresh: {page.relative_to(ROOT)} (run `make api`)")
        return 1 if stale else 0
    for page in stale:
        page.write_text(pages[page])
    print(f"{len(pages)} pages, {len(stale)} written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Writes the public face: one plain file for each namespace, from the names that are declared beside the objects.

    python tools/write_api.py           writes src/headwater/*.py
    python tools/write_api.py --check   exits 1 if a file is not what it would write

Every public name becomes `from headwater._src.x import y as y`, which people, type checkers and editors can read.
"""

from __future__ import annotations

import importlib
import keyword
import pkgutil
import sys
import types
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACE = ROOT / "src" / "headwater"
sys.path.insert(0, str(ROOT / "src"))

HEAD = '"""{doc}"""\n\n# Written by `make api`; edit the declarations in headwater/_src and run it again.\n'


def load_everything() -> None:
    """Imports every implementation module, so that all declarations have been made."""
    # A stand-in for the package, so that a stale face can't keep the new one from being written.
    package = types.ModuleType("headwater")
    package.__path__ = [str(FACE)]
    sys.modules["headwater"] = package
    import headwater._src as implementation

    for module in pkgutil.walk_packages(implementation.__path__, "headwater._src."):
        if ".app" not in module.name:
            importlib.import_module(module.name)


def attribute_of(module: str, attribute: str) -> str:
    """The name of the object in its module; `@Op` stands for the entry of a record."""
    if not attribute.startswith("@"):
        return attribute
    for name, value in vars(importlib.import_module(module)).items():
        record = getattr(value, "op", None)
        if (
            record is not None
            and getattr(record, "name", None) == attribute[1:]
            and getattr(record, "module", None) == module
        ):
            return name
    raise LookupError(f"the entry of {attribute[1:]} has no name in {module}")


def collect() -> dict[str, dict[str, tuple[str, str]]]:
    """Namespace -> public name -> (module, attribute)."""
    from headwater._src.base.exporting import EXPORTS

    namespaces: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for public, (module, attribute) in sorted(EXPORTS.items()):
        namespace, _, name = public.rpartition(".")
        namespaces[namespace][name] = (module, attribute_of(module, attribute))
    for namespace in list(namespaces):
        while namespace:
            namespace = namespace.rpartition(".")[0]
            namespaces[namespace]  # every parent is a namespace too
    return namespaces


def late_names(names: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Those whose modules are loaded at the first use of a name."""
    from headwater._src.names import LATE

    return {name: place for name, place in names.items() if place[0].startswith(LATE)}


def late_part(names: dict[str, tuple[str, str]]) -> list[str]:
    """The end of a file for names that are late; tools read them as plain imports."""
    places = [f'    "{n}": ("{m}", "{a}"),' for n, (m, a) in sorted(names.items())]
    imports = [f"    from {m} import {a} as {n}" for n, (m, a) in names.items()]
    return [
        "", "from typing import TYPE_CHECKING as _TYPE_CHECKING", "",
        "from headwater._src.base.lazy import late as _late", "",
        "if _TYPE_CHECKING:", *sorted(imports), "",
        "_LATE = {", *places, "}", "__getattr__, __dir__ = _late(globals(), _LATE)",
    ]  # fmt: skip


def render(namespace: str, names: dict[str, tuple[str, str]], children: list[str]) -> str:
    """The text of one file of the public face."""
    from headwater._src.names import NAMESPACES

    full = "headwater" + ("." + namespace if namespace else "")
    lines = [HEAD.format(doc=NAMESPACES.get(namespace, f"The public names of tf.{namespace}."))]
    by_module: dict[str, list[str]] = defaultdict(list)
    for child in children:
        by_module[full].append(f"{child} as {child}")
    late = late_names(names)
    for name, (module, attribute) in names.items():
        if not keyword.iskeyword(name) and name not in late:
            by_module[module].append(f"{attribute} as {name}")
    for module in sorted(by_module):
        for item in sorted(by_module[module]):
            lines.append(f"from {module} import {item}")
    if late:
        lines += late_part(late)
    from headwater._src.names import TAILS

    return lines[0] + "\n" + "\n".join(lines[1:]) + "\n" + TAILS.get(namespace, "")


def files() -> dict[Path, str]:
    """Path -> text for the whole face."""
    namespaces = collect()
    out = {}
    for namespace, names in namespaces.items():
        children = sorted(
            n.rpartition(".")[2]
            for n in namespaces
            if n and n != namespace and n.rpartition(".")[0] == namespace
        )
        folder = FACE.joinpath(*namespace.split(".")) if namespace else FACE
        path = folder / "__init__.py" if children or not namespace else folder.with_suffix(".py")
        out[path] = render(namespace, {n: p for n, p in names.items() if n not in children}, children)
    return out


def present() -> set[Path]:
    """The files of the face as they are now."""
    return {
        p for p in FACE.rglob("*.py") if "_src" not in p.relative_to(FACE).parts and p.name != "__main__.py"
    }


def main(arguments: list[str]) -> int:
    """Writes or checks; see the module's head."""
    load_everything()
    wanted = files()
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    extra = sorted(present() - set(wanted))
    if "--check" in arguments:
        for path in [*stale, *extra]:
            print(f"not fresh: {path.relative_to(ROOT)} (run `make api`)")
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    print(
        f"{len(wanted)} files, {sum(len(n) for n in collect().values())} names; {len(stale)} written, {len(extra)} removed"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
